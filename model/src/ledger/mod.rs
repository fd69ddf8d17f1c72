//! The sequential specification of idOS: tables, one function per action, each citing its source.
//!
//! [`execute`] runs a transaction inside a block, [`view`] answers a query. Both are pure functions of
//! the state and their arguments. A refusal is data, not an error.

mod action;
mod attributes;
mod credentials;
mod delegated_write;
mod engine;
mod execute;
mod governance;
mod grants;
mod index;
mod message;
mod owner;
mod payload;
mod query;
mod refusal;
mod resolutions;
mod tables;
mod transaction;
mod users;
mod wallets;
mod written;

pub use action::{Action, Batch, OwnerConsent, Query};
pub use execute::{At, Call, Env, Invalid, Outcome, Refused, execute, validate};
pub use governance::{Governed, SchemaChange};
pub use index::Indexed;
pub use message::{
    Consent, DelegatedAccessGrant, DelegatedWriteGrant, OwnershipProof, parse_date, write_date,
};
pub use payload::Payload;
pub use query::{
    Answer, AttributeRow, ChangeRow, CredentialDetail, CredentialSummary, GrantRow,
    SharedCredential, UserRow, WalletRow, view,
};
pub use refusal::{Engine, Refusal, Unreadable};
pub use resolutions::{Threshold, conclude, usual_parameters};
pub use tables::{
    AccessGrant, Account, Approval, Attribute, AttributeLink, Change, ConsumedPaper,
    ConsumedWriteGrant, Content, CopyLink, Credential, Delegate, GrantInserter, Inserter,
    Ownership, Parameter, Processed, Redo, ReservedUser, Resolution, RetainedNotes, Row, Savepoint,
    State, StatusStatement, Tables, User, Validator, Wallet, WalletType,
};
pub use transaction::{NAMESPACE, Transaction, Unsigned};
pub use written::Written;
