//! Public pages kept ready to send, compressed. A request with a session never meets the cache.

use std::sync::Arc;

use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;

use super::Visit;
use crate::{accounts::session, platform::assets};

/// How late another replica's change may show. Openings and closings are days: midnight is a bound too.
const FRESH: SignedDuration = SignedDuration::from_secs(30);
/// A page larger than this is not kept.
const LARGEST: usize = 512 * 1024;

pub struct PageCache(Cache<String, Arc<Kept>>);

struct Kept {
    plain: Bytes,
    gzip: Bytes,
    brotli: Bytes,
    until: Timestamp,
}

impl Default for PageCache {
    fn default() -> Self {
        Self(Cache::new(500))
    }
}

/// Layer for routes whose page is the same for every visitor without a session.
pub async fn cached(request: Request, next: Next) -> Response {
    let Some(visit) = request.extensions().get::<Visit>() else { return next.run(request).await };
    // Searches are countless: only plain addresses are kept.
    if request.method() != Method::GET
        || request.uri().query().is_some()
        || session::presented(visit, request.headers())
    {
        return next.run(request).await;
    }
    let key = format!("{}{}", visit.site.id, request.uri().path());
    if let Some(kept) = visit.app.pages.0.get(&key)
        && visit.now < kept.until
    {
        return kept.answer(request.headers());
    }
    let (visit, headers) = (visit.clone(), request.headers().clone());
    let response = next.run(request).await;
    if response.status() != StatusCode::OK || response.headers().contains_key(header::SET_COOKIE) {
        return response;
    }
    let Ok(plain) = to_bytes(response.into_body(), LARGEST).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let kept =
        Arc::new(Kept { gzip: assets::gzip(&plain), brotli: assets::brotli(&plain), plain, until: until(&visit) });
    visit.app.pages.0.insert(key, kept.clone());
    kept.answer(&headers)
}

fn until(visit: &Visit) -> Timestamp {
    let fresh = visit.now.checked_add(FRESH).unwrap_or(visit.now);
    let midnight = visit.today().tomorrow().ok().and_then(|day| visit.morning(day));
    midnight.map_or(fresh, |midnight| midnight.min(fresh))
}

impl Kept {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let (body, encoding) = assets::negotiate(headers, &self.plain, &self.gzip, &self.brotli);
        let mut response = body.clone().into_response();
        let out = response.headers_mut();
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        out.insert(header::VARY, HeaderValue::from_static("accept-encoding, cookie"));
        if let Some(encoding) = encoding {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }
}
