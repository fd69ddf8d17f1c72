//! The record of what was asked, given, used and ended.

use std::collections::BTreeMap;

use super::chronicle::{Chronicle, How, Life, View};
use super::requests::is_erased;
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::crypto::Identity;
use crate::id::{Height, Text, UserId};
use crate::ledger::{Action, Answer, AuditEvent, AuditRow, Query, Refusal};

/// Rows of a page when none are asked for. Source: READ-05.
const PAGE: usize = 20;

pub(super) const THE_RECORD_IS_TRUE: Invariant = Invariant {
    name: "the-record-is-true",
    claim: "owner and grantee read in the record what was asked, given, used and ended between them, all of \
            it and nothing else, and an erased owner is named no more",
    source: "S4; doc:data-retention-obligations (time log)",
    requirements: &["AUD-01"],
    check: the_record_is_true,
};

fn the_record_is_true(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let all = happened(chronicle);
    for view in &chronicle.views {
        let (Query::GetAuditRecords { page, size }, Some(caller)) = (view.query, view.caller)
        else {
            continue;
        };
        match view.result {
            Ok(Answer::Records(rows)) => {
                let size = size.and_then(|size| usize::try_from(size).ok());
                let first = page.is_none_or(|page| page == 1);
                let whole = first && rows.len() < size.unwrap_or(PAGE);
                compare(chronicle, (view, caller), rows, (&all, whole), &mut tally);
            }
            Err(Refusal::Engine(_)) => {
                let sentence = format!("{} keeps no record", view.node);
                tally.broken("AUD-01", sentence, vec![view.seen]);
            }
            _ => {}
        }
    }
    tally.verdict("nobody read the record")
}

/// Something the record has to say: when, what, about which request or grant, whose data, and to whom.
#[derive(Clone, Debug)]
struct Happened {
    height: Height,
    event: AuditEvent,
    about: String,
    owner: UserId,
    party: Text,
    seen: usize,
}

/// Everything the record has to say, from what was accepted and from time passing.
fn happened(chronicle: &Chronicle<'_>) -> Vec<Happened> {
    let mut all = Vec::new();
    for (id, request) in &chronicle.requests {
        let mut tell = |height, event, seen| {
            all.push(Happened {
                height,
                event,
                about: id.to_string(),
                owner: request.owner,
                party: request.consumer.clone(),
                seen,
            });
        };
        tell(
            request.born.height,
            AuditEvent::Requested,
            request.born.seen,
        );
        if let Some(deed) = request.decided {
            let event = match deed.action {
                Action::DenyAccessRequest { .. } => AuditEvent::RequestDenied,
                Action::WithdrawAccessRequest { .. } => AuditEvent::RequestWithdrawn,
                _ => AuditEvent::RequestApproved,
            };
            tell(deed.height, event, deed.seen);
        } else {
            let mut blocks = chronicle.blocks.iter();
            let first = blocks.find(|(height, (_, _, time))| {
                **height >= request.born.height && time.0 > request.stands_until()
            });
            if let Some((height, (seen, ..))) = first {
                tell(*height, AuditEvent::RequestExpired, *seen);
            }
        }
    }
    for (id, grant) in chronicle.all_grants() {
        let mut tell = |height, event, seen| {
            all.push(Happened {
                height,
                event,
                about: id.to_string(),
                owner: grant.owner,
                party: grant.grantee.clone(),
                seen,
            });
        };
        tell(grant.born().height, AuditEvent::Granted, grant.born().seen);
        for (height, _) in &grant.terms.used {
            let seen = chronicle.blocks.get(height).map_or(0, |(seen, ..)| *seen);
            tell(*height, AuditEvent::Used, seen);
        }
        if let Some(end) = grant.end {
            let event = match end.how {
                How::Revoked => AuditEvent::Revoked,
                How::Rescinded => AuditEvent::Rescinded,
                How::Ended => AuditEvent::Ended,
                How::Removed | How::WithOriginal | How::WithLastGrant | How::Erased | How::Due => {
                    AuditEvent::Removed
                }
            };
            tell(end.height, event, end.seen);
        }
    }
    all
}

fn compare(
    chronicle: &Chronicle<'_>,
    (view, caller): (&View<'_>, Identity),
    rows: &[AuditRow],
    (all, whole): (&[Happened], bool),
    tally: &mut Tally,
) {
    let own = chronicle.user_of(&caller, view.height);
    let name = caller.caller();
    let ought = all.iter().filter(|one| {
        let concerned = Some(one.owner) == own || *one.party == *name;
        one.height <= view.height && concerned && !is_erased(chronicle, one.owner, view.height)
    });
    // How often each thing ought to stand there, less how often it does.
    let mut missing: BTreeMap<(Height, &str, String), (i64, usize)> = BTreeMap::new();
    for one in ought {
        let key = (one.height, one.event.name(), one.about.clone());
        missing.entry(key).or_insert((0, one.seen)).0 += 1;
    }
    let node = view.node;
    for row in rows {
        let grant = row.grant.map(|id| id.to_string());
        let about = grant.or(row.request.map(|id| id.to_string()));
        let height = Height(u64::try_from(row.height).unwrap_or(u64::MAX));
        let key = (height, row.event.name(), about.unwrap_or_default());
        let ought = missing.get_mut(&key).filter(|(left, _)| *left > 0);
        let timely = chronicle.time_of(height).0 == row.time;
        tally.test("AUD-01", ought.is_some() && timely, || {
            let what = row.event.name();
            let sentence =
                format!("{node} has on record `{what}` at height {height}, which was not");
            (sentence, vec![view.seen])
        });
        if let Some((left, _)) = ought {
            *left -= 1;
        }
    }
    if !whole {
        return;
    }
    for ((height, what, about), (left, seen)) in missing {
        tally.test("AUD-01", left == 0, || {
            let sentence =
                format!("{node} has not on record `{what}` of {about} at height {height}");
            (sentence, vec![seen, view.seen])
        });
    }
}
