//! View calls: who asks, what is asked, and how that is shown. Source: kwil-rpc 6.

use assay_model::crypto::{Identity, Scheme};
use assay_model::ledger::Query;
use assay_model::node::{Claim, ClaimProblem};
use assay_model::wire::{self, CallPayload};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::encoding::{base64_bytes, hex_bytes, nullable, object};
use super::envelope::RpcError;
use super::result::claim_refused;
use super::transaction::identity;

/// Whether a node asks readers for a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It believes what it is told.
    Open,
    /// Every call is signed over a challenge.
    Private,
}

impl Mode {
    /// As `user.health` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Open => "open",
            Mode::Private => "private",
        }
    }
}

/// The parameters of `user.call`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallMessage {
    /// Encoded action and arguments.
    pub payload: Vec<u8>,
    /// What the node gave out; empty in open mode.
    pub challenge: Vec<u8>,
    /// The signature's type; the package sends one even for nobody.
    pub auth_type: String,
    /// Raw bytes of the identity; empty for nobody.
    pub sender: Vec<u8>,
    /// Empty in open mode.
    pub signature: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct BodyJson {
    #[serde(default, with = "base64_bytes")]
    payload: Vec<u8>,
    #[serde(
        default,
        with = "base64_bytes",
        skip_serializing_if = "<[u8]>::is_empty"
    )]
    challenge: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct CallJson {
    #[serde(default, deserialize_with = "object")]
    body: Option<BodyJson>,
    #[serde(default, deserialize_with = "nullable")]
    auth_type: String,
    #[serde(default, with = "hex_bytes")]
    sender: Vec<u8>,
    #[serde(default, with = "base64_bytes")]
    signature: Vec<u8>,
}

impl CallMessage {
    /// Reads the parameters. None without a body, on which the node's handler fails.
    pub fn parse(params: &Json) -> Result<Option<CallMessage>, String> {
        let read = object::<_, CallJson>(params).map_err(|error| error.to_string())?;
        Ok(read.and_then(|call| {
            let body = call.body?;
            Some(CallMessage {
                payload: body.payload,
                challenge: body.challenge,
                auth_type: call.auth_type,
                sender: call.sender,
                signature: call.signature,
            })
        }))
    }

    /// The parameters, in the form the package sends: a challenge only where there is one.
    pub fn to_json(&self) -> Json {
        let message = self.clone();
        let json = CallJson {
            body: Some(BodyJson {
                payload: message.payload,
                challenge: message.challenge,
            }),
            auth_type: message.auth_type,
            sender: message.sender,
            signature: message.signature,
        };
        serde_json::to_value(json).expect("a call has text keys only")
    }

    /// The call that a claim and a query make. Nobody has no signature type of its own; the package then
    /// names that of wallets.
    pub fn new(claim: &Claim, query: &Query) -> CallMessage {
        let own = || wire::call_payload(query.namespace(), query.name(), &query.arguments());
        let payload = match claim {
            Claim::Signed {
                payload: Some(sent),
                ..
            } => sent.to_vec(),
            _ => own(),
        };
        let (challenge, signature) = match claim {
            Claim::Anonymous | Claim::Stated(_) => (Vec::new(), Vec::new()),
            Claim::Signed {
                challenge,
                signature,
                ..
            } => (challenge.to_vec(), signature.clone()),
        };
        let identity = claim.identity();
        let sender = identity.as_ref().map_or(&[][..], Identity::bytes).to_vec();
        let scheme = identity.map_or(Scheme::Evm, |who| who.scheme());
        CallMessage {
            payload,
            challenge,
            auth_type: wire::signature_type(scheme).to_owned(),
            sender,
            signature,
        }
    }

    /// What the call means to the node. The checks stand in the node's order; what needs the node's state,
    /// whether the challenge is its own and fresh and the signature right, is left to it.
    ///
    /// A payload that spells the query in other bytes than this model does (a type's other name, an
    /// upper-case namespace) goes along with the claim, since the signed text hangs on the bytes.
    pub fn read(&self, mode: Mode) -> Result<(Claim, Query), RpcError> {
        let payload = CallPayload::decode(&self.payload).map_err(|error| {
            RpcError::new(-32_602, format!("failed to convert action call: {error}"))
        })?;
        let challenge = match mode {
            Mode::Open => None,
            Mode::Private => Some(self.challenge()?),
        };
        let mut claim = self.claim(challenge)?;
        let query = Query::decode(&payload.namespace, &payload.action, &payload.arguments)
            .map_err(|error| RpcError::new(-300, error.to_string()))?;
        if let Claim::Signed { payload, .. } = &mut claim {
            let own = wire::call_payload(query.namespace(), query.name(), &query.arguments());
            *payload = (own != self.payload).then(|| self.payload.as_slice().into());
        }
        Ok((claim, query))
    }

    fn challenge(&self) -> Result<[u8; 32], RpcError> {
        if self.signature.is_empty() || self.sender.is_empty() {
            let told = "signed call message with challenge required";
            return Err(RpcError::new(-1_001, told));
        }
        let challenge = self.challenge.as_slice().try_into();
        challenge.map_err(|_| RpcError::new(-1_002, "incorrect challenge data length"))
    }

    fn claim(&self, challenge: Option<[u8; 32]>) -> Result<Claim, RpcError> {
        let claimed = identity(&self.auth_type, &self.sender);
        match challenge {
            Some(challenge) => Ok(Claim::Signed {
                // An unknown type fails as its signature is looked at.
                identity: claimed.map_err(|_| claim_refused(ClaimProblem::WrongSignature))?,
                challenge,
                signature: self.signature.clone(),
                payload: None,
            }),
            // A sender without a type is nobody.
            None if self.sender.is_empty() || self.auth_type.is_empty() => Ok(Claim::Anonymous),
            None => claimed
                .map(Claim::Stated)
                .map_err(|nobody| RpcError::new(-601, format!("failed to get caller: {nobody}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call() -> CallMessage {
        let claim = Claim::Signed {
            identity: Identity::Evm([1; 20]),
            challenge: [7; 32],
            signature: vec![9; 65],
            payload: None,
        };
        CallMessage::new(&claim, &Query::GetUser {})
    }

    fn check_refused(mode: Mode, change: impl FnOnce(&mut CallMessage), code: i32, told: &str) {
        let mut message = call();
        change(&mut message);
        let error = message.read(mode).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (code, told));
    }

    #[test]
    fn malformed_calls_are_refused_as_parameters() {
        let table = [
            ("/body", json!("")),
            ("/body", json!(["", ""])),
            ("/body/payload", json!("AQI")),
            ("/body/payload", json!(7)),
            ("/body/challenge", json!("0x0")),
            ("/body/challenge", json!([7])),
            ("/auth_type", json!({})),
            ("/sender", json!("0x0101")),
            ("/sender", json!("010")),
            ("/sender", json!(1)),
            ("/signature", json!("!")),
            ("/signature", json!({ "sig": "" })),
        ];
        for (place, wrong) in table {
            let mut params = call().to_json();
            *params.pointer_mut(place).unwrap() = wrong.clone();
            assert!(CallMessage::parse(&params).is_err(), "{place} {wrong}");
        }
        assert_eq!(CallMessage::parse(&json!({})), Ok(None));
        assert_eq!(CallMessage::parse(&call().to_json()), Ok(Some(call())));
    }

    #[test]
    fn private_mode_asks_for_signature_sender_and_challenge_in_this_order() {
        let required = "signed call message with challenge required";
        let length = "incorrect challenge data length";
        let wrong = "invalid signature on call message";
        check_refused(Mode::Private, |c| c.signature.clear(), -1_001, required);
        check_refused(Mode::Private, |c| c.sender.clear(), -1_001, required);
        check_refused(
            Mode::Private,
            |c| (c.sender, c.challenge) = Default::default(),
            -1_001,
            required,
        );
        check_refused(Mode::Private, |c| c.challenge.clear(), -1_002, length);
        check_refused(Mode::Private, |c| c.challenge.push(7), -1_002, length);
        let unknown = |c: &mut CallMessage| c.auth_type = "secp256k1".into();
        check_refused(Mode::Private, unknown, -1_004, wrong);
        assert!(call().read(Mode::Private).is_ok());
    }

    #[test]
    fn another_spelling_goes_along_with_the_claim() {
        let spelled = CallMessage {
            payload: wire::call_payload("MAIN", "get_user", &[]),
            ..call()
        };
        let (claim, query) = spelled.read(Mode::Private).unwrap();
        assert_eq!(query, Query::GetUser {});
        assert_eq!(CallMessage::new(&claim, &query), spelled);
        let (own, _) = call().read(Mode::Private).unwrap();
        assert!(matches!(own, Claim::Signed { payload: None, .. }));
    }

    #[test]
    fn open_mode_looks_at_sender_and_type_alone() {
        let stated = call().read(Mode::Open).unwrap().0;
        assert_eq!(stated, Claim::Stated(Identity::Evm([1; 20])));
        for nobody in [
            CallMessage {
                sender: Vec::new(),
                ..call()
            },
            CallMessage {
                auth_type: String::new(),
                ..call()
            },
        ] {
            assert_eq!(nobody.read(Mode::Open).unwrap().0, Claim::Anonymous);
        }
        check_refused(
            Mode::Open,
            |c| c.auth_type = "secp256k1".into(),
            -601,
            "failed to get caller: authenticator not found: secp256k1",
        );
        check_refused(
            Mode::Open,
            |c| c.auth_type = "xrpl".into(),
            -601,
            "failed to get caller: invalid sender of 20 bytes",
        );
        check_refused(
            Mode::Open,
            |c| c.sender.push(1),
            -601,
            "failed to get caller: invalid sender of 21 bytes",
        );
    }

    #[test]
    fn what_the_engine_refuses_to_start() {
        let with = |namespace: &'static str, action: &'static str| {
            move |c: &mut CallMessage| c.payload = wire::call_payload(namespace, action, &[])
        };
        check_refused(
            Mode::Open,
            with("Other", "get_user"),
            -300,
            "namespace \"other\" does not exist",
        );
        check_refused(
            Mode::Open,
            with("main", "nothing"),
            -300,
            "unknown action: action \"nothing\" does not exist in namespace \"main\"",
        );
        check_refused(
            Mode::Open,
            with("main", "remove_user"),
            -300,
            "connection is read-only and cannot mutate state: action \"remove_user\" requires a writer connection",
        );
        check_refused(
            Mode::Open,
            with("main", "credential_exist"),
            -300,
            "action is private: action \"credential_exist\" cannot be called from outside",
        );
        check_refused(
            Mode::Open,
            |c| c.payload.truncate(3),
            -32_602,
            "failed to convert action call: byte 2: namespace: encoded length 4 is longer than data length 1",
        );
        let spelling = CallMessage {
            payload: wire::call_payload("MAIN", "Get_User", &[]),
            ..call()
        };
        assert_eq!(spelling.read(Mode::Open).unwrap().1, Query::GetUser {});
    }
}
