//! The document: an envelope of who, whom and until when, round the subject's data.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::subject::user_of;
use super::{Level, Subject, VcError, json};
use crate::id::UserId;
use crate::time::BlockTime;

/// Contexts of every document, in order: VC Data Model 1.1, the idOS envelope, Data Integrity.
pub const CREDENTIAL_CONTEXTS: [&str; 3] = [
    "https://www.w3.org/2018/credentials/v1",
    "https://idos-network.github.io/idos-sdk-js/credentials/idos-credentials-v1.json",
    "https://w3id.org/security/data-integrity/v2",
];

const TYPE: &str = "VerifiableCredential";
const ISSUER_PATH: &str = "/issuers/1";
const SUBJECT: &str = "credentialSubject";
/// The one member of a person's subject.
const PERSON: &str = "faceSignUserId";

/// What an issuer decides about a credential before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// `urn:uuid:…`, chosen by the issuer.
    pub id: String,
    /// Where the issuer lives, without a slash at the end; its name is `<issuer_url>/issuers/1`.
    pub issuer_url: String,
    /// What the issuer checked; usually [`Level::derive`] of the subject.
    pub level: Level,
    /// Chain time of issue; also `issuanceDate`.
    pub issued: BlockTime,
    /// When the verification was approved.
    pub approved_at: BlockTime,
    /// First second in which the credential is no longer valid.
    pub expires: BlockTime,
    /// Whom it is about.
    pub subject: Subject,
}

/// What a personhood credential says: that one living person is behind it, and which one, by a name that means
/// nothing anywhere else. Source: idos-facts 4.12.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonDraft {
    /// `urn:uuid:…`, chosen by the issuer.
    pub id: String,
    /// As in [`Draft::issuer_url`].
    pub issuer_url: String,
    /// Chain time of issue.
    pub issued: BlockTime,
    /// First second in which the credential is no longer valid.
    pub expires: BlockTime,
    /// The person's stable id at this issuer.
    pub person: String,
}

/// Whom a document is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The holder of this profile.
    User(UserId),
    /// A person by the id an issuer knows it by, whatever profile it is in.
    Person(String),
}

/// A W3C verifiable credential: a JSON object of which the envelope has been read and found well formed.
/// Nothing changes in it but the proof. Source: idos-facts 4.12.
#[derive(Clone, PartialEq)]
pub struct VerifiableCredential {
    pub(super) document: Map<String, Value>,
    id: String,
    issuer: String,
    level: Level,
    about: About,
    expires: BlockTime,
}

impl VerifiableCredential {
    /// The document a draft describes, still without proof. Times outside the calendar (years -9999 to
    /// 9999) are moved to its ends.
    pub fn build(draft: &Draft) -> VerifiableCredential {
        let about = About::User(draft.subject.user);
        let times = [draft.issued, draft.approved_at, draft.expires];
        let names = (&*draft.id, &*draft.issuer_url);
        VerifiableCredential::envelope(names, draft.level, times, draft.subject.to_json(), about)
    }

    /// A personhood credential, still without proof: its subject is the person's id and nothing else, and so
    /// says neither who it is nor in which profile. Source: idos-facts 4.12, PERS-01.
    pub fn personhood(draft: &PersonDraft) -> VerifiableCredential {
        let level = Level {
            liveness: true,
            ..Level::BASIC
        };
        let subject = json!({ PERSON: draft.person });
        let times = [draft.issued, draft.issued, draft.expires];
        let names = (&*draft.id, &*draft.issuer_url);
        let about = About::Person(draft.person.clone());
        VerifiableCredential::envelope(names, level, times, subject, about)
    }

    fn envelope(
        (id, issuer_url): (&str, &str),
        level: Level,
        [issued, approved_at, expires]: [BlockTime; 3],
        subject: Value,
        about: About,
    ) -> VerifiableCredential {
        let issuer = format!("{issuer_url}{ISSUER_PATH}");
        let members = [
            ("@context", json!(CREDENTIAL_CONTEXTS)),
            ("id", json!(id)),
            ("type", json!([TYPE])),
            ("issuer", json!(issuer)),
            ("level", json!(level.to_string())),
            ("issued", json!(date_text(issued))),
            ("approvedAt", json!(date_text(approved_at))),
            ("issuanceDate", json!(date_text(issued))),
            ("expirationDate", json!(date_text(expires))),
            (SUBJECT, subject),
        ];
        VerifiableCredential {
            document: members
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect(),
            id: id.to_owned(),
            issuer,
            level,
            about,
            expires: BlockTime(instant(expires).as_second()),
        }
    }

    /// Reads a document that may come from anybody. Only the envelope is checked; the subject's data is
    /// read by [`VerifiableCredential::subject`], and nothing is believed before
    /// [`VerifiableCredential::verify`]. Errors: `NotJson`, `AmbiguousJson`, `NotAnObject`,
    /// `MissingField`, `BadField`.
    pub fn parse(bytes: &[u8]) -> Result<VerifiableCredential, VcError> {
        let Value::Object(document) = json::parse(bytes)? else {
            return Err(VcError::NotAnObject);
        };
        let contexts = member(&document, "@context")?.as_array();
        if contexts.and_then(|all| all.first()) != Some(&json!(CREDENTIAL_CONTEXTS[0])) {
            return Err(VcError::BadField { field: "@context" });
        }
        let types = member(&document, "type")?.as_array();
        if !types.is_some_and(|all| all.contains(&json!(TYPE))) {
            return Err(VcError::BadField { field: "type" });
        }
        for field in ["issued", "approvedAt", "issuanceDate"] {
            date(&document, field)?;
        }
        let issuer = text(&document, "issuer")?.to_owned();
        if !issuer.ends_with(ISSUER_PATH) {
            return Err(VcError::BadField { field: "issuer" });
        }
        let level = text(&document, "level")?.parse();
        let subject = member(&document, SUBJECT)?.as_object();
        let subject = subject.ok_or(VcError::BadField { field: SUBJECT })?;
        Ok(VerifiableCredential {
            id: text(&document, "id")?.to_owned(),
            issuer,
            level: level.map_err(|_| VcError::BadField { field: "level" })?,
            about: about(subject)?,
            expires: date(&document, "expirationDate")?,
            document,
        })
    }

    /// Compact JSON in its canonical form (RFC 8785): equal documents have equal bytes, and so equal
    /// content hashes.
    pub fn to_bytes(&self) -> Vec<u8> {
        json::canonical(&self.document)
    }

    /// The credential's own id, usually `urn:uuid:…`; not the id of a row in `credentials`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The issuer as written: `<issuer URL>/issuers/1`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The issuer's URL, as a list of trusted issuers names it.
    pub fn issuer_url(&self) -> &str {
        self.issuer
            .strip_suffix(ISSUER_PATH)
            .unwrap_or(&self.issuer)
    }

    /// Whom the document is about.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The names of what the document says of its subject, in order.
    pub fn claims(&self) -> Vec<&str> {
        let subject = self.document.get(SUBJECT).and_then(Value::as_object);
        subject
            .into_iter()
            .flatten()
            .map(|(name, _)| &**name)
            .collect()
    }

    /// The text at the end of a path of members, from the outside in, joined by points.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        let mut members = path.split('.');
        let first = self.document.get(members.next()?)?;
        members
            .try_fold(first, |value, name| value.as_object()?.get(name))?
            .as_str()
    }

    /// First second in which the credential is no longer valid.
    pub fn expires(&self) -> BlockTime {
        self.expires
    }

    /// What the issuer says it checked.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The subject's data. Errors: `MissingField`, `BadField`.
    pub fn subject(&self) -> Result<Subject, VcError> {
        Subject::from_json(member(&self.document, SUBJECT)?)
    }
}

// A document is long and personal; its id tells which one it is.
impl fmt::Debug for VerifiableCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiableCredential({})", self.id)
    }
}

/// A moment as documents write it: ISO 8601, UTC, whole seconds.
pub(super) fn date_text(time: BlockTime) -> String {
    instant(time).to_string()
}

fn instant(time: BlockTime) -> Timestamp {
    let ends = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    Timestamp::from_second(time.0.clamp(*ends.start(), *ends.end())).unwrap_or_default()
}

fn member<'a>(document: &'a Map<String, Value>, field: &'static str) -> Result<&'a Value, VcError> {
    document.get(field).ok_or(VcError::MissingField { field })
}

/// A subject is a person, and then nothing but that, or a user.
fn about(subject: &Map<String, Value>) -> Result<About, VcError> {
    match (subject.get(PERSON), subject.len()) {
        (None, _) => Ok(About::User(user_of(subject)?)),
        (Some(Value::String(person)), 1) if !person.is_empty() => Ok(About::Person(person.clone())),
        (Some(_), _) => Err(VcError::BadField { field: PERSON }),
    }
}

fn text<'a>(document: &'a Map<String, Value>, field: &'static str) -> Result<&'a str, VcError> {
    member(document, field)?
        .as_str()
        .ok_or(VcError::BadField { field })
}

pub(super) fn date(
    document: &Map<String, Value>,
    field: &'static str,
) -> Result<BlockTime, VcError> {
    let instant: Result<Timestamp, _> = text(document, field)?.parse();
    instant
        .map(|instant| BlockTime(instant.as_second()))
        .map_err(|_| VcError::BadField { field })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::vc::File;
    use crate::vc::subject::tests::{alice, bob};
    use assay_laws::laws;
    use proptest::prelude::*;

    pub(in crate::vc) fn draft(subject: Subject) -> Draft {
        Draft {
            id: "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33".into(),
            issuer_url: "https://issuer.example".into(),
            level: Level::derive(&subject),
            issued: BlockTime(1_767_225_600),
            approved_at: BlockTime(1_767_225_000),
            expires: BlockTime(1_924_992_000),
            subject,
        }
    }

    /// Bytes without zeros and without characters JSON escapes after encoding.
    fn photo(len: usize) -> File {
        File(vec![0x5a; len].into())
    }

    #[test]
    fn the_envelope_reads_as_idos_writes_it() {
        let credential = VerifiableCredential::build(&draft(alice()));
        let json: Value = serde_json::from_slice(&credential.to_bytes()).unwrap();
        let table = [
            ("issuer", "https://issuer.example/issuers/1"),
            ("level", "plus+liveness+email+phoneNumber"),
            ("issued", "2026-01-01T00:00:00Z"),
            ("approvedAt", "2025-12-31T23:50:00Z"),
            ("issuanceDate", "2026-01-01T00:00:00Z"),
            ("expirationDate", "2031-01-01T00:00:00Z"),
        ];
        for (name, text) in table {
            assert_eq!(json[name], text, "{name}");
        }
        assert_eq!(json["@context"], json!(CREDENTIAL_CONTEXTS));
        assert_eq!(json["type"], json!(["VerifiableCredential"]));
        assert_eq!(json["credentialSubject"], alice().to_json());
    }

    #[test]
    fn a_document_comes_back_from_its_bytes() {
        for subject in [alice(), bob()] {
            let built = VerifiableCredential::build(&draft(subject.clone()));
            let read = VerifiableCredential::parse(&built.to_bytes()).unwrap();
            assert_eq!(read, built);
            assert_eq!(read.subject().unwrap(), subject);
            assert_eq!(*read.about(), About::User(subject.user));
            assert_eq!(read.issuer_url(), "https://issuer.example");
            assert_eq!(read.expires(), BlockTime(1_924_992_000));
            assert_eq!(read.level(), Level::derive(&subject));
        }
    }

    #[test]
    fn a_person_is_an_id_and_nothing_else() {
        let built = VerifiableCredential::personhood(&PersonDraft {
            id: "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33".into(),
            issuer_url: "https://issuer.example".into(),
            issued: BlockTime(1_767_225_600),
            expires: BlockTime(1_924_992_000),
            person: "somebody".into(),
        });
        assert_eq!(built.claims(), ["faceSignUserId"]);
        let read = VerifiableCredential::parse(&built.to_bytes()).unwrap();
        assert_eq!(*read.about(), About::Person("somebody".into()));
        assert!(read.subject().is_err());
        for subject in [
            json!({"faceSignUserId": "somebody", "firstName": "Alice"}),
            json!({"faceSignUserId": ""}),
            json!({"faceSignUserId": 7}),
        ] {
            let mut wrong = built.clone();
            wrong.document.insert(SUBJECT.to_owned(), subject);
            let error = VerifiableCredential::parse(&wrong.to_bytes()).unwrap_err();
            assert_eq!(error.code(), "bad-field");
        }
    }

    #[test]
    fn times_outside_the_calendar_still_make_a_document() {
        for time in [i64::MIN, i64::MAX] {
            let built = VerifiableCredential::build(&Draft {
                expires: BlockTime(time),
                ..draft(bob())
            });
            assert_eq!(VerifiableCredential::parse(&built.to_bytes()), Ok(built));
        }
    }

    #[test]
    fn every_member_of_the_envelope_is_required_and_checked() {
        let whole: Value =
            serde_json::from_slice(&VerifiableCredential::build(&draft(bob())).to_bytes()).unwrap();
        for name in whole.as_object().unwrap().keys() {
            let mut without = whole.clone();
            without.as_object_mut().unwrap().remove(name);
            let error = VerifiableCredential::parse(without.to_string().as_bytes()).unwrap_err();
            assert_eq!(error.code(), "missing-field", "{name}");
            let mut wrong = whole.clone();
            wrong[name] = json!(["no"]);
            let error = VerifiableCredential::parse(wrong.to_string().as_bytes()).unwrap_err();
            assert_eq!(error.code(), "bad-field", "{name}");
        }
        for text in ["[]", "null", "\"{}\"", "7"] {
            assert_eq!(
                VerifiableCredential::parse(text.as_bytes()),
                Err(VcError::NotAnObject)
            );
        }
    }

    #[test]
    fn files_tune_a_document_from_two_to_sixty_kibibytes() {
        let len = |front: usize, selfie: usize| {
            let subject = Subject {
                id_document_front_file: photo(front),
                selfie_file: photo(selfie),
                ..bob()
            };
            VerifiableCredential::build(&draft(subject))
                .to_bytes()
                .len()
        };
        let empty = len(0, 0);
        assert!(empty < 1536, "{empty}");
        for kib in 2..=60 {
            let target = kib * 1024;
            let bytes = (target - empty) * 4 / 5;
            let found = len(bytes / 2, bytes - bytes / 2);
            assert!(found.abs_diff(target) < 24, "{found} for {target}");
        }
    }

    laws! {
        256;

        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = VerifiableCredential::parse(&bytes);
        }

        fn cut_documents_are_read_without_panic(at in any::<proptest::sample::Index>()) {
            let bytes = VerifiableCredential::build(&draft(alice())).to_bytes();
            prop_assert!(VerifiableCredential::parse(&bytes[..at.index(bytes.len())]).is_err());
        }
    }
}
