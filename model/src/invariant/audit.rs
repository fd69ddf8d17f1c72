//! The record of what was asked, given, used and ended.

use std::collections::BTreeMap;

use super::chronicle::{Chronicle, Deed, How, View, is_whole};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::crypto::Identity;
use crate::id::{CredentialId, Height, Text, UserId};
use crate::ledger::{Action, Answer, AuditEvent, AuditRow, Query, Refusal};

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
                let whole = is_whole(*page, *size, rows.len());
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

/// What the record has to say of something: when, what, about which request or grant, whose data, to whom, and
/// which data.
type Line = (
    Height,
    &'static str,
    String,
    UserId,
    Text,
    Option<CredentialId>,
);

/// Something the record has to say.
#[derive(Clone, Debug)]
struct Happened<'a> {
    height: Height,
    event: AuditEvent,
    about: String,
    owner: UserId,
    party: Text,
    data: Option<CredentialId>,
    /// The deed that began the request or the grant.
    born: Deed<'a>,
    seen: usize,
}

impl Happened<'_> {
    fn line(&self) -> Line {
        let (about, party) = (self.about.clone(), self.party.clone());
        let event = self.event.name();
        (self.height, event, about, self.owner, party, self.data)
    }
}

/// Everything the record has to say, from what was accepted and from time passing.
fn happened<'a>(chronicle: &Chronicle<'a>) -> Vec<Happened<'a>> {
    let mut all = Vec::new();
    for (id, request) in &chronicle.requests {
        let mut tell = |height, event, seen| {
            // What was shared for it, else what it asks for.
            let data = match (event, request.born.action) {
                (AuditEvent::RequestApproved, _) => shared(request.decided),
                (_, Action::RequestAccess { credential_id, .. }) => *credential_id,
                _ => None,
            };
            all.push(Happened {
                height,
                event,
                about: id.to_string(),
                owner: request.owner,
                party: request.consumer.clone(),
                data,
                born: request.born,
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
                data: Some(grant.data),
                born: grant.born,
                seen,
            });
        };
        tell(grant.born.height, AuditEvent::Granted, grant.born.seen);
        for deed in &grant.terms.used {
            tell(deed.height, AuditEvent::Used, deed.seen);
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

/// The copy an approval shares.
fn shared(approval: Option<Deed<'_>>) -> Option<CredentialId> {
    match approval?.action {
        Action::ShareCredential { id, .. } => Some(*id),
        _ => None,
    }
}

fn compare(
    chronicle: &Chronicle<'_>,
    (view, caller): (&View<'_>, Identity),
    rows: &[AuditRow],
    (all, whole): (&[Happened<'_>], bool),
    tally: &mut Tally,
) {
    let own = chronicle.user_of(&caller, view.height);
    let name = caller.caller();
    let ought = all.iter().filter(|one| {
        let concerned = Some(one.owner) == own || *one.party == *name;
        let forgotten = chronicle.is_forgotten(one.owner, &one.born, view.height);
        one.height <= view.height && concerned && !forgotten
    });
    // How often each thing ought to stand there, less how often it does.
    let mut missing: BTreeMap<Line, (i64, usize)> = BTreeMap::new();
    for one in ought {
        missing.entry(one.line()).or_insert((0, one.seen)).0 += 1;
    }
    let node = view.node;
    for row in rows {
        let grant = row.grant.map(|id| id.to_string());
        let about = grant.or(row.request.map(|id| id.to_string()));
        let height = Height(u64::try_from(row.height).unwrap_or(u64::MAX));
        let (event, about) = (row.event.name(), about.unwrap_or_default());
        let line = (height, event, about, row.owner, row.party.clone(), row.data);
        let ought = missing.get_mut(&line).filter(|(left, _)| *left > 0);
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
    for ((height, what, about, ..), (left, seen)) in missing {
        tally.test("AUD-01", left == 0, || {
            let sentence =
                format!("{node} has not on record `{what}` of {about} at height {height}");
            (sentence, vec![seen, view.seen])
        });
    }
}
