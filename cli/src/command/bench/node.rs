//! What the reference node does per second, how long a reader waits, and what it needs when nothing happens.
//!
//! Each round founds networks of its own: four processes of this executable on loopback, which is also where the
//! clients are, so that all of them share the machine's cores. Everything is signed and put into bytes before the
//! clock runs.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use assay_conformance::load::{Crowd, Line, Network, OWNER, Question, Silence, ask};
use assay_model::crypto::{KdfMemo, Real, Suite};
use assay_model::id::NodeId;
use assay_model::ledger::{Answer, Transaction};
use assay_model::node::{Request, Timing};
use assay_model::rules::{Rules, Switch};
use assay_node::genesis::USUAL_TIMING;
use assay_node::process::Founding;
use assay_node::rpc::{Heard, Mode};
use tokio::task::JoinSet;

use super::{Figure, Floor};
use crate::failure::{Complaint, Failure};

/// Nodes of a network.
const NODES: u16 = 4;
/// People who write at the same time.
const PEOPLE: usize = 16;
/// Actions in one transaction, and such transactions of each person.
const BATCH: u64 = 100;
const BATCHES: u64 = 5;
/// Transactions of one action each that a person sends without waiting.
const PIPELINED: u64 = 400;
/// Reads per second, and for how long.
const READS: u64 = 1_000;
const READING: Duration = Duration::from_secs(3);
/// How long before its read a reader asks for a challenge.
const BEFORE: Duration = Duration::from_millis(300);
/// Addresses readers come from, so that none asks for more challenges than a node gives it.
const ADDRESSES: u64 = 200;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// As usual, except that the leader hardly pauses.
const TIMING: Timing = Timing {
    propose: 5,
    poll: 5,
    ..USUAL_TIMING
};

/// What an issue asks for.
const ACTIONS: Floor = Floor::AtLeast(2_000.0);
const WAIT: Floor = Floor::Below(5.0);
const MEMORY: Floor = Floor::Below(40.0);

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Measures everything so often.
pub(super) fn measure(rounds: u64) -> Result<Vec<Figure>, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| failure(error.to_string()))?;
    let mut taken: Vec<(String, &'static str, Option<Floor>, Vec<f64>)> = Vec::new();
    for _ in 0..rounds {
        let figures = runtime.block_on(round()).map_err(failure)?;
        for (place, Taken(name, unit, floor, value)) in figures.into_iter().enumerate() {
            match taken.get_mut(place) {
                Some((.., values)) => values.push(value),
                None => taken.push((name, unit, floor, vec![value])),
            }
        }
    }
    let figure = |(name, unit, floor, values)| Figure {
        floor,
        ..Figure::of(name, unit, values)
    };
    Ok(taken.into_iter().map(figure).collect())
}

fn failure(what: String) -> Failure {
    Failure {
        exit: assay_reports::Exit::NoTarget,
        ..Failure::usage(Complaint::new(what))
    }
}

/// One value of one round.
struct Taken(String, &'static str, Option<Floor>, f64);

async fn round() -> Result<Vec<Taken>, String> {
    let mut figures = Vec::new();
    let documented = Site::open(Rules::documented()).await?;
    figures.extend(documented.start_figures().await?);
    figures.extend(documented.write_figures().await?);
    let private = documented.read_figures(Mode::Private, "signed").await?;
    figures.extend(private);
    drop(documented);
    let rules = Rules::documented().with(Switch::AuthenticatedReads, false);
    let open = Site::open(rules).await?;
    open.write(1, 1, Crowd::add, 1).await?;
    open.write(2, 1, Crowd::share, 1).await?;
    figures.extend(open.read_figures(Mode::Open, "unsigned").await?);
    Ok(figures)
}

/// A network that runs, with people who have profiles.
struct Site {
    network: Network,
    crowd: Arc<Crowd>,
    /// From the start of the first process until the last node was ready.
    started: Duration,
    /// KiB in memory of a node that had nothing to do yet.
    idle: u64,
    _home: tempfile::TempDir,
}

/// How a person's transaction is made: person, nonce, numbers of the credentials.
type Make = fn(&Crowd, usize, u64, std::ops::Range<u64>) -> Arc<Transaction>;

impl Site {
    async fn open(rules: Rules) -> Result<Site, String> {
        let home = tempfile::tempdir().map_err(|error| error.to_string())?;
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let founding = Founding {
            db_owner: Some(Real::new(Arc::new(KdfMemo::new())).identity(&OWNER)),
            rules,
            timing: TIMING,
            ..Founding::of(NODES)
        };
        let mut network = Network::found(&program, &home.path().join("network"), &founding)?;
        let start = Instant::now();
        network.start_all(PATIENCE).await?;
        let started = start.elapsed();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let idle = resident(network.process(NodeId(0)).unwrap_or_default())?;
        let crowd = Arc::new(Crowd::new(&network.genesis().chain_id, PEOPLE));
        let mut line = line(network.rpc(NodeId(0))).await?;
        for transaction in crowd.founding() {
            committed(&mut line, &waiting(transaction)).await?;
        }
        Ok(Site {
            network,
            crowd,
            started,
            idle,
            _home: home,
        })
    }

    async fn start_figures(&self) -> Result<Vec<Taken>, String> {
        let started = self.started.as_secs_f64() * 1e3;
        let idle = self.idle as f64 / 1024.0;
        Ok(vec![
            Taken(format!("start of {NODES} nodes"), "ms", None, started),
            Taken(
                "idle memory of a node".to_owned(),
                "MiB",
                Some(MEMORY),
                idle,
            ),
        ])
    }

    async fn write_figures(&self) -> Result<Vec<Taken>, String> {
        let mut figures = Vec::new();
        let mut figure = |name: String, rate| {
            let name = format!("committed actions, {name}");
            figures.push(Taken(name, "actions/s", Some(ACTIONS), rate));
        };
        let added = self.write(1, BATCHES, Crowd::add, BATCH).await?;
        figure(format!("{BATCH} add_credential each"), added);
        let next = 1 + BATCHES;
        let shared = self.write(next, BATCHES, Crowd::share, BATCH).await?;
        figure(format!("{BATCH} share_credential each"), shared);
        let next = next + BATCHES;
        let added = self.pipeline(next, Crowd::add, BATCH * BATCHES).await?;
        figure("add_credential, pipelined".to_owned(), added);
        let next = next + PIPELINED;
        let shared = self.pipeline(next, Crowd::share, BATCH * BATCHES).await?;
        figure("share_credential, pipelined".to_owned(), shared);
        Ok(figures)
    }

    /// Everybody sends so many transactions of so many actions, each when the one before is committed.
    /// Returns actions per second.
    async fn write(&self, nonce: u64, number: u64, make: Make, batch: u64) -> Result<f64, String> {
        let mut prepared = Vec::new();
        for person in 0..self.crowd.len() {
            let one = |n| {
                let serials = n * batch..(n + 1) * batch;
                waiting(make(&self.crowd, person, nonce + n, serials))
            };
            prepared.push((person, (0..number).map(one).collect::<Vec<_>>()));
        }
        let actions = number * batch * self.crowd.len() as u64;
        let start = Instant::now();
        let mut writers = JoinSet::new();
        for (person, questions) in prepared {
            let to = self.network.rpc(NodeId(person as u16 % NODES));
            writers.spawn(async move {
                let mut line = line(to).await?;
                for question in &questions {
                    committed(&mut line, question).await?;
                }
                Ok::<_, String>(())
            });
        }
        all(writers).await?;
        Ok(actions as f64 / start.elapsed().as_secs_f64())
    }

    /// Everybody sends their transactions of one action as fast as the node takes them, and then waits until
    /// the last one is committed. Returns actions per second.
    async fn pipeline(&self, nonce: u64, make: Make, serial: u64) -> Result<f64, String> {
        let mut prepared = Vec::new();
        for person in 0..self.crowd.len() {
            let one = |n| make(&self.crowd, person, nonce + n, serial + n..serial + n + 1);
            let all_but_last = (0..PIPELINED - 1).map(one).map(Request::Submit);
            let asked = |request| Question::new(request, Mode::Private);
            let all_but_last: Vec<_> = all_but_last.map(asked).collect();
            prepared.push((person, all_but_last, waiting(one(PIPELINED - 1))));
        }
        let start = Instant::now();
        let mut writers = JoinSet::new();
        for (person, all_but_last, last) in prepared {
            let to = self.network.rpc(NodeId(person as u16 % NODES));
            writers.spawn(async move {
                let mut line = line(to).await?;
                for question in &all_but_last {
                    submitted(&mut line, question).await?;
                }
                committed(&mut line, &last).await
            });
        }
        all(writers).await?;
        let actions = PIPELINED * self.crowd.len() as u64;
        Ok(actions as f64 / start.elapsed().as_secs_f64())
    }

    async fn read_figures(&self, mode: Mode, how: &str) -> Result<Vec<Taken>, String> {
        let mut waits = Vec::new();
        let start = tokio::time::Instant::now() + 2 * BEFORE;
        let mut readers = JoinSet::new();
        let to = self.network.rpc(NodeId(0));
        for number in 0..READS * READING.as_secs() {
            let due = start + Duration::from_micros(number * 1_000_000 / READS);
            let crowd = self.crowd.clone();
            readers.spawn(async move {
                let from = address(number);
                let challenge = if mode == Mode::Private {
                    tokio::time::sleep_until(due - BEFORE).await;
                    match heard(ask(to, from, &Request::Challenge, mode).await)? {
                        Heard::Challenge(challenge) => Some(challenge),
                        other => return Err(format!("a challenge is answered {other:?}")),
                    }
                } else {
                    None
                };
                let person = number as usize % crowd.len();
                let (claim, query) = if number % 2 == 0 {
                    crowd.read_owned(person, 0, challenge)
                } else {
                    crowd.read_shared(person, 0, challenge)
                };
                tokio::time::sleep_until(due).await;
                let answer = ask(to, from, &Request::View { claim, query }, mode).await;
                let waited = due.elapsed();
                match heard(answer)? {
                    Heard::View(Ok(Answer::Owned(Some(_)) | Answer::Shared(_))) => Ok(waited),
                    other => Err(format!("a read is answered {other:?}")),
                }
            });
        }
        while let Some(read) = readers.join_next().await {
            waits.push(read.map_err(|error| error.to_string())??);
        }
        waits.sort();
        let at = |share: f64| waits[(waits.len() as f64 * share) as usize].as_secs_f64() * 1e3;
        let name = |which| format!("{which} of a read, {how}, {READS}/s");
        Ok(vec![
            Taken(name("p50"), "ms", None, at(0.5)),
            Taken(name("p99"), "ms", Some(WAIT), at(0.99)),
        ])
    }
}

fn address(number: u64) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 1, 1 + (number % ADDRESSES) as u8))
}

fn heard(answer: Result<Heard, Silence>) -> Result<Heard, String> {
    answer.map_err(|silence| silence.to_string())
}

async fn all(mut tasks: JoinSet<Result<(), String>>) -> Result<(), String> {
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// A connection that a writer keeps.
async fn line(to: SocketAddr) -> Result<Line, String> {
    let line = Line::open(to, LOCAL).await;
    line.map_err(|silence| silence.to_string())
}

/// Asks that a transaction is taken, and to be told when it has taken effect.
fn waiting(transaction: Arc<Transaction>) -> Question {
    Question::new(Request::Broadcast(transaction), Mode::Private)
}

/// Sends a transaction and waits until it has taken effect.
async fn committed(line: &mut Line, question: &Question) -> Result<(), String> {
    match heard(line.ask(question).await)? {
        Heard::Included { code: 0, .. } => Ok(()),
        other => Err(format!("a transaction is answered {other:?}")),
    }
}

/// Sends a transaction that will take effect later.
async fn submitted(line: &mut Line, question: &Question) -> Result<(), String> {
    match heard(line.ask(question).await)? {
        Heard::Submitted => Ok(()),
        other => Err(format!("a transaction is answered {other:?}")),
    }
}

/// KiB a process has in memory.
fn resident(process: u32) -> Result<u64, String> {
    let file = Path::new("/proc").join(process.to_string()).join("status");
    let status =
        fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| format!("{} tells no VmRSS", file.display()))
}
