//! What people do: begin steps, ask nodes, write letters.

use std::time::Duration;

use assay_model::actor::{self, Letter};
use assay_model::history::{Asked, Ending, Event};
use assay_model::id::{Height, NodeId, PartyId};
use assay_model::node::{Request, RequestId};
use assay_node::rpc;
use assay_scenarios::plan::Deed;

use super::answers::Answer;
use super::watch::News;
use super::{Due, Open, Stage};
use crate::venue::{Trouble, Venue};
use crate::wire::post;

/// How long after a request its copy is sent.
const SECOND: Duration = Duration::from_millis(150);

impl<V: Venue> Stage<'_, '_, V> {
    pub(super) async fn begin_step(&mut self, index: usize) -> Result<(), Trouble> {
        let step = index as u32;
        self.begun += 1;
        self.record(Event::StepBegan { step });
        match &self.plan.steps[index].deed {
            Deed::Party(party, task) => {
                let task = task.clone();
                self.tell(*party, actor::Input::Begin { step, task });
            }
            Deed::AppointLeader(leader) => {
                self.appoint(*leader).await?;
                self.ended += 1;
                self.record(Event::StepEnded {
                    step,
                    ending: Ending::Accepted,
                });
            }
        }
        Ok(())
    }

    /// The operators agree by other means than the network, so they reach every running node.
    async fn appoint(&mut self, leader: NodeId) -> Result<(), Trouble> {
        self.network.term += 1;
        self.network.leader = leader;
        let term = self.network.term;
        self.record(Event::Appointed { leader, term });
        for node in self.nodes() {
            if self.network.seats[node.index()].up {
                self.network.venue.appoint(node, term, leader).await?;
            } else {
                self.network.seats[node.index()].appointed = Some((term, leader));
            }
        }
        if self.network.seats[leader.index()].up {
            self.record(Event::Leads { node: leader, term });
        }
        Ok(())
    }

    pub(super) fn tell(&mut self, party: PartyId, input: actor::Input) {
        let now = self.now();
        if let Some(held) = &mut self.people[party.index()].held {
            held.push(input);
            return;
        }
        self.stir();
        let person = &mut self.people[party.index()];
        let mut out = actor::Outbox::default();
        person.actor.handle(person.clock.read(now), input, &mut out);
        for output in out.0 {
            self.carry_out_for(party, output);
        }
    }

    fn carry_out_for(&mut self, party: PartyId, output: actor::Output) {
        match output {
            actor::Output::Request { node, id, request } => self.ask(party, node, id, request),
            actor::Output::GiveUp { id } => self.give_up(id),
            actor::Output::Letter { to, letter } => self.post_letter(party, to, letter),
            actor::Output::Timer { after, timer } => {
                let after = self.people[party.index()].clock.span(after);
                let input = Box::new(actor::Input::Timer(timer));
                self.schedule_in(after, Due::Person { to: party, input });
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

    fn ask(&mut self, by: PartyId, node: NodeId, id: RequestId, request: Request) {
        if let Request::Broadcast(transaction) = &request {
            self.network
                .transactions
                .insert(transaction.id, transaction.clone());
        }
        self.record(Event::Asked {
            id,
            by,
            node,
            what: Asked::of(&request),
        });
        let (net, to) = (self.network.venue.net(), self.network.venue.rpc(node));
        let (past, delay) = (
            self.network.venue.look(node),
            self.network.venue.client_delay(node),
        );
        let body = rpc::ask(&request, self.network.mode, id.0);
        let back = self.network.post.clone();
        let twice = self.is_sent_twice(by);
        let task = tokio::spawn(async move {
            if twice {
                let (net, body) = (net.clone(), body.clone());
                tokio::spawn(async move {
                    // The copy comes second, or it would use up what is good once.
                    tokio::time::sleep(SECOND).await;
                    post(&net, to, body).await
                });
            }
            tokio::time::sleep(delay).await;
            let heard = post(&net, to, body).await;
            tokio::time::sleep(delay).await;
            let tip = match heard {
                Ok(_) => match post(&net, past, rpc::ask_health(id.0)).await {
                    Ok((_, body)) => rpc::hear_health(&body)
                        .ok()
                        .map(|health| Height(health.block_height.max(0) as u64)),
                    Err(_) => None,
                },
                Err(_) => None,
            };
            // Nobody listens once the story is over.
            let _ = back.send(News::Answer(id, Answer { heard, tip }));
        });
        let height = self.network.seats[node.index()].shown.height();
        self.open.insert(
            id,
            Open {
                by,
                node,
                request,
                height,
                task,
            },
        );
    }

    fn give_up(&mut self, id: RequestId) {
        if let Some(open) = self.open.remove(&id) {
            open.task.abort();
            self.record(Event::NoAnswer {
                id,
                by: open.by,
                node: open.node,
            });
        }
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.id == id) {
            waiting.hung_up = true;
            let (by, node) = (waiting.by, waiting.node);
            self.record(Event::NoAnswer { id, by, node });
        }
    }

    /// Letters take other ways than the network's links: they are late, but never lost.
    fn post_letter(&mut self, from: PartyId, to: PartyId, letter: Letter) {
        let input = Box::new(actor::Input::Letter { from, letter });
        self.schedule_in(self.plan.network.latency, Due::Person { to, input });
    }
}
