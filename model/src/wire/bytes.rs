//! The four ways in which a length is written.

/// `u32` little-endian length, then the bytes: used in payloads and values.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("a part of a payload is below 4 GiB");
    out.extend(length.to_le_bytes());
    out.extend(bytes);
}

/// How many things follow, as `u16` little-endian.
pub(super) fn put_count(out: &mut Vec<u8>, count: usize) {
    let count = u16::try_from(count).expect("calls and arguments are counted in 16 bits");
    out.extend(count.to_le_bytes());
}

/// Length as an unsigned LEB128 number, then the bytes: `cstr`, used in transactions.
pub(super) fn put_compact(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend(bytes);
}

/// Length as a zig-zag number, where -1 would mean nil, then the bytes: `cbytes`, used in transactions.
pub(super) fn put_signed_compact(out: &mut Vec<u8>, bytes: &[u8]) {
    // Zig-zag doubles what is not negative, and a length never is.
    put_varint(out, 2 * bytes.len() as u64);
    out.extend(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(put: fn(&mut Vec<u8>, &[u8]), length: usize, prefix: &[u8]) {
        let mut out = Vec::new();
        put(&mut out, &vec![7; length]);
        assert_eq!(&out[..prefix.len()], prefix);
        assert_eq!(out.len(), prefix.len() + length);
    }

    #[test]
    fn lengths_are_written_as_their_readers_expect() {
        check(put_bytes, 258, &[2, 1, 0, 0]);
        check(put_compact, 127, &[0x7f]);
        check(put_compact, 158, &[0x9e, 0x01]);
        check(put_signed_compact, 63, &[0x7e]);
        check(put_signed_compact, 158, &[0xbc, 0x02]);
    }
}
