//! Faults begin and end here. What they do to links is worked out from all that go on at once; processes,
//! disks and clocks are the venue's.

use std::collections::BTreeMap;
use std::time::Duration;

use assay_model::history::Event;
use assay_model::id::{NodeId, PartyId};
use assay_model::time::WallMillis;
use assay_node::rpc;
use assay_scenarios::plan::{ClockError, FaultKind, NodeRef, Whose};
use assay_sim::fault::{Body, Roles};

use super::network::inspected;
use super::{Phase, Stage};
use crate::venue::{Link, Trouble, Venue, Way};
use crate::wire::post;

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
    /// Whether what it broke may be used again.
    mended: bool,
    /// Whether what it cuts is refused rather than held back.
    refuses: bool,
}

impl Active {
    /// Whether it makes something take longer.
    pub(super) fn delays(&self) -> bool {
        matches!(self.body, Body::Slow(_) | Body::SlowClients(_))
    }

    /// Whether nodes may lag behind each other while it goes on.
    pub(super) fn slows_nodes(&self) -> bool {
        self.body != Body::Elsewhere
    }
}

/// How long a connection that is to break is refused.
const BREAK: Duration = Duration::from_millis(60);
/// How long a paused node must keep silent to be believed.
const SILENCE: Duration = Duration::from_millis(300);

/// The node a fault is about, when it is about one.
fn struck(kind: &FaultKind) -> Option<NodeRef> {
    match kind {
        FaultKind::Crash { node }
        | FaultKind::Stop { node }
        | FaultKind::Pause { node }
        | FaultKind::Wipe { node }
        | FaultKind::RollBack { node } => Some(*node),
        FaultKind::Split { .. }
        | FaultKind::Isolate { .. }
        | FaultKind::SplitLeader { .. }
        | FaultKind::OneWay { .. }
        | FaultKind::Lossy { .. }
        | FaultKind::Slow { .. }
        | FaultKind::Stall { .. }
        | FaultKind::Refuse { .. }
        | FaultKind::Reset { .. }
        | FaultKind::LostReply { .. }
        | FaultKind::DuplicatedRequest { .. }
        | FaultKind::SlowClients { .. }
        | FaultKind::Offline { .. }
        | FaultKind::Clock(_)
        // No story with these is told here.
        | FaultKind::SlippedIn { .. }
        | FaultKind::ForgedQuorum { .. }
        | FaultKind::Omitted { .. }
        | FaultKind::AlteredRow { .. } => None,
    }
}

impl<V: Venue> Stage<'_, '_, V> {
    pub(super) async fn begin_fault(&mut self, index: usize) -> Result<(), Trouble> {
        if self.phase != Phase::Trouble {
            return Ok(());
        }
        let kind = &self.plan.faults[index].kind;
        let roles = Roles {
            nodes: self.plan.nodes,
            leader: self.network.leader,
        };
        let now = self.now();
        let mut active = Active {
            body: Body::of(kind, roles, now),
            node: struck(kind).map(|node| roles.resolve(node)),
            effect: 0,
            before: self.effects(),
            mended: false,
            refuses: matches!(kind, FaultKind::Refuse { .. }),
        };
        self.record(Event::FaultBegan {
            fault: index as u32,
        });
        match (kind, active.node) {
            (FaultKind::Crash { .. }, Some(node)) => {
                active.effect = u64::from(self.crash(node).await?);
            }
            (FaultKind::Stop { .. }, Some(node)) => {
                active.effect = u64::from(self.stop(node).await?);
            }
            (FaultKind::Wipe { .. }, Some(node)) => {
                let held = self.network.seats[node.index()].shown.height();
                if self.crash(node).await? {
                    self.network.venue.wipe(node).await?;
                    self.remind(node);
                    active.effect = held.0;
                }
            }
            (FaultKind::RollBack { .. }, Some(node)) => {
                // A disk can be copied only while nobody writes to it.
                active.effect = self.network.seats[node.index()].shown.height().0;
                if self.stop(node).await? {
                    self.network.venue.keep_copy(node).await?;
                    self.start(node, true).await?;
                }
            }
            (FaultKind::Pause { .. }, Some(node)) => {
                active.effect = u64::from(self.pause(node).await?);
            }
            (FaultKind::Offline { party }, _) => {
                self.people[party.index()].held.get_or_insert_default();
                active.effect = 1;
            }
            (FaultKind::Clock(error), _) => active.node = self.disturb_clock(error)?,
            _ => {}
        }
        let broken = matches!(active.body, Body::Broken { .. });
        self.faults[index] = Some(active);
        self.relink();
        if broken {
            // Long enough for both sides to see that the connection is gone.
            tokio::time::sleep(BREAK).await;
            if let Some(active) = &mut self.faults[index] {
                active.mended = true;
            }
            self.relink();
        }
        Ok(())
    }

    pub(super) async fn end_fault(&mut self, index: usize) -> Result<(), Trouble> {
        let Some(active) = self.faults[index].take() else {
            return Ok(());
        };
        let mut effect = active.effect;
        match (&self.plan.faults[index].kind, active.node) {
            (
                FaultKind::Crash { .. } | FaultKind::Stop { .. } | FaultKind::Wipe { .. },
                Some(node),
            ) if effect > 0 => self.start(node, true).await?,
            (FaultKind::RollBack { .. }, Some(node)) => {
                let height = self.network.seats[node.index()].shown.height();
                self.crash(node).await?;
                self.network.venue.roll_back(node).await?;
                self.remind(node);
                self.start(node, true).await?;
                effect = height.0.saturating_sub(effect);
            }
            (FaultKind::Pause { .. }, Some(node)) => {
                self.network.venue.resume(node).await?;
                self.network.seats[node.index()].paused = false;
            }
            (FaultKind::Offline { party }, _) => {
                for input in self.people[party.index()].held.take().unwrap_or_default() {
                    self.tell(*party, input);
                }
            }
            (FaultKind::Clock(error), node) => {
                effect = self.mend_clock(error.whose, node).await?;
            }
            _ => effect += self.effect_since(&active),
        }
        self.relink();
        self.record(Event::FaultEnded {
            fault: index as u32,
            effect,
        });
        Ok(())
    }

    async fn crash(&mut self, node: NodeId) -> Result<bool, Trouble> {
        if !self.network.seats[node.index()].up {
            return Ok(false);
        }
        self.network.venue.kill(node).await?;
        self.leave(node);
        self.record(Event::Crashed { node, lost: 0 });
        // What it had shown has to be there already, whatever it will learn again from the others.
        if let Some(inspection) = self.network.venue.inspect(node).await? {
            self.record(inspected(node, inspection));
        }
        Ok(true)
    }

    async fn stop(&mut self, node: NodeId) -> Result<bool, Trouble> {
        if !self.network.seats[node.index()].up {
            return Ok(false);
        }
        // What it says while it ends is not asked for.
        self.leave(node);
        self.network.venue.stop(node).await?;
        self.record(Event::Stopped { node });
        Ok(true)
    }

    /// Its operator tells a node that has forgotten who leads, when it starts.
    fn remind(&mut self, node: NodeId) {
        if self.network.term > 0 {
            self.network.seats[node.index()].appointed =
                Some((self.network.term, self.network.leader));
        }
    }

    /// Pauses a node; whether it then keeps silent.
    async fn pause(&mut self, node: NodeId) -> Result<bool, Trouble> {
        self.network.venue.pause(node).await?;
        self.network.seats[node.index()].paused = true;
        let (net, to) = (self.network.venue.net(), self.network.venue.look(node));
        let asked = post(&net, to, rpc::ask_health(1));
        Ok(tokio::time::timeout(SILENCE, asked).await.is_err())
    }

    /// What there is to do about a node's watch and answers once its process has ended.
    fn leave(&mut self, node: NodeId) {
        self.take_news();
        let seat = &mut self.network.seats[node.index()];
        seat.up = false;
        if let Some(watch) = seat.watch.take() {
            watch.abort();
        }
        self.resolve();
    }

    /// Every link's state, from all faults that go on.
    pub(super) fn relink(&mut self) {
        for way in self.ways() {
            let mut link = match (way, self.plan.network.loss.0) {
                (Way::Clients { .. }, _) | (Way::Peers { .. }, 0) => Link::Open,
                (Way::Peers { .. }, loss) => Link::Lossy(loss),
            };
            for active in self.faults.iter().flatten() {
                link = worse(link, active.link(way));
            }
            self.network.venue.set_link(way, link);
        }
    }

    fn ways(&self) -> Vec<Way> {
        let pairs = self
            .nodes()
            .flat_map(|from| self.nodes().map(move |to| (from, to)));
        let peers = pairs
            .filter(|(from, to)| from != to)
            .map(|(from, to)| Way::Peers { from, to });
        peers
            .chain(self.nodes().map(|node| Way::Clients { node }))
            .collect()
    }

    fn effects(&self) -> BTreeMap<Way, u64> {
        let ways = self.ways().into_iter();
        ways.map(|way| (way, self.network.venue.effect(way)))
            .collect()
    }

    /// What the links a fault is about have done since it began.
    fn effect_since(&self, active: &Active) -> u64 {
        let struck = |way: &Way| active.touches(*way);
        let ways = self.ways().into_iter().filter(struck);
        ways.map(|way| self.network.venue.effect(way) - active.before[&way])
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
            leader: self.network.leader,
        };
        match error.whose {
            Whose::Party(party) => {
                let clock = &mut self.people[party.index()].clock;
                clock.disturb(now, error.offset, error.drift);
                Ok(None)
            }
            Whose::Node(node) => {
                let node = roles.resolve(node);
                let clock = &mut self.network.seats[node.index()].clock;
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
        self.network.seats[node.index()].clock.mend();
        self.set_clock(node)?;
        Ok(off)
    }

    /// How far a node's clock is off: it tells its last block's time, and how old that is by its clock.
    /// What a node that is down cannot tell is what its clock was set to.
    async fn measured_error(&mut self, node: NodeId) -> u64 {
        let now = self.now();
        let set = self.network.seats[node.index()]
            .clock
            .error(now)
            .unsigned_abs();
        if !self.network.seats[node.index()].up {
            return set;
        }
        let (net, to) = (self.network.venue.net(), self.network.venue.look(node));
        let Ok((_, body)) = post(&net, to, rpc::ask_health(1)).await else {
            return set;
        };
        let right = self.network.pace.chain_clock(self.network.venue.wall());
        match rpc::hear_health(&body) {
            // An error of less than a second is within what asking takes.
            Ok(health) if set > 1_000 => {
                let shown = health.block_time + health.block_age;
                WallMillis(shown.max(0) as u64).distance(right)
            }
            _ => set,
        }
    }

    /// Whether a fault has the node get a request of this party twice; counts it.
    pub(super) fn is_sent_twice(&mut self, by: PartyId) -> bool {
        let mut twice = false;
        for active in self.faults.iter_mut().flatten() {
            if active.body == Body::Twice(by) {
                active.effect += 1;
                twice = true;
            }
        }
        twice
    }

    /// Whether a fault keeps a client from hearing that its transaction is in a block; counts it.
    pub(super) fn is_silenced(&mut self, by: PartyId, node: NodeId) -> bool {
        let mut silenced = false;
        for active in self.faults.iter_mut().flatten() {
            if let Body::Unanswered(party, of) = active.body
                && party == by
                && of.is_none_or(|of| of == node)
            {
                active.effect += 1;
                silenced = true;
            }
        }
        silenced
    }
}

impl Active {
    /// Whether a link is among those the fault is about.
    fn touches(&self, way: Way) -> bool {
        match (&self.body, way) {
            (Body::Broken { from, to, .. }, _) => {
                way == Way::Peers {
                    from: *from,
                    to: *to,
                }
            }
            _ => self.link(way) != Link::Open,
        }
    }

    /// What the fault does to a link now.
    fn link(&self, way: Way) -> Link {
        let (from, to) = match way {
            Way::Peers { from, to } => (from, to),
            Way::Clients { .. } => {
                return match self.body {
                    Body::SlowClients(delay) => Link::Slow(delay),
                    _ => Link::Open,
                };
            }
        };
        match &self.body {
            Body::OneWay(sender, receiver) if (from, to) == (*sender, *receiver) => {
                if self.refuses {
                    Link::Refused
                } else {
                    Link::Stalled
                }
            }
            Body::Groups(groups) if groups[from.index()] != groups[to.index()] => Link::Stalled,
            Body::Stalled(sender, receiver) if (from, to) == (*sender, *receiver) => Link::Stalled,
            Body::Broken {
                from: sender,
                to: receiver,
                ..
            } if (from, to) == (*sender, *receiver) && !self.mended => Link::Refused,
            Body::Lossy(loss) => Link::Lossy(loss.0),
            Body::Slow(delay) => Link::Slow(*delay),
            Body::Elsewhere
            | Body::Groups(_)
            | Body::OneWay(..)
            | Body::Stalled(..)
            | Body::Broken { .. }
            | Body::Unanswered(..)
            | Body::Twice(_)
            | Body::SlowClients(_) => Link::Open,
        }
    }
}

/// The one of two states in which less gets through.
fn worse(one: Link, other: Link) -> Link {
    // A fault that slows a link down comes on top of what the network always loses.
    let rank = |link: &Link| match link {
        Link::Open => (0, 0),
        Link::Lossy(loss) => (1, u64::from(*loss)),
        Link::Slow(delay) => (2, delay.0),
        Link::Stalled => (3, 0),
        Link::Refused => (4, 0),
    };
    std::cmp::max_by_key(one, other, rank)
}
