//! Attributes. Source: idos-facts 3.7.

use assay_model::id::AttributeId;
use assay_model::ledger::{Action, Answer, AttributeRow, Consent, OwnerConsent, Query};
use assay_model::rules::{Rules, Switch};

use crate::bench::*;

const NOTHING: &str = "there is nothing this operation applies to";
const NOT_OWNED: &str = "the original attribute does not belong to the caller";
const COPY: &str = "Can not edit shared attribute";
const TAKEN: &str = "duplicate key value violates unique constraint \"user_attributes_pkey\"";
const NO_PROFILE: &str = "null value in column \"user_id\" violates not-null constraint";
const NO_USER: &str =
    "insert or update violates foreign key constraint \"user_attributes_user_id_fkey\"";
const NO_ORIGINAL: &str =
    "insert or update violates foreign key constraint \"shared_user_attributes_original_id_fkey\"";
const UNSIGNED: &str = "the owner's signature for this change is missing or wrong";
const STRANGER: &str = "Unauthorized inserter";

fn add(n: u128) -> Action {
    Action::AddAttribute {
        id: attribute(n),
        attribute_key: "city".into(),
        value: "Zug".into(),
    }
}

fn edit(n: u128) -> Action {
    Action::EditAttribute {
        id: attribute(n),
        attribute_key: "town".into(),
        value: "Chur".into(),
    }
}

fn remove(n: u128) -> Action {
    Action::RemoveAttribute { id: attribute(n) }
}

fn share(n: u128, original: u128) -> Action {
    Action::ShareAttribute {
        id: attribute(n),
        original_attribute_id: attribute(original),
        attribute_key: "city".into(),
        value: "Zug".into(),
    }
}

fn inserted(n: u128, of: u128, consent: Option<OwnerConsent>) -> Action {
    Action::AddAttributeAsInserter {
        id: attribute(n),
        user_id: user(of),
        attribute_key: "city".into(),
        value: "Zug".into(),
        consent,
    }
}

fn listed(bench: &Bench, who: Who) -> Vec<(AttributeId, String, Option<AttributeId>)> {
    let Ok(Answer::Attributes(rows)) = bench.ask(who, Query::GetAttributes {}) else {
        panic!("{who} is not shown attributes");
    };
    let told = |row: AttributeRow| {
        let pair = format!("{}={}", row.attribute_key, row.value);
        (row.id, pair, row.original_id)
    };
    rows.into_iter().map(told).collect()
}

#[test]
fn an_owner_adds_edits_and_removes_and_nobody_else_sees() {
    for rules in both_rules() {
        let mut bench = Bench::new(rules);
        let nothing = if rules.keep(Switch::NoSilentSuccess) {
            NOTHING
        } else {
            "ok"
        };
        for (who, action, expected) in [
            ("alice", add(1), "ok"),
            ("alice", add(1), TAKEN),
            ("bob", add(1), TAKEN),
            ("nobody", add(2), NO_PROFILE),
            ("bob", edit(1), nothing),
            ("bob", remove(1), nothing),
            ("nobody", edit(1), nothing),
            ("alice", edit(9), nothing),
            ("alice", edit(1), "ok"),
        ] {
            assert_eq!(
                bench.says(who, action.clone()),
                expected,
                "{who} {action:?}"
            );
        }
        let row = (attribute(1), "town=Chur".to_owned(), None);
        assert_eq!(listed(&bench, "alice"), [row]);
        assert_eq!(listed(&bench, "bob"), []);
        assert_eq!(listed(&bench, ""), []);
        bench.must("alice", remove(1));
        assert_eq!(bench.says("alice", remove(1)), nothing);
        assert_eq!(listed(&bench, "alice"), []);
    }
}

#[test]
fn an_inserter_adds_one_with_the_owners_signature_where_that_is_promised() {
    for rules in both_rules() {
        let mut bench = Bench::new(rules);
        let change = Consent::InsertAttribute {
            attribute: attribute(1),
            key: "city",
            value: "Zug",
        };
        let given = bench.consent("alice", ALICE, &change);
        let forged = bench.consent("bob", ALICE, &change);
        let asked = rules.keep(Switch::ConsentedWrites);
        let unsigned = if asked { UNSIGNED } else { "ok" };
        for (n, who, action, expected) in [
            (
                1,
                "alice",
                inserted(1, ALICE, Some(given.clone())),
                STRANGER,
            ),
            (2, "kyc", inserted(2, 99, Some(given.clone())), NO_USER),
            (3, "kyc", inserted(3, ALICE, None), unsigned),
            (4, "kyc", inserted(4, ALICE, Some(given.clone())), unsigned),
            (1, "kyc", inserted(1, ALICE, Some(forged)), unsigned),
        ] {
            let mut bench = bench.clone();
            assert_eq!(
                bench.says(who, action.clone()),
                expected,
                "{who} {n} {action:?}"
            );
        }
        bench.must("kyc", inserted(1, ALICE, Some(given)));
        assert_eq!(bench.says("kyc", inserted(1, ALICE, None)), TAKEN);
        let row = &bench.state.tables().user_attributes[&attribute(1)];
        assert_eq!(row.inserter.as_deref(), Some("kyc"));
    }
}

#[test]
fn a_copy_is_linked_and_not_edited() {
    for rules in both_rules() {
        let mut bench = Bench::new(rules).after("alice", add(1));
        bench.must("alice", share(2, 1));
        assert_eq!(bench.says("alice", edit(2)), COPY);
        let linked = |bench: &Bench| listed(bench, "alice")[1].2;
        assert_eq!(linked(&bench), Some(attribute(1)));
        let gone = bench.after("alice", remove(1));
        let left = (attribute(2), "city=Zug".to_owned(), None);
        assert_eq!(listed(&gone, "alice"), [left]);
        gone.after("alice", edit(2));
    }
}

#[test]
fn only_own_originals_are_linked_to_where_that_is_promised() {
    for rules in both_rules() {
        let mut bench = Bench::new(rules)
            .after("alice", add(1))
            .after("bob", add(5));
        bench.must("alice", share(2, 1));
        let own = rules.keep(Switch::OwnAttributeLinks);
        for (action, expected) in [
            (share(3, 5), if own { NOT_OWNED } else { "ok" }),
            (share(4, 2), if own { NOT_OWNED } else { "ok" }),
            // Off, the answer tells whether somebody else's attribute exists.
            (share(6, 9), if own { NOT_OWNED } else { NO_ORIGINAL }),
            (share(1, 1), TAKEN),
        ] {
            assert_eq!(bench.says("alice", action.clone()), expected, "{action:?}");
        }
    }
}

#[test]
fn an_erased_profile_takes_its_attributes_along() {
    let mut bench = Bench::new(Rules::documented());
    for (who, action) in [
        ("alice", add(1)),
        ("alice", share(2, 1)),
        ("bob", add(5)),
        ("alice", Action::RemoveUser {}),
    ] {
        bench.must(who, action);
    }
    let tables = bench.state.tables();
    let left: Vec<_> = tables.user_attributes.keys().copied().collect();
    assert_eq!(
        (left, tables.attribute_links.len()),
        (vec![attribute(5)], 0)
    );
}
