//! One request over a connection of its own, since nodes close theirs after an answer.

use std::io;
use std::net::{IpAddr, SocketAddr};

use assay_model::node::Request;
use assay_node::rpc::{self, Heard, Mode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpSocket;

/// Why there is no answer. The request may have had its effect all the same.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// No connection, so that nothing was asked.
    #[error("no connection: {0}")]
    Unreachable(io::Error),
    /// The connection ended before the answer did.
    #[error("no answer: {0}")]
    Cut(#[from] hyper::Error),
}

/// Posts a body to `/rpc/v1` and returns status and body of the answer.
///
/// `from` is the client's own address. Nodes limit some requests per address, and all of 127.0.0.0/8 is
/// loopback.
///
/// # Errors
///
/// See [`Broken`].
pub async fn post(to: SocketAddr, from: IpAddr, body: Vec<u8>) -> Result<(u16, Bytes), Broken> {
    let socket = TcpSocket::new_v4().map_err(Broken::Unreachable)?;
    socket.bind((from, 0).into()).map_err(Broken::Unreachable)?;
    let stream = socket.connect(to).await.map_err(Broken::Unreachable)?;
    stream.set_nodelay(true).map_err(Broken::Unreachable)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = hyper::Request::post("/rpc/v1")
        .header(HOST, to.to_string())
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .expect("method, path and headers are well formed");
    let answered = async {
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    };
    tokio::pin!(answered, connection);
    tokio::select! {
        biased;
        answer = &mut answered => answer,
        ended = &mut connection => {
            ended?;
            // The answer may have come whole before the end.
            answered.await
        }
    }
}

/// Asks a node, and says what its answer means.
///
/// # Errors
///
/// See [`Broken`].
pub async fn ask(
    to: SocketAddr,
    from: IpAddr,
    request: &Request,
    mode: Mode,
) -> Result<Heard, Broken> {
    let (status, body) = post(to, from, rpc::ask(request, mode, 1)).await?;
    Ok(rpc::hear(request, status, &body))
}
