//! What to try, and what came of it: the scenario language, the library of stories, the plans they
//! resolve to, and the judge.
//!
//! Nothing here runs a node. Start with [`plan::Plan`], then [`load`], which makes one from a story.

pub mod coverage;
mod file;
mod hurry;
pub mod judge;
mod library;
pub mod matrix;
mod names;
mod place;
pub mod plan;
mod problem;
mod requirements;
mod resolve;
mod scenario;
mod shape;
mod units;
mod verb;
pub mod worlds;

pub use file::schema;
pub use library::{Source, find, library};
pub use names::suggest;
pub use place::Place;
pub use problem::{FileKind, MAX_BYTES, Problem, read_scenario, read_source};
pub use requirements::default_requirements;
pub use scenario::{Overrides, Scenario, Script, load};
pub use units::{DURATIONS, duration};
pub use verb::Verb;
