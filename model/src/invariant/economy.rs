//! Gas, fees, tokens, and what passes to and from the other chain.

use std::collections::{BTreeMap, BTreeSet};

use super::books::{Books, Page, total};
use super::chronicle::{Chronicle, View};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::bridge::{Address, Hash, Leaf, Token, verify};
use crate::crypto::Identity;
use crate::id::{EpochId, Height, NodeId};
use crate::ledger::{Answer, Outcome, Query, Refusal};

pub(super) const TOKENS_ADD_UP: Invariant = Invariant {
    name: "tokens-add-up",
    claim: "after every block, what was deposited of a token is what people have, what the network owns and what \
            epochs pay out, by the nodes' own words",
    source: "idos-facts 5.16",
    requirements: &["ECON-01"],
    check: tokens_add_up,
};

pub(super) const GAS_IS_TAKEN_IN_ORDER: Invariant = Invariant {
    name: "gas-is-taken-in-order",
    claim: "gas comes out of the free allowance first, never more than there is, and a refused action takes \
            nothing",
    source: "schema:capture_gas",
    requirements: &["ECON-02"],
    check: gas_is_taken_in_order,
};

pub(super) const ONLY_THE_SIGNER_PAYS: Invariant = Invariant {
    name: "only-the-signer-pays",
    claim: "tokens leave a balance only with a signature of the wallet that holds it, and as many as it has at \
            most",
    source: "derived",
    requirements: &["ECON-03"],
    check: only_the_signer_pays,
};

pub(super) const FEES_ARE_SPLIT: Invariant = Invariant {
    name: "fees-are-split",
    claim: "of a payment the price reaches the issuer's wallet and the mark-up of a quarter the network, which \
            the Association sweeps",
    source: "doc:token-economy",
    requirements: &["ECON-04"],
    check: fees_are_split,
};

pub(super) const GRANTS_ARE_PAID_ONCE: Invariant = Invariant {
    name: "grants-are-paid-once",
    claim: "where a price is set, a grantee reads a copy once it has paid for it, and pays once",
    source: "doc:token-economy",
    requirements: &["ECON-05"],
    check: grants_are_paid_once,
};

pub(super) const NON_EVM_CALLERS_ARE_TOLD: Invariant = Invariant {
    name: "non-evm-callers-are-told",
    claim: "a caller that is no address of the other chain is told that no wallet with balance was found, and \
            never what the bridge says",
    source: "comment at schema:get_wallet_with_balance",
    requirements: &["ECON-06"],
    check: non_evm_callers_are_told,
};

pub(super) const WITHDRAWALS_PAY_THE_ENTITLED: Invariant = Invariant {
    name: "withdrawals-pay-the-entitled",
    claim: "an epoch pays each address what it withdrew, with a proof the other chain can check, and nobody else",
    source: "kwil-db, erc20-bridge",
    requirements: &["ECON-07"],
    check: withdrawals_pay_the_entitled,
};

/// What a view says of somebody's tokens.
pub(super) struct Shown {
    pub(super) token: Token,
    pub(super) of: Address,
    pub(super) amount: i128,
}

pub(super) fn shown(view: &View<'_>) -> Option<Shown> {
    let (token, of) = match view.query {
        Query::CheckBalance { address, token } => (Token::parse(token)?, Address::parse(address)?),
        Query::Balance { token, user } => (*token, Address::parse(user)?),
        _ => return None,
    };
    match view.result {
        Ok(Answer::Amount(amount)) => Some(Shown {
            token,
            of,
            amount: amount.0,
        }),
        _ => None,
    }
}

/// Views of blocks the books know, with the page of each.
pub(super) fn pages<'c, 'a>(
    chronicle: &'c Chronicle<'a>,
    books: &'c Books,
) -> impl Iterator<Item = (&'c View<'a>, &'c Page)> {
    let views = chronicle.views.iter();
    views.filter_map(|view| Some((view, books.after(view.height)?)))
}

/// Everything one node shows of one token at one height.
#[derive(Default)]
struct Sheet {
    balances: BTreeMap<Address, i128>,
    network: Option<i128>,
    closed: Option<i128>,
    seen: BTreeSet<usize>,
}

fn tokens_add_up(chronicle: &Chronicle<'_>) -> Verdict {
    let books = &chronicle.books;
    let mut tally = Tally::default();
    let mut sheets: BTreeMap<(Token, NodeId, Height), Sheet> = BTreeMap::new();
    for view in &chronicle.views {
        let mut note = |token: Token, put: &dyn Fn(&mut Sheet)| {
            let sheet = sheets.entry((token, view.node, view.height)).or_default();
            put(sheet);
            sheet.seen.insert(view.seen);
        };
        if let Some(Shown { token, of, amount }) = shown(view) {
            note(token, &|sheet| {
                sheet.balances.insert(of, amount);
            });
        }
        match (view.query, view.result) {
            (Query::Info { token }, Ok(Answer::Info(info))) => {
                note(*token, &|sheet| sheet.network = Some(info.balance.0));
            }
            (
                Query::ListEpochs {
                    token, after: 0, ..
                },
                Ok(Answer::Epochs(rows)),
            ) => {
                let sum = total(rows.iter().map(|row| row.total.0));
                note(*token, &|sheet| sheet.closed = Some(sum));
            }
            _ => {}
        }
    }
    for ((token, node, height), sheet) in sheets {
        let Some(page) = books.after(height) else {
            continue;
        };
        let holders = page.balances.keys().filter(|(of, _)| *of == token);
        let everybody = holders
            .map(|(_, of)| of)
            .all(|of| sheet.balances.contains_key(of));
        // Only who sees everything can add it up.
        let (Some(network), Some(closed), true) = (sheet.network, sheet.closed, everybody) else {
            continue;
        };
        let deposited = page.deposited.get(&token).copied().unwrap_or(0);
        let epochs = page.epochs.get(&token).into_iter().flatten();
        let open = epochs.filter(|epoch| epoch.end.is_none());
        let open = total(open.flat_map(|epoch| epoch.rewards.values().copied()));
        let sum = total([total(sheet.balances.into_values()), network, closed, open]);
        tally.test("ECON-01", sum == deposited, || {
            let sentence = format!(
                "{node} shows {sum} of {token} at height {height}, of which {deposited} were deposited"
            );
            (sentence, sheet.seen.into_iter().collect())
        });
    }
    tally.verdict("nobody read the whole of a token's ledger")
}

fn gas_is_taken_in_order(chronicle: &Chronicle<'_>) -> Verdict {
    let books = &chronicle.books;
    let mut tally = Tally::default();
    for (view, page) in pages(chronicle, books) {
        let (Query::GetAllowance {}, Ok(Answer::Allowance(Some(shown)))) =
            (view.query, view.result)
        else {
            continue;
        };
        let own = view
            .caller
            .and_then(|caller| chronicle.user_of(&caller, view.height));
        let Some(user) = own else { continue };
        let expected = page.allowance(user);
        tally.test("ECON-02", shown.0 == expected, || {
            let (node, height) = (view.node, view.height);
            let who = chronicle.name_of_user(user);
            let sentence = format!(
                "{node} shows an allowance of {shown} for {who} at height {height}, and {expected} is left"
            );
            (sentence, vec![view.seen])
        });
    }
    tally.verdict("nobody looked at an allowance")
}

fn only_the_signer_pays(chronicle: &Chronicle<'_>) -> Verdict {
    let books = &chronicle.books;
    let mut tally = Tally::default();
    for overdraft in &books.overdrafts {
        let sentence = overdraft.sentence.clone();
        tally.broken("ECON-03", sentence, vec![overdraft.seen]);
    }
    let covered = books.debits.saturating_sub(books.overdrafts.len() as u64);
    tally.kept_times("ECON-03", covered);
    for (view, page) in pages(chronicle, books) {
        let Some(Shown { token, of, amount }) = shown(view) else {
            continue;
        };
        // What an issuer has hangs on how fees are split, which is judged there.
        if token == Token::Usdc && page.payees.contains(&of) {
            continue;
        }
        let expected = page.balance(token, of);
        tally.test("ECON-03", amount == expected, || {
            let (node, height) = (view.node, view.height);
            let sentence = format!(
                "{node} shows {amount} of {token} for {of} at height {height}, and {expected} ought to be there"
            );
            (sentence, vec![view.seen])
        });
    }
    tally.verdict("nobody moved tokens, or looked at them")
}

fn fees_are_split(chronicle: &Chronicle<'_>) -> Verdict {
    let books = &chronicle.books;
    let mut tally = Tally::default();
    for (view, page) in pages(chronicle, books) {
        if page.payees.is_empty() {
            continue;
        }
        let (whose, amount, expected) = match (view.query, view.result) {
            (Query::Info { token: Token::Usdc }, Ok(Answer::Info(info))) => (
                "the network".to_owned(),
                info.balance.0,
                page.network(Token::Usdc),
            ),
            _ => match shown(view) {
                Some(Shown {
                    token: Token::Usdc,
                    of,
                    amount,
                }) if page.payees.contains(&of) => {
                    (of.to_string(), amount, page.balance(Token::Usdc, of))
                }
                _ => continue,
            },
        };
        tally.test("ECON-04", amount == expected, || {
            let (node, height) = (view.node, view.height);
            let sentence = format!(
                "{node} shows {amount} of USDC for {whose} at height {height}, and the fees paid make it {expected}"
            );
            (sentence, vec![view.seen])
        });
    }
    tally.verdict("no issuer set a price, or nobody looked at what was paid")
}

fn grants_are_paid_once(chronicle: &Chronicle<'_>) -> Verdict {
    let books = &chronicle.books;
    let mut tally = Tally::default();
    for payment in books.payments.iter().filter(|payment| payment.priced) {
        tally.test("ECON-05", !payment.again, || {
            let who = chronicle.name_of(&payment.who);
            let sentence = format!("{who} paid for copy {} again", payment.copy);
            (sentence, vec![payment.seen])
        });
    }
    for (view, page) in pages(chronicle, books) {
        let (Query::GetCredentialShared { id }, Some(who)) = (view.query, view.caller) else {
            continue;
        };
        if page.price(*id) <= 0 {
            continue;
        }
        let paid = page.has_paid(*id, &who);
        let (node, height) = (view.node, view.height);
        match view.result {
            Ok(_) => tally.test("ECON-05", paid, || {
                let who = chronicle.name_of(&who);
                let sentence = format!(
                    "{node} gave copy {id} to {who} at height {height}, which had not paid for it"
                );
                (sentence, vec![view.seen])
            }),
            Err(Refusal::FeeUnpaid) => tally.test("ECON-05", !paid, || {
                let who = chronicle.name_of(&who);
                let sentence = format!(
                    "{node} kept copy {id} from {who} at height {height}, which had paid for it"
                );
                (sentence, vec![view.seen])
            }),
            Err(_) => {}
        }
    }
    tally.verdict("no grant had a price")
}

fn non_evm_callers_are_told(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut told = |caller: &Identity, refusal: &Refusal, seen: usize| {
        if matches!(caller, Identity::Evm(_)) {
            return;
        }
        match refusal {
            Refusal::NoWalletWithBalance => tally.kept("ECON-06"),
            Refusal::AddressInvalid(given) if given.text() == caller.caller() => {
                let who = chronicle.name_of(caller);
                let sentence = format!("{who} was told `{refusal}`");
                tally.broken("ECON-06", sentence, vec![seen]);
            }
            _ => {}
        }
    };
    for deed in &chronicle.deeds {
        if let Outcome::Refused(refusal) = &deed.outcome {
            told(&deed.caller, refusal, deed.seen);
        }
    }
    for view in &chronicle.views {
        if let (Some(caller), Err(refusal)) = (&view.caller, view.result) {
            told(caller, refusal, view.seen);
        }
    }
    tally.verdict("nobody without an address of the other chain was to pay")
}

fn withdrawals_pay_the_entitled(chronicle: &Chronicle<'_>) -> Verdict {
    let books = &chronicle.books;
    let mut tally = Tally::default();
    for (view, page) in pages(chronicle, books) {
        let (
            Query::ListWalletRewards {
                token,
                wallet,
                with_pending,
            },
            Ok(Answer::Claims(rows)),
        ) = (view.query, view.result)
        else {
            continue;
        };
        let Some(wallet) = Address::parse(wallet) else {
            continue;
        };
        let (node, height) = (view.node, view.height);
        let mut due: BTreeMap<Height, i128> = BTreeMap::new();
        for epoch in page.epochs.get(token).into_iter().flatten() {
            if let (Some(end), Some(amount)) = (epoch.end, epoch.rewards.get(&wallet))
                && (*with_pending || epoch.confirmed)
            {
                due.insert(end, *amount);
            }
        }
        for row in rows {
            let leaf = Leaf {
                recipient: row.recipient,
                amount: row.amount,
                escrow: token.escrow(),
                block: Hash(row.block.0),
            };
            let amount = due.remove(&row.created_at);
            let right = row.recipient == wallet
                && amount == Some(row.amount.0)
                && verify(row.root, &row.proof, leaf.hash());
            tally.test("ECON-07", right, || {
                let sentence = format!(
                    "{node} lets {wallet} claim {} of {token} at height {height}, which it did not withdraw or cannot prove",
                    row.amount
                );
                (sentence, vec![view.seen])
            });
        }
        for (end, amount) in due {
            let sentence = format!(
                "{node} leaves out at height {height} that {wallet} can claim {amount} of {token} since height {end}"
            );
            tally.broken("ECON-07", sentence, vec![view.seen]);
        }
    }
    closed_epochs(chronicle, books, &mut tally);
    tally.verdict("no epoch of withdrawals closed")
}

/// Closed epochs are those the books know, with the sums they know.
fn closed_epochs(chronicle: &Chronicle<'_>, books: &Books, tally: &mut Tally) {
    for (view, page) in pages(chronicle, books) {
        let (Query::ListEpochs { token, .. }, Ok(Answer::Epochs(rows))) = (view.query, view.result)
        else {
            continue;
        };
        for row in rows {
            let epochs = page.epochs.get(token).into_iter().flatten();
            let known = epochs.into_iter().find(|epoch| {
                EpochId::derive(*token, epoch.start) == row.id && epoch.end == Some(row.end_height)
            });
            let sum = known.map(|epoch| total(epoch.rewards.values().copied()));
            let taken = known.is_some_and(|epoch| epoch.confirmed == row.confirmed);
            let right = sum == Some(row.total.0) && taken;
            tally.test("ECON-07", right, || {
                let (node, height) = (view.node, view.height);
                let sentence = format!(
                    "{node} shows epoch {} of {token} at height {height}, closed with {} and {}, which is not so",
                    row.id,
                    row.total,
                    if row.confirmed { "taken" } else { "not taken" }
                );
                (sentence, vec![view.seen])
            });
        }
    }
}
