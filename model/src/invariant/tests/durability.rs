use super::story::*;
use super::{Case, broken, case, held};
use crate::history::{Asked, Event};
use crate::id::Height;
use crate::invariant::durability::*;
use crate::ledger::{Action, Outcome, Query, Refusal};
use crate::node::{ClaimProblem, Halt, Rejected, Reply};

pub(super) fn cases() -> Vec<Case> {
    [
        acknowledged(),
        on_disk(),
        once(),
        refusals(),
        owed(),
        reads(),
        writes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn acknowledged() -> Vec<Case> {
    let by = &ACKNOWLEDGED_IS_NEVER_LOST;
    let hired = || did(DB_OWNER, hire()).nonce(1);
    let ack = |height, outcome| Reply::Included {
        height: Height(height),
        outcome,
    };
    let told = |story: Story, reply| story.sent(DB_OWNER, N1, &hired(), reply);
    let accepted = |height| ack(height, Outcome::Accepted);
    let looked = |story: Story, node, height| story.look_at(height, node, &[], &[], &[]);
    vec![
        case(
            "a transaction is in no block",
            told(Story::new().block([]), accepted(1)),
            by,
            broken(&["AVAIL-01"]),
        ),
        case(
            "a transaction is in another block than reported",
            told(Story::new().block([]).block([hired()]), accepted(1)),
            by,
            broken(&["AVAIL-01"]),
        ),
        case(
            "a transaction was refused though reported as accepted",
            told(
                Story::new().block([refused(DB_OWNER, hire(), Refusal::NothingMatched).nonce(1)]),
                accepted(1),
            ),
            by,
            broken(&["AVAIL-01"]),
        ),
        case(
            "a transaction is lost with its leader",
            told(Story::new().lead(N1, 0), accepted(1))
                .crash(N1)
                .appoint(N2, 1)
                .block([]),
            by,
            broken(&["AVAIL-01", "AVAIL-02"]),
        ),
        case(
            "a node ends below the block of the transaction",
            looked(
                told(Story::new().block([]).block([hired()]), accepted(2)).event(Event::Settled),
                N4,
                1,
            ),
            by,
            broken(&["AVAIL-01"]),
        ),
        case(
            "a transaction is where it was reported, under the next leader too",
            looked(
                told(Story::new().block([hired()]), accepted(1))
                    .appoint(N2, 1)
                    .event(Event::Settled),
                N4,
                1,
            ),
            by,
            held(&["AVAIL-01", "AVAIL-02"]),
        ),
        case(
            "a node was below the block when it was looked into before, and when the run was cut short",
            looked(
                told(
                    looked(Story::new().block([]), N4, 1).block([hired()]),
                    accepted(2),
                )
                .event(Event::Exhausted),
                N3,
                1,
            ),
            by,
            held(&["AVAIL-01"]),
        ),
        case(
            "a transaction comes out of turn in one block and is accepted in the next",
            told(
                Story::new()
                    .block([invalid(DB_OWNER, hire()).nonce(1)])
                    .block([hired()]),
                accepted(2),
            ),
            by,
            held(&["AVAIL-01"]),
        ),
    ]
}

fn on_disk() -> Vec<Case> {
    let by = &SHOWN_IS_ON_DISK;
    let looked = |story: Story, height| story.look_at(height, N4, &[], &[], &[]);
    let blocks = || Story::new().block([]).block([]);
    let started = |story: Story| {
        story.event(Event::Started {
            node: N4,
            again: true,
        })
    };
    vec![
        case(
            "a node is killed and its last block is not on its disk",
            looked(blocks().crash(N4), 1),
            by,
            broken(&["AVAIL-01"]),
        ),
        case(
            "a node is stopped and its last block is not on its disk",
            looked(blocks().event(Event::Stopped { node: N4 }), 1),
            by,
            broken(&["AVAIL-01"]),
        ),
        case(
            "a node is killed and everything is on its disk",
            looked(blocks().crash(N4), 2),
            by,
            held(&["AVAIL-01"]),
        ),
        case(
            "a node is killed again before it shows anything",
            looked(started(looked(blocks().crash(N4), 2)).crash(N4), 1),
            by,
            held(&["AVAIL-01"]),
        ),
    ]
}

fn once() -> Vec<Case> {
    let by = &EFFECT_AT_MOST_ONCE;
    let hired = || did(DB_OWNER, hire()).nonce(1);
    vec![
        case(
            "a transaction is executed in two blocks",
            Story::new().block([hired()]).block([hired()]),
            by,
            broken(&["CONS-04"]),
        ),
        case(
            "a transaction is executed twice in one block",
            Story::new().block([hired(), hired()]),
            by,
            broken(&["CONS-04"]),
        ),
        case(
            "a nonce is used for two transactions",
            Story::new().block([hired(), did(DB_OWNER, close_inserter()).nonce(1)]),
            by,
            broken(&["CONS-04"]),
        ),
        case(
            "a batch of three calls, and a repetition that does nothing",
            Story::new()
                .block([batch(DB_OWNER, vec![hire(), hire(), hire()], Outcome::Accepted).nonce(1)])
                .block([invalid(DB_OWNER, hire()).nonce(1), did(KYC, create(ALICE))]),
            by,
            held(&["CONS-04"]),
        ),
    ]
}

fn refusals() -> Vec<Case> {
    let by = &REFUSED_CHANGES_NOTHING;
    let refusal = || refused(MALLORY, erase(), Refusal::NothingMatched);
    vec![
        case(
            "a refused action changes the tables",
            Story::new().block([did(DB_OWNER, hire()), refusal().leaking()]),
            by,
            broken(&["CONS-04"]),
        ),
        case(
            "a transaction out of turn changes the tables",
            Story::new().block([invalid(MALLORY, erase()).leaking()]),
            by,
            broken(&["CONS-04"]),
        ),
        case(
            "a refused action between two accepted ones changes nothing",
            Story::new().block([did(DB_OWNER, hire()), refusal(), did(KYC, create(ALICE))]),
            by,
            held(&["CONS-04"]),
        ),
    ]
}

fn owed() -> Vec<Case> {
    let by = &OWED_ARRIVES;
    let unsettled = |story: Story| {
        story.event(Event::Healed).event(Event::Unsettled {
            owed: vec!["n4 is still catching up".to_owned()],
        })
    };
    vec![
        case(
            "time is up and a node is behind",
            unsettled(Story::new()),
            by,
            broken(&["AVAIL-01"]),
        ),
        case(
            "time is up and a node is behind a new leader",
            unsettled(Story::new().appoint(N2, 1)),
            by,
            broken(&["AVAIL-01", "AVAIL-02"]),
        ),
        case(
            "everything has arrived under a new leader",
            Story::new()
                .appoint(N2, 1)
                .event(Event::Healed)
                .event(Event::Settled),
            by,
            held(&["AVAIL-01", "AVAIL-02"]),
        ),
    ]
}

fn writes() -> Vec<Case> {
    let by = &WRITES_OUTLIVE_A_MINORITY;
    let down = || {
        let story = Story::new().registered().lead(N1, 0).crash(N4);
        story.event(Event::FaultBegan { fault: 0 })
    };
    let removal = did(ALICE, Action::RemoveUser {});
    let told = |story: Story, reply| story.sent(ALICE, N2, &removal, reply);
    let included = Reply::Included {
        height: Height(3),
        outcome: Outcome::Accepted,
    };
    vec![
        case(
            "a write waits in vain while one of four is down",
            told(down(), Reply::TimedOut),
            by,
            broken(&["AVAIL-01"]),
        ),
        case(
            "a write comes into a block while one of four is down, and waits when half are",
            told(told(down(), included).crash(N3), Reply::TimedOut),
            by,
            held(&["AVAIL-01"]),
        ),
    ]
}

fn reads() -> Vec<Case> {
    let by = &READS_OUTLIVE_THE_LEADER;
    let down = || Story::new().registered().lead(N1, 0).crash(N1);
    let what = || view(Some(key(ALICE)), Query::GetCredentials {});
    let told = |story: Story, reply| story.exchange(ALICE, N2, what(), reply);
    let list = |story: Story| story.saw(ALICE, N2, Query::GetCredentials {}, listing(&[]));
    vec![
        case(
            "a node does not read while the leader is down",
            told(down(), Reply::Rejected(Rejected::CatchingUp)),
            by,
            broken(&["AVAIL-02"]),
        ),
        case(
            "a node lets a read time out while the leader is down",
            told(down(), Reply::TimedOut),
            by,
            broken(&["AVAIL-02"]),
        ),
        case(
            "a node reads while the leader is down, and one that halted or mistrusts does not",
            told(
                told(list(down()), Reply::ClaimRefused(ClaimProblem::Unsigned)).event(
                    Event::Halted {
                        node: N2,
                        why: Halt::Refused { height: Height(3) },
                    },
                ),
                Reply::Halted,
            ),
            by,
            held(&["AVAIL-02"]),
        ),
        case(
            "a write times out while the leader is down",
            list(down()).exchange(
                ALICE,
                N2,
                Asked::Housekeeping("fate of a transaction"),
                Reply::TimedOut,
            ),
            by,
            held(&["AVAIL-02"]),
        ),
    ]
}
