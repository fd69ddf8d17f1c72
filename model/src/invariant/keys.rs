//! Encryption keys: how they follow from passwords, who gets them back, and what leaves the enclave that holds
//! them.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::chronicle::{Chronicle, Deed, Life, WalletFact};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::crypto::XrplKey;
use crate::history::{Event, Role};
use crate::id::{CredentialId, Height, PartyId, Text, UserId};
use crate::ledger::{Action, Answer, Outcome, Query, WalletType};

/// Fewest derivations by which a password may be found.
const BOUND: u64 = 1 << 40;

pub(super) const SHARES_GIVE_PASSWORDS_BACK: Invariant = Invariant {
    name: "shares-give-passwords-back",
    claim: "enough right shares give the key back whatever the others are, fewer give nothing, and they are given \
            to the wallets that are bound to the profile, and to no other",
    source: "doc:mpc-for-encryption-keys; idos-facts 4.10, 5.9",
    requirements: &["MPC-01", "MPC-02", "MPC-03"],
    check: shares_give_passwords_back,
};

/// What share nodes answered since an enclave asked. One that asks again with the same address before it has done
/// goes on with the same round: no answer says which question it is to.
#[derive(Default)]
struct Round {
    asked: usize,
    /// How many recoveries are under way.
    open: usize,
    /// By share node, whether it gave out what it was given.
    released: BTreeMap<PartyId, (bool, usize)>,
    refused: BTreeMap<PartyId, usize>,
}

fn shares_give_passwords_back(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let parties = &chronicle.history.cast.parties;
    let share_nodes = parties
        .iter()
        .filter(|member| member.role == Role::ShareNode);
    let share_nodes = share_nodes.count();
    let threshold = share_nodes.saturating_sub(1) / 2 + 1;
    // What anybody else says of shares is no share node's answer.
    let keeps_shares = |by: &PartyId| chronicle.history.cast.party(*by).role == Role::ShareNode;
    let mut rounds: BTreeMap<(UserId, &Text), Round> = BTreeMap::new();
    let user = |party: &PartyId| chronicle.history.cast.party(*party).user;
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::SharesAsked { by, address } => {
                let begun = || Round {
                    asked: seen,
                    ..Round::default()
                };
                let round = rounds.entry((user(by), address)).or_insert_with(begun);
                round.open += 1;
            }
            Event::ShareReleased {
                by,
                user,
                address,
                right,
            } if keeps_shares(by) => {
                if let Some(round) = rounds.get_mut(&(*user, address)) {
                    round.released.insert(*by, (*right, seen));
                }
            }
            Event::ShareRefused { by, user, address } if keeps_shares(by) => {
                if let Some(round) = rounds.get_mut(&(*user, address)) {
                    round.refused.insert(*by, seen);
                }
            }
            Event::Recovered {
                by,
                address,
                answers,
                key,
            } => {
                let Some(mut round) = rounds.remove(&(user(by), address)) else {
                    continue;
                };
                // Before there is a profile no key is recorded to compare with, and no wallet is bound to it.
                if let Some(recorded) = recorded_key(chronicle, user(by), seen) {
                    let who = &chronicle.history.cast.party(*by).name;
                    let came: Vec<(bool, usize)> = answers
                        .iter()
                        .filter_map(|node| round.released.get(node).copied())
                        .collect();
                    let right = came.iter().filter(|(right, _)| *right).count();
                    let wrong = came.len() - right;
                    let requirement = if wrong == 0 { "MPC-01" } else { "MPC-02" };
                    let is_own = key.is_some() && key.as_ref() == Some(recorded);
                    let kept = match right >= threshold {
                        true => is_own,
                        false => key.is_none(),
                    };
                    // Where nothing came, getting nothing shows nothing.
                    if !came.is_empty() || key.is_some() {
                        tally.test(requirement, kept, || {
                            let got = match key {
                                _ if is_own => "the key",
                                Some(_) => "another key than the recorded one",
                                None => "nothing",
                            };
                            let sentence = format!(
                                "{who} got {got} from {right} right and {wrong} wrong shares"
                            );
                            let shares = came.iter().map(|(_, seen)| *seen);
                            (sentence, shares.chain([round.asked, seen]).collect())
                        });
                    }
                    rights(
                        (chronicle, &mut tally),
                        (user(by), address),
                        &round,
                        (key.is_some(), seen),
                        share_nodes.saturating_sub(threshold),
                    );
                }
                round.open -= 1;
                if round.open > 0 {
                    rounds.insert((user(by), address), round);
                }
            }
            _ => {}
        }
    }
    tally.verdict("nobody asked share nodes for a password")
}

/// Whoever controls the profile can recover its key, and nobody else: at the beginning or at the end, as a block
/// may come in between.
fn rights(
    (chronicle, tally): (&Chronicle<'_>, &mut Tally),
    (user, address): (UserId, &Text),
    round: &Round,
    (recovered, seen): (bool, usize),
    spare: usize,
) {
    let bound = |seen: usize| {
        let height = height_before(chronicle, seen);
        let mut wallets = chronicle.wallets.values().flatten();
        wallets.any(|wallet| {
            wallet.owner == user && wallet.span.lives_at(height) && is_named(wallet, address)
        })
    };
    let (before, after) = (bound(round.asked), bound(seen));
    let name = chronicle.name_of_user(user);
    if recovered {
        tally.test("MPC-03", before || after, || {
            let sentence =
                format!("the key of {name} was recovered with {address}, which is not bound");
            (sentence, vec![round.asked, seen])
        });
    } else if round.refused.len() > spare {
        tally.test("MPC-03", !(before && after), || {
            let sentence = format!("share nodes refused {address} of {name}, though it is bound");
            let refused = round.refused.values().copied();
            (sentence, refused.chain([round.asked, seen]).collect())
        });
    }
}

/// Whether share nodes call this wallet so.
fn is_named(wallet: &WalletFact, address: &str) -> bool {
    match (wallet.kind, address.split_once(':')) {
        (WalletType::EVM, Some(("eip712", address))) => wallet.answers_to(address),
        (WalletType::NEAR, Some(("NEAR", key))) => wallet.answers_to(&format!("ed25519:{key}")),
        (WalletType::XRPL, Some(("XRPL", key))) => {
            XrplKey::parse(key).is_some_and(|key| wallet.answers_to(&key.address()))
        }
        (WalletType::FaceSign, Some(("FACESIGN", key))) => wallet.answers_to(key),
        _ => false,
    }
}

/// Deeds that were accepted and seen before an observation, the last one first.
fn accepted_before<'c, 'a>(
    chronicle: &'c Chronicle<'a>,
    seen: usize,
) -> impl Iterator<Item = &'c Deed<'a>> {
    let before = chronicle.deeds.partition_point(|deed| deed.seen < seen);
    let deeds = chronicle.deeds[..before].iter().rev();
    deeds.filter(|deed| deed.outcome == Outcome::Accepted)
}

/// Height of the last block that changed anything and was seen before.
fn height_before(chronicle: &Chronicle<'_>, seen: usize) -> Height {
    let last = accepted_before(chronicle, seen).next();
    last.map_or(Height::default(), |deed| deed.height)
}

/// The encryption key in a user's row before an observation.
fn recorded_key<'a>(chronicle: &Chronicle<'a>, user: UserId, seen: usize) -> Option<&'a Text> {
    accepted_before(chronicle, seen).find_map(|deed| match deed.action {
        Action::AddUserAsInserter {
            id,
            recipient_encryption_public_key: key,
            ..
        }
        | Action::UpdateUserPubKeyAsInserter {
            id,
            recipient_encryption_public_key: key,
            ..
        } if *id == user => Some(key),
        _ => None,
    })
}

pub(super) const KEYS_FOLLOW_PASSWORDS: Invariant = Invariant {
    name: "keys-follow-passwords",
    claim: "a key is derived with a version 4 UUID only, and is taken for the user's if it is the recorded one",
    source: "sdk:utils; idos-facts 4.9",
    requirements: &["KEY-01"],
    check: keys_follow_passwords,
};

fn keys_follow_passwords(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for (seen, observation) in chronicle.observations() {
        let Event::KeyDerived {
            by,
            salt,
            key,
            taken,
        } = &observation.event
        else {
            continue;
        };
        let member = chronicle.history.cast.party(*by);
        let version_4 = Uuid::parse_str(salt).is_ok_and(|salt| salt.get_version_num() == 4);
        tally.test("KEY-01", key.is_some() == version_4, || {
            let sentence = match version_4 {
                true => format!("{} got no key with salt {salt}", member.name),
                false => format!("{} got a key with salt {salt}", member.name),
            };
            (sentence, vec![seen])
        });
        let recorded = recorded_key(chronicle, member.user, seen);
        let own = key.is_some() && key.as_ref() == recorded;
        tally.test("KEY-01", own == *taken, || {
            let sentence = match taken {
                true => format!("{} took another key than the recorded one", member.name),
                false => format!("{} did not take the recorded key", member.name),
            };
            (sentence, vec![seen])
        });
    }
    tally.verdict("nobody typed a password")
}

pub(super) const PASSWORDS_ARE_NOT_GUESSED: Invariant = Invariant {
    name: "passwords-are-not-guessed",
    claim: "what operators hold does not lead to a password in fewer than 2^40 derivations",
    source: "S4, doc:security",
    requirements: &["KEY-02"],
    check: passwords_are_not_guessed,
};

fn passwords_are_not_guessed(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for (seen, observation) in chronicle.observations() {
        if let Event::Guessed {
            by,
            of,
            tries,
            found,
        } = &observation.event
        {
            tally.test("KEY-02", !found || *tries >= BOUND, || {
                let who = &chronicle.history.cast.party(*by).name;
                let whose = chronicle.name_of_user(*of);
                let sentence = format!("{who} found the password of {whose} at try {tries}");
                (sentence, vec![seen])
            });
        }
    }
    tally.verdict("nobody guessed a password")
}

pub(super) const ROTATION_KEEPS_CREDENTIALS: Invariant = Invariant {
    name: "rotation-keeps-credentials",
    claim: "when a user has changed keys, every original is sealed to the new key and still its issuer's",
    source: "idos-facts 5.10",
    requirements: &["KEY-03"],
    check: rotation_keeps_credentials,
};

fn rotation_keeps_credentials(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut sealed: BTreeMap<(CredentialId, &Text), &Text> = BTreeMap::new();
    let mut rotated: BTreeMap<UserId, usize> = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Sealed {
                credential,
                encryptor,
                to,
                ..
            } => {
                sealed.insert((*credential, encryptor), to);
            }
            Event::Rotated { by, key } => {
                let user = chronicle.history.cast.party(*by).user;
                rotated.insert(user, seen);
                let height = height_before(chronicle, seen);
                for (id, fact) in chronicle.all_credentials() {
                    if fact.owner != user || fact.original.is_some() || !fact.lives_at(height) {
                        continue;
                    }
                    let writing = fact.written_at(height);
                    // What was sealed where nobody saw it says nothing of the key it is sealed to.
                    let Some(to) = sealed.get(&(id, &writing.encryptor)) else {
                        continue;
                    };
                    tally.test("KEY-03", *to == key, || {
                        let whose = chronicle.name_of_user(user);
                        let sentence =
                            format!("credential {id} of {whose} is still sealed to an old key");
                        (sentence, vec![writing.seen, seen])
                    });
                }
            }
            _ => {}
        }
    }
    for view in &chronicle.views {
        let (Query::GetCredentials {}, Ok(Answer::Credentials(rows))) = (view.query, view.result)
        else {
            continue;
        };
        for row in rows {
            let since = rotated
                .get(&row.user_id)
                .filter(|since| **since < view.seen);
            let (Some(since), Some(fact)) = (since, chronicle.credential_at(row.id, view.height))
            else {
                continue;
            };
            if fact.original.is_some() {
                continue;
            }
            let own = fact
                .writings
                .first()
                .is_some_and(|first| first.issuer == row.issuer_auth_public_key);
            tally.test("KEY-03", own, || {
                let whose = chronicle.name_of_user(row.user_id);
                let sentence =
                    format!("credential {} of {whose} has lost its issuer's key", row.id);
                (sentence, vec![*since, view.seen])
            });
        }
    }
    tally.verdict("nobody changed keys")
}

pub(super) const ENCLAVES_ASK_THEIR_USERS: Invariant = Invariant {
    name: "enclaves-ask-their-users",
    claim: "plaintext leaves an enclave for origins its user has authorised, and after the user's word where each \
            request waits for it",
    source: "doc:enclave, S4",
    requirements: &["KEY-04"],
    check: enclaves_ask_their_users,
};

fn enclaves_ask_their_users(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut origins: BTreeMap<(PartyId, PartyId), (bool, usize)> = BTreeMap::new();
    let mut allowed: BTreeSet<(PartyId, u32)> = BTreeSet::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::OriginAuthorised { by, origin, each } => {
                origins.insert((*by, *origin), (*each, seen));
            }
            Event::Allowed { by, request } => {
                allowed.insert((*by, *request));
            }
            Event::Disclosed {
                by,
                to,
                request,
                credential,
                ..
            } => {
                let origin = origins.get(&(*by, *to)).copied();
                let kept = match origin {
                    None => false,
                    Some((each, _)) => !each || allowed.contains(&(*by, *request)),
                };
                tally.test("KEY-04", kept, || {
                    let (who, to) = (
                        &chronicle.history.cast.party(*by).name,
                        &chronicle.history.cast.party(*to).name,
                    );
                    let why = match origin {
                        None => "which was not authorised",
                        Some(_) => "though the request was not approved",
                    };
                    let sentence = format!(
                        "the enclave of {who} showed credential {credential} to {to}, {why}"
                    );
                    let origin = origin.map(|(_, seen)| seen);
                    (sentence, origin.into_iter().chain([seen]).collect())
                });
            }
            _ => {}
        }
    }
    tally.verdict("no enclave showed anything")
}
