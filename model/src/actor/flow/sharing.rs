//! What owners do with a document: share, store again, sign papers. Source: idos-facts 5.3, 5.4.

use super::super::client::{Got, Want};
use super::super::desk::{Desk, ELSEWHERE};
use super::super::letter::{Letter, Package};
use super::super::machine::{Outbox, TaskId};
use super::super::order::{Fidelity, Oddity, Order, RequestRef, Share, Task};
use super::writing::{add, edit};
use super::{News, Next, declined, doubted, ending, look, shout, submit};
use crate::crypto::content_hash;
use crate::history::{Doubt, Ending, Event, Role};
use crate::id::{ContentHash, PartyId};
use crate::ledger::{Action, Answer, Query};

/// Approval: decrypt, hash, re-encrypt, share. Source: idos-facts 5.3 step 2.
pub(super) fn share(
    plaintext: &mut Option<Vec<u8>>,
    desk: &mut Desk,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let (share, request) = match &task.order {
        Order::Share(share) => (share, None),
        Order::Approve { request, share } => (share, Some(*request)),
        Order::StoreCopy(share) => (share, None),
        other => unreachable!("{other:?} shares nothing"),
    };
    match news {
        News::Begin => look(Query::GetCredentialOwned { id: share.original }),
        News::Got(Got::View { result, .. }) => {
            let original = match result {
                Ok(Answer::Owned(Some(row))) => desk.open(&row.content, &row.encryptor_public_key),
                // Whoever has nothing to share stops here, except somebody who shares what is not
                // theirs and tries all the same.
                _ if share.owner == desk.card().persona.user => {
                    return declined("nothing-found");
                }
                _ => Some(b"{}".to_vec()),
            };
            let Some(original) = original else {
                return doubted(Doubt::CannotOpen);
            };
            if share.fidelity == Fidelity::Borrowed {
                *plaintext = Some(original);
                return match lender(desk) {
                    Some(lender) => {
                        out.letter(lender, Letter::LendMe { task: id.0 });
                        Next::Wait
                    }
                    None => declined("nothing-found"),
                };
            }
            let copy = unfaithful(&original, share.fidelity);
            written(desk, task, (share, request), copy, out)
        }
        News::Letter(Letter::Lent { document, .. }) => {
            let own = plaintext.take().unwrap_or_default();
            let copy = unfaithful(&document.unwrap_or(own), share.fidelity);
            written(desk, task, (share, request), copy, out)
        }
        News::Letter(_) | News::Overdue => Next::Wait,
        News::Got(got) => {
            let ending = ending(&got);
            if let (Ending::Accepted, Some(request)) = (ending, request) {
                decide(desk, request.number, share, out);
            }
            Next::Done(ending)
        }
    }
}

/// Sends a copy and the hash it states: granted, or to wait for a grant, as the order has it.
fn written(
    desk: &mut Desk,
    task: &Task,
    (share, request): (&Share, Option<RequestRef>),
    (copy, hash): (Vec<u8>, ContentHash),
    out: &mut Outbox,
) -> Next {
    let mut action = match task.order {
        Order::StoreCopy(_) => desk.waiting_copy(share, &copy, hash, out),
        _ => desk.copy(share, request, &copy, hash, out),
    };
    if task.oddity == Some(Oddity::Shouts) {
        shout_grantee(&mut action);
    }
    submit(action)
}

fn shout_grantee(share: &mut Action) {
    if let Action::ShareCredential {
        grantee_wallet_identifier: grantee,
        ..
    } = share
    {
        *grantee = shout(grantee);
    }
}

/// Tells the consumer, and whoever watches, that its request was approved.
pub(super) fn decide(desk: &Desk, request: u32, share: &Share, out: &mut Outbox) {
    out.note(Event::Decided {
        request,
        by: desk.me,
        copy: Some(share.copy),
        locked_until: share.locked_until,
    });
    out.letter(share.to, Letter::Delivery { request });
}

/// Somebody else who has a document to lend.
pub(super) fn lender(desk: &Desk) -> Option<PartyId> {
    desk.directory
        .parties(Role::User)
        .find(|user| *user != desk.me)
}

/// What a user puts into a copy, and the hash it states.
pub(super) fn unfaithful(original: &[u8], fidelity: Fidelity) -> (Vec<u8>, ContentHash) {
    let true_hash = content_hash(original);
    let altered = || {
        let text = String::from_utf8_lossy(original);
        text.replacen("\"Example\"", "\"Exemplar\"", 1).into_bytes()
    };
    match fidelity {
        Fidelity::Faithful | Fidelity::Borrowed | Fidelity::Tampered | Fidelity::Misdirected => {
            (original.to_vec(), true_hash)
        }
        Fidelity::Altered => {
            let copy = altered();
            let hash = content_hash(&copy);
            (copy, hash)
        }
        Fidelity::AlteredUnderOldHash => (altered(), true_hash),
        Fidelity::Garbage => {
            let copy = b"there is no document here, though it is long enough for one".to_vec();
            let hash = content_hash(&copy);
            (copy, hash)
        }
    }
}

/// Puts back what an issuer handed over once: by an edit where the row is there, else as a new row.
pub(super) fn store_again(desk: &mut Desk, task: &Task, news: News) -> Next {
    let Order::StoreAgain {
        issued,
        credential,
        resigned,
    } = task.order
    else {
        unreachable!("only an order to store again stores again")
    };
    match news {
        News::Begin => look(Query::GetCredentialOwned { id: credential }),
        News::Got(Got::View { result, .. }) => {
            let Some(package) = desk.packages.get(&issued).cloned() else {
                return declined("nothing-found");
            };
            let package = Package {
                credential,
                ..package
            };
            let package = if resigned {
                desk.resign(&package)
            } else {
                package
            };
            let there = matches!(result, Ok(Answer::Owned(Some(_))));
            submit(if there {
                edit(&package)
            } else {
                add(&package, credential)
            })
        }
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

/// The paper's text comes from the network, as wallets show what the network asks for.
/// Source: idos-facts 5.4 step 2.
pub(super) fn sign_dag(desk: &mut Desk, task: &Task, news: News, out: &mut Outbox) -> Next {
    let Order::SignDag {
        dag,
        grant,
        owner,
        carrier,
        not_after,
        terms,
    } = &task.order
    else {
        unreachable!("only an order to sign a dAG signs one")
    };
    let data = (grant.data, grant.locked_until);
    match news {
        News::Begin => {
            let directory = &desk.directory;
            let query = Query::DagMessage {
                dag_owner_wallet_identifier: directory.card(*owner).caller(),
                dag_grantee_wallet_identifier: directory.card(grant.grantee).caller(),
                dag_data_id: grant.data,
                dag_locked_until: grant.locked_until,
                dag_content_hash: desk.hash_for(grant.data),
                terms: desk.dag_terms(*not_after, terms),
            };
            Next::Ask(
                Want::View {
                    query,
                    as_: desk.as_anybody(),
                },
                None,
            )
        }
        News::Got(Got::View {
            result: Ok(Answer::Text(text)),
            ..
        }) => {
            let terms = desk.dag_terms(*not_after, terms);
            let unsigned = desk.dag_action(*owner, grant.grantee, data, terms.clone(), "".into());
            if desk.dag_text(&unsigned).as_deref() != Some(text.as_str()) {
                // A careful wallet does not sign a text it does not understand.
                return declined("nothing-found");
            }
            let meant = match task.oddity {
                Some(Oddity::OtherNetwork) => desk.dag_text_on(&unsigned, ELSEWHERE),
                _ => None,
            };
            let signature = desk.sign_text(task.wallet, &meant.unwrap_or(text));
            let paper = desk.dag_action(*owner, grant.grantee, data, terms, signature);
            desk.signed.insert(*dag, paper.clone());
            if *carrier == desk.me {
                desk.papers.insert(*dag, paper);
            } else {
                let paper = Box::new(paper);
                out.letter(*carrier, Letter::Dag { dag: *dag, paper });
            }
            Next::Done(Ending::Accepted)
        }
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::actor::order::Terms;
    use crate::actor::people::{desks, task};
    use crate::id::{CredentialId, UserId};
    use crate::ledger::Payload;

    /// What is sent for this order once a document was lent for it.
    fn sent(order: impl Fn(Share) -> Order, oddity: Option<Oddity>) -> Action {
        let [mut user, consumer] = desks([Role::User, Role::Consumer]);
        let copy = Share {
            original: CredentialId(Uuid::from_u128(1)),
            owner: UserId(Uuid::nil()),
            copy: CredentialId(Uuid::from_u128(2)),
            to: consumer.me,
            locked_until: 0,
            in_millis: false,
            terms: Terms::default(),
            fidelity: Fidelity::Borrowed,
        };
        let task = Task {
            oddity,
            ..task(order(copy))
        };
        let lent = News::Letter(Letter::Lent {
            task: 1,
            document: Some(b"{}".to_vec()),
        });
        let out = &mut Outbox::default();
        match share(&mut None, &mut user, TaskId(1), &task, lent, out) {
            Next::Ask(Want::Submit(Payload::Actions(batch)), _) => batch.calls()[0].clone(),
            _ => panic!("nothing is sent"),
        }
    }

    #[test]
    fn a_lent_document_is_written_as_the_order_has_it() {
        let waits = sent(Order::StoreCopy, None);
        assert!(matches!(waits, Action::CreateCredentialCopy { .. }));
        let grantee = |oddity| match sent(Order::Share, oddity) {
            Action::ShareCredential {
                grantee_wallet_identifier: grantee,
                ..
            } => grantee,
            other => panic!("{} makes no grant", other.name()),
        };
        let plain = grantee(None);
        let shouted = grantee(Some(Oddity::Shouts));
        assert_ne!(plain, shouted);
        assert_eq!(plain.to_lowercase(), shouted.to_lowercase());
    }
}
