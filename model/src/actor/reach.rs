//! How far an order reaches, for a network on which several stories are told.

use super::order::{ChainDeed, Order};

/// What is touched by what an order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The story's own people, their rows and their machines, while the story is told.
    Own,
    /// Their rows, and the chain still changes what a disk shows of these when everybody is done: the end of a
    /// grant comes, or a lock lets go.
    Later,
    /// What a network has once for everybody: rules, validators, parameters, the log of their changes, the
    /// ledgers of tokens.
    Everybody,
}

impl Order {
    /// How far it reaches. Whoever adds an order has to say so here.
    pub fn reach(&self) -> Reach {
        match self {
            Order::Share(share) | Order::StoreCopy(share) | Order::Approve { share, .. } => {
                later_if(share.terms.end())
            }
            Order::SignDag { terms, .. } => later_if(terms.end()),
            Order::RemoveWhenUnlocked { .. } => Reach::Later,

            Order::Trade(_)
            | Order::ReplaceAction { .. }
            | Order::ReadLog { .. }
            | Order::JoinValidators { .. }
            | Order::ApproveJoin { .. }
            | Order::RemoveValidator { .. }
            | Order::LeaveValidators
            | Order::Propose(_)
            | Order::ApproveProposal(_)
            | Order::WatchChain
            | Order::InventDeposit { .. } => Reach::Everybody,

            // The chain that holds the tokens is one of the people; only what it hands over arrives at the nodes.
            Order::OnChain(deed) => match deed {
                ChainDeed::Deposit { .. }
                | ChainDeed::PostRoot { .. }
                | ChainDeed::Claim { .. } => Reach::Everybody,
                ChainDeed::Approve { .. }
                | ChainDeed::Send { .. }
                | ChainDeed::FundRewards { .. }
                | ChainDeed::Stake { .. }
                | ChainDeed::Unstake { .. }
                | ChainDeed::WithdrawUnstaked
                | ChainDeed::WithdrawReward
                | ChainDeed::AllowNode { .. }
                | ChainDeed::DisallowNode { .. }
                | ChainDeed::Slash { .. }
                | ChainDeed::WithdrawSlashed
                | ChainDeed::SetReward { .. }
                | ChainDeed::Pause { .. } => Reach::Own,
            },

            // A request that nobody decides expires later, but no look at a disk shows requests.
            Order::Request { .. } | Order::Withdraw { .. } | Order::Deny { .. } => Reach::Own,

            // Rows of the registry are one's own too: issuers, clubs and peers have keys and ids of the story.
            Order::Admit { .. }
            | Order::Dismiss { .. }
            | Order::FoundClub { .. }
            | Order::JoinClub { .. }
            | Order::LeaveClub { .. } => Reach::Own,

            Order::Register { .. }
            | Order::Issue { .. }
            | Order::Recognise { .. }
            | Order::SetStatus { .. }
            | Order::DeclareKeyInvalid { .. }
            | Order::Overwrite { .. }
            | Order::Rekey { .. }
            | Order::WriteDwg { .. }
            | Order::Describe { .. }
            | Order::BindWallet { .. }
            | Order::EndAccess { .. }
            | Order::CancelDag { .. }
            | Order::CancelDwg { .. }
            | Order::Dashboard
            | Order::Revoke { .. }
            | Order::Remove { .. }
            | Order::StoreAgain { .. }
            | Order::AddWallet { .. }
            | Order::RemoveWallet { .. }
            | Order::StoreShares
            | Order::Recover
            | Order::Unlock { .. }
            | Order::Rotate { .. }
            | Order::Authorise { .. }
            | Order::Allow { .. }
            | Order::Erase
            | Order::SignDwg { .. }
            | Order::AddAttribute { .. }
            | Order::EditAttribute { .. }
            | Order::RemoveAttribute { .. }
            | Order::ShareAttribute { .. }
            | Order::Answer { .. }
            | Order::Forbid { .. }
            | Order::DenyQuestion { .. }
            | Order::WithdrawAnswer { .. }
            | Order::TransmitDag { .. }
            | Order::ReadOwn { .. }
            | Order::List
            | Order::Probe { .. }
            | Order::Guess { .. }
            | Order::Behave { .. }
            | Order::AskEnclave { .. }
            | Order::UseGrant { .. }
            | Order::Pry { .. }
            | Order::Filter { .. }
            | Order::Ask { .. }
            | Order::AskAgain { .. }
            | Order::PresentAnswer { .. }
            | Order::Use { .. }
            | Order::Rescind { .. }
            | Order::ListGranted { .. }
            | Order::ListRows { .. }
            | Order::Reorganise { .. }
            | Order::LeakSession { .. }
            | Order::TurnAway { .. }
            | Order::Rely { .. }
            | Order::Audit { .. } => Reach::Own,
        }
    }
}

const fn later_if(ends: bool) -> Reach {
    if ends { Reach::Later } else { Reach::Own }
}
