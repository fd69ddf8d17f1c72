//! Whether faults leave enough for the network to go on: every process is struck once at a time, enough
//! nodes for a block are up, and enough of them remember their votes. A story that means to stop the
//! network says so.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use assay_model::id::NodeId;
use assay_model::node::quorum;
use assay_model::time::Millis;

use super::{Resolver, leader_at};
use crate::plan::{Deed, Fault, FaultKind, NodeRef, Step};

/// A fault that strikes a node's process.
struct Strike<'a> {
    fault: &'a Fault,
    node: NodeId,
    span: &'a Range<usize>,
}

impl Strike<'_> {
    fn ends(&self) -> Millis {
        self.fault.at + self.fault.lasts
    }

    fn goes_on(&self, at: Millis) -> bool {
        self.fault.at <= at && at < self.ends()
    }

    /// A node that is to be rolled back works until then, and comes back in the same moment.
    fn is_down(&self, at: Millis) -> bool {
        self.goes_on(at) && !matches!(self.fault.kind, FaultKind::RollBack { .. })
    }
}

/// Who leads when.
struct Leaders {
    first: NodeId,
    appointments: Vec<(Millis, NodeId)>,
}

impl Leaders {
    fn at(&self, at: Millis) -> NodeId {
        leader_at(self.first, &self.appointments, at)
    }

    /// Whether a node leads at some moment from the beginning of a fault to its end.
    fn includes(&self, strike: &Strike<'_>) -> bool {
        let during = |(at, _): &&(Millis, NodeId)| strike.fault.at <= *at && *at <= strike.ends();
        let later = self.appointments.iter().filter(during);
        let mut leaders =
            std::iter::once(self.at(strike.fault.at)).chain(later.map(|(_, node)| *node));
        leaders.any(|leader| leader == strike.node)
    }
}

impl Resolver<'_> {
    /// Reports what no process can suffer, and, unless the story means it, what stops the network.
    pub(super) fn budget(
        &mut self,
        (first, sentries): (NodeId, &BTreeSet<NodeId>),
        steps: &[(Step, Range<usize>)],
        faults: &[(Fault, Range<usize>)],
        no_quorum: bool,
    ) {
        let appointments = steps
            .iter()
            .filter_map(|(step, _)| match step.deed {
                Deed::AppointLeader(node) => Some((step.at, node)),
                Deed::Party(..) => None,
            })
            .collect();
        let leaders = Leaders {
            first,
            appointments,
        };
        let strikes: Vec<Strike<'_>> = faults
            .iter()
            .filter_map(|(fault, span)| {
                let node = played_by(fault.kind.process()?, leaders.at(fault.at));
                Some(Strike { fault, node, span })
            })
            .collect();
        self.one_at_a_time(&strikes);
        if !no_quorum {
            self.quorum(&strikes, sentries);
            self.memory(&leaders, &strikes);
        }
    }

    /// Reports a process that is struck while it is struck already: the second fault could do nothing.
    fn one_at_a_time(&mut self, strikes: &[Strike<'_>]) {
        for (place, strike) in strikes.iter().enumerate() {
            let (node, at) = (strike.node, strike.fault.at);
            let mut before = strikes[..place].iter();
            let Some(other) = before.find(|other| other.node == node && other.goes_on(at)) else {
                continue;
            };
            let (kind, ends) = (other.fault.kind.name(), other.ends());
            let message = format!("at {at} the process of {node} is in the hands of another fault");
            self.complain_at(strike.span.clone(), message, "struck again")
                .also(other.span.clone(), format!("`{kind}` until {ends}"))
                .advise(
                    "one fault at a time strikes a process: crash, stop, pause, wipe or roll-back",
                );
        }
    }

    /// Reports the first moment at which too many nodes are down at once.
    fn quorum(&mut self, strikes: &[Strike<'_>], sentries: &BTreeSet<NodeId>) {
        let voters = (self.nodes as usize).saturating_sub(sentries.len());
        let needed = quorum(voters);
        for strike in strikes {
            let now = strike.fault.at;
            let down: BTreeMap<NodeId, Range<usize>> = strikes
                .iter()
                .filter(|other| other.is_down(now) && !sentries.contains(&other.node))
                .map(|other| (other.node, other.span.clone()))
                .collect();
            if voters > 0 && down.len() + needed > voters {
                let message = format!(
                    "at {now} {} of {} nodes are down, and a block needs {needed}",
                    down.len(),
                    voters
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

    /// Reports nodes that lose what must not be forgotten. A leader in its own term knows alone what it
    /// proposed; a later leader asks a majority what may have committed, and somebody in it has to know.
    fn memory(&mut self, leaders: &Leaders, strikes: &[Strike<'_>]) {
        let nodes = self.nodes as usize;
        let mut forgetful = BTreeSet::new();
        for strike in strikes.iter().filter(|strike| strike.fault.kind.forgets()) {
            let (kind, node) = (strike.fault.kind.name(), strike.node);
            if leaders.includes(strike) {
                let message = format!("`{kind}` lets {node} forget what it proposed as the leader");
                self.complain_at(strike.span.clone(), message, format!("{node} leads"))
                    .advise("strike a node that does not lead while the fault lasts");
                return;
            }
            forgetful.insert(node);
            let changes = leaders
                .appointments
                .iter()
                .any(|(at, _)| *at >= strike.fault.at);
            // Any two majorities share this many nodes.
            let shared = (2 * quorum(nodes)).saturating_sub(nodes);
            if changes && forgetful.len() >= shared {
                let message = format!(
                    "`{kind}` lets {node} forget its votes, and a later leader may hear of a block from \
                     nobody else"
                );
                let label = format!("of {nodes} nodes any two majorities share {shared}");
                self.complain_at(strike.span.clone(), message, label)
                    .advise("appoint no leader after it, or let fewer nodes forget");
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
