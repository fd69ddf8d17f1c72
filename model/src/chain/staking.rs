//! The contract `IDOSNodeStaking`: an allow-list of nodes, stake behind them, rewards per epoch, and what becomes
//! of stake behind a node that is slashed. Source: idos-facts 5.17.
//!
//! Checks come in the contract's order. Four of its ways are switches: whose tokens a stake takes, what rewards
//! are paid from, whether stake on its way back can be slashed, and what a slash has to show.

use std::collections::{BTreeMap, BTreeSet};

use super::amount::{add, minus, plus, share, sum, whole};
use super::call::{Call, Log};
use super::contract::Contract;
use super::erc20::Erc20;
use super::evidence::Evidence;
use super::revert::Revert;
use crate::bridge::{Address, Amount, Token};
use crate::crypto::{Identity, Suite};
use crate::rules::{Rules, Switch};
use crate::time::BlockTime;

/// Seconds of an epoch: one day.
pub const EPOCH_LENGTH: i64 = 86_400;
/// Seconds unstaked tokens wait, and one more before they are paid: 14 days.
pub const UNSTAKE_DELAY: i64 = 14 * EPOCH_LENGTH;
/// Reward of an epoch in the first two years of the programme: 30 million IDOS a year.
pub const FIRST_YEARS_REWARD: Amount = Amount(whole(Token::Idos, 30_000_000).0 / 365);

/// Stake on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unstaking {
    node: Address,
    amount: Amount,
    since: BlockTime,
}

impl Unstaking {
    /// Whether it has waited long enough: until then it is at stake.
    fn is_ripe(&self, now: BlockTime) -> bool {
        self.since.0 < now.0.saturating_sub(UNSTAKE_DELAY)
    }
}

/// What happened to stakes in one epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Epoch {
    /// By staker: what was staked and what unstaked.
    stakers: BTreeMap<Address, (Amount, Amount)>,
    /// Nodes that were slashed.
    slashed: BTreeSet<Address>,
}

/// The account nobody has. As a staker it stands for the caller.
pub const ZERO: Address = Address([0; 20]);

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staking {
    owner: Address,
    start: BlockTime,
    paused: bool,
    /// By node, whose signatures convict it.
    validators: BTreeMap<Address, Identity>,
    allowed: BTreeSet<Address>,
    slashed: BTreeSet<Address>,
    /// By node and staker.
    stakes: BTreeMap<(Address, Address), Amount>,
    /// By staker.
    unstaking: BTreeMap<Address, Vec<Unstaking>>,
    epochs: BTreeMap<u64, Epoch>,
    /// By the epoch it holds from.
    rewards: BTreeMap<u64, Amount>,
    /// By staker.
    paid: BTreeMap<Address, Amount>,
    /// Stake that was slashed on its way back.
    slashed_unstaking: Amount,
    slashed_withdrawn: Amount,
}

/// What surrounds a call.
pub(super) struct Surroundings<'a> {
    pub(super) suite: &'a dyn Suite,
    pub(super) rules: Rules,
    pub(super) now: BlockTime,
    pub(super) caller: Address,
    pub(super) token: &'a mut Erc20,
    pub(super) logs: &'a mut Vec<Log>,
}

impl Surroundings<'_> {
    fn pay(&mut self, amount: Amount) -> Result<(), Revert> {
        let (from, to) = (Contract::Staking.address(), self.caller);
        self.token.transfer(from, to, amount)?;
        self.moved(from, to, amount);
        Ok(())
    }

    fn moved(&mut self, from: Address, to: Address, amount: Amount) {
        let token = Token::Idos;
        self.logs.push(Log::Transferred {
            token,
            from,
            to,
            amount,
        });
    }
}

impl Staking {
    /// The contract as it is deployed: nobody is allowed yet.
    pub fn new(
        owner: Address,
        start: BlockTime,
        reward: Amount,
        validators: BTreeMap<Address, Identity>,
    ) -> Staking {
        Staking {
            owner,
            start,
            paused: false,
            validators,
            allowed: BTreeSet::new(),
            slashed: BTreeSet::new(),
            stakes: BTreeMap::new(),
            unstaking: BTreeMap::new(),
            epochs: BTreeMap::new(),
            rewards: BTreeMap::from([(0, reward)]),
            paid: BTreeMap::new(),
            slashed_unstaking: Amount::ZERO,
            slashed_withdrawn: Amount::ZERO,
        }
    }

    /// Everything staked and not on its way back, slashed or not.
    pub fn staked(&self) -> Result<Amount, Revert> {
        sum(self.stakes.values().copied())
    }

    /// Everything on its way back.
    pub fn unstaking(&self) -> Result<Amount, Revert> {
        let all = self.unstaking.values().flatten();
        sum(all.map(|entry| entry.amount))
    }

    /// What was slashed and not yet withdrawn.
    pub fn slashed_unclaimed(&self) -> Result<Amount, Revert> {
        let mut slashed = self.slashed_unstaking;
        for node in &self.slashed {
            add(&mut slashed, self.behind(*node)?)?;
        }
        minus(slashed, self.slashed_withdrawn)
    }

    /// What the contract owes as principal: to stakers, or to the owner where it was slashed.
    pub fn principal(&self) -> Result<Amount, Revert> {
        let owed = sum([self.staked()?, self.unstaking()?, self.slashed_unstaking])?;
        minus(owed, self.slashed_withdrawn)
    }

    /// All stake behind a node.
    fn behind(&self, node: Address) -> Result<Amount, Revert> {
        let stakes = self.stakes.iter();
        let behind = stakes.filter(|((of, _), _)| *of == node);
        sum(behind.map(|(_, amount)| *amount))
    }

    fn stake_of(&self, node: Address, user: Address) -> Amount {
        self.stakes.get(&(node, user)).copied().unwrap_or_default()
    }

    fn epoch(&self, now: BlockTime) -> Result<u64, Revert> {
        let since = now.0.saturating_sub(self.start.0);
        u64::try_from(since)
            .map(|since| since / EPOCH_LENGTH as u64)
            .map_err(|_| Revert::NotStarted)
    }

    /// Rewards of all epochs before this one, paid or not.
    pub fn rewards_of(&self, user: Address, before: u64) -> Result<Amount, Revert> {
        let (mut own, mut all) = (Amount::ZERO, Amount::ZERO);
        let (mut reward, mut earned) = (Amount::ZERO, Amount::ZERO);
        for epoch in 0..before {
            reward = self.rewards.get(&epoch).copied().unwrap_or(reward);
            if let Some(changes) = self.epochs.get(&epoch) {
                for (staker, (staked, unstaked)) in &changes.stakers {
                    all = minus(plus(all, *staked)?, *unstaked)?;
                    if *staker == user {
                        own = minus(plus(own, *staked)?, *unstaked)?;
                    }
                }
                for node in &changes.slashed {
                    own = minus(own, self.stake_of(*node, user))?;
                    all = minus(all, self.behind(*node)?)?;
                }
            }
            let part = share(reward, own, all).ok_or(Revert::ArithmeticOverflow)?;
            add(&mut earned, part)?;
        }
        Ok(earned)
    }

    pub(super) fn execute(&mut self, call: &Call, mut on: Surroundings<'_>) -> Result<(), Revert> {
        match call {
            Call::AllowNode(node) => {
                self.runs()?;
                self.owner_calls(&on)?;
                self.allowed.insert(*node);
                on.logs.push(Log::Allowed(*node));
            }
            Call::DisallowNode(node) => {
                self.runs()?;
                self.owner_calls(&on)?;
                self.allowed.remove(node);
                on.logs.push(Log::Disallowed(*node));
            }
            Call::Stake { user, node, amount } => self.stake(*user, *node, *amount, on)?,
            Call::Unstake { node, amount } => self.unstake(*node, *amount, on)?,
            Call::WithdrawUnstaked => self.withdraw_unstaked(on)?,
            Call::WithdrawReward => self.withdraw_reward(on)?,
            Call::Slash { node, evidence } => self.slash(*node, evidence.as_ref(), on)?,
            Call::WithdrawSlashedStakes => {
                self.owner_calls(&on)?;
                self.runs()?;
                let amount = self.slashed_unclaimed()?;
                if !amount.is_positive() {
                    return Err(Revert::NoWithdrawableSlashedStakes);
                }
                add(&mut self.slashed_withdrawn, amount)?;
                on.pay(amount)?;
                on.logs.push(Log::SlashedWithdraw(amount));
            }
            Call::SetEpochReward(reward) => {
                self.owner_calls(&on)?;
                let last = self.rewards.last_key_value().map(|(_, reward)| *reward);
                if last == Some(*reward) {
                    return Err(Revert::EpochRewardDidntChange);
                }
                let (epoch, reward) = (self.epoch(on.now)?, *reward);
                self.rewards.insert(epoch, reward);
                on.logs.push(Log::EpochRewardChanged { epoch, reward });
            }
            Call::Pause => {
                self.owner_calls(&on)?;
                self.runs()?;
                self.paused = true;
                on.logs.push(Log::Paused);
            }
            Call::Unpause => {
                self.owner_calls(&on)?;
                if !self.paused {
                    return Err(Revert::ExpectedPause);
                }
                self.paused = false;
                on.logs.push(Log::Unpaused);
            }
            Call::Approve { .. }
            | Call::Transfer { .. }
            | Call::Deposit { .. }
            | Call::PostRoot { .. }
            | Call::Claim { .. } => unreachable!("{call:?} is for another contract"),
        }
        Ok(())
    }

    fn owner_calls(&self, on: &Surroundings<'_>) -> Result<(), Revert> {
        match on.caller == self.owner {
            true => Ok(()),
            false => Err(Revert::OwnableUnauthorizedAccount),
        }
    }

    fn runs(&self) -> Result<(), Revert> {
        match self.paused {
            true => Err(Revert::EnforcedPause),
            false => Ok(()),
        }
    }

    fn stake(
        &mut self,
        user: Address,
        node: Address,
        amount: Amount,
        mut on: Surroundings<'_>,
    ) -> Result<(), Revert> {
        self.runs()?;
        if node == ZERO {
            return Err(Revert::ZeroAddressNode);
        }
        if !self.allowed.contains(&node) {
            return Err(Revert::NodeIsNotAllowed);
        }
        if self.slashed.contains(&node) {
            return Err(Revert::NodeIsSlashed);
        }
        if !amount.is_positive() {
            return Err(Revert::AmountNotPositive);
        }
        let epoch = self.epoch(on.now)?;
        let user = if user == ZERO { on.caller } else { user };
        if on.rules.keep(Switch::HoldersStake) && user != on.caller {
            return Err(Revert::StakerIsNotCaller);
        }
        let to = Contract::Staking.address();
        on.token.transfer_from(to, user, to, amount)?;
        on.moved(user, to, amount);
        add(self.stakes.entry((node, user)).or_default(), amount)?;
        add(&mut self.changes(epoch, user).0, amount)?;
        on.logs.push(Log::Staked { user, node, amount });
        Ok(())
    }

    fn changes(&mut self, epoch: u64, user: Address) -> &mut (Amount, Amount) {
        let epoch = self.epochs.entry(epoch).or_default();
        epoch.stakers.entry(user).or_default()
    }

    fn unstake(
        &mut self,
        node: Address,
        amount: Amount,
        on: Surroundings<'_>,
    ) -> Result<(), Revert> {
        self.runs()?;
        if node == ZERO {
            return Err(Revert::ZeroAddressNode);
        }
        if self.slashed.contains(&node) {
            return Err(Revert::NodeIsSlashed);
        }
        if !amount.is_positive() {
            return Err(Revert::AmountNotPositive);
        }
        let epoch = self.epoch(on.now)?;
        let user = on.caller;
        let stake = self.stake_of(node, user);
        let rest = stake.less(amount).ok_or(Revert::AmountExceedsStake)?;
        match rest.is_positive() {
            true => self.stakes.insert((node, user), rest),
            false => self.stakes.remove(&(node, user)),
        };
        add(&mut self.changes(epoch, user).1, amount)?;
        self.unstaking.entry(user).or_default().push(Unstaking {
            node,
            amount,
            since: on.now,
        });
        on.logs.push(Log::Unstaked { user, node, amount });
        Ok(())
    }

    fn withdraw_unstaked(&mut self, mut on: Surroundings<'_>) -> Result<(), Revert> {
        self.runs()?;
        let user = on.caller;
        let entries = self.unstaking.entry(user).or_default();
        let due = entries.iter().filter(|entry| entry.is_ripe(on.now));
        let amount = sum(due.map(|entry| entry.amount))?;
        if !amount.is_positive() {
            return Err(Revert::NoWithdrawableStake);
        }
        entries.retain(|entry| !entry.is_ripe(on.now));
        on.pay(amount)?;
        on.logs.push(Log::UnstakedWithdraw { user, amount });
        Ok(())
    }

    fn withdraw_reward(&mut self, mut on: Surroundings<'_>) -> Result<(), Revert> {
        self.runs()?;
        let user = on.caller;
        let earned = self.rewards_of(user, self.epoch(on.now)?)?;
        let paid = self.paid.get(&user).copied().unwrap_or_default();
        // A slash lowers nothing that was earned in epochs before it.
        let amount = minus(earned, paid)?;
        if !amount.is_positive() {
            return Err(Revert::NoWithdrawableRewards);
        }
        if on.rules.keep(Switch::SeparateRewards) {
            let held = on.token.balance(Contract::Staking.address());
            if held
                .less(self.principal()?)
                .is_none_or(|pool| pool < amount)
            {
                return Err(Revert::RewardsNotFunded);
            }
        }
        self.paid.insert(user, earned);
        on.pay(amount)?;
        on.logs.push(Log::RewardWithdraw { user, amount });
        Ok(())
    }

    fn slash(
        &mut self,
        node: Address,
        evidence: Option<&Evidence>,
        on: Surroundings<'_>,
    ) -> Result<(), Revert> {
        self.owner_calls(&on)?;
        self.runs()?;
        if node == ZERO {
            return Err(Revert::ZeroAddressNode);
        }
        let reaches_unstaking = on.rules.keep(Switch::SlashableUnstaking);
        let entries = self.unstaking.values().flatten();
        let at_stake =
            |entry: &Unstaking| reaches_unstaking && entry.node == node && !entry.is_ripe(on.now);
        let on_its_way = entries.filter(|entry| at_stake(entry));
        let unstaking = sum(on_its_way.map(|entry| entry.amount))?;
        let amount = plus(self.behind(node)?, unstaking)?;
        if !amount.is_positive() {
            return Err(Revert::NodeIsUnknown);
        }
        if self.slashed.contains(&node) {
            return Err(Revert::NodeIsSlashed);
        }
        if on.rules.keep(Switch::EvidencedSlashing) {
            let evidence = evidence.ok_or(Revert::EvidenceMissing)?;
            let validator = self.validators.get(&node);
            if !validator.is_some_and(|validator| evidence.convicts(on.suite, validator)) {
                return Err(Revert::EvidenceInvalid);
            }
        }
        for entries in self.unstaking.values_mut() {
            entries.retain(|entry| !at_stake(entry));
        }
        add(&mut self.slashed_unstaking, unstaking)?;
        self.slashed.insert(node);
        let epoch = self.epoch(on.now)?;
        self.epochs.entry(epoch).or_default().slashed.insert(node);
        on.logs.push(Log::Slashed { node, amount });
        Ok(())
    }
}
