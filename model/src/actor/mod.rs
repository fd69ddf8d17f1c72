//! The people of a story as state machines: users, issuers, consumers, the database owner. The same
//! code acts in every world.

mod order;

pub use order::{Fidelity, GrantRef, Order, Share, Task, Via, Writer};
