//! Signed transactions, as idOS users sign them.

use std::fmt;
use std::sync::Arc;

use super::payload::Payload;
use crate::crypto::{Identity, SigningKey, Suite};
use crate::id::{Text, TxId};
use crate::wire::{self, SignedTransaction};

/// What a signer decides about a transaction.
#[derive(Clone, Debug)]
pub struct Unsigned {
    /// One more than the sender's last used nonce.
    pub nonce: u64,
    /// The network it is meant for.
    pub chain_id: Text,
    /// What it does.
    pub payload: Payload,
}

/// A signed transaction, as it was sent and as the ledger understands it. Immutable: the id and the
/// signed message are worked out once.
pub struct Transaction {
    /// Who signed, or claims to have.
    pub sender: Identity,
    /// See [`Unsigned::nonce`].
    pub nonce: u64,
    /// The network it is meant for; may be empty, which some nodes accept.
    pub chain_id: Text,
    /// What it does.
    pub payload: Payload,
    /// SHA-256 of the transaction's bytes. Two signatures for one intent give two ids.
    pub id: TxId,
    sent: SignedTransaction,
    message: Vec<u8>,
}

impl Transaction {
    /// Signs with the key.
    pub fn sign(suite: &dyn Suite, key: &SigningKey, unsigned: Unsigned) -> Arc<Transaction> {
        Transaction::assemble(suite.identity(key), unsigned, |text| {
            suite.sign(key, text.as_bytes())
        })
    }

    /// Puts a transaction together with whatever signature is given, right or wrong, over the text that
    /// its signer's wallet shows. Source: idos-facts 4.2.
    pub fn assemble(
        sender: Identity,
        unsigned: Unsigned,
        sign: impl FnOnce(&str) -> Vec<u8>,
    ) -> Arc<Transaction> {
        let Unsigned {
            nonce,
            chain_id,
            payload,
        } = unsigned;
        let (payload_type, bytes) = payload.encoded();
        let mut sent = SignedTransaction {
            description: payload.name().to_owned(),
            payload: bytes,
            payload_type: payload_type.to_owned(),
            fee: Some("0".to_owned()),
            nonce,
            chain_id: chain_id.to_string(),
            serialization: "concat".to_owned(),
            sender: sender.bytes().to_vec(),
            signature: Vec::new(),
            signature_type: wire::signature_type(sender.scheme()).to_owned(),
        };
        let text = sent.text();
        sent.signature = sign(&text);
        Arc::new(Transaction {
            sender,
            nonce,
            chain_id,
            payload,
            id: sent.id(),
            sent,
            message: text.into_bytes(),
        })
    }

    /// A transaction somebody else put together: it keeps the description, fee and encoding it came with,
    /// since signature and id hang on them. Sender and payload are what the caller read from it. None where
    /// no message can be made of it.
    pub fn received(
        sent: SignedTransaction,
        sender: Identity,
        payload: Payload,
    ) -> Option<Arc<Transaction>> {
        let message = sent.message()?;
        Some(Arc::new(Transaction {
            sender,
            nonce: sent.nonce,
            chain_id: sent.chain_id.as_str().into(),
            payload,
            id: sent.id(),
            sent,
            message,
        }))
    }

    /// Whether the sender's key made the signature.
    pub fn verify(&self, suite: &dyn Suite) -> bool {
        suite.verify(&self.sender, &self.message, &self.sent.signature)
    }

    /// The transaction as it was sent, byte for byte.
    pub fn sent(&self) -> &SignedTransaction {
        &self.sent
    }

    /// Size of the payload in bytes, for the limits of mempool and block.
    pub fn payload_bytes(&self) -> usize {
        self.sent.payload.len()
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} #{} of {:?} ({:?})",
            self.payload.name(),
            self.nonce,
            self.sender,
            self.id
        )
    }
}
