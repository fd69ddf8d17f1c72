//! The one place that touches files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::certification::{self, Certification};
use crate::report::Report;
use crate::worlds::{self, Worlds};
use crate::{json, junit, text};

/// Names of the files, in the order they are written.
pub const FILES: [&str; 3] = ["report.txt", "report.json", "junit.xml"];

/// The same for a certification.
pub const CERTIFICATION_FILES: [&str; 3] = [
    "certification.txt",
    "certification.json",
    "certification.xml",
];

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
    let contents = [text::text(report), json::json(report), junit::junit(report)];
    files(dir, FILES, contents)
}

/// The same for a report of several worlds, under the same names.
pub fn write_worlds(dir: &Path, report: &Worlds) -> Result<Vec<PathBuf>, WriteError> {
    let contents = [
        worlds::text(report),
        worlds::json(report),
        worlds::junit(report),
    ];
    files(dir, FILES, contents)
}

/// The same for a certification, under names of its own.
pub fn write_certification(dir: &Path, of: &Certification) -> Result<Vec<PathBuf>, WriteError> {
    let contents = [
        certification::text(of),
        certification::json(of),
        certification::junit(of),
    ];
    files(dir, CERTIFICATION_FILES, contents)
}

/// Writes one file, such as a certificate: whole, or not at all.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), WriteError> {
    replace(path, content).map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })
}

fn files(dir: &Path, names: [&str; 3], contents: [String; 3]) -> Result<Vec<PathBuf>, WriteError> {
    fs::create_dir_all(dir).map_err(|source| WriteError {
        path: dir.to_owned(),
        source,
    })?;
    let mut paths = Vec::new();
    for (name, content) in names.iter().zip(contents) {
        let path = dir.join(name);
        write_file(&path, content.as_bytes())?;
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
