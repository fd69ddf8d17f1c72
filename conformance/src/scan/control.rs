//! The positive control: a secret planted in every way the search knows. A search that does not find it
//! would find nothing else either, and what it says proves nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use assay_model::actor::MARKER_PREFIX;
use assay_sim::spelling::{Spelling, spellings};

use super::{Findings, Hit, Kind, MARKED, Packing, Place};

/// Digits no story's marker has: they are those of no valid UUID.
const DIGITS: &str = "ffffffffffffffff";

/// Name of the directory a control is planted in.
const NAME: &str = "assay-control";

/// How a planted file is packed, the outermost first.
const CONTAINERS: [(&str, &[Packing]); 5] = [
    ("plain", &[]),
    ("zstd", &[Packing::Zstd]),
    ("gzip", &[Packing::Gzip]),
    ("zstd-in-gzip", &[Packing::Gzip, Packing::Zstd]),
    ("gzip-in-zstd", &[Packing::Zstd, Packing::Gzip]),
];

/// A planted control.
#[derive(Debug)]
pub struct Control {
    dir: PathBuf,
    expected: BTreeSet<(String, Spelling)>,
}

/// Plants a control in a directory of its own under `dir`, which must exist.
pub fn plant(dir: &Path) -> io::Result<Control> {
    let control = Control {
        dir: dir.join(NAME),
        expected: expected(),
    };
    fs::create_dir_all(&control.dir)?;
    for (name, packings) in CONTAINERS {
        let packed = packings.iter().rev().try_fold(content(), pack)?;
        // A frame is found where it stands, not only at the beginning of a file.
        let file = [b"control\n".as_slice(), &packed, b"\nend\n"].concat();
        fs::write(control.dir.join(name), file)?;
    }
    Ok(control)
}

fn secret() -> String {
    format!("{MARKER_PREFIX}{DIGITS}")
}

fn expected() -> BTreeSet<(String, Spelling)> {
    let spelled = spellings(MARKER_PREFIX.as_bytes());
    let names = CONTAINERS.iter().map(|(name, _)| (*name).to_owned());
    names
        .flat_map(|name| {
            spelled
                .iter()
                .map(move |(spelling, _)| (name.clone(), *spelling))
        })
        .collect()
}

/// The secret in every spelling, each on a line of its own. Something stands behind it, so that its last
/// digits are whole in base64.
fn content() -> Vec<u8> {
    let spelled = spellings(format!("{}..", secret()).as_bytes());
    let texts: Vec<Vec<u8>> = spelled.into_iter().map(|(_, text)| text).collect();
    [texts.join(&b'\n'), b"\n".to_vec()].concat()
}

fn pack(content: Vec<u8>, packing: &Packing) -> io::Result<Vec<u8>> {
    match packing {
        Packing::Zstd => zstd::encode_all(content.as_slice(), 0),
        Packing::Gzip => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(&content)?;
            gzip.finish()
        }
    }
}

impl Control {
    /// The place to search with all others.
    pub fn place(&self) -> Place {
        Place {
            kind: Kind::Data,
            label: NAME.to_owned(),
            path: self.dir.clone(),
        }
    }

    /// What was planted and not found, one sentence each; nothing when the search is sound.
    pub fn missed(&self, findings: &Findings) -> Vec<String> {
        let found: BTreeSet<(String, Spelling)> = findings
            .hits
            .iter()
            .filter(|hit| is_planted(hit))
            .filter_map(|hit| {
                let (_, name) = hit.path.rsplit_once('/')?;
                Some((name.to_owned(), hit.spelling))
            })
            .collect();
        let missed = self.expected.difference(&found);
        missed
            .map(|(name, spelling)| format!("the control was not found: {spelling} in {name}"))
            .collect()
    }

    /// Whether everything planted was found.
    pub fn found(&self, findings: &Findings) -> bool {
        self.missed(findings).is_empty()
    }

    /// Takes the files away again.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_dir_all(&self.dir)
    }
}

fn is_planted(hit: &Hit) -> bool {
    hit.needle == MARKED
        && hit.digits.as_deref() == Some(DIGITS)
        && hit.path.rsplit('/').nth(1) == Some(NAME)
}

impl Findings {
    /// The same without what a control planted.
    pub fn without_control(mut self) -> Findings {
        self.hits.retain(|hit| !is_planted(hit));
        self
    }
}
