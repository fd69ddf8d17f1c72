//! The node as it is used from the command line: founding, running, stopping, looking inside.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn assay(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.arg("node").args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("ASSAY_NODE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Exit code, standard output and standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = assay(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

fn check_refused(arguments: &[&str], code: i32, told: &str) {
    let (found, stdout, stderr) = run(arguments);
    assert_eq!((found, &*stdout), (code, ""), "{arguments:?}\n{stderr}");
    // Long lines are wrapped for people, at any place.
    let plain = |text: &str| text.replace(|c: char| c.is_whitespace() || c == '│', "");
    assert!(
        plain(&stderr).contains(&plain(told)),
        "{told} is not in\n{stderr}"
    );
}

/// A process that does not outlive the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn start(arguments: &[&str]) -> Process {
        let mut command = assay(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Process(command.spawn().unwrap())
    }

    /// Asks it to end; exit code and what else it said on standard error.
    fn terminate(mut self, mut stderr: impl Read) -> (i32, String) {
        let pid = self.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(told.success());
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        (self.0.wait().unwrap().code().unwrap(), rest)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_cannot_be_meant_is_bad_usage() {
    let home = tempfile::tempdir().unwrap();
    let there = text(home.path());
    check_refused(&[], 64, "a node needs its directory");
    check_refused(&["--home", there], 64, "genesis.json: No such file");
    check_refused(
        &["--home", there, "--peer", "n2"],
        64,
        "written n2=127.0.0.1:6602",
    );
    check_refused(
        &["--home", there, "--log", "yaml"],
        64,
        "neither `json` nor `text`",
    );
    check_refused(
        &["--home", there, "--log-level", "a=b=c"],
        64,
        "log level `a=b=c`",
    );
    check_refused(&["--cluster", "4"], 64, "--dir");
    check_refused(
        &["--cluster", "0", "--dir", there],
        64,
        "0 is not in 1..=100",
    );
    check_refused(
        &["init", "--dir", there, "--leader", "n5"],
        64,
        "known here: n1 to n4",
    );
    check_refused(
        &["init", "--dir", there, "--rule", "dag-single-us=off"],
        64,
        "did you mean",
    );
    check_refused(
        &["init", "--dir", there, "--propose-ms", "0"],
        64,
        "timing.propose_ms",
    );
    check_refused(&["inspect", "--home", there], 64, "genesis.json");
}

#[test]
fn a_network_is_founded_once() {
    let home = tempfile::tempdir().unwrap();
    let there = text(home.path());
    let founding = [
        "init",
        "--dir",
        there,
        "--seed",
        "7",
        "--rule",
        "sealed-content=off",
    ];
    let (code, stdout, stderr) = run(&founding);
    assert_eq!((code, &*stderr), (0, ""), "{stdout}");
    assert!(stdout.contains("documented sealed-content=off"), "{stdout}");
    check_refused(&founding, 64, "not overwritten");
    let genesis = std::fs::read_to_string(home.path().join("n3/genesis.json")).unwrap();
    let genesis: Value = serde_json::from_str(&genesis).unwrap();
    assert_eq!(genesis["rules_off"], serde_json::json!(["sealed-content"]));
    let node = text(&home.path().join("n1")).to_owned();
    check_refused(&["inspect", "--home", &node], 64, "the node has never run");
}

#[test]
fn a_node_runs_until_it_is_told_to_end_and_can_be_looked_into() {
    let home = tempfile::tempdir().unwrap();
    run(&[
        "init",
        "--dir",
        text(home.path()),
        "--nodes",
        "1",
        "--seed",
        "7",
    ]);
    let path = home.path().join("n1");
    let node = text(&path);
    let key = std::fs::read_to_string(path.join("node.key")).unwrap();
    let free = "127.0.0.1:0";
    let arguments = [
        "--home",
        node,
        "--rpc",
        free,
        "--peers-listen",
        free,
        "--log",
        "json",
        "--time-file",
        "/nowhere/time.json",
    ];
    let mut process = Process::start(&arguments);
    let mut log = BufReader::new(process.0.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("\"message\":\"restored\"") {
        let read = log.read_line(&mut said).unwrap();
        assert!(read > 0, "the node ends too early:\n{said}");
    }
    assert!(said.contains("\"message\":\"listening\""), "{said}");
    assert!(said.contains("the clock is set from outside"), "{said}");
    check_refused(&["inspect", "--home", node], 69, "already open");
    let (code, rest) = process.terminate(log);
    assert_eq!(code, 0, "{said}{rest}");
    assert!(rest.contains("\"message\":\"stopped\""), "{rest}");
    assert!(
        !format!("{said}{rest}").contains(key.trim()),
        "the key is in the log"
    );
    let (code, stdout, stderr) = run(&["inspect", "--home", node]);
    assert_eq!((code, &*stderr), (0, ""));
    let seen: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&seen["height"], &seen["node"]),
        (&Value::from(0), &Value::from("n1"))
    );
}

#[test]
fn a_local_network_says_where_it_is_and_ends_when_told() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("net");
    let there = text(&directory);
    let mut process = Process::start(&["--cluster", "4", "--dir", there, "--format", "json"]);
    let mut line = String::new();
    let mut stdout = BufReader::new(process.0.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let stderr = process.0.stderr.take().unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(said["schema"], "assay.cluster/1");
    let nodes = said["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 4);
    for node in nodes {
        let rpc = node["rpc"].as_str().unwrap();
        let address = rpc
            .trim_start_matches("http://")
            .trim_end_matches("/rpc/v1");
        std::net::TcpStream::connect(address).unwrap();
    }
    let (code, rest) = process.terminate(stderr);
    assert_eq!((code, &*rest), (0, ""));
    check_refused(
        &["--cluster", "3", "--dir", there],
        64,
        "a network of 4 nodes, not 3",
    );
}
