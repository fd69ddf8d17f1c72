//! A small story, a history and judgements made by hand.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_model::actor::{
    Fidelity, Findings, GrantRef, Order, Password, Share, Task, Terms, Via, Writer,
};
use assay_model::catalogue::{RequirementId, catalogue};
use assay_model::crypto::{Identity, Scheme, SigningKey, Suite, Symbolic};
use assay_model::history::{Asked, Cast, Ending, Event, History, Member, Role};
use assay_model::id::{CredentialId, GrantId, Height, NodeId, PartyId, UserId, WalletId};
use assay_model::invariant::{Chronicle, Finding, Invariant, Verdict};
use assay_model::ledger::{
    Action, Answer, Batch, Content, Outcome as TxOutcome, Query, Refusal, Transaction, Unsigned,
};
use assay_model::node::{Reply, RequestId, Timing, USUAL_HISTORY};
use assay_model::rules::Rules;
use assay_model::time::{Millis, WallMillis};
use assay_reports::{Report, RunReport, Seeds, Story};
use assay_scenarios::judge::{
    FaultResult, Judgement, Metrics, Outcome, RequirementResult, RunVerdict, StepResult,
};
use assay_scenarios::plan::{
    Deed, Expect, Fault, FaultKind, Network, NodeRef, Party, Plan, Ppm, Step,
};
use uuid::Uuid;

pub(crate) const EPOCH: WallMillis = WallMillis(1_767_225_600_000);
pub(crate) const EPOCH_SECOND: i64 = 1_767_225_600;
pub(crate) const OWNER: PartyId = PartyId(0);
pub(crate) const KYC: PartyId = PartyId(1);
pub(crate) const ALICE: PartyId = PartyId(2);
pub(crate) const BANK: PartyId = PartyId(3);
pub(crate) const N1: NodeId = NodeId(0);
pub(crate) const N3: NodeId = NodeId(2);

pub(crate) fn user() -> UserId {
    UserId(Uuid::from_u128(0xa11ce << 108))
}

pub(crate) fn credential(number: u128) -> CredentialId {
    CredentialId(Uuid::from_u128(number << 112))
}

pub(crate) const ORIGINAL: u128 = 0x4f1c;
pub(crate) const COPY: u128 = 0x9b20;

pub(crate) fn key(party: PartyId) -> SigningKey {
    SigningKey {
        scheme: if party == KYC {
            Scheme::Ed25519
        } else {
            Scheme::Evm
        },
        secret: [party.0 as u8 + 1; 32],
    }
}

pub(crate) fn identity(party: PartyId) -> Identity {
    Symbolic.identity(&key(party))
}

pub(crate) fn task(by: PartyId, order: Order) -> Deed {
    Deed::Party(
        by,
        Task {
            order,
            via: Via::Any,
            wallet: 0,
            patience: 10_000,
            oddity: None,
        },
    )
}

pub(crate) fn share() -> Share {
    Share {
        original: credential(ORIGINAL),
        owner: user(),
        copy: credential(COPY),
        to: BANK,
        locked_until: EPOCH_SECOND + 35,
        in_millis: false,
        terms: Terms::default(),
        fidelity: Fidelity::Faithful,
    }
}

pub(crate) fn plan(name: &str) -> Plan {
    let party = |name: &str, role| Party {
        name: name.to_owned(),
        known_as: name.to_owned(),
        role,
        node: NodeId(0),
        user: if role == Role::User {
            user()
        } else {
            UserId(Uuid::nil())
        },
        registered: true,
        admitted: true,
        careful: true,
        box_key_of: PartyId(0),
        person: PartyId(0),
        company_of: PartyId(0),
        password: Password::Long,
        wallet: WalletId(Uuid::nil()),
        wallets: Vec::new(),
    };
    let steps = [
        (
            1,
            task(
                KYC,
                Order::Issue {
                    user: ALICE,
                    credential: credential(ORIGINAL),
                    writer: Writer::User,
                    bytes: 2048,
                    forged: false,
                    unsealed: false,
                    findings: Findings::usual(ALICE),
                },
            ),
            Ending::Accepted,
            vec![],
        ),
        (
            5,
            task(ALICE, Order::Share(share())),
            Ending::Accepted,
            vec![],
        ),
        (
            12,
            task(
                ALICE,
                Order::Revoke {
                    grants: vec![GrantRef {
                        data: credential(COPY),
                        grantee: BANK,
                        locked_until: EPOCH_SECOND + 35,
                    }],
                },
            ),
            Ending::Refused("grant-locked"),
            vec!["GRANT-05"],
        ),
    ];
    Plan {
        name: name.to_owned(),
        claim: "A locked grant survives its owner's revoke and a leader crash.".to_owned(),
        nodes: 4,
        sentries: Default::default(),
        leader: N1,
        epoch: EPOCH,
        timing: Timing {
            history: USUAL_HISTORY,
            propose: 1000,
            poll: 100,
            empty_block: 60_000,
            resend: 2000,
            broadcast: 10_000,
            challenge: 60_000,
            drift: 5000,
        },
        network: Network {
            latency: Millis(20),
            jitter: Millis(10),
            loss: Ppm(0),
            duplicate: Ppm(0),
            reorder: Ppm(0),
        },
        external: assay_model::actor::External::ARBITRUM,
        disk_sync: Millis(5),
        rules: Rules::documented(),
        parties: vec![
            party("idos", Role::DbOwner),
            party("kyc-co", Role::Issuer),
            party("alice", Role::User),
            party("bank", Role::Consumer),
        ],
        balances: Vec::new(),
        steps: steps
            .into_iter()
            .enumerate()
            .map(|(index, (at, deed, ending, shows))| Step {
                at: Millis::seconds(at),
                deed,
                expect: Expect::Ending(ending),
                shows,
                line: 6 + index as u32,
            })
            .collect(),
        faults: vec![Fault {
            at: Millis::seconds(7),
            lasts: Millis::seconds(3),
            kind: FaultKind::Crash {
                node: NodeRef::Leader,
            },
            line: 12,
        }],
        clocks: vec![],
        duration: Millis::seconds(60),
        settle: Millis::seconds(30),
        events: 1_000_000,
        audit: true,
        check: vec!["locked-grants-stay"],
        breaks: vec![],
    }
}

pub(crate) fn cast() -> Arc<Cast> {
    let member = |id: PartyId, name: &str, role| Member {
        name: name.to_owned(),
        role,
        user: if role == Role::User {
            user()
        } else {
            UserId(Uuid::nil())
        },
        identities: vec![identity(id)],
        careful: true,
        person: id,
    };
    Arc::new(Cast {
        parties: vec![
            member(OWNER, "idos", Role::DbOwner),
            member(KYC, "kyc-co", Role::Issuer),
            member(ALICE, "alice", Role::User),
            member(BANK, "bank", Role::Consumer),
        ],
        nodes: 4,
        keys: Vec::new(),
        sentries: Default::default(),
        leader: NodeId(0),
        chain_id: "assay-net".into(),
        rules: Rules::documented(),
        epoch: EPOCH,
        drift: 5000,
        freshness: 30_000,
        operators: Vec::new(),
        external: assay_model::actor::External::ARBITRUM,
        keeps_history: true,
        balances: Vec::new(),
        history: USUAL_HISTORY,
    })
}

pub(crate) fn transaction(by: PartyId, nonce: u64, action: Action) -> Arc<Transaction> {
    Transaction::sign(
        &Symbolic,
        &key(by),
        Unsigned {
            nonce,
            chain_id: "assay-net".into(),
            payload: Batch::one(action).into(),
        },
    )
}

pub(crate) fn share_action() -> Action {
    let share = share();
    Action::ShareCredential {
        id: share.copy,
        original_credential_id: share.original,
        public_notes: "".into(),
        public_notes_signature: "".into(),
        broader_signature: "".into(),
        content: Content::new("sealed"),
        content_hash: "00".into(),
        encryptor_public_key: "".into(),
        issuer_auth_public_key: "".into(),
        grantee_wallet_identifier: identity(BANK).caller().into(),
        locked_until: share.locked_until,
        terms: None,
    }
}

pub(crate) fn grant() -> GrantId {
    GrantId::derive(
        &identity(BANK).caller(),
        credential(COPY),
        EPOCH_SECOND + 35,
    )
}

/// Alice shares, a node crashes and comes back, and then knows nothing of the grant.
pub(crate) fn history() -> History {
    let mut history = History::new(cast());
    let mut see = |at: u64, event: Event| history.record(Millis(at), event);
    let asked = |id: u64, by, node, what| Event::Asked {
        id: RequestId(id),
        by,
        node,
        what,
    };
    let answered = |id: u64, by, node, reply| Event::Answered {
        id: RequestId(id),
        by,
        node,
        reply,
    };
    see(5_000, Event::StepBegan { step: 1 });
    let shared = Asked::Broadcast(transaction(ALICE, 1, share_action()));
    see(5_000, asked(1, ALICE, N1, shared));
    see(
        5_480,
        answered(
            1,
            ALICE,
            N1,
            Reply::Included {
                height: Height(5),
                outcome: TxOutcome::Accepted,
            },
        ),
    );
    see(
        5_480,
        Event::StepEnded {
            step: 1,
            ending: Ending::Accepted,
        },
    );
    see(7_000, Event::FaultBegan { fault: 0 });
    see(7_000, Event::Crashed { node: N3, lost: 2 });
    see(
        10_000,
        Event::Started {
            node: N3,
            again: true,
        },
    );
    see(
        10_000,
        Event::FaultEnded {
            fault: 0,
            effect: 1,
        },
    );
    see(12_000, Event::StepBegan { step: 2 });
    let revoke = Action::RevokeAccessGrant { id: grant() };
    see(
        12_000,
        asked(
            2,
            ALICE,
            N1,
            Asked::Broadcast(transaction(ALICE, 2, revoke)),
        ),
    );
    see(
        12_310,
        answered(
            2,
            ALICE,
            N1,
            Reply::Included {
                height: Height(12),
                outcome: TxOutcome::Accepted,
            },
        ),
    );
    see(
        12_310,
        Event::StepEnded {
            step: 2,
            ending: Ending::Accepted,
        },
    );
    let listing = Asked::View {
        caller: Some(identity(BANK)),
        signed: true,
        query: Query::GetAccessGrantsGranted {
            user_id: None,
            page: None,
            size: None,
        },
    };
    see(12_400, asked(3, BANK, N3, listing));
    see(
        12_480,
        answered(
            3,
            BANK,
            N3,
            Reply::View {
                height: Height(17),
                result: Ok(Answer::Grants(vec![])),
            },
        ),
    );
    let read = Asked::View {
        caller: Some(identity(BANK)),
        signed: true,
        query: Query::GetCredentialShared {
            id: credential(COPY),
        },
    };
    see(12_500, asked(4, BANK, N3, read));
    see(
        12_560,
        answered(
            4,
            BANK,
            N3,
            Reply::View {
                height: Height(17),
                result: Err(Refusal::NotShared),
            },
        ),
    );
    history
}

fn nothing(_: &Chronicle<'_>) -> Verdict {
    unreachable!("verdicts in these tests are made by hand")
}

pub(crate) static LOCKED_GRANTS_STAY: Invariant = Invariant {
    name: "locked-grants-stay",
    claim: "no node omits a grant from a read while the grant's lock is running",
    source: "idos-schema: revoke_access_grant",
    requirements: &["GRANT-05", "GRANT-08"],
    check: nothing,
};

pub(crate) static DAG_WORKS_ONCE: Invariant = Invariant {
    name: "dag-works-once",
    claim: "a dAG creates one grant ever",
    source: "doc:system-design",
    requirements: &["DAG-03"],
    check: nothing,
};

pub(crate) static READS_RESUME: Invariant = Invariant {
    name: "reads-resume",
    claim: "after trouble every node answers reads",
    source: "derived",
    requirements: &["AVAIL-01"],
    check: nothing,
};

pub(crate) fn finding(requirement: RequirementId, sentence: &str, evidence: &[usize]) -> Finding {
    Finding {
        requirement,
        sentence: sentence.to_owned(),
        evidence: evidence.to_vec(),
    }
}

fn untouched() -> BTreeMap<RequirementId, RequirementResult> {
    let result = |id: &'static str| {
        let result = RequirementResult {
            outcome: Outcome::NotExercised,
            checked: 0,
            findings: vec![],
        };
        (id, result)
    };
    catalogue().iter().map(|r| result(&r.id)).collect()
}

fn metrics() -> Metrics {
    Metrics {
        events: 4_200,
        messages: 1_100,
        observations: 16,
        height: Height(17),
        actions: 9,
        simulated: Millis::seconds(90),
        repeats: 0,
        companions: 0,
        cut: Millis::ZERO,
    }
}

pub(crate) fn held() -> Judgement {
    let mut requirements = untouched();
    for (id, checked) in [("GRANT-05", 12), ("GRANT-08", 3), ("READ-01", 120)] {
        let result = requirements.get_mut(id).unwrap();
        result.outcome = Outcome::Passed;
        result.checked = checked;
    }
    let step = |step, ending| StepResult {
        step,
        expected: Expect::Ending(ending),
        ending: Some(ending),
        met: Some(true),
        evidence: vec![],
    };
    Judgement {
        verdict: RunVerdict::Held,
        invariants: vec![
            (
                &LOCKED_GRANTS_STAY,
                Verdict::Held {
                    checked: [("GRANT-05", 12), ("GRANT-08", 3)].into(),
                },
            ),
            (
                &DAG_WORKS_ONCE,
                Verdict::Inconclusive {
                    why: "nobody transmitted a dAG".to_owned(),
                },
            ),
        ],
        steps: vec![
            step(0, Ending::Accepted),
            step(1, Ending::Accepted),
            step(2, Ending::Refused("grant-locked")),
        ],
        faults: vec![FaultResult {
            fault: 0,
            effect: 1,
        }],
        requirements,
        doubts: vec![],
        metrics: metrics(),
    }
}

fn fail(judgement: &mut Judgement, by: &'static str, finding: Finding) {
    let result = judgement.requirements.get_mut(finding.requirement).unwrap();
    result.outcome = Outcome::Failed;
    result.checked += 1;
    result.findings.push((by, finding));
}

/// The grant vanished from a node, and the revoke that should have been refused was accepted.
pub(crate) fn violated(height: u64) -> Judgement {
    let mut judgement = held();
    judgement.verdict = RunVerdict::Violated;
    let sentence = format!(
        "n3 answered grants(bank) = [] at height {height}, but the grant on 9b20.. is locked until 35s"
    );
    let found = finding("GRANT-08", &sentence, &[1, 2, 5, 6, 10, 13]);
    fail(&mut judgement, "locked-grants-stay", found.clone());
    fail(
        &mut judgement,
        "locked-grants-stay",
        finding("GRANT-08", &sentence, &[2, 15]),
    );
    judgement.invariants[0].1 = Verdict::Violated {
        checked: [("GRANT-05", 12), ("GRANT-08", 5)].into(),
        findings: vec![found],
    };
    let step = &mut judgement.steps[2];
    step.ending = Some(Ending::Accepted);
    step.met = Some(false);
    step.evidence = vec![9, 10, 11];
    fail(
        &mut judgement,
        "step",
        finding("GRANT-05", "the step ended accepted", &[9, 10, 11]),
    );
    judgement
}

pub(crate) fn broke_as_expected() -> Judgement {
    let mut judgement = held();
    judgement.verdict = RunVerdict::BrokeAsExpected;
    let found = finding("DAG-03", "one dAG made two grants", &[2, 10]);
    fail(&mut judgement, "dag-works-once", found);
    judgement
}

pub(crate) fn stale() -> Judgement {
    let mut judgement = held();
    judgement.verdict = RunVerdict::StaleExpectation;
    let result = judgement.requirements.get_mut("DAG-03").unwrap();
    result.outcome = Outcome::Passed;
    result.checked = 2;
    judgement
}

pub(crate) fn inconclusive() -> Judgement {
    let mut judgement = held();
    judgement.verdict = RunVerdict::Inconclusive;
    judgement.faults[0].effect = 0;
    judgement.steps[1].ending = Some(Ending::Unanswered);
    judgement.steps[1].met = None;
    judgement.invariants.push((
        &READS_RESUME,
        Verdict::Inconclusive {
            why: "no read came after the trouble".to_owned(),
        },
    ));
    judgement.requirements.get_mut("AVAIL-01").unwrap().outcome = Outcome::Inconclusive;
    judgement
}

pub(crate) fn run(
    name: &str,
    seed: u64,
    breaks: &[RequirementId],
    judgement: Judgement,
) -> RunReport {
    let mut plan = plan(name);
    plan.breaks = breaks.to_vec();
    let path = format!("scenarios/library/{name}.toml");
    let story = Arc::new(Story::new(&plan, &path, name));
    RunReport::new(story, seed, &plan, &history(), judgement)
}

pub(crate) fn report(runs: Vec<RunReport>) -> Report {
    Report {
        command: "assay run --seeds 1..3 --rules deployed".to_owned(),
        world: "sim",
        rules: "deployed".to_owned(),
        crypto: "real".to_owned(),
        seeds: Seeds { first: 1, last: 3 },
        planned: runs.len() as u64,
        replay_flags: " --rules deployed".to_owned(),
        runs,
        mishaps: vec![],
        partial: false,
    }
}

/// One story of every verdict.
pub(crate) fn everything() -> Report {
    report(vec![
        run("dags/replayed", 1, &["DAG-03"], broke_as_expected()),
        run("dags/stale", 1, &["DAG-03"], stale()),
        run("faults/idle", 1, &[], inconclusive()),
        run("grants/locked-revoke", 1, &[], held()),
        run("grants/locked-revoke", 2, &[], violated(17)),
        run("grants/locked-revoke", 3, &[], violated(19)),
        run("grants/quiet", 1, &[], held()),
    ])
}
