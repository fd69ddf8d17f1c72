//! What the shell takes from outside: sockets, a clock, a disk.
//!
//! Time in the shell is tokio's, which a simulated network pauses and drives; wall clocks and skips come
//! through [`Clock`].

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use assay_model::node::Record;
use assay_model::time::WallMillis;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;

/// A network of byte streams: the machine's own, or a simulated one.
pub trait Net: Clone + Send + Sync + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;
    /// A place that accepts connections.
    type Listener: Send + 'static;

    /// Opens a place for connections; port 0 takes any that is free.
    fn listen(&self, at: SocketAddr) -> impl Future<Output = io::Result<Self::Listener>> + Send;

    /// Waits for the next connection.
    fn accept(
        &self,
        listener: &mut Self::Listener,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Connects.
    fn connect(&self, to: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// The address of whoever is at the other end of an accepted connection, where there are addresses.
    fn client(&self, _stream: &Self::Stream) -> Option<IpAddr> {
        None
    }

    /// Where a listener really listens.
    fn address(&self, listener: &Self::Listener) -> io::Result<SocketAddr>;
}

/// The machine's own TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Net for Tcp {
    type Stream = tokio::net::TcpStream;
    type Listener = tokio::net::TcpListener;

    async fn listen(&self, at: SocketAddr) -> io::Result<Self::Listener> {
        tokio::net::TcpListener::bind(at).await
    }

    async fn accept(&self, listener: &mut Self::Listener) -> io::Result<Self::Stream> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn connect(&self, to: SocketAddr) -> io::Result<Self::Stream> {
        let stream = tokio::net::TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn client(&self, stream: &Self::Stream) -> Option<IpAddr> {
        stream.peer_addr().ok().map(|address| address.ip())
    }

    fn address(&self, listener: &Self::Listener) -> io::Result<SocketAddr> {
        listener.local_addr()
    }
}

/// How far a node's clock is from its source. Tests set it from outside; all zero for real use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Skew {
    /// Time that was skipped, in milliseconds: wall clock and timers alike are that much further.
    pub skip: u64,
    /// What `skip` was before.
    pub before: u64,
    /// When `skip` takes the place of `before`: UNIX milliseconds on the source. Nodes that are told in
    /// time skip in the same moment, so that none takes another's clock for wrong.
    pub at: u64,
    /// Added to the wall clock only, in milliseconds; timers do not notice.
    pub offset: i64,
}

impl Skew {
    /// What is skipped when the source shows this.
    pub fn skipped(&self, source: WallMillis) -> u64 {
        if source.0 >= self.at {
            self.skip
        } else {
            self.before
        }
    }
}

/// A node's clock: a source of wall time, tokio's time for spans, and a [`Skew`] on top of both.
#[derive(Clone)]
pub struct Clock {
    source: Arc<dyn Fn() -> WallMillis + Send + Sync>,
    made: Instant,
    skew: watch::Receiver<Skew>,
}

impl Clock {
    /// A clock over a source of wall time; what the sender is told takes effect at once.
    pub fn new(
        source: impl Fn() -> WallMillis + Send + Sync + 'static,
        skew: watch::Receiver<Skew>,
    ) -> Clock {
        Clock {
            source: Arc::new(source),
            made: Instant::now(),
            skew,
        }
    }

    /// What the wall clock shows.
    pub fn wall(&self) -> WallMillis {
        let (source, skew) = ((self.source)(), *self.skew.borrow());
        let wall = source.0 as i64 + skew.skipped(source) as i64 + skew.offset;
        WallMillis(wall.max(0) as u64)
    }

    /// Milliseconds since the clock was made, skips included. Timers run on it.
    pub fn running(&self) -> u64 {
        let skipped = self.skew.borrow().skipped((self.source)());
        self.made.elapsed().as_millis() as u64 + skipped
    }

    /// Returns once [`Clock::running`] has reached a moment.
    pub async fn until(&self, moment: u64) {
        let mut skew = self.skew.clone();
        let mut told = true;
        loop {
            let left = moment.saturating_sub(self.running());
            if left == 0 {
                return;
            }
            let (source, now) = ((self.source)(), *skew.borrow_and_update());
            // A skip that is still to come may be the end of the wait.
            let coming = now.at.saturating_sub(source.0);
            let nap = if coming == 0 { left } else { left.min(coming) };
            let slept = tokio::time::sleep(Duration::from_millis(nap));
            tokio::select! {
                biased;
                () = slept => {}
                // Once nobody is left to change it, only time passes.
                changed = skew.changed(), if told => told = changed.is_ok(),
            }
        }
    }
}

/// A node's disk: an append-only log of records.
pub trait Store: Send + 'static {
    /// Every durable record, in the order they were written.
    fn load(&mut self) -> Result<Vec<Record>, StoreError>;

    /// Writes a record; not durable before the next [`Store::sync`].
    fn write(&mut self, record: &Record) -> Result<(), StoreError>;

    /// Returns when everything written so far survives the death of process and machine.
    fn sync(&mut self) -> Result<(), StoreError>;
}

/// A disk that did not do what it was asked to. The node stops rather than go on without it.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {why}")]
pub struct StoreError {
    /// What was tried, where.
    pub what: String,
    /// Why it failed.
    pub why: String,
}
