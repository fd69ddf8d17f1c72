//! A target: how an implementation is initialised, started, watched and looked into, as a TOML file says.

mod file;
mod resolve;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::certify::sha256;

use assay_model::rules::Switch;
use assay_scenarios::{FileKind, Problem, Source, read_source, suggest};
use rustix::process::Signal;

pub(crate) use self::words::{Template, Values};

const TARGET: FileKind = FileKind {
    called: "a target",
    missing: "`assay target list` names the built-in targets",
    directory: "a target is one file; name it",
    empty: "`assay target show reference` prints a target to start from",
};

/// The targets that come with the house: name and text.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("reference", include_str!("../../targets/reference.toml")),
    (
        "reference-real-time",
        include_str!("../../targets/reference-real-time.toml"),
    ),
    ("kwild", include_str!("../../targets/kwild.toml")),
];

/// Something done to nodes that a target may be unable to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hardship {
    /// An end without warning.
    Kill,
    /// A graceful stop.
    Stop,
    /// SIGSTOP for a while.
    Pause,
    /// An empty disk.
    Wipe,
    /// An earlier copy of the disk.
    RollBack,
    /// Anything done to links between nodes.
    PeerLinks,
    /// Anything done to links of clients.
    ClientLinks,
}

impl Hardship {
    /// All of them.
    pub const ALL: [Hardship; 7] = [
        Hardship::Kill,
        Hardship::Stop,
        Hardship::Pause,
        Hardship::Wipe,
        Hardship::RollBack,
        Hardship::PeerLinks,
        Hardship::ClientLinks,
    ];

    /// As target files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Hardship::Kill => "kill",
            Hardship::Stop => "stop",
            Hardship::Pause => "pause",
            Hardship::Wipe => "wipe",
            Hardship::RollBack => "roll-back",
            Hardship::PeerLinks => "peer-links",
            Hardship::ClientLinks => "client-links",
        }
    }
}

/// What can be certified of a target, and what cannot be asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The profile it declares to keep.
    pub profile: String,
    /// Rules it can be started with or without.
    pub rules: Vec<Switch>,
    /// What it cannot take.
    pub cannot: Vec<Hardship>,
    /// Largest request body it takes, in bytes.
    pub max_body: u64,
    /// Whether readers have to sign what they ask.
    pub private: bool,
    /// Whether the keys of its nodes follow from `{seed}` as the reference node's do, so that operators can
    /// speak with them.
    pub keys_of_seed: bool,
}

/// How a node's clock is set from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockHook {
    /// Not at all.
    None,
    /// A file with a [`assay_node::runtime::Skew`] as JSON, read again when it changes.
    TimeFile,
}

/// One element of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    One(Template),
    /// `peer_args`, once for every peer.
    Peers,
    /// `rule_args`, once for every rule that is not kept.
    Rules,
}

/// A command with placeholders.
pub(crate) type Command = Vec<Argument>;

/// Where the identity of a node is found once the network is initialised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PeerId {
    pub(crate) file: Template,
    pub(crate) pointer: Template,
}

/// See the module. Everything in it is checked, and what the file leaves out is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What people call it.
    pub name: String,
    /// What it is, in one sentence.
    pub description: String,
    /// The file it was read from.
    pub path: String,
    /// How its clock is set.
    pub clock: ClockHook,
    /// Whether it keeps what was deleted, by design: blocks, for instance.
    pub keeps_history: bool,
    /// How long a node may take to get ready.
    pub ready_limit: Duration,
    /// Height a node must have reached to be ready.
    pub ready_height: u64,
    /// What it can do and take.
    pub capabilities: Capabilities,
    /// What a graceful stop begins with.
    pub stop_signal: Signal,
    /// How long a graceful stop may take.
    pub stop_limit: Duration,
    /// The text of its file.
    pub(crate) text: Arc<str>,
    pub(crate) home: Template,
    pub(crate) chain_id: Template,
    pub(crate) init: Command,
    pub(crate) start: Command,
    pub(crate) stop: Option<Command>,
    pub(crate) inspect: Option<Command>,
    pub(crate) appoint: Option<Command>,
    pub(crate) peer_args: Vec<Template>,
    pub(crate) rule_args: Vec<Template>,
    pub(crate) environment: Vec<(String, Template)>,
    pub(crate) peer_id: Option<PeerId>,
    pub(crate) data: Vec<String>,
}

impl Target {
    /// Understands a target file.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it; what TOML or a missing key stops is told first and alone.
    pub fn parse(source: &Source) -> Result<Target, Vec<Problem>> {
        resolve::target(source)
    }

    /// Reads a target: a built-in one by its name, or a file.
    ///
    /// # Errors
    ///
    /// Those of [`Target::parse`], and a file that cannot be read.
    pub fn load(word: &str) -> Result<Target, Vec<Problem>> {
        let is_file = word.ends_with(".toml") || Path::new(word).is_file();
        if !is_file && let Some(source) = built_in(word) {
            return Target::parse(&source);
        }
        if !is_file && !word.contains('/') {
            let mut problem = Problem::new(format!("there is no target `{word}`"));
            problem.advise(suggest(word, &BUILT_IN.map(|(name, _)| name)));
            return Err(vec![problem]);
        }
        Target::parse(&read_source(Path::new(word), &TARGET).map_err(|problem| vec![problem])?)
    }

    /// The reference node, which is what a run without a target runs against.
    pub fn reference() -> Target {
        Target::load("reference").expect("the built-in targets are sound")
    }

    /// SHA-256 of the target's file, hex.
    pub fn digest(&self) -> String {
        sha256(self.text.as_bytes())
    }

    /// The program its nodes are: the first word of what starts one, looked for as a shell would.
    /// `assay` is what `{self}` stands for.
    pub fn binary(&self, assay: &Path) -> PathBuf {
        let values = Values::from([("self", assay.display().to_string())]);
        let Some(Argument::One(first)) = self.start.first() else {
            return assay.to_owned();
        };
        let word = PathBuf::from(first.fill(&values));
        if word.components().count() > 1 {
            return word;
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|dir| dir.join(&word));
        found
            .into_iter()
            .find(|file| file.is_file())
            .unwrap_or(word)
    }

    /// Whether nodes of this target can take this.
    pub fn can(&self, hardship: Hardship) -> bool {
        !self.capabilities.cannot.contains(&hardship)
    }

    /// Whether a network can begin with people who have tokens.
    pub fn endows(&self) -> bool {
        let names = |argument: &Argument| match argument {
            Argument::One(text) => text.names("balances"),
            Argument::Peers | Argument::Rules => false,
        };
        self.init.iter().any(names)
    }

    /// Whether nodes can be told who leads.
    pub fn can_appoint(&self) -> bool {
        self.appoint.is_some()
    }

    /// Whether the tables of a stopped node can be looked into.
    pub fn can_inspect(&self) -> bool {
        self.inspect.is_some()
    }
}

/// The text of a built-in target.
pub fn built_in(name: &str) -> Option<Source> {
    let (name, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
    Some(Source {
        name: (*name).to_owned(),
        path: format!("conformance/targets/{name}.toml"),
        text: (*text).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_targets_are_sound() {
        for (name, _) in BUILT_IN {
            let target = Target::load(name).unwrap_or_else(|problems| panic!("{problems:?}"));
            assert_eq!(target.name, name);
        }
        assert_eq!(Target::reference().clock, ClockHook::TimeFile);
    }
}
