use super::story::*;
use super::{Case, Expected, broken, case, held};
use crate::id::NodeId;
use crate::invariant::governance::*;
use crate::ledger::{Answer, ChangeRow, Engine, Governed, Outcome, Query, Refusal};
use crate::wire::{EnginePayload, KeyId};

const YES: Outcome = Outcome::Accepted;

fn join(by: NodeId) -> Told {
    ran(node(by), EnginePayload::ValidatorJoin { power: 1 }, YES)
}

fn approve(by: NodeId, of: NodeId) -> Told {
    let candidate = KeyId::of(&node(of));
    ran(node(by), EnginePayload::ValidatorApprove { candidate }, YES)
}

fn replace(on: bool) -> Told {
    let statement = Governed::LocksChecked.statement(on);
    let parameters = Vec::new();
    let payload = EnginePayload::RawStatement {
        statement,
        parameters,
    };
    ran(key(DB_OWNER), payload, YES)
}

fn three() -> [NodeId; 3] {
    [N1, N2, N3]
}

fn line(height: i64, what: &str, subject: &str) -> ChangeRow {
    ChangeRow {
        number: height,
        height,
        what: what.into(),
        subject: subject.into(),
    }
}

fn asked(story: Story, rows: Vec<ChangeRow>) -> Story {
    let query = Query::GetGovernanceLog {
        page: None,
        size: None,
    };
    story.saw(BANK, N1, query, Ok(Answer::Changes(rows)))
}

fn hired() -> ChangeRow {
    line(1, "delegate-added", &caller(KYC).to_lowercase())
}

pub(super) fn cases() -> Vec<Case> {
    [votes(), logs(), locks()].into_iter().flatten().collect()
}

fn votes() -> Vec<Case> {
    let by = &VALIDATORS_CHANGE_BY_APPROVAL;
    let story = || Story::governed().commit(block([join(N4)]).votes(&three()));
    vec![
        case(
            "a sentry votes that nobody has approved of",
            story().commit(block([]).votes(&[N1, N2, N4])),
            by,
            broken(&["GOV-02"]),
        ),
        case(
            "one approval of three is taken for enough",
            story()
                .commit(block([approve(N1, N4)]).votes(&three()))
                .commit(block([]).votes(&[N1, N2, N4])),
            by,
            broken(&["GOV-02"]),
        ),
        case(
            "a node votes on the very block that lets it in",
            story().commit(block([approve(N1, N4), approve(N2, N4)]).votes(&[N1, N2, N4])),
            by,
            broken(&["GOV-02"]),
        ),
        case(
            "a stranger's approval is accepted",
            story().commit(block([approve(N4, N2)]).votes(&three())),
            by,
            broken(&["GOV-02"]),
        ),
        case(
            "who has left still votes",
            Story::governed()
                .commit(block([ran(node(N3), EnginePayload::ValidatorLeave, YES)]).votes(&three()))
                .commit(block([]).votes(&three())),
            by,
            broken(&["GOV-02"]),
        ),
        case(
            "those vote who always did",
            Story::governed().commit(block([]).votes(&three())),
            by,
            Expected::Untested,
        ),
        case(
            "a node votes from the block after the decision on",
            story()
                .commit(block([approve(N1, N4)]).votes(&three()))
                .commit(block([approve(N3, N4)]).votes(&three()))
                .commit(block([]).votes(&[N1, N2, N4])),
            by,
            held(&["GOV-02"]),
        ),
    ]
}

fn logs() -> Vec<Case> {
    let by = &CHANGES_ARE_PUBLIC;
    vec![
        case(
            "the log leaves a change out",
            asked(Story::new().registered(), vec![]),
            by,
            broken(&["GOV-01"]),
        ),
        case(
            "the log tells a change that never was",
            asked(
                Story::new().registered(),
                vec![hired(), line(2, "owner-changed", "0x00")],
            ),
            by,
            broken(&["GOV-01"]),
        ),
        case(
            "the log tells one change twice",
            asked(Story::new().registered(), vec![hired(), hired()]),
            by,
            broken(&["GOV-01"]),
        ),
        case(
            "the log tells once what happened twice",
            {
                let story = Story::new().registered();
                let twice = [replace(false), replace(false)];
                let off = "revoke_access_grant locks-checked=off";
                let once = line(3, "action-replaced", off);
                asked(story.block(twice), vec![hired(), once])
            },
            by,
            broken(&["GOV-01"]),
        ),
        case(
            "the log tells nothing of another owner",
            {
                let payload = EnginePayload::RawStatement {
                    statement: "TRANSFER  OWNERSHIP TO '0xab';".to_owned(),
                    parameters: Vec::new(),
                };
                let given = ran(key(DB_OWNER), payload, YES);
                asked(Story::new().registered().block([given]), vec![hired()])
            },
            by,
            broken(&["GOV-01"]),
        ),
        case(
            "there is no log",
            Story::new().registered().saw(
                BANK,
                N1,
                Query::GetGovernanceLog {
                    page: None,
                    size: None,
                },
                Err(Refusal::Engine(Engine::UnknownAction("get_governance_log"))),
            ),
            by,
            broken(&["GOV-01"]),
        ),
        case(
            "the log has each change with its height",
            asked(
                Story::new().registered().block([replace(false)]),
                vec![
                    hired(),
                    line(
                        3,
                        "action-replaced",
                        "revoke_access_grant locks-checked=off",
                    ),
                ],
            ),
            by,
            held(&["GOV-01"]),
        ),
    ]
}

fn locks() -> Vec<Case> {
    let by = &LOCKS_OUTLIVE_CHANGES;
    let story = || Story::new().shared(100).block([replace(false)]);
    let id = grant(BANK, copy_for(BANK), 100);
    vec![
        case(
            "a lock falls with the action that looks at it",
            story().block([did(ALICE, revoke(id))]),
            by,
            broken(&["GOV-01"]),
        ),
        case(
            "nobody wants to end a locked grant after a change",
            story().at(101).block([did(ALICE, revoke(id))]),
            by,
            Expected::Untested,
        ),
        case(
            "a lock is kept after a change, and the grant ends once it is over",
            story()
                .block([refused(
                    ALICE,
                    revoke(id),
                    Refusal::GrantLocked { until: 100 },
                )])
                .at(101)
                .block([did(ALICE, revoke(id))]),
            by,
            held(&["GOV-01"]),
        ),
        case(
            "a lock was kept before a change",
            Story::new()
                .shared(100)
                .block([refused(
                    ALICE,
                    revoke(id),
                    Refusal::GrantLocked { until: 100 },
                )])
                .block([replace(false)]),
            by,
            Expected::Untested,
        ),
    ]
}
