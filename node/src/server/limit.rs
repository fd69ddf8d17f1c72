//! How often one client address may ask for something.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;

/// Addresses remembered at most; beyond that everybody counts as one until some are forgotten.
const ADDRESSES: usize = 4_096;

/// So many per second and address, so many at once.
pub(super) struct Allowance {
    /// Milliseconds that one request costs.
    cost: u64,
    /// Milliseconds that may be owed.
    credit: u64,
    /// When each address will have paid for what it took.
    paid: Mutex<BTreeMap<Option<IpAddr>, u64>>,
}

impl Allowance {
    pub(super) fn new(per_second: u32, burst: u32) -> Allowance {
        let cost = 1_000 / u64::from(per_second.max(1));
        Allowance {
            cost,
            credit: cost * u64::from(burst.max(1)),
            paid: Mutex::new(BTreeMap::new()),
        }
    }

    /// Whether an address may have one more at a moment in milliseconds.
    pub(super) fn take(&self, client: Option<IpAddr>, now: u64) -> bool {
        let mut paid = match self.paid.lock() {
            Ok(paid) => paid,
            Err(poisoned) => poisoned.into_inner(),
        };
        if paid.len() >= ADDRESSES {
            paid.retain(|_, until| *until > now);
        }
        let client = match client {
            Some(_) if paid.len() >= ADDRESSES && !paid.contains_key(&client) => None,
            client => client,
        };
        let until = paid.get(&client).copied().unwrap_or(0).max(now) + self.cost;
        let allowed = until - now <= self.credit;
        if allowed {
            paid.insert(client, until);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(n: u32) -> Option<IpAddr> {
        Some(IpAddr::from(n.to_be_bytes()))
    }

    #[test]
    fn an_address_has_a_burst_and_then_a_rate() {
        let allowance = Allowance::new(10, 60);
        let taken = |client, now| (0..1_000).filter(|_| allowance.take(client, now)).count();
        assert_eq!(taken(client(1), 5_000), 60);
        assert_eq!(taken(client(2), 5_000), 60);
        assert_eq!(taken(client(1), 5_099), 0);
        assert_eq!(taken(client(1), 5_100), 1);
        assert_eq!(taken(client(1), 6_100), 10);
        assert_eq!(taken(client(1), 60_000), 60);
    }

    #[test]
    fn many_addresses_take_a_bounded_memory() {
        let allowance = Allowance::new(10, 60);
        for n in 0..20_000 {
            allowance.take(client(n), 1_000);
        }
        assert!(allowance.paid.lock().unwrap().len() <= ADDRESSES + 1);
        assert!(allowance.take(client(30_000), 60_000));
    }
}
