//! A disk in an embedded database: one file, one transaction for everything between two barriers.
//!
//! redb is chosen over SQLite because a node needs a log and no queries: it is a single file that survives
//! a kill at any instant by construction, and it is Rust without a C library or a build step.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use assay_model::node::Record;
use redb::{Durability, ReadableTable, TableDefinition};

use super::keep_latest;
use crate::codec::{Known, decode_record, encode_record};
use crate::runtime::{Store, StoreError};

/// Name of the database in a node's directory.
pub const DATA_FILE: &str = "data.redb";

/// Version of the tables; others are not opened.
const SCHEMA: &str = "assay.data/1";

const META: TableDefinition<'_, &str, &str> = TableDefinition::new("meta");
/// Records by the order they were written in.
const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");

/// See the module.
///
/// Pages of a database that are free still hold what they held. Where something has to be forgotten, the whole
/// file is written anew and put in place of the old one.
pub struct Database {
    file: String,
    path: PathBuf,
    chain_id: String,
    redb: redb::Database,
    /// Written and not durable.
    written: Vec<(Kind, Vec<u8>)>,
    next: u64,
    /// Where the last vote and the last appointment are.
    latest: [Option<u64>; 2],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Committed,
    Accepted,
    Term,
    Snapshot,
}

impl Kind {
    fn of(record: &Record) -> Kind {
        match record {
            Record::Committed(_) => Kind::Committed,
            Record::Accepted(..) => Kind::Accepted,
            Record::Term(..) => Kind::Term,
            Record::Snapshot { .. } => Kind::Snapshot,
        }
    }

    /// Which later record of the kind overtakes it, if any does.
    fn place(self) -> Option<usize> {
        match self {
            Kind::Committed | Kind::Snapshot => None,
            Kind::Accepted => Some(0),
            Kind::Term => Some(1),
        }
    }
}

type Wrong = Box<dyn std::error::Error>;

impl Database {
    /// Opens the database of a node of this network; makes one where there is none.
    ///
    /// Errors: a file that is no database, is torn, is open elsewhere, or belongs to another network.
    pub fn open(file: &Path, chain_id: &str) -> Result<Database, StoreError> {
        let name = file.display().to_string();
        let redb = guarded(&name, "open", || {
            if !file.exists() {
                create(file, chain_id, &[])?;
            }
            open(file, chain_id)
        })?;
        Ok(Database {
            file: name,
            path: file.to_owned(),
            chain_id: chain_id.to_owned(),
            redb,
            written: Vec::new(),
            next: 0,
            latest: [None; 2],
        })
    }

    fn read(&self) -> Result<Vec<(u64, Record)>, Wrong> {
        let transaction = self.redb.begin_read()?;
        let table = transaction.open_table(RECORDS)?;
        let known = Known::default();
        let mut records = Vec::new();
        for row in table.iter()? {
            let (sequence, bytes) = row?;
            let sequence = sequence.value();
            let record = decode_record(bytes.value(), &known)
                .map_err(|error| format!("record {sequence}: {error}"))?;
            records.push((sequence, record));
        }
        Ok(records)
    }

    fn commit(&mut self) -> Result<(), Wrong> {
        let mut transaction = self.redb.begin_write()?;
        transaction.set_durability(Durability::Immediate);
        {
            let mut table = transaction.open_table(RECORDS)?;
            for (kind, bytes) in &self.written {
                if let Some(place) = kind.place()
                    && let Some(overtaken) = self.latest[place].replace(self.next)
                {
                    table.remove(overtaken)?;
                }
                table.insert(self.next, &**bytes)?;
                self.next += 1;
            }
        }
        transaction.commit()?;
        let forgets = self.written.iter().any(|(kind, _)| *kind == Kind::Snapshot);
        self.written.clear();
        if forgets { self.rewrite() } else { Ok(()) }
    }

    /// Puts a file in place of this one that holds what a node is restored from, and nothing else.
    fn rewrite(&mut self) -> Result<(), Wrong> {
        let mut records: Vec<Record> = self.read()?.into_iter().map(|(_, record)| record).collect();
        keep_latest(&mut records);
        create(&self.path, &self.chain_id, &records)?;
        self.redb = open(&self.path, &self.chain_id)?;
        self.latest = [None; 2];
        self.next = 0;
        for record in &records {
            self.place(Kind::of(record), self.next);
            self.next += 1;
        }
        Ok(())
    }

    /// Notes where the latest record of a kind is, if it overtakes others.
    fn place(&mut self, kind: Kind, sequence: u64) -> Option<u64> {
        self.latest[kind.place()?].replace(sequence)
    }
}

fn open(file: &Path, chain_id: &str) -> Result<redb::Database, Wrong> {
    let redb = redb::Builder::new().set_cache_size(CACHE).open(file)?;
    check_claim(&redb, chain_id)?;
    Ok(redb)
}

/// Memory for pages that were read or written lately. Records are read at the start only.
const CACHE: usize = 4 << 20;

/// What says whose database it is.
fn claim(chain_id: &str) -> [(&'static str, &str); 2] {
    [("schema", SCHEMA), ("chain_id", chain_id)]
}

/// Makes a database beside the file and moves it there when it is whole, since one that was begun and not
/// finished could not be told from one that is damaged.
fn create(file: &Path, chain_id: &str, records: &[Record]) -> Result<(), Wrong> {
    let begun = file.with_extension("new");
    match fs::remove_file(&begun) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut options = OpenOptions::new();
    // It is its owner's alone.
    let options = options.read(true).write(true).create_new(true).mode(0o600);
    let redb = redb::Builder::new().create_file(options.open(&begun)?)?;
    let transaction = redb.begin_write()?;
    {
        let mut meta = transaction.open_table(META)?;
        for (name, value) in claim(chain_id) {
            meta.insert(name, value)?;
        }
        let mut table = transaction.open_table(RECORDS)?;
        for (sequence, record) in (0..).zip(records) {
            table.insert(sequence, &*encode_record(record))?;
        }
    }
    transaction.commit()?;
    drop(redb);
    fs::rename(&begun, file)?;
    let directory = file.parent().filter(|path| !path.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

fn check_claim(redb: &redb::Database, chain_id: &str) -> Result<(), Wrong> {
    let transaction = redb.begin_read()?;
    let meta = transaction.open_table(META)?;
    for (name, expected) in claim(chain_id) {
        let found = meta.get(name)?.map(|found| found.value().to_owned());
        if found.as_deref() != Some(expected) {
            let found = found.unwrap_or_default();
            return Err(format!("{name} is `{found}`, not `{expected}`").into());
        }
    }
    Ok(())
}

/// What goes wrong inside becomes an error with the file in it, panics on torn pages included.
fn guarded<T>(
    file: &str,
    verb: &str,
    what: impl FnOnce() -> Result<T, Wrong>,
) -> Result<T, StoreError> {
    let why = match catch_unwind(AssertUnwindSafe(what)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the database is damaged".to_owned(),
    };
    Err(StoreError {
        what: format!("{verb} {file}"),
        why,
    })
}

impl Store for Database {
    fn load(&mut self) -> Result<Vec<Record>, StoreError> {
        let read = guarded(&self.file, "read", || self.read())?;
        self.next = read.last().map_or(0, |(sequence, _)| sequence + 1);
        for (sequence, record) in &read {
            self.place(Kind::of(record), *sequence);
        }
        let mut records = read.into_iter().map(|(_, record)| record).collect();
        keep_latest(&mut records);
        Ok(records)
    }

    fn write(&mut self, record: &Record) -> Result<(), StoreError> {
        self.written.push((Kind::of(record), encode_record(record)));
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        if self.written.is_empty() {
            return Ok(());
        }
        let file = self.file.clone();
        guarded(&file, "write", || self.commit())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use assay_model::id::Height;
    use assay_model::ledger::State;
    use assay_model::node::Snapshot;

    use super::*;
    use crate::testing::committed;

    fn filled(file: &Path) {
        let mut database = Database::open(file, "assay-test").unwrap();
        database.load().unwrap();
        for height in 1..=20 {
            let record = Record::Committed(committed(height));
            database.write(&record).unwrap();
            database.sync().unwrap();
        }
    }

    fn refusal(file: &Path, chain_id: &str) -> String {
        let opened = Database::open(file, chain_id).and_then(|mut database| database.load());
        opened.expect_err("it is refused").to_string()
    }

    #[test]
    fn the_database_of_another_network_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(DATA_FILE);
        filled(&file);
        let told = refusal(&file, "other");
        assert!(
            told.contains("chain_id is `assay-test`, not `other`"),
            "{told}"
        );
    }

    #[test]
    fn a_database_that_is_open_elsewhere_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(DATA_FILE);
        let _open = Database::open(&file, "assay-test").unwrap();
        let told = refusal(&file, "assay-test");
        assert!(told.contains("already open"), "{told}");
    }

    #[test]
    fn a_file_that_is_no_database_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(DATA_FILE);
        fs::write(
            &file,
            "something else, and long enough to be looked at".repeat(200),
        )
        .unwrap();
        let told = refusal(&file, "assay-test");
        assert!(
            told.starts_with("open ") && told.contains(DATA_FILE),
            "{told}"
        );
    }

    #[test]
    fn what_was_forgotten_is_in_no_page_of_the_file() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(DATA_FILE);
        filled(&file);
        let holds = |height| {
            let record = encode_record(&Record::Committed(committed(height)));
            let file = fs::read(&file).unwrap();
            file.windows(record.len()).any(|window| window == record)
        };
        assert!(holds(3) && holds(20));
        let mut database = Database::open(&file, "assay-test").unwrap();
        database.load().unwrap();
        let snapshot = Record::Snapshot {
            snapshot: Arc::new(Snapshot {
                committed: committed(20),
                change_set: [1; 32],
                codes: Vec::new(),
                state: State::default(),
            }),
            gone: Height(10),
        };
        database.write(&snapshot).unwrap();
        database.sync().unwrap();
        assert!(!holds(3) && holds(20));
        assert_eq!(database.load().unwrap().len(), 11);
    }

    #[test]
    fn a_database_that_was_begun_is_begun_again_and_an_empty_one_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(DATA_FILE);
        fs::write(home.path().join("data.new"), "half of a database").unwrap();
        filled(&file);
        let mut database = Database::open(&file, "assay-test").unwrap();
        assert_eq!(database.load().unwrap().len(), 20);
        drop(database);
        fs::write(&file, "").unwrap();
        let told = refusal(&file, "assay-test");
        assert!(told.starts_with("open "), "{told}");
    }

    #[test]
    fn a_torn_database_is_read_or_refused() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(DATA_FILE);
        filled(&file);
        let sound = fs::read(&file).unwrap();
        let mut refused = 0;
        for eighth in 1..8 {
            let mut torn = sound.clone();
            torn.truncate(sound.len() * eighth / 8);
            fs::write(&file, &torn).unwrap();
            let opened = Database::open(&file, "assay-test").and_then(|mut d| d.load());
            refused += usize::from(opened.is_err());
        }
        for at in (0..sound.len()).step_by(sound.len() / 30) {
            let mut changed = sound.clone();
            changed[at] ^= 0xff;
            fs::write(&file, &changed).unwrap();
            let _ = Database::open(&file, "assay-test").and_then(|mut d| d.load());
        }
        assert!(refused > 0, "a torn file goes unnoticed");
    }
}
