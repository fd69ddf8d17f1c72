//! Everything that goes into a node and comes out of it.

use std::sync::Arc;

use serde::Serialize;

use super::block::{Ballot, Block, Committed, TxResult, Vote};
use super::machine::Halt;
use super::mempool::Rejected;
use super::snapshot::Snapshot;
use crate::crypto::Identity;
use crate::id::{AppHash, BlockId, Height, NodeId, TablesDigest, TxId, UserId};
use crate::ledger::{Answer, Outcome, Query, Refusal, Transaction};
use crate::time::{BlockTime, WallMillis};

/// Names a client's request towards the node that serves it; the world hands it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RequestId(pub u64);

/// What can happen to a node.
#[derive(Clone, Debug)]
pub enum Input {
    /// The process starts, for the first time or again.
    Start,
    /// A peer sent something.
    Message {
        /// Authenticated by the connection.
        from: NodeId,
        /// What it sent.
        message: Message,
    },
    /// A timer the node asked for runs out.
    Timer(Timer),
    /// A client asks.
    Request {
        /// For the answer.
        id: RequestId,
        /// What it asks.
        request: Request,
    },
    /// The node's operator appoints a leader, on every node by hand. Source: kwil-rpc 7.
    Appoint {
        /// Larger than any before.
        term: u32,
        /// The new leader.
        leader: NodeId,
    },
    /// Something is wrong with the node, or with who runs it.
    Misdeed(Misdeed),
}

/// What no right node does: a story has one do it, to see whether the others notice.
#[derive(Clone, Debug)]
pub enum Misdeed {
    /// Puts a transaction into the next block it proposes without a look at it.
    SlipIn(Arc<Transaction>),
    /// Announces each proposal as final at once, with its own vote repeated, or does so no more.
    RepeatVotes(bool),
    /// Leaves what these have signed out of the blocks it proposes; nobody's any more when there are none.
    Omit(Vec<Identity>),
    /// A user's encryption key changes in the tables as if on the disk, past digests and change sets.
    AlterUser(UserId),
}

/// What nodes tell each other.
#[derive(Clone, Debug)]
pub enum Message {
    /// A transaction a client handed in.
    Transaction(Arc<Transaction>),
    /// The leader proposes.
    Propose {
        /// Orders this proposal among others for its height.
        ballot: Ballot,
        /// The proposal.
        block: Arc<Block>,
    },
    /// A validator has executed the proposal.
    Ack(Vote),
    /// A validator refuses the proposal.
    Refuse {
        /// Which proposal.
        ballot: Ballot,
        /// Why.
        nack: Nack,
    },
    /// A block is final.
    Announce(Arc<Committed>),
    /// Asks for the blocks after a height.
    Ask {
        /// The last block the asker has.
        have: Height,
    },
    /// Blocks in order.
    Blocks {
        /// The first follows the height asked about.
        blocks: Vec<Arc<Committed>>,
        /// Height of the sender.
        tip: Height,
    },
    /// The state after a block, for somebody who lacks blocks that the sender does not have any more.
    Snapshot(Arc<Snapshot>),
    /// Tells a new leader how far the sender is, and what it last voted for.
    Report {
        /// The new leader's term.
        term: u32,
        /// Height of the sender.
        height: Height,
        /// The sender's last vote that is not known to be final.
        accepted: Option<(Ballot, Arc<Block>)>,
    },
}

impl Message {
    /// One word for traces and metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Message::Transaction(_) => "transaction",
            Message::Propose { .. } => "propose",
            Message::Ack(_) => "ack",
            Message::Refuse { .. } => "refuse",
            Message::Announce(_) => "announce",
            Message::Ask { .. } => "ask",
            Message::Blocks { .. } => "blocks",
            Message::Snapshot(_) => "snapshot",
            Message::Report { .. } => "report",
        }
    }

    /// Every transaction inside, for looking into what a node is handed.
    pub fn transactions(&self) -> Vec<&Arc<Transaction>> {
        match self {
            Message::Transaction(transaction) => vec![transaction],
            Message::Propose { block, .. } => block.transactions.iter().collect(),
            Message::Announce(committed) => committed.block.transactions.iter().collect(),
            Message::Blocks { blocks, .. } => blocks
                .iter()
                .flat_map(|committed| committed.block.transactions.iter())
                .collect(),
            Message::Snapshot(snapshot) => {
                let block = &snapshot.committed.block;
                block.transactions.iter().collect()
            }
            Message::Report {
                accepted: Some((_, block)),
                ..
            } => block.transactions.iter().collect(),
            Message::Ack(_)
            | Message::Refuse { .. }
            | Message::Ask { .. }
            | Message::Report { accepted: None, .. } => Vec::new(),
        }
    }
}

/// Why a validator refuses a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Nack {
    /// Its time decreases, or strays too far from the validator's clock.
    BlockTime,
    /// It does not follow the validator's last block, or is not signed by the leader.
    Malformed,
}

/// Reminders a node sets itself. Each carries what it was set for, so that a stale one says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// The pause after a block is over.
    Propose(Height),
    /// The leader looks into its mempool.
    Poll(Height),
    /// Nothing was proposed for a while, so an empty block is due.
    EmptyBlock(Height),
    /// Validators that have not voted get the proposal again.
    Resend(Ballot),
    /// A proposal was executed but its commit never came.
    AwaitCommit {
        /// Height of the proposal.
        height: Height,
        /// How often this was asked already.
        attempt: u32,
    },
    /// Looks whether the chain has moved.
    CatchUp {
        /// Height when the timer was set.
        seen: Height,
    },
    /// Clients' transactions that are still waiting are gossiped again.
    Gossip,
    /// A client has waited long enough for its transaction.
    GiveUp(RequestId),
    /// A new leader has not been heard of.
    Report(u32),
}

/// What clients ask.
#[derive(Clone, Debug)]
pub enum Request {
    /// Height, time and whether the node is in sync.
    Health,
    /// The last committed nonce of a sender.
    Account(Identity),
    /// Take a transaction and answer when it is in a block.
    Broadcast(Arc<Transaction>),
    /// Take a transaction and answer as soon as it waits for a block.
    Submit(Arc<Transaction>),
    /// What became of a transaction.
    TxStatus(TxId),
    /// A fresh challenge for a signed read.
    Challenge,
    /// A read.
    View {
        /// Who asks, and how that is shown.
        claim: Claim,
        /// What is asked.
        query: Query,
    },
}

/// Who a reader says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody: `@caller` is empty.
    Anonymous,
    /// A bare statement, which open mode believes.
    Stated(Identity),
    /// A signature over the query and a challenge of this node.
    Signed {
        /// Who signed.
        identity: Identity,
        /// 32 bytes from [`Request::Challenge`].
        challenge: [u8; 32],
        /// Over [`super::view_text`].
        signature: Vec<u8>,
        /// The payload as it was sent, where it spells the query in other bytes than this model does: the
        /// signed text hangs on them.
        payload: Option<Arc<[u8]>>,
    },
}

impl Claim {
    /// The identity claimed, shown or not.
    pub fn identity(&self) -> Option<Identity> {
        match self {
            Claim::Anonymous => None,
            Claim::Stated(identity) | Claim::Signed { identity, .. } => Some(*identity),
        }
    }
}

/// Why a node does not believe a reader. Source: kwil-rpc 3, codes -1001 to -1004.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum ClaimProblem {
    /// It states a name and shows nothing for it.
    Unsigned,
    /// The challenge is none of this node's, or was used before.
    UnknownChallenge,
    /// The challenge is too old.
    ExpiredChallenge,
    /// The signature is not the reader's, or not over this query and challenge.
    WrongSignature,
}

/// What a node answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Reply {
    /// To [`Request::Health`].
    Health {
        /// Last committed height.
        height: Height,
        /// Chain time of that block.
        time: BlockTime,
        /// Whether the node knows itself behind.
        syncing: bool,
    },
    /// To [`Request::Account`]: the last used nonce, 0 for none.
    Account {
        /// Committed only.
        nonce: u64,
    },
    /// To [`Request::Broadcast`]: the transaction is in a block.
    Included {
        /// Of the block.
        height: Height,
        /// What became of it.
        outcome: Outcome,
    },
    /// To [`Request::Broadcast`] and [`Request::Submit`]: not taken.
    Rejected(Rejected),
    /// To [`Request::Broadcast`]: not in a block yet; it still may get into one.
    TimedOut,
    /// To [`Request::TxStatus`].
    TxStatus(TxStatus),
    /// To [`Request::Challenge`].
    Challenge([u8; 32]),
    /// To [`Request::View`].
    View {
        /// State the answer was read from.
        height: Height,
        /// What the view returned.
        result: Result<Answer, Refusal>,
    },
    /// To [`Request::View`]: the claim was not accepted, and nothing was read.
    ClaimRefused(ClaimProblem),
    /// To [`Request::View`]: the node cannot tell whether its state is the latest, and has read nothing.
    Behind,
    /// To anything: the node has halted.
    Halted,
    /// To [`Request::Submit`]: it waits for a block.
    Submitted,
}

/// What a node knows of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TxStatus {
    /// In a block.
    Included {
        /// Of the block.
        height: Height,
        /// What became of it.
        outcome: Outcome,
    },
    /// In the mempool.
    Pending,
    /// Never heard of.
    Unknown,
}

/// What must outlive a crash.
#[derive(Clone, Debug)]
pub enum Record {
    /// A final block.
    Committed(Arc<Committed>),
    /// The vote about to be cast.
    Accepted(Ballot, Arc<Block>),
    /// The operator's appointment.
    Term(u32, NodeId),
    /// The state after the last final block, under `bounded-history`.
    Snapshot {
        /// The state.
        snapshot: Arc<Snapshot>,
        /// Final blocks up to this height, and earlier snapshots, are not needed any more.
        gone: Height,
    },
}

/// What an outsider with a warrant would note about the node.
#[derive(Clone, Debug)]
pub enum Note {
    /// The node holds a block for final.
    Committed {
        /// Block and votes.
        committed: Arc<Committed>,
        /// The node's own app hash after it.
        app_hash: AppHash,
        /// What execution came to, per transaction.
        results: Arc<[TxResult]>,
        /// Digest of the tables before and after.
        tables: (TablesDigest, TablesDigest),
        /// Whether the block was replayed while catching up or restoring.
        replayed: bool,
    },
    /// The node has taken a peer's snapshot for its state.
    Installed {
        /// Height of the snapshot.
        height: Height,
        /// The node's app hash with it.
        app_hash: AppHash,
        /// Digest of the tables before and after.
        tables: (TablesDigest, TablesDigest),
    },
    /// The node stops serving and signing.
    Halted(Halt),
    /// The node proposes.
    Proposed {
        /// The block's id.
        block: BlockId,
        /// Its height.
        height: Height,
        /// The proposer's clock.
        time: WallMillis,
    },
    /// The node takes the lead.
    Leads {
        /// In this term.
        term: u32,
    },
}

/// What a node wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Deliver to a peer.
    Send {
        /// The peer.
        to: NodeId,
        /// What to deliver.
        message: Message,
    },
    /// Answer a client.
    Reply {
        /// Its request.
        to: RequestId,
        /// The answer.
        reply: Reply,
    },
    /// Come back later with [`Input::Timer`].
    Timer {
        /// Milliseconds on the node's own clock.
        after: u64,
        /// The reminder.
        timer: Timer,
    },
    /// Write; not durable until a [`Output::Sync`] is done.
    Persist(Record),
    /// A barrier: nothing after it may leave before everything written so far is durable.
    Sync,
    /// Tell whoever watches.
    Note(Note),
}

/// Outputs in the order the node made them.
#[derive(Debug, Default)]
pub struct Outbox(pub Vec<Output>);

impl Outbox {
    pub(super) fn send(&mut self, to: NodeId, message: Message) {
        self.0.push(Output::Send { to, message });
    }

    pub(super) fn reply(&mut self, to: RequestId, reply: Reply) {
        self.0.push(Output::Reply { to, reply });
    }

    pub(super) fn timer(&mut self, after: u64, timer: Timer) {
        self.0.push(Output::Timer { after, timer });
    }

    pub(super) fn persist(&mut self, record: Record) {
        self.0.push(Output::Persist(record));
    }

    pub(super) fn sync(&mut self) {
        self.0.push(Output::Sync);
    }

    pub(super) fn note(&mut self, note: Note) {
        self.0.push(Output::Note(note));
    }
}
