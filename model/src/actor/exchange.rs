//! The chain that holds the tokens, as a party of the story: people write to it, and it answers. It is the
//! same in every world, since none of them runs it for real.
//!
//! It seals a block a while after something has come to it, and goes on only as long as somebody is owed an
//! answer: nobody hears of a call before its block is confirmed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::letter::Letter;
use super::machine::{Input, Outbox, Output, Timer};
use super::order::Order;
use crate::bridge::{Address, BridgeEvent};
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
    watchers: BTreeSet<PartyId>,
    /// All of that which stands for good, for those who come later.
    told: Vec<BridgeEvent>,
}

impl Exchange {
    pub(super) fn new(suite: Arc<dyn Suite>, rules: Rules, setting: Arc<Setting>) -> Exchange {
        Exchange {
            pace: setting.block,
            chain: Chain::new(suite, rules, setting),
            due: false,
            owed: Vec::new(),
            watchers: BTreeSet::new(),
            told: Vec::new(),
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
                Letter::Watch if self.watchers.insert(from) => {
                    for event in &self.told {
                        out.letter(from, Letter::Bridge(*event));
                    }
                }
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
            self.told.push(event);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::order::{Task, Via};
    use super::*;
    use crate::bridge::{Amount, Token};
    use crate::chain::{Call, Contract, ZERO, account};
    use crate::crypto::{Scheme, SigningKey, Symbolic};
    use crate::time::BlockTime;

    const HOLDER: PartyId = PartyId(1);
    const OPERATOR: PartyId = PartyId(2);
    const KEY: SigningKey = SigningKey {
        scheme: Scheme::Evm,
        secret: [1; 32],
    };

    /// A chain that needs two blocks to confirm one, and everything it has said.
    struct Told {
        exchange: Exchange,
        now: u64,
        due: bool,
        said: Vec<(PartyId, Letter)>,
        blocks: u32,
    }

    impl Told {
        fn new() -> Told {
            let suite: Arc<dyn Suite> = Arc::new(Symbolic);
            let holder = account(&suite.identity(&KEY)).unwrap();
            let setting = Setting {
                name: "arbitrum".to_owned(),
                block: 250,
                confirmations: 2,
                owner: ZERO,
                holders: BTreeSet::from([holder]),
                signers: BTreeSet::new(),
                validators: BTreeMap::new(),
                start: BlockTime(0),
                reward: Amount(1),
            };
            Told {
                exchange: Exchange::new(suite, Rules::documented(), Arc::new(setting)),
                now: 0,
                due: false,
                said: Vec::new(),
                blocks: 0,
            }
        }

        fn give(&mut self, input: Input) {
            let mut out = Outbox::default();
            self.exchange.handle(WallMillis(self.now), input, &mut out);
            for output in out.0 {
                match output {
                    Output::Letter { to, letter } => self.said.push((to, letter)),
                    Output::Timer { after, .. } => {
                        assert!(!self.due, "two blocks are due at once");
                        assert_eq!(after, 250);
                        self.due = true;
                    }
                    Output::Note(Event::ChainBlock { .. }) => self.blocks += 1,
                    _ => {}
                }
            }
        }

        fn post(&mut self, from: PartyId, letter: Letter) {
            self.give(Input::Letter { from, letter });
        }

        fn deposit(&mut self, task: u64, amount: i128) {
            let (token, amount) = (Token::Usdc, Amount(amount));
            let calls = [
                Call::Approve {
                    token,
                    spender: Contract::Escrow(token),
                    amount,
                },
                Call::Deposit { token, amount },
            ];
            let sign = |(nonce, call)| {
                let nonce = task * 10 + nonce;
                SignedCall::sign(&Symbolic, &KEY, "arbitrum", nonce, call).unwrap()
            };
            let calls = (0..).zip(calls).map(sign).collect();
            self.post(HOLDER, Letter::Calls { task, calls });
        }

        /// Lets one block's time pass.
        fn pass(&mut self) {
            self.now += 250;
            if std::mem::take(&mut self.due) {
                self.give(Input::Timer(Timer::Block));
            }
        }

        fn reorganise(&mut self, blocks: u32, lose: bool) {
            let task = Task {
                order: Order::Reorganise { blocks, lose },
                via: Via::Any,
                wallet: 0,
                patience: 0,
                oddity: None,
            };
            self.give(Input::Begin { step: 0, task });
        }

        /// Receipts by task, and amounts of deposits that operators were told of.
        fn heard(&self) -> (Vec<(u64, Ending)>, Vec<i128>) {
            let (mut receipts, mut deposits) = (Vec::new(), Vec::new());
            for (to, letter) in &self.said {
                match letter {
                    Letter::Receipt { task, ending } => {
                        assert_eq!(*to, HOLDER);
                        receipts.push((*task, *ending));
                    }
                    Letter::Bridge(BridgeEvent::Deposit(deposit)) => {
                        assert_eq!(*to, OPERATOR);
                        deposits.push(deposit.amount.0);
                    }
                    other => panic!("the chain does not say {other:?}"),
                }
            }
            (receipts, deposits)
        }
    }

    #[test]
    fn a_chain_with_nothing_to_do_stands_still() {
        let mut told = Told::new();
        told.post(OPERATOR, Letter::Watch);
        told.pass();
        assert_eq!((told.blocks, told.due), (0, false));
        told.deposit(1, 5);
        for _ in 0..9 {
            told.pass();
        }
        assert_eq!((told.blocks, told.due), (3, false));
    }

    #[test]
    fn senders_and_watchers_hear_of_a_deposit_once_it_is_confirmed() {
        let mut told = Told::new();
        told.post(OPERATOR, Letter::Watch);
        told.deposit(1, 5);
        told.pass();
        told.pass();
        assert_eq!(told.heard(), (vec![], vec![]));
        told.reorganise(2, false);
        told.pass();
        told.pass();
        assert_eq!(told.heard(), (vec![], vec![]));
        told.pass();
        assert_eq!(told.heard(), (vec![(1, Ending::Accepted)], vec![5]));
        told.pass();
        assert_eq!(told.heard().1, [5]);
    }

    #[test]
    fn who_watches_later_hears_of_everything_once() {
        let mut told = Told::new();
        told.deposit(1, 5);
        for _ in 0..9 {
            told.pass();
        }
        told.post(OPERATOR, Letter::Watch);
        told.post(OPERATOR, Letter::Watch);
        assert_eq!(told.heard().1, [5]);
    }

    #[test]
    fn nobody_hears_of_what_is_lost_and_everybody_of_a_refusal() {
        let mut told = Told::new();
        told.post(OPERATOR, Letter::Watch);
        told.deposit(1, 5);
        told.pass();
        told.reorganise(1, true);
        told.deposit(2, 0);
        told.deposit(2, 7);
        for _ in 0..9 {
            told.pass();
        }
        let refused = Ending::Refused("amount-not-positive");
        let again = Ending::Rejected("wrong-nonce");
        assert_eq!(told.heard(), (vec![(2, again), (2, refused)], vec![]));
    }
}
