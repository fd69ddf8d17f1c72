//! Requests for access on the chain: who decides them, when, and how far.

use super::chronicle::{Chronicle, Deed, RequestFact, View, canonical, is_whole};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::id::{AccessRequestId, Height};
use crate::ledger::{
    AccessRequestRow, Action, Answer, Outcome, Query, Refusal, RequestState, ShareTerms,
};

pub(super) const REQUESTS_ARE_DECIDED_ONCE: Invariant = Invariant {
    name: "requests-are-decided-once",
    claim: "a request is decided once, while it stands, by whom it asks or by whom it is from, an approval \
            gives no more than it asks for, and both sides are shown what became of it",
    source: "S4; idos-facts 1.2, 5.3",
    requirements: &["REQ-01", "REQ-02", "REQ-03"],
    check: requests_are_decided_once,
};

fn requests_are_decided_once(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for deed in &chronicle.deeds {
        let (id, by_owner) = match deed.action {
            Action::ShareCredential {
                terms: Some(terms), ..
            } => match terms.request_id {
                Some(id) => (id, true),
                None => continue,
            },
            Action::DenyAccessRequest { id } => (*id, true),
            Action::WithdrawAccessRequest { id } => (*id, false),
            _ => continue,
        };
        let request = asked_before(chronicle, id, deed);
        let theirs = request.filter(|request| match by_owner {
            true => Some(request.owner) == deed.own,
            false => *request.consumer == *deed.caller.caller(),
        });
        match deed.outcome {
            Outcome::Accepted => decided(chronicle, (id, deed), request, theirs, &mut tally),
            Outcome::Refused(why) if deed.is_alone() => {
                refused((id, deed), theirs, why, &mut tally)
            }
            Outcome::Refused(_) | Outcome::Invalid => {}
        }
    }
    for view in &chronicle.views {
        if let Ok(Answer::Requests(rows)) = view.result {
            listing(chronicle, view, rows, &mut tally);
        }
    }
    tally.verdict("nobody asked for access on the chain, or nobody decided")
}

/// The request of this id, if it was there when a deed came.
fn asked_before<'c, 'a>(
    chronicle: &'c Chronicle<'a>,
    id: AccessRequestId,
    deed: &Deed<'_>,
) -> Option<&'c RequestFact<'a>> {
    let request = chronicle.requests.get(&id)?;
    (request.born.order < deed.order).then_some(request)
}

/// How far a request had come when a deed came.
fn state_before(request: &RequestFact<'_>, deed: &Deed<'_>) -> RequestState {
    match request.decided.filter(|first| first.order < deed.order) {
        Some(first) => request.state_at(first.height, first.time),
        None if request.stands_until() < deed.time.0 => RequestState::Expired,
        None => RequestState::Submitted,
    }
}

fn proof(request: Option<&RequestFact<'_>>, deed: &Deed<'_>) -> Vec<usize> {
    let born = request.map(|request| request.born.seen);
    let first = request.and_then(|request| request.decided);
    let first = first.filter(|first| first.order < deed.order);
    let before = born.into_iter().chain(first.map(|first| first.seen));
    before.chain([deed.seen]).collect()
}

fn decided(
    chronicle: &Chronicle<'_>,
    (id, deed): (AccessRequestId, &Deed<'_>),
    request: Option<&RequestFact<'_>>,
    theirs: Option<&RequestFact<'_>>,
    tally: &mut Tally,
) {
    let who = chronicle.name_of(&deed.caller);
    tally.test("REQ-01", theirs.is_some(), || {
        let sentence = match request {
            Some(_) => format!("{who} decided request {id}, which is for somebody else to decide"),
            None => format!("{who} decided request {id}, which nobody had made"),
        };
        (sentence, proof(request, deed))
    });
    let Some(request) = theirs else { return };
    let state = state_before(request, deed);
    tally.test("REQ-02", state == RequestState::Submitted, || {
        let sentence = format!(
            "{who} decided request {id}, which was {} before",
            state.name()
        );
        (sentence, proof(Some(request), deed))
    });
    if let Some(wider) = widened(request, deed) {
        tally.test("REQ-03", wider.is_none(), || {
            let what = wider.unwrap_or_default();
            let sentence = format!("{who} approved request {id} with {what} than it asks for");
            (sentence, proof(Some(request), deed))
        });
    }
}

fn refused(
    (id, deed): (AccessRequestId, &Deed<'_>),
    theirs: Option<&RequestFact<'_>>,
    why: Refusal,
    tally: &mut Tally,
) {
    let said = match why {
        Refusal::RequestNotFound => {
            return tally.test("REQ-01", theirs.is_none(), || {
                let sentence = format!("request {id} was said not to be there, and it is");
                (sentence, proof(theirs, deed))
            });
        }
        Refusal::ApprovalWidens => {
            let wider = theirs.and_then(|request| widened(request, deed)).flatten();
            return tally.test("REQ-03", wider.is_some(), || {
                let sentence = format!(
                    "an approval of request {id} was refused that gives no more than asked"
                );
                (sentence, proof(theirs, deed))
            });
        }
        Refusal::RequestApproved => RequestState::Approved,
        Refusal::RequestDenied => RequestState::Denied,
        Refusal::RequestExpired => RequestState::Expired,
        Refusal::RequestWithdrawn => RequestState::Withdrawn,
        _ => return,
    };
    let state = theirs.map(|request| state_before(request, deed));
    tally.test("REQ-02", state == Some(said), || {
        let is = state.map_or("not there", RequestState::name);
        let sentence = format!("request {id} was said to be {}, and is {is}", said.name());
        (sentence, proof(theirs, deed))
    });
}

/// In what an approval gives more than was asked for, if it does; nothing for other deeds.
fn widened(request: &RequestFact<'_>, deed: &Deed<'_>) -> Option<Option<&'static str>> {
    let Action::ShareCredential {
        original_credential_id: original,
        grantee_wallet_identifier: grantee,
        locked_until,
        terms: Some(terms),
        ..
    } = deed.action
    else {
        return None;
    };
    let Action::RequestAccess {
        credential_id,
        fields,
        locked_until: lock,
        expires_at,
        uses,
        ..
    } = request.born.action
    else {
        return None;
    };
    let ShareTerms {
        expires_at: end,
        uses: times,
        fields: given,
        ..
    } = terms;
    let more = |given: Option<i64>, wanted: Option<i64>| match (given, wanted) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(given), Some(wanted)) => given > wanted,
    };
    let split = |text: &str| -> Vec<String> {
        text.split(',')
            .map(|field| field.trim().to_owned())
            .collect()
    };
    let wanted_fields = fields
        .as_deref()
        .filter(|fields| !fields.is_empty())
        .map(split);
    let further_fields = wanted_fields.is_some_and(|wanted| {
        let given = given.as_deref().map(split);
        given.is_none_or(|given| given.iter().any(|field| !wanted.contains(field)))
    });
    let consumer = canonical(&request.consumer);
    let to_another = canonical(grantee).is_none_or(|grantee| Some(grantee) != consumer);
    Some(if to_another {
        Some("another grantee")
    } else if credential_id.is_some_and(|wanted| wanted != *original) {
        Some("another credential")
    } else if locked_until > lock {
        Some("a longer lock")
    } else if more(*end, *expires_at) {
        Some("a later end")
    } else if more(*times, *uses) {
        Some("more uses")
    } else if further_fields {
        Some("more fields")
    } else {
        None
    })
}

/// Whose requests a listing is about.
fn concerns(chronicle: &Chronicle<'_>, view: &View<'_>, request: &RequestFact<'_>) -> bool {
    let Some(caller) = view.caller else {
        return false;
    };
    match view.query {
        Query::GetAccessRequestsReceived { .. } => {
            chronicle.user_of(&caller, view.height) == Some(request.owner)
        }
        _ => *request.consumer == *caller.caller(),
    }
}

fn listing(
    chronicle: &Chronicle<'_>,
    view: &View<'_>,
    rows: &[AccessRequestRow],
    tally: &mut Tally,
) {
    let (Query::GetAccessRequestsReceived { page, size }
    | Query::GetAccessRequestsMade { page, size }) = view.query
    else {
        return;
    };
    let node = view.node;
    let now = chronicle.time_of(view.height);
    for row in rows {
        let request = chronicle.requests.get(&row.id);
        let request = request.filter(|request| is_there(chronicle, request, view.height));
        let known = request.filter(|request| concerns(chronicle, view, request));
        tally.test("REQ-01", known.is_some(), || {
            let sentence = format!("{node} lists request {}, which is not the reader's", row.id);
            (sentence, vec![view.seen])
        });
        let Some(request) = known else { continue };
        let state = request.state_at(view.height, now);
        tally.test("REQ-02", row.state == state, || {
            let (told, is) = (row.state.name(), state.name());
            let sentence = format!("{node} says request {} is {told}, and it is {is}", row.id);
            let decided = request.decided.map(|deed| deed.seen);
            let proof = decided.into_iter().chain([request.born.seen, view.seen]);
            (sentence, proof.collect())
        });
    }
    if !is_whole(*page, *size, rows.len()) {
        return;
    }
    for (id, request) in &chronicle.requests {
        if is_there(chronicle, request, view.height) && concerns(chronicle, view, request) {
            tally.test("REQ-01", rows.iter().any(|row| row.id == *id), || {
                let sentence = format!("{node} left request {id} out of a listing");
                (sentence, vec![request.born.seen, view.seen])
            });
        }
    }
}

/// Whether a request had been made by this block, and not been forgotten with the profile it asks.
fn is_there(chronicle: &Chronicle<'_>, request: &RequestFact<'_>, height: Height) -> bool {
    request.born.height <= height && !chronicle.is_forgotten(request.owner, &request.born, height)
}
