//! The economy as an accountant outside would keep it: what people ought to have, told from what was
//! accepted, by the promises. A balance below zero is a finding; the ledger would have had to refuse.

use std::collections::{BTreeMap, BTreeSet};

use super::chronicle::{Chronicle, Deed};
use crate::bridge::{Address, Allocation, Amount, BridgeEvent, Hash, Leaf, Token, Tree};
use crate::crypto::Identity;
use crate::id::{CredentialId, Height, Text, UserId};
use crate::ledger::{Action, Outcome, Written};
use crate::time::BlockTime;

/// Free gas of a new user. Source: idos-facts 9.1.
const ALLOWANCE: i128 = 100_000_000_000_000_000_000;
/// What the demonstration of gas costs. Source: idos-facts 9.1.
const GAS: i128 = 1_200_000_000_000_000_000;
/// Least age of an epoch that closes, in seconds. Source: idos-facts 9.1.
const PERIOD: i64 = 600;

/// Adds to a sum, which odd histories could otherwise bring to overflow.
fn add(to: &mut i128, amount: i128) {
    *to = to.saturating_add(amount);
}

/// The sum of all, which odd histories could otherwise bring to overflow.
pub(super) fn total(amounts: impl IntoIterator<Item = i128>) -> i128 {
    amounts.into_iter().fold(0, i128::saturating_add)
}

/// An epoch of withdrawals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EpochPage {
    /// Height of the block it began with.
    pub(super) start: Height,
    since: BlockTime,
    /// Height of the block that closed it.
    pub(super) end: Option<Height>,
    /// What each recipient can claim.
    pub(super) rewards: BTreeMap<Address, i128>,
    /// Since it has closed: what proves it to the other chain.
    root: Option<Hash>,
    /// Whether the other chain has taken it.
    pub(super) confirmed: bool,
}

/// What everybody has after some block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    allowances: BTreeMap<UserId, i128>,
    pub(super) balances: BTreeMap<(Token, Address), i128>,
    pub(super) network: BTreeMap<Token, i128>,
    pub(super) epochs: BTreeMap<Token, Vec<EpochPage>>,
    /// All that ever came from the other chain.
    pub(super) deposited: BTreeMap<Token, i128>,
    /// What a credential costs, and who is paid.
    prices: BTreeMap<CredentialId, (i128, Option<Address>)>,
    /// Which copies are paid for, and by whom.
    paid: BTreeSet<(CredentialId, Text)>,
    /// Wallets that were ever named as an issuer's.
    pub(super) payees: BTreeSet<Address>,
}

impl Page {
    /// What an address has.
    pub(super) fn balance(&self, token: Token, of: Address) -> i128 {
        self.balances.get(&(token, of)).copied().unwrap_or(0)
    }

    /// What the network owns.
    pub(super) fn network(&self, token: Token) -> i128 {
        self.network.get(&token).copied().unwrap_or(0)
    }

    /// The free gas a user has left.
    pub(super) fn allowance(&self, user: UserId) -> i128 {
        self.allowances.get(&user).copied().unwrap_or(ALLOWANCE)
    }

    /// What reading a copy costs its grantees.
    pub(super) fn price(&self, copy: CredentialId) -> i128 {
        self.prices.get(&copy).map_or(0, |(price, _)| *price)
    }

    /// Whether a grantee has paid for a copy.
    pub(super) fn has_paid(&self, copy: CredentialId, who: &Identity) -> bool {
        self.paid.contains(&(copy, who.caller().into()))
    }

    fn change(&mut self, token: Token, of: Address, by: i128) -> i128 {
        let balance = self.balances.entry((token, of)).or_default();
        *balance = balance.saturating_add(by);
        *balance
    }

    fn reward(&mut self, token: Token, to: Address, amount: i128, at: (Height, BlockTime)) {
        let epochs = self.epochs.entry(token).or_default();
        if epochs.last().is_none_or(|epoch| epoch.end.is_some()) {
            epochs.push(EpochPage::begun(at));
        }
        if let Some(epoch) = epochs.last_mut() {
            add(epoch.rewards.entry(to).or_default(), amount);
        }
    }

    /// A row that is written anew has no price, and nobody has paid for it.
    fn forget(&mut self, id: CredentialId) {
        self.prices.remove(&id);
        self.paid.retain(|(copy, _)| *copy != id);
    }

    /// What the other chain has told, by enough voting power.
    fn hear(&mut self, told: &BridgeEvent) {
        match told {
            BridgeEvent::Deposit(deposit) if deposit.amount.is_positive() => {
                let (token, amount) = (deposit.token, deposit.amount.0);
                self.change(token, deposit.address, amount);
                add(self.deposited.entry(token).or_default(), amount);
            }
            BridgeEvent::Deposit(_) => {}
            BridgeEvent::EpochConfirmed(taken) => {
                let epochs = self.epochs.entry(taken.token).or_default();
                for epoch in epochs {
                    epoch.confirmed |= epoch.root == Some(taken.root);
                }
            }
        }
    }

    /// What the end of a block means for epochs: one closes once it is old enough, holds anything, and the one
    /// before it is taken.
    fn close(&mut self, at: (Height, BlockTime), block: Hash) {
        for token in Token::ALL {
            let epochs = self.epochs.entry(token).or_default();
            let waits = (epochs.iter().rev().nth(1)).is_some_and(|before| !before.confirmed);
            match epochs.last_mut() {
                None => epochs.push(EpochPage::begun(at)),
                Some(epoch) => {
                    let old = at.1.0 - epoch.since.0 >= PERIOD;
                    if old && !waits && !epoch.rewards.is_empty() {
                        epoch.end = Some(at.0);
                        epoch.root = epoch.tree(token, block).map(|tree| tree.root());
                        epochs.push(EpochPage::begun(at));
                    }
                }
            }
        }
    }
}

impl EpochPage {
    /// What it pays, as the other chain checks it. Source: idos-facts 5.16.
    fn tree(&self, token: Token, block: Hash) -> Option<Tree> {
        let leaf = |(recipient, amount): (&Address, &i128)| Leaf {
            recipient: *recipient,
            amount: Amount(*amount),
            escrow: token.escrow(),
            block,
        };
        Tree::new(self.rewards.iter().map(leaf).map(|leaf| leaf.hash()))
    }

    fn begun((start, since): (Height, BlockTime)) -> EpochPage {
        EpochPage {
            start,
            since,
            end: None,
            rewards: BTreeMap::new(),
            root: None,
            confirmed: false,
        }
    }
}

/// Something that was accepted and should not have been.
#[derive(Clone, Debug)]
pub(super) struct Overdraft {
    /// In one sentence.
    pub(super) sentence: String,
    /// The observation that showed the block first.
    pub(super) seen: usize,
}

/// A payment that was accepted.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    /// Whether the same had been paid for before.
    pub(super) again: bool,
    /// Whether anything was due.
    pub(super) priced: bool,
    /// Who paid.
    pub(super) who: Identity,
    /// For which copy.
    pub(super) copy: CredentialId,
    /// The observation that showed the block first.
    pub(super) seen: usize,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    /// After which blocks it is another page than before.
    pages: BTreeMap<Height, Page>,
    /// The blocks that were seen.
    blocks: BTreeSet<Height>,
    /// Moves of tokens, and how many of them the signer's own wallet covered.
    pub(super) debits: u64,
    pub(super) overdrafts: Vec<Overdraft>,
    pub(super) payments: Vec<Payment>,
}

impl Books {
    /// Reads the books from a chronicle's deeds and blocks.
    pub(super) fn read(chronicle: &Chronicle<'_>) -> Books {
        let mut books = Books::default();
        let mut page = Page::default();
        for Allocation {
            token,
            address,
            amount: Amount(amount),
        } in &chronicle.history.cast.balances
        {
            page.change(*token, *address, *amount);
            add(page.deposited.entry(*token).or_default(), *amount);
        }
        let mut deeds = chronicle.deeds.iter().peekable();
        let mut told = chronicle.council.told.iter().peekable();
        let mut heard: BTreeSet<Hash> = BTreeSet::new();
        for (height, (_, block, time)) in &chronicle.blocks {
            while let Some(deed) = deeds.next_if(|deed| deed.height <= *height) {
                if deed.outcome == Outcome::Accepted {
                    books.follow(&mut page, deed);
                }
            }
            while let Some((_, _, event)) = told.next_if(|(_, at, _)| at <= height) {
                if heard.insert(event.id()) {
                    page.hear(event);
                }
            }
            page.close((*height, *time), Hash(block.0));
            books.blocks.insert(*height);
            let last = books.pages.last_key_value();
            if last.is_none_or(|(_, last)| *last != page) {
                books.pages.insert(*height, page.clone());
            }
        }
        books
    }

    /// What everybody has after a block; nothing for one that was not seen.
    pub(super) fn after(&self, height: Height) -> Option<&Page> {
        let seen = self.blocks.contains(&height);
        let last = self.pages.range(..=height).next_back();
        last.filter(|_| seen).map(|(_, page)| page)
    }

    /// Takes from the wallet that signed.
    fn take(&mut self, page: &mut Page, deed: &Deed<'_>, token: Token, amount: i128) -> Address {
        self.debits += 1;
        let Identity::Evm(address) = deed.caller else {
            self.overdrafts.push(Overdraft {
                sentence: format!(
                    "{} was accepted from {}, whose key holds no tokens",
                    deed.action.name(),
                    deed.caller.caller()
                ),
                seen: deed.seen,
            });
            return Address::default();
        };
        let from = Address(address);
        let before = page.balance(token, from);
        if page.change(token, from, amount.saturating_neg()) < 0 {
            self.overdrafts.push(Overdraft {
                sentence: format!(
                    "{} took {amount} of {token} with a signature of {from}, which had {before}",
                    deed.action.name()
                ),
                seen: deed.seen,
            });
            // Somebody else must have paid; what follows is judged as if the signer had nothing left.
            page.balances.insert((token, from), before);
        }
        from
    }

    fn follow(&mut self, page: &mut Page, deed: &Deed<'_>) {
        let at = (deed.height, deed.time);
        match deed.action {
            Action::ActionCostingGas {} => {
                let mut due = GAS;
                if let Some(user) = deed.own {
                    let left = page.allowance(user);
                    let paid = due.min(left);
                    page.allowances.insert(user, left - paid);
                    due -= paid;
                }
                if due > 0 {
                    self.take(page, deed, Token::Idos, due);
                    add(page.network.entry(Token::Idos).or_default(), due);
                }
            }
            Action::ActionCostingIdosToken { amount } if amount.is_positive() => {
                self.take(page, deed, Token::Idos, amount.0);
                add(page.network.entry(Token::Idos).or_default(), amount.0);
            }
            Action::Lock { token, amount } => {
                self.take(page, deed, *token, amount.0);
                add(page.network.entry(*token).or_default(), amount.0);
            }
            Action::Transfer { token, to, amount } => {
                self.take(page, deed, *token, amount.0);
                if let Some(to) = Address::parse(to) {
                    page.change(*token, to, amount.0);
                }
            }
            Action::Bridge { token, amount } => {
                let from = self.take(page, deed, *token, amount.0);
                page.reward(*token, from, amount.0, at);
            }
            Action::RequestWithdrawal { token } => {
                let Some(token) = Token::parse(token) else {
                    return;
                };
                let all = match deed.caller {
                    Identity::Evm(address) => page.balance(token, Address(address)),
                    _ => 0,
                };
                // Whoever has nothing cannot withdraw it.
                let from = self.take(page, deed, token, all.max(1));
                if all > 0 {
                    page.reward(token, from, all, at);
                }
            }
            Action::RequestBalanceWithdrawal {
                token,
                evm_address_to,
            } => {
                if let (Some(token), Some(to)) =
                    (Token::parse(token), Address::parse(evm_address_to))
                {
                    let all = page.network.insert(token, 0).unwrap_or(0);
                    page.reward(token, to, all, at);
                }
            }
            Action::SetIssuerFee {
                credential_id,
                issuer_fee,
                issuer_wallet,
            } => {
                let payee = Address::parse(issuer_wallet);
                page.prices.insert(*credential_id, (issuer_fee.0, payee));
                page.payees.extend(payee);
            }
            Action::ActionCostingFee { credential_id } => self.pay(page, deed, *credential_id),
            Action::ShareCredential {
                id,
                original_credential_id: original,
                ..
            } => {
                page.forget(*id);
                if let Some(price) = page.prices.get(original).copied() {
                    page.prices.insert(*id, price);
                }
            }
            Action::RemoveUser {} => {
                if let Some(user) = deed.own {
                    page.allowances.remove(&user);
                }
            }
            other => {
                for written in Written::all(other) {
                    if !matches!(other, Action::EditCredential { .. }) {
                        page.forget(written.id);
                    }
                }
            }
        }
    }

    fn pay(&mut self, page: &mut Page, deed: &Deed<'_>, copy: CredentialId) {
        let (price, payee) = page.prices.get(&copy).copied().unwrap_or_default();
        // A quarter, of which half a unit counts as a whole one.
        let markup = price.saturating_add(2) / 4;
        self.payments.push(Payment {
            again: page.has_paid(copy, &deed.caller),
            priced: price > 0,
            who: deed.caller,
            copy,
            seen: deed.seen,
        });
        self.take(page, deed, Token::Usdc, price.saturating_add(markup));
        match payee {
            Some(payee) => {
                page.change(Token::Usdc, payee, price);
                add(page.network.entry(Token::Usdc).or_default(), markup);
            }
            None => add(
                page.network.entry(Token::Usdc).or_default(),
                price.saturating_add(markup),
            ),
        }
        page.paid.insert((copy, deed.caller.caller().into()));
    }
}
