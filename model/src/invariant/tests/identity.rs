use super::story::*;
use super::{Case, broken, case, held};
use crate::crypto::{Identity, stellar_address};
use crate::id::{Height, PartyId};
use crate::invariant::identity::*;
use crate::ledger::{Answer, Query, UserRow};
use crate::node::Reply;

pub(super) fn cases() -> Vec<Case> {
    [unique(), owners(), whole(), exact()]
        .into_iter()
        .flatten()
        .collect()
}

fn unique() -> Vec<Case> {
    let by = &WALLETS_ARE_UNIQUE_AND_BOUND;
    let registered = || Story::new().registered();
    let bound = |proof| {
        let action = add_wallet(other_wallet(ALICE), other_key(ALICE), proof);
        registered().block([did(ALICE, action)])
    };
    vec![
        case(
            "one key belongs to two wallets",
            registered().block([did(
                MALLORY,
                add_wallet(
                    other_wallet(MALLORY),
                    key(ALICE),
                    proof(MALLORY, key(ALICE), 1_000),
                ),
            )]),
            by,
            broken(&["WAL-03"]),
        ),
        case(
            "a proof names another profile",
            bound(proof(MALLORY, other_key(ALICE), 1_000)),
            by,
            broken(&["WAL-04"]),
        ),
        case(
            "a proof is used in the second after its last",
            bound(proof(ALICE, other_key(ALICE), 2)),
            by,
            broken(&["WAL-04"]),
        ),
        case(
            "a proof is just any text",
            bound("hello".into()),
            by,
            broken(&["WAL-04"]),
        ),
        case(
            "a proof is used again for a wallet that was removed",
            registered()
                .block([did(ALICE, add_other_wallet(ALICE))])
                .block([did(ALICE, remove_wallet(other_wallet(ALICE)))])
                .block([did(ALICE, add_other_wallet(ALICE))]),
            by,
            broken(&["WAL-05"]),
        ),
        case(
            "every wallet has its own key and its own proof, used in its last second",
            bound(proof(ALICE, other_key(ALICE), 3)),
            by,
            held(&["WAL-03", "WAL-04", "WAL-05"]),
        ),
        case(
            "a key moves to another profile in the block in which it is removed",
            registered()
                .block([did(ALICE, add_other_wallet(ALICE))])
                .block([
                    did(ALICE, remove_wallet(other_wallet(ALICE))),
                    did(
                        MALLORY,
                        add_wallet(
                            other_wallet(MALLORY),
                            other_key(ALICE),
                            proof(MALLORY, other_key(ALICE), 1_000),
                        ),
                    ),
                ]),
            by,
            held(&["WAL-03", "WAL-04", "WAL-05"]),
        ),
        case(
            "a wallet is added and the profile erased in one block",
            registered().block([did(ALICE, add_other_wallet(ALICE)), did(ALICE, erase())]),
            by,
            held(&["WAL-03", "WAL-04", "WAL-05"]),
        ),
    ]
}

fn owners() -> Vec<Case> {
    let by = &OWNERS_ALONE_CHANGE_WALLETS;
    let registered = || Story::new().registered();
    vec![
        case(
            "a user removes the wallet they speak with",
            registered().block([did(ALICE, remove_wallet(wallet(ALICE)))]),
            by,
            broken(&["WAL-06"]),
        ),
        case(
            "an inserter adds a wallet to a complete profile",
            registered().block([did(
                KYC,
                bind_as(other_wallet(ALICE), ALICE, other_key(ALICE)),
            )]),
            by,
            broken(&["WAL-07"]),
        ),
        case(
            "an inserter adds a second wallet in the block of the first",
            Story::new().block([
                did(KYC, bind(ALICE)),
                did(KYC, bind_as(other_wallet(ALICE), ALICE, other_key(ALICE))),
            ]),
            by,
            broken(&["WAL-07"]),
        ),
        case(
            "an inserter moves a wallet to another profile",
            registered().block([did(KYC, bind_as(wallet(ALICE), SHOP, key(ALICE)))]),
            by,
            broken(&["WAL-07"]),
        ),
        case(
            "an inserter puts another key into a wallet",
            registered().block([did(KYC, bind_as(wallet(ALICE), ALICE, other_key(ALICE)))]),
            by,
            broken(&["WAL-07"]),
        ),
        case(
            "an inserter changes an encryption key without its owner",
            registered().block([did(KYC, change_key(ALICE, false))]),
            by,
            broken(&["USR-03"]),
        ),
        case(
            "an inserter brings the first wallet, and everything else is the owner's word",
            registered()
                .block([did(ALICE, add_other_wallet(ALICE))])
                .block([
                    did(ALICE, remove_wallet(wallet(ALICE))).with_key(other_key(ALICE)),
                    did(KYC, change_key(ALICE, true)),
                ]),
            by,
            held(&["USR-03", "WAL-06", "WAL-07"]),
        ),
        case(
            "a profile is erased and registered anew in one block",
            registered().block([
                did(ALICE, erase()),
                did(KYC, create(ALICE)),
                did(KYC, bind(ALICE)),
            ]),
            by,
            held(&["WAL-07"]),
        ),
    ]
}

fn whole() -> Vec<Case> {
    let by = &PROFILES_ARE_WHOLE;
    vec![
        case(
            "a user is created twice",
            Story::new().registered().block([did(KYC, create(ALICE))]),
            by,
            broken(&["USR-01"]),
        ),
        case(
            "a node holds a profile without a wallet",
            Story::new()
                .block([did(DB_OWNER, hire())])
                .block([did(KYC, create(ALICE))])
                .look(N1, &[], &[], &[ALICE]),
            by,
            broken(&["USR-02"]),
        ),
        case(
            "a user appears with its first wallet",
            Story::new()
                .registered()
                .look_at(1, N1, &[], &[], &[])
                .look(N1, &[], &[], &[ALICE, MALLORY]),
            by,
            held(&["USR-01", "USR-02"]),
        ),
    ]
}

fn exact() -> Vec<Case> {
    let by = &CALLERS_ARE_EXACT;
    let registered = || Story::new().registered();
    let probe = |address: &str, found| {
        let address = address.into();
        let query = Query::HasProfile { address };
        registered().saw(BANK, N1, query, Ok(Answer::Truth(found)))
    };
    let whose = |story: Story, caller, owner: Option<PartyId>| {
        let row = owner.map(|owner| UserRow {
            id: profile(owner),
            recipient_encryption_public_key: "key".into(),
            encryption_password_store: "user".into(),
            inserter: None,
        });
        let reply = Reply::View {
            height: Height(story.tip()),
            result: Ok(Answer::User(row)),
        };
        story.exchange(ALICE, N1, view(Some(caller), Query::GetUser {}), reply)
    };
    let star = [0x5a; 32];
    let starry = || registered().block([did(ALICE, add_stellar_wallet(ALICE, star))]);
    let capitals = caller(ALICE).to_uppercase().replacen('X', "x", 1);
    let address = stellar_address(&star);
    vec![
        case(
            "a transaction is run for another than its sender",
            registered().block([did(ALICE, store(PASSPORT)).sent_by(key(MALLORY))]),
            by,
            broken(&["WAL-01"]),
        ),
        case(
            "a key signs under one scheme and acts under another",
            starry().block([did(ALICE, store(PASSPORT))
                .with_key(Identity::Ed25519(star))
                .sent_by(Identity::Near(star))]),
            by,
            broken(&["WAL-01"]),
        ),
        case(
            "a key without a profile stores a credential",
            registered().block([did(SHOP, store(PASSPORT))]),
            by,
            broken(&["WAL-01"]),
        ),
        case(
            "a NEAR key acts for the plain key with the same bytes",
            starry().block([did(ALICE, store(PASSPORT)).with_key(Identity::Near(star))]),
            by,
            broken(&["WAL-01"]),
        ),
        case(
            "an address in capitals is not found",
            probe(&capitals, false),
            by,
            broken(&["WAL-02"]),
        ),
        case(
            "a profile is found that is not there",
            probe(&caller(SHOP), true),
            by,
            broken(&["WAL-02"]),
        ),
        case(
            "a Stellar address in small letters is found",
            starry().saw(
                BANK,
                N1,
                Query::HasProfile {
                    address: address.to_lowercase().into(),
                },
                Ok(Answer::Truth(true)),
            ),
            by,
            broken(&["WAL-02"]),
        ),
        case(
            "a key is answered for another's profile",
            whose(registered(), key(ALICE), Some(MALLORY)),
            by,
            broken(&["WAL-02"]),
        ),
        case(
            "a Stellar key does not find its profile",
            whose(starry(), Identity::Ed25519(star), None),
            by,
            broken(&["WAL-02"]),
        ),
        case(
            "every wallet is found by its own column, and acts for its profile",
            whose(
                whose(
                    starry().block([
                        did(ALICE, store(PASSPORT)).with_key(Identity::Ed25519(star)),
                        did(ALICE, store(LICENCE)),
                    ]),
                    Identity::Ed25519(star),
                    Some(ALICE),
                ),
                Identity::Near(star),
                None,
            )
            .saw(
                BANK,
                N1,
                Query::HasProfile {
                    address: address.as_str().into(),
                },
                Ok(Answer::Truth(true)),
            )
            .saw(
                BANK,
                N1,
                Query::HasProfile {
                    address: capitals.as_str().into(),
                },
                Ok(Answer::Truth(true)),
            ),
            by,
            held(&["WAL-01", "WAL-02"]),
        ),
        case(
            "a wallet that was removed is not found",
            starry()
                .block([did(ALICE, remove_wallet(other_wallet(ALICE)))])
                .saw(
                    BANK,
                    N1,
                    Query::HasProfile {
                        address: address.into(),
                    },
                    Ok(Answer::Truth(false)),
                ),
            by,
            held(&["WAL-01", "WAL-02"]),
        ),
    ]
}
