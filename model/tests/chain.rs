//! The chain that holds the tokens: its contracts call by call, and what no sequence of calls can do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use assay_laws::laws;
use assay_model::actor::{operator_account, operator_key, validator_key};
use assay_model::bridge::{Address, Amount, BridgeEvent, Hash, Leaf, Token, Tree};
use assay_model::chain::{
    Call, Chain, Contract, Contracts, EPOCH_LENGTH, Evidence, Log, Revert, RootSignature, Setting,
    SignedCall, UNSTAKE_DELAY, Unfit, ZERO, account, root_message, whole,
};
use assay_model::crypto::{Scheme, SigningKey, Suite, Symbolic};
use assay_model::id::NodeId;
use assay_model::rules::{Rules, Switch};
use assay_model::time::{BlockTime, WallMillis};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const START: i64 = 1_000_000;
/// A day's reward: not divisible by what is staked.
const REWARD: Amount = Amount(1_000_003);
const NODES: u16 = 3;
/// Two stakers, one thief, one owner.
const PEOPLE: u8 = 4;
const OWNER: u8 = 3;
const PURSE: i128 = 1_000_000 * 10_i128.pow(18);

fn key(person: u8) -> SigningKey {
    SigningKey {
        scheme: Scheme::Evm,
        secret: [person + 1; 32],
    }
}

/// A chain's contracts with some people before them, and a clock.
struct Bench {
    suite: Arc<dyn Suite>,
    setting: Arc<Setting>,
    contracts: Contracts,
    rules: Rules,
    now: i64,
}

impl Bench {
    fn under(rules: Rules) -> Bench {
        let suite: Arc<dyn Suite> = Arc::new(Symbolic);
        let person = |n| account(&suite.identity(&key(n))).unwrap();
        let validators: BTreeMap<_, _> = (0..NODES)
            .map(NodeId)
            .map(|node| {
                let validator = suite.identity(&validator_key(node));
                (operator_account(&*suite, node), validator)
            })
            .collect();
        let setting = Arc::new(Setting {
            name: "a chain".to_owned(),
            block: 250,
            confirmations: 2,
            owner: person(OWNER),
            holders: (0..PEOPLE).map(person).collect(),
            signers: validators.keys().copied().collect(),
            validators,
            start: BlockTime(START),
            reward: REWARD,
        });
        Bench {
            contracts: Contracts::new(&setting),
            suite,
            setting,
            rules,
            now: START,
        }
    }

    fn new() -> Bench {
        let mut bench = Bench::under(Rules::documented());
        for n in 0..NODES {
            bench.done(OWNER, Call::AllowNode(bench.node(n)));
        }
        bench.approved()
    }

    /// Everybody lets the contracts take everything.
    fn approved(mut self) -> Bench {
        for person in 0..PEOPLE {
            for spender in Contract::ALL {
                self.done(
                    person,
                    Call::Approve {
                        token: spender.token(),
                        spender,
                        amount: Amount(i128::MAX),
                    },
                );
            }
        }
        self
    }

    fn person(&self, n: u8) -> Address {
        account(&self.suite.identity(&key(n))).unwrap()
    }

    fn node(&self, n: u16) -> Address {
        operator_account(&*self.suite, NodeId(n))
    }

    fn call(&mut self, by: u8, call: &Call) -> Result<Vec<Log>, Revert> {
        let by = self.person(by);
        let now = BlockTime(self.now);
        self.contracts
            .execute(&*self.suite, self.rules, now, by, call)
    }

    fn done(&mut self, by: u8, call: Call) -> Vec<Log> {
        self.call(by, &call)
            .unwrap_or_else(|revert| panic!("{call:?}: {revert}"))
    }

    fn refused(&mut self, by: u8, call: Call, why: Revert) {
        assert_eq!(self.call(by, &call), Err(why), "{call:?}");
    }

    fn stake(&self, n: u16, amount: i128) -> Call {
        self.stake_of(ZERO, n, amount)
    }

    fn stake_of(&self, user: Address, n: u16, amount: i128) -> Call {
        Call::Stake {
            user,
            node: self.node(n),
            amount: Amount(amount),
        }
    }

    fn unstake(&self, n: u16, amount: i128) -> Call {
        Call::Unstake {
            node: self.node(n),
            amount: Amount(amount),
        }
    }

    fn slash(&self, n: u16) -> Call {
        let validator = validator_key(NodeId(n));
        Call::Slash {
            node: self.node(n),
            evidence: Some(Evidence::of_double_vote(
                &*self.suite,
                &validator,
                NodeId(n),
            )),
        }
    }

    fn fund(&self, amount: i128) -> Call {
        Call::Transfer {
            token: Token::Idos,
            to: Contract::Staking.address(),
            amount: Amount(amount),
        }
    }

    fn holds(&self, n: u8) -> i128 {
        self.contracts.token(Token::Idos).balance(self.person(n)).0
    }

    fn deposit(&self, amount: i128) -> Call {
        Call::Deposit {
            token: Token::Idos,
            amount: Amount(amount),
        }
    }

    fn leaf(&self, n: u8, amount: i128) -> Leaf {
        Leaf {
            recipient: self.person(n),
            amount: Amount(amount),
            escrow: Token::Idos.escrow(),
            block: Hash([9; 32]),
        }
    }

    /// A root that so many operators have signed, the first of them `times` times.
    fn post(&self, root: Hash, operators: u16, times: usize) -> Call {
        let sign = |n: u16| RootSignature {
            signer: self.node(n),
            signature: self
                .suite
                .sign(&operator_key(NodeId(n)), &root_message(Token::Idos, root)),
        };
        let again = std::iter::repeat_n(sign(0), times);
        Call::PostRoot {
            token: Token::Idos,
            root,
            signatures: (0..operators).map(sign).chain(again).collect(),
        }
    }
}

fn claim(tree: &Tree, leaf: Leaf) -> Call {
    Call::Claim {
        token: Token::Idos,
        root: tree.root(),
        leaf,
        proof: tree.proof(leaf.hash()).unwrap_or_default(),
    }
}

#[test]
fn refusals_come_in_the_contracts_order() {
    let mut bench = Bench::under(Rules::documented());
    bench.now = START - 1;
    let zero = Call::Stake {
        user: ZERO,
        node: ZERO,
        amount: Amount(0),
    };
    bench.refused(0, zero.clone(), Revert::ZeroAddressNode);
    bench.refused(0, bench.stake(0, 0), Revert::NodeIsNotAllowed);
    bench.refused(
        0,
        Call::AllowNode(bench.node(0)),
        Revert::OwnableUnauthorizedAccount,
    );
    bench.done(OWNER, Call::AllowNode(bench.node(0)));
    bench.refused(0, bench.stake(0, 0), Revert::AmountNotPositive);
    bench.refused(0, bench.stake(0, -5), Revert::AmountNotPositive);
    bench.refused(0, bench.stake(0, 5), Revert::NotStarted);
    bench.refused(0, bench.unstake(0, 5), Revert::NotStarted);
    bench.refused(0, Call::WithdrawReward, Revert::NotStarted);
    bench.refused(
        OWNER,
        Call::SetEpochReward(REWARD),
        Revert::EpochRewardDidntChange,
    );
    bench.refused(OWNER, Call::SetEpochReward(Amount(1)), Revert::NotStarted);
    bench.now = START;
    bench.refused(0, bench.stake(0, 5), Revert::ERC20InsufficientAllowance);
    let mut bench = bench.approved();
    bench.refused(
        0,
        bench.stake(0, PURSE + 1),
        Revert::ERC20InsufficientBalance,
    );
    bench.refused(
        1,
        bench.stake_of(bench.person(0), 0, 5),
        Revert::StakerIsNotCaller,
    );
    bench.done(0, bench.stake(0, 5));
    bench.refused(0, bench.unstake(0, 6), Revert::AmountExceedsStake);
    bench.refused(0, bench.unstake(1, 1), Revert::AmountExceedsStake);
    bench.refused(0, Call::WithdrawUnstaked, Revert::NoWithdrawableStake);
    bench.refused(0, Call::WithdrawReward, Revert::NoWithdrawableRewards);
    bench.refused(0, bench.slash(0), Revert::OwnableUnauthorizedAccount);
    bench.refused(OWNER, bench.slash(1), Revert::NodeIsUnknown);
    bench.refused(
        OWNER,
        Call::WithdrawSlashedStakes,
        Revert::NoWithdrawableSlashedStakes,
    );
    bench.refused(OWNER, Call::Unpause, Revert::ExpectedPause);
    bench.done(OWNER, Call::Pause);
    for call in [
        zero,
        bench.unstake(0, 1),
        Call::WithdrawUnstaked,
        Call::WithdrawReward,
        Call::AllowNode(ZERO),
        Call::DisallowNode(ZERO),
        bench.slash(0),
        Call::WithdrawSlashedStakes,
        Call::Pause,
    ] {
        bench.refused(OWNER, call, Revert::EnforcedPause);
    }
    // Rewards can be set meanwhile.
    bench.done(OWNER, Call::SetEpochReward(Amount(7)));
    bench.done(OWNER, Call::Unpause);
    bench.done(OWNER, Call::DisallowNode(bench.node(0)));
    bench.refused(0, bench.stake(0, 1), Revert::NodeIsNotAllowed);
    bench.done(0, bench.unstake(0, 5));
}

#[test]
fn unstaked_tokens_wait_longer_than_fourteen_days() {
    let mut bench = Bench::new();
    bench.done(0, bench.stake(0, 100));
    bench.done(0, bench.unstake(0, 60));
    bench.now += 1;
    bench.done(0, bench.unstake(0, 30));
    bench.now = START + UNSTAKE_DELAY;
    bench.refused(0, Call::WithdrawUnstaked, Revert::NoWithdrawableStake);
    bench.now += 1;
    bench.done(0, Call::WithdrawUnstaked);
    assert_eq!(bench.holds(0), PURSE - 40);
    bench.refused(0, Call::WithdrawUnstaked, Revert::NoWithdrawableStake);
    bench.now += 1;
    bench.done(0, Call::WithdrawUnstaked);
    assert_eq!(bench.holds(0), PURSE - 10);
}

#[test]
fn a_days_reward_is_shared_pro_rata_and_ignores_what_was_slashed() {
    let mut bench = Bench::new();
    bench.done(OWNER, bench.fund(whole(Token::Idos, 1).0));
    bench.done(OWNER, Call::SetEpochReward(Amount(100)));
    bench.done(0, bench.stake(0, 50));
    bench.done(0, bench.stake(1, 50));
    bench.done(1, bench.stake(1, 300));
    bench.done(OWNER, bench.slash(0));
    // Stake of the last second of a day counts for all of it.
    bench.now += EPOCH_LENGTH - 1;
    bench.refused(0, Call::WithdrawReward, Revert::NoWithdrawableRewards);
    bench.now += 1;
    let reward = |bench: &mut Bench, by| {
        let before = bench.holds(by);
        bench.done(by, Call::WithdrawReward);
        bench.holds(by) - before
    };
    assert_eq!((reward(&mut bench, 0), reward(&mut bench, 1)), (14, 85));
    bench.refused(0, Call::WithdrawReward, Revert::NoWithdrawableRewards);
    // A new reward holds from its own day on.
    bench.done(OWNER, Call::SetEpochReward(Amount(700)));
    bench.now += 2 * EPOCH_LENGTH;
    assert_eq!((reward(&mut bench, 0), reward(&mut bench, 1)), (200, 1_200));
}

#[test]
fn each_switch_lets_what_the_deployed_contract_lets() {
    let off = |switch| {
        let mut bench = Bench::new();
        bench.rules = bench.rules.with(switch, false);
        bench
    };
    let mut bench = off(Switch::HoldersStake);
    bench.done(2, bench.stake_of(bench.person(0), 2, 500));
    assert_eq!(bench.holds(0), PURSE - 500);

    let mut bench = off(Switch::SeparateRewards);
    bench.done(0, bench.stake(0, 2 * REWARD.0));
    bench.now += EPOCH_LENGTH;
    bench.done(0, Call::WithdrawReward);
    bench.done(0, bench.unstake(0, 2 * REWARD.0));
    bench.now += UNSTAKE_DELAY + 1;
    bench.refused(0, Call::WithdrawUnstaked, Revert::ERC20InsufficientBalance);

    let mut bench = off(Switch::SlashableUnstaking);
    bench.done(0, bench.stake(0, 100));
    bench.done(0, bench.unstake(0, 100));
    bench.refused(OWNER, bench.slash(0), Revert::NodeIsUnknown);

    let mut bench = off(Switch::EvidencedSlashing);
    bench.done(0, bench.stake(0, 100));
    let node = bench.node(0);
    bench.done(
        OWNER,
        Call::Slash {
            node,
            evidence: None,
        },
    );
}

#[test]
fn evidence_has_to_be_two_votes_of_this_very_validator() {
    let mut bench = Bench::new();
    bench.done(0, bench.stake(0, 100));
    let node = bench.node(0);
    let slash = |evidence| Call::Slash { node, evidence };
    let Call::Slash {
        evidence: Some(good),
        ..
    } = bench.slash(0)
    else {
        unreachable!("a slash with evidence");
    };
    let Call::Slash {
        evidence: foreign, ..
    } = bench.slash(1)
    else {
        unreachable!("a slash with evidence");
    };
    let mut once = good.clone();
    once.votes[1] = once.votes[0].clone();
    let mut other_ballot = good.clone();
    other_ballot.ballot.round += 1;
    let mut forged = good.clone();
    forged.votes[0].signature.reverse();
    bench.refused(OWNER, slash(None), Revert::EvidenceMissing);
    for bad in [once, other_ballot, forged] {
        bench.refused(OWNER, slash(Some(bad)), Revert::EvidenceInvalid);
    }
    bench.refused(OWNER, slash(foreign), Revert::EvidenceInvalid);
    bench.done(OWNER, slash(Some(good)));
}

#[test]
fn a_root_needs_most_operators_and_a_withdrawal_is_paid_once_to_whom_it_names() {
    let mut bench = Bench::new();
    bench.done(0, bench.deposit(100));
    let (own, other) = (bench.leaf(0, 30), bench.leaf(1, 20));
    let tree = Tree::new([own, other].map(|leaf| leaf.hash())).unwrap();
    bench.refused(2, claim(&tree, own), Revert::RootIsUnknown);
    bench.refused(2, bench.post(tree.root(), 1, 5), Revert::TooFewSignatures);
    let foreign = bench.post(Hash([3; 32]), 3, 0);
    let Call::PostRoot { signatures, .. } = foreign else {
        unreachable!("a root is posted");
    };
    let borrowed = Call::PostRoot {
        token: Token::Idos,
        root: tree.root(),
        signatures,
    };
    bench.refused(2, borrowed, Revert::TooFewSignatures);
    bench.done(2, bench.post(tree.root(), 2, 0));
    bench.refused(2, bench.post(tree.root(), 3, 0), Revert::RootIsPosted);

    let richer = Leaf {
        amount: Amount(31),
        ..own
    };
    let stolen = Leaf {
        recipient: bench.person(2),
        ..own
    };
    for bad in [richer, stolen] {
        bench.refused(2, claim(&tree, bad), Revert::ProofIsWrong);
    }
    // Whoever asks, the tokens go to who is entitled.
    bench.done(2, claim(&tree, own));
    assert_eq!(bench.holds(0), PURSE - 70);
    assert_eq!(bench.holds(2), PURSE);
    bench.refused(0, claim(&tree, own), Revert::AlreadyClaimed);
    bench.done(1, claim(&tree, other));
    let escrow = bench.contracts.escrow(Token::Idos);
    assert_eq!((escrow.deposited().0, escrow.claimed().0), (100, 50));
    assert_eq!(
        bench.contracts.holding(Contract::Escrow(Token::Idos)),
        Amount(50)
    );
}

struct Ledger {
    bench: Bench,
    chain: Chain,
    nonce: u64,
}

impl Ledger {
    fn new() -> Ledger {
        let bench = Bench::new();
        let chain = Chain::new(bench.suite.clone(), bench.rules, bench.setting.clone());
        Ledger {
            bench,
            chain,
            nonce: 0,
        }
    }

    fn signed(&mut self, by: u8, call: Call) -> SignedCall {
        self.nonce += 1;
        let (suite, name) = (&*self.bench.suite, &self.bench.setting.name);
        SignedCall::sign(suite, &key(by), name, self.nonce, call).unwrap()
    }

    fn submit(&mut self, by: u8, call: Call) {
        let call = self.signed(by, call);
        self.chain.submit(call).unwrap();
    }

    fn deposit(&mut self, by: u8, amount: i128) {
        let approve = Call::Approve {
            token: Token::Idos,
            spender: Contract::Escrow(Token::Idos),
            amount: Amount(amount),
        };
        self.submit(by, approve);
        self.submit(by, self.bench.deposit(amount));
    }

    /// Deposits that stand for good once a block is sealed.
    fn seal(&mut self, second: u64) -> Vec<BridgeEvent> {
        let (_, confirmed) = self.chain.seal(WallMillis(second * 1_000));
        let events = confirmed.iter().flat_map(|block| block.bridge_events());
        events.collect()
    }

    fn deposited(&self) -> i128 {
        let escrow = self.chain.contracts().escrow(Token::Idos);
        escrow.deposited().0
    }
}

#[test]
fn a_deposit_is_told_once_it_is_confirmed_and_keeps_its_name_in_another_block() {
    let mut ledger = Ledger::new();
    ledger.deposit(0, 5);
    assert!(ledger.seal(1).is_empty());
    assert!(ledger.seal(2).is_empty());
    // Two blocks have to follow; one does, so the first can still be undone.
    let undone = ledger.chain.reorganise(9, false);
    assert_eq!(undone.len(), 2);
    let before = undone[0].bridge_events();
    assert_eq!((ledger.chain.head(), ledger.deposited()), (0, 0));
    let told: Vec<BridgeEvent> = (3..9).flat_map(|second| ledger.seal(second)).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].id(), before[0].id());
    assert_eq!(ledger.deposited(), 5);
    // What is confirmed cannot be undone.
    assert_eq!(ledger.chain.reorganise(9, true).len(), 2);
    assert_eq!(ledger.deposited(), 5);
}

#[test]
fn what_a_reorganisation_loses_never_happened() {
    let mut ledger = Ledger::new();
    ledger.deposit(0, 5);
    ledger.seal(1);
    ledger.deposit(1, 7);
    ledger.seal(2);
    ledger.chain.reorganise(1, true);
    let told: Vec<BridgeEvent> = (3..9).flat_map(|second| ledger.seal(second)).collect();
    let amounts = told.iter().map(|event| match event {
        BridgeEvent::Deposit(deposit) => deposit.amount.0,
        BridgeEvent::EpochConfirmed(_) => 0,
    });
    assert_eq!(amounts.collect::<Vec<_>>(), [5]);
}

#[test]
fn a_call_is_carried_out_once_and_only_as_signed() {
    let mut ledger = Ledger::new();
    let call = ledger.signed(0, ledger.bench.fund(5));
    let forged = SignedCall {
        call: ledger.bench.fund(6),
        ..call.clone()
    };
    let in_anothers_name = SignedCall {
        from: ledger.bench.person(1),
        ..call.clone()
    };
    assert_eq!(ledger.chain.submit(forged), Err(Unfit::Signature));
    assert_eq!(ledger.chain.submit(in_anothers_name), Err(Unfit::Signature));
    ledger.chain.submit(call.clone()).unwrap();
    assert_eq!(ledger.chain.submit(call.clone()), Err(Unfit::Nonce));
    ledger.seal(1);
    assert_eq!(ledger.chain.submit(call), Err(Unfit::Nonce));
}

#[test]
fn time_never_goes_back_on_the_chain() {
    let mut ledger = Ledger::new();
    let times: Vec<BlockTime> = [5, 3, 9]
        .map(|second| ledger.chain.seal(WallMillis(second * 1_000)).0.time)
        .to_vec();
    assert_eq!(times, [BlockTime(5), BlockTime(5), BlockTime(9)]);
}

/// One call as numbers.
#[derive(Clone, Debug)]
struct Step {
    by: u8,
    kind: u8,
    node: u16,
    other: u8,
    amount: i128,
    /// Seconds before it.
    pause: i64,
}

fn step() -> impl Strategy<Value = Step> {
    let amount = prop_oneof![
        8 => 0..2_000_000i128,
        1 => Just(PURSE),
        1 => proptest::sample::select(vec![-1, i128::MAX, i128::MIN]),
    ];
    let pause = prop_oneof![
        4 => 0..3i64,
        3 => 0..3 * EPOCH_LENGTH,
        1 => Just(UNSTAKE_DELAY),
        1 => Just(UNSTAKE_DELAY + 1),
    ];
    (0..PEOPLE, 0..20u8, 0..NODES + 1, 0..PEOPLE, amount, pause).prop_map(
        |(by, kind, node, other, amount, pause)| Step {
            by,
            kind,
            node,
            other,
            amount,
            pause,
        },
    )
}

fn call(bench: &Bench, step: &Step) -> Call {
    let (n, amount) = (step.node, Amount(step.amount));
    let other = bench.person(step.other);
    match step.kind {
        0..=3 => bench.stake(n, step.amount),
        4 => bench.stake_of(other, n, step.amount),
        5..=7 => bench.unstake(n, step.amount),
        8..=9 => Call::WithdrawUnstaked,
        10..=11 => Call::WithdrawReward,
        12 => bench.slash(n),
        13 => Call::WithdrawSlashedStakes,
        14 => Call::SetEpochReward(amount),
        15 => bench.fund(step.amount),
        16 if step.amount % 7 == 0 => Call::Pause,
        16 => Call::Unpause,
        17 => Call::Transfer {
            token: Token::Idos,
            to: other,
            amount,
        },
        18 => bench.deposit(step.amount),
        _ => Call::DisallowNode(bench.node(n)),
    }
}

/// What the tokens have gone through, kept apart from the contracts.
#[derive(Default)]
struct Count {
    staked_or_paid_in: i128,
    paid_in: i128,
    rewards: i128,
    deposits: i128,
}

fn keeps_its_books(rules: Rules, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut bench = Bench::new();
    bench.rules = rules;
    let supply = |bench: &Bench| bench.contracts.token(Token::Idos).supply();
    let all = supply(&bench);
    let mut count = Count::default();
    for step in steps {
        bench.now += step.pause;
        let call = call(&bench, step);
        let before = bench.contracts.clone();
        match bench.call(step.by, &call) {
            Err(_) => prop_assert_eq!(&bench.contracts, &before, "{:?}", call),
            Ok(logs) => {
                for log in logs {
                    match log {
                        Log::Staked { amount, .. } => count.staked_or_paid_in += amount.0,
                        Log::RewardWithdraw { amount, .. } => count.rewards += amount.0,
                        Log::Deposited { amount, .. } => count.deposits += amount.0,
                        _ => {}
                    }
                }
                if let Call::Transfer { to, amount, .. } = &call
                    && *to == Contract::Staking.address()
                {
                    count.paid_in += amount.0;
                }
            }
        }
        // No token comes or goes.
        prop_assert_eq!(supply(&bench), all);
        let held = bench.contracts.holding(Contract::Staking).0;
        let staking = &bench.contracts.staking;
        let principal = staking
            .principal()
            .map_err(|why| TestCaseError::fail(why.to_string()))?
            .0;
        let pool = count.paid_in - count.rewards;
        prop_assert_eq!(held, principal + pool);
        if rules.keep(Switch::SeparateRewards) {
            prop_assert!(pool >= 0, "rewards of {} beyond what was paid in", -pool);
        }
        let escrow = bench.contracts.holding(Contract::Escrow(Token::Idos)).0;
        prop_assert_eq!(escrow, count.deposits);
    }
    // In the end everybody gets everything back that was not slashed.
    if rules.keep(Switch::SeparateRewards) {
        let _ = bench.call(OWNER, &Call::Unpause);
        for by in 0..PEOPLE {
            for n in 0..NODES + 1 {
                for amount in (0..64).rev().map(|bit| 1i128 << bit) {
                    let _ = bench.call(by, &bench.unstake(n, amount));
                }
            }
        }
        bench.now += UNSTAKE_DELAY + 1;
        for by in 0..PEOPLE {
            let _ = bench.call(by, &Call::WithdrawUnstaked);
        }
        let _ = bench.call(OWNER, &Call::WithdrawSlashedStakes);
        let staking = &bench.contracts.staking;
        let left = staking.unstaking().map(|left| left.0);
        prop_assert_eq!(left, Ok(0));
        prop_assert_eq!(staking.slashed_unclaimed().map(|left| left.0), Ok(0));
    }
    Ok(())
}

fn rules() -> impl Strategy<Value = Rules> {
    const OURS: [Switch; 4] = [
        Switch::HoldersStake,
        Switch::SeparateRewards,
        Switch::SlashableUnstaking,
        Switch::EvidencedSlashing,
    ];
    vec(any::<bool>(), OURS.len()).prop_map(|on| {
        let turn = |rules: Rules, (switch, on): (&Switch, bool)| rules.with(*switch, on);
        OURS.iter().zip(on).fold(Rules::deployed(), turn)
    })
}

laws! {
    200;

    fn no_token_comes_or_goes_and_stakes_pay_for_nothing(
        rules in rules(),
        steps in vec(step(), 1..60),
    ) {
        keeps_its_books(rules, &steps)?;
    }
}

/// Calls of every kind are really carried out somewhere, or the laws above would say nothing.
#[test]
fn the_random_calls_reach_every_kind() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, TestRunner};
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(2),
        ..Config::default()
    });
    let mut reached = BTreeSet::new();
    for _ in 0..300 {
        let steps = vec(step(), 1..60).new_tree(&mut runner).unwrap().current();
        let mut bench = Bench::new();
        for step in &steps {
            bench.now += step.pause;
            let call = call(&bench, step);
            if bench.call(step.by, &call).is_ok() {
                let told = format!("{call:?}");
                let name = told.split(|c: char| !c.is_alphanumeric()).next();
                reached.insert(name.unwrap_or_default().to_owned());
            }
        }
    }
    assert_eq!(reached.len(), 12, "{reached:?}");
}
