//! The scenario loader and the list of invariants, as the rest of this crate knows them.

pub(crate) use assay_model::invariant::all as invariants;
pub(crate) use assay_scenarios::{
    Overrides, Problem, Scenario, Source, library, load, read_scenario, schema,
};
