//! What outlives a story: nodes, and what is known of them.
//!
//! A network sees one story, or several one after another: each later one with people and rows of its own,
//! at a later time of the chain. Stories only see what happens while they are told, so that none counts
//! what another did; what nodes leave behind is looked at once, when all are told, and every story is
//! shown what concerns it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use assay_model::actor::Reach;
use assay_model::crypto::Suite;
use assay_model::history::{Event, History, Role};
use assay_model::id::{CredentialId, GrantId, Height, NodeId, TxId, UserId};
use assay_model::ledger::{Outcome, Transaction};
use assay_model::rules::Switch;
use assay_model::time::{Millis, WallMillis};
use assay_node::rpc::Mode;
use assay_scenarios::Place;
use assay_scenarios::judge::Metrics;
use assay_scenarios::plan::{Deed, FaultKind, Plan, Step, Whose};
use assay_sim::Setting;
use assay_sim::clock::Clock;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::Stage;
use super::oracle::Oracle;
use super::pace::{FOUNDING, Pace};
use super::watch::{News, Shown};
use crate::venue::{Inspection, Trouble, Venue};

/// How long before scenario time zero the first story of a network is made ready, and any later one, where
/// time cannot be skipped.
const START: u64 = 12_000;
const NEXT: u64 = 5_000;

/// What a telling leaves behind.
#[derive(Clone, Debug)]
pub struct Told {
    /// Everything that was seen.
    pub history: History,
    /// How much of it there was.
    pub metrics: Metrics,
}

/// A node, as far as can be told from outside.
pub(super) struct Seat {
    /// Counts the lives of the process, so that news of one is not taken for news of the next.
    pub(super) life: u32,
    pub(super) up: bool,
    pub(super) paused: bool,
    pub(super) clock: Clock,
    /// What it has shown in this life.
    pub(super) shown: Shown,
    /// Looks since something happened.
    pub(super) looks: u32,
    pub(super) watch: Option<JoinHandle<()>>,
    /// Makes the watch look at once.
    pub(super) poke: Arc<Notify>,
    /// What the operator said while the process was down.
    pub(super) appointed: Option<(u32, NodeId)>,
}

/// A story that was told.
pub(super) struct Tale {
    pub(super) told: Told,
    epoch: WallMillis,
    /// Heights before its first and of its last block.
    pub(super) heights: (Height, Height),
}

/// Ids of rows.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) credentials: BTreeSet<CredentialId>,
    pub(super) grants: BTreeSet<GrantId>,
    pub(super) users: BTreeSet<UserId>,
}

/// Whether a story leaves its network as it found it, so that others may be told there too: nothing strikes
/// nodes, links or clocks of nodes, nobody does what reaches further than the story, and nothing breaks on
/// purpose. Disks are looked at when the whole company is done, and a story does not see the blocks after its
/// own, so nothing may be left to time either.
pub fn may_share(plan: &Plan) -> bool {
    let of_people = |kind: &FaultKind| match kind {
        FaultKind::Offline { .. }
        | FaultKind::LostReply { .. }
        | FaultKind::DuplicatedRequest { .. } => true,
        FaultKind::Clock(error) => matches!(error.whose, Whose::Party(_)),
        _ => false,
    };
    let reaches_nobody_else = |step: &Step| match &step.deed {
        Deed::Party(_, task) => task.order.reach() == Reach::Own,
        Deed::AppointLeader(_) => false,
    };
    plan.breaks.is_empty()
        // A network has the balances its genesis gave it, and the ledgers of tokens belong to nobody.
        && !plan.has_tokens()
        && plan.faults.iter().all(|fault| of_people(&fault.kind))
        && plan
            .clocks
            .iter()
            .all(|error| matches!(error.whose, Whose::Party(_)))
        && !plan
            .parties
            .iter()
            .any(|party| party.role == Role::Operator)
        && plan.steps.iter().all(reaches_nobody_else)
}

/// Whether two stories that may share ask for the same network.
pub fn suit_each_other(one: &Plan, other: &Plan) -> bool {
    let asked = |plan: &Plan| {
        (
            plan.nodes,
            plan.sentries.clone(),
            plan.leader,
            plan.timing,
            plan.network,
            plan.rules,
        )
    };
    asked(one) == asked(other)
}

/// See the module.
pub struct Network<'v, V: Venue> {
    pub(super) venue: &'v mut V,
    pub(super) mode: Mode,
    pub(super) oracle: Oracle,
    pub(super) pace: Pace,
    pub(super) post: mpsc::UnboundedSender<News>,
    pub(super) inbox: mpsc::UnboundedReceiver<News>,
    pub(super) seats: Vec<Seat>,
    /// What clients have sent.
    pub(super) transactions: BTreeMap<TxId, Arc<Transaction>>,
    /// What any node has shown in a block.
    pub(super) included: BTreeMap<TxId, (Height, Outcome)>,
    /// When any node showed a block for the first time, in the time of the story then.
    pub(super) first_shown: BTreeMap<Height, Millis>,
    pub(super) term: u32,
    pub(super) leader: NodeId,
    pub(super) tales: Vec<Tale>,
}

impl<'v, V: Venue> Network<'v, V> {
    /// A venue whose nodes are down, and were made for the setting of this plan.
    pub fn new(
        plan: &Plan,
        setting: &Setting,
        suite: Arc<dyn Suite>,
        venue: &'v mut V,
    ) -> Network<'v, V> {
        let (post, inbox) = mpsc::unbounded_channel();
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
        Network {
            mode: if private { Mode::Private } else { Mode::Open },
            oracle: Oracle::new(&setting.cast, suite),
            pace: Pace::new(plan.epoch, venue.wall(), venue.can_skip()),
            venue,
            post,
            inbox,
            seats: seats.collect(),
            transactions: BTreeMap::new(),
            included: BTreeMap::new(),
            first_shown: BTreeMap::new(),
            term: 0,
            leader: plan.leader,
            tales: Vec::new(),
        }
    }

    /// When and how the next story is told here.
    pub fn place(&self) -> Place {
        let first = self.tales.is_empty();
        let now = self.pace.chain_clock(self.venue.wall());
        let ahead = match (self.venue.can_skip(), first) {
            (true, true) => return Place::default(),
            (true, false) => FOUNDING,
            (false, true) => START,
            (false, false) => NEXT,
        };
        Place {
            epoch: WallMillis((now.0 + ahead).next_multiple_of(1_000)),
            mark: if first {
                String::new()
            } else {
                self.tales.len().to_string()
            },
        }
    }

    /// The last nonce the database owner has used.
    pub fn owners_nonce(&self) -> u64 {
        self.oracle.owners_nonce()
    }

    /// Tells a story, resolved for [`Network::place`], and how that went: there is trouble when nodes do not
    /// start or refuse what sets the story up, or the harness fails. What was told before is as it was.
    pub async fn tell(
        self,
        plan: &Plan,
        setting: Setting,
    ) -> (Network<'v, V>, Result<(), Trouble>) {
        let founding = setting.founding.clone();
        let before = self.oracle.height();
        let mut stage = Stage::new(self, plan, setting);
        let end = stage.whole(&founding).await;
        let (mut network, told) = stage.end();
        network.tales.push(Tale {
            told,
            epoch: plan.epoch,
            heights: (before, network.oracle.height()),
        });
        (network, end)
    }

    /// Whether the last story came to its end by itself and every node stands, so that another may follow.
    pub fn is_at_rest(&self) -> bool {
        let settled = |tale: &Tale| {
            let events = tale.told.history.observations().iter().rev();
            let mut events = events.map(|observation| &observation.event);
            events.any(|event| matches!(event, Event::Settled))
        };
        self.tales.last().is_some_and(settled) && self.seats.iter().all(|seat| seat.up)
    }

    /// Stops everything and looks into what nodes leave behind. Gives the stories in the order in which
    /// they were told.
    ///
    /// # Errors
    ///
    /// When a node cannot be stopped or looked into, or the harness fails.
    pub async fn close(mut self) -> Result<Vec<Told>, Trouble> {
        for node in self.nodes() {
            if let Some(watch) = self.seats[node.index()].watch.take() {
                watch.abort();
            }
            if self.seats[node.index()].up {
                self.venue.stop(node).await?;
                self.seats[node.index()].up = false;
            }
        }
        let mut tables = Vec::new();
        for node in self.nodes() {
            if let Some(inspection) = self.venue.inspect(node).await? {
                tables.push((node, inspection));
            }
        }
        for index in 0..self.tales.len() {
            let others = self.rows_of_others(index);
            for (node, inspection) in &tables {
                let event = inspected(*node, others.without(inspection));
                self.note(index, event);
            }
        }
        self.search(&tables)?;
        for why in self.venue.doubts() {
            self.note_all(&Event::Doubted { why });
        }
        let told = self.tales.into_iter().map(|tale| {
            let Told {
                history,
                mut metrics,
            } = tale.told;
            metrics.observations = history.observations().len() as u64;
            Told { history, metrics }
        });
        Ok(told.collect())
    }

    /// Rows that other stories than this have made: what one finds and nobody has made concerns all.
    fn rows_of_others(&self, index: usize) -> Rows {
        let mut rows = Rows::default();
        for (other, tale) in self.tales.iter().enumerate() {
            if other != index {
                self.oracle.rows_made(tale.heights, &mut rows);
            }
        }
        rows
    }

    /// Puts something on the record of one story.
    pub(super) fn note(&mut self, index: usize, event: Event) {
        let now = self.pace.chain_clock(self.venue.wall());
        let tale = &mut self.tales[index];
        let history = &mut tale.told.history;
        let last = history.observations().last().map(|last| last.at);
        let now = Millis(now.0.saturating_sub(tale.epoch.0));
        history.record(now.max(last.unwrap_or_default()), event);
    }

    /// The same for something that concerns every story.
    pub(super) fn note_all(&mut self, event: &Event) {
        for index in 0..self.tales.len() {
            self.note(index, event.clone());
        }
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> + use<V> {
        (0..self.seats.len() as u16).map(NodeId)
    }
}

impl Rows {
    /// What a look showed, less these rows.
    fn without(&self, inspection: &Inspection) -> Inspection {
        let mut left = inspection.clone();
        left.credentials.retain(|id| !self.credentials.contains(id));
        left.grants.retain(|id| !self.grants.contains(id));
        left.users.retain(|id| !self.users.contains(id));
        left
    }
}

/// What a look into a node's tables showed, as a history has it.
pub(super) fn inspected(node: NodeId, inspection: Inspection) -> Event {
    Event::Inspected {
        node,
        height: inspection.height,
        app_hash: inspection.app_hash,
        tables: inspection.tables,
        credentials: inspection.credentials,
        grants: inspection.grants,
        users: inspection.users,
        oldest: inspection.oldest,
        named: inspection.consumed_write_grants,
    }
}
