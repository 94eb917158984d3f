//! The load generator: connections that each ask for the same page, again and again. It runs in a
//! process of its own, so that both servers under comparison share the machine with the same thing.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use anyhow::{Context, Result};
use serde_json::json;
use tokio::time::Instant;

use super::wire::Wire;

const CONNECTIONS: usize = 16;

/// Asks `address` for `request` during `time`, from another process; gives how many answers came.
pub async fn start(address: SocketAddr, request: &[u8], time: Duration) -> Result<u64> {
    let task =
        json!({"address": address, "request": std::str::from_utf8(request)?, "time": time.as_secs_f64()}).to_string();
    let child = super::command()?.args(["bench", "--load", &task]).stdout(Stdio::piped()).spawn()?;
    let output = child.wait_with_output().await?;
    anyhow::ensure!(output.status.success(), "the load generator failed");
    String::from_utf8(output.stdout)?.trim().parse().context("the load generator's answer")
}

#[derive(serde::Deserialize)]
struct Task {
    address: SocketAddr,
    request: String,
    time: f64,
}

/// What the other process does: prints how many answers came.
pub async fn run(task: &str) -> Result<()> {
    let task: Task = serde_json::from_str(task)?;
    let end = Instant::now() + Duration::from_secs_f64(task.time);
    let mut connections = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        connections.spawn(ask(task.address, task.request.clone(), end));
    }
    let mut count = 0;
    while let Some(done) = connections.join_next().await {
        count += done??;
    }
    println!("{count}");
    Ok(())
}

async fn ask(address: SocketAddr, request: String, end: Instant) -> Result<u64> {
    let mut wire = Wire::connect(address).await?;
    let mut count = 0;
    while Instant::now() < end {
        wire.send(request.as_bytes()).await?.expect(200)?;
        count += 1;
    }
    Ok(count)
}
