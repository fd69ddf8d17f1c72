//! Inserters and delegates. Source: idos-facts 3.1.

use assay_model::id::Text;
use assay_model::ledger::{Action, Batch, Outcome, Query, Refusal, Unreadable};
use assay_model::rules::{Rules, Switch};

use crate::bench::*;

fn add_inserter(n: u128, name: &str) -> Action {
    Action::AddInserterAsOwner {
        id: organisation(n),
        name: name.into(),
    }
}

fn delete_inserter(n: u128) -> Action {
    Action::DeleteInserterAsOwner {
        id: organisation(n),
    }
}

fn add_delegate(address: &str, n: u128) -> Action {
    Action::AddDelegateAsOwner {
        address: address.into(),
        inserter_id: organisation(n),
    }
}

fn delete_delegate(address: &str) -> Action {
    Action::DeleteDelegateAsOwner {
        address: address.into(),
    }
}

/// Runs the actions of the database owner and returns the inserters' names and the delegates after.
fn check_owner(rules: Rules, steps: &[(Action, &str)]) -> (Vec<Text>, Vec<Text>) {
    let mut bench = Bench::new(rules);
    for (action, expected) in steps {
        assert_eq!(bench.says("root", action.clone()), *expected, "{action:?}");
    }
    let tables = bench.state.tables();
    let names = tables.inserters.values().map(|row| row.0.clone());
    let added =
        |address: &&Text| **address != bench.caller("kyc") && **address != bench.caller("rival");
    let delegates = tables.delegates.keys().filter(added).cloned();
    (names.collect(), delegates.collect())
}

fn texts(texts: &[&str]) -> Vec<Text> {
    texts.iter().map(|text| Text::from(*text)).collect()
}

#[test]
fn only_the_database_owner_administers() {
    for rules in both_rules() {
        for who in EVERYBODY.into_iter().filter(|who| *who != "root") {
            let table = [
                (add_inserter(9, "x"), "add_inserter_as_owner"),
                (delete_inserter(1), "delete_inserter_as_owner"),
                (add_delegate("x", 1), "add_delegate_as_owner"),
                (delete_delegate("x"), "delete_delegate_as_owner"),
                // Who asks is looked at before what is asked.
                (add_inserter(1, "kyc"), "add_inserter_as_owner"),
            ];
            for (action, name) in table {
                let expected = format!("action is owner-only: {name}");
                assert_eq!(Bench::new(rules).says(who, action), expected, "{who}");
            }
        }
    }
}

#[test]
fn the_owner_is_compared_letter_by_letter() {
    let mut bench = Bench::new(Rules::documented());
    bench.db_owner = bench.db_owner.to_lowercase().into();
    let expected = "action is owner-only: add_inserter_as_owner";
    assert_eq!(bench.says("root", add_inserter(9, "x")), expected);
}

#[test]
fn an_inserter_has_an_id_and_a_name_of_its_own() {
    const ID: &str = r#"duplicate key value violates unique constraint "inserters_pkey""#;
    const NAME: &str = r#"duplicate key value violates unique constraint "inserters_name_key""#;
    for rules in both_rules() {
        let steps = [
            (add_inserter(3, "third"), "ok"),
            (add_inserter(3, "fourth"), ID),
            (add_inserter(4, "third"), NAME),
            (add_inserter(3, "third"), ID),
            // Names are any text, and compared letter by letter.
            (add_inserter(4, "Third"), "ok"),
            (add_inserter(5, ""), "ok"),
        ];
        let (names, _) = check_owner(rules, &steps);
        assert_eq!(names, texts(&["kyc", "rival", "third", "Third", ""]));
    }
}

#[test]
fn a_removed_inserter_takes_its_delegates_along() {
    let steps = [
        (add_delegate("one", 1), "ok"),
        (add_delegate("two", 2), "ok"),
        (delete_inserter(1), "ok"),
    ];
    for rules in both_rules() {
        let (names, delegates) = check_owner(rules, &steps);
        assert_eq!((names, delegates), (texts(&["rival"]), texts(&["two"])));
    }
}

#[test]
fn rows_keep_the_name_of_a_removed_inserter() {
    let bench = Bench::new(Rules::deployed()).after("root", delete_inserter(1));
    let row = bench.ask("rival", Query::GetUserAsInserter { id: user(ALICE) });
    assert!(
        format!("{row:?}").contains(r#"inserter: Some("kyc")"#),
        "{row:?}"
    );
}

#[test]
fn a_delegate_is_stored_in_lower_case_for_an_inserter_that_exists() {
    const TAKEN: &str = r#"duplicate key value violates unique constraint "delegates_pkey""#;
    const UNKNOWN: &str =
        r#"insert or update violates foreign key constraint "delegates_inserter_id_fkey""#;
    for rules in both_rules() {
        let steps = [
            (add_delegate("AbC", 1), "ok"),
            (add_delegate("aBc", 2), TAKEN),
            (add_delegate("x", 9), UNKNOWN),
            (add_delegate("abc", 9), TAKEN),
            (add_delegate("", 2), "ok"),
        ];
        let (_, delegates) = check_owner(rules, &steps);
        assert_eq!(delegates, texts(&["", "abc"]));
    }
}

#[test]
fn a_delegate_is_removed_by_its_stored_spelling_or_by_any() {
    let add = || (add_delegate("AbC", 1), "ok");
    let (_, left) = check_owner(Rules::deployed(), &[add(), (delete_delegate("AbC"), "ok")]);
    assert_eq!(left, texts(&["abc"]), "a silent no-op");
    for rules in [Rules::deployed(), only(Switch::AnyCaseDelegate)] {
        let (_, left) = check_owner(rules, &[add(), (delete_delegate("abc"), "ok")]);
        assert!(left.is_empty());
    }
    for rules in [Rules::documented(), only(Switch::AnyCaseDelegate)] {
        let (_, left) = check_owner(rules, &[add(), (delete_delegate("aBC"), "ok")]);
        assert!(left.is_empty());
    }
}

#[test]
fn removing_what_is_not_there_is_silent_or_refused() {
    const NOTHING: &str = "there is nothing this operation applies to";
    for (rules, expected) in [
        (Rules::deployed(), "ok"),
        (only(Switch::NoSilentSuccess), NOTHING),
        (all_but(Switch::NoSilentSuccess), "ok"),
        (Rules::documented(), NOTHING),
    ] {
        check_owner(rules, &[(delete_inserter(9), expected)]);
        check_owner(rules, &[(delete_delegate("nobody's"), expected)]);
    }
}

/// Delegates are stored in lower case and a caller of an EVM key is written with its checksum, so only
/// Ed25519 keys can act for an inserter. Source: idos-facts 3.0.
#[test]
fn an_evm_key_never_acts_for_an_inserter() {
    for rules in both_rules() {
        let mut bench = Bench::new(rules);
        let address = bench.caller("spare");
        bench.must("root", add_delegate(&address, 1));
        assert_eq!(
            bench.says("spare", bench.add_user(9)),
            "Unauthorized inserter"
        );
        let address = bench.caller("bank").to_uppercase();
        bench.must("root", add_delegate(&address, 1));
        bench.must("bank", bench.add_user(9));
    }
}

#[test]
fn a_removed_key_has_lost_its_powers_from_the_next_action_on() {
    for rules in both_rules() {
        let mut bench = Bench::new(rules);
        let address = bench.caller("kyc");
        bench.must("kyc", bench.add_user(8));
        bench.must("root", delete_delegate(&address));
        assert_eq!(
            bench.says("kyc", bench.add_user(9)),
            "Unauthorized inserter"
        );
    }
}

#[test]
fn a_batch_takes_effect_as_a_whole_or_not_at_all() {
    for rules in both_rules() {
        let mut bench = Bench::new(rules);
        let (digest, nonce) = (bench.state.digest(), bench.nonce("root"));
        let batch = |names: &[&str]| {
            let calls = names.iter().zip(5..);
            Batch::several(calls.map(|(name, n)| add_inserter(n, name)).collect()).unwrap()
        };
        let outcome = bench.run_batch("root", batch(&["five", "six", "kyc"]));
        assert!(said(outcome).contains("inserters_name_key"));
        assert_eq!(
            (bench.state.digest(), bench.nonce("root")),
            (digest, nonce + 1)
        );
        // Later calls of a batch see the earlier ones.
        let outcome = bench.run_batch("root", batch(&["five", "five"]));
        assert!(said(outcome).contains("inserters_name_key"));
        let outcome = bench.run_batch("root", batch(&["five", "six"]));
        assert_eq!(outcome, Outcome::Accepted);
        assert_eq!(bench.state.tables().inserters.len(), 4);
        assert_eq!(bench.nonce("root"), nonce + 3);
    }
}

#[test]
fn a_batch_holds_calls_of_one_action() {
    assert!(Batch::several(vec![]).is_none());
    assert!(Batch::several(vec![add_inserter(5, "x"), delete_inserter(5)]).is_none());
}

#[test]
fn what_cannot_be_read_uses_its_nonce_and_nothing_else() {
    for rules in both_rules() {
        for (problem, code) in [(Unreadable::Payload, 1), (Unreadable::Call, 65_535)] {
            let mut bench = Bench::new(rules);
            let (digest, nonce) = (bench.state.digest(), bench.nonce("root"));
            let outcome = bench.run_batch("root", Batch::unreadable(problem));
            assert_eq!(outcome, Outcome::Refused(Refusal::Unreadable(problem)));
            assert_eq!(outcome.code(), code);
            let after = (bench.state.digest(), bench.nonce("root"));
            assert_eq!(after, (digest, nonce + 1));
        }
    }
    assert!(Batch::unreadable(Unreadable::Payload).calls().is_empty());
}
