//! Real processes of any implementation, each behind proxies of its own, as a [`Venue`].
//!
//! Start with [`target::Target`], which says how an implementation is handled, then [`Live::open`].
//! [`check`] tries out whether a target keeps to what its file says.

mod capture;
pub mod check;
pub mod clock;
mod disk;
pub mod guard;
pub mod health;
mod plan;
pub mod process;
pub mod proxy;
mod run;
pub mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use assay_model::id::NodeId;
use assay_model::time::WallMillis;
use assay_node::runtime::{Skew, Tcp};
use rustix::process::Pid;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

pub use self::capture::Capture;
use self::guard::Watch;
use self::health::Health;
pub(crate) use self::plan::Ground;
pub use self::plan::NetworkPlan;
use self::plan::{Addresses, argv, place};
use self::process::{Invocation, Process};
use self::proxy::{Course, Proxy};
pub use self::run::{Stand, leave_logs};
use self::target::{ClockHook, Command, Hardship, Target, Values};
pub use crate::stage::{may_share, suit_each_other};
use crate::venue::{Inspection, Link, Remains, Trouble, Venue, Way};

/// How long making a network may take.
const INIT_WITHIN: Duration = Duration::from_secs(120);
/// How long a command that ends by itself may take.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);
/// How long a node gets to die of what is wrong with its command line before it counts as started.
const SETTLED_AFTER: Duration = Duration::from_millis(30);
/// How long it may take until every thread of a paused node stands; whether it does is measured by who asks.
const STANDS_WITHIN: Duration = Duration::from_secs(2);
/// Pause between two questions to a node that is not ready.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long one answer about health may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How long before a skip nodes are told of it: a few times what they take to look at their time file.
const SKIP_LEAD: Duration = Duration::from_millis(25);
/// How long nothing must have been heard before time is skipped.
const CALM: Duration = Duration::from_millis(40);
/// How much is skipped at once while somebody waits for an answer, in milliseconds: a third of the leader's
/// usual pause.
const STRIDE: u64 = 300;
/// Pause between two looks at what a node has committed.
const WATCH_EVERY: Duration = Duration::from_millis(25);
/// Pause between two looks of the guard.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// One node of the network.
struct Post {
    home: PathBuf,
    pristine: PathBuf,
    kept: PathBuf,
    log: PathBuf,
    time_file: PathBuf,
    at: Addresses,
    /// What its commands are filled in with.
    values: Values,
    /// The same for each of its peers.
    peers: Vec<Values>,
    mark: String,
    clients: Proxy,
    process: Option<Process>,
}

/// What the guard sees.
#[derive(Debug, Default)]
struct Sight {
    running: BTreeMap<NodeId, (Pid, String)>,
    around: BTreeSet<String>,
}

type SharedSight = Arc<Mutex<Sight>>;

/// A network of processes. Every one of them is ended when this is dropped.
pub struct Live {
    target: Target,
    plan: NetworkPlan,
    dir: PathBuf,
    network: PathBuf,
    posts: Vec<Post>,
    links: BTreeMap<(NodeId, NodeId), Proxy>,
    sight: SharedSight,
    places: BTreeMap<SocketAddr, NodeId>,
    guard: JoinHandle<()>,
    doubts: BTreeSet<String>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.guard.abort();
    }
}

impl Live {
    /// Makes a network in a directory that holds none yet, and arms every link. No node runs yet.
    ///
    /// # Errors
    ///
    /// [`Trouble::Init`] when the target does not make one, [`Trouble::Harness`] for everything else.
    pub async fn open(target: &Target, plan: NetworkPlan, dir: &Path) -> Result<Live, Trouble> {
        let turned = plan.turned();
        if let Some(switch) = turned
            .iter()
            .find(|switch| !target.capabilities.rules.contains(switch))
        {
            let (name, rule) = (&target.name, switch.name());
            return Err(Trouble::Harness(format!(
                "target `{name}` cannot turn rule `{rule}` off; its `[capabilities] rules` do not name it"
            )));
        }
        let dir = prepare(dir).map_err(Trouble::Harness)?;
        let network = dir.join("network");
        let values = plan.values(&network);
        let init = Invocation {
            argv: argv(target, &target.init, &values, &[], &turned),
            environment: Vec::new(),
            mark: format!("{}/init", dir.display()),
            directory: dir.clone(),
        };
        process::run(&init, INIT_WITHIN)
            .await
            .map_err(Trouble::Init)?;
        let homes = homes(target, &plan, &network)?;
        let pristine = dir.join("pristine");
        blocking({
            let (from, to) = (network.clone(), pristine.clone());
            move || disk::replace(&from, &to)
        })
        .await?;
        let ids = ids(target, &plan, &network)?;

        let ground = Ground::find(plan.nodes).map_err(Trouble::Harness)?;
        let places = ground.nodes;
        let armoury = Armoury {
            at: SocketAddr::new(ground.ip, 0),
            traffic: dir.join("traffic"),
            seed: plan.seed,
        };
        let links = armoury.peer_links(&plan, &places).await?;
        let mut posts = Vec::new();
        for (node, home) in plan.all().zip(homes) {
            let at = places[node.index()];
            let clients = armoury.client_link(&plan, node, at.rpc).await?;
            let time_file = dir.join("clocks").join(format!("{node}.json"));
            clock::set(&time_file, Skew::default())
                .map_err(|error| Trouble::Harness(format!("cannot set a clock: {error}")))?;
            let mut values = values.clone();
            place(&mut values, node);
            at.put(&mut values);
            values.insert("home", home.display().to_string());
            values.insert("id", ids[node.index()].clone());
            values.insert("time_file", time_file.display().to_string());
            let inside = home.strip_prefix(&network).unwrap_or(&home);
            posts.push(Post {
                pristine: pristine.join(inside),
                kept: dir.join("kept").join(node.to_string()),
                log: dir.join("logs").join(format!("{node}.log")),
                peers: peers(&plan, node, &links, &ids),
                home,
                time_file,
                at,
                values,
                mark: format!("{}/{node}", dir.display()),
                clients,
                process: None,
            });
        }
        let places = plan
            .all()
            .flat_map(|node| {
                let Addresses { rpc, peer, admin } = places[node.index()];
                [rpc, peer, admin].map(|at| (at, node))
            })
            .collect();
        let sight = SharedSight::default();
        let guard = tokio::spawn(watch(sight.clone(), BTreeMap::clone(&places)));
        Ok(Live {
            target: target.clone(),
            plan,
            dir,
            network,
            posts,
            links,
            sight,
            places,
            guard,
            doubts: BTreeSet::new(),
        })
    }

    /// What the network was asked to be.
    pub fn plan(&self) -> &NetworkPlan {
        &self.plan
    }

    /// What it is made of.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Waits until a node that was started answers, is in the right network and has caught up.
    ///
    /// # Errors
    ///
    /// [`Trouble::Start`] with what it answered last, or how it ended.
    pub async fn ready(&mut self, node: NodeId) -> Result<Health, Trouble> {
        let expected = self.target.chain_id.fill(&self.plan.values(&self.network));
        let (limit, height) = (self.target.ready_limit, self.target.ready_height);
        let until = Instant::now() + limit;
        loop {
            let last = match self.health(node).await {
                Ok(health) if health.chain_id != expected => {
                    let other = health.chain_id;
                    let why = format!("it is in the network `{other}` and not in `{expected}`");
                    return Err(Trouble::Start { node, why });
                }
                Ok(health) if health.syncing => "it is catching up".to_owned(),
                Ok(health) if u64::try_from(health.block_height).is_ok_and(|at| at >= height) => {
                    return Ok(health);
                }
                Ok(health) => format!("it is at height {}", health.block_height),
                Err(why) => why,
            };
            let post = &mut self.posts[node.index()];
            let log = post.log.display();
            let Some(process) = &mut post.process else {
                let why = "it is down".to_owned();
                return Err(Trouble::Start { node, why });
            };
            if let Some(obituary) = process.obituary().await {
                let why = format!("{obituary}\nits log is {log}");
                return Err(Trouble::Start { node, why });
            }
            if Instant::now() >= until {
                let (seconds, tail) = (limit.as_secs_f32(), process.tail());
                let why = format!(
                    "not ready within {seconds} s: {last}\nits log is {log}, and ends\n{tail}"
                );
                return Err(Trouble::Start { node, why });
            }
            sleep(ASK_EVERY).await;
        }
    }

    /// What a node says of itself now, asked past its proxy.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub async fn health(&self, node: NodeId) -> Result<Health, String> {
        health::ask(self.posts[node.index()].at.rpc, ANSWER_WITHIN).await
    }

    /// Whether the system says that every process of a node is stopped.
    pub fn is_stopped(&self, node: NodeId) -> bool {
        let process = self.posts[node.index()].process.as_ref();
        process.is_some_and(Process::is_stopped)
    }

    /// Bytes that came over a link so far, both directions.
    pub fn passed(&self, way: Way) -> u64 {
        self.proxy(way).passed()
    }

    /// Captures that are not complete, because a file or the disk is full.
    pub fn truncated(&self) -> Vec<PathBuf> {
        let proxies = self.links.values();
        let clients = self.posts.iter().map(|post| &post.clients);
        proxies
            .chain(clients)
            .flat_map(|proxy| <[&Capture; 2]>::from(proxy.captures()))
            .filter(|capture| capture.is_truncated())
            .map(|capture| capture.path().to_owned())
            .collect()
    }

    /// Asks a node to stop, and says whether it did by itself within the target's limit.
    ///
    /// # Errors
    ///
    /// None of its own; see [`Venue::stop`].
    pub async fn stop_and_tell(&mut self, node: NodeId) -> Result<bool, Trouble> {
        self.allowed(node, Hardship::Stop)?;
        let command = self.target.stop.as_ref();
        let invocation = command.map(|command| self.invocation(node, command, &[]));
        let (signal, limit) = (self.target.stop_signal, self.target.stop_limit);
        let Some(process) = self.posts[node.index()].process.take() else {
            return Ok(true);
        };
        let (by_itself, doubt) = process.stop(signal, invocation.as_ref(), limit).await;
        self.ended(node, doubt);
        Ok(by_itself)
    }

    /// Ends every node at once, and says why nothing of this run can be relied on, if so.
    pub async fn close(mut self) -> Vec<String> {
        for node in self.plan.all() {
            if let Some(process) = self.posts[node.index()].process.take() {
                let doubt = process.kill().await;
                self.ended(node, doubt);
            }
        }
        self.doubts()
    }

    fn proxy(&self, way: Way) -> &Proxy {
        match way {
            Way::Peers { from, to } => self
                .links
                .get(&(from, to))
                .unwrap_or_else(|| panic!("no link leads from {from} to {to}")),
            Way::Clients { node } => &self.posts[node.index()].clients,
        }
    }

    fn allowed(&self, node: NodeId, hardship: Hardship) -> Result<(), Trouble> {
        if self.target.can(hardship) {
            return Ok(());
        }
        let (name, what) = (&self.target.name, hardship.name());
        Err(Trouble::Harness(format!(
            "{node} cannot take `{what}`: target `{name}` says so in `[capabilities] cannot`"
        )))
    }

    fn down(&mut self, node: NodeId, to: &str) -> Result<(), Trouble> {
        match self.is_up(node) {
            true => Err(Trouble::Harness(format!("{node} has to be down to {to}"))),
            false => Ok(()),
        }
    }

    fn invocation(
        &self,
        node: NodeId,
        command: &Command,
        more: &[(&'static str, String)],
    ) -> Invocation {
        let post = &self.posts[node.index()];
        let mut values = post.values.clone();
        values.extend(more.iter().cloned());
        let turned = self.plan.turned();
        let environment = self.target.environment.iter();
        Invocation {
            argv: argv(&self.target, command, &values, &post.peers, &turned),
            environment: environment
                .map(|(name, text)| (name.clone(), text.fill(&values)))
                .collect(),
            mark: post.mark.clone(),
            directory: self.network.clone(),
        }
    }

    /// A command that ends by itself carries another mark than the node it is about.
    fn errand(
        &self,
        node: NodeId,
        command: &Command,
        more: &[(&'static str, String)],
    ) -> Invocation {
        let mut invocation = self.invocation(node, command, more);
        invocation.mark.push_str("/errand");
        invocation
    }

    fn sight(&self) -> MutexGuard<'_, Sight> {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&mut self, node: NodeId, doubt: Option<String>) {
        self.sight().running.remove(&node);
        self.doubts
            .extend(doubt.map(|doubt| format!("{node}: {doubt}")));
    }

    /// Takes leave of a process that ended without being asked to.
    async fn bury(&mut self, node: NodeId) {
        if !self.is_up(node)
            && let Some(process) = self.posts[node.index()].process.take()
        {
            let doubt = process.kill().await;
            self.ended(node, doubt);
        }
    }
}

impl Venue for Live {
    type Net = Tcp;

    fn net(&self) -> Tcp {
        Tcp
    }

    fn wall(&self) -> WallMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        WallMillis(since.unwrap_or_default().as_millis() as u64)
    }

    fn can_skip(&self) -> bool {
        self.target.clock == ClockHook::TimeFile
    }

    fn skip_lead(&self) -> Duration {
        SKIP_LEAD
    }

    fn calm(&self) -> Duration {
        CALM
    }

    fn stride(&self) -> u64 {
        STRIDE
    }

    fn look(&self, node: NodeId) -> SocketAddr {
        self.posts[node.index()].at.rpc
    }

    fn watch_every(&self) -> Duration {
        WATCH_EVERY
    }

    fn ready_limit(&self) -> Duration {
        self.target.ready_limit
    }

    fn last_words(&self, node: NodeId) -> String {
        let post = &self.posts[node.index()];
        let tail = post.process.as_ref().map(Process::tail).unwrap_or_default();
        format!("\nits log is {}, and ends\n{tail}", post.log.display())
    }

    fn rpc(&self, node: NodeId) -> SocketAddr {
        self.posts[node.index()].clients.at()
    }

    async fn start(&mut self, node: NodeId) -> Result<(), Trouble> {
        self.down(node, "be started")?;
        self.bury(node).await;
        let invocation = self.invocation(node, &self.target.start, &[]);
        let post = &mut self.posts[node.index()];
        let failed = |why| Trouble::Start { node, why };
        let mut process = Process::start(&invocation, &post.log).map_err(failed)?;
        let seen = (process.group(), post.mark.clone());
        let until = Instant::now() + SETTLED_AFTER;
        while process.is_up() && Instant::now() < until {
            sleep(Duration::from_millis(5)).await;
        }
        if let Some(obituary) = process.obituary().await {
            let why = format!("{obituary}\nits log is {}", post.log.display());
            // Reaped already; this ends what it may have left behind.
            let doubt = process.kill().await;
            self.ended(node, doubt);
            return Err(failed(why));
        }
        post.process = Some(process);
        self.sight().running.insert(node, seen);
        Ok(())
    }

    async fn kill(&mut self, node: NodeId) -> Result<(), Trouble> {
        self.allowed(node, Hardship::Kill)?;
        if let Some(process) = self.posts[node.index()].process.take() {
            let doubt = process.kill().await;
            self.ended(node, doubt);
        }
        Ok(())
    }

    async fn stop(&mut self, node: NodeId) -> Result<(), Trouble> {
        self.stop_and_tell(node).await.map(|_| ())
    }

    async fn pause(&mut self, node: NodeId) -> Result<(), Trouble> {
        self.allowed(node, Hardship::Pause)?;
        if let Some(process) = &mut self.posts[node.index()].process {
            process.pause();
            let until = Instant::now() + STANDS_WITHIN;
            while !process.is_stopped() && Instant::now() < until {
                sleep(Duration::from_millis(2)).await;
            }
        }
        Ok(())
    }

    async fn resume(&mut self, node: NodeId) -> Result<(), Trouble> {
        if let Some(process) = &mut self.posts[node.index()].process {
            process.resume();
        }
        Ok(())
    }

    fn is_up(&mut self, node: NodeId) -> bool {
        let process = self.posts[node.index()].process.as_mut();
        process.is_some_and(Process::is_up)
    }

    async fn wipe(&mut self, node: NodeId) -> Result<(), Trouble> {
        self.allowed(node, Hardship::Wipe)?;
        self.down(node, "be wiped")?;
        self.bury(node).await;
        let post = &self.posts[node.index()];
        let (from, to) = (post.pristine.clone(), post.home.clone());
        blocking(move || disk::replace(&from, &to)).await
    }

    async fn keep_copy(&mut self, node: NodeId) -> Result<(), Trouble> {
        self.allowed(node, Hardship::RollBack)?;
        self.down(node, "be copied")?;
        self.bury(node).await;
        let post = &self.posts[node.index()];
        let (from, to) = (post.home.clone(), post.kept.clone());
        blocking(move || disk::replace(&from, &to)).await
    }

    async fn roll_back(&mut self, node: NodeId) -> Result<(), Trouble> {
        self.allowed(node, Hardship::RollBack)?;
        self.down(node, "be rolled back")?;
        self.bury(node).await;
        let post = &self.posts[node.index()];
        let (from, to) = (post.kept.clone(), post.home.clone());
        if !from.exists() {
            let why = format!("no copy of {node} was kept to roll back to");
            return Err(Trouble::Harness(why));
        }
        blocking(move || disk::replace(&from, &to)).await
    }

    async fn appoint(&mut self, node: NodeId, term: u32, leader: NodeId) -> Result<(), Trouble> {
        let Some(command) = &self.target.appoint else {
            let why = format!("target `{}` has no command `appoint`", self.target.name);
            return Err(Trouble::Harness(why));
        };
        // A node that does not say how high it is gets told the lowest height there is.
        let height = match self.health(node).await {
            Ok(health) => health.block_height.saturating_add(1),
            Err(_) => 1,
        };
        let more = [
            ("term", term.to_string()),
            ("leader", leader.to_string()),
            ("leader_id", self.posts[leader.index()].values["id"].clone()),
            ("next_height", height.to_string()),
        ];
        let errand = self.errand(node, command, &more);
        // A node that was just started may not listen to its operator yet.
        let until = Instant::now() + self.target.ready_limit;
        loop {
            match process::run(&errand, COMMAND_WITHIN).await {
                Ok(_) => return Ok(()),
                Err(_) if Instant::now() < until => sleep(ASK_EVERY).await,
                Err(why) => {
                    let what = format!("{node} was not told who leads: {why}");
                    return Err(Trouble::Harness(what));
                }
            }
        }
    }

    fn set_clock(&mut self, node: NodeId, skew: Skew) -> Result<(), Trouble> {
        match self.target.clock {
            ClockHook::TimeFile => clock::set(&self.posts[node.index()].time_file, skew)
                .map_err(|error| Trouble::Harness(format!("the clock of {node}: {error}"))),
            ClockHook::None if skew == Skew::default() => Ok(()),
            ClockHook::None => Err(Trouble::Harness(format!(
                "the clock of {node} cannot be set: target `{}` has no hook for it",
                self.target.name
            ))),
        }
    }

    fn set_link(&mut self, way: Way, link: Link) {
        self.proxy(way).set(link);
    }

    fn effect(&self, way: Way) -> u64 {
        self.proxy(way).effect()
    }

    async fn inspect(&mut self, node: NodeId) -> Result<Option<Inspection>, Trouble> {
        let Some(command) = self.target.inspect.clone() else {
            return Ok(None);
        };
        self.down(node, "be looked into")?;
        self.bury(node).await;
        let errand = self.errand(node, &command, &[]);
        let failed = |why| Trouble::Harness(format!("{node} cannot be looked into: {why}"));
        let printed = process::run(&errand, COMMAND_WITHIN)
            .await
            .map_err(failed)?;
        let inspection = serde_json::from_slice(&printed.out).map_err(|error| {
            let shown = errand.shown();
            failed(format!("`{shown}` prints what is no inspection: {error}"))
        })?;
        Ok(Some(inspection))
    }

    fn remains(&self, node: NodeId) -> Remains {
        let post = &self.posts[node.index()];
        let captures = |proxy: &Proxy| {
            let (sent, answered) = proxy.captures();
            for capture in [sent, answered] {
                capture.flush();
            }
            (sent.path().to_owned(), answered.path().to_owned())
        };
        let mut peer_traffic = Vec::new();
        for peer in self.plan.all().filter(|peer| *peer != node) {
            peer_traffic.push(captures(&self.links[&(peer, node)]).0);
            peer_traffic.push(captures(&self.links[&(node, peer)]).1);
        }
        let data = self.target.data.iter();
        Remains {
            data: data.map(|path| post.home.join(path)).collect(),
            logs: vec![post.log.clone()],
            peer_traffic,
            client_traffic: vec![captures(&post.clients).0],
        }
    }

    fn scratch(&self) -> PathBuf {
        self.dir.clone()
    }

    fn doubts(&mut self) -> Vec<String> {
        look(&self.sight, &self.places);
        let around = self.sight().around.clone();
        self.doubts.extend(around);
        self.doubts.iter().cloned().collect()
    }
}

/// Where proxies are made.
struct Armoury {
    /// A loopback address; the port is whichever is free.
    at: SocketAddr,
    /// Directory of the captures.
    traffic: PathBuf,
    seed: u64,
}

impl Armoury {
    async fn arm(&self, name: &str, to: SocketAddr, number: u64) -> Result<Proxy, Trouble> {
        let capture = |side| {
            let path = self.traffic.join(format!("{name}.{side}"));
            Capture::create(&path).map_err(|error| {
                Trouble::Harness(format!("cannot make {}: {error}", path.display()))
            })
        };
        let captures = (capture("sent")?, capture("answered")?);
        let course = Course {
            to,
            seed: self.seed,
            number,
        };
        let armed = Proxy::arm(self.at, course, Link::Open, captures).await;
        armed.map_err(|error| {
            let ip = self.at.ip();
            Trouble::Harness(format!("no proxy can listen at {ip}: {error}"))
        })
    }

    async fn peer_links(
        &self,
        plan: &NetworkPlan,
        places: &[Addresses],
    ) -> Result<BTreeMap<(NodeId, NodeId), Proxy>, Trouble> {
        let mut links = BTreeMap::new();
        for from in plan.all() {
            for to in plan.all().filter(|to| *to != from) {
                let number = number(plan, from, to);
                let at = places[to.index()].peer;
                let proxy = self.arm(&format!("{from}-{to}"), at, number).await?;
                links.insert((from, to), proxy);
            }
        }
        Ok(links)
    }

    async fn client_link(
        &self,
        plan: &NetworkPlan,
        node: NodeId,
        rpc: SocketAddr,
    ) -> Result<Proxy, Trouble> {
        // Nobody has a link to themselves, so that number is free.
        let number = number(plan, node, node);
        self.arm(&format!("clients-{node}"), rpc, number).await
    }
}

fn number(plan: &NetworkPlan, from: NodeId, to: NodeId) -> u64 {
    u64::from(from.0) * u64::from(plan.nodes) + u64::from(to.0)
}

/// What a node's command line says of each of its peers: the address of the proxy, as if it were theirs.
fn peers(
    plan: &NetworkPlan,
    node: NodeId,
    links: &BTreeMap<(NodeId, NodeId), Proxy>,
    ids: &[String],
) -> Vec<Values> {
    let others = plan.all().filter(|peer| *peer != node);
    let values = others.map(|peer| {
        let address = links[&(node, peer)].at();
        let mut values = Values::from([
            ("address", address.to_string()),
            ("host", address.ip().to_string()),
            ("port", address.port().to_string()),
            ("id", ids[peer.index()].clone()),
        ]);
        place(&mut values, peer);
        values
    });
    values.collect()
}

/// Looks for ways round the proxies until it is aborted.
async fn watch(sight: SharedSight, places: BTreeMap<SocketAddr, NodeId>) {
    let places = Arc::new(places);
    loop {
        sleep(LOOK_EVERY).await;
        let (sight, places) = (sight.clone(), places.clone());
        // Files of /proc are read, which takes a while where there are many processes.
        let _ = tokio::task::spawn_blocking(move || look(&sight, &places)).await;
    }
}

fn look(sight: &SharedSight, places: &BTreeMap<SocketAddr, NodeId>) {
    let locked = || sight.lock().unwrap_or_else(PoisonError::into_inner);
    let running = locked().running.clone();
    let processes = process::scan();
    let nodes = running.into_iter().map(|(node, (group, mark))| {
        let own = processes
            .iter()
            .filter(|scanned| scanned.belongs(group, &mark));
        (node, own.map(|scanned| scanned.member.pid).collect())
    });
    let watch = Watch {
        places: places.clone(),
        nodes: nodes.collect(),
    };
    let found = watch.look();
    locked().around.extend(found);
}

/// Makes the directories of a run.
fn prepare(dir: &Path) -> Result<PathBuf, String> {
    let unmade = |error| format!("cannot make {}: {error}", dir.display());
    std::fs::create_dir_all(dir).map_err(unmade)?;
    let dir = dir.canonicalize().map_err(unmade)?;
    if dir.join("network").exists() {
        let shown = dir.display();
        return Err(format!(
            "{shown} holds a network already; name another directory"
        ));
    }
    for part in ["network", "kept", "logs", "traffic", "clocks"] {
        std::fs::create_dir_all(dir.join(part)).map_err(unmade)?;
    }
    Ok(dir)
}

/// Where each node lives, which has to be there once the network is initialised.
fn homes(target: &Target, plan: &NetworkPlan, network: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let home = |node| {
        let mut values = Values::from([("dir", network.display().to_string())]);
        place(&mut values, node);
        let home = PathBuf::from(target.home.fill(&values));
        match home.is_dir() {
            true => Ok(home),
            false => Err(Trouble::Init(format!(
                "`init` ended well but made no home for {node} at {}",
                home.display()
            ))),
        }
    };
    plan.all().map(home).collect()
}

/// The identity of each node as the initialised network has it; empty where the target names none.
fn ids(target: &Target, plan: &NetworkPlan, network: &Path) -> Result<Vec<String>, Trouble> {
    let Some(peer_id) = &target.peer_id else {
        return Ok(vec![String::new(); usize::from(plan.nodes)]);
    };
    let id = |node| {
        let mut values = Values::from([("dir", network.display().to_string())]);
        place(&mut values, node);
        let (file, pointer) = (peer_id.file.fill(&values), peer_id.pointer.fill(&values));
        let missing = |why: String| {
            Trouble::Init(format!(
                "no identity of {node} at `{pointer}` of {file}: {why}"
            ))
        };
        let text = std::fs::read(&file).map_err(|error| missing(error.to_string()))?;
        let value: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| missing(error.to_string()))?;
        let found = value.pointer(&pointer).and_then(|value| value.as_str());
        found
            .map(str::to_owned)
            .ok_or_else(|| missing("no text is there".to_owned()))
    };
    plan.all().map(id).collect()
}

/// Carries out work on files where it keeps nobody waiting.
async fn blocking(
    work: impl FnOnce() -> Result<(), String> + Send + 'static,
) -> Result<(), Trouble> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Trouble::Harness),
        Err(error) => Err(Trouble::Harness(error.to_string())),
    }
}
