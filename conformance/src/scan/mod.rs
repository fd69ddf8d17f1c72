//! The search of what nodes leave behind: marked secrets, and ciphertexts that were deleted, in files of
//! any kind, however they are written and whatever they are packed in.
//!
//! What it cannot see: a needle that a database cuts in two over pages that do not follow each other, and
//! formats that pack with other algorithms than zstd and gzip. The control that every run plants shows
//! that the search as such works.

mod control;
mod level;
mod pattern;
#[cfg(test)]
mod tests;
mod unpack;
mod walk;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use assay_model::id::NodeId;
use assay_sim::spelling::Spelling;
use serde::Serialize;

use crate::venue::Remains;

pub use control::{Control, plant};
pub use level::{Evidence, Level};
pub use pattern::{MARKED, Needle, NeedleError};
pub use unpack::Packing;

use pattern::{Patterns, What};
use unpack::{FileSource, FrameSource, SliceSource, Source};

/// What a place holds, as far as the harness was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Files a node keeps its data in.
    Data,
    /// What it wrote to standard output and standard error.
    Log,
    /// What peers sent to it.
    PeerTraffic,
    /// What clients sent to it.
    ClientTraffic,
}

/// A file or directory to search, and what to call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it holds.
    pub kind: Kind,
    /// What paths in findings begin with, such as `n1/data`.
    pub label: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Every place of a node's remains.
pub fn places(node: NodeId, remains: &Remains) -> Vec<Place> {
    let kinds = [
        (Kind::Data, &remains.data, "data"),
        (Kind::Log, &remains.logs, "log"),
        (Kind::PeerTraffic, &remains.peer_traffic, "peer-traffic"),
        (
            Kind::ClientTraffic,
            &remains.client_traffic,
            "client-traffic",
        ),
    ];
    let mut places = Vec::new();
    for (kind, paths, word) in kinds {
        for (index, path) in paths.iter().enumerate() {
            // Several places of a kind are told apart by number: their own names may be equal.
            let label = match paths.len() {
                1 => format!("{node}/{word}"),
                _ => format!("{node}/{word}-{}", index + 1),
            };
            places.push(Place {
                kind,
                label,
                path: path.clone(),
            });
        }
    }
    places
}

/// A packed frame that something was found in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Frame {
    /// How it is packed.
    pub packing: Packing,
    /// Where it begins, in bytes of what holds it.
    pub offset: u64,
}

/// A needle that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hit {
    /// The file, by the label of its place.
    pub path: String,
    /// What the place holds.
    pub kind: Kind,
    /// The frames it is in, the outermost first.
    pub container: Vec<Frame>,
    /// Where it begins, in bytes of the innermost frame or the file.
    pub offset: u64,
    /// Which needle; [`MARKED`] for a marked secret.
    pub needle: String,
    /// For a marked secret: its sixteen digits, when they follow the prefix.
    pub digits: Option<String>,
    /// How it is written; nothing else about it is serialised than its words.
    #[serde(serialize_with = "in_words")]
    pub spelling: Spelling,
}

fn in_words<S: serde::Serializer>(spelling: &Spelling, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(spelling)
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.needle)?;
        if let Some(digits) = &self.digits {
            write!(f, " {digits}")?;
        }
        write!(f, ", {}, at byte {} of ", self.spelling, self.offset)?;
        for frame in self.container.iter().rev() {
            write!(
                f,
                "the {} frame at byte {} of ",
                frame.packing, frame.offset
            )?;
        }
        f.write_str(&self.path)
    }
}

/// What a search came to. Equal files give equal findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Files searched.
    pub files: u64,
    /// Bytes searched, unpacked ones included.
    pub bytes: u64,
    /// What was found, ordered by place. Of equal needles in one file some are kept, see `left_out`.
    pub hits: Vec<Hit>,
    /// Further hits of a needle in a file that has many of it.
    pub left_out: u64,
    /// What could not be searched, one sentence each.
    pub doubts: Vec<String>,
}

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Frames within frames.
    pub depth: usize,
    /// Bytes unpacked of one frame.
    pub frame: u64,
    /// Bytes unpacked for one file.
    pub file: u64,
    /// Hits kept of one needle in one file.
    pub hits: u64,
    /// Bytes read at a time.
    pub piece: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            depth: 3,
            frame: 64 << 20,
            file: 1 << 30,
            hits: 16,
            piece: 1 << 20,
        }
    }
}

/// A search, ready to be carried out. It knows marked secrets and the needles it was given.
#[derive(Debug)]
pub struct Scanner {
    patterns: Patterns,
    limits: Limits,
}

impl Scanner {
    /// A search for marked secrets and these needles.
    pub fn new(needles: &[Needle]) -> Scanner {
        Scanner::with(needles, Limits::default())
    }

    /// The same, going this far.
    pub fn with(needles: &[Needle], limits: Limits) -> Scanner {
        Scanner {
            patterns: Patterns::new(needles),
            limits,
        }
    }

    /// Searches every file in these places. What cannot be read becomes a doubt; a symbolic link is not
    /// followed, and is a doubt when it leads out of these places.
    pub fn search(&self, places: &[Place]) -> Findings {
        let mut findings = Findings::default();
        for place in places {
            for found in walk::files(place, places) {
                match found {
                    Ok(file) => self.file(place.kind, &file.label, &file.path, &mut findings),
                    Err(doubt) => findings.doubts.push(doubt),
                }
            }
        }
        findings.hits.sort();
        findings
    }

    /// Searches bytes as if they were a file of this name.
    pub fn bytes(&self, kind: Kind, label: &str, bytes: &[u8]) -> Findings {
        let mut findings = Findings::default();
        self.content(kind, label, &SliceSource(bytes), &mut findings);
        findings.hits.sort();
        findings
    }

    fn file(&self, kind: Kind, label: &str, path: &Path, findings: &mut Findings) {
        self.content(kind, label, &FileSource(path), findings);
    }

    fn content(&self, kind: Kind, label: &str, source: &dyn Source, findings: &mut Findings) {
        findings.files += 1;
        let mut file = File {
            kind,
            label,
            left: self.limits.file,
            told: BTreeMap::new(),
            findings,
        };
        if let Err(error) = self.stream(source, None, &mut Vec::new(), &mut file) {
            file.doubt(&format!("could not be read to its end: {error}"));
        }
    }

    /// Searches a stream piece by piece. Pieces overlap, so that nothing is lost between two of them.
    fn stream(
        &self,
        source: &dyn Source,
        limit: Option<u64>,
        frames: &mut Vec<Frame>,
        file: &mut File<'_>,
    ) -> io::Result<u64> {
        let mut reader = source.open(0)?.take(limit.unwrap_or(u64::MAX));
        let (mut window, mut base) = (Vec::new(), 0_u64);
        loop {
            let piece = self.limits.piece as u64;
            let before = window.len();
            // What came before an error is searched too.
            let read = reader.by_ref().take(piece).read_to_end(&mut window);
            let got = (window.len() - before) as u64;
            file.findings.bytes += got;
            let ended = got < piece || read.is_err();
            let settled = if ended {
                window.len()
            } else {
                window.len().saturating_sub(self.patterns.overlap())
            };
            for (start, end, what) in self.patterns.find(&window) {
                if start >= settled {
                    continue;
                }
                let offset = base + start as u64;
                match what {
                    What::Frame(packing) => self.frame(source, packing, offset, frames, file),
                    What::Needle { needle, spelling } => {
                        let digits = (needle == MARKED)
                            .then(|| pattern::digits(spelling, &window, start, end))
                            .flatten();
                        file.hit(needle, spelling, digits, offset, frames, self.limits.hits);
                    }
                }
            }
            base += settled as u64;
            window.drain(..settled);
            read?;
            if ended {
                return Ok(base);
            }
        }
    }

    fn frame(
        &self,
        source: &dyn Source,
        packing: Packing,
        offset: u64,
        frames: &mut Vec<Frame>,
        file: &mut File<'_>,
    ) {
        let inner = FrameSource {
            within: source,
            packing,
            offset,
        };
        if file.left == 0 {
            return;
        }
        if frames.len() == self.limits.depth {
            if inner.yields_something() {
                let depth = self.limits.depth;
                file.doubt(&format!(
                    "has frames more than {depth} deep; they were not searched"
                ));
            }
            return;
        }
        frames.push(Frame { packing, offset });
        let limit = self.limits.frame.min(file.left);
        let before = file.findings.bytes;
        let searched = self.stream(&inner, Some(limit), frames, file);
        // To get at a frame within a frame, the outer one is unpacked again up to it.
        let again = if frames.len() > 1 { offset } else { 0 };
        let spent = (file.findings.bytes - before).saturating_add(again);
        file.left = file.left.saturating_sub(spent);
        match searched {
            Ok(unpacked) if unpacked == limit => file.doubt(&format!(
                "has a {packing} frame at byte {offset} that holds more than {limit} bytes; the rest was \
                 not searched"
            )),
            // A frame that was cut off, or bytes that only look like the beginning of one.
            Ok(_) => {}
            Err(error) => {
                if let Some(why) = unpack::beyond_us(&error) {
                    file.doubt(&format!(
                        "has a {packing} frame at byte {offset} that cannot be unpacked: {why}"
                    ));
                }
            }
        }
        frames.pop();
    }
}

/// A file on its way through the search.
struct File<'a> {
    kind: Kind,
    label: &'a str,
    /// Bytes that may still be unpacked.
    left: u64,
    /// How often each needle was found.
    told: BTreeMap<(String, Option<String>), u64>,
    findings: &'a mut Findings,
}

impl File<'_> {
    fn doubt(&mut self, what: &str) {
        let doubt = format!("{} {what}", self.label);
        if !self.findings.doubts.contains(&doubt) {
            self.findings.doubts.push(doubt);
        }
    }

    fn hit(
        &mut self,
        needle: &str,
        spelling: Spelling,
        digits: Option<String>,
        offset: u64,
        frames: &[Frame],
        most: u64,
    ) {
        let told = self.told.entry((needle.to_owned(), digits.clone()));
        let told = told.or_default();
        *told += 1;
        if *told > most {
            self.findings.left_out += 1;
            return;
        }
        self.findings.hits.push(Hit {
            path: self.label.to_owned(),
            kind: self.kind,
            container: frames.to_vec(),
            offset,
            needle: needle.to_owned(),
            digits,
            spelling,
        });
    }
}
