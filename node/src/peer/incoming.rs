//! The receiving end of every link.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use assay_model::id::NodeId;
use assay_model::node::Message;
use tokio::io::BufReader;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{Instrument, debug, info, warn};

use super::Me;
use super::frame::{Kind, MAX_FRAME, read};
use super::handshake::accept;
use crate::codec::{Known, decode_message};
use crate::runtime::Net;

/// A peer that says nothing for so long is gone; it would say at least that it lives.
const SILENCE: Duration = Duration::from_secs(15);
/// How many may be in the middle of a handshake; others wait to be accepted.
const STRANGERS: usize = 64;
/// Pause after a connection that could not be accepted, for want of descriptors for example.
const PAUSE: Duration = Duration::from_millis(100);

/// What all connections of a node share.
struct Hall {
    me: Arc<Me>,
    known: Known,
    inbox: mpsc::Sender<(NodeId, Message)>,
    /// Tells the connection of each peer that a newer one has come.
    newest: Mutex<BTreeMap<NodeId, Arc<Notify>>>,
    /// How many peers are listened to.
    heard: watch::Sender<usize>,
}

/// Accepts connections and hands on what peers say. Never ends.
pub(crate) async fn receive<N: Net>(
    net: N,
    mut listener: N::Listener,
    me: Arc<Me>,
    inbox: mpsc::Sender<(NodeId, Message)>,
    heard: watch::Sender<usize>,
) {
    let hall = Arc::new(Hall {
        me,
        known: Known::default(),
        inbox,
        newest: Mutex::default(),
        heard,
    });
    let strangers = Arc::new(Semaphore::new(STRANGERS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(stranger) = strangers.clone().acquire_owned().await else {
            return;
        };
        match net.accept(&mut listener).await {
            Ok(stream) => {
                let connection = connection::<N>(hall.clone(), stream, stranger);
                connections.spawn(connection.in_current_span());
            }
            Err(error) => {
                warn!(target: "assay::peer", %error, "no connection accepted");
                sleep(PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection<N: Net>(
    hall: Arc<Hall>,
    mut stream: N::Stream,
    stranger: OwnedSemaphorePermit,
) {
    let peer = match accept(&hall.me, &mut stream).await {
        Ok(peer) => peer,
        Err(failed) => {
            warn!(target: "assay::peer", why = %failed, "a connection was turned away");
            return;
        }
    };
    drop(stranger);
    debug!(target: "assay::peer", %peer, "listens to");
    let newer = hall.enter(peer);
    let why = tokio::select! {
        biased;
        () = newer.notified() => io::Error::other("the peer has dialled again"),
        why = listen(&hall, peer, stream) => why,
    };
    hall.leave(peer, &newer);
    info!(target: "assay::peer", %peer, %why, "no longer listens to");
}

impl Hall {
    /// Ends the peer's earlier connection, if there is one.
    fn enter(&self, peer: NodeId) -> Arc<Notify> {
        let newer = Arc::new(Notify::new());
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = newest.insert(peer, newer.clone()) {
            earlier.notify_one();
        }
        self.heard.send_replace(newest.len());
        newer
    }

    fn leave(&self, peer: NodeId, mine: &Arc<Notify>) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest
            .get(&peer)
            .is_some_and(|last| Arc::ptr_eq(last, mine))
        {
            newest.remove(&peer);
        }
        self.heard.send_replace(newest.len());
    }
}

async fn listen(hall: &Hall, peer: NodeId, stream: impl tokio::io::AsyncRead + Unpin) -> io::Error {
    let mut stream = BufReader::with_capacity(64 << 10, stream);
    loop {
        let frame = match read(&mut stream, MAX_FRAME, SILENCE).await {
            Ok(frame) => frame,
            Err(error) => return error,
        };
        match Kind::of(frame[0]) {
            Some(Kind::Heartbeat) => {}
            Some(Kind::Message) => match decode_message(&frame[1..], &hall.known) {
                Ok(message) => {
                    if hall.inbox.send((peer, message)).await.is_err() {
                        return io::Error::other("the node has stopped");
                    }
                }
                Err(error) => {
                    warn!(target: "assay::peer", %peer, %error, "a message was not understood");
                }
            },
            None => return io::Error::other(format!("frames of kind {} are unknown", frame[0])),
        }
    }
}

#[cfg(test)]
mod tests {
    use assay_model::crypto::{Suite, Symbolic};
    use assay_model::id::Height;
    use tokio::io::AsyncWriteExt;

    use super::super::frame::frame;
    use super::*;
    use crate::codec::encode_message;
    use crate::testing::{genesis, node_key};

    fn hall() -> (Hall, mpsc::Receiver<(NodeId, Message)>) {
        let suite: Arc<dyn Suite> = Arc::new(Symbolic);
        let genesis = genesis(&*suite, 2);
        let (inbox, messages) = mpsc::channel(8);
        let me = Me::new(NodeId(0), node_key(NodeId(0)), suite, genesis, [0; 32]);
        let hall = Hall {
            me: Arc::new(me),
            known: Known::default(),
            inbox,
            newest: Mutex::default(),
            heard: watch::channel(0).0,
        };
        (hall, messages)
    }

    #[tokio::test(start_paused = true)]
    async fn messages_are_handed_on_until_the_peer_falls_silent() {
        let (hall, mut messages) = hall();
        let (mut near, far) = tokio::io::duplex(4_096);
        let ask = |have| encode_message(&Message::Ask { have: Height(have) });
        let frames = [
            frame(Kind::Message, &ask(1)),
            frame(Kind::Heartbeat, &[]),
            frame(Kind::Message, b"nonsense"),
            frame(Kind::Message, &ask(2)),
        ];
        for frame in frames {
            near.write_all(&frame.unwrap()).await.unwrap();
        }
        let why = listen(&hall, NodeId(1), far).await;
        assert_eq!(why.kind(), io::ErrorKind::TimedOut);
        let mut haves = Vec::new();
        while let Ok((peer, Message::Ask { have })) = messages.try_recv() {
            haves.push((peer, have.0));
        }
        assert_eq!(haves, [(NodeId(1), 1), (NodeId(1), 2)]);
    }

    #[tokio::test]
    async fn the_newest_connection_of_a_peer_is_the_one_that_counts() {
        let (hall, _messages) = hall();
        let heard = hall.heard.subscribe();
        let earlier = hall.enter(NodeId(1));
        let later = hall.enter(NodeId(1));
        earlier.notified().await;
        hall.leave(NodeId(1), &earlier);
        assert_eq!(*heard.borrow(), 1);
        hall.leave(NodeId(1), &later);
        assert_eq!(*heard.borrow(), 0);
    }
}
