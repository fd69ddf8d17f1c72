//! Merkle trees of withdrawals, as OpenZeppelin's StandardMerkleTree makes them and its MerkleProof checks
//! them: leaves hashed twice and sorted, pairs hashed in order of value, so that a proof needs no sides.
//!
//! A leaf is recipient, amount, escrow and the block that closed the epoch, in this order, ABI-encoded: the
//! last two keep a proof from being good at another escrow or for another epoch. Source: kwil-db,
//! erc20-bridge, `MerkleLeafEncoding`.

use std::fmt;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use sha3::{Digest, Keccak256};

use super::token::{Address, Amount};

/// 32 bytes, mostly of Keccak-256; written as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0[..4]))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(from)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).map_err(D::Error::custom)?;
        Ok(Hash(hash))
    }
}

/// What one recipient may claim of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Leaf {
    /// Who is paid, and nobody else.
    pub recipient: Address,
    /// How much.
    pub amount: Amount,
    /// The contract that pays.
    pub escrow: Address,
    /// Hash of the block of the storage network that closed the epoch.
    pub block: Hash,
}

impl Leaf {
    /// The leaf as trees and proofs know it.
    pub fn hash(&self) -> Hash {
        let mut number = [0; 32];
        // A reward is above zero, so the upper half of its word is empty.
        number[16..].copy_from_slice(&self.amount.0.to_be_bytes());
        let words = [
            word(&self.recipient),
            number,
            word(&self.escrow),
            self.block.0,
        ];
        double(&words)
    }
}

/// An address as an ABI word.
fn word(address: &Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&address.0);
    word
}

/// Hashed twice, so that nothing that is a pair of hashes can be shown as a leaf.
fn double(words: &[[u8; 32]]) -> Hash {
    let inner = Keccak256::digest(words.concat());
    Hash(Keccak256::digest(inner).into())
}

fn pair(one: Hash, other: Hash) -> Hash {
    let (low, high) = if one <= other {
        (one, other)
    } else {
        (other, one)
    };
    let hash = Keccak256::new().chain_update(low.0).chain_update(high.0);
    Hash(hash.finalize().into())
}

/// A complete binary tree in an array, root first, leaves last and sorted downwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree(Vec<Hash>);

impl Tree {
    /// The tree over these leaves in any order; nothing for none.
    pub fn new(leaves: impl IntoIterator<Item = Hash>) -> Option<Tree> {
        let mut leaves: Vec<Hash> = leaves.into_iter().collect();
        leaves.sort_by(|one, other| other.cmp(one));
        let inner = leaves.len().checked_sub(1)?;
        let mut tree = vec![Hash::default(); inner];
        tree.append(&mut leaves);
        for place in (0..inner).rev() {
            tree[place] = pair(tree[2 * place + 1], tree[2 * place + 2]);
        }
        Some(Tree(tree))
    }

    /// What stands for all of it on the other chain.
    pub fn root(&self) -> Hash {
        self.0[0]
    }

    /// The siblings on the way from a leaf to the root; nothing for what is no leaf.
    pub fn proof(&self, leaf: Hash) -> Option<Vec<Hash>> {
        let first = self.0.len() / 2;
        let found = self.0[first..].iter().position(|one| *one == leaf)?;
        let mut place = first + found;
        let mut proof = Vec::new();
        while place > 0 {
            // Left children have odd places.
            let sibling = if place % 2 == 1 { place + 1 } else { place - 1 };
            proof.push(self.0[sibling]);
            place = (place - 1) / 2;
        }
        Some(proof)
    }
}

/// Whether a proof leads from a leaf to a root.
pub fn verify(root: Hash, proof: &[Hash], leaf: Hash) -> bool {
    proof
        .iter()
        .fold(leaf, |hash, sibling| pair(hash, *sibling))
        == root
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: [&str; 5] = [
        "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
        "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
        "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
        "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
        "0xBcd4042DE499D14e55001CcbB24a551F3b954096",
    ];

    fn hash(text: &str) -> Hash {
        let mut hash = Hash::default();
        hex::decode_to_slice(text, &mut hash.0).unwrap();
        hash
    }

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn leaf(user: usize) -> Hash {
        let leaf = Leaf {
            recipient: address(USERS[user]),
            amount: Amount(if user.is_multiple_of(2) { 100 } else { 200 }),
            escrow: address("0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"),
            block: Hash([0x11; 32]),
        };
        leaf.hash()
    }

    fn check(users: usize, root: &str, proof: &[&str]) {
        let tree = Tree::new((0..users).map(leaf)).unwrap();
        assert_eq!(tree.root(), hash(root), "root of {users}");
        let of_second: Vec<Hash> = proof.iter().map(|one| hash(one)).collect();
        assert_eq!(tree.proof(leaf(1)), Some(of_second), "proof among {users}");
    }

    // The vectors of kwil-db's own tests, which OpenZeppelin's packages agree with.
    #[test]
    fn trees_are_those_of_the_published_bridge() {
        let first = "644f999664d65d1d2a3feefade54d643dc2b9696971e9070c36f0ec788e55f5b";
        let third = "82219da5ff9a5ea9e35efdbe1e5a3d01d82c86fc892d8f0d038697fec7ba8227";
        let pair = "7b13c67e72aef776185910769cd2eb4133917ed5b1f0c8f7213d8c8ee7e0b35d";
        let fifth = "fcc5bdb85d3a66a2eebd787677b2aedc61216ebe25a4b2feb16c0084b9254e4a";
        assert_eq!(leaf(0), hash(first));
        let alone = Tree::new([leaf(0)]).unwrap();
        assert_eq!(
            (alone.root(), alone.proof(leaf(0))),
            (leaf(0), Some(vec![]))
        );
        let root = "e36a471baa3e0c7b7d0cd9760fcb034a1e407e871ba2c7b5b0e893599726a1ce";
        check(3, root, &[first, third]);
        let root = "4b3a147975c7ab8323d6d0f9f53676da6aedda99cedec4cf65591523d4ef2375";
        check(4, root, &[first, pair]);
        let root = "c77e670bf878bdab7c70ad0709f8ad63db53e96ec3d12043ca93ea2b5991b76d";
        check(5, root, &[first, fifth, pair]);
    }

    #[test]
    fn a_proof_leads_from_its_own_leaf_only() {
        assert_eq!(Tree::new([]), None);
        let tree = Tree::new((0..5).map(leaf)).unwrap();
        for user in 0..5 {
            let proof = tree.proof(leaf(user)).unwrap();
            assert!(verify(tree.root(), &proof, leaf(user)));
            assert!(!verify(tree.root(), &proof, leaf((user + 1) % 5)));
            assert!(!verify(tree.root(), &proof[1..], leaf(user)));
        }
        assert_eq!(tree.proof(tree.root()), None);
    }
}
