//! Load for real nodes: many people with keys of their own, the requests they make, and the processes
//! that answer.
//!
//! Start with [`Network`], which runs reference nodes as processes, and [`Crowd`], who write and read there.
//! Nothing here is between a client and its node, so that what is measured is the node's.

mod crowd;
mod http;
mod network;

pub use crowd::{Crowd, OWNER};
pub use http::{Line, Question, Silence, ask, post};
pub use network::Network;
