use super::story::*;
use super::{Case, broken, case, held};
use crate::history::Event;
use crate::id::{CredentialId, Height};
use crate::invariant::dashboard::*;

fn sees(story: Story, credentials: &[CredentialId]) -> Story {
    let height = Height(story.tip());
    story.event(Event::Shown {
        by: ALICE,
        height,
        credentials: credentials.to_vec(),
    })
}

pub(super) fn cases() -> Vec<Case> {
    let by = &THE_DASHBOARD_HIDES_NOTHING;
    let orphaned = || {
        let removed = did(ALICE, remove(PASSPORT));
        Story::new().shared(LOCK).block([removed])
    };
    vec![
        case(
            "an orphan copy is hidden",
            sees(orphaned(), &[]),
            by,
            broken(&["DASH-01"]),
        ),
        case(
            "a copy is hidden behind its original",
            sees(Story::new().shared(LOCK), &[PASSPORT]),
            by,
            broken(&["DASH-01"]),
        ),
        case(
            "what was removed is shown",
            sees(orphaned(), &[PASSPORT, FOR_BANK]),
            by,
            broken(&["DASH-01"]),
        ),
        case(
            "everything is shown, before the original is removed and after",
            sees(
                sees(Story::new().shared(LOCK), &[PASSPORT, FOR_BANK])
                    .block([did(ALICE, remove(PASSPORT))]),
                &[FOR_BANK],
            ),
            by,
            held(&["DASH-01"]),
        ),
    ]
}
