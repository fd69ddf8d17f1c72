//! The claims of the doors on bytes drawn from nothing, and on good ones that were damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use assay_doors::DOORS;
use assay_laws::laws;
use assay_model::bridge::{Address, Amount, BridgeEvent, DepositEvent, Hash, Token};
use assay_model::crypto::{
    BoxSecret, EphemeralSeal, Identity, Nep413, Real, Scheme, SigningKey, Suite, Symbolic, XrplKey,
    stellar_address,
};
use assay_model::id::UserId;
use assay_model::ledger::{Action, Batch, Transaction, Unsigned};
use assay_model::node::Request;
use assay_model::time::BlockTime;
use assay_model::vc::{
    Country, Date, Draft, File, Gender, IdDocumentType, Level, Name, PublicNotes, Subject,
    VerifiableCredential,
};
use assay_model::wire::{
    EnginePayload, ParameterUpdate, ParameterUpdates, Value, VotableEvent, call_payload,
    execute_payload,
};
use assay_node::rpc::{Mode, ask};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

/// What is good, and at which door: from here damage gets further in than from nothing.
fn good() -> Vec<(&'static str, Vec<u8>)> {
    let values = [
        Value::Null,
        Value::Text(Some("0xABC".into())),
        Value::Int8(Some(-7)),
        Value::Bool(Some(true)),
        Value::Uuid(Some(uuid::Uuid::from_u128(9))),
        Value::Bytea(Some(vec![1, 2, 3])),
    ];
    let mut good: Vec<_> = values
        .iter()
        .map(|value| ("value", value.encoded()))
        .collect();
    let delegate = Action::DeleteDelegateAsOwner {
        address: "0xabc".into(),
    };
    let called = call_payload("main", "has_profile", &values[1..2]);
    good.extend([
        (
            "payload",
            execute_payload("main", delegate.name(), &[delegate.arguments()]),
        ),
        ("payload", execute_payload("main", "remove_user", &[vec![]])),
        ("payload", called.clone()),
        // Names may be in any case.
        (
            "payload",
            execute_payload("main", "remove_user", &[vec![]]).to_ascii_uppercase(),
        ),
        (
            "payload",
            call_payload("main", "get_wallets", &[]).to_ascii_uppercase(),
        ),
    ]);
    let deposit = BridgeEvent::Deposit(DepositEvent {
        id: Hash([1; 32]),
        token: Token::Usdc,
        address: Address([2; 20]),
        amount: Amount(250_000_000),
        block: 7,
    });
    let changes = ParameterUpdates {
        description: "faster".to_owned(),
        updates: vec![ParameterUpdate::JoinExpiry(60)],
    };
    let change = VotableEvent {
        kind: "param_updates".to_owned(),
        body: changes.encoded(),
    };
    for (kind, payload) in [
        (
            "create_resolution",
            EnginePayload::CreateResolution(deposit.votable()),
        ),
        (
            "validator_vote_bodies",
            EnginePayload::ValidatorVoteBodies(vec![change]),
        ),
        ("validator_join", EnginePayload::ValidatorJoin { power: 3 }),
    ] {
        let kinds = EnginePayload::TYPES.iter();
        let place = kinds.take_while(|name| **name != kind).count();
        good.push(("engine", [&[place as u8], &payload.encoded()[..]].concat()));
    }
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
    good.push(("transaction", sent.sent().bytes()));
    good.push(("transaction", b"007".to_vec()));
    let signature = Symbolic.sign(&key, b"hello");
    let signer = Symbolic.identity(&key);
    let near = Nep413 {
        message: b"hello",
        nonce: [3; 32],
        recipient: "idos.network",
        callback_url: Some("https://example.test"),
    };
    good.extend([
        (
            "signature",
            [&[0, 5], signer.bytes(), b"hello", &signature].concat(),
        ),
        (
            "signature",
            [&[2, 5], &[9; 32][..], b"hello", &near.container(&[4; 64])].concat(),
        ),
    ]);
    for text in [
        signer.caller(),
        hex::encode([5; 32]),
        Identity::Near([4; 32]).caller(),
        stellar_address(&[5; 32]),
        XrplKey::ed25519(&[6; 32]).address(),
        hex::encode(XrplKey::ed25519(&[6; 32]).bytes()),
    ] {
        good.push(("key", text.into_bytes()));
    }
    let with = EphemeralSeal {
        secret: BoxSecret([7; 32]),
        nonce: [8; 24],
    };
    for suite in [&Symbolic as &dyn Suite, &Real::new(Arc::default())] {
        let to = suite.box_public(&BoxSecret([9; 32]));
        let encryptor = suite.box_public(&with.secret);
        let sealed = suite.seal(&to, &with, b"secret");
        let keys = [&[9; 32], &encryptor.0[..]].concat();
        good.push(("sealed_box", [&keys[..], &sealed].concat()));
        let text = BASE64.encode(&sealed);
        good.push(("sealed_box", [&keys, text.as_bytes()].concat()));
    }
    let notes = PublicNotes {
        id: "vc-1".to_owned(),
        kind: "kyc".to_owned(),
        level: "plus+liveness+email".to_owned(),
        status: "approved".to_owned(),
        issuer: "KYC Co".to_owned(),
        stated_at: Some(1_767_225_600),
        statement_signature: Some("ab".repeat(64)),
    };
    good.extend([
        ("document", credential()),
        ("document", notes.to_text().into_bytes()),
        ("document", notes.level.into_bytes()),
    ]);
    for story in assay_scenarios::library().iter().step_by(9) {
        good.push(("scenario", story.text.as_bytes().to_vec()));
    }
    good.push(("rpc_body", ask(&Request::Broadcast(sent), Mode::Open, 1)));
    for (method, params) in [
        (
            "user.account",
            json!({ "id": { "identifier": "ab12", "key_type": "secp256k1" } }),
        ),
        ("user.health", json!({})),
        ("chain.block", json!({ "height": 3 })),
        (
            "user.call",
            json!({ "body": { "payload": BASE64.encode(called) }, "auth_type": "secp256k1_ep" }),
        ),
    ] {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        good.push(("rpc_body", body.to_string().into_bytes()));
    }
    good
}

/// A document as an issuer gives it out, with its proof.
fn credential() -> Vec<u8> {
    let portugal = Country::new(*b"PT").unwrap();
    let subject = Subject {
        user: UserId(uuid::Uuid::from_u128(7)),
        name: Name::Full {
            first: "Alice".into(),
            family: "Zürn".into(),
        },
        middle_name: None,
        maiden_name: None,
        date_of_birth: Date::constant(1990, 5, 17),
        place_of_birth: Some("Porto".into()),
        gender: Some(Gender::Female),
        nationality: Some(portugal),
        ssn: None,
        email: Some("alice@example.test".into()),
        phone_number: None,
        id_document_country: portugal,
        id_document_number: "YA1234567".into(),
        id_document_type: IdDocumentType::Passport,
        id_document_date_of_issue: Some(Date::constant(2020, 1, 31)),
        id_document_date_of_expiry: Some(Date::constant(2030, 1, 30)),
        id_document_front_file: File::from(b"front".as_slice()),
        id_document_back_file: None,
        selfie_file: File::from(b"selfie".as_slice()),
        residential_address: None,
    };
    let issued = BlockTime(1_767_225_600);
    let mut credential = VerifiableCredential::build(&Draft {
        id: "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33".into(),
        issuer_url: "https://issuer.example".into(),
        level: Level::derive(&subject),
        issued,
        approved_at: issued,
        expires: BlockTime(1_924_992_000),
        subject,
    });
    let key = SigningKey {
        scheme: Scheme::Ed25519,
        secret: [0x22; 32],
    };
    let real = Real::new(Arc::default());
    credential.prove(&real, &key, issued).unwrap();
    credential.to_bytes()
}

/// Bytes of any kind: drawn, or good ones with some replaced, put in, taken out, doubled, or cut off.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let damage = vec((0..5u8, any::<Index>(), any::<u8>()), 0..6);
    let damaged = (select(good()), damage).prop_map(|((_, mut bytes), damage)| {
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
fn every_door_reads_what_is_good_at_it_and_takes_what_is_good_elsewhere() {
    let mut idle: BTreeSet<&str> = DOORS.iter().map(|(name, _)| *name).collect();
    for (at, bytes) in good() {
        for (name, door) in DOORS {
            let read = door(&bytes);
            if *name == at {
                let shown = String::from_utf8_lossy(&bytes);
                assert!(read, "door `{name}` does not read {shown}");
                idle.remove(name);
            }
        }
    }
    assert!(idle.is_empty(), "nothing is good at {idle:?}");
    for (_, door) in DOORS {
        door(&[]);
    }
}

/// What fuzzing has found.
#[test]
fn a_request_whose_handler_fails_is_refused_without_a_word() {
    let found = json!({ "jsonrpc": "2.0", "id": 1, "method": "user.call", "params": {} });
    assert!(!assay_doors::rpc_body(found.to_string().as_bytes()));
}

#[test]
fn every_door_has_a_fuzz_target_that_calls_it_and_no_target_is_without_a_door() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let mut targets: BTreeMap<String, String> = BTreeMap::new();
    for file in fs::read_dir(fuzz.join("fuzz_targets")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        targets.insert(name, fs::read_to_string(&path).unwrap());
    }
    let doors: BTreeSet<&str> = DOORS.iter().map(|(name, _)| *name).collect();
    assert!(targets.keys().map(String::as_str).eq(doors));
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (door, target) in targets {
        let calls: Vec<&str> = target.split("assay_doors::").skip(1).collect();
        let [call] = calls[..] else {
            panic!("target `{door}` calls {} doors", calls.len());
        };
        let own = format!("{door}(bytes)");
        assert!(call.starts_with(&own), "target `{door}` calls {call}");
        let built = format!("name = \"{door}\"\npath = \"fuzz_targets/{door}.rs\"");
        assert!(manifest.contains(&built), "target `{door}` is not built");
    }
}
