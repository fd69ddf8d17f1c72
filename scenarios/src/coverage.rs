//! What tests each requirement, counted from runs: a list kept by hand would say what somebody once meant.

use std::collections::BTreeMap;

use assay_model::catalogue::{Requirement, RequirementLevel, catalogue};
use assay_model::history::Ending;
use assay_model::invariant;
use assay_model::rules::Switch;

use crate::judge::Judgement;
use crate::plan::{Expect, Plan};

/// A story that was carried out and judged.
#[derive(Debug)]
pub struct Told<'a> {
    /// Its name in the library.
    pub story: &'a str,
    /// What was to be done.
    pub plan: &'a Plan,
    /// What came of it.
    pub judgement: &'a Judgement,
}

/// A step of a story that shows a requirement by how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownBy {
    /// The story.
    pub story: String,
    /// The step's line in its file.
    pub line: u32,
    /// How the step should end.
    pub ending: Ending,
}

/// What tests one requirement.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which.
    pub requirement: &'static Requirement,
    /// Invariants that stand for it, by name.
    pub invariants: Vec<&'static str>,
    /// Steps that should end in a way that shows it.
    pub steps: Vec<ShownBy>,
    /// Stories whose run really tested it, and how often.
    pub exercised: BTreeMap<String, u64>,
    /// Rules that keep it, by name: turned off, they may break it.
    pub rules: Vec<&'static str>,
}

/// What a requirement lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// No invariant and no step of any story looks at it.
    Unchecked,
    /// Something would look at it, but no story got there.
    Unexercised,
}

impl Row {
    /// Whether an invariant or a step looks at it.
    pub fn is_checked(&self) -> bool {
        !self.invariants.is_empty() || !self.steps.is_empty()
    }

    /// What it lacks, if anything.
    pub fn gap(&self) -> Option<Gap> {
        if !self.is_checked() {
            Some(Gap::Unchecked)
        } else if self.exercised.is_empty() {
            Some(Gap::Unexercised)
        } else {
            None
        }
    }
}

/// Every requirement of the catalogue and what tests it, in its order.
pub fn coverage<'a>(stories: impl IntoIterator<Item = Told<'a>>) -> Vec<Row> {
    let row = |requirement: &'static Requirement| {
        let id = requirement.id.as_str();
        let standing = invariant::all().iter();
        let standing = standing.filter(|invariant| invariant.requirements.contains(&id));
        let keeping = Switch::ALL.iter();
        let keeping = keeping.filter(|switch| switch.requirements().contains(&id));
        Row {
            requirement,
            invariants: standing.map(|invariant| invariant.name).collect(),
            steps: Vec::new(),
            exercised: BTreeMap::new(),
            rules: keeping.map(|switch| switch.name()).collect(),
        }
    };
    let mut rows: Vec<Row> = catalogue().iter().map(row).collect();
    for told in stories {
        for row in &mut rows {
            row.add(&told);
        }
    }
    rows
}

impl Row {
    fn add(&mut self, told: &Told<'_>) {
        let id = self.requirement.id.as_str();
        for step in &told.plan.steps {
            if let Expect::Ending(ending) = step.expect
                && step.shows.contains(&id)
            {
                self.steps.push(ShownBy {
                    story: told.story.to_owned(),
                    line: step.line,
                    ending,
                });
            }
        }
        let result = told.judgement.requirements.get(id);
        if let Some(checked) = result.map(|result| result.checked)
            && checked > 0
        {
            *self.exercised.entry(told.story.to_owned()).or_default() += checked;
        }
    }
}

/// How many requirements of one level lack what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The level.
    pub level: RequirementLevel,
    /// How many there are.
    pub all: usize,
    /// How many nothing looks at.
    pub unchecked: usize,
    /// How many no story gets to, though something would look.
    pub unexercised: usize,
}

/// The rows counted level by level.
pub fn summaries(rows: &[Row]) -> [Summary; 3] {
    use RequirementLevel::{May, Must, Should};
    [Must, Should, May].map(|level| {
        let of_level = || rows.iter().filter(|row| row.requirement.level == level);
        let with = |gap| of_level().filter(|row| row.gap() == Some(gap)).count();
        Summary {
            level,
            all: of_level().count(),
            unchecked: with(Gap::Unchecked),
            unexercised: with(Gap::Unexercised),
        }
    })
}
