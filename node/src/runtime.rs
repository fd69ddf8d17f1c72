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
#[serde(deny_unknown_fields)]
pub struct Skew {
    /// Time that was skipped, in milliseconds: wall clock and timers alike are that much further.
    #[serde(default)]
    pub skip: u64,
    /// Added to the wall clock only, in milliseconds; timers do not notice.
    #[serde(default)]
    pub offset: i64,
    /// Gained by the wall clock per million milliseconds since the clock was made.
    #[serde(default)]
    pub drift: i32,
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
        let skew = *self.skew.borrow();
        let ran = i128::from(self.running());
        let gained = (ran * i128::from(skew.drift) / 1_000_000) as i64;
        let source = (self.source)().0 as i64;
        let wall = source + skew.skip as i64 + skew.offset + gained;
        WallMillis(wall.max(0) as u64)
    }

    /// Milliseconds since the clock was made, skips included. Timers run on it.
    pub fn running(&self) -> u64 {
        self.made.elapsed().as_millis() as u64 + self.skew.borrow().skip
    }

    /// Returns once [`Clock::running`] has reached a moment.
    pub async fn until(&self, moment: u64) {
        let mut skew = self.skew.clone();
        loop {
            let left = moment.saturating_sub(self.running());
            if left == 0 {
                return;
            }
            let slept = tokio::time::sleep(Duration::from_millis(left));
            tokio::select! {
                biased;
                () = slept => {}
                changed = skew.changed() => {
                    if changed.is_err() {
                        // Nobody is left to change it.
                        let left = moment.saturating_sub(self.running());
                        tokio::time::sleep(Duration::from_millis(left)).await;
                        return;
                    }
                }
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
