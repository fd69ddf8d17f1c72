//! What ought to be true at each height, told by the promises from what was accepted.

use crate::history::History;

/// A history read as a sequence of accepted changes. See the module.
pub struct Chronicle<'a> {
    /// What it was read from.
    pub history: &'a History,
}
