//! What went over a link, on disk, for the search for what should not be there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most bytes kept of one link and direction.
const MOST: u64 = 64 << 20;
/// Bytes of a connection that are gathered before they are written.
const PIECE: usize = 256 << 10;
/// Bytes at the end of one piece that are repeated at the beginning of the next of the same connection,
/// so that nothing shorter is cut in two where another connection's piece comes between.
const OVERLAP: usize = 4 << 10;

/// A file that holds what was sent over a link in one direction. Connections are told apart: each is
/// written in long pieces, so that what one of them sent stands in one place. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Capture {
    path: Arc<PathBuf>,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    most: u64,
    written: u64,
    truncated: bool,
    open: BTreeMap<u64, Gathered>,
}

#[derive(Debug, Default)]
struct Gathered {
    bytes: Vec<u8>,
    /// How many at the beginning are written already.
    repeated: usize,
}

impl Capture {
    /// A new, empty file.
    ///
    /// # Errors
    ///
    /// What the system says when it cannot be made.
    pub fn create(path: &Path) -> io::Result<Capture> {
        Capture::bounded(path, MOST)
    }

    fn bounded(path: &Path, most: u64) -> io::Result<Capture> {
        Ok(Capture {
            path: Arc::new(path.to_owned()),
            inner: Arc::new(Mutex::new(Inner {
                file: File::create(path)?,
                most,
                written: 0,
                truncated: false,
                open: BTreeMap::new(),
            })),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether something was left out because the file is full, or the disk.
    pub fn is_truncated(&self) -> bool {
        self.locked().truncated
    }

    /// Adds what a connection sent.
    pub(crate) fn add(&self, connection: u64, bytes: &[u8]) {
        let mut inner = self.locked();
        let gathered = inner.open.entry(connection).or_default();
        gathered.bytes.extend_from_slice(bytes);
        if gathered.bytes.len() >= PIECE {
            inner.put(connection);
        }
    }

    /// Notes that a connection will send nothing more.
    pub(crate) fn end(&self, connection: u64) {
        let mut inner = self.locked();
        inner.put(connection);
        inner.open.remove(&connection);
    }

    /// Writes what was gathered so far.
    pub fn flush(&self) {
        let mut inner = self.locked();
        let open: Vec<u64> = inner.open.keys().copied().collect();
        for connection in open {
            inner.put(connection);
        }
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn put(&mut self, connection: u64) {
        let Some(gathered) = self.open.get_mut(&connection) else {
            return;
        };
        if gathered.bytes.len() == gathered.repeated {
            return;
        }
        let room = self.most.saturating_sub(self.written);
        let room = gathered
            .bytes
            .len()
            .min(usize::try_from(room).unwrap_or(usize::MAX));
        let whole = room == gathered.bytes.len();
        let put = self.file.write_all(&gathered.bytes[..room]);
        self.truncated |= !whole || put.is_err();
        self.written += room as u64;
        let keep = gathered.bytes.len().min(OVERLAP);
        gathered.bytes.drain(..gathered.bytes.len() - keep);
        gathered.repeated = keep;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(most: u64, act: impl FnOnce(&Capture)) -> (Vec<u8>, bool) {
        let folder = tempfile::tempdir().unwrap();
        let capture = Capture::bounded(&folder.path().join("link"), most).unwrap();
        act(&capture);
        (
            std::fs::read(capture.path()).unwrap(),
            capture.is_truncated(),
        )
    }

    #[test]
    fn connections_do_not_cut_into_each_other() {
        let (bytes, truncated) = captured(MOST, |capture| {
            capture.add(1, b"sec");
            capture.add(2, b"other");
            capture.add(1, b"ret");
            capture.end(1);
            capture.end(2);
        });
        assert_eq!((bytes.as_slice(), truncated), (&b"secretother"[..], false));
    }

    #[test]
    fn what_falls_on_the_end_of_a_piece_stands_whole_in_the_next() {
        let (bytes, _) = captured(MOST, |capture| {
            capture.add(1, &[b'.'; PIECE - 3]);
            capture.add(1, b"sec");
            capture.add(2, b"other");
            capture.end(2);
            capture.add(1, b"ret");
            capture.flush();
            capture.flush();
        });
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.matches("secret").count(), 1);
        assert_eq!(text.len(), PIECE + 5 + OVERLAP + 3);
    }

    #[test]
    fn a_full_file_says_so() {
        let (bytes, truncated) = captured(4, |capture| {
            capture.add(1, b"secret");
            capture.end(1);
        });
        assert_eq!((bytes.as_slice(), truncated), (&b"secr"[..], true));
    }
}
