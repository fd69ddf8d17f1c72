//! Passporting. Source: idos-facts 3.10, 5.12.

use assay_model::ledger::{Action, Answer, Query};
use assay_model::rules::{Rules, Switch};

use crate::bench::*;

const NOTHING: &str = "there is nothing this operation applies to";
const NOT_OWNED: &str = "original credential does not belong to the caller";
const NOTES: &str = "shared credentials cannot have public_notes, it must be an empty string";

fn found(n: u128) -> Action {
    Action::AddPassportingClubAsOwner {
        id: club(n),
        name: format!("club {n}").into(),
    }
}

fn register(bench: &Bench, n: u128, who: Who) -> Action {
    Action::AddPassportingPeerAsOwner {
        id: peer(n),
        name: who.into(),
        issuer_public_key: bench.caller(who),
        server_url_base: format!("https://{who}.example").into(),
    }
}

fn join(c: u128, p: u128) -> Action {
    Action::AddPassportingPeerToClubAsOwner {
        passporting_club_id: club(c),
        passporting_peer_id: peer(p),
    }
}

fn leave(c: u128, p: u128) -> Action {
    Action::DeletePassportingPeerFromClubAsOwner {
        passporting_club_id: club(c),
        passporting_peer_id: peer(p),
    }
}

/// The bench with the issuer and the bank in one club, and the rival in another.
fn clubs() -> Bench {
    let mut bench = Bench::new(Rules::documented());
    for action in [
        found(1),
        found(2),
        register(&bench, 1, "kyc"),
        register(&bench, 2, "bank"),
        register(&bench, 3, "rival"),
        join(1, 1),
        join(1, 2),
        join(2, 3),
    ] {
        bench.must("root", action);
    }
    bench
}

fn peers(bench: &Bench, who: Who) -> Vec<String> {
    match bench.ask(who, Query::GetPassportingPeers {}) {
        Ok(Answer::Peers(rows)) => rows.iter().map(|row| row.name.to_string()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn peers_are_those_of_the_own_clubs() {
    let mut bench = clubs();
    assert_eq!(peers(&bench, "kyc"), ["bank"]);
    assert_eq!(peers(&bench, "bank"), ["kyc"]);
    assert_eq!(peers(&bench, "rival"), [""; 0]);
    assert_eq!(peers(&bench, "alice"), [""; 0]);
    assert_eq!(peers(&bench, ""), [""; 0]);
    // Two clubs in common count once.
    for action in [join(2, 1), join(2, 2)] {
        bench.must("root", action);
    }
    assert_eq!(peers(&bench, "kyc"), ["bank", "rival"]);
    for (action, left) in [
        (leave(1, 2), vec!["bank", "rival"]),
        (leave(2, 2), vec!["rival"]),
        (Action::DeletePassportingClubAsOwner { id: club(2) }, vec![]),
    ] {
        bench.must("root", action);
        assert_eq!(peers(&bench, "kyc"), left);
    }
    bench.must("root", join(1, 2));
    bench.must("root", Action::DeletePassportingPeerAsOwner { id: peer(2) });
    assert_eq!(peers(&bench, "kyc"), [""; 0]);
    assert_eq!(bench.state.tables().club_memberships.len(), 1);
}

#[test]
fn the_registry_is_the_database_owners_and_keeps_its_keys() {
    let bench = clubs();
    let taken = |constraint: &str| {
        format!("duplicate key value violates unique constraint \"{constraint}\"")
    };
    let absent = "insert or update violates foreign key constraint \
                  \"passporting_club_memberships_fkey\""
        .to_owned();
    let renamed = |n| Action::UpdatePassportingClubAsOwner {
        id: club(n),
        name: "another".into(),
    };
    let changed = |n, who| match register(&bench, n, who) {
        Action::AddPassportingPeerAsOwner {
            id,
            name,
            issuer_public_key,
            server_url_base,
        } => Action::UpdatePassportingPeerAsOwner {
            id,
            name,
            issuer_public_key,
            server_url_base,
        },
        other => panic!("{other:?}"),
    };
    let key = "passporting_peers_issuer_public_key_key";
    for (action, expected) in [
        (found(1), taken("passporting_clubs_pkey")),
        (register(&bench, 1, "fund"), taken("passporting_peers_pkey")),
        (register(&bench, 4, "bank"), taken(key)),
        (changed(1, "bank"), taken(key)),
        (changed(1, "fund"), "ok".to_owned()),
        (changed(9, "fund"), NOTHING.to_owned()),
        (renamed(1), "ok".to_owned()),
        (renamed(9), NOTHING.to_owned()),
        (join(1, 1), taken("passporting_club_memberships_pkey")),
        (join(9, 1), absent.clone()),
        (join(1, 9), absent),
        (leave(2, 1), NOTHING.to_owned()),
        (
            Action::DeletePassportingClubAsOwner { id: club(9) },
            NOTHING.to_owned(),
        ),
        (
            Action::DeletePassportingPeerAsOwner { id: peer(9) },
            NOTHING.to_owned(),
        ),
    ] {
        assert_eq!(
            bench.clone().says("root", action.clone()),
            expected,
            "{action:?}"
        );
        let stranger = bench.clone().says("kyc", action.clone());
        let name = action.name();
        assert!(
            stranger.contains(name) && stranger.contains("owner"),
            "{stranger}"
        );
    }
}

#[test]
fn a_copy_waits_and_a_paper_grants_it() {
    let bench = Bench::new(Rules::documented());
    let original = bench.credential(1, ALICE, "kyc", r#"{"id":"vc-1"}"#);
    let copy = bench.credential(2, ALICE, "face", "");
    let noted = bench.credential(3, ALICE, "face", "{}");
    let mut bench = bench.after("alice", original.add());
    assert_eq!(bench.clone().says("bob", copy.wait(1)), NOT_OWNED);
    assert_eq!(bench.clone().says("alice", copy.wait(9)), NOT_OWNED);
    assert_eq!(bench.clone().says("alice", noted.wait(1)), NOTES);
    bench.must("alice", copy.wait(1));
    let tables = bench.state.tables();
    assert!(
        tables
            .copy_links
            .contains_key(&(credential(1), credential(2)))
    );
    assert!(tables.access_grants.is_empty());
    let read = Query::GetCredentialShared { id: credential(2) };
    assert!(bench.ask("bank", read.clone()).is_err());
    let bank = bench.caller("bank");
    let dag = bench.dag(&bank, 2, 0);
    bench.must("kyc", dag.insert());
    assert!(bench.ask("bank", read).is_ok());
}

#[test]
fn today_there_is_none_of_it() {
    for rules in [Rules::deployed(), all_but(Switch::Passporting)] {
        let bench = Bench::new(rules);
        let copy = bench.credential(2, ALICE, "face", "");
        for (who, action) in [
            ("root", found(1)),
            ("root", register(&bench, 1, "kyc")),
            ("root", join(1, 1)),
            ("root", leave(1, 1)),
            ("alice", copy.wait(1)),
        ] {
            let expected = format!(
                "unknown action: action \"{}\" does not exist in namespace \"main\"",
                action.name()
            );
            assert_eq!(bench.clone().says(who, action), expected);
        }
        assert!(bench.ask("kyc", Query::GetPassportingPeers {}).is_err());
    }
}
