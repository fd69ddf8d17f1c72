//! Transactions: the text a wallet signs, and the bytes nodes hash and store.

use sha2::{Digest, Sha256};

use super::bytes::{put_compact, put_signed_compact};
use super::payload_digest;
use crate::crypto::Scheme;
use crate::id::TxId;

/// How the signed message was made of the body. Clients always sign the text.
const SERIALIZATION: &str = "concat";

/// What the sender signs. Source: kwil-rpc 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionBody<'a> {
    /// Free text of the client's choice, shown by the wallet; nodes refuse more than 200 bytes.
    pub description: &'a str,
    /// The encoded payload.
    pub payload: &'a [u8],
    /// `execute`, `raw_statement`, `transfer`, ...
    pub payload_type: &'a str,
    /// Decimal number in the network's smallest unit, without sign or leading zeros; `0` in idOS.
    pub fee: &'a str,
    /// The account's nonce plus one; 1 in an account's first transaction.
    pub nonce: u64,
    /// The network's name in its genesis; nodes accept an empty one too.
    pub chain_id: &'a str,
}

impl TransactionBody<'_> {
    /// The text to sign. It shows the payload's digest only, and neither sender nor signature type.
    pub fn text(&self) -> String {
        let TransactionBody {
            description,
            payload,
            payload_type,
            fee,
            nonce,
            chain_id,
        } = self;
        let digest = payload_digest(payload);
        format!(
            "{description}\n\nPayloadType: {payload_type}\nPayloadDigest: {digest}\nFee: {fee}\nNonce: {nonce}\n\nKwil Chain ID: {chain_id}\n"
        )
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_compact(&mut out, self.description.as_bytes());
        put_signed_compact(&mut out, self.payload);
        put_compact(&mut out, self.payload_type.as_bytes());
        out.push(1); // a fee is present
        put_compact(&mut out, self.fee.as_bytes());
        out.extend(self.nonce.to_le_bytes());
        put_compact(&mut out, self.chain_id.as_bytes());
        out
    }
}

/// How transactions and view calls name a scheme. Source: kwil-rpc 5.
pub fn signature_type(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Evm => "secp256k1_ep",
        Scheme::Ed25519 => "ed25519",
    }
}

/// The whole signed transaction as nodes store it. `sender` is an identity's raw bytes.
/// Source: kwil-rpc 4.
pub fn transaction_bytes(
    body: &TransactionBody<'_>,
    sender: &[u8],
    signature: &[u8],
    signature_type: &str,
) -> Vec<u8> {
    let mut envelope = Vec::new();
    put_compact(&mut envelope, signature);
    put_compact(&mut envelope, signature_type.as_bytes());

    let mut out = vec![0; 2]; // version
    put_signed_compact(&mut out, &envelope);
    put_signed_compact(&mut out, &body.bytes());
    put_compact(&mut out, SERIALIZATION.as_bytes());
    put_signed_compact(&mut out, sender);
    out
}

/// SHA-256 of [`transaction_bytes`]. The signature is inside, and a signature has more than one valid
/// spelling, so one intent can have several ids. Source: kwil-rpc 4.
pub fn transaction_id(
    body: &TransactionBody<'_>,
    sender: &[u8],
    signature: &[u8],
    signature_type: &str,
) -> TxId {
    let bytes = transaction_bytes(body, sender, signature, signature_type);
    TxId(Sha256::digest(bytes).into())
}
