use super::story::*;
use super::{Case, Expected, broken, case, held};
use crate::history::Level;
use crate::invariant::deletion::*;

pub(super) fn cases() -> Vec<Case> {
    [converge(), reach_copies(), erasure(), at_rest(), bounded()]
        .into_iter()
        .flatten()
        .collect()
}

fn converge() -> Vec<Case> {
    let by = &DELETIONS_CONVERGE;
    let removed = || {
        Story::new()
            .stored()
            .commit(block([did(ALICE, remove(PASSPORT))]).on(&[N1, N2, N3]))
    };
    vec![
        case(
            "a node still holds a removed credential",
            removed().look(N2, &[PASSPORT], &[], &[ALICE]),
            by,
            broken(&["DEL-01", "DEL-02"]),
        ),
        case(
            "a node that was away still holds a removed credential",
            removed().replay(N4, 4).look(N4, &[PASSPORT], &[], &[ALICE]),
            by,
            broken(&["DEL-01", "DEL-02", "DEL-08"]),
        ),
        case(
            "a node still holds a grant on a removed copy",
            Story::new()
                .shared(0)
                .block([did(ALICE, remove(FOR_BANK))])
                .look(N1, &[PASSPORT], &[grant(BANK, FOR_BANK, 0)], &[ALICE]),
            by,
            broken(&["DEL-02"]),
        ),
        case(
            "every node lacks what was removed, also the one that was away",
            removed()
                .look(N1, &[], &[], &[ALICE])
                .look_at(3, N4, &[PASSPORT], &[], &[ALICE])
                .replay(N4, 4)
                .look(N4, &[], &[], &[ALICE]),
            by,
            held(&["DEL-01", "DEL-02", "DEL-08"]),
        ),
        case(
            "a copy and its grant stay when their original goes, which another promise forbids",
            Story::new()
                .shared(0)
                .block([did(ALICE, remove(PASSPORT))])
                .look(N1, &[FOR_BANK], &[grant(BANK, FOR_BANK, 0)], &[ALICE]),
            by,
            held(&["DEL-01", "DEL-02"]),
        ),
        case(
            "a removed credential is stored again",
            removed()
                .look(N1, &[], &[], &[ALICE])
                .block([did(ALICE, store(PASSPORT))])
                .look(N1, &[PASSPORT], &[], &[ALICE]),
            by,
            held(&["DEL-01", "DEL-02"]),
        ),
    ]
}

fn reach_copies() -> Vec<Case> {
    let by = &REMOVALS_REACH_COPIES;
    let removed = |lock| {
        Story::new()
            .shared(lock)
            .block([did(ALICE, remove(PASSPORT))])
    };
    let revoked = || {
        Story::new()
            .shared(0)
            .block([did(ALICE, revoke(grant(BANK, FOR_BANK, 0)))])
    };
    vec![
        case(
            "an unlocked copy stays when its original goes",
            removed(0).look(N1, &[FOR_BANK], &[grant(BANK, FOR_BANK, 0)], &[ALICE]),
            by,
            broken(&["DEL-04"]),
        ),
        case(
            "a locked copy goes with its original",
            removed(LOCK).look(N1, &[], &[grant(BANK, FOR_BANK, LOCK)], &[ALICE]),
            by,
            broken(&["DEL-04"]),
        ),
        case(
            "a copy stays without a grant",
            revoked().look(N1, &[PASSPORT, FOR_BANK], &[], &[ALICE]),
            by,
            broken(&["GRANT-14"]),
        ),
        case(
            "a copy goes with its last grant",
            revoked().look(N1, &[PASSPORT], &[], &[ALICE]),
            by,
            held(&["GRANT-14"]),
        ),
        case(
            "a removal takes the unlocked copy and leaves the locked one",
            Story::new()
                .shared(LOCK)
                .block([did(ALICE, share(SHOP, 0))])
                .block([did(ALICE, remove(PASSPORT))])
                .look(N1, &[FOR_BANK], &[grant(BANK, FOR_BANK, LOCK)], &[ALICE]),
            by,
            held(&["DEL-04"]),
        ),
    ]
}

fn erasure() -> Vec<Case> {
    let by = &ERASURE_IS_WHOLE;
    let erased = || Story::new().shared(0).block([did(ALICE, erase())]);
    vec![
        case(
            "the user stays",
            erased().look(N1, &[], &[], &[ALICE, MALLORY]),
            by,
            broken(&["USR-04"]),
        ),
        case(
            "an original stays",
            erased().look(N1, &[PASSPORT], &[], &[MALLORY]),
            by,
            broken(&["USR-04"]),
        ),
        case(
            "a copy stays",
            erased().look(N1, &[FOR_BANK], &[], &[MALLORY]),
            by,
            broken(&["USR-04"]),
        ),
        case(
            "a grant stays",
            erased().look(N1, &[], &[grant(BANK, FOR_BANK, 0)], &[MALLORY]),
            by,
            broken(&["USR-04"]),
        ),
        case(
            "nothing of the profile stays",
            erased()
                .look_at(4, N2, &[PASSPORT, FOR_BANK], &[], &[ALICE, MALLORY])
                .look(N1, &[], &[], &[MALLORY]),
            by,
            held(&["USR-04"]),
        ),
        case(
            "an erased profile is registered anew",
            erased()
                .look(N1, &[], &[], &[MALLORY])
                .block([did(KYC, create(ALICE)), did(KYC, bind(ALICE))])
                .look(N1, &[], &[], &[ALICE, MALLORY])
                .block([did(ALICE, erase())])
                .look(N1, &[], &[], &[MALLORY]),
            by,
            held(&["USR-04"]),
        ),
    ]
}

fn at_rest() -> Vec<Case> {
    let by = &DELETED_CONTENT_IS_GONE_AT_REST;
    let removed = |story: Story| story.stored().block([did(ALICE, remove(PASSPORT))]);
    vec![
        case(
            "a node still shows what was removed",
            removed(Story::new()).remain(N1, PASSPORT, Level::Readable),
            by,
            broken(&["DEL-01", "DEL-06"]),
        ),
        case(
            "what was removed is in the tables of a node",
            removed(Story::new())
                .remain(N1, PASSPORT, Level::Gone)
                .remain(N2, PASSPORT, Level::Tables),
            by,
            broken(&["DEL-01", "DEL-06"]),
        ),
        case(
            "what was removed is in the blocks of a network that promises to prune",
            removed(Story::pruning())
                .block([])
                .block([])
                .remain(N1, PASSPORT, Level::History),
            by,
            broken(&["DEL-06"]),
        ),
        case(
            "what was removed just now is in the blocks of a network that promises to prune",
            removed(Story::pruning())
                .block([])
                .remain(N1, PASSPORT, Level::History),
            by,
            held(&["DEL-01"]),
        ),
        case(
            "blocks that come after a search make nothing older for it",
            removed(Story::pruning())
                .block([])
                .remain(N1, PASSPORT, Level::History)
                .block([])
                .block([]),
            by,
            held(&["DEL-01"]),
        ),
        case(
            "a node that was away may still have what the others must not",
            removed(Story::pruning())
                .commit(block([]).on(&[N1, N2, N3]))
                .commit(block([]).on(&[N1, N2, N3]))
                .remain(N4, PASSPORT, Level::History),
            by,
            held(&["DEL-01"]),
        ),
        case(
            "what was removed is in the blocks of a network that keeps them",
            removed(Story::new())
                .block([])
                .block([])
                .remain(N1, PASSPORT, Level::History),
            by,
            held(&["DEL-01"]),
        ),
        case(
            "nothing is left of what was removed",
            removed(Story::pruning()).remain(N1, PASSPORT, Level::Gone),
            by,
            held(&["DEL-01", "DEL-06"]),
        ),
    ]
}

fn bounded() -> Vec<Case> {
    let by = &HISTORY_IS_BOUNDED;
    let grown = || Story::pruning().registered().block([]).block([]).block([]);
    vec![
        case(
            "a node still has the first block after two snapshots",
            grown().look_back(N1, 1),
            by,
            broken(&["DEL-07"]),
        ),
        case(
            "a node comes back with a state nobody voted for",
            grown().install(N2, 3, false),
            by,
            broken(&["DEL-07"]),
        ),
        case(
            "a node comes back by a snapshot, and nobody looks at what it keeps",
            grown().install(N2, 3, true),
            by,
            Expected::Untested,
        ),
        case(
            "old blocks are gone, and a node comes back by a snapshot",
            grown()
                .look_back(N1, 4)
                .install(N2, 3, true)
                .look_back(N2, 4),
            by,
            held(&["DEL-07"]),
        ),
    ]
}
