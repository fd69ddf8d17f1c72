//! Public notes: the clear metadata beside a credential's content. Source: idos-facts 2.3, 4.4.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The members issuers put into `public_notes` by convention. Members beyond these are left unread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicNotes {
    /// `notes_id`: what the issuer finds the credential by when its status changes.
    pub id: String,
    /// Kind of credential, such as `kyc`; member `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Level as text, because personhood credentials use words outside the KYC grammar.
    pub level: String,
    /// `approved`, `revoked`, or another word of the issuer's.
    pub status: String,
    /// Display name of the issuer; proves nothing.
    pub issuer: String,
}

impl PublicNotes {
    /// JSON without spaces, members in the order idOS writes them; this text is what the issuer signs.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a struct of strings always has a JSON form")
    }

    /// The notes in a text, when all five members are there as strings.
    pub fn parse(text: &str) -> Option<PublicNotes> {
        serde_json::from_str(text).ok()
    }
}

/// The `notes_id` of a text: member `id` of a JSON object, a string that is not empty. Everything else,
/// such as text that is not JSON or a numeric id, has none. The sources are silent about these cases
/// (idos-facts 9.2, question 3); refusing to guess leaves such a credential without issuer edits, which
/// harms nobody else's credential. When a member occurs twice the last one counts, as in PostgreSQL.
pub fn notes_id(text: &str) -> Option<String> {
    member(text, "id").filter(|id| !id.is_empty())
}

/// The status the notes state: member `status` of a JSON object, when it is a string.
pub fn status(text: &str) -> Option<String> {
    member(text, "status")
}

fn member(text: &str, name: &str) -> Option<String> {
    let Ok(Value::Object(mut members)) = serde_json::from_str(text) else {
        return None;
    };
    match members.remove(name) {
        Some(Value::String(value)) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_laws::laws;
    use proptest::prelude::*;

    #[test]
    fn notes_are_written_as_the_sdk_writes_them() {
        let notes = PublicNotes {
            id: "vc-0001".into(),
            kind: "KYC".into(),
            level: "basic".into(),
            status: "approved".into(),
            issuer: "conformance".into(),
        };
        // Text of `cred-1` in tests/vectors/credential_signatures.json.
        let text = r#"{"id":"vc-0001","type":"KYC","level":"basic","status":"approved","issuer":"conformance"}"#;
        assert_eq!(notes.to_text(), text);
        assert_eq!(PublicNotes::parse(text), Some(notes));
        assert_eq!(notes_id(text).as_deref(), Some("vc-0001"));
        assert_eq!(status(text).as_deref(), Some("approved"));
    }

    #[test]
    fn only_a_string_id_of_an_object_is_an_id() {
        let table = [
            (r#"{"id":"a"}"#, Some("a")),
            (r#" {"x":[1,{}],"id":" "} "#, Some(" ")),
            (r#"{"id":"a","id":"b"}"#, Some("b")),
            (r#"{"id":""}"#, None),
            (r#"{"id":7}"#, None),
            (r#"{"id":null}"#, None),
            (r#"{"Id":"a"}"#, None),
            (r#"{"inner":{"id":"a"}}"#, None),
            (r#"["id","a"]"#, None),
            (r#""id""#, None),
            (r#"{"id":"a"} trailing"#, None),
            ("approved", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(notes_id(text).as_deref(), expected, "{text}");
        }
        assert_eq!(status(r#"{"status":""}"#).as_deref(), Some(""));
        assert_eq!(status(r#"{"status":true}"#), None);
    }

    laws! {
        256;

        fn any_text_is_read_without_panic(text in ".*") {
            let _ = (notes_id(&text), status(&text), PublicNotes::parse(&text));
        }

        fn notes_come_back(words in proptest::array::uniform5(".*")) {
            let [id, kind, level, status, issuer] = words;
            let notes = PublicNotes { id, kind, level, status, issuer };
            prop_assert_eq!(PublicNotes::parse(&notes.to_text()), Some(notes));
        }
    }
}
