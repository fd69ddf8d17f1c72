//! A node without peers and without a disk behind a [`Handle`]: for tests of what speaks to one.

use std::collections::BTreeMap;
use std::future::Future;

use assay_model::node::{Input, Node, Outbox, Output, Reply, RequestId, Timer};
use tokio::sync::{mpsc, oneshot};

use crate::runtime::Clock;
use crate::shell::{Appointment, Errand, Handle};

/// Most errands that wait for the node.
const ERRANDS: usize = 1_024;

/// A way to the node, and the task that runs it until every such way is gone.
pub fn alone(node: Node, clock: Clock) -> (Handle, impl Future<Output = ()> + Send) {
    let (errands, inbox) = mpsc::channel(ERRANDS);
    let handle = Handle::new(errands, clock.clone());
    let task = Alone {
        node,
        clock,
        timers: BTreeMap::new(),
        open: BTreeMap::new(),
        numbered: 0,
    };
    (handle, task.run(inbox))
}

struct Alone {
    node: Node,
    clock: Clock,
    /// By the moment they are due, then in the order they were set.
    timers: BTreeMap<(u64, u64), Timer>,
    open: BTreeMap<RequestId, oneshot::Sender<Reply>>,
    numbered: u64,
}

impl Alone {
    async fn run(mut self, mut inbox: mpsc::Receiver<Errand>) {
        self.input(Input::Start);
        loop {
            let due = self.timers.keys().next().map(|(due, _)| *due);
            let clock = self.clock.clone();
            let alarm = async move {
                match due {
                    Some(due) => clock.until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                errand = inbox.recv() => match errand {
                    Some(errand) => self.errand(errand),
                    None => return,
                },
                () = alarm => {
                    if let Some((_, timer)) = self.timers.pop_first() {
                        self.input(Input::Timer(timer));
                    }
                }
            }
        }
    }

    fn errand(&mut self, errand: Errand) {
        match errand {
            Errand::Ask(request, answer) => {
                let id = RequestId(self.number());
                self.open.insert(id, answer);
                let request = *request;
                self.input(Input::Request { id, request });
            }
            Errand::Look(look) => look(&self.node),
            Errand::Appoint(term, leader, told) => {
                let known = leader.index() < self.node.genesis().nodes.len();
                let appointment = match self.node.term() {
                    _ if !known => Appointment::Stranger,
                    now if now >= term => Appointment::Stale { term: now },
                    _ => {
                        self.input(Input::Appoint { term, leader });
                        Appointment::Taken
                    }
                };
                // Whoever asked may have gone meanwhile.
                let _ = told.send(appointment);
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }

    fn input(&mut self, input: Input) {
        let mut out = Outbox::default();
        self.node.handle(self.clock.wall(), input, &mut out);
        for output in out.0 {
            match output {
                Output::Reply { to, reply } => {
                    if let Some(answer) = self.open.remove(&to) {
                        let _ = answer.send(reply);
                    }
                }
                Output::Timer { after, timer } => {
                    let due = (self.clock.running() + after, self.number());
                    self.timers.insert(due, timer);
                }
                Output::Send { .. } | Output::Persist(_) | Output::Sync | Output::Note(_) => {}
            }
        }
    }
}
