//! Ordered newtypes for everything that has an identity.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Text as the tables hold it: cheap to clone, never changed in place.
pub type Text = std::sync::Arc<str>;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<$name, uuid::Error> {
                text.parse().map($name)
            }
        }
    )+};
}

uuid_ids! {
    /// A row of `users`: one profile. Also the salt of the owner's encryption key.
    UserId;
    /// A row of `wallets`.
    WalletId;
    /// A row of `credentials`, original or copy.
    CredentialId;
    /// A row of `access_grants`; its value follows from its content, see [`GrantId::derive`].
    GrantId;
    /// A row of `inserters`: an organisation that may create profiles.
    InserterId;
    /// A row of `passporting_clubs`: obliged entities that rely on each other.
    ClubId;
    /// A row of `passporting_peers`: an obliged entity.
    PeerId;
    /// A row of `user_attributes`, original or copy.
    AttributeId;
    /// An epoch of withdrawals of one token; its value follows from the height it began at.
    EpochId;
    /// Something validators vote on; its value follows from its content.
    ResolutionId;
    /// A delegated write grant (dWG): the paper's own id, and the row of `consumed_write_grants` it leaves.
    WriteGrantId;
    /// A row of `access_requests`: what a consumer asks an owner for.
    AccessRequestId;
}

/// Namespace of deterministic grant ids. Source: idos-facts 2.6.
pub const GRANT_NAMESPACE: Uuid = Uuid::from_u128(0x31276fd4_105f_4ff7_9f64_644942c14b79);

impl GrantId {
    /// UUIDv5 over `grantee-data_id-locked_until`, the grantee exactly as given.
    /// Source: idos-facts 4.8.
    pub fn derive(grantee: &str, data: CredentialId, locked_until: i64) -> GrantId {
        let name = format!("{grantee}-{data}-{locked_until}");
        GrantId(Uuid::new_v5(&GRANT_NAMESPACE, name.as_bytes()))
    }
}

/// A storage node of the network, by its place in the genesis list; `n1` is the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u16);

impl NodeId {
    /// Position in lists that hold one entry per node.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0 + 1)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("n{}", self.0 + 1))
    }
}

/// Somebody who takes part in a story but is not a node: user, issuer, consumer, database owner.
/// The value is the party's place in the plan's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartyId(pub u16);

impl PartyId {
    /// Position in lists that hold one entry per party.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Height of a block; the first block has height 1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Height(pub u64);

impl Height {
    /// The height of the block after this one.
    pub const fn next(self) -> Height {
        Height(self.0 + 1)
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

macro_rules! hashes {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The first eight hex digits, enough for a person to tell two apart.
            pub fn short(&self) -> String {
                hex::encode(&self.0[..4])
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.short())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }
    )+};
}

hashes! {
    /// SHA-256 of a transaction's bytes, signature included.
    TxId;
    /// SHA-256 of a block's header.
    BlockId;
    /// State digest of a node after a block: a hash chain over changes. Source: idos-facts 6.2.
    AppHash;
    /// Digest of every row of the tables, without the accounts' nonces: equal tables, equal digests.
    TablesDigest;
    /// SHA-256 of the plaintext of a credential. Source: idos-facts 4.7.
    ContentHash;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grant_ids_follow_the_published_vectors() {
        let data: CredentialId = "fd227c4f-59db-4bf7-853a-203f162e2eb6".parse().unwrap();
        let checksummed = "0x5ccbe82FEDE13aecdA449eCA4D4dE05E45861684";
        let table = [
            (
                checksummed.to_owned(),
                0,
                "e149f075-e8a5-5a2e-9d81-87073ddb3fd9",
            ),
            (
                checksummed.to_lowercase(),
                0,
                "e2ccbcb9-1d8a-5972-ac11-6cfa7bdb3f0f",
            ),
            (
                checksummed.to_owned(),
                1_900_000_000,
                "a18c432e-5699-506c-a22d-269a5630a718",
            ),
        ];
        for (grantee, lock, expected) in table {
            assert_eq!(GrantId::derive(&grantee, data, lock).to_string(), expected);
        }
    }
}
