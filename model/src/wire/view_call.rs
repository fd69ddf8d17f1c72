//! The text of an authenticated view call.

use super::payload_digest;

/// What a caller signs where nodes run in private mode; elsewhere view calls are not signed at all.
///
/// `payload` is the [`call_payload`](super::call_payload) of the same names, `challenge` the node's own
/// 32 bytes, good for one call and a short time. Source: kwil-rpc 6.
pub fn call_text(namespace: &str, action: &str, payload: &[u8], challenge: &[u8; 32]) -> String {
    // The node writes the names as it reads them in the payload, where the action is in lower case.
    let method = action.to_lowercase();
    let digest = payload_digest(payload);
    let challenge = hex::encode(challenge);
    format!(
        "Kwil view call.\n\nNamespace: {namespace}\nMethod: {method}\nDigest: {digest}\nChallenge: {challenge}\n"
    )
}
