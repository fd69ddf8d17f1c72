//! The binary as it is used: exit codes, bad usage, and the commands that run nothing.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use assay_model::rules::Switch;
use serde_json::Value;

fn assay(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = assay(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn json(arguments: &[&str]) -> Value {
    let (code, stdout, stderr) = run(&[arguments, &["--format", "json"]].concat());
    assert_eq!((code, stderr.as_str()), (0, ""), "{arguments:?}");
    assert_eq!(stdout.lines().count(), 1, "one object on one line");
    serde_json::from_str(&stdout).unwrap()
}

fn check_refused(arguments: &[&str], told: &[&str]) {
    let (code, stdout, stderr) = run(arguments);
    assert_eq!((code, stdout.as_str()), (64, ""), "{arguments:?}\n{stderr}");
    for told in told {
        assert!(stderr.contains(told), "{told} is not in\n{stderr}");
    }
}

fn some_story() -> String {
    let stories = json(&["scenarios", "list"]);
    stories["scenarios"][0]["name"].as_str().unwrap().to_owned()
}

#[test]
fn bad_usage_is_64_and_says_what_is_known() {
    check_refused(&["repla"], &["repla", "replay"]);
    check_refused(&["run", "--sede", "1"], &["--sede", "--seed"]);
    check_refused(&["run", "--seeds", "9..1"], &["no seed from 9 to 1"]);
    check_refused(&["run", "--seeds", "nine"], &["A..B", "both ends"]);
    check_refused(
        &["run", "--seed", "1", "--seeds", "1..2"],
        &["cannot be used with"],
    );
    check_refused(&["run", "--jobs", "0"], &["--jobs"]);
    check_refused(&["run", "--rules", "mine"], &["documented", "deployed"]);
    check_refused(
        &["run", "--rule", "dag-single-us=off"],
        &["did you mean `dag-single-use`?"],
    );
    check_refused(
        &["run", "--rule", "dag-single-use=maybe"],
        &["`on`", "`off`"],
    );
    check_refused(
        &["run", "--seeds", "0..18446744073709551615"],
        &["split the seeds"],
    );
    check_refused(&["replay"], &["FILE|NAME"]);
    check_refused(
        &["rules", "dag-singel-use"],
        &["did you mean `dag-single-use`?"],
    );
    check_refused(&["requirements", "GRANT-5"], &["did you mean `GRANT-0"]);
    check_refused(&["completions", "cobol"], &["bash", "zsh"]);
    check_refused(&["scenarios", "validate"], &["FILE"]);
}

#[test]
fn a_misspelt_scenario_is_suggested() {
    let name = some_story();
    let misspelt = &name[..name.len() - 1];
    let told = format!("did you mean `{name}`?");
    let expected = [misspelt, told.as_str()];
    check_refused(&["run", misspelt], &expected);
    check_refused(&["replay", misspelt], &expected);
    check_refused(&["scenarios", "show", misspelt], &expected);
}

#[test]
fn all_bad_files_are_told_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (one, other, missing, out) = (
        path("one.toml"),
        path("other.toml"),
        path("missing.toml"),
        path("out"),
    );
    for file in [&one, &other] {
        std::fs::write(file, "not a story\n").unwrap();
    }
    check_refused(
        &["run", &one, &other, &missing, "--out", &out],
        &["one.toml", "other.toml", "missing.toml"],
    );
    assert!(!Path::new(&out).exists());

    let (code, stdout, stderr) = run(&["scenarios", "validate", &one, &other, &missing]);
    assert_eq!((code, stdout.as_str()), (64, ""));
    for name in ["one.toml", "other.toml", "missing.toml"] {
        assert!(stderr.contains(name), "{stderr}");
    }
}

#[test]
fn what_the_library_shows_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("copy.toml");
    let (code, text, _) = run(&["scenarios", "show", &some_story()]);
    assert_eq!(code, 0);
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let (code, stdout, stderr) = run(&["scenarios", "validate", &file]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout, format!("{file}: good\n"));
}

#[test]
fn a_place_that_cannot_be_written_to_is_told_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("taken");
    std::fs::write(&file, "").unwrap();
    check_refused(
        &["run", "--out", file.to_str().unwrap()],
        &["taken", "--out"],
    );
}

#[test]
fn machines_are_told_of_bad_input_too() {
    let (code, stdout, _) = run(&["run", "no/such/story", "--format", "json"]);
    let value: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &value["exit_code"]), (64, &64.into()));
    assert_eq!(value["schema"], "assay.error/1");
    let message = value["problems"][0]["message"].as_str().unwrap();
    assert!(message.contains("no/such/story"), "{message}");
}

#[test]
fn requirements_are_listed_and_explained() {
    let all = json(&["requirements"]);
    assert_eq!(all["schema"], "assay.requirements/2");
    assert_eq!(all["requirements"].as_array().unwrap().len(), 121);
    let (code, text, _) = run(&["requirements", "grant-05"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(text);
    let covered = json(&["requirements", "DAG-03", "--coverage"]);
    let rules = &covered["requirements"][0]["coverage"]["rules"];
    assert_eq!(rules[0], "dag-single-use");
    // Every id has a line of its own.
    let (_, text, _) = run(&["requirements"]);
    for requirement in all["requirements"].as_array().unwrap() {
        let start = format!("  {:<8}  ", requirement["id"].as_str().unwrap());
        assert!(text.lines().any(|line| line.starts_with(&start)), "{start}");
    }
}

#[test]
fn rules_are_listed_marked_and_explained() {
    let all = json(&[
        "rules",
        "--rules",
        "deployed",
        "--rule",
        "dag-single-use=on",
    ]);
    let switches = all["switches"].as_array().unwrap();
    let on: Vec<&str> = switches
        .iter()
        .filter(|switch| switch["on"] == true)
        .map(|switch| switch["name"].as_str().unwrap())
        .filter(|name| !Switch::parse(name).unwrap().is_on_today())
        .collect();
    assert_eq!(on, ["dag-single-use"]);
    assert_eq!(all["rules"], "deployed dag-single-use=on");
    let (code, text, _) = run(&["rules", "dag-single-use"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(text);
    let (_, text, _) = run(&["rules"]);
    for switch in switches {
        assert!(text.contains(switch["name"].as_str().unwrap()));
    }
}

#[test]
fn scenarios_are_listed_and_shown() {
    let name = some_story();
    let (code, text, _) = run(&["scenarios"]);
    assert_eq!(code, 0);
    assert!(text.starts_with(&name), "{text}");
    let shown = json(&["scenarios", "show", &name]);
    assert_eq!(shown["name"], name);
    assert!(shown["plan"]["nodes"].is_u64(), "{shown}");
    let schema = json(&["scenarios", "schema"]);
    assert!(schema.is_object());
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, script, _) = run(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(script.contains("as-written"), "{shell}");
    }
    assert_eq!(json(&["completions", "fish"])["shell"], "fish");
}

#[test]
fn help_is_no_failure_and_tells_the_exit_codes() {
    let (code, stdout, stderr) = run(&["--help"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    for told in ["70 69 64 1 3 2 4 0", "assay-report"] {
        let words: Vec<&str> = stdout.split_whitespace().collect();
        assert!(words.join(" ").contains(told), "{stdout}");
    }
    let (code, stdout, _) = run(&["--version"]);
    assert_eq!((code, stdout.starts_with("assay ")), (0, true));
}

#[test]
fn a_reader_that_leaves_early_is_no_trouble() {
    let mut child = assay(&["requirements", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    let mut pipe = child.stderr.take().unwrap();
    pipe.read_to_string(&mut stderr).unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), stderr.as_str()),
        (Some(0), "")
    );
}
