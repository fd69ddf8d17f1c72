//! Delegated writes. Source: idos-facts 3.5.

use assay_model::ledger::{
    Action, Answer, ConsumedWriteGrant, DelegatedWriteGrant, GrantInserter, Query, parse_date,
};
use assay_model::rules::{Rules, Switch};
use assay_model::time::BlockTime;

use crate::bench::*;

const FOREIGN: &str = "credentials issuer must be an issuer of delegated write grant";
const OWNER_UNKNOWN: &str = "dwg_owner not found";
const DATE: &str = "a date has to be of the form YYYY-MM-DDTHH:MM:SSZ";
const REVERSED: &str = "dwg_not_before must be before dwg_not_after";
const OUTSIDE: &str =
    "this write grant can only be used after dwg_not_before and before dwg_not_after";
const OWNER: &str = "verify owner failed";
const ORIGINAL: &str = "an original credential signature is wrong";
const COPY: &str = "a copy credential signature is wrong";
const TAKEN: &str = "duplicate key value violates unique constraint \"credentials_pkey\"";
const USED: &str = "duplicate key value violates unique constraint \"consumed_write_grants_pkey\"";

fn says(bench: &Bench, who: Who, dwg: &Dwg) -> String {
    bench.clone().says(who, dwg.insert())
}

/// The bench, with a second key of the first inserter's.
fn with_second_key(rules: Rules) -> Bench {
    let bench = Bench::new(rules);
    let address = bench.caller("face");
    let delegate = Action::AddDelegateAsOwner {
        address,
        inserter_id: organisation(1),
    };
    bench.after("root", delegate)
}

#[test]
fn anybody_transmits_and_all_of_it_is_there_at_once() {
    for suite in suites() {
        for rules in both_rules() {
            let bench = Bench::with_suite(suite.clone(), rules);
            let bank = bench.caller("bank");
            let dwg = bench.dwg(&bank, 9_999);
            for who in ["kyc", "nobody", "alice", "bank"] {
                let bench = bench.after(who, dwg.insert());
                let tables = bench.state.tables();
                let rows = [30, 31].map(|n| &tables.credentials[&credential(n)]);
                let name = write_grant(7).0.to_string();
                for row in rows {
                    assert_eq!(row.user_id, user(ALICE));
                    assert_eq!(row.inserter.as_deref(), Some(&*name));
                }
                assert_eq!(rows.map(|row| row.public_notes.is_empty()), [false, true]);
                assert!(
                    tables
                        .copy_links
                        .contains_key(&(credential(30), credential(31)))
                );
                let grant = &tables.access_grants[&bench.grant("bank", 31, 9_999)];
                assert_eq!(grant.inserter_type, GrantInserter::DelegatedWriteGrant);
                assert_eq!((&*grant.inserter_id, grant.locked_until), (&*name, 9_999));
                assert_eq!(grant.content_hash, Some(hash()));
                let consumed = ConsumedWriteGrant {
                    owner: bench.caller("alice"),
                    grantee: bank.clone(),
                    issuer_public_key: bench.caller("kyc"),
                    original: Some(credential(30)),
                    copy: Some(credential(31)),
                    access_grant_timelock: dwg.timelock.clone(),
                    not_usable_before: dwg.not_before.clone(),
                    not_usable_after: dwg.not_after.clone(),
                };
                assert_eq!(*tables.consumed_write_grants[&write_grant(7)], consumed);
            }
        }
    }
}

#[test]
fn refusals_come_in_the_order_of_the_contract() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        let good = bench.dwg(&bench.caller("bank"), 0);
        // Each paper is wrong in what its line names and in everything below.
        let copy = Dwg {
            copy: bench.credential(31, BOB, "rival", ""),
            ..good.clone()
        };
        let original = Dwg {
            original: Package {
                issuer: bench.caller("kyc"),
                ..bench.credential(30, ALICE, "rival", "{}")
            },
            ..copy.clone()
        };
        let owner = Dwg {
            signature: "00".into(),
            ..original.clone()
        };
        let outside = Dwg {
            not_before: instant(NOW + 100),
            not_after: instant(NOW + 200),
            ..owner.clone()
        };
        let reversed = Dwg {
            not_after: instant(NOW - 100),
            ..outside.clone()
        };
        let date = Dwg {
            timelock: "tomorrow".into(),
            ..reversed.clone()
        };
        let unknown = Dwg {
            owner: bench.caller("nobody"),
            ..date.clone()
        };
        let foreign = Dwg {
            issuer: bench.caller("rival"),
            ..unknown.clone()
        };
        for (dwg, expected) in [
            (foreign, FOREIGN),
            (unknown, OWNER_UNKNOWN),
            (date, DATE),
            (reversed, REVERSED),
            (outside, OUTSIDE),
            (owner, OWNER),
            (original, ORIGINAL),
            (copy, COPY),
            (good, "ok"),
        ] {
            assert_eq!(says(&bench, "kyc", &dwg), expected, "{dwg:?}");
        }
    }
}

#[test]
fn the_window_is_65_seconds_early_and_to_the_second_late() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        let dwg = Dwg {
            not_before: instant(2_000),
            not_after: instant(3_000),
            ..bench.dwg(&bench.caller("bank"), 0)
        };
        let dwg = bench.signed_dwg(dwg);
        for (time, expected) in [
            (1_934, OUTSIDE),
            (1_935, "ok"),
            (2_000, "ok"),
            (3_000, "ok"),
            (3_001, OUTSIDE),
        ] {
            assert_eq!(says(&bench.at(time), "kyc", &dwg), expected, "at {time}");
        }
    }
}

#[test]
fn a_paper_is_used_once_whatever_is_written_under_it_the_second_time() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        let dwg = bench.dwg(&bench.caller("bank"), 0);
        let bench = bench.after("kyc", dwg.insert());
        let notes = r#"{"id":"vc-40","status":"approved"}"#;
        let others = Dwg {
            original: bench.credential(40, ALICE, "kyc", notes),
            copy: bench.credential(41, ALICE, "kyc", ""),
            ..dwg.clone()
        };
        assert_eq!(says(&bench, "kyc", &dwg), TAKEN);
        assert_eq!(says(&bench, "nobody", &others), USED);
        let altered = Dwg {
            grantee: bench.caller("fund"),
            ..others
        };
        assert_eq!(says(&bench, "kyc", &altered), OWNER);
    }
}

#[test]
fn only_the_named_key_signs_where_that_is_promised() {
    for rules in both_rules() {
        let bench = with_second_key(rules);
        let dwg = bench.dwg(&bench.caller("bank"), 0);
        let named = bench.signed_dwg(Dwg {
            issuer: bench.caller("face"),
            ..dwg.clone()
        });
        let expected = if rules.keep(Switch::DwgNamesIssuer) {
            FOREIGN
        } else {
            "ok"
        };
        assert_eq!(says(&bench, "kyc", &named), expected);
        // The case of the letters says nothing.
        let capitals = bench.signed_dwg(Dwg {
            issuer: bench.caller("kyc").to_uppercase().into(),
            ..dwg
        });
        assert_eq!(says(&bench, "kyc", &capitals), "ok");
    }
}

#[test]
fn a_paper_names_its_network_where_promised() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        let elsewhere = Bench {
            chain_id: "another".into(),
            ..bench.clone()
        };
        let dwg = elsewhere.dwg(&bench.caller("bank"), 0);
        let expected = if rules.keep(Switch::DwgNamesNetwork) {
            OWNER
        } else {
            "ok"
        };
        assert_eq!(says(&bench, "kyc", &dwg), expected);
    }
}

#[test]
fn what_is_kept_of_a_paper_forgets_rows_that_are_gone_and_names_nobody_in_the_end() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        let dwg = bench.dwg(&bench.caller("bank"), 0);
        let mut bench = bench.after("kyc", dwg.insert());
        let kept = |bench: &Bench| (*bench.state.tables().consumed_write_grants[&dwg.id]).clone();
        for n in [31, 30] {
            let id = credential(n);
            bench.must("alice", Action::RemoveCredential { id });
        }
        let kept = kept(&bench);
        assert_eq!((kept.original, kept.copy), (None, None));
        let names = kept.owner == dwg.owner && kept.grantee == dwg.grantee;
        assert_eq!(names, !rules.keep(Switch::MarkersNameNobody));
        // The paper stays used.
        assert_eq!(says(&bench, "kyc", &dwg), USED);
    }
}

#[test]
fn the_text_to_sign_is_the_text_that_is_checked() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        let dwg = bench.dwg(&bench.caller("bank"), 0);
        let query = |dwg: &Dwg| Query::DwgMessage {
            owner_wallet_identifier: dwg.owner.clone(),
            grantee_wallet_identifier: dwg.grantee.clone(),
            issuer_public_key: dwg.issuer.clone(),
            id: dwg.id,
            access_grant_timelock: dwg.timelock.clone(),
            not_usable_before: dwg.not_before.clone(),
            not_usable_after: dwg.not_after.clone(),
        };
        let told = bench.ask("", query(&dwg));
        assert_eq!(told, Ok(Answer::Text(dwg.text(rules, CHAIN))));
        let reversed = Dwg {
            not_before: dwg.not_after.clone(),
            ..dwg.clone()
        };
        let undated = Dwg {
            timelock: "2030-01-01".into(),
            ..dwg
        };
        let refused = |dwg| bench.ask("", query(dwg)).unwrap_err().to_string();
        assert_eq!(
            refused(&reversed),
            "not_usable_before must be before not_usable_after"
        );
        assert_eq!(refused(&undated), DATE);
    }
}

#[test]
fn instants_have_one_form() {
    for (text, expected) in [
        ("1970-01-01T00:16:40Z", Some(1_000)),
        ("2030-01-01T00:00:00Z", Some(1_893_456_000)),
        ("2030-02-30T00:00:00Z", None),
        ("2030-01-01T24:00:00Z", None),
        ("2030-01-01T00:00:00+00:00", None),
        ("2030-01-01T00:00:00.000Z", None),
        ("2030-01-01 00:00:00Z", None),
        ("2030-01-01t00:00:00z", None),
        ("", None),
    ] {
        assert_eq!(parse_date(text), expected.map(BlockTime), "{text:?}");
    }
    let dwg = DelegatedWriteGrant {
        owner: "0xA",
        grantee: "bb",
        issuer: "cc",
        id: write_grant(0),
        timelock: "t",
        not_before: "b",
        not_after: "a",
    };
    let deployed = dwg.text(Rules::deployed(), "net");
    assert!(deployed.starts_with("operation: delegatedWriteGrant\nowner: 0xA\nconsumer: bb\n"));
    assert_eq!(
        dwg.text(Rules::documented(), "net"),
        format!("{deployed}\nnetwork: net")
    );
}

#[test]
fn what_an_issuer_has_stated_stands_under_a_paper_too() {
    for rules in both_rules() {
        let state = |notes: &str| Action::EditPublicNotesAsIssuer {
            public_notes_id: "vc-10".into(),
            public_notes: notes.into(),
        };
        let bench = Bench::issued(rules).after("kyc", state(REVOKED));
        let (contradicted, taken) = match rules.keep(Switch::StickyStatus) {
            true => (
                "the issuer has stated other notes for this credential",
                "a credential with this issuer and notes id already exists",
            ),
            false => ("ok", "ok"),
        };
        for (notes, expected) in [(APPROVED, contradicted), (REVOKED, taken)] {
            let dwg = Dwg {
                original: bench.credential(30, ALICE, "kyc", notes),
                ..bench.dwg(&bench.caller("bank"), 0)
            };
            assert_eq!(says(&bench, "kyc", &dwg), expected, "{notes}");
        }
    }
}
