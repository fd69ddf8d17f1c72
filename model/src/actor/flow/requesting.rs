//! Requests for access and what is done about them, and the listings both sides look at. Source: idos-facts 5.3.

use super::super::client::Got;
use super::super::desk::Desk;
use super::super::letter::Letter;
use super::super::machine::Outbox;
use super::super::order::{Listing, Order, Task};
use super::{News, Next, done_if, ending, look, submit};
use crate::history::{Ending, Event, Role};
use crate::id::{CredentialId, Text};
use crate::ledger::{Action, Answer, CredentialSummary, Outcome, Query};
use crate::rules::Switch;

/// More rows than any story has, so that a listing comes on one page.
const ALL: i64 = 1_000;
/// What a request is for that names no credential.
const KIND: &str = "KYC";

/// The consumer's side: the request goes on the chain where there is a place for it, and then the user is told.
/// What the user decides comes as a letter.
pub(super) fn request(desk: &Desk, task: &Task, news: News, out: &mut Outbox) -> Next {
    let Order::Request {
        request,
        user,
        credential,
        locked_until,
        stands_until,
        terms,
        purpose,
    } = &task.order
    else {
        unreachable!("only an order to request requests")
    };
    let tell = |out: &mut Outbox| {
        let letter = Letter::AccessRequest {
            request: request.number,
        };
        out.letter(*user, letter);
        out.note(Event::Requested {
            request: request.number,
            by: desk.me,
            of: *user,
            locked_until: *locked_until,
        });
        Next::Wait
    };
    match news {
        News::Begin if desk.directory.rules.keep(Switch::RecordedRequests) => {
            let kind = credential.is_none().then(|| Text::from(KIND));
            submit(Action::RequestAccess {
                id: request.id,
                user_id: desk.directory.card(*user).persona.user,
                credential_id: *credential,
                kind,
                fields: terms.fields.as_deref().map(Text::from),
                purpose: purpose.as_str().into(),
                locked_until: *locked_until,
                stands_until: *stands_until,
                expires_at: terms.expires_at,
                uses: terms.uses,
            })
        }
        News::Begin | News::Got(Got::Included(Outcome::Accepted)) => tell(out),
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(Letter::Delivery { .. }) => Next::Done(Ending::Accepted),
        News::Letter(Letter::Denied { .. }) => Next::Done(Ending::Denied),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

/// The user's side of a denial.
pub(super) fn deny(desk: &mut Desk, task: &Task, news: News, out: &mut Outbox) -> Next {
    let Order::Deny { request, consumer } = task.order else {
        unreachable!("only an order to deny denies")
    };
    let number = request.number;
    match news {
        News::Begin if desk.directory.rules.keep(Switch::RecordedRequests) => {
            submit(Action::DenyAccessRequest { id: request.id })
        }
        News::Begin | News::Got(Got::Included(Outcome::Accepted)) => {
            out.note(Event::Decided {
                request: number,
                by: desk.me,
                copy: None,
                locked_until: 0,
            });
            out.letter(consumer, Letter::Denied { request: number });
            Next::Done(Ending::Accepted)
        }
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}

/// Has something listed, and counts the rows.
pub(super) fn list_rows(desk: &Desk, task: &Task, news: News) -> Next {
    let Order::ListRows { listing, rows } = task.order else {
        unreachable!("only an order to list lists")
    };
    let (page, size) = (Some(1), Some(ALL));
    let listed = match news {
        News::Begin => {
            return look(match listing {
                Listing::Requests if desk.card().persona.role == Role::Consumer => {
                    Query::GetAccessRequestsMade { page, size }
                }
                Listing::Requests => Query::GetAccessRequestsReceived { page, size },
                Listing::Record => Query::GetAuditRecords { page, size },
                Listing::Remainders => Query::GetLockedRemainders {},
            });
        }
        News::Letter(_) | News::Overdue => return Next::Wait,
        News::Got(Got::View {
            result: Ok(answer), ..
        }) => match answer {
            Answer::Requests(rows) => rows.len(),
            Answer::Records(rows) => rows.len(),
            Answer::Remainders(rows) => rows.len(),
            _ => 0,
        },
        News::Got(got) => return Next::Done(ending(&got)),
    };
    done_if(listed == rows as usize, "nothing-found")
}

/// What the dashboard makes of the owner's rows: everything, or, as deployed, only what has notes and is linked
/// to no original. Source: idos-facts 1.3.
fn shown(desk: &Desk, rows: &[CredentialSummary]) -> Vec<CredentialId> {
    let all = desk.directory.rules.keep(Switch::DashboardShowsAll);
    rows.iter()
        .filter(|row| all || row.is_original())
        .map(|row| row.id)
        .collect()
}

/// Looks at the dashboard.
pub(super) fn dashboard(desk: &Desk, news: News, out: &mut Outbox) -> Next {
    match news {
        News::Begin => look(Query::GetCredentials {}),
        News::Got(Got::View {
            height,
            result: Ok(Answer::Credentials(rows)),
        }) => {
            out.note(Event::Shown {
                by: desk.me,
                height,
                credentials: shown(desk, &rows),
            });
            Next::Done(Ending::Accepted)
        }
        News::Got(got) => Next::Done(ending(&got)),
        News::Letter(_) | News::Overdue => Next::Wait,
    }
}
