//! What every action that writes a credential brings along: a row and the signatures under it.

use std::sync::LazyLock;

use super::action::Action;
use super::tables::Content;
use crate::id::{CredentialId, Text};

/// The part of an action's arguments that makes a row of `credentials`. See the module.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Written<'a> {
    pub id: CredentialId,
    pub issuer_auth_public_key: &'a Text,
    pub encryptor_public_key: &'a Text,
    pub content: &'a Content,
    pub public_notes: &'a Text,
    pub public_notes_signature: &'a Text,
    pub broader_signature: &'a Text,
}

/// Copies have no notes of their own.
static NO_NOTES: LazyLock<Text> = LazyLock::new(|| "".into());

impl<'a> Written<'a> {
    /// Every credential an action writes; most actions write none.
    pub fn all(action: &'a Action) -> impl Iterator<Item = Written<'a>> {
        let delegated = Written::delegated(action).into_iter().flatten();
        Written::of(action).into_iter().chain(delegated)
    }

    /// The original and the copy that come under a dWG; other actions bring no two.
    pub fn delegated(action: &'a Action) -> Option<[Written<'a>; 2]> {
        let Action::CreateCredentialsByDwg {
            issuer_auth_public_key,
            original_encryptor_public_key,
            original_credential_id,
            original_content,
            original_public_notes,
            original_public_notes_signature,
            original_broader_signature,
            copy_encryptor_public_key,
            copy_credential_id,
            copy_content,
            copy_public_notes_signature,
            copy_broader_signature,
            ..
        } = action
        else {
            return None;
        };
        let original = Written {
            id: *original_credential_id,
            issuer_auth_public_key,
            encryptor_public_key: original_encryptor_public_key,
            content: original_content,
            public_notes: original_public_notes,
            public_notes_signature: original_public_notes_signature,
            broader_signature: original_broader_signature,
        };
        let copy = Written {
            id: *copy_credential_id,
            issuer_auth_public_key,
            encryptor_public_key: copy_encryptor_public_key,
            content: copy_content,
            public_notes: &NO_NOTES,
            public_notes_signature: copy_public_notes_signature,
            broader_signature: copy_broader_signature,
        };
        Some([original, copy])
    }

    /// The one credential an action writes by itself; most actions write none.
    pub fn of(action: &'a Action) -> Option<Written<'a>> {
        let (Action::AddCredential {
            id,
            issuer_auth_public_key,
            encryptor_public_key,
            content,
            public_notes,
            public_notes_signature,
            broader_signature,
        }
        | Action::EditCredential {
            id,
            issuer_auth_public_key,
            encryptor_public_key,
            content,
            public_notes,
            public_notes_signature,
            broader_signature,
        }
        | Action::UpsertCredentialAsInserter {
            id,
            issuer_auth_public_key,
            encryptor_public_key,
            content,
            public_notes,
            public_notes_signature,
            broader_signature,
            ..
        }
        | Action::CreateCredentialCopy {
            id,
            issuer_auth_public_key,
            encryptor_public_key,
            content,
            public_notes,
            public_notes_signature,
            broader_signature,
            ..
        }
        | Action::ShareCredential {
            id,
            issuer_auth_public_key,
            encryptor_public_key,
            content,
            public_notes,
            public_notes_signature,
            broader_signature,
            ..
        }) = action
        else {
            return None;
        };
        Some(Written {
            id: *id,
            issuer_auth_public_key,
            encryptor_public_key,
            content,
            public_notes,
            public_notes_signature,
            broader_signature,
        })
    }
}
