use std::sync::Arc;

use super::story::Story;
use super::{Case, broken, case, held};
use crate::bridge::{Address, Amount, Token};
use crate::chain::{Block, Call, Contract, Evidence, Execution, Log, SignedCall, SignedVote, ZERO};
use crate::history::Event;
use crate::id::{AppHash, BlockId};
use crate::invariant::staking::*;
use crate::node::Ballot;
use crate::time::BlockTime;

pub(super) const CAROL: Address = Address([0xca; 20]);
pub(super) const DAVE: Address = Address([0xda; 20]);
const OWNER: Address = Address([0x0e; 20]);
const N1: Address = Address([1; 20]);
const N2: Address = Address([2; 20]);
/// The first second of the second day.
const DAY: i64 = 86_400;
/// Until one second later unstaked tokens wait.
const DELAY: i64 = 14 * DAY;

/// A call that was carried out, and what the contract said.
pub(super) type Done = (Address, Call, Vec<Log>);

/// The chain seals a block at this second; the contracts hold this much after it.
pub(super) fn seal(
    story: Story,
    (number, time): (u64, i64),
    done: Vec<Done>,
    holdings: &[(Contract, i128)],
) -> Story {
    let execution = |(from, call, logs): Done| Execution {
        call: SignedCall {
            from,
            nonce: number,
            call,
            signature: Vec::new(),
        },
        result: Ok(logs),
    };
    let block = Block {
        number,
        time: BlockTime(time),
        executions: done.into_iter().map(execution).collect(),
        holdings: (holdings.iter().map(|(one, held)| (*one, Amount(*held)))).collect(),
    };
    let block = Arc::new(block);
    story.event(Event::ChainBlock { block })
}

/// A block of the staking contract's.
fn at(story: Story, number: u64, time: i64, done: Vec<Done>, held: i128) -> Story {
    seal(story, (number, time), done, &[(Contract::Staking, held)])
}

fn stake_of(by: Address, user: Address, node: Address, amount: i128) -> Done {
    let amount = Amount(amount);
    let asked = if by == user { ZERO } else { user };
    let call = Call::Stake {
        user: asked,
        node,
        amount,
    };
    (by, call, vec![Log::Staked { user, node, amount }])
}

fn stake(user: Address, node: Address, amount: i128) -> Done {
    stake_of(user, user, node, amount)
}

fn unstake(user: Address, node: Address, amount: i128) -> Done {
    let amount = Amount(amount);
    let logs = vec![Log::Unstaked { user, node, amount }];
    (user, Call::Unstake { node, amount }, logs)
}

fn paid(user: Address, amount: i128) -> Done {
    let amount = Amount(amount);
    let logs = vec![Log::UnstakedWithdraw { user, amount }];
    (user, Call::WithdrawUnstaked, logs)
}

fn rewarded(user: Address, amount: i128) -> Done {
    let amount = Amount(amount);
    let logs = vec![Log::RewardWithdraw { user, amount }];
    (user, Call::WithdrawReward, logs)
}

fn fund(amount: i128) -> Done {
    let call = Call::Transfer {
        token: Token::Idos,
        to: Contract::Staking.address(),
        amount: Amount(amount),
    };
    (OWNER, call, Vec::new())
}

fn reward(epoch: u64, reward: i128) -> Done {
    let reward = Amount(reward);
    let logs = vec![Log::EpochRewardChanged { epoch, reward }];
    (OWNER, Call::SetEpochReward(reward), logs)
}

fn evidence(blocks: [u8; 2]) -> Option<Evidence> {
    let vote = |block: u8| SignedVote {
        block: BlockId([block; 32]),
        app_hash: AppHash::default(),
        signature: vec![block],
    };
    Some(Evidence {
        ballot: Ballot::default(),
        votes: blocks.map(vote),
    })
}

fn slash(node: Address, amount: i128, evidence: Option<Evidence>) -> Done {
    let amount = Amount(amount);
    let logs = vec![Log::Slashed { node, amount }];
    (OWNER, Call::Slash { node, evidence }, logs)
}

/// Carol has staked 100 behind one node and Dave 300 behind the other; a day is worth 40.
fn staked() -> Story {
    let done = vec![
        reward(0, 40),
        stake(CAROL, N1, 100),
        stake(DAVE, N2, 300),
        fund(1_000),
    ];
    at(Story::new(), 1, 10, done, 1_400)
}

/// What a third of a day's 82,191 IDOS is, rounded down.
const THIRD: i128 = 27_397_000_000_000_000_000_000;

/// Carol has a third of all stake, and one unit more than that of what a day is worth would be too much: stakes and
/// rewards have eighteen decimals.
fn large() -> Story {
    let unit = 1_000_000_000_000_000_000;
    let done = vec![
        reward(0, 82_191 * unit + 2),
        stake(CAROL, N1, 100_000_000 * unit),
        stake(DAVE, N2, 200_000_000 * unit),
    ];
    at(Story::new(), 1, 10, done, i128::MAX)
}

/// A block of whatever, believable or not.
pub(super) fn by_chance(story: Story, [_, a, b, c, d]: [u8; 5]) -> Story {
    let pick = |choice: u8| [CAROL, DAVE, OWNER][usize::from(choice % 3)];
    let node = [N1, N2][usize::from(b % 2)];
    let amount = [0, 1, 50, 300, i128::MAX, -7][usize::from(c % 6)];
    let time = [0, 10, DAY, 2 * DAY, DELAY, DELAY + 11, 40 * DAY, -5];
    let done = match a % 9 {
        0 => stake(pick(b), node, amount),
        1 => stake_of(pick(b), pick(d), node, amount),
        2 => unstake(pick(b), node, amount),
        3 => paid(pick(b), amount),
        4 => rewarded(pick(b), amount),
        5 => fund(amount),
        6 => reward(u64::from(d), amount),
        7 => slash(node, amount, evidence([b % 2, 1])),
        _ => slash(node, amount, None),
    };
    let time = time[usize::from(d % 8)];
    at(story, u64::from(c % 8), time, vec![done], amount)
}

pub(super) fn cases() -> Vec<Case> {
    let holders = &STAKES_ARE_THE_HOLDERS;
    let waits = &STAKE_WAITS_ITS_TIME;
    let slashes = &SLASHES_ARE_EARNED_AND_WHOLE;
    let two = || evidence([1, 2]);
    vec![
        case(
            "somebody stakes another's tokens",
            at(staked(), 2, 20, vec![stake_of(DAVE, CAROL, N2, 5)], 1_405),
            holders,
            broken(&["STAKE-01"]),
        ),
        case(
            "a reward is paid from stakes",
            at(
                at(
                    Story::new(),
                    1,
                    10,
                    vec![reward(0, 40), stake(CAROL, N1, 100)],
                    100,
                ),
                2,
                DAY,
                vec![rewarded(CAROL, 40)],
                60,
            ),
            holders,
            broken(&["STAKE-01"]),
        ),
        case(
            "tokens are missing when a reward is paid",
            at(staked(), 2, DAY, vec![rewarded(CAROL, 10)], 399),
            holders,
            broken(&["STAKE-01"]),
        ),
        case(
            "holders stake, and rewards come out of what was paid in",
            at(staked(), 2, DAY, vec![rewarded(CAROL, 10)], 1_390),
            holders,
            held(&["STAKE-01"]),
        ),
        case(
            "unstaked tokens are paid after exactly fourteen days",
            at(
                at(staked(), 2, 50, vec![unstake(CAROL, N1, 60)], 1_400),
                3,
                50 + DELAY,
                vec![paid(CAROL, 60)],
                1_340,
            ),
            waits,
            broken(&["STAKE-02"]),
        ),
        case(
            "unstaked tokens are paid twice",
            at(
                at(
                    at(staked(), 2, 50, vec![unstake(CAROL, N1, 60)], 1_400),
                    3,
                    51 + DELAY,
                    vec![paid(CAROL, 60)],
                    1_340,
                ),
                4,
                60 + DELAY,
                vec![paid(CAROL, 60)],
                1_280,
            ),
            waits,
            broken(&["STAKE-02"]),
        ),
        case(
            "stake is taken back from a slashed node",
            at(
                at(staked(), 2, 50, vec![slash(N1, 100, two())], 1_400),
                3,
                60,
                vec![unstake(CAROL, N1, 60)],
                1_400,
            ),
            waits,
            broken(&["STAKE-02"]),
        ),
        case(
            "slashed stake is rewarded",
            at(
                at(staked(), 2, 50, vec![slash(N1, 100, two())], 1_400),
                3,
                DAY,
                vec![rewarded(CAROL, 10)],
                1_390,
            ),
            waits,
            broken(&["STAKE-02"]),
        ),
        case(
            "more is paid than a part of rewards and stakes as large as people have",
            at(large(), 2, DAY, vec![rewarded(CAROL, THIRD + 1)], i128::MAX),
            waits,
            broken(&["STAKE-02"]),
        ),
        case(
            "a part of rewards and stakes as large as people have is paid to the last unit",
            at(large(), 2, DAY, vec![rewarded(CAROL, THIRD)], i128::MAX),
            waits,
            held(&["STAKE-02"]),
        ),
        case(
            "the day of a payment is rewarded before it is over",
            at(staked(), 2, DAY - 1, vec![rewarded(CAROL, 10)], 1_390),
            waits,
            broken(&["STAKE-02"]),
        ),
        case(
            "tokens come back a second after fourteen days, and days are rewarded once they are over",
            at(
                at(
                    staked(),
                    2,
                    DAY,
                    vec![unstake(CAROL, N1, 100), rewarded(CAROL, 10)],
                    1_390,
                ),
                3,
                DAY + 1 + DELAY,
                vec![paid(CAROL, 100), rewarded(DAVE, 30 + 14 * 40)],
                700,
            ),
            waits,
            held(&["STAKE-02"]),
        ),
        case(
            "a node is slashed on the owner's word",
            at(staked(), 2, 50, vec![slash(N1, 100, None)], 1_400),
            slashes,
            broken(&["STAKE-03"]),
        ),
        case(
            "a node is slashed for one vote",
            at(
                staked(),
                2,
                50,
                vec![slash(N1, 100, evidence([1, 1]))],
                1_400,
            ),
            slashes,
            broken(&["STAKE-03"]),
        ),
        case(
            "whoever unstakes first loses nothing",
            at(
                at(staked(), 2, 50, vec![unstake(CAROL, N1, 60)], 1_400),
                3,
                50 + DELAY,
                vec![slash(N1, 40, two())],
                1_400,
            ),
            slashes,
            broken(&["STAKE-03"]),
        ),
        case(
            "a slash takes what is on its way back, and not what has waited long enough",
            at(
                at(
                    at(staked(), 2, 50, vec![unstake(CAROL, N1, 10)], 1_400),
                    3,
                    60,
                    vec![unstake(CAROL, N1, 50)],
                    1_400,
                ),
                4,
                51 + DELAY,
                vec![slash(N1, 90, two())],
                1_400,
            ),
            slashes,
            held(&["STAKE-03"]),
        ),
        case(
            "what a reorganisation has undone breaks nothing",
            at(
                at(staked(), 2, 50, vec![stake_of(DAVE, CAROL, N2, 5)], 1_405).event(
                    Event::ChainReorganised {
                        last: 1,
                        lost: true,
                    },
                ),
                2,
                60,
                vec![stake(CAROL, N2, 5)],
                1_405,
            ),
            holders,
            held(&["STAKE-01"]),
        ),
    ]
}
