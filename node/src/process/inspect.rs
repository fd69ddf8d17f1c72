//! What a node that does not run has on its disk.

use std::path::Path;
use std::sync::Arc;

use assay_model::id::CredentialId;
use assay_model::ledger::{AccessGrant, Credential};
use assay_model::node::{Node, Outbox};
use serde::Serialize;
use serde_json::{Value, json};

use super::conduct::Conduct;
use super::{Home, ProcessError};
use crate::genesis::FileError;
use crate::runtime::Store;
use crate::store::DATA_FILE;

/// Restores the node of a directory from its disk and shows height, app hash, the digest of its tables, and every
/// row. Nothing is sent, and nothing is added to the disk.
pub fn inspect(home: &Path) -> Result<Value, ProcessError> {
    inspect_with(home, &Conduct::default())
}

/// The same for a node that is wrong in one way.
#[cfg(feature = "known-bad")]
pub fn inspect_wrong(home: &Path, wrong: crate::wrong::Wrong) -> Result<Value, ProcessError> {
    inspect_with(home, &Conduct::of(wrong))
}

fn inspect_with(home: &Path, conduct: &Conduct) -> Result<Value, ProcessError> {
    let suite = conduct.suite();
    let home = conduct.home(Home::read(home, &*suite)?);
    let file = home.path.join(DATA_FILE);
    if !file.is_file() {
        return Err(FileError::new(&file, "there is no data; the node has never run").into());
    }
    let records = home.open()?.load()?;
    let mut out = Outbox::default();
    let (id, genesis) = (home.id, home.genesis);
    let node = Node::restore(
        id,
        genesis.clone(),
        suite.clone(),
        home.key,
        &records,
        &mut out,
    );
    let state = conduct.stored(&node, &suite);
    let tables = state.tables();
    Ok(json!({
        "schema": "assay.inspect/1",
        "node": id.to_string(),
        "chain_id": &*genesis.chain_id,
        "height": node.height().0,
        "oldest": node.oldest().0,
        "app_hash": node.app_hash().to_string(),
        "tables": state.digest().to_string(),
        "halted": node.halted().map(|why| why.to_string()),
        "term": node.term(),
        "leader": node.leader().to_string(),
        "users": rows(&tables.users, |id, row| (json!(id), json!(row))),
        "reserved_users": rows(&tables.reserved_users, |id, row| (json!(id), json!({ "user": row }))),
        "wallets": rows(&tables.wallets, |id, row| (json!(id), json!(row))),
        "credentials": rows(&tables.credentials, |id, row| (json!(id), credential(row))),
        "shared_credentials": tables
            .copy_links
            .keys()
            .map(|link| copy_link(*link))
            .collect::<Vec<_>>(),
        "retained_notes": rows(&tables.retained_notes, |id, row| (json!(id), json!(row))),
        "status_statements": rows(&tables.status_statements, |id, row| {
            (json!(id), json!({ "public_notes": row }))
        }),
        "grants": rows(&tables.access_grants, |id, row| (json!(id), grant(row))),
        "consumed_write_grants": rows(&tables.consumed_write_grants, |id, row| (json!(id), json!(row))),
        "inserters": rows(&tables.inserters, |id, row| (json!(id), json!({ "name": row }))),
        "delegates": rows(&tables.delegates, |address, row| {
            (json!(address), json!({ "inserter_id": row }))
        }),
        "accounts": rows(&tables.accounts, |identity, row| {
            (json!(identity.caller()), json!({ "nonce": row }))
        }),
    }))
}

/// Rows as objects that begin with their key, in the order of their keys.
fn rows<'a, K: 'a, R: 'a>(
    table: impl IntoIterator<Item = (&'a K, &'a Arc<R>)>,
    shown: impl Fn(&K, &R) -> (Value, Value),
) -> Vec<Value> {
    let row = |(key, row): (&K, &Arc<R>)| {
        let (id, mut object) = shown(key, row);
        if let Value::Object(members) = &mut object {
            members.insert("id".to_owned(), id);
        }
        object
    };
    table.into_iter().map(row).collect()
}

fn copy_link((original, copy): (CredentialId, CredentialId)) -> Value {
    json!({ "original_id": original, "copy_id": copy })
}

/// With the content as it is stored, where its own form is a digest.
fn credential(row: &Credential) -> Value {
    let mut object = plain(row);
    object["content"] = json!(&**row.content.text());
    object
}

fn grant(row: &AccessGrant) -> Value {
    let mut object = plain(row);
    object["height"] = json!(row.height.0);
    object
}

fn plain(row: &impl Serialize) -> Value {
    serde_json::to_value(row).expect("rows have text keys only")
}
