//! The scenario loader and the list of invariants, as the rest of this crate knows them.
//!
//! A stand-in until the loader is merged; then this module becomes re-exports of `assay_scenarios` and
//! `assay_model::invariant::all`.

use std::path::Path;
use std::sync::Arc;

use assay_model::id::{NodeId, PartyId, UserId};
use assay_model::invariant::Invariant;
use assay_model::node::Timing;
use assay_model::rules::{Rules, Switch};
use assay_model::time::{Millis, WallMillis};
use assay_scenarios::plan::{Network, Plan, Ppm};

/// A story before it is understood.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) text: Arc<str>,
}

/// One thing wrong with a story.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{0}")]
pub(crate) struct Problem(String);

/// What the command line changes in a plan.
#[derive(Clone, Debug)]
pub(crate) struct Overrides {
    pub(crate) base: Option<Rules>,
    pub(crate) switches: Vec<(Switch, bool)>,
    pub(crate) as_expected: bool,
}

impl Overrides {
    /// The plan as the file has it.
    pub(crate) const fn none() -> Overrides {
        Overrides {
            base: None,
            switches: Vec::new(),
            as_expected: true,
        }
    }
}

/// A story that was understood.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) claim: String,
}

impl Scenario {
    pub(crate) fn plan(&self, overrides: &Overrides) -> Plan {
        let mut rules = overrides.base.unwrap_or(Rules::documented());
        for (switch, on) in &overrides.switches {
            rules = rules.with(*switch, *on);
        }
        Plan {
            name: self.name.clone(),
            claim: self.claim.clone(),
            nodes: 4,
            leader: NodeId(0),
            epoch: WallMillis(1_767_225_600_000),
            timing: Timing {
                propose: 1000,
                poll: 100,
                empty_block: 60_000,
                resend: 2000,
                broadcast: 10_000,
                challenge: 60_000,
                drift: 5000,
            },
            network: Network {
                latency: Millis(20),
                jitter: Millis(10),
                loss: Ppm(0),
                duplicate: Ppm(0),
                reorder: Ppm(0),
            },
            disk_sync: Millis(5),
            rules,
            parties: vec![assay_scenarios::plan::Party {
                name: "idos".to_owned(),
                role: assay_model::history::Role::DbOwner,
                user: UserId(
                    "00000000-0000-0000-0000-000000000000"
                        .parse()
                        .expect("an id"),
                ),
                registered: false,
                admitted: false,
                careful: true,
                box_key_of: PartyId(0),
            }],
            steps: vec![],
            faults: vec![],
            clocks: vec![],
            duration: Millis::seconds(60),
            settle: Millis::seconds(30),
            events: 1_000_000,
            audit: false,
            check: vec![],
            breaks: if overrides.as_expected {
                vec!["GRANT-05"]
            } else {
                vec![]
            },
        }
    }
}

pub(crate) fn library() -> Vec<Source> {
    ["grants/locked-revoke", "grants/quiet"]
        .map(|name| Source {
            name: name.to_owned(),
            path: format!("scenarios/library/{name}.toml"),
            text: "claim = \"Nothing happens.\"\n".into(),
        })
        .into()
}

pub(crate) fn read_scenario(path: &Path) -> Result<Source, Problem> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Problem(format!("failed to read {}: {error}", path.display())))?;
    Ok(Source {
        name: path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        path: path.display().to_string(),
        text: text.into(),
    })
}

pub(crate) fn load(
    source: &Source,
    known_invariants: &[&'static str],
) -> Result<Scenario, Vec<Problem>> {
    let _ = known_invariants;
    let claim = source
        .text
        .lines()
        .find_map(|line| line.strip_prefix("claim = \"")?.strip_suffix('"'));
    match claim {
        Some(claim) => Ok(Scenario {
            name: source.name.clone(),
            claim: claim.to_owned(),
        }),
        None => Err(vec![
            Problem(format!("{}: no claim", source.path)),
            Problem(format!("{}: no steps", source.path)),
        ]),
    }
}

pub(crate) fn schema() -> serde_json::Value {
    serde_json::json!({ "type": "object" })
}

pub(crate) fn invariants() -> &'static [&'static Invariant] {
    &[]
}
