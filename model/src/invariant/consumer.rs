//! What consumers accept, and how they came to it.

use std::collections::{BTreeMap, BTreeSet};

use super::chronicle::Chronicle;
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::{Doubt, Event};
use crate::id::{ContentHash, CredentialId, Height, PartyId, Text, UserId};
use crate::ledger::Action;
use crate::vc::{notes_id, status};

pub(super) const CAREFUL_CONSUMERS_ARE_NOT_FOOLED: Invariant = Invariant {
    name: "careful-consumers-are-not-fooled",
    claim: "a careful consumer accepts no document that its issuer did not sign for this user, has \
            revoked, or that is not the one the grant speaks of",
    source: "doc:consumer-guide; idos-facts 5.14",
    requirements: &["REUSE-02", "ENC-04", "REV-03"],
    check: careful_consumers_are_not_fooled,
};

fn careful_consumers_are_not_fooled(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut issued: BTreeMap<(ContentHash, UserId), usize> = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Issued {
                about, document, ..
            } => {
                issued.insert((*document, *about), seen);
            }
            Event::Judged {
                by,
                copy,
                user,
                document,
                height,
                doubt,
            } if chronicle.history.cast.party(*by).careful => {
                let who = &chronicle.history.cast.party(*by).name;
                if *doubt == Some(Doubt::HashMismatch) {
                    tally.kept("ENC-04");
                }
                let stated = stated_status(chronicle, *copy, *height);
                if let Some(doubt) = doubt {
                    tally.kept("REUSE-02");
                    if let (Doubt::NotApproved, Some((_, false))) = (doubt, stated) {
                        tally.kept("REV-03");
                    }
                    continue;
                }
                let genuine =
                    document.is_some_and(|document| issued.contains_key(&(document, *user)));
                tally.test("REUSE-02", genuine, || {
                    let sentence =
                        format!("{who} accepted copy {copy}, which no issuer signed for this user");
                    (sentence, vec![seen])
                });
                if let Some((since, approved)) = stated {
                    for requirement in ["REUSE-02", "REV-03"] {
                        tally.test(requirement, approved, || {
                            let sentence = format!(
                                "{who} accepted copy {copy} after its issuer had revoked it"
                            );
                            (sentence, vec![since, seen])
                        });
                    }
                }
                let stated = stated_hashes(chronicle, *copy, *by, *height);
                if let (Some(document), false) = (document, stated.is_empty()) {
                    let document = document.to_string();
                    let same = stated.iter().any(|(hash, _)| ***hash == *document);
                    tally.test("ENC-04", same, || {
                        let sentence = format!(
                            "{who} accepted copy {copy}, whose content is not what the grant states"
                        );
                        let born = stated.iter().map(|(_, born)| *born);
                        (sentence, born.chain([seen]).collect())
                    });
                }
            }
            _ => {}
        }
    }
    tally.verdict("no careful consumer judged a copy")
}

/// The observation of the issuer's last statement that a reader at this height could know of, and
/// whether it approves.
fn stated_status(
    chronicle: &Chronicle<'_>,
    copy: CredentialId,
    height: Height,
) -> Option<(usize, bool)> {
    let fact = chronicle.credential_at(copy, height)?;
    let original = chronicle.original_of(fact)?;
    // What the issuer signed first counts, whatever the holder has made of the row since.
    let (issuer, notes) = match original.born.action {
        Action::AddCredential {
            issuer_auth_public_key,
            public_notes,
            ..
        }
        | Action::UpsertCredentialAsInserter {
            issuer_auth_public_key,
            public_notes,
            ..
        }
        | Action::CreateCredentialsByDwg {
            issuer_auth_public_key,
            original_public_notes: public_notes,
            ..
        } => (issuer_auth_public_key, public_notes),
        _ => return None,
    };
    let stated = chronicle.stated(issuer, &notes_id(notes)?, height)?;
    let approved = status(&stated.notes).as_deref() == Some("approved");
    Some((stated.seen, approved))
}

/// The content hashes a consumer's living grants on a copy state. A dAG may state none, and then the
/// issuer's proof alone vouches for the content; so nothing is stated when any grant states nothing.
fn stated_hashes<'a>(
    chronicle: &Chronicle<'a>,
    copy: CredentialId,
    by: PartyId,
    height: Height,
) -> Vec<(&'a Text, usize)> {
    let member = chronicle.history.cast.party(by);
    let own = chronicle.grants_on(copy, height).filter(|(_, grant)| {
        member
            .identities
            .iter()
            .any(|i| i.caller().eq_ignore_ascii_case(&grant.grantee))
    });
    let stated = |action: &'a Action| match action {
        Action::ShareCredential { content_hash, .. }
        | Action::CreateCredentialsByDwg { content_hash, .. } => Some(content_hash),
        Action::CreateAgByDagForCopy {
            dag_content_hash, ..
        } => dag_content_hash.as_ref(),
        _ => None,
    };
    own.map(|(_, grant)| Some((stated(grant.born.action)?, grant.born.seen)))
        .collect::<Option<Vec<_>>>()
        .unwrap_or_default()
}

pub(super) const REQUESTS_COME_FIRST: Invariant = Invariant {
    name: "requests-come-first",
    claim: "an approval answers a request and gives no more than it asked for; a denied request \
            discloses nothing",
    source: "S4; idos-facts 5.3",
    requirements: &["REQ-01", "REQ-02", "REQ-03"],
    check: requests_come_first,
};

fn requests_come_first(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut requests: BTreeMap<u32, (usize, PartyId, i64)> = BTreeMap::new();
    let mut denied: BTreeMap<u32, usize> = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Requested {
                request,
                by,
                locked_until,
                ..
            } => {
                requests.insert(*request, (seen, *by, *locked_until));
            }
            Event::Decided {
                request,
                by,
                copy: Some(copy),
                locked_until,
            } => {
                let who = &chronicle.history.cast.party(*by).name;
                let asked = requests.get(request);
                tally.test("REQ-01", asked.is_some(), || {
                    (format!("{who} approved a request nobody made"), vec![seen])
                });
                let Some((asked, _, wanted)) = asked else {
                    continue;
                };
                tally.test("REQ-03", locked_until <= wanted, || {
                    let sentence =
                        format!("{who} locked copy {copy} for longer than the consumer asked");
                    (sentence, vec![*asked, seen])
                });
                if let Some(before) = denied.get(request) {
                    let sentence = format!("{who} denied request {request} and then granted it");
                    tally.broken("REQ-02", sentence, vec![*before, seen]);
                }
            }
            Event::Decided {
                request,
                by,
                copy: None,
                ..
            } => {
                denied.insert(*request, seen);
                let disclosed = requests
                    .get(request)
                    .and_then(|(_, consumer, _)| disclosure(chronicle, (*consumer, *by), seen));
                tally.test("REQ-02", disclosed.is_none(), || {
                    let opened = disclosed.expect("something was disclosed");
                    let sentence =
                        format!("a consumer read a copy though request {request} was denied");
                    (sentence, vec![seen, opened])
                });
            }
            _ => {}
        }
    }
    tally.verdict("no consumer asked for access, or no user decided")
}

/// Something of a user's that a consumer opened after a denial although no living grant allowed it.
fn disclosure(
    chronicle: &Chronicle<'_>,
    (consumer, user): (PartyId, PartyId),
    after: usize,
) -> Option<usize> {
    let member = chronicle.history.cast.party(consumer);
    let denier = chronicle.history.cast.party(user).user;
    chronicle
        .observations()
        .skip(after)
        .find_map(|(seen, observation)| match &observation.event {
            Event::Opened {
                by,
                credential,
                height,
                ..
            } if *by == consumer => {
                let granted = chronicle.grants_on(*credential, *height).any(|(_, grant)| {
                    member
                        .identities
                        .iter()
                        .any(|i| i.caller().eq_ignore_ascii_case(&grant.grantee))
                });
                let theirs = chronicle
                    .last_credential(*credential, *height)
                    .is_some_and(|fact| fact.owner == denier);
                (theirs && !granted).then_some(seen)
            }
            _ => None,
        })
}

pub(super) const ONE_VERIFICATION_SERVES_MANY: Invariant = Invariant {
    name: "one-verification-serves-many",
    claim: "a second consumer is served from the same verification, by an approval alone",
    source: "S1, S4",
    requirements: &["REUSE-01"],
    check: one_verification_serves_many,
};

fn one_verification_serves_many(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut signed: BTreeMap<ContentHash, Vec<usize>> = BTreeMap::new();
    let mut served: BTreeMap<ContentHash, (PartyId, usize)> = BTreeMap::new();
    let mut again = BTreeSet::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Issued { document, .. } => signed.entry(*document).or_default().push(seen),
            Event::Judged {
                by,
                document: Some(document),
                doubt: None,
                ..
            } => {
                let Some(signed) = signed.get(document) else {
                    // Nobody verified what nobody signed, which is for another promise to say.
                    continue;
                };
                let (first, accepted) = *served.entry(*document).or_insert((*by, seen));
                if first == *by || !again.insert((*document, *by)) {
                    continue;
                }
                let anew = signed.iter().find(|issued| **issued > accepted);
                tally.test("REUSE-01", anew.is_none(), || {
                    let who = &chronicle.history.cast.party(*by).name;
                    let sentence = format!(
                        "{who} was served only after the document had been issued once more"
                    );
                    (
                        sentence,
                        anew.into_iter().copied().chain([accepted, seen]).collect(),
                    )
                });
            }
            _ => {}
        }
    }
    tally.verdict("no document was accepted by two consumers")
}
