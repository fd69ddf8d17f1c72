//! The promises, as folds over a history. One family per file; each invariant is a named claim, the
//! requirements it stands for, and a pure function of what happened. It never learns which world made
//! the history.

mod access;
mod attributes;
mod audit;
mod books;
mod chronicle;
mod consensus;
mod consumer;
mod council;
mod dashboard;
mod deletion;
mod deposits;
mod disclosure;
mod durability;
mod economy;
mod escrow;
mod exchange;
mod freshness;
mod governance;
mod identity;
mod inclusion;
mod keys;
mod limits;
mod locks;
mod papers;
mod passporting;
mod personhood;
mod plaintext;
mod requests;
mod staking;
mod statements;
mod status;
mod strangers;
mod tally;
#[cfg(test)]
mod tests;
mod write_grants;
mod writes;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::catalogue::RequirementId;

pub use chronicle::Chronicle;

/// A claim about every run.
pub struct Invariant {
    /// Kebab-case name.
    pub name: &'static str,
    /// What must hold, in one sentence.
    pub claim: &'static str,
    /// Where idOS says so.
    pub source: &'static str,
    /// The requirements the claim stands for.
    pub requirements: &'static [RequirementId],
    /// What the history says about it.
    pub check: fn(&Chronicle<'_>) -> Verdict,
}

impl std::fmt::Debug for Invariant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// How often each requirement was really tested.
pub type Checked = BTreeMap<RequirementId, u64>;

/// What an invariant found in a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// The claim was tested and held.
    Held {
        /// How often.
        checked: Checked,
    },
    /// The claim did not hold.
    Violated {
        /// How often it was tested.
        checked: Checked,
        /// Each time it failed.
        findings: Vec<Finding>,
    },
    /// Nothing in the history could have broken the claim, so nothing is known.
    Inconclusive {
        /// What was missing.
        why: String,
    },
}

/// One time a promise was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The promise.
    pub requirement: RequirementId,
    /// What happened against it, in one sentence.
    pub sentence: String,
    /// The observations that prove it, by index, in order.
    pub evidence: Vec<usize>,
}

/// Every invariant, family by family.
pub fn all() -> &'static [&'static Invariant] {
    &[
        &plaintext::NO_PLAINTEXT_AT_NODES,
        &plaintext::KEYS_ARE_FRESH,
        &plaintext::SEALED_CONTENT_IS_WHOLE,
        &keys::KEYS_FOLLOW_PASSWORDS,
        &keys::PASSWORDS_ARE_NOT_GUESSED,
        &keys::SHARES_GIVE_PASSWORDS_BACK,
        &keys::ROTATION_KEEPS_CREDENTIALS,
        &keys::ENCLAVES_ASK_THEIR_USERS,
        &access::CONTENT_FOLLOWS_GRANTS,
        &access::GRANTED_COPIES_READABLE,
        &access::ANSWERS_GO_TO_WHO_ASKED,
        &access::OWNERS_SEE_EVERYTHING,
        &strangers::REFUSALS_GIVE_NOTHING_AWAY,
        &locks::LOCKS_HOLD_TO_THE_SECOND,
        &locks::LOCKED_COPIES_STAY,
        &locks::GRANTS_END_ONE_BY_ONE,
        &deletion::DELETIONS_CONVERGE,
        &deletion::REMOVALS_REACH_COPIES,
        &deletion::ERASURE_IS_WHOLE,
        &deletion::DELETED_CONTENT_IS_GONE_AT_REST,
        &deletion::HISTORY_IS_BOUNDED,
        &papers::DAGS_WORK_ONCE,
        &papers::GRANTS_ARE_WELL_FORMED,
        &write_grants::WRITE_GRANTS_WORK_ONCE,
        &write_grants::USED_PAPERS_NAME_NOBODY,
        &attributes::ATTRIBUTES_ARE_THE_OWNERS,
        &status::STATUS_IS_SEEN,
        &status::STATUS_STANDS,
        &statements::STATEMENTS_ARE_SIGNED,
        &statements::INVALID_KEYS_ARE_DOUBTED,
        &consumer::CAREFUL_CONSUMERS_ARE_NOT_FOOLED,
        &consumer::REQUESTS_COME_FIRST,
        &consumer::ONE_VERIFICATION_SERVES_MANY,
        &requests::REQUESTS_ARE_DECIDED_ONCE,
        &audit::THE_RECORD_IS_TRUE,
        &dashboard::THE_DASHBOARD_HIDES_NOTHING,
        &limits::BOUNDS_HOLD,
        &limits::USES_ARE_COUNTED,
        &limits::ACCESS_ENDS_AT_ONCE,
        &limits::PAPERS_END,
        &limits::REMAINDERS_GO,
        &passporting::RELIANCE_IS_EARNED,
        &disclosure::FILTERS_TELL_IDS_ONLY,
        &disclosure::ANSWERS_ARE_BOUND,
        &personhood::PERSONS_ARE_PSEUDONYMS,
        &personhood::NETWORK_KNOWS_NO_PERSONS,
        &identity::WALLETS_ARE_UNIQUE_AND_BOUND,
        &identity::OWNERS_ALONE_CHANGE_WALLETS,
        &identity::PROFILES_ARE_WHOLE,
        &identity::CALLERS_ARE_EXACT,
        &writes::OWNERS_ALONE_CHANGE_CREDENTIALS,
        &writes::NOTHING_SUCCEEDS_SILENTLY,
        &governance::VALIDATORS_CHANGE_BY_APPROVAL,
        &governance::CHANGES_ARE_PUBLIC,
        &governance::LOCKS_OUTLIVE_CHANGES,
        &consensus::ONE_STATE_PER_HEIGHT,
        &consensus::ANSWERS_FOLLOW_THE_LEDGER,
        &freshness::ANSWERS_ARE_FRESH,
        &consensus::QUORUMS_ARE_REAL,
        &consensus::BLOCK_TIME_IS_SOUND,
        &consensus::DIVERGED_NODES_STOP,
        &consensus::RETURNING_NODES_CATCH_UP,
        &inclusion::KNOWN_IS_INCLUDED,
        &escrow::ESCROWS_PAY_THE_ENTITLED,
        &staking::STAKES_ARE_THE_HOLDERS,
        &staking::STAKE_WAITS_ITS_TIME,
        &staking::SLASHES_ARE_EARNED_AND_WHOLE,
        &durability::ACKNOWLEDGED_IS_NEVER_LOST,
        &durability::SHOWN_IS_ON_DISK,
        &durability::EFFECT_AT_MOST_ONCE,
        &durability::REFUSED_CHANGES_NOTHING,
        &durability::OWED_ARRIVES,
        &durability::READS_OUTLIVE_THE_LEADER,
        &economy::TOKENS_ADD_UP,
        &economy::GAS_IS_TAKEN_IN_ORDER,
        &economy::ONLY_THE_SIGNER_PAYS,
        &economy::FEES_ARE_SPLIT,
        &economy::GRANTS_ARE_PAID_ONCE,
        &economy::NON_EVM_CALLERS_ARE_TOLD,
        &economy::WITHDRAWALS_PAY_THE_ENTITLED,
        &deposits::DEPOSITS_ARE_CREDITED_ONCE,
        &durability::WRITES_OUTLIVE_A_MINORITY,
    ]
}
