//! What the stories say about each rule: turned off alone, which promises break, and in which story.

use std::collections::{BTreeMap, BTreeSet};

use assay_model::catalogue::RequirementId;
use assay_model::history::Ending;
use assay_model::rules::Switch;

use crate::judge::Judgement;
use crate::plan::{Expect, Plan, Step};

/// What came of turning one rule off in one story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing broke that did not break before.
    Nothing,
    /// Promises broke that had held.
    Caught(Vec<RequirementId>),
    /// Steps ended otherwise that show no single promise, by line.
    Otherwise(Vec<u32>),
    /// What these steps, by line, want to do does not exist then, so the story cannot be told; and none of them
    /// was to do what is promised.
    Untellable(Vec<u32>),
}

/// What a story says about a rule: `before` with the rules it is written for, `after` with one of them off in
/// addition.
pub fn turned(plan: &Plan, before: &Judgement, after: &Judgement) -> Turn {
    let failed = |judgement: &Judgement, id: RequirementId| {
        let result = judgement.requirements.get(id);
        result.is_some_and(|result| !result.findings.is_empty())
    };
    let breaks = |id: &RequirementId| failed(after, id) && !failed(before, id);
    let missing: Vec<&Step> = after
        .steps
        .iter()
        .filter(|step| step.met == Some(false) && step.ending == Some(UNKNOWN_ACTION))
        .map(|step| &plan.steps[step.step])
        .collect();
    if !missing.is_empty() {
        // What follows goes another way for want of the action; that it could not be done at all is told by the
        // steps that should have done it.
        let done = missing.iter().filter(|step| step.expect == DONE);
        let lost = done.flat_map(|step| step.shows.iter().copied());
        let lost: BTreeSet<RequirementId> = lost.filter(|id| breaks(id)).collect();
        let lines = missing.iter().map(|step| step.line).collect();
        return match lost.is_empty() {
            true => Turn::Untellable(lines),
            false => Turn::Caught(lost.into_iter().collect()),
        };
    }
    let broken = after.requirements.keys().copied();
    let broken: Vec<RequirementId> = broken.filter(breaks).collect();
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
const DONE: Expect = Expect::Ending(Ending::Accepted);

/// What turning one rule off, alone, comes to over all stories.
#[derive(Clone, Debug)]
pub struct Turned {
    /// The rule.
    pub switch: Switch,
    /// The promises that break, each with the stories that show it.
    pub caught: BTreeMap<RequirementId, Vec<String>>,
    /// Stories that cannot be told then, and the lines of the steps they fail at.
    pub untellable: Vec<(String, Vec<u32>)>,
    /// Stories in which steps end otherwise and no promise breaks, and the lines of these steps.
    pub otherwise: Vec<(String, Vec<u32>)>,
}

impl Turned {
    /// A rule that no story was told about yet.
    pub const fn new(switch: Switch) -> Turned {
        Turned {
            switch,
            caught: BTreeMap::new(),
            untellable: Vec::new(),
            otherwise: Vec::new(),
        }
    }

    /// Whether a promise breaks that the rule is there to keep.
    pub fn is_caught(&self) -> bool {
        let mut kept = self.switch.requirements().iter();
        kept.any(|id| self.caught.contains_key(id))
    }

    /// Adds what one story says.
    pub fn add(&mut self, story: &str, turn: Turn) {
        let story = || story.to_owned();
        match turn {
            Turn::Nothing => {}
            Turn::Caught(broken) => {
                for id in broken {
                    self.caught.entry(id).or_default().push(story());
                }
            }
            Turn::Otherwise(lines) => self.otherwise.push((story(), lines)),
            Turn::Untellable(lines) => self.untellable.push((story(), lines)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_caught_by_what_it_keeps_and_by_nothing_else() {
        let mut row = Turned::new(Switch::DagSingleUse);
        row.add("none", Turn::Nothing);
        row.add("other", Turn::Caught(vec!["GRANT-01"]));
        row.add("late", Turn::Otherwise(vec![7]));
        row.add("gone", Turn::Untellable(vec![3, 4]));
        assert!(!row.is_caught(), "{row:?}");
        row.add("own", Turn::Caught(vec!["DAG-03", "GRANT-01"]));
        assert!(row.is_caught());
        let expected = [
            ("DAG-03", vec!["own".to_owned()]),
            ("GRANT-01", vec!["other".to_owned(), "own".to_owned()]),
        ];
        assert_eq!(row.caught, BTreeMap::from(expected));
        assert_eq!(row.otherwise, [("late".to_owned(), vec![7])]);
        assert_eq!(row.untellable, [("gone".to_owned(), vec![3, 4])]);
    }
}
