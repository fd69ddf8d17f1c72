//! The network a target is asked for, and the values its texts are filled in with.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use assay_model::bridge::Allocation;
use assay_model::id::NodeId;
use assay_model::node::Timing;
use assay_model::rules::{Rules, Switch};
use assay_model::time::WallMillis;
use assay_node::genesis::balances_text;

use super::target::{Argument, Command, Target, Template, Values};

/// What a network has to be like.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// How many nodes.
    pub nodes: u16,
    /// Its name.
    pub chain_id: String,
    /// Caller identity of the database owner.
    pub db_owner: String,
    /// Decides everything that is left to chance: keys of nodes, and what lossy links lose.
    pub seed: u64,
    /// Chain time before the first block.
    pub genesis_time: WallMillis,
    /// Which promises the nodes keep.
    pub rules: Rules,
    /// Durations of the protocol.
    pub timing: Timing,
    /// Who leads at first.
    pub leader: NodeId,
    /// What people have of the tokens from the start.
    pub balances: Vec<Allocation>,
    /// Who does not vote at first.
    pub sentries: BTreeSet<NodeId>,
    /// What `{self}` stands for: the running executable, in general.
    pub assay: PathBuf,
}

impl NetworkPlan {
    /// Every node, in order.
    pub fn all(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes).map(NodeId)
    }

    /// Rules that are not kept.
    pub fn turned(&self) -> Vec<Switch> {
        let differences = Rules::documented().differences(self.rules);
        differences.map(|(switch, _)| switch).collect()
    }

    /// Names of those who do not vote at first, with commas between them.
    fn sentries(&self) -> String {
        let names: Vec<String> = self.sentries.iter().map(NodeId::to_string).collect();
        names.join(",")
    }

    /// Values every text may name.
    pub(crate) fn values(&self, dir: &Path) -> Values {
        let timing = &self.timing;
        Values::from([
            ("self", self.assay.display().to_string()),
            ("dir", dir.display().to_string()),
            ("nodes", self.nodes.to_string()),
            ("chain_id", self.chain_id.clone()),
            ("db_owner", self.db_owner.clone()),
            ("seed", self.seed.to_string()),
            ("genesis_time_ms", self.genesis_time.0.to_string()),
            ("propose_ms", timing.propose.to_string()),
            ("poll_ms", timing.poll.to_string()),
            ("empty_block_ms", timing.empty_block.to_string()),
            ("resend_ms", timing.resend.to_string()),
            ("broadcast_ms", timing.broadcast.to_string()),
            ("challenge_ms", timing.challenge.to_string()),
            ("drift_ms", timing.drift.to_string()),
            ("history_blocks", timing.history.to_string()),
            ("first_leader", self.leader.to_string()),
            ("balances", balances_text(&self.balances)),
            ("sentries", self.sentries()),
        ])
    }
}

/// Values that say which node is meant.
pub(crate) fn place(values: &mut Values, node: NodeId) {
    values.insert("node", node.to_string());
    values.insert("index", node.0.to_string());
    values.insert("number", (node.0 + 1).to_string());
}

/// Where a node really listens. Only proxies and the harness itself go there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) rpc: SocketAddr,
    pub(crate) peer: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Addresses {
    pub(crate) fn put(&self, values: &mut Values) {
        values.insert("host", self.rpc.ip().to_string());
        values.insert("rpc", self.rpc.to_string());
        values.insert("rpc_port", self.rpc.port().to_string());
        values.insert("peer", self.peer.to_string());
        values.insert("peer_port", self.peer.port().to_string());
        values.insert("admin", self.admin.to_string());
        values.insert("admin_port", self.admin.port().to_string());
    }
}

/// Where a network is: a loopback address nobody else is likely to use, and ports on it.
///
/// Ports are not tried out by taking them: a process that is started at the same moment, for another
/// network, would hold a copy of the socket for as long as it takes to become another program. They are
/// below those the system gives out, which is where proxies and outgoing connections get theirs.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) ip: IpAddr,
    pub(crate) nodes: Vec<Addresses>,
}

impl Ground {
    /// Finds a place for so many nodes where nobody listens.
    pub(crate) fn find(nodes: u16) -> Result<Ground, String> {
        const TRIES: u32 = 16;
        for attempt in 0..TRIES {
            let mut ground = Ground::pick(nodes);
            if attempt + 1 == TRIES {
                // Where 127.0.0.1 is the only loopback address, it has to do.
                ground.move_to(IpAddr::V4(Ipv4Addr::LOCALHOST));
            }
            if TcpListener::bind((ground.ip, 0)).is_ok() && ground.is_free() {
                return Ok(ground);
            }
        }
        Err(format!("no free ports in {TRIES} places on loopback"))
    }

    /// Another place each time, and others in other processes.
    fn pick(nodes: u16) -> Ground {
        const LOWEST: u32 = 10_000;
        const HIGHEST: u32 = 30_000;
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mixed = std::process::id()
            .wrapping_mul(0x9E37_79B1)
            .wrapping_add(count.wrapping_mul(0x85EB_CA77));
        let [a, b, c, d] = mixed.to_be_bytes();
        // Neither 127.0.x.y, where everybody is, nor the ends of a network.
        let ip = IpAddr::V4(Ipv4Addr::new(127, 1 + a % 254, b, 1 + c % 254));
        let first = LOWEST + u32::from(d) * (HIGHEST - LOWEST) / 256;
        let ports = (first..).step_by(3).take(usize::from(nodes));
        let at = |port: u32| SocketAddr::new(ip, port as u16);
        let node = |port| Addresses {
            rpc: at(port),
            peer: at(port + 1),
            admin: at(port + 2),
        };
        Ground {
            ip,
            nodes: ports.map(node).collect(),
        }
    }

    fn move_to(&mut self, ip: IpAddr) {
        self.ip = ip;
        for node in &mut self.nodes {
            for at in [&mut node.rpc, &mut node.peer, &mut node.admin] {
                at.set_ip(ip);
            }
        }
    }

    fn is_free(&self) -> bool {
        let mut all = self
            .nodes
            .iter()
            .flat_map(|node| [node.rpc, node.peer, node.admin]);
        all.all(|at| TcpStream::connect(at).is_err())
    }
}

/// A command with everything filled in; `peers` holds one set of values per peer.
pub(crate) fn argv(
    target: &Target,
    command: &Command,
    values: &Values,
    peers: &[Values],
    turned: &[Switch],
) -> Vec<String> {
    let filled = |texts: &[Template], values: &Values| -> Vec<String> {
        texts.iter().map(|text| text.fill(values)).collect()
    };
    let mut argv = Vec::new();
    for argument in command {
        match argument {
            Argument::One(text) => argv.push(text.fill(values)),
            Argument::Peers => {
                argv.extend(
                    peers
                        .iter()
                        .flat_map(|peer| filled(&target.peer_args, peer)),
                );
            }
            Argument::Rules => {
                argv.extend(turned.iter().flat_map(|switch| {
                    let values = Values::from([
                        ("rule", switch.name().to_owned()),
                        ("position", "off".to_owned()),
                    ]);
                    filled(&target.rule_args, &values)
                }));
            }
        }
    }
    argv
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_addresses_are_the_same_and_none_is_taken() {
        let mut all = BTreeSet::new();
        for _ in 0..20 {
            let ground = Ground::find(7).unwrap();
            assert!(ground.ip.is_loopback());
            let nodes = ground.nodes.iter();
            all.extend(nodes.flat_map(|node| [node.rpc, node.peer, node.admin]));
        }
        assert_eq!(all.len(), 20 * 21);
        let taken = Ground::find(1).unwrap();
        let _listener = TcpListener::bind(taken.nodes[0].peer).unwrap();
        assert!(!taken.is_free());
    }
}
