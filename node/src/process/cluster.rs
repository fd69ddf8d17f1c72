//! A local network in one process.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use assay_model::id::NodeId;
use assay_model::node::Genesis;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{
    Founding, Home, ProcessError, asked_to_end, entropy, found, listen, machine_time, real_suite,
    runtime,
};
use crate::runtime::{Clock, Net, Skew, Tcp};
use crate::shell::{Handle, NodeInfo, Parts, RunError, Shell, Threads};
use crate::store::Database;

/// How long nodes may take to find each other.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where one node of a local network is.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// The node.
    pub id: NodeId,
    /// Its directory.
    pub home: PathBuf,
    /// Where clients are served.
    pub rpc: SocketAddr,
    /// Where the operator is served.
    pub admin: SocketAddr,
    /// Where peers are accepted.
    pub peers: SocketAddr,
}

/// A local network that is ready for clients.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// What its nodes agree on.
    pub genesis: Arc<Genesis>,
    /// Its nodes.
    pub nodes: Vec<Endpoints>,
}

impl Cluster {
    /// Runs the nodes of a directory on free ports of the loopback interface until the process is asked to
    /// end; founds the network first if there is none. `ready` is told once every node hears every
    /// other and knows itself up to date.
    pub fn run(
        directory: &Path,
        nodes: u16,
        ready: impl FnOnce(&Cluster),
    ) -> Result<(), ProcessError> {
        let runtime = runtime()?;
        let ended = runtime.block_on(async {
            let end = asked_to_end()?;
            run_here(directory, nodes, ready, end).await
        });
        runtime.shutdown_timeout(Duration::from_secs(1));
        ended
    }
}

/// A node before it runs.
struct Member {
    shell: Shell<Tcp, Database>,
    endpoints: Endpoints,
}

async fn run_here(
    directory: &Path,
    nodes: u16,
    ready: impl FnOnce(&Cluster),
    end: impl Future<Output = ()>,
) -> Result<(), ProcessError> {
    let members = assemble(directory, nodes).await?;
    let watched: Vec<(Handle, Arc<NodeInfo>)> = members
        .iter()
        .map(|member| (member.shell.handle(), member.shell.info()))
        .collect();
    let Some((_, first)) = watched.first() else {
        return Err(ProcessError::Usage(
            "a network has at least one node".to_owned(),
        ));
    };
    let genesis = first.genesis.clone();
    let mut endpoints = Vec::new();
    let (stop, stopped) = watch::channel(false);
    let mut running = JoinSet::new();
    for member in members {
        let mut stopped = stopped.clone();
        endpoints.push(member.endpoints);
        running.spawn(member.shell.run(async move {
            // Nobody left to stop it means stop, too.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }));
    }
    let cluster = Cluster {
        genesis,
        nodes: endpoints,
    };
    let serve = async {
        timeout(PATIENCE, all_ready(&watched)).await.map_err(|_| {
            let seconds = PATIENCE.as_secs();
            ProcessError::Usage(format!(
                "the nodes did not find each other within {seconds} s"
            ))
        })?;
        ready(&cluster);
        std::future::pending().await
    };
    let ended = tokio::select! {
        biased;
        () = end => Ok(()),
        Some(one) = running.join_next() => ended(one),
        failed = serve => failed,
    };
    stop.send_replace(true);
    // Every node gets to its end in good order, also when one of them did not.
    let mut all = ended;
    while let Some(one) = running.join_next().await {
        all = all.and(self::ended(one));
    }
    all
}

fn ended(one: Result<Result<(), RunError>, tokio::task::JoinError>) -> Result<(), ProcessError> {
    Ok(one.unwrap_or(Err(RunError::Died))?)
}

async fn assemble(directory: &Path, nodes: u16) -> Result<Vec<Member>, ProcessError> {
    let suite = real_suite();
    let homes = homes(directory, nodes)?;
    let mut listeners = Vec::new();
    let mut peers = BTreeMap::new();
    for home in homes {
        let home = Home::read(&home, &*suite)?;
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let those = [
            listen("RPC on", free).await?,
            listen("admin on", free).await?,
            listen("peers on", free).await?,
        ];
        let addresses = those.each_ref().map(|listener| Tcp.address(listener));
        let [rpc, admin, peer] = addresses.map(|address| {
            address.map_err(|why| ProcessError::Address {
                what: "address of",
                address: free,
                why,
            })
        });
        let endpoints = Endpoints {
            id: home.id,
            home: home.path.clone(),
            rpc: rpc?,
            admin: admin?,
            peers: peer?,
        };
        peers.insert(home.id, endpoints.peers);
        listeners.push((home, endpoints, those));
    }
    let mut members = Vec::new();
    for (home, endpoints, [rpc, admin, peers_listener]) in listeners {
        let (_, skew) = watch::channel(Skew::default());
        let shell = Shell::restore(Parts {
            id: home.id,
            store: home.open()?,
            key: home.key,
            genesis: home.genesis,
            suite: suite.clone(),
            clock: Clock::new(machine_time, skew),
            clock_is_hooked: false,
            net: Tcp,
            peers_listener,
            peers: peers.clone(),
            rpc_listener: Some(rpc),
            admin_listener: Some(admin),
            seed: entropy()?,
            threads: Threads::Own,
            observer: None,
        })?;
        members.push(Member { shell, endpoints });
    }
    Ok(members)
}

/// The directories of the nodes, founded if there are none.
fn homes(directory: &Path, nodes: u16) -> Result<Vec<PathBuf>, ProcessError> {
    if !directory.join(NodeId(0).to_string()).exists() {
        return Ok(found(directory, &Founding::of(nodes))?.homes);
    }
    let there = |node: &NodeId| directory.join(node.to_string()).exists();
    let number = (0..=u16::MAX).map(NodeId).take_while(there).count();
    if number != usize::from(nodes) {
        let directory = directory.display();
        return Err(ProcessError::Usage(format!(
            "{directory} holds a network of {number} nodes, not {nodes}; ask for {number}, or choose another directory"
        )));
    }
    let node = |place| directory.join(NodeId(place).to_string());
    Ok((0..nodes).map(node).collect())
}

/// Done when every node hears every other and knows itself up to date.
async fn all_ready(nodes: &[(Handle, Arc<NodeInfo>)]) {
    for (handle, info) in nodes {
        let others = nodes.len() - 1;
        let mut heard = info.peers_heard.clone();
        // A node that has gone says so to whoever waits for its end.
        let _ = heard.wait_for(|heard| *heard >= others).await;
        while handle.look(|node| node.is_syncing()).await != Ok(false) {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_cluster_is_founded_once_and_comes_back() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("network");
        let mut owners = Vec::new();
        for _ in 0..2 {
            let (told, ready) = oneshot::channel();
            let tell = move |cluster: &Cluster| {
                let _ = told.send(cluster.clone());
            };
            let mut seen = None;
            let end = async { seen = ready.await.ok() };
            run_here(&directory, 4, tell, end).await.unwrap();
            let cluster = seen.unwrap();
            assert_eq!(cluster.nodes.len(), 4);
            owners.push(cluster.genesis.db_owner.clone());
        }
        assert_eq!(owners[0], owners[1]);
        let told = run_here(&directory, 3, |_| {}, std::future::pending()).await;
        let told = told.unwrap_err().to_string();
        assert!(told.contains("holds a network of 4 nodes, not 3"), "{told}");
    }
}
