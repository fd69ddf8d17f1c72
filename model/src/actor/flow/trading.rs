//! What people do with tokens: pay gas and fees, move and withdraw what they have, look at it.
//! Source: idos-facts 3.9.

use super::super::client::Got;
use super::super::desk::Desk;
use super::super::order::{Holding, Order, Sum, Task, Trade};
use super::{News, Next, done_if, ending, look, submit};
use crate::bridge::{Amount, Token, verify};
use crate::crypto::Identity;
use crate::history::Ending;
use crate::id::{PartyId, Text};
use crate::ledger::{Action, Answer, ClaimRow, Query};

/// How many closed epochs are asked for at once; far more than a story has.
const EPOCHS: i64 = 100;

/// A move of tokens, or a look at them.
pub(super) fn trade(desk: &Desk, task: &Task, news: News) -> Next {
    let Order::Trade(trade) = &task.order else {
        unreachable!("only an order to trade trades")
    };
    match news {
        News::Begin => begin(desk, trade),
        News::Letter(_) | News::Overdue => Next::Wait,
        News::Got(Got::View {
            result: Ok(answer), ..
        }) => {
            let is = |found: bool| done_if(found, "other-amount");
            match (trade, answer) {
                (Trade::Look(Sum { amount, .. }), Answer::Amount(shown)) => is(shown == *amount),
                (Trade::Look(Sum { amount, .. }), Answer::Allowance(shown)) => {
                    is(shown == Some(*amount))
                }
                (Trade::Look(Sum { amount, .. }), Answer::Info(shown)) => {
                    is(shown.balance == *amount)
                }
                (Trade::Claims { token, amount, .. }, Answer::Claims(rows)) => {
                    is(claimable(*token, &rows) == Some(*amount))
                }
                _ => Next::Done(Ending::Accepted),
            }
        }
        News::Got(got) => Next::Done(ending(&got)),
    }
}

/// An address as its holder appears; whoever has none is named as it is, which the network refuses.
pub(super) fn address(desk: &Desk, of: PartyId, wallet: u8) -> Text {
    let identities = &desk.directory.card(of).identities;
    let identity = identities.get(usize::from(wallet));
    identity.unwrap_or(&identities[0]).caller().into()
}

fn begin(desk: &Desk, trade: &Trade) -> Next {
    let name = |token: Token| Text::from(token.name());
    submit(match trade {
        Trade::PayGas => Action::ActionCostingGas {},
        Trade::Spend { amount } => Action::ActionCostingIdosToken { amount: *amount },
        Trade::SetFee {
            credential,
            fee,
            to,
        } => Action::SetIssuerFee {
            credential_id: *credential,
            issuer_fee: *fee,
            issuer_wallet: address(desk, *to, 0),
        },
        Trade::PayFee { credential } => Action::ActionCostingFee {
            credential_id: *credential,
        },
        Trade::WithdrawAll { token } => Action::RequestWithdrawal {
            token: name(*token),
        },
        Trade::Withdraw { token, amount } => Action::Bridge {
            token: *token,
            amount: *amount,
        },
        Trade::Transfer { token, to, amount } => Action::Transfer {
            token: *token,
            to: address(desk, *to, 0),
            amount: *amount,
        },
        Trade::Lock { token, amount } => Action::Lock {
            token: *token,
            amount: *amount,
        },
        Trade::Sweep { token, to } => Action::RequestBalanceWithdrawal {
            token: name(*token),
            evm_address_to: address(desk, *to, 0),
        },
        Trade::Look(Sum { what, .. }) => {
            return look(match what {
                Holding::Balance { token, of, wallet } => Query::CheckBalance {
                    address: address(desk, *of, *wallet),
                    token: name(*token),
                },
                Holding::Network { token } => Query::Info { token: *token },
                Holding::Allowance => Query::GetAllowance {},
                Holding::Fee { credential } => Query::GetIssuerFee {
                    credential_id: *credential,
                },
            });
        }
        Trade::Claims { token, of, .. } => {
            return look(Query::ListWalletRewards {
                token: *token,
                wallet: address(desk, *of, 0),
                with_pending: true,
            });
        }
    })
}

/// What the rows come to, if every proof is good.
fn claimable(token: Token, rows: &[ClaimRow]) -> Option<Amount> {
    rows.iter().try_fold(Amount::ZERO, |sum, row| {
        let good = row.escrow == token.escrow() && verify(row.root, &row.proof, row.leaf().hash());
        sum.plus(row.amount).filter(|_| good)
    })
}

/// The closed epochs of a token.
pub(super) fn epochs(token: Token) -> Query {
    Query::ListEpochs {
        token,
        after: 0,
        limit: EPOCHS,
    }
}

/// What the database owner looks at in the end: everything the tokens' ledgers show of everybody.
pub(super) fn ledgers(desk: &Desk) -> Vec<Query> {
    let cards = desk.directory.cards.iter();
    let everybody: Vec<Text> = cards
        .flat_map(|card| card.identities.iter())
        .filter(|identity| matches!(identity, Identity::Evm(_)))
        .map(|identity| identity.caller().into())
        .collect();
    let of = |token: Token| {
        let balances = everybody.iter().map(move |address| Query::Balance {
            token,
            user: address.clone(),
        });
        balances.chain([Query::Info { token }, epochs(token)])
    };
    Token::ALL.into_iter().flat_map(of).collect()
}
