//! What comes from the chain that holds the tokens: confirmed there, told by validators, credited once.

use std::collections::BTreeSet;

use super::chronicle::Chronicle;
use super::economy::{Shown, pages, shown};
use super::exchange::{Sealed, blocks};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::bridge::{Address, BridgeEvent, DepositEvent, EpochConfirmedEvent, Token};
use crate::chain::Log;
use crate::history::Event;

pub(super) const DEPOSITS_ARE_CREDITED_ONCE: Invariant = Invariant {
    name: "deposits-are-credited-once",
    claim: "what more than half of the voting power tells of the other chain is confirmed there, and a deposit is \
            credited once, when so many have told of it and not before",
    source: "idos-facts 5.16; kwil-db, ordered-sync",
    requirements: &["ECON-07"],
    check: deposits_are_credited_once,
};

/// A log of the other chain, by its block and its place in it.
type Place = (u64, usize);

fn deposits_are_credited_once(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    what_is_told_is_so(chronicle, &mut tally);
    balances_are_as_told(chronicle, &mut tally);
    tally.verdict("nobody told the network of the other chain")
}

fn what_is_told_is_so(chronicle: &Chronicle<'_>, tally: &mut Tally) {
    let chain = blocks(chronicle.history);
    let mut backed: BTreeSet<Place> = BTreeSet::new();
    for (seen, height, told) in &chronicle.council.told {
        let confirmed = last_confirmed(chronicle, *seen);
        let place = chain
            .iter()
            .filter(|sealed| sealed.seen < *seen && sealed.block.number <= confirmed)
            .filter(|sealed| sealed.block.number == number(told))
            .flat_map(|sealed| logs(sealed).map(|(place, log)| ((sealed.block.number, place), log)))
            .find(|(place, log)| says(log, told) && !backed.contains(place));
        tally.test("ECON-07", place.is_some(), || {
            let what = match told {
                BridgeEvent::Deposit(DepositEvent {
                    token,
                    address,
                    amount,
                    ..
                }) => format!("a deposit of {amount} {token} by {address}"),
                BridgeEvent::EpochConfirmed(EpochConfirmedEvent { token, root, .. }) => {
                    format!("a root {root} of {token}")
                }
            };
            let sentence = format!(
                "validators told the network at height {} of {what}, which the other chain had not confirmed",
                height.0
            );
            (sentence, vec![*seen])
        });
        backed.extend(place.map(|(place, _)| place));
    }
}

fn number(told: &BridgeEvent) -> u64 {
    match told {
        BridgeEvent::Deposit(event) => event.block,
        BridgeEvent::EpochConfirmed(event) => event.block,
    }
}

fn logs<'a>(sealed: &Sealed<'a>) -> impl Iterator<Item = (usize, &'a Log)> {
    sealed.deeds().flat_map(|deed| deed.logs).enumerate()
}

fn says(log: &Log, told: &BridgeEvent) -> bool {
    match (log, told) {
        (
            Log::Deposited {
                token,
                from,
                amount,
            },
            BridgeEvent::Deposit(event),
        ) => (*token, *from, *amount) == (event.token, event.address, event.amount),
        (Log::RootPosted { token, root }, BridgeEvent::EpochConfirmed(event)) => {
            (*token, *root) == (event.token, event.root)
        }
        _ => false,
    }
}

/// The last block of the other chain that stood for good at an observation; 0 for none.
fn last_confirmed(chronicle: &Chronicle<'_>, seen: usize) -> u64 {
    let mut confirmed = 0;
    for observation in &chronicle.history.observations()[..seen] {
        if let Event::ChainBlock { block } = &observation.event {
            let deep = block
                .number
                .saturating_sub(chronicle.history.cast.external.confirmations);
            confirmed = confirmed.max(deep);
        }
    }
    confirmed
}

/// Whoever is said to have deposited anything has what the books say, whether enough said so or not.
fn balances_are_as_told(chronicle: &Chronicle<'_>, tally: &mut Tally) {
    let claimed = |token: Token, of: Address, before: usize| {
        chronicle
            .council
            .claimed
            .iter()
            .any(|(seen, told)| match told {
                BridgeEvent::Deposit(event) => {
                    *seen < before && (event.token, event.address) == (token, of)
                }
                BridgeEvent::EpochConfirmed(_) => false,
            })
    };
    for (view, page) in pages(chronicle, &chronicle.books) {
        let Some(Shown { token, of, amount }) = shown(view) else {
            continue;
        };
        if !claimed(token, of, view.seen) {
            continue;
        }
        let expected = page.balance(token, of);
        tally.test("ECON-07", amount == expected, || {
            let (node, height) = (view.node, view.height);
            let sentence = format!(
                "{node} shows {amount} of {token} for {of} at height {height}, and what was deposited makes it \
                 {expected}"
            );
            (sentence, vec![view.seen])
        });
    }
}
