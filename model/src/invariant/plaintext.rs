//! Nodes hold ciphertext, and every ciphertext is its own.

use std::collections::BTreeMap;

use super::chronicle::Chronicle;
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::{Event, Place};

pub(super) const NO_PLAINTEXT_AT_NODES: Invariant = Invariant {
    name: "no-plaintext-at-nodes",
    claim: "nothing a node passes on to others or stores contains the text of a document",
    source: "S2, S4; idos-facts 2.3",
    requirements: &["CRED-03"],
    check: no_plaintext_at_nodes,
};

fn no_plaintext_at_nodes(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for (seen, observation) in chronicle.observations() {
        // What a stranger hands to one node is the stranger's doing; what the node passes on is its own.
        if let Event::Scanned {
            node,
            place: place @ (Place::Message | Place::Disk | Place::Log),
            bytes,
            found,
        } = &observation.event
            && *bytes > 0
        {
            tally.test("CRED-03", found.is_empty(), || {
                let place = format!("{place:?}").to_lowercase();
                let sentence = format!(
                    "{node} holds readable content ({}) in a {place}",
                    found.join(", ")
                );
                (sentence, vec![seen])
            });
        }
    }
    tally.verdict("no node received or stored anything that could be searched")
}

pub(super) const KEYS_ARE_FRESH: Invariant = Invariant {
    name: "keys-are-fresh",
    claim: "every encryption uses a one-time key of its own, and no two rows hold one ciphertext",
    source: "doc:encryption-flows; idos-facts 4.7",
    requirements: &["ENC-02", "ENC-03"],
    check: keys_are_fresh,
};

fn keys_are_fresh(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    let mut keys = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        if let Event::Sealed {
            encryptor,
            credential,
            ..
        } = &observation.event
        {
            let before = keys.insert(encryptor, seen);
            tally.test("ENC-02", before.is_none(), || {
                let sentence =
                    format!("the one-time key of credential {credential} was used before");
                (sentence, before.into_iter().chain([seen]).collect())
            });
        }
    }
    let mut contents = BTreeMap::new();
    for (id, fact) in chronicle.all_credentials() {
        for writing in &fact.writings {
            let before = contents.insert(writing.content, (id, writing.seen));
            let own = before.is_none_or(|(other, _)| other == id);
            tally.test("ENC-03", own, || {
                let (other, seen) = before.expect("another row has this content");
                let sentence = format!("credentials {other} and {id} hold the same ciphertext");
                (sentence, vec![seen, writing.seen])
            });
        }
    }
    tally.verdict("nothing was encrypted")
}
