//! The actor: its memory, its running tasks, and the switchboard between nodes, letters and flows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::client::{Client, Got};
use super::desk::{Desk, ELSEWHERE};
use super::directory::{Directory, Keys};
use super::exchange::Exchange;
use super::flow::{Flow, News, Next};
use super::gateway::Gateway;
use super::letter::Letter;
use super::order::{Oddity, Order, Task};
use crate::crypto::Suite;
use crate::history::{Ending, Event, Role};
use crate::id::{NodeId, PartyId};
use crate::ledger::{Batch, Transaction, Unsigned};
use crate::node::{Reply, Request, RequestId};
use crate::rules::Switch;
use crate::time::WallMillis;

/// Names something a party is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskId(pub u64);

/// What can happen to an actor.
#[derive(Clone, Debug)]
pub enum Input {
    /// The story tells it to do something.
    Begin {
        /// The step of the story, reported back when it ends.
        step: u32,
        /// What to do.
        task: Task,
    },
    /// A node answers.
    Reply {
        /// The request.
        id: RequestId,
        /// The answer.
        reply: Reply,
    },
    /// A node is not there.
    Unreachable {
        /// The request.
        id: RequestId,
    },
    /// Somebody says something.
    Letter {
        /// Who.
        from: PartyId,
        /// What.
        letter: Letter,
    },
    /// A timer runs out.
    Timer(Timer),
}

/// Reminders an actor sets itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// An answer is overdue.
    Answer(RequestId),
    /// The pause before another attempt is over.
    Again(TaskId, u32),
    /// A task waits for somebody who does not answer.
    Patience(TaskId),
    /// The chain that holds the tokens: the next block is due.
    Block,
}

/// What an actor wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Ask a node.
    Request {
        /// The node.
        node: NodeId,
        /// For the answer.
        id: RequestId,
        /// The question.
        request: Request,
    },
    /// Stop waiting for a node.
    GiveUp {
        /// The request.
        id: RequestId,
    },
    /// Say something to somebody.
    Letter {
        /// To whom.
        to: PartyId,
        /// What.
        letter: Letter,
    },
    /// Come back later with [`Input::Timer`].
    Timer {
        /// Milliseconds on the actor's own clock.
        after: u64,
        /// The reminder.
        timer: Timer,
    },
    /// Tell whoever watches.
    Note(Event),
    /// A step of the story has ended.
    Done {
        /// The step.
        step: u32,
        /// How.
        ending: Ending,
    },
}

/// Outputs in the order the actor made them.
#[derive(Debug, Default)]
pub struct Outbox(pub Vec<Output>);

impl Outbox {
    pub(super) fn request(&mut self, node: NodeId, id: RequestId, request: Request) {
        self.0.push(Output::Request { node, id, request });
    }

    pub(super) fn letter(&mut self, to: PartyId, letter: Letter) {
        self.0.push(Output::Letter { to, letter });
    }

    pub(super) fn timer(&mut self, after: u64, timer: Timer) {
        self.0.push(Output::Timer { after, timer });
    }

    pub(super) fn note(&mut self, event: Event) {
        self.0.push(Output::Note(event));
    }
}

struct Running {
    step: Option<u32>,
    task: Task,
    flow: Flow,
    deadline: WallMillis,
}

/// A party of the story. See the module.
pub struct Actor {
    desk: Desk,
    client: Client,
    /// What a gateway does for others.
    gateway: Option<Gateway>,
    running: BTreeMap<TaskId, Running>,
    started: u64,
    /// Only the chain that holds the tokens has one, and does nothing else.
    exchange: Option<Exchange>,
}

impl Actor {
    /// A party with its keys. `entropy` decides what it draws by chance: one-time keys, nonces, the
    /// contents of documents.
    pub fn new(
        me: PartyId,
        suite: Arc<dyn Suite>,
        directory: Arc<Directory>,
        keys: Keys,
        entropy: [u8; 32],
    ) -> Actor {
        let client = Client::new(
            me,
            suite.clone(),
            keys.signing.clone(),
            (directory.chain_id.clone(), directory.nodes.clone()),
            directory.rules.keep(Switch::AuthenticatedReads),
        );
        let exchange = (directory.external.clone())
            .filter(|_| directory.chain() == Some(me))
            .map(|setting| Exchange::new(suite.clone(), directory.rules, setting));
        let gateway = (directory.card(me).persona.role == Role::Gateway)
            .then(|| Gateway::new(me, suite.clone(), directory.clone(), entropy));
        let desk = Desk::new(me, suite, directory, keys, entropy);
        Actor {
            exchange,
            desk,
            client,
            gateway,
            running: BTreeMap::new(),
            started: 0,
        }
    }

    /// Signs transactions that are in the network before the story begins, and keeps count. `used` is the
    /// last nonce the party has used before.
    pub fn found(&mut self, used: u64, batches: Vec<Batch>) -> Vec<Arc<Transaction>> {
        self.client.skip_nonces(0, used + batches.len() as u64);
        (used + 1..)
            .zip(batches)
            .map(|(nonce, batch)| {
                let chain_id = self.desk.directory.chain_id.clone();
                let unsigned = Unsigned {
                    nonce,
                    chain_id,
                    payload: batch.into(),
                };
                Transaction::sign(&*self.desk.suite, &self.desk.keys.signing[0], unsigned)
            })
            .collect()
    }

    /// What the party knows and can make, for setting up a network.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The same, to make things on it.
    pub fn desk_mut(&mut self) -> &mut Desk {
        &mut self.desk
    }

    /// Steps that have not ended.
    pub fn pending(&self) -> impl Iterator<Item = u32> {
        self.running.values().filter_map(|running| running.step)
    }

    /// Takes one input at the party's own clock; outputs are appended.
    pub fn handle(&mut self, now: WallMillis, input: Input, out: &mut Outbox) {
        if let Some(exchange) = &mut self.exchange {
            return exchange.handle(now, input, out);
        }
        match input {
            Input::Begin { step, task } if is_gateways(&task.order) => {
                let ending = self.mislead(now, &task.order, out);
                out.0.push(Output::Done { step, ending });
            }
            Input::Begin { step, task } => {
                let flow = Flow::of(&task.order, self.desk.card().persona.password);
                self.begin(now, Some(step), task, flow, out);
            }
            Input::Reply { id, reply } => {
                let reply = match &mut self.gateway {
                    Some(gateway) => match gateway.on_reply(id, reply, out) {
                        Some(reply) => reply,
                        None => return,
                    },
                    None => reply,
                };
                let got = self.client.on_reply(now, id, reply, out);
                self.on_got(now, got, out);
            }
            Input::Unreachable { id } => {
                if let Some(gateway) = &mut self.gateway
                    && gateway.on_unreachable(id, false, out)
                {
                    return;
                }
                let got = self.client.on_unreachable(now, id, out);
                self.on_got(now, got, out);
            }
            Input::Letter { from, letter } => self.on_letter(now, from, letter, out),
            Input::Timer(Timer::Answer(id)) => {
                if let Some(gateway) = &mut self.gateway
                    && gateway.on_unreachable(id, true, out)
                {
                    return;
                }
                if self.client.is_waiting(id) {
                    out.0.push(Output::GiveUp { id });
                    let got = self.client.on_unreachable(now, id, out);
                    self.on_got(now, got, out);
                }
            }
            // Only the chain sets itself such a reminder.
            Input::Timer(Timer::Block) => {}
            Input::Timer(Timer::Again(task, attempt)) => {
                self.client.on_again(now, task, attempt, out);
            }
            Input::Timer(Timer::Patience(task)) => {
                let running = self.running.get(&task);
                if running.is_some_and(|running| running.flow.waits_for_people()) {
                    self.end(task, Ending::Unanswered, out);
                } else {
                    self.advance(now, task, News::Overdue, out);
                }
            }
        }
    }

    /// What a gateway does against those who trust it.
    fn mislead(&mut self, now: WallMillis, order: &Order, out: &mut Outbox) -> Ending {
        let Some(gateway) = &mut self.gateway else {
            return Ending::Declined("nothing-found");
        };
        match *order {
            Order::LeakSession { of, to } => match gateway.session_of(now, of) {
                Some((cookie, identity)) => {
                    out.note(Event::SessionLeaked {
                        gateway: self.desk.me,
                        of,
                        to,
                    });
                    out.letter(to, Letter::Leaked { cookie, identity });
                    Ending::Accepted
                }
                None => Ending::Declined("nothing-found"),
            },
            Order::TurnAway { party, again } => {
                gateway.turn_away(party, !again);
                Ending::Accepted
            }
            _ => unreachable!("{order:?} is nothing a gateway does alone"),
        }
    }

    fn begin(
        &mut self,
        now: WallMillis,
        step: Option<u32>,
        task: Task,
        flow: Flow,
        out: &mut Outbox,
    ) {
        self.started += 1;
        let id = TaskId(self.started);
        let deadline = WallMillis(now.0 + task.patience);
        if flow.waits_for_people() {
            out.timer(task.patience, Timer::Patience(id));
        }
        self.running.insert(
            id,
            Running {
                step,
                task,
                flow,
                deadline,
            },
        );
        self.advance(now, id, News::Begin, out);
    }

    fn on_got(&mut self, now: WallMillis, got: Option<(TaskId, Got)>, out: &mut Outbox) {
        if let Some((task, got)) = got {
            self.advance(now, task, News::Got(got), out);
        }
    }

    fn on_letter(&mut self, now: WallMillis, from: PartyId, letter: Letter, out: &mut Outbox) {
        let letter = match &mut self.gateway {
            Some(gateway) => match gateway.on_letter(now, from, letter, out) {
                Some(letter) => letter,
                None => return,
            },
            None => letter,
        };
        match letter {
            Letter::SignInText { .. } | Letter::Session { .. } | Letter::Forwarded { .. } => {
                let got = self.client.on_gateway(now, from, letter, out);
                return self.on_got(now, got, out);
            }
            Letter::Leaked { cookie, identity } => {
                return self.client.keep_session(from, identity, cookie);
            }
            _ => {}
        }
        // A letter answers a task that waits for it, or it starts something of its own.
        if let Some(task) = self.addressee(from, &letter) {
            self.advance(now, task, News::Letter(letter), out);
            return;
        }
        if let Some((task, flow)) = self.desk.receive(now, from, letter, out) {
            self.begin(now, None, task, flow, out);
        }
    }

    fn addressee(&self, from: PartyId, letter: &Letter) -> Option<TaskId> {
        match letter {
            Letter::Proof { task, .. }
            | Letter::Stored { task, .. }
            | Letter::Lent { task, .. }
            | Letter::Receipt { task, .. }
            | Letter::RootSigned { task, .. }
            | Letter::Face { task, .. }
            | Letter::Vouched { task, .. }
            | Letter::Filtered { task, .. }
            | Letter::Believed { task, .. }
            | Letter::ShareAnswer { task, .. }
            | Letter::KeyChanged { task, .. }
            | Letter::Consent { task, .. } => {
                Some(TaskId(*task)).filter(|task| self.running.contains_key(task))
            }
            Letter::Answer { question, .. } => self
                .running
                .iter()
                .find(|(_, running)| running.flow.wonders(*question))
                .map(|(task, _)| *task),
            Letter::Denied { request } if self.desk.asked.contains_key(request) => self
                .running
                .iter()
                .find(|(_, running)| running.flow.wonders(*request))
                .map(|(task, _)| *task),
            Letter::Denied { request }
            | Letter::Delivery { request }
            | Letter::OriginUnknown { request }
            | Letter::Plaintext { request, .. } => self
                .running
                .iter()
                .find(|(_, running)| running.flow.awaits(from, *request))
                .map(|(task, _)| *task),
            _ => None,
        }
    }

    fn advance(&mut self, now: WallMillis, id: TaskId, news: News, out: &mut Outbox) {
        let Some(running) = self.running.get_mut(&id) else {
            return;
        };
        let next = running
            .flow
            .advance(&mut self.desk, now, id, &running.task, news, out);
        match next {
            Next::Ask(want, via) => {
                let via = via.unwrap_or(running.task.via);
                let chain_id = match running.task.oddity {
                    Some(Oddity::OtherNetwork) => ELSEWHERE.into(),
                    Some(Oddity::NoNetwork) => "".into(),
                    _ => self.desk.directory.chain_id.clone(),
                };
                let how = (via, running.task.wallet, chain_id, running.deadline);
                self.client.call(now, id, want, how, out);
            }
            Next::Wait => {}
            Next::Done(ending) => self.end(id, ending, out),
        }
    }

    fn end(&mut self, id: TaskId, ending: Ending, out: &mut Outbox) {
        let Some(running) = self.running.remove(&id) else {
            return;
        };
        if let Some(step) = running.step {
            out.0.push(Output::Done { step, ending });
        }
    }
}

/// Whether only a gateway can do it.
fn is_gateways(order: &Order) -> bool {
    matches!(order, Order::LeakSession { .. } | Order::TurnAway { .. })
}
