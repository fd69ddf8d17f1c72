//! What stories speak of: parties, rows, actions and answers, with usual values for all that a story
//! does not say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use uuid::Uuid;

use crate::bridge::{Address, Allocation, Amount, Token};
use crate::crypto::{Identity, stellar_address};
use crate::history::Asked;
use crate::id::{
    AccessRequestId, AttributeId, ContentHash, CredentialId, GrantId, InserterId, NodeId, PartyId,
    Text, UserId, WalletId, WriteGrantId,
};
use crate::ledger::{
    AccessRequestRow, Action, Answer, AttributeRow, Content, CredentialDetail, CredentialSummary,
    DagTerms, GrantInserter, GrantRow, OwnerConsent, OwnershipProof, Query, Refusal, RequestState,
    ShareTerms, SharedCredential, write_date,
};
use crate::time::BlockTime;

pub(super) const DB_OWNER: PartyId = PartyId(0);
pub(super) const KYC: PartyId = PartyId(1);
pub(super) const ALICE: PartyId = PartyId(2);
pub(super) const MALLORY: PartyId = PartyId(3);
pub(super) const BANK: PartyId = PartyId(4);
pub(super) const SHOP: PartyId = PartyId(5);
pub(super) const DOOR: PartyId = PartyId(6);
pub(super) const S1: PartyId = PartyId(7);
pub(super) const S2: PartyId = PartyId(8);
pub(super) const S3: PartyId = PartyId(9);

pub(super) const N1: NodeId = NodeId(0);
pub(super) const N2: NodeId = NodeId(1);
pub(super) const N3: NodeId = NodeId(2);
pub(super) const N4: NodeId = NodeId(3);
pub(super) const NODES: [NodeId; 4] = [N1, N2, N3, N4];

/// Alice's original.
pub(super) const PASSPORT: CredentialId = CredentialId(Uuid::from_u128(1));
/// Another original, of whoever stores it.
pub(super) const LICENCE: CredentialId = CredentialId(Uuid::from_u128(2));
/// The copy of the passport for the bank.
pub(super) const FOR_BANK: CredentialId = CredentialId(Uuid::from_u128(3));
/// The copy of the passport for the shop.
pub(super) const FOR_SHOP: CredentialId = CredentialId(Uuid::from_u128(4));

/// Last second of the usual lock. Chain time and scenario time both begin at zero.
pub(super) const LOCK: i64 = 100;
/// Last second of the usual ownership proof.
const PROOF: i64 = 1_000;

/// The network.
pub(super) const CHAIN: &str = "test";
const INSERTER: InserterId = InserterId(Uuid::from_u128(1));

/// The key a party usually speaks with.
pub(super) fn key(party: PartyId) -> Identity {
    match party {
        KYC | BANK => Identity::Ed25519([0xb0 + party.0 as u8; 32]),
        _ => Identity::Evm([0xa0 + party.0 as u8; 20]),
    }
}

/// A further key of a party.
pub(super) fn other_key(party: PartyId) -> Identity {
    Identity::Evm([0xc0 + party.0 as u8; 20])
}

/// A party's identifier in transactions and grants.
pub(super) fn caller(party: PartyId) -> Text {
    key(party).caller().into()
}

/// A user's profile.
pub(super) fn profile(party: PartyId) -> UserId {
    UserId(Uuid::from_u128(0x100 + u128::from(party.0)))
}

/// The row of a user's first wallet.
pub(super) fn wallet(party: PartyId) -> WalletId {
    WalletId(Uuid::from_u128(0x200 + u128::from(party.0)))
}

/// The row of a user's further wallet.
pub(super) fn other_wallet(party: PartyId) -> WalletId {
    WalletId(Uuid::from_u128(0x300 + u128::from(party.0)))
}

/// The grant of a party on a credential.
pub(super) fn grant(party: PartyId, data: CredentialId, lock: i64) -> GrantId {
    GrantId::derive(&caller(party), data, lock)
}

/// A document, by any name.
pub(super) fn document(name: &str) -> ContentHash {
    ContentHash(*blake3::hash(name.as_bytes()).as_bytes())
}

/// Notes with an id and a status.
pub(super) fn notes(id: &str, status: &str) -> Text {
    format!(r#"{{"id":"{id}","status":"{status}"}}"#).into()
}

/// The notes a credential is usually stored with.
pub(super) fn approved(id: CredentialId) -> Text {
    notes(&id.to_string(), "approved")
}

/// The notes by which its issuer usually revokes a credential.
pub(super) fn revoked(id: CredentialId) -> Text {
    notes(&id.to_string(), "revoked")
}

/// What people have before the first block: Alice 500 of IDOS, the shop 1 000 of USDC.
pub(super) fn endowment() -> Vec<Allocation> {
    vec![
        Allocation {
            token: Token::Idos,
            address: address(ALICE),
            amount: Amount(500),
        },
        Allocation {
            token: Token::Usdc,
            address: address(SHOP),
            amount: Amount(1_000),
        },
    ]
}

/// A party's address on the other chain; it has to speak with such a key.
pub(super) fn address(party: PartyId) -> Address {
    Address::parse(&caller(party)).expect("the party has an EVM wallet")
}

// Actions.

pub(super) fn hire() -> Action {
    Action::AddDelegateAsOwner {
        address: caller(KYC),
        inserter_id: INSERTER,
    }
}

pub(super) fn dismiss(address: &str) -> Action {
    Action::DeleteDelegateAsOwner {
        address: address.into(),
    }
}

pub(super) fn close_inserter() -> Action {
    Action::DeleteInserterAsOwner { id: INSERTER }
}

pub(super) fn create(user: PartyId) -> Action {
    Action::AddUserAsInserter {
        id: profile(user),
        recipient_encryption_public_key: "key".into(),
        encryption_password_store: "user".into(),
    }
}

pub(super) fn change_key(user: PartyId, consent: bool) -> Action {
    Action::UpdateUserPubKeyAsInserter {
        id: profile(user),
        recipient_encryption_public_key: "another".into(),
        encryption_password_store: "user".into(),
        consent: consent.then(|| consent_of(user)),
    }
}

fn consent_of(user: PartyId) -> OwnerConsent {
    OwnerConsent {
        wallet: caller(user),
        signature: "00".into(),
    }
}

/// The proof that a key belongs to a user's profile.
pub(super) fn proof(user: PartyId, key: Identity, not_after: i64) -> Text {
    OwnershipProof {
        user: profile(user),
        wallet: &key.caller(),
        chain_id: CHAIN,
        not_after: BlockTime(not_after),
    }
    .text()
    .into()
}

/// An inserter binds a key to a profile, in this row.
pub(super) fn bind_as(id: WalletId, user: PartyId, key: Identity) -> Action {
    Action::UpsertWalletAsInserter {
        id,
        user_id: profile(user),
        address: key.caller().into(),
        public_key: None,
        wallet_type: "EVM".into(),
        message: proof(user, key, PROOF),
        signature: "00".into(),
    }
}

/// An inserter binds a user's first wallet.
pub(super) fn bind(user: PartyId) -> Action {
    bind_as(wallet(user), user, key(user))
}

/// A user binds a further key, with this proof.
pub(super) fn add_wallet(id: WalletId, key: Identity, proof: Text) -> Action {
    Action::AddWallet {
        id,
        address: key.caller().into(),
        public_key: None,
        wallet_type: "EVM".into(),
        message: proof,
        signature: "00".into(),
    }
}

/// A user binds the usual further key to the own profile.
pub(super) fn add_other_wallet(user: PartyId) -> Action {
    let key = other_key(user);
    add_wallet(other_wallet(user), key, proof(user, key, PROOF))
}

/// A user binds a Stellar wallet, whose key comes as a plain one, to the own profile.
pub(super) fn add_stellar_wallet(user: PartyId, key: [u8; 32]) -> Action {
    let address = stellar_address(&key);
    let proof = OwnershipProof {
        user: profile(user),
        wallet: &address,
        chain_id: CHAIN,
        not_after: BlockTime(PROOF),
    };
    Action::AddWallet {
        id: other_wallet(user),
        message: proof.text().into(),
        address: address.into(),
        public_key: Some(hex::encode(key).into()),
        wallet_type: "Stellar".into(),
        signature: "00".into(),
    }
}

pub(super) fn remove_wallet(id: WalletId) -> Action {
    Action::RemoveWallet { id }
}

pub(super) fn sealed(what: &str) -> Content {
    let boxed = format!("twenty-four bytes of nonce, sixteen of tag, and then {what}");
    Content::new(BASE64.encode(boxed))
}

/// A user stores what is no sealed box.
pub(super) fn bare(id: CredentialId) -> Action {
    let mut action = store(id);
    if let Action::AddCredential { content, .. } = &mut action {
        *content = Content::new("readable".to_owned());
    }
    action
}

/// An inserter writes a credential of this content and these notes.
pub(super) fn insert_as(
    id: CredentialId,
    user: PartyId,
    content: &str,
    notes: Text,
    consent: bool,
) -> Action {
    Action::UpsertCredentialAsInserter {
        id,
        user_id: profile(user),
        issuer_auth_public_key: caller(KYC),
        encryptor_public_key: "once".into(),
        content: sealed(content),
        public_notes: notes,
        public_notes_signature: "00".into(),
        broader_signature: "00".into(),
        consent: consent.then(|| consent_of(user)),
    }
}

/// An inserter writes a credential of the usual content and notes.
pub(super) fn insert(id: CredentialId, user: PartyId, consent: bool) -> Action {
    insert_as(id, user, &id.to_string(), approved(id), consent)
}

/// A user stores a credential of this content and these notes.
pub(super) fn store_as(id: CredentialId, content: &str, notes: Text) -> Action {
    Action::AddCredential {
        id,
        issuer_auth_public_key: caller(KYC),
        encryptor_public_key: "once".into(),
        content: sealed(content),
        public_notes: notes,
        public_notes_signature: "00".into(),
        broader_signature: "00".into(),
    }
}

/// A user stores a credential of the usual content and notes.
pub(super) fn store(id: CredentialId) -> Action {
    store_as(id, &id.to_string(), approved(id))
}

/// A user replaces a credential's notes and content, signed by this issuer.
pub(super) fn edit_as(id: CredentialId, notes: Text, issuer: PartyId) -> Action {
    Action::EditCredential {
        id,
        public_notes: notes.clone(),
        public_notes_signature: "00".into(),
        broader_signature: "00".into(),
        content: sealed(&format!("{id} with {notes}")),
        encryptor_public_key: "once".into(),
        issuer_auth_public_key: caller(issuer),
    }
}

pub(super) fn edit(id: CredentialId, notes: Text) -> Action {
    edit_as(id, notes, KYC)
}

/// An issuer states the status of the credential with the usual notes id.
pub(super) fn state(id: CredentialId, notes: Text) -> Action {
    Action::EditPublicNotesAsIssuer {
        public_notes_id: id.to_string().into(),
        public_notes: notes,
    }
}

/// The copy a consumer usually gets.
pub(super) fn copy_for(party: PartyId) -> CredentialId {
    if party == BANK { FOR_BANK } else { FOR_SHOP }
}

/// A user shares an original; the copy is for the holder of this identifier, and has these notes.
pub(super) fn share_as(
    original: CredentialId,
    copy: CredentialId,
    grantee: Text,
    lock: i64,
    notes: &str,
) -> Action {
    Action::ShareCredential {
        id: copy,
        original_credential_id: original,
        public_notes: notes.into(),
        public_notes_signature: "00".into(),
        broader_signature: "00".into(),
        content: sealed(&copy.to_string()),
        content_hash: document("passport").to_string().into(),
        encryptor_public_key: "once".into(),
        issuer_auth_public_key: caller(KYC),
        grantee_wallet_identifier: grantee,
        locked_until: lock,
        terms: None,
    }
}

/// A user shares the passport with a consumer.
pub(super) fn share(to: PartyId, lock: i64) -> Action {
    share_as(PASSPORT, copy_for(to), caller(to), lock, "")
}

/// An issuer writes the licence and a copy of it for a consumer under Alice's paper, signed by this key; the
/// paper names an issuer's key and is good from second 100 to 200.
pub(super) fn dwg_as(id: u128, to: PartyId, signer: &str, named: &str, lock: i64) -> Action {
    let instant = |second| write_date(BlockTime(second)).expect("stories are short");
    Action::CreateCredentialsByDwg {
        issuer_auth_public_key: signer.into(),
        original_encryptor_public_key: "once".into(),
        original_credential_id: LICENCE,
        original_content: sealed("licence"),
        original_public_notes: approved(LICENCE),
        original_public_notes_signature: "00".into(),
        original_broader_signature: "00".into(),
        copy_encryptor_public_key: "another".into(),
        copy_credential_id: copy_for(to),
        copy_content: sealed("licence again"),
        copy_public_notes_signature: "00".into(),
        copy_broader_signature: "00".into(),
        content_hash: document("licence").to_string().into(),
        dwg_owner: caller(ALICE),
        dwg_grantee: caller(to),
        dwg_issuer_public_key: named.into(),
        dwg_id: WriteGrantId(Uuid::from_u128(id)),
        dwg_access_grant_timelock: instant(lock),
        dwg_not_before: instant(100),
        dwg_not_after: instant(200),
        dwg_signature: "00".into(),
    }
}

/// The same by the issuer the paper names.
pub(super) fn dwg(id: u128, to: PartyId, lock: i64) -> Action {
    dwg_as(id, to, &caller(KYC), &caller(KYC), lock)
}

/// A user stores an attribute.
pub(super) fn describe(id: u128) -> Action {
    Action::AddAttribute {
        id: attribute(id),
        attribute_key: "city".into(),
        value: "Zug".into(),
    }
}

/// A user links a copy of an attribute to it.
pub(super) fn link(id: u128, original: u128) -> Action {
    Action::ShareAttribute {
        id: attribute(id),
        original_attribute_id: attribute(original),
        attribute_key: "city".into(),
        value: "Zug".into(),
    }
}

pub(super) fn attribute(id: u128) -> AttributeId {
    AttributeId(Uuid::from_u128(0x400 + id))
}

/// An inserter writes an attribute.
pub(super) fn describe_for(id: u128, user: PartyId, consent: bool) -> Action {
    Action::AddAttributeAsInserter {
        id: attribute(id),
        user_id: profile(user),
        attribute_key: "city".into(),
        value: "Zug".into(),
        consent: consent.then(|| consent_of(user)),
    }
}

/// A listing of attributes of Alice's.
pub(super) fn described(ids: &[u128]) -> Result<Answer, Refusal> {
    let row = |id: &u128| AttributeRow {
        id: attribute(*id),
        user_id: profile(ALICE),
        attribute_key: "city".into(),
        value: "Zug".into(),
        original_id: None,
    };
    Ok(Answer::Attributes(ids.iter().map(row).collect()))
}

/// Somebody transmits a user's paper.
pub(super) fn dag_as(
    owner: PartyId,
    to: PartyId,
    data: CredentialId,
    lock: i64,
    hash: Option<ContentHash>,
) -> Action {
    Action::CreateAgByDagForCopy {
        dag_owner_wallet_identifier: caller(owner),
        dag_grantee_wallet_identifier: caller(to),
        dag_data_id: data,
        dag_locked_until: lock,
        dag_content_hash: hash.map(|hash| hash.to_string().into()),
        dag_signature: "00".into(),
        terms: dag_terms(),
    }
}

/// Usual papers may be used until this second.
pub(super) const PAPER_END: i64 = 500;

pub(super) fn dag_terms() -> Option<DagTerms> {
    Some(DagTerms {
        not_usable_after: PAPER_END,
        expires_at: None,
        uses: None,
    })
}

/// Somebody transmits Alice's paper.
pub(super) fn dag(to: PartyId, data: CredentialId, lock: i64) -> Action {
    dag_as(ALICE, to, data, lock, None)
}

pub(super) fn revoke(id: GrantId) -> Action {
    Action::RevokeAccessGrant { id }
}

pub(super) fn remove(id: CredentialId) -> Action {
    Action::RemoveCredential { id }
}

pub(super) fn rescind(credential_id: CredentialId) -> Action {
    Action::RescindSharedCredential { credential_id }
}

pub(super) fn erase() -> Action {
    Action::RemoveUser {}
}

// Answers.

/// A copy with its content and the notes of its original.
pub(super) fn shared(copy: CredentialId, notes: Option<Text>) -> Result<Answer, Refusal> {
    Ok(Answer::Shared(SharedCredential {
        id: copy,
        user_id: profile(ALICE),
        public_notes: notes,
        content: sealed(&copy.to_string()),
        encryptor_public_key: "once".into(),
        issuer_auth_public_key: caller(KYC),
    }))
}

/// An own credential with its content.
pub(super) fn owned(id: CredentialId, notes: Text) -> Result<Answer, Refusal> {
    Ok(Answer::Owned(Some(CredentialDetail {
        id,
        user_id: profile(ALICE),
        public_notes: notes,
        content: sealed(&id.to_string()),
        encryptor_public_key: "once".into(),
        issuer_auth_public_key: caller(KYC),
        inserter: None,
    })))
}

/// Originals as their owner lists them, with their usual notes; copies have none.
pub(super) fn listing(ids: &[CredentialId]) -> Result<Answer, Refusal> {
    let row = |id: &CredentialId| {
        let original = (*id == FOR_BANK || *id == FOR_SHOP).then_some(PASSPORT);
        CredentialSummary {
            id: *id,
            user_id: profile(ALICE),
            public_notes: original.map_or(approved(*id), |_| "".into()),
            issuer_auth_public_key: caller(KYC),
            inserter: None,
            original_id: original,
        }
    };
    Ok(Answer::Credentials(ids.iter().map(row).collect()))
}

/// Alice's grant to a party, as she or the grantee lists it.
pub(super) fn grant_row(to: PartyId, data: CredentialId, lock: i64) -> GrantRow {
    GrantRow {
        id: grant(to, data, lock),
        owner: profile(ALICE),
        grantee: caller(to),
        data,
        locked_until: lock,
        content_hash: None,
        inserter_type: GrantInserter::User,
        inserter_id: caller(ALICE),
    }
}

/// Grants in an answer.
pub(super) fn grants(rows: Vec<GrantRow>) -> Result<Answer, Refusal> {
    Ok(Answer::Grants(rows))
}

pub(super) fn read_copy(id: CredentialId) -> Query {
    Query::GetCredentialShared { id }
}

pub(super) fn read_own(id: CredentialId) -> Query {
    Query::GetCredentialOwned { id }
}

/// A view, asked with a signature.
pub(super) fn view(caller: Option<Identity>, query: Query) -> Asked {
    Asked::View {
        caller,
        signed: true,
        query,
    }
}

// Requests, limits, the record.

/// The usual request, of the bank to Alice.
pub(super) const ASK: AccessRequestId = AccessRequestId(Uuid::from_u128(0x500));
/// Last second in which the usual request can be approved.
pub(super) const STANDS: i64 = 60;
/// The end the usual request asks for.
pub(super) const ASKED_END: i64 = 200;

/// A consumer asks Alice for her passport: a lock, an end, two uses, two fields.
pub(super) fn ask() -> Action {
    Action::RequestAccess {
        id: ASK,
        user_id: profile(ALICE),
        credential_id: Some(PASSPORT),
        kind: None,
        fields: Some("name, city".into()),
        purpose: "an account".into(),
        locked_until: LOCK,
        stands_until: STANDS,
        expires_at: Some(ASKED_END),
        uses: Some(2),
    }
}

/// Exactly what the usual request asks for.
pub(super) fn as_asked() -> ShareTerms {
    ShareTerms {
        request_id: Some(ASK),
        expires_at: Some(ASKED_END),
        uses: Some(2),
        fields: Some("name, city".into()),
    }
}

/// A grant that answers no request, with an end and a number of uses.
pub(super) fn limited(expires_at: Option<i64>, uses: Option<i64>) -> ShareTerms {
    ShareTerms {
        request_id: None,
        expires_at,
        uses,
        fields: None,
    }
}

/// A share that says how far its grant goes.
pub(super) fn with_terms(mut share: Action, said: ShareTerms) -> Action {
    if let Action::ShareCredential { terms, .. } = &mut share {
        *terms = Some(said);
    }
    share
}

/// Alice approves the usual request as it was made.
pub(super) fn approve_asked() -> Action {
    with_terms(share(BANK, LOCK), as_asked())
}

pub(super) fn deny_asked() -> Action {
    Action::DenyAccessRequest { id: ASK }
}

pub(super) fn withdraw_asked() -> Action {
    Action::WithdrawAccessRequest { id: ASK }
}

pub(super) fn use_grant(id: GrantId) -> Action {
    Action::UseAccessGrant { id }
}

/// The owner ends all access of a consumer to the passport.
pub(super) fn end_access(of: PartyId) -> Action {
    Action::RevokeGranteeAccess {
        data_id: PASSPORT,
        grantee_wallet_identifier: caller(of),
    }
}

pub(super) fn remove_when_unlocked(id: CredentialId) -> Action {
    Action::RemoveCredentialWhenUnlocked { id }
}

/// The usual request as a listing shows it.
pub(super) fn asked_row(state: RequestState) -> AccessRequestRow {
    AccessRequestRow {
        id: ASK,
        consumer: caller(BANK),
        owner: profile(ALICE),
        credential: Some(PASSPORT),
        kind: None,
        fields: Some("name, city".into()),
        purpose: "an account".into(),
        locked_until: LOCK,
        stands_until: STANDS,
        expires_at: Some(ASKED_END),
        uses: Some(2),
        state,
        copy: None,
    }
}
