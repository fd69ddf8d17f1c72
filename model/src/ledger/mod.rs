//! The sequential specification of idOS: tables, one function per action, each citing its source.
//!
//! [`execute`] runs a transaction inside a block, [`view`] answers a query. Both are pure functions of
//! the state and their arguments. A refusal is data, not an error.

mod action;
mod attributes;
mod audit;
mod credentials;
mod delegated_write;
mod economy;
mod engine;
mod execute;
mod governance;
mod grants;
mod index;
mod limits;
mod message;
mod owner;
mod papers;
mod passporting;
mod payload;
mod query;
mod refusal;
mod requests;
mod resolutions;
mod tables;
mod transaction;
mod users;
mod wallets;
mod written;

pub use action::{Action, Batch, DagTerms, OwnerConsent, Query, ShareTerms};
pub use economy::{bridged, endow};
pub use execute::{
    At, Call, Env, Invalid, Outcome, Refused, begin_block, execute, run_block, validate,
};
pub use governance::{Governed, SchemaChange};
pub use index::Indexed;
pub use message::{
    Consent, DelegatedAccessGrant, DelegatedWriteGrant, OwnershipProof, parse_date, write_date,
};
pub use payload::Payload;
pub use query::{
    AccessRequestRow, Answer, AttributeRow, AuditRow, BridgeInfo, ChangeRow, ClaimRow,
    CredentialDetail, CredentialSummary, EpochRow, GrantRow, GrantTermsRow, PeerRow, RemainderRow,
    RewardRow, SharedCredential, UserRow, WalletRow, view,
};
pub use refusal::{Engine, Excerpt, Refusal, Unreadable};
pub use resolutions::{Parameters, Threshold, conclude, usual_parameters};
pub use tables::{
    AccessGrant, AccessRequest, Account, Approval, Attribute, AttributeLink, AuditEvent,
    AuditRecord, AuditSubject, BridgedEvent, CancelledPaper, Change, ClubMembership, ConsumedPaper,
    ConsumedWriteGrant, Content, CopyLink, Credential, Delegate, DueRemoval, EndedGrant, Epoch,
    EpochEnd, EpochReward, FeePayment, GrantInserter, GrantTerms, Inserter, NetworkBalance,
    Ownership, Parameter, PassportingClub, PassportingPeer, Processed, Redo, RequestState,
    ReservedUser, Resolution, RetainedNotes, Row, Savepoint, State, StatusStatement, Tables, User,
    UserBalance, Validator, Wallet, WalletType,
};
pub use transaction::{Transaction, Unsigned};
pub use written::Written;
