//! What people do, step by step. A [`Flow`] is told what came of its last step and says what is next.
//! Source: idos-facts part 5.

mod delegating;
mod describing;
mod issuing;
mod reading;
mod sharing;
mod trading;
mod writing;

use self::delegating::sign_dwg;
use self::describing::describe;
use self::issuing::{issue, register, rekey};
use self::reading::{Reading, UseStage, audit, look_once, use_copy};
use self::sharing::{share, sign_dag, store_again};
use self::trading::trade;
use self::writing::{add, transact};
use super::client::{As, Got, Want};
use super::desk::Desk;
use super::letter::{Letter, Package};
use super::machine::{Outbox, TaskId};
use super::order::{Order, Task, Via};
use crate::history::{Ending, Event};
use crate::id::{CredentialId, NodeId, PartyId};
use crate::ledger::{Action, Batch, Outcome, Query};
use crate::time::WallMillis;

/// What came of the last step.
pub(super) enum News {
    Begin,
    Got(Got),
    Letter(Letter),
}

/// What comes next.
pub(super) enum Next {
    /// Ask a node, through a certain one if given.
    Ask(Want, Option<Via>),
    /// Wait for a letter.
    Wait,
    /// It is over.
    Done(Ending),
}

fn submit(action: Action) -> Next {
    Next::Ask(Want::Submit(Batch::one(action)), None)
}

fn look(query: Query) -> Next {
    Next::Ask(
        Want::View {
            query,
            as_: As::Self_,
        },
        None,
    )
}

/// How a task ends that ends with this.
fn ending(got: &Got) -> Ending {
    match got {
        Got::Included(Outcome::Accepted) | Got::View { result: Ok(_), .. } => Ending::Accepted,
        Got::Included(Outcome::Refused(refusal))
        | Got::View {
            result: Err(refusal),
            ..
        } => Ending::Refused(refusal.code()),
        Got::Included(Outcome::Invalid) => Ending::Rejected("invalid"),
        Got::Rejected(code) => Ending::Rejected(code),
        Got::Nothing => Ending::Unanswered,
    }
}

/// Something that takes more than one step.
pub(super) enum Flow {
    /// One transaction, and that is it.
    Transact,
    /// Ask for proof, create the user, bind the wallet.
    Register { wallet: Option<Box<Batch>> },
    /// Hand over or insert a credential.
    Issue { package: Option<Package> },
    /// Ask for consent, replace the key.
    Rekey,
    /// User: store what an issuer handed over, and tell it.
    Store {
        issuer: PartyId,
        task: u64,
        credential: CredentialId,
    },
    /// Read the original, copy it, grant the copy.
    Share { plaintext: Option<Vec<u8>> },
    /// Look whether the row is there, then edit or add it.
    StoreAgain,
    /// Fetch the text, sign it, hand it over.
    SignDag,
    /// The same for a dWG.
    SignDwg,
    /// Ask for consent, write an attribute.
    Describe,
    /// Ask a user and wait for the decision.
    Request { request: u32, user: PartyId },
    /// Read a copy and judge it.
    Use { stage: UseStage, reading: Reading },
    /// A move of tokens, or a look at them.
    Trade,
    /// One view.
    Look,
    /// Many views.
    Audit { left: Vec<(Query, NodeId)> },
}

impl Flow {
    /// The flow that carries an order out.
    pub(super) fn of(order: &Order) -> Flow {
        match order {
            Order::Register { .. } => Flow::Register { wallet: None },
            Order::Issue { .. } => Flow::Issue { package: None },
            Order::Rekey { .. } => Flow::Rekey,
            Order::Share(_) | Order::Approve { .. } => Flow::Share { plaintext: None },
            Order::StoreAgain { .. } => Flow::StoreAgain,
            Order::SignDag { .. } => Flow::SignDag,
            Order::SignDwg { .. } => Flow::SignDwg,
            Order::Describe { .. } => Flow::Describe,
            Order::Request { request, user, .. } => Flow::Request {
                request: *request,
                user: *user,
            },
            Order::Use { .. } => Flow::Use {
                stage: UseStage::Grants,
                reading: Reading::default(),
            },
            Order::ReadOwn { .. }
            | Order::List
            | Order::Probe { .. }
            | Order::ListGranted { .. } => Flow::Look,
            Order::Trade(_) => Flow::Trade,
            Order::Audit { .. } => Flow::Audit { left: Vec::new() },
            Order::SetStatus { .. }
            | Order::Overwrite { .. }
            | Order::BindWallet { .. }
            | Order::WriteDwg { .. }
            | Order::AddAttribute { .. }
            | Order::EditAttribute { .. }
            | Order::RemoveAttribute { .. }
            | Order::ShareAttribute { .. }
            | Order::Deny { .. }
            | Order::Revoke { .. }
            | Order::Remove { .. }
            | Order::AddWallet { .. }
            | Order::RemoveWallet { .. }
            | Order::Erase
            | Order::TransmitDag { .. }
            | Order::Rescind { .. }
            | Order::Admit { .. }
            | Order::Dismiss { .. } => Flow::Transact,
        }
    }

    /// Whether the flow may hang on other people, and so needs patience of its own.
    pub(super) fn waits_for_people(&self) -> bool {
        matches!(
            self,
            Flow::Register { .. }
                | Flow::Issue { .. }
                | Flow::Rekey
                | Flow::Describe
                | Flow::Share { .. }
                | Flow::Request { .. }
        )
    }

    /// Whether the flow waits for this user's decision about a request.
    pub(super) fn awaits(&self, from: PartyId, decided: u32) -> bool {
        matches!(self, Flow::Request { request, user } if *request == decided && *user == from)
    }

    /// Takes the next step.
    pub(super) fn advance(
        &mut self,
        desk: &mut Desk,
        now: WallMillis,
        id: TaskId,
        task: &Task,
        news: News,
        out: &mut Outbox,
    ) -> Next {
        match self {
            Flow::Transact => match news {
                News::Begin => transact(desk, now, &task.order, out),
                News::Got(got) => Next::Done(ending(&got)),
                News::Letter(_) => Next::Wait,
            },
            Flow::Register { wallet } => register(wallet, desk, id, task, news, out),
            Flow::Issue { package } => issue(package, desk, now, id, task, news, out),
            Flow::Rekey => rekey(desk, id, task, news, out),
            Flow::Store {
                issuer,
                task: errand,
                credential,
            } => match news {
                News::Begin => submit(add(&desk.packages[credential], *credential)),
                News::Got(got) => {
                    let stored = Letter::Stored {
                        task: *errand,
                        ending: ending(&got),
                    };
                    out.letter(*issuer, stored);
                    Next::Done(ending(&got))
                }
                News::Letter(_) => Next::Wait,
            },
            Flow::Share { plaintext } => share(plaintext, desk, id, task, news, out),
            Flow::StoreAgain => store_again(desk, task, news),
            Flow::SignDag => sign_dag(desk, task, news, out),
            Flow::SignDwg => sign_dwg(desk, task, news, out),
            Flow::Describe => describe(desk, id, task, news, out),
            Flow::Request { request, user } => match news {
                News::Begin => {
                    out.letter(*user, Letter::AccessRequest { request: *request });
                    if let Order::Request { locked_until, .. } = task.order {
                        out.note(Event::Requested {
                            request: *request,
                            by: desk.me,
                            of: *user,
                            locked_until,
                        });
                    }
                    Next::Wait
                }
                News::Letter(Letter::Delivery { .. }) => Next::Done(Ending::Accepted),
                News::Letter(Letter::Denied { .. }) => Next::Done(Ending::Denied),
                News::Letter(_) | News::Got(_) => Next::Wait,
            },
            Flow::Use { stage, reading } => use_copy(stage, reading, desk, now, task, news, out),
            Flow::Trade => trade(desk, task, news),
            Flow::Look => look_once(desk, task, news, out),
            Flow::Audit { left } => audit(left, desk, task, news),
        }
    }
}
