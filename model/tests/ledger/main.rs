//! The ledger against its contracts, idos-facts part 3: every refusal with its exact text, the order of
//! the checks, the effect, and what each switch of the rules changes.

#[path = "../bench/mod.rs"]
mod bench;

mod attributes;
mod credentials;
mod delegated_write;
mod economy;
mod grants;
mod owner;
mod passporting;
mod reads;
mod requests;
mod resolutions;
mod users;
mod wallets;
