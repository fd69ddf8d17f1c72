//! One share node: what it keeps, to whom it gives it, and how its operator may deceive.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::request::{ShareContract, ShareRequest, SignedShareRequest};
use super::shamir::{Blinded, Commitment};
use crate::crypto::{BoxPublic, Suite};
use crate::id::UserId;
use crate::time::WallMillis;

/// How far the time in a request may be from the node's clock, in milliseconds.
pub const FRESH: u64 = 300_000;

/// What the operator of a share node does with what is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Conduct {
    /// What it should.
    #[default]
    Honest,
    /// Gives out another share, and says that it is the one it was given.
    Lying,
    /// Has put back what was there before the last change.
    RolledBack,
}

/// What is kept for a user.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    share: Blinded,
    commitments: Vec<Commitment>,
    addresses: Vec<String>,
}

/// A share as it is given back, with what it is checked by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// The share.
    pub share: Blinded,
    /// Of every node's share, as uploaded.
    pub commitments: Vec<Commitment>,
}

impl Released {
    /// Makes it another share, with commitments that fit it.
    pub(super) fn lie(&mut self, point: u8) {
        if let Some(last) = self.share.0.last_mut() {
            *last ^= 1;
        }
        let own = usize::from(point).checked_sub(1);
        if let Some(own) = own.and_then(|own| self.commitments.get_mut(own)) {
            *own = self.share.commitment();
        }
    }
}

/// What a share node answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareReply {
    /// 201: the share is kept.
    Stored,
    /// 200: the addresses are changed.
    Changed,
    /// 200, with the share, to be sealed to this key.
    Share(BoxPublic, Box<Released>),
    /// 404: nothing is kept for the user.
    NotStored,
    /// 409: something is kept for the user already; it is never replaced.
    Taken,
    /// 401: the signature is wrong, the time is not now, or the wallet may not.
    Unauthorised,
}

/// A share node. See the module.
#[derive(Clone, Debug, Default)]
pub struct ShareStore {
    rows: BTreeMap<UserId, Row>,
    before: BTreeMap<UserId, Row>,
    conduct: Conduct,
}

impl ShareStore {
    /// Does from now on as its operator wants.
    pub fn behave(&mut self, conduct: Conduct) {
        self.conduct = conduct;
        if conduct == Conduct::RolledBack {
            self.rows = self.before.clone();
        }
    }

    /// Whether this is the share that is kept for a user.
    pub fn keeps(&self, user: UserId, share: &Blinded) -> bool {
        self.rows.get(&user).is_some_and(|row| row.share == *share)
    }

    /// Answers a request. `share` comes with an upload. `point` is which of the nodes this is, from 1.
    pub fn handle(
        &mut self,
        (suite, contract, point): (&dyn Suite, ShareContract, u8),
        now: WallMillis,
        user: UserId,
        signed: &SignedShareRequest,
        share: Option<Blinded>,
    ) -> ShareReply {
        let stale = |at: WallMillis| at.distance(now) > FRESH;
        if signed.request.timestamp().is_some_and(stale) || !signed.is_signed(suite, contract) {
            return ShareReply::Unauthorised;
        }
        if let ShareRequest::Upload {
            commitments,
            addresses,
        } = &signed.request
        {
            let (None, Some(share)) = (self.rows.get(&user), share) else {
                return ShareReply::Taken;
            };
            let row = Row {
                share,
                commitments: commitments.clone(),
                addresses: addresses.clone(),
            };
            self.before = self.rows.clone();
            self.rows.insert(user, row);
            return ShareReply::Stored;
        }
        let Some(row) = self.rows.get(&user) else {
            return ShareReply::NotStored;
        };
        let known = |address: &str| row.addresses.iter().any(|known| known == address);
        if !signed.request.address().is_some_and(known) {
            return ShareReply::Unauthorised;
        }
        let mut addresses = row.addresses.clone();
        match &signed.request {
            ShareRequest::Download { public_key, .. } => {
                let mut released = Released {
                    share: row.share.clone(),
                    commitments: row.commitments.clone(),
                };
                if self.conduct == Conduct::Lying {
                    released.lie(point);
                }
                return ShareReply::Share(*public_key, Box::new(released));
            }
            ShareRequest::AddAddress { added, .. } if !known(added) => {
                addresses.push(added.clone());
            }
            ShareRequest::RemoveAddress { removed, .. } => {
                addresses.retain(|address| address != removed);
            }
            ShareRequest::AddAddress { .. } | ShareRequest::Upload { .. } => {}
        }
        self.before = self.rows.clone();
        if let Some(row) = self.rows.get_mut(&user) {
            row.addresses = addresses;
        }
        ShareReply::Changed
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::request::ShareAddress;
    use super::*;
    use crate::crypto::{Scheme, SigningKey, Symbolic};
    use crate::ledger::WalletType;

    const USER: UserId = UserId(Uuid::from_u128(1));
    const NOW: WallMillis = WallMillis(1_000_000);

    fn key(n: u8) -> SigningKey {
        SigningKey {
            scheme: Scheme::Evm,
            secret: [n; 32],
        }
    }

    fn address(n: u8) -> String {
        ShareAddress::of(WalletType::EVM, &Symbolic.identity(&key(n))).unwrap()
    }

    fn ask(store: &mut ShareStore, by: u8, at: u64, request: ShareRequest) -> ShareReply {
        let contract = ShareContract([7; 20]);
        let signed = request.sign(&Symbolic, &key(by), contract);
        let share = Some(Blinded::new([1; 32], b"share"));
        store.handle(
            (&Symbolic, contract, 1),
            WallMillis(at),
            USER,
            &signed,
            share,
        )
    }

    fn upload(store: &mut ShareStore) -> ShareReply {
        let request = ShareRequest::Upload {
            commitments: vec![Blinded::new([1; 32], b"share").commitment()],
            addresses: vec![address(1)],
        };
        ask(store, 1, NOW.0, request)
    }

    fn download(store: &mut ShareStore, named: u8, signer: u8, at: u64) -> ShareReply {
        let request = ShareRequest::Download {
            address: address(named),
            timestamp: NOW,
            public_key: BoxPublic([3; 32]),
        };
        ask(store, signer, at, request)
    }

    fn gives(reply: &ShareReply) -> bool {
        matches!(reply, ShareReply::Share(..))
    }

    #[test]
    fn a_share_is_given_to_a_fresh_signature_of_a_wallet_on_the_list() {
        let mut store = ShareStore::default();
        assert_eq!(download(&mut store, 1, 1, NOW.0), ShareReply::NotStored);
        assert_eq!(upload(&mut store), ShareReply::Stored);
        assert_eq!(upload(&mut store), ShareReply::Taken);
        assert!(gives(&download(&mut store, 1, 1, NOW.0)));
        assert!(gives(&download(&mut store, 1, 1, NOW.0 + FRESH)));
        let table = [(1, 2, NOW.0), (2, 2, NOW.0), (1, 1, NOW.0 + FRESH + 1)];
        for (named, signer, at) in table {
            let reply = download(&mut store, named, signer, at);
            assert_eq!(reply, ShareReply::Unauthorised, "{named} {signer} {at}");
        }
    }

    #[test]
    fn addresses_come_and_go_and_come_back_with_an_old_copy() {
        let mut store = ShareStore::default();
        upload(&mut store);
        let (by, second) = (address(1), address(2));
        let add = ShareRequest::AddAddress {
            address: by.clone(),
            added: second.clone(),
            timestamp: NOW,
        };
        assert_eq!(ask(&mut store, 1, NOW.0, add), ShareReply::Changed);
        assert!(gives(&download(&mut store, 2, 2, NOW.0)));
        let remove = ShareRequest::RemoveAddress {
            address: by,
            removed: second,
            timestamp: NOW,
        };
        assert_eq!(ask(&mut store, 1, NOW.0, remove), ShareReply::Changed);
        assert!(!gives(&download(&mut store, 2, 2, NOW.0)));
        store.behave(Conduct::RolledBack);
        assert!(gives(&download(&mut store, 2, 2, NOW.0)));
    }

    #[test]
    fn a_liars_share_fits_its_own_commitment_and_not_what_was_uploaded() {
        let mut store = ShareStore::default();
        upload(&mut store);
        let ShareReply::Share(_, honest) = download(&mut store, 1, 1, NOW.0) else {
            panic!("a share")
        };
        store.behave(Conduct::Lying);
        let ShareReply::Share(_, lie) = download(&mut store, 1, 1, NOW.0) else {
            panic!("a share")
        };
        assert_ne!(honest.share, lie.share);
        assert_eq!(lie.commitments[0], lie.share.commitment());
        assert_ne!(honest.commitments, lie.commitments);
    }

    #[test]
    fn every_kind_of_wallet_but_stellar_has_an_address_that_names_its_key() {
        let kinds = [
            (WalletType::EVM, Scheme::Evm, true),
            (WalletType::NEAR, Scheme::Nep413, true),
            (WalletType::XRPL, Scheme::XrplEd25519, true),
            (WalletType::XRPL, Scheme::XrplSecp256k1, true),
            (WalletType::FaceSign, Scheme::Ed25519, true),
            (WalletType::Stellar, Scheme::Ed25519, false),
        ];
        for (kind, scheme, supported) in kinds {
            let secret = [5; 32];
            let identity = Symbolic.identity(&SigningKey { scheme, secret });
            let address = ShareAddress::of(kind, &identity);
            assert_eq!(address.is_some(), supported, "{kind:?}");
            if let Some(address) = address {
                assert_eq!(ShareAddress::identity(&address), Some(identity));
            }
        }
    }
}
