//! A list taken away whole, by a server that has done nothing else: rows a second, and the most memory it took.

use std::{net::SocketAddr, time::Instant};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{process, site::Site};

/// Everything that the agent may see.
const PATH: &str = "/agent/export.csv?vue=toutes";

pub struct Exported {
    pub rows: u64,
    pub rows_s: f64,
    /// None where the system does not tell.
    pub peak_mb: Option<f64>,
}

pub async fn measure(site: &Site, cookie: &str) -> Result<Exported> {
    let begun = Instant::now();
    let rows = rows(site.address, cookie).await?;
    let spent = begun.elapsed().as_secs_f64();
    let peak_mb = process::most_resident(site.pid()?);
    tracing::info!(rows, seconds = spent, peak_mb, "export");
    #[expect(clippy::cast_precision_loss, reason = "millions of rows")]
    Ok(Exported { rows, rows_s: rows as f64 / spent, peak_mb })
}

/// Rows after the head. HTTP/1.0: what comes is the file, up to the end of the connection.
async fn rows(address: SocketAddr, cookie: &str) -> Result<u64> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {PATH} HTTP/1.0\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let (mut head, mut lines) = (Vec::new(), 0_u64);
    let mut buffer = vec![0; 64 * 1024];
    let mut whole = false;
    loop {
        let read = stream.read(&mut buffer).await?;
        let mut bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        if !whole {
            head.extend_from_slice(bytes);
            let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            ensure!(head.split(|byte| *byte == b' ').nth(1) == Some(b"200"), "{}", String::from_utf8_lossy(&head));
            bytes = head.get(at + 4..).unwrap_or_default();
            whole = true;
        }
        lines += bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
    }
    lines.checked_sub(1).context("an empty export")
}
