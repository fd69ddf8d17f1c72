//! The leader's side of consensus, and how the lead changes hands.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::block::{Ballot, Block, Committed, Vote};
use super::machine::{Halt, Node};
use super::message::{Message, Nack, Note, Outbox, Record, Timer};
use crate::id::{Height, NodeId};
use crate::ledger::Transaction;
use crate::rules::Switch;
use crate::time::WallMillis;

/// What a leader keeps in mind.
#[derive(Debug)]
pub(super) struct Lead {
    /// Ballot of the last proposal, in this term or before.
    ballot: Ballot,
    phase: Phase,
    /// A look into the mempool is due already.
    polling: bool,
}

#[derive(Debug)]
enum Phase {
    /// Waiting for a majority to report what they voted for under the leader before.
    TakingOver,
    /// The pause after a block.
    Resting,
    /// Ready to propose.
    Ready,
    /// Waiting for votes.
    Proposed {
        block: Arc<Block>,
        /// Nobody else can have committed it, so it may be withdrawn.
        own: bool,
        votes: BTreeMap<NodeId, Vote>,
        refused: BTreeMap<NodeId, Nack>,
    },
}

/// What a validator told a new leader.
#[derive(Debug)]
pub(super) struct Reported {
    height: Height,
    accepted: Option<(Ballot, Arc<Block>)>,
}

impl Node {
    /// The operators have agreed on a leader. Source: kwil-rpc 7 (replace-leader).
    pub(super) fn on_appoint(
        &mut self,
        now: WallMillis,
        term: u32,
        leader: NodeId,
        out: &mut Outbox,
    ) {
        if term <= self.term {
            return;
        }
        (self.term, self.leader) = (term, leader);
        self.lead = None;
        out.persist(Record::Term(term, leader));
        out.sync();
        if leader == self.id {
            self.take_lead(now, out);
        } else {
            self.report(term, out);
        }
    }

    /// Tells a new leader what this node voted for last, again and again until the leader is heard of.
    pub(super) fn report(&mut self, term: u32, out: &mut Outbox) {
        let idle = self.leader == self.id || !self.votes(self.id);
        if term != self.term || idle || self.has_heard_of(term) {
            return;
        }
        let report = Message::Report {
            term,
            height: self.height(),
            accepted: self.accepted.clone(),
        };
        out.send(self.leader, report);
        out.timer(self.genesis.timing.resend, Timer::Report(term));
    }

    /// Whether the leader of this term has proposed already, as far as this node knows.
    fn has_heard_of(&self, term: u32) -> bool {
        let voted = self
            .accepted
            .as_ref()
            .is_some_and(|(ballot, _)| ballot.term >= term);
        let last = self.last.as_ref();
        voted || last.is_some_and(|last| last.votes.iter().any(|vote| vote.ballot.term >= term))
    }

    pub(super) fn on_report(
        &mut self,
        now: WallMillis,
        from: NodeId,
        term: u32,
        height: Height,
        accepted: Option<(Ballot, Arc<Block>)>,
        out: &mut Outbox,
    ) {
        if term < self.term || !self.votes(from) {
            return;
        }
        self.reports
            .entry(term)
            .or_default()
            .insert(from, Reported { height, accepted });
        if term == self.term && height > self.height() {
            out.send(
                from,
                Message::Ask {
                    have: self.height(),
                },
            );
        }
        self.finish_takeover(now, out);
    }

    /// Starts to lead. A leader that was appointed, or that comes back after a crash, first learns what
    /// a majority may have committed; the first leader of a new network has nothing to learn.
    pub(super) fn take_lead(&mut self, now: WallMillis, out: &mut Outbox) {
        let round = self.accepted.as_ref().map_or(0, |(ballot, _)| ballot.round);
        self.lead = Some(Lead {
            ballot: Ballot {
                term: self.term,
                round,
            },
            phase: Phase::TakingOver,
            polling: false,
        });
        out.note(Note::Leads { term: self.term });
        self.finish_takeover(now, out);
    }

    /// Proposes again what a majority may have committed, once a majority has said what that is and
    /// this node has every block they have.
    pub(super) fn finish_takeover(&mut self, now: WallMillis, out: &mut Outbox) {
        if !matches!(&self.lead, Some(lead) if matches!(lead.phase, Phase::TakingOver)) {
            return;
        }
        // A leader that comes back in its own term knows what it proposed; nobody reports again.
        let newcomer = self.term > 0 && !self.has_heard_of(self.term);
        if newcomer && self.genesis.rules.keep(Switch::TakeoverKeepsCommits) {
            let reports = self.reports.get(&self.term);
            let heard = reports.map_or(0, BTreeMap::len) + usize::from(self.votes(self.id));
            let ahead =
                reports.is_some_and(|reports| reports.values().any(|r| r.height > self.height()));
            if heard < self.quorum() || ahead {
                return;
            }
        }
        self.set_phase(Phase::Ready);
        match self.inherited() {
            // In the first term nobody but this node has led.
            Some(block) => self.propose(now, block, self.term == 0, out),
            None => self.rest(out),
        }
    }

    /// The block with the highest ballot that somebody voted for and nobody knows to be final.
    fn inherited(&self) -> Option<Arc<Block>> {
        let reports = self.reports.get(&self.term);
        let next = self.height().next();
        let reported = reports
            .into_iter()
            .flat_map(BTreeMap::values)
            .map(|r| &r.accepted);
        // Without the promise a leader forgets also what it voted for itself.
        let own = Some(&self.accepted);
        own.into_iter()
            .chain(reported)
            .flatten()
            .filter(|(_, block)| {
                block.height == next && self.genesis.rules.keep(Switch::TakeoverKeepsCommits)
            })
            .max_by_key(|(ballot, _)| *ballot)
            .map(|(_, block)| block.clone())
    }

    fn set_phase(&mut self, phase: Phase) {
        if let Some(lead) = &mut self.lead {
            lead.phase = phase;
        }
    }

    /// Pauses before the next proposal.
    fn rest(&mut self, out: &mut Outbox) {
        self.set_phase(Phase::Resting);
        let (height, timing) = (self.height(), self.genesis.timing);
        out.timer(timing.propose, Timer::Propose(height));
        out.timer(timing.empty_block, Timer::EmptyBlock(height));
    }

    /// A block became final: the leader pauses and goes on.
    pub(super) fn lead_on(&mut self, now: WallMillis, out: &mut Outbox) {
        match &mut self.lead {
            None => {}
            Some(lead) if matches!(lead.phase, Phase::TakingOver) => self.finish_takeover(now, out),
            Some(lead) => {
                lead.polling = false;
                self.rest(out);
            }
        }
    }

    /// A transaction came in; the leader looks at its mempool soon, if it is not about to anyway.
    pub(super) fn poll_soon(&mut self, out: &mut Outbox) {
        let height = self.height();
        if let Some(lead) = &mut self.lead
            && matches!(lead.phase, Phase::Ready)
            && !std::mem::replace(&mut lead.polling, true)
        {
            out.timer(self.genesis.timing.poll, Timer::Poll(height));
        }
    }

    pub(super) fn on_propose_due(&mut self, now: WallMillis, height: Height, out: &mut Outbox) {
        let current = self.height();
        let Some(lead) = &mut self.lead else { return };
        let due = matches!(lead.phase, Phase::Resting | Phase::Ready);
        if height != current || !due {
            return;
        }
        lead.phase = Phase::Ready;
        lead.polling = false;
        if !self.next_transactions().is_empty() {
            self.propose_new(now, out);
        }
    }

    /// What waits for a block, except for what a leader that lies leaves out.
    fn next_transactions(&mut self) -> Arc<[Arc<Transaction>]> {
        let transactions = self.mempool.next_block(&self.state);
        if self.omits.is_empty() {
            return transactions;
        }
        let omits = |one: &Transaction| self.omits.contains(&one.sender);
        let (left_out, kept): (Vec<_>, Vec<_>) =
            transactions.iter().cloned().partition(|one| omits(one));
        self.omitted.extend(left_out.iter().map(|one| one.id));
        kept.into()
    }

    pub(super) fn on_empty_block_due(&mut self, now: WallMillis, height: Height, out: &mut Outbox) {
        let idle = self
            .lead
            .as_ref()
            .is_some_and(|lead| matches!(lead.phase, Phase::Resting | Phase::Ready));
        if height == self.height() && idle {
            self.propose_new(now, out);
        }
    }

    fn propose_new(&mut self, now: WallMillis, out: &mut Outbox) {
        // An honest leader whose clock was set back waits in chain time rather than turning it back.
        let time = if self.genesis.rules.keep(Switch::BoundedBlockTime) {
            now.max(self.last_time())
        } else {
            now
        };
        let after = (self.height().next(), self.last_id(), self.app_hash);
        let mut transactions = self.next_transactions();
        if !self.slipped.is_empty() {
            let slipped = std::mem::take(&mut self.slipped);
            transactions = slipped
                .into_iter()
                .chain(transactions.iter().cloned())
                .collect();
        }
        let block = Block::propose(&*self.suite, &self.key, self.id, after, time, transactions);
        self.propose(now, block, true, out);
    }

    fn propose(&mut self, now: WallMillis, block: Arc<Block>, own: bool, out: &mut Outbox) {
        let Some(lead) = &mut self.lead else { return };
        lead.ballot.round += 1;
        let ballot = lead.ballot;
        let executed = self.execute(&block);
        let vote = self.vote(ballot, &executed);
        self.executed = Some(executed);
        self.accepted = Some((ballot, block.clone()));
        out.note(Note::Proposed {
            block: block.id,
            height: block.height,
            time: block.time,
        });
        out.persist(Record::Accepted(ballot, block.clone()));
        out.sync();
        for peer in self.genesis.peers(self.id).filter(|peer| self.votes(*peer)) {
            let block = block.clone();
            out.send(peer, Message::Propose { ballot, block });
        }
        if self.repeats_votes {
            let announced = Committed {
                block: block.clone(),
                app_hash: vote.app_hash,
                votes: vec![vote.clone(); self.quorum()],
            };
            self.broadcast(Message::Announce(Arc::new(announced)), out);
        }
        out.timer(self.genesis.timing.resend, Timer::Resend(ballot));
        self.set_phase(Phase::Proposed {
            block,
            own,
            votes: BTreeMap::from([(self.id, vote)]),
            refused: BTreeMap::new(),
        });
        self.commit_at_quorum(now, out);
    }

    /// Sends the proposal again to those who have not voted. One that has grown too old for validators
    /// that come late is withdrawn, since it will not get younger.
    pub(super) fn on_resend_due(&mut self, now: WallMillis, ballot: Ballot, out: &mut Outbox) {
        let Some(Lead {
            ballot: current,
            phase:
                Phase::Proposed {
                    block,
                    own,
                    votes,
                    refused,
                },
            ..
        }) = &self.lead
        else {
            return;
        };
        if *current != ballot {
            return;
        }
        let too_late = refused.values().any(|nack| *nack == Nack::BlockTime);
        if *own && too_late && block.time.distance(now) > self.genesis.timing.drift {
            self.withdraw(out);
            return;
        }
        for peer in self
            .genesis
            .peers(self.id)
            .filter(|peer| self.votes(*peer) && !votes.contains_key(peer))
        {
            out.send(
                peer,
                Message::Propose {
                    ballot,
                    block: block.clone(),
                },
            );
        }
        out.timer(self.genesis.timing.resend, Timer::Resend(ballot));
    }

    pub(super) fn on_ack(&mut self, now: WallMillis, from: NodeId, vote: Vote, out: &mut Outbox) {
        let signed = vote.verify(&*self.suite, &self.genesis.nodes);
        let valid = vote.validator == from && signed && self.votes(from);
        let Some(Lead {
            ballot,
            phase:
                Phase::Proposed {
                    block,
                    votes,
                    refused,
                    ..
                },
            ..
        }) = &mut self.lead
        else {
            return;
        };
        if !valid || vote.ballot != *ballot || vote.block != block.id {
            return;
        }
        // Who refused and has thought better of it has one voice, and the vote is the signed one.
        refused.remove(&from);
        votes.insert(from, vote);
        self.commit_at_quorum(now, out);
    }

    pub(super) fn on_refuse(
        &mut self,
        from: NodeId,
        refused_ballot: Ballot,
        nack: Nack,
        out: &mut Outbox,
    ) {
        let voter = self.votes(from);
        let Some(Lead {
            ballot,
            phase: Phase::Proposed { votes, refused, .. },
            ..
        }) = &mut self.lead
        else {
            return;
        };
        if refused_ballot == *ballot && voter && !votes.contains_key(&from) {
            refused.insert(from, nack);
            self.give_up_at_half(out);
        }
    }

    fn commit_at_quorum(&mut self, now: WallMillis, out: &mut Outbox) {
        let own = self.executed.as_ref().map(|executed| executed.app_hash);
        let Some(Lead {
            phase: Phase::Proposed { block, votes, .. },
            ..
        }) = &self.lead
        else {
            return;
        };
        let agreeing: Vec<Vote> = votes
            .values()
            // Operators can have a node lead that has no vote.
            .filter(|vote| Some(vote.app_hash) == own && self.votes(vote.validator))
            .cloned()
            .collect();
        if agreeing.len() < self.quorum() {
            self.give_up_at_half(out);
            return;
        }
        let committed = Arc::new(Committed {
            block: block.clone(),
            app_hash: own.expect("a vote agrees with it"),
            votes: agreeing,
        });
        self.commit(now, committed.clone(), false, out);
        self.broadcast(Message::Announce(committed), out);
    }

    /// So many validators refusing, or reporting another app hash, that the rest are no quorum, which is half of
    /// them in general, halts the network rather than forking it. A block refused for its time alone is withdrawn
    /// and proposed anew. Source: idos-facts 6.1.
    fn give_up_at_half(&mut self, out: &mut Outbox) {
        let own = self.executed.as_ref().map(|executed| executed.app_hash);
        let Some(Lead {
            phase:
                Phase::Proposed {
                    block,
                    votes,
                    refused,
                    ..
                },
            ..
        }) = &self.lead
        else {
            return;
        };
        let height = block.height;
        let differing = votes
            .values()
            .filter(|vote| Some(vote.app_hash) != own)
            .count();
        let against = differing + refused.len();
        if against + self.quorum() <= self.voters() {
            return;
        }
        if differing == 0 && refused.values().all(|nack| *nack == Nack::BlockTime) {
            self.withdraw(out);
        } else {
            self.halt(Halt::Refused { height }, out);
        }
    }

    /// Gives a proposal up that is certainly not committed, and pauses before another.
    fn withdraw(&mut self, out: &mut Outbox) {
        self.executed = None;
        self.accepted = None;
        self.rest(out);
    }
}
