//! Asking a node how it is.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Most bytes of an answer about health.
const MOST: usize = 1 << 20;

/// What a node says of itself. Source: kwil-rpc 2.1, `user.health`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Health {
    /// The network it is in.
    pub chain_id: String,
    /// Height of its newest block.
    pub block_height: i64,
    /// Whether it is behind and catching up.
    #[serde(default)]
    pub syncing: bool,
    /// Whether readers have to sign: `open` or `private`.
    #[serde(default)]
    pub mode: String,
    /// Time of its newest block, in UNIX milliseconds.
    #[serde(default)]
    pub block_time: i64,
    /// Age of its newest block on its own clock, in milliseconds.
    #[serde(default)]
    pub block_age: i64,
    /// Peers it has.
    #[serde(default)]
    pub peer_count: u32,
}

impl Health {
    /// What the node's own clock shows, in UNIX milliseconds.
    pub fn clock(&self) -> i64 {
        self.block_time.saturating_add(self.block_age)
    }
}

/// Asks a node.
///
/// # Errors
///
/// Why there is no answer, or what is wrong with it.
pub async fn ask(at: SocketAddr, limit: Duration) -> Result<Health, String> {
    let answer = timeout(limit, call(at, "user.health")).await;
    let value = answer.map_err(|_| format!("no answer within {} ms", limit.as_millis()))??;
    Health::deserialize(value).map_err(|error| format!("user.health answers {error}"))
}

async fn call(at: SocketAddr, method: &str) -> Result<Value, String> {
    let stream = TcpStream::connect(at)
        .await
        .map_err(|error| format!("nobody listens at {at}: {error}"))?;
    let broken = |error: hyper::Error| format!("no HTTP answer: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": {} });
    let request = Request::builder()
        .method(Method::POST)
        .uri("/rpc/v1")
        .header(header::HOST, at.to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(|error| error.to_string())?;
    // It ends when the sender is dropped; how it ends shows in the answer.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(broken)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MOST).collect().await;
    let body = body
        .map_err(|error| format!("the answer breaks off: {error}"))?
        .to_bytes();
    let mut value: Value = serde_json::from_slice(&body)
        .map_err(|error| format!("HTTP {status} with a body that is no JSON: {error}"))?;
    match value.get_mut("result") {
        Some(result) if !result.is_null() => Ok(result.take()),
        _ => Err(format!("{method} answers {}", value["error"])),
    }
}
