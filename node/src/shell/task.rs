//! The task that owns the node.
//!
//! It takes what is ready, hands it to the node, and does what the node wants done. Inputs that are ready
//! together share one barrier: their outputs are put in one line, everything up to the first barrier is done at once,
//! what is to be written up to the last one is written and made durable in one go, and only then
//! does the rest happen. So nothing behind a barrier leaves before it, and a barrier costs the same for one input
//! as for a hundred.

use std::collections::BTreeMap;

use assay_model::id::NodeId;
use assay_model::node::{Input, Message, Node, Note, Outbox, Output, Reply, Request, RequestId};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use super::run::Observer;
use super::timers::Timers;
use super::{Appointment, Errand};
use crate::peer::Outgoing;
use crate::runtime::{Clock, Store, StoreError};

/// Most inputs of one sort that share a barrier; so none waits long for the others to be worked through.
const TOGETHER: usize = 128;

pub(super) struct Task<S> {
    pub(super) node: Node,
    pub(super) store: S,
    pub(super) clock: Clock,
    pub(super) inbox: mpsc::Receiver<(NodeId, Message)>,
    pub(super) errands: mpsc::Receiver<Errand>,
    pub(super) peers: Outgoing,
    pub(super) observer: Option<Observer>,
    pub(super) validators: usize,
    pub(super) timers: Timers,
    pub(super) replies: BTreeMap<RequestId, oneshot::Sender<Reply>>,
    pub(super) requests: u64,
    #[cfg(feature = "known-bad")]
    pub(super) mischief: Option<crate::wrong::Mischief>,
}

/// What the task found when it woke.
enum Woken {
    Stop { graceful: bool },
    Timer,
    Message(NodeId, Message),
    Errand(Errand),
}

/// What was taken together, and what it led to.
#[derive(Default)]
struct Batch {
    out: Outbox,
    /// Who is to look at the node, or to be told of an appointment, once all of it is done.
    after: Vec<After>,
}

enum After {
    Look(Box<dyn FnOnce(&Node) + Send>),
    Appointed(Appointment, oneshot::Sender<Appointment>),
}

impl<S: Store> Task<S> {
    /// Runs until it is told to stop. Without a word, that is when the sender goes away, it stops as if it
    /// had been killed.
    pub(super) async fn serve(
        mut self,
        restored: Outbox,
        mut stop: oneshot::Receiver<()>,
    ) -> Result<(), StoreError> {
        let mut batch = Batch {
            out: restored,
            after: Vec::new(),
        };
        self.give(Input::Start, &mut batch);
        self.finish(batch)?;
        loop {
            let woken = self.wait(&mut stop).await;
            let mut batch = Batch::default();
            match woken {
                Woken::Stop { graceful: true } => return self.stop(),
                Woken::Stop { graceful: false } => return Ok(()),
                Woken::Timer => {}
                Woken::Message(from, message) => {
                    self.give(Input::Message { from, message }, &mut batch);
                }
                Woken::Errand(errand) => self.run_errand(errand, &mut batch),
            }
            self.take_ready(&mut batch);
            self.finish(batch)?;
            // On a single thread others have their turn too.
            tokio::task::yield_now().await;
        }
    }

    async fn wait(&mut self, stop: &mut oneshot::Receiver<()>) -> Woken {
        let next = self.timers.next();
        let timer = async {
            match next {
                Some(moment) => self.clock.until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            told = stop => Woken::Stop { graceful: told.is_ok() },
            () = timer => Woken::Timer,
            Some((from, message)) = self.inbox.recv() => Woken::Message(from, message),
            Some(errand) = self.errands.recv() => Woken::Errand(errand),
        }
    }

    /// Takes everything that is ready, within limits.
    fn take_ready(&mut self, batch: &mut Batch) {
        let now = self.clock.running();
        for _ in 0..TOGETHER {
            let Some(timer) = self.timers.pop(now) else {
                break;
            };
            self.give(Input::Timer(timer), batch);
        }
        for _ in 0..TOGETHER {
            let Ok((from, message)) = self.inbox.try_recv() else {
                break;
            };
            self.give(Input::Message { from, message }, batch);
        }
        for _ in 0..TOGETHER {
            let Ok(errand) = self.errands.try_recv() else {
                break;
            };
            self.run_errand(errand, batch);
        }
    }

    fn give(&mut self, input: Input, batch: &mut Batch) {
        #[cfg(feature = "known-bad")]
        if let Some(mischief) = &mut self.mischief {
            return mischief.handle(&mut self.node, self.clock.wall(), input, &mut batch.out);
        }
        self.node.handle(self.clock.wall(), input, &mut batch.out);
    }

    fn run_errand(&mut self, errand: Errand, batch: &mut Batch) {
        match errand {
            Errand::Ask(request, answer) => self.ask(*request, answer, batch),
            Errand::Look(look) => batch.after.push(After::Look(look)),
            Errand::Appoint(term, leader, answer) => {
                let appointment = self.appoint(term, leader, batch);
                batch.after.push(After::Appointed(appointment, answer));
            }
        }
    }

    fn ask(&mut self, request: Request, answer: oneshot::Sender<Reply>, batch: &mut Batch) {
        self.requests += 1;
        let id = RequestId(self.requests);
        self.replies.insert(id, answer);
        self.give(Input::Request { id, request }, batch);
    }

    fn appoint(&mut self, term: u32, leader: NodeId, batch: &mut Batch) -> Appointment {
        if leader.index() >= self.validators {
            return Appointment::Stranger;
        }
        if self.node.halted().is_some() {
            return Appointment::Halted;
        }
        let present = self.node.term();
        if term <= present {
            return Appointment::Stale { term: present };
        }
        self.give(Input::Appoint { term, leader }, batch);
        Appointment::Taken
    }

    /// Does what the node wants done. See the module.
    fn finish(&mut self, batch: Batch) -> Result<(), StoreError> {
        let outputs = batch.out.0;
        let is_barrier = |output: &Output| matches!(output, Output::Sync);
        let first = outputs.iter().position(is_barrier);
        let last = outputs.iter().rposition(is_barrier);
        for (place, output) in outputs.iter().enumerate() {
            let Some(last) = last else { break };
            if let Output::Persist(record) = output
                && place < last
            {
                self.store.write(record)?;
            }
        }
        for (place, output) in outputs.into_iter().enumerate() {
            if Some(place) == first {
                self.store.sync()?;
            }
            match output {
                Output::Persist(record) if last.is_none_or(|last| place > last) => {
                    self.store.write(&record)?;
                }
                Output::Persist(_) | Output::Sync => {}
                other => self.carry_out(other),
            }
        }
        self.peers.forget();
        for after in batch.after {
            match after {
                After::Look(look) => look(&self.node),
                // Whoever asked may have gone meanwhile.
                After::Appointed(appointment, answer) => drop(answer.send(appointment)),
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Send { to, message } => self.peers.send(to, message),
            Output::Reply { to, reply } => {
                if let Some(answer) = self.replies.remove(&to) {
                    // The client may have gone meanwhile.
                    let _ = answer.send(reply);
                }
            }
            Output::Timer { after, timer } => {
                let moment = self.clock.running().saturating_add(after);
                self.timers.set(moment, timer);
            }
            Output::Note(note) => self.note(&note),
            Output::Persist(_) | Output::Sync => {
                unreachable!("the disk is seen to by whoever calls")
            }
        }
    }

    fn note(&self, note: &Note) {
        match note {
            Note::Committed {
                committed,
                app_hash,
                results,
                replayed,
                ..
            } => info!(
                target: "assay::note",
                height = committed.block.height.0,
                block = %committed.block.id,
                %app_hash,
                transactions = results.len(),
                replayed,
                "committed"
            ),
            Note::Installed {
                height, app_hash, ..
            } => {
                info!(target: "assay::note", height = height.0, %app_hash, "installed a snapshot");
            }
            Note::Halted(why) => error!(target: "assay::note", %why, "halted"),
            Note::Proposed { block, height, .. } => {
                info!(target: "assay::note", height = height.0, %block, "proposed");
            }
            Note::Leads { term } => info!(target: "assay::note", term, "leads"),
        }
        if let Some(observer) = &self.observer {
            observer(note);
        }
    }

    /// Takes no more requests and leaves the disk as it should be. Who still waits learns that the node
    /// is gone.
    fn stop(mut self) -> Result<(), StoreError> {
        self.errands.close();
        self.store.sync()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use assay_model::crypto::{Suite, Symbolic};
    use assay_model::id::Height;
    use assay_model::node::Record;
    use tokio::sync::watch;

    use super::*;
    use crate::peer::Queue;
    use crate::runtime::Skew;
    use crate::testing::{genesis, node_key};

    /// A disk that notes what had left for the peer whenever it was used.
    struct Witness {
        queue: Arc<Queue>,
        seen: Arc<Mutex<Vec<(&'static str, usize)>>>,
    }

    impl Witness {
        fn note(&self, what: &'static str) {
            self.seen.lock().unwrap().push((what, self.queue.len()));
        }
    }

    impl Store for Witness {
        fn load(&mut self) -> Result<Vec<Record>, StoreError> {
            Ok(Vec::new())
        }

        fn write(&mut self, _: &Record) -> Result<(), StoreError> {
            self.note("write");
            Ok(())
        }

        fn sync(&mut self) -> Result<(), StoreError> {
            self.note("sync");
            Ok(())
        }
    }

    #[tokio::test]
    async fn nothing_behind_a_barrier_leaves_before_it_and_one_barrier_serves_all() {
        let (n1, n2) = (NodeId(0), NodeId(1));
        let suite: Arc<dyn Suite> = Arc::new(Symbolic);
        let genesis = genesis(&*suite, 2);
        let queue = Arc::new(Queue::default());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (_, skew) = watch::channel(Skew::default());
        let mut task = Task {
            node: Node::new(n1, genesis, suite, node_key(n1)),
            store: Witness {
                queue: queue.clone(),
                seen: seen.clone(),
            },
            clock: Clock::new(|| assay_model::time::WallMillis(0), skew),
            inbox: mpsc::channel(1).1,
            errands: mpsc::channel(1).1,
            peers: Outgoing::new(BTreeMap::from([(n2, queue.clone())])),
            observer: None,
            validators: 2,
            timers: Timers::default(),
            replies: BTreeMap::new(),
            requests: 0,
            #[cfg(feature = "known-bad")]
            mischief: None,
        };
        let send = |have| Output::Send {
            to: n2,
            message: Message::Ask { have: Height(have) },
        };
        let write = || Output::Persist(Record::Term(1, n1));
        let outputs = vec![
            send(1),
            write(),
            Output::Sync,
            send(2),
            write(),
            Output::Sync,
            send(3),
            write(),
        ];
        task.finish(Batch {
            out: Outbox(outputs),
            after: Vec::new(),
        })
        .unwrap();
        let expected = [("write", 0), ("write", 0), ("sync", 1), ("write", 3)];
        assert_eq!(*seen.lock().unwrap(), expected);
        assert_eq!(queue.len(), 3);
    }
}
