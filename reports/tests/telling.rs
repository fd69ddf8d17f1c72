//! Every kind of event, told.

mod common;

use std::sync::Arc;

use assay_model::bridge::{Amount, Token};
use assay_model::crypto::{Identity, Symbolic};
use assay_model::history::{Asked, Contradiction, Doubt, Ending, Event, History, Level, Place};
use assay_model::id::{
    AppHash, BlockId, ContentHash, Height, InserterId, NodeId, TablesDigest, UserId, WalletId,
};
use assay_model::ledger::{
    Action, Answer, Content, Engine, Invalid, Outcome, Query, Refusal, Transaction, Unsigned,
};
use assay_model::node::{
    Block, ClaimProblem, Committed, Halt, Rejected, Reply, RequestId, TxResult, TxStatus,
};
use assay_model::time::{BlockTime, Millis, WallMillis};
use assay_model::wire::EnginePayload;
use assay_reports::{Called, Narrator, describe, state};
use uuid::Uuid;

use common::{
    ALICE, BANK, COPY, EPOCH, EPOCH_SECOND, KYC, N1, N3, ORIGINAL, OWNER, cast, credential, grant,
    history, identity, key, plan, share_action, transaction, user,
};

fn told(events: Vec<Event>) -> String {
    let mut history = History::new(cast());
    for event in events {
        history.record(Millis(0), event);
    }
    let plan = plan("grants/locked-revoke");
    let narrator = Narrator::new(&history, &plan);
    let lines = (0..history.observations().len()).map(|index| narrator.tell(index));
    lines.collect::<Vec<_>>().join("\n")
}

fn block(transactions: Vec<Arc<Transaction>>) -> Arc<Committed> {
    let block = Block::propose(
        &Symbolic,
        &key(OWNER),
        N1,
        (Height(5), BlockId([1; 32]), AppHash([2; 32])),
        WallMillis(EPOCH.0 + 5_400),
        transactions.into(),
    );
    Arc::new(Committed {
        block,
        app_hash: AppHash([3; 32]),
        votes: vec![],
    })
}

fn committed(transactions: Vec<Arc<Transaction>>, outcomes: &[Outcome], replayed: bool) -> Event {
    let results: Vec<TxResult> = transactions
        .iter()
        .zip(outcomes)
        .map(|(transaction, outcome)| TxResult {
            id: transaction.id,
            outcome: *outcome,
            tables: TablesDigest([4; 32]),
        })
        .collect();
    Event::Committed {
        node: N3,
        committed: block(transactions),
        app_hash: AppHash([3; 32]),
        results: results.into(),
        tables: Some((TablesDigest([4; 32]), TablesDigest([5; 32]))),
        replayed,
    }
}

fn remained(level: Level) -> Event {
    Event::Remained {
        node: N1,
        credential: credential(ORIGINAL),
        level,
    }
}

fn contradicted(of: Contradiction) -> Event {
    Event::Contradicted {
        node: N1,
        of,
        height: Height(9),
        what: "get_credentials by alice".to_owned(),
        expected: "1 row".to_owned(),
        got: "2 rows".to_owned(),
    }
}

#[test]
fn every_event_has_a_line() {
    let document = ContentHash([0xd0; 32]);
    let share = transaction(ALICE, 1, share_action());
    let forged = transaction(KYC, 1, Action::RemoveUser {});
    let events = vec![
        Event::StepBegan { step: 1 },
        Event::StepEnded {
            step: 1,
            ending: Ending::Refused("original-not-owned"),
        },
        Event::StepBegan { step: 99 },
        Event::Asked {
            id: RequestId(1),
            by: ALICE,
            node: N1,
            what: Asked::Broadcast(share.clone()),
        },
        Event::NoAnswer {
            id: RequestId(1),
            by: ALICE,
            node: N1,
        },
        Event::Requested {
            request: 2,
            by: BANK,
            of: ALICE,
            locked_until: EPOCH_SECOND + 90_000,
        },
        Event::Decided {
            request: 2,
            by: ALICE,
            copy: Some(credential(COPY)),
            locked_until: EPOCH_SECOND + 90_000,
        },
        Event::Decided {
            request: 3,
            by: ALICE,
            copy: None,
            locked_until: 0,
        },
        Event::Issued {
            by: KYC,
            about: user(),
            credential: credential(ORIGINAL),
            document,
            dated: EPOCH_SECOND + 1,
        },
        Event::Stated {
            by: KYC,
            notes: "notes".into(),
            dated: EPOCH_SECOND + 1,
        },
        Event::KeyDeclared {
            by: KYC,
            from: EPOCH_SECOND + 1,
        },
        Event::KeyDeclarationRead {
            by: BANK,
            of: KYC,
            from: EPOCH_SECOND + 1,
        },
        Event::Sealed {
            by: ALICE,
            credential: credential(COPY),
            encryptor: "key".into(),
            document,
            content: [7; 32],
            to: "key".into(),
        },
        Event::Rotated {
            by: ALICE,
            key: "key".into(),
        },
        Event::KeyDerived {
            by: ALICE,
            salt: "salt".into(),
            key: Some("key".into()),
            taken: false,
        },
        Event::Guessed {
            by: BANK,
            of: user(),
            tries: 8,
            found: false,
        },
        Event::SharesAsked {
            by: ALICE,
            address: "eip712:0x01".into(),
        },
        Event::ShareReleased {
            by: BANK,
            user: user(),
            address: "eip712:0x01".into(),
            right: false,
        },
        Event::ShareRefused {
            by: BANK,
            user: user(),
            address: "eip712:0x01".into(),
        },
        Event::Recovered {
            by: ALICE,
            address: "eip712:0x01".into(),
            answers: vec![BANK],
            key: None,
        },
        Event::OriginAuthorised {
            by: ALICE,
            origin: BANK,
            each: true,
        },
        Event::Allowed {
            by: ALICE,
            request: 1,
        },
        Event::Disclosed {
            by: ALICE,
            to: BANK,
            request: 1,
            credential: credential(ORIGINAL),
            document,
        },
        Event::Opened {
            by: BANK,
            credential: credential(COPY),
            document,
            height: Height(9),
        },
        Event::Judged {
            by: BANK,
            copy: credential(COPY),
            user: user(),
            document: Some(document),
            height: Height(9),
            doubt: None,
        },
        Event::Judged {
            by: BANK,
            copy: credential(COPY),
            user: UserId(Uuid::from_u128(7 << 112)),
            document: None,
            height: Height(9),
            doubt: Some(Doubt::LockTooShort),
        },
        Event::Started {
            node: N1,
            again: false,
        },
        Event::Started {
            node: N1,
            again: true,
        },
        Event::Crashed { node: N3, lost: 1 },
        Event::Proposed {
            node: N1,
            height: Height(5),
            time: WallMillis(EPOCH.0 + 5_400),
            clock: WallMillis(EPOCH.0 + 5_400),
        },
        Event::Proposed {
            node: N1,
            height: Height(6),
            time: WallMillis(EPOCH.0 + 9_000),
            clock: WallMillis(EPOCH.0 + 8_000),
        },
        committed(vec![], &[], false),
        committed(
            vec![share, forged],
            &[Outcome::Accepted, Outcome::Invalid],
            true,
        ),
        Event::Halted {
            node: N3,
            why: Halt::Diverged { height: Height(6) },
        },
        Event::Leads { node: N3, term: 1 },
        Event::Appointed {
            leader: N3,
            term: 1,
        },
        Event::FaultBegan { fault: 0 },
        Event::FaultEnded {
            fault: 0,
            effect: 1,
        },
        Event::FaultEnded {
            fault: 9,
            effect: 0,
        },
        Event::Healed,
        Event::Settled,
        Event::Unsettled {
            owed: vec!["bank waits for a copy".to_owned()],
        },
        Event::Exhausted,
        Event::Scanned {
            node: N1,
            place: Place::Disk,
            bytes: 4096,
            found: vec![],
        },
        Event::Scanned {
            node: N1,
            place: Place::Request,
            bytes: 10,
            found: vec!["alice's passport".to_owned()],
        },
        Event::Inspected {
            node: N1,
            height: Height(9),
            app_hash: AppHash([3; 32]),
            tables: Some(TablesDigest([5; 32])),
            credentials: vec![credential(ORIGINAL), credential(COPY)],
            grants: vec![grant()],
            users: vec![user()],
            oldest: Some(Height(5)),
            named: vec![],
        },
        Event::Inspected {
            node: N1,
            height: Height(9),
            app_hash: AppHash([3; 32]),
            tables: None,
            credentials: vec![],
            grants: vec![],
            users: vec![],
            oldest: None,
            named: vec![],
        },
        Event::Installed {
            node: N1,
            height: Height(8),
            app_hash: AppHash([3; 32]),
            tables: Some((TablesDigest([4; 32]), TablesDigest([5; 32]))),
        },
        Event::Stopped { node: N1 },
        Event::Scanned {
            node: N1,
            place: Place::Log,
            bytes: 70,
            found: vec![],
        },
        remained(Level::Readable),
        remained(Level::Tables),
        remained(Level::History),
        remained(Level::Gone),
        contradicted(Contradiction::View),
        contradicted(Contradiction::Result),
        contradicted(Contradiction::Reply),
        contradicted(Contradiction::Height),
        Event::Compared {
            node: N1,
            answers: 40,
            results: 1,
        },
    ];
    insta::assert_snapshot!(told(events));
}

#[test]
fn every_answer_answers_its_question() {
    let id = credential(COPY);
    let view = |height, result| Reply::View {
        height: Height(height),
        result,
    };
    let ask = |query| Asked::View {
        caller: Some(identity(BANK)),
        signed: true,
        query,
    };
    let exchanges = vec![
        (
            Asked::Housekeeping("health"),
            Reply::Health {
                height: Height(4),
                time: BlockTime(EPOCH_SECOND + 4),
                syncing: true,
            },
        ),
        (Asked::Housekeeping("account"), Reply::Account { nonce: 3 }),
        (Asked::Housekeeping("challenge"), Reply::Challenge([7; 32])),
        (
            Asked::Housekeeping("transaction status"),
            Reply::TxStatus(TxStatus::Included {
                height: Height(4),
                outcome: Outcome::Refused(Refusal::GrantLocked { until: 35 }),
            }),
        ),
        (
            Asked::Housekeeping("transaction status"),
            Reply::TxStatus(TxStatus::Pending),
        ),
        (
            Asked::Housekeeping("transaction status"),
            Reply::TxStatus(TxStatus::Unknown),
        ),
        (
            Asked::Broadcast(transaction(BANK, 4, share_action())),
            Reply::Included {
                height: Height(4),
                outcome: Outcome::Refused(Refusal::Engine(Engine::DuplicateKey("grants"))),
            },
        ),
        (
            Asked::Broadcast(transaction(
                ALICE,
                4,
                Action::RevokeAccessGrant { id: grant() },
            )),
            Reply::Rejected(Rejected::Invalid(Invalid::BadSignature)),
        ),
        (
            Asked::Broadcast(transaction(
                BANK,
                4,
                Action::RescindSharedCredential { credential_id: id },
            )),
            Reply::TimedOut,
        ),
        (ask(Query::GetUser {}), view(4, Ok(Answer::User(None)))),
        (
            ask(Query::GetWallets {}),
            view(4, Ok(Answer::Wallets(vec![]))),
        ),
        (
            ask(Query::GetSiblingCredentialId {
                content_hash: "0123456789abcdef".into(),
            }),
            view(4, Ok(Answer::CredentialId(Some(id)))),
        ),
        (
            ask(Query::GetAccessGrantsGranted {
                user_id: Some(user()),
                page: Some(2),
                size: None,
            }),
            view(4, Ok(Answer::Grants(vec![]))),
        ),
        (
            Asked::View {
                caller: Some(identity(ALICE)),
                signed: false,
                query: Query::HasProfile {
                    address: identity(ALICE).caller().into(),
                },
            },
            view(4, Ok(Answer::Truth(true))),
        ),
        (
            Asked::View {
                caller: Some(Identity::Ed25519([9; 32])),
                signed: true,
                query: Query::GetCredentialShared { id },
            },
            Reply::ClaimRefused(ClaimProblem::ExpiredChallenge),
        ),
        (
            Asked::View {
                caller: None,
                signed: false,
                query: Query::GetAccessGrantsGrantedCount { user_id: None },
            },
            view(4, Ok(Answer::Count(0))),
        ),
        (
            ask(Query::GetCredentialShared { id }),
            view(4, Err(Refusal::NotShared)),
        ),
        (ask(Query::GetUser {}), Reply::Behind),
        (Asked::Housekeeping("health"), Reply::Halted),
    ];
    let answers = exchanges
        .into_iter()
        .enumerate()
        .flat_map(|(index, (what, reply))| {
            let id = RequestId(index as u64);
            let (by, node) = (BANK, NodeId(1));
            [
                Event::Asked { id, by, node, what },
                Event::Answered {
                    id,
                    by,
                    node,
                    reply,
                },
            ]
        });
    let text = told(answers.collect());
    // The questions are part of the answers.
    let answers: Vec<&str> = text.lines().skip(1).step_by(2).collect();
    insta::assert_snapshot!(answers.join("\n"));
}

#[test]
fn actions_are_told_by_what_matters_in_them() {
    let wallet = WalletId(Uuid::from_u128(0xbeef << 112));
    let inserter = InserterId(Uuid::from_u128(0x1245 << 112));
    let bank = identity(BANK).caller();
    let actions = [
        Action::AddInserterAsOwner {
            id: inserter,
            name: "kyc-co".into(),
        },
        Action::AddDelegateAsOwner {
            address: identity(KYC).caller().into(),
            inserter_id: inserter,
        },
        Action::AddUserAsInserter {
            id: user(),
            recipient_encryption_public_key: "".into(),
            encryption_password_store: "user".into(),
        },
        Action::RemoveWallet { id: wallet },
        Action::UpsertCredentialAsInserter {
            id: credential(ORIGINAL),
            user_id: user(),
            issuer_auth_public_key: "".into(),
            encryptor_public_key: "".into(),
            content: Content::new(""),
            public_notes: "".into(),
            public_notes_signature: "".into(),
            broader_signature: "".into(),
            consent: None,
        },
        Action::EditPublicNotesAsIssuer {
            public_notes_id: "kyc-1".into(),
            public_notes: r#"{"id":"kyc-1","status":"revoked"}"#.into(),
        },
        Action::CreateAgByDagForCopy {
            dag_owner_wallet_identifier: identity(ALICE).caller().into(),
            dag_grantee_wallet_identifier: bank.into(),
            dag_data_id: credential(COPY),
            dag_locked_until: 0,
            dag_content_hash: None,
            dag_signature: "".into(),
            terms: None,
        },
        Action::RemoveCredential {
            id: credential(COPY),
        },
    ];
    let asked = actions
        .into_iter()
        .enumerate()
        .map(|(index, action)| Event::Asked {
            id: RequestId(index as u64),
            by: OWNER,
            node: N1,
            what: Asked::Broadcast(transaction(OWNER, 1, action)),
        });
    insta::assert_snapshot!(told(asked.collect()));
}

#[test]
fn what_was_called_is_known_without_reading_what_is_told() {
    let share = transaction(ALICE, 1, share_action());
    let removal = transaction(KYC, 1, Action::RemoveUser {});
    let view = Asked::View {
        caller: None,
        signed: false,
        query: Query::GetUser {},
    };
    let ask = |id, what| Event::Asked {
        id: RequestId(id),
        by: ALICE,
        node: N1,
        what,
    };
    let unanswered = |id| Event::NoAnswer {
        id: RequestId(id),
        by: ALICE,
        node: N1,
    };
    let statement = EnginePayload::RawStatement {
        statement: "CREATE OR REPLACE ACTION revoke_access_grant($id UUID)".to_owned(),
        parameters: vec![],
    };
    let statement = Transaction::sign(
        &Symbolic,
        &key(OWNER),
        Unsigned {
            nonce: 1,
            chain_id: "assay-net".into(),
            payload: statement.into(),
        },
    );
    let gift = Action::Transfer {
        token: Token::Idos,
        to: "0x01".into(),
        amount: Amount(1),
    };
    let shares = Called::Action("share_credential");
    let table = vec![
        (ask(1, Asked::Broadcast(share.clone())), vec![shares]),
        (unanswered(1), vec![shares]),
        (ask(2, view), vec![Called::View("get_user")]),
        (unanswered(2), vec![Called::View("get_user")]),
        (unanswered(3), vec![]),
        (ask(4, Asked::Housekeeping("health")), vec![]),
        (
            Event::AskedGateway {
                by: BANK,
                gateway: KYC,
                query: Query::GetWallets {},
            },
            vec![Called::View("get_wallets")],
        ),
        (
            committed(vec![share, removal], &[Outcome::Accepted], false),
            vec![shares, Called::Action("remove_user")],
        ),
        (
            ask(5, Asked::Broadcast(transaction(ALICE, 2, gift))),
            vec![Called::Action("transfer")],
        ),
        // What a statement names is not called.
        (ask(6, Asked::Broadcast(statement)), vec![]),
        (Event::Healed, vec![]),
    ];
    let mut history = History::new(cast());
    for (event, _) in &table {
        history.record(Millis(0), event.clone());
    }
    let plan = plan("grants/locked-revoke");
    let narrator = Narrator::new(&history, &plan);
    for (index, (_, called)) in table.iter().enumerate() {
        assert_eq!(narrator.called(index), *called, "{}", narrator.tell(index));
    }
}

#[test]
fn an_observation_that_is_not_there_is_told_as_such() {
    let plan = plan("grants/locked-revoke");
    assert_eq!(describe(&history(), &plan, 999), "no such observation");
    assert_eq!(describe(&history(), &plan, 6), "n3 starts again");
}

#[test]
fn nodes_are_where_they_were_last_seen() {
    let mut history = History::new(cast());
    for node in [N1, N3] {
        history.record(Millis(0), Event::Started { node, again: false });
    }
    history.record(Millis(0), Event::Leads { node: N1, term: 0 });
    history.record(Millis(5), committed(vec![], &[], false));
    history.record(Millis(7), Event::Crashed { node: N3, lost: 0 });
    let at = |millis| {
        let states = state::nodes(&history, Millis(millis));
        let lines: Vec<String> = states.iter().map(ToString::to_string).collect();
        lines.join("\n")
    };
    insta::assert_snapshot!(format!("{}\n\n{}", at(5), at(7)));
}
