//! Whole nodes over real TCP in one process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use assay_laws::laws;
use assay_model::crypto::{KdfMemo, Real, SigningKey, Suite};
use assay_model::id::{AppHash, Height, NodeId};
use assay_model::ledger::Outcome;
use assay_model::node::{Genesis, Record, Rejected, Reply, Request};
use assay_model::time::WallMillis;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{Appointment, Gone, Handle, Parts, RunError, Shell, Threads};
use crate::runtime::{Clock, Net, Skew, Store, StoreError, Tcp};
use crate::store::{DATA_FILE, Database, Memory};
use crate::testing::{admission, genesis, node_key};

/// Far beyond what anything here takes; whoever waits longer has found a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long nothing happens before an empty block. A leader that is killed once it has committed a block and before
/// it has told everybody leaves those behind who have not voted on it, and they learn of it from the next one.
const EMPTY_BLOCK: u64 = 2_000;

fn n(place: u16) -> NodeId {
    NodeId(place - 1)
}

/// Makes the disk of a node that starts, for the first time or again.
type Disks<S> = Box<dyn Fn(NodeId) -> S + Send>;

struct Running {
    handle: Handle,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), RunError>>,
}

struct Network<S: Store> {
    suite: Arc<dyn Suite>,
    genesis: Arc<Genesis>,
    addresses: BTreeMap<NodeId, SocketAddr>,
    disks: Disks<S>,
    nodes: BTreeMap<NodeId, Running>,
    threads: Threads,
    starts: AtomicU64,
    nonce: u64,
}

fn wall() -> WallMillis {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    WallMillis(since.as_millis() as u64)
}

impl<S: Store> Network<S> {
    /// Four nodes, none of which runs.
    async fn four(disks: Disks<S>, threads: Threads) -> Network<S> {
        let suite: Arc<dyn Suite> = Arc::new(Real::new(Arc::new(KdfMemo::new())));
        let mut genesis = (*genesis(&*suite, 4)).clone();
        genesis.timing.empty_block = EMPTY_BLOCK;
        let genesis = Arc::new(genesis);
        let mut addresses = BTreeMap::new();
        let mut held = Vec::new();
        for place in 1..=4 {
            let listener = Tcp.listen(([127, 0, 0, 1], 0).into()).await.unwrap();
            addresses.insert(n(place), Tcp.address(&listener).unwrap());
            held.push(listener);
        }
        Network {
            suite,
            genesis,
            addresses,
            disks,
            nodes: BTreeMap::new(),
            threads,
            starts: AtomicU64::new(0),
            nonce: 0,
        }
    }

    async fn start_all(&mut self) {
        for place in 1..=4 {
            self.start(place).await;
        }
    }

    async fn start(&mut self, place: u16) {
        self.start_as(place, self.genesis.clone(), node_key(n(place)))
            .await;
    }

    async fn start_as(&mut self, place: u16, genesis: Arc<Genesis>, key: SigningKey) {
        let id = n(place);
        let (_, skew) = watch::channel(Skew::default());
        let start = self.starts.fetch_add(1, Ordering::Relaxed);
        let parts = Parts {
            id,
            key,
            genesis,
            suite: self.suite.clone(),
            clock: Clock::new(wall, skew),
            clock_is_hooked: false,
            store: (self.disks)(id),
            net: Tcp,
            peers_listener: Tcp.listen(self.addresses[&id]).await.unwrap(),
            peers: self.addresses.clone(),
            rpc_listener: None,
            admin_listener: None,
            seed: *blake3::hash(&start.to_le_bytes()).as_bytes(),
            threads: self.threads,
            observer: None,
        };
        let shell = Shell::restore(parts).unwrap();
        let handle = shell.handle();
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(shell.run(async {
            let _ = stopped.await;
        }));
        let running = Running {
            handle,
            stop,
            ended,
        };
        self.nodes.insert(id, running);
    }

    /// As a power failure would: nothing more is written.
    async fn kill(&mut self, place: u16) {
        let running = self.nodes.remove(&n(place)).expect("the node runs");
        running.ended.abort();
        let ended = running.ended.await;
        assert!(ended.is_err_and(|error| error.is_cancelled()));
    }

    async fn stop(&mut self, place: u16) -> Result<(), RunError> {
        let running = self.nodes.remove(&n(place)).expect("the node runs");
        running.stop.send(()).unwrap();
        running.ended.await.unwrap()
    }

    fn handle(&self, place: u16) -> Handle {
        self.nodes[&n(place)].handle.clone()
    }

    /// The database owner hands in its next transaction here, as often as it takes.
    async fn commit(&mut self, place: u16) -> Height {
        self.nonce += 1;
        let transaction = admission(&*self.suite, self.nonce, 2);
        let handle = self.handle(place);
        let committed = timeout(PATIENCE, async {
            loop {
                let request = Request::Broadcast(transaction.clone());
                match handle.ask(request).await.unwrap() {
                    Reply::Included { height, outcome } => {
                        assert_eq!(outcome, Outcome::Accepted);
                        return height;
                    }
                    Reply::Rejected(Rejected::CatchingUp) => sleep(Duration::from_millis(5)).await,
                    // It may know less than the node the transaction before was handed to.
                    Reply::Rejected(Rejected::Invalid(_)) => sleep(Duration::from_millis(5)).await,
                    other => panic!("{other:?}"),
                }
            }
        });
        committed.await.expect("it is committed in time")
    }

    /// Waits until the node has come so far and knows it, and returns what it then has.
    async fn reach(&self, place: u16, height: Height) -> (Height, AppHash, usize) {
        let handle = self.handle(place);
        let reached = timeout(PATIENCE, async {
            loop {
                let look = handle.look(|node| {
                    let inserters = node.state().tables().inserters.len();
                    (
                        node.is_syncing(),
                        (node.height(), node.app_hash(), inserters),
                    )
                });
                let (syncing, state) = look.await.unwrap();
                if state.0 >= height && !syncing {
                    return state;
                }
                sleep(Duration::from_millis(5)).await;
            }
        });
        reached
            .await
            .unwrap_or_else(|_| panic!("n{place} never reaches {height}"))
    }

    /// All nodes hold everything that was handed in, and the same.
    async fn check_agreed(&self, mut height: Height) {
        'again: loop {
            let first = self.reach(1, height).await;
            assert_eq!(first.2 as u64, self.nonce * 2);
            for place in 2..=4 {
                let state = self.reach(place, first.0).await;
                if state.0 > first.0 {
                    // An empty block came meanwhile: all are asked again, about no less.
                    height = state.0;
                    continue 'again;
                }
                assert_eq!(state, first, "n{place}");
            }
            return;
        }
    }
}

fn in_memory() -> (Vec<Memory>, Disks<Memory>) {
    let disks: Vec<Memory> = (0..4).map(|_| Memory::default()).collect();
    let of = disks.clone();
    let start = move |node: NodeId| {
        of[node.index()].crash();
        of[node.index()].clone()
    };
    (disks, Box::new(start))
}

fn in_databases(home: PathBuf) -> Disks<Database> {
    Box::new(move |node| {
        let directory = home.join(node.to_string());
        std::fs::create_dir_all(&directory).unwrap();
        Database::open(&directory.join(DATA_FILE), "assay-test").unwrap()
    })
}

#[tokio::test]
async fn four_nodes_commit_what_clients_hand_in_anywhere() {
    let mut network = Network::four(in_memory().1, Threads::Shared).await;
    network.start_all().await;
    let mut height = Height(0);
    for place in [1, 2, 3, 4, 4, 1] {
        height = network.commit(place).await;
    }
    network.check_agreed(height).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_with_threads_and_databases_stop_in_good_order_and_come_back() {
    let home = tempfile::tempdir().unwrap();
    let disks = in_databases(home.path().to_owned());
    let mut network = Network::four(disks, Threads::Own).await;
    network.start_all().await;
    let height = network.commit(2).await;
    network.check_agreed(height).await;
    for place in 1..=4 {
        network.stop(place).await.unwrap();
    }
    network.start_all().await;
    network.check_agreed(height).await;
    let height = network.commit(3).await;
    network.check_agreed(height).await;
}

#[tokio::test]
async fn what_was_acknowledged_survives_the_death_of_all() {
    let home = tempfile::tempdir().unwrap();
    let disks = in_databases(home.path().to_owned());
    let mut network = Network::four(disks, Threads::Shared).await;
    network.start_all().await;
    let mut height = Height(0);
    for place in [2, 3] {
        height = network.commit(place).await;
    }
    for place in 1..=4 {
        network.kill(place).await;
    }
    network.start_all().await;
    network.check_agreed(height).await;
    let height = network.commit(1).await;
    network.check_agreed(height).await;
}

#[tokio::test]
async fn a_node_that_was_away_catches_up() {
    let (disks, start) = in_memory();
    let mut network = Network::four(start, Threads::Shared).await;
    network.start_all().await;
    network.commit(4).await;
    network.kill(4).await;
    for place in [1, 2, 3] {
        network.commit(place).await;
    }
    network.start(4).await;
    let height = network.commit(4).await;
    network.check_agreed(height).await;
    // Nor does it matter if it lost its disk.
    network.kill(4).await;
    disks[3].wipe();
    network.start(4).await;
    network.check_agreed(height).await;
}

#[tokio::test]
async fn a_node_of_another_network_or_with_another_key_stays_outside() {
    let network = Network::four(in_memory().1, Threads::Shared).await;
    let mut elsewhere = (*network.genesis).clone();
    elsewhere.chain_id = "other".into();
    let table = [
        (Arc::new(elsewhere), node_key(n(4))),
        (network.genesis.clone(), node_key(n(9))),
    ];
    for (genesis, key) in table {
        let mut network = Network::four(in_memory().1, Threads::Shared).await;
        for place in 1..=3 {
            network.start(place).await;
        }
        network.start_as(4, genesis, key).await;
        let height = network.commit(2).await;
        network.reach(3, height).await;
        let handle = network.handle(4);
        let look = handle.look(|node| (node.height(), node.is_syncing()));
        assert_eq!(look.await.unwrap(), (Height(0), true));
    }
}

#[tokio::test]
async fn a_stopped_node_says_so() {
    let mut network = Network::four(in_memory().1, Threads::Shared).await;
    network.start(1).await;
    let handle = network.handle(1);
    let health = handle.ask(Request::Health).await.unwrap();
    assert!(matches!(health, Reply::Health { syncing: true, .. }));
    network.stop(1).await.unwrap();
    assert_eq!(handle.ask(Request::Health).await, Err(Gone));
    assert_eq!(handle.look(|node| node.height()).await, Err(Gone));
}

#[tokio::test]
async fn the_operators_appoint_another_leader() {
    let mut network = Network::four(in_memory().1, Threads::Shared).await;
    network.start_all().await;
    network.commit(2).await;
    network.kill(1).await;
    for place in 2..=4 {
        let handle = network.handle(place);
        assert_eq!(handle.appoint(1, n(9)).await, Ok(Appointment::Stranger));
        assert_eq!(handle.appoint(1, n(3)).await, Ok(Appointment::Taken));
        let stale = Appointment::Stale { term: 1 };
        assert_eq!(handle.appoint(1, n(4)).await, Ok(stale));
    }
    let height = network.commit(4).await;
    network.start(1).await;
    let handle = network.handle(1);
    assert_eq!(handle.appoint(1, n(3)).await, Ok(Appointment::Taken));
    network.check_agreed(height).await;
}

/// A disk that is full.
struct Full(Memory);

impl Store for Full {
    fn load(&mut self) -> Result<Vec<Record>, StoreError> {
        self.0.load()
    }

    fn write(&mut self, record: &Record) -> Result<(), StoreError> {
        self.0.write(record)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        Err(StoreError {
            what: "write".to_owned(),
            why: "no space left".to_owned(),
        })
    }
}

#[tokio::test]
async fn a_node_whose_disk_fails_stops_and_acknowledges_nothing() {
    let disks = Box::new(|_| Full(Memory::default()));
    let mut network = Network::four(disks, Threads::Shared).await;
    network.start_all().await;
    network.reach(1, Height(0)).await;
    let transaction = admission(&*network.suite, 1, 1);
    let asked = network.handle(1).ask(Request::Broadcast(transaction)).await;
    assert_eq!(asked, Err(Gone));
    let ended = network.nodes.remove(&n(1)).unwrap().ended.await.unwrap();
    assert!(matches!(ended, Err(RunError::Store(_))), "{ended:?}");
}

/// Kills and restarts at these moments while clients hand in transactions one after another.
async fn killed_at_random(kills: Vec<(u16, u64)>) {
    let (_, disks) = in_memory();
    let mut network = Network::four(disks, Threads::Shared).await;
    network.start_all().await;
    let mut height = Height(0);
    for (place, moment) in kills {
        let client = place % 4 + 1;
        let handle = network.handle(client);
        network.nonce += 1;
        let transaction = admission(&*network.suite, network.nonce, 2);
        let asked = tokio::spawn({
            let transaction = transaction.clone();
            async move { handle.ask(Request::Broadcast(transaction)).await }
        });
        sleep(Duration::from_micros(moment)).await;
        network.kill(place).await;
        network.start(place).await;
        // Whatever became of it, the owner goes on only once it is in.
        let _ = asked.await.unwrap();
        height = settled(&network, client, height).await;
    }
    network.check_agreed(height).await;
}

/// The owner sends its last transaction again until the node has it.
async fn settled(network: &Network<Memory>, place: u16, at_least: Height) -> Height {
    let transaction = admission(&*network.suite, network.nonce, 2);
    let handle = network.handle(place);
    let done = timeout(PATIENCE, async {
        loop {
            let _ = handle.ask(Request::Broadcast(transaction.clone())).await;
            let status = handle.ask(Request::TxStatus(transaction.id)).await;
            if let Ok(Reply::TxStatus(assay_model::node::TxStatus::Included { height, .. })) =
                status
            {
                return height.max(at_least);
            }
            sleep(Duration::from_millis(5)).await;
        }
    });
    done.await.expect("it is committed in time")
}

#[tokio::test]
async fn who_was_not_told_of_the_last_block_is_told_of_it_later() {
    killed_at_random(vec![(3, 41_795), (4, 20_151), (1, 49_284)]).await;
    killed_at_random(vec![(4, 21_071), (2, 9_985), (1, 32_919), (4, 12_437)]).await;
}

laws! {
    6, 200;

    /// Two hundred stand for ten thousand: four nodes are started, killed and waited for over sockets and in real
    /// time, which takes up to some seconds each.
    fn nothing_acknowledged_is_lost_whenever_a_node_is_killed(
        kills in proptest::collection::vec((1_u16..=4, 0_u64..60_000), 1..6)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(killed_at_random(kills));
    }
}
