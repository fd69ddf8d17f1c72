//! A node's disk: an append-only log of records of which a part is durable.

use assay_model::node::Record;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    records: Vec<Record>,
    durable: usize,
    /// What it held before the node first ran.
    initial: Vec<Record>,
    /// How many records were ever made durable on it.
    written: usize,
}

impl Disk {
    /// A disk that holds this already.
    pub(crate) fn holding(records: Vec<Record>) -> Disk {
        Disk {
            durable: records.len(),
            initial: records.clone(),
            written: records.len(),
            records,
        }
    }

    /// Writes; a crash before the next [`Disk::sync`] loses it.
    pub(crate) fn write(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Makes everything written so far durable, and forgets what that makes superfluous.
    pub(crate) fn sync(&mut self) {
        self.written += self.records.len() - self.durable;
        Record::prune(&mut self.records, self.durable);
        self.durable = self.records.len();
    }

    /// Loses what is not durable; returns how many records that was.
    pub(crate) fn crash(&mut self) -> usize {
        let lost = self.records.len() - self.durable;
        self.records.truncate(self.durable);
        lost
    }

    /// Loses everything since it was initialised; returns how many records that was.
    pub(crate) fn wipe(&mut self) -> usize {
        let lost = self.records.len().saturating_sub(self.initial.len());
        self.records.clone_from(&self.initial);
        self.durable = self.records.len();
        lost
    }

    /// Another disk with what is durable on this one.
    pub(crate) fn copy(&self) -> Disk {
        Disk {
            records: self.records[..self.durable].to_vec(),
            durable: self.durable,
            initial: self.initial.clone(),
            written: self.written,
        }
    }

    /// Puts an earlier copy in place of what is there; returns how many records the copy lacks.
    pub(crate) fn roll_back(&mut self, copy: Disk) -> usize {
        let unsynced = self.records.len() - self.durable;
        let lost = self.written + unsynced - copy.written;
        *self = copy;
        lost
    }

    /// What is there.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }
}

#[cfg(test)]
mod tests {
    use assay_model::id::NodeId;

    use super::*;

    fn led(term: u32) -> Record {
        Record::Term(term, NodeId(0))
    }

    fn disk() -> Disk {
        let mut disk = Disk::holding(vec![led(0)]);
        disk.write(led(1));
        disk.sync();
        disk.write(led(2));
        disk
    }

    #[test]
    fn a_crash_loses_what_is_not_durable_and_a_wipe_all_but_the_beginning() {
        let mut disk = disk();
        assert_eq!((disk.crash(), disk.records().len()), (1, 2));
        assert_eq!((disk.wipe(), disk.records().len()), (1, 1));
        assert_eq!((disk.crash(), disk.wipe()), (0, 0));
    }

    #[test]
    fn a_copy_holds_what_is_durable_and_brings_it_back() {
        let mut disk = disk();
        let copy = disk.copy();
        assert_eq!(copy.records().len(), 2);
        disk.write(led(3));
        disk.sync();
        assert_eq!((disk.roll_back(copy), disk.records().len()), (2, 2));
        assert_eq!(disk.crash(), 0);
    }
}
