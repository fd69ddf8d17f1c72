//! Transactions: the text a wallet signs, and the bytes nodes hash and store.

use sha2::{Digest, Sha256};

use super::bytes::{put_compact, put_signed_compact};
use super::error::{DecodeError, DecodeProblem};
use super::payload_digest;
use super::reader::Reader;
use crate::crypto::Scheme;
use crate::id::TxId;

/// How the signed message was made of the body. Clients always sign the text.
const SERIALIZATION: &str = "concat";
/// How nodes and the command line sign: the hash of the body instead of a text.
const DIRECT: &str = "direct";
/// Longest description that can be signed.
const DESCRIPTION_BYTES: usize = 200;

/// How transactions and view calls name a scheme. Source: kwil-rpc 5.
pub fn signature_type(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Evm => "secp256k1_ep",
        Scheme::Ed25519 => "ed25519",
        Scheme::Nep413 => "nep413",
        Scheme::XrplEd25519 | Scheme::XrplSecp256k1 => "xrpl",
    }
}

/// A whole transaction as it was sent, of any payload and signature type. Nothing in it is checked but its
/// form; what hangs on the exact bytes, signature and id, is worked out from them. Source: kwil-rpc 4 and 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
    /// Free text of the client's choice, shown by the wallet; nodes refuse more than 200 bytes.
    pub description: String,
    /// The encoded payload, kept as it came, since other bytes can mean the same.
    pub payload: Vec<u8>,
    /// `execute`, `raw_statement`, `transfer`, ...
    pub payload_type: String,
    /// Canonical decimal number in the network's smallest unit; none only in bytes, since JSON reads a missing fee as 0.
    pub fee: Option<String>,
    /// The account's nonce plus one; 1 in an account's first transaction.
    pub nonce: u64,
    /// The network's name in its genesis; nodes accept an empty one too.
    pub chain_id: String,
    /// `concat` or `direct`; anything else cannot be verified.
    pub serialization: String,
    /// Raw bytes of the identity that claims to have signed.
    pub sender: Vec<u8>,
    /// The signature, without its type.
    pub signature: Vec<u8>,
    /// `secp256k1_ep`, `ed25519`, ...
    pub signature_type: String,
}

impl SignedTransaction {
    /// Reads what [`SignedTransaction::bytes`] writes, of either serialization.
    ///
    /// Bytes after the transaction are ignored, bytes after the body inside its length are not.
    /// Source: kwil-rpc 4. Nodes also read a transaction without a body; here that is an error.
    pub fn decode(bytes: &[u8]) -> Result<SignedTransaction, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version("transaction")?;
        let mut envelope = reader.signed_compact("signature envelope")?;
        // An unsigned transaction has an envelope of no bytes at all.
        let (signature, signature_type) = if envelope.is_empty() {
            (Vec::new(), String::new())
        } else {
            let signature = envelope.compact("signature")?.raw().to_vec();
            (signature, text(&mut envelope, "signature type")?)
        };

        let mut body = reader.signed_compact("body")?;
        let description = text(&mut body, "description")?;
        let payload = body.signed_compact("payload")?.raw().to_vec();
        let payload_type = text(&mut body, "payload type")?;
        let fee = fee(&mut body)?;
        let nonce = body.u64("nonce")?;
        let chain_id = text(&mut body, "chain id")?;
        body.finish("body")?;

        let serialization = text(&mut reader, "serialization")?;
        let sender = reader.signed_compact("sender")?.raw().to_vec();
        Ok(SignedTransaction {
            description,
            payload,
            payload_type,
            fee,
            nonce,
            chain_id,
            serialization,
            sender,
            signature,
            signature_type,
        })
    }

    /// The text to sign. It shows the payload's digest only, and neither sender nor signature type; a fee
    /// that is missing counts as 0. Source: kwil-rpc 5.
    pub fn text(&self) -> String {
        let SignedTransaction {
            description,
            payload_type,
            nonce,
            chain_id,
            ..
        } = self;
        let digest = payload_digest(&self.payload);
        let fee = self.fee.as_deref().unwrap_or("0");
        format!(
            "{description}\n\nPayloadType: {payload_type}\nPayloadDigest: {digest}\nFee: {fee}\nNonce: {nonce}\n\nKwil Chain ID: {chain_id}\n"
        )
    }

    /// The bytes under the signature: the text, or the body's hash. None where nodes refuse to make any:
    /// an unknown serialization, or a description above 200 bytes.
    pub fn message(&self) -> Option<Vec<u8>> {
        if self.description.len() > DESCRIPTION_BYTES {
            return None;
        }
        match self.serialization.as_str() {
            SERIALIZATION => Some(self.text().into_bytes()),
            DIRECT => Some(Sha256::digest(self.body_bytes()).to_vec()),
            _ => None,
        }
    }

    /// As nodes store it. Source: kwil-rpc 4.
    pub fn bytes(&self) -> Vec<u8> {
        let mut envelope = Vec::new();
        put_compact(&mut envelope, &self.signature);
        put_compact(&mut envelope, self.signature_type.as_bytes());

        let mut out = vec![0; 2]; // version
        put_signed_compact(&mut out, &envelope);
        put_signed_compact(&mut out, &self.body_bytes());
        put_compact(&mut out, self.serialization.as_bytes());
        put_signed_compact(&mut out, &self.sender);
        out
    }

    /// SHA-256 of [`SignedTransaction::bytes`]. The signature is inside, and a signature has more than one
    /// valid spelling, so one intent can have several ids. Source: kwil-rpc 4.
    pub fn id(&self) -> TxId {
        TxId(Sha256::digest(self.bytes()).into())
    }

    fn body_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_compact(&mut out, self.description.as_bytes());
        put_signed_compact(&mut out, &self.payload);
        put_compact(&mut out, self.payload_type.as_bytes());
        out.push(u8::from(self.fee.is_some()));
        if let Some(fee) = &self.fee {
            put_compact(&mut out, fee.as_bytes());
        }
        out.extend(self.nonce.to_le_bytes());
        put_compact(&mut out, self.chain_id.as_bytes());
        out
    }
}

/// A decimal integer in the one form nodes write: no plus, no leading zeros. None if it is no integer.
pub fn canonical_integer(text: &str) -> Option<String> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => ("-", &text[1..]),
        [b'+', ..] => ("", &text[1..]),
        _ => ("", text),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => format!("{sign}{digits}"),
    })
}

fn text(reader: &mut Reader<'_>, what: &'static str) -> Result<String, DecodeError> {
    Ok(reader.compact(what)?.text(what)?.to_owned())
}

fn fee(reader: &mut Reader<'_>) -> Result<Option<String>, DecodeError> {
    let start = reader.clone();
    match reader.u8("fee")? {
        0 => Ok(None),
        1 => {
            let written = text(reader, "fee")?;
            match canonical_integer(&written) {
                Some(fee) => Ok(Some(fee)),
                None => Err(start.error("fee", DecodeProblem::Integer(written))),
            }
        }
        other => Err(start.error("fee", DecodeProblem::Presence(other))),
    }
}
