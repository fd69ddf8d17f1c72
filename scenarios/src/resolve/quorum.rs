//! Whether crashes leave enough nodes for a block. A story that means to stop the network says so.

use std::collections::BTreeMap;
use std::ops::Range;

use assay_model::id::NodeId;
use assay_model::node::quorum;
use assay_model::time::Millis;

use super::{Resolver, leader_at};
use crate::plan::{Deed, Fault, FaultKind, NodeRef, Step};

impl Resolver<'_> {
    /// Reports the first moment at which too many nodes are down at once.
    pub(super) fn quorum(
        &mut self,
        leader: NodeId,
        steps: &[(Step, Range<usize>)],
        faults: &[(Fault, Range<usize>)],
    ) {
        let appointments: Vec<(Millis, NodeId)> = steps
            .iter()
            .filter_map(|(step, _)| match step.deed {
                Deed::AppointLeader(node) => Some((step.at, node)),
                Deed::Party(..) => None,
            })
            .collect();
        let crashes: Vec<(&Fault, NodeId, &Range<usize>)> = faults
            .iter()
            .filter_map(|(fault, span)| match fault.kind {
                FaultKind::Crash { node } => {
                    let leader = leader_at(leader, &appointments, fault.at);
                    Some((fault, played_by(node, leader), span))
                }
                _ => None,
            })
            .collect();
        let needed = quorum(self.nodes as usize);
        for (fault, ..) in &crashes {
            let now = fault.at;
            let running = |other: &Fault| other.at <= now && now < other.at + other.lasts;
            let down: BTreeMap<NodeId, Range<usize>> = crashes
                .iter()
                .filter(|(other, ..)| running(other))
                .map(|(_, node, span)| (*node, (*span).clone()))
                .collect();
            if self.nodes > 0 && down.len() + needed > self.nodes as usize {
                let message = format!(
                    "at {now} {} of {} nodes are down, and a block needs {needed}",
                    down.len(),
                    self.nodes
                );
                let mut spans = down.into_iter();
                let Some((first, span)) = spans.next() else {
                    return;
                };
                let problem = self.complain_at(span, message, format!("{first} is down"));
                for (node, span) in spans {
                    problem.also(span, format!("{node} is down"));
                }
                problem
                    .advise("`no-quorum = true`, at the top of the file, says that this is meant");
                return;
            }
        }
    }
}

/// The node that plays a role when this one leads.
fn played_by(node: NodeRef, leader: NodeId) -> NodeId {
    match node {
        NodeRef::Node(node) => node,
        NodeRef::Leader => leader,
        NodeRef::Follower if leader == NodeId(0) => NodeId(1),
        NodeRef::Follower => NodeId(0),
    }
}
