//! What happens to a message on its way: delay, loss, duplication, overtaking.

use assay_model::time::Millis;
use assay_scenarios::plan::Network;

use crate::seed::{Domain, Seed};

/// When a message arrives, once per copy; empty when it is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// Delays of the copies.
    copies: [Option<Millis>; 2],
    /// Breaks ties with whatever else arrives in the same millisecond.
    pub(crate) tie: u64,
    /// Whether later messages may overtake it.
    pub(crate) overtaken: bool,
}

impl Fate {
    /// The delay of each copy that arrives.
    pub(crate) fn delays(&self) -> impl Iterator<Item = Millis> {
        self.copies.into_iter().flatten()
    }
}

/// Decides the fate of the `number`th message on a link.
pub(crate) fn fate(network: &Network, seed: Seed, domain: Domain, link: u64, number: u64) -> Fate {
    let mut draw = seed.draw(domain, link, number);
    let tie = draw.bits();
    let lost = draw.happens(network.loss);
    let twice = draw.happens(network.duplicate);
    let overtaken = draw.happens(network.reorder);
    let mut delay = || network.latency + Millis(draw.below(network.jitter.0 + 1));
    let first = delay();
    // A message that is overtaken takes a detour as long as a few others need.
    let first = if overtaken {
        first + first + network.latency
    } else {
        first
    };
    let second = delay() + network.latency;
    let copies = match (lost, twice) {
        (true, _) => [None, None],
        (false, false) => [Some(first), None],
        (false, true) => [Some(first), Some(second)],
    };
    Fate {
        copies,
        tie,
        overtaken,
    }
}

/// Keeps the messages of one link in order, unless one may be overtaken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lane {
    /// Messages sent so far.
    pub(crate) sent: u64,
    last: Millis,
}

impl Lane {
    /// The moment a message due at `at` arrives without overtaking those before it.
    pub(crate) fn arrival(&mut self, at: Millis, overtaken: bool) -> Millis {
        if overtaken {
            return at;
        }
        self.last = self.last.max(at);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use assay_scenarios::plan::Ppm;

    use super::*;

    fn rough() -> Network {
        Network {
            latency: Millis(20),
            jitter: Millis(10),
            loss: Ppm(200_000),
            duplicate: Ppm(200_000),
            reorder: Ppm(200_000),
        }
    }

    #[test]
    fn every_kind_of_trouble_happens_about_as_often_as_asked() {
        let fates: Vec<Fate> = (0..10_000)
            .map(|n| fate(&rough(), Seed(1), Domain::Peer, 0, n))
            .collect();
        let share = |what: &dyn Fn(&Fate) -> bool| fates.iter().filter(|fate| what(fate)).count();
        let about_a_fifth = 1_800..2_200;
        assert!(about_a_fifth.contains(&share(&|fate| fate.delays().count() == 0)));
        assert!(about_a_fifth.contains(&share(&|fate| fate.overtaken)));
        assert!((1_400..1_800).contains(&share(&|fate| fate.delays().count() == 2)));
        assert!(
            fates
                .iter()
                .flat_map(Fate::delays)
                .all(|delay| delay >= Millis(20))
        );
    }

    #[test]
    fn a_lane_keeps_its_order_unless_something_may_be_overtaken() {
        let mut lane = Lane::default();
        assert_eq!(lane.arrival(Millis(30), false), Millis(30));
        assert_eq!(lane.arrival(Millis(25), false), Millis(30));
        assert_eq!(lane.arrival(Millis(25), true), Millis(25));
    }
}
