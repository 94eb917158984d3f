//! The baseline of pages: an axum handler that does nothing but send the same bytes.

use std::{net::SocketAddr, process::Stdio};

use anyhow::{Context, Result};
use axum::{
    Router,
    http::{HeaderMap, HeaderName, HeaderValue},
};
use bytes::Bytes;
use data_encoding::BASE64;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    process::Child,
};

use super::wire::Answer;

/// The bare server, in a process of its own that ends with this value.
pub struct Bare {
    pub address: SocketAddr,
    _child: Child,
}

impl Bare {
    /// Starts one that sends the headers and the body of `answer`.
    pub async fn start(answer: &Answer<'_>) -> Result<Self> {
        let task = json!({"headers": answer.headers(), "body": BASE64.encode(&answer.body()?)});
        let mut child =
            super::command()?.args(["bench", "--bare"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().context("no input")?;
        input.write_all(format!("{task}\n").as_bytes()).await?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line).await?;
        Ok(Self { address: line.trim().parse().context("the bare server's address")?, _child: child })
    }
}

#[derive(serde::Deserialize)]
struct Task {
    headers: Vec<(String, String)>,
    body: String,
}

/// What the other process does: prints its address, then serves.
pub async fn run() -> Result<()> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let task: Task = serde_json::from_str(&line)?;
    let body = Bytes::from(BASE64.decode(task.body.as_bytes())?);
    let mut headers = HeaderMap::new();
    for (name, value) in &task.headers {
        headers.append(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let answer = move || std::future::ready((headers.clone(), body.clone()));
    axum::serve(listener, Router::new().fallback(answer)).await?;
    Ok(())
}
