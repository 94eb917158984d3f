//! Files on their way to a browser: always as an attachment, never as a page of ours.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;

use super::encode;

/// A file to keep, whatever it holds. `size` in bytes.
pub fn attachment(body: Body, media_type: &str, size: i64, name: &str) -> Response {
    let mut response = file(body, media_type, name);
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    response
}

pub fn pdf(body: impl Into<Body>, name: &str) -> Response {
    file(body, "application/pdf", name)
}

/// The same for bytes in hand, or a stream whose length nobody knows.
pub fn file(body: impl Into<Body>, media_type: &str, name: &str) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    if let Ok(media_type) = HeaderValue::from_str(media_type) {
        headers.insert(header::CONTENT_TYPE, media_type);
    }
    headers.insert(header::CONTENT_DISPOSITION, disposition(name));
    // Should a browser show it all the same: in a box without scripts, forms or our origin.
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    response
}

/// `attachment` with the name in UTF-8 (RFC 6266).
pub fn disposition(name: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{}", encode(name)))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

/// Where the pieces of a download go.
pub type Sender = mpsc::Sender<std::io::Result<Bytes>>;

/// A file filled while it leaves, of which four pieces at most wait in memory. It is cut short when `fill` fails,
/// so that nobody takes it for whole.
pub fn streamed<F>(name: &str, media_type: &'static str, fill: impl FnOnce(Sender) -> F) -> Response
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(4);
    let outcome = fill(sender.clone());
    tokio::spawn(async move {
        if let Err(error) = outcome.await
            && !sender.is_closed()
        {
            tracing::error!(error = format!("{error:#}"), "a download is cut short");
            let _ = sender.send(Err(std::io::Error::other("a file cannot be read"))).await;
        }
    });
    let pieces = stream::unfold(receiver, async |mut receiver| receiver.recv().await.map(|piece| (piece, receiver)));
    file(Body::from_stream(pieces), media_type, name)
}
