//! Reminders the node has set itself, by the moment they are due.

use std::collections::BTreeMap;

use assay_model::node::Timer;

/// Moments are [`crate::runtime::Clock::running`]'s; timers for one moment run out in the order they
/// were set.
#[derive(Default)]
pub(super) struct Timers {
    due: BTreeMap<(u64, u64), Timer>,
    set: u64,
}

impl Timers {
    pub(super) fn set(&mut self, moment: u64, timer: Timer) {
        self.set += 1;
        self.due.insert((moment, self.set), timer);
    }

    /// When the next one runs out.
    pub(super) fn next(&self) -> Option<u64> {
        self.due.first_key_value().map(|((moment, _), _)| *moment)
    }

    /// The next one, if it has run out by now.
    pub(super) fn pop(&mut self, now: u64) -> Option<Timer> {
        let entry = self.due.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }
}

#[cfg(test)]
mod tests {
    use assay_model::id::Height;

    use super::*;

    #[test]
    fn timers_run_out_by_moment_and_then_in_the_order_they_were_set() {
        let poll = |height| Timer::Poll(Height(height));
        let mut timers = Timers::default();
        for (moment, height) in [(30, 1), (10, 2), (10, 3), (20, 4)] {
            timers.set(moment, poll(height));
        }
        assert_eq!(timers.next(), Some(10));
        assert_eq!(timers.pop(9), None);
        let due: Vec<Timer> = std::iter::from_fn(|| timers.pop(20)).collect();
        assert_eq!(due, [poll(2), poll(3), poll(4)]);
        assert_eq!(timers.next(), Some(30));
    }
}
