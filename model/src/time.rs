//! The clocks of a run. They are different types, so that they never mix by accident.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// Scenario time: milliseconds since the story began, on the clock of the world that tells it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The beginning of the story.
    pub const ZERO: Millis = Millis(0);

    /// So many whole seconds.
    pub const fn seconds(seconds: u64) -> Millis {
        Millis(seconds * 1000)
    }

    /// The later of the two is returned unchanged; nothing goes below zero.
    pub fn saturating_sub(self, other: Millis) -> Millis {
        Millis(self.0.saturating_sub(other.0))
    }
}

impl Add for Millis {
    type Output = Millis;
    fn add(self, other: Millis) -> Millis {
        Millis(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Millis {
    fn add_assign(&mut self, other: Millis) {
        *self = *self + other;
    }
}

impl Sub for Millis {
    type Output = Millis;
    fn sub(self, other: Millis) -> Millis {
        Millis(
            self.0
                .checked_sub(other.0)
                .unwrap_or_else(|| panic!("time ran backwards: {self} - {other}")),
        )
    }
}

/// Seconds with three decimals below a day, and days in front of it above: `12.480s`, `3d 00:00:01.000`.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0 / 1000, self.0 % 1000);
        let days = seconds / 86_400;
        if days == 0 {
            return f.pad(&format!("{seconds}.{millis:03}s"));
        }
        let (h, m, s) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        f.pad(&format!("{days}d {h:02}:{m:02}:{s:02}.{millis:03}"))
    }
}

/// What a party's own clock shows: milliseconds since the UNIX epoch. Every party has its own, and it
/// may be wrong.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct WallMillis(pub u64);

impl WallMillis {
    /// The same instant as chain time, cut to whole seconds as `@block_timestamp` is.
    pub const fn block_time(self) -> BlockTime {
        BlockTime((self.0 / 1000) as i64)
    }

    /// How far two clocks are apart, in milliseconds.
    pub const fn distance(self, other: WallMillis) -> u64 {
        self.0.abs_diff(other.0)
    }
}

/// Chain time: UNIX seconds in the header of a block, the only time the rules of the ledger know.
/// Source: `@block_timestamp`, idos-facts 3.0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct BlockTime(pub i64);

/// RFC 3339 in UTC; a value outside the calendar shows as plain seconds.
impl fmt::Display for BlockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{}s", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        assert_eq!(Millis(12_480).to_string(), "12.480s");
        assert_eq!(
            Millis(86_400_000 * 3 + 1_000).to_string(),
            "3d 00:00:01.000"
        );
        assert_eq!(BlockTime(1_767_225_600).to_string(), "2026-01-01T00:00:00Z");
    }

    #[test]
    fn a_wall_clock_is_cut_to_whole_seconds() {
        assert_eq!(WallMillis(1_999).block_time(), BlockTime(1));
    }
}
