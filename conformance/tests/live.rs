//! Networks of processes, with a fake node in place of a real one: its executable is this test.

mod fake;

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assay_conformance::live::check::{self, Outcome, Step};
use assay_conformance::live::process::MARK;
use assay_conformance::live::target::Target;
use assay_conformance::live::{Live, NetworkPlan};
use assay_conformance::venue::{Link, Trouble, Venue, Way};
use assay_model::id::{Height, NodeId};
use assay_model::rules::Switch;
use assay_node::runtime::Skew;
use assay_scenarios::Source;
use libtest_mimic::{Arguments, Trial};

const N1: NodeId = NodeId(0);
const N2: NodeId = NodeId(1);

fn target(flaw: &str, change: impl Fn(String) -> String) -> Target {
    let text = include_str!("fake/target.toml").replace("FLAW", flaw);
    let source = Source {
        name: "fake".to_owned(),
        path: "fake.toml".to_owned(),
        text: change(text).into(),
    };
    Target::parse(&source).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn plan() -> NetworkPlan {
    check::plan(std::env::current_exe().unwrap())
}

async fn open(target: &Target, dir: &Path) -> Live {
    Live::open(target, plan(), dir).await.unwrap()
}

async fn up(live: &mut Live, node: NodeId) {
    live.start(node).await.unwrap();
    live.ready(node).await.unwrap();
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never seen: {what}");
}

/// Processes anywhere on this machine that belong to a network in this directory.
fn processes_of(dir: &Path) -> Vec<PathBuf> {
    let mark = format!("{MARK}={}/", dir.canonicalize().unwrap().display());
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path = entry.ok()?.path();
        let environment = fs::read(path.join("environ")).ok()?;
        let mut parts = environment.split(|byte| *byte == 0);
        parts
            .any(|part| part.starts_with(mark.as_bytes()))
            .then_some(path)
    });
    processes.collect()
}

async fn checked(target: &Target) -> Vec<Step> {
    let folder = tempfile::tempdir().unwrap();
    let mut told = Vec::new();
    let steps = check::check(target, plan(), folder.path(), &mut |step| {
        told.push(step.clone());
    })
    .await;
    assert_eq!(told, steps);
    assert_eq!(processes_of(folder.path()), Vec::<PathBuf>::new());
    steps
}

/// The first step that failed, and what was seen.
async fn first_failure(flaw: &str) -> (&'static str, String) {
    let steps = checked(&target(flaw, |text| text)).await;
    let failed = steps
        .into_iter()
        .find(|step| step.outcome == Outcome::Failed);
    let failed = failed.unwrap_or_else(|| panic!("a node with flaw `{flaw}` is found fit"));
    (failed.name, failed.seen)
}

async fn a_target_that_does_what_its_file_says_is_fit() {
    let steps = checked(&target("none", |text| text)).await;
    let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
    assert_eq!(names, check::STEPS);
    for step in &steps {
        assert_eq!(step.outcome, Outcome::Ok, "{step:?}");
    }
    assert_eq!(
        steps[9].seen,
        "height 1, 0 users, 1 credentials, 0 grants; n4 is up again"
    );
}

async fn what_a_target_does_not_claim_is_skipped() {
    let target = target("none", |text| {
        let kept = |line: &&str| !line.starts_with("inspect") && !line.starts_with("appoint");
        let lines: Vec<&str> = text.lines().filter(kept).collect();
        lines
            .join("\n")
            .replace("hook = \"time-file\"", "hook = \"none\"")
            .replace(
                "[capabilities]",
                "[capabilities]\ncannot = [\"pause\", \"stop\"]",
            )
    });
    let steps = checked(&target).await;
    let of = |outcome| -> Vec<&str> {
        let steps = steps.iter().filter(|step| step.outcome == outcome);
        steps.map(|step| step.name).collect()
    };
    assert_eq!(of(Outcome::Failed), Vec::<&str>::new(), "{steps:?}");
    let skipped = [
        "clock hook",
        "pause and resume",
        "stop",
        "inspect",
        "appoint",
    ];
    assert_eq!(of(Outcome::Skipped), skipped);
}

async fn every_flaw_shows_in_the_step_it_belongs_to() {
    let table = [
        ("init", "init", "no network today"),
        ("crash", "start", "the database is on fire"),
        (
            "chain",
            "ready",
            "in the network `another` and not in `assay-check`",
        ),
        ("deaf", "clock hook", "n1 was to skip 3600000 ms, but"),
        (
            "stubborn",
            "stop",
            "n4 did not end within 1 s and was killed",
        ),
        ("inspect", "inspect", "prints what is no inspection"),
        (
            "escape",
            "pause and resume",
            "n4 goes on after SIGSTOP to its process group",
        ),
    ];
    for (flaw, step, told) in table {
        let (failed, seen) = first_failure(flaw).await;
        assert_eq!(failed, step, "{flaw}: {seen}");
        assert!(seen.contains(told), "{flaw}: {told} is not in\n{seen}");
    }
}

async fn processes_outside_of_a_nodes_group_are_a_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let mut live = open(&target("escape", |text| text), folder.path()).await;
    up(&mut live, N1).await;
    let doubts = live.close().await;
    assert_eq!(doubts.len(), 1);
    let told = "left processes outside of its process group";
    assert!(doubts[0].contains(told), "{doubts:?}");
    assert_eq!(processes_of(folder.path()), Vec::<PathBuf>::new());
}

async fn a_node_that_goes_round_its_proxies_is_found() {
    let (step, seen) = first_failure("bypass").await;
    assert_eq!(step, "peers use their links", "{seen}");
    let folder = tempfile::tempdir().unwrap();
    let mut live = open(&target("bypass", |text| text), folder.path()).await;
    assert_eq!(live.doubts(), Vec::<String>::new());
    for node in live.plan().all() {
        live.start(node).await.unwrap();
    }
    let connected = "is connected to n2 at";
    eventually(connected, || {
        live.doubts().iter().any(|doubt| doubt.contains(connected))
    })
    .await;
}

async fn nothing_is_left_of_a_network_that_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    for flaw in ["none", "stubborn", "escape"] {
        let dir = folder.path().join(flaw);
        let mut live = open(&target(flaw, |text| text), &dir).await;
        for node in live.plan().all() {
            live.start(node).await.unwrap();
        }
        live.pause(N2).await.unwrap();
        assert!(processes_of(&dir).len() >= 4);
        drop(live);
        eventually("the end of all", || processes_of(&dir).is_empty()).await;
    }
}

async fn nothing_is_left_of_a_network_whose_task_panics_or_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    for (name, panics) in [("panics", true), ("waits", false)] {
        let dir = folder.path().join(name);
        let of_task = dir.clone();
        let (running, seen) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            let mut live = open(&target("none", |text| text), &of_task).await;
            live.start(N1).await.unwrap();
            running.send(()).unwrap();
            assert!(!panics, "this task is told to panic");
            std::future::pending::<()>().await;
        });
        seen.await.unwrap();
        task.abort();
        assert!(task.await.is_err());
        assert_eq!(processes_of(&dir), Vec::<PathBuf>::new());
    }
}

async fn disks_are_wiped_kept_and_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut live = open(&target("none", |text| text), folder.path()).await;
    let starts = async |live: &mut Live| live.inspect(N1).await.unwrap().unwrap().height;
    up(&mut live, N1).await;
    assert!(live.inspect(N1).await.is_err(), "it is up");
    assert!(live.wipe(N1).await.is_err(), "it is up");
    live.stop(N1).await.unwrap();
    assert_eq!(starts(&mut live).await, Height(1));
    assert!(live.roll_back(N1).await.is_err(), "there is no copy yet");
    live.keep_copy(N1).await.unwrap();
    up(&mut live, N1).await;
    live.kill(N1).await.unwrap();
    assert_eq!(starts(&mut live).await, Height(2));
    for _ in 0..2 {
        live.roll_back(N1).await.unwrap();
        assert_eq!(starts(&mut live).await, Height(1));
    }
    live.wipe(N1).await.unwrap();
    assert!(live.inspect(N1).await.is_err(), "nothing was ever started");
    up(&mut live, N1).await;
    assert_eq!(live.close().await, Vec::<String>::new());
}

async fn what_a_node_leaves_can_be_searched() {
    let folder = tempfile::tempdir().unwrap();
    let mut live = open(&target("none", |text| text), folder.path()).await;
    for node in [N1, N2] {
        up(&mut live, node).await;
    }
    let way = Way::Peers { from: N1, to: N2 };
    eventually("traffic", || live.passed(way) >= 10).await;
    live.set_link(way, Link::Stalled);
    eventually("bytes held back", || live.effect(way) > 0).await;
    for node in [N1, N2] {
        live.kill(node).await.unwrap();
    }
    let remains = live.remains(N2);
    let found = |paths: &[PathBuf], text: &str| {
        paths.iter().any(|path| {
            let path = if path.is_dir() {
                path.join("state")
            } else {
                path.clone()
            };
            String::from_utf8_lossy(&fs::read(path).unwrap()).contains(text)
        })
    };
    assert!(found(&remains.data, "started"));
    assert!(found(&remains.logs, "fake node at"));
    assert!(found(&remains.peer_traffic, "hello"));
    assert_eq!(live.truncated(), Vec::<PathBuf>::new());
    assert!(live.rpc(N1).ip().is_loopback());
}

async fn a_node_that_dies_is_down_and_can_be_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut live = open(&target("none", |text| text), folder.path()).await;
    up(&mut live, N1).await;
    for process in processes_of(folder.path()) {
        let pid: i32 = process
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
    eventually("its end", || !live.is_up(N1)).await;
    let Err(Trouble::Start { why, .. }) = live.ready(N1).await else {
        panic!("it is ready")
    };
    assert!(why.contains("signal: 9") && why.contains("n1.log"), "{why}");
    up(&mut live, N1).await;
}

async fn what_a_target_cannot_do_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let target = target("none", |text| {
        text.replace("hook = \"time-file\"", "hook = \"none\"")
            .replace(
                "[capabilities]",
                "[capabilities]\ncannot = [\"wipe\", \"pause\"]",
            )
    });
    let mut wrong = plan();
    wrong.rules = wrong.rules.with(Switch::DagSingleUse, false);
    let refused = Live::open(&target, wrong, folder.path()).await.err();
    let why = refused.expect("the rule is refused").to_string();
    assert!(
        why.contains("cannot turn rule `dag-single-use` off"),
        "{why}"
    );
    let mut live = open(&target, folder.path()).await;
    let again = Live::open(&target, plan(), folder.path()).await.err();
    assert!(
        again
            .expect("it is taken")
            .to_string()
            .contains("another directory")
    );
    for refused in [live.wipe(N1).await, live.pause(N1).await] {
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("target `fake` says so")
        );
    }
    assert!(live.set_clock(N1, Skew::default()).is_ok());
    let late = Skew {
        offset: -1,
        ..Skew::default()
    };
    assert!(live.set_clock(N1, late).is_err());
}

fn trial<F: Future<Output = ()>>(name: &str, test: impl Fn() -> F + Send + 'static) -> Trial {
    Trial::test(name.to_owned(), move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(test());
        Ok(())
    })
}

macro_rules! trials {
    ($($name:ident),+ $(,)?) => { vec![$(trial(stringify!($name), $name)),+] };
}

fn main() {
    if fake::play() {
        return;
    }
    let trials = trials![
        a_target_that_does_what_its_file_says_is_fit,
        what_a_target_does_not_claim_is_skipped,
        every_flaw_shows_in_the_step_it_belongs_to,
        processes_outside_of_a_nodes_group_are_a_doubt,
        a_node_that_goes_round_its_proxies_is_found,
        nothing_is_left_of_a_network_that_is_dropped,
        nothing_is_left_of_a_network_whose_task_panics_or_is_given_up,
        disks_are_wiped_kept_and_rolled_back,
        what_a_node_leaves_can_be_searched,
        a_node_that_dies_is_down_and_can_be_started_again,
        what_a_target_cannot_do_is_refused_with_a_reason,
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
