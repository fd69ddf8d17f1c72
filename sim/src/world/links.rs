//! Links between nodes and to clients: what gets through, when, and what faults do to it.

use assay_model::id::{NodeId, PartyId};
use assay_model::node::{Message, Reply};
use assay_model::time::Millis;
use assay_scenarios::plan::{Network, Ppm};

use super::{Happening, World};
use crate::fault::{Active, Body};
use crate::network::fate;
use crate::seed::Domain;

impl World<'_> {
    pub(super) fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        if self.is_cut(from, to) || self.finds_broken(from, to) {
            return;
        }
        let sent = self.kernel.now();
        let link = u64::from(from.0) << 16 | u64::from(to.0);
        let mut network = self.plan.network;
        let number = self.lanes.entry((Domain::Peer, link)).or_default().sent;
        self.disturb(&mut network, link, number);
        let mut copies = self.arrivals(&network, Domain::Peer, link);
        let Some((last, tie)) = copies.pop() else {
            return;
        };
        let mail = |message| Happening::Message {
            from,
            to,
            sent,
            message,
        };
        for (at, tie) in copies {
            let copy = mail(message.clone());
            self.kernel.schedule(at, tie, copy);
        }
        self.kernel.schedule(last, tie, mail(message));
    }

    /// When the copies of the next message on a link arrive, and how ties are broken.
    pub(super) fn arrivals(
        &mut self,
        network: &Network,
        domain: Domain,
        link: u64,
    ) -> Vec<(Millis, u64)> {
        let now = self.kernel.now();
        let lane = self.lanes.entry((domain, link)).or_default();
        let fate = fate(network, self.seed, domain, link, lane.sent);
        lane.sent += 1;
        let arrive = |delay: Millis| (lane.arrival(now + delay, fate.overtaken), fate.tie);
        fate.delays().map(arrive).collect()
    }

    /// Whether a fault cuts the link; each fault that does so counts it.
    pub(super) fn is_cut(&mut self, from: NodeId, to: NodeId) -> bool {
        self.count_faults(|fault| fault.body.cuts(from, to)) > 0
    }

    /// Whether a message finds its connection broken, as the first one after a reset does.
    fn finds_broken(&mut self, from: NodeId, to: NodeId) -> bool {
        self.count_faults(|fault| fault.body.breaks(from, to)) > 0
    }

    /// Whether a message that arrives was under way when its connection broke.
    pub(super) fn is_broken(&mut self, from: NodeId, to: NodeId, sent: Millis) -> bool {
        self.count_faults(|fault| fault.body.broke(from, to, sent)) > 0
    }

    /// The message, unless a fault keeps it until it is over.
    pub(super) fn unless_stalled(
        &mut self,
        from: NodeId,
        to: NodeId,
        sent: Millis,
        message: Message,
    ) -> Option<Message> {
        let mut faults = self.faults.iter_mut().flatten();
        let Some(fault) = faults.find(|fault| fault.body.stalls(from, to)) else {
            return Some(message);
        };
        fault.effect += 1;
        fault.held.push((from, to, sent, message));
        None
    }

    /// Whether a request of a party arrives twice.
    pub(super) fn is_doubled(&mut self, party: PartyId) -> bool {
        self.count_faults(|fault| fault.body == Body::Twice(party)) > 0
    }

    /// What faults add to the way between clients and nodes.
    pub(super) fn slow_clients(&mut self, network: &mut Network) {
        self.count_faults(|fault| match fault.body {
            Body::SlowClients(delay) => {
                network.latency += delay;
                true
            }
            _ => false,
        });
    }

    /// Whether an answer gets lost on its way to a party.
    pub(super) fn is_silenced(&mut self, party: PartyId, node: NodeId, reply: &Reply) -> bool {
        self.count_faults(|fault| fault.body.silences(party, node, reply)) > 0
    }

    /// How many faults do something; each of them counts it.
    fn count_faults(&mut self, mut does: impl FnMut(&mut Active) -> bool) -> usize {
        let mut count = 0;
        for fault in self.faults.iter_mut().flatten() {
            if does(fault) {
                fault.effect += 1;
                count += 1;
            }
        }
        count
    }

    /// What faults add to one message: more delay, or loss decided by a draw of the fault's own.
    pub(super) fn disturb(&mut self, network: &mut Network, link: u64, number: u64) {
        for (index, fault) in (0u64..).zip(&mut self.faults) {
            let Some(fault) = fault else { continue };
            match fault.body {
                Body::Slow(delay) => {
                    network.latency += delay;
                    fault.effect += 1;
                }
                Body::Lossy(loss) => {
                    let mut draw = self.seed.draw(Domain::Fault, index << 32 | link, number);
                    if draw.happens(loss) {
                        network.loss = Ppm(1_000_000);
                        fault.effect += 1;
                    }
                }
                _ => {}
            }
        }
    }
}
