//! Files on their way to a browser: always as an attachment, never as a page of ours.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};

use super::encode;

/// A file to keep, whatever it holds. `size` in bytes.
pub fn attachment(body: Body, media_type: &str, size: i64, name: &str) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    if let Ok(media_type) = HeaderValue::from_str(media_type) {
        headers.insert(header::CONTENT_TYPE, media_type);
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
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
