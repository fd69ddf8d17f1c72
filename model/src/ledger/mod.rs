//! The sequential specification of idOS: tables, one function per action, each citing its source.
//!
//! [`execute`] runs a transaction inside a block, [`view`] answers a query. Both are pure functions of
//! the state and their arguments. A refusal is data, not an error.

mod action;
mod attributes;
mod credentials;
mod delegated_write;
mod execute;
mod grants;
mod index;
mod message;
mod owner;
mod passporting;
mod query;
mod refusal;
mod tables;
mod transaction;
mod users;
mod wallets;
mod written;

pub use action::{Action, Batch, OwnerConsent, Query};
pub use execute::{Call, Env, Invalid, Outcome, Refused, execute, validate};
pub use index::Indexed;
pub use message::{
    Consent, DelegatedAccessGrant, DelegatedWriteGrant, OwnershipProof, parse_date, write_date,
};
pub use query::{
    Answer, AttributeRow, CredentialDetail, CredentialSummary, GrantRow, PeerRow, SharedCredential,
    UserRow, WalletRow, view,
};
pub use refusal::{Engine, Refusal, Unreadable};
pub use tables::{
    AccessGrant, Account, Attribute, AttributeLink, ClubMembership, ConsumedPaper,
    ConsumedWriteGrant, Content, CopyLink, Credential, Delegate, GrantInserter, Inserter,
    PassportingClub, PassportingPeer, Redo, ReservedUser, RetainedNotes, Row, Savepoint, State,
    StatusStatement, Tables, User, Wallet, WalletType,
};
pub use transaction::{NAMESPACE, Transaction, Unsigned};
pub use written::Written;
