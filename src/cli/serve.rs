use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::net::TcpListener;

use crate::{app::App, routes, work};

/// Resolves when the process is asked to stop.
pub async fn stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            let _ = interrupt.await;
            return;
        };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}

pub async fn serve(app: App) -> Result<()> {
    let listener = TcpListener::bind(&app.config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", app.config.listen))?;
    tracing::info!(address = %listener.local_addr()?, "serving");
    on(app, listener).await
}

/// Serves until asked to stop, ends the answers begun, then the jobs begun.
pub async fn on(app: App, listener: TcpListener) -> Result<()> {
    let (told, mut ended) = tokio::sync::watch::channel(());
    let worker = app.config.work_in_serve.then(|| {
        let app = app.clone();
        tokio::spawn(work::run(app, async move {
            let _ = ended.changed().await;
        }))
    });
    let service = routes::router(app).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop()).await?;
    drop(told);
    if let Some(worker) = worker {
        worker.await?;
    }
    Ok(())
}
