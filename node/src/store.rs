//! Two disks for a node: an embedded database, and memory that outlives the node for simulated machines.

mod memory;
mod redb;

use assay_model::node::Record;

pub use memory::{Copied, Memory};
pub use redb::{DATA_FILE, Database};

/// Forgets votes and appointments that later ones have overtaken, and what the last snapshot has made
/// superfluous; what a node is restored from stays the same.
fn keep_latest(records: &mut Vec<Record>) {
    Record::prune(records, 0);
    let mut seen = (false, false);
    let mut kept: Vec<Record> = Vec::with_capacity(records.len());
    for record in records.drain(..).rev() {
        let overtaken = match &record {
            Record::Committed(_) | Record::Snapshot { .. } => false,
            Record::Accepted(..) => std::mem::replace(&mut seen.0, true),
            Record::Term(..) => std::mem::replace(&mut seen.1, true),
        };
        if !overtaken {
            kept.push(record);
        }
    }
    kept.reverse();
    *records = kept;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use assay_model::id::{Height, NodeId};
    use assay_model::ledger::State;
    use assay_model::node::{Ballot, Snapshot};

    use super::*;
    use crate::codec::encode_record;
    use crate::runtime::Store;
    use crate::testing::{block, committed};

    /// A disk and what can happen to the machine around it.
    trait Machine {
        type Disk: Store;

        /// Starts, for the first time or again; what was not synced before is lost.
        fn start(&mut self) -> Self::Disk;
    }

    impl Machine for Memory {
        type Disk = Memory;

        fn start(&mut self) -> Memory {
            self.crash();
            self.clone()
        }
    }

    impl Machine for tempfile::TempDir {
        type Disk = Database;

        fn start(&mut self) -> Database {
            Database::open(&self.path().join(DATA_FILE), "assay-test").unwrap()
        }
    }

    fn final_block(height: u64) -> Record {
        Record::Committed(committed(height))
    }

    fn vote(round: u32, height: u64) -> Record {
        Record::Accepted(Ballot { term: 0, round }, block(height))
    }

    fn shown(records: &[Record]) -> Vec<Vec<u8>> {
        records.iter().map(encode_record).collect()
    }

    fn check_holds(disk: &mut impl Store, expected: &[Record]) {
        assert_eq!(shown(&disk.load().unwrap()), shown(expected));
    }

    fn what_was_synced_is_there_and_what_was_not_is_not(mut machine: impl Machine) {
        let mut disk = machine.start();
        check_holds(&mut disk, &[]);
        disk.write(&final_block(1)).unwrap();
        disk.write(&final_block(2)).unwrap();
        disk.sync().unwrap();
        disk.write(&final_block(3)).unwrap();
        drop(disk);
        let mut disk = machine.start();
        check_holds(&mut disk, &[final_block(1), final_block(2)]);
        disk.write(&final_block(3)).unwrap();
        disk.sync().unwrap();
        disk.sync().unwrap();
        drop(disk);
        let expected = [final_block(1), final_block(2), final_block(3)];
        check_holds(&mut machine.start(), &expected);
    }

    fn only_the_latest_vote_and_appointment_are_kept_and_in_order(mut machine: impl Machine) {
        let mut disk = machine.start();
        let term = |term| Record::Term(term, NodeId(1));
        for record in [vote(1, 1), final_block(1), term(1), vote(2, 2), term(2)] {
            disk.write(&record).unwrap();
        }
        disk.sync().unwrap();
        drop(disk);
        let mut disk = machine.start();
        check_holds(&mut disk, &[final_block(1), vote(2, 2), term(2)]);
        for record in [final_block(2), vote(3, 3)] {
            disk.write(&record).unwrap();
            disk.sync().unwrap();
        }
        drop(disk);
        let expected = [final_block(1), term(2), final_block(2), vote(3, 3)];
        check_holds(&mut machine.start(), &expected);
    }

    fn what_a_snapshot_makes_superfluous_is_forgotten_once_it_is_durable(
        mut machine: impl Machine,
    ) {
        let mut disk = machine.start();
        disk.load().unwrap();
        for record in [final_block(1), final_block(2), vote(1, 3), final_block(3)] {
            disk.write(&record).unwrap();
        }
        disk.sync().unwrap();
        disk.write(&snapshot(2, 1)).unwrap();
        drop(disk);
        let mut disk = machine.start();
        let all = [final_block(1), final_block(2), vote(1, 3), final_block(3)];
        check_holds(&mut disk, &all);
        disk.write(&snapshot(2, 1)).unwrap();
        disk.sync().unwrap();
        disk.write(&final_block(4)).unwrap();
        disk.write(&snapshot(4, 2)).unwrap();
        disk.write(&vote(2, 5)).unwrap();
        disk.sync().unwrap();
        drop(disk);
        let rest = [
            final_block(3),
            snapshot(2, 1),
            final_block(4),
            snapshot(4, 2),
            vote(2, 5),
        ];
        check_holds(&mut machine.start(), &rest);
    }

    fn snapshot(height: u64, gone: u64) -> Record {
        Record::Snapshot {
            snapshot: Arc::new(Snapshot {
                committed: committed(height),
                change_set: [1; 32],
                codes: vec![0],
                state: State::default(),
            }),
            gone: Height(gone),
        }
    }

    macro_rules! on_both {
        ($($claim:ident)+) => {
            mod in_memory {
                $(#[test] fn $claim() { super::$claim(super::Memory::default()) })+
            }
            mod in_a_database {
                $(#[test] fn $claim() { super::$claim(tempfile::tempdir().unwrap()) })+
            }
        };
    }

    on_both! {
        what_was_synced_is_there_and_what_was_not_is_not
        only_the_latest_vote_and_appointment_are_kept_and_in_order
        what_a_snapshot_makes_superfluous_is_forgotten_once_it_is_durable
    }
}
