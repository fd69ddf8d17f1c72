//! What can be asked of the ledger: actions change it, queries read it. Names and argument order are
//! the deployed schema's (idos-facts part 3).

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use super::tables::Content;
use crate::id::{CredentialId, GrantId, InserterId, Text, UserId, WalletId};
use crate::wire::Value;

/// A type that can stand as an argument.
trait Argument {
    fn value(&self) -> Value;
}

impl Argument for Text {
    fn value(&self) -> Value {
        Value::Text(Some(self.clone()))
    }
}

impl Argument for Content {
    fn value(&self) -> Value {
        Value::Text(Some(self.text().clone()))
    }
}

impl Argument for i64 {
    fn value(&self) -> Value {
        Value::Int8(Some(*self))
    }
}

impl Argument for Option<Text> {
    fn value(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl Argument for Option<i64> {
    fn value(&self) -> Value {
        Value::Int8(*self)
    }
}

macro_rules! uuid_arguments {
    ($($id:ident),+) => {$(
        impl Argument for $id {
            fn value(&self) -> Value {
                Value::Uuid(Some(self.0))
            }
        }

        impl Argument for Option<$id> {
            fn value(&self) -> Value {
                Value::Uuid(self.map(|id| -> Uuid { id.0 }))
            }
        }
    )+};
}

uuid_arguments!(UserId, WalletId, CredentialId, GrantId, InserterId);

/// The owner's signature under a change that somebody else transmits. The deployed schema has no such
/// arguments; they follow the schema's own when a promise asks for them, and are left out otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnerConsent {
    /// Identifier of one of the owner's wallets.
    pub wallet: Text,
    /// That wallet's signature over the change's consent text, hex.
    pub signature: Text,
}

macro_rules! requests {
    (
        $(#[$outer:meta])*
        $kind:ident {
            $(
                $(#[$doc:meta])*
                $variant:ident $name:literal { $($field:ident: $type:ty),* $(,)? } $($consent:ident)?;
            )+
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[allow(missing_docs)]
        pub enum $kind {
            $($(#[$doc])* $variant { $($field: $type,)* $($consent: Option<OwnerConsent>,)? },)+
        }

        impl $kind {
            /// The name in the schema.
            pub const fn name(&self) -> &'static str {
                match self { $($kind::$variant { .. } => $name,)+ }
            }

            /// The arguments in the schema's order and types.
            pub fn arguments(&self) -> Vec<Value> {
                match self {
                    $($kind::$variant { $($field,)* $($consent,)? } => {
                        #[allow(unused_mut)]
                        let mut values = vec![$($field.value(),)*];
                        $(if let Some(OwnerConsent { wallet, signature }) = $consent {
                            values.extend([wallet.value(), signature.value()]);
                        })?
                        values
                    })+
                }
            }
        }
    };
}

requests! {
    /// A mutating action.
    Action {
        /// Registers an organisation that may create profiles.
        AddInserterAsOwner "add_inserter_as_owner" { id: InserterId, name: Text };
        /// Removes an organisation and its delegates.
        DeleteInserterAsOwner "delete_inserter_as_owner" { id: InserterId };
        /// Registers a key of an organisation.
        AddDelegateAsOwner "add_delegate_as_owner" { address: Text, inserter_id: InserterId };
        /// Removes a key of an organisation.
        DeleteDelegateAsOwner "delete_delegate_as_owner" { address: Text };

        /// Creates a profile.
        AddUserAsInserter "add_user_as_inserter" {
            id: UserId,
            recipient_encryption_public_key: Text,
            encryption_password_store: Text,
        };
        /// Replaces a profile's encryption key.
        UpdateUserPubKeyAsInserter "update_user_pub_key_as_inserter" {
            id: UserId,
            recipient_encryption_public_key: Text,
            encryption_password_store: Text,
        } consent;
        /// Erases the caller's whole profile. Not in the deployed schema (`erasable-profile`).
        RemoveUser "remove_user" {};

        /// Binds a wallet to a profile, for an inserter.
        UpsertWalletAsInserter "upsert_wallet_as_inserter" {
            id: WalletId,
            user_id: UserId,
            address: Text,
            public_key: Option<Text>,
            wallet_type: Text,
            message: Text,
            signature: Text,
        };
        /// Binds a further wallet to the caller's profile.
        AddWallet "add_wallet" {
            id: WalletId,
            address: Text,
            public_key: Option<Text>,
            wallet_type: Text,
            message: Text,
            signature: Text,
        };
        /// Unbinds one of the caller's other wallets.
        RemoveWallet "remove_wallet" { id: WalletId };

        /// Writes a credential into a profile, for an inserter.
        UpsertCredentialAsInserter "upsert_credential_as_inserter" {
            id: CredentialId,
            user_id: UserId,
            issuer_auth_public_key: Text,
            encryptor_public_key: Text,
            content: Content,
            public_notes: Text,
            public_notes_signature: Text,
            broader_signature: Text,
        } consent;
        /// Stores a credential in the caller's profile.
        AddCredential "add_credential" {
            id: CredentialId,
            issuer_auth_public_key: Text,
            encryptor_public_key: Text,
            content: Content,
            public_notes: Text,
            public_notes_signature: Text,
            broader_signature: Text,
        };
        /// Replaces notes and content of an original nobody has a grant on.
        EditCredential "edit_credential" {
            id: CredentialId,
            public_notes: Text,
            public_notes_signature: Text,
            broader_signature: Text,
            content: Content,
            encryptor_public_key: Text,
            issuer_auth_public_key: Text,
        };
        /// Rewrites the notes of the caller's issued credential: how an issuer revokes a status.
        EditPublicNotesAsIssuer "edit_public_notes_as_issuer" {
            public_notes_id: Text,
            public_notes: Text,
        };
        /// Stores a re-encrypted copy together with a grant on it.
        ShareCredential "share_credential" {
            id: CredentialId,
            original_credential_id: CredentialId,
            public_notes: Text,
            public_notes_signature: Text,
            broader_signature: Text,
            content: Content,
            content_hash: Text,
            encryptor_public_key: Text,
            issuer_auth_public_key: Text,
            grantee_wallet_identifier: Text,
            locked_until: i64,
        };
        /// Deletes an own credential.
        RemoveCredential "remove_credential" { id: CredentialId };
        /// Gives up a copy shared to the caller.
        RescindSharedCredential "rescind_shared_credential" { credential_id: CredentialId };

        /// Inserts a grant from the owner's signed paper; anybody may transmit it.
        CreateAgByDagForCopy "create_ag_by_dag_for_copy" {
            dag_owner_wallet_identifier: Text,
            dag_grantee_wallet_identifier: Text,
            dag_data_id: CredentialId,
            dag_locked_until: i64,
            dag_content_hash: Option<Text>,
            dag_signature: Text,
        };
        /// Ends a grant whose lock has run out.
        RevokeAccessGrant "revoke_access_grant" { id: GrantId };
    }
}

requests! {
    /// A view: answered by one node from its last committed state.
    Query {
        /// The caller's profile.
        GetUser "get_user" {};
        /// Any profile, for an inserter.
        GetUserAsInserter "get_user_as_inserter" { id: UserId };
        /// The caller's wallets.
        GetWallets "get_wallets" {};
        /// The caller's credentials, copies included, without content.
        GetCredentials "get_credentials" {};
        /// One of the caller's credentials, with content.
        GetCredentialOwned "get_credential_owned" { id: CredentialId };
        /// A copy shared to the caller, with content.
        GetCredentialShared "get_credential_shared" { id: CredentialId };
        /// Copies of one user shared to the caller, without content.
        GetCredentialsSharedByUser "get_credentials_shared_by_user" {
            user_id: UserId,
            original_issuer_auth_public_key: Option<Text>,
        };
        /// The first credential the caller has a grant on with this content hash.
        GetSiblingCredentialId "get_sibling_credential_id" { content_hash: Text };
        /// Whether a credential exists, for an inserter.
        CredentialExistAsInserter "credential_exist_as_inserter" { id: CredentialId };
        /// The grants the caller has given.
        GetAccessGrantsOwned "get_access_grants_owned" {};
        /// The grants the caller has received, paged.
        GetAccessGrantsGranted "get_access_grants_granted" {
            user_id: Option<UserId>,
            page: Option<i64>,
            size: Option<i64>,
        };
        /// How many grants the caller has received.
        GetAccessGrantsGrantedCount "get_access_grants_granted_count" { user_id: Option<UserId> };
        /// The caller's grants on one credential.
        GetAccessGrantsForCredential "get_access_grants_for_credential" {
            credential_id: CredentialId,
        };
        /// Whether a locked grant of the caller's protects a credential.
        HasLockedAccessGrants "has_locked_access_grants" { id: CredentialId };
        /// The text to sign for a dAG.
        DagMessage "dag_message" {
            dag_owner_wallet_identifier: Text,
            dag_grantee_wallet_identifier: Text,
            dag_data_id: CredentialId,
            dag_locked_until: i64,
            dag_content_hash: Option<Text>,
        };
        /// Whether somebody has a profile with this address.
        HasProfile "has_profile" { address: Text };
    }
}

impl Action {
    /// Every text among the arguments, for looking into what a node was handed.
    pub fn texts(&self) -> impl Iterator<Item = Text> {
        self.arguments()
            .into_iter()
            .filter_map(|value| match value {
                Value::Text(text) => text,
                _ => None,
            })
    }
}

/// One action and one or more argument lists, executed in order and all or nothing.
/// Source: idos-facts 3.0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Batch(Arc<[Action]>);

impl Batch {
    /// A batch of one.
    pub fn one(action: Action) -> Batch {
        Batch([action].into())
    }

    /// A batch of several calls of one action; nothing when they differ in name or there are none.
    pub fn several(actions: Vec<Action>) -> Option<Batch> {
        let name = actions.first()?.name();
        actions
            .iter()
            .all(|action| action.name() == name)
            .then(|| Batch(actions.into()))
    }

    /// The action's name.
    pub fn name(&self) -> &'static str {
        self.0[0].name()
    }

    /// The calls in order.
    pub fn calls(&self) -> &[Action] {
        &self.0
    }
}
