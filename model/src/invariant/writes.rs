//! Who writes into a profile.

use std::collections::BTreeMap;

use super::chronicle::{Chronicle, CredentialFact, Deed, Life};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::catalogue::RequirementId;
use crate::id::InserterId;
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
                let accepted = outcome == Outcome::Accepted && !chronicle.edits_nothing(*id, deed);
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

/// What an operation could have worked on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    /// A row that ought to be there.
    Row,
    /// Only the notes that copies keep of an original that is gone (GRANT-10).
    Remains,
    /// Nothing.
    Nothing,
}

impl Match {
    fn of(row: bool) -> Match {
        if row { Match::Row } else { Match::Nothing }
    }
}

fn nothing_succeeds_silently(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut delegates: BTreeMap<String, Delegate> = BTreeMap::new();
    for deed in &chronicle.deeds {
        let accepted = deed.outcome == Outcome::Accepted;
        // What a refused removal leaves there is a matter of its own, in the catalogue too.
        let mut left: RequirementId = "CRED-08";
        let found = match deed.action {
            Action::AddDelegateAsOwner {
                address,
                inserter_id,
            } => {
                if accepted {
                    let delegate = Delegate {
                        inserter: *inserter_id,
                        born: deed.seen,
                    };
                    delegates.insert(address.to_lowercase(), delegate);
                }
                continue;
            }
            Action::DeleteInserterAsOwner { id } => {
                if accepted {
                    delegates.retain(|address, delegate| {
                        let stays = delegate.inserter != *id;
                        if !stays {
                            delegate_is_gone(chronicle, deed, address, delegate.born, &mut tally);
                        }
                        stays
                    });
                }
                continue;
            }
            Action::DeleteDelegateAsOwner { address } => {
                left = "GOV-03";
                let address = address.to_lowercase();
                let known = delegates.contains_key(&address);
                if accepted && let Some(delegate) = delegates.remove(&address) {
                    delegate_is_gone(chronicle, deed, &address, delegate.born, &mut tally);
                }
                Match::of(known)
            }
            Action::EditCredential { id, .. } => {
                let present = chronicle.credential_before(*id, deed);
                Match::of(present.is_some_and(|fact| Some(fact.owner) == deed.own))
            }
            Action::EditPublicNotesAsIssuer {
                public_notes_id, ..
            } => issued_under(chronicle, deed, public_notes_id),
            Action::RemoveWallet { id } => {
                let mut lives = chronicle.wallets.get(id).into_iter().flatten();
                Match::of(
                    lives.any(|wallet| {
                        Some(wallet.owner) == deed.own && wallet.span.stood_before(deed)
                    }),
                )
            }
            _ => continue,
        };
        let what = || (deed.action.name(), chronicle.name_of(&deed.caller));
        if accepted {
            tally.test("CRED-08", found != Match::Nothing, || {
                let (action, who) = what();
                let sentence = format!("{action} of {who} succeeded without anything to do");
                (sentence, vec![deed.seen])
            });
        } else if deed.outcome == Outcome::Refused(Refusal::NothingMatched) && deed.is_alone() {
            if found == Match::Remains {
                continue;
            }
            tally.test(left, found == Match::Nothing, || {
                let (action, who) = what();
                let sentence = format!("{action} of {who} was told there is nothing to do");
                (sentence, vec![deed.seen])
            });
        }
    }
    tally.verdict("no operation could have matched nothing")
}

/// A key of an organisation that may create profiles.
struct Delegate {
    inserter: InserterId,
    born: usize,
}

/// What an issuer's statement about a notes id finds.
fn issued_under(chronicle: &Chronicle<'_>, deed: &Deed<'_>, stated: &str) -> Match {
    let issuer = deed.caller.caller();
    let named = |fact: &CredentialFact<'_>| {
        let written = fact.written_before(deed);
        *written.issuer == *issuer && notes_id(&written.notes).as_deref() == Some(stated)
    };
    let standing = || {
        let all = chronicle.all_credentials().map(|(_, fact)| fact);
        all.filter(|fact| fact.stood_before(deed))
    };
    if standing().any(named) {
        return Match::Row;
    }
    let mut originals = standing().filter_map(|copy| chronicle.original_of(copy));
    if originals.any(named) {
        Match::Remains
    } else {
        Match::Nothing
    }
}

/// After a delegate was removed, with its inserter or alone and whatever the case of the argument, its
/// key inserts nothing until it is added again.
fn delegate_is_gone(
    chronicle: &Chronicle<'_>,
    removal: &Deed<'_>,
    address: &str,
    born: usize,
    tally: &mut Tally,
) {
    for deed in &chronicle.deeds[removal.order + 1..] {
        let accepted = deed.outcome == Outcome::Accepted;
        let inserts = match deed.action {
            Action::AddDelegateAsOwner { address: again, .. } => {
                if accepted && again.eq_ignore_ascii_case(address) {
                    return;
                }
                false
            }
            Action::AddUserAsInserter { .. }
            | Action::UpsertWalletAsInserter { .. }
            | Action::UpsertCredentialAsInserter { .. }
            | Action::UpdateUserPubKeyAsInserter { .. } => {
                deed.caller.caller().eq_ignore_ascii_case(address)
            }
            _ => false,
        };
        if inserts {
            tally.test("GOV-03", !accepted, || {
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
