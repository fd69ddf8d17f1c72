//! Gas, fees and tokens. Source: idos-facts 3.1, 3.9 and 5.16.

use assay_model::bridge::{
    Address, Amount, BridgeEvent, DepositEvent, EpochConfirmedEvent, Hash, Leaf, Token, verify,
};
use assay_model::id::EpochId;
use assay_model::ledger::{Action, Answer, Query, bridged};
use assay_model::rules::{Rules, Switch};

use crate::bench::*;

const UNIT: i128 = 1_000_000_000_000_000_000;
const NOBODY: &str = "no wallet with balance found";
const NO_TOKEN: &str = "invalid token";
const NOT_POSITIVE: &str = "amount needs to be positive";
const NOT_ENOUGH: &str = "insufficient balance";

fn amount(of: i128) -> Amount {
    Amount(of)
}

fn gas() -> Action {
    Action::ActionCostingGas {}
}

fn spend(of: i128) -> Action {
    Action::ActionCostingIdosToken { amount: amount(of) }
}

fn withdraw_all(token: &str) -> Action {
    Action::RequestWithdrawal {
        token: token.into(),
    }
}

fn set_fee(bench: &Bench, id: u128, fee: i128) -> Action {
    Action::SetIssuerFee {
        credential_id: credential(id),
        issuer_fee: amount(fee),
        issuer_wallet: bench.caller("spare"),
    }
}

fn pay(id: u128) -> Action {
    Action::ActionCostingFee {
        credential_id: credential(id),
    }
}

fn has(bench: &Bench, who: &str, token: Token) -> i128 {
    let query = Query::CheckBalance {
        address: bench.caller(who),
        token: token.name().into(),
    };
    match bench.ask("nobody", query) {
        Ok(Answer::Amount(amount)) => amount.0,
        other => panic!("{other:?}"),
    }
}

fn network(bench: &Bench, token: Token) -> i128 {
    match bench.ask("nobody", Query::Info { token }) {
        Ok(Answer::Info(info)) => info.balance.0,
        other => panic!("{other:?}"),
    }
}

fn allowance(bench: &Bench, who: &str) -> Option<i128> {
    match bench.ask(who, Query::GetAllowance {}) {
        Ok(Answer::Allowance(left)) => left.map(|left| left.0),
        other => panic!("{other:?}"),
    }
}

fn refusal(result: Result<Answer, assay_model::ledger::Refusal>) -> String {
    result.unwrap_err().to_string()
}

/// Somebody's allowance is used up, except for so much.
fn exhausted(rules: Rules, who: Who, left: i128) -> Bench {
    let mut bench = Bench::new(rules);
    for _ in 0..83 {
        bench.must(who, gas());
    }
    assert_eq!(allowance(&bench, who), Some(100 * UNIT - 996 * UNIT / 10));
    assert_eq!(100 * UNIT - 996 * UNIT / 10, left);
    bench
}

#[test]
fn gas_comes_from_the_allowance_then_from_idos_then_from_nowhere() {
    for rules in both_rules() {
        let mut bench = exhausted(rules, "bob", 4 * UNIT / 10);
        assert_eq!(bench.says("bob", gas()), NOBODY);
        // What is missing comes out of the wallet, the rest of the allowance first.
        let missing = 8 * UNIT / 10;
        let deposit = |of: i128, id: u8| {
            BridgeEvent::Deposit(DepositEvent {
                id: Hash([id; 32]),
                token: Token::Idos,
                address: bench.address("bob"),
                amount: amount(of),
                block: 1,
            })
        };
        let (little, rest) = (deposit(5, 1), deposit(missing, 2));
        bridged(&mut bench.state, &little).unwrap();
        assert_eq!(bench.says("bob", gas()), NOT_ENOUGH);
        assert_eq!(allowance(&bench, "bob"), Some(4 * UNIT / 10));
        assert_eq!(has(&bench, "bob", Token::Idos), 5);
        bridged(&mut bench.state, &rest).unwrap();
        bench.must("bob", gas());
        assert_eq!(allowance(&bench, "bob"), Some(0));
        assert_eq!(has(&bench, "bob", Token::Idos), 5);
        assert_eq!(network(&bench, Token::Idos), missing);
        // Others still have theirs, and whoever has no profile has none.
        assert_eq!(allowance(&bench, "alice"), Some(100 * UNIT));
        assert_eq!(allowance(&bench, "fund"), None);
        assert_eq!(bench.says("fund", gas()), NOBODY);
    }
}

#[test]
fn a_near_key_has_its_users_allowance_where_that_is_promised() {
    let near = |rules: Rules| {
        let mut bench = Bench::new(rules);
        let wallet = bench.bind(BOB, "near").row(9).add();
        bench.must("bob", wallet);
        bench
    };
    let mut promised = near(Rules::documented());
    promised.must("near", gas());
    assert_eq!(allowance(&promised, "near"), Some(988 * UNIT / 10));
    let mut deployed = near(all_but(Switch::AllowanceForAll));
    assert_eq!(deployed.says("near", gas()), NOBODY);
    assert_eq!(allowance(&deployed, "near"), Some(100 * UNIT));
}

#[test]
fn most_actions_cost_nothing_today() {
    for rules in both_rules() {
        let mut bench = Bench::new(rules);
        let original = bench.original().add();
        bench.must("alice", original);
        assert_eq!(allowance(&bench, "alice"), Some(100 * UNIT));
        assert_eq!(has(&bench, "alice", Token::Idos), IDOS);
    }
}

#[test]
fn tokens_are_spent_given_and_locked_by_who_has_them() {
    for rules in both_rules() {
        let mut bench = Bench::new(rules);
        let transfer = |bench: &Bench, of: i128| Action::Transfer {
            token: Token::Idos,
            to: bench.caller("bob").to_lowercase().into(),
            amount: amount(of),
        };
        let lock = |of: i128| Action::Lock {
            token: Token::Idos,
            amount: amount(of),
        };
        for of in [0, -1] {
            assert_eq!(
                bench.says("alice", transfer(&bench.clone(), of)),
                NOT_POSITIVE
            );
            assert_eq!(bench.says("alice", lock(of)), NOT_POSITIVE);
            // The demonstration takes nothing then, and asks for a wallet all the same.
            bench.must("alice", spend(of));
            assert_eq!(bench.says("bob", spend(of)), NOBODY);
        }
        let much = transfer(&bench, IDOS + 1);
        assert_eq!(bench.says("alice", much), NOT_ENOUGH);
        assert_eq!(bench.says("bob", lock(1)), NOT_ENOUGH);
        let all = transfer(&bench, 600);
        bench.must("alice", all);
        bench.must("alice", lock(150));
        bench.must("bob", spend(40));
        assert_eq!(has(&bench, "alice", Token::Idos), 250);
        assert_eq!(has(&bench, "bob", Token::Idos), 560);
        assert_eq!(network(&bench, Token::Idos), 190);
        assert_eq!(has(&bench, "alice", Token::Usdc), 0);
        let nowhere = Action::Transfer {
            token: Token::Idos,
            to: "alice.near".into(),
            amount: amount(1),
        };
        let told = "invalid ethereum address: alice.near";
        assert_eq!(bench.says("alice", nowhere), told);
        let mut to_itself = bench.clone();
        let same = Action::Transfer {
            token: Token::Idos,
            to: bench.caller("alice"),
            amount: amount(250),
        };
        to_itself.must("alice", same);
        assert_eq!(has(&to_itself, "alice", Token::Idos), 250);
    }
}

#[test]
fn only_the_signer_pays_where_that_is_promised() {
    let two = |rules: Rules| {
        let mut bench = Bench::new(rules);
        let second = bench.bind(ALICE, "spare").row(9).add();
        bench.must("alice", second);
        bench
    };
    let mut promised = two(Rules::documented());
    assert_eq!(promised.says("spare", spend(10)), NOBODY);
    assert_eq!(promised.says("spare", withdraw_all("IDOS")), NOBODY);
    let mut deployed = two(all_but(Switch::OwnFundsOnly));
    let asked = deployed.ask(
        "spare",
        Query::GetWalletWithBalance {
            token: "IDOS".into(),
        },
    );
    let alice = Answer::Address(Some(deployed.address("alice")));
    assert_eq!(asked, Ok(alice));
    deployed.must("spare", spend(10));
    assert_eq!(has(&deployed, "alice", Token::Idos), IDOS - 10);
}

#[test]
fn who_is_no_address_is_told_so_in_defined_words() {
    let told = |rules: Rules| {
        let mut bench = Bench::new(rules);
        let lock = Action::Lock {
            token: Token::Idos,
            amount: amount(1),
        };
        let said =
            [gas(), spend(1), withdraw_all("USDC"), lock].map(|action| bench.says("bank", action));
        let query = Query::GetWalletWithBalance {
            token: "IDOS".into(),
        };
        (said, bench.ask("bank", query))
    };
    let (said, asked) = told(Rules::documented());
    assert_eq!(said, [NOBODY; 4]);
    assert_eq!(asked, Ok(Answer::Address(None)));
    let bank = Bench::new(Rules::deployed()).caller("bank");
    let bridge = format!("invalid ethereum address: {bank}");
    let (said, asked) = told(all_but(Switch::DefinedNonEvmError));
    assert_eq!(said, [(); 4].map(|()| bridge.clone()));
    assert_eq!(refusal(asked), bridge);
    // An argument that is no address is the bridge's business under any rules.
    for rules in both_rules() {
        let bench = Bench::new(rules);
        let balance = |address: &str, token: &str| {
            let query = Query::CheckBalance {
                address: address.into(),
                token: token.into(),
            };
            refusal(bench.ask("", query))
        };
        assert_eq!(balance(&bank, "IDOS"), bridge);
        assert_eq!(balance(&bank, "idos"), NO_TOKEN);
    }
}

#[test]
fn a_withdrawal_takes_everything_and_the_owner_sweeps_the_rest() {
    for rules in both_rules() {
        let mut bench = Bench::new(rules);
        assert_eq!(bench.says("alice", withdraw_all("EUR")), NO_TOKEN);
        assert_eq!(bench.says("alice", withdraw_all("USDC")), NOBODY);
        bench.must("alice", spend(300));
        bench.must("alice", withdraw_all("IDOS"));
        assert_eq!(has(&bench, "alice", Token::Idos), 0);
        assert_eq!(network(&bench, Token::Idos), 300);
        let sweep = |token: &str, to: &str| Action::RequestBalanceWithdrawal {
            token: token.into(),
            evm_address_to: to.into(),
        };
        let bob = bench.caller("bob");
        let denied = "action is owner-only: request_balance_withdrawal";
        assert_eq!(bench.says("alice", sweep("IDOS", &bob)), denied);
        assert_eq!(bench.says("root", sweep("EUR", &bob)), NO_TOKEN);
        assert_eq!(bench.says("root", sweep("USDC", &bob)), NOT_POSITIVE);
        let nowhere = "invalid ethereum address: bob";
        assert_eq!(bench.says("root", sweep("IDOS", "bob")), nowhere);
        bench.must("root", sweep("IDOS", &bob));
        assert_eq!(network(&bench, Token::Idos), 0);
        assert_eq!(rewards(&bench), [("alice", 700), ("bob", 300)]);
    }
}

/// Rewards of the first epoch of IDOS, by name.
fn rewards(bench: &Bench) -> Vec<(&'static str, i128)> {
    let epoch_id = EpochId::derive(Token::Idos, assay_model::id::Height(1));
    let query = Query::GetEpochRewards {
        token: Token::Idos,
        epoch_id,
    };
    let Ok(Answer::Rewards(rows)) = bench.ask("", query) else {
        panic!("rewards are rewards");
    };
    let name = |address: Address| {
        let known = ["alice", "bob", "fund"].into_iter();
        let mut known = known.filter(|who| bench.address(who) == address);
        known.next().expect("somebody known")
    };
    let mut rows: Vec<_> = rows
        .iter()
        .map(|row| (name(row.recipient), row.amount.0))
        .collect();
    rows.sort();
    rows
}

fn claims(bench: &Bench, who: &str, pending: bool) -> Vec<(i128, Hash)> {
    let query = Query::ListWalletRewards {
        token: Token::Idos,
        wallet: bench.caller(who),
        with_pending: pending,
    };
    let Ok(Answer::Claims(rows)) = bench.ask("", query) else {
        panic!("claims are claims");
    };
    for row in &rows {
        let leaf = Leaf {
            recipient: bench.address(who),
            amount: row.amount,
            escrow: Token::Idos.escrow(),
            block: row.block,
        };
        assert!(verify(row.root, &row.proof, leaf.hash()), "{row:?}");
    }
    rows.iter().map(|row| (row.amount.0, row.root)).collect()
}

fn epochs(bench: &Bench) -> Vec<(i128, bool)> {
    let query = Query::ListEpochs {
        token: Token::Idos,
        after: 0,
        limit: 10,
    };
    match bench.ask("", query) {
        Ok(Answer::Epochs(rows)) => rows
            .iter()
            .map(|row| (row.total.0, row.confirmed))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_epoch_closes_after_ten_minutes_once_the_one_before_is_confirmed() {
    let bridge = |of: i128| Action::Bridge {
        token: Token::Idos,
        amount: amount(of),
    };
    let mut bench = Bench::new(Rules::documented());
    let began = bench.time;
    bench.must("alice", bridge(10));
    bench.must("alice", bridge(15));
    let give = Action::Transfer {
        token: Token::Idos,
        to: bench.caller("bob"),
        amount: amount(100),
    };
    bench.must("alice", give);
    bench.must("bob", bridge(30));
    bench.time = began + 599;
    bench.pass();
    assert_eq!(
        (epochs(&bench), claims(&bench, "alice", true)),
        (vec![], vec![])
    );
    bench.time = began + 600;
    bench.pass();
    assert_eq!(epochs(&bench), [(55, false)]);
    let [(25, root)] = claims(&bench, "alice", true)[..] else {
        panic!("{:?}", claims(&bench, "alice", true));
    };
    assert_eq!(claims(&bench, "bob", true), [(30, root)]);
    assert_eq!(claims(&bench, "alice", false), []);
    // The next one waits, however old it is, until the other chain has taken the first root.
    bench.must("alice", bridge(7));
    bench.time += 10_000;
    bench.pass();
    assert_eq!(epochs(&bench), [(55, false)]);
    let confirmed = |root: Hash, id: u8| {
        BridgeEvent::EpochConfirmed(EpochConfirmedEvent {
            id: Hash([id; 32]),
            token: Token::Idos,
            root,
            block: 5,
        })
    };
    bridged(&mut bench.state, &confirmed(Hash([9; 32]), 8)).unwrap();
    bench.pass();
    assert_eq!(epochs(&bench), [(55, false)]);
    bridged(&mut bench.state, &confirmed(root, 9)).unwrap();
    assert_eq!(claims(&bench, "alice", false), [(25, root)]);
    bench.pass();
    assert_eq!(epochs(&bench), [(55, true), (7, false)]);
    // An epoch without rewards stays open.
    bench.time += 10_000;
    bench.pass();
    assert_eq!(epochs(&bench).len(), 2);
    assert_eq!(in_all(&bench.state, Token::Idos), IDOS);
}

#[test]
fn a_deposit_is_credited_once() {
    let mut bench = Bench::new(Rules::documented());
    let event = |of: i128, id: u8| {
        BridgeEvent::Deposit(DepositEvent {
            id: Hash([id; 32]),
            token: Token::Usdc,
            address: bench.address("bob"),
            amount: amount(of),
            block: 7,
        })
    };
    let (first, same, other) = (event(50, 1), event(70, 1), event(8, 2));
    let (nothing, much) = (event(0, 3), event(i128::MAX, 4));
    for told in [&first, &first, &same, &other] {
        assert_eq!(bridged(&mut bench.state, told), Ok(()));
    }
    assert_eq!(has(&bench, "bob", Token::Usdc), 58);
    let refused =
        |bench: &mut Bench, event| bridged(&mut bench.state, event).unwrap_err().to_string();
    assert_eq!(refused(&mut bench, &nothing), NOT_POSITIVE);
    assert_eq!(refused(&mut bench, &much), "numeric field overflow");
    assert_eq!(has(&bench, "bob", Token::Usdc), 58);
}

#[test]
fn an_issuer_sets_the_price_of_what_it_issued() {
    let mut bench = Bench::issued(Rules::documented());
    let fee = |bench: &Bench, id: u128| {
        let query = Query::GetIssuerFee {
            credential_id: credential(id),
        };
        bench.ask("alice", query)
    };
    assert_eq!(fee(&bench, 10), Ok(Answer::Amount(Amount::ZERO)));
    assert_eq!(refusal(fee(&bench, 99)), "credential not found");
    let set = |id, fee| set_fee(&Bench::new(Rules::documented()), id, fee);
    let stranger = "only the issuer of a credential sets its fee";
    assert_eq!(bench.says("alice", set(10, 4)), stranger);
    assert_eq!(bench.says("kyc", set(99, 4)), "credential not found");
    assert_eq!(bench.says("kyc", set(10, -1)), NOT_POSITIVE);
    assert_eq!(
        bench.says("kyc", set(10, i128::MAX)),
        "numeric field overflow"
    );
    let nowhere = Action::SetIssuerFee {
        credential_id: credential(10),
        issuer_fee: amount(4),
        issuer_wallet: bench.caller("kyc"),
    };
    let told = format!("invalid ethereum address: {}", bench.caller("kyc"));
    assert_eq!(bench.says("kyc", nowhere), told);
    bench.must("kyc", set(10, 100));
    assert_eq!(fee(&bench, 10), Ok(Answer::Amount(amount(100))));
    // The owner's edit leaves the price as it is.
    let edit = bench.original().edit();
    bench.must("alice", edit);
    assert_eq!(fee(&bench, 10), Ok(Answer::Amount(amount(100))));
    // Prices are told to owners, issuers and grantees, and others cannot tell them from missing ones.
    let missing = "credential not found";
    for (rules, expected) in [
        (Rules::documented(), missing),
        (all_but(Switch::HiddenExistence), stranger),
    ] {
        let mut bench = Bench::shared(rules, 0);
        let price = |bench: &Bench, who, id| {
            let query = Query::GetIssuerFee {
                credential_id: credential(id),
            };
            bench.ask(who, query).is_ok()
        };
        let hidden = expected == missing;
        assert!(
            price(&bench, "alice", 11) && price(&bench, "bank", 11) && price(&bench, "kyc", 10)
        );
        assert_eq!(price(&bench, "bank", 10), !hidden);
        assert_eq!(price(&bench, "", 10), !hidden);
        assert_eq!(bench.says("bob", set(10, 4)), expected);
        assert_eq!(bench.says("bob", set(99, 4)), missing);
    }
    let mut deployed = Bench::issued(all_but(Switch::SettableIssuerFee));
    let unknown = "unknown action: action \"set_issuer_fee\" does not exist in namespace \"main\"";
    assert_eq!(deployed.says("kyc", set(10, 4)), unknown);
}

/// Alice's credential costs 100, and the fund has a copy.
fn priced(rules: Rules) -> Bench {
    let mut bench = Bench::issued(rules);
    let set = set_fee(&bench, 10, 100);
    bench.must("kyc", set);
    let share = bench.copy(11).share(10, &bench.caller("fund"), 0);
    bench.must("alice", share);
    bench
}

fn read(bench: &Bench, who: &str) -> String {
    let query = Query::GetCredentialShared { id: credential(11) };
    match bench.ask(who, query) {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn a_grant_with_a_price_takes_effect_with_one_payment() {
    let mut bench = priced(Rules::documented());
    assert_eq!(
        read(&bench, "fund"),
        "the fee for this credential has not been paid"
    );
    assert_eq!(bench.says("fund", pay(10)), "credential not found");
    let own = "the credential is not shared with the caller";
    assert_eq!(bench.says("alice", pay(10)), own);
    let mut shown = priced(all_but(Switch::HiddenExistence));
    assert_eq!(shown.says("fund", pay(10)), own);
    assert_eq!(bench.says("fund", pay(99)), "credential not found");
    // A later price is for later grants.
    let dearer = set_fee(&bench, 10, 2_000);
    bench.must("kyc", dearer);
    bench.must("fund", pay(11));
    assert_eq!(read(&bench, "fund"), "ok");
    assert_eq!(
        bench.says("fund", pay(11)),
        "the fee for this credential has been paid"
    );
    assert_eq!(has(&bench, "fund", Token::Usdc), USDC - 125);
    assert_eq!(has(&bench, "spare", Token::Usdc), 100);
    assert_eq!(network(&bench, Token::Usdc), 25);
    // Another grantee of the same copy has paid nothing.
    assert_eq!(
        read(&bench, "bank"),
        "the credential is not shared with the caller"
    );
    // With the copy goes the record of its payment.
    bench.must("alice", Action::RemoveCredential { id: credential(11) });
    assert!(bench.state.tables().fee_payments.is_empty());
}

#[test]
fn where_the_fee_is_a_demonstration_anybody_pays_for_anything_and_reading_is_free() {
    let rules = all_but(Switch::PaidGrants);
    let mut bench = priced(rules.with(Switch::HiddenExistence, false));
    assert_eq!(read(&bench, "fund"), "ok");
    bench.must("fund", pay(10));
    bench.must("fund", pay(10));
    assert_eq!(has(&bench, "fund", Token::Usdc), USDC - 250);
    assert_eq!(bench.says("alice", pay(10)), NOBODY);
    // The copy has no price of its own then, and a fee of nothing cannot be paid.
    assert_eq!(bench.says("fund", pay(11)), NOT_POSITIVE);
    let mut unsplit = priced(all_but(Switch::FeeSplit));
    unsplit.must("fund", pay(11));
    assert_eq!(has(&unsplit, "spare", Token::Usdc), 0);
    assert_eq!(network(&unsplit, Token::Usdc), 125);
    let dear = set_fee(&unsplit, 10, 9_999);
    unsplit.must("kyc", dear);
    let share = unsplit.copy(12).share(10, &unsplit.caller("fund"), 0);
    unsplit.must("alice", share);
    assert_eq!(unsplit.says("fund", pay(12)), NOT_ENOUGH);
}
