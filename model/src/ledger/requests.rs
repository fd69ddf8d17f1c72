//! Requests for access and what their owners decide; only under `recorded-requests`. Source: idos-facts 1.2,
//! 5.3. The deployed schema has no such table: its users are asked and answer off the network.

use super::action::{Action, ShareTerms};
use super::audit;
use super::execute::{Call, Refused};
use super::grants;
use super::limits;
use super::refusal::{Engine, Refusal};
use super::tables::{AccessRequest, AuditEvent, AuditSubject, RequestState, State, Tables};
use super::users::self_user;
use crate::crypto::canonical_identifier;
use crate::id::{AccessRequestId, CredentialId, Text, UserId};
use crate::rules::Switch;
use crate::time::BlockTime;

/// How far a request has come by now: one that nobody decided in time has expired, also before the next block
/// says so.
pub(super) fn state_at(request: &AccessRequest, time: BlockTime) -> RequestState {
    match request.state {
        RequestState::Submitted if request.stands_until < time.0 => RequestState::Expired,
        state => state,
    }
}

/// Puts a request before an owner. Nobody has to agree to being asked.
pub(super) fn request_access(state: &mut State, call: Call<'_>, action: &Action) -> Refused {
    call.offers(Switch::RecordedRequests, "request_access")?;
    let Action::RequestAccess {
        id,
        user_id,
        credential_id,
        kind,
        fields,
        purpose,
        locked_until,
        stands_until,
        expires_at,
        uses,
    } = action
    else {
        unreachable!("{} asks for nothing", action.name())
    };
    let tables = state.tables();
    if tables.access_requests.contains_key(id) {
        return Err(Engine::DuplicateKey("access_requests_pkey").into());
    }
    if !tables.users.contains_key(user_id) {
        return Err(Engine::ForeignKey("access_requests_user_id_fkey").into());
    }
    let kind = kind.clone().filter(|kind| !kind.is_empty());
    let named = credential_id.is_some() || kind.is_some();
    if !named || purpose.trim().is_empty() {
        return Err(Refusal::RequestIncomplete);
    }
    if *stands_until < call.time.0 {
        return Err(Refusal::RequestExpired);
    }
    limits::check_lock(call, *locked_until)?;
    grants::check_terms(call, *locked_until, (*expires_at, *uses))?;
    let request = AccessRequest {
        consumer: call.caller.into(),
        owner: *user_id,
        credential: *credential_id,
        kind,
        fields: fields.clone().filter(|fields| !fields.is_empty()),
        purpose: purpose.clone(),
        locked_until: *locked_until,
        stands_until: *stands_until,
        expires_at: *expires_at,
        uses: *uses,
        state: RequestState::Submitted,
        copy: None,
        height: call.height,
    };
    record(state, call, AuditEvent::Requested, (*id, &request));
    state.put(*id, request);
    Ok(())
}

/// The consumer takes its request back.
pub(super) fn withdraw(state: &mut State, call: Call<'_>, id: AccessRequestId) -> Refused {
    call.offers(Switch::RecordedRequests, "withdraw_access_request")?;
    let request = state.tables().access_requests.get(&id);
    let own = request.filter(|request| *request.consumer == *call.caller);
    let request = undecided(own.map(|request| &**request), call)?.clone();
    let what = (RequestState::Withdrawn, AuditEvent::RequestWithdrawn);
    decide(state, call, (id, request), what, None);
    Ok(())
}

/// The owner refuses a request.
pub(super) fn deny(state: &mut State, call: Call<'_>, id: AccessRequestId) -> Refused {
    call.offers(Switch::RecordedRequests, "deny_access_request")?;
    let own = self_user(state.tables(), call)?;
    let request = put_before(state.tables(), call, own, id)?.clone();
    let what = (RequestState::Denied, AuditEvent::RequestDenied);
    decide(state, call, (id, request), what, None);
    Ok(())
}

/// The request of this id, when this owner has it to decide. Somebody else's reads the same as a missing one.
fn put_before<'t>(
    tables: &'t Tables,
    call: Call<'_>,
    own: Option<UserId>,
    id: AccessRequestId,
) -> Result<&'t AccessRequest, Refusal> {
    let request = tables.access_requests.get(&id);
    let own = request.filter(|request| Some(request.owner) == own);
    undecided(own.map(|request| &**request), call)
}

fn undecided<'t>(
    request: Option<&'t AccessRequest>,
    call: Call<'_>,
) -> Result<&'t AccessRequest, Refusal> {
    let request = request.ok_or(Refusal::RequestNotFound)?;
    match state_at(request, call.time) {
        RequestState::Submitted => Ok(request),
        RequestState::Approved => Err(Refusal::RequestApproved),
        RequestState::Denied => Err(Refusal::RequestDenied),
        RequestState::Expired => Err(Refusal::RequestExpired),
        RequestState::Withdrawn => Err(Refusal::RequestWithdrawn),
    }
}

/// What an owner is about to share, to be compared with what was asked for.
pub(super) struct Approval<'a> {
    pub(super) original: CredentialId,
    pub(super) grantee: &'a str,
    pub(super) locked_until: i64,
    pub(super) terms: &'a ShareTerms,
}

impl Approval<'_> {
    /// Whether it gives to somebody else, of something else, or more than the request asks for. A shorter lock
    /// is narrower: it binds the owner less.
    fn widens(&self, request: &AccessRequest) -> bool {
        let to_another = canonical_identifier(self.grantee)
            .is_none_or(|grantee| !request.consumer.eq_ignore_ascii_case(&grantee));
        let another = |wanted: CredentialId| wanted != self.original;
        to_another
            || request.credential.is_some_and(another)
            || self.locked_until > request.locked_until
            || beyond(self.terms.expires_at, request.expires_at)
            || beyond(self.terms.uses, request.uses)
            || !within(self.terms.fields.as_ref(), request.fields.as_ref())
    }
}

/// Whether a limit given is beyond the one asked for; none is no limit.
fn beyond(given: Option<i64>, wanted: Option<i64>) -> bool {
    wanted.is_some_and(|wanted| given.is_none_or(|given| given > wanted))
}

/// Whether these fields are among those asked for; none are all.
fn within(given: Option<&Text>, wanted: Option<&Text>) -> bool {
    let Some(wanted) = wanted else { return true };
    let wanted: Vec<&str> = listed(wanted).collect();
    given.is_some_and(|given| listed(given).all(|field| wanted.contains(&field)))
}

fn listed(fields: &str) -> impl Iterator<Item = &str> {
    fields.split(',').map(str::trim)
}

/// Whether a share may answer the request it names; with none named it is the owner's own accord.
pub(super) fn check_approval(
    tables: &Tables,
    call: Call<'_>,
    own: Option<UserId>,
    approval: &Approval<'_>,
) -> Refused {
    let named = approval.terms.request_id;
    let Some(id) = named.filter(|_| call.keeps(Switch::RecordedRequests)) else {
        return Ok(());
    };
    let request = put_before(tables, call, own, id)?;
    if call.keeps(Switch::ApprovalWithinRequest) && approval.widens(request) {
        return Err(Refusal::ApprovalWidens);
    }
    Ok(())
}

/// Notes that a copy was shared for a request.
pub(super) fn approve(state: &mut State, call: Call<'_>, id: AccessRequestId, copy: CredentialId) {
    if !call.keeps(Switch::RecordedRequests) {
        return;
    }
    if let Some(request) = state.tables().access_requests.get(&id) {
        let request = (**request).clone();
        let what = (RequestState::Approved, AuditEvent::RequestApproved);
        decide(state, call, (id, request), what, Some(copy));
    }
}

/// Time passes: nobody has decided these while they stood.
pub(super) fn expire(state: &mut State, call: Call<'_>) {
    let past: Vec<_> = state.tables().index.standing_before(call.time.0).collect();
    for id in past {
        if let Some(request) = state.tables().access_requests.get(&id) {
            let request = (**request).clone();
            let what = (RequestState::Expired, AuditEvent::RequestExpired);
            decide(state, call, (id, request), what, None);
        }
    }
}

fn decide(
    state: &mut State,
    call: Call<'_>,
    (id, request): (AccessRequestId, AccessRequest),
    (outcome, event): (RequestState, AuditEvent),
    copy: Option<CredentialId>,
) {
    let request = AccessRequest {
        state: outcome,
        copy,
        ..request
    };
    record(state, call, event, (id, &request));
    state.put(id, request);
}

fn record(
    state: &mut State,
    call: Call<'_>,
    event: AuditEvent,
    (id, request): (AccessRequestId, &AccessRequest),
) {
    let about = AuditSubject {
        owner: request.owner,
        party: request.consumer.clone(),
        request: Some(id),
        grant: None,
        data: request.copy.or(request.credential),
    };
    audit::record(state, call, event, about);
}

/// Takes an erased owner's requests away.
pub(super) fn forget(state: &mut State, owner: UserId) {
    let requests = state.tables().access_requests.iter();
    let own: Vec<_> = requests
        .filter(|(_, request)| request.owner == owner)
        .map(|(id, _)| *id)
        .collect();
    for id in own {
        state.delete::<AccessRequest>(&id);
    }
}
