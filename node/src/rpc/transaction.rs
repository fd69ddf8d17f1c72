//! Transactions as JSON, and what the ledger makes of them. Source: kwil-rpc 3 and 5.

use std::sync::Arc;

use assay_model::crypto::{Identity, XrplKey};
use assay_model::ledger::{Action, Batch, Payload, Transaction, Unreadable};
use assay_model::wire::{
    CallError, DecodeError, EnginePayload, ExecutePayload, SignedTransaction, canonical_integer,
};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use super::encoding::{base64_bytes, hex_bytes, nullable, object};

#[derive(Default, Serialize, Deserialize)]
struct SignatureJson {
    #[serde(default, with = "base64_bytes")]
    sig: Vec<u8>,
    #[serde(rename = "type", default, deserialize_with = "nullable")]
    kind: String,
}

#[derive(Default, Serialize, Deserialize)]
struct BodyJson {
    #[serde(default, deserialize_with = "nullable")]
    desc: String,
    #[serde(default, with = "base64_bytes")]
    payload: Vec<u8>,
    #[serde(rename = "type", default, deserialize_with = "nullable")]
    kind: String,
    #[serde(default, deserialize_with = "fee")]
    fee: String,
    #[serde(default, deserialize_with = "nullable")]
    nonce: u64,
    #[serde(default, deserialize_with = "nullable")]
    chain_id: String,
}

#[derive(Serialize, Deserialize)]
struct TransactionJson {
    #[serde(default, deserialize_with = "object")]
    signature: Option<SignatureJson>,
    #[serde(default, deserialize_with = "object")]
    body: Option<BodyJson>,
    #[serde(default, deserialize_with = "nullable")]
    serialization: String,
    #[serde(default, with = "hex_bytes")]
    sender: Vec<u8>,
}

/// A decimal number as text; missing, null and empty are 0.
fn fee<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text: String = nullable(from)?;
    match text.as_str() {
        "" => Ok("0".to_owned()),
        text => canonical_integer(text)
            .ok_or_else(|| D::Error::custom(format!("could not parse fee: {text:?}"))),
    }
}

/// Reads a transaction as `user.broadcast` and `user.estimate_price` carry it; for the latter signature,
/// fee and nonce may be null. None when it has no body, on which the node's handler fails.
pub fn parse_transaction(tx: &Json) -> Result<Option<SignedTransaction>, String> {
    let read = object::<_, TransactionJson>(tx).map_err(|error| error.to_string())?;
    let Some((tx, body)) = read.and_then(|mut tx| tx.body.take().map(|body| (tx, body))) else {
        return Ok(None);
    };
    let signature = tx.signature.unwrap_or_default();
    // A member that is left out does not reach its reader.
    let fee = if body.fee.is_empty() {
        "0".to_owned()
    } else {
        body.fee
    };
    Ok(Some(SignedTransaction {
        description: body.desc,
        payload: body.payload,
        payload_type: body.kind,
        fee: Some(fee),
        nonce: body.nonce,
        chain_id: body.chain_id,
        serialization: tx.serialization,
        sender: tx.sender,
        signature: signature.sig,
        signature_type: signature.kind,
    }))
}

/// The inverse of [`parse_transaction`], members in the node's order.
pub fn transaction_json(transaction: &SignedTransaction) -> Json {
    let transaction = transaction.clone();
    let json = TransactionJson {
        signature: Some(SignatureJson {
            sig: transaction.signature,
            kind: transaction.signature_type,
        }),
        body: Some(BodyJson {
            desc: transaction.description,
            payload: transaction.payload,
            kind: transaction.payload_type,
            fee: transaction.fee.unwrap_or_else(|| "0".to_owned()),
            nonce: transaction.nonce,
            chain_id: transaction.chain_id,
        }),
        serialization: transaction.serialization,
        sender: transaction.sender,
    };
    serde_json::to_value(json).expect("a transaction has text keys only")
}

/// Why sender bytes and a signature type name nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoIdentity {
    /// A signature type without authenticator, here or in any node.
    #[error("authenticator not found: {0}")]
    Authenticator(String),
    /// A sender that is no identity of its type.
    #[error("invalid sender of {0} bytes")]
    Sender(usize),
}

/// Why a transaction that arrived in good form is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Nobody can have signed it.
    #[error("failed to verify the transaction: {0}")]
    Sender(NoIdentity),
    /// No message can be made of it: a long description or an unknown serialization.
    #[error("failed to verify the transaction: {0}")]
    Message(&'static str),
    /// A payload type that nodes do not know, or that this model does not run.
    #[error("unknown payload type: {0}")]
    PayloadType(String),
}

impl Unusable {
    /// The transaction code under a -201. Source: kwil-rpc 3.
    pub const fn code(&self) -> u32 {
        match self {
            Unusable::Sender(_) | Unusable::Message(_) => 65_535,
            Unusable::PayloadType(_) => 2,
        }
    }
}

/// Why a payload runs nothing. A transaction with it is taken all the same, uses its nonce and fails in its
/// block. Source: kwil-rpc 3.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrunnable {
    /// It does not decode.
    #[error("{0}")]
    Payload(DecodeError),
    /// A type that no node runs.
    #[error("unknown payload type: {0}")]
    Type(String),
    /// An unknown namespace or action, or arguments that do not fit.
    #[error("{0}")]
    Call(CallError),
}

impl Unrunnable {
    /// What the ledger keeps of it.
    pub const fn kind(&self) -> Unreadable {
        match self {
            Unrunnable::Payload(error) => Unreadable::of(error),
            Unrunnable::Type(_) | Unrunnable::Call(_) => Unreadable::Call,
        }
    }
}

/// The identity behind sender bytes, of a type in any case of letters. Source: kwil-rpc 5.
pub(super) fn identity(kind: &str, sender: &[u8]) -> Result<Identity, NoIdentity> {
    let wrong = |_| NoIdentity::Sender(sender.len());
    match kind.to_lowercase().as_str() {
        "secp256k1_ep" => sender.try_into().map(Identity::Evm).map_err(wrong),
        "ed25519" => sender.try_into().map(Identity::Ed25519).map_err(wrong),
        "nep413" => sender.try_into().map(Identity::Near).map_err(wrong),
        "xrpl" => {
            let key = XrplKey::new(sender).map(Identity::Xrpl);
            key.ok_or(NoIdentity::Sender(sender.len()))
        }
        _ => Err(NoIdentity::Authenticator(kind.to_owned())),
    }
}

/// Why no message can be made of some transactions.
const UNSIGNABLE: &str = "description is too long or invalid serialization type";

/// Finds out what a transaction means, so that this model can run it. Checks are made in the order a node
/// makes them; the signature is left to the mempool, as on a node. A payload that runs nothing is left to
/// its block.
pub fn to_ledger(sent: SignedTransaction) -> Result<Arc<Transaction>, Unusable> {
    let sender = identity(&sent.signature_type, &sent.sender).map_err(Unusable::Sender)?;
    // The message, which hangs on a hash of the whole payload, is made once: below, if it can be.
    let runs = sent.payload_type == EXECUTE || is_run(&sent.payload_type);
    if !runs && sent.message().is_some() {
        return Err(Unusable::PayloadType(sent.payload_type));
    }
    from_block(sent, sender)
}

/// The same for a transaction that some node has put into a block: whatever its type, it is there.
pub(super) fn from_block(
    sent: SignedTransaction,
    sender: Identity,
) -> Result<Arc<Transaction>, Unusable> {
    let payload = payload(&sent).unwrap_or_else(|why| Payload::unreadable(why.kind()));
    Transaction::received(sent, sender, payload).ok_or(Unusable::Message(UNSIGNABLE))
}

const EXECUTE: &str = "execute";

/// Whether nodes have a route for payloads of this type, other than `execute`. Deleting a resolution has a
/// type and no route. Source: kwil-rpc 4.
fn is_run(payload_type: &str) -> bool {
    EnginePayload::is_type(payload_type) && payload_type != "delete_resolution"
}

/// What a transaction's payload says.
pub fn payload(sent: &SignedTransaction) -> Result<Payload, Unrunnable> {
    match sent.payload_type.as_str() {
        EXECUTE => batch(&sent.payload).map(Payload::Actions),
        kind if is_run(kind) => EnginePayload::decode(kind, &sent.payload)
            .map(Payload::Engine)
            .map_err(Unrunnable::Payload),
        other => Err(Unrunnable::Type(other.to_owned())),
    }
}

/// What an `execute` payload runs.
pub fn batch(payload: &[u8]) -> Result<Batch, Unrunnable> {
    let payload = ExecutePayload::decode(payload).map_err(Unrunnable::Payload)?;
    // Without any call the action runs once, without arguments.
    let calls = if payload.calls.is_empty() {
        vec![Vec::new()]
    } else {
        payload.calls
    };
    let actions = calls
        .iter()
        .map(|arguments| Action::decode(&payload.namespace, &payload.action, arguments))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Unrunnable::Call)?;
    Ok(Batch::several(actions).expect("one name, and at least one call"))
}

#[cfg(test)]
mod tests {
    use assay_model::id::{InserterId, WalletId};
    use assay_model::ledger::Unsigned;
    use assay_model::wire::{self, Value};
    use serde_json::json;

    use super::*;

    fn sample() -> Json {
        json!({
            "signature": { "sig": "AQI=", "type": "ed25519" },
            "body": {
                "desc": "", "payload": "", "type": "execute", "fee": "0", "nonce": 1, "chain_id": "c",
            },
            "serialization": "concat",
            "sender": "11".repeat(32),
        })
    }

    #[test]
    fn malformed_transactions_are_refused_as_parameters() {
        let table = [
            ("/signature", json!("AQI=")),
            ("/signature/sig", json!("not base64")),
            ("/signature/sig", json!([1, 2])),
            ("/signature/type", json!(7)),
            ("/body", json!(["", "", "execute", "0", 1, "c"])),
            ("/body/payload", json!("AQI")),
            ("/body/fee", json!("1.5")),
            ("/body/fee", json!(0)),
            ("/body/nonce", json!("1")),
            ("/body/nonce", json!(-1)),
            ("/body/nonce", json!(1.5)),
            ("/body/chain_id", json!(7)),
            ("/serialization", json!({})),
            ("/sender", json!("0x11")),
            ("/sender", json!("1")),
        ];
        assert!(parse_transaction(&sample()).unwrap().is_some());
        for (place, wrong) in table {
            let mut tx = sample();
            *tx.pointer_mut(place).unwrap() = wrong.clone();
            assert!(parse_transaction(&tx).is_err(), "{place} {wrong}");
        }
    }

    #[test]
    fn what_may_be_null_or_missing() {
        assert_eq!(parse_transaction(&Json::Null), Ok(None));
        assert_eq!(parse_transaction(&json!({})), Ok(None));
        let bare = parse_transaction(&json!({ "body": {} })).unwrap().unwrap();
        assert_eq!((bare.fee.as_deref(), bare.nonce), (Some("0"), 0));
        let mut unsigned = sample();
        for place in ["/signature/sig", "/body/fee", "/body/nonce"] {
            *unsigned.pointer_mut(place).unwrap() = Json::Null;
        }
        let unsigned = parse_transaction(&unsigned).unwrap().unwrap();
        assert_eq!((unsigned.fee.as_deref(), unsigned.nonce), (Some("0"), 0));
    }

    fn changed(change: impl FnOnce(&mut SignedTransaction)) -> SignedTransaction {
        let mut signed = parse_transaction(&sample()).unwrap().unwrap();
        let id = Value::Uuid(Some(Default::default()));
        signed.payload = wire::execute_payload("main", "remove_wallet", &[vec![id]]);
        change(&mut signed);
        signed
    }

    fn check_not_taken(change: impl FnOnce(&mut SignedTransaction), code: u32, told: &str) {
        let unusable = to_ledger(changed(change)).unwrap_err();
        assert_eq!((unusable.code(), unusable.to_string()), (code, told.into()));
    }

    fn check_fails_in_its_block(
        change: impl FnOnce(&mut SignedTransaction),
        kind: Unreadable,
        told: &str,
    ) {
        let signed = changed(change);
        assert_eq!(batch(&signed.payload).unwrap_err().to_string(), told);
        let taken = to_ledger(signed.clone()).unwrap();
        assert_eq!(
            (taken.payload.problem(), taken.id),
            (Some(kind), signed.id())
        );
        assert_eq!(taken.sent(), &signed);
    }

    #[test]
    fn what_cannot_be_run_ends_where_a_node_ends_it() {
        check_not_taken(
            |tx| tx.signature_type = "secp256k1".into(),
            65_535,
            "failed to verify the transaction: authenticator not found: secp256k1",
        );
        check_not_taken(
            |tx| tx.signature_type = "XRPL".into(),
            65_535,
            "failed to verify the transaction: invalid sender of 32 bytes",
        );
        check_not_taken(
            |tx| tx.signature_type = String::new(),
            65_535,
            "failed to verify the transaction: authenticator not found: ",
        );
        check_not_taken(
            |tx| tx.signature_type = "SECP256K1_EP".into(),
            65_535,
            "failed to verify the transaction: invalid sender of 32 bytes",
        );
        let unsignable = "failed to verify the transaction: description is too long or invalid serialization type";
        check_not_taken(|tx| tx.description = "d".repeat(201), 65_535, unsignable);
        check_not_taken(|tx| tx.serialization = "eip712".into(), 65_535, unsignable);
        check_not_taken(
            |tx| tx.payload_type = "delete_resolution".into(),
            2,
            "unknown payload type: delete_resolution",
        );
        check_fails_in_its_block(
            |tx| tx.payload.clear(),
            Unreadable::Payload,
            "byte 0: payload: encoded length 2 is longer than data length 0",
        );
        check_fails_in_its_block(
            |tx| {
                let null = vec![Value::Null];
                tx.payload = wire::execute_payload("main", "remove_wallet", &[null]);
            },
            Unreadable::Call,
            "null value in column \"id\" violates not-null constraint",
        );
        check_fails_in_its_block(
            |tx| {
                let text = Value::Text(Some("ab".into()));
                tx.payload = wire::execute_payload("main", "a", &[vec![text]]);
                *tx.payload.last_mut().unwrap() = 0xff;
            },
            Unreadable::Call,
            "byte 52: text: invalid UTF-8",
        );
        check_fails_in_its_block(
            |tx| tx.payload = wire::execute_payload("Other", "a", &[]),
            Unreadable::Call,
            "namespace \"other\" does not exist",
        );
        check_fails_in_its_block(
            |tx| tx.payload = wire::execute_payload("", "a", &[]),
            Unreadable::Call,
            "unknown action: action \"a\" does not exist in namespace \"main\"",
        );
        check_fails_in_its_block(
            |tx| tx.payload = wire::execute_payload("main", "remove_wallet", &[]),
            Unreadable::Call,
            "action invocation error: action \"remove_wallet\" expected 1 arguments, but got 0",
        );
    }

    #[test]
    fn the_ledgers_own_transactions_come_back_with_their_id() {
        let id = WalletId(Default::default());
        let batches = [
            Batch::one(Action::RemoveWallet { id }),
            Batch::one(Action::RemoveUser {}),
            Batch::several(vec![Action::RemoveWallet { id }; 3]).unwrap(),
            Batch::one(Action::AddInserterAsOwner {
                id: InserterId(Default::default()),
                name: "Zoë".into(),
            }),
        ];
        for batch in batches {
            for sender in [
                Identity::Evm([1; 20]),
                Identity::Ed25519([2; 32]),
                Identity::Near([2; 32]),
                Identity::Xrpl(XrplKey::ed25519(&[2; 32])),
                Identity::Xrpl(XrplKey::new(&[2; 33]).unwrap()),
            ] {
                let unsigned = Unsigned {
                    nonce: 7,
                    chain_id: "c".into(),
                    payload: batch.clone().into(),
                };
                let transaction = Transaction::assemble(sender, unsigned, |_| vec![9; 65]);
                let json = transaction_json(transaction.sent());
                let back = to_ledger(parse_transaction(&json).unwrap().unwrap()).unwrap();
                assert_eq!(
                    (back.id, &back.payload),
                    (transaction.id, &transaction.payload)
                );
                assert_eq!(back.sender, sender);
                assert_eq!(back.sent(), transaction.sent());
            }
        }
    }

    #[test]
    fn another_spelling_keeps_its_own_id_and_signature() {
        let id = WalletId(Default::default());
        let unsigned = Unsigned {
            nonce: 7,
            chain_id: "c".into(),
            payload: Batch::one(Action::RemoveWallet { id }).into(),
        };
        let own = Transaction::assemble(Identity::Evm([1; 20]), unsigned, |_| vec![9; 65]);
        let mut sent = own.sent().clone();
        sent.description = "Remove a wallet from idOS".into();
        let received = to_ledger(sent.clone()).unwrap();
        assert_eq!((received.sent(), received.id), (&sent, sent.id()));
        assert_eq!(received.payload, own.payload);
        assert_ne!(received.id, own.id);
    }
}
