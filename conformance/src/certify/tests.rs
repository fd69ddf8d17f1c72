//! Nothing but a full pass certifies, and a certificate that was altered or contradicts itself is refused.

use std::sync::{Arc, LazyLock};

use assay_laws::laws;
use assay_model::crypto::Symbolic;
use assay_reports::certification::{Assessment, RunCounts};
use assay_reports::{Mishap, RunReport, Seeds, Story, Trouble, certification};
use assay_scenarios::judge::{Outcome, RunVerdict, judge};
use assay_scenarios::{Overrides, library, load};
use assay_sim::Seed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// The library in the simulated world, whose model keeps what it promises.
static RUNS: LazyLock<Vec<RunReport>> = LazyLock::new(|| {
    let stories = library().into_iter().map(|source| {
        let scenario = load(&source).unwrap();
        let plan = scenario.plan(&Overrides::none());
        let run = assay_sim::run(&plan, Seed(1), Arc::new(Symbolic));
        let judgement = judge(&plan, &run.history, run.metrics);
        let story = Arc::new(Story::new(&plan, &source.path, &source.name));
        RunReport::new(story, 1, &plan, &run.history, judgement)
    });
    stories.collect()
});

fn core() -> &'static Profile {
    Profile::find("core").unwrap()
}

fn trial(runs: &[RunReport]) -> Trial<'_> {
    Trial {
        target: "reference node",
        world: "live",
        runs,
        mishaps: &[],
        skipped: &[],
        partial: false,
    }
}

/// A story that tests one requirement and holds, cut out of a real run.
fn testing(id: &'static str) -> RunReport {
    let mut run = RUNS
        .iter()
        .find(|run| run.judgement.verdict == RunVerdict::Held)
        .unwrap()
        .clone();
    for (known, result) in &mut run.judgement.requirements {
        result.checked = u64::from(*known == id);
        result.outcome = match *known == id {
            true => Outcome::Passed,
            false => Outcome::NotExercised,
        };
    }
    run
}

fn small() -> Profile {
    let mut profile = core().clone();
    profile.name = "small".to_owned();
    profile
        .requirements
        .retain(|r| ["DEL-01", "GRANT-05"].contains(&r.id.as_str()));
    profile
}

#[test]
fn the_model_is_certified_for_core_by_the_library() {
    let certification = assess(core(), &trial(&RUNS));
    assert_eq!(
        certification::verdict(&certification),
        format!(
            "CERTIFIED {0} of {0} requirements of profile core",
            core().requirements.len()
        )
    );
    assert!(certification.runs.broke_as_expected > 0);
    assert_eq!(certification.exit().code(), 0);
    let storage = assess(Profile::find("storage").unwrap(), &trial(&RUNS));
    assert!(storage.certified(), "{}", certification::verdict(&storage));
}

#[test]
fn a_story_that_breaks_what_it_says_proves_nothing_either_way() {
    let broken: Vec<RunReport> = RUNS
        .iter()
        .filter(|run| run.judgement.verdict == RunVerdict::BrokeAsExpected)
        .cloned()
        .collect();
    assert!(!broken.is_empty());
    let certification = assess(core(), &trial(&broken));
    for row in &certification.rows {
        assert_eq!(
            row.outcome,
            Assessment::NotExercised,
            "{}",
            row.requirement.id
        );
        assert_eq!((row.checked, row.stories.len()), (0, 0));
    }
    assert_eq!(certification.objections, [""; 0]);
    assert_eq!(certification.beside, [""; 0]);
}

#[test]
fn a_story_that_announces_a_break_counts_by_what_it_breaks_besides() {
    let mut run = testing("DEL-01");
    let mut story = (*run.story).clone();
    story.breaks = vec!["GRANT-05"];
    run.story = Arc::new(story);
    run.judgement.verdict = RunVerdict::Violated;
    for id in ["GRANT-05", "DEL-02"] {
        let result = run.judgement.requirements.get_mut(id).unwrap();
        (result.outcome, result.checked) = (Outcome::Failed, 1);
    }
    let runs = [run];
    let certification = assess(&small(), &trial(&runs));
    for row in &certification.rows {
        assert_eq!(
            row.outcome,
            Assessment::NotExercised,
            "{}",
            row.requirement.id
        );
    }
    assert_eq!(certification.beside, ["DEL-02"]);
    let core = assess(core(), &trial(&runs));
    let failed = core
        .rows
        .iter()
        .filter(|row| row.outcome == Assessment::Failed);
    let failed: Vec<&str> = failed.map(|row| row.requirement.id.as_str()).collect();
    assert_eq!(failed, ["DEL-02"]);
}

#[test]
fn what_breaks_outside_the_profile_is_told_and_does_not_count() {
    let mut run = testing("GRANT-05");
    run.judgement.verdict = RunVerdict::Violated;
    run.judgement
        .requirements
        .get_mut("READ-01")
        .unwrap()
        .outcome = Outcome::Failed;
    let runs = [testing("DEL-01"), run];
    let certification = assess(&small(), &trial(&runs));
    assert!(certification.certified());
    assert_eq!(certification.beside, ["READ-01"]);
    assert_eq!(certification.exit().code(), 0);
    assert!(certification::text(&certification).contains("Broken outside the profile: READ-01"));
}

#[test]
fn runs_that_prove_nothing_are_objections() {
    let runs = [testing("DEL-01"), testing("GRANT-05")];
    assert!(assess(&small(), &trial(&runs)).certified());

    fn objection(change: impl FnOnce(&mut Vec<RunReport>, &mut Trial<'static>)) -> String {
        let mut runs = vec![testing("DEL-01"), testing("GRANT-05")];
        let mut trial = trial(&[]);
        change(&mut runs, &mut trial);
        let certification = assess(
            &small(),
            &Trial {
                runs: &runs,
                ..trial
            },
        );
        assert!(!certification.certified());
        assert_ne!(certification.exit().code(), 0);
        certification
            .objections
            .first()
            .cloned()
            .unwrap_or_default()
    }
    static MISHAPS: LazyLock<Vec<Mishap>> = LazyLock::new(|| {
        vec![Mishap {
            name: "grants/denied".to_owned(),
            replay_as: "grants/denied".to_owned(),
            seed: 7,
            trouble: Trouble::Panicked {
                message: "out of paper".to_owned(),
            },
        }]
    });
    let told = objection(|runs, _| runs[0].judgement.verdict = RunVerdict::Inconclusive);
    assert!(told.contains("inconclusive"), "{told}");
    let told = objection(|runs, _| runs[0].judgement.verdict = RunVerdict::StaleExpectation);
    assert!(told.contains("stale"), "{told}");
    let told = objection(|_, trial| trial.mishaps = &MISHAPS);
    assert!(told.contains("grants/denied seed 7 was spoilt"), "{told}");
    let told = objection(|_, trial| trial.partial = true);
    assert!(told.contains("interrupted"), "{told}");
    let told = objection(|runs, _| runs.clear());
    assert_eq!(told, "nothing ran");
}

#[test]
fn what_cannot_be_tried_is_not_testable_and_says_why() {
    let skipped = [Skipped {
        story: "time/leader-behind".to_owned(),
        reason: "the target's clock cannot be set".to_owned(),
        requirements: vec!["DEL-01", "GRANT-05"],
    }];
    let runs = [testing("DEL-01")];
    let certification = assess(
        &small(),
        &Trial {
            skipped: &skipped,
            ..trial(&runs)
        },
    );
    let told: Vec<(&str, Assessment, &str)> = certification
        .rows
        .iter()
        .map(|row| {
            (
                row.requirement.id.as_str(),
                row.outcome,
                row.why.as_deref().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "GRANT-05",
                Assessment::NotTestable,
                "time/leader-behind: the target's clock cannot be set"
            ),
            (
                "DEL-01",
                Assessment::Passed,
                "time/leader-behind would have tested it too, and is not testable: the target's clock \
                 cannot be set"
            ),
        ]
    );
    assert!(!certification.certified());
}

#[test]
fn a_skipped_story_says_what_it_would_have_tested() {
    let source = assay_scenarios::find("grants/lock-boundary").unwrap();
    let plan = load(&source).unwrap().plan(&Overrides::none());
    let skipped = Skipped::new(&plan, "too slow");
    assert!(skipped.requirements.contains(&"GRANT-05"), "{skipped:?}");
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop::sample::select(vec![
        Outcome::NotExercised,
        Outcome::Passed,
        Outcome::Inconclusive,
        Outcome::Failed,
    ])
}

laws! {
    200;

    fn only_a_full_pass_certifies(
        outcomes in prop::collection::vec((any_outcome(), any_outcome()), 1..4),
        skip in any::<bool>(),
    ) {
        let ids = ["DEL-01", "GRANT-05"];
        let mut runs = Vec::new();
        for (first, second) in &outcomes {
            let mut run = testing("DEL-01");
            for (id, outcome) in ids.iter().zip([*first, *second]) {
                let result = run.judgement.requirements.get_mut(id).unwrap();
                result.outcome = outcome;
                result.checked = u64::from(outcome != Outcome::NotExercised);
            }
            runs.push(run);
        }
        let skipped = [Skipped {
            story: "x".to_owned(),
            reason: "y".to_owned(),
            requirements: vec!["DEL-01"],
        }];
        let skipped = if skip { &skipped[..] } else { &[] };
        let certification = assess(&small(), &Trial { skipped, ..trial(&runs) });
        let full = [0, 1].iter().all(|which| {
            let of = |pair: &(Outcome, Outcome)| [pair.0, pair.1][*which];
            outcomes.iter().all(|pair| of(pair) <= Outcome::Passed)
                && outcomes.iter().any(|pair| of(pair) == Outcome::Passed)
        });
        prop_assert_eq!(certification.certified(), full);
        let statement = statement(&certification, &small(), &terms(), None);
        prop_assert_eq!(statement.predicate.result == Result::Passed, full);
        // What is written can be checked, whatever came out, but for the profile's having its own name.
        let verified = verify(seal(statement.to_json().as_bytes(), None).as_bytes(), None);
        prop_assert_eq!(verified.unwrap().passed(), full);
    }

    fn no_altered_byte_of_a_signed_certificate_passes(at in any::<prop::sample::Index>(), bit in 0..8) {
        let (signing, file) = signed();
        let envelope: Value = serde_json::from_str(&file).unwrap();
        let mut payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
        let at = at.index(payload.len());
        payload[at] ^= 1_u8 << bit;
        let mut altered = envelope;
        altered["payload"] = STANDARD.encode(&payload).into();
        let altered = altered.to_string();
        prop_assert!(verify(altered.as_bytes(), Some(&signing.public())).is_err());
        prop_assert!(verify(altered.as_bytes(), None).is_err());
    }

    fn no_bytes_make_the_check_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(verify(&bytes, None).is_err());
    }
}

fn terms() -> Terms {
    Terms {
        subjects: vec![
            Subject::new("assay", sha256(b"binary")),
            Subject::new("target.toml", sha256(b"t")),
        ],
        seeds: Seeds { first: 1, last: 1 },
        started: "2026-01-02T03:04:05Z".to_owned(),
        finished: "2026-01-02T03:08:05Z".to_owned(),
    }
}

fn key(byte: u8) -> SigningKey {
    SigningKey::read(&hex::encode([byte; 32])).unwrap()
}

fn certificate() -> Statement {
    let certification = assess(core(), &trial(&RUNS));
    statement(&certification, core(), &terms(), Some(&key(7).public()))
}

fn signed() -> (SigningKey, String) {
    let key = key(7);
    let file = seal(certificate().to_json().as_bytes(), Some(&key));
    (key, file)
}

#[test]
fn a_certificate_is_checked_and_told_in_words() {
    let (signing, file) = signed();
    let verified = verify(file.as_bytes(), Some(&signing.public())).unwrap();
    assert!(verified.passed());
    assert_eq!(verified.remarks, [""; 0]);
    assert_eq!(verified.signed, Signed::ByGivenKey(signing.public().id()));
    insta::assert_snapshot!(verified.to_string());
    let named = verify(file.as_bytes(), None).unwrap();
    assert_eq!(named.signed, Signed::ByNamedKey(signing.public().id()));
}

#[test]
fn a_failed_certification_is_told_as_such() {
    let mut run = testing("DEL-01");
    run.judgement.verdict = RunVerdict::Inconclusive;
    run.judgement.doubts = vec!["the control was not found: hex in plain".to_owned()];
    let runs = [run];
    let certification = assess(&small(), &trial(&runs));
    let statement = statement(&certification, &small(), &terms(), None);
    let verified = verify(seal(statement.to_json().as_bytes(), None).as_bytes(), None).unwrap();
    assert!(!verified.passed());
    assert_eq!(verified.signed, Signed::No);
    insta::assert_snapshot!(verified.to_string());
}

#[test]
fn who_signed_is_checked() {
    let (signing, file) = signed();
    let other = key(8).public();
    let refused = verify(file.as_bytes(), Some(&other)).unwrap_err();
    assert!(matches!(refused, Refused::Signature(_)), "{refused}");

    let unsigned = seal(certificate().to_json().as_bytes(), None);
    let refused = verify(unsigned.as_bytes(), Some(&signing.public())).unwrap_err();
    assert!(matches!(refused, Refused::Unsigned(_)), "{refused}");
    // It names a signer, so the signature was taken away.
    let refused = verify(unsigned.as_bytes(), None).unwrap_err();
    assert!(matches!(refused, Refused::Signature(_)), "{refused}");

    // Somebody else signs it and leaves the name.
    let stolen = seal(certificate().to_json().as_bytes(), Some(&key(8)));
    assert!(verify(stolen.as_bytes(), None).is_err());
    let refused = verify(stolen.as_bytes(), Some(&other)).unwrap_err();
    assert!(matches!(refused, Refused::Contradiction(_)), "{refused}");
}

#[test]
fn what_contradicts_itself_is_refused_even_when_signed() {
    fn check(change: impl FnOnce(&mut Predicate), expected: &str) {
        let mut statement = certificate();
        change(&mut statement.predicate);
        let file = seal(statement.to_json().as_bytes(), Some(&key(7)));
        let refused = verify(file.as_bytes(), Some(&key(7).public())).unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused}");
    }
    check(
        |p| p.requirements[0].outcome = Assessment::Failed,
        "its result is PASSED, and WAL-01 is failed",
    );
    let one_more = certificate().predicate.counts.passed + 1;
    check(
        |p| p.counts.passed += 1,
        &format!("it counts {one_more} passed"),
    );
    check(
        |p| p.result = Result::Failed,
        "nothing in it speaks against the target",
    );
    check(
        |p| p.objections.push("one".to_owned()),
        "it lists objections",
    );
    check(|p| p.runs.inconclusive += 1, "runs that prove nothing");
    check(|p| p.runs = RunCounts::default(), "no run held");
    check(
        |p| p.requirements[0].checked = 0,
        "WAL-01 passed and was never tested",
    );
    check(
        |p| p.requirements[0].id = "WAL-03".to_owned(),
        "WAL-03 is listed twice",
    );
    check(
        |p| p.requirements[0].id = "NO-01".to_owned(),
        "has no requirement NO-01",
    );
    check(
        |p| {
            p.requirements.remove(0);
            p.counts.passed -= 1;
        },
        "asks for WAL-01, which it leaves out",
    );
    check(
        |p| {
            p.requirements.clear();
            p.counts.passed = 0;
        },
        "it lists no requirement",
    );
    check(
        |p| p.suite.library.sha256 = "abc".to_owned(),
        "`abc` is not a SHA-256 digest",
    );

    let mut statement = certificate();
    statement.subject.clear();
    let file = seal(statement.to_json().as_bytes(), Some(&key(7)));
    let refused = verify(file.as_bytes(), None).unwrap_err();
    assert!(refused.to_string().contains("about nothing"), "{refused}");
}

#[test]
fn what_other_builds_made_is_valid_and_remarked_upon() {
    let mut statement = certificate();
    let suite = &mut statement.predicate.suite;
    suite.version = "9.9.9".to_owned();
    suite.catalogue.sha256 = sha256(b"another");
    suite.library.sha256 = sha256(b"another");
    statement.predicate.profile.digest.sha256 = sha256(b"another");
    statement.predicate.world = "sim".to_owned();
    let file = seal(statement.to_json().as_bytes(), Some(&key(7)));
    let verified = verify(file.as_bytes(), None).unwrap();
    assert_eq!(verified.remarks.len(), 5, "{:?}", verified.remarks);
}

#[test]
fn what_is_no_certificate_is_refused_and_says_what_was_expected() {
    let envelope = |payload: &Value| seal(payload.to_string().as_bytes(), None);
    let mut later = serde_json::to_value(certificate()).unwrap();
    later["predicateType"] = "urn:assay:certification:2".into();
    let mut more = serde_json::to_value(certificate()).unwrap();
    more["predicate"]["discount"] = 3.into();
    let other_type = json!({ "payloadType": "text/plain", "payload": "", "signatures": [] });
    let no_base64 = json!({ "payloadType": PAYLOAD_TYPE, "payload": "?", "signatures": [] });
    for (file, expected) in [
        (String::new(), "not the JSON of a DSSE envelope"),
        ("{}".to_owned(), "payloadType"),
        (other_type.to_string(), "`text/plain`"),
        (no_base64.to_string(), "not base64"),
        (envelope(&json!({})), "`_type` is `missing`"),
        (envelope(&later), "urn:assay:certification:2"),
        (envelope(&more), "discount"),
    ] {
        let refused = verify(file.as_bytes(), None).unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused}");
    }
}

/// Source: DSSE protocol.md, the test vector of the pre-authentication encoding.
#[test]
fn what_is_signed_is_what_dsse_signs() {
    let encoded = super::envelope::encoding("http://example.com/HelloWorld", b"hello world");
    let expected = "DSSEv1 29 http://example.com/HelloWorld 11 hello world";
    assert_eq!(String::from_utf8(encoded).unwrap(), expected);
}

/// Source: RFC 8410 sections 10.1 and 10.3, one pair of keys.
#[test]
fn keys_are_read_as_openssl_writes_them() {
    let private = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    let public = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";
    let signing = SigningKey::read(private).unwrap();
    let verifying = VerifyingKey::read(public).unwrap();
    assert_eq!(signing.public(), verifying);
    assert_eq!(VerifyingKey::read(&verifying.to_hex()), Ok(verifying));
    assert!(
        !format!("{signing:?}").contains("d4ee72"),
        "a key must not show itself"
    );

    for (text, expected) in [
        ("", "openssl genpkey -algorithm ed25519"),
        ("abcd", "64 hex digits"),
        (public, "this is a public key, and a private key is needed"),
        ("-----BEGIN RSA PRIVATE KEY-----", "neither"),
    ] {
        let error = SigningKey::read(text).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let error = VerifyingKey::read(private).unwrap_err();
    assert!(
        error.to_string().contains("a public key is needed"),
        "{error}"
    );
    let error = VerifyingKey::read(&hex::encode([0xfe; 32])).err();
    assert!(error.is_none() || error == Some(KeyError::Point));
}

#[test]
fn digests_are_those_everybody_computes() {
    assert_eq!(
        sha256(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("abc");
    std::fs::write(&file, b"abc").unwrap();
    assert_eq!(file_digest(&file).unwrap(), sha256(b"abc"));
    assert_eq!(library_digest(), library_digest());
}
