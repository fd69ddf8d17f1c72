//! Tells a story on nodes that are only seen from outside, through JSON-RPC and their disks, and records
//! the same history as the simulated world does.
//!
//! The people are the model's own actors, the judge is the same, and it does not matter what the nodes are
//! made of: a [`Venue`] gives faults a body. What nodes answer is compared with what the ledger says they
//! ought to ([`oracle`]). Time in which nothing happens is skipped ([`pace`]). Start with [`tell`].

mod answers;
mod ending;
mod faults;
mod founding;
mod oracle;
mod pace;
mod people;
mod search;
mod watch;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use assay_model::actor::{self, Actor};
use assay_model::crypto::Suite;
use assay_model::history::{Event, History};
use assay_model::id::{Height, NodeId, PartyId, TxId};
use assay_model::ledger::{Outcome, Transaction};
use assay_model::node::{Request, RequestId};
use assay_model::rules::Switch;
use assay_model::time::{Millis, WallMillis};
use assay_node::rpc::Mode;
use assay_scenarios::judge::Metrics;
use assay_scenarios::plan::Plan;
use assay_sim::Setting;
use assay_sim::clock::Clock;
use assay_sim::kernel::Kernel;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::answers::Waiting;
use self::faults::Active;
use self::oracle::Oracle;
pub use self::pace::FOUNDING;
use self::pace::Pace;
use self::watch::{News, Shown};
use crate::venue::{Trouble, Venue};

/// What comes this much later than planned can put a step on the wrong side of a second.
const LAG: Millis = Millis(150);
/// How many looks at every node make sure that nothing is under way.
const LOOKS: u32 = 2;
/// After so long without news looks are no longer waited for.
const DEAF: Duration = Duration::from_secs(1);
/// Less than this is waited for rather than skipped, in milliseconds.
const WAIT: u64 = 60;

/// What a telling leaves behind.
#[derive(Clone, Debug)]
pub struct Told {
    /// Everything that was seen.
    pub history: History,
    /// How much of it there was.
    pub metrics: Metrics,
}

/// Tells the story of a plan on a venue whose nodes are down and whose network was made for its setting.
pub async fn tell<V: Venue>(
    plan: &Plan,
    setting: Setting,
    suite: Arc<dyn Suite>,
    venue: &mut V,
) -> Result<Told, Trouble> {
    let founding = setting.founding.clone();
    let mut stage = Stage::new(plan, setting, suite, venue);
    stage.found(&founding).await?;
    stage.play().await?;
    stage.close().await?;
    stage.metrics.simulated = stage.now();
    stage.metrics.observations = stage.history.observations().len() as u64;
    Ok(Told {
        history: stage.history,
        metrics: stage.metrics,
    })
}

/// Something that is due at a moment of the story.
enum Due {
    Person {
        to: PartyId,
        input: Box<actor::Input>,
    },
    Step(usize),
    FaultBegins(usize),
    FaultEnds(usize),
    Heal,
    Deadline,
}

struct Person {
    actor: Actor,
    clock: Clock,
    /// Waits for the person to come back.
    held: Option<Vec<actor::Input>>,
}

/// A node, as far as the stage can tell.
struct Seat {
    /// Counts the lives of the process, so that news of one is not taken for news of the next.
    life: u32,
    up: bool,
    paused: bool,
    clock: Clock,
    /// What it has shown in this life.
    shown: Shown,
    /// Looks since something happened.
    looks: u32,
    watch: Option<JoinHandle<()>>,
    /// Makes the watch look at once.
    poke: Arc<Notify>,
    /// What the operator said while the process was down.
    appointed: Option<(u32, NodeId)>,
}

/// A request that was sent and not answered yet.
struct Open {
    by: PartyId,
    node: NodeId,
    request: Request,
    /// What the node had shown when it was asked.
    height: Height,
    task: JoinHandle<()>,
}

/// How far the story is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Founding,
    Trouble,
    Healed,
    Auditing,
    Over,
}

/// See the module.
struct Stage<'p, V: Venue> {
    plan: &'p Plan,
    venue: &'p mut V,
    mode: Mode,
    history: History,
    oracle: Oracle,
    pace: Pace,
    kernel: Kernel<Due>,
    post: mpsc::UnboundedSender<News>,
    inbox: mpsc::UnboundedReceiver<News>,
    /// When something was last heard that matters, or time was skipped.
    stirred: Instant,
    /// Milliseconds skipped since something was heard.
    strode: u64,
    people: Vec<Person>,
    seats: Vec<Seat>,
    open: BTreeMap<RequestId, Open>,
    waiting: VecDeque<Waiting>,
    /// What clients have sent.
    transactions: BTreeMap<TxId, Arc<Transaction>>,
    /// What any node has shown in a block.
    included: BTreeMap<TxId, (Height, Outcome)>,
    /// When any node showed a block for the first time.
    first_shown: BTreeMap<Height, Millis>,
    begun: usize,
    ended: usize,
    audits: usize,
    faults: Vec<Option<Active>>,
    term: u32,
    leader: NodeId,
    phase: Phase,
    /// Answers and results compared with the ledger, per node.
    compared: BTreeMap<NodeId, (u64, u64)>,
    metrics: Metrics,
}

impl<'p, V: Venue> Stage<'p, V> {
    fn new(
        plan: &'p Plan,
        setting: Setting,
        suite: Arc<dyn Suite>,
        venue: &'p mut V,
    ) -> Stage<'p, V> {
        let (post, inbox) = mpsc::unbounded_channel();
        let people = setting.actors.into_iter().map(|actor| Person {
            actor,
            clock: Clock::right(plan.epoch),
            held: None,
        });
        let seats = (0..plan.nodes).map(|_| Seat {
            life: 0,
            up: false,
            paused: false,
            clock: Clock::right(plan.epoch),
            shown: Shown::default(),
            looks: 0,
            watch: None,
            poke: Arc::default(),
            appointed: None,
        });
        let private = plan.rules.keep(Switch::AuthenticatedReads);
        Stage {
            plan,
            mode: if private { Mode::Private } else { Mode::Open },
            oracle: Oracle::new(&setting.cast, suite),
            pace: Pace::new(plan.epoch, venue.wall(), venue.can_skip()),
            venue,
            history: History::new(Arc::new(setting.cast)),
            kernel: Kernel::default(),
            post,
            inbox,
            stirred: Instant::now(),
            strode: 0,
            people: people.collect(),
            seats: seats.collect(),
            open: BTreeMap::new(),
            waiting: VecDeque::new(),
            transactions: BTreeMap::new(),
            included: BTreeMap::new(),
            first_shown: BTreeMap::new(),
            begun: 0,
            ended: 0,
            audits: 0,
            faults: plan.faults.iter().map(|_| None).collect(),
            term: 0,
            leader: plan.leader,
            phase: Phase::Founding,
            compared: BTreeMap::new(),
            metrics: Metrics::default(),
        }
    }

    /// From scenario time zero to the last answer.
    async fn play(&mut self) -> Result<(), Trouble> {
        self.schedule_plan();
        self.phase = Phase::Trouble;
        while self.phase != Phase::Over {
            self.take_news();
            let now = self.now();
            if self.kernel.next().is_some_and(|at| at <= now) {
                let due = self.kernel.pop().expect("the next event was just seen");
                self.metrics.events += 1;
                self.lag(now.saturating_sub(self.kernel.now()));
                self.happen(due).await?;
            }
            self.look_whether_settled();
            if self.kernel.next().is_none_or(|at| at > self.now()) {
                self.pass_time().await?;
            }
        }
        Ok(())
    }

    fn schedule_plan(&mut self) {
        for (index, step) in self.plan.steps.iter().enumerate() {
            self.kernel.schedule(step.at, 0, Due::Step(index));
        }
        for (index, fault) in self.plan.faults.iter().enumerate() {
            self.kernel.schedule(fault.at, 0, Due::FaultBegins(index));
            let end = fault.at + fault.lasts;
            self.kernel.schedule(end, 0, Due::FaultEnds(index));
        }
        let heals = self.plan.duration;
        self.kernel.schedule(heals, 1, Due::Heal);
        let late = heals + self.plan.settle;
        self.kernel.schedule(late, 1, Due::Deadline);
    }

    async fn happen(&mut self, due: Due) -> Result<(), Trouble> {
        match due {
            Due::Person { to, input } => self.tell(to, *input),
            Due::Step(index) => return self.begin_step(index).await,
            Due::FaultBegins(index) => return self.begin_fault(index).await,
            Due::FaultEnds(index) => return self.end_fault(index).await,
            Due::Heal => return self.heal().await,
            Due::Deadline => {
                let owed = self.owed();
                self.record(Event::Unsettled { owed });
                self.phase = Phase::Over;
            }
        }
        Ok(())
    }

    /// Waits for news or for what is due next, whichever comes first; skips time that is empty.
    async fn pass_time(&mut self) -> Result<(), Trouble> {
        let now = self.now();
        let next = self.kernel.next().unwrap_or(now);
        let left = next.saturating_sub(now).0;
        let far = match self.is_idle() {
            true => left,
            // What is slow is slow in real time, so nothing is skipped that would have to wait for it.
            false if self.faults.iter().flatten().any(Active::delays) => 0,
            false => left.min(self.venue.stride()).min(self.allowance()),
        };
        let worth = self.venue.can_skip() && far > WAIT;
        if worth && self.is_calm() {
            return self.skip(far).await;
        }
        let mut nap = Duration::from_millis(left.max(1));
        if worth {
            nap = nap.min(self.venue.watch_every());
        }
        let began = Instant::now();
        let news = tokio::select! {
            biased;
            news = self.inbox.recv() => news,
            () = tokio::time::sleep(nap) => None,
        };
        self.lag(Millis(
            began.elapsed().saturating_sub(nap).as_millis() as u64
        ));
        if let Some(news) = news {
            self.on_news(news);
        }
        Ok(())
    }

    async fn sleep(&mut self, nap: Duration) {
        let began = Instant::now();
        tokio::time::sleep(nap).await;
        self.lag(Millis(
            began.elapsed().saturating_sub(nap).as_millis() as u64
        ));
    }

    /// Puts on record that something came later than it should have; nodes share the machine.
    fn lag(&mut self, by: Millis) {
        if by > LAG && self.phase == Phase::Trouble {
            self.record(Event::Late { by });
        }
    }

    /// Skips time on every clock at once. The story goes on when all nodes have it behind them.
    async fn skip(&mut self, milliseconds: u64) -> Result<(), Trouble> {
        let lead = self.venue.skip_lead();
        let at = self.venue.wall().0 + lead.as_millis() as u64;
        self.pace.skip(milliseconds, WallMillis(at));
        self.set_clocks()?;
        self.sleep(lead + Duration::from_millis(1)).await;
        // What the skip has set off gets a moment to show.
        self.settle_down();
        self.strode += milliseconds;
        Ok(())
    }

    fn set_clocks(&mut self) -> Result<(), Trouble> {
        for node in self.nodes() {
            self.set_clock(node)?;
        }
        Ok(())
    }

    fn set_clock(&mut self, node: NodeId) -> Result<(), Trouble> {
        let now = self.now();
        let error = self.seats[node.index()].clock.error(now);
        let skew = self.pace.skew(error);
        self.venue.set_clock(node, skew)
    }

    /// How much more may be skipped before somebody is answered. Without trouble a write takes the leader's
    /// pause and little more; if it takes longer, the machine is slow, and time must not run ahead of it.
    fn allowance(&self) -> u64 {
        let down = self.seats.iter().any(|seat| !seat.up || seat.paused);
        if down || self.faults.iter().flatten().any(Active::slows_nodes) {
            return u64::MAX;
        }
        let pause = self.plan.timing.propose + self.plan.timing.poll;
        (pause + WAIT).saturating_sub(self.strode)
    }

    /// Something that matters has happened.
    fn stir(&mut self) {
        self.strode = 0;
        self.settle_down();
    }

    fn settle_down(&mut self) {
        self.stirred = Instant::now();
        for seat in &mut self.seats {
            seat.looks = 0;
        }
    }

    /// Whether nothing has been heard for long enough. On a busy machine looks take longer, and so does
    /// everything else.
    fn is_calm(&self) -> bool {
        let quiet = self.stirred.elapsed();
        let looked = |seat: &Seat| !seat.up || seat.paused || seat.looks >= LOOKS;
        quiet >= self.venue.calm() && (self.seats.iter().all(looked) || quiet >= DEAF)
    }

    /// Whether nothing is under way, so that time can be skipped to what is due next.
    fn is_idle(&self) -> bool {
        let trouble = self.faults.iter().flatten().any(Active::slows_nodes);
        let tallest = self.seats.iter().map(|seat| seat.shown.height()).max();
        let steady = |seat: &Seat| {
            !seat.up
                || seat.paused
                || (seat.shown.heard && (trouble || Some(seat.shown.height()) == tallest))
        };
        self.phase == Phase::Trouble
            && self.open.is_empty()
            && self.waiting.is_empty()
            && self.seats.iter().all(steady)
    }

    fn take_news(&mut self) {
        while let Ok(news) = self.inbox.try_recv() {
            self.on_news(news);
        }
    }

    fn nodes(&self) -> impl Iterator<Item = NodeId> + use<V> {
        (0..self.plan.nodes).map(NodeId)
    }

    fn now(&mut self) -> Millis {
        self.pace.now(self.venue.wall())
    }

    fn record(&mut self, event: Event) {
        let now = self.now();
        self.history.record(now, event);
    }

    fn schedule_in(&mut self, after: Millis, due: Due) {
        let at = self.now() + after;
        self.kernel.schedule(at, 0, due);
    }
}
