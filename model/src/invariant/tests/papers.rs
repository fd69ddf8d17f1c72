use super::story::*;
use super::{Case, broken, case, held};
use crate::id::GrantId;
use crate::invariant::papers::*;
use crate::ledger::{GrantInserter, GrantRow, Query, Refusal};

pub(super) fn cases() -> Vec<Case> {
    [dags(), well_formed()].into_iter().flatten().collect()
}

/// A grant that the bank inserted for the shop, as the shop lists it.
fn by_dag() -> GrantRow {
    GrantRow {
        inserter_type: GrantInserter::DagMessage,
        inserter_id: caller(BANK),
        ..grant_row(SHOP, FOR_BANK, LOCK)
    }
}

fn granted(story: Story, row: GrantRow) -> Story {
    let query = Query::GetAccessGrantsGranted {
        user_id: None,
        page: None,
        size: None,
    };
    story.saw(SHOP, N1, query, grants(vec![row]))
}

fn dags() -> Vec<Case> {
    let by = &DAGS_WORK_ONCE;
    let used = |lock| {
        Story::new()
            .shared(LOCK)
            .block([did(BANK, dag(SHOP, FOR_BANK, lock))])
    };
    vec![
        case(
            "a paper of somebody else's grants Alice's copy",
            Story::new()
                .shared(LOCK)
                .block([did(BANK, dag_as(MALLORY, SHOP, FOR_BANK, LOCK, None))]),
            by,
            broken(&["DAG-01"]),
        ),
        case(
            "a paper of a wallet that nobody has",
            Story::new()
                .shared(LOCK)
                .block([did(BANK, dag_as(SHOP, SHOP, FOR_BANK, LOCK, None))]),
            by,
            broken(&["DAG-01"]),
        ),
        case(
            "a grant names its owner instead of who inserted it",
            granted(
                used(LOCK),
                GrantRow {
                    inserter_id: caller(ALICE),
                    ..by_dag()
                },
            ),
            by,
            broken(&["DAG-02"]),
        ),
        case(
            "one paper is used twice",
            used(0).block([did(MALLORY, dag(SHOP, FOR_BANK, 0))]),
            by,
            broken(&["DAG-03"]),
        ),
        case(
            "one paper is used twice in one block",
            Story::new().shared(LOCK).block([
                did(BANK, dag(SHOP, FOR_BANK, 0)),
                did(MALLORY, dag(SHOP, FOR_BANK, 0)),
            ]),
            by,
            broken(&["DAG-03"]),
        ),
        case(
            "a paper is used again after the revocation of its grant",
            used(0)
                .block([did(ALICE, revoke(grant(SHOP, FOR_BANK, 0)))])
                .block([did(SHOP, dag(SHOP, FOR_BANK, 0))]),
            by,
            broken(&["DAG-03", "DAG-04"]),
        ),
        case(
            "a paper is used once, and its inserter is named",
            granted(used(LOCK), by_dag()),
            by,
            held(&["DAG-01", "DAG-02", "DAG-03"]),
        ),
        case(
            "a paper is used again for a grant that was given up, not revoked",
            used(0)
                .block([did(SHOP, rescind(FOR_BANK))])
                .block([did(SHOP, dag(SHOP, FOR_BANK, 0))]),
            by,
            broken(&["DAG-03"]),
        ),
        case(
            "a paper is refused when it was used, and when its grant was revoked",
            used(0)
                .block([refused(MALLORY, dag(SHOP, FOR_BANK, 0), Refusal::DagUsed)])
                .block([did(ALICE, revoke(grant(SHOP, FOR_BANK, 0)))])
                .block([refused(SHOP, dag(SHOP, FOR_BANK, 0), Refusal::DagUsed)]),
            by,
            held(&["DAG-01", "DAG-03", "DAG-04"]),
        ),
        case(
            "a fresh paper has the words of a shared grant that was revoked",
            Story::new()
                .shared(0)
                .block([did(ALICE, dag(SHOP, FOR_BANK, LOCK))])
                .block([did(ALICE, revoke(grant(BANK, FOR_BANK, 0)))])
                .block([did(BANK, dag(BANK, FOR_BANK, 0))]),
            by,
            held(&["DAG-01", "DAG-03"]),
        ),
        case(
            "a paper is used and the profile erased in one block",
            Story::new()
                .shared(0)
                .block([did(BANK, dag(SHOP, FOR_BANK, 0)), did(ALICE, erase())]),
            by,
            held(&["DAG-01", "DAG-03"]),
        ),
    ]
}

fn well_formed() -> Vec<Case> {
    let by = &GRANTS_ARE_WELL_FORMED;
    vec![
        case(
            "a grant's id does not follow from its content",
            granted(
                Story::new().shared(LOCK),
                GrantRow {
                    locked_until: LOCK + 1,
                    ..grant_row(SHOP, FOR_SHOP, LOCK)
                },
            ),
            by,
            broken(&["GRANT-03"]),
        ),
        case(
            "a grant is created while it exists",
            Story::new()
                .shared(LOCK)
                .block([did(BANK, dag(BANK, FOR_BANK, LOCK))]),
            by,
            broken(&["GRANT-03"]),
        ),
        case(
            "a grant is created twice in one block",
            Story::new().stored().block([
                did(ALICE, share(BANK, LOCK)),
                did(BANK, dag(BANK, FOR_BANK, LOCK)),
            ]),
            by,
            broken(&["GRANT-03"]),
        ),
        case(
            "a grantee is written in lower case",
            granted(Story::new().shared(LOCK), {
                let grantee = caller(SHOP).to_lowercase();
                GrantRow {
                    id: GrantId::derive(&grantee, FOR_SHOP, LOCK),
                    grantee: grantee.into(),
                    ..grant_row(SHOP, FOR_SHOP, LOCK)
                }
            }),
            by,
            broken(&["GRANT-04"]),
        ),
        case(
            "a grant is on an original",
            Story::new()
                .stored()
                .block([did(ALICE, dag(BANK, PASSPORT, LOCK))]),
            by,
            broken(&["GRANT-15"]),
        ),
        case(
            "a grant is on somebody else's copy",
            Story::new()
                .shared(LOCK)
                .block([did(SHOP, dag_as(MALLORY, SHOP, FOR_BANK, LOCK, None))]),
            by,
            broken(&["GRANT-15"]),
        ),
        case(
            "a grant ends and is created again, and is listed as it should be",
            granted(
                Story::new()
                    .shared(0)
                    .block([did(ALICE, dag(SHOP, FOR_BANK, LOCK))])
                    .block([
                        did(ALICE, revoke(grant(BANK, FOR_BANK, 0))),
                        did(BANK, dag(BANK, FOR_BANK, 0)),
                    ]),
                by_dag(),
            ),
            by,
            held(&["GRANT-03", "GRANT-04", "GRANT-15"]),
        ),
    ]
}
