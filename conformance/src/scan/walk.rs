//! Every file of a place, in an order that depends on nothing but their names.

use std::fs;
use std::path::{Path, PathBuf};

use super::Place;

/// A file to search.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) label: String,
    pub(super) path: PathBuf,
}

/// The files of a place, or why something in it cannot be searched. Pipes and sockets hold nothing once
/// nobody writes to them, and are passed over.
pub(super) fn files(place: &Place, all: &[Place]) -> Vec<Result<Found, String>> {
    let mut found = Vec::new();
    visit(&place.label, &place.path, all, &mut found);
    found
}

fn visit(label: &str, path: &Path, all: &[Place], found: &mut Vec<Result<Found, String>>) {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return found.push(Err(format!("{label} cannot be looked at: {error}"))),
    };
    if metadata.is_file() {
        found.push(Ok(Found {
            label: label.to_owned(),
            path: path.to_owned(),
        }));
    } else if metadata.is_dir() {
        directory(label, path, all, found);
    } else if metadata.is_symlink() && !leads_inside(path, all) {
        let doubt = format!("{label} is a symbolic link out of what is searched; not followed");
        found.push(Err(doubt));
    }
}

fn directory(label: &str, path: &Path, all: &[Place], found: &mut Vec<Result<Found, String>>) {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return found.push(Err(format!("{label} cannot be listed: {error}"))),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let label = format!("{label}/{}", name.to_string_lossy());
        visit(&label, &entry.path(), all, found);
    }
}

/// Whether what a link points at is searched anyway.
fn leads_inside(link: &Path, all: &[Place]) -> bool {
    let Ok(target) = fs::canonicalize(link) else {
        // It leads to nothing.
        return true;
    };
    let places = all.iter().filter_map(|place| {
        // A place that is a link itself is not searched, so nothing in it is.
        let real = fs::symlink_metadata(&place.path).ok()?;
        (!real.is_symlink()).then(|| fs::canonicalize(&place.path).ok())?
    });
    places.into_iter().any(|place| target.starts_with(place))
}
