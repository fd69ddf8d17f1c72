//! Credentials, originals and copies. Source: idos-facts 3.4.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use uuid::Uuid;

use super::action::{Action, OwnerConsent, ShareTerms};
use super::execute::{Call, Refused};
use super::grants::{self, NewGrant};
use super::message::Consent;
use super::owner::inserter;
use super::refusal::{Engine, Refusal};
use super::requests::{self, Approval};
use super::tables::{
    AuditEvent, CopyLink, Credential, DueRemoval, RetainedNotes, State, StatusStatement, Tables,
};
use super::users::{require_consent, self_user};
use super::written::Written;
use super::{delegated_write, economy};
use crate::bridge::Amount;
use crate::crypto::{credential_binding, verify_credential};
use crate::id::{CredentialId, Text, UserId};
use crate::rules::Switch;
use crate::vc::notes_id;

/// Nonce and tag of a sealed box: no content can be shorter. Source: idos-facts 4.7.
const SEAL_OVERHEAD: usize = 24 + 16;

impl Written<'_> {
    /// SIG: the issuer key signed notes and content, and under `bound-credential-signature` also whose
    /// row this is. Then, under `sealed-content`, that the content is a sealed box.
    pub(super) fn check(&self, call: Call<'_>, owner: Option<UserId>) -> Refused {
        let content = BASE64.decode(self.content.text().as_bytes());
        let binding = match (call.keeps(Switch::BoundCredentialSignature), owner) {
            (true, Some(owner)) => Some(credential_binding(
                owner,
                self.id,
                self.encryptor_public_key,
            )),
            _ => None,
        };
        let signed = verify_credential(
            call.env.suite,
            self.issuer_auth_public_key,
            self.public_notes,
            self.public_notes_signature,
            content.as_deref().unwrap_or(self.content.text().as_bytes()),
            self.broader_signature,
            binding.as_deref(),
        );
        if !signed {
            return Err(Refusal::SignatureWrong);
        }
        let content = content.ok();
        if call.keeps(Switch::SealedContent)
            && !is_sealed(self.encryptor_public_key, content.as_deref())
        {
            return Err(Refusal::ContentNotSealed);
        }
        Ok(())
    }

    fn notes_id(&self) -> Option<Text> {
        notes_id(self.public_notes).map(Text::from)
    }

    pub(super) fn row(&self, user_id: UserId, inserter: Option<Text>) -> Credential {
        Credential {
            user_id,
            notes_id: self.notes_id(),
            public_notes: self.public_notes.clone(),
            content: self.content.clone(),
            encryptor_public_key: self.encryptor_public_key.clone(),
            issuer_auth_public_key: self.issuer_auth_public_key.clone(),
            inserter,
            issuer_fee: Amount::ZERO,
            issuer_wallet: None,
        }
    }

    /// The same in the place of a row that is there, whose price nobody writing it can change.
    fn row_over(&self, present: &Credential, inserter: Option<Text>, owner: UserId) -> Credential {
        Credential {
            issuer_fee: present.issuer_fee,
            issuer_wallet: present.issuer_wallet,
            ..self.row(owner, inserter)
        }
    }

    /// The promises about an issuer's word: notes may not contradict what the issuer has stated, and
    /// an issuer key and notes id name one row.
    pub(super) fn check_status(&self, tables: &Tables, call: Call<'_>) -> Refused {
        let Some(notes_id) = self.notes_id() else {
            return Ok(());
        };
        let issuer = self.issuer_auth_public_key;
        if call.keeps(Switch::StickyStatus)
            && let Some(stated) = tables
                .status_statements
                .get(&(issuer.to_lowercase().into(), notes_id.clone()))
            && stated.0 != *self.public_notes
        {
            return Err(Refusal::StatusContradicted);
        }
        let taken = |id: CredentialId| {
            id != self.id
                && tables.credentials.get(&id).is_some_and(|other| {
                    same_key(&other.issuer_auth_public_key, issuer)
                        && other.notes_id.as_ref() == Some(&notes_id)
                })
        };
        if call.keeps(Switch::UniqueNotesId) && tables.index.notes(issuer, &notes_id).any(taken) {
            return Err(Refusal::NotesIdTaken);
        }
        Ok(())
    }
}

/// Whether two texts are one key: a signature verifies whatever the case of the hex beside it.
fn same_key(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// The shape of a sealed box under a key of the right length. A box's first 40 bytes are a random nonce
/// and a tag, which practically never are UTF-8 together with the rest: what reads as text is text.
fn is_sealed(encryptor_public_key: &str, content: Option<&[u8]>) -> bool {
    let key = BASE64.decode(encryptor_public_key.as_bytes());
    key.is_ok_and(|key| key.len() == 32)
        && content.is_some_and(|bytes| {
            bytes.len() >= SEAL_OVERHEAD && std::str::from_utf8(bytes).is_err()
        })
}

/// Whether every content an action carries is a sealed box; most actions carry none.
pub(super) fn content_is_sealed(action: &Action) -> bool {
    Written::all(action).all(|written| {
        let content = BASE64.decode(written.content.text().as_bytes()).ok();
        is_sealed(written.encryptor_public_key, content.as_deref())
    })
}

/// Whether the credential is a copy, of an original that may be gone.
pub(super) fn is_copy(tables: &Tables, id: CredentialId) -> bool {
    original_of(tables, id).is_some() || tables.retained_notes.contains_key(&id)
}

/// The original a copy is linked to.
pub(super) fn original_of(tables: &Tables, copy: CredentialId) -> Option<CredentialId> {
    tables.index.originals(copy).next()
}

fn copies_of(tables: &Tables, original: CredentialId) -> Vec<CredentialId> {
    let first = (original, CredentialId(Uuid::nil()));
    let from = tables.copy_links.range(first..).map(|(link, _)| link);
    from.take_while(|link| link.0 == original)
        .map(|link| link.1)
        .collect()
}

/// A credential and everything that was copied from it, from copies of it too.
pub(super) fn with_copies(tables: &Tables, id: CredentialId) -> Vec<CredentialId> {
    let mut family = vec![id];
    let mut next = 0;
    while let Some(member) = family.get(next) {
        for copy in copies_of(tables, *member) {
            if !family.contains(&copy) {
                family.push(copy);
            }
        }
        next += 1;
    }
    family
}

pub(super) fn owner_of(tables: &Tables, id: CredentialId) -> Option<UserId> {
    tables
        .credentials
        .get(&id)
        .map(|credential| credential.user_id)
}

/// Writes a credential into any profile; the deployed schema overwrites whatever has this id.
pub(super) fn upsert_credential_as_inserter(
    state: &mut State,
    call: Call<'_>,
    written: &Written<'_>,
    user_id: UserId,
    consent: &Option<OwnerConsent>,
) -> Refused {
    let tables = state.tables();
    let name = inserter(tables, call)?;
    written.check(call, Some(user_id))?;
    let present = tables.credentials.get(&written.id);
    let row = match present {
        Some(present) => written.row_over(present, Some(name), user_id),
        None => written.row(user_id, Some(name)),
    };
    if call.keeps(Switch::OwnerChangesCredentials)
        && let Some(present) = present
    {
        // The same row again is a retry, not a change.
        return if **present == row {
            Ok(())
        } else {
            Err(Refusal::CredentialsAreTheOwners)
        };
    }
    written.check_status(tables, call)?;
    if !tables.users.contains_key(&user_id) {
        return Err(Engine::ForeignKey("credentials_user_id_fkey").into());
    }
    if call.keeps(Switch::ConsentedWrites) {
        let write = Consent::InsertCredential {
            credential: written.id,
            issuer: written.issuer_auth_public_key,
        };
        require_consent(tables, call, user_id, &write, consent)?;
    }
    state.put(written.id, row);
    Ok(())
}

/// Stores a credential in the caller's profile; any issuer key that signs will do.
pub(super) fn add_credential(state: &mut State, call: Call<'_>, written: &Written<'_>) -> Refused {
    let tables = state.tables();
    let own = self_user(tables, call)?;
    if call.keeps(Switch::BoundCredentialSignature) && own.is_none() {
        // There is no owner the signature could name.
        return Err(Engine::NotNull("user_id").into());
    }
    written.check(call, own)?;
    let own = own.ok_or(Engine::NotNull("user_id"))?;
    if tables.credentials.contains_key(&written.id) {
        return Err(Engine::DuplicateKey("credentials_pkey").into());
    }
    written.check_status(tables, call)?;
    state.put(written.id, written.row(own, None));
    Ok(())
}

/// Replaces notes, content and keys of an own original without grants.
pub(super) fn edit_credential(state: &mut State, call: Call<'_>, written: &Written<'_>) -> Refused {
    let id = written.id;
    let tables = state.tables();
    let own = self_user(tables, call)?;
    let present = tables
        .credentials
        .get(&id)
        .filter(|row| Some(row.user_id) == own);
    let shown = present.is_some() || !call.keeps(Switch::HiddenExistence);
    let granted = shown && grants::on(tables, id).next().is_some();
    if granted || (present.is_some() && is_copy(tables, id)) {
        return Err(Refusal::SharedNotEditable);
    }
    written.check(call, own)?;
    let Some(present) = present else {
        return call.nothing_matched();
    };
    // An owner who changes keys seals the content anew, and cannot sign in the issuer's place.
    let another = present.issuer_auth_public_key != *written.issuer_auth_public_key;
    let reseals = another
        && call.keeps(Switch::RotationKeepsIssuer)
        && present.public_notes == *written.public_notes;
    if another && !reseals && call.keeps(Switch::StickyStatus) {
        return Err(Refusal::IssuerKeyChanged);
    }
    written.check_status(tables, call)?;
    let mut row = written.row_over(present, present.inserter.clone(), present.user_id);
    if reseals {
        row.issuer_auth_public_key = present.issuer_auth_public_key.clone();
    }
    state.put(id, row);
    Ok(())
}

/// Rewrites the notes of every row with the caller's issuer key and this notes id; the lookup column
/// stays. The key is compared to the letter, except under `sticky-status`, where an owner could dodge
/// the statement by storing the key in capitals. Source: schema:edit_public_notes_as_issuer.
pub(super) fn edit_public_notes_as_issuer(
    state: &mut State,
    call: Call<'_>,
    id: &Text,
    notes: &Text,
) -> Refused {
    let tables = state.tables();
    let any_case = call.keeps(Switch::StickyStatus);
    let own = |issuer: &Text, notes_id: &Option<Text>| {
        let named = **issuer == *call.caller || any_case && same_key(issuer, call.caller);
        named && notes_id.as_ref() == Some(id)
    };
    let found_by = |id: &Option<Text>| match call.keeps(Switch::StatusKeepsId) {
        true => id.clone(),
        false => notes_id(notes).map(Text::from),
    };
    let rows: Vec<_> = tables
        .credentials
        .iter()
        .filter(|(_, row)| own(&row.issuer_auth_public_key, &row.notes_id))
        .map(|(id, row)| {
            (
                *id,
                Credential {
                    public_notes: notes.clone(),
                    notes_id: found_by(&row.notes_id),
                    ..(**row).clone()
                },
            )
        })
        .collect();
    let retained: Vec<_> = tables
        .retained_notes
        .iter()
        .filter(|(_, row)| own(&row.issuer_auth_public_key, &row.notes_id))
        .map(|(id, row)| {
            (
                *id,
                RetainedNotes {
                    public_notes: notes.clone(),
                    notes_id: found_by(&row.notes_id),
                    ..(**row).clone()
                },
            )
        })
        .collect();
    if rows.is_empty() && retained.is_empty() {
        // A statement that is not refused has been made, whether or not the credential is here.
        call.nothing_matched()?;
    }
    for (id, row) in rows {
        state.put(id, row);
    }
    for (id, row) in retained {
        state.put(id, row);
    }
    if call.keeps(Switch::StickyStatus) {
        state.put(
            (call.caller.to_lowercase().into(), id.clone()),
            StatusStatement(notes.clone()),
        );
    }
    Ok(())
}

/// Stores a copy for a grantee together with the grant on it. Source: schema:share_credential.
pub(super) fn share_credential(
    state: &mut State,
    call: Call<'_>,
    copy: &Written<'_>,
    original: CredentialId,
    grant: NewGrant<'_>,
    terms: Option<&ShareTerms>,
) -> Refused {
    let tables = state.tables();
    let own = self_user(tables, call)?;
    if own.is_none() || owner_of(tables, original) != own {
        return Err(Refusal::OriginalNotOwned);
    }
    if !copy.public_notes.is_empty() {
        return Err(Refusal::CopyWithNotes);
    }
    if let Some(terms) = terms {
        let approval = Approval {
            original,
            grantee: grant.grantee,
            locked_until: grant.locked_until,
            terms,
        };
        requests::check_approval(tables, call, own, &approval)?;
    }
    add_credential(state, call, copy)?;
    link(state, call, original, copy.id);
    grants::create_access_grant(state, call, grant)?;
    if let Some(request) = terms.and_then(|terms| terms.request_id) {
        requests::approve(state, call, request, copy.id);
    }
    Ok(())
}

/// Marks a row as a copy of another. Under `paid-grants` it costs its grantees what the original does then.
pub(super) fn link(state: &mut State, call: Call<'_>, original: CredentialId, copy: CredentialId) {
    state.put((original, copy), CopyLink);
    let rows = &state.tables().credentials;
    let (Some(from), Some(to)) = (rows.get(&original), rows.get(&copy)) else {
        return;
    };
    if call.keeps(Switch::PaidGrants) && from.issuer_fee.is_positive() {
        let priced = Credential {
            issuer_fee: from.issuer_fee,
            issuer_wallet: from.issuer_wallet,
            ..(**to).clone()
        };
        state.put(copy, priced);
    }
}

/// Deletes an own credential that no locked grant protects. Source: schema:remove_credential.
pub(super) fn remove_credential(state: &mut State, call: Call<'_>, id: CredentialId) -> Refused {
    let tables = state.tables();
    let own = self_user(tables, call)?;
    if grants::is_operator(tables, call) && tables.credentials.contains_key(&id) {
        delete(state, call, id, Copies::Follow);
        return Ok(());
    }
    if own.is_none() || owner_of(tables, id) != own {
        return Err(Refusal::CredentialNotOwned);
    }
    let copies = || copies_of(tables, id).into_iter();
    let locked = |id| grants::has_locked(tables, call, own, id);
    if locked(id) || !call.keeps(Switch::OriginalRemovable) && copies().any(locked) {
        return Err(Refusal::LockedGrants);
    }
    delete(state, call, id, Copies::Follow);
    Ok(())
}

/// Deletes an own credential now if no locked grant protects it, and what a lock keeps, of it or of its copies,
/// as soon as the lock has run out. Not in the deployed schema.
pub(super) fn remove_when_unlocked(state: &mut State, call: Call<'_>, id: CredentialId) -> Refused {
    call.offers(Switch::RemaindersRemoved, "remove_credential_when_unlocked")?;
    let tables = state.tables();
    let own = self_user(tables, call)?;
    if own.is_none() || owner_of(tables, id) != own {
        return Err(Refusal::CredentialNotOwned);
    }
    remove_or_wait(state, call, own, id);
    Ok(())
}

fn remove_or_wait(state: &mut State, call: Call<'_>, own: Option<UserId>, id: CredentialId) {
    if grants::has_locked(state.tables(), call, own, id) {
        state.put(id, DueRemoval);
        return;
    }
    let family = with_copies(state.tables(), id);
    delete(state, call, id, Copies::Follow);
    for copy in family {
        if owner_of(state.tables(), copy) == own {
            state.put(copy, DueRemoval);
        }
    }
}

/// Time passes: what waited for the end of a lock goes.
pub(super) fn remove_due(state: &mut State, call: Call<'_>) {
    let due: Vec<_> = state.tables().due_removals.keys().copied().collect();
    for id in due {
        let own = owner_of(state.tables(), id);
        if own.is_some() && !grants::has_locked(state.tables(), call, own, id) {
            remove_or_wait(state, call, own, id);
        }
    }
}

/// What the end of a row means for copies made of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Copies {
    /// The owner removes it: they go too where that is promised.
    Follow,
    /// A grantee lost it or gave it up, which is nobody else's affair.
    Stay,
}

/// Deletes a row with its links and every grant on it. Under `removal-reaches-copies` its copies may
/// follow, except those a locked grant protects; under `orphans-stay-usable` those keep the notes.
pub(super) fn delete(state: &mut State, call: Call<'_>, id: CredentialId, copies: Copies) {
    let Some(row) = state.delete::<Credential>(&id) else {
        return;
    };
    let follow = copies == Copies::Follow && call.keeps(Switch::RemovalReachesCopies);
    let copies = copies_of(state.tables(), id);
    let originals = state.tables().index.originals(id);
    let links = originals.map(|original| (original, id));
    let links: BTreeSet<_> = links.chain(copies.iter().map(|copy| (id, *copy))).collect();
    // What a copy's grantees may still read: the original's notes, also if that was a copy itself.
    let notes = match state.delete::<RetainedNotes>(&id) {
        Some(retained) => (*retained).clone(),
        None => RetainedNotes {
            issuer_auth_public_key: row.issuer_auth_public_key.clone(),
            notes_id: row.notes_id.clone(),
            public_notes: row.public_notes.clone(),
        },
    };
    for link in links {
        state.delete::<CopyLink>(&link);
    }
    let grants: Vec<_> = grants::on(state.tables(), id)
        .map(|(grant, _)| grant)
        .collect();
    for grant in grants {
        grants::drop(state, call, grant, AuditEvent::Removed);
    }
    state.delete::<DueRemoval>(&id);
    delegated_write::forget(state, call, id);
    economy::forget(state, id);
    for copy in copies {
        let locked = grants::has_locked(state.tables(), call, Some(row.user_id), copy);
        if follow && !locked {
            delete(state, call, copy, Copies::Follow);
        } else if call.keeps(Switch::OrphansStayUsable) {
            state.put(copy, notes.clone());
        }
    }
}

/// Gives up a copy, locked or not: the lock protects the grantee. The deployed schema destroys the
/// copy for everybody. Source: schema:rescind_shared_credential.
pub(super) fn rescind_shared_credential(
    state: &mut State,
    call: Call<'_>,
    id: CredentialId,
) -> Refused {
    let tables = state.tables();
    let own: Vec<_> = grants::on(tables, id)
        .filter(|(_, grant)| grants::is_grantee(call, grant))
        .map(|(grant, _)| grant)
        .collect();
    let linked = if call.keeps(Switch::OrphansStayUsable) {
        is_copy(tables, id)
    } else {
        original_of(tables, id).is_some()
    };
    if own.is_empty() || !linked {
        return Err(Refusal::NothingToRescind);
    }
    if call.keeps(Switch::RescindOwnOnly) {
        for grant in own {
            grants::drop(state, call, grant, AuditEvent::Rescinded);
        }
        if grants::on(state.tables(), id).next().is_some() {
            return Ok(());
        }
    }
    delete(state, call, id, Copies::Stay);
    Ok(())
}
