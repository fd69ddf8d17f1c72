//! One request over HTTP, as any client would send it.

use std::net::SocketAddr;

use assay_node::runtime::Net;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

/// Longest answer that is read; whole listings of a story are far below.
const ANSWER_BYTES: usize = 64 << 20;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nobody took the connection.
    Unreachable,
    /// The connection ended before the answer did.
    Broken,
}

/// Posts a JSON-RPC request; gives the HTTP status and the body of the answer.
pub(super) async fn post<N: Net>(
    net: &N,
    to: SocketAddr,
    body: Vec<u8>,
) -> Result<(u16, Bytes), Silence> {
    let stream = net.connect(to).await.map_err(|_| Silence::Unreachable)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Silence::Broken)?;
    let request = Request::post("/rpc/v1")
        .header("host", to.to_string())
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .expect("these headers are well formed");
    let exchange = async {
        let answer = sender.send_request(request).await.ok()?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES);
        Some((status, body.collect().await.ok()?.to_bytes()))
    };
    // The connection is driven here rather than by a task of its own, so that giving up ends it.
    let mut connection = std::pin::pin!(connection);
    let mut exchange = std::pin::pin!(exchange);
    let answered = tokio::select! {
        biased;
        answered = &mut exchange => answered,
        _ = &mut connection => exchange.await,
    };
    answered.ok_or(Silence::Broken)
}
