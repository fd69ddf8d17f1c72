//! Watching nodes: what each has committed, asked of it again and again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use assay_model::history::Event;
use assay_model::id::{AppHash, Height, NodeId};
use assay_model::ledger::Outcome;
use assay_model::node::{Committed, RequestId, TxResult};
use assay_model::time::Millis;
use assay_node::rpc;
use assay_node::runtime::Net;
use hyper::body::Bytes;
use tokio::sync::{Notify, mpsc};

use super::answers::Answer;
use super::{Stage, oracle};
use crate::venue::Venue;
use crate::wire::{Connection, Silence, connect};

/// What reaches the stage from its tasks.
pub(super) enum News {
    /// A client's request has come to an end.
    Answer(RequestId, Answer),
    /// A node shows a block, and what its transactions came to.
    Block {
        node: NodeId,
        life: u32,
        committed: Arc<Committed>,
        results: Vec<(u32, String)>,
    },
    /// A node has shown all it has, for now.
    Tip {
        node: NodeId,
        life: u32,
        height: Height,
        pending: usize,
        syncing: bool,
    },
    /// A node did not answer, or not in a way that can be read.
    Silent {
        node: NodeId,
        life: u32,
        why: Option<String>,
    },
}

/// What a node has shown in one life of its process.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    /// Last block, and the app hash after it.
    pub(super) last: Option<(Height, AppHash)>,
    /// Whether it has answered at all.
    pub(super) heard: bool,
    /// Height when it was first heard; blocks up to it were there when it came back.
    pub(super) first: Option<Height>,
    /// Transactions that wait in it.
    pub(super) pending: usize,
    /// Whether it knows itself behind.
    pub(super) syncing: bool,
}

impl Shown {
    pub(super) fn height(&self) -> Height {
        self.last.map_or(Height(0), |(height, _)| height)
    }
}

/// What a watch needs to know.
pub(super) struct Watch<N> {
    pub(super) net: N,
    pub(super) at: SocketAddr,
    pub(super) node: NodeId,
    pub(super) life: u32,
    /// Public keys of the nodes, by place: known from the beginning, or once the validators were asked for.
    pub(super) validators: Vec<Vec<u8>>,
    pub(super) every: Duration,
    /// Looks so far.
    pub(super) looks: u32,
    /// What waited in the node when it was last asked.
    pub(super) pending: usize,
    pub(super) poke: Arc<Notify>,
    pub(super) post: mpsc::UnboundedSender<News>,
    /// The connection of the last look.
    pub(super) kept: Option<Connection>,
    /// After how many blocks the node may forget those before.
    pub(super) history: u64,
}

impl<N: Net> Watch<N> {
    /// Looks until nobody wants to know any more.
    pub(super) async fn run(mut self) {
        let mut known = Height(0);
        loop {
            let news = match self.look(&mut known).await {
                Ok(news) => news,
                Err(why) => News::Silent {
                    node: self.node,
                    life: self.life,
                    why,
                },
            };
            if self.post.send(news).is_err() {
                return;
            }
            tokio::select! {
                biased;
                () = self.poke.notified() => {}
                () = tokio::time::sleep(self.every) => {}
            }
        }
    }

    /// Asks for every block that is not known yet. The error says what cannot be read, if anything came.
    async fn look(&mut self, known: &mut Height) -> Result<News, Option<String>> {
        let health = self.ask(rpc::ask_health(1)).await?;
        let tip = rpc::hear_health(&health).map_err(Some)?;
        let top = Height(tip.block_height.max(0) as u64);
        if self.validators.is_empty() {
            let validators = self.ask(rpc::ask_validators(1)).await?;
            self.validators = rpc::hear_validators(&validators).map_err(Some)?;
        }
        let before = *known;
        while *known < top {
            let height = known.next();
            let block = self.ask(rpc::ask_block(height, 1)).await?;
            let committed = rpc::hear_block(&block, &self.validators).map_err(Some)?;
            let results = self.ask(rpc::ask_results(height, 1)).await?;
            let results = rpc::hear_results(&results).map_err(Some)?;
            if committed.is_none() || results.is_none() {
                // It may have forgotten the block meanwhile, or have come by a snapshot, before which it has
                // none.
                let health = self.ask(rpc::ask_health(1)).await?;
                let now = rpc::hear_health(&health).map_err(Some)?.block_height.max(0) as u64;
                if height.0 <= now - now % self.history {
                    *known = height;
                    continue;
                }
            }
            let (Some(committed), Some(results)) = (committed, results) else {
                let why = format!("block {height} is not there, below height {top}");
                return Err(Some(why));
            };
            *known = height;
            let news = News::Block {
                node: self.node,
                life: self.life,
                committed,
                results,
            };
            self.post.send(news).map_err(|_| None)?;
        }
        // What waits changes with blocks, mostly; in between a look now and then is enough.
        self.looks += 1;
        if self.pending > 0 || top > before || self.looks.is_multiple_of(SELDOM) {
            let pending = self.ask(rpc::ask_unconfirmed(MOST_PENDING, 1)).await?;
            self.pending = rpc::hear_unconfirmed(&pending).map_err(Some)?.len();
        }
        Ok(News::Tip {
            node: self.node,
            life: self.life,
            height: top,
            pending: self.pending,
            syncing: tip.syncing,
        })
    }

    async fn ask(&mut self, body: Vec<u8>) -> Result<Vec<u8>, Option<String>> {
        let body = Bytes::from(body);
        let asked = async {
            if let Some(mut kept) = self.kept.take()
                && let Ok((_, answer)) = kept.post(body.clone()).await
            {
                return Ok((kept, answer));
            }
            // Nodes close connections that are idle for long.
            let mut fresh = connect(&self.net, self.at).await?;
            let (_, answer) = fresh.post(body).await?;
            Ok::<_, Silence>((fresh, answer))
        };
        // A node that is stopped or cut off takes the question and says nothing.
        let answered = tokio::time::timeout(LONGEST, asked).await;
        let (kept, answer) = answered.map_err(|_| None)?.map_err(|_| None)?;
        self.kept = Some(kept);
        Ok(answer.to_vec())
    }
}

/// How long after another a node that takes part may show a block.
const LATE: Millis = Millis(3_000);
/// How many looks go by without asking what waits.
const SELDOM: u32 = 6;
/// Most transactions a node is asked to list.
const MOST_PENDING: usize = 1_000;
/// How long a watch waits for an answer.
const LONGEST: Duration = Duration::from_secs(5);

impl<V: Venue> Stage<'_, '_, V> {
    pub(super) fn on_news(&mut self, news: News) {
        match news {
            News::Answer(id, answer) => {
                self.stir();
                self.on_answer(id, answer);
            }
            News::Block {
                node,
                life,
                committed,
                results,
            } => {
                if self.network.seats[node.index()].life == life {
                    self.stir();
                    self.on_block(node, committed, results);
                }
            }
            News::Tip {
                node,
                life,
                height,
                pending,
                syncing,
            } => {
                let seat = &mut self.network.seats[node.index()];
                if seat.life != life {
                    return;
                }
                seat.looks += 1;
                let shown = &mut seat.shown;
                let news = !shown.heard || shown.syncing != syncing || shown.pending != pending;
                shown.heard = true;
                shown.first.get_or_insert(height);
                (shown.pending, shown.syncing) = (pending, syncing);
                if news {
                    self.stir();
                }
            }
            News::Silent { node, life, why } => {
                let seat = &mut self.network.seats[node.index()];
                if seat.life != life || !seat.up {
                    return;
                }
                seat.looks += 1;
                if let Some(why) = why {
                    let what = "what it has committed".to_owned();
                    self.contradict_reply(node, what, "a readable answer".to_owned(), why);
                }
            }
        }
        self.resolve();
    }

    fn on_block(&mut self, node: NodeId, committed: Arc<Committed>, told: Vec<(u32, String)>) {
        let height = committed.block.height;
        if height > self.metrics.height {
            self.metrics.height = height;
            self.metrics.actions += told.len() as u64;
        }
        if let Some(leader) = self.network.oracle.learn(&committed) {
            self.network.leader = leader;
        }
        let expected = self
            .network
            .oracle
            .outcomes(&committed)
            .map(<[Outcome]>::to_vec);
        let mut results = Vec::with_capacity(told.len());
        for (index, transaction) in committed.block.transactions.iter().enumerate() {
            let ought = expected.as_ref().map(|outcomes| outcomes[index]);
            let Some((code, log)) = told.get(index) else {
                break;
            };
            let (outcome, agrees) = oracle::outcome(ought, transaction, *code, log);
            self.network
                .included
                .entry(transaction.id)
                .or_insert((height, outcome));
            self.compared.entry(node).or_default().1 += u64::from(ought.is_some());
            if !agrees && let Some(ought) = ought {
                let what = format!("the result of transaction {}", transaction.id.short());
                let expected = oracle::told(ought, transaction);
                self.contradict_result(node, height, what, expected, format!("{code} {log}"));
            }
            results.push(TxResult {
                id: transaction.id,
                outcome,
                tables: Default::default(),
            });
        }
        let now = self.now();
        let first = *self.network.first_shown.entry(height).or_insert(now);
        let seat = &mut self.network.seats[node.index()];
        seat.shown.last = Some((height, committed.app_hash));
        // A node that shows a block long after another did, or had it when it came back, has learnt it.
        let replayed = seat.life > 1 && seat.shown.first.is_none() || now > first + LATE;
        self.record(Event::Committed {
            node,
            app_hash: committed.app_hash,
            committed,
            results: results.into(),
            tables: None,
            replayed,
        });
    }
}
