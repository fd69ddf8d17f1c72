//! What goes wrong, given a body: which links are cut, what is lost, late or repeated, and how much of it
//! really happened.

use assay_model::id::{NodeId, PartyId};
use assay_model::node::{Message, Reply};
use assay_model::time::Millis;
use assay_scenarios::plan::{FaultKind, NodeRef, Nodes, Ppm};

use crate::disk::Disk;

/// Roles as they stand when a fault begins.
#[derive(Clone, Copy, Debug)]
pub struct Roles {
    /// How many nodes there are.
    pub nodes: u16,
    /// Who leads.
    pub leader: NodeId,
}

impl Roles {
    /// The node a reference means now.
    pub fn resolve(&self, node: NodeRef) -> NodeId {
        match node {
            NodeRef::Node(node) => node,
            NodeRef::Leader => self.leader,
            NodeRef::Follower => {
                let follower = (0..self.nodes)
                    .map(NodeId)
                    .find(|node| *node != self.leader);
                follower.unwrap_or(self.leader)
            }
        }
    }
}

/// What a fault does to messages, requests and answers while it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing; the fault acts on processes or clocks.
    Elsewhere,
    /// Messages pass only inside a group; the group of each node by place.
    Groups(Vec<u16>),
    /// Nothing passes from one to the other.
    OneWay(NodeId, NodeId),
    /// Messages get lost.
    Lossy(Ppm),
    /// Messages take longer.
    Slow(Millis),
    /// Messages from one to the other wait.
    Stalled(NodeId, NodeId),
    /// What was under way from one to the other when it began is lost, and the first message after.
    Broken {
        /// Sender.
        from: NodeId,
        /// Receiver.
        to: NodeId,
        /// When it began.
        since: Millis,
        /// Whether the sender has found out.
        noticed: bool,
    },
    /// Answers about transactions in blocks do not reach a party; from every node, or from one.
    Unanswered(PartyId, Option<NodeId>),
    /// Requests of a party arrive twice.
    Twice(PartyId),
    /// Requests and answers take longer.
    SlowClients(Millis),
}

impl Body {
    /// The body of a fault that begins now. A node on no side of a split is a side of its own.
    pub fn of(kind: &FaultKind, roles: Roles, now: Millis) -> Body {
        let alone = |node: NodeId| node.0 + 1;
        let cut_off = |inside: &dyn Fn(NodeId) -> bool| {
            Body::Groups(
                (0..roles.nodes)
                    .map(|node| u16::from(inside(NodeId(node))))
                    .collect(),
            )
        };
        match kind {
            FaultKind::Split { sides } => {
                let side = |node: NodeId| {
                    let side = sides.iter().position(|side| side.contains(&node));
                    side.map_or(alone(node), |side| roles.nodes + 1 + side as u16)
                };
                Body::Groups((0..roles.nodes).map(NodeId).map(side).collect())
            }
            FaultKind::Isolate { node } => {
                let node = roles.resolve(*node);
                cut_off(&|other| other == node)
            }
            FaultKind::SplitLeader { majority } => {
                let half = roles.nodes / 2;
                let size = if *majority {
                    half + 1
                } else {
                    roles.nodes - half - 1
                };
                let mut side = vec![roles.leader];
                let others = (0..roles.nodes)
                    .map(NodeId)
                    .filter(|node| *node != roles.leader);
                side.extend(others.take(usize::from(size.max(1)) - 1));
                cut_off(&|node| side.contains(&node))
            }
            FaultKind::OneWay { from, to } | FaultKind::Refuse { from, to } => {
                Body::OneWay(roles.resolve(*from), roles.resolve(*to))
            }
            FaultKind::Lossy { loss } => Body::Lossy(*loss),
            FaultKind::Slow { delay } => Body::Slow(*delay),
            FaultKind::Stall { from, to } => {
                Body::Stalled(roles.resolve(*from), roles.resolve(*to))
            }
            FaultKind::Reset { from, to } => Body::Broken {
                from: roles.resolve(*from),
                to: roles.resolve(*to),
                since: now,
                noticed: false,
            },
            FaultKind::LostReply { party, of } => {
                let node = match of {
                    Nodes::All => None,
                    Nodes::Only(node) => Some(roles.resolve(*node)),
                };
                Body::Unanswered(*party, node)
            }
            FaultKind::DuplicatedRequest { party } => Body::Twice(*party),
            FaultKind::SlowClients { delay } => Body::SlowClients(*delay),
            FaultKind::Crash { .. }
            | FaultKind::Stop { .. }
            | FaultKind::Pause { .. }
            | FaultKind::Wipe { .. }
            | FaultKind::RollBack { .. }
            | FaultKind::Offline { .. }
            | FaultKind::Clock(_)
            | FaultKind::SlippedIn { .. }
            | FaultKind::ForgedQuorum { .. }
            | FaultKind::Omitted { .. }
            | FaultKind::AlteredRow { .. } => Body::Elsewhere,
        }
    }

    /// Whether a message cannot pass.
    pub fn cuts(&self, from: NodeId, to: NodeId) -> bool {
        match self {
            Body::Groups(groups) => groups[from.index()] != groups[to.index()],
            Body::OneWay(sender, receiver) => (from, to) == (*sender, *receiver),
            _ => false,
        }
    }

    /// Whether a message that arrives waits instead.
    pub(crate) fn stalls(&self, from: NodeId, to: NodeId) -> bool {
        *self == Body::Stalled(from, to)
    }

    /// Whether a message sent now is the one by which the sender finds the connection broken.
    pub(crate) fn breaks(&mut self, sender: NodeId, receiver: NodeId) -> bool {
        match self {
            Body::Broken {
                from, to, noticed, ..
            } if (*from, *to) == (sender, receiver) => !std::mem::replace(noticed, true),
            _ => false,
        }
    }

    /// Whether a message that arrives was under way when the connection broke.
    pub(crate) fn broke(&self, sender: NodeId, receiver: NodeId, sent: Millis) -> bool {
        match self {
            Body::Broken {
                from, to, since, ..
            } => (*from, *to) == (sender, receiver) && sent <= *since,
            _ => false,
        }
    }

    /// Whether an answer does not reach the party. Only what tells of a commit is lost.
    pub(crate) fn silences(&self, party: PartyId, node: NodeId, reply: &Reply) -> bool {
        match self {
            Body::Unanswered(whose, of) => {
                *whose == party
                    && of.is_none_or(|of| of == node)
                    && matches!(reply, Reply::Included { .. })
            }
            _ => false,
        }
    }
}

/// A message that waits for a link: sender, receiver, when it was sent.
pub(crate) type Held = (NodeId, NodeId, Millis, Message);

/// A fault that is going on.
#[derive(Debug)]
pub(crate) struct Active {
    /// What it does to messages.
    pub(crate) body: Body,
    /// The node it struck, when it is about one.
    pub(crate) node: Option<NodeId>,
    /// What it did so far, in the unit of its kind.
    pub(crate) effect: u64,
    /// Messages that wait for it to end.
    pub(crate) held: Vec<Held>,
    /// The disk that a node is rolled back to.
    pub(crate) copy: Option<Disk>,
}

#[cfg(test)]
mod tests {
    use assay_model::id::Height;
    use assay_model::ledger::Outcome;

    use super::*;

    fn cuts(kind: FaultKind) -> Vec<(u16, u16)> {
        let body = Body::of(
            &kind,
            Roles {
                nodes: 4,
                leader: NodeId(1),
            },
            Millis(5),
        );
        let pairs = (0..4).flat_map(|from| (0..4).map(move |to| (from, to)));
        pairs
            .filter(|(from, to)| body.cuts(NodeId(*from), NodeId(*to)))
            .collect()
    }

    #[test]
    fn sides_hear_only_themselves_and_outsiders_nobody() {
        let sides = vec![vec![NodeId(0), NodeId(1)], vec![NodeId(2)]];
        let expected: Vec<_> = (0..4)
            .flat_map(|from| (0..4).map(move |to| (from, to)))
            .filter(|(from, to)| from != to && !(*from < 2 && *to < 2))
            .collect();
        assert_eq!(cuts(FaultKind::Split { sides }), expected);
    }

    #[test]
    fn one_way_is_one_way() {
        let kind = FaultKind::OneWay {
            from: NodeRef::Leader,
            to: NodeRef::Follower,
        };
        assert_eq!(cuts(kind), [(1, 0)]);
    }

    #[test]
    fn a_leader_is_cut_off_with_or_without_a_majority() {
        let alone = cuts(FaultKind::SplitLeader { majority: false });
        assert_eq!(alone, [(0, 1), (1, 0), (1, 2), (1, 3), (2, 1), (3, 1)]);
        let with_two = cuts(FaultKind::SplitLeader { majority: true });
        assert_eq!(with_two, [(0, 3), (1, 3), (2, 3), (3, 0), (3, 1), (3, 2)]);
    }

    fn body(kind: FaultKind) -> Body {
        let roles = Roles {
            nodes: 4,
            leader: NodeId(1),
        };
        Body::of(&kind, roles, Millis(5))
    }

    #[test]
    fn a_stall_keeps_one_direction_of_one_link_and_cuts_none() {
        let (from, to) = (NodeRef::Leader, NodeRef::Follower);
        let stall = body(FaultKind::Stall { from, to });
        assert!(stall.stalls(NodeId(1), NodeId(0)));
        assert!(!stall.stalls(NodeId(0), NodeId(1)) && !stall.stalls(NodeId(1), NodeId(2)));
        assert_eq!(cuts(FaultKind::Stall { from, to }), []);
        assert_eq!(cuts(FaultKind::Refuse { from, to }), [(1, 0)]);
    }

    #[test]
    fn a_broken_connection_takes_what_is_under_way_and_the_next_message() {
        let (from, to) = (NodeRef::Leader, NodeRef::Follower);
        let mut reset = body(FaultKind::Reset { from, to });
        let (sender, receiver) = (NodeId(1), NodeId(0));
        assert!(reset.broke(sender, receiver, Millis(5)));
        assert!(!reset.broke(sender, receiver, Millis(6)));
        assert!(!reset.broke(receiver, sender, Millis(5)));
        assert!(!reset.breaks(receiver, sender));
        assert!(reset.breaks(sender, receiver));
        assert!(!reset.breaks(sender, receiver));
    }

    #[test]
    fn only_answers_that_tell_of_a_commit_are_lost_and_only_where_said() {
        let included = Reply::Included {
            height: Height(2),
            outcome: Outcome::Accepted,
        };
        let of = Nodes::Only(NodeRef::Leader);
        let one = body(FaultKind::LostReply {
            party: PartyId(3),
            of,
        });
        assert!(one.silences(PartyId(3), NodeId(1), &included));
        assert!(!one.silences(PartyId(3), NodeId(2), &included));
        assert!(!one.silences(PartyId(2), NodeId(1), &included));
        assert!(!one.silences(PartyId(3), NodeId(1), &Reply::TimedOut));
        let all = body(FaultKind::LostReply {
            party: PartyId(3),
            of: Nodes::All,
        });
        assert!(all.silences(PartyId(3), NodeId(2), &included));
    }
}
