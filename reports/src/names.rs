//! Names instead of ids: what a person can hold in mind while reading.

use assay_model::history::{Cast, Role};
use assay_model::id::{PartyId, UserId};
use assay_model::time::{Millis, WallMillis};
use assay_scenarios::plan::{NodeRef, Plan, Whose};
use uuid::Uuid;

/// The first four hex digits of an id, enough to tell the few ids of one story apart.
pub(crate) fn short(id: Uuid) -> String {
    let digits = id.simple().to_string();
    format!("{}..", &digits[..4])
}

/// At most four of the items, and how many more there are.
pub(crate) fn few(items: impl IntoIterator<Item = String>) -> String {
    const SHOWN: usize = 4;
    let mut items = items.into_iter();
    let shown: Vec<String> = items.by_ref().take(SHOWN).collect();
    match items.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `1 seed`, `2 seeds`, `2 stories`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The party as the story calls it. A history and a plan that do not belong together still get a text.
pub(crate) fn party(plan: &Plan, id: PartyId) -> String {
    match plan.parties.get(id.index()) {
        Some(party) => party.name.clone(),
        None => format!("party {}", id.0),
    }
}

/// Whose profile it is.
pub(crate) fn user(plan: &Plan, id: UserId) -> String {
    let owner = plan
        .parties
        .iter()
        .find(|party| party.role == Role::User && party.user == id);
    match owner {
        Some(party) => party.name.clone(),
        None => format!("profile {}", short(id.0)),
    }
}

/// Whose identity it is, or the beginning of it.
pub(crate) fn holder(cast: &Cast, identity: &str) -> String {
    match cast.holder(identity) {
        Some(id) => cast.party(id).name.clone(),
        None if identity.is_empty() => "nobody".to_owned(),
        None => identity.char_indices().nth(10).map_or_else(
            || identity.to_owned(),
            |(end, _)| format!("{}..", &identity[..end]),
        ),
    }
}

/// A second of chain time in the terms of the story, whose zero is the epoch; the date before that.
pub(crate) fn second(epoch: WallMillis, second: i64) -> String {
    let since = second
        .checked_mul(1000)
        .and_then(|millis| millis.checked_sub(i64::try_from(epoch.0).ok()?));
    match since.and_then(|since| u64::try_from(since).ok()) {
        Some(since) => {
            let text = Millis(since).to_string();
            match text.strip_suffix("s") {
                Some(seconds) => {
                    format!("{}s", seconds.trim_end_matches('0').trim_end_matches('.'))
                }
                None => text.trim_end_matches(".000").to_owned(),
            }
        }
        None => assay_model::time::BlockTime(second).to_string(),
    }
}

/// `locked until 35s`, or that there is no lock.
pub(crate) fn lock(epoch: WallMillis, locked_until: i64) -> String {
    if locked_until == 0 {
        "without a lock".to_owned()
    } else {
        format!("locked until {}", second(epoch, locked_until))
    }
}

pub(crate) fn node_ref(node: NodeRef) -> String {
    match node {
        NodeRef::Node(node) => node.to_string(),
        NodeRef::Leader => "the leader".to_owned(),
        NodeRef::Follower => "a follower".to_owned(),
    }
}

pub(crate) fn whose(plan: &Plan, whose: Whose) -> String {
    match whose {
        Whose::Node(node) => node_ref(node),
        Whose::Party(id) => party(plan, id),
    }
}

/// What to say instead of what: the identities and profiles of a story by the names of their parties.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dictionary(Vec<(String, String)>);

impl Dictionary {
    pub(crate) fn new(cast: &Cast) -> Dictionary {
        let mut words = Vec::new();
        for member in &cast.parties {
            for identity in &member.identities {
                let caller = identity.caller();
                words.push((caller.to_lowercase(), member.name.clone()));
                words.push((caller, member.name.clone()));
            }
            if member.role == Role::User {
                words.push((member.user.to_string(), member.name.clone()));
            }
        }
        Dictionary(words)
    }

    /// A sentence with names for identities, and short forms for the other ids in it.
    pub(crate) fn plain(&self, sentence: &str) -> String {
        let named = self.0.iter().fold(sentence.to_owned(), |text, (id, name)| {
            text.replace(id.as_str(), name)
        });
        let words = named.split(' ').map(|word| {
            let id = word.trim_matches(|c: char| !c.is_ascii_hexdigit());
            match Uuid::try_parse(id) {
                Ok(uuid) if id.len() == 36 => word.replace(id, &short(uuid)),
                _ => word.to_owned(),
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_of_the_chain_read_as_times_of_the_story() {
        let epoch = WallMillis(1_767_225_600_000);
        let at = |seconds: i64| second(epoch, 1_767_225_600 + seconds);
        assert_eq!(at(0), "0s");
        assert_eq!(at(30), "30s");
        assert_eq!(at(100), "100s");
        assert_eq!(at(86_401), "1d 00:00:01");
        assert_eq!(at(-1), "2025-12-31T23:59:59Z");
        // The epoch need not be a whole second.
        assert_eq!(second(WallMillis(500), 2), "1.5s");
    }

    #[test]
    fn long_lists_are_cut() {
        let items = |n: usize| few((0..n).map(|i| i.to_string()));
        assert_eq!(items(0), "");
        assert_eq!(items(4), "0, 1, 2, 3");
        assert_eq!(items(6), "0, 1, 2, 3 and 2 more");
    }

    #[test]
    fn ids_in_sentences_become_names_or_short() {
        let dictionary = Dictionary(vec![("0xAb12".to_owned(), "bank".to_owned())]);
        let long = "credential (2b285224-4312-4a3c-8718-ed1398123849), granted to 0xAb12, is gone";
        let plain = "credential (2b28..), granted to bank, is gone";
        assert_eq!(dictionary.plain(long), plain);
        assert_eq!(dictionary.plain(plain), plain);
    }
}
