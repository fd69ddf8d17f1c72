//! Nodes hold ciphertext, and every ciphertext is its own.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::chronicle::Chronicle;
use super::tally::Tally;
use super::{Invariant, Verdict};
use crate::history::{Doubt, Event, Place};
use crate::id::{CredentialId, Height, Text};
use crate::ledger::Written;

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

/// Least length of sealed content: a nonce, and the tag of a box with nothing in it.
const LEAST: usize = 24 + 16;

pub(super) const SEALED_CONTENT_IS_WHOLE: Invariant = Invariant {
    name: "sealed-content-is-whole",
    claim: "content is a nonce and a box in base64, and opens as what was sealed or not at all",
    source: "doc:encryption-flows; idos-facts 4.7",
    requirements: &["ENC-01"],
    check: sealed_content_is_whole,
};

fn sealed_content_is_whole(chronicle: &Chronicle<'_>) -> Verdict {
    let mut tally = Tally::default();
    for deed in chronicle.accepted() {
        for written in Written::all(deed.action) {
            let bytes = BASE64.decode(written.content.text().as_bytes());
            // What has the form of a box shows nothing until somebody opens it.
            if !bytes.is_ok_and(|bytes| bytes.len() >= LEAST) {
                let sentence = format!("credential {} holds no sealed box", written.id);
                tally.broken("ENC-01", sentence, vec![deed.seen]);
            }
        }
    }
    let mut sealed = BTreeMap::new();
    for (seen, observation) in chronicle.observations() {
        match &observation.event {
            Event::Sealed {
                credential,
                encryptor,
                document,
                content,
                ..
            } => {
                sealed.insert((*credential, encryptor), (*document, *content, seen));
            }
            Event::Opened {
                by,
                credential,
                document,
                height,
            } => {
                let Some((whole, key)) = read(chronicle, *credential, *height) else {
                    continue;
                };
                let Some((first, content, since)) = sealed.get(&(*credential, key)) else {
                    continue;
                };
                let same = first == document && *content == whole;
                tally.test("ENC-01", same, || {
                    let who = &chronicle.history.cast.party(*by).name;
                    let sentence =
                        format!("{who} opened credential {credential}, which was changed after it was sealed");
                    (sentence, vec![*since, seen])
                });
            }
            Event::Judged {
                copy,
                height,
                doubt: Some(Doubt::CannotOpen),
                ..
            } => {
                // What does not open and is not what was sealed has been kept shut by the box.
                if let Some((whole, key)) = read(chronicle, *copy, *height)
                    && let Some((_, content, _)) = sealed.get(&(*copy, key))
                    && *content != whole
                {
                    tally.kept("ENC-01");
                }
            }
            _ => {}
        }
    }
    tally.verdict("no content was opened")
}

/// Digest of what a row held when it was read, and the key it was sealed with.
fn read<'c>(
    chronicle: &'c Chronicle<'_>,
    credential: CredentialId,
    height: Height,
) -> Option<([u8; 32], &'c Text)> {
    let fact = chronicle.last_credential(credential, height)?;
    let writing = fact.written_at(height);
    Some((writing.content, &writing.encryptor))
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
