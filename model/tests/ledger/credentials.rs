//! Credentials, originals and copies. Source: idos-facts 3.4.

use std::sync::Arc;

use assay_model::id::{CredentialId, Text};
use assay_model::ledger::{
    Action, Answer, Batch, Credential, GrantInserter, Outcome, Query, Refusal,
};
use assay_model::rules::{Rules, Switch};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::bench::*;

const SIGNATURE: &str = "signature is wrong";
const NO_PROFILE: &str = r#"null value in column "user_id" violates not-null constraint"#;
const ID_TAKEN: &str = r#"duplicate key value violates unique constraint "credentials_pkey""#;
const FOREIGN: &str =
    r#"insert or update violates foreign key constraint "credentials_user_id_fkey""#;
const UNAUTHORIZED: &str = "Unauthorized inserter";
const NOT_EDITABLE: &str = "can not edit shared credential";
const NOT_OWNED: &str = "the credential does not belong to the caller";
const NOT_ORIGINAL: &str = "original credential does not belong to the caller";
const WITH_NOTES: &str = "shared credentials cannot have public_notes, it must be an empty string";
const LOCKED: &str = "there are locked access grants for this credential";
const NO_COPY: &str = "can not find the credential shared to you";
const GRANT_EXISTS: &str =
    "a grant with the same grantee, copy_credential_id, and locked_until already exists";
const NOTHING: &str = "there is nothing this operation applies to";
const OWNERS: &str = "only the owner can change an existing credential";
const CONSENT: &str = "the owner's signature for this change is missing or wrong";
const NOT_SEALED: &str = "the content is not a sealed box";
const ISSUER_CHANGED: &str = "an edit has to be signed by the issuer of the credential";
const CONTRADICTED: &str = "the issuer has stated other notes for this credential";
const NOTES_TAKEN: &str = "a credential with this issuer and notes id already exists";

fn check_credential(bench: &Bench, who: Who, action: Action, expected: &str) -> Bench {
    let mut bench = bench.clone();
    let says = bench.says(who, action.clone());
    assert_eq!(says, expected, "{who} under {:?}: {action:?}", bench.rules);
    bench
}

fn row(bench: &Bench, n: u128) -> Option<Arc<Credential>> {
    bench
        .state
        .tables()
        .credentials
        .get(&credential(n))
        .cloned()
}

fn remove(n: u128) -> Action {
    Action::RemoveCredential { id: credential(n) }
}

fn rescind(n: u128) -> Action {
    Action::RescindSharedCredential {
        credential_id: credential(n),
    }
}

fn state_notes(id: &str, notes: &str) -> Action {
    Action::EditPublicNotesAsIssuer {
        public_notes_id: id.into(),
        public_notes: notes.into(),
    }
}

/// Which credentials, links and grants there are.
fn rows(bench: &Bench) -> (Vec<CredentialId>, usize, usize) {
    let tables = bench.state.tables();
    (
        tables.credentials.keys().copied().collect(),
        tables.copy_links.len(),
        tables.access_grants.len(),
    )
}

fn ids(ids: &[u128]) -> Vec<CredentialId> {
    ids.iter().copied().map(credential).collect()
}

/// An inserter's upsert with everything the promises may ask for.
fn upsert(bench: &Bench, package: &Package, n: u128, owner: Who) -> Action {
    let asked = bench.keeps(Switch::ConsentedWrites);
    let consent = asked.then(|| bench.credential_consent(owner, n, package));
    package.upsert(n, consent)
}

/// Every way in which the two signatures can be wrong.
fn unsigned(bench: &Bench, good: &Package) -> Vec<Package> {
    let other = bench.credential(77, BOB, "kyc", "other notes");
    let flipped: Text = BASE64
        .encode(bench.suite.sign(&key("kyc"), b"something else"))
        .into();
    vec![
        Package {
            issuer: bench.caller("rival"),
            ..good.clone()
        },
        Package {
            issuer: bench.caller("alice"),
            ..good.clone()
        },
        Package {
            issuer: "".into(),
            ..good.clone()
        },
        Package {
            issuer: format!("0x{}", good.issuer).into(),
            ..good.clone()
        },
        Package {
            notes: "else".into(),
            ..good.clone()
        },
        Package {
            notes_signature: "".into(),
            ..good.clone()
        },
        Package {
            notes_signature: "no base64!".into(),
            ..good.clone()
        },
        Package {
            notes_signature: flipped.clone(),
            ..good.clone()
        },
        Package {
            broader_signature: "".into(),
            ..good.clone()
        },
        Package {
            broader_signature: flipped,
            ..good.clone()
        },
        Package {
            broader_signature: other.broader_signature,
            ..good.clone()
        },
        Package {
            content: other.content,
            ..good.clone()
        },
    ]
}

#[test]
fn a_credential_is_written_with_its_issuers_signatures_only() {
    for suite in suites() {
        for rules in both_rules() {
            let bench = Bench::with_suite(suite.clone(), rules);
            let good = bench.original();
            let stored = check_credential(&bench, "alice", good.add(), "ok");
            for package in unsigned(&bench, &good) {
                check_credential(&bench, "alice", package.add(), SIGNATURE);
                check_credential(
                    &bench,
                    "kyc",
                    upsert(&bench, &package, ALICE, "alice"),
                    SIGNATURE,
                );
                check_credential(&stored, "alice", package.edit(), SIGNATURE);
            }
        }
    }
}

#[test]
fn a_user_stores_what_any_key_signed() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        for issuer in ["kyc", "rival", "bank", "face"] {
            let package = bench.credential(12, ALICE, issuer, APPROVED);
            let bench = check_credential(&bench, "alice", package.add(), "ok");
            let stored = row(&bench, 12).unwrap();
            assert_eq!(stored.user_id, user(ALICE));
            assert_eq!(stored.notes_id.as_deref(), Some("vc-10"));
            assert_eq!(&*stored.public_notes, APPROVED);
            assert_eq!(stored.content.text(), &package.content);
            assert_eq!(stored.encryptor_public_key, package.encryptor);
            assert_eq!(stored.issuer_auth_public_key, package.issuer);
            assert_eq!(stored.inserter, None);
        }
        // An EVM key signs too, and nobody accepts the result.
        let package = bench.credential(12, ALICE, "spare", APPROVED);
        check_credential(&bench, "alice", package.add(), SIGNATURE);
    }
}

#[test]
fn notes_are_any_text_and_their_id_is_empty_when_they_have_none() {
    for notes in ["", "plain words", r#"{"id":7}"#, r#"{"id":""}"#] {
        for rules in both_rules() {
            let bench = Bench::new(rules);
            let package = bench.credential(12, ALICE, "kyc", notes);
            let bench = check_credential(&bench, "alice", package.add(), "ok");
            assert_eq!(row(&bench, 12).unwrap().notes_id, None);
        }
    }
}

#[test]
fn signature_then_profile_then_id() {
    let bench = Bench::issued(Rules::deployed());
    let good = bench.credential(12, ALICE, "kyc", "");
    let taken = bench.credential(10, ALICE, "kyc", "");
    let bad = |package: &Package| Package {
        notes: "x".into(),
        ..package.clone()
    };
    let table = [
        ("alice", good.add(), "ok"),
        ("alice", taken.add(), ID_TAKEN),
        ("bob", taken.add(), ID_TAKEN),
        ("nobody", good.add(), NO_PROFILE),
        ("nobody", taken.add(), NO_PROFILE),
        ("nobody", bad(&good).add(), SIGNATURE),
        ("alice", bad(&taken).add(), SIGNATURE),
    ];
    for (who, action, expected) in table {
        check_credential(&bench, who, action, expected);
    }
    // A bound signature names an owner, so there has to be one first.
    let bench = Bench::issued(Rules::documented());
    check_credential(&bench, "nobody", bad(&good).add(), NO_PROFILE);
}

#[test]
fn an_inserter_writes_into_a_profile_that_exists() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        let good = bench.original();
        let nowhere = bench.credential(10, 9, "kyc", APPROVED);
        let bad = Package {
            notes: "x".into(),
            ..nowhere.clone()
        };
        let table = [
            ("kyc", upsert(&bench, &good, ALICE, "alice"), "ok"),
            // The inserter need not be the issuer.
            ("rival", upsert(&bench, &good, ALICE, "alice"), "ok"),
            ("alice", upsert(&bench, &good, ALICE, "alice"), UNAUTHORIZED),
            ("kyc", nowhere.upsert(9, None), FOREIGN),
            ("kyc", bad.upsert(9, None), SIGNATURE),
            ("bob", bad.upsert(9, None), UNAUTHORIZED),
        ];
        for (who, action, expected) in table {
            check_credential(&bench, who, action, expected);
        }
        let bench = check_credential(&bench, "rival", upsert(&bench, &good, ALICE, "alice"), "ok");
        let stored = row(&bench, 10).unwrap();
        assert_eq!(stored.inserter.as_deref(), Some("rival"));
        assert_eq!(stored.notes_id.as_deref(), Some("vc-10"));
        // Idempotent by id.
        let again = check_credential(&bench, "rival", upsert(&bench, &good, ALICE, "alice"), "ok");
        assert_eq!(again.state.digest(), bench.state.digest());
    }
}

#[test]
fn an_inserter_overwrites_a_locked_copy_where_it_may() {
    for rules in [Rules::deployed(), all_but(Switch::OwnerChangesCredentials)] {
        let bench = Bench::shared(rules, NOW + 99);
        let package = bench.credential(11, MALLORY, "rival", "mine now");
        let action = upsert(&bench, &package, MALLORY, "mallory");
        let after = check_credential(&bench, "rival", action, "ok");
        let stored = row(&after, 11).unwrap();
        assert_eq!(stored.user_id, user(MALLORY));
        assert_eq!(&*stored.public_notes, "mine now");
        assert_eq!(stored.inserter.as_deref(), Some("rival"));
        // Links and grants are not touched, not even the grant's owner.
        assert_eq!(rows(&after), rows(&bench));
        let grant = after.state.tables().access_grants.values().next().unwrap();
        assert_eq!(grant.owner, user(ALICE));
        // So alice's lock does not bind mallory.
        check_credential(&after, "mallory", remove(11), "ok");
        check_credential(&after, "alice", remove(11), NOT_OWNED);
    }
}

#[test]
fn an_inserter_adds_and_never_overwrites_where_promised() {
    for rules in [Rules::documented(), only(Switch::OwnerChangesCredentials)] {
        let bench = Bench::shared(rules, NOW + 99);
        for package in [
            bench.credential(10, ALICE, "kyc", APPROVED),
            bench.credential(11, ALICE, "kyc", ""),
            bench.credential(11, MALLORY, "kyc", "mine now"),
        ] {
            let (n, owner) = if &*package.notes == "mine now" {
                (MALLORY, "mallory")
            } else {
                (ALICE, "alice")
            };
            check_credential(&bench, "kyc", upsert(&bench, &package, n, owner), OWNERS);
        }
        // Whether the row is right is asked before whether it may be there.
        let bad = Package {
            notes: "x".into(),
            ..bench.original()
        };
        check_credential(&bench, "kyc", bad.upsert(ALICE, None), SIGNATURE);
    }
}

#[test]
fn an_inserter_needs_the_owners_signature_for_this_credential() {
    for rules in [Rules::documented(), only(Switch::ConsentedWrites)] {
        let bench = Bench::new(rules);
        let good = bench.original();
        let other_issuer = Package {
            issuer: bench.caller("rival"),
            ..good.clone()
        };
        let consents = [
            (Some(bench.credential_consent("alice", ALICE, &good)), "ok"),
            (None, CONSENT),
            (Some(bench.credential_consent("bob", ALICE, &good)), CONSENT),
            (Some(bench.credential_consent("alice", BOB, &good)), CONSENT),
            (
                Some(bench.credential_consent("alice", ALICE, &bench.copy(11))),
                CONSENT,
            ),
            (
                Some(bench.credential_consent("alice", ALICE, &other_issuer)),
                CONSENT,
            ),
        ];
        for (consent, expected) in consents {
            check_credential(&bench, "kyc", good.upsert(ALICE, consent), expected);
        }
    }
    for rules in [Rules::deployed(), all_but(Switch::ConsentedWrites)] {
        let bench = Bench::new(rules);
        check_credential(&bench, "kyc", bench.original().upsert(ALICE, None), "ok");
    }
}

#[test]
fn a_signature_is_bound_to_owner_id_and_encryptor_where_promised() {
    for rules in [Rules::documented(), only(Switch::BoundCredentialSignature)] {
        let bench = Bench::issued(rules);
        let alices = bench.credential(12, ALICE, "kyc", "");
        check_credential(&bench, "alice", alices.add(), "ok");
        check_credential(&bench, "bob", alices.add(), SIGNATURE);
        let elsewhere = Package {
            id: credential(13),
            ..alices.clone()
        };
        check_credential(&bench, "alice", elsewhere.add(), SIGNATURE);
        let unreadable = Package {
            encryptor: BASE64.encode([9; 32]).into(),
            ..alices
        };
        check_credential(&bench, "alice", unreadable.add(), SIGNATURE);
    }
    for rules in [Rules::deployed(), all_but(Switch::BoundCredentialSignature)] {
        let bench = Bench::new(rules);
        let alices = bench.credential(12, ALICE, "kyc", "");
        let unreadable = Package {
            encryptor: BASE64.encode([9; 32]).into(),
            ..alices
        };
        check_credential(&bench, "bob", unreadable.add(), "ok");
    }
}

#[test]
fn content_is_a_sealed_box_where_promised() {
    let key = BASE64.encode([7; 32]);
    let shapes: [(&[u8], &str, &str); 7] = [
        (&[0xff; 40], &key, "ok"),
        (&[0xff; 39], &key, NOT_SEALED),
        (&[], &key, NOT_SEALED),
        (
            b"born on a Tuesday, in the rain, and so on, for pages",
            &key,
            NOT_SEALED,
        ),
        (&[0xff; 40], "", NOT_SEALED),
        (&[0xff; 40], "not base64", NOT_SEALED),
        (&[0xff; 40], "AAAA", NOT_SEALED),
    ];
    for (rules, kept) in [
        (Rules::deployed(), false),
        (all_but(Switch::SealedContent), false),
        (only(Switch::SealedContent), true),
        // Together with `verified-execution` such a transaction does not even count as one.
        (
            Rules::documented().with(Switch::VerifiedExecution, false),
            true,
        ),
    ] {
        let bench = Bench::issued(rules);
        for (content, encryptor, promised) in shapes {
            let expected = if kept { promised } else { "ok" };
            let package = bench.sign_package(12, ALICE, "kyc", "", content, encryptor);
            check_credential(&bench, "alice", package.add(), expected);
            let bank = bench.caller("bank");
            check_credential(&bench, "alice", package.share(10, &bank, 0), expected);
            check_credential(
                &bench,
                "kyc",
                upsert(&bench, &package, ALICE, "alice"),
                expected,
            );
            let edited = bench.sign_package(10, ALICE, "kyc", APPROVED, content, encryptor);
            check_credential(&bench, "alice", edited.edit(), expected);
            // A wrong signature is reported first.
            let bad = Package {
                notes: "x".into(),
                ..package
            };
            check_credential(&bench, "alice", bad.add(), SIGNATURE);
        }
    }
}

#[test]
fn content_that_is_no_base64_is_signed_as_the_text_it_is() {
    let bench = Bench::new(Rules::deployed());
    let package = bench.sign_package(12, ALICE, "kyc", "", b"plain words!", "e");
    let plain = Package {
        content: "plain words!".into(),
        ..package
    };
    check_credential(&bench, "alice", plain.add(), "ok");
    let bench = Bench::new(only(Switch::SealedContent));
    check_credential(&bench, "alice", plain.add(), NOT_SEALED);
}

#[test]
fn an_owner_edits_an_original_nobody_has_a_grant_on() {
    let notes = r#"{"id":"vc-11"}"#;
    for rules in both_rules() {
        let bench = Bench::issued(rules);
        let edited = bench.credential(10, ALICE, "kyc", notes);
        let after = check_credential(&bench, "alice", edited.edit(), "ok");
        let stored = row(&after, 10).unwrap();
        assert_eq!(&*stored.public_notes, notes);
        assert_eq!(stored.notes_id.as_deref(), Some("vc-11"));
        assert_eq!(stored.user_id, user(ALICE));
        // A copy's grant does not keep its original from being edited.
        let bench = Bench::shared(rules, NOW + 99);
        check_credential(&bench, "alice", edited.edit(), "ok");
        let copy = bench.credential(11, ALICE, "bank", "");
        check_credential(&bench, "alice", copy.edit(), NOT_EDITABLE);
        // Today whoever owns it; and before the signatures are looked at.
        let hidden = rules.keep(Switch::HiddenExistence);
        let foreign = bench.credential(11, BOB, "bank", "");
        let expected = if hidden { NOTHING } else { NOT_EDITABLE };
        check_credential(&bench, "bob", foreign.edit(), expected);
        let bad = Package {
            notes: "x".into(),
            ..copy
        };
        let owner = check_credential(&bench, "alice", bad.edit(), NOT_EDITABLE);
        if !hidden {
            check_credential(&owner, "nobody", bad.edit(), NOT_EDITABLE);
        }
    }
}

#[test]
fn a_copy_without_grants_is_still_a_copy_to_its_owner() {
    let rules = Rules::documented().with(Switch::LastGrantRemovesCopy, false);
    for rules in [Rules::deployed(), rules] {
        let bench = Bench::shared(rules, 0);
        let revoke = Action::RevokeAccessGrant {
            id: bench.grant("bank", 11, 0),
        };
        let bench = check_credential(&bench, "alice", revoke, "ok");
        assert_eq!(rows(&bench), (ids(&[10, 11]), 1, 0));
        let copy = bench.credential(11, ALICE, "bank", "");
        check_credential(&bench, "alice", copy.edit(), NOT_EDITABLE);
        // To others it reads like any foreign credential.
        let expected = if rules.keep(Switch::NoSilentSuccess) {
            NOTHING
        } else {
            "ok"
        };
        let foreign = bench.credential(11, BOB, "bank", "");
        check_credential(&bench, "bob", foreign.edit(), expected);
    }
}

#[test]
fn an_original_with_a_grant_on_itself_cannot_be_edited() {
    let bench = Bench::issued(Rules::deployed());
    let dag = bench.dag(&bench.caller("bank"), 10, 0);
    let bench = check_credential(&bench, "fund", dag.insert(), "ok");
    let edited = bench.credential(10, ALICE, "kyc", "");
    check_credential(&bench, "alice", edited.edit(), NOT_EDITABLE);
}

#[test]
fn editing_no_credential_of_ones_own_is_silent_or_refused() {
    for (rules, expected) in [
        (Rules::deployed(), "ok"),
        (only(Switch::NoSilentSuccess), NOTHING),
        (Rules::documented(), NOTHING),
    ] {
        let bench = Bench::issued(rules);
        for (who, n, id) in [("bob", BOB, 10), ("alice", ALICE, 12)] {
            let edited = bench.credential(id, n, "kyc", "");
            let after = check_credential(&bench, who, edited.edit(), expected);
            assert_eq!(after.state.digest(), bench.state.digest());
            let bad = Package {
                notes: "x".into(),
                ..edited
            };
            check_credential(&bench, who, bad.edit(), SIGNATURE);
        }
    }
}

#[test]
fn an_edit_may_change_the_issuer_unless_its_word_stands() {
    for (rules, notes, expected, issuer) in [
        (Rules::deployed(), APPROVED, "ok", "bank"),
        (all_but(Switch::StickyStatus), REVOKED, "ok", "bank"),
        (
            all_but(Switch::RotationKeepsIssuer),
            APPROVED,
            ISSUER_CHANGED,
            "kyc",
        ),
        (only(Switch::StickyStatus), APPROVED, ISSUER_CHANGED, "kyc"),
        (Rules::documented(), REVOKED, ISSUER_CHANGED, "kyc"),
        // Whoever leaves the notes as they are has sealed the content anew, no more.
        (Rules::documented(), APPROVED, "ok", "kyc"),
        (only(Switch::RotationKeepsIssuer), APPROVED, "ok", "kyc"),
    ] {
        let bench = Bench::issued(rules);
        let edited = bench.credential(10, ALICE, "bank", notes);
        let after = check_credential(&bench, "alice", edited.edit(), expected);
        let row = row(&after, 10).unwrap();
        assert_eq!(
            *row.issuer_auth_public_key,
            *bench.caller(issuer),
            "{rules}"
        );
        let sealed = if expected == "ok" {
            edited.content
        } else {
            bench.original().content
        };
        assert_eq!(**row.content.text(), *sealed, "{rules}");
    }
}

#[test]
fn an_issuer_rewrites_the_notes_of_its_credentials_and_nothing_else() {
    for rules in both_rules() {
        let bench = Bench::issued(rules);
        let after = check_credential(&bench, "kyc", state_notes("vc-10", REVOKED), "ok");
        let (before, stored) = (row(&bench, 10).unwrap(), row(&after, 10).unwrap());
        let expected = Credential {
            public_notes: REVOKED.into(),
            ..(*before).clone()
        };
        assert_eq!(*stored, expected);
        // The lookup column stays, so a next edit finds the row whatever the notes say.
        let odd = check_credential(&after, "kyc", state_notes("vc-10", "no JSON"), "ok");
        let again = check_credential(&odd, "kyc", state_notes("vc-10", REVOKED), "ok");
        assert_eq!(*row(&again, 10).unwrap(), expected);
    }
}

#[test]
fn nobody_but_the_issuer_finds_a_credential_by_its_notes() {
    for (rules, expected) in [
        (Rules::deployed(), "ok"),
        (only(Switch::NoSilentSuccess), NOTHING),
        (Rules::documented(), NOTHING),
    ] {
        let bench = Bench::issued(rules);
        let credentials = |bench: &Bench| bench.state.tables().credentials.clone();
        for (who, id) in [
            ("rival", "vc-10"),
            ("alice", "vc-10"),
            ("kyc", "VC-10"),
            ("kyc", ""),
            ("kyc", "vc-11"),
        ] {
            let after = check_credential(&bench, who, state_notes(id, REVOKED), expected);
            assert_eq!(credentials(&after), credentials(&bench), "{who} {id}");
        }
    }
}

#[test]
fn one_notes_id_names_many_rows_or_one() {
    for (rules, expected) in [
        (Rules::deployed(), "ok"),
        (all_but(Switch::UniqueNotesId), "ok"),
        (only(Switch::UniqueNotesId), NOTES_TAKEN),
        (Rules::documented(), NOTES_TAKEN),
    ] {
        let bench = Bench::issued(rules);
        let bobs = bench.credential(20, BOB, "kyc", APPROVED);
        let after = check_credential(&bench, "bob", bobs.add(), expected);
        check_credential(&bench, "kyc", upsert(&bench, &bobs, BOB, "bob"), expected);
        let other_issuer = bench.credential(20, BOB, "rival", APPROVED);
        check_credential(&bench, "bob", other_issuer.add(), "ok");
        if expected == "ok" {
            let after = check_credential(&after, "kyc", state_notes("vc-10", REVOKED), "ok");
            for n in [10, 20] {
                assert_eq!(&*row(&after, n).unwrap().public_notes, REVOKED);
            }
        }
        // An edit may keep its own id and not take another's.
        let second = bench.credential(20, BOB, "kyc", r#"{"id":"vc-20"}"#);
        let bench = check_credential(&bench, "bob", second.add(), "ok");
        check_credential(&bench, "bob", second.edit(), "ok");
        check_credential(&bench, "bob", bobs.edit(), expected);
    }
}

#[test]
fn what_an_issuer_stated_stands_or_is_edited_away() {
    for (rules, expected) in [
        (Rules::deployed(), "ok"),
        (all_but(Switch::StickyStatus), "ok"),
        (only(Switch::StickyStatus), CONTRADICTED),
        (Rules::documented(), CONTRADICTED),
    ] {
        let bench = Bench::issued(rules).after("kyc", state_notes("vc-10", REVOKED));
        let old = bench.original();
        let stated = bench.credential(10, ALICE, "kyc", REVOKED);
        check_credential(&bench, "alice", old.edit(), expected);
        check_credential(&bench, "alice", stated.edit(), "ok");
        // Stored again, under the same id or another, by the owner or an inserter.
        let bench = check_credential(&bench, "alice", remove(10), "ok");
        check_credential(&bench, "alice", old.add(), expected);
        check_credential(&bench, "alice", stated.add(), "ok");
        let elsewhere = bench.credential(12, ALICE, "kyc", APPROVED);
        check_credential(&bench, "alice", elsewhere.add(), expected);
        check_credential(
            &bench,
            "kyc",
            upsert(&bench, &old, ALICE, "alice"),
            expected,
        );
        // The issuer can change its mind.
        let bench = check_credential(&bench, "alice", stated.add(), "ok");
        let bench = check_credential(&bench, "kyc", state_notes("vc-10", APPROVED), "ok");
        check_credential(&bench, "alice", old.edit(), "ok");
    }
}

/// An issuer's key is the same key in capitals, so its word reaches what is stored under them.
#[test]
fn capitals_in_the_issuers_key_lead_around_no_promise() {
    let shout = |package: Package| Package {
        issuer: package.issuer.to_uppercase().into(),
        ..package
    };
    for rules in [Rules::documented(), only(Switch::StickyStatus)] {
        let bench = Bench::issued(rules).after("kyc", state_notes("vc-10", REVOKED));
        check_credential(
            &bench,
            "alice",
            shout(bench.original()).edit(),
            ISSUER_CHANGED,
        );
        let bench = bench.after("alice", remove(10));
        check_credential(&bench, "alice", shout(bench.original()).add(), CONTRADICTED);
        let bench = Bench::new(rules);
        let bench = bench.after("alice", shout(bench.original()).add());
        let bench = check_credential(&bench, "kyc", state_notes("vc-10", REVOKED), "ok");
        assert_eq!(&*row(&bench, 10).unwrap().public_notes, REVOKED);
    }
    for rules in [Rules::documented(), only(Switch::UniqueNotesId)] {
        let bench = Bench::issued(rules);
        let bobs = bench.credential(20, BOB, "kyc", APPROVED);
        check_credential(&bench, "bob", shout(bobs).add(), NOTES_TAKEN);
    }
    // Today the caller's key is compared letter by letter, and the issuer's edit misses the row.
    let bench = Bench::new(Rules::deployed());
    let bench = bench.after("alice", shout(bench.original()).add());
    let bench = check_credential(&bench, "kyc", state_notes("vc-10", REVOKED), "ok");
    assert_eq!(&*row(&bench, 10).unwrap().public_notes, APPROVED);
}

#[test]
fn an_accepted_statement_stands_also_when_no_row_was_there() {
    let rules = only(Switch::StickyStatus);
    let bench = Bench::new(rules).after("kyc", state_notes("vc-10", REVOKED));
    check_credential(&bench, "alice", bench.original().add(), CONTRADICTED);
    let rules = rules.with(Switch::NoSilentSuccess, true);
    let bench = Bench::new(rules);
    let bench = check_credential(&bench, "kyc", state_notes("vc-10", REVOKED), NOTHING);
    check_credential(&bench, "alice", bench.original().add(), "ok");
}

#[test]
fn a_share_is_a_copy_a_link_and_a_grant_at_once() {
    for suite in suites() {
        for rules in both_rules() {
            let bench = Bench::with_suite(suite.clone(), rules);
            let bench = bench.after("alice", bench.original().add());
            let bank = bench.caller("bank");
            let share = bench.copy(11).share(10, &bank, 77);
            let bench = check_credential(&bench, "alice", share, "ok");
            assert_eq!(rows(&bench), (ids(&[10, 11]), 1, 1));
            let copy = row(&bench, 11).unwrap();
            assert_eq!((&*copy.public_notes, copy.notes_id.clone()), ("", None));
            assert_eq!((copy.user_id, copy.inserter.clone()), (user(ALICE), None));
            let tables = bench.state.tables();
            let grant = &tables.access_grants[&bench.grant("bank", 11, 77)];
            assert_eq!((grant.owner, grant.data), (user(ALICE), credential(11)));
            assert_eq!((&grant.grantee, grant.locked_until), (&bank, 77));
            assert_eq!(grant.content_hash, Some(hash()));
            assert_eq!(grant.height.0, bench.height);
            assert_eq!(grant.inserter_type, GrantInserter::User);
            assert_eq!(grant.inserter_id, bench.caller("alice"));
        }
    }
}

#[test]
fn a_share_is_checked_original_notes_signatures_id() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, 0);
        let bank = bench.caller("bank");
        let good = bench.copy(12);
        let noted = bench.credential(12, ALICE, "bank", "x");
        let bad = Package {
            notes_signature: "".into(),
            ..good.clone()
        };
        let taken = bench.copy(11);
        let table = [
            ("alice", good.share(10, &bank, 0), "ok"),
            // A copy can be shared on.
            ("alice", good.share(11, &bank, 0), "ok"),
            ("alice", good.share(99, &bank, 0), NOT_ORIGINAL),
            ("bob", good.share(10, &bank, 0), NOT_ORIGINAL),
            ("nobody", good.share(10, &bank, 0), NOT_ORIGINAL),
            ("bob", noted.share(10, &bank, 0), NOT_ORIGINAL),
            ("alice", noted.share(10, &bank, 0), WITH_NOTES),
            (
                "alice",
                Package {
                    notes: " ".into(),
                    ..bad.clone()
                }
                .share(10, &bank, 0),
                WITH_NOTES,
            ),
            ("alice", bad.share(10, &bank, 0), SIGNATURE),
            (
                "alice",
                Package {
                    id: credential(11),
                    ..bad
                }
                .share(10, &bank, 0),
                SIGNATURE,
            ),
            ("alice", taken.share(10, &bank, 1), ID_TAKEN),
        ];
        for (who, action, expected) in table {
            check_credential(&bench, who, action, expected);
        }
    }
}

#[test]
fn a_lock_is_any_number_or_seconds_within_ten_years() {
    const NO_SECONDS: &str = "locked_until has to be UNIX seconds";
    const TOO_LONG: &str = "locked_until is later than the network allows";
    const LONGEST: i64 = (10 * 366 + 1) * 86_400;
    for rules in both_rules() {
        let bench = Bench::issued(rules);
        let bounded = rules.keep(Switch::BoundedLocks);
        for (lock, told) in [
            (0, "ok"),
            (1, "ok"),
            (-1, NO_SECONDS),
            (NOW + LONGEST, "ok"),
            (NOW + LONGEST + 1, TOO_LONG),
            (1_767_225_600_000, NO_SECONDS),
            (i64::MIN, NO_SECONDS),
            (i64::MAX, NO_SECONDS),
        ] {
            let share = bench.copy(11).share(10, &bench.caller("bank"), lock);
            let expected = if bounded { told } else { "ok" };
            check_credential(&bench, "alice", share, expected);
        }
    }
}

#[test]
fn a_batch_of_shares_is_all_or_nothing() {
    for rules in both_rules() {
        let mut bench = Bench::issued(rules);
        let (bank, before) = (bench.caller("bank"), bench.state.digest());
        let share = |id: u128| bench.copy(id).share(10, &bank, 0);
        let batch = Batch::several(vec![share(11), share(12), share(11)]).unwrap();
        let good = Batch::several(vec![share(11), share(12)]).unwrap();
        assert_eq!(said(bench.run_batch("alice", batch)), ID_TAKEN);
        assert_eq!(bench.state.digest(), before);
        assert_eq!(bench.run_batch("alice", good), Outcome::Accepted);
        assert_eq!(rows(&bench), (ids(&[10, 11, 12]), 2, 2));
    }
}

#[test]
fn an_owner_removes_what_no_locked_grant_protects() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, NOW + 5);
        for (who, id) in [
            ("bob", 10),
            ("bob", 11),
            ("nobody", 10),
            ("bank", 11),
            ("alice", 99),
        ] {
            check_credential(&bench, who, remove(id), NOT_OWNED);
        }
        for (time, expected) in [(NOW, LOCKED), (NOW + 5, LOCKED), (NOW + 6, "ok")] {
            check_credential(&bench.at(time), "alice", remove(11), expected);
        }
        // The link goes with the copy, and so does every grant on it.
        let after = check_credential(&bench.at(NOW + 6), "alice", remove(11), "ok");
        assert_eq!(rows(&after), (ids(&[10]), 0, 0));
        check_credential(&after, "alice", remove(11), NOT_OWNED);
        // The same id can be used again.
        let share = bench.copy(11).share(10, &bench.caller("bank"), NOW + 5);
        check_credential(&after, "alice", share, "ok");
    }
}

#[test]
fn an_original_goes_with_its_copies_or_without() {
    for (rules, kept) in [
        (Rules::deployed(), false),
        (all_but(Switch::RemovalReachesCopies), false),
        (only(Switch::RemovalReachesCopies), true),
        (Rules::documented(), true),
    ] {
        // 11 locked for the bank, 12 free for the fund, 13 a free copy of the free copy.
        let bench = Bench::shared(rules, NOW + 5);
        let fund = bench.caller("fund");
        let bench = bench.after("alice", bench.copy(12).share(10, &fund, 0));
        let bench = bench.after("alice", bench.copy(13).share(12, &fund, 0));
        let now = check_credential(&bench, "alice", remove(10), "ok");
        let later = check_credential(&bench.at(NOW + 6), "alice", remove(10), "ok");
        if kept {
            assert_eq!(rows(&now), (ids(&[11]), 0, 1));
            assert_eq!(rows(&later), (ids(&[]), 0, 0));
        } else {
            assert_eq!(rows(&now), (ids(&[11, 12, 13]), 1, 3));
            assert_eq!(rows(&later), rows(&now));
        }
    }
}

#[test]
fn an_orphans_status_can_be_read_and_changed_where_promised() {
    let notes = |bench: &Bench| match bench
        .ask("bank", Query::GetCredentialShared { id: credential(11) })
    {
        Ok(Answer::Shared(copy)) => copy.public_notes,
        other => panic!("{other:?}"),
    };
    for rules in both_rules() {
        let bench = Bench::shared(rules, NOW + 5).after("alice", remove(10));
        let kept = rules.keep(Switch::OrphansStayUsable);
        assert_eq!(notes(&bench).as_deref(), kept.then_some(APPROVED));
        let state = state_notes("vc-10", REVOKED);
        let bench = check_credential(&bench, "kyc", state, "ok");
        assert_eq!(notes(&bench).as_deref(), kept.then_some(REVOKED));
        check_credential(
            &bench,
            "bank",
            rescind(11),
            if kept { "ok" } else { NO_COPY },
        );
        // The owner of a promised orphan still cannot edit it.
        let edit = bench.credential(11, ALICE, "bank", "").edit();
        check_credential(&bench, "alice", edit, NOT_EDITABLE);
    }
}

#[test]
fn an_orphan_without_grants_becomes_an_original_today() {
    let bench = Bench::shared(Rules::deployed(), 0).after("alice", remove(10));
    let revoke = Action::RevokeAccessGrant {
        id: bench.grant("bank", 11, 0),
    };
    let bench = bench.after("alice", revoke);
    let edit = bench.credential(11, ALICE, "bank", "now with notes").edit();
    check_credential(&bench, "alice", edit, "ok");
}

#[test]
fn a_grantee_gives_up_a_copy_even_under_its_lock() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, NOW + 99);
        for (who, id) in [
            ("alice", 11),
            ("fund", 11),
            ("nobody", 11),
            ("bank", 10),
            ("bank", 99),
        ] {
            check_credential(&bench, who, rescind(id), NO_COPY);
        }
        let bench = check_credential(&bench, "bank", rescind(11), "ok");
        assert_eq!(rows(&bench), (ids(&[10]), 0, 0));
        check_credential(&bench, "bank", rescind(11), NO_COPY);
    }
}

#[test]
fn rescinding_ends_all_access_or_only_ones_own() {
    for (rules, left) in [
        (Rules::deployed(), (ids(&[10]), 0, 0)),
        (all_but(Switch::RescindOwnOnly), (ids(&[10]), 0, 0)),
        (only(Switch::RescindOwnOnly), (ids(&[10, 11]), 1, 1)),
        (Rules::documented(), (ids(&[10, 11]), 1, 1)),
    ] {
        // The bank has two grants on the copy, the fund a locked one.
        let bench = Bench::shared(rules, 0);
        let more = bench.dag(&bench.caller("bank"), 11, 1);
        let funds = bench.dag(&bench.caller("fund"), 11, NOW + 99);
        let bench = bench
            .after("fund", more.insert())
            .after("fund", funds.insert());
        let bench = check_credential(&bench, "bank", rescind(11), "ok");
        assert_eq!(rows(&bench), left);
        if left.2 == 1 {
            let id = bench.grant("fund", 11, NOW + 99);
            assert!(bench.state.tables().access_grants.contains_key(&id));
            let bench = check_credential(&bench, "fund", rescind(11), "ok");
            assert_eq!(rows(&bench), (ids(&[10]), 0, 0));
        }
    }
}

/// A copy may have been shared on. Giving it up, or losing the last grant on it, is not a removal by
/// the owner and takes nothing from those who got a copy of the copy.
#[test]
fn the_end_of_a_copy_leaves_copies_of_it_alone() {
    for rules in [
        Rules::deployed(),
        Rules::documented(),
        Rules::documented().with(Switch::RescindOwnOnly, false),
    ] {
        let bench = Bench::shared(rules, 0);
        let share_on = bench.copy(12).share(11, &bench.caller("fund"), 0);
        let bench = bench.after("alice", share_on);
        let access = |bench: &Bench| {
            let query = Query::GetCredentialShared { id: credential(12) };
            bench.ask("fund", query).is_ok()
        };
        let rescinded = check_credential(&bench, "bank", rescind(11), "ok");
        assert!(
            row(&rescinded, 11).is_none() && access(&rescinded),
            "{rules:?}"
        );
        let revoke = Action::RevokeAccessGrant {
            id: bench.grant("bank", 11, 0),
        };
        let revoked = check_credential(&bench, "alice", revoke, "ok");
        assert!(access(&revoked), "{rules:?}");
        let promised = rules.keep(Switch::OrphansStayUsable);
        let says = if promised { "ok" } else { NO_COPY };
        check_credential(&rescinded, "fund", rescind(12), says);
    }
}

#[test]
fn a_copy_of_an_original_cannot_be_rescinded_once_that_is_gone() {
    for (rules, expected) in [
        (Rules::deployed(), NO_COPY),
        (all_but(Switch::OrphansStayUsable), NO_COPY),
        (only(Switch::OrphansStayUsable), "ok"),
        (Rules::documented(), "ok"),
    ] {
        let bench = Bench::shared(rules, NOW + 9).after("alice", remove(10));
        check_credential(&bench, "bank", rescind(11), expected);
    }
}

#[test]
fn a_grant_on_an_original_cannot_be_rescinded() {
    let bench = Bench::issued(Rules::deployed());
    let dag = bench.dag(&bench.caller("bank"), 10, 0);
    let bench = check_credential(&bench, "fund", dag.insert(), "ok");
    check_credential(&bench, "bank", rescind(10), NO_COPY);
    check_credential(&bench, "fund", dag.insert(), GRANT_EXISTS);
}

#[test]
fn erasing_a_profile_leaves_no_grant_on_what_was_in_it() {
    let rules = only(Switch::ErasableProfile);
    let bench = Bench::shared(rules, 0);
    // The copy moves to mallory while its grant stays alice's.
    let moved = bench
        .credential(11, MALLORY, "kyc", "")
        .upsert(MALLORY, None);
    let bench = bench.after("kyc", moved);
    let bench = check_credential(&bench, "mallory", Action::RemoveUser {}, "ok");
    assert_eq!(rows(&bench), (ids(&[10]), 0, 0));
    let answer = bench.ask("bank", Query::GetCredentialShared { id: credential(11) });
    assert_eq!(answer, Err(Refusal::CredentialUnknown));
}
