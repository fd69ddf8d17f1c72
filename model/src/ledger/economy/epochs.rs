//! Epochs of withdrawals: they collect rewards, close into a Merkle root, and wait for the other chain to
//! take it. Source: idos-facts 5.16, kwil-db's erc20-bridge.

use std::sync::Arc;

use super::super::execute::{At, Call, Refused};
use super::super::query::{ClaimRow, EpochRow, RewardRow};
use super::super::refusal::Engine;
use super::super::tables::{Epoch, EpochEnd, EpochReward, State, Tables};
use crate::bridge::{Address, Amount, Hash, Leaf, Token, Tree};
use crate::id::{EpochId, Height};
use crate::time::BlockTime;

/// How long an epoch collects before it may close, in seconds.
const PERIOD: i64 = 600;

/// The epoch that collects: the last one, unless it is closed.
fn collecting(tables: &Tables, token: Token) -> Option<(Height, &Epoch)> {
    let epochs = of(tables, token).next_back();
    epochs.filter(|(_, epoch)| epoch.end.is_none())
}

fn of(tables: &Tables, token: Token) -> impl DoubleEndedIterator<Item = (Height, &Epoch)> {
    let all = (token, Height(0))..=(token, Height(u64::MAX));
    let epochs = tables.epochs.range(all);
    epochs.map(|((_, height), epoch)| (*height, &**epoch))
}

/// Adds to what an address can claim of the epoch that collects.
pub(super) fn reward(
    state: &mut State,
    call: Call<'_>,
    token: Token,
    to: Address,
    amount: Amount,
) -> Refused {
    let start = match collecting(state.tables(), token) {
        Some((start, _)) => start,
        None => begin(state, token, call.height, call.time),
    };
    let key = (token, start, to);
    let before = state.tables().epoch_rewards.get(&key);
    let before = before.map_or(Amount::ZERO, |reward| reward.0);
    let sum = before.plus(amount).ok_or(Engine::NumericOverflow)?;
    state.put(key, EpochReward(sum));
    Ok(())
}

fn begin(state: &mut State, token: Token, height: Height, time: BlockTime) -> Height {
    let epoch = Epoch {
        start_time: time.0,
        end: None,
        confirmed: false,
    };
    state.put((token, height), epoch);
    height
}

fn leaves(tables: &Tables, token: Token, start: Height, block: Hash) -> Vec<Leaf> {
    let all = (token, start, Address([0; 20]))..=(token, start, Address([0xff; 20]));
    let rewards = tables.epoch_rewards.range(all);
    let leaf = |(key, reward): (&(Token, Height, Address), &Arc<EpochReward>)| Leaf {
        recipient: key.2,
        amount: reward.0,
        escrow: token.escrow(),
        block,
    };
    rewards.map(leaf).collect()
}

/// What happens to epochs at the end of a block of this hash. The first ones begin with the first block; one
/// closes once it has collected for the period, holds any reward, and the one before it is confirmed. The
/// next begins with the block that closed it.
pub(in super::super) fn close_epochs(state: &mut State, at: At, block: Hash) {
    for token in Token::ALL {
        let tables = state.tables();
        let Some((start, epoch)) = collecting(tables, token) else {
            begin(state, token, at.height, at.time);
            continue;
        };
        let previous = of(tables, token).rev().nth(1);
        let waits = previous.is_some_and(|(_, previous)| !previous.confirmed);
        if at.time.0 - epoch.start_time < PERIOD || waits {
            continue;
        }
        let leaves = leaves(tables, token, start, block);
        let Some(tree) = Tree::new(leaves.iter().map(Leaf::hash)) else {
            continue;
        };
        let total = leaves.iter().map(|leaf| leaf.amount.0);
        let closed = Epoch {
            end: Some(EpochEnd {
                height: at.height,
                block,
                root: tree.root(),
                total: Amount(total.fold(0, i128::saturating_add)),
            }),
            ..epoch.clone()
        };
        state.put((token, start), closed);
        begin(state, token, at.height, at.time);
    }
}

/// Marks the epoch with this root as taken by the other chain. Roots nobody knows confirm nothing.
pub(super) fn confirm(state: &mut State, token: Token, root: Hash) {
    let closed = of(state.tables(), token).find(|(_, epoch)| {
        let end = epoch.end.as_ref();
        end.is_some_and(|end| end.root == root)
    });
    if let Some((start, epoch)) = closed {
        let confirmed = Epoch {
            confirmed: true,
            ..epoch.clone()
        };
        state.put((token, start), confirmed);
    }
}

/// `list_epochs`: closed ones that ended after a height, oldest first.
pub(in super::super) fn epochs(
    tables: &Tables,
    token: Token,
    (after, limit): (i64, i64),
) -> Vec<EpochRow> {
    let row = |(start, epoch): (Height, &Epoch)| {
        let end = epoch.end.clone()?;
        (i64::try_from(end.height.0).unwrap_or(i64::MAX) > after).then(|| EpochRow {
            id: EpochId::derive(token, start),
            start_height: start,
            start_time: epoch.start_time,
            end_height: end.height,
            root: end.root,
            total: end.total,
            block: end.block,
            confirmed: epoch.confirmed,
        })
    };
    let limit = usize::try_from(limit).unwrap_or(0);
    of(tables, token).filter_map(row).take(limit).collect()
}

/// `get_epoch_rewards`; none for an epoch nobody knows.
pub(in super::super) fn rewards(tables: &Tables, token: Token, id: EpochId) -> Vec<RewardRow> {
    let found = of(tables, token).find(|(start, _)| EpochId::derive(token, *start) == id);
    let leaves = found.map(|(start, _)| leaves(tables, token, start, Hash::default()));
    let row = |leaf: Leaf| RewardRow {
        recipient: leaf.recipient,
        amount: leaf.amount,
    };
    leaves.into_iter().flatten().map(row).collect()
}

/// `list_wallet_rewards`: what an address can claim, with the proof the other chain asks for. Epochs whose
/// root is not taken yet come along only if they are asked for.
pub(in super::super) fn claims(
    tables: &Tables,
    token: Token,
    wallet: Address,
    with_pending: bool,
) -> Vec<ClaimRow> {
    let claim = |(start, epoch): (Height, &Epoch)| {
        let end = epoch.end.clone()?;
        let leaves = leaves(tables, token, start, end.block);
        let own = leaves.iter().find(|leaf| leaf.recipient == wallet)?;
        let tree = Tree::new(leaves.iter().map(Leaf::hash))?;
        Some(ClaimRow {
            escrow: own.escrow,
            created_at: end.height,
            recipient: own.recipient,
            amount: own.amount,
            block: end.block,
            root: end.root,
            proof: tree.proof(own.hash())?,
        })
    };
    of(tables, token)
        .filter(|(_, epoch)| epoch.confirmed || with_pending)
        .filter_map(claim)
        .collect()
}
