//! Running transactions: nonces, batches, and the table that leads from an action to its rule.

use std::sync::Arc;

use serde::Serialize;

use super::action::Action;
use super::grants::NewGrant;
use super::refusal::{Engine, Refusal};
use super::resolutions::conclude;
use super::tables::{Account, GrantInserter, GrantTerms, State};
use super::transaction::Transaction;
use super::written::Written;
use super::{
    attributes, credentials, delegated_write, economy, engine, governance, grants, limits, owner,
    papers, passporting, requests, users, wallets,
};
use crate::bridge::{Amount, Hash};
use crate::crypto::{Identity, Suite};
use crate::id::{Height, Text};
use crate::rules::{Rules, Switch};
use crate::time::BlockTime;

/// What a rule either changes the state by, or says.
pub type Refused = Result<(), Refusal>;

/// What every rule may consult besides the state.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// How signatures are checked.
    pub suite: &'a dyn Suite,
    /// Which promises are kept.
    pub rules: Rules,
    /// The network's name.
    pub chain_id: &'a Text,
    /// Caller identity of the database owner.
    pub db_owner: &'a str,
}

/// Where in the chain something is executed.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// `@height`.
    pub height: Height,
    /// `@block_timestamp`.
    pub time: BlockTime,
    /// Who proposed the block, if that is anybody the network knows.
    pub proposer: Option<Identity>,
}

/// One action's circumstances.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// What every rule may consult.
    pub env: Env<'a>,
    /// `@caller`; empty for an unauthenticated view.
    pub caller: &'a str,
    /// `@block_timestamp`.
    pub time: BlockTime,
    /// `@height`.
    pub height: Height,
}

impl Call<'_> {
    /// Whether a promise is kept.
    pub fn keeps(&self, switch: Switch) -> bool {
        self.env.rules.keep(switch)
    }

    /// Refuses what the deployed schema lacks, where the promise it keeps is not kept.
    pub fn offers(&self, switch: Switch, name: &'static str) -> Refused {
        if self.keeps(switch) {
            Ok(())
        } else {
            Err(Engine::UnknownAction(name).into())
        }
    }

    /// Success, or a refusal where the promise to report operations without effect is kept.
    pub fn nothing_matched(&self) -> Refused {
        if self.keeps(Switch::NoSilentSuccess) {
            Err(Refusal::NothingMatched)
        } else {
            Ok(())
        }
    }
}

/// What became of a transaction inside a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Outcome {
    /// All calls of the batch took effect; the nonce is used.
    Accepted,
    /// None took effect; the nonce is used.
    Refused(Refusal),
    /// The transaction should not have been in the block (nonce, network or signature); it changes
    /// nothing at all.
    Invalid,
}

impl Outcome {
    /// The result code that enters the app hash; texts do not. Source: idos-facts 6.2, kwil-rpc 3.
    pub const fn code(self) -> u32 {
        match self {
            Outcome::Accepted => 0,
            Outcome::Refused(refusal) => refusal.result_code(),
            Outcome::Invalid => 65_535,
        }
    }
}

/// Why a transaction may not enter mempool or block. Source: kwil-rpc 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Invalid {
    /// The signature is not the sender's.
    BadSignature,
    /// It is meant for another network.
    WrongChain,
    /// It carries content that is not a sealed box, under `sealed-content`.
    ContentNotSealed,
    /// It does not carry the next nonce.
    WrongNonce {
        /// What it carries.
        got: u64,
        /// What was due.
        expected: u64,
    },
}

impl Invalid {
    /// A stable name for the reason.
    pub const fn code(self) -> &'static str {
        match self {
            Invalid::BadSignature => "bad-signature",
            Invalid::WrongChain => "wrong-chain",
            Invalid::ContentNotSealed => "content-not-sealed",
            Invalid::WrongNonce { .. } => "wrong-nonce",
        }
    }
}

/// Checks what the mempool checks: signature, network, sealed content and nonce, in this order. Content
/// is looked at here, because a refusal inside a block would come after every node has stored it.
/// `used` is the sender's last nonce, pending ones included.
pub fn validate(env: Env<'_>, transaction: &Transaction, used: u64) -> Result<(), Invalid> {
    if !transaction.verify(env.suite) {
        return Err(Invalid::BadSignature);
    }
    let unnamed = transaction.chain_id.is_empty() && !env.rules.keep(Switch::RequiredChainId);
    if !unnamed && transaction.chain_id != *env.chain_id {
        return Err(Invalid::WrongChain);
    }
    let open = |action: &Action| !credentials::content_is_sealed(action);
    if env.rules.keep(Switch::SealedContent) && transaction.payload.calls().iter().any(open) {
        return Err(Invalid::ContentNotSealed);
    }
    let expected = used + 1;
    if transaction.nonce != expected {
        return Err(Invalid::WrongNonce {
            got: transaction.nonce,
            expected,
        });
    }
    Ok(())
}

/// What happens at the beginning of a block because time has passed, before any of its transactions: requests
/// that nobody decided expire, grants whose end has come go, and so does what waited for the end of a lock. The
/// deployed schema knows nothing of the kind, and has no rows for it.
pub fn begin_block(state: &mut State, env: Env<'_>, at: At) {
    let call = Call {
        env,
        caller: "",
        time: at.time,
        height: at.height,
    };
    requests::expire(state, call);
    grants::end_due(state, call);
    credentials::remove_due(state, call);
}

/// Runs a block on the state it follows: what time brings, its transactions in order, what its end decides.
/// `each` looks at the state after the beginning, where there is no transaction yet, and after each of them.
/// Returns who is to lead from the next block on, if that was decided.
pub fn run_block(
    state: &mut State,
    env: Env<'_>,
    at: At,
    (hash, transactions): (Hash, &[Arc<Transaction>]),
    mut each: impl FnMut(&mut State, Option<(&Transaction, Outcome)>),
) -> Option<Identity> {
    begin_block(state, env, at);
    each(state, None);
    for transaction in transactions {
        let outcome = execute(state, env, at, transaction);
        each(state, Some((transaction, outcome)));
    }
    conclude(state, env, at, hash)
}

/// Executes one transaction of a block. Source: idos-facts 3.0.
///
/// The nonce stays used when an action refuses. Signatures are checked again here only under
/// `verified-execution`: the published node trusts the mempool of whoever proposed the block.
pub fn execute(state: &mut State, env: Env<'_>, at: At, transaction: &Transaction) -> Outcome {
    let used = state
        .tables()
        .accounts
        .get(&transaction.sender.account())
        .map_or(0, |account| account.0);
    let valid = if env.rules.keep(Switch::VerifiedExecution) {
        validate(env, transaction, used).is_ok()
    } else {
        transaction.nonce == used + 1
    };
    if !valid {
        return Outcome::Invalid;
    }
    state.put(transaction.sender.account(), Account(transaction.nonce));
    if let Some(problem) = transaction.payload.problem() {
        return Outcome::Refused(Refusal::Unreadable(problem));
    }
    // Rules may be replaced by the owner; what a transaction starts under, it ends under.
    let (rules, owner) = governance::ruled(state.tables(), env);
    let env = Env {
        rules,
        db_owner: owner.as_deref().unwrap_or(env.db_owner),
        ..env
    };
    let savepoint = state.savepoint();
    let caller = transaction.sender.caller();
    let call = Call {
        env,
        caller: &caller,
        time: at.time,
        height: at.height,
    };
    let ran = match transaction.payload.engine() {
        Some(payload) => engine::apply(state, call, (transaction.sender, at), payload),
        None => {
            let mut calls = transaction.payload.calls().iter();
            calls.try_for_each(|action| apply(state, call, action))
        }
    };
    match ran {
        Ok(()) => Outcome::Accepted,
        Err(refusal) => {
            state.rollback(savepoint);
            Outcome::Refused(refusal)
        }
    }
}

fn apply(state: &mut State, call: Call<'_>, action: &Action) -> Refused {
    limits::check_sizes(call, action)?;
    if costs_gas(action) {
        economy::capture(state, call, GAS)?;
    }
    match action {
        Action::AddInserterAsOwner { .. }
        | Action::DeleteInserterAsOwner { .. }
        | Action::AddDelegateAsOwner { .. }
        | Action::DeleteDelegateAsOwner { .. } => owner::apply(state, call, action),

        Action::AddUserAsInserter {
            id,
            recipient_encryption_public_key: key,
            encryption_password_store: store,
        } => users::add_user_as_inserter(state, call, *id, key, store),
        Action::UpdateUserPubKeyAsInserter {
            id,
            recipient_encryption_public_key: key,
            encryption_password_store: store,
            consent,
        } => users::update_user_pub_key_as_inserter(state, call, *id, (key, store), consent),
        Action::RemoveUser {} => users::remove_user(state, call),

        Action::UpsertWalletAsInserter { .. } => {
            wallets::upsert_wallet_as_inserter(state, call, action)
        }
        Action::AddWallet { .. } => wallets::add_wallet(state, call, action),
        Action::RemoveWallet { id } => wallets::remove_wallet(state, call, *id),

        Action::UpsertCredentialAsInserter {
            user_id, consent, ..
        } => {
            let written = written(action);
            credentials::upsert_credential_as_inserter(state, call, &written, *user_id, consent)
        }
        Action::AddCredential { .. } => credentials::add_credential(state, call, &written(action)),
        Action::EditCredential { .. } => {
            credentials::edit_credential(state, call, &written(action))
        }
        Action::EditPublicNotesAsIssuer {
            public_notes_id,
            public_notes,
        } => credentials::edit_public_notes_as_issuer(state, call, public_notes_id, public_notes),
        Action::ShareCredential {
            original_credential_id: original,
            content_hash,
            grantee_wallet_identifier: grantee,
            locked_until,
            terms,
            ..
        } => {
            let copy = written(action);
            let grant = NewGrant {
                grantee,
                data: copy.id,
                locked_until: *locked_until,
                content_hash: Some(content_hash.clone()),
                inserter_type: GrantInserter::User,
                inserter_id: call.caller.into(),
                terms: terms.as_ref().map_or_else(GrantTerms::default, |terms| {
                    let request = terms.request_id;
                    GrantTerms {
                        request: request.filter(|_| call.keeps(Switch::RecordedRequests)),
                        expires_at: terms.expires_at,
                        uses_left: terms.uses,
                        open_until: None,
                        fields: terms.fields.clone(),
                    }
                }),
            };
            let terms = terms.as_ref();
            credentials::share_credential(state, call, &copy, *original, grant, terms)
        }
        Action::RemoveCredential { id } => credentials::remove_credential(state, call, *id),
        Action::RemoveCredentialWhenUnlocked { id } => {
            credentials::remove_when_unlocked(state, call, *id)
        }
        Action::RescindSharedCredential { credential_id } => {
            credentials::rescind_shared_credential(state, call, *credential_id)
        }

        Action::CreateCredentialsByDwg { .. } => {
            delegated_write::create_credentials_by_dwg(state, call, action)
        }

        Action::AddAttributeAsInserter { .. }
        | Action::AddAttribute { .. }
        | Action::EditAttribute { .. }
        | Action::RemoveAttribute { .. }
        | Action::ShareAttribute { .. } => attributes::apply(state, call, action),

        Action::AddPassportingClubAsOwner { .. }
        | Action::UpdatePassportingClubAsOwner { .. }
        | Action::DeletePassportingClubAsOwner { .. }
        | Action::AddPassportingPeerAsOwner { .. }
        | Action::UpdatePassportingPeerAsOwner { .. }
        | Action::DeletePassportingPeerAsOwner { .. }
        | Action::AddPassportingPeerToClubAsOwner { .. }
        | Action::DeletePassportingPeerFromClubAsOwner { .. } => {
            passporting::apply(state, call, action)
        }
        Action::CreateCredentialCopy {
            original_credential_id: original,
            ..
        } => passporting::create_credential_copy(state, call, &written(action), *original),

        Action::CreateAgByDagForCopy { .. } => {
            grants::create_ag_by_dag_for_copy(state, call, action)
        }
        Action::CancelDag { .. } | Action::CancelDwg { .. } => papers::cancel(state, call, action),
        Action::RevokeAccessGrant { id } => grants::revoke_access_grant(state, call, *id),
        Action::RevokeGranteeAccess {
            data_id,
            grantee_wallet_identifier: grantee,
        } => grants::revoke_grantee_access(state, call, *data_id, grantee),
        Action::UseAccessGrant { id } => grants::use_access_grant(state, call, *id),

        Action::RequestAccess { .. } => requests::request_access(state, call, action),
        Action::WithdrawAccessRequest { id } => requests::withdraw(state, call, *id),
        Action::DenyAccessRequest { id } => requests::deny(state, call, *id),

        Action::ActionCostingGas {}
        | Action::ActionCostingIdosToken { .. }
        | Action::ActionCostingFee { .. }
        | Action::SetIssuerFee { .. }
        | Action::RequestWithdrawal { .. }
        | Action::RequestBalanceWithdrawal { .. }
        | Action::Transfer { .. }
        | Action::Lock { .. }
        | Action::Bridge { .. } => economy::apply(state, call, action),
    }
}

/// What an action costs today.
const GAS: Amount = Amount::ZERO;

/// The actions that begin with capturing gas. Source: the actions marked G in idos-facts 3.
fn costs_gas(action: &Action) -> bool {
    match action {
        Action::AddUserAsInserter { .. }
        | Action::UpdateUserPubKeyAsInserter { .. }
        | Action::UpsertWalletAsInserter { .. }
        | Action::AddWallet { .. }
        | Action::RemoveWallet { .. }
        | Action::UpsertCredentialAsInserter { .. }
        | Action::AddCredential { .. }
        | Action::EditCredential { .. }
        | Action::EditPublicNotesAsIssuer { .. }
        | Action::ShareCredential { .. }
        | Action::RemoveCredential { .. }
        | Action::RescindSharedCredential { .. }
        | Action::CreateCredentialsByDwg { .. }
        | Action::AddAttributeAsInserter { .. }
        | Action::AddAttribute { .. }
        | Action::EditAttribute { .. }
        | Action::RemoveAttribute { .. }
        | Action::ShareAttribute { .. }
        | Action::CreateAgByDagForCopy { .. }
        | Action::RevokeAccessGrant { .. }
        | Action::RequestWithdrawal { .. } => true,
        Action::AddInserterAsOwner { .. }
        | Action::DeleteInserterAsOwner { .. }
        | Action::AddDelegateAsOwner { .. }
        | Action::DeleteDelegateAsOwner { .. }
        | Action::RequestBalanceWithdrawal { .. }
        | Action::RemoveUser {}
        | Action::ActionCostingGas {}
        | Action::ActionCostingIdosToken { .. }
        | Action::ActionCostingFee { .. }
        | Action::SetIssuerFee { .. }
        | Action::Transfer { .. }
        | Action::Lock { .. }
        | Action::Bridge { .. } => false,
        // What the deployed schema lacks has no price in it.
        Action::CreateCredentialCopy { .. }
        | Action::RemoveCredentialWhenUnlocked { .. }
        | Action::AddPassportingClubAsOwner { .. }
        | Action::UpdatePassportingClubAsOwner { .. }
        | Action::DeletePassportingClubAsOwner { .. }
        | Action::AddPassportingPeerAsOwner { .. }
        | Action::UpdatePassportingPeerAsOwner { .. }
        | Action::DeletePassportingPeerAsOwner { .. }
        | Action::AddPassportingPeerToClubAsOwner { .. }
        | Action::DeletePassportingPeerFromClubAsOwner { .. }
        | Action::CancelDag { .. }
        | Action::CancelDwg { .. }
        | Action::RevokeGranteeAccess { .. }
        | Action::UseAccessGrant { .. }
        | Action::RequestAccess { .. }
        | Action::WithdrawAccessRequest { .. }
        | Action::DenyAccessRequest { .. } => false,
    }
}

/// The credential an action of the above writes.
fn written(action: &Action) -> Written<'_> {
    Written::of(action).unwrap_or_else(|| unreachable!("{} writes no credential", action.name()))
}
