//! The same stories in three worlds, and a certification, as they are asked for on the command line.

use std::process::Command;

use serde_json::Value;

fn assay(arguments: &[&str]) -> (i32, String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_assay"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        run.status.code().unwrap(),
        text(run.stdout),
        text(run.stderr),
    )
}

#[test]
fn stories_come_to_the_same_in_every_world() {
    let out = tempfile::tempdir().unwrap();
    let stories = [
        "broken/dag-replayed",
        "consensus/leader-replaced",
        "faults/killed-under-load",
        "grants/five-years",
        "grants/lock-boundary",
        "privacy/plaintext",
    ];
    let mut arguments = vec!["run", "--world", "sim,turmoil,live", "--format", "json"];
    arguments.extend(["--out", out.path().to_str().unwrap()]);
    arguments.extend(stories);
    let (code, stdout, stderr) = assay(&arguments);
    assert_eq!(code, 0, "{stdout}\n{stderr}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["schema"], "assay.worlds/1");
    let rows = report["stories"].as_array().unwrap();
    assert_eq!(rows.len(), stories.len());
    for row in rows {
        assert_eq!(row["agree"], true, "{row}");
    }
}

#[test]
fn what_the_live_world_cannot_do_is_said_before_anything_runs() {
    let (code, _, stderr) = assay(&["run", "--world", "live", "--crypto", "symbolic"]);
    assert_eq!(code, 64);
    assert!(stderr.contains("real cryptography"), "{stderr}");
    let (code, _, stderr) = assay(&["run", "--world", "live", "--target", "refrence"]);
    assert_eq!(code, 64);
    assert!(stderr.contains("did you mean `reference`"), "{stderr}");
    let (code, _, stderr) = assay(&["certify", "--profile", "cores"]);
    assert_eq!(code, 64);
    assert!(
        stderr.contains("known here: core, storage, full"),
        "{stderr}"
    );
}

#[test]
fn a_target_that_does_not_start_is_69_and_says_what_was_tried() {
    let dir = tempfile::tempdir().unwrap();
    let reference = include_str!("../../conformance/targets/reference.toml");
    let broken = reference.replacen(
        "\"{self}\", \"node\", \"--home\"",
        "\"{self}\", \"nood\", \"--home\"",
        1,
    );
    assert_ne!(broken, reference);
    let file = dir.path().join("broken.toml");
    std::fs::write(&file, broken).unwrap();
    let out = dir.path().join("out");
    let (code, stdout, _) = assay(&[
        "run",
        "grants/lock-boundary",
        "--world",
        "live",
        "--target",
        file.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(code, 69, "{stdout}");
    assert!(stdout.contains("n1 did not start"), "{stdout}");
    assert!(stdout.contains("nood"), "{stdout}");
}
