//! What stands between a node that is wrong and everybody else: it changes what reaches the node and what
//! leaves it.

use std::sync::Arc;

use assay_model::crypto::Suite;
use assay_model::ledger::{Answer, Outcome, Query, Refusal, Transaction};
use assay_model::node::{Claim, Input, Message, Node, Outbox, Output, Reply, Request, RequestId};
use assay_model::time::WallMillis;
use tracing::info;

use super::{Wrong, ledger};

/// See the module.
pub struct Mischief {
    wrong: Wrong,
    suite: Arc<dyn Suite>,
    /// Whether the node had blocks when it started.
    returned: bool,
}

/// A read that is about to be answered.
struct Read {
    id: RequestId,
    caller: String,
    query: Query,
}

impl Mischief {
    pub(crate) fn new(wrong: Wrong, suite: Arc<dyn Suite>) -> Mischief {
        Mischief {
            wrong,
            suite,
            returned: false,
        }
    }

    /// Hands an input to the node, and its outputs on.
    pub(crate) fn handle(
        &mut self,
        node: &mut Node,
        now: WallMillis,
        input: Input,
        out: &mut Outbox,
    ) {
        let read = match &input {
            Input::Start => {
                self.returned = node.height().0 > 0;
                None
            }
            Input::Request {
                id,
                request: Request::View { claim, query },
            } => Some(Read {
                id: *id,
                caller: name(claim),
                query: query.clone(),
            }),
            _ => None,
        };
        if self.keeps_from_the_node(node, &input, out) {
            return;
        }
        let first = out.0.len();
        node.handle(now, input, out);
        let mut made = out.0.split_off(first);
        if self.wrong == Wrong::DoesNotSync {
            made.retain(|output| !matches!(output, Output::Sync));
        }
        for output in &mut made {
            if let Output::Reply { to, reply } = output {
                self.change(node, read.as_ref().filter(|read| read.id == *to), reply);
            }
        }
        out.0.append(&mut made);
    }

    /// Whether the node does not hear of this; what it does instead is done here.
    fn keeps_from_the_node(&self, node: &Node, input: &Input, out: &mut Outbox) -> bool {
        match (self.wrong, input) {
            (Wrong::DoesNotCatchUp, Input::Message { message, .. }) if self.returned => {
                // Announcements that have waited for the node are as good as blocks it asks for.
                match message {
                    Message::Blocks { blocks, .. } => !blocks.is_empty(),
                    Message::Announce(_) => true,
                    _ => false,
                }
            }
            (Wrong::LosesAcknowledged, Input::Request { id, request }) => {
                let Request::Broadcast(_) = request else {
                    return false;
                };
                let reply = Reply::Included {
                    height: node.height().next(),
                    outcome: Outcome::Accepted,
                };
                out.0.push(Output::Reply { to: *id, reply });
                true
            }
            (
                Wrong::PlaintextInLog,
                Input::Request {
                    request: Request::Broadcast(transaction),
                    ..
                },
            ) => {
                log(transaction);
                false
            }
            _ => false,
        }
    }

    /// Changes an answer of the node.
    fn change(&self, node: &Node, read: Option<&Read>, reply: &mut Reply) {
        match reply {
            Reply::Included {
                outcome: Outcome::Refused(why),
                ..
            } if self.wrong == Wrong::WrongErrorText => *why = another(*why),
            Reply::View { result, .. } => {
                if let Some(read) = read
                    && let Some(changed) = self.answer(node, read, result)
                {
                    *result = changed;
                }
            }
            _ => {}
        }
    }

    /// What is answered in place of the right answer; nothing where that is given.
    fn answer(
        &self,
        node: &Node,
        read: &Read,
        right: &Result<Answer, Refusal>,
    ) -> Option<Result<Answer, Refusal>> {
        let of = |state| ledger::answer(node, &self.suite, &state, &read.caller, &read.query);
        match (self.wrong, &read.query) {
            (Wrong::ServesWithoutGrant, Query::GetCredentialShared { id }) if right.is_err() => {
                let grants = node.state().tables().access_grants.values();
                let grantee = grants.into_iter().find(|grant| grant.data == *id)?;
                let (state, grantee) = (node.state(), &grantee.grantee);
                let answer = ledger::answer(node, &self.suite, state, grantee, &read.query);
                Some(answer)
            }
            (Wrong::RefusesGrantees, Query::GetCredentialShared { .. }) => {
                Some(Err(Refusal::NotShared))
            }
            (Wrong::HidesGrants, Query::GetAccessGrantsOwned {}) => {
                Some(Ok(Answer::Grants(Vec::new())))
            }
            (Wrong::WrongErrorText, _) => right.as_ref().err().map(|why| Err(another(*why))),
            (Wrong::ForgetsDelete, _) if self.returned => {
                Some(of(ledger::with_removed_rows(node, &self.suite)))
            }
            (Wrong::StaleReads, _) => Some(of(ledger::before_the_last_change(node, &self.suite))),
            (Wrong::DivergesSilently, _) => Some(of(ledger::without_grants(node))),
            (Wrong::RefusedTakesEffect, _) => Some(of(ledger::without_locked_grants(node))),
            _ => None,
        }
    }
}

fn name(claim: &Claim) -> String {
    let identity = claim.identity();
    identity
        .map(|identity| identity.caller().to_string())
        .unwrap_or_default()
}

fn another(why: Refusal) -> Refusal {
    match why {
        Refusal::GrantNotFound => Refusal::NotShared,
        _ => Refusal::GrantNotFound,
    }
}

fn log(transaction: &Transaction) {
    let payload = String::from_utf8_lossy(&transaction.sent().payload);
    info!(target: "assay::node", %payload, "received");
}
