//! Wallets and their proofs. Source: idos-facts 3.3.

use std::sync::Arc;

use assay_model::crypto::{Scheme, SigningKey};
use assay_model::id::Text;
use assay_model::ledger::{
    Action, Answer, Batch, Outcome, OwnershipProof, Query, State, Transaction, Unsigned, Wallet,
    WalletType,
};
use assay_model::rules::{Rules, Switch};
use assay_model::time::BlockTime;

use crate::bench::*;

const TYPE: &str = "unsupported wallet type";
const PROOF: &str = "wallet is invalid";
const KEY_TAKEN: &str = "wallet public key already exists in idos";
const ADDRESS_TAKEN: &str = "wallet address already exists in idos";
const UNAUTHORIZED: &str = "Unauthorized inserter";
const FOREIGN: &str = r#"insert or update violates foreign key constraint "wallets_user_id_fkey""#;
const NO_PROFILE: &str = r#"null value in column "user_id" violates not-null constraint"#;
const ID_TAKEN: &str = r#"duplicate key value violates unique constraint "wallets_pkey""#;
const OWNERS: &str = "only the owner can change the wallets of this profile";
const UNBOUND: &str = "the ownership proof does not name this profile, wallet and network";
const EXPIRED: &str = "the ownership proof is no longer usable";
const USED: &str = "the ownership proof was used before";
const CONNECTED: &str = "You can not delete a wallet you are connected with. To delete this wallet you have to connect other wallet.";
const NOTHING: &str = "there is nothing this operation applies to";

fn check_wallet(bench: &Bench, who: Who, action: Action, expected: &str) -> Bench {
    let mut bench = bench.clone();
    assert_eq!(
        bench.says(who, action.clone()),
        expected,
        "{who}: {action:?}"
    );
    bench
}

/// A proof over any message, which deployed rules accept.
fn proven(bench: &Bench, n: u128, who: Who, message: &str) -> Binding {
    Binding {
        message: message.into(),
        signature: bench.signed(who, message),
        ..bench.bind(n, who)
    }
}

fn remove(n: u128) -> Action {
    Action::RemoveWallet { id: wallet(n) }
}

fn row(bench: &Bench, n: u128) -> Option<Arc<Wallet>> {
    bench.state.tables().wallets.get(&wallet(n)).cloned()
}

/// A wallet that nobody proved, put there by hand.
fn plant(bench: &mut Bench, n: u128, owner: u128, kind: WalletType, address: &str, key: &str) {
    let mut state: State = std::mem::take(&mut bench.state);
    state.put(
        wallet(n),
        Wallet {
            user_id: user(owner),
            address: address.into(),
            public_key: Some(key.into()),
            wallet_type: kind,
            message: None,
            signature: None,
            inserter: None,
        },
    );
    bench.state = state;
}

#[test]
fn wallet_checks_come_in_the_order_of_the_contract() {
    for rules in both_rules() {
        let bench = Bench::new(rules).after("alice", bench_face(rules));
        let good = bench.bind(ALICE, "spare").row(40);
        let face = Binding {
            address: "elsewhere".into(),
            ..bench.bind(ALICE, "face").row(41)
        };
        let table = [
            // Type before proof.
            (
                Binding {
                    wallet_type: "evm".into(),
                    ..good.clone()
                },
                TYPE,
            ),
            (
                Binding {
                    wallet_type: "".into(),
                    signature: "".into(),
                    ..good.clone()
                },
                TYPE,
            ),
            // Proof before uniqueness.
            (
                Binding {
                    signature: "".into(),
                    ..good.clone()
                },
                PROOF,
            ),
            (
                Binding {
                    signature: "zz".into(),
                    ..good.clone()
                },
                PROOF,
            ),
            (
                Binding {
                    message: "else".into(),
                    ..good.clone()
                },
                PROOF,
            ),
            (
                Binding {
                    address: "0x12".into(),
                    ..good.clone()
                },
                PROOF,
            ),
            (
                Binding {
                    address: "".into(),
                    ..good.clone()
                },
                PROOF,
            ),
            (
                Binding {
                    address: bench.caller("bob"),
                    ..good.clone()
                },
                PROOF,
            ),
            (
                Binding {
                    wallet_type: "FaceSign".into(),
                    ..good.clone()
                },
                PROOF,
            ),
            (
                Binding {
                    public_key: None,
                    ..face.clone()
                },
                PROOF,
            ),
            // Key and address of another row.
            (face, KEY_TAKEN),
            (bench.bind(ALICE, "bob").row(40), ADDRESS_TAKEN),
            (good, "ok"),
        ];
        for (binding, expected) in table {
            check_wallet(&bench, "alice", binding.add(), expected);
            if expected != "ok" {
                // The same checks come before anybody asks who the inserter is.
                check_wallet(&bench, "kyc", binding.upsert(), expected);
                check_wallet(&bench, "nobody", binding.upsert(), expected);
            }
        }
    }
}

fn bench_face(rules: Rules) -> Action {
    Bench::new(rules).bind(ALICE, "face").row(30).add()
}

/// Everybody who has a wallet of a type of its own and no profile.
const FIVE: [Who; 6] = ["spare", "near", "ripple", "drop", "star", "face"];

#[test]
fn wallets_of_all_five_types_join_a_profile_and_speak_for_it() {
    for suite in suites() {
        for rules in both_rules() {
            let bench = Bench::with_suite(suite.clone(), rules);
            for who in FIVE {
                let binding = bench.bind(ALICE, who).row(40);
                let forged = Binding {
                    signature: bench.signed("bob", &binding.message),
                    ..binding.clone()
                };
                check_wallet(&bench, "alice", forged.add(), PROOF);
                let bench = check_wallet(&bench, "alice", binding.add(), "ok");
                let found = bench.ask(who, Query::GetUser {});
                assert!(
                    matches!(found, Ok(Answer::User(Some(row))) if row.id == user(ALICE)),
                    "{who}"
                );
                check_wallet(&bench, who, remove(40), CONNECTED);
                let bench = check_wallet(&bench, who, remove(ALICE), "ok");
                let bench = check_wallet(&bench, who, bench.bind(ALICE, "spare").row(41).add(), {
                    if who == "spare" { ADDRESS_TAKEN } else { "ok" }
                });
                let again = binding.clone().row(42).add();
                let taken = if who == "spare" {
                    ADDRESS_TAKEN
                } else {
                    KEY_TAKEN
                };
                check_wallet(&bench, who, again, taken);
            }
        }
    }
}

#[test]
fn a_key_and_its_address_belong_together() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        for who in ["ripple", "drop", "star"] {
            let binding = bench.bind(ALICE, who).row(40);
            let lower: Text = binding.address.to_lowercase().into();
            for address in [bench.bind(ALICE, "alice").address, lower, "".into()] {
                let other = Binding {
                    address,
                    ..binding.clone()
                };
                check_wallet(&bench, "alice", other.add(), PROOF);
            }
            let key = bench.bind(ALICE, "face").public_key;
            let other = Binding {
                public_key: key,
                ..binding.clone()
            };
            check_wallet(&bench, "alice", other.add(), PROOF);
        }
        // A NEAR account may have any name, so its key alone counts.
        let named = Binding {
            address: "else.near".into(),
            ..proven(&bench, ALICE, "near", "hello").row(40)
        };
        let said = if rules.keep(Switch::BoundOwnershipProof) {
            UNBOUND
        } else {
            "ok"
        };
        check_wallet(&bench, "alice", named.add(), said);
    }
}

#[test]
fn a_wallet_without_its_public_key_is_refused() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        for (who, expected) in [
            ("spare", "ok"),
            ("near", PROOF),
            ("ripple", PROOF),
            ("drop", PROOF),
            ("face", PROOF),
            // Its address is the key, so the proof holds without.
            ("star", "wallet require a public_key to be given"),
        ] {
            let bare = Binding {
                public_key: None,
                ..bench.bind(ALICE, who).row(40)
            };
            check_wallet(&bench, "alice", bare.add(), expected);
        }
    }
}

/// Source: SEP-53, idos-facts 4.1.
#[test]
fn a_stellar_wallet_may_sign_a_text_behind_its_prefix() {
    use sha2::{Digest, Sha256};
    for suite in suites() {
        let bench = Bench::with_suite(suite, Rules::documented());
        for (who, expected) in [("star", "ok"), ("face", PROOF)] {
            let binding = bench.bind(ALICE, who).row(40);
            let text = format!("Stellar Signed Message:\n{}", binding.message);
            let signature = bench.suite.sign(&key(who), &Sha256::digest(text));
            let prefixed = Binding {
                signature: hex::encode(signature).into(),
                ..binding
            };
            check_wallet(&bench, "alice", prefixed.add(), expected);
        }
    }
}

/// An Ed25519 key is found by its hex where it is FaceSign's and by its address where it is Stellar's, and
/// in no other spelling.
#[test]
fn a_stellar_wallet_is_found_by_its_key() {
    let bench = Bench::new(Rules::documented());
    let binding = bench.bind(ALICE, "star").row(40);
    let bench = check_wallet(&bench, "alice", binding.add(), "ok");
    let caller = bench.caller("star");
    let table = [
        (caller.to_string(), true),
        (binding.address.to_string(), true),
        (caller.to_uppercase(), false),
        (binding.address.to_lowercase(), false),
        (bench.caller("face").to_string(), false),
    ];
    for (identifier, there) in table {
        let answer = bench.ask_as(&identifier, Query::GetUser {});
        let found = matches!(answer, Ok(Answer::User(Some(_))));
        assert_eq!(found, there, "{identifier}");
    }
}

#[test]
fn a_signature_may_carry_the_hex_prefix() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        for who in ["spare", "face"] {
            let binding = bench.bind(ALICE, who).row(40);
            let prefixed = Binding {
                signature: format!("0x{}", binding.signature).into(),
                ..binding
            };
            check_wallet(&bench, "alice", prefixed.add(), "ok");
        }
    }
}

#[test]
fn an_evm_address_is_taken_in_every_spelling() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        let address: Text = bench.caller("bob").to_lowercase().into();
        let proof = OwnershipProof {
            user: user(ALICE),
            wallet: &address,
            chain_id: CHAIN,
            not_after: BlockTime(PROOF_END),
        };
        let message: Text = proof.text().into();
        let spelt = Binding {
            address: address.clone(),
            signature: bench.signed("bob", &message),
            message,
            ..bench.bind(ALICE, "bob").row(40)
        };
        check_wallet(&bench, "alice", spelt.add(), ADDRESS_TAKEN);
        check_wallet(&bench, "kyc", spelt.upsert(), ADDRESS_TAKEN);
        let stored = &row(&bench, BOB).unwrap().address;
        assert_eq!(stored, &bench.caller("bob"), "stored as given");
    }
}

#[test]
fn uniqueness_looks_at_each_type_as_the_contract_says() {
    let mut bench = Bench::new(Rules::deployed());
    let spare = bench.caller("spare");
    let face = bench.caller("face");
    let try_spare = |bench: &Bench, expected: &str| {
        check_wallet(
            bench,
            "alice",
            bench.bind(ALICE, "spare").row(40).add(),
            expected,
        );
    };
    let try_face = |bench: &Bench, expected: &str| {
        check_wallet(
            bench,
            "alice",
            bench.bind(ALICE, "face").row(40).add(),
            expected,
        );
    };
    for (kind, spare_says) in [
        (WalletType::NEAR, "ok"),
        (WalletType::FaceSign, "ok"),
        (WalletType::XRPL, ADDRESS_TAKEN),
        (WalletType::Stellar, ADDRESS_TAKEN),
        (WalletType::EVM, ADDRESS_TAKEN),
    ] {
        plant(&mut bench, 50, BOB, kind, &spare, "k");
        try_spare(&bench, spare_says);
        // An EVM row's public key is not looked at.
        plant(&mut bench, 50, BOB, kind, "a", &face);
        let taken = kind != WalletType::EVM;
        try_face(&bench, if taken { KEY_TAKEN } else { "ok" });
        // Addresses of FaceSign wallets may be anybody's.
        plant(&mut bench, 50, BOB, kind, &face, "k");
        try_face(&bench, "ok");
    }
}

#[test]
fn an_inserter_binds_a_wallet_to_a_profile_that_exists() {
    for rules in both_rules() {
        let bench = Bench::new(rules).after("kyc", Bench::new(rules).add_user(9));
        let good = bench.bind(9, "spare");
        let unknown = Binding {
            user: user(8),
            ..bench.bind(8, "spare")
        };
        let table = [
            ("kyc", &good, "ok"),
            ("spare", &good, UNAUTHORIZED),
            ("root", &good, UNAUTHORIZED),
            ("nobody", &unknown, UNAUTHORIZED),
            ("kyc", &unknown, FOREIGN),
        ];
        for (who, binding, expected) in table {
            check_wallet(&bench, who, binding.upsert(), expected);
        }
        let bench = check_wallet(&bench, "kyc", good.upsert(), "ok");
        let stored = row(&bench, 9).unwrap();
        assert_eq!(stored.inserter.as_deref(), Some("kyc"));
        assert_eq!(stored.message.as_ref(), Some(&good.message));
        assert_eq!(stored.signature.as_ref(), Some(&good.signature));
    }
}

#[test]
fn an_inserter_moves_and_overwrites_wallets_where_they_are_not_the_owners() {
    for rules in [Rules::deployed(), only(Switch::AtomicProfile)] {
        let bench = Bench::new(rules);
        // Every column of alice's row, its profile included.
        let stolen = Binding {
            row: wallet(ALICE),
            ..proven(&bench, MALLORY, "spare", "hello")
        };
        let bench = check_wallet(&bench, "rival", stolen.upsert(), "ok");
        let stored = row(&bench, ALICE).unwrap();
        assert_eq!(
            (stored.user_id, &stored.address),
            (user(MALLORY), &bench.caller("spare"))
        );
        assert_eq!(stored.inserter.as_deref(), Some("rival"));
        assert_eq!(
            bench.ask("alice", Query::GetUser {}),
            Ok(Answer::User(None))
        );
        // The row itself does not stand in its own way.
        check_wallet(&bench, "rival", stolen.upsert(), "ok");
    }
}

#[test]
fn an_inserter_brings_the_first_wallet_only() {
    for rules in [Rules::documented(), only(Switch::OwnerChangesWallets)] {
        let bench = Bench::new(rules);
        check_wallet(
            &bench,
            "kyc",
            bench.bind(ALICE, "spare").row(40).upsert(),
            OWNERS,
        );
        check_wallet(&bench, "kyc", bench.bind(ALICE, "spare").upsert(), OWNERS);
        check_wallet(&bench, "kyc", bench.bind(ALICE, "alice").upsert(), OWNERS);
        // A row that is there is nobody's to take, also for a profile without wallets.
        let bench = bench.after("kyc", bench.add_user(9));
        check_wallet(
            &bench,
            "kyc",
            bench.bind(9, "spare").row(ALICE).upsert(),
            OWNERS,
        );
        check_wallet(&bench, "kyc", bench.bind(9, "spare").upsert(), "ok");
        check_wallet(
            &bench,
            "mallory",
            bench.bind(9, "spare").upsert(),
            UNAUTHORIZED,
        );
    }
}

#[test]
fn an_empty_public_key_stays_with_an_inserter_and_goes_with_an_owner() {
    let bench = Bench::new(Rules::deployed());
    let empty = |n| Binding {
        public_key: Some("".into()),
        ..bench.bind(ALICE, "spare").row(n)
    };
    let upserted = check_wallet(&bench, "kyc", empty(40).upsert(), "ok");
    assert_eq!(row(&upserted, 40).unwrap().public_key.as_deref(), Some(""));
    let added = check_wallet(&bench, "alice", empty(40).add(), "ok");
    assert_eq!(row(&added, 40).unwrap().public_key, None);
}

#[test]
fn a_user_adds_wallets_to_the_own_profile() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        for who in ["spare", "face"] {
            let bench = check_wallet(&bench, "alice", bench.bind(ALICE, who).row(40).add(), "ok");
            let stored = row(&bench, 40).unwrap();
            assert_eq!(
                (stored.user_id, stored.inserter.clone()),
                (user(ALICE), None)
            );
            // Both speak for the same profile now.
            let profile = bench.ask("alice", Query::GetUser {});
            assert_eq!(bench.ask(who, Query::GetUser {}), profile);
        }
        check_wallet(
            &bench,
            "alice",
            bench.bind(ALICE, "spare").row(BOB).add(),
            ID_TAKEN,
        );
        check_wallet(&bench, "nobody", bench.bind(9, "spare").add(), NO_PROFILE);
        // No profile is reported before a taken id.
        check_wallet(
            &bench,
            "nobody",
            bench.bind(9, "spare").row(BOB).add(),
            NO_PROFILE,
        );
        check_wallet(&bench, "nobody", bench.bind(9, "bob").add(), ADDRESS_TAKEN);
    }
}

#[test]
fn a_proof_binds_profile_wallet_network_and_time_where_promised() {
    for rules in [Rules::documented(), only(Switch::BoundOwnershipProof)] {
        let bench = Bench::new(rules);
        let message = |user, wallet: Who, chain_id| {
            let wallet = bench.caller(wallet);
            let not_after = BlockTime(PROOF_END);
            OwnershipProof {
                user,
                wallet: &wallet,
                chain_id,
                not_after,
            }
            .text()
        };
        let good = message(user(ALICE), "spare", CHAIN);
        let table = [
            (good.clone(), "ok"),
            (message(user(BOB), "spare", CHAIN), UNBOUND),
            (message(user(ALICE), "face", CHAIN), UNBOUND),
            (message(user(ALICE), "spare", "elsewhere"), UNBOUND),
            ("I own this wallet".to_owned(), UNBOUND),
            ("".to_owned(), UNBOUND),
            (format!("{good} "), UNBOUND),
        ];
        for (message, expected) in table {
            let binding = proven(&bench, ALICE, "spare", &message).row(40);
            check_wallet(&bench, "alice", binding.add(), expected);
            // The schema's own refusals come first.
            check_wallet(&bench, "nobody", binding.add(), NO_PROFILE);
        }
        let binding = bench.bind(ALICE, "spare").row(40);
        check_wallet(&bench.at(PROOF_END), "alice", binding.add(), "ok");
        check_wallet(&bench.at(PROOF_END + 1), "alice", binding.add(), EXPIRED);
    }
    for rules in [Rules::deployed(), all_but(Switch::BoundOwnershipProof)] {
        let bench = Bench::new(rules).at(PROOF_END + 1);
        for message in ["I own this wallet", ""] {
            let binding = proven(&bench, ALICE, "spare", message).row(40);
            check_wallet(&bench, "alice", binding.add(), "ok");
        }
    }
}

#[test]
fn a_proof_is_good_once_or_for_ever() {
    for (rules, expected) in [
        (Rules::deployed(), "ok"),
        (all_but(Switch::SingleUseOwnershipProof), "ok"),
        (only(Switch::SingleUseOwnershipProof), USED),
        (Rules::documented(), USED),
    ] {
        let bench = Bench::new(rules);
        for who in ["spare", "face"] {
            let binding = bench.bind(ALICE, who).row(40);
            let bench = check_wallet(&bench, "alice", binding.add(), "ok");
            let bench = check_wallet(&bench, "alice", remove(40), "ok");
            check_wallet(&bench, "alice", binding.add(), expected);
        }
    }
}

/// The proof is the signed message: what stands beside it in other letters makes no second proof of it.
#[test]
fn a_used_proof_stays_used_in_another_spelling() {
    let bench = Bench::new(only(Switch::SingleUseOwnershipProof));
    for who in ["spare", "face"] {
        let binding = bench.bind(ALICE, who).row(40);
        let bench = check_wallet(&bench, "alice", binding.add(), "ok");
        let bench = check_wallet(&bench, "alice", remove(40), "ok");
        let address = match who {
            "face" => "anything at all".into(),
            _ => binding.address.to_lowercase().into(),
        };
        let spelt = Binding {
            address,
            ..binding.clone()
        };
        check_wallet(&bench, "alice", spelt.add(), USED);
        let key = binding
            .public_key
            .as_ref()
            .map(|key| key.to_uppercase().into());
        let spelt = Binding {
            public_key: key,
            ..binding
        };
        check_wallet(&bench, "alice", spelt.add(), USED);
    }
}

#[test]
fn a_refused_batch_uses_up_no_proof() {
    let mut bench = Bench::new(Rules::documented());
    let binding = bench.bind(ALICE, "spare").row(40);
    let twice = Batch::several(vec![binding.add(), binding.clone().row(41).add()]).unwrap();
    assert_eq!(said(bench.run_batch("alice", twice)), ADDRESS_TAKEN);
    check_wallet(&bench, "alice", binding.add(), "ok");
}

#[test]
fn the_connected_wallet_stays() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        check_wallet(&bench, "alice", remove(ALICE), CONNECTED);
        let bench = check_wallet(
            &bench,
            "alice",
            bench.bind(ALICE, "face").row(40).add(),
            "ok",
        );
        check_wallet(&bench, "alice", remove(ALICE), CONNECTED);
        check_wallet(&bench, "face", remove(40), CONNECTED);
        let bench = check_wallet(&bench, "face", remove(ALICE), "ok");
        assert_eq!(row(&bench, ALICE), None);
        // The last wallet cannot go, whoever speaks.
        check_wallet(&bench, "face", remove(40), CONNECTED);
    }
}

#[test]
fn removing_no_wallet_of_ones_own_is_silent_or_refused() {
    for (rules, expected) in [
        (Rules::deployed(), "ok"),
        (only(Switch::NoSilentSuccess), NOTHING),
        (Rules::documented(), NOTHING),
    ] {
        let bench = Bench::new(rules);
        for (who, n) in [("alice", 77), ("alice", BOB), ("nobody", ALICE)] {
            let after = check_wallet(&bench, who, remove(n), expected);
            assert_eq!(after.state.digest(), bench.state.digest());
        }
    }
}

/// Self is found by address for EVM, ignoring case; by address to the letter for XRPL and Stellar; by
/// public key to the letter for NEAR and FaceSign. Source: `self()`, idos-facts 3.0.
#[test]
fn each_type_of_wallet_is_matched_in_its_own_way() {
    use WalletType::*;
    for (kind, by_address, any_case) in [
        (EVM, true, true),
        (XRPL, true, false),
        (Stellar, true, false),
        (NEAR, false, false),
        (FaceSign, false, false),
    ] {
        let mut bench = Bench::new(Rules::documented());
        plant(&mut bench, 50, ALICE, kind, "rAddress", "kEy");
        let found = |caller: &str| {
            let answer = bench.ask_as(caller, Query::GetUser {});
            matches!(answer, Ok(Answer::User(Some(row))) if row.id == user(ALICE))
        };
        assert_eq!(found("rAddress"), by_address, "{kind:?}");
        assert_eq!(found("RADDRESS"), by_address && any_case, "{kind:?}");
        assert_eq!(found("kEy"), !by_address, "{kind:?}");
        assert!(!found("KEY"), "{kind:?}");
    }
}

/// A caller of several profiles is an error of the engine wherever one profile is needed.
#[test]
fn a_caller_of_several_profiles_is_nobody_in_particular() {
    const SEVERAL: &str = "more than one row returned by a subquery";
    for rules in both_rules() {
        let mut bench = Bench::issued(rules);
        let address = bench.caller("alice");
        plant(&mut bench, 50, BOB, WalletType::XRPL, &address, "k");
        let copy = bench.copy(11).share(10, &bench.caller("bank"), 0);
        let table = [
            (bench.bind(ALICE, "spare").row(40).add(), SEVERAL),
            (bench.credential(12, ALICE, "kyc", "").add(), SEVERAL),
            (bench.original().edit(), SEVERAL),
            (copy, SEVERAL),
            (Action::RemoveCredential { id: credential(10) }, SEVERAL),
            (
                Action::RevokeAccessGrant {
                    id: bench.grant("bank", 11, 0),
                },
                SEVERAL,
            ),
            // Two rows speak for the caller, so neither is the connected one.
            (remove(ALICE), SEVERAL),
        ];
        for (action, expected) in table {
            check_wallet(&bench, "alice", action, expected);
        }
    }
}

#[test]
fn both_suites_tell_the_same_wallet_story() {
    for suite in suites() {
        let bench = Bench::with_suite(suite, Rules::documented());
        let face = bench.bind(ALICE, "face").row(40);
        let forged = Binding {
            signature: bench.signed("bob", &face.message),
            ..face.clone()
        };
        check_wallet(&bench, "alice", forged.add(), PROOF);
        let bench = check_wallet(&bench, "alice", face.add(), "ok");
        check_wallet(&bench, "face", remove(40), CONNECTED);
        let bench = check_wallet(&bench, "face", remove(ALICE), "ok");
        check_wallet(&bench, "face", face.clone().row(41).add(), KEY_TAKEN);
    }
}

/// Nodes keep one account for the bytes of an Ed25519 key, whichever type it signs under.
#[test]
fn a_near_key_and_the_plain_key_share_their_nonce() {
    let mut bench = Bench::new(Rules::documented());
    let near = key("near");
    let plain = SigningKey {
        scheme: Scheme::Ed25519,
        ..near.clone()
    };
    let mut run = |key: &SigningKey, nonce| {
        let unsigned = Unsigned {
            nonce,
            chain_id: CHAIN.into(),
            payload: Batch::one(remove(77)).into(),
        };
        bench.execute(&Transaction::sign(&*bench.suite.clone(), key, unsigned))
    };
    for (key, nonce, valid) in [(&near, 1, true), (&plain, 1, false), (&plain, 2, true)] {
        assert_eq!(
            run(key, nonce) != Outcome::Invalid,
            valid,
            "{key:?} {nonce}"
        );
    }
}
