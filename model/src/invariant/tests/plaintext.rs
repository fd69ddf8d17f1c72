use super::story::*;
use super::{Case, Expected, broken, case, held};
use crate::history::{Doubt, Event, Place};
use crate::invariant::plaintext::*;

pub(super) fn cases() -> Vec<Case> {
    let stored = || Story::new().stored();
    vec![
        case(
            "a marker on a node's disk",
            Story::new().scan(N1, Place::Disk, 10, &["secret"]),
            &NO_PLAINTEXT_AT_NODES,
            broken(&["CRED-03"]),
        ),
        case(
            "a marker in a node's log",
            Story::new().scan(N1, Place::Log, 10, &["secret"]),
            &NO_PLAINTEXT_AT_NODES,
            broken(&["CRED-03"]),
        ),
        case(
            "a marker in what a node passes on",
            Story::new().scan(N2, Place::Message, 10, &["secret", "another"]),
            &NO_PLAINTEXT_AT_NODES,
            broken(&["CRED-03"]),
        ),
        case(
            "a marker in a stranger's request, which the node refused",
            Story::new()
                .scan(N1, Place::Request, 10, &["secret"])
                .scan(N1, Place::Disk, 10, &[]),
            &NO_PLAINTEXT_AT_NODES,
            held(&["CRED-03"]),
        ),
        case(
            "a row holds no box",
            Story::new()
                .registered()
                .block([did(ALICE, bare(PASSPORT))]),
            &SEALED_CONTENT_IS_WHOLE,
            broken(&["ENC-01"]),
        ),
        case(
            "what was changed after it was sealed opens all the same",
            Story::new()
                .registered()
                .seal(KYC, PASSPORT, "once")
                .block([did(
                    ALICE,
                    store_as(PASSPORT, "something else", approved(PASSPORT)),
                )])
                .open(ALICE, PASSPORT),
            &SEALED_CONTENT_IS_WHOLE,
            broken(&["ENC-01"]),
        ),
        case(
            "what was stored is never opened",
            Story::new()
                .registered()
                .seal(KYC, PASSPORT, "once")
                .block([did(ALICE, store(PASSPORT))]),
            &SEALED_CONTENT_IS_WHOLE,
            Expected::Untested,
        ),
        case(
            "what was changed after it was sealed does not open",
            {
                let row = share_as(PASSPORT, FOR_BANK, caller(BANK), LOCK, "");
                let story = Story::new().stored().event(Event::Sealed {
                    by: ALICE,
                    credential: FOR_BANK,
                    encryptor: "once".into(),
                    document: document("passport"),
                    content: *sealed("something else").digest(),
                    to: "key".into(),
                });
                story
                    .block([did(ALICE, row)])
                    .doubt(BANK, Doubt::CannotOpen)
            },
            &SEALED_CONTENT_IS_WHOLE,
            held(&["ENC-01"]),
        ),
        case(
            "what was sealed opens as it was",
            Story::new()
                .registered()
                .seal(KYC, PASSPORT, "once")
                .block([did(ALICE, store(PASSPORT))])
                .open(ALICE, PASSPORT),
            &SEALED_CONTENT_IS_WHOLE,
            held(&["ENC-01"]),
        ),
        case(
            "one key seals two documents",
            stored()
                .seal(KYC, PASSPORT, "once")
                .seal(ALICE, FOR_BANK, "once"),
            &KEYS_ARE_FRESH,
            broken(&["ENC-02"]),
        ),
        case(
            "two rows hold one ciphertext",
            stored().block([did(
                ALICE,
                store_as(LICENCE, &PASSPORT.to_string(), approved(LICENCE)),
            )]),
            &KEYS_ARE_FRESH,
            broken(&["ENC-03"]),
        ),
        case(
            "an edit brings the ciphertext of another row",
            stored()
                .block([did(ALICE, edit(PASSPORT, approved(PASSPORT)))])
                .block([did(
                    ALICE,
                    store_as(LICENCE, &PASSPORT.to_string(), approved(LICENCE)),
                )]),
            &KEYS_ARE_FRESH,
            broken(&["ENC-03"]),
        ),
        case(
            "every document under a key of its own",
            Story::new()
                .shared(LOCK)
                .seal(KYC, PASSPORT, "once")
                .seal(ALICE, FOR_BANK, "twice"),
            &KEYS_ARE_FRESH,
            held(&["ENC-02", "ENC-03"]),
        ),
    ]
}
