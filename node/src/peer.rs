//! How nodes reach each other: framed messages over byte streams.
//!
//! Every node dials each peer and sends on the connection it dialled; what it accepted it only reads. So
//! each directed link is one connection, made by its sender, and a proxy can stand on each. Both ends
//! show that they hold the key the genesis names for them ([`handshake`]), and name the network. Later
//! frames are neither signed nor encrypted: links are the operators' own. Messages may get lost, which the protocol
//! of the nodes is made for; nothing here waits for a peer.

mod frame;
mod handshake;
mod incoming;
mod outgoing;
mod queue;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use assay_model::crypto::{SigningKey, Suite};
use assay_model::id::NodeId;
use assay_model::node::Genesis;

pub(crate) use incoming::receive;
pub(crate) use outgoing::{Outgoing, deliver};
pub(crate) use queue::Queue;

/// Who speaks at this end.
pub(crate) struct Me {
    pub(crate) id: NodeId,
    pub(crate) key: SigningKey,
    pub(crate) suite: Arc<dyn Suite>,
    pub(crate) genesis: Arc<Genesis>,
    nonces: Nonces,
}

impl Me {
    /// `seed` is what nonces are made of; no two starts of a node may share it.
    pub(crate) fn new(
        id: NodeId,
        key: SigningKey,
        suite: Arc<dyn Suite>,
        genesis: Arc<Genesis>,
        seed: [u8; 32],
    ) -> Me {
        let nonces = Nonces {
            seed,
            made: AtomicU64::new(0),
        };
        Me {
            id,
            key,
            suite,
            genesis,
            nonces,
        }
    }
}

/// Numbers that nobody else can guess and that never come twice.
struct Nonces {
    seed: [u8; 32],
    made: AtomicU64,
}

impl Nonces {
    fn next(&self) -> [u8; 32] {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        *blake3::keyed_hash(&self.seed, &number.to_le_bytes()).as_bytes()
    }
}
