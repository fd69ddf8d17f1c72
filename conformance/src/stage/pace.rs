//! The story's clock: real time, less what is skipped because nothing happens in it.

use assay_model::time::{Millis, WallMillis};
use assay_node::runtime::Skew;

/// How far before scenario time zero the network is founded, on the chain's clock.
pub const FOUNDING: u64 = 600_000;

/// How the clock of a right node is made of the venue's wall clock, and the story's time of both.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    epoch: WallMillis,
    skew: Skew,
    last: Millis,
}

impl Pace {
    /// A network whose clocks show [`FOUNDING`] before the epoch when the venue's wall clock shows `wall`;
    /// or the venue's own time, where clocks cannot be set.
    pub(super) fn new(epoch: WallMillis, wall: WallMillis, settable: bool) -> Pace {
        let away = epoch.0 as i64 - FOUNDING as i64 - wall.0 as i64;
        let skew = Skew {
            offset: if settable { away } else { 0 },
            ..Skew::default()
        };
        Pace {
            epoch,
            skew,
            last: Millis::ZERO,
        }
    }

    /// The same clocks, for a story whose time zero is still to come.
    pub(super) fn again(&mut self, epoch: WallMillis) {
        (self.epoch, self.last) = (epoch, Millis::ZERO);
    }

    /// What a right node's clock shows.
    pub(super) fn chain_clock(&self, wall: WallMillis) -> WallMillis {
        let skipped = self.skew.skipped(wall) as i64;
        WallMillis((wall.0 as i64 + skipped + self.skew.offset).max(0) as u64)
    }

    /// Scenario time; zero before the story begins, and never less than it was.
    pub(super) fn now(&mut self, wall: WallMillis) -> Millis {
        let shown = self.chain_clock(wall);
        self.last = self.last.max(Millis(shown.0.saturating_sub(self.epoch.0)));
        self.last
    }

    /// How far it is to scenario time zero, in milliseconds.
    pub(super) fn until_zero(&self, wall: WallMillis) -> u64 {
        self.epoch.0.saturating_sub(self.chain_clock(wall).0)
    }

    /// Skips so many milliseconds from a moment on that is still to come.
    pub(super) fn skip(&mut self, milliseconds: u64, at: WallMillis) {
        self.skew.before = self.skew.skip;
        self.skew.skip += milliseconds;
        self.skew.at = at.0;
    }

    /// The skew of a node whose own clock is off by so many milliseconds.
    pub(super) fn skew(&self, error: i64) -> Skew {
        Skew {
            offset: self.skew.offset + error,
            ..self.skew
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_at_zero_until_the_story_begins_and_skips_when_told() {
        let (epoch, wall) = (WallMillis(5_000_000), WallMillis(70_000_000));
        let at = |after: u64| WallMillis(wall.0 + after);
        let mut pace = Pace::new(epoch, wall, true);
        assert_eq!(pace.now(at(100)), Millis::ZERO);
        assert_eq!(pace.until_zero(at(100)), FOUNDING - 100);
        pace.skip(FOUNDING - 100, at(120));
        assert_eq!(pace.now(at(119)), Millis::ZERO);
        assert_eq!(pace.now(at(120)), Millis(20));
        assert_eq!(pace.chain_clock(at(150)), WallMillis(5_000_050));
        pace.skip(1_000, at(200));
        assert_eq!(pace.now(at(199)), Millis(99));
        assert_eq!(pace.now(at(200)), Millis(1_100));
        assert_eq!(pace.now(at(150)), Millis(1_100), "time never runs back");
        assert_eq!(pace.skew(-7).offset, pace.skew(0).offset - 7);
    }
}
