//! Shamir's scheme, byte by byte: a secret is where a polynomial meets zero, a share is where it is at 1..n.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};

use super::gf256::{inverse, multiply};

/// How many random bytes stand in front of a share, so that its commitment gives nothing away.
const BLINDING: usize = 32;

/// How a secret is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharing {
    /// Number of shares, at points 1 to this.
    pub nodes: u8,
    /// Degree of the polynomial: how many share nodes together still know nothing.
    pub degree: u8,
}

impl Sharing {
    /// What enclaves use. Source: idos-facts 9.1.
    pub const ENCLAVE: Sharing = Sharing {
        nodes: 5,
        degree: 2,
    };
    /// What the library uses when nobody says anything. Source: idos-facts 9.1.
    pub const LIBRARY: Sharing = Sharing {
        nodes: 4,
        degree: 1,
    };

    /// The sharing for so many nodes: less than half of them may be malicious.
    pub const fn among(nodes: u8) -> Sharing {
        Sharing {
            nodes,
            degree: nodes.saturating_sub(1) / 2,
        }
    }

    /// How many shares give the secret back.
    pub const fn threshold(self) -> usize {
        self.degree as usize + 1
    }
}

/// A share behind its blinding, as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Blinded(pub Vec<u8>);

/// keccak256 of a blinded share.
pub type Commitment = [u8; 32];

impl Blinded {
    /// Puts the blinding in front.
    pub fn new(blinding: [u8; BLINDING], share: &[u8]) -> Blinded {
        Blinded([&blinding[..], share].concat())
    }

    /// The share alone; empty when there is none.
    pub fn share(&self) -> &[u8] {
        self.0.get(BLINDING..).unwrap_or_default()
    }

    /// What binds whoever stores it to these bytes.
    pub fn commitment(&self) -> Commitment {
        Keccak256::digest(&self.0).into()
    }
}

impl std::fmt::Debug for Blinded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blinded({})", hex::encode(&self.commitment()[..4]))
    }
}

/// The shares of a secret, at points 1 to n. `noise` fills the coefficients and has to be fresh.
pub fn split(
    secret: &[u8],
    sharing: Sharing,
    mut noise: impl FnMut(&mut [u8]),
) -> BTreeMap<u8, Vec<u8>> {
    let mut coefficients = vec![vec![0; secret.len()]; sharing.degree.into()];
    for coefficient in &mut coefficients {
        noise(coefficient);
    }
    let at = |x: u8| {
        let byte = |place: usize| {
            // Horner: the highest coefficient first, the secret last.
            let higher = coefficients.iter().rev().map(|all| all[place]);
            higher
                .chain([secret[place]])
                .fold(0, |sum, coefficient| multiply(sum, x) ^ coefficient)
        };
        (0..secret.len()).map(byte).collect()
    };
    (1..=sharing.nodes).map(|x| (x, at(x))).collect()
}

/// The points lie on no polynomial of the degree that was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uneven;

/// The secret behind shares, of which there must be one more than the degree at least: the value at zero of
/// the polynomial through all of them. Errors: shares of different lengths, or a polynomial of higher degree.
pub fn interpolate(shares: &BTreeMap<u8, &[u8]>, degree: u8) -> Result<Vec<u8>, Uneven> {
    let length = shares.values().next().map_or(0, |share| share.len());
    if shares.values().any(|share| share.len() != length) || shares.contains_key(&0) {
        return Err(Uneven);
    }
    let base: Vec<(u8, &[u8])> = shares
        .iter()
        .map(|(x, share)| (*x, *share))
        .take(usize::from(degree) + 1)
        .collect();
    for (x, share) in shares {
        if value_at(&base, *x, length) != *share {
            return Err(Uneven);
        }
    }
    Ok(value_at(&base, 0, length))
}

/// Lagrange: the value at `x` of the polynomial through the points.
fn value_at(points: &[(u8, &[u8])], x: u8, length: usize) -> Vec<u8> {
    let mut value = vec![0; length];
    for (own, share) in points {
        let others = points.iter().filter(|(other, _)| other != own);
        let weight = others.fold(1, |weight, (other, _)| {
            multiply(weight, multiply(x ^ other, inverse(own ^ other)))
        });
        for (sum, byte) in value.iter_mut().zip(*share) {
            *sum ^= multiply(weight, *byte);
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(shares: &BTreeMap<u8, Vec<u8>>, points: &[u8]) -> BTreeMap<u8, Vec<u8>> {
        let chosen = shares.iter().filter(|(x, _)| points.contains(x));
        chosen.map(|(x, share)| (*x, share.clone())).collect()
    }

    fn joined(shares: &BTreeMap<u8, Vec<u8>>, degree: u8) -> Result<Vec<u8>, Uneven> {
        let shares = shares.iter().map(|(x, share)| (*x, &share[..])).collect();
        interpolate(&shares, degree)
    }

    /// By hand: the secret 42 with coefficients 1 and 2 is 42 ^ x ^ 2x² at x.
    #[test]
    fn shares_lie_on_the_polynomial() {
        let mut coefficients = [1, 2].into_iter();
        let noise = |bytes: &mut [u8]| bytes.fill(coefficients.next().unwrap_or_default());
        let shares = split(&[42], Sharing::ENCLAVE, noise);
        let values: Vec<u8> = shares.values().map(|share| share[0]).collect();
        assert_eq!(values, [41, 32, 35, 14, 13]);
        assert_eq!(joined(&shares, 2), Ok(vec![42]));
    }

    #[test]
    fn one_wrong_share_of_five_shows_and_one_of_three_does_not() {
        let shares = split(b"secret", Sharing::ENCLAVE, |bytes| bytes.fill(7));
        let mut wrong = shares.clone();
        wrong.get_mut(&2).unwrap()[0] ^= 1;
        assert_eq!(joined(&wrong, 2), Err(Uneven));
        let three = given(&wrong, &[1, 2, 3]);
        assert_ne!(joined(&three, 2), Ok(b"secret".to_vec()));
        assert!(joined(&three, 2).is_ok());
        assert_eq!(
            joined(&given(&wrong, &[1, 3, 5]), 2),
            Ok(b"secret".to_vec())
        );
    }

    #[test]
    fn shares_of_different_lengths_do_not_fit() {
        let mut shares = split(b"secret", Sharing::LIBRARY, |bytes| bytes.fill(7));
        shares.get_mut(&3).unwrap().pop();
        assert_eq!(joined(&shares, 1), Err(Uneven));
    }

    #[test]
    fn half_of_the_nodes_know_nothing() {
        let table = [(1, 0), (3, 1), (4, 1), (5, 2), (6, 2), (7, 3)];
        for (nodes, degree) in table {
            assert_eq!(Sharing::among(nodes).degree, degree, "{nodes}");
        }
        assert_eq!(Sharing::among(5), Sharing::ENCLAVE);
        assert_eq!(Sharing::among(4), Sharing::LIBRARY);
    }
}
