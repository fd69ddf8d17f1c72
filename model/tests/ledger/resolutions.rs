//! Resolutions: who may propose and approve, what passes and when, and what is over.

use std::sync::Arc;

use assay_laws::laws;
use assay_model::bridge::{Amount, BridgeEvent, DepositEvent, Hash, Token};
use assay_model::crypto::{Identity, Symbolic};
use assay_model::ledger::{Action, Answer, Governed, Outcome, Query, State, usual_parameters};
use assay_model::rules::{Rules, Switch};
use assay_model::wire::{
    BRIDGE_EVENT, EnginePayload, KeyId, ParameterUpdate, ParameterUpdates, VotableEvent,
};
use proptest::prelude::*;

use crate::bench::{Bench, NOW};

/// Nodes speak with keys of their own; `v1` leads.
fn network(powers: &[(&str, u64)]) -> Bench {
    let mut bench = Bench::empty(Arc::new(Symbolic), Rules::documented());
    let leader = bench.identity(powers[0].0);
    let voters: Vec<_> = powers
        .iter()
        .map(|(name, power)| (bench.identity(name), *power))
        .collect();
    bench.state = State::founded(voters, usual_parameters(leader));
    bench.proposer = Some(leader);
    bench
}

fn said(outcome: Outcome) -> String {
    match outcome {
        Outcome::Accepted => "ok".to_owned(),
        Outcome::Refused(refusal) => refusal.to_string(),
        Outcome::Invalid => "invalid".to_owned(),
    }
}

impl Bench {
    fn does(&mut self, who: &str, payload: EnginePayload) -> String {
        said(self.run_batch(who, payload))
    }

    fn joins(&mut self, who: &str, power: u64) -> String {
        self.does(who, EnginePayload::ValidatorJoin { power })
    }

    fn approves(&mut self, who: &str, candidate: &str) -> String {
        let candidate = KeyId::of(&self.identity(candidate));
        self.does(who, EnginePayload::ValidatorApprove { candidate })
    }

    fn removes(&mut self, who: &str, validator: &str) -> String {
        let validator = KeyId::of(&self.identity(validator));
        self.does(who, EnginePayload::ValidatorRemove { validator })
    }

    fn power(&self, who: &str) -> Option<u64> {
        let validators = &self.state.tables().validators;
        validators.get(&self.identity(who)).map(|row| row.power)
    }
}

fn change(update: ParameterUpdate) -> VotableEvent {
    let updates = ParameterUpdates {
        description: "better so".to_owned(),
        updates: vec![update],
    };
    VotableEvent {
        kind: "param_updates".to_owned(),
        body: updates.encoded(),
    }
}

#[test]
fn a_request_to_join_passes_with_two_thirds_of_the_power() {
    let mut bench = network(&[("v1", 1), ("v2", 1), ("v3", 1)]);
    assert_eq!(bench.joins("v1", 1), "caller is already a validator");
    assert_eq!(
        bench.approves("v1", "new"),
        "validator does not have a pending join request"
    );
    assert_eq!(bench.joins("new", 5), "ok");
    assert_eq!(
        bench.joins("new", 5),
        "validator already has a pending join request"
    );
    assert_eq!(
        bench.approves("new", "new"),
        "cannot approve own join request"
    );
    assert_eq!(
        bench.approves("stranger", "new"),
        "caller is not a validator"
    );
    assert_eq!(bench.approves("v1", "new"), "ok");
    // The same validator counts once.
    assert_eq!(bench.approves("v1", "new"), "ok");
    assert_eq!(bench.power("new"), None);
    assert_eq!(bench.approves("v3", "new"), "ok");
    assert_eq!(bench.power("new"), Some(5));
    assert!(bench.state.tables().resolutions.is_empty());
    assert!(bench.state.tables().approvals.is_empty());
}

#[test]
fn a_request_to_join_ends_after_a_day_and_may_come_again() {
    let mut bench = network(&[("v1", 1), ("v2", 1), ("v3", 1)]);
    assert_eq!(bench.joins("new", 1), "ok");
    assert_eq!(bench.approves("v1", "new"), "ok");
    let pending = "validator does not have a pending join request";
    let mut late = bench.at(NOW + 86_400);
    assert_eq!(late.approves("v2", "new"), pending);
    assert_eq!(late.power("new"), None);
    assert_eq!(late.joins("new", 1), "ok");
    assert_eq!(late.approves("v2", "new"), "ok");
    // What was approved of before is forgotten with the request.
    assert_eq!(late.power("new"), None);
    let mut in_time = bench.at(NOW + 86_399);
    assert_eq!(in_time.approves("v2", "new"), "ok");
    assert_eq!(in_time.power("new"), Some(1));
}

#[test]
fn a_validator_is_removed_by_two_thirds_and_leaves_by_itself() {
    let mut bench = network(&[("v1", 1), ("v2", 1), ("v3", 1), ("v4", 1)]);
    assert_eq!(
        bench.removes("v2", "v1"),
        "leader cannot be removed from validator set"
    );
    assert_eq!(bench.removes("stranger", "v2"), "caller is not a validator");
    assert_eq!(bench.removes("v2", "stranger"), "target is not a validator");
    assert_eq!(bench.removes("v1", "v4"), "ok");
    assert_eq!(bench.removes("v2", "v4"), "ok");
    assert_eq!(bench.power("v4"), Some(1));
    assert_eq!(bench.removes("v3", "v4"), "ok");
    assert_eq!(bench.power("v4"), None);
    assert_eq!(
        bench.does("v4", EnginePayload::ValidatorLeave),
        "caller is not a validator"
    );
    assert_eq!(
        bench.does("v1", EnginePayload::ValidatorLeave),
        "leader cannot leave validator set"
    );
    assert_eq!(bench.does("v3", EnginePayload::ValidatorLeave), "ok");
    assert_eq!(bench.power("v3"), None);
    // Who was removed may come back.
    assert_eq!(bench.joins("v4", 1), "ok");
    assert_eq!(bench.approves("v1", "v4"), "ok");
    assert_eq!(bench.approves("v2", "v4"), "ok");
    assert_eq!(bench.power("v4"), Some(1));
}

#[test]
fn votes_of_who_has_left_do_not_count() {
    let mut bench = network(&[("v1", 1), ("v2", 1), ("v3", 1), ("v4", 1)]);
    assert_eq!(bench.joins("new", 1), "ok");
    assert_eq!(bench.approves("v4", "new"), "ok");
    assert_eq!(bench.does("v4", EnginePayload::ValidatorLeave), "ok");
    assert_eq!(bench.approves("v1", "new"), "ok");
    assert_eq!(bench.power("new"), None);
    assert_eq!(bench.approves("v2", "new"), "ok");
    assert_eq!(bench.power("new"), Some(1));
}

#[test]
fn parameters_change_with_half_of_the_power_and_once() {
    let mut bench = network(&[("v1", 1), ("v2", 1), ("v3", 1), ("v4", 1)]);
    let event = change(ParameterUpdate::JoinExpiry(60));
    let propose = EnginePayload::CreateResolution(event.clone());
    let approve = EnginePayload::ApproveResolution(event.id());
    assert_eq!(
        bench.does("v2", approve.clone()),
        "resolution does not exist"
    );
    assert_eq!(
        bench.does("stranger", propose.clone()),
        "caller is not a validator"
    );
    assert_eq!(bench.does("v1", propose.clone()), "ok");
    assert_eq!(
        bench.does("v2", propose.clone()),
        "resolution already exists"
    );
    let expiry = |bench: &Bench| bench.state.tables().parameters["join_expiry"].0.clone();
    assert_eq!(expiry(&bench), ParameterUpdate::JoinExpiry(86_400));
    assert_eq!(bench.does("v2", approve.clone()), "ok");
    assert_eq!(expiry(&bench), ParameterUpdate::JoinExpiry(60));
    assert_eq!(bench.does("v3", approve), "resolution does not exist");
    assert_eq!(bench.does("v1", propose), "resolution already exists");
    // Requests stand as long as the parameter says from now on.
    assert_eq!(bench.joins("new", 1), "ok");
    bench.time += 60;
    assert_eq!(
        bench.approves("v1", "new"),
        "validator does not have a pending join request"
    );
}

#[test]
fn what_makes_no_sense_cannot_be_proposed() {
    let mut bench = network(&[("v1", 1), ("v2", 1)]);
    let broken = [
        change(ParameterUpdate::JoinExpiry(0)),
        VotableEvent {
            kind: "param_updates".to_owned(),
            body: vec![1, 2, 3],
        },
        VotableEvent {
            kind: "validator_join".to_owned(),
            body: Vec::new(),
        },
        VotableEvent {
            kind: BRIDGE_EVENT.to_owned(),
            body: vec![0; 40],
        },
    ];
    for event in broken {
        let propose = EnginePayload::CreateResolution(event);
        assert_eq!(bench.does("v1", propose), "invalid resolution body");
    }
    let unknown = VotableEvent {
        kind: "free_beer".to_owned(),
        body: Vec::new(),
    };
    let propose = EnginePayload::CreateResolution(unknown.clone());
    assert_eq!(bench.does("v1", propose), "invalid resolution type");
    let bodies = EnginePayload::ValidatorVoteBodies(vec![unknown]);
    assert_eq!(bench.does("v2", bodies), "caller is not the block proposer");
    assert_eq!(bench.joins("new", 0), "invalid resolution body");
    let transfer = |amount: &str| EnginePayload::Transfer {
        to: KeyId::of(&Identity::Evm([1; 20])),
        amount: amount.to_owned(),
    };
    assert_eq!(bench.does("v1", transfer("7")), "insufficient funds");
    assert_eq!(bench.does("v1", transfer("-7")), "invalid transfer amount");
    assert_eq!(bench.does("v1", transfer("0")), "ok");
}

#[test]
fn a_leader_is_a_validator_when_it_is_decided() {
    let mut bench = network(&[("v1", 1), ("v2", 1)]);
    let leads = |bench: &Bench, who: &str| {
        let key = KeyId::of(&bench.identity(who));
        EnginePayload::CreateResolution(change(ParameterUpdate::Leader(key)))
    };
    // Exactly half is enough.
    let stranger = leads(&bench, "stranger");
    assert_eq!(bench.does("v1", stranger), "ok");
    assert_eq!(bench.state.parameters().leader, Some(bench.identity("v1")));
    let other = leads(&bench, "v2");
    assert_eq!(bench.does("v1", other), "ok");
    assert_eq!(bench.state.parameters().leader, Some(bench.identity("v2")));
}

/// A deposit that the other chain is said to have confirmed.
fn deposit(bench: &Bench, id: u8, amount: i128) -> VotableEvent {
    let event = BridgeEvent::Deposit(DepositEvent {
        id: Hash([id; 32]),
        token: Token::Usdc,
        address: bench.address("bob"),
        amount: Amount(amount),
        block: 7,
    });
    event.votable()
}

fn deposited(bench: &Bench) -> i128 {
    let balances = &bench.state.tables().user_balances;
    let row = balances.get(&(Token::Usdc, bench.address("bob")));
    row.map_or(0, |row| row.0.0)
}

#[test]
fn a_deposit_is_credited_by_more_than_half_of_the_power_and_once() {
    let mut bench = network(&[("v1", 1), ("v2", 1), ("v3", 1), ("v4", 1)]);
    let before = deposited(&bench);
    let event = deposit(&bench, 1, 50);
    let propose = EnginePayload::CreateResolution(event.clone());
    let approve = EnginePayload::ApproveResolution(event.id());
    assert_eq!(bench.does("v1", propose.clone()), "ok");
    assert_eq!(
        bench.does("v2", propose.clone()),
        "resolution already exists"
    );
    assert_eq!(bench.does("v2", approve.clone()), "ok");
    assert_eq!(deposited(&bench), before);
    let mut half = Bench {
        rules: bench.rules.with(Switch::MajorityCredits, false),
        ..bench.clone()
    };
    half.pass();
    assert_eq!(deposited(&half), before + 50);
    assert_eq!(bench.does("v3", approve.clone()), "ok");
    assert_eq!(deposited(&bench), before + 50);
    assert_eq!(bench.does("v4", approve), "resolution does not exist");
    assert_eq!(bench.does("v4", propose), "resolution already exists");
    // The same deposit in other words is credited no second time.
    for (amount, approvals) in [(51, ["v2", "v3"]), (0, ["v3", "v4"])] {
        let event = deposit(&bench, 1, amount);
        let propose = EnginePayload::CreateResolution(event.clone());
        assert_eq!(bench.does("v1", propose), "ok");
        for voter in approvals {
            let approve = EnginePayload::ApproveResolution(event.id());
            assert_eq!(bench.does(voter, approve), "ok");
        }
        assert_eq!(deposited(&bench), before + 50);
    }
}

#[test]
fn a_deposit_that_too_few_have_told_of_in_an_hour_may_be_told_of_again() {
    let mut bench = network(&[("v1", 1), ("v2", 1), ("v3", 1)]);
    let before = deposited(&bench);
    let event = deposit(&bench, 1, 50);
    let propose = EnginePayload::CreateResolution(event.clone());
    let approve = EnginePayload::ApproveResolution(event.id());
    assert_eq!(bench.does("v1", propose.clone()), "ok");
    bench.time += 3_600;
    assert_eq!(bench.does("v2", approve), "resolution does not exist");
    assert_eq!(bench.does("v2", propose), "ok");
    assert_eq!(deposited(&bench), before);
    let approve = EnginePayload::ApproveResolution(event.id());
    assert_eq!(bench.does("v3", approve), "ok");
    assert_eq!(deposited(&bench), before + 50);
}

laws! {
    128;

    /// Whatever powers and votes there are, a resolution passes with the vote that reaches its threshold and
    /// with none before.
    fn resolutions_pass_exactly_at_their_thresholds(
        powers in prop::collection::vec(1..50u64, 1..7),
        votes in prop::collection::vec(0..7usize, 1..12),
        joins in any::<bool>(),
    ) {
        let names: Vec<String> = (0..powers.len()).map(|place| format!("v{place}")).collect();
        let voters: Vec<(&str, u64)> = names.iter().map(String::as_str).zip(powers.clone()).collect();
        let mut bench = network(&voters);
        let total: u64 = powers.iter().sum();
        let event = change(ParameterUpdate::MaxVotesPerTx(7));
        let mut behind = std::collections::BTreeSet::new();
        if joins {
            prop_assert_eq!(bench.joins("new", 1), "ok");
        } else {
            prop_assert_eq!(bench.does("v0", EnginePayload::CreateResolution(event.clone())), "ok");
            behind.insert(0);
        }
        for vote in [None].into_iter().chain(votes.into_iter().map(Some)) {
            let place = vote.map(|vote| vote % powers.len());
            if let Some(place) = place {
                let told = if joins {
                    bench.approves(&names[place], "new")
                } else {
                    bench.does(&names[place], EnginePayload::ApproveResolution(event.id()))
                };
                prop_assert_eq!(told, "ok");
                behind.insert(place);
            }
            let approved: u64 = behind.iter().map(|place| powers[*place]).sum();
            let (passed, enough) = if joins {
                (bench.power("new").is_some(), approved * 3 >= total * 2)
            } else {
                let row = &bench.state.tables().parameters["max_votes_per_tx"];
                (row.0 == ParameterUpdate::MaxVotesPerTx(7), approved * 2 >= total)
            };
            prop_assert_eq!(passed, enough);
            if passed {
                break;
            }
        }
    }
}

fn statement(text: &str) -> EnginePayload {
    EnginePayload::RawStatement {
        statement: text.to_owned(),
        parameters: Vec::new(),
    }
}

#[test]
fn the_owner_replaces_what_is_governed_and_nothing_else() {
    let mut bench = Bench::new(Rules::documented());
    let off = Governed::LocksChecked.statement(false);
    let unmodelled = "this statement is not one of those that are modelled";
    assert_eq!(
        bench.does("alice", statement(&off)),
        "action is owner-only: raw_statement"
    );
    for text in [
        "",
        "DROP TABLE users;",
        "TRANSFER OWNERSHIP TO ''",
        "TRANSFER OWNERSHIP TO 'a' OR 'b'",
    ] {
        assert_eq!(bench.does("root", statement(text)), unmodelled, "{text}");
    }
    let spaced = off.replace(' ', "\n  ");
    assert_eq!(bench.does("root", statement(&spaced)), "ok");
    let to = format!("TRANSFER OWNERSHIP TO '{}';", bench.caller("alice"));
    assert_eq!(bench.does("root", statement(&to)), "ok");
    let on = Governed::LocksChecked.statement(true);
    assert_eq!(
        bench.does("root", statement(&on)),
        "action is owner-only: raw_statement"
    );
    assert_eq!(bench.does("alice", statement(&on)), "ok");
    let query = Query::GetGovernanceLog {
        page: Some(3),
        size: Some(2),
    };
    let Ok(Answer::Changes(rows)) = bench.ask("nobody", query) else {
        panic!("the log is public");
    };
    let told: Vec<_> = rows.iter().map(|row| (row.number, &*row.what)).collect();
    assert_eq!(told, [(5, "action-replaced"), (6, "owner-changed")]);
}

#[test]
fn a_replaced_rule_stands_otherwise_from_then_on() {
    let mut bench = Bench::new(Rules::documented());
    let shouted = bench.caller("kyc").to_uppercase();
    let action = Action::DeleteDelegateAsOwner {
        address: shouted.as_str().into(),
    };
    let off = Governed::Rule(Switch::AnyCaseDelegate).statement(false);
    assert_eq!(bench.does("root", statement(&off)), "ok");
    assert_eq!(
        said(bench.run("root", action.clone())),
        "there is nothing this operation applies to"
    );
    let on = Governed::Rule(Switch::AnyCaseDelegate).statement(true);
    assert_eq!(bench.does("root", statement(&on)), "ok");
    assert_eq!(said(bench.run("root", action)), "ok");
}

#[test]
fn a_lock_outlives_the_action_that_looks_at_it_where_that_is_promised() {
    let off = Governed::LocksChecked.statement(false);
    for (rules, expected) in [
        (Rules::documented(), "the grant is locked"),
        (
            Rules::documented().with(Switch::LocksOutliveChanges, false),
            "ok",
        ),
    ] {
        let mut bench = Bench::shared(rules, NOW + 100);
        let id = *bench.state.tables().access_grants.keys().next().unwrap();
        let revoke = Action::RevokeAccessGrant { id };
        assert_eq!(
            said(bench.run("alice", revoke.clone())),
            "the grant is locked"
        );
        assert_eq!(bench.does("root", statement(&off)), "ok");
        assert_eq!(said(bench.run("alice", revoke)), expected);
    }
}

/// Whoever says again what is so already turns nothing back: grants of the time between were made under it.
#[test]
fn a_replacement_that_is_repeated_is_as_old_as_the_first() {
    let off = Governed::LocksChecked.statement(false);
    let mut bench = Bench::issued(Rules::documented());
    assert_eq!(bench.does("root", statement(&off)), "ok");
    let share = bench.copy(11).share(10, &bench.caller("bank"), NOW + 100);
    assert_eq!(said(bench.run("alice", share)), "ok");
    assert_eq!(bench.does("root", statement(&off)), "ok");
    let id = *bench.state.tables().access_grants.keys().next().unwrap();
    let revoke = Action::RevokeAccessGrant { id };
    assert_eq!(said(bench.run("alice", revoke)), "ok");
}

/// What is decided about a validator that has left by itself changes nothing, and is no change in the log.
#[test]
fn who_has_left_is_not_removed_once_more() {
    let mut bench = network(&[("v1", 1), ("v2", 1), ("v3", 1), ("v4", 1)]);
    assert_eq!(bench.removes("v2", "v4"), "ok");
    assert_eq!(bench.does("v4", EnginePayload::ValidatorLeave), "ok");
    assert_eq!(bench.power("v4"), None);
    let logged = bench.state.tables().governance_log.len();
    let removal = *bench.state.tables().resolutions.keys().next().unwrap();
    assert_eq!(
        bench.does("v3", EnginePayload::ApproveResolution(removal)),
        "ok"
    );
    assert!(bench.state.tables().resolutions.is_empty());
    assert_eq!(bench.state.tables().governance_log.len(), logged);
}

#[test]
fn without_the_promise_nothing_is_logged() {
    let rules = Rules::documented().with(Switch::GovernanceLog, false);
    let bench = Bench::new(rules);
    assert!(bench.state.tables().governance_log.is_empty());
    let query = Query::GetGovernanceLog {
        page: None,
        size: None,
    };
    assert_eq!(
        bench.ask("nobody", query).unwrap_err().to_string(),
        "unknown action: action \"get_governance_log\" does not exist in namespace \"main\""
    );
}
