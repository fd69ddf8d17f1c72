//! What people have of the tokens, and what they do with them.

use assay_model::actor::{Holding, Sum, Trade};
use assay_model::bridge::{Amount, Token};
use assay_model::id::PartyId;

use super::Resolver;
use super::step::Here;
use crate::file::{self, At, NETWORK};
use crate::plan::Balance;
use crate::units;
use crate::verb::Verb;

impl Resolver<'_> {
    pub(super) fn balances(&mut self, balances: &[At<file::Balance>]) -> Vec<Balance> {
        let mut resolved = Vec::new();
        for balance in balances {
            let file = balance.get();
            let of = file.of.as_ref().and_then(|of| self.party(of));
            let token = file.token.as_ref().and_then(|token| self.token(token));
            let amount = file.amount.as_ref().zip(token);
            let amount = amount.and_then(|(amount, token)| self.tokens(amount, token));
            let Some(of) = of else { continue };
            let wallet = match &file.wallet {
                Some(name) => self.wallet_of(of, name),
                None => Some(0),
            };
            if let (Some(wallet), Some(token), Some(amount)) = (wallet, token, amount) {
                resolved.push(Balance {
                    of,
                    wallet,
                    token,
                    amount,
                });
            }
        }
        resolved
    }

    pub(super) fn token(&mut self, name: &At<String>) -> Option<Token> {
        let place = self.word(name, "token", file::TOKENS)?;
        Token::parse(file::TOKENS[place])
    }

    fn needed_token(&mut self, here: &Here, file: &file::Step) -> Option<Token> {
        let token = self.need(here, "token", &file.token)?;
        self.token(token)
    }

    fn tokens(&mut self, amount: &At<file::Amount>, token: Token) -> Option<Amount> {
        let text = match amount.get() {
            file::Amount::Text(text) => text.clone(),
            file::Amount::Number(number) => number.to_string(),
        };
        match units::tokens(&text, token.decimals()) {
            Ok(number) => Some(Amount(number)),
            Err(why) => {
                self.complain(amount, format!("`amount` cannot be `{text}`"), why)
                    .advise(units::AMOUNTS);
                None
            }
        }
    }

    fn needed_amount(&mut self, here: &Here, file: &file::Step, token: Token) -> Option<Amount> {
        let amount = self.need(here, "amount", &file.amount)?;
        self.tokens(amount, token)
    }

    /// Who is meant, by default whoever takes the step.
    pub(super) fn holder_of(&mut self, here: &Here, of: &Option<At<String>>) -> Option<PartyId> {
        match of {
            Some(of) => self.party(of),
            None => here.by,
        }
    }

    pub(super) fn trade(&mut self, here: &Here, file: &file::Step) -> Option<Trade> {
        Some(match here.verb {
            Verb::PayGas => Trade::PayGas,
            Verb::Spend => Trade::Spend {
                amount: self.needed_amount(here, file, Token::Idos)?,
            },
            Verb::SetFee => {
                let row = self.needed_credential(here, &file.credential);
                let fee = self.needed_amount(here, file, Token::Usdc);
                let to = self.need(here, "to", &file.to);
                let to = to.and_then(|to| self.party(to));
                Trade::SetFee {
                    credential: row?.id,
                    fee: fee?,
                    to: to?,
                }
            }
            Verb::PayFee => Trade::PayFee {
                credential: self.row(here, file)?.id,
            },
            Verb::WithdrawTokens => {
                let token = self.needed_token(here, file)?;
                match &file.amount {
                    Some(amount) => Trade::Withdraw {
                        token,
                        amount: self.tokens(amount, token)?,
                    },
                    None => Trade::WithdrawAll { token },
                }
            }
            Verb::Transfer => {
                let token = self.needed_token(here, file)?;
                let amount = self.needed_amount(here, file, token);
                let to = self.need(here, "to", &file.to);
                let to = to.and_then(|to| self.party(to));
                Trade::Transfer {
                    token,
                    to: to?,
                    amount: amount?,
                }
            }
            Verb::Lock => {
                let token = self.needed_token(here, file)?;
                Trade::Lock {
                    token,
                    amount: self.needed_amount(here, file, token)?,
                }
            }
            Verb::Sweep => {
                let token = self.needed_token(here, file);
                let to = self.need(here, "to", &file.to);
                let to = to.and_then(|to| self.party(to));
                Trade::Sweep {
                    token: token?,
                    to: to?,
                }
            }
            Verb::Balance => {
                let token = self.needed_token(here, file)?;
                let amount = self.needed_amount(here, file, token);
                let of_network = file.of.as_ref().is_some_and(|of| of.get() == NETWORK);
                let what = if of_network {
                    Holding::Network { token }
                } else {
                    let of = self.holder_of(here, &file.of)?;
                    let wallet = match &file.which {
                        Some(name) => self.wallet_of(of, name)?,
                        None => 0,
                    };
                    Holding::Balance { token, of, wallet }
                };
                Trade::Look(Sum {
                    what,
                    amount: amount?,
                })
            }
            Verb::Allowance => Trade::Look(Sum {
                what: Holding::Allowance,
                amount: self.needed_amount(here, file, Token::Idos)?,
            }),
            Verb::Fee => {
                let row = self.row(here, file);
                let amount = self.needed_amount(here, file, Token::Usdc);
                Trade::Look(Sum {
                    what: Holding::Fee {
                        credential: row?.id,
                    },
                    amount: amount?,
                })
            }
            Verb::Claims => {
                let token = self.needed_token(here, file)?;
                let amount = self.needed_amount(here, file, token);
                let of = self.holder_of(here, &file.of);
                Trade::Claims {
                    token,
                    of: of?,
                    amount: amount?,
                }
            }
            other => unreachable!("{} moves no tokens", other.name()),
        })
    }
}
