//! What nodes do: start, crash, take inputs, and get done what they want done.

use std::collections::VecDeque;

use assay_model::actor;
use assay_model::crypto::SigningKey;
use assay_model::history::{Event, Place};
use assay_model::id::NodeId;
use assay_model::node::{self, Message, Node, Note, Output, Record};
use assay_model::time::Millis;

use super::{Happening, World};

/// Node keys hang on the node's place alone.
pub fn node_key(node: u16) -> SigningKey {
    actor::validator_key(NodeId(node))
}

impl World<'_> {
    pub(super) fn start(&mut self, node: NodeId, again: bool) {
        self.record(Event::Started { node, again });
        let host = &mut self.hosts[node.index()];
        host.life += 1;
        host.syncing = false;
        host.paused = None;
        host.synced = None;
        let mut out = node::Outbox::default();
        let restored = Node::restore(
            node,
            self.genesis.clone(),
            self.suite.clone(),
            host.key.clone(),
            host.disk.records(),
            &mut out,
        );
        host.node = Some(restored);
        let appointed = host.appointed.take();
        self.carry_out(node, out.0.into());
        if let Some((term, leader)) = appointed {
            self.give(node, node::Input::Appoint { term, leader });
        }
        self.give(node, node::Input::Start);
    }

    /// Ends a process at once; false when there is none.
    pub(super) fn crash(&mut self, node: NodeId) -> bool {
        if !self.end_process(node) {
            return false;
        }
        let lost = self.hosts[node.index()].disk.crash() as u32;
        self.record(Event::Crashed { node, lost });
        true
    }

    /// Ends a process that makes everything durable first; false when there is none.
    pub(super) fn stop(&mut self, node: NodeId) -> bool {
        if !self.end_process(node) {
            return false;
        }
        self.hosts[node.index()].disk.sync();
        self.record(Event::Stopped { node });
        true
    }

    fn end_process(&mut self, node: NodeId) -> bool {
        let host = &mut self.hosts[node.index()];
        if host.node.take().is_none() {
            return false;
        }
        host.life += 1;
        host.inbox.clear();
        true
    }

    /// Lets a process do nothing until it is resumed; false when there is none.
    pub(super) fn pause(&mut self, node: NodeId) -> bool {
        let host = &mut self.hosts[node.index()];
        if host.node.is_none() || host.paused.is_some() {
            return false;
        }
        host.paused = Some(0);
        true
    }

    /// Lets a paused process go on with what has waited for it; returns how many inputs that were.
    pub(super) fn resume(&mut self, node: NodeId) -> u64 {
        let host = &mut self.hosts[node.index()];
        let waited = host.paused.take().unwrap_or(0);
        if let Some(outputs) = host.synced.take() {
            host.syncing = false;
            self.carry_out(node, outputs);
        }
        self.go_on(node);
        waited
    }

    pub(super) fn deliver(&mut self, from: NodeId, to: NodeId, sent: Millis, message: Message) {
        // A cut hits also what was under way when it began.
        if self.is_cut(from, to) || self.is_broken(from, to, sent) {
            return;
        }
        let Some(message) = self.unless_stalled(from, to, sent, message) else {
            return;
        };
        if self.hosts[to.index()].node.is_none() {
            return;
        }
        self.metrics.messages += 1;
        let [f, t] = [from.0 as u8, to.0 as u8];
        self.history.stir(&self.kernel.now().0.to_le_bytes());
        self.history.stir(&[f, t]);
        self.history.stir(message.kind().as_bytes());
        for transaction in message.transactions() {
            self.scan(to, Place::Message, transaction);
        }
        self.give(to, node::Input::Message { from, message });
    }

    /// Hands a node an input, or keeps it while the node waits for its disk.
    pub(super) fn give(&mut self, node: NodeId, input: node::Input) {
        let host = &mut self.hosts[node.index()];
        let Some(machine) = &mut host.node else {
            return;
        };
        if let Some(waiting) = &mut host.paused {
            *waiting += 1;
        }
        if host.syncing || host.paused.is_some() {
            host.inbox.push_back(input);
            return;
        }
        let now = host.clock.read(self.kernel.now());
        let mut out = node::Outbox::default();
        machine.handle(now, input, &mut out);
        self.carry_out(node, out.0.into());
    }

    /// Does what a node wants done, up to a barrier.
    pub(super) fn carry_out(&mut self, node: NodeId, mut outputs: VecDeque<Output>) {
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Send { to, message } => self.send(node, to, message),
                Output::Reply { to, reply } => self.send_reply(node, to, reply),
                Output::Timer { after, timer } => {
                    let host = &self.hosts[node.index()];
                    let (after, life) = (host.clock.span(after), host.life);
                    let input = node::Input::Timer(timer);
                    self.schedule_in(after, Happening::Node { node, life, input });
                }
                Output::Persist(record) => {
                    if let Record::Committed(committed) = &record {
                        for transaction in committed.block.transactions.clone().iter() {
                            self.scan(node, Place::Disk, transaction);
                        }
                    }
                    self.hosts[node.index()].disk.write(record);
                }
                Output::Sync => {
                    let host = &mut self.hosts[node.index()];
                    host.syncing = true;
                    let life = host.life;
                    let synced = Happening::Synced {
                        node,
                        life,
                        outputs,
                    };
                    self.schedule_in(self.plan.disk_sync, synced);
                    return;
                }
                Output::Note(note) => self.note(node, note),
            }
        }
    }

    pub(super) fn on_synced(&mut self, node: NodeId, life: u32, outputs: VecDeque<Output>) {
        let host = &mut self.hosts[node.index()];
        if host.life != life {
            return;
        }
        host.disk.sync();
        if host.paused.is_some() {
            host.synced = Some(outputs);
            return;
        }
        host.syncing = false;
        self.carry_out(node, outputs);
        self.go_on(node);
    }

    /// Hands a node what has waited for its disk or for itself.
    fn go_on(&mut self, node: NodeId) {
        while let host = &mut self.hosts[node.index()]
            && !host.syncing
            && let Some(input) = host.inbox.pop_front()
        {
            self.give(node, input);
        }
    }

    pub(super) fn note(&mut self, node: NodeId, note: Note) {
        let event = match note {
            Note::Committed {
                committed,
                app_hash,
                results,
                tables,
                replayed,
            } => {
                if committed.block.height > self.metrics.height {
                    self.metrics.height = committed.block.height;
                    self.metrics.actions += results.len() as u64;
                }
                Event::Committed {
                    node,
                    committed,
                    app_hash,
                    results,
                    tables: Some(tables),
                    replayed,
                }
            }
            Note::Installed {
                height,
                app_hash,
                tables,
            } => Event::Installed {
                node,
                height,
                app_hash,
                tables: Some(tables),
            },
            Note::Halted(why) => Event::Halted { node, why },
            Note::Leads { term } => Event::Leads { node, term },
            Note::Proposed { height, time, .. } => {
                let clock = self.hosts[node.index()].clock.read(self.kernel.now());
                Event::Proposed {
                    node,
                    height,
                    time,
                    clock,
                }
            }
        };
        self.record(event);
    }
}
