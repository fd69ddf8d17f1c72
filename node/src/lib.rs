//! The reference storage node: the model's state machine in an async shell, behind real sockets, clocks
//! and disks.
//!
//! What a node decides is the model's ([`assay_model::node`]); here it gets a body. The shell is generic
//! over its network, clock and storage ([`runtime`]), so that the same code serves real clients over
//! TCP and runs on simulated sockets. Start with [`runtime`], then [`shell`], which puts a node together;
//! [`rpc`] has the words clients speak, [`process`] is the node as a program.

pub mod admin;
#[doc(hidden)]
pub mod alone;
pub mod codec;
pub mod config;
pub mod genesis;
mod peer;
pub mod process;
pub mod rpc;
pub mod runtime;
pub mod server;
pub mod shell;
pub mod store;
#[cfg(test)]
mod testing;
#[cfg(feature = "known-bad")]
pub mod wrong;
