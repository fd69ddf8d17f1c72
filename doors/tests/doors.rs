//! The claims of the doors on bytes drawn from nothing, and on good ones that were damaged.

use assay_doors::DOORS;
use assay_laws::laws;
use assay_model::crypto::{
    BoxSecret, EphemeralSeal, Nep413, Scheme, SigningKey, Suite, Symbolic, XrplKey, stellar_address,
};
use assay_model::ledger::{Action, Batch, Transaction, Unsigned};
use assay_model::wire::{Value, call_payload, execute_payload};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

/// What is good at some door: from here damage gets further in than from nothing.
fn good() -> Vec<Vec<u8>> {
    let values = [
        Value::Null,
        Value::Text(Some("0xABC".into())),
        Value::Int8(Some(-7)),
        Value::Bool(Some(true)),
        Value::Uuid(Some(uuid::Uuid::from_u128(9))),
        Value::Bytea(Some(vec![1, 2, 3])),
    ];
    let mut good: Vec<Vec<u8>> = values.iter().map(Value::encoded).collect();
    let delegate = Action::DeleteDelegateAsOwner {
        address: "0xabc".into(),
    };
    good.push(execute_payload(
        "main",
        delegate.name(),
        &[delegate.arguments()],
    ));
    good.push(execute_payload("main", "remove_user", &[vec![]]));
    good.push(call_payload("main", "has_profile", &values[1..2]));
    let key = SigningKey {
        scheme: Scheme::Evm,
        secret: [0x11; 32],
    };
    let unsigned = Unsigned {
        nonce: 1,
        chain_id: "assay-net".into(),
        payload: Batch::one(delegate).into(),
    };
    let sent = Transaction::sign(&Symbolic, &key, unsigned);
    good.push(sent.sent().bytes());
    let signature = Symbolic.sign(&key, b"hello");
    let signer = Symbolic.identity(&key);
    good.push([&[0, 5], signer.bytes(), b"hello", &signature].concat());
    let near = Nep413 {
        message: b"hello",
        nonce: [3; 32],
        recipient: "idos.network",
        callback_url: Some("https://example.test"),
    };
    good.push([&[2, 5], &[9; 32][..], b"hello", &near.container(&[4; 64])].concat());
    for text in [
        signer.caller(),
        stellar_address(&[5; 32]),
        XrplKey::ed25519(&[6; 32]).address(),
    ] {
        good.push(text.into_bytes());
    }
    let with = EphemeralSeal {
        secret: BoxSecret([7; 32]),
        nonce: [8; 24],
    };
    let to = Symbolic.box_public(&BoxSecret([9; 32]));
    let encryptor = Symbolic.box_public(&with.secret);
    let sealed = Symbolic.seal(&to, &with, b"secret");
    good.push([&[9; 32], &encryptor.0[..], &sealed].concat());
    good.push(b"{\"id\":\"vc-1\",\"status\":\"approved\"}".to_vec());
    good.push(b"plus+liveness+email".to_vec());
    for story in assay_scenarios::library().iter().step_by(9) {
        good.push(story.text.as_bytes().to_vec());
    }
    for (method, params) in [
        (
            "user.account",
            json!({ "id": { "identifier": "ab12", "key_type": "secp256k1" } }),
        ),
        ("user.health", json!({})),
        ("chain.block", json!({ "height": 3 })),
        (
            "user.call",
            json!({ "body": { "payload": "AAA=", "challenge": "" }, "auth_type": "x" }),
        ),
        (
            "user.broadcast",
            json!({ "tx": { "body": {}, "signature": {} }, "sync": 1 }),
        ),
    ] {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        good.push(body.to_string().into_bytes());
    }
    good
}

/// Bytes of any kind: drawn, or good ones with some replaced, put in, taken out, doubled, or cut off.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let damage = vec((0..5u8, any::<Index>(), any::<u8>()), 0..6);
    let damaged = (select(good()), damage).prop_map(|(mut bytes, damage)| {
        for (kind, place, byte) in damage {
            if bytes.is_empty() {
                break;
            }
            let at = place.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                3 => {
                    let end = (at + usize::from(byte)).min(bytes.len());
                    let again = bytes[at..end].to_vec();
                    bytes.extend(again);
                }
                _ => bytes.truncate(at + 1),
            }
        }
        bytes
    });
    prop_oneof![
        1 => vec(any::<u8>(), 0..300),
        1 => ".{0,80}".prop_map(String::into_bytes),
        3 => damaged,
    ]
}

laws! {
    384;

    fn nothing_that_knocks_breaks_a_door(bytes in bytes()) {
        for (_, door) in DOORS {
            door(&bytes);
        }
    }
}

#[test]
fn every_door_takes_everything_that_is_good_at_some_door() {
    for bytes in good() {
        for (_, door) in DOORS {
            door(&bytes);
        }
    }
    for (_, door) in DOORS {
        door(&[]);
    }
}

#[test]
fn every_door_has_a_fuzz_target_and_no_target_is_without_a_door() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(here.join("../fuzz/fuzz_targets")).unwrap();
    let mut targets: Vec<String> = files
        .map(|file| {
            file.unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    targets.sort();
    let mut doors: Vec<&str> = DOORS.iter().map(|(name, _)| *name).collect();
    doors.sort();
    assert_eq!(targets, doors);
    let manifest = std::fs::read_to_string(here.join("../fuzz/Cargo.toml")).unwrap();
    for door in doors {
        assert!(manifest.contains(&format!("name = \"{door}\"")), "{door}");
    }
}
