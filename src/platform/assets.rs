//! Static files, embedded in the binary, served under a name that holds their hash and kept by
//! browsers for a year. Compressed once, at the first request.

use std::{
    collections::{BTreeMap, HashMap},
    io::Write,
    sync::LazyLock,
};

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "assets"]
struct Files;

struct Asset {
    plain: Bytes,
    gzip: Bytes,
    brotli: Bytes,
    media_type: &'static str,
}

/// By hashed name (`guichet-1a2b3c4d.css`).
static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    Files::iter()
        .filter_map(|name| {
            Files::get(&name).map(|file| (hashed(&name, &file.metadata.sha256_hash()), asset(&name, &file.data)))
        })
        .collect()
});

/// Address by plain name.
static ADDRESSES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let address = |name: &str| {
        let file = Files::get(name)?;
        Some((name.to_owned(), format!("/static/{}", hashed(name, &file.metadata.sha256_hash()))))
    };
    Files::iter().filter_map(|name| address(&name)).collect()
});

fn hashed(name: &str, hash: &[u8]) -> String {
    let short = data_encoding::HEXLOWER.encode(hash.get(..4).unwrap_or_default());
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}-{short}.{extension}"),
        None => format!("{name}-{short}"),
    }
}

fn asset(name: &str, data: &[u8]) -> Asset {
    let media_type = match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    Asset { plain: Bytes::copy_from_slice(data), gzip: gzip(data), brotli: brotli(data), media_type }
}

pub fn gzip(data: &[u8]) -> Bytes {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // Writing to memory cannot fail; were it to, the empty copy is never chosen (see `smaller`).
    let done = encoder.write_all(data).and_then(|()| encoder.finish());
    done.map(Bytes::from).unwrap_or_default()
}

pub fn brotli(data: &[u8]) -> Bytes {
    let mut out = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 9, lgwin: 18, ..Default::default() };
    match brotli::BrotliCompress(&mut std::io::Cursor::new(data), &mut out, &parameters) {
        Ok(_) => Bytes::from(out),
        Err(_) => Bytes::new(),
    }
}

/// The best copy that the browser accepts, with its `content-encoding`.
pub fn negotiate<'a>(
    headers: &HeaderMap,
    plain: &'a Bytes,
    gzip: &'a Bytes,
    brotli: &'a Bytes,
) -> (&'a Bytes, Option<&'static str>) {
    let accepts = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let smaller = |copy: &Bytes| !copy.is_empty() && copy.len() < plain.len();
    if accepts.contains("br") && smaller(brotli) {
        (brotli, Some("br"))
    } else if accepts.contains("gzip") && smaller(gzip) {
        (gzip, Some("gzip"))
    } else {
        (plain, None)
    }
}

/// The address of an asset, for templates.
pub fn url(name: &str) -> &str {
    ADDRESSES.get(name).map_or(name, String::as_str)
}

pub async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let (body, encoding) = negotiate(&headers, &asset.plain, &asset.gzip, &asset.brotli);
    let mut response = body.clone().into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}
