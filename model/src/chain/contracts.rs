//! Everything the chain's contracts hold, and the one way to call them.

use std::collections::BTreeMap;

use super::amount::whole;
use super::call::{Call, Log};
use super::contract::Contract;
use super::erc20::Erc20;
use super::escrow::Escrow;
use super::machine::Setting;
use super::revert::Revert;
use super::staking::{Staking, Surroundings};
use crate::bridge::{Address, Amount, Token};
use crate::crypto::Suite;
use crate::rules::Rules;
use crate::time::BlockTime;

/// How many whole tokens there are of each kind.
const SUPPLY: u64 = 1_000_000_000;
/// How many whole tokens of each kind everybody who has an account begins with; the rest is the Association's.
const PURSE: u64 = 1_000_000;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contracts {
    tokens: BTreeMap<Token, Erc20>,
    escrows: BTreeMap<Token, Escrow>,
    /// Stakes and rewards.
    pub staking: Staking,
}

impl Contracts {
    /// The contracts on their first day.
    pub fn new(setting: &Setting) -> Contracts {
        let erc20 = |token: Token| {
            let purse = whole(token, PURSE);
            let others = setting.holders.iter().filter(|one| **one != setting.owner);
            let mut holders: BTreeMap<Address, Amount> = others.map(|one| (*one, purse)).collect();
            // A story has far fewer people than purses there are.
            let given = PURSE * holders.len() as u64;
            holders.insert(setting.owner, whole(token, SUPPLY.saturating_sub(given)));
            (token, Erc20::new(holders))
        };
        let escrow = |token| (token, Escrow::new(token, setting.signers.clone()));
        Contracts {
            tokens: Token::ALL.into_iter().map(erc20).collect(),
            escrows: Token::ALL.into_iter().map(escrow).collect(),
            staking: Staking::new(
                setting.owner,
                setting.start,
                setting.reward,
                setting.validators.clone(),
            ),
        }
    }

    /// One of the tokens.
    pub fn token(&self, token: Token) -> &Erc20 {
        &self.tokens[&token]
    }

    /// One of the escrows.
    pub fn escrow(&self, token: Token) -> &Escrow {
        &self.escrows[&token]
    }

    /// What a contract holds.
    pub fn holding(&self, contract: Contract) -> Amount {
        self.token(contract.token()).balance(contract.address())
    }

    /// Carries a call out, or changes nothing.
    pub fn execute(
        &mut self,
        suite: &dyn Suite,
        rules: Rules,
        now: BlockTime,
        caller: Address,
        call: &Call,
    ) -> Result<Vec<Log>, Revert> {
        let before = self.clone();
        let mut logs = Vec::new();
        match self.call((suite, rules, now), caller, call, &mut logs) {
            Ok(()) => Ok(logs),
            Err(revert) => {
                *self = before;
                Err(revert)
            }
        }
    }

    fn call(
        &mut self,
        (suite, rules, now): (&dyn Suite, Rules, BlockTime),
        caller: Address,
        call: &Call,
        logs: &mut Vec<Log>,
    ) -> Result<(), Revert> {
        if call.has_negative() {
            return Err(Revert::AmountNotPositive);
        }
        let token = match call {
            Call::Approve { token, .. }
            | Call::Transfer { token, .. }
            | Call::Deposit { token, .. }
            | Call::PostRoot { token, .. }
            | Call::Claim { token, .. } => *token,
            _ => Token::Idos,
        };
        let erc20 = self.tokens.get_mut(&token).expect("there are both");
        let on = Surroundings {
            suite,
            rules,
            now,
            caller,
            token: erc20,
            logs,
        };
        match call {
            Call::Approve {
                spender, amount, ..
            } => {
                let (holder, spender, amount) = (caller, spender.address(), *amount);
                on.token.approve(holder, spender, amount);
                on.logs.push(Log::Approved {
                    token,
                    holder,
                    spender,
                    amount,
                });
                Ok(())
            }
            Call::Transfer { to, amount, .. } => {
                let (from, to, amount) = (caller, *to, *amount);
                on.token.transfer(from, to, amount)?;
                on.logs.push(Log::Transferred {
                    token,
                    from,
                    to,
                    amount,
                });
                Ok(())
            }
            Call::Deposit { .. } | Call::PostRoot { .. } | Call::Claim { .. } => {
                let escrow = self.escrows.get_mut(&token).expect("there are both");
                escrow.execute(call, on)
            }
            _ => self.staking.execute(call, on),
        }
    }
}
