//! The live world: the same stories against real node processes of any implementation.
//!
//! What is here: [`rpc`], the words real clients and nodes speak, as pure functions. What will be: the
//! reference node behind those words, since the model itself opens no socket; a target file that says how
//! to initialise, start and stop a node; processes on loopback, reaped whatever happens; a proxy for every
//! directed link, where faults get their bodies; an adapter that carries the requests of the model's own
//! actors and their answers back; probes of data directories, logs and captured traffic; and certificates.

pub mod rpc;
