//! What readers do: the careful way, the careless way, once, or everything. Source: idos-facts 5.14.

use super::super::client::{As, Got, Want};
use super::super::desk::Desk;
use super::super::machine::Outbox;
use super::super::order::{Demands, Order, Task, Via};
use super::trading::ledgers;
use super::{News, Next, done_if, doubted, ending, look};
use crate::crypto::{Identity, content_hash};
use crate::history::{Doubt, Ending, Event, Role};
use crate::id::{CredentialId, Height, NodeId, Text};
use crate::ledger::{Answer, Query, SharedCredential};
use crate::rules::Switch;
use crate::time::{BlockTime, WallMillis};
use crate::vc::{About, PublicNotes, VerifiableCredential, status};

/// What a consumer has gathered about a copy so far. Source: idos-facts 5.14.
#[derive(Debug, Default)]
pub(in crate::actor) struct Reading {
    doubt: Option<Doubt>,
    granted: bool,
    hashes: Vec<Option<Text>>,
    height: Option<Height>,
    /// The key in the original's row, and when it stated the status.
    stated: Option<(Text, Option<BlockTime>)>,
}

impl Reading {
    fn doubt(&mut self, doubt: Doubt) {
        self.doubt.get_or_insert(doubt);
    }

    fn relies_on(&mut self, height: Height) {
        self.height = Some(self.height.map_or(height, |lowest| lowest.min(height)));
    }
}

/// How far a reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::actor) enum UseStage {
    Grants,
    Original,
    Content,
}

/// Reads a copy the careful way, the careless way, or under a false name. Source: idos-facts 5.14.
pub(super) fn use_copy(
    stage: &mut UseStage,
    reading: &mut Reading,
    desk: &mut Desk,
    now: WallMillis,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Use {
        copy,
        owner,
        locked_until,
        posing_as,
        ref demands,
    } = task.order
    else {
        unreachable!("only an order to use uses")
    };
    let careful = desk.card().persona.careful && posing_as.is_none();
    let content = || {
        let as_ = match posing_as {
            Some(other) => As::Stated(desk.directory.card(other).identities[0]),
            None => As::Self_,
        };
        Next::Ask(
            Want::View {
                query: Query::GetCredentialShared { id: copy },
                as_,
            },
            None,
        )
    };
    match (*stage, news) {
        (UseStage::Grants, News::Begin) if careful => look(Query::GetAccessGrantsForCredential {
            credential_id: copy,
        }),
        (_, News::Begin) => {
            *stage = UseStage::Content;
            content()
        }
        (
            UseStage::Grants,
            News::Got(Got::View {
                height,
                result: Ok(Answer::Grants(rows)),
            }),
        ) => {
            reading.relies_on(height);
            reading.granted = !rows.is_empty();
            if rows.iter().all(|grant| grant.locked_until < locked_until) {
                reading.doubt(Doubt::LockTooShort);
            }
            reading.hashes = rows.into_iter().map(|grant| grant.content_hash).collect();
            if reading.granted {
                *stage = UseStage::Original;
                return look(Query::GetCredentialsSharedByUser {
                    user_id: owner,
                    original_issuer_auth_public_key: None,
                });
            }
            // Without a grant there is nothing to gain, which the node shall say itself.
            reading.doubt = Some(Doubt::NoGrant);
            *stage = UseStage::Content;
            content()
        }
        (
            UseStage::Original,
            News::Got(Got::View {
                height,
                result: Ok(answer),
            }),
        ) => {
            reading.relies_on(height);
            match doubt_about_original(desk, &answer, copy, demands) {
                Ok(stated) => reading.stated = Some(stated),
                Err(doubt) => reading.doubt(doubt),
            }
            *stage = UseStage::Content;
            content()
        }
        (
            UseStage::Content,
            News::Got(Got::View {
                height,
                result: Ok(Answer::Shared(row)),
            }),
        ) => {
            reading.relies_on(height);
            let document = desk.open(&row.content, &row.encryptor_public_key);
            if let Some(plaintext) = &document {
                out.note(Event::Opened {
                    by: desk.me,
                    credential: copy,
                    document: content_hash(plaintext),
                    height,
                });
            }
            let found = match &document {
                None => Some(Doubt::CannotOpen),
                Some(_) if !careful => None,
                Some(plaintext) => {
                    doubt_about_content(desk, reading, plaintext, (&row, demands), now, out)
                }
            };
            if let Some(doubt) = found {
                reading.doubt(doubt);
            }
            // Careless consumers take whatever opens.
            let doubt = reading
                .doubt
                .filter(|doubt| careful || *doubt == Doubt::CannotOpen);
            out.note(Event::Judged {
                by: desk.me,
                copy,
                user: owner,
                document: document.as_deref().map(content_hash),
                height: reading.height.unwrap_or(height),
                doubt,
            });
            match doubt {
                None => Next::Done(Ending::Accepted),
                Some(doubt) => doubted(doubt),
            }
        }
        (_, News::Got(got)) => Next::Done(ending(&got)),
        (_, News::Letter(_) | News::Overdue) => Next::Wait,
    }
}

/// The copy must be linked to an original whose issuer is trusted and states that it is approved. What comes back
/// is the issuer's key, and when it said so.
fn doubt_about_original(
    desk: &Desk,
    answer: &Answer,
    copy: CredentialId,
    demands: &Demands,
) -> Result<(Text, Option<BlockTime>), Doubt> {
    let Answer::Credentials(rows) = answer else {
        return Err(Doubt::NoOriginal);
    };
    let Some(row) = rows.iter().find(|row| row.id == copy) else {
        return Err(Doubt::NoOriginal);
    };
    let issuer = &row.issuer_auth_public_key;
    let trusted = desk.directory.trusted_issuers(&demands.trusting);
    let Some(trusted) = trusted.iter().find(|one| one.key.caller() == **issuer) else {
        return Err(Doubt::UntrustedIssuer);
    };
    let stated = PublicNotes::parse(&row.public_notes)
        .and_then(|notes| notes.stated_by(&*desk.suite, &trusted.key));
    if stated.is_none() && desk.directory.rules.keep(Switch::SignedStatements) {
        return Err(Doubt::StatementUnsigned);
    }
    if status(&row.public_notes).as_deref() != Some("approved") {
        return Err(Doubt::NotApproved);
    }
    Ok((issuer.clone(), stated))
}

/// The document must be what the grant says, proven by a trusted issuer with a key that was good then, valid, and
/// about this user; and the key under the status must have been good when that was stated.
fn doubt_about_content(
    desk: &mut Desk,
    reading: &Reading,
    plaintext: &[u8],
    (row, demands): (&SharedCredential, &Demands),
    now: WallMillis,
    out: &mut Outbox,
) -> Option<Doubt> {
    let hash = content_hash(plaintext).to_string();
    // A dAG may state no hash; then the issuer's proof alone vouches for the content.
    let stated = |stated: &Option<Text>| stated.as_deref().is_none_or(|stated| stated == hash);
    if !reading.hashes.iter().any(stated) {
        return Some(Doubt::HashMismatch);
    }
    let trusted = desk.directory.trusted_issuers(&demands.trusting);
    let verified = VerifiableCredential::parse(plaintext).and_then(|document| {
        let verified = document.verify(&*desk.suite, &trusted, now.block_time())?;
        Ok((document.level(), verified))
    });
    let (level, verified) = match verified {
        Err(error) => return Some(Doubt::BadDocument(error.code())),
        Ok(verified) => verified,
    };
    let stated = (reading.stated.as_ref()).is_some_and(|(key, at)| desk.is_invalid(key, *at));
    if stated || desk.is_invalid(&verified.key.caller(), verified.dated) {
        return Some(Doubt::KeyInvalid);
    }
    if !level.matches_or_higher(demands.level) {
        return Some(Doubt::LevelTooLow);
    }
    match verified.about {
        About::User(user) => (user != row.user_id).then_some(Doubt::WrongSubject),
        // Which person it is says nothing of the profile; only whether it has come with another one.
        About::Person(person) => {
            let met = *desk.met.entry(person.clone()).or_insert(row.user_id);
            let known = met != row.user_id;
            out.note(Event::MetPerson {
                by: desk.me,
                user: row.user_id,
                person,
                known,
            });
            (known && demands.unique).then_some(Doubt::PersonKnown)
        }
    }
}

/// Orders that are one view.
pub(super) fn look_once(desk: &mut Desk, task: &Task, news: News, out: &mut Outbox) -> Next {
    let found = |found: bool| done_if(found, "nothing-found");
    match (&task.order, news) {
        (Order::ReadOwn { credential }, News::Begin) => {
            look(Query::GetCredentialOwned { id: *credential })
        }
        (Order::List, News::Begin) => look(Query::GetCredentials {}),
        (
            Order::Probe {
                of,
                wallet,
                shouted,
            },
            News::Begin,
        ) => {
            let identities = &desk.directory.card(*of).identities;
            let address = identities.get(usize::from(*wallet)).map(Identity::caller);
            let address: Text = address.unwrap_or_default().into();
            // All of it, since letter case is what is asked about.
            let address = if *shouted {
                address.to_uppercase().into()
            } else {
                address
            };
            Next::Ask(
                Want::View {
                    query: Query::HasProfile { address },
                    as_: desk.as_anybody(),
                },
                None,
            )
        }
        (Order::ReadLog { page, size, .. }, News::Begin) => look(Query::GetGovernanceLog {
            page: *page,
            size: *size,
        }),
        (
            Order::ReadLog {
                rows: Some(rows), ..
            },
            News::Got(Got::View {
                result: Ok(Answer::Changes(listed)),
                ..
            }),
        ) => found(listed.len() == *rows as usize),
        (Order::ListGranted { page, size, .. }, News::Begin) => {
            look(Query::GetAccessGrantsGranted {
                user_id: None,
                page: *page,
                size: *size,
            })
        }
        (
            Order::ReadOwn { credential },
            News::Got(Got::View {
                height,
                result: Ok(Answer::Owned(row)),
            }),
        ) => {
            let Some(row) = row else { return found(false) };
            let Some(plaintext) = desk.open(&row.content, &row.encryptor_public_key) else {
                return doubted(Doubt::CannotOpen);
            };
            out.note(Event::Opened {
                by: desk.me,
                credential: *credential,
                document: content_hash(&plaintext),
                height,
            });
            found(true)
        }
        (
            _,
            News::Got(Got::View {
                result: Ok(Answer::Truth(truth)),
                ..
            }),
        ) => found(truth),
        (
            Order::ListGranted { rows, .. },
            News::Got(Got::View {
                result: Ok(Answer::Grants(listed)),
                ..
            }),
        ) => found(listed.len() == *rows as usize),
        (_, News::Got(got)) => Next::Done(ending(&got)),
        (_, News::Begin | News::Letter(_) | News::Overdue) => Next::Wait,
    }
}

/// Everything a party can read, at every node.
pub(super) fn audit(left: &mut Vec<(Query, NodeId)>, desk: &Desk, task: &Task, news: News) -> Next {
    if let (
        Order::Audit {
            nodes,
            copies,
            tokens,
        },
        News::Begin,
    ) = (&task.order, &news)
    {
        let record = desk.directory.rules.keep(Switch::AuditRecord);
        let record = record.then_some(Query::GetAuditRecords {
            page: None,
            size: None,
        });
        let mut queries: Vec<Query> = match desk.card().persona.role {
            Role::User => vec![
                Query::GetUser {},
                Query::GetWallets {},
                Query::GetCredentials {},
                Query::GetAttributes {},
                Query::GetAccessGrantsOwned {},
            ]
            .into_iter()
            .chain(record)
            .collect(),
            Role::Consumer => copies
                .iter()
                .map(|copy| Query::GetCredentialShared { id: *copy })
                .chain([Query::GetAccessGrantsGranted {
                    user_id: None,
                    page: None,
                    size: None,
                }])
                .chain(record)
                .collect(),
            Role::DbOwner if desk.directory.rules.keep(Switch::GovernanceLog) => {
                vec![Query::GetGovernanceLog {
                    page: None,
                    size: None,
                }]
            }
            // The others hold nothing in the storage network.
            _ => Vec::new(),
        };
        match desk.card().persona.role {
            Role::User if *tokens => queries.push(Query::GetAllowance {}),
            Role::DbOwner if *tokens => queries.extend(ledgers(desk)),
            _ => {}
        }
        let everywhere = |query: &Query| nodes.iter().map(|node| (query.clone(), *node)).collect();
        *left = queries
            .iter()
            .flat_map(|query| -> Vec<_> { everywhere(query) })
            .rev()
            .collect();
    }
    match left.pop() {
        Some((query, node)) => Next::Ask(
            Want::View {
                query,
                as_: As::Self_,
            },
            Some(Via::Node(node)),
        ),
        None => Next::Done(Ending::Accepted),
    }
}
