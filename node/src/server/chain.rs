//! The `chain` service. A halted node still shows its blocks: they are the evidence. Source: kwil-rpc 2.2.

use assay_model::id::{Height, TxId};
use assay_model::node::{Node, TxStatus};

use super::{Desk, answered};
use crate::rpc::{
    At, BlockResult, ChainBlock, ChainMethod, ChainTx, ConsensusParams, GenesisInfo, Id, Response,
    RpcError, Unconfirmed, Validators,
};
use crate::shell::Gone;

impl Desk {
    pub(super) async fn chain(&self, id: &Id, method: ChainMethod) -> Result<Response, Gone> {
        let handle = &self.handle;
        Ok(match method {
            ChainMethod::Version => Response::result(id, &self.version("chain")),
            ChainMethod::Health => {
                let health = self.overall_health().await?;
                Response::result(id, &health["services"]["chain"])
            }
            ChainMethod::Block { at, raw } => {
                answered(id, handle.look(move |node| block(node, at, raw)).await?)
            }
            ChainMethod::BlockResult { at } => {
                answered(id, handle.look(move |node| block_result(node, at)).await?)
            }
            ChainMethod::Tx { hash } => {
                answered(id, handle.look(move |node| tx(node, &hash)).await?)
            }
            ChainMethod::Genesis => {
                Response::result(id, &GenesisInfo::new(&self.offer.info.genesis))
            }
            ChainMethod::ConsensusParams => {
                let params = |node: &Node| {
                    let leader = node.genesis().nodes.get(node.leader().index());
                    ConsensusParams::new(&node.state().parameters(), leader)
                };
                Response::result(id, &handle.look(params).await?)
            }
            ChainMethod::Validators { at } => {
                let validators = move |node: &Node| {
                    let height = height(node, at)?;
                    Ok(Validators::new(height, node.validators_at(height)))
                };
                answered(id, handle.look(validators).await?)
            }
            ChainMethod::UnconfirmedTxs { limit } => {
                let waiting = move |node: &Node| Unconfirmed::new(node.pending(), limit);
                Response::result(id, &handle.look(waiting).await?)
            }
        })
    }
}

/// Which height is meant; an error when there is no such block.
fn height(node: &Node, at: At) -> Result<Height, RpcError> {
    let missing = || RpcError::new(-204, "block not found");
    match at {
        At::Tip => Ok(node.height()),
        At::Height(height) if height <= node.height() => Ok(height),
        At::Height(_) => Err(missing()),
        At::Block(id) => (1..=node.height().0)
            .rev()
            .map(Height)
            .find(|height| {
                node.committed(*height)
                    .is_some_and(|one| one.block.id == id)
            })
            .ok_or_else(missing),
    }
}

fn block(node: &Node, at: At, raw: bool) -> Result<ChainBlock, RpcError> {
    let committed = node.committed(height(node, at)?);
    committed
        .map(|committed| ChainBlock::new(node.genesis(), committed, raw))
        .ok_or_else(|| RpcError::new(-204, "block not found"))
}

fn block_result(node: &Node, at: At) -> Result<BlockResult, RpcError> {
    let height = height(node, at)?;
    let outcomes = node.outcomes(height);
    node.committed(height)
        .map(|committed| BlockResult::new(committed, &outcomes))
        .ok_or_else(|| RpcError::new(-204, "block not found"))
}

fn tx(node: &Node, hash: &TxId) -> Result<ChainTx, RpcError> {
    let transaction = node.transaction(hash);
    let transaction = transaction.ok_or_else(|| RpcError::new(-202, "transaction not found"))?;
    let included = match node.status(hash) {
        TxStatus::Included { height, outcome } => node.committed(height).and_then(|committed| {
            let mut transactions = committed.block.transactions.iter();
            let place = transactions.position(|one| one.id == *hash)?;
            Some((height, place, outcome))
        }),
        TxStatus::Pending | TxStatus::Unknown => None,
    };
    Ok(ChainTx::new(transaction, included))
}
