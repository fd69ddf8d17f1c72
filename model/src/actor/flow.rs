//! What people do, step by step. A [`Flow`] is told what came of its last step and says what is next.
//! Source: idos-facts part 5.

use super::client::{As, Got, Want};
use super::desk::Desk;
use super::directory::notes_id;
use super::letter::{Letter, Package};
use super::machine::{Outbox, TaskId};
use super::order::{Fidelity, GrantRef, Order, Share, Task, Via, Writer};
use crate::crypto::content_hash;
use crate::history::{Doubt, Ending, Event};
use crate::id::{ContentHash, CredentialId, GrantId, Height, NodeId, PartyId, Text};
use crate::ledger::{
    Action, Answer, Batch, Consent, Outcome, OwnerConsent, Query, SharedCredential,
};
use crate::time::WallMillis;
use crate::vc::{PublicNotes, VerifiableCredential, status};

/// What came of the last step.
pub(super) enum News {
    Begin,
    Got(Got),
    Letter(Letter),
}

/// What comes next.
pub(super) enum Next {
    /// Ask a node, through a certain one if given.
    Ask(Want, Option<Via>),
    /// Wait for a letter.
    Wait,
    /// It is over.
    Done(Ending),
}

fn submit(action: Action) -> Next {
    Next::Ask(Want::Submit(Batch::one(action)), None)
}

fn look(query: Query) -> Next {
    Next::Ask(
        Want::View {
            query,
            as_: As::Self_,
        },
        None,
    )
}

/// How a task ends that ends with this.
fn ending(got: &Got) -> Ending {
    match got {
        Got::Included(Outcome::Accepted) | Got::View { result: Ok(_), .. } => Ending::Accepted,
        Got::Included(Outcome::Refused(refusal))
        | Got::View {
            result: Err(refusal),
            ..
        } => Ending::Refused(refusal.code()),
        Got::Included(Outcome::Invalid) => Ending::Rejected("invalid"),
        Got::Rejected(code) => Ending::Rejected(code),
        Got::Nothing => Ending::Unanswered,
    }
}

/// What a consumer has gathered about a copy so far. Source: idos-facts 5.14.
#[derive(Debug, Default)]
pub(super) struct Reading {
    doubt: Option<Doubt>,
    granted: bool,
    hashes: Vec<Option<Text>>,
    height: Option<Height>,
}

impl Reading {
    fn doubt(&mut self, doubt: Doubt) {
        self.doubt.get_or_insert(doubt);
    }

    fn relies_on(&mut self, height: Height) {
        self.height = Some(self.height.map_or(height, |lowest| lowest.min(height)));
    }
}

/// Something that takes more than one step.
pub(super) enum Flow {
    /// One transaction, and that is it.
    Transact,
    /// Ask for proof, create the user, bind the wallet.
    Register { wallet: Option<Box<Batch>> },
    /// Hand over or insert a credential.
    Issue { package: Option<Package> },
    /// Ask for consent, replace the key.
    Rekey,
    /// User: store what an issuer handed over, and tell it.
    Store {
        issuer: PartyId,
        task: u64,
        credential: CredentialId,
    },
    /// Read the original, copy it, grant the copy.
    Share { plaintext: Option<Vec<u8>> },
    /// Look whether the row is there, then edit or add it.
    StoreAgain,
    /// Fetch the text, sign it, hand it over.
    SignDag,
    /// Ask a user and wait for the decision.
    Request { request: u32, user: PartyId },
    /// Read a copy and judge it.
    Use { stage: UseStage, reading: Reading },
    /// One view.
    Look,
    /// Many views.
    Audit { left: Vec<(Query, NodeId)> },
}

/// How far a reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UseStage {
    Grants,
    Original,
    Content,
}

impl Flow {
    /// The flow that carries an order out.
    pub(super) fn of(order: &Order) -> Flow {
        match order {
            Order::Register { .. } => Flow::Register { wallet: None },
            Order::Issue { .. } => Flow::Issue { package: None },
            Order::Rekey { .. } => Flow::Rekey,
            Order::Share(_) | Order::Approve { .. } => Flow::Share { plaintext: None },
            Order::StoreAgain { .. } => Flow::StoreAgain,
            Order::SignDag { .. } => Flow::SignDag,
            Order::Request { request, user, .. } => Flow::Request {
                request: *request,
                user: *user,
            },
            Order::Use { .. } => Flow::Use {
                stage: UseStage::Grants,
                reading: Reading::default(),
            },
            Order::ReadOwn { .. }
            | Order::List
            | Order::Probe { .. }
            | Order::ListGranted { .. } => Flow::Look,
            Order::Audit { .. } => Flow::Audit { left: Vec::new() },
            Order::SetStatus { .. }
            | Order::Overwrite { .. }
            | Order::BindWallet { .. }
            | Order::Deny { .. }
            | Order::Revoke { .. }
            | Order::Remove { .. }
            | Order::AddWallet { .. }
            | Order::RemoveWallet { .. }
            | Order::Erase
            | Order::TransmitDag { .. }
            | Order::Rescind { .. }
            | Order::Admit { .. }
            | Order::Dismiss { .. } => Flow::Transact,
        }
    }

    /// Whether the flow may hang on other people, and so needs patience of its own.
    pub(super) fn waits_for_people(&self) -> bool {
        matches!(
            self,
            Flow::Register { .. }
                | Flow::Issue { .. }
                | Flow::Rekey
                | Flow::Share { .. }
                | Flow::Request { .. }
        )
    }

    /// Whether the flow waits for this user's decision about a request.
    pub(super) fn awaits(&self, from: PartyId, decided: u32) -> bool {
        matches!(self, Flow::Request { request, user } if *request == decided && *user == from)
    }

    /// Takes the next step.
    pub(super) fn advance(
        &mut self,
        desk: &mut Desk,
        now: WallMillis,
        id: TaskId,
        task: &Task,
        news: News,
        out: &mut Outbox,
    ) -> Next {
        match self {
            Flow::Transact => match news {
                News::Begin => transact(desk, now, &task.order, out),
                News::Got(got) => Next::Done(ending(&got)),
                News::Letter(_) => Next::Wait,
            },
            Flow::Register { wallet } => register(wallet, desk, id, task, news, out),
            Flow::Issue { package } => issue(package, desk, now, id, task, news, out),
            Flow::Rekey => rekey(desk, id, task, news, out),
            Flow::Store {
                issuer,
                task: errand,
                credential,
            } => match news {
                News::Begin => submit(add(&desk.packages[credential], *credential)),
                News::Got(got) => {
                    let stored = Letter::Stored {
                        task: *errand,
                        ending: ending(&got),
                    };
                    out.letter(*issuer, stored);
                    Next::Done(ending(&got))
                }
                News::Letter(_) => Next::Wait,
            },
            Flow::Share { plaintext } => share(plaintext, desk, id, task, news, out),
            Flow::StoreAgain => store_again(desk, task, news),
            Flow::SignDag => sign_dag(desk, task, news, out),
            Flow::Request { request, user } => match news {
                News::Begin => {
                    out.letter(*user, Letter::AccessRequest { request: *request });
                    if let Order::Request { locked_until, .. } = task.order {
                        out.note(Event::Requested {
                            request: *request,
                            by: desk.me,
                            of: *user,
                            locked_until,
                        });
                    }
                    Next::Wait
                }
                News::Letter(Letter::Delivery { .. }) => Next::Done(Ending::Accepted),
                News::Letter(Letter::Denied { .. }) => Next::Done(Ending::Denied),
                News::Letter(_) | News::Got(_) => Next::Wait,
            },
            Flow::Use { stage, reading } => use_copy(stage, reading, desk, now, task, news, out),
            Flow::Look => look_once(desk, task, news, out),
            Flow::Audit { left } => audit(left, desk, task, news),
        }
    }
}

/// The one transaction of an order that needs no more.
fn transact(desk: &mut Desk, now: WallMillis, order: &Order, out: &mut Outbox) -> Next {
    let directory = desk.directory.clone();
    let action = match order {
        Order::SetStatus { credential, status } => {
            let id = notes_id(*credential);
            let notes = PublicNotes {
                id: id.clone(),
                kind: "KYC".to_owned(),
                level: "basic".to_owned(),
                status: status.clone(),
                issuer: desk.card().persona.name.clone(),
            };
            Action::EditPublicNotesAsIssuer {
                public_notes_id: id.into(),
                public_notes: notes.to_text().into(),
            }
        }
        Order::Overwrite { credential, user } => {
            let me = desk.me;
            let how = (false, false);
            let package = desk.package(*user, me, *credential, 2_048, how, now, out);
            upsert(desk, *user, &package, None)
        }
        Order::BindWallet { user } => desk.foreign_wallet(directory.card(*user).persona.user, now),
        Order::Deny { request, consumer } => {
            out.note(Event::Decided {
                request: *request,
                by: desk.me,
                copy: None,
                locked_until: 0,
            });
            out.letter(*consumer, Letter::Denied { request: *request });
            return Next::Done(Ending::Accepted);
        }
        Order::Revoke { grants } => {
            let revocations = grants.iter().map(|grant| Action::RevokeAccessGrant {
                id: grant_id(desk, grant),
            });
            let batch = Batch::several(revocations.collect()).expect("a plan revokes something");
            return Next::Ask(Want::Submit(batch), None);
        }
        Order::Remove { credential } => Action::RemoveCredential { id: *credential },
        Order::AddWallet {
            wallet,
            id,
            forged,
            replayed,
        } => {
            let proof = desk.wallet_proof(*wallet, now, (*forged, *replayed));
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
        Order::RemoveWallet { id } => Action::RemoveWallet { id: *id },
        Order::Erase => Action::RemoveUser {},
        Order::TransmitDag { dag } => match desk.papers.get(dag) {
            Some(paper) => paper.clone(),
            None => return Next::Done(Ending::Declined("nothing-found")),
        },
        Order::Rescind { copy } => Action::RescindSharedCredential {
            credential_id: *copy,
        },
        Order::Admit { issuer } => {
            // A row that is there already would refuse the whole batch, so only the key is added.
            let [_, delegate] = desk.admission(*issuer);
            return Next::Ask(Want::Submit(delegate), None);
        }
        Order::Dismiss { issuer, shouted } => {
            let address = directory.card(*issuer).caller();
            let address = if *shouted {
                address.to_uppercase().into()
            } else {
                address
            };
            Action::DeleteDelegateAsOwner { address }
        }
        other => unreachable!("{other:?} takes more than a transaction"),
    };
    submit(action)
}

fn grant_id(desk: &Desk, grant: &GrantRef) -> GrantId {
    let grantee = desk.directory.card(grant.grantee).caller();
    GrantId::derive(&grantee, grant.data, grant.locked_until)
}

fn add(package: &Package, id: CredentialId) -> Action {
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

fn edit(package: &Package) -> Action {
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

fn upsert(desk: &Desk, user: PartyId, package: &Package, consent: Option<OwnerConsent>) -> Action {
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

/// Cold start. Source: idos-facts 5.1 steps 2 and 3.
fn register(
    wallet: &mut Option<Box<Batch>>,
    desk: &mut Desk,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Register { user } = &task.order else {
        unreachable!("only an order to register registers")
    };
    match news {
        News::Begin => {
            out.letter(*user, Letter::ProofWanted { task: id.0 });
            Next::Wait
        }
        News::Letter(Letter::Proof {
            address,
            message,
            signature,
            box_public,
            ..
        }) => {
            let proof = (address, message, signature);
            let [create, bind] = desk.registration(*user, proof, box_public);
            *wallet = Some(Box::new(bind));
            Next::Ask(Want::Submit(create), None)
        }
        News::Letter(_) => Next::Wait,
        News::Got(got) => match (ending(&got), wallet.take()) {
            (Ending::Accepted, Some(bind)) => Next::Ask(Want::Submit(*bind), None),
            (ending, _) => Next::Done(ending),
        },
    }
}

/// Verification and delivery. Source: idos-facts 5.1 step 4 (a).
fn issue(
    kept: &mut Option<Package>,
    desk: &mut Desk,
    now: WallMillis,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Issue {
        user,
        credential,
        writer,
        bytes,
        forged,
        unsealed,
    } = task.order
    else {
        unreachable!("only an order to issue issues")
    };
    match news {
        News::Begin => {
            let how = (forged, unsealed);
            let package = desk.package(user, user, credential, bytes, how, now, out);
            match writer {
                Writer::User => {
                    out.letter(
                        user,
                        Letter::Package {
                            task: id.0,
                            package,
                        },
                    );
                    Next::Wait
                }
                Writer::InserterWithConsent => {
                    let owner = desk.directory.card(user).persona.user;
                    let issuer = &package.issuer_auth_public_key;
                    let text = Consent::InsertCredential { credential, issuer }
                        .text(owner, &desk.directory.chain_id);
                    *kept = Some(package);
                    out.letter(user, Letter::ConsentWanted { task: id.0, text });
                    Next::Wait
                }
                Writer::InserterAlone => submit(upsert(desk, user, &package, None)),
            }
        }
        News::Letter(Letter::Consent { consent, .. }) => match kept.take() {
            Some(package) => submit(upsert(desk, user, &package, Some(consent))),
            None => Next::Wait,
        },
        News::Letter(Letter::Stored { ending, .. }) => Next::Done(ending),
        News::Letter(_) => Next::Wait,
        News::Got(got) => Next::Done(ending(&got)),
    }
}

/// With consent the key stays what it is, without it becomes the issuer's own.
fn rekey(desk: &mut Desk, id: TaskId, task: &Task, news: News, out: &mut Outbox) -> Next {
    let Order::Rekey {
        user,
        consent: asks,
    } = task.order
    else {
        unreachable!("only an order to rekey rekeys")
    };
    let card = desk.directory.card(user);
    let update = |key: Text, consent: Option<OwnerConsent>| {
        submit(Action::UpdateUserPubKeyAsInserter {
            id: card.persona.user,
            recipient_encryption_public_key: key,
            encryption_password_store: "user".into(),
            consent,
        })
    };
    match news {
        News::Begin if asks => {
            let text = Consent::UpdateEncryptionKey {
                key: &card.box_public_text(),
            }
            .text(card.persona.user, &desk.directory.chain_id);
            out.letter(user, Letter::ConsentWanted { task: id.0, text });
            Next::Wait
        }
        News::Begin => update(desk.card().box_public_text(), None),
        News::Letter(Letter::Consent { consent, .. }) => {
            update(card.box_public_text(), Some(consent))
        }
        News::Letter(_) => Next::Wait,
        News::Got(got) => Next::Done(ending(&got)),
    }
}

/// Approval: decrypt, hash, re-encrypt, share. Source: idos-facts 5.3 step 2.
fn share(
    plaintext: &mut Option<Vec<u8>>,
    desk: &mut Desk,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let (share, request) = match &task.order {
        Order::Share(share) => (share, None),
        Order::Approve { request, share } => (share, Some(*request)),
        other => unreachable!("{other:?} shares nothing"),
    };
    match news {
        News::Begin => look(Query::GetCredentialOwned { id: share.original }),
        News::Got(Got::View { result, .. }) => {
            let original = match result {
                Ok(Answer::Owned(Some(row))) => desk.open(&row.content, &row.encryptor_public_key),
                // Whoever has nothing to share stops here, except somebody who shares what is not
                // theirs and tries all the same.
                _ if share.owner == desk.card().persona.user => {
                    return Next::Done(Ending::Declined("nothing-found"));
                }
                _ => Some(b"{}".to_vec()),
            };
            let Some(original) = original else {
                return Next::Done(Ending::Declined(Doubt::CannotOpen.code()));
            };
            if share.fidelity == Fidelity::Borrowed {
                *plaintext = Some(original);
                return match lender(desk) {
                    Some(lender) => {
                        out.letter(lender, Letter::LendMe { task: id.0 });
                        Next::Wait
                    }
                    None => Next::Done(Ending::Declined("nothing-found")),
                };
            }
            let (copy, hash) = unfaithful(&original, share.fidelity);
            submit(desk.copy(share, &copy, hash, out))
        }
        News::Letter(Letter::Lent { document, .. }) => {
            let own = plaintext.take().unwrap_or_default();
            let copy = document.unwrap_or(own);
            submit(desk.copy(share, &copy, content_hash(&copy), out))
        }
        News::Letter(_) => Next::Wait,
        News::Got(got) => {
            let ending = ending(&got);
            if let (Ending::Accepted, Some(request)) = (ending, request) {
                decide(desk, request, share, out);
            }
            Next::Done(ending)
        }
    }
}

/// Tells the consumer, and whoever watches, that its request was approved.
fn decide(desk: &Desk, request: u32, share: &Share, out: &mut Outbox) {
    out.note(Event::Decided {
        request,
        by: desk.me,
        copy: Some(share.copy),
        locked_until: share.locked_until,
    });
    out.letter(share.to, Letter::Delivery { request });
}

/// Somebody else who has a document to lend.
fn lender(desk: &Desk) -> Option<PartyId> {
    let users = |id: &PartyId| {
        *id != desk.me && desk.directory.card(*id).persona.role == crate::history::Role::User
    };
    (0..desk.directory.cards.len() as u16)
        .map(PartyId)
        .find(users)
}

/// What a user puts into a copy, and the hash it states.
fn unfaithful(original: &[u8], fidelity: Fidelity) -> (Vec<u8>, ContentHash) {
    let true_hash = content_hash(original);
    let altered = || {
        let text = String::from_utf8_lossy(original);
        text.replacen("\"Example\"", "\"Exemplar\"", 1).into_bytes()
    };
    match fidelity {
        Fidelity::Faithful | Fidelity::Borrowed => (original.to_vec(), true_hash),
        Fidelity::Altered => {
            let copy = altered();
            let hash = content_hash(&copy);
            (copy, hash)
        }
        Fidelity::AlteredUnderOldHash => (altered(), true_hash),
        Fidelity::Garbage => {
            let copy = b"there is no document here, though it is long enough for one".to_vec();
            let hash = content_hash(&copy);
            (copy, hash)
        }
    }
}

/// Puts back what an issuer handed over once: by an edit where the row is there, else as a new row.
fn store_again(desk: &mut Desk, task: &Task, news: News) -> Next {
    let Order::StoreAgain {
        issued,
        credential,
        resigned,
    } = task.order
    else {
        unreachable!("only an order to store again stores again")
    };
    match news {
        News::Begin => look(Query::GetCredentialOwned { id: credential }),
        News::Got(Got::View { result, .. }) => {
            let Some(package) = desk.packages.get(&issued).cloned() else {
                return Next::Done(Ending::Declined("nothing-found"));
            };
            let package = Package {
                credential,
                ..package
            };
            let package = if resigned {
                desk.resign(&package)
            } else {
                package
            };
            let there = matches!(result, Ok(Answer::Owned(Some(_))));
            submit(if there {
                edit(&package)
            } else {
                add(&package, credential)
            })
        }
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) => Next::Wait,
    }
}

/// The paper's text comes from the network, as wallets show what the network asks for.
/// Source: idos-facts 5.4 step 2.
fn sign_dag(desk: &mut Desk, task: &Task, news: News, out: &mut Outbox) -> Next {
    let Order::SignDag {
        dag,
        grant,
        owner,
        carrier,
    } = &task.order
    else {
        unreachable!("only an order to sign a dAG signs one")
    };
    let data = (grant.data, grant.locked_until);
    match news {
        News::Begin => {
            let directory = &desk.directory;
            let query = Query::DagMessage {
                dag_owner_wallet_identifier: directory.card(*owner).caller(),
                dag_grantee_wallet_identifier: directory.card(grant.grantee).caller(),
                dag_data_id: grant.data,
                dag_locked_until: grant.locked_until,
                dag_content_hash: None,
            };
            Next::Ask(
                Want::View {
                    query,
                    as_: As::Nobody,
                },
                None,
            )
        }
        News::Got(Got::View {
            result: Ok(Answer::Text(text)),
            ..
        }) => {
            let signature = desk.sign_text(task.wallet, &text);
            let paper = desk.dag_action(*owner, grant.grantee, data, signature);
            if desk.dag_text(&paper).as_deref() != Some(text.as_str()) {
                // A careful wallet does not sign a text it does not understand.
                return Next::Done(Ending::Declined("nothing-found"));
            }
            if *carrier == desk.me {
                desk.papers.insert(*dag, paper);
            } else {
                out.letter(*carrier, Letter::Dag { dag: *dag, paper });
            }
            Next::Done(Ending::Accepted)
        }
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) => Next::Wait,
    }
}

/// Reads a copy the careful way, the careless way, or under a false name. Source: idos-facts 5.14.
fn use_copy(
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
            if let Some(doubt) = doubt_about_original(desk, &answer, copy) {
                reading.doubt(doubt);
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
            if let Some(doubt) =
                doubt_about_content(desk, reading, document.as_deref(), &row, careful, now)
            {
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
            Next::Done(match doubt {
                None => Ending::Accepted,
                Some(doubt) => Ending::Declined(doubt.code()),
            })
        }
        (_, News::Got(got)) => Next::Done(ending(&got)),
        (_, News::Letter(_)) => Next::Wait,
    }
}

/// The copy must be linked to an original whose issuer is trusted and whose status is approved.
fn doubt_about_original(desk: &Desk, answer: &Answer, copy: CredentialId) -> Option<Doubt> {
    let Answer::Credentials(rows) = answer else {
        return Some(Doubt::NoOriginal);
    };
    let Some(row) = rows.iter().find(|row| row.id == copy) else {
        return Some(Doubt::NoOriginal);
    };
    let issuer = &*row.issuer_auth_public_key;
    let trusted = desk.directory.trusted_issuers();
    if !trusted.iter().any(|trusted| trusted.key.caller() == issuer) {
        return Some(Doubt::UntrustedIssuer);
    }
    (status(&row.public_notes).as_deref() != Some("approved")).then_some(Doubt::NotApproved)
}

/// The document must be what the grant says, proven by a trusted issuer, valid, and about this user.
fn doubt_about_content(
    desk: &Desk,
    reading: &Reading,
    document: Option<&[u8]>,
    row: &SharedCredential,
    careful: bool,
    now: WallMillis,
) -> Option<Doubt> {
    let Some(plaintext) = document else {
        return Some(Doubt::CannotOpen);
    };
    if !careful {
        return None;
    }
    let hash = content_hash(plaintext).to_string();
    // A dAG may state no hash; then the issuer's proof alone vouches for the content.
    let stated = |stated: &Option<Text>| stated.as_deref().is_none_or(|stated| stated == hash);
    if !reading.hashes.iter().any(stated) {
        return Some(Doubt::HashMismatch);
    }
    let trusted = desk.directory.trusted_issuers();
    let verified = VerifiableCredential::parse(plaintext)
        .and_then(|document| document.verify(&*desk.suite, &trusted, now.block_time()));
    match verified {
        Err(error) => Some(Doubt::BadDocument(error.code())),
        Ok(verified) if verified.subject != row.user_id => Some(Doubt::WrongSubject),
        Ok(_) => None,
    }
}

/// Orders that are one view.
fn look_once(desk: &mut Desk, task: &Task, news: News, out: &mut Outbox) -> Next {
    let found = |found: bool| {
        Next::Done(if found {
            Ending::Accepted
        } else {
            Ending::Declined("nothing-found")
        })
    };
    match (&task.order, news) {
        (Order::ReadOwn { credential }, News::Begin) => {
            look(Query::GetCredentialOwned { id: *credential })
        }
        (Order::List, News::Begin) => look(Query::GetCredentials {}),
        (Order::Probe { of, shouted }, News::Begin) => {
            let address = desk.directory.card(*of).caller();
            let address = if *shouted {
                address.to_uppercase().into()
            } else {
                address
            };
            Next::Ask(
                Want::View {
                    query: Query::HasProfile { address },
                    as_: As::Nobody,
                },
                None,
            )
        }
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
                return Next::Done(Ending::Declined(Doubt::CannotOpen.code()));
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
        (_, News::Begin | News::Letter(_)) => Next::Wait,
    }
}

/// Everything a party can read, at every node.
fn audit(left: &mut Vec<(Query, NodeId)>, desk: &Desk, task: &Task, news: News) -> Next {
    if let (Order::Audit { nodes, copies }, News::Begin) = (&task.order, &news) {
        let queries = match desk.card().persona.role {
            crate::history::Role::User => vec![
                Query::GetUser {},
                Query::GetWallets {},
                Query::GetCredentials {},
                Query::GetAccessGrantsOwned {},
            ],
            crate::history::Role::Consumer => copies
                .iter()
                .map(|copy| Query::GetCredentialShared { id: *copy })
                .chain([Query::GetAccessGrantsGranted {
                    user_id: None,
                    page: None,
                    size: None,
                }])
                .collect(),
            crate::history::Role::Issuer | crate::history::Role::DbOwner => Vec::new(),
        };
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
