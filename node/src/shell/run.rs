//! Putting a node together and running it.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use assay_model::crypto::{SigningKey, Suite};
use assay_model::id::NodeId;
use assay_model::node::{Genesis, Node, Note, Outbox};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tracing::{Instrument, Span, info, info_span};

use super::task::Task;
use super::timers::Timers;
use super::{Errand, Handle, NodeInfo};
use crate::peer::{Me, Outgoing, Queue, deliver, receive};
use crate::runtime::{Clock, Net, Store, StoreError};
use crate::server::{Limits, serve, serve_admin};

/// Most messages that were read and wait for the node; beyond that peers have to wait.
const INBOX: usize = 256;
/// Most errands that wait for the node.
const ERRANDS: usize = 1_024;

/// Is told everything the node notes, in order, on the node's own task.
pub type Observer = Arc<dyn Fn(&Note) + Send + Sync>;

/// Where the node's task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// With everything else, as simulated sockets need it.
    Shared,
    /// On a thread of its own, so that nobody else waits for the disk.
    Own,
}

/// Everything a node is made of.
pub struct Parts<N: Net, S: Store> {
    /// Which node of the network this is.
    pub id: NodeId,
    /// Its key.
    pub key: SigningKey,
    /// What the network agreed on.
    pub genesis: Arc<Genesis>,
    /// How signing is done.
    pub suite: Arc<dyn Suite>,
    /// Its clock.
    pub clock: Clock,
    /// Whether the clock is set from outside.
    pub clock_is_hooked: bool,
    /// Its disk.
    pub store: S,
    /// Its network.
    pub net: N,
    /// Where peers are accepted.
    pub peers_listener: N::Listener,
    /// Where the others listen. One that is missing is never told anything.
    pub peers: BTreeMap<NodeId, SocketAddr>,
    /// Where clients are served, if they are.
    pub rpc_listener: Option<N::Listener>,
    /// Where the operator is served, if so.
    pub admin_listener: Option<N::Listener>,
    /// Random bytes that no other start of any node has.
    pub seed: [u8; 32],
    /// Where the node's task runs.
    pub threads: Threads,
    /// Who is told what the node notes.
    pub observer: Option<Observer>,
}

/// Why a node stopped that was not told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The disk did not do what it was asked to.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No thread for the node.
    #[error("no thread for the node: {0}")]
    Thread(io::Error),
    /// A fault of this program; what it is has been told on standard error.
    #[error("the node's task ended with a panic")]
    Died,
}

/// A node that has come back from its disk and waits to be run.
pub struct Shell<N: Net, S: Store> {
    handle: Handle,
    info: Arc<NodeInfo>,
    me: Arc<Me>,
    net: N,
    peers_listener: N::Listener,
    links: Vec<(NodeId, SocketAddr, Arc<Queue>)>,
    inbox: mpsc::Sender<(NodeId, assay_model::node::Message)>,
    heard: watch::Sender<usize>,
    rpc_listener: Option<N::Listener>,
    admin_listener: Option<N::Listener>,
    threads: Threads,
    task: Task<S>,
    restored: Outbox,
}

impl<N: Net, S: Store> Shell<N, S> {
    /// Reads the disk and replays what is on it.
    pub fn restore(parts: Parts<N, S>) -> Result<Shell<N, S>, RunError> {
        let Parts {
            id,
            key,
            genesis,
            suite,
            clock,
            mut store,
            net,
            ..
        } = parts;
        let records = store.load()?;
        let mut restored = Outbox::default();
        let node = Node::restore(
            id,
            genesis.clone(),
            suite.clone(),
            key.clone(),
            &records,
            &mut restored,
        );
        info!(target: "assay::node", node = %id, height = node.height().0, "restored");
        let links: Vec<_> = parts
            .peers
            .iter()
            .filter(|(peer, _)| **peer != id)
            .map(|(peer, address)| (*peer, *address, Arc::new(Queue::default())))
            .collect();
        let queues = links
            .iter()
            .map(|(peer, _, queue)| (*peer, queue.clone()))
            .collect();
        let (errand, errands) = mpsc::channel::<Errand>(ERRANDS);
        let (message, inbox) = mpsc::channel(INBOX);
        let (heard, peers_heard) = watch::channel(0);
        let task = Task {
            node,
            store,
            clock: clock.clone(),
            inbox,
            errands,
            peers: Outgoing::new(queues),
            observer: parts.observer,
            validators: genesis.nodes.len(),
            timers: Timers::default(),
            replies: BTreeMap::new(),
            requests: 0,
            #[cfg(feature = "known-bad")]
            mischief: None,
        };
        Ok(Shell {
            handle: Handle::new(errand, clock),
            info: Arc::new(NodeInfo {
                version: env!("CARGO_PKG_VERSION"),
                id,
                genesis: genesis.clone(),
                clock_is_hooked: parts.clock_is_hooked,
                peers_heard,
            }),
            me: Arc::new(Me::new(id, key, suite, genesis, parts.seed)),
            net,
            peers_listener: parts.peers_listener,
            links,
            inbox: message,
            heard,
            rpc_listener: parts.rpc_listener,
            admin_listener: parts.admin_listener,
            threads: parts.threads,
            task,
            restored,
        })
    }

    /// Lets something stand between the node and everybody else.
    #[cfg(feature = "known-bad")]
    pub(crate) fn mislead(&mut self, mischief: crate::wrong::Mischief) {
        self.task.mischief = Some(mischief);
    }

    /// A way to the node. What is asked before it runs is answered once it does.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// What is fixed about the node.
    pub fn info(&self) -> Arc<NodeInfo> {
        self.info.clone()
    }

    /// Runs the node until `shutdown` is done, and then ends it in good order: no more requests, and
    /// everything on disk. Dropping this future kills the node: what was not synced is lost.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let span = info_span!("node", id = %self.info.id);
        self.run_here(shutdown).instrument(span).await
    }

    async fn run_here(self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        // All of them end with this set, however that comes about.
        let mut helpers = JoinSet::new();
        for (peer, address, queue) in self.links {
            let (net, me) = (self.net.clone(), self.me.clone());
            helpers.spawn(deliver(net, me, peer, address, queue).in_current_span());
        }
        let net = self.net.clone();
        let receive = receive(net, self.peers_listener, self.me, self.inbox, self.heard);
        helpers.spawn(receive.in_current_span());
        serve_clients(
            &mut helpers,
            &self.net,
            (self.rpc_listener, self.admin_listener),
            &self.handle,
            &self.info,
        );
        drop(self.handle);
        let (stop, stopped) = oneshot::channel();
        let mut node = start(self.threads, self.task, self.restored, stopped)?;
        tokio::select! {
            biased;
            ended = &mut node => return ended,
            () = shutdown => {}
        }
        // The node may have ended just now, and then says why.
        let _ = stop.send(());
        let ended = node.await;
        helpers.shutdown().await;
        info!(target: "assay::node", "stopped");
        ended
    }
}

type Running = Pin<Box<dyn Future<Output = Result<(), RunError>> + Send>>;

fn start<S: Store>(
    threads: Threads,
    task: Task<S>,
    restored: Outbox,
    stop: oneshot::Receiver<()>,
) -> Result<Running, RunError> {
    let serve = async move { task.serve(restored, stop).await.map_err(RunError::Store) };
    if threads == Threads::Shared {
        return Ok(Box::pin(serve));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(RunError::Thread)?;
    let serve = serve.instrument(Span::current());
    let (tell, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("node".to_owned())
        .spawn(move || {
            // Nobody listens to a node that was killed.
            let _ = tell.send(runtime.block_on(serve));
        })
        .map_err(RunError::Thread)?;
    Ok(Box::pin(async move {
        ended.await.unwrap_or(Err(RunError::Died))
    }))
}

/// Hands the listeners over to the HTTP server. Until there is one they are merely held, so that their
/// addresses are taken.
fn serve_clients<N: Net>(
    helpers: &mut JoinSet<()>,
    net: &N,
    (rpc, admin): (Option<N::Listener>, Option<N::Listener>),
    handle: &Handle,
    info: &Arc<NodeInfo>,
) {
    let limits = Limits::default();
    if let Some(listener) = rpc {
        let (net, handle, info) = (net.clone(), handle.clone(), info.clone());
        helpers.spawn(serve(net, listener, handle, info, limits));
    }
    if let Some(listener) = admin {
        let (net, handle, info) = (net.clone(), handle.clone(), info.clone());
        helpers.spawn(serve_admin(net, listener, handle, info, limits));
    }
}
