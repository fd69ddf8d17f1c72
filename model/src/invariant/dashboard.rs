//! What an owner is shown, against what is stored.

use super::chronicle::{Chronicle, Life};
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::Event;

pub(super) const THE_DASHBOARD_HIDES_NOTHING: Invariant = Invariant {
    name: "the-dashboard-hides-nothing",
    claim: "the dashboard shows its owner every credential under the profile, copies and orphan copies \
            included",
    source: "doc:faqs-users (see everything); idos-facts 1.3",
    requirements: &["DASH-01"],
    check: the_dashboard_hides_nothing,
};

fn the_dashboard_hides_nothing(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for (seen, observation) in chronicle.observations() {
        let Event::Shown {
            by,
            height,
            credentials,
        } = &observation.event
        else {
            continue;
        };
        let member = chronicle.history.cast.party(*by);
        let stored = chronicle
            .all_credentials()
            .filter(|(_, fact)| fact.owner == member.user && fact.lives_at(*height));
        for (id, fact) in stored {
            tally.test("DASH-01", credentials.contains(&id), || {
                let sentence = format!(
                    "the dashboard hid credential {id} from {}, who owns it",
                    member.name
                );
                (sentence, vec![fact.born.seen, seen])
            });
        }
        for id in credentials {
            let fact = chronicle.credential_at(*id, *height);
            let own = fact.is_some_and(|fact| fact.owner == member.user);
            tally.test("DASH-01", own, || {
                let sentence = format!(
                    "the dashboard showed credential {id} to {}, whose it is not",
                    member.name
                );
                (sentence, vec![seen])
            });
        }
    }
    tally.verdict("nobody looked at a dashboard")
}
