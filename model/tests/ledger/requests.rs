//! Requests, ends and uses of grants, ends of papers, remainders and the record. Source: idos-facts 1.2, 5.3, 5.8.

use assay_model::id::GrantId;
use assay_model::ledger::{
    Action, Answer, AuditEvent, AuditRow, Query, Refusal, RequestState, ShareTerms,
};
use assay_model::rules::{Rules, Switch};

use crate::bench::*;

const UNKNOWN: &str = "the access request not found";
const WIDER: &str = "the approval gives more than the access request asks for";
const ENDED: &str = "the access grant has ended";
const NOT_OPEN: &str = "the access grant has to be used before reading";
const LOCKED: &str = "the grant is locked";
const NO_GRANT: &str = "the access grant not found";
const CANCELLED: &str = "the owner has cancelled this paper";

/// A request of the bank's to alice for credential 10: locked 5 seconds, standing 50, ending after 100, two uses.
fn asks() -> Action {
    Action::RequestAccess {
        id: request(1),
        user_id: user(ALICE),
        credential_id: Some(credential(10)),
        kind: None,
        fields: Some("name, city".into()),
        purpose: "an account".into(),
        locked_until: NOW + 5,
        stands_until: NOW + 50,
        expires_at: Some(NOW + 100),
        uses: Some(2),
    }
}

fn as_asked() -> ShareTerms {
    ShareTerms {
        request_id: Some(request(1)),
        expires_at: Some(NOW + 100),
        uses: Some(2),
        fields: Some("name, city".into()),
    }
}

fn asked() -> Bench {
    Bench::issued(Rules::documented()).after("bank", asks())
}

fn approval(bench: &Bench, lock: i64, terms: ShareTerms) -> Action {
    let bank = bench.caller("bank");
    bench.copy(11).share_with(10, &bank, lock, terms)
}

fn limited(rules: Rules, lock: i64, expires_at: Option<i64>, uses: Option<i64>) -> Bench {
    let bench = Bench::issued(rules);
    let terms = ShareTerms {
        expires_at,
        uses,
        ..no_terms()
    };
    let share = approval(&bench, lock, terms);
    bench.after("alice", share)
}

fn uses(id: GrantId) -> Action {
    Action::UseAccessGrant { id }
}

/// What the bank is told when it reads copy 11.
fn reads(bench: &mut Bench) -> String {
    bench.pass_time();
    let query = Query::GetCredentialShared { id: credential(11) };
    match bench.ask("bank", query) {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn without_the_promises_there_are_no_such_actions() {
    let mut bench = Bench::shared(Rules::deployed(), 0);
    let id = bench.grant("bank", 11, 0);
    let bank = bench.caller("bank");
    let dag = bench.dag(&bank, 11, 0);
    for action in [
        asks(),
        Action::DenyAccessRequest { id: request(1) },
        Action::WithdrawAccessRequest { id: request(1) },
        uses(id),
        Action::RevokeGranteeAccess {
            data_id: credential(10),
            grantee_wallet_identifier: bank.clone(),
        },
        dag.cancel(),
        Action::CancelDwg {
            dwg_id: write_grant(1),
        },
        Action::RemoveCredentialWhenUnlocked { id: credential(10) },
    ] {
        let told = bench.says("alice", action.clone());
        assert!(told.starts_with("unknown action"), "{told}");
    }
    for query in [
        Query::GetAccessRequestsReceived {
            page: None,
            size: None,
        },
        Query::GetAccessGrantTerms { id },
        Query::GetAuditRecords {
            page: None,
            size: None,
        },
        Query::GetLockedRemainders {},
    ] {
        let told = bench.ask("alice", query).map_err(|why| why.code());
        assert_eq!(told, Err("unknown-action"));
    }
    assert!(bench.state.tables().audit_records.is_empty());
}

#[test]
fn a_request_names_data_and_a_purpose_and_stands_for_a_while() {
    type Change = fn(&mut Action);
    let with = |change: Change| {
        let mut action = asks();
        change(&mut action);
        action
    };
    let incomplete = "an access request has to name data and a purpose";
    let nobody =
        "insert or update violates foreign key constraint \"access_requests_user_id_fkey\"";
    let taken = "duplicate key value violates unique constraint \"access_requests_pkey\"";
    let bench = Bench::issued(Rules::documented());
    let table: [(Change, &str); 6] = [
        (|_| {}, "ok"),
        (
            |action| {
                let Action::RequestAccess { credential_id, .. } = action else {
                    unreachable!("it asks")
                };
                *credential_id = None;
            },
            incomplete,
        ),
        (
            |action| {
                let Action::RequestAccess { purpose, .. } = action else {
                    unreachable!("it asks")
                };
                *purpose = " ".into();
            },
            incomplete,
        ),
        (
            |action| {
                let Action::RequestAccess { user_id, .. } = action else {
                    unreachable!("it asks")
                };
                *user_id = user(99);
            },
            nobody,
        ),
        (
            |action| {
                let Action::RequestAccess { stands_until, .. } = action else {
                    unreachable!("it asks")
                };
                *stands_until = NOW - 1;
            },
            "the access request stands no longer",
        ),
        (
            |action| {
                let Action::RequestAccess { expires_at, .. } = action else {
                    unreachable!("it asks")
                };
                *expires_at = Some(NOW + 4);
            },
            "an access grant cannot end in the past or before its lock",
        ),
    ];
    for (change, expected) in table {
        assert_eq!(bench.clone().says("bank", with(change)), expected);
    }
    assert_eq!(asked().says("fund", asks()), taken);
}

#[test]
fn a_request_is_decided_once_by_its_owner_or_its_consumer_while_it_stands() {
    let deny = || Action::DenyAccessRequest { id: request(1) };
    let withdraw = || Action::WithdrawAccessRequest { id: request(1) };
    let approve = |bench: &Bench| approval(bench, NOW + 5, as_asked());
    for (who, action, expected) in [
        ("bob", deny(), UNKNOWN),
        ("bank", deny(), UNKNOWN),
        ("alice", withdraw(), UNKNOWN),
        ("fund", withdraw(), UNKNOWN),
        ("alice", deny(), "ok"),
        ("bank", withdraw(), "ok"),
    ] {
        assert_eq!(asked().says(who, action.clone()), expected, "{who}");
    }
    for (decided, told) in [
        (
            asked().after("alice", deny()),
            "the access request was denied before",
        ),
        (
            asked().after("bank", withdraw()),
            "the access request was withdrawn",
        ),
        (
            asked().after("alice", approve(&asked())),
            "the access request was approved before",
        ),
        (asked().at(NOW + 51), "the access request stands no longer"),
    ] {
        for action in [deny(), approve(&decided)] {
            assert_eq!(decided.clone().says("alice", action), told);
        }
        assert_eq!(decided.clone().says("bank", withdraw()), told);
    }
    // The last second counts.
    let mut last = asked().at(NOW + 50);
    assert_eq!(last.says("alice", deny()), "ok");
    let states = |bench: &Bench| {
        let query = Query::GetAccessRequestsMade {
            page: None,
            size: None,
        };
        match bench.ask("bank", query) {
            Ok(Answer::Requests(rows)) => rows.into_iter().map(|row| row.state).collect(),
            other => panic!("{other:?}"),
        }
    };
    // A view says so before the next block does.
    let late: Vec<RequestState> = states(&asked().at(NOW + 51));
    assert_eq!(late, [RequestState::Expired]);
    let denied: Vec<RequestState> = states(&last);
    assert_eq!(denied, [RequestState::Denied]);
}

#[test]
fn an_approval_narrows_and_never_widens() {
    let fits = |lock: i64, end: Option<i64>, uses: Option<i64>, fields: Option<&str>| {
        let terms = ShareTerms {
            request_id: Some(request(1)),
            expires_at: end,
            uses,
            fields: fields.map(Into::into),
        };
        let bench = asked();
        let action = approval(&bench, lock, terms);
        bench.clone().says("alice", action)
    };
    let (end, uses, fields) = (Some(NOW + 100), Some(2), Some("name, city"));
    for (told, expected) in [
        (fits(NOW + 5, end, uses, fields), "ok"),
        (fits(0, end, uses, fields), "ok"),
        (fits(NOW + 5, Some(NOW + 50), uses, fields), "ok"),
        (fits(NOW + 5, end, Some(1), fields), "ok"),
        (fits(NOW + 5, end, uses, Some("city")), "ok"),
        (fits(NOW + 6, end, uses, fields), WIDER),
        (fits(NOW + 5, Some(NOW + 101), uses, fields), WIDER),
        (fits(NOW + 5, None, uses, fields), WIDER),
        (fits(NOW + 5, end, Some(3), fields), WIDER),
        (fits(NOW + 5, end, None, fields), WIDER),
        (fits(NOW + 5, end, uses, Some("city, age")), WIDER),
        (fits(NOW + 5, end, uses, None), WIDER),
    ] {
        assert_eq!(told, expected);
    }
    let bench = asked();
    let fund = bench.caller("fund");
    let elsewhere = bench.copy(11).share_with(10, &fund, 0, as_asked());
    assert_eq!(bench.clone().says("alice", elsewhere.clone()), WIDER);
    // Without the promise nobody compares, and the request is approved all the same.
    let mut loose = Bench::issued(all_but(Switch::ApprovalWithinRequest)).after("bank", asks());
    assert_eq!(loose.says("alice", elsewhere), "ok");
    let row = &loose.state.tables().access_requests[&request(1)];
    assert_eq!(
        (row.state, row.copy),
        (RequestState::Approved, Some(credential(11)))
    );
}

#[test]
fn a_grant_reads_to_its_end_and_goes_with_its_copy() {
    let documented = Rules::documented();
    let mut bench = limited(documented, NOW + 5, Some(NOW + 20), None);
    let id = bench.grant("bank", 11, NOW + 5);
    assert_eq!(reads(&mut bench), "ok");
    assert_eq!(reads(&mut bench.clone().at(NOW + 20)), "ok");
    let mut over = bench.clone().at(NOW + 21);
    assert_eq!(reads(&mut over), ENDED);
    assert!(
        !over
            .state
            .tables()
            .credentials
            .contains_key(&credential(11))
    );
    let revoke = Action::RevokeAccessGrant { id };
    assert_eq!(over.says("alice", revoke), NO_GRANT);
    // Where copies stay without a grant, the end is told all the same.
    let stays = documented.with(Switch::LastGrantRemovesCopy, false);
    let mut stays = limited(stays, 0, Some(NOW + 20), None).at(NOW + 21);
    assert_eq!(reads(&mut stays), ENDED);
    assert!(
        stays
            .state
            .tables()
            .credentials
            .contains_key(&credential(11))
    );
    // Without the promise there is no end.
    let mut deployed = limited(Rules::deployed(), 0, Some(NOW + 20), None).at(NOW + 21);
    assert_eq!(reads(&mut deployed), "ok");
}

#[test]
fn an_end_never_comes_before_its_lock_has_let_go() {
    let bench = Bench::issued(Rules::documented());
    for (lock, end, expected) in [
        (NOW + 5, NOW + 5, "ok"),
        (
            NOW + 5,
            NOW + 4,
            "an access grant cannot end in the past or before its lock",
        ),
        (0, NOW, "ok"),
        (
            0,
            NOW - 1,
            "an access grant cannot end in the past or before its lock",
        ),
    ] {
        let terms = ShareTerms {
            expires_at: Some(end),
            ..no_terms()
        };
        let share = approval(&bench, lock, terms);
        assert_eq!(bench.clone().says("alice", share), expected, "{lock} {end}");
    }
}

#[test]
fn uses_are_counted_and_open_reading_for_a_while() {
    let mut bench = limited(Rules::documented(), NOW + 400, None, Some(2));
    let id = bench.grant("bank", 11, NOW + 400);
    assert_eq!(reads(&mut bench), NOT_OPEN);
    assert_eq!(bench.says("fund", uses(id)), NO_GRANT);
    assert_eq!(bench.says("bank", uses(id)), "ok");
    assert_eq!(reads(&mut bench.clone().at(NOW + 300)), "ok");
    let mut bench = bench.at(NOW + 301);
    assert_eq!(reads(&mut bench), NOT_OPEN);
    // A node that knows itself behind answers at time −1, and does not take it for open either.
    let query = Query::GetCredentialShared { id: credential(11) };
    let behind = bench.clone().at(-1).ask("bank", query);
    assert_eq!(behind, Err(Refusal::GrantNotOpen));
    assert_eq!(bench.says("bank", uses(id)), "ok");
    assert_eq!(bench.says("bank", uses(id)), ENDED);
    assert_eq!(reads(&mut bench), "ok");
    // The last use still opens reading for its time.
    assert_eq!(reads(&mut bench.clone().at(NOW + 400)), "ok");
    let mut over = bench.at(NOW + 602);
    assert_eq!(reads(&mut over), ENDED);
    assert!(over.state.tables().access_grants.is_empty());

    // A lock longer than the uses last keeps row and copy, and gives nothing.
    let mut kept = limited(Rules::documented(), NOW + 1_000, None, Some(1));
    let id = kept.grant("bank", 11, NOW + 1_000);
    kept.must("bank", uses(id));
    let mut kept = kept.at(NOW + 301);
    assert_eq!(reads(&mut kept), ENDED);
    assert_eq!(kept.state.tables().access_grants.len(), 1);
    assert_eq!(kept.says("alice", Action::RevokeAccessGrant { id }), LOCKED);
    let rescind = Action::RescindSharedCredential {
        credential_id: credential(11),
    };
    assert_eq!(kept.says("bank", rescind), "ok");
    assert!(kept.state.tables().access_grants.is_empty());
}

#[test]
fn all_access_of_a_grantee_ends_at_once_or_not_at_all() {
    let mut bench = Bench::shared(Rules::documented(), NOW + 5);
    let (bank, fund) = (bench.caller("bank"), bench.caller("fund"));
    bench.must("alice", bench.copy(12).share(10, &bank, 0));
    // A copy of a copy is of the same document.
    bench.must("alice", bench.copy(13).share(12, &bank, 0));
    bench.must("alice", bench.copy(14).share(10, &fund, 0));
    let end = |data: u128, of: &str| Action::RevokeGranteeAccess {
        data_id: credential(data),
        grantee_wallet_identifier: of.into(),
    };
    for (who, action, expected) in [
        (
            "bob",
            end(10, &bank),
            "the credential does not belong to the caller",
        ),
        ("alice", end(10, &bank), LOCKED),
        ("alice", end(14, &bank), NO_GRANT),
        ("alice", end(10, "nobody"), NO_GRANT),
    ] {
        assert_eq!(
            bench.says(who, action.clone()),
            expected,
            "{who} {action:?}"
        );
    }
    assert_eq!(bench.state.tables().access_grants.len(), 4);
    let mut bench = bench.at(NOW + 6);
    assert_eq!(bench.says("alice", end(10, &bank)), "ok");
    let left: Vec<_> = bench.state.tables().access_grants.values().collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].grantee, fund);
}

#[test]
fn papers_end_by_time_and_by_their_owners_word() {
    let bench = Bench::shared(Rules::documented(), 0);
    let fund = bench.caller("fund");
    let dag = bench.dag(&fund, 11, 0);
    let timeless = {
        let mut dag = Dag {
            terms: None,
            ..dag.clone()
        };
        dag.signature = bench.signed("alice", &dag.text(bench.rules, &bench.chain_id));
        dag
    };
    let without_end = "the dag does not say until when it is usable";
    assert_eq!(bench.clone().says("fund", timeless.insert()), without_end);
    assert_eq!(bench.clone().at(PAPER_END).says("fund", dag.insert()), "ok");
    let over = "the dag is no longer usable";
    assert_eq!(
        bench.clone().at(PAPER_END + 1).says("fund", dag.insert()),
        over
    );

    let mut cancelled = bench.clone();
    assert_eq!(cancelled.says("bob", dag.cancel()), "dag_owner not found");
    assert_eq!(cancelled.says("alice", dag.cancel()), "ok");
    assert_eq!(cancelled.says("alice", dag.cancel()), CANCELLED);
    assert_eq!(cancelled.says("fund", dag.insert()), CANCELLED);
    let used = "the paper was used before";
    let mut late = bench.clone().after("fund", dag.insert());
    assert_eq!(late.says("alice", dag.cancel()), used);

    let dwg = bench.dwg(&fund, NOW + 5);
    let cancel = || Action::CancelDwg { dwg_id: dwg.id };
    // Whoever knows an id cancels nobody else's paper.
    let mut written = bench.clone().after("bob", cancel());
    assert_eq!(written.says("kyc", dwg.insert()), "ok");
    assert_eq!(written.says("alice", cancel()), used);
    let mut cancelled = bench.after("alice", cancel());
    assert_eq!(cancelled.says("kyc", dwg.insert()), CANCELLED);
}

#[test]
fn what_a_lock_keeps_is_listed_and_goes_after_it() {
    let mut bench = Bench::shared(Rules::documented(), NOW + 5);
    let fund = bench.caller("fund");
    bench.must("alice", bench.copy(12).share(10, &fund, 0));
    let remove = |id: u128| Action::RemoveCredentialWhenUnlocked { id: credential(id) };
    let listed = |bench: &Bench| match bench.ask("alice", Query::GetLockedRemainders {}) {
        Ok(Answer::Remainders(rows)) => rows
            .into_iter()
            .map(|row| (row.id, row.locked_until, row.due))
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let stored =
        |bench: &Bench| -> Vec<_> { bench.state.tables().credentials.keys().copied().collect() };
    assert_eq!(listed(&bench), []);
    let foreign = "the credential does not belong to the caller";
    assert_eq!(bench.says("bob", remove(10)), foreign);
    assert_eq!(bench.says("alice", remove(10)), "ok");
    assert_eq!(stored(&bench), [credential(11)]);
    assert_eq!(listed(&bench), [(credential(11), NOW + 5, true)]);
    let mut bench = bench.at(NOW + 5);
    bench.pass_time();
    assert_eq!(stored(&bench), [credential(11)]);
    let mut bench = bench.at(NOW + 6);
    bench.pass_time();
    assert_eq!(stored(&bench), []);
    assert_eq!(listed(&bench), []);

    // What is removed without asking for more is listed, and stays.
    let removed = Bench::shared(Rules::documented(), NOW + 5)
        .after("alice", Action::RemoveCredential { id: credential(10) });
    assert_eq!(listed(&removed), [(credential(11), NOW + 5, false)]);
    let mut removed = removed.at(NOW + 6);
    removed.pass_time();
    assert_eq!(stored(&removed), [credential(11)]);
}

fn record(bench: &Bench, who: Who) -> Vec<AuditRow> {
    let query = Query::GetAuditRecords {
        page: None,
        size: None,
    };
    match bench.ask(who, query) {
        Ok(Answer::Records(rows)) => rows,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_record_is_read_by_both_sides_and_names_nobody_afterwards() {
    let bench = asked();
    let approve = approval(&bench, NOW + 5, as_asked());
    let mut bench = bench.after("alice", approve);
    let id = bench.grant("bank", 11, NOW + 5);
    bench.must("bank", uses(id));
    let mut bench = bench.at(NOW + 6);
    bench.must("alice", Action::RevokeAccessGrant { id });
    let events = |rows: &[AuditRow]| rows.iter().map(|row| row.event).collect::<Vec<_>>();
    let told = [
        AuditEvent::Requested,
        AuditEvent::Granted,
        AuditEvent::RequestApproved,
        AuditEvent::Used,
        AuditEvent::Revoked,
    ];
    assert_eq!(events(&record(&bench, "alice")), told);
    assert_eq!(record(&bench, "bank"), record(&bench, "alice"));
    for who in ["bob", "fund", "nobody", ""] {
        assert_eq!(record(&bench, who), [], "{who}");
    }
    let paged = Query::GetAuditRecords {
        page: Some(2),
        size: Some(2),
    };
    let Ok(Answer::Records(second)) = bench.ask("bank", paged) else {
        panic!("a page is refused");
    };
    assert_eq!(events(&second), told[2..4]);
    let nothing = Query::GetAuditRecords {
        page: Some(0),
        size: None,
    };
    assert_eq!(bench.ask("bank", nothing), Err(Refusal::PageNotPositive));

    bench.must("alice", Action::RemoveUser {});
    assert_eq!(record(&bench, "bank"), []);
    let rows = &bench.state.tables().audit_records;
    assert_eq!(rows.len(), told.len());
    assert!(rows.values().all(|row| row.about.is_none()));
    assert!(bench.state.tables().access_requests.is_empty());
}

#[test]
fn texts_have_a_greatest_size_where_that_is_promised() {
    for rules in both_rules() {
        let bounded = rules.keep(Switch::BoundedSizes);
        let too_long = if bounded {
            "a text is longer than the network allows"
        } else {
            "ok"
        };
        for (bytes, expected) in [(4_096, "ok"), (4_097, too_long)] {
            let mut bench = Bench::new(rules);
            let action = Action::AddAttribute {
                id: attribute(1),
                attribute_key: "novel".into(),
                value: "x".repeat(bytes).into(),
            };
            assert_eq!(bench.says("alice", action), expected, "{bytes}");
        }
    }
}

/// Wherever a credential is written, copies that wait for a grant included.
#[test]
fn contents_have_a_greatest_size_where_that_is_promised() {
    for rules in both_rules() {
        let too_long = "a text is longer than the network allows";
        for (bytes, refused) in [(131_072, false), (131_076, true)] {
            // Whether it is sealed is not the matter here.
            let rules = rules.with(Switch::Passporting, true);
            let mut bench = Bench::issued(rules.with(Switch::SealedContent, false));
            let mut copy = bench.copy(11);
            copy.content = "A".repeat(bytes).into();
            let writes = [
                ("a copy that waits", copy.wait(10)),
                (
                    "a copy with its grant",
                    copy.share(10, &bench.caller("bank"), 0),
                ),
            ];
            for (what, action) in writes {
                let said = bench.says("alice", action);
                let refused = refused && rules.keep(Switch::BoundedSizes);
                assert_eq!(said == too_long, refused, "{what} of {bytes}: {said}");
            }
        }
    }
}
