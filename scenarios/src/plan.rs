//! A plan: a story resolved to complete data, with no default left open. A world carries it out.

use std::collections::BTreeSet;

use assay_model::actor::{External, Order, Password, Task};
use assay_model::bridge::{Amount, Token};
use assay_model::catalogue::RequirementId;
use assay_model::history::{Ending, Role};
use assay_model::id::{CredentialId, NodeId, PartyId, UserId, WalletId};
use assay_model::ledger::WalletType;
use assay_model::node::Timing;
use assay_model::rules::Rules;
use assay_model::time::{Millis, WallMillis};
use serde::Serialize;

use crate::verb::FaultVerb;

/// Everything a world needs to carry a story out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// `grants/locked-revoke`: where the story stands in the library, or the file's stem.
    pub name: String,
    /// What the story claims, in one sentence.
    pub claim: String,
    /// How many nodes.
    pub nodes: u16,
    /// Nodes that follow and serve, and do not vote when the story begins.
    pub sentries: BTreeSet<NodeId>,
    /// Who leads at first.
    pub leader: NodeId,
    /// Chain time at scenario time zero.
    pub epoch: WallMillis,
    /// Durations of the protocol.
    pub timing: Timing,
    /// What every link does to every message.
    pub network: Network,
    /// What the chain that holds the tokens is like; it is there if one of the parties is it.
    pub external: External,
    /// How long a write to disk takes to become durable.
    pub disk_sync: Millis,
    /// Which promises the nodes keep.
    pub rules: Rules,
    /// Who takes part, database owner first.
    pub parties: Vec<Party>,
    /// What they do, in order of time.
    pub steps: Vec<Step>,
    /// What goes wrong, in order of time.
    pub faults: Vec<Fault>,
    /// Clocks that are wrong from the beginning.
    pub clocks: Vec<ClockError>,
    /// What people have of the tokens from the beginning.
    pub balances: Vec<Balance>,
    /// When trouble ends and everything heals.
    pub duration: Millis,
    /// How long after healing everything owed may take.
    pub settle: Millis,
    /// Most events a run may take.
    pub events: u64,
    /// Whether everybody reads everything at the end.
    pub audit: bool,
    /// Invariants that must not end inconclusive.
    pub check: Vec<&'static str>,
    /// Requirements the story is expected to break; empty for most stories.
    pub breaks: Vec<RequirementId>,
}

impl Plan {
    /// Whether the story is about tokens at all.
    pub fn has_tokens(&self) -> bool {
        let trades = |step: &Step| match &step.deed {
            Deed::Party(_, task) => matches!(
                task.order,
                Order::Trade(_) | Order::WatchChain | Order::InventDeposit { .. }
            ),
            Deed::AppointLeader(_) => false,
        };
        !self.balances.is_empty() || self.steps.iter().any(trades)
    }

    /// Every copy the story may make, for the last reading of everything.
    pub fn copies(&self) -> Vec<CredentialId> {
        let copy = |step: &Step| match &step.deed {
            Deed::Party(
                _,
                Task {
                    order:
                        Order::Share(share) | Order::StoreCopy(share) | Order::Approve { share, .. },
                    ..
                },
            ) => Some(share.copy),
            _ => None,
        };
        let mut copies: Vec<CredentialId> = self.steps.iter().filter_map(copy).collect();
        copies.sort();
        copies.dedup();
        copies
    }
}

/// Somebody who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Party {
    /// As the story calls it.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// The node it runs; meaningful for operators.
    pub node: NodeId,
    /// Profile id; meaningful for users.
    pub user: UserId,
    /// Row of the first wallet, which the story calls `w1`; meaningful for users.
    pub wallet: WalletId,
    /// Types of its wallets, `w1` first; meaningful for users.
    pub wallets: Vec<WalletType>,
    /// Whether the profile exists when the story begins; meaningful for users.
    pub registered: bool,
    /// Whether an issuer's inserter and delegate rows exist when the story begins.
    pub admitted: bool,
    /// Whether it checks what it reads.
    pub careful: bool,
    /// Whose encryption key it uses: its own, or that of the party it belongs to.
    pub box_key_of: PartyId,
    /// Whose face it has: its own, or that of the user behind whom the same person stands.
    pub person: PartyId,
    /// Whose inserter an issuer's key belongs to: its own, or that of the company it is a branch of.
    pub company_of: PartyId,
    /// What its encryption key is derived from; meaningful for users.
    pub password: Password,
    /// What its keys and rows are made of: its name, marked where the network has seen other stories.
    pub known_as: String,
}

/// What somebody has of a token from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Whose.
    pub of: PartyId,
    /// Which of its wallets has it, from 0.
    pub wallet: u8,
    /// Which token.
    pub token: Token,
    /// How much, in base units.
    pub amount: Amount,
}

/// What happens to messages between two ends, both ways alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Least delay.
    pub latency: Millis,
    /// Most that is added to it, drawn per message.
    pub jitter: Millis,
    /// How many of a million messages are lost.
    pub loss: Ppm,
    /// How many of a million messages arrive twice.
    pub duplicate: Ppm,
    /// How many of a million messages may be overtaken by later ones.
    pub reorder: Ppm,
}

/// Parts per million: a probability without floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ppm(pub u32);

/// One step of the story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When it begins.
    pub at: Millis,
    /// Who does what.
    pub deed: Deed,
    /// How it should end.
    pub expect: Expect,
    /// Requirements that a wrong ending breaks.
    pub shows: Vec<RequirementId>,
    /// Line in the scenario file, from 1.
    pub line: u32,
}

/// Who does what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Deed {
    /// A party carries out a task.
    Party(PartyId, Task),
    /// The operators appoint a leader on every node.
    AppointLeader(NodeId),
}

/// How a step should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Expect {
    /// Like this.
    Ending(Ending),
    /// It does not matter.
    Anything,
}

/// One thing that goes wrong, and when it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// When it begins.
    pub at: Millis,
    /// How long it lasts.
    pub lasts: Millis,
    /// What it is.
    pub kind: FaultKind,
    /// Line in the scenario file, from 1.
    pub line: u32,
}

/// A node by name or by role; a role is looked up when the fault begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum NodeRef {
    /// This node.
    Node(NodeId),
    /// Whoever leads then.
    Leader,
    /// The node with the lowest number that does not lead then.
    Follower,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum FaultKind {
    /// A node's process dies, loses what was not durable, and comes back at the end.
    Crash {
        /// The node.
        node: NodeRef,
    },
    /// Nodes hear only their own side; a node on no side hears nobody.
    Split {
        /// The sides.
        sides: Vec<Vec<NodeId>>,
    },
    /// One node hears no other and is heard by none; clients still reach it.
    Isolate {
        /// The node.
        node: NodeRef,
    },
    /// The leader is cut off together with so many followers.
    SplitLeader {
        /// Whether its side is the larger one.
        majority: bool,
    },
    /// Messages from one node to another get lost; the other way they do not.
    OneWay {
        /// Sender.
        from: NodeRef,
        /// Receiver.
        to: NodeRef,
    },
    /// Messages between nodes get lost at this rate.
    Lossy {
        /// How many of a million.
        loss: Ppm,
    },
    /// Messages between nodes take this much longer.
    Slow {
        /// How much.
        delay: Millis,
    },
    /// A party does nothing and hears nothing; what is sent to it waits.
    Offline {
        /// The party.
        party: PartyId,
    },
    /// A node's or party's clock is wrong.
    Clock(ClockError),
    /// A node's process ends when asked to, with everything it wrote durable, and comes back at the end.
    Stop {
        /// The node.
        node: NodeRef,
    },
    /// A node does nothing, and does not know it; what reaches it waits until the end.
    Pause {
        /// The node.
        node: NodeRef,
    },
    /// A node's process dies and its disk is as it was initialised; it comes back at the end and has to
    /// learn everything again.
    Wipe {
        /// The node.
        node: NodeRef,
    },
    /// A node's disk is copied at the beginning; at the end the process dies and comes back with the
    /// copy.
    RollBack {
        /// The node.
        node: NodeRef,
    },
    /// Messages from one node to another wait, and arrive when it is over.
    Stall {
        /// Sender.
        from: NodeRef,
        /// Receiver.
        to: NodeRef,
    },
    /// Nothing passes from one node to another, and the sender may notice.
    Refuse {
        /// Sender.
        from: NodeRef,
        /// Receiver.
        to: NodeRef,
    },
    /// The connection from one node to another breaks at the beginning: what is under way is lost, and
    /// so is what is sent next, by which the sender finds out. Later messages pass.
    Reset {
        /// Sender.
        from: NodeRef,
        /// Receiver.
        to: NodeRef,
    },
    /// Answers that tell a party that its transaction is in a block get lost.
    LostReply {
        /// The party.
        party: PartyId,
        /// The nodes whose answers they are.
        of: Nodes,
    },
    /// Each request of a party reaches the node twice.
    DuplicatedRequest {
        /// The party.
        party: PartyId,
    },
    /// Requests and answers take this much longer.
    SlowClients {
        /// How much.
        delay: Millis,
    },
    /// The leader puts a transaction into its next block that erases a party's profile and that nobody has
    /// signed.
    SlippedIn {
        /// The party.
        party: PartyId,
    },
    /// A leader announces each of its proposals as final at once, with its own vote in place of the others'.
    ForgedQuorum {
        /// The leader.
        node: NodeRef,
    },
    /// The leader leaves a party's transactions out of the blocks it makes.
    Omitted {
        /// The party.
        party: PartyId,
    },
    /// A party's encryption key is altered in the tables of one node, behind the node's back.
    AlteredRow {
        /// The node.
        node: NodeRef,
        /// The party.
        party: PartyId,
    },
}

impl FaultKind {
    /// As a story writes it.
    pub const fn name(&self) -> &'static str {
        let verb = match self {
            FaultKind::Crash { .. } => FaultVerb::Crash,
            FaultKind::Split { .. } => FaultVerb::Split,
            FaultKind::Isolate { .. } => FaultVerb::Isolate,
            FaultKind::SplitLeader { .. } => FaultVerb::SplitLeader,
            FaultKind::OneWay { .. } => FaultVerb::OneWay,
            FaultKind::Lossy { .. } => FaultVerb::Lossy,
            FaultKind::Slow { .. } => FaultVerb::Slow,
            FaultKind::Offline { .. } => FaultVerb::Offline,
            FaultKind::Clock(_) => FaultVerb::Clock,
            FaultKind::Stop { .. } => FaultVerb::Stop,
            FaultKind::Pause { .. } => FaultVerb::Pause,
            FaultKind::Wipe { .. } => FaultVerb::Wipe,
            FaultKind::RollBack { .. } => FaultVerb::RollBack,
            FaultKind::Stall { .. } => FaultVerb::Stall,
            FaultKind::Refuse { .. } => FaultVerb::Refuse,
            FaultKind::Reset { .. } => FaultVerb::Reset,
            FaultKind::LostReply { .. } => FaultVerb::LostReply,
            FaultKind::DuplicatedRequest { .. } => FaultVerb::DuplicatedRequest,
            FaultKind::SlowClients { .. } => FaultVerb::SlowClients,
            FaultKind::SlippedIn { .. } => FaultVerb::SlippedIn,
            FaultKind::ForgedQuorum { .. } => FaultVerb::ForgedQuorum,
            FaultKind::Omitted { .. } => FaultVerb::Omitted,
            FaultKind::AlteredRow { .. } => FaultVerb::AlteredRow,
        };
        verb.name()
    }

    /// The node whose process it strikes.
    pub const fn process(&self) -> Option<NodeRef> {
        match self {
            FaultKind::Crash { node }
            | FaultKind::Stop { node }
            | FaultKind::Pause { node }
            | FaultKind::Wipe { node }
            | FaultKind::RollBack { node } => Some(*node),
            _ => None,
        }
    }

    /// Whether the node it strikes may forget what it voted for.
    pub const fn forgets(&self) -> bool {
        matches!(self, FaultKind::Wipe { .. } | FaultKind::RollBack { .. })
    }
}

/// Some nodes as one fault means them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Nodes {
    /// Every node.
    All,
    /// This one.
    Only(NodeRef),
}

/// Whose clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Whose {
    /// A node's.
    Node(NodeRef),
    /// A party's.
    Party(PartyId),
}

/// How a clock is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ClockError {
    /// Whose.
    pub whose: Whose,
    /// Added to its reading, in milliseconds.
    pub offset: i64,
    /// Gained per million milliseconds.
    pub drift: i32,
}
