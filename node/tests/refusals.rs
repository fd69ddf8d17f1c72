//! What a node says to those who ask wrongly, over a real socket: ten of each kind of kwil-rpc 1 and 3,
//! and many thousands at random.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use assay_model::crypto::Suite;
use assay_model::id::{CredentialId, GrantId, InserterId, UserId, WalletId};
use assay_model::ledger::{Action, Query};
use assay_model::node::{Claim, ClaimProblem, Request};
use assay_model::rules::{Rules, Switch};
use assay_model::wire::{self, SignedTransaction, Value};
use assay_node::rpc::{self, CallMessage, Heard, MAX_REQUEST, transaction_json};
use assay_node::runtime::Skew;
use assay_node::server::Limits;
use common::{REAL, Site, identity, key, peak_memory, signed, split, transaction};
use serde_json::{Value as Json, json};

fn open() -> Rules {
    Rules::deployed()
}

fn private() -> Rules {
    Rules::deployed().with(Switch::AuthenticatedReads, true)
}

fn hire(nonce: u64) -> SignedTransaction {
    let action = Action::AddInserterAsOwner {
        id: InserterId(Default::default()),
        name: "kyc-co".into(),
    };
    transaction("root", nonce, action).sent().clone()
}

/// Code, and code and message of the data, of a broadcast that was not taken.
fn not_taken((status, answer): (u16, Json)) -> (u16, Json, Json) {
    let error = &answer["error"];
    assert_eq!(
        (&error["code"], &error["message"]),
        (&json!(-201), &json!("broadcast error"))
    );
    (
        status,
        error["data"]["code"].clone(),
        error["data"]["message"].clone(),
    )
}

#[tokio::test]
async fn envelopes() {
    let site = Site::start(open()).await;
    let error = |id: &str, code: i32, message: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}"#)
    };
    let invalid = || error("-1", -32_700, "invalid request");
    let object = |id: &str| error(id, -32_600, "invalid json-rpc request object");
    let unknown = || error("1", -32_601, "unknown method");
    let table = [
        ("POST", "", 400, invalid()),
        ("POST", "{", 400, invalid()),
        ("POST", "[]", 400, invalid()),
        ("POST", r#""user.ping""#, 400, invalid()),
        (
            "POST",
            r#"[{"jsonrpc":"2.0","id":1,"method":"user.ping"}]"#,
            400,
            invalid(),
        ),
        (
            "POST",
            r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            400,
            invalid(),
        ),
        (
            "POST",
            r#"{"jsonrpc":2,"id":1,"method":"user.ping"}"#,
            400,
            invalid(),
        ),
        (
            "POST",
            r#"{"jsonrpc":"1.0","id":1,"method":"user.ping"}"#,
            400,
            object("1"),
        ),
        (
            "POST",
            r#"{"jsonrpc":"2.0","id":0,"method":"user.ping"}"#,
            400,
            object("0"),
        ),
        (
            "POST",
            r#"{"jsonrpc":"2.0","id":"","method":"user.ping"}"#,
            400,
            object(r#""""#),
        ),
        (
            "POST",
            r#"{"jsonrpc":"2.0","id":null,"method":"user.ping"}"#,
            400,
            object("null"),
        ),
        (
            "POST",
            r#"{"jsonrpc":"2.0","method":"user.ping"}"#,
            400,
            object("null"),
        ),
        (
            "POST",
            r#"{"jsonrpc":"2.0","id":1}"#,
            404,
            error("1", -32_601, "no route was supplied"),
        ),
        (
            "POST",
            r#"{"jsonrpc":"2.0","id":1,"method":"user.nothing"}"#,
            404,
            unknown(),
        ),
        (
            "POST",
            r#"{"jsonrpc":"2.0","id":1,"method":"user.schema"}"#,
            404,
            unknown(),
        ),
        (
            "POST",
            r#"{"jsonrpc":"2.0","id":1,"method":"admin.status"}"#,
            404,
            unknown(),
        ),
        (
            "POST",
            r#"{"jsonrpc":"2.0","id":1,"method":"nothing"}"#,
            404,
            unknown(),
        ),
        ("GET", "", 405, "POST required for JSON-RPC\n".to_owned()),
        ("PUT", "{}", 405, "POST required for JSON-RPC\n".to_owned()),
        ("DELETE", "", 405, "POST required for JSON-RPC\n".to_owned()),
    ];
    for (method, body, status, answer) in table {
        let told = site.http(method, "/rpc/v1", body.as_bytes()).await;
        assert_eq!(told, (status, answer), "{method} {body}");
    }
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    assert_eq!(site.http("POST", "/rpc/v1", &deep).await, (400, invalid()));
    let unread = "error reading request body\n".to_owned();
    for more in [1, 100_000] {
        let large = vec![b' '; MAX_REQUEST + more];
        assert_eq!(
            site.http("POST", "/rpc/v1", &large).await,
            (400, unread.clone())
        );
    }
    for path in ["/", "/rpc", "/rpc/v2", "/api/v1/health/nothing", "/api/v1"] {
        assert_eq!(site.http("GET", path, b"").await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn what_is_no_http_is_closed() {
    let limits = Limits {
        head: std::time::Duration::from_millis(200),
        ..Limits::default()
    };
    let site = Site::with_limits(open(), limits).await;
    for bytes in [
        &b"\r\n\r\n\r\n"[..],
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"POST /rpc/v1 HTTP/9.9\r\n\r\n",
        b"POST /rpc/v1 HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /rpc/v1 HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /rpc/v1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let (status, _) = split(&site.raw(site.clients, bytes).await);
        assert!([0, 400, 408].contains(&status), "{status}");
    }
    assert_eq!(site.rpc("user.ping", json!({})).await.0, 200);
}

#[tokio::test]
async fn parameters() {
    let site = Site::start(open()).await;
    let wallet = json!({ "identifier": "11".repeat(20), "key_type": "secp256k1" });
    let mut table = vec![
        ("user.ping", json!([])),
        ("user.ping", json!({ "message": 1 })),
        ("user.health", json!("x")),
        ("user.account", json!({})),
        ("user.account", json!({ "id": { "identifier": "0x11" } })),
        ("user.account", json!({ "id": wallet, "status": 2 })),
        ("user.tx_query", json!({ "tx_hash": "q".repeat(44) })),
        ("user.query", json!({ "query": 7 })),
        ("user.broadcast", json!({ "tx": "00" })),
        ("user.call", json!({ "body": [] })),
        ("user.changeset", json!({ "height": "1" })),
        ("chain.block", json!([1])),
        ("chain.block", json!({ "height": "1" })),
        ("chain.tx", json!({ "hash": "ab" })),
        ("chain.unconfirmed_txs", json!({ "limit": "all" })),
    ];
    for (place, wrong) in [
        ("/body/payload", json!("AQI")),
        ("/body/fee", json!("1.5")),
        ("/body/nonce", json!("1")),
        ("/sender", json!("0x11")),
        ("/signature/sig", json!([1])),
    ] {
        let mut tx = transaction_json(&hire(1));
        *tx.pointer_mut(place).unwrap() = wrong;
        table.push(("user.broadcast", json!({ "tx": tx })));
    }
    for (method, params) in table {
        let (status, answer) = site.rpc(method, params.clone()).await;
        let code = &answer["error"]["code"];
        assert_eq!((status, code), (400, &json!(-32_602)), "{method} {params}");
    }
    for method in [
        "user.broadcast",
        "user.estimate_price",
        "user.call",
        "user.authenticated_query",
    ] {
        assert_eq!(
            site.rpc(method, json!({})).await,
            (500, Json::Null),
            "{method}"
        );
    }
}

/// Broadcasts from the owner what should get into a block and fail there; each uses a nonce.
async fn check_in_block(payloads: Vec<Vec<u8>>, code: u32, log: impl Fn(usize) -> String) {
    assert!(payloads.len() >= 10);
    let site = Site::start(open()).await;
    for (at, payload) in payloads.into_iter().enumerate() {
        let nonce = at as u64 + 1;
        let sent = SignedTransaction {
            payload,
            ..hire(nonce)
        };
        let sent = signed("root", sent);
        let (status, answer) = site.broadcast(&sent, 1).await;
        let result = &answer["result"]["result"];
        assert_eq!(
            (status, &result["code"]),
            (200, &json!(code)),
            "{at}: {answer}"
        );
        let told = result["log"].as_str().unwrap();
        assert!(told.starts_with(&log(at)), "{at}: {told}");
        assert_eq!(site.next_nonce("root").await, nonce + 1);

        // The same is said to those who ask later, in either service.
        let hash = sent.id().to_string();
        let (_, later) = site.rpc("user.tx_query", json!({ "tx_hash": hash })).await;
        assert_eq!(later["result"]["tx_result"], *result);
        let (_, chain) = site.rpc("chain.tx", json!({ "hash": hash })).await;
        assert_eq!(chain["result"]["tx_result"], *result);
    }
}

#[tokio::test]
async fn payloads_that_do_not_decode_fail_in_their_block() {
    let whole = hire(1).payload;
    let mut payloads: Vec<_> = [
        0,
        1,
        2,
        5,
        8,
        20,
        33,
        34,
        36,
        whole.len() / 2,
        whole.len() - 1,
    ]
    .into_iter()
    .map(|length| whole[..length].to_vec())
    .collect();
    payloads.push(vec![0xff; 64]);
    payloads.push([&[1, 0][..], &whole[2..]].concat());
    check_in_block(payloads, 1, |_| "ERROR: byte ".to_owned()).await;
}

#[tokio::test]
async fn calls_the_engine_does_not_start_fail_in_their_block() {
    let id = || Value::Uuid(Some(Default::default()));
    let text = |text: &str| Value::Text(Some(text.into()));
    let main =
        |action: &str, arguments: Vec<Value>| wire::execute_payload("main", action, &[arguments]);
    let table = vec![
        (
            wire::execute_payload("other", "a", &[]),
            "namespace \"other\" does not exist",
        ),
        (
            wire::execute_payload("Kwil", "a", &[]),
            "namespace \"kwil\" does not exist",
        ),
        (
            main("x", vec![]),
            "unknown action: action \"x\" does not exist in namespace \"main\"",
        ),
        (main("", vec![]), "unknown action"),
        (main("remove_wallet", vec![]), "action invocation error"),
        (
            main("remove_wallet", vec![id(), id()]),
            "action invocation error",
        ),
        (
            main("remove_wallet", vec![text("a")]),
            "type error: action \"remove_wallet\" expected argument 0 to be of type uuid, but got text",
        ),
        (
            main("remove_wallet", vec![Value::Int8(Some(1))]),
            "type error",
        ),
        (
            main("add_inserter_as_owner", vec![id(), id()]),
            "type error",
        ),
        (main("capture_gas", vec![]), "action is private"),
        (
            main("remove_wallet", vec![Value::Null]),
            "null value in column \"id\"",
        ),
    ];
    let (payloads, told): (Vec<_>, Vec<_>) = table.into_iter().unzip();
    check_in_block(payloads, 65_535, |at| format!("ERROR: {}", told[at])).await;
}

#[tokio::test]
async fn transactions_that_are_not_taken() {
    let site = Site::start(open()).await;
    let verify = "failed to verify the transaction: ";
    let unsignable =
        "failed to verify the transaction: description is too long or invalid serialization type";
    type Change = fn(&mut SignedTransaction);
    let table: [(Change, u32, &str); 13] = [
        (|tx| tx.signature_type = "bls12".into(), 65_535, verify),
        (|tx| tx.signature_type = String::new(), 65_535, verify),
        (|tx| tx.signature_type = "ed25519".into(), 65_535, verify),
        (|tx| tx.sender.push(1), 65_535, verify),
        (|tx| tx.sender.clear(), 65_535, verify),
        (|tx| tx.description = "d".repeat(201), 65_535, unsignable),
        (|tx| tx.serialization = "eip712".into(), 65_535, unsignable),
        (|tx| tx.serialization.clear(), 65_535, unsignable),
        (
            |tx| tx.payload_type = "delete_resolution".into(),
            2,
            "unknown payload type: delete_resolution",
        ),
        (
            |tx| tx.payload_type = "maa_exec".into(),
            2,
            "unknown payload type",
        ),
        (|tx| tx.payload_type.clear(), 2, "unknown payload type"),
        (
            |tx| tx.payload_type = "Execute".into(),
            2,
            "unknown payload type",
        ),
        (
            |tx| tx.payload.resize(5 << 20, 0),
            65_535,
            "transaction size limit exceeded",
        ),
    ];
    for (at, (change, code, told)) in table.into_iter().enumerate() {
        let mut sent = hire(1);
        change(&mut sent);
        // A body of this size is above the limit of requests when base64 is on top; bytes are not.
        if sent.payload.len() > 4 << 20 {
            sent.payload.truncate((4 << 20) + 1);
        }
        let answer = not_taken(site.broadcast(&signed("root", sent), 1).await);
        assert_eq!(
            (answer.0, &answer.1),
            (200, &json!(code)),
            "{at}: {answer:?}"
        );
        assert!(
            answer.2.as_str().unwrap().starts_with(told),
            "{at}: {answer:?}"
        );
    }
    let good = hire(1);
    assert_eq!(
        site.broadcast(&good, 1).await.1["result"]["result"]["code"],
        0
    );
    let again = not_taken(site.broadcast(&good, 0).await);
    assert_eq!(
        again,
        (200, json!(65_535), json!("transaction already exists"))
    );
}

#[tokio::test]
async fn wrong_nonces_chain_ids_and_signatures() {
    let site = Site::start(open()).await;
    let sender = hex::encode(identity("root").bytes());
    for nonce in [0, 2, 3, 4, 5, 6, 7, 8, 1_000, u64::MAX] {
        let answer = not_taken(site.broadcast(&hire(nonce), 1).await);
        let told = format!("invalid nonce for account {sender}: got {nonce}, expected 1");
        assert_eq!(answer, (200, json!(4), json!(told)));
    }
    for chain in [
        "a",
        "idos",
        "Idos-conformance-test",
        "idos-conformance-test ",
        "idos-conformance-tes",
        "main",
        "\n",
        "é",
        "0",
        "x\0",
    ] {
        let mut sent = hire(1);
        sent.chain_id = chain.to_owned();
        let answer = not_taken(site.broadcast(&signed("root", sent), 1).await);
        assert_eq!(
            answer,
            (200, json!(5), json!(format!("wrong chain ID: {chain}")))
        );
    }
    type Change = fn(&mut SignedTransaction);
    let table: [Change; 12] = [
        |tx| tx.signature.clear(),
        |tx| tx.signature.truncate(64),
        |tx| tx.signature.push(0),
        |tx| tx.signature[0] ^= 1,
        |tx| tx.signature[32] ^= 1,
        |tx| tx.signature[64] ^= 1,
        |tx| tx.signature[64] = 99,
        |tx| tx.signature = vec![0; 65],
        |tx| tx.signature = vec![0xff; 65],
        |tx| tx.nonce = 9,
        |tx| tx.description.push('.'),
        |tx| tx.sender[0] ^= 1,
    ];
    for (at, change) in table.into_iter().enumerate() {
        let mut sent = hire(1);
        change(&mut sent);
        let answer = not_taken(site.broadcast(&sent, 1).await);
        let told = json!("failed to verify the transaction: invalid signature");
        assert_eq!(answer, (200, json!(65_535), told), "{at}");
    }
    // None of it was taken, and an empty chain id is.
    let mut unnamed = hire(1);
    unnamed.chain_id.clear();
    let taken = site.broadcast(&signed("root", unnamed), 1).await.1;
    assert_eq!(taken["result"]["result"]["code"], 0);
}

fn call(namespace: &str, action: &str, arguments: &[Value]) -> CallMessage {
    CallMessage {
        payload: wire::call_payload(namespace, action, arguments),
        ..CallMessage::new(&Claim::Anonymous, &Query::GetUser {})
    }
}

#[tokio::test]
async fn calls_in_open_mode() {
    let site = Site::start(open()).await;
    let id = || Value::Uuid(Some(Default::default()));
    let text = || Value::Text(Some("a".into()));
    let sender = |auth_type: &str, sender: Vec<u8>| CallMessage {
        auth_type: auth_type.to_owned(),
        sender,
        ..call("main", "get_user", &[])
    };
    let payload = |payload: Vec<u8>| CallMessage {
        payload,
        ..call("main", "get_user", &[])
    };
    let table = [
        (payload(vec![]), -32_602, "failed to convert action call: "),
        (
            payload(vec![0; 3]),
            -32_602,
            "failed to convert action call: ",
        ),
        (
            payload(vec![0xff; 30]),
            -32_602,
            "failed to convert action call: ",
        ),
        (
            call("other", "get_user", &[]),
            -300,
            "namespace \"other\" does not exist",
        ),
        (call("main", "nothing", &[]), -300, "unknown action"),
        (
            call("main", "get_user", &[id()]),
            -300,
            "action invocation error",
        ),
        (
            call("main", "get_credential_owned", &[]),
            -300,
            "action invocation error",
        ),
        (
            call("main", "get_credential_owned", &[text()]),
            -300,
            "type error",
        ),
        (
            call("main", "remove_user", &[]),
            -300,
            "connection is read-only",
        ),
        (
            call("main", "credential_exist", &[]),
            -300,
            "action is private",
        ),
        (
            sender("bls12", vec![1]),
            -601,
            "failed to get caller: authenticator not found",
        ),
        (sender("ed25519", vec![1; 20]), -601, "failed to get caller"),
    ];
    for (message, code, told) in table {
        let (status, answer) = site.rpc("user.call", message.to_json()).await;
        let error = &answer["error"];
        let expected = if code == -32_602 { 400 } else { 200 };
        assert_eq!((status, &error["code"]), (expected, &json!(code)), "{told}");
        assert!(
            error["message"].as_str().unwrap().starts_with(told),
            "{error}"
        );
    }
    let (_, answer) = site.rpc("user.query", json!({ "query": "SELECT 1" })).await;
    assert_eq!(answer["error"]["code"], -300);
    let (_, answer) = site
        .rpc("user.authenticated_query", json!({ "body": {} }))
        .await;
    assert_eq!(answer["error"]["code"], -1_008);
}

async fn challenge(site: &Site) -> [u8; 32] {
    match site.ask(&Request::Challenge).await {
        Heard::Challenge(challenge) => challenge,
        other => panic!("{other:?}"),
    }
}

/// A call of `get_user` signed over a challenge, in a namespace spelt in any way.
fn signed_call(namespace: &str, challenge: [u8; 32]) -> CallMessage {
    let payload = wire::call_payload(namespace, "get_user", &[]);
    let text = wire::call_text(namespace, "get_user", &payload, &challenge);
    CallMessage {
        payload,
        challenge: challenge.to_vec(),
        auth_type: "secp256k1_ep".to_owned(),
        sender: identity("alice").bytes().to_vec(),
        signature: REAL.sign(&key("alice"), text.as_bytes()),
    }
}

#[tokio::test]
async fn calls_and_challenges_in_private_mode() {
    let site = Site::start(private()).await;
    let required = "signed call message with challenge required";
    let length = "incorrect challenge data length";
    let incorrect = "incorrect challenge";
    let wrong = "invalid signature on call message";
    type Change = fn(&mut CallMessage);
    let table: [(Change, i32, &str); 15] = [
        (|c| c.signature.clear(), -1_001, required),
        (|c| c.sender.clear(), -1_001, required),
        (
            |c| (c.signature, c.challenge) = Default::default(),
            -1_001,
            required,
        ),
        (|c| c.challenge.clear(), -1_002, length),
        (|c| c.challenge.truncate(31), -1_002, length),
        (|c| c.challenge.push(0), -1_002, length),
        (|c| c.challenge[0] ^= 1, -1_001, incorrect),
        (|c| c.challenge = vec![0; 32], -1_001, incorrect),
        (|c| c.signature[0] ^= 1, -1_004, wrong),
        (|c| c.signature = vec![1], -1_004, wrong),
        (|c| c.sender[0] ^= 1, -1_004, wrong),
        (|c| c.auth_type = "xrpl".into(), -1_004, wrong),
        (|c| c.auth_type = "ed25519".into(), -1_004, wrong),
        (
            |c| c.payload = wire::call_payload("", "get_user", &[]),
            -1_004,
            wrong,
        ),
        (
            |c| c.payload = wire::call_payload("main", "get_wallets", &[]),
            -1_004,
            wrong,
        ),
    ];
    for (at, (change, code, told)) in table.into_iter().enumerate() {
        let mut message = signed_call("main", challenge(&site).await);
        change(&mut message);
        let (status, answer) = site.rpc("user.call", message.to_json()).await;
        let error = &answer["error"];
        let got = (status, &error["code"], &error["message"]);
        assert_eq!(got, (200, &json!(code), &json!(told)), "{at}");
    }
    for namespace in ["main", "", "MAIN", "Main"] {
        let message = signed_call(namespace, challenge(&site).await).to_json();
        let (_, answer) = site.rpc("user.call", message.clone()).await;
        assert_eq!(
            answer["result"]["error"],
            Json::Null,
            "{namespace}: {answer}"
        );
        // Good once.
        let (_, again) = site.rpc("user.call", message).await;
        assert_eq!(again["error"]["code"], -1_001, "{namespace}");
    }
    let late = signed_call("main", challenge(&site).await);
    let skip = 31_000;
    site.skew
        .send(Skew {
            skip,
            ..Skew::default()
        })
        .unwrap();
    let (_, answer) = site.rpc("user.call", late.to_json()).await;
    assert_eq!(answer["error"]["code"], -1_003);
    let (_, answer) = site.rpc("user.query", json!({ "query": "SELECT 1" })).await;
    assert_eq!(answer["error"]["code"], -1_007);
}

#[tokio::test]
async fn too_many_challenges() {
    let site = Site::start(private()).await;
    let mut refused = Vec::new();
    for _ in 0..300 {
        let (status, answer) = site.rpc("user.challenge", json!({})).await;
        if !answer["error"].is_null() {
            refused.push((status, answer["error"]["code"].clone()));
        }
    }
    assert!(refused.len() >= 10, "{}", refused.len());
    assert!(refused.iter().all(|one| *one == (200, json!(-1_006))));
}

#[tokio::test]
async fn actions_and_views_that_say_no() {
    let site = Site::start(open()).await;
    let (user, credential) = (UserId(Default::default()), CredentialId(Default::default()));
    let wallet = |wallet_type: &str| Action::AddWallet {
        id: WalletId(Default::default()),
        address: "a".into(),
        public_key: None,
        wallet_type: wallet_type.into(),
        message: "m".into(),
        signature: "s".into(),
    };
    let add_user = Action::AddUserAsInserter {
        id: user,
        recipient_encryption_public_key: "key".into(),
        encryption_password_store: "user".into(),
    };
    let table = [
        (add_user, "Unauthorized inserter"),
        (wallet("BTC"), "unsupported wallet type"),
        (wallet("NEAR"), "wallet is invalid"),
        (
            Action::RemoveCredential { id: credential },
            "the credential does not belong to the caller",
        ),
        (
            Action::RevokeAccessGrant {
                id: GrantId(Default::default()),
            },
            "the access grant not found",
        ),
        (
            Action::RescindSharedCredential {
                credential_id: credential,
            },
            "can not find the credential shared to you",
        ),
        (
            Action::AddInserterAsOwner {
                id: InserterId(Default::default()),
                name: "a".into(),
            },
            "action is owner-only",
        ),
        (
            Action::DeleteInserterAsOwner {
                id: InserterId(Default::default()),
            },
            "action is owner-only",
        ),
        (
            Action::DeleteDelegateAsOwner {
                address: "a".into(),
            },
            "action is owner-only",
        ),
        (
            Action::AddDelegateAsOwner {
                address: "a".into(),
                inserter_id: InserterId(Default::default()),
            },
            "action is owner-only",
        ),
    ];
    for (at, (action, told)) in table.into_iter().enumerate() {
        let request = Request::Broadcast(transaction("alice", at as u64 + 1, action));
        let Heard::Included { code, log } = site.ask(&request).await else {
            panic!("{told}");
        };
        assert_eq!(code, 65_535);
        assert!(log.starts_with(&format!("ERROR: {told}")), "{log}");
    }
    let exists = Query::CredentialExistAsInserter { id: credential };
    let page = Query::GetAccessGrantsGranted {
        user_id: None,
        page: Some(0),
        size: None,
    };
    for (query, told) in [
        (
            Query::GetCredentialShared { id: credential },
            "the credential does not exist",
        ),
        (
            Query::GetUserAsInserter { id: user },
            "Unauthorized inserter",
        ),
        (exists, "Unauthorized inserter"),
        (page, "page has to be a positive integer"),
    ] {
        let claim = Claim::Stated(identity("alice"));
        let (_, answer) = site
            .rpc("user.call", CallMessage::new(&claim, &query).to_json())
            .await;
        assert_eq!(answer["result"]["error"], told);
        let heard = site.ask(&Request::View { claim, query }).await;
        assert_eq!(heard, Heard::View(Err(told.to_owned())));
    }
    let unsigned = Request::View {
        claim: Claim::Stated(identity("alice")),
        query: Query::GetUser {},
    };
    let private = Site::start(private()).await;
    let heard = private.ask(&unsigned).await;
    assert_eq!(heard, Heard::ClaimRefused(ClaimProblem::Unsigned));
}

/// A generator of numbers for damage; each seed gives its own.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound.max(1)
    }
}

/// Good requests to start from.
fn good() -> Vec<Vec<u8>> {
    let tx = transaction("alice", 1, Action::RemoveUser {});
    let view = |claim| Request::View {
        claim,
        query: Query::GetCredentialOwned {
            id: CredentialId(Default::default()),
        },
    };
    let asked = [
        Request::Health,
        Request::Account(identity("alice")),
        Request::Submit(tx.clone()),
        Request::TxStatus(tx.id),
        Request::Challenge,
        view(Claim::Anonymous),
        view(Claim::Stated(identity("alice"))),
        view(Claim::Signed {
            identity: identity("alice"),
            challenge: [7; 32],
            signature: vec![1; 65],
            payload: None,
        }),
    ];
    let mut bodies: Vec<_> = asked
        .iter()
        .map(|ask| rpc::ask(ask, rpc::Mode::Private, 1))
        .collect();
    bodies.push(rpc::ask_block(assay_model::id::Height(1), 1));
    bodies.push(rpc::ask_unconfirmed(3, 1));
    bodies
}

fn damaged(numbers: &mut Numbers, good: &[Vec<u8>]) -> Vec<u8> {
    if numbers.below(4) == 0 {
        return (0..numbers.below(300))
            .map(|_| numbers.below(256) as u8)
            .collect();
    }
    let mut body = good[numbers.below(good.len())].clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(body.len());
        match numbers.below(4) {
            0 => body[at] = numbers.below(256) as u8,
            // Printable bytes stay inside the JSON more often.
            1 => body[at] = b' ' + numbers.below(95) as u8,
            2 => body.truncate(at + 1),
            _ => {
                let end = (at + numbers.below(40)).min(body.len());
                let piece = body[at..end].to_vec();
                body.splice(at..at, piece);
            }
        }
    }
    body
}

/// Answers with a status of the protocol, whatever is sent, from several clients at once.
async fn check_damage(count: usize) {
    let site = Arc::new(Site::start(private()).await);
    let answered = Arc::new(AtomicUsize::new(0));
    let clients = (0..8).map(|client| {
        let (site, answered) = (site.clone(), answered.clone());
        tokio::spawn(async move {
            let (good, mut numbers) = (good(), Numbers(client));
            for _ in 0..count / 8 {
                let body = damaged(&mut numbers, &good);
                let (status, _) = site.http("POST", "/rpc/v1", &body).await;
                let known = [200, 400, 404, 500].contains(&status);
                assert!(
                    known,
                    "HTTP {status} to {:?}",
                    String::from_utf8_lossy(&body)
                );
                answered.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    assert_eq!(answered.load(Ordering::Relaxed), count / 8 * 8);
    assert!(matches!(
        site.ask(&Request::Health).await,
        Heard::Health { .. }
    ));
    if let Some(peak) = peak_memory() {
        println!("{count} damaged requests answered, at most {peak} KiB held");
        assert!(peak < 512 << 10, "{peak} KiB");
    }
}

#[tokio::test]
async fn damaged_requests_are_answered() {
    check_damage(4_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute; run it before a release"]
async fn a_hundred_thousand_damaged_requests_are_answered() {
    check_damage(100_000).await;
}
