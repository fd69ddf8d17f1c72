//! Delegated writes: an issuer writes once under the owner's signed paper. Source: idos-facts 3.5.

use super::action::Action;
use super::execute::{Call, Refused};
use super::grants::{self, NewGrant};
use super::message::{DelegatedWriteGrant, parse_date};
use super::refusal::{Engine, Refusal};
use super::tables::{ConsumedWriteGrant, GrantInserter, GrantTerms, State, Tables};
use super::written::Written;
use super::{credentials, papers, wallets};
use crate::id::{CredentialId, InserterId, Text};
use crate::rules::Switch;
use crate::time::BlockTime;

/// How long before its window a dWG may be used already, in seconds. Source: idos-facts 9.1.
const SLACK: i64 = 65;

/// Stores original, copy, link and grant, and remembers the paper. Whoever transmits does not matter.
pub(super) fn create_credentials_by_dwg(
    state: &mut State,
    call: Call<'_>,
    action: &Action,
) -> Refused {
    let (Some((dwg, signature)), Some([original, copy])) = (
        DelegatedWriteGrant::carried_by(action),
        Written::delegated(action),
    ) else {
        unreachable!("{} is not a dWG", action.name())
    };
    let Action::CreateCredentialsByDwg { content_hash, .. } = action else {
        unreachable!("{} is not a dWG", action.name())
    };
    let tables = state.tables();
    check_issuer(tables, call, original.issuer_auth_public_key, dwg.issuer)?;
    let Some((_, wallet)) = wallets::matching(tables, dwg.owner).next() else {
        return Err(Refusal::DwgOwnerNotFound);
    };
    let locked_until = date(dwg.timelock)?;
    let (from, to) = (date(dwg.not_before)?, date(dwg.not_after)?);
    if from >= to {
        return Err(Refusal::DwgWindowReversed);
    }
    if from.0 > call.time.0 + SLACK || call.time > to {
        return Err(Refusal::DwgOutsideWindow);
    }
    let text = dwg.text(call.env.rules, call.env.chain_id);
    if !wallets::signed(call.env.suite, wallet, &text, signature) {
        return Err(Refusal::DwgSignatureInvalid);
    }
    let owner = wallet.user_id;
    papers::check_not_cancelled(tables, call, &papers::dwg(owner, dwg.id))?;
    for (written, wrong) in [
        (&original, Refusal::OriginalSignatureWrong),
        (&copy, Refusal::CopySignatureWrong),
    ] {
        written
            .check(call, Some(owner))
            .map_err(|refusal| match refusal {
                Refusal::SignatureWrong => wrong,
                other => other,
            })?;
    }
    original.check_status(tables, call)?;
    let inserter: Text = dwg.id.to_string().into();
    for written in [&original, &copy] {
        if state.tables().credentials.contains_key(&written.id) {
            return Err(Engine::DuplicateKey("credentials_pkey").into());
        }
        state.put(written.id, written.row(owner, Some(inserter.clone())));
    }
    credentials::link(state, call, original.id, copy.id);
    let grant = NewGrant {
        grantee: dwg.grantee,
        data: copy.id,
        locked_until: locked_until.0,
        content_hash: Some(content_hash.clone()),
        inserter_type: GrantInserter::DelegatedWriteGrant,
        inserter_id: inserter,
        terms: GrantTerms::default(),
    };
    grants::create_access_grant(state, call, grant)?;
    if state.tables().consumed_write_grants.contains_key(&dwg.id) {
        return Err(Engine::DuplicateKey("consumed_write_grants_pkey").into());
    }
    let consumed = ConsumedWriteGrant {
        owner: dwg.owner.into(),
        grantee: dwg.grantee.into(),
        issuer_public_key: dwg.issuer.into(),
        original: Some(original.id),
        copy: Some(copy.id),
        access_grant_timelock: dwg.timelock.into(),
        not_usable_before: dwg.not_before.into(),
        not_usable_after: dwg.not_after.into(),
    };
    state.put(dwg.id, consumed);
    Ok(())
}

fn date(text: &str) -> Result<BlockTime, Refusal> {
    parse_date(text).ok_or(Refusal::DateMalformed)
}

/// The key that signed has to be of the organisation the owner named, and under `dwg-names-issuer` the very
/// key. Under `open-issuing` that key need not be of any organisation.
fn check_issuer(tables: &Tables, call: Call<'_>, signed: &str, named: &str) -> Refused {
    let organisation = |key: &str| -> Option<InserterId> {
        let delegate = tables.delegates.get(&Text::from(key.to_lowercase()));
        delegate.map(|delegate| delegate.0)
    };
    let (signed, named) = (signed.to_lowercase(), named.to_lowercase());
    let open = call.keeps(Switch::OpenIssuing) && signed == named;
    let same = open || organisation(&signed).is_some_and(|one| Some(one) == organisation(&named));
    if same && (signed == named || !call.keeps(Switch::DwgNamesIssuer)) {
        Ok(())
    } else {
        Err(Refusal::DwgForeignIssuer)
    }
}

/// The text to sign, or what is wrong with its dates.
pub(super) fn message(call: Call<'_>, dwg: &DelegatedWriteGrant<'_>) -> Result<String, Refusal> {
    date(dwg.timelock)?;
    if date(dwg.not_before)? >= date(dwg.not_after)? {
        return Err(Refusal::WindowReversed);
    }
    Ok(dwg.text(call.env.rules, call.env.chain_id))
}

/// Takes a credential that is gone out of the records of used papers. Under `markers-name-nobody` a record
/// with nothing left keeps no more than the paper's id, which is what makes it single use.
pub(super) fn forget(state: &mut State, call: Call<'_>, gone: CredentialId) {
    debug_assert!(!state.tables().credentials.contains_key(&gone));
    let ids: Vec<_> = state.tables().index.write_grants(gone).collect();
    for id in ids {
        let Some(row) = state.tables().consumed_write_grants.get(&id) else {
            continue;
        };
        let mut row = (**row).clone();
        row.original = row.original.filter(|original| *original != gone);
        row.copy = row.copy.filter(|copy| *copy != gone);
        if call.keeps(Switch::MarkersNameNobody) && row.original.is_none() && row.copy.is_none() {
            row = ConsumedWriteGrant::default();
        }
        state.put(id, row);
    }
}
