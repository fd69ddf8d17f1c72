//! Proofs: Data Integrity with cryptosuite `eddsa-jcs-2022`.
//! Source: W3C Recommendation "Data Integrity EdDSA Cryptosuites v1.0", section 3.3.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::document::{About, date, date_text};
use super::{VcError, VerifiableCredential, json};
use crate::crypto::{Identity, Scheme, SigningKey, Suite};
use crate::time::BlockTime;

/// The one cryptosuite written and believed here.
pub const CRYPTOSUITE: &str = "eddsa-jcs-2022";

const PROOF_TYPE: &str = "DataIntegrityProof";
const PURPOSE: &str = "assertionMethod";
const KEY_PATH: &str = "/keys/1";
const SIGNATURE_LEN: usize = 64;

/// 64 bytes in base58 have at most 88 digits. Decoding costs the square of the length, so longer texts
/// are refused first.
const PROOF_VALUE_MAX: usize = 89;

/// An issuer a reader believes, and one of its keys. An issuer with several keys stands in the list once
/// for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// The issuer's URL, exactly as in [`super::Draft::issuer_url`].
    pub url: String,
    /// An Ed25519 key of the issuer; an entry of another scheme never verifies anything.
    pub key: Identity,
}

/// What a verified document says, for the checks that only the reader can make: whether it is about the
/// user at hand, and what the notes say of `id`. Source: idos-facts 5.14.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// URL of the issuer that vouches for it.
    pub issuer_url: String,
    /// Whom it is about.
    pub about: About,
    /// The credential's own id.
    pub id: String,
    /// First second in which it is no longer valid.
    pub expires: BlockTime,
    /// The key that signed it.
    pub key: Identity,
    /// When it was signed, or was issued if it says that this came later; nothing when its proof has no date.
    pub dated: Option<BlockTime>,
}

impl VerifiableCredential {
    /// Adds the issuer's proof over the whole document, in place of any earlier one. `created` is the
    /// issuer's own idea of the time; nobody checks it. Errors: `UnsuitableKey` unless the key is
    /// Ed25519.
    pub fn prove(
        &mut self,
        suite: &dyn Suite,
        key: &SigningKey,
        created: BlockTime,
    ) -> Result<(), VcError> {
        if key.scheme != Scheme::Ed25519 {
            return Err(VcError::UnsuitableKey);
        }
        let members = [
            ("type", json!(PROOF_TYPE)),
            ("cryptosuite", json!(CRYPTOSUITE)),
            ("created", json!(date_text(created))),
            ("verificationMethod", json!(self.verification_method())),
            ("proofPurpose", json!(PURPOSE)),
            (
                "@context",
                self.document.get("@context").cloned().unwrap_or_default(),
            ),
        ];
        let mut proof: Map<String, Value> = members
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect();
        let signature = suite.sign(key, &hash_data(&proof, &self.document));
        proof.insert("proofValue".to_owned(), json!(multibase(&signature)));
        self.document
            .insert("proof".to_owned(), Value::Object(proof));
        Ok(())
    }

    /// Whether to believe the document at `now`: it has a proof of the known kind by a key of its
    /// issuer, the issuer is in the list, one of its keys made the signature over exactly this document,
    /// and it has not expired (it is over from its expiration second on). That the subject is the user
    /// at hand, and what the public notes say, remain for the caller. Errors: `NoProof`, `BadField`,
    /// `UnknownCryptosuite`, `WrongPurpose`, `ContextMismatch`, `ForeignMethod`, `UntrustedIssuer`,
    /// `BadProofValue`, `WrongSignature`, `Expired`.
    pub fn verify(
        &self,
        suite: &dyn Suite,
        trusted: &[TrustedIssuer],
        now: BlockTime,
    ) -> Result<Verified, VcError> {
        let proof = match self.document.get("proof") {
            None => return Err(VcError::NoProof),
            Some(Value::Object(proof)) => proof,
            Some(_) => return Err(VcError::BadField { field: "proof" }),
        };
        self.check_options(proof)?;
        let signature = signature(text(proof, "proofValue")).ok_or(VcError::BadProofValue)?;
        let issuer_url = self.issuer_url();
        let mut keys = trusted
            .iter()
            .filter(|issuer| issuer.url == issuer_url && issuer.key.scheme() == Scheme::Ed25519)
            .map(|issuer| issuer.key)
            .peekable();
        if keys.peek().is_none() {
            return Err(VcError::UntrustedIssuer {
                issuer: self.issuer().to_owned(),
            });
        }
        let message = hash_data(proof, &self.document);
        let Some(key) = keys.find(|key| suite.verify(key, &message, &signature)) else {
            return Err(VcError::WrongSignature);
        };
        if self.expires() <= now {
            return Err(VcError::Expired { at: self.expires() });
        }
        Ok(Verified {
            issuer_url: issuer_url.to_owned(),
            about: self.about().clone(),
            id: self.id().to_owned(),
            expires: self.expires(),
            key,
            dated: (date(proof, "created").ok())
                .zip(date(&self.document, "issuanceDate").ok())
                .map(|(created, issued)| created.max(issued)),
        })
    }

    /// Whether the proof is of the kind this reader can check, made by the issuer for this document.
    fn check_options(&self, proof: &Map<String, Value>) -> Result<(), VcError> {
        for (name, known) in [("type", PROOF_TYPE), ("cryptosuite", CRYPTOSUITE)] {
            let found = text(proof, name);
            if found != known {
                return Err(VcError::UnknownCryptosuite {
                    name: found.to_owned(),
                });
            }
        }
        if text(proof, "proofPurpose") != PURPOSE {
            return Err(VcError::WrongPurpose);
        }
        // The specification lets a document gain contexts after those of the proof. An idOS document
        // never gains any, and with equality the proof covers every part of it.
        if proof.get("@context") != self.document.get("@context") {
            return Err(VcError::ContextMismatch);
        }
        if text(proof, "verificationMethod") != self.verification_method() {
            return Err(VcError::ForeignMethod);
        }
        Ok(())
    }

    fn verification_method(&self) -> String {
        format!("{}{KEY_PATH}", self.issuer_url())
    }
}

/// A member's text; absent and other than text both read as empty, which no check accepts.
fn text<'a>(proof: &'a Map<String, Value>, name: &str) -> &'a str {
    proof.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What is signed: SHA-256 of the canonical proof options, then SHA-256 of the canonical document without
/// its proof. Options are all members of the proof but the value.
fn hash_data(proof: &Map<String, Value>, document: &Map<String, Value>) -> [u8; 64] {
    let mut data = [0; 64];
    let (options, unsecured) = data.split_at_mut(32);
    options.copy_from_slice(&json::digest(&without(proof, "proofValue")));
    unsecured.copy_from_slice(&json::digest(&without(document, "proof")));
    data
}

fn without<'a>(members: &'a Map<String, Value>, name: &str) -> BTreeMap<&'a str, &'a Value> {
    members
        .iter()
        .map(|(member, value)| (member.as_str(), value))
        .filter(|(member, _)| *member != name)
        .collect()
}

/// Multibase base58btc: `z` and the digits.
fn multibase(bytes: &[u8]) -> String {
    format!("z{}", bs58::encode(bytes).into_string())
}

fn signature(proof_value: &str) -> Option<[u8; SIGNATURE_LEN]> {
    if proof_value.len() > PROOF_VALUE_MAX {
        return None;
    }
    let bytes = bs58::decode(proof_value.strip_prefix('z')?)
        .into_vec()
        .ok()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Real;
    use crate::vc::document::tests::draft;
    use crate::vc::subject::tests::{alice, bob};
    use crate::vc::{Draft, Subject};
    use assay_laws::laws;
    use proptest::prelude::*;
    use proptest::sample::Index;
    use std::sync::Arc;

    fn real() -> Real {
        Real::new(Arc::default())
    }

    fn key(byte: u8) -> SigningKey {
        SigningKey {
            scheme: Scheme::Ed25519,
            secret: [byte; 32],
        }
    }

    fn trust(url: &str, byte: u8) -> TrustedIssuer {
        TrustedIssuer {
            url: url.into(),
            key: real().identity(&key(byte)),
        }
    }

    const URL: &str = "https://issuer.example";
    const NOW: BlockTime = BlockTime(1_800_000_000);

    fn proven(draft: &Draft) -> VerifiableCredential {
        let mut credential = VerifiableCredential::build(draft);
        credential.prove(&real(), &key(1), draft.issued).unwrap();
        credential
    }

    fn to_json(credential: &VerifiableCredential) -> Value {
        serde_json::from_slice(&credential.to_bytes()).unwrap()
    }

    /// `ok` or the code of the refusal, by a reader who trusts the issuer's first key.
    fn judge(document: &Value) -> &'static str {
        judge_bytes(document.to_string().as_bytes())
    }

    fn judge_bytes(bytes: &[u8]) -> &'static str {
        VerifiableCredential::parse(bytes)
            .and_then(|read| read.verify(&real(), &[trust(URL, 1)], NOW))
            .map_or_else(|error| error.code(), |_| "ok")
    }

    #[test]
    fn proofs_agree_with_the_published_vectors() {
        let file: Value =
            serde_json::from_str(include_str!("../../tests/vectors/eddsa_jcs_2022.json")).unwrap();
        // Two bytes of multicodec stand before the key.
        let secret = file["secretKeyMultibase"]
            .as_str()
            .unwrap()
            .strip_prefix('z')
            .unwrap();
        let secret = bs58::decode(secret).into_vec().unwrap();
        let signer = SigningKey {
            scheme: Scheme::Ed25519,
            secret: secret[2..].try_into().unwrap(),
        };
        let public = [&[0xed, 0x01], real().identity(&signer).bytes()].concat();
        assert_eq!(multibase(&public), file["publicKeyMultibase"]);
        let vectors = file["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 2);
        for vector in vectors {
            let document = vector["signedDocument"].as_object().unwrap();
            let proof = document["proof"].as_object().unwrap();
            let options = json::canonical(&without(proof, "proofValue"));
            assert_eq!(
                String::from_utf8(options).unwrap(),
                vector["canonicalProofOptions"]
            );
            let unsecured = json::canonical(&without(document, "proof"));
            assert_eq!(
                String::from_utf8(unsecured).unwrap(),
                vector["canonicalDocument"]
            );
            let message = hash_data(proof, document);
            if let Some(expected) = vector.get("hashData") {
                assert_eq!(&hex::encode(message), expected);
            }
            let made = real().sign(&signer, &message);
            assert_eq!(hex::encode(&made), vector["signature"]);
            assert_eq!(multibase(&made), text(proof, "proofValue"));
            let read = signature(text(proof, "proofValue")).unwrap();
            assert!(real().verify(&real().identity(&signer), &message, &read));
        }
    }

    #[test]
    fn a_proven_document_is_believed_after_a_journey() {
        for subject in [alice(), bob()] {
            let sent = proven(&draft(subject.clone()));
            let read = VerifiableCredential::parse(&sent.to_bytes()).unwrap();
            let keys = [
                trust("https://other.example", 1),
                trust(URL, 2),
                trust(URL, 1),
            ];
            let verified = read.verify(&real(), &keys, NOW).unwrap();
            assert_eq!(verified.issuer_url, URL);
            assert_eq!(verified.about, About::User(subject.user));
            assert_eq!(verified.id, read.id());
            assert_eq!(verified.expires, BlockTime(1_924_992_000));
            assert_eq!(read.subject(), Ok(subject));
        }
    }

    #[test]
    fn a_proof_has_the_members_of_the_profile() {
        let json = to_json(&proven(&draft(bob())));
        let proof = &json["proof"];
        let table = [
            ("type", "DataIntegrityProof"),
            ("cryptosuite", "eddsa-jcs-2022"),
            ("created", "2026-01-01T00:00:00Z"),
            ("verificationMethod", "https://issuer.example/keys/1"),
            ("proofPurpose", "assertionMethod"),
        ];
        for (name, text) in table {
            assert_eq!(proof[name], text, "{name}");
        }
        assert_eq!(proof["@context"], json["@context"]);
        assert!(proof["proofValue"].as_str().unwrap().starts_with('z'));
        assert_eq!(proof.as_object().unwrap().len(), 7);
    }

    #[test]
    fn proving_again_replaces_the_proof() {
        let mut credential = proven(&draft(bob()));
        let first = credential.clone();
        credential.prove(&real(), &key(2), NOW).unwrap();
        credential
            .prove(&real(), &key(1), draft(bob()).issued)
            .unwrap();
        assert_eq!(credential, first);
    }

    #[test]
    fn only_trusted_keys_of_the_issuer_count() {
        let credential = proven(&draft(bob()));
        let check = |trusted: &[TrustedIssuer], code: &str| {
            let found = credential.verify(&real(), trusted, NOW);
            assert_eq!(found.map_or_else(|error| error.code(), |_| "ok"), code);
        };
        check(&[], "untrusted-issuer");
        check(&[trust("https://issuer.example/", 1)], "untrusted-issuer");
        check(
            &[TrustedIssuer {
                url: URL.into(),
                key: Identity::Evm([0; 20]),
            }],
            "untrusted-issuer",
        );
        check(&[trust(URL, 2)], "wrong-signature");
        check(&[trust(URL, 2), trust(URL, 1)], "ok");
    }

    #[test]
    fn a_document_ends_with_its_expiration_second() {
        let credential = proven(&Draft {
            expires: BlockTime(100),
            ..draft(bob())
        });
        for (now, code) in [(99, "ok"), (100, "expired"), (101, "expired")] {
            let found = credential.verify(&real(), &[trust(URL, 1)], BlockTime(now));
            assert_eq!(
                found.map_or_else(|error| error.code(), |_| "ok"),
                code,
                "{now}"
            );
        }
    }

    #[test]
    fn every_refusal_says_why() {
        let whole = to_json(&proven(&draft(bob())));
        assert_eq!(judge(&whole), "ok");
        assert_eq!(
            judge(&to_json(&VerifiableCredential::build(&draft(bob())))),
            "no-proof"
        );
        let check = |pointer: &str, value: Value, code: &str| {
            let mut document = whole.clone();
            *document.pointer_mut(pointer).unwrap() = value;
            assert_eq!(judge(&document), code, "{pointer}");
        };
        check("/proof", json!([whole["proof"]]), "bad-field");
        check(
            "/proof/type",
            json!("Ed25519Signature2020"),
            "unknown-cryptosuite",
        );
        check(
            "/proof/cryptosuite",
            json!("eddsa-rdfc-2022"),
            "unknown-cryptosuite",
        );
        check(
            "/proof/proofPurpose",
            json!("authentication"),
            "wrong-purpose",
        );
        check(
            "/proof/@context",
            json!(["https://www.w3.org/2018/credentials/v1"]),
            "context-mismatch",
        );
        check(
            "/proof/verificationMethod",
            json!("https://evil.example/keys/1"),
            "foreign-method",
        );
        check(
            "/proof/created",
            json!("2026-01-02T00:00:00Z"),
            "wrong-signature",
        );
        check("/proof/proofValue", json!("z"), "bad-proof-value");
        check("/proof/proofValue", json!("z0"), "bad-proof-value");
        check(
            "/proof/proofValue",
            json!("z1".repeat(50_000)),
            "bad-proof-value",
        );
        check(
            "/proof/proofValue",
            json!(format!("z{}", "1".repeat(64))),
            "wrong-signature",
        );
        check(
            "/issuer",
            json!("https://evil.example/issuers/1"),
            "foreign-method",
        );
        check("/level", json!("plus"), "wrong-signature");
        check(
            "/credentialSubject/idDocumentNumber",
            json!("1"),
            "wrong-signature",
        );
    }

    #[test]
    fn a_foreign_key_cannot_prove() {
        let mut credential = VerifiableCredential::build(&draft(bob()));
        let evm = SigningKey {
            scheme: Scheme::Evm,
            secret: [1; 32],
        };
        assert_eq!(
            credential.prove(&real(), &evm, NOW),
            Err(VcError::UnsuitableKey)
        );
        assert_eq!(credential, VerifiableCredential::build(&draft(bob())));
    }

    /// Pointers to everything below the root.
    fn paths(value: &Value, here: &str, out: &mut Vec<String>) {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, child)| (name.clone(), child))
                .collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(i, item)| (i.to_string(), item))
                .collect(),
            _ => Vec::new(),
        };
        for (name, child) in children {
            let path = format!("{here}/{}", name.replace('~', "~0").replace('/', "~1"));
            paths(child, &path, out);
            out.push(path);
        }
    }

    fn remove(document: &mut Value, path: &str) {
        let (parent, name) = path.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Object(members) => drop(members.remove(name)),
            Value::Array(items) => drop(items.remove(name.parse().unwrap())),
            other => panic!("{path} has no parent but {other}"),
        }
    }

    /// One way to change a value; the result always differs from it.
    fn change(value: &mut Value, way: u8, at: Index) {
        let before = value.clone();
        match (way, &mut *value) {
            (0, Value::String(text)) => text.push(' '),
            (1, Value::String(text)) => drop(text.pop()),
            (2, Value::String(text)) if !text.is_empty() => {
                let swapped = at.index(text.chars().count());
                let flip = |(i, c): (usize, char)| if i == swapped && c != 'Q' { 'Q' } else { c };
                *text = text.chars().enumerate().map(flip).collect();
            }
            (3, Value::String(text)) => *text = text.to_uppercase(),
            (0, Value::Array(items)) => items.push(json!("https://more.example")),
            (1, Value::Array(items)) => items.reverse(),
            (_, Value::Object(members)) => drop(members.insert(format!("extra{way}"), json!("x"))),
            (4, other) => *other = json!([other.clone()]),
            (_, other) => *other = Value::Null,
        }
        if *value == before {
            *value = Value::Null;
        }
    }

    #[test]
    fn no_field_can_be_removed() {
        let whole = to_json(&proven(&draft(alice())));
        let mut all = Vec::new();
        paths(&whole, "", &mut all);
        assert!(all.len() > 50, "{}", all.len());
        for path in all {
            let mut document = whole.clone();
            remove(&mut document, &path);
            assert_ne!(judge(&document), "ok", "{path}");
        }
    }

    laws! {
        256;

        fn no_field_can_be_changed(picked in any::<Index>(), way in 0..6_u8, at in any::<Index>()) {
            let mut document = to_json(&proven(&draft(alice())));
            let mut all = Vec::new();
            paths(&document, "", &mut all);
            let path = &all[picked.index(all.len())];
            change(document.pointer_mut(path).unwrap(), way, at);
            prop_assert_ne!(judge(&document), "ok", "{}", path);
        }

        fn no_byte_can_be_changed(at in any::<Index>(), byte in any::<u8>()) {
            let sent = proven(&draft(alice()));
            let mut bytes = sent.to_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            // Another spelling of the same document is still the same document.
            let same = VerifiableCredential::parse(&bytes).as_ref() == Ok(&sent);
            prop_assert_eq!(judge_bytes(&bytes) == "ok", same);
        }

        fn any_proof_is_judged_without_panic(name in "[a-zA-Z@]{0,12}", value in ".{0,100}") {
            let mut document = to_json(&proven(&draft(bob())));
            document["proof"][name] = json!(value);
            let _ = judge(&document);
            document["proof"]["proofValue"] = json!(value);
            let _ = judge(&document);
            document["proof"] = json!(value);
            prop_assert_eq!(judge(&document), "bad-field");
        }

        fn any_subject_is_proven_and_believed(name in ".*", number in ".*", url in "https://[a-z.]{1,20}") {
            let subject = Subject { name: crate::vc::Name::First(name), id_document_number: number, ..bob() };
            let sent = proven(&Draft { issuer_url: url.clone(), ..draft(subject) });
            let read = VerifiableCredential::parse(&sent.to_bytes()).unwrap();
            prop_assert!(read.verify(&real(), &[trust(&url, 1)], NOW).is_ok());
        }
    }
}
