//! HTTP to a node, as any client would speak it.

use std::net::SocketAddr;

use assay_node::runtime::Net;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

/// Longest answer that is read; whole listings of a story are far below.
const ANSWER_BYTES: usize = 64 << 20;

/// Why there is no answer. The request may have had its effect all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// Nobody took the connection.
    #[error("nobody took the connection")]
    Unreachable,
    /// The connection ended before the answer did.
    #[error("the connection ended before the answer did")]
    Broken,
}

/// A connection that carries one request after another. It ends when it is dropped, and with it what was
/// asked and not answered.
pub(crate) struct Connection {
    host: String,
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// A connection over a stream that leads to `to`.
    ///
    /// # Errors
    ///
    /// [`Silence::Broken`] when the stream ends at once.
    pub(crate) async fn over<S>(stream: S, to: SocketAddr) -> Result<Connection, Silence>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (sender, driver) = handshake.map_err(|_| Silence::Broken)?;
        Ok(Connection {
            host: to.to_string(),
            sender,
            driver: tokio::spawn(async move {
                // Whoever waits for an answer learns how it ended.
                let _ = driver.await;
            }),
        })
    }

    /// Posts a JSON-RPC request; gives the HTTP status and the body of the answer.
    ///
    /// # Errors
    ///
    /// [`Silence::Broken`].
    pub(crate) async fn post(&mut self, body: Bytes) -> Result<(u16, Bytes), Silence> {
        let request = Request::post("/rpc/v1")
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .expect("these headers are well formed");
        let exchange = async {
            self.sender.ready().await.ok()?;
            let answer = self.sender.send_request(request).await.ok()?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES);
            Some((status, body.collect().await.ok()?.to_bytes()))
        };
        exchange.await.ok_or(Silence::Broken)
    }
}

/// Connects to a node.
///
/// # Errors
///
/// See [`Silence`].
pub(crate) async fn connect<N: Net>(net: &N, to: SocketAddr) -> Result<Connection, Silence> {
    let stream = net.connect(to).await.map_err(|_| Silence::Unreachable)?;
    Connection::over(stream, to).await
}

/// Posts a JSON-RPC request over a connection of its own.
///
/// # Errors
///
/// See [`Silence`].
pub(crate) async fn post<N: Net>(
    net: &N,
    to: SocketAddr,
    body: Vec<u8>,
) -> Result<(u16, Bytes), Silence> {
    connect(net, to).await?.post(body.into()).await
}
