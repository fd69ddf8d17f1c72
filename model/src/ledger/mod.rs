//! The sequential specification of idOS: tables, one function per action, each citing its source.
//!
//! [`execute`] runs a transaction inside a block, [`view`] answers a query. Both are pure functions of
//! the state and their arguments. A refusal is data, not an error.

mod action;
mod attributes;
mod audit;
mod credentials;
mod delegated_write;
mod execute;
mod grants;
mod index;
mod limits;
mod message;
mod owner;
mod papers;
mod query;
mod refusal;
mod requests;
mod tables;
mod transaction;
mod users;
mod wallets;
mod written;

pub use action::{Action, Batch, DagTerms, OwnerConsent, Query, ShareTerms};
pub use execute::{Call, Env, Invalid, Outcome, Refused, begin_block, execute, validate};
pub use index::Indexed;
pub use message::{
    Consent, DelegatedAccessGrant, DelegatedWriteGrant, OwnershipProof, parse_date, write_date,
};
pub use query::{
    AccessRequestRow, Answer, AttributeRow, AuditRow, CredentialDetail, CredentialSummary,
    GrantRow, GrantTermsRow, RemainderRow, SharedCredential, UserRow, WalletRow, view,
};
pub use refusal::{Engine, Refusal, Unreadable};
pub use tables::{
    AccessGrant, AccessRequest, Account, Attribute, AttributeLink, AuditEvent, AuditRecord,
    AuditSubject, CancelledPaper, ConsumedPaper, ConsumedWriteGrant, Content, CopyLink, Credential,
    Delegate, DueRemoval, EndedGrant, GrantInserter, GrantTerms, Inserter, Redo, RequestState,
    ReservedUser, RetainedNotes, Row, Savepoint, State, StatusStatement, Tables, User, Wallet,
    WalletType,
};
pub use transaction::{NAMESPACE, Transaction, Unsigned};
pub use written::Written;
