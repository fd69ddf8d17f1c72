//! What goes wrong, given a body: which links are cut, what is lost or late, and how much of it really
//! happened.

use assay_model::id::NodeId;
use assay_model::time::Millis;
use assay_scenarios::plan::{FaultKind, NodeRef, Ppm};

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

/// What a fault does to messages between nodes while it lasts.
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
}

impl Body {
    /// The body of a fault that begins now. A node on no side of a split is a side of its own.
    pub fn of(kind: &FaultKind, roles: Roles) -> Body {
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
            FaultKind::OneWay { from, to } => {
                Body::OneWay(roles.resolve(*from), roles.resolve(*to))
            }
            FaultKind::Lossy { loss } => Body::Lossy(*loss),
            FaultKind::Slow { delay } => Body::Slow(*delay),
            FaultKind::Crash { .. } | FaultKind::Offline { .. } | FaultKind::Clock(_) => {
                Body::Elsewhere
            }
        }
    }

    /// Whether a message cannot pass.
    pub fn cuts(&self, from: NodeId, to: NodeId) -> bool {
        match self {
            Body::Groups(groups) => groups[from.index()] != groups[to.index()],
            Body::OneWay(sender, receiver) => (from, to) == (*sender, *receiver),
            Body::Elsewhere | Body::Lossy(_) | Body::Slow(_) => false,
        }
    }
}

/// A fault that is going on.
#[derive(Clone, Debug)]
pub struct Active {
    /// What it does to messages.
    pub body: Body,
    /// The node it struck, when it is about one.
    pub node: Option<NodeId>,
    /// What it did so far, in the unit of its kind.
    pub effect: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(kind: FaultKind) -> Vec<(u16, u16)> {
        let body = Body::of(
            &kind,
            Roles {
                nodes: 4,
                leader: NodeId(1),
            },
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
}
