//! Where a story takes place: what the stage needs done to nodes and links, whatever they are made of.
//!
//! Two venues exist: the reference node's code on simulated sockets, and real processes behind proxies.
//! The stage decides when something goes wrong and how it is measured; a venue gives it a body.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use assay_model::id::{
    AppHash, CredentialId, GrantId, Height, NodeId, TablesDigest, UserId, WriteGrantId,
};
use assay_model::node::Node;
use assay_model::time::{Millis, WallMillis};
use assay_node::runtime::{Net, Skew};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// What a link between two nodes, in one direction, does to what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Passes it on.
    #[default]
    Open,
    /// Keeps it, without a sign to either side, until the link opens again.
    Stalled,
    /// Closes what is open, and every new connection at once.
    Refused,
    /// Passes it on so much later.
    Slow(Millis),
    /// Breaks the connection, and with it what is under way, for so many of a million pieces.
    Lossy(u32),
}

/// Which link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// What one node sends to another.
    Peers {
        /// Sender.
        from: NodeId,
        /// Receiver.
        to: NodeId,
    },
    /// Between clients and a node, both directions.
    Clients {
        /// The node.
        node: NodeId,
    },
}

/// What a look into a stopped node's tables showed. Digests are hex, ids are UUIDs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub struct Inspection {
    pub height: Height,
    #[serde(deserialize_with = "digest")]
    pub app_hash: AppHash,
    #[serde(default, deserialize_with = "tables")]
    pub tables: Option<TablesDigest>,
    #[serde(deserialize_with = "ids")]
    pub credentials: Vec<CredentialId>,
    #[serde(deserialize_with = "ids")]
    pub grants: Vec<GrantId>,
    #[serde(deserialize_with = "ids")]
    pub users: Vec<UserId>,
    #[serde(default)]
    pub oldest: Option<Height>,
    /// Used dWGs of which something is kept that names somebody.
    #[serde(default, deserialize_with = "named")]
    pub consumed_write_grants: Vec<WriteGrantId>,
}

impl Inspection {
    /// What a node's own state shows.
    pub fn of(node: &Node) -> Inspection {
        let tables = node.state().tables();
        Inspection {
            height: node.height(),
            app_hash: node.app_hash(),
            tables: Some(node.state().digest()),
            credentials: tables.credentials.keys().copied().collect(),
            grants: tables.access_grants.keys().copied().collect(),
            users: tables.users.keys().copied().collect(),
            oldest: Some(node.oldest()),
            consumed_write_grants: tables
                .consumed_write_grants
                .iter()
                .filter(|(_, row)| row.names_somebody())
                .map(|(id, _)| *id)
                .collect(),
        }
    }
}

fn bytes<E: serde::de::Error>(text: &str) -> Result<[u8; 32], E> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| E::custom("a digest is 64 hex digits"))?;
    Ok(bytes)
}

/// Rows are named by their ids: texts, or objects with a member `id`.
fn ids<'de, D: Deserializer<'de>, T: FromStr>(from: D) -> Result<Vec<T>, D::Error> {
    let rows = Vec::<serde_json::Value>::deserialize(from)?;
    let id = |row: &serde_json::Value| {
        let text = row.as_str().or_else(|| row.get("id")?.as_str());
        let id = text.and_then(|text| text.parse().ok());
        id.ok_or_else(|| D::Error::custom(format!("a row has no id: {row}")))
    };
    rows.iter().map(id).collect()
}

/// Of the records of used papers those that name somebody.
fn named<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<WriteGrantId>, D::Error> {
    let rows = Vec::<serde_json::Value>::deserialize(from)?;
    let names = |row: &&serde_json::Value| {
        let says = |key| {
            row.get(key)
                .is_some_and(|it| it.as_str().is_some_and(|it| !it.is_empty()))
        };
        says("owner") || says("grantee")
    };
    let id = |row: &serde_json::Value| {
        let id = row.get("id").and_then(|id| id.as_str()?.parse().ok());
        id.ok_or_else(|| D::Error::custom(format!("a row has no id: {row}")))
    };
    rows.iter().filter(names).map(id).collect()
}

fn digest<'de, D: Deserializer<'de>>(from: D) -> Result<AppHash, D::Error> {
    bytes(&String::deserialize(from)?).map(AppHash)
}

fn tables<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TablesDigest>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    text.map(|text| bytes(&text).map(TablesDigest)).transpose()
}

/// Where bytes of a node can be found once it has stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Files and directories it keeps its data in.
    pub data: Vec<PathBuf>,
    /// What it wrote to standard output and standard error.
    pub logs: Vec<PathBuf>,
    /// What peers sent to it, as captured on its links.
    pub peer_traffic: Vec<PathBuf>,
    /// What clients sent to it.
    pub client_traffic: Vec<PathBuf>,
}

/// A venue could not do what it was asked to.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Trouble {
    /// The target does not make a network.
    #[error("the network was not initialised: {0}")]
    Init(String),
    /// A node of the target does not start, or does not get ready.
    #[error("{node} did not start: {why}")]
    Start {
        /// The node.
        node: NodeId,
        /// What was tried, what came of it, and where to look.
        why: String,
    },
    /// The harness itself failed.
    #[error("{0}")]
    Harness(String),
}

/// See the module. Every node is either down or up; what is up may be paused.
#[allow(async_fn_in_trait)]
pub trait Venue {
    /// The sockets clients of this venue use.
    type Net: Net;

    /// The sockets clients use.
    fn net(&self) -> Self::Net;

    /// What the clock of a node shows that is not skewed.
    fn wall(&self) -> WallMillis;

    /// Whether time can be skipped.
    fn can_skip(&self) -> bool;

    /// How long before it takes effect nodes must be told of a skip.
    fn skip_lead(&self) -> Duration;

    /// How long nothing must have been heard before time is skipped: longer than anything takes by itself.
    fn calm(&self) -> Duration;

    /// How much is skipped at once while somebody waits for an answer, in milliseconds; 0 where waiting
    /// costs nothing, and time is skipped only while nobody does.
    fn stride(&self) -> u64;

    /// How long a client of a node holds back a request before it sends it, and an answer before it hears
    /// it, where links cannot do that.
    fn client_delay(&self, _node: NodeId) -> Duration {
        Duration::ZERO
    }

    /// Where the harness itself looks at a node, past every link.
    fn look(&self, node: NodeId) -> SocketAddr;

    /// How often to look what a node has committed.
    fn watch_every(&self) -> Duration;

    /// How long a node may take until it answers and has caught up.
    fn ready_limit(&self) -> Duration;

    /// The end of a node's log, for people; empty where there is none.
    fn last_words(&self, node: NodeId) -> String;

    /// Where clients reach a node.
    fn rpc(&self, node: NodeId) -> SocketAddr;

    /// Starts a node that is down. It may not be ready when this returns.
    async fn start(&mut self, node: NodeId) -> Result<(), Trouble>;

    /// Ends a node at once, with nothing written that was not written yet.
    async fn kill(&mut self, node: NodeId) -> Result<(), Trouble>;

    /// Asks a node to stop and waits until it has; kills it when it does not.
    async fn stop(&mut self, node: NodeId) -> Result<(), Trouble>;

    /// Stops a node from doing anything, without telling it.
    async fn pause(&mut self, node: NodeId) -> Result<(), Trouble>;

    /// Lets a paused node go on.
    async fn resume(&mut self, node: NodeId) -> Result<(), Trouble>;

    /// Whether the node's process is there, paused or not.
    fn is_up(&mut self, node: NodeId) -> bool;

    /// Takes everything from the disk of a node that is down, but for what it was initialised with.
    async fn wipe(&mut self, node: NodeId) -> Result<(), Trouble>;

    /// Keeps a copy of the disk of a node that is down.
    async fn keep_copy(&mut self, node: NodeId) -> Result<(), Trouble>;

    /// Puts the kept copy in place of the disk of a node that is down.
    async fn roll_back(&mut self, node: NodeId) -> Result<(), Trouble>;

    /// Tells a running node who leads from now on. Terms count the leaders.
    async fn appoint(&mut self, node: NodeId, term: u32, leader: NodeId) -> Result<(), Trouble>;

    /// Sets a node's clock.
    fn set_clock(&mut self, node: NodeId, skew: Skew) -> Result<(), Trouble>;

    /// Changes what a link does.
    fn set_link(&mut self, way: Way, link: Link);

    /// What links have done to traffic so far: bytes held back, delayed or lost, connections refused.
    fn effect(&self, way: Way) -> u64;

    /// Looks into the tables of a node that is down; nothing when the target offers no way.
    async fn inspect(&mut self, node: NodeId) -> Result<Option<Inspection>, Trouble>;

    /// Where to search for what should not be there, once every node has stopped.
    fn remains(&self, node: NodeId) -> Remains;

    /// A directory for the harness's own files.
    fn scratch(&self) -> PathBuf;

    /// Why nothing of this run can be relied on, if so: for instance a node that goes round its links.
    fn doubts(&mut self) -> Vec<String>;
}
