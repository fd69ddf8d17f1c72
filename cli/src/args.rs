//! What can be said on the command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use assay_model::bridge::Allocation;
use assay_model::crypto::Identity;
use assay_model::node::Timing;
use assay_model::rules::{Rules, Switch};
use assay_model::time::Millis;
use assay_node::config::{LogFormat, parse_peer};
use assay_node::genesis::{USUAL_TIMING, parse_balances, parse_owner};
use assay_reports::{Exit, Seeds};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::output::{Output, complain};
use crate::suggest::suggest;
use assay_scenarios::Overrides;

/// Tells whether a network of idOS nodes keeps its promises.
///
/// Without a command it runs the whole library in the simulated world, then certifies the built-in
/// reference node by the same stories on real processes, and writes one report of both to
/// `assay-report`.
#[derive(Debug, Parser)]
#[command(name = "assay", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// How results are given: text for people, json is one object on standard output
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

const EXIT_CODES: &str = "Exit codes: 0 every promise held; 1 a promise broke; 2 inconclusive; 3 a stale \
expectation; 4 nothing ran; 64 bad usage or a bad scenario; 69 a target did not start; 70 the harness \
itself is at fault; 130 interrupted, with partial results. The worst wins, in the order 70 69 64 1 3 2 \
4 0.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run stories and judge them
    Run(Box<RunArgs>),
    /// Tell one run event by event
    Replay(ReplayArgs),
    /// List, show and check stories
    Scenarios(ScenariosArgs),
    /// The requirements everything is judged by
    Requirements(RequirementsArgs),
    /// The points where promise and practice differ
    Rules(RulesArgs),
    /// Check a certificate, and say in words what it states and what it does not
    Verify(VerifyArgs),
    /// Run the library against a target's processes and certify it by a profile
    Certify(CertifyArgs),
    /// Try out, list and show targets: how an implementation's nodes are started and handled
    Target(TargetArgs),
    /// How fast this build is on this machine
    Bench(BenchArgs),
    /// The reference node: run one, run a local network, found, look inside
    Node(Box<NodeArgs>),
    /// A completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Stories: names of the library, folders of it, or files; all of the library when none is given
    pub(crate) scenario: Vec<String>,
    /// Run this seed only
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    pub(crate) seed: Option<u64>,
    /// Run these seeds, both ends included
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, default_value = "1..1")]
    pub(crate) seeds: Seeds,
    /// Where the stories take place; several, with commas between, are reported side by side
    #[arg(long, value_enum, default_value = "sim", value_delimiter = ',')]
    pub(crate) world: Vec<World>,
    /// What the live world runs against: the name of a built-in target, or a target file
    #[arg(long, value_name = "FILE|NAME", default_value = "reference")]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) circumstances: Circumstances,
    /// Directory for report.txt, report.json and junit.xml
    #[arg(long, value_name = "DIR", default_value = "assay-report")]
    pub(crate) out: PathBuf,
    /// How many runs go on at a time; all cores when left out
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Judge every story as if it announced no break: what it says it breaks counts like any other
    #[arg(long)]
    pub(crate) as_written: bool,
}

impl RunArgs {
    pub(crate) fn seeds(&self) -> Seeds {
        only(self.seed, self.seeds)
    }
}

#[derive(Debug, Args)]
pub(crate) struct CertifyArgs {
    /// The name of a built-in target, or a target file
    #[arg(long, value_name = "FILE|NAME", default_value = "reference")]
    pub(crate) target: String,
    /// What to certify: core, storage or full; what the target declares when left out
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Directory for reports, the certificate, and logs and evidence of every story
    #[arg(long, value_name = "DIR", default_value = "assay-report")]
    pub(crate) out: PathBuf,
    /// Sign the certificate with this Ed25519 key; `assay verify --help` says how to make one
    #[arg(long, value_name = "KEY")]
    pub(crate) sign: Option<PathBuf>,
    /// Tell every story with this seed only
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    pub(crate) seed: Option<u64>,
    /// Tell every story with these seeds, both ends included
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, default_value = "1..1")]
    pub(crate) seeds: Seeds,
    /// How many networks run at a time
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

impl Default for CertifyArgs {
    fn default() -> CertifyArgs {
        CertifyArgs {
            target: "reference".to_owned(),
            profile: None,
            out: PathBuf::from("assay-report"),
            sign: None,
            seed: None,
            seeds: Seeds { first: 1, last: 1 },
            jobs: None,
        }
    }
}

impl CertifyArgs {
    pub(crate) fn seeds(&self) -> Seeds {
        only(self.seed, self.seeds)
    }
}

/// One seed where one was asked for.
fn only(seed: Option<u64>, seeds: Seeds) -> Seeds {
    seed.map_or(seeds, |seed| Seeds {
        first: seed,
        last: seed,
    })
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The story: a name of the library, or a file
    #[arg(value_name = "FILE|NAME")]
    pub(crate) scenario: String,
    /// The seed of the run
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Stop after this time of the story, such as 12.480s, 90s or 2h, and show where every node stands
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<Millis>,
    #[command(flatten)]
    pub(crate) circumstances: Circumstances,
}

/// What a run depends on besides story and seed.
#[derive(Debug, Args)]
pub(crate) struct Circumstances {
    /// The rules nodes keep, in place of those each story names
    #[arg(long, value_enum)]
    pub(crate) rules: Option<Base>,
    /// Turn one rule on or off; `assay rules` lists them. May be given several times
    #[arg(long = "rule", value_name = "NAME=on|off", value_parser = parse_rule)]
    pub(crate) switches: Vec<(Switch, bool)>,
    /// How signing and sealing is done: as idOS does it, or by relation only, which is faster
    #[arg(long, value_enum, default_value_t = Crypto::Real)]
    pub(crate) crypto: Crypto,
}

impl Circumstances {
    pub(crate) fn overrides(&self, as_expected: bool) -> Overrides {
        Overrides {
            base: self.rules.map(Base::rules),
            switches: self.switches.clone(),
            as_expected,
        }
    }

    /// The same flags again, with a space in front of each: what a replay must be told.
    pub(crate) fn flags(&self) -> String {
        let mut flags = String::new();
        if let Some(base) = self.rules {
            flags.push_str(&format!(" --rules {}", base.name()));
        }
        for (switch, on) in &self.switches {
            let position = if *on { "on" } else { "off" };
            flags.push_str(&format!(" --rule {}={position}", switch.name()));
        }
        if self.crypto == Crypto::Symbolic {
            flags.push_str(" --crypto symbolic");
        }
        flags
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum World {
    Sim,
    Turmoil,
    Live,
}

impl World {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            World::Sim => "sim",
            World::Turmoil => "turmoil",
            World::Live => "live",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Base {
    Documented,
    Deployed,
}

impl Base {
    pub(crate) const fn rules(self) -> Rules {
        match self {
            Base::Documented => Rules::documented(),
            Base::Deployed => Rules::deployed(),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Base::Documented => "documented",
            Base::Deployed => "deployed",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Crypto {
    Real,
    Symbolic,
}

impl Crypto {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Crypto::Real => "real",
            Crypto::Symbolic => "symbolic",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ScenariosArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ScenariosCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScenariosCommand {
    /// Every story of the library, with its claim
    List,
    /// The text of a story; as json also the plan it resolves to
    Show {
        /// A name of the library, or a file
        #[arg(value_name = "NAME")]
        scenario: String,
    },
    /// Everything that is wrong with these files
    Validate {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// The JSON schema of a scenario file, for editors
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    #[command(subcommand)]
    pub(crate) command: TargetCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TargetCommand {
    /// Start a network of the target and see whether it does what its file says, step by step
    Check {
        /// A target file, or the name of a built-in target
        #[arg(value_name = "FILE|NAME")]
        target: String,
        /// Directory for the network, its logs and captured traffic; must hold no network yet. When left
        /// out, a temporary one that is kept only if a step fails
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// The built-in targets
    List,
    /// The text of a built-in target, to start from
    Show {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RequirementsArgs {
    /// Ids to explain; all when none is given
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Tell the library and show what tests each requirement: invariants, steps, the stories that got to it,
    /// the rules that break it. Ends with exit code 1 when nothing tests one of the MUSTs shown
    #[arg(long)]
    pub(crate) coverage: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// The rule to explain; all are listed when none is given
    pub(crate) name: Option<String>,
    /// The base whose positions are marked
    #[arg(long, value_enum, default_value_t = Base::Documented)]
    pub(crate) rules: Base,
    /// Turn one rule on or off in what is marked
    #[arg(long = "rule", value_name = "NAME=on|off", value_parser = parse_rule)]
    pub(crate) switches: Vec<(Switch, bool)>,
    /// Turn each rule off, alone, tell the library, and show which promises break and which stories show it
    #[arg(long, conflicts_with_all = ["rules", "switches"])]
    pub(crate) matrix: bool,
}

#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub(crate) struct VerifyArgs {
    /// The certificate
    pub(crate) file: PathBuf,
    /// The public key it must be signed with: a file with 64 hex digits, or PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// A file it must be about, such as the binary about to be installed. May be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) about: Vec<PathBuf>,
}

const VERIFY_HELP: &str = "Exit codes: 0 it is valid and the target passed; 1 it is valid and the target \
failed; 64 it is no certificate, was altered, contradicts itself, or is not what was asked for.\n\nWithout \
--key anyone may have made it: only a key you got another way says who did. To make a pair of keys:\n  \
openssl genpkey -algorithm ed25519 -out key.pem\n  openssl pkey -in key.pem -pubout -out key.pub";

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Measure the reference node instead: networks of four processes on loopback, and clients
    #[arg(long)]
    pub(crate) node: bool,
    /// How often everything is measured
    #[arg(long, value_name = "N", default_value = "7")]
    pub(crate) rounds: NonZeroU64,
}

/// Runs one node from its directory until SIGTERM or Ctrl-C, or with --cluster a local network. What flags
/// leave open is asked from the environment (ASSAY_NODE_RPC, ASSAY_NODE_PEERS, ..), then from node.toml in
/// the node's directory.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct NodeArgs {
    #[command(subcommand)]
    pub(crate) command: Option<NodeCommand>,
    /// The node's directory: genesis.json, node.key, node.toml, data.redb [env: ASSAY_NODE_HOME]
    #[arg(long, value_name = "DIR", conflicts_with = "cluster")]
    pub(crate) home: Option<PathBuf>,
    /// Where clients are served [default: 127.0.0.1:8484]
    #[arg(long, value_name = "ADDR", conflicts_with = "cluster")]
    pub(crate) rpc: Option<SocketAddr>,
    /// Where peers are accepted [default: 127.0.0.1:6600]
    #[arg(long, value_name = "ADDR", conflicts_with = "cluster")]
    pub(crate) peers_listen: Option<SocketAddr>,
    /// Where the operator is served; nowhere when left out
    #[arg(long, value_name = "ADDR", conflicts_with = "cluster")]
    pub(crate) admin: Option<SocketAddr>,
    /// Where another node accepts peers, such as n2=127.0.0.1:6602. May be given several times
    #[arg(long = "peer", value_name = "NODE=ADDR", value_parser = parse_peer, conflicts_with = "cluster")]
    pub(crate) peers: Vec<(String, SocketAddr)>,
    /// For tests: a file that sets the clock, {"skip":MS,"offset":MS,"drift":PPM}; health says so
    #[arg(long, value_name = "FILE", conflicts_with = "cluster")]
    pub(crate) time_file: Option<PathBuf>,
    /// How log lines are written to standard error: json or text [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log: Option<LogFormat>,
    /// What is logged: a level, or directives [default: info; warn with --cluster]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// Run a local network of so many nodes in one process, on free ports of the loopback interface
    #[arg(long, value_name = "N", requires = "dir", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) cluster: Option<u16>,
    /// The local network's directory, founded when it holds none
    #[arg(long, value_name = "DIR", requires = "cluster")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Found a network: a directory for each node, with genesis and key
    Init(Box<InitArgs>),
    /// What a stopped node has on its disk, as JSON
    Inspect {
        /// The node's directory
        #[arg(long, value_name = "DIR")]
        home: PathBuf,
    },
    /// Tell a running node about a new leader; every node has to be told
    Appoint {
        /// The node's admin address
        #[arg(long, value_name = "ADDR")]
        admin: SocketAddr,
        /// Counts the leaders; larger than any before, the first one's is 0
        #[arg(long, value_name = "N")]
        term: u32,
        /// The new leader, such as n2
        #[arg(long, value_name = "NODE")]
        leader: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Where the nodes' directories n1, n2, .. are made; nothing is overwritten
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) nodes: u16,
    /// The network's name
    #[arg(long, value_name = "NAME", default_value = "assay-local")]
    pub(crate) chain_id: String,
    /// The database owner: an address or an Ed25519 key; when left out a key is made up and put into owner.key
    #[arg(long, value_name = "0x..", value_parser = parse_owner)]
    pub(crate) db_owner: Option<Identity>,
    /// For tests only: every key follows from this number, so that anybody can work it out
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The rules the nodes keep
    #[arg(long, value_enum, default_value_t = Base::Documented)]
    pub(crate) rules: Base,
    /// Turn one rule on or off; `assay rules` lists them. May be given several times
    #[arg(long = "rule", value_name = "NAME=on|off", value_parser = parse_rule)]
    pub(crate) switches: Vec<(Switch, bool)>,
    /// Chain time before the first block, in milliseconds since 1970; now when left out
    #[arg(long, value_name = "MS")]
    pub(crate) time: Option<u64>,
    /// The first leader
    #[arg(long, value_name = "NODE", default_value = "n1")]
    pub(crate) leader: String,
    /// What people have of the tokens, in the smallest units, as IDOS:0x..=500,USDC:0x..=7; nothing for none
    #[arg(long, value_name = "TOKEN:0x..=N,..", default_value = "", value_parser = parse_endowment)]
    pub(crate) balances: Endowment,
    /// Nodes that do not vote unless they join, such as n4,n5
    #[arg(long, value_name = "NODES", default_value = "")]
    pub(crate) sentries: String,
    #[command(flatten)]
    pub(crate) timing: TimingArgs,
}

/// What people have from the start.
#[derive(Clone, Debug)]
pub(crate) struct Endowment(pub(crate) Vec<Allocation>);

fn parse_endowment(text: &str) -> Result<Endowment, String> {
    parse_balances(text).map(Endowment)
}

impl InitArgs {
    pub(crate) fn rules(&self) -> Rules {
        self.switches
            .iter()
            .fold(self.rules.rules(), |rules, (switch, on)| {
                rules.with(*switch, *on)
            })
    }
}

#[derive(Debug, Args)]
pub(crate) struct TimingArgs {
    /// Pause between a commit and the next proposal
    #[arg(long, value_name = "MS", default_value_t = USUAL_TIMING.propose)]
    pub(crate) propose_ms: u64,
    /// How soon the leader looks at what has come in
    #[arg(long, value_name = "MS", default_value_t = USUAL_TIMING.poll)]
    pub(crate) poll_ms: u64,
    /// How long nothing happens before an empty block
    #[arg(long, value_name = "MS", default_value_t = USUAL_TIMING.empty_block)]
    pub(crate) empty_block_ms: u64,
    /// How long something may go unanswered before it is said again
    #[arg(long, value_name = "MS", default_value_t = USUAL_TIMING.resend)]
    pub(crate) resend_ms: u64,
    /// How long a client's broadcast is held open
    #[arg(long, value_name = "MS", default_value_t = USUAL_TIMING.broadcast)]
    pub(crate) broadcast_ms: u64,
    /// How long a challenge may be used
    #[arg(long, value_name = "MS", default_value_t = USUAL_TIMING.challenge)]
    pub(crate) challenge_ms: u64,
    /// How far a block's time may be from a validator's clock
    #[arg(long, value_name = "MS", default_value_t = USUAL_TIMING.drift)]
    pub(crate) drift_ms: u64,
    /// After how many blocks a node makes a snapshot and forgets the blocks before the last one
    #[arg(long, value_name = "BLOCKS", default_value_t = USUAL_TIMING.history,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) history_blocks: u64,
}

impl TimingArgs {
    pub(crate) fn timing(&self) -> Timing {
        Timing {
            propose: self.propose_ms,
            poll: self.poll_ms,
            empty_block: self.empty_block_ms,
            resend: self.resend_ms,
            broadcast: self.broadcast_ms,
            challenge: self.challenge_ms,
            drift: self.drift_ms,
            history: self.history_blocks,
        }
    }
}

/// The command line as clap describes it, for completions.
pub(crate) fn description() -> clap::Command {
    Cli::command()
}

/// Arguments that were not understood, or that asked for help.
pub(crate) struct Refused(clap::Error);

impl Refused {
    /// Help goes to standard output and is no failure; everything else is bad usage.
    pub(crate) fn tell(&self, output: &mut Output) -> Exit {
        let text = self.0.render();
        if self.0.use_stderr() {
            complain(&text.to_string());
            Exit::Usage
        } else {
            output.text(&text.to_string());
            Exit::Held
        }
    }
}

/// Understands the arguments; the first is the program's name.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Cli, Refused> {
    Cli::try_parse_from(arguments).map_err(Refused)
}

fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let form = "seeds are written A..B, both ends included, such as 1..100";
    let (first, last) = text.split_once("..").ok_or(form)?;
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| form.to_owned());
    let seeds = Seeds {
        first: number(first)?,
        last: number(last.strip_prefix('=').unwrap_or(last))?,
    };
    if seeds.last < seeds.first {
        return Err(format!(
            "there is no seed from {} to {}",
            seeds.first, seeds.last
        ));
    }
    Ok(seeds)
}

fn parse_rule(text: &str) -> Result<(Switch, bool), String> {
    let (name, position) = text
        .split_once('=')
        .ok_or("a rule is written NAME=on or NAME=off")?;
    let switch = Switch::parse(name).ok_or_else(|| {
        let hint = suggest(name, Switch::ALL.iter().map(|switch| switch.name()));
        format!("there is no rule `{name}`; {hint}")
    })?;
    match position {
        "on" => Ok((switch, true)),
        "off" => Ok((switch, false)),
        other => Err(format!("`{other}` is neither `on` nor `off`")),
    }
}

/// A time as reports show it (`12.480s`, `3d 00:00:01.000`), or a number and a unit.
fn parse_time(text: &str) -> Result<Millis, String> {
    let form = || "times are written 12.480s, 90s, 250ms, 5m, 2h, 3d or 3d 00:00:01.000".to_owned();
    let text = text.trim();
    if let Some((days, clock)) = text.split_once("d ") {
        let mut parts = clock.splitn(3, ':');
        let mut part = || parts.next().ok_or_else(form);
        let (hours, minutes, seconds) = (part()?, part()?, part()?);
        let sum = [
            (days, 86_400_000),
            (hours, 3_600_000),
            (minutes, 60_000),
            (seconds, 1000),
        ];
        return sum
            .into_iter()
            .try_fold(0_u64, |sum, (number, unit)| {
                sum.checked_add(decimal(number, unit)?)
            })
            .map(Millis)
            .ok_or_else(form);
    }
    let unit_at = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let unit = match &text[unit_at..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(form()),
    };
    decimal(&text[..unit_at], unit).map(Millis).ok_or_else(form)
}

/// A decimal number of units, in the smallest unit and cut to whole ones.
fn decimal(text: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let scale = 10_u64.pow(fraction.len() as u32);
    let part = fraction.parse::<u64>().ok()?.checked_mul(unit)? / scale;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(unit)?
        .checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn both_ends_of_a_range_of_seeds_are_in_it() {
        let seeds = |first, last| Ok(Seeds { first, last });
        assert_eq!(parse_seeds("1..10"), seeds(1, 10));
        assert_eq!(parse_seeds("1..=10"), seeds(1, 10));
        assert_eq!(parse_seeds("7..7").unwrap().count(), 1);
        for wrong in ["7", "10..1", "a..b", "..", "-1..2", ""] {
            assert!(parse_seeds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_read_as_reports_write_them() {
        for millis in [
            0,
            480,
            12_480,
            86_399_999,
            86_400_000,
            3 * 86_400_000 + 3_661_001,
        ] {
            assert_eq!(parse_time(&Millis(millis).to_string()), Ok(Millis(millis)));
        }
        assert_eq!(parse_time("250ms"), Ok(Millis(250)));
        assert_eq!(parse_time("2h"), Ok(Millis(7_200_000)));
        assert_eq!(parse_time("1.5m"), Ok(Millis(90_000)));
        for wrong in [
            "",
            "12",
            "s",
            "1..2s",
            "-1s",
            "99999999999999999999s",
            "1 week",
            "1d x",
        ] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn flags_are_given_on_to_a_replay() {
        let cli = parse(
            [
                "assay",
                "run",
                "--rules",
                "deployed",
                "--rule",
                "dag-single-use=on",
                "--crypto",
                "symbolic",
            ]
            .map(OsString::from)
            .into_iter(),
        );
        let Ok(Cli {
            command: Some(Command::Run(run)),
            ..
        }) = cli
        else {
            panic!("not a run")
        };
        assert_eq!(
            run.circumstances.flags(),
            " --rules deployed --rule dag-single-use=on --crypto symbolic"
        );
    }
}
