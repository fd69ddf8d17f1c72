//! What a node is told when it starts: by flags, else by environment, else by `node.toml`, else by default.
//!
//! The file's keys are the flags with underscores, and `peers` is a table of addresses by node. The variables are
//! `ASSAY_NODE_RPC`, `ASSAY_NODE_PEERS_LISTEN`, `ASSAY_NODE_ADMIN`, `ASSAY_NODE_PEERS`
//! (`n2=127.0.0.1:6602,n3=..`), `ASSAY_NODE_TIME_FILE`, `ASSAY_NODE_LOG` and `ASSAY_NODE_LOG_LEVEL`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use crate::genesis::FileError;

/// Name of the settings file in a node's directory.
pub const SETTINGS_FILE: &str = "node.toml";
/// Variable that names a node's directory.
pub const HOME_VARIABLE: &str = "ASSAY_NODE_HOME";

const PREFIX: &str = "ASSAY_NODE_";

/// Where clients find a node that was told nothing else; the port is kwil's. Source: kwil-rpc 7.
const RPC: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8_484);
/// The same for peers.
const PEERS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 6_600);

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One object a line.
    Json,
    /// For people.
    Text,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<LogFormat, String> {
        match text {
            "json" => Ok(LogFormat::Json),
            "text" => Ok(LogFormat::Text),
            other => Err(format!("`{other}` is neither `json` nor `text`")),
        }
    }
}

/// What one source says; what it leaves open, the next one may say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Told {
    pub rpc: Option<SocketAddr>,
    pub peers_listen: Option<SocketAddr>,
    pub admin: Option<SocketAddr>,
    #[serde(default)]
    pub peers: BTreeMap<String, SocketAddr>,
    pub time_file: Option<PathBuf>,
    pub log: Option<LogFormat>,
    pub log_level: Option<String>,
}

/// Everything a node is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The node's directory.
    pub home: PathBuf,
    /// Where clients are served.
    pub rpc: SocketAddr,
    /// Where peers are accepted.
    pub peers_listen: SocketAddr,
    /// Where the operator is served; nowhere unless told.
    pub admin: Option<SocketAddr>,
    /// Where the other nodes listen, by name.
    pub peers: BTreeMap<String, SocketAddr>,
    /// A file that sets the clock, for tests; none unless told.
    pub time_file: Option<PathBuf>,
    /// How log lines are written.
    pub log: LogFormat,
    /// What is logged: a level, or directives such as `info,assay::peer=debug`.
    pub log_level: String,
}

/// A setting that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// In the settings file.
    #[error(transparent)]
    File(#[from] FileError),
    /// In a variable of the environment.
    #[error("environment variable {name}: {what}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong with it, and what was expected.
        what: String,
    },
}

impl Told {
    /// What the environment says.
    pub fn by_environment(get: impl Fn(&str) -> Option<String>) -> Result<Told, ConfigError> {
        let peers = parsed(&get, "PEERS", parse_peers)?;
        Ok(Told {
            rpc: parsed(&get, "RPC", parse_address)?,
            peers_listen: parsed(&get, "PEERS_LISTEN", parse_address)?,
            admin: parsed(&get, "ADMIN", parse_address)?,
            peers: peers.unwrap_or_default(),
            time_file: get(&format!("{PREFIX}TIME_FILE")).map(PathBuf::from),
            log: parsed(&get, "LOG", str::parse)?,
            log_level: get(&format!("{PREFIX}LOG_LEVEL")),
        })
    }

    /// What the settings file of a directory says; nothing if there is none.
    pub fn by_file(home: &Path) -> Result<Told, ConfigError> {
        let path = home.join(SETTINGS_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Told::default()),
            Err(error) => return Err(FileError::new(&path, error).into()),
        };
        let told = toml::from_str(&text).map_err(|error| FileError::new(&path, error))?;
        Ok(told)
    }

    /// This, and what is below where this leaves something open. Peers are taken one by one.
    pub fn over(self, below: Told) -> Told {
        let mut peers = below.peers;
        peers.extend(self.peers);
        Told {
            rpc: self.rpc.or(below.rpc),
            peers_listen: self.peers_listen.or(below.peers_listen),
            admin: self.admin.or(below.admin),
            peers,
            time_file: self.time_file.or(below.time_file),
            log: self.log.or(below.log),
            log_level: self.log_level.or(below.log_level),
        }
    }

    /// The settings, with defaults where nobody said anything.
    pub fn settle(self, home: PathBuf) -> Settings {
        Settings {
            home,
            rpc: self.rpc.unwrap_or(RPC),
            peers_listen: self.peers_listen.unwrap_or(PEERS),
            admin: self.admin,
            peers: self.peers,
            time_file: self.time_file,
            log: self.log.unwrap_or(LogFormat::Text),
            log_level: self.log_level.unwrap_or_else(|| "info".to_owned()),
        }
    }
}

impl Settings {
    /// Asks flags, environment and file, in this order.
    pub fn gather(
        home: PathBuf,
        flags: Told,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Settings, ConfigError> {
        let told = flags
            .over(Told::by_environment(environment)?)
            .over(Told::by_file(&home)?);
        Ok(told.settle(home))
    }
}

fn parsed<T>(
    get: impl Fn(&str) -> Option<String>,
    name: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, ConfigError> {
    let name = format!("{PREFIX}{name}");
    get(&name)
        .map(|text| parse(&text).map_err(|what| ConfigError::Variable { name, what }))
        .transpose()
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is no address; one is written 127.0.0.1:8484"))
}

/// A peer as flags name it, `n2=127.0.0.1:6602`.
pub fn parse_peer(text: &str) -> Result<(String, SocketAddr), String> {
    let (name, address) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is no peer; one is written n2=127.0.0.1:6602"))?;
    Ok((name.to_owned(), parse_address(address)?))
}

fn parse_peers(text: &str) -> Result<BTreeMap<String, SocketAddr>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|peer| !peer.is_empty())
        .map(parse_peer)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[test]
    fn flags_come_before_the_environment_and_that_before_the_file() {
        let home = tempfile::tempdir().unwrap();
        let file = "rpc = '127.0.0.1:1'\npeers_listen = '127.0.0.1:1'\nadmin = '127.0.0.1:1'\n\
                    log = 'json'\n[peers]\nn2 = '127.0.0.1:1'\nn3 = '127.0.0.1:1'\n";
        fs::write(home.path().join(SETTINGS_FILE), file).unwrap();
        let environment = |name: &str| match name {
            "ASSAY_NODE_RPC" | "ASSAY_NODE_PEERS_LISTEN" => Some("127.0.0.1:2".to_owned()),
            "ASSAY_NODE_PEERS" => Some("n3=127.0.0.1:2, n4=127.0.0.1:2".to_owned()),
            _ => None,
        };
        let flags = Told {
            rpc: Some(at(3)),
            peers: BTreeMap::from([("n4".to_owned(), at(3))]),
            ..Told::default()
        };
        let settings = Settings::gather(home.path().to_owned(), flags, environment).unwrap();
        let expected = Settings {
            home: home.path().to_owned(),
            rpc: at(3),
            peers_listen: at(2),
            admin: Some(at(1)),
            peers: [("n2", at(1)), ("n3", at(2)), ("n4", at(3))]
                .map(|(name, address)| (name.to_owned(), address))
                .into(),
            time_file: None,
            log: LogFormat::Json,
            log_level: "info".to_owned(),
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn what_cannot_be_meant_is_said_with_its_place() {
        let check = |name: &'static str, value: &'static str, told: &str| {
            let environment = |asked: &str| (asked == name).then(|| value.to_owned());
            let error = Told::by_environment(environment).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(told), "{error}");
        };
        check("ASSAY_NODE_RPC", "8484", "written 127.0.0.1:8484");
        check("ASSAY_NODE_PEERS", "n2", "written n2=127.0.0.1:6602");
        check("ASSAY_NODE_LOG", "yaml", "neither `json` nor `text`");
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(SETTINGS_FILE), "rcp = '127.0.0.1:1'\n").unwrap();
        let error = Told::by_file(home.path()).unwrap_err().to_string();
        assert!(
            error.contains("node.toml") && error.contains("unknown field `rcp`"),
            "{error}"
        );
    }
}
