//! The world of a story: nodes and people on a kernel, with links, disks and clocks between them. The
//! loop is [`World::run`]; everything else is what one event does.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use assay_model::actor::{self, Actor, Directory, Letter, Order, Persona, Task, Via};
use assay_model::crypto::{Scheme, SigningKey, Suite};
use assay_model::history::{Asked, Cast, Ending, Event, History, Member, Place, Role};
use assay_model::id::{CredentialId, NodeId, PartyId, Text};
use assay_model::node::{
    self, Committed, Genesis, Message, Node, Note, Output, Record, Reply, Request, RequestId,
};
use assay_model::time::Millis;
use assay_scenarios::judge::Metrics;
use assay_scenarios::plan::{ClockError, Deed, FaultKind, Network, Plan, Ppm, Whose};

use crate::clock::Clock;
use crate::disk::Disk;
use crate::fault::{Active, Body, Roles};
use crate::kernel::Kernel;
use crate::network::{Lane, fate};
use crate::scan::Scanner;
use crate::seed::{Domain, Seed};

/// The name every simulated network has.
const CHAIN_ID: &str = "assay-sim";
/// How long the last reading of everything may take, in milliseconds.
const AUDIT_PATIENCE: u64 = 120_000;

/// Something that will happen.
enum Happening {
    /// A message reaches a node, if nothing cuts the link by then.
    Message {
        from: NodeId,
        to: NodeId,
        message: Message,
    },
    /// A node's own business: timers, appointments. Void once the process has died.
    Node {
        node: NodeId,
        life: u32,
        input: node::Input,
    },
    /// A node's barrier is reached: its writes are durable, what waited behind them goes on.
    Synced {
        node: NodeId,
        life: u32,
        outputs: VecDeque<Output>,
    },
    /// A request reaches a node.
    Request {
        node: NodeId,
        id: RequestId,
        by: PartyId,
        request: Request,
    },
    /// An answer reaches a client.
    Reply {
        node: NodeId,
        id: RequestId,
        by: PartyId,
        reply: Reply,
    },
    /// A client learns that there is no process.
    Unreachable {
        node: NodeId,
        id: RequestId,
        by: PartyId,
    },
    /// Something reaches a person.
    Person { to: PartyId, input: actor::Input },
    /// A step of the story is due.
    Step(usize),
    /// A fault begins.
    FaultBegins(usize),
    /// A fault is over.
    FaultEnds(usize),
    /// All trouble is over.
    Heal,
    /// Whatever is owed by now is late.
    Deadline,
}

/// A node's machine, and the machine room around it.
struct Host {
    /// Nothing while the process is down.
    node: Option<Node>,
    key: SigningKey,
    disk: Disk,
    clock: Clock,
    /// Counts the lives of the process, so that what was meant for one does not reach the next.
    life: u32,
    /// Waits for a barrier; inputs queue up meanwhile.
    syncing: bool,
    inbox: VecDeque<node::Input>,
    /// What the operator said while the process was down.
    appointed: Option<(u32, NodeId)>,
}

struct Person {
    actor: Actor,
    clock: Clock,
    /// Waits for the person to come back.
    held: Option<Vec<actor::Input>>,
}

/// How far the story is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Trouble,
    Healed,
    Auditing,
    Over,
}

/// See the module.
pub(crate) struct World<'p> {
    plan: &'p Plan,
    seed: Seed,
    suite: Arc<dyn Suite>,
    genesis: Arc<Genesis>,
    kernel: Kernel<Happening>,
    history: History,
    hosts: Vec<Host>,
    people: Vec<Person>,
    lanes: BTreeMap<(Domain, u64), Lane>,
    timers: u64,
    open: BTreeMap<RequestId, (PartyId, NodeId)>,
    begun: usize,
    ended: usize,
    audits: usize,
    faults: Vec<Option<Active>>,
    term: u32,
    leader: NodeId,
    phase: Phase,
    scanner: Scanner,
    scanned: BTreeMap<(NodeId, Place), u64>,
    metrics: Metrics,
}

impl<'p> World<'p> {
    pub(crate) fn new(plan: &'p Plan, seed: Seed, suite: Arc<dyn Suite>) -> World<'p> {
        let chain_id: Text = CHAIN_ID.into();
        let personas: Vec<Persona> = plan
            .parties
            .iter()
            .map(|party| Persona {
                name: party.name.clone(),
                role: party.role,
                user: party.user,
                careful: party.careful,
                box_key_of: party.box_key_of,
            })
            .collect();
        let (directory, keys) =
            Directory::new(&*suite, &personas, chain_id.clone(), plan.rules, plan.nodes);
        let node_keys: Vec<SigningKey> = (0..plan.nodes).map(node_key).collect();
        let genesis = Arc::new(Genesis {
            chain_id: chain_id.clone(),
            db_owner: directory.cards[0].caller(),
            validators: node_keys.iter().map(|key| suite.identity(key)).collect(),
            leader: plan.leader,
            time: plan.epoch,
            rules: plan.rules,
            timing: plan.timing,
        });
        let cast = Arc::new(cast(plan, &directory, chain_id));
        let mut people: Vec<Person> = keys
            .into_iter()
            .zip(0..)
            .map(|(keys, id)| Person {
                actor: Actor::new(
                    PartyId(id),
                    suite.clone(),
                    directory.clone(),
                    keys,
                    seed.draw(Domain::Entropy, u64::from(id), 0).bytes(),
                ),
                clock: Clock::right(plan.epoch),
                held: None,
            })
            .collect();
        let founding = founding_block(plan, &genesis, &suite, &node_keys, &mut people);
        let hosts = node_keys
            .into_iter()
            .map(|key| Host {
                node: None,
                key,
                disk: Disk::holding(vec![Record::Committed(founding.clone())]),
                clock: Clock::right(plan.epoch),
                life: 0,
                syncing: false,
                inbox: VecDeque::new(),
                appointed: None,
            })
            .collect();
        World {
            plan,
            seed,
            suite,
            genesis,
            kernel: Kernel::default(),
            history: History::new(cast),
            hosts,
            people,
            lanes: BTreeMap::new(),
            timers: 0,
            open: BTreeMap::new(),
            begun: 0,
            ended: 0,
            audits: 0,
            faults: vec![None; plan.faults.len()],
            term: 0,
            leader: plan.leader,
            phase: Phase::Trouble,
            scanner: Scanner::default(),
            scanned: BTreeMap::new(),
            metrics: Metrics::default(),
        }
    }

    /// Carries the plan out, from the first event to the last.
    pub(crate) fn run(mut self) -> (History, Metrics) {
        self.begin();
        while let Some(happening) = self.kernel.pop() {
            self.metrics.events += 1;
            if self.metrics.events > self.plan.events {
                self.record(Event::Exhausted);
                break;
            }
            self.happen(happening);
            self.look_whether_settled();
            if self.phase == Phase::Over {
                break;
            }
        }
        self.inspect();
        self.metrics.simulated = self.kernel.now();
        self.metrics.observations = self.history.observations().len() as u64;
        (self.history, self.metrics)
    }

    fn begin(&mut self) {
        for error in &self.plan.clocks {
            self.disturb_clock(error);
        }
        for node in 0..self.plan.nodes {
            self.start(NodeId(node), false);
        }
        for (index, step) in self.plan.steps.iter().enumerate() {
            self.schedule(step.at, Happening::Step(index));
        }
        for (index, fault) in self.plan.faults.iter().enumerate() {
            self.schedule(fault.at, Happening::FaultBegins(index));
            self.schedule(fault.at + fault.lasts, Happening::FaultEnds(index));
        }
        self.schedule(self.plan.duration, Happening::Heal);
        self.schedule(self.plan.duration + self.plan.settle, Happening::Deadline);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Message { from, to, message } => self.deliver(from, to, message),
            Happening::Node { node, life, input } => {
                if self.hosts[node.index()].life == life {
                    self.give(node, input);
                }
            }
            Happening::Synced {
                node,
                life,
                outputs,
            } => self.on_synced(node, life, outputs),
            Happening::Request {
                node,
                id,
                by,
                request,
            } => {
                self.on_request(node, id, by, request);
            }
            Happening::Reply {
                node,
                id,
                by,
                reply,
            } => self.on_reply(node, id, by, reply),
            Happening::Unreachable { node, id, by } => {
                if self.open.remove(&id).is_some() {
                    self.record(Event::NoAnswer { id, by, node });
                    self.tell(by, actor::Input::Unreachable { id });
                }
            }
            Happening::Person { to, input } => self.tell(to, input),
            Happening::Step(index) => self.begin_step(index),
            Happening::FaultBegins(index) => self.begin_fault(index),
            Happening::FaultEnds(index) => self.end_fault(index),
            Happening::Heal => self.heal(),
            Happening::Deadline => {
                let owed = self.owed();
                self.record(Event::Unsettled { owed });
                self.phase = Phase::Over;
            }
        }
    }

    fn record(&mut self, event: Event) {
        self.history.record(self.kernel.now(), event);
    }

    /// Plans something that has no link of its own; ties are broken by chance.
    fn schedule(&mut self, at: Millis, happening: Happening) {
        self.timers += 1;
        let tie = self.seed.draw(Domain::Tie, 0, self.timers).bits();
        self.kernel.schedule(at, tie, happening);
    }

    fn schedule_in(&mut self, after: Millis, happening: Happening) {
        self.schedule(self.kernel.now() + after, happening);
    }

    // Nodes.

    fn start(&mut self, node: NodeId, again: bool) {
        self.record(Event::Started { node, again });
        let host = &mut self.hosts[node.index()];
        host.life += 1;
        host.syncing = false;
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

    fn crash(&mut self, node: NodeId) -> bool {
        let host = &mut self.hosts[node.index()];
        if host.node.take().is_none() {
            return false;
        }
        host.life += 1;
        host.inbox.clear();
        let lost = host.disk.crash() as u32;
        self.record(Event::Crashed { node, lost });
        true
    }

    fn deliver(&mut self, from: NodeId, to: NodeId, message: Message) {
        // A cut hits also what was under way when it began.
        if self.is_cut(from, to) || self.hosts[to.index()].node.is_none() {
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
    fn give(&mut self, node: NodeId, input: node::Input) {
        let host = &mut self.hosts[node.index()];
        let Some(machine) = &mut host.node else {
            return;
        };
        if host.syncing {
            host.inbox.push_back(input);
            return;
        }
        let now = host.clock.read(self.kernel.now());
        let mut out = node::Outbox::default();
        machine.handle(now, input, &mut out);
        self.carry_out(node, out.0.into());
    }

    /// Does what a node wants done, up to a barrier.
    fn carry_out(&mut self, node: NodeId, mut outputs: VecDeque<Output>) {
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

    fn on_synced(&mut self, node: NodeId, life: u32, outputs: VecDeque<Output>) {
        let host = &mut self.hosts[node.index()];
        if host.life != life {
            return;
        }
        host.disk.sync();
        host.syncing = false;
        self.carry_out(node, outputs);
        while let host = &mut self.hosts[node.index()]
            && !host.syncing
            && let Some(input) = host.inbox.pop_front()
        {
            self.give(node, input);
        }
    }

    fn note(&mut self, node: NodeId, note: Note) {
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
                    tables,
                    replayed,
                }
            }
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

    // Links.

    fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
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
    fn arrivals(&mut self, network: &Network, domain: Domain, link: u64) -> Vec<(Millis, u64)> {
        let now = self.kernel.now();
        let lane = self.lanes.entry((domain, link)).or_default();
        let fate = fate(network, self.seed, domain, link, lane.sent);
        lane.sent += 1;
        let arrive = |delay: Millis| (lane.arrival(now + delay, fate.overtaken), fate.tie);
        fate.delays().map(arrive).collect()
    }

    /// Whether a fault cuts the link; each fault that does so counts it.
    fn is_cut(&mut self, from: NodeId, to: NodeId) -> bool {
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
    fn disturb(&mut self, network: &mut Network, link: u64, number: u64) {
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

    // People.

    fn begin_step(&mut self, index: usize) {
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
    fn appoint(&mut self, leader: NodeId) {
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

    fn tell(&mut self, party: PartyId, input: actor::Input) {
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

    fn carry_out_for(&mut self, party: PartyId, output: actor::Output) {
        match output {
            actor::Output::Request { node, id, request } => {
                self.open.insert(id, (party, node));
                let what = asked(&request);
                self.record(Event::Asked {
                    id,
                    by: party,
                    node,
                    what,
                });
                let link = client_link(party, node, true);
                let network = self.plan.network;
                for (at, tie) in self.arrivals(&network, Domain::Client, link) {
                    let request = request.clone();
                    let arrives = Happening::Request {
                        node,
                        id,
                        by: party,
                        request,
                    };
                    self.kernel.schedule(at, tie, arrives);
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
    fn post(&mut self, from: PartyId, to: PartyId, letter: Letter) {
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

    fn on_request(&mut self, node: NodeId, id: RequestId, by: PartyId, request: Request) {
        if self.hosts[node.index()].node.is_none() {
            let latency = self.plan.network.latency;
            self.schedule_in(latency, Happening::Unreachable { node, id, by });
            return;
        }
        if let Request::Broadcast(transaction) = &request {
            self.scan(node, Place::Request, transaction);
        }
        self.give(node, node::Input::Request { id, request });
    }

    fn send_reply(&mut self, node: NodeId, id: RequestId, reply: Reply) {
        let Some((by, _)) = self.open.get(&id).copied() else {
            return;
        };
        let link = client_link(by, node, false);
        let network = self.plan.network;
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

    fn on_reply(&mut self, node: NodeId, id: RequestId, by: PartyId, reply: Reply) {
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

    // Faults.

    fn begin_fault(&mut self, index: usize) {
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

    fn end_fault(&mut self, index: usize) {
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
    fn disturb_clock(&mut self, error: &ClockError) -> Option<NodeId> {
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

    // The end of the story.

    fn heal(&mut self) {
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

    fn look_whether_settled(&mut self) {
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

    fn disagreement(&self) -> Option<NodeId> {
        let tip = |host: &Host| {
            host.node
                .as_ref()
                .map(|node| (node.height(), node.app_hash()))
        };
        let first = tip(&self.hosts[0]);
        let other = self.hosts.iter().position(|host| tip(host) != first)?;
        Some(NodeId(other as u16))
    }

    fn begin_audit(&mut self) {
        let copies = planned_copies(self.plan);
        let nodes: Vec<NodeId> = (0..self.plan.nodes).map(NodeId).collect();
        for party in 0..self.people.len() {
            let order = Order::Audit {
                nodes: nodes.clone(),
                copies: copies.clone(),
            };
            let task = Task {
                order,
                via: Via::Any,
                wallet: 0,
                patience: AUDIT_PATIENCE,
            };
            let step = self.plan.steps.len() as u32 + 1;
            self.audits += 1;
            self.tell(PartyId(party as u16), actor::Input::Begin { step, task });
        }
    }

    /// What is still under way, in words.
    fn owed(&self) -> Vec<String> {
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
    fn inspect(&mut self) {
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
                tables: machine.state().digest(),
                credentials: tables.credentials.keys().copied().collect(),
                grants: tables.access_grants.keys().copied().collect(),
                users: tables.users.keys().copied().collect(),
            };
            self.record(event);
        }
    }

    fn scan(&mut self, node: NodeId, place: Place, transaction: &assay_model::ledger::Transaction) {
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

/// Node keys hang on the node's place alone.
fn node_key(node: u16) -> SigningKey {
    let secret = blake3::derive_key("assay 2026 node keys", &node.to_le_bytes());
    SigningKey {
        scheme: Scheme::Ed25519,
        secret,
    }
}

fn client_link(party: PartyId, node: NodeId, forth: bool) -> u64 {
    u64::from(party.0) << 32 | u64::from(node.0) << 1 | u64::from(forth)
}

fn asked(request: &Request) -> Asked {
    match request {
        Request::Broadcast(transaction) => Asked::Broadcast(transaction.clone()),
        Request::View { claim, query } => Asked::View {
            caller: claim.identity(),
            signed: matches!(claim, node::Claim::Signed { .. }),
            query: query.clone(),
        },
        Request::Health => Asked::Housekeeping("health"),
        Request::Account(_) => Asked::Housekeeping("account"),
        Request::TxStatus(_) => Asked::Housekeeping("tx_query"),
        Request::Challenge => Asked::Housekeeping("challenge"),
    }
}

fn cast(plan: &Plan, directory: &Directory, chain_id: Text) -> Cast {
    let member = |(party, card): (&assay_scenarios::plan::Party, &actor::Card)| Member {
        name: party.name.clone(),
        role: party.role,
        user: party.user,
        identities: card.identities.clone(),
        careful: party.careful,
    };
    Cast {
        parties: plan
            .parties
            .iter()
            .zip(&directory.cards)
            .map(member)
            .collect(),
        nodes: plan.nodes,
        chain_id,
        rules: plan.rules,
        epoch: plan.epoch,
        drift: plan.timing.drift,
    }
}

/// The network as the story finds it: issuers admitted, users registered.
fn founding_block(
    plan: &Plan,
    genesis: &Arc<Genesis>,
    suite: &Arc<dyn Suite>,
    keys: &[SigningKey],
    people: &mut [Person],
) -> Arc<Committed> {
    let parties = || (0..).map(PartyId).zip(&plan.parties);
    let issuers: Vec<PartyId> = parties()
        .filter(|(_, party)| party.role == Role::Issuer && party.admitted)
        .map(|(id, _)| id)
        .collect();
    let users: Vec<PartyId> = parties()
        .filter(|(_, party)| party.role == Role::User && party.registered)
        .map(|(id, _)| id)
        .collect();
    let admissions = issuers
        .iter()
        .flat_map(|issuer| people[0].actor.desk().admission(*issuer))
        .collect();
    let mut transactions = people[0].actor.found(admissions);
    if let Some(registrar) = issuers.first() {
        let mut registrations = Vec::new();
        for user in users {
            let (registrar, user) = (registrar.index(), user.index());
            let [registrar, user] = people
                .get_disjoint_mut([registrar, user])
                .expect("an issuer is not a user");
            let desk = user.actor.desk_mut();
            registrations.extend(
                registrar
                    .actor
                    .desk()
                    .founding_registration(desk, plan.epoch),
            );
        }
        transactions.extend(people[registrar.index()].actor.found(registrations));
    }
    Node::founding_block(genesis, suite, keys, transactions.into())
}

/// Every copy the story may make, for the last reading of everything.
fn planned_copies(plan: &Plan) -> Vec<CredentialId> {
    let mut copies: Vec<CredentialId> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.deed {
            Deed::Party(
                _,
                Task {
                    order: Order::Share(share),
                    ..
                },
            )
            | Deed::Party(
                _,
                Task {
                    order: Order::Approve { share, .. },
                    ..
                },
            ) => Some(share.copy),
            _ => None,
        })
        .collect();
    copies.sort();
    copies.dedup();
    copies
}
