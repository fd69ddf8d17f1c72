//! Signed transactions, as idOS users sign them.

use std::fmt;
use std::sync::Arc;

use super::action::Batch;
use crate::crypto::{Identity, SigningKey, Suite};
use crate::id::{Text, TxId};
use crate::wire::{self, TransactionBody};

/// Namespace every action lives in.
pub const NAMESPACE: &str = "main";

/// What a signer decides about a transaction.
#[derive(Clone, Debug)]
pub struct Unsigned {
    /// One more than the sender's last used nonce.
    pub nonce: u64,
    /// The network it is meant for.
    pub chain_id: Text,
    /// What it does.
    pub batch: Batch,
}

/// A signed transaction. Immutable: id, text and size are worked out once.
pub struct Transaction {
    /// Who signed, or claims to have.
    pub sender: Identity,
    /// See [`Unsigned::nonce`].
    pub nonce: u64,
    /// The network it is meant for; may be empty, which some nodes accept.
    pub chain_id: Text,
    /// What it does.
    pub batch: Batch,
    /// The sender's signature over [`Transaction::text`].
    pub signature: Vec<u8>,
    /// SHA-256 of the transaction's bytes. Two signatures for one intent give two ids.
    pub id: TxId,
    text: String,
    payload_bytes: usize,
}

impl Transaction {
    /// Signs with the key.
    pub fn sign(suite: &dyn Suite, key: &SigningKey, unsigned: Unsigned) -> Arc<Transaction> {
        Transaction::assemble(suite.identity(key), unsigned, |text| {
            suite.sign(key, text.as_bytes())
        })
    }

    /// Puts a transaction together with whatever signature is given, right or wrong.
    pub fn assemble(
        sender: Identity,
        unsigned: Unsigned,
        sign: impl FnOnce(&str) -> Vec<u8>,
    ) -> Arc<Transaction> {
        let Unsigned {
            nonce,
            chain_id,
            batch,
        } = unsigned;
        let calls: Vec<_> = batch.calls().iter().map(|call| call.arguments()).collect();
        let payload = wire::execute_payload(NAMESPACE, batch.name(), &calls);
        let body = TransactionBody {
            description: batch.name(),
            payload: &payload,
            payload_type: "execute",
            fee: "0",
            nonce,
            chain_id: &chain_id,
        };
        let text = body.text();
        let signature = sign(&text);
        let kind = wire::signature_type(sender.scheme());
        let id = wire::transaction_id(&body, sender.bytes(), &signature, kind);
        let payload_bytes = payload.len();
        Arc::new(Transaction {
            sender,
            nonce,
            chain_id,
            batch,
            signature,
            id,
            text,
            payload_bytes,
        })
    }

    /// Whether the sender's key made the signature.
    pub fn verify(&self, suite: &dyn Suite) -> bool {
        suite.verify(&self.sender, self.text.as_bytes(), &self.signature)
    }

    /// The text the sender signs; a wallet shows it. Source: idos-facts 4.2.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Size of the payload in bytes, for the limits of mempool and block.
    pub fn payload_bytes(&self) -> usize {
        self.payload_bytes
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} #{} of {:?} ({:?})",
            self.batch.name(),
            self.nonce,
            self.sender,
            self.id
        )
    }
}
