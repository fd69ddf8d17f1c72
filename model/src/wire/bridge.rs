//! What validators tell of the chain that holds the tokens, as the body of a resolution.
//!
//! Kind, threshold and expiry are kwil-db's; its body is a bundle of that chain's logs in their own encoding. The
//! model has no such logs, so one event stands for them, written as the other bodies are.

use super::bytes::put_bytes;
use super::engine::VotableEvent;
use super::error::{DecodeError, DecodeProblem};
use super::reader::Reader;
use crate::bridge::{Address, Amount, BridgeEvent, DepositEvent, EpochConfirmedEvent, Hash, Token};

/// The kind of such resolutions. Source: kwil-db, ordered-sync.
pub const BRIDGE_EVENT: &str = "kwil_ordered_sync";

const DEPOSIT: u8 = 0;
const EPOCH_CONFIRMED: u8 = 1;

impl BridgeEvent {
    /// What validators vote on.
    pub fn votable(&self) -> VotableEvent {
        let mut body = vec![0, 0];
        body.push(match self {
            BridgeEvent::Deposit(_) => DEPOSIT,
            BridgeEvent::EpochConfirmed(_) => EPOCH_CONFIRMED,
        });
        body.extend(self.id().0);
        put_bytes(&mut body, self.token().name().as_bytes());
        let block = match self {
            BridgeEvent::Deposit(event) => {
                body.extend(event.address.0);
                body.extend(event.amount.0.to_le_bytes());
                event.block
            }
            BridgeEvent::EpochConfirmed(event) => {
                body.extend(event.root.0);
                event.block
            }
        };
        body.extend(block.to_le_bytes());
        VotableEvent {
            kind: BRIDGE_EVENT.to_owned(),
            body,
        }
    }

    /// Reads the body that [`BridgeEvent::votable`] writes.
    pub fn decode(body: &[u8]) -> Result<BridgeEvent, DecodeError> {
        let mut reader = Reader::new(body);
        reader.version("bridge event")?;
        let start = reader.clone();
        let kind = reader.u8("kind of event")?;
        let id = Hash(reader.array("event id")?);
        let token = reader.clone();
        let name = reader.bytes("token")?.text("token")?.to_owned();
        let Some(of) = Token::parse(&name) else {
            return Err(token.error("token", DecodeProblem::Token(name)));
        };
        let event = match kind {
            DEPOSIT => BridgeEvent::Deposit(DepositEvent {
                id,
                token: of,
                address: Address(reader.array("address")?),
                amount: Amount(i128::from_le_bytes(reader.array("amount")?)),
                block: reader.u64("block")?,
            }),
            EPOCH_CONFIRMED => BridgeEvent::EpochConfirmed(EpochConfirmedEvent {
                id,
                token: of,
                root: Hash(reader.array("root")?),
                block: reader.u64("block")?,
            }),
            other => {
                return Err(start.error("kind of event", DecodeProblem::EventKind(other)));
            }
        };
        reader.finish("bridge event")?;
        Ok(event)
    }
}
