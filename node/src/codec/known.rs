//! Transactions that were read lately. Each comes by three times, as gossip, in a proposal and in an
//! announcement, and is understood and held once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use assay_model::id::TxId;
use assay_model::ledger::Transaction;
use assay_model::wire::SignedTransaction;
use sha2::{Digest, Sha256};

use super::Problem;
use crate::rpc::to_ledger;

/// Most transactions remembered.
const TRANSACTIONS: usize = 4_096;
/// Most bytes of payload remembered.
const BYTES: usize = 16 << 20;

/// See the module. It may be shared; what is read does not depend on what is remembered.
#[derive(Default)]
pub struct Known(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    by_id: BTreeMap<TxId, Arc<Transaction>>,
    oldest_first: VecDeque<TxId>,
    bytes: usize,
}

impl Known {
    /// The transaction these bytes are.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<Arc<Transaction>, Problem> {
        // The id is the hash of the bytes, unless they were not written the usual way; then it is found
        // out below.
        let id = TxId(Sha256::digest(bytes).into());
        if let Some(transaction) = self.lock().by_id.get(&id) {
            return Ok(transaction.clone());
        }
        let sent = SignedTransaction::decode(bytes).map_err(Problem::Transaction)?;
        let transaction = to_ledger(sent).map_err(Problem::Unusable)?;
        self.lock().remember(&transaction);
        Ok(transaction)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn remember(&mut self, transaction: &Arc<Transaction>) {
        let id = transaction.id;
        if self.by_id.insert(id, transaction.clone()).is_some() {
            return;
        }
        self.oldest_first.push_back(id);
        self.bytes += transaction.payload_bytes();
        while self.oldest_first.len() > TRANSACTIONS || self.bytes > BYTES {
            let Some(oldest) = self.oldest_first.pop_front() else {
                return;
            };
            if let Some(gone) = self.by_id.remove(&oldest) {
                self.bytes -= gone.payload_bytes();
            }
        }
    }
}
