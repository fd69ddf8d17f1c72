use super::story::*;
use super::{Case, broken, case, held};
use crate::history::Contradiction;
use crate::invariant::freshness::*;
use crate::ledger::Query;

pub(super) fn cases() -> Vec<Case> {
    let by = &ANSWERS_ARE_FRESH;
    let list = Query::GetCredentials {};
    // Blocks come each second from the first on, and the network allows 30 s, drift and delay 5 s more.
    let read = |story: Story, seconds, height| {
        let story = story.at(seconds);
        story.saw_at(height, ALICE, N4, list.clone(), listing(&[]))
    };
    let three = || Story::new().registered().block([]);
    vec![
        case(
            "a node answers from a state that the others have left long ago",
            read(three(), 60, 2),
            by,
            broken(&["READ-02"]),
        ),
        case(
            "an answer is from the last second in which it may be, and another from a second later",
            read(read(three(), 38, 2), 39, 2),
            by,
            broken(&["READ-02"]),
        ),
        case(
            "an answer names a height that its node has not come to",
            three().contradict(N2, Contradiction::Height),
            by,
            broken(&["READ-02"]),
        ),
        case(
            "nothing is newer than what is answered, however old",
            read(three(), 10_000, 3),
            by,
            held(&["READ-02"]),
        ),
        case(
            "half of the nodes are further",
            read(
                read(three(), 10, 2).commit(block([]).on(&[N1, N2])),
                10_000,
                3,
            ),
            by,
            held(&["READ-02"]),
        ),
        case(
            "there is no state yet that would be too old",
            read(three(), 20, 1),
            by,
            super::Expected::Untested,
        ),
    ]
}
