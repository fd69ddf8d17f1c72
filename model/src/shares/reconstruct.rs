//! What an enclave makes of the shares that came back.

use std::collections::BTreeMap;

use super::shamir::{Commitment, Sharing, interpolate};
use super::store::Released;

/// Why there is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Fewer shares than the threshold, or fewer that can be told to be right.
    TooFew,
    /// The shares do not fit together.
    Uneven,
}

/// The secret behind the answers, by point.
///
/// Unchecked, as today, all shares that came are taken as they are and put together once: among more than
/// the threshold a wrong one makes them unfit, among exactly so many it makes another secret. Checked, a list
/// of commitments counts when more nodes give it than may be malicious, and shares that differ from it
/// are put aside. Source: idos-facts 4.10.
pub fn reconstruct(
    answers: &BTreeMap<u8, Released>,
    sharing: Sharing,
    checked: bool,
) -> Result<Vec<u8>, Lost> {
    let commitments = agreed(answers, sharing);
    let right = |x: u8, answer: &Released| {
        let own = commitments.and_then(|all| all.get(usize::from(x).checked_sub(1)?));
        own == Some(&answer.share.commitment())
    };
    let usable: BTreeMap<u8, &[u8]> = answers
        .iter()
        .filter(|(x, answer)| !checked || right(**x, answer))
        .map(|(x, answer)| (*x, answer.share.share()))
        .collect();
    if usable.len() < sharing.threshold() {
        return Err(Lost::TooFew);
    }
    interpolate(&usable, sharing.degree).map_err(|_| Lost::Uneven)
}

/// The list of commitments that more nodes give than may be malicious.
fn agreed(answers: &BTreeMap<u8, Released>, sharing: Sharing) -> Option<&[Commitment]> {
    let mut votes: BTreeMap<&[Commitment], usize> = BTreeMap::new();
    for answer in answers.values() {
        *votes.entry(&answer.commitments).or_default() += 1;
    }
    let enough = votes
        .into_iter()
        .filter(|(_, votes)| *votes > sharing.degree.into());
    enough.max_by_key(|(_, votes)| *votes).map(|(list, _)| list)
}

#[cfg(test)]
mod tests {
    use super::super::shamir::{Blinded, split};
    use super::*;

    const SECRET: &[u8] = b"twenty random chars!";

    fn answers() -> BTreeMap<u8, Released> {
        let shares = split(SECRET, Sharing::ENCLAVE, |bytes| bytes.fill(9));
        let blinded: BTreeMap<u8, Blinded> = shares
            .iter()
            .map(|(x, share)| (*x, Blinded::new([*x; 32], share)))
            .collect();
        let commitments: Vec<_> = blinded.values().map(Blinded::commitment).collect();
        let released = |(x, share)| {
            let commitments = commitments.clone();
            (x, Released { share, commitments })
        };
        blinded.into_iter().map(released).collect()
    }

    fn check(lying: &[u8], down: &[u8], checked: bool) -> Result<bool, Lost> {
        let mut answers = answers();
        for x in lying {
            answers.get_mut(x).unwrap().lie(*x);
        }
        answers.retain(|x, _| !down.contains(x));
        reconstruct(&answers, Sharing::ENCLAVE, checked).map(|secret| secret == SECRET)
    }

    #[test]
    fn checked_shares_give_the_secret_or_nothing() {
        let table: [(&[u8], &[u8], _); 8] = [
            (&[], &[], Ok(true)),
            (&[], &[1, 4], Ok(true)),
            (&[], &[1, 2, 4], Err(Lost::TooFew)),
            (&[2], &[], Ok(true)),
            (&[2], &[5], Ok(true)),
            (&[2, 3], &[], Ok(true)),
            (&[2], &[1, 5], Err(Lost::TooFew)),
            (&[1, 2, 3], &[], Err(Lost::TooFew)),
        ];
        for (lying, down, expected) in table {
            assert_eq!(check(lying, down, true), expected, "{lying:?} {down:?}");
        }
    }

    #[test]
    fn unchecked_shares_fail_or_deceive() {
        let table: [(&[u8], &[u8], _); 4] = [
            (&[], &[1, 4], Ok(true)),
            (&[2], &[], Err(Lost::Uneven)),
            (&[2], &[1, 5], Ok(false)),
            (&[], &[1, 2, 4], Err(Lost::TooFew)),
        ];
        for (lying, down, expected) in table {
            assert_eq!(check(lying, down, false), expected, "{lying:?} {down:?}");
        }
    }
}
