//! Payloads of what the engine does itself: statements, transfers, validators and resolutions.
//! Layouts are the node software's own. Source: kwil-rpc 4, kwil `core/types`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::bytes::{put_bytes, put_compact, put_count};
use super::error::{DecodeError, DecodeProblem};
use super::reader::Reader;
use super::{Value, canonical_integer};
use crate::crypto::{Identity, Scheme};
use crate::id::ResolutionId;

/// Kinds of keys, as the engine tells accounts and validators apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyKind {
    /// An address of 20 bytes, or a compressed key of 33.
    Secp256k1,
    /// 32 bytes.
    Ed25519,
}

impl KeyKind {
    /// As texts and JSON have it.
    pub const fn name(self) -> &'static str {
        match self {
            KeyKind::Secp256k1 => "secp256k1",
            KeyKind::Ed25519 => "ed25519",
        }
    }

    const fn number(self) -> u32 {
        match self {
            KeyKind::Secp256k1 => 0,
            KeyKind::Ed25519 => 1,
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<KeyKind, DecodeError> {
        let start = reader.clone();
        match reader.u32("key type")? {
            0 => Ok(KeyKind::Secp256k1),
            1 => Ok(KeyKind::Ed25519),
            other => Err(start.error("key type", DecodeProblem::KeyType(other.to_string()))),
        }
    }
}

/// Whom a payload names: an account, or a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyId {
    /// What the bytes are.
    pub kind: KeyKind,
    /// Key or address; nobody has looked whether it is one.
    pub bytes: Vec<u8>,
}

impl KeyId {
    /// The account, or node, of an identity.
    pub fn of(identity: &Identity) -> KeyId {
        let kind = match identity {
            Identity::Evm(_) => KeyKind::Secp256k1,
            Identity::Ed25519(_) | Identity::Near(_) => KeyKind::Ed25519,
            Identity::Xrpl(key) if key.scheme() == Scheme::XrplEd25519 => KeyKind::Ed25519,
            Identity::Xrpl(_) => KeyKind::Secp256k1,
        };
        KeyId {
            kind,
            bytes: identity.bytes().to_vec(),
        }
    }

    /// Who speaks with this key, if the model has such parties.
    pub fn identity(&self) -> Option<Identity> {
        match self.kind {
            KeyKind::Ed25519 => self.bytes[..].try_into().ok().map(Identity::Ed25519),
            KeyKind::Secp256k1 => self.bytes[..].try_into().ok().map(Identity::Evm),
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.bytes);
        out.extend(self.kind.number().to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<KeyId, DecodeError> {
        let bytes = reader.bytes("key")?.raw().to_vec();
        let kind = KeyKind::read(reader)?;
        Ok(KeyId { kind, bytes })
    }
}

/// Something validators vote on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VotableEvent {
    /// Which rule the body is for.
    pub kind: String,
    /// What happens once it is approved.
    pub body: Vec<u8>,
}

/// Namespace of deterministic resolution ids.
const RESOLUTION_NAMESPACE: Uuid = Uuid::from_u128(0xcc1cd90f_b4db_47f4_b6df_4bbe5fca88eb);

impl VotableEvent {
    /// UUIDv5 over kind and body: whoever proposes the same thing names the same resolution.
    pub fn id(&self) -> ResolutionId {
        let name = [self.kind.as_bytes(), &self.body].concat();
        ResolutionId(Uuid::new_v5(&RESOLUTION_NAMESPACE, &name))
    }

    // The version inside is big-endian, alone in all payloads.
    fn put(&self, out: &mut Vec<u8>) {
        out.extend([0, 0]);
        put_bytes(out, self.kind.as_bytes());
        put_bytes(out, &self.body);
    }

    fn read(reader: &mut Reader<'_>) -> Result<VotableEvent, DecodeError> {
        reader.version("event")?;
        let kind = reader.bytes("event type")?.text("event type")?.to_owned();
        let body = reader.bytes("event body")?.raw().to_vec();
        Ok(VotableEvent { kind, body })
    }
}

/// A parameter of the network, and the value it is to have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ParameterUpdate {
    /// `leader`: who proposes blocks.
    Leader(KeyId),
    /// `max_block_size`, in bytes.
    MaxBlockSize(i64),
    /// `join_expiry`, in seconds: how long a request to join stands.
    JoinExpiry(i64),
    /// `disabled_gas_costs`.
    DisabledGasCosts(bool),
    /// `max_votes_per_tx`.
    MaxVotesPerTx(i64),
}

/// Nanoseconds in a second, which is what durations are written in.
const NANOS: i64 = 1_000_000_000;

impl ParameterUpdate {
    /// As genesis and updates call it.
    pub const fn name(&self) -> &'static str {
        match self {
            ParameterUpdate::Leader(_) => "leader",
            ParameterUpdate::MaxBlockSize(_) => "max_block_size",
            ParameterUpdate::JoinExpiry(_) => "join_expiry",
            ParameterUpdate::DisabledGasCosts(_) => "disabled_gas_costs",
            ParameterUpdate::MaxVotesPerTx(_) => "max_votes_per_tx",
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_short(out, self.name().as_bytes());
        match self {
            ParameterUpdate::Leader(key) => {
                let mut wire = key.kind.number().to_le_bytes().to_vec();
                wire.extend(&key.bytes);
                put_short(out, &wire);
            }
            ParameterUpdate::JoinExpiry(seconds) => {
                out.extend(seconds.saturating_mul(NANOS).to_le_bytes());
            }
            ParameterUpdate::MaxBlockSize(number) | ParameterUpdate::MaxVotesPerTx(number) => {
                out.extend(number.to_le_bytes());
            }
            ParameterUpdate::DisabledGasCosts(disabled) => out.push(u8::from(*disabled)),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<ParameterUpdate, DecodeError> {
        let start = reader.clone();
        let name = short(reader, "parameter")?.text("parameter")?.to_owned();
        let number = |reader: &mut Reader<'_>| Ok(reader.u64("value")? as i64);
        Ok(match name.as_str() {
            "leader" => {
                let mut wire = short(reader, "leader")?;
                let kind = KeyKind::read(&mut wire)?;
                let bytes = wire.raw().to_vec();
                ParameterUpdate::Leader(KeyId { kind, bytes })
            }
            "max_block_size" => ParameterUpdate::MaxBlockSize(number(reader)?),
            "join_expiry" => ParameterUpdate::JoinExpiry(number(reader)? / NANOS),
            "disabled_gas_costs" => ParameterUpdate::DisabledGasCosts(reader.u8("value")? == 1),
            "max_votes_per_tx" => ParameterUpdate::MaxVotesPerTx(number(reader)?),
            _ => return Err(start.error("parameter", DecodeProblem::Parameter(name))),
        })
    }
}

/// Length in 16 bits, then the bytes: used in parameter updates.
fn put_short(out: &mut Vec<u8>, bytes: &[u8]) {
    put_count(out, bytes.len());
    out.extend(bytes);
}

fn short<'a>(reader: &mut Reader<'a>, what: &'static str) -> Result<Reader<'a>, DecodeError> {
    let length = reader.u16(what)?;
    reader.take(length.into(), what)
}

/// The body of a resolution that changes parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterUpdates {
    /// Why, in words.
    pub description: String,
    /// What changes, by name in the order of the alphabet.
    pub updates: Vec<ParameterUpdate>,
}

impl ParameterUpdates {
    /// As the resolution's body has it.
    pub fn encoded(&self) -> Vec<u8> {
        let mut sorted: Vec<_> = self.updates.iter().collect();
        sorted.sort_by_key(|update| update.name());
        let mut updates = vec![0, 0];
        put_count(&mut updates, sorted.len());
        for update in sorted {
            update.put(&mut updates);
        }
        let mut out = vec![0, 0];
        put_bytes(&mut out, self.description.as_bytes());
        put_bytes(&mut out, &updates);
        out
    }

    /// Reads what [`ParameterUpdates::encoded`] writes.
    pub fn decode(bytes: &[u8]) -> Result<ParameterUpdates, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version("updates")?;
        let description = reader.bytes("description")?.text("description")?.to_owned();
        let mut inner = reader.bytes("updates")?;
        inner.version("updates")?;
        let mut updates = Vec::new();
        for _ in 0..inner.u16("number of updates")? {
            updates.push(ParameterUpdate::read(&mut inner)?);
        }
        Ok(ParameterUpdates {
            description,
            updates,
        })
    }
}

/// The body of a resolution about a validator: the power it is to have, 0 for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowerUpdate {
    /// The node.
    pub validator: KeyId,
    /// Its voting power from the next block on.
    pub power: i64,
}

impl PowerUpdate {
    /// As the resolution's body has it.
    pub fn encoded(&self) -> Vec<u8> {
        let mut out = vec![0, 0];
        put_bytes(&mut out, &self.validator.bytes);
        put_bytes(&mut out, self.validator.kind.name().as_bytes());
        out.extend(self.power.to_le_bytes());
        out
    }

    /// Reads what [`PowerUpdate::encoded`] writes.
    pub fn decode(bytes: &[u8]) -> Result<PowerUpdate, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version("power")?;
        let bytes = reader.bytes("key")?.raw().to_vec();
        let start = reader.clone();
        let kind = match reader.bytes("key type")?.text("key type")? {
            "ed25519" => KeyKind::Ed25519,
            "secp256k1" => KeyKind::Secp256k1,
            other => {
                let other = other.to_owned();
                return Err(start.error("key type", DecodeProblem::KeyType(other)));
            }
        };
        let power = reader.u64("power")? as i64;
        Ok(PowerUpdate {
            validator: KeyId { kind, bytes },
            power,
        })
    }
}

/// What a transaction has the engine do, other than running an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnginePayload {
    /// Run a statement of SQL.
    RawStatement {
        /// The statement, or several.
        statement: String,
        /// Names, as sent, and values of its variables.
        parameters: Vec<(String, Value)>,
    },
    /// Give native tokens to another account.
    Transfer {
        /// Whom.
        to: KeyId,
        /// How many, in decimal digits.
        amount: String,
    },
    /// A node asks to become a validator.
    ValidatorJoin {
        /// The voting power it asks for.
        power: u64,
    },
    /// A validator approves of such a request.
    ValidatorApprove {
        /// Whose request.
        candidate: KeyId,
    },
    /// A validator asks that another be removed, or approves of that.
    ValidatorRemove {
        /// Who is to go.
        validator: KeyId,
    },
    /// A validator stops being one.
    ValidatorLeave,
    /// A validator approves of resolutions that others have proposed.
    ValidatorVoteIds(Vec<ResolutionId>),
    /// The leader proposes what it has seen outside, and approves of it.
    ValidatorVoteBodies(Vec<VotableEvent>),
    /// A validator proposes something, and approves of it.
    CreateResolution(VotableEvent),
    /// A validator approves of what another has proposed.
    ApproveResolution(ResolutionId),
    /// A validator takes back what it has proposed; no released node runs it.
    DeleteResolution(ResolutionId),
}

impl EnginePayload {
    /// `raw_statement`, `validator_join`, ...
    pub const fn name(&self) -> &'static str {
        match self {
            EnginePayload::RawStatement { .. } => "raw_statement",
            EnginePayload::Transfer { .. } => "transfer",
            EnginePayload::ValidatorJoin { .. } => "validator_join",
            EnginePayload::ValidatorApprove { .. } => "validator_approve",
            EnginePayload::ValidatorRemove { .. } => "validator_remove",
            EnginePayload::ValidatorLeave => "validator_leave",
            EnginePayload::ValidatorVoteIds(_) => "validator_vote_ids",
            EnginePayload::ValidatorVoteBodies(_) => "validator_vote_bodies",
            EnginePayload::CreateResolution(_) => "create_resolution",
            EnginePayload::ApproveResolution(_) => "approve_resolution",
            EnginePayload::DeleteResolution(_) => "delete_resolution",
        }
    }

    /// The payload's bytes, as a transaction carries them.
    pub fn encoded(&self) -> Vec<u8> {
        let mut out = vec![0, 0];
        match self {
            EnginePayload::RawStatement {
                statement,
                parameters,
            } => {
                put_bytes(&mut out, statement.as_bytes());
                put_count(&mut out, parameters.len());
                for (name, value) in parameters {
                    put_bytes(&mut out, name.as_bytes());
                    put_bytes(&mut out, &value.encoded());
                }
            }
            EnginePayload::Transfer { to, amount } => {
                let mut account = vec![0, 0];
                to.put(&mut account);
                put_bytes(&mut out, &account);
                out.push(1);
                put_compact(&mut out, amount.as_bytes());
            }
            EnginePayload::ValidatorJoin { power } => out.extend(power.to_le_bytes()),
            EnginePayload::ValidatorApprove { candidate: key }
            | EnginePayload::ValidatorRemove { validator: key } => key.put(&mut out),
            EnginePayload::ValidatorLeave => {}
            EnginePayload::ValidatorVoteIds(ids) => {
                out.extend((ids.len() as u32).to_le_bytes());
                for id in ids {
                    put_bytes(&mut out, id.0.as_bytes());
                }
            }
            EnginePayload::ValidatorVoteBodies(events) => {
                out.extend((events.len() as u32).to_le_bytes());
                for event in events {
                    let mut bytes = Vec::new();
                    event.put(&mut bytes);
                    put_bytes(&mut out, &bytes);
                }
            }
            EnginePayload::CreateResolution(event) => event.put(&mut out),
            EnginePayload::ApproveResolution(id) | EnginePayload::DeleteResolution(id) => {
                out.extend(id.0.as_bytes());
            }
        }
        out
    }

    /// The types of all payloads of the engine, as transactions name them.
    pub const TYPES: &[&str] = &[
        "raw_statement",
        "transfer",
        "validator_join",
        "validator_approve",
        "validator_remove",
        "validator_leave",
        "validator_vote_ids",
        "validator_vote_bodies",
        "create_resolution",
        "approve_resolution",
        "delete_resolution",
    ];

    /// Whether this is the type of some payload of the engine.
    pub fn is_type(name: &str) -> bool {
        EnginePayload::TYPES.contains(&name)
    }

    /// Reads what [`EnginePayload::encoded`] writes. Bytes after it are ignored, as nodes do, except after
    /// a request to leave, which has none. Panics for a type that [`EnginePayload::is_type`] does not know.
    pub fn decode(kind: &str, bytes: &[u8]) -> Result<EnginePayload, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version("payload")?;
        let reader = &mut reader;
        Ok(match kind {
            "raw_statement" => {
                let statement = reader.bytes("statement")?.text("statement")?.to_owned();
                let mut parameters = Vec::new();
                for _ in 0..reader.u16("number of parameters")? {
                    let name = reader.bytes("name")?.text("name")?.to_owned();
                    let value = Value::read(&mut reader.bytes("value")?)?;
                    parameters.push((name, value));
                }
                EnginePayload::RawStatement {
                    statement,
                    parameters,
                }
            }
            "transfer" => {
                let mut account = reader.bytes("account")?;
                account.version("account")?;
                let to = KeyId::read(&mut account)?;
                let amount = amount(reader)?;
                EnginePayload::Transfer { to, amount }
            }
            "validator_join" => EnginePayload::ValidatorJoin {
                power: reader.u64("power")?,
            },
            "validator_approve" => EnginePayload::ValidatorApprove {
                candidate: KeyId::read(reader)?,
            },
            "validator_remove" => EnginePayload::ValidatorRemove {
                validator: KeyId::read(reader)?,
            },
            "validator_leave" => {
                reader.finish("payload")?;
                EnginePayload::ValidatorLeave
            }
            "validator_vote_ids" => {
                let mut ids = Vec::new();
                for _ in 0..reader.u32("number of votes")? {
                    ids.push(resolution(&mut reader.bytes("resolution")?)?);
                }
                EnginePayload::ValidatorVoteIds(ids)
            }
            "validator_vote_bodies" => {
                let mut events = Vec::new();
                for _ in 0..reader.u32("number of events")? {
                    events.push(VotableEvent::read(&mut reader.bytes("event")?)?);
                }
                EnginePayload::ValidatorVoteBodies(events)
            }
            "create_resolution" => EnginePayload::CreateResolution(VotableEvent::read(reader)?),
            "approve_resolution" => EnginePayload::ApproveResolution(resolution(reader)?),
            "delete_resolution" => EnginePayload::DeleteResolution(resolution(reader)?),
            other => unreachable!("{other} is no payload of the engine"),
        })
    }
}
fn resolution(reader: &mut Reader<'_>) -> Result<ResolutionId, DecodeError> {
    let bytes: [u8; 16] = reader.array("resolution")?;
    Ok(ResolutionId(Uuid::from_bytes(bytes)))
}

/// A number without bounds; a missing one counts as 0.
fn amount(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    let start = reader.clone();
    match reader.u8("amount")? {
        0 => Ok("0".to_owned()),
        1 => {
            let written = reader.compact("amount")?.text("amount")?.to_owned();
            canonical_integer(&written)
                .ok_or_else(|| start.error("amount", DecodeProblem::Integer(written)))
        }
        other => Err(start.error("amount", DecodeProblem::Presence(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(byte: u8) -> KeyId {
        KeyId {
            kind: KeyKind::Ed25519,
            bytes: vec![byte; 32],
        }
    }

    fn event() -> VotableEvent {
        let updates = ParameterUpdates {
            description: "why".to_owned(),
            updates: vec![
                ParameterUpdate::DisabledGasCosts(false),
                ParameterUpdate::JoinExpiry(60),
                ParameterUpdate::Leader(node(2)),
                ParameterUpdate::MaxBlockSize(5),
                ParameterUpdate::MaxVotesPerTx(6),
            ],
        };
        let body = updates.encoded();
        assert_eq!(ParameterUpdates::decode(&body), Ok(updates));
        VotableEvent {
            kind: "param_updates".to_owned(),
            body,
        }
    }

    fn every_payload() -> Vec<EnginePayload> {
        let id = event().id();
        vec![
            EnginePayload::RawStatement {
                statement: "SELECT $a;".to_owned(),
                parameters: vec![("$a".to_owned(), Value::Int8(Some(7)))],
            },
            EnginePayload::Transfer {
                to: node(1),
                amount: "1000".to_owned(),
            },
            EnginePayload::ValidatorJoin { power: 3 },
            EnginePayload::ValidatorApprove { candidate: node(1) },
            EnginePayload::ValidatorRemove { validator: node(2) },
            EnginePayload::ValidatorLeave,
            EnginePayload::ValidatorVoteIds(vec![id, id]),
            EnginePayload::ValidatorVoteBodies(vec![event()]),
            EnginePayload::CreateResolution(event()),
            EnginePayload::ApproveResolution(id),
            EnginePayload::DeleteResolution(id),
        ]
    }

    #[test]
    fn every_payload_is_read_back_and_none_of_its_beginnings() {
        for payload in every_payload() {
            assert!(EnginePayload::is_type(payload.name()));
            let bytes = payload.encoded();
            assert_eq!(
                EnginePayload::decode(payload.name(), &bytes).as_ref(),
                Ok(&payload)
            );
            for length in 0..bytes.len() {
                let read = EnginePayload::decode(payload.name(), &bytes[..length]);
                assert!(read.is_err(), "{payload:?} of {length} bytes");
            }
        }
    }

    #[test]
    fn a_power_update_is_read_back() {
        let update = PowerUpdate {
            validator: node(9),
            power: 4,
        };
        assert_eq!(PowerUpdate::decode(&update.encoded()), Ok(update));
    }

    /// Bytes made by the node software itself. Source: `node_side.json`.
    #[test]
    fn payloads_are_the_nodes_own() {
        let join = EnginePayload::ValidatorJoin { power: 1 };
        assert_eq!(hex::encode(join.encoded()), "00000100000000000000");
        let transfer = EnginePayload::Transfer {
            to: KeyId {
                kind: KeyKind::Secp256k1,
                bytes: hex::decode("1563915e194d8cfba1943570603f7606a3115508").unwrap(),
            },
            amount: "1000".to_owned(),
        };
        let expected =
            "00001e0000000000140000001563915e194d8cfba1943570603f7606a311550800000000010431303030";
        assert_eq!(hex::encode(transfer.encoded()), expected);
        let statement = EnginePayload::RawStatement {
            statement:
                "CREATE TABLE IF NOT EXISTS notes (id UUID PRIMARY KEY, body TEXT NOT NULL);"
                    .to_owned(),
            parameters: Vec::new(),
        };
        let expected = "00004b000000435245415445205441424c45204946204e4f5420455849535453206e6f74657320286964205555494420\
                        5052494d415259204b45592c20626f64792054455854204e4f54204e554c4c293b0000";
        assert_eq!(hex::encode(statement.encoded()), expected);
    }

    #[test]
    fn hostile_counts_use_no_memory() {
        for (kind, bytes) in [
            ("validator_vote_ids", "0000ffffffff"),
            ("validator_vote_bodies", "0000ffffffff"),
            ("validator_approve", "000020000000"),
        ] {
            let bytes = hex::decode(bytes).unwrap();
            assert!(EnginePayload::decode(kind, &bytes).is_err());
        }
    }
}
