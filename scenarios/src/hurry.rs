//! A story in less time: long waits are cut, and nothing changes places.

use std::collections::{BTreeMap, BTreeSet};

use assay_model::actor::{GrantRef, Order, Task};
use assay_model::time::Millis;

use crate::plan::{Deed, Plan};

/// Blocks and locks count whole seconds, so waits are cut by whole seconds: what was half a second before
/// the end of a lock still is.
const SECOND: u64 = 1_000;

impl Plan {
    /// The same story with no wait longer than about this: moments at which steps and faults begin, faults
    /// end, locks end or everything heals come in the same order, and close ones as far apart as before.
    pub fn hurried(&self, longest: Millis) -> Plan {
        let mut plan = self.clone();
        let mut moments = BTreeSet::from([Millis::ZERO]);
        plan.moments(|moment| {
            moments.insert(moment);
            moment
        });
        let mut earlier = BTreeMap::new();
        let (mut before, mut cut) = (Millis::ZERO, 0);
        for moment in moments {
            let wait = moment.0 - before.0;
            cut += wait.saturating_sub(longest.0) / SECOND * SECOND;
            earlier.insert(moment, Millis(moment.0 - cut));
            before = moment;
        }
        plan.moments(|moment| earlier[&moment]);
        plan
    }

    /// Puts every moment of the story through a function.
    fn moments(&mut self, mut of: impl FnMut(Millis) -> Millis) {
        for fault in &mut self.faults {
            let end = of(fault.at + fault.lasts);
            fault.at = of(fault.at);
            fault.lasts = end.saturating_sub(fault.at);
        }
        self.duration = of(self.duration);
        let epoch = self.epoch.0;
        for step in &mut self.steps {
            step.at = of(step.at);
            if let Deed::Party(_, task) = &mut step.deed {
                for lock in locks(task) {
                    let end = u64::try_from(*lock).ok().map(|end| end * SECOND);
                    // What ended before the story began, or never was, stays as it is.
                    if let Some(after) = end.and_then(|end| end.checked_sub(epoch)) {
                        *lock = ((epoch + of(Millis(after)).0) / SECOND) as i64;
                    }
                }
            }
        }
    }
}

/// Ends of locks a task names, and of other spans in UNIX seconds.
fn locks(task: &mut Task) -> Vec<&mut i64> {
    match &mut task.order {
        Order::Share(share) | Order::StoreCopy(share) | Order::Approve { share, .. } => {
            let end = share.terms.expires_at.as_mut();
            std::iter::once(&mut share.locked_until)
                .chain(end)
                .collect()
        }
        Order::Request {
            locked_until,
            stands_until,
            terms,
            ..
        } => [locked_until, stands_until]
            .into_iter()
            .chain(terms.expires_at.as_mut())
            .collect(),
        Order::SignDag {
            grant,
            not_after,
            terms,
            ..
        } => [&mut grant.locked_until, not_after]
            .into_iter()
            .chain(terms.expires_at.as_mut())
            .collect(),
        Order::Use { locked_until, .. }
        | Order::UseGrant {
            grant: GrantRef { locked_until, .. },
        }
        | Order::Pry {
            grant: GrantRef { locked_until, .. },
        } => vec![locked_until],
        Order::SignDwg {
            grant,
            not_before,
            not_after,
            ..
        } => vec![&mut grant.locked_until, not_before, not_after],
        Order::Issue { findings, .. } => vec![&mut findings.expires],
        Order::Ask { expires, .. } => vec![expires],
        Order::DeclareKeyInvalid { from } => vec![from],
        Order::Revoke { grants } => grants
            .iter_mut()
            .map(|grant| &mut grant.locked_until)
            .collect(),
        Order::Register { .. }
        | Order::Recognise { .. }
        | Order::SetStatus { .. }
        | Order::Overwrite { .. }
        | Order::Rekey { .. }
        | Order::BindWallet { .. }
        | Order::WriteDwg { .. }
        | Order::Describe { .. }
        | Order::AddAttribute { .. }
        | Order::EditAttribute { .. }
        | Order::RemoveAttribute { .. }
        | Order::ShareAttribute { .. }
        | Order::Deny { .. }
        | Order::Withdraw { .. }
        | Order::EndAccess { .. }
        | Order::RemoveWhenUnlocked { .. }
        | Order::CancelDag { .. }
        | Order::CancelDwg { .. }
        | Order::Dashboard
        | Order::ListRows { .. }
        | Order::Filter { .. }
        | Order::AskAgain { .. }
        | Order::FoundClub { .. }
        | Order::JoinClub { .. }
        | Order::LeaveClub { .. }
        | Order::Rely { .. }
        | Order::LeakSession { .. }
        | Order::TurnAway { .. }
        | Order::Answer { .. }
        | Order::Forbid { .. }
        | Order::DenyQuestion { .. }
        | Order::WithdrawAnswer { .. }
        | Order::PresentAnswer { .. }
        | Order::Remove { .. }
        | Order::StoreAgain { .. }
        | Order::AddWallet { .. }
        | Order::RemoveWallet { .. }
        | Order::StoreShares
        | Order::Recover
        | Order::Unlock { .. }
        | Order::Rotate { .. }
        | Order::Authorise { .. }
        | Order::Allow { .. }
        | Order::AskEnclave { .. }
        | Order::Guess { .. }
        | Order::Behave { .. }
        | Order::Erase
        | Order::TransmitDag { .. }
        | Order::ReadOwn { .. }
        | Order::List
        | Order::Probe { .. }
        | Order::Rescind { .. }
        | Order::ListGranted { .. }
        | Order::Admit { .. }
        | Order::Dismiss { .. }
        | Order::Trade(_)
        | Order::OnChain(_)
        | Order::Reorganise { .. }
        | Order::ReplaceAction { .. }
        | Order::ReadLog { .. }
        | Order::JoinValidators { .. }
        | Order::ApproveJoin { .. }
        | Order::RemoveValidator { .. }
        | Order::LeaveValidators
        | Order::Propose(_)
        | Order::ApproveProposal(_)
        | Order::WatchChain
        | Order::InventDeposit { .. }
        | Order::Audit { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Overrides, library, load};

    const LONGEST: Millis = Millis::seconds(5);

    fn moments(plan: &Plan) -> Vec<Millis> {
        let mut moments = Vec::new();
        plan.clone().moments(|moment| {
            moments.push(moment);
            moment
        });
        moments
    }

    fn plans() -> Vec<Plan> {
        let plan = |source| load(source).unwrap().plan(&Overrides::none());
        library().iter().map(plan).collect()
    }

    #[test]
    fn in_a_hurry_nothing_changes_places_and_no_wait_is_long() {
        let mut cut = 0;
        for plan in plans() {
            let (before, after) = (moments(&plan), moments(&plan.hurried(LONGEST)));
            for (one, other) in before.iter().zip(&after) {
                cut += u64::from(one != other);
                for (a, b) in before.iter().zip(&after) {
                    assert_eq!(one.cmp(a), other.cmp(b), "{}: {one} and {a}", plan.name);
                    assert_eq!(one.0.abs_diff(a.0) % 1_000, other.0.abs_diff(b.0) % 1_000);
                }
            }
            let mut sorted = after.clone();
            sorted.push(Millis::ZERO);
            sorted.sort();
            for pair in sorted.windows(2) {
                assert!(pair[1].0 - pair[0].0 < LONGEST.0 + 1_000, "{}", plan.name);
            }
        }
        assert!(cut > 100, "only {cut} moments were moved");
    }

    /// Every number in the steps that is a second of the story's time, wherever it stands.
    fn seconds(value: &serde_json::Value, epoch: u64, found: &mut Vec<u64>) {
        const CENTURIES: u64 = 300 * 365 * 86_400;
        match value {
            serde_json::Value::Number(number) => {
                let second = number.as_u64().and_then(|second| second.checked_sub(epoch));
                found.extend(second.filter(|after| *after < CENTURIES));
            }
            serde_json::Value::Array(all) => all.iter().for_each(|one| seconds(one, epoch, found)),
            serde_json::Value::Object(all) => {
                all.values().for_each(|one| seconds(one, epoch, found))
            }
            _ => {}
        }
    }

    #[test]
    fn no_second_of_a_story_is_forgotten() {
        let mut looked_at = 0;
        for plan in plans() {
            let hurried = plan.hurried(LONGEST);
            let last = moments(&hurried).into_iter().max().unwrap_or_default();
            let mut found = Vec::new();
            let json = serde_json::to_value(&hurried.steps).unwrap();
            seconds(&json, plan.epoch.0 / SECOND, &mut found);
            for second in &found {
                assert!(second * SECOND <= last.0, "{}: second {second}", plan.name);
            }
            looked_at += found.len();
        }
        assert!(looked_at > 50, "only {looked_at} seconds are named");
    }

    #[test]
    fn a_story_without_long_waits_stays_as_it_is() {
        for plan in plans() {
            let same = plan.hurried(Millis(u64::MAX));
            assert_eq!(plan, same);
        }
    }
}
