//! The published vectors, byte for byte. Each test says how many it checked, so that none passes empty.

use std::sync::Arc;

use assay_model::crypto::{
    BoxPublic, BoxSecret, EphemeralSeal, Identity, KdfError, KdfMemo, Nep413, Real, Scheme,
    SigningKey, Suite, content_hash, sign_credential, stellar_address, verify_credential,
};
use assay_model::wire::{
    CallPayload, DecodeProblem, ExecutePayload, Numeric, Shape, SignedTransaction, Type, Value,
    call_payload, call_text, execute_payload, payload_digest, signature_type,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

fn load(file: &str) -> Json {
    let path = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn real() -> Real {
    Real::new(Arc::new(KdfMemo::new()))
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text `{key}` in {json}"))
}

fn list<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json[key]
        .as_array()
        .unwrap_or_else(|| panic!("no list `{key}` in {json}"))
}

fn bytes(json: &Json, key: &str) -> Vec<u8> {
    hex::decode(text(json, key)).unwrap()
}

fn array<const N: usize>(json: &Json, key: &str) -> [u8; N] {
    bytes(json, key).try_into().unwrap()
}

fn base64(json: &Json, key: &str) -> Vec<u8> {
    STANDARD.decode(text(json, key)).unwrap()
}

/// The key of a vector's signer. XRPL puts a byte before its secrets that says what kind they are.
fn key_of(signer: &Json) -> SigningKey {
    let secret = bytes(signer, "private_key_hex_TEST_ONLY");
    let scheme = match (text(signer, "signature_type"), secret[0]) {
        ("secp256k1_ep", _) => Scheme::Evm,
        ("ed25519", _) => Scheme::Ed25519,
        ("nep413", _) => Scheme::Nep413,
        ("xrpl", 0xed) => Scheme::XrplEd25519,
        ("xrpl", 0) => Scheme::XrplSecp256k1,
        other => panic!("no key of type {other:?}"),
    };
    let secret = *secret.last_chunk().unwrap();
    SigningKey { scheme, secret }
}

/// `@caller` of a vector's signer, where the file knows it.
fn caller_of(signer: &Json) -> &str {
    let keys = ["near_public_key", "address", "caller_on_public_kwild"];
    let mut known = keys.iter().filter_map(|key| signer[key].as_str());
    known
        .next()
        .unwrap_or_else(|| panic!("no caller in {signer}"))
}

/// Our own signature over a vector's message. The nonce of a NEP-413 payload is the wallet's to choose, so
/// there the vector's own circumstances are signed.
fn signed_as_in(real: &Real, key: &SigningKey, message: &[u8], intermediate: &Json) -> Vec<u8> {
    let Some(circumstances) = intermediate.get("nep413") else {
        return real.sign(key, message);
    };
    let signed = Nep413 {
        message,
        nonce: array(circumstances, "nonce_hex"),
        recipient: text(circumstances, "recipient"),
        callback_url: circumstances["callback_url"].as_str(),
    };
    assert_eq!(signed.payload(), bytes(circumstances, "borsh_payload_hex"));
    assert_eq!(signed.digest(), *bytes(circumstances, "sha256_signed_hex"));
    let plain = SigningKey {
        scheme: Scheme::Ed25519,
        ..key.clone()
    };
    signed.container(&real.sign(&plain, &signed.digest()))
}

/// A vector's argument as a `Value`, or why there is none.
fn value(declared: Option<&Json>, json: &Json) -> Result<Value, &'static str> {
    if let Some(values) = json.as_array() {
        return array_value(declared, values);
    }
    let kind = match declared {
        Some(declared) => text(declared, "name"),
        None => match json {
            Json::Null => return Ok(Value::Null),
            Json::String(text) if uuid::Uuid::try_parse(text).is_ok() => "uuid",
            Json::String(_) => "text",
            Json::Bool(_) => "bool",
            Json::Number(number) if number.is_f64() => {
                return Ok(guessed_numeric(&number.to_string()));
            }
            Json::Number(_) => return Err("guessed int8 with its digits as metadata"),
            Json::Object(fields) if fields.contains_key("bytes_hex") => "bytea",
            Json::Object(_) => return Err("guessed int8 with its digits as metadata"),
            Json::Array(_) => unreachable!("arrays are read above"),
        },
    };
    match kind {
        "text" => Ok(Value::Text(json.as_str().map(Into::into))),
        "int8" if json.is_f64() => Err("int8 given as a fraction"),
        "int8" => {
            let written = json["bigint"]
                .as_str()
                .map(|digits| digits.parse().unwrap());
            Ok(Value::Int8(json.as_i64().or(written)))
        }
        "bool" => Ok(Value::Bool(json.as_bool())),
        "uuid" => Ok(Value::Uuid(json.as_str().map(|id| id.parse().unwrap()))),
        "bytea" => Ok(Value::Bytea(
            (!json.is_null()).then(|| bytes(json, "bytes_hex")),
        )),
        "numeric" => {
            let shape = shape(declared.unwrap());
            let number = json
                .as_str()
                .map(|text| Numeric::parse(text, shape).unwrap());
            Ok(Value::Numeric(shape, number))
        }
        other => panic!("unknown kind {other}"),
    }
}

fn shape(declared: &Json) -> Shape {
    let part = |place: usize| declared["metadata"][place].as_u64().unwrap() as u16;
    Shape {
        precision: part(0),
        scale: part(1),
    }
}

/// The packages give a fraction as many digits as it has.
fn guessed_numeric(text: &str) -> Value {
    let digits = text.bytes().filter(u8::is_ascii_digit).count() as u16;
    let (_, fraction) = text.split_once('.').unwrap();
    let shape = Shape {
        precision: digits,
        scale: fraction.len() as u16,
    };
    Value::Numeric(shape, Some(Numeric::parse(text, shape).unwrap()))
}

/// A list, of the declared type or of that of its first element, if it has any.
fn array_value(declared: Option<&Json>, values: &[Json]) -> Result<Value, &'static str> {
    let scalar = declared.map(|declared| {
        let mut scalar = declared.clone();
        scalar["is_array"] = false.into();
        scalar
    });
    let values = values
        .iter()
        .map(|json| match value(scalar.as_ref(), json) {
            Err("guessed int8 with its digits as metadata") => {
                Err("guessed int8[] with its digits as metadata")
            }
            other => other,
        })
        .collect::<Result<Vec<_>, _>>()?;
    let kind = match values.first() {
        Some(first) => first.kind(),
        None => match scalar {
            Some(scalar) => value(Some(&scalar), &Json::Null)?.kind(),
            None => Type::Null,
        },
    };
    Ok(Value::Array(kind, values))
}

/// One list of arguments; types run parallel to it and may be missing altogether.
fn arguments(values: &Json, types: &Json) -> Result<Vec<Value>, &'static str> {
    let values = values.as_array().unwrap().iter().enumerate();
    values
        .map(|(place, json)| value(types.get(place), json))
        .collect()
}

/// The payload our encoder makes of a transaction's inputs, or why it makes none.
fn payload_of(inputs: &Json) -> Result<Vec<u8>, &'static str> {
    match text(inputs, "payload_type") {
        "execute" => {}
        "raw_statement" => return Err("raw_statement"),
        "transfer" => return Err("transfer"),
        other => panic!("unknown payload type {other}"),
    }
    let calls: Vec<Vec<Value>> = list(inputs, "argument_sets")
        .iter()
        .map(|set| arguments(set, &inputs["argument_types"]))
        .collect::<Result<_, _>>()?;
    Ok(execute_payload(
        text(inputs, "namespace"),
        text(inputs, "action"),
        &calls,
    ))
}

#[test]
fn transactions() {
    let real = real();
    let file = load("transactions.json");
    let (mut payloads, mut signed, mut hashed, mut stellar) = (0, 0, 0, 0);
    let mut without_payload = Vec::new();
    for entry in list(&file, "transactions") {
        let (id, inputs) = (text(entry, "id"), &entry["inputs"]);
        let Some(intermediate) = entry.get("intermediate") else {
            without_payload.push((id, "refused by the package"));
            continue;
        };
        let expected = bytes(intermediate, "payload_hex");
        match payload_of(inputs) {
            Ok(payload) => {
                assert_eq!(hex::encode(payload), hex::encode(&expected), "{id}");
                payloads += 1;
            }
            Err(why) => without_payload.push((id, why)),
        }
        assert_eq!(
            payload_digest(&expected),
            text(intermediate, "payload_digest_first20_hex"),
            "{id}"
        );

        let node = &entry["node_side"];
        let signature = bytes(&entry["signature"], "hex");
        let kind = text(&inputs["signer"], "signature_type");
        let sender = bytes(&entry["broadcast_request"]["params"]["tx"], "sender");
        let tx = SignedTransaction {
            description: text(inputs, "description").to_owned(),
            payload: expected,
            payload_type: text(inputs, "payload_type").to_owned(),
            fee: Some(text(inputs, "fee").to_owned()),
            nonce: inputs["nonce"].as_u64().unwrap(),
            chain_id: text(inputs, "chain_id").to_owned(),
            serialization: "concat".to_owned(),
            sender: sender.clone(),
            signature: signature.clone(),
            signature_type: kind.to_owned(),
        };
        assert_eq!(tx.text(), text(intermediate, "message_to_sign"), "{id}");

        let signer = &inputs["signer"];
        let key = key_of(signer);
        let identity = real.identity(&key);
        assert_eq!(identity.caller(), caller_of(signer), "{id}");
        assert_eq!(identity.bytes(), sender, "{id}");
        assert_eq!(signature_type(key.scheme), kind, "{id}");
        if let (Identity::Ed25519(key), Some(address)) =
            (identity, signer["stellar_address"].as_str())
        {
            assert_eq!(stellar_address(&key), address, "{id}");
            stellar += 1;
        }
        let message = tx.text().into_bytes();
        let own = signed_as_in(&real, &key, &message, intermediate);
        assert_eq!(hex::encode(own), hex::encode(&signature), "{id}");
        assert!(real.verify(&identity, &message, &signature), "{id}");
        assert!(!real.verify(&identity, b"another", &signature), "{id}");
        signed += 1;

        let written = hex::encode(tx.bytes());
        assert_eq!(written, text(node, "tx_bytes_hex"), "{id}");
        assert_eq!(tx.id().to_string(), text(node, "tx_hash_hex"), "{id}");
        hashed += 1;
    }
    assert_eq!(
        without_payload,
        [
            ("tx-12", "raw_statement"),
            ("tx-13", "raw_statement"),
            ("tx-19", "guessed int8 with its digits as metadata"),
            ("tx-20", "transfer"),
            ("tx-21", "refused by the package"),
        ]
    );
    assert_eq!((payloads, signed, hashed, stellar), (16, 20, 20, 1));
}

/// Made by the node's own library, which writes v as 0 or 1 and knows negative numbers.
#[test]
fn a_transaction_of_the_node_library() {
    let real = real();
    let entry = &load("node_side.json")["items"]["go_user_tx_negative_int"];
    let payload = execute_payload("main", "typed", &[vec![Value::Int8(Some(-7))]]);
    assert_eq!(hex::encode(&payload), text(entry, "payload_hex"));
    let key = SigningKey {
        scheme: Scheme::Evm,
        secret: array(entry, "private_key_hex_TEST_ONLY"),
    };
    let identity = real.identity(&key);
    let mut tx = SignedTransaction {
        description: String::new(),
        payload,
        payload_type: "execute".to_owned(),
        fee: Some("0".to_owned()),
        nonce: 11,
        chain_id: "idos-conformance-test".to_owned(),
        serialization: "concat".to_owned(),
        sender: identity.bytes().to_vec(),
        signature: Vec::new(),
        signature_type: "secp256k1_ep".to_owned(),
    };
    assert_eq!(tx.text(), text(entry, "message_to_sign"));

    let mut signature = real.sign(&key, tx.text().as_bytes());
    signature[64] -= 27;
    assert_eq!(signature, base64(&entry["tx_json"]["signature"], "sig"));
    assert!(real.verify(&identity, tx.text().as_bytes(), &signature));
    tx.signature = signature;
    assert_eq!(tx.id().to_string(), text(entry, "tx_hash_hex"));
}

#[test]
fn view_calls() {
    let real = real();
    let file = load("view_calls.json");
    let (mut payloads, mut texts, mut signed) = (0, 0, 0);
    for entry in list(&file, "calls") {
        let (id, inputs) = (text(entry, "id"), &entry["inputs"]);
        let intermediate = &entry["intermediate"];
        let (namespace, action) = (text(inputs, "namespace"), text(inputs, "action"));
        let values = arguments(&inputs["arguments"], &inputs["argument_types"]).unwrap();
        let payload = call_payload(namespace, action, &values);
        assert_eq!(
            hex::encode(&payload),
            text(intermediate, "payload_hex"),
            "{id}"
        );
        payloads += 1;

        if text(entry, "mode") != "private" {
            continue;
        }
        let challenge = array(inputs, "challenge_hex");
        let message = call_text(namespace, action, &payload, &challenge);
        assert_eq!(message, text(intermediate, "message_to_sign"), "{id}");
        texts += 1;

        let key = key_of(&inputs["signer"]);
        let signature = signed_as_in(&real, &key, message.as_bytes(), intermediate);
        assert_eq!(
            hex::encode(&signature),
            text(&entry["signature"], "hex"),
            "{id}"
        );
        assert!(real.verify(&real.identity(&key), message.as_bytes(), &signature));
        signed += 1;
    }
    assert_eq!((payloads, texts, signed), (9, 5, 5));
}

/// The seed is the published BIP-39 one of the phrase `abandon … about` without a passphrase.
/// Source: idos-facts 4.11.
#[test]
fn the_facesign_key_of_a_known_phrase() {
    let seed = "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1";
    let mut secret = [0; 32];
    hex::decode_to_slice(seed, &mut secret).unwrap();
    let scheme = Scheme::Ed25519;
    assert_eq!(
        real().identity(&SigningKey { scheme, secret }).caller(),
        "c5785e1865b708938aff8161d573006496663b1aa10834e396dc566869a2c66a"
    );
}

#[test]
fn values_as_the_package_writes_them() {
    let file = load("encoded_values.json");
    let mut checked = 0;
    let mut skipped = std::collections::BTreeMap::new();
    for entry in list(&file["from_js_package"], "values") {
        let name = text(entry, "name");
        if entry.get("error_from_package").is_some() {
            *skipped.entry("refused by the package").or_insert(0) += 1;
            continue;
        }
        let declared = Some(&entry["declared_type"]).filter(|declared| !declared.is_null());
        match value(declared, &entry["value"]) {
            Ok(value) => {
                let expected = text(entry, "encoded_value_hex");
                assert_eq!(hex::encode(value.encoded()), expected, "{name}");
                checked += 1;
            }
            Err(why) => *skipped.entry(why).or_insert(0) += 1,
        }
    }
    assert_eq!(checked, 43);
    assert_eq!(
        skipped.into_iter().collect::<Vec<_>>(),
        [
            ("guessed int8 with its digits as metadata", 1),
            ("guessed int8[] with its digits as metadata", 1),
            ("int8 given as a fraction", 1),
            ("refused by the package", 8),
        ]
    );
}

#[test]
fn values_as_the_node_library_writes_them() {
    let file = load("encoded_values.json");
    let from_go = &file["from_go_core"];
    let mut checked = 0;
    let mut skipped = Vec::new();
    for entry in list(from_go, "values") {
        let name = text(entry, "name");
        let Some(json) = entry.get("json") else {
            skipped.push(name);
            continue;
        };
        let kind = &json["type"];
        let elements = list(json, "data");
        let (false, [element]) = (kind["is_array"] == true, elements) else {
            skipped.push(name);
            continue;
        };
        let element = STANDARD.decode(element.as_str().unwrap()).unwrap();
        let data = &element[1..];
        let value = match text(kind, "name") {
            "text" => Value::Text(Some(std::str::from_utf8(data).unwrap().into())),
            "int8" => Value::Int8(Some(i64::from_be_bytes(data.try_into().unwrap()))),
            "bool" => Value::Bool(Some(data == [1])),
            "uuid" => Value::Uuid(Some(uuid::Uuid::from_slice(data).unwrap())),
            "bytea" => Value::Bytea(Some(data.to_vec())),
            "numeric" => {
                let (shape, written) = (shape(kind), std::str::from_utf8(data).unwrap());
                Value::Numeric(shape, Some(Numeric::parse(written, shape).unwrap()))
            }
            _ => {
                skipped.push(name);
                continue;
            }
        };
        assert_eq!(
            hex::encode(value.encoded()),
            text(entry, "encoded_value_hex"),
            "{name}"
        );
        checked += 1;
    }
    assert_eq!(
        hex::encode(Value::Text(None).encoded()),
        text(from_go, "typed_null_text_hex")
    );
    assert_eq!(checked, 20);
    // Arrays, which are read back below, and an untyped NULL that Go writes with no element at all; nodes
    // read both.
    assert_eq!(skipped.len(), 9, "{skipped:?}");
}

/// Each byte string with the verdict of the node's decoder.
#[test]
fn malformed_and_odd_values() {
    let file = load("encoded_values.json");
    let entries = file["malformed_and_odd"]["values"].as_object().unwrap();
    let (mut accepted, mut refused) = (0, 0);
    let mut stricter = Vec::new();
    for (name, entry) in entries {
        let told = ["unmarshal_error", "decode_error", "error"]
            .iter()
            .find_map(|key| entry[key].as_str());
        match (Value::decode(&bytes(entry, "encoded_value_hex")), told) {
            (Ok(value), None) => {
                let row = match value {
                    Value::Numeric(_, number) => Json::from(number.map(|number| number.rounded())),
                    Value::Text(text) => Json::from(text.as_deref()),
                    Value::Int8(number) => Json::from(number),
                    Value::Bool(truth) => Json::from(truth),
                    Value::Null => Json::Null,
                    other => panic!("{name}: {other:?}"),
                };
                assert_eq!(row, entry["json_in_rows"], "{name}");
                accepted += 1;
            }
            (Err(error), Some(told)) => {
                // The node says so of a type's version too, in other words.
                let same = told.ends_with(&error.problem.to_string());
                assert!(same, "{name}: {error} is not {told}");
                refused += 1;
            }
            (Err(error), None) => {
                assert_eq!(error.problem, DecodeProblem::Utf8, "{name}");
                stricter.push(name);
            }
            (Ok(value), Some(told)) => panic!("{name}: {value:?}, but the node says {told}"),
        }
    }
    assert_eq!((accepted, refused), (9, 16));
    assert_eq!(stricter, ["invalid utf-8 text"]);
}

#[test]
fn values_of_package_and_node_library_read_back() {
    let file = load("encoded_values.json");
    let from_js = list(&file["from_js_package"], "values");
    let from_go = list(&file["from_go_core"], "values");
    let mut read = 0;
    for entry in from_js.iter().chain(from_go) {
        let Some(written) = entry.get("encoded_value_hex") else {
            continue;
        };
        let written = hex::decode(written.as_str().unwrap()).unwrap();
        let value = Value::decode(&written).unwrap();
        let encoded = value.encoded();
        // What is not kept: the digits of a guessed number, and whether an untyped NULL had an element.
        let kept = encoded == written || matches!(value.kind(), Type::Int8 | Type::Null);
        assert!(kept, "{}", text(entry, "name"));
        assert_eq!(Value::decode(&encoded), Ok(value));
        read += 1;
    }
    assert_eq!(read, 74);
}

#[test]
fn transactions_read_back() {
    let file = load("transactions.json");
    let (mut read, mut payloads) = (0, 0);
    let mut unread = Vec::new();
    for entry in list(&file, "transactions") {
        let (id, inputs) = (text(entry, "id"), &entry["inputs"]);
        let node = &entry["node_side"];
        let Some(written) = node["tx_bytes_hex"].as_str() else {
            unread.push((id, "refused by the package".to_owned()));
            continue;
        };
        let written = hex::decode(written).unwrap();
        let transaction = SignedTransaction::decode(&written).unwrap();
        assert_eq!(transaction.bytes(), written, "{id}");
        assert_eq!(transaction.id().to_string(), text(node, "tx_hash_hex"));
        let message = transaction.message().unwrap();
        let expected = text(&entry["intermediate"], "message_to_sign");
        assert_eq!(message, expected.as_bytes(), "{id}");
        assert_eq!(transaction.nonce, inputs["nonce"].as_u64().unwrap(), "{id}");
        read += 1;

        if transaction.payload_type != "execute" {
            continue;
        }
        match ExecutePayload::decode(&transaction.payload) {
            Ok(payload) => {
                assert_eq!(payload.namespace, text(inputs, "namespace"), "{id}");
                assert_eq!(
                    payload.action,
                    text(inputs, "action").to_lowercase(),
                    "{id}"
                );
                if let Ok(expected) = payload_of(inputs) {
                    let again =
                        execute_payload(&payload.namespace, &payload.action, &payload.calls);
                    assert_eq!(again, expected, "{id}");
                }
                payloads += 1;
            }
            Err(error) => unread.push((id, error.problem.to_string())),
        }
    }
    assert_eq!((read, payloads), (20, 17));
    let unread: Vec<_> = unread.iter().map(|(id, why)| (*id, why.as_str())).collect();
    assert_eq!(unread, [("tx-21", "refused by the package"),]);
}

/// A user's transaction with a negative number, and a node's own, which signs a hash instead of a text.
#[test]
fn transactions_of_the_node_library_read_back() {
    let file = load("node_side.json");
    let items = &file["items"];
    let user = &items["go_user_tx_negative_int"];
    let node = &items["node_direct_tx"];
    let messages = [
        (user, text(user, "message_to_sign").as_bytes().to_vec()),
        (node, bytes(node, "signed_message_hex")),
    ];
    for (entry, message) in messages {
        let transaction = SignedTransaction::decode(&bytes(entry, "tx_bytes_hex")).unwrap();
        assert_eq!(transaction.bytes(), bytes(entry, "tx_bytes_hex"));
        assert_eq!(transaction.id().to_string(), text(entry, "tx_hash_hex"));
        assert_eq!(transaction.message(), Some(message));
    }
    let payload = ExecutePayload::decode(&bytes(user, "payload_hex")).unwrap();
    assert_eq!(payload.calls, [[Value::Int8(Some(-7))]]);

    // Nodes read this one too, as a transaction without anything in it; nothing can be done with it.
    assert!(SignedTransaction::decode(&bytes(items, "empty_tx_bytes_hex")).is_err());
}

#[test]
fn view_calls_read_back() {
    let file = load("view_calls.json");
    let mut read = 0;
    for entry in list(&file, "calls") {
        let (id, inputs) = (text(entry, "id"), &entry["inputs"]);
        let payload = CallPayload::decode(&bytes(&entry["intermediate"], "payload_hex")).unwrap();
        let expected = arguments(&inputs["arguments"], &inputs["argument_types"]).unwrap();
        assert_eq!(payload.namespace, text(inputs, "namespace"), "{id}");
        assert_eq!(payload.action, text(inputs, "action"), "{id}");
        assert_eq!(payload.arguments, expected, "{id}");
        read += 1;
    }
    assert_eq!(read, 9);
}

#[test]
fn boxes() {
    let real = real();
    let file = load("nacl_box.json");
    let mut checked = 0;
    for entry in list(&file, "vectors") {
        let id = text(entry, "id");
        let message = match entry.get("message_hex") {
            Some(_) => bytes(entry, "message_hex"),
            None => vec![0x5a; 65_536],
        };
        assert_eq!(
            content_hash(&message).to_string(),
            text(entry, "message_sha256_hex"),
            "{id}"
        );
        let recipient = BoxSecret(array(entry, "recipient_secret_key_hex_TEST_ONLY"));
        let to = BoxPublic(array(entry, "recipient_public_key_hex"));
        assert_eq!(real.box_public(&recipient), to, "{id}");
        let with = EphemeralSeal {
            secret: BoxSecret(array(entry, "ephemeral_secret_key_hex_TEST_ONLY")),
            nonce: array(entry, "nonce_hex"),
        };
        let encryptor = BoxPublic(array(entry, "encryptor_public_key_hex"));
        assert_eq!(real.box_public(&with.secret), encryptor, "{id}");

        let sealed = real.seal(&to, &with, &message);
        assert_eq!(sealed.len() as u64, entry["content_length"], "{id}");
        assert_eq!(
            hex::encode(Sha256::digest(&sealed)),
            text(entry, "content_sha256_hex"),
            "{id}"
        );
        if entry.get("content_hex").is_some() {
            assert_eq!(sealed, bytes(entry, "content_hex"), "{id}");
            assert_eq!(sealed, base64(entry, "content_base64"), "{id}");
        }
        assert_eq!(
            real.open(&recipient, &encryptor, &sealed),
            Some(message),
            "{id}"
        );

        // One byte in each part of the layout: nonce, tag, and the last one.
        for place in [0, 24, sealed.len() - 1] {
            let mut tampered = sealed.clone();
            tampered[place] ^= 1;
            let opened = real.open(&recipient, &encryptor, &tampered);
            assert_eq!(opened, None, "{id} with byte {place} changed");
        }
        checked += 1;
    }
    assert_eq!(checked, 8);
}

#[test]
fn password_keys() {
    let real = real();
    let file = load("scrypt_kdf.json");
    let mut checked = 0;
    for entry in list(&file, "vectors") {
        let name = text(entry, "name");
        let secret = real
            .derive_key(text(entry, "password"), text(entry, "user_id_salt"))
            .unwrap();
        assert_eq!(
            hex::encode(secret.0),
            text(entry, "secret_key_hex_TEST_ONLY"),
            "{name}"
        );
        assert_eq!(
            hex::encode(real.box_public(&secret).0),
            text(entry, "encryption_public_key_hex"),
            "{name}"
        );
        checked += 1;
    }
    let refused = list(&file, "salts_rejected_by_sdk");
    for salt in refused {
        // An entry may carry a remark after the salt.
        let salt = salt.as_str().unwrap().split(' ').next().unwrap();
        let answer = real.derive_key("password", salt);
        assert_eq!(answer.err(), Some(KdfError::InvalidSalt), "{salt:?}");
    }
    assert_eq!((checked, refused.len()), (8, 3));
}

#[test]
fn credential_signatures() {
    let real = real();
    let file = load("credential_signatures.json");
    let mut checked = 0;
    for entry in list(&file, "vectors") {
        let id = text(entry, "id");
        let key = SigningKey {
            scheme: Scheme::Ed25519,
            secret: array(entry, "issuer_signing_seed_hex_TEST_ONLY"),
        };
        let issuer = text(entry, "issuer_auth_public_key");
        assert_eq!(real.identity(&key).caller(), issuer, "{id}");
        let (notes, content) = (text(entry, "public_notes"), base64(entry, "content_base64"));
        let signatures = sign_credential(&real, &key, notes, &content, None);
        let (first, broader) = (
            text(entry, "public_notes_signature"),
            text(entry, "broader_signature"),
        );
        assert_eq!(signatures.public_notes, first, "{id}");
        assert_eq!(signatures.broader, broader, "{id}");

        let accepted = |notes: &str, content: &[u8], broader: &str| {
            verify_credential(&real, issuer, notes, first, content, broader, None)
        };
        assert!(accepted(notes, &content, broader), "{id}");
        assert!(!accepted("other notes", &content, broader), "{id}");
        assert!(!accepted(notes, &content[1..], broader), "{id}");
        assert!(!accepted(notes, &content, first), "{id}");
        assert!(!accepted(notes, &content, "not base64"), "{id}");
        checked += 1;
    }
    assert_eq!(checked, 4);
}

#[test]
fn the_issuer_example() {
    let real = real();
    let file = load("issuer_dwg_example.json");
    let args = &file["arguments"];
    let plaintext = text(&file, "plaintext").as_bytes();
    assert_eq!(
        content_hash(plaintext).to_string(),
        text(args, "content_hash")
    );
    let parts = [
        (
            "original",
            text(args, "original_public_notes"),
            "user_recipient_secret_key_hex_TEST_ONLY",
        ),
        // Copies have no notes of their own, yet they carry a signature over the empty text.
        ("copy", "", "consumer_recipient_secret_key_hex_TEST_ONLY"),
    ];
    for (part, notes, recipient) in parts {
        let content = base64(args, &format!("{part}_content"));
        assert!(
            verify_credential(
                &real,
                text(args, "issuer_auth_public_key"),
                notes,
                text(args, &format!("{part}_public_notes_signature")),
                &content,
                text(args, &format!("{part}_broader_signature")),
                None,
            ),
            "{part}"
        );
        let encryptor = base64(args, &format!("{part}_encryptor_public_key"));
        let encryptor = BoxPublic(encryptor.try_into().unwrap());
        let recipient = BoxSecret(array(&file, recipient));
        assert_eq!(
            real.open(&recipient, &encryptor, &content).as_deref(),
            Some(plaintext),
            "{part}"
        );
    }
}

#[test]
fn legacy_grant_texts_signed_by_wallets() {
    let real = real();
    let file = load("dag_dwg_messages.json");
    let examples = list(&file["legacy_on_chain_grants_text"], "signed_examples");
    for entry in examples {
        let key = SigningKey {
            scheme: Scheme::Evm,
            secret: array(entry, "private_key_hex_TEST_ONLY"),
        };
        let owner = Identity::parse_evm(text(entry, "owner")).unwrap();
        assert_eq!(real.identity(&key), owner);
        assert_eq!(owner.caller(), text(entry, "owner"));
        let message = text(entry, "message").as_bytes();
        let signature = bytes(entry, "signature_hex");
        assert_eq!(real.sign(&key, message), signature);
        assert!(real.verify(&owner, message, &signature));
    }
    assert_eq!(examples.len(), 3);
}
