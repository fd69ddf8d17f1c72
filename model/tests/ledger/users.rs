//! Profiles. Source: idos-facts 3.2.

use assay_model::ledger::{Action, Answer, Consent, OwnerConsent, Query};
use assay_model::rules::{Rules, Switch};

use crate::bench::*;

const NOTHING: &str = "there is nothing this operation applies to";
const UNAUTHORIZED: &str = "Unauthorized inserter";
const STORE: &str = r#"new row violates check constraint "users_encryption_password_store_check""#;
const TAKEN: &str = r#"duplicate key value violates unique constraint "users_pkey""#;
const CONSENT: &str = "the owner's signature for this change is missing or wrong";

fn check_user(bench: &Bench, who: Who, action: Action, expected: &str) -> Bench {
    let mut bench = bench.clone();
    assert_eq!(
        bench.says(who, action.clone()),
        expected,
        "{who}: {action:?}"
    );
    bench
}

fn add_user(n: u128, store: &str) -> Action {
    Action::AddUserAsInserter {
        id: user(n),
        recipient_encryption_public_key: "key".into(),
        encryption_password_store: store.into(),
    }
}

fn update(n: u128, store: &str, consent: Option<OwnerConsent>) -> Action {
    Action::UpdateUserPubKeyAsInserter {
        id: user(n),
        recipient_encryption_public_key: "new key".into(),
        encryption_password_store: store.into(),
        consent,
    }
}

fn consent(bench: &Bench, signer: Who, n: u128) -> Option<OwnerConsent> {
    Some(bench.consent(signer, n, &Consent::UpdateEncryptionKey { key: "new key" }))
}

#[test]
fn a_profile_is_created_by_an_inserter_once() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        let table = [
            ("kyc", add_user(9, "user"), "ok"),
            ("rival", add_user(9, "mpc"), "ok"),
            ("alice", add_user(9, "user"), UNAUTHORIZED),
            ("root", add_user(9, "user"), UNAUTHORIZED),
            ("kyc", add_user(9, "User"), STORE),
            ("kyc", add_user(9, ""), STORE),
            ("rival", add_user(ALICE, "user"), TAKEN),
            // Two faults at once: the caller, then the row's check, then its key.
            ("alice", add_user(ALICE, "x"), UNAUTHORIZED),
            ("kyc", add_user(ALICE, "x"), STORE),
        ];
        for (who, action, expected) in table {
            check_user(&bench, who, action, expected);
        }
    }
}

#[test]
fn a_profile_appears_alone_or_with_its_first_wallet() {
    let there = |bench: &Bench| bench.state.tables().users.contains_key(&user(9));
    for (rules, alone) in [
        (Rules::deployed(), true),
        (all_but(Switch::AtomicProfile), true),
        (only(Switch::AtomicProfile), false),
        (Rules::documented(), false),
    ] {
        let bench = Bench::new(rules).after("kyc", add_user(9, "user"));
        assert_eq!(there(&bench), alone);
        // The id is taken either way.
        check_user(&bench, "rival", add_user(9, "user"), TAKEN);
        let bench = check_user(&bench, "kyc", bench.bind(9, "spare").upsert(), "ok");
        assert!(there(&bench) && bench.state.tables().reserved_users.is_empty());
        let expected = Answer::User(Some(assay_model::ledger::UserRow {
            id: user(9),
            recipient_encryption_public_key: "key".into(),
            encryption_password_store: "user".into(),
            inserter: None,
        }));
        assert_eq!(bench.ask("spare", Query::GetUser {}), Ok(expected));
    }
}

#[test]
fn a_reservation_is_its_inserters() {
    let foreign = r#"insert or update violates foreign key constraint "wallets_user_id_fkey""#;
    let bench = Bench::new(Rules::documented()).after("kyc", add_user(9, "user"));
    check_user(&bench, "rival", bench.bind(9, "spare").upsert(), foreign);
    let bench = Bench::new(Rules::deployed()).after("kyc", add_user(9, "user"));
    check_user(&bench, "rival", bench.bind(9, "spare").upsert(), "ok");
}

#[test]
fn nothing_can_be_written_into_a_reserved_profile() {
    let rules = only(Switch::AtomicProfile);
    let bench = Bench::new(rules).after("kyc", add_user(9, "user"));
    let row = bench.ask("kyc", Query::GetUserAsInserter { id: user(9) });
    assert_eq!(row, Ok(Answer::User(None)));
    let package = bench.credential(10, 9, "kyc", "");
    let foreign = r#"insert or update violates foreign key constraint "credentials_user_id_fkey""#;
    check_user(&bench, "kyc", package.upsert(9, None), foreign);
    let bench = check_user(&bench, "kyc", update(9, "mpc", None), "ok");
    let bench = check_user(&bench, "kyc", bench.bind(9, "spare").upsert(), "ok");
    let row = bench.ask("spare", Query::GetUser {}).unwrap();
    assert!(
        format!("{row:?}").contains(r#""key""#),
        "a silent no-op: {row:?}"
    );
}

#[test]
fn any_inserter_changes_any_key_where_that_is_not_the_owners() {
    for rules in [Rules::deployed(), all_but(Switch::OwnerChangesKey)] {
        let bench = Bench::new(rules);
        let table = [
            ("kyc", update(ALICE, "mpc", None), "ok"),
            ("rival", update(ALICE, "user", None), "ok"),
            ("alice", update(ALICE, "user", None), UNAUTHORIZED),
            ("kyc", update(ALICE, "x", None), STORE),
            ("alice", update(9, "x", None), UNAUTHORIZED),
        ];
        for (who, action, expected) in table {
            check_user(&bench, who, action, expected);
        }
        let bench = bench.after("rival", update(ALICE, "mpc", None));
        let row = &bench.state.tables().users[&user(ALICE)];
        assert_eq!(&*row.recipient_encryption_public_key, "new key");
        assert_eq!(&*row.encryption_password_store, "mpc");
        assert_eq!(&*row.inserter, "kyc", "the creator's name stays");
    }
}

#[test]
fn a_key_changes_only_with_a_signature_of_one_of_the_owners_wallets() {
    for rules in [Rules::documented(), only(Switch::OwnerChangesKey)] {
        let bench = Bench::new(rules);
        let good = consent(&bench, "alice", ALICE);
        let other_wallet = OwnerConsent {
            wallet: bench.caller("bob"),
            ..good.clone().unwrap()
        };
        let lower_case = OwnerConsent {
            wallet: bench.caller("alice").to_lowercase().into(),
            ..good.clone().unwrap()
        };
        let other_key = bench.consent("alice", ALICE, &Consent::UpdateEncryptionKey { key: "k" });
        let table = [
            (update(ALICE, "mpc", good.clone()), "ok"),
            (update(ALICE, "mpc", Some(lower_case)), "ok"),
            (update(ALICE, "mpc", None), CONSENT),
            (update(ALICE, "mpc", Some(other_wallet)), CONSENT),
            (update(ALICE, "mpc", Some(other_key)), CONSENT),
            // Bob's signature is good for bob's profile only, even over alice's text.
            (update(ALICE, "mpc", consent(&bench, "bob", ALICE)), CONSENT),
            (update(ALICE, "mpc", consent(&bench, "bob", BOB)), CONSENT),
            (update(BOB, "mpc", good.clone()), CONSENT),
            (update(BOB, "mpc", consent(&bench, "bob", BOB)), "ok"),
            (update(ALICE, "x", None), STORE),
        ];
        for (action, expected) in table {
            check_user(&bench, "rival", action, expected);
        }
        check_user(&bench, "alice", update(ALICE, "mpc", good), UNAUTHORIZED);
    }
}

#[test]
fn consent_names_the_network() {
    let mut elsewhere = Bench::new(Rules::documented());
    elsewhere.chain_id = "elsewhere".into();
    let bench = Bench::new(Rules::documented());
    let signed = consent(&elsewhere, "alice", ALICE);
    check_user(&bench, "kyc", update(ALICE, "mpc", signed), CONSENT);
}

#[test]
fn an_unknown_profile_is_updated_in_silence_or_refused() {
    for (rules, expected) in [
        (Rules::deployed(), "ok"),
        (only(Switch::NoSilentSuccess), NOTHING),
        (Rules::documented(), NOTHING),
    ] {
        let bench = Bench::new(rules);
        let after = check_user(&bench, "kyc", update(9, "mpc", None), expected);
        assert_eq!(after.state.digest(), bench.state.digest());
        // No row is written, so no value of a row is checked.
        check_user(&bench, "kyc", update(9, "x", None), expected);
    }
}

#[test]
fn a_profile_is_erased_whole_once_no_grant_is_locked() {
    let locked = "there are locked access grants for this profile";
    for rules in [Rules::documented(), only(Switch::ErasableProfile)] {
        let bench = Bench::shared(rules, NOW + 5);
        check_user(&bench, "alice", Action::RemoveUser {}, locked);
        let bench = bench.at(NOW + 5);
        check_user(&bench, "alice", Action::RemoveUser {}, locked);
        let bench = check_user(&bench.at(NOW + 6), "alice", Action::RemoveUser {}, "ok");
        let tables = bench.state.tables();
        assert!(!tables.users.contains_key(&user(ALICE)));
        assert!(
            tables
                .wallets
                .values()
                .all(|row| row.user_id != user(ALICE))
        );
        assert!(tables.credentials.is_empty() && tables.copy_links.is_empty());
        assert!(tables.access_grants.is_empty() && tables.retained_notes.is_empty());
        assert!(tables.users.contains_key(&user(BOB)));
        assert_eq!(
            bench.ask("alice", Query::GetUser {}),
            Ok(Answer::User(None))
        );
        // The address is free again, and so is the id.
        let bench = bench.after("kyc", bench.add_user(ALICE));
        let mut again = bench.bind(ALICE, "alice");
        if bench.keeps(Switch::SingleUseOwnershipProof) {
            let used = "the ownership proof was used before";
            check_user(&bench, "kyc", again.upsert(), used);
            again.message = again.message.replace("5000", "5001").into();
            again.signature = bench.signed("alice", &again.message);
        }
        check_user(&bench, "kyc", again.upsert(), "ok");
    }
}

#[test]
fn a_profile_is_erased_by_its_owner_only_and_not_at_all_today() {
    let unknown = r#"unknown action: action "remove_user" does not exist in namespace "main""#;
    for (rules, owner, stranger) in [
        (Rules::deployed(), unknown, unknown),
        (all_but(Switch::ErasableProfile), unknown, unknown),
        (only(Switch::ErasableProfile), "ok", "ok"),
        (Rules::documented(), "ok", NOTHING),
    ] {
        let bench = Bench::new(rules);
        check_user(&bench, "alice", Action::RemoveUser {}, owner);
        let after = check_user(&bench, "nobody", Action::RemoveUser {}, stranger);
        assert_eq!(after.state.digest(), bench.state.digest());
    }
}
