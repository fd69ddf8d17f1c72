//! Inserters and delegates, administered by the database owner. Source: idos-facts 3.1.

use super::action::Action;
use super::execute::{Call, Refused};
use super::governance;
use super::refusal::{Engine, Refusal};
use super::tables::{Delegate, Inserter, State, Tables};
use crate::id::Text;
use crate::rules::Switch;

/// Refuses everybody but the database owner.
pub(super) fn require(call: Call<'_>, action: &'static str) -> Refused {
    if call.caller == call.env.db_owner {
        Ok(())
    } else {
        Err(Engine::OwnerOnly(action).into())
    }
}

/// The four actions only the database owner may call.
pub(super) fn apply(state: &mut State, call: Call<'_>, action: &Action) -> Refused {
    require(call, action.name())?;
    let log = |state: &mut State, what: &str, subject: String| {
        governance::log(state, call.env, call.height, what, subject);
    };
    match action {
        Action::AddInserterAsOwner { id, name } => {
            let inserters = &state.tables().inserters;
            if inserters.contains_key(id) {
                return Err(Engine::DuplicateKey("inserters_pkey").into());
            }
            if inserters.values().any(|inserter| inserter.0 == *name) {
                return Err(Engine::DuplicateKey("inserters_name_key").into());
            }
            state.put(*id, Inserter(name.clone()));
            log(state, "inserter-added", name.to_string());
            Ok(())
        }
        Action::DeleteInserterAsOwner { id } => {
            let Some(inserter) = state.delete::<Inserter>(id) else {
                return call.nothing_matched();
            };
            log(state, "inserter-removed", inserter.0.to_string());
            let delegates: Vec<Text> = state
                .tables()
                .delegates
                .iter()
                .filter(|(_, delegate)| delegate.0 == *id)
                .map(|(address, _)| address.clone())
                .collect();
            for address in delegates {
                state.delete::<Delegate>(&address);
                log(state, "delegate-removed", address.to_string());
            }
            Ok(())
        }
        Action::AddDelegateAsOwner {
            address,
            inserter_id,
        } => {
            let address: Text = address.to_lowercase().into();
            if state.tables().delegates.contains_key(&address) {
                return Err(Engine::DuplicateKey("delegates_pkey").into());
            }
            if !state.tables().inserters.contains_key(inserter_id) {
                return Err(Engine::ForeignKey("delegates_inserter_id_fkey").into());
            }
            let subject = address.to_string();
            state.put(address, Delegate(*inserter_id));
            log(state, "delegate-added", subject);
            Ok(())
        }
        Action::DeleteDelegateAsOwner { address } => {
            let address: Text = if call.keeps(Switch::AnyCaseDelegate) {
                address.to_lowercase().into()
            } else {
                address.clone()
            };
            match state.delete::<Delegate>(&address) {
                Some(_) => {
                    log(state, "delegate-removed", address.to_string());
                    Ok(())
                }
                None => call.nothing_matched(),
            }
        }
        other => unreachable!("{} is not an owner action", other.name()),
    }
}

/// `inserter()`: the name of the organisation whose key the caller is. Delegates are stored in lower
/// case and compared exactly, so of the callers only Ed25519 keys can match. Source: idos-facts 3.0.
pub(super) fn inserter(tables: &Tables, call: Call<'_>) -> Result<Text, Refusal> {
    tables
        .delegates
        .get(call.caller)
        .and_then(|delegate| tables.inserters.get(&delegate.0))
        .map(|inserter| inserter.0.clone())
        .ok_or(Refusal::UnauthorizedInserter)
}
