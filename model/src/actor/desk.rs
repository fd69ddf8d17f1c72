//! A party's desk: what it knows, and the documents, packages, copies and proofs it can make.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::client::As;
use super::directory::{Card, Directory, Keys, MARKER_PREFIX, key_text, notes_id};
use super::enclave::Enclave;
use super::flow::{Flow, Sifting, Signing, Vouching, judge};
use super::letter::{self, Letter, Package, WritePaper};
use super::machine::Outbox;
use super::order::{Fidelity, Findings, Oddity, Order, RequestRef, Share, Task, Terms, Via};
use crate::bridge::Hash;
use crate::crypto::{
    BoxPublic, BoxSecret, EphemeralSeal, Identity, Scheme, SigningKey, Suite, content_hash,
    credential_binding, sign_credential, sign_text, stellar_address,
};
use crate::disclosure::{Approval, Question, VerificationResult};
use crate::history::Event;
use crate::id::{ContentHash, CredentialId, PartyId, Text, UserId, WalletId};
use crate::ledger::{
    Action, Batch, Content, DagTerms, DelegatedAccessGrant, OwnerConsent, OwnershipProof,
    ShareTerms, WalletType,
};
use crate::rules::Switch;
use crate::shares::ShareStore;
use crate::time::{BlockTime, WallMillis};
use crate::vc::{
    About, AddressProof, Base, Country, Date, Draft, File, Gender, IdDocumentType, KeyDeclaration,
    Level, Name, PersonDraft, PublicNotes, ResidentialAddress, Subject, VerifiableCredential,
};

/// How long issued documents are valid: ten years, the longest retention idOS knows.
const VALIDITY: i64 = 10 * 365 * 86_400;
/// Bytes of a document that a story says nothing of.
const LEAST_BYTES: u32 = 2_048;
/// How long an ownership proof may be used.
const PROOF_LIFETIME: i64 = 3_600;
/// What wallets sign that are asked for no more.
const GREETING: &str = "hello, please sign me in";
/// How long people keep trying what somebody else asked them to do.
const COURTESY: u64 = 90_000;

/// A network that people's software could take for this one.
pub(super) const ELSEWHERE: &str = "another-network";

/// A signed proof that a wallet belongs to a profile.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    pub(super) message: Text,
    pub(super) signature: Text,
}

/// A question a consumer has asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) question: Question,
    /// The last answer it believed.
    pub(super) answer: Option<letter::Answer>,
    /// Every answer it believed.
    pub(super) used: BTreeSet<ContentHash>,
}

impl Asked {
    pub(super) fn new(question: Question) -> Asked {
        Asked {
            question,
            answer: None,
            used: BTreeSet::new(),
        }
    }
}

/// A document an issuer has signed, in its bytes and as it is.
type Issued = (Vec<u8>, VerifiableCredential);

/// What a party knows and can make. See the module.
pub struct Desk {
    pub(super) me: PartyId,
    pub(super) suite: Arc<dyn Suite>,
    pub(super) directory: Arc<Directory>,
    pub(super) keys: Keys,
    entropy: [u8; 32],
    draws: u64,
    pub(super) packages: BTreeMap<CredentialId, Package>,
    pub(super) papers: BTreeMap<u32, Action>,
    /// dAGs the party has signed itself.
    pub(super) signed: BTreeMap<u32, Action>,
    /// dWGs that were handed over, and what was written under them first.
    pub(super) write_papers: BTreeMap<u32, WritePaper>,
    pub(super) written: BTreeMap<u32, Action>,
    pub(super) proofs: BTreeMap<u8, Proof>,
    /// How many calls went to the chain that holds the tokens.
    pub(super) chain_calls: u64,
    /// Roots that were claimed on, and for whom.
    pub(super) claimed: BTreeSet<(PartyId, Hash)>,
    /// Issuer: documents it signed, whom it gave them to, and what it says of them now.
    issued: BTreeMap<CredentialId, (PartyId, VerifiableCredential)>,
    pub(super) statuses: BTreeMap<CredentialId, String>,
    /// Date and signature of the last statement about each of them.
    stated: BTreeMap<CredentialId, (Option<i64>, Option<String>)>,
    /// User: hashes of what is in copies that wait for a grant.
    pub(super) waiting: BTreeMap<CredentialId, ContentHash>,
    /// Issuer: the faces it has seen.
    faces: BTreeSet<[u8; 32]>,
    /// Consumer: in whose profile it has met each person.
    pub(super) met: BTreeMap<String, UserId>,
    /// Consumer: from when on issuers' keys are invalid, as they say themselves.
    invalid_keys: BTreeMap<String, BlockTime>,
    /// Consumer: what it asked; user: what it was asked.
    pub(super) asked: BTreeMap<u32, Asked>,
    pub(super) questions: BTreeMap<u32, Question>,
    /// Issuer: what it may answer, and whether it has.
    approvals: BTreeMap<u32, (Approval, bool)>,
    /// The id of the notes made last, and the one the next notes shall have.
    last_notes_id: Option<String>,
    next_notes_id: Option<String>,
    /// User: keys that something may still be sealed to, the latest first.
    pub(super) former: Vec<BoxSecret>,
    /// Issuer: keys that users have taken since the directory was made.
    pub(super) taken: BTreeMap<PartyId, BoxPublic>,
    /// What a share node keeps.
    pub(super) shares: ShareStore,
    pub(super) enclave: Enclave,
}

impl Desk {
    pub(super) fn new(
        me: PartyId,
        suite: Arc<dyn Suite>,
        directory: Arc<Directory>,
        keys: Keys,
        entropy: [u8; 32],
    ) -> Desk {
        Desk {
            me,
            suite,
            directory,
            keys,
            entropy,
            draws: 0,
            packages: BTreeMap::new(),
            papers: BTreeMap::new(),
            signed: BTreeMap::new(),
            write_papers: BTreeMap::new(),
            written: BTreeMap::new(),
            proofs: BTreeMap::new(),
            chain_calls: 0,
            claimed: BTreeSet::new(),
            issued: BTreeMap::new(),
            statuses: BTreeMap::new(),
            stated: BTreeMap::new(),
            invalid_keys: BTreeMap::new(),
            waiting: BTreeMap::new(),
            faces: BTreeSet::new(),
            met: BTreeMap::new(),
            asked: BTreeMap::new(),
            questions: BTreeMap::new(),
            approvals: BTreeMap::new(),
            last_notes_id: None,
            next_notes_id: None,
            former: Vec::new(),
            taken: BTreeMap::new(),
            shares: ShareStore::default(),
            enclave: Enclave::default(),
        }
    }

    /// The party's own card.
    pub(super) fn card(&self) -> &Card {
        self.directory.card(self.me)
    }

    /// The key that opens what is sealed to this party now.
    pub(super) fn own_box(&self) -> BoxPublic {
        self.suite.box_public(&self.keys.box_secret)
    }

    /// What to seal to for a party, as far as this one knows: keys change after the directory was made.
    pub(super) fn box_of(&self, party: PartyId) -> BoxPublic {
        if party == self.me {
            return self.own_box();
        }
        let taken = self.taken.get(&party).copied();
        taken.unwrap_or(self.directory.card(party).box_public)
    }

    /// Fresh bytes: they depend on what they are for and on how often the party has drawn for it.
    pub(super) fn draw(&mut self, purpose: &str, about: &str) -> blake3::OutputReader {
        self.draws += 1;
        let mut hash = blake3::Hasher::new_keyed(&self.entropy);
        hash.update(purpose.as_bytes()).update(about.as_bytes());
        hash.update(&self.draws.to_le_bytes());
        hash.finalize_xof()
    }

    pub(super) fn draw_32(&mut self, purpose: &str, about: &str) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.draw(purpose, about).fill(&mut bytes);
        bytes
    }

    /// Seals a plaintext with a one-time key. Source: idos-facts 4.7.
    pub(super) fn seal(
        &mut self,
        credential: CredentialId,
        to: &BoxPublic,
        plaintext: &[u8],
        out: &mut Outbox,
    ) -> (Vec<u8>, Text) {
        let (sealed, encryptor) = self.sealed_to(to, &credential.to_string(), plaintext);
        let encryptor: Text = BASE64.encode(encryptor.0).into();
        out.note(Event::Sealed {
            by: self.me,
            credential,
            encryptor: encryptor.clone(),
            document: content_hash(plaintext),
            content: *Content::new(BASE64.encode(&sealed)).digest(),
            to: key_text(to),
        });
        (sealed, encryptor)
    }

    /// `nonce ‖ box` with a one-time key, and the public side of that key.
    pub(super) fn sealed_to(
        &mut self,
        to: &BoxPublic,
        about: &str,
        plaintext: &[u8],
    ) -> (Vec<u8>, BoxPublic) {
        let mut nonce = [0; 24];
        let mut secret = [0; 32];
        let mut bytes = self.draw("seal", about);
        bytes.fill(&mut nonce);
        bytes.fill(&mut secret);
        let with = EphemeralSeal {
            secret: BoxSecret(secret),
            nonce,
        };
        let encryptor = self.suite.box_public(&with.secret);
        (self.suite.seal(to, &with, plaintext), encryptor)
    }

    /// Opens a row's content with the party's own key.
    pub(super) fn open(&self, content: &Content, encryptor: &str) -> Option<Vec<u8>> {
        let sealed = BASE64.decode(content.text().as_bytes()).ok()?;
        let encryptor = BASE64.decode(encryptor).ok()?.try_into().ok()?;
        // A box says by itself whether a key opens it, so that no row has to say which one does.
        let keys = [&self.keys.box_secret].into_iter().chain(&self.former);
        keys.into_iter()
            .find_map(|key| self.suite.open(key, &BoxPublic(encryptor), &sealed))
    }

    /// The document in a row's content, if the party can open it and it is one.
    pub(super) fn read(&self, content: &Content, encryptor: &str) -> Option<VerifiableCredential> {
        let plaintext = self.open(content, encryptor)?;
        VerifiableCredential::parse(&plaintext).ok()
    }

    /// Issuer: the document that says what it found out about somebody.
    fn document(
        &mut self,
        credential: CredentialId,
        (bytes, findings): (u32, &Findings),
        now: WallMillis,
    ) -> VerifiableCredential {
        let issued = now.block_time();
        let expires = match findings.expires {
            0 => issued.0 + VALIDITY,
            expires => expires,
        };
        let mut subject = subject(self.directory.card(findings.about), credential, findings);
        let mut draft = |front: Vec<u8>| {
            subject.id_document_front_file = File(front.into());
            let draft = Draft {
                id: format!("urn:uuid:{credential}"),
                issuer_url: self.directory.card(self.me).issuer_url(),
                level: Level::derive(&subject),
                issued,
                approved_at: issued,
                expires: BlockTime(expires),
                subject: subject.clone(),
            };
            let mut document = VerifiableCredential::build(&draft);
            document
                .prove(&*self.suite, &self.keys.signing[0], issued)
                .expect("issuers hold Ed25519 keys");
            document
        };
        // The scanned identity card fills the document up to its size; Ascii85 takes 5 bytes for 4.
        let missing = (bytes as usize).saturating_sub(draft(Vec::new()).to_bytes().len());
        let mut front = vec![0; missing * 4 / 5];
        let mut scan = blake3::Hasher::new_keyed(&self.entropy);
        scan.update(credential.0.as_bytes());
        scan.finalize_xof().fill(&mut front);
        draft(front)
    }

    /// Issuer: a credential for a user, sealed to the holder of `to` and signed.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a choice a story can make"
    )]
    pub(super) fn package(
        &mut self,
        user: PartyId,
        to: PartyId,
        credential: CredentialId,
        what: (u32, &Findings),
        (forged, unsealed): (bool, bool),
        now: WallMillis,
        out: &mut Outbox,
    ) -> Package {
        let document = self.issue(user, credential, what, now, out);
        let how = (forged, unsealed);
        self.sealed(&document, (user, to), credential, how, now, out)
    }

    /// Issuer: verifies a user, and says in a document, which comes with its bytes, what came of it.
    fn issue(
        &mut self,
        user: PartyId,
        credential: CredentialId,
        what: (u32, &Findings),
        now: WallMillis,
        out: &mut Outbox,
    ) -> Issued {
        let document = self.document(credential, what, now);
        let document = (document.to_bytes(), document);
        self.issued(credential, (user, what.1.about), &document, now, out);
        document
    }

    /// Issuer: keeps a document it has signed, whom it gave it to, and says whom it is about.
    fn issued(
        &mut self,
        credential: CredentialId,
        (user, about): (PartyId, PartyId),
        (plaintext, document): &Issued,
        now: WallMillis,
        out: &mut Outbox,
    ) {
        self.issued.insert(credential, (user, document.clone()));
        out.note(Event::Issued {
            by: self.me,
            about: self.directory.card(about).persona.user,
            credential,
            document: content_hash(plaintext),
            dated: now.block_time().0,
        });
    }

    /// Issuer: the text of notes that say this of a credential, signed and dated where that is promised.
    pub(super) fn state(
        &mut self,
        credential: CredentialId,
        notes: PublicNotes,
        oddity: Option<Oddity>,
        now: WallMillis,
        out: &mut Outbox,
    ) -> Text {
        if !self.directory.rules.keep(Switch::SignedStatements)
            || oddity == Some(Oddity::NoStatement)
        {
            return notes.to_text().into();
        }
        if let (Some(Oddity::OldStatement), Some((at, signature))) =
            (oddity, self.stated.get(&credential).cloned())
        {
            let old = PublicNotes {
                stated_at: at,
                statement_signature: signature,
                ..notes
            };
            return old.to_text().into();
        }
        let at = now.block_time();
        let stated = notes.stated(&*self.suite, &self.keys.signing[0], at);
        let notes: Text = stated.to_text().into();
        let statement = (stated.stated_at, stated.statement_signature);
        self.stated.insert(credential, statement);
        out.note(Event::Stated {
            by: self.me,
            notes: notes.clone(),
            dated: at.0,
        });
        notes
    }

    /// Consumer: takes what an issuer's own page says of its key. The earliest date counts, since only somebody
    /// who has the key and is not the issuer could gain by a later one.
    fn learn(&mut self, from: PartyId, declared: &KeyDeclaration, out: &mut Outbox) {
        let key = self.directory.card(from).identities[0];
        if !declared.is_of(&*self.suite, &key) {
            return;
        }
        let known = self
            .invalid_keys
            .entry(key.caller())
            .or_insert(declared.from);
        *known = declared.from.min(*known);
        out.note(Event::KeyDeclarationRead {
            by: self.me,
            of: from,
            from: declared.from.0,
        });
    }

    /// Consumer: whether to doubt what this key signed with this date, or without one.
    pub(super) fn is_invalid(&self, key: &str, dated: Option<BlockTime>) -> bool {
        let from = self.invalid_keys.get(key);
        from.is_some_and(|from| dated.is_none_or(|dated| dated >= *from))
            && self.directory.rules.keep(Switch::DeclaredKeys)
    }

    /// Issuer: a personhood credential for whoever shows this face. The id is the same whenever the face is, hangs
    /// on the issuer's own key so that no two issuers' ids can be compared, and is marked as plaintext is, so that it
    /// is noticed wherever it turns up. Source: idos-facts 1.3, PERS-01.
    pub(super) fn recognise(
        &mut self,
        user: PartyId,
        credential: CredentialId,
        face: [u8; 32],
        now: WallMillis,
        out: &mut Outbox,
    ) -> Package {
        let known = !self.faces.insert(face);
        let secret = blake3::derive_key("assay 2026 persons", &self.keys.signing[0].secret);
        let id = hex::encode(&blake3::keyed_hash(&secret, &face).as_bytes()[..8]);
        let issued = now.block_time();
        let mut document = VerifiableCredential::personhood(&PersonDraft {
            id: format!("urn:uuid:{credential}"),
            issuer_url: self.card().issuer_url(),
            issued,
            expires: BlockTime(issued.0 + VALIDITY),
            person: format!("{MARKER_PREFIX}{id}"),
        });
        document
            .prove(&*self.suite, &self.keys.signing[0], issued)
            .expect("issuers hold Ed25519 keys");
        let plaintext = document.to_bytes();
        out.note(Event::Recognised {
            by: self.me,
            of: user,
            known,
            person: format!("{MARKER_PREFIX}{id}"),
            credential,
            claims: document.claims().into_iter().map(str::to_owned).collect(),
            document: content_hash(&plaintext),
        });
        let document = (plaintext, document);
        self.issued(credential, (user, user), &document, now, out);
        let how = (false, false);
        self.sealed(&document, (user, user), credential, how, now, out)
    }

    /// Issuer: a credential of a user's with this document, sealed to the holder of `to` and signed.
    fn sealed(
        &mut self,
        (plaintext, document): &Issued,
        (user, to): (PartyId, PartyId),
        credential: CredentialId,
        (forged, unsealed): (bool, bool),
        now: WallMillis,
        out: &mut Outbox,
    ) -> Package {
        let directory = self.directory.clone();
        let (content, encryptor) = if unsealed {
            (plaintext.clone(), key_text(&self.own_box()))
        } else {
            self.seal(credential, &self.box_of(to), plaintext, out)
        };
        let id = self.next_notes_id.take();
        let id = id.unwrap_or_else(|| notes_id(credential));
        self.last_notes_id = Some(id.clone());
        let notes = PublicNotes {
            id,
            kind: match document.about() {
                About::User(_) => "KYC",
                About::Person(_) => "human",
            }
            .to_owned(),
            level: document.level().to_string(),
            status: "approved".to_owned(),
            issuer: self.card().persona.name.clone(),
            stated_at: None,
            statement_signature: None,
        };
        let mut signer = self.keys.signing[0].clone();
        let issuer_key = self.card().caller();
        if forged {
            signer.secret = self.draw_32("forge", &credential.to_string());
        }
        let notes = self.state(credential, notes, None, now, out);
        self.signed_package(
            (directory.card(user).persona.user, credential),
            (&content, encryptor),
            &notes,
            (&signer, issuer_key),
        )
    }

    /// Issuer: what is written under a dWG: a credential, and the same document again for the grantee.
    /// Source: idos-facts 5.5 step 2.
    pub(super) fn delegated_write(
        &mut self,
        paper: &WritePaper,
        (original, copy): (CredentialId, CredentialId),
        now: WallMillis,
        out: &mut Outbox,
    ) -> Action {
        let directory = self.directory.clone();
        let user = paper.user;
        let findings = Findings::usual(user);
        let document = self.issue(user, original, (LEAST_BYTES, &findings), now, out);
        let how = (false, false);
        let first = self.sealed(&document, (user, user), original, how, now, out);
        let (plaintext, _) = document;
        let to = self.box_of(paper.grantee);
        let (sealed, encryptor) = self.seal(copy, &to, &plaintext, out);
        let second = self.signed_package(
            (directory.card(user).persona.user, copy),
            (&sealed, encryptor),
            "",
            (&self.keys.signing[0], self.card().caller()),
        );
        Action::CreateCredentialsByDwg {
            issuer_auth_public_key: first.issuer_auth_public_key,
            original_encryptor_public_key: first.encryptor_public_key,
            original_credential_id: original,
            original_content: first.content,
            original_public_notes: first.public_notes,
            original_public_notes_signature: first.public_notes_signature,
            original_broader_signature: first.broader_signature,
            copy_encryptor_public_key: second.encryptor_public_key,
            copy_credential_id: copy,
            copy_content: second.content,
            copy_public_notes_signature: second.public_notes_signature,
            copy_broader_signature: second.broader_signature,
            content_hash: content_hash(&plaintext).to_string().into(),
            dwg_owner: paper.owner.clone(),
            dwg_grantee: paper.grantee_identifier.clone(),
            dwg_issuer_public_key: paper.issuer.clone(),
            dwg_id: paper.id,
            dwg_access_grant_timelock: paper.timelock.clone(),
            dwg_not_before: paper.not_before.clone(),
            dwg_not_after: paper.not_after.clone(),
            dwg_signature: paper.signature.clone(),
        }
    }

    /// Issuer: what it says to a question, from its own document, at this moment. Errors: why it says nothing.
    fn evaluate(
        &mut self,
        question: u32,
        again: bool,
        now: WallMillis,
        out: &mut Outbox,
    ) -> Result<VerificationResult, &'static str> {
        let (approval, answered) = self.approvals.get(&question).ok_or("answer-withdrawn")?;
        let (credential, at) = (approval.credential, now.block_time());
        let (_, document) = self.issued.get(&credential).ok_or("nothing-found")?;
        if at > approval.question.expires {
            return Err("answer-expired");
        }
        if *answered && !approval.repeated && again {
            return Err("answer-used");
        }
        let status = self.statuses.get(&credential);
        let result = VerificationResult {
            question: approval.question.clone(),
            answer: approval.question.predicate.holds(document),
            credential: approval.question.hash_of(credential),
            issuer: self.card().caller(),
            evaluated_at: at,
            status: status.map_or("approved", String::as_str).to_owned(),
            signature: "".into(),
        }
        .sign(&*self.suite, &self.keys.signing[0]);
        out.note(Event::Evaluated {
            question,
            by: self.me,
            credential,
            answer: result.answer,
            approved: result.status == "approved",
            told: result.text(),
            digest: result.digest(),
        });
        if let Some((_, answered)) = self.approvals.get_mut(&question) {
            *answered = true;
        }
        Ok(result)
    }

    /// Issuer: takes an approval, if it is the word of the user the credential was given to.
    fn approve(&mut self, from: PartyId, approval: Approval) -> Option<u32> {
        let (holder, _) = self.issued.get(&approval.credential)?;
        let wallets = &self.directory.card(from).identities;
        let chain_id = &self.directory.chain_id;
        let signed = |wallet: &Identity| approval.is_of(&*self.suite, wallet, chain_id);
        if *holder != from || !wallets.iter().any(signed) {
            return None;
        }
        let question = approval.question.request;
        self.approvals.entry(question).or_insert((approval, false));
        Some(question)
    }

    /// Signs a row as the rules of the network ask for. Source: idos-facts 4.4.
    fn signed_package(
        &self,
        (owner, credential): (UserId, CredentialId),
        (content, encryptor): (&[u8], Text),
        notes: &str,
        (signer, issuer_key): (&SigningKey, Text),
    ) -> Package {
        let binding = self
            .directory
            .rules
            .keep(Switch::BoundCredentialSignature)
            .then(|| credential_binding(owner, credential, &encryptor));
        let signed = sign_credential(&*self.suite, signer, notes, content, binding.as_deref());
        Package {
            credential,
            issuer_auth_public_key: issuer_key,
            encryptor_public_key: encryptor,
            content: Content::new(BASE64.encode(content)),
            public_notes: notes.into(),
            public_notes_signature: signed.public_notes.into(),
            broader_signature: signed.broader.into(),
        }
    }

    /// A throw-away Ed25519 key, as the user's software makes one for each copy.
    fn throw_away_key(&mut self, credential: CredentialId) -> (SigningKey, Text) {
        let secret = self.draw_32("throw-away key", &credential.to_string());
        let key = SigningKey {
            scheme: Scheme::Ed25519,
            secret,
        };
        let public = self.suite.identity(&key).caller().into();
        (key, public)
    }

    /// User: a copy of a document for a grantee, and the action that stores and grants it.
    pub(super) fn copy(
        &mut self,
        share: &Share,
        request: Option<RequestRef>,
        plaintext: &[u8],
        hash: ContentHash,
        out: &mut Outbox,
    ) -> Action {
        let terms = self.share_terms(&share.terms, request);
        let directory = self.directory.clone();
        let grantee = directory.card(share.to);
        let to = match share.fidelity {
            Fidelity::Misdirected => self.own_box(),
            _ => self.box_of(share.to),
        };
        let (mut sealed, encryptor) = self.seal(share.copy, &to, plaintext, out);
        if let (Fidelity::Tampered, Some(last)) = (share.fidelity, sealed.last_mut()) {
            *last ^= 1;
        }
        let (key, public) = self.throw_away_key(share.copy);
        let owner = self.card().persona.user;
        let package = self.signed_package(
            (owner, share.copy),
            (&sealed, encryptor),
            "",
            (&key, public),
        );
        Action::ShareCredential {
            id: share.copy,
            original_credential_id: share.original,
            public_notes: package.public_notes,
            public_notes_signature: package.public_notes_signature,
            broader_signature: package.broader_signature,
            content: package.content,
            content_hash: hash.to_string().into(),
            encryptor_public_key: package.encryptor_public_key,
            issuer_auth_public_key: package.issuer_auth_public_key,
            grantee_wallet_identifier: grantee.caller(),
            locked_until: match share.in_millis {
                true => share.locked_until.saturating_mul(1_000),
                false => share.locked_until,
            },
            terms,
        }
    }

    /// Whether nodes know arguments of grants and papers that the deployed schema lacks.
    fn may_limit(&self) -> bool {
        let promises = [
            Switch::RecordedRequests,
            Switch::GrantTerms,
            Switch::DagExpires,
            Switch::CancellablePapers,
        ];
        promises
            .into_iter()
            .any(|promise| self.directory.rules.keep(promise))
    }

    /// What a share says of its request and its limits, where there is something to say and nodes know it.
    fn share_terms(&self, terms: &Terms, request: Option<RequestRef>) -> Option<ShareTerms> {
        let unlimited = *terms == Terms::default() && request.is_none();
        (self.may_limit() && !unlimited).then(|| ShareTerms {
            request_id: request.map(|request| request.id),
            expires_at: terms.expires_at,
            uses: terms.uses,
            fields: terms.fields.as_deref().map(Text::from),
        })
    }

    /// What a dAG says of its end and of its grant's limits, where nodes know it.
    pub(super) fn dag_terms(&self, not_usable_after: i64, terms: &Terms) -> Option<DagTerms> {
        self.may_limit().then_some(DagTerms {
            not_usable_after,
            expires_at: terms.expires_at,
            uses: terms.uses,
        })
    }

    /// User: a package signed anew with a throw-away key.
    pub(super) fn resign(&mut self, package: &Package) -> Package {
        let (key, public) = self.throw_away_key(package.credential);
        let content = BASE64
            .decode(package.content.text().as_bytes())
            .unwrap_or_default();
        self.signed_package(
            (self.card().persona.user, package.credential),
            (&content, package.encryptor_public_key.clone()),
            &package.public_notes,
            (&key, public),
        )
    }

    /// Anybody: a row of its own making, sealed to itself.
    pub(super) fn self_issued(&mut self, credential: CredentialId, out: &mut Outbox) -> Package {
        let (content, encryptor) = self.seal(credential, &self.own_box(), b"{}", out);
        let (key, public) = self.throw_away_key(credential);
        let owner = self.card().persona.user;
        self.signed_package(
            (owner, credential),
            (&content, encryptor),
            "",
            (&key, public),
        )
    }

    /// Signs that a wallet of this party belongs to a profile. A forged proof is signed by another of
    /// its keys.
    pub(super) fn prove_ownership(
        &mut self,
        wallet: u8,
        user: UserId,
        not_after: BlockTime,
        forged: bool,
    ) -> Proof {
        let keys = &self.keys.signing;
        let signer = &keys[(wallet as usize + usize::from(forged)) % keys.len()];
        let (_, address, _) = self.wallet_columns(wallet);
        let proof = self.ownership(&address, signer, user, not_after);
        self.proofs.insert(wallet, proof.clone());
        proof
    }

    /// A proof that the wallet with this address belongs to a profile, signed by some key.
    fn ownership(
        &self,
        address: &str,
        signer: &SigningKey,
        user: UserId,
        not_after: BlockTime,
    ) -> Proof {
        let chain_id = &self.directory.chain_id;
        let message = OwnershipProof {
            user,
            wallet: address,
            chain_id,
            not_after,
        }
        .text();
        let signature = sign_text(&*self.suite, signer, &message);
        let message = message.into();
        Proof { message, signature }
    }

    /// The proof of an `add_wallet`, made now or sent again.
    pub(super) fn wallet_proof(
        &mut self,
        wallet: u8,
        now: WallMillis,
        (forged, replayed): (bool, bool),
    ) -> Proof {
        if let (true, Some(proof)) = (replayed, self.proofs.get(&wallet)) {
            return proof.clone();
        }
        let user = self.card().persona.user;
        let not_after = BlockTime(now.block_time().0 + PROOF_LIFETIME);
        self.prove_ownership(wallet, user, not_after, forged)
    }

    /// A proof that is good for something else, or for nothing; none where the oddity is about no proof.
    pub(super) fn odd_proof(&self, wallet: u8, now: WallMillis, oddity: Oddity) -> Option<Proof> {
        let (_, address, _) = self.wallet_columns(wallet);
        let now = now.block_time().0;
        let right = OwnershipProof {
            user: self.card().persona.user,
            wallet: &address,
            chain_id: &self.directory.chain_id,
            not_after: BlockTime(now + PROOF_LIFETIME),
        };
        let proof = match oddity {
            Oddity::OtherProfile => OwnershipProof {
                user: UserId(uuid::Uuid::nil()),
                ..right
            },
            Oddity::ProvesElsewhere => OwnershipProof {
                chain_id: ELSEWHERE,
                ..right
            },
            Oddity::ProvesLate => OwnershipProof {
                not_after: BlockTime(now - 60),
                ..right
            },
            Oddity::ProvesNothing => {
                let signature = self.sign_text(wallet, GREETING);
                let message = GREETING.into();
                return Some(Proof { message, signature });
            }
            _ => return None,
        };
        let message = proof.text();
        let signature = self.sign_text(wallet, &message);
        let message = message.into();
        Some(Proof { message, signature })
    }

    /// Has the next notes look as if they were about what was issued last.
    pub(super) fn reuse_notes_id(&mut self) {
        self.next_notes_id.clone_from(&self.last_notes_id);
    }

    /// Type, address and public key of one of the party's wallets, as its row holds them. A NEAR account
    /// is the implicit one, whose name is its key in hex. Source: idos-facts 2.2.
    pub(super) fn wallet_columns(&self, wallet: u8) -> (Text, Text, Option<Text>) {
        let identity = self.suite.identity(&self.keys.signing[wallet as usize]);
        let kind = self.card().persona.wallet_type(wallet.into());
        let caller = identity.caller();
        let (address, public_key) = match (kind, &identity) {
            (WalletType::NEAR, _) => (hex::encode(identity.bytes()), Some(caller)),
            (WalletType::XRPL, _) => (caller, Some(hex::encode_upper(identity.bytes()))),
            (WalletType::Stellar, Identity::Ed25519(key)) => (stellar_address(key), Some(caller)),
            (WalletType::FaceSign, _) => (caller.clone(), Some(caller)),
            (WalletType::EVM | WalletType::Stellar, _) => (caller, None),
        };
        (
            kind.name().into(),
            address.into(),
            public_key.map(Into::into),
        )
    }

    /// Signs a text with one of the party's wallets, hex.
    pub(super) fn sign_text(&self, wallet: u8, text: &str) -> Text {
        sign_text(&*self.suite, &self.keys.signing[wallet as usize], text)
    }

    /// Issuer: a wallet of an attacker's, proven for somebody else's profile.
    pub(super) fn foreign_wallet(&mut self, user: UserId, now: WallMillis) -> Action {
        let secret = self.draw_32("foreign wallet", &user.to_string());
        let key = SigningKey {
            scheme: Scheme::Evm,
            secret,
        };
        let not_after = BlockTime(now.block_time().0 + PROOF_LIFETIME);
        let address: Text = self.suite.identity(&key).caller().into();
        let proof = self.ownership(&address, &key, user, not_after);
        let mut id = [0; 16];
        id.copy_from_slice(&secret[..16]);
        Action::UpsertWalletAsInserter {
            id: WalletId(uuid::Builder::from_random_bytes(id).into_uuid()),
            user_id: user,
            address,
            public_key: None,
            wallet_type: WalletType::EVM.name().into(),
            message: proof.message,
            signature: proof.signature,
        }
    }

    /// Database owner: the transactions that make an issuer an inserter, or its key one of a company's that
    /// is an inserter already.
    pub fn admission(&self, issuer: PartyId) -> Vec<Batch> {
        let card = self.directory.card(issuer);
        let persona = &card.persona;
        let inserter = (persona.company == persona.name).then(|| Action::AddInserterAsOwner {
            id: card.inserter_id(),
            name: persona.name.as_str().into(),
        });
        let delegate = self.delegate_of(issuer);
        inserter
            .into_iter()
            .chain([delegate])
            .map(Batch::one)
            .collect()
    }

    /// Database owner: what gives an issuer's key the powers of its inserter.
    pub(super) fn delegate_of(&self, issuer: PartyId) -> Action {
        let card = self.directory.card(issuer);
        Action::AddDelegateAsOwner {
            address: card.caller(),
            inserter_id: card.inserter_id(),
        }
    }

    /// Issuer: the two transactions that create a profile, from what the newcomer sent.
    pub(super) fn registration(
        &self,
        user: PartyId,
        proof: (Text, Text, Text),
        box_public: Text,
    ) -> [Batch; 2] {
        let (address, message, signature) = proof;
        let card = self.directory.card(user);
        [
            Action::AddUserAsInserter {
                id: card.persona.user,
                recipient_encryption_public_key: box_public,
                encryption_password_store: card.persona.password.store().into(),
            },
            Action::UpsertWalletAsInserter {
                id: card.persona.wallet,
                user_id: card.persona.user,
                address,
                public_key: None,
                wallet_type: WalletType::EVM.name().into(),
                message,
                signature,
            },
        ]
        .map(Batch::one)
    }

    /// Issuer: the same, for a profile that exists before the story begins.
    pub fn founding_registration(&self, user: &mut Desk, now: WallMillis) -> [Batch; 2] {
        let (address, proof) = user.first_proof(now);
        let box_public = key_text(&user.own_box());
        self.registration(
            user.me,
            (address, proof.message, proof.signature),
            box_public,
        )
    }

    fn first_proof(&mut self, now: WallMillis) -> (Text, Proof) {
        (
            self.card().caller(),
            self.wallet_proof(0, now, (false, false)),
        )
    }

    /// Whom to ask as where it does not matter who asks: nobody, unless nodes want every call signed.
    pub(super) fn as_anybody(&self) -> As {
        if self.directory.rules.keep(Switch::AuthenticatedReads) {
            As::Self_
        } else {
            As::Nobody
        }
    }

    /// The hash a dAG states: of copies that wait for a grant, what is in them; of others nothing.
    pub(super) fn hash_for(&self, data: CredentialId) -> Option<Text> {
        let hash = self.waiting.get(&data)?;
        Some(hash.to_string().into())
    }

    /// User: the same as [`Desk::copy`], without the grant.
    pub(super) fn waiting_copy(
        &mut self,
        share: &Share,
        plaintext: &[u8],
        hash: ContentHash,
        out: &mut Outbox,
    ) -> Action {
        self.waiting.insert(share.copy, hash);
        let shared = self.copy(share, None, plaintext, hash, out);
        let Action::ShareCredential {
            id,
            original_credential_id,
            public_notes,
            public_notes_signature,
            broader_signature,
            content,
            encryptor_public_key,
            issuer_auth_public_key,
            ..
        } = shared
        else {
            unreachable!("a copy is shared")
        };
        Action::CreateCredentialCopy {
            id,
            original_credential_id,
            public_notes,
            public_notes_signature,
            broader_signature,
            content,
            encryptor_public_key,
            issuer_auth_public_key,
        }
    }

    /// The dAG an owner signs, and the action that carries it.
    pub(super) fn dag_action(
        &self,
        owner: PartyId,
        grantee: PartyId,
        (data, locked_until): (CredentialId, i64),
        terms: Option<DagTerms>,
        signature: Text,
    ) -> Action {
        Action::CreateAgByDagForCopy {
            dag_owner_wallet_identifier: self.directory.card(owner).caller(),
            dag_grantee_wallet_identifier: self.directory.card(grantee).caller(),
            dag_data_id: data,
            dag_locked_until: locked_until,
            dag_content_hash: self.hash_for(data),
            dag_signature: signature,
            terms,
        }
    }

    /// The text of the dAG in an action, as the network would build it.
    pub fn dag_text(&self, paper: &Action) -> Option<String> {
        self.dag_text_on(paper, &self.directory.chain_id)
    }

    /// The same as another network would.
    pub(super) fn dag_text_on(&self, paper: &Action, chain_id: &str) -> Option<String> {
        let (dag, _) = DelegatedAccessGrant::carried_by(paper)?;
        Some(dag.text(self.directory.rules, chain_id))
    }

    /// Takes a letter nobody is waiting for: answers it, keeps what is in it, or starts something.
    pub(super) fn receive(
        &mut self,
        now: WallMillis,
        from: PartyId,
        letter: Letter,
        out: &mut Outbox,
    ) -> Option<(Task, Flow)> {
        match letter {
            Letter::ProofWanted { task } => {
                let (address, Proof { message, signature }) = self.first_proof(now);
                let box_public = key_text(&self.own_box());
                out.letter(
                    from,
                    Letter::Proof {
                        task,
                        address,
                        message,
                        signature,
                        box_public,
                    },
                );
            }
            Letter::FaceWanted { task } => {
                let face = self.directory.face(self.me);
                out.letter(from, Letter::Face { task, face });
            }
            Letter::ConsentWanted { task, text } => {
                let consent = OwnerConsent {
                    wallet: self.card().caller(),
                    signature: self.sign_text(0, &text),
                };
                out.letter(from, Letter::Consent { task, consent });
            }
            Letter::Package { task, package } => {
                let credential = package.credential;
                self.packages.insert(credential, package);
                return Some((
                    courtesy(Order::ReadOwn { credential }),
                    Flow::Store {
                        issuer: from,
                        task,
                        credential,
                    },
                ));
            }
            Letter::LendMe { task } => {
                let document =
                    self.packages.values().next().and_then(|package| {
                        self.open(&package.content, &package.encryptor_public_key)
                    });
                out.letter(from, Letter::Lent { task, document });
            }
            Letter::FilterWanted { task, filter } => {
                let sifting = Sifting {
                    by: from,
                    task,
                    filter,
                    left: Vec::new(),
                    candidates: Vec::new(),
                    matches: Vec::new(),
                };
                return Some((courtesy(Order::List), Flow::Sift(sifting)));
            }
            Letter::Question(question) => {
                self.questions.insert(question.request, *question);
            }
            Letter::Approval(approval) => {
                let consumer = self.directory.holder(&approval.question.consumer);
                let question = self.approve(from, *approval);
                if let (Some(consumer), Some(question)) = (consumer, question) {
                    self.tell(consumer, question, false, now, out);
                }
            }
            Letter::Withdrawal { question } => {
                if let Some((approval, _)) = self.approvals.get(&question)
                    && let Some((holder, _)) = self.issued.get(&approval.credential)
                    && *holder == from
                {
                    self.approvals.remove(&question);
                }
            }
            Letter::AskedAgain { question } => self.tell(from, question, true, now, out),
            Letter::VouchWanted { task, paper } => {
                let vouching = Vouching {
                    by: from,
                    task,
                    paper,
                    own: None,
                };
                return Some((courtesy(Order::List), Flow::Vouch(vouching)));
            }
            Letter::Presented {
                task,
                question,
                answer,
            } => {
                let ending = judge(self, now, question, &answer, out);
                out.letter(from, Letter::Believed { task, ending });
            }
            Letter::KeyDeclared(declared) => self.learn(from, &declared, out),
            Letter::Dwg { dwg, paper } => {
                self.write_papers.insert(dwg, *paper);
            }
            Letter::Dag { dag, paper } => {
                self.papers.insert(dag, *paper);
            }
            Letter::ShareCall {
                task,
                user,
                signed,
                share,
                until,
            } if now <= until => {
                let answer = self.keep_share(now, user, &signed, share, out);
                let by = self.me;
                out.letter(from, Letter::ShareAnswer { task, by, answer });
            }
            Letter::NewKey { task, key, consent } => {
                let user = from;
                return Some((
                    courtesy(Order::Rekey {
                        user,
                        consent: true,
                    }),
                    Flow::ChangeKey {
                        task,
                        key,
                        consent: Some(consent),
                    },
                ));
            }
            Letter::Bridge(event) => {
                let vote = Flow::Vote { event: Some(event) };
                return Some((self.own_courtesy(Order::WatchChain), vote));
            }
            Letter::RootWanted { task, token, root } => {
                let by = from;
                let signing = Signing {
                    by,
                    task,
                    token,
                    root,
                };
                return Some((self.own_courtesy(Order::List), Flow::SignRoot(signing)));
            }
            Letter::EnclaveCall {
                request,
                credential,
            } => return self.on_enclave_call(from, request, credential, out),
            // A request waits for the story to decide; answers to tasks that are over say nothing.
            Letter::AccessRequest { .. }
            | Letter::Proof { .. }
            | Letter::Stored { .. }
            | Letter::Consent { .. }
            | Letter::Denied { .. }
            | Letter::Delivery { .. }
            | Letter::Calls { .. }
            | Letter::Receipt { .. }
            | Letter::RootSigned { .. }
            | Letter::Watch
            | Letter::Face { .. }
            // Gateways and clients take these before they come here.
            | Letter::SignInWanted { .. }
            | Letter::SignInText { .. }
            | Letter::SignIn { .. }
            | Letter::Session { .. }
            | Letter::Forward { .. }
            | Letter::Forwarded { .. }
            | Letter::Leaked { .. }
            | Letter::Filtered { .. }
            | Letter::Vouched { .. }
            | Letter::Answer { .. }
            | Letter::Believed { .. }
            | Letter::Lent { .. }
            | Letter::ShareCall { .. }
            | Letter::ShareAnswer { .. }
            | Letter::KeyChanged { .. }
            | Letter::OriginUnknown { .. }
            | Letter::Plaintext { .. } => {}
        }
        None
    }

    /// Operator: what it does because somebody else asked it to, with its own node.
    fn own_courtesy(&self, order: Order) -> Task {
        Task {
            via: Via::Node(self.card().persona.node),
            ..courtesy(order)
        }
    }

    /// Issuer: answers a consumer's question, or says why it does not.
    fn tell(
        &mut self,
        consumer: PartyId,
        question: u32,
        again: bool,
        now: WallMillis,
        out: &mut Outbox,
    ) {
        let answer = self
            .evaluate(question, again, now, out)
            .map(|result| Box::new(letter::Answer::Bound(result)));
        out.letter(consumer, Letter::Answer { question, answer });
    }
}

/// What people do because somebody else asked them to.
pub(super) fn courtesy(order: Order) -> Task {
    Task {
        order,
        via: Via::Any,
        wallet: 0,
        patience: COURTESY,
        oddity: None,
    }
}

/// What an issuer finds out about a person: the same every time, except for what the story says and for the
/// marker that tells one document from another.
fn subject(user: &Card, credential: CredentialId, findings: &Findings) -> Subject {
    let name = &user.persona.name;
    let digits = u32::from_le_bytes(
        user.persona.user.0.as_bytes()[..4]
            .try_into()
            .expect("four"),
    );
    let country = findings
        .country
        .parse()
        .unwrap_or(Country::new(*b"PT").expect("letters"));
    let level = findings.level;
    let proof = AddressProof {
        category: "UTILITY_BILL".to_owned(),
        file: File(user.persona.user.0.as_bytes().as_slice().into()),
        date_of_issue: None,
    };
    let selfie: &[u8] = if level.liveness {
        credential.0.as_bytes()
    } else {
        &[]
    };
    Subject {
        user: user.persona.user,
        name: Name::Full {
            first: name.clone(),
            family: "Example".to_owned(),
        },
        middle_name: None,
        maiden_name: None,
        date_of_birth: Date::constant(1960 + (digits % 40) as i16, 5, 17),
        place_of_birth: Some("Lisboa".to_owned()),
        gender: Some(Gender::Other),
        nationality: Some(country),
        ssn: None,
        email: level.email.then(|| format!("{name}@mail.example")),
        phone_number: level
            .phone_number
            .then(|| format!("+351 9{:08}", digits % 100_000_000)),
        id_document_country: country,
        id_document_number: marker(credential),
        id_document_type: IdDocumentType::Passport,
        id_document_date_of_issue: Some(Date::constant(2024, 2, 29)),
        id_document_date_of_expiry: Some(Date::constant(2034, 2, 28)),
        id_document_front_file: File::default(),
        id_document_back_file: None,
        selfie_file: File(selfie.into()),
        residential_address: Some(ResidentialAddress {
            street: "Rua do Exemplo".to_owned(),
            house_number: Some("1".to_owned()),
            postal_code: Some("1000-001".to_owned()),
            city: "Lisboa".to_owned(),
            country,
            proof: (level.base == Base::Plus).then_some(proof),
        }),
    }
}

/// The marked text in a document: whoever holds it holds plaintext.
fn marker(credential: CredentialId) -> String {
    format!(
        "{MARKER_PREFIX}{}",
        &credential.0.simple().to_string()[..16]
    )
}
