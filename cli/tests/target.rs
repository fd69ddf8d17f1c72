//! `assay target` as it is used.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

fn assay(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    let ran = command.args(arguments).stdin(Stdio::null()).output();
    let ran = ran.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        ran.status.code().unwrap(),
        text(ran.stdout),
        text(ran.stderr),
    )
}

/// A target whose network and nodes are these commands of our own.
fn written(folder: &Path, init: &str, start: &str) -> String {
    let path = folder.join("target.toml");
    let text = format!(
        r#"
name = "ours"
description = "Commands that are no nodes"
[commands]
init = ["{{self}}", {init}]
start = ["{{self}}", {start}, "{{rpc}}", "{{peer}}"]
[data]
paths = ["."]
keeps_history = false
"#
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn built_in_targets_are_listed_and_shown() {
    let (code, listed, _) = assay(&["target", "list"]);
    assert_eq!(code, 0);
    for name in ["reference", "reference-real-time", "kwild"] {
        assert!(
            listed
                .lines()
                .any(|line| line.split(' ').next() == Some(name))
        );
        let (code, shown, _) = assay(&["target", "show", name]);
        assert_eq!(code, 0);
        assert!(shown.contains(&format!("name = \"{name}\"")));
    }
    let (code, _, told) = assay(&["target", "show", "referenc"]);
    assert_eq!(code, 64);
    assert!(told.contains("did you mean `reference`?"), "{told}");
}

#[test]
fn a_bad_target_file_is_64_and_is_shown_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "\"{nod}\"", "\"run\"");
    let (code, out, told) = assay(&["target", "check", &path]);
    assert_eq!((code, out.as_str()), (64, ""));
    for part in [
        "there is no placeholder `{nod}` here",
        "target.toml:5:",
        "known here",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    let (code, _, told) = assay(&["target", "check", "nowhere.toml"]);
    assert_eq!(code, 64);
    assert!(told.contains("there is no file `nowhere.toml`"), "{told}");
}

#[test]
fn a_target_that_does_not_start_is_69_and_its_logs_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("network");
    let path = written(folder.path(), "\"rules\"", "\"rules\"");
    let asked = ["target", "check", &path, "--dir", dir.to_str().unwrap()];
    let (code, out, _) = assay(&asked);
    assert_eq!(code, 69, "{out}");
    assert!(out.contains("FAILED   init"), "{out}");
    assert!(out.contains("made no home for n1"), "{out}");
    assert!(out.contains("not fit for stories"), "{out}");
    assert!(dir.join("logs").is_dir());

    let other = folder.path().join("other");
    let asked = ["target", "check", &path, "--dir", other.to_str().unwrap()];
    let (code, out, _) = assay(&[&asked[..], &["--format", "json"]].concat());
    assert_eq!(code, 69);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["exit_code"], 69);
    assert_eq!(told["steps"][0]["outcome"], "failed");
    assert_eq!(told["steps"][1]["outcome"], "skipped");
}
