//! Blocks of the chain that holds the tokens, in plain words.

use assay_model::bridge::{Address, Token};
use assay_model::chain::{Block, Call, Contract, Execution, written};
use assay_model::history::Cast;

use crate::names::{few, holder};

/// What is in a block.
pub(crate) fn block(cast: &Cast, block: &Block) -> String {
    let what = match block.executions.as_slice() {
        [] => "nothing".to_owned(),
        all => few(all.iter().map(|one| execution(cast, one))),
    };
    format!(
        "block {} of the chain that holds the tokens: {what}",
        block.number
    )
}

fn execution(cast: &Cast, execution: &Execution) -> String {
    let who = account(cast, execution.call.from);
    let what = call(cast, &execution.call.call);
    match &execution.result {
        Ok(_) => format!("{who} {what}"),
        Err(revert) => format!("{who} {what}, refused: {revert}"),
    }
}

/// Whose account it is.
pub(crate) fn account(cast: &Cast, address: Address) -> String {
    let contract = Contract::ALL
        .into_iter()
        .find(|one| one.address() == address);
    let node = cast.operators.iter().position(|one| *one == address);
    match (contract, node) {
        (Some(contract), _) => contract.name().to_owned(),
        (_, Some(node)) => format!("n{}", node + 1),
        _ => holder(cast, &address.to_string()),
    }
}

fn call(cast: &Cast, call: &Call) -> String {
    let name = |address: &Address| account(cast, *address);
    let idos = |amount| written(Token::Idos, amount);
    match call {
        Call::Approve {
            token,
            spender,
            amount,
        } => format!("allows {} {}", spender.name(), written(*token, *amount)),
        Call::Transfer { token, to, amount } => {
            format!("sends {} to {}", written(*token, *amount), name(to))
        }
        Call::AllowNode(node) => format!("allows {}", name(node)),
        Call::DisallowNode(node) => format!("disallows {}", name(node)),
        Call::Stake { user, node, amount } => {
            let own = *user == assay_model::chain::ZERO;
            let of = if own {
                String::new()
            } else {
                format!(" of {}", name(user))
            };
            format!("stakes {}{of} behind {}", idos(*amount), name(node))
        }
        Call::Unstake { node, amount } => {
            format!("unstakes {} from {}", idos(*amount), name(node))
        }
        Call::WithdrawUnstaked => "withdraws what it unstaked".to_owned(),
        Call::WithdrawReward => "withdraws its rewards".to_owned(),
        Call::Slash { node, evidence } => {
            let on = if evidence.is_some() {
                "on evidence"
            } else {
                "without evidence"
            };
            format!("slashes {} {on}", name(node))
        }
        Call::WithdrawSlashedStakes => "withdraws what was slashed".to_owned(),
        Call::SetEpochReward(reward) => format!("sets the reward of a day to {}", idos(*reward)),
        Call::Pause => "stops the staking contract".to_owned(),
        Call::Unpause => "lets the staking contract go on".to_owned(),
        Call::Deposit { token, amount } => format!("deposits {}", written(*token, *amount)),
        Call::PostRoot {
            token, signatures, ..
        } => format!(
            "posts a root of {token} withdrawals with {} signatures",
            signatures.len()
        ),
        Call::Claim { token, leaf, .. } => format!(
            "claims {} for {}",
            written(*token, leaf.amount),
            name(&leaf.recipient)
        ),
    }
}
