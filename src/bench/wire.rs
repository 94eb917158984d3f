//! A client of HTTP/1.1 with next to no cost of its own, so that what is measured is the server.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One connection, kept alive.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer as it came.
pub struct Answer<'a> {
    pub status: u16,
    head: &'a str,
    sent: &'a [u8],
}

impl Wire {
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends one request (see [`get`] and [`post`]) and waits for the whole answer.
    ///
    /// # Errors
    /// A broken connection, or an answer that is not HTTP/1.1.
    pub async fn send(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut ends = None;
        while !ends.as_ref().is_some_and(|ends: &Ends| ends.reached(&self.buffer)) {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "connection closed before the end of an answer");
            if ends.is_none() {
                ends = Ends::of(&self.buffer)?;
            }
        }
        let ends = ends.context("no head")?;
        let (head, sent) = self.buffer.split_at_checked(ends.head).context("no head")?;
        Ok(Answer { status: ends.status, head: std::str::from_utf8(head)?, sent })
    }
}

/// Where an answer ends.
struct Ends {
    status: u16,
    /// Bytes of the head.
    head: usize,
    /// Bytes of the body; none when it comes in chunks.
    body: Option<usize>,
}

impl Ends {
    /// None while the head is not there.
    fn of(buffer: &[u8]) -> Result<Option<Self>> {
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(buffer.get(..head).unwrap_or_default())?;
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).context("not HTTP")?;
        let chunked = header(text, "transfer-encoding").is_some();
        let length = header(text, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        Ok(Some(Self { status, head, body: (!chunked).then_some(length) }))
    }

    fn reached(&self, buffer: &[u8]) -> bool {
        match self.body {
            Some(length) => buffer.len() >= self.head + length,
            None => buffer.ends_with(b"\r\n0\r\n\r\n"),
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

impl Answer<'_> {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }

    /// Headers that another server has to send for the same answer.
    pub fn headers(&self) -> Vec<(String, String)> {
        let own = ["content-length", "transfer-encoding", "date", "connection"];
        let lines = self.head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        lines
            .filter(|(name, _)| !own.contains(&name.to_ascii_lowercase().as_str()))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect()
    }

    /// The body, out of its chunks.
    ///
    /// # Errors
    /// Chunks that are not well formed.
    pub fn body(&self) -> Result<Vec<u8>> {
        if self.header("transfer-encoding").is_none() {
            return Ok(self.sent.to_vec());
        }
        let (mut body, mut rest) = (Vec::new(), self.sent);
        loop {
            let line = rest.windows(2).position(|window| window == b"\r\n").context("chunk without size")?;
            let size = usize::from_str_radix(std::str::from_utf8(rest.get(..line).unwrap_or_default())?.trim(), 16)?;
            let chunk = rest.get(line + 2..line + 2 + size).context("chunk too short")?;
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(chunk);
            rest = rest.get(line + size + 4..).context("no last chunk")?;
        }
    }

    pub fn expect(&self, status: u16) -> Result<&Self> {
        if self.status != status {
            bail!("status {} instead of {status}: {}", self.status, String::from_utf8_lossy(self.sent));
        }
        Ok(self)
    }
}

/// What browsers send beside: what they accept, and the site's own cookie if any.
fn head(first: &str, cookie: &str) -> String {
    let cookie = if cookie.is_empty() { String::new() } else { format!("cookie: {cookie}\r\n") };
    format!(
        "{first} HTTP/1.1\r\nhost: localhost\r\naccept: text/html,*/*;q=0.8\r\naccept-encoding: gzip, deflate, br\r\naccept-language: fr\r\n{cookie}"
    )
}

pub fn get(path: &str, cookie: &str) -> Vec<u8> {
    format!("{}\r\n", head(&format!("GET {path}"), cookie)).into_bytes()
}

pub fn post(path: &str, cookie: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let body =
        fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&");
    let head = head(&format!("POST {path}"), cookie);
    format!("{head}sec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
