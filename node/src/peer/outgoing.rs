//! The sending end of every link.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use assay_model::id::NodeId;
use assay_model::node::Message;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{sleep, timeout};
use tracing::{debug, error, info, warn};

use super::frame::{Frame, Kind, frame, write};
use super::handshake::{Failed, dial};
use super::{Me, Queue};
use crate::codec::encode_message;
use crate::runtime::Net;

/// Pauses between attempts to connect double from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// How long opening a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a link may be idle before something is said all the same.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a link may take nothing before it is given up.
const STALLED: Duration = Duration::from_secs(15);

/// What a node says, on its way to its peers. A message for several of them is put into bytes once.
pub(crate) struct Outgoing {
    queues: BTreeMap<NodeId, Arc<Queue>>,
    last: Option<(Message, Frame)>,
}

impl Outgoing {
    pub(crate) fn new(queues: BTreeMap<NodeId, Arc<Queue>>) -> Outgoing {
        Outgoing { queues, last: None }
    }

    /// Sends without waiting.
    pub(crate) fn send(&mut self, to: NodeId, message: Message) {
        let Some(queue) = self.queues.get(&to) else {
            debug!(target: "assay::peer", peer = %to, kind = message.kind(), "no way to this peer");
            return;
        };
        if let Some((last, frame)) = &self.last
            && same(last, &message)
        {
            queue.push(frame.clone());
            return;
        }
        let Some(frame) = frame(Kind::Message, &encode_message(&message)) else {
            error!(target: "assay::peer", peer = %to, kind = message.kind(), "a message is too large to send");
            return;
        };
        queue.push(frame.clone());
        self.last = Some((message, frame));
    }

    /// The last message will not be sent again.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }
}

/// Whether two messages are one and the same, as far as that can be seen without comparing contents.
fn same(one: &Message, other: &Message) -> bool {
    match (one, other) {
        (Message::Transaction(one), Message::Transaction(other)) => Arc::ptr_eq(one, other),
        (
            Message::Propose { ballot, block },
            Message::Propose {
                ballot: other_ballot,
                block: other,
            },
        ) => ballot == other_ballot && Arc::ptr_eq(block, other),
        (Message::Announce(one), Message::Announce(other)) => Arc::ptr_eq(one, other),
        (Message::Ask { have }, Message::Ask { have: other }) => have == other,
        _ => false,
    }
}

/// Keeps a connection to a peer and sends what waits for it. Never ends.
pub(crate) async fn deliver<N: Net>(
    net: N,
    me: Arc<Me>,
    peer: NodeId,
    address: SocketAddr,
    queue: Arc<Queue>,
) {
    let mut pause = FIRST_PAUSE;
    let mut complaint = String::new();
    loop {
        match connect(&net, &me, peer, address).await {
            Ok(stream) => {
                info!(target: "assay::peer", %peer, %address, "connected");
                let why = pump(stream, &queue).await;
                info!(target: "assay::peer", %peer, %address, %why, "disconnected");
                (pause, complaint) = (FIRST_PAUSE, String::new());
            }
            Err(failed) => {
                // The same trouble is told once, and a peer that is merely down is none.
                let told = failed.to_string();
                let down = matches!(failed, Failed::Io(_) | Failed::Slow);
                if told == complaint {
                    debug!(target: "assay::peer", %peer, %address, why = told, "no connection");
                } else if down {
                    info!(target: "assay::peer", %peer, %address, why = told, "no connection");
                } else {
                    warn!(target: "assay::peer", %peer, %address, why = told, "no connection");
                }
                complaint = told;
            }
        }
        let dropped = queue.dropped();
        if dropped > 0 {
            debug!(target: "assay::peer", %peer, dropped, "messages were dropped");
        }
        sleep(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

async fn connect<N: Net>(
    net: &N,
    me: &Me,
    peer: NodeId,
    address: SocketAddr,
) -> Result<N::Stream, Failed> {
    let connected = timeout(CONNECT, net.connect(address)).await;
    let mut stream = connected.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))?;
    dial(me, peer, &mut stream).await?;
    Ok(stream)
}

/// Sends until the connection breaks, and says why it did. What was in the last write may be lost.
async fn pump<S>(stream: S, queue: &Queue) -> std::io::Error
where
    S: AsyncRead + tokio::io::AsyncWrite + Send,
{
    let (mut from, mut to) = tokio::io::split(stream);
    let heartbeat = frame(Kind::Heartbeat, &[]).expect("an empty frame is not too large");
    let mut bytes = Vec::new();
    let closed = closed(&mut from);
    tokio::pin!(closed);
    loop {
        bytes.clear();
        tokio::select! {
            biased;
            why = &mut closed => return why,
            () = queue.take(&mut bytes) => {}
            () = sleep(HEARTBEAT) => bytes.extend_from_slice(&heartbeat),
        }
        tokio::select! {
            biased;
            why = &mut closed => return why,
            written = write(&mut to, &bytes, STALLED) => {
                if let Err(error) = written {
                    return error;
                }
            }
        }
        // A large block is rare, and its memory is not kept.
        if bytes.capacity() > 1 << 20 {
            bytes = Vec::new();
        }
    }
}

/// Nothing is ever said in this direction; what can be read is the end.
async fn closed(from: &mut (impl AsyncRead + Unpin)) -> std::io::Error {
    match from.read_u8().await {
        Ok(_) => std::io::Error::other("the peer speaks where it should listen"),
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use assay_model::id::Height;
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::testing::committed;

    #[tokio::test(start_paused = true)]
    async fn an_idle_link_says_every_second_that_it_lives() {
        let (near, mut far) = tokio::io::duplex(1_024);
        let queue = Queue::default();
        let listen = async {
            let mut beats = Vec::new();
            for _ in 0..3 {
                let mut beat = [9; 5];
                far.read_exact(&mut beat).await.unwrap();
                beats.push(beat);
            }
            beats
        };
        tokio::pin!(listen);
        tokio::select! {
            why = pump(near, &queue) => panic!("{why}"),
            beats = listen => assert_eq!(beats, [[1, 0, 0, 0, 0]; 3]),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_takes_nothing_is_given_up() {
        let (near, _far) = tokio::io::duplex(8);
        let queue = Queue::default();
        queue.push(vec![0; 100].into());
        let why = pump(near, &queue).await;
        assert_eq!(why.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_hangs_up_or_speaks_ends_the_link() {
        let (near, far) = tokio::io::duplex(8);
        drop(far);
        let why = pump(near, &Queue::default()).await;
        assert_eq!(why.kind(), ErrorKind::UnexpectedEof);
        let (near, mut far) = tokio::io::duplex(8);
        far.write_all(b"x").await.unwrap();
        let why = pump(near, &Queue::default()).await;
        assert!(why.to_string().contains("should listen"), "{why}");
    }

    #[tokio::test]
    async fn a_message_for_all_is_put_into_bytes_once() {
        let queues: BTreeMap<NodeId, Arc<Queue>> = (1..4)
            .map(|place| (NodeId(place), Arc::new(Queue::default())))
            .collect();
        let mut outgoing = Outgoing::new(queues.clone());
        let committed = committed(1);
        for peer in queues.keys() {
            outgoing.send(*peer, Message::Announce(committed.clone()));
        }
        let (_, frame) = outgoing.last.as_ref().unwrap();
        assert_eq!(Arc::strong_count(frame), 1 + queues.len());
        outgoing.send(NodeId(1), Message::Ask { have: Height(1) });
        outgoing.send(NodeId(9), Message::Ask { have: Height(1) });
        assert_eq!(queues[&NodeId(1)].len(), 2);
    }
}
