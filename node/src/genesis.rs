//! The two files every node starts from: what its network agreed on, and its own key.
//!
//! `genesis.json` is the same on every node. `schema` is `assay.genesis/1`; `validators` are Ed25519 public
//! keys in hex, the first is n1; `sentries` names those that do not vote, unless they join; `db_owner` is an
//! address or an Ed25519 key; `time` is milliseconds since 1970; `rules_off` names the promises that are not kept
//! (`assay rules` lists them); `balances` is what people have of the tokens before the first block. `node.key` is
//! the Ed25519 seed in hex.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use assay_model::bridge::{Address, Allocation, Amount, Token};
use assay_model::crypto::{Identity, Scheme, SigningKey};
use assay_model::id::NodeId;
use assay_model::node::{Genesis, Timing, USUAL_HISTORY};
use assay_model::rules::{Rules, Switch};
use assay_model::time::WallMillis;
use serde::{Deserialize, Serialize};

/// Value of `schema` in a genesis file.
pub const SCHEMA: &str = "assay.genesis/1";
/// Name of the genesis file in a node's directory.
pub const GENESIS_FILE: &str = "genesis.json";
/// Name of the key file in a node's directory.
pub const KEY_FILE: &str = "node.key";

/// Most nodes of a network; far above any there is.
const NODES: usize = 100;
/// Longest chain id.
const CHAIN_ID_BYTES: usize = 200;

/// A file that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, and what was expected.
    pub what: String,
}

impl FileError {
    pub(crate) fn new(path: &Path, what: impl ToString) -> FileError {
        FileError {
            path: path.to_owned(),
            what: what.to_string(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GenesisFile {
    schema: String,
    chain_id: String,
    db_owner: String,
    validators: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sentries: Vec<String>,
    leader: String,
    time: u64,
    #[serde(default)]
    rules_off: Vec<String>,
    timing: TimingFile,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    balances: Vec<BalanceFile>,
}

/// What somebody has of a token from the start; the amount is decimal text in the smallest units.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BalanceFile {
    token: String,
    address: String,
    amount: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimingFile {
    propose_ms: u64,
    poll_ms: u64,
    empty_block_ms: u64,
    resend_ms: u64,
    broadcast_ms: u64,
    challenge_ms: u64,
    drift_ms: u64,
    #[serde(default = "usual_history")]
    history_blocks: u64,
}

fn usual_history() -> u64 {
    USUAL_HISTORY
}

/// The durations idOS nodes have. Source: kwil-rpc 7.
pub const USUAL_TIMING: Timing = Timing {
    history: USUAL_HISTORY,
    propose: 1_000,
    poll: 200,
    empty_block: 60_000,
    resend: 3_000,
    broadcast: 15_000,
    challenge: 10_000,
    drift: 10_000,
};

/// The text of a genesis file.
pub fn genesis_text(genesis: &Genesis) -> String {
    let timing = genesis.timing;
    let off = |switch: &&Switch| !genesis.rules.keep(**switch);
    let file = GenesisFile {
        schema: SCHEMA.to_owned(),
        chain_id: genesis.chain_id.to_string(),
        db_owner: genesis.db_owner.to_string(),
        validators: genesis.nodes.iter().map(Identity::caller).collect(),
        sentries: genesis.sentries.iter().map(NodeId::to_string).collect(),
        leader: genesis.leader.to_string(),
        time: genesis.time.0,
        rules_off: Switch::ALL
            .iter()
            .filter(off)
            .map(|switch| switch.name().to_owned())
            .collect(),
        timing: TimingFile {
            propose_ms: timing.propose,
            poll_ms: timing.poll,
            empty_block_ms: timing.empty_block,
            resend_ms: timing.resend,
            broadcast_ms: timing.broadcast,
            challenge_ms: timing.challenge,
            drift_ms: timing.drift,
            history_blocks: timing.history,
        },
        balances: genesis.balances.iter().map(balance_file).collect(),
    };
    let mut text = serde_json::to_string_pretty(&file).expect("every key is text");
    text.push('\n');
    text
}

/// Understands the text of a genesis file, or says what is wrong with it.
pub fn parse_genesis(text: &str) -> Result<Genesis, String> {
    let file: GenesisFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if file.schema != SCHEMA {
        return Err(format!("schema `{}` is not `{SCHEMA}`", file.schema));
    }
    if file.chain_id.is_empty() || file.chain_id.len() > CHAIN_ID_BYTES {
        return Err(format!("chain_id has 1 to {CHAIN_ID_BYTES} bytes"));
    }
    let nodes = validators(&file.validators)?;
    let place = |name: &str| parse_node(name, nodes.len());
    let leader = place(&file.leader).map_err(|what| format!("leader: {what}"))?;
    let sentries = file.sentries.iter().map(|name| place(name));
    let sentries: BTreeSet<NodeId> = sentries
        .collect::<Result<_, _>>()
        .map_err(|what| format!("sentries: {what}"))?;
    if sentries.contains(&leader) {
        return Err(format!("leader: {leader} is a sentry"));
    }
    Ok(Genesis {
        chain_id: file.chain_id.into(),
        db_owner: parse_owner(&file.db_owner)?.caller().into(),
        nodes,
        sentries,
        leader,
        time: WallMillis(file.time),
        rules: rules(&file.rules_off)?,
        timing: timing(&file.timing)?,
        balances: balances(&file.balances)?,
    })
}

fn balance_file(allocation: &Allocation) -> BalanceFile {
    BalanceFile {
        token: allocation.token.name().to_owned(),
        address: allocation.address.to_string(),
        amount: allocation.amount.to_string(),
    }
}

fn balances(file: &[BalanceFile]) -> Result<Vec<Allocation>, String> {
    let read = |one: &BalanceFile| {
        let parts = [&one.token, &one.address, &one.amount].map(String::as_str);
        allocation(parts).map_err(|what| format!("balances: {what}"))
    };
    let balances: Vec<Allocation> = file.iter().map(read).collect::<Result<_, _>>()?;
    let mut sum = Amount::ZERO;
    for balance in &balances {
        sum = sum
            .plus(balance.amount)
            .ok_or("balances: they come to more than there is room for")?;
    }
    Ok(balances)
}

/// What somebody has of a token, from its name, an address and an amount in the smallest units.
fn allocation([token, address, amount]: [&str; 3]) -> Result<Allocation, String> {
    let number: i128 = amount.parse().unwrap_or(0);
    if number <= 0 {
        return Err(format!("`{amount}` is no amount above 0"));
    }
    Ok(Allocation {
        token: Token::parse(token).ok_or_else(|| format!("`{token}` is neither IDOS nor USDC"))?,
        address: Address::parse(address)
            .ok_or_else(|| format!("`{address}` is no address (0x and 40 hex digits)"))?,
        amount: Amount(number),
    })
}

/// Balances in one line: `IDOS:0x..=500,USDC:0x..=7`, amounts in the smallest units; nothing for none.
pub fn parse_balances(text: &str) -> Result<Vec<Allocation>, String> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    let read = |part: &str| {
        let (token, rest) = part
            .split_once(':')
            .ok_or("a balance is TOKEN:ADDRESS=AMOUNT")?;
        let (address, amount) = rest
            .split_once('=')
            .ok_or("a balance is TOKEN:ADDRESS=AMOUNT")?;
        allocation([token, address, amount])
    };
    parts.map(read).collect()
}

/// The line [`parse_balances`] reads.
pub fn balances_text(balances: &[Allocation]) -> String {
    let one = |balance: &Allocation| {
        let Allocation {
            token,
            address,
            amount,
        } = balance;
        format!("{token}:{address}={amount}")
    };
    balances.iter().map(one).collect::<Vec<_>>().join(",")
}

fn validators(keys: &[String]) -> Result<Vec<Identity>, String> {
    if keys.is_empty() || keys.len() > NODES {
        let number = keys.len();
        return Err(format!(
            "a network has 1 to {NODES} validators, not {number}"
        ));
    }
    let mut validators = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        let node = NodeId(place as u16);
        let identity = Identity::parse_ed25519(key)
            .ok_or_else(|| format!("validator {node}: `{key}` is not an Ed25519 key in hex"))?;
        if validators.contains(&identity) {
            return Err(format!("validator {node}: its key is another's too"));
        }
        validators.push(identity);
    }
    Ok(validators)
}

/// The database owner as it is written: an address of any letter case, or an Ed25519 key.
pub fn parse_owner(text: &str) -> Result<Identity, String> {
    Identity::parse_evm(text)
        .or_else(|| Identity::parse_ed25519(text))
        .ok_or_else(|| {
            format!("db_owner `{text}` is neither an address (0x and 40 hex digits) nor an Ed25519 key (64)")
        })
}

/// A node by its name, `n1` being the first of so many.
pub fn parse_node(name: &str, nodes: usize) -> Result<NodeId, String> {
    let place = name
        .strip_prefix('n')
        .filter(|digits| !digits.starts_with(['0', '+']))
        .and_then(|digits| digits.parse::<u16>().ok());
    match place {
        Some(place) if usize::from(place) <= nodes && place > 0 => Ok(NodeId(place - 1)),
        _ => Err(format!(
            "there is no node `{name}`; known here: n1 to n{nodes}"
        )),
    }
}

fn rules(off: &[String]) -> Result<Rules, String> {
    off.iter().try_fold(Rules::documented(), |rules, name| {
        let switch = Switch::parse(name).ok_or_else(|| {
            format!("rules_off: there is no rule `{name}`; `assay rules` lists them")
        })?;
        Ok(rules.with(switch, false))
    })
}

/// A day; longer spans are mistakes.
const LONGEST: u64 = 366 * 86_400_000;

fn timing(file: &TimingFile) -> Result<Timing, String> {
    let spans = [
        ("propose_ms", file.propose_ms),
        ("poll_ms", file.poll_ms),
        ("empty_block_ms", file.empty_block_ms),
        ("resend_ms", file.resend_ms),
        ("broadcast_ms", file.broadcast_ms),
        ("challenge_ms", file.challenge_ms),
        ("drift_ms", file.drift_ms),
    ];
    if file.history_blocks == 0 {
        return Err("timing.history_blocks is at least 1".to_owned());
    }
    for (name, span) in spans {
        if span == 0 || span > LONGEST {
            return Err(format!("timing.{name} is 1 to {LONGEST}, not {span}"));
        }
    }
    Ok(Timing {
        propose: file.propose_ms,
        poll: file.poll_ms,
        empty_block: file.empty_block_ms,
        resend: file.resend_ms,
        broadcast: file.broadcast_ms,
        challenge: file.challenge_ms,
        drift: file.drift_ms,
        history: file.history_blocks,
    })
}

/// Reads a genesis file.
pub fn read_genesis(path: &Path) -> Result<Genesis, FileError> {
    let text = fs::read_to_string(path).map_err(|error| FileError::new(path, error))?;
    parse_genesis(&text).map_err(|what| FileError::new(path, what))
}

/// Writes a genesis file where there is none.
pub fn write_genesis(path: &Path, genesis: &Genesis) -> Result<(), FileError> {
    write_new(path, &genesis_text(genesis), 0o644)
}

/// Reads a key file.
pub fn read_key(path: &Path) -> Result<SigningKey, FileError> {
    let text = fs::read_to_string(path).map_err(|error| FileError::new(path, error))?;
    let mut secret = [0; 32];
    // What is in the file stays out of the message.
    hex::decode_to_slice(text.trim(), &mut secret)
        .map_err(|_| FileError::new(path, "a key is 64 hex digits on one line"))?;
    Ok(SigningKey {
        scheme: Scheme::Ed25519,
        secret,
    })
}

/// Writes a key file that its owner alone can read, where there is none.
pub fn write_key(path: &Path, key: &SigningKey) -> Result<(), FileError> {
    write_new(path, &format!("{}\n", hex::encode(key.secret)), 0o600)
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), FileError> {
    let wrong = |error: std::io::Error| {
        let what = match error.kind() {
            ErrorKind::AlreadyExists => "it exists already and is not overwritten".to_owned(),
            _ => error.to_string(),
        };
        FileError::new(path, what)
    };
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(wrong)?;
    file.write_all(text.as_bytes()).map_err(wrong)?;
    file.sync_all().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use assay_model::crypto::{KdfMemo, Real};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing;

    fn real() -> Real {
        Real::new(std::sync::Arc::new(KdfMemo::new()))
    }

    #[test]
    fn a_genesis_file_is_read_back_as_it_was_written() {
        let mut genesis = (*testing::genesis(&real(), 4)).clone();
        genesis.rules = Rules::documented().with(Switch::DagSingleUse, false);
        genesis.leader = NodeId(2);
        let text = genesis_text(&genesis);
        let read = parse_genesis(&text).unwrap();
        assert_eq!(format!("{read:?}"), format!("{genesis:?}"));
        assert_eq!(genesis_text(&read), text);
    }

    #[test]
    fn an_owner_in_lower_case_is_who_it_is() {
        let genesis = testing::genesis(&real(), 1);
        let text = genesis_text(&genesis);
        let lower = text.replace(&*genesis.db_owner, &genesis.db_owner.to_lowercase());
        assert_ne!(lower, text);
        assert_eq!(parse_genesis(&lower).unwrap().db_owner, genesis.db_owner);
    }

    #[test]
    fn what_is_wrong_with_a_genesis_file_is_said() {
        let sound = genesis_text(&testing::genesis(&real(), 2));
        let table = [
            (
                "/schema",
                json!("assay.genesis/9"),
                "is not `assay.genesis/1`",
            ),
            ("/chain_id", json!(""), "1 to 200 bytes"),
            ("/db_owner", json!("0x12"), "neither an address"),
            ("/validators", json!([]), "1 to 100 validators"),
            ("/validators/1", json!("00"), "validator n2"),
            ("/leader", json!("n3"), "n1 to n2"),
            ("/leader", json!("n0"), "n1 to n2"),
            ("/leader", json!("n01"), "n1 to n2"),
            ("/time", json!(-1), "u64"),
            ("/rules_off", json!(["dag"]), "no rule `dag`"),
            ("/timing/poll_ms", json!(0), "timing.poll_ms"),
            (
                "/timing",
                json!({ "propose": 1 }),
                "unknown field `propose`",
            ),
        ];
        for (place, wrong, told) in table {
            let mut file: Value = serde_json::from_str(&sound).unwrap();
            *file.pointer_mut(place).unwrap() = wrong;
            let what = parse_genesis(&file.to_string()).unwrap_err();
            assert!(what.contains(told), "{place}: {what}");
        }
        let mut file: Value = serde_json::from_str(&sound).unwrap();
        file["colour"] = json!("red");
        let what = parse_genesis(&file.to_string()).unwrap_err();
        assert!(what.contains("unknown field `colour`"), "{what}");
    }

    #[test]
    fn a_key_is_for_its_owner_and_never_overwritten_or_shown() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(KEY_FILE);
        let key = testing::node_key(NodeId(0));
        write_key(&path, &key).unwrap();
        assert_eq!(read_key(&path).unwrap(), key);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = write_key(&path, &key).unwrap_err();
        assert!(again.what.contains("not overwritten"), "{again}");
        fs::write(&path, "secret words").unwrap();
        let wrong = read_key(&path).unwrap_err().to_string();
        assert!(
            wrong.contains("node.key") && !wrong.contains("words"),
            "{wrong}"
        );
    }
}
