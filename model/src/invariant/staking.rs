//! Stakes: whose they are, how long they wait, what they earn, and when they are lost.
//!
//! The books are kept from what was asked and what the contract said it did; nothing of the contract's own
//! reckoning is believed.

use std::collections::BTreeMap;

use super::books::total;
use super::chronicle::Chronicle;
use super::exchange::{Deed, Sealed, blocks, name};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::actor::External;
use crate::bridge::{Address, Amount, Token};
use crate::chain::{Call, Contract, Log, written};
use crate::time::BlockTime;

/// Seconds of an epoch. Source: idos-facts 5.17.
const DAY: i64 = 86_400;
/// Seconds unstaked tokens wait, and one more before they are paid. Source: idos-facts 5.17.
const DELAY: i64 = 14 * DAY;

pub(super) const STAKES_ARE_THE_HOLDERS: Invariant = Invariant {
    name: "stakes-are-the-holders",
    claim: "only the holder stakes its tokens, and rewards are paid from what was paid in for them, never from stakes",
    source: "ctr:IDOSNodeStaking; idos-facts 8.10",
    requirements: &["STAKE-01"],
    check: stakes_are_the_holders,
};

pub(super) const STAKE_WAITS_ITS_TIME: Invariant = Invariant {
    name: "stake-waits-its-time",
    claim: "unstaked tokens are paid once, after more than 14 days, and what was slashed is neither unstaked nor rewarded",
    source: "ctr:IDOSNodeStaking; idos-facts 5.17",
    requirements: &["STAKE-02"],
    check: stake_waits_its_time,
};

pub(super) const SLASHES_ARE_EARNED_AND_WHOLE: Invariant = Invariant {
    name: "slashes-are-earned-and-whole",
    claim: "a slash cites two votes for different blocks on one ballot, whose signatures the contract has looked at, \
            and takes what is on its way back as well",
    source: "idos-facts 8.10; doc (stake at risk)",
    requirements: &["STAKE-03"],
    check: slashes_are_earned_and_whole,
};

/// Stake on its way back.
#[derive(Clone, Copy)]
struct Unstaking {
    user: Address,
    node: Address,
    amount: i128,
    since: BlockTime,
    seen: usize,
}

/// Stake that came or went.
struct Change {
    epoch: i64,
    user: Address,
    node: Address,
    amount: i128,
}

/// What the staking contract has done so far.
struct Books {
    external: External,
    changes: Vec<Change>,
    unstaking: Vec<Unstaking>,
    /// By node: since which epoch, and the observation that shows it.
    slashed: BTreeMap<Address, (i64, usize)>,
    /// By the epoch it holds from.
    rewards: BTreeMap<i64, Amount>,
    /// By staker.
    rewarded: BTreeMap<Address, i128>,
    paid_in: i128,
    paid_out: i128,
    /// Slashed and not yet paid to the owner.
    forfeit: i128,
}

impl Books {
    fn new(external: External) -> Books {
        Books {
            external,
            changes: Vec::new(),
            unstaking: Vec::new(),
            slashed: BTreeMap::new(),
            rewards: BTreeMap::from([(0, external.reward)]),
            rewarded: BTreeMap::new(),
            paid_in: 0,
            paid_out: 0,
            forfeit: 0,
        }
    }

    fn epoch(&self, time: BlockTime) -> i64 {
        time.0.saturating_sub(self.external.start.0) / DAY
    }

    fn is_slashed(&self, node: Address, epoch: i64) -> bool {
        self.slashed
            .get(&node)
            .is_some_and(|(since, _)| *since <= epoch)
    }

    /// Stake that counts in an epoch: somebody's, or everybody's.
    fn counts(&self, epoch: i64, user: Option<Address>) -> i128 {
        let counts = |change: &&Change| {
            change.epoch <= epoch
                && user.is_none_or(|user| user == change.user)
                && !self.is_slashed(change.node, epoch)
        };
        total(
            self.changes
                .iter()
                .filter(counts)
                .map(|change| change.amount),
        )
    }

    fn behind(&self, node: Address) -> i128 {
        let behind = self.changes.iter().filter(|change| change.node == node);
        total(behind.map(|change| change.amount))
    }

    /// Stake on its way back from a node that has not waited long enough yet.
    fn on_its_way(&self, node: Address, now: BlockTime) -> impl Iterator<Item = &Unstaking> {
        let entries = self.unstaking.iter();
        entries.filter(move |entry| entry.node == node && !is_ripe(entry, now))
    }

    /// What a staker has earned in all epochs before one.
    fn earned(&self, user: Address, before: i64) -> i128 {
        let epochs = 0..before.min(MOST_EPOCHS);
        total(epochs.map(|epoch| {
            let reward = self.rewards.range(..=epoch).next_back();
            let reward = reward.map_or(0, |(_, reward)| reward.0);
            let own = self.counts(epoch, Some(user));
            part(reward, own, self.counts(epoch, None)).unwrap_or(0)
        }))
    }

    /// What the contract owes besides rewards.
    fn principal(&self) -> i128 {
        let stakes = self.changes.iter();
        let stakes = stakes.filter(|change| !self.slashed.contains_key(&change.node));
        let stakes = total(stakes.map(|change| change.amount));
        let unstaking = total(self.unstaking.iter().map(|entry| entry.amount));
        total([stakes, unstaking, self.forfeit])
    }

    /// Writes a deed down.
    fn follow(&mut self, deed: &Deed<'_>, sealed: &Sealed<'_>) {
        let (time, seen) = (sealed.block.time, sealed.seen);
        let epoch = self.epoch(time);
        if let Call::Transfer { token, to, amount } = deed.asks()
            && (*token, *to) == (Token::Idos, Contract::Staking.address())
        {
            self.paid_in = self.paid_in.saturating_add(amount.0);
        }
        for log in deed.logs {
            match *log {
                Log::Staked { user, node, amount } => self.changes.push(Change {
                    epoch,
                    user,
                    node,
                    amount: amount.0,
                }),
                Log::Unstaked { user, node, amount } => {
                    self.changes.push(Change {
                        epoch,
                        user,
                        node,
                        amount: amount.0.saturating_neg(),
                    });
                    self.unstaking.push(Unstaking {
                        user,
                        node,
                        amount: amount.0,
                        since: time,
                        seen,
                    });
                }
                Log::UnstakedWithdraw { user, .. } => {
                    let gone = |entry: &Unstaking| entry.user == user && is_ripe(entry, time);
                    self.unstaking.retain(|entry| !gone(entry));
                }
                Log::RewardWithdraw { user, amount } => {
                    self.paid_out = self.paid_out.saturating_add(amount.0);
                    let rewarded = self.rewarded.entry(user).or_default();
                    *rewarded = rewarded.saturating_add(amount.0);
                }
                Log::Slashed { node, amount } => {
                    // Whether it has taken what was on its way back shows in how much it took.
                    if amount.0 > self.behind(node) {
                        self.unstaking
                            .retain(|entry| entry.node != node || is_ripe(entry, time));
                    }
                    self.slashed.insert(node, (epoch, seen));
                    self.forfeit = self.forfeit.saturating_add(amount.0);
                }
                Log::SlashedWithdraw(amount) => {
                    self.forfeit = self.forfeit.saturating_sub(amount.0);
                }
                Log::EpochRewardChanged { epoch, reward } => {
                    let epoch = i64::try_from(epoch).unwrap_or(i64::MAX);
                    self.rewards.insert(epoch, reward);
                }
                _ => {}
            }
        }
    }
}

/// No story is longer than this, and a history by chance shall not keep anybody waiting.
const MOST_EPOCHS: i64 = 100_000;

/// `reward · own / all`, rounded down; nothing where it is beyond what can be counted, or below zero. The product
/// is longer than any number here, so it is divided bit by bit as it grows.
fn part(reward: i128, own: i128, all: i128) -> Option<i128> {
    let [reward, own, all] = [reward, own, all].map(|one| u128::try_from(one).ok());
    let (reward, own, all) = (reward?, own?, all?);
    if all == 0 {
        return Some(0);
    }
    // Of the bits of `own` so far, times `reward`: how often `all` goes into it, and what is left.
    let (mut times, mut left) = (0_u128, 0_u128);
    for bit in (0..u128::BITS - own.leading_zeros()).rev() {
        times = times.checked_mul(2)?;
        left = left.checked_mul(2)?;
        if own >> bit & 1 == 1 {
            times = times.checked_add(reward / all)?;
            left = left.checked_add(reward % all)?;
        }
        times = times.checked_add(left / all)?;
        left %= all;
    }
    i128::try_from(times).ok()
}

fn is_ripe(entry: &Unstaking, now: BlockTime) -> bool {
    now.0.saturating_sub(entry.since.0) > DELAY
}

fn idos(amount: i128) -> String {
    written(Token::Idos, Amount(amount))
}

/// Reads the contract's deeds one by one, each with the books before it.
fn each_deed(
    chronicle: &Chronicle<'_>,
    mut look: impl FnMut(&Books, &Deed<'_>, &Sealed<'_>),
    mut after: impl FnMut(&Books, &Sealed<'_>),
) {
    let mut books = Books::new(chronicle.history.cast.external);
    for sealed in blocks(chronicle.history) {
        for deed in sealed.deeds() {
            look(&books, &deed, &sealed);
            books.follow(&deed, &sealed);
        }
        after(&books, &sealed);
    }
}

fn stakes_are_the_holders(chronicle: &Chronicle<'_>) -> Verdict {
    let cast = &*chronicle.history.cast;
    let tally = std::cell::RefCell::new(Tally::default());
    let look = |_: &Books, deed: &Deed<'_>, sealed: &Sealed<'_>| {
        for log in deed.logs {
            if let Log::Staked { user, node, amount } = log {
                let by = deed.call.from;
                tally.borrow_mut().test("STAKE-01", *user == by, || {
                    let sentence = format!(
                        "{} staked {} of {} behind {}",
                        name(cast, by),
                        idos(amount.0),
                        name(cast, *user),
                        name(cast, *node)
                    );
                    (sentence, vec![sealed.seen])
                });
            }
        }
    };
    let mut paid_out = 0;
    let after = |books: &Books, sealed: &Sealed<'_>| {
        let held = sealed.holding(Contract::Staking).0;
        let principal = books.principal();
        if books.paid_out > paid_out {
            paid_out = books.paid_out;
            let kept = books.paid_out <= books.paid_in && held >= principal;
            tally.borrow_mut().test("STAKE-01", kept, || {
                let sentence = format!(
                    "rewards of {} were paid out of {} paid in for them; the contract holds {} and owes {} to \
                     stakers",
                    idos(books.paid_out),
                    idos(books.paid_in),
                    idos(held),
                    idos(principal)
                );
                (sentence, vec![sealed.seen])
            });
        }
    };
    each_deed(chronicle, look, after);
    tally.into_inner().verdict("nobody staked")
}

fn stake_waits_its_time(chronicle: &Chronicle<'_>) -> Verdict {
    let cast = &*chronicle.history.cast;
    let mut tally = Tally::default();
    let look = |books: &Books, deed: &Deed<'_>, sealed: &Sealed<'_>| {
        let (now, seen) = (sealed.block.time, sealed.seen);
        for log in deed.logs {
            match log {
                Log::Unstaked { user, node, amount } => {
                    let slashed = books.slashed.get(node);
                    tally.test("STAKE-02", slashed.is_none(), || {
                        let sentence = format!(
                            "{} unstaked {} from {}, which was slashed",
                            name(cast, *user),
                            idos(amount.0),
                            name(cast, *node)
                        );
                        let slash = slashed.map(|(_, seen)| *seen);
                        (sentence, slash.into_iter().chain([seen]).collect())
                    });
                }
                Log::UnstakedWithdraw { user, amount } => {
                    let own = books.unstaking.iter().filter(|entry| entry.user == *user);
                    let ripe = own.clone().filter(|entry| is_ripe(entry, now));
                    let due = total(ripe.map(|entry| entry.amount));
                    tally.test("STAKE-02", amount.0 == due, || {
                        let sentence = format!(
                            "{} was paid {} of unstaked tokens when {} had waited more than 14 days",
                            name(cast, *user),
                            idos(amount.0),
                            idos(due)
                        );
                        let unstaked = own.map(|entry| entry.seen);
                        (sentence, unstaked.chain([seen]).collect())
                    });
                }
                Log::RewardWithdraw { user, amount } => {
                    let before = books.rewarded.get(user).copied().unwrap_or_default();
                    let paid = before.saturating_add(amount.0);
                    let earned = books.earned(*user, books.epoch(now));
                    tally.test("STAKE-02", paid <= earned, || {
                        let sentence = format!(
                            "{} was paid rewards of {} and has earned {}",
                            name(cast, *user),
                            idos(paid),
                            idos(earned)
                        );
                        let slashes = books.slashed.values().map(|(_, seen)| *seen);
                        (sentence, slashes.chain([seen]).collect())
                    });
                }
                _ => {}
            }
        }
    };
    each_deed(chronicle, look, |_, _| {});
    tally.verdict("nothing was unstaked or rewarded")
}

fn slashes_are_earned_and_whole(chronicle: &Chronicle<'_>) -> Verdict {
    let cast = &*chronicle.history.cast;
    let mut tally = Tally::default();
    let look = |books: &Books, deed: &Deed<'_>, sealed: &Sealed<'_>| {
        let Call::Slash { evidence, .. } = deed.asks() else {
            return;
        };
        for log in deed.logs {
            let Log::Slashed { node, amount } = log else {
                continue;
            };
            let cited = evidence.as_ref().is_some_and(|evidence| {
                // With which keys the contract compares signatures, no history tells.
                let [one, other] = &evidence.votes;
                one.block != other.block && one.signature != other.signature
            });
            tally.test("STAKE-03", cited, || {
                let sentence = format!(
                    "{} was slashed without two votes of its validator on one ballot",
                    name(cast, *node)
                );
                (sentence, vec![sealed.seen])
            });
            let behind = books.behind(*node);
            let entries = || books.on_its_way(*node, sealed.block.time);
            let on_its_way = total(entries().map(|entry| entry.amount));
            let whole = amount.0 == total([behind, on_its_way]);
            tally.test("STAKE-03", whole, || {
                let sentence = format!(
                    "{} was slashed of {}, and {} on their way back were left to their stakers",
                    name(cast, *node),
                    idos(amount.0),
                    idos(on_its_way)
                );
                let unstaked = entries().map(|entry| entry.seen);
                (sentence, unstaked.chain([sealed.seen]).collect())
            });
        }
    };
    each_deed(chronicle, look, |_, _| {});
    tally.verdict("no node was slashed")
}
