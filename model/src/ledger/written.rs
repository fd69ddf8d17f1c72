//! What every action that writes a credential brings along: a row and the signatures under it.

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

impl<'a> Written<'a> {
    /// The credential an action writes; most actions write none.
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
