//! What people do, step by step. A [`Flow`] is told what came of its last step and says what is next.
//! Source: idos-facts part 5.

mod bridging;
mod delegating;
mod describing;
mod disclosing;
mod exchanging;
mod governing;
mod issuing;
mod keeping;
mod passporting;
mod prying;
mod reading;
mod requesting;
mod rotating;
mod sharing;
mod trading;
mod writing;

pub(super) use self::bridging::Signing;
use self::bridging::{Posting, claim, post_root, sign_root, vote};
use self::delegating::sign_dwg;
use self::describing::describe;
pub(super) use self::disclosing::{Sifting, judge};
use self::disclosing::{
    answer, ask, ask_again, ask_filter, deny_question, present, sift, withdraw,
};
use self::exchanging::exchange;
use self::governing::govern;
use self::issuing::{issue, recognise, register, rekey};
use self::keeping::{Rebinding, Round, disclose, rebind, recover, store_shares, unlock};
pub(super) use self::passporting::Vouching;
use self::passporting::{found, join, rely, vouch};
use self::prying::{Prying, pry};
use self::reading::{Reading, UseStage, audit, look_once, use_copy};
use self::requesting::{dashboard, deny, list_rows, request};
use self::rotating::{Rotation, change_key, rotate};
use self::sharing::{share, sign_dag, store_again};
use self::trading::trade;
use self::writing::{add, transact};
use super::client::{As, Got, Want};
use super::desk::Desk;
use super::letter::{Letter, Package};
use super::machine::{Outbox, TaskId};
use super::order::{ChainDeed, Order, Task, Via};
use crate::actor::directory::Password;
use crate::bridge::{BridgeEvent, Hash};
use crate::crypto::{BoxPublic, BoxSecret};
use crate::history::{Doubt, Ending};
use crate::id::{CredentialId, NodeId, PartyId, Text};
use crate::ledger::{Action, Batch, GrantRow, Outcome, OwnerConsent, Payload, Query};
use crate::time::WallMillis;

/// What came of the last step.
pub(super) enum News {
    Begin,
    Got(Got),
    Letter(Letter),
    /// Not everybody has answered in time.
    Overdue,
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
    hand_in(Batch::one(action))
}

/// The same with a payload of any kind.
fn hand_in(payload: impl Into<Payload>) -> Next {
    Next::Ask(Want::Submit(payload.into()), None)
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

/// It is over, and came to nothing for this reason.
fn declined(code: &'static str) -> Next {
    Next::Done(Ending::Declined(code))
}

/// The same, because of what is doubted.
fn doubted(doubt: Doubt) -> Next {
    declined(doubt.code())
}

/// It is over, and well if what was looked for is so.
fn done_if(found: bool, otherwise: &'static str) -> Next {
    match found {
        true => Next::Done(Ending::Accepted),
        false => declined(otherwise),
    }
}

/// An identifier in capitals, as software writes it that takes it from elsewhere. No hex is read without its
/// `0x`, so that stays.
fn shout(identifier: &str) -> Text {
    match identifier.strip_prefix("0x") {
        Some(digits) => format!("0x{}", digits.to_uppercase()).into(),
        None => identifier.to_uppercase().into(),
    }
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
    /// The same, of the engine's own.
    Govern,
    /// Ask for proof, create the user, bind the wallet.
    Register { wallet: Option<Box<Batch>> },
    /// Hand over or insert a credential.
    Issue { package: Option<Package> },
    /// Look at a face, hand over a credential.
    Recognise,
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
    /// Register an entity, then make it a member.
    Join { registered: bool },
    /// Have a peer vouch, then read what it vouched for.
    Rely { grants: Vec<GrantRow> },
    /// Vouch for what was verified.
    Vouch(Vouching),
    /// Ask an enclave, and compare.
    Filter,
    /// User: look through the own credentials for somebody.
    Sift(Sifting),
    /// Ask a question, wait for the answer and judge it.
    Ask { question: u32 },
    /// The same once more.
    AskAgain { question: u32 },
    /// Look whose credential it is, approve.
    Answer,
    /// Show an answer, hear what is thought of it.
    Present,
    /// Give the password to the share nodes.
    StoreShares { round: Round },
    /// Get it back from them.
    Recover {
        round: Round,
        ephemeral: Option<BoxSecret>,
    },
    /// Bind or unbind a wallet at the network and at the share nodes.
    Rebind { stage: Rebinding, round: Round },
    /// Type the password.
    Unlock,
    /// Change the key and seal everything anew.
    Rotate { rotation: Rotation },
    /// Inserter: record a key for its owner.
    ChangeKey {
        task: u64,
        key: BoxPublic,
        consent: Option<OwnerConsent>,
    },
    /// Show a page what a credential says: the row, once it is known that its request waits.
    Disclose { credential: Option<CredentialId> },
    /// Ask a user's enclave and wait for what it shows.
    AskEnclave { request: u32, user: PartyId },
    /// Ask a user and wait for the decision.
    Request { request: u32, user: PartyId },
    /// Say no, on the chain and to the consumer.
    Deny,
    /// Have something listed.
    List,
    /// See what the dashboard shows.
    Dashboard,
    /// Read a copy and judge it.
    Use { stage: UseStage, reading: Reading },
    /// A move of tokens, or a look at them.
    Trade,
    /// One view.
    Look,
    /// Call contracts, and wait until that is confirmed.
    Exchange,
    /// Operator: tell the network of an event, or of one that never was.
    Vote { event: Option<BridgeEvent> },
    /// Operator: find out a root, have it signed and post it.
    PostRoot(Posting),
    /// Operator: sign a root for another.
    SignRoot(Signing),
    /// Find out what can be claimed, and claim it.
    Claim { roots: Vec<Hash> },
    /// Questions about somebody else's rows.
    Pry(Prying),
    /// Many views.
    Audit { left: Vec<(Query, NodeId)> },
}

impl Flow {
    /// The flow that carries an order out.
    pub(super) fn of(order: &Order, password: Password) -> Flow {
        match order {
            Order::AddWallet { .. } | Order::RemoveWallet { .. }
                if password == Password::Shared =>
            {
                Flow::Rebind {
                    stage: Rebinding::default(),
                    round: Round::default(),
                }
            }
            Order::StoreShares => Flow::StoreShares {
                round: Round::default(),
            },
            Order::Recover => Flow::Recover {
                round: Round::default(),
                ephemeral: None,
            },
            Order::Unlock { .. } => Flow::Unlock,
            Order::Rotate { .. } => Flow::Rotate {
                rotation: Rotation::default(),
            },
            Order::AskEnclave { request, user, .. } => Flow::AskEnclave {
                request: *request,
                user: *user,
            },
            Order::Register { .. } => Flow::Register { wallet: None },
            Order::Issue { .. } => Flow::Issue { package: None },
            Order::Recognise { .. } => Flow::Recognise,
            Order::Rekey { .. } => Flow::Rekey,
            Order::Share(_) | Order::Approve { .. } | Order::StoreCopy(_) => {
                Flow::Share { plaintext: None }
            }
            Order::StoreAgain { .. } => Flow::StoreAgain,
            Order::SignDag { .. } => Flow::SignDag,
            Order::SignDwg { .. } => Flow::SignDwg,
            Order::Describe { .. } => Flow::Describe,
            Order::JoinClub { .. } => Flow::Join { registered: false },
            Order::Rely { .. } => Flow::Rely { grants: Vec::new() },
            Order::Filter { .. } => Flow::Filter,
            Order::Ask { question, .. } => Flow::Ask {
                question: *question,
            },
            Order::AskAgain { question } => Flow::AskAgain {
                question: *question,
            },
            Order::Answer { .. } => Flow::Answer,
            Order::PresentAnswer { .. } => Flow::Present,
            Order::Allow { .. } => Flow::Disclose { credential: None },
            Order::Request { request, user, .. } => Flow::Request {
                request: request.number,
                user: *user,
            },
            Order::Deny { .. } => Flow::Deny,
            Order::ListRows { .. } => Flow::List,
            Order::Dashboard => Flow::Dashboard,
            Order::Use { .. } => Flow::Use {
                stage: UseStage::Grants,
                reading: Reading::default(),
            },
            Order::ReadOwn { .. }
            | Order::List
            | Order::Probe { .. }
            | Order::ReadLog { .. }
            | Order::ListGranted { .. } => Flow::Look,
            Order::Trade(_) => Flow::Trade,
            Order::OnChain(ChainDeed::PostRoot { .. }) => Flow::PostRoot(Posting::default()),
            Order::OnChain(ChainDeed::Claim { .. }) => Flow::Claim { roots: Vec::new() },
            Order::OnChain(_) => Flow::Exchange,
            Order::InventDeposit { .. } => Flow::Vote { event: None },
            Order::Pry { .. } => Flow::Pry(Prying::default()),
            Order::Audit { .. } => Flow::Audit { left: Vec::new() },
            Order::SetStatus { .. }
            | Order::DeclareKeyInvalid { .. }
            | Order::Overwrite { .. }
            | Order::BindWallet { .. }
            | Order::WriteDwg { .. }
            | Order::AddAttribute { .. }
            | Order::EditAttribute { .. }
            | Order::RemoveAttribute { .. }
            | Order::ShareAttribute { .. }
            | Order::FoundClub { .. }
            | Order::LeaveClub { .. }
            | Order::LeakSession { .. }
            | Order::TurnAway { .. }
            | Order::Forbid { .. }
            | Order::DenyQuestion { .. }
            | Order::WithdrawAnswer { .. }
            | Order::Revoke { .. }
            | Order::EndAccess { .. }
            | Order::RemoveWhenUnlocked { .. }
            | Order::CancelDag { .. }
            | Order::CancelDwg { .. }
            | Order::Withdraw { .. }
            | Order::UseGrant { .. }
            | Order::Remove { .. }
            | Order::AddWallet { .. }
            | Order::RemoveWallet { .. }
            | Order::Authorise { .. }
            | Order::Guess { .. }
            | Order::Behave { .. }
            | Order::Erase
            | Order::TransmitDag { .. }
            | Order::Rescind { .. }
            | Order::Admit { .. }
            | Order::Dismiss { .. }
            | Order::WatchChain
            | Order::Reorganise { .. } => Flow::Transact,
            Order::ReplaceAction { .. }
            | Order::JoinValidators { .. }
            | Order::ApproveJoin { .. }
            | Order::RemoveValidator { .. }
            | Order::LeaveValidators
            | Order::Propose(_)
            | Order::ApproveProposal(_) => Flow::Govern,
        }
    }

    /// Whether the flow may hang on other people, and so needs patience of its own.
    pub(super) fn waits_for_people(&self) -> bool {
        matches!(
            self,
            Flow::Register { .. }
                | Flow::Issue { .. }
                | Flow::Recognise
                | Flow::Rekey
                | Flow::Describe
                | Flow::Share { .. }
                | Flow::Filter
                | Flow::Rely { .. }
                | Flow::Ask { .. }
                | Flow::AskAgain { .. }
                | Flow::Present
                | Flow::Request { .. }
                | Flow::Exchange
                | Flow::PostRoot(_)
                | Flow::Claim { .. }
                | Flow::AskEnclave { .. }
                | Flow::Rotate { .. }
        )
    }

    /// Whether the flow waits for this user's decision about a request.
    pub(super) fn awaits(&self, from: PartyId, decided: u32) -> bool {
        let (Flow::Request { request, user } | Flow::AskEnclave { request, user }) = self else {
            return false;
        };
        *request == decided && *user == from
    }

    /// Whether the flow waits for an answer to this question.
    pub(super) fn wonders(&self, asked: u32) -> bool {
        match self {
            Flow::Ask { question } | Flow::AskAgain { question } => *question == asked,
            _ => false,
        }
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
                News::Begin => transact(desk, now, task, out),
                News::Got(got) => Next::Done(ending(&got)),
                News::Letter(_) | News::Overdue => Next::Wait,
            },
            Flow::StoreShares { round } => store_shares(round, desk, now, id, task, news, out),
            Flow::Recover { round, ephemeral } => {
                recover((round, ephemeral), desk, now, id, task, news, out)
            }
            Flow::Rebind { stage, round } => rebind((stage, round), desk, now, id, task, news, out),
            Flow::Rotate { rotation } => rotate(rotation, desk, id, task, news, out),
            Flow::ChangeKey {
                task: errand,
                key,
                consent,
            } => change_key((*errand, *key, consent), desk, task, news, out),
            Flow::Unlock => unlock(desk, task, news, out),
            Flow::Disclose { credential } => disclose(credential, desk, task, news, out),
            Flow::AskEnclave { request, user } => match news {
                News::Begin => {
                    if let Order::AskEnclave { credential, .. } = task.order {
                        let request = *request;
                        out.letter(
                            *user,
                            Letter::EnclaveCall {
                                request,
                                credential,
                            },
                        );
                    }
                    Next::Wait
                }
                News::Letter(Letter::Plaintext { document, .. }) => {
                    done_if(document.is_some(), "nothing-found")
                }
                News::Letter(Letter::OriginUnknown { .. }) => declined("origin-unknown"),
                News::Letter(Letter::Denied { .. }) => Next::Done(Ending::Denied),
                News::Letter(_) | News::Got(_) | News::Overdue => Next::Wait,
            },
            Flow::Govern => match news {
                News::Begin => govern(desk, &task.order),
                News::Got(got) => Next::Done(ending(&got)),
                News::Letter(_) | News::Overdue => Next::Wait,
            },
            Flow::Register { wallet } => register(wallet, desk, id, task, news, out),
            Flow::Issue { package } => issue(package, desk, now, id, task, news, out),
            Flow::Recognise => recognise(desk, now, id, task, news, out),
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
                News::Letter(_) | News::Overdue => Next::Wait,
            },
            Flow::Exchange => exchange(desk, id, task, news, out),
            Flow::Vote { event } => vote(event, desk, task, news),
            Flow::PostRoot(posting) => post_root(posting, desk, id, task, news, out),
            Flow::SignRoot(signing) => sign_root(signing, desk, news, out),
            Flow::Claim { roots } => claim(roots, desk, id, task, news, out),
            Flow::Share { plaintext } => share(plaintext, desk, id, task, news, out),
            Flow::StoreAgain => store_again(desk, task, news),
            Flow::SignDag => sign_dag(desk, task, news, out),
            Flow::SignDwg => sign_dwg(desk, task, news, out),
            Flow::Describe => describe(desk, id, task, news, out),
            Flow::Request { .. } => request(desk, task, news, out),
            Flow::Deny => deny(desk, task, news, out),
            Flow::List => list_rows(desk, task, news),
            Flow::Dashboard => dashboard(desk, news, out),
            Flow::Join { registered } => join(registered, desk, task, news),
            Flow::Rely { grants } => rely(grants, desk, now, id, task, news, out),
            Flow::Vouch(vouching) => vouch(vouching, desk, news, out),
            Flow::Filter => ask_filter(id, task, news, out),
            Flow::Sift(sifting) => sift(sifting, desk, news, out),
            Flow::Ask { .. } => ask(desk, now, task, news, out),
            Flow::AskAgain { .. } => ask_again(desk, now, task, news, out),
            Flow::Answer => answer(desk, task, news, out),
            Flow::Present => present(desk, id, task, news, out),
            Flow::Use { stage, reading } => use_copy(stage, reading, desk, now, task, news, out),
            Flow::Trade => trade(desk, task, news),
            Flow::Look => look_once(desk, task, news, out),
            Flow::Pry(prying) => pry(prying, desk, task, news, out),
            Flow::Audit { left } => audit(left, desk, task, news),
        }
    }
}
