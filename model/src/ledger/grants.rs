//! Access grants. Source: idos-facts 3.8.

use super::action::Action;
use super::execute::{Call, Refused};
use super::message::DelegatedAccessGrant;
use super::refusal::Refusal;
use super::tables::{
    AccessGrant, AuditEvent, AuditSubject, ConsumedPaper, EndedGrant, GrantInserter, GrantTerms,
    State, Tables,
};
use super::users::self_user;
use super::{audit, credentials, governance, limits, papers, wallets};
use crate::crypto::{Identity, canonical_identifier};
use crate::id::{CredentialId, GrantId, Text, UserId};
use crate::rules::Switch;
use crate::time::BlockTime;

/// For how many seconds one use of a grant lets its grantee read.
const READING: i64 = 300;

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

/// Whether a grant's end has passed, or its uses and the time they open are over. Until the next block takes
/// it away, or while a lock keeps its row, such a grant gives nothing.
pub(super) fn is_over(grant: &AccessGrant, time: BlockTime) -> bool {
    let past = grant.terms.expires_at.is_some_and(|end| end < time.0);
    past || grant.terms.uses_left == Some(0) && !is_open(grant, time)
}

/// Whether a use lets the grantee read now.
fn is_open(grant: &AccessGrant, time: BlockTime) -> bool {
    let open = grant.terms.open_until;
    open.is_some_and(|until| until >= time.0)
}

/// Whether the grant lets its grantee read now: where uses are counted, after one.
pub(super) fn is_readable(grant: &AccessGrant, time: BlockTime) -> bool {
    let counted = grant.terms.uses_left.is_some();
    !is_over(grant, time) && (!counted || is_open(grant, time))
}

/// Whether an end and a number of uses make sense beside a lock, under `grant-terms`. A lock promises the
/// grantee access, so a grant does not end before it.
pub(super) fn check_terms(
    call: Call<'_>,
    locked_until: i64,
    (expires_at, uses): (Option<i64>, Option<i64>),
) -> Refused {
    if !call.keeps(Switch::GrantTerms) {
        return Ok(());
    }
    if expires_at.is_some_and(|end| end < call.time.0.max(locked_until)) {
        return Err(Refusal::EndWithinLock);
    }
    if uses.is_some_and(|uses| uses < 1) {
        return Err(Refusal::UsesNotPositive);
    }
    Ok(())
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
    pub(super) terms: GrantTerms,
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
        mut terms,
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
    limits::check_lock(call, locked_until)?;
    check_terms(call, locked_until, (terms.expires_at, terms.uses_left))?;
    if !call.keeps(Switch::GrantTerms) {
        (terms.expires_at, terms.uses_left) = (None, None);
    }
    state.delete::<EndedGrant>(&(data, grantee.clone()));
    let grant = AccessGrant {
        owner,
        grantee,
        data,
        locked_until,
        content_hash,
        height: call.height,
        inserter_type,
        inserter_id,
        terms,
    };
    record(state, call, AuditEvent::Granted, id, &grant);
    state.put(id, grant);
    Ok(())
}

fn record(state: &mut State, call: Call<'_>, event: AuditEvent, id: GrantId, grant: &AccessGrant) {
    let about = AuditSubject {
        owner: grant.owner,
        party: grant.grantee.clone(),
        request: grant.terms.request,
        grant: Some(id),
        data: Some(grant.data),
    };
    audit::record(state, call, event, about);
}

/// Deletes a grant's row, and says in the record why.
pub(super) fn drop(state: &mut State, call: Call<'_>, id: GrantId, why: AuditEvent) {
    if let Some(grant) = state.delete::<AccessGrant>(&id) {
        record(state, call, why, id, &grant);
    }
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
    papers::check_end(call, dag.terms)?;
    let paper = papers::dag(&text);
    papers::check_not_cancelled(tables, call, &paper)?;
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
            terms: GrantTerms {
                expires_at: dag.terms.and_then(|terms| terms.expires_at),
                uses_left: dag.terms.and_then(|terms| terms.uses),
                ..GrantTerms::default()
            },
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
    let operator = is_operator(state.tables(), call);
    match state.tables().access_grants.get(&id) {
        Some(grant) if operator || Some(grant.owner) == own => {
            if !operator && is_locked(state.tables(), grant, call) {
                return Err(Refusal::GrantLocked {
                    until: grant.locked_until,
                });
            }
            let data = grant.data;
            end_grant(state, call, (id, data), AuditEvent::Revoked);
            Ok(())
        }
        // Somebody else's grant reads the same as a missing one.
        Some(_) | None => Err(Refusal::GrantNotFound),
    }
}

/// Ends every grant of a grantee on a credential and on what was copied from it, or none while one of them is
/// locked. Not in the deployed schema.
pub(super) fn revoke_grantee_access(
    state: &mut State,
    call: Call<'_>,
    data: CredentialId,
    grantee: &Text,
) -> Refused {
    call.offers(Switch::OneStepEnd, "revoke_grantee_access")?;
    let tables = state.tables();
    let own = self_user(tables, call)?;
    let owned = tables.credentials.get(&data);
    if own.is_none() || owned.map(|row| row.user_id) != own {
        return Err(Refusal::CredentialNotOwned);
    }
    let named = canonical_grantee(grantee).unwrap_or_else(|| grantee.clone());
    let family = credentials::with_copies(tables, data);
    let theirs: Vec<_> = family
        .iter()
        .flat_map(|id| on(tables, *id))
        .filter(|(_, grant)| Some(grant.owner) == own && grant.grantee.eq_ignore_ascii_case(&named))
        .collect();
    let locks = theirs
        .iter()
        .filter(|(_, grant)| is_locked(tables, grant, call));
    if let Some(until) = locks.map(|(_, grant)| grant.locked_until).max() {
        return Err(Refusal::GrantLocked { until });
    }
    if theirs.is_empty() {
        return Err(Refusal::GrantNotFound);
    }
    let theirs: Vec<_> = theirs.iter().map(|(id, grant)| (*id, grant.data)).collect();
    for grant in theirs {
        end_grant(state, call, grant, AuditEvent::Revoked);
    }
    Ok(())
}

/// A grantee makes use of its grant: one use less where they are counted, and for a while it may read. Not in
/// the deployed schema, where reading leaves no trace.
pub(super) fn use_access_grant(state: &mut State, call: Call<'_>, id: GrantId) -> Refused {
    call.offers(Switch::GrantTerms, "use_access_grant")?;
    let grant = state.tables().access_grants.get(&id);
    let Some(grant) = grant.filter(|grant| is_grantee(call, grant)) else {
        return Err(Refusal::GrantNotFound);
    };
    if is_over(grant, call.time) || grant.terms.uses_left == Some(0) {
        return Err(Refusal::GrantEnded);
    }
    let mut grant = (**grant).clone();
    grant.terms.uses_left = grant.terms.uses_left.map(|left| left - 1);
    grant.terms.open_until = Some(call.time.0.saturating_add(READING));
    record(state, call, AuditEvent::Used, id, &grant);
    state.put(id, grant);
    Ok(())
}

/// Time passes: what uses have opened closes, so that a node that does not know the time does not take it for
/// open. Grants whose end has come, or whose uses are over, go with their copies, and whoever reads them
/// afterwards is told. A lock keeps the row, though it gives nothing any more.
pub(super) fn end_due(state: &mut State, call: Call<'_>) {
    let closing: Vec<_> = state.tables().index.opened_before(call.time.0).collect();
    for id in closing {
        if let Some(grant) = state.tables().access_grants.get(&id) {
            let mut grant = (**grant).clone();
            grant.terms.open_until = None;
            state.put(id, grant);
        }
    }
    let index = &state.tables().index;
    let due: Vec<_> = index
        .ending_before(call.time.0)
        .chain(index.used_up())
        .collect();
    for id in due {
        let Some(grant) = state.tables().access_grants.get(&id) else {
            continue;
        };
        if !is_over(grant, call.time) || is_locked(state.tables(), grant, call) {
            continue;
        }
        let (data, ended) = (grant.data, EndedGrant(grant.owner));
        let key = (data, grant.grantee.clone());
        end_grant(state, call, (id, data), AuditEvent::Ended);
        state.put(key, ended);
    }
}

/// Whether a grant of the caller's on this credential has ended by itself.
pub(super) fn has_ended(tables: &Tables, call: Call<'_>, data: CredentialId) -> bool {
    let from = tables.ended_grants.range((data, Text::from(""))..);
    from.take_while(|((on, _), _)| *on == data)
        .any(|((_, grantee), _)| grantee.eq_ignore_ascii_case(call.caller))
}

/// Deletes a grant, and its copy with it when it was the last one and the promise is kept.
pub(super) fn end_grant(
    state: &mut State,
    call: Call<'_>,
    (id, data): (GrantId, CredentialId),
    why: AuditEvent,
) {
    drop(state, call, id, why);
    let last = on(state.tables(), data).next().is_none();
    if last
        && call.keeps(Switch::LastGrantRemovesCopy)
        && credentials::is_copy(state.tables(), data)
    {
        credentials::delete(state, call, data, credentials::Copies::Stay);
    }
}
