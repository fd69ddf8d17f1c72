//! Attributes of a profile. Source: idos-facts 3.7.

use super::super::desk::Desk;
use super::super::machine::{Outbox, TaskId};
use super::super::order::{Order, Task};
use super::issuing::with_consent;
use super::{News, Next};
use crate::id::Text;
use crate::ledger::{Action, Consent};

/// What everybody describes.
const KEY: &str = "city";

/// The value somebody of this name has for it, before and after a move.
fn value(name: &str, moved: bool) -> Text {
    let which = if moved { "new" } else { "old" };
    format!("the {which} town of {name}").into()
}

/// A user's own attributes.
pub(super) fn own_attribute(desk: &Desk, order: &Order) -> Action {
    let name = &desk.card().persona.name;
    let (attribute_key, old) = (Text::from(KEY), value(name, false));
    match order {
        Order::AddAttribute { id, bytes } => Action::AddAttribute {
            id: *id,
            attribute_key,
            value: match bytes {
                Some(bytes) => "x".repeat(*bytes as usize).into(),
                None => old,
            },
        },
        Order::EditAttribute { id } => Action::EditAttribute {
            id: *id,
            attribute_key,
            value: value(name, true),
        },
        Order::RemoveAttribute { id } => Action::RemoveAttribute { id: *id },
        Order::ShareAttribute { id, original } => Action::ShareAttribute {
            id: *id,
            original_attribute_id: *original,
            attribute_key,
            value: old,
        },
        other => unreachable!("{other:?} is about no own attribute"),
    }
}

/// An inserter's word about a user, with the user's consent or without.
pub(super) fn describe(
    desk: &Desk,
    task_id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Describe { user, id, consent } = task.order else {
        unreachable!("only an order to describe describes")
    };
    let persona = &desk.directory.card(user).persona;
    let value = value(&persona.name, false);
    let change = Consent::InsertAttribute {
        attribute: id,
        key: KEY,
        value: &value,
    };
    let asked = (user, consent);
    with_consent(desk, task_id, asked, &change, news, out, |consent| {
        Action::AddAttributeAsInserter {
            id,
            user_id: persona.user,
            attribute_key: KEY.into(),
            value: value.clone(),
            consent,
        }
    })
}
