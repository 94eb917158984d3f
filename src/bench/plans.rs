//! How the database goes about a page: the plan of each select that it makes, told in the log. The page is asked of
//! the router within this process, so that what it really sends is what is explained.

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, header},
};
use tower::ServiceExt;

/// The name under which the measured city is known.
const HOST: &str = "localhost";

/// Tells the plans of a page of agents; gives how many.
///
/// # Errors
/// When the page does not answer 200.
pub async fn tell(router: &Router, cookie: &str, path: &str) -> Result<usize> {
    let request = Request::builder().uri(path).header(header::HOST, HOST).header(header::COOKIE, cookie);
    let request = request.body(Body::empty()).context("request")?;
    let (answer, plans) = db::explained(router.clone().oneshot(request)).await;
    let answer = answer.unwrap_or_else(|never| match never {});
    let status = answer.status();
    to_bytes(answer.into_body(), usize::MAX).await?;
    ensure!(status.is_success(), "{path}: {status}");
    tracing::info!(path, statements = plans.len(), "page");
    for plan in &plans {
        tracing::debug!(path, statement = plan.place, "plan\n{}", plan.text);
    }
    Ok(plans.len())
}
