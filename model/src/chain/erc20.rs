//! An ERC-20 token of fixed supply: who holds how much, and who may spend how much of whose.

use std::collections::BTreeMap;

use super::amount::{add, sum};
use super::revert::Revert;
use crate::bridge::{Address, Amount};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erc20 {
    balances: BTreeMap<Address, Amount>,
    allowances: BTreeMap<(Address, Address), Amount>,
}

impl Erc20 {
    /// A token whose whole supply is given out at once.
    pub fn new(holders: BTreeMap<Address, Amount>) -> Erc20 {
        Erc20 {
            balances: holders,
            allowances: BTreeMap::new(),
        }
    }

    /// How much there is. No call changes it.
    pub fn supply(&self) -> Result<Amount, Revert> {
        sum(self.balances.values().copied())
    }

    /// What an account holds.
    pub fn balance(&self, holder: Address) -> Amount {
        self.balances.get(&holder).copied().unwrap_or_default()
    }

    /// What a spender may still spend of a holder's.
    pub fn allowance(&self, holder: Address, spender: Address) -> Amount {
        let allowed = self.allowances.get(&(holder, spender));
        allowed.copied().unwrap_or_default()
    }

    /// Allows a spender so much, instead of what it was allowed before.
    pub fn approve(&mut self, holder: Address, spender: Address, amount: Amount) {
        self.allowances.insert((holder, spender), amount);
    }

    /// Moves tokens of the caller's.
    pub fn transfer(&mut self, from: Address, to: Address, amount: Amount) -> Result<(), Revert> {
        let rest = self.balance(from).less(amount);
        let rest = rest.ok_or(Revert::ERC20InsufficientBalance)?;
        self.balances.insert(from, rest);
        add(self.balances.entry(to).or_default(), amount)
    }

    /// Moves tokens of somebody who allowed the spender to.
    pub fn transfer_from(
        &mut self,
        spender: Address,
        from: Address,
        to: Address,
        amount: Amount,
    ) -> Result<(), Revert> {
        let rest = self.allowance(from, spender).less(amount);
        let rest = rest.ok_or(Revert::ERC20InsufficientAllowance)?;
        self.transfer(from, to, amount)?;
        self.allowances.insert((from, spender), rest);
        Ok(())
    }
}
