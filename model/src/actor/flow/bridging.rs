//! What passes between the storage network and the chain that holds the tokens: operators tell the one what the
//! other has confirmed, and people claim there what they withdrew here. Source: idos-facts 5.16.

use super::super::client::Got;
use super::super::desk::Desk;
use super::super::directory::operator_key;
use super::super::letter::Letter;
use super::super::machine::{Outbox, TaskId};
use super::super::order::{ChainDeed, Order, Task};
use super::exchanging::{person, send};
use super::trading::{address, epochs};
use super::{News, Next, declined, ending, hand_in, look};
use crate::bridge::{BridgeEvent, DepositEvent, Hash, Token};
use crate::chain::{Call, RootSignature, account, root_message, whole};
use crate::history::Ending;
use crate::id::PartyId;
use crate::ledger::{Answer, ClaimRow, EpochRow, Outcome, Query, Refusal};
use crate::wire::EnginePayload;

/// An operator votes for an event: it proposes it, and approves of it where another was first.
pub(super) fn vote(event: &mut Option<BridgeEvent>, desk: &Desk, task: &Task, news: News) -> Next {
    let votable = event
        .get_or_insert_with(|| invented(desk, &task.order))
        .votable();
    match news {
        News::Begin => hand_in(EnginePayload::CreateResolution(votable)),
        News::Got(Got::Included(Outcome::Refused(Refusal::ResolutionExists))) => {
            hand_in(EnginePayload::ApproveResolution(votable.id()))
        }
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

/// A deposit that never was; operators who invent the same one vote for the same one.
fn invented(desk: &Desk, order: &Order) -> BridgeEvent {
    let Order::InventDeposit { of, token, amount } = order else {
        unreachable!("what really happened is told by the chain")
    };
    let name = format!("invented deposit of {amount} {token} for {of:?}");
    BridgeEvent::Deposit(DepositEvent {
        id: Hash(blake3::hash(name.as_bytes()).into()),
        token: *token,
        address: person(desk, *of),
        amount: whole(*token, *amount),
        block: 1,
    })
}

/// The root to post, and who stands behind it so far.
#[derive(Debug, Default)]
pub(in crate::actor) struct Posting {
    root: Hash,
    waits: usize,
    signatures: Vec<RootSignature>,
}

/// An operator posts the root of the epoch that waits for it, once everybody it asks has answered.
pub(super) fn post_root(
    posting: &mut Posting,
    desk: &mut Desk,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::OnChain(ChainDeed::PostRoot {
        token,
        signers,
        forged,
    }) = &task.order
    else {
        unreachable!("only an order to post a root posts one")
    };
    match news {
        News::Begin => look(epochs(*token)),
        News::Got(Got::View {
            result: Ok(Answer::Epochs(rows)),
            ..
        }) => {
            let Some(row) = rows.iter().find(|row| !row.confirmed) else {
                return declined("nothing-found");
            };
            posting.root = match forged {
                true => Hash(blake3::hash(&row.root.0).into()),
                false => row.root,
            };
            posting
                .signatures
                .extend(signed(desk, *token, posting.root));
            posting.waits = signers.len();
            for signer in signers {
                let wanted = Letter::RootWanted {
                    task: id.0,
                    token: *token,
                    root: posting.root,
                };
                out.letter(*signer, wanted);
            }
            post_if_all(posting, desk, id, task, *token, out)
        }
        News::Letter(Letter::RootSigned { signature, .. }) => {
            posting.signatures.extend(signature);
            posting.waits = posting.waits.saturating_sub(1);
            post_if_all(posting, desk, id, task, *token, out)
        }
        News::Letter(Letter::Receipt { ending, .. }) => Next::Done(ending),
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

fn post_if_all(
    posting: &mut Posting,
    desk: &mut Desk,
    id: TaskId,
    task: &Task,
    token: Token,
    out: &mut Outbox,
) -> Next {
    if posting.waits > 0 {
        return Next::Wait;
    }
    let call = Call::PostRoot {
        token,
        root: posting.root,
        signatures: std::mem::take(&mut posting.signatures),
    };
    send(desk, id, task, vec![call], out)
}

/// The own word for a root.
fn signed(desk: &Desk, token: Token, root: Hash) -> Option<RootSignature> {
    let key = operator_key(desk.card().persona.node);
    let signer = account(&desk.suite.identity(&key))?;
    let signature = desk.suite.sign(&key, &root_message(token, root));
    Some(RootSignature { signer, signature })
}

/// A root somebody wants signed.
#[derive(Debug)]
pub(in crate::actor) struct Signing {
    pub(in crate::actor) by: PartyId,
    pub(in crate::actor) task: u64,
    pub(in crate::actor) token: Token,
    pub(in crate::actor) root: Hash,
}

/// An operator signs a root that the own node shows, and no other.
pub(super) fn sign_root(signing: &Signing, desk: &Desk, news: News, out: &mut Outbox) -> Next {
    let got = match news {
        News::Begin => return look(epochs(signing.token)),
        News::Got(got) => got,
        News::Letter(_) | News::Overdue => return Next::Wait,
    };
    let is = |row: &EpochRow| row.root == signing.root && !row.confirmed;
    let known = match &got {
        Got::View {
            result: Ok(Answer::Epochs(rows)),
            ..
        } => rows.iter().any(is),
        _ => false,
    };
    let signature = known.then(|| signed(desk, signing.token, signing.root));
    let answer = Letter::RootSigned {
        task: signing.task,
        signature: signature.flatten(),
    };
    out.letter(signing.by, answer);
    Next::Done(Ending::Accepted)
}

/// Has the escrow pay what an address can prove to have withdrawn.
pub(super) fn claim(
    roots: &mut Vec<Hash>,
    desk: &mut Desk,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::OnChain(ChainDeed::Claim { token, of, again }) = &task.order else {
        unreachable!("only an order to claim claims")
    };
    match news {
        News::Begin => look(Query::ListWalletRewards {
            token: *token,
            wallet: address(desk, *of, 0),
            with_pending: false,
        }),
        News::Got(Got::View {
            result: Ok(Answer::Claims(mut rows)),
            ..
        }) => {
            rows.retain(|row| *again || !desk.claimed.contains(&(*of, row.root)));
            if rows.is_empty() {
                return declined("nothing-found");
            }
            *roots = rows.iter().map(|row| row.root).collect();
            let calls = rows.into_iter().map(|row| claimed(*token, row));
            send(desk, id, task, calls.collect(), out)
        }
        News::Letter(Letter::Receipt { ending, .. }) => {
            if ending == Ending::Accepted {
                desk.claimed.extend(roots.drain(..).map(|root| (*of, root)));
            }
            Next::Done(ending)
        }
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

fn claimed(token: Token, row: ClaimRow) -> Call {
    Call::Claim {
        token,
        root: row.root,
        leaf: row.leaf(),
        proof: row.proof,
    }
}
