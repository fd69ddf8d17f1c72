//! Faults begin and end here; what they do to messages is the part of `fault`.

use std::sync::Arc;

use assay_model::history::Event;
use assay_model::id::{NodeId, PartyId};
use assay_model::ledger::{Action, Batch, Transaction, Unsigned};
use assay_model::node::{self, Misdeed};
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
        let body = Body::of(kind, roles, self.kernel.now());
        let mut active = Active {
            body,
            node: None,
            effect: 0,
            held: Vec::new(),
            copy: None,
        };
        self.record(Event::FaultBegan {
            fault: index as u32,
        });
        match kind {
            FaultKind::Crash { node } => {
                let node = roles.resolve(*node);
                active.node = self.crash(node).then_some(node);
                active.effect = u64::from(active.node.is_some());
            }
            FaultKind::Stop { node } => {
                let node = roles.resolve(*node);
                active.node = self.stop(node).then_some(node);
                active.effect = u64::from(active.node.is_some());
            }
            FaultKind::Pause { node } => {
                let node = roles.resolve(*node);
                active.node = self.pause(node).then_some(node);
            }
            FaultKind::Wipe { node } => {
                let node = roles.resolve(*node);
                if self.crash(node) {
                    active.node = Some(node);
                    active.effect = self.hosts[node.index()].disk.wipe() as u64;
                }
            }
            FaultKind::RollBack { node } => {
                let node = roles.resolve(*node);
                active.node = Some(node);
                active.copy = Some(self.hosts[node.index()].disk.copy());
            }
            FaultKind::Offline { party } => {
                self.people[party.index()].held.get_or_insert_default();
                active.effect = 1;
            }
            FaultKind::Clock(error) => {
                active.node = self.disturb_clock(error);
            }
            FaultKind::SlippedIn { party } => {
                let node = roles.leader;
                if let Some(forged) = self.unsigned_erasure(node, *party) {
                    self.give(node, node::Input::Misdeed(Misdeed::SlipIn(forged)));
                    active.effect = 1;
                }
            }
            FaultKind::ForgedQuorum { node } => {
                let node = roles.resolve(*node);
                active.node = Some(node);
                active.effect = u64::from(self.hosts[node.index()].node.is_some());
                self.give(node, node::Input::Misdeed(Misdeed::RepeatVotes(true)));
            }
            FaultKind::Omitted { party } => {
                let node = roles.leader;
                active.node = Some(node);
                let senders = self.history.cast.party(*party).identities.clone();
                self.give(node, node::Input::Misdeed(Misdeed::Omit(senders)));
            }
            FaultKind::AlteredRow { node, party } => {
                let node = roles.resolve(*node);
                let user = self.plan.parties[party.index()].user;
                active.effect = u64::from(self.hosts[node.index()].node.is_some());
                self.give(node, node::Input::Misdeed(Misdeed::AlterUser(user)));
            }
            FaultKind::Split { .. }
            | FaultKind::Isolate { .. }
            | FaultKind::SplitLeader { .. }
            | FaultKind::OneWay { .. }
            | FaultKind::Lossy { .. }
            | FaultKind::Slow { .. }
            | FaultKind::Stall { .. }
            | FaultKind::Refuse { .. }
            | FaultKind::Reset { .. }
            | FaultKind::LostReply { .. }
            | FaultKind::DuplicatedRequest { .. }
            | FaultKind::SlowClients { .. } => {}
        }
        self.faults[index] = Some(active);
    }

    pub(super) fn end_fault(&mut self, index: usize) {
        let Some(Active {
            node,
            mut effect,
            held,
            copy,
            ..
        }) = self.faults[index].take()
        else {
            return;
        };
        match &self.plan.faults[index].kind {
            FaultKind::Crash { .. } | FaultKind::Stop { .. } => {
                if let Some(node) = node {
                    self.start(node, true);
                }
            }
            FaultKind::Pause { .. } => {
                if let Some(node) = node {
                    effect = self.resume(node);
                }
            }
            FaultKind::Wipe { .. } => {
                if let Some(node) = node {
                    self.start_forgetful(node);
                }
            }
            FaultKind::RollBack { .. } => {
                if let (Some(node), Some(copy)) = (node, copy)
                    && self.crash(node)
                {
                    effect = self.hosts[node.index()].disk.roll_back(copy) as u64;
                    self.start_forgetful(node);
                }
            }
            FaultKind::ForgedQuorum { .. } => {
                if let Some(node) = node {
                    self.give(node, node::Input::Misdeed(Misdeed::RepeatVotes(false)));
                }
            }
            FaultKind::Omitted { .. } => {
                if let Some(node) = node {
                    let machine = self.hosts[node.index()].node.as_ref();
                    effect = machine.map_or(0, |machine| machine.omitted() as u64);
                    self.give(node, node::Input::Misdeed(Misdeed::Omit(Vec::new())));
                }
            }
            FaultKind::Stall { .. } => {
                for (from, to, sent, message) in held {
                    self.deliver(from, to, sent, message);
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

    /// A transaction that erases a party's profile, with a signature that is none, as the next one of its
    /// account on a node that runs.
    fn unsigned_erasure(&self, node: NodeId, party: PartyId) -> Option<Arc<Transaction>> {
        let machine = self.hosts[node.index()].node.as_ref()?;
        let sender = self.history.cast.party(party).identities[0];
        let unsigned = Unsigned {
            nonce: machine.pending_nonce(&sender) + 1,
            chain_id: self.genesis.chain_id.clone(),
            payload: Batch::one(Action::RemoveUser {}).into(),
        };
        Some(Transaction::assemble(sender, unsigned, |_| vec![1; 65]))
    }

    /// Starts a node whose disk does not say who leads now; its operator does.
    fn start_forgetful(&mut self, node: NodeId) {
        if self.term > 0 {
            self.hosts[node.index()].appointed = Some((self.term, self.leader));
        }
        self.start(node, true);
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
