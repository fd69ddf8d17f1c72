//! Clients who put load on nodes.

use std::net::{IpAddr, SocketAddr};

use assay_model::node::Request;
use assay_node::rpc::{self, Heard, Mode};
use hyper::body::Bytes;
use tokio::net::TcpSocket;

use crate::wire::Connection;
pub use crate::wire::Silence;

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
pub struct Line(Connection);

impl Line {
    /// Connects. `from` is the client's own address: nodes limit some requests per address, and all of
    /// 127.0.0.0/8 is loopback.
    ///
    /// # Errors
    ///
    /// See [`Silence`].
    pub async fn open(to: SocketAddr, from: IpAddr) -> Result<Line, Silence> {
        let connected = async {
            let socket = TcpSocket::new_v4()?;
            socket.bind((from, 0).into())?;
            let stream = socket.connect(to).await?;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(stream)
        };
        let stream = connected.await.map_err(|_| Silence::Unreachable)?;
        Connection::over(stream, to).await.map(Line)
    }

    /// Asks a node, and says what its answer means.
    ///
    /// # Errors
    ///
    /// [`Silence::Broken`].
    pub async fn ask(&mut self, question: &Question) -> Result<Heard, Silence> {
        let (status, body) = self.0.post(question.body.clone()).await?;
        Ok(rpc::hear(&question.request, status, &body))
    }
}

/// Posts a body over a connection of its own.
///
/// # Errors
///
/// See [`Silence`].
pub async fn post(to: SocketAddr, from: IpAddr, body: Vec<u8>) -> Result<(u16, Bytes), Silence> {
    Line::open(to, from).await?.0.post(body.into()).await
}

/// Asks a node over a connection of its own, and says what its answer means.
///
/// # Errors
///
/// See [`Silence`].
pub async fn ask(
    to: SocketAddr,
    from: IpAddr,
    request: &Request,
    mode: Mode,
) -> Result<Heard, Silence> {
    let question = Question::new(request.clone(), mode);
    Line::open(to, from).await?.ask(&question).await
}
