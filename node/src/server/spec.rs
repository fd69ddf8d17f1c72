//! What is served, as an OpenRPC document. Source: kwil-rpc 1, `/spec/v1`.

use serde_json::{Value as Json, json};

use super::Offer;

/// Methods for clients with their parameters.
const USER: &[(&str, &[&str])] = &[
    ("user.version", &[]),
    ("user.health", &[]),
    ("user.ping", &["message"]),
    ("user.chain_info", &[]),
    ("user.account", &["id", "status"]),
    ("user.num_accounts", &[]),
    ("user.broadcast", &["tx", "sync"]),
    ("user.call", &["body", "auth_type", "sender", "signature"]),
    ("user.query", &["query", "params"]),
    (
        "user.authenticated_query",
        &["body", "Challenge", "auth_type", "sender", "signature"],
    ),
    ("user.estimate_price", &["tx"]),
    ("user.tx_query", &["tx_hash"]),
    ("user.challenge", &[]),
    ("user.list_migrations", &[]),
    ("user.migration_status", &[]),
    ("user.migration_metadata", &[]),
    ("user.migration_genesis_chunk", &["height", "chunk_index"]),
    ("user.changeset", &["height", "index"]),
    ("user.changeset_metadata", &["height"]),
    ("user.list_update_proposals", &[]),
    ("user.update_proposal_status", &["proposal_id"]),
];
const CHAIN: &[(&str, &[&str])] = &[
    ("chain.version", &[]),
    ("chain.health", &[]),
    ("chain.block", &["height", "hash", "raw"]),
    ("chain.block_result", &["height", "hash"]),
    ("chain.tx", &["hash"]),
    ("chain.genesis", &[]),
    ("chain.consensus_params", &[]),
    ("chain.validators", &["height"]),
    ("chain.unconfirmed_txs", &["limit"]),
];
const ADMIN: &[(&str, &[&str])] = &[
    ("admin.version", &[]),
    ("admin.status", &[]),
    ("admin.peers", &[]),
    ("admin.val_promote", &["leader", "term"]),
];
const RPC: &[(&str, &[&str])] = &[("rpc.health", &[]), ("rpc.discover", &[])];

/// A method's name as the log may show it: only what is served, never what somebody wrote.
pub(super) fn known(method: &str) -> &'static str {
    let mut all = [USER, CHAIN, ADMIN, RPC].into_iter().flatten();
    all.find(|(name, _)| *name == method)
        .map_or("unknown", |(name, _)| name)
}

/// The document of one listener.
pub(super) fn document(clients: bool, offer: &Offer) -> Json {
    let served: &[&[(&str, &[&str])]] = match (clients, offer.chain) {
        (true, true) => &[USER, CHAIN, RPC],
        (true, false) => &[USER, RPC],
        (false, _) => &[ADMIN, &RPC[1..]],
    };
    let methods = served.iter().copied().flatten().map(|(name, params)| {
        let param = |name: &&str| json!({ "name": name, "required": false, "schema": {} });
        json!({
            "name": name,
            "params": params.iter().map(param).collect::<Vec<_>>(),
            "paramStructure": "by-name",
            "result": { "name": "result", "schema": {} },
        })
    });
    json!({
        "openrpc": "1.2.4",
        "info": { "title": "assay node", "version": offer.info.version },
        "methods": methods.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rpc::{ChainMethod, Failure, Method};
    use crate::server::admin::AdminMethod;

    #[test]
    fn every_method_of_the_document_is_served() {
        let null = json!(null);
        for (name, _) in USER {
            assert_ne!(Method::parse(name, &null), Err(Failure::UnknownMethod));
        }
        let chain: Vec<_> = CHAIN.iter().map(|(name, _)| *name).collect();
        assert_eq!(chain, ChainMethod::NAMES);
        for (name, _) in ADMIN {
            assert_ne!(AdminMethod::parse(name, &null), Err(Failure::UnknownMethod));
        }
        assert_eq!(USER.len(), 21);
        assert_eq!(
            (known("user.call"), known("user.Call")),
            ("user.call", "unknown")
        );
    }
}
