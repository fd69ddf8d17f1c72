//! What holds for every sequence of actions, whoever takes them and under whatever rules.

#[path = "bench/mod.rs"]
mod bench;

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_laws::{cases, laws};
use assay_model::bridge::{Amount, Token};
use assay_model::crypto::{KdfMemo, Real, Suite, Symbolic};
use assay_model::id::{AccessRequestId, CredentialId, EpochId, GrantId, Text, UserId};
use assay_model::ledger::{
    AccessGrant, AccessRequest, Action, Batch, Consent, Credential, DagTerms, Excerpt, Indexed,
    Outcome, OwnerConsent, Query, Refusal, RequestState, ShareTerms, State, Wallet, WalletType,
};
use assay_model::rules::{Rules, Switch};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use bench::*;

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
    let lock = select(vec![
        0,
        0,
        NOW,
        NOW + 2,
        NOW + 9,
        NOW + 9,
        -1,
        i64::MAX,
        i64::MIN,
    ]);
    let spoilt = prop_oneof![5 => Just(None), 1 => (any::<u8>(), text()).prop_map(Some)];
    (
        who,
        0..54u8,
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

/// Which of the profiles it is; the first for any other.
fn number_of(id: UserId) -> u128 {
    (1..5).find(|n| user(*n) == id).unwrap_or(1)
}

/// Who of those that read has this name.
fn reader(bench: &Bench, name: Option<&str>) -> Who {
    let is = |who: &&Who| name.is_some_and(|name| name.eq_ignore_ascii_case(&bench.caller(who)));
    ["bank", "fund"].iter().find(is).copied().unwrap_or("bank")
}

impl Step {
    /// Who acts and what it does on this bench.
    fn action(&self, bench: &Bench) -> (Who, Action) {
        let natural = match self.kind {
            0..=3 | 36..=41 => "root",
            4 | 5 | 7 | 10 | 24 => ["kyc", "rival"][self.pick % 2],
            13 | 25 | 48 | 51 => "kyc",
            49 => "root",
            43..=47 => ["alice", "fund"][self.pick % 2],
            50 | 52 => "fund",
            16 | 26 => ["bank", "fund"][self.pick % 2],
            17 | 53 => "nobody",
            27 => {
                let asked = bench
                    .state
                    .tables()
                    .access_requests
                    .get(&self.some_request(bench));
                reader(bench, asked.map(|request| &*request.consumer))
            }
            28 => {
                let asked = bench
                    .state
                    .tables()
                    .access_requests
                    .get(&self.some_request(bench));
                owner_name(asked.map_or(self.n, |request| number_of(request.owner)))
            }
            29 => reader(
                bench,
                self.some_grant(bench).map(|(_, grant)| &*grant.grantee),
            ),
            30 => {
                let some = self.some_grant(bench);
                owner_name(some.map_or(self.n, |(_, grant)| number_of(grant.owner)))
            }
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

    /// One of those that are there, when any is; in an order that does not hang on the suite, as ids do.
    fn some_grant<'b>(&self, bench: &'b Bench) -> Option<(GrantId, &'b AccessGrant)> {
        let grants = bench.state.tables().access_grants.iter();
        let mut grants: Vec<_> = grants.map(|(id, grant)| (*id, &**grant)).collect();
        grants.sort_by_key(|(_, grant)| (grant.data, grant.height, grant.locked_until));
        grants.get(self.pick % grants.len().max(1)).copied()
    }

    /// One that somebody made, when anybody did.
    fn some_request(&self, bench: &Bench) -> AccessRequestId {
        let requests = bench.state.tables().access_requests.iter();
        let open = |request: &AccessRequest| request.state == RequestState::Submitted;
        let mut open = requests.filter(|(_, request)| self.pick.is_multiple_of(4) || open(request));
        let some = open.next().map(|(id, _)| *id);
        some.unwrap_or(request(self.id))
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
            15 => {
                let copy = self.package(bench, true);
                copy.share(self.other, &self.grantee(bench), self.lock)
            }
            18 => {
                let said = ShareTerms {
                    request_id: (self.pick.is_multiple_of(2)).then(|| self.some_request(bench)),
                    expires_at: (self.pick > 7).then_some(self.lock),
                    uses: (self.pick > 3).then_some(self.n as i64 - 1),
                    fields: (self.pick > 9).then(|| self.word("name")),
                };
                let copy = self.package(bench, true);
                copy.share_with(self.other, &self.grantee(bench), self.lock, said)
            }
            16 => {
                // Something that was shared, when anything was.
                let some = picked(bench, self.pick);
                Action::RescindSharedCredential {
                    credential_id: some.map_or(named, |(_, data)| data),
                }
            }
            17 | 53 => {
                // For something that is shared already, mostly.
                let some = self
                    .some_grant(bench)
                    .filter(|_| !self.pick.is_multiple_of(4));
                let owner = owner_name(some.map_or(self.n, |(_, grant)| number_of(grant.owner)));
                let id = some.map_or(self.id, |(_, grant)| grant.data.0.as_u128());
                let mut dag = Dag {
                    owner: bench.caller(owner),
                    ..bench.dag(&self.grantee(bench), id, self.lock)
                };
                let text = dag.text(bench.rules, &bench.chain_id);
                dag.signature = bench.signed(owner, &text);
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
            26 => Action::RequestAccess {
                id: request(self.id * 4 + self.n),
                user_id: user(self.n.min(3)),
                credential_id: (self.pick.is_multiple_of(2)).then_some(credential(self.other)),
                kind: Some(self.word("KYC")),
                fields: None,
                purpose: self.word("an account"),
                locked_until: self.lock.clamp(0, NOW + 9),
                stands_until: bench.time + self.pause * 30 + 5 - self.n as i64 * 2,
                expires_at: (self.pick > 10).then_some(self.lock),
                uses: (self.pick > 9).then_some(self.n as i64 - 1),
            },
            27 => Action::WithdrawAccessRequest {
                id: self.some_request(bench),
            },
            28 => Action::DenyAccessRequest {
                id: self.some_request(bench),
            },
            29 => {
                let some = self.some_grant(bench).map(|(id, _)| id);
                Action::UseAccessGrant {
                    id: some.unwrap_or(bench.grant("bank", self.id, self.lock)),
                }
            }
            30 => Action::RevokeGranteeAccess {
                data_id: credential(self.other),
                grantee_wallet_identifier: self.word(&self.grantee(bench)),
            },
            31 => Dag {
                owner: self.word(&bench.caller(owner_name(self.n))),
                ..bench.dag(&self.grantee(bench), self.id, self.lock)
            }
            .cancel(),
            32 => Action::CancelDwg {
                dwg_id: write_grant(self.pick as u128),
            },
            33 => Action::RemoveCredentialWhenUnlocked { id: named },
            34 | 35 => bench.copy(self.id).wait(self.other),
            36..=39 => {
                // Those that are there, mostly: a membership needs both its ends.
                let tables = bench.state.tables();
                let (clubs, peers) = (&tables.passporting_clubs, &tables.passporting_peers);
                let id = club(self.n % 2);
                let known = clubs.keys().next().map_or(id, |club| *club);
                let named = peers.keys().next_back().map_or(peer(0), |peer| *peer);
                match self.pick {
                    0..3 => Action::AddPassportingClubAsOwner {
                        id,
                        name: self.word("club"),
                    },
                    3 => Action::DeletePassportingClubAsOwner { id: known },
                    4 => Action::UpdatePassportingClubAsOwner {
                        id: known,
                        name: self.word("another club"),
                    },
                    5..9 => Action::AddPassportingPeerToClubAsOwner {
                        passporting_club_id: known,
                        passporting_peer_id: named,
                    },
                    _ => {
                        let member = tables.club_memberships.keys().next();
                        let (club, peer) = member.map_or((known, named), |member| *member);
                        Action::DeletePassportingPeerFromClubAsOwner {
                            passporting_club_id: club,
                            passporting_peer_id: peer,
                        }
                    }
                }
            }
            40 | 41 => {
                let id = peer(self.n % 2);
                let key = bench.caller(["kyc", "bank", "fund"][self.n as usize % 3]);
                let (name, url) = (Text::from("peer"), Text::from("https://peer.example"));
                match self.pick % 4 {
                    0 => Action::DeletePassportingPeerAsOwner { id },
                    1 => Action::UpdatePassportingPeerAsOwner {
                        id,
                        name,
                        issuer_public_key: key,
                        server_url_base: url,
                    },
                    _ => Action::AddPassportingPeerAsOwner {
                        id,
                        name,
                        issuer_public_key: key,
                        server_url_base: url,
                    },
                }
            }
            42 => Action::ActionCostingGas {},
            43 => Action::ActionCostingIdosToken {
                amount: self.amount(),
            },
            44 => Action::Lock {
                token: self.token(),
                amount: self.amount(),
            },
            45 => Action::Bridge {
                token: self.token(),
                amount: self.amount(),
            },
            46 => Action::Transfer {
                token: self.token(),
                to: self.word(&bench.caller(["fund", "alice", "nobody"][self.pick % 3])),
                amount: self.amount(),
            },
            47 => Action::RequestWithdrawal {
                token: self.word(self.token().name()),
            },
            48 | 51 => {
                let rows = bench.state.tables().credentials.iter();
                let of_kyc = |row: &Credential| row.issuer_auth_public_key == bench.caller("kyc");
                let mut issued = rows.filter(|(_, row)| of_kyc(row));
                Action::SetIssuerFee {
                    credential_id: issued.next().map_or(named, |(id, _)| *id),
                    issuer_fee: self.amount(),
                    issuer_wallet: self.word(&bench.caller("spare")),
                }
            }
            49 => Action::RequestBalanceWithdrawal {
                token: self.word(self.token().name()),
                evm_address_to: bench.caller("root"),
            },
            50 | 52 => {
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
                let some = picked(bench, self.pick);
                let usual = bench.grant("bank", self.id, self.lock);
                Action::RevokeAccessGrant {
                    id: some.map_or(usual, |(id, _)| id),
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
        terms: Some(DagTerms {
            not_usable_after: number,
            expires_at: Some(number),
            uses: Some(number),
        }),
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
        Action::RequestAccess {
            id: request(n),
            user_id: user,
            credential_id: None,
            kind: Some(a.clone()),
            fields: Some(b.clone()),
            purpose: c.clone(),
            locked_until: number,
            stands_until: number,
            expires_at: Some(number),
            uses: Some(number),
        },
        package.share_with(
            10,
            &a,
            number,
            ShareTerms {
                request_id: Some(request(n)),
                expires_at: Some(number),
                uses: Some(number),
                fields: Some(b.clone()),
            },
        ),
        Action::DenyAccessRequest { id: request(n) },
        Action::WithdrawAccessRequest { id: request(n) },
        dag.cancel(),
        Action::CancelDwg {
            dwg_id: write_grant(n),
        },
        Action::RevokeGranteeAccess {
            data_id: named,
            grantee_wallet_identifier: a.clone(),
        },
        Action::UseAccessGrant {
            id: GrantId(named.0),
        },
        Action::RemoveCredentialWhenUnlocked { id: named },
        Action::RevokeAccessGrant {
            id: GrantId(named.0),
        },
        package.wait(n),
        Action::AddPassportingClubAsOwner {
            id: club(n),
            name: a.clone(),
        },
        Action::UpdatePassportingClubAsOwner {
            id: club(n),
            name: b.clone(),
        },
        Action::AddPassportingPeerAsOwner {
            id: peer(n),
            name: a.clone(),
            issuer_public_key: b.clone(),
            server_url_base: c.clone(),
        },
        Action::UpdatePassportingPeerAsOwner {
            id: peer(n),
            name: b.clone(),
            issuer_public_key: c.clone(),
            server_url_base: d.clone(),
        },
        Action::AddPassportingPeerToClubAsOwner {
            passporting_club_id: club(n),
            passporting_peer_id: peer(n),
        },
        Action::DeletePassportingPeerFromClubAsOwner {
            passporting_club_id: club(n),
            passporting_peer_id: peer(n),
        },
        Action::DeletePassportingPeerAsOwner { id: peer(n) },
        Action::DeletePassportingClubAsOwner { id: club(n) },
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
        Query::GetLockedRemainders {},
        Query::GetAccessGrantTerms {
            id: GrantId(named.0),
        },
        Query::GetAuditRecords {
            page: Some(number),
            size: Some(number),
        },
        Query::GetAccessRequestsMade {
            page: Some(number),
            size: None,
        },
        Query::GetAccessRequestsReceived {
            page: None,
            size: Some(number),
        },
        Query::GetPassportingPeers {},
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
            terms: dag.terms.clone(),
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
    copy(&tables.cancelled_papers, &mut into);
    copy(&tables.access_requests, &mut into);
    copy(&tables.ended_grants, &mut into);
    copy(&tables.due_removals, &mut into);
    copy(&tables.audit_records, &mut into);
    copy(&tables.passporting_clubs, &mut into);
    copy(&tables.passporting_peers, &mut into);
    copy(&tables.club_memberships, &mut into);
    copy(&tables.validators, &mut into);
    copy(&tables.resolutions, &mut into);
    copy(&tables.approvals, &mut into);
    copy(&tables.processed, &mut into);
    copy(&tables.parameters, &mut into);
    copy(&tables.governance_log, &mut into);
    copy(&tables.replaced_actions, &mut into);
    copy(&tables.ownership, &mut into);
    into
}

/// One of the grants, by what it is about: their ids hang on the callers, which differ between suites.
fn picked(bench: &Bench, pick: usize) -> Option<(GrantId, CredentialId)> {
    let rows = bench.state.tables().access_grants.iter();
    let mut grants: Vec<_> = rows
        .map(|(id, row)| (row.data, row.height, row.locked_until, *id))
        .collect();
    grants.sort();
    let (data, _, _, id) = grants.get(pick % grants.len().max(1))?;
    Some((*id, *data))
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
    for (club, peer) in tables.club_memberships.keys() {
        assert!(tables.passporting_clubs.contains_key(club), "{club}");
        assert!(tables.passporting_peers.contains_key(peer), "{peer}");
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
    for request in tables.access_requests.values() {
        assert!(tables.users.contains_key(&request.owner));
    }
    for ended in tables.ended_grants.values() {
        assert!(tables.users.contains_key(&ended.0));
    }
    for due in tables.due_removals.keys() {
        assert!(tables.credentials.contains_key(due), "{due}");
    }
    for record in tables.audit_records.values() {
        let named = record.about.as_ref();
        assert!(named.is_none_or(|about| tables.users.contains_key(&about.owner)));
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

laws! {
    400;

    fn a_refusal_changes_no_row_and_the_rest_stays_sound(
        rules in rules(),
        steps in steps(40),
    ) {
        let mut bench = Bench::shared(rules, NOW + 2);
        for step in &steps {
            let (who, action) = step.action(&bench);
            bench.pass_time();
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

    fn the_same_blocks_give_the_same_state(rules in rules(), steps in steps(30)) {
        let start = Bench::shared(rules, NOW + 2);
        let (mut one, mut other) = (start.clone(), start);
        let told_once = told(&mut one, &steps);
        prop_assert_eq!(told_once, told(&mut other, &steps));
        prop_assert_eq!(one.state.digest(), other.state.digest());
    }

    /// A node that only has the blocks comes to the state of one that was there, wherever it begins.
    fn a_state_is_the_replay_of_its_blocks(
        rules in rules(),
        steps in steps(30),
        from in any::<prop::sample::Index>(),
    ) {
        let mut bench = Bench::shared(rules, NOW + 2);
        let mut snapshots = vec![bench.clone()];
        let mut blocks = Vec::new();
        for step in &steps {
            let (who, action) = step.action(&bench);
            let transaction = bench.transaction(who, Batch::one(action));
            let outcome = bench.execute(&transaction);
            blocks.push((bench.time - snapshots[0].time, transaction, outcome));
            bench.time += step.pause;
            snapshots.push(bench.clone());
        }
        let from = from.index(snapshots.len());
        let start = snapshots[0].time;
        let mut replayed = snapshots.swap_remove(from);
        for (time, transaction, outcome) in &blocks[from..] {
            replayed.time = start + time;
            prop_assert_eq!(replayed.execute(transaction), *outcome);
        }
        prop_assert_eq!(replayed.state.digest(), bench.state.digest());
        prop_assert_eq!(replayed.height, bench.height);
    }

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
    fn under_the_documented_rules_locked_grants_stay(steps in steps(60)) {
        let mut bench = Bench::shared(Rules::documented(), NOW + 30);
        for step in &steps {
            bench.pass_time();
            let before = locked(&bench);
            let (who, action) = step.action(&bench);
            let caller = bench.caller(who);
            let rescinds = matches!(action, Action::RescindSharedCredential { .. });
            let uses = matches!(action, Action::UseAccessGrant { .. });
            bench.run(who, action.clone());
            let after = locked(&bench);
            for (id, (grant, copy)) in before {
                if (rescinds || uses) && *grant.grantee == *caller {
                    continue;
                }
                prop_assert_eq!(after.get(&id), Some(&(grant, copy)), "{:?}", action);
            }
            bench.time += step.pause;
        }
    }
}

laws! {
    150;

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
                bench.pass_time();
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

laws! {
    24;

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
                tables.access_requests.len(),
                tables.audit_records.len(),
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
    for _ in 0..2000 {
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
    assert_eq!(seen.len(), 51, "{seen:?}");
    for (name, counts) in &seen {
        assert!(counts.iter().all(|count| *count > 9), "{name}: {seen:?}");
    }
}
