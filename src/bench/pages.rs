//! Pages: how many a second beside a bare handler of the same bytes, and what a first visit weighs.

use std::{collections::BTreeSet, io::Read, net::SocketAddr, time::Duration};

use anyhow::{Context, Result};

use super::{
    bare::Bare,
    load, submissions,
    wire::{Wire, get},
};

/// A page that everybody reads.
const PAGE: &str = "/demarches/acte-naissance";
/// Both servers take turns, so that a busy moment of the machine meets both.
const TURNS: u32 = 4;

pub struct Ratios {
    pub cached: f64,
    pub uncached: f64,
    pub form: f64,
}

pub async fn ratios(address: SocketAddr, time: Duration) -> Result<Ratios> {
    let (draft, cookie) = submissions::draft(address).await?;
    Ok(Ratios {
        cached: ratio(address, &get(PAGE, ""), time).await?,
        // Nothing with a query is kept.
        uncached: ratio(address, &get(&format!("{PAGE}?origine=bulletin"), ""), time).await?,
        form: ratio(address, &get(&format!("/brouillons/{draft}/{}", submissions::LAST_PAGE), &cookie), time).await?,
    })
}

async fn ratio(address: SocketAddr, request: &[u8], time: Duration) -> Result<f64> {
    let mut wire = Wire::connect(address).await?;
    // Once for nothing: templates are read, the catalogue too.
    wire.send(request).await?.expect(200)?;
    let bare = Bare::start(wire.send(request).await?.expect(200)?).await?;
    let (mut ours, mut theirs) = (0, 0);
    for _ in 0..TURNS {
        theirs += load::start(bare.address, request, time / TURNS).await?;
        ours += load::start(address, request, time / TURNS).await?;
    }
    tracing::info!(
        ours,
        theirs,
        seconds = time.as_secs_f64(),
        "{}",
        String::from_utf8_lossy(request).lines().next().unwrap_or_default()
    );
    Ok(f64::from(u32::try_from(ours)?) / f64::from(u32::try_from(theirs)?))
}

/// Kilobytes of bodies that a browser without cache receives for the home page: the page itself and
/// every file it names.
pub async fn first_visit(address: SocketAddr) -> Result<f64> {
    let mut wire = Wire::connect(address).await?;
    let (mut total, page) = fetch(&mut wire, "/").await?;
    for file in files(&page) {
        total += fetch(&mut wire, &file).await?.0;
    }
    Ok(f64::from(u32::try_from(total)?) / 1000.0)
}

/// Bytes received, and the text they hold.
async fn fetch(wire: &mut Wire, path: &str) -> Result<(usize, String)> {
    let answer = wire.send(&get(path, "")).await?;
    answer.expect(200)?;
    let body = answer.body()?;
    let mut text = Vec::new();
    match answer.header("content-encoding") {
        Some("br") => brotli::Decompressor::new(body.as_slice(), 4096).read_to_end(&mut text).context("brotli")?,
        Some("gzip") => flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut text).context("gzip")?,
        _ => body.as_slice().read_to_end(&mut text)?,
    };
    Ok((body.len(), String::from_utf8_lossy(&text).into_owned()))
}

/// Static files named in a page, without the part that names a drawing inside a file.
fn files(page: &str) -> BTreeSet<String> {
    // The templates escape slashes.
    let page = page.replace("&#x2f;", "/");
    let values = page.split('"').filter(|value| value.starts_with("/static/"));
    values.map(|value| value.split('#').next().unwrap_or_default().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_page_are_counted_once() {
        let page = r##"<link href="/static/a.css"><use href="/static/i.svg#x"/><use href="&#x2f;static&#x2f;i.svg#y"/><a href="/demarches">"##;
        assert_eq!(files(page), BTreeSet::from(["/static/a.css".to_owned(), "/static/i.svg".to_owned()]));
    }
}
