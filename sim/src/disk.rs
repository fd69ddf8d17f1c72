//! A node's disk: an append-only log of records of which a part is durable.

use assay_model::node::Record;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    records: Vec<Record>,
    durable: usize,
}

impl Disk {
    /// A disk that holds this already.
    pub(crate) fn holding(records: Vec<Record>) -> Disk {
        Disk {
            durable: records.len(),
            records,
        }
    }

    /// Writes; a crash before the next [`Disk::sync`] loses it.
    pub(crate) fn write(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Makes everything written so far durable.
    pub(crate) fn sync(&mut self) {
        self.durable = self.records.len();
    }

    /// Loses what is not durable; returns how many records that was.
    pub(crate) fn crash(&mut self) -> usize {
        let lost = self.records.len() - self.durable;
        self.records.truncate(self.durable);
        lost
    }

    /// What is there.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }
}
