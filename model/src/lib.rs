//! What idOS is, as pure functions: rules, ledger, nodes, actors, and the promises they keep.
//!
//! Nothing here reads a clock, opens a socket, spawns a task or draws a random number; worlds do that.
//! Start with [`ledger`] (the sequential specification), then [`node`], then [`actor`], then
//! [`invariant`].

pub mod actor;
pub mod bridge;
pub mod catalogue;
pub mod chain;
pub mod crypto;
pub mod disclosure;
pub mod history;
pub mod id;
pub mod invariant;
pub mod ledger;
pub mod node;
pub mod rules;
pub mod shares;
pub mod time;
pub mod vc;
pub mod wire;
