//! The storage node as a state machine: [`Node::handle`] takes an input and leaves outputs in an
//! [`Outbox`]. No socket, clock or disk inside; what must outlive a crash leaves as
//! [`Output::Persist`] and comes back through [`Node::restore`].
//!
//! Consensus is Roadrunner (idos-facts 6.1, kwil-rpc 7): one leader proposes, validators execute and
//! acknowledge with their app hash, more than half commit, the leader announces. Finality is
//! immediate; a node that finds itself with another app hash than the committed one halts.

mod block;
mod catch_up;
mod follow;
mod lead;
mod machine;
mod mempool;
mod message;
mod serve;
mod snapshot;

pub use block::{Ballot, Block, Committed, TxResult, Vote, quorum};
pub use machine::{Genesis, Halt, Node, Timing, USUAL_HISTORY};
pub use mempool::Rejected;
pub use message::{
    Claim, ClaimProblem, Input, Message, Misdeed, Nack, Note, Outbox, Output, Record, Reply,
    Request, RequestId, Timer, TxStatus,
};
pub use serve::view_text;
pub use snapshot::Snapshot;
