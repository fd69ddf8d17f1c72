//! Takes parts off the front and never looks beyond the end.

use super::{CodecError, Problem, VERSION};

pub(super) struct Reader<'a> {
    all: usize,
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads on behind the version.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Reader<'a>, CodecError> {
        let mut reader = Reader {
            all: bytes.len(),
            left: bytes,
        };
        match reader.u8("version")? {
            VERSION => Ok(reader),
            other => Err(CodecError {
                at: 0,
                what: "version",
                problem: Problem::Version(other),
            }),
        }
    }

    /// How much was read.
    pub(super) fn at(&self) -> usize {
        self.all - self.left.len()
    }

    /// The byte just read stands for nothing.
    pub(super) fn wrong_tag(&self, what: &'static str, tag: u8) -> CodecError {
        CodecError {
            at: self.at().saturating_sub(1),
            what,
            problem: Problem::Tag(tag),
        }
    }

    fn take(&mut self, what: &'static str, needed: usize) -> Result<&'a [u8], CodecError> {
        match self.left.split_at_checked(needed) {
            Some((taken, left)) => {
                self.left = left;
                Ok(taken)
            }
            None => Err(CodecError {
                at: self.at(),
                what,
                problem: Problem::Truncated {
                    needed,
                    left: self.left.len(),
                },
            }),
        }
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], CodecError> {
        let taken = self.take(what, N)?;
        Ok(taken.try_into().expect("as many bytes as were asked for"))
    }

    pub(super) fn u8(&mut self, what: &'static str) -> Result<u8, CodecError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self, what: &'static str) -> Result<u16, CodecError> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, CodecError> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Result<u64, CodecError> {
        self.array(what).map(u64::from_le_bytes)
    }

    pub(super) fn hash(&mut self, what: &'static str) -> Result<[u8; 32], CodecError> {
        self.array(what)
    }

    pub(super) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], CodecError> {
        let length = self.u32(what)? as usize;
        self.take(what, length)
    }

    /// A list grows with what is really there, whatever length it claims.
    pub(super) fn list<T>(
        &mut self,
        what: &'static str,
        mut part: impl FnMut(&mut Reader<'a>) -> Result<T, CodecError>,
    ) -> Result<Vec<T>, CodecError> {
        let length = self.u32(what)?;
        let mut list = Vec::new();
        for _ in 0..length {
            list.push(part(self)?);
        }
        Ok(list)
    }

    pub(super) fn finish(self, what: &'static str) -> Result<(), CodecError> {
        match self.left.len() {
            0 => Ok(()),
            more => Err(CodecError {
                at: self.at(),
                what,
                problem: Problem::Trailing(more),
            }),
        }
    }
}
