//! What clients are answered, put into the model's terms and compared with what the ledger allows.
//!
//! An answer is from any height the node was at between question and answer, so it is right if it is right at one
//! of these. Under `fresh-answers` nodes say which one, and it has to be right at that one; others say nothing.

use assay_model::actor;
use assay_model::history::{Contradiction, Event};
use assay_model::id::{Height, NodeId, PartyId};
use assay_model::ledger::{Answer as Rows, Outcome, Query, Refusal};
use assay_model::node::{Claim, Reply, Request, RequestId, TxStatus};
use assay_model::rules::Switch;
use assay_node::rpc::{self, Heard, Standing};
use hyper::body::Bytes;

use super::{Stage, oracle};
use crate::venue::Venue;
use crate::wire::Silence;

/// How a request ended on the wire.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// HTTP status and body.
    pub(super) heard: Result<(u16, Bytes), Silence>,
    /// The node's height right after it, where it could be asked.
    pub(super) tip: Option<Height>,
}

/// An answer that cannot be understood before the node has shown its blocks.
pub(super) struct Waiting {
    pub(super) id: RequestId,
    pub(super) by: PartyId,
    pub(super) node: NodeId,
    life: u32,
    request: Request,
    /// What the node had shown when it was asked, and had when it answered.
    window: (Height, Height),
    heard: Heard,
    /// The height it says that it answers from.
    told: Option<Height>,
    /// The client does not wait for it any more.
    pub(super) hung_up: bool,
}

impl<V: Venue> Stage<'_, '_, V> {
    pub(super) fn on_answer(&mut self, id: RequestId, answer: Answer) {
        let Some(open) = self.open.remove(&id) else {
            return;
        };
        let (by, node) = (open.by, open.node);
        let (heard, told) = match answer.heard {
            Ok((status, body)) => (
                rpc::hear(&open.request, status, &body),
                rpc::height_told(&body),
            ),
            Err(_) => return self.unanswered(id, by, node),
        };
        let plain = match heard {
            Heard::Health {
                height,
                time,
                syncing,
            } => Reply::Health {
                height,
                time,
                syncing,
            },
            Heard::Account { nonce } => Reply::Account { nonce },
            Heard::Rejected(rejected) => Reply::Rejected(rejected),
            Heard::TimedOut => Reply::TimedOut,
            Heard::Challenge(challenge) => Reply::Challenge(challenge),
            Heard::ClaimRefused(problem) => Reply::ClaimRefused(problem),
            Heard::Behind => Reply::Behind,
            Heard::Halted => Reply::Halted,
            Heard::TxStatus(Standing::Pending) => Reply::TxStatus(TxStatus::Pending),
            Heard::TxStatus(Standing::Unknown) => Reply::TxStatus(TxStatus::Unknown),
            Heard::Submitted => Reply::Submitted,
            Heard::Busy(_) => return self.unanswered(id, by, node),
            Heard::Malformed(why) => {
                let what = format!("{:?}", assay_model::history::Asked::of(&open.request));
                self.contradict_reply(node, what, "a readable answer".to_owned(), why);
                return self.unanswered(id, by, node);
            }
            Heard::Included { .. } if self.is_silenced(by, node) => {
                return self.unanswered(id, by, node);
            }
            heard @ (Heard::View(_) | Heard::Included { .. } | Heard::TxStatus(_)) => {
                let from = open.height;
                let tip = answer.tip.unwrap_or_else(|| self.network.oracle.height());
                let seat = &self.network.seats[node.index()];
                seat.poke.notify_one();
                self.waiting.push_back(Waiting {
                    id,
                    by,
                    node,
                    life: seat.life,
                    request: open.request,
                    window: (from, tip.max(from)),
                    heard,
                    told,
                    hung_up: false,
                });
                return;
            }
        };
        self.answered(id, by, node, plain);
    }

    /// Puts answers into the model's terms whose nodes have shown enough by now.
    pub(super) fn resolve(&mut self) {
        let ready = |stage: &Self, waiting: &Waiting| {
            let seat = &stage.network.seats[waiting.node.index()];
            let gone = seat.life != waiting.life || !seat.up;
            match (&waiting.heard, &waiting.request) {
                // What a dead node acknowledged must turn up on the others.
                (Heard::Included { .. }, Request::Broadcast(transaction)) if gone => {
                    stage.network.included.contains_key(&transaction.id)
                }
                _ => gone || seat.shown.height() >= waiting.window.1,
            }
        };
        let mut index = 0;
        while index < self.waiting.len() {
            if ready(self, &self.waiting[index]) {
                let waiting = self.waiting.remove(index).expect("the index is in range");
                self.conclude(waiting);
            } else {
                index += 1;
            }
        }
    }

    /// An answer that nothing more will be known about.
    pub(super) fn conclude(&mut self, waiting: Waiting) {
        let Waiting {
            id,
            by,
            node,
            request,
            window,
            heard,
            told: height,
            hung_up,
            ..
        } = waiting;
        let reply = match (heard, &request) {
            (Heard::View(told), Request::View { claim, query }) => {
                let window = self.narrowed(node, window, query, (height, &told));
                self.view(node, window, claim, query, told)
            }
            (Heard::Included { code, log }, Request::Broadcast(transaction)) => {
                let known = self.network.included.get(&transaction.id).copied();
                if hung_up && known.is_some() {
                    return;
                }
                let height = known.map_or(window.1, |(height, _)| height);
                let outcome = known.map(|(_, outcome)| outcome);
                let what = format!(
                    "what it acknowledged of transaction {}",
                    transaction.id.short()
                );
                let (told, agrees) = oracle::outcome(outcome, transaction, code, &log);
                self.compared.entry(node).or_default().0 += 1;
                if !agrees || known.is_none() {
                    let expected = outcome.map_or_else(
                        || "its block, which the node does not show".to_owned(),
                        |outcome| oracle::told(outcome, transaction),
                    );
                    self.contradict_result(node, height, what, expected, format!("{code} {log}"));
                }
                Some(Reply::Included {
                    height,
                    outcome: told,
                })
            }
            (Heard::TxStatus(Standing::Included { height, code, log }), Request::TxStatus(id)) => {
                let known = self.network.included.get(id).map(|(_, outcome)| *outcome);
                let transaction = self.network.transactions.get(id).cloned();
                let outcome = transaction.map_or(Outcome::Invalid, |transaction| {
                    oracle::outcome(known, &transaction, code, &log).0
                });
                Some(Reply::TxStatus(TxStatus::Included { height, outcome }))
            }
            _ => None,
        };
        match reply {
            Some(reply) => self.answered(id, by, node, reply),
            None => self.unanswered(id, by, node),
        }
    }

    /// The heights an answer may be from: the one it names, where it has to name one. An error of the call is not
    /// from any state.
    fn narrowed(
        &mut self,
        node: NodeId,
        window: (Height, Height),
        query: &Query,
        (told, rows): (Option<Height>, &Result<Rows, String>),
    ) -> (Height, Height) {
        let engine = |text: &String| matches!(Refusal::parse(text), Some(Refusal::Engine(_)));
        let nameless = rows.as_ref().is_err_and(engine) && told.is_none();
        if !self.plan.rules.keep(Switch::FreshAnswers) || nameless {
            return window;
        }
        match told {
            Some(height) if height <= window.1 => (height, height),
            _ => {
                let got = told.map_or("no height".to_owned(), |height| format!("height {height}"));
                let expected = format!("a height up to {}", window.1);
                self.contradict(
                    node,
                    window.1,
                    Contradiction::Height,
                    query.name().to_owned(),
                    expected,
                    got,
                );
                window
            }
        }
    }

    /// A view's answer at the height it fits; where it fits none, both sides are put on record.
    fn view(
        &mut self,
        node: NodeId,
        window: (Height, Height),
        claim: &Claim,
        query: &Query,
        told: Result<Rows, String>,
    ) -> Option<Reply> {
        let caller = claim.identity();
        let fits = |ought: &Result<Rows, Refusal>| match (ought, &told) {
            (Ok(ought), Ok(told)) => ought == told,
            (Err(ought), Err(told)) => ought.to_string() == *told,
            _ => false,
        };
        self.compared.entry(node).or_default().0 += 1;
        let fitting = self
            .network
            .oracle
            .views(window, caller, query)
            .find(|(_, ought)| fits(ought));
        if let Some((height, result)) = fitting {
            return Some(Reply::View { height, result });
        }
        let latest = self
            .network
            .oracle
            .views((window.1, window.1), caller, query)
            .next();
        let expected = latest.map_or("a state it has".to_owned(), |(_, ought)| shown(&ought));
        let result = match &told {
            Ok(rows) => Ok(rows.clone()),
            Err(text) => Refusal::parse(text).map(Err)?,
        };
        self.contradict(
            node,
            window.1,
            Contradiction::View,
            query.name().to_owned(),
            expected,
            match told {
                Ok(rows) => shown(&Ok(rows)),
                Err(text) => format!("refused: {text}"),
            },
        );
        Some(Reply::View {
            height: window.1,
            result,
        })
    }

    fn answered(&mut self, id: RequestId, by: PartyId, node: NodeId, reply: Reply) {
        self.record(Event::Answered {
            id,
            by,
            node,
            reply: reply.clone(),
        });
        self.tell(by, actor::Input::Reply { id, reply });
    }

    pub(super) fn unanswered(&mut self, id: RequestId, by: PartyId, node: NodeId) {
        self.record(Event::NoAnswer { id, by, node });
        self.tell(by, actor::Input::Unreachable { id });
    }

    pub(super) fn contradict_reply(
        &mut self,
        node: NodeId,
        what: String,
        expected: String,
        got: String,
    ) {
        let height = self.network.seats[node.index()].shown.height();
        self.contradict(node, height, Contradiction::Reply, what, expected, got);
    }

    pub(super) fn contradict_result(
        &mut self,
        node: NodeId,
        height: Height,
        what: String,
        expected: String,
        got: String,
    ) {
        self.contradict(node, height, Contradiction::Result, what, expected, got);
    }

    fn contradict(
        &mut self,
        node: NodeId,
        height: Height,
        about: Contradiction,
        what: String,
        expected: String,
        got: String,
    ) {
        self.record(Event::Contradicted {
            node,
            height,
            of: about,
            what,
            expected,
            got,
        });
    }
}

fn shown(result: &Result<Rows, Refusal>) -> String {
    match result {
        Ok(rows) => format!("{rows:?}"),
        Err(refusal) => format!("refused: {refusal}"),
    }
}
