//! Histories by chance: however odd, no invariant panics on them or speaks in riddles.

use assay_laws::laws;
use proptest::prelude::*;

use super::story::*;
use super::{is_well_told, staking};
use crate::bridge::{Amount, Token};
use crate::history::{Asked, Contradiction, Doubt, Event, Level, Place};
use crate::id::{CredentialId, Height, NodeId, PartyId};
use crate::invariant::{Chronicle, all};
use crate::ledger::{Action, Answer, Outcome, Query, Refusal};
use crate::node::{ClaimProblem, Halt, Rejected, Reply, TxStatus};
use crate::rules::Switch;
use crate::time::WallMillis;

/// What to do, and four choices about it.
type Step = [u8; 5];

const CREDENTIALS: [CredentialId; 4] = [PASSPORT, LICENCE, FOR_BANK, FOR_SHOP];
const LOCKS: [i64; 5] = [0, 20, LOCK, i64::MAX, -1];
const AMOUNTS: [Amount; 5] = [
    Amount(0),
    Amount(7),
    Amount(-1),
    Amount(i128::MAX),
    Amount(i128::MIN),
];
const LEVELS: [Level; 4] = [Level::Readable, Level::Tables, Level::History, Level::Gone];
const CONTRADICTIONS: [Contradiction; 4] = [
    Contradiction::View,
    Contradiction::Result,
    Contradiction::Reply,
    Contradiction::Height,
];
const NAMES: [&str; 4] = ["passport", "licence", "", "\u{1f4d6}"];
const REFUSALS: [Refusal; 6] = [
    Refusal::NothingMatched,
    Refusal::GrantLocked { until: LOCK },
    Refusal::GrantNotFound,
    Refusal::LockedGrants,
    Refusal::NothingToRescind,
    Refusal::DagUsed,
];

fn pick<T: Copy>(from: &[T], choice: u8) -> T {
    from[usize::from(choice) % from.len()]
}

fn party(choice: u8) -> PartyId {
    pick(&[ALICE, MALLORY, BANK, SHOP, KYC, DB_OWNER], choice)
}

fn user(choice: u8) -> PartyId {
    pick(&[ALICE, MALLORY], choice)
}

fn consumer(choice: u8) -> PartyId {
    pick(&[BANK, SHOP], choice)
}

fn status(id: CredentialId, choice: u8) -> crate::id::Text {
    match choice % 4 {
        0 => approved(id),
        1 => revoked(id),
        2 => approved(PASSPORT),
        _ => "not even json".into(),
    }
}

fn action(kind: u8, a: u8, b: u8) -> Action {
    let id = pick(&CREDENTIALS, a);
    let lock = pick(&LOCKS, b);
    let amount = pick(&AMOUNTS, b);
    let token = pick(&Token::ALL, a);
    match kind % 33 {
        0 => hire(),
        1 => dismiss(&caller(party(a))),
        2 => close_inserter(),
        3 => create(user(a)),
        4 => change_key(user(a), b.is_multiple_of(2)),
        5 => bind(user(a)),
        6 => bind_as(wallet(user(a)), user(b), key(user(a))),
        7 => add_other_wallet(user(a)),
        8 => add_wallet(other_wallet(user(a)), key(user(b)), "proof".into()),
        9 => remove_wallet(pick(&[wallet(ALICE), other_wallet(ALICE)], a)),
        10 => insert(id, user(b), b.is_multiple_of(3)),
        11 => insert_as(id, user(b), pick(&NAMES, b), status(id, b), true),
        12 | 13 => store_as(id, pick(&NAMES, b), status(id, b)),
        14 => edit_as(id, status(id, b), party(b)),
        15 => state(id, status(id, b)),
        16 | 17 => share(consumer(a), lock),
        18 => share_as(id, pick(&CREDENTIALS, b), "nobody".into(), lock, "notes"),
        19 => dag_as(
            user(a),
            consumer(b),
            id,
            lock,
            (b.is_multiple_of(2)).then(|| document("passport")),
        ),
        20 => revoke(grant(consumer(b), id, lock)),
        21 => remove(id),
        22 => rescind(id),
        23 => Action::ActionCostingGas {},
        24 => Action::ActionCostingIdosToken { amount },
        25 => Action::ActionCostingFee { credential_id: id },
        26 => Action::RequestWithdrawal {
            token: pick(&["IDOS", "USDC", ""], b).into(),
        },
        27 => Action::RequestBalanceWithdrawal {
            token: "USDC".into(),
            evm_address_to: caller(party(b)),
        },
        28 => Action::SetIssuerFee {
            credential_id: id,
            issuer_fee: amount,
            issuer_wallet: caller(party(b)),
        },
        29 => Action::Transfer {
            token,
            to: caller(party(b)),
            amount,
        },
        30 => Action::Lock { token, amount },
        31 => Action::Bridge { token, amount },
        _ => erase(),
    }
}

fn told([kind, a, b, c, d]: Step) -> Told {
    let outcome = match d % 8 {
        0 => Outcome::Refused(pick(&REFUSALS, c)),
        1 => Outcome::Invalid,
        _ => Outcome::Accepted,
    };
    let calls = usize::from(d / 8 % 3) + 1;
    let told = batch(party(c), vec![action(kind, a, b); calls], outcome);
    match d / 32 {
        0 => told.leaking(),
        1 => told.nonce(u64::from(a % 3)),
        2 => told.with_key(other_key(party(c))),
        _ => told,
    }
}

fn query(kind: u8, id: CredentialId) -> Query {
    match kind % 8 {
        0 => read_copy(id),
        5 => Query::GetAllowance {},
        6 => Query::Info { token: Token::Usdc },
        7 => Query::Balance {
            token: Token::Idos,
            user: caller(ALICE),
        },
        1 => read_own(id),
        2 => Query::GetCredentials {},
        3 => Query::GetAccessGrantsOwned {},
        _ => Query::GetWallets {},
    }
}

fn answer(kind: u8, id: CredentialId, lock: i64) -> Result<Answer, Refusal> {
    match kind % 7 {
        0 => shared(id, Some(status(id, kind))),
        1 => owned(id, status(id, kind)),
        2 => listing(&[id, PASSPORT]),
        3 => grants(vec![grant_row(consumer(kind), id, lock)]),
        4 => Err(pick(&REFUSALS, kind)),
        5 => Ok(Answer::Owned(None)),
        _ => shared(id, None),
    }
}

fn reply(kind: u8, height: u64, result: Result<Answer, Refusal>) -> Reply {
    let height = Height(height);
    let outcome = Outcome::Accepted;
    match kind % 8 {
        0 => Reply::Halted,
        1 => Reply::TimedOut,
        2 => Reply::ClaimRefused(ClaimProblem::WrongSignature),
        3 => Reply::Rejected(Rejected::CatchingUp),
        4 => Reply::Included { height, outcome },
        5 => Reply::TxStatus(TxStatus::Included { height, outcome }),
        _ => Reply::View { height, result },
    }
}

/// Carries a step out; transactions wait for a block to take them.
fn step(story: Story, waiting: &mut Vec<Told>, choices: Step) -> Story {
    let [kind, a, b, c, d] = choices;
    let id = pick(&CREDENTIALS, a);
    let lock = pick(&LOCKS, b);
    // There are four nodes; the fifth is of another network.
    let node = NodeId(u16::from(c % 5));
    let height = story.tip().saturating_sub(2) + u64::from(d % 4);
    match kind % 35 {
        0..=7 => {
            waiting.push(told([a, b, c, d, kind / 35 * 32 + d % 32]));
            story
        }
        8..=10 => {
            let draft = block(std::mem::take(waiting));
            story.commit(match d % 8 {
                0 => draft.on(&[node]),
                1 => draft.votes(&[node, node]).stray_votes(&NODES),
                2 => draft.at_height(height),
                3 => draft.with_time(u64::from(b)),
                4 => draft.leaving_another_state(),
                _ => draft,
            })
        }
        11 => story.replay(node, height),
        12..=14 => story.saw_at(height, party(b), node, query(c, id), answer(d, id, lock)),
        15 => story.saw_as(party(a), party(b), node, query(c, id), answer(d, id, lock)),
        16 => {
            let what = match a % 3 {
                0 => Asked::Housekeeping("health"),
                _ => view(Some(key(party(b))), query(c, id)),
            };
            let result = answer(d, id, lock);
            story.exchange(party(b), node, what, reply(d, height, result))
        }
        17 => {
            let result = answer(d, id, lock);
            story.sent(party(b), node, &told(choices), reply(d, height, result))
        }
        18 | 19 => {
            let rows = &CREDENTIALS[..usize::from(a % 5)];
            let ids = [grant(BANK, id, lock), grant(SHOP, id, lock)];
            story.look_at(height, node, rows, &ids[..usize::from(b % 3)], &[user(d)])
        }
        20 => {
            let place = pick(
                &[Place::Disk, Place::Message, Place::Request, Place::Log],
                a,
            );
            let found = if b.is_multiple_of(2) {
                &["secret"][..]
            } else {
                &[]
            };
            story.scan(node, place, u64::from(c), found)
        }
        21 => story.seal(party(b), id, pick(&NAMES, c)),
        22 => story.issue(party(b), id, pick(&NAMES, c)),
        23 => story.open(party(b), id),
        24 => match c % 3 {
            0 => story.doubt(
                consumer(b),
                pick(
                    &[
                        Doubt::NotApproved,
                        Doubt::HashMismatch,
                        Doubt::StatementUnsigned,
                        Doubt::KeyInvalid,
                    ],
                    d,
                ),
            ),
            1 => story.accept(consumer(b), None),
            _ => story.accept(consumer(b), Some(pick(&NAMES, d))),
        },
        25 => match c % 3 {
            0 => story.request(u32::from(d % 4), party(b), lock),
            1 => story.approve(u32::from(d % 4), lock),
            _ => story.deny(u32::from(d % 4)),
        },
        26 => story.crash(node),
        27 => story.start_again(node),
        28 => match a % 2 {
            0 => story.lead(node, u32::from(b)),
            _ => story.appoint(node, u32::from(b)),
        },
        29 => story.event(Event::Halted {
            node,
            why: Halt::Diverged {
                height: Height(height),
            },
        }),
        30 => story.event(match a % 4 {
            0 => Event::Healed,
            1 => Event::Settled,
            2 => Event::Unsettled {
                owed: vec!["n1 is down".to_owned()],
            },
            _ => Event::Exhausted,
        }),
        31 => match a % 3 {
            0 => story.remain(node, id, pick(&LEVELS, c)),
            1 => story.contradict(node, pick(&CONTRADICTIONS, c)),
            _ => story.compare(node, u64::from(b), u64::from(c)),
        },
        32 => staking::by_chance(story, choices),
        33 => story.event(Event::ChainReorganised {
            last: u64::from(a % 8),
            lost: b.is_multiple_of(2),
        }),
        _ => story.at(i64::from(a)).event(Event::Proposed {
            node,
            height: Height(height),
            time: WallMillis(u64::from(b) * 1000),
            clock: WallMillis(u64::from(c) * 1000),
        }),
    }
}

/// A blank history, one with a shared passport, or one on nodes that keep grantees as written.
fn beginning(choice: u8) -> Story {
    match choice % 4 {
        0 => Story::new(),
        1 => Story::without(Switch::CanonicalGrantee).shared(LOCK),
        2 => Story::new().shared(0),
        _ => Story::new().shared(LOCK),
    }
}

laws! {
    512;

    fn no_history_is_too_odd(
        first in any::<u8>(),
        steps in proptest::collection::vec(any::<Step>(), 0..80),
    ) {
        let mut waiting = Vec::new();
        let mut story = beginning(first);
        for choices in steps {
            story = step(story, &mut waiting, choices);
        }
        let chronicle = Chronicle::read(story.history());
        for invariant in all() {
            is_well_told(invariant, story.history(), &(invariant.check)(&chronicle));
        }
    }
}
