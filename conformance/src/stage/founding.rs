//! Before the story: nodes start, issuers are admitted, users registered, all by ordinary transactions.

use std::sync::Arc;
use std::time::Duration;

use assay_model::history::Event;
use assay_model::id::NodeId;
use assay_model::ledger::{Outcome, Transaction};
use assay_model::node::Request;
use assay_model::time::WallMillis;
use assay_node::rpc::{self, Heard};
use tokio::time::Instant;

use super::Stage;
use super::pace::FOUNDING;
use super::watch::{Shown, Watch};
use crate::venue::{Trouble, Venue};
use crate::wire::post;

impl<V: Venue> Stage<'_, '_, V> {
    pub(super) async fn found(&mut self, transactions: &[Arc<Transaction>]) -> Result<(), Trouble> {
        self.set_clocks()?;
        self.relink();
        for node in self.nodes() {
            if self.network.seats[node.index()].up {
                self.is_there(node);
            } else {
                self.start(node, false).await?;
            }
        }
        self.await_ready().await?;
        self.submit(transactions).await?;
        self.await_founding(transactions).await?;
        // The plan's clocks are wrong from the beginning of the story, not of the network.
        let wall = self.network.venue.wall();
        let left = self.network.pace.until_zero(wall);
        if self.network.venue.can_skip() && left > 0 {
            let lead = self.network.venue.skip_lead();
            let at = WallMillis(wall.0 + lead.as_millis() as u64);
            self.network.pace.skip(left - lead.as_millis() as u64, at);
            self.set_clocks()?;
            tokio::time::sleep(lead + Duration::from_millis(1)).await;
        }
        self.disturb_clocks_of_plan()?;
        self.stir();
        Ok(())
    }

    /// Starts a node and watches it from now on.
    pub(super) async fn start(&mut self, node: NodeId, again: bool) -> Result<(), Trouble> {
        self.record(Event::Started { node, again });
        self.set_clock(node)?;
        self.network.venue.start(node).await?;
        let seat = &mut self.network.seats[node.index()];
        seat.life += 1;
        (seat.up, seat.paused) = (true, false);
        seat.shown = Shown::default();
        let watch = Watch {
            net: self.network.venue.net(),
            at: self.network.venue.look(node),
            node,
            life: seat.life,
            validators: self.network.oracle.keys(),
            every: self.network.venue.watch_every(),
            looks: 0,
            pending: 0,
            poke: seat.poke.clone(),
            post: self.network.post.clone(),
            kept: None,
            history: self.history.cast.history,
        };
        seat.watch = Some(tokio::spawn(watch.run()));
        let appointed = seat.appointed.take();
        self.stir();
        if let Some((term, leader)) = appointed {
            self.network.venue.appoint(node, term, leader).await?;
        }
        if node == self.network.leader {
            let term = self.network.term;
            self.record(Event::Leads { node, term });
        }
        Ok(())
    }

    /// A node that runs already when the story begins.
    fn is_there(&mut self, node: NodeId) {
        self.record(Event::Started { node, again: false });
        if node == self.network.leader {
            let term = self.network.term;
            self.record(Event::Leads { node, term });
        }
    }

    async fn await_ready(&mut self) -> Result<(), Trouble> {
        let limit = self.network.venue.ready_limit();
        let ready = |stage: &Self| {
            stage
                .network
                .seats
                .iter()
                .all(|seat| seat.shown.heard && !seat.shown.syncing)
        };
        if self.await_until(limit, ready).await {
            return Ok(());
        }
        let late = |node: &NodeId| {
            let shown = &self.network.seats[node.index()].shown;
            !shown.heard || shown.syncing
        };
        let node = self.nodes().find(late).unwrap_or(self.network.leader);
        let why = self.network.venue.last_words(node);
        Err(Trouble::Start {
            node,
            why: format!("not ready within {} s{why}", limit.as_secs()),
        })
    }

    async fn submit(&mut self, transactions: &[Arc<Transaction>]) -> Result<(), Trouble> {
        let (net, to) = (
            self.network.venue.net(),
            self.network.venue.rpc(self.network.leader),
        );
        for transaction in transactions {
            let request = Request::Submit(transaction.clone());
            let answered = post(&net, to, rpc::ask(&request, self.network.mode, 1)).await;
            let told = match answered {
                Ok((status, body)) => match rpc::hear(&request, status, &body) {
                    Heard::Submitted => continue,
                    other => format!("{other:?}"),
                },
                Err(silence) => format!("{silence:?}"),
            };
            let what = transaction.payload.name();
            let why = format!("it does not take `{what}`, which sets the story up: {told}");
            return Err(Trouble::Start {
                node: self.network.leader,
                why,
            });
        }
        Ok(())
    }

    async fn await_founding(&mut self, transactions: &[Arc<Transaction>]) -> Result<(), Trouble> {
        let Some(last) = transactions.last() else {
            return Ok(());
        };
        let limit = self.network.venue.ready_limit();
        let done = |stage: &Self| {
            stage
                .network
                .included
                .get(&last.id)
                .is_some_and(|(height, _)| {
                    stage
                        .network
                        .seats
                        .iter()
                        .all(|seat| seat.shown.height() >= *height)
                })
        };
        if !self.await_until(limit, done).await {
            let why =
                "the transactions that set the story up were not committed everywhere".to_owned();
            return Err(Trouble::Start {
                node: self.network.leader,
                why,
            });
        }
        let failed = transactions.iter().find(|transaction| {
            self.network.included.get(&transaction.id).map(|i| i.1) != Some(Outcome::Accepted)
        });
        match failed {
            None => Ok(()),
            Some(transaction) => {
                let outcome = self
                    .network
                    .included
                    .get(&transaction.id)
                    .map(|included| included.1);
                let what = transaction.payload.name();
                Err(Trouble::Start {
                    node: self.network.leader,
                    why: format!("`{what}`, which sets the story up, came to {outcome:?}"),
                })
            }
        }
    }

    /// Takes news until something is so; skips the leader's pauses. False when it takes too long.
    async fn await_until(&mut self, limit: Duration, so: impl Fn(&Self) -> bool) -> bool {
        let began = Instant::now();
        loop {
            self.take_news();
            if so(self) {
                return true;
            }
            if began.elapsed() > limit {
                return false;
            }
            tokio::time::sleep(self.network.venue.watch_every()).await;
            let left = self.network.pace.until_zero(self.network.venue.wall());
            let heard = self.network.seats.iter().all(|seat| seat.shown.heard);
            let stride = self.network.venue.stride();
            let calm = heard && stride > 0 && self.is_calm();
            if calm
                && self.network.venue.can_skip()
                && left > FOUNDING / 4
                && self.skip(stride).await.is_err()
            {
                return false;
            }
        }
    }
}
