//! The chain that holds the tokens, as a party of the story: people write to it, and it answers. It is the
//! same in every world, since none of them runs it for real.
//!
//! It seals a block a while after something has come to it, and goes on only as long as somebody is owed an
//! answer: nobody hears of a call before its block is confirmed.

use std::sync::Arc;

use super::letter::Letter;
use super::machine::{Input, Outbox, Output, Timer};
use super::order::Order;
use crate::bridge::Address;
use crate::chain::{Block, Chain, Setting, SignedCall, Unfit};
use crate::crypto::Suite;
use crate::history::{Ending, Event};
use crate::id::PartyId;
use crate::rules::Rules;
use crate::time::WallMillis;

/// Somebody who waits to hear what became of calls.
struct Owed {
    to: PartyId,
    task: u64,
    /// The last of the calls; they all go into one block.
    last: (Address, u64),
    calls: usize,
    /// The block they are in, and how they ended.
    landed: Option<(u64, Ending)>,
}

/// See the module.
pub(super) struct Exchange {
    chain: Chain,
    /// Milliseconds from something that waits to its block.
    pace: u64,
    /// Whether a block is due.
    due: bool,
    owed: Vec<Owed>,
    /// Who wants to hear of what concerns the storage network.
    watchers: Vec<PartyId>,
}

impl Exchange {
    pub(super) fn new(suite: Arc<dyn Suite>, rules: Rules, setting: Arc<Setting>) -> Exchange {
        Exchange {
            pace: setting.block,
            chain: Chain::new(suite, rules, setting),
            due: false,
            owed: Vec::new(),
            watchers: Vec::new(),
        }
    }

    pub(super) fn handle(&mut self, now: WallMillis, input: Input, out: &mut Outbox) {
        match input {
            Input::Begin { step, task } => {
                let ending = match task.order {
                    Order::Reorganise { blocks, lose } => self.reorganise(blocks, lose, out),
                    // Everybody can read a chain; it reads nothing itself.
                    _ => Ending::Accepted,
                };
                out.0.push(Output::Done { step, ending });
            }
            Input::Letter { from, letter } => match letter {
                Letter::Calls { task, calls } => self.take(from, task, calls, out),
                Letter::Watch => self.watchers.push(from),
                _ => {}
            },
            Input::Timer(Timer::Block) => self.seal(now, out),
            Input::Timer(_) | Input::Reply { .. } | Input::Unreachable { .. } => {}
        }
        if !self.due && (self.chain.has_waiting() || !self.owed.is_empty()) {
            self.due = true;
            out.timer(self.pace, Timer::Block);
        }
    }

    /// All calls of a letter go into the same block, or none that is unfit and none after it.
    fn take(&mut self, from: PartyId, task: u64, calls: Vec<SignedCall>, out: &mut Outbox) {
        let mut last = None;
        let many = calls.len();
        for call in calls {
            let sender = (call.from, call.nonce);
            if let Err(unfit) = self.chain.submit(call) {
                let ending = Ending::Rejected(match unfit {
                    Unfit::Signature => "bad-signature",
                    Unfit::Nonce => "wrong-nonce",
                });
                return out.letter(from, Letter::Receipt { task, ending });
            }
            last = Some(sender);
        }
        if let Some(last) = last {
            self.owed.push(Owed {
                to: from,
                task,
                last,
                calls: many,
                landed: None,
            });
        }
    }

    fn seal(&mut self, now: WallMillis, out: &mut Outbox) {
        self.due = false;
        let (block, confirmed) = self.chain.seal(now);
        for owed in &mut self.owed {
            if let Some(ending) = owed.ending_in(&block) {
                owed.landed = Some((block.number, ending));
            }
        }
        out.note(Event::ChainBlock { block });
        for event in confirmed.iter().flat_map(|block| block.bridge_events()) {
            for watcher in &self.watchers {
                out.letter(*watcher, Letter::Bridge(event));
            }
        }
        let chain = &self.chain;
        self.owed.retain(|owed| match owed.landed {
            Some((number, ending)) if chain.is_confirmed(number) => {
                let task = owed.task;
                out.letter(owed.to, Letter::Receipt { task, ending });
                false
            }
            _ => true,
        });
    }

    /// Whoever sent what is lost hears nothing any more.
    fn reorganise(&mut self, blocks: u32, lose: bool, out: &mut Outbox) -> Ending {
        let undone = self.chain.reorganise(blocks.into(), lose);
        if undone.is_empty() {
            return Ending::Declined("nothing-found");
        }
        let last = self.chain.head();
        for owed in &mut self.owed {
            owed.landed = owed.landed.filter(|(number, _)| *number <= last);
        }
        if lose {
            let lost = |owed: &Owed| undone.iter().any(|block| owed.ending_in(block).is_some());
            self.owed.retain(|owed| !lost(owed));
        }
        out.note(Event::ChainReorganised { last, lost: lose });
        Ending::Accepted
    }
}

impl Owed {
    /// How the calls ended, if they are in this block: as the first that was refused, if one was.
    fn ending_in(&self, block: &Block) -> Option<Ending> {
        let place = block
            .executions
            .iter()
            .position(|one| (one.call.from, one.call.nonce) == self.last)?;
        let first = (place + 1).saturating_sub(self.calls);
        let mut results = block.executions[first..=place].iter();
        let refused = results.find_map(|one| one.result.as_ref().err());
        Some(refused.map_or(Ending::Accepted, |revert| Ending::Refused(revert.code())))
    }
}
