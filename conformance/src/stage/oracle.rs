//! What nodes ought to answer: the ledger, run over the blocks that nodes say they have committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_model::bridge::Hash;
use assay_model::crypto::{Identity, Suite};
use assay_model::history::Cast;
use assay_model::id::{CredentialId, Height, NodeId, Text};
use assay_model::ledger::{
    Answer, Call, Content, Env, Outcome, Query, Refusal, State, Transaction, endow, run_block,
    usual_parameters, view,
};
use assay_model::node::Committed;
use assay_model::rules::Rules;
use assay_model::time::BlockTime;
use assay_node::rpc;

use super::network::Rows;
use super::search::Deleted;

/// The state after a block, and what its transactions ought to have come to.
struct Sheet {
    block: Option<Arc<Committed>>,
    state: State,
    outcomes: Vec<Outcome>,
}

/// See the module.
pub(super) struct Oracle {
    suite: Arc<dyn Suite>,
    rules: Rules,
    chain_id: Text,
    db_owner: Text,
    owner: Identity,
    nodes: Vec<Identity>,
    /// By height; the first is the state before any block.
    sheets: Vec<Sheet>,
}

impl Oracle {
    pub(super) fn new(cast: &Cast, suite: Arc<dyn Suite>) -> Oracle {
        Oracle {
            suite,
            rules: cast.rules,
            chain_id: cast.chain_id.clone(),
            db_owner: cast.parties[0].identities[0].caller().into(),
            owner: cast.parties[0].identities[0],
            nodes: cast.keys.clone(),
            sheets: vec![Sheet {
                block: None,
                state: beginning(cast),
                outcomes: Vec::new(),
            }],
        }
    }

    /// Public keys of the nodes, by place, as far as they are known.
    pub(super) fn keys(&self) -> Vec<Vec<u8>> {
        let keys = self.nodes.iter();
        keys.map(|identity| identity.bytes().to_vec()).collect()
    }

    /// Height of the last block it has run.
    pub(super) fn height(&self) -> Height {
        Height(self.sheets.len() as u64 - 1)
    }

    fn env(&self) -> Env<'_> {
        Env {
            suite: &*self.suite,
            rules: self.rules,
            chain_id: &self.chain_id,
            db_owner: &self.db_owner,
        }
    }

    /// Takes a block that follows the last one; the first that any node shows at a height counts. Returns whom
    /// it makes leader, if anybody.
    pub(super) fn learn(&mut self, committed: &Arc<Committed>) -> Option<NodeId> {
        let block = &committed.block;
        if block.height != self.height().next() {
            return None;
        }
        let last = self
            .sheets
            .last()
            .expect("there is a state before any block");
        let mut state = last.state.clone();
        let before = last.block.as_ref().map(|last| last.block.block_time());
        let before = before.unwrap_or(block.block_time());
        let at = block.at(self.rules, before, &self.nodes);
        let mut outcomes = Vec::with_capacity(block.transactions.len());
        let leader = run_block(
            &mut state,
            self.env(),
            at,
            (Hash(block.id.0), &block.transactions),
            |_, ran| outcomes.extend(ran.map(|(_, outcome)| outcome)),
        );
        state.seal();
        self.sheets.push(Sheet {
            block: Some(committed.clone()),
            state,
            outcomes,
        });
        let place = self.nodes.iter().position(|node| Some(*node) == leader)?;
        u16::try_from(place).ok().map(NodeId)
    }

    /// What the transactions of a block ought to have come to; nothing for a block that is not the one it
    /// has run at that height.
    pub(super) fn outcomes(&self, committed: &Committed) -> Option<&[Outcome]> {
        let sheet = self.sheets.get(committed.block.height.0 as usize)?;
        let known = sheet.block.as_ref()?;
        (known.block.id == committed.block.id).then_some(&sheet.outcomes)
    }

    /// The last nonce the database owner has used.
    pub(super) fn owners_nonce(&self) -> u64 {
        let last = self
            .sheets
            .last()
            .expect("there is a state before any block");
        let account = last.state.tables().accounts.get(&self.owner);
        account.map_or(0, |account| account.0)
    }

    /// Adds every row that was there after a block between two heights and not after the first of them.
    pub(super) fn rows_made(&self, (from, to): (Height, Height), rows: &mut Rows) {
        let before = self.sheets[from.0 as usize].state.tables();
        for sheet in &self.sheets[from.0 as usize + 1..=to.0 as usize] {
            let tables = sheet.state.tables();
            let credentials = tables.credentials.keys().copied();
            rows.credentials
                .extend(credentials.filter(|id| !before.credentials.contains_key(id)));
            let grants = tables.access_grants.keys().copied();
            rows.grants
                .extend(grants.filter(|id| !before.access_grants.contains_key(id)));
            let users = tables.users.keys().copied();
            rows.users
                .extend(users.filter(|id| !before.users.contains_key(id)));
        }
    }

    /// Credentials that were stored once and are not any more: from which height on, and what they held.
    pub(super) fn deleted(&self) -> Deleted {
        let mut held: BTreeMap<CredentialId, Vec<Content>> = BTreeMap::new();
        let mut deleted = Deleted::new();
        for (height, sheet) in (0..).map(Height).zip(&self.sheets) {
            let stored = &sheet.state.tables().credentials;
            for (id, row) in stored {
                let contents = held.entry(*id).or_default();
                if contents.last() != Some(&row.content) {
                    contents.push(row.content.clone());
                }
                deleted.remove(id);
            }
            for (id, contents) in held.iter().filter(|(id, _)| !stored.contains_key(id)) {
                let ended = || (height, contents.clone());
                deleted.entry(*id).or_insert_with(ended);
            }
        }
        deleted
    }

    /// Every answer a view could get from a state between two heights, both included, the latest first.
    pub(super) fn views<'o>(
        &'o self,
        (from, to): (Height, Height),
        caller: Option<Identity>,
        query: &'o Query,
    ) -> impl Iterator<Item = (Height, Result<Answer, Refusal>)> + 'o {
        let caller = caller.map(|who| who.caller()).unwrap_or_default();
        let heights = (from.0..=to.0.min(self.height().0)).rev();
        heights.flat_map(move |height| {
            let sheet = &self.sheets[height as usize];
            let block_time = sheet
                .block
                .as_ref()
                .map_or(BlockTime(-1), |known| known.block.block_time());
            // A node that knows itself behind has no time to tell.
            let answers = [block_time, BlockTime(-1)].map(|time| {
                let call = Call {
                    env: self.env(),
                    caller: &caller,
                    time,
                    height: Height(height),
                };
                (Height(height), view(&sheet.state, call, query))
            });
            answers.into_iter()
        })
    }
}

/// The state of a network before its first block. Where nobody knows the nodes' keys, it has no validators:
/// nobody can speak for them either.
fn beginning(cast: &Cast) -> State {
    let nodes = (0..).map(NodeId).zip(&cast.keys);
    let voters = nodes.filter(|(node, _)| !cast.sentries.contains(node));
    let parameters = cast.keys.get(cast.leader.index()).copied();
    let mut state = State::founded(
        voters.map(|(_, identity)| (*identity, 1)),
        parameters.map(usual_parameters).unwrap_or_default(),
    );
    endow(&mut state, &cast.balances);
    state
}

/// What a node told of a transaction's outcome, in the ledger's terms, and whether it is what was expected.
/// What no ledger says counts as a transaction that should not have been in the block.
pub(super) fn outcome(
    expected: Option<Outcome>,
    transaction: &Transaction,
    code: u32,
    log: &str,
) -> (Outcome, bool) {
    if let Some(expected) = expected
        && told(expected, transaction) == format!("{code} {log}")
    {
        return (expected, true);
    }
    let understood = rpc::outcome(code, log).unwrap_or(Outcome::Invalid);
    (understood, expected.is_none())
}

/// An outcome as a node should tell it: code and log.
pub(super) fn told(outcome: Outcome, transaction: &Transaction) -> String {
    let result = rpc::TxResult::new(outcome, Some(transaction.sent()));
    format!("{} {}", result.code, result.log)
}
