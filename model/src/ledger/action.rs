//! What can be asked of the ledger: actions change it, queries read it. Names and argument order are
//! the deployed schema's (idos-facts part 3).

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use super::refusal::Unreadable;
use super::tables::Content;
use crate::bridge::{Amount, Token};
use crate::id::{
    AccessRequestId, AttributeId, ClubId, CredentialId, EpochId, GrantId, InserterId, PeerId, Text,
    UserId, WalletId, WriteGrantId,
};
use crate::wire::{CallError, Shape, Type, Value};

/// A type that can stand as an argument.
trait Argument: Sized {
    /// The declared type.
    const KIND: Type;
    /// Whether NULL can be held, and not only sent.
    const NULLABLE: bool = false;

    fn value(&self) -> Value;

    /// The inverse of `value`, for a value of the declared type; none for NULL where it cannot be held.
    fn held(value: &Value) -> Option<Self>;
}

macro_rules! scalar_arguments {
    ($($type:ty: $kind:ident),+) => {$(
        impl Argument for $type {
            const KIND: Type = Type::$kind;

            fn value(&self) -> Value {
                Value::$kind(Some(self.to_owned()))
            }

            fn held(value: &Value) -> Option<$type> {
                match value {
                    Value::$kind(held) => held.to_owned(),
                    _ => None,
                }
            }
        }

        impl Argument for Option<$type> {
            const KIND: Type = Type::$kind;
            const NULLABLE: bool = true;

            fn value(&self) -> Value {
                Value::$kind(self.to_owned())
            }

            fn held(value: &Value) -> Option<Option<$type>> {
                Some(<$type>::held(value))
            }
        }
    )+};
}

scalar_arguments!(Text: Text, i64: Int8, bool: Bool);

impl Argument for Content {
    const KIND: Type = Type::Text;

    fn value(&self) -> Value {
        Value::Text(Some(self.text().clone()))
    }

    fn held(value: &Value) -> Option<Content> {
        Text::held(value).map(Content::new)
    }
}

impl Argument for Amount {
    const KIND: Type = Type::Numeric(Shape::UINT256);

    fn value(&self) -> Value {
        Value::amount(self.0)
    }

    fn held(value: &Value) -> Option<Amount> {
        match value {
            Value::Numeric(_, number) => number.as_ref().map(|number| Amount(number.saturated())),
            _ => None,
        }
    }
}

macro_rules! uuid_arguments {
    ($($id:ident),+) => {$(
        impl Argument for $id {
            const KIND: Type = Type::Uuid;

            fn value(&self) -> Value {
                Value::Uuid(Some(self.0))
            }

            fn held(value: &Value) -> Option<$id> {
                match value {
                    Value::Uuid(id) => id.map($id),
                    _ => None,
                }
            }
        }

        impl Argument for Option<$id> {
            const KIND: Type = Type::Uuid;
            const NULLABLE: bool = true;

            fn value(&self) -> Value {
                Value::Uuid(self.map(|id| -> Uuid { id.0 }))
            }

            fn held(value: &Value) -> Option<Option<$id>> {
                Some($id::held(value))
            }
        }
    )+};
}

uuid_arguments!(
    UserId,
    WalletId,
    CredentialId,
    GrantId,
    InserterId,
    AttributeId,
    WriteGrantId,
    AccessRequestId,
    ClubId,
    PeerId,
    EpochId
);

/// What an action declares of one argument.
#[derive(Clone, Copy, Debug)]
struct Parameter {
    kind: Type,
    /// Read by tests only, which draw arguments from the declarations.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests draw arguments by it"))]
    nullable: bool,
}

/// What an action declares, for checking what somebody sent.
#[derive(Clone, Copy, Debug)]
struct Signature {
    name: &'static str,
    parameters: &'static [Parameter],
    /// Whether it lives in the namespaces of tokens instead of `main`.
    of_token: bool,
    /// What may follow them, all of it or nothing.
    trailing: &'static [Parameter],
}

/// Arguments the deployed schema lacks: they follow an action's own where a promise asks for them, and are
/// left out otherwise.
trait Trailing: Sized {
    const PARAMETERS: &'static [Parameter];

    fn values(&self) -> Vec<Value>;

    fn taken(arguments: &mut Arguments<'_>) -> Result<Self, CallError>;
}

macro_rules! trailing {
    ($(
        $(#[$outer:meta])*
        $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)+ }
    )+) => {$(
        $(#[$outer])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)+
        }

        impl Trailing for $name {
            const PARAMETERS: &'static [Parameter] = &[$(Parameter {
                kind: <$type as Argument>::KIND,
                nullable: <$type as Argument>::NULLABLE,
            },)+];

            fn values(&self) -> Vec<Value> {
                vec![$(self.$field.value(),)+]
            }

            fn taken(arguments: &mut Arguments<'_>) -> Result<$name, CallError> {
                Ok($name { $($field: arguments.next(stringify!($field))?,)+ })
            }
        }
    )+};
}

trailing! {
    /// The owner's signature under a change that somebody else transmits.
    OwnerConsent {
        /// Identifier of one of the owner's wallets.
        wallet: Text,
        /// That wallet's signature over the change's consent text, hex.
        signature: Text,
    }
    /// Which request a shared copy answers, and how far the grant on it goes.
    ShareTerms {
        /// The request it approves; none when the owner shares of its own accord.
        request_id: Option<AccessRequestId>,
        /// Last second in which the grant gives access, UNIX seconds; none when it does not end by itself.
        expires_at: Option<i64>,
        /// How often it may be used; none when nobody counts.
        uses: Option<i64>,
        /// The fields in the copy, separated by commas; none for all of them.
        fields: Option<Text>,
    }
    /// How long a dAG may be used, and how far the grant it makes goes.
    DagTerms {
        /// Last second in which the paper may be used, UNIX seconds.
        not_usable_after: i64,
        /// As in [`ShareTerms`].
        expires_at: Option<i64>,
        /// As in [`ShareTerms`].
        uses: Option<i64>,
    }
}

impl Signature {
    /// Checks count and types in the node's order, and leads to the arguments.
    fn check(self, token: Option<Token>, values: &[Value]) -> Result<Arguments<'_>, CallError> {
        let Signature {
            name: action,
            parameters,
            trailing,
            ..
        } = self;
        let declared = parameters.len();
        if values.len() != declared && values.len() != declared + trailing.len() {
            return Err(CallError::WrongCount {
                action,
                expected: declared,
                got: values.len(),
            });
        }
        let parameters = parameters.iter().chain(trailing);
        for (argument, (parameter, value)) in parameters.zip(values).enumerate() {
            let fits = match value {
                Value::Array(..) => false,
                scalar => scalar.is_null() || scalar.kind() == parameter.kind,
            };
            if !fits {
                return Err(CallError::WrongType {
                    action,
                    argument,
                    expected: parameter.kind.to_string(),
                    got: value.type_name(),
                });
            }
        }
        Ok(Arguments {
            action,
            token,
            values,
        })
    }
}

/// Arguments of the right types, taken one after the other.
struct Arguments<'a> {
    action: &'static str,
    token: Option<Token>,
    values: &'a [Value],
}

impl Arguments<'_> {
    fn next<T: Argument>(&mut self, parameter: &'static str) -> Result<T, CallError> {
        let held = self.values.split_first().and_then(|(first, rest)| {
            self.values = rest;
            T::held(first)
        });
        held.ok_or(CallError::Null {
            action: self.action,
            parameter,
        })
    }

    /// The token in whose namespace the call stands.
    fn token(&self) -> Token {
        self.token
            .expect("a method of a token is looked up in its namespace")
    }

    /// What follows an action's own arguments, if anything does.
    fn trailing<T: Trailing>(&mut self) -> Result<Option<T>, CallError> {
        if self.values.is_empty() {
            return Ok(None);
        }
        T::taken(self).map(Some)
    }
}

macro_rules! requests {
    (
        $(#[$outer:meta])*
        $kind:ident {
            $(
                $(#[$doc:meta])*
                $variant:ident $name:literal $(of $token:ident)? {
                    $($field:ident: $type:ty),* $(,)?
                } $($extra:ident: $group:ident)?;
            )+
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[allow(missing_docs)]
        pub enum $kind {
            $($(#[$doc])* $variant {
                $($token: Token,)?
                $($field: $type,)*
                $($extra: Option<$group>,)?
            },)+
        }

        impl $kind {
            /// The name in the schema.
            pub const fn name(&self) -> &'static str {
                match self { $($kind::$variant { .. } => $name,)+ }
            }

            /// The namespace it lives in: `main`, or that of a token.
            pub const fn namespace(&self) -> &'static str {
                match self {
                    $($kind::$variant { $($token,)? .. } => {
                        #[allow(unused_mut, unused_assignments)]
                        let mut namespace = MAIN;
                        $(namespace = $token.namespace();)?
                        namespace
                    })+
                }
            }

            /// The arguments in the schema's order and types.
            pub fn arguments(&self) -> Vec<Value> {
                match self {
                    $($kind::$variant { $($token: _,)? $($field,)* $($extra,)? } => {
                        #[allow(unused_mut)]
                        let mut values = vec![$($field.value(),)*];
                        $(values.extend($extra.iter().flat_map(Trailing::values));)?
                        values
                    })+
                }
            }

            /// What the schema declares, in the order of the variants.
            const SIGNATURES: &'static [Signature] = &[$(Signature {
                name: $name,
                parameters: &[$(Parameter {
                    kind: <$type as Argument>::KIND,
                    nullable: <$type as Argument>::NULLABLE,
                },)*],
                of_token: {
                    let token: &[&str] = &[$(stringify!($token))?];
                    !token.is_empty()
                },
                trailing: {
                    let groups: &[&[Parameter]] = &[$(<$group as Trailing>::PARAMETERS)?];
                    match groups {
                        [only] => only,
                        _ => &[],
                    }
                },
            },)+];

            fn signature(token: Option<Token>, name: &str) -> Option<Signature> {
                Self::SIGNATURES
                    .iter()
                    .find(|one| one.name == name && one.of_token == token.is_some())
                    .copied()
            }

            fn from_arguments(mut arguments: Arguments<'_>) -> Result<$kind, CallError> {
                match arguments.action {
                    $($name => Ok($kind::$variant {
                        $($token: arguments.token(),)?
                        $($field: arguments.next(stringify!($field))?,)*
                        $($extra: arguments.trailing()?,)?
                    }),)+
                    other => Err(unknown(arguments.token, other)),
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
        /// Issues all the network owns of a token to an address of the other chain.
        RequestBalanceWithdrawal "request_balance_withdrawal" { token: Text, evm_address_to: Text };

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
        } consent: OwnerConsent;
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
        } consent: OwnerConsent;
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
        } terms: ShareTerms;
        /// Deletes an own credential.
        RemoveCredential "remove_credential" { id: CredentialId };
        /// Deletes an own credential, and what a lock keeps of it as soon as the lock has run out.
        RemoveCredentialWhenUnlocked "remove_credential_when_unlocked" { id: CredentialId };
        /// Gives up a copy shared to the caller.
        RescindSharedCredential "rescind_shared_credential" { credential_id: CredentialId };

        /// Stores an original and a copy with a grant on it under the owner's signed paper; anybody may
        /// transmit it. Source: idos-facts 3.5.
        CreateCredentialsByDwg "create_credentials_by_dwg" {
            issuer_auth_public_key: Text,
            original_encryptor_public_key: Text,
            original_credential_id: CredentialId,
            original_content: Content,
            original_public_notes: Text,
            original_public_notes_signature: Text,
            original_broader_signature: Text,
            copy_encryptor_public_key: Text,
            copy_credential_id: CredentialId,
            copy_content: Content,
            copy_public_notes_signature: Text,
            copy_broader_signature: Text,
            content_hash: Text,
            dwg_owner: Text,
            dwg_grantee: Text,
            dwg_issuer_public_key: Text,
            dwg_id: WriteGrantId,
            dwg_access_grant_timelock: Text,
            dwg_not_before: Text,
            dwg_not_after: Text,
            dwg_signature: Text,
        };

        /// Writes an attribute into a profile, for an inserter.
        AddAttributeAsInserter "add_attribute_as_inserter" {
            id: AttributeId,
            user_id: UserId,
            attribute_key: Text,
            value: Text,
        } consent: OwnerConsent;
        /// Stores an attribute in the caller's profile.
        AddAttribute "add_attribute" { id: AttributeId, attribute_key: Text, value: Text };
        /// Replaces key and value of an own original attribute.
        EditAttribute "edit_attribute" { id: AttributeId, attribute_key: Text, value: Text };
        /// Deletes an own attribute.
        RemoveAttribute "remove_attribute" { id: AttributeId };
        /// Stores a copy of an attribute, linked to it.
        ShareAttribute "share_attribute" {
            id: AttributeId,
            original_attribute_id: AttributeId,
            attribute_key: Text,
            value: Text,
        };

        /// Founds a club of obliged entities. This and what follows on passporting is not in the deployed schema
        /// (`passporting`).
        AddPassportingClubAsOwner "add_passporting_club_as_owner" { id: ClubId, name: Text };
        /// Renames a club.
        UpdatePassportingClubAsOwner "update_passporting_club_as_owner" { id: ClubId, name: Text };
        /// Ends a club and its memberships.
        DeletePassportingClubAsOwner "delete_passporting_club_as_owner" { id: ClubId };
        /// Registers an obliged entity.
        AddPassportingPeerAsOwner "add_passporting_peer_as_owner" {
            id: PeerId,
            name: Text,
            issuer_public_key: Text,
            server_url_base: Text,
        };
        /// Changes what is registered of an obliged entity.
        UpdatePassportingPeerAsOwner "update_passporting_peer_as_owner" {
            id: PeerId,
            name: Text,
            issuer_public_key: Text,
            server_url_base: Text,
        };
        /// Removes an obliged entity and its memberships.
        DeletePassportingPeerAsOwner "delete_passporting_peer_as_owner" { id: PeerId };
        /// Makes an obliged entity a member of a club.
        AddPassportingPeerToClubAsOwner "add_passporting_peer_to_club_as_owner" {
            passporting_club_id: ClubId,
            passporting_peer_id: PeerId,
        };
        /// Ends a membership.
        DeletePassportingPeerFromClubAsOwner "delete_passporting_peer_from_club_as_owner" {
            passporting_club_id: ClubId,
            passporting_peer_id: PeerId,
        };
        /// Stores a copy without a grant.
        CreateCredentialCopy "create_credential_copy" {
            id: CredentialId,
            original_credential_id: CredentialId,
            public_notes: Text,
            public_notes_signature: Text,
            broader_signature: Text,
            content: Content,
            encryptor_public_key: Text,
            issuer_auth_public_key: Text,
        };

        /// Inserts a grant from the owner's signed paper; anybody may transmit it.
        CreateAgByDagForCopy "create_ag_by_dag_for_copy" {
            dag_owner_wallet_identifier: Text,
            dag_grantee_wallet_identifier: Text,
            dag_data_id: CredentialId,
            dag_locked_until: i64,
            dag_content_hash: Option<Text>,
            dag_signature: Text,
        } terms: DagTerms;
        /// Makes an own dAG useless that nobody has used yet.
        CancelDag "cancel_dag" {
            dag_owner_wallet_identifier: Text,
            dag_grantee_wallet_identifier: Text,
            dag_data_id: CredentialId,
            dag_locked_until: i64,
            dag_content_hash: Option<Text>,
        } terms: DagTerms;
        /// Makes an own dWG useless that nobody has used yet.
        CancelDwg "cancel_dwg" { dwg_id: WriteGrantId };
        /// Ends a grant whose lock has run out.
        RevokeAccessGrant "revoke_access_grant" { id: GrantId };

        /// Takes 1.2 units of gas and does nothing else: a demonstration of metering.
        ActionCostingGas "action_costing_gas" {};
        /// Takes an amount of IDOS and does nothing else.
        ActionCostingIdosToken "action_costing_idos_token" { amount: Amount };
        /// Pays the price of a credential and the mark-up on it, in USDC.
        ActionCostingFee "action_costing_fee" { credential_id: CredentialId };
        /// Withdraws all a wallet has of a token, to its address on the other chain.
        RequestWithdrawal "request_withdrawal" { token: Text };
        /// Sets what grants on copies of an issued credential cost from now on, and who is paid. Not in the
        /// deployed schema (`settable-issuer-fee`).
        SetIssuerFee "set_issuer_fee" {
            credential_id: CredentialId,
            issuer_fee: Amount,
            issuer_wallet: Text,
        };

        /// Gives tokens of the caller's to another address.
        Transfer "transfer" of token { to: Text, amount: Amount };
        /// Gives tokens of the caller's to the network.
        Lock "lock" of token { amount: Amount };
        /// Withdraws tokens of the caller's to its address on the other chain.
        Bridge "bridge" of token { amount: Amount };
        /// Ends every grant of a grantee on a credential and on all copies of it.
        RevokeGranteeAccess "revoke_grantee_access" {
            data_id: CredentialId,
            grantee_wallet_identifier: Text,
        };
        /// A grantee makes use of its grant: from now on it may read for a while.
        UseAccessGrant "use_access_grant" { id: GrantId };

        /// A consumer asks an owner for access to a credential, or to data of a kind.
        RequestAccess "request_access" {
            id: AccessRequestId,
            user_id: UserId,
            credential_id: Option<CredentialId>,
            kind: Option<Text>,
            fields: Option<Text>,
            purpose: Text,
            locked_until: i64,
            stands_until: i64,
            expires_at: Option<i64>,
            uses: Option<i64>,
        };
        /// The consumer takes its request back.
        WithdrawAccessRequest "withdraw_access_request" { id: AccessRequestId };
        /// The owner refuses a request.
        DenyAccessRequest "deny_access_request" { id: AccessRequestId };
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
        /// The obliged entities that share a club with the caller (`passporting`).
        GetPassportingPeers "get_passporting_peers" {};
        /// The public log of changes of the rules, paged.
        GetGovernanceLog "get_governance_log" { page: Option<i64>, size: Option<i64> };
        /// The caller's attributes, copies included.
        GetAttributes "get_attributes" {};
        /// The text to sign for a dWG.
        DwgMessage "dwg_message" {
            owner_wallet_identifier: Text,
            grantee_wallet_identifier: Text,
            issuer_public_key: Text,
            id: WriteGrantId,
            access_grant_timelock: Text,
            not_usable_before: Text,
            not_usable_after: Text,
        };
        /// The text to sign for a dAG.
        DagMessage "dag_message" {
            dag_owner_wallet_identifier: Text,
            dag_grantee_wallet_identifier: Text,
            dag_data_id: CredentialId,
            dag_locked_until: i64,
            dag_content_hash: Option<Text>,
        } terms: DagTerms;
        /// The requests the caller has received, paged.
        GetAccessRequestsReceived "get_access_requests_received" {
            page: Option<i64>,
            size: Option<i64>,
        };
        /// The requests the caller has made, paged.
        GetAccessRequestsMade "get_access_requests_made" { page: Option<i64>, size: Option<i64> };
        /// How far a grant of the caller's goes, given or received.
        GetAccessGrantTerms "get_access_grant_terms" { id: GrantId };
        /// What was done about the caller's data, and by the caller with that of others, paged.
        GetAuditRecords "get_audit_records" { page: Option<i64>, size: Option<i64> };
        /// Copies of the caller's that only a lock keeps: their original is gone.
        GetLockedRemainders "get_locked_remainders" {};
        /// Whether somebody has a profile with this address.
        HasProfile "has_profile" { address: Text };
        /// What an address has of a token.
        CheckBalance "check_balance" { address: Text, token: Text };
        /// The wallet that pays when the caller acts, if it has anything.
        GetWalletWithBalance "get_wallet_with_balance" { token: Text };
        /// How much free gas the caller has left.
        GetAllowance "get_allowance" {};
        /// The price of a credential, in base units of USDC.
        GetIssuerFee "get_issuer_fee" { credential_id: CredentialId };

        /// What an address has of the token.
        Balance "balance" of token { user: Text };
        /// The token's ledger: escrow, period, what the network owns.
        Info "info" of token {};
        /// Closed epochs that ended after a height, oldest first.
        ListEpochs "list_epochs" of token { after: i64, limit: i64 };
        /// Who gets what in an epoch, closed or not.
        GetEpochRewards "get_epoch_rewards" of token { epoch_id: EpochId };
        /// What an address can claim on the other chain, with proofs.
        ListWalletRewards "list_wallet_rewards" of token { wallet: Text, with_pending: bool };
    }
}

/// Namespace of the schema's own actions.
const MAIN: &str = "main";

/// Methods of tokens that only the schema's own actions may call. Source: idos-facts 3.9.
const SYSTEM_ONLY: &[&str] = &["issue", "lock_admin", "unlock"];

/// Actions that only other actions may call. Source: idos-facts 3.
const PRIVATE: &[&str] = &[
    "create_access_grant",
    "credential_belongs_to_caller",
    "credential_exist",
    "get_inserter_or_null",
    "from_human_units",
    "update_allowance",
    "capture_gas",
    "capture_fee",
];

/// The name as the engine reads it.
fn engine_name(name: &str) -> String {
    name.to_lowercase()
}

/// Why a name leads to nothing.
fn unknown(token: Option<Token>, name: &str) -> CallError {
    let of = |names: &[&'static str]| names.iter().find(|one| **one == name).copied();
    let private = of(PRIVATE).filter(|_| token.is_none());
    let system_only = of(SYSTEM_ONLY).filter(|_| token.is_some());
    match (private, system_only) {
        (Some(action), _) => CallError::Private { action },
        (_, Some(action)) => CallError::SystemOnly { action },
        _ => CallError::UnknownAction {
            action: name.to_owned(),
            namespace: token.map_or(MAIN, Token::namespace).to_owned(),
        },
    }
}

/// The token whose methods live in a namespace of any letter case; none in `main`, which no name means too.
fn token_of(namespace: &str) -> Result<Option<Token>, CallError> {
    let namespace = engine_name(namespace);
    if ["", MAIN].contains(&namespace.as_str()) {
        return Ok(None);
    }
    match Token::of_namespace(&namespace) {
        Some(token) => Ok(Some(token)),
        None => Err(CallError::UnknownNamespace(namespace)),
    }
}

impl Action {
    /// Whether a mutating action of this name is here. The name may be in any case.
    pub fn is_action(name: &str) -> bool {
        Action::signature(None, &engine_name(name)).is_some()
    }

    /// Whether only the database owner may run it. Source: idos-facts 3.1.
    pub fn is_owner_only(name: &str) -> bool {
        let name = engine_name(name);
        let named = name.ends_with("_as_owner") || name == "request_balance_withdrawal";
        named && Action::signature(None, &name).is_some()
    }

    /// Whether only other actions may call it; no such action is here, and none can be decoded.
    pub fn is_private(name: &str) -> bool {
        PRIVATE.contains(&engine_name(name).as_str())
    }

    /// The action of this name in this namespace, both in any case, with these arguments: the inverse of
    /// [`Action::namespace`], [`Action::name`] and [`Action::arguments`]. Whether the caller may run it, the
    /// ledger decides.
    pub fn decode(namespace: &str, name: &str, arguments: &[Value]) -> Result<Action, CallError> {
        let token = token_of(namespace)?;
        let name = engine_name(name);
        if let Some(signature) = Action::signature(token, &name) {
            return Action::from_arguments(signature.check(token, arguments)?);
        }
        let Some(view) = Query::signature(token, &name) else {
            return Err(unknown(token, &name));
        };
        view.check(token, arguments)?;
        Err(CallError::ViewInTransaction { action: view.name })
    }
}

impl Query {
    /// Whether a view of this name is here, so that it can be called without a transaction. The name may
    /// be in any case.
    pub fn is_view(name: &str) -> bool {
        Query::signature(None, &engine_name(name)).is_some()
    }

    /// The view of this name in this namespace, both in any case, with these arguments: the inverse of
    /// [`Query::namespace`], [`Query::name`] and [`Query::arguments`].
    pub fn decode(namespace: &str, name: &str, arguments: &[Value]) -> Result<Query, CallError> {
        let token = token_of(namespace)?;
        let name = engine_name(name);
        if let Some(signature) = Query::signature(token, &name) {
            return Query::from_arguments(signature.check(token, arguments)?);
        }
        let Some(action) = Action::signature(token, &name) else {
            return Err(unknown(token, &name));
        };
        action.check(token, arguments)?;
        Err(CallError::ReadOnly {
            action: action.name,
        })
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
pub struct Batch(Calls);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Calls {
    Read(Arc<[Action]>),
    Unreadable(Unreadable),
}

impl Batch {
    /// A batch of one.
    pub fn one(action: Action) -> Batch {
        Batch(Calls::Read([action].into()))
    }

    /// What a transaction does whose payload says nothing that can be run: it uses its nonce.
    pub fn unreadable(why: Unreadable) -> Batch {
        Batch(Calls::Unreadable(why))
    }

    /// A batch of several calls of one action; nothing when they differ in name or there are none.
    pub fn several(actions: Vec<Action>) -> Option<Batch> {
        let first = actions.first()?;
        let called = (first.namespace(), first.name());
        actions
            .iter()
            .all(|action| (action.namespace(), action.name()) == called)
            .then(|| Batch(Calls::Read(actions.into())))
    }

    /// The action's name; a word for people where none could be read.
    pub fn name(&self) -> &'static str {
        match &self.0 {
            Calls::Read(actions) => actions[0].name(),
            Calls::Unreadable(_) => "unreadable",
        }
    }

    /// The namespace of the action.
    pub fn namespace(&self) -> &'static str {
        match &self.0 {
            Calls::Read(actions) => actions[0].namespace(),
            Calls::Unreadable(_) => MAIN,
        }
    }

    /// The calls in order; none where nothing could be read.
    pub fn calls(&self) -> &[Action] {
        match &self.0 {
            Calls::Read(actions) => actions,
            Calls::Unreadable(_) => &[],
        }
    }

    /// Why there is nothing to run, if there is not.
    pub fn problem(&self) -> Option<Unreadable> {
        match &self.0 {
            Calls::Read(_) => None,
            Calls::Unreadable(why) => Some(*why),
        }
    }
}

#[cfg(test)]
mod tests {
    use assay_laws::laws;
    use proptest::prelude::*;

    use super::*;

    fn argument(parameter: Parameter) -> BoxedStrategy<Value> {
        let maybe = |value: BoxedStrategy<Value>, null: Value| {
            (value, any::<bool>())
                .prop_map(move |(value, given)| {
                    if given || !parameter.nullable {
                        value
                    } else {
                        null.clone()
                    }
                })
                .boxed()
        };
        match parameter.kind {
            Type::Text => {
                let text = ".{0,20}".prop_map(|text| Value::Text(Some(text.into())));
                maybe(text.boxed(), Value::Text(None))
            }
            Type::Int8 => {
                let number = any::<i64>().prop_map(|number| Value::Int8(Some(number)));
                maybe(number.boxed(), Value::Int8(None))
            }
            Type::Uuid => {
                let id = any::<u128>().prop_map(|id| Value::Uuid(Some(Uuid::from_u128(id))));
                maybe(id.boxed(), Value::Uuid(None))
            }
            Type::Numeric(shape) => {
                let number = any::<i128>().prop_map(Value::amount);
                maybe(number.boxed(), Value::Numeric(shape, None))
            }
            Type::Bool => {
                let truth = any::<bool>().prop_map(|truth| Value::Bool(Some(truth)));
                maybe(truth.boxed(), Value::Bool(None))
            }
            other => panic!("no arguments of type {other} are declared"),
        }
    }

    /// Arguments that fit one of the signatures, with and without what may follow them.
    fn fitting(
        signatures: &'static [Signature],
    ) -> impl Strategy<Value = ([&'static str; 2], Vec<Value>)> {
        let token = prop::sample::select(&Token::ALL[..]);
        let drawn = (prop::sample::select(signatures), any::<bool>(), token);
        drawn.prop_flat_map(|(signature, followed, token)| {
            let trailing = if followed { signature.trailing } else { &[] };
            let values: Vec<_> = signature
                .parameters
                .iter()
                .chain(trailing)
                .map(|parameter| argument(*parameter))
                .collect();
            let namespace = if signature.of_token {
                token.namespace()
            } else {
                MAIN
            };
            (Just([namespace, signature.name]), values)
        })
    }

    laws! {
        512;

        fn actions_decode_from_their_own_name_and_arguments(
            ([namespace, name], arguments) in fitting(Action::SIGNATURES),
        ) {
            let action = Action::decode(namespace, name, &arguments).unwrap();
            prop_assert_eq!([action.namespace(), action.name()], [namespace, name]);
            prop_assert_eq!(action.arguments(), arguments.clone());
            let [namespace, name] = [namespace, name].map(str::to_uppercase);
            prop_assert_eq!(Action::decode(&namespace, &name, &arguments), Ok(action));
        }

        fn views_decode_from_their_own_name_and_arguments(
            ([namespace, name], arguments) in fitting(Query::SIGNATURES),
        ) {
            let query = Query::decode(namespace, name, &arguments).unwrap();
            prop_assert_eq!([query.namespace(), query.name()], [namespace, name]);
            prop_assert_eq!(query.arguments(), arguments.clone());
            let [namespace, name] = [namespace, name].map(str::to_uppercase);
            prop_assert_eq!(Query::decode(&namespace, &name, &arguments), Ok(query));
        }
    }

    fn check_action(name: &str, arguments: &[Value], expected: &str) {
        let decoded = Action::decode(MAIN, name, arguments).map(|action| action.name());
        let told = decoded.map_or_else(|error| error.to_string(), str::to_owned);
        assert_eq!(told, expected, "{name} {arguments:?}");
    }

    fn check_query(name: &str, arguments: &[Value], expected: &str) {
        let decoded = Query::decode(MAIN, name, arguments).map(|query| query.name());
        let told = decoded.map_or_else(|error| error.to_string(), str::to_owned);
        assert_eq!(told, expected, "{name} {arguments:?}");
    }

    fn text() -> Value {
        Value::Text(Some("t".into()))
    }

    fn id() -> Value {
        Value::Uuid(Some(Uuid::nil()))
    }

    #[test]
    fn what_does_not_fit_is_told_in_the_words_of_the_node() {
        check_action(
            "drop_everything",
            &[],
            "unknown action: action \"drop_everything\" does not exist in namespace \"main\"",
        );
        check_action(
            "Remove_Wallet",
            &[],
            "action invocation error: action \"remove_wallet\" expected 1 arguments, but got 0",
        );
        check_action(
            "remove_wallet",
            &[text()],
            "type error: action \"remove_wallet\" expected argument 0 to be of type uuid, but got text",
        );
        check_action(
            "add_delegate_as_owner",
            &[text(), text()],
            "type error: action \"add_delegate_as_owner\" expected argument 1 to be of type uuid, but got text",
        );
        check_action(
            "capture_gas",
            &[],
            "action is private: action \"capture_gas\" cannot be called from outside",
        );
        check_query(
            "remove_wallet",
            &[id()],
            "connection is read-only and cannot mutate state: action \"remove_wallet\" requires a writer connection",
        );
        // The types are looked at before the permission.
        check_query(
            "remove_wallet",
            &[text()],
            "type error: action \"remove_wallet\" expected argument 0 to be of type uuid, but got text",
        );
        check_action(
            "get_user",
            &[],
            "action \"get_user\" is a view, and views in transactions are not supported yet",
        );
    }

    #[test]
    fn null_fits_every_type_and_is_held_where_the_schema_can() {
        let nulls = [Value::Null, Value::Text(None), Value::Uuid(None)];
        for null in nulls {
            let granted = Query::GetAccessGrantsGranted {
                user_id: None,
                page: None,
                size: None,
            };
            let arguments = [null.clone(), null.clone(), null.clone()];
            let decoded = Query::decode(MAIN, "get_access_grants_granted", &arguments);
            assert_eq!(decoded, Ok(granted));
            check_action(
                "remove_wallet",
                &[null],
                "null value in column \"id\" violates not-null constraint",
            );
        }
        // A wrong type is found before a NULL that stands in front of it.
        check_action(
            "add_inserter_as_owner",
            &[Value::Null, id()],
            "type error: action \"add_inserter_as_owner\" expected argument 1 to be of type text, but got uuid",
        );
    }

    #[test]
    fn a_name_is_looked_for_in_its_namespace() {
        let check = |namespace: &str, name: &str, arguments: &[Value], expected: &str| {
            let decoded = Action::decode(namespace, name, arguments);
            let told = decoded.map_or_else(
                |error| error.to_string(),
                |action| format!("{}.{}", action.namespace(), action.name()),
            );
            assert_eq!(told, expected, "{namespace}.{name} {arguments:?}");
        };
        let amount = Value::amount(7);
        let usdc = "USDC_token_bridge";
        check(
            usdc,
            "lock",
            std::slice::from_ref(&amount),
            "usdc_token_bridge.lock",
        );
        check(
            "main",
            "lock",
            std::slice::from_ref(&amount),
            "unknown action: action \"lock\" does not exist in namespace \"main\"",
        );
        check(
            usdc,
            "remove_wallet",
            &[id()],
            "unknown action: action \"remove_wallet\" does not exist in namespace \"usdc_token_bridge\"",
        );
        check(
            usdc,
            "unlock",
            &[text(), amount],
            "action is system-only: action \"unlock\" cannot be called from outside",
        );
        check("info", "x", &[], "namespace \"info\" does not exist");
        let shape = Shape {
            precision: 6,
            scale: 2,
        };
        let price = Value::Numeric(shape, crate::wire::Numeric::parse("1.20", shape).ok());
        check(
            usdc,
            "lock",
            &[price],
            "type error: action \"lock\" expected argument 0 to be of type numeric(78,0), but got numeric(6,2)",
        );
        check(
            usdc,
            "lock",
            &[Value::Array(Type::Text, vec![text()])],
            "type error: action \"lock\" expected argument 0 to be of type numeric(78,0), but got text[]",
        );
    }

    #[test]
    fn a_consent_comes_whole_or_not_at_all() {
        let name = "update_user_pub_key_as_inserter";
        let own = [id(), text(), text()];
        check_action(name, &own, name);
        check_action(name, &[&own[..], &[text(), text()]].concat(), name);
        check_action(
            name,
            &[&own[..], &[text()]].concat(),
            "action invocation error: action \"update_user_pub_key_as_inserter\" expected 3 arguments, but got 4",
        );
        check_action(
            name,
            &[&own[..], &[text(), id()]].concat(),
            "type error: action \"update_user_pub_key_as_inserter\" expected argument 4 to be of type text, but got uuid",
        );
        check_action(
            name,
            &[&own[..], &[Value::Null, text()]].concat(),
            "null value in column \"wallet\" violates not-null constraint",
        );
    }

    #[test]
    fn names_say_what_an_action_is() {
        let of_main = |one: &&Signature| !one.of_token;
        for signature in Action::SIGNATURES.iter().filter(of_main) {
            assert!(Action::is_action(signature.name) && !Query::is_view(signature.name));
        }
        for signature in Query::SIGNATURES.iter().filter(of_main) {
            assert!(Query::is_view(signature.name) && !Action::is_action(signature.name));
        }
        assert!(Action::is_owner_only("Add_Inserter_As_Owner"));
        assert!(Action::is_owner_only("request_balance_withdrawal"));
        assert!(!Action::is_owner_only("add_user_as_inserter"));
        assert!(Action::is_private("create_access_grant") && !Action::is_private("get_user"));
    }
}
