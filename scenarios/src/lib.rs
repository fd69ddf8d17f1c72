//! What to try, and what came of it: the scenario language, the library of stories, the plans they
//! resolve to, and the judge.
//!
//! Nothing here runs a node. Start with [`plan::Plan`].

pub mod judge;
pub mod plan;
