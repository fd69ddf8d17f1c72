//! The end of the story: everything heals, what is owed arrives, everybody reads everything, and nodes
//! are looked into.

use std::collections::{BTreeMap, BTreeSet};

use assay_model::actor::{self, Order, Task, Via};
use assay_model::history::{Event, Level, Place};
use assay_model::id::{CredentialId, NodeId, PartyId};
use assay_model::ledger::{Outcome, Transaction, Written};
use assay_model::node::Record;

use super::{AUDIT_PATIENCE, Host, Phase, World};

impl World<'_> {
    pub(super) fn heal(&mut self) {
        for index in 0..self.faults.len() {
            self.end_fault(index);
        }
        for node in (0..self.plan.nodes).map(NodeId) {
            if self.hosts[node.index()].node.is_none() {
                self.start(node, true);
            }
        }
        self.phase = Phase::Healed;
        self.record(Event::Healed);
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
    pub(super) fn is_quiet(&self) -> bool {
        self.audits == 0
            && self.ended == self.begun
            && self.begun == self.plan.steps.len()
            && self.open.is_empty()
            && self.hosts.iter().all(|host| {
                host.node
                    .as_ref()
                    .is_some_and(|node| !host.syncing && !node.has_pending() && !node.is_syncing())
            })
            && self.disagreement().is_none()
    }

    pub(super) fn disagreement(&self) -> Option<NodeId> {
        let tip = |host: &Host| {
            host.node
                .as_ref()
                .map(|node| (node.height(), node.app_hash()))
        };
        let first = tip(&self.hosts[0]);
        let other = self.hosts.iter().position(|host| tip(host) != first)?;
        Some(NodeId(other as u16))
    }

    pub(super) fn begin_audit(&mut self) {
        let copies = self.plan.copies();
        let tokens = self.plan.has_tokens();
        let nodes: Vec<NodeId> = (0..self.plan.nodes).map(NodeId).collect();
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
        for (node, host) in (0..).map(NodeId).zip(&self.hosts) {
            match &host.node {
                None => owed.push(format!("{node} is down")),
                Some(machine) => {
                    if let Some(why) = machine.halted() {
                        owed.push(format!("{node} has halted: {why}"));
                    } else if machine.is_syncing() {
                        owed.push(format!("{node} is still catching up"));
                    } else if machine.has_pending() {
                        owed.push(format!("{node} still holds transactions for a block"));
                    }
                }
            }
        }
        if let Some(node) = self.disagreement() {
            owed.push(format!(
                "{node} and {} are not at the same block",
                NodeId(0)
            ));
        }
        owed
    }

    /// Looks into every node's tables, and sums up what was searched for plaintext.
    pub(super) fn inspect(&mut self) {
        for ((node, place), bytes) in std::mem::take(&mut self.scanned) {
            self.record(Event::Scanned {
                node,
                place,
                bytes,
                found: Vec::new(),
            });
        }
        for node in (0..self.plan.nodes).map(NodeId) {
            let Some(machine) = &self.hosts[node.index()].node else {
                continue;
            };
            let tables = machine.state().tables();
            let event = Event::Inspected {
                node,
                height: machine.height(),
                app_hash: machine.app_hash(),
                tables: Some(machine.state().digest()),
                credentials: tables.credentials.keys().copied().collect(),
                grants: tables.access_grants.keys().copied().collect(),
                users: tables.users.keys().copied().collect(),
                oldest: Some(machine.oldest()),
                named: tables
                    .consumed_write_grants
                    .iter()
                    .filter(|(_, row)| row.names_somebody())
                    .map(|(id, _)| *id)
                    .collect(),
            };
            self.record(event);
        }
        self.look_for_deleted();
    }

    /// Says of every ciphertext that the story has deleted what is left of it on each node in what it keeps
    /// of the past, on disk or waiting for a block. A credential whose row a node still stores is not deleted
    /// there; whether it should be is seen by looking into the tables.
    fn look_for_deleted(&mut self) {
        let written = self.written();
        // One word for each credential: the worst.
        let mut worst: BTreeMap<(NodeId, CredentialId), Level> = BTreeMap::new();
        for (node, host) in (0..).map(NodeId).zip(&self.hosts) {
            let Some(machine) = &host.node else { continue };
            let stored = &machine.state().tables().credentials;
            let mut kept: BTreeSet<[u8; 32]> = BTreeSet::new();
            for record in host.disk.records() {
                let (block, state) = match record {
                    Record::Committed(committed) => (Some(&committed.block), None),
                    Record::Accepted(_, block) => (Some(block), None),
                    Record::Snapshot { snapshot, .. } => {
                        (Some(&snapshot.committed.block), Some(&snapshot.state))
                    }
                    Record::Term(..) => (None, None),
                };
                let transactions = block
                    .into_iter()
                    .flat_map(|block| block.transactions.iter());
                kept.extend(transactions.flat_map(|one| contents(one)).map(|(_, it)| it));
                let rows = state
                    .into_iter()
                    .flat_map(|state| state.tables().credentials.values());
                kept.extend(rows.map(|row| *row.content.digest()));
            }
            let waiting = machine.pending().flat_map(|one| contents(one));
            kept.extend(waiting.map(|(_, content)| content));
            for (credential, content) in &written {
                if stored.contains_key(credential) {
                    continue;
                }
                let level = match kept.contains(content) {
                    true => Level::History,
                    false => Level::Gone,
                };
                let known = worst.entry((node, *credential)).or_insert(level);
                *known = level.min(*known);
            }
        }
        for ((node, credential), level) in worst {
            self.record(Event::Remained {
                node,
                credential,
                level,
            });
        }
    }

    /// Every content that some block of the story stored, with its row.
    fn written(&self) -> BTreeSet<(CredentialId, [u8; 32])> {
        let mut written = BTreeSet::new();
        for observation in self.history.observations() {
            if let Event::Committed {
                committed, results, ..
            } = &observation.event
            {
                let pairs = committed.block.transactions.iter().zip(results.iter());
                let accepted = pairs.filter(|(_, result)| result.outcome == Outcome::Accepted);
                written.extend(accepted.flat_map(|(one, _)| contents(one)));
            }
        }
        written
    }

    pub(super) fn scan(&mut self, node: NodeId, place: Place, transaction: &Transaction) {
        let found = self.scanner.transaction(transaction);
        *self.scanned.entry((node, place)).or_default() += found.bytes;
        if !found.markers.is_empty() {
            let (bytes, found) = (found.bytes, found.markers.clone());
            self.record(Event::Scanned {
                node,
                place,
                bytes,
                found,
            });
        }
    }
}

/// The contents a transaction would store, by digest, with their rows.
fn contents(transaction: &Transaction) -> Vec<(CredentialId, [u8; 32])> {
    let calls = transaction.payload.calls().iter();
    calls
        .flat_map(Written::all)
        .map(|written| (written.id, *written.content.digest()))
        .collect()
}
