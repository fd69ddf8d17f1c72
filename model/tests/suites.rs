//! What both suites promise alike, over drawn inputs.

use std::sync::Arc;

use assay_laws::laws;
use assay_model::crypto::{
    BoxSecret, EphemeralSeal, Identity, KdfMemo, Nep413, Real, Scheme, SigningKey, Suite, Symbolic,
    XrplKey, credential_binding, sign_credential, verify_credential,
};
use assay_model::id::{CredentialId, UserId};
use proptest::collection::vec;
use proptest::prelude::*;

fn suites() -> [(&'static str, Box<dyn Suite>); 2] {
    let real = Real::new(Arc::new(KdfMemo::new()));
    [("real", Box::new(real)), ("symbolic", Box::new(Symbolic))]
}

const SCHEMES: &[Scheme] = &[
    Scheme::Evm,
    Scheme::Ed25519,
    Scheme::Nep413,
    Scheme::XrplEd25519,
    Scheme::XrplSecp256k1,
];

fn signing_key() -> impl Strategy<Value = SigningKey> {
    // The first byte keeps clear of zero and of the order of secp256k1, where no key is.
    (prop::sample::select(SCHEMES), any::<[u8; 32]>()).prop_map(|(scheme, mut secret)| {
        secret[0] = secret[0] & 0x7f | 1;
        SigningKey { scheme, secret }
    })
}

fn ephemeral((secret, nonce): ([u8; 32], [u8; 24])) -> EphemeralSeal {
    EphemeralSeal {
        secret: BoxSecret(secret),
        nonce,
    }
}

fn flipped(bytes: &[u8], place: prop::sample::Index, bit: u8) -> Vec<u8> {
    let mut spoilt = bytes.to_vec();
    spoilt[place.index(bytes.len())] ^= 1 << bit;
    spoilt
}

laws! {
    24;

    fn a_signature_is_good_for_one_key_and_one_message(
        key in signing_key(),
        other in signing_key(),
        message in vec(any::<u8>(), 0..200),
        place in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        prop_assume!(key != other);
        for (name, suite) in suites() {
            let signer = suite.identity(&key);
            let signature = suite.sign(&key, &message);
            prop_assert_eq!(&signature, &suite.sign(&key, &message), "{}", name);
            prop_assert!(suite.verify(&signer, &message, &signature), "{}", name);
            prop_assert!(
                !suite.verify(&suite.identity(&other), &message, &signature),
                "{} takes another's key", name
            );
            let longer = [&message[..], b"x"].concat();
            prop_assert!(!suite.verify(&signer, &longer, &signature), "{}", name);
            let spoilt = flipped(&signature, place, bit);
            prop_assert!(!suite.verify(&signer, &message, &spoilt), "{}", name);
        }
    }

    fn a_box_opens_for_its_recipient_only(
        recipient in any::<[u8; 32]>(),
        other in any::<[u8; 32]>(),
        with in any::<([u8; 32], [u8; 24])>(),
        plaintext in vec(any::<u8>(), 0..300),
        place in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        prop_assume!(recipient != other);
        let with = ephemeral(with);
        let (recipient, other) = (BoxSecret(recipient), BoxSecret(other));
        for (name, suite) in suites() {
            let encryptor = suite.box_public(&with.secret);
            let sealed = suite.seal(&suite.box_public(&recipient), &with, &plaintext);
            prop_assert_eq!(
                suite.open(&recipient, &encryptor, &sealed),
                Some(plaintext.clone()), "{}", name
            );
            prop_assert_eq!(suite.open(&other, &encryptor, &sealed), None, "{}", name);
            let stranger = suite.box_public(&other);
            prop_assert_eq!(suite.open(&recipient, &stranger, &sealed), None, "{}", name);
            let spoilt = flipped(&sealed, place, bit);
            prop_assert_eq!(suite.open(&recipient, &encryptor, &spoilt), None, "{}", name);
        }
    }

    fn both_suites_give_the_same_lengths(
        key in signing_key(),
        recipient in any::<[u8; 32]>(),
        with in any::<([u8; 32], [u8; 24])>(),
        bytes in vec(any::<u8>(), 0..300),
    ) {
        let with = ephemeral(with);
        let [real, symbolic] = suites().map(|(_, suite)| {
            let to = suite.box_public(&BoxSecret(recipient));
            let identity = suite.identity(&key);
            (
                identity.scheme(),
                identity.bytes().len(),
                suite.seal(&to, &with, &bytes).len(),
                // The length of a text in base 58 depends on what it says.
                identity.caller().len() / 10,
                suite.sign(&key, &bytes).len(),
            )
        });
        let lengths = [real.4, symbolic.4];
        let short_of = if key.scheme == Scheme::XrplSecp256k1 { 2 } else { 0 };
        prop_assert!(lengths[1] - lengths[0].min(lengths[1]) <= short_of, "{:?}", lengths);
        prop_assert!(lengths[0] <= lengths[1], "{:?}", lengths);
        prop_assert_eq!((real.0, real.1, real.2, real.3), (symbolic.0, symbolic.1, symbolic.2, symbolic.3));
    }

    fn arbitrary_bytes_are_refused_without_a_panic(
        key in signing_key(),
        secret in any::<[u8; 32]>(),
        message in vec(any::<u8>(), 0..40),
        bytes in prop_oneof![
            vec(any::<u8>(), 0..120),
            vec(any::<u8>(), 64),
            vec(any::<u8>(), 65),
            (vec(any::<u8>(), 64), prop::sample::select(vec![0u8, 1, 27, 28]))
                .prop_map(|(scalars, v)| [scalars, vec![v]].concat()),
        ],
        text in any::<String>(),
    ) {
        for (name, suite) in suites() {
            let signer = suite.identity(&key);
            prop_assert!(!suite.verify(&signer, &message, &bytes), "{}", name);
            let secret = BoxSecret(secret);
            let encryptor = suite.box_public(&secret);
            prop_assert_eq!(suite.open(&secret, &encryptor, &bytes), None, "{}", name);
            prop_assert!(suite.derive_key("password", &text).is_err(), "{}", name);
            prop_assert!(
                !verify_credential(&*suite, &text, "", &text, &bytes, &text, None),
                "{}", name
            );
        }
    }
}

/// Ed25519 keys are 32 bytes an attacker chooses freely, so they need not lie on the curve. All zeros do,
/// on a point of small order for which anybody can find signatures, as on a real node.
#[test]
fn a_key_that_is_no_key_verifies_nothing() {
    let signed = Nep413 {
        message: b"m",
        nonce: [0; 32],
        recipient: "idos.network",
        callback_url: None,
    };
    for (name, suite) in suites() {
        for byte in 1..=255 {
            let signer = Identity::Ed25519([byte; 32]);
            assert!(!suite.verify(&signer, b"m", &[byte; 64]), "{name} {byte}");
            let signer = Identity::Near([byte; 32]);
            let container = signed.container(&[byte; 64]);
            assert!(!suite.verify(&signer, b"m", &container), "{name} {byte}");
            for prefix in [0xed, 2, 3] {
                let mut key = [byte; 33];
                key[0] = prefix;
                let signer = Identity::Xrpl(XrplKey::new(&key).unwrap());
                assert!(!suite.verify(&signer, b"m", &[byte; 64]), "{name} {byte}");
            }
            let signer = Identity::Evm([byte; 20]);
            assert!(!suite.verify(&signer, b"m", &[byte; 65]), "{name} {byte}");
        }
    }
}

/// One key signs for wallets of several types, and a signature is good for the type it was made for.
#[test]
fn a_signature_is_good_for_its_scheme_only() {
    for (name, suite) in suites() {
        let keys: Vec<SigningKey> = SCHEMES
            .iter()
            .map(|scheme| SigningKey {
                scheme: *scheme,
                secret: [0x11; 32],
            })
            .collect();
        for made in &keys {
            let signature = suite.sign(made, b"hello");
            for read in &keys {
                let signer = suite.identity(read);
                // Plain Ed25519 is the same under either name of its key.
                let plain = [Scheme::Ed25519, Scheme::XrplEd25519];
                let good =
                    made == read || plain.contains(&made.scheme) && plain.contains(&read.scheme);
                assert_eq!(
                    suite.verify(&signer, b"hello", &signature),
                    good,
                    "{name}: {made:?} as {read:?}"
                );
            }
        }
    }
}

/// A NEAR wallet may choose nonce and callback, and signs for idOS or for somebody else.
#[test]
fn a_near_signature_for_another_site_or_tampered_with_is_none() {
    for (name, suite) in suites() {
        let near = SigningKey {
            scheme: Scheme::Nep413,
            secret: [0x55; 32],
        };
        let plain = SigningKey {
            scheme: Scheme::Ed25519,
            ..near.clone()
        };
        let signer = suite.identity(&near);
        let table = [
            ("idos.network", None, true),
            ("idos-issuer", Some("https://example.test/cb"), true),
            ("example.test", None, false),
            ("", None, false),
        ];
        for (recipient, callback_url, good) in table {
            let signed = Nep413 {
                message: b"hello",
                nonce: [7; 32],
                recipient,
                callback_url,
            };
            let container = signed.container(&suite.sign(&plain, &signed.digest()));
            assert_eq!(
                suite.verify(&signer, b"hello", &container),
                good,
                "{name} {recipient}"
            );
            assert!(
                !suite.verify(&signer, b"hell", &container),
                "{name} {recipient}"
            );
            for place in 0..container.len() {
                let mut spoilt = container.clone();
                spoilt[place] ^= 1;
                assert!(!suite.verify(&signer, b"hello", &spoilt), "{name} {place}");
            }
        }
    }
}

#[test]
fn degenerate_scalars_are_no_signatures() {
    for (name, suite) in suites() {
        let key = SigningKey {
            scheme: Scheme::Evm,
            secret: [0x11; 32],
        };
        let signer = suite.identity(&key);
        for scalars in [[0u8; 64], [0xff; 64]] {
            for v in [0, 1, 27, 28] {
                let signature = [&scalars[..], &[v]].concat();
                assert!(!suite.verify(&signer, b"", &signature), "{name}");
            }
        }
    }
}

#[test]
fn a_password_key_depends_on_password_and_salt() {
    let salt = "9f51b3b2-4cbe-4c2b-8ea3-0b0c1b2f1a11";
    for (name, suite) in suites() {
        let key = |password: &str, salt: &str| suite.derive_key(password, salt).unwrap().0;
        let usual = key("office", salt);
        assert_eq!(usual, key("o\u{fb03}ce", salt), "{name} normalizes");
        assert_ne!(usual, key("Office", salt), "{name}");
        assert_ne!(usual, key("office", &salt.to_uppercase()), "{name}");
        assert!(suite.derive_key("office", "").is_err(), "{name}");
    }
}

#[test]
fn a_binding_ties_a_credential_to_its_place() {
    let owner: UserId = "00000000-0000-4000-8000-000000000001".parse().unwrap();
    let credential: CredentialId = "00000000-0000-4000-8000-000000000009".parse().unwrap();
    let binding = credential_binding(owner, credential, "ZW5j");
    assert_eq!(
        binding,
        "owner: 00000000-0000-4000-8000-000000000001\n\
         credential: 00000000-0000-4000-8000-000000000009\n\
         encryptor public key: ZW5j"
    );
    let elsewhere = credential_binding(owner, CredentialId(owner.0), "ZW5j");
    for (name, suite) in suites() {
        let key = SigningKey {
            scheme: Scheme::Ed25519,
            secret: [0x33; 32],
        };
        let issuer = suite.identity(&key).caller();
        let bound = sign_credential(&*suite, &key, "{}", b"content", Some(&binding));
        let accepted = |notes: &str, content: &[u8], binding: Option<&str>| {
            verify_credential(
                &*suite,
                &issuer,
                notes,
                &bound.public_notes,
                content,
                &bound.broader,
                binding,
            )
        };
        assert!(accepted("{}", b"content", Some(&binding)), "{name}");
        assert!(!accepted("{}", b"content", Some(&elsewhere)), "{name}");
        assert!(!accepted("{}", b"content", None), "{name}");
        assert!(!accepted("{}", b"contenT", Some(&binding)), "{name}");
        assert!(!accepted("[]", b"content", Some(&binding)), "{name}");
    }
}
