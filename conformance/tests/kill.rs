//! Reference nodes that are killed at any instant while clients write: what was acknowledged stays, and all
//! nodes agree. The executable of this test is also the node.
//!
//! A thousand kills: `cargo test -p assay-conformance --release --test kill -- --ignored --nocapture`. The
//! variable `ASSAY_SEED` chooses other instants.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use assay_conformance::load::{Crowd, Network, OWNER, ask, post};
use assay_model::crypto::{Identity, KdfMemo, Real, Suite};
use assay_model::id::{AppHash, BlockId, Height, NodeId, TxId};
use assay_model::ledger::Outcome;
use assay_model::node::{Request, Timing};
use assay_node::config::{HOME_VARIABLE, Settings, Told};
use assay_node::genesis::USUAL_TIMING;
use assay_node::process::{Founding, run, start_logs};
use assay_node::rpc::{Heard, Mode, ask_block, ask_results, hear_block, hear_results, outcome};
use assay_sim::{Domain, Draw, Seed};
use libtest_mimic::{Arguments, Trial};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

const NODES: u16 = 4;
/// People who write, each to all nodes in turn.
const PEOPLE: usize = 8;
/// Transactions a person sends without waiting.
const WINDOW: u64 = 4;
/// Pause between two windows, so that the chain which nodes replay stays short.
const PAUSE: Duration = Duration::from_millis(200);
/// Kills after which everybody gets a chance to catch up.
const BREATHER: u64 = 25;
/// How long nodes may take to come back when nobody kills them any more.
const PATIENCE: Duration = Duration::from_secs(120);
const TIMING: Timing = Timing {
    propose: 10,
    poll: 5,
    resend: 200,
    broadcast: 2_000,
    ..USUAL_TIMING
};
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A transaction that a node said is in a block.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "who sent what to whom is told when it is lost")]
struct Acknowledged {
    id: TxId,
    sender: Identity,
    nonce: u64,
    by: NodeId,
    outcome: Outcome,
}

/// What clients saw.
#[derive(Default)]
struct Seen {
    acknowledged: Vec<Acknowledged>,
    /// Requests without an answer, or whose answer leaves open what happened.
    open: u64,
    rejected: u64,
}

/// How kills met their nodes.
#[derive(Default)]
struct Kills {
    serving: u64,
    starting: u64,
    together: u64,
}

impl Kills {
    fn all(&self) -> u64 {
        self.serving + self.starting + self.together
    }
}

/// What a run came to.
struct Summary {
    seed: u64,
    kills: Kills,
    seen: Seen,
    blocks: usize,
    transactions: usize,
    took: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary {
            seed,
            kills,
            seen,
            blocks,
            transactions,
            took,
        } = self;
        write!(
            f,
            "seed {seed}: {} kills ({} of a serving node, {} of one that was starting, {} of all four at \
             once), {} transactions acknowledged, {} without an answer, {} rejected; {transactions} in \
             {blocks} blocks, the same on every node; {:.0} s",
            kills.all(),
            kills.serving,
            kills.starting,
            kills.together,
            seen.acknowledged.len(),
            seen.open,
            seen.rejected,
            took.as_secs_f64(),
        )
    }
}

/// One person, who goes on from the nonce the network knows whenever something went wrong.
async fn write(
    crowd: Arc<Crowd>,
    person: usize,
    nodes: Vec<SocketAddr>,
    ended: Arc<AtomicBool>,
) -> Seen {
    let mut seen = Seen::default();
    let mut serial = 0;
    let mut known: Option<u64> = None;
    for turn in person.. {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        let by = NodeId((turn % nodes.len()) as u16);
        let to = nodes[by.index()];
        let Some(used) = (match known {
            Some(used) => Some(used),
            None => nonce(&crowd, person, to).await,
        }) else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        let mut window = JoinSet::new();
        for nonce in used + 1..=used + WINDOW {
            let transaction = crowd.add(person, nonce, serial..serial + 1);
            serial += 1;
            let sender = transaction.sender;
            window.spawn(async move {
                let id = transaction.id;
                let request = Request::Broadcast(transaction);
                let answer = timeout(TIMING_OUT, ask(to, LOCAL, &request, Mode::Private)).await;
                match answer {
                    Ok(Ok(Heard::Included { code, log })) => Ok(Acknowledged {
                        id,
                        sender,
                        nonce,
                        by,
                        outcome: outcome(code, &log).expect("the ledger's own outcomes"),
                    }),
                    Ok(Ok(Heard::Rejected(_))) => Err(true),
                    _ => Err(false),
                }
            });
            // The node is to hear of them in order.
            sleep(Duration::from_millis(1)).await;
        }
        known = Some(used + WINDOW);
        while let Some(answer) = window.join_next().await {
            match answer.expect("a client does not panic") {
                Ok(acknowledged) => seen.acknowledged.push(acknowledged),
                Err(rejected) => {
                    seen.rejected += u64::from(rejected);
                    seen.open += u64::from(!rejected);
                    known = None;
                }
            }
        }
        sleep(PAUSE).await;
    }
    seen
}

/// How long a client waits for an answer: a little longer than a node that lives.
const TIMING_OUT: Duration = Duration::from_millis(TIMING.broadcast + 500);

/// The last nonce a node has seen in a block.
async fn nonce(crowd: &Crowd, person: usize, at: SocketAddr) -> Option<u64> {
    let request = Request::Account(crowd.identity(person));
    let answer = timeout(
        Duration::from_secs(1),
        ask(at, LOCAL, &request, Mode::Private),
    )
    .await;
    match answer {
        Ok(Ok(Heard::Account { nonce })) => Some(nonce),
        _ => None,
    }
}

/// Kills and starts nodes until that has happened so often.
async fn kill(network: &mut Network, seed: Seed, number: u64) -> Kills {
    let mut kills = Kills::default();
    let mut breathers = 0;
    for turn in 0.. {
        if kills.all() >= number {
            break;
        }
        let mut draw = seed.draw(Domain::Fault, 0, turn);
        let node = NodeId(draw.below(NODES.into()) as u16);
        wait(&mut draw, 250).await;
        match draw.below(10) {
            0 => all_at_once(network, &mut draw, &mut kills).await,
            // Again and again before it has found its feet.
            1..=3 => {
                network.kill(node).await.unwrap();
                kills.serving += 1;
                for _ in 0..1 + draw.below(3) {
                    wait(&mut draw, 30).await;
                    network.start(node).unwrap();
                    wait(&mut draw, 25).await;
                    network.kill(node).await.unwrap();
                    kills.starting += 1;
                }
                wait(&mut draw, 200).await;
                network.start(node).unwrap();
            }
            _ => {
                network.kill(node).await.unwrap();
                kills.serving += 1;
                wait(&mut draw, 200).await;
                network.start(node).unwrap();
            }
        }
        if kills.all() / BREATHER > breathers {
            breathers = kills.all() / BREATHER;
            network.start_all(PATIENCE).await.unwrap();
            sleep(2 * PAUSE).await;
        }
    }
    kills
}

async fn all_at_once(network: &mut Network, draw: &mut Draw, kills: &mut Kills) {
    network.kill_all().await.unwrap();
    kills.together += u64::from(NODES);
    let first = draw.below(NODES.into()) as u16;
    for place in 0..NODES {
        wait(draw, 100).await;
        network.start(NodeId((first + place) % NODES)).unwrap();
    }
}

async fn wait(draw: &mut Draw, most: u64) {
    sleep(Duration::from_micros(draw.below(most * 1_000))).await;
}

/// A block as one node tells it.
#[derive(Debug, PartialEq)]
struct Final {
    block: BlockId,
    app_hash: AppHash,
    transactions: Vec<Included>,
}

#[derive(Debug, PartialEq)]
struct Included {
    id: TxId,
    sender: Identity,
    nonce: u64,
    outcome: Outcome,
}

/// The whole chain of a node.
async fn chain(network: &Network, node: NodeId) -> Vec<Final> {
    let validators: Vec<Vec<u8>> = network
        .genesis()
        .nodes
        .iter()
        .map(|validator| validator.bytes().to_vec())
        .collect();
    let at = network.rpc(node);
    let mut chain = Vec::new();
    for height in (1..).map(Height) {
        let (_, block) = post(at, LOCAL, ask_block(height, 1)).await.unwrap();
        let Ok(Some(block)) = hear_block(&block, &validators) else {
            break;
        };
        let (_, results) = post(at, LOCAL, ask_results(height, 1)).await.unwrap();
        let results = hear_results(&results).unwrap();
        let results = results.expect("the block has results");
        let transactions = block.block.transactions.iter();
        chain.push(Final {
            block: block.block.id,
            app_hash: block.app_hash,
            transactions: transactions
                .zip(results)
                .map(|(transaction, (code, log))| Included {
                    id: transaction.id,
                    sender: transaction.sender,
                    nonce: transaction.nonce,
                    outcome: outcome(code, &log).unwrap(),
                })
                .collect(),
        });
    }
    chain
}

/// Everything acknowledged is there with its outcome, and every nonce was used once and in order.
fn check(chain: &[Final], acknowledged: &[Acknowledged]) {
    let mut used: BTreeMap<Identity, u64> = BTreeMap::new();
    let mut effects: BTreeMap<TxId, Outcome> = BTreeMap::new();
    for (block, height) in chain.iter().zip(1..) {
        for included in &block.transactions {
            if included.outcome == Outcome::Invalid {
                continue;
            }
            let last = used.insert(included.sender, included.nonce).unwrap_or(0);
            assert_eq!(included.nonce, last + 1, "block {height}: {included:?}");
            let twice = effects.insert(included.id, included.outcome);
            assert_eq!(twice, None, "block {height} repeats {included:?}");
        }
    }
    for acknowledged in acknowledged {
        assert_eq!(
            effects.get(&acknowledged.id),
            Some(&acknowledged.outcome),
            "lost: {acknowledged:?}"
        );
    }
}

async fn kills_lose_nothing(number: u64, seed: Seed) -> Summary {
    let start = Instant::now();
    let home = tempfile::tempdir().unwrap();
    let founding = Founding {
        db_owner: Some(Real::new(Arc::new(KdfMemo::new())).identity(&OWNER)),
        timing: TIMING,
        ..Founding::of(NODES)
    };
    let program = std::env::current_exe().unwrap();
    let directory = home.path().join("network");
    let mut network = Network::found(&program, &directory, &founding).unwrap();
    network.start_all(PATIENCE).await.unwrap();
    let crowd = Arc::new(Crowd::new(&network.genesis().chain_id, PEOPLE));
    for transaction in crowd.founding() {
        let request = Request::Broadcast(transaction);
        let to = network.rpc(NodeId(0));
        let heard = ask(to, LOCAL, &request, Mode::Private).await.unwrap();
        assert!(
            matches!(heard, Heard::Included { code: 0, .. }),
            "{heard:?}"
        );
    }
    let ended = Arc::new(AtomicBool::new(false));
    let nodes: Vec<SocketAddr> = network.all().map(|node| network.rpc(node)).collect();
    let mut writers = JoinSet::new();
    for person in 0..PEOPLE {
        writers.spawn(write(crowd.clone(), person, nodes.clone(), ended.clone()));
    }
    let kills = kill(&mut network, seed, number).await;
    ended.store(true, Ordering::Relaxed);
    let mut seen = Seen::default();
    while let Some(one) = writers.join_next().await {
        let one = one.unwrap();
        seen.acknowledged.extend(one.acknowledged);
        seen.open += one.open;
        seen.rejected += one.rejected;
    }
    network.start_all(PATIENCE).await.unwrap();
    settle(&network).await;
    let first = chain(&network, NodeId(0)).await;
    for node in network.all().skip(1) {
        let other = chain(&network, node).await;
        assert_eq!(other.len(), first.len(), "blocks of {node} and n1");
        for ((block, other), height) in first.iter().zip(&other).zip(1..) {
            assert_eq!(block, other, "block {height} of n1 and {node}");
        }
    }
    check(&first, &seen.acknowledged);
    Summary {
        seed: seed.0,
        kills,
        seen,
        blocks: first.len(),
        transactions: first.iter().map(|block| block.transactions.len()).sum(),
        took: start.elapsed(),
    }
}

/// Waits until nothing is under way any more: all nodes have the same height, and keep it.
async fn settle(network: &Network) {
    let until = Instant::now() + PATIENCE;
    let mut last = BTreeSet::new();
    let mut quiet = 0;
    while quiet < 10 {
        assert!(
            Instant::now() < until,
            "the network does not settle: {last:?}"
        );
        sleep(Duration::from_millis(100)).await;
        let mut heights = BTreeSet::new();
        for node in network.all() {
            let health = network.ready(node, PATIENCE).await.unwrap();
            heights.insert(health.block_height);
        }
        quiet = if heights.len() == 1 && heights == last {
            quiet + 1
        } else {
            0
        };
        last = heights;
    }
}

/// Runs the node when this executable is started as one.
fn is_node() -> bool {
    let get = |name: &str| std::env::var(name).ok();
    let Some(home) =
        get(HOME_VARIABLE).filter(|_| std::env::args().nth(1).as_deref() == Some("node"))
    else {
        return false;
    };
    let settings = Settings::gather(home.into(), Told::default(), get).unwrap();
    start_logs(settings.log, &settings.log_level).unwrap();
    run(settings).unwrap();
    true
}

fn trial(name: &str, kills: u64) -> Trial {
    Trial::test(name, move || {
        let seed = std::env::var("ASSAY_SEED").map_or(Ok(1), |seed| seed.parse())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let summary = runtime.block_on(kills_lose_nothing(kills, Seed(seed)));
        println!("{summary}");
        Ok(())
    })
}

fn main() {
    if is_node() {
        return;
    }
    let trials = vec![
        trial("twenty_kills_lose_nothing", 20),
        trial("a_thousand_kills_lose_nothing", 1_000).with_ignored_flag(true),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
