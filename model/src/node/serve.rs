//! What the node does for clients. Source: kwil-rpc 2, 3 and 6.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::block::Block;
use super::machine::{Node, committed_nonce};
use super::mempool::Rejected;
use super::message::{
    Claim, ClaimProblem, Message, Outbox, Reply, Request, RequestId, Timer, TxStatus,
};
use crate::id::TxId;
use crate::ledger::{Call, Query, Transaction, view};
use crate::rules::Switch;
use crate::time::WallMillis;
use crate::wire::{self, CallPayload};

/// The text a reader signs to show who it is. Source: idos-facts 4.2.
pub fn view_text(query: &Query, challenge: &[u8; 32]) -> String {
    let payload = wire::call_payload(query.namespace(), query.name(), &query.arguments());
    wire::call_text(query.namespace(), query.name(), &payload, challenge)
}

/// The same for a payload in the bytes it was sent in; none when it is no payload.
fn sent_text(payload: &[u8], challenge: &[u8; 32]) -> Option<String> {
    let CallPayload {
        namespace, action, ..
    } = CallPayload::decode(payload).ok()?;
    Some(wire::call_text(&namespace, &action, payload, challenge))
}

impl Node {
    pub(super) fn on_request(
        &mut self,
        now: WallMillis,
        id: RequestId,
        request: Request,
        out: &mut Outbox,
    ) {
        let reply = match request {
            Request::Health => Reply::Health {
                height: self.height(),
                time: self.view_time(),
                syncing: self.is_syncing(),
            },
            Request::Account(identity) => Reply::Account {
                nonce: committed_nonce(&self.state, &identity),
            },
            Request::Broadcast(transaction) => {
                match self.take_transaction(&transaction, true, out) {
                    Ok(()) => {
                        self.waiting.insert(id, transaction.id);
                        out.timer(self.genesis.timing.broadcast, Timer::GiveUp(id));
                        return;
                    }
                    Err(rejected) => Reply::Rejected(rejected),
                }
            }
            Request::Submit(transaction) => match self.take_transaction(&transaction, true, out) {
                Ok(()) => Reply::Submitted,
                Err(rejected) => Reply::Rejected(rejected),
            },
            Request::TxStatus(transaction) => Reply::TxStatus(self.status(&transaction)),
            Request::Challenge => Reply::Challenge(self.challenge(now)),
            Request::View { claim, query } => self.answer_view(now, &claim, &query),
        };
        out.reply(id, reply);
    }

    fn take_transaction(
        &mut self,
        transaction: &Arc<Transaction>,
        own: bool,
        out: &mut Outbox,
    ) -> Result<(), Rejected> {
        if own && self.is_syncing() {
            return Err(Rejected::CatchingUp);
        }
        if self.mempool.contains(&transaction.id) || self.included.contains_key(&transaction.id) {
            return Err(Rejected::AlreadyExists);
        }
        let mut mempool = std::mem::take(&mut self.mempool);
        let taken = mempool.insert(&self.state, self.env(), transaction, own);
        self.mempool = mempool;
        taken?;
        if own {
            self.broadcast(Message::Transaction(transaction.clone()), out);
            if !std::mem::replace(&mut self.gossiping, true) {
                out.timer(self.genesis.timing.resend, Timer::Gossip);
            }
        }
        self.poll_soon(out);
        Ok(())
    }

    /// A peer's transaction; one that does not fit here is dropped, its own node sends it again.
    pub(super) fn on_gossip(&mut self, transaction: Arc<Transaction>, out: &mut Outbox) {
        let _ = self.take_transaction(&transaction, false, out);
    }

    pub(super) fn on_gossip_due(&mut self, out: &mut Outbox) {
        let own: Vec<_> = self.mempool.own().cloned().collect();
        self.gossiping = !own.is_empty();
        if self.gossiping {
            out.timer(self.genesis.timing.resend, Timer::Gossip);
        }
        for transaction in own {
            self.broadcast(Message::Transaction(transaction), out);
        }
    }

    /// Answers the clients whose transactions the block holds.
    pub(super) fn answer_included(&mut self, block: &Block, out: &mut Outbox) {
        let mut waiting: BTreeMap<TxId, Vec<RequestId>> = BTreeMap::new();
        for (request, id) in &self.waiting {
            waiting.entry(*id).or_default().push(*request);
        }
        for transaction in block.transactions.iter() {
            let Some((height, outcome)) = self.included.get(&transaction.id).copied() else {
                continue;
            };
            for request in waiting.remove(&transaction.id).unwrap_or_default() {
                self.waiting.remove(&request);
                out.reply(request, Reply::Included { height, outcome });
            }
        }
    }

    pub(super) fn on_give_up(&mut self, request: RequestId, out: &mut Outbox) {
        if self.waiting.remove(&request).is_some() {
            out.reply(request, Reply::TimedOut);
        }
    }

    /// What the node knows of a transaction.
    pub fn status(&self, transaction: &TxId) -> TxStatus {
        match self.included.get(transaction) {
            Some((height, outcome)) => TxStatus::Included {
                height: *height,
                outcome: *outcome,
            },
            None if self.mempool.contains(transaction) => TxStatus::Pending,
            None => TxStatus::Unknown,
        }
    }

    /// A challenge nobody else can guess, since it hangs on the node's key; good once and not for long.
    fn challenge(&mut self, now: WallMillis) -> [u8; 32] {
        self.challenges_given += 1;
        let mut hash = blake3::Hasher::new_keyed(&self.key.secret);
        hash.update(&now.0.to_le_bytes())
            .update(&self.challenges_given.to_le_bytes());
        let challenge = *hash.finalize().as_bytes();
        let oldest = now.0.saturating_sub(self.genesis.timing.challenge);
        self.challenges.retain(|_, given| given.0 >= oldest);
        self.challenges.insert(challenge, now);
        challenge
    }

    fn answer_view(&mut self, now: WallMillis, claim: &Claim, query: &Query) -> Reply {
        if let Err(problem) = self.doubt(now, claim, query) {
            return Reply::ClaimRefused(problem);
        }
        if self.genesis.rules.keep(Switch::FreshAnswers) && !self.is_current(now) {
            return Reply::Behind;
        }
        let caller = claim
            .identity()
            .map(|identity| identity.caller())
            .unwrap_or_default();
        let height = self.height();
        let call = Call {
            env: self.env(),
            caller: &caller,
            time: self.view_time(),
            height,
        };
        Reply::View {
            height,
            result: view(&self.state, call, query),
        }
    }

    /// What speaks against a claim, if anything. A challenge is used up by the attempt; a bare statement
    /// is believed in open mode only.
    fn doubt(&mut self, now: WallMillis, claim: &Claim, query: &Query) -> Result<(), ClaimProblem> {
        let (identity, challenge, signature, payload) = match claim {
            // As in private mode, where every call is signed. Source: kwil-rpc 6.
            Claim::Anonymous | Claim::Stated(_)
                if self.genesis.rules.keep(Switch::AuthenticatedReads) =>
            {
                return Err(ClaimProblem::Unsigned);
            }
            Claim::Anonymous | Claim::Stated(_) => return Ok(()),
            Claim::Signed {
                identity,
                challenge,
                signature,
                payload,
            } => (identity, challenge, signature, payload),
        };
        let given = self.challenges.remove(challenge);
        let given = given.ok_or(ClaimProblem::UnknownChallenge)?;
        if given.distance(now) > self.genesis.timing.challenge {
            return Err(ClaimProblem::ExpiredChallenge);
        }
        let text = match payload {
            Some(payload) => sent_text(payload, challenge),
            None => Some(view_text(query, challenge)),
        };
        let signed = |text: String| self.suite.verify(identity, text.as_bytes(), signature);
        if text.is_some_and(signed) {
            Ok(())
        } else {
            Err(ClaimProblem::WrongSignature)
        }
    }
}
