//! Finds rows by other columns than their key, as the indexes of a database do.
//!
//! An index says where to look and decides nothing: whoever asks compares the rows it names. It follows the
//! rows, is no part of any digest, and lists what it finds in the order of the keys, as a walk through the
//! table would.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::tables::{
    AccessGrant, AccessRequest, Account, Approval, Attribute, AttributeLink, AuditRecord,
    BridgedEvent, CancelledPaper, Change, ClubMembership, ConsumedPaper, ConsumedWriteGrant,
    CopyLink, Credential, Delegate, DueRemoval, EndedGrant, Epoch, EpochReward, FeePayment,
    Inserter, NetworkBalance, Ownership, Parameter, PassportingClub, PassportingPeer, Processed,
    ReplacedAction, RequestState, ReservedUser, Resolution, RetainedNotes, Row, StatusStatement,
    User, UserBalance, Validator, Wallet, WalletType,
};
use crate::id::{AccessRequestId, AttributeId, CredentialId, GrantId, WalletId, WriteGrantId};

/// Where to look. Texts are looked up by a short hash, so that an entry is small whatever the text.
#[derive(Clone, Debug, Default)]
pub struct Index {
    wallets: BTreeSet<(u64, WalletId)>,
    notes: BTreeSet<(u64, CredentialId)>,
    originals: BTreeSet<(CredentialId, CredentialId)>,
    grants: BTreeSet<(CredentialId, GrantId)>,
    write_grants: BTreeSet<(CredentialId, WriteGrantId)>,
    attribute_originals: BTreeSet<(AttributeId, AttributeId)>,
    ends: BTreeSet<(i64, GrantId)>,
    opened: BTreeSet<(i64, GrantId)>,
    used_up: BTreeSet<GrantId>,
    standing: BTreeSet<(i64, AccessRequestId)>,
}

impl Index {
    /// Wallets whose identifying column may be this text, in any case of ASCII letters.
    pub(super) fn wallets(&self, identifier: &str) -> impl Iterator<Item = WalletId> {
        under(&self.wallets, short([identifier]), WalletId(Uuid::nil()))
    }

    /// Credentials that may have this issuer key, in any case, and notes id.
    pub(super) fn notes(&self, issuer: &str, id: &str) -> impl Iterator<Item = CredentialId> {
        under(&self.notes, short([issuer, id]), CredentialId(Uuid::nil()))
    }

    /// The originals a copy is linked to.
    pub(super) fn originals(&self, copy: CredentialId) -> impl Iterator<Item = CredentialId> {
        under(&self.originals, copy, CredentialId(Uuid::nil()))
    }

    /// The originals a copy of an attribute is linked to.
    pub(super) fn attribute_originals(
        &self,
        copy: AttributeId,
    ) -> impl Iterator<Item = AttributeId> {
        under(&self.attribute_originals, copy, AttributeId(Uuid::nil()))
    }

    /// The used dWGs that wrote a credential.
    pub(super) fn write_grants(&self, id: CredentialId) -> impl Iterator<Item = WriteGrantId> {
        under(&self.write_grants, id, WriteGrantId(Uuid::nil()))
    }

    /// Grants that end before this second.
    pub(super) fn ending_before(&self, second: i64) -> impl Iterator<Item = GrantId> {
        let past = self.ends.range(..(second, GrantId(Uuid::nil())));
        past.map(|(_, id)| *id)
    }

    /// Grants whose last use opened them until before this second.
    pub(super) fn opened_before(&self, second: i64) -> impl Iterator<Item = GrantId> {
        let past = self.opened.range(..(second, GrantId(Uuid::nil())));
        past.map(|(_, id)| *id)
    }

    /// Grants without a use left.
    pub(super) fn used_up(&self) -> impl Iterator<Item = GrantId> {
        self.used_up.iter().copied()
    }

    /// Undecided requests that stood until before this second.
    pub(super) fn standing_before(&self, second: i64) -> impl Iterator<Item = AccessRequestId> {
        let past = self
            .standing
            .range(..(second, AccessRequestId(Uuid::nil())));
        past.map(|(_, id)| *id)
    }

    /// The grants on a credential.
    pub(super) fn grants(&self, data: CredentialId) -> impl Iterator<Item = GrantId> {
        under(&self.grants, data, GrantId(Uuid::nil()))
    }
}

fn under<K: Ord + Copy, V: Ord + Copy>(
    entries: &BTreeSet<(K, V)>,
    key: K,
    least: V,
) -> impl Iterator<Item = V> {
    entries
        .range((key, least)..)
        .take_while(move |(other, _)| *other == key)
        .map(|(_, value)| *value)
}

/// Names texts whatever the case of their ASCII letters. Two may share a name.
fn short<const N: usize>(texts: [&str; N]) -> u64 {
    let mut hash = blake3::Hasher::new();
    for text in texts {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.to_ascii_lowercase().as_bytes());
    }
    let hash = hash.finalize();
    let (first, _) = hash.as_bytes().split_first_chunk().expect("32 bytes");
    u64::from_le_bytes(*first)
}

fn set<E: Ord>(entries: &mut BTreeSet<E>, entry: E, present: bool) {
    if present {
        entries.insert(entry);
    } else {
        entries.remove(&entry);
    }
}

/// A row that can be found by more than its key, or by nothing else.
pub trait Indexed: Row {
    /// Enters the row into the index, or takes it out.
    #[doc(hidden)]
    fn index(&self, _key: &Self::Key, _index: &mut Index, _present: bool) {}
}

impl Indexed for Wallet {
    fn index(&self, id: &WalletId, index: &mut Index, present: bool) {
        let column = match self.wallet_type {
            WalletType::EVM | WalletType::XRPL | WalletType::Stellar => Some(&self.address),
            WalletType::NEAR | WalletType::FaceSign => self.public_key.as_ref(),
        };
        if let Some(column) = column {
            set(&mut index.wallets, (short([column]), *id), present);
        }
    }
}

impl Indexed for Credential {
    fn index(&self, id: &CredentialId, index: &mut Index, present: bool) {
        if let Some(notes_id) = &self.notes_id {
            let name = short([&self.issuer_auth_public_key, notes_id]);
            set(&mut index.notes, (name, *id), present);
        }
    }
}

impl Indexed for CopyLink {
    fn index(&self, link: &(CredentialId, CredentialId), index: &mut Index, present: bool) {
        set(&mut index.originals, (link.1, link.0), present);
    }
}

impl Indexed for AccessGrant {
    fn index(&self, id: &GrantId, index: &mut Index, present: bool) {
        set(&mut index.grants, (self.data, *id), present);
        if let Some(end) = self.terms.expires_at {
            set(&mut index.ends, (end, *id), present);
        }
        if let Some(until) = self.terms.open_until {
            set(&mut index.opened, (until, *id), present);
        }
        if self.terms.uses_left == Some(0) {
            set(&mut index.used_up, *id, present);
        }
    }
}

impl Indexed for AccessRequest {
    fn index(&self, id: &AccessRequestId, index: &mut Index, present: bool) {
        if self.state == RequestState::Submitted {
            set(&mut index.standing, (self.stands_until, *id), present);
        }
    }
}

impl Indexed for AttributeLink {
    fn index(&self, link: &(AttributeId, AttributeId), index: &mut Index, present: bool) {
        set(&mut index.attribute_originals, (link.1, link.0), present);
    }
}

impl Indexed for ConsumedWriteGrant {
    fn index(&self, id: &WriteGrantId, index: &mut Index, present: bool) {
        for credential in [self.original, self.copy].into_iter().flatten() {
            set(&mut index.write_grants, (credential, *id), present);
        }
    }
}

macro_rules! found_by_key_only {
    ($($row:ident)+) => { $(impl Indexed for $row {})+ };
}

found_by_key_only! {
    User ReservedUser RetainedNotes StatusStatement Inserter Delegate Attribute
    UserBalance NetworkBalance Epoch EpochReward BridgedEvent FeePayment
    ConsumedPaper CancelledPaper EndedGrant DueRemoval AuditRecord Validator Resolution Approval
    Processed Parameter Change ReplacedAction Ownership PassportingClub PassportingPeer
    ClubMembership Account
}
