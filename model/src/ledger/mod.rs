//! The sequential specification of idOS: tables, one function per action, each citing its source.
//!
//! [`execute`] runs a transaction inside a block, [`view`] answers a query. Both are pure functions of
//! the state and their arguments. A refusal is data, not an error.

mod action;
mod attributes;
mod credentials;
mod delegated_write;
mod economy;
mod execute;
mod grants;
mod index;
mod message;
mod owner;
mod query;
mod refusal;
mod tables;
mod transaction;
mod users;
mod wallets;
mod written;

pub use action::{Action, Batch, OwnerConsent, Query};
pub use economy::{bridged, close_epochs, endow};
pub use execute::{Call, Env, Invalid, Outcome, Refused, execute, validate};
pub use index::Indexed;
pub use message::{
    Consent, DelegatedAccessGrant, DelegatedWriteGrant, OwnershipProof, parse_date, write_date,
};
pub use query::{
    Answer, AttributeRow, BridgeInfo, ClaimRow, CredentialDetail, CredentialSummary, EpochRow,
    GrantRow, RewardRow, SharedCredential, UserRow, WalletRow, view,
};
pub use refusal::{Engine, Excerpt, Refusal, Unreadable};
pub use tables::{
    AccessGrant, Account, Attribute, AttributeLink, BridgedEvent, ConsumedPaper,
    ConsumedWriteGrant, Content, CopyLink, Credential, Delegate, Epoch, EpochEnd, EpochReward,
    FeePayment, GrantInserter, Inserter, NetworkBalance, Redo, ReservedUser, RetainedNotes, Row,
    Savepoint, State, StatusStatement, Tables, User, UserBalance, Wallet, WalletType,
};
pub use transaction::{Transaction, Unsigned};
pub use written::Written;
