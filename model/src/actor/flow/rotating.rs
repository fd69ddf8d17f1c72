//! Another password, another key: everything that was sealed to the old one is sealed anew, and the old one is
//! kept until nobody seals to it. Source: idos-facts 5.10.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::client::Got;
use super::super::desk::Desk;
use super::super::directory::{Password, key_text};
use super::super::letter::{Letter, Package};
use super::super::machine::{Outbox, TaskId};
use super::super::order::{Order, Task};
use super::writing::edit;
use super::{News, Next, declined, ending, look, submit};
use crate::crypto::BoxPublic;
use crate::history::{Ending, Event};
use crate::id::{CredentialId, PartyId};
use crate::ledger::{Action, Answer, Consent, Content, OwnerConsent, Query};

/// How far it is.
#[derive(Debug, Default)]
pub(in crate::actor) struct Rotation {
    key: Option<BoxPublic>,
    left: Vec<CredentialId>,
}

/// The new key is recorded first, so that nothing more is sealed to the old one; then one original after the
/// other is sealed anew. Copies are sealed to their grantees and stay as they are.
pub(super) fn rotate(
    rotation: &mut Rotation,
    desk: &mut Desk,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Rotate { inserter } = task.order else {
        unreachable!("only an order to rotate rotates")
    };
    match news {
        // Share nodes never replace what they keep.
        News::Begin if desk.card().persona.password == Password::Shared => {
            declined("upload-refused")
        }
        News::Begin => {
            let user = desk.card().persona.user;
            let password = format!("{}, and another one", desk.keys.password);
            let Ok((secret, text)) = desk.derive(&password, &user.to_string()) else {
                return declined("invalid-salt");
            };
            let key = desk.suite.box_public(&secret);
            let old = std::mem::replace(&mut desk.keys.box_secret, secret);
            desk.former.insert(0, old);
            desk.keys.password = password;
            let change = Consent::UpdateEncryptionKey { key: &text };
            let signed = change.text(user, &desk.directory.chain_id);
            let consent = OwnerConsent {
                wallet: desk.card().caller(),
                signature: desk.sign_text(0, &signed),
            };
            rotation.key = Some(key);
            let task = id.0;
            out.letter(inserter, Letter::NewKey { task, key, consent });
            Next::Wait
        }
        News::Letter(Letter::KeyChanged {
            ending: Ending::Accepted,
            ..
        }) => look(Query::GetCredentials {}),
        News::Letter(Letter::KeyChanged { ending, .. }) => Next::Done(ending),
        News::Got(Got::View {
            result: Ok(Answer::Credentials(rows)),
            ..
        }) => {
            // Copies are their grantees'.
            let originals = rows.iter().filter(|row| row.is_original());
            rotation.left = originals.map(|row| row.id).collect();
            next(rotation, desk, inserter, out)
        }
        News::Got(Got::View {
            result: Ok(Answer::Owned(Some(row))),
            ..
        }) => {
            let Some(document) = desk.open(&row.content, &row.encryptor_public_key) else {
                return declined("cannot-open");
            };
            let Some(key) = rotation.key else {
                return Next::Wait;
            };
            let (sealed, encryptor) = desk.seal(row.id, &key, &document, out);
            let package = Package {
                credential: row.id,
                issuer_auth_public_key: row.issuer_auth_public_key.clone(),
                encryptor_public_key: encryptor,
                content: Content::new(BASE64.encode(sealed)),
                public_notes: row.public_notes.clone(),
                public_notes_signature: "".into(),
                broader_signature: "".into(),
            };
            submit(edit(&desk.resign(&package)))
        }
        News::Got(got) => match ending(&got) {
            Ending::Accepted => next(rotation, desk, inserter, out),
            ending => Next::Done(ending),
        },
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

/// The next original, or the end. Nobody but the inserter was told of the key, so that what another issuer seals
/// still needs the old one.
fn next(rotation: &mut Rotation, desk: &mut Desk, inserter: PartyId, out: &mut Outbox) -> Next {
    if let Some(id) = rotation.left.pop() {
        return look(Query::GetCredentialOwned { id });
    }
    if let Some(key) = rotation.key {
        out.note(Event::Rotated {
            by: desk.me,
            key: key_text(&key),
        });
    }
    if desk.directory.issuers().all(|issuer| issuer == inserter) {
        desk.former.clear();
    }
    Next::Done(Ending::Accepted)
}

/// An inserter records what an owner has signed, and seals to it from then on.
pub(super) fn change_key(
    (errand, key, consent): (u64, BoxPublic, &mut Option<OwnerConsent>),
    desk: &mut Desk,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Rekey { user, .. } = task.order else {
        unreachable!("only an order to rekey changes a key")
    };
    match news {
        News::Begin => {
            let persona = &desk.directory.card(user).persona;
            submit(Action::UpdateUserPubKeyAsInserter {
                id: persona.user,
                recipient_encryption_public_key: key_text(&key),
                encryption_password_store: persona.password.store().into(),
                consent: consent.take(),
            })
        }
        News::Got(got) => {
            let ending = ending(&got);
            if ending == Ending::Accepted {
                desk.taken.insert(user, key);
            }
            let task = errand;
            out.letter(user, Letter::KeyChanged { task, ending });
            Next::Done(ending)
        }
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::desk::Desk;
    use crate::actor::flow::issuing::rekey;
    use crate::actor::machine::Output;
    use crate::actor::people::{desks, task};
    use crate::history::Role;
    use crate::id::Height;
    use crate::time::WallMillis;

    const NOON: WallMillis = WallMillis(1_000_000);

    fn letters(out: &mut Outbox) -> Vec<Letter> {
        let letter = |output| match output {
            Output::Letter { letter, .. } => Some(letter),
            _ => None,
        };
        out.0.drain(..).filter_map(letter).collect()
    }

    /// Changes a user's key with the help of an inserter, while there is nothing to seal anew.
    fn rotated(user: &mut Desk, inserter: &mut Desk) -> BoxPublic {
        let task = task(Order::Rotate {
            inserter: inserter.me,
        });
        let out = &mut Outbox::default();
        let me = user.me;
        let mut rotation = Rotation::default();
        let mut turn =
            |news, out: &mut Outbox| rotate(&mut rotation, user, TaskId(1), &task, news, out);
        assert!(matches!(turn(News::Begin, out), Next::Wait));
        let Some(Letter::NewKey { key, .. }) = letters(out).pop() else {
            panic!("nobody is told of the key")
        };
        inserter.taken.insert(me, key);
        let ending = Ending::Accepted;
        let changed = News::Letter(Letter::KeyChanged { task: 1, ending });
        assert!(matches!(turn(changed, out), Next::Ask(..)));
        let nothing = News::Got(Got::View {
            height: Height(1),
            result: Ok(Answer::Credentials(Vec::new())),
        });
        let end = turn(nothing, out);
        assert!(matches!(end, Next::Done(Ending::Accepted)));
        key
    }

    /// Whether a user can open what somebody seals to it.
    fn opens(user: &Desk, by: &mut Desk) -> bool {
        let (sealed, encryptor) = by.sealed_to(&by.box_of(user.me), "it", b"it");
        let content = Content::new(BASE64.encode(sealed));
        user.open(&content, &key_text(&encryptor)).is_some()
    }

    #[test]
    fn what_an_issuer_seals_to_the_old_key_still_opens() {
        let [mut user, mut first, mut second] = desks([Role::User, Role::Issuer, Role::Issuer]);
        let old = user.own_box();
        let key = rotated(&mut user, &mut first);
        assert_eq!((first.box_of(user.me), second.box_of(user.me)), (key, old));
        assert!(opens(&user, &mut first));
        assert!(opens(&user, &mut second));
    }

    #[test]
    fn a_key_is_forgotten_when_nobody_seals_to_it() {
        let [mut user, mut issuer] = desks([Role::User, Role::Issuer]);
        rotated(&mut user, &mut issuer);
        assert!(opens(&user, &mut issuer));
        assert!(user.former.is_empty());
    }

    #[test]
    fn nobody_hands_out_a_key_that_was_changed() {
        let [mut user, mut issuer] = desks([Role::User, Role::Issuer]);
        let key = key_text(&rotated(&mut user, &mut issuer));
        let out = &mut Outbox::default();
        user.receive(NOON, issuer.me, Letter::ProofWanted { task: 1 }, out);
        match &letters(out)[..] {
            [Letter::Proof { box_public, .. }] => assert_eq!(*box_public, key),
            other => panic!("{other:?}"),
        }
        let (user, consent) = (user.me, true);
        let task = task(Order::Rekey { user, consent });
        rekey(&issuer, TaskId(2), &task, News::Begin, out);
        match &letters(out)[..] {
            [Letter::ConsentWanted { text, .. }] => assert!(text.contains(&*key), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}
