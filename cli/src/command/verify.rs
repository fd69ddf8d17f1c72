//! `assay verify`.

use std::fs;
use std::path::Path;

use assay_conformance::certify::{self, Refused, Signed, Verified, VerifyingKey, file_digest};
use assay_reports::Exit;
use serde_json::{Value, json};

use crate::args::{Format, VerifyArgs};
use crate::failure::{Complaint, Failure};
use crate::output::Output;

pub(crate) fn verify(
    args: &VerifyArgs,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let key = args.key.as_deref().map(read_key).transpose()?;
    let bytes = fs::read(&args.file).map_err(|error| unreadable(&args.file, error))?;
    let verified = certify::verify(&bytes, key.as_ref()).map_err(|refused| {
        let what = format!("{}: {refused}", args.file.display());
        Failure::usage(Complaint::new(what).hint(hint(&refused)))
    })?;
    for file in &args.about {
        is_about(&verified, file)?;
    }
    let exit = if verified.passed() {
        Exit::Held
    } else {
        Exit::Broke
    };
    match format {
        Format::Text => output.text(&verified.to_string()),
        Format::Json => output.json(&as_json(&verified, exit)),
    }
    Ok(exit)
}

fn read_key(path: &Path) -> Result<VerifyingKey, Failure> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
    VerifyingKey::read(&text)
        .map_err(|error| Failure::usage(Complaint::new(format!("{}: {error}", path.display()))))
}

fn unreadable(path: &Path, error: std::io::Error) -> Failure {
    let what = format!("failed to read {}", path.display());
    Failure::usage(Complaint::new(what).because(error))
}

/// Whether the certificate names the content of this file.
fn is_about(verified: &Verified, file: &Path) -> Result<(), Failure> {
    let digest = file_digest(file).map_err(|error| unreadable(file, error))?;
    let subjects = &verified.statement.subject;
    if subjects
        .iter()
        .any(|subject| subject.digest.sha256 == digest)
    {
        return Ok(());
    }
    let known = subjects.iter();
    let known = known.map(|subject| format!("{} {}", subject.name, subject.digest.sha256));
    let what = format!(
        "this certificate is not about {}, whose SHA-256 is {digest}",
        file.display()
    );
    let known = known.collect::<Vec<_>>().join(", ");
    let hint = Some(format!("it is about: {known}"));
    Err(Failure::usage(Complaint::new(what).hint(hint)))
}

fn hint(refused: &Refused) -> Option<String> {
    let hint = match refused {
        Refused::Form(_) => "a certificate is the file that `assay certify` writes",
        Refused::Unsigned(_) => "leave --key out to read what it says, and rely on none of it",
        Refused::Signature(_) => "ask whoever gave it to you for the file as it was signed",
        Refused::Contradiction(_) => "no build of assay writes this; do not rely on it",
    };
    Some(hint.to_owned())
}

fn as_json(verified: &Verified, exit: Exit) -> Value {
    let (signed, key) = match &verified.signed {
        Signed::ByGivenKey(id) => ("by-given-key", Some(id)),
        Signed::ByNamedKey(id) => ("by-named-key", Some(id)),
        Signed::No => ("no", None),
    };
    json!({
        "schema": "assay.verification/1",
        "exit_code": exit.code(),
        "passed": verified.passed(),
        "signed": signed,
        "key": key,
        "remarks": verified.remarks,
        "statement": verified.statement,
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use assay_conformance::certify::{
        Profile, SigningKey, Subject, Terms, Trial, assess, seal, sha256, statement,
    };
    use assay_reports::Seeds;

    use super::*;
    use crate::testing::written;

    const SECRET: &str = "0707070707070707070707070707070707070707070707070707070707070707";

    /// A signed certificate of a target that nothing was tried on, its key, and what it is about.
    fn put(dir: &Path) -> (PathBuf, PathBuf, PathBuf) {
        let (file, key, binary) = (
            dir.join("certificate.json"),
            dir.join("key"),
            dir.join("node"),
        );
        let signing = SigningKey::read(SECRET).unwrap();
        fs::write(&binary, "a binary").unwrap();
        fs::write(&key, signing.public().to_hex()).unwrap();
        let profile = Profile::find("core").unwrap();
        let trial = Trial {
            target: "node",
            world: "live",
            runs: &[],
            mishaps: &[],
            skipped: &[],
            partial: false,
        };
        let terms = Terms {
            subjects: vec![Subject::new("node", sha256(b"a binary"))],
            seeds: Seeds { first: 1, last: 1 },
            started: "2026-01-02T03:04:05Z".to_owned(),
            finished: "2026-01-02T03:04:05Z".to_owned(),
        };
        let certification = assess(profile, &trial);
        let statement = statement(&certification, profile, &terms, Some(&signing.public()));
        fs::write(&file, seal(statement.to_json().as_bytes(), Some(&signing))).unwrap();
        (file, key, binary)
    }

    fn check(args: VerifyArgs, format: Format) -> (Result<Exit, Failure>, String) {
        let mut done = None;
        let text = written(|output| done = Some(verify(&args, format, output)));
        (done.unwrap(), text)
    }

    #[test]
    fn a_failure_is_valid_and_exits_with_one() {
        let dir = tempfile::tempdir().unwrap();
        let (file, key, binary) = put(dir.path());
        let args = || VerifyArgs {
            file: file.clone(),
            key: Some(key.clone()),
            about: vec![binary.clone()],
        };
        let (exit, text) = check(args(), Format::Text);
        assert_eq!(exit.unwrap(), Exit::Broke);
        assert!(text.starts_with("FAILED: node is not certified"), "{text}");
        let (exit, text) = check(args(), Format::Json);
        assert_eq!(exit.unwrap(), Exit::Broke);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["signed"], "by-given-key");
        assert_eq!(value["statement"]["predicate"]["result"], "FAILED");
    }

    #[test]
    fn what_is_not_as_asked_for_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (file, key, binary) = put(dir.path());
        let other = dir.path().join("other");
        fs::write(&other, "00".repeat(31) + "05").unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let altered = dir.path().join("altered.json");
        fs::write(
            &altered,
            text.replacen("\"payload\": \"e", "\"payload\": \"f", 1),
        )
        .unwrap();
        let missing = dir.path().join("missing");
        for (file, key, about, expected) in [
            (&missing, None, None, "failed to read"),
            (&binary, None, None, "no certificate"),
            (&altered, Some(&key), None, "altered since"),
            (&file, Some(&binary), None, "64 hex digits"),
            (&file, Some(&key), Some(&other), "not about"),
        ] {
            let args = VerifyArgs {
                file: file.clone(),
                key: key.cloned(),
                about: about.into_iter().cloned().collect(),
            };
            let (refused, text) = check(args, Format::Text);
            let refused = refused.unwrap_err();
            let told = refused.as_json()["problems"][0]["message"].to_string();
            assert_eq!((refused.exit, text.as_str()), (Exit::Usage, ""));
            assert!(told.contains(expected), "{told}");
        }
    }
}
