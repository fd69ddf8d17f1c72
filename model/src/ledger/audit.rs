//! The record of what was asked, given, used and ended; only under `audit-record`. Source: S4 (time log).

use super::execute::Call;
use super::tables::{AuditEvent, AuditRecord, AuditSubject, State};
use crate::id::UserId;
use crate::rules::Switch;

/// Adds a row, in the order of what happens.
pub(super) fn record(state: &mut State, call: Call<'_>, event: AuditEvent, about: AuditSubject) {
    if !call.keeps(Switch::AuditRecord) {
        return;
    }
    state.append(AuditRecord {
        event,
        time: call.time,
        height: call.height,
        about: Some(about),
    });
}

/// Takes an owner out of the record: that something happened stays, and to whom does not.
pub(super) fn forget(state: &mut State, owner: UserId) {
    let about = |row: &AuditRecord| row.about.as_ref().is_some_and(|who| who.owner == owner);
    let rows: Vec<_> = state
        .tables()
        .audit_records
        .iter()
        .filter(|(_, row)| about(row))
        .map(|(number, row)| {
            let row = AuditRecord {
                about: None,
                ..(**row).clone()
            };
            (*number, row)
        })
        .collect();
    for (number, row) in rows {
        state.put(number, row);
    }
}
