//! What runs came to, told to people and to machines: pure renderings of one value, the [`Report`].
//!
//! Nothing here runs a story or judges one, and nothing but [`mod@write`] touches a file. A rendering holds
//! no wall-clock time, so equal runs give equal reports. Start with [`RunReport::new`], which keeps what
//! a report needs of a history, then [`text`], [`json`] and [`junit`].

pub mod broken;
pub mod certification;
mod chain;
pub mod deed;
pub mod exit;
pub mod json;
pub mod junit;
mod names;
pub mod narrate;
mod report;
pub mod state;
pub mod tally;
pub mod text;
pub mod worlds;
pub mod write;

pub use certification::{Assessed, Assessment, Certification, Untestable};
pub use exit::Exit;
pub use narrate::{Narrator, describe};
pub use report::{
    Called, FaultText, Mishap, Report, RunReport, Seeds, StepText, Story, Told, Trouble, quoted,
};
pub use worlds::{InWorld, Worlds};
