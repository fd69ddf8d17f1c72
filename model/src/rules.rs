//! Every point where what idOS promises and what its deployed schema or node does differ, as a named
//! switch. On is the promise, off is today's behaviour to the letter (as of 2026-03). Where the documents
//! contradict each other and practice follows the reading that keeps the promises, off is the other reading,
//! and the switch is on today as well.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::catalogue::RequirementId;

/// Which side of a switch practice is on.
macro_rules! side {
    (deployed) => {
        false
    };
    (elsewhere) => {
        true
    };
}

macro_rules! switches {
    ($(
        $variant:ident $name:literal
        promised $promised:literal ($promised_source:literal)
        $side:ident $off:literal ($off_source:literal)
        keeps [$($requirement:literal),+ $(,)?];
    )+) => {
        /// One difference between promise and practice, or between two readings of the promise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Switch {
            $(
                #[doc = concat!("`", $name, "`: on, ", $promised, "; off, ", $off, ".")]
                $variant,
            )+
        }

        impl Switch {
            /// All switches, in the order of the table.
            pub const ALL: &'static [Switch] = &[$(Switch::$variant),+];

            /// The name used on the command line and in scenarios.
            pub const fn name(self) -> &'static str {
                match self { $(Switch::$variant => $name),+ }
            }

            /// What the documentation promises, and where.
            pub const fn promised(self) -> (&'static str, &'static str) {
                match self { $(Switch::$variant => ($promised, $promised_source)),+ }
            }

            /// What happens with the switch off, and where it is written: what the deployed schema or node
            /// does, or what other documents say ([`Switch::is_on_today`]).
            pub const fn otherwise(self) -> (&'static str, &'static str) {
                match self { $(Switch::$variant => ($off, $off_source)),+ }
            }

            /// Whether the deployed schema and node keep the promise, so that off is only another reading of
            /// the documents.
            pub const fn is_on_today(self) -> bool {
                match self { $(Switch::$variant => side!($side)),+ }
            }

            /// The requirements that hang on the promise.
            pub const fn requirements(self) -> &'static [RequirementId] {
                match self { $(Switch::$variant => &[$($requirement),+]),+ }
            }
        }
    };
}

switches! {
    AtomicProfile "atomic-profile"
        promised "a user row appears only together with its first wallet; until then the id is merely reserved" ("idos-facts 5.1, USR-02")
        deployed "the user row appears alone, and a crash in between leaves a profile nobody can use" ("schema:add_user_as_inserter")
        keeps ["USR-02"];
    OwnerChangesKey "owner-changes-key"
        promised "the encryption key changes only with a signature of one of the user's wallets" ("S0, S4")
        deployed "any inserter changes the key of any user" ("schema:update_user_pub_key_as_inserter")
        keeps ["USR-03"];
    OwnerChangesWallets "owner-changes-wallets"
        promised "an inserter brings the first wallet only; afterwards the owner alone adds, changes and removes wallets" ("S0, S2")
        deployed "any inserter adds wallets to any user and overwrites any wallet row" ("schema:upsert_wallet_as_inserter")
        keeps ["WAL-07"];
    BoundOwnershipProof "bound-ownership-proof"
        promised "a wallet proof names profile, network and last second of use, and is refused outside them" ("S2, doc:database-overview")
        deployed "the proof is arbitrary text that binds nothing" ("idos-facts 4.3")
        keeps ["WAL-04"];
    SingleUseOwnershipProof "single-use-ownership-proof"
        promised "one wallet proof is accepted once" ("doc:granting-data-access")
        deployed "a wallet proof can be replayed" ("idos-facts 4.3")
        keeps ["WAL-05"];
    ExactProbe "exact-probe"
        promised "the profile probe compares as the wallet's type does" ("idos-facts 8.1")
        deployed "the probe ignores letter case for every type" ("schema:has_profile")
        keeps ["WAL-08", "WAL-02"];
    ErasableProfile "erasable-profile"
        promised "the owner erases the whole profile with `remove_user` once no grant is locked" ("doc:the-right-to-be-forgotten")
        deployed "user rows and the last wallet stay for ever; there is no such action" ("hist, February 2025")
        keeps ["USR-04"];
    SealedContent "sealed-content"
        promised "content that is not a sealed box is refused" ("S2, S4")
        deployed "content is any text" ("idos-facts 2.3")
        keeps ["CRED-03"];
    OwnerChangesCredentials "owner-changes-credentials"
        promised "an inserter adds credentials but never overwrites an existing one" ("S3")
        deployed "an inserter overwrites any row by id, locked copies included" ("schema:upsert_credential_as_inserter")
        keeps ["CRED-05", "GRANT-08"];
    ConsentedWrites "consented-writes"
        promised "an inserter writes into a profile only with the owner's signature for this credential" ("doc:legal-basis-for-profile-creation")
        deployed "an inserter writes into any profile" ("schema:upsert_credential_as_inserter")
        keeps ["CRED-06"];
    BoundCredentialSignature "bound-credential-signature"
        promised "the broader signature also covers owner, credential id and encryptor key" ("S2, doc:encryption-flows")
        deployed "it covers notes and content only, so a row can be re-used in another profile" ("idos-facts 4.4")
        keeps ["CRED-07"];
    NoSilentSuccess "no-silent-success"
        promised "an operation that matches no row is refused" ("idos-facts 8.2")
        deployed "it succeeds silently" ("idos-facts 3.0")
        keeps ["CRED-08"];
    CanonicalGrantee "canonical-grantee"
        promised "a grantee is a well-formed identifier in one canonical form" ("idos-facts 8.3")
        deployed "a grantee is any text; case variants make separate grants" ("schema:create_access_grant")
        keeps ["GRANT-04"];
    RescindOwnOnly "rescind-own-only"
        promised "rescinding ends the rescinder's access and leaves other grantees theirs" ("doc, grantee right")
        deployed "rescinding destroys the copy and every grant on it, locked ones included" ("schema:rescind_shared_credential")
        keeps ["GRANT-09", "GRANT-08"];
    OrphansStayUsable "orphans-stay-usable"
        promised "a grantee can rescind a copy and read its status after the original is gone" ("doc:data-retention-obligations")
        deployed "an orphan copy has no status and cannot be rescinded" ("schema:rescind_shared_credential, get_credential_shared")
        keeps ["GRANT-10"];
    LastGrantRemovesCopy "last-grant-removes-copy"
        promised "when the last grant on a copy ends, the copy is deleted" ("doc:the-right-to-be-forgotten")
        deployed "the copy stays stored without a grant" ("schema:revoke_access_grant")
        keeps ["GRANT-14"];
    GrantsOnCopiesOnly "grants-on-copies-only"
        promised "a grant refers to a copy, never to an original" ("schema comment, idos-facts 8.3")
        deployed "a dAG creates a grant on any credential of the owner" ("schema:create_ag_by_dag_for_copy")
        keeps ["GRANT-15"];
    DagSingleUse "dag-single-use"
        promised "a dAG creates one grant ever" ("doc:system-design, announced")
        deployed "a dAG works again whenever the same grant row is absent, also after its revocation" ("schema:create_ag_by_dag_for_copy")
        keeps ["DAG-03", "DAG-04"];
    DagNamesNetwork "dag-names-network"
        promised "the dAG text names the network it is meant for" ("idos-facts 8.4")
        deployed "the same signature is good on every network" ("idos-facts 4.6")
        keeps ["DAG-06"];
    DwgNamesIssuer "dwg-names-issuer"
        promised "only the issuer key that the dWG names signs the credentials written under it" ("doc, delegate to a specific issuer")
        deployed "any delegate key of the same inserter signs them" ("schema:create_credentials_by_dwg")
        keeps ["DWG-06"];
    DwgNamesNetwork "dwg-names-network"
        promised "the dWG text names the network it is meant for" ("idos-facts 8.4")
        deployed "the same signature is good on every network" ("idos-facts 4.5")
        keeps ["DAG-06"];
    MarkersNameNobody "markers-name-nobody"
        promised "what is kept of a used dWG after its credentials are gone names nobody" ("doc, GDPR")
        deployed "wallet identifiers of owner and grantee stay for ever" ("idos-facts 2.5")
        keeps ["DEL-09"];
    OwnAttributeLinks "own-attribute-links"
        promised "only an own original attribute can be linked to" ("idos-facts 8.8")
        deployed "any attribute that exists is linked to, whoever owns it, which also tells whether it exists" ("schema:share_attribute")
        keeps ["ATTR-01"];
    AllowanceForAll "allowance-for-all"
        promised "a user's free gas pays first, whichever wallet signs" ("doc:token-economy")
        deployed "a wallet that is not found by its address, as a NEAR key is not, pays in IDOS beside an untouched allowance" ("schema:capture_gas, has_profile")
        keeps ["ECON-02"];
    OwnFundsOnly "own-funds-only"
        promised "only the wallet that signed an action pays for it" ("derived, ECON-03")
        deployed "the first EVM wallet of the same user that has anything pays, whichever wallet signed" ("schema:get_wallet_with_balance")
        keeps ["ECON-03"];
    DefinedNonEvmError "defined-non-evm-error"
        promised "a caller that is no address of the other chain is told `no wallet with balance found`" ("comment at schema:get_wallet_with_balance")
        deployed "the bridge rejects it with `invalid ethereum address: …`" ("idos-facts 0.1 X12")
        keeps ["ECON-06"];
    SettableIssuerFee "settable-issuer-fee"
        promised "an issuer sets the price of a credential it issued, and the wallet that is paid, with `set_issuer_fee`" ("doc:token-economy")
        deployed "no action sets a price, so that none is ever paid" ("idos-facts 2.3")
        keeps ["ECON-04"];
    FeeSplit "fee-split"
        promised "the price goes to the issuer's wallet and only the mark-up to the network" ("doc:token-economy")
        deployed "everything goes to the network" ("schema:capture_fee")
        keeps ["ECON-04"];
    PaidGrants "paid-grants"
        promised "where a price is set, a grantee reads once it has paid, and pays once" ("doc:token-economy")
        deployed "the fee is a demonstration, and reading costs nothing" ("schema:action_costing_fee")
        keeps ["ECON-05"];
    StickyStatus "sticky-status"
        promised "what an issuer stated about a credential stands: an owner's edit keeps the issuer key, and notes that contradict the statement are refused" ("doc:faqs-users")
        deployed "the owner edits the statement away, or stores the credential again with its old notes" ("schema:edit_credential, add_credential")
        keeps ["REV-03"];
    RotationKeepsIssuer "rotation-keeps-issuer"
        promised "an owner's edit that leaves the notes as they are seals the credential anew and keeps its issuer's key" ("idos-facts 5.10, KEY-03")
        deployed "whoever signs an edit becomes the issuer, so an owner who changes keys loses the issuer's" ("schema:edit_credential")
        keeps ["KEY-03"];
    SignedStatements "signed-statements"
        promised "a status in the notes carries the issuer's date and signature, and a careful consumer takes none without" ("S2 (checking that a credential is valid)")
        deployed "nobody signs what an issuer states later, nothing dates it, and consumers take a node's word for it" ("schema:edit_public_notes_as_issuer, idos-facts 5.6")
        keeps ["REV-04"];
    DeclaredKeys "declared-keys"
        promised "an issuer declares its key invalid from a date on, and a careful consumer takes nothing that the key signed since, or without a date" ("derived, REV-06")
        deployed "nobody looks for such a word: a key that is in the list of trusted issuers is good for all it signs" ("sdk:issuer keys, idos-facts 4.12")
        keeps ["REV-06"];
    UniqueNotesId "unique-notes-id"
        promised "one issuer key and notes id name one credential" ("doc:issuer-guide")
        deployed "a status edit reaches every row with the same issuer key and notes id" ("schema:edit_public_notes_as_issuer")
        keeps ["REV-05"];
    RemovalReachesCopies "removal-reaches-copies"
        promised "removing an original removes its copies, except those under a lock" ("doc:the-right-to-be-forgotten")
        deployed "copies and their grants stay" ("schema:remove_credential")
        keeps ["DEL-04"];
    DefaultPaging "default-paging"
        promised "an omitted page is 1 and an omitted size is 20" ("comment at schema:get_access_grants_granted")
        deployed "an omitted page or size returns everything" ("schema:get_access_grants_granted")
        keeps ["READ-05"];
    AnyCaseDelegate "any-case-delegate"
        promised "removing a delegate works whatever the letter case of the argument" ("idos-facts 8.10")
        deployed "a mixed-case argument removes nothing and says nothing" ("schema:delete_delegate_as_owner")
        keeps ["GOV-03"];
    StrongPasswords "strong-passwords"
        promised "a password that can be guessed in fewer than 2^40 derivations is refused" ("S4, doc:security")
        deployed "any password is taken, and salt and public key, by which guesses are checked, are known to every operator" ("idos-facts 4.9")
        keeps ["KEY-02"];
    ApprovedDisclosures "approved-disclosures"
        promised "an origin may be authorised for single requests only, each of which waits for the user" ("doc:enclave, S4")
        deployed "an origin that was authorised once is answered without asking" ("idos-facts 1.3")
        keeps ["KEY-04"];
    CheckedShares "checked-shares"
        promised "a share that differs from its commitment is put aside, and the others give the secret back" ("doc:mpc-for-encryption-keys")
        deployed "commitments are not looked at, and what the shares that came make together is taken" ("idos-facts 4.10")
        keeps ["MPC-02"];
    JointWallets "joint-wallets"
        promised "a wallet is bound and unbound at the network and at all share nodes, or nowhere" ("doc:mpc-for-encryption-keys")
        deployed "a failure at the share nodes is only logged" ("idos-facts 5.9")
        keeps ["MPC-03"];
    RecordedRequests "recorded-requests"
        promised "requests for access, and what became of them, are rows that both sides see, and a decided one is not decided again" ("S4, idos-facts 1.2, 5.3")
        deployed "there is no request object; requests and denials are said off the network" ("idos-facts 1.2")
        keeps ["REQ-01", "REQ-02"];
    ApprovalWithinRequest "approval-within-request"
        promised "an approval that gives more than its request asks for is refused" ("S4 (scope)")
        deployed "nothing compares a grant with what was asked for" ("idos-facts 5.3")
        keeps ["REQ-03"];
    GrantTerms "grant-terms"
        promised "a grant may carry an end and a number of uses, after which reads are refused" ("S4 (time frame, repeated use)")
        deployed "a grant is good until it is revoked, without limit and without a log" ("schema:get_credential_shared")
        keeps ["GRANT-13"];
    OneStepEnd "one-step-end"
        promised "the owner ends all access of a grantee to a datum in one operation" ("S4, ctr (old delete semantics)")
        deployed "grants are revoked one by one by their ids; there is no such action" ("schema:revoke_access_grant")
        keeps ["GRANT-11"];
    BoundedLocks "bounded-locks"
        promised "a lock is UNIX seconds and ends within ten years" ("doc (5-10 years)")
        deployed "a lock is any integer" ("schema:create_access_grant")
        keeps ["GRANT-12"];
    BoundedSizes "bounded-sizes"
        promised "notes, content and attributes have a greatest size" ("doc:token-economy")
        deployed "only the block's size bounds them" ("idos-facts 2")
        keeps ["CRED-09"];
    DagExpires "dag-expires"
        promised "a dAG names the last second in which it may be used" ("idos-facts 8.4")
        deployed "a dAG has no end" ("idos-facts 4.6")
        keeps ["DAG-05"];
    CancellablePapers "cancellable-papers"
        promised "the owner cancels a dAG or dWG that nobody has used yet" ("idos-facts 8.4")
        deployed "a signed paper cannot be taken back" ("idos-facts 4.5, 4.6")
        keeps ["DAG-05"];
    RemaindersRemoved "remainders-removed"
        promised "what a lock keeps of removed data is listed to the owner, and removed after the lock if asked for" ("doc:the-right-to-be-forgotten (announced)")
        deployed "it stays until the owner removes it by hand" ("schema:remove_credential")
        keeps ["DEL-05"];
    AuditRecord "audit-record"
        promised "requests and grants leave a record that owner and grantee read, and that an erased owner's name is taken out of" ("S4, doc:data-retention-obligations (time log)")
        deployed "a grant that ended leaves no trace in the tables" ("idos-facts 1.2")
        keeps ["AUD-01"];
    DashboardShowsAll "dashboard-shows-all"
        promised "the dashboard shows the owner every row stored under the profile" ("doc:faqs-users (see everything)")
        deployed "it hides copies and rows without notes, orphan copies among them" ("idos-facts 1.3")
        keeps ["DASH-01"];
    GovernanceLog "governance-log"
        promised "every change of inserters, delegates, actions, ownership, parameters and validators is in a public log, with its height" ("S0, S3 progressive decentralization")
        deployed "changes are made silently; only who reads every block can tell" ("idos-facts 3.1, 6.1")
        keeps ["GOV-01"];
    LocksOutliveChanges "locks-outlive-changes"
        promised "a grant keeps the lock it was made under, whatever actions are replaced with later" ("idos-facts 8.10")
        deployed "locks fall with the action that looks at them" ("idos-facts 1.1: nothing is out of the owner's reach")
        keeps ["GOV-01"];
    AuthenticatedReads "authenticated-reads"
        promised "a read is answered for the identity that signed a fresh challenge" ("doc:granting-data-access, S4")
        deployed "in open mode the node believes the stated sender" ("idos-facts 4.2, kwil-rpc 6")
        keeps ["READ-01"];
    FreshAnswers "fresh-answers"
        promised "an answer to a read names its height, and a node that has not heard for three idle blocks' time from most validators that it is up to date answers no reads" ("doc (immediately), READ-02")
        deployed "an answer names no height, and a node that is cut off or behind answers from whatever state it has" ("idos-facts 6.4")
        keeps ["READ-02"];
    HiddenExistence "hidden-existence"
        promised "whoever has nothing to do with a credential or a grant is told of it what is told of one that does not exist" ("S4, READ-04")
        deployed "reading a foreign copy, editing one that is shared, and asking for a price say whether the row exists" ("schema:get_credential_shared, edit_credential, capture_fee")
        keeps ["READ-04"];
    Passporting "passporting"
        promised "obliged entities of one club rely on each other's verification: copies wait for a grant, and the registry names the clubs' peers" ("S0, hist")
        deployed "there are no such actions" ("hist, March 2026; idos-facts 0.1 X15")
        keeps ["REUSE-03"];
    FilterOmitsEach "filter-omits-each"
        promised "the private filter leaves out a credential of which any omitted value is true" ("doc:getting-started")
        deployed "it leaves out only a credential of which every omitted value is true" ("sdk:credentials, idos-facts 0.1 X18")
        keeps ["DISC-03"];
    BoundAnswers "bound-answers"
        promised "an answer to a question is signed by the issuer, for this question of this consumer alone" ("S4, idos-facts 5.13")
        deployed "the enclave says yes or no, unsigned, and anybody may repeat it" ("sdk:enclave, idos-facts 5.13")
        keeps ["DISC-02"];
    RequiredChainId "required-chain-id"
        promised "a transaction names its network" ("kwil documentation")
        deployed "an empty chain id is accepted, so the transaction is good on every network" ("kwil-rpc 3")
        keeps ["CONS-04"];
    VerifiedExecution "verified-execution"
        promised "every node verifies a transaction's signature before executing it" ("S1, doc:access-control")
        deployed "signatures are checked at the mempool only, so a leader can slip one in" ("kwil-rpc 5")
        keeps ["WAL-01"];
    BoundedBlockTime "bounded-block-time"
        promised "validators refuse a block whose time decreases or strays from their own clocks" ("idos-facts 8.9")
        deployed "the leader's clock is taken as it is" ("kwil-rpc 7")
        keeps ["TIME-01"];
    DistinctVotes "distinct-votes"
        promised "a commit counts each validator once" ("kwil documentation")
        deployed "repeated votes of one validator are counted again" ("idos-facts 6.1")
        keeps ["CONS-02"];
    MajorityQuorum "majority-quorum"
        promised "a block is final with the votes of more than half of the validators, so fewer than half may be down" ("S3, kwil documentation; idos-facts 0.1 X1")
        elsewhere "it needs more than two thirds, as a network that tolerates lying validators does" ("doc:decentralized-storage, doc:legal-docs; idos-facts 0.1 X1")
        keeps ["AVAIL-01"];
    OperatorsHoldNoRights "operators-hold-no-rights"
        promised "an operator's key is nobody's in particular: rights come from actions alone" ("schema; idos-facts 0.1 X10")
        elsewhere "whoever runs a validator may end any grant and remove any credential" ("doc:access-control; idos-facts 0.1 X10")
        keeps ["GRANT-06", "GRANT-08"];
    TakeoverKeepsCommits "takeover-keeps-commits"
        promised "a new leader first finishes the block a majority may have committed" ("S3, kwil documentation")
        deployed "a new leader proposes afresh, and a block only the old leader announced is lost" ("kwil-rpc 7, modelled")
        keeps ["AVAIL-02"];
    MajorityCredits "majority-credits"
        promised "a deposit is credited once more than half of the voting power has told of it" ("documentation, idos-facts 5.16 and 6.1")
        deployed "exactly half of an even power is enough" ("kwil-db, ordered-sync: 1/2 rounded up; idos-facts 6.1")
        keeps ["ECON-07"];
    HoldersStake "holders-stake"
        promised "a stake takes tokens of the caller's only" ("idos-facts 8.10, STAKE-01")
        deployed "anybody stakes what somebody else has approved, behind a node of its own choice" ("ctr:IDOSNodeStaking stake")
        keeps ["STAKE-01"];
    SeparateRewards "separate-rewards"
        promised "rewards are paid from what was paid in for them" ("idos-facts 8.10, STAKE-01")
        deployed "rewards are paid from whatever the contract holds, stakes included" ("ctr:IDOSNodeStaking withdrawReward")
        keeps ["STAKE-01"];
    SlashableUnstaking "slashable-unstaking"
        promised "stake on its way back is slashed with its node" ("doc, stake at risk")
        deployed "whoever unstakes first loses nothing" ("ctr:IDOSNodeStaking slash")
        keeps ["STAKE-03"];
    EvidencedSlashing "evidenced-slashing"
        promised "a slash shows two votes of the node's validator on one ballot" ("idos-facts 8.10, STAKE-03; 9.2 (8)")
        deployed "the owner's word is enough" ("ctr:IDOSNodeStaking slash")
        keeps ["STAKE-03"];
    BoundedHistory "bounded-history"
        promised "a node keeps the blocks of a bounded window and a snapshot of its tables, whose digest the app hash covers; whoever is further behind catches up with the snapshot" ("S0, doc:decentralized-storage/README")
        deployed "every block is kept for ever, with what was deleted since" ("idos-facts 0.1 X17, 6.5")
        keeps ["DEL-06", "DEL-07", "CONS-05"];
    OriginalRemovable "original-removable"
        promised "an original can be removed while a copy of it is locked, and the copy stays" ("doc:legal-docs/data-retention-obligations, schema:remove_credential")
        elsewhere "data of which a copy is locked cannot be removed" ("doc:faqs-users, idos-facts 0.1 X4")
        keeps ["DEL-04"];
    PrivateGrants "private-grants"
        promised "a grant is shown to its owner and its grantee only" ("schema:get_access_grants_for_credential")
        elsewhere "grants are public for transparency" ("doc:what-is-self-custodial-data, idos-facts 0.1 X8")
        keeps ["READ-01"];
    OwnBlockTime "own-block-time"
        promised "a transaction runs at the time in the header of its own block" ("kwil:processor")
        elsewhere "it runs at the time of the block before" ("comment at schema:create_credentials_by_dwg, idos-facts 0.1 X13")
        keeps ["TIME-02", "GRANT-05"];
    StatusKeepsId "status-keeps-id"
        promised "an issuer's statement about a credential can be followed by another, whatever its notes say" ("schema:edit_public_notes_as_issuer")
        elsewhere "a statement whose notes have no id is the last" ("doc:issuer-guide, idos-facts 0.1 X16")
        keeps ["REV-01"];
    OpenIssuing "open-issuing"
        promised "whoever an owner names in a dWG may write under it" ("S2, S3")
        deployed "only a key that is registered as a delegate may" ("schema:create_credentials_by_dwg, idos-facts 0.1 X7")
        keeps ["CRED-10"];
}

impl Switch {
    /// The switch of this name, if there is one.
    pub fn parse(name: &str) -> Option<Switch> {
        Switch::ALL
            .iter()
            .copied()
            .find(|switch| switch.name() == name)
    }

    const fn bit(self) -> u128 {
        1 << self as u32
    }
}

/// Something wrong that neither documentation nor any deployed node does, for test builds of nodes that a
/// harness has to fail. It is part of the rules because these reach everywhere such a thing can go wrong.
#[cfg(feature = "known-bad")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapse {
    /// A lock is open in its own last second.
    EarlyLocks,
    /// A block is final with the vote of its leader alone.
    LoneCommits,
}

#[cfg(feature = "known-bad")]
impl Lapse {
    const fn bit(self) -> u128 {
        1 << (127 - self as u32)
    }
}

/// A position for every switch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rules(u128);

impl Rules {
    /// Every switch on: the protocol that keeps what idOS promises.
    pub const fn documented() -> Rules {
        Rules((1 << Switch::ALL.len()) - 1)
    }

    /// Today's schema and node to the letter: every switch off, except those between readings of the
    /// documents.
    pub const fn deployed() -> Rules {
        let mut rules = Rules(0);
        let mut rest = Switch::ALL;
        while let [switch, after @ ..] = rest {
            if switch.is_on_today() {
                rules = rules.with(*switch, true);
            }
            rest = after;
        }
        rules
    }

    /// Whether the promise of this switch is kept.
    pub const fn keep(self, switch: Switch) -> bool {
        self.0 & switch.bit() != 0
    }

    /// The same rules with one switch turned.
    #[must_use]
    pub const fn with(self, switch: Switch, on: bool) -> Rules {
        if on {
            Rules(self.0 | switch.bit())
        } else {
            Rules(self.0 & !switch.bit())
        }
    }

    /// The same rules, on nodes that are wrong.
    #[cfg(feature = "known-bad")]
    #[must_use]
    pub const fn lapsing(self, lapse: Lapse) -> Rules {
        Rules(self.0 | lapse.bit())
    }

    /// Whether nodes with these rules are wrong in this way.
    #[cfg(feature = "known-bad")]
    pub(crate) const fn lapses(self, lapse: Lapse) -> bool {
        self.0 & lapse.bit() != 0
    }

    /// The switches that stand differently in the other rules, with their position here.
    pub fn differences(self, other: Rules) -> impl Iterator<Item = (Switch, bool)> {
        Switch::ALL
            .iter()
            .copied()
            .filter(move |s| self.keep(*s) != other.keep(*s))
            .map(move |s| (s, self.keep(s)))
    }
}

/// `documented`, `deployed`, or one of them and the switches turned: `documented dag-single-use=off`.
impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bases = [
            ("documented", Rules::documented()),
            ("deployed", Rules::deployed()),
        ];
        let nearest = |(_, base): &(&str, Rules)| self.differences(*base).count();
        let (name, base) = bases.into_iter().min_by_key(nearest).unwrap_or(bases[0]);
        f.write_str(name)?;
        for (switch, on) in self.differences(base) {
            write!(f, " {}={}", switch.name(), if on { "on" } else { "off" })?;
        }
        Ok(())
    }
}

/// As people read it.
impl Serialize for Rules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_parse_back() {
        for switch in Switch::ALL {
            assert_eq!(Switch::parse(switch.name()), Some(*switch));
        }
        assert_eq!(Switch::parse("dag-multi-use"), None);
    }

    #[test]
    fn requirements_are_in_the_catalogue() {
        for switch in Switch::ALL {
            for id in switch.requirements() {
                assert!(
                    crate::catalogue::find(id).is_some(),
                    "{} names {id}",
                    switch.name()
                );
            }
        }
    }

    #[test]
    fn rules_read_as_a_base_and_what_was_turned() {
        let turned = Rules::documented().with(Switch::DagSingleUse, false);
        assert_eq!(turned.to_string(), "documented dag-single-use=off");
        assert_eq!(Rules::deployed().to_string(), "deployed");
        assert!(!turned.keep(Switch::DagSingleUse) && turned.keep(Switch::DagNamesNetwork));
    }
}
