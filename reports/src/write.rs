//! The one place that touches files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::report::Report;
use crate::{json, junit, text};

/// Names of the files, in the order they are written.
pub const FILES: [&str; 3] = ["report.txt", "report.json", "junit.xml"];

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write a report to {}", path.display())]
pub struct WriteError {
    /// The directory or file.
    pub path: PathBuf,
    /// What the system says.
    #[source]
    pub source: io::Error,
}

/// Makes the directory and puts a file into it and away again, so that a long run does not end in a
/// report nobody gets.
pub fn check_writable(dir: &Path) -> Result<(), WriteError> {
    let path = dir.join(format!(".assay-{}", std::process::id()));
    fs::create_dir_all(dir)
        .and_then(|()| fs::write(&path, b""))
        .and_then(|()| fs::remove_file(&path))
        .map_err(|source| WriteError {
            path: dir.to_owned(),
            source,
        })
}

/// Writes all renderings; each file is whole or not there. Returns their paths.
pub fn write(dir: &Path, report: &Report) -> Result<Vec<PathBuf>, WriteError> {
    fs::create_dir_all(dir).map_err(|source| WriteError {
        path: dir.to_owned(),
        source,
    })?;
    let contents = [text::text(report), json::json(report), junit::junit(report)];
    let mut paths = Vec::new();
    for (name, content) in FILES.iter().zip(contents) {
        let path = dir.join(name);
        replace(&path, content.as_bytes()).map_err(|source| WriteError {
            path: path.clone(),
            source,
        })?;
        paths.push(path);
    }
    Ok(paths)
}

/// Readers see the old content or the new, never a part of it.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let part = path.with_extension(format!("part-{}", std::process::id()));
    let written = fs::write(&part, content).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // What is left of a failed attempt is of no use; that it may not go either changes nothing.
        let _ = fs::remove_file(&part);
    }
    written
}
