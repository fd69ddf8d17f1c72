use super::story::*;
use super::{Case, broken, case, held};
use crate::id::PartyId;
use crate::invariant::audit::*;
use crate::ledger::{Action, Answer, AuditEvent, AuditRow, Engine, Query, Refusal};

/// The bank has asked, Alice has given, the bank has used it, and Alice has ended it.
fn told() -> (Story, Vec<AuditRow>) {
    let id = grant(BANK, FOR_BANK, LOCK);
    let story = Story::new()
        .stored()
        .block([did(BANK, ask())])
        .block([did(ALICE, approve_asked())])
        .block([did(BANK, use_grant(id))])
        .at(LOCK + 1)
        .block([did(ALICE, revoke(id))]);
    let last = story.tip() as i64;
    let row = |number: i64, event: AuditEvent, height: i64, time: i64| AuditRow {
        event,
        time,
        height,
        owner: profile(ALICE),
        party: caller(BANK),
        request: Some(ASK),
        grant: (number > 2).then_some(id),
        data: Some(if number > 1 { FOR_BANK } else { PASSPORT }),
    };
    let rows = vec![
        row(1, AuditEvent::Requested, last - 3, 4),
        row(2, AuditEvent::RequestApproved, last - 2, 5),
        row(3, AuditEvent::Granted, last - 2, 5),
        row(4, AuditEvent::Used, last - 1, 6),
        row(5, AuditEvent::Revoked, last, LOCK + 1),
    ];
    (story, rows)
}

fn registered_again() -> [Told; 2] {
    [did(KYC, create(ALICE)), did(KYC, bind(ALICE))]
}

fn reads(story: Story, who: PartyId, rows: Vec<AuditRow>) -> Story {
    let query = Query::GetAuditRecords {
        page: None,
        size: None,
    };
    story.saw(who, N1, query, Ok(Answer::Records(rows)))
}

pub(super) fn cases() -> Vec<Case> {
    let by = &THE_RECORD_IS_TRUE;
    let read_as = |who: PartyId, change: fn(&mut Vec<AuditRow>)| {
        let (story, mut rows) = told();
        change(&mut rows);
        reads(story, who, rows)
    };
    let erased = || {
        let (story, rows) = told();
        (story.block([did(ALICE, erase())]), rows)
    };
    let silent = Query::GetAuditRecords {
        page: None,
        size: None,
    };
    let unknown = Refusal::Engine(Engine::UnknownAction("get_audit_records"));
    vec![
        case(
            "a use is not on record",
            read_as(ALICE, |rows| drop(rows.remove(3))),
            by,
            broken(&["AUD-01"]),
        ),
        case(
            "a revocation is on record at another time",
            read_as(ALICE, |rows| rows[4].time += 1),
            by,
            broken(&["AUD-01"]),
        ),
        case(
            "something is on record twice",
            read_as(BANK, |rows| rows.push(rows[0].clone())),
            by,
            broken(&["AUD-01"]),
        ),
        case(
            "a use is on record as another owner's",
            read_as(BANK, |rows| rows[3].owner = profile(MALLORY)),
            by,
            broken(&["AUD-01"]),
        ),
        case(
            "a use is on record as another's",
            read_as(ALICE, |rows| rows[3].party = caller(SHOP)),
            by,
            broken(&["AUD-01"]),
        ),
        case(
            "a grant is on record that is on something else",
            read_as(ALICE, |rows| rows[2].data = Some(PASSPORT)),
            by,
            broken(&["AUD-01"]),
        ),
        case(
            "an approval does not say what was shared",
            read_as(ALICE, |rows| rows[1].data = None),
            by,
            broken(&["AUD-01"]),
        ),
        case(
            "an owner that has come back finds what was erased",
            {
                let (story, rows) = erased();
                reads(story.block(registered_again()), ALICE, rows)
            },
            by,
            broken(&["AUD-01"]),
        ),
        case(
            "nobody is named again when an erased owner comes back",
            {
                let story = erased().0.block(registered_again());
                let story = reads(reads(story, ALICE, Vec::new()), BANK, Vec::new());
                let last = story.tip() as i64 + 1;
                let mut asks = ask();
                if let Action::RequestAccess { stands_until, .. } = &mut asks {
                    *stands_until = 2 * LOCK;
                }
                let story = story.block([did(BANK, asks)]);
                let row = AuditRow {
                    height: last,
                    time: LOCK + 4,
                    ..told().1.remove(0)
                };
                reads(story, ALICE, vec![row])
            },
            by,
            held(&["AUD-01"]),
        ),
        case(
            "somebody else reads it",
            read_as(SHOP, |_| {}),
            by,
            broken(&["AUD-01"]),
        ),
        case(
            "an erased owner is still named",
            {
                let (story, rows) = erased();
                reads(story, BANK, rows)
            },
            by,
            broken(&["AUD-01"]),
        ),
        case(
            "there is no record",
            told().0.saw(ALICE, N1, silent, Err(unknown)),
            by,
            broken(&["AUD-01"]),
        ),
        case(
            "owner and grantee read what was, and nobody is named after an erasure",
            {
                let (story, rows) = told();
                let story = reads(reads(story, ALICE, rows.clone()), BANK, rows);
                let story = reads(story, SHOP, Vec::new());
                reads(story.block([did(ALICE, erase())]), BANK, Vec::new())
            },
            by,
            held(&["AUD-01"]),
        ),
    ]
}
