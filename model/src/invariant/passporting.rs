//! Reliance: who takes whose word for a document.

use std::collections::{BTreeMap, BTreeSet};

use super::chronicle::Chronicle;
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::Event;
use crate::id::{ClubId, ContentHash, CredentialId, Height, PartyId, PeerId};
use crate::ledger::{Action, Outcome};

pub(super) const RELIANCE_IS_EARNED: Invariant = Invariant {
    name: "reliance-is-earned",
    claim: "an obliged entity relies on another only if that one compared the document with what it verified \
            itself and then inserted the grant, both being members of one club",
    source: "S0; hist; idos-facts 5.12",
    requirements: &["REUSE-03"],
    check: reliance_is_earned,
};

/// What an entity vouched for, and from which copy of its own.
struct Word {
    seen: usize,
    by: PartyId,
    own: CredentialId,
    document: ContentHash,
}

fn reliance_is_earned(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut words: Vec<Word> = Vec::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Vouched {
                by, own, document, ..
            } => words.push(Word {
                seen,
                by: *by,
                own: *own,
                document: *document,
            }),
            Event::Relied {
                by,
                on,
                copy,
                document,
                height,
                doubt,
            } => {
                let word = words
                    .iter()
                    .rfind(|word| word.by == *on && Some(word.document) == *document);
                let inserted = inserted_by(chronicle, (*by, *on), *copy, *height);
                let wrong = match (word, inserted) {
                    _ if !share_a_club(chronicle, *by, *on, *height) => {
                        Some("with whom it shares no club")
                    }
                    (None, _) => Some("who compared no such document"),
                    (_, None) => Some("who did not insert the grant"),
                    (Some(word), Some(born)) if born < word.seen => {
                        Some("who inserted the grant before comparing anything")
                    }
                    (Some(word), _) if is_borrowed(chronicle, *on, word.own) => {
                        Some("who relies on somebody else itself")
                    }
                    _ => None,
                };
                if doubt.is_some() {
                    // Who doubts for nothing relies on nothing that is wrong, and shows nothing.
                    if wrong.is_some() {
                        tally.kept("REUSE-03");
                    }
                    continue;
                }
                tally.test("REUSE-03", wrong.is_none(), || {
                    let name = |id: PartyId| &chronicle.history.cast.party(id).name;
                    let wrong = wrong.unwrap_or_default();
                    let sentence = format!("{} relies on {}, {wrong}", name(*by), name(*on));
                    let before = word.map(|word| word.seen);
                    (
                        sentence,
                        before.into_iter().chain(inserted).chain([seen]).collect(),
                    )
                });
            }
            _ => {}
        }
    }
    tally.verdict("nobody relied on anybody")
}

/// When the relied-upon entity inserted a living grant of the other's on a copy.
fn inserted_by(
    chronicle: &Chronicle<'_>,
    (by, on): (PartyId, PartyId),
    copy: CredentialId,
    height: Height,
) -> Option<usize> {
    let cast = &chronicle.history.cast;
    let grantees = &cast.party(by).identities;
    chronicle.grants_on(copy, height).find_map(|(_, grant)| {
        let theirs = grantees
            .iter()
            .any(|identity| identity.caller().eq_ignore_ascii_case(&grant.grantee));
        let paper = matches!(grant.born.action, Action::CreateAgByDagForCopy { .. });
        let inserted = cast.party(on).identities.contains(&grant.born.caller);
        (theirs && paper && inserted).then_some(grant.born.seen)
    })
}

/// Whether an entity has its own copy of a document by somebody else's word.
fn is_borrowed(chronicle: &Chronicle<'_>, of: PartyId, own: CredentialId) -> bool {
    let identities = &chronicle.history.cast.party(of).identities;
    let mut grants = chronicle.all_grants();
    grants.any(|(_, grant)| {
        let on_it = grant.data == own;
        let paper = matches!(grant.born.action, Action::CreateAgByDagForCopy { .. });
        on_it && paper && !identities.contains(&grant.born.caller)
    })
}

fn share_a_club(chronicle: &Chronicle<'_>, one: PartyId, other: PartyId, height: Height) -> bool {
    let mut keys: BTreeMap<PeerId, PartyId> = BTreeMap::new();
    let mut members: BTreeSet<(ClubId, PeerId)> = BTreeSet::new();
    let registered = chronicle
        .deeds
        .iter()
        .filter(|deed| deed.outcome == Outcome::Accepted && deed.height <= height);
    for deed in registered {
        match deed.action {
            Action::AddPassportingPeerAsOwner {
                id,
                issuer_public_key,
                ..
            }
            | Action::UpdatePassportingPeerAsOwner {
                id,
                issuer_public_key,
                ..
            } => {
                keys.remove(id);
                if let Some(party) = chronicle.history.cast.holder(issuer_public_key) {
                    keys.insert(*id, party);
                }
            }
            Action::DeletePassportingPeerAsOwner { id } => {
                keys.remove(id);
                members.retain(|(_, peer)| peer != id);
            }
            Action::DeletePassportingClubAsOwner { id } => members.retain(|(club, _)| club != id),
            Action::AddPassportingPeerToClubAsOwner {
                passporting_club_id: club,
                passporting_peer_id: peer,
            } => {
                members.insert((*club, *peer));
            }
            Action::DeletePassportingPeerFromClubAsOwner {
                passporting_club_id: club,
                passporting_peer_id: peer,
            } => {
                members.remove(&(*club, *peer));
            }
            _ => {}
        }
    }
    let clubs = |party: PartyId| -> BTreeSet<ClubId> {
        let is = |peer: &PeerId| keys.get(peer) == Some(&party);
        let of = members.iter().filter(|(_, peer)| is(peer));
        of.map(|(club, _)| *club).collect()
    };
    !clubs(one).is_disjoint(&clubs(other))
}
