//! What the stories say about each rule: turned alone, which promises break, and in which story.

use std::collections::BTreeMap;

use assay_model::catalogue::RequirementId;
use assay_model::history::Ending;
use assay_model::rules::Switch;

use crate::judge::Judgement;
use crate::plan::Plan;

/// What came of turning one rule in one story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing broke that did not break before.
    Nothing,
    /// Promises broke that had held.
    Caught(Vec<RequirementId>),
    /// Steps ended otherwise that show no single promise, by line.
    Otherwise(Vec<u32>),
    /// What these steps, by line, want to do does not exist then, so the story cannot be told. It still
    /// shows the promises, if any, that the rule keeps and these steps should have shown.
    NotApplicable(Vec<u32>, Vec<RequirementId>),
}

/// What a story says about a rule: `before` with the rules it is written for, `after` with the switch
/// turned in addition.
pub fn turned(switch: Switch, plan: &Plan, before: &Judgement, after: &Judgement) -> Turn {
    let missing: Vec<usize> = after
        .steps
        .iter()
        .filter(|step| step.met == Some(false) && step.ending == Some(UNKNOWN_ACTION))
        .map(|step| step.step)
        .collect();
    if !missing.is_empty() {
        let kept = switch.requirements().iter().copied();
        let shown = |id: &RequirementId| {
            let mut steps = missing.iter();
            steps.any(|step| plan.steps[*step].shows.contains(id))
        };
        let lines = missing.iter().map(|step| plan.steps[*step].line);
        return Turn::NotApplicable(lines.collect(), kept.filter(shown).collect());
    }
    let failed = |judgement: &Judgement, id: RequirementId| {
        let result = judgement.requirements.get(id);
        result.is_some_and(|result| !result.findings.is_empty())
    };
    let broken = after.requirements.keys().copied();
    let broken: Vec<RequirementId> = broken
        .filter(|id| failed(after, id) && !failed(before, id))
        .collect();
    if !broken.is_empty() {
        return Turn::Caught(broken);
    }
    let unmet = |judgement: &Judgement, step: usize| judgement.steps[step].met == Some(false);
    let otherwise: Vec<u32> = (0..plan.steps.len())
        .filter(|step| unmet(after, *step) && !unmet(before, *step))
        .map(|step| plan.steps[step].line)
        .collect();
    if otherwise.is_empty() {
        Turn::Nothing
    } else {
        Turn::Otherwise(otherwise)
    }
}

const UNKNOWN_ACTION: Ending = Ending::Refused("unknown-action");

/// What turning one rule, alone, comes to over all stories.
#[derive(Clone, Debug)]
pub struct Turned {
    /// The rule.
    pub switch: Switch,
    /// The side it was turned to.
    pub on: bool,
    /// The promises that break, each with the stories that show it.
    pub caught: BTreeMap<RequirementId, Vec<String>>,
    /// Stories that cannot be told then, and the lines of the steps they fail at.
    pub not_applicable: Vec<(String, Vec<u32>)>,
    /// Stories in which steps end otherwise and no promise breaks, and the lines of these steps.
    pub otherwise: Vec<(String, Vec<u32>)>,
}

impl Turned {
    /// A rule that no story was told about yet.
    pub const fn new(switch: Switch, on: bool) -> Turned {
        Turned {
            switch,
            on,
            caught: BTreeMap::new(),
            not_applicable: Vec::new(),
            otherwise: Vec::new(),
        }
    }

    /// Adds what one story says.
    pub fn add(&mut self, story: &str, turn: Turn) {
        let mut catch = |broken: Vec<RequirementId>| {
            for id in broken {
                self.caught.entry(id).or_default().push(story.to_owned());
            }
        };
        match turn {
            Turn::Nothing => {}
            Turn::Caught(broken) => catch(broken),
            Turn::Otherwise(lines) => self.otherwise.push((story.to_owned(), lines)),
            Turn::NotApplicable(lines, broken) => {
                catch(broken);
                self.not_applicable.push((story.to_owned(), lines));
            }
        }
    }
}
