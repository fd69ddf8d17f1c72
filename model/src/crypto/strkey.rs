//! StrKey, how Stellar writes keys: base 32 over a version, the key and a checksum. Source: idos-facts 2.2.

/// Version byte of an account's Ed25519 key, which makes the text begin with `G`.
const ACCOUNT: u8 = 6 << 3;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Version, key and checksum: 35 bytes, which fill 56 letters of five bits exactly.
const BYTES: usize = 35;
const LETTERS: usize = 56;

/// The `G…` address of an Ed25519 key.
pub fn stellar_address(key: &[u8; 32]) -> String {
    let mut bytes = [ACCOUNT; BYTES];
    bytes[1..33].copy_from_slice(key);
    let checksum = crc16(&bytes[..33]);
    bytes[33..].copy_from_slice(&checksum.to_le_bytes());
    let mut text = String::with_capacity(LETTERS);
    for five in bytes.chunks(5) {
        let bits = five
            .iter()
            .fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            let letter = ALPHABET[(bits >> (5 * place) & 31) as usize];
            text.push(letter.into());
        }
    }
    text
}

/// The Ed25519 key behind a `G…` address; nothing when version, letters, length or checksum are wrong.
pub fn parse_stellar_address(text: &str) -> Option<[u8; 32]> {
    if text.len() != LETTERS {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (eight, five) in text.as_bytes().chunks(8).zip(bytes.chunks_mut(5)) {
        let mut bits = 0;
        for letter in eight {
            let value = ALPHABET.iter().position(|known| known == letter)?;
            bits = bits << 5 | value as u64;
        }
        five.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    let (body, checksum) = bytes.split_last_chunk()?;
    let (version, key) = body.split_first()?;
    let right = *version == ACCOUNT && u16::from_le_bytes(*checksum) == crc16(body);
    right.then(|| key.try_into().expect("35 bytes less one and two"))
}

/// CRC-16/XMODEM: polynomial 0x1021, beginning at zero.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| match crc & 0x8000 {
            0 => crc << 1,
            _ => crc << 1 ^ 0x1021,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    /// The first is in SEP-23, the second belongs to the seed `66`x32 of the transaction vectors.
    #[test]
    fn addresses_follow_from_keys_and_lead_back() {
        let table = [
            (
                "3f0c34bf93ad0d9971d04ccc90f705511c838aad9734a4a2fb0d7a03fc7fe89a",
                "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ",
            ),
            (
                "34b4d9043156cb6dcf0beb0a2949b7559c940d2bcb6dbe8c53a9b30278e3a746",
                "GA2LJWIEGFLMW3OPBPVQUKKJW5KZZFANFPFW3PUMKOU3GATY4OTUMEE4",
            ),
        ];
        for (key, address) in table {
            let mut bytes = [0; 32];
            hex::decode_to_slice(key, &mut bytes).unwrap();
            assert_eq!(stellar_address(&bytes), address);
            assert_eq!(parse_stellar_address(address), Some(bytes));
        }
    }

    #[test]
    fn a_damaged_address_is_none() {
        let address = stellar_address(&[7; 32]);
        let table = [
            String::new(),
            address[1..].to_owned(),
            format!("{address}A"),
            address.to_lowercase(),
            address.replacen('G', "S", 1),
            address.replacen('G', "1", 1),
            format!("{}é", &address[2..]),
        ];
        for wrong in table {
            assert_eq!(parse_stellar_address(&wrong), None, "{wrong}");
        }
        for place in 0..address.len() {
            let mut wrong = address.clone().into_bytes();
            wrong[place] = if wrong[place] == b'B' { b'C' } else { b'B' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(parse_stellar_address(&wrong), None, "{wrong}");
        }
    }
}
