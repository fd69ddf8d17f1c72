//! The check of a certificate: is it one, who signed it, does it agree with itself, and what does it say.

use std::fmt;

use assay_model::catalogue;
use assay_reports::certification::{Assessment, Counts};
use assay_reports::text::wrap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Profile;
use super::envelope::{Envelope, PAYLOAD_TYPE, VerifyingKey};
use super::statement::{
    PREDICATE_TYPE, Predicate, Result as Outcome, STATEMENT_TYPE, Statement, Suite,
};

/// Bytes a certificate may have; one of the whole catalogue has some 40 thousand.
const LONGEST: usize = 16 << 20;

/// Why a file is no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It does not have the form of one.
    #[error("this is no certificate: {0}")]
    Form(String),
    /// A key was given, and nobody signed.
    #[error("this certificate is not signed, and a signature by {0} was asked for")]
    Unsigned(String),
    /// No signature is by the key it should be by.
    #[error(
        "no signature on this certificate is by {0}: it was signed by somebody else, or altered since"
    )]
    Signature(String),
    /// It says of itself what cannot all be true.
    #[error("this certificate contradicts itself: {}", .0.join("; "))]
    Contradiction(Vec<String>),
}

/// Who answers for a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The holder of the key that was given.
    ByGivenKey(String),
    /// The holder of the key it names itself; it is as that holder signed it, whoever that is.
    ByNamedKey(String),
    /// Nobody.
    No,
}

/// A certificate that is one, and agrees with itself.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What it states.
    pub statement: Statement,
    /// Who answers for it.
    pub signed: Signed,
    /// Where it differs from what this build knows, one sentence each. None of it makes it invalid.
    pub remarks: Vec<String>,
}

/// Checks the content of a certificate's file. With a key, a signature by it is asked for; without one, a
/// signature is checked against the key the certificate names.
///
/// # Errors
///
/// See [`Refused`].
pub fn verify(bytes: &[u8], key: Option<&VerifyingKey>) -> Result<Verified, Refused> {
    let form = |what: String| Refused::Form(what);
    if bytes.len() > LONGEST {
        return Err(form(format!(
            "it has {} bytes, and {LONGEST} are the most",
            bytes.len()
        )));
    }
    let envelope: Envelope = serde_json::from_slice(bytes)
        .map_err(|error| form(format!("it is not the JSON of a DSSE envelope: {error}")))?;
    if envelope.payload_type != PAYLOAD_TYPE {
        let found = &envelope.payload_type;
        return Err(form(format!(
            "its payload is `{found}`, and should be `{PAYLOAD_TYPE}`"
        )));
    }
    let payload = STANDARD
        .decode(&envelope.payload)
        .map_err(|error| form(format!("its payload is not base64: {error}")))?;
    // A signature by the key asked for is looked for before anything in the payload is believed.
    if let Some(key) = key {
        check_signature(&envelope, &payload, key)?;
    }
    let statement = read(&payload)?;
    let signed = signed(&envelope, &payload, &statement.predicate, key)?;
    let contradictions = contradictions(&statement);
    if !contradictions.is_empty() {
        return Err(Refused::Contradiction(contradictions));
    }
    let remarks = remarks(&statement.predicate);
    Ok(Verified {
        statement,
        signed,
        remarks,
    })
}

fn check_signature(envelope: &Envelope, payload: &[u8], key: &VerifyingKey) -> Result<(), Refused> {
    if envelope.signatures.is_empty() {
        return Err(Refused::Unsigned(key.id()));
    }
    let by_it = envelope
        .signatures
        .iter()
        .any(|entry| key.signed(payload, &entry.sig));
    by_it
        .then_some(())
        .ok_or_else(|| Refused::Signature(key.id()))
}

fn signed(
    envelope: &Envelope,
    payload: &[u8],
    predicate: &Predicate,
    key: Option<&VerifyingKey>,
) -> Result<Signed, Refused> {
    let Some(named) = &predicate.signer else {
        return match (key, envelope.signatures.is_empty()) {
            (Some(key), _) => Ok(Signed::ByGivenKey(key.id())),
            (None, true) => Ok(Signed::No),
            (None, false) => Err(Refused::Form(
                "it is signed and names no signer, so a key must be given to check it".to_owned(),
            )),
        };
    };
    let named = VerifyingKey::read(named)
        .map_err(|_| Refused::Form("the signer it names is not a public key".to_owned()))?;
    match key {
        Some(key) if *key == named => Ok(Signed::ByGivenKey(key.id())),
        Some(key) => Err(Refused::Contradiction(vec![format!(
            "it is signed by {} and names {} as its signer",
            key.id(),
            named.id()
        )])),
        None => {
            // What names a signer and carries no signature had one taken away.
            if envelope.signatures.is_empty() {
                return Err(Refused::Signature(named.id()));
            }
            check_signature(envelope, payload, &named)?;
            Ok(Signed::ByNamedKey(named.id()))
        }
    }
}

fn read(payload: &[u8]) -> Result<Statement, Refused> {
    let form = |what: String| Refused::Form(what);
    let value: serde_json::Value = serde_json::from_slice(payload)
        .map_err(|error| form(format!("its payload is not JSON: {error}")))?;
    for (field, expected) in [("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)] {
        let found = value.get(field).and_then(serde_json::Value::as_str);
        if found != Some(expected) {
            let found = found.unwrap_or("missing");
            return Err(form(format!(
                "`{field}` is `{found}`, and should be `{expected}`"
            )));
        }
    }
    serde_json::from_value(value).map_err(|error| {
        form(format!(
            "its statement does not have the form of one: {error}"
        ))
    })
}

/// What cannot all be true, one sentence each.
fn contradictions(statement: &Statement) -> Vec<String> {
    let predicate = &statement.predicate;
    let mut found = Vec::new();
    if statement.subject.is_empty() {
        found.push("it is about nothing: no subject is named".to_owned());
    }
    let digests = statement
        .subject
        .iter()
        .map(|subject| &subject.digest.sha256);
    let own = [
        &predicate.suite.catalogue.sha256,
        &predicate.suite.library.sha256,
        &predicate.profile.digest.sha256,
    ];
    for digest in digests.chain(own) {
        if hex::decode(digest).map_or(true, |bytes| bytes.len() != 32) {
            found.push(format!("`{digest}` is not a SHA-256 digest"));
        }
    }
    let counted = Counts::of(predicate.requirements.iter().map(|row| row.outcome));
    if counted != predicate.counts {
        found.push(format!(
            "it counts {}, and lists {}",
            counts(predicate.counts),
            counts(counted)
        ));
    }
    found.extend(against_the_result(predicate));
    for (index, row) in predicate.requirements.iter().enumerate() {
        if predicate.requirements[..index]
            .iter()
            .any(|other| other.id == row.id)
        {
            found.push(format!("{} is listed twice", row.id));
        }
        if row.outcome == Assessment::Passed && row.checked == 0 {
            found.push(format!("{} passed and was never tested", row.id));
        }
    }
    found.extend(against_this_build(predicate));
    found
}

/// What does not go with the result it gives.
fn against_the_result(predicate: &Predicate) -> Vec<String> {
    let mut found = Vec::new();
    let passed = |outcome| outcome == Assessment::Passed;
    let clean = predicate.requirements.iter().all(|row| passed(row.outcome))
        && !predicate.requirements.is_empty()
        && predicate.objections.is_empty();
    match predicate.result {
        Outcome::Passed => {
            let not_passed = predicate.requirements.iter();
            let not_passed = not_passed.filter(|row| !passed(row.outcome));
            found.extend(
                not_passed
                    .map(|row| format!("its result is PASSED, and {} is {}", row.id, row.outcome)),
            );
            if predicate.requirements.is_empty() {
                found.push("its result is PASSED, and it lists no requirement".to_owned());
            }
            if !predicate.objections.is_empty() {
                found.push("its result is PASSED, and it lists objections".to_owned());
            }
            let runs = predicate.runs;
            if runs.inconclusive + runs.spoilt + runs.stale_expectation > 0 {
                found
                    .push("its result is PASSED, and it counts runs that prove nothing".to_owned());
            }
            if runs.held + runs.violated == 0 {
                found.push("its result is PASSED, and no run held".to_owned());
            }
        }
        Outcome::Failed if clean => {
            found.push(
                "its result is FAILED, and nothing in it speaks against the target".to_owned(),
            );
        }
        Outcome::Failed => {}
    }
    found
}

/// What does not go with a catalogue and a profile that are those of this build.
fn against_this_build(predicate: &Predicate) -> Vec<String> {
    let mut found = Vec::new();
    if predicate.suite.catalogue != Suite::this().catalogue {
        return found;
    }
    for row in &predicate.requirements {
        match catalogue::find(&row.id) {
            None => found.push(format!(
                "the catalogue it names has no requirement {}",
                row.id
            )),
            Some(known) if known.level != row.level => found.push(format!(
                "{} is a {} in the catalogue it names, and a {} here",
                row.id, known.level, row.level
            )),
            Some(_) => {}
        }
    }
    let known = Profile::find(&predicate.profile.name);
    let known = known.filter(|known| known.digest() == predicate.profile.digest.sha256);
    if let Some(known) = known {
        let listed = |id: &str| predicate.requirements.iter().any(|row| row.id == id);
        let missing = known.requirements.iter().filter(|r| !listed(&r.id));
        found.extend(missing.map(|r| {
            format!(
                "profile {} asks for {}, which it leaves out",
                known.name, r.id
            )
        }));
        let foreign = predicate.requirements.iter();
        let foreign = foreign.filter(|row| !known.asks_for(&row.id));
        found.extend(foreign.map(|row| {
            format!(
                "profile {} does not ask for {}, which it lists",
                known.name, row.id
            )
        }));
    }
    found
}

/// Where it differs from what this build knows.
fn remarks(predicate: &Predicate) -> Vec<String> {
    let this = Suite::this();
    let suite = &predicate.suite;
    let mut remarks = Vec::new();
    if predicate.world != "live" {
        remarks.push(format!(
            "It comes from the {} world, where none of the files it names took part.",
            predicate.world
        ));
    }
    if suite.version != this.version {
        remarks.push(format!(
            "It was made with version {} of the suite; this is {}.",
            suite.version, this.version
        ));
    }
    if suite.catalogue != this.catalogue {
        remarks.push(
            "It was made against another catalogue of requirements than this build's.".to_owned(),
        );
    }
    if suite.library != this.library {
        remarks.push("It was made with another library of stories than this build's.".to_owned());
    }
    let name = &predicate.profile.name;
    match Profile::find(name) {
        None => remarks.push(format!("This build has no profile {name}.")),
        Some(known) if known.digest() != predicate.profile.digest.sha256 => remarks.push(format!(
            "Its profile {name} is not the {name} of this build: read the list of requirements."
        )),
        Some(_) => {}
    }
    remarks
}

fn counts(counts: Counts) -> String {
    let parts = Assessment::ALL.map(|outcome| format!("{} {outcome}", counts.get(outcome)));
    parts.join(", ")
}

impl Verified {
    /// Whether it says that the target is certified.
    pub fn passed(&self) -> bool {
        self.statement.predicate.result == Outcome::Passed
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let predicate = &self.statement.predicate;
        let (passed, total) = (predicate.counts.passed, predicate.counts.total());
        let profile = &predicate.profile.name;
        let mut out = String::new();
        let mut line = |indent: &str, text: &str| wrap(&mut out, indent, text.split(' '));
        let verdict = match predicate.result {
            Outcome::Passed => format!(
                "PASSED: {} is certified for profile {profile}, {passed} of {total} requirements",
                predicate.target
            ),
            Outcome::Failed => format!(
                "FAILED: {} is not certified for profile {profile}, {passed} of {total} requirements passed",
                predicate.target
            ),
        };
        line("", &verdict);
        line(
            "",
            &match &self.signed {
                Signed::ByGivenKey(id) => format!("Signed by the key given, {id}."),
                Signed::ByNamedKey(id) => format!(
                    "Signed by {id}, the key it names itself: it was not altered since, and anyone may hold \
                 that key. Give --key to check who signed."
                ),
                Signed::No => "NOT SIGNED: anyone may have written or altered this.".to_owned(),
            },
        );
        line("", "\nIt states");
        line(
            "  ",
            &format!(
                "- that {} ran in the {} world",
                predicate.target, predicate.world
            ),
        );
        for subject in &self.statement.subject {
            let digest = &subject.digest.sha256;
            line("  ", &format!("- about {}, SHA-256 {digest}", subject.name));
        }
        let [first, last] = predicate.seeds;
        let seeds = match first == last {
            true => format!("seed {first}"),
            false => format!("seeds {first}..{last}"),
        };
        line(
            "  ",
            &format!(
                "- from {} to {}, with {} {} and {seeds}",
                predicate.started,
                predicate.finished,
                predicate.suite.name,
                predicate.suite.version
            ),
        );
        line(
            "  ",
            &format!(
                "- of profile {profile} ({}): {}",
                predicate.profile.text,
                counts(predicate.counts)
            ),
        );
        let open = predicate.requirements.iter();
        for row in open.filter(|row| row.outcome != Assessment::Passed) {
            let why = row.why.as_deref().unwrap_or("no reason is given");
            line("    ", &format!("{} {}: {why}", row.id, row.outcome));
        }
        for objection in &predicate.objections {
            line("    ", objection);
        }
        for story in &predicate.untestable {
            line(
                "  ",
                &format!("- {} could not be tried: {}", story.story, story.reason),
            );
        }
        if !predicate.beside.is_empty() {
            line(
                "  ",
                &format!(
                    "- broken outside the profile: {}",
                    predicate.beside.join(", ")
                ),
            );
        }
        line("", "\nIt does not state");
        for sentence in &predicate.does_not_state {
            line("  ", &format!("- {sentence}"));
        }
        if !self.remarks.is_empty() {
            line("", "\nAgainst this build");
            for remark in &self.remarks {
                line("  ", &format!("- {remark}"));
            }
        }
        f.write_str(&out)
    }
}
