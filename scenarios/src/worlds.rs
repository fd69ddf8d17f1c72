//! Which world can make which plan happen. A world asks before a run, so that what it cannot make is
//! said and not left out.

use std::fmt;

use serde::Serialize;

use crate::plan::{FaultKind, Plan, Ppm};

/// Where a plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorldKind {
    /// State machines on simulated links, disks and clocks.
    Simulated,
    /// The reference node's code on turmoil's network and clock.
    Turmoil,
    /// Processes behind proxies.
    Live,
}

impl WorldKind {
    /// Every world, the most able first.
    pub const ALL: [WorldKind; 3] = [WorldKind::Simulated, WorldKind::Live, WorldKind::Turmoil];

    /// As it stands in sentences: `a simulated world`.
    pub const fn name(self) -> &'static str {
        match self {
            WorldKind::Simulated => "a simulated world",
            WorldKind::Turmoil => "the turmoil world",
            WorldKind::Live => "a live world",
        }
    }
}

/// Something in a plan that a world cannot make. Shown as ``line 22: fault `lossy` needs a simulated
/// world: …``.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CannotMake {
    /// Line in the scenario file, from 1; nothing when it is about the story as a whole.
    pub line: Option<u32>,
    /// What it is: ``fault `lossy` ``.
    pub what: String,
    /// The worlds that can make it.
    pub able: Vec<WorldKind>,
    /// What this world lacks.
    pub why: &'static str,
}

impl fmt::Display for CannotMake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        let able: Vec<&str> = self.able.iter().map(|world| world.name()).collect();
        write!(f, "{} needs {}: {}", self.what, able.join(" or "), self.why)
    }
}

/// What a world cannot make of a plan, in the order of the story; empty when it can carry it out.
pub fn cannot_make(world: WorldKind, plan: &Plan) -> Vec<CannotMake> {
    let mut lacks = Vec::new();
    for (key, rate) in [
        ("loss", plan.network.loss),
        ("duplicate", plan.network.duplicate),
        ("reorder", plan.network.reorder),
    ] {
        if rate > Ppm(0)
            && let Some(why) = network(world)
        {
            lacks.push(CannotMake {
                line: None,
                what: format!("`{key}` of the network"),
                able: able(|other| network(other).is_none()),
                why,
            });
        }
    }
    for fault in &plan.faults {
        if let Some(why) = lack(world, &fault.kind) {
            lacks.push(CannotMake {
                line: Some(fault.line),
                what: format!("fault `{}`", fault.kind.name()),
                able: able(|other| lack(other, &fault.kind).is_none()),
                why,
            });
        }
    }
    lacks
}

fn able(can: impl Fn(WorldKind) -> bool) -> Vec<WorldKind> {
    let mut able = WorldKind::ALL.to_vec();
    able.retain(|world| can(*world));
    able
}

/// Nodes outside the simulation talk over TCP, where a lost, repeated or overtaken message means a
/// broken connection and one opened anew.
fn network(world: WorldKind) -> Option<&'static str> {
    match world {
        WorldKind::Simulated | WorldKind::Live => None,
        WorldKind::Turmoil => Some(BREAKS_NOTHING),
    }
}

const BREAKS_NOTHING: &str =
    "turmoil holds or drops what a link carries, but breaks no connection and sends nothing again";

const NOBODY_LIES: &str = "nodes that lie, or are lied to by their own disk, are made of the simulated world's state machines";

/// What a world lacks for a fault. Source: turmoil 0.7.2, `Sim` and `top`.
fn lack(world: WorldKind, kind: &FaultKind) -> Option<&'static str> {
    match (world, kind) {
        (
            WorldKind::Turmoil | WorldKind::Live,
            FaultKind::SlippedIn { .. }
            | FaultKind::ForgedQuorum { .. }
            | FaultKind::Omitted { .. }
            | FaultKind::AlteredRow { .. },
        ) => Some(NOBODY_LIES),
        (WorldKind::Simulated | WorldKind::Live, _) => None,
        (WorldKind::Turmoil, FaultKind::Lossy { .. } | FaultKind::Reset { .. }) => {
            Some(BREAKS_NOTHING)
        }
        (WorldKind::Turmoil, FaultKind::Pause { .. }) => {
            Some("turmoil runs every host that is up, whether its links are held or not")
        }
        (
            WorldKind::Turmoil,
            FaultKind::Crash { .. }
            | FaultKind::Stop { .. }
            | FaultKind::Wipe { .. }
            | FaultKind::RollBack { .. }
            | FaultKind::Split { .. }
            | FaultKind::Isolate { .. }
            | FaultKind::SplitLeader { .. }
            | FaultKind::OneWay { .. }
            | FaultKind::Stall { .. }
            | FaultKind::Refuse { .. }
            | FaultKind::Slow { .. }
            | FaultKind::SlowClients { .. }
            | FaultKind::LostReply { .. }
            | FaultKind::DuplicatedRequest { .. }
            | FaultKind::Offline { .. }
            | FaultKind::Clock(_),
        ) => None,
    }
}
