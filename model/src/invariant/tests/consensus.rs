use super::story::*;
use std::collections::BTreeMap;

use super::{Case, Chronicle, Verdict, broken, case, held};
use crate::history::{Asked, Contradiction, Event};
use crate::id::{Height, NodeId};
use crate::invariant::consensus::*;
use crate::ledger::Query;
use crate::node::{Halt, Reply};
use crate::time::{BlockTime, WallMillis};

pub(super) fn cases() -> Vec<Case> {
    [states(), answers(), quorums(), times(), halts(), returns()]
        .into_iter()
        .flatten()
        .collect()
}

fn states() -> Vec<Case> {
    let by = &ONE_STATE_PER_HEIGHT;
    let list =
        |story: Story, node, ids| story.saw(ALICE, node, Query::GetCredentials {}, listing(ids));
    vec![
        case(
            "two blocks at one height",
            Story::new()
                .commit(block([]).on(&[N1, N2]))
                .commit(block([did(DB_OWNER, hire())]).on(&[N3, N4]).at_height(1)),
            by,
            broken(&["CONS-01"]),
        ),
        case(
            "one block leaves a node with another state",
            Story::new()
                .commit(block([]).on(&[N1, N2, N3]))
                .commit(block([]).on(&[N4]).at_height(1).leaving_another_state()),
            by,
            broken(&["CONS-01"]),
        ),
        case(
            "a node is found with another app hash than its peers committed",
            Story::new()
                .registered()
                .event(Found::default().on(N4, Height(2), Default::default())),
            by,
            broken(&["CONS-01"]),
        ),
        case(
            "a node holds other tables under the same app hash",
            Story::new().registered().look_at_tables(N4, [9; 32]),
            by,
            broken(&["CONS-01"]),
        ),
        case(
            "two nodes answer one question differently",
            list(list(Story::new().stored(), N1, &[PASSPORT]), N2, &[]),
            by,
            broken(&["READ-03"]),
        ),
        case(
            "all nodes commit, replay, hold and answer the same",
            list(
                list(Story::new().stored().replay(N4, 3), N1, &[PASSPORT]),
                N2,
                &[PASSPORT],
            )
            .look(N1, &[PASSPORT], &[], &[ALICE, MALLORY])
            .look(N2, &[PASSPORT], &[], &[ALICE, MALLORY]),
            by,
            held(&["CONS-01", "READ-03"]),
        ),
    ]
}

fn answers() -> Vec<Case> {
    let by = &ANSWERS_FOLLOW_THE_LEDGER;
    vec![
        case(
            "a view shows what the ledger does not",
            Story::new()
                .stored()
                .contradict(N2, Contradiction::View)
                .compare(N2, 4, 3),
            by,
            broken(&["READ-03"]),
        ),
        case(
            "a node says of a transaction what the ledger does not, and nobody counted",
            Story::new().stored().contradict(N2, Contradiction::Reply),
            by,
            broken(&["READ-03"]),
        ),
        case(
            "a block comes to something else on one node",
            Story::new()
                .stored()
                .contradict(N2, Contradiction::Result)
                .compare(N1, 4, 3)
                .compare(N2, 4, 3),
            by,
            broken(&["CONS-01"]),
        ),
        case(
            "everything compared is as the ledger has it",
            Story::new().stored().compare(N1, 4, 3).compare(N2, 0, 3),
            by,
            held(&["CONS-01", "READ-03"]),
        ),
    ]
}

#[test]
fn what_contradicts_the_ledger_is_not_counted_twice() {
    let story = Story::new()
        .stored()
        .contradict(N1, Contradiction::View)
        .compare(N1, 4, 0)
        .compare(N2, 2, 0);
    let chronicle = Chronicle::read(story.history());
    let verdict = (ANSWERS_FOLLOW_THE_LEDGER.check)(&chronicle);
    let Verdict::Violated { checked, findings } = verdict else {
        panic!("{verdict:?}");
    };
    assert_eq!(checked, BTreeMap::from([("READ-03", 6)]));
    assert_eq!(findings.len(), 1);
}

fn quorums() -> Vec<Case> {
    let by = &QUORUMS_ARE_REAL;
    vec![
        case(
            "half of the validators are no majority",
            Story::new().commit(block([]).votes(&[N1, N2])),
            by,
            broken(&["CONS-02"]),
        ),
        case(
            "one validator votes three times",
            Story::new().commit(block([]).votes(&[N1, N1, N1])),
            by,
            broken(&["CONS-02"]),
        ),
        case(
            "two of the votes are for another block",
            Story::new().commit(block([]).votes(&[N1, N2]).stray_votes(&[N3, N4])),
            by,
            broken(&["CONS-02"]),
        ),
        case(
            "two of the votes are of strangers",
            Story::new().commit(block([]).votes(&[N1, N2, NodeId(7), NodeId(8)])),
            by,
            broken(&["CONS-02"]),
        ),
        case(
            "three of four validators vote",
            Story::new().commit(block([]).votes(&[N1, N2, N3])),
            by,
            held(&["CONS-02"]),
        ),
    ]
}

fn times() -> Vec<Case> {
    let by = &BLOCK_TIME_IS_SOUND;
    // A proposal is made at second 10 with this time.
    let proposed = |seconds: u64| {
        Story::new()
            .at(10)
            .event(Event::Proposed {
                node: N1,
                height: Height(1),
                time: WallMillis(seconds * 1000),
                clock: WallMillis(seconds * 1000),
            })
            .commit(block([]).with_time(seconds))
    };
    vec![
        case(
            "a block is older than the one before",
            Story::new()
                .commit(block([]).with_time(50))
                .commit(block([]).with_time(49)),
            by,
            broken(&["TIME-01"]),
        ),
        case(
            "a leader proposes far ahead of the true time",
            proposed(14),
            by,
            broken(&["TIME-01"]),
        ),
        case(
            "a leader proposes far behind the true time",
            proposed(6),
            by,
            broken(&["TIME-01"]),
        ),
        case(
            "a leader's clock is off by as much as is allowed",
            proposed(13),
            by,
            held(&["TIME-01"]),
        ),
        case(
            "two blocks have the same time, and the second is replayed later",
            Story::new()
                .commit(block([]).with_time(1))
                .commit(block([]).with_time(1).on(&[N1]))
                .block([])
                .replay(N2, 2),
            by,
            held(&["TIME-01"]),
        ),
    ]
}

fn halts() -> Vec<Case> {
    let by = &DIVERGED_NODES_STOP;
    let halted = || {
        Story::new().registered().event(Event::Halted {
            node: N4,
            why: Halt::Diverged { height: Height(2) },
        })
    };
    let health = |story: Story, reply| {
        let what = Asked::Housekeeping("health");
        story.exchange(ALICE, N4, what, reply)
    };
    let healthy = || Reply::Health {
        height: Height(2),
        time: BlockTime(2),
        syncing: false,
    };
    vec![
        case(
            "a halted node commits a block",
            halted().commit(block([]).on(&[N4])),
            by,
            broken(&["CONS-03"]),
        ),
        case(
            "a halted node answers",
            health(halted(), healthy()),
            by,
            broken(&["CONS-03"]),
        ),
        case(
            "a halted node says so, and answers when it was started again",
            health(health(halted(), Reply::Halted).start_again(N4), healthy())
                .commit(block([]).on(&[N4])),
            by,
            held(&["CONS-03"]),
        ),
    ]
}

fn returns() -> Vec<Case> {
    let by = &RETURNING_NODES_CATCH_UP;
    let back = || {
        Story::new()
            .registered()
            .crash(N4)
            .commit(block([]).on(&[N1, N2, N3]))
            .start_again(N4)
    };
    let nothing = |story: Story, height, node| story.look_at(height, node, &[], &[], &[]);
    vec![
        case(
            "a node comes back and stays behind",
            nothing(nothing(back().event(Event::Settled), 3, N1), 2, N4),
            by,
            broken(&["AVAIL-04"]),
        ),
        case(
            "a node comes back and is behind when time is up",
            nothing(
                nothing(back().event(Event::Unsettled { owed: vec![] }), 3, N1),
                2,
                N4,
            ),
            by,
            broken(&["AVAIL-04"]),
        ),
        case(
            "a node that had missed a block ends with another state",
            nothing(
                Story::new()
                    .registered()
                    .commit(block([]).on(&[N1, N2, N3]))
                    .replay(N2, 3)
                    .event(Event::Settled),
                3,
                N1,
            )
            .event(Found::default().on(N2, Height(3), Default::default())),
            by,
            broken(&["AVAIL-04"]),
        ),
        case(
            "a node comes back and catches up",
            nothing(
                nothing(back().replay(N4, 3).event(Event::Settled), 3, N1),
                3,
                N4,
            ),
            by,
            held(&["AVAIL-04"]),
        ),
    ]
}
