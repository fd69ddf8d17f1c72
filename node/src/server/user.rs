//! The `user` service and the health paths. Source: kwil-rpc 2.1, 3, 6 and 8.

use std::net::IpAddr;

use assay_model::node::{Node, Reply, Request, TxStatus};
use assay_model::rules::Switch;
use assay_model::time::WallMillis;
use serde_json::{Value as Json, json};

use super::{Desk, answered};
use crate::rpc::{
    Account, AccountId, Broadcast, CallMessage, ChainInfo, Challenge, Health, Id, Method, Mode,
    Ping, Price, Response, RpcError, TxResult, Version, behind, broadcast_error, broadcast_halted,
    claim_refused, halted, rejected, timed_out, to_ledger, tx_status, view_result,
};
use crate::shell::Gone;

/// The interface's version. Source: kwil-rpc 2.1.
const API: (u32, u32, u32) = (0, 2, 0);

/// What a node's health hangs on.
struct Pulse {
    halted: bool,
    health: Health,
}

impl Desk {
    pub(super) async fn user(
        &self,
        id: &Id,
        method: Method,
        client: Option<IpAddr>,
    ) -> Result<Response, Gone> {
        Ok(match method {
            Method::Version => Response::result(id, &self.version("user")),
            Method::Health => {
                let Pulse { halted: no, health } = self.pulse().await?;
                answered(id, if no { Err(halted()) } else { Ok(health) })
            }
            Method::Ping { .. } => Response::result(id, &Ping::default()),
            Method::ChainInfo => answered(id, self.look(chain_info).await?),
            Method::Account { id: who, pending } => answered(id, self.account(who, pending).await?),
            Method::NumAccounts => {
                let count =
                    |node: &Node| json!({ "count": node.accounts(), "height": node.height() });
                answered(id, self.look(count).await?)
            }
            Method::Broadcast { tx, wait } => answered(id, self.broadcast(*tx, wait).await?),
            Method::Call(call) => answered(id, self.call(call).await?),
            Method::Query { .. } if self.mode == Mode::Private => {
                let told =
                    "query is prohibited when authenticated calls are enforced (private mode)";
                Response::error(id, RpcError::new(-1_007, told))
            }
            Method::Query { .. } => Response::error(id, no_sql()),
            Method::AuthenticatedQuery {
                challenge,
                sender,
                signature,
                ..
            } => {
                let error = self.authenticated_query(challenge, sender, signature);
                Response::error(id, error)
            }
            Method::EstimatePrice { .. } => {
                let price = "0".to_owned();
                Response::result(id, &Price { price })
            }
            Method::TxQuery { hash } => {
                let found = move |node: &Node| {
                    let transaction = node.transaction(&hash);
                    let sent = transaction.map(|transaction| transaction.sent().clone());
                    // What was invalid in its block is nowhere to be found.
                    let status = match &sent {
                        Some(_) => node.status(&hash),
                        None => TxStatus::Unknown,
                    };
                    (status, sent)
                };
                let found = self.look(found).await?;
                answered(
                    id,
                    found.and_then(|(status, sent)| tx_status(hash, status, sent)),
                )
            }
            Method::Challenge => answered(id, self.challenge(client).await?),
            Method::ListMigrations => Response::result(id, &json!({ "migrations": [] })),
            Method::MigrationStatus => Response::result(id, &json!({ "status": no_migration() })),
            Method::MigrationMetadata => {
                let metadata = json!({ "migration_state": no_migration() });
                Response::result(id, &json!({ "metadata": metadata }))
            }
            Method::MigrationGenesisChunk { .. }
            | Method::Changeset { .. }
            | Method::ChangesetMetadata { .. } => {
                Response::error(id, RpcError::new(-700, "no migration is active"))
            }
            Method::ListUpdateProposals => Response::result(id, &json!({ "proposals": [] })),
            Method::UpdateProposalStatus { .. } => {
                Response::error(id, RpcError::new(-700, "there is no such proposal"))
            }
        })
    }

    pub(super) fn version(&self, service: &str) -> Version {
        let (major, minor, patch) = API;
        Version {
            service: service.to_owned(),
            api_ver: format!("{major}.{minor}.{patch}"),
            major,
            minor,
            patch,
            kwil_ver: self.offer.info.version.to_owned(),
        }
    }

    /// What a look shows; an error when the node has halted and shows clients nothing.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Node) -> T + Send + 'static,
    ) -> Result<Result<T, RpcError>, Gone> {
        self.handle
            .look(move |node| match node.halted() {
                Some(_) => Err(halted()),
                None => Ok(look(node)),
            })
            .await
    }

    async fn account(
        &self,
        who: AccountId,
        pending: bool,
    ) -> Result<Result<Account, RpcError>, Gone> {
        let Some(identity) = who.identity() else {
            // A node's own key, or no key at all: nobody here has used it.
            return Ok(Ok(Account::new(who, 0)));
        };
        let nonce = if pending {
            self.look(move |node| node.pending_nonce(&identity)).await?
        } else {
            match self.handle.ask(Request::Account(identity)).await? {
                Reply::Account { nonce } => Ok(nonce),
                other => Err(unexpected(&other)),
            }
        };
        Ok(nonce.map(|nonce| Account::new(who, nonce)))
    }

    async fn broadcast(
        &self,
        sent: assay_model::wire::SignedTransaction,
        wait: bool,
    ) -> Result<Result<Broadcast, RpcError>, Gone> {
        let hash = sent.id();
        let transaction = match to_ledger(sent) {
            Ok(transaction) => transaction,
            Err(unusable) => {
                let (code, told) = (unusable.code(), unusable.to_string());
                return Ok(Err(broadcast_error(hash, code, told)));
            }
        };
        let request = if wait {
            Request::Broadcast(transaction.clone())
        } else {
            Request::Submit(transaction.clone())
        };
        let tx_hash = hash;
        Ok(match self.handle.ask(request).await? {
            Reply::Included { outcome, .. } => Ok(Broadcast {
                tx_hash,
                result: Some(TxResult::new(outcome, Some(transaction.sent()))),
            }),
            Reply::Submitted => Ok(Broadcast {
                tx_hash,
                result: None,
            }),
            Reply::Rejected(why) => Err(rejected(transaction.sent(), why)),
            Reply::TimedOut => Err(timed_out(hash)),
            Reply::Halted => Err(broadcast_halted(hash)),
            other => Err(unexpected(&other)),
        })
    }

    async fn call(
        &self,
        call: CallMessage,
    ) -> Result<Result<crate::rpc::CallResult, RpcError>, Gone> {
        let (claim, query) = match call.read(self.mode) {
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        };
        let request = Request::View {
            claim,
            query: query.clone(),
        };
        Ok(match self.handle.ask(request).await? {
            Reply::View { height, result } => {
                let told = self.offer.info.genesis.rules.keep(Switch::FreshAnswers);
                view_result(&query, &result).map(|result| crate::rpc::CallResult {
                    height: told.then_some(height.0),
                    ..result
                })
            }
            Reply::Behind => Err(behind()),
            Reply::ClaimRefused(problem) => Err(claim_refused(problem)),
            other => Err(unexpected(&other)),
        })
    }

    async fn challenge(&self, client: Option<IpAddr>) -> Result<Result<Challenge, RpcError>, Gone> {
        if !self.challenges.take(client, self.handle.clock().running()) {
            let told = "too many challenge requests, try again later";
            return Ok(Err(RpcError::new(-1_006, told)));
        }
        Ok(match self.handle.ask(Request::Challenge).await? {
            Reply::Challenge(challenge) => Ok(Challenge { challenge }),
            other => Err(unexpected(&other)),
        })
    }

    /// There is no SQL to run, so that only the form of the claim is looked at before that is said.
    fn authenticated_query(
        &self,
        challenge: Vec<u8>,
        sender: Vec<u8>,
        signature: Vec<u8>,
    ) -> RpcError {
        if self.mode == Mode::Open {
            let told = "authenticated queries are for private mode only";
            return RpcError::new(-1_008, told);
        }
        if sender.is_empty() || signature.is_empty() {
            return claim_refused(assay_model::node::ClaimProblem::Unsigned);
        }
        if challenge.len() != 32 {
            return RpcError::new(-1_002, "incorrect challenge data length");
        }
        no_sql()
    }

    /// The node's health, halted or not.
    async fn pulse(&self) -> Result<Pulse, Gone> {
        let now = self.handle.clock().wall();
        let mode = self.mode;
        let info = self.offer.info.clone();
        let peer_count = *self.offer.info.peers_heard.borrow() as u32;
        self.handle
            .look(move |node| {
                let mut pulse = pulse(node, now);
                pulse.health.version = info.version.to_owned();
                pulse.health.mode = mode.name().to_owned();
                pulse.health.peer_count = peer_count;
                pulse.health.clock = info.clock_is_hooked.then(|| "hooked".to_owned());
                pulse
            })
            .await
    }

    /// `/api/v1/health` with what comes behind it.
    pub(super) async fn health_path(&self, service: &str) -> Result<Response, Gone> {
        let Pulse { health, .. } = self.pulse().await?;
        let status = if health.healthy { 200 } else { 503 };
        Ok(match service {
            "" | "/" => Response::plain(status, &self.overall(&health)),
            "/user" => Response::plain(status, &health),
            "/chain" if self.offer.chain => Response::plain(status, &chain_health(&health)),
            _ => Response::text(404, "404 page not found"),
        })
    }

    pub(super) async fn overall_health(&self) -> Result<Json, Gone> {
        let Pulse { health, .. } = self.pulse().await?;
        Ok(self.overall(&health))
    }

    fn overall(&self, health: &Health) -> Json {
        let mut services = json!({ "user": health });
        if self.offer.chain {
            services["chain"] = chain_health(health);
        }
        json!({ "kwil_alive": true, "healthy": health.healthy, "services": services })
    }
}

fn chain_health(health: &Health) -> Json {
    let Health {
        chain_id,
        block_height: height,
        healthy,
        ..
    } = health;
    json!({ "chain_id": chain_id, "height": height, "healthy": healthy })
}

fn pulse(node: &Node, now: WallMillis) -> Pulse {
    let genesis = node.genesis();
    let block = node.committed(node.height()).map(|last| &last.block);
    let time = block.map_or(genesis.time, |block| block.time);
    let age = now.0 as i64 - time.0 as i64;
    let patience = genesis.timing.propose.max(genesis.timing.empty_block);
    let halted = node.halted().is_some();
    // Source: kwil-rpc 8.
    let fresh = age < 6 * patience as i64;
    let height = node.height().0 as i64;
    let health = Health {
        chain_id: genesis.chain_id.to_string(),
        block_height: height,
        block_hash: block.map_or([0; 32], |block| block.id.0),
        healthy: !halted && !node.is_syncing() && fresh,
        block_time: time.0 as i64,
        block_age: age,
        syncing: node.is_syncing(),
        height,
        app_hash: node.app_hash().0,
        ..Health::default()
    };
    Pulse { halted, health }
}

fn chain_info(node: &Node) -> ChainInfo {
    let block = node.committed(node.height()).map(|last| &last.block);
    ChainInfo {
        chain_id: node.genesis().chain_id.to_string(),
        block_height: node.height().0,
        block_hash: block.map_or([0; 32], |block| block.id.0),
        gas: false,
    }
}

fn no_migration() -> Json {
    json!({ "status": "NoActiveMigration", "start_height": 0, "end_height": 0 })
}

/// This node has the actions of the idOS schema and no database behind them.
fn no_sql() -> RpcError {
    RpcError::new(-300, "this node runs actions, but no SQL")
}

/// A halted node, or an answer that does not belong to the question.
fn unexpected(reply: &Reply) -> RpcError {
    match reply {
        Reply::Halted => halted(),
        _ => RpcError::new(-32_603, "internal error"),
    }
}
