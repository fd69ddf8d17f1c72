//! The handshake with a target: whether it does what its file says, step by step.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assay_model::id::NodeId;
use assay_model::node::{Timing, USUAL_HISTORY};
use assay_model::rules::Rules;
use assay_model::time::WallMillis;
use assay_node::runtime::Skew;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::target::{ClockHook, Hardship, Target};
use super::{Live, NetworkPlan};
use crate::venue::{Trouble, Venue, Way};

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is as the file says.
    Ok,
    /// It is not.
    Failed,
    /// The file does not claim it, or an earlier step is missing.
    Skipped,
}

/// One step of the handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was tried.
    pub name: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// What was seen, or why not.
    pub seen: String,
}

/// Everything that is tried, in this order.
pub const STEPS: [&str; 13] = [
    "init",
    "start",
    "ready",
    "first block",
    "peers use their links",
    "clock hook",
    "pause and resume",
    "stop",
    "data",
    "inspect",
    "kill and restart",
    "appoint",
    "nothing left",
];

/// How far the clock hook moves clocks.
const SKIP: u64 = 3_600_000;
/// How long something that only the harness has to notice may take.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

/// The network a target is asked for: four nodes, quick blocks.
pub fn plan(assay: PathBuf) -> NetworkPlan {
    let now = jiff::Timestamp::now().as_millisecond();
    NetworkPlan {
        nodes: 4,
        chain_id: "assay-check".to_owned(),
        // Nobody has its key. Source: the examples of EIP-55.
        db_owner: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".to_owned(),
        seed: 1,
        genesis_time: WallMillis(now.unsigned_abs()),
        rules: Rules::documented(),
        timing: Timing {
            history: USUAL_HISTORY,
            propose: 500,
            poll: 200,
            empty_block: 1_000,
            resend: 1_000,
            broadcast: 15_000,
            challenge: 30_000,
            drift: 60_000,
        },
        leader: NodeId(0),
        balances: Vec::new(),
        sentries: BTreeSet::new(),
        assay,
    }
}

/// Carries the handshake out in a directory that holds no network yet, and tells each step as it is done.
/// Every process is gone when this returns, or when its future is dropped.
pub async fn check(
    target: &Target,
    plan: NetworkPlan,
    dir: &Path,
    tell: &mut dyn FnMut(&Step),
) -> Vec<Step> {
    let mut report = Report {
        steps: Vec::new(),
        tell,
    };
    let seen = format!("{} nodes in {}", plan.nodes, dir.display());
    match Live::open(target, plan, dir).await {
        Ok(live) => {
            report.note("init", Ok(Seen::Ok(seen)));
            Checker { live }.run(&mut report).await;
        }
        Err(trouble) => {
            report.note("init", Err(trouble.to_string()));
            report.skip_to("");
        }
    }
    report.steps
}

struct Report<'a> {
    steps: Vec<Step>,
    tell: &'a mut dyn FnMut(&Step),
}

enum Seen {
    Ok(String),
    /// The file does not claim it.
    Nothing(String),
}

type Tried = Result<Seen, String>;

impl Report<'_> {
    /// Whether one may go on.
    fn note(&mut self, name: &'static str, tried: Tried) -> bool {
        assert_eq!(name, STEPS[self.steps.len()], "steps have their order");
        let (outcome, seen) = match tried {
            Ok(Seen::Ok(seen)) => (Outcome::Ok, seen),
            Ok(Seen::Nothing(why)) => (Outcome::Skipped, why),
            Err(why) => (Outcome::Failed, why),
        };
        let step = Step {
            name,
            outcome,
            seen,
        };
        (self.tell)(&step);
        self.steps.push(step);
        outcome != Outcome::Failed
    }

    /// Notes what an earlier failure keeps from being tried, up to this step.
    fn skip_to(&mut self, name: &str) {
        while let Some(skipped) = STEPS.get(self.steps.len()).filter(|step| **step != name) {
            let why = "an earlier step failed".to_owned();
            self.note(skipped, Ok(Seen::Nothing(why)));
        }
    }
}

fn told(trouble: Trouble) -> String {
    trouble.to_string()
}

fn unclaimed(what: &str) -> Tried {
    Ok(Seen::Nothing(format!("the target {what}")))
}

struct Checker {
    live: Live,
}

impl Checker {
    async fn run(mut self, report: &mut Report<'_>) {
        let started = report.note("start", self.start().await);
        if started && report.note("ready", self.ready().await) {
            report.note("first block", self.first_block().await);
            report.note("peers use their links", self.links().await);
            report.note("clock hook", self.clock().await);
            report.note("pause and resume", self.pause().await);
            report.note("stop", self.stop().await);
            report.note("data", self.data());
            report.note("inspect", self.inspect().await);
            report.note("kill and restart", self.kill().await);
            report.note("appoint", self.appoint().await);
        }
        // Whatever became of the rest, the end is looked at.
        report.skip_to("nothing left");
        report.note("nothing left", left(self.live.close().await));
    }

    /// The node faults are tried on: not the first leader.
    fn last(&self) -> NodeId {
        NodeId(self.live.plan().nodes - 1)
    }

    async fn start(&mut self) -> Tried {
        for node in self.live.plan().all() {
            self.live.start(node).await.map_err(told)?;
        }
        let nodes = self.live.plan().nodes;
        Ok(Seen::Ok(format!("{nodes} processes run")))
    }

    async fn ready(&mut self) -> Tried {
        let mut heights = Vec::new();
        let (mut chain_id, mut modes) = (String::new(), BTreeSet::new());
        for node in self.live.plan().all() {
            let health = self.live.ready(node).await.map_err(told)?;
            heights.push(health.block_height.to_string());
            modes.insert(health.mode);
            chain_id = health.chain_id;
        }
        let private = self.live.target().capabilities.private;
        let expected = if private { "private" } else { "open" };
        let modes: Vec<String> = modes.into_iter().filter(|mode| !mode.is_empty()).collect();
        if modes.iter().any(|mode| mode != expected) {
            let modes = modes.join(" and ");
            return Err(format!(
                "nodes are in {modes} mode; `[capabilities] private` says {expected}"
            ));
        }
        let heights = heights.join(", ");
        Ok(Seen::Ok(format!("chain id {chain_id}, heights {heights}")))
    }

    async fn first_block(&mut self) -> Tried {
        let limit = self.live.target().ready_limit;
        let until = Instant::now() + limit;
        let last = self.last();
        loop {
            let health = self.live.health(last).await;
            match health {
                Ok(health) if health.block_height >= 1 => {
                    let height = health.block_height;
                    return Ok(Seen::Ok(format!("{last} is at height {height}")));
                }
                _ if Instant::now() < until => sleep(POLL).await,
                Ok(_) => {
                    let asked = self.live.plan().timing.empty_block;
                    let seconds = limit.as_secs_f32();
                    return Err(format!(
                        "{last} has no block after {seconds} s; empty blocks were asked for after {asked} ms, as {{empty_block_ms}}"
                    ));
                }
                Err(why) => return Err(why),
            }
        }
    }

    async fn links(&mut self) -> Tried {
        let nodes: Vec<NodeId> = self.live.plan().all().collect();
        let until = Instant::now() + NOTICED_WITHIN;
        loop {
            let over = |from, to| self.live.passed(Way::Peers { from, to });
            let silent = nodes.iter().find(|node| {
                let others = nodes.iter().filter(|other| other != node);
                let bytes = others.map(|other| over(**node, *other) + over(*other, **node));
                bytes.sum::<u64>() == 0
            });
            let Some(silent) = silent else {
                break;
            };
            if Instant::now() >= until {
                return Err(format!(
                    "nothing goes to or from {silent} over its links; peers have to be reached at the addresses of `{{peers}}` only"
                ));
            }
            sleep(POLL).await;
        }
        let around = self.live.doubts();
        if !around.is_empty() {
            return Err(around.join("\n"));
        }
        let pairs = nodes
            .iter()
            .flat_map(|from| nodes.iter().map(move |to| (*from, *to)))
            .filter(|(from, to)| from != to);
        let bytes: u64 = pairs
            .map(|(from, to)| self.live.passed(Way::Peers { from, to }))
            .sum();
        Ok(Seen::Ok(format!(
            "{bytes} bytes so far, and no connection goes round them"
        )))
    }

    async fn clock(&mut self) -> Tried {
        if self.live.target().clock == ClockHook::None {
            return unclaimed("declares no clock hook: locks will be kept in real time");
        }
        let nodes: Vec<NodeId> = self.live.plan().all().collect();
        let mut before = Vec::new();
        for node in &nodes {
            let health = self.live.health(*node).await;
            before.push(health.map_err(|why| format!("{node}: {why}"))?.clock());
        }
        let skew = Skew {
            skip: SKIP,
            ..Skew::default()
        };
        for node in &nodes {
            self.live.set_clock(*node, skew).map_err(told)?;
        }
        let until = Instant::now() + self.live.target().ready_limit;
        for (node, before) in nodes.iter().zip(before) {
            loop {
                let moved = match self.live.health(*node).await {
                    Ok(health) => Ok(health.clock() - before),
                    Err(why) => Err(why),
                };
                if moved.as_ref().is_ok_and(|moved| *moved >= SKIP as i64) {
                    break;
                }
                if Instant::now() >= until {
                    let seen = match moved {
                        Ok(moved) => format!("block_time + block_age moved by {moved} ms"),
                        Err(why) => why,
                    };
                    return Err(format!("{node} was to skip {SKIP} ms, but {seen}"));
                }
                sleep(POLL).await;
            }
        }
        Ok(Seen::Ok("every clock moved by an hour".to_owned()))
    }

    async fn pause(&mut self) -> Tried {
        let node = self.last();
        if !self.live.target().can(Hardship::Pause) {
            return unclaimed("cannot take `pause`");
        }
        self.live.pause(node).await.map_err(told)?;
        let until = Instant::now() + NOTICED_WITHIN;
        while !self.live.is_stopped(node) {
            if Instant::now() >= until {
                return Err(format!("{node} goes on after SIGSTOP to its process group"));
            }
            sleep(POLL).await;
        }
        self.live.resume(node).await.map_err(told)?;
        let health = self.live.ready(node).await.map_err(told)?;
        let height = health.block_height;
        Ok(Seen::Ok(format!(
            "{node} stood still, and is back at height {height}"
        )))
    }

    /// Leaves the node down.
    async fn stop(&mut self) -> Tried {
        let node = self.last();
        if !self.live.target().can(Hardship::Stop) {
            self.live.kill(node).await.map_err(told)?;
            return unclaimed("cannot take `stop`; the node was killed");
        }
        match self.live.stop_and_tell(node).await.map_err(told)? {
            true => Ok(Seen::Ok(format!("{node} ended when asked to"))),
            false => Err(format!(
                "{node} did not end within {} s and was killed",
                self.live.target().stop_limit.as_secs_f32()
            )),
        }
    }

    fn data(&mut self) -> Tried {
        let remains = self.live.remains(self.last());
        let missing: Vec<String> = remains
            .data
            .iter()
            .filter(|path| !path.exists())
            .map(|path| path.display().to_string())
            .collect();
        match missing.is_empty() {
            true => Ok(Seen::Ok(format!(
                "{} places to search",
                remains.data.len() + remains.logs.len()
            ))),
            false => Err(format!("nothing is at {}", missing.join(", "))),
        }
    }

    /// Starts the node again.
    async fn inspect(&mut self) -> Tried {
        let node = self.last();
        let looked = self.live.inspect(node).await;
        self.live.start(node).await.map_err(told)?;
        self.live.ready(node).await.map_err(told)?;
        match looked.map_err(told)? {
            Some(seen) => Ok(Seen::Ok(format!(
                "height {}, {} users, {} credentials, {} grants; {node} is up again",
                seen.height,
                seen.users.len(),
                seen.credentials.len(),
                seen.grants.len()
            ))),
            None => unclaimed("has no command `inspect`; the node is up again"),
        }
    }

    async fn kill(&mut self) -> Tried {
        let node = self.last();
        if !self.live.target().can(Hardship::Kill) {
            return unclaimed("cannot take `kill`");
        }
        self.live.kill(node).await.map_err(told)?;
        self.live.start(node).await.map_err(told)?;
        let health = self.live.ready(node).await.map_err(told)?;
        Ok(Seen::Ok(format!(
            "{node} is back at height {}",
            health.block_height
        )))
    }

    async fn appoint(&mut self) -> Tried {
        if !self.live.target().can_appoint() {
            return unclaimed(
                "has no command `appoint`: stories that change the leader are left out",
            );
        }
        let leader = NodeId(1 % self.live.plan().nodes);
        for node in self.live.plan().all() {
            self.live.appoint(node, 1, leader).await.map_err(told)?;
        }
        Ok(Seen::Ok(format!("every node was told that {leader} leads")))
    }
}

fn left(doubts: Vec<String>) -> Tried {
    match doubts.is_empty() {
        true => Ok(Seen::Ok("no process is left".to_owned())),
        false => Err(doubts.join("\n")),
    }
}
