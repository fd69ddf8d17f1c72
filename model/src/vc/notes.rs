//! Public notes: the clear metadata beside a credential's content. Source: idos-facts 2.3, 4.4.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::crypto::{Identity, SigningKey, Suite, sign_text, verify_text};
use crate::time::BlockTime;

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
    /// When the issuer stated this, UNIX seconds; today's notes do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_at: Option<i64>,
    /// The issuer's signature over the statement, hex; today's notes have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement_signature: Option<String>,
}

impl PublicNotes {
    /// JSON without spaces, members in the order idOS writes them; this text is what the issuer signs.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a struct of strings always has a JSON form")
    }

    /// The notes in a text, when the first five members are there as strings.
    pub fn parse(text: &str) -> Option<PublicNotes> {
        serde_json::from_str(text).ok()
    }

    /// The same as a statement: dated, and signed by the issuer.
    #[must_use]
    pub fn stated(self, suite: &dyn Suite, key: &SigningKey, at: BlockTime) -> PublicNotes {
        let signature = sign_text(suite, key, &self.statement(at));
        PublicNotes {
            stated_at: Some(at.0),
            statement_signature: Some(signature.to_string()),
            ..self
        }
    }

    /// When this issuer stated the status; nothing when the notes are not its statement.
    pub fn stated_by(&self, suite: &dyn Suite, issuer: &Identity) -> Option<BlockTime> {
        let (at, signature) = (
            BlockTime(self.stated_at?),
            self.statement_signature.as_ref()?,
        );
        verify_text(suite, issuer, self.statement(at), signature).then_some(at)
    }

    /// What the issuer signs. The first line keeps it apart from notes, which the issuer signs as they are.
    fn statement(&self, at: BlockTime) -> String {
        format!(
            "operation: statusStatement\nid: {}\ntype: {}\nlevel: {}\nstatus: {}\nstatedAt: {}",
            self.id, self.kind, self.level, self.status, at.0
        )
    }
}

/// An issuer's word that its key is no longer good: whoever has the key may say so, since nothing is gained by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDeclaration {
    /// The key, as callers are named.
    pub key: String,
    /// First second of what is not to be believed any more.
    pub from: BlockTime,
    /// Of the key itself, hex.
    pub signature: String,
}

impl KeyDeclaration {
    /// Signed with the key that it is about.
    pub fn sign(suite: &dyn Suite, key: &SigningKey, from: BlockTime) -> KeyDeclaration {
        let mut declaration = KeyDeclaration {
            key: suite.identity(key).caller(),
            from,
            signature: String::new(),
        };
        declaration.signature = sign_text(suite, key, &declaration.text()).to_string();
        declaration
    }

    /// Whether the key that it is about signed it.
    pub fn is_of(&self, suite: &dyn Suite, key: &Identity) -> bool {
        key.caller() == self.key && verify_text(suite, key, self.text(), &self.signature)
    }

    fn text(&self) -> String {
        format!(
            "operation: keyDeclaration\nkey: {}\ninvalidFrom: {}",
            self.key, self.from.0
        )
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
    use crate::crypto::{Scheme, Symbolic};
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
            stated_at: None,
            statement_signature: None,
        };
        // Text of `cred-1` in tests/vectors/credential_signatures.json.
        let text = r#"{"id":"vc-0001","type":"KYC","level":"basic","status":"approved","issuer":"conformance"}"#;
        assert_eq!(notes.to_text(), text);
        assert_eq!(PublicNotes::parse(text), Some(notes));
        assert_eq!(notes_id(text).as_deref(), Some("vc-0001"));
        assert_eq!(status(text).as_deref(), Some("approved"));
    }

    #[test]
    fn a_statement_is_the_issuers_for_these_words_and_this_date() {
        let suite = Symbolic;
        let key = |byte| SigningKey {
            scheme: Scheme::Ed25519,
            secret: [byte; 32],
        };
        let (issuer, other) = (suite.identity(&key(1)), suite.identity(&key(2)));
        let unsigned = PublicNotes {
            id: "vc-0001".into(),
            kind: "KYC".into(),
            level: "basic".into(),
            status: "approved".into(),
            issuer: "conformance".into(),
            stated_at: None,
            statement_signature: None,
        };
        let stated = unsigned.clone().stated(&suite, &key(1), BlockTime(7));
        let read = PublicNotes::parse(&stated.to_text()).unwrap();
        assert_eq!(read.stated_by(&suite, &issuer), Some(BlockTime(7)));
        assert_eq!(read.stated_by(&suite, &other), None);
        assert_eq!(unsigned.stated_by(&suite, &issuer), None);
        let changes: [fn(&mut PublicNotes); 6] = [
            |notes| notes.id.push('0'),
            |notes| notes.kind.push('0'),
            |notes| notes.level.push('0'),
            |notes| notes.status = "revoked".into(),
            |notes| notes.stated_at = Some(8),
            |notes| notes.stated_at = None,
        ];
        for change in changes {
            let mut changed = stated.clone();
            change(&mut changed);
            assert_eq!(changed.stated_by(&suite, &issuer), None, "{changed:?}");
        }
    }

    #[test]
    fn a_key_is_declared_invalid_by_itself_alone() {
        let suite = Symbolic;
        let key = |byte| SigningKey {
            scheme: Scheme::Ed25519,
            secret: [byte; 32],
        };
        let (own, other) = (suite.identity(&key(1)), suite.identity(&key(2)));
        let declared = KeyDeclaration::sign(&suite, &key(1), BlockTime(7));
        assert!(declared.is_of(&suite, &own) && !declared.is_of(&suite, &other));
        let from = BlockTime(6);
        let earlier = KeyDeclaration {
            from,
            ..declared.clone()
        };
        assert!(!earlier.is_of(&suite, &own));
        let key_of = other.caller();
        let foreign = KeyDeclaration {
            key: key_of,
            ..declared
        };
        assert!(!foreign.is_of(&suite, &other));
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
            let (stated_at, statement_signature) = (None, None);
            let notes = PublicNotes { id, kind, level, status, issuer, stated_at, statement_signature };
            prop_assert_eq!(PublicNotes::parse(&notes.to_text()), Some(notes));
        }
    }
}
