//! What an outsider hears is what the node said: [`hear`] undoes what the server writes, and no bytes
//! whatever upset it.

mod common;

use std::fmt::Debug;

use assay_laws::laws;
use assay_model::id::{
    AccessRequestId, CredentialId, GrantId, Height, Text, TxId, UserId, WalletId,
};
use assay_model::ledger::{
    AccessRequestRow, Action, Answer, AuditEvent, AuditRow, Content, CredentialDetail,
    CredentialSummary, Engine, GrantInserter, GrantRow, GrantTermsRow, Invalid, Outcome, Query,
    Refusal, RemainderRow, RequestState, SharedCredential, Unreadable, UserRow, WalletRow,
    WalletType,
};
use assay_model::node::{Claim, ClaimProblem, Rejected, Request, TxStatus};
use assay_model::time::BlockTime;
use assay_node::rpc::{
    self, Account, AccountId, Broadcast, CallResult, Challenge, Failure, Health, Heard, Id, Method,
    Mode, Response, RpcError, Standing, TxResult, ask, hear, height_told, outcome, tx_status,
    view_result,
};
use common::{identity, transaction};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

fn id() -> Id {
    Id::Text("a".to_owned())
}

fn view(query: Query) -> Request {
    Request::View {
        claim: Claim::Stated(identity("alice")),
        query,
    }
}

fn heard(request: &Request, response: &Response) -> Heard {
    hear(request, response.status, response.body.as_bytes())
}

fn uuid<T: Debug>(wrap: fn(Uuid) -> T) -> impl Strategy<Value = T> {
    any::<u128>().prop_map(move |bits| wrap(Uuid::from_u128(bits)))
}

fn text() -> impl Strategy<Value = Text> {
    "\\PC{0,12}|[\\x00-\\x7f]{0,6}".prop_map(Text::from)
}

fn maybe() -> impl Strategy<Value = Option<Text>> {
    prop::option::of(text())
}

fn user(for_inserter: bool) -> impl Strategy<Value = UserRow> {
    let row = (uuid(UserId), text(), text(), maybe());
    row.prop_map(move |(id, key, store, inserter)| UserRow {
        id,
        recipient_encryption_public_key: key,
        encryption_password_store: store,
        inserter: inserter.filter(|_| for_inserter),
    })
}

fn wallet() -> impl Strategy<Value = WalletRow> {
    let kind = prop::sample::select(vec![
        WalletType::EVM,
        WalletType::NEAR,
        WalletType::XRPL,
        WalletType::Stellar,
        WalletType::FaceSign,
    ]);
    let ids = (uuid(WalletId), uuid(UserId));
    (ids, text(), maybe(), kind, maybe(), maybe(), maybe()).prop_map(
        |((id, user_id), address, public_key, wallet_type, message, signature, inserter)| {
            WalletRow {
                id,
                user_id,
                address,
                public_key,
                wallet_type,
                message,
                signature,
                inserter,
            }
        },
    )
}

fn summary() -> impl Strategy<Value = CredentialSummary> {
    let ids = (
        uuid(CredentialId),
        uuid(UserId),
        prop::option::of(uuid(CredentialId)),
    );
    (ids, text(), text(), maybe()).prop_map(
        |((id, user_id, original_id), public_notes, issuer, inserter)| CredentialSummary {
            id,
            user_id,
            public_notes,
            issuer_auth_public_key: issuer,
            inserter,
            original_id,
        },
    )
}

fn detail() -> impl Strategy<Value = CredentialDetail> {
    let ids = (uuid(CredentialId), uuid(UserId));
    (ids, text(), text(), text(), text(), maybe()).prop_map(
        |((id, user_id), public_notes, content, encryptor, issuer, inserter)| CredentialDetail {
            id,
            user_id,
            public_notes,
            content: Content::new(content),
            encryptor_public_key: encryptor,
            issuer_auth_public_key: issuer,
            inserter,
        },
    )
}

fn shared() -> impl Strategy<Value = SharedCredential> {
    (detail(), maybe()).prop_map(|(row, public_notes)| SharedCredential {
        id: row.id,
        user_id: row.user_id,
        public_notes,
        content: row.content,
        encryptor_public_key: row.encryptor_public_key,
        issuer_auth_public_key: row.issuer_auth_public_key,
    })
}

fn grant() -> impl Strategy<Value = GrantRow> {
    let ids = (uuid(GrantId), uuid(UserId), uuid(CredentialId));
    (ids, text(), any::<i64>(), maybe(), any::<bool>(), text()).prop_map(
        |((id, owner, data), grantee, locked_until, content_hash, by_user, inserter_id)| GrantRow {
            id,
            owner,
            grantee,
            data,
            locked_until,
            content_hash,
            inserter_type: if by_user {
                GrantInserter::User
            } else {
                GrantInserter::DagMessage
            },
            inserter_id,
        },
    )
}

fn maybe_number() -> impl Strategy<Value = Option<i64>> {
    prop::option::of(any::<i64>())
}

fn asked() -> impl Strategy<Value = AccessRequestRow> {
    let ids = (
        uuid(AccessRequestId),
        uuid(UserId),
        prop::option::of(uuid(CredentialId)),
        prop::option::of(uuid(CredentialId)),
    );
    let texts = (text(), maybe(), maybe(), text());
    let numbers = (any::<i64>(), any::<i64>(), maybe_number(), maybe_number());
    let states = prop::sample::select(vec![
        RequestState::Submitted,
        RequestState::Approved,
        RequestState::Denied,
        RequestState::Expired,
        RequestState::Withdrawn,
    ]);
    (ids, texts, numbers, states).prop_map(
        |(
            (id, owner, credential, copy),
            (consumer, kind, fields, purpose),
            (locked_until, stands_until, expires_at, uses),
            state,
        )| AccessRequestRow {
            id,
            consumer,
            owner,
            credential,
            kind,
            fields,
            purpose,
            locked_until,
            stands_until,
            expires_at,
            uses,
            state,
            copy,
        },
    )
}

fn terms() -> impl Strategy<Value = GrantTermsRow> {
    let ids = (uuid(GrantId), prop::option::of(uuid(AccessRequestId)));
    (ids, maybe_number(), maybe_number(), maybe_number(), maybe()).prop_map(
        |((id, request), expires_at, uses_left, open_until, fields)| GrantTermsRow {
            id,
            request,
            expires_at,
            uses_left,
            open_until,
            fields,
        },
    )
}

fn record() -> impl Strategy<Value = AuditRow> {
    let ids = (
        uuid(UserId),
        prop::option::of(uuid(AccessRequestId)),
        prop::option::of(uuid(GrantId)),
        prop::option::of(uuid(CredentialId)),
    );
    let numbers = (any::<i64>(), any::<i64>());
    let events = prop::sample::select(vec![
        AuditEvent::Requested,
        AuditEvent::RequestDenied,
        AuditEvent::Granted,
        AuditEvent::Used,
        AuditEvent::Ended,
    ]);
    (ids, numbers, events, text()).prop_map(
        |((owner, request, grant, data), (time, height), event, party)| AuditRow {
            event,
            time,
            height,
            owner,
            party,
            request,
            grant,
            data,
        },
    )
}

fn remainder() -> impl Strategy<Value = RemainderRow> {
    (uuid(CredentialId), any::<i64>(), any::<bool>()).prop_map(|(id, locked_until, due)| {
        RemainderRow {
            id,
            locked_until,
            due,
        }
    })
}

fn with(
    query: Query,
    answer: impl Strategy<Value = Answer> + 'static,
) -> BoxedStrategy<(Query, Answer)> {
    (Just(query), answer).boxed()
}

/// Every kind of query with any answer of its kind.
fn answered() -> impl Strategy<Value = (Query, Answer)> {
    let credential = || CredentialId(Uuid::nil());
    let some = |row: BoxedStrategy<UserRow>| prop::option::of(row).prop_map(Answer::User);
    let credentials = || prop::collection::vec(summary(), 0..3).prop_map(Answer::Credentials);
    let grants = || prop::collection::vec(grant(), 0..3).prop_map(Answer::Grants);
    let truth = || any::<bool>().prop_map(Answer::Truth);
    let granted = Query::GetAccessGrantsGranted {
        user_id: None,
        page: None,
        size: None,
    };
    let by_user = Query::GetCredentialsSharedByUser {
        user_id: UserId(Uuid::nil()),
        original_issuer_auth_public_key: None,
    };
    let dag = Query::DagMessage {
        dag_owner_wallet_identifier: "a".into(),
        dag_grantee_wallet_identifier: "b".into(),
        dag_data_id: credential(),
        dag_locked_until: 0,
        dag_content_hash: None,
        terms: None,
    };
    let (page, size) = (None, None);
    let asked = || prop::collection::vec(asked(), 0..3).prop_map(Answer::Requests);
    let records = prop::collection::vec(record(), 0..3).prop_map(Answer::Records);
    let remainders = prop::collection::vec(remainder(), 0..3).prop_map(Answer::Remainders);
    let grant_id = GrantId(Uuid::nil());
    let user_id = UserId(Uuid::nil());
    proptest::strategy::Union::new([
        with(Query::GetUser {}, some(user(false).boxed())),
        with(
            Query::GetUserAsInserter { id: user_id },
            some(user(true).boxed()),
        ),
        with(
            Query::GetWallets {},
            prop::collection::vec(wallet(), 0..3).prop_map(Answer::Wallets),
        ),
        with(Query::GetCredentials {}, credentials()),
        with(by_user, credentials()),
        with(
            Query::GetCredentialOwned { id: credential() },
            prop::option::of(detail()).prop_map(Answer::Owned),
        ),
        with(
            Query::GetCredentialShared { id: credential() },
            shared().prop_map(Answer::Shared),
        ),
        with(
            Query::GetSiblingCredentialId {
                content_hash: "h".into(),
            },
            prop::option::of(uuid(CredentialId)).prop_map(Answer::CredentialId),
        ),
        with(
            Query::CredentialExistAsInserter { id: credential() },
            truth(),
        ),
        with(Query::GetAccessGrantsOwned {}, grants()),
        with(granted, grants()),
        with(
            Query::GetAccessGrantsForCredential {
                credential_id: credential(),
            },
            grants(),
        ),
        with(
            Query::GetAccessGrantsGrantedCount { user_id: None },
            any::<i64>().prop_map(Answer::Count),
        ),
        with(Query::HasLockedAccessGrants { id: credential() }, truth()),
        with(
            Query::HasProfile {
                address: "a".into(),
            },
            truth(),
        ),
        with(dag, "\\PC{0,40}".prop_map(Answer::Text)),
        with(Query::GetAccessRequestsReceived { page, size }, asked()),
        with(Query::GetAccessRequestsMade { page, size }, asked()),
        with(
            Query::GetAccessGrantTerms { id: grant_id },
            terms().prop_map(Answer::Terms),
        ),
        with(Query::GetAuditRecords { page, size }, records),
        with(Query::GetLockedRemainders {}, remainders),
    ])
}

fn rendered(query: &Query, result: &Result<Answer, Refusal>) -> Response {
    match view_result(query, result) {
        Ok(result) => Response::result(&id(), &result),
        Err(error) => Response::error(&id(), error),
    }
}

laws! {
    256;

    fn answers_of_every_view_are_heard_as_they_were_said((query, answer) in answered()) {
        let response = rendered(&query, &Ok(answer.clone()));
        let told = heard(&view(query), &response);
        prop_assert_eq!(told, Heard::View(Ok(answer)));
    }

    fn damaged_answers_are_heard_without_panic(
        (query, answer) in answered(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        printable: bool,
    ) {
        let mut body = rendered(&query, &Ok(answer)).body.into_bytes();
        for (place, byte) in damage {
            let at = place.index(body.len());
            body[at] = if printable { b' ' + byte % 95 } else { byte };
        }
        let _ = hear(&view(query), 200, &body);
        let _ = rpc::hear_block(&body, &[]);
        let _ = rpc::hear_results(&body);
        let _ = rpc::hear_chain_info(&body);
        let _ = rpc::hear_health(&body);
        let _ = rpc::hear_unconfirmed(&body);
    }

    fn any_bytes_are_heard_without_panic(body: Vec<u8>, status: u16, json in "[\\[\\]{}\":,0-9a-z]{0,40}") {
        for body in [&body[..], json.as_bytes()] {
            for request in requests() {
                let _ = hear(&request, status, body);
            }
        }
    }
}

fn requests() -> Vec<Request> {
    let transaction = transaction("alice", 1, Action::RemoveUser {});
    vec![
        Request::Health,
        Request::Account(identity("alice")),
        Request::Broadcast(transaction.clone()),
        Request::Submit(transaction.clone()),
        Request::TxStatus(transaction.id),
        Request::Challenge,
        view(Query::GetUser {}),
    ]
}

#[test]
fn what_is_asked_is_what_the_server_reads() {
    let signed = Claim::Signed {
        identity: identity("kyc"),
        challenge: [7; 32],
        signature: vec![1; 64],
        payload: None,
    };
    let mut asked = requests();
    asked.push(Request::View {
        claim: signed.clone(),
        query: Query::GetUser {},
    });
    for request in asked {
        let body = ask(&request, Mode::Private, 3);
        let envelope = rpc::Request::parse("POST", &body).unwrap();
        assert_eq!(envelope.id, Id::Number(3.into()));
        let method = Method::parse(&envelope.method, &envelope.params).unwrap();
        match (&request, method) {
            (Request::Health, Method::Health) | (Request::Challenge, Method::Challenge) => {}
            (Request::Account(who), Method::Account { id, pending: false }) => {
                assert_eq!(id.identity(), Some(*who));
            }
            (Request::Broadcast(sent), Method::Broadcast { tx, wait: true })
            | (Request::Submit(sent), Method::Broadcast { tx, wait: false }) => {
                assert_eq!(*tx, *sent.sent());
            }
            (Request::TxStatus(sent), Method::TxQuery { hash }) => assert_eq!(*sent, hash),
            (Request::View { claim, query }, Method::Call(call)) => {
                let mode = match claim {
                    Claim::Signed { .. } => Mode::Private,
                    _ => Mode::Open,
                };
                assert_eq!(call.read(mode), Ok((claim.clone(), query.clone())));
            }
            (asked, read) => panic!("{asked:?} was read as {read:?}"),
        }
    }
    let open = Request::View {
        claim: signed,
        query: Query::GetUser {},
    };
    let body = String::from_utf8(ask(&open, Mode::Open, 3)).unwrap();
    assert!(
        body.contains(r#""signature":"""#) && !body.contains("challenge"),
        "{body}"
    );
}

#[test]
fn refusals_of_views_are_heard_in_their_words() {
    for refusal in [
        Refusal::NotShared,
        Refusal::GrantLocked { until: 7 },
        Refusal::Engine(Engine::NotNull("user_id")),
        Refusal::Engine(Engine::SeveralProfiles),
    ] {
        let response = rendered(&Query::GetUser {}, &Err(refusal));
        let told = heard(&view(Query::GetUser {}), &response);
        assert_eq!(told, Heard::View(Err(refusal.to_string())));
    }
    for problem in [
        ClaimProblem::Unsigned,
        ClaimProblem::UnknownChallenge,
        ClaimProblem::ExpiredChallenge,
        ClaimProblem::WrongSignature,
    ] {
        let response = Response::error(&id(), rpc::claim_refused(problem));
        let told = heard(&view(Query::GetUser {}), &response);
        assert_eq!(told, Heard::ClaimRefused(problem));
    }
}

#[test]
fn what_becomes_of_broadcasts_is_heard() {
    let sent = transaction("alice", 5, Action::RemoveUser {});
    let request = Request::Broadcast(sent.clone());
    let nonce = Invalid::WrongNonce {
        got: 5,
        expected: u64::MAX,
    };
    for rejected in [
        Rejected::Invalid(Invalid::BadSignature),
        Rejected::Invalid(Invalid::WrongChain),
        Rejected::Invalid(Invalid::ContentNotSealed),
        Rejected::Invalid(nonce),
        Rejected::AlreadyExists,
        Rejected::TooLarge,
        Rejected::Full,
        Rejected::CatchingUp,
    ] {
        let response = Response::error(&id(), rpc::rejected(sent.sent(), rejected));
        assert_eq!(heard(&request, &response), Heard::Rejected(rejected));
    }
    let late = Response::error(&id(), rpc::timed_out(sent.id));
    assert_eq!(heard(&request, &late), Heard::TimedOut);
    let halted = Response::error(&id(), rpc::broadcast_halted(sent.id));
    assert_eq!(heard(&request, &halted), Heard::Halted);
    for request in requests() {
        let halted = Response::error(&id(), rpc::halted());
        assert_eq!(heard(&request, &halted), Heard::Halted);
        assert!(matches!(
            heard(&request, &Response::timeout()),
            Heard::Busy(_)
        ));
        for (code, told) in [(-1_006, "too many"), (-32_603, "internal")] {
            let busy = Response::error(&id(), RpcError::new(code, told));
            assert!(matches!(heard(&request, &busy), Heard::Busy(_)));
        }
        for strange in [
            Response::handler_failure(),
            Failure::UnknownMethod.response(&id()),
            Response::result(&id(), &json!([])),
            Response::result(&id(), &json!({})),
            Response::text(502, "bad gateway"),
        ] {
            let told = heard(&request, &strange);
            assert!(matches!(told, Heard::Malformed(_)), "{request:?}: {told:?}");
        }
    }

    for outcome in [
        Outcome::Accepted,
        Outcome::Refused(Refusal::UnauthorizedInserter),
        Outcome::Refused(Refusal::Engine(Engine::DuplicateKey("users_pkey"))),
        Outcome::Refused(Refusal::Unreadable(Unreadable::Payload)),
        Outcome::Invalid,
    ] {
        let result = TxResult::new(outcome, Some(sent.sent()));
        let TxResult { code, log, .. } = result.clone();
        assert_eq!(rpc::outcome(code, &log), Ok(outcome));
        let answer = Broadcast {
            tx_hash: sent.id,
            result: Some(result),
        };
        let response = Response::result(&id(), &answer);
        let included = Heard::Included {
            code,
            log: log.clone(),
        };
        assert_eq!(heard(&request, &response), included);
        let submitted = heard(&Request::Submit(sent.clone()), &response);
        assert_eq!(submitted, Heard::Submitted);

        let included = TxStatus::Included {
            height: Height(9),
            outcome,
        };
        let known = tx_status(sent.id, included, Some(sent.sent().clone())).unwrap();
        let standing = Standing::Included {
            height: Height(9),
            code,
            log,
        };
        let asked = Request::TxStatus(sent.id);
        assert_eq!(
            heard(&asked, &Response::result(&id(), &known)),
            Heard::TxStatus(standing)
        );
    }
    let other = Broadcast {
        tx_hash: TxId([1; 32]),
        result: Some(TxResult::default()),
    };
    let told = heard(&request, &Response::result(&id(), &other));
    assert!(matches!(told, Heard::Malformed(_)), "{told:?}");
    assert!(outcome(65_535, "ERROR: what nobody says").is_err());
    assert!(outcome(7, "").is_err());

    let asked = Request::TxStatus(sent.id);
    let pending = tx_status(sent.id, TxStatus::Pending, None).unwrap();
    let told = heard(&asked, &Response::result(&id(), &pending));
    assert_eq!(told, Heard::TxStatus(Standing::Pending));
    let unknown = tx_status(sent.id, TxStatus::Unknown, None).unwrap_err();
    let told = heard(&asked, &Response::error(&id(), unknown));
    assert_eq!(told, Heard::TxStatus(Standing::Unknown));
}

#[test]
fn health_accounts_and_challenges_are_heard() {
    let health = |syncing| Health {
        block_height: 9,
        block_time: 1_999,
        syncing,
        ..Health::default()
    };
    for (syncing, time) in [(false, 1), (true, -1)] {
        let response = Response::result(&id(), &health(syncing));
        let expected = Heard::Health {
            height: Height(9),
            time: BlockTime(time),
            syncing,
        };
        assert_eq!(heard(&Request::Health, &response), expected);
        let whole = rpc::hear_health(response.body.as_bytes());
        assert_eq!(whole, Ok(health(syncing)));
    }
    for nonce in [0, 3, u64::MAX] {
        let account = Account::new(AccountId::new(&identity("alice")), nonce);
        let response = Response::result(&id(), &account);
        let told = heard(&Request::Account(identity("alice")), &response);
        assert_eq!(told, Heard::Account { nonce });
    }
    let challenge = Challenge {
        challenge: [0xaf; 32],
    };
    let response = Response::result(&id(), &challenge);
    let told = heard(&Request::Challenge, &response);
    assert_eq!(told, Heard::Challenge([0xaf; 32]));
}

#[test]
fn who_may_be_behind_says_so_and_who_is_not_may_name_its_height() {
    let (looks, waits) = (view(Query::GetUser {}), Request::Health);
    let response = Response::error(&id(), rpc::behind());
    assert_eq!(heard(&looks, &response), Heard::Behind);
    assert!(matches!(heard(&waits, &response), Heard::Malformed(_)));
    assert_eq!(height_told(response.body.as_bytes()), None);
    for height in [None, Some(0), Some(7), Some(u64::MAX)] {
        for result in [Ok(Answer::User(None)), Err(Refusal::NotShared)] {
            let answer = view_result(&Query::GetUser {}, &result).unwrap();
            let response = Response::result(&id(), &CallResult { height, ..answer });
            let told = result.map_err(|refusal| refusal.to_string());
            assert_eq!(heard(&looks, &response), Heard::View(told));
            assert_eq!(height_told(response.body.as_bytes()), height.map(Height));
        }
    }
    for bytes in [
        "",
        "{}",
        r#"{"jsonrpc":"2.0","id":1,"result":{"height":-1}}"#,
    ] {
        assert_eq!(height_told(bytes.as_bytes()), None, "{bytes}");
    }
}

#[test]
fn what_is_odd_in_a_view_is_said_where() {
    let answer = |names: serde_json::Value, kind: &str, values: serde_json::Value| {
        let kind = json!({ "name": kind, "is_array": false, "metadata": [0, 0] });
        let rows = json!({ "column_names": names, "column_types": [kind], "values": values });
        let result = json!({ "query_result": rows, "logs": "", "error": null });
        let query = Query::HasProfile {
            address: "a".into(),
        };
        heard(&view(query), &Response::result(&id(), &result))
    };
    let name = || json!(["has_profile"]);
    let good = answer(name(), "bool", json!([[true]]));
    assert_eq!(good, Heard::View(Ok(Answer::Truth(true))));
    for (told, expected) in [
        (
            answer(json!(["profile"]), "bool", json!([[true]])),
            r#"has_profile: columns are ["profile"], expected ["has_profile"]"#,
        ),
        (
            answer(name(), "text", json!([[true]])),
            r#"has_profile: column types are ["text"], expected ["bool"]"#,
        ),
        (
            answer(name(), "bool", json!([["yes"]])),
            r#"has_profile, row 0, has_profile: "yes", expected true or false"#,
        ),
        (
            answer(name(), "bool", json!([[true, true]])),
            "has_profile, row 0: 2 values, expected 1",
        ),
        (
            answer(name(), "bool", json!([[true], [true]])),
            "has_profile: 2 rows, expected one at most",
        ),
        (
            answer(json!(null), "bool", json!(null)),
            "has_profile: 0 rows, expected one",
        ),
    ] {
        assert_eq!(told, Heard::Malformed(expected.to_owned()));
    }
}
