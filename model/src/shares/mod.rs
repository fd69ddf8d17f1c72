//! Share nodes: the service that keeps a user's random password in parts, so that no operator knows it and
//! any few of them give it back. Source: idos-facts 4.10.
//!
//! [`shamir`](split) is the arithmetic, [`ShareRequest`] what enclaves sign, [`ShareStore`] what one node does.

mod gf256;
mod reconstruct;
mod request;
mod shamir;
mod store;
mod typed;

pub use reconstruct::{Lost, reconstruct};
pub use request::{ShareAddress, ShareContract, ShareRequest, SignedShareRequest};
pub use shamir::{Blinded, Commitment, Sharing, Uneven, interpolate, split};
pub use store::{Conduct, FRESH, Released, ShareReply, ShareStore};
