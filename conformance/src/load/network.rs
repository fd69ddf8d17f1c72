//! Reference nodes as processes, with nothing in between.

use std::fs::{self, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use assay_model::id::NodeId;
use assay_model::node::Genesis;
use assay_node::config::HOME_VARIABLE;
use assay_node::process::{Founding, found};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::live::Ground;
use crate::live::health::{self, Health};

/// Pause between two questions to a node that is not ready.
const ASK_EVERY: Duration = Duration::from_millis(10);

struct Post {
    home: PathBuf,
    rpc: SocketAddr,
    peers: SocketAddr,
    process: Option<Child>,
}

/// A network of reference nodes on loopback. Its processes are killed when it is dropped.
pub struct Network {
    program: PathBuf,
    genesis: Arc<Genesis>,
    posts: Vec<Post>,
}

impl Network {
    /// Founds a network in a directory; no node runs yet. `program` is started with the one argument `node`
    /// and everything else in its environment, as `assay` understands it.
    ///
    /// # Errors
    ///
    /// What could not be written, or that there is no free place on loopback.
    pub fn found(program: &Path, dir: &Path, founding: &Founding) -> Result<Network, String> {
        let founded = found(dir, founding).map_err(|error| error.to_string())?;
        let ground = Ground::find(founding.nodes)?;
        let posts = founded.homes.into_iter().zip(ground.nodes);
        Ok(Network {
            program: program.to_owned(),
            genesis: founded.genesis,
            posts: posts
                .map(|(home, at)| Post {
                    home,
                    rpc: at.rpc,
                    peers: at.peer,
                    process: None,
                })
                .collect(),
        })
    }

    /// What the nodes agree on.
    pub fn genesis(&self) -> &Arc<Genesis> {
        &self.genesis
    }

    /// Every node, in order.
    pub fn all(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.posts.len() as u16).map(NodeId)
    }

    /// Where a node serves clients.
    pub fn rpc(&self, node: NodeId) -> SocketAddr {
        self.posts[node.index()].rpc
    }

    /// Where a node has its files; what it says is in `log`.
    pub fn home(&self, node: NodeId) -> &Path {
        &self.posts[node.index()].home
    }

    /// The process of a node that runs.
    pub fn process(&self, node: NodeId) -> Option<u32> {
        self.posts[node.index()].process.as_ref()?.id()
    }

    /// Starts a node, whether or not the others run.
    ///
    /// # Errors
    ///
    /// What the system has against it.
    pub fn start(&mut self, node: NodeId) -> Result<(), String> {
        let peers: Vec<String> = self
            .genesis
            .peers(node)
            .map(|peer| format!("{peer}={}", self.posts[peer.index()].peers))
            .collect();
        let post = &mut self.posts[node.index()];
        let log = post.home.join("log");
        let log = OpenOptions::new().create(true).append(true).open(log);
        let log = log.map_err(|error| format!("the log of {node}: {error}"))?;
        let process = Command::new(&self.program)
            .arg("node")
            .env(HOME_VARIABLE, &post.home)
            .env("ASSAY_NODE_RPC", post.rpc.to_string())
            .env("ASSAY_NODE_PEERS_LISTEN", post.peers.to_string())
            .env("ASSAY_NODE_PEERS", peers.join(","))
            .env("ASSAY_NODE_LOG_LEVEL", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        post.process = Some(process);
        Ok(())
    }

    /// Starts every node that is down and waits until all are ready.
    ///
    /// # Errors
    ///
    /// See [`Network::start`] and [`Network::ready`].
    pub async fn start_all(&mut self, limit: Duration) -> Result<(), String> {
        for node in self.all() {
            if self.process(node).is_none() {
                self.start(node)?;
            }
        }
        for node in self.all() {
            self.ready(node, limit).await?;
        }
        Ok(())
    }

    /// Kills a node where it stands (SIGKILL) and waits for its end.
    ///
    /// # Errors
    ///
    /// A process that was not running, or had ended by itself: the last words of its log.
    pub async fn kill(&mut self, node: NodeId) -> Result<(), String> {
        let mut process = self.strike(node)?;
        let ended = process.wait().await;
        ended.map(drop).map_err(|error| format!("{node}: {error}"))
    }

    /// Kills every node that runs, all in the same moment, and waits for their ends.
    ///
    /// # Errors
    ///
    /// See [`Network::kill`].
    pub async fn kill_all(&mut self) -> Result<(), String> {
        let running: Vec<NodeId> = self
            .all()
            .filter(|node| self.process(*node).is_some())
            .collect();
        let struck: Result<Vec<Child>, String> =
            running.into_iter().map(|node| self.strike(node)).collect();
        for mut process in struck? {
            process.wait().await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn strike(&mut self, node: NodeId) -> Result<Child, String> {
        let Some(mut process) = self.posts[node.index()].process.take() else {
            return Err(format!("{node} was not running"));
        };
        if let Ok(Some(status)) = process.try_wait() {
            let words = self.last_words(node);
            return Err(format!("{node} ended by itself, {status}: {words}"));
        }
        let struck = process.start_kill();
        struck.map_err(|error| format!("{node} was not killed: {error}"))?;
        Ok(process)
    }

    /// Waits until a node answers and knows itself up to date.
    ///
    /// # Errors
    ///
    /// What it said last, and the last words of its log.
    pub async fn ready(&self, node: NodeId, limit: Duration) -> Result<Health, String> {
        let until = Instant::now() + limit;
        loop {
            let last = match health::ask(self.rpc(node), limit).await {
                Ok(health) if !health.syncing => return Ok(health),
                Ok(_) => "it is catching up".to_owned(),
                Err(why) => why,
            };
            if Instant::now() >= until {
                let words = self.last_words(node);
                return Err(format!("{node} is not ready: {last}\n{words}"));
            }
            sleep(ASK_EVERY).await;
        }
    }

    fn last_words(&self, node: NodeId) -> String {
        let log = fs::read_to_string(self.home(node).join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}
