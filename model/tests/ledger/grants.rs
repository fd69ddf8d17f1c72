//! Access grants: dAGs, locks and revocation. Source: idos-facts 3.8.

use assay_model::id::{GrantId, Text};
use assay_model::ledger::{Action, GrantInserter, Query};
use assay_model::rules::{Rules, Switch};

use crate::bench::*;

const OWNER_UNKNOWN: &str = "dag_owner not found";
const SIGNATURE: &str = "the dag_signature is invalid";
const NOT_OWNED: &str = "the data_id does not belong to the owner";
const EXISTS: &str =
    "a grant with the same grantee, copy_credential_id, and locked_until already exists";
const USED: &str = "the dag was used before";
const NOT_A_COPY: &str = "grants refer only to copies";
const MALFORMED: &str = "the grantee is not a wallet identifier";
const NOT_FOUND: &str = "the access grant not found";
const LOCKED: &str = "the grant is locked";

fn check_grant(bench: &Bench, who: Who, action: Action, expected: &str) -> Bench {
    let mut bench = bench.clone();
    let says = bench.says(who, action.clone());
    assert_eq!(says, expected, "{who} under {:?}: {action:?}", bench.rules);
    bench
}

fn revoke(id: GrantId) -> Action {
    Action::RevokeAccessGrant { id }
}

fn grants(bench: &Bench) -> usize {
    bench.state.tables().access_grants.len()
}

/// The same paper with something changed and signed again by alice.
fn signed(bench: &Bench, dag: Dag) -> Dag {
    let signature = bench.signed("alice", &dag.text(bench.rules, &bench.chain_id));
    Dag { signature, ..dag }
}

#[test]
fn anybody_transmits_a_dag_and_is_recorded() {
    for suite in suites() {
        for rules in both_rules() {
            let bench = Bench::with_suite(suite.clone(), rules);
            let bench = bench.after("alice", bench.original().add());
            let share = bench.copy(11).share(10, &bench.caller("bank"), 0);
            let bench = bench.after("alice", share);
            let fund = bench.caller("fund");
            let dag = bench.dag(&fund, 11, 77);
            for who in ["fund", "bank", "alice", "nobody", "kyc"] {
                let bench = check_grant(&bench, who, dag.insert(), "ok");
                let grant = &bench.state.tables().access_grants[&bench.grant("fund", 11, 77)];
                assert_eq!((grant.owner, grant.data), (user(ALICE), credential(11)));
                assert_eq!((&grant.grantee, grant.locked_until), (&fund, 77));
                assert_eq!(grant.content_hash, Some(hash()));
                assert_eq!(grant.inserter_type, GrantInserter::DagMessage);
                assert_eq!(grant.inserter_id, bench.caller(who));
                assert_eq!(grant.height.0, bench.height);
            }
        }
    }
}

#[test]
fn a_dag_is_checked_owner_signature_data_grant() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, 0);
        let bobs = bench.credential(20, BOB, "kyc", "");
        let bench = bench.after("bob", bobs.add());
        let good = bench.dag(&bench.caller("fund"), 11, 0);
        let unsigned = |dag: &Dag| Dag {
            signature: "".into(),
            ..dag.clone()
        };
        let stranger = Dag {
            owner: bench.caller("nobody"),
            ..good.clone()
        };
        let bobs = bench.dag(&bench.caller("fund"), 20, 0);
        let nothing = bench.dag(&bench.caller("fund"), 99, 0);
        let twice = bench.dag(&bench.caller("bank"), 11, 0);
        let table = [
            (good.clone(), "ok"),
            (stranger.clone(), OWNER_UNKNOWN),
            (
                Dag {
                    owner: "".into(),
                    ..good.clone()
                },
                OWNER_UNKNOWN,
            ),
            (unsigned(&stranger), OWNER_UNKNOWN),
            (unsigned(&good), SIGNATURE),
            (
                Dag {
                    signature: "zz".into(),
                    ..good.clone()
                },
                SIGNATURE,
            ),
            (
                Dag {
                    owner: bench.caller("bob"),
                    ..good.clone()
                },
                SIGNATURE,
            ),
            (
                Dag {
                    grantee: bench.caller("bank"),
                    ..good.clone()
                },
                SIGNATURE,
            ),
            (
                Dag {
                    data: credential(10),
                    ..good.clone()
                },
                SIGNATURE,
            ),
            (
                Dag {
                    lock: 1,
                    ..good.clone()
                },
                SIGNATURE,
            ),
            (
                Dag {
                    hash: None,
                    ..good.clone()
                },
                SIGNATURE,
            ),
            (unsigned(&bobs), SIGNATURE),
            (bobs, NOT_OWNED),
            (nothing, NOT_OWNED),
            (twice, EXISTS),
            (
                signed(
                    &bench,
                    Dag {
                        hash: None,
                        ..good.clone()
                    },
                ),
                "ok",
            ),
            // Another lock makes another grant.
            (
                signed(
                    &bench,
                    Dag {
                        grantee: bench.caller("bank"),
                        lock: 1,
                        ..good
                    },
                ),
                "ok",
            ),
        ];
        for (dag, expected) in table {
            check_grant(&bench, "fund", dag.insert(), expected);
        }
    }
}

#[test]
fn the_owners_wallet_is_found_as_the_wallets_type_says() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, 0);
        let bench = bench.after("alice", bench.bind(ALICE, "face").row(40).add());
        let dag = bench.dag(&bench.caller("fund"), 11, 0);
        let sign = |who: Who, owner: Text| {
            let dag = Dag {
                owner,
                ..dag.clone()
            };
            let signature = bench.signed(who, &dag.text(rules, CHAIN));
            Dag { signature, ..dag }.insert()
        };
        let lower: Text = bench.caller("alice").to_lowercase().into();
        check_grant(&bench, "fund", sign("alice", lower), "ok");
        check_grant(&bench, "fund", sign("face", bench.caller("face")), "ok");
        let upper: Text = bench.caller("face").to_uppercase().into();
        check_grant(&bench, "fund", sign("face", upper), OWNER_UNKNOWN);
        // Each wallet signs for itself.
        check_grant(
            &bench,
            "fund",
            sign("face", bench.caller("alice")),
            SIGNATURE,
        );
    }
}

#[test]
fn a_dag_may_be_about_an_original_where_that_is_allowed() {
    for (rules, expected) in [
        (Rules::deployed(), "ok"),
        (all_but(Switch::GrantsOnCopiesOnly), "ok"),
        (only(Switch::GrantsOnCopiesOnly), NOT_A_COPY),
        (Rules::documented(), NOT_A_COPY),
    ] {
        let bench = Bench::shared(rules, 0);
        let dag = bench.dag(&bench.caller("fund"), 10, 0);
        check_grant(&bench, "fund", dag.insert(), expected);
    }
}

#[test]
fn a_dag_names_its_network_where_promised() {
    for (rules, expected) in [
        (Rules::deployed(), "ok"),
        (all_but(Switch::DagNamesNetwork), "ok"),
        (only(Switch::DagNamesNetwork), SIGNATURE),
        (Rules::documented(), SIGNATURE),
    ] {
        let bench = Bench::shared(rules, 0);
        let mut elsewhere = bench.clone();
        elsewhere.chain_id = "elsewhere".into();
        let dag = elsewhere.dag(&bench.caller("fund"), 11, 0);
        check_grant(&bench, "fund", dag.insert(), expected);
    }
}

#[test]
fn a_dag_works_once_or_whenever_its_grant_is_gone() {
    for (rules, again, after_revocation) in [
        (Rules::deployed(), EXISTS, "ok"),
        (all_but(Switch::DagSingleUse), EXISTS, "ok"),
        (only(Switch::DagSingleUse), USED, USED),
        (Rules::documented(), USED, USED),
    ] {
        let bench = Bench::shared(rules, 0);
        let dag = bench.dag(&bench.caller("fund"), 11, 0);
        let bench = check_grant(&bench, "fund", dag.insert(), "ok");
        check_grant(&bench, "bank", dag.insert(), again);
        let bench = check_grant(&bench, "alice", revoke(bench.grant("fund", 11, 0)), "ok");
        check_grant(&bench, "fund", dag.insert(), after_revocation);
    }
}

#[test]
fn a_refused_dag_is_not_used_up() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, 0);
        let dag = bench.dag(&bench.caller("bank"), 11, 0);
        let bench = check_grant(&bench, "bank", dag.insert(), EXISTS);
        let more = bench.dag(&bench.caller("fund"), 11, 0);
        let bench = check_grant(&bench, "bank", more.insert(), "ok");
        let bench = check_grant(&bench, "alice", revoke(bench.grant("bank", 11, 0)), "ok");
        check_grant(&bench, "bank", dag.insert(), "ok");
    }
}

#[test]
fn a_grantee_is_any_text_or_one_canonical_identifier() {
    let bench = Bench::issued(Rules::deployed());
    let (fund, bank) = (bench.caller("fund"), bench.caller("bank"));
    let upper = |text: &Text| text.to_uppercase().replacen("0X", "0x", 1);
    // The grantee as written, and as stored where the promise is kept.
    let table = [
        (fund.to_string(), Some(&fund)),
        (fund.to_lowercase(), Some(&fund)),
        (upper(&fund), Some(&fund)),
        (bank.to_string(), Some(&bank)),
        (upper(&bank), Some(&bank)),
        (fund[2..].to_owned(), None),
        (format!("{fund} "), None),
        (format!("{fund}0"), None),
        (bank[2..].to_owned(), None),
        (format!("0x{bank}"), None),
        ("".to_owned(), None),
        ("the bank".to_owned(), None),
        ("\0".to_owned(), None),
    ];
    for (rules, kept) in [
        (Rules::deployed(), false),
        (all_but(Switch::CanonicalGrantee), false),
        (only(Switch::CanonicalGrantee), true),
        (Rules::documented(), true),
    ] {
        let bench = Bench::issued(rules);
        for (grantee, canonical) in &table {
            let share = bench.copy(11).share(10, grantee, 0);
            let malformed = kept && canonical.is_none();
            let expected = if malformed { MALFORMED } else { "ok" };
            let bench = check_grant(&bench, "alice", share, expected);
            let stored = bench.state.tables().access_grants.iter().next();
            let Some((id, grant)) = stored else {
                continue;
            };
            let expected = canonical.filter(|_| kept).map_or(&**grantee, |text| text);
            assert_eq!(&*grant.grantee, expected);
            assert_eq!(*id, GrantId::derive(expected, credential(11), 0));
        }
        // Case variants are one grantee or several.
        let bench = Bench::shared(rules, 0);
        let variant = bench.dag(&upper(&bench.caller("bank")), 11, 0);
        let expected = if kept { EXISTS } else { "ok" };
        let bench = check_grant(&bench, "bank", variant.insert(), expected);
        let count = if kept { 1 } else { 2 };
        let all = Query::GetAccessGrantsGrantedCount { user_id: None };
        let answer = bench.ask("bank", all);
        assert_eq!(answer, Ok(assay_model::ledger::Answer::Count(count)));
    }
}

#[test]
fn a_lock_holds_through_its_own_second() {
    for rules in both_rules() {
        for (lock, now, expected) in [
            (NOW + 5, NOW, LOCKED),
            (NOW + 5, NOW + 4, LOCKED),
            (NOW + 5, NOW + 5, LOCKED),
            (NOW + 5, NOW + 6, "ok"),
            (0, NOW, "ok"),
            (-1, NOW, "ok"),
            (i64::MIN, NOW, "ok"),
            (NOW, NOW, LOCKED),
            (NOW - 1, NOW, "ok"),
            (i64::MAX, NOW, LOCKED),
        ] {
            // Locks that are no second of any story are made where nothing bounds them.
            let unbounded = rules.with(Switch::BoundedLocks, false);
            let bench = Bench::shared(unbounded, lock).at(now);
            let bench = check_grant(
                &bench,
                "alice",
                revoke(bench.grant("bank", 11, lock)),
                expected,
            );
            assert_eq!(grants(&bench), usize::from(expected == LOCKED));
        }
    }
}

#[test]
fn only_the_owner_revokes_and_others_learn_nothing() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, NOW + 5);
        let grant = bench.grant("bank", 11, NOW + 5);
        for who in ["bob", "bank", "kyc", "root", "nobody"] {
            check_grant(&bench, who, revoke(grant), NOT_FOUND);
        }
        check_grant(
            &bench,
            "alice",
            revoke(bench.grant("fund", 11, NOW + 5)),
            NOT_FOUND,
        );
        let later = bench.at(NOW + 6);
        let bench = check_grant(&later, "alice", revoke(grant), "ok");
        check_grant(&bench, "alice", revoke(grant), NOT_FOUND);
    }
}

#[test]
fn the_last_grant_takes_its_copy_along_or_not() {
    for (rules, kept) in [
        (Rules::deployed(), false),
        (all_but(Switch::LastGrantRemovesCopy), false),
        (only(Switch::LastGrantRemovesCopy), true),
        (Rules::documented(), true),
    ] {
        let bench = Bench::shared(rules, 0);
        let more = bench.dag(&bench.caller("fund"), 11, 0);
        let bench = bench.after("fund", more.insert());
        let stored = |bench: &Bench| {
            let tables = bench.state.tables();
            (
                tables.credentials.contains_key(&credential(11)),
                tables.copy_links.len(),
            )
        };
        let bench = check_grant(&bench, "alice", revoke(bench.grant("bank", 11, 0)), "ok");
        assert_eq!(stored(&bench), (true, 1));
        let bench = check_grant(&bench, "alice", revoke(bench.grant("fund", 11, 0)), "ok");
        assert_eq!(stored(&bench), (!kept, usize::from(!kept)));
        assert!(
            bench
                .state
                .tables()
                .credentials
                .contains_key(&credential(10))
        );
    }
}

#[test]
fn the_last_grant_on_an_original_leaves_it_alone() {
    let rules = only(Switch::LastGrantRemovesCopy);
    let bench = Bench::issued(rules);
    let dag = bench.dag(&bench.caller("fund"), 10, 0);
    let bench = bench.after("fund", dag.insert());
    let bench = check_grant(&bench, "alice", revoke(bench.grant("fund", 10, 0)), "ok");
    assert!(
        bench
            .state
            .tables()
            .credentials
            .contains_key(&credential(10))
    );
}

#[test]
fn an_orphan_goes_with_its_last_grant() {
    let rules = Rules::documented();
    let bench = Bench::shared(rules, NOW + 5);
    let bench = bench.after("alice", Action::RemoveCredential { id: credential(10) });
    let bench = bench.at(NOW + 6);
    let bench = check_grant(
        &bench,
        "alice",
        revoke(bench.grant("bank", 11, NOW + 5)),
        "ok",
    );
    let tables = bench.state.tables();
    assert!(tables.credentials.is_empty() && tables.retained_notes.is_empty());
}
