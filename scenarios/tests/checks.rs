//! Every requirement says how it is checked: by the invariants and steps that look at it, which are found
//! and not listed, or by a mark in the catalogue that says why nothing does.

use std::collections::BTreeSet;

use assay_model::catalogue::{RequirementId, catalogue};
use assay_model::invariant;
use assay_scenarios::plan::Expect;
use assay_scenarios::{Overrides, library, load};

#[test]
fn a_requirement_is_checked_or_says_why_not() {
    let mut checked: BTreeSet<RequirementId> = BTreeSet::new();
    for invariant in invariant::all() {
        checked.extend(invariant.requirements);
    }
    for source in library() {
        let plan = load(&source).unwrap().plan(&Overrides::none());
        let steps = plan.steps.iter();
        let looking = steps.filter(|step| step.expect != Expect::Anything);
        checked.extend(looking.flat_map(|step| &step.shows));
    }
    let mut wrong = Vec::new();
    for requirement in catalogue() {
        let id = requirement.id.as_str();
        match (checked.contains(id), &requirement.unchecked) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(_)) => wrong.push(format!(
                "{id} is checked by now: take its `unchecked` out of model/requirements.toml"
            )),
            (false, None) => wrong.push(format!(
                "{id} is checked by no invariant and no step: say why as its `unchecked` in \
                 model/requirements.toml"
            )),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
