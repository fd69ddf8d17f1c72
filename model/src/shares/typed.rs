//! Typed data as EIP-712 hashes it, and the same data as JSON text, which other wallets sign.

use sha3::{Digest, Keccak256};

/// A field's value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Texts(&'a [String]),
    Number(u64),
    Hash(&'a [u8; 32]),
    Hashes(&'a [[u8; 32]]),
    Address(&'a [u8; 20]),
}

/// A struct: its name, and its fields in order.
#[derive(Clone, Debug)]
pub(super) struct Typed<'a> {
    pub(super) name: &'static str,
    pub(super) fields: Vec<(&'static str, Value<'a>)>,
}

impl Value<'_> {
    const fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "string",
            Value::Texts(_) => "string[]",
            Value::Number(_) => "uint64",
            Value::Hash(_) => "bytes32",
            Value::Hashes(_) => "bytes32[]",
            Value::Address(_) => "address",
        }
    }

    /// `encodeData` of one field: 32 bytes.
    fn word(&self) -> [u8; 32] {
        let mut word = [0; 32];
        match self {
            Value::Text(text) => return keccak(text.as_bytes()),
            Value::Texts(texts) => {
                let words: Vec<[u8; 32]> = texts.iter().map(|t| keccak(t.as_bytes())).collect();
                return keccak(words.as_flattened());
            }
            Value::Hashes(hashes) => return keccak(hashes.as_flattened()),
            Value::Hash(hash) => word = **hash,
            Value::Number(number) => word[24..].copy_from_slice(&number.to_be_bytes()),
            Value::Address(address) => word[12..].copy_from_slice(&address[..]),
        }
        word
    }

    fn json(&self) -> serde_json::Value {
        let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
        match self {
            Value::Text(text) => (*text).into(),
            Value::Texts(texts) => texts.to_vec().into(),
            Value::Number(number) => (*number).into(),
            Value::Hash(hash) => hex(&hash[..]).into(),
            Value::Hashes(all) => all.iter().map(|hash| hex(hash)).collect(),
            Value::Address(address) => hex(&address[..]).into(),
        }
    }
}

impl Typed<'_> {
    fn hash(&self) -> [u8; 32] {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|(name, value)| format!("{} {name}", value.kind()))
            .collect();
        let kind = format!("{}({})", self.name, fields.join(","));
        let mut words = vec![keccak(kind.as_bytes())];
        words.extend(self.fields.iter().map(|(_, value)| value.word()));
        keccak(words.as_flattened())
    }

    /// What an EVM wallet signs for this domain.
    pub(super) fn digest(&self, domain: &Typed<'_>) -> [u8; 32] {
        let parts = [&b"\x19\x01"[..], &domain.hash(), &self.hash()];
        keccak(&parts.concat())
    }

    /// The value alone, as JavaScript writes it: fields in order, no white space.
    pub(super) fn json(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|(name, value)| format!("\"{name}\":{}", value.json()))
            .collect();
        format!("{{{}}}", fields.join(","))
    }
}

fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_hash(typed: &Typed<'_>, expected: &str) {
        assert_eq!(hex::encode(typed.hash()), expected);
    }

    /// The persons of the example in EIP-712, whose hashes its reference code gives.
    #[test]
    fn structs_hash_as_in_the_standard() {
        let person = |name, wallet| Typed {
            name: "Person",
            fields: vec![
                ("name", Value::Text(name)),
                ("wallet", Value::Address(wallet)),
            ],
        };
        let wallet = |text: &str| {
            let mut bytes = [0; 20];
            hex::decode_to_slice(text, &mut bytes).unwrap();
            bytes
        };
        let [cow, bob] = [
            "CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826",
            "bBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB",
        ]
        .map(wallet);
        check_hash(
            &person("Cow", &cow),
            "fc71e5fa27ff56c350aa531bc129ebdf613b772b6604664f5d8dbe21b85eb0c8",
        );
        check_hash(
            &person("Bob", &bob),
            "cd54f074a4af31b4411ff6a60c9719dbd559c221c8ac3492d9d872b041d703d1",
        );
    }

    #[test]
    fn the_text_is_what_javascript_writes() {
        let texts = ["x\"y".to_owned()];
        let typed = Typed {
            name: "T",
            fields: vec![
                ("b", Value::Texts(&texts)),
                ("a", Value::Number(7)),
                ("c", Value::Hash(&[0xab; 32])),
            ],
        };
        let expected = format!(
            "{{\"b\":[\"x\\\"y\"],\"a\":7,\"c\":\"0x{}\"}}",
            "ab".repeat(32)
        );
        assert_eq!(typed.json(), expected);
    }
}
