//! The reference node as a program of its own, which may be told to be wrong in one way.

use std::error::Error;
use std::path::Path;

use assay_model::rules::Switch;
use assay_model::time::WallMillis;
use assay_node::admin::appoint;
use assay_node::config::{LogFormat, Settings, Told, parse_peer};
use assay_node::genesis::{parse_node, parse_owner};
use assay_node::process::{Founding, found, inspect, inspect_wrong, run, run_wrong, start_logs};
use assay_node::wrong::Wrong;

type Done = Result<(), Box<dyn Error>>;

/// The node does what it is told when this is the first argument of the test's executable.
pub(crate) const WORD: &str = "node";

/// Plays the node when the arguments ask for it; whether they did, and how it ended.
pub(crate) fn play() -> Option<Done> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_none_or(|word| word != WORD) {
        return None;
    }
    let arguments = Arguments(arguments);
    Some(match arguments.0.get(1).map(String::as_str) {
        Some("init") => init(&arguments),
        Some("inspect") => look(&arguments),
        Some("appoint") => promote(&arguments),
        _ => serve(&arguments),
    })
}

struct Arguments(Vec<String>);

impl Arguments {
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let pairs = self.0.windows(2).filter(move |pair| pair[0] == name);
        pairs.map(|pair| pair[1].as_str())
    }

    fn one(&self, name: &str) -> Result<&str, String> {
        let found = self.all(name).next();
        found.ok_or_else(|| format!("{name} is missing"))
    }

    fn number(&self, name: &str) -> Result<u64, Box<dyn Error>> {
        Ok(self.one(name)?.parse()?)
    }

    /// What this node does wrong, if it is among those that do.
    fn wrong(&self) -> Result<Option<Wrong>, String> {
        let Ok(name) = self.one("--wrong") else {
            return Ok(None);
        };
        let wrong = Wrong::parse(name).ok_or_else(|| format!("there is no wrong `{name}`"))?;
        let node = self.one("--node")?;
        let struck = self.one("--on").is_ok_and(|on| on == node || on == "all");
        Ok(struck.then_some(wrong))
    }
}

fn init(arguments: &Arguments) -> Done {
    let nodes = arguments.number("--nodes")? as u16;
    let mut founding = Founding::of(nodes);
    founding.chain_id = arguments.one("--chain-id")?.to_owned();
    founding.db_owner = Some(parse_owner(arguments.one("--db-owner")?)?);
    founding.seed = Some(arguments.number("--seed")?);
    founding.time = Some(WallMillis(arguments.number("--time")?));
    founding.leader = parse_node(arguments.one("--leader")?, nodes.into())?;
    for rule in arguments.all("--rule") {
        let (name, position) = rule
            .split_once('=')
            .ok_or("a rule is NAME=on or NAME=off")?;
        let switch = Switch::parse(name).ok_or("there is no such rule")?;
        founding.rules = founding.rules.with(switch, position == "on");
    }
    let timing = &mut founding.timing;
    for (name, place) in [
        ("--propose-ms", &mut timing.propose),
        ("--poll-ms", &mut timing.poll),
        ("--empty-block-ms", &mut timing.empty_block),
        ("--resend-ms", &mut timing.resend),
        ("--broadcast-ms", &mut timing.broadcast),
        ("--challenge-ms", &mut timing.challenge),
        ("--drift-ms", &mut timing.drift),
        ("--history-blocks", &mut timing.history),
    ] {
        *place = arguments.number(name)?;
    }
    found(Path::new(arguments.one("--dir")?), &founding)?;
    Ok(())
}

fn serve(arguments: &Arguments) -> Done {
    let peers = arguments.all("--peer").map(parse_peer);
    let told = Told {
        rpc: Some(arguments.one("--rpc")?.parse()?),
        peers_listen: Some(arguments.one("--peers-listen")?.parse()?),
        admin: Some(arguments.one("--admin")?.parse()?),
        peers: peers.collect::<Result<_, _>>()?,
        time_file: arguments.one("--time-file").ok().map(Into::into),
        log: Some(LogFormat::Json),
        log_level: None,
    };
    let settings = Settings::gather(arguments.one("--home")?.into(), told, |_| None)?;
    start_logs(settings.log, &settings.log_level)?;
    match arguments.wrong()? {
        Some(wrong) => run_wrong(settings, wrong)?,
        None => run(settings)?,
    }
    Ok(())
}

fn look(arguments: &Arguments) -> Done {
    let home = Path::new(arguments.one("--home")?);
    let seen = match arguments.wrong()? {
        Some(wrong) => inspect_wrong(home, wrong)?,
        None => inspect(home)?,
    };
    println!("{seen}");
    Ok(())
}

fn promote(arguments: &Arguments) -> Done {
    let term = arguments.number("--term")? as u32;
    appoint(
        arguments.one("--admin")?.parse()?,
        term,
        arguments.one("--leader")?,
    )?;
    Ok(())
}
