//! Filters and answers.

use super::super::disclosure::{ANSWERS_ARE_BOUND, FILTERS_TELL_IDS_ONLY};
use super::story::Story;
use super::words::*;
use super::{Case, Expected, broken, case, held};
use crate::history::{Candidate, Doubt, Event};
use crate::id::PartyId;

fn filtered(picks: &[bool], omits: &[bool], told: &str) -> Story {
    let candidate = Candidate {
        credential: PASSPORT,
        picks: picks.to_vec(),
        omits: omits.to_vec(),
    };
    Story::new().event(Event::Filtered {
        by: BANK,
        of: ALICE,
        candidates: vec![candidate],
        told: told.to_owned(),
    })
}

fn passport() -> String {
    format!("[\"{PASSPORT}\"]")
}

fn asked() -> Story {
    asked_by(BANK)
}

fn asked_by(by: PartyId) -> Story {
    Story::new().event(Event::QuestionAsked {
        question: 1,
        by,
        of: ALICE,
        expires: LOCK,
    })
}

fn decided(story: Story, approves: bool, repeated: bool) -> Story {
    story.event(Event::AnswerDecided {
        question: 1,
        by: ALICE,
        credential: approves.then_some(PASSPORT),
        repeated,
    })
}

fn evaluated(story: Story, by: PartyId, name: &str, approved: bool, told: &str) -> Story {
    story.event(Event::Evaluated {
        question: 1,
        by,
        credential: PASSPORT,
        answer: true,
        approved,
        told: told.to_owned(),
        digest: document(name),
    })
}

fn judged(story: Story, by: PartyId, name: &str, at: i64, doubt: Option<Doubt>) -> Story {
    story.event(Event::AnswerJudged {
        by,
        question: 1,
        digest: document(name),
        at,
        doubt,
    })
}

/// What the issuer answered to the shop.
fn of_shop() -> Story {
    evaluated(
        decided(asked_by(SHOP), true, false),
        KYC,
        "yes",
        true,
        "yes",
    )
}

/// Asked, approved, answered by the issuer.
fn answered(repeated: bool) -> Story {
    let story = decided(asked(), true, repeated);
    evaluated(story, KYC, "yes", true, "yes")
}

pub(super) fn cases() -> Vec<Case> {
    const DISC: &[&str] = &["DISC-02"];
    let secret = "assay-secret-0";
    let filters = &FILTERS_TELL_IDS_ONLY;
    let answers = &ANSWERS_ARE_BOUND;
    let again = |story| evaluated(story, KYC, "again", true, "yes");
    vec![
        case(
            "what fits passes",
            filtered(&[true, true], &[false], &passport()),
            filters,
            held(&["DISC-01", "DISC-03"]),
        ),
        case(
            "what does not fit stays out",
            filtered(&[true, false], &[], "[]"),
            filters,
            held(&["DISC-03"]),
        ),
        case(
            "one property of two that are ruled out is enough",
            filtered(&[], &[true, false], &passport()),
            filters,
            broken(&["DISC-03"]),
        ),
        case(
            "one property asked for is missing",
            filtered(&[true, false], &[], &passport()),
            filters,
            broken(&["DISC-03"]),
        ),
        case(
            "what fits stays out",
            filtered(&[true], &[], "[]"),
            filters,
            broken(&["DISC-03"]),
        ),
        case(
            "the enclave tells a name",
            filtered(&[false], &[], "[{\"firstName\":\"Alice\"}]"),
            filters,
            broken(&["DISC-01"]),
        ),
        case(
            "the enclave tells an id it has not looked at",
            filtered(&[false], &[], &format!("[\"{LICENCE}\"]")),
            filters,
            broken(&["DISC-01"]),
        ),
        case(
            "an answer is believed by whoever asked",
            judged(answered(false), BANK, "yes", LOCK, None),
            answers,
            held(DISC),
        ),
        case(
            "an answer for another is not believed",
            judged(of_shop(), BANK, "yes", LOCK, Some(Doubt::WrongConsumer)),
            answers,
            held(DISC),
        ),
        case(
            "an answer that is right is not believed",
            judged(
                answered(false),
                BANK,
                "yes",
                LOCK,
                Some(Doubt::WrongConsumer),
            ),
            answers,
            Expected::Untested,
        ),
        case(
            "an answer is given that nobody judges",
            answered(false),
            answers,
            Expected::Untested,
        ),
        case(
            "a doubted answer is not used up",
            judged(
                judged(answered(false), BANK, "yes", 1, Some(Doubt::AnswerForged)),
                BANK,
                "yes",
                2,
                None,
            ),
            answers,
            held(DISC),
        ),
        case(
            "an approval for many answers gives two",
            judged(
                again(judged(answered(true), BANK, "yes", 1, None)),
                BANK,
                "again",
                2,
                None,
            ),
            answers,
            held(DISC),
        ),
        case(
            "an answer to another's question is believed",
            judged(of_shop(), BANK, "yes", LOCK, None),
            answers,
            broken(DISC),
        ),
        case(
            "an expired answer is believed",
            judged(answered(false), BANK, "yes", LOCK + 1, None),
            answers,
            broken(DISC),
        ),
        case(
            "one answer is believed twice",
            judged(
                judged(answered(true), BANK, "yes", 1, None),
                BANK,
                "yes",
                2,
                None,
            ),
            answers,
            broken(DISC),
        ),
        case(
            "an approval for one answer gives two",
            judged(again(answered(false)), BANK, "again", 2, None),
            answers,
            broken(DISC),
        ),
        case(
            "an answer comes after the approval was taken back",
            judged(
                again(decided(answered(true), false, false)),
                BANK,
                "again",
                2,
                None,
            ),
            answers,
            broken(DISC),
        ),
        case(
            "the holder vouches for herself",
            judged(
                evaluated(decided(asked(), true, false), ALICE, "yes", true, "yes"),
                BANK,
                "yes",
                1,
                None,
            ),
            answers,
            broken(DISC),
        ),
        case(
            "an answer nobody gave is believed",
            judged(answered(false), BANK, "another", 1, None),
            answers,
            broken(DISC),
        ),
        case(
            "an answer from a revoked credential is believed",
            judged(
                evaluated(decided(asked(), true, false), KYC, "yes", false, "yes"),
                BANK,
                "yes",
                1,
                None,
            ),
            answers,
            broken(DISC),
        ),
        case(
            "an answer tells what is in the document",
            evaluated(decided(asked(), true, false), KYC, "yes", true, secret),
            answers,
            broken(DISC),
        ),
    ]
}
