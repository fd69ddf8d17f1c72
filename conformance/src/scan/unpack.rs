//! Reading what is searched from any byte on, unpacked where it is packed.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde::Serialize;

/// How a frame is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Packing {
    /// Zstandard. Source: RFC 8878.
    Zstd,
    /// gzip with deflate. Source: RFC 1952.
    Gzip,
}

impl Packing {
    /// All of them.
    pub(super) const ALL: [Packing; 2] = [Packing::Zstd, Packing::Gzip];

    /// The bytes a frame begins with.
    pub(super) const fn magic(self) -> &'static [u8] {
        match self {
            Packing::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
            Packing::Gzip => &[0x1f, 0x8b, 0x08],
        }
    }

    fn unpack<'a>(self, packed: Box<dyn Read + 'a>) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Packing::Zstd => Box::new(zstd::stream::read::Decoder::new(packed)?.single_frame()),
            Packing::Gzip => Box::new(flate2::read::GzDecoder::new(packed)),
        })
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Packing::Zstd => "zstd",
            Packing::Gzip => "gzip",
        })
    }
}

/// Bytes that can be read from any place on, as often as needed.
pub(super) trait Source {
    /// A reader that begins at this byte.
    fn open(&self, offset: u64) -> io::Result<Box<dyn Read + '_>>;
}

/// A file.
pub(super) struct FileSource<'a>(pub(super) &'a Path);

impl Source for FileSource<'_> {
    fn open(&self, offset: u64) -> io::Result<Box<dyn Read + '_>> {
        let mut file = File::open(self.0)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(file))
    }
}

/// Bytes in memory.
pub(super) struct SliceSource<'a>(pub(super) &'a [u8]);

impl Source for SliceSource<'_> {
    fn open(&self, offset: u64) -> io::Result<Box<dyn Read + '_>> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.0.get(at..));
        Ok(Box::new(rest.unwrap_or(&[])))
    }
}

/// What a frame holds. It is unpacked anew for each reader, so that no frame is ever held in memory.
pub(super) struct FrameSource<'a> {
    pub(super) within: &'a dyn Source,
    pub(super) packing: Packing,
    pub(super) offset: u64,
}

impl FrameSource<'_> {
    /// Whether there is a frame at all, or only bytes that look like the beginning of one.
    pub(super) fn yields_something(&self) -> bool {
        let reader = self.open(0);
        reader.is_ok_and(|mut reader| reader.read(&mut [0; 1]).is_ok_and(|read| read > 0))
    }
}

impl Source for FrameSource<'_> {
    fn open(&self, offset: u64) -> io::Result<Box<dyn Read + '_>> {
        let packed = self.within.open(self.offset)?;
        let mut reader = self.packing.unpack(packed)?;
        io::copy(&mut reader.by_ref().take(offset), &mut io::sink())?;
        Ok(reader)
    }
}

/// Why a frame that is one cannot be unpacked here, in zstd's words; nothing when it is merely broken.
pub(super) fn beyond_us(error: &io::Error) -> Option<String> {
    let words = error.to_string();
    let ours = ["Dictionary", "too much memory"];
    ours.iter()
        .any(|known| words.contains(known))
        .then_some(words)
}
