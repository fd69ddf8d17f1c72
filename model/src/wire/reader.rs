//! Reading what `bytes` writes: the same lengths, with every claim checked before it is believed.

use super::error::{DecodeError, DecodeProblem};

/// The length that stands for nil in payloads and values.
const NIL: u32 = u32::MAX;

/// Walks over bytes from front to back. A part knows where in the whole it lies, so that errors can say.
///
/// Nothing is copied and nothing allocated: a length that exceeds what remains is an error at once.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes, at: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The error that lies at the current place.
    pub(super) fn error(&self, what: &'static str, problem: DecodeProblem) -> DecodeError {
        DecodeError {
            at: self.at,
            what,
            problem,
        }
    }

    /// Takes exactly as many bytes as are claimed.
    pub(super) fn take(
        &mut self,
        count: u64,
        what: &'static str,
    ) -> Result<Reader<'a>, DecodeError> {
        let left = self.rest.len();
        let taken = usize::try_from(count).ok().filter(|count| *count <= left);
        let Some(taken) = taken else {
            let needed = count;
            return Err(self.error(what, DecodeProblem::Truncated { needed, left }));
        };
        let (part, rest) = self.rest.split_at(taken);
        let at = self.at;
        self.rest = rest;
        self.at += taken;
        Ok(Reader { rest: part, at })
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let part = self.take(N as u64, what)?;
        Ok(part.rest.try_into().expect("as many bytes as were taken"))
    }

    pub(super) fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// Inside the description of a type everything is big-endian.
    pub(super) fn big_u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        self.array(what).map(u16::from_be_bytes)
    }

    /// A name behind a big-endian length.
    pub(super) fn big_bytes(&mut self, what: &'static str) -> Result<Reader<'a>, DecodeError> {
        let length = self.array(what).map(u32::from_be_bytes)?;
        self.take(length.into(), what)
    }

    /// What `put_bytes` writes; nil reads as nothing.
    pub(super) fn bytes(&mut self, what: &'static str) -> Result<Reader<'a>, DecodeError> {
        match self.u32(what)? {
            NIL => self.take(0, what),
            length => self.take(length.into(), what),
        }
    }

    /// What `put_compact` writes.
    pub(super) fn compact(&mut self, what: &'static str) -> Result<Reader<'a>, DecodeError> {
        let length = self.varint(what)?;
        self.take(length, what)
    }

    /// What `put_signed_compact` writes; nil reads as nothing.
    pub(super) fn signed_compact(&mut self, what: &'static str) -> Result<Reader<'a>, DecodeError> {
        let start = self.clone();
        let zigzag = self.varint(what)?;
        let length = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        match u64::try_from(length) {
            Ok(length) => self.take(length, what),
            Err(_) if length == -1 => self.take(0, what),
            Err(_) => Err(start.error(what, DecodeProblem::NegativeLength(length))),
        }
    }

    fn varint(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let start = self.clone();
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8(what)?;
            let digits = u64::from(byte & 0x7f);
            if shift == 63 && digits > 1 {
                break;
            }
            number |= digits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(start.error(what, DecodeProblem::Varint))
    }

    /// Everything that is left.
    pub(super) fn raw(self) -> &'a [u8] {
        self.rest
    }

    /// Everything that is left, as text.
    pub(super) fn text(self, what: &'static str) -> Result<&'a str, DecodeError> {
        let at = self.at;
        std::str::from_utf8(self.rest).map_err(|error| DecodeError {
            at: at + error.valid_up_to(),
            what,
            problem: DecodeProblem::Utf8,
        })
    }

    /// Refuses what is left, where the node does so too.
    pub(super) fn finish(&self, what: &'static str) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            extra => Err(self.error(what, DecodeProblem::Trailing(extra))),
        }
    }

    /// The version that opens a structure; only 0 exists.
    pub(super) fn version(&mut self, what: &'static str) -> Result<(), DecodeError> {
        let start = self.clone();
        match self.u16(what)? {
            0 => Ok(()),
            other => Err(start.error(what, DecodeProblem::Version(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_varint(bytes: &[u8], expected: Option<u64>) {
        let read = Reader::new(bytes).varint("number");
        assert_eq!(read.ok(), expected, "{bytes:02x?}");
    }

    #[test]
    fn numbers_of_variable_length_end_within_64_bits() {
        check_varint(&[0x7f], Some(127));
        check_varint(&[0x9e, 0x01], Some(158));
        check_varint(&[0x80, 0x00], Some(0));
        let largest = [&[0xff; 9][..], &[0x01]].concat();
        check_varint(&largest, Some(u64::MAX));
        let too_large = [&[0xff; 9][..], &[0x02]].concat();
        check_varint(&too_large, None);
        check_varint(&[0xff; 11], None);
        check_varint(&[0x80], None);
        check_varint(&[], None);
    }

    #[test]
    fn a_claimed_length_is_compared_with_what_remains() {
        let mut reader = Reader::new(&[0xfe, 0xff, 0xff, 0xff, 1]);
        let error = reader.bytes("argument").unwrap_err();
        assert_eq!(
            error.to_string(),
            "byte 4: argument: encoded length 4294967294 is longer than data length 1"
        );
        // Zig-zag: 1 is -1, nil; 3 is -2, which is no length.
        assert_eq!(
            Reader::new(&[1]).signed_compact("sender").unwrap().raw(),
            b""
        );
        assert!(Reader::new(&[3]).signed_compact("sender").is_err());
    }
}
