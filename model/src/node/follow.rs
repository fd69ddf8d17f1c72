//! The validator's side of consensus.

use std::sync::Arc;

use super::block::{Ballot, Block, Committed};
use super::machine::Node;
use super::mempool::block_bytes;
use super::message::{Message, Nack, Outbox, Record, Timer};
use crate::id::{Height, NodeId};
use crate::rules::Switch;
use crate::time::WallMillis;

impl Node {
    /// Executes the leader's proposal and acknowledges it with the app hash it led to.
    pub(super) fn on_propose(
        &mut self,
        now: WallMillis,
        from: NodeId,
        ballot: Ballot,
        block: Arc<Block>,
        out: &mut Outbox,
    ) {
        let stale = self
            .accepted
            .as_ref()
            .is_some_and(|(accepted, _)| *accepted > ballot);
        if from != self.leader || ballot.term != self.term || stale || !self.votes(self.id) {
            return;
        }
        if block.height > self.height().next() {
            out.send(
                from,
                Message::Ask {
                    have: self.height(),
                },
            );
            return;
        }
        if block.height < self.height().next() {
            return;
        }
        if let Some(nack) = self.objection(now, &block) {
            out.send(from, Message::Refuse { ballot, nack });
            return;
        }
        let again = self
            .executed
            .as_ref()
            .is_some_and(|executed| executed.block.id == block.id);
        if !again {
            self.executed = Some(self.execute(&block));
            out.timer(
                self.genesis.timing.resend,
                Timer::AwaitCommit {
                    height: block.height,
                    attempt: 0,
                },
            );
        }
        let executed = self
            .executed
            .as_ref()
            .expect("the block was executed just now or before");
        let vote = self.vote(ballot, executed);
        // The vote is durable before it is cast, so that a new leader can learn of it after a crash.
        if self
            .accepted
            .as_ref()
            .is_none_or(|(accepted, other)| (*accepted, other.id) != (ballot, block.id))
        {
            self.accepted = Some((ballot, block.clone()));
            out.persist(Record::Accepted(ballot, block));
            out.sync();
        }
        out.send(from, Message::Ack(vote));
    }

    fn objection(&self, now: WallMillis, block: &Block) -> Option<Nack> {
        let follows = block.previous == self.last_id() && block.previous_app_hash == self.app_hash;
        let proposer = self.genesis.nodes.get(block.proposer.index());
        let signed = proposer
            .is_some_and(|proposer| self.suite.verify(proposer, &block.id.0, &block.signature));
        let payloads = block.transactions.iter().map(|one| one.payload_bytes());
        let oversized = payloads.sum::<usize>() > block_bytes(&self.state);
        if !follows || !signed || oversized {
            return Some(Nack::Malformed);
        }
        if !self.genesis.rules.keep(Switch::BoundedBlockTime) {
            return None;
        }
        // A block that a majority may have committed already keeps the time it had. Whoever has not seen
        // it before knows it by its proposer, who is not the leader any more: it may be old, not early.
        let accepted = self
            .accepted
            .as_ref()
            .is_some_and(|(_, accepted)| accepted.id == block.id);
        let inherited = block.proposer != self.leader && block.time <= now;
        let strays = block.time.distance(now) > self.genesis.timing.drift;
        let wrong = strays && !accepted && !inherited || block.time < self.last_time();
        wrong.then_some(Nack::BlockTime)
    }

    /// A block is final somewhere; it becomes final here when it is the next one.
    pub(super) fn on_announce(
        &mut self,
        now: WallMillis,
        from: NodeId,
        committed: Arc<Committed>,
        out: &mut Outbox,
    ) {
        if committed.block.height > self.height().next() {
            out.send(
                from,
                Message::Ask {
                    have: self.height(),
                },
            );
        } else {
            self.adopt_final(now, committed, false, out);
        }
    }

    /// Commits the next block if its votes hold; false when there was nothing to commit.
    pub(super) fn adopt_final(
        &mut self,
        now: WallMillis,
        committed: Arc<Committed>,
        replayed: bool,
        out: &mut Outbox,
    ) -> bool {
        let block = &committed.block;
        let next = block.height == self.height().next() && block.previous == self.last_id();
        let distinct = self.genesis.rules.keep(Switch::DistinctVotes);
        let votes = |node| self.votes(node);
        let voices = committed.voices(&*self.suite, &self.genesis.nodes, votes, distinct);
        let valid = next && voices >= self.quorum();
        if valid {
            self.commit(now, committed, replayed, out);
        }
        valid
    }

    /// The commit of an executed proposal is overdue: ask for it, ever more patiently.
    pub(super) fn on_commit_overdue(&mut self, height: Height, attempt: u32, out: &mut Outbox) {
        if self.height() >= height || self.lead.is_some() {
            return;
        }
        self.ask_everybody(out);
        let after = (self.genesis.timing.resend << attempt.min(5)).min(60_000);
        out.timer(
            after,
            Timer::AwaitCommit {
                height,
                attempt: attempt + 1,
            },
        );
    }
}
