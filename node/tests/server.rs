//! A client's day at the server: submitting, looking up, reading blocks from outside, and the operator's.

mod common;

use std::sync::Arc;
use std::time::Duration;

use assay_model::crypto::Suite;
use assay_model::id::{AppHash, Height, InserterId, NodeId};
use assay_model::ledger::{Action, Outcome, Query, Refusal};
use assay_model::node::{Claim, Committed, Node, Outbox, Record, Request};
use assay_model::rules::{Rules, Switch};
use assay_node::rpc::{
    Heard, Standing, ask, ask_block, ask_chain_info, ask_health, ask_results, ask_unconfirmed,
    hear_block, hear_chain_info, hear_health, hear_results, hear_unconfirmed, height_told, outcome,
};
use assay_node::server::Limits;
use common::{CHAIN, REAL, Site, identity, key, split, transaction};
use serde_json::{Value as Json, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

fn hire(name: &str) -> Action {
    Action::AddInserterAsOwner {
        id: InserterId(uuid::Uuid::from_u128(1)),
        name: name.into(),
    }
}

#[tokio::test]
async fn blocks_are_heard_as_the_node_holds_them() {
    let site = Site::start(Rules::deployed()).await;
    let keys = [identity("node").bytes().to_vec()];
    let validators = [identity("node")];
    let accepted = transaction("root", 1, hire("kyc-co"));
    let refused = transaction("alice", 1, hire("mine"));
    for (sent, code) in [(&accepted, 0), (&refused, 65_535)] {
        match site.ask(&Request::Broadcast(sent.clone())).await {
            Heard::Included { code: told, .. } => assert_eq!(told, code),
            other => panic!("{other:?}"),
        }
    }
    let info = hear_chain_info(&site.answer(ask_chain_info(1)).await).unwrap();
    assert_eq!((info.chain_id.as_str(), info.gas), (CHAIN, false));
    let mut met = Vec::new();
    for height in (1..=info.block_height).map(Height) {
        let held = site
            .handle
            .look(move |node| node.committed(height).cloned())
            .await;
        let held = held.unwrap().unwrap();
        let heard = hear_block(&site.answer(ask_block(height, 1)).await, &keys);
        let heard = heard.unwrap().unwrap();
        assert_eq!(format!("{heard:?}"), format!("{held:?}"));
        assert!(heard.is_final(&**REAL, &validators, true));
        assert_eq!(heard.block.previous, held.block.previous);
        assert_eq!(heard.block.previous_app_hash, held.block.previous_app_hash);
        assert_eq!(heard.block.time, held.block.time);
        assert_eq!(heard.block.signature, held.block.signature);

        let results = hear_results(&site.answer(ask_results(height, 1)).await);
        let results = results.unwrap().unwrap();
        let outcomes = site
            .handle
            .look(move |node| node.outcomes(height))
            .await
            .unwrap();
        let told: Vec<_> = results
            .iter()
            .map(|(code, log)| outcome(*code, log).unwrap())
            .collect();
        assert_eq!(told, outcomes);
        let transactions = heard.block.transactions.iter();
        met.extend(transactions.map(|transaction| transaction.id).zip(told));
    }
    let denied = Refusal::Engine(assay_model::ledger::Engine::OwnerOnly(
        "add_inserter_as_owner",
    ));
    assert_eq!(
        met,
        [
            (accepted.id, Outcome::Accepted),
            (refused.id, Outcome::Refused(denied)),
        ]
    );
    let beyond = Height(info.block_height + 1_000);
    let nothing = site.answer(ask_block(beyond, 1)).await;
    assert!(hear_block(&nothing, &keys).unwrap().is_none());
    let nothing = site.answer(ask_results(beyond, 1)).await;
    assert_eq!(hear_results(&nothing), Ok(None));
    let stranger = site.answer(ask_block(Height(1), 1)).await;
    let told = hear_block(&stranger, &[vec![1; 32]]).unwrap_err();
    assert!(told.contains("is no validator"), "{told}");

    let hash = info.block_hash;
    let (_, by_hash) = site
        .rpc("chain.block", json!({ "hash": hex::encode(hash) }))
        .await;
    let (_, by_height) = site
        .rpc("chain.block", json!({ "height": info.block_height }))
        .await;
    assert_eq!(by_hash, by_height);
    let (_, raw) = site
        .rpc(
            "chain.block",
            json!({ "height": info.block_height, "raw": true }),
        )
        .await;
    assert_eq!(raw["result"]["raw_block"], by_hash["result"]["raw_block"]);
    assert_eq!(raw["result"]["block"], Json::Null);
    let (_, tx) = site
        .rpc("chain.tx", json!({ "hash": accepted.id.to_string() }))
        .await;
    assert_eq!(tx["result"]["index"], 0);
    let (_, validators) = site.rpc("chain.validators", json!({})).await;
    let key = hex::encode(identity("node").bytes());
    let expected = json!([{ "pubkey": key, "type": "ed25519", "power": 1 }]);
    assert_eq!(validators["result"]["validators"], expected);
    let (_, genesis) = site.rpc("chain.genesis", json!({})).await;
    assert_eq!(genesis["result"]["db_owner"], identity("root").caller());
    assert_eq!(genesis["result"]["leader"]["key"], key);
    let (_, health) = site.rpc("chain.health", json!({})).await;
    assert_eq!(health["result"]["healthy"], true);
}

#[tokio::test]
async fn a_submission_waits_and_is_looked_up() {
    let site = Site::start(Rules::deployed()).await;
    let first = transaction("root", 1, hire("kyc-co"));
    let second = transaction("root", 2, hire("again"));
    let unknown = site.ask(&Request::TxStatus(first.id)).await;
    assert_eq!(unknown, Heard::TxStatus(Standing::Unknown));
    for sent in [&first, &second] {
        assert_eq!(
            site.ask(&Request::Submit(sent.clone())).await,
            Heard::Submitted
        );
    }
    let who =
        json!({ "identifier": hex::encode(identity("root").bytes()), "key_type": "secp256k1" });
    let (_, pending) = site
        .rpc("user.account", json!({ "id": who, "status": 1 }))
        .await;
    assert_eq!(pending["result"]["nonce"], 2);
    let included = loop {
        match site.ask(&Request::TxStatus(second.id)).await {
            Heard::TxStatus(Standing::Pending) => tokio::task::yield_now().await,
            Heard::TxStatus(Standing::Included { code, .. }) => break code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(included, 65_535);
    let waiting = hear_unconfirmed(&site.answer(ask_unconfirmed(10, 1)).await);
    assert_eq!(waiting, Ok(Vec::new()));
    let (_, count) = site.rpc("user.num_accounts", json!({})).await;
    assert_eq!(count["result"]["count"], 1);
    let (_, price) = site
        .rpc("user.estimate_price", json!({ "tx": { "body": {} } }))
        .await;
    assert_eq!(price["result"]["price"], "0");
    let heard = site
        .ask(&Request::View {
            claim: Claim::Anonymous,
            query: Query::GetUser {},
        })
        .await;
    assert!(matches!(heard, Heard::View(Ok(_))), "{heard:?}");
}

#[tokio::test]
async fn an_answer_names_its_height_where_that_is_promised() {
    let told = |rules| async move {
        let site = Site::start(rules).await;
        let look = Request::View {
            claim: Claim::Anonymous,
            query: Query::HasProfile {
                address: "a".into(),
            },
        };
        let at = |body: Vec<u8>| height_told(&body);
        let before = at(site.answer(ask(&look, site.mode, 1)).await);
        let hired = transaction("root", 1, hire("kyc-co"));
        site.ask(&Request::Broadcast(hired)).await;
        (before, at(site.answer(ask(&look, site.mode, 2)).await))
    };
    let open = Rules::deployed();
    assert_eq!(told(open).await, (None, None));
    let heights = (Some(Height(0)), Some(Height(1)));
    assert_eq!(told(open.with(Switch::FreshAnswers, true)).await, heights);
}

#[tokio::test]
async fn what_waits_is_shown_to_anybody() {
    let site = Site::start(Rules::deployed()).await;
    let sent = transaction("root", 1, hire("kyc-co"));
    let tx = sent.clone();
    // Both are looked at between the same two inputs, before any block.
    let shown = site.handle.ask(Request::Submit(tx));
    let looked = site
        .handle
        .look(|node| assay_node::rpc::Unconfirmed::new(node.pending(), 10));
    let (_, shown) = tokio::join!(shown, looked);
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": shown.unwrap() }).to_string();
    let waiting = hear_unconfirmed(answer.as_bytes()).unwrap();
    assert_eq!(waiting, [sent.sent().clone()]);
}

#[tokio::test]
async fn health_has_its_paths_and_says_who_sets_the_clock() {
    let site = Site::start(Rules::documented()).await;
    let health = hear_health(&site.answer(ask_health(1)).await).unwrap();
    assert_eq!(health.clock.as_deref(), Some("hooked"));
    assert_eq!((health.mode.as_str(), health.syncing), ("private", false));
    let (status, user) = site.http("GET", "/api/v1/health/user", b"").await;
    assert_eq!(status, 200);
    let user: Json = serde_json::from_str(&user).unwrap();
    assert_eq!(user["chain_id"], CHAIN);
    let (status, all) = site.http("GET", "/api/v1/health", b"").await;
    let all: Json = serde_json::from_str(&all).unwrap();
    assert_eq!((status, &all["kwil_alive"]), (200, &json!(true)));
    assert_eq!(all["services"]["chain"]["healthy"], true);
    assert_eq!(site.http("GET", "/api/v1/health/chain", b"").await.0, 200);
    let (_, rpc) = site.rpc("rpc.health", json!({})).await;
    assert_eq!(rpc["result"]["healthy"], true);

    // The last block is too old by the node's own clock.
    let offset = 7 * 60_000;
    let skew = assay_node::runtime::Skew {
        offset,
        ..Default::default()
    };
    site.skew.send(skew).unwrap();
    assert_eq!(site.http("GET", "/api/v1/health", b"").await.0, 503);
    let late = hear_health(&site.answer(ask_health(1)).await).unwrap();
    assert!(!late.healthy);
}

/// A node that found another app hash on its disk than its own.
fn diverged() -> Node {
    let genesis = common::genesis(Rules::deployed());
    let suite: Arc<dyn Suite> = REAL.clone();
    let keys = [key("node")];
    let founded = Node::founding_block(&genesis, &suite, &keys, Vec::new().into());
    let wrong = Committed {
        block: founded.block.clone(),
        app_hash: AppHash([1; 32]),
        votes: founded.votes.clone(),
    };
    let records = [Record::Committed(founded), Record::Committed(wrong.into())];
    let [key] = keys;
    Node::restore(
        NodeId(0),
        genesis,
        suite,
        key,
        &records,
        &mut Outbox::default(),
    )
}

#[tokio::test]
async fn a_halted_node_says_so_and_still_shows_its_blocks() {
    let site = Site::of(diverged(), Limits::default()).await;
    let sent = transaction("root", 1, hire("kyc-co"));
    for request in [
        Request::Health,
        Request::Account(identity("root")),
        Request::Broadcast(sent.clone()),
        Request::Submit(sent.clone()),
        Request::TxStatus(sent.id),
        Request::Challenge,
        Request::View {
            claim: Claim::Anonymous,
            query: Query::GetUser {},
        },
    ] {
        assert_eq!(site.ask(&request).await, Heard::Halted, "{request:?}");
    }
    let shown = site.answer(ask_block(Height(1), 1)).await;
    let shown = hear_block(&shown, &[identity("node").bytes().to_vec()])
        .unwrap()
        .unwrap();
    assert_eq!(shown.block.height, Height(1));
    assert_eq!(site.http("GET", "/api/v1/health", b"").await.0, 503);
    let (_, status) = site.admin("admin.status", json!({})).await;
    let why = "its state diverged at height 1";
    assert_eq!(status["result"]["node"]["halted"], why);
}

#[tokio::test]
async fn what_takes_too_long_or_too_much_is_not_served() {
    let limits = Limits {
        bodies: 16 << 10,
        request: Duration::from_millis(100),
        ..Limits::default()
    };
    let site = Site::with_limits(Rules::deployed(), limits).await;
    let late = r#"{"jsonrpc":"2.0","id":-1,"error":{"code":-32001,"message":"RPC timeout"}}"#;
    // The body never comes.
    let head = b"POST /rpc/v1 HTTP/1.1\r\nHost: node\r\nContent-Length: 9\r\n\r\n";
    assert_eq!(
        split(&site.raw(site.clients, head).await),
        (503, late.to_owned())
    );
    // More than all bodies together may hold.
    let large = vec![b' '; 40 << 10];
    let (status, _) = site.http("POST", "/rpc/v1", &large).await;
    assert_eq!(status, 503);
    let (status, _) = site.http("POST", "/rpc/v1", &vec![b' '; 10 << 10]).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let site = Site::start(Rules::deployed()).await;
    let body = String::from_utf8(ask_health(1)).unwrap();
    let request = |more: &str| {
        let length = body.len();
        format!(
            "POST /rpc/v1 HTTP/1.1\r\nHost: node\r\n{more}Content-Length: {length}\r\n\r\n{body}"
        )
    };
    let three = request("") + &request("") + &request("Connection: close\r\n");
    let answers = site.raw(site.clients, three.as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "{answers}");
}

#[tokio::test]
async fn requests_beyond_the_limit_wait_for_their_turn() {
    let limits = Limits {
        requests: 1,
        ..Limits::default()
    };
    let site = Site::with_limits(Rules::deployed(), limits).await;
    let ping = || site.rpc("user.ping", json!({}));
    let (first, second, third) = tokio::join!(ping(), ping(), ping());
    for (status, answer) in [first, second, third] {
        assert_eq!(
            (status, &answer["result"]["message"]),
            (200, &json!("pong"))
        );
    }
}

/// A client that gets nothing for as long as another holds what there is one of, and its answer afterwards.
async fn waits(site: Site, holder: &mut TcpStream, let_go: &[u8]) {
    let site = Arc::new(site);
    let waiting = site.clone();
    let ping = tokio::spawn(async move { waiting.rpc("user.ping", json!({})).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!ping.is_finished(), "it was served beside the other");
    holder.write_all(let_go).await.unwrap();
    holder.shutdown().await.unwrap();
    let (status, answer) = ping.await.unwrap();
    assert_eq!(
        (status, &answer["result"]["message"]),
        (200, &json!("pong"))
    );
}

#[tokio::test]
async fn a_request_that_is_not_whole_holds_its_place() {
    let limits = Limits {
        requests: 1,
        ..Limits::default()
    };
    let site = Site::with_limits(Rules::deployed(), limits).await;
    let mut holder = TcpStream::connect(site.clients).await.unwrap();
    let head = b"POST /rpc/v1 HTTP/1.1\r\nHost: node\r\nContent-Length: 2\r\n\r\n{";
    holder.write_all(head).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    waits(site, &mut holder, b"}").await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_another_ends() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let site = Site::with_limits(Rules::deployed(), limits).await;
    let mut holder = TcpStream::connect(site.clients).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    waits(site, &mut holder, b"").await;
}

#[tokio::test]
async fn the_document_and_the_preflight_are_answered() {
    let site = Site::start(Rules::deployed()).await;
    let (status, spec) = site.http("GET", "/spec/v1", b"").await;
    let spec: Json = serde_json::from_str(&spec).unwrap();
    assert_eq!(
        (status, spec["methods"].as_array().unwrap().len()),
        (200, 32)
    );
    let (_, discovered) = site.rpc("rpc.discover", json!({})).await;
    assert_eq!(discovered["result"], spec);
    let answer = site.exchange(site.clients, "OPTIONS", "/rpc/v1", b"").await;
    assert_eq!(split(&answer).0, 204);
    let lower = answer.to_lowercase();
    for line in [
        "access-control-allow-origin: *",
        "access-control-allow-methods: get, post",
        "connection: close",
    ] {
        assert!(lower.contains(line), "{answer}");
    }
    let answer = site
        .exchange(site.clients, "POST", "/rpc/v1", &ask_health(1))
        .await;
    let lower = answer.to_lowercase();
    assert!(
        lower.contains("content-type: application/json; charset=utf-8"),
        "{answer}"
    );
    assert!(
        lower.contains("connection: close") && !lower.contains("\ndate:"),
        "{answer}"
    );
    for method in [
        "user.list_migrations",
        "user.migration_status",
        "user.list_update_proposals",
        "user.version",
    ] {
        assert!(
            site.rpc(method, json!({})).await.1["result"].is_object(),
            "{method}"
        );
    }
}

#[tokio::test]
async fn the_operator_appoints_and_looks() {
    let site = Site::start(Rules::deployed()).await;
    let (_, status) = site.admin("admin.status", json!({})).await;
    assert_eq!(
        status["result"]["validator"],
        json!({ "leader": "n1", "term": 0 })
    );
    let promote = |leader: &str, term: u32| json!({ "leader": leader, "term": term });
    let (_, stranger) = site.admin("admin.val_promote", promote("n2", 1)).await;
    assert_eq!(stranger["error"]["code"], -801);
    let (_, taken) = site.admin("admin.val_promote", promote("n1", 3)).await;
    assert_eq!(taken["result"], json!({}));
    let (_, stale) = site.admin("admin.val_promote", promote("n1", 2)).await;
    assert_eq!(stale["error"]["code"], -800);
    let (_, status) = site.admin("admin.status", json!({})).await;
    assert_eq!(status["result"]["validator"]["term"], 3);
    for params in [
        json!({}),
        json!([]),
        promote("1", 4),
        promote("n0", 4),
        promote("n01", 4),
    ] {
        let (status, refused) = site.admin("admin.val_promote", params).await;
        assert_eq!((status, &refused["error"]["code"]), (400, &json!(-32_602)));
    }
    let (_, peers) = site.admin("admin.peers", json!({})).await;
    assert_eq!(peers["result"], json!({ "peers": [], "heard": 0 }));
    // Neither door opens to the other's visitors.
    assert_eq!(site.admin("user.health", json!({})).await.0, 404);
    assert_eq!(site.rpc("admin.status", json!({})).await.0, 404);
}
