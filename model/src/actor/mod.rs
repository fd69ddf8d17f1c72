//! The people of a story as state machines: users, issuers, consumers, token holders, the database owner, the
//! Association. The same code acts in every world, and so does the chain that holds the tokens.
//!
//! An [`Actor`] has the shape of a node: [`Actor::handle`] takes an input at the actor's own clock and
//! leaves outputs in an [`Outbox`]. What a story tells it to do arrives as a [`Task`]; how it talks to
//! nodes (challenges, nonces, retries) is the [`client`](self) part, and what it says to other people
//! travels as a [`Letter`].

mod client;
mod desk;
mod directory;
mod enclave;
mod exchange;
mod flow;
mod gateway;
mod letter;
mod machine;
mod order;
#[cfg(test)]
mod people;
mod reach;

pub use crate::shares::Conduct;
pub use desk::Desk;
pub use directory::{
    Card, Directory, External, Keys, MARKER_PREFIX, Password, Persona, operator_account,
    operator_key, validator_key,
};
pub use letter::{Answer, Letter, Package, ShareAnswer};
pub use machine::{Actor, Input, Outbox, Output, TaskId, Timer};
pub use order::{
    ChainDeed, Demands, Fidelity, Findings, GrantRef, Holding, Listing, Oddity, Order,
    ParameterChange, Proposal, RequestRef, Share, Shown, Sum, Task, Terms, Trade, Via, Writer,
};
pub use reach::Reach;
