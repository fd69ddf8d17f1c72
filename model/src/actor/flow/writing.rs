//! Orders that are one transaction, and the actions that write a credential.

use super::super::desk::Desk;
use super::super::directory::notes_id;
use super::super::letter::{Letter, Package};
use super::super::machine::Outbox;
use super::super::order::{Findings, GrantRef, Oddity, Order, Task};
use super::delegating::write_dwg;
use super::describing::own_attribute;
use super::{Next, declined, deny_question, done_if, found, hand_in, shout, submit, withdraw};
use crate::history::{Ending, Event, Role};
use crate::id::{CredentialId, GrantId, PartyId};
use crate::ledger::{Action, Batch, OwnerConsent};
use crate::time::{BlockTime, WallMillis};
use crate::vc::{KeyDeclaration, PublicNotes};

/// The one transaction of an order that needs no more.
pub(super) fn transact(desk: &mut Desk, now: WallMillis, task: &Task, out: &mut Outbox) -> Next {
    let directory = desk.directory.clone();
    let order = &task.order;
    let action = match order {
        Order::SetStatus { credential, status } => {
            desk.statuses.insert(*credential, status.clone());
            let id = notes_id(*credential);
            let notes = PublicNotes {
                id: match task.oddity {
                    Some(Oddity::NoNotesId) => String::new(),
                    _ => id.clone(),
                },
                kind: "KYC".to_owned(),
                level: "basic".to_owned(),
                status: status.clone(),
                issuer: desk.card().persona.name.clone(),
                stated_at: None,
                statement_signature: None,
            };
            Action::EditPublicNotesAsIssuer {
                public_notes_id: id.into(),
                public_notes: desk.state(*credential, notes, task.oddity, now, out),
            }
        }
        Order::DeclareKeyInvalid { from } => {
            let key = &desk.keys.signing[0];
            let declared = KeyDeclaration::sign(&*desk.suite, key, BlockTime(*from));
            out.note(Event::KeyDeclared {
                by: desk.me,
                from: *from,
            });
            for consumer in directory.parties(Role::Consumer) {
                out.letter(consumer, Letter::KeyDeclared(declared.clone()));
            }
            return Next::Done(Ending::Accepted);
        }
        Order::Overwrite { credential, user } => {
            let me = desk.me;
            let how = (false, false);
            let what = (2_048, &Findings::usual(*user));
            let package = desk.package(*user, me, *credential, what, how, now, out);
            upsert(desk, *user, &package, None)
        }
        Order::BindWallet { user } => desk.foreign_wallet(directory.card(*user).persona.user, now),
        Order::Forbid { request, consumer } => {
            if !desk.forbid(*request) {
                return declined("nothing-found");
            }
            out.letter(*consumer, Letter::Denied { request: *request });
            return Next::Done(Ending::Accepted);
        }
        Order::WatchChain => {
            let Some(chain) = directory.chain() else {
                return declined("nothing-found");
            };
            out.letter(chain, Letter::Watch);
            return Next::Done(Ending::Accepted);
        }
        Order::DenyQuestion { question, consumer } => {
            return deny_question(*question, *consumer, out);
        }
        Order::WithdrawAnswer { question } => return withdraw(desk, *question, out),
        Order::Revoke { grants } => {
            let revocations = grants.iter().map(|grant| Action::RevokeAccessGrant {
                id: grant_id(desk, grant),
            });
            let batch = Batch::several(revocations.collect()).expect("a plan revokes something");
            return hand_in(batch);
        }
        Order::EndAccess { data, grantee } => Action::RevokeGranteeAccess {
            data_id: *data,
            grantee_wallet_identifier: directory.card(*grantee).caller(),
        },
        Order::Remove { credential } => Action::RemoveCredential { id: *credential },
        Order::RemoveWhenUnlocked { credential } => {
            Action::RemoveCredentialWhenUnlocked { id: *credential }
        }
        Order::Withdraw { request } => Action::WithdrawAccessRequest { id: request.id },
        Order::UseGrant { grant } => Action::UseAccessGrant {
            id: grant_id(desk, grant),
        },
        Order::CancelDwg { id } => Action::CancelDwg { dwg_id: *id },
        Order::CancelDag { dag } => match desk.signed.get(dag) {
            Some(paper) => cancellation(paper),
            None => return declined("nothing-found"),
        },
        Order::AddWallet {
            wallet,
            id,
            forged,
            replayed,
        } => {
            let odd = task.oddity;
            let odd = odd.and_then(|oddity| desk.odd_proof(*wallet, now, oddity));
            let proof =
                odd.unwrap_or_else(|| desk.wallet_proof(*wallet, now, (*forged, *replayed)));
            let (wallet_type, address, public_key) = desk.wallet_columns(*wallet);
            Action::AddWallet {
                id: *id,
                address,
                public_key,
                wallet_type,
                message: proof.message,
                signature: proof.signature,
            }
        }
        Order::RemoveWallet { id, .. } => Action::RemoveWallet { id: *id },
        Order::Authorise { origin, each } => {
            desk.authorise(*origin, *each, out);
            return Next::Done(Ending::Accepted);
        }
        Order::Guess { of } => {
            let (tries, found) = desk.guess(*of);
            out.note(Event::Guessed {
                by: desk.me,
                of: directory.card(*of).persona.user,
                tries,
                found,
            });
            return done_if(found, "nothing-found");
        }
        Order::Behave { conduct } => {
            desk.shares.behave(*conduct);
            return Next::Done(Ending::Accepted);
        }
        Order::Erase => Action::RemoveUser {},
        Order::WriteDwg {
            dwg,
            original,
            copy,
        } => return write_dwg(desk, now, *dwg, (*original, *copy), task.oddity, out),
        Order::AddAttribute { .. }
        | Order::EditAttribute { .. }
        | Order::RemoveAttribute { .. }
        | Order::ShareAttribute { .. } => own_attribute(desk, order),
        Order::TransmitDag { dag } => match desk.papers.get(dag) {
            Some(paper) => paper.clone(),
            None => return declined("nothing-found"),
        },
        Order::FoundClub { .. } | Order::LeaveClub { .. } => found(desk, order),
        Order::Rescind { copy } => Action::RescindSharedCredential {
            credential_id: *copy,
        },
        Order::Admit { issuer } => {
            // A row that is there already would refuse the whole batch, so only the key is added.
            desk.delegate_of(*issuer)
        }
        Order::Dismiss { issuer, shouted } => {
            let address = directory.card(*issuer).caller();
            let address = if *shouted { shout(&address) } else { address };
            Action::DeleteDelegateAsOwner { address }
        }
        // Gateways and the chain do these by themselves; nobody else can.
        Order::LeakSession { .. } | Order::TurnAway { .. } | Order::Reorganise { .. } => {
            return declined("nothing-found");
        }
        other => unreachable!("{other:?} takes more than a transaction"),
    };
    submit(action)
}

/// The cancellation of the dAG an action carries.
fn cancellation(paper: &Action) -> Action {
    let Action::CreateAgByDagForCopy {
        dag_owner_wallet_identifier,
        dag_grantee_wallet_identifier,
        dag_data_id,
        dag_locked_until,
        dag_content_hash,
        terms,
        ..
    } = paper.clone()
    else {
        unreachable!("{} is not a dAG", paper.name())
    };
    Action::CancelDag {
        dag_owner_wallet_identifier,
        dag_grantee_wallet_identifier,
        dag_data_id,
        dag_locked_until,
        dag_content_hash,
        terms,
    }
}

pub(super) fn grant_id(desk: &Desk, grant: &GrantRef) -> GrantId {
    let grantee = desk.directory.card(grant.grantee).caller();
    GrantId::derive(&grantee, grant.data, grant.locked_until)
}

pub(super) fn add(package: &Package, id: CredentialId) -> Action {
    let package = package.clone();
    Action::AddCredential {
        id,
        issuer_auth_public_key: package.issuer_auth_public_key,
        encryptor_public_key: package.encryptor_public_key,
        content: package.content,
        public_notes: package.public_notes,
        public_notes_signature: package.public_notes_signature,
        broader_signature: package.broader_signature,
    }
}

pub(super) fn edit(package: &Package) -> Action {
    let package = package.clone();
    Action::EditCredential {
        id: package.credential,
        public_notes: package.public_notes,
        public_notes_signature: package.public_notes_signature,
        broader_signature: package.broader_signature,
        content: package.content,
        encryptor_public_key: package.encryptor_public_key,
        issuer_auth_public_key: package.issuer_auth_public_key,
    }
}

pub(super) fn upsert(
    desk: &Desk,
    user: PartyId,
    package: &Package,
    consent: Option<OwnerConsent>,
) -> Action {
    let package = package.clone();
    Action::UpsertCredentialAsInserter {
        id: package.credential,
        user_id: desk.directory.card(user).persona.user,
        issuer_auth_public_key: package.issuer_auth_public_key,
        encryptor_public_key: package.encryptor_public_key,
        content: package.content,
        public_notes: package.public_notes,
        public_notes_signature: package.public_notes_signature,
        broader_signature: package.broader_signature,
        consent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::people::{desks, task};

    /// Whoever is told to, as where the chain of a story has nobody that owns it.
    #[test]
    fn what_only_gateways_and_the_chain_can_do_is_declined() {
        let [mut user] = desks([Role::User]);
        let (of, to, party) = (user.me, user.me, user.me);
        for order in [
            Order::LeakSession { of, to },
            Order::TurnAway {
                party,
                again: false,
            },
            Order::Reorganise {
                blocks: 1,
                lose: false,
            },
        ] {
            let now = WallMillis(1_000);
            let next = transact(&mut user, now, &task(order), &mut Outbox::default());
            assert!(matches!(
                next,
                Next::Done(Ending::Declined("nothing-found"))
            ));
        }
    }
}
