//! The end of the story: everything heals, what is owed arrives, everybody reads everything, and nodes
//! are stopped and looked into.

use assay_model::actor::{self, Order, Task, Via};
use assay_model::history::Event;
use assay_model::id::NodeId;
use assay_model::id::PartyId;

use super::network::{Network, Seat, Told};
use super::{Phase, Stage};
use crate::venue::{Trouble, Venue};

/// How long the last reading of everything may take, in milliseconds.
const AUDIT_PATIENCE: u64 = 120_000;

impl<'v, V: Venue> Stage<'v, '_, V> {
    pub(super) async fn heal(&mut self) -> Result<(), Trouble> {
        for index in 0..self.faults.len() {
            self.end_fault(index).await?;
        }
        for node in self.nodes() {
            if !self.network.seats[node.index()].up {
                self.start(node, true).await?;
            }
        }
        self.phase = Phase::Healed;
        self.record(Event::Healed);
        Ok(())
    }

    pub(super) fn look_whether_settled(&mut self) {
        if !matches!(self.phase, Phase::Healed | Phase::Auditing) || !self.is_quiet() {
            return;
        }
        if self.phase == Phase::Healed && self.plan.audit {
            self.phase = Phase::Auditing;
            self.begin_audit();
        } else {
            self.record(Event::Settled);
            self.phase = Phase::Over;
        }
    }

    /// Whether nothing is under way and all nodes hold the same.
    fn is_quiet(&self) -> bool {
        let settled = |seat: &Seat| {
            seat.up && seat.shown.heard && !seat.shown.syncing && seat.shown.pending == 0
        };
        self.audits == 0
            && self.ended == self.begun
            && self.begun == self.plan.steps.len()
            && self.open.is_empty()
            && self.waiting.is_empty()
            && self.network.seats.iter().all(settled)
            && self.disagreement().is_none()
    }

    fn disagreement(&self) -> Option<NodeId> {
        let first = self.network.seats[0].shown.last;
        let differs = |seat: &Seat| seat.shown.last != first;
        let other = self.network.seats.iter().position(differs)?;
        Some(NodeId(other as u16))
    }

    fn begin_audit(&mut self) {
        let copies = self.plan.copies();
        let tokens = self.plan.has_tokens();
        let nodes: Vec<NodeId> = self.nodes().collect();
        for party in 0..self.people.len() {
            let order = Order::Audit {
                nodes: nodes.clone(),
                copies: copies.clone(),
                tokens,
            };
            let task = Task {
                order,
                via: Via::Any,
                wallet: 0,
                patience: AUDIT_PATIENCE,
                oddity: None,
            };
            let step = self.plan.steps.len() as u32 + 1;
            self.audits += 1;
            self.tell(PartyId(party as u16), actor::Input::Begin { step, task });
        }
    }

    /// What is still under way, in words.
    pub(super) fn owed(&self) -> Vec<String> {
        let mut owed = Vec::new();
        for (person, member) in self.people.iter().zip(&self.history.cast.parties) {
            for step in person.actor.pending() {
                owed.push(match self.plan.steps.get(step as usize) {
                    Some(step) => format!("{} has not finished line {}", member.name, step.line),
                    None => format!("{} has not read everything", member.name),
                });
            }
        }
        for (node, seat) in (0..).map(NodeId).zip(&self.network.seats) {
            let why = if !seat.up {
                "is down"
            } else if !seat.shown.heard {
                "does not answer"
            } else if seat.shown.syncing {
                "is still catching up"
            } else if seat.shown.pending > 0 {
                "still holds transactions for a block"
            } else {
                continue;
            };
            owed.push(format!("{node} {why}"));
        }
        if let Some(node) = self.disagreement() {
            owed.push(format!(
                "{node} and {} are not at the same block",
                NodeId(0)
            ));
        }
        owed
    }

    /// Takes leave of everybody, says what was compared, and leaves the network as it is.
    pub(super) fn end(mut self) -> (Network<'v, V>, Told) {
        for open in std::mem::take(&mut self.open).into_values() {
            open.task.abort();
        }
        self.take_news();
        for waiting in std::mem::take(&mut self.waiting) {
            self.conclude(waiting);
        }
        for (node, (answers, results)) in std::mem::take(&mut self.compared) {
            self.record(Event::Compared {
                node,
                answers,
                results,
            });
        }
        self.metrics.simulated = self.now();
        let told = Told {
            history: self.history,
            metrics: self.metrics,
        };
        (self.network, told)
    }
}
