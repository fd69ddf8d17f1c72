//! Who writes into a profile.

use super::chronicle::{Chronicle, Deed};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::ledger::{Action, Outcome, Refusal};
use crate::vc::notes_id;

pub(super) const OWNERS_ALONE_CHANGE_CREDENTIALS: Invariant = Invariant {
    name: "owners-alone-change-credentials",
    claim: "only its owner changes, moves or removes a credential, and an inserter adds one only with the \
            owner's signature",
    source: "S3; doc:legal-basis-for-profile-creation",
    requirements: &["CRED-04", "CRED-05", "CRED-06"],
    check: owners_alone_change_credentials,
};

fn owners_alone_change_credentials(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for deed in &chronicle.deeds {
        let who = || chronicle.name_of(&deed.caller);
        match (deed.action, deed.outcome) {
            (
                Action::UpsertCredentialAsInserter {
                    id,
                    user_id,
                    consent,
                    ..
                },
                Outcome::Accepted,
            ) => {
                let present = chronicle.credential_before(*id, deed);
                let retry = present.is_some_and(|fact| chronicle.repeats(fact, deed));
                tally.test("CRED-06", consent.is_some() || retry, || {
                    let owner = chronicle.name_of_user(*user_id);
                    let sentence =
                        format!("{} wrote a credential into the profile of {owner}", who());
                    (sentence, vec![deed.seen])
                });
                if let Some(fact) = present {
                    tally.test("CRED-05", retry, || {
                        let sentence = format!("{} overwrote credential {id}", who());
                        (sentence, vec![fact.born.seen, deed.seen])
                    });
                }
            }
            (Action::RemoveCredential { id }, Outcome::Accepted) => {
                let present = chronicle.credential_before(*id, deed);
                let owns = present.is_some_and(|fact| Some(fact.owner) == deed.own);
                tally.test("CRED-05", owns, || {
                    let sentence =
                        format!("{} removed credential {id}, not being its owner", who());
                    let born = present.map(|fact| fact.born.seen);
                    (sentence, born.into_iter().chain([deed.seen]).collect())
                });
            }
            (
                Action::ShareCredential {
                    public_notes,
                    original_credential_id,
                    ..
                },
                Outcome::Accepted,
            ) => {
                tally.test("CRED-04", public_notes.is_empty(), || {
                    (format!("{} made a copy with notes", who()), vec![deed.seen])
                });
                let owns = chronicle
                    .credential_before(*original_credential_id, deed)
                    .is_some_and(|fact| Some(fact.owner) == deed.own);
                tally.test("CRED-05", owns, || {
                    let sentence = format!(
                        "{} shared credential {original_credential_id}, not being its owner",
                        who()
                    );
                    (sentence, vec![deed.seen])
                });
            }
            (Action::EditCredential { id, .. }, outcome) => {
                let copy = chronicle
                    .credential_before(*id, deed)
                    .is_some_and(|fact| fact.original.is_some());
                let accepted = outcome == Outcome::Accepted;
                let refused = outcome == Outcome::Refused(Refusal::SharedNotEditable);
                if copy && (accepted || refused) {
                    tally.test("CRED-04", refused, || {
                        (format!("{} edited copy {id}", who()), vec![deed.seen])
                    });
                }
            }
            _ => {}
        }
    }
    tally.verdict("nobody wrote, shared or removed a credential")
}

pub(super) const NOTHING_SUCCEEDS_SILENTLY: Invariant = Invariant {
    name: "nothing-succeeds-silently",
    claim: "an operation that matches no row is reported as a failure",
    source: "idos-facts 8.2",
    requirements: &["CRED-08", "GOV-03"],
    check: nothing_succeeds_silently,
};

fn nothing_succeeds_silently(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut delegates = std::collections::BTreeMap::new();
    for deed in &chronicle.deeds {
        if deed.outcome == Outcome::Accepted
            && let Action::AddDelegateAsOwner { address, .. } = deed.action
        {
            delegates.insert(address.to_lowercase(), deed.seen);
        }
        let matched = match deed.action {
            Action::EditCredential { id, .. } => {
                let present = chronicle.credential_before(*id, deed);
                present.is_some_and(|fact| Some(fact.owner) == deed.own)
            }
            Action::EditPublicNotesAsIssuer {
                public_notes_id, ..
            } => {
                let issuer = deed.caller.caller();
                chronicle.all_credentials().any(|(_, fact)| {
                    let written = fact.written_before(deed);
                    *written.issuer == *issuer
                        && notes_id(&written.notes).as_deref() == Some(public_notes_id)
                        && fact.born.order < deed.order
                })
            }
            Action::RemoveWallet { id } => chronicle
                .wallets
                .get(id)
                .into_iter()
                .flatten()
                .any(|wallet| Some(wallet.owner) == deed.own && wallet.stood_before(deed)),
            Action::DeleteDelegateAsOwner { address } => {
                let known = delegates.remove(&address.to_lowercase());
                let ended = known.is_none() || deed.outcome != Outcome::Accepted;
                if let Some(born) = known {
                    delegate_is_gone(chronicle, deed, address, born, &mut tally);
                }
                !ended
            }
            _ => continue,
        };
        if deed.outcome == Outcome::Accepted {
            tally.test("CRED-08", matched, || {
                let who = chronicle.name_of(&deed.caller);
                let sentence = format!(
                    "{} of {who} succeeded without anything to do",
                    deed.action.name()
                );
                (sentence, vec![deed.seen])
            });
        } else if deed.outcome == Outcome::Refused(Refusal::NothingMatched) && deed.is_alone() {
            tally.test("CRED-08", !matched, || {
                let who = chronicle.name_of(&deed.caller);
                let sentence = format!(
                    "{} of {who} was told there is nothing to do",
                    deed.action.name()
                );
                (sentence, vec![deed.seen])
            });
        }
    }
    tally.verdict("no operation could have matched nothing")
}

/// After a delegate was removed its key inserts nothing any more, whatever the case of the argument.
fn delegate_is_gone(
    chronicle: &Chronicle<'_>,
    removal: &Deed<'_>,
    address: &str,
    born: usize,
    tally: &mut Tally,
) {
    if removal.outcome != Outcome::Accepted {
        return;
    }
    let after = chronicle
        .deeds
        .iter()
        .filter(|deed| deed.order > removal.order);
    let tries = after.filter(|deed| deed.caller.caller().eq_ignore_ascii_case(address));
    for deed in tries {
        let inserts = matches!(
            deed.action,
            Action::AddUserAsInserter { .. }
                | Action::UpsertWalletAsInserter { .. }
                | Action::UpsertCredentialAsInserter { .. }
                | Action::UpdateUserPubKeyAsInserter { .. }
        );
        if inserts {
            let refused = deed.outcome != Outcome::Accepted;
            tally.test("GOV-03", refused, || {
                let who = chronicle.name_of(&deed.caller);
                let sentence = format!(
                    "{who} still inserts ({}) though its delegate was removed",
                    deed.action.name()
                );
                (sentence, vec![born, removal.seen, deed.seen])
            });
        }
    }
}
