//! Copies of directories: what a node is wiped to, and what it is rolled back to.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Puts a copy of a directory in place of whatever is at `to`. Sockets and pipes are left out: nobody
/// would be at their other end.
///
/// # Errors
///
/// What the system says, with the path it says it of.
pub(crate) fn replace(from: &Path, to: &Path) -> Result<(), String> {
    remove(to)?;
    copy(from, to).map_err(|(path, error)| format!("cannot copy {path}: {error}"))
}

/// Removes a directory, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), (String, io::Error)> {
    let at = |path: &Path| {
        let shown = path.display().to_string();
        move |error| (shown, error)
    };
    let kind = fs::symlink_metadata(from).map_err(at(from))?;
    if kind.is_dir() {
        fs::create_dir_all(to).map_err(at(to))?;
        for entry in fs::read_dir(from).map_err(at(from))? {
            let name = entry.map_err(at(from))?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
        fs::set_permissions(to, kind.permissions()).map_err(at(to))
    } else if kind.is_symlink() {
        let target = fs::read_link(from).map_err(at(from))?;
        symlink(target, to).map_err(at(to))
    } else if kind.is_file() {
        fs::copy(from, to).map(|_| ()).map_err(at(from))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_replaces_everything_that_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("deep/er")).unwrap();
        fs::write(from.join("deep/er/file"), "old").unwrap();
        symlink("file", from.join("deep/er/link")).unwrap();
        fs::create_dir_all(to.join("rest")).unwrap();
        replace(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("deep/er/link")).unwrap(), "old");
        assert!(!to.join("rest").exists());
        let missing = replace(&folder.path().join("none"), &to).unwrap_err();
        assert!(missing.contains("none"), "{missing}");
    }
}
