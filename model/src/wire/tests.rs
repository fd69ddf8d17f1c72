//! Reading undoes writing, and reads anything at all without panicking.

use assay_laws::laws;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::bridge::{Address, Amount, BridgeEvent, DepositEvent, EpochConfirmedEvent, Hash, Token};

fn numeric() -> impl Strategy<Value = (Shape, Option<Numeric>)> {
    let written = "[-+]?[0-9]{1,8}(\\.[0-9]{0,8})?(e[0-9])?";
    (1..1000_u16, any::<u16>(), option::of(written)).prop_map(|(precision, scale, text)| {
        let scale = scale % (precision + 1);
        let shape = Shape { precision, scale };
        (
            shape,
            text.and_then(|text| Numeric::parse(&text, shape).ok()),
        )
    })
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        option::of(".*").prop_map(|text| Value::Text(text.map(Into::into))),
        any::<Option<i64>>().prop_map(Value::Int8),
        any::<Option<bool>>().prop_map(Value::Bool),
        any::<Option<u128>>().prop_map(|id| Value::Uuid(id.map(Uuid::from_u128))),
        any::<Option<Vec<u8>>>().prop_map(Value::Bytea),
        numeric().prop_map(|(shape, number)| Value::Numeric(shape, number)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let array = vec(any::<Option<i64>>().prop_map(Value::Int8), 0..4);
    let texts = vec(option::of(".*"), 0..4).prop_map(|texts| {
        let text = |text: Option<String>| Value::Text(text.map(Into::into));
        Value::Array(Type::Text, texts.into_iter().map(text).collect())
    });
    prop_oneof![
        4 => scalar(),
        1 => array.prop_map(|numbers| Value::Array(Type::Int8, numbers)),
        1 => texts,
    ]
}

fn transaction() -> impl Strategy<Value = SignedTransaction> {
    let body = (
        ".{0,40}",
        any::<Vec<u8>>(),
        "[a-z_]{0,12}",
        option::of("0|-?[1-9][0-9]{0,20}"),
        any::<u64>(),
        ".{0,20}",
    );
    let rest = (
        "concat|direct|other",
        any::<Vec<u8>>(),
        any::<Vec<u8>>(),
        "[a-z0-9_]{0,12}",
    );
    (body, rest).prop_map(|(body, rest)| SignedTransaction {
        description: body.0,
        payload: body.1,
        payload_type: body.2,
        fee: body.3,
        nonce: body.4,
        chain_id: body.5,
        serialization: rest.0,
        sender: rest.1,
        signature: rest.2,
        signature_type: rest.3,
    })
}

laws! {
    256;

    fn values_read_as_written(value in value(), after in any::<Vec<u8>>()) {
        let mut bytes = value.encoded();
        prop_assert_eq!(Value::decode(&bytes), Ok(value.clone()));
        bytes.extend(after);
        prop_assert_eq!(Value::decode(&bytes), Ok(value));
    }

    fn payloads_read_as_written(
        namespace in ".{0,10}",
        action in "[a-z_]{0,20}",
        calls in vec(vec(value(), 0..4), 0..3),
    ) {
        let bytes = execute_payload(&namespace, &action, &calls);
        let read = ExecutePayload::decode(&bytes).unwrap();
        prop_assert_eq!((&read.namespace, &read.action), (&namespace, &action));
        prop_assert_eq!(&read.calls, &calls);

        let arguments = calls.first().cloned().unwrap_or_default();
        let bytes = call_payload(&namespace, &action, &arguments);
        let expected = CallPayload { namespace, action, arguments };
        prop_assert_eq!(CallPayload::decode(&bytes), Ok(expected));
    }

    fn transactions_read_as_written(transaction in transaction(), after in any::<Vec<u8>>()) {
        let mut bytes = transaction.bytes();
        bytes.extend(after);
        prop_assert_eq!(SignedTransaction::decode(&bytes), Ok(transaction));
    }

    fn events_of_the_other_chain_read_as_written(
        (deposit, token) in any::<(bool, bool)>(),
        (id, root) in any::<([u8; 32], [u8; 32])>(),
        address in any::<[u8; 20]>(),
        (amount, block) in any::<(i128, u64)>(),
        after in 1..9usize,
    ) {
        let token = if token { Token::Idos } else { Token::Usdc };
        let id = Hash(id);
        let event = match deposit {
            true => BridgeEvent::Deposit(DepositEvent {
                id,
                token,
                address: Address(address),
                amount: Amount(amount),
                block,
            }),
            false => {
                let root = Hash(root);
                BridgeEvent::EpochConfirmed(EpochConfirmedEvent { id, token, root, block })
            }
        };
        let mut body = event.votable().body;
        prop_assert_eq!(BridgeEvent::decode(&body), Ok(event));
        // One event has one body, or one deposit would be voted on under several names.
        body.extend(vec![0; after]);
        prop_assert!(BridgeEvent::decode(&body).is_err());
    }

    fn anything_is_read_without_panic(bytes in any::<Vec<u8>>()) {
        let _ = Value::decode(&bytes);
        let _ = ExecutePayload::decode(&bytes);
        let _ = CallPayload::decode(&bytes);
        let _ = SignedTransaction::decode(&bytes);
        let _ = BridgeEvent::decode(&bytes);
    }

    // Bytes that were right once reach deeper than those drawn from nothing.
    fn damage_is_read_without_panic(
        value in value(),
        transaction in transaction(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let payload = execute_payload("main", "a", &[vec![value.clone()], vec![value]]);
        for mut bytes in [payload, transaction.bytes()] {
            let at = place.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(cut.index(bytes.len()) + 1);
            let _ = ExecutePayload::decode(&bytes);
            let _ = CallPayload::decode(&bytes);
            let _ = SignedTransaction::decode(&bytes);
        }
    }

    fn a_part_is_never_taken_for_the_whole(transaction in transaction(), cut in any::<prop::sample::Index>()) {
        let mut bytes = transaction.bytes();
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(SignedTransaction::decode(&bytes).is_err());
    }
}

#[test]
fn a_count_with_nothing_behind_it_is_an_error() {
    // 65 535 calls are claimed, and none follows.
    let mut bytes = execute_payload("main", "a", &[]);
    let length = bytes.len();
    bytes[length - 2..].fill(0xff);
    let error = ExecutePayload::decode(&bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "byte 17: number of arguments: encoded length 2 is longer than data length 0"
    );
}

#[test]
fn a_body_ends_where_its_length_says() {
    let empty = SignedTransaction {
        description: String::new(),
        payload: Vec::new(),
        payload_type: "execute".to_owned(),
        fee: Some("0".to_owned()),
        nonce: 1,
        chain_id: String::new(),
        serialization: "concat".to_owned(),
        sender: Vec::new(),
        signature: Vec::new(),
        signature_type: String::new(),
    };
    let mut bytes = empty.bytes();
    // Version, an envelope of two empty parts, then the body behind its zig-zag length.
    assert_eq!(bytes[..5], [0, 0, 4, 0, 0]);
    let length = usize::from(bytes[5] / 2);
    bytes[5] += 2;
    bytes.insert(6 + length, 0);
    let error = SignedTransaction::decode(&bytes).unwrap_err();
    assert_eq!(error.problem, DecodeProblem::Trailing(1));
}

#[test]
fn fees_are_read_into_one_form() {
    let table = [
        ("0", Some("0")),
        ("-0", Some("0")),
        ("007", Some("7")),
        ("+5", Some("5")),
        ("-5", Some("-5")),
        ("", None),
        ("-", None),
        ("1.5", None),
        ("0x10", None),
        ("1_000", None),
        ("١", None),
    ];
    for (written, expected) in table {
        assert_eq!(
            canonical_integer(written).as_deref(),
            expected,
            "{written:?}"
        );
    }
}

/// An `EncodedValue` of a type by this name, with one element.
fn typed(name: &str, element: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    let mut data_type = vec![0, 0];
    data_type.extend((name.len() as u32).to_be_bytes());
    data_type.extend(name.as_bytes());
    data_type.extend([0; 5]);
    bytes.extend((data_type.len() as u32).to_le_bytes());
    bytes.extend(data_type);
    bytes.extend([1, 0]);
    bytes.extend((element.len() as u32).to_le_bytes());
    bytes.extend(element);
    bytes
}

#[test]
fn a_type_has_several_names_and_all_are_in_lower_case() {
    let kinds: [(&[&str], Value); 5] = [
        (&["text", "string"], Value::Text(None)),
        (&["int8", "int", "integer", "bigint"], Value::Int8(None)),
        (&["bool", "boolean"], Value::Bool(None)),
        (&["bytea", "blob"], Value::Bytea(None)),
        (&["uuid"], Value::Uuid(None)),
    ];
    for (names, null) in kinds {
        for name in names {
            assert_eq!(
                Value::decode(&typed(name, &[0])),
                Ok(null.clone()),
                "{name}"
            );
            let upper = name.to_uppercase();
            let refused = Value::decode(&typed(&upper, &[0])).unwrap_err();
            assert_eq!(refused.problem, DecodeProblem::UnknownType(upper));
        }
    }
    assert_eq!(Value::decode(&typed("null", &[0])), Ok(Value::Null));
    // A numeric says how many digits it has.
    for name in ["numeric", "decimal"] {
        let refused = Value::decode(&typed(name, b"\x011")).unwrap_err();
        assert_eq!(refused.problem, DecodeProblem::NoPrecision(0));
    }
    // Another build of the node knows these two.
    for name in ["int4", "smallint", "", "text[]"] {
        assert!(Value::decode(&typed(name, &[0])).is_err(), "{name}");
    }
}
