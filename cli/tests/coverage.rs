//! What the library covers, counted by the binary.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::process::Command;
use std::sync::LazyLock;

use assay_model::catalogue::catalogue;
use serde_json::Value;

/// MUSTs that something looks at, but that no story gets to. One that a story gets to has to leave the
/// list.
const UNEXERCISED: &[&str] = &[];

/// Rules without which no story breaks a promise that they keep, and why. One that a story catches has to leave
/// the list.
const UNSEEN: &[(&str, &str)] = &[];

/// By the binary that was built with the tests, or another that is at hand.
fn told(arguments: &[&str]) -> (i32, String) {
    let built = || OsString::from(env!("CARGO_BIN_EXE_assay"));
    let binary = std::env::var_os("ASSAY").unwrap_or_else(built);
    let output = Command::new(binary).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text)
}

fn json(arguments: &[&str]) -> (i32, Value) {
    let (code, text) = told(&[arguments, &["--format", "json"]].concat());
    (code, serde_json::from_str(&text).unwrap())
}

/// What tests each requirement, counted once for all that look at it.
static COVERAGE: LazyLock<(i32, Value)> = LazyLock::new(|| json(&["requirements", "--coverage"]));

/// A MUST may only be a gap while it is marked unchecked in the catalogue, where a mark that is no longer
/// true is an error, or stands in the list above.
#[test]
fn every_must_is_checked_and_exercised() {
    let (code, all) = &*COVERAGE;
    let mut gaps: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for requirement in all["requirements"].as_array().unwrap() {
        if requirement["level"] == "must"
            && let Some(gap) = requirement["coverage"]["gap"].as_str()
        {
            let id = requirement["id"].as_str().unwrap();
            gaps.entry(gap).or_default().insert(id);
        }
    }
    let marked: BTreeSet<&str> = catalogue()
        .iter()
        .filter(|requirement| requirement.unchecked.is_some())
        .map(|requirement| requirement.id.as_str())
        .collect();
    let unchecked = gaps.remove("unchecked").unwrap_or_default();
    let unmarked: Vec<&&str> = unchecked.difference(&marked).collect();
    assert!(unmarked.is_empty(), "nothing checks {unmarked:?}");
    let unexercised = gaps.remove("unexercised").unwrap_or_default();
    assert_eq!(unexercised, UNEXERCISED.iter().copied().collect());
    let whole = unchecked.is_empty() && unexercised.is_empty();
    assert_eq!(*code, if whole { 0 } else { 1 });
}

#[test]
fn coverage_of_one_requirement_is_counted() {
    let rows = COVERAGE.1["requirements"].as_array().unwrap();
    let mut rows = rows.iter().filter(|row| row["id"] == "DAG-03");
    let (Some(row), None) = (rows.next(), rows.next()) else {
        panic!("DAG-03 is not there once")
    };
    let coverage = &row["coverage"];
    assert_eq!(coverage["gap"], Value::Null);
    assert_eq!(coverage["invariants"][0], "dags-work-once");
    assert_eq!(coverage["rules"][0], "dag-single-use");
    let stories = coverage["stories"].as_array().unwrap();
    assert!(!stories.is_empty());
    for story in stories {
        assert!(story["checked"].as_u64().unwrap() > 0, "{story}");
    }
}

#[test]
fn every_requirement_is_counted_once() {
    let totals = COVERAGE.1["totals"].as_array().unwrap();
    let counts = totals.iter().map(|total| total["all"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), catalogue().len() as u64);
}

#[test]
fn coverage_is_told_of_what_was_asked_for() {
    let (code, text) = told(&["requirements", "dag-03", "--coverage"]);
    assert_eq!(code, 0);
    assert!(text.contains("invariants: dags-work-once"), "{text}");
    let totals = text.lines().filter(|line| line.contains(" unchecked, "));
    let totals: Vec<&str> = totals.collect();
    assert_eq!(totals, ["1 MUST: 0 unchecked, 0 unexercised"], "{text}");
}

/// Each rule, turned off alone, breaks a promise it keeps in some story, or there is a reason why none can show
/// it. The snapshot says which promises break; a story that no longer shows what it did shows in it. `.ci/run`
/// has the release build tell it.
#[test]
#[ignore = "it tells every story once for each of its rules"]
fn every_rule_that_is_turned_off_is_caught() {
    let (code, matrix) = json(&["rules", "--matrix"]);
    assert_eq!(code, 0);
    let unseen: BTreeMap<&str, &str> = UNSEEN.iter().copied().collect();
    assert_eq!(unseen.len(), UNSEEN.len(), "a rule is listed twice");
    let mut uncaught = BTreeSet::new();
    let mut caught = String::new();
    for row in matrix["switches"].as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let broken = row["caught"].as_array().unwrap().iter();
        let broken: Vec<&str> = broken
            .map(|broken| broken["requirement"].as_str().unwrap())
            .collect();
        if !row["is_caught"].as_bool().unwrap() {
            uncaught.insert(name);
            let why = unseen.get(name).copied().unwrap_or_default();
            assert!(!why.trim().is_empty(), "nothing says why {name} is unseen");
            // A story that cannot be told without the rule shows it as well.
            let untellable = row["untellable"].as_array().unwrap();
            assert!(!untellable.is_empty(), "{name} shows nowhere");
        }
        caught.push_str(&format!("{name}: {}\n", broken.join(" ")));
    }
    assert_eq!(uncaught, unseen.keys().copied().collect());
    insta::assert_snapshot!(caught);
}
