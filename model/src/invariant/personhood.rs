//! Persons: known to issuers by ids that mean nothing elsewhere, and unknown to the network.

use std::collections::BTreeMap;

use super::chronicle::Chronicle;
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::Event;
use crate::id::{ContentHash, PartyId, UserId};
use crate::ledger::{Action, Engine, Outcome, Refusal, Written};

pub(super) const PERSONS_ARE_PSEUDONYMS: Invariant = Invariant {
    name: "persons-are-pseudonyms",
    claim: "a personhood credential holds an id and nothing else: the same for one person, another for another \
            person or issuer, and nowhere where operators see it",
    source: "doc:biometrics; S0; idos-facts 4.12",
    requirements: &["PERS-01"],
    check: persons_are_pseudonyms,
};

fn persons_are_pseudonyms(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let cast = &chronicle.history.cast;
    // By issuer and person, and the other way round.
    let mut ids: BTreeMap<(PartyId, PartyId), (&str, usize)> = BTreeMap::new();
    let mut persons: BTreeMap<&str, ((PartyId, PartyId), usize)> = BTreeMap::new();
    let mut documents: BTreeMap<ContentHash, (PartyId, usize)> = BTreeMap::new();
    let mut met: BTreeMap<(PartyId, &str), UserId> = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Recognised {
                by,
                of,
                known,
                person: id,
                claims,
                document,
                ..
            } => {
                let (issuer, user) = (&cast.party(*by).name, &cast.party(*of).name);
                let who = (*by, cast.party(*of).person);
                let bare = claims.iter().all(|claim| claim == "faceSignUserId");
                tally.test("PERS-01", bare && claims.len() == 1, || {
                    let told = claims.join(", ");
                    let sentence =
                        format!("{issuer} says more of the person of {user} than an id: {told}");
                    (sentence, vec![seen])
                });
                let before = ids.insert(who, (id, seen));
                tally.test("PERS-01", *known == before.is_some(), || {
                    let sentence = match known {
                        true => format!("{issuer} takes {user} for a person it has never seen"),
                        false => format!("{issuer} does not know the person of {user} again"),
                    };
                    (
                        sentence,
                        before
                            .map(|(_, seen)| seen)
                            .into_iter()
                            .chain([seen])
                            .collect(),
                    )
                });
                if let Some((other, earlier)) = before {
                    tally.test("PERS-01", other == id, || {
                        let sentence =
                            format!("{issuer} gives the person of {user} another id than before");
                        (sentence, vec![earlier, seen])
                    });
                }
                let taken = persons
                    .insert(id, (who, seen))
                    .filter(|(other, _)| *other != who);
                tally.test("PERS-01", taken.is_none(), || {
                    let (_, earlier) = taken.expect("it is taken");
                    let sentence = format!(
                        "the id {issuer} gives the person of {user} is also another person's or another issuer's"
                    );
                    (sentence, vec![earlier, seen])
                });
                // Hashes of documents stand on grants, where every operator reads them.
                let twin = documents
                    .insert(*document, (*of, seen))
                    .filter(|(other, _)| other != of);
                tally.test("PERS-01", twin.is_none(), || {
                    let (other, earlier) = twin.expect("there is one");
                    let sentence = format!(
                        "{} and {user} have the same personhood document, by whose hash operators link them",
                        cast.party(other).name
                    );
                    (sentence, vec![earlier, seen])
                });
            }
            Event::MetPerson {
                by,
                user,
                person,
                known,
            } => {
                let first = *met.entry((*by, person)).or_insert(*user);
                let elsewhere = first != *user;
                tally.test("PERS-01", *known == elsewhere, || {
                    let who = &cast.party(*by).name;
                    let sentence = match known {
                        true => {
                            format!("{who} takes a person for one it has met in another profile")
                        }
                        false => format!("{who} does not know a person again that it has met"),
                    };
                    (sentence, vec![seen])
                });
            }
            _ => {}
        }
    }
    for deed in &chronicle.deeds {
        for written in Written::all(deed.action) {
            let shown = persons
                .iter()
                .find(|(id, _)| written.public_notes.contains(**id));
            if let Some((_, (_, recognised))) = shown {
                let mut evidence = vec![*recognised, deed.seen];
                evidence.sort_unstable();
                let sentence = "the id of a person stands in public notes".to_owned();
                tally.broken("PERS-01", sentence, evidence);
            }
        }
    }
    tally.verdict("no issuer looked at a face")
}

pub(super) const NETWORK_KNOWS_NO_PERSONS: Invariant = Invariant {
    name: "network-knows-no-persons",
    claim: "a person's second profile is created like anybody's first",
    source: "doc:faqs-developers; idos-facts 1.3",
    requirements: &["PERS-02"],
    check: network_knows_no_persons,
};

fn network_knows_no_persons(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let cast = &chronicle.history.cast;
    let person = |user: UserId| cast.owner(user).map(|id| cast.party(id).person);
    let mut profiles: BTreeMap<PartyId, (UserId, usize)> = BTreeMap::new();
    for deed in &chronicle.deeds {
        let Action::AddUserAsInserter { id, .. } = deed.action else {
            continue;
        };
        let Some(person) = person(*id) else { continue };
        let second = profiles
            .get(&person)
            .filter(|(first, _)| first != id)
            .copied();
        if let Some((_, first)) = second {
            // What a first profile is refused for as well says nothing of the person.
            let ordinary = match deed.outcome {
                Outcome::Refused(
                    Refusal::Engine(Engine::DuplicateKey(_)) | Refusal::UnauthorizedInserter,
                ) => true,
                Outcome::Refused(_) | Outcome::Accepted | Outcome::Invalid => false,
            };
            if !ordinary && deed.is_alone() {
                tally.test("PERS-02", deed.outcome == Outcome::Accepted, || {
                    let name = chronicle.name_of_user(*id);
                    let sentence = format!("{name} was refused a profile, whose person has one");
                    (sentence, vec![first, deed.seen])
                });
            }
        }
        if deed.outcome == Outcome::Accepted {
            profiles.entry(person).or_insert((*id, deed.seen));
        }
    }
    tally.verdict("no person has two profiles")
}
