//! The world of a story: nodes and people on a kernel, with links, disks and clocks between them. The
//! loop is [`World::run`]; everything else is what one event does.

mod ending;
mod faults;
mod links;
mod nodes;
mod people;

pub use nodes::node_key;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use assay_model::actor::{self, Actor};
use assay_model::crypto::{SigningKey, Suite};
use assay_model::history::{Event, History, Place};
use assay_model::id::{NodeId, PartyId, Text};
use assay_model::node::{self, Genesis, Message, Node, Output, Record, Reply, Request, RequestId};
use assay_model::time::Millis;
use assay_scenarios::judge::Metrics;
use assay_scenarios::plan::Plan;

use crate::clock::Clock;
use crate::disk::Disk;
use crate::fault::Active;
use crate::kernel::Kernel;
use crate::network::Lane;
use crate::scan::Scanner;
use crate::seed::{Domain, Seed};
use crate::setting::Setting;

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
        sent: Millis,
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
    /// How many inputs have waited for a paused process to go on; nothing while it works.
    paused: Option<u64>,
    /// What a paused process does once it goes on: its barrier was reached meanwhile.
    synced: Option<VecDeque<Output>>,
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
        let node_keys: Vec<SigningKey> = (0..plan.nodes).map(nodes::node_key).collect();
        let setting = Setting::new(plan, seed, &suite, (&chain_id, 0), &node_keys);
        let db_owner = setting.db_owner();
        let genesis = Arc::new(Genesis {
            chain_id,
            db_owner,
            nodes: node_keys.iter().map(|key| suite.identity(key)).collect(),
            sentries: plan.sentries.clone(),
            leader: plan.leader,
            time: plan.epoch,
            rules: plan.rules,
            timing: plan.timing,
            balances: setting.cast.balances.clone(),
        });
        let people = setting
            .actors
            .into_iter()
            .map(|actor| Person {
                actor,
                clock: Clock::right(plan.epoch),
                held: None,
            })
            .collect();
        let transactions = setting.founding.into();
        let founding = Node::founding_block(&genesis, &suite, &node_keys, transactions);
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
                paused: None,
                synced: None,
                appointed: None,
            })
            .collect();
        World {
            plan,
            seed,
            suite,
            genesis,
            kernel: Kernel::default(),
            history: History::new(Arc::new(setting.cast)),
            hosts,
            people,
            lanes: BTreeMap::new(),
            timers: 0,
            open: BTreeMap::new(),
            begun: 0,
            ended: 0,
            audits: 0,
            faults: plan.faults.iter().map(|_| None).collect(),
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
            Happening::Message {
                from,
                to,
                sent,
                message,
            } => self.deliver(from, to, sent, message),
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
}
