//! The worlds of real code: the same stories on the reference node's own sockets code, simulated, and on
//! real node processes of any implementation.

pub mod certify;
pub mod live;
pub mod load;
pub mod scan;
pub mod sockets;
pub mod stage;
pub mod venue;
mod wire;
