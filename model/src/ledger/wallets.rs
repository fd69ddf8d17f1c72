//! Wallets and their ownership proofs. Source: idos-facts 3.3.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::action::Action;
use super::execute::{Call, Refused};
use super::message::OwnershipProof;
use super::owner::inserter;
use super::refusal::{Engine, Refusal};
use super::tables::{ConsumedPaper, ReservedUser, State, Tables, User, Wallet, WalletType};
use super::users::self_user;
use crate::crypto::{Identity, Suite, XrplKey, stellar_address, verify_text};
use crate::id::{Text, UserId, WalletId};
use crate::rules::Switch;

/// The wallets an identifier speaks for: EVM by address ignoring case, XRPL and Stellar by address,
/// NEAR and FaceSign by public key. A Stellar wallet also answers to its key in hex, since its owner comes
/// as a plain Ed25519 key. Source: `self()`, idos-facts 3.0; WAL-02.
pub(super) fn matching<'a>(
    tables: &'a Tables,
    identifier: &'a str,
) -> impl Iterator<Item = (WalletId, &'a Wallet)> {
    let stellar = stellar_form(identifier);
    let named = tables.index.wallets(identifier);
    let also = stellar.as_deref().map(|form| tables.index.wallets(form));
    let ids: BTreeSet<WalletId> = named.chain(also.into_iter().flatten()).collect();
    ids.into_iter()
        .filter_map(|id| Some((id, &**tables.wallets.get(&id)?)))
        .filter(move |(_, wallet)| match wallet.wallet_type {
            WalletType::EVM => wallet.address.eq_ignore_ascii_case(identifier),
            WalletType::XRPL => *wallet.address == *identifier,
            WalletType::Stellar => {
                *wallet.address == *identifier || Some(&*wallet.address) == stellar.as_deref()
            }
            WalletType::NEAR | WalletType::FaceSign => {
                wallet.public_key.as_deref() == Some(identifier)
            }
        })
}

/// The Stellar address of an Ed25519 caller, who appears in lower-case hex.
fn stellar_form(caller: &str) -> Option<String> {
    match Identity::parse_ed25519(caller)? {
        Identity::Ed25519(key) if hex::encode(key) == caller => Some(stellar_address(&key)),
        _ => None,
    }
}

/// The key a wallet signs with; nothing when its columns name none, or not the same one.
///
/// Whoever is found by the address has to hold the key behind it, so the address of an XRPL or Stellar
/// wallet must follow from its public key. What a NEAR account's name stands for only NEAR knows, and such
/// a wallet is found by its key. Keys are hex except on NEAR, as the SDK stores them.
/// Source: idos-facts 2.2, 9.2.
fn signer(wallet: &Wallet) -> Option<Identity> {
    let key = wallet.public_key.as_deref();
    match wallet.wallet_type {
        WalletType::EVM => Identity::parse_evm(&wallet.address),
        WalletType::NEAR => key.and_then(Identity::parse_near),
        WalletType::FaceSign => key.and_then(Identity::parse_ed25519),
        WalletType::XRPL => {
            let key = key.and_then(XrplKey::parse)?;
            (key.address() == *wallet.address).then_some(Identity::Xrpl(key))
        }
        WalletType::Stellar => {
            let signer = Identity::parse_stellar(&wallet.address)?;
            // A missing public key is refused under a text of its own.
            let named = key.is_none_or(|key| Identity::parse_ed25519(key) == Some(signer));
            named.then_some(signer)
        }
    }
}

/// Whether the wallet's key made the hex `signature` over `text`. Stellar wallets sign a text as it is or,
/// as SEP-53 has it, the hash of a prefix and the text.
pub(super) fn signed(suite: &dyn Suite, wallet: &Wallet, text: &str, signature: &str) -> bool {
    let Some(signer) = signer(wallet) else {
        return false;
    };
    verify_text(suite, &signer, text, signature)
        || wallet.wallet_type == WalletType::Stellar
            && verify_text(suite, &signer, stellar_digest(text), signature)
}

/// What SEP-53 signs. Source: idos-facts 4.1.
fn stellar_digest(text: &str) -> [u8; 32] {
    let prefixed = Sha256::new().chain_update("Stellar Signed Message:\n");
    prefixed.chain_update(text).finalize().into()
}

/// A wallet as the arguments describe it, after WALLET-CHECKS.
fn checked(
    tables: &Tables,
    call: Call<'_>,
    id: WalletId,
    wallet_type: &str,
    wallet: impl FnOnce(WalletType) -> Wallet,
) -> Result<Wallet, Refusal> {
    let wallet = wallet(WalletType::parse(wallet_type).ok_or(Refusal::UnsupportedWalletType)?);
    let (message, signature) = (wallet.message.as_deref(), wallet.signature.as_deref());
    if !signed(
        call.env.suite,
        &wallet,
        message.unwrap_or(""),
        signature.unwrap_or(""),
    ) {
        return Err(Refusal::WalletInvalid);
    }
    let others = || {
        tables
            .wallets
            .iter()
            .filter(|(other, _)| **other != id)
            .map(|(_, row)| row)
    };
    if wallet.wallet_type != WalletType::EVM {
        let Some(key) = &wallet.public_key else {
            return Err(Refusal::WalletNeedsPublicKey);
        };
        let taken = |other: &Wallet| {
            other.wallet_type != WalletType::EVM && other.public_key.as_ref() == Some(key)
        };
        if others().any(|other| taken(other)) {
            return Err(Refusal::WalletPublicKeyTaken);
        }
    }
    let same_address = |other: &Wallet| match (wallet.wallet_type, other.wallet_type) {
        (WalletType::EVM, WalletType::EVM) => other.address.eq_ignore_ascii_case(&wallet.address),
        (WalletType::XRPL | WalletType::Stellar | WalletType::EVM, WalletType::XRPL)
        | (WalletType::XRPL | WalletType::Stellar | WalletType::EVM, WalletType::Stellar)
        | (WalletType::XRPL | WalletType::Stellar, WalletType::EVM) => {
            other.address == wallet.address
        }
        _ => false,
    };
    if others().any(|other| same_address(other)) {
        return Err(Refusal::WalletAddressTaken);
    }
    Ok(wallet)
}

/// The promises about ownership proofs: bound to profile, wallet, network and time, and good once.
/// Returns the paper to be marked as consumed.
fn checked_proof(
    tables: &Tables,
    call: Call<'_>,
    user: UserId,
    wallet: &Wallet,
) -> Result<Option<[u8; 32]>, Refusal> {
    let message = wallet.message.as_deref().unwrap_or("");
    if call.keeps(Switch::BoundOwnershipProof) {
        let chain_id = call.env.chain_id;
        let not_after = OwnershipProof::parse(message, user, &wallet.address, chain_id)
            .ok_or(Refusal::ProofUnbound)?;
        if call.time > not_after {
            return Err(Refusal::ProofExpired);
        }
    }
    if !call.keeps(Switch::SingleUseOwnershipProof) {
        return Ok(None);
    }
    // The key names the signer: the address beside it can be spelt in many ways, or is any text.
    let signer = signer(wallet).map(|signer| signer.caller());
    let signer = signer.unwrap_or_default();
    let paper = *blake3::hash(format!("{signer}\n{message}").as_bytes()).as_bytes();
    if tables.consumed_papers.contains_key(&paper) {
        return Err(Refusal::ProofUsed);
    }
    Ok(Some(paper))
}

/// Binds a wallet to any profile. Under `owner-changes-wallets` only the first wallet of a profile
/// comes this way; under `atomic-profile` it brings the reserved profile to life.
pub(super) fn upsert_wallet_as_inserter(
    state: &mut State,
    call: Call<'_>,
    action: &Action,
) -> Refused {
    let Action::UpsertWalletAsInserter {
        id,
        user_id,
        address,
        public_key,
        wallet_type,
        message,
        signature,
    } = action
    else {
        unreachable!("{} does not upsert a wallet", action.name())
    };
    let tables = state.tables();
    let mut wallet = checked(tables, call, *id, wallet_type, |wallet_type| Wallet {
        user_id: *user_id,
        address: address.clone(),
        public_key: public_key.clone(),
        wallet_type,
        message: Some(message.clone()),
        signature: Some(signature.clone()),
        inserter: None,
    })?;
    let name = inserter(tables, call)?;
    if call.keeps(Switch::OwnerChangesWallets) {
        let complete = tables
            .wallets
            .values()
            .any(|other| other.user_id == *user_id);
        if complete || tables.wallets.contains_key(id) {
            return Err(Refusal::WalletsAreTheOwners);
        }
    }
    let paper = checked_proof(tables, call, *user_id, &wallet)?;
    let reserved = tables
        .reserved_users
        .get(user_id)
        .filter(|user| user.0.inserter == name);
    let newcomer: Option<User> = match (tables.users.contains_key(user_id), reserved) {
        (true, _) => None,
        (false, Some(reserved)) => Some(reserved.0.clone()),
        (false, None) => return Err(Engine::ForeignKey("wallets_user_id_fkey").into()),
    };
    wallet.inserter = Some(name);
    if let Some(user) = newcomer {
        state.delete::<ReservedUser>(user_id);
        state.put(*user_id, user);
    }
    state.put(*id, wallet);
    consume(state, paper);
    Ok(())
}

/// Binds a further wallet to the caller's profile; an empty public key is stored as none.
pub(super) fn add_wallet(state: &mut State, call: Call<'_>, action: &Action) -> Refused {
    let Action::AddWallet {
        id,
        address,
        public_key,
        wallet_type,
        message,
        signature,
    } = action
    else {
        unreachable!("{} does not add a wallet", action.name())
    };
    let tables = state.tables();
    let own = self_user(tables, call);
    // The row's owner is settled last, as the schema's insert does; until then any id will do.
    let user_id = own.ok().flatten();
    let wallet = checked(tables, call, *id, wallet_type, |wallet_type| Wallet {
        user_id: user_id.unwrap_or(UserId(uuid::Uuid::nil())),
        address: address.clone(),
        public_key: public_key.clone().filter(|key| !key.is_empty()),
        wallet_type,
        message: Some(message.clone()),
        signature: Some(signature.clone()),
        inserter: None,
    })?;
    let user_id = own?.ok_or(Engine::NotNull("user_id"))?;
    if tables.wallets.contains_key(id) {
        return Err(Engine::DuplicateKey("wallets_pkey").into());
    }
    let paper = checked_proof(tables, call, user_id, &wallet)?;
    state.put(*id, wallet);
    consume(state, paper);
    Ok(())
}

fn consume(state: &mut State, paper: Option<[u8; 32]>) {
    if let Some(paper) = paper {
        state.put(paper, ConsumedPaper);
    }
}

/// Unbinds a wallet. The one the caller speaks with stays, hence at least one always does.
pub(super) fn remove_wallet(state: &mut State, call: Call<'_>, id: WalletId) -> Refused {
    let tables = state.tables();
    let mut connected = matching(tables, call.caller);
    if let (Some((only, _)), None) = (connected.next(), connected.next())
        && only == id
    {
        return Err(Refusal::WalletConnected);
    }
    drop(connected);
    let own = self_user(tables, call)?;
    // A foreign wallet reads the same as a missing one.
    let owned = tables
        .wallets
        .get(&id)
        .is_some_and(|wallet| Some(wallet.user_id) == own);
    if !owned {
        return call.nothing_matched();
    }
    state.delete::<Wallet>(&id);
    Ok(())
}

/// Whether somebody has a profile with this address. Source: schema:has_profile.
pub(super) fn has_profile(tables: &Tables, call: Call<'_>, address: &Text) -> bool {
    tables.wallets.values().any(|wallet| {
        let any_case = wallet.wallet_type == WalletType::EVM || !call.keeps(Switch::ExactProbe);
        if any_case {
            wallet.address.eq_ignore_ascii_case(address)
        } else {
            wallet.address == *address
        }
    })
}
