//! People who write: each with a wallet, a profile and nonces of their own, so that none waits for another.

use std::ops::Range;
use std::sync::Arc;

use assay_model::crypto::{
    BoxSecret, EphemeralSeal, Identity, KdfMemo, Real, Scheme, SigningKey, Suite, content_hash,
    credential_binding, sign_credential,
};
use assay_model::id::{CredentialId, InserterId, Text, UserId, WalletId};
use assay_model::ledger::{Action, Batch, Content, OwnershipProof, Query, Transaction, Unsigned};
use assay_model::node::{Claim, view_text};
use assay_model::time::BlockTime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use uuid::Uuid;

/// The database owner these networks are founded with; a key that everybody can know.
pub const OWNER: SigningKey = SigningKey {
    scheme: Scheme::Evm,
    secret: [0x11; 32],
};

/// Bytes of a credential before it is sealed.
const PLAINTEXT: usize = 512;
/// Credentials of one person have the numbers below this; copies come above.
const SERIALS: u64 = 1 << 32;
/// Wallet proofs name this second, which is far away.
const PROOF_END: BlockTime = BlockTime(4_000_000_000);

/// One person.
struct Person {
    key: SigningKey,
    identity: Identity,
    user: UserId,
    box_secret: BoxSecret,
}

/// See the module. People are numbered from 0.
pub struct Crowd {
    suite: Real,
    chain_id: Text,
    issuer: SigningKey,
    /// Reads what is shared.
    consumer: SigningKey,
    people: Vec<Person>,
}

fn secret(name: &str) -> [u8; 32] {
    let mut secret = blake3::derive_key("assay 2026 people who put load on nodes", name.as_bytes());
    // Stays clear of zero and of the order of secp256k1, where no key is.
    secret[0] = secret[0] & 0x7f | 1;
    secret
}

fn numbered(table: u64, number: u64) -> Uuid {
    Uuid::from_u64_pair(table, number)
}

impl Crowd {
    /// So many people for a network of this name.
    pub fn new(chain_id: &Text, people: usize) -> Crowd {
        let suite = Real::new(Arc::new(KdfMemo::new()));
        let people = (0..people)
            .map(|person| {
                let key = SigningKey {
                    scheme: Scheme::Evm,
                    secret: secret(&format!("wallet {person}")),
                };
                Person {
                    identity: suite.identity(&key),
                    key,
                    user: UserId(numbered(1, person as u64)),
                    box_secret: BoxSecret(secret(&format!("box {person}"))),
                }
            })
            .collect();
        let ed25519 = |name| SigningKey {
            scheme: Scheme::Ed25519,
            secret: secret(name),
        };
        Crowd {
            suite,
            chain_id: chain_id.clone(),
            issuer: ed25519("issuer"),
            consumer: ed25519("consumer"),
            people,
        }
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// A person's wallet.
    pub fn identity(&self, person: usize) -> Identity {
        self.people[person].identity
    }

    /// What gives everybody a profile, in the order in which it has to be in the chain; after it everybody's
    /// own next nonce is 1.
    pub fn founding(&self) -> Vec<Arc<Transaction>> {
        let inserter = InserterId(numbered(2, 0));
        let caller: Text = self.suite.identity(&self.issuer).caller().into();
        let by_owner = [
            Action::AddInserterAsOwner {
                id: inserter,
                name: "issuer".into(),
            },
            Action::AddDelegateAsOwner {
                address: caller,
                inserter_id: inserter,
            },
        ];
        let profiles = self.people.iter().map(|person| Action::AddUserAsInserter {
            id: person.user,
            recipient_encryption_public_key: self.box_public(&person.box_secret),
            encryption_password_store: "user".into(),
        });
        let wallets = self.people.iter().map(|person| self.bind(person));
        let by_issuer = [profiles.collect::<Vec<_>>(), wallets.collect()];
        let owned = (1..)
            .zip(by_owner)
            .map(|(nonce, action)| self.signed(&OWNER, nonce, Batch::one(action)));
        let issued = (1..)
            .zip(by_issuer)
            .map(|(nonce, actions)| self.signed(&self.issuer, nonce, several(actions)));
        owned.chain(issued).collect()
    }

    /// A person's transaction that stores credentials of these numbers.
    pub fn add(&self, person: usize, nonce: u64, serials: Range<u64>) -> Arc<Transaction> {
        let actions = serials.map(|serial| {
            let notes = format!(r#"{{"id":"vc-{person}-{serial}","level":"basic"}}"#);
            let sealed = self.sealed(person, serial, &notes);
            Action::AddCredential {
                id: sealed.id,
                issuer_auth_public_key: sealed.issuer,
                encryptor_public_key: sealed.encryptor,
                content: sealed.content,
                public_notes: notes.into(),
                public_notes_signature: sealed.notes_signature,
                broader_signature: sealed.broader_signature,
            }
        });
        self.signed(&self.people[person].key, nonce, several(actions.collect()))
    }

    /// A person's transaction that shares credentials of these numbers, without a lock.
    pub fn share(&self, person: usize, nonce: u64, serials: Range<u64>) -> Arc<Transaction> {
        let grantee: Text = self.suite.identity(&self.consumer).caller().into();
        let actions = serials.map(|serial| {
            let copy = self.sealed(person, SERIALS + serial, "");
            Action::ShareCredential {
                id: copy.id,
                original_credential_id: credential(person, serial),
                public_notes: "".into(),
                public_notes_signature: copy.notes_signature,
                broader_signature: copy.broader_signature,
                content: copy.content,
                content_hash: hex::encode(content_hash(&[0x5a; PLAINTEXT]).0).into(),
                encryptor_public_key: copy.encryptor,
                issuer_auth_public_key: copy.issuer,
                grantee_wallet_identifier: grantee.clone(),
                locked_until: 0,
                terms: None,
            }
        });
        self.signed(&self.people[person].key, nonce, several(actions.collect()))
    }

    /// A person's read of an own credential, and who they are; with a challenge it is signed.
    pub fn read_owned(
        &self,
        person: usize,
        serial: u64,
        challenge: Option<[u8; 32]>,
    ) -> (Claim, Query) {
        let query = Query::GetCredentialOwned {
            id: credential(person, serial),
        };
        (
            self.claim(&self.people[person].key, &query, challenge),
            query,
        )
    }

    /// The consumer's read of the copy a person shared of a credential.
    pub fn read_shared(
        &self,
        person: usize,
        serial: u64,
        challenge: Option<[u8; 32]>,
    ) -> (Claim, Query) {
        let query = Query::GetCredentialShared {
            id: credential(person, SERIALS + serial),
        };
        (self.claim(&self.consumer, &query, challenge), query)
    }

    fn claim(&self, key: &SigningKey, query: &Query, challenge: Option<[u8; 32]>) -> Claim {
        let identity = self.suite.identity(key);
        match challenge {
            None => Claim::Stated(identity),
            Some(challenge) => Claim::Signed {
                identity,
                challenge,
                signature: self
                    .suite
                    .sign(key, view_text(query, &challenge).as_bytes()),
                payload: None,
            },
        }
    }

    fn signed(&self, key: &SigningKey, nonce: u64, batch: Batch) -> Arc<Transaction> {
        let unsigned = Unsigned {
            nonce,
            chain_id: self.chain_id.clone(),
            payload: batch.into(),
        };
        Transaction::sign(&self.suite, key, unsigned)
    }

    fn box_public(&self, secret: &BoxSecret) -> Text {
        BASE64.encode(self.suite.box_public(secret).0).into()
    }

    fn bind(&self, person: &Person) -> Action {
        let address: Text = person.identity.caller().into();
        let proof = OwnershipProof {
            user: person.user,
            wallet: &address,
            chain_id: &self.chain_id,
            not_after: PROOF_END,
        };
        let message: Text = proof.text().into();
        let signature = self.suite.sign(&person.key, message.as_bytes());
        Action::UpsertWalletAsInserter {
            id: WalletId(person.user.0),
            user_id: person.user,
            address,
            public_key: None,
            wallet_type: "EVM".into(),
            message,
            signature: hex::encode(signature).into(),
        }
    }

    fn sealed(&self, person: usize, serial: u64, notes: &str) -> Sealed {
        let id = credential(person, serial);
        let with = EphemeralSeal {
            secret: BoxSecret(secret(&format!("seal {id}"))),
            // As every nonce, it is no text.
            nonce: [0xff; 24],
        };
        let person = &self.people[person];
        let to = self.suite.box_public(&person.box_secret);
        let content = self.suite.seal(&to, &with, &[0x5a; PLAINTEXT]);
        let encryptor = self.box_public(&with.secret);
        let binding = credential_binding(person.user, id, &encryptor);
        let signatures =
            sign_credential(&self.suite, &self.issuer, notes, &content, Some(&binding));
        Sealed {
            id,
            issuer: self.suite.identity(&self.issuer).caller().into(),
            encryptor,
            content: Content::new(BASE64.encode(content)),
            notes_signature: signatures.public_notes.into(),
            broader_signature: signatures.broader.into(),
        }
    }
}

/// What a credential's row is made of.
struct Sealed {
    id: CredentialId,
    issuer: Text,
    encryptor: Text,
    content: Content,
    notes_signature: Text,
    broader_signature: Text,
}

fn credential(person: usize, serial: u64) -> CredentialId {
    CredentialId(numbered(3 + person as u64, serial))
}

fn several(actions: Vec<Action>) -> Batch {
    Batch::several(actions).expect("calls of one action, and at least one")
}
