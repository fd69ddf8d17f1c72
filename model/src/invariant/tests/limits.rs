use super::story::*;
use super::{Case, Expected, broken, case, held};
use crate::id::{GrantId, WriteGrantId};
use crate::invariant::limits::*;
use crate::ledger::{Action, Answer, DagTerms, Query, Refusal, RemainderRow};
use uuid::Uuid;

/// Ten years, leap years and a day.
const LONGEST: i64 = (10 * 366 + 1) * 86_400;

pub(super) fn cases() -> Vec<Case> {
    [bounds(), uses(), at_once(), papers(), remainders()]
        .into_iter()
        .flatten()
        .collect()
}

fn attribute_of(bytes: usize) -> Action {
    Action::AddAttribute {
        id: attribute(1),
        attribute_key: "city".into(),
        value: "x".repeat(bytes).into(),
    }
}

fn bounds() -> Vec<Case> {
    let by = &BOUNDS_HOLD;
    vec![
        case(
            "a lock of milliseconds is taken",
            Story::new().shared(1_767_225_600_000),
            by,
            broken(&["GRANT-12"]),
        ),
        case(
            "a lock of a write grant is taken that is a second too long",
            Story::new()
                .registered()
                .at(150)
                .block([did(KYC, dwg(7, BANK, LONGEST + 151))]),
            by,
            broken(&["GRANT-12"]),
        ),
        case(
            "a write grant is refused for its lock of ten years",
            Story::new().registered().at(150).block([refused(
                KYC,
                dwg(7, BANK, LONGEST + 150),
                Refusal::LockTooLong,
            )]),
            by,
            broken(&["GRANT-12"]),
        ),
        case(
            "a lock of ten years is refused",
            Story::new().stored().block([refused(
                ALICE,
                share(BANK, LONGEST),
                Refusal::LockTooLong,
            )]),
            by,
            broken(&["GRANT-12"]),
        ),
        case(
            "a novel is stored as an attribute",
            Story::new()
                .stored()
                .block([did(ALICE, attribute_of(4_097))]),
            by,
            broken(&["CRED-09"]),
        ),
        case(
            "a short attribute is refused",
            Story::new()
                .stored()
                .block([refused(ALICE, attribute_of(4_096), Refusal::Oversized)]),
            by,
            broken(&["CRED-09"]),
        ),
        case(
            "what fits is taken and what does not is refused",
            Story::new().shared(LOCK).block([
                did(ALICE, attribute_of(4_096)),
                refused(ALICE, attribute_of(4_097), Refusal::Oversized),
                refused(ALICE, share(SHOP, -1), Refusal::LockNotInSeconds),
            ]),
            by,
            held(&["CRED-09", "GRANT-12"]),
        ),
    ]
}

/// The bank has a grant for so many uses until this second.
fn counted(expires_at: Option<i64>, uses: i64) -> (Story, GrantId) {
    let terms = limited(expires_at, Some(uses));
    let share = with_terms(share(BANK, 0), terms);
    let story = Story::new().stored().block([did(ALICE, share)]);
    (story, grant(BANK, FOR_BANK, 0))
}

fn uses() -> Vec<Case> {
    let by = &USES_ARE_COUNTED;
    let (story, id) = counted(Some(90), 1);
    let once = || story_of(1).block([did(BANK, use_grant(id))]);
    fn story_of(uses: i64) -> Story {
        counted(Some(90), uses).0
    }
    vec![
        case(
            "a grant for one use is used twice",
            once().block([did(BANK, use_grant(id))]),
            by,
            broken(&["GRANT-13"]),
        ),
        case(
            "a grant is used after its end",
            story.at(91).block([did(BANK, use_grant(id))]),
            by,
            broken(&["GRANT-13"]),
        ),
        case(
            "a grant is used by somebody else",
            story_of(1).block([did(SHOP, use_grant(id))]),
            by,
            broken(&["GRANT-13"]),
        ),
        case(
            "a grant with a use left is said to be over",
            story_of(2)
                .block([did(BANK, use_grant(id))])
                .block([refused(BANK, use_grant(id), Refusal::GrantEnded)]),
            by,
            broken(&["GRANT-13"]),
        ),
        case(
            "a grant for one use is used once and is over then",
            once().block([refused(BANK, use_grant(id), Refusal::GrantEnded)]),
            by,
            held(&["GRANT-13"]),
        ),
    ]
}

fn at_once() -> Vec<Case> {
    let by = &ACCESS_ENDS_AT_ONCE;
    let mine = grant(BANK, FOR_BANK, LOCK);
    let again = grant(BANK, FOR_SHOP, LOCK);
    // Two copies for the bank, the second under the shop's usual id.
    let twice = || {
        let second = share_as(PASSPORT, FOR_SHOP, caller(BANK), LOCK, "");
        Story::new().shared(LOCK).block([did(ALICE, second)])
    };
    let ended = || twice().at(LOCK + 1).block([did(ALICE, end_access(BANK))]);
    vec![
        case(
            "access ends under a lock",
            twice().block([did(ALICE, end_access(BANK))]),
            by,
            broken(&["GRANT-11"]),
        ),
        case(
            "access ends where there is none",
            twice().at(LOCK + 1).block([did(ALICE, end_access(SHOP))]),
            by,
            broken(&["GRANT-11"]),
        ),
        case(
            "one of two grants is left",
            ended().look(N1, &[PASSPORT, FOR_SHOP], &[again], &[ALICE]),
            by,
            broken(&["GRANT-11"]),
        ),
        case(
            "an open grant is said to be locked",
            twice().at(LOCK + 1).block([refused(
                ALICE,
                end_access(BANK),
                Refusal::GrantLocked { until: LOCK },
            )]),
            by,
            broken(&["GRANT-11"]),
        ),
        case(
            "there is said to be no access",
            twice()
                .at(LOCK + 1)
                .block([refused(ALICE, end_access(BANK), Refusal::GrantNotFound)]),
            by,
            broken(&["GRANT-11"]),
        ),
        case(
            "all access ends once no lock runs",
            twice()
                .block([refused(
                    ALICE,
                    end_access(BANK),
                    Refusal::GrantLocked { until: LOCK },
                )])
                .look(
                    N1,
                    &[PASSPORT, FOR_BANK, FOR_SHOP],
                    &[mine, again],
                    &[ALICE],
                )
                .at(LOCK + 1)
                .block([did(ALICE, end_access(BANK))])
                .look(N1, &[PASSPORT], &[], &[ALICE]),
            by,
            held(&["GRANT-11"]),
        ),
    ]
}

fn without_end() -> Action {
    let mut paper = dag(SHOP, FOR_BANK, 0);
    if let Action::CreateAgByDagForCopy { terms, .. } = &mut paper {
        *terms = None;
    }
    paper
}

fn cancel_dag(terms: Option<DagTerms>) -> Action {
    Action::CancelDag {
        dag_owner_wallet_identifier: caller(ALICE),
        dag_grantee_wallet_identifier: caller(SHOP),
        dag_data_id: FOR_BANK,
        dag_locked_until: 0,
        dag_content_hash: None,
        terms,
    }
}

fn papers() -> Vec<Case> {
    let by = &PAPERS_END;
    let cancel_dwg = || Action::CancelDwg {
        dwg_id: WriteGrantId(Uuid::from_u128(7)),
    };
    let used = || did(SHOP, dag(SHOP, FOR_BANK, 0));
    vec![
        case(
            "a dAG without an end is used",
            Story::new().shared(LOCK).block([did(SHOP, without_end())]),
            by,
            broken(&["DAG-05"]),
        ),
        case(
            "a dAG is used a second late",
            Story::new().shared(LOCK).at(PAPER_END + 1).block([used()]),
            by,
            broken(&["DAG-05"]),
        ),
        case(
            "a dAG is said to be over in its last second",
            Story::new().shared(LOCK).at(PAPER_END).block([refused(
                SHOP,
                dag(SHOP, FOR_BANK, 0),
                Refusal::DagExpired,
            )]),
            by,
            broken(&["DAG-05"]),
        ),
        case(
            "a cancelled dAG is used",
            Story::new()
                .shared(LOCK)
                .block([did(ALICE, cancel_dag(dag_terms()))])
                .block([used()]),
            by,
            broken(&["DAG-05"]),
        ),
        case(
            "a cancelled dWG is used",
            Story::new()
                .registered()
                .block([did(ALICE, cancel_dwg())])
                .at(150)
                .block([did(KYC, dwg(7, BANK, LOCK))]),
            by,
            broken(&["DAG-05"]),
        ),
        case(
            "a dAG is said to be cancelled because another was",
            Story::new()
                .shared(LOCK)
                .block([did(ALICE, cancel_dag(None))])
                .block([refused(
                    SHOP,
                    dag(SHOP, FOR_BANK, 0),
                    Refusal::PaperCancelled,
                )]),
            by,
            broken(&["DAG-05"]),
        ),
        case(
            "papers are cancelled and nobody uses any, or one that has no end",
            Story::new()
                .registered()
                .block([
                    did(ALICE, cancel_dag(dag_terms())),
                    did(MALLORY, cancel_dwg()),
                ])
                .at(150)
                .block([did(KYC, dwg(7, SHOP, LOCK))]),
            by,
            Expected::Untested,
        ),
        case(
            "one paper is cancelled, another used, and a dWG that somebody else cancelled too",
            Story::new()
                .shared(LOCK)
                .block([
                    did(ALICE, cancel_dag(dag_terms())),
                    did(MALLORY, cancel_dwg()),
                ])
                .block([
                    refused(SHOP, dag(SHOP, FOR_BANK, 0), Refusal::PaperCancelled),
                    did(SHOP, dag(SHOP, FOR_BANK, LOCK)),
                ])
                .at(150)
                .block([did(KYC, dwg(7, SHOP, LOCK))]),
            by,
            held(&["DAG-05"]),
        ),
    ]
}

fn remainders() -> Vec<Case> {
    let by = &REMAINDERS_GO;
    let waiting = || {
        let removal = did(ALICE, remove_when_unlocked(PASSPORT));
        Story::new().shared(LOCK).block([removal])
    };
    let row = RemainderRow {
        id: FOR_BANK,
        locked_until: LOCK,
        due: true,
    };
    let lists = |story: Story, rows: Vec<RemainderRow>| {
        let query = Query::GetLockedRemainders {};
        story.saw(ALICE, N1, query, Ok(Answer::Remainders(rows)))
    };
    let mine = grant(BANK, FOR_BANK, LOCK);
    vec![
        case(
            "a remainder is still there after its lock",
            waiting()
                .at(LOCK + 1)
                .block([])
                .look(N1, &[FOR_BANK], &[mine], &[ALICE]),
            by,
            broken(&["DEL-05"]),
        ),
        case(
            "a remainder is not listed",
            lists(waiting(), Vec::new()),
            by,
            broken(&["DEL-05"]),
        ),
        case(
            "a copy is listed as a remainder whose original is there",
            lists(Story::new().shared(LOCK), vec![row.clone()]),
            by,
            broken(&["DEL-05"]),
        ),
        case(
            "a remainder is listed while its lock runs, and gone after it",
            lists(
                lists(waiting(), vec![row])
                    .look(N1, &[FOR_BANK], &[mine], &[ALICE])
                    .at(LOCK + 1)
                    .block([])
                    .look(N1, &[], &[], &[ALICE]),
                Vec::new(),
            ),
            by,
            held(&["DEL-05"]),
        ),
    ]
}
