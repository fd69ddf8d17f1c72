//! Faults begin and end here; what they do to messages is the part of `fault`.

use assay_model::history::Event;
use assay_model::id::NodeId;
use assay_scenarios::plan::{ClockError, FaultKind, Whose};

use super::{Phase, World};
use crate::fault::{Active, Body, Roles};

impl World<'_> {
    pub(super) fn begin_fault(&mut self, index: usize) {
        if self.phase != Phase::Trouble {
            return;
        }
        let kind = &self.plan.faults[index].kind;
        let roles = Roles {
            nodes: self.plan.nodes,
            leader: self.leader,
        };
        let body = Body::of(kind, roles);
        let mut active = Active {
            body,
            node: None,
            effect: 0,
        };
        self.record(Event::FaultBegan {
            fault: index as u32,
        });
        match kind {
            FaultKind::Crash { node } => {
                let node = roles.resolve(*node);
                active.node = Some(node);
                active.effect = u64::from(self.crash(node));
            }
            FaultKind::Offline { party } => {
                self.people[party.index()].held.get_or_insert_default();
                active.effect = 1;
            }
            FaultKind::Clock(error) => {
                active.node = self.disturb_clock(error);
            }
            FaultKind::Split { .. }
            | FaultKind::Isolate { .. }
            | FaultKind::SplitLeader { .. }
            | FaultKind::OneWay { .. }
            | FaultKind::Lossy { .. }
            | FaultKind::Slow { .. } => {}
        }
        self.faults[index] = Some(active);
    }

    pub(super) fn end_fault(&mut self, index: usize) {
        let Some(Active {
            node, mut effect, ..
        }) = self.faults[index].take()
        else {
            return;
        };
        match &self.plan.faults[index].kind {
            FaultKind::Crash { .. } => {
                let node = node.expect("a crash struck a node");
                if effect > 0 {
                    self.start(node, true);
                }
            }
            FaultKind::Offline { party } => {
                for input in self.people[party.index()].held.take().unwrap_or_default() {
                    self.tell(*party, input);
                }
            }
            FaultKind::Clock(error) => {
                let now = self.kernel.now();
                let clock = match (error.whose, node) {
                    (Whose::Party(party), _) => &mut self.people[party.index()].clock,
                    (Whose::Node(_), Some(node)) => &mut self.hosts[node.index()].clock,
                    (Whose::Node(_), None) => unreachable!("the clock of a node was disturbed"),
                };
                effect = clock.error(now).unsigned_abs();
                clock.mend();
            }
            _ => {}
        }
        self.record(Event::FaultEnded {
            fault: index as u32,
            effect,
        });
    }

    /// Makes a clock wrong; returns the node it is of.
    pub(super) fn disturb_clock(&mut self, error: &ClockError) -> Option<NodeId> {
        let now = self.kernel.now();
        let roles = Roles {
            nodes: self.plan.nodes,
            leader: self.leader,
        };
        match error.whose {
            Whose::Party(party) => {
                self.people[party.index()]
                    .clock
                    .disturb(now, error.offset, error.drift);
                None
            }
            Whose::Node(node) => {
                let node = roles.resolve(node);
                self.hosts[node.index()]
                    .clock
                    .disturb(now, error.offset, error.drift);
                Some(node)
            }
        }
    }
}
