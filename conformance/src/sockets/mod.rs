//! The turmoil world: the reference node's shell on turmoil's simulated sockets and time.
//!
//! One thread, one seed, one history: everything random comes from the seed, everything timed from turmoil's
//! clock. Start with [`run`].

mod net;
mod venue;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use assay_model::crypto::Suite;
use assay_model::id::{NodeId, Text};
use assay_model::node::Genesis;
use assay_model::time::WallMillis;
use assay_node::runtime::{Clock, Net};
use assay_node::shell::{Parts, Shell, Threads};
use assay_scenarios::plan::Plan;
use assay_sim::{Seed, Setting};
use turmoil::{Builder, Sim};

use self::net::{Links, Sockets, host};
use self::venue::{Command, Machine, Simulated};
use crate::stage::{Network, Told};
use crate::venue::Trouble;

/// Port for clients on every host.
const CLIENTS: u16 = 8484;
/// Port for peers on every host.
const PEERS: u16 = 6600;
/// The name every network of this world has.
const CHAIN_ID: &str = "assay-turmoil";
/// Most simulated time one telling may take; skipped time does not count.
const LONGEST: Duration = Duration::from_secs(3_600);

/// What an unskewed clock shows: turmoil's time since the simulation began, on a fixed day.
fn wall() -> WallMillis {
    let elapsed = turmoil::sim_elapsed().unwrap_or_default();
    WallMillis(STARTED + elapsed.as_millis() as u64)
}

/// 2026-01-01T00:00:00Z; any day would do.
const STARTED: u64 = 1_767_225_600_000;

/// Tells the story of a plan.
pub fn run(plan: &Plan, seed: Seed, suite: Arc<dyn Suite>) -> Result<Told, Trouble> {
    let chain_id: Text = CHAIN_ID.into();
    let keys: Vec<_> = (0..plan.nodes).map(assay_sim::node_key).collect();
    let setting = Setting::new(plan, seed, &suite, (&chain_id, 0), &keys);
    let genesis = Arc::new(Genesis {
        chain_id,
        db_owner: setting.db_owner(),
        nodes: keys.iter().map(|key| suite.identity(key)).collect(),
        sentries: plan.sentries.clone(),
        leader: plan.leader,
        time: WallMillis(plan.epoch.0 - crate::stage::FOUNDING),
        rules: plan.rules,
        timing: plan.timing,
        balances: setting.cast.balances.clone(),
    });
    let links = Links::default();
    let mut sim = simulation(plan, seed);
    let machines: Vec<Machine> = keys.into_iter().map(Machine::new).collect();
    for (node, machine) in (0..).map(NodeId).zip(&machines) {
        let parts = (machine.clone(), genesis.clone(), suite.clone());
        let net = Sockets::new(Some(node), plan.nodes, links.clone());
        let nodes = plan.nodes;
        sim.host(host(node), move || {
            let ((machine, genesis, suite), net) = (parts.clone(), net.clone());
            async move { live(node, nodes, machine, (genesis, suite), net).await }
        });
    }
    let venue = Simulated::new(genesis, suite.clone(), machines, links, (plan, seed));
    let commands = venue.commands.clone();
    let told: Arc<Mutex<Option<Result<Told, Trouble>>>> = Arc::default();
    let (plan, result) = (plan.clone(), told.clone());
    sim.client("people", async move {
        let mut venue = venue;
        let network = Network::new(&plan, &setting, suite, &mut venue);
        let (network, end) = network.tell(&plan, setting).await;
        let told = match end {
            Ok(()) => network.close().await.map(|mut told| told.remove(0)),
            Err(trouble) => Err(trouble),
        };
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
        Ok(())
    });
    drive(&mut sim, &commands)?;
    let told = told.lock().unwrap_or_else(PoisonError::into_inner).take();
    told.unwrap_or_else(|| Err(Trouble::Harness("the simulation ended first".to_owned())))
}

fn simulation(plan: &Plan, seed: Seed) -> Sim<'static> {
    // Every link gets a latency of its own before anything is sent over it.
    let latency = Duration::from_millis(plan.network.latency.0);
    Builder::new()
        .epoch(UNIX_EPOCH + Duration::from_millis(STARTED))
        .rng_seed(seed.0)
        .simulation_duration(LONGEST)
        .tick_duration(Duration::from_millis(1))
        .min_message_latency(latency)
        .max_message_latency(latency)
        .tcp_capacity(65_536)
        .build()
}

/// The loop: a step of the simulation, then what only its owner can do.
fn drive(sim: &mut Sim<'static>, commands: &Mutex<Vec<Command>>) -> Result<(), Trouble> {
    loop {
        let over = sim
            .step()
            .map_err(|error| Trouble::Harness(format!("turmoil: {error}")))?;
        if over {
            return Ok(());
        }
        let due = std::mem::take(&mut *commands.lock().unwrap_or_else(PoisonError::into_inner));
        for command in due {
            match command {
                Command::Crash(node) => sim.crash(host(node)),
                Command::Bounce(node) => sim.bounce(host(node)),
                Command::Latency(one, other, delay) => {
                    let delay = Duration::from_millis(delay.0);
                    sim.set_link_latency(one, other, delay);
                }
            }
        }
    }
}

/// One life of a node's process.
async fn live(
    node: NodeId,
    nodes: u16,
    machine: Machine,
    (genesis, suite): (Arc<Genesis>, Arc<dyn Suite>),
    net: Sockets,
) -> turmoil::Result {
    let mut wanted = machine.wanted.subscribe();
    wanted.wait_for(|wanted| *wanted).await?;
    let any = std::net::IpAddr::from([0, 0, 0, 0]);
    let peers = (0..nodes).map(NodeId).filter(|peer| *peer != node);
    let parts = Parts {
        id: node,
        key: machine.key.clone(),
        genesis,
        suite,
        clock: Clock::new(wall, machine.skew.subscribe()),
        clock_is_hooked: true,
        store: machine.disk.clone(),
        peers_listener: net.listen((any, PEERS).into()).await?,
        peers: peers
            .map(|peer| (peer, (turmoil::lookup(host(peer)), PEERS).into()))
            .collect(),
        rpc_listener: Some(net.listen((any, CLIENTS).into()).await?),
        admin_listener: None,
        net,
        seed: machine.birth(),
        threads: Threads::Shared,
        observer: None,
    };
    let shell = Shell::restore(parts)?;
    let handle = shell.handle();
    *machine
        .handle
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Some(handle);
    let stopped = async move {
        // The machine outlives the simulation, so it is never gone.
        let _ = wanted.wait_for(|wanted| !*wanted).await;
    };
    Ok(shell.run(stopped).await?)
}
