//! What is written is read back, and what was damaged is not taken for something else.

use std::sync::Arc;

use assay_laws::laws;
use assay_model::crypto::{
    Identity, KdfMemo, Nep413, Real, Scheme, SigningKey, Suite, Symbolic, XrplKey,
    canonical_identifier, is_xrpl_address, parse_stellar_address, stellar_address,
};
use assay_model::ledger::{Action, Batch, Transaction, Unsigned};
use assay_model::wire::{ExecutePayload, SignedTransaction};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A key of any kind a caller may have; whether XRPL's lies on its curve does not matter to its texts.
fn identity() -> impl Strategy<Value = Identity> {
    let xrpl = (select(vec![0xed_u8, 2, 3]), any::<[u8; 32]>()).prop_map(|(kind, key)| {
        let bytes = [&[kind], &key[..]].concat();
        Identity::Xrpl(XrplKey::new(&bytes).expect("it begins as a key does"))
    });
    prop_oneof![
        any::<[u8; 20]>().prop_map(Identity::Evm),
        any::<[u8; 32]>().prop_map(Identity::Ed25519),
        any::<[u8; 32]>().prop_map(Identity::Near),
        xrpl,
    ]
}

fn signing_key() -> impl Strategy<Value = SigningKey> {
    use Scheme::{Ed25519, Evm, Nep413, XrplEd25519, XrplSecp256k1};
    let schemes = select(vec![Evm, Ed25519, Nep413, XrplEd25519, XrplSecp256k1]);
    // The first byte keeps clear of zero and of the order of secp256k1, where no key is.
    (schemes, any::<[u8; 32]>()).prop_map(|(scheme, mut secret)| {
        secret[0] = secret[0] & 0x7f | 1;
        SigningKey { scheme, secret }
    })
}

/// The text with one character replaced by another of the same alphabet.
fn respelt(text: &str, place: Index, other: Index, alphabet: &str) -> Option<String> {
    let mut letters: Vec<char> = text.chars().collect();
    let place = place.index(letters.len());
    let replacement = alphabet.chars().nth(other.index(alphabet.len()))?;
    let changed = letters[place] != replacement;
    letters[place] = replacement;
    changed.then(|| letters.into_iter().collect())
}

const BASE_32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const RIPPLE: &str = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";

laws! {
    256;

    fn callers_are_read_as_they_are_written(identity in identity()) {
        let caller = identity.caller();
        prop_assert_eq!(canonical_identifier(&caller), Some(caller.clone()));
        let read = match identity {
            Identity::Evm(_) => Identity::parse_evm(&caller),
            Identity::Ed25519(_) => Identity::parse_ed25519(&caller),
            Identity::Near(_) => Identity::parse_near(&caller),
            // An address is a hash of its key; the key is written in hex.
            Identity::Xrpl(key) => {
                prop_assert!(is_xrpl_address(&caller));
                XrplKey::parse(&hex::encode_upper(key.bytes())).map(Identity::Xrpl)
            }
        };
        prop_assert_eq!(read, Some(identity));
    }

    fn stellar_addresses_are_read_as_they_are_written(
        key in any::<[u8; 32]>(),
        place in any::<Index>(),
        other in any::<Index>(),
    ) {
        let address = stellar_address(&key);
        prop_assert_eq!(parse_stellar_address(&address), Some(key));
        prop_assert_eq!(Identity::parse_stellar(&address), Some(Identity::Ed25519(key)));
        if let Some(wrong) = respelt(&address, place, other, BASE_32) {
            prop_assert_eq!(parse_stellar_address(&wrong), None, "{}", wrong);
        }
    }

    fn a_misspelt_xrpl_address_is_none(
        key in any::<[u8; 32]>(),
        place in any::<Index>(),
        other in any::<Index>(),
    ) {
        let address = XrplKey::ed25519(&key).address();
        prop_assert!(is_xrpl_address(&address));
        if let Some(wrong) = respelt(&address, place, other, RIPPLE) {
            prop_assert!(!is_xrpl_address(&wrong), "{}", wrong);
        }
    }

    fn near_containers_are_read_as_they_are_written(
        message in vec(any::<u8>(), 0..200),
        nonce in any::<[u8; 32]>(),
        recipient in ".{0,30}",
        callback_url in proptest::option::of(".{0,30}"),
        signature in vec(any::<u8>(), 64),
        cut in any::<Index>(),
    ) {
        let signed = Nep413 {
            message: &message,
            nonce,
            recipient: &recipient,
            callback_url: callback_url.as_deref(),
        };
        let container = signed.container(&signature);
        let read = Nep413::read(&container);
        prop_assert_eq!(read, Some((signed, signature.as_slice().try_into().unwrap())));
        prop_assert_eq!(Nep413::read(&container[..cut.index(container.len())]), None);
        let longer = [&container[..], &[0]].concat();
        prop_assert_eq!(Nep413::read(&longer), None);
    }

    fn any_text_is_no_key_or_one_with_one_spelling(text in "[0-9a-fxA-Z:ed]{0,70}|.{0,70}") {
        if let Some(canonical) = canonical_identifier(&text) {
            prop_assert_eq!(canonical_identifier(&canonical), Some(canonical.clone()));
        }
        let _ = XrplKey::parse(&text);
    }
}

laws! {
    48;

    /// A transaction that went through bytes is the one that was signed, and says the same.
    fn transactions_arrive_as_they_were_sent(
        key in signing_key(),
        nonce in any::<u64>(),
        chain_id in ".{0,20}",
        names in vec(".{0,30}", 1..4),
    ) {
        let suites: [Arc<dyn Suite>; 2] =
            [Arc::new(Symbolic), Arc::new(Real::new(Arc::new(KdfMemo::new())))];
        let calls: Vec<Action> = names
            .iter()
            .map(|address| Action::DeleteDelegateAsOwner { address: address.as_str().into() })
            .collect();
        for suite in suites {
            let batch = Batch::several(calls.clone()).expect("they are calls of one action");
            let unsigned = Unsigned {
                nonce,
                chain_id: chain_id.as_str().into(),
                payload: batch.into(),
            };
            let sent = Transaction::sign(&*suite, &key, unsigned);
            let bytes = sent.sent().bytes();
            let read = SignedTransaction::decode(&bytes).unwrap();
            prop_assert_eq!(&read, sent.sent());
            prop_assert_eq!(read.id(), sent.id);
            let payload = ExecutePayload::decode(&read.payload).unwrap();
            let decoded: Vec<Action> = payload
                .calls
                .iter()
                .map(|arguments| Action::decode(&payload.namespace, &payload.action, arguments).unwrap())
                .collect();
            prop_assert_eq!(&decoded, &calls);
            prop_assert!(sent.verify(&*suite));
        }
    }
}
