//! Whether consumers rely on what issuers have signed and dated, with keys that were good then.

use std::collections::BTreeMap;

use super::chronicle::Chronicle;
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::{Doubt, Event};
use crate::id::{ContentHash, CredentialId, PartyId, Text, UserId};
use crate::ledger::Answer;

pub(super) const STATEMENTS_ARE_SIGNED: Invariant = Invariant {
    name: "statements-are-signed",
    claim: "a careful consumer relies on a status only as its issuer has signed and dated it",
    source: "S2 (checking that a credential is valid); idos-facts 5.14",
    requirements: &["REV-04"],
    check: statements_are_signed,
};

/// What a consumer was shown of the original behind a copy: key of its issuer, notes, and where.
struct Shown<'a> {
    issuer: &'a Text,
    notes: &'a Text,
    seen: usize,
}

/// What consumers were shown since they last made up their minds about a copy.
type Showings<'a> = BTreeMap<(PartyId, CredentialId), Vec<Shown<'a>>>;

/// Goes through a history and calls with each judgement and what the consumer had been shown before it.
fn judgements<'a>(
    chronicle: &Chronicle<'a>,
    mut visit: impl FnMut(usize, &'a Event, &[Shown<'a>]),
) {
    let mut showings = Showings::new();
    let mut views = chronicle.views.iter().peekable();
    for (seen, observation) in chronicle.observations() {
        while let Some(view) = views.next_if(|view| view.seen <= seen) {
            let Ok(Answer::Credentials(rows)) = view.result else {
                continue;
            };
            for row in rows {
                let shown = Shown {
                    issuer: &row.issuer_auth_public_key,
                    notes: &row.public_notes,
                    seen: view.seen,
                };
                showings.entry((view.by, row.id)).or_default().push(shown);
            }
        }
        let event = &observation.event;
        match event {
            Event::Judged { by, copy, .. } => {
                let shown = showings.remove(&(*by, *copy)).unwrap_or_default();
                visit(seen, event, &shown);
            }
            _ => visit(seen, event, &[]),
        }
    }
}

/// The statements made so far: who made them, and their dates, by their text.
type Stated<'a> = BTreeMap<&'a Text, (PartyId, i64)>;

/// The date of what a consumer was shown, if the key's holder has stated it.
fn date_of(chronicle: &Chronicle<'_>, stated: &Stated<'_>, shown: &Shown<'_>) -> Option<i64> {
    let (by, dated) = stated.get(shown.notes)?;
    (chronicle.history.cast.holder(shown.issuer) == Some(*by)).then_some(*dated)
}

fn statements_are_signed(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut stated = Stated::new();
    judgements(chronicle, |seen, event, shown| match event {
        Event::Stated { by, notes, dated } => {
            stated.insert(notes, (*by, *dated));
        }
        Event::Judged {
            by, copy, doubt, ..
        } if chronicle.history.cast.party(*by).careful => {
            let Some(last) = shown.last() else { return };
            let signed = (shown.iter()).any(|one| date_of(chronicle, &stated, one).is_some());
            match doubt {
                None => tally.test("REV-04", signed, || {
                    let who = &chronicle.history.cast.party(*by).name;
                    let sentence = format!(
                        "{who} accepted copy {copy} for notes that its issuer has not signed and dated"
                    );
                    (sentence, vec![last.seen, seen])
                }),
                Some(Doubt::StatementUnsigned) => tally.test("REV-04", !signed, || {
                    let who = &chronicle.history.cast.party(*by).name;
                    let sentence =
                        format!("{who} doubted of copy {copy} that its issuer has signed the notes");
                    (sentence, vec![last.seen, seen])
                }),
                Some(_) => {}
            }
        }
        _ => {}
    });
    tally.verdict("no careful consumer relied on a status, or doubted that it was signed")
}

pub(super) const INVALID_KEYS_ARE_DOUBTED: Invariant = Invariant {
    name: "invalid-keys-are-doubted",
    claim: "a careful consumer who knows from when on an issuer's key is invalid accepts nothing that it \
            signed since, and does not doubt for this reason what it signed before",
    source: "derived, REV-06",
    requirements: &["REV-06"],
    check: invalid_keys_are_doubted,
};

fn invalid_keys_are_doubted(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut stated = Stated::new();
    let mut issued: BTreeMap<(ContentHash, UserId), (PartyId, i64)> = BTreeMap::new();
    // By consumer and issuer: the earliest date it has read, and where.
    let mut read: BTreeMap<(PartyId, PartyId), (i64, usize)> = BTreeMap::new();
    judgements(chronicle, |seen, event, shown| match event {
        Event::Stated { by, notes, dated } => {
            stated.insert(notes, (*by, *dated));
        }
        Event::Issued {
            by,
            about,
            document,
            dated,
            ..
        } => {
            issued.insert((*document, *about), (*by, *dated));
        }
        Event::KeyDeclarationRead { by, of, from } => {
            let known = read.entry((*by, *of)).or_insert((*from, seen));
            if *from < known.0 {
                *known = (*from, seen);
            }
        }
        Event::Judged {
            by,
            copy,
            user,
            document: Some(document),
            doubt,
            ..
        } if chronicle.history.cast.party(*by).careful => {
            let Some((issuer, dated)) = issued.get(&(*document, *user)) else {
                return;
            };
            let Some((from, since)) = read.get(&(*by, *issuer)) else {
                return;
            };
            if shown.is_empty() {
                return;
            }
            let dates: Vec<Option<i64>> = (shown.iter())
                .map(|one| date_of(chronicle, &stated, one))
                .collect();
            let is_old = |date: &Option<i64>| date.is_some_and(|date| date < *from);
            // Of several showings it is not known which one it went by.
            let (all_old, some_old) = (dates.iter().all(is_old), dates.iter().any(is_old));
            let who = &chronicle.history.cast.party(*by).name;
            let evidence = || {
                let shown = shown.iter().map(|one| one.seen);
                shown.chain([*since, seen]).collect::<Vec<_>>()
            };
            match doubt {
                None => tally.test("REV-06", dated < from && some_old, || {
                    let sentence = format!(
                        "{who} accepted copy {copy}, of which something was signed with a key that was invalid by then"
                    );
                    (sentence, evidence())
                }),
                Some(Doubt::KeyInvalid) => {
                    tally.test("REV-06", dated >= from || !all_old, || {
                        let sentence = format!(
                            "{who} doubted copy {copy}, of which everything was signed before the key was invalid"
                        );
                        (sentence, evidence())
                    });
                }
                Some(_) => {}
            }
        }
        _ => {}
    });
    tally.verdict("nobody who knew of an invalid key judged what was signed with it")
}
