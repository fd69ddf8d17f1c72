//! Views. Source: idos-facts 3.2, 3.3, 3.6, 3.8, 3.9.

use assay_model::id::{GrantId, TablesDigest, Text};
use assay_model::ledger::{
    Action, Answer, CredentialDetail, CredentialSummary, GrantInserter, GrantRow, Query, State,
    UserRow, Wallet, WalletRow, WalletType,
};
use assay_model::rules::{Rules, Switch};

use crate::bench::*;

const UNAUTHORIZED: &str = "Unauthorized inserter";
const UNKNOWN: &str = "the credential does not exist";
const NOT_SHARED: &str = "the credential is not shared with the caller";
const PAGE: &str = "page has to be a positive integer";
const SIZE: &str = "size has to be a positive integer";

/// What a view answers, or the text of its refusal; it never changes a row.
fn check_view(bench: &Bench, who: Who, query: Query, expected: Result<Answer, &str>) {
    let before: TablesDigest = bench.state.digest();
    let answer = bench
        .ask(who, query.clone())
        .map_err(|refusal| refusal.to_string());
    let expected = expected.map_err(str::to_owned);
    assert_eq!(
        answer, expected,
        "{who:?} under {:?}: {query:?}",
        bench.rules
    );
    assert_eq!(bench.state.digest(), before);
}

fn granted(page: impl Into<Option<i64>>, size: impl Into<Option<i64>>) -> Query {
    Query::GetAccessGrantsGranted {
        user_id: None,
        page: page.into(),
        size: size.into(),
    }
}

fn shared(n: u128) -> Query {
    Query::GetCredentialShared { id: credential(n) }
}

fn summary(bench: &Bench, package: &Package, original: Option<u128>) -> CredentialSummary {
    let row = &bench.state.tables().credentials[&package.id];
    CredentialSummary {
        id: package.id,
        user_id: row.user_id,
        public_notes: row.public_notes.clone(),
        issuer_auth_public_key: package.issuer.clone(),
        inserter: row.inserter.clone(),
        original_id: original.map(credential),
    }
}

/// Plants a wallet that would not pass the checks of the actions.
fn plant(bench: &mut Bench, n: u128, owner: u128, wallet_type: WalletType, address: &Text) {
    let mut state: State = std::mem::take(&mut bench.state);
    let row = Wallet {
        user_id: user(owner),
        address: address.clone(),
        public_key: Some("k".into()),
        wallet_type,
        message: None,
        signature: None,
        inserter: None,
    };
    state.put(wallet(n), row);
    bench.state = state;
}

#[test]
fn everybody_reads_the_own_profile_and_inserters_any() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        let row = |n: u128, inserter: Option<&str>| UserRow {
            id: user(n),
            recipient_encryption_public_key: format!("box key of {n}").into(),
            encryption_password_store: "user".into(),
            inserter: inserter.map(Text::from),
        };
        let get = |n: u128| Query::GetUserAsInserter { id: user(n) };
        check_view(
            &bench,
            "alice",
            Query::GetUser {},
            Ok(Answer::User(Some(row(ALICE, None)))),
        );
        for who in ["nobody", "kyc", "root", ""] {
            check_view(&bench, who, Query::GetUser {}, Ok(Answer::User(None)));
        }
        for who in ["kyc", "rival"] {
            check_view(
                &bench,
                who,
                get(BOB),
                Ok(Answer::User(Some(row(BOB, Some("kyc"))))),
            );
            check_view(&bench, who, get(9), Ok(Answer::User(None)));
        }
        for who in ["alice", "root", "nobody", ""] {
            check_view(&bench, who, get(ALICE), Err(UNAUTHORIZED));
            check_view(&bench, who, get(9), Err(UNAUTHORIZED));
        }
    }
}

#[test]
fn a_user_sees_all_own_wallets() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        let face = bench.bind(ALICE, "face").row(40);
        let bench = bench.after("alice", face.add());
        let first = bench.state.tables().wallets[&wallet(ALICE)].clone();
        let rows = vec![
            WalletRow {
                id: wallet(ALICE),
                user_id: user(ALICE),
                address: bench.caller("alice"),
                public_key: None,
                wallet_type: WalletType::EVM,
                message: first.message.clone(),
                signature: first.signature.clone(),
                inserter: Some("kyc".into()),
            },
            WalletRow {
                id: wallet(40),
                user_id: user(ALICE),
                address: face.address.clone(),
                public_key: face.public_key.clone(),
                wallet_type: WalletType::FaceSign,
                message: Some(face.message.clone()),
                signature: Some(face.signature.clone()),
                inserter: None,
            },
        ];
        for who in ["alice", "face"] {
            check_view(
                &bench,
                who,
                Query::GetWallets {},
                Ok(Answer::Wallets(rows.clone())),
            );
        }
        for who in ["nobody", "kyc", ""] {
            check_view(
                &bench,
                who,
                Query::GetWallets {},
                Ok(Answer::Wallets(vec![])),
            );
        }
    }
}

/// `get_wallets` answers for all profiles of the caller; what needs one profile is an engine error.
#[test]
fn a_caller_of_several_profiles_sees_the_wallets_of_all() {
    const SEVERAL: &str = "more than one row returned by a subquery";
    for rules in both_rules() {
        let mut bench = Bench::new(rules);
        let address = bench.caller("alice");
        plant(&mut bench, 50, BOB, WalletType::Stellar, &address);
        let Ok(Answer::Wallets(rows)) = bench.ask("alice", Query::GetWallets {}) else {
            panic!("alice and bob have wallets");
        };
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        assert_eq!(ids, [wallet(ALICE), wallet(BOB), wallet(50)]);
        for query in [
            Query::GetUser {},
            Query::GetCredentials {},
            Query::GetCredentialOwned { id: credential(10) },
            Query::GetAccessGrantsOwned {},
            Query::HasLockedAccessGrants { id: credential(10) },
        ] {
            check_view(&bench, "alice", query, Err(SEVERAL));
        }
    }
}

#[test]
fn an_owner_lists_originals_and_copies_without_content() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, NOW + 99);
        let (original, copy) = (bench.original(), bench.copy(11));
        let rows = vec![
            summary(&bench, &original, None),
            summary(&bench, &copy, Some(10)),
        ];
        check_view(
            &bench,
            "alice",
            Query::GetCredentials {},
            Ok(Answer::Credentials(rows)),
        );
        for who in ["bob", "bank", "kyc", "nobody", ""] {
            check_view(
                &bench,
                who,
                Query::GetCredentials {},
                Ok(Answer::Credentials(vec![])),
            );
        }
        // A copy whose original is gone shows no original.
        let bench = bench.after("alice", Action::RemoveCredential { id: credential(10) });
        let rows = vec![summary(&bench, &copy, None)];
        check_view(
            &bench,
            "alice",
            Query::GetCredentials {},
            Ok(Answer::Credentials(rows)),
        );
    }
}

#[test]
fn content_of_an_own_credential_is_the_owners_alone() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, 0);
        let get = |n| Query::GetCredentialOwned { id: credential(n) };
        for package in [bench.original(), bench.copy(11)] {
            let row = CredentialDetail {
                id: package.id,
                user_id: user(ALICE),
                public_notes: package.notes.clone(),
                content: assay_model::ledger::Content::new(package.content.clone()),
                encryptor_public_key: package.encryptor.clone(),
                issuer_auth_public_key: package.issuer.clone(),
                inserter: None,
            };
            let n = package.id.0.as_u128();
            check_view(&bench, "alice", get(n), Ok(Answer::Owned(Some(row))));
            for who in ["bob", "bank", "kyc", "root", "nobody", ""] {
                check_view(&bench, who, get(n), Ok(Answer::Owned(None)));
            }
        }
        check_view(&bench, "alice", get(99), Ok(Answer::Owned(None)));
    }
}

#[test]
fn a_grantee_reads_the_copy_with_the_notes_of_the_original() {
    for suite in suites() {
        for rules in both_rules() {
            let bench = Bench::with_suite(suite.clone(), rules);
            let bench = bench.after("alice", bench.original().add());
            let share = bench.copy(11).share(10, &bench.caller("bank"), 0);
            let bench = bench.after("alice", share);
            let Ok(Answer::Shared(copy)) = bench.ask("bank", shared(11)) else {
                panic!("the copy is shared to the bank");
            };
            let package = bench.copy(11);
            assert_eq!((copy.id, copy.user_id), (credential(11), user(ALICE)));
            assert_eq!(copy.public_notes.as_deref(), Some(APPROVED));
            assert_eq!(copy.content.text(), &package.content);
            assert_eq!(copy.encryptor_public_key, package.encryptor);
            assert_eq!(copy.issuer_auth_public_key, package.issuer);
            let missing = match rules.keep(Switch::HiddenExistence) {
                true => NOT_SHARED,
                false => UNKNOWN,
            };
            check_view(&bench, "bank", shared(10), Err(NOT_SHARED));
            check_view(&bench, "bank", shared(99), Err(missing));
            for who in ["alice", "bob", "fund", "kyc", "root", "nobody", ""] {
                check_view(&bench, who, shared(11), Err(NOT_SHARED));
                check_view(&bench, who, shared(99), Err(missing));
            }
            // What the issuer says of the original shows at once.
            let revoked = Action::EditPublicNotesAsIssuer {
                public_notes_id: "vc-10".into(),
                public_notes: REVOKED.into(),
            };
            let bench = bench.after("kyc", revoked);
            let Ok(Answer::Shared(copy)) = bench.ask("bank", shared(11)) else {
                panic!("the copy is still shared");
            };
            assert_eq!(copy.public_notes.as_deref(), Some(REVOKED));
            let revoke = Action::RevokeAccessGrant {
                id: bench.grant("bank", 11, 0),
            };
            let bench = bench.after("alice", revoke);
            let gone = rules.keep(Switch::LastGrantRemovesCopy);
            check_view(
                &bench,
                "bank",
                shared(11),
                Err(if gone { missing } else { NOT_SHARED }),
            );
        }
    }
}

#[test]
fn a_grant_on_an_original_shows_it_without_notes() {
    let bench = Bench::issued(Rules::deployed());
    let dag = bench.dag(&bench.caller("bank"), 10, 0);
    let bench = bench.after("bank", dag.insert());
    let Ok(Answer::Shared(row)) = bench.ask("bank", shared(10)) else {
        panic!("the original is shared to the bank");
    };
    assert_eq!(row.public_notes, None);
    assert_eq!(row.content.text(), &bench.original().content);
}

/// Today a grantee is compared ignoring case, whatever it is; also with the empty name of somebody who
/// asks without one.
#[test]
fn a_grantee_is_compared_ignoring_case_or_to_the_letter() {
    for (rules, shouted) in [
        (Rules::deployed(), true),
        (all_but(Switch::CanonicalGrantee), true),
    ] {
        let bench = Bench::issued(rules);
        let bank = bench.caller("bank").to_uppercase();
        let bench = bench.after("alice", bench.copy(11).share(10, &bank, 0));
        assert_eq!(bench.ask("bank", shared(11)).is_ok(), shouted);
        let bench = bench.after("alice", bench.copy(12).share(10, "", 0));
        assert!(bench.ask("", shared(12)).is_ok());
        check_view(&bench, "", shared(11), Err(NOT_SHARED));
        check_view(&bench, "bank", shared(12), Err(NOT_SHARED));
    }
    let bench = Bench::shared(Rules::documented(), 0);
    assert!(bench.ask("bank", shared(11)).is_ok());
    let loud = bench.caller("bank").to_uppercase();
    assert!(bench.ask_as(&loud, shared(11)).is_err());
}

#[test]
fn copies_of_one_user_are_listed_under_their_originals_issuer() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, NOW + 99);
        let list = |n: u128, issuer: Option<Text>| Query::GetCredentialsSharedByUser {
            user_id: user(n),
            original_issuer_auth_public_key: issuer,
        };
        let kyc = bench.caller("kyc");
        let row = |original| CredentialSummary {
            id: credential(11),
            user_id: user(ALICE),
            public_notes: APPROVED.into(),
            issuer_auth_public_key: kyc.clone(),
            inserter: None,
            original_id: original,
        };
        let none = || Ok(Answer::Credentials(vec![]));
        let one = |original| Ok(Answer::Credentials(vec![row(original)]));
        let original = Some(credential(10));
        check_view(&bench, "bank", list(ALICE, None), one(original));
        check_view(
            &bench,
            "bank",
            list(ALICE, Some(kyc.clone())),
            one(original),
        );
        // The filter is about the original's key, not the copy's, and to the letter.
        check_view(
            &bench,
            "bank",
            list(ALICE, Some(bench.copy(11).issuer)),
            none(),
        );
        check_view(
            &bench,
            "bank",
            list(ALICE, Some(kyc.to_uppercase().into())),
            none(),
        );
        check_view(&bench, "bank", list(ALICE, Some("".into())), none());
        check_view(&bench, "bank", list(BOB, None), none());
        for who in ["alice", "fund", "kyc", ""] {
            check_view(&bench, who, list(ALICE, None), none());
        }
        let bench = bench.after("alice", Action::RemoveCredential { id: credential(10) });
        let orphan = rules.keep(Switch::OrphansStayUsable);
        check_view(
            &bench,
            "bank",
            list(ALICE, None),
            if orphan { one(None) } else { none() },
        );
    }
}

#[test]
fn a_sibling_is_the_first_credential_granted_with_this_hash() {
    for rules in both_rules() {
        let bench = Bench::issued(rules);
        let find = |text: &str| Query::GetSiblingCredentialId {
            content_hash: text.into(),
        };
        let answer = |n: Option<u128>| Ok(Answer::CredentialId(n.map(credential)));
        check_view(&bench, "bank", find(&hash()), answer(None));
        // The later grant is on the smaller id, so that age is seen to decide.
        let bank = bench.caller("bank");
        let bench = bench.after("alice", bench.copy(12).share(10, &bank, 0));
        let bench = bench.after("alice", bench.copy(11).share(10, &bank, 0));
        check_view(&bench, "bank", find(&hash()), answer(Some(12)));
        check_view(&bench, "bank", find(&hash().to_uppercase()), answer(None));
        check_view(&bench, "bank", find(""), answer(None));
        for who in ["alice", "fund", ""] {
            check_view(&bench, who, find(&hash()), answer(None));
        }
    }
}

#[test]
fn inserters_learn_whether_a_credential_exists() {
    for rules in both_rules() {
        let bench = Bench::issued(rules);
        let exists = |n| Query::CredentialExistAsInserter { id: credential(n) };
        for who in ["kyc", "rival"] {
            check_view(&bench, who, exists(10), Ok(Answer::Truth(true)));
            check_view(&bench, who, exists(11), Ok(Answer::Truth(false)));
        }
        for who in ["alice", "root", "bank", ""] {
            check_view(&bench, who, exists(10), Err(UNAUTHORIZED));
        }
    }
}

#[test]
fn both_sides_of_a_grant_see_it() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, 77);
        let row = GrantRow {
            id: bench.grant("bank", 11, 77),
            owner: user(ALICE),
            grantee: bench.caller("bank"),
            data: credential(11),
            locked_until: 77,
            content_hash: Some(hash()),
            inserter_type: GrantInserter::User,
            inserter_id: bench.caller("alice"),
        };
        let one = || Ok(Answer::Grants(vec![row.clone()]));
        let none = || Ok(Answer::Grants(vec![]));
        let on = |n| Query::GetAccessGrantsForCredential {
            credential_id: credential(n),
        };
        let of = |n| Query::GetAccessGrantsGranted {
            user_id: Some(user(n)),
            page: None,
            size: None,
        };
        let count = |n: Option<u128>| Query::GetAccessGrantsGrantedCount {
            user_id: n.map(user),
        };
        check_view(&bench, "alice", Query::GetAccessGrantsOwned {}, one());
        check_view(&bench, "bank", Query::GetAccessGrantsOwned {}, none());
        check_view(&bench, "bank", granted(None, None), one());
        check_view(&bench, "bank", of(ALICE), one());
        check_view(&bench, "bank", of(BOB), none());
        check_view(&bench, "bank", on(11), one());
        check_view(&bench, "bank", on(10), none());
        check_view(&bench, "bank", count(None), Ok(Answer::Count(1)));
        check_view(&bench, "bank", count(Some(ALICE)), Ok(Answer::Count(1)));
        check_view(&bench, "bank", count(Some(BOB)), Ok(Answer::Count(0)));
        for who in ["alice", "bob", "fund", "kyc", "root", ""] {
            check_view(&bench, who, granted(None, None), none());
            check_view(&bench, who, on(11), none());
            check_view(&bench, who, count(None), Ok(Answer::Count(0)));
        }
    }
}

/// A bench on which the bank has 25 grants, and their ids in the order of listing.
fn many(rules: Rules) -> (Bench, Vec<GrantId>) {
    let mut bench = Bench::shared(rules, 0);
    let bank = bench.caller("bank");
    // Four heights with six grants each; ids within a height are in no order of ours.
    for height in 0..4 {
        let dags = (1..7).map(|n| bench.dag(&bank, 11, height * 6 + n).insert());
        let batch = assay_model::ledger::Batch::several(dags.collect()).unwrap();
        assert_eq!(said(bench.run_batch("fund", batch)), "ok");
    }
    let mut rows: Vec<_> = bench.state.tables().access_grants.iter().collect();
    rows.sort_by_key(|(id, grant)| (grant.height, **id));
    let ids: Vec<_> = rows.into_iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), 25);
    (bench, ids)
}

fn check_page(bench: &Bench, page: Option<i64>, size: Option<i64>, expected: &[GrantId]) {
    match bench.ask("bank", granted(page, size)) {
        Ok(Answer::Grants(rows)) => {
            let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
            assert_eq!(ids, expected, "page {page:?} size {size:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn pages_are_stable_disjoint_and_complete() {
    for rules in both_rules() {
        let (bench, ids) = many(rules);
        for size in [1, 7, 25, 26] {
            for (page, expected) in (1..).zip(ids.chunks(size)) {
                check_page(&bench, Some(page), Some(size as i64), expected);
            }
        }
        check_page(&bench, Some(5), Some(7), &[]);
        check_page(&bench, Some(i64::MAX), Some(i64::MAX), &[]);
        check_page(&bench, Some(1), Some(i64::MAX), &ids);
        check_page(&bench, Some(i64::MAX), Some(1), &[]);
    }
}

#[test]
fn page_and_size_have_to_be_positive_page_first() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, 0);
        for (page, size, expected) in [
            (Some(0), Some(5), PAGE),
            (Some(-1), None, PAGE),
            (Some(i64::MIN), Some(0), PAGE),
            (Some(1), Some(0), SIZE),
            (None, Some(-5), SIZE),
            (Some(0), Some(0), PAGE),
        ] {
            check_view(&bench, "bank", granted(page, size), Err(expected));
            // Also for somebody without any grant.
            check_view(&bench, "nobody", granted(page, size), Err(expected));
        }
    }
}

#[test]
fn an_omitted_page_is_the_first_and_an_omitted_size_twenty_or_everything() {
    for (rules, kept) in [
        (Rules::deployed(), false),
        (all_but(Switch::DefaultPaging), false),
        (only(Switch::DefaultPaging), true),
        (Rules::documented(), true),
    ] {
        let (bench, ids) = many(rules);
        let of = |first: usize, last: usize| if kept { &ids[first..last] } else { &ids[..] };
        check_page(&bench, None, None, of(0, 20));
        check_page(&bench, Some(1), None, of(0, 20));
        check_page(&bench, Some(2), None, of(20, 25));
        check_page(&bench, None, Some(7), of(0, 7));
        check_page(&bench, Some(2), Some(7), &ids[7..14]);
    }
}

#[test]
fn the_owner_asks_whether_a_lock_still_runs() {
    for rules in both_rules() {
        let bench = Bench::shared(rules, NOW + 5);
        let locked = |n| Query::HasLockedAccessGrants { id: credential(n) };
        for (time, expected) in [
            (NOW, true),
            (NOW + 5, true),
            (NOW + 6, false),
            // A node that knows itself behind answers at time −1, when everything looks locked.
            (-1, true),
        ] {
            check_view(
                &bench.at(time),
                "alice",
                locked(11),
                Ok(Answer::Truth(expected)),
            );
        }
        check_view(&bench, "alice", locked(10), Ok(Answer::Truth(false)));
        check_view(&bench, "alice", locked(99), Ok(Answer::Truth(false)));
        for who in ["bob", "bank", "nobody", ""] {
            check_view(&bench, who, locked(11), Ok(Answer::Truth(false)));
        }
        let free = Bench::shared(rules, 0).at(-1);
        check_view(&free, "alice", locked(11), Ok(Answer::Truth(true)));
    }
}

#[test]
fn a_dag_text_is_the_same_for_everybody() {
    for rules in both_rules() {
        let bench = Bench::new(rules);
        for hash in [Some(hash()), None, Some("".into())] {
            let dag = Dag {
                hash,
                terms: None,
                ..bench.dag("the bank", 11, -7)
            };
            let query = Query::DagMessage {
                dag_owner_wallet_identifier: dag.owner.clone(),
                dag_grantee_wallet_identifier: dag.grantee.clone(),
                dag_data_id: dag.data,
                dag_locked_until: dag.lock,
                dag_content_hash: dag.hash.clone(),
                terms: None,
            };
            let hash = dag.hash.clone().unwrap_or_default();
            let mut text = format!(
                "operation: delegatedAccessGrant\nowner: {}\ngrantee: the bank\n\
                 dataId: 00000000-0000-0000-0000-00000000000b\nlockedUntil: -7\ncontentHash: {hash}",
                dag.owner
            );
            if rules.keep(Switch::DagNamesNetwork) {
                text.push_str("\nnetwork: assay-test");
            }
            for who in ["alice", "nobody", ""] {
                check_view(&bench, who, query.clone(), Ok(Answer::Text(text.clone())));
            }
        }
    }
}

#[test]
fn the_probe_compares_as_the_wallets_type_does_or_ignores_case() {
    for (rules, exact) in [
        (Rules::deployed(), false),
        (all_but(Switch::ExactProbe), false),
        (only(Switch::ExactProbe), true),
        (Rules::documented(), true),
    ] {
        let mut bench = Bench::new(rules);
        let has = |bench: &Bench, address: &str, expected: bool| {
            let query = Query::HasProfile {
                address: address.into(),
            };
            for who in ["", "alice", "nobody"] {
                check_view(bench, who, query.clone(), Ok(Answer::Truth(expected)));
            }
        };
        let alice = bench.caller("alice");
        has(&bench, &alice, true);
        has(&bench, &alice.to_lowercase(), true);
        has(&bench, &bench.caller("nobody"), false);
        has(&bench, "", false);
        for kind in [
            WalletType::NEAR,
            WalletType::XRPL,
            WalletType::Stellar,
            WalletType::FaceSign,
        ] {
            plant(&mut bench, 50, BOB, kind, &"rAddress".into());
            has(&bench, "rAddress", true);
            has(&bench, "raddress", !exact);
            // Keys are not searched.
            has(&bench, "k", false);
        }
    }
}

#[test]
fn a_reader_names_itself_only_by_its_caller_text() {
    let bench = Bench::shared(Rules::documented(), 0);
    for caller in ["", "0x", "\0", "alice", "😀"] {
        for query in [
            Query::GetUser {},
            Query::GetCredentials {},
            granted(None, None),
        ] {
            let answer = bench.ask_as(caller, query).unwrap();
            let nothing = [
                Answer::User(None),
                Answer::Credentials(vec![]),
                Answer::Grants(vec![]),
            ];
            assert!(nothing.contains(&answer), "{caller:?}: {answer:?}");
        }
    }
}
