use super::story::*;
use super::{Case, Expected, broken, case, held};
use crate::history::Event;
use crate::id::{PartyId, Text};
use crate::invariant::keys::*;
use crate::ledger::{Answer, CredentialSummary, Query};

/// Of three share nodes two are needed.
const SHARES: [PartyId; 3] = [S1, S2, S3];

fn address(of: &str) -> Text {
    format!("eip712:{of}").into()
}

/// Alice's first wallet asks; each node gives a right share, a wrong one, or none.
fn asked(story: Story, who: &str, given: [Option<bool>; 3]) -> Story {
    let address = address(who);
    let story = story.event(Event::SharesAsked { by: ALICE, address });
    let answers = SHARES.into_iter().zip(given);
    answers.fold(story, |story, (by, right)| answered(story, who, by, right))
}

/// Somebody gives a right share of Alice's password, a wrong one, or none.
fn answered(story: Story, who: &str, by: PartyId, right: Option<bool>) -> Story {
    let (user, address) = (profile(ALICE), address(who));
    match right {
        Some(right) => story.event(Event::ShareReleased {
            by,
            user,
            address,
            right,
        }),
        None => story.event(Event::ShareRefused { by, user, address }),
    }
}

fn got(story: Story, who: &str, answers: &[PartyId], key: Option<&str>) -> Story {
    story.event(Event::Recovered {
        by: ALICE,
        address: address(who),
        answers: answers.to_vec(),
        key: key.map(Into::into),
    })
}

/// A recovery with the first wallet from all that gave something.
fn recovery(given: [Option<bool>; 3], key: Option<&str>) -> Story {
    recovery_in(Story::new().registered(), given, key)
}

fn recovery_in(story: Story, given: [Option<bool>; 3], key: Option<&str>) -> Story {
    let answers: Vec<PartyId> = SHARES
        .into_iter()
        .zip(given)
        .filter_map(|(node, right)| right.map(|_| node))
        .collect();
    let story = asked(story, &caller(ALICE), given);
    got(story, &caller(ALICE), &answers, key)
}

fn derived(salt: &str, key: Option<&str>, taken: bool) -> Story {
    Story::new().registered().event(Event::KeyDerived {
        by: ALICE,
        salt: salt.into(),
        key: key.map(Into::into),
        taken,
    })
}

fn guessed(tries: u64, found: bool) -> Story {
    Story::new().registered().event(Event::Guessed {
        by: MALLORY,
        of: profile(ALICE),
        tries,
        found,
    })
}

fn authorised(each: bool) -> Story {
    Story::new().stored().event(Event::OriginAuthorised {
        by: ALICE,
        origin: SHOP,
        each,
    })
}

fn shown(story: Story, to: PartyId) -> Story {
    story.event(Event::Disclosed {
        by: ALICE,
        to,
        request: 1,
        credential: PASSPORT,
        document: document("passport"),
    })
}

fn rotated(story: Story, key: &str) -> Story {
    story.event(Event::Rotated {
        by: ALICE,
        key: key.into(),
    })
}

/// Alice's listing shows her passport under this issuer's key.
fn listed(story: Story, issuer: PartyId) -> Story {
    let row = CredentialSummary {
        id: PASSPORT,
        user_id: profile(ALICE),
        public_notes: approved(PASSPORT),
        issuer_auth_public_key: caller(issuer),
        inserter: None,
        original_id: None,
    };
    let rows = Ok(Answer::Credentials(vec![row]));
    story.saw(ALICE, N1, Query::GetCredentials {}, rows)
}

const V4: &str = "9f51b3b2-4cbe-4c2b-8ea3-0b0c1b2f1a11";
const V1: &str = "9f51b3b2-4cbe-1c2b-8ea3-0b0c1b2f1a11";

pub(super) fn cases() -> Vec<Case> {
    let shares = &SHARES_GIVE_PASSWORDS_BACK;
    let derive = &KEYS_FOLLOW_PASSWORDS;
    let guess = &PASSWORDS_ARE_NOT_GUESSED;
    let enclave = &ENCLAVES_ASK_THEIR_USERS;
    let (right, wrong) = (Some(true), Some(false));
    let other = other_key(ALICE).caller();
    let stranger = Story::new().registered();
    let all = [right, right, right];
    let added = || {
        let story = Story::new().registered();
        story.block([did(ALICE, add_other_wallet(ALICE))])
    };
    vec![
        case(
            "enough right shares give nothing",
            recovery(all, None),
            shares,
            broken(&["MPC-01"]),
        ),
        case(
            "a newcomer gets its password back before there is a profile",
            recovery_in(Story::new(), all, Some("key")),
            shares,
            Expected::Untested,
        ),
        case(
            "one share gives a key",
            got(
                asked(Story::new().registered(), &caller(ALICE), all),
                &caller(ALICE),
                &[S1],
                Some("key"),
            ),
            shares,
            broken(&["MPC-01"]),
        ),
        case(
            "a recovery begins while another is under way",
            {
                let story = asked(Story::new().registered(), &caller(ALICE), all);
                let again = Event::SharesAsked {
                    by: ALICE,
                    address: address(&caller(ALICE)),
                };
                let story = got(story.event(again), &caller(ALICE), &SHARES, Some("key"));
                got(story, &caller(ALICE), &SHARES, Some("key"))
            },
            shares,
            held(&["MPC-01", "MPC-03"]),
        ),
        case(
            "a recovery that begins while another is under way gives nothing",
            {
                let story = asked(Story::new().registered(), &caller(ALICE), all);
                let story = asked(story, &caller(ALICE), all);
                let story = got(story, &caller(ALICE), &SHARES, Some("key"));
                got(story, &caller(ALICE), &SHARES, None)
            },
            shares,
            broken(&["MPC-01"]),
        ),
        case(
            "a wrong share makes another key",
            recovery([right, wrong, right], Some("another")),
            shares,
            broken(&["MPC-02"]),
        ),
        case(
            "a wrong share keeps enough right ones from giving the key",
            recovery([wrong, right, right], None),
            shares,
            broken(&["MPC-02"]),
        ),
        case(
            "a wallet that was never bound gets the key",
            got(asked(stranger, &other, all), &other, &SHARES, Some("key")),
            shares,
            broken(&["MPC-03"]),
        ),
        case(
            "a wallet that is bound is refused",
            got(asked(added(), &other, [None; 3]), &other, &[], None),
            shares,
            broken(&["MPC-03"]),
        ),
        case(
            "a key comes of one share and what a gateway gave",
            got(
                answered(
                    asked(
                        Story::new().registered(),
                        &caller(ALICE),
                        [right, None, None],
                    ),
                    &caller(ALICE),
                    DOOR,
                    right,
                ),
                &caller(ALICE),
                &[S1, DOOR],
                Some("key"),
            ),
            shares,
            broken(&["MPC-01"]),
        ),
        case(
            "refusals that are no share node's refuse nobody",
            {
                let story = asked(added(), &other, [right, wrong, None]);
                let story = answered(story, &other, DOOR, None);
                got(story, &other, &[S1, S2], None)
            },
            shares,
            held(&["MPC-02"]),
        ),
        case(
            "a wallet that is not bound is refused by all",
            {
                let nobody = other_key(MALLORY).caller();
                got(asked(added(), &nobody, [None; 3]), &nobody, &[], None)
            },
            shares,
            held(&["MPC-03"]),
        ),
        case(
            "a key comes of nothing",
            got(
                asked(added(), &other, [None, right, right]),
                &other,
                &[],
                Some("key"),
            ),
            shares,
            broken(&["MPC-01"]),
        ),
        case(
            "a wallet recovers in spite of a wrong share, with all shares, and one that is not bound is refused",
            {
                let story = asked(added(), &other, [right, wrong, right]);
                let story = got(story, &other, &SHARES, Some("key"));
                let story = asked(story, &caller(ALICE), all);
                let story = got(story, &caller(ALICE), &SHARES, Some("key"));
                let nobody = other_key(MALLORY).caller();
                got(asked(story, &nobody, [None; 3]), &nobody, &[], None)
            },
            shares,
            held(&["MPC-01", "MPC-02", "MPC-03"]),
        ),
        case(
            "a key comes from a salt of version 1",
            derived(V1, Some("key"), true),
            derive,
            broken(&["KEY-01"]),
        ),
        case(
            "another key is taken",
            derived(V4, Some("another"), true),
            derive,
            broken(&["KEY-01"]),
        ),
        case(
            "the right key is not taken",
            derived(V4, Some("key"), false),
            derive,
            broken(&["KEY-01"]),
        ),
        case(
            "the right key is taken",
            derived(V4, Some("key"), true),
            derive,
            held(&["KEY-01"]),
        ),
        case(
            "a password is found at the fourth try",
            guessed(4, true),
            guess,
            broken(&["KEY-02"]),
        ),
        case(
            "a password is not found",
            guessed(4, false),
            guess,
            held(&["KEY-02"]),
        ),
        case(
            "a credential stays sealed to an old key",
            rotated(
                Story::new()
                    .registered()
                    .seal(KYC, PASSPORT, "once")
                    .block([did(ALICE, store(PASSPORT))]),
                "another",
            ),
            &ROTATION_KEEPS_CREDENTIALS,
            broken(&["KEY-03"]),
        ),
        case(
            "a credential has another issuer after a change of keys",
            listed(rotated(Story::new().stored(), "key"), MALLORY),
            &ROTATION_KEEPS_CREDENTIALS,
            broken(&["KEY-03"]),
        ),
        case(
            "everything is sealed to the new key and the issuer's own",
            listed(
                rotated(
                    Story::new()
                        .registered()
                        .seal(KYC, PASSPORT, "once")
                        .block([did(ALICE, store(PASSPORT))]),
                    "key",
                ),
                KYC,
            ),
            &ROTATION_KEEPS_CREDENTIALS,
            held(&["KEY-03"]),
        ),
        case(
            "nobody saw to which key a credential was sealed",
            rotated(Story::new().stored(), "another"),
            &ROTATION_KEEPS_CREDENTIALS,
            Expected::Untested,
        ),
        case(
            "an enclave answers a page nobody knows",
            shown(authorised(false), BANK),
            enclave,
            broken(&["KEY-04"]),
        ),
        case(
            "an enclave answers before its user has said anything",
            shown(authorised(true), SHOP),
            enclave,
            broken(&["KEY-04"]),
        ),
        case(
            "an enclave answers whom it may",
            shown(
                shown(authorised(false), SHOP)
                    .event(Event::OriginAuthorised {
                        by: ALICE,
                        origin: BANK,
                        each: true,
                    })
                    .event(Event::Allowed {
                        by: ALICE,
                        request: 1,
                    }),
                BANK,
            ),
            enclave,
            held(&["KEY-04"]),
        ),
    ]
}
