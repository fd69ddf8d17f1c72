//! What an issuer says about a credential: everybody sees it, and nobody else changes it.

use super::chronicle::{Chronicle, CredentialFact, Life, View};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::catalogue::RequirementId;
use crate::id::{CredentialId, Height, Text};
use crate::ledger::{Action, Answer};
use crate::vc::notes_id;

pub(super) const STATUS_IS_SEEN: Invariant = Invariant {
    name: "status-is-seen",
    claim: "owner and grantees read the notes as stored, or as their issuer last stated them, also when \
            the original is gone",
    source: "doc:issuer-guide; doc:data-retention-obligations",
    requirements: &["REV-01", "REV-02", "GRANT-10"],
    check: status_is_seen,
};

/// The notes a credential ought to show after a block, and whether its issuer stated them.
fn expected(
    chronicle: &Chronicle<'_>,
    fact: &CredentialFact<'_>,
    height: Height,
) -> (Text, bool, Vec<usize>) {
    let written = fact.written_at(height);
    let stated = notes_id(&written.notes)
        .and_then(|id| chronicle.stated(&written.issuer, &id, height))
        .filter(|status| status.order > fact.born.order);
    match stated {
        Some(status) => (
            status.notes.clone(),
            true,
            vec![fact.born.seen, status.seen],
        ),
        None => (
            written.notes.clone(),
            false,
            vec![fact.born.seen, written.seen],
        ),
    }
}

fn status_is_seen(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for view in &chronicle.views {
        match view.result {
            Ok(Answer::Owned(Some(row))) => {
                own_notes(chronicle, view, row.id, &row.public_notes, &mut tally);
            }
            Ok(Answer::Credentials(rows)) => {
                for row in rows.iter().filter(|row| row.original_id.is_none()) {
                    let original = chronicle
                        .credential_at(row.id, view.height)
                        .is_some_and(|fact| fact.original.is_none());
                    if original {
                        own_notes(chronicle, view, row.id, &row.public_notes, &mut tally);
                    }
                }
            }
            Ok(Answer::Shared(row)) => {
                copy_notes(
                    chronicle,
                    view,
                    row.id,
                    row.public_notes.as_ref(),
                    &mut tally,
                );
            }
            _ => {}
        }
    }
    tally.verdict("nobody read any notes")
}

fn own_notes(
    chronicle: &Chronicle<'_>,
    view: &View<'_>,
    id: CredentialId,
    notes: &Text,
    tally: &mut Tally,
) {
    let Some(fact) = chronicle.credential_at(id, view.height) else {
        return;
    };
    let (expected, stated, evidence) = expected(chronicle, fact, view.height);
    compare(
        view,
        &expected,
        Some(notes),
        if stated { "REV-02" } else { "REV-01" },
        evidence,
        tally,
    );
}

fn copy_notes(
    chronicle: &Chronicle<'_>,
    view: &View<'_>,
    id: CredentialId,
    notes: Option<&Text>,
    tally: &mut Tally,
) {
    let Some(copy) = chronicle.credential_at(id, view.height) else {
        return;
    };
    // A copy of a copy shows the notes of the row it was made of, which are empty.
    let Some(original) = chronicle.original_of(copy) else {
        return;
    };
    let (expected, stated, evidence) = expected(chronicle, original, view.height);
    let requirement = match (original.lives_at(view.height), stated) {
        (false, _) => "GRANT-10",
        (true, true) => "REV-02",
        (true, false) => "REV-01",
    };
    compare(view, &expected, notes, requirement, evidence, tally);
}

fn compare(
    view: &View<'_>,
    expected: &Text,
    notes: Option<&Text>,
    requirement: RequirementId,
    mut evidence: Vec<usize>,
    tally: &mut Tally,
) {
    tally.test(requirement, notes == Some(expected), || {
        evidence.push(view.seen);
        let shown = notes.map_or("nothing", |notes| notes);
        let sentence = format!(
            "{} shows the notes {shown} instead of {expected}",
            view.node
        );
        (sentence, evidence)
    });
}

pub(super) const STATUS_STANDS: Invariant = Invariant {
    name: "status-stands",
    claim: "a holder does not undo, hide or replace what the issuer stated, and a statement is about one \
            credential",
    source: "doc:faqs-users, doc:issuer-guide",
    requirements: &["REV-03", "REV-05"],
    check: status_stands,
};

fn status_stands(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for deed in chronicle.accepted() {
        let (id, issuer, notes, edits) = match deed.action {
            Action::AddCredential {
                id,
                issuer_auth_public_key,
                public_notes,
                ..
            } => (id, issuer_auth_public_key, public_notes, false),
            Action::EditCredential {
                id,
                issuer_auth_public_key,
                public_notes,
                ..
            } => (id, issuer_auth_public_key, public_notes, true),
            Action::EditPublicNotesAsIssuer {
                public_notes_id, ..
            } => {
                one_credential(chronicle, deed, public_notes_id, &mut tally);
                continue;
            }
            _ => continue,
        };
        let stated =
            notes_id(notes).and_then(|notes_id| chronicle.stated_before(issuer, &notes_id, deed));
        if let Some(status) = stated {
            tally.test("REV-03", status.notes == *notes, || {
                let who = chronicle.name_of(&deed.caller);
                let sentence =
                    format!("{who} put other notes on credential {id} than its issuer stated");
                (sentence, vec![status.seen, deed.seen])
            });
        }
        if edits && let Some(fact) = chronicle.credential_before(*id, deed) {
            let kept = original_issuer(fact).is_none_or(|original| original == issuer)
                || chronicle.reseals(fact, deed);
            tally.test("REV-03", kept, || {
                let who = chronicle.name_of(&deed.caller);
                let sentence =
                    format!("{who} replaced the issuer's key on credential {id} by another");
                (sentence, vec![fact.born.seen, deed.seen])
            });
        }
    }
    tally.verdict("no issuer stated anything, and no holder touched a statement")
}

/// The issuer key a credential was first stored with.
fn original_issuer<'a>(fact: &CredentialFact<'a>) -> Option<&'a Text> {
    match fact.born.action {
        Action::AddCredential {
            issuer_auth_public_key,
            ..
        }
        | Action::UpsertCredentialAsInserter {
            issuer_auth_public_key,
            ..
        }
        | Action::CreateCredentialsByDwg {
            issuer_auth_public_key,
            ..
        } => Some(issuer_auth_public_key),
        _ => None,
    }
}

fn one_credential(
    chronicle: &Chronicle<'_>,
    deed: &super::chronicle::Deed<'_>,
    stated: &Text,
    tally: &mut Tally,
) {
    let issuer = deed.caller.caller();
    let meant: Vec<_> = chronicle
        .all_credentials()
        .filter(|(_, fact)| fact.stood_before(deed))
        .filter(|(_, fact)| {
            let written = fact.written_before(deed);
            *written.issuer == *issuer && notes_id(&written.notes).as_deref() == Some(stated)
        })
        .collect();
    if meant.is_empty() {
        return;
    }
    tally.test("REV-05", meant.len() == 1, || {
        let sentence = format!(
            "a statement about {stated} reached {} credentials",
            meant.len()
        );
        let born = meant.iter().map(|(_, fact)| fact.born.seen);
        (sentence, born.chain([deed.seen]).collect())
    });
}
