//! The node as a program: its directory, its sockets, its signals.

mod cluster;
mod conduct;
mod found;
mod inspect;
mod logs;
mod time_file;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assay_model::crypto::{KdfMemo, Real, SigningKey, Suite};
use assay_model::id::NodeId;
use assay_model::node::Genesis;
use assay_model::time::WallMillis;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::field::display;
use tracing::{info, warn};

use crate::config::Settings;
use crate::genesis::{FileError, GENESIS_FILE, KEY_FILE, parse_node, read_genesis, read_key};
use crate::runtime::{Clock, Net, Skew, StoreError, Tcp};
use crate::shell::{Parts, RunError, Shell, Threads};
use crate::store::{DATA_FILE, Database};

use self::conduct::Conduct;
pub use cluster::{Cluster, Endpoints};
pub use found::{Founded, Founding, OWNER_KEY_FILE, found, seeded_key};
pub use inspect::inspect;
#[cfg(feature = "known-bad")]
pub use inspect::inspect_wrong;
pub use logs::start_logs;
pub use time_file::follow;

/// Why a node could not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// A file is missing or wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// What was asked for does not fit together.
    #[error("{0}")]
    Usage(String),
    /// An address cannot be had.
    #[error("{what} {address}: {why}")]
    Address {
        /// What was to listen there.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why it does not.
        why: io::Error,
    },
    /// The operating system refused something else.
    #[error("{what}: {why}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        why: io::Error,
    },
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node stopped by itself.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// A node's directory, read.
pub struct Home {
    /// Where it is.
    pub path: PathBuf,
    /// What the network agreed on.
    pub genesis: Arc<Genesis>,
    /// The node's key.
    pub key: SigningKey,
    /// Which node has this key.
    pub id: NodeId,
}

impl Home {
    /// Reads genesis and key.
    pub fn read(path: &Path, suite: &dyn Suite) -> Result<Home, ProcessError> {
        let genesis = read_genesis(&path.join(GENESIS_FILE))?;
        let key_file = path.join(KEY_FILE);
        let key = read_key(&key_file)?;
        let identity = suite.identity(&key);
        let Some(place) = genesis.place(&identity) else {
            let what = format!("its key {identity:?} is no validator's in {GENESIS_FILE}");
            return Err(FileError::new(&key_file, what).into());
        };
        Ok(Home {
            path: path.to_owned(),
            genesis: Arc::new(genesis),
            key,
            id: place,
        })
    }

    /// Opens the database, made if there is none.
    pub fn open(&self) -> Result<Database, StoreError> {
        Database::open(&self.path.join(DATA_FILE), &self.genesis.chain_id)
    }
}

/// The suite real nodes use.
pub fn real_suite() -> Arc<dyn Suite> {
    Arc::new(Real::new(Arc::new(KdfMemo::new())))
}

/// The machine's clock.
fn machine_time() -> WallMillis {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    WallMillis(since.as_millis() as u64)
}

/// Random bytes from the operating system.
fn entropy() -> Result<[u8; 32], ProcessError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| ProcessError::System {
        what: "random bytes",
        why: io::Error::other(error.to_string()),
    })?;
    Ok(bytes)
}

async fn listen(what: &'static str, address: SocketAddr) -> Result<TcpListener, ProcessError> {
    Tcp.listen(address)
        .await
        .map_err(|why| ProcessError::Address { what, address, why })
}

/// A runtime for everything but the node's own task.
fn runtime() -> Result<tokio::runtime::Runtime, ProcessError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|why| ProcessError::System {
            what: "start of the runtime",
            why,
        })
}

/// Done when the process is asked to end: SIGTERM or Ctrl-C.
fn asked_to_end() -> Result<impl Future<Output = ()>, ProcessError> {
    let wrong = |why| ProcessError::System {
        what: "signal handlers",
        why,
    };
    let mut term = signal(SignalKind::terminate()).map_err(wrong)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(wrong)?;
    Ok(async move {
        tokio::select! {
            biased;
            _ = term.recv() => info!(target: "assay::node", "SIGTERM: stopping"),
            _ = interrupt.recv() => info!(target: "assay::node", "interrupted: stopping"),
        }
    })
}

/// Runs one node until the process is asked to end.
pub fn run(settings: Settings) -> Result<(), ProcessError> {
    run_with(settings, Conduct::default())
}

/// Runs one node that is wrong in one way until the process is asked to end.
#[cfg(feature = "known-bad")]
pub fn run_wrong(settings: Settings, wrong: crate::wrong::Wrong) -> Result<(), ProcessError> {
    run_with(settings, Conduct::of(wrong))
}

fn run_with(settings: Settings, conduct: Conduct) -> Result<(), ProcessError> {
    let runtime = runtime()?;
    let ended = runtime.block_on(run_here(settings, conduct));
    // A connection that hangs does not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    ended
}

async fn run_here(settings: Settings, conduct: Conduct) -> Result<(), ProcessError> {
    let end = asked_to_end()?;
    let suite = conduct.suite();
    let home = conduct.home(Home::read(&settings.home, &*suite)?);
    let peers = peers(&settings.peers, &home)?;
    let (skew, following) = match settings.time_file.clone() {
        Some(file) => {
            warn!(target: "assay::node", file = %file.display(), "the clock is set from outside");
            let (skew, following) = follow(file);
            (skew, Some(tokio::spawn(following)))
        }
        None => (watch::channel(Skew::default()).1, None),
    };
    let rpc_listener = listen("RPC on", settings.rpc).await?;
    let admin_listener = match settings.admin {
        Some(address) => Some(listen("admin on", address).await?),
        None => None,
    };
    let peers_listener = listen("peers on", settings.peers_listen).await?;
    let shown = |listener: &TcpListener| Tcp.address(listener).ok().map(display);
    info!(
        target: "assay::node",
        id = %home.id,
        chain_id = %home.genesis.chain_id,
        rpc = shown(&rpc_listener),
        peers = shown(&peers_listener),
        admin = admin_listener.as_ref().and_then(shown),
        "listening"
    );
    #[cfg_attr(not(feature = "known-bad"), expect(unused_mut))]
    let mut shell = Shell::restore(Parts {
        id: home.id,
        store: home.open()?,
        key: home.key,
        genesis: home.genesis,
        suite: suite.clone(),
        clock: Clock::new(machine_time, skew),
        clock_is_hooked: following.is_some(),
        net: Tcp,
        peers_listener,
        peers,
        rpc_listener: Some(rpc_listener),
        admin_listener,
        seed: entropy()?,
        threads: Threads::Own,
        observer: None,
    })?;
    #[cfg(feature = "known-bad")]
    if let Some(mischief) = conduct.mischief(suite) {
        shell.mislead(mischief);
    }
    shell.run(end).await?;
    if let Some(following) = following {
        following.abort();
    }
    Ok(())
}

/// The peers by node, with a word about those that are missing.
fn peers(
    named: &BTreeMap<String, SocketAddr>,
    home: &Home,
) -> Result<BTreeMap<NodeId, SocketAddr>, ProcessError> {
    let nodes = home.genesis.nodes.len();
    let peers = named
        .iter()
        .map(|(name, address)| Ok((parse_node(name, nodes)?, *address)))
        .collect::<Result<BTreeMap<_, _>, String>>()
        .map_err(|what| ProcessError::Usage(format!("peers: {what}")))?;
    for peer in home.genesis.peers(home.id) {
        if !peers.contains_key(&peer) {
            warn!(target: "assay::node", %peer, "no address is known for this peer; it is told nothing");
        }
    }
    Ok(peers)
}
