//! turmoil as a venue. What only the simulation itself can do (crash a host, start it, change a latency) is
//! left for its loop between two steps.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use assay_model::crypto::{SigningKey, Suite};
use assay_model::id::NodeId;
use assay_model::node::{Genesis, Node, Outbox};
use assay_model::time::{Millis, WallMillis};
use assay_node::codec::encode_record;
use assay_node::runtime::Skew;
use assay_node::shell::Handle;
use assay_node::store::{Copied, Memory};
use assay_scenarios::plan::{Network, Plan};
use assay_sim::{Domain, Seed};
use tempfile::TempDir;
use tokio::sync::watch;

use super::net::{Links, Sockets, host};
use super::{CLIENTS, wall};
use crate::venue::{Inspection, Link, Remains, Trouble, Venue, Way};

/// What the loop is to do between two steps.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Crash(NodeId),
    Bounce(NodeId),
    Latency(String, String, Millis),
}

/// A node's machine: what survives its process, and what reaches into it.
#[derive(Clone)]
pub(super) struct Machine {
    pub(super) key: SigningKey,
    pub(super) disk: Memory,
    pub(super) skew: watch::Sender<Skew>,
    /// Whether the process should run. Hosts of a simulation all start with it.
    pub(super) wanted: watch::Sender<bool>,
    /// The node that runs, for its operator.
    pub(super) handle: Arc<Mutex<Option<Handle>>>,
    births: Arc<AtomicU64>,
}

impl Machine {
    pub(super) fn new(key: SigningKey) -> Machine {
        Machine {
            key,
            disk: Memory::default(),
            skew: watch::Sender::default(),
            wanted: watch::Sender::default(),
            handle: Arc::default(),
            births: Arc::default(),
        }
    }

    /// Bytes that no other life of any process has.
    pub(super) fn birth(&self) -> [u8; 32] {
        let birth = self.births.fetch_add(1, Ordering::Relaxed);
        let mut hash = blake3::Hasher::new_keyed(&self.key.secret);
        *hash.update(&birth.to_le_bytes()).finalize().as_bytes()
    }
}

/// See the module.
pub(super) struct Simulated {
    genesis: Arc<Genesis>,
    suite: Arc<dyn Suite>,
    machines: Vec<Machine>,
    links: Links,
    seed: Seed,
    network: Network,
    /// What was last made of each pair of nodes.
    pairs: BTreeMap<(NodeId, NodeId), (Link, Link)>,
    pub(super) commands: Arc<Mutex<Vec<Command>>>,
    up: Vec<bool>,
    started: Vec<bool>,
    copies: Vec<Option<Copied>>,
    net: Sockets,
    dir: TempDir,
}

impl Simulated {
    pub(super) fn new(
        genesis: Arc<Genesis>,
        suite: Arc<dyn Suite>,
        machines: Vec<Machine>,
        links: Links,
        (plan, seed): (&Plan, Seed),
    ) -> Simulated {
        let nodes = usize::from(plan.nodes);
        Simulated {
            genesis,
            suite,
            machines,
            net: Sockets::new(None, plan.nodes, links.clone()),
            links,
            seed,
            network: plan.network,
            pairs: BTreeMap::new(),
            commands: Arc::default(),
            up: vec![false; nodes],
            started: vec![false; nodes],
            copies: vec![None; nodes],
            dir: TempDir::new().expect("a directory for what nodes leave behind"),
        }
    }

    /// Has the loop do something, and waits until it has.
    async fn command(&self, command: Command) {
        self.push(command);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }

    fn push(&self, command: Command) {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.push(command);
    }

    /// How long a message takes between two hosts, nothing being wrong: drawn once for each pair. Draws for
    /// each message would be turmoil's, in an order that hangs on more than the seed.
    fn latency(&self, one: u16, other: u16) -> Millis {
        let pair = u64::from(one.min(other)) << 16 | u64::from(one.max(other));
        let mut draw = self.seed.draw(Domain::Peer, pair, 0);
        let jitter = draw.below(self.network.jitter.0 + 1);
        self.network.latency + Millis(jitter)
    }

    fn set_pair(&mut self, one: NodeId, other: NodeId) {
        let link = |from, to| self.links.get(Way::Peers { from, to });
        let links = (link(one, other), link(other, one));
        if self.pairs.insert((one, other), links) == Some(links) {
            return;
        }
        let (first, second) = (host(one), host(other));
        let cut = |link: Link| matches!(link, Link::Stalled | Link::Refused);
        turmoil::release(first.as_str(), second.as_str());
        turmoil::repair(first.as_str(), second.as_str());
        match links {
            (Link::Stalled, Link::Stalled) => turmoil::hold(first.as_str(), second.as_str()),
            (Link::Refused, _) | (_, Link::Refused) => {
                turmoil::partition(first.as_str(), second.as_str());
            }
            (there, back) => {
                if cut(there) {
                    turmoil::partition_oneway(first.as_str(), second.as_str());
                }
                if cut(back) {
                    turmoil::partition_oneway(second.as_str(), first.as_str());
                }
            }
        }
        let slow = delay(links.0).max(delay(links.1));
        let pace = self.latency(one.0, other.0) + slow;
        self.push(Command::Latency(first, second, pace));
    }

    fn machine(&self, node: NodeId) -> &Machine {
        &self.machines[node.index()]
    }
}

impl Venue for Simulated {
    type Net = Sockets;

    fn net(&self) -> Sockets {
        self.net.clone()
    }

    fn wall(&self) -> WallMillis {
        wall()
    }

    fn can_skip(&self) -> bool {
        true
    }

    fn skip_lead(&self) -> Duration {
        Duration::ZERO
    }

    fn calm(&self) -> Duration {
        // A connection and a question are two round trips.
        Duration::from_millis(250)
    }

    fn stride(&self) -> u64 {
        0
    }

    fn client_delay(&self, node: NodeId) -> Duration {
        // The people's host has one link to each node, which the harness looks through as well.
        let delay = delay(self.links.get(Way::Clients { node }));
        Duration::from_millis(delay.0)
    }

    fn look(&self, node: NodeId) -> SocketAddr {
        self.rpc(node)
    }

    fn watch_every(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn ready_limit(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn last_words(&self, _node: NodeId) -> String {
        String::new()
    }

    fn rpc(&self, node: NodeId) -> SocketAddr {
        (turmoil::lookup(host(node)), CLIENTS).into()
    }

    async fn start(&mut self, node: NodeId) -> Result<(), Trouble> {
        self.machine(node).wanted.send_replace(true);
        if std::mem::replace(&mut self.started[node.index()], true) {
            self.command(Command::Bounce(node)).await;
        }
        self.up[node.index()] = true;
        self.links.is_up(node, true);
        Ok(())
    }

    async fn kill(&mut self, node: NodeId) -> Result<(), Trouble> {
        self.links.is_up(node, false);
        self.command(Command::Crash(node)).await;
        self.machine(node).disk.crash();
        self.up[node.index()] = false;
        Ok(())
    }

    async fn stop(&mut self, node: NodeId) -> Result<(), Trouble> {
        self.machine(node).wanted.send_replace(false);
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.kill(node).await
    }

    async fn pause(&mut self, node: NodeId) -> Result<(), Trouble> {
        Err(impossible("pause", node))
    }

    async fn resume(&mut self, node: NodeId) -> Result<(), Trouble> {
        Err(impossible("resume", node))
    }

    fn is_up(&mut self, node: NodeId) -> bool {
        self.up[node.index()]
    }

    async fn wipe(&mut self, node: NodeId) -> Result<(), Trouble> {
        self.machine(node).disk.wipe();
        Ok(())
    }

    async fn keep_copy(&mut self, node: NodeId) -> Result<(), Trouble> {
        self.copies[node.index()] = Some(self.machine(node).disk.copied());
        Ok(())
    }

    async fn roll_back(&mut self, node: NodeId) -> Result<(), Trouble> {
        if let Some(copy) = self.copies[node.index()].take() {
            self.machine(node).disk.put_back(copy);
        }
        Ok(())
    }

    async fn appoint(&mut self, node: NodeId, term: u32, leader: NodeId) -> Result<(), Trouble> {
        let handle = self.machine(node).handle.lock();
        let handle = handle.unwrap_or_else(PoisonError::into_inner).clone();
        let Some(handle) = handle else {
            let why = format!("{node} is not there to be told of its leader");
            return Err(Trouble::Harness(why));
        };
        let taken = handle.appoint(term, leader).await;
        taken
            .map(drop)
            .map_err(|gone| Trouble::Harness(format!("{node}: {gone}")))
    }

    fn set_clock(&mut self, node: NodeId, skew: Skew) -> Result<(), Trouble> {
        self.machine(node).skew.send_replace(skew);
        Ok(())
    }

    fn set_link(&mut self, way: Way, link: Link) {
        self.links.set(way, link);
        // turmoil knows pairs of hosts; both directions of a pair are set one after the other.
        if let Way::Peers { from, to } = way
            && from > to
        {
            self.set_pair(to, from);
        }
    }

    fn effect(&self, way: Way) -> u64 {
        self.links.effect(way)
    }

    async fn inspect(&mut self, node: NodeId) -> Result<Option<Inspection>, Trouble> {
        let machine = self.machine(node);
        let records = machine.disk.records();
        let (genesis, suite) = (self.genesis.clone(), self.suite.clone());
        let key = machine.key.clone();
        let restored = Node::restore(node, genesis, suite, key, &records, &mut Outbox::default());
        Ok(Some(Inspection::of(&restored)))
    }

    fn remains(&self, node: NodeId) -> Remains {
        let records = self.machine(node).disk.records();
        let data: Vec<u8> = records.iter().flat_map(encode_record).collect();
        let peers = (0..self.up.len() as u16).map(NodeId);
        let peers: Vec<u8> = peers
            .filter(|from| *from != node)
            .flat_map(|from| self.links.captured(Way::Peers { from, to: node }))
            .collect();
        let clients = self.links.captured(Way::Clients { node });
        let put = |what: &str, bytes: &[u8]| {
            let path = self.scratch().join(format!("{node}-{what}"));
            std::fs::write(&path, bytes).expect("there is room for what was in memory");
            vec![path]
        };
        Remains {
            data: put("data", &data),
            logs: Vec::new(),
            peer_traffic: put("peers", &peers),
            client_traffic: put("clients", &clients),
        }
    }

    fn scratch(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    fn doubts(&mut self) -> Vec<String> {
        Vec::new()
    }
}

fn delay(link: Link) -> Millis {
    match link {
        Link::Slow(delay) => delay,
        Link::Open | Link::Stalled | Link::Refused | Link::Lossy(_) => Millis::ZERO,
    }
}

fn impossible(what: &str, node: NodeId) -> Trouble {
    Trouble::Harness(format!("{what} {node}: a simulated host cannot be paused"))
}
