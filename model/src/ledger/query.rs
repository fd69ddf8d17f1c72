//! Views: what one node answers from its last committed state. Source: idos-facts 3.6, 3.8.

use std::collections::BTreeSet;

use serde::Serialize;

use super::action::Query;
use super::execute::{Call, Env};
use super::message::{DelegatedAccessGrant, DelegatedWriteGrant};
use super::owner::inserter;
use super::refusal::Refusal;
use super::requests::state_at;
use super::tables::{
    AccessGrant, AccessRequest, AuditEvent, Content, Credential, GrantInserter, PassportingPeer,
    RequestState, State, Tables, WalletType,
};
use super::users::self_user;
use super::{
    attributes, credentials, delegated_write, economy, governance, grants, passporting, wallets,
};
use crate::bridge::{Address, Amount, Hash, Leaf};
use crate::id::{
    AccessRequestId, AttributeId, CredentialId, EpochId, GrantId, Height, PeerId, Text, UserId,
    WalletId,
};
use crate::rules::Switch;

/// Size of a page when none is asked for. Source: comment at schema:get_access_grants_granted.
const DEFAULT_PAGE_SIZE: i64 = 20;

/// A profile, as `get_user` and `get_user_as_inserter` show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct UserRow {
    pub id: UserId,
    pub recipient_encryption_public_key: Text,
    pub encryption_password_store: Text,
    /// Only for inserters.
    pub inserter: Option<Text>,
}

/// A wallet, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct WalletRow {
    pub id: WalletId,
    pub user_id: UserId,
    pub address: Text,
    pub public_key: Option<Text>,
    pub wallet_type: WalletType,
    pub message: Option<Text>,
    pub signature: Option<Text>,
    pub inserter: Option<Text>,
}

/// A credential without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct CredentialSummary {
    pub id: CredentialId,
    pub user_id: UserId,
    pub public_notes: Text,
    pub issuer_auth_public_key: Text,
    pub inserter: Option<Text>,
    /// The original, when this is a copy whose original still exists.
    pub original_id: Option<CredentialId>,
}

impl CredentialSummary {
    /// Whether it is no copy: those have no notes, also when their original is gone.
    pub fn is_original(&self) -> bool {
        self.original_id.is_none() && !self.public_notes.is_empty()
    }
}

/// A credential with its content, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct CredentialDetail {
    pub id: CredentialId,
    pub user_id: UserId,
    pub public_notes: Text,
    pub content: Content,
    pub encryptor_public_key: Text,
    pub issuer_auth_public_key: Text,
    pub inserter: Option<Text>,
}

/// A copy with its content, as a grantee sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct SharedCredential {
    pub id: CredentialId,
    pub user_id: UserId,
    /// The original's notes; none when they are gone.
    pub public_notes: Option<Text>,
    pub content: Content,
    pub encryptor_public_key: Text,
    pub issuer_auth_public_key: Text,
}

/// A grant, as owner and grantee see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct GrantRow {
    pub id: GrantId,
    pub owner: UserId,
    pub grantee: Text,
    pub data: CredentialId,
    pub locked_until: i64,
    pub content_hash: Option<Text>,
    pub inserter_type: GrantInserter,
    pub inserter_id: Text,
}

/// An attribute, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct AttributeRow {
    pub id: AttributeId,
    pub user_id: UserId,
    pub attribute_key: Text,
    pub value: Text,
    /// The original, when this is a copy.
    pub original_id: Option<AttributeId>,
}

/// The ledger of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BridgeInfo {
    /// Contract of the other chain that holds the deposits.
    pub escrow: Address,
    /// Digits after the point.
    pub decimals: u32,
    /// What the network owns.
    pub balance: Amount,
}

/// A closed epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct EpochRow {
    pub id: EpochId,
    pub start_height: Height,
    /// Chain time, in seconds.
    pub start_time: i64,
    pub end_height: Height,
    pub root: Hash,
    /// Sum of its rewards.
    pub total: Amount,
    /// Hash of the block that closed it.
    pub block: Hash,
    pub confirmed: bool,
}

/// What somebody gets in an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct RewardRow {
    pub recipient: Address,
    pub amount: Amount,
}

/// What somebody can claim on the other chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct ClaimRow {
    pub escrow: Address,
    /// Height of the block that closed the epoch.
    pub created_at: Height,
    pub recipient: Address,
    pub amount: Amount,
    /// Hash of the block that closed the epoch.
    pub block: Hash,
    pub root: Hash,
    pub proof: Vec<Hash>,
}

impl ClaimRow {
    /// What its proof is of.
    pub fn leaf(&self) -> Leaf {
        Leaf {
            recipient: self.recipient,
            amount: self.amount,
            escrow: self.escrow,
            block: self.block,
        }
    }
}

/// A request for access, as owner and consumer see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct AccessRequestRow {
    pub id: AccessRequestId,
    pub consumer: Text,
    pub owner: UserId,
    pub credential: Option<CredentialId>,
    pub kind: Option<Text>,
    pub fields: Option<Text>,
    pub purpose: Text,
    pub locked_until: i64,
    pub stands_until: i64,
    pub expires_at: Option<i64>,
    pub uses: Option<i64>,
    pub state: RequestState,
    /// The copy made for it.
    pub copy: Option<CredentialId>,
}

/// How far a grant goes, as owner and grantee see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct GrantTermsRow {
    pub id: GrantId,
    pub request: Option<AccessRequestId>,
    pub expires_at: Option<i64>,
    pub uses_left: Option<i64>,
    pub open_until: Option<i64>,
    pub fields: Option<Text>,
}

/// A row of the audit record, as owner and grantee see it: what was done and when, without content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct AuditRow {
    pub event: AuditEvent,
    /// UNIX seconds of chain time.
    pub time: i64,
    pub height: i64,
    pub owner: UserId,
    /// Who asked, or holds the grant.
    pub party: Text,
    pub request: Option<AccessRequestId>,
    pub grant: Option<GrantId>,
    pub data: Option<CredentialId>,
}

/// A copy that only a lock keeps, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct RemainderRow {
    pub id: CredentialId,
    /// Last second of the last lock on it, UNIX seconds.
    pub locked_until: i64,
    /// Whether it will be removed then.
    pub due: bool,
}

/// An obliged entity, as those in its clubs see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct PeerRow {
    pub id: PeerId,
    pub name: Text,
    pub issuer_public_key: Text,
    pub server_url_base: Text,
}

/// A line of the public log of changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct ChangeRow {
    /// Counts from 1.
    pub number: i64,
    pub height: i64,
    pub what: Text,
    pub subject: Text,
}

/// What a view returns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Answer {
    /// A profile, if there is one.
    User(Option<UserRow>),
    /// Wallets.
    Wallets(Vec<WalletRow>),
    /// Credentials without content.
    Credentials(Vec<CredentialSummary>),
    /// An own credential, if there is one.
    Owned(Option<CredentialDetail>),
    /// A shared copy.
    Shared(SharedCredential),
    /// A credential's id, if there is one.
    CredentialId(Option<CredentialId>),
    /// Grants.
    Grants(Vec<GrantRow>),
    /// Attributes.
    Attributes(Vec<AttributeRow>),
    /// Requests for access.
    Requests(Vec<AccessRequestRow>),
    /// How far a grant goes.
    Terms(GrantTermsRow),
    /// Rows of the audit record.
    Records(Vec<AuditRow>),
    /// What locks keep.
    Remainders(Vec<RemainderRow>),
    /// Obliged entities.
    Peers(Vec<PeerRow>),
    /// Changes of the rules.
    Changes(Vec<ChangeRow>),
    /// A count.
    Count(i64),
    /// Yes or no.
    Truth(bool),
    /// A text to sign.
    Text(String),
    /// An amount of a token.
    Amount(Amount),
    /// An amount of gas, if there is a profile it belongs to.
    Allowance(Option<Amount>),
    /// An address, if there is one.
    Address(Option<Address>),
    /// The ledger of a token.
    Info(BridgeInfo),
    /// Closed epochs.
    Epochs(Vec<EpochRow>),
    /// Who gets what in an epoch.
    Rewards(Vec<RewardRow>),
    /// What can be claimed.
    Claims(Vec<ClaimRow>),
}

/// Answers a query. A view never changes the state, which its type says.
pub fn view(state: &State, call: Call<'_>, query: &Query) -> Result<Answer, Refusal> {
    let tables = state.tables();
    let (rules, owner) = governance::ruled(tables, call.env);
    let env = Env {
        rules,
        db_owner: owner.as_deref().unwrap_or(call.env.db_owner),
        ..call.env
    };
    let call = Call { env, ..call };
    Ok(match query {
        Query::GetUser {} => {
            let own = self_user(tables, call)?;
            Answer::User(own.and_then(|id| user_row(tables, id, false)))
        }
        Query::GetUserAsInserter { id } => {
            inserter(tables, call)?;
            Answer::User(user_row(tables, *id, true))
        }
        Query::GetWallets {} => {
            // This view joins on the caller's profiles, so it alone does not mind several.
            let own: BTreeSet<UserId> = wallets::matching(tables, call.caller)
                .map(|(_, wallet)| wallet.user_id)
                .collect();
            Answer::Wallets(wallet_rows(tables, &own))
        }
        Query::GetCredentials {} => {
            let own = self_user(tables, call)?;
            let mine = |row: &Credential| Some(row.user_id) == own;
            Answer::Credentials(summaries(tables, |_, row| mine(row)))
        }
        Query::GetCredentialOwned { id } => {
            let own = self_user(tables, call)?;
            Answer::Owned(owned(tables, own, *id))
        }
        Query::GetCredentialShared { id } => Answer::Shared(shared(tables, call, *id)?),
        Query::GetCredentialsSharedByUser {
            user_id,
            original_issuer_auth_public_key,
        } => {
            let issuer = original_issuer_auth_public_key.as_ref();
            Answer::Credentials(shared_by(tables, call, *user_id, issuer))
        }
        Query::GetSiblingCredentialId { content_hash } => {
            Answer::CredentialId(sibling(tables, call, content_hash))
        }
        Query::CredentialExistAsInserter { id } => {
            inserter(tables, call)?;
            Answer::Truth(tables.credentials.contains_key(id))
        }
        Query::GetAccessGrantsOwned {} => {
            let own = self_user(tables, call)?;
            Answer::Grants(grant_rows(tables, |grant| Some(grant.owner) == own))
        }
        Query::GetAccessGrantsGranted {
            user_id,
            page,
            size,
        } => Answer::Grants(granted_page(tables, call, *user_id, *page, *size)?),
        Query::GetAccessGrantsGrantedCount { user_id } => {
            Answer::Count(granted(tables, call, *user_id).len() as i64)
        }
        Query::GetAccessGrantsForCredential { credential_id } => {
            let private = call.keeps(Switch::PrivateGrants);
            let shown = grants::on(tables, *credential_id)
                .filter(|(_, grant)| !private || grants::is_grantee(call, grant));
            Answer::Grants(shown.map(|(id, grant)| grant_row(id, grant)).collect())
        }
        Query::HasLockedAccessGrants { id } => {
            let own = self_user(tables, call)?;
            Answer::Truth(own.is_some() && grants::has_locked(tables, call, own, *id))
        }
        Query::GetPassportingPeers {} => {
            let peers = passporting::peers(tables, call)?.into_iter();
            let row = |(id, peer): (PeerId, PassportingPeer)| PeerRow {
                id,
                name: peer.name,
                issuer_public_key: peer.issuer_public_key,
                server_url_base: peer.server_url_base,
            };
            Answer::Peers(peers.map(row).collect())
        }
        Query::GetGovernanceLog { page, size } => {
            call.offers(Switch::GovernanceLog, query.name())?;
            let changes = tables.governance_log.iter();
            let rows = changes.map(|(number, change)| ChangeRow {
                number: *number as i64,
                height: change.height.0 as i64,
                what: change.what.clone(),
                subject: change.subject.clone(),
            });
            let (page, size) = (page.or(Some(1)), size.or(Some(DEFAULT_PAGE_SIZE)));
            Answer::Changes(paged(call, rows.collect(), page, size)?)
        }
        Query::GetAttributes {} => {
            let own = self_user(tables, call)?;
            Answer::Attributes(attribute_rows(tables, own))
        }
        Query::DwgMessage {
            owner_wallet_identifier: owner,
            grantee_wallet_identifier: grantee,
            issuer_public_key: issuer,
            id,
            access_grant_timelock: timelock,
            not_usable_before: not_before,
            not_usable_after: not_after,
        } => {
            let dwg = DelegatedWriteGrant {
                owner,
                grantee,
                issuer,
                id: *id,
                timelock,
                not_before,
                not_after,
            };
            Answer::Text(delegated_write::message(call, &dwg)?)
        }
        Query::DagMessage {
            dag_owner_wallet_identifier: owner,
            dag_grantee_wallet_identifier: grantee,
            dag_data_id: data,
            dag_locked_until: locked_until,
            dag_content_hash: content_hash,
            terms,
        } => {
            let dag = DelegatedAccessGrant {
                owner,
                grantee,
                data: *data,
                locked_until: *locked_until,
                content_hash: content_hash.as_deref(),
                terms: terms.as_ref(),
            };
            Answer::Text(dag.text(call.env.rules, call.env.chain_id))
        }
        Query::GetAccessRequestsReceived { page, size } => {
            call.offers(Switch::RecordedRequests, query.name())?;
            let own = self_user(tables, call)?;
            let mine = |request: &AccessRequest| Some(request.owner) == own;
            Answer::Requests(paged(call, request_rows(tables, call, mine), *page, *size)?)
        }
        Query::GetAccessRequestsMade { page, size } => {
            call.offers(Switch::RecordedRequests, query.name())?;
            let mine = |request: &AccessRequest| *request.consumer == *call.caller;
            Answer::Requests(paged(call, request_rows(tables, call, mine), *page, *size)?)
        }
        Query::GetAccessGrantTerms { id } => {
            call.offers(Switch::GrantTerms, query.name())?;
            Answer::Terms(terms_row(tables, call, *id)?)
        }
        Query::GetAuditRecords { page, size } => {
            call.offers(Switch::AuditRecord, query.name())?;
            let own = self_user(tables, call)?;
            Answer::Records(paged(call, audit_rows(tables, call, own), *page, *size)?)
        }
        Query::GetLockedRemainders {} => {
            call.offers(Switch::RemaindersRemoved, query.name())?;
            let own = self_user(tables, call)?;
            Answer::Remainders(remainder_rows(tables, call, own))
        }
        Query::HasProfile { address } => Answer::Truth(wallets::has_profile(tables, call, address)),
        Query::CheckBalance { address, token } => {
            let token = economy::token(token)?;
            let address = economy::address(address)?;
            Answer::Amount(economy::balance(tables, token, address))
        }
        Query::GetWalletWithBalance { token } => {
            let token = economy::token(token)?;
            Answer::Address(economy::payer(tables, call, token)?)
        }
        Query::GetAllowance {} => Answer::Allowance(economy::allowance(tables, call)?),
        Query::GetIssuerFee { credential_id } => {
            Answer::Amount(economy::issuer_fee(tables, call, *credential_id)?)
        }
        Query::Balance { token, user } => {
            Answer::Amount(economy::balance(tables, *token, economy::address(user)?))
        }
        Query::Info { token } => Answer::Info(economy::info(tables, *token)),
        Query::ListEpochs {
            token,
            after,
            limit,
        } => Answer::Epochs(economy::epochs(tables, *token, (*after, *limit))),
        Query::GetEpochRewards { token, epoch_id } => {
            Answer::Rewards(economy::rewards(tables, *token, *epoch_id))
        }
        Query::ListWalletRewards {
            token,
            wallet,
            with_pending,
        } => {
            let wallet = economy::address(wallet)?;
            Answer::Claims(economy::claims(tables, *token, wallet, *with_pending))
        }
    })
}

fn user_row(tables: &Tables, id: UserId, for_inserter: bool) -> Option<UserRow> {
    tables.users.get(&id).map(|user| UserRow {
        id,
        recipient_encryption_public_key: user.recipient_encryption_public_key.clone(),
        encryption_password_store: user.encryption_password_store.clone(),
        inserter: for_inserter.then(|| user.inserter.clone()),
    })
}

fn wallet_rows(tables: &Tables, own: &BTreeSet<UserId>) -> Vec<WalletRow> {
    tables
        .wallets
        .iter()
        .filter(|(_, wallet)| own.contains(&wallet.user_id))
        .map(|(id, wallet)| WalletRow {
            id: *id,
            user_id: wallet.user_id,
            address: wallet.address.clone(),
            public_key: wallet.public_key.clone(),
            wallet_type: wallet.wallet_type,
            message: wallet.message.clone(),
            signature: wallet.signature.clone(),
            inserter: wallet.inserter.clone(),
        })
        .collect()
}

fn attribute_rows(tables: &Tables, own: Option<UserId>) -> Vec<AttributeRow> {
    let rows = tables.user_attributes.iter();
    rows.filter(|(_, row)| Some(row.user_id) == own)
        .map(|(id, row)| AttributeRow {
            id: *id,
            user_id: row.user_id,
            attribute_key: row.attribute_key.clone(),
            value: row.value.clone(),
            original_id: attributes::original_of(tables, *id),
        })
        .collect()
}

fn summaries(
    tables: &Tables,
    keep: impl Fn(CredentialId, &Credential) -> bool,
) -> Vec<CredentialSummary> {
    tables
        .credentials
        .iter()
        .filter(|(id, row)| keep(**id, row))
        .map(|(id, row)| CredentialSummary {
            id: *id,
            user_id: row.user_id,
            public_notes: row.public_notes.clone(),
            issuer_auth_public_key: row.issuer_auth_public_key.clone(),
            inserter: row.inserter.clone(),
            original_id: credentials::original_of(tables, *id),
        })
        .collect()
}

fn owned(tables: &Tables, own: Option<UserId>, id: CredentialId) -> Option<CredentialDetail> {
    let row = tables
        .credentials
        .get(&id)
        .filter(|row| Some(row.user_id) == own)?;
    Some(CredentialDetail {
        id,
        user_id: row.user_id,
        public_notes: row.public_notes.clone(),
        content: row.content.clone(),
        encryptor_public_key: row.encryptor_public_key.clone(),
        issuer_auth_public_key: row.issuer_auth_public_key.clone(),
        inserter: row.inserter.clone(),
    })
}

fn shared(tables: &Tables, call: Call<'_>, id: CredentialId) -> Result<SharedCredential, Refusal> {
    let held = || grants::on(tables, id).filter(|(_, grant)| grants::is_grantee(call, grant));
    if held().next().is_none() && grants::has_ended(tables, call, id) {
        return Err(Refusal::GrantEnded);
    }
    let row = tables.credentials.get(&id);
    let Some(row) = row.filter(|_| held().next().is_some()) else {
        return Err(match row {
            // A missing copy reads the same as one that is for others.
            None if !call.keeps(Switch::HiddenExistence) => Refusal::CredentialUnknown,
            None | Some(_) => Refusal::NotShared,
        });
    };
    if !held().any(|(_, grant)| grants::is_readable(grant, call.time)) {
        let over = held().all(|(_, grant)| grants::is_over(grant, call.time));
        return Err(if over {
            Refusal::GrantEnded
        } else {
            Refusal::GrantNotOpen
        });
    }
    if economy::is_owed(tables, call, id) {
        return Err(Refusal::FeeUnpaid);
    }
    Ok(SharedCredential {
        id,
        user_id: row.user_id,
        public_notes: status_of(tables, id).map(|status| status.notes.clone()),
        content: row.content.clone(),
        encryptor_public_key: row.encryptor_public_key.clone(),
        issuer_auth_public_key: row.issuer_auth_public_key.clone(),
    })
}

/// What a copy's original says about itself, or said last.
struct OriginalStatus<'a> {
    original: Option<CredentialId>,
    issuer: &'a Text,
    notes: &'a Text,
}

fn status_of(tables: &Tables, copy: CredentialId) -> Option<OriginalStatus<'_>> {
    if let Some(original) = credentials::original_of(tables, copy) {
        let row = tables.credentials.get(&original)?;
        return Some(OriginalStatus {
            original: Some(original),
            issuer: &row.issuer_auth_public_key,
            notes: &row.public_notes,
        });
    }
    let retained = tables.retained_notes.get(&copy)?;
    Some(OriginalStatus {
        original: None,
        issuer: &retained.issuer_auth_public_key,
        notes: &retained.public_notes,
    })
}

/// Copies of a user granted to the caller, with the notes and issuer key of their originals, so that
/// a consumer learns who vouches for them.
fn shared_by(
    tables: &Tables,
    call: Call<'_>,
    user: UserId,
    issuer: Option<&Text>,
) -> Vec<CredentialSummary> {
    let granted = |id: CredentialId| {
        grants::on(tables, id)
            .any(|(_, grant)| grants::is_grantee(call, grant) && !grants::is_over(grant, call.time))
    };
    tables
        .credentials
        .iter()
        .filter(|(id, row)| row.user_id == user && granted(**id))
        .filter_map(|(id, row)| status_of(tables, *id).map(|status| (*id, row, status)))
        .filter(|(_, _, status)| issuer.is_none_or(|issuer| status.issuer == issuer))
        .map(|(id, row, status)| CredentialSummary {
            id,
            user_id: row.user_id,
            public_notes: status.notes.clone(),
            issuer_auth_public_key: status.issuer.clone(),
            inserter: row.inserter.clone(),
            original_id: status.original,
        })
        .collect()
}

fn sibling(tables: &Tables, call: Call<'_>, content_hash: &Text) -> Option<CredentialId> {
    tables
        .access_grants
        .iter()
        .filter(|(_, grant)| grants::is_grantee(call, grant))
        .filter(|(_, grant)| grant.content_hash.as_ref() == Some(content_hash))
        .min_by_key(|(id, grant)| (grant.height, **id))
        .map(|(_, grant)| grant.data)
}

fn grant_row(id: GrantId, grant: &AccessGrant) -> GrantRow {
    GrantRow {
        id,
        owner: grant.owner,
        grantee: grant.grantee.clone(),
        data: grant.data,
        locked_until: grant.locked_until,
        content_hash: grant.content_hash.clone(),
        inserter_type: grant.inserter_type,
        inserter_id: grant.inserter_id.clone(),
    }
}

fn grant_rows(tables: &Tables, keep: impl Fn(&AccessGrant) -> bool) -> Vec<GrantRow> {
    tables
        .access_grants
        .iter()
        .filter(|(_, grant)| keep(grant))
        .map(|(id, grant)| grant_row(*id, grant))
        .collect()
}

/// The caller's received grants in listing order: by height of creation, then id.
fn granted(tables: &Tables, call: Call<'_>, user: Option<UserId>) -> Vec<GrantRow> {
    let mut found: Vec<_> = tables
        .access_grants
        .iter()
        .filter(|(_, grant)| grants::is_grantee(call, grant))
        .filter(|(_, grant)| user.is_none_or(|user| grant.owner == user))
        .collect();
    found.sort_by_key(|(id, grant)| (grant.height, **id));
    found
        .into_iter()
        .map(|(id, grant)| grant_row(*id, grant))
        .collect()
}

fn granted_page(
    tables: &Tables,
    call: Call<'_>,
    user: Option<UserId>,
    page: Option<i64>,
    size: Option<i64>,
) -> Result<Vec<GrantRow>, Refusal> {
    paged(call, granted(tables, call, user), page, size)
}

/// One page of a listing.
fn paged<R>(
    call: Call<'_>,
    all: Vec<R>,
    page: Option<i64>,
    size: Option<i64>,
) -> Result<Vec<R>, Refusal> {
    if page.is_some_and(|page| page < 1) {
        return Err(Refusal::PageNotPositive);
    }
    if size.is_some_and(|size| size < 1) {
        return Err(Refusal::SizeNotPositive);
    }
    let (page, size) = if call.keeps(Switch::DefaultPaging) {
        (page.unwrap_or(1), size.unwrap_or(DEFAULT_PAGE_SIZE))
    } else {
        // Comparing NULL leaves both limits unset in the deployed schema.
        let (Some(page), Some(size)) = (page, size) else {
            return Ok(all);
        };
        (page, size)
    };
    let offset = usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    Ok(all.into_iter().skip(offset).take(size).collect())
}

/// Requests in listing order: by height of creation, then id.
fn request_rows(
    tables: &Tables,
    call: Call<'_>,
    keep: impl Fn(&AccessRequest) -> bool,
) -> Vec<AccessRequestRow> {
    let requests = tables.access_requests.iter();
    let mut found: Vec<_> = requests.filter(|(_, request)| keep(request)).collect();
    found.sort_by_key(|(id, request)| (request.height, **id));
    found
        .into_iter()
        .map(|(id, request)| AccessRequestRow {
            id: *id,
            consumer: request.consumer.clone(),
            owner: request.owner,
            credential: request.credential,
            kind: request.kind.clone(),
            fields: request.fields.clone(),
            purpose: request.purpose.clone(),
            locked_until: request.locked_until,
            stands_until: request.stands_until,
            expires_at: request.expires_at,
            uses: request.uses,
            state: state_at(request, call.time),
            copy: request.copy,
        })
        .collect()
}

/// Somebody else's grant reads the same as a missing one.
fn terms_row(tables: &Tables, call: Call<'_>, id: GrantId) -> Result<GrantTermsRow, Refusal> {
    let own = self_user(tables, call)?;
    let grant = tables.access_grants.get(&id);
    let grant = grant
        .filter(|grant| Some(grant.owner) == own || grants::is_grantee(call, grant))
        .ok_or(Refusal::GrantNotFound)?;
    Ok(GrantTermsRow {
        id,
        request: grant.terms.request,
        expires_at: grant.terms.expires_at,
        uses_left: grant.terms.uses_left,
        open_until: grant.terms.open_until,
        fields: grant.terms.fields.clone(),
    })
}

/// In the order of what happened. Numbers of rows would tell how much others do.
fn audit_rows(tables: &Tables, call: Call<'_>, own: Option<UserId>) -> Vec<AuditRow> {
    let records = tables.audit_records.values();
    records
        .filter_map(|record| {
            let about = record.about.as_ref()?;
            let concerned = Some(about.owner) == own || *about.party == *call.caller;
            concerned.then(|| AuditRow {
                event: record.event,
                time: record.time.0,
                height: i64::try_from(record.height.0).unwrap_or(i64::MAX),
                owner: about.owner,
                party: about.party.clone(),
                request: about.request,
                grant: about.grant,
                data: about.data,
            })
        })
        .collect()
}

/// Own copies whose original is gone and that a lock protects.
fn remainder_rows(tables: &Tables, call: Call<'_>, own: Option<UserId>) -> Vec<RemainderRow> {
    let orphans = tables.credentials.iter().filter(|(id, row)| {
        let orphan = tables.retained_notes.contains_key(id)
            || row.public_notes.is_empty() && credentials::original_of(tables, **id).is_none();
        Some(row.user_id) == own && orphan
    });
    orphans
        .filter_map(|(id, _)| {
            let locks =
                grants::on(tables, *id).filter(|(_, grant)| grants::is_locked(tables, grant, call));
            let locked_until = locks.map(|(_, grant)| grant.locked_until).max()?;
            Some(RemainderRow {
                id: *id,
                locked_until,
                due: tables.due_removals.contains_key(id),
            })
        })
        .collect()
}
