//! Tells a story on nodes that are only seen from outside, through JSON-RPC and their disks, and records
//! the same history as the simulated world does.
//!
//! The people are the model's own actors, the judge is the same, and it does not matter what the nodes are
//! made of: a [`Venue`] gives faults a body. What nodes answer is compared with what the ledger says they
//! ought to (`oracle`). Time in which nothing happens is skipped (`pace`). Start with [`Network`], which
//! may see several stories, one after another.

mod answers;
mod ending;
mod faults;
mod founding;
mod network;
mod oracle;
mod pace;
mod people;
mod search;
mod watch;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use assay_model::actor::{self, Actor};
use assay_model::history::{Event, History};
use assay_model::id::{Height, NodeId, PartyId};
use assay_model::ledger::Transaction;
use assay_model::node::{Request, RequestId};
use assay_model::time::{Millis, WallMillis};
use assay_scenarios::judge::Metrics;
use assay_scenarios::plan::Plan;
use assay_sim::Setting;
use assay_sim::clock::Clock;
use assay_sim::kernel::Kernel;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::answers::Waiting;
use self::faults::Active;
use self::network::Seat;
pub use self::network::{Network, Told, may_share, suit_each_other};
pub use self::pace::FOUNDING;
use crate::venue::{Trouble, Venue};

/// What comes this much later than planned can put a step on the wrong side of a second.
const LAG: Millis = Millis(150);
/// How many looks at every node make sure that nothing is under way.
const LOOKS: u32 = 2;
/// After so long without news looks are no longer waited for.
const DEAF: Duration = Duration::from_secs(1);
/// Less than this is waited for rather than skipped, in milliseconds.
const WAIT: u64 = 60;

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

/// One story on its network. See the module.
struct Stage<'v, 'p, V: Venue> {
    network: Network<'v, V>,
    plan: &'p Plan,
    history: History,
    kernel: Kernel<Due>,
    /// When something was last heard that matters, or time was skipped.
    stirred: Instant,
    /// Milliseconds skipped since something was heard.
    strode: u64,
    people: Vec<Person>,
    open: BTreeMap<RequestId, Open>,
    waiting: VecDeque<Waiting>,
    begun: usize,
    ended: usize,
    audits: usize,
    faults: Vec<Option<Active>>,
    phase: Phase,
    /// Answers and results compared with the ledger, per node.
    compared: BTreeMap<NodeId, (u64, u64)>,
    metrics: Metrics,
}

impl<'v, 'p, V: Venue> Stage<'v, 'p, V> {
    fn new(mut network: Network<'v, V>, plan: &'p Plan, setting: Setting) -> Stage<'v, 'p, V> {
        network.pace.again(plan.epoch);
        for seat in &mut network.seats {
            (seat.clock, seat.looks) = (Clock::right(plan.epoch), 0);
        }
        let people = setting.actors.into_iter().map(|actor| Person {
            actor,
            clock: Clock::right(plan.epoch),
            held: None,
        });
        Stage {
            network,
            plan,
            history: History::new(Arc::new(setting.cast)),
            kernel: Kernel::default(),
            stirred: Instant::now(),
            strode: 0,
            people: people.collect(),
            open: BTreeMap::new(),
            waiting: VecDeque::new(),
            begun: 0,
            ended: 0,
            audits: 0,
            faults: plan.faults.iter().map(|_| None).collect(),
            phase: Phase::Founding,
            compared: BTreeMap::new(),
            metrics: Metrics::default(),
        }
    }

    /// The story, and what sets it up.
    async fn whole(&mut self, founding: &[Arc<Transaction>]) -> Result<(), Trouble> {
        self.found(founding).await?;
        self.play().await
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
            false => left.min(self.network.venue.stride()).min(self.allowance()),
        };
        let worth = self.network.venue.can_skip() && far > WAIT;
        if worth && self.is_calm() {
            return self.skip(far).await;
        }
        let mut nap = Duration::from_millis(left.max(1));
        if worth {
            nap = nap.min(self.network.venue.watch_every());
        }
        let began = Instant::now();
        let news = tokio::select! {
            biased;
            news = self.network.inbox.recv() => news,
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
        let lead = self.network.venue.skip_lead();
        let at = self.network.venue.wall().0 + lead.as_millis() as u64;
        self.network.pace.skip(milliseconds, WallMillis(at));
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
        let error = self.network.seats[node.index()].clock.error(now);
        let skew = self.network.pace.skew(error);
        self.network.venue.set_clock(node, skew)
    }

    /// How much more may be skipped before somebody is answered. Without trouble a write takes the leader's
    /// pause and little more; if it takes longer, the machine is slow, and time must not run ahead of it.
    fn allowance(&self) -> u64 {
        let down = self
            .network
            .seats
            .iter()
            .any(|seat| !seat.up || seat.paused);
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
        for seat in &mut self.network.seats {
            seat.looks = 0;
        }
    }

    /// Whether nothing has been heard for long enough. On a busy machine looks take longer, and so does
    /// everything else.
    fn is_calm(&self) -> bool {
        let quiet = self.stirred.elapsed();
        let looked = |seat: &Seat| !seat.up || seat.paused || seat.looks >= LOOKS;
        quiet >= self.network.venue.calm()
            && (self.network.seats.iter().all(looked) || quiet >= DEAF)
    }

    /// Whether nothing is under way, so that time can be skipped to what is due next.
    fn is_idle(&self) -> bool {
        let trouble = self.faults.iter().flatten().any(Active::slows_nodes);
        let tallest = self
            .network
            .seats
            .iter()
            .map(|seat| seat.shown.height())
            .max();
        let steady = |seat: &Seat| {
            !seat.up
                || seat.paused
                || (seat.shown.heard && (trouble || Some(seat.shown.height()) == tallest))
        };
        self.phase == Phase::Trouble
            && self.open.is_empty()
            && self.waiting.is_empty()
            && self.network.seats.iter().all(steady)
    }

    fn take_news(&mut self) {
        while let Ok(news) = self.network.inbox.try_recv() {
            self.on_news(news);
        }
    }

    fn nodes(&self) -> impl Iterator<Item = NodeId> + use<V> {
        (0..self.plan.nodes).map(NodeId)
    }

    fn now(&mut self) -> Millis {
        self.network.pace.now(self.network.venue.wall())
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
