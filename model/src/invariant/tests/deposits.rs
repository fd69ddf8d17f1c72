use super::staking::{Done, seal};
use super::story::*;
use super::{Case, broken, case, held};
use crate::bridge::{Amount, BridgeEvent, DepositEvent, Hash, Token};
use crate::chain::{Call, Log};
use crate::id::{NodeId, PartyId};
use crate::invariant::deposits::*;
use crate::ledger::{Answer, Outcome, Query};
use crate::wire::EnginePayload;

const TOKEN: Token = Token::Idos;
/// What Alice has from the beginning.
const BEFORE: i128 = 500;

fn deposit(amount: i128) -> Done {
    let (token, from, amount) = (TOKEN, address(ALICE), Amount(amount));
    let logs = vec![Log::Deposited {
        token,
        from,
        amount,
    }];
    (from, Call::Deposit { token, amount }, logs)
}

/// Alice's deposit of 40 is in the second block, and so many follow.
fn deposited(following: u64) -> Story {
    let story = seal(Story::governed().registered(), (1, 1), vec![], &[]);
    let story = seal(story, (2, 2), vec![deposit(40)], &[]);
    (3..3 + following).fold(story, |story, number| {
        seal(story, (number, number as i64), vec![], &[])
    })
}

fn event(id: u8, amount: i128) -> BridgeEvent {
    BridgeEvent::Deposit(DepositEvent {
        id: Hash([id; 32]),
        token: TOKEN,
        address: address(ALICE),
        amount: Amount(amount),
        block: 2,
    })
}

fn tells(by: NodeId, event: BridgeEvent) -> Told {
    let payload = EnginePayload::CreateResolution(event.votable());
    ran(node(by), payload, Outcome::Accepted)
}

fn agrees(by: NodeId, event: BridgeEvent) -> Told {
    let payload = EnginePayload::ApproveResolution(event.votable().id());
    ran(node(by), payload, Outcome::Accepted)
}

/// Two of the three voters tell of it.
fn told(story: Story, event: BridgeEvent) -> Story {
    let votes = [tells(N1, event), agrees(N2, event)];
    story.commit(block(votes).votes(&[N1, N2, N3]))
}

fn shows(story: Story, of: PartyId, amount: i128) -> Story {
    let query = Query::CheckBalance {
        address: caller(of),
        token: TOKEN.name().into(),
    };
    story.saw(BANK, N1, query, Ok(Answer::Amount(Amount(amount))))
}

pub(super) fn cases() -> Vec<Case> {
    let by = &DEPOSITS_ARE_CREDITED_ONCE;
    let four = || deposited(4);
    vec![
        case(
            "what is told has too few blocks after it",
            told(deposited(3), event(1, 40)),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "what is told never was",
            told(four(), event(1, 41)),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "one deposit is told of twice",
            told(told(four(), event(1, 40)), event(2, 40)),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "a deposit is credited twice",
            shows(told(four(), event(1, 40)), ALICE, BEFORE + 80),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "a deposit is not credited",
            shows(told(four(), event(1, 40)), ALICE, BEFORE),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "the word of one is enough",
            shows(
                four().commit(block([tells(N1, event(1, 40))]).votes(&[N1, N2, N3])),
                ALICE,
                BEFORE + 40,
            ),
            by,
            broken(&["ECON-07"]),
        ),
        case(
            "the word of one is not enough",
            shows(
                four().commit(block([tells(N1, event(1, 40))]).votes(&[N1, N2, N3])),
                ALICE,
                BEFORE,
            ),
            by,
            held(&["ECON-07"]),
        ),
        case(
            "a confirmed deposit is credited once two of three have told of it",
            shows(told(four(), event(1, 40)), ALICE, BEFORE + 40),
            by,
            held(&["ECON-07"]),
        ),
    ]
}
