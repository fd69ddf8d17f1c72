//! Good stories: the library, and what a story resolves to.

use std::collections::BTreeSet;

use assay_model::actor::{Order, Share};
use assay_model::id::{CredentialId, PartyId, UserId};
use assay_model::rules::{Rules, Switch};
use assay_model::time::Millis;
use assay_scenarios::plan::{Deed, Plan};
use assay_scenarios::{Overrides, Source, find, library, load, schema};

fn source(text: &str) -> Source {
    Source {
        name: "story".to_owned(),
        path: "story.toml".to_owned(),
        text: text.into(),
    }
}

/// The plan of a story that is right.
fn plan(text: &str) -> Plan {
    load(&source(text))
        .unwrap_or_else(|problems| panic!("{problems:?}"))
        .plan
}

/// The plan of a story with these steps, told by a small cast.
fn plan_of(steps: &str) -> Plan {
    plan(&format!(
        "claim = \"A story for a test.\"\n\
         actors = {{ users = [\"alice\"], issuers = [\"kyc-co\"], consumers = [\"bank\", \"fund\"] }}\n\
         steps = [{steps}]\n"
    ))
}

fn orders(plan: &Plan) -> Vec<&Order> {
    let deeds = plan.steps.iter().map(|step| &step.deed);
    deeds
        .filter_map(|deed| match deed {
            Deed::Party(_, task) => Some(&task.order),
            Deed::AppointLeader(_) => None,
        })
        .collect()
}

#[test]
fn every_story_of_the_library_is_understood() {
    let stories = library();
    assert!(stories.len() >= 2);
    let names: BTreeSet<&str> = stories.iter().map(|story| story.name.as_str()).collect();
    assert_eq!(names.len(), stories.len());
    for story in stories {
        let scenario = load(&story).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(scenario.name, story.name);
        assert_eq!(find(&story.name).unwrap(), story);
    }
}

#[test]
fn a_story_resolves_to_a_whole_plan() {
    let scenario = load(&find("grants/locked-revoke").unwrap()).unwrap();
    insta::assert_debug_snapshot!(scenario.plan);
}

#[test]
fn the_schema_is_what_it_was() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema()).unwrap());
}

#[test]
fn every_verb_and_fault_can_be_told() {
    let text = include_str!("everything.toml");
    insta::assert_debug_snapshot!(plan(text));
}

/// A step that is dropped without a word would make a story prove less than it says.
#[test]
fn a_damaged_story_is_refused_or_keeps_every_step() {
    let text = include_str!("everything.toml");
    let check = |text: &str| {
        let told = text.matches("[[steps]]").count();
        match load(&source(text)) {
            Ok(scenario) => assert_eq!(scenario.plan.steps.len(), told, "{text}"),
            Err(problems) => assert!(!problems.is_empty(), "{text}"),
        }
    };
    let lines: Vec<&str> = text.lines().collect();
    for gone in 0..lines.len() {
        check(&[&lines[..gone], &lines[gone + 1..]].concat().join("\n"));
        check(&text.replacen(lines[gone], &lines[gone].replace(" = ", " = -"), 1));
    }
    for end in (0..text.len()).step_by(11) {
        check(&text[..end]);
    }
}

#[test]
fn steps_and_faults_come_in_order_of_time() {
    let plan = plan(
        r#"
        claim = "Told out of order."
        actors = { users = ["alice"], issuers = ["kyc-co"] }
        steps = [
          { at = "9s", by = "alice", do = "list" },
          { at = "1s", by = "alice", do = "erase" },
          { at = "9s", by = "db-owner", do = "list" },
        ]
        faults = [
          { at = "7s", fault = "isolate", node = "n1", for = "1s" },
          { at = "2s", fault = "crash", node = "n2", for = "30s" },
        ]
        "#,
    );
    let steps: Vec<(u64, u32)> = plan
        .steps
        .iter()
        .map(|step| (step.at.0, step.line))
        .collect();
    assert_eq!(steps, [(1_000, 6), (9_000, 5), (9_000, 7)]);
    let faults: Vec<u64> = plan.faults.iter().map(|fault| fault.at.0).collect();
    assert_eq!(faults, [2_000, 7_000]);
    assert_eq!(plan.duration, Millis::seconds(42));
}

#[test]
fn a_lock_is_cut_to_whole_seconds_of_chain_time() {
    const EPOCH: i64 = 1_767_225_600;
    for (at, lock, expected) in [
        ("5s", "", 0),
        ("5s", r#"lock = "30s","#, EPOCH + 35),
        ("5s500ms", r#"lock = "30s","#, EPOCH + 35),
        ("5s500ms", r#"lock = "30s500ms","#, EPOCH + 36),
        ("5s", r#"lock-until = "45s","#, EPOCH + 45),
        ("5s", r#"lock-until = "0s","#, EPOCH),
        ("5s", r#"lock = "5y","#, EPOCH + 5 + 5 * 365 * 86_400),
    ] {
        let plan = plan_of(&format!(
            r#"{{ at = "1s", by = "kyc-co", do = "issue", to = "alice", as = "passport" }},
               {{ at = "{at}", by = "alice", do = "share", credential = "passport", to = "bank", {lock} as = "g1" }}"#
        ));
        match orders(&plan)[1] {
            Order::Share(Share { locked_until, .. }) => {
                assert_eq!(*locked_until, expected, "{lock}")
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_approval_has_the_lock_of_its_request_unless_it_says_otherwise() {
    let plan = plan_of(
        r#"{ at = "1s", by = "kyc-co", do = "issue", to = "alice", as = "passport" },
           { at = "2s", by = "fund", do = "request", of = "alice", as = "r1", lock = "30s" },
           { at = "5s", by = "alice", do = "approve", request = "r1", credential = "passport", as = "g1" },
           { at = "6s", by = "alice", do = "approve", request = "r1", credential = "passport", as = "g2", lock = "1s" }"#,
    );
    let given: Vec<(PartyId, i64)> = orders(&plan)
        .into_iter()
        .filter_map(|order| match order {
            Order::Approve { share, .. } => Some((share.to, share.locked_until - 1_767_225_600)),
            _ => None,
        })
        .collect();
    let fund = plan
        .parties
        .iter()
        .position(|party| party.name == "fund")
        .unwrap();
    assert_eq!(
        given,
        [(PartyId(fund as u16), 32), (PartyId(fund as u16), 7)]
    );
}

#[test]
fn ids_hang_on_names_and_not_on_other_steps() {
    let issue = r#"{ at = "1s", by = "kyc-co", do = "issue", to = "alice", as = "passport" }"#;
    let alone = plan_of(issue);
    let among = plan_of(&format!(
        r#"{{ at = "0s", by = "kyc-co", do = "issue", to = "alice", as = "licence" }}, {issue}"#
    ));
    let last = |plan: &Plan| -> (UserId, CredentialId) {
        match orders(plan).last().unwrap() {
            Order::Issue {
                user, credential, ..
            } => (plan.parties[user.index()].user, *credential),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(last(&alone), last(&among));
}

#[test]
fn a_network_may_be_told_to_stop() {
    let crash = r#"
        claim = "Nothing is written while two of four are down."
        no-quorum = true
        actors = { users = ["alice"], issuers = ["kyc-co"] }
        steps = [{ at = "1s", by = "alice", do = "list" }]
        faults = [
          { at = "5s", fault = "crash", node = "n1", for = "9s" },
          { at = "6s", fault = "crash", node = "n2", for = "9s" },
        ]
    "#;
    assert_eq!(plan(crash).faults.len(), 2);
    assert!(load(&source(&crash.replace("no-quorum = true", ""))).is_err());
    // One comes back in the moment the other goes.
    let apart = crash
        .replace("no-quorum = true", "")
        .replace("\"6s\"", "\"14s\"");
    assert_eq!(plan(&apart).faults.len(), 2);
}

#[test]
fn overrides_go_from_the_file_to_the_base_to_the_switches() {
    let text = r#"
        claim = "A paper works twice today."
        actors = { users = ["alice"], issuers = ["kyc-co"] }
        off = ["dag-single-use"]
        breaks = ["DAG-03"]
        steps = [{ at = "1s", by = "alice", do = "list" }]
    "#;
    let scenario = load(&source(text)).unwrap();
    let off = |switch| Rules::documented().with(switch, false);
    let table = [
        (Overrides::none(), off(Switch::DagSingleUse)),
        (
            Overrides {
                base: Some(Rules::documented()),
                ..Overrides::none()
            },
            Rules::documented(),
        ),
        (
            Overrides {
                base: Some(Rules::documented()),
                switches: vec![(Switch::ExactProbe, true), (Switch::ExactProbe, false)],
                ..Overrides::none()
            },
            off(Switch::ExactProbe),
        ),
        (
            Overrides {
                switches: vec![(Switch::DagSingleUse, true)],
                ..Overrides::none()
            },
            Rules::documented(),
        ),
    ];
    for (overrides, expected) in table {
        let plan = scenario.plan(&overrides);
        assert_eq!((plan.rules, plan.breaks), (expected, vec!["DAG-03"]));
    }
    let strict = Overrides {
        as_expected: false,
        ..Overrides::none()
    };
    assert!(scenario.plan(&strict).breaks.is_empty());
}
