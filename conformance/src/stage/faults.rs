//! Faults begin and end here. What they do to links is worked out from all that go on at once; processes,
//! disks and clocks are the venue's.

use std::collections::BTreeMap;

use assay_model::history::Event;
use assay_model::id::{NodeId, PartyId};
use assay_model::node::Request;
use assay_model::time::WallMillis;
use assay_node::rpc;
use assay_scenarios::plan::{ClockError, FaultKind, Whose};
use assay_sim::fault::{Body, Roles};

use super::wire::post;
use super::{Phase, Stage};
use crate::venue::{Link, Trouble, Venue, Way};

/// A fault that is going on.
#[derive(Clone, Debug)]
pub(super) struct Active {
    /// What it does to links.
    body: Body,
    /// The node it struck, when it is about one.
    node: Option<NodeId>,
    /// What it did so far, in the unit of its kind.
    effect: u64,
    /// What links had done when it began.
    before: BTreeMap<Way, u64>,
}

impl Active {
    /// Whether nodes may lag behind each other while it goes on.
    pub(super) fn slows_nodes(&self) -> bool {
        self.body != Body::Elsewhere
    }
}

/// What becomes of one request of a client.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mischief {
    /// The node gets it twice.
    pub(super) twice: bool,
    /// The node answers, and the client does not hear it.
    pub(super) loses_reply: bool,
}

impl<V: Venue> Stage<'_, V> {
    pub(super) async fn begin_fault(&mut self, index: usize) -> Result<(), Trouble> {
        if self.phase != Phase::Trouble {
            return Ok(());
        }
        let kind = &self.plan.faults[index].kind;
        let roles = Roles {
            nodes: self.plan.nodes,
            leader: self.leader,
        };
        let mut active = Active {
            body: Body::of(kind, roles),
            node: None,
            effect: 0,
            before: self.effects(),
        };
        self.record(Event::FaultBegan {
            fault: index as u32,
        });
        match kind {
            FaultKind::Crash { node } => {
                let node = roles.resolve(*node);
                active.node = Some(node);
                active.effect = u64::from(self.crash(node).await?);
            }
            FaultKind::Offline { party } => {
                self.people[party.index()].held.get_or_insert_default();
                active.effect = 1;
            }
            FaultKind::Clock(error) => active.node = self.disturb_clock(error)?,
            FaultKind::Split { .. }
            | FaultKind::Isolate { .. }
            | FaultKind::SplitLeader { .. }
            | FaultKind::OneWay { .. }
            | FaultKind::Lossy { .. }
            | FaultKind::Slow { .. } => {}
        }
        self.faults[index] = Some(active);
        self.relink();
        Ok(())
    }

    pub(super) async fn end_fault(&mut self, index: usize) -> Result<(), Trouble> {
        let Some(active) = self.faults[index].take() else {
            return Ok(());
        };
        let mut effect = active.effect;
        match &self.plan.faults[index].kind {
            FaultKind::Crash { .. } => {
                let node = active.node.expect("a crash struck a node");
                if effect > 0 {
                    self.start(node, true).await?;
                }
            }
            FaultKind::Offline { party } => {
                for input in self.people[party.index()].held.take().unwrap_or_default() {
                    self.tell(*party, input);
                }
            }
            FaultKind::Clock(error) => effect = self.mend_clock(error.whose, active.node).await?,
            FaultKind::Split { .. }
            | FaultKind::Isolate { .. }
            | FaultKind::SplitLeader { .. }
            | FaultKind::OneWay { .. }
            | FaultKind::Lossy { .. }
            | FaultKind::Slow { .. } => effect = self.effect_since(&active),
        }
        self.relink();
        self.record(Event::FaultEnded {
            fault: index as u32,
            effect,
        });
        Ok(())
    }

    async fn crash(&mut self, node: NodeId) -> Result<bool, Trouble> {
        if !self.seats[node.index()].up {
            return Ok(false);
        }
        self.venue.kill(node).await?;
        self.leave(node);
        self.record(Event::Crashed { node, lost: 0 });
        Ok(true)
    }

    /// What there is to do about a node's watch and answers once its process has ended.
    fn leave(&mut self, node: NodeId) {
        self.take_news();
        let seat = &mut self.seats[node.index()];
        seat.up = false;
        if let Some(watch) = seat.watch.take() {
            watch.abort();
        }
        self.resolve();
    }

    /// Every link's state, from all faults that go on.
    fn relink(&mut self) {
        for (from, to) in self.pairs() {
            let mut link = match self.plan.network.loss.0 {
                0 => Link::Open,
                loss => Link::Lossy(loss),
            };
            for active in self.faults.iter().flatten() {
                link = worse(link, bodied(&active.body, from, to));
            }
            self.venue.set_link(Way::Peers { from, to }, link);
        }
    }

    pub(super) fn pairs(&self) -> Vec<(NodeId, NodeId)> {
        let pairs = self
            .nodes()
            .flat_map(|from| self.nodes().map(move |to| (from, to)));
        pairs.filter(|(from, to)| from != to).collect()
    }

    fn effects(&self) -> BTreeMap<Way, u64> {
        let ways = self
            .pairs()
            .into_iter()
            .map(|(from, to)| Way::Peers { from, to });
        ways.map(|way| (way, self.venue.effect(way))).collect()
    }

    /// What the links a fault is about have done since it began.
    fn effect_since(&self, active: &Active) -> u64 {
        let struck = |(from, to): &(NodeId, NodeId)| bodied(&active.body, *from, *to) != Link::Open;
        let ways = self.pairs().into_iter().filter(struck);
        ways.map(|(from, to)| Way::Peers { from, to })
            .map(|way| self.venue.effect(way) - active.before[&way])
            .sum()
    }

    pub(super) fn disturb_clocks_of_plan(&mut self) -> Result<(), Trouble> {
        let plan = self.plan;
        plan.clocks
            .iter()
            .try_for_each(|error| self.disturb_clock(error).map(drop))
    }

    /// Makes a clock wrong; returns the node it is of.
    fn disturb_clock(&mut self, error: &ClockError) -> Result<Option<NodeId>, Trouble> {
        let now = self.now();
        let roles = Roles {
            nodes: self.plan.nodes,
            leader: self.leader,
        };
        match error.whose {
            Whose::Party(party) => {
                let clock = &mut self.people[party.index()].clock;
                clock.disturb(now, error.offset, error.drift);
                Ok(None)
            }
            Whose::Node(node) => {
                let node = roles.resolve(node);
                let clock = &mut self.seats[node.index()].clock;
                clock.disturb(now, error.offset, error.drift);
                self.set_clock(node)?;
                Ok(Some(node))
            }
        }
    }

    /// Sets a clock right; returns how far it was off, as measured where that can be done.
    async fn mend_clock(&mut self, whose: Whose, node: Option<NodeId>) -> Result<u64, Trouble> {
        let now = self.now();
        let (off, node) = match (whose, node) {
            (Whose::Party(party), _) => {
                let clock = &mut self.people[party.index()].clock;
                let off = clock.error(now).unsigned_abs();
                clock.mend();
                return Ok(off);
            }
            (Whose::Node(_), Some(node)) => (self.measured_error(node).await, node),
            (Whose::Node(_), None) => unreachable!("the clock of a node was disturbed"),
        };
        self.seats[node.index()].clock.mend();
        self.set_clock(node)?;
        Ok(off)
    }

    /// How far a node's clock is off: it tells its last block's time, and how old that is by its clock.
    /// What a node that is down cannot tell is what its clock was set to.
    async fn measured_error(&mut self, node: NodeId) -> u64 {
        let now = self.now();
        let set = self.seats[node.index()].clock.error(now).unsigned_abs();
        if !self.seats[node.index()].up {
            return set;
        }
        let (net, to) = (self.venue.net(), self.venue.rpc(node));
        let Ok((_, body)) = post(&net, to, rpc::ask_health(1)).await else {
            return set;
        };
        let right = self.pace.chain_clock(self.venue.wall());
        match rpc::hear_health(&body) {
            // An error of less than a second is within what asking takes.
            Ok(health) if set > 1_000 => {
                let shown = health.block_time + health.block_age;
                WallMillis(shown.max(0) as u64).distance(right)
            }
            _ => set,
        }
    }

    /// What faults do to a request that is about to be sent.
    pub(super) fn mischief(&mut self, _by: PartyId, _node: NodeId, _request: &Request) -> Mischief {
        Mischief::default()
    }
}

/// What a fault's body does to a link.
fn bodied(body: &Body, from: NodeId, to: NodeId) -> Link {
    match body {
        _ if body.cuts(from, to) => Link::Stalled,
        Body::Lossy(loss) => Link::Lossy(loss.0),
        Body::Slow(delay) => Link::Slow(*delay),
        Body::Elsewhere | Body::Groups(_) | Body::OneWay(..) => Link::Open,
    }
}

/// The one of two states in which less gets through.
fn worse(one: Link, other: Link) -> Link {
    let rank = |link: &Link| match link {
        Link::Open => 0,
        Link::Slow(_) => 1,
        Link::Lossy(_) => 2,
        Link::Stalled => 3,
        Link::Refused => 4,
    };
    if rank(&one) >= rank(&other) {
        one
    } else {
        other
    }
}
