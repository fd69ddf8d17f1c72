//! Who reads what: content for owners and grantees, answers for whoever asked.

use super::chronicle::{Chronicle, CredentialFact, GrantFact, How, Life, View};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::catalogue::RequirementId;
use crate::crypto::Identity;
use crate::history::{Event, Role};
use crate::id::{CredentialId, GrantId, Height, PartyId, UserId};
use crate::ledger::{Answer, GrantRow, Query, Refusal};

/// How long after its end a session may still be answered in, in seconds.
const SLACK: i64 = 60;

pub(super) const CONTENT_FOLLOWS_GRANTS: Invariant = Invariant {
    name: "content-follows-grants",
    claim: "content is returned to its owner and to grantees of a living grant, and to nobody else",
    source: "schema:get_credential_owned, get_credential_shared; S4",
    requirements: &[
        "CRED-02", "GRANT-01", "GRANT-07", "GRANT-13", "DEL-01", "ENC-03",
    ],
    check: content_follows_grants,
};

fn content_follows_grants(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for view in &chronicle.views {
        match (view.query, view.result) {
            (Query::GetCredentialShared { id }, Ok(Answer::Shared(_))) => {
                shared_content(chronicle, view, *id, &mut tally);
            }
            (Query::GetCredentialShared { id }, Err(why)) => {
                if is_granted(chronicle, view, *id) {
                    // Its end or its uses keep a grant from being read, and that is what has to be said.
                    let of_terms = matches!(why, Refusal::GrantEnded | Refusal::GrantNotOpen);
                    let mut held = held(chronicle, view, *id);
                    if of_terms && !held.any(|grant| reads(chronicle, view, grant)) {
                        tally.kept("GRANT-13");
                    }
                    continue;
                }
                // A refusal tests the rule when there once was a grant, or never was one.
                tally.kept("GRANT-01");
                match ended_grant(chronicle, view, *id) {
                    Some((_, How::Ended)) => tally.kept("GRANT-13"),
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
    held(chronicle, view, id).next().is_some()
}

/// The reader's grants on the credential that ought to live at the view's height.
fn held<'c, 'a>(
    chronicle: &'c Chronicle<'a>,
    view: &View<'_>,
    id: CredentialId,
) -> impl Iterator<Item = &'c GrantFact<'a>> {
    let caller = view.caller.map(|caller| caller.caller());
    chronicle
        .grants_on(id, view.height)
        .map(|(_, grant)| grant)
        .filter(move |grant| {
            let caller = caller.as_deref();
            caller.is_some_and(|caller| grant.grantee.eq_ignore_ascii_case(caller))
        })
}

/// Whether a grant lets its grantee read at the view's height.
fn reads(chronicle: &Chronicle<'_>, view: &View<'_>, grant: &GrantFact<'_>) -> bool {
    grant.reads_at(view.height, chronicle.time_of(view.height))
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
    let who = &chronicle.history.cast.party(view.by).name;
    let answered = format!(
        "{} returned copy {id} to {who} at height {}",
        view.node, view.height
    );
    if is_granted(chronicle, view, id) {
        tally.kept("GRANT-01");
        let held: Vec<_> = held(chronicle, view, id).collect();
        let limited =
            |grant: &&GrantFact<'_>| grant.terms.uses.is_some() || grant.terms.expires_at.is_some();
        if held.iter().any(limited) {
            let readable = held.iter().any(|grant| reads(chronicle, view, grant));
            tally.test("GRANT-13", readable, || {
                let sentence = format!("{answered}, whose grant is used up or not in use");
                let born = held.iter().map(|grant| grant.born.seen);
                (sentence, born.chain([view.seen]).collect())
            });
        }
        return;
    }
    match ended_grant(chronicle, view, id) {
        Some((evidence, how)) => {
            let (requirement, why): (RequirementId, _) = match how {
                How::Revoked => ("GRANT-07", "whose grant was revoked before"),
                How::Rescinded => ("GRANT-01", "who had given it up before"),
                How::Ended => ("GRANT-13", "whose grant had ended before"),
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
        let readable = held(chronicle, view, *id).any(|grant| reads(chronicle, view, grant));
        if !living || !readable {
            continue;
        }
        // A grant that has to be paid for takes effect with the payment.
        if matches!(view.result, Err(Refusal::FeeUnpaid)) {
            continue;
        }
        let refused = matches!(
            view.result,
            Err(Refusal::NotShared
                | Refusal::CredentialUnknown
                | Refusal::GrantEnded
                | Refusal::GrantNotOpen)
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

/// A read that somebody asked a gateway to pass on.
struct Passed<'a> {
    seen: usize,
    by: PartyId,
    gateway: PartyId,
    query: &'a Query,
    answered: bool,
}

/// A session at a gateway.
struct Session {
    seen: usize,
    gateway: PartyId,
    identity: Identity,
    until: i64,
}

fn answers_go_to_who_asked(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let cast = &chronicle.history.cast;
    let (mut passed, mut sessions) = (Vec::new(), Vec::new());
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::AskedGateway { by, gateway, query } => passed.push(Passed {
                seen,
                by: *by,
                gateway: *gateway,
                query,
                answered: false,
            }),
            Event::SignedIn {
                gateway,
                identity,
                until,
                ..
            } => sessions.push(Session {
                seen,
                gateway: *gateway,
                identity: *identity,
                until: *until,
            }),
            _ => {}
        }
    }
    for view in &chronicle.views {
        let Some(caller) = view.caller else { continue };
        let member = cast.party(view.by);
        if let Ok(Answer::Grants(rows)) = view.result {
            let (own, text) = (owner(chronicle, view), caller.caller());
            let theirs = |row: &&GrantRow| {
                Some(row.owner) != own && !row.grantee.eq_ignore_ascii_case(&text)
            };
            let foreign = rows.iter().find(theirs);
            tally.test("READ-01", foreign.is_none(), || {
                let row = foreign.expect("it was found");
                let sentence = format!(
                    "{} showed {} the grant of {} on {}",
                    view.node, member.name, row.grantee, row.data
                );
                (sentence, vec![view.seen])
            });
        }
        let private = match view.result {
            Ok(Answer::Owned(row)) => row.is_some(),
            Ok(Answer::Shared(_)) => true,
            Ok(Answer::Credentials(rows)) => !rows.is_empty(),
            Ok(Answer::Grants(rows)) => !rows.is_empty(),
            Ok(Answer::Wallets(rows)) => !rows.is_empty(),
            Ok(Answer::User(row)) => row.is_some(),
            _ => false,
        };
        let asked = passed.iter_mut().find(|asked| {
            let holds = cast.party(asked.by).identities.contains(&caller);
            let same = asked.gateway == view.by && asked.query == view.query;
            holds && same && !asked.answered && asked.seen < view.seen
        });
        let holds = match asked {
            // What a gateway passes on for the holder of the key is the holder's, once.
            Some(asked) => {
                asked.answered = true;
                true
            }
            None => member.identities.contains(&caller),
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
        // A name without a signature is good while a session lasts.
        if member.role == Role::Gateway && !view.signed && holds && private {
            let now = (cast.epoch.0 + chronicle.history.observations()[view.seen].at.0) / 1_000;
            let own = |one: &&Session| one.gateway == view.by && one.identity == caller;
            let last = sessions
                .iter()
                .filter(own)
                .rfind(|one| one.seen < view.seen);
            // Clocks of gateways may be a little off, and answers take their time.
            let living = last.is_some_and(|one| now as i64 <= one.until + SLACK);
            tally.test("READ-01", living, || {
                let sentence = format!(
                    "{} read for {} without a session of theirs",
                    member.name,
                    chronicle.name_of(&caller)
                );
                let opened = last.map(|one| one.seen);
                (sentence, opened.into_iter().chain([view.seen]).collect())
            });
        }
    }
    tally.verdict("nobody read anything under a name")
}

pub(super) const OWNERS_SEE_EVERYTHING: Invariant = Invariant {
    name: "owners-see-everything",
    claim: "the owner's listings show every credential and grant of the profile, and nothing that ended",
    source: "doc:faqs-users; schema:get_credentials, get_access_grants_owned",
    requirements: &[
        "DASH-01", "DEL-01", "DEL-04", "DEL-05", "GRANT-07", "GRANT-13", "GRANT-14",
    ],
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
        Some(How::Due) => "DEL-05",
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
        How::Ended => "has come to its own end",
        How::Due => "its owner wanted removed after the lock",
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
            let requirement = match end.how {
                How::Ended => "GRANT-13",
                How::Due => "DEL-05",
                _ => "GRANT-07",
            };
            tally.test(requirement, !listed.contains(&id), || {
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
