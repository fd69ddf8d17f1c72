//! Links between nodes: what gets through, when, and what faults do to it.

use assay_model::id::NodeId;
use assay_model::node::Message;
use assay_model::time::Millis;
use assay_scenarios::plan::{Network, Ppm};

use super::{Happening, World};
use crate::fault::Body;
use crate::network::fate;
use crate::seed::Domain;

impl World<'_> {
    pub(super) fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        if self.is_cut(from, to) {
            return;
        }
        let link = u64::from(from.0) << 16 | u64::from(to.0);
        let mut network = self.plan.network;
        let number = self.lanes.entry((Domain::Peer, link)).or_default().sent;
        self.disturb(&mut network, link, number);
        let mut copies = self.arrivals(&network, Domain::Peer, link);
        let Some((last, tie)) = copies.pop() else {
            return;
        };
        for (at, tie) in copies {
            let message = message.clone();
            self.kernel
                .schedule(at, tie, Happening::Message { from, to, message });
        }
        self.kernel
            .schedule(last, tie, Happening::Message { from, to, message });
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
        let mut cut = false;
        for fault in self.faults.iter_mut().flatten() {
            if fault.body.cuts(from, to) {
                fault.effect += 1;
                cut = true;
            }
        }
        cut
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
                Body::Elsewhere | Body::Groups(_) | Body::OneWay(..) => {}
            }
        }
    }
}
