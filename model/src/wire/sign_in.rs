//! The text a gateway has wallets sign once instead of every call. Source: idos-facts 4.2.

use std::fmt;

use crate::time::BlockTime;

/// What is signed: who signs in where, on which network, and from when until when.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct SignIn {
    pub domain: String,
    /// `@caller` of the wallet.
    pub address: String,
    pub chain_id: String,
    /// Good once.
    pub nonce: String,
    pub issued: BlockTime,
    pub expires: BlockTime,
}

impl fmt::Display for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SignIn {
            domain,
            address,
            chain_id,
            nonce,
            issued,
            expires,
        } = self;
        write!(
            f,
            "{domain} wants you to sign in with your account:\n{address}\n\n\
             Read what is yours through this gateway.\n\n\
             URI: https://{domain}\nVersion: 1\nChain ID: {chain_id}\nNonce: {nonce}\n\
             Issued At: {issued}\nExpiration Time: {expires}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_domain_network_nonce_and_times() {
        let text = SignIn {
            domain: "front.example".into(),
            address: "0xA".into(),
            chain_id: "net".into(),
            nonce: "00ff".into(),
            issued: BlockTime(1_767_225_600),
            expires: BlockTime(1_767_226_200),
        }
        .to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "front.example wants you to sign in with your account:"
        );
        assert_eq!(lines[1], "0xA");
        assert_eq!(
            lines[5..],
            [
                "URI: https://front.example",
                "Version: 1",
                "Chain ID: net",
                "Nonce: 00ff",
                "Issued At: 2026-01-01T00:00:00Z",
                "Expiration Time: 2026-01-01T00:10:00Z",
            ]
        );
    }
}
