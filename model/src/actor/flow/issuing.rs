//! What issuers do: register, verify and write, replace keys. Source: idos-facts 5.1, 5.5.

use super::super::desk::Desk;
use super::super::directory::key_text;
use super::super::letter::{Letter, Package};
use super::super::machine::{Outbox, TaskId};
use super::super::order::{Oddity, Order, Task, Writer};
use super::writing::upsert;
use super::{News, Next, ending, hand_in, submit};
use crate::history::Ending;
use crate::id::PartyId;
use crate::ledger::{Action, Batch, Consent, OwnerConsent};
use crate::time::WallMillis;

/// Cold start. Source: idos-facts 5.1 steps 2 and 3.
pub(super) fn register(
    wallet: &mut Option<Box<Batch>>,
    desk: &mut Desk,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Register { user } = &task.order else {
        unreachable!("only an order to register registers")
    };
    match news {
        News::Begin => {
            out.letter(*user, Letter::ProofWanted { task: id.0 });
            Next::Wait
        }
        News::Letter(Letter::Proof {
            address,
            message,
            signature,
            box_public,
            ..
        }) => {
            let proof = (address, message, signature);
            let [create, bind] = desk.registration(*user, proof, box_public);
            let whole = task.oddity != Some(Oddity::Halfway);
            *wallet = whole.then(|| Box::new(bind));
            hand_in(create)
        }
        News::Letter(_) | News::Overdue => Next::Wait,
        News::Got(got) => match (ending(&got), wallet.take()) {
            (Ending::Accepted, Some(bind)) => hand_in(*bind),
            (ending, _) => Next::Done(ending),
        },
    }
}

/// Verification and delivery. Source: idos-facts 5.1 step 4 (a).
pub(super) fn issue(
    kept: &mut Option<Package>,
    desk: &mut Desk,
    now: WallMillis,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Issue {
        user,
        credential,
        writer,
        bytes,
        forged,
        unsealed,
        ref findings,
    } = task.order
    else {
        unreachable!("only an order to issue issues")
    };
    match news {
        News::Begin => {
            let how = (forged, unsealed);
            if task.oddity == Some(Oddity::SameNotesId) {
                desk.reuse_notes_id();
            }
            let package = desk.package(user, user, credential, (bytes, findings), how, now, out);
            match writer {
                Writer::User => {
                    out.letter(
                        user,
                        Letter::Package {
                            task: id.0,
                            package,
                        },
                    );
                    Next::Wait
                }
                Writer::InserterWithConsent => {
                    let owner = desk.directory.card(user).persona.user;
                    let issuer = &package.issuer_auth_public_key;
                    let text = Consent::InsertCredential { credential, issuer }
                        .text(owner, &desk.directory.chain_id);
                    *kept = Some(package);
                    out.letter(user, Letter::ConsentWanted { task: id.0, text });
                    Next::Wait
                }
                Writer::InserterAlone => submit(upsert(desk, user, &package, None)),
            }
        }
        News::Letter(Letter::Consent { consent, .. }) => match kept.take() {
            Some(package) => submit(upsert(desk, user, &package, Some(consent))),
            None => Next::Wait,
        },
        News::Letter(Letter::Stored { ending, .. }) => Next::Done(ending),
        News::Letter(_) | News::Overdue => Next::Wait,
        News::Got(got) => Next::Done(ending(&got)),
    }
}

/// The camera first, then as with any other credential the user stores.
pub(super) fn recognise(
    desk: &mut Desk,
    now: WallMillis,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Recognise { user, credential } = task.order else {
        unreachable!("only an order to recognise recognises")
    };
    match news {
        News::Begin => {
            out.letter(user, Letter::FaceWanted { task: id.0 });
            Next::Wait
        }
        News::Letter(Letter::Face { face, .. }) => {
            let package = desk.recognise(user, credential, face, now, out);
            let task = id.0;
            out.letter(user, Letter::Package { task, package });
            Next::Wait
        }
        News::Letter(Letter::Stored { ending, .. }) => Next::Done(ending),
        News::Letter(_) | News::Got(_) | News::Overdue => Next::Wait,
    }
}

/// With consent the key stays what it is, without it becomes the issuer's own.
pub(super) fn rekey(desk: &Desk, id: TaskId, task: &Task, news: News, out: &mut Outbox) -> Next {
    let Order::Rekey {
        user,
        consent: asks,
    } = task.order
    else {
        unreachable!("only an order to rekey rekeys")
    };
    let card = desk.directory.card(user);
    let owners = key_text(&desk.box_of(user));
    let change = Consent::UpdateEncryptionKey { key: &owners };
    with_consent(desk, id, (user, asks), &change, news, out, |consent| {
        Action::UpdateUserPubKeyAsInserter {
            id: card.persona.user,
            recipient_encryption_public_key: match &consent {
                Some(_) => owners.clone(),
                None => key_text(&desk.own_box()),
            },
            encryption_password_store: card.persona.password.store().into(),
            consent,
        }
    })
}

/// A change to a user's profile, with the user's consent if it is asked for.
pub(super) fn with_consent(
    desk: &Desk,
    id: TaskId,
    (user, asks): (PartyId, bool),
    change: &Consent<'_>,
    news: News,
    out: &mut Outbox,
    action: impl FnOnce(Option<OwnerConsent>) -> Action,
) -> Next {
    match news {
        News::Begin if asks => {
            let owner = desk.directory.card(user).persona.user;
            let text = change.text(owner, &desk.directory.chain_id);
            out.letter(user, Letter::ConsentWanted { task: id.0, text });
            Next::Wait
        }
        News::Begin => submit(action(None)),
        News::Letter(Letter::Consent { consent, .. }) => submit(action(Some(consent))),
        News::Letter(_) | News::Overdue => Next::Wait,
        News::Got(got) => Next::Done(ending(&got)),
    }
}
