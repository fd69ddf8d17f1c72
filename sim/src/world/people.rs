//! What people do: begin steps, ask nodes, write letters.

use assay_model::actor::{self, Letter};
use assay_model::history::{Asked, Ending, Event, Place};
use assay_model::id::{NodeId, PartyId};
use assay_model::node::{self, Reply, Request, RequestId};
use assay_model::time::Millis;
use assay_scenarios::plan::{Deed, Network, Ppm};

use super::{Happening, World};
use crate::seed::Domain;

impl World<'_> {
    pub(super) fn begin_step(&mut self, index: usize) {
        let step = index as u32;
        self.begun += 1;
        self.record(Event::StepBegan { step });
        match &self.plan.steps[index].deed {
            Deed::Party(party, task) => {
                let task = task.clone();
                self.tell(*party, actor::Input::Begin { step, task });
            }
            Deed::AppointLeader(leader) => {
                self.appoint(*leader);
                self.ended += 1;
                self.record(Event::StepEnded {
                    step,
                    ending: Ending::Accepted,
                });
            }
        }
    }

    /// The operators agree by other means than the network, so they reach every running node.
    pub(super) fn appoint(&mut self, leader: NodeId) {
        self.term += 1;
        self.leader = leader;
        let term = self.term;
        self.record(Event::Appointed { leader, term });
        for node in (0..self.plan.nodes).map(NodeId) {
            let host = &mut self.hosts[node.index()];
            if host.node.is_some() {
                self.give(node, node::Input::Appoint { term, leader });
            } else {
                host.appointed = Some((term, leader));
            }
        }
    }

    pub(super) fn tell(&mut self, party: PartyId, input: actor::Input) {
        let person = &mut self.people[party.index()];
        if let Some(held) = &mut person.held {
            held.push(input);
            return;
        }
        let now = person.clock.read(self.kernel.now());
        let mut out = actor::Outbox::default();
        person.actor.handle(now, input, &mut out);
        for output in out.0 {
            self.carry_out_for(party, output);
        }
    }

    pub(super) fn carry_out_for(&mut self, party: PartyId, output: actor::Output) {
        match output {
            actor::Output::Request { node, id, request } => {
                self.open.insert(id, (party, node));
                let what = Asked::of(&request);
                self.record(Event::Asked {
                    id,
                    by: party,
                    node,
                    what,
                });
                let link = client_link(party, node, true);
                let mut network = self.plan.network;
                self.slow_clients(&mut network);
                let arrives = |id, request| Happening::Request {
                    node,
                    id,
                    by: party,
                    request,
                };
                let doubled = self.is_doubled(party);
                for (at, tie) in self.arrivals(&network, Domain::Client, link) {
                    if doubled {
                        let copy = arrives(of_copy(id), request.clone());
                        self.kernel.schedule(at + Millis(1), tie, copy);
                    }
                    self.kernel.schedule(at, tie, arrives(id, request.clone()));
                }
            }
            actor::Output::GiveUp { id } => {
                if let Some((by, node)) = self.open.remove(&id) {
                    self.record(Event::NoAnswer { id, by, node });
                }
            }
            actor::Output::Letter { to, letter } => self.post(party, to, letter),
            actor::Output::Timer { after, timer } => {
                let after = self.people[party.index()].clock.span(after);
                let input = actor::Input::Timer(timer);
                self.schedule_in(after, Happening::Person { to: party, input });
            }
            actor::Output::Note(event) => self.record(event),
            actor::Output::Done { step, ending } => {
                if (step as usize) < self.plan.steps.len() {
                    self.ended += 1;
                    self.record(Event::StepEnded { step, ending });
                } else {
                    self.audits -= 1;
                }
            }
        }
    }

    /// Letters take other ways than the network's links: they are late, but never lost.
    pub(super) fn post(&mut self, from: PartyId, to: PartyId, letter: Letter) {
        let link = u64::from(from.0) << 16 | u64::from(to.0);
        let calm = Network {
            loss: Ppm(0),
            duplicate: Ppm(0),
            reorder: Ppm(0),
            ..self.plan.network
        };
        for (at, tie) in self.arrivals(&calm, Domain::Letter, link) {
            let input = actor::Input::Letter {
                from,
                letter: letter.clone(),
            };
            self.kernel
                .schedule(at, tie, Happening::Person { to, input });
        }
    }

    pub(super) fn on_request(
        &mut self,
        node: NodeId,
        id: RequestId,
        by: PartyId,
        request: Request,
    ) {
        if self.hosts[node.index()].node.is_none() {
            let latency = self.plan.network.latency;
            self.schedule_in(latency, Happening::Unreachable { node, id, by });
            return;
        }
        if let Request::Broadcast(transaction) | Request::Submit(transaction) = &request {
            self.scan(node, Place::Request, transaction);
        }
        self.give(node, node::Input::Request { id, request });
    }

    pub(super) fn send_reply(&mut self, node: NodeId, id: RequestId, reply: Reply) {
        let Some((by, _)) = self.open.get(&id).copied() else {
            return;
        };
        if self.is_silenced(by, node, &reply) {
            return;
        }
        let link = client_link(by, node, false);
        let mut network = self.plan.network;
        self.slow_clients(&mut network);
        for (at, tie) in self.arrivals(&network, Domain::Client, link) {
            let reply = reply.clone();
            self.kernel.schedule(
                at,
                tie,
                Happening::Reply {
                    node,
                    id,
                    by,
                    reply,
                },
            );
        }
    }

    pub(super) fn on_reply(&mut self, node: NodeId, id: RequestId, by: PartyId, reply: Reply) {
        // A client that has hung up hears no answer.
        if self.open.remove(&id).is_none() {
            return;
        }
        self.record(Event::Answered {
            id,
            by,
            node,
            reply: reply.clone(),
        });
        self.tell(by, actor::Input::Reply { id, reply });
    }
}

/// A request that arrives a second time is another request to the node, and nobody waits for its answer.
fn of_copy(id: RequestId) -> RequestId {
    RequestId(id.0 | 1 << 63)
}

fn client_link(party: PartyId, node: NodeId, forth: bool) -> u64 {
    u64::from(party.0) << 32 | u64::from(node.0) << 1 | u64::from(forth)
}
