//! A story that was understood.

use assay_model::rules::{Rules, Switch};

use crate::library::Source;
use crate::place::Place;
use crate::plan::Plan;
use crate::problem::Problem;
use crate::resolve;

/// A story and the plan it resolves to.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// As in [`Source::name`].
    pub name: String,
    /// What the story claims, in one sentence.
    pub claim: String,
    /// The plan as the file has it, nothing overridden.
    pub plan: Plan,
    /// Where it comes from.
    pub source: Source,
}

/// What the command line changes in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overrides {
    /// Rules in place of the file's, with every switch the file turned.
    pub base: Option<Rules>,
    /// Switches turned after that, in this order.
    pub switches: Vec<(Switch, bool)>,
    /// Whether the story may break what it says it breaks; otherwise every broken promise counts.
    pub as_expected: bool,
}

impl Overrides {
    /// The plan as the file has it.
    pub const fn none() -> Overrides {
        Overrides {
            base: None,
            switches: Vec::new(),
            as_expected: true,
        }
    }
}

impl Scenario {
    /// The plan, with the overrides applied.
    pub fn plan(&self, overrides: &Overrides) -> Plan {
        overridden(self.plan.clone(), overrides)
    }
}

/// A story as it is to be told: what its file says, and what the command line changes.
#[derive(Clone, Debug)]
pub struct Script {
    scenario: Scenario,
    overrides: Overrides,
}

impl Script {
    /// A story with these overrides.
    pub fn new(scenario: Scenario, overrides: Overrides) -> Script {
        Script {
            scenario,
            overrides,
        }
    }

    /// Its plan on a network of its own.
    pub fn plan(&self) -> Plan {
        self.scenario.plan(&self.overrides)
    }

    /// Its plan on a network that has seen other stories.
    pub fn plan_at(&self, place: &Place) -> Plan {
        let plan = resolve::resolve(&self.scenario.source, place);
        overridden(plan.expect("it was understood before"), &self.overrides)
    }
}

fn overridden(mut plan: Plan, overrides: &Overrides) -> Plan {
    plan.rules = overrides.base.unwrap_or(plan.rules);
    for (switch, on) in &overrides.switches {
        plan.rules = plan.rules.with(*switch, *on);
    }
    if !overrides.as_expected {
        plan.breaks.clear();
    }
    plan
}

/// Understands a story.
///
/// # Errors
///
/// Everything that is wrong with the story, in the order of the file; never an empty list. A file that
/// is not TOML is not looked into any further.
pub fn load(source: &Source) -> Result<Scenario, Vec<Problem>> {
    let plan = resolve::resolve(source, &Place::default())?;
    Ok(Scenario {
        name: plan.name.clone(),
        claim: plan.claim.clone(),
        plan,
        source: source.clone(),
    })
}
