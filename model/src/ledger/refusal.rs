//! Why the ledger says no. A refusal is data; it renders to the exact text the real network gives.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::wire::{DecodeError, DecodeProblem};

/// Constraint of the database itself, reported in PostgreSQL's words. Source: idos-facts 3.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Engine {
    /// A primary or unique key exists already.
    DuplicateKey(&'static str),
    /// A referenced row does not exist.
    ForeignKey(&'static str),
    /// A column that must have a value has none.
    NotNull(&'static str),
    /// A value outside the list a column allows.
    Check(&'static str),
    /// A caller that matches several profiles where one is needed.
    SeveralProfiles,
    /// `OWNER` action called by somebody else.
    OwnerOnly(&'static str),
    /// No action of this name.
    UnknownAction(&'static str),
    /// A number that its column has no room for.
    NumericOverflow,
}

impl Engine {
    /// Everything the ledger raises, so that an answer's text can be read back.
    const ALL: &'static [Engine] = &[
        Engine::DuplicateKey("inserters_pkey"),
        Engine::DuplicateKey("inserters_name_key"),
        Engine::DuplicateKey("delegates_pkey"),
        Engine::DuplicateKey("users_pkey"),
        Engine::DuplicateKey("wallets_pkey"),
        Engine::DuplicateKey("credentials_pkey"),
        Engine::DuplicateKey("user_attributes_pkey"),
        Engine::DuplicateKey("consumed_write_grants_pkey"),
        Engine::ForeignKey("delegates_inserter_id_fkey"),
        Engine::ForeignKey("wallets_user_id_fkey"),
        Engine::ForeignKey("credentials_user_id_fkey"),
        Engine::ForeignKey("user_attributes_user_id_fkey"),
        Engine::ForeignKey("shared_user_attributes_original_id_fkey"),
        Engine::NotNull("user_id"),
        Engine::Check("users_encryption_password_store_check"),
        Engine::SeveralProfiles,
        Engine::OwnerOnly("add_inserter_as_owner"),
        Engine::OwnerOnly("delete_inserter_as_owner"),
        Engine::OwnerOnly("add_delegate_as_owner"),
        Engine::OwnerOnly("delete_delegate_as_owner"),
        Engine::OwnerOnly("request_balance_withdrawal"),
        Engine::UnknownAction("remove_user"),
        Engine::UnknownAction("set_issuer_fee"),
        Engine::NumericOverflow,
        Engine::OwnerOnly("raw_statement"),
        Engine::DuplicateKey("access_requests_pkey"),
        Engine::ForeignKey("access_requests_user_id_fkey"),
        Engine::UnknownAction("request_access"),
        Engine::UnknownAction("withdraw_access_request"),
        Engine::UnknownAction("deny_access_request"),
        Engine::UnknownAction("get_access_requests_received"),
        Engine::UnknownAction("get_access_requests_made"),
        Engine::UnknownAction("use_access_grant"),
        Engine::UnknownAction("get_access_grant_terms"),
        Engine::UnknownAction("revoke_grantee_access"),
        Engine::UnknownAction("cancel_dag"),
        Engine::UnknownAction("cancel_dwg"),
        Engine::UnknownAction("remove_credential_when_unlocked"),
        Engine::UnknownAction("get_locked_remainders"),
        Engine::UnknownAction("get_audit_records"),
        Engine::DuplicateKey("passporting_clubs_pkey"),
        Engine::DuplicateKey("passporting_peers_pkey"),
        Engine::DuplicateKey("passporting_peers_issuer_public_key_key"),
        Engine::DuplicateKey("passporting_club_memberships_pkey"),
        Engine::ForeignKey("passporting_club_memberships_fkey"),
        Engine::OwnerOnly("add_passporting_club_as_owner"),
        Engine::OwnerOnly("update_passporting_club_as_owner"),
        Engine::OwnerOnly("delete_passporting_club_as_owner"),
        Engine::OwnerOnly("add_passporting_peer_as_owner"),
        Engine::OwnerOnly("update_passporting_peer_as_owner"),
        Engine::OwnerOnly("delete_passporting_peer_as_owner"),
        Engine::OwnerOnly("add_passporting_peer_to_club_as_owner"),
        Engine::OwnerOnly("delete_passporting_peer_from_club_as_owner"),
        Engine::UnknownAction("add_passporting_club_as_owner"),
        Engine::UnknownAction("update_passporting_club_as_owner"),
        Engine::UnknownAction("delete_passporting_club_as_owner"),
        Engine::UnknownAction("add_passporting_peer_as_owner"),
        Engine::UnknownAction("update_passporting_peer_as_owner"),
        Engine::UnknownAction("delete_passporting_peer_as_owner"),
        Engine::UnknownAction("add_passporting_peer_to_club_as_owner"),
        Engine::UnknownAction("delete_passporting_peer_from_club_as_owner"),
        Engine::UnknownAction("create_credential_copy"),
        Engine::UnknownAction("get_passporting_peers"),
        Engine::UnknownAction("get_governance_log"),
    ];
}

/// The beginning of a text that somebody sent, short enough to be copied along with a refusal. Identifiers
/// of callers fit in whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Excerpt {
    length: u8,
    bytes: [u8; Excerpt::LONGEST],
}

impl Excerpt {
    /// How many bytes of a text are kept.
    const LONGEST: usize = 64;

    /// The text, or as many whole characters of it as there is room for.
    pub fn of(text: &str) -> Excerpt {
        let mut bytes = [0; Excerpt::LONGEST];
        let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
        let length = ends
            .take_while(|end| *end <= bytes.len())
            .last()
            .unwrap_or(0);
        bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
        Excerpt {
            length: length as u8,
            bytes,
        }
    }

    /// What is kept of the text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text(), f)
    }
}

impl Serialize for Excerpt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

/// Why a transaction that got into a block could not even be run. Its nonce is used, and what exactly is
/// wrong can be read from its payload again. Source: kwil-rpc 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Unreadable {
    /// The payload does not decode.
    Payload,
    /// It decodes to something the engine refuses to start: an unknown namespace or action, or arguments
    /// that do not fit.
    Call,
}

impl Unreadable {
    /// What becomes of a transaction whose payload does not decode. Bad text stops in the database: it is the
    /// call's fault.
    pub const fn of(error: &DecodeError) -> Unreadable {
        match error.problem {
            DecodeProblem::Utf8 => Unreadable::Call,
            _ => Unreadable::Payload,
        }
    }
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident $code:literal $text:literal;)+) => {
        /// A refused action or view.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub enum Refusal {
            $($(#[$doc])* $variant,)+
            /// The grant's lock is still running; it can be revoked from the second after.
            GrantLocked {
                /// Last second of the lock, UNIX seconds.
                until: i64,
            },
            /// The bridge takes addresses of the other chain only.
            AddressInvalid(
                /// What it was given.
                Excerpt,
            ),
            /// The database refused.
            Engine(Engine),
            /// There was nothing to run.
            Unreadable(Unreadable),
        }

        impl Refusal {
            /// Every refusal whose text is its own.
            const PLAIN: &'static [Refusal] = &[$(Refusal::$variant,)+];

            /// Every code that can stand behind `refused:` in a scenario. Nobody in a scenario sends what
            /// cannot be read.
            pub const CODES: &'static [&'static str] = &[
                $($code,)+
                "grant-locked", "duplicate-key", "foreign-key", "not-null", "check",
                "several-profiles", "owner-only", "unknown-action", "numeric-overflow",
                "address-invalid",
            ];

            /// A stable name for the reason, without its particulars.
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Refusal::$variant => $code,)+
                    Refusal::GrantLocked { .. } => "grant-locked",
                    Refusal::Engine(Engine::DuplicateKey(_)) => "duplicate-key",
                    Refusal::Engine(Engine::ForeignKey(_)) => "foreign-key",
                    Refusal::Engine(Engine::NotNull(_)) => "not-null",
                    Refusal::Engine(Engine::Check(_)) => "check",
                    Refusal::Engine(Engine::SeveralProfiles) => "several-profiles",
                    Refusal::Engine(Engine::OwnerOnly(_)) => "owner-only",
                    Refusal::Engine(Engine::UnknownAction(_)) => "unknown-action",
                    Refusal::Engine(Engine::NumericOverflow) => "numeric-overflow",
                    Refusal::AddressInvalid(_) => "address-invalid",
                    Refusal::Unreadable(_) => "unreadable",
                }
            }
        }

        impl fmt::Display for Refusal {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Refusal::$variant => f.write_str($text),)+
                    Refusal::GrantLocked { .. } => f.write_str("the grant is locked"),
                    Refusal::AddressInvalid(given) => {
                        write!(f, "{ADDRESS_INVALID}{}", given.text())
                    }
                    Refusal::Engine(engine) => engine.fmt(f),
                    Refusal::Unreadable(Unreadable::Payload) => f.write_str("unreadable payload"),
                    Refusal::Unreadable(Unreadable::Call) => f.write_str("unreadable call"),
                }
            }
        }
    };
}

/// What stands before an address that is none.
const ADDRESS_INVALID: &str = "invalid ethereum address: ";

// The first part is the schema's own texts (idos-facts part 3), the second the texts of the promised
// behaviour where the schema has none.
refusals! {
    /// The caller is no delegate of an inserter.
    UnauthorizedInserter "unauthorized-inserter" "Unauthorized inserter";
    /// The wallet type is not one of the five.
    UnsupportedWalletType "unsupported-wallet-type" "unsupported wallet type";
    /// The ownership proof does not verify.
    WalletInvalid "wallet-invalid" "wallet is invalid";
    /// A wallet other than EVM came without its public key.
    WalletNeedsPublicKey "wallet-needs-public-key" "wallet require a public_key to be given";
    /// Another row has this public key.
    WalletPublicKeyTaken "wallet-public-key-taken" "wallet public key already exists in idos";
    /// Another row has this address.
    WalletAddressTaken "wallet-address-taken" "wallet address already exists in idos";
    /// The wallet the caller speaks with cannot remove itself.
    WalletConnected "wallet-connected" "You can not delete a wallet you are connected with. To delete this wallet you have to connect other wallet.";
    /// Notes or content signature does not verify.
    SignatureWrong "signature-wrong" "signature is wrong";
    /// The credential is a copy or has a grant on it.
    SharedNotEditable "shared-not-editable" "can not edit shared credential";
    /// Sharing something that is not the caller's.
    OriginalNotOwned "original-not-owned" "original credential does not belong to the caller";
    /// A copy came with notes.
    CopyWithNotes "copy-with-notes" "shared credentials cannot have public_notes, it must be an empty string";
    /// The credential is not the caller's, or does not exist.
    CredentialNotOwned "credential-not-owned" "the credential does not belong to the caller";
    /// A locked grant protects the credential.
    LockedGrants "locked-grants" "there are locked access grants for this credential";
    /// The caller has no copy of this id to give up.
    NothingToRescind "nothing-to-rescind" "can not find the credential shared to you";
    /// No credential of this id.
    CredentialUnknown "credential-unknown" "the credential does not exist";
    /// The caller holds no grant on the credential.
    NotShared "not-shared" "the credential is not shared with the caller";
    /// A grant for a credential that does not exist.
    GrantWithoutCredential "grant-without-credential" "the credential, that the AG is for, does not exist";
    /// The same grantee, copy and lock have a grant already.
    GrantExists "grant-exists" "a grant with the same grantee, copy_credential_id, and locked_until already exists";
    /// The grant is not the caller's, or does not exist.
    GrantNotFound "grant-not-found" "the access grant not found";
    /// No wallet matches the owner a dAG names.
    DagOwnerNotFound "dag-owner-not-found" "dag_owner not found";
    /// The owner's signature over the dAG does not verify.
    DagSignatureInvalid "dag-signature-invalid" "the dag_signature is invalid";
    /// The dAG is for a credential of somebody else.
    DagDataNotOwned "dag-data-not-owned" "the data_id does not belong to the owner";
    /// The key that signed the credentials and the key the dWG names are not of one inserter.
    DwgForeignIssuer "dwg-foreign-issuer" "credentials issuer must be an issuer of delegated write grant";
    /// No wallet matches the owner a dWG names.
    DwgOwnerNotFound "dwg-owner-not-found" "dwg_owner not found";
    /// A date of a dWG is none. The precompile's own words are not published.
    DateMalformed "date-malformed" "a date has to be of the form YYYY-MM-DDTHH:MM:SSZ";
    /// A dWG's window ends before it begins.
    DwgWindowReversed "dwg-window-reversed" "dwg_not_before must be before dwg_not_after";
    /// A dWG is used outside its window.
    DwgOutsideWindow "dwg-outside-window" "this write grant can only be used after dwg_not_before and before dwg_not_after";
    /// The owner's signature over a dWG does not verify.
    DwgSignatureInvalid "dwg-signature-invalid" "verify owner failed";
    /// Signatures of a dWG's original do not verify.
    OriginalSignatureWrong "original-signature-wrong" "an original credential signature is wrong";
    /// Signatures of a dWG's copy do not verify.
    CopySignatureWrong "copy-signature-wrong" "a copy credential signature is wrong";
    /// The text of a dWG was asked for with its window reversed.
    WindowReversed "window-reversed" "not_usable_before must be before not_usable_after";
    /// The attribute is a copy.
    SharedAttributeNotEditable "shared-attribute-not-editable" "Can not edit shared attribute";
    /// A page below 1.
    PageNotPositive "page-not-positive" "page has to be a positive integer";
    /// A page size below 1.
    SizeNotPositive "size-not-positive" "size has to be a positive integer";

    /// Neither IDOS nor USDC.
    TokenInvalid "token-invalid" "invalid token";
    /// An amount of nothing, or less.
    AmountNotPositive "amount-not-positive" "amount needs to be positive";
    /// A balance does not cover an amount.
    BalanceInsufficient "balance-insufficient" "insufficient balance";
    /// No wallet that could pay has anything.
    NoWalletWithBalance "no-wallet-with-balance" "no wallet with balance found";
    /// The fee of a credential that does not exist.
    CredentialNotFound "credential-not-found" "credential not found";

    /// The ownership proof is for another profile, wallet or network, or is no such proof at all.
    ProofUnbound "proof-unbound" "the ownership proof does not name this profile, wallet and network";
    /// The ownership proof's last second has passed.
    ProofExpired "proof-expired" "the ownership proof is no longer usable";
    /// The ownership proof was accepted before.
    ProofUsed "proof-used" "the ownership proof was used before";
    /// Only the owner may do this, and the owner's signature is missing or wrong.
    OwnerConsentMissing "owner-consent-missing" "the owner's signature for this change is missing or wrong";
    /// An inserter tried to change a wallet that is there, or to add one to a complete profile.
    WalletsAreTheOwners "wallets-are-the-owners" "only the owner can change the wallets of this profile";
    /// An inserter tried to overwrite a credential that is there.
    CredentialsAreTheOwners "credentials-are-the-owners" "only the owner can change an existing credential";
    /// The content is not a sealed box, or the encryptor key is no key.
    ContentNotSealed "content-not-sealed" "the content is not a sealed box";
    /// The grantee is not an identifier of a known form.
    GranteeMalformed "grantee-malformed" "the grantee is not a wallet identifier";
    /// The dAG has created its grant already.
    DagUsed "dag-used" "the dag was used before";
    /// A grant on something that is not a copy.
    NotACopy "not-a-copy" "grants refer only to copies";
    /// The edit carries another issuer's key.
    IssuerKeyChanged "issuer-key-changed" "an edit has to be signed by the issuer of the credential";
    /// The notes contradict what their issuer has stated.
    StatusContradicted "status-contradicted" "the issuer has stated other notes for this credential";
    /// Another credential has this issuer key and notes id.
    NotesIdTaken "notes-id-taken" "a credential with this issuer and notes id already exists";
    /// A locked grant protects the profile.
    ProfileLocked "profile-locked" "there are locked access grants for this profile";
    /// A link to an attribute that is not the caller's.
    AttributeNotOwned "attribute-not-owned" "the original attribute does not belong to the caller";
    /// Somebody else than its issuer sets the fee of a credential.
    NotTheIssuer "not-the-issuer" "only the issuer of a credential sets its fee";
    /// The fee for this copy is paid already.
    FeePaid "fee-paid" "the fee for this credential has been paid";
    /// A grant that takes effect with payment, and has not been paid for.
    FeeUnpaid "fee-unpaid" "the fee for this credential has not been paid";
    /// The request is not the caller's to decide or take back, or does not exist.
    RequestNotFound "request-not-found" "the access request not found";
    /// The owner has approved the request.
    RequestApproved "request-approved" "the access request was approved before";
    /// The owner has denied the request.
    RequestDenied "request-denied" "the access request was denied before";
    /// The request stands no longer.
    RequestExpired "request-expired" "the access request stands no longer";
    /// The consumer has taken the request back.
    RequestWithdrawn "request-withdrawn" "the access request was withdrawn";
    /// A request that names no data, or no purpose.
    RequestIncomplete "request-incomplete" "an access request has to name data and a purpose";
    /// The approval gives more than was asked for.
    ApprovalWidens "approval-widens" "the approval gives more than the access request asks for";
    /// The grant's time or uses are over.
    GrantEnded "grant-ended" "the access grant has ended";
    /// A grant with counted uses is read without one.
    GrantNotOpen "grant-not-open" "the access grant has to be used before reading";
    /// The end of a grant lies in its lock, or in the past.
    EndWithinLock "end-within-lock" "an access grant cannot end in the past or before its lock";
    /// A number of uses below 1.
    UsesNotPositive "uses-not-positive" "uses has to be a positive integer";
    /// The end of a lock is no UNIX second.
    LockNotInSeconds "lock-not-in-seconds" "locked_until has to be UNIX seconds";
    /// The lock is longer than the network allows.
    LockTooLong "lock-too-long" "locked_until is later than the network allows";
    /// A text is longer than the network allows.
    Oversized "oversized" "a text is longer than the network allows";
    /// A dAG without a last second of use.
    DagWithoutEnd "dag-without-end" "the dag does not say until when it is usable";
    /// The dAG's last second of use has passed.
    DagExpired "dag-expired" "the dag is no longer usable";
    /// The owner has cancelled the paper.
    PaperCancelled "paper-cancelled" "the owner has cancelled this paper";
    /// The paper was used, and cannot be cancelled any more.
    PaperUsed "paper-used" "the paper was used before";
    /// A statement that changes something else than what is governed here.
    StatementUnsupported "statement-unsupported" "this statement is not one of those that are modelled";
    /// Only validators vote, propose and leave.
    CallerNotValidator "caller-not-validator" "caller is not a validator";
    /// Who is a validator cannot ask to become one.
    CallerIsValidator "caller-is-validator" "caller is already a validator";
    /// Only the leader proposes what it has seen outside.
    CallerNotProposer "caller-not-proposer" "caller is not the block proposer";
    /// Only a validator can be removed.
    TargetNotValidator "target-not-validator" "target is not a validator";
    /// One request to join at a time.
    JoinPending "join-pending" "validator already has a pending join request";
    /// There is no request to approve of, or none any more.
    NoJoinPending "no-join-pending" "validator does not have a pending join request";
    /// Nobody approves of its own request.
    OwnJoin "own-join" "cannot approve own join request";
    /// A network without a leader would stand still.
    LeaderStays "leader-stays" "leader cannot be removed from validator set";
    /// The same for a leader that goes by itself.
    LeaderCannotLeave "leader-cannot-leave" "leader cannot leave validator set";
    /// No rule of the node is for resolutions of this type.
    ResolutionTypeUnknown "resolution-type-unknown" "invalid resolution type";
    /// The resolution's body is not one of its type, or asks for what cannot be.
    ResolutionInvalid "resolution-invalid" "invalid resolution body";
    /// The same thing has been proposed already.
    ResolutionExists "resolution-exists" "resolution already exists";
    /// Nobody has proposed this, or it is over.
    ResolutionUnknown "resolution-unknown" "resolution does not exist";
    /// The account does not hold so much.
    InsufficientFunds "insufficient-funds" "insufficient funds";
    /// Less than nothing cannot be transferred.
    AmountInvalid "amount-invalid" "invalid transfer amount";
    /// The operation found no row to work on.
    NothingMatched "nothing-matched" "there is nothing this operation applies to";
}

impl Refusal {
    /// The result code of a transaction that ends so. The schema's own errors, and the database's, are
    /// unknown errors to the node. Source: kwil-rpc 3.
    pub const fn result_code(&self) -> u32 {
        match self {
            Refusal::Unreadable(Unreadable::Payload) => 1,
            Refusal::InsufficientFunds => 6,
            Refusal::AmountInvalid => 8,
            Refusal::CallerNotValidator
            | Refusal::CallerIsValidator
            | Refusal::CallerNotProposer
            | Refusal::TargetNotValidator
            | Refusal::JoinPending
            | Refusal::NoJoinPending
            | Refusal::OwnJoin
            | Refusal::LeaderStays
            | Refusal::LeaderCannotLeave => 9,
            Refusal::ResolutionTypeUnknown | Refusal::ResolutionUnknown => 130,
            _ => 65_535,
        }
    }

    /// The refusal behind a text: the inverse of its rendering, for every refusal the ledger makes while
    /// it runs an action or a view. The text of a running lock does not say when the lock ends, so `until`
    /// is 0 and left to whoever knows it. What cannot be read has no text of its own and is not found.
    pub fn parse(text: &str) -> Option<Refusal> {
        let engine = Engine::ALL.iter().map(|engine| Refusal::Engine(*engine));
        let locked = Refusal::GrantLocked { until: 0 };
        Refusal::PLAIN
            .iter()
            .copied()
            .chain([locked])
            .chain(engine)
            .find(|refusal| refusal.to_string() == text)
            .or_else(|| {
                let given = text.strip_prefix(ADDRESS_INVALID)?;
                Some(Refusal::AddressInvalid(Excerpt::of(given)))
            })
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Engine::DuplicateKey(key) => {
                write!(
                    f,
                    "duplicate key value violates unique constraint \"{key}\""
                )
            }
            Engine::ForeignKey(key) => {
                write!(
                    f,
                    "insert or update violates foreign key constraint \"{key}\""
                )
            }
            Engine::NotNull(column) => {
                write!(
                    f,
                    "null value in column \"{column}\" violates not-null constraint"
                )
            }
            Engine::Check(check) => write!(f, "new row violates check constraint \"{check}\""),
            Engine::SeveralProfiles => f.write_str("more than one row returned by a subquery"),
            Engine::NumericOverflow => f.write_str("numeric field overflow"),
            Engine::OwnerOnly(action) => write!(f, "action is owner-only: {action}"),
            Engine::UnknownAction(action) => write!(
                f,
                "unknown action: action \"{action}\" does not exist in namespace \"main\""
            ),
        }
    }
}

impl From<Engine> for Refusal {
    fn from(engine: Engine) -> Refusal {
        Refusal::Engine(engine)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_excerpt_ends_between_characters() {
        let check = |text: &str, kept: usize| {
            assert_eq!(Excerpt::of(text).text(), &text[..kept], "{text}");
        };
        check("", 0);
        check("0x12", 4);
        check(&"a".repeat(64), 64);
        check(&"a".repeat(65), 64);
        check(&format!("{}é", "a".repeat(63)), 63);
    }

    #[test]
    fn every_refusal_is_read_back_from_its_text() {
        let plain = Refusal::PLAIN.iter().copied();
        let engine = Engine::ALL.iter().map(|engine| Refusal::Engine(*engine));
        let mut texts = BTreeSet::new();
        for refusal in plain.chain(engine) {
            let text = refusal.to_string();
            assert_eq!(Refusal::parse(&text), Some(refusal));
            assert!(texts.insert(text), "two refusals say {refusal}");
        }
        let lock = Refusal::GrantLocked { until: 7 }.to_string();
        let unknown_end = Refusal::GrantLocked { until: 0 };
        assert_eq!(Refusal::parse(&lock), Some(unknown_end));
        let address = Refusal::AddressInvalid(Excerpt::of("alice.near"));
        assert_eq!(Refusal::parse(&address.to_string()), Some(address));
        for other in ["", "ERROR: wallet is invalid", "unreadable payload"] {
            assert_eq!(Refusal::parse(other), None, "{other}");
        }
    }
}
