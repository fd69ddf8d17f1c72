//! Keys and addresses of the XRP Ledger. Source: kwil-rpc 5, idos-facts 4.1.

use ripemd::Ripemd160;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Scheme;

/// First byte of an Ed25519 key; the others are secp256k1 points in the usual compressed form.
const ED25519: u8 = 0xed;
/// First byte of an address before it is written in base 58, which makes the text begin with `r`.
const ACCOUNT: u8 = 0;

/// A public key as the XRP Ledger writes it: 33 bytes, of which the first says what the rest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u8, [u8; 32])", into = "(u8, [u8; 32])")]
pub struct XrplKey([u8; 33]);

impl XrplKey {
    /// The key in these bytes, if they begin as a key does; whether it lies on its curve shows when a
    /// signature is looked at.
    pub fn new(bytes: &[u8]) -> Option<XrplKey> {
        let key: [u8; 33] = bytes.try_into().ok()?;
        matches!(key[0], ED25519 | 2 | 3).then_some(XrplKey(key))
    }

    /// An Ed25519 key.
    pub fn ed25519(key: &[u8; 32]) -> XrplKey {
        let mut bytes = [ED25519; 33];
        bytes[1..].copy_from_slice(key);
        XrplKey(bytes)
    }

    /// From 66 hex digits in any case, as wallets show it; nothing else parses.
    pub fn parse(text: &str) -> Option<XrplKey> {
        let mut bytes = [0; 33];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        XrplKey::new(&bytes)
    }

    /// All 33 bytes.
    pub fn bytes(&self) -> &[u8; 33] {
        &self.0
    }

    /// The 32 bytes of an Ed25519 key, when it is one.
    pub fn as_ed25519(&self) -> Option<&[u8; 32]> {
        let (prefix, key) = self.0.split_first()?;
        (*prefix == ED25519).then(|| key.try_into().expect("33 bytes less one"))
    }

    /// How the key signs.
    pub fn scheme(&self) -> Scheme {
        match self.0[0] {
            ED25519 => Scheme::XrplEd25519,
            _ => Scheme::XrplSecp256k1,
        }
    }

    /// The classic address, `r…`: base 58 with the ledger's own alphabet over RIPEMD-160 of SHA-256 of the
    /// key, with a checksum.
    pub fn address(&self) -> String {
        let account = Ripemd160::digest(Sha256::digest(self.0));
        bs58::encode(account)
            .with_alphabet(bs58::Alphabet::RIPPLE)
            .with_check_version(ACCOUNT)
            .into_string()
    }
}

/// Whether a text is a classic address: an account id of 20 bytes with the right checksum.
pub fn is_xrpl_address(text: &str) -> bool {
    let decoded = bs58::decode(text)
        .with_alphabet(bs58::Alphabet::RIPPLE)
        .with_check(Some(ACCOUNT))
        .into_vec();
    decoded.is_ok_and(|bytes| bytes.len() == 21)
}

impl TryFrom<(u8, [u8; 32])> for XrplKey {
    type Error = &'static str;

    fn try_from((prefix, rest): (u8, [u8; 32])) -> Result<XrplKey, &'static str> {
        XrplKey::new(&[&[prefix], &rest[..]].concat()).ok_or("an XRPL key begins with ed, 02 or 03")
    }
}

impl From<XrplKey> for (u8, [u8; 32]) {
    fn from(key: XrplKey) -> (u8, [u8; 32]) {
        let (prefix, rest) = key.0.split_first().expect("33 bytes");
        (*prefix, rest.try_into().expect("33 bytes less one"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The account of the genesis ledger and two of ripple-keypairs' own tests.
    #[test]
    fn addresses_follow_from_keys() {
        let table = [
            (
                "0330E7FC9D56BB25D6893BA3F317AE5BCF33B3291BD63DB32654A313222F7FD020",
                "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
            ),
            (
                "ED01FA53FA5A7E77798F882ECE20B1ABC00BB358A9E55A202D0D0676BD0CE37A63",
                "rLUEXYuLiQptky37CqLcm9USQpPiz5rkpD",
            ),
            (
                "030D58EB48B4420B1F7B9DF55087E0E29FEF0E8468F9A6825B01CA2C361042D435",
                "rU6K7V3Po4snVhBBaU29sesqs2qTQJWDw1",
            ),
        ];
        for (key, address) in table {
            assert_eq!(XrplKey::parse(key).unwrap().address(), address);
            assert!(is_xrpl_address(address));
        }
    }

    #[test]
    fn what_is_no_key_and_no_address() {
        let point = "02".repeat(33);
        assert!(XrplKey::parse(&point).is_some());
        for wrong in ["", &point[2..], &format!("{point}02"), &"04".repeat(33)] {
            assert_eq!(XrplKey::parse(wrong), None, "{wrong}");
        }
        for wrong in [
            "",
            "r",
            "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTH",
            "rhb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
            "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyT",
            "0x5ccbe82FEDE13aecdA449eCA4D4dE05E45861684",
        ] {
            assert!(!is_xrpl_address(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_key_survives_storage() {
        for key in [XrplKey::ed25519(&[7; 32]), XrplKey::new(&[2; 33]).unwrap()] {
            let stored = postcard::to_allocvec(&key).unwrap();
            assert_eq!(postcard::from_bytes(&stored), Ok(key));
        }
        let wrong = postcard::to_allocvec(&(4_u8, [7_u8; 32])).unwrap();
        assert!(postcard::from_bytes::<XrplKey>(&wrong).is_err());
    }
}
