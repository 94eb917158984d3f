//! Pages that tell about the site itself, and what is served when nothing else fits.

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use minijinja::{context, value::Serde};
use serde_json::{Value as Json, json};

use crate::{
    app::App,
    catalogue,
    error::Problem,
    visit::{Visitor, cached},
};

pub fn routes() -> Router<App> {
    Router::new()
        .route(
            "/accessibilite",
            get(|visitor: Visitor| async move { plain(&visitor, "accessibility", "Accessibilité") }),
        )
        .route("/mentions-legales", get(|visitor: Visitor| async move { plain(&visitor, "legal", "Mentions légales") }))
        .route(
            "/donnees-personnelles",
            get(|visitor: Visitor| async move { plain(&visitor, "privacy", "Données personnelles") }),
        )
        .route("/cookies", get(|visitor: Visitor| async move { plain(&visitor, "cookies", "Gestion des cookies") }))
        .route("/aide", get(|visitor: Visitor| async move { plain(&visitor, "help", "Aide et contact") }))
        .route("/plan-du-site", get(sitemap))
        .layer(middleware::from_fn(cached))
}

fn plain(visitor: &Visitor, name: &str, title: &str) -> Result<Response, Problem> {
    visitor.page(&format!("pages/{name}.html"), title, context! {})
}

async fn sitemap(visitor: Visitor) -> Result<Response, Problem> {
    let current = catalogue::current(&visitor).await?;
    let themes: Vec<Json> = visitor
        .site
        .settings
        .themes
        .iter()
        .filter_map(|theme| {
            let of_theme = current.procedures.values().filter(|published| published.procedure.theme == theme.id);
            let procedures: Vec<Json> = of_theme.map(|published| json!({"href": format!("/demarches/{}", published.procedure.id), "title": published.procedure.title})).collect();
            (!procedures.is_empty()).then(|| json!({"href": format!("/demarches?theme={}", theme.id), "title": theme.title, "procedures": procedures}))
        })
        .collect();
    visitor.page("pages/sitemap.html", "Plan du site", context! { themes => Serde(themes) })
}

pub async fn not_found() -> Problem {
    Problem::NotFound
}

/// For load balancers: answers once the database does.
pub async fn health(State(app): State<App>) -> Response {
    match app.db.ping().await {
        Ok(()) => "ok".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "database").into_response(),
    }
}
