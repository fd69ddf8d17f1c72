//! Ends of signed papers, by time and by their owners' word. Source: idos-facts 8.4 (DAG-05).

use super::action::{Action, DagTerms};
use super::execute::{Call, Refused};
use super::message::DelegatedAccessGrant;
use super::refusal::Refusal;
use super::tables::{CancelledPaper, State, Tables};
use super::users::self_user;
use super::wallets;
use crate::id::{UserId, WriteGrantId};
use crate::rules::Switch;

/// What a dAG is remembered by, so that it identifies nobody.
pub(super) fn dag(text: &str) -> [u8; 32] {
    *blake3::hash(text.as_bytes()).as_bytes()
}

/// What an owner's dWG is remembered by when it is cancelled. The owner is part of it: whoever learns of a
/// paper's id cannot cancel it for somebody else.
pub(super) fn dwg(owner: UserId, id: WriteGrantId) -> [u8; 32] {
    let text = format!("delegatedWriteGrant {id} of {owner}");
    *blake3::hash(text.as_bytes()).as_bytes()
}

/// Whether a dAG says until when it is usable, and that has not passed, under `dag-expires`.
pub(super) fn check_end(call: Call<'_>, terms: Option<&DagTerms>) -> Refused {
    if !call.keeps(Switch::DagExpires) {
        return Ok(());
    }
    let Some(terms) = terms else {
        return Err(Refusal::DagWithoutEnd);
    };
    if terms.not_usable_after < call.time.0 {
        return Err(Refusal::DagExpired);
    }
    Ok(())
}

/// Whether a paper's owner has cancelled it.
pub(super) fn check_not_cancelled(tables: &Tables, call: Call<'_>, paper: &[u8; 32]) -> Refused {
    if call.keeps(Switch::CancellablePapers) && tables.cancelled_papers.contains_key(paper) {
        return Err(Refusal::PaperCancelled);
    }
    Ok(())
}

/// The owner cancels a dAG, named by what it says, or a dWG, named by its id. Not in the deployed schema.
pub(super) fn cancel(state: &mut State, call: Call<'_>, action: &Action) -> Refused {
    call.offers(Switch::CancellablePapers, action.name())?;
    let tables = state.tables();
    let own = self_user(tables, call)?;
    let (paper, used) = match action {
        Action::CancelDag {
            dag_owner_wallet_identifier: owner,
            dag_grantee_wallet_identifier: grantee,
            dag_data_id: data,
            dag_locked_until: locked_until,
            dag_content_hash: content_hash,
            terms,
        } => {
            let named = wallets::matching(tables, owner).next();
            if named.is_none_or(|(_, wallet)| Some(wallet.user_id) != own) {
                return Err(Refusal::DagOwnerNotFound);
            }
            let text = DelegatedAccessGrant {
                owner,
                grantee,
                data: *data,
                locked_until: *locked_until,
                content_hash: content_hash.as_deref(),
                terms: terms.as_ref(),
            }
            .text(call.env.rules, call.env.chain_id);
            let paper = dag(&text);
            (paper, tables.consumed_papers.contains_key(&paper))
        }
        Action::CancelDwg { dwg_id } => {
            let Some(own) = own else {
                return Err(Refusal::DwgOwnerNotFound);
            };
            let used = tables.consumed_write_grants.contains_key(dwg_id);
            (dwg(own, *dwg_id), used)
        }
        other => unreachable!("{} cancels no paper", other.name()),
    };
    if used {
        return Err(Refusal::PaperUsed);
    }
    check_not_cancelled(tables, call, &paper)?;
    state.put(paper, CancelledPaper);
    Ok(())
}
