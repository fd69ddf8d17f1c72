//! Clients over HTTP: a line that carries one request after another, and single requests.

use std::io;
use std::net::{IpAddr, SocketAddr};

use assay_model::node::Request;
use assay_node::rpc::{self, Heard, Mode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;

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

/// A request with its body, for clients who write before they are in a hurry.
pub struct Question {
    request: Request,
    body: Bytes,
}

impl Question {
    /// Writes the body.
    pub fn new(request: Request, mode: Mode) -> Question {
        let body = rpc::ask(&request, mode, 1).into();
        Question { request, body }
    }
}

/// A connection to a node, kept open.
pub struct Line {
    host: String,
    sender: SendRequest<Full<Bytes>>,
    connection: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Line {
    /// Connects. `from` is the client's own address: nodes limit some requests per address, and all of
    /// 127.0.0.0/8 is loopback.
    ///
    /// # Errors
    ///
    /// [`Broken::Unreachable`], and [`Broken::Cut`] when the connection ends at once.
    pub async fn open(to: SocketAddr, from: IpAddr) -> Result<Line, Broken> {
        let socket = TcpSocket::new_v4().map_err(Broken::Unreachable)?;
        socket.bind((from, 0).into()).map_err(Broken::Unreachable)?;
        let stream = socket.connect(to).await.map_err(Broken::Unreachable)?;
        stream.set_nodelay(true).map_err(Broken::Unreachable)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Line {
            host: to.to_string(),
            sender,
            connection: tokio::spawn(async move {
                // Whoever waits for an answer learns how it ended.
                let _ = connection.await;
            }),
        })
    }

    /// Posts a body to `/rpc/v1` and returns status and body of the answer.
    ///
    /// # Errors
    ///
    /// [`Broken::Cut`].
    pub async fn post(&mut self, body: Bytes) -> Result<(u16, Bytes), Broken> {
        let request = hyper::Request::post("/rpc/v1")
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .expect("method, path and headers are well formed");
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// Asks a node, and says what its answer means.
    ///
    /// # Errors
    ///
    /// [`Broken::Cut`].
    pub async fn ask(&mut self, question: &Question) -> Result<Heard, Broken> {
        let (status, body) = self.post(question.body.clone()).await?;
        Ok(rpc::hear(&question.request, status, &body))
    }
}

/// Posts a body over a connection of its own.
///
/// # Errors
///
/// See [`Broken`].
pub async fn post(to: SocketAddr, from: IpAddr, body: Vec<u8>) -> Result<(u16, Bytes), Broken> {
    Line::open(to, from).await?.post(body.into()).await
}

/// Asks a node over a connection of its own, and says what its answer means.
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
    let question = Question::new(request.clone(), mode);
    Line::open(to, from).await?.ask(&question).await
}
