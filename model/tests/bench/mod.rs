//! A desk to try the ledger at: named people, two inserters, three profiles, and the papers they sign.

#![allow(dead_code, reason = "each test target uses its own part of the bench")]

use std::sync::Arc;

use assay_model::bridge::{Address, Allocation, Amount, Hash, Token};
use assay_model::crypto::{
    BoxSecret, EphemeralSeal, Identity, KdfMemo, Real, Scheme, SigningKey, Suite, Symbolic,
    content_hash, credential_binding, sign_credential, stellar_address,
};
use assay_model::id::{
    AccessRequestId, AttributeId, ClubId, CredentialId, GrantId, Height, InserterId, PeerId, Text,
    UserId, WalletId, WriteGrantId,
};
use assay_model::ledger::{
    Action, Answer, At, Batch, Call, Consent, Content, DagTerms, DelegatedAccessGrant,
    DelegatedWriteGrant, Env, Outcome, OwnerConsent, OwnershipProof, Payload, Query, Refusal,
    ShareTerms, State, Transaction, Unsigned, begin_block, conclude, endow, execute, view,
    write_date,
};
use assay_model::rules::{Rules, Switch};
use assay_model::time::BlockTime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use uuid::Uuid;

/// The network every bench stands on.
pub(crate) const CHAIN: &str = "assay-test";
/// Chain time of the first action.
pub(crate) const NOW: i64 = 1_000;
/// Papers may be used until this second.
pub(crate) const PAPER_END: i64 = 1_000_000;
/// Wallet proofs name this second.
pub(crate) const PROOF_END: i64 = 5_000;

/// People are known by their names. `root` owns the database; `kyc` and `rival` are keys of two
/// inserters; `alice`, `bob` and `mallory` have profiles; `face` is a FaceSign key and `spare` an EVM
/// key that no profile has yet, nor has any `near`, `ripple` and `drop`, of XRPL's two kinds, or `star`, on
/// Stellar; `bank` and `fund` read; `nobody` has nothing at all.
pub(crate) type Who = &'static str;

pub(crate) const EVERYBODY: [Who; 11] = [
    "root", "kyc", "rival", "alice", "bob", "mallory", "face", "spare", "bank", "fund", "nobody",
];

pub(crate) fn key(who: &str) -> SigningKey {
    let scheme = match who {
        "kyc" | "rival" | "face" | "bank" | "star" => Scheme::Ed25519,
        "near" => Scheme::Nep413,
        "ripple" => Scheme::XrplEd25519,
        "drop" => Scheme::XrplSecp256k1,
        _ => Scheme::Evm,
    };
    let mut secret = blake3::derive_key("assay test bench keys", who.as_bytes());
    // Keeps clear of zero and of the order of secp256k1, where no key is.
    secret[0] = secret[0] & 0x7f | 1;
    SigningKey { scheme, secret }
}

pub(crate) fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

pub(crate) fn wallet(n: u128) -> WalletId {
    WalletId(Uuid::from_u128(n))
}

pub(crate) fn credential(n: u128) -> CredentialId {
    CredentialId(Uuid::from_u128(n))
}

pub(crate) fn write_grant(n: u128) -> WriteGrantId {
    WriteGrantId(Uuid::from_u128(n))
}

pub(crate) fn attribute(n: u128) -> AttributeId {
    AttributeId(Uuid::from_u128(n))
}

pub(crate) fn request(n: u128) -> AccessRequestId {
    AccessRequestId(Uuid::from_u128(n))
}

pub(crate) fn organisation(n: u128) -> InserterId {
    InserterId(Uuid::from_u128(n))
}

/// Profiles of the bench.
pub(crate) const ALICE: u128 = 1;
pub(crate) const BOB: u128 = 2;
pub(crate) const MALLORY: u128 = 3;

/// Rules with one switch turned away from `base`.
pub(crate) fn only(switch: Switch) -> Rules {
    Rules::deployed().with(switch, true)
}

pub(crate) fn all_but(switch: Switch) -> Rules {
    Rules::documented().with(switch, false)
}

/// Documented and deployed.
pub(crate) fn both_rules() -> [Rules; 2] {
    [Rules::documented(), Rules::deployed()]
}

pub(crate) fn suites() -> [Arc<dyn Suite>; 2] {
    [
        Arc::new(Symbolic),
        Arc::new(Real::new(Arc::new(KdfMemo::new()))),
    ]
}

/// What an outcome says: `ok`, or the exact text of the refusal.
pub(crate) fn said(outcome: Outcome) -> String {
    match outcome {
        Outcome::Accepted => "ok".to_owned(),
        Outcome::Refused(refusal) => refusal.to_string(),
        Outcome::Invalid => "invalid".to_owned(),
    }
}

/// What people have before anything happens: some IDOS for Alice, and USDC for the fund.
pub(crate) const IDOS: i128 = 1_000;
pub(crate) const USDC: i128 = 10_000;

fn endowed(suite: &dyn Suite) -> State {
    let give = |who: &str, token: Token, amount: i128| {
        let Identity::Evm(address) = suite.identity(&key(who)) else {
            panic!("{who} has no address");
        };
        Allocation {
            token,
            address: Address(address),
            amount: Amount(amount),
        }
    };
    let mut state = State::default();
    let all = [
        give("alice", Token::Idos, IDOS),
        give("fund", Token::Usdc, USDC),
    ];
    endow(&mut state, &all);
    state
}

/// Everything the ledger of a token knows of: balances, what the network owns, rewards.
pub(crate) fn in_all(state: &State, token: Token) -> i128 {
    let tables = state.tables();
    let balances = tables.user_balances.iter();
    let held = balances.filter(|((of, _), _)| *of == token);
    let held: i128 = held.map(|(_, balance)| balance.0.0).sum();
    let network = tables.network_balances.get(&token);
    let network = network.map_or(0, |balance| balance.0.0);
    let rewards = tables.epoch_rewards.iter();
    let rewards = rewards.filter(|((of, _, _), _)| *of == token);
    let rewards: i128 = rewards.map(|(_, reward)| reward.0.0).sum();
    held + network + rewards
}

/// A state with its surroundings.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) suite: Arc<dyn Suite>,
    pub(crate) rules: Rules,
    pub(crate) state: State,
    pub(crate) chain_id: Text,
    pub(crate) db_owner: Text,
    pub(crate) time: i64,
    pub(crate) height: u64,
    /// Who proposes the next blocks.
    pub(crate) proposer: Option<Identity>,
}

pub(crate) fn club(n: u128) -> ClubId {
    ClubId(Uuid::from_u128(n))
}

pub(crate) fn peer(n: u128) -> PeerId {
    PeerId(Uuid::from_u128(n))
}

impl Bench {
    /// Two inserters and three profiles with an EVM wallet each.
    pub(crate) fn new(rules: Rules) -> Bench {
        Bench::with_suite(Arc::new(Symbolic), rules)
    }

    pub(crate) fn with_suite(suite: Arc<dyn Suite>, rules: Rules) -> Bench {
        let mut bench = Bench::empty(suite, rules);
        for (n, name) in [(1, "kyc"), (2, "rival")] {
            let address = bench.caller(name);
            let inserter = Action::AddInserterAsOwner {
                id: organisation(n),
                name: name.into(),
            };
            let delegate = Action::AddDelegateAsOwner {
                address,
                inserter_id: organisation(n),
            };
            bench.must("root", inserter);
            bench.must("root", delegate);
        }
        for (n, name) in [(ALICE, "alice"), (BOB, "bob"), (MALLORY, "mallory")] {
            bench.must("kyc", bench.add_user(n));
            bench.must("kyc", bench.bind(n, name).upsert());
        }
        bench
    }

    /// Nothing but a database owner.
    pub(crate) fn empty(suite: Arc<dyn Suite>, rules: Rules) -> Bench {
        let db_owner = suite.identity(&key("root")).caller().into();
        Bench {
            rules,
            state: endowed(&*suite),
            suite,
            chain_id: CHAIN.into(),
            db_owner,
            time: NOW,
            height: 0,
            proposer: None,
        }
    }

    pub(crate) fn keeps(&self, switch: Switch) -> bool {
        self.rules.keep(switch)
    }

    /// The same at another time.
    pub(crate) fn at(&self, time: i64) -> Bench {
        Bench {
            time,
            ..self.clone()
        }
    }

    pub(crate) fn identity(&self, who: &str) -> Identity {
        self.suite.identity(&key(who))
    }

    /// `@caller` of somebody.
    pub(crate) fn caller(&self, who: &str) -> Text {
        self.identity(who).caller().into()
    }

    pub(crate) fn env(&self) -> Env<'_> {
        Env {
            suite: &*self.suite,
            rules: self.rules,
            chain_id: &self.chain_id,
            db_owner: &self.db_owner,
        }
    }

    pub(crate) fn nonce(&self, who: &str) -> u64 {
        let accounts = &self.state.tables().accounts;
        accounts
            .get(&self.identity(who).account())
            .map_or(0, |account| account.0)
    }

    /// A transaction with the next nonce.
    pub(crate) fn transaction(&self, who: &str, payload: impl Into<Payload>) -> Arc<Transaction> {
        let unsigned = Unsigned {
            nonce: self.nonce(who) + 1,
            chain_id: self.chain_id.clone(),
            payload: payload.into(),
        };
        Transaction::sign(&*self.suite, &key(who), unsigned)
    }

    /// Executes a transaction in a block of its own.
    pub(crate) fn run_batch(&mut self, who: &str, payload: impl Into<Payload>) -> Outcome {
        let transaction = self.transaction(who, payload);
        self.execute(&transaction)
    }

    /// What happens at this time by itself; it happens once.
    pub(crate) fn pass_time(&mut self) {
        let at = At {
            height: Height(self.height + 1),
            time: BlockTime(self.time),
            proposer: self.proposer,
        };
        let mut state = std::mem::take(&mut self.state);
        begin_block(&mut state, self.env(), at);
        self.state = state;
    }

    pub(crate) fn execute(&mut self, transaction: &Transaction) -> Outcome {
        self.pass_time();
        self.height += 1;
        let at = At {
            height: Height(self.height),
            time: BlockTime(self.time),
            proposer: self.proposer,
        };
        let mut state = std::mem::take(&mut self.state);
        let outcome = execute(&mut state, self.env(), at, transaction);
        conclude(&mut state, self.env(), at, Hash([self.height as u8; 32]));
        self.state = state;
        outcome
    }

    /// A block without anything in it.
    pub(crate) fn pass(&mut self) {
        self.height += 1;
        let at = At {
            height: Height(self.height),
            time: BlockTime(self.time),
            proposer: self.proposer,
        };
        let mut state = std::mem::take(&mut self.state);
        conclude(&mut state, self.env(), at, Hash([self.height as u8; 32]));
        self.state = state;
    }

    /// Somebody's address on the other chain; it has to be somebody with an EVM key.
    pub(crate) fn address(&self, who: &str) -> Address {
        Address::parse(&self.caller(who)).expect("an EVM key")
    }

    pub(crate) fn run(&mut self, who: &str, action: Action) -> Outcome {
        self.run_batch(who, Batch::one(action))
    }

    /// What the ledger says to one action; a refusal has to leave every row as it was.
    pub(crate) fn says(&mut self, who: &str, action: Action) -> String {
        self.pass_time();
        let (digest, nonce) = (self.state.digest(), self.nonce(who));
        let outcome = self.run(who, action.clone());
        if outcome != Outcome::Accepted {
            assert_eq!(
                self.state.digest(),
                digest,
                "refused {action:?} left a trace"
            );
        }
        assert_eq!(self.nonce(who), nonce + 1, "{action:?} uses one nonce");
        said(outcome)
    }

    /// An action the test takes for granted.
    pub(crate) fn must(&mut self, who: &str, action: Action) {
        assert_eq!(self.says(who, action.clone()), "ok", "{who}: {action:?}");
    }

    /// The same people one accepted action later.
    pub(crate) fn after(&self, who: &str, action: Action) -> Bench {
        let mut bench = self.clone();
        bench.must(who, action);
        bench
    }

    /// A view by somebody, or by nobody when the name is empty.
    pub(crate) fn ask(&self, who: &str, query: Query) -> Result<Answer, Refusal> {
        let caller = if who.is_empty() {
            "".into()
        } else {
            self.caller(who)
        };
        self.ask_as(&caller, query)
    }

    pub(crate) fn ask_as(&self, caller: &str, query: Query) -> Result<Answer, Refusal> {
        let call = Call {
            env: self.env(),
            caller,
            time: BlockTime(self.time),
            height: Height(self.height),
        };
        view(&self.state, call, &query)
    }

    /// A signature inside an argument, as hex.
    pub(crate) fn signed(&self, who: &str, text: &str) -> Text {
        hex::encode(self.suite.sign(&key(who), text.as_bytes())).into()
    }

    pub(crate) fn add_user(&self, n: u128) -> Action {
        Action::AddUserAsInserter {
            id: user(n),
            recipient_encryption_public_key: format!("box key of {n}").into(),
            encryption_password_store: "user".into(),
        }
    }

    pub(crate) fn update_key(&self, n: u128, consent: Option<OwnerConsent>) -> Action {
        Action::UpdateUserPubKeyAsInserter {
            id: user(n),
            recipient_encryption_public_key: "new key".into(),
            encryption_password_store: "mpc".into(),
            consent,
        }
    }

    pub(crate) fn consent(&self, signer: &str, n: u128, change: &Consent<'_>) -> OwnerConsent {
        OwnerConsent {
            wallet: self.caller(signer),
            signature: self.signed(signer, &change.text(user(n), &self.chain_id)),
        }
    }

    /// The wallet of somebody, proven for profile `n`; the row's id is the profile's.
    pub(crate) fn bind(&self, n: u128, who: &str) -> Binding {
        let identity = self.suite.identity(&key(who));
        let (caller, digits) = (identity.caller(), hex::encode(identity.bytes()));
        let (wallet_type, address, public_key) = match identity {
            Identity::Evm(_) => ("EVM", caller, None),
            Identity::Ed25519(key) if who == "star" => {
                ("Stellar", stellar_address(&key), Some(caller))
            }
            Identity::Ed25519(_) => ("FaceSign", caller.clone(), Some(caller)),
            Identity::Near(_) => ("NEAR", format!("{who}.near"), Some(caller)),
            Identity::Xrpl(_) => ("XRPL", caller, Some(digits.to_uppercase())),
        };
        let mut binding = Binding {
            row: wallet(n),
            user: user(n),
            address: address.into(),
            public_key: public_key.map(Into::into),
            wallet_type: wallet_type.into(),
            message: "".into(),
            signature: "".into(),
        };
        let proof = OwnershipProof {
            user: binding.user,
            wallet: &binding.address,
            chain_id: &self.chain_id,
            not_after: BlockTime(PROOF_END),
        };
        binding.message = proof.text().into();
        binding.signature = self.signed(who, &binding.message);
        binding
    }

    /// A credential for profile `n`, content sealed and everything signed by `issuer`.
    pub(crate) fn credential(&self, id: u128, n: u128, issuer: &str, notes: &str) -> Package {
        let with = EphemeralSeal {
            secret: BoxSecret(blake3::derive_key(
                "assay test bench seal",
                &id.to_le_bytes(),
            )),
            nonce: [0xff; 24],
        };
        let to = self.suite.box_public(&BoxSecret([n as u8; 32]));
        let content = self.suite.seal(&to, &with, b"born on a Tuesday");
        let encryptor = BASE64.encode(self.suite.box_public(&with.secret).0);
        self.sign_package(id, n, issuer, notes, &content, &encryptor)
    }

    /// Signs any notes and content, well-formed or not.
    pub(crate) fn sign_package(
        &self,
        id: u128,
        n: u128,
        issuer: &str,
        notes: &str,
        content: &[u8],
        encryptor: &str,
    ) -> Package {
        let id = credential(id);
        let binding = self
            .keeps(Switch::BoundCredentialSignature)
            .then(|| credential_binding(user(n), id, encryptor));
        let signatures = sign_credential(
            &*self.suite,
            &key(issuer),
            notes,
            content,
            binding.as_deref(),
        );
        Package {
            id,
            issuer: self.caller(issuer),
            encryptor: encryptor.into(),
            content: BASE64.encode(content).into(),
            notes: notes.into(),
            notes_signature: signatures.public_notes.into(),
            broader_signature: signatures.broader.into(),
        }
    }

    /// Consent of `signer` to this credential in profile `n`.
    pub(crate) fn credential_consent(
        &self,
        signer: &str,
        n: u128,
        package: &Package,
    ) -> OwnerConsent {
        let change = Consent::InsertCredential {
            credential: package.id,
            issuer: &package.issuer,
        };
        self.consent(signer, n, &change)
    }

    /// Alice's credential 10 of `kyc`, notes id `vc-10`.
    pub(crate) fn original(&self) -> Package {
        self.credential(10, ALICE, "kyc", APPROVED)
    }

    /// A copy of hers under this id, signed by a throw-away key as the SDK does.
    pub(crate) fn copy(&self, id: u128) -> Package {
        self.credential(id, ALICE, "bank", "")
    }

    /// Alice's credential 10 is there.
    pub(crate) fn issued(rules: Rules) -> Bench {
        let bench = Bench::new(rules);
        let action = bench.original().add();
        bench.after("alice", action)
    }

    /// And copy 11 of it is shared to `bank` with this lock.
    pub(crate) fn shared(rules: Rules, lock: i64) -> Bench {
        let bench = Bench::issued(rules);
        let action = bench.copy(11).share(10, &bench.caller("bank"), lock);
        bench.after("alice", action)
    }

    /// A dAG of alice's wallet.
    pub(crate) fn dag(&self, grantee: &str, data: u128, lock: i64) -> Dag {
        let mut dag = Dag {
            owner: self.caller("alice"),
            grantee: grantee.into(),
            data: credential(data),
            lock,
            hash: Some(hash()),
            terms: self.rules.keep(Switch::DagExpires).then_some(DagTerms {
                not_usable_after: PAPER_END,
                expires_at: None,
                uses: None,
            }),
            signature: "".into(),
        };
        dag.signature = self.signed("alice", &dag.text(self.rules, &self.chain_id));
        dag
    }

    /// A dWG of alice's wallet for `kyc`, good for an hour around now, under which it writes 30 and copy 31
    /// for this grantee.
    pub(crate) fn dwg(&self, grantee: &str, lock: i64) -> Dwg {
        let notes = r#"{"id":"vc-30","status":"approved"}"#;
        let dwg = Dwg {
            owner: self.caller("alice"),
            grantee: grantee.into(),
            issuer: self.caller("kyc"),
            id: write_grant(7),
            timelock: instant(lock),
            not_before: instant(self.time - 1_800),
            not_after: instant(self.time + 1_800),
            signature: "".into(),
            original: self.credential(30, ALICE, "kyc", notes),
            copy: self.credential(31, ALICE, "kyc", ""),
        };
        self.signed_dwg(dwg)
    }

    /// The same paper, signed as it is now.
    pub(crate) fn signed_dwg(&self, dwg: Dwg) -> Dwg {
        let signature = self.signed("alice", &dwg.text(self.rules, &self.chain_id));
        Dwg { signature, ..dwg }
    }

    pub(crate) fn grant(&self, who: &str, data: u128, lock: i64) -> GrantId {
        GrantId::derive(&self.caller(who), credential(data), lock)
    }
}

/// Notes with an id, as issuers write them.
pub(crate) const APPROVED: &str = r#"{"id":"vc-10","status":"approved"}"#;
pub(crate) const REVOKED: &str = r#"{"id":"vc-10","status":"revoked"}"#;

/// The content hash of every copy here.
pub(crate) fn hash() -> Text {
    hex::encode(content_hash(b"born on a Tuesday").0).into()
}

/// Arguments of the two actions that bind a wallet.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) row: WalletId,
    pub(crate) user: UserId,
    pub(crate) address: Text,
    pub(crate) public_key: Option<Text>,
    pub(crate) wallet_type: Text,
    pub(crate) message: Text,
    pub(crate) signature: Text,
}

impl Binding {
    pub(crate) fn row(mut self, n: u128) -> Binding {
        self.row = wallet(n);
        self
    }

    pub(crate) fn upsert(&self) -> Action {
        let Binding {
            row,
            user,
            address,
            public_key,
            wallet_type,
            message,
            signature,
        } = self.clone();
        Action::UpsertWalletAsInserter {
            id: row,
            user_id: user,
            address,
            public_key,
            wallet_type,
            message,
            signature,
        }
    }

    pub(crate) fn add(&self) -> Action {
        let Binding {
            row,
            address,
            public_key,
            wallet_type,
            message,
            signature,
            ..
        } = self.clone();
        Action::AddWallet {
            id: row,
            address,
            public_key,
            wallet_type,
            message,
            signature,
        }
    }
}

/// Arguments of the actions that carry a credential.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) id: CredentialId,
    pub(crate) issuer: Text,
    pub(crate) encryptor: Text,
    pub(crate) content: Text,
    pub(crate) notes: Text,
    pub(crate) notes_signature: Text,
    pub(crate) broader_signature: Text,
}

impl Package {
    pub(crate) fn add(&self) -> Action {
        let p = self.clone();
        Action::AddCredential {
            id: p.id,
            issuer_auth_public_key: p.issuer,
            encryptor_public_key: p.encryptor,
            content: Content::new(p.content),
            public_notes: p.notes,
            public_notes_signature: p.notes_signature,
            broader_signature: p.broader_signature,
        }
    }

    pub(crate) fn edit(&self) -> Action {
        let p = self.clone();
        Action::EditCredential {
            id: p.id,
            public_notes: p.notes,
            public_notes_signature: p.notes_signature,
            broader_signature: p.broader_signature,
            content: Content::new(p.content),
            encryptor_public_key: p.encryptor,
            issuer_auth_public_key: p.issuer,
        }
    }

    pub(crate) fn upsert(&self, n: u128, consent: Option<OwnerConsent>) -> Action {
        let p = self.clone();
        Action::UpsertCredentialAsInserter {
            id: p.id,
            user_id: user(n),
            issuer_auth_public_key: p.issuer,
            encryptor_public_key: p.encryptor,
            content: Content::new(p.content),
            public_notes: p.notes,
            public_notes_signature: p.notes_signature,
            broader_signature: p.broader_signature,
            consent,
        }
    }

    /// A copy that waits for a grant.
    pub(crate) fn wait(&self, original: u128) -> Action {
        let p = self.clone();
        Action::CreateCredentialCopy {
            id: p.id,
            original_credential_id: credential(original),
            public_notes: p.notes,
            public_notes_signature: p.notes_signature,
            broader_signature: p.broader_signature,
            content: Content::new(p.content),
            encryptor_public_key: p.encryptor,
            issuer_auth_public_key: p.issuer,
        }
    }

    pub(crate) fn share(&self, original: u128, grantee: &str, lock: i64) -> Action {
        let p = self.clone();
        Action::ShareCredential {
            id: p.id,
            original_credential_id: credential(original),
            public_notes: p.notes,
            public_notes_signature: p.notes_signature,
            broader_signature: p.broader_signature,
            content: Content::new(p.content),
            content_hash: hash(),
            encryptor_public_key: p.encryptor,
            issuer_auth_public_key: p.issuer,
            grantee_wallet_identifier: grantee.into(),
            locked_until: lock,
            terms: None,
        }
    }

    /// The same, saying how far the grant goes.
    pub(crate) fn share_with(
        &self,
        original: u128,
        grantee: &str,
        lock: i64,
        said: ShareTerms,
    ) -> Action {
        let mut action = self.share(original, grantee, lock);
        if let Action::ShareCredential { terms, .. } = &mut action {
            *terms = Some(said);
        }
        action
    }
}

/// A grant that answers no request and goes as far as it can.
pub(crate) fn no_terms() -> ShareTerms {
    ShareTerms {
        request_id: None,
        expires_at: None,
        uses: None,
        fields: None,
    }
}

/// A dWG, and what is written under it.
#[derive(Clone, Debug)]
pub(crate) struct Dwg {
    pub(crate) owner: Text,
    pub(crate) grantee: Text,
    pub(crate) issuer: Text,
    pub(crate) id: WriteGrantId,
    pub(crate) timelock: Text,
    pub(crate) not_before: Text,
    pub(crate) not_after: Text,
    pub(crate) signature: Text,
    pub(crate) original: Package,
    pub(crate) copy: Package,
}

impl Dwg {
    pub(crate) fn text(&self, rules: Rules, chain_id: &str) -> String {
        DelegatedWriteGrant {
            owner: &self.owner,
            grantee: &self.grantee,
            issuer: &self.issuer,
            id: self.id,
            timelock: &self.timelock,
            not_before: &self.not_before,
            not_after: &self.not_after,
        }
        .text(rules, chain_id)
    }

    pub(crate) fn insert(&self) -> Action {
        let Dwg { original, copy, .. } = self.clone();
        let dwg = self.clone();
        Action::CreateCredentialsByDwg {
            issuer_auth_public_key: original.issuer,
            original_encryptor_public_key: original.encryptor,
            original_credential_id: original.id,
            original_content: Content::new(original.content),
            original_public_notes: original.notes,
            original_public_notes_signature: original.notes_signature,
            original_broader_signature: original.broader_signature,
            copy_encryptor_public_key: copy.encryptor,
            copy_credential_id: copy.id,
            copy_content: Content::new(copy.content),
            copy_public_notes_signature: copy.notes_signature,
            copy_broader_signature: copy.broader_signature,
            content_hash: hash(),
            dwg_owner: dwg.owner,
            dwg_grantee: dwg.grantee,
            dwg_issuer_public_key: dwg.issuer,
            dwg_id: dwg.id,
            dwg_access_grant_timelock: dwg.timelock,
            dwg_not_before: dwg.not_before,
            dwg_not_after: dwg.not_after,
            dwg_signature: dwg.signature,
        }
    }
}

/// An instant as dWGs write it.
pub(crate) fn instant(second: i64) -> Text {
    write_date(BlockTime(second)).expect("seconds of tests are in range")
}

/// Arguments of a dAG.
#[derive(Clone, Debug)]
pub(crate) struct Dag {
    pub(crate) owner: Text,
    pub(crate) grantee: Text,
    pub(crate) data: CredentialId,
    pub(crate) lock: i64,
    pub(crate) hash: Option<Text>,
    pub(crate) terms: Option<DagTerms>,
    pub(crate) signature: Text,
}

impl Dag {
    pub(crate) fn text(&self, rules: Rules, chain_id: &str) -> String {
        DelegatedAccessGrant {
            owner: &self.owner,
            grantee: &self.grantee,
            data: self.data,
            locked_until: self.lock,
            content_hash: self.hash.as_deref(),
            terms: self.terms.as_ref(),
        }
        .text(rules, chain_id)
    }

    pub(crate) fn insert(&self) -> Action {
        let dag = self.clone();
        Action::CreateAgByDagForCopy {
            dag_owner_wallet_identifier: dag.owner,
            dag_grantee_wallet_identifier: dag.grantee,
            dag_data_id: dag.data,
            dag_locked_until: dag.lock,
            dag_content_hash: dag.hash,
            dag_signature: dag.signature,
            terms: dag.terms,
        }
    }

    pub(crate) fn cancel(&self) -> Action {
        let dag = self.clone();
        Action::CancelDag {
            dag_owner_wallet_identifier: dag.owner,
            dag_grantee_wallet_identifier: dag.grantee,
            dag_data_id: dag.data,
            dag_locked_until: dag.lock,
            dag_content_hash: dag.hash,
            terms: dag.terms,
        }
    }
}
