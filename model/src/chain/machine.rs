//! The chain: what waits, what is in blocks, and what a reorganisation may still undo.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use sha3::{Digest, Keccak256};

use super::call::{Log, SignedCall};
use super::contract::Contract;
use super::contracts::Contracts;
use super::revert::Revert;
use crate::bridge::{Address, Amount, BridgeEvent, DepositEvent, EpochConfirmedEvent, Hash};
use crate::crypto::{Identity, Suite};
use crate::rules::Rules;
use crate::time::{BlockTime, WallMillis};

/// What the chain is like, and who is on it from the beginning.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The chain's name, which every signature names.
    pub name: String,
    /// Milliseconds from something that waits to the block it is in.
    pub block: u64,
    /// How many blocks have to follow one before it stands for good.
    pub confirmations: u64,
    /// Owner of the staking contract: the Association.
    pub owner: Address,
    /// Everybody who has tokens from the beginning.
    pub holders: BTreeSet<Address>,
    /// Who signs for the roots of epochs: the operators.
    pub signers: BTreeSet<Address>,
    /// By the account a node is staked behind: the key its validator votes with.
    pub validators: BTreeMap<Address, Identity>,
    /// When staking begins.
    pub start: BlockTime,
    /// Reward of an epoch until it is set otherwise.
    pub reward: Amount,
}

/// A call, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Execution {
    /// The call.
    pub call: SignedCall,
    /// What the contracts say they did, or why they refused.
    pub result: Result<Vec<Log>, Revert>,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Block {
    /// One more than the block's before; the first is 1.
    pub number: u64,
    /// The time in it, never before that of the block before.
    pub time: BlockTime,
    /// In order.
    pub executions: Vec<Execution>,
    /// What each contract holds after it.
    pub holdings: Vec<(Contract, Amount)>,
}

impl Block {
    /// What the storage network is told of the block: deposits, and roots that can be claimed on. An event is
    /// named by its call, so that it keeps its name when a reorganisation moves it to another block.
    pub fn bridge_events(&self) -> Vec<BridgeEvent> {
        let mut events = Vec::new();
        for Execution { call, result } in &self.executions {
            for (place, log) in result.iter().flatten().enumerate() {
                let id = || {
                    let name = format!("{} {} {place}", call.from, call.nonce);
                    Hash(Keccak256::digest(name).into())
                };
                match log {
                    Log::Deposited {
                        token,
                        from,
                        amount,
                    } => events.push(BridgeEvent::Deposit(DepositEvent {
                        id: id(),
                        token: *token,
                        address: *from,
                        amount: *amount,
                        block: self.number,
                    })),
                    Log::RootPosted { token, root } => {
                        events.push(BridgeEvent::EpochConfirmed(EpochConfirmedEvent {
                            id: id(),
                            token: *token,
                            root: *root,
                            block: self.number,
                        }));
                    }
                    _ => {}
                }
            }
        }
        events
    }
}

/// Why a call is not even put into a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Its sender has not signed it, or not for this chain.
    Signature,
    /// Its nonce was used.
    Nonce,
}

/// See the module.
pub struct Chain {
    suite: Arc<dyn Suite>,
    rules: Rules,
    setting: Arc<Setting>,
    state: State,
    /// Blocks that may still be undone, oldest first, each with the state before it.
    recent: VecDeque<(Arc<Block>, State)>,
    waiting: Vec<SignedCall>,
    head: u64,
    time: BlockTime,
}

#[derive(Clone)]
struct State {
    contracts: Contracts,
    /// Nonces that were used. Unlike on Ethereum any order will do: letters overtake each other, and what a
    /// reorganisation has lost leaves no gap that would hold up everything after it.
    nonces: BTreeSet<(Address, u64)>,
}

impl Chain {
    /// The chain before its first block.
    pub fn new(suite: Arc<dyn Suite>, rules: Rules, setting: Arc<Setting>) -> Chain {
        let state = State {
            contracts: Contracts::new(&setting),
            nonces: BTreeSet::new(),
        };
        Chain {
            suite,
            rules,
            setting,
            state,
            recent: VecDeque::new(),
            waiting: Vec::new(),
            head: 0,
            time: BlockTime(i64::MIN),
        }
    }

    /// What the contracts hold now.
    pub fn contracts(&self) -> &Contracts {
        &self.state.contracts
    }

    /// Number of the last block; 0 before the first.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// Whether a block with this number stands for good.
    pub fn is_confirmed(&self, number: u64) -> bool {
        number + self.setting.confirmations <= self.head
    }

    /// Takes a call to be put into the next block.
    pub fn submit(&mut self, call: SignedCall) -> Result<(), Unfit> {
        if !call.is_signed(&*self.suite, &self.setting.name) {
            return Err(Unfit::Signature);
        }
        let sender = (call.from, call.nonce);
        let waits = |one: &SignedCall| (one.from, one.nonce) == sender;
        if self.state.nonces.contains(&sender) || self.waiting.iter().any(waits) {
            return Err(Unfit::Nonce);
        }
        self.waiting.push(call);
        Ok(())
    }

    /// Whether calls wait for a block.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Seals a block with everything that waits, and says which blocks stand for good by it. A reverted call
    /// uses its nonce and changes nothing else.
    pub fn seal(&mut self, now: WallMillis) -> (Arc<Block>, Vec<Arc<Block>>) {
        let before = self.state.clone();
        self.head += 1;
        self.time = self.time.max(now.block_time());
        let waiting = std::mem::take(&mut self.waiting);
        let executions = waiting.into_iter().map(|call| self.carry_out(call));
        let executions = executions.collect();
        let held = |contract| (contract, self.state.contracts.holding(contract));
        let holdings = Contract::ALL.into_iter().map(held).collect();
        let block = Arc::new(Block {
            number: self.head,
            time: self.time,
            executions,
            holdings,
        });
        self.recent.push_back((block.clone(), before));
        let stand = self
            .recent
            .partition_point(|(block, _)| self.is_confirmed(block.number));
        let confirmed = self.recent.drain(..stand).map(|(block, _)| block).collect();
        (block, confirmed)
    }

    fn carry_out(&mut self, call: SignedCall) -> Execution {
        self.state.nonces.insert((call.from, call.nonce));
        let result = self.state.contracts.execute(
            &*self.suite,
            self.rules,
            self.time,
            call.from,
            &call.call,
        );
        Execution { call, result }
    }

    /// Undoes the last blocks, as many as asked for and none that is confirmed; the calls in them wait again,
    /// or are lost. Says what was undone, oldest first.
    pub fn reorganise(&mut self, blocks: u64, lose: bool) -> Vec<Arc<Block>> {
        let blocks = usize::try_from(blocks).unwrap_or(usize::MAX);
        let kept = self.recent.len().saturating_sub(blocks);
        let undone = self.recent.split_off(kept);
        if let Some((first, before)) = undone.front() {
            self.head = first.number - 1;
            self.state = before.clone();
        }
        let undone: Vec<Arc<Block>> = undone.into_iter().map(|(block, _)| block).collect();
        if !lose {
            let calls = undone.iter().flat_map(|block| &block.executions);
            let mut again: Vec<SignedCall> = calls.map(|one| one.call.clone()).collect();
            again.append(&mut self.waiting);
            self.waiting = again;
        }
        undone
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at block {}", self.setting.name, self.head)
    }
}
