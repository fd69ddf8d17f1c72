//! What the library covers, counted by the binary.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use assay_model::catalogue::catalogue;
use serde_json::Value;

/// MUSTs that something looks at, but that no story gets to. One that a story gets to has to leave the
/// list.
const UNEXERCISED: &[&str] = &[];

/// Rules that no story shows to matter when they are turned off, and why. One that a story shows has to leave
/// the list.
const UNSEEN: &[(&str, &str)] = &[];

fn told(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text)
}

fn json(arguments: &[&str]) -> (i32, Value) {
    let (code, text) = told(&[arguments, &["--format", "json"]].concat());
    (code, serde_json::from_str(&text).unwrap())
}

/// A MUST may only be a gap while it is marked unchecked in the catalogue, where a mark that is no longer
/// true is an error, or stands in the list above.
#[test]
fn every_must_is_checked_and_exercised() {
    let (code, all) = json(&["requirements", "--coverage"]);
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
    assert_eq!(code, if whole { 0 } else { 1 });
}

#[test]
fn coverage_of_one_requirement_is_counted_and_told() {
    let (code, one) = json(&["requirements", "DAG-03", "--coverage"]);
    assert_eq!(code, 0);
    let [row] = one["requirements"].as_array().unwrap().as_slice() else {
        panic!("{one}")
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
    let (code, text) = told(&["requirements", "dag-03", "--coverage"]);
    assert_eq!(code, 0);
    let lines = [
        "invariants: dags-work-once",
        "1 MUST: 0 unchecked, 0 unexercised",
    ];
    for line in lines {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn the_summary_counts_every_requirement_once() {
    let (_, text) = told(&["requirements", "--coverage"]);
    let summary = text.lines().filter(|line| line.contains(" unchecked, "));
    let counts = summary.map(|line| line.split(' ').next().unwrap().parse::<usize>().unwrap());
    assert_eq!(counts.sum::<usize>(), catalogue().len());
}

/// Each rule, turned off alone, breaks a promise in some story, or there is a reason why none can show it.
/// The snapshot says which promises; a story that no longer shows what it did shows in it.
#[test]
#[ignore = "it tells the whole library once for every rule"]
fn every_rule_that_is_turned_off_is_caught() {
    let (code, matrix) = json(&["rules", "--matrix"]);
    assert_eq!(code, 0);
    let unseen: BTreeMap<&str, &str> = UNSEEN.iter().copied().collect();
    let mut uncaught = BTreeSet::new();
    let mut caught = String::new();
    for row in matrix["switches"].as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let broken = row["caught"].as_array().unwrap().iter();
        let broken: Vec<&str> = broken
            .map(|broken| broken["requirement"].as_str().unwrap())
            .collect();
        let kept = row["keeps"].as_array().unwrap();
        if !kept
            .iter()
            .any(|kept| broken.contains(&kept.as_str().unwrap()))
        {
            uncaught.insert(name);
        }
        caught.push_str(&format!("{name}: {}\n", broken.join(" ")));
    }
    assert_eq!(uncaught, unseen.keys().copied().collect());
    insta::assert_snapshot!(caught);
}
