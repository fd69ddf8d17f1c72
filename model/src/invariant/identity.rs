//! Wallets and profiles: who may speak for whom.

use std::collections::BTreeMap;

use super::chronicle::{Chronicle, Deed, View, speaks_as};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::Event;
use crate::id::{Height, UserId};
use crate::ledger::{Action, Answer, OwnershipProof, Query, WalletType};
use crate::wire;

pub(super) const WALLETS_ARE_UNIQUE_AND_BOUND: Invariant = Invariant {
    name: "wallets-are-unique-and-bound",
    claim: "no key belongs to two wallets, and a wallet's proof names profile, network and time and is \
            used once",
    source: "schema:add_wallet; S2; doc:granting-data-access",
    requirements: &["WAL-03", "WAL-04", "WAL-05"],
    check: wallets_are_unique_and_bound,
};

fn wallets_are_unique_and_bound(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let all: Vec<_> = chronicle
        .wallets
        .iter()
        .flat_map(|(id, l)| l.iter().map(move |w| (id, w)))
        .collect();
    for (index, (id, wallet)) in all.iter().enumerate() {
        let until = |height: Option<Height>| height.unwrap_or(Height(u64::MAX));
        let twin = all[index + 1..].iter().find(|(other, twin)| {
            other != id
                && twin.answers_to(&wallet.caller)
                && twin.span.since < until(wallet.span.until)
                && wallet.span.since < until(twin.span.until)
        });
        tally.test("WAL-03", twin.is_none(), || {
            let sentence = format!("{} belongs to two wallets at once", wallet.caller);
            let later = twin.map_or(wallet.span.since, |(_, twin)| {
                twin.span.since.max(wallet.span.since)
            });
            (
                sentence,
                chronicle
                    .blocks
                    .get(&later)
                    .map(|block| block.0)
                    .into_iter()
                    .collect(),
            )
        });
    }
    let mut used = BTreeMap::new();
    for deed in chronicle.accepted() {
        let (user, address, message) = match deed.action {
            Action::UpsertWalletAsInserter {
                user_id,
                address,
                message,
                ..
            } => (Some(*user_id), address, message),
            Action::AddWallet {
                address, message, ..
            } => (deed.own, address, message),
            _ => continue,
        };
        let before = used.insert((address, message), deed.seen);
        tally.test("WAL-05", before.is_none(), || {
            let sentence = format!("the ownership proof of {address} was accepted twice");
            (sentence, before.into_iter().chain([deed.seen]).collect())
        });
        let chain_id = &chronicle.history.cast.chain_id;
        let bound = user
            .and_then(|user| OwnershipProof::parse(message, user, address, chain_id))
            .is_some_and(|not_after| deed.time <= not_after);
        tally.test("WAL-04", bound, || {
            let sentence = format!(
                "the ownership proof of {address} does not name its profile, network and time"
            );
            (sentence, vec![deed.seen])
        });
    }
    tally.verdict("there was no wallet")
}

pub(super) const OWNERS_ALONE_CHANGE_WALLETS: Invariant = Invariant {
    name: "owners-alone-change-wallets",
    claim: "only its owner adds wallets to a complete profile, changes its key, and nobody removes the \
            wallet they speak with",
    source: "S0 self-sovereign, S2; schema:remove_wallet",
    requirements: &["WAL-06", "WAL-07", "USR-03"],
    check: owners_alone_change_wallets,
};

fn owners_alone_change_wallets(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for deed in chronicle.accepted() {
        let who = || chronicle.name_of(&deed.caller);
        match deed.action {
            Action::UpsertWalletAsInserter {
                id,
                user_id,
                address,
                public_key,
                wallet_type,
                ..
            } => {
                let caller =
                    WalletType::parse(wallet_type).map(|kind| speaks_as(kind, address, public_key));
                let touched = chronicle.wallets.iter().any(|(other, lives)| {
                    let mut standing = lives.iter().filter(|wallet| wallet.span.stood_before(deed));
                    // The row of this id is overwritten, any other makes the profile complete.
                    standing.any(|wallet| match other == id {
                        true => wallet.owner != *user_id || Some(&wallet.caller) != caller.as_ref(),
                        false => wallet.owner == *user_id,
                    })
                });
                tally.test("WAL-07", !touched, || {
                    let owner = chronicle.name_of_user(*user_id);
                    let sentence = format!("{} bound a wallet to the profile of {owner}", who());
                    (sentence, vec![deed.seen])
                });
            }
            Action::RemoveWallet { id } => {
                let caller = deed.caller.caller();
                let own = chronicle
                    .wallets
                    .get(id)
                    .into_iter()
                    .flatten()
                    .any(|wallet| {
                        wallet.span.ended == Some(deed.order) && wallet.answers_to(&caller)
                    });
                tally.test("WAL-06", !own, || {
                    let sentence = format!("{} removed the wallet they speak with", who());
                    (sentence, vec![deed.seen])
                });
            }
            Action::UpdateUserPubKeyAsInserter { id, consent, .. } => {
                tally.test("USR-03", consent.is_some(), || {
                    let owner = chronicle.name_of_user(*id);
                    let sentence = format!("{} changed the encryption key of {owner}", who());
                    (sentence, vec![deed.seen])
                });
            }
            _ => {}
        }
    }
    tally.verdict("nobody touched a wallet or a key")
}

pub(super) const CALLERS_ARE_EXACT: Invariant = Invariant {
    name: "callers-are-exact",
    claim: "a transaction acts for the profile of the key it names under its declared scheme, and a \
            profile is found by the right column of its wallets and by nothing like it",
    source: "S1, doc:access-control; schema:wallets",
    requirements: &["WAL-01", "WAL-02"],
    check: callers_are_exact,
};

fn callers_are_exact(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for deed in chronicle.accepted() {
        let sent = deed.transaction.sent();
        let declared = wire::signature_type(deed.caller.scheme());
        let named = sent.sender == deed.caller.bytes()
            && sent.signature_type.eq_ignore_ascii_case(declared);
        tally.test("WAL-01", named, || {
            let sentence = format!(
                "{} was run for {}, whom its sender and signature type do not name",
                deed.action.name(),
                chronicle.name_of(&deed.caller)
            );
            (sentence, vec![deed.seen])
        });
        if needs_profile(deed) {
            tally.test("WAL-01", deed.own.is_some(), || {
                let sentence = format!(
                    "{} was accepted from {}, whose key speaks for no profile",
                    deed.action.name(),
                    chronicle.name_of(&deed.caller)
                );
                (sentence, vec![deed.seen])
            });
        }
    }
    for view in &chronicle.views {
        if let Some(found) = profile_found(chronicle, view) {
            tally.test("WAL-02", found.is_ok(), || {
                let told = found.err().unwrap_or_default();
                let sentence = format!("{} answered {} {told}", view.node, view.query.name());
                (sentence, vec![view.seen])
            });
        }
    }
    tally.verdict("nobody acted, and nobody was looked for")
}

/// Whether an action writes into the profile of whoever calls it, under any rules. Those that match
/// nothing without a profile may succeed all the same, and are another promise's matter.
fn needs_profile(deed: &Deed<'_>) -> bool {
    matches!(
        deed.action,
        Action::AddWallet { .. }
            | Action::AddCredential { .. }
            | Action::ShareCredential { .. }
            | Action::RevokeAccessGrant { .. }
    )
}

/// Whether a view that looks for a profile found the right one, or what is wrong; nothing for other views.
fn profile_found(chronicle: &Chronicle<'_>, view: &View<'_>) -> Option<Result<(), String>> {
    if let (Query::HasProfile { address }, Ok(Answer::Truth(found))) = (view.query, view.result) {
        let mut wallets = chronicle.wallets.values().flatten();
        let there = wallets.any(|wallet| {
            let exact = match wallet.kind {
                WalletType::EVM => wallet.address.eq_ignore_ascii_case(address),
                _ => wallet.address == *address,
            };
            exact && wallet.span.lives_at(view.height)
        });
        let wrong = || format!("for {address} with {found}, and it is {there}");
        return Some((there == *found).then_some(()).ok_or_else(wrong));
    }
    let own = view
        .caller
        .and_then(|caller| chronicle.user_of(&caller, view.height));
    let mut found: Vec<UserId> = match (view.query, view.result) {
        (Query::GetUser {}, Ok(Answer::User(row))) => row.iter().map(|row| row.id).collect(),
        (Query::GetWallets {}, Ok(Answer::Wallets(rows))) => {
            rows.iter().map(|row| row.user_id).collect()
        }
        _ => return None,
    };
    found.dedup();
    let wrong = || {
        let name = |user: &UserId| format!("the profile of {}", chronicle.name_of_user(*user));
        let list = |users: &[UserId]| match users {
            [] => "no profile".to_owned(),
            users => users.iter().map(name).collect::<Vec<_>>().join(" and "),
        };
        let caller = view.caller.map(|caller| chronicle.name_of(&caller));
        format!(
            "to {} from {}, and the key speaks for {}",
            caller.as_deref().unwrap_or("nobody"),
            list(&found),
            list(own.as_slice())
        )
    };
    Some((found == own.as_slice()).then_some(()).ok_or_else(wrong))
}

pub(super) const PROFILES_ARE_WHOLE: Invariant = Invariant {
    name: "profiles-are-whole",
    claim: "a user id is used once, and a profile that is there has a wallet",
    source: "schema:add_user_as_inserter; doc:data-flows",
    requirements: &["USR-01", "USR-02"],
    check: profiles_are_whole,
};

fn profiles_are_whole(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut created = BTreeMap::new();
    for deed in chronicle.accepted() {
        if let Action::AddUserAsInserter { id, .. } = deed.action {
            let before = created.insert(id, deed.seen);
            tally.test("USR-01", before.is_none(), || {
                let sentence = format!("user {id} was created twice");
                (sentence, before.into_iter().chain([deed.seen]).collect())
            });
        }
    }
    for (seen, observation) in chronicle.observations() {
        let Event::Inspected {
            node,
            height,
            users,
            ..
        } = &observation.event
        else {
            continue;
        };
        for user in users {
            let reachable = chronicle
                .wallets
                .values()
                .flatten()
                .any(|wallet| wallet.owner == *user && wallet.span.lives_at(*height));
            tally.test("USR-02", reachable, || {
                let who = chronicle.name_of_user(*user);
                let sentence = format!("{node} holds the profile of {who}, which has no wallet");
                (
                    sentence,
                    created
                        .get(user)
                        .copied()
                        .into_iter()
                        .chain([seen])
                        .collect(),
                )
            });
        }
    }
    tally.verdict("there was no profile")
}
