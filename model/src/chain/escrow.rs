//! The escrow: what it holds is what was deposited into the storage network and not yet claimed back.
//!
//! Withdrawals leave the storage network in epochs. Each epoch is a tree of them, whose root enough signers have
//! to sign before it counts; whoever is entitled claims with a proof, once. Source: idos-facts 5.16.

use std::collections::BTreeSet;

use serde::Serialize;

use super::amount::add;
use super::call::{Call, Log};
use super::contract::Contract;
use super::revert::Revert;
use super::staking::Surroundings;
use crate::bridge::{Address, Amount, Hash, Leaf, Token, verify};
use crate::crypto::{Identity, Suite};

/// One signer's word for a root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RootSignature {
    /// Who.
    pub signer: Address,
    /// Over [`root_message`].
    pub signature: Vec<u8>,
}

/// What signers sign: the root, and the escrow it is for.
pub fn root_message(token: Token, root: Hash) -> Vec<u8> {
    format!("idOS withdrawals\n{}\n{root}", token.escrow()).into_bytes()
}

/// See the module. One escrow per token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escrow {
    token: Token,
    signers: BTreeSet<Address>,
    deposited: Amount,
    claimed: Amount,
    roots: BTreeSet<Hash>,
    /// Roots and leaves.
    paid: BTreeSet<(Hash, Hash)>,
}

impl Escrow {
    /// An empty escrow with these signers.
    pub fn new(token: Token, signers: BTreeSet<Address>) -> Escrow {
        Escrow {
            token,
            signers,
            deposited: Amount::ZERO,
            claimed: Amount::ZERO,
            roots: BTreeSet::new(),
            paid: BTreeSet::new(),
        }
    }

    /// How many signers have to stand behind a root: more than half.
    pub fn threshold(&self) -> usize {
        self.signers.len() / 2 + 1
    }

    /// Everything that was ever deposited.
    pub fn deposited(&self) -> Amount {
        self.deposited
    }

    /// Everything that was ever claimed.
    pub fn claimed(&self) -> Amount {
        self.claimed
    }

    pub(super) fn execute(&mut self, call: &Call, on: Surroundings<'_>) -> Result<(), Revert> {
        match call {
            Call::Deposit { amount, .. } => self.deposit(*amount, on),
            Call::PostRoot {
                root, signatures, ..
            } => self.post(*root, signatures, on),
            Call::Claim {
                root, leaf, proof, ..
            } => self.claim(*root, *leaf, proof, on),
            _ => unreachable!("{call:?} is for another contract"),
        }
    }

    fn deposit(&mut self, amount: Amount, on: Surroundings<'_>) -> Result<(), Revert> {
        if !amount.is_positive() {
            return Err(Revert::AmountNotPositive);
        }
        let token = self.token;
        let (from, to) = (on.caller, Contract::Escrow(token).address());
        on.token.transfer_from(to, from, to, amount)?;
        add(&mut self.deposited, amount)?;
        on.logs.push(Log::Transferred {
            token,
            from,
            to,
            amount,
        });
        on.logs.push(Log::Deposited {
            token,
            from,
            amount,
        });
        Ok(())
    }

    fn post(
        &mut self,
        root: Hash,
        signatures: &[RootSignature],
        on: Surroundings<'_>,
    ) -> Result<(), Revert> {
        if self.roots.contains(&root) {
            return Err(Revert::RootIsPosted);
        }
        let token = self.token;
        let message = root_message(token, root);
        if self.voices(on.suite, &message, signatures) < self.threshold() {
            return Err(Revert::TooFewSignatures);
        }
        self.roots.insert(root);
        on.logs.push(Log::RootPosted { token, root });
        Ok(())
    }

    /// How many different signers really signed.
    fn voices(&self, suite: &dyn Suite, message: &[u8], signatures: &[RootSignature]) -> usize {
        let good = |one: &&RootSignature| {
            let identity = Identity::Evm(one.signer.0);
            self.signers.contains(&one.signer) && suite.verify(&identity, message, &one.signature)
        };
        let good = signatures.iter().filter(good);
        let signers: BTreeSet<Address> = good.map(|one| one.signer).collect();
        signers.len()
    }

    fn claim(
        &mut self,
        root: Hash,
        leaf: Leaf,
        proof: &[Hash],
        on: Surroundings<'_>,
    ) -> Result<(), Revert> {
        let token = self.token;
        if !self.roots.contains(&root) {
            return Err(Revert::RootIsUnknown);
        }
        if leaf.escrow != token.escrow() || !verify(root, proof, leaf.hash()) {
            return Err(Revert::ProofIsWrong);
        }
        if !self.paid.insert((root, leaf.hash())) {
            return Err(Revert::AlreadyClaimed);
        }
        let (from, to, amount) = (leaf.escrow, leaf.recipient, leaf.amount);
        on.token.transfer(from, to, amount)?;
        add(&mut self.claimed, amount)?;
        on.logs.push(Log::Transferred {
            token,
            from,
            to,
            amount,
        });
        on.logs.push(Log::Claimed { root, leaf });
        Ok(())
    }
}
