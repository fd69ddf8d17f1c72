//! Profiles. Source: idos-facts 3.2.

use std::collections::BTreeSet;

use super::action::OwnerConsent;
use super::execute::{Call, Refused};
use super::message::Consent;
use super::owner::inserter;
use super::refusal::{Engine, Refusal};
use super::tables::{
    AccessGrant, AuditEvent, CopyLink, Credential, DueRemoval, EndedGrant, ReservedUser,
    RetainedNotes, State, Tables, User, Wallet,
};
use super::{attributes, audit, delegated_write, economy, grants, requests, wallets};
use crate::id::{Text, UserId};
use crate::rules::Switch;

/// `self()`: the profile of the caller; nothing when there is none.
/// Errors: the caller matches several profiles.
pub(super) fn self_user(tables: &Tables, call: Call<'_>) -> Result<Option<UserId>, Refusal> {
    let users: BTreeSet<UserId> = wallets::matching(tables, call.caller)
        .map(|(_, wallet)| wallet.user_id)
        .collect();
    match users.len() {
        0 | 1 => Ok(users.first().copied()),
        _ => Err(Engine::SeveralProfiles.into()),
    }
}

/// Creates a profile. Under `atomic-profile` the row is only reserved and appears with its wallet, so
/// that a crash between the two transactions leaves nothing behind.
pub(super) fn add_user_as_inserter(
    state: &mut State,
    call: Call<'_>,
    id: UserId,
    key: &Text,
    store: &Text,
) -> Refused {
    let user = User {
        inserter: inserter(state.tables(), call)?,
        recipient_encryption_public_key: key.clone(),
        encryption_password_store: checked_store(store)?,
        gas_allowance: economy::ALLOWANCE,
    };
    let tables = state.tables();
    if tables.users.contains_key(&id) || tables.reserved_users.contains_key(&id) {
        return Err(Engine::DuplicateKey("users_pkey").into());
    }
    if call.keeps(Switch::AtomicProfile) {
        state.put(id, ReservedUser(user));
    } else {
        state.put(id, user);
    }
    Ok(())
}

fn checked_store(store: &Text) -> Result<Text, Refusal> {
    match &**store {
        "user" | "mpc" => Ok(store.clone()),
        _ => Err(Engine::Check("users_encryption_password_store_check").into()),
    }
}

/// Replaces a profile's encryption key; existing ciphertext stays as it is.
pub(super) fn update_user_pub_key_as_inserter(
    state: &mut State,
    call: Call<'_>,
    id: UserId,
    (key, store): (&Text, &Text),
    consent: &Option<OwnerConsent>,
) -> Refused {
    inserter(state.tables(), call)?;
    let Some(user) = state.tables().users.get(&id) else {
        return call.nothing_matched();
    };
    let changed = User {
        recipient_encryption_public_key: key.clone(),
        encryption_password_store: checked_store(store)?,
        inserter: user.inserter.clone(),
        gas_allowance: user.gas_allowance,
    };
    if call.keeps(Switch::OwnerChangesKey) {
        require_consent(
            state.tables(),
            call,
            id,
            &Consent::UpdateEncryptionKey { key },
            consent,
        )?;
    }
    state.put(id, changed);
    Ok(())
}

/// Erases the caller's profile with everything in it; locked grants forbid it. Not in the deployed
/// schema. What stays behind are digests of used papers and the account's nonce.
pub(super) fn remove_user(state: &mut State, call: Call<'_>) -> Refused {
    call.offers(Switch::ErasableProfile, "remove_user")?;
    let Some(user) = self_user(state.tables(), call)? else {
        return call.nothing_matched();
    };
    let tables = state.tables();
    let owned: Vec<_> = tables
        .access_grants
        .iter()
        .filter(|(_, grant)| grant.owner == user)
        .map(|(id, grant)| (*id, grants::is_locked(tables, grant, call)))
        .collect();
    if owned.iter().any(|(_, locked)| *locked) {
        return Err(Refusal::ProfileLocked);
    }
    let credentials: Vec<_> = tables
        .credentials
        .iter()
        .filter(|(_, credential)| credential.user_id == user)
        .map(|(id, _)| *id)
        .collect();
    // A grant on one of these rows may be another's, when the row was moved here; nothing may point at
    // a row that is gone.
    let on_them = |grant: &AccessGrant| credentials.contains(&grant.data);
    let granted: Vec<_> = tables
        .access_grants
        .iter()
        .filter(|(_, grant)| grant.owner != user && on_them(grant))
        .map(|(id, _)| *id)
        .collect();
    let links: Vec<_> = tables
        .copy_links
        .keys()
        .filter(|(original, copy)| credentials.contains(original) || credentials.contains(copy))
        .copied()
        .collect();
    let wallets: Vec<_> = tables
        .wallets
        .iter()
        .filter(|(_, wallet)| wallet.user_id == user)
        .map(|(id, _)| *id)
        .collect();
    let described: Vec<_> = tables
        .user_attributes
        .iter()
        .filter(|(_, attribute)| attribute.user_id == user)
        .map(|(id, _)| *id)
        .collect();
    let ended: Vec<_> = tables
        .ended_grants
        .iter()
        .filter(|(_, ended)| ended.0 == user)
        .map(|(key, _)| key.clone())
        .collect();
    for grant in owned.into_iter().map(|(id, _)| id).chain(granted) {
        grants::drop(state, call, grant, AuditEvent::Removed);
    }
    for key in ended {
        state.delete::<EndedGrant>(&key);
    }
    for link in links {
        state.delete::<CopyLink>(&link);
    }
    for credential in credentials {
        state.delete::<RetainedNotes>(&credential);
        state.delete::<Credential>(&credential);
        state.delete::<DueRemoval>(&credential);
        delegated_write::forget(state, call, credential);
        economy::forget(state, credential);
    }
    for attribute in described {
        attributes::delete(state, attribute);
    }
    for wallet in wallets {
        state.delete::<Wallet>(&wallet);
    }
    requests::forget(state, user);
    audit::forget(state, user);
    state.delete::<User>(&user);
    Ok(())
}

/// Whether one of the owner's wallets signed the change.
pub(super) fn require_consent(
    tables: &Tables,
    call: Call<'_>,
    owner: UserId,
    change: &Consent<'_>,
    consent: &Option<OwnerConsent>,
) -> Refused {
    let text = change.text(owner, call.env.chain_id);
    let given = consent.as_ref().is_some_and(|consent| {
        wallets::matching(tables, &consent.wallet)
            .find(|(_, wallet)| wallet.user_id == owner)
            .is_some_and(|(_, wallet)| {
                wallets::signed(call.env.suite, wallet, &text, &consent.signature)
            })
    });
    if given {
        Ok(())
    } else {
        Err(Refusal::OwnerConsentMissing)
    }
}
