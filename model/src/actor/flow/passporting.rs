//! Obliged entities that rely on each other. Source: idos-facts 5.12.

use super::super::desk::Desk;
use super::super::letter::Letter;
use super::super::machine::{Outbox, TaskId};
use super::super::order::{Order, Task};
use super::{Got, News, Next, declined, doubted, ending, look, submit};
use crate::crypto::content_hash;
use crate::history::{Doubt, Ending, Event};
use crate::id::{CredentialId, PartyId, Text};
use crate::ledger::{Action, Answer, GrantInserter, GrantRow, PeerRow, Query};
use crate::time::WallMillis;
use crate::vc::{VerifiableCredential, status};

/// An entity asked to vouch for what it verified.
#[derive(Debug)]
pub(in crate::actor) struct Vouching {
    /// Who wants to rely on it.
    pub(in crate::actor) by: PartyId,
    /// Its task, to be named in the answer.
    pub(in crate::actor) task: u64,
    pub(in crate::actor) paper: Box<Action>,
    /// Its own copy, once it is found.
    pub(in crate::actor) own: Option<CredentialId>,
}

/// A new club.
pub(super) fn found(desk: &Desk, order: &Order) -> Action {
    match *order {
        Order::FoundClub { club } => Action::AddPassportingClubAsOwner {
            id: club,
            name: format!("club {club}").into(),
        },
        Order::LeaveClub { club, peer } => Action::DeletePassportingPeerFromClubAsOwner {
            passporting_club_id: club,
            passporting_peer_id: desk.directory.card(peer).peer_id(),
        },
        ref other => unreachable!("{other:?} is about no club"),
    }
}

/// The entity is registered, unless it is, and becomes a member.
pub(super) fn join(registered: &mut bool, desk: &Desk, task: &Task, news: News) -> Next {
    let Order::JoinClub { club, peer } = task.order else {
        unreachable!("only an order to join joins")
    };
    let card = desk.directory.card(peer);
    match news {
        News::Begin => submit(Action::AddPassportingPeerAsOwner {
            id: card.peer_id(),
            name: card.persona.name.as_str().into(),
            issuer_public_key: card.caller(),
            server_url_base: card.issuer_url().into(),
        }),
        News::Got(got) if !*registered => match ending(&got) {
            Ending::Accepted | Ending::Refused("duplicate-key") => {
                *registered = true;
                submit(Action::AddPassportingPeerToClubAsOwner {
                    passporting_club_id: club,
                    passporting_peer_id: card.peer_id(),
                })
            }
            other => Next::Done(other),
        },
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

fn peer_in(rows: &[PeerRow], desk: &Desk, party: PartyId) -> bool {
    let caller = desk.directory.card(party).caller();
    rows.iter().any(|row| row.issuer_public_key == caller)
}

/// The entity that relies: it asks a peer to vouch, and then reads what the peer vouched for.
pub(super) fn rely(
    grants: &mut Vec<GrantRow>,
    desk: &Desk,
    now: WallMillis,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Rely { dag, copy, on } = task.order else {
        unreachable!("only an order to rely relies")
    };
    match news {
        News::Begin => look(Query::GetPassportingPeers {}),
        News::Letter(Letter::Vouched { ending, .. }) => match ending {
            Ending::Accepted => look(Query::GetAccessGrantsForCredential {
                credential_id: copy,
            }),
            other => Next::Done(other),
        },
        News::Letter(_) | News::Overdue => Next::Wait,
        News::Got(Got::View {
            height,
            result: Ok(answer),
        }) => match answer {
            Answer::Peers(rows) => {
                if !peer_in(&rows, desk, on) {
                    return doubted(Doubt::NotAPeer);
                }
                let Some(paper) = desk.papers.get(&dag).cloned() else {
                    return declined("nothing-found");
                };
                let (task, paper) = (id.0, Box::new(paper));
                out.letter(on, Letter::VouchWanted { task, paper });
                Next::Wait
            }
            Answer::Grants(rows) => {
                *grants = rows;
                look(Query::GetCredentialShared { id: copy })
            }
            Answer::Shared(row) => {
                let plaintext = desk.open(&row.content, &row.encryptor_public_key);
                let document = plaintext.as_deref().map(content_hash);
                if let Some(document) = document {
                    out.note(Event::Opened {
                        by: desk.me,
                        credential: copy,
                        document,
                        height,
                    });
                }
                let hash = document.map(|hash| Text::from(hash.to_string()));
                let theirs = desk.directory.card(on).caller();
                let trusted = desk.directory.trusted_issuers(&[]);
                let proven = plaintext.as_deref().is_some_and(|plaintext| {
                    VerifiableCredential::parse(plaintext)
                        .and_then(|it| it.verify(&*desk.suite, &trusted, now.block_time()))
                        .is_ok()
                });
                let doubt = if document.is_none() {
                    Some(Doubt::CannotOpen)
                } else if !grants.iter().any(|grant| grant.inserter_id == theirs) {
                    Some(Doubt::NotInserted)
                } else if !grants.iter().any(|grant| grant.content_hash == hash) {
                    Some(Doubt::HashMismatch)
                } else {
                    (!proven).then_some(Doubt::BadDocument("unproven"))
                };
                out.note(Event::Relied {
                    by: desk.me,
                    on,
                    copy,
                    document,
                    height,
                    doubt,
                });
                match doubt {
                    Some(doubt) => doubted(doubt),
                    None => Next::Done(Ending::Accepted),
                }
            }
            _ => Next::Wait,
        },
        News::Got(got) => Next::Done(ending(&got)),
    }
}

/// The entity that is relied upon: it looks who asks, compares hashes with what it verified itself, and inserts the
/// grant. Source: idos-facts 5.12 step 4.
pub(super) fn vouch(vouching: &mut Vouching, desk: &Desk, news: News, out: &mut Outbox) -> Next {
    let next = vouch_step(vouching, desk, news, out);
    if let Next::Done(ending) = &next {
        let (task, ending) = (vouching.task, *ending);
        out.letter(vouching.by, Letter::Vouched { task, ending });
    }
    next
}

fn vouch_step(vouching: &mut Vouching, desk: &Desk, news: News, out: &mut Outbox) -> Next {
    let stated = match &*vouching.paper {
        Action::CreateAgByDagForCopy {
            dag_content_hash: Some(hash),
            ..
        } => hash.clone(),
        _ => return doubted(Doubt::HashMismatch),
    };
    match news {
        News::Begin => look(Query::GetPassportingPeers {}),
        News::Letter(_) | News::Overdue => Next::Wait,
        News::Got(Got::View {
            result: Ok(answer), ..
        }) => match answer {
            Answer::Peers(rows) if !peer_in(&rows, desk, vouching.by) => doubted(Doubt::NotAPeer),
            Answer::Peers(_) => look(Query::GetSiblingCredentialId {
                content_hash: stated,
            }),
            Answer::CredentialId(None) => doubted(Doubt::HashMismatch),
            Answer::CredentialId(Some(own)) => {
                vouching.own = Some(own);
                look(Query::GetAccessGrantsForCredential { credential_id: own })
            }
            Answer::Grants(rows) => {
                // What it got by relying on somebody is not its own to vouch for.
                let me = desk.card().caller();
                let relied = |row: &GrantRow| {
                    row.inserter_type == GrantInserter::DagMessage && row.inserter_id != me
                };
                match vouching.own {
                    Some(_) if rows.iter().any(relied) => doubted(Doubt::RelianceChained),
                    Some(id) => look(Query::GetCredentialShared { id }),
                    None => doubted(Doubt::HashMismatch),
                }
            }
            Answer::Shared(row) => {
                let plaintext = desk.open(&row.content, &row.encryptor_public_key);
                let document = plaintext.as_deref().map(content_hash);
                match document {
                    Some(document) if document.to_string() == *stated => {
                        let notes = row.public_notes.as_deref().and_then(status);
                        if notes.as_deref() != Some("approved") {
                            return doubted(Doubt::NotApproved);
                        }
                        out.note(Event::Vouched {
                            by: desk.me,
                            to: vouching.by,
                            own: row.id,
                            document,
                        });
                        submit((*vouching.paper).clone())
                    }
                    _ => doubted(Doubt::HashMismatch),
                }
            }
            _ => Next::Wait,
        },
        News::Got(got) => Next::Done(ending(&got)),
    }
}
