//! What a story need not say. This is the only place that fills anything in; the descriptions in the
//! file's schema repeat it for people.

use assay_model::actor::{External, Fidelity, Writer};
use assay_model::history::Ending;
use assay_model::id::NodeId;
use assay_model::ledger::WalletType;
use assay_model::node::{Timing, USUAL_HISTORY};
use assay_model::time::{Millis, WallMillis};

use crate::plan::{Expect, Network, Ppm};

pub(super) const NODES: u16 = 4;
pub(super) const LEADER: NodeId = NodeId(0);
/// 2026-01-01T00:00:00Z.
pub(crate) const EPOCH: WallMillis = WallMillis(1_767_225_600_000);
pub(super) const NETWORK: Network = Network {
    latency: Millis(20),
    jitter: Millis(10),
    loss: Ppm(0),
    duplicate: Ppm(0),
    reorder: Ppm(0),
};
pub(super) const DISK_SYNC: Millis = Millis(2);
/// A file changes `propose`, `empty_block`, `drift` and `history`; the other durations are the protocol's own.
pub(super) const TIMING: Timing = Timing {
    history: USUAL_HISTORY,
    propose: 1_000,
    poll: 200,
    empty_block: 60_000,
    resend: 3_000,
    broadcast: 15_000,
    challenge: 10_000,
    drift: 10_000,
};
/// From the last step or the end of the last fault to the end of the story.
pub(super) const AFTERMATH: Millis = Millis::seconds(10);
pub(super) const SETTLE: Millis = Millis::seconds(300);
pub(super) const EVENTS: u64 = 5_000_000;
pub(super) const AUDIT: bool = true;

pub(super) const PATIENCE: Millis = Millis::seconds(90);
pub(super) const EXPECT: Expect = Expect::Ending(Ending::Accepted);
/// What every party's first wallet is called; it is there from the start.
pub(super) const FIRST_WALLET: &str = "w1";
/// What a wallet is that a story says nothing about, by its place: EVM, and FaceSign for the third.
pub(super) const fn wallet_type(index: usize) -> WalletType {
    match index {
        2 => WalletType::FaceSign,
        _ => WalletType::EVM,
    }
}
pub(super) const WRITER: Writer = Writer::User;
pub(super) const BYTES: u32 = 4_096;
pub(super) const FIDELITY: Fidelity = Fidelity::Faithful;
/// Arbitrum One; a story's staking begins with the story.
pub(super) const EXTERNAL: External = External::ARBITRUM;
/// End of a lock that is not there, UNIX seconds.
pub(super) const NO_LOCK: i64 = 0;
/// How long a delegated write may be used, from the step that signs it.
pub(super) const WINDOW: Millis = Millis::seconds(3_600);
/// How long a request stands, from the step that makes it.
pub(super) const STANDS: Millis = Millis::seconds(3_600);
/// How long a delegated grant may be used, from the step that signs it.
pub(super) const PAPER: Millis = Millis::seconds(30 * 86_400);
/// How long an answer to a question is of use, from the step that asks.
pub(super) const ANSWER: Millis = Millis::seconds(3_600);
pub(super) const PURPOSE: &str = "verification";
pub(super) const ROWS: u32 = 0;
