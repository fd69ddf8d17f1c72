//! Where and when a story is told: on a network of its own, or on one that has seen other stories.

use assay_model::time::WallMillis;

use crate::resolve::EPOCH;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Chain time at scenario time zero.
    pub epoch: WallMillis,
    /// Sets this story's people and rows apart from those of others on the same network; empty on a
    /// network of its own.
    pub mark: String,
}

impl Default for Place {
    fn default() -> Place {
        Place {
            epoch: EPOCH,
            mark: String::new(),
        }
    }
}

impl Place {
    /// A name as it is on this network.
    pub(crate) fn marked(&self, name: &str) -> String {
        match self.mark.as_str() {
            "" => name.to_owned(),
            mark => format!("{name}-{mark}"),
        }
    }
}
