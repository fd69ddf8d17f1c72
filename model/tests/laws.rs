//! What holds for every sequence of actions, whoever takes them and under whatever rules.

#[path = "bench/mod.rs"]
mod bench;

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_model::bridge::{Amount, Token};
use assay_model::crypto::{KdfMemo, Real, Suite, Symbolic};
use assay_model::id::{CredentialId, EpochId, GrantId, Text};
use assay_model::ledger::{
    AccessGrant, Action, Batch, Consent, Credential, Excerpt, Indexed, Outcome, OwnerConsent,
    Query, Refusal, State, Wallet, WalletType,
};
use assay_model::rules::{Rules, Switch};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

use bench::*;

/// A fixed seed, so that every run of the tests is the same.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}

/// Texts people do not usually write, and some they do.
fn text() -> impl Strategy<Value = Text> {
    let odd = [
        "",
        " ",
        "\0",
        "0x",
        "0X00",
        "zz",
        "alice",
        "{}",
        "user",
        "mpc",
        "EVM",
        "FaceSign",
        "XRPL",
        "é\u{301}😀",
        "%s'; --",
        APPROVED,
    ];
    prop_oneof![
        6 => select(odd.map(Text::from).to_vec()),
        2 => ".{0,12}".prop_map(Text::from),
        1 => "[0-9a-f]{64}".prop_map(Text::from),
        1 => (1_000usize..20_000).prop_map(|length| "long ".repeat(length / 5).into()),
    ]
}

/// One action as numbers, from which each bench makes its own, well signed or spoilt.
#[derive(Clone, Debug)]
struct Step {
    /// Who acts; the natural person when there is none.
    who: Option<Who>,
    kind: u8,
    /// Profile, credential and another credential.
    n: u128,
    id: u128,
    other: u128,
    /// Picks among issuers, notes, wallets and grantees.
    pick: usize,
    lock: i64,
    /// Seconds before the next step.
    pause: i64,
    /// Which of the texts is replaced by what.
    spoilt: Option<(u8, Text)>,
}

fn step() -> impl Strategy<Value = Step> {
    let who = prop_oneof![6 => Just(None), 1 => select(EVERYBODY.to_vec()).prop_map(Some)];
    let lock = select(vec![0, -1, NOW, NOW + 2, NOW + 9, i64::MAX, i64::MIN]);
    let spoilt = prop_oneof![5 => Just(None), 1 => (any::<u8>(), text()).prop_map(Some)];
    (
        who,
        0..38u8,
        1..5u128,
        10..15u128,
        prop_oneof![Just(10u128), 10..15u128],
        0..12usize,
        lock,
        0..3i64,
        spoilt,
    )
        .prop_map(
            |(who, kind, n, id, other, pick, lock, pause, spoilt)| Step {
                who,
                kind,
                n,
                id,
                other,
                pick,
                lock,
                pause,
                spoilt,
            },
        )
}

fn steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..length)
}

fn rules() -> impl Strategy<Value = Rules> {
    let mixed = vec(any::<bool>(), Switch::ALL.len()).prop_map(|on| {
        let turn = |rules: Rules, (switch, on): (&Switch, bool)| rules.with(*switch, on);
        Switch::ALL.iter().zip(on).fold(Rules::deployed(), turn)
    });
    prop_oneof![
        1 => Just(Rules::documented()),
        1 => Just(Rules::deployed()),
        2 => mixed,
    ]
}

fn owner_name(n: u128) -> Who {
    ["alice", "bob", "mallory", "spare"][n as usize - 1]
}

impl Step {
    /// Who acts and what it does on this bench.
    fn action(&self, bench: &Bench) -> (Who, Action) {
        let natural = match self.kind {
            0..=3 => "root",
            4 | 5 | 7 | 10 | 24 => ["kyc", "rival"][self.pick % 2],
            13 | 25 | 32 | 35 => "kyc",
            33 => "root",
            27..=31 => ["alice", "fund"][self.pick % 2],
            34 | 36 => "fund",
            16 => ["bank", "fund"][self.pick % 2],
            17 | 37 => "nobody",
            _ => owner_name(self.n),
        };
        (self.who.unwrap_or(natural), self.made(bench))
    }

    fn spoil(&self, texts: &mut [&mut Text]) {
        if let Some((which, text)) = &self.spoilt {
            let which = usize::from(*which) % texts.len();
            *texts[which] = text.clone();
        }
    }

    fn word(&self, usual: &str) -> Text {
        let mut word = usual.into();
        self.spoil(&mut [&mut word]);
        word
    }

    fn package(&self, bench: &Bench, copy: bool) -> Package {
        let issuer = ["kyc", "rival", "bank"][self.pick % 3];
        let notes = [APPROVED, REVOKED, "", r#"{"id":"vc-20"}"#][self.pick % 4];
        let notes = if copy { "" } else { notes };
        let mut package = bench.credential(self.id, self.n, issuer, notes);
        let Package {
            issuer,
            encryptor,
            content,
            notes,
            notes_signature,
            broader_signature,
            ..
        } = &mut package;
        self.spoil(&mut [
            issuer,
            encryptor,
            content,
            notes,
            notes_signature,
            broader_signature,
        ]);
        package
    }

    fn binding(&self, bench: &Bench) -> Binding {
        let who = ["face", "spare", "nobody", "fund", "alice", "bank"][self.pick % 6];
        let mut binding = bench.bind(self.n, who).row(self.pick as u128 % 7 + 1);
        let Binding {
            address,
            wallet_type,
            message,
            signature,
            ..
        } = &mut binding;
        self.spoil(&mut [address, wallet_type, message, signature]);
        binding
    }

    fn grantee(&self, bench: &Bench) -> Text {
        let text = bench.caller(["bank", "fund", "bank"][self.pick % 3]);
        if self.pick % 3 == 2 {
            text.to_uppercase().into()
        } else {
            text
        }
    }

    /// One of the grants in the order they were made in, since their ids hang on the suite.
    fn some_grant(&self, bench: &Bench) -> Option<(GrantId, Arc<AccessGrant>)> {
        let grants = bench.state.tables().access_grants.iter();
        let mut grants: Vec<_> = grants.map(|(id, grant)| (*id, grant.clone())).collect();
        grants.sort_by_key(|(_, grant)| grant.height);
        let place = self.pick % grants.len().max(1);
        (place < grants.len()).then(|| grants.swap_remove(place))
    }

    fn token(&self) -> Token {
        Token::ALL[self.pick % 2]
    }

    fn amount(&self) -> Amount {
        let amounts = [1, 7, 400, 100, 40, IDOS + 1, i128::MAX, -3, 0, 2, 3, 4];
        Amount(amounts[self.pick])
    }

    fn consent(&self, signed: OwnerConsent) -> Option<OwnerConsent> {
        let OwnerConsent {
            mut wallet,
            mut signature,
        } = signed;
        self.spoil(&mut [&mut wallet, &mut signature]);
        (self.pick > 0).then_some(OwnerConsent { wallet, signature })
    }

    fn made(&self, bench: &Bench) -> Action {
        let organisation = organisation(self.n);
        let named = credential(self.id);
        match self.kind {
            0 => Action::AddInserterAsOwner {
                id: organisation,
                name: self.word("another"),
            },
            1 => Action::DeleteInserterAsOwner { id: organisation },
            2 => Action::AddDelegateAsOwner {
                address: self.word(&bench.caller(["kyc", "rival", "bank"][self.pick % 3])),
                inserter_id: organisation,
            },
            3 => Action::DeleteDelegateAsOwner {
                address: self.word(&bench.caller("rival")),
            },
            4 => Action::AddUserAsInserter {
                id: user(self.n),
                recipient_encryption_public_key: "key".into(),
                encryption_password_store: self.word("mpc"),
            },
            5 => {
                let change = Consent::UpdateEncryptionKey { key: "new key" };
                let signed = bench.consent(owner_name(self.n), self.n, &change);
                bench.update_key(self.n, self.consent(signed))
            }
            6 => Action::RemoveUser {},
            7 => self.binding(bench).upsert(),
            8 => self.binding(bench).add(),
            9 => Action::RemoveWallet {
                id: wallet(self.pick as u128 + 1),
            },
            10 => {
                let package = self.package(bench, false);
                let signer = owner_name(self.n);
                let signed = bench.credential_consent(signer, self.n, &package);
                package.upsert(self.n, self.consent(signed))
            }
            11 => self.package(bench, false).add(),
            12 => self.package(bench, false).edit(),
            13 => Action::EditPublicNotesAsIssuer {
                public_notes_id: self.word("vc-10"),
                public_notes: [APPROVED, REVOKED][self.pick % 2].into(),
            },
            14 => Action::RemoveCredential { id: named },
            15 | 18 => {
                let copy = self.package(bench, true);
                copy.share(self.other, &self.grantee(bench), self.lock)
            }
            16 => {
                // Something that was shared, when anything was.
                let some = self.some_grant(bench);
                Action::RescindSharedCredential {
                    credential_id: some.map_or(named, |(_, grant)| grant.data),
                }
            }
            17 | 37 => {
                let mut dag = Dag {
                    owner: bench.caller(owner_name(self.n)),
                    ..bench.dag(&self.grantee(bench), self.id, self.lock)
                };
                let text = dag.text(bench.rules, &bench.chain_id);
                dag.signature = bench.signed(owner_name(self.n), &text);
                let Dag {
                    owner,
                    grantee,
                    signature,
                    ..
                } = &mut dag;
                self.spoil(&mut [owner, grantee, signature]);
                dag.insert()
            }
            20 => Action::AddAttribute {
                id: attribute(self.id),
                attribute_key: self.word("city"),
                value: "Zug".into(),
            },
            21 => Action::EditAttribute {
                id: attribute(self.id),
                attribute_key: "city".into(),
                value: self.word("Chur"),
            },
            22 => Action::RemoveAttribute {
                id: attribute(self.id),
            },
            23 => {
                // An own one, when there is any, and mostly one that is no copy itself.
                let rows = bench.state.tables().user_attributes.iter();
                let mut own = rows.filter(|(_, row)| row.user_id == user(self.n));
                Action::ShareAttribute {
                    id: attribute(self.id + 5),
                    original_attribute_id: own.next().map_or(attribute(self.other), |(id, _)| *id),
                    attribute_key: "city".into(),
                    value: self.word("Zug"),
                }
            }
            24 => {
                let (key, value) = (self.word("city"), Text::from("Zug"));
                let change = Consent::InsertAttribute {
                    attribute: attribute(self.id),
                    key: &key,
                    value: &value,
                };
                let signed = bench.consent(owner_name(self.n), self.n, &change);
                Action::AddAttributeAsInserter {
                    id: attribute(self.id),
                    user_id: user(self.n),
                    attribute_key: key.clone(),
                    value: value.clone(),
                    consent: self.consent(signed),
                }
            }
            25 => {
                let lock = self.lock.clamp(-1, NOW + 9);
                let owner = owner_name(self.n);
                let notes = [r#"{"id":"vc-20"}"#, "", "notes"][self.pick % 3];
                let mut dwg = Dwg {
                    owner: bench.caller(owner),
                    id: write_grant(self.pick as u128),
                    original: bench.credential(self.id + 20, self.n, "kyc", notes),
                    copy: bench.credential(self.other + 30, self.n, "kyc", ""),
                    ..bench.dwg(&self.grantee(bench), lock)
                };
                dwg.signature = bench.signed(owner, &dwg.text(bench.rules, &bench.chain_id));
                let Dwg {
                    owner,
                    grantee,
                    issuer,
                    timelock,
                    not_before,
                    not_after,
                    signature,
                    ..
                } = &mut dwg;
                let fields = [
                    owner, grantee, issuer, timelock, not_before, not_after, signature,
                ];
                self.spoil(&mut { fields });
                dwg.insert()
            }
            26 => Action::ActionCostingGas {},
            27 => Action::ActionCostingIdosToken {
                amount: self.amount(),
            },
            28 => Action::Lock {
                token: self.token(),
                amount: self.amount(),
            },
            29 => Action::Bridge {
                token: self.token(),
                amount: self.amount(),
            },
            30 => Action::Transfer {
                token: self.token(),
                to: self.word(&bench.caller(["fund", "alice", "nobody"][self.pick % 3])),
                amount: self.amount(),
            },
            31 => Action::RequestWithdrawal {
                token: self.word(self.token().name()),
            },
            32 | 35 => {
                let rows = bench.state.tables().credentials.iter();
                let of_kyc = |row: &Credential| row.issuer_auth_public_key == bench.caller("kyc");
                let mut issued = rows.filter(|(_, row)| of_kyc(row));
                Action::SetIssuerFee {
                    credential_id: issued.next().map_or(named, |(id, _)| *id),
                    issuer_fee: self.amount(),
                    issuer_wallet: self.word(&bench.caller("spare")),
                }
            }
            33 => Action::RequestBalanceWithdrawal {
                token: self.word(self.token().name()),
                evm_address_to: bench.caller("root"),
            },
            34 | 36 => {
                // What has a price, when anything has, and was granted, when any such was.
                let tables = bench.state.tables();
                let rows = tables.credentials.iter();
                let priced = rows.filter(|(_, row)| row.issuer_fee.is_positive());
                let granted = |id: &CredentialId| {
                    let mut grants = tables.access_grants.values();
                    grants.any(|grant| grant.data == *id)
                };
                let some = priced.map(|(id, _)| *id).max_by_key(granted);
                Action::ActionCostingFee {
                    credential_id: some.unwrap_or(named),
                }
            }
            _ => {
                let some = self.some_grant(bench).map(|(id, _)| id);
                Action::RevokeAccessGrant {
                    id: some.unwrap_or(bench.grant("bank", self.id, self.lock)),
                }
            }
        }
    }
}

/// Every action and every query, filled with the same few texts and numbers.
fn wild(texts: &[Text; 4], n: u128, number: i64) -> (Vec<Action>, Vec<Query>) {
    let [a, b, c, d] = texts.clone();
    let (user, named) = (user(n), credential(n));
    let consent = OwnerConsent {
        wallet: a.clone(),
        signature: b.clone(),
    };
    let package = Package {
        id: named,
        issuer: a.clone(),
        encryptor: b.clone(),
        content: c.clone(),
        notes: d.clone(),
        notes_signature: b.clone(),
        broader_signature: c.clone(),
    };
    let binding = Binding {
        row: wallet(n),
        user,
        address: a.clone(),
        public_key: Some(b.clone()),
        wallet_type: c.clone(),
        message: d.clone(),
        signature: b.clone(),
    };
    let typed = ["EVM", "NEAR", "XRPL", "Stellar", "FaceSign"].map(|kind| Binding {
        wallet_type: kind.into(),
        ..binding.clone()
    });
    let dag = Dag {
        owner: a.clone(),
        grantee: b.clone(),
        data: named,
        lock: number,
        hash: Some(c.clone()),
        signature: d.clone(),
    };
    let dwg = Dwg {
        owner: a.clone(),
        grantee: b.clone(),
        issuer: c.clone(),
        id: write_grant(n),
        timelock: d.clone(),
        not_before: a.clone(),
        not_after: b.clone(),
        signature: c.clone(),
        original: package.clone(),
        copy: package.clone(),
    };
    let mut actions = vec![
        Action::AddInserterAsOwner {
            id: organisation(n),
            name: a.clone(),
        },
        Action::AddDelegateAsOwner {
            address: a.clone(),
            inserter_id: organisation(n),
        },
        Action::DeleteDelegateAsOwner { address: a.clone() },
        Action::DeleteInserterAsOwner {
            id: organisation(n),
        },
        Action::AddUserAsInserter {
            id: user,
            recipient_encryption_public_key: a.clone(),
            encryption_password_store: b.clone(),
        },
        Action::UpdateUserPubKeyAsInserter {
            id: user,
            recipient_encryption_public_key: a.clone(),
            encryption_password_store: "user".into(),
            consent: Some(consent.clone()),
        },
        binding.upsert(),
        binding.add(),
        Action::RemoveWallet { id: wallet(n) },
        package.upsert(n, Some(consent.clone())),
        package.add(),
        package.edit(),
        Action::EditPublicNotesAsIssuer {
            public_notes_id: a.clone(),
            public_notes: b.clone(),
        },
        package.share(n, &a, number),
        package.share(10, &a, number),
        Action::RescindSharedCredential {
            credential_id: named,
        },
        dag.insert(),
        dwg.insert(),
        Action::AddAttribute {
            id: attribute(n),
            attribute_key: a.clone(),
            value: b.clone(),
        },
        Action::AddAttributeAsInserter {
            id: attribute(n + 1),
            user_id: user,
            attribute_key: a.clone(),
            value: b.clone(),
            consent: Some(consent.clone()),
        },
        Action::EditAttribute {
            id: attribute(n),
            attribute_key: b.clone(),
            value: c.clone(),
        },
        Action::ShareAttribute {
            id: attribute(n + 2),
            original_attribute_id: attribute(n),
            attribute_key: c.clone(),
            value: d.clone(),
        },
        Action::RemoveAttribute { id: attribute(n) },
        Action::RevokeAccessGrant {
            id: GrantId(named.0),
        },
        Action::RemoveCredential { id: named },
        Action::RemoveUser {},
        Action::ActionCostingGas {},
        Action::ActionCostingIdosToken {
            amount: Amount(number.into()),
        },
        Action::ActionCostingFee {
            credential_id: named,
        },
        Action::SetIssuerFee {
            credential_id: named,
            issuer_fee: Amount(number.into()),
            issuer_wallet: a.clone(),
        },
        Action::RequestWithdrawal { token: a.clone() },
        Action::RequestBalanceWithdrawal {
            token: "IDOS".into(),
            evm_address_to: a.clone(),
        },
        Action::Transfer {
            token: Token::Idos,
            to: a.clone(),
            amount: Amount(number.into()),
        },
        Action::Lock {
            token: Token::Usdc,
            amount: Amount(number.into()),
        },
        Action::Bridge {
            token: Token::Idos,
            amount: Amount(number.into()),
        },
    ];
    actions.extend(typed.iter().flat_map(|typed| [typed.add(), typed.upsert()]));
    let queries = vec![
        Query::GetUser {},
        Query::GetUserAsInserter { id: user },
        Query::GetWallets {},
        Query::GetCredentials {},
        Query::GetCredentialOwned { id: named },
        Query::GetCredentialShared { id: named },
        Query::GetCredentialsSharedByUser {
            user_id: user,
            original_issuer_auth_public_key: Some(a.clone()),
        },
        Query::GetSiblingCredentialId {
            content_hash: a.clone(),
        },
        Query::CredentialExistAsInserter { id: named },
        Query::GetAccessGrantsOwned {},
        Query::GetAccessGrantsGranted {
            user_id: Some(user),
            page: Some(number),
            size: Some(number),
        },
        Query::GetAccessGrantsGranted {
            user_id: None,
            page: None,
            size: Some(number),
        },
        Query::GetAccessGrantsGrantedCount { user_id: None },
        Query::GetAccessGrantsForCredential {
            credential_id: named,
        },
        Query::HasLockedAccessGrants { id: named },
        Query::GetAttributes {},
        Query::DwgMessage {
            owner_wallet_identifier: a.clone(),
            grantee_wallet_identifier: b.clone(),
            issuer_public_key: c.clone(),
            id: write_grant(n),
            access_grant_timelock: d.clone(),
            not_usable_before: a.clone(),
            not_usable_after: b.clone(),
        },
        Query::DagMessage {
            dag_owner_wallet_identifier: a.clone(),
            dag_grantee_wallet_identifier: b,
            dag_data_id: named,
            dag_locked_until: number,
            dag_content_hash: Some(c),
        },
        Query::CheckBalance {
            address: a.clone(),
            token: "IDOS".into(),
        },
        Query::CheckBalance {
            address: a.clone(),
            token: a.clone(),
        },
        Query::GetWalletWithBalance { token: a.clone() },
        Query::GetAllowance {},
        Query::GetIssuerFee {
            credential_id: named,
        },
        Query::Balance {
            token: Token::Usdc,
            user: a.clone(),
        },
        Query::Info { token: Token::Idos },
        Query::ListEpochs {
            token: Token::Idos,
            after: number,
            limit: number,
        },
        Query::GetEpochRewards {
            token: Token::Usdc,
            epoch_id: EpochId(named.0),
        },
        Query::ListWalletRewards {
            token: Token::Idos,
            wallet: a.clone(),
            with_pending: true,
        },
        Query::HasProfile { address: a },
    ];
    (actions, queries)
}

/// What a sequence comes to: the outcomes, and the change set of each block.
fn told(bench: &mut Bench, steps: &[Step]) -> (Vec<Outcome>, Vec<[u8; 32]>) {
    let mut outcomes = Vec::new();
    let mut changes = Vec::new();
    for step in steps {
        let (who, action) = step.action(bench);
        outcomes.push(bench.run(who, action));
        changes.push(bench.state.seal());
        bench.time += step.pause;
    }
    (outcomes, changes)
}

/// The rows of a state put into an empty one.
fn rebuilt(state: &State) -> State {
    fn copy<R: Indexed + Clone>(rows: &BTreeMap<R::Key, Arc<R>>, into: &mut State) {
        for (key, row) in rows {
            into.put::<R>(key.clone(), (**row).clone());
        }
    }
    let (tables, mut into) = (state.tables(), State::default());
    copy(&tables.users, &mut into);
    copy(&tables.reserved_users, &mut into);
    copy(&tables.wallets, &mut into);
    copy(&tables.credentials, &mut into);
    copy(&tables.copy_links, &mut into);
    copy(&tables.retained_notes, &mut into);
    copy(&tables.status_statements, &mut into);
    copy(&tables.inserters, &mut into);
    copy(&tables.delegates, &mut into);
    copy(&tables.access_grants, &mut into);
    copy(&tables.user_attributes, &mut into);
    copy(&tables.attribute_links, &mut into);
    copy(&tables.consumed_write_grants, &mut into);
    copy(&tables.consumed_papers, &mut into);
    copy(&tables.user_balances, &mut into);
    copy(&tables.network_balances, &mut into);
    copy(&tables.epochs, &mut into);
    copy(&tables.epoch_rewards, &mut into);
    copy(&tables.bridged_events, &mut into);
    copy(&tables.fee_payments, &mut into);
    into
}

/// Rows that point somewhere point at something, nobody shares a wallet, and tokens neither come from nowhere
/// nor go there.
fn assert_sound(state: &State) {
    let tables = state.tables();
    assert_eq!(in_all(state, Token::Idos), IDOS);
    assert_eq!(in_all(state, Token::Usdc), USDC);
    let balances = tables.user_balances.values().map(|balance| balance.0);
    let network = tables.network_balances.values().map(|balance| balance.0);
    let allowances = tables.users.values().map(|user| user.gas_allowance);
    for amount in balances.chain(network).chain(allowances) {
        assert!(amount >= Amount::ZERO, "{amount}");
    }
    for reward in tables.epoch_rewards.values() {
        assert!(reward.0.is_positive());
    }
    for (credential, _) in tables.fee_payments.keys() {
        assert!(tables.credentials.contains_key(credential), "{credential}");
    }
    for wallet in tables.wallets.values() {
        assert!(tables.users.contains_key(&wallet.user_id), "{wallet:?}");
    }
    for credential in tables.credentials.values() {
        assert!(tables.users.contains_key(&credential.user_id));
    }
    for link in tables.copy_links.keys() {
        assert!(tables.credentials.contains_key(&link.0), "{link:?}");
        assert!(tables.credentials.contains_key(&link.1), "{link:?}");
    }
    for id in tables.retained_notes.keys() {
        assert!(tables.credentials.contains_key(id), "{id}");
    }
    for (id, grant) in &tables.access_grants {
        assert!(tables.credentials.contains_key(&grant.data), "{grant:?}");
        let derived = GrantId::derive(&grant.grantee, grant.data, grant.locked_until);
        assert_eq!(*id, derived);
    }
    for attribute in tables.user_attributes.values() {
        assert!(tables.users.contains_key(&attribute.user_id));
    }
    for link in tables.attribute_links.keys() {
        assert!(tables.user_attributes.contains_key(&link.0), "{link:?}");
        assert!(tables.user_attributes.contains_key(&link.1), "{link:?}");
    }
    for consumed in tables.consumed_write_grants.values() {
        let mut named = [consumed.original, consumed.copy].into_iter().flatten();
        assert!(named.all(|id| tables.credentials.contains_key(&id)));
    }
    for (address, delegate) in &tables.delegates {
        assert!(tables.inserters.contains_key(&delegate.0), "{address}");
        assert_eq!(**address, address.to_lowercase());
    }
    for user in tables.reserved_users.keys() {
        assert!(!tables.users.contains_key(user), "{user}");
    }
    let evm = |wallet: &&_| {
        matches!(
            wallet,
            Wallet {
                wallet_type: WalletType::EVM,
                ..
            }
        )
    };
    let wallets = || tables.wallets.values().map(|wallet| &**wallet);
    let mut addresses: Vec<_> = wallets()
        .filter(evm)
        .map(|wallet| wallet.address.to_lowercase())
        .collect();
    let mut keys: Vec<_> = wallets()
        .filter(|wallet| !evm(wallet))
        .map(|wallet| wallet.public_key.clone())
        .collect();
    let counts = (addresses.len(), keys.len());
    addresses.sort();
    addresses.dedup();
    keys.sort();
    keys.dedup();
    assert_eq!(
        (addresses.len(), keys.len()),
        counts,
        "a wallet is there twice"
    );
}

/// Locked grants with the copies they protect.
fn locked(bench: &Bench) -> BTreeMap<GrantId, (Arc<AccessGrant>, Option<Arc<Credential>>)> {
    let tables = bench.state.tables();
    let locked = |grant: &AccessGrant| grant.locked_until >= bench.time;
    tables
        .access_grants
        .iter()
        .filter(|(_, grant)| locked(grant))
        .map(|(id, grant)| {
            (
                *id,
                (grant.clone(), tables.credentials.get(&grant.data).cloned()),
            )
        })
        .collect()
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_refusal_changes_no_row_and_the_rest_stays_sound(
        rules in rules(),
        steps in steps(40),
    ) {
        let mut bench = Bench::shared(rules, NOW + 2);
        for step in &steps {
            let (who, action) = step.action(&bench);
            let (digest, nonce) = (bench.state.digest(), bench.nonce(who));
            let outcome = bench.run(who, action);
            if outcome != Outcome::Accepted {
                prop_assert_eq!(bench.state.digest(), digest, "{:?}", outcome);
            }
            let used = u64::from(outcome != Outcome::Invalid);
            prop_assert_eq!(bench.nonce(who), nonce + used, "{:?}", outcome);
            assert_sound(&bench.state);
            bench.time += step.pause;
        }
        prop_assert_eq!(rebuilt(&bench.state).digest(), bench.state.digest());
    }

    #[test]
    fn the_same_blocks_give_the_same_state(rules in rules(), steps in steps(30)) {
        let start = Bench::shared(rules, NOW + 2);
        let (mut one, mut other) = (start.clone(), start);
        let told_once = told(&mut one, &steps);
        prop_assert_eq!(told_once, told(&mut other, &steps));
        prop_assert_eq!(one.state.digest(), other.state.digest());
    }

    #[test]
    fn taking_back_and_doing_again_is_the_identity(
        rules in rules(),
        before in steps(10),
        steps in steps(20),
        after in step(),
    ) {
        let mut bench = Bench::shared(rules, NOW + 2);
        let run = |bench: &mut Bench, steps: &[Step]| {
            for step in steps {
                let (who, action) = step.action(bench);
                bench.run(who, action);
            }
            (bench.state.digest(), bench.state.change_set())
        };
        let middle = run(&mut bench, &before);
        let savepoint = bench.state.savepoint();
        let end = run(&mut bench, &steps);
        let straight = run(&mut bench.clone(), std::slice::from_ref(&after));
        let mut state = std::mem::take(&mut bench.state);
        let nested = state.savepoint();
        let redo = state.rollback(savepoint.clone());
        prop_assert_eq!((state.digest(), state.change_set()), middle);
        state.redo(redo);
        prop_assert_eq!((state.digest(), state.change_set()), end);
        let nothing = state.rollback(nested);
        state.redo(nothing);
        bench.state = state;
        prop_assert_eq!(run(&mut bench, &[after]), straight);
        bench.state.rollback(savepoint);
        prop_assert_eq!((bench.state.digest(), bench.state.change_set()), middle);
    }

    /// Until a lock has run out nobody but the grantee can end the grant or change the copy.
    #[test]
    fn under_the_documented_rules_locked_grants_stay(steps in steps(60)) {
        let mut bench = Bench::shared(Rules::documented(), NOW + 30);
        for step in &steps {
            let before = locked(&bench);
            let (who, action) = step.action(&bench);
            let caller = bench.caller(who);
            let rescinds = matches!(action, Action::RescindSharedCredential { .. });
            bench.run(who, action.clone());
            let after = locked(&bench);
            for (id, (grant, copy)) in before {
                if rescinds && *grant.grantee == *caller {
                    continue;
                }
                prop_assert_eq!(after.get(&id), Some(&(grant, copy)), "{:?}", action);
            }
            bench.time += step.pause;
        }
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn any_text_in_any_argument_gets_an_answer(
        rules in rules(),
        texts in [text(), text(), text(), text()],
        known in any::<bool>(),
        number in prop_oneof![any::<i64>(), -2..3i64],
        callers in vec(text(), 1..3),
    ) {
        let n = if known { 11 } else { 99 };
        let mut bench = Bench::shared(rules, NOW + 2);
        let (actions, queries) = wild(&texts, n, number);
        for who in ["root", "kyc", "alice", "nobody"] {
            for action in &actions {
                let digest = bench.state.digest();
                let transaction = bench.transaction(who, Batch::one(action.clone()));
                prop_assert!(transaction.verify(&*bench.suite));
                if bench.execute(&transaction) != Outcome::Accepted {
                    prop_assert_eq!(bench.state.digest(), digest);
                }
                assert_sound(&bench.state);
            }
        }
        for time in [bench.time, -1, i64::MIN, i64::MAX] {
            bench.time = time;
            let names = ["alice", "kyc", "bank"].map(|who| bench.caller(who));
            for caller in callers.iter().chain(&names) {
                for query in &queries {
                    let digest = bench.state.digest();
                    let _ = bench.ask_as(caller, query.clone());
                    prop_assert_eq!(bench.state.digest(), digest);
                }
            }
        }
    }

    #[test]
    fn batches_are_atomic(rules in rules(), ids in vec(10..14u128, 1..5), lock in 0..2i64) {
        let mut bench = Bench::issued(rules);
        let bank = bench.caller("bank");
        let calls: Vec<_> = ids.iter().map(|id| bench.copy(*id).share(10, &bank, lock)).collect();
        let before = bench.state.digest();
        let mut one_by_one = bench.clone();
        let each = |action: &Action| one_by_one.run("alice", action.clone());
        let all = calls.iter().map(each).all(|outcome| outcome == Outcome::Accepted);
        let outcome = bench.run_batch("alice", Batch::several(calls).unwrap());
        prop_assert_eq!(outcome == Outcome::Accepted, all);
        if all {
            let ids = |bench: &Bench| -> Vec<CredentialId> {
                bench.state.tables().credentials.keys().copied().collect()
            };
            prop_assert_eq!(ids(&bench), ids(&one_by_one));
        } else {
            prop_assert_eq!(bench.state.digest(), before);
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn both_suites_tell_the_same_story(rules in rules(), steps in steps(25)) {
        let suites: [Arc<dyn Suite>; 2] = [
            Arc::new(Symbolic),
            Arc::new(Real::new(Arc::new(KdfMemo::new()))),
        ];
        let [symbolic, real] = suites.map(|suite| {
            let mut bench = Bench::with_suite(suite, rules);
            bench.must("alice", bench.original().add());
            let (outcomes, _) = told(&mut bench, &steps);
            // What somebody's key looks like hangs on the suite.
            let unnamed = |outcome| match outcome {
                Outcome::Refused(Refusal::AddressInvalid(_)) => {
                    Outcome::Refused(Refusal::AddressInvalid(Excerpt::of("")))
                }
                other => other,
            };
            let outcomes: Vec<_> = outcomes.into_iter().map(unnamed).collect();
            let tables = bench.state.tables();
            let counts = [
                tables.users.len(),
                tables.wallets.len(),
                tables.credentials.len(),
                tables.access_grants.len(),
                tables.consumed_papers.len(),
            ];
            (outcomes, counts)
        });
        prop_assert_eq!(symbolic, real);
    }
}

/// The draws above reach what they talk about: each action is accepted somewhere, and refused.
#[test]
fn the_laws_are_tried_on_accepted_and_refused_actions_of_every_kind() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::new(cases(1));
    let mut seen: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for _ in 0..600 {
        let tree = (rules(), steps(40)).new_tree(&mut runner).unwrap();
        let (rules, steps) = tree.current();
        let mut bench = Bench::shared(rules, NOW + 2);
        for step in &steps {
            let (who, action) = step.action(&bench);
            let name = action.name();
            let outcome = bench.run(who, action);
            seen.entry(name).or_default()[usize::from(outcome != Outcome::Accepted)] += 1;
            bench.time += step.pause;
        }
    }
    assert_eq!(seen.len(), 34, "{seen:?}");
    for (name, counts) in &seen {
        assert!(counts.iter().all(|count| *count > 9), "{name}: {seen:?}");
    }
}
