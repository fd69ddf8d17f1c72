//! What a stranger can learn of others' rows from how it is refused. Source: READ-04.

use uuid::Uuid;

use super::super::client::{As, Got, Want};
use super::super::desk::Desk;
use super::super::machine::Outbox;
use super::super::order::{GrantRef, Order, Task};
use super::writing::{edit, grant_id};
use super::{News, Next, done_if, ending};
use crate::bridge::Amount;
use crate::id::{CredentialId, GrantId};
use crate::ledger::{Action, Batch, Query};

/// What is left to ask, the last first, always about a row that never was and then about one that is.
#[derive(Debug, Default)]
pub(in crate::actor) struct Prying {
    left: Vec<Want>,
    /// What was said about the row that never was.
    missing: Option<String>,
    differs: bool,
}

/// Asks for a copy and its grant in every way that names a row, and for rows that are not there: a stranger who is
/// told the same of both has learnt nothing.
pub(super) fn pry(
    prying: &mut Prying,
    desk: &mut Desk,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Pry { grant } = &task.order else {
        unreachable!("only an order to pry pries")
    };
    match news {
        News::Begin => prying.left = wants(desk, grant, out),
        News::Got(got) => {
            let said = match &got {
                Got::View { result, .. } => format!("{result:?}"),
                Got::Included(outcome) => format!("{outcome:?}"),
                Got::Rejected(_) | Got::Nothing => return Next::Done(ending(&got)),
            };
            match prying.missing.take() {
                None => prying.missing = Some(said),
                Some(missing) => prying.differs |= missing != said,
            }
        }
        News::Letter(_) | News::Overdue => return Next::Wait,
    }
    match prying.left.pop() {
        Some(want) => Next::Ask(want, None),
        None => done_if(!prying.differs, "answers-differ"),
    }
}

/// Every question, backwards.
fn wants(desk: &mut Desk, grant: &GrantRef, out: &mut Outbox) -> Vec<Want> {
    let (copy, id) = (grant.data, grant_id(desk, grant));
    let missing = (CredentialId(elsewhere(copy.0)), GrantId(elsewhere(id.0)));
    let absent = about(desk, missing, out);
    let present = about(desk, (copy, id), out);
    let pairs = absent.into_iter().zip(present);
    let mut wants: Vec<Want> = pairs
        .flat_map(|(absent, present)| [absent, present])
        .collect();
    wants.reverse();
    wants
}

/// The id of a row that never was.
fn elsewhere(id: Uuid) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&blake3::hash(id.as_bytes()).as_bytes()[..16]);
    Uuid::from_bytes(bytes)
}

fn about(desk: &mut Desk, (copy, grant): (CredentialId, GrantId), out: &mut Outbox) -> Vec<Want> {
    let views = [
        Query::GetCredentialOwned { id: copy },
        Query::GetCredentialShared { id: copy },
        Query::GetAccessGrantsForCredential {
            credential_id: copy,
        },
        Query::HasLockedAccessGrants { id: copy },
        Query::GetAccessGrantTerms { id: grant },
        Query::GetIssuerFee {
            credential_id: copy,
        },
    ];
    let caller = desk.card().caller();
    let actions = [
        edit(&desk.self_issued(copy, out)),
        Action::RemoveCredential { id: copy },
        Action::RemoveCredentialWhenUnlocked { id: copy },
        Action::RescindSharedCredential {
            credential_id: copy,
        },
        Action::RevokeAccessGrant { id: grant },
        Action::RevokeGranteeAccess {
            data_id: copy,
            grantee_wallet_identifier: caller.clone(),
        },
        Action::UseAccessGrant { id: grant },
        Action::ActionCostingFee {
            credential_id: copy,
        },
        Action::SetIssuerFee {
            credential_id: copy,
            issuer_fee: Amount::ZERO,
            issuer_wallet: caller,
        },
    ];
    let view = |query| Want::View {
        query,
        as_: As::Self_,
    };
    let submit = |action| Want::Submit(Batch::one(action).into());
    let views = views.into_iter().map(view);
    views.chain(actions.into_iter().map(submit)).collect()
}
