//! The `admin` service, on a listener of its own. Source: kwil-rpc 2.2 and 7.

use assay_model::id::NodeId;
use assay_model::node::Node;
use serde_json::{Value as Json, json};

use super::{Desk, answered};
use crate::rpc::{Failure, Id, Response, RpcError};
use crate::shell::{Appointment, Gone};

/// One request of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdminMethod {
    Version,
    Status,
    Peers,
    /// Follow another leader from now on. Terms count the leaders.
    Promote {
        leader: NodeId,
        term: u32,
    },
}

impl AdminMethod {
    pub(super) fn parse(name: &str, params: &Json) -> Result<AdminMethod, Failure> {
        let params = match params {
            Json::Null | Json::Object(_) => params,
            _ => return Err(Failure::Params("params must be an object".to_owned())),
        };
        match name {
            "admin.version" => Ok(AdminMethod::Version),
            "admin.status" => Ok(AdminMethod::Status),
            "admin.peers" => Ok(AdminMethod::Peers),
            "admin.val_promote" => {
                let leader = params.get("leader").and_then(Json::as_str).and_then(node);
                let term = params.get("term").and_then(Json::as_u64);
                let term = term.and_then(|term| u32::try_from(term).ok());
                let missing = |what: &str| Failure::Params(format!("val_promote needs {what}"));
                Ok(AdminMethod::Promote {
                    leader: leader.ok_or_else(|| missing("a leader such as \"n2\""))?,
                    term: term.ok_or_else(|| missing("a term, counted from 1"))?,
                })
            }
            _ => Err(Failure::UnknownMethod),
        }
    }
}

/// `n1` is the first node.
fn node(name: &str) -> Option<NodeId> {
    let place: u16 = name.strip_prefix('n')?.parse().ok()?;
    let node = NodeId(place.checked_sub(1)?);
    (node.to_string() == name).then_some(node)
}

impl Desk {
    pub(super) async fn admin(&self, id: &Id, method: AdminMethod) -> Result<Response, Gone> {
        Ok(match method {
            AdminMethod::Version => Response::result(id, &self.version("admin")),
            AdminMethod::Status => Response::result(id, &self.handle.look(status).await?),
            AdminMethod::Peers => {
                let heard = *self.offer.info.peers_heard.borrow();
                Response::result(id, &json!({ "peers": self.peers(), "heard": heard }))
            }
            AdminMethod::Promote { leader, term } => {
                let appointment = self.handle.appoint(term, leader).await?;
                answered(id, promoted(appointment))
            }
        })
    }

    fn peers(&self) -> Vec<Json> {
        let info = &self.offer.info;
        let peers = info.genesis.peers(info.id);
        peers
            .map(|peer| {
                let key = info.genesis.nodes[peer.index()].bytes();
                json!({ "id": peer.to_string(), "pubkey": hex::encode(key) })
            })
            .collect()
    }
}

fn promoted(appointment: Appointment) -> Result<Json, RpcError> {
    match appointment {
        Appointment::Taken => Ok(json!({})),
        Appointment::Stale { term } => {
            let told = format!("the node is in term {term} already");
            Err(RpcError::new(-800, told))
        }
        Appointment::Stranger => Err(RpcError::new(-801, "the network has no such validator")),
        Appointment::Halted => Err(crate::rpc::halted()),
    }
}

fn status(node: &Node) -> Json {
    json!({
        "node": {
            "id": node.id().to_string(),
            "chain_id": node.genesis().chain_id,
            "halted": node.halted().map(|why| why.to_string()),
        },
        "sync": {
            "app_hash": node.app_hash(),
            "best_block_height": node.height(),
            "syncing": node.is_syncing(),
        },
        "validator": {
            "term": node.term(),
            "leader": node.leader().to_string(),
        },
    })
}
