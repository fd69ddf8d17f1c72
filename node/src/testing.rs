//! What tests of this crate share: keys, a network's beginning, transactions.

use std::collections::BTreeSet;
use std::sync::Arc;

use assay_model::crypto::{Identity, Scheme, SigningKey, Suite, Symbolic};
use assay_model::id::{AppHash, BlockId, InserterId, NodeId};
use assay_model::ledger::{Action, Batch, Transaction, Unsigned};
use assay_model::node::{Ballot, Block, Committed, Genesis, Timing, USUAL_HISTORY, Vote};
use assay_model::rules::Rules;
use assay_model::time::WallMillis;
use uuid::Uuid;

/// Durations short enough for tests on real sockets.
pub(crate) const TIMING: Timing = Timing {
    history: USUAL_HISTORY,
    propose: 20,
    poll: 5,
    empty_block: 60_000,
    resend: 300,
    broadcast: 15_000,
    challenge: 10_000,
    drift: 10_000,
};

/// A key that follows from a name.
pub(crate) fn key(scheme: Scheme, name: &str) -> SigningKey {
    let mut secret = blake3::derive_key("assay test keys", name.as_bytes());
    // Keeps clear of zero and of the order of secp256k1, where no key is.
    secret[0] = secret[0] & 0x7f | 1;
    SigningKey { scheme, secret }
}

/// The key of a node.
pub(crate) fn node_key(node: NodeId) -> SigningKey {
    key(Scheme::Ed25519, &format!("node {node}"))
}

/// The database owner's key.
pub(crate) fn root() -> SigningKey {
    key(Scheme::Evm, "root")
}

/// The beginning of a network of so many nodes.
pub(crate) fn genesis(suite: &dyn Suite, nodes: u16) -> Arc<Genesis> {
    let identity = |node: NodeId| suite.identity(&node_key(node));
    let validators: Vec<Identity> = (0..nodes).map(NodeId).map(identity).collect();
    Arc::new(Genesis {
        chain_id: "assay-test".into(),
        db_owner: suite.identity(&root()).caller().into(),
        nodes: validators,
        sentries: BTreeSet::new(),
        leader: NodeId(0),
        time: WallMillis(1_700_000_000_000),
        rules: Rules::documented(),
        timing: TIMING,
        balances: Vec::new(),
    })
}

/// The database owner admits so many inserters, with names that follow from the nonce.
pub(crate) fn admission(suite: &dyn Suite, nonce: u64, calls: usize) -> Arc<Transaction> {
    let call = |call: usize| {
        let number = u128::from(nonce) << 64 | call as u128;
        Action::AddInserterAsOwner {
            id: InserterId(Uuid::from_u128(number)),
            name: format!("inserter {nonce}.{call}").into(),
        }
    };
    let batch = Batch::several((0..calls).map(call).collect());
    let unsigned = Unsigned {
        nonce,
        chain_id: "assay-test".into(),
        payload: batch.expect("one name, and at least one call").into(),
    };
    Transaction::sign(suite, &root(), unsigned)
}

/// The same, signed for form only.
pub(crate) fn transaction(nonce: u64, calls: usize) -> Arc<Transaction> {
    admission(&Symbolic, nonce, calls)
}

/// A vote as it may come from anybody.
pub(crate) fn vote_of(
    validator: NodeId,
    ballot: Ballot,
    block: BlockId,
    app_hash: AppHash,
    signature: Vec<u8>,
) -> Vote {
    Vote {
        validator,
        ballot,
        block,
        app_hash,
        signature,
    }
}

/// A final block with one transaction, signed for form only.
pub(crate) fn committed(height: u64) -> Arc<Committed> {
    Arc::new(Committed {
        block: block(height),
        app_hash: AppHash([height as u8; 32]),
        votes: Vec::new(),
    })
}

/// A block with one transaction, signed for form only.
pub(crate) fn block(height: u64) -> Arc<Block> {
    let after = (
        assay_model::id::Height(height),
        BlockId::default(),
        AppHash::default(),
    );
    Block::received(
        NodeId(0),
        after,
        WallMillis(1_700_000_000_000 + height),
        vec![transaction(height, 1)].into(),
        vec![1; 64],
    )
}
