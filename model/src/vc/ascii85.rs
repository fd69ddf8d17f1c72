//! Ascii85 in its `<~ ~>` form: how idOS puts files into JSON. Source: idos-facts 4.12.

/// Four bytes become five characters from `!` to `u`; four zero bytes become `z`.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() / 4 * 5 + 9);
    text.push_str("<~");
    for chunk in bytes.chunks(4) {
        let mut group = [0; 4];
        group[..chunk.len()].copy_from_slice(chunk);
        let mut value = u32::from_be_bytes(group);
        if value == 0 && chunk.len() == 4 {
            text.push('z');
            continue;
        }
        let mut digits = [0; 5];
        for digit in digits.iter_mut().rev() {
            *digit = b'!' + (value % 85) as u8;
            value /= 85;
        }
        // A short last group drops as many characters as it lacks bytes.
        text.extend(digits[..=chunk.len()].iter().copied().map(char::from));
    }
    text.push_str("~>");
    text
}

/// The bytes of a text that [`encode`] made; any other text gives nothing, so each file has one text.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let body = text.strip_prefix("<~")?.strip_suffix("~>")?;
    let mut bytes = Vec::with_capacity(body.len() / 5 * 4 + 4);
    let mut group = Vec::with_capacity(5);
    for character in body.bytes() {
        match character {
            b'z' if group.is_empty() => bytes.extend([0; 4]),
            b'!'..=b'u' => group.push(character - b'!'),
            _ => return None,
        }
        if group.len() == 5 {
            bytes.extend(value(&group)?);
            group.clear();
        }
    }
    if !group.is_empty() {
        let kept = group.len() - 1;
        group.resize(5, 84);
        bytes.extend(&value(&group)?[..kept]);
    }
    (encode(&bytes) == text).then_some(bytes)
}

fn value(digits: &[u8]) -> Option<[u8; 4]> {
    let value = digits
        .iter()
        .fold(0, |value, digit| value * 85 + u64::from(*digit));
    u32::try_from(value).ok().map(u32::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_laws::laws;
    use proptest::prelude::*;

    #[test]
    fn files_read_as_the_published_examples() {
        // The first three appear in tests of the idOS SDK, the fourth in the usual description of Ascii85.
        let table: [(&[u8], &str); 7] = [
            (b"Front", "<~7WNEbF8~>"),
            (b"Proof", "<~:i^JmAc~>"),
            (b"Selfie", "<~;e9cWBk7~>"),
            (b"Man is d", "<~9jqo^BlbD-~>"),
            (b"", "<~~>"),
            (&[0; 4], "<~z~>"),
            (&[0; 3], "<~!!!!~>"),
        ];
        for (bytes, text) in table {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).as_deref(), Some(bytes));
        }
    }

    #[test]
    fn only_one_text_stands_for_a_file() {
        for text in [
            "",
            "<~",
            "<~!~>",
            "<~uuuuu~>",
            "<~!!!!!~>",
            "<~a z~>",
            "<~!z~>",
            "9jqo^",
            "<~>",
            "<~é~>",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    laws! {
        256;

        fn every_file_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        fn any_text_is_read_without_panic(text in ".*") {
            let _ = decode(&text);
        }
    }
}
