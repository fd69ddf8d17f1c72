//! Founding a network: a directory for each node, with genesis and key.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assay_model::bridge::Allocation;
use assay_model::crypto::{Identity, Scheme, SigningKey};
use assay_model::id::NodeId;
use assay_model::node::{Genesis, Timing};
use assay_model::rules::Rules;
use assay_model::time::WallMillis;

use super::{ProcessError, entropy, machine_time, real_suite};
use crate::genesis::{
    FileError, GENESIS_FILE, KEY_FILE, USUAL_TIMING, genesis_text, parse_genesis, write_genesis,
    write_key,
};

/// Name of the database owner's key file, where one was made up.
pub const OWNER_KEY_FILE: &str = "owner.key";

/// What is decided about a new network.
#[derive(Clone, Debug)]
pub struct Founding {
    /// How many nodes.
    pub nodes: u16,
    /// The network's name.
    pub chain_id: String,
    /// The database owner; a key is made up for it if nobody is named.
    pub db_owner: Option<Identity>,
    /// Makes every key follow from this number, which anybody can guess; for tests. Otherwise keys come
    /// from the operating system.
    pub seed: Option<u64>,
    /// Which promises are kept.
    pub rules: Rules,
    /// Chain time before the first block; the machine's clock if it is left open.
    pub time: Option<WallMillis>,
    /// Durations.
    pub timing: Timing,
    /// Leader of term 0.
    pub leader: NodeId,
    /// What people have of the tokens from the start.
    pub balances: Vec<Allocation>,
    /// Who does not vote.
    pub sentries: BTreeSet<NodeId>,
}

impl Founding {
    /// So many nodes, and everything else as usual.
    pub fn of(nodes: u16) -> Founding {
        Founding {
            nodes,
            chain_id: "assay-local".to_owned(),
            db_owner: None,
            seed: None,
            rules: Rules::documented(),
            time: None,
            timing: USUAL_TIMING,
            leader: NodeId(0),
            balances: Vec::new(),
            sentries: BTreeSet::new(),
        }
    }

    fn key(&self, scheme: Scheme, whose: &str) -> Result<SigningKey, ProcessError> {
        let mut secret = match self.seed {
            Some(seed) => seeded(seed, whose),
            None => entropy()?,
        };
        if scheme == Scheme::Evm {
            // Stays clear of zero and of the order of secp256k1, where no key is.
            secret[0] = secret[0] & 0x7f | 1;
        }
        Ok(SigningKey { scheme, secret })
    }
}

fn seeded(seed: u64, whose: &str) -> [u8; 32] {
    let text = format!("{seed} {whose}");
    blake3::derive_key("assay 2026 keys of a seeded network", text.as_bytes())
}

/// The key of a node in a network whose keys follow from a number.
pub fn seeded_key(seed: u64, node: NodeId) -> SigningKey {
    SigningKey {
        scheme: Scheme::Ed25519,
        secret: seeded(seed, &node.to_string()),
    }
}

/// A network that was founded.
#[derive(Clone, Debug)]
pub struct Founded {
    /// What the nodes agree on.
    pub genesis: Arc<Genesis>,
    /// The nodes' directories, by place.
    pub homes: Vec<PathBuf>,
    /// Where the database owner's key is, if it was made up.
    pub owner_key: Option<PathBuf>,
}

/// Writes `n1`, `n2`, .. into a directory, which is made if need be. Nothing is written if any of them is there
/// already.
pub fn found(directory: &Path, founding: &Founding) -> Result<Founded, ProcessError> {
    let nodes = || (0..founding.nodes).map(NodeId);
    let homes: Vec<PathBuf> = nodes()
        .map(|node| directory.join(node.to_string()))
        .collect();
    let owner_file = directory.join(OWNER_KEY_FILE);
    let owned = founding.db_owner.is_none().then_some(&owner_file);
    if let Some(there) = homes.iter().chain(owned).find(|path| path.exists()) {
        let what = "it exists already and is not overwritten; choose another directory";
        return Err(FileError::new(there, what).into());
    }
    let suite = real_suite();
    let keys: Vec<SigningKey> = nodes()
        .map(|node| founding.key(Scheme::Ed25519, &node.to_string()))
        .collect::<Result<_, _>>()?;
    let owner_key = match founding.db_owner {
        Some(_) => None,
        None => Some(founding.key(Scheme::Evm, "owner")?),
    };
    let owner = founding
        .db_owner
        .or(owner_key.as_ref().map(|key| suite.identity(key)))
        .expect("who has no owner has made one up");
    let genesis = Genesis {
        chain_id: founding.chain_id.as_str().into(),
        db_owner: owner.caller().into(),
        nodes: keys.iter().map(|key| suite.identity(key)).collect(),
        sentries: founding.sentries.clone(),
        leader: founding.leader,
        time: founding.time.unwrap_or_else(machine_time),
        rules: founding.rules,
        timing: founding.timing,
        balances: founding.balances.clone(),
    };
    // What would not be read back is not written.
    parse_genesis(&genesis_text(&genesis)).map_err(ProcessError::Usage)?;
    for (home, key) in homes.iter().zip(&keys) {
        fs::create_dir_all(home).map_err(|error| FileError::new(home, error))?;
        write_genesis(&home.join(GENESIS_FILE), &genesis)?;
        write_key(&home.join(KEY_FILE), key)?;
    }
    if let Some(key) = &owner_key {
        write_key(&owner_file, key)?;
    }
    Ok(Founded {
        genesis: Arc::new(genesis),
        homes,
        owner_key: owner_key.map(|_| owner_file),
    })
}

#[cfg(test)]
mod tests {
    use assay_model::rules::Switch;

    use super::*;
    use crate::process::Home;

    fn founding() -> Founding {
        Founding {
            rules: Rules::documented().with(Switch::DagSingleUse, false),
            ..Founding::of(4)
        }
    }

    #[test]
    fn every_node_finds_itself_in_what_was_written() {
        let home = tempfile::tempdir().unwrap();
        let founded = found(home.path(), &founding()).unwrap();
        let suite = real_suite();
        for (place, path) in founded.homes.iter().enumerate() {
            let read = Home::read(path, &*suite).unwrap();
            assert_eq!(read.id.index(), place);
            assert_eq!(
                format!("{:?}", read.genesis),
                format!("{:?}", founded.genesis)
            );
        }
        assert!(founded.owner_key.is_some_and(|file| file.is_file()));
    }

    #[test]
    fn only_a_seed_makes_the_same_keys_twice() {
        let validators = |seed| {
            let home = tempfile::tempdir().unwrap();
            let founding = Founding { seed, ..founding() };
            let founded = found(home.path(), &founding).unwrap();
            (
                founded.genesis.nodes.clone(),
                founded.genesis.db_owner.clone(),
            )
        };
        assert_eq!(validators(Some(1)), validators(Some(1)));
        assert_ne!(validators(Some(1)), validators(Some(2)));
        assert_ne!(validators(None), validators(None));
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_is_begun() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("n3")).unwrap();
        let told = found(home.path(), &founding()).unwrap_err().to_string();
        assert!(
            told.contains("n3") && told.contains("not overwritten"),
            "{told}"
        );
        assert!(!home.path().join("n1").exists());
        let none = Founding::of(0);
        let told = found(home.path(), &none).unwrap_err().to_string();
        assert!(told.contains("1 to 100 validators"), "{told}");
    }
}
