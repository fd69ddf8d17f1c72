//! Who reads what: content for owners and grantees, answers for whoever asked.

use super::chronicle::{Chronicle, CredentialFact, How, Life, View};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::catalogue::RequirementId;
use crate::history::Event;
use crate::id::{CredentialId, GrantId, Height, UserId};
use crate::ledger::{Answer, Query, Refusal};

pub(super) const CONTENT_FOLLOWS_GRANTS: Invariant = Invariant {
    name: "content-follows-grants",
    claim: "content is returned to its owner and to grantees of a living grant, and to nobody else",
    source: "schema:get_credential_owned, get_credential_shared; S4",
    requirements: &["CRED-02", "GRANT-01", "GRANT-07", "DEL-01", "ENC-03"],
    check: content_follows_grants,
};

fn content_follows_grants(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for view in &chronicle.views {
        match (view.query, view.result) {
            (Query::GetCredentialShared { id }, Ok(Answer::Shared(_))) => {
                shared_content(chronicle, view, *id, &mut tally);
            }
            (Query::GetCredentialShared { id }, Err(_)) => {
                // A refusal tests the rule when there once was a grant, or never was one.
                let ended = ended_grant(chronicle, view, *id);
                tally.kept("GRANT-01");
                match ended {
                    Some((_, How::Revoked)) => tally.kept("GRANT-07"),
                    None | Some((_, How::Rescinded)) => {}
                    Some(_) => tally.kept("DEL-01"),
                }
            }
            (Query::GetCredentialOwned { id }, Ok(Answer::Owned(row))) => {
                let own = owner(chronicle, view);
                let fact = chronicle.last_credential(*id, view.height);
                let owns = fact.is_some_and(|fact| Some(fact.owner) == own);
                tally.test("CRED-02", row.is_none() || owns, || {
                    let who = &chronicle.history.cast.party(view.by).name;
                    let sentence = format!(
                        "{} returned the content of credential {id} to {who}, who does not own it",
                        view.node
                    );
                    (
                        sentence,
                        fact.map(|f| f.born.seen)
                            .into_iter()
                            .chain([view.seen])
                            .collect(),
                    )
                });
            }
            _ => {}
        }
    }
    opened_content(chronicle, &mut tally);
    tally.verdict("nobody asked for content")
}

/// The profile a view was answered for.
fn owner(chronicle: &Chronicle<'_>, view: &View<'_>) -> Option<UserId> {
    view.caller
        .and_then(|caller| chronicle.user_of(&caller, view.height))
}

/// Whether the reader has a grant on the credential that ought to live at the view's height.
fn is_granted(chronicle: &Chronicle<'_>, view: &View<'_>, id: CredentialId) -> bool {
    let Some(caller) = view.caller.map(|caller| caller.caller()) else {
        return false;
    };
    chronicle
        .grants_on(id, view.height)
        .any(|(_, grant)| grant.grantee.eq_ignore_ascii_case(&caller))
}

/// The reader's last grant on the credential that had ended by the view's height, and how.
fn ended_grant(
    chronicle: &Chronicle<'_>,
    view: &View<'_>,
    id: CredentialId,
) -> Option<(Vec<usize>, How)> {
    let caller = view.caller?.caller();
    chronicle
        .all_grants()
        .filter(|(_, grant)| grant.data == id && grant.grantee.eq_ignore_ascii_case(&caller))
        .filter_map(|(_, grant)| Some((grant.born.seen, grant.end?)))
        .filter(|(_, end)| end.height <= view.height)
        .max_by_key(|(_, end)| end.height)
        .map(|(born, end)| (vec![born, end.seen, view.seen], end.how))
}

fn shared_content(chronicle: &Chronicle<'_>, view: &View<'_>, id: CredentialId, tally: &mut Tally) {
    if is_granted(chronicle, view, id) {
        tally.kept("GRANT-01");
        return;
    }
    let who = &chronicle.history.cast.party(view.by).name;
    let answered = format!(
        "{} returned copy {id} to {who} at height {}",
        view.node, view.height
    );
    match ended_grant(chronicle, view, id) {
        Some((evidence, how)) => {
            let (requirement, why): (RequirementId, _) = match how {
                How::Revoked => ("GRANT-07", "whose grant was revoked before"),
                How::Rescinded => ("GRANT-01", "who had given it up before"),
                _ => ("DEL-01", "after it was deleted"),
            };
            tally.broken(requirement, format!("{answered}, {why}"), evidence);
        }
        None => {
            let sentence = format!("{answered}, who has no grant on it");
            tally.broken("GRANT-01", sentence, vec![view.seen]);
        }
    }
}

/// What was opened was opened by somebody who may: the knowledge that matters in the end.
fn opened_content(chronicle: &Chronicle<'_>, tally: &mut Tally) {
    for (seen, observation) in chronicle.observations() {
        let Event::Opened {
            by,
            credential,
            height,
            ..
        } = &observation.event
        else {
            continue;
        };
        let member = chronicle.history.cast.party(*by);
        let owns = chronicle
            .last_credential(*credential, *height)
            .is_some_and(|fact| fact.owner == member.user);
        let granted = chronicle.grants_on(*credential, *height).any(|(_, grant)| {
            member
                .identities
                .iter()
                .any(|i| i.caller().eq_ignore_ascii_case(&grant.grantee))
        });
        tally.test("ENC-03", owns || granted, || {
            let sentence = format!(
                "{} opened credential {credential} without owning it or holding a grant",
                member.name
            );
            (sentence, vec![seen])
        });
    }
}

pub(super) const GRANTED_COPIES_READABLE: Invariant = Invariant {
    name: "granted-copies-readable",
    claim: "a grantee of a living grant is not refused by a node that knows the grant",
    source: "S2, S4",
    requirements: &["AVAIL-03", "GRANT-02"],
    check: granted_copies_readable,
};

fn granted_copies_readable(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for view in &chronicle.views {
        let Query::GetCredentialShared { id } = view.query else {
            continue;
        };
        let living = chronicle.credential_at(*id, view.height).is_some();
        if !living || !is_granted(chronicle, view, *id) {
            continue;
        }
        // A grant that has to be paid for takes effect with the payment.
        if matches!(view.result, Err(Refusal::FeeUnpaid)) {
            continue;
        }
        let refused = matches!(
            view.result,
            Err(Refusal::NotShared | Refusal::CredentialUnknown)
        );
        let finding = || {
            let who = &chronicle.history.cast.party(view.by).name;
            let sentence = format!(
                "{} refused copy {id} to {who} at height {}, who holds a grant on it",
                view.node, view.height
            );
            let born = chronicle
                .grants_on(*id, view.height)
                .map(|(_, grant)| grant.born.seen);
            (sentence, born.chain([view.seen]).collect())
        };
        tally.test("AVAIL-03", !refused, finding);
        tally.test("GRANT-02", !refused, finding);
    }
    tally.verdict("no grantee read a copy")
}

pub(super) const ANSWERS_GO_TO_WHO_ASKED: Invariant = Invariant {
    name: "answers-go-to-who-asked",
    claim: "a read is answered for the party that holds the key, not for a name it states",
    source: "doc:granting-data-access; idos-facts 4.2",
    requirements: &["READ-01"],
    check: answers_go_to_who_asked,
};

fn answers_go_to_who_asked(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for view in &chronicle.views {
        let Some(caller) = view.caller else { continue };
        let member = chronicle.history.cast.party(view.by);
        let holds = member.identities.contains(&caller);
        let private = match view.result {
            Ok(Answer::Owned(row)) => row.is_some(),
            Ok(Answer::Shared(_)) => true,
            Ok(Answer::Credentials(rows)) => !rows.is_empty(),
            Ok(Answer::Grants(rows)) => !rows.is_empty(),
            Ok(Answer::Wallets(rows)) => !rows.is_empty(),
            Ok(Answer::User(row)) => row.is_some(),
            _ => false,
        };
        tally.test("READ-01", holds || !private, || {
            let sentence = format!(
                "{} answered {} of {} to {}, who merely stated that name",
                view.node,
                view.query.name(),
                chronicle.name_of(&caller),
                member.name
            );
            (sentence, vec![view.seen])
        });
    }
    tally.verdict("nobody read anything under a name")
}

pub(super) const OWNERS_SEE_EVERYTHING: Invariant = Invariant {
    name: "owners-see-everything",
    claim: "the owner's listings show every credential and grant of the profile, and nothing that ended",
    source: "doc:faqs-users; schema:get_credentials, get_access_grants_owned",
    requirements: &["DASH-01", "DEL-01", "DEL-04", "GRANT-07", "GRANT-14"],
    check: owners_see_everything,
};

fn owners_see_everything(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for view in &chronicle.views {
        let Some(own) = owner(chronicle, view) else {
            continue;
        };
        match (view.query, view.result) {
            (Query::GetCredentials {}, Ok(Answer::Credentials(rows))) => {
                let listed: Vec<CredentialId> = rows.iter().map(|row| row.id).collect();
                listed_credentials(chronicle, view, own, &listed, &mut tally);
            }
            (Query::GetAccessGrantsOwned {}, Ok(Answer::Grants(rows))) => {
                let listed: Vec<GrantId> = rows.iter().map(|row| row.id).collect();
                listed_grants(chronicle, view, own, &listed, &mut tally);
            }
            _ => {}
        }
    }
    tally.verdict("no owner listed the profile")
}

fn listed_credentials(
    chronicle: &Chronicle<'_>,
    view: &View<'_>,
    own: UserId,
    listed: &[CredentialId],
    tally: &mut Tally,
) {
    for (id, fact) in chronicle
        .all_credentials()
        .filter(|(_, fact)| fact.owner == own)
    {
        if fact.lives_at(view.height) {
            tally.test("DASH-01", listed.contains(&id), || {
                let sentence = format!(
                    "{} left credential {id} out of its owner's listing at height {}",
                    view.node, view.height
                );
                (sentence, vec![fact.born.seen, view.seen])
            });
        } else if let Some(end) = fact.end
            && end.height <= view.height
            && chronicle.credential_at(id, view.height).is_none()
        {
            let requirement = requirement_of(fact);
            tally.test(requirement, !listed.contains(&id), || {
                let sentence = format!(
                    "{} still lists credential {id} at height {}, which {}",
                    view.node,
                    view.height,
                    ended(end.how)
                );
                (sentence, vec![fact.born.seen, end.seen, view.seen])
            });
        }
    }
}

fn requirement_of(fact: &CredentialFact<'_>) -> RequirementId {
    match fact.end.map(|end| end.how) {
        Some(How::WithOriginal) => "DEL-04",
        Some(How::WithLastGrant) => "GRANT-14",
        _ => "DEL-01",
    }
}

/// How a row ended, to go behind "which".
pub(super) fn ended(how: How) -> &'static str {
    match how {
        How::Revoked => "its owner revoked",
        How::Rescinded => "its grantee gave up",
        How::Removed => "its owner removed",
        How::WithOriginal => "had to go with its original",
        How::WithLastGrant => "had to go with the last grant on it",
        How::Erased => "its owner erased with the profile",
    }
}

fn listed_grants(
    chronicle: &Chronicle<'_>,
    view: &View<'_>,
    own: UserId,
    listed: &[GrantId],
    tally: &mut Tally,
) {
    let lives = |id: GrantId, height: Height| {
        chronicle
            .all_grants()
            .any(|(other, grant)| other == id && grant.lives_at(height))
    };
    for (id, grant) in chronicle
        .all_grants()
        .filter(|(_, grant)| grant.owner == own)
    {
        if grant.lives_at(view.height) {
            tally.test("DASH-01", listed.contains(&id), || {
                let sentence = format!(
                    "{} left the grant of {} on {} out of its owner's listing",
                    view.node, grant.grantee, grant.data
                );
                (sentence, vec![grant.born.seen, view.seen])
            });
        } else if let Some(end) = grant.end
            && end.height <= view.height
            && !lives(id, view.height)
        {
            tally.test("GRANT-07", !listed.contains(&id), || {
                let sentence = format!(
                    "{} still lists the grant of {} on {}, which {}",
                    view.node,
                    grant.grantee,
                    grant.data,
                    ended(end.how)
                );
                (sentence, vec![grant.born.seen, end.seen, view.seen])
            });
        }
    }
}
