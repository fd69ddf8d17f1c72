//! The node as it is used from the command line: founding, running, stopping, looking inside.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

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

/// A node of a network of four, on an address of the loopback network that is this test's own.
struct Member {
    process: Process,
    /// The height of each block it commits, by replay or not.
    commits: mpsc::Receiver<u64>,
}

impl Member {
    fn start(home: &Path, place: usize) -> Member {
        let pid = std::process::id();
        let [_, _, a, b] = pid.to_be_bytes();
        let at = |place: usize, port: u16| format!("127.{a}.{b}.{}:{port}", place + 100);
        let directory = home.join(format!("n{place}"));
        let (peers_listen, rpc) = (at(place, 6_600), at(place, 8_484));
        let mut arguments = vec![
            "--home".to_owned(),
            text(&directory).to_owned(),
            "--peers-listen".to_owned(),
            peers_listen,
            "--rpc".to_owned(),
            rpc,
            "--log".to_owned(),
            "json".to_owned(),
        ];
        for peer in (1..=4).filter(|peer| *peer != place) {
            arguments.push("--peer".to_owned());
            arguments.push(format!("n{peer}={}", at(peer, 6_600)));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut process = Process::start(&arguments);
        let log = BufReader::new(process.0.stderr.take().unwrap());
        let (tell, commits) = mpsc::channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line).unwrap();
                if line["message"] == "committed" {
                    // The test may have seen enough.
                    let _ = tell.send(line["height"].as_u64().unwrap());
                }
            }
        });
        Member { process, commits }
    }

    /// Waits for a block of at least this height.
    fn wait_for(&self, height: u64) {
        loop {
            let told = self.commits.recv_timeout(Duration::from_secs(60));
            if told.expect("the node goes on") >= height {
                return;
            }
        }
    }
}

#[test]
fn four_processes_agree_though_one_is_killed_again_and_again() {
    let home = tempfile::tempdir().unwrap();
    let there = text(home.path());
    let founding = [
        "init",
        "--dir",
        there,
        "--empty-block-ms",
        "50",
        "--resend-ms",
        "200",
    ];
    assert_eq!(run(&founding).0, 0);
    let mut members: BTreeMap<usize, Member> = (1..=4)
        .map(|place| (place, Member::start(home.path(), place)))
        .collect();
    let mut height = 3;
    members[&2].wait_for(height);
    for victim in [2, 3, 1, 2] {
        // What drops here is killed with signal 9.
        members.remove(&victim);
        if victim != 1 {
            height += 2;
            members[&4].wait_for(height);
        }
        members.insert(victim, Member::start(home.path(), victim));
        height += 2;
        members[&victim].wait_for(height);
    }
    for member in members.values() {
        member.wait_for(height);
    }
    for (_, member) in members {
        let nothing = std::io::empty();
        assert_eq!(member.process.terminate(nothing).0, 0);
    }
    let mut hashes = BTreeMap::new();
    for place in 1..=4 {
        let directory = home.path().join(format!("n{place}"));
        let (code, stdout, stderr) = run(&["inspect", "--home", text(&directory)]);
        assert_eq!(code, 0, "{stderr}");
        let seen: Value = serde_json::from_str(&stdout).unwrap();
        let reached = seen["height"].as_u64().unwrap();
        assert!(reached >= height, "n{place} has lost blocks: {reached}");
        let hash = seen["app_hash"].clone();
        let other = hashes.entry(reached).or_insert_with(|| hash.clone());
        assert_eq!(*other, hash, "n{place} at height {reached}");
    }
}
