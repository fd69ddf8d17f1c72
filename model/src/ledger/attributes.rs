//! Attributes: clear key and value pairs of a profile. Source: idos-facts 3.7.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::action::{Action, OwnerConsent};
use super::execute::{Call, Refused};
use super::message::Consent;
use super::owner::inserter;
use super::refusal::{Engine, Refusal};
use super::tables::{Attribute, AttributeLink, State, Tables};
use super::users::{require_consent, self_user};
use crate::id::{AttributeId, Text, UserId};
use crate::rules::Switch;

/// The five actions on attributes.
pub(super) fn apply(state: &mut State, call: Call<'_>, action: &Action) -> Refused {
    match action {
        Action::AddAttributeAsInserter {
            id,
            user_id,
            attribute_key,
            value,
            consent,
        } => add_as_inserter(
            state,
            call,
            (*id, *user_id),
            (attribute_key, value),
            consent,
        ),
        Action::AddAttribute {
            id,
            attribute_key,
            value,
        } => add(state, call, *id, (attribute_key, value)),
        Action::EditAttribute {
            id,
            attribute_key,
            value,
        } => edit(state, call, *id, (attribute_key, value)),
        Action::RemoveAttribute { id } => remove(state, call, *id),
        Action::ShareAttribute {
            id,
            original_attribute_id,
            attribute_key,
            value,
        } => share(
            state,
            call,
            (*id, *original_attribute_id),
            (attribute_key, value),
        ),
        _ => unreachable!("{} is about no attribute", action.name()),
    }
}

fn row(user_id: UserId, (key, value): (&Text, &Text), inserter: Option<Text>) -> Attribute {
    Attribute {
        user_id,
        attribute_key: key.clone(),
        value: value.clone(),
        inserter,
    }
}

fn add_as_inserter(
    state: &mut State,
    call: Call<'_>,
    (id, user): (AttributeId, UserId),
    pair: (&Text, &Text),
    consent: &Option<OwnerConsent>,
) -> Refused {
    let tables = state.tables();
    let name = inserter(tables, call)?;
    if tables.user_attributes.contains_key(&id) {
        return Err(Engine::DuplicateKey("user_attributes_pkey").into());
    }
    if !tables.users.contains_key(&user) {
        return Err(Engine::ForeignKey("user_attributes_user_id_fkey").into());
    }
    if call.keeps(Switch::ConsentedWrites) {
        let write = Consent::InsertAttribute {
            attribute: id,
            key: pair.0,
            value: pair.1,
        };
        require_consent(tables, call, user, &write, consent)?;
    }
    state.put(id, row(user, pair, Some(name)));
    Ok(())
}

fn add(state: &mut State, call: Call<'_>, id: AttributeId, pair: (&Text, &Text)) -> Refused {
    let own = self_user(state.tables(), call)?.ok_or(Engine::NotNull("user_id"))?;
    if state.tables().user_attributes.contains_key(&id) {
        return Err(Engine::DuplicateKey("user_attributes_pkey").into());
    }
    state.put(id, row(own, pair, None));
    Ok(())
}

/// The attribute of this id, if it is the caller's.
fn own(tables: &Tables, call: Call<'_>, id: AttributeId) -> Result<Option<Attribute>, Refusal> {
    let own = self_user(tables, call)?;
    let present = tables.user_attributes.get(&id);
    let present = present.filter(|row| Some(row.user_id) == own);
    Ok(present.map(|row| (**row).clone()))
}

/// The original a copy is linked to.
pub(super) fn original_of(tables: &Tables, copy: AttributeId) -> Option<AttributeId> {
    tables.index.attribute_originals(copy).next()
}

fn edit(state: &mut State, call: Call<'_>, id: AttributeId, pair: (&Text, &Text)) -> Refused {
    let Some(present) = own(state.tables(), call, id)? else {
        return call.nothing_matched();
    };
    if original_of(state.tables(), id).is_some() {
        return Err(Refusal::SharedAttributeNotEditable);
    }
    state.put(id, row(present.user_id, pair, present.inserter));
    Ok(())
}

fn remove(state: &mut State, call: Call<'_>, id: AttributeId) -> Refused {
    if own(state.tables(), call, id)?.is_none() {
        return call.nothing_matched();
    }
    delete(state, id);
    Ok(())
}

/// Deletes a row with its links. Copies stay, without a link.
pub(super) fn delete(state: &mut State, id: AttributeId) {
    state.delete::<Attribute>(&id);
    let tables = state.tables();
    let to_it = tables.index.attribute_originals(id);
    let to_it = to_it.map(|original| (original, id));
    let first = (id, AttributeId(Uuid::nil()));
    let from_it = tables.attribute_links.range(first..).map(|(link, _)| *link);
    let from_it = from_it.take_while(|link| link.0 == id);
    let links: BTreeSet<_> = to_it.chain(from_it).collect();
    for link in links {
        state.delete::<AttributeLink>(&link);
    }
}

/// Stores a copy in the caller's own profile. Nobody else can read it: what the schema calls sharing makes
/// no grant.
fn share(
    state: &mut State,
    call: Call<'_>,
    (id, original): (AttributeId, AttributeId),
    pair: (&Text, &Text),
) -> Refused {
    let own = self_user(state.tables(), call)?;
    if call.keeps(Switch::OwnAttributeLinks) {
        let tables = state.tables();
        let present = tables.user_attributes.get(&original);
        let owned = present.is_some_and(|row| Some(row.user_id) == own);
        if !owned || original_of(tables, original).is_some() {
            return Err(Refusal::AttributeNotOwned);
        }
    }
    add(state, call, id, pair)?;
    if !state.tables().user_attributes.contains_key(&original) {
        return Err(Engine::ForeignKey("shared_user_attributes_original_id_fkey").into());
    }
    state.put((original, id), AttributeLink);
    Ok(())
}
