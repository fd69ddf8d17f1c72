//! NEP-413, how NEAR wallets sign a text: a payload that names the text and who asked for it, hashed and
//! signed with Ed25519. Source: kwil-rpc 5, idos-facts 4.1.

use sha2::{Digest, Sha256};

/// First four bytes of every payload, little-endian: 2^31 + 413, so that no payload is a transaction.
const TAG: u32 = 2_147_484_061;
/// Whom idOS wallets sign for: server signers name the first, browsers the second.
const RECIPIENTS: [&str; 2] = ["idos-issuer", "idos.network"];
/// Length of the Ed25519 signature at the end of a container.
const SIGNATURE: usize = 64;

/// What a NEAR wallet signs: the text, and the circumstances it was asked under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nep413<'a> {
    /// The text, as bytes.
    pub message: &'a [u8],
    /// Meant to be fresh for each signature; nobody remembers those that were used.
    pub nonce: [u8; 32],
    /// Who asked for the signature.
    pub recipient: &'a str,
    /// Where a wallet in another page sends the signature.
    pub callback_url: Option<&'a str>,
}

impl<'a> Nep413<'a> {
    /// What the model's own wallets sign: for a browser, with a nonce that follows from key and text.
    pub(super) fn of(key: &[u8; 32], message: &'a [u8]) -> Nep413<'a> {
        let nonce = Sha256::new().chain_update(key).chain_update(message);
        Nep413 {
            message,
            nonce: nonce.finalize().into(),
            recipient: RECIPIENTS[1],
            callback_url: None,
        }
    }

    /// The payload in Borsh: numbers little-endian, texts behind their length in four bytes.
    pub fn payload(&self) -> Vec<u8> {
        let mut out = TAG.to_le_bytes().to_vec();
        put_text(&mut out, self.message);
        out.extend(self.nonce);
        put_text(&mut out, self.recipient.as_bytes());
        out.push(u8::from(self.callback_url.is_some()));
        if let Some(url) = self.callback_url {
            put_text(&mut out, url.as_bytes());
        }
        out
    }

    /// The 32 bytes under the Ed25519 signature.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.payload()).into()
    }

    /// Payload and signature in one, as idOS transports them: length of the payload in two bytes,
    /// big-endian, payload, signature. A payload that is too long for its length gives what nobody accepts.
    pub fn container(&self, signature: &[u8]) -> Vec<u8> {
        let payload = self.payload();
        let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
        [&length.to_be_bytes(), &payload[..], signature].concat()
    }

    /// Takes a container apart into what was signed and the signature. Nothing when a byte is missing, left
    /// over, or not what it should be.
    pub fn read(container: &'a [u8]) -> Option<(Nep413<'a>, &'a [u8; SIGNATURE])> {
        let (length, rest) = container.split_first_chunk()?;
        let (payload, signature) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let (tag, rest) = payload.split_first_chunk()?;
        if u32::from_le_bytes(*tag) != TAG {
            return None;
        }
        let (message, rest) = text(rest)?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (recipient, rest) = text(rest)?;
        let (callback_url, rest) = match rest.split_first()? {
            (0, rest) => (None, rest),
            (1, rest) => text(rest).map(|(url, rest)| (Some(url), rest))?,
            _ => return None,
        };
        if !rest.is_empty() {
            return None;
        }
        let signed = Nep413 {
            message,
            nonce: *nonce,
            recipient: std::str::from_utf8(recipient).ok()?,
            callback_url: callback_url.map(std::str::from_utf8).transpose().ok()?,
        };
        Some((signed, signature.try_into().ok()?))
    }

    /// Whether this is about the text, and idOS asked for it: a signature for another site, or over another
    /// text, says nothing here.
    pub(super) fn is_for(&self, message: &[u8]) -> bool {
        self.message == message && RECIPIENTS.contains(&self.recipient)
    }
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    // A longer one does not fit the container either, which tells.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    out.extend(length.to_le_bytes());
    out.extend(text);
}

fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_le_bytes(*length).try_into().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(callback_url: Option<&'static str>) -> Nep413<'static> {
        Nep413 {
            message: b"hello",
            nonce: [7; 32],
            recipient: "idos.network",
            callback_url,
        }
    }

    #[test]
    fn a_container_reads_back_whole_and_in_no_other_length() {
        for callback_url in [None, Some(""), Some("https://example.test/cb")] {
            let signed = sample(callback_url);
            let container = signed.container(&[9; 64]);
            assert_eq!(Nep413::read(&container), Some((signed, &[9; 64])));
            for end in 0..container.len() {
                assert_eq!(Nep413::read(&container[..end]), None, "{end}");
            }
            assert_eq!(Nep413::read(&[&container[..], &[0]].concat()), None);
        }
    }

    #[test]
    fn a_container_with_another_tag_option_or_text_does_not_read() {
        let container = sample(None).container(&[9; 64]);
        let option = container.len() - 65;
        // The tag, the option's presence, a byte of the recipient that is no UTF-8.
        for (place, byte) in [(2, 0x9c), (option, 2), (option - 1, 0xff)] {
            let mut spoilt = container.clone();
            spoilt[place] = byte;
            assert_eq!(Nep413::read(&spoilt), None, "{place}");
        }
    }

    #[test]
    fn only_this_text_for_idos_counts() {
        let table = [
            (&b"hello"[..], "idos.network", true),
            (b"hello", "idos-issuer", true),
            (b"hell", "idos.network", false),
            (b"hello", "idos.network.example", false),
            (b"hello", "", false),
        ];
        for (message, recipient, counts) in table {
            let signed = Nep413 {
                recipient,
                ..sample(None)
            };
            assert_eq!(signed.is_for(message), counts, "{recipient}");
        }
    }

    #[test]
    fn a_text_too_long_for_its_length_gives_nothing_that_reads() {
        let message = vec![b'a'; 70_000];
        let container = Nep413::of(&[1; 32], &message).container(&[9; 64]);
        assert_eq!(Nep413::read(&container), None);
    }
}
