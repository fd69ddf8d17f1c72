//! A network of one node behind a real socket, and somebody who speaks to it in bytes.

#![allow(dead_code, reason = "each test target uses its own part")]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use assay_model::crypto::{Identity, KdfMemo, Real, Scheme, SigningKey, Suite};
use assay_model::id::NodeId;
use assay_model::ledger::{Action, Batch, Transaction, Unsigned};
use assay_model::node::{Genesis, Node, Request, Timing, USUAL_HISTORY};
use assay_model::rules::Rules;
use assay_model::time::WallMillis;
use assay_model::wire::SignedTransaction;
use assay_node::alone::alone;
use assay_node::rpc::{self, Heard, transaction_json};
use assay_node::runtime::{Clock, Net, Skew, Tcp};
use assay_node::server::{self, Limits};
use assay_node::shell::{Handle, NodeInfo};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// Real signatures.
pub(crate) static REAL: LazyLock<Arc<Real>> =
    LazyLock::new(|| Arc::new(Real::new(Arc::new(KdfMemo::default()))));

pub(crate) const CHAIN: &str = "idos-conformance-test";
const NOW: WallMillis = WallMillis(1_700_000_000_000);

pub(crate) fn key(who: &str) -> SigningKey {
    let scheme = match who {
        "node" | "kyc" => Scheme::Ed25519,
        _ => Scheme::Evm,
    };
    let mut secret = blake3::derive_key("assay test keys", who.as_bytes());
    // Keeps clear of zero and of the order of secp256k1, where no key is.
    secret[0] = secret[0] & 0x7f | 1;
    SigningKey { scheme, secret }
}

pub(crate) fn identity(who: &str) -> Identity {
    REAL.identity(&key(who))
}

pub(crate) fn genesis(rules: Rules) -> Arc<Genesis> {
    Arc::new(Genesis {
        chain_id: CHAIN.into(),
        db_owner: identity("root").caller().as_str().into(),
        nodes: vec![identity("node")],
        sentries: BTreeSet::new(),
        leader: NodeId(0),
        time: NOW,
        rules,
        balances: Vec::new(),
        timing: Timing {
            history: USUAL_HISTORY,
            propose: 2,
            poll: 2,
            empty_block: 60_000,
            resend: 3_000,
            broadcast: 15_000,
            challenge: 30_000,
            drift: 10_000,
        },
    })
}

/// A served node. Its wall clock stands still unless it is skewed.
pub(crate) struct Site {
    pub(crate) handle: Handle,
    pub(crate) skew: watch::Sender<Skew>,
    pub(crate) clients: SocketAddr,
    pub(crate) operator: SocketAddr,
    pub(crate) mode: rpc::Mode,
}

impl Site {
    pub(crate) async fn start(rules: Rules) -> Site {
        Site::with_limits(rules, Limits::default()).await
    }

    pub(crate) async fn with_limits(rules: Rules, limits: Limits) -> Site {
        let suite: Arc<dyn Suite> = REAL.clone();
        let node = Node::new(NodeId(0), genesis(rules), suite, key("node"));
        Site::of(node, limits).await
    }

    pub(crate) async fn of(node: Node, limits: Limits) -> Site {
        let genesis = node.genesis().clone();
        let (skew, skewed) = watch::channel(Skew::default());
        let (handle, task) = alone(node, Clock::new(|| NOW, skewed));
        tokio::spawn(task);
        let info = Arc::new(NodeInfo {
            version: "test",
            id: NodeId(0),
            genesis: genesis.clone(),
            clock_is_hooked: true,
            peers_heard: watch::channel(0).1,
        });
        let mut addresses = Vec::new();
        for door in [0, 1] {
            let listener = Tcp.listen(([127, 0, 0, 1], 0).into()).await.unwrap();
            addresses.push(Tcp.address(&listener).unwrap());
            let (handle, info) = (handle.clone(), info.clone());
            if door == 0 {
                tokio::spawn(server::serve(Tcp, listener, handle, info, limits));
            } else {
                tokio::spawn(server::serve_admin(Tcp, listener, handle, info, limits));
            }
        }
        Site {
            handle,
            skew,
            clients: addresses[0],
            operator: addresses[1],
            mode: server::mode(&genesis),
        }
    }

    /// Sends bytes and returns everything that comes back before the connection is closed.
    pub(crate) async fn raw(&self, to: SocketAddr, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(to).await.unwrap();
        // The server may have answered and closed before everything was sent.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Status and body of one HTTP request.
    pub(crate) async fn http(&self, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        let answer = self.exchange(self.clients, method, path, body).await;
        split(&answer)
    }

    pub(crate) async fn exchange(
        &self,
        to: SocketAddr,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> String {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        self.raw(to, &[head.as_bytes(), body].concat()).await
    }

    /// Status and envelope of one JSON-RPC request.
    pub(crate) async fn rpc(&self, method: &str, params: Json) -> (u16, Json) {
        let request = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let (status, body) = self
            .http("POST", "/rpc/v1", request.to_string().as_bytes())
            .await;
        (status, serde_json::from_str(&body).unwrap_or(Json::Null))
    }

    pub(crate) async fn admin(&self, method: &str, params: Json) -> (u16, Json) {
        let request = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let body = request.to_string();
        let answer = self
            .exchange(self.operator, "POST", "/rpc/v1", body.as_bytes())
            .await;
        let (status, body) = split(&answer);
        (status, serde_json::from_str(&body).unwrap_or(Json::Null))
    }

    /// What an outsider hears.
    pub(crate) async fn ask(&self, request: &Request) -> Heard {
        let body = rpc::ask(request, self.mode, 7);
        let (status, answer) = self.http("POST", "/rpc/v1", &body).await;
        rpc::hear(request, status, answer.as_bytes())
    }

    /// Body of the answer to bytes made elsewhere.
    pub(crate) async fn answer(&self, body: Vec<u8>) -> Vec<u8> {
        let (_, answer) = self.http("POST", "/rpc/v1", &body).await;
        answer.into_bytes()
    }

    pub(crate) async fn broadcast(&self, sent: &SignedTransaction, sync: u8) -> (u16, Json) {
        let params = json!({ "tx": transaction_json(sent), "sync": sync });
        self.rpc("user.broadcast", params).await
    }

    /// The next nonce of somebody.
    pub(crate) async fn next_nonce(&self, who: &str) -> u64 {
        match self.ask(&Request::Account(identity(who))).await {
            Heard::Account { nonce } => nonce + 1,
            other => panic!("{other:?}"),
        }
    }
}

/// Status and body of an HTTP answer.
pub(crate) fn split(answer: &str) -> (u16, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.unwrap_or(0), body.to_owned())
}

pub(crate) fn transaction(who: &str, nonce: u64, action: Action) -> Arc<Transaction> {
    let unsigned = Unsigned {
        nonce,
        chain_id: CHAIN.into(),
        payload: Batch::one(action).into(),
    };
    Transaction::sign(&**REAL, &key(who), unsigned)
}

/// Signs whatever is in a transaction now.
pub(crate) fn signed(who: &str, mut sent: SignedTransaction) -> SignedTransaction {
    let message = sent.message().unwrap_or_default();
    sent.signature = REAL.sign(&key(who), &message);
    sent
}

/// The highest memory this process has had, in KiB, where the system tells.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
