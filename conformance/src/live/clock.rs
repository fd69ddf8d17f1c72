//! Setting a node's clock from outside, through a file.

use std::fs;
use std::io;
use std::path::Path;

use assay_node::runtime::Skew;

/// Puts a [`Skew`] into a node's time file. Whoever reads meanwhile sees the old one or the new one, whole.
///
/// # Errors
///
/// What the system says when the file cannot be written.
pub fn set(file: &Path, skew: Skew) -> io::Result<()> {
    let text = serde_json::to_vec(&skew).map_err(io::Error::other)?;
    let beside = file.with_extension("next");
    fs::write(&beside, text)?;
    fs::rename(&beside, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_what_was_set_last() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("n1.json");
        for skew in [
            Skew::default(),
            Skew {
                skip: 3_600_000,
                offset: -5,
                ..Skew::default()
            },
        ] {
            set(&file, skew).unwrap();
            let read: Skew = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            assert_eq!(read, skew);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
