//! What is said about credentials without giving them away.

use std::collections::{BTreeMap, BTreeSet};

use super::chronicle::Chronicle;
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::actor::MARKER_PREFIX;
use crate::history::{Event, Role};
use crate::id::{ContentHash, CredentialId, PartyId};

pub(super) const FILTERS_TELL_IDS_ONLY: Invariant = Invariant {
    name: "filters-tell-ids-only",
    claim: "a private filter tells which credentials have every property asked for and none ruled out, and \
            nothing else leaves the enclave",
    source: "sdk:enclave; doc:getting-started; idos-facts 5.13",
    requirements: &["DISC-01", "DISC-03"],
    check: filters_tell_ids_only,
};

fn filters_tell_ids_only(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for (seen, observation) in chronicle.observations() {
        let Event::Filtered {
            of,
            candidates,
            told,
            ..
        } = &observation.event
        else {
            continue;
        };
        let who = &chronicle.history.cast.party(*of).name;
        let Ok(ids) = serde_json::from_str::<BTreeSet<CredentialId>>(told) else {
            let sentence = format!("the enclave of {who} told more than ids to a filter: {told}");
            tally.broken("DISC-01", sentence, vec![seen]);
            continue;
        };
        for id in &ids {
            let mut sifted = candidates.iter();
            let known = sifted.any(|candidate| candidate.credential == *id);
            tally.test("DISC-01", known, || {
                let sentence = format!("the enclave of {who} told {id}, which it did not look at");
                (sentence, vec![seen])
            });
        }
        for candidate in candidates {
            let fits = candidate.picks.iter().all(|holds| *holds)
                && !candidate.omits.iter().any(|holds| *holds);
            let passed = ids.contains(&candidate.credential);
            tally.test("DISC-03", fits == passed, || {
                let id = candidate.credential;
                let sentence = match passed {
                    true => format!("credential {id} of {who} passed a filter that rules it out"),
                    false => format!("credential {id} of {who} fits a filter and did not pass"),
                };
                (sentence, vec![seen])
            });
        }
    }
    tally.verdict("no enclave was asked to filter")
}

pub(super) const ANSWERS_ARE_BOUND: Invariant = Invariant {
    name: "answers-are-bound",
    claim: "a careful consumer believes an answer only to its own question, from an issuer, as the owner \
            approved it and while it stands, and is told nothing besides",
    source: "S4; S2; idos-facts 5.13",
    requirements: &["DISC-02"],
    check: answers_are_bound,
};

/// What the history knows of a question.
#[derive(Default)]
struct Asked {
    by: Option<PartyId>,
    expires: i64,
    /// The living approval: its observation, and whether it is for more than one answer.
    approval: Option<(usize, bool)>,
    answers: u64,
}

/// What the history knows of an answer.
struct Given {
    seen: usize,
    question: u32,
    by: PartyId,
    approved: bool,
    allowed: bool,
}

fn answers_are_bound(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut questions: BTreeMap<u32, Asked> = BTreeMap::new();
    let mut given: BTreeMap<ContentHash, Given> = BTreeMap::new();
    let mut believed: BTreeMap<ContentHash, usize> = BTreeMap::new();
    let cast = &chronicle.history.cast;
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::QuestionAsked {
                question,
                by,
                expires,
                ..
            } => {
                let asked = questions.entry(*question).or_default();
                (asked.by, asked.expires) = (Some(*by), *expires);
            }
            Event::AnswerDecided {
                question,
                credential,
                repeated,
                ..
            } => {
                let asked = questions.entry(*question).or_default();
                asked.approval = credential.is_some().then_some((seen, *repeated));
                asked.answers = 0;
            }
            Event::Evaluated {
                question,
                by,
                approved,
                told,
                digest,
                ..
            } => {
                if told.contains(MARKER_PREFIX) {
                    let sentence =
                        format!("the answer to question {question} contains the document's text");
                    tally.broken("DISC-02", sentence, vec![seen]);
                }
                let asked = questions.entry(*question).or_default();
                asked.answers += 1;
                let allowed = match asked.approval {
                    Some((_, repeated)) => repeated || asked.answers == 1,
                    None => false,
                };
                let answer = Given {
                    seen,
                    question: *question,
                    by: *by,
                    approved: *approved,
                    allowed,
                };
                given.insert(*digest, answer);
            }
            Event::AnswerJudged {
                by,
                question,
                digest,
                at,
                doubt,
            } if cast.party(*by).careful => {
                let who = &cast.party(*by).name;
                let asked = questions.entry(*question).or_default();
                let before = believed.get(digest).copied();
                let answer = given.get(digest);
                let wrong = match answer {
                    None => Some("that nobody gave"),
                    Some(answer) if cast.party(answer.by).role != Role::Issuer => {
                        Some("that no issuer vouches for")
                    }
                    Some(answer) if answer.question != *question || asked.by != Some(*by) => {
                        Some("to another's question")
                    }
                    Some(answer) if !answer.allowed => Some("that the owner did not approve"),
                    Some(answer) if !answer.approved => {
                        Some("from a credential that is not approved")
                    }
                    Some(_) if *at > asked.expires => Some("after the question had expired"),
                    Some(_) if before.is_some() => Some("a second time"),
                    Some(_) => None,
                };
                if doubt.is_some() {
                    // Who doubts for nothing believes nothing that is wrong, and shows nothing.
                    if wrong.is_some() {
                        tally.kept("DISC-02");
                    }
                    continue;
                }
                believed.insert(*digest, seen);
                tally.test("DISC-02", wrong.is_none(), || {
                    let wrong = wrong.unwrap_or_default();
                    let sentence = format!("{who} believed an answer {wrong}");
                    let shown = answer.map(|answer| answer.seen);
                    (sentence, shown.into_iter().chain([seen]).collect())
                });
            }
            _ => {}
        }
    }
    tally.verdict("nobody asked a question")
}
