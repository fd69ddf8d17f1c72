//! A disk in memory, for nodes on simulated machines. It is shared with whoever keeps the machine.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assay_model::node::Record;

use super::keep_latest;
use crate::runtime::{Store, StoreError};

/// See the module. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    records: Vec<Record>,
    durable: usize,
}

/// What was durable at some moment.
#[derive(Clone, Debug, Default)]
pub struct Copied(Vec<Record>);

impl Memory {
    /// A disk that holds this already.
    pub fn holding(records: Vec<Record>) -> Memory {
        let durable = records.len();
        Memory(Arc::new(Mutex::new(Platter { records, durable })))
    }

    /// The machine dies: what was not synced is gone. Returns how many records that was.
    pub fn crash(&self) -> usize {
        let mut platter = self.platter();
        let durable = platter.durable;
        let lost = platter.records.len() - durable;
        platter.records.truncate(durable);
        lost
    }

    /// Everything is gone.
    pub fn wipe(&self) {
        *self.platter() = Platter::default();
    }

    /// What is durable now.
    pub fn copied(&self) -> Copied {
        let platter = self.platter();
        Copied(platter.records[..platter.durable].to_vec())
    }

    /// Puts an earlier state of a disk in place of this one.
    pub fn put_back(&self, copied: Copied) {
        let durable = copied.0.len();
        *self.platter() = Platter {
            records: copied.0,
            durable,
        };
    }

    /// What is durable, in the order it was written, overtaken records included.
    pub fn records(&self) -> Vec<Record> {
        self.copied().0
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn load(&mut self) -> Result<Vec<Record>, StoreError> {
        let mut records = self.records();
        keep_latest(&mut records);
        Ok(records)
    }

    fn write(&mut self, record: &Record) -> Result<(), StoreError> {
        self.platter().records.push(record.clone());
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        let mut platter = self.platter();
        let durable = platter.durable;
        Record::prune(&mut platter.records, durable);
        platter.durable = platter.records.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::committed;

    #[test]
    fn a_disk_is_wiped_and_put_back() {
        let mut disk = Memory::default();
        for height in 1..=3 {
            disk.write(&Record::Committed(committed(height))).unwrap();
        }
        assert_eq!(disk.crash(), 3);
        disk.write(&Record::Committed(committed(1))).unwrap();
        disk.sync().unwrap();
        let copied = disk.copied();
        disk.write(&Record::Committed(committed(2))).unwrap();
        assert_eq!(disk.records().len(), 1);
        disk.sync().unwrap();
        disk.clone().put_back(copied);
        assert_eq!(disk.load().unwrap().len(), 1);
        disk.wipe();
        assert_eq!(disk.load().unwrap().len(), 0);
    }
}
