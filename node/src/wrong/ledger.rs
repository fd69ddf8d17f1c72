//! States a node could have and should not, made from its blocks.

use std::sync::Arc;

use assay_model::bridge::Hash;
use assay_model::crypto::Suite;
use assay_model::id::Height;
use assay_model::ledger::{
    AccessGrant, Action, Answer, Call, Env, Outcome, Query, Refusal, State, Tables, run_block, view,
};
use assay_model::node::Node;
use assay_model::time::BlockTime;

fn env<'n>(node: &'n Node, suite: &'n Arc<dyn Suite>) -> Env<'n> {
    let genesis = node.genesis();
    Env {
        suite: &**suite,
        rules: genesis.rules,
        chain_id: &genesis.chain_id,
        db_owner: &genesis.db_owner,
    }
}

/// What a view of another state answers.
pub(super) fn answer(
    node: &Node,
    suite: &Arc<dyn Suite>,
    state: &State,
    caller: &str,
    query: &Query,
) -> Result<Answer, Refusal> {
    let last = node.committed(node.height());
    let time = match last {
        Some(last) if !node.is_syncing() => last.block.block_time(),
        _ => BlockTime(-1),
    };
    let call = Call {
        env: env(node, suite),
        caller,
        time,
        height: node.height(),
    };
    view(state, call, query)
}

/// Runs the node's blocks again up to a height; what `mend` does to the state after each transaction is
/// told what the tables were before it.
fn again(
    node: &Node,
    suite: &Arc<dyn Suite>,
    until: Height,
    mend: impl Fn(&Tables, &mut State),
) -> State {
    let mut state = node.genesis().state();
    for height in (1..=until.0).map(Height) {
        let Some(committed) = node.committed(height) else {
            break;
        };
        let block = &committed.block;
        let previous = Height(height.0 - 1);
        let before = node.committed(previous).map(|last| last.block.block_time());
        let before = before.unwrap_or(block.block_time());
        let at = block.at(node.genesis().rules, before, &node.genesis().nodes);
        let mut tables = state.tables().clone();
        run_block(
            &mut state,
            env(node, suite),
            at,
            (Hash(block.id.0), &block.transactions),
            |state, _| {
                mend(&tables, state);
                tables = state.tables().clone();
            },
        );
        state.seal();
    }
    state
}

/// The state with every credential and grant that was ever there.
pub(super) fn with_removed_rows(node: &Node, suite: &Arc<dyn Suite>) -> State {
    again(node, suite, node.height(), |before, state| {
        for (id, row) in &before.credentials {
            if !state.tables().credentials.contains_key(id) {
                state.put(*id, (**row).clone());
            }
        }
        for (id, row) in &before.access_grants {
            if !state.tables().access_grants.contains_key(id) {
                state.put(*id, (**row).clone());
            }
        }
    })
}

/// The state before the last block that holds a transaction.
pub(super) fn before_the_last_change(node: &Node, suite: &Arc<dyn Suite>) -> State {
    let changes = |height: &u64| {
        let committed = node.committed(Height(*height));
        committed.is_some_and(|committed| !committed.block.transactions.is_empty())
    };
    let last = (1..=node.height().0).rev().find(changes).unwrap_or(1);
    again(node, suite, Height(last - 1), |_, _| {})
}

/// The state as if nobody had ever shared anything.
pub(super) fn without_grants(node: &Node) -> State {
    let mut state = node.state().clone();
    let grants: Vec<_> = state.tables().access_grants.keys().copied().collect();
    for id in grants {
        state.delete::<AccessGrant>(&id);
    }
    state
}

/// The state as if grants had ended whose revocation was refused.
pub(super) fn without_locked_grants(node: &Node) -> State {
    let mut state = node.state().clone();
    for height in (1..=node.height().0).map(Height) {
        let Some(committed) = node.committed(height) else {
            break;
        };
        let outcomes = node.outcomes(height);
        for (transaction, outcome) in committed.block.transactions.iter().zip(outcomes) {
            if !matches!(outcome, Outcome::Refused(Refusal::GrantLocked { .. })) {
                continue;
            }
            for action in transaction.payload.calls() {
                if let Action::RevokeAccessGrant { id } = action {
                    state.delete::<AccessGrant>(id);
                }
            }
        }
    }
    state
}
