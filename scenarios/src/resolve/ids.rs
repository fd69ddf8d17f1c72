//! Ids drawn from names, so that a story's ids stay what they are when other steps come or go.

use assay_model::id::{
    AccessRequestId, AttributeId, ClubId, CredentialId, UserId, WalletId, WriteGrantId,
};
use uuid::{Builder, Uuid};

/// From the name alone: equal names share the derived encryption key, which is slow to make, in every
/// story.
pub(super) fn user(name: &str) -> UserId {
    UserId(draw("user", &[name]))
}

pub(super) fn credential(story: &str, alias: &str) -> CredentialId {
    CredentialId(draw("credential", &[story, alias]))
}

pub(super) fn copy(story: &str, alias: &str) -> CredentialId {
    CredentialId(draw("copy", &[story, alias]))
}

pub(super) fn attribute(story: &str, alias: &str) -> AttributeId {
    AttributeId(draw("attribute", &[story, alias]))
}

pub(super) fn club(story: &str, alias: &str) -> ClubId {
    ClubId(draw("club", &[story, alias]))
}

pub(super) fn write_grant(story: &str, alias: &str) -> WriteGrantId {
    WriteGrantId(draw("write grant", &[story, alias]))
}

pub(super) fn request(story: &str, alias: &str) -> AccessRequestId {
    AccessRequestId(draw("access request", &[story, alias]))
}

/// Wallet names are per party. A replayed proof makes a row of its own, counted by `replay` from 1.
pub(super) fn wallet(story: &str, party: &str, alias: &str, replay: u32) -> WalletId {
    WalletId(draw("wallet", &[story, party, alias, &replay.to_string()]))
}

/// Looks like a random UUID, because key derivation refuses any other as a salt. Source: KEY-01.
fn draw(domain: &str, names: &[&str]) -> Uuid {
    let mut hash = blake3::Hasher::new();
    for part in [&["assay", domain], names].concat() {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    hash.finalize_xof().fill(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_differ_by_domain_story_and_name() {
        let ids = BTreeSet::from([
            user("a").0,
            credential("a", "a").0,
            credential("a", "aa").0,
            credential("aa", "a").0,
            copy("a", "a").0,
            attribute("a", "a").0,
            write_grant("a", "a").0,
            request("a", "a").0,
            wallet("a", "a", "a", 0).0,
            wallet("a", "a", "a", 1).0,
        ]);
        assert_eq!(ids.len(), 10);
        assert!(ids.iter().all(|id| id.get_version_num() == 4));
    }

    /// Regressions pin seeds, and seeds mean nothing when ids change.
    #[test]
    fn ids_stay_what_they_are() {
        let story = "grants/locked-revoke";
        insta::assert_debug_snapshot!((
            user("alice"),
            credential(story, "passport"),
            copy(story, "g1"),
            wallet(story, "alice", "w1", 0),
        ));
    }
}
