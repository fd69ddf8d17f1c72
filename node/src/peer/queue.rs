//! What waits to go to one peer. Nobody ever waits to put something in: the oldest has to go.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::frame::{Frame, MAX_FRAME};

/// Most frames that wait.
const FRAMES: usize = 1_024;
/// Most bytes that wait.
const BYTES: usize = 2 * MAX_FRAME;
/// What goes out in one write, unless a single frame is larger.
const WRITE: usize = 64 << 10;

/// See the module.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    arrival: Notify,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Frame>,
    bytes: usize,
    dropped: u64,
}

impl Waiting {
    fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.len();
        Some(frame)
    }
}

impl Queue {
    /// Puts a frame behind the others.
    pub(crate) fn push(&self, frame: Frame) {
        let mut waiting = self.waiting();
        waiting.bytes += frame.len();
        waiting.frames.push_back(frame);
        while waiting.frames.len() > FRAMES || waiting.bytes > BYTES {
            waiting.pop();
            waiting.dropped += 1;
        }
        drop(waiting);
        self.arrival.notify_one();
    }

    /// Waits until there is something, and appends as much of it as makes a good write.
    pub(super) async fn take(&self, into: &mut Vec<u8>) {
        loop {
            if self.take_now(into) {
                return;
            }
            self.arrival.notified().await;
        }
    }

    fn take_now(&self, into: &mut Vec<u8>) -> bool {
        let mut waiting = self.waiting();
        while let Some(next) = waiting.frames.front() {
            if !into.is_empty() && into.len() + next.len() > WRITE {
                break;
            }
            if let Some(frame) = waiting.pop() {
                into.extend_from_slice(&frame);
            }
        }
        !into.is_empty()
    }

    /// How many frames had to go since the last time this was asked.
    pub(super) fn dropped(&self) -> u64 {
        std::mem::take(&mut self.waiting().dropped)
    }

    /// How many frames wait.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.waiting().frames.len()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{Kind, frame};
    use super::*;

    #[tokio::test]
    async fn the_oldest_goes_when_too_much_waits() {
        let queue = Queue::default();
        for number in 0..FRAMES as u64 + 3 {
            queue.push(frame(Kind::Message, &number.to_le_bytes()).unwrap());
        }
        assert_eq!(queue.dropped(), 3);
        assert_eq!(queue.dropped(), 0);
        let mut written = Vec::new();
        queue.take(&mut written).await;
        assert_eq!(written[5..13], 3_u64.to_le_bytes());
        assert_eq!(written.len(), FRAMES * 13, "one write takes them all");
        let large = frame(Kind::Message, &vec![0; MAX_FRAME - 1]).unwrap();
        for _ in 0..3 {
            queue.push(large.clone());
        }
        assert_eq!(
            queue.dropped(),
            2,
            "two of the largest and their lengths are too much"
        );
    }

    #[tokio::test]
    async fn several_small_frames_go_in_one_write_and_large_ones_alone() {
        let queue = Queue::default();
        let sizes = [10, 20, WRITE, 30];
        for size in sizes {
            queue.push(vec![0; size].into());
        }
        let mut writes = Vec::new();
        for _ in 0..3 {
            let mut written = Vec::new();
            queue.take(&mut written).await;
            writes.push(written.len());
        }
        assert_eq!(writes, [30, WRITE, 30]);
    }
}
