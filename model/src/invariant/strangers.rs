//! What strangers are told of others' rows.

use std::collections::BTreeMap;

use super::chronicle::{Chronicle, Deed, GrantFact, Life, View};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::crypto::Identity;
use crate::history::Role;
use crate::id::{CredentialId, GrantId, PartyId};
use crate::ledger::{Action, Outcome, Query, Refusal};

pub(super) const REFUSALS_GIVE_NOTHING_AWAY: Invariant = Invariant {
    name: "refusals-give-nothing-away",
    claim: "who has nothing to do with a credential or grant is told of it what is told of one that is not there",
    source: "S4; idos-facts 3.4 to 3.9",
    requirements: &["READ-04"],
    check: refusals_give_nothing_away,
};

/// The row somebody asks about.
#[derive(Clone, Copy)]
enum Row {
    Credential(CredentialId),
    Grant(GrantId),
}

/// What somebody was told of a row that is nothing to them.
struct Told {
    seen: usize,
    said: String,
}

/// By who asked and how: what was told of rows that were not there, and of others that were.
type Pairs = BTreeMap<(PartyId, &'static str), (Vec<Told>, Vec<Told>)>;

fn refusals_give_nothing_away(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut pairs = Pairs::new();
    let mut note = |(by, how), there: bool, told: Told| {
        let (missing, present) = pairs.entry((by, how)).or_default();
        match there {
            true => present.push(told),
            false => missing.push(told),
        }
    };
    for view in &chronicle.views {
        let (Some(caller), Some(row)) = (view.caller, looked_at(view.query)) else {
            continue;
        };
        if let Some(by) = stranger(chronicle, &caller, row) {
            let said = match view.result {
                Ok(answer) => format!("{answer:?}"),
                Err(refusal) => refusal.to_string(),
            };
            let seen = view.seen;
            let told = Told { seen, said };
            note(
                (by, view.query.name()),
                stood_at(chronicle, view, row),
                told,
            );
        }
    }
    for deed in &chronicle.deeds {
        let Some(row) = worked_on(deed.action) else {
            continue;
        };
        if !deed.is_alone() || !speaks_of_the_row(deed) {
            continue;
        }
        if let Some(by) = stranger(chronicle, &deed.caller, row) {
            let said = match deed.outcome {
                Outcome::Refused(refusal) => refusal.to_string(),
                Outcome::Accepted | Outcome::Invalid => "accepted".to_owned(),
            };
            let seen = deed.seen;
            let told = Told { seen, said };
            let there = stood_before(chronicle, deed, row);
            note((by, deed.action.name()), there, told);
        }
    }
    for ((by, how), (missing, present)) in &pairs {
        let Some(first) = missing.first() else {
            continue;
        };
        for told in present {
            let same = missing.iter().any(|other| other.said == told.said);
            tally.test("READ-04", same, || {
                let who = &chronicle.history.cast.party(*by).name;
                let sentence = format!(
                    "{who}, whom it does not concern, learnt by {how} that a row exists: \"{}\" instead of \"{}\"",
                    told.said, first.said
                );
                (sentence, vec![first.seen, told.seen])
            });
        }
    }
    tally.verdict("no stranger asked both about a row that was there and about one that was not")
}

/// The row a view is about, where one is named. Inserters alone ask whether an id is taken.
fn looked_at(query: &Query) -> Option<Row> {
    Some(match query {
        Query::GetCredentialOwned { id }
        | Query::GetCredentialShared { id }
        | Query::HasLockedAccessGrants { id } => Row::Credential(*id),
        Query::GetAccessGrantsForCredential { credential_id }
        | Query::GetIssuerFee { credential_id } => Row::Credential(*credential_id),
        Query::GetAccessGrantTerms { id } => Row::Grant(*id),
        _ => return None,
    })
}

/// The row an action is about, where it has to be there before.
fn worked_on(action: &Action) -> Option<Row> {
    Some(match action {
        Action::EditCredential { id, .. }
        | Action::RemoveCredential { id }
        | Action::RemoveCredentialWhenUnlocked { id } => Row::Credential(*id),
        Action::RescindSharedCredential { credential_id }
        | Action::ActionCostingFee { credential_id }
        | Action::SetIssuerFee { credential_id, .. } => Row::Credential(*credential_id),
        Action::RevokeGranteeAccess { data_id, .. } => Row::Credential(*data_id),
        Action::RevokeAccessGrant { id } | Action::UseAccessGrant { id } => Row::Grant(*id),
        _ => return None,
    })
}

/// Whether what became of an action hangs on the row and on who asks, and not on what else was sent along. Who
/// pays for what is there is told of the own purse.
fn speaks_of_the_row(deed: &Deed<'_>) -> bool {
    let refusal = match deed.outcome {
        Outcome::Accepted => return true,
        Outcome::Refused(refusal) => refusal,
        Outcome::Invalid => return false,
    };
    matches!(deed.action, Action::ActionCostingFee { .. })
        || matches!(
            refusal,
            Refusal::NothingMatched
                | Refusal::SharedNotEditable
                | Refusal::CredentialNotOwned
                | Refusal::CredentialUnknown
                | Refusal::CredentialNotFound
                | Refusal::NotShared
                | Refusal::NotTheIssuer
                | Refusal::NothingToRescind
                | Refusal::LockedGrants
                | Refusal::GrantNotFound
                | Refusal::GrantLocked { .. }
                | Refusal::GrantEnded
        )
}

/// The party that asks, unless the row was its affair at any time: as an owner, a grantee or an issuer.
fn stranger(chronicle: &Chronicle<'_>, caller: &Identity, row: Row) -> Option<PartyId> {
    let cast = &chronicle.history.cast;
    let by = chronicle.holder(caller)?;
    let member = cast.party(by);
    if member.role == Role::Operator {
        return None;
    }
    let names = |text: &str| {
        let mut own = member.identities.iter();
        own.any(|identity| identity.caller().eq_ignore_ascii_case(text))
    };
    let owns = |owner| member.role == Role::User && member.user == owner;
    let holds = |grant: &GrantFact<'_>| owns(grant.owner) || names(&grant.grantee);
    let concerned = match row {
        Row::Credential(id) => {
            let mut lives = chronicle.credentials.get(&id).into_iter().flatten();
            let wrote = |issuer: &str| names(issuer);
            lives.any(|fact| owns(fact.owner) || fact.writings.iter().any(|one| wrote(&one.issuer)))
                || chronicle
                    .all_grants()
                    .any(|(_, grant)| grant.data == id && holds(grant))
        }
        Row::Grant(id) => chronicle.grants.get(&id).into_iter().flatten().any(holds),
    };
    (!concerned).then_some(by)
}

fn stood_at(chronicle: &Chronicle<'_>, view: &View<'_>, row: Row) -> bool {
    match row {
        Row::Credential(id) => chronicle.credential_at(id, view.height).is_some(),
        Row::Grant(id) => {
            let mut lives = chronicle.grants.get(&id).into_iter().flatten();
            lives.any(|grant| grant.lives_at(view.height))
        }
    }
}

fn stood_before(chronicle: &Chronicle<'_>, deed: &Deed<'_>, row: Row) -> bool {
    match row {
        Row::Credential(id) => chronicle.credential_before(id, deed).is_some(),
        Row::Grant(id) => {
            let mut lives = chronicle.grants.get(&id).into_iter().flatten();
            lives.any(|grant| grant.stood_before(deed))
        }
    }
}
