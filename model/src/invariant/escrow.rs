//! The escrows: what they hold, and whom they pay.

use std::collections::{BTreeMap, BTreeSet};

use super::chronicle::Chronicle;
use super::exchange::{Deed, Sealed, blocks, has_signed, name};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::bridge::{Hash, Leaf, Token, verify};
use crate::chain::{Call, Contract, Log};
use crate::history::Cast;

pub(super) const ESCROWS_PAY_THE_ENTITLED: Invariant = Invariant {
    name: "escrows-pay-the-entitled",
    claim: "an escrow holds what was deposited and not claimed, and pays a withdrawal once, to whom a root that most \
            operators have signed entitles",
    source: "idos-facts 5.16; kwil bridge",
    requirements: &["ECON-01", "ECON-07"],
    check: escrows_pay_the_entitled,
};

/// What one escrow has done so far.
#[derive(Default)]
struct Books {
    deposited: i128,
    claimed: i128,
    /// With the observation that shows it.
    roots: BTreeMap<Hash, usize>,
    paid: BTreeMap<(Hash, Leaf), usize>,
}

fn escrows_pay_the_entitled(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let cast = &chronicle.history.cast;
    let mut all: BTreeMap<Token, Books> = BTreeMap::new();
    for sealed in blocks(chronicle.history) {
        for deed in sealed.deeds() {
            if let Call::Deposit { token, .. }
            | Call::PostRoot { token, .. }
            | Call::Claim { token, .. } = deed.asks()
            {
                let books = all.entry(*token).or_default();
                follow(books, *token, &deed, &sealed, cast, &mut tally);
            }
        }
        for (token, books) in &all {
            let held = sealed.holding(Contract::Escrow(*token)).0;
            let owed = books.deposited.saturating_sub(books.claimed);
            tally.test("ECON-01", held == owed, || {
                let sentence = format!(
                    "the {token} escrow holds {held} after block {} and should hold {owed}",
                    sealed.block.number
                );
                (sentence, vec![sealed.seen])
            });
        }
    }
    tally.verdict("nothing went through an escrow")
}

fn follow(
    books: &mut Books,
    token: Token,
    deed: &Deed<'_>,
    sealed: &Sealed<'_>,
    cast: &Cast,
    tally: &mut Tally,
) {
    for log in deed.logs {
        match log {
            Log::Deposited { amount, .. } => {
                books.deposited = books.deposited.saturating_add(amount.0);
            }
            Log::RootPosted { root, .. } => {
                books.roots.insert(*root, sealed.seen);
                if let Call::PostRoot { signatures, .. } = deed.asks() {
                    let message = format!("idOS withdrawals\n{}\n{root}", token.escrow());
                    let good = signatures
                        .iter()
                        .filter(|one| has_signed(one.signer, message.as_bytes(), &one.signature));
                    let signers: BTreeSet<_> = good.map(|one| one.signer).collect();
                    let operators = cast.operators.iter();
                    let voices = operators.filter(|one| signers.contains(one)).count();
                    let enough = 2 * voices > cast.operators.len();
                    tally.test("ECON-07", enough, || {
                        let sentence =
                            format!("the {token} escrow took a root of only {voices} operators");
                        (sentence, vec![sealed.seen])
                    });
                }
            }
            Log::Claimed { root, leaf } => {
                books.claimed = books.claimed.saturating_add(leaf.amount.0);
                let proof = match deed.asks() {
                    Call::Claim { proof, .. } => proof.as_slice(),
                    _ => &[],
                };
                let posted = books.roots.get(root).copied();
                let before = books.paid.insert((*root, *leaf), sealed.seen);
                let paid_right = deed.logs.iter().all(|log| match log {
                    Log::Transferred { to, amount, .. } => {
                        (*to, *amount) == (leaf.recipient, leaf.amount)
                    }
                    _ => true,
                });
                let entitled = posted.is_some()
                    && leaf.escrow == token.escrow()
                    && verify(*root, proof, leaf.hash());
                let kept = entitled && paid_right && before.is_none();
                tally.test("ECON-07", kept, || {
                    let who = name(cast, leaf.recipient);
                    let sentence = match (before, entitled) {
                        (Some(_), _) => format!("the same {token} were paid to {who} twice"),
                        (None, false) => {
                            format!("a claim of {token} for {who} was paid that no root allows")
                        }
                        (None, true) => {
                            format!("what {who} may claim of {token} was paid to somebody else")
                        }
                    };
                    let evidence = [before, posted, Some(sealed.seen)];
                    (sentence, evidence.into_iter().flatten().collect())
                });
            }
            _ => {}
        }
    }
}
