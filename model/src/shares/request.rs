//! What an enclave asks of share nodes, and what the user's wallet signs for it. Source: idos-facts 4.10.

use sha3::{Digest, Keccak256};

use super::shamir::Commitment;
use super::typed::{Typed, Value};
use crate::crypto::{BoxPublic, Identity, SigningKey, Suite, XrplKey};
use crate::ledger::WalletType;
use crate::time::WallMillis;

/// The contract that lists the share nodes; wallets sign for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareContract(pub [u8; 20]);

impl ShareContract {
    /// The contract that serves a network.
    pub fn of(chain_id: &str) -> ShareContract {
        let hash = Keccak256::digest(format!("idOS secret store of {chain_id}"));
        let mut address = [0; 20];
        address.copy_from_slice(&hash[12..]);
        ShareContract(address)
    }

    /// There is no chain id in it.
    fn domain(&self) -> Typed<'_> {
        Typed {
            name: "EIP712Domain",
            fields: vec![
                ("name", Value::Text("idOS secret store contract")),
                ("version", Value::Text("1")),
                ("verifyingContract", Value::Address(&self.0)),
            ],
        }
    }
}

/// A wallet as share nodes know it: `eip712:<address>`, `XRPL:<public key>`, `NEAR:<base 58>`,
/// `FACESIGN:<public key>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareAddress {}

impl ShareAddress {
    /// The address of a wallet; there is none for Stellar wallets.
    pub fn of(kind: WalletType, identity: &Identity) -> Option<String> {
        match (kind, identity) {
            (WalletType::EVM, Identity::Evm(_)) => Some(format!("eip712:{}", identity.caller())),
            (WalletType::XRPL, Identity::Xrpl(key)) => {
                Some(format!("XRPL:{}", hex::encode_upper(key.bytes())))
            }
            (WalletType::NEAR, Identity::Near(key)) => {
                Some(format!("NEAR:{}", bs58::encode(key).into_string()))
            }
            (WalletType::FaceSign, Identity::Ed25519(key)) => {
                Some(format!("FACESIGN:{}", hex::encode(key)))
            }
            _ => None,
        }
    }

    /// Whose signature counts for an address.
    pub fn identity(address: &str) -> Option<Identity> {
        match address.split_once(':')? {
            ("eip712", address) => Identity::parse_evm(address),
            ("XRPL", key) => XrplKey::parse(key).map(Identity::Xrpl),
            ("NEAR", key) => Identity::parse_near(&format!("ed25519:{key}")),
            ("FACESIGN", key) => Identity::parse_ed25519(key),
            _ => None,
        }
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareRequest {
    /// `PUT shares/<user id>`, with a share for this node.
    Upload {
        /// Of every node's blinded share, by point.
        commitments: Vec<Commitment>,
        /// Who may have the share back; the first one signs.
        addresses: Vec<String>,
    },
    /// `POST shares/<user id>`.
    Download {
        /// Who asks.
        address: String,
        /// When.
        timestamp: WallMillis,
        /// What to seal the share to.
        public_key: BoxPublic,
    },
    /// `PATCH …/add_address`.
    AddAddress {
        /// Who asks.
        address: String,
        /// Who may have the share back from now on.
        added: String,
        /// When.
        timestamp: WallMillis,
    },
    /// `PATCH …/remove_address`.
    RemoveAddress {
        /// Who asks.
        address: String,
        /// Who may not have it any more.
        removed: String,
        /// When.
        timestamp: WallMillis,
    },
}

/// A request with the signature of the wallet that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedShareRequest {
    /// What is asked.
    pub request: ShareRequest,
    /// Over typed data by an EVM wallet, over JSON text by any other.
    pub signature: Vec<u8>,
}

impl ShareRequest {
    fn typed(&self) -> Typed<'_> {
        match self {
            ShareRequest::Upload {
                commitments,
                addresses,
            } => Typed {
                name: "UploadSignatureMessage",
                fields: vec![
                    ("share_commitments", Value::Hashes(commitments)),
                    ("recovering_addresses", Value::Texts(addresses)),
                ],
            },
            ShareRequest::Download {
                address,
                timestamp,
                public_key,
            } => Typed {
                name: "DownloadSignatureMessage",
                fields: vec![
                    ("recovering_address", Value::Text(address)),
                    ("timestamp", Value::Number(timestamp.0)),
                    ("public_key", Value::Hash(&public_key.0)),
                ],
            },
            ShareRequest::AddAddress {
                address,
                added,
                timestamp,
            } => Typed {
                name: "AddAddressSignatureMessage",
                fields: vec![
                    ("recovering_address", Value::Text(address)),
                    ("address_to_add", Value::Text(added)),
                    ("timestamp", Value::Number(timestamp.0)),
                ],
            },
            ShareRequest::RemoveAddress {
                address,
                removed,
                timestamp,
            } => Typed {
                name: "RemoveAddressSignatureMessage",
                fields: vec![
                    ("recovering_address", Value::Text(address)),
                    ("address_to_remove", Value::Text(removed)),
                    ("timestamp", Value::Number(timestamp.0)),
                ],
            },
        }
    }

    /// Who asks.
    pub fn address(&self) -> Option<&str> {
        match self {
            ShareRequest::Upload { addresses, .. } => addresses.first().map(String::as_str),
            ShareRequest::Download { address, .. }
            | ShareRequest::AddAddress { address, .. }
            | ShareRequest::RemoveAddress { address, .. } => Some(address),
        }
    }

    /// When it was asked; an upload does not say.
    pub(super) fn timestamp(&self) -> Option<WallMillis> {
        match self {
            ShareRequest::Upload { .. } => None,
            ShareRequest::Download { timestamp, .. }
            | ShareRequest::AddAddress { timestamp, .. }
            | ShareRequest::RemoveAddress { timestamp, .. } => Some(*timestamp),
        }
    }

    /// Signs it with the key of the wallet that asks.
    pub fn sign(
        self,
        suite: &dyn Suite,
        key: &SigningKey,
        contract: ShareContract,
    ) -> SignedShareRequest {
        let typed = self.typed();
        let signature = suite
            .sign_digest(key, &typed.digest(&contract.domain()))
            .unwrap_or_else(|| suite.sign(key, typed.json().as_bytes()));
        SignedShareRequest {
            request: self,
            signature,
        }
    }
}

impl SignedShareRequest {
    /// Whether the wallet it names has signed it. JSON text names no contract, so that it is as good for
    /// another one.
    pub fn is_signed(&self, suite: &dyn Suite, contract: ShareContract) -> bool {
        let typed = self.request.typed();
        match self.request.address().and_then(ShareAddress::identity) {
            Some(signer @ Identity::Evm(_)) => {
                suite.verify_digest(&signer, &typed.digest(&contract.domain()), &self.signature)
            }
            Some(signer) => suite.verify(&signer, typed.json().as_bytes(), &self.signature),
            None => false,
        }
    }
}
