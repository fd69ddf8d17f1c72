//! A link as a place to connect to: whatever comes in goes out to a node, in the way [`Link`] says.
//!
//! One proxy stands for one link. The link between two nodes is the one the sender opens connections
//! on, so what it does is done to both directions of those connections: TCP tells the sender what
//! arrived, and an answer that got through would say that the question did too.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use assay_scenarios::plan::Ppm;
use assay_sim::{Domain, Seed};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::capture::Capture;
use crate::venue::Link;

/// Largest piece that is read at once, in bytes.
const PIECE: usize = 16 << 10;
/// Most bytes held in one direction of one connection; then the sender has to wait.
const HELD_MOST: usize = 8 << 20;
/// How long a node may take to accept a connection. On loopback it takes that long for a full backlog only.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// What a link has done so far.
#[derive(Debug, Default)]
struct Counters {
    /// Bytes held back, delayed or lost, connections closed or refused.
    effect: AtomicU64,
    /// Bytes that came through.
    passed: AtomicU64,
    /// Connections that came in.
    connections: AtomicU64,
    /// Pieces for which chance was asked.
    draws: AtomicU64,
}

impl Counters {
    fn effect(&self, bytes: usize) {
        self.effect.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Where a link leads, and how chance decides on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// Where connections go on to.
    pub to: SocketAddr,
    /// Decides which pieces a lossy link loses.
    pub seed: u64,
    /// Number of the link among all links of the network, for the seed.
    pub number: u64,
}

/// See the module. Ends with everything it carries when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    at: SocketAddr,
    link: watch::Sender<Link>,
    shared: Shared,
    task: JoinHandle<()>,
}

#[derive(Clone, Debug)]
struct Shared {
    course: Course,
    counters: Arc<Counters>,
    sent: Capture,
    answered: Capture,
}

impl Proxy {
    /// Takes its place. `sent` gets what comes from who connects, `answered` what comes back.
    ///
    /// # Errors
    ///
    /// What the system says when the place is not free.
    pub async fn arm(
        at: SocketAddr,
        course: Course,
        link: Link,
        (sent, answered): (Capture, Capture),
    ) -> io::Result<Proxy> {
        let listener = TcpListener::bind(at).await?;
        let at = listener.local_addr()?;
        let shared = Shared {
            course,
            counters: Arc::default(),
            sent,
            answered,
        };
        let (link, state) = watch::channel(link);
        let task = tokio::spawn(accept(listener, state, shared.clone()));
        Ok(Proxy {
            at,
            link,
            shared,
            task,
        })
    }

    /// Where it accepts connections.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Changes what the link does. Once this returns, nothing passes that the link does not let pass.
    pub fn set(&self, link: Link) {
        self.link.send_replace(link);
    }

    /// What the link does.
    pub fn link(&self) -> Link {
        *self.link.borrow()
    }

    /// Bytes held back, delayed or lost so far, and connections closed or refused.
    pub fn effect(&self) -> u64 {
        self.shared.counters.effect.load(Ordering::Relaxed)
    }

    /// Bytes that came through so far, both directions.
    pub fn passed(&self) -> u64 {
        self.shared.counters.passed.load(Ordering::Relaxed)
    }

    /// What came from who connected, and what came back.
    pub fn captures(&self) -> (&Capture, &Capture) {
        (&self.shared.sent, &self.shared.answered)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The connections are the task's own and end with it.
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: watch::Receiver<Link>, shared: Shared) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let number = shared.counters.connections.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(carry(stream, state.clone(), shared.clone(), number));
                }
                // Too many open files, most likely: some will be closed.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
        }
    }
}

/// One connection, from its first byte to its end.
async fn carry(stream: TcpStream, mut state: watch::Receiver<Link>, shared: Shared, number: u64) {
    let refused = match *state.borrow_and_update() {
        Link::Refused => {
            reset(&stream);
            true
        }
        _ => false,
    };
    if refused || through(stream, state, &shared, number).await == End::Refused {
        shared.counters.effect(1);
    }
    shared.sent.end(number);
    shared.answered.end(number);
}

/// Lets a connection end, once it is dropped, so that the other side sees an error and no proper end.
fn reset(stream: &TcpStream) {
    // Without it the connection ends in the polite way, which also ends it.
    let _ = stream.set_zero_linger();
}

async fn through(
    stream: TcpStream,
    mut state: watch::Receiver<Link>,
    shared: &Shared,
    number: u64,
) -> End {
    let _ = stream.set_nodelay(true);
    let (read, write) = stream.into_split();
    let mut forth = Pump::new(read, &shared.sent, shared, number);
    let held = forth.hold(&mut state).await;
    if held != End::Proper {
        reset(write.as_ref());
        return held;
    }
    let connected = timeout(CONNECT_WITHIN, TcpStream::connect(shared.course.to)).await;
    let Ok(Ok(onward)) = connected else {
        reset(write.as_ref());
        return End::Broken;
    };
    let _ = onward.set_nodelay(true);
    let (onward_read, onward_write) = onward.into_split();
    let mut back = Pump::new(onward_read, &shared.answered, shared, number);
    let mut other_state = state.clone();
    let forth = forth.run(onward_write, &mut state);
    let back = back.run(write, &mut other_state);
    tokio::pin!(forth, back);
    // Either direction may end properly while the other goes on; a break ends both.
    tokio::select! {
        biased;
        ended = &mut forth => match ended {
            End::Proper => back.await,
            other => other,
        },
        ended = &mut back => match ended {
            End::Proper => forth.await,
            other => other,
        },
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The sender said it was done, and everything it sent went on.
    Proper,
    /// The connection broke.
    Broken,
    /// The link closed it.
    Refused,
}

/// A piece under way.
struct Piece {
    bytes: Vec<u8>,
    /// How many of them have gone on.
    gone: usize,
    /// When it goes on.
    due: Instant,
    /// Whether what the link does to it is counted.
    counted: bool,
}

/// One direction of a connection.
struct Pump<'a> {
    read: OwnedReadHalf,
    capture: &'a Capture,
    shared: &'a Shared,
    number: u64,
    pieces: VecDeque<Piece>,
    held: usize,
    /// Nothing more will come.
    done: bool,
    /// The sender did not end properly.
    failed: bool,
}

impl<'a> Pump<'a> {
    fn new(read: OwnedReadHalf, capture: &'a Capture, shared: &'a Shared, number: u64) -> Pump<'a> {
        Pump {
            read,
            capture,
            shared,
            number,
            pieces: VecDeque::new(),
            held: 0,
            done: false,
            failed: false,
        }
    }

    fn has_room(&self) -> bool {
        !self.done && self.held < HELD_MOST
    }

    /// Takes what comes for as long as the link is stalled, so that nobody further on sees a sign of it.
    async fn hold(&mut self, state: &mut watch::Receiver<Link>) -> End {
        loop {
            match *state.borrow_and_update() {
                Link::Stalled => {}
                Link::Refused => return End::Refused,
                Link::Open | Link::Slow(_) | Link::Lossy(_) => return End::Proper,
            }
            tokio::select! {
                biased;
                changed = state.changed() => if changed.is_err() { return End::Broken },
                _ = self.read.readable(), if self.has_room() => {
                    self.take(state);
                }
            }
        }
    }

    async fn run(&mut self, write: OwnedWriteHalf, state: &mut watch::Receiver<Link>) -> End {
        let end = self.pass(&write, state).await;
        if end != End::Proper {
            reset(self.read.as_ref());
            reset(write.as_ref());
        }
        end
    }

    async fn pass(&mut self, write: &OwnedWriteHalf, state: &mut watch::Receiver<Link>) -> End {
        loop {
            let link = *state.borrow_and_update();
            match link {
                Link::Refused => return End::Refused,
                Link::Stalled => self.count_all(),
                _ if self.done && self.pieces.is_empty() => {
                    return if self.failed {
                        End::Broken
                    } else {
                        End::Proper
                    };
                }
                Link::Open | Link::Slow(_) | Link::Lossy(_) => {}
            }
            let front = self.pieces.front().filter(|_| link != Link::Stalled);
            let due = front.map(|piece| piece.due);
            // Only a slow link makes pieces wait; once it is none any more, nothing waits.
            let waits = matches!(link, Link::Slow(_));
            let may_write = async {
                match due {
                    // Timers are no finer than a millisecond, so what is due does not ask for one.
                    Some(due) if waits && due > Instant::now() => sleep_until(due).await,
                    Some(_) => {}
                    None => std::future::pending().await,
                }
                write.writable().await
            };
            let went = tokio::select! {
                biased;
                changed = state.changed() => changed.err().map(|_| End::Broken),
                ready = may_write => match ready {
                    Ok(()) => self.give(write, state),
                    Err(_) => Some(End::Broken),
                },
                _ = self.read.readable(), if self.has_room() => self.take(state),
            };
            if let Some(end) = went {
                return end;
            }
        }
    }

    /// Takes one piece, if there is one, and does to it what the link does.
    fn take(&mut self, state: &watch::Receiver<Link>) -> Option<End> {
        let mut buffer = vec![0; PIECE];
        match self.read.try_read(&mut buffer) {
            Ok(0) => {
                self.done = true;
                return None;
            }
            Ok(read) => buffer.truncate(read),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Err(_) => {
                // Over a stalled link not even this gets through before it opens.
                (self.done, self.failed) = (true, true);
                return None;
            }
        }
        self.capture.add(self.number, &buffer);
        let size = buffer.len();
        let mut piece = Piece {
            bytes: buffer,
            gone: 0,
            due: Instant::now(),
            counted: false,
        };
        match *state.borrow() {
            Link::Open | Link::Refused => {}
            Link::Stalled => {
                piece.counted = true;
                self.shared.counters.effect(size);
            }
            Link::Slow(delay) => {
                piece.counted = true;
                piece.due += Duration::from_millis(delay.0);
                self.shared.counters.effect(size);
            }
            Link::Lossy(ppm) => {
                let draw = self.shared.counters.draws.fetch_add(1, Ordering::Relaxed);
                let Course { seed, number, .. } = self.shared.course;
                if Seed(seed)
                    .draw(Domain::Fault, number, draw)
                    .happens(Ppm(ppm))
                {
                    self.shared.counters.effect(size + self.held);
                    return Some(End::Broken);
                }
            }
        }
        self.held += size;
        self.pieces.push_back(piece);
        None
    }

    /// Passes on what goes into the socket of the first piece, if the link still lets it.
    fn give(&mut self, write: &OwnedWriteHalf, state: &watch::Receiver<Link>) -> Option<End> {
        let piece = self.pieces.front_mut()?;
        // While this is borrowed the link does not change, so nothing slips through after it did.
        let link = state.borrow();
        if matches!(*link, Link::Stalled | Link::Refused) {
            return None;
        }
        match write.try_write(&piece.bytes[piece.gone..]) {
            Ok(wrote) => {
                piece.gone += wrote;
                self.held -= wrote;
                let passed = &self.shared.counters.passed;
                passed.fetch_add(wrote as u64, Ordering::Relaxed);
                if piece.gone == piece.bytes.len() {
                    self.pieces.pop_front();
                }
                None
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(_) => Some(End::Broken),
        }
    }

    /// Counts what was on its way when the link stalled.
    fn count_all(&mut self) {
        for piece in self.pieces.iter_mut().filter(|piece| !piece.counted) {
            piece.counted = true;
            self.shared.counters.effect(piece.bytes.len() - piece.gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;

    use assay_model::time::Millis;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A proxy in front of a server of ours.
    struct Place {
        proxy: Proxy,
        server: TcpListener,
        // Holds the captures.
        folder: tempfile::TempDir,
    }

    impl Place {
        async fn new(link: Link) -> Place {
            let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let folder = tempfile::tempdir().unwrap();
            let capture = |name| Capture::create(&folder.path().join(name)).unwrap();
            let course = Course {
                to: server.local_addr().unwrap(),
                seed: 1,
                number: 1,
            };
            let captures = (capture("sent"), capture("answered"));
            let at = "127.0.0.1:0".parse().unwrap();
            let proxy = Proxy::arm(at, course, link, captures).await.unwrap();
            Place {
                proxy,
                server,
                folder,
            }
        }

        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.proxy.at()).await.unwrap()
        }

        async fn pair(&self) -> (TcpStream, TcpStream) {
            let client = self.connect().await;
            let (served, _) = self.server.accept().await.unwrap();
            (client, served)
        }

        async fn effect_of(&self, least: u64) {
            within(async {
                while self.proxy.effect() < least {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
            .await;
        }
    }

    /// A bound that only a bug reaches.
    async fn within<T>(what: impl Future<Output = T>) -> T {
        timeout(Duration::from_secs(20), what)
            .await
            .expect("it happens")
    }

    async fn read(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
        let mut buffer = vec![0; bytes];
        within(stream.read_exact(&mut buffer)).await.unwrap();
        buffer
    }

    /// Whether nothing comes for a moment, neither bytes nor an end.
    async fn is_silent(stream: &mut TcpStream) -> bool {
        let read = stream.read_u8();
        timeout(Duration::from_millis(50), read).await.is_err()
    }

    async fn is_over(stream: &mut TcpStream) -> bool {
        let mut rest = Vec::new();
        within(stream.read_to_end(&mut rest)).await.is_err() || rest.is_empty()
    }

    #[tokio::test]
    async fn an_open_link_passes_everything_on_in_both_directions_and_keeps_a_copy() {
        let place = Place::new(Link::Open).await;
        let (mut client, mut served) = place.pair().await;
        client.write_all(b"question").await.unwrap();
        assert_eq!(read(&mut served, 8).await, b"question");
        served.write_all(b"answer").await.unwrap();
        assert_eq!(read(&mut client, 6).await, b"answer");
        client.shutdown().await.unwrap();
        assert!(is_over(&mut served).await, "a half-close is passed on");
        served.write_all(b" and more").await.unwrap();
        drop(served);
        let mut rest = Vec::new();
        within(client.read_to_end(&mut rest)).await.unwrap();
        assert_eq!(rest, b" and more");
        assert_eq!((place.proxy.effect(), place.proxy.passed()), (0, 23));
        let kept = |name| std::fs::read(place.folder.path().join(name)).unwrap();
        let (sent, answered) = place.proxy.captures();
        sent.flush();
        answered.flush();
        assert_eq!(
            (kept("sent"), kept("answered")),
            (b"question".to_vec(), b"answer and more".to_vec())
        );
    }

    #[tokio::test]
    async fn much_data_comes_through_whole() {
        let place = Place::new(Link::Open).await;
        let (mut client, mut served) = place.pair().await;
        let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        let copy = sent.clone();
        let sending = tokio::spawn(async move {
            client.write_all(&copy).await.unwrap();
            client
        });
        assert!(read(&mut served, sent.len()).await == sent);
        drop(sending.await.unwrap());
        assert!(is_over(&mut served).await);
    }

    #[tokio::test]
    async fn a_stalled_link_keeps_both_directions_until_it_opens() {
        let place = Place::new(Link::Open).await;
        let (mut client, mut served) = place.pair().await;
        place.proxy.set(Link::Stalled);
        client.write_all(b"question").await.unwrap();
        served.write_all(b"answer").await.unwrap();
        place.effect_of(14).await;
        assert!(is_silent(&mut client).await && is_silent(&mut served).await);
        place.proxy.set(Link::Open);
        assert_eq!(read(&mut served, 8).await, b"question");
        assert_eq!(read(&mut client, 6).await, b"answer");
        assert_eq!(place.proxy.effect(), 14);
    }

    #[tokio::test]
    async fn the_end_of_a_connection_is_kept_by_a_stalled_link_too() {
        let place = Place::new(Link::Open).await;
        let (mut client, mut served) = place.pair().await;
        place.proxy.set(Link::Stalled);
        client.write_all(b"last").await.unwrap();
        client.set_zero_linger().unwrap();
        place.effect_of(4).await;
        drop(client);
        assert!(is_silent(&mut served).await);
        place.proxy.set(Link::Open);
        assert_eq!(read(&mut served, 4).await, b"last");
        assert!(is_over(&mut served).await);
    }

    #[tokio::test]
    async fn a_link_stalled_from_the_beginning_shows_no_sign_to_either_side() {
        let place = Place::new(Link::Stalled).await;
        let mut client = place.connect().await;
        client.write_all(b"question").await.unwrap();
        place.effect_of(8).await;
        let accepted = timeout(Duration::from_millis(50), place.server.accept()).await;
        assert!(accepted.is_err());
        place.proxy.set(Link::Open);
        let (mut served, _) = within(place.server.accept()).await.unwrap();
        assert_eq!(read(&mut served, 8).await, b"question");
    }

    #[tokio::test]
    async fn a_refusing_link_closes_what_is_open_and_what_comes() {
        let place = Place::new(Link::Open).await;
        let (mut client, mut served) = place.pair().await;
        place.proxy.set(Link::Refused);
        assert!(is_over(&mut client).await && is_over(&mut served).await);
        let mut other = place.connect().await;
        assert!(is_over(&mut other).await);
        place.effect_of(2).await;
        place.proxy.set(Link::Open);
        let (mut client, mut served) = place.pair().await;
        client.write_all(b"again").await.unwrap();
        assert_eq!(read(&mut served, 5).await, b"again");
    }

    #[tokio::test]
    async fn a_slow_link_delays_each_piece_and_keeps_their_order() {
        let place = Place::new(Link::Slow(Millis(100))).await;
        let (mut client, mut served) = place.pair().await;
        let began = Instant::now();
        for piece in [b"one", b"two"] {
            client.write_all(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(read(&mut served, 6).await, b"onetwo");
        assert!(began.elapsed() >= Duration::from_millis(100), "no earlier");
        assert_eq!(place.proxy.effect(), 6);
        // What is under way does not wait any longer than the link is slow.
        place.proxy.set(Link::Slow(Millis(3_600_000)));
        client.write_all(b"three").await.unwrap();
        place.effect_of(11).await;
        place.proxy.set(Link::Open);
        assert_eq!(read(&mut served, 5).await, b"three");
    }

    #[tokio::test]
    async fn a_lossy_link_breaks_connections_as_often_as_it_is_told() {
        let place = Place::new(Link::Lossy(1_000_000)).await;
        let (mut client, mut served) = place.pair().await;
        client.write_all(b"lost").await.unwrap();
        assert!(is_over(&mut served).await && is_over(&mut client).await);
        assert_eq!((place.proxy.effect(), place.proxy.passed()), (4, 0));
        place.proxy.set(Link::Lossy(0));
        let (mut client, mut served) = place.pair().await;
        client.write_all(b"kept").await.unwrap();
        assert_eq!(read(&mut served, 4).await, b"kept");
    }

    #[tokio::test]
    async fn a_node_that_is_down_is_a_connection_that_breaks() {
        let Place { proxy, server, .. } = Place::new(Link::Open).await;
        drop(server);
        let mut client = TcpStream::connect(proxy.at()).await.unwrap();
        assert!(is_over(&mut client).await);
    }
}
