//! Laws of shared secrets: any threshold gives the secret back, and less says nothing about it.

use std::collections::{BTreeMap, BTreeSet};

use assay_laws::laws;
use assay_model::shares::{Blinded, Sharing, interpolate, split};
use proptest::prelude::*;

fn shared(secret: &[u8], sharing: Sharing, noise: u64) -> BTreeMap<u8, Vec<u8>> {
    let mut bytes = blake3::Hasher::new()
        .update(&noise.to_le_bytes())
        .finalize_xof();
    split(secret, sharing, |coefficient| bytes.fill(coefficient))
}

fn sharing() -> impl Strategy<Value = Sharing> {
    (1..=9u8).prop_flat_map(|nodes| (0..nodes).prop_map(move |degree| Sharing { nodes, degree }))
}

/// Some of the shares, chosen by the order of these numbers.
fn some(shares: &BTreeMap<u8, Vec<u8>>, order: &[u64], count: usize) -> BTreeMap<u8, Vec<u8>> {
    let mut points: Vec<(u64, u8)> = shares
        .keys()
        .map(|x| (order[usize::from(*x)], *x))
        .collect();
    points.sort();
    let chosen = points.into_iter().take(count);
    chosen.map(|(_, x)| (x, shares[&x].clone())).collect()
}

fn joined(shares: &BTreeMap<u8, Vec<u8>>, degree: u8) -> Option<Vec<u8>> {
    let shares = shares.iter().map(|(x, share)| (*x, &share[..])).collect();
    interpolate(&shares, degree).ok()
}

laws! {
    64;

    fn any_shares_from_the_threshold_on_give_the_secret(
        secret in prop::collection::vec(any::<u8>(), 1..40),
        sharing in sharing(),
        noise in any::<u64>(),
        order in prop::collection::vec(any::<u64>(), 10),
        more in 0..9usize,
    ) {
        let shares = shared(&secret, sharing, noise);
        let chosen = some(&shares, &order, sharing.threshold() + more);
        prop_assert_eq!(joined(&chosen, sharing.degree), Some(secret));
    }

    /// Fewer shares than the threshold fit every secret there could be.
    fn fewer_shares_fit_every_secret(
        secret in any::<u8>(),
        sharing in sharing(),
        noise in any::<u64>(),
        order in prop::collection::vec(any::<u64>(), 10),
    ) {
        let shares = shared(&[secret], sharing, noise);
        let known = some(&shares, &order, sharing.threshold() - 1);
        // One share more would fix the polynomial. Each value it can have gives another secret, so that all
        // 256 are possible, and equally so.
        let values: BTreeSet<u8> = (0..=255u8)
            .map(|free| {
                let mut fixed = known.clone();
                fixed.insert(sharing.nodes + 1, vec![free]);
                joined(&fixed, sharing.degree).unwrap()[0]
            })
            .collect();
        prop_assert_eq!(values.len(), 256);
        prop_assert!(values.contains(&secret));
    }

    fn what_is_blinded_comes_back_and_is_bound(
        blinding in any::<[u8; 32]>(),
        share in prop::collection::vec(any::<u8>(), 0..40),
        place in any::<prop::sample::Index>(),
    ) {
        let blinded = Blinded::new(blinding, &share);
        prop_assert_eq!(blinded.share(), &share[..]);
        let mut other = blinded.clone();
        let place = place.index(other.0.len());
        other.0[place] ^= 1;
        prop_assert_ne!(blinded.commitment(), other.commitment());
    }
}
