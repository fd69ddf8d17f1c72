//! What users do with their keys: get them back, keep them with share nodes, show their contents to pages.
//! Source: idos-facts 4.9, 4.10, 5.9.

use std::collections::BTreeMap;

use super::super::desk::Desk;
use super::super::letter::{Letter, ShareAnswer};
use super::super::machine::{Outbox, TaskId, Timer};
use super::super::order::{Order, Task};
use super::writing::transact;
use super::{News, Next, declined, done_if, ending, look, submit};
use crate::actor::client::Got;
use crate::crypto::{BoxSecret, content_hash};
use crate::history::{Ending, Event};
use crate::id::{CredentialId, PartyId, Text};
use crate::ledger::{Action, Answer, Query};
use crate::rules::Switch;
use crate::shares::{Blinded, Lost, ShareRequest, SignedShareRequest};
use crate::time::WallMillis;

/// How long an enclave waits for share nodes, in milliseconds.
const PATIENCE: u64 = 5_000;

/// One request to all share nodes, and what has come back.
#[derive(Debug, Default)]
pub(in crate::actor) struct Round {
    asked: usize,
    answers: BTreeMap<PartyId, ShareAnswer>,
    over: bool,
}

impl Round {
    /// Asks every share node the same.
    fn ask(
        &mut self,
        desk: &Desk,
        now: WallMillis,
        id: TaskId,
        signed: &SignedShareRequest,
        out: &mut Outbox,
    ) {
        let nodes: Vec<PartyId> = desk.directory.share_nodes().collect();
        let calls = nodes.into_iter().map(|node| (node, signed.clone(), None));
        self.call(desk, now, id, calls.collect(), out);
    }

    fn call(
        &mut self,
        desk: &Desk,
        now: WallMillis,
        id: TaskId,
        calls: Vec<(PartyId, SignedShareRequest, Option<Blinded>)>,
        out: &mut Outbox,
    ) {
        *self = Round {
            asked: calls.len(),
            ..Round::default()
        };
        for (node, signed, share) in calls {
            let call = Letter::ShareCall {
                task: id.0,
                user: desk.card().persona.user,
                signed: Box::new(signed),
                share,
                until: WallMillis(now.0 + PATIENCE),
            };
            out.letter(node, call);
        }
        out.timer(PATIENCE, Timer::Patience(id));
    }

    /// Whether everything has come that will be waited for. It is so once.
    fn ends_with(&mut self, news: News) -> bool {
        let ends = match news {
            News::Letter(Letter::ShareAnswer { by, answer, .. }) => {
                self.answers.insert(by, answer);
                self.answers.len() == self.asked
            }
            News::Overdue => true,
            _ => false,
        };
        let first = ends && !self.over;
        self.over |= ends;
        first
    }

    fn done(&self) -> Vec<PartyId> {
        let done = |(node, answer): (&PartyId, &ShareAnswer)| {
            matches!(answer, ShareAnswer::Done).then_some(*node)
        };
        self.answers.iter().filter_map(done).collect()
    }

    /// Whether there are share nodes and all have done it.
    fn all(&self) -> bool {
        self.asked > 0 && self.done().len() == self.asked
    }

    fn any(&self, is: impl Fn(&ShareAnswer) -> bool) -> bool {
        self.answers.values().any(is)
    }
}

/// The password goes to every share node; anything less is a failure, and what is stored stays stored.
pub(super) fn store_shares(
    round: &mut Round,
    desk: &mut Desk,
    now: WallMillis,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    if let News::Begin = news {
        let Some(uploads) = desk.uploads(task.wallet) else {
            return declined("share-address-missing");
        };
        let call = |(node, signed, share)| (node, signed, Some(share));
        round.call(desk, now, id, uploads.into_iter().map(call).collect(), out);
        return Next::Wait;
    }
    if !round.ends_with(news) {
        return Next::Wait;
    }
    match round.done().len() {
        0 => declined("upload-refused"),
        stored if stored == round.asked => Next::Done(Ending::Accepted),
        _ => declined("upload-partial"),
    }
}

/// A fresh device: the shares, the password, the key.
pub(super) fn recover(
    (round, ephemeral): (&mut Round, &mut Option<BoxSecret>),
    desk: &mut Desk,
    now: WallMillis,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let begins = matches!(news, News::Begin);
    if !begins && !round.ends_with(news) {
        return Next::Wait;
    }
    let Some(address) = desk.share_address(task.wallet) else {
        return declined("share-address-missing");
    };
    if begins {
        let (secret, public_key) = desk.ephemeral();
        *ephemeral = Some(secret);
        let download = ShareRequest::Download {
            address: address.clone(),
            timestamp: now,
            public_key,
        };
        let signed = desk.share_request(task.wallet, download);
        out.note(Event::SharesAsked {
            by: desk.me,
            address: address.into(),
        });
        round.ask(desk, now, id, &signed, out);
        return Next::Wait;
    }
    let Some(ephemeral) = ephemeral else {
        return declined("too-few-shares");
    };
    let (answers, secret) = desk.joined(&round.answers, ephemeral);
    let salt = desk.card().persona.user.to_string();
    let derived = secret.map(|password| desk.derive(&password, &salt));
    let public = |derived: &Result<_, _>| match derived {
        Ok(Ok((_, public))) => Some(Text::clone(public)),
        _ => None,
    };
    out.note(Event::Recovered {
        by: desk.me,
        address: address.into(),
        answers,
        key: public(&derived),
    });
    match derived {
        Ok(Ok((secret, _))) => {
            desk.keys.box_secret = secret;
            Next::Done(Ending::Accepted)
        }
        Ok(Err(_)) => declined("invalid-salt"),
        Err(Lost::Uneven) => declined("shares-uneven"),
        Err(Lost::TooFew) if round.any(|answer| matches!(answer, ShareAnswer::Refused)) => {
            declined("not-authorised")
        }
        Err(Lost::TooFew) if round.any(|answer| matches!(answer, ShareAnswer::NotStored)) => {
            declined("not-stored")
        }
        Err(Lost::TooFew) => declined("too-few-shares"),
    }
}

/// Where a wallet of a user whose password is shared is being bound or unbound.
#[derive(Debug, Default)]
pub(in crate::actor) enum Rebinding {
    #[default]
    Begin,
    /// At the network, where one looks whether it is bound: what never was must not be put back.
    Look,
    /// At the network.
    Network,
    /// At the share nodes.
    Shares,
    /// At the network, where the binding is taken back.
    Undo,
}

/// Binds or unbinds a wallet at the network and at the share nodes. Together or not at all, if the rules say so:
/// what is bound comes to the network first, which checks the proof, and what is unbound goes from the share
/// nodes first; what cannot be done in both places is undone. Today the network alone counts.
pub(super) fn rebind(
    (stage, round): (&mut Rebinding, &mut Round),
    desk: &mut Desk,
    now: WallMillis,
    id: TaskId,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let (wallet, row, adds) = match task.order {
        Order::AddWallet { wallet, id, .. } => (wallet, id, true),
        Order::RemoveWallet { wallet, id } => (wallet, id, false),
        _ => unreachable!("only wallets are bound"),
    };
    // Of answers only the last one, or their end, leads anywhere.
    let news = match stage {
        Rebinding::Shares => {
            if !round.ends_with(news) {
                return Next::Wait;
            }
            News::Overdue
        }
        _ => news,
    };
    let tell = |round: &mut Round, desk: &Desk, adds: bool, out: &mut Outbox| {
        let signed = change(desk, now, task.wallet, wallet, adds);
        round.ask(desk, now, id, &signed, out);
    };
    let joint = desk.directory.rules.keep(Switch::JointWallets);
    let addresses = desk
        .share_address(task.wallet)
        .zip(desk.share_address(wallet));
    let shares_first = joint && !adds && wallet != task.wallet && addresses.is_some();
    match (&*stage, news) {
        (Rebinding::Begin, News::Begin) if joint && adds && addresses.is_none() => {
            declined("share-address-missing")
        }
        (Rebinding::Begin, News::Begin) if shares_first => {
            *stage = Rebinding::Look;
            look(Query::GetWallets {})
        }
        (
            Rebinding::Look,
            News::Got(Got::View {
                result: Ok(Answer::Wallets(rows)),
                ..
            }),
        ) => {
            if rows.iter().all(|bound| bound.id != row) {
                return declined("nothing-found");
            }
            *stage = Rebinding::Shares;
            tell(round, desk, adds, out);
            Next::Wait
        }
        (Rebinding::Look, News::Got(got)) => Next::Done(ending(&got)),
        (Rebinding::Begin, News::Begin) => {
            *stage = Rebinding::Network;
            transact(desk, now, task, out)
        }
        (Rebinding::Network, News::Got(got)) => {
            let ending = ending(&got);
            match ending {
                Ending::Accepted if !shares_first && addresses.is_some() => {
                    *stage = Rebinding::Shares;
                    tell(round, desk, adds, out);
                    return Next::Wait;
                }
                Ending::Accepted => {}
                _ if shares_first => tell(round, desk, !adds, out),
                _ => {}
            }
            Next::Done(ending)
        }
        (Rebinding::Shares, _) => match (joint, round.all()) {
            (false, _) => Next::Done(Ending::Accepted),
            (true, true) if shares_first => {
                *stage = Rebinding::Network;
                transact(desk, now, task, out)
            }
            (true, true) => Next::Done(Ending::Accepted),
            (true, false) => {
                // All of them, since whoever did not answer in time may have done it.
                tell(round, desk, !adds, out);
                if !adds {
                    return declined("share-nodes-missing");
                }
                *stage = Rebinding::Undo;
                submit(Action::RemoveWallet { id: row })
            }
        },
        (Rebinding::Undo, News::Got(_)) => declined("share-nodes-missing"),
        _ => Next::Wait,
    }
}

/// What share nodes are told about a wallet, by the one that is connected.
fn change(
    desk: &Desk,
    timestamp: WallMillis,
    by: u8,
    wallet: u8,
    adds: bool,
) -> SignedShareRequest {
    let address = desk.share_address(by).unwrap_or_default();
    let about = desk.share_address(wallet).unwrap_or_default();
    let request = if adds {
        ShareRequest::AddAddress {
            address,
            added: about,
            timestamp,
        }
    } else {
        ShareRequest::RemoveAddress {
            address,
            removed: about,
            timestamp,
        }
    };
    desk.share_request(by, request)
}

/// The user types the password; in this mode the enclave compares the key with the recorded one.
pub(super) fn unlock(desk: &mut Desk, task: &Task, news: News, out: &mut Outbox) -> Next {
    let Order::Unlock { wrong, salt } = &task.order else {
        unreachable!("only an order to unlock unlocks")
    };
    match news {
        News::Begin => look(Query::GetUser {}),
        News::Got(Got::View {
            result: Ok(Answer::User(row)),
            ..
        }) => {
            let Some(row) = row else {
                return declined("nothing-found");
            };
            let typed = if *wrong { "not it: " } else { "" };
            let password = format!("{typed}{}", desk.keys.password);
            let salt = salt.clone().unwrap_or_else(|| row.id.to_string());
            let derived = desk.derive(&password, &salt);
            let key = derived.as_ref().ok().map(|(_, public)| public.clone());
            let taken = key.as_deref() == Some(&*row.recipient_encryption_public_key);
            out.note(Event::KeyDerived {
                by: desk.me,
                salt: salt.into(),
                key,
                taken,
            });
            match derived {
                Err(_) => declined("invalid-salt"),
                Ok(_) if !taken => declined("wrong-password"),
                Ok((secret, _)) => {
                    desk.keys.box_secret = secret;
                    Next::Done(Ending::Accepted)
                }
            }
        }
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

/// What a page asked for and may see.
pub(super) fn disclose(
    row: &mut Option<CredentialId>,
    desk: &mut Desk,
    task: &Task,
    news: News,
    out: &mut Outbox,
) -> Next {
    let Order::Allow { request, consumer } = task.order else {
        unreachable!("only what is allowed is disclosed")
    };
    // What was told to the enclave before needs no word of the user now.
    let Some(credential) = row.or_else(|| desk.allow(request, out)) else {
        return declined("nothing-found");
    };
    *row = Some(credential);
    match news {
        News::Begin => look(Query::GetCredentialOwned { id: credential }),
        News::Got(Got::View {
            result: Ok(Answer::Owned(row)),
            ..
        }) => {
            let document = row.and_then(|row| desk.open(&row.content, &row.encryptor_public_key));
            if let Some(document) = &document {
                out.note(Event::Disclosed {
                    by: desk.me,
                    to: consumer,
                    request,
                    credential,
                    document: content_hash(document),
                });
            }
            let found = document.is_some();
            out.letter(consumer, Letter::Plaintext { request, document });
            done_if(found, "nothing-found")
        }
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::actor::machine::Output;
    use crate::actor::people::{desks, task};
    use crate::history::Role;
    use crate::id::{Height, WalletId};
    use crate::ledger::{WalletRow, WalletType};

    /// Who is asked to let a wallet in again.
    fn asked_back(out: &mut Outbox) -> Vec<PartyId> {
        let back = |output| match output {
            Output::Letter {
                to,
                letter: Letter::ShareCall { signed, .. },
            } => matches!(signed.request, ShareRequest::AddAddress { .. }).then_some(to),
            _ => None,
        };
        out.0.drain(..).filter_map(back).collect()
    }

    /// A wallet that is to be unbound, and what comes of each piece of news: what is next, and who is asked to
    /// let the wallet in again.
    fn unbinding(bound: bool, news: Vec<News>) -> (Vec<PartyId>, Vec<(Next, Vec<PartyId>)>) {
        let node = Role::ShareNode;
        let [mut user, nodes @ ..] = desks([Role::User, node, node, node]);
        let nodes: Vec<PartyId> = nodes.iter().map(|desk| desk.me).collect();
        let id = WalletId(Uuid::nil());
        let task = task(Order::RemoveWallet { wallet: 1, id });
        let (mut stage, mut round) = Default::default();
        let out = &mut Outbox::default();
        let row = WalletRow {
            id,
            user_id: user.card().persona.user,
            address: "0x00".into(),
            public_key: None,
            wallet_type: WalletType::EVM,
            message: None,
            signature: None,
            inserter: None,
        };
        let rows = if bound { vec![row] } else { Vec::new() };
        let looked = News::Got(Got::View {
            height: Height(1),
            result: Ok(Answer::Wallets(rows)),
        });
        let mut turn = |news| {
            let now = WallMillis(1_000_000);
            let next = rebind(
                (&mut stage, &mut round),
                &mut user,
                now,
                TaskId(1),
                &task,
                news,
                out,
            );
            (next, asked_back(out))
        };
        let all = [News::Begin, looked].into_iter().chain(news);
        let told = all.map(&mut turn).collect();
        (nodes, told)
    }

    fn done(by: u16) -> News {
        News::Letter(Letter::ShareAnswer {
            task: 1,
            by: PartyId(by),
            answer: ShareAnswer::Done,
        })
    }

    #[test]
    fn what_not_all_have_done_is_undone_by_those_too_who_did_not_say() {
        let (nodes, mut told) = unbinding(true, vec![done(1), News::Overdue]);
        let last = told.pop();
        assert!(told.iter().all(|(_, asked)| asked.is_empty()));
        let Some((Next::Done(Ending::Declined("share-nodes-missing")), asked)) = last else {
            panic!("what not all have done is not done");
        };
        assert_eq!(asked, nodes);
    }

    /// Or share nodes would let in a wallet that never was bound.
    #[test]
    fn what_is_not_bound_is_not_unbound_and_so_not_put_back() {
        let (_, told) = unbinding(false, vec![]);
        let last = told.last();
        let Some((Next::Done(Ending::Declined("nothing-found")), asked)) = last else {
            panic!("there is nothing to unbind");
        };
        assert_eq!(asked, &[]);
    }
}
