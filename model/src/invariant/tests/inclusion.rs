use super::story::*;
use super::{Case, Expected, broken, case, check, held};
use crate::id::NodeId;
use crate::invariant::inclusion::*;
use crate::ledger::Action;
use crate::node::{Rejected, Reply};

/// A transaction that waits for a block.
fn hired() -> Told {
    did(DB_OWNER, hire()).nonce(1)
}

/// A node says that it has it.
fn known(node: NodeId) -> Story {
    Story::new().sent(DB_OWNER, node, &hired(), Reply::TimedOut)
}

/// So many blocks of a leader without it, with these votes.
fn without(story: Story, blocks: usize, leader: NodeId, votes: &[NodeId]) -> Story {
    (0..blocks).fold(story, |story, _| {
        story.commit(block([]).made_by(leader).votes(votes))
    })
}

pub(super) fn cases() -> Vec<Case> {
    let by = &KNOWN_IS_INCLUDED;
    let all = &[N1, N2, N3, N4];
    let others = &[N1, N3, N4];
    vec![
        // The first block shows that the leader has heard from the node; three more are within the bound.
        case(
            "the leader makes a fourth block without it",
            without(known(N2), 5, N1, all),
            by,
            broken(&["CONS-06"]),
        ),
        case(
            "the leader itself said that it has it, whoever votes",
            without(known(N1), 5, N1, others),
            by,
            broken(&["CONS-06"]),
        ),
        case(
            "a transaction that is to wait for a block is left out",
            without(
                Story::new().sent(DB_OWNER, N2, &hired(), Reply::Submitted),
                5,
                N1,
                all,
            ),
            by,
            broken(&["CONS-06"]),
        ),
        case(
            "the next leader leaves it out as well",
            without(without(known(N2), 4, N1, all).appoint(N3, 1), 5, N3, all),
            by,
            broken(&["CONS-06"]),
        ),
        case(
            "another node that has it does not crash",
            without(
                known(N2)
                    .sent(DB_OWNER, N3, &hired(), Reply::TimedOut)
                    .crash(N2),
                5,
                N1,
                all,
            ),
            by,
            broken(&["CONS-06"]),
        ),
        case(
            "it is in the fourth block",
            without(known(N2), 4, N1, all).block([hired()]),
            by,
            held(&["CONS-06"]),
        ),
        case(
            "the leader is replaced after three blocks, and the next one includes it",
            without(without(known(N2), 4, N1, all).appoint(N3, 1), 1, N3, all)
                .commit(block([hired()]).made_by(N3)),
            by,
            held(&["CONS-06"]),
        ),
        case(
            "a leader that has not heard of it makes blocks, and includes it later",
            without(known(N2), 8, N1, others).block([hired()]),
            by,
            held(&["CONS-06"]),
        ),
        case(
            "a leader forgets it in a crash, and is told again",
            without(
                without(known(N2), 4, N1, all).crash(N1).start_again(N1),
                4,
                N1,
                all,
            )
            .block([hired()]),
            by,
            held(&["CONS-06"]),
        ),
        case(
            "whoever had it crashes",
            without(known(N2).crash(N2), 8, N1, all),
            by,
            Expected::Untested,
        ),
        case(
            "whoever had it stops for good",
            without(known(N2).halt(N2), 8, N1, all),
            by,
            Expected::Untested,
        ),
        case(
            "a node does not take it",
            without(
                Story::new().sent(
                    DB_OWNER,
                    N2,
                    &hired(),
                    Reply::Rejected(Rejected::CatchingUp),
                ),
                8,
                N1,
                all,
            ),
            by,
            Expected::Untested,
        ),
        case(
            "another transaction takes its place, so that it is valid no more",
            without(
                known(N2).block([did(DB_OWNER, close_inserter()).nonce(1)]),
                8,
                N1,
                all,
            ),
            by,
            Expected::Untested,
        ),
        case(
            "it was in a block before the node said that it waits",
            without(
                Story::new()
                    .block([hired()])
                    .sent(DB_OWNER, N2, &hired(), Reply::TimedOut),
                8,
                N1,
                all,
            ),
            by,
            Expected::Untested,
        ),
    ]
}

#[test]
fn a_full_block_leaves_nothing_out() {
    let full = || Action::EditPublicNotesAsIssuer {
        public_notes_id: "id".into(),
        public_notes: "x".repeat(6 << 20).into(),
    };
    let story = (0..5).fold(known(N2), |story, _| story.block([did(KYC, full())]));
    check(&case(
        "there was no room for it",
        story,
        &KNOWN_IS_INCLUDED,
        Expected::Untested,
    ));
}
