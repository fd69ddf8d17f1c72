//! Writes under an owner's paper. Source: idos-facts 5.5.

use super::super::client::{Got, Want};
use super::super::desk::{Desk, ELSEWHERE};
use super::super::letter::{Letter, WritePaper};
use super::super::machine::Outbox;
use super::super::order::{Oddity, Order, Task};
use super::{News, Next, declined, ending, submit};
use crate::history::Ending;
use crate::id::{CredentialId, Text};
use crate::ledger::{Action, Answer, DelegatedWriteGrant, Query, Written, write_date};
use crate::time::{BlockTime, WallMillis};

/// The paper's text comes from the network, as wallets show what the network asks for.
pub(super) fn sign_dwg(desk: &mut Desk, task: &Task, news: News, out: &mut Outbox) -> Next {
    let Order::SignDwg { dwg, carrier, .. } = &task.order else {
        unreachable!("only an order to sign a dWG signs one")
    };
    match news {
        News::Begin => {
            let paper = paper(desk, &task.order);
            let query = Query::DwgMessage {
                owner_wallet_identifier: paper.owner,
                grantee_wallet_identifier: paper.grantee_identifier,
                issuer_public_key: paper.issuer,
                id: paper.id,
                access_grant_timelock: paper.timelock,
                not_usable_before: paper.not_before,
                not_usable_after: paper.not_after,
            };
            let as_ = desk.as_anybody();
            Next::Ask(Want::View { query, as_ }, None)
        }
        News::Got(Got::View {
            result: Ok(Answer::Text(text)),
            ..
        }) => {
            let paper = paper(desk, &task.order);
            let (rules, chain_id) = (desk.directory.rules, &desk.directory.chain_id);
            if grant_of(&paper).text(rules, chain_id) != text {
                // A careful wallet does not sign a text it does not understand.
                return declined("nothing-found");
            }
            let meant = match task.oddity {
                Some(Oddity::OtherNetwork) => grant_of(&paper).text(rules, ELSEWHERE),
                _ => text,
            };
            let signature = desk.sign_text(task.wallet, &meant);
            let paper = Box::new(WritePaper { signature, ..paper });
            out.letter(*carrier, Letter::Dwg { dwg: *dwg, paper });
            Next::Done(Ending::Accepted)
        }
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

fn paper(desk: &Desk, order: &Order) -> WritePaper {
    let Order::SignDwg {
        id,
        grant,
        issuer,
        not_before,
        not_after,
        ..
    } = order
    else {
        unreachable!("only an order to sign a dWG signs one")
    };
    let directory = &desk.directory;
    WritePaper {
        user: desk.me,
        grantee: grant.grantee,
        owner: desk.card().caller(),
        grantee_identifier: directory.card(grant.grantee).caller(),
        issuer: directory.card(*issuer).caller(),
        id: *id,
        timelock: instant(grant.locked_until),
        not_before: instant(*not_before),
        not_after: instant(*not_after),
        signature: "".into(),
    }
}

fn grant_of(paper: &WritePaper) -> DelegatedWriteGrant<'_> {
    DelegatedWriteGrant {
        owner: &paper.owner,
        grantee: &paper.grantee_identifier,
        issuer: &paper.issuer,
        id: paper.id,
        timelock: &paper.timelock,
        not_before: &paper.not_before,
        not_after: &paper.not_after,
    }
}

fn instant(second: i64) -> Text {
    // Stories last two centuries at most.
    write_date(BlockTime(second)).expect("moments of stories are in range")
}

/// Writes under a paper. The same rows are what was written first, sent again; other rows are new.
pub(super) fn write_dwg(
    desk: &mut Desk,
    now: WallMillis,
    dwg: u32,
    rows: (CredentialId, CredentialId),
    oddity: Option<Oddity>,
    out: &mut Outbox,
) -> Next {
    let Some(paper) = desk.write_papers.get(&dwg).cloned() else {
        return declined("nothing-found");
    };
    if let Some(action) = desk.written.get(&dwg)
        && Written::all(action).any(|written| written.id == rows.0)
    {
        return submit(action.clone());
    }
    let mut action = desk.delegated_write(&paper, rows, now, out);
    if let Some(from) = oddity.and_then(Wrong::from) {
        spoil(&mut action, from);
    } else {
        desk.written.insert(dwg, action.clone());
    }
    submit(action)
}

/// From which check on a write is wrong, in the order of the checks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    Issuer,
    Owner,
    Dates,
    Window,
    Time,
    Signature,
    Original,
    Copy,
}

impl Wrong {
    /// Oddities of another kind make nothing in the write wrong.
    fn from(oddity: Oddity) -> Option<Wrong> {
        Some(match oddity {
            Oddity::FromIssuer => Wrong::Issuer,
            Oddity::FromOwner => Wrong::Owner,
            Oddity::FromDates => Wrong::Dates,
            Oddity::FromWindow => Wrong::Window,
            Oddity::FromTime => Wrong::Time,
            Oddity::FromSignature => Wrong::Signature,
            Oddity::FromOriginal => Wrong::Original,
            Oddity::FromCopy => Wrong::Copy,
            _ => return None,
        })
    }
}

/// Makes everything wrong that is checked from one point on, so that a refusal tells which check came first.
fn spoil(write: &mut Action, from: Wrong) {
    let Action::CreateCredentialsByDwg {
        issuer_auth_public_key: issuer,
        original_broader_signature,
        copy_broader_signature,
        dwg_owner: owner,
        dwg_not_before: not_before,
        dwg_not_after: not_after,
        dwg_signature: signature,
        ..
    } = write
    else {
        return;
    };
    if from <= Wrong::Issuer {
        *issuer = "00".repeat(32).into();
    }
    if from <= Wrong::Owner {
        *owner = "nobody".into();
    }
    let window = match from {
        from if from <= Wrong::Dates => Some(("yesterday", "tomorrow")),
        Wrong::Window => Some(("2001-01-02T00:00:00Z", "2001-01-01T00:00:00Z")),
        Wrong::Time => Some(("2001-01-01T00:00:00Z", "2001-01-02T00:00:00Z")),
        _ => None,
    };
    if let Some((before, after)) = window {
        (*not_before, *not_after) = (before.into(), after.into());
    }
    if from <= Wrong::Signature {
        *signature = "0x00".into();
    }
    if from <= Wrong::Original {
        *original_broader_signature = "AAAA".into();
    }
    *copy_broader_signature = "AAAA".into();
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::actor::order::GrantRef;
    use crate::actor::people::desks;
    use crate::history::Role;
    use crate::id::WriteGrantId;

    /// What is spoilt is not kept, since it is not what the paper is for.
    #[test]
    fn only_what_shall_be_wrong_from_some_check_on_is_spoilt() {
        let id = |n| CredentialId(Uuid::from_u128(n));
        for oddity in Oddity::ALL {
            let [owner, consumer, mut issuer] = desks([Role::User, Role::Consumer, Role::Issuer]);
            let order = Order::SignDwg {
                dwg: 1,
                id: WriteGrantId(Uuid::from_u128(3)),
                grant: GrantRef {
                    data: id(2),
                    grantee: consumer.me,
                    locked_until: 0,
                },
                issuer: issuer.me,
                not_before: 0,
                not_after: 1,
                carrier: issuer.me,
            };
            issuer.write_papers.insert(1, paper(&owner, &order));
            let now = WallMillis(1_000);
            let rows = (id(1), id(2));
            write_dwg(
                &mut issuer,
                now,
                1,
                rows,
                Some(*oddity),
                &mut Outbox::default(),
            );
            let spoilt = !issuer.written.contains_key(&1);
            let name = oddity.name();
            assert_eq!(spoilt, name.starts_with("wrong-"), "{name}");
        }
    }
}
