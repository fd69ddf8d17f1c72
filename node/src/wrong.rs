//! The node with something wrong on purpose, one thing at a time, so that a harness can be seen to notice.
//!
//! Each [`Wrong`] sits at the smallest joint that does it: the rules in the genesis, the suite that checks
//! signatures, or a [`Mischief`] that stands between the node and everybody else. Only test builds have
//! this module.

mod ledger;
mod mischief;
mod suite;

use std::sync::Arc;

use assay_model::catalogue::RequirementId;
use assay_model::crypto::Suite;
use assay_model::ledger::State;
use assay_model::node::Node;
use assay_model::rules::{Lapse, Rules, Switch};

pub use mischief::Mischief;

macro_rules! wrongs {
    ($($variant:ident $name:literal $sentence:literal fails [$($requirement:literal),+];)+) => {
        /// Something a node does that it should not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Wrong {
            $(#[doc = concat!("It ", $sentence, ".")] $variant,)+
        }

        impl Wrong {
            /// All of them.
            pub const ALL: &'static [Wrong] = &[$(Wrong::$variant),+];

            /// What it is called.
            pub const fn name(self) -> &'static str {
                match self { $(Wrong::$variant => $name),+ }
            }

            /// What a node does that is wrong in this way, to go behind "it".
            pub const fn sentence(self) -> &'static str {
                match self { $(Wrong::$variant => $sentence),+ }
            }

            /// The requirements a node that does it fails; the first one is the one it is about.
            pub const fn requirements(self) -> &'static [RequirementId] {
                match self { $(Wrong::$variant => &[$($requirement),+]),+ }
            }
        }
    };
}

wrongs! {
    ServesWithoutGrant "serves-without-grant"
        "gives out the content of a shared copy to whoever asks for it" fails ["GRANT-01"];
    RefusesGrantees "refuses-grantees"
        "refuses a shared copy to those who hold a grant on it" fails ["AVAIL-03", "GRANT-02"];
    HidesGrants "hides-grants"
        "leaves all grants out of their owner's listing" fails ["DASH-01"];
    ForgetsDelete "forgets-delete"
        "shows after a restart what was deleted before or meanwhile" fails ["DEL-01"];
    KeepsDeletedRows "keeps-deleted-rows"
        "keeps deleted rows in its tables and says nothing of it" fails ["DEL-02", "DEL-01"];
    KeepsCopies "keeps-copies"
        "leaves the unlocked copies of a removed original" fails ["DEL-04"];
    LockOffByOne "lock-off-by-one"
        "lets a grant be revoked in the last second of its lock" fails ["GRANT-05", "TIME-02"];
    DagReusable "dag-reusable"
        "makes a grant of one dAG again and again" fails ["DAG-03", "DAG-04"];
    StatusErasable "status-erasable"
        "lets a holder undo what the issuer stated" fails ["REV-03"];
    AcceptsBadSignature "accepts-bad-signature"
        "takes every signature for right, except under reads" fails ["CRED-01", "WAL-04"];
    AcceptsAnyReader "accepts-any-reader"
        "answers reads for the name a reader states, whoever signed" fails ["READ-01"];
    PlaintextInLog "plaintext-in-log"
        "writes what clients send into its log" fails ["CRED-03"];
    StoresPlaintext "stores-plaintext"
        "stores content that nobody has sealed" fails ["CRED-03"];
    DivergesSilently "diverges-silently"
        "comes to another state than the others and goes on" fails ["CONS-01"];
    StaleReads "stale-reads"
        "answers from the state before the last block that changed something" fails ["READ-03"];
    WrongErrorText "wrong-error-text"
        "gives another reason than its own when it refuses" fails ["CONS-01", "READ-03"];
    RefusedTakesEffect "refused-takes-effect"
        "refuses to revoke a locked grant and ends it all the same" fails ["CONS-04"];
    LosesAcknowledged "loses-acknowledged"
        "reports a transaction as included when it arrives, and forgets it" fails ["AVAIL-01"];
    DoesNotSync "does-not-sync"
        "acknowledges what is not on its disk yet" fails ["AVAIL-01"];
    DoesNotCatchUp "does-not-catch-up"
        "does not read the blocks it has missed" fails ["AVAIL-04"];
    CommitsWithoutQuorum "commits-without-quorum"
        "takes a block for final with the leader's vote alone" fails ["CONS-02"];
    BelievesTheLeadersClock "believes-the-leaders-clock"
        "accepts a block time that strays from its own clock" fails ["TIME-01"];
    CreditsTooSoon "credits-too-soon"
        "credits a deposit that no more than half of the voting power has told of" fails ["ECON-07"];
}

impl Wrong {
    /// The wrong of this name.
    pub fn parse(name: &str) -> Option<Wrong> {
        Wrong::ALL
            .iter()
            .copied()
            .find(|wrong| wrong.name() == name)
    }

    /// The rules a node keeps that should keep these.
    pub(crate) fn rules(self, rules: Rules) -> Rules {
        match self {
            Wrong::KeepsCopies => rules.with(Switch::RemovalReachesCopies, false),
            Wrong::DagReusable => rules.with(Switch::DagSingleUse, false),
            Wrong::StatusErasable => rules.with(Switch::StickyStatus, false),
            Wrong::StoresPlaintext => rules.with(Switch::SealedContent, false),
            Wrong::BelievesTheLeadersClock => rules.with(Switch::BoundedBlockTime, false),
            Wrong::CreditsTooSoon => rules.with(Switch::MajorityCredits, false),
            Wrong::LockOffByOne => rules.lapsing(Lapse::EarlyLocks),
            Wrong::CommitsWithoutQuorum => rules.lapsing(Lapse::LoneCommits),
            _ => rules,
        }
    }

    /// The suite a node uses that should use this one.
    pub(crate) fn suite(self, right: Arc<dyn Suite>) -> Arc<dyn Suite> {
        match self {
            Wrong::AcceptsAnyReader => Arc::new(suite::Gullible { right, reads: true }),
            Wrong::AcceptsBadSignature => Arc::new(suite::Gullible {
                right,
                reads: false,
            }),
            _ => right,
        }
    }

    /// What is in the tables of a stopped node; nothing where it is what should be there.
    pub(crate) fn stored(self, node: &Node, suite: &Arc<dyn Suite>) -> Option<State> {
        match self {
            Wrong::KeepsDeletedRows => Some(ledger::with_removed_rows(node, suite)),
            Wrong::DivergesSilently => Some(ledger::without_grants(node)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use assay_model::catalogue;

    use super::*;

    #[test]
    fn every_wrong_has_a_name_of_its_own_and_requirements_of_the_catalogue() {
        for wrong in Wrong::ALL {
            assert_eq!(Wrong::parse(wrong.name()), Some(*wrong));
            for id in wrong.requirements() {
                assert!(catalogue::find(id).is_some(), "{} fails {id}", wrong.name());
            }
        }
    }
}
