//! The requests that published packages sent, read and written again. Each test says how many it checked.

mod common;

use std::sync::Arc;

use assay_laws::laws;
use assay_model::crypto::{Identity, KdfMemo, Real, Suite};
use assay_model::id::TxId;
use assay_model::node::Claim;
use assay_model::rules::{Rules, Switch};
use assay_model::wire::{self, SignedTransaction};
use assay_node::rpc::{
    Account, BlockJson, BroadcastRefusal, CallMessage, CallResult, DataType, Failure, Health,
    Method, Mode, QueryResult, Request, TxQuery, TxResult, parse_transaction, payload, to_ledger,
    transaction_json,
};
use common::Site;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn load(file: &str) -> Json {
    let root = env!("CARGO_MANIFEST_DIR");
    let path = format!("{root}/../model/tests/vectors/{file}");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text `{key}` in {json}"))
}

fn list<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json[key]
        .as_array()
        .unwrap_or_else(|| panic!("no list `{key}` in {json}"))
}

/// What a node makes of a request as it was sent, and the envelope written again.
fn received(request: &Json) -> Result<Method, Failure> {
    let body = serde_json::to_vec(request).unwrap();
    let read = Request::parse("POST", &body).unwrap();
    assert_eq!(read.to_json(), *request);
    Method::parse(&read.method, &read.params)
}

/// `@caller` of a vector's signer. What public nodes make of a key is in the file; types that only idOS
/// knows are named as its schema names them.
fn caller_of(signer: &Json) -> String {
    match signer["signature_type"].as_str() {
        Some("nep413") => {
            let key = hex::decode(text(signer, "public_key_hex")).unwrap();
            Identity::Near(key.try_into().unwrap()).caller()
        }
        Some("xrpl") => text(signer, "address").to_owned(),
        Some(_) => text(signer, "caller_on_public_kwild").to_owned(),
        None => String::new(),
    }
}

#[test]
fn transactions_as_the_package_sends_them() {
    let real = Real::new(Arc::new(KdfMemo::new()));
    let file = load("transactions.json");
    let (mut hashed, mut estimated, mut run) = (0, 0, 0);
    let mut unusable = Vec::new();
    for entry in list(&file, "transactions") {
        let id = text(entry, "id");
        let Some(request) = entry.get("broadcast_request") else {
            continue;
        };
        let Ok(Method::Broadcast { tx, wait }) = received(request) else {
            panic!("{id}");
        };
        let sync = request["params"]["sync"].as_u64().unwrap_or(0);
        assert_eq!(wait, sync == 1, "{id}");
        assert_eq!(
            tx.id().to_string(),
            text(&entry["node_side"], "tx_hash_hex"),
            "{id}"
        );
        let written = hex::decode(text(&entry["node_side"], "tx_bytes_hex")).unwrap();
        assert_eq!(tx.bytes(), written, "{id}");
        let message = tx.message().unwrap();
        let expected = text(&entry["intermediate"], "message_to_sign");
        assert_eq!(message, expected.as_bytes(), "{id}");
        assert_eq!(transaction_json(&tx), request["params"]["tx"], "{id}");
        let from_bytes = SignedTransaction::decode(&written).unwrap();
        assert_eq!(from_bytes, *tx, "{id}");
        hashed += 1;

        if let Some(request) = entry.get("estimate_price_request") {
            let Ok(Method::EstimatePrice { tx: unsigned }) = received(request) else {
                panic!("{id}");
            };
            assert_eq!(unsigned.payload, tx.payload, "{id}");
            estimated += 1;
        }

        let id_on_a_node = tx.id();
        match to_ledger(*tx) {
            Ok(transaction) => {
                if let Err(why) = payload(transaction.sent()) {
                    unusable.push((id, why.to_string()));
                    assert!(transaction.payload.problem().is_some(), "{id}");
                } else {
                    run += 1;
                }
                assert!(transaction.verify(&real), "{id}");
                assert_eq!(transaction.id, id_on_a_node, "{id}");
                let caller = caller_of(&entry["inputs"]["signer"]);
                assert_eq!(transaction.sender.caller(), caller, "{id}");
            }
            Err(error) => unusable.push((id, error.to_string())),
        }
    }
    assert_eq!((hashed, estimated, run), (20, 20, 18));
    assert_eq!(
        unusable,
        [
            // Every type there is, for an action no schema has.
            (
                "tx-19",
                "unknown action: action \"typed\" does not exist in namespace \"main\"".to_owned()
            ),
            // Nodes cannot read the package's layout.
            ("tx-20", "byte 6: account: unknown version 20".to_owned()),
        ]
    );
}

#[test]
fn view_calls_as_the_package_sends_them() {
    let real = Real::new(Arc::new(KdfMemo::new()));
    let file = load("view_calls.json");
    let (mut read, mut written, mut signed) = (0, 0, 0);
    let mut refused = Vec::new();
    for entry in list(&file, "calls") {
        let (id, request) = (text(entry, "id"), &entry["call_request"]);
        let Ok(Method::Call(call)) = received(request) else {
            panic!("{id}");
        };
        assert_eq!(call.to_json(), request["params"], "{id}");
        read += 1;

        let mode = match text(entry, "mode") {
            "open" => Mode::Open,
            "private" => Mode::Private,
            other => panic!("{other}"),
        };
        match call.read(mode) {
            Ok((claim, query)) => {
                let inputs = &entry["inputs"];
                assert_eq!(query.name(), text(inputs, "action"), "{id}");
                assert_eq!(
                    CallMessage::new(&claim, &query).to_json(),
                    request["params"],
                    "{id}"
                );
                let caller = claim.identity().map(|who| who.caller()).unwrap_or_default();
                assert_eq!(caller, caller_of(&inputs["signer"]), "{id}");
                written += 1;
                if let Claim::Signed {
                    identity,
                    challenge,
                    signature,
                    ..
                } = claim
                {
                    let payload = wire::call_payload("main", query.name(), &query.arguments());
                    let message = wire::call_text("main", query.name(), &payload, &challenge);
                    assert!(
                        real.verify(&identity, message.as_bytes(), &signature),
                        "{id}"
                    );
                    signed += 1;
                }
            }
            Err(error) => refused.push((id, error.code)),
        }
    }
    assert_eq!((read, written, signed), (9, 9, 5));
    assert_eq!(refused, []);
}

#[test]
fn other_requests_as_the_package_sends_them() {
    let file = load("view_calls.json");
    let mut told = Vec::new();
    for request in list(&file, "other_requests") {
        told.push(match received(request) {
            Ok(Method::Query { query, params }) => format!("{} of {query}", params.len()),
            Ok(other) => format!("{other:?}"),
            Err(Failure::Params(told)) => told,
            Err(other) => panic!("{other:?}"),
        });
    }
    let node = &load("node_side.json")["items"];
    assert_eq!(
        told,
        [
            "6 of SELECT $a AS a, $b AS b, $c AS c, $d AS d, $e AS e, $f AS f",
            // Both are mistakes of the package that nodes answer so.
            text(node, "hash_base64_error"),
            text(node, "hexbytes_0x_error"),
            r#"Ping { message: "ping" }"#,
            "ChainInfo",
        ]
    );
    let go = &file["authenticated_query_from_go_core"]["json"];
    let Ok(Method::AuthenticatedQuery {
        statement,
        parameters,
        challenge,
        ..
    }) = Method::parse("user.authenticated_query", go)
    else {
        panic!("{go}");
    };
    assert_eq!(
        (statement.as_str(), challenge),
        ("SELECT $a AS a", vec![0xaa; 32])
    );
    assert_eq!((parameters.len(), parameters[0].name.as_str()), (1, "a"));
}

#[test]
fn transactions_of_the_node_library() {
    let file = load("node_side.json");
    let items = &file["items"];
    for name in ["go_user_tx_negative_int", "node_direct_tx"] {
        let entry = &items[name];
        let tx = parse_transaction(&entry["tx_json"]).unwrap().unwrap();
        assert_eq!(tx.id().to_string(), text(entry, "tx_hash_hex"));
        assert_eq!(transaction_json(&tx), entry["tx_json"]);
        let written = serde_json::to_string(&transaction_json(&tx)).unwrap();
        let again = parse_transaction(&serde_json::from_str(&written).unwrap()).unwrap();
        assert_eq!(again, Some(tx));
    }
}

#[test]
fn answers_as_the_node_library_writes_them() {
    let file = load("node_side.json");
    let items = &file["items"];
    let account = Account {
        id: None,
        balance: "0".to_owned(),
        nonce: 0,
    };
    let refusal = BroadcastRefusal {
        code: 4,
        hash: TxId([0; 32]),
        message: text(&items["broadcast_error_data_example"], "message").to_owned(),
    };
    // The vector's hash is shortened to one byte.
    let mut refusal = json!(refusal);
    refusal["hash"] = json!("00");
    let call = CallResult {
        query_result: QueryResult::default(),
        logs: String::new(),
        error: Some("not allowed".to_owned()),
        height: None,
    };
    let waiting = TxQuery {
        tx_hash: TxId([0; 32]),
        height: -1,
        tx: None,
        tx_result: None,
    };
    let table = [
        ("account_unknown_example", json!(account)),
        ("broadcast_error_data_example", refusal),
        ("call_response_error_example", json!(call)),
        ("tx_query_mempool_example", json!(waiting)),
        ("tx_result_example", json!(TxResult::default())),
        ("health_example", json!(Health::default())),
    ];
    for (name, written) in table {
        assert_eq!(written, items[name], "{name}");
    }
    let types = &items["call_response_example"]["query_result"]["column_types"];
    let read: Vec<DataType> = serde_json::from_value(types.clone()).unwrap();
    assert_eq!((read.len(), json!(read)), (13, types.clone()));
}

#[test]
fn blocks_as_the_node_library_writes_them() {
    let example = &load("node_side.json")["items"]["empty_block_example"];
    let block: BlockJson = serde_json::from_value(example["json"].clone()).unwrap();
    assert_eq!(json!(block), example["json"]);
    assert_eq!(hex::encode(block.bytes()), text(example, "raw_hex"));
}

/// HTTP status, and where the code is that says most: at the door of the mempool, in a block, or in the
/// error itself.
fn verdict((status, answer): (u16, String)) -> (u16, &'static str, i64) {
    let answer: Json = serde_json::from_str(&answer).unwrap();
    let places = [
        ("door", "/error/data/code"),
        ("error", "/error/code"),
        ("block", "/result/result/code"),
    ];
    let found = places
        .iter()
        .find_map(|(name, place)| Some((*name, answer.pointer(place)?.as_i64()?)));
    let (name, code) = found.unwrap_or(("result", 0));
    (status, name, code)
}

#[tokio::test]
async fn requests_of_the_package_are_answered_by_the_server() {
    let site = Site::start(Rules::deployed()).await;
    let file = load("transactions.json");
    let mut told = Vec::new();
    for entry in list(&file, "transactions") {
        let Some(request) = entry.get("broadcast_request") else {
            continue;
        };
        let estimate = entry["estimate_price_request"].to_string();
        let priced = site.http("POST", "/rpc/v1", estimate.as_bytes()).await;
        assert_eq!(verdict(priced), (200, "result", 0));
        let body = request.to_string();
        let (status, place, code) = verdict(site.http("POST", "/rpc/v1", body.as_bytes()).await);
        assert_eq!(status, 200);
        told.push((text(entry, "id"), place, code));
    }
    assert_eq!(
        told,
        [
            // The owner of this network is somebody else, and nonces go on from what was taken.
            ("tx-01", "block", 65_535),
            ("tx-02", "block", 65_535),
            ("tx-03", "door", 4),
            ("tx-04", "block", 0),
            ("tx-05", "block", 65_535),
            ("tx-06", "block", 65_535),
            ("tx-07", "block", 65_535),
            ("tx-08", "door", 4),
            ("tx-09", "door", 4),
            ("tx-10", "door", 4),
            ("tx-11", "door", 4),
            ("tx-12", "door", 4),
            ("tx-13", "door", 4),
            ("tx-14", "door", 4),
            ("tx-15", "block", 0),
            ("tx-16", "block", 0),
            // Nothing of that name is there, which the deployed schema does not mind.
            ("tx-17", "block", 0),
            ("tx-18", "block", 65_535),
            ("tx-19", "door", 4),
            ("tx-20", "door", 4),
        ]
    );

    let private = Rules::deployed().with(Switch::AuthenticatedReads, true);
    let private = Site::start(private).await;
    let file = load("view_calls.json");
    let mut told = Vec::new();
    for entry in list(&file, "calls") {
        let site = match text(entry, "mode") {
            "open" => &site,
            _ => &private,
        };
        let body = entry["call_request"].to_string();
        let verdict = verdict(site.http("POST", "/rpc/v1", body.as_bytes()).await);
        let (status, _, code) = verdict;
        told.push((text(entry, "id"), (status, code)));
    }
    // The signatures are good, and the challenges under them were never this node's.
    assert_eq!(
        told,
        [
            ("call-01", (200, 0)),
            ("call-02", (200, 0)),
            ("call-03", (200, 0)),
            ("call-04", (200, -1_001)),
            ("call-05", (200, -1_001)),
            ("call-06", (200, -1_001)),
            ("call-07", (200, 0)),
            ("call-08", (200, -1_001)),
            ("call-09", (200, -1001)),
        ]
    );
    for request in list(&file, "other_requests") {
        let body = request.to_string();
        let (status, ..) = verdict(site.http("POST", "/rpc/v1", body.as_bytes()).await);
        assert!([200, 400].contains(&status), "{request}");
    }
}

/// Every request of the vectors, as bytes.
fn requests() -> Vec<Vec<u8>> {
    let transactions = load("transactions.json");
    let calls = load("view_calls.json");
    let keys = [
        "broadcast_request",
        "estimate_price_request",
        "call_request",
    ];
    let entries = list(&transactions, "transactions")
        .iter()
        .chain(list(&calls, "calls"));
    let sent = entries.flat_map(|entry| keys.iter().filter_map(|key| entry.get(key)));
    sent.chain(list(&calls, "other_requests"))
        .map(|request| serde_json::to_vec(request).unwrap())
        .collect()
}

/// Takes a body as far as it goes.
fn consume(body: &[u8]) {
    let Ok(request) = Request::parse("POST", body) else {
        return;
    };
    match Method::parse(&request.method, &request.params) {
        Ok(Method::Broadcast { tx, .. } | Method::EstimatePrice { tx }) => {
            drop(to_ledger(*tx));
        }
        Ok(Method::Call(call)) => {
            let _ = call.read(Mode::Open);
            let _ = call.read(Mode::Private);
        }
        Ok(_) => {}
        Err(failure) => drop(failure.response(&request.id)),
    }
}

laws! {
    256;

    fn damaged_requests_are_answered_without_panic(
        request in prop::sample::select(requests()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = request;
        for (place, byte) in damage {
            // Printable bytes stay inside the JSON more often.
            let at = place.index(body.len());
            body[at] = b' ' + byte % 95;
        }
        consume(&body);
    }

    fn damaged_payloads_are_answered_without_panic(
        payload in any::<Vec<u8>>(),
        sender in any::<Vec<u8>>(),
        kind in "secp256k1_ep|ed25519|nep413|xrpl",
    ) {
        let call = CallMessage {
            payload: payload.clone(),
            auth_type: kind,
            sender,
            ..CallMessage::default()
        };
        prop_assert_eq!(CallMessage::parse(&call.to_json()), Ok(Some(call.clone())));
        let _ = call.read(Mode::Open);
        let _ = call.read(Mode::Private);
    }
}
