//! A certification as an in-toto statement: what exactly was tested, with what, and what came of it.
//!
//! Source: in-toto attestation framework, Statement v1.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use assay_model::catalogue::{self, RequirementLevel};
use assay_reports::certification::{Assessment, Counts, RunCounts};
use assay_reports::{Certification, Seeds, Untestable};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Profile;
use super::envelope::VerifyingKey;

/// What a statement is.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// What it states. A number higher means another form.
pub const PREDICATE_TYPE: &str = "urn:assay:certification:1";

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What it states.
    pub predicate: Predicate,
}

/// A file it is about: the target's binary, or the file that describes the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What it is called.
    pub name: String,
    /// What it holds.
    pub digest: Digest,
}

impl Subject {
    /// A file by the digest of its content.
    pub fn new(name: impl Into<String>, sha256: impl Into<String>) -> Subject {
        Subject {
            name: name.into(),
            digest: Digest::of(sha256),
        }
    }
}

/// A digest by algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// SHA-256, in hex.
    pub sha256: String,
}

impl Digest {
    fn of(sha256: impl Into<String>) -> Digest {
        Digest {
            sha256: sha256.into(),
        }
    }
}

/// What a certification came to, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Predicate {
    /// Whether the target is certified, so that a failure cannot be mistaken for a certificate.
    pub result: Result,
    /// What was certified.
    pub target: String,
    /// What was asked for.
    pub profile: ProfileRef,
    /// What it was tested with.
    pub suite: Suite,
    /// Where the stories took place.
    pub world: String,
    /// The seeds every story ran with, both ends included.
    pub seeds: [u64; 2],
    /// When the first story began, as RFC 3339; from whoever certified.
    pub started: String,
    /// When the last one ended.
    pub finished: String,
    /// How many requirements came to what.
    pub counts: Counts,
    /// How many runs ended how.
    pub runs: RunCounts,
    /// Every requirement of the profile.
    pub requirements: Vec<RequirementRef>,
    /// What speaks against the target besides them.
    pub objections: Vec<String>,
    /// Stories that could not be tried.
    pub untestable: Vec<Untestable>,
    /// Requirements outside the profile that were seen broken.
    pub beside: Vec<String>,
    /// What nobody may conclude from it.
    pub does_not_state: Vec<String>,
    /// The public key of whoever signed, in hex; nothing when nobody did.
    pub signer: Option<String>,
}

/// Whether a target is certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Result {
    Passed,
    Failed,
}

/// A profile by name and content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct ProfileRef {
    pub name: String,
    pub text: String,
    pub digest: Digest,
}

/// The harness by version and content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Of the file of requirements.
    pub catalogue: Digest,
    /// Of the library of stories.
    pub library: Digest,
}

impl Suite {
    /// This build.
    pub fn this() -> Suite {
        Suite {
            name: "assay".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            catalogue: Digest::of(sha256(catalogue::SOURCE.as_bytes())),
            library: Digest::of(library_digest()),
        }
    }
}

/// A requirement and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct RequirementRef {
    pub id: String,
    pub level: RequirementLevel,
    pub outcome: Assessment,
    /// How often it was really tested.
    pub checked: u64,
    /// The stories that tested it.
    pub stories: Vec<String>,
    /// Why it did not pass, or what else would have tested it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What whoever certifies knows and the runs do not tell.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What the statement is about; the target's binary first.
    pub subjects: Vec<Subject>,
    /// The seeds every story ran with.
    pub seeds: Seeds,
    /// When the first story began, as RFC 3339.
    pub started: String,
    /// When the last one ended.
    pub finished: String,
}

/// What nobody may conclude from a certificate.
fn does_not_state(certification: &Certification) -> Vec<String> {
    const ALWAYS: [&str; 6] = [
        "that the target is free of defects: what no story tried may be broken",
        "anything about another binary, configuration or version than those whose digests it names",
        "anything about requirements outside the profile",
        "that whoever operates the target is honest: an operator may run something else",
        "anything about the software of wallets, issuers and consumers, which the harness played itself",
        "that nothing secret is on a disk in a form that the search does not know, such as another packing",
    ];
    const HURRIED: &str =
        "that locks hold for years: its clock cannot be set, and long waits were cut to seconds";
    let hurried = (certification.runs.hurried > 0).then_some(HURRIED);
    ALWAYS
        .into_iter()
        .chain(hurried)
        .map(str::to_owned)
        .collect()
}

/// The statement of a certification, to be signed by `signer` if there is one. A target that is not
/// certified gets a statement too, and it says so.
pub fn statement(
    certification: &Certification,
    profile: &Profile,
    terms: &Terms,
    signer: Option<&VerifyingKey>,
) -> Statement {
    let requirements = certification.rows.iter().map(|row| RequirementRef {
        id: row.requirement.id.clone(),
        level: row.requirement.level,
        outcome: row.outcome,
        checked: row.checked,
        stories: row.stories.clone(),
        why: row.why.clone(),
    });
    let predicate = Predicate {
        result: if certification.certified() {
            Result::Passed
        } else {
            Result::Failed
        },
        target: certification.target.clone(),
        profile: ProfileRef {
            name: profile.name.clone(),
            text: profile.text.clone(),
            digest: Digest::of(profile.digest()),
        },
        suite: Suite::this(),
        world: certification.world.clone(),
        seeds: [terms.seeds.first, terms.seeds.last],
        started: terms.started.clone(),
        finished: terms.finished.clone(),
        counts: certification.counts(),
        runs: certification.runs,
        requirements: requirements.collect(),
        objections: certification.objections.clone(),
        untestable: certification.untestable.clone(),
        beside: certification.beside.clone(),
        does_not_state: does_not_state(certification),
        signer: signer.map(VerifyingKey::to_hex),
    };
    Statement {
        kind: STATEMENT_TYPE.to_owned(),
        subject: terms.subjects.clone(),
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate,
    }
}

impl Statement {
    /// Its bytes, the payload of an envelope.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("every key is text")
    }
}

/// SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// SHA-256 of a file's content, in hex.
pub fn file_digest(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut std::fs::File::open(path)?, &mut hasher)?;
    Ok(hex::encode(hasher.finalize()))
}

/// SHA-256 over every story of the library by name: the name, a line end, the digest of its text, a line
/// end. In hex.
pub fn library_digest() -> String {
    let stories: BTreeMap<String, String> = assay_scenarios::library()
        .into_iter()
        .map(|story| (story.name, sha256(story.text.as_bytes())))
        .collect();
    let lines = stories
        .iter()
        .flat_map(|(name, digest)| [name, "\n", digest, "\n"]);
    sha256(lines.collect::<String>().as_bytes())
}
