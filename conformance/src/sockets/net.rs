//! turmoil's sockets as the shell's network, with a count of what is sent over links that are in trouble.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use assay_model::id::NodeId;
use assay_node::runtime::Net;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::venue::{Link, Way};

/// A link, and what went over it.
#[derive(Debug, Default)]
struct Traffic {
    link: Link,
    /// Bytes that were sent while the link was in trouble.
    effect: u64,
    /// What was sent to the node at its end.
    sent: Vec<u8>,
}

/// What links do, and what they have done. Shared by venue and sockets, all on one thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    traffic: Arc<Mutex<BTreeMap<Way, Traffic>>>,
    down: Arc<Mutex<BTreeSet<NodeId>>>,
}

impl Links {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Way, Traffic>> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether a node's process is there. turmoil lets whoever connects to a crashed host wait; the
    /// machine of a process that died refuses at once.
    pub(super) fn is_up(&self, node: NodeId, up: bool) {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        if up {
            down.remove(&node);
        } else {
            down.insert(node);
        }
    }

    fn refuses(&self, way: Way) -> bool {
        let (Way::Peers { to: node, .. } | Way::Clients { node }) = way;
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.contains(&node)
    }

    /// What was sent over a link so far.
    pub(super) fn captured(&self, way: Way) -> Vec<u8> {
        self.all()
            .get(&way)
            .map_or_else(Vec::new, |traffic| traffic.sent.clone())
    }

    pub(super) fn set(&self, way: Way, link: Link) {
        self.all().entry(way).or_default().link = link;
    }

    pub(super) fn get(&self, way: Way) -> Link {
        self.all()
            .get(&way)
            .map_or(Link::Open, |traffic| traffic.link)
    }

    /// Bytes that were sent while the link was in trouble.
    pub(super) fn effect(&self, way: Way) -> u64 {
        self.all().get(&way).map_or(0, |traffic| traffic.effect)
    }

    fn sent(&self, way: Way, bytes: &[u8]) {
        let mut all = self.all();
        let traffic = all.entry(way).or_default();
        traffic.sent.extend_from_slice(bytes);
        if traffic.link != Link::Open {
            traffic.effect += bytes.len().max(1) as u64;
        }
    }
}

/// The name of a node's host.
pub(super) fn host(node: NodeId) -> String {
    node.to_string()
}

/// The sockets of one host.
#[derive(Clone, Debug)]
pub(crate) struct Sockets {
    /// Nothing for the people's host.
    me: Option<NodeId>,
    nodes: u16,
    links: Links,
}

impl Sockets {
    pub(super) fn new(me: Option<NodeId>, nodes: u16, links: Links) -> Sockets {
        Sockets { me, nodes, links }
    }

    /// The way to whom a connection is made.
    fn way(&self, other: IpAddr) -> Option<Way> {
        let node = (0..self.nodes)
            .map(NodeId)
            .find(|node| turmoil::lookup(host(*node)) == other)?;
        Some(match self.me {
            Some(from) => Way::Peers { from, to: node },
            None => Way::Clients { node },
        })
    }
}

impl Net for Sockets {
    type Stream = Stream;
    type Listener = turmoil::net::TcpListener;

    async fn listen(&self, at: SocketAddr) -> io::Result<Self::Listener> {
        turmoil::net::TcpListener::bind(at).await
    }

    async fn accept(&self, listener: &mut Self::Listener) -> io::Result<Stream> {
        let (inner, _) = listener.accept().await?;
        Ok(Stream {
            inner,
            // Who accepts only answers.
            way: None,
            links: self.links.clone(),
        })
    }

    async fn connect(&self, to: SocketAddr) -> io::Result<Stream> {
        let way = self.way(to.ip());
        if let Some(way) = way {
            self.links.sent(way, &[]);
            if self.links.refuses(way) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
        }
        Ok(Stream {
            inner: turmoil::net::TcpStream::connect(to).await?,
            way,
            links: self.links.clone(),
        })
    }

    fn address(&self, listener: &Self::Listener) -> io::Result<SocketAddr> {
        listener.local_addr()
    }
}

/// A connection that knows which link it uses.
pub(crate) struct Stream {
    inner: turmoil::net::TcpStream,
    way: Option<Way>,
    links: Links,
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if let (Poll::Ready(Ok(count)), Some(way)) = (&written, self.way) {
            self.links.sent(way, &bytes[..*count]);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
