//! The shell: one task owns the node, everybody else talks to it through a [`Handle`].

use assay_model::node::{Node, Reply, Request};
use tokio::sync::{mpsc, oneshot};

use crate::runtime::Clock;

/// Something to do on the task that owns the node.
pub(crate) enum Errand {
    /// A client asks.
    Ask(Request, oneshot::Sender<Reply>),
    /// Somebody looks at the node between two inputs.
    Look(Box<dyn FnOnce(&Node) + Send>),
}

/// The node has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node has stopped")]
pub struct Gone;

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
        let errand = Errand::Ask(request, answer);
        self.errands.send(errand).await.map_err(|_| Gone)?;
        answered.await.map_err(|_| Gone)
    }

    /// What a look at the node shows, between two inputs.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Node) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (told, answered) = oneshot::channel();
        let errand = Errand::Look(Box::new(move |node| {
            // Whoever asked may have gone meanwhile.
            let _ = told.send(look(node));
        }));
        self.errands.send(errand).await.map_err(|_| Gone)?;
        answered.await.map_err(|_| Gone)
    }

    /// The node's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}
