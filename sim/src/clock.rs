//! Clocks that may be wrong. Every node and every party has its own.

use assay_model::time::{Millis, WallMillis};

/// A clock: right plus an offset, and gaining or losing from a certain moment on.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: WallMillis,
    offset: i64,
    drift: i32,
    since: Millis,
}

impl Clock {
    /// A clock that is right, counting from the epoch at scenario time zero.
    pub fn right(epoch: WallMillis) -> Clock {
        Clock {
            epoch,
            offset: 0,
            drift: 0,
            since: Millis::ZERO,
        }
    }

    /// What it shows.
    pub fn read(&self, now: Millis) -> WallMillis {
        let right = self.epoch.0 as i64 + now.0 as i64;
        WallMillis((right + self.error(now)).max(0) as u64)
    }

    /// How far it is off, in milliseconds.
    pub fn error(&self, now: Millis) -> i64 {
        let running = (now.0 - self.since.0) as i128;
        self.offset + (running * i128::from(self.drift) / 1_000_000) as i64
    }

    /// Moves it by an offset and lets it drift from now on; what it has gained stays.
    pub fn disturb(&mut self, now: Millis, offset: i64, drift: i32) {
        self.offset = self.error(now) + offset;
        self.drift += drift;
        self.since = now;
    }

    /// Sets it right.
    pub fn mend(&mut self) {
        *self = Clock::right(self.epoch);
    }

    /// How long a span on this clock really takes. Offsets do not matter to spans.
    pub fn span(&self, after: u64) -> Millis {
        let rate = 1_000_000 + i128::from(self.drift);
        let span = i128::from(after) * 1_000_000 / rate.max(1);
        Millis(u64::try_from(span).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offset_and_drift_add_up() {
        let mut clock = Clock::right(WallMillis(1_000_000));
        assert_eq!(clock.read(Millis(500)), WallMillis(1_000_500));
        clock.disturb(Millis(500), -200, 1_000);
        assert_eq!(clock.read(Millis(500)), WallMillis(1_000_300));
        assert_eq!(clock.error(Millis(1_000_500)), -200 + 1_000);
        assert_eq!(clock.span(1_001_000), Millis(1_000_000));
        clock.mend();
        assert_eq!(clock.error(Millis(2_000_000)), 0);
    }
}
