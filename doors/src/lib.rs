//! Every door bytes come in by, given any bytes: nothing panics, what is refused says why, and what is read is
//! read again from what it is written as. Fuzz targets (`fuzz/`) and tests call the same functions; a broken
//! claim is a panic. Start with [`DOORS`].

use std::fmt::Display;
use std::sync::{Arc, LazyLock};

use assay_model::bridge::BridgeEvent;
use assay_model::crypto::{
    BoxPublic, BoxSecret, Identity, KdfMemo, Nep413, Real, Suite, Symbolic, XrplKey,
    canonical_identifier, is_xrpl_address, parse_stellar_address, verify_credential,
};
use assay_model::ledger::{Action, Query};
use assay_model::time::BlockTime;
use assay_model::vc::{Level, PublicNotes, TrustedIssuer, VerifiableCredential, notes_id, status};
use assay_model::wire::{
    CallPayload, EnginePayload, ExecutePayload, ParameterUpdates, PowerUpdate, SignedTransaction,
    Value, call_payload, canonical_integer, execute_payload,
};
use assay_node::rpc::{self, ChainMethod, Failure, Method, Mode};
use assay_scenarios::{Overrides, Source, load};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// A door, and what knocks at it: whether something was read to its end, or there was nothing but refusals.
pub type Door = (&'static str, fn(&[u8]) -> bool);

/// All of them by name.
pub const DOORS: &[Door] = &[
    ("payload", payload),
    ("engine", engine),
    ("value", value),
    ("transaction", transaction),
    ("signature", signature),
    ("key", key),
    ("document", document),
    ("sealed_box", sealed_box),
    ("scenario", scenario),
    ("rpc_body", rpc_body),
];

static SUITES: LazyLock<[Arc<dyn Suite>; 2]> = LazyLock::new(|| {
    [
        Arc::new(Symbolic),
        Arc::new(Real::new(Arc::new(KdfMemo::new()))),
    ]
});

/// A refusal that says nothing helps nobody.
fn says_why(refusal: &impl Display) {
    let why = refusal.to_string();
    assert!(!why.trim().is_empty(), "a refusal without a reason");
}

/// The payloads of transactions and of view calls, and the calls in them. Names of actions are read as they were
/// sent, and written in lower case.
pub fn payload(bytes: &[u8]) -> bool {
    let mut read_any = false;
    match ExecutePayload::decode(bytes) {
        Ok(read) => {
            let written = execute_payload(&read.namespace, &read.action, &read.calls);
            let action = read.action.to_lowercase();
            let lower = ExecutePayload {
                action,
                ..read.clone()
            };
            assert_eq!(ExecutePayload::decode(&written), Ok(lower));
            for arguments in &read.calls {
                match Action::decode(&read.namespace, &read.action, arguments) {
                    Ok(action) => {
                        let again =
                            Action::decode(action.namespace(), action.name(), &action.arguments());
                        assert_eq!(again.as_ref(), Ok(&action));
                        read_any = true;
                    }
                    Err(refusal) => says_why(&refusal),
                }
            }
        }
        Err(refusal) => says_why(&refusal),
    }
    match CallPayload::decode(bytes) {
        Ok(read) => {
            let written = call_payload(&read.namespace, &read.action, &read.arguments);
            let action = read.action.to_lowercase();
            let lower = CallPayload {
                action,
                ..read.clone()
            };
            assert_eq!(CallPayload::decode(&written), Ok(lower));
            match Query::decode(&read.namespace, &read.action, &read.arguments) {
                Ok(query) => {
                    let again = Query::decode(query.namespace(), query.name(), &query.arguments());
                    assert_eq!(again.as_ref(), Ok(&query));
                    read_any = true;
                }
                Err(refusal) => says_why(&refusal),
            }
        }
        Err(refusal) => says_why(&refusal),
    }
    read_any
}

/// The engine's own payloads, which of them the first byte says, and what is voted on in them.
pub fn engine(bytes: &[u8]) -> bool {
    let Some((kind, bytes)) = bytes.split_first() else {
        return false;
    };
    let kind = EnginePayload::TYPES[usize::from(*kind) % EnginePayload::TYPES.len()];
    let payload = match EnginePayload::decode(kind, bytes) {
        Ok(payload) => payload,
        Err(refusal) => {
            says_why(&refusal);
            return false;
        }
    };
    let again = EnginePayload::decode(kind, &payload.encoded());
    assert_eq!(again.as_ref(), Ok(&payload));
    let events = match &payload {
        EnginePayload::CreateResolution(event) => std::slice::from_ref(event),
        EnginePayload::ValidatorVoteBodies(events) => events,
        _ => return true,
    };
    let mut read_any = false;
    for body in events.iter().map(|event| event.body.as_slice()) {
        match BridgeEvent::decode(body) {
            Ok(event) => {
                assert_eq!(event.votable().body, body);
                read_any = true;
            }
            Err(refusal) => says_why(&refusal),
        }
        match ParameterUpdates::decode(body) {
            Ok(updates) => {
                let again = ParameterUpdates::decode(&updates.encoded());
                assert_eq!(again.map(|again| again.encoded()), Ok(updates.encoded()));
                read_any = true;
            }
            Err(refusal) => says_why(&refusal),
        }
        match PowerUpdate::decode(body) {
            Ok(update) => {
                assert_eq!(PowerUpdate::decode(&update.encoded()).as_ref(), Ok(&update));
                read_any = true;
            }
            Err(refusal) => says_why(&refusal),
        }
    }
    read_any
}

/// One `EncodedValue`.
pub fn value(bytes: &[u8]) -> bool {
    let value = Value::decode(bytes);
    match &value {
        Ok(read) => assert_eq!(Value::decode(&read.encoded()).as_ref(), Ok(read)),
        Err(refusal) => says_why(refusal),
    }
    value.is_ok()
}

/// A transaction as it is stored and sent between nodes, and decimal numbers as its JSON has them.
pub fn transaction(bytes: &[u8]) -> bool {
    let mut read_any = false;
    match SignedTransaction::decode(bytes) {
        Ok(read) => {
            assert_eq!(SignedTransaction::decode(&read.bytes()).as_ref(), Ok(&read));
            let _ = (read.id(), read.text(), read.message());
            payload(&read.payload);
            read_any = true;
        }
        Err(refusal) => says_why(&refusal),
    }
    if let Some(integer) = canonical_integer(&text(bytes)) {
        assert_eq!(canonical_integer(&integer).as_ref(), Some(&integer));
        read_any = true;
    }
    read_any
}

/// So many bytes from the front, zeros where there are none.
fn taken<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let (front, rest) = bytes.split_at(N.min(bytes.len()));
    out[..front.len()].copy_from_slice(front);
    *bytes = rest;
    out
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A signature of any scheme, by a signer who may be anything.
pub fn signature(mut bytes: &[u8]) -> bool {
    let mut read_any = false;
    let [kind, length] = taken(&mut bytes);
    let signer = match kind % 5 {
        0 => Identity::Evm(taken(&mut bytes)),
        1 => Identity::Ed25519(taken(&mut bytes)),
        2 => Identity::Near(taken(&mut bytes)),
        _ => {
            let key: [u8; 33] = taken(&mut bytes);
            match XrplKey::new(&key) {
                Some(key) => Identity::Xrpl(key),
                None => Identity::Xrpl(XrplKey::ed25519(&taken(&mut bytes))),
            }
        }
    };
    let (message, signature) = bytes.split_at(usize::from(length).min(bytes.len()));
    for suite in SUITES.iter() {
        let good = suite.verify(&signer, message, signature);
        assert_eq!(good, suite.verify(&signer, message, signature));
        read_any |= good;
        let (message, caller) = (text(message), signer.caller());
        let signed = hex::encode(signature);
        verify_credential(
            &**suite, &caller, &message, &signed, signature, &signed, None,
        );
    }
    if let Some((signed, by)) = Nep413::read(signature) {
        assert_eq!(signed.container(by), signature);
        read_any = true;
    }
    read_any
}

/// A key, address or account in any spelling.
pub fn key(bytes: &[u8]) -> bool {
    let text = text(bytes);
    let read = [
        Identity::parse_evm(&text),
        Identity::parse_ed25519(&text),
        Identity::parse_near(&text),
        Identity::parse_stellar(&text),
        XrplKey::parse(&text).map(Identity::Xrpl),
        XrplKey::new(bytes).map(Identity::Xrpl),
    ];
    let mut read_any = false;
    for identity in read.into_iter().flatten() {
        let caller = identity.caller();
        assert_eq!(canonical_identifier(&caller).as_ref(), Some(&caller));
        read_any = true;
    }
    if let Some(canonical) = canonical_identifier(&text) {
        assert_eq!(canonical_identifier(&canonical).as_ref(), Some(&canonical));
    }
    read_any | is_xrpl_address(&text) | parse_stellar_address(&text).is_some()
}

/// A credential document and what is public of it.
pub fn document(bytes: &[u8]) -> bool {
    let mut read_any = false;
    match VerifiableCredential::parse(bytes) {
        Ok(read) => {
            let written = VerifiableCredential::parse(&read.to_bytes());
            assert_eq!(written.as_ref(), Ok(&read));
            match read.subject() {
                Ok(_) => read_any = true,
                Err(refusal) => says_why(&refusal),
            }
            let trusted = TrustedIssuer {
                url: read.issuer_url().to_owned(),
                key: Identity::Ed25519([7; 32]),
            };
            for suite in SUITES.iter() {
                match read.verify(&**suite, std::slice::from_ref(&trusted), BlockTime(0)) {
                    Ok(_) => panic!("a document was believed that nobody has signed"),
                    Err(refusal) => says_why(&refusal),
                }
            }
        }
        Err(refusal) => says_why(&refusal),
    }
    let text = text(bytes);
    let _ = (notes_id(&text), status(&text));
    if let Some(notes) = PublicNotes::parse(&text) {
        assert_eq!(PublicNotes::parse(&notes.to_text()).as_ref(), Some(&notes));
        read_any = true;
    }
    match text.parse::<Level>() {
        Ok(level) => {
            assert_eq!(level.to_string().parse().as_ref(), Ok(&level));
            read_any = true;
        }
        Err(refusal) => says_why(&refusal),
    }
    read_any
}

/// Sealed content: the bytes, or base64 of them as a row holds it.
pub fn sealed_box(mut bytes: &[u8]) -> bool {
    let mut read_any = false;
    let (secret, encryptor) = (BoxSecret(taken(&mut bytes)), BoxPublic(taken(&mut bytes)));
    let decoded = BASE64.decode(bytes).unwrap_or_default();
    for sealed in [bytes, &decoded] {
        for suite in SUITES.iter() {
            let opened = suite.open(&secret, &encryptor, sealed);
            assert_eq!(opened, suite.open(&secret, &encryptor, sealed));
            read_any |= opened.is_some();
        }
    }
    read_any
}

/// A scenario file.
pub fn scenario(bytes: &[u8]) -> bool {
    let source = Source {
        name: "story".to_owned(),
        path: "story.toml".to_owned(),
        text: text(bytes).into(),
    };
    match load(&source) {
        Ok(story) => {
            drop(story.plan(&Overrides::none()));
            true
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused for no reason");
            problems.iter().for_each(says_why);
            false
        }
    }
}

/// The body of a request to a node.
pub fn rpc_body(bytes: &[u8]) -> bool {
    let request = match rpc::Request::parse("POST", bytes) {
        Ok(request) => request,
        Err(answer) => {
            assert!(
                (400..600).contains(&answer.status) && !answer.body.is_empty(),
                "{answer:?}"
            );
            return false;
        }
    };
    let mut read_any = false;
    let refused = match Method::parse(&request.method, &request.params) {
        Ok(Method::Call(call)) => {
            for mode in [Mode::Open, Mode::Private] {
                match call.read(mode) {
                    Ok(_) => read_any = true,
                    Err(refusal) => says_why(&refusal.message),
                }
            }
            None
        }
        Ok(Method::Broadcast { tx, .. }) => {
            read_any = transaction(&tx.bytes());
            None
        }
        Ok(_) => {
            read_any = true;
            None
        }
        Err(failure) => Some(failure),
    };
    let chain = ChainMethod::parse(&request.method, &request.params);
    read_any |= chain.is_ok();
    for failure in refused.into_iter().chain(chain.err()) {
        let answer = failure.response(&request.id);
        // A handler that fails says so by the status alone, as those of nodes do.
        let silent = failure == Failure::Handler;
        let as_told = (answer.status, answer.body.is_empty()) == (500, true);
        assert!(
            if silent {
                as_told
            } else {
                !answer.body.is_empty()
            },
            "{failure:?} of {}: {answer:?}",
            request.method
        );
    }
    read_any
}
