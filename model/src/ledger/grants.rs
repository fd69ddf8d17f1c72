//! Access grants. Source: idos-facts 3.8.

use super::action::Action;
use super::execute::{Call, Refused};
use super::message::DelegatedAccessGrant;
use super::refusal::Refusal;
use super::tables::{AccessGrant, ConsumedPaper, GrantInserter, State, Tables};
use super::users::self_user;
use super::{credentials, governance, wallets};
use crate::crypto::{Identity, canonical_identifier};
use crate::id::{CredentialId, GrantId, Text, UserId};
use crate::rules::Switch;

/// A lock holds through its own second. Source: LOCKED, idos-facts 3.0.
pub(super) fn is_locked(tables: &Tables, grant: &AccessGrant, call: Call<'_>) -> bool {
    if !governance::lock_counts(tables, grant, call) {
        return false;
    }
    #[cfg(feature = "known-bad")]
    if call.env.rules.lapses(crate::rules::Lapse::EarlyLocks) {
        return grant.locked_until > call.time.0;
    }
    grant.locked_until >= call.time.0
}

/// Whether the caller is this grant's grantee. The deployed schema ignores letter case for every
/// scheme, and a grant to the empty text is anybody's who asks without a name; canonical identifiers
/// need no such mercy.
pub(super) fn is_grantee(call: Call<'_>, grant: &AccessGrant) -> bool {
    if call.keeps(Switch::CanonicalGrantee) {
        *grant.grantee == *call.caller
    } else {
        grant.grantee.eq_ignore_ascii_case(call.caller)
    }
}

/// The grants on one credential.
pub(super) fn on(
    tables: &Tables,
    data: CredentialId,
) -> impl Iterator<Item = (GrantId, &AccessGrant)> {
    let ids = tables.index.grants(data);
    ids.filter_map(|id| Some((id, &**tables.access_grants.get(&id)?)))
}

/// Whether a locked grant of this owner protects the credential.
pub(super) fn has_locked(
    tables: &Tables,
    call: Call<'_>,
    owner: Option<UserId>,
    data: CredentialId,
) -> bool {
    on(tables, data).any(|(_, grant)| Some(grant.owner) == owner && is_locked(tables, grant, call))
}

/// A grant about to be created.
pub(super) struct NewGrant<'a> {
    pub(super) grantee: &'a str,
    pub(super) data: CredentialId,
    pub(super) locked_until: i64,
    pub(super) content_hash: Option<Text>,
    pub(super) inserter_type: GrantInserter,
    pub(super) inserter_id: Text,
}

/// Whether the caller runs a validator, where that is a right to everything.
pub(super) fn is_operator(tables: &Tables, call: Call<'_>) -> bool {
    let runs = |node: &Identity| node.caller() == call.caller;
    !call.keeps(Switch::OperatorsHoldNoRights) && tables.validators.keys().any(runs)
}

/// `create_access_grant`, which only other actions call.
pub(super) fn create_access_grant(state: &mut State, call: Call<'_>, new: NewGrant<'_>) -> Refused {
    let NewGrant {
        grantee,
        data,
        locked_until,
        content_hash,
        inserter_type,
        inserter_id,
    } = new;
    let tables = state.tables();
    let Some(credential) = tables.credentials.get(&data) else {
        return Err(Refusal::GrantWithoutCredential);
    };
    let owner = credential.user_id;
    if call.keeps(Switch::GrantsOnCopiesOnly) && !credentials::is_copy(tables, data) {
        return Err(Refusal::NotACopy);
    }
    let grantee = if call.keeps(Switch::CanonicalGrantee) {
        canonical_grantee(grantee).ok_or(Refusal::GranteeMalformed)?
    } else {
        grantee.into()
    };
    let id = GrantId::derive(&grantee, data, locked_until);
    if tables.access_grants.contains_key(&id) {
        return Err(Refusal::GrantExists);
    }
    state.put(
        id,
        AccessGrant {
            owner,
            grantee,
            data,
            locked_until,
            content_hash,
            height: call.height,
            inserter_type,
            inserter_id,
        },
    );
    Ok(())
}

/// The one form under which a grantee is known: as it will appear when it reads.
fn canonical_grantee(text: &str) -> Option<Text> {
    canonical_identifier(text).map(Into::into)
}

/// Creates a grant from the owner's signed paper, whoever transmits it.
pub(super) fn create_ag_by_dag_for_copy(
    state: &mut State,
    call: Call<'_>,
    action: &Action,
) -> Refused {
    let Some((dag, signature)) = DelegatedAccessGrant::carried_by(action) else {
        unreachable!("{} is not a dAG", action.name())
    };
    let text = dag.text(call.env.rules, call.env.chain_id);
    let tables = state.tables();
    let Some((_, wallet)) = wallets::matching(tables, dag.owner).next() else {
        return Err(Refusal::DagOwnerNotFound);
    };
    if !wallets::signed(call.env.suite, wallet, &text, signature) {
        return Err(Refusal::DagSignatureInvalid);
    }
    let owned = tables
        .credentials
        .get(&dag.data)
        .is_some_and(|credential| credential.user_id == wallet.user_id);
    if !owned {
        return Err(Refusal::DagDataNotOwned);
    }
    let paper = *blake3::hash(text.as_bytes()).as_bytes();
    let single_use = call.keeps(Switch::DagSingleUse);
    if single_use && tables.consumed_papers.contains_key(&paper) {
        return Err(Refusal::DagUsed);
    }
    create_access_grant(
        state,
        call,
        NewGrant {
            grantee: dag.grantee,
            data: dag.data,
            locked_until: dag.locked_until,
            content_hash: dag.content_hash.map(Text::from),
            inserter_type: GrantInserter::DagMessage,
            inserter_id: call.caller.into(),
        },
    )?;
    if single_use {
        state.put(paper, ConsumedPaper);
    }
    Ok(())
}

/// Ends a grant the caller owns, once its lock has run out. Source: schema:revoke_access_grant.
pub(super) fn revoke_access_grant(state: &mut State, call: Call<'_>, id: GrantId) -> Refused {
    let own = self_user(state.tables(), call)?;
    match state.tables().access_grants.get(&id) {
        Some(grant) if is_operator(state.tables(), call) => {
            let data = grant.data;
            end_grant(state, call, id, data);
            Ok(())
        }
        Some(grant) if Some(grant.owner) == own => {
            if is_locked(state.tables(), grant, call) {
                return Err(Refusal::GrantLocked {
                    until: grant.locked_until,
                });
            }
            let data = grant.data;
            end_grant(state, call, id, data);
            Ok(())
        }
        // Somebody else's grant reads the same as a missing one.
        Some(_) | None => Err(Refusal::GrantNotFound),
    }
}

/// Deletes a grant, and its copy with it when it was the last one and the promise is kept.
pub(super) fn end_grant(state: &mut State, call: Call<'_>, id: GrantId, data: CredentialId) {
    state.delete::<AccessGrant>(&id);
    let last = on(state.tables(), data).next().is_none();
    if last
        && call.keeps(Switch::LastGrantRemovesCopy)
        && credentials::is_copy(state.tables(), data)
    {
        credentials::delete(state, call, data, credentials::Copies::Stay);
    }
}
