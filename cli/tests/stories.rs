//! The main job, as a person or a CI runs it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn assay(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let Output { status, stdout, .. } = Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap())
}

fn check(arguments: &[&str], code: i32, told: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let (exit, stdout) = assay(directory.path(), arguments);
    assert_eq!(exit, code, "{arguments:?}\n{stdout}");
    for told in told {
        assert!(stdout.contains(told), "{told:?} is not in\n{stdout}");
    }
}

#[test]
fn the_whole_library_is_told_and_names_every_story_and_requirement() {
    let directory = tempfile::tempdir().unwrap();
    let (exit, stdout) = assay(directory.path(), &["run"]);
    assert_eq!(exit, 0, "{stdout}");
    for story in assay_scenarios::library() {
        assert!(stdout.contains(&story.name), "{} is not named", story.name);
    }
    for file in ["report.txt", "report.json", "junit.xml"] {
        assert!(directory.path().join("assay-report").join(file).is_file());
    }
    let (_, json) = assay(directory.path(), &["run", "--format", "json"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    let listed = report["scenarios"][0]["requirements"].as_array().unwrap();
    assert_eq!(listed.len(), assay_model::catalogue::catalogue().len());
}

#[test]
fn one_seed_gives_one_digest_in_any_process_and_on_any_number_of_threads() {
    let digest = |jobs: &str| {
        let directory = tempfile::tempdir().unwrap();
        let arguments = [
            "run",
            "consensus",
            "--seed",
            "7",
            "--format",
            "json",
            "--jobs",
            jobs,
        ];
        let (exit, json) = assay(directory.path(), &arguments);
        assert_eq!(exit, 0, "{json}");
        let report: Value = serde_json::from_str(&json).unwrap();
        report["digest"].as_str().unwrap().to_owned()
    };
    let first = digest("1");
    assert_eq!((digest("1"), digest("2")), (first.clone(), first));
}

#[test]
fn a_story_that_is_meant_to_break_is_green_and_says_so_and_red_without_its_mark() {
    let story = "broken/dag-replayed";
    check(
        &["run", story],
        0,
        &["broke DAG-03, DAG-04 as it says it does"],
    );
    let red = [
        "VIOLATED dags-work-once",
        "replay: assay replay broken/dag-replayed --seed 1",
    ];
    check(&["run", story, "--as-written"], 1, &red);
}

#[test]
fn a_mark_without_a_break_is_stale() {
    check(
        &["run", "broken/dag-replayed", "--rules", "documented"],
        1,
        &[],
    );
    let directory = tempfile::tempdir().unwrap();
    let mut story = assay_scenarios::find("grants/rescind")
        .unwrap()
        .text
        .to_string();
    story.push_str("\nbreaks = [\"DAG-03\"]\n");
    std::fs::write(directory.path().join("stale.toml"), story).unwrap();
    let (exit, stdout) = assay(directory.path(), &["run", "stale.toml"]);
    assert_eq!(exit, 3, "{stdout}");
}

#[test]
fn a_fault_without_effect_is_inconclusive() {
    let directory = tempfile::tempdir().unwrap();
    let story = r#"
        claim = "Nothing happens, slowly."
        actors = { users = ["alice"], issuers = ["kyc-co"] }
        steps = [{ at = "1s", by = "alice", do = "list" }]
        faults = [{ at = "5s", fault = "slow", delay = "1s", for = "1s" }]
    "#;
    std::fs::write(directory.path().join("idle.toml"), story).unwrap();
    let (exit, stdout) = assay(directory.path(), &["run", "idle.toml"]);
    assert_eq!(exit, 2, "{stdout}");
    assert!(stdout.contains("the fault had no effect"), "{stdout}");
}

#[test]
fn the_deployed_schema_breaks_a_promise_and_the_report_explains_it() {
    let arguments = ["run", "grants/two-grantees", "--rules", "deployed"];
    check(
        &arguments,
        1,
        &[
            "VIOLATED",
            "GRANT-09",
            "because:",
            "rescind_shared_credential",
        ],
    );
    let replay = [
        "replay",
        "grants/two-grantees",
        "--seed",
        "1",
        "--rules",
        "deployed",
    ];
    check(&replay, 1, &["auditor", "rescind_shared_credential"]);
}

#[test]
fn the_story_of_the_readme_holds() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme
        .split_once("```toml\n")
        .expect("the README tells a story");
    let (story, _) = rest.split_once("```").expect("the story ends");
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("my-story.toml"), story).unwrap();
    let (exit, stdout) = assay(
        directory.path(),
        &["run", "my-story.toml", "--seeds", "1..20"],
    );
    assert_eq!(exit, 0, "{stdout}");
}

/// What a person takes home from a run under today's rules: which promises break, and how to see each.
#[test]
fn under_deployed_rules_the_report_ends_in_what_breaks_and_how_to_see_it() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "run", "--rules", "deployed", "--crypto", "symbolic", "--format", "json",
    ];
    let (exit, json) = assay(directory.path(), &arguments);
    assert_eq!(exit, 1);
    let report: Value = serde_json::from_str(&json).unwrap();
    let requirements = report["totals"]["requirements"].as_array().unwrap();
    let failed = requirements.iter().filter(|row| row["outcome"] == "failed");
    let failed: Vec<&Value> = failed.map(|row| &row["id"]).collect();
    let broken = report["broken"].as_array().unwrap();
    let surprising = broken.iter().filter(|broken| broken["announced"] == false);
    let listed: Vec<&Value> = surprising.map(|broken| &broken["requirement"]).collect();
    assert_eq!(listed, failed);
    // The deployed schema's own actions, by the names of its file (idos-facts part 3).
    for (id, called) in [
        ("WAL-05", "add_wallet"),
        ("WAL-07", "upsert_wallet_as_inserter"),
        ("USR-03", "update_user_pub_key_as_inserter"),
        ("CRED-05", "upsert_credential_as_inserter"),
        ("GRANT-09", "rescind_shared_credential"),
        ("DAG-03", "create_ag_by_dag_for_copy"),
        ("DEL-04", "remove_credential"),
        ("GOV-03", "delete_delegate_as_owner"),
    ] {
        let shown = broken.iter().find(|broken| broken["requirement"] == id);
        let shown = shown.unwrap_or_else(|| panic!("{id} is not broken"));
        let calls = shown["calls"].as_array().unwrap();
        assert!(calls.contains(&called.into()), "{shown}");
        let place = shown["step"]["place"].as_str().unwrap();
        assert!(place.starts_with("scenarios/library/"), "{shown}");
    }
    let text = std::fs::read_to_string(directory.path().join("assay-report/report.txt")).unwrap();
    let section = text
        .find("Broken requirements, each with one story")
        .unwrap();
    assert!(section > text.rfind("VIOLATED").unwrap());
    for id in listed {
        let id = id.as_str().unwrap();
        assert!(text[section..].contains(&format!("\n  {id} ")), "{id}");
    }
}
