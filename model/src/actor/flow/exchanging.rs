//! What people ask of the chain that holds the tokens. Source: idos-facts 5.16, 5.17.

use super::super::desk::Desk;
use super::super::directory::{operator_key, validator_key};
use super::super::letter::Letter;
use super::super::machine::{Outbox, TaskId};
use super::super::order::{ChainDeed, Order, Shown, Task};
use super::{News, Next, declined};
use crate::bridge::{Address, Token};
use crate::chain::{Call, Contract, Evidence, SignedCall, ZERO, account, whole};
use crate::history::Role;
use crate::id::{NodeId, PartyId};

/// Signs calls, sends them, and waits until they are confirmed.
pub(super) fn exchange(
    desk: &mut Desk,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    match (news, &task.order) {
        (News::Begin, Order::OnChain(deed)) => {
            let calls = calls(desk, deed);
            send(desk, id, task, calls, out)
        }
        (News::Letter(Letter::Receipt { ending, .. }), _) => Next::Done(ending),
        _ => Next::Wait,
    }
}

/// Signs calls and sends them; the receipt comes once they are confirmed.
pub(super) fn send(
    desk: &mut Desk,
    id: TaskId,
    task: &Task,
    calls: Vec<Call>,
    out: &mut Outbox,
) -> Next {
    match (desk.directory.chain(), sign(desk, task.wallet, calls)) {
        (Some(chain), Some(calls)) => {
            let task = id.0;
            out.letter(chain, Letter::Calls { task, calls });
            Next::Wait
        }
        // Without a chain, or a wallet for it, there is nothing to call.
        _ => declined("nothing-found"),
    }
}

/// Operators speak with their nodes under other keys than on the chain.
fn sign(desk: &mut Desk, wallet: u8, calls: Vec<Call>) -> Option<Vec<SignedCall>> {
    let setting = desk.directory.external.clone()?;
    let persona = &desk.card().persona;
    let key = match persona.role {
        Role::Operator => operator_key(persona.node),
        _ => desk.keys.signing.get(usize::from(wallet))?.clone(),
    };
    let mut signed = Vec::new();
    for call in calls {
        desk.chain_calls += 1;
        let nonce = desk.chain_calls;
        let call = SignedCall::sign(&*desk.suite, &key, &setting.name, nonce, call)?;
        signed.push(call);
    }
    Some(signed)
}

/// Somebody's account; nobody's, where there is none.
pub(super) fn person(desk: &Desk, party: PartyId) -> Address {
    let identities = &desk.directory.card(party).identities;
    identities.iter().find_map(account).unwrap_or(ZERO)
}

/// The calls that do it: whoever hands tokens to a contract allows it to take them first.
fn calls(desk: &Desk, deed: &ChainDeed) -> Vec<Call> {
    // Where there is no chain, nobody has an account, and nothing is sent either.
    let node = |node: &NodeId| {
        let accounts = desk.directory.operators();
        accounts.get(node.index()).copied().unwrap_or(ZERO)
    };
    let person = |party: &PartyId| person(desk, *party);
    let idos = |tokens: &u64| whole(Token::Idos, *tokens);
    let approve = |spender: Contract, tokens: &u64| Call::Approve {
        token: spender.token(),
        spender,
        amount: whole(spender.token(), *tokens),
    };
    let transfer = |token: Token, to: Address, tokens: &u64| Call::Transfer {
        token,
        to,
        amount: whole(token, *tokens),
    };
    match deed {
        ChainDeed::Approve { spender, amount } => vec![approve(*spender, amount)],
        ChainDeed::Send { token, to, amount } => vec![transfer(*token, person(to), amount)],
        ChainDeed::FundRewards { amount } => {
            vec![transfer(Token::Idos, Contract::Staking.address(), amount)]
        }
        ChainDeed::Stake {
            of,
            node: at,
            amount,
        } => {
            let stake = Call::Stake {
                user: of.as_ref().map_or(ZERO, person),
                node: node(at),
                amount: idos(amount),
            };
            match of {
                Some(_) => vec![stake],
                None => vec![approve(Contract::Staking, amount), stake],
            }
        }
        ChainDeed::Unstake { node: at, amount } => vec![Call::Unstake {
            node: node(at),
            amount: idos(amount),
        }],
        ChainDeed::WithdrawUnstaked => vec![Call::WithdrawUnstaked],
        ChainDeed::WithdrawReward => vec![Call::WithdrawReward],
        ChainDeed::AllowNode { node: at } => vec![Call::AllowNode(node(at))],
        ChainDeed::DisallowNode { node: at } => vec![Call::DisallowNode(node(at))],
        ChainDeed::Slash { node: at, shown } => vec![Call::Slash {
            node: node(at),
            evidence: shown_evidence(desk, *at, *shown),
        }],
        ChainDeed::WithdrawSlashed => vec![Call::WithdrawSlashedStakes],
        ChainDeed::SetReward { amount } => vec![Call::SetEpochReward(idos(amount))],
        ChainDeed::Pause { on: true } => vec![Call::Pause],
        ChainDeed::Pause { on: false } => vec![Call::Unpause],
        ChainDeed::Deposit { token, amount } => {
            let deposit = Call::Deposit {
                token: *token,
                amount: whole(*token, *amount),
            };
            vec![approve(Contract::Escrow(*token), amount), deposit]
        }
        ChainDeed::PostRoot { .. } | ChainDeed::Claim { .. } => {
            unreachable!("what the storage network has to be asked about first is no exchange")
        }
    }
}

/// What the accuser holds: the operator has voted as the story says, and both votes have come to light.
fn shown_evidence(desk: &Desk, node: NodeId, shown: Shown) -> Option<Evidence> {
    let two = || Evidence::of_double_vote(&*desk.suite, &validator_key(node), node);
    match shown {
        Shown::Nothing => None,
        Shown::OneVote => {
            let Evidence { ballot, votes } = two();
            let [vote, _] = votes;
            let votes = [vote.clone(), vote];
            Some(Evidence { ballot, votes })
        }
        Shown::TwoVotes => Some(two()),
    }
}
