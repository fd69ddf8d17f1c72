//! Chance, as a tree: every decision is drawn from a stream of its own, keyed by what it decides. A new
//! draw in one place shifts nothing anywhere else, so old seeds stay meaningful.

use assay_scenarios::plan::Ppm;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// Decides everything that is left to chance in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

/// What a decision is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u64)]
pub enum Domain {
    /// A message between nodes.
    Peer = 1,
    /// A request or its answer.
    Client = 2,
    /// A letter between people.
    Letter = 3,
    /// The order of things that happen in the same millisecond.
    Tie = 4,
    /// What a party draws by chance.
    Entropy = 5,
    /// What a fault adds to a message.
    Fault = 6,
}

impl Seed {
    /// The stream for one decision: `who` it concerns and `which` of theirs it is.
    pub fn draw(self, domain: Domain, who: u64, which: u64) -> Draw {
        let mut key = [0; 32];
        for (place, part) in key
            .chunks_exact_mut(8)
            .zip([self.0, domain as u64, who, which])
        {
            place.copy_from_slice(&part.to_le_bytes());
        }
        Draw(ChaCha8Rng::from_seed(key))
    }
}

/// A stream of chance. The algorithm is ChaCha with eight rounds, pinned by a test.
#[derive(Debug)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// Any number.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below the bound, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "nothing is below zero");
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// Yes, so often in a million.
    pub fn happens(&mut self, ppm: Ppm) -> bool {
        self.below(1_000_000) < u64::from(ppm.0)
    }

    /// 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_algorithm_is_pinned() {
        let mut draw = Seed(7).draw(Domain::Peer, 1, 2);
        assert_eq!(
            [draw.bits(), draw.bits(), draw.bits()],
            [
                1652221403967387684,
                17744188758207455045,
                5813639378972174225
            ]
        );
    }

    #[test]
    fn decisions_do_not_depend_on_each_other() {
        let alone = Seed(7).draw(Domain::Client, 3, 4).bits();
        let mut other = Seed(7).draw(Domain::Client, 3, 3);
        other.bits();
        assert_eq!(Seed(7).draw(Domain::Client, 3, 4).bits(), alone);
        assert_ne!(Seed(7).draw(Domain::Letter, 3, 4).bits(), alone);
        assert_ne!(Seed(8).draw(Domain::Client, 3, 4).bits(), alone);
    }

    #[test]
    fn probabilities_are_parts_per_million() {
        let hits = |ppm| {
            (0..100_000)
                .filter(|n| Seed(1).draw(Domain::Peer, 0, *n).happens(Ppm(ppm)))
                .count()
        };
        assert_eq!((hits(0), hits(1_000_000)), (0, 100_000));
        assert!((9_500..10_500).contains(&hits(100_000)));
    }
}
