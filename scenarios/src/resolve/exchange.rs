//! The chain that holds the tokens: what it is like, and what people do on it.

use assay_model::actor::{ChainDeed, External, Order, Shown};
use assay_model::bridge::Token;
use assay_model::chain::{Contract, whole};
use assay_model::history::Role;
use assay_model::id::{NodeId, PartyId};
use assay_model::time::{BlockTime, Millis};

use super::step::Here;
use super::{Resolver, defaults, list, said};
use crate::file::{self, At};
use crate::verb::Verb;

impl Resolver<'_> {
    /// What the chain is like; the same where no story asks for one.
    pub(super) fn external(&mut self, chain: Option<&file::Chain>) -> Option<External> {
        let usual = defaults::EXTERNAL;
        let none = (None, None, None, None);
        let (block, confirmations, start, reward) = chain.map_or(none, |chain| {
            (
                chain.block.as_ref(),
                chain.confirmations.as_ref(),
                chain.start.as_ref(),
                chain.reward.as_ref(),
            )
        });
        let block = match block {
            Some(text) => self.positive("block", text),
            None => Some(Millis(usual.block)),
        };
        let confirmations = match confirmations {
            Some(count) => self.count("confirmations", count),
            None => Some(usual.confirmations),
        };
        let start = match start {
            Some(text) => self.duration("start", text),
            None => Some(Millis::ZERO),
        };
        let reward = match reward {
            Some(tokens) => self
                .count("reward", tokens)
                .map(|tokens| whole(Token::Idos, tokens)),
            None => Some(usual.reward),
        };
        Some(External {
            block: block?.0,
            confirmations: confirmations?,
            start: BlockTime(self.second(start?)),
            reward: reward?,
        })
    }

    pub(super) fn on_chain(&mut self, here: &Here, file: &file::Step) -> Option<Order> {
        let chain = self.cast.parties.iter();
        if chain.clone().all(|party| party.role != Role::Chain) {
            let verb = here.verb.name();
            let message = format!("`{verb}` needs the chain that holds the tokens");
            self.complain_at(here.place.clone(), message, "no such chain in this story")
                .advise("`chain = {}` puts one into the story, and so does naming holders");
            return None;
        }
        let deed = match here.verb {
            Verb::Reorganise => {
                let blocks = self.need(here, "blocks", &file.blocks)?;
                let blocks = self.count("blocks", blocks)?;
                return Some(Order::Reorganise {
                    blocks: u32::try_from(blocks).unwrap_or(u32::MAX),
                    lose: said(&file.lose),
                });
            }
            Verb::ApproveTokens => {
                let spender = self.need(here, "spender", &file.spender);
                let spender = spender.and_then(|word| self.word(word, "spender", file::SPENDERS));
                let token = self.token_or_idos(file);
                let amount = self.whole_tokens(here, file);
                ChainDeed::Approve {
                    spender: match spender? {
                        0 => Contract::Staking,
                        _ => Contract::Escrow(token?),
                    },
                    amount: amount?,
                }
            }
            Verb::SendTokens => {
                let to = self.need(here, "to", &file.to);
                let to = to.and_then(|to| self.party(to));
                let token = self.token_or_idos(file);
                let amount = self.whole_tokens(here, file);
                ChainDeed::Send {
                    token: token?,
                    to: to?,
                    amount: amount?,
                }
            }
            Verb::FundRewards => ChainDeed::FundRewards {
                amount: self.whole_tokens(here, file)?,
            },
            Verb::Stake => {
                let of = self.or(&file.of, None, |this, of| this.party(of).map(Some));
                let node = self.staked_node(here, file);
                let amount = self.whole_tokens(here, file);
                ChainDeed::Stake {
                    of: of?,
                    node: node?,
                    amount: amount?,
                }
            }
            Verb::Unstake => {
                let node = self.staked_node(here, file);
                let amount = self.whole_tokens(here, file);
                ChainDeed::Unstake {
                    node: node?,
                    amount: amount?,
                }
            }
            Verb::WithdrawUnstaked => ChainDeed::WithdrawUnstaked,
            Verb::WithdrawReward => ChainDeed::WithdrawReward,
            Verb::AllowNode => ChainDeed::AllowNode {
                node: self.staked_node(here, file)?,
            },
            Verb::DisallowNode => ChainDeed::DisallowNode {
                node: self.staked_node(here, file)?,
            },
            Verb::Slash => {
                let node = self.staked_node(here, file);
                let shown = self.or(&file.evidence, Shown::Nothing, |this, word| {
                    let kinds = [Shown::OneVote, Shown::TwoVotes];
                    this.word(word, "evidence", file::EVIDENCE)
                        .map(|place| kinds[place])
                });
                ChainDeed::Slash {
                    node: node?,
                    shown: shown?,
                }
            }
            Verb::WithdrawSlashed => ChainDeed::WithdrawSlashed,
            Verb::SetReward => ChainDeed::SetReward {
                amount: self.whole_tokens(here, file)?,
            },
            Verb::PauseStaking => ChainDeed::Pause { on: true },
            Verb::ResumeStaking => ChainDeed::Pause { on: false },
            Verb::Deposit => {
                let token = self.token_or_idos(file);
                let amount = self.whole_tokens(here, file);
                ChainDeed::Deposit {
                    token: token?,
                    amount: amount?,
                }
            }
            Verb::WatchChain => return Some(Order::WatchChain),
            Verb::InventDeposit => {
                let of = self.need(here, "of", &file.of);
                let of = of.and_then(|of| self.party(of));
                let token = self.token_or_idos(file);
                let amount = self.whole_tokens(here, file);
                return Some(Order::InventDeposit {
                    of: of?,
                    token: token?,
                    amount: amount?,
                });
            }
            Verb::PostRoot => {
                let token = self.token_or_idos(file);
                let signers = list(&file.signers).iter();
                let signers: Vec<Option<PartyId>> =
                    signers.map(|name| self.operator(name)).collect();
                ChainDeed::PostRoot {
                    token: token?,
                    signers: signers.into_iter().collect::<Option<_>>()?,
                    forged: said(&file.forged),
                }
            }
            Verb::ClaimTokens => {
                let token = self.token_or_idos(file);
                let of = self.holder_of(here, &file.of);
                ChainDeed::Claim {
                    token: token?,
                    of: of?,
                    again: said(&file.again),
                }
            }
            other => unreachable!("`{}` has nothing to do with the chain", other.name()),
        };
        Some(Order::OnChain(deed))
    }

    /// The node whose operator's account is meant.
    fn staked_node(&mut self, here: &Here, file: &file::Step) -> Option<NodeId> {
        let node = self.need(here, "node", &file.node)?;
        self.node(node)
    }

    fn token_or_idos(&mut self, file: &file::Step) -> Option<Token> {
        self.or(&file.token, Token::Idos, Self::token)
    }

    /// What is done on the chain is in whole tokens.
    fn whole_tokens(&mut self, here: &Here, file: &file::Step) -> Option<u64> {
        let amount = self.need(here, "amount", &file.amount)?;
        match amount.get() {
            file::Amount::Number(number) => self.counted("amount", amount, *number),
            file::Amount::Text(text) => {
                let message = format!("`amount` cannot be `{text}`");
                self.complain(amount, message, "not a whole number");
                None
            }
        }
    }

    fn count(&mut self, key: &str, number: &At<i64>) -> Option<u64> {
        self.counted(key, number, *number.get())
    }

    fn counted<T>(&mut self, key: &str, place: &At<T>, number: i64) -> Option<u64> {
        let count = u64::try_from(number).ok();
        if count.is_none() {
            let message = format!("`{key}` cannot be {number}");
            self.complain(place, message, "below zero");
        }
        count
    }
}
