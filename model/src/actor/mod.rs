//! The people of a story as state machines: users, issuers, consumers, the database owner. The same
//! code acts in every world.
//!
//! An [`Actor`] has the shape of a node: [`Actor::handle`] takes an input at the actor's own clock and
//! leaves outputs in an [`Outbox`]. What a story tells it to do arrives as a [`Task`]; how it talks to
//! nodes (challenges, nonces, retries) is the [`client`](self) part, and what it says to other people
//! travels as a [`Letter`].

mod client;
mod desk;
mod directory;
mod flow;
mod letter;
mod machine;
mod order;

pub use desk::Desk;
pub use directory::{Card, Directory, Keys, MARKER_PREFIX, Persona};
pub use letter::{Letter, Package};
pub use machine::{Actor, Input, Outbox, Output, TaskId, Timer};
pub use order::{Fidelity, GrantRef, Holding, Order, Share, Sum, Task, Trade, Via, Writer};
