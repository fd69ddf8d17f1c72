//! Bounds that the documents speak of and the deployed schema does not have. They are parameters of the
//! network, the same on every node.

use super::action::Action;
use super::execute::{Call, Refused};
use super::refusal::Refusal;
use super::written::Written;
use crate::id::Text;
use crate::rules::Switch;

/// The longest lock: ten years, the longest retention idOS knows, and a day for clocks and leap years.
const LONGEST_LOCK: i64 = (10 * 366 + 1) * 86_400;
/// From this number on, what is meant as an instant is milliseconds: as seconds it is the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;
/// Longest notes, in bytes.
const NOTES: usize = 4_096;
/// Longest content, in bytes of base64.
const CONTENT: usize = 131_072;
/// Longest name of an attribute or kind of data, in bytes.
const NAME: usize = 256;
/// Longest value of an attribute, in bytes.
const VALUE: usize = 4_096;
/// Longest purpose of a request, and longest list of fields, in bytes.
const WORDS: usize = 1_024;

/// Whether this may be the last second of a lock, under `bounded-locks`.
pub(super) fn check_lock(call: Call<'_>, locked_until: i64) -> Refused {
    if !call.keeps(Switch::BoundedLocks) {
        return Ok(());
    }
    if !(0..MILLISECONDS).contains(&locked_until) {
        return Err(Refusal::LockNotInSeconds);
    }
    if locked_until > call.time.0.saturating_add(LONGEST_LOCK) {
        return Err(Refusal::LockTooLong);
    }
    Ok(())
}

/// Whether every text an action would store is short enough, under `bounded-sizes`.
pub(super) fn check_sizes(call: Call<'_>, action: &Action) -> Refused {
    if !call.keeps(Switch::BoundedSizes) {
        return Ok(());
    }
    let fits = |text: &Text, longest: usize| text.len() <= longest;
    let written = Written::all(action)
        .all(|row| fits(row.public_notes, NOTES) && fits(row.content.text(), CONTENT));
    let rest = match action {
        Action::ShareCredential { terms, .. } => {
            let fields = terms.as_ref().and_then(|terms| terms.fields.as_ref());
            fields.is_none_or(|fields| fits(fields, WORDS))
        }
        Action::EditPublicNotesAsIssuer { public_notes, .. } => fits(public_notes, NOTES),
        Action::AddAttributeAsInserter {
            attribute_key,
            value,
            ..
        }
        | Action::AddAttribute {
            attribute_key,
            value,
            ..
        }
        | Action::EditAttribute {
            attribute_key,
            value,
            ..
        }
        | Action::ShareAttribute {
            attribute_key,
            value,
            ..
        } => fits(attribute_key, NAME) && fits(value, VALUE),
        Action::RequestAccess {
            kind,
            fields,
            purpose,
            ..
        } => {
            kind.as_ref().is_none_or(|kind| fits(kind, NAME))
                && fields.as_ref().is_none_or(|fields| fits(fields, WORDS))
                && fits(purpose, WORDS)
        }
        _ => true,
    };
    if written && rest {
        Ok(())
    } else {
        Err(Refusal::Oversized)
    }
}
