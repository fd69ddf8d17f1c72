//! The bytes of what nodes tell each other and keep on disk.
//!
//! Both begin with a version. Numbers are little-endian and of fixed width, lists and byte strings carry
//! their length in four bytes. Transactions travel as the bytes their id is a hash of; ids of blocks are
//! worked out on reading. What cannot be read costs no more memory than the bytes that were given.

mod known;
mod reader;
mod writer;

use std::sync::Arc;

use assay_model::id::{AppHash, BlockId, Height, NodeId};
use assay_model::ledger::{State, Transaction};
use assay_model::node::{Ballot, Block, Committed, Message, Nack, Record, Snapshot, Vote};
use assay_model::time::WallMillis;
use assay_model::wire::DecodeError;

use crate::rpc::Unusable;
pub use known::Known;
use reader::Reader;
use writer::Writer;

/// Version of messages and records; others are not read.
pub const VERSION: u8 = 1;

/// An answer with blocks is not continued above this many bytes; whoever asked asks again for the rest.
const BLOCKS_BYTES: usize = 8 << 20;

/// Bytes that are no message or record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {what}: {problem}")]
pub struct CodecError {
    /// Where the part begins that could not be read.
    pub at: usize,
    /// What was expected there.
    pub what: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Made by another version of this program.
    #[error("version {0} is not {VERSION}")]
    Version(u8),
    /// The part is longer than what remains.
    #[error("{needed} bytes are expected and {left} are left")]
    Truncated {
        /// Bytes the part needs.
        needed: usize,
        /// Bytes that remain.
        left: usize,
    },
    /// A number that stands for nothing.
    #[error("{0} stands for nothing here")]
    Tag(u8),
    /// Bytes after the end.
    #[error("{0} bytes follow its end")]
    Trailing(usize),
    /// A transaction whose bytes do not decode.
    #[error("{0}")]
    Transaction(DecodeError),
    /// A transaction that no block can hold.
    #[error("{0}")]
    Unusable(Unusable),
    /// Tables that cannot be read.
    #[error("{0}")]
    Tables(String),
}

/// The bytes of a message. Of an answer with blocks only the first ones may be inside.
pub fn encode_message(message: &Message) -> Vec<u8> {
    let mut to = Writer::new();
    match message {
        Message::Transaction(transaction) => {
            to.u8(0);
            to.bytes(&transaction.sent().bytes());
        }
        Message::Propose { ballot, block } => {
            to.u8(1);
            put_ballot(&mut to, *ballot);
            put_block(&mut to, block);
        }
        Message::Ack(vote) => {
            to.u8(2);
            put_vote(&mut to, vote);
        }
        Message::Refuse { ballot, nack } => {
            to.u8(3);
            put_ballot(&mut to, *ballot);
            to.u8(match nack {
                Nack::BlockTime => 0,
                Nack::Malformed => 1,
            });
        }
        Message::Announce(committed) => {
            to.u8(4);
            put_committed(&mut to, committed);
        }
        Message::Ask { have } => {
            to.u8(5);
            to.u64(have.0);
        }
        Message::Blocks { blocks, tip } => {
            to.u8(6);
            to.u64(tip.0);
            let number_at = to.len();
            to.length(0);
            let mut number = 0;
            for committed in blocks {
                if number > 0 && to.len() > BLOCKS_BYTES {
                    break;
                }
                put_committed(&mut to, committed);
                number += 1;
            }
            to.set_length(number_at, number);
        }
        Message::Report {
            term,
            height,
            accepted,
        } => {
            to.u8(7);
            to.u32(*term);
            to.u64(height.0);
            to.u8(u8::from(accepted.is_some()));
            if let Some((ballot, block)) = accepted {
                put_ballot(&mut to, *ballot);
                put_block(&mut to, block);
            }
        }
        Message::Snapshot(snapshot) => {
            to.u8(8);
            put_snapshot(&mut to, snapshot);
        }
    }
    to.done()
}

/// Reads a message. Transactions that are known are not made anew.
pub fn decode_message(bytes: &[u8], known: &Known) -> Result<Message, CodecError> {
    let mut from = Reader::new(bytes)?;
    let message = match from.u8("kind of message")? {
        0 => Message::Transaction(transaction(&mut from, known)?),
        1 => Message::Propose {
            ballot: ballot(&mut from)?,
            block: block(&mut from, known)?,
        },
        2 => Message::Ack(vote(&mut from)?),
        3 => Message::Refuse {
            ballot: ballot(&mut from)?,
            nack: nack(&mut from)?,
        },
        4 => Message::Announce(committed(&mut from, known)?),
        5 => Message::Ask {
            have: Height(from.u64("height")?),
        },
        6 => {
            let tip = Height(from.u64("height")?);
            let blocks = from.list("blocks", |from| committed(from, known))?;
            Message::Blocks { blocks, tip }
        }
        7 => Message::Report {
            term: from.u32("term")?,
            height: Height(from.u64("height")?),
            accepted: match from.u8("presence of a block")? {
                0 => None,
                1 => Some((ballot(&mut from)?, block(&mut from, known)?)),
                other => return Err(from.wrong_tag("presence of a block", other)),
            },
        },
        8 => Message::Snapshot(snapshot(&mut from, known)?),
        other => return Err(from.wrong_tag("kind of message", other)),
    };
    from.finish("message")?;
    Ok(message)
}

/// The bytes of a record.
pub fn encode_record(record: &Record) -> Vec<u8> {
    let mut to = Writer::new();
    match record {
        Record::Committed(committed) => {
            to.u8(0);
            put_committed(&mut to, committed);
        }
        Record::Accepted(ballot, block) => {
            to.u8(1);
            put_ballot(&mut to, *ballot);
            put_block(&mut to, block);
        }
        Record::Term(term, leader) => {
            to.u8(2);
            to.u32(*term);
            to.u16(leader.0);
        }
        Record::Snapshot { snapshot, gone } => {
            to.u8(3);
            to.u64(gone.0);
            put_snapshot(&mut to, snapshot);
        }
    }
    to.done()
}

/// Reads a record.
pub fn decode_record(bytes: &[u8], known: &Known) -> Result<Record, CodecError> {
    let mut from = Reader::new(bytes)?;
    let record = match from.u8("kind of record")? {
        0 => Record::Committed(committed(&mut from, known)?),
        1 => Record::Accepted(ballot(&mut from)?, block(&mut from, known)?),
        2 => Record::Term(from.u32("term")?, NodeId(from.u16("node")?)),
        3 => Record::Snapshot {
            gone: Height(from.u64("height")?),
            snapshot: snapshot(&mut from, known)?,
        },
        other => return Err(from.wrong_tag("kind of record", other)),
    };
    from.finish("record")?;
    Ok(record)
}

fn put_ballot(to: &mut Writer, ballot: Ballot) {
    to.u32(ballot.term);
    to.u32(ballot.round);
}

fn ballot(from: &mut Reader<'_>) -> Result<Ballot, CodecError> {
    Ok(Ballot {
        term: from.u32("term")?,
        round: from.u32("round")?,
    })
}

fn nack(from: &mut Reader<'_>) -> Result<Nack, CodecError> {
    match from.u8("reason to refuse")? {
        0 => Ok(Nack::BlockTime),
        1 => Ok(Nack::Malformed),
        other => Err(from.wrong_tag("reason to refuse", other)),
    }
}

fn put_vote(to: &mut Writer, vote: &Vote) {
    to.u16(vote.validator.0);
    put_ballot(to, vote.ballot);
    to.raw(&vote.block.0);
    to.raw(&vote.app_hash.0);
    to.bytes(&vote.signature);
}

fn vote(from: &mut Reader<'_>) -> Result<Vote, CodecError> {
    Ok(Vote {
        validator: NodeId(from.u16("validator")?),
        ballot: ballot(from)?,
        block: BlockId(from.hash("block id")?),
        app_hash: AppHash(from.hash("app hash")?),
        signature: from.bytes("signature")?.to_vec(),
    })
}

fn put_block(to: &mut Writer, block: &Block) {
    to.u64(block.height.0);
    to.raw(&block.previous.0);
    to.raw(&block.previous_app_hash.0);
    to.u64(block.time.0);
    to.u16(block.proposer.0);
    to.bytes(&block.signature);
    to.length(block.transactions.len());
    for transaction in block.transactions.iter() {
        to.bytes(&transaction.sent().bytes());
    }
}

fn block(from: &mut Reader<'_>, known: &Known) -> Result<Arc<Block>, CodecError> {
    let after = (
        Height(from.u64("height")?),
        BlockId(from.hash("block id")?),
        AppHash(from.hash("app hash")?),
    );
    let time = WallMillis(from.u64("time")?);
    let proposer = NodeId(from.u16("proposer")?);
    let signature = from.bytes("signature")?.to_vec();
    let transactions = from.list("transactions", |from| transaction(from, known))?;
    let transactions = transactions.into();
    Ok(Block::received(
        proposer,
        after,
        time,
        transactions,
        signature,
    ))
}

fn put_committed(to: &mut Writer, committed: &Committed) {
    put_block(to, &committed.block);
    to.raw(&committed.app_hash.0);
    to.length(committed.votes.len());
    for vote in &committed.votes {
        put_vote(to, vote);
    }
}

fn committed(from: &mut Reader<'_>, known: &Known) -> Result<Arc<Committed>, CodecError> {
    Ok(Arc::new(Committed {
        block: block(from, known)?,
        app_hash: AppHash(from.hash("app hash")?),
        votes: from.list("votes", vote)?,
    }))
}

fn put_snapshot(to: &mut Writer, snapshot: &Snapshot) {
    put_committed(to, &snapshot.committed);
    to.raw(&snapshot.change_set);
    to.length(snapshot.codes.len());
    for code in &snapshot.codes {
        to.u32(*code);
    }
    to.bytes(&snapshot.state.dump());
}

fn snapshot(from: &mut Reader<'_>, known: &Known) -> Result<Arc<Snapshot>, CodecError> {
    let committed = committed(from, known)?;
    let change_set = from.hash("change set")?;
    let codes = from.list("result codes", |from| from.u32("result code"))?;
    let at = from.at();
    let state = State::read(from.bytes("tables")?).map_err(|what| CodecError {
        at,
        what: "tables",
        problem: Problem::Tables(what),
    })?;
    Ok(Arc::new(Snapshot {
        committed,
        change_set,
        codes,
        state,
    }))
}

fn transaction(from: &mut Reader<'_>, known: &Known) -> Result<Arc<Transaction>, CodecError> {
    let at = from.at();
    let bytes = from.bytes("transaction")?;
    known.read(bytes).map_err(|problem| CodecError {
        at,
        what: "transaction",
        problem,
    })
}

#[cfg(test)]
mod tests {
    use assay_laws::laws;
    use assay_model::crypto::Identity;
    use assay_model::ledger::Account;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{transaction, vote_of};

    fn height() -> impl Strategy<Value = Height> {
        any::<u64>().prop_map(Height)
    }

    fn ballot() -> impl Strategy<Value = Ballot> {
        any::<(u32, u32)>().prop_map(|(term, round)| Ballot { term, round })
    }

    fn signature() -> impl Strategy<Value = Vec<u8>> {
        vec(any::<u8>(), 0..70)
    }

    fn transactions() -> impl Strategy<Value = Vec<Arc<Transaction>>> {
        vec((1_u64..9, 1_usize..4), 0..4).prop_map(|those| {
            let those = those.into_iter();
            those
                .map(|(nonce, calls)| transaction(nonce, calls))
                .collect()
        })
    }

    fn block() -> impl Strategy<Value = Arc<Block>> {
        let after = (height(), any::<[u8; 32]>(), any::<[u8; 32]>());
        (
            after,
            any::<u64>(),
            any::<u16>(),
            transactions(),
            signature(),
        )
            .prop_map(
                |((height, previous, app_hash), time, proposer, transactions, signature)| {
                    Block::received(
                        NodeId(proposer),
                        (height, BlockId(previous), AppHash(app_hash)),
                        WallMillis(time),
                        transactions.into(),
                        signature,
                    )
                },
            )
    }

    fn vote() -> impl Strategy<Value = Vote> {
        (
            any::<u16>(),
            ballot(),
            any::<[u8; 32]>(),
            any::<[u8; 32]>(),
            signature(),
        )
            .prop_map(|(who, ballot, block, app_hash, signature)| {
                vote_of(
                    NodeId(who),
                    ballot,
                    BlockId(block),
                    AppHash(app_hash),
                    signature,
                )
            })
    }

    fn committed() -> impl Strategy<Value = Arc<Committed>> {
        (block(), any::<[u8; 32]>(), vec(vote(), 0..4)).prop_map(|(block, app_hash, votes)| {
            Arc::new(Committed {
                block,
                app_hash: AppHash(app_hash),
                votes,
            })
        })
    }

    fn message() -> impl Strategy<Value = Message> {
        prop_oneof![
            Just(Message::Transaction(transaction(3, 2))),
            (ballot(), block()).prop_map(|(ballot, block)| Message::Propose { ballot, block }),
            vote().prop_map(Message::Ack),
            (ballot(), any::<bool>()).prop_map(|(ballot, time)| Message::Refuse {
                ballot,
                nack: if time {
                    Nack::BlockTime
                } else {
                    Nack::Malformed
                },
            }),
            committed().prop_map(Message::Announce),
            snapshot().prop_map(Message::Snapshot),
            height().prop_map(|have| Message::Ask { have }),
            (vec(committed(), 0..4), height())
                .prop_map(|(blocks, tip)| Message::Blocks { blocks, tip }),
            (
                any::<u32>(),
                height(),
                proptest::option::of((ballot(), block()))
            )
                .prop_map(|(term, height, accepted)| Message::Report {
                    term,
                    height,
                    accepted
                }),
        ]
    }

    fn record() -> impl Strategy<Value = Record> {
        prop_oneof![
            committed().prop_map(Record::Committed),
            (ballot(), block()).prop_map(|(ballot, block)| Record::Accepted(ballot, block)),
            any::<(u32, u16)>().prop_map(|(term, leader)| Record::Term(term, NodeId(leader))),
            (snapshot(), height()).prop_map(|(snapshot, gone)| Record::Snapshot { snapshot, gone }),
        ]
    }

    fn snapshot() -> impl Strategy<Value = Arc<Snapshot>> {
        let rows = vec((any::<[u8; 32]>(), any::<u64>()), 0..4);
        (
            committed(),
            any::<[u8; 32]>(),
            vec(any::<u32>(), 0..4),
            rows,
        )
            .prop_map(|(committed, change_set, codes, rows)| {
                let mut state = State::default();
                for (key, nonce) in rows {
                    state.put(Identity::Ed25519(key), Account(nonce));
                }
                Arc::new(Snapshot {
                    committed,
                    change_set,
                    codes,
                    state,
                })
            })
    }

    fn shown(message: &Message) -> String {
        let transactions = message.transactions();
        let texts: Vec<_> = transactions.iter().map(|t| t.sent().clone()).collect();
        format!("{message:?} {texts:?}")
    }

    laws! {
        256;

        fn what_is_written_is_read_back(message in message(), record in record()) {
            let known = Known::default();
            let bytes = encode_message(&message);
            let read = decode_message(&bytes, &known).unwrap();
            prop_assert_eq!(shown(&read), shown(&message));
            prop_assert_eq!(encode_message(&read), bytes);
            let bytes = encode_record(&record);
            let read = decode_record(&bytes, &known).unwrap();
            prop_assert_eq!(encode_record(&read), bytes);
        }

        fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
            let mut bytes = bytes;
            bytes.insert(0, VERSION);
            let known = Known::default();
            let _ = decode_message(&bytes, &known);
            let _ = decode_record(&bytes, &known);
        }

        fn what_was_cut_or_changed_is_refused_or_reads_as_what_it_says(
            message in message(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let known = Known::default();
            let mut bytes = encode_message(&message);
            let at = at.index(bytes.len());
            prop_assert!(decode_message(&bytes[..at], &known).is_err());
            bytes[at] = byte;
            let _ = decode_message(&bytes, &known);
        }
    }

    #[test]
    fn a_list_that_claims_to_be_long_costs_nothing() {
        let mut to = Writer::new();
        to.u8(6);
        to.u64(1);
        to.length(u32::MAX as usize);
        let error = decode_message(&to.done(), &Known::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "byte 14: height: 8 bytes are expected and 0 are left"
        );
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let error = decode_record(&[9, 2], &Known::default()).unwrap_err();
        assert_eq!(error.to_string(), "byte 0: version: version 9 is not 1");
    }

    #[test]
    fn a_transaction_that_was_read_is_held_once() {
        let known = Known::default();
        let bytes = encode_message(&Message::Transaction(transaction(1, 1)));
        let read = || match decode_message(&bytes, &known) {
            Ok(Message::Transaction(transaction)) => transaction,
            other => panic!("{other:?}"),
        };
        assert!(Arc::ptr_eq(&read(), &read()));
    }

    #[test]
    fn an_answer_with_blocks_ends_before_it_is_too_large_for_a_frame() {
        let big = |_| {
            Arc::new(Committed {
                block: Block::received(
                    NodeId(0),
                    (Height(1), BlockId::default(), AppHash::default()),
                    WallMillis(0),
                    Vec::new().into(),
                    vec![0; 3 << 20],
                ),
                app_hash: AppHash::default(),
                votes: Vec::new(),
            })
        };
        let message = Message::Blocks {
            blocks: (0..9).map(big).collect(),
            tip: Height(9),
        };
        let read = decode_message(&encode_message(&message), &Known::default());
        match read {
            Ok(Message::Blocks { blocks, tip }) => assert_eq!((blocks.len(), tip), (3, Height(9))),
            other => panic!("{other:?}"),
        }
    }
}
