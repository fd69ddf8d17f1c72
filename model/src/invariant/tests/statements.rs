use super::story::*;
use super::{Case, Expected, broken, case, held};
use crate::history::{Doubt, Event};
use crate::id::{PartyId, Text};
use crate::invariant::statements::*;
use crate::ledger::{Answer, CredentialSummary, Query};

pub(super) fn cases() -> Vec<Case> {
    [signed(), keys()].into_iter().flatten().collect()
}

/// First second in which the issuer's key is invalid.
const FROM: i64 = 50;

/// The passport was issued for Alice, with this date, and she shared it with the bank.
fn issued(dated: i64) -> Story {
    Story::new()
        .event(Event::Issued {
            by: KYC,
            about: profile(ALICE),
            credential: PASSPORT,
            document: document("passport"),
            dated,
        })
        .shared(LOCK)
}

/// An issuer signs these words with this date.
fn stated(story: Story, by: PartyId, notes: &str, dated: i64) -> Story {
    story.event(Event::Stated {
        by,
        notes: notes.into(),
        dated,
    })
}

/// The bank is shown these notes.
fn shown(story: Story, notes: &str) -> Story {
    let row = CredentialSummary {
        id: FOR_BANK,
        user_id: profile(ALICE),
        public_notes: Text::from(notes),
        issuer_auth_public_key: caller(KYC),
        inserter: None,
        original_id: Some(PASSPORT),
    };
    let query = Query::GetCredentialsSharedByUser {
        user_id: profile(ALICE),
        original_issuer_auth_public_key: None,
    };
    story.saw(BANK, N1, query, Ok(Answer::Credentials(vec![row])))
}

fn signed() -> Vec<Case> {
    let by = &STATEMENTS_ARE_SIGNED;
    let yes = "approved, signed";
    let accepts = |story: Story| story.accept(BANK, Some("passport"));
    vec![
        case(
            "the bank accepts notes that nobody has signed",
            accepts(shown(issued(1), yes)),
            by,
            broken(&["REV-04"]),
        ),
        case(
            "the bank accepts notes that another party has signed",
            accepts(shown(stated(issued(1), MALLORY, yes, 1), yes)),
            by,
            broken(&["REV-04"]),
        ),
        case(
            "the bank accepts other notes than those that are signed",
            accepts(shown(
                stated(issued(1), KYC, yes, 1),
                "approved, signed like those before",
            )),
            by,
            broken(&["REV-04"]),
        ),
        case(
            "the bank accepts by what it was shown for its last judgement",
            accepts(shown(
                accepts(shown(stated(issued(1), KYC, yes, 1), yes)),
                "approved",
            )),
            by,
            broken(&["REV-04"]),
        ),
        case(
            "the bank doubts a statement that is the issuer's",
            shown(stated(issued(1), KYC, yes, 1), yes).doubt(BANK, Doubt::StatementUnsigned),
            by,
            broken(&["REV-04"]),
        ),
        case(
            "the bank accepts what is signed and doubts what is not",
            shown(
                accepts(shown(stated(issued(1), KYC, yes, 1), yes)),
                "approved",
            )
            .doubt(BANK, Doubt::StatementUnsigned),
            by,
            held(&["REV-04"]),
        ),
        case(
            "the shop is careless, and the bank was shown nothing",
            issued(1)
                .block([did(ALICE, share(SHOP, LOCK))])
                .accept(SHOP, Some("passport"))
                .accept(BANK, Some("passport")),
            by,
            Expected::Untested,
        ),
    ]
}

fn keys() -> Vec<Case> {
    let by = &INVALID_KEYS_ARE_DOUBTED;
    // The bank reads of the key, and is shown what the issuer has stated in this second.
    let told = |document: i64, statement: i64| {
        let story = issued(document).event(Event::KeyDeclared {
            by: KYC,
            from: FROM,
        });
        let read = story.event(Event::KeyDeclarationRead {
            by: BANK,
            of: KYC,
            from: FROM,
        });
        shown(stated(read, KYC, "approved", statement), "approved")
    };
    let accepts = |story: Story| story.accept(BANK, Some("passport"));
    vec![
        case(
            "the bank accepts a document signed in the first second of an invalid key",
            accepts(told(FROM, 1)),
            by,
            broken(&["REV-06"]),
        ),
        case(
            "the bank accepts a status signed in the first second of an invalid key",
            accepts(told(1, FROM)),
            by,
            broken(&["REV-06"]),
        ),
        case(
            "the bank accepts a status without a date under an invalid key",
            accepts(shown(told(1, 1).doubt(BANK, Doubt::NotApproved), "undated")),
            by,
            broken(&["REV-06"]),
        ),
        case(
            "the bank goes by a later date after it has read an earlier one",
            accepts(told(FROM - 1, 1).event(Event::KeyDeclarationRead {
                by: BANK,
                of: KYC,
                from: FROM - 1,
            })),
            by,
            broken(&["REV-06"]),
        ),
        case(
            "the bank doubts what was signed in the last second of a key",
            told(FROM - 1, FROM - 1).doubt(BANK, Doubt::KeyInvalid),
            by,
            broken(&["REV-06"]),
        ),
        case(
            "the bank accepts what was signed in the last second of a key",
            accepts(told(FROM - 1, FROM - 1)),
            by,
            held(&["REV-06"]),
        ),
        case(
            "the bank doubts a later status",
            told(FROM - 1, FROM).doubt(BANK, Doubt::KeyInvalid),
            by,
            held(&["REV-06"]),
        ),
        case(
            "the bank has not read of the key yet",
            accepts(shown(
                stated(
                    issued(FROM).event(Event::KeyDeclared {
                        by: KYC,
                        from: FROM,
                    }),
                    KYC,
                    "approved",
                    FROM,
                ),
                "approved",
            )),
            by,
            Expected::Untested,
        ),
    ]
}
