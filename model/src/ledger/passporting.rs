//! Passporting: who may rely on whose verification, and copies that wait for a grant. The deployed schema lost all of
//! it in March 2026, and it is there under `passporting` only. Source: idos-facts 3.10, 2.7, 5.12.

use super::action::Action;
use super::credentials;
use super::execute::{Call, Refused};
use super::owner;
use super::refusal::{Engine, Refusal};
use super::tables::{ClubMembership, PassportingClub, PassportingPeer, State, Tables};
use super::users::self_user;
use super::written::Written;
use crate::id::{CredentialId, PeerId, Text};
use crate::rules::Switch;

/// The eight actions by which the database owner keeps the registry of clubs and peers.
pub(super) fn apply(state: &mut State, call: Call<'_>, action: &Action) -> Refused {
    call.offers(Switch::Passporting, action.name())?;
    owner::require(call, action.name())?;
    match action {
        Action::AddPassportingClubAsOwner { id, name } => {
            if state.tables().passporting_clubs.contains_key(id) {
                return Err(Engine::DuplicateKey("passporting_clubs_pkey").into());
            }
            state.put(*id, PassportingClub(name.clone()));
        }
        Action::UpdatePassportingClubAsOwner { id, name } => {
            if !state.tables().passporting_clubs.contains_key(id) {
                return call.nothing_matched();
            }
            state.put(*id, PassportingClub(name.clone()));
        }
        Action::DeletePassportingClubAsOwner { id } => {
            if state.delete::<PassportingClub>(id).is_none() {
                return call.nothing_matched();
            }
            leave(state, |(club, _)| club == id);
        }
        Action::AddPassportingPeerAsOwner {
            id,
            name,
            issuer_public_key,
            server_url_base,
        } => {
            if state.tables().passporting_peers.contains_key(id) {
                return Err(Engine::DuplicateKey("passporting_peers_pkey").into());
            }
            put_peer(state, *id, (name, issuer_public_key, server_url_base))?;
        }
        Action::UpdatePassportingPeerAsOwner {
            id,
            name,
            issuer_public_key,
            server_url_base,
        } => {
            if !state.tables().passporting_peers.contains_key(id) {
                return call.nothing_matched();
            }
            put_peer(state, *id, (name, issuer_public_key, server_url_base))?;
        }
        Action::DeletePassportingPeerAsOwner { id } => {
            if state.delete::<PassportingPeer>(id).is_none() {
                return call.nothing_matched();
            }
            leave(state, |(_, peer)| peer == id);
        }
        Action::AddPassportingPeerToClubAsOwner {
            passporting_club_id: club,
            passporting_peer_id: peer,
        } => {
            let tables = state.tables();
            if tables.club_memberships.contains_key(&(*club, *peer)) {
                return Err(Engine::DuplicateKey("passporting_club_memberships_pkey").into());
            }
            let known = tables.passporting_clubs.contains_key(club)
                && tables.passporting_peers.contains_key(peer);
            if !known {
                return Err(Engine::ForeignKey("passporting_club_memberships_fkey").into());
            }
            state.put((*club, *peer), ClubMembership);
        }
        Action::DeletePassportingPeerFromClubAsOwner {
            passporting_club_id: club,
            passporting_peer_id: peer,
        } => {
            if state.delete::<ClubMembership>(&(*club, *peer)).is_none() {
                return call.nothing_matched();
            }
        }
        other => unreachable!("{} is not about the registry", other.name()),
    }
    Ok(())
}

/// A peer's key names it, so no two peers have one.
fn put_peer(state: &mut State, id: PeerId, (name, key, url): (&Text, &Text, &Text)) -> Refused {
    let mut others = state.tables().passporting_peers.iter();
    if others.any(|(other, peer)| *other != id && peer.issuer_public_key == *key) {
        return Err(Engine::DuplicateKey("passporting_peers_issuer_public_key_key").into());
    }
    let peer = PassportingPeer {
        name: name.clone(),
        issuer_public_key: key.clone(),
        server_url_base: url.clone(),
    };
    state.put(id, peer);
    Ok(())
}

fn leave(state: &mut State, ends: impl Fn(&(crate::id::ClubId, PeerId)) -> bool) {
    let members = state.tables().club_memberships.keys();
    let ended: Vec<_> = members.filter(|key| ends(key)).copied().collect();
    for key in ended {
        state.delete::<ClubMembership>(&key);
    }
}

/// Stores a copy without a grant: a dAG follows. Source: idos-facts 3.10, 5.12 step 2.
pub(super) fn create_credential_copy(
    state: &mut State,
    call: Call<'_>,
    copy: &Written<'_>,
    original: CredentialId,
) -> Refused {
    call.offers(Switch::Passporting, "create_credential_copy")?;
    let own = self_user(state.tables(), call)?;
    if own.is_none() || credentials::owner_of(state.tables(), original) != own {
        return Err(Refusal::OriginalNotOwned);
    }
    if !copy.public_notes.is_empty() {
        return Err(Refusal::CopyWithNotes);
    }
    credentials::add_credential(state, call, copy)?;
    credentials::link(state, call, original, copy.id);
    Ok(())
}

/// The peers that share a club with the caller, itself left out.
pub(super) fn peers(
    tables: &Tables,
    call: Call<'_>,
) -> Result<Vec<(PeerId, PassportingPeer)>, Refusal> {
    call.offers(Switch::Passporting, "get_passporting_peers")?;
    let mut own = tables.passporting_peers.iter();
    let own = own.find(|(_, peer)| *peer.issuer_public_key == *call.caller);
    let Some((own, _)) = own else {
        return Ok(Vec::new());
    };
    let shares = |other: PeerId| {
        let mut clubs = tables.passporting_clubs.keys();
        let member = |club, peer| tables.club_memberships.contains_key(&(club, peer));
        clubs.any(|club| member(*club, *own) && member(*club, other))
    };
    let peers = tables.passporting_peers.iter();
    Ok(peers
        .filter(|(id, _)| *id != own && shares(**id))
        .map(|(id, peer)| (*id, PassportingPeer::clone(peer)))
        .collect())
}
