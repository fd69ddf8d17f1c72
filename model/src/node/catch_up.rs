//! How a node that missed blocks gets them: by replay from its peers, and from a snapshot where they do not
//! have the blocks any more. Source: idos-facts 6.3.

use std::sync::Arc;

use super::block::Committed;
use super::machine::Node;
use super::message::{Message, Outbox, Timer};
use crate::id::{Height, NodeId};
use crate::time::WallMillis;

/// Most blocks in one answer.
const BLOCKS_PER_ANSWER: usize = 64;

impl Node {
    pub(super) fn ask_everybody(&self, out: &mut Outbox) {
        self.broadcast(
            Message::Ask {
                have: self.height(),
            },
            out,
        );
    }

    /// Looks again later whether the chain has moved. Source: kwil-rpc 7.
    pub(super) fn watch_chain(&self, out: &mut Outbox) {
        out.timer(
            self.genesis.timing.idle(),
            Timer::CatchUp {
                seen: self.height(),
            },
        );
    }

    /// A node that takes itself to be behind asks also while blocks come in: only a peer's answer tells
    /// it that it is not.
    pub(super) fn on_catch_up_due(&mut self, seen: Height, out: &mut Outbox) {
        let still = self.height() == seen && self.lead.is_none();
        if still || self.is_syncing() {
            self.ask_everybody(out);
        }
        self.watch_chain(out);
    }

    pub(super) fn on_ask(&mut self, from: NodeId, have: Height, out: &mut Outbox) {
        let Some(start) = have.0.checked_sub(self.before.0) else {
            self.send_snapshot(from, out);
            return;
        };
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let blocks = self
            .chain
            .iter()
            .skip(start)
            .take(BLOCKS_PER_ANSWER)
            .cloned()
            .collect();
        out.send(
            from,
            Message::Blocks {
                blocks,
                tip: self.height(),
            },
        );
    }

    pub(super) fn on_blocks(
        &mut self,
        now: WallMillis,
        from: NodeId,
        blocks: Vec<Arc<Committed>>,
        tip: Height,
        out: &mut Outbox,
    ) {
        let before = self.height();
        for committed in blocks {
            self.adopt_final(now, committed, true, out);
            if self.halted.is_some() {
                return;
            }
        }
        self.tip = Some(tip);
        if tip <= self.height() {
            self.heard.insert(from, now);
        }
        // Asking again only after progress keeps a lying peer from making this a loop.
        if self.is_syncing() && self.height() > before {
            out.send(
                from,
                Message::Ask {
                    have: self.height(),
                },
            );
        }
        self.finish_takeover(now, out);
    }
}
