//! How a node behaves: as it should, or, in a test build, wrong in one way.

use std::borrow::Cow;
use std::sync::Arc;

use assay_model::crypto::Suite;
use assay_model::ledger::State;
use assay_model::node::Node;

use super::{Home, real_suite};

/// See the module.
#[derive(Clone, Copy, Default)]
pub(super) struct Conduct {
    #[cfg(feature = "known-bad")]
    wrong: Option<crate::wrong::Wrong>,
}

#[cfg(not(feature = "known-bad"))]
impl Conduct {
    /// How it checks signatures.
    pub(super) fn suite(&self) -> Arc<dyn Suite> {
        real_suite()
    }

    /// What it takes its directory to say.
    pub(super) fn home(&self, home: Home) -> Home {
        home
    }

    /// What it has in its tables.
    pub(super) fn stored<'n>(&self, node: &'n Node, _: &Arc<dyn Suite>) -> Cow<'n, State> {
        Cow::Borrowed(node.state())
    }
}

#[cfg(feature = "known-bad")]
impl Conduct {
    pub(super) fn of(wrong: crate::wrong::Wrong) -> Conduct {
        Conduct { wrong: Some(wrong) }
    }

    /// How it checks signatures.
    pub(super) fn suite(&self) -> Arc<dyn Suite> {
        self.wrong
            .map_or_else(real_suite, |wrong| wrong.suite(real_suite()))
    }

    /// What it takes its directory to say.
    pub(super) fn home(&self, mut home: Home) -> Home {
        if let Some(wrong) = self.wrong {
            let genesis = Arc::make_mut(&mut home.genesis);
            genesis.rules = wrong.rules(genesis.rules);
        }
        home
    }

    /// What it has in its tables.
    pub(super) fn stored<'n>(&self, node: &'n Node, suite: &Arc<dyn Suite>) -> Cow<'n, State> {
        let kept = self.wrong.and_then(|wrong| wrong.stored(node, suite));
        kept.map_or(Cow::Borrowed(node.state()), Cow::Owned)
    }

    /// What stands between it and everybody else.
    pub(super) fn mischief(&self, suite: Arc<dyn Suite>) -> Option<crate::wrong::Mischief> {
        self.wrong
            .map(|wrong| crate::wrong::Mischief::new(wrong, suite))
    }
}
