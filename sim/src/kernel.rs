//! The event queue: what happens next, and when. Time jumps from event to event, so idle years cost
//! nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use assay_model::time::Millis;

/// A queue of events in order of time, then tie-break, then scheduling.
#[derive(Debug)]
pub struct Kernel<E> {
    now: Millis,
    scheduled: u64,
    queue: BinaryHeap<Reverse<Entry>>,
    /// Events by slot; the queue itself moves only small entries.
    slots: Vec<Option<E>>,
    free: Vec<u32>,
}

/// Order is part of the type: fields compare from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: Millis,
    tie: u64,
    sequence: u64,
    slot: u32,
}

impl<E> Default for Kernel<E> {
    fn default() -> Kernel<E> {
        Kernel {
            now: Millis::ZERO,
            scheduled: 0,
            queue: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<E> Kernel<E> {
    /// Scenario time of the last event taken.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// When the next event is due.
    pub fn next(&self) -> Option<Millis> {
        self.queue.peek().map(|Reverse(entry)| entry.at)
    }

    /// How many events were ever scheduled.
    pub fn scheduled(&self) -> u64 {
        self.scheduled
    }

    /// Plans an event. Panics when it lies in the past, which is a bug of the world.
    pub fn schedule(&mut self, at: Millis, tie: u64, event: E) {
        assert!(
            self.now <= at,
            "scheduled into the past: now={} at={at}",
            self.now
        );
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(event);
                slot
            }
            None => {
                self.slots.push(Some(event));
                (self.slots.len() - 1) as u32
            }
        };
        let sequence = self.scheduled;
        self.scheduled += 1;
        self.queue.push(Reverse(Entry {
            at,
            tie,
            sequence,
            slot,
        }));
    }

    /// Takes the next event and moves time to it.
    pub fn pop(&mut self) -> Option<E> {
        let Reverse(entry) = self.queue.pop()?;
        self.now = entry.at;
        self.free.push(entry.slot);
        self.slots[entry.slot as usize].take()
    }
}

#[cfg(test)]
mod tests {
    use assay_laws::laws;
    use proptest::prelude::*;

    use super::*;

    laws! {
        256;

        fn events_leave_by_time_then_tie_then_order(
            events in prop::collection::vec((0u64..20, 0u64..3), 0..60)
        ) {
            let mut kernel = Kernel::default();
            for (index, (at, tie)) in events.iter().enumerate() {
                kernel.schedule(Millis(*at), *tie, (*at, *tie, index));
            }
            let mut expected: Vec<_> =
                events.iter().enumerate().map(|(index, (at, tie))| (*at, *tie, index)).collect();
            expected.sort();
            let left: Vec<_> = std::iter::from_fn(|| kernel.pop()).collect();
            prop_assert_eq!(left, expected);
        }
    }

    #[test]
    #[should_panic(expected = "scheduled into the past: now=0.005s at=0.004s")]
    fn the_past_is_closed() {
        let mut kernel = Kernel::default();
        kernel.schedule(Millis(5), 0, ());
        kernel.pop();
        kernel.schedule(Millis(4), 0, ());
    }
}
