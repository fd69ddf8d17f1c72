//! The shell: one task owns the node, everybody else talks to it through a [`Handle`].
//!
//! [`Shell::restore`] brings a node back from its disk, [`Shell::run`] gives it peers, clients and time
//! until it is told to stop.

mod run;
mod task;
#[cfg(test)]
mod tests;
mod timers;

use std::sync::Arc;

use assay_model::id::NodeId;
use assay_model::node::{Genesis, Node, Reply, Request};
use tokio::sync::{mpsc, oneshot, watch};

use crate::runtime::Clock;
pub use run::{Observer, Parts, RunError, Shell, Threads};

/// Something to do on the task that owns the node.
pub(crate) enum Errand {
    /// A client asks.
    Ask(Box<Request>, oneshot::Sender<Reply>),
    /// Somebody looks at the node between two inputs.
    Look(Box<dyn FnOnce(&Node) + Send>),
    /// The operator appoints a leader.
    Appoint(u32, NodeId, oneshot::Sender<Appointment>),
}

/// The node has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node has stopped")]
pub struct Gone;

/// What became of an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appointment {
    /// It is durable, and the node follows the leader.
    Taken,
    /// The node is in this term or a later one already.
    Stale {
        /// The node's term.
        term: u32,
    },
    /// The network has no such node.
    Stranger,
    /// The node has halted.
    Halted,
}

/// What is fixed about a running node, for whoever reports on it.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// Version of this program.
    pub version: &'static str,
    /// Which node this is.
    pub id: NodeId,
    /// What its network agreed on.
    pub genesis: Arc<Genesis>,
    /// Whether its clock is set from outside, which is for tests only.
    pub clock_is_hooked: bool,
    /// How many peers have a connection on which they are heard.
    pub peers_heard: watch::Receiver<usize>,
}

/// A way to the node, cheap to clone.
#[derive(Clone)]
pub struct Handle {
    errands: mpsc::Sender<Errand>,
    clock: Clock,
}

impl Handle {
    pub(crate) fn new(errands: mpsc::Sender<Errand>, clock: Clock) -> Handle {
        Handle { errands, clock }
    }

    /// What the node answers. It may take as long as the node holds a broadcast open.
    pub async fn ask(&self, request: Request) -> Result<Reply, Gone> {
        let (answer, answered) = oneshot::channel();
        self.errand(Errand::Ask(Box::new(request), answer)).await?;
        answered.await.map_err(|_| Gone)
    }

    /// What a look at the node shows, between two inputs.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Node) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (told, answered) = oneshot::channel();
        let look = Box::new(move |node: &Node| {
            // Whoever asked may have gone meanwhile.
            let _ = told.send(look(node));
        });
        self.errand(Errand::Look(look)).await?;
        answered.await.map_err(|_| Gone)
    }

    /// Tells the node that its operators have agreed on a leader. Terms count the leaders, the genesis
    /// leader's is 0. Source: kwil-rpc 7 (replace-leader).
    pub async fn appoint(&self, term: u32, leader: NodeId) -> Result<Appointment, Gone> {
        let (told, answered) = oneshot::channel();
        self.errand(Errand::Appoint(term, leader, told)).await?;
        answered.await.map_err(|_| Gone)
    }

    /// The node's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn errand(&self, errand: Errand) -> Result<(), Gone> {
        self.errands.send(errand).await.map_err(|_| Gone)
    }
}
