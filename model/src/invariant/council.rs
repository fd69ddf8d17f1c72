//! Who votes at each height, told from the chain: requests, approvals and what they come to by the rules of
//! idos-facts 6.1. It shares no code with the ledger, so that a threshold broken there shows here.

use std::collections::{BTreeMap, BTreeSet};

use crate::bridge::BridgeEvent;
use crate::crypto::Identity;
use crate::history::Cast;
use crate::id::{Height, NodeId, ResolutionId};
use crate::ledger::{Outcome, Transaction};
use crate::node::Committed;
use crate::time::BlockTime;
use crate::wire::{EnginePayload, ParameterUpdate, ParameterUpdates, VotableEvent};

/// Seconds that a request about validators stands, unless the validators decide otherwise.
const DAY: i64 = 86_400;
/// Seconds that any other proposal stands.
const WEEK: i64 = 7 * DAY;
/// Seconds that what the other chain is said to have confirmed stands.
const HOUR: i64 = 3_600;

/// What is voted on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Matter {
    Join(Identity),
    Remove(Identity),
    Event(ResolutionId),
}

/// A vote that is going on.
#[derive(Clone, Debug)]
struct Vote {
    /// Power a node asks for.
    power: u64,
    /// Parameters that are to change.
    updates: Vec<ParameterUpdate>,
    /// What the other chain is said to have confirmed.
    told: Option<BridgeEvent>,
    approvals: BTreeSet<Identity>,
    /// From this second on it is over.
    expires: i64,
}

impl Vote {
    fn about_power(power: u64, expires: i64) -> Vote {
        Vote {
            power,
            updates: Vec::new(),
            told: None,
            approvals: BTreeSet::new(),
            expires,
        }
    }
}

/// A change in who votes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The block that made it; the next one is made by the new set.
    pub height: Height,
    /// Who.
    pub who: Identity,
    /// Its power from then on, 0 for none.
    pub power: u64,
    /// The observation that showed the block first.
    pub seen: usize,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Council {
    /// Whether the nodes' keys are known, without which nothing can be said.
    known: bool,
    /// Who votes on the blocks after a height, with their power.
    sets: BTreeMap<Height, BTreeMap<Identity, u64>>,
    /// Every change, in order.
    pub seats: Vec<Seat>,
    /// Parameters that changed: where that was seen first, at which height, and which.
    pub parameters: Vec<(usize, Height, &'static str)>,
    /// What the other chain was said to have confirmed, by enough voting power: the observation that showed it
    /// first, the block, and what.
    pub told: Vec<(usize, Height, BridgeEvent)>,
    /// The same that anybody said, whether enough did or not, with the observation that showed it first.
    pub claimed: Vec<(usize, BridgeEvent)>,
    now: BTreeMap<Identity, u64>,
    votes: BTreeMap<Matter, Vote>,
    join_expiry: i64,
}

impl Council {
    /// The validators of the genesis.
    pub(super) fn founded(cast: &Cast) -> Council {
        let nodes = (0..).map(NodeId).zip(&cast.keys);
        let voters = nodes.filter(|(node, _)| !cast.sentries.contains(node));
        let now: BTreeMap<Identity, u64> = voters.map(|(_, key)| (*key, 1)).collect();
        Council {
            known: !cast.keys.is_empty(),
            sets: BTreeMap::from([(Height(0), now.clone())]),
            now,
            join_expiry: DAY,
            ..Council::default()
        }
    }

    /// Who votes on the block of this height; nothing where nobody knows.
    pub fn at(&self, height: Height) -> Option<&BTreeMap<Identity, u64>> {
        let before = Height(height.0.checked_sub(1)?);
        let set = self.sets.range(..=before).next_back().map(|(_, set)| set);
        set.filter(|_| self.known)
    }

    /// Reads the next block.
    pub(super) fn follow(
        &mut self,
        committed: &Committed,
        outcomes: impl Iterator<Item = Outcome>,
        seen: usize,
    ) {
        let block = &committed.block;
        let time = block.block_time();
        let before = self.now.clone();
        for (transaction, outcome) in block.transactions.iter().zip(outcomes) {
            if outcome == Outcome::Accepted {
                self.take(transaction, time, seen);
            }
        }
        self.count(time, (seen, block.height));
        let who: BTreeSet<Identity> = before.keys().chain(self.now.keys()).copied().collect();
        for who in who {
            let power = self.now.get(&who).copied().unwrap_or(0);
            if before.get(&who).copied().unwrap_or(0) != power {
                let height = block.height;
                self.seats.push(Seat {
                    height,
                    who,
                    power,
                    seen,
                });
            }
        }
        if self.now != before {
            self.sets.insert(block.height, self.now.clone());
        }
    }

    fn take(&mut self, transaction: &Transaction, time: BlockTime, seen: usize) {
        let sender = transaction.sender;
        let Some(payload) = transaction.payload.engine() else {
            return;
        };
        match payload {
            EnginePayload::ValidatorJoin { power } => {
                let expires = time.0.saturating_add(self.join_expiry);
                self.open(Matter::Join(sender), Vote::about_power(*power, expires));
            }
            EnginePayload::ValidatorApprove { candidate } => {
                if let Some(candidate) = candidate.identity() {
                    self.approve(&Matter::Join(candidate), sender, time);
                }
            }
            EnginePayload::ValidatorRemove { validator } => {
                if let Some(validator) = validator.identity() {
                    let matter = Matter::Remove(validator);
                    if !self.is_open(&matter, time) {
                        let expires = time.0.saturating_add(self.join_expiry);
                        self.open(matter.clone(), Vote::about_power(0, expires));
                    }
                    self.approve(&matter, sender, time);
                }
            }
            EnginePayload::ValidatorLeave => {
                self.now.remove(&sender);
            }
            EnginePayload::CreateResolution(event) => self.propose(event, sender, (time, seen)),
            EnginePayload::ValidatorVoteBodies(events) => {
                for event in events {
                    self.propose(event, sender, (time, seen));
                }
            }
            EnginePayload::ApproveResolution(id) => {
                self.approve(&Matter::Event(*id), sender, time);
            }
            EnginePayload::ValidatorVoteIds(ids) => {
                for id in ids {
                    self.approve(&Matter::Event(*id), sender, time);
                }
            }
            EnginePayload::RawStatement { .. }
            | EnginePayload::Transfer { .. }
            | EnginePayload::DeleteResolution(_) => {}
        }
    }

    fn propose(
        &mut self,
        event: &VotableEvent,
        sender: Identity,
        (time, seen): (BlockTime, usize),
    ) {
        let updates = ParameterUpdates::decode(&event.body).map(|body| body.updates);
        let updates = updates.ok().filter(|_| event.kind == "param_updates");
        let told = BridgeEvent::decode(&event.body).ok();
        let told = told.filter(|_| event.kind == "kwil_ordered_sync");
        self.claimed.extend(told.map(|told| (seen, told)));
        let matter = Matter::Event(event.id());
        let stands = if told.is_some() { HOUR } else { WEEK };
        let vote = Vote {
            updates: updates.unwrap_or_default(),
            told,
            ..Vote::about_power(0, time.0.saturating_add(stands))
        };
        self.open(matter.clone(), vote);
        self.approve(&matter, sender, time);
    }

    fn open(&mut self, matter: Matter, vote: Vote) {
        self.votes.insert(matter, vote);
    }

    fn is_open(&self, matter: &Matter, time: BlockTime) -> bool {
        let vote = self.votes.get(matter);
        vote.is_some_and(|vote| time.0 < vote.expires)
    }

    fn approve(&mut self, matter: &Matter, voter: Identity, time: BlockTime) {
        if self.now.contains_key(&voter)
            && self.is_open(matter, time)
            && let Some(vote) = self.votes.get_mut(matter)
        {
            vote.approvals.insert(voter);
        }
    }

    /// The end of a block: what has enough power behind it happens.
    fn count(&mut self, time: BlockTime, at: (usize, Height)) {
        let total: u128 = self.now.values().map(|power| u128::from(*power)).sum();
        let mut passed = Vec::new();
        for (matter, vote) in &self.votes {
            let behind: u128 = vote
                .approvals
                .iter()
                .filter_map(|voter| self.now.get(voter))
                .map(|power| u128::from(*power))
                .sum();
            let enough = match matter {
                Matter::Join(_) | Matter::Remove(_) => 3 * behind >= 2 * total,
                Matter::Event(_) if vote.told.is_some() => 2 * behind > total,
                Matter::Event(_) => 2 * behind >= total,
            };
            if enough && behind > 0 && time.0 < vote.expires {
                passed.push(matter.clone());
            }
        }
        for matter in passed {
            let Some(vote) = self.votes.remove(&matter) else {
                continue;
            };
            match matter {
                Matter::Join(who) => {
                    self.now.insert(who, vote.power);
                }
                Matter::Remove(who) => {
                    self.now.remove(&who);
                }
                Matter::Event(_) => {
                    let told = vote.told.map(|told| (at.0, at.1, told));
                    self.told.extend(told);
                    for update in vote.updates {
                        // A leader that is no validator by then is not made leader.
                        if let ParameterUpdate::Leader(key) = &update
                            && !key
                                .identity()
                                .is_some_and(|key| self.now.contains_key(&key))
                        {
                            continue;
                        }
                        self.parameters.push((at.0, at.1, update.name()));
                        if let ParameterUpdate::JoinExpiry(seconds) = update {
                            self.join_expiry = seconds;
                        }
                    }
                }
            }
        }
        self.votes.retain(|_, vote| time.0 < vote.expires);
    }
}
