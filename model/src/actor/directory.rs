//! Who is who: names, public keys, addresses. Everybody may look things up here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bridge::{Address, Amount};
use crate::chain::{self, account};
use crate::crypto::{
    BoxPublic, BoxSecret, DICTIONARY, Identity, LEAST_STRENGTH, Scheme, SigningKey, Suite,
    face_phrase, strength,
};
use crate::history::Role;
use crate::id::{CredentialId, InserterId, NodeId, PartyId, PeerId, Text, UserId, WalletId};
use crate::ledger::WalletType;
use crate::rules::{Rules, Switch};
use crate::shares::{ShareContract, Sharing};
use crate::time::BlockTime;
use crate::vc::TrustedIssuer;

/// Every document of a story carries a text that begins like this, so that plaintext can be found
/// wherever it turns up.
pub const MARKER_PREFIX: &str = "assay-secret-";

/// How many wallets every user has, bound or not.
const WALLETS: usize = 4;

/// What a party is known by before any key is made.
#[derive(Clone, Debug)]
pub struct Persona {
    /// As the story calls it.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// The node it runs; meaningful for operators.
    pub node: NodeId,
    /// Its profile; meaningful for users.
    pub user: UserId,
    /// Row of its first wallet; meaningful for users.
    pub wallet: WalletId,
    /// Types of its wallets, as far as the story says; meaningful for users.
    pub wallets: Vec<WalletType>,
    /// Whether it checks what it reads.
    pub careful: bool,
    /// Whose encryption key it uses.
    pub box_key_of: PartyId,
    /// Whose face it has.
    pub person: PartyId,
    /// Whose inserter an issuer's key belongs to, by name: usually its own.
    pub company: String,
    /// What it derives that key from; meaningful for users.
    pub password: Password,
}

/// What a user's encryption key is derived from. Source: idos-facts 4.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Password {
    /// A long one that the user knows.
    Long,
    /// One from a list of leaked passwords, if the enclave takes it.
    Weak,
    /// A random one that nobody knows; share nodes keep it in parts.
    Shared,
}

impl Password {
    /// As `encryption_password_store` has it.
    pub const fn store(self) -> &'static str {
        match self {
            Password::Long | Password::Weak => "user",
            Password::Shared => "mpc",
        }
    }

    /// The password of the user of this name.
    fn text(self, name: &str, rules: Rules) -> String {
        let long = format!("{name} knows a long password");
        match self {
            Password::Long => long,
            Password::Weak => {
                let weak = DICTIONARY[usize::from(derive(name)[0]) % DICTIONARY.len()];
                // Whose first choice the enclave refuses, thinks again.
                let taken =
                    !rules.keep(Switch::StrongPasswords) || strength(weak) >= LEAST_STRENGTH;
                if taken { weak.to_owned() } else { long }
            }
            Password::Shared => {
                let mut drawn = blake3::Hasher::new_derive_key("assay 2026 shared passwords")
                    .update(name.as_bytes())
                    .finalize_xof();
                let mut bytes = [0; SHARED_LENGTH];
                drawn.fill(&mut bytes);
                let symbol = |byte: u8| char::from(SYMBOLS[usize::from(byte) % SYMBOLS.len()]);
                bytes.into_iter().map(symbol).collect()
            }
        }
    }
}

/// Length of a random password. Source: idos-facts 4.9.
const SHARED_LENGTH: usize = 20;
/// Its 88 symbols. Which ones they are is not published.
const SYMBOLS: &[u8; 88] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,-./:;<=>?@[]^_{}";

/// The secrets of one party.
#[derive(Clone, Debug)]
pub struct Keys {
    /// First the key it usually speaks with; users have further wallets.
    pub signing: Vec<SigningKey>,
    /// Opens what is sealed to it.
    pub box_secret: BoxSecret,
    /// What a user's is derived from.
    pub password: String,
}

impl Keys {
    /// The keys that belong to a name. They hang on nothing else, so that equal names have equal keys
    /// in every story and expensive derivations are done once.
    fn of(
        suite: &dyn Suite,
        personas: &[Persona],
        nodes: &[SigningKey],
        id: PartyId,
        rules: Rules,
    ) -> Keys {
        let persona = &personas[id.index()];
        let count = if persona.role == Role::User {
            WALLETS.max(persona.wallets.len())
        } else {
            1
        };
        let own = |index| SigningKey {
            scheme: scheme(persona, id, index),
            secret: signing_secret(suite, persona, index),
        };
        let signing = match nodes.get(persona.node.index()) {
            Some(key) if persona.role == Role::Operator => vec![key.clone()],
            _ => (0..count).map(own).collect(),
        };
        let holder = &personas[persona.box_key_of.index()];
        let password = holder.password.text(&holder.name, rules);
        let box_secret = match holder.role {
            Role::User => suite
                .derive_key(&password, &holder.user.to_string())
                .expect("planned user ids are version 4 UUIDs"),
            _ => BoxSecret(derive(&format!("box key of {}", holder.name))),
        };
        Keys {
            signing,
            box_secret,
            password,
        }
    }
}

/// The key a node's operator has on the chain that holds the tokens: stake is placed behind its account, and
/// it signs for the roots of epochs.
pub fn operator_key(node: NodeId) -> SigningKey {
    SigningKey {
        scheme: Scheme::Evm,
        secret: derive(&format!("operator key of {node}")),
    }
}

/// The account of [`operator_key`].
pub fn operator_account(suite: &dyn Suite, node: NodeId) -> Address {
    account(&suite.identity(&operator_key(node))).expect("an operator's key is an EVM key")
}

/// The key a node's validator votes with. It hangs on the node's place alone.
pub fn validator_key(node: NodeId) -> SigningKey {
    let secret = blake3::derive_key("assay 2026 node keys", &node.0.to_le_bytes());
    SigningKey {
        scheme: Scheme::Ed25519,
        secret,
    }
}

/// Of one of a party's keys. Behind a FaceSign wallet's is a face, and a phrase of words.
fn signing_secret(suite: &dyn Suite, persona: &Persona, index: usize) -> [u8; 32] {
    let drawn = derive(&format!("signing key {index} of {}", persona.name));
    let is_face = persona.role == Role::User && persona.wallet_type(index) == WalletType::FaceSign;
    let mut entropy = [0; 16];
    entropy.copy_from_slice(&drawn[..16]);
    let face = is_face.then(|| suite.face_secret(&face_phrase(&entropy)));
    face.flatten().unwrap_or(drawn)
}

fn derive(what: &str) -> [u8; 32] {
    blake3::derive_key("assay 2026 story keys", what.as_bytes())
}

fn derived_uuid(what: &str) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&derive(what)[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

impl Persona {
    /// What one of a user's wallets is, from 0: what the story says, else EVM, and FaceSign for the third.
    pub fn wallet_type(&self, index: usize) -> WalletType {
        let usual = if index == 2 {
            WalletType::FaceSign
        } else {
            WalletType::EVM
        };
        self.wallets.get(index).copied().unwrap_or(usual)
    }
}

/// Issuers speak with plain Ed25519 keys, users as their wallets do, consumers with an EVM wallet or a plain
/// key, so that every story meets both. XRPL wallets have keys of two kinds, which take turns.
fn scheme(persona: &Persona, id: PartyId, index: usize) -> Scheme {
    match persona.role {
        Role::Issuer | Role::Operator | Role::Gateway | Role::ShareNode => Scheme::Ed25519,
        Role::DbOwner | Role::Holder | Role::Association | Role::Chain => Scheme::Evm,
        Role::User => match persona.wallet_type(index) {
            WalletType::EVM => Scheme::Evm,
            WalletType::NEAR => Scheme::Nep413,
            WalletType::XRPL if index.is_multiple_of(2) => Scheme::XrplSecp256k1,
            WalletType::XRPL => Scheme::XrplEd25519,
            WalletType::Stellar | WalletType::FaceSign => Scheme::Ed25519,
        },
        Role::Consumer if id.0.is_multiple_of(2) => Scheme::Ed25519,
        Role::Consumer => Scheme::Evm,
    }
}

/// One party's public side.
#[derive(Clone, Debug)]
pub struct Card {
    /// Name and role.
    pub persona: Persona,
    /// Every identity it can speak with.
    pub identities: Vec<Identity>,
    /// For sealing to it, until it takes another.
    pub box_public: BoxPublic,
}

impl Card {
    /// `@caller` of the key it usually speaks with.
    pub fn caller(&self) -> Text {
        self.identities[0].caller().into()
    }

    /// Where an issuer publishes itself.
    pub fn issuer_url(&self) -> String {
        format!("https://{}.example", self.persona.name)
    }

    /// The row of an obliged entity in the registry of peers.
    pub fn peer_id(&self) -> PeerId {
        PeerId(derived_uuid(&format!("peer {}", self.persona.name)))
    }

    /// The organisation row of an issuer.
    pub fn inserter_id(&self) -> InserterId {
        InserterId(derived_uuid(&format!("inserter {}", self.persona.company)))
    }
}

/// Everything people know about each other and about the network.
#[derive(Clone, Debug)]
pub struct Directory {
    /// By [`PartyId`].
    pub cards: Vec<Card>,
    /// The network's name.
    pub chain_id: Text,
    /// The protocol version people's software speaks: it follows the network's.
    pub rules: Rules,
    /// The nodes.
    pub nodes: Vec<NodeId>,
    /// What they are known by, in the same order; empty where nobody outside knows.
    pub validators: Vec<Identity>,
    /// What the chain that holds the tokens is like, if the story has one.
    pub external: Option<Arc<chain::Setting>>,
    /// By node: its operator's account on that chain.
    operators: Vec<Address>,
}

/// What a story says about the chain that holds the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct External {
    /// Milliseconds from something that waits to its block.
    pub block: u64,
    /// How many blocks confirm one.
    pub confirmations: u64,
    /// When staking begins.
    pub start: BlockTime,
    /// Reward of an epoch until it is set otherwise.
    pub reward: Amount,
}

impl External {
    /// Arbitrum One, the confirmations the bridge waits for on it, and staking from the first second of 1970 with
    /// the reward of the first years. Source: idos-facts 5.17, 9.1.
    pub const ARBITRUM: External = External {
        block: 250,
        confirmations: 4,
        start: BlockTime(0),
        reward: chain::FIRST_YEARS_REWARD,
    };
}

/// Everybody in a role, in the order of their ids.
fn parties(cards: &[Card], role: Role) -> impl Iterator<Item = (PartyId, &Card)> {
    let all = (0..).map(PartyId).zip(cards);
    all.filter(move |(_, card)| card.persona.role == role)
}

/// The chain's setting: accounts are those of people's EVM keys and of operators. These come by node as well.
fn external(
    suite: &dyn Suite,
    cards: &[Card],
    nodes: &[NodeId],
    said: External,
) -> Option<(Arc<chain::Setting>, Vec<Address>)> {
    let first = |role: Role| parties(cards, role).next().map(|(_, card)| card);
    let chain = first(Role::Chain)?;
    let owner = first(Role::Association).and_then(|card| account(&card.identities[0]))?;
    let identities = cards.iter().filter(|card| card.persona.role != Role::Chain);
    let holders = identities.flat_map(|card| card.identities.iter().filter_map(account));
    let validators = nodes
        .iter()
        .map(|node| suite.identity(&validator_key(*node)));
    let accounts = nodes.iter().map(|node| operator_account(suite, *node));
    let accounts: Vec<Address> = accounts.collect();
    let operators: BTreeMap<Address, Identity> = accounts.iter().copied().zip(validators).collect();
    let setting = Arc::new(chain::Setting {
        name: chain.persona.name.clone(),
        block: said.block,
        confirmations: said.confirmations,
        owner,
        holders: holders.collect::<BTreeSet<Address>>(),
        signers: operators.keys().copied().collect(),
        validators: operators,
        start: said.start,
        reward: said.reward,
    });
    Some((setting, accounts))
}

impl Directory {
    /// Makes everybody's keys and publishes the public sides. Operators hold the keys of their nodes, as
    /// far as these are known here.
    pub fn new(
        suite: &dyn Suite,
        personas: &[Persona],
        chain_id: Text,
        rules: Rules,
        (nodes, node_keys): (u16, &[SigningKey]),
        said: External,
    ) -> (Arc<Directory>, Vec<Keys>) {
        let keys: Vec<Keys> = (0..personas.len() as u16)
            .map(|id| Keys::of(suite, personas, node_keys, PartyId(id), rules))
            .collect();
        let cards: Vec<Card> = personas
            .iter()
            .zip(&keys)
            .map(|(persona, keys)| Card {
                persona: persona.clone(),
                identities: keys.signing.iter().map(|key| suite.identity(key)).collect(),
                box_public: suite.box_public(&keys.box_secret),
            })
            .collect();
        let nodes: Vec<NodeId> = (0..nodes).map(NodeId).collect();
        let (external, operators) = external(suite, &cards, &nodes, said).unzip();
        (
            Arc::new(Directory {
                cards,
                chain_id,
                rules,
                nodes,
                external,
                operators: operators.unwrap_or_default(),
                validators: node_keys.iter().map(|key| suite.identity(key)).collect(),
            }),
            keys,
        )
    }

    /// A party's card.
    pub fn card(&self, id: PartyId) -> &Card {
        &self.cards[id.index()]
    }

    /// Accounts of the nodes' operators on the chain that holds the tokens; none where there is no chain.
    pub fn operators(&self) -> &[Address] {
        &self.operators
    }

    /// Everybody in a role, in the order of their ids.
    pub fn parties(&self, role: Role) -> impl Iterator<Item = PartyId> {
        parties(&self.cards, role).map(|(id, _)| id)
    }

    /// The chain that holds the tokens, if the story has one.
    pub fn chain(&self) -> Option<PartyId> {
        self.parties(Role::Chain).next()
    }

    /// What a camera and a program make of a party's face: the same for every profile of one person.
    pub(super) fn face(&self, id: PartyId) -> [u8; 32] {
        let person = &self.card(self.card(id).persona.person).persona;
        derive(&format!("face of {}", person.name))
    }

    /// The share nodes, in the order of their points.
    pub fn share_nodes(&self) -> impl Iterator<Item = PartyId> {
        self.parties(Role::ShareNode)
    }

    /// Which point a share node's share is at, from 1; 0 for everybody else.
    pub fn share_point(&self, node: PartyId) -> u8 {
        let place = self.share_nodes().position(|other| other == node);
        place
            .and_then(|place| u8::try_from(place + 1).ok())
            .unwrap_or(0)
    }

    /// How passwords are split among the share nodes.
    pub fn sharing(&self) -> Sharing {
        Sharing::among(u8::try_from(self.share_nodes().count()).unwrap_or(u8::MAX))
    }

    /// The contract that wallets sign for when they ask share nodes.
    pub fn share_contract(&self) -> ShareContract {
        ShareContract::of(&self.chain_id)
    }

    /// The party whose profile this is.
    pub fn owner(&self, user: UserId) -> Option<PartyId> {
        self.parties(Role::User)
            .find(|id| self.card(*id).persona.user == user)
    }

    /// The party that speaks with the key behind a caller identity.
    pub fn holder(&self, caller: &str) -> Option<PartyId> {
        let holds = |card: &Card| card.identities.iter().any(|one| one.caller() == caller);
        let index = self.cards.iter().position(holds)?;
        Some(PartyId(index as u16))
    }

    /// Every issuer.
    pub fn issuers(&self) -> impl Iterator<Item = PartyId> {
        self.parties(Role::Issuer)
    }

    /// The issuer that signs with this key.
    pub fn issuer(&self, key: &str) -> Option<PartyId> {
        self.holder(key)
            .filter(|id| self.card(*id).persona.role == Role::Issuer)
    }

    /// The issuers a consumer trusts: those it names, or all that are known. Source: allow-list of idos-facts 4.12.
    pub fn trusted_issuers(&self, named: &[PartyId]) -> Vec<TrustedIssuer> {
        self.issuers()
            .filter(|issuer| named.is_empty() || named.contains(issuer))
            .map(|issuer| self.card(issuer))
            .map(|card| TrustedIssuer {
                url: card.issuer_url(),
                key: card.identities[0],
            })
            .collect()
    }
}

/// An encryption key as the tables hold it.
pub(super) fn key_text(key: &BoxPublic) -> Text {
    BASE64.encode(key.0).into()
}

/// The id inside the notes of an issued credential.
pub(super) fn notes_id(credential: CredentialId) -> String {
    format!("vc-{credential}")
}
