//! Nodes driven by hand: a pump instead of a network, a list instead of a disk, and no clock but the
//! one the test turns.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use assay_laws::laws;
use assay_model::crypto::{Identity, KdfMemo, Real, Scheme, SigningKey, Suite, Symbolic};
use assay_model::id::{AppHash, BlockId, Height, InserterId, NodeId, Text};
use assay_model::ledger::{
    Action, Answer, Batch, Content, Invalid, Outcome, Query, Transaction, Unsigned,
};
use assay_model::node::{
    Ballot, Block, Claim, ClaimProblem, Committed, Genesis, Halt, Input, Message, Nack, Node, Note,
    Outbox, Output, Record, Rejected, Reply, Request, RequestId, Timer, Timing, TxStatus,
    USUAL_HISTORY, Vote, quorum, view_text,
};
use assay_model::rules::{Rules, Switch};
use assay_model::time::{BlockTime, WallMillis};
use assay_model::wire::{EnginePayload, ParameterUpdate, ParameterUpdates, VotableEvent};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

const EPOCH: WallMillis = WallMillis(1_700_000_000_000);

const TIMING: Timing = Timing {
    history: USUAL_HISTORY,
    propose: 1_000,
    poll: 200,
    empty_block: 60_000,
    resend: 3_000,
    broadcast: 15_000,
    challenge: 10_000,
    drift: 10_000,
};

fn n(place: u16) -> NodeId {
    NodeId(place - 1)
}

fn after(millis: u64) -> WallMillis {
    WallMillis(EPOCH.0 + millis)
}

fn key(scheme: Scheme, name: &str) -> SigningKey {
    let mut secret = blake3::derive_key("assay test node keys", name.as_bytes());
    // Keeps clear of zero and of the order of secp256k1, where no key is.
    secret[0] = secret[0] & 0x7f | 1;
    SigningKey { scheme, secret }
}

fn person(name: &str) -> SigningKey {
    key(Scheme::Evm, name)
}

/// A handful of nodes, what is under way between them, and everything they have said.
struct Net {
    genesis: Arc<Genesis>,
    suite: Arc<dyn Suite>,
    keys: Vec<SigningKey>,
    nodes: Vec<Option<Node>>,
    clocks: Vec<WallMillis>,
    wires: VecDeque<(NodeId, NodeId, Message)>,
    /// Records that are durable, and how many there were at each barrier.
    disks: Vec<Vec<Record>>,
    barriers: Vec<Vec<usize>>,
    written: Vec<Vec<Record>>,
    timers: Vec<(NodeId, Timer)>,
    replies: BTreeMap<u64, Reply>,
    notes: Vec<(NodeId, Note)>,
    requests: u64,
}

impl Net {
    fn new(nodes: u16, rules: Rules) -> Net {
        Net::with_suite(nodes, rules, Arc::new(Symbolic))
    }

    fn with_suite(nodes: u16, rules: Rules, suite: Arc<dyn Suite>) -> Net {
        Net::with_sentries(nodes, &[], rules, suite)
    }

    fn with_sentries(nodes: u16, sentries: &[u16], rules: Rules, suite: Arc<dyn Suite>) -> Net {
        let keys: Vec<_> = (1..=nodes)
            .map(|place| key(Scheme::Ed25519, &format!("node {place}")))
            .collect();
        let genesis = Arc::new(Genesis {
            chain_id: "assay-test".into(),
            db_owner: suite.identity(&person("root")).caller().into(),
            nodes: keys.iter().map(|key| suite.identity(key)).collect(),
            sentries: sentries.iter().map(|place| n(*place)).collect(),
            leader: n(1),
            time: EPOCH,
            rules,
            timing: TIMING,
            balances: Vec::new(),
        });
        let size = usize::from(nodes);
        let mut net = Net {
            genesis,
            suite,
            keys,
            nodes: (0..size).map(|_| None).collect(),
            clocks: vec![EPOCH; size],
            wires: VecDeque::new(),
            disks: vec![Vec::new(); size],
            barriers: vec![Vec::new(); size],
            written: vec![Vec::new(); size],
            timers: Vec::new(),
            replies: BTreeMap::new(),
            notes: Vec::new(),
            requests: 0,
        };
        for place in 1..=nodes {
            let fresh = Node::new(
                n(place),
                net.genesis.clone(),
                net.suite.clone(),
                net.keys[n(place).index()].clone(),
            );
            net.nodes[n(place).index()] = Some(fresh);
            net.give(place, Input::Start);
        }
        net
    }

    fn node(&self, place: u16) -> &Node {
        self.nodes[n(place).index()]
            .as_ref()
            .expect("the node is up")
    }

    fn heights(&self) -> Vec<u64> {
        let height = |node: &Option<Node>| node.as_ref().map_or(0, |node| node.height().0);
        self.nodes.iter().map(height).collect()
    }

    /// Every clock moves on.
    fn wait(&mut self, millis: u64) {
        for clock in &mut self.clocks {
            clock.0 += millis;
        }
    }

    /// Hands one node one input and returns what it said, in order.
    fn give(&mut self, place: u16, input: Input) -> Vec<Output> {
        let index = n(place).index();
        let mut out = Outbox::default();
        let node = self.nodes[index].as_mut().expect("the node is up");
        node.handle(self.clocks[index], input, &mut out);
        self.carry_out(n(place), &out.0);
        out.0
    }

    fn carry_out(&mut self, node: NodeId, outputs: &[Output]) {
        let index = node.index();
        for output in outputs {
            match output.clone() {
                Output::Send { to, message } => self.wires.push_back((node, to, message)),
                Output::Reply { to, reply } => {
                    let before = self.replies.insert(to.0, reply);
                    assert!(before.is_none(), "request {to:?} is answered twice");
                }
                Output::Timer { timer, .. } => self.timers.push((node, timer)),
                Output::Persist(record) => self.written[index].push(record),
                Output::Sync => {
                    self.disks[index].append(&mut self.written[index]);
                    self.barriers[index].push(self.disks[index].len());
                }
                Output::Note(note) => self.notes.push((node, note)),
            }
        }
    }

    /// Delivers in order what is under way and what follows from it, except what `lost` says. What is
    /// sent to a node that is down is lost too.
    fn pump_but(&mut self, mut lost: impl FnMut(u16, u16, &Message) -> bool) {
        let mut patience = 10_000;
        while let Some((from, to, message)) = self.wires.pop_front() {
            patience -= 1;
            assert!(patience > 0, "the nodes never come to rest");
            let down = self.nodes[to.index()].is_none();
            if !down && !lost(from.0 + 1, to.0 + 1, &message) {
                self.give(to.0 + 1, Input::Message { from, message });
            }
        }
    }

    fn pump(&mut self) {
        self.pump_but(|_, _, _| false);
    }

    /// Takes what is under way off the wires, as far as it is of this kind.
    fn intercept(&mut self, kind: &str) -> Vec<(NodeId, NodeId, Message)> {
        let all = std::mem::take(&mut self.wires);
        let (taken, kept): (VecDeque<_>, VecDeque<_>) = all
            .into_iter()
            .partition(|(_, _, message)| message.kind() == kind);
        self.wires = kept;
        taken.into()
    }

    /// Fires the timers of a node that are of this sort; each once.
    fn fire(&mut self, place: u16, due: impl Fn(&Timer) -> bool) -> Vec<Output> {
        let all = std::mem::take(&mut self.timers);
        let (due, kept): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|(node, timer)| *node == n(place) && due(timer));
        self.timers = kept;
        assert!(
            !due.is_empty(),
            "n{place} has no such timer: {:?}",
            self.timers
        );
        due.into_iter()
            .flat_map(|(_, timer)| self.give(place, Input::Timer(timer)))
            .collect()
    }

    /// The leader's pause is over.
    fn propose(&mut self, place: u16) -> Vec<Output> {
        self.fire(place, |timer| {
            matches!(timer, Timer::Propose(_) | Timer::Poll(_))
        })
    }

    fn resend(&mut self, place: u16) -> Vec<Output> {
        self.fire(place, |timer| matches!(timer, Timer::Resend(_)))
    }

    fn ask(&mut self, place: u16, request: Request) -> u64 {
        self.requests += 1;
        let id = RequestId(self.requests);
        self.give(place, Input::Request { id, request });
        self.requests
    }

    fn reply(&self, request: u64) -> Option<&Reply> {
        self.replies.get(&request)
    }

    /// Asks and expects the answer at once.
    fn answer(&mut self, place: u16, request: Request) -> Reply {
        let id = self.ask(place, request);
        self.replies.remove(&id).expect("the answer comes at once")
    }

    fn crash(&mut self, place: u16) {
        let index = n(place).index();
        self.nodes[index] = None;
        self.written[index].clear();
        self.timers.retain(|(node, _)| *node != n(place));
    }

    fn restored(&self, place: u16, records: &[Record]) -> (Node, Vec<Output>) {
        let mut out = Outbox::default();
        let node = Node::restore(
            n(place),
            self.genesis.clone(),
            self.suite.clone(),
            self.keys[n(place).index()].clone(),
            records,
            &mut out,
        );
        (node, out.0)
    }

    fn restart(&mut self, place: u16) {
        let index = n(place).index();
        let (node, _) = self.restored(place, &self.disks[index]);
        self.nodes[index] = Some(node);
        self.give(place, Input::Start);
    }

    /// The operators appoint a leader on every node that is up.
    fn appoint(&mut self, term: u32, leader: u16) {
        for place in 1..=self.nodes.len() as u16 {
            if self.nodes[n(place).index()].is_some() {
                let leader = n(leader);
                self.give(place, Input::Appoint { term, leader });
            }
        }
    }

    /// A transaction of `who` that is accepted: of the database owner, a new inserter.
    fn transaction(&self, who: &str, nonce: u64) -> Arc<Transaction> {
        self.transaction_for(who, nonce, "assay-test")
    }

    fn transaction_for(&self, who: &str, nonce: u64, chain: &str) -> Arc<Transaction> {
        Transaction::sign(&*self.suite, &person(who), self.unsigned(nonce, chain))
    }

    fn unsigned(&self, nonce: u64, chain: &str) -> Unsigned {
        Unsigned {
            nonce,
            chain_id: chain.into(),
            payload: Batch::one(Action::AddInserterAsOwner {
                id: InserterId(Uuid::from_u128(nonce.into())),
                name: format!("inserter {nonce}").into(),
            })
            .into(),
        }
    }

    fn broadcast(&mut self, place: u16, transaction: &Arc<Transaction>) -> u64 {
        self.ask(place, Request::Broadcast(transaction.clone()))
    }

    /// The owner's next transaction goes through a whole block.
    fn commit_one(&mut self, place: u16, nonce: u64) {
        let transaction = self.transaction("root", nonce);
        let request = self.broadcast(place, &transaction);
        self.pump();
        self.propose(self.node(place).leader().0 + 1);
        self.pump();
        let included = matches!(self.reply(request), Some(Reply::Included { .. }));
        assert!(included, "{:?}", self.reply(request));
    }

    /// Every vote of the named validators for a block with an app hash, rightly signed.
    fn votes(&self, voters: &[u16], block: BlockId, app_hash: AppHash) -> Vec<Vote> {
        let cast = |place: &u16| {
            let key = &self.keys[n(*place).index()];
            Vote::cast(
                &*self.suite,
                key,
                n(*place),
                Ballot::default(),
                block,
                app_hash,
            )
        };
        voters.iter().map(cast).collect()
    }

    /// A first block of n1's at this time.
    fn block(&self, time: WallMillis, transactions: Vec<Arc<Transaction>>) -> Arc<Block> {
        let first = (Height(1), BlockId::default(), AppHash::default());
        let key = &self.keys[0];
        Block::propose(&*self.suite, key, n(1), first, time, transactions.into())
    }

    /// What a node says to a first proposal of n1's.
    fn judge(&mut self, place: u16, block: Arc<Block>) -> Option<Message> {
        let ballot = Ballot { term: 0, round: 1 };
        let message = Message::Propose { ballot, block };
        let said = self.give(
            place,
            Input::Message {
                from: n(1),
                message,
            },
        );
        said.into_iter().find_map(|output| match output {
            Output::Send { message, .. } => Some(message),
            _ => None,
        })
    }
}

fn both_rules() -> [Rules; 2] {
    [Rules::documented(), Rules::deployed()]
}

fn only(switch: Switch) -> Rules {
    Rules::deployed().with(switch, true)
}

fn all_but(switch: Switch) -> Rules {
    Rules::documented().with(switch, false)
}

/// Places in an outbox, for looking at what comes before what.
fn place(outputs: &[Output], what: impl Fn(&Output) -> bool) -> Option<usize> {
    outputs.iter().position(what)
}

fn is_ack(output: &Output) -> bool {
    matches!(
        output,
        Output::Send {
            message: Message::Ack(_),
            ..
        }
    )
}

fn is_sync(output: &Output) -> bool {
    matches!(output, Output::Sync)
}

// Committing.

#[test]
fn more_than_half_is_a_quorum() {
    for (validators, needed) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (7, 4), (20, 11)] {
        assert_eq!(quorum(validators), needed);
    }
}

#[test]
fn a_block_commits_with_more_than_half_and_not_before() {
    for rules in both_rules() {
        for nodes in 1..=5 {
            let mut net = Net::new(nodes, rules);
            let transaction = net.transaction("root", 1);
            let request = net.broadcast(1, &transaction);
            net.pump();
            net.propose(1);
            net.pump_but(|_, to, message| to == 1 && message.kind() == "ack");
            let acks = quorum(nodes.into()) - 1;
            for acked in 0..acks {
                assert_eq!(net.heights()[0], 0, "{acked} acks of {acks}");
                assert_eq!(net.reply(request), None);
                // The missing acks come one by one, each after the proposal is sent again.
                net.resend(1);
                let next = acked as u16 + 2;
                net.pump_but(|from, _, message| from != next && message.kind() == "ack");
            }
            net.pump();
            assert_eq!(net.heights(), vec![1; nodes.into()]);
            let outcome = Outcome::Accepted;
            let included = Reply::Included {
                height: Height(1),
                outcome,
            };
            assert_eq!(net.reply(request), Some(&included));
        }
    }
}

/// A leader who does not vote needs as many acknowledgements as there are votes in a quorum.
#[test]
fn a_leader_without_a_vote_does_not_count_itself() {
    for rules in both_rules() {
        let mut net = Net::with_sentries(4, &[1], rules, Arc::new(Symbolic));
        let transaction = net.transaction("root", 1);
        let request = net.broadcast(1, &transaction);
        net.pump();
        net.propose(1);
        net.pump_but(|from, _, message| from != 2 && message.kind() == "ack");
        assert_eq!((net.heights()[0], net.reply(request)), (0, None));
        net.resend(1);
        net.pump_but(|from, _, message| from == 4 && message.kind() == "ack");
        assert_eq!(net.heights(), [1; 4]);
    }
}

#[test]
fn all_nodes_come_to_the_same_state_in_any_order_of_delivery() {
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        for nonce in 1..=3 {
            let transaction = net.transaction("root", nonce);
            net.broadcast(2, &transaction);
            net.pump();
            net.propose(1);
            // Proposals, acks and announcements overtake each other.
            for _ in 0..20 {
                net.wires.make_contiguous().reverse();
                let Some((from, to, message)) = net.wires.pop_front() else {
                    break;
                };
                net.give(to.0 + 1, Input::Message { from, message });
            }
            net.pump();
        }
        assert_eq!(net.heights(), [3, 3, 3, 3]);
        let state = |place| {
            let node = net.node(place);
            (node.app_hash(), node.state().digest())
        };
        assert!((2..=4).all(|place| state(place) == state(1)));
    }
}

#[test]
fn one_delivered_twice_counts_once() {
    let mut net = Net::new(4, Rules::documented());
    let transaction = net.transaction("root", 1);
    net.broadcast(1, &transaction);
    net.propose(1);
    net.pump_but(|_, to, message| to != 2 && message.kind() == "propose");
    assert_eq!(net.heights(), [0, 0, 0, 0]);
    let Some(Message::Ack(vote)) = ({
        net.resend(1);
        let proposals = net.intercept("propose");
        assert!(
            proposals.iter().all(|(_, to, _)| *to != n(2)),
            "n2 has voted"
        );
        let block = net.block(EPOCH, vec![transaction]);
        net.judge(2, block)
    }) else {
        panic!("n2 votes again for the block it executed");
    };
    for _ in 0..3 {
        let message = Message::Ack(vote.clone());
        net.give(
            1,
            Input::Message {
                from: n(2),
                message,
            },
        );
        // Nobody casts another's vote.
        let message = Message::Ack(vote.clone());
        net.give(
            1,
            Input::Message {
                from: n(3),
                message,
            },
        );
    }
    assert_eq!(net.heights()[0], 0);
}

#[test]
fn a_vote_is_durable_before_it_is_cast_and_a_commit_before_it_is_told() {
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        let transaction = net.transaction("root", 1);
        let request = net.broadcast(1, &transaction);
        net.wires.clear();
        let said = net.propose(1);
        let accepted = |output: &Output| matches!(output, Output::Persist(Record::Accepted(..)));
        let persisted = place(&said, accepted).unwrap();
        let synced = place(&said, is_sync).unwrap();
        let sends = |output: &Output| matches!(output, Output::Send { .. });
        assert!(persisted < synced && synced < place(&said, sends).unwrap());
        let (from, _, message) = net.wires.front().unwrap().clone();
        let said = net.give(2, Input::Message { from, message });
        let persisted = place(&said, accepted).unwrap();
        let synced = place(&said, is_sync).unwrap();
        assert!(persisted < synced && synced < place(&said, is_ack).unwrap());

        net.pump_but(|from, _, message| from != 2 && message.kind() == "ack");
        net.resend(1);
        net.pump_but(|_, to, message| to == 1 && message.kind() == "ack");
        net.resend(1);
        net.pump_but(|_, to, _| to == 1);
        net.resend(1);
        let (from, _, message) = {
            let proposals = net.intercept("propose");
            let to_third = proposals.into_iter().find(|(_, to, _)| *to == n(3));
            let (from, _, message) = to_third.unwrap();
            net.give(3, Input::Message { from, message });
            net.intercept("ack").remove(0)
        };
        let said = net.give(1, Input::Message { from, message });
        let committed = |output: &Output| matches!(output, Output::Persist(Record::Committed(_)));
        let persisted = place(&said, committed).unwrap();
        let synced = place(&said, is_sync).unwrap();
        let replied = |output: &Output| matches!(output, Output::Reply { .. });
        assert!(persisted < synced);
        assert!(synced < place(&said, replied).unwrap());
        assert!(synced < place(&said, sends).unwrap());
        assert!(matches!(net.reply(request), Some(Reply::Included { .. })));
    }
}

#[test]
fn reads_do_not_see_a_block_before_its_commit() {
    let mut net = Net::new(4, Rules::deployed());
    let transaction = net.transaction("root", 1);
    net.broadcast(1, &transaction);
    let before = net.node(1).state().digest();
    net.propose(1);
    net.pump_but(|_, to, message| to == 1 && message.kind() == "ack");
    for place in 1..=4 {
        assert_eq!(net.node(place).state().digest(), before);
    }
}

// Durability.

#[test]
fn a_node_comes_back_from_every_point_at_which_its_disk_was_in_order() {
    for suite in [
        Arc::new(Symbolic) as Arc<dyn Suite>,
        Arc::new(Real::new(Arc::new(KdfMemo::new()))),
    ] {
        for rules in both_rules() {
            let mut net = Net::with_suite(4, rules, suite.clone());
            let mut states = vec![(AppHash::default(), net.node(1).state().digest())];
            for nonce in 1..=3 {
                net.commit_one(1, nonce);
                states.push((net.node(1).app_hash(), net.node(1).state().digest()));
            }
            net.crash(1);
            net.appoint(1, 2);
            net.pump();
            net.commit_one(2, 4);
            states.push((net.node(2).app_hash(), net.node(2).state().digest()));
            for place in 1..=4 {
                let records = &net.disks[n(place).index()];
                for barrier in &net.barriers[n(place).index()] {
                    let prefix = &records[..*barrier];
                    let blocks = prefix
                        .iter()
                        .filter(|record| matches!(record, Record::Committed(_)))
                        .count();
                    let (node, _) = net.restored(place, prefix);
                    assert_eq!(node.height(), Height(blocks as u64));
                    let state = (node.app_hash(), node.state().digest());
                    assert_eq!(state, states[blocks]);
                    let appointed = prefix
                        .iter()
                        .any(|record| matches!(record, Record::Term(..)));
                    assert_eq!(node.leader(), if appointed { n(2) } else { n(1) });
                }
            }
        }
    }
}

#[test]
fn a_returning_node_replays_what_it_missed() {
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        net.commit_one(1, 1);
        net.crash(4);
        for nonce in 2..=70 {
            net.commit_one(1, nonce);
        }
        net.restart(4);
        assert!(net.node(4).is_syncing());
        net.pump();
        assert!(!net.node(4).is_syncing());
        assert_eq!(net.heights(), [70; 4]);
        assert_eq!(net.node(4).app_hash(), net.node(1).app_hash());
    }
}

/// What tells a node that it has everything is a peer's answer, and that can be lost while blocks come in.
#[test]
fn a_node_whose_question_was_lost_asks_again_while_the_chain_moves() {
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        net.crash(4);
        net.restart(4);
        net.wires.clear();
        net.commit_one(1, 1);
        assert_eq!(net.heights(), [1; 4]);
        assert!(net.node(4).is_syncing(), "it cannot know better");
        net.fire(4, |timer| matches!(timer, Timer::CatchUp { .. }));
        net.pump();
        assert!(!net.node(4).is_syncing());
    }
}

#[test]
fn a_network_of_one_is_in_sync_with_itself_after_a_restart() {
    for rules in both_rules() {
        let mut net = Net::new(1, rules);
        net.commit_one(1, 1);
        net.crash(1);
        net.restart(1);
        assert!(!net.node(1).is_syncing());
        net.commit_one(1, 2);
    }
}

#[test]
fn a_leader_that_comes_back_finishes_its_proposal_or_starts_afresh() {
    for (rules, same) in [
        (Rules::documented(), true),
        (only(Switch::TakeoverKeepsCommits), true),
        (Rules::deployed(), false),
    ] {
        let mut net = Net::new(4, rules);
        let transaction = net.transaction("root", 1);
        net.broadcast(1, &transaction);
        net.wires.clear();
        net.propose(1);
        net.pump_but(|_, to, _| to == 1);
        net.crash(1);
        net.restart(1);
        net.pump();
        // Its mempool is lost; only a proposal it finishes still has the transaction.
        if !same {
            net.fire(1, |timer| matches!(timer, Timer::EmptyBlock(_)));
            net.pump();
        }
        assert_eq!(net.heights(), [1; 4]);
        let inserters = net.node(1).state().tables().inserters.len();
        assert_eq!(inserters, usize::from(same));
    }
}

// Divergence, refusal, halting.

#[test]
fn a_node_with_another_app_hash_than_the_committed_one_halts() {
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        let block = net.block(after(5), vec![]);
        let app_hash = AppHash([7; 32]);
        let votes = net.votes(&[1, 2, 3], block.id, app_hash);
        let committed = Arc::new(Committed {
            block,
            app_hash,
            votes,
        });
        let message = Message::Announce(committed);
        let said = net.give(
            4,
            Input::Message {
                from: n(1),
                message,
            },
        );
        let halt = Halt::Diverged { height: Height(1) };
        assert_eq!(net.node(4).halted(), Some(halt));
        assert_eq!(net.heights()[3], 0);
        assert!(matches!(said[..], [Output::Note(Note::Halted(why))] if why == halt));
    }
}

#[test]
fn too_few_true_votes_move_nobody() {
    let mut net = Net::new(4, Rules::deployed());
    let app_hash = AppHash([7; 32]);
    let block = net.block(after(5), vec![]);
    let stolen = |vote: &Vote| Vote {
        validator: n(4),
        ..vote.clone()
    };
    let table = [
        vec![],
        net.votes(&[1, 2], block.id, app_hash),
        [
            net.votes(&[1, 2], block.id, app_hash),
            net.votes(&[3], block.id, AppHash([8; 32])),
        ]
        .concat(),
        [
            net.votes(&[1, 2], block.id, app_hash),
            net.votes(&[3], BlockId([1; 32]), app_hash),
        ]
        .concat(),
        {
            let votes = net.votes(&[1, 2], block.id, app_hash);
            [&votes[..], &[stolen(&votes[0])]].concat()
        },
        {
            let votes = net.votes(&[1, 2], block.id, app_hash);
            let nobody = Vote {
                validator: NodeId(9),
                ..votes[0].clone()
            };
            [&votes[..], &[nobody]].concat()
        },
    ];
    for votes in table {
        let block = block.clone();
        let committed = Arc::new(Committed {
            block,
            app_hash,
            votes,
        });
        let message = Message::Announce(committed.clone());
        net.give(
            4,
            Input::Message {
                from: n(1),
                message,
            },
        );
        let message = Message::Blocks {
            blocks: vec![committed],
            tip: Height(1),
        };
        net.give(
            4,
            Input::Message {
                from: n(1),
                message,
            },
        );
        assert_eq!((net.node(4).halted(), net.heights()[3]), (None, 0));
    }
}

#[test]
fn repeated_votes_count_once_or_again() {
    for (rules, counted) in [
        (Rules::deployed(), true),
        (all_but(Switch::DistinctVotes), true),
        (only(Switch::DistinctVotes), false),
        (Rules::documented(), false),
    ] {
        let mut net = Net::new(4, rules);
        // An honest block, whose app hash another network of the same nodes tells us.
        let mut other = Net::new(4, rules);
        let transaction = other.transaction("root", 1);
        other.broadcast(1, &transaction);
        other.pump();
        other.propose(1);
        other.pump();
        let Some(Record::Committed(real)) = other.disks[0].last().cloned() else {
            panic!("n1 has committed");
        };
        let twice = net.votes(&[1, 2, 2], real.block.id, real.app_hash);
        assert_eq!(twice.len(), 3);
        let committed = Arc::new(Committed {
            block: real.block.clone(),
            app_hash: real.app_hash,
            votes: twice,
        });
        let message = Message::Announce(committed);
        net.give(
            4,
            Input::Message {
                from: n(1),
                message,
            },
        );
        assert_eq!(net.heights()[3], u64::from(counted));
    }
}

/// Refusals of n1's proposal from these validators.
fn refuse(net: &mut Net, who: &[u16], nack: Nack) {
    let ballot = Ballot { term: 0, round: 1 };
    for place in who {
        let message = Message::Refuse { ballot, nack };
        net.give(
            1,
            Input::Message {
                from: n(*place),
                message,
            },
        );
    }
}

#[test]
fn a_leader_that_half_of_the_validators_refuse_halts() {
    for rules in both_rules() {
        for (nodes, refusing) in [(2, 1), (3, 2), (4, 2), (5, 3), (6, 3)] {
            let mut net = Net::new(nodes, rules);
            net.fire(1, |timer| matches!(timer, Timer::EmptyBlock(_)));
            let who: Vec<u16> = (2..2 + refusing).collect();
            let (last, others) = who.split_last().unwrap();
            refuse(&mut net, others, Nack::Malformed);
            refuse(&mut net, others, Nack::Malformed);
            assert_eq!(net.node(1).halted(), None, "one refusal each");
            refuse(&mut net, &[*last], Nack::Malformed);
            let halt = Halt::Refused { height: Height(1) };
            assert_eq!(net.node(1).halted(), Some(halt));
        }
    }
}

#[test]
fn a_block_refused_for_its_time_is_withdrawn() {
    let mut net = Net::new(4, Rules::documented());
    net.fire(1, |timer| matches!(timer, Timer::EmptyBlock(_)));
    net.wires.clear();
    refuse(&mut net, &[2, 3], Nack::BlockTime);
    assert_eq!(net.node(1).halted(), None);
    net.fire(1, |timer| matches!(timer, Timer::EmptyBlock(_)));
    net.pump();
    assert_eq!(net.heights(), [1; 4]);
}

/// n1's vote and another app hash of the others.
fn differ(net: &mut Net, who: &[u16]) {
    let Some(Record::Accepted(ballot, block)) = net.disks[0].last().cloned() else {
        panic!("n1 has proposed");
    };
    for place in who {
        let key = &net.keys[n(*place).index()];
        let app_hash = AppHash([9; 32]);
        let vote = Vote::cast(&*net.suite, key, n(*place), ballot, block.id, app_hash);
        let message = Message::Ack(vote);
        net.give(
            1,
            Input::Message {
                from: n(*place),
                message,
            },
        );
    }
}

#[test]
fn other_app_hashes_count_against_a_block() {
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        net.fire(1, |timer| matches!(timer, Timer::EmptyBlock(_)));
        differ(&mut net, &[2]);
        assert_eq!(net.node(1).halted(), None);
        differ(&mut net, &[2]);
        assert_eq!(net.node(1).halted(), None);
        differ(&mut net, &[3]);
        let halt = Halt::Refused { height: Height(1) };
        assert_eq!(net.node(1).halted(), Some(halt));
    }
}

/// Half of the validators have to speak against a block; one of them saying two things is one.
#[test]
fn a_validator_that_refuses_and_differs_is_one_validator() {
    for rules in both_rules() {
        for nack in [Nack::Malformed, Nack::BlockTime] {
            let mut net = Net::new(4, rules);
            net.fire(1, |timer| matches!(timer, Timer::EmptyBlock(_)));
            refuse(&mut net, &[2], nack);
            differ(&mut net, &[2]);
            assert_eq!(net.node(1).halted(), None);
            refuse(&mut net, &[2], nack);
            assert_eq!(net.node(1).halted(), None);
            net.pump_but(|from, _, _| from == 2);
            assert_eq!(net.heights()[0], 1);
        }
    }
}

#[test]
fn a_node_that_has_halted_answers_halted_to_everything_and_does_nothing_else() {
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        let transaction = net.transaction("root", 1);
        let waiting = net.broadcast(1, &transaction);
        net.propose(1);
        refuse(&mut net, &[2, 3], Nack::Malformed);
        assert_eq!(net.reply(waiting), Some(&Reply::Halted));
        let root = net.suite.identity(&person("root"));
        let query = Query::GetUser {};
        for request in [
            Request::Health,
            Request::Account(root),
            Request::Broadcast(transaction.clone()),
            Request::TxStatus(transaction.id),
            Request::Challenge,
            Request::View {
                claim: Claim::Anonymous,
                query,
            },
        ] {
            assert_eq!(net.answer(1, request), Reply::Halted);
        }
        let ask = Message::Ask { have: Height(0) };
        let timer = Input::Timer(Timer::Gossip);
        let appoint = Input::Appoint {
            term: 1,
            leader: n(1),
        };
        let message = Input::Message {
            from: n(2),
            message: ask,
        };
        for input in [Input::Start, timer, appoint, message] {
            assert!(net.give(1, input).is_empty());
        }
    }
}

// Time.

#[test]
fn a_proposal_whose_time_strays_is_refused_where_promised() {
    for (rules, kept) in [
        (Rules::deployed(), false),
        (all_but(Switch::BoundedBlockTime), false),
        (only(Switch::BoundedBlockTime), true),
        (Rules::documented(), true),
    ] {
        // The clock of n2 is 60 s past the epoch, which is chain time before the first block.
        for (time, fine) in [
            (after(60_000), true),
            (after(70_000), true),
            (after(70_001), false),
            (after(50_000), true),
            (after(49_999), false),
            (WallMillis(0), false),
            (WallMillis(u64::MAX), false),
        ] {
            let mut net = Net::new(4, rules);
            net.wait(60_000);
            let block = net.block(time, vec![]);
            let said = net.judge(2, block);
            if fine || !kept {
                assert!(matches!(said, Some(Message::Ack(_))), "{time:?}");
            } else {
                let refused = matches!(
                    said,
                    Some(Message::Refuse {
                        nack: Nack::BlockTime,
                        ..
                    })
                );
                assert!(refused, "{time:?}");
            }
        }
        // A time before the last block's, near to the clock as it may be.
        let mut net = Net::new(4, rules);
        net.clocks = vec![EPOCH; 4];
        let block = net.block(WallMillis(EPOCH.0 - 1), vec![]);
        let acked = matches!(net.judge(2, block), Some(Message::Ack(_)));
        assert_eq!(acked, !kept);
        let block = net.block(EPOCH, vec![]);
        let mut net = Net::new(4, rules);
        assert!(
            matches!(net.judge(2, block), Some(Message::Ack(_))),
            "equal is no decrease"
        );
    }
}

#[test]
fn a_leader_set_back_waits_in_chain_time_or_turns_it_back() {
    for (rules, kept) in [(Rules::deployed(), false), (Rules::documented(), true)] {
        let mut net = Net::new(4, rules);
        net.wait(8_000);
        net.commit_one(1, 1);
        net.clocks[0] = after(3_000);
        net.commit_one(1, 2);
        let Some(Record::Committed(last)) = net.disks[0].last() else {
            panic!("n1 has committed");
        };
        assert_eq!(last.block.time, after(if kept { 8_000 } else { 3_000 }));
    }
}

#[test]
fn a_proposal_that_does_not_follow_or_is_not_signed_is_malformed() {
    let malformed = |said: Option<Message>| {
        matches!(
            said,
            Some(Message::Refuse {
                nack: Nack::Malformed,
                ..
            })
        )
    };
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        let suite = net.suite.clone();
        let propose = |key: &SigningKey, by: u16, previous, app_hash| {
            let after = (Height(1), previous, app_hash);
            Block::propose(&*suite, key, n(by), after, EPOCH, Vec::new().into())
        };
        let (one, two) = (net.keys[0].clone(), net.keys[1].clone());
        let (id, app) = (BlockId::default(), AppHash::default());
        assert!(malformed(
            net.judge(3, propose(&one, 1, BlockId([1; 32]), app))
        ));
        assert!(malformed(
            net.judge(3, propose(&one, 1, id, AppHash([1; 32])))
        ));
        assert!(malformed(net.judge(3, propose(&two, 1, id, app))));
        assert!(malformed(net.judge(3, propose(&one, 77, id, app))));
        assert!(matches!(
            net.judge(3, propose(&one, 1, id, app)),
            Some(Message::Ack(_))
        ));
    }
}

#[test]
fn only_the_leader_of_the_term_is_listened_to() {
    let mut net = Net::new(4, Rules::deployed());
    let block = net.block(EPOCH, vec![]);
    let propose = |term, round| Message::Propose {
        ballot: Ballot { term, round },
        block: block.clone(),
    };
    for (from, message) in [(2, propose(0, 1)), (1, propose(1, 1))] {
        assert!(
            net.give(
                3,
                Input::Message {
                    from: n(from),
                    message
                }
            )
            .is_empty()
        );
    }
    let message = propose(0, 5);
    assert!(
        net.give(
            3,
            Input::Message {
                from: n(1),
                message
            }
        )
        .iter()
        .any(is_ack)
    );
    let message = propose(0, 4);
    assert!(
        net.give(
            3,
            Input::Message {
                from: n(1),
                message
            }
        )
        .is_empty(),
        "an older ballot"
    );
}

/// A leader that shows two blocks under one ballot gets votes for both from careless nodes; each vote
/// is on disk before it is cast all the same.
#[test]
fn every_vote_is_durable_also_when_the_leader_says_two_things() {
    let mut net = Net::new(4, Rules::deployed());
    for time in [EPOCH, after(1)] {
        let block = net.block(time, vec![]);
        if matches!(net.judge(2, block.clone()), Some(Message::Ack(vote)) if vote.block == block.id)
        {
            let Some(Record::Accepted(_, durable)) = net.disks[1].last() else {
                panic!("a vote was cast and is not on disk");
            };
            assert_eq!(durable.id, block.id);
        }
    }
}

// What a node shows to whoever serves its clients.

#[test]
fn a_submission_is_shown_while_it_waits_and_once_it_is_in_a_block() {
    for rules in both_rules() {
        let mut net = Net::new(1, rules);
        let root = net.suite.identity(&person("root"));
        let sent = [net.transaction("root", 1), net.transaction("root", 2)];
        for transaction in &sent {
            let taken = net.answer(1, Request::Submit(transaction.clone()));
            assert_eq!(taken, Reply::Submitted);
            let again = net.answer(1, Request::Submit(transaction.clone()));
            assert_eq!(again, Reply::Rejected(Rejected::AlreadyExists));
        }
        let node = net.node(1);
        let waiting: Vec<_> = node.pending().map(|transaction| transaction.id).collect();
        assert_eq!(waiting, [sent[0].id, sent[1].id]);
        assert_eq!((node.pending_nonce(&root), node.accounts()), (2, 0));
        assert_eq!(
            node.transaction(&sent[1].id).map(|one| one.id),
            Some(sent[1].id)
        );
        assert!(node.committed(Height(1)).is_none() && node.outcomes(Height(1)).is_empty());

        net.propose(1);
        let node = net.node(1);
        assert_eq!(node.pending().count(), 0);
        assert_eq!((node.pending_nonce(&root), node.accounts()), (2, 1));
        assert_eq!(node.outcomes(Height(1)), [Outcome::Accepted; 2]);
        let committed = node.committed(Height(1)).unwrap();
        assert_eq!(committed.block.transactions[1].id, sent[1].id);
        assert_eq!(
            node.transaction(&sent[1].id).map(|one| one.id),
            Some(sent[1].id)
        );
        assert!(node.committed(Height(0)).is_none() && node.committed(Height(2)).is_none());
    }
}

#[test]
fn a_transaction_twice_in_a_block_takes_effect_once() {
    for rules in both_rules() {
        let mut net = Net::new(1, rules);
        let transaction = net.transaction("root", 1);
        let block = net.block(EPOCH, vec![transaction.clone(), transaction]);
        assert_eq!(slipped(&mut net, block), Outcome::Accepted);
        let outcomes = net.node(1).outcomes(Height(1));
        assert_eq!(outcomes, [Outcome::Accepted, Outcome::Invalid]);
    }
}

// What a leader may slip in.

#[test]
fn an_unsigned_transaction_is_executed_or_invalid() {
    for (rules, executed) in [
        (Rules::deployed(), true),
        (all_but(Switch::VerifiedExecution), true),
        (only(Switch::VerifiedExecution), false),
        (Rules::documented(), false),
    ] {
        let mut net = Net::new(1, rules);
        let root = net.suite.identity(&person("root"));
        let forged = Transaction::assemble(root, net.unsigned(1, "assay-test"), |_| vec![0; 65]);
        // The mempool looks at signatures, the block of a dishonest leader goes round it.
        let rejected = net.answer(1, Request::Broadcast(forged.clone()));
        let why = Rejected::Invalid(Invalid::BadSignature);
        assert_eq!(rejected, Reply::Rejected(why));
        let block = net.block(EPOCH, vec![forged.clone()]);
        net.judge(1, block.clone());
        let outcome = slipped(&mut net, block);
        assert_eq!(
            outcome,
            if executed {
                Outcome::Accepted
            } else {
                Outcome::Invalid
            }
        );
        let nonce = net.answer(1, Request::Account(root));
        assert_eq!(
            nonce,
            Reply::Account {
                nonce: u64::from(executed)
            }
        );
        let status = net.answer(1, Request::TxStatus(forged.id));
        let known = matches!(status, Reply::TxStatus(TxStatus::Included { .. }));
        assert_eq!(known, executed);
    }
}

/// Commits a first block on a network of one, past its mempool, and says what became of the first
/// transaction in it. The app hash is found by asking the node to vote.
fn slipped(net: &mut Net, block: Arc<Block>) -> Outcome {
    let mut scratch = Net::new(2, net.genesis.rules);
    let Some(Message::Ack(vote)) = scratch.judge(2, block.clone()) else {
        panic!("n2 votes for the block");
    };
    let votes = net.votes(&[1], block.id, vote.app_hash);
    let app_hash = vote.app_hash;
    let message = Message::Announce(Arc::new(Committed {
        block,
        app_hash,
        votes,
    }));
    let said = net.give(
        1,
        Input::Message {
            from: n(1),
            message,
        },
    );
    let outcome = said.iter().find_map(|output| match output {
        Output::Note(Note::Committed { results, .. }) => Some(results[0].outcome),
        _ => None,
    });
    outcome.expect("the block is committed")
}

#[test]
fn a_repeated_or_early_nonce_in_a_block_is_invalid() {
    for rules in both_rules() {
        for nonce in [0, 2, u64::MAX] {
            let mut net = Net::new(1, rules);
            let transaction = net.transaction("root", nonce);
            let block = net.block(EPOCH, vec![transaction]);
            assert_eq!(slipped(&mut net, block), Outcome::Invalid);
            assert_eq!(net.node(1).outcomes(Height(1)), [Outcome::Invalid]);
            assert!(net.node(1).state().tables().accounts.is_empty());
        }
    }
}

#[test]
fn a_transaction_names_its_network_where_promised() {
    for (rules, required) in [
        (Rules::deployed(), false),
        (all_but(Switch::RequiredChainId), false),
        (only(Switch::RequiredChainId), true),
        (Rules::documented(), true),
    ] {
        let mut net = Net::new(4, rules);
        let wrong = Reply::Rejected(Rejected::Invalid(Invalid::WrongChain));
        let elsewhere = net.transaction_for("root", 1, "elsewhere");
        assert_eq!(net.answer(1, Request::Broadcast(elsewhere)), wrong);
        let unnamed = net.transaction_for("root", 1, "");
        let request = net.broadcast(1, &unnamed);
        assert_eq!(net.reply(request), required.then_some(&wrong));
    }
}

// The lead changes hands.

/// n1 proposes a block and everybody votes for it; n1 commits it and tells nobody.
fn commit_only_at_the_leader(net: &mut Net) {
    let transaction = net.transaction("root", 1);
    net.broadcast(1, &transaction);
    net.wires.clear();
    net.propose(1);
    net.pump_but(|_, _, message| message.kind() == "announce");
    assert_eq!(net.heights(), [1, 0, 0, 0]);
    net.crash(1);
}

#[test]
fn a_new_leader_finishes_what_may_be_committed_or_forgets_it() {
    for (rules, kept) in [
        (Rules::documented(), true),
        (only(Switch::TakeoverKeepsCommits), true),
        (all_but(Switch::TakeoverKeepsCommits), false),
        (Rules::deployed(), false),
    ] {
        let mut net = Net::new(4, rules);
        commit_only_at_the_leader(&mut net);
        net.appoint(1, 2);
        net.pump();
        if !kept {
            net.fire(2, |timer| matches!(timer, Timer::EmptyBlock(_)));
            net.pump();
        }
        assert_eq!(net.heights(), [0, 1, 1, 1]);
        let inserters = net.node(2).state().tables().inserters.len();
        assert_eq!(inserters, usize::from(kept));
        // The old leader comes back with its own block: the same one, or another.
        net.restart(1);
        assert_eq!(net.node(1).app_hash() == net.node(2).app_hash(), kept);
    }
}

#[test]
fn a_new_leader_first_hears_a_majority() {
    for (rules, waits) in [(Rules::documented(), true), (Rules::deployed(), false)] {
        let mut net = Net::new(5, rules);
        net.crash(1);
        net.crash(5);
        net.appoint(1, 2);
        net.wires.clear();
        let may_propose = |net: &Net| {
            let due = |(node, timer): &(NodeId, Timer)| {
                *node == n(2) && matches!(timer, Timer::Propose(_))
            };
            net.timers.iter().any(due)
        };
        assert_eq!(may_propose(&net), !waits);
        for (place, expected) in [(3, !waits), (4, true)] {
            net.fire(place, |timer| matches!(timer, Timer::Report(1)));
            net.pump();
            assert_eq!(may_propose(&net), expected);
        }
        net.commit_one(2, 1);
    }
}

/// The appointment is durable and the report is not: a validator that crashes in between says it again,
/// else the new leader would wait for ever.
#[test]
fn a_validator_that_crashed_before_its_report_reports_again() {
    for rules in [Rules::documented(), only(Switch::TakeoverKeepsCommits)] {
        let mut net = Net::new(4, rules);
        commit_only_at_the_leader(&mut net);
        net.appoint(1, 2);
        net.wires.clear();
        for place in [3, 4] {
            net.crash(place);
            net.restart(place);
        }
        net.pump();
        assert_eq!(net.heights(), [0, 1, 1, 1]);
    }
}

/// The block a majority may have committed has the time it was proposed at, however long the change of
/// the leader took, and also for those who have not seen it before.
#[test]
fn a_late_takeover_finishes_the_old_block_with_its_old_time() {
    let mut net = Net::new(4, Rules::documented());
    let transaction = net.transaction("root", 1);
    net.broadcast(1, &transaction);
    net.wires.clear();
    net.propose(1);
    net.pump_but(|_, to, message| to == 4 || message.kind() == "announce");
    assert_eq!(net.heights(), [1, 0, 0, 0]);
    net.crash(1);
    net.wait(60_000);
    net.appoint(1, 2);
    net.pump();
    assert_eq!(net.heights(), [0, 1, 1, 1]);
    assert_eq!(net.node(2).halted(), None);
    net.restart(1);
    net.pump();
    assert_eq!(net.node(1).app_hash(), net.node(4).app_hash());
}

#[test]
fn an_old_block_from_the_future_is_not_excused_by_a_takeover() {
    let mut net = Net::new(4, Rules::documented());
    net.crash(1);
    net.appoint(1, 2);
    net.wires.clear();
    let block = net.block(after(10_001), vec![]);
    let ballot = Ballot { term: 1, round: 2 };
    let message = Message::Propose { ballot, block };
    let said = net.give(
        3,
        Input::Message {
            from: n(2),
            message,
        },
    );
    assert!(!said.iter().any(is_ack));
    let block = net.block(WallMillis(EPOCH.0 - 1), vec![]);
    let message = Message::Propose { ballot, block };
    let said = net.give(
        3,
        Input::Message {
            from: n(2),
            message,
        },
    );
    assert!(!said.iter().any(is_ack), "nor is one before the last block");
}

/// One node down and another out of reach for longer than the drift: the proposal under way has grown
/// too old for the one that returns, so the leader has to offer a fresh one.
#[test]
fn a_proposal_that_has_grown_old_is_proposed_anew() {
    let mut net = Net::new(4, Rules::documented());
    net.crash(4);
    let transaction = net.transaction("root", 1);
    net.broadcast(1, &transaction);
    net.propose(1);
    net.pump_but(|from, to, _| from == 3 || to == 3);
    net.wait(30_000);
    net.resend(1);
    net.pump();
    assert_eq!(net.node(1).halted(), None);
    if net.heights()[0] == 0 {
        net.resend(1);
        net.pump();
        net.propose(1);
        net.pump();
    }
    assert_eq!(net.heights(), [1, 1, 1, 0]);
}

#[test]
fn an_appointment_counts_upwards_and_is_durable() {
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        let appoint = |term, leader| Input::Appoint { term, leader };
        let said = net.give(3, appoint(2, n(2)));
        let term = |output: &Output| matches!(output, Output::Persist(Record::Term(2, leader)) if *leader == n(2));
        assert!(place(&said, term).unwrap() < place(&said, is_sync).unwrap());
        assert_eq!(net.node(3).leader(), n(2));
        for (term, leader) in [(0, n(4)), (1, n(4)), (2, n(4))] {
            assert!(net.give(3, appoint(term, leader)).is_empty());
            assert_eq!(net.node(3).leader(), n(2));
        }
        net.crash(3);
        net.restart(3);
        assert_eq!(net.node(3).leader(), n(2));
    }
}

#[test]
fn a_leader_that_is_behind_fetches_what_it_lacks_before_it_leads() {
    let mut net = Net::new(4, Rules::documented());
    net.commit_one(1, 1);
    let transaction = net.transaction("root", 2);
    net.broadcast(1, &transaction);
    net.pump();
    net.propose(1);
    net.pump_but(|_, to, _| to == 2);
    assert_eq!(net.heights(), [2, 1, 2, 2]);
    net.crash(1);
    net.appoint(1, 2);
    net.pump();
    assert_eq!(net.heights(), [0, 2, 2, 2]);
    net.commit_one(2, 3);
}

// Clients.

#[test]
fn a_challenge_is_good_once_and_for_ten_seconds() {
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        let query = Query::GetUser {};
        let challenge = |net: &mut Net| match net.answer(1, Request::Challenge) {
            Reply::Challenge(challenge) => challenge,
            other => panic!("{other:?}"),
        };
        let signed = |net: &Net, who: &str, challenge, text: &str| Claim::Signed {
            identity: net.suite.identity(&person("alice")),
            challenge,
            signature: net.suite.sign(&person(who), text.as_bytes()),
            payload: None,
        };
        let read = |net: &mut Net, place, claim| {
            let query = query.clone();
            match net.answer(place, Request::View { claim, query }) {
                Reply::ClaimRefused(problem) => Err(problem),
                _ => Ok(()),
            }
        };
        let right =
            |net: &Net, challenge| signed(net, "alice", challenge, &view_text(&query, &challenge));

        let fresh = challenge(&mut net);
        let claim = right(&net, fresh);
        assert_eq!(read(&mut net, 1, claim.clone()), Ok(()));
        let used = Err(ClaimProblem::UnknownChallenge);
        assert_eq!(read(&mut net, 1, claim), used, "a second time");
        let late = Err(ClaimProblem::ExpiredChallenge);
        for (millis, told) in [(10_000, Ok(())), (10_001, late)] {
            let old = challenge(&mut net);
            net.wait(millis);
            let claim = right(&net, old);
            assert_eq!(read(&mut net, 1, claim), told, "{millis}");
        }
        // The attempt uses it up, also a wrong one.
        let fresh = challenge(&mut net);
        let wrong = Err(ClaimProblem::WrongSignature);
        let bobs = signed(&net, "bob", fresh, &view_text(&query, &fresh));
        assert_eq!(read(&mut net, 1, bobs), wrong);
        let own = right(&net, fresh);
        assert_eq!(read(&mut net, 1, own), used);
        let fresh = challenge(&mut net);
        let other = view_text(&Query::GetWallets {}, &fresh);
        let claim = signed(&net, "alice", fresh, &other);
        assert_eq!(read(&mut net, 1, claim), wrong, "another question");
        let fresh = challenge(&mut net);
        let claim = right(&net, fresh);
        assert_eq!(read(&mut net, 2, claim), used, "another node's challenge");
        let made_up = right(&net, [7; 32]);
        assert_eq!(read(&mut net, 1, made_up), used);
        assert_ne!(challenge(&mut net), challenge(&mut net));
    }
}

#[test]
fn a_bare_statement_is_believed_in_open_mode() {
    for (rules, believed) in [
        (Rules::deployed(), true),
        (all_but(Switch::AuthenticatedReads), true),
        (only(Switch::AuthenticatedReads), false),
        (Rules::documented(), false),
    ] {
        let mut net = Net::new(4, rules);
        let alice = net.suite.identity(&person("alice"));
        let view = |claim| Request::View {
            claim,
            query: Query::GetUser {},
        };
        let stated = net.answer(1, view(Claim::Stated(alice)));
        let unsigned = Reply::ClaimRefused(ClaimProblem::Unsigned);
        assert_eq!(stated != unsigned, believed);
        // Whoever claims nothing is nobody, and may ask where nobody has to sign.
        let height = Height(0);
        let result = Ok(Answer::User(None));
        let nobodys = if believed {
            Reply::View { height, result }
        } else {
            unsigned
        };
        assert_eq!(net.answer(1, view(Claim::Anonymous)), nobodys);
    }
}

#[test]
fn a_node_that_knows_itself_behind_shows_no_time_and_takes_nothing() {
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        net.commit_one(1, 1);
        let health = |net: &mut Net| net.answer(4, Request::Health);
        let (height, time) = (Height(1), EPOCH.block_time());
        assert_eq!(
            health(&mut net),
            Reply::Health {
                height,
                time,
                syncing: false
            }
        );
        net.crash(4);
        net.restart(4);
        let behind = Reply::Health {
            height,
            time: BlockTime(-1),
            syncing: true,
        };
        assert_eq!(health(&mut net), behind);
        let transaction = net.transaction("root", 2);
        let rejected = net.answer(4, Request::Broadcast(transaction.clone()));
        assert_eq!(rejected, Reply::Rejected(Rejected::CatchingUp));
        net.pump();
        assert_eq!(
            health(&mut net),
            Reply::Health {
                height,
                time,
                syncing: false
            }
        );
        let request = net.broadcast(4, &transaction);
        assert_eq!(net.reply(request), None, "taken");
    }
}

/// Whether a node answers reads at this time.
fn reads(net: &mut Net, place: u16) -> bool {
    let suite = net.suite.clone();
    let reader = person("alice");
    let Reply::Challenge(challenge) = net.answer(place, Request::Challenge) else {
        panic!("a challenge is given");
    };
    let query = Query::GetUser {};
    let text = view_text(&query, &challenge);
    let claim = Claim::Signed {
        identity: suite.identity(&reader),
        challenge,
        signature: suite.sign(&reader, text.as_bytes()),
        payload: None,
    };
    match net.answer(place, Request::View { claim, query }) {
        Reply::View { .. } => true,
        Reply::Behind => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_node_answers_reads_as_long_as_most_validators_say_that_it_is_up_to_date() {
    let freshness = TIMING.freshness();
    assert_eq!(freshness, 183_000);
    for (rules, stops) in [
        (Rules::documented(), true),
        (all_but(Switch::FreshAnswers), false),
        (Rules::deployed(), false),
    ] {
        let catches_up = |timer: &Timer| matches!(timer, Timer::CatchUp { .. });
        let mut net = Net::new(4, rules);
        net.commit_one(1, 1);
        net.wait(freshness);
        assert!(
            reads(&mut net, 4),
            "a block is young to its last millisecond"
        );
        net.wait(1);
        assert_eq!(reads(&mut net, 4), !stops, "nothing was heard since");
        // Two of four are no majority; it takes another one, and the leader is down.
        net.crash(1);
        net.fire(4, catches_up);
        net.pump_but(|from, _, message| from == 3 && matches!(message, Message::Blocks { .. }));
        assert_eq!(reads(&mut net, 4), !stops);
        net.fire(4, catches_up);
        net.pump();
        assert!(reads(&mut net, 4), "the others have nothing newer");
        net.wait(freshness);
        assert!(reads(&mut net, 4));
        net.wait(1);
        assert_eq!(reads(&mut net, 4), !stops, "what they said is old now");
    }
}

#[test]
fn a_node_that_knows_itself_behind_answers_no_reads() {
    for (rules, answers) in [
        (Rules::documented(), false),
        (all_but(Switch::FreshAnswers), true),
    ] {
        let mut net = Net::new(4, rules);
        net.commit_one(1, 1);
        net.crash(4);
        net.restart(4);
        assert_eq!(reads(&mut net, 4), answers);
        net.pump();
        assert!(reads(&mut net, 4));
    }
}

#[test]
fn the_mempool_takes_each_next_nonce_once() {
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        let wrong = |got, expected| {
            Some(Reply::Rejected(Rejected::Invalid(Invalid::WrongNonce {
                got,
                expected,
            })))
        };
        let exists = || Some(Reply::Rejected(Rejected::AlreadyExists));
        for (nonce, expected) in [
            (0, wrong(0, 1)),
            (2, wrong(2, 1)),
            (u64::MAX, wrong(u64::MAX, 1)),
            (1, None),
            (1, exists()),
            (3, wrong(3, 2)),
            (2, None),
        ] {
            let transaction = net.transaction("root", nonce);
            let request = net.broadcast(1, &transaction);
            assert_eq!(net.reply(request), expected.as_ref(), "nonce {nonce}");
        }
        // Another transaction in the place of one that waits.
        let unsigned = Unsigned {
            payload: Batch::one(Action::RemoveUser {}).into(),
            ..net.unsigned(1, "assay-test")
        };
        let other = Transaction::sign(&*net.suite, &person("root"), unsigned);
        let request = net.broadcast(1, &other);
        assert_eq!(net.reply(request), wrong(1, 3).as_ref());
        net.pump();
        net.propose(1);
        net.pump();
        // Once in a block it is known there, on every node.
        let transaction = net.transaction("root", 2);
        let request = net.broadcast(3, &transaction);
        assert_eq!(net.reply(request), exists().as_ref());
        let request = net.broadcast(3, &other);
        assert_eq!(net.reply(request), wrong(1, 3).as_ref());
        let root = net.suite.identity(&person("root"));
        assert_eq!(
            net.answer(2, Request::Account(root)),
            Reply::Account { nonce: 2 }
        );
    }
}

/// A transaction whose text has this many bytes beside its frame.
fn large(net: &Net, nonce: u64, bytes: usize) -> Arc<Transaction> {
    let text: Text = "x".repeat(bytes).into();
    let unsigned = Unsigned {
        nonce,
        chain_id: "assay-test".into(),
        payload: Batch::one(Action::AddCredential {
            id: assay_model::id::CredentialId(Uuid::from_u128(1)),
            issuer_auth_public_key: "".into(),
            encryptor_public_key: "".into(),
            content: Content::new(text),
            public_notes: "".into(),
            public_notes_signature: "".into(),
            broader_signature: "".into(),
        })
        .into(),
    };
    Transaction::sign(&*net.suite, &person("root"), unsigned)
}

#[test]
fn payloads_and_blocks_are_bounded() {
    let mut net = Net::new(1, Rules::deployed());
    let frame = large(&net, 1, 0).payload_bytes();
    let most = (4 << 20) - frame;
    let too_large = large(&net, 1, most + 1);
    let rejected = net.answer(1, Request::Broadcast(too_large));
    assert_eq!(rejected, Reply::Rejected(Rejected::TooLarge));
    // Two of the largest do not fit into one block of 6 MiB.
    for nonce in [1, 2] {
        let transaction = large(&net, nonce, most);
        let request = net.broadcast(1, &transaction);
        assert_eq!(net.reply(request), None);
    }
    for height in [1, 2] {
        net.propose(1);
        let root = net.suite.identity(&person("root"));
        let nonce = Reply::Account { nonce: height };
        assert_eq!(net.answer(1, Request::Account(root)), nonce);
        assert_eq!(net.heights(), [height]);
    }
}

/// A follower that takes a larger block than the network allows would leave the bound to the leader.
#[test]
fn followers_refuse_a_block_that_is_too_large() {
    for (bytes, refused) in [(2 << 20, false), (3 << 20, true)] {
        let mut net = Net::new(2, Rules::deployed());
        let two = vec![large(&net, 1, bytes), large(&net, 2, bytes)];
        let block = net.block(EPOCH, [two, vec![large(&net, 3, 1 << 20)]].concat());
        let nack = Nack::Malformed;
        let said = net.judge(2, block);
        let malformed = matches!(said, Some(Message::Refuse { nack: it, .. }) if it == nack);
        assert_eq!(malformed, refused, "{bytes}");
    }
}

/// What waits and is too large by then would keep everything behind it waiting.
#[test]
fn validators_decide_how_large_a_block_is() {
    let mut net = Net::new(1, Rules::deployed());
    let waits = large(&net, 1, 2_000);
    net.broadcast(1, &waits);
    let updates = ParameterUpdates {
        description: "smaller blocks".to_owned(),
        updates: vec![ParameterUpdate::MaxBlockSize(1_500)],
    };
    let event = VotableEvent {
        kind: "param_updates".to_owned(),
        body: updates.encoded(),
    };
    let unsigned = Unsigned {
        payload: EnginePayload::CreateResolution(event).into(),
        ..net.unsigned(1, "assay-test")
    };
    let vote = Transaction::sign(&*net.suite, &net.keys[0], unsigned);
    let again = large(&net, 2, 2_000);
    net.broadcast(1, &vote);
    net.propose(1);
    let rejected = net.answer(1, Request::Broadcast(again.clone()));
    assert_eq!(rejected, Reply::Rejected(Rejected::TooLarge));
    // The first went with the vote; of two that waited the second would be stuck.
    let small = large(&net, 2, 10);
    let request = net.broadcast(1, &small);
    net.propose(1);
    assert!(matches!(net.reply(request), Some(Reply::Included { .. })));
}

#[test]
fn open_content_is_turned_away_at_the_door_where_promised() {
    for (rules, kept) in [
        (Rules::deployed(), false),
        (only(Switch::SealedContent), true),
        (Rules::documented(), true),
    ] {
        let mut net = Net::new(4, rules);
        let open = large(&net, 1, 10);
        let request = net.broadcast(1, &open);
        let rejected = Reply::Rejected(Rejected::Invalid(Invalid::ContentNotSealed));
        assert_eq!(net.reply(request), kept.then_some(&rejected));
    }
}

#[test]
fn a_follower_passes_transactions_on_and_answers_for_them() {
    for rules in both_rules() {
        let mut net = Net::new(4, rules);
        let transaction = net.transaction("root", 1);
        let request = net.broadcast(3, &transaction);
        // The first time nobody hears it.
        net.wires.clear();
        assert!(!net.node(1).has_pending());
        net.fire(3, |timer| matches!(timer, Timer::Gossip));
        net.pump();
        assert!(net.node(1).has_pending());
        net.propose(1);
        net.pump();
        assert!(matches!(net.reply(request), Some(Reply::Included { .. })));
        assert!((1..=4).all(|place| !net.node(place).has_pending()));
    }
}

#[test]
fn a_client_is_told_when_its_time_is_up_and_the_transaction_still_may_come() {
    let mut net = Net::new(4, Rules::documented());
    let transaction = net.transaction("root", 1);
    let request = net.broadcast(1, &transaction);
    net.pump();
    net.fire(1, |timer| matches!(timer, Timer::GiveUp(_)));
    assert_eq!(net.reply(request), Some(&Reply::TimedOut));
    let status = net.answer(1, Request::TxStatus(transaction.id));
    assert_eq!(status, Reply::TxStatus(TxStatus::Pending));
    net.propose(1);
    net.pump();
    let (height, outcome) = (Height(1), Outcome::Accepted);
    let status = net.answer(2, Request::TxStatus(transaction.id));
    assert_eq!(
        status,
        Reply::TxStatus(TxStatus::Included { height, outcome })
    );
    let unknown = net.answer(2, Request::TxStatus(net.transaction("root", 9).id));
    assert_eq!(unknown, Reply::TxStatus(TxStatus::Unknown));
}

#[test]
fn a_founding_block_is_a_block_like_any_other() {
    for rules in both_rules() {
        let net = Net::new(4, rules);
        let transactions = vec![net.transaction("root", 1), net.transaction("root", 2)];
        let founding =
            Node::founding_block(&net.genesis, &net.suite, &net.keys, transactions.into());
        let validators: Vec<Identity> = net.genesis.nodes.clone();
        assert!(founding.is_final(&*net.suite, &validators, true));
        for place in 1..=4 {
            let records = [Record::Committed(founding.clone())];
            let (node, said) = net.restored(place, &records);
            assert_eq!((node.height(), node.halted()), (Height(1), None));
            assert_eq!(node.app_hash(), founding.app_hash);
            assert!(matches!(
                said[..],
                [Output::Note(Note::Committed { replayed: true, .. })]
            ));
        }
    }
}

// Any schedule.

/// One turn of a schedule nobody has thought up.
#[derive(Clone, Debug)]
enum Turn {
    Deliver(usize),
    Repeat(usize),
    Lose(usize),
    Fire(usize),
    Crash(u16),
    Restart(u16),
    Appoint { leader: u16, reached: [bool; 4] },
    Broadcast(u16),
    Wait(u64),
}

fn turn() -> impl Strategy<Value = Turn> {
    let place = || 1..5u16;
    prop_oneof![
        12 => any::<usize>().prop_map(Turn::Deliver),
        1 => any::<usize>().prop_map(Turn::Repeat),
        3 => any::<usize>().prop_map(Turn::Lose),
        8 => any::<usize>().prop_map(Turn::Fire),
        1 => place().prop_map(Turn::Crash),
        2 => place().prop_map(Turn::Restart),
        1 => (place(), any::<[bool; 4]>())
            .prop_map(|(leader, reached)| Turn::Appoint { leader, reached }),
        2 => place().prop_map(Turn::Broadcast),
        1 => (0..20_000u64).prop_map(Turn::Wait),
    ]
}

impl Net {
    fn is_up(&self, place: u16) -> bool {
        self.nodes[n(place).index()].is_some()
    }

    fn deliver(&mut self, (from, to, message): (NodeId, NodeId, Message)) {
        if self.is_up(to.0 + 1) {
            self.give(to.0 + 1, Input::Message { from, message });
        }
    }

    fn turn(&mut self, turn: &Turn, term: &mut u32) {
        let wire = |net: &Net, pick: usize| pick.checked_rem(net.wires.len());
        match turn {
            Turn::Deliver(pick) => {
                if let Some(sent) = wire(self, *pick).and_then(|place| self.wires.remove(place)) {
                    self.deliver(sent);
                }
            }
            Turn::Repeat(pick) => {
                if let Some(place) = wire(self, *pick) {
                    self.deliver(self.wires[place].clone());
                }
            }
            Turn::Lose(pick) => {
                wire(self, *pick).and_then(|place| self.wires.remove(place));
            }
            Turn::Fire(pick) => {
                if let Some(place) = pick.checked_rem(self.timers.len()) {
                    let (node, timer) = self.timers.remove(place);
                    self.give(node.0 + 1, Input::Timer(timer));
                }
            }
            Turn::Crash(place) if self.is_up(*place) => self.crash(*place),
            Turn::Restart(place) if !self.is_up(*place) => self.restart(*place),
            Turn::Crash(_) | Turn::Restart(_) => {}
            Turn::Appoint { leader, reached } => {
                *term += 1;
                for place in 1..=4 {
                    if self.is_up(place) && reached[n(place).index()] {
                        let (term, leader) = (*term, n(*leader));
                        self.give(place, Input::Appoint { term, leader });
                    }
                }
            }
            Turn::Broadcast(place) if self.is_up(*place) => {
                let root = self.suite.identity(&person("root"));
                let accounts = &self.node(*place).state().tables().accounts;
                let used = accounts.get(&root).map_or(0, |account| account.0);
                let transaction = self.transaction("root", used + 1);
                self.broadcast(*place, &transaction);
            }
            Turn::Broadcast(_) => {}
            Turn::Wait(millis) => self.wait(*millis),
        }
    }

    /// Every block any disk holds for final, by height; panics where two disks disagree.
    fn agreed(&self) -> BTreeMap<Height, BlockId> {
        let mut blocks = BTreeMap::new();
        for record in self.disks.iter().flatten() {
            if let Record::Committed(committed) = record {
                let block = &committed.block;
                let first = *blocks.entry(block.height).or_insert(block.id);
                assert_eq!(first, block.id, "two blocks at height {}", block.height);
            }
        }
        blocks
    }
}

laws! {
    300;

    /// Crashes, losses, repetitions, late appointments: there is one chain, nobody halts, and once all
    /// are up and agree on a leader it goes on.
    fn crashes_and_losses_neither_fork_nor_stop_a_network_that_keeps_its_promises(
        turns in vec(turn(), 1..250),
    ) {
        let mut net = Net::new(4, Rules::documented());
        let mut term = 0;
        for turn in &turns {
            net.turn(turn, &mut term);
        }
        net.agreed();
        for place in 1..=4 {
            net.turn(&Turn::Restart(place), &mut term);
        }
        net.turn(&Turn::Appoint { leader: 1, reached: [true; 4] }, &mut term);
        for _ in 0..60 {
            net.pump();
            for (node, timer) in std::mem::take(&mut net.timers) {
                net.give(node.0 + 1, Input::Timer(timer));
            }
            net.wait(3_000);
        }
        net.pump();
        net.agreed();
        for place in 1..=4 {
            prop_assert_eq!(net.node(place).halted(), None);
            prop_assert_eq!(net.node(place).height(), net.node(1).height());
            prop_assert_eq!(net.node(place).app_hash(), net.node(1).app_hash());
            prop_assert!(!net.node(place).is_syncing());
        }
        let before = net.heights()[0];
        net.turn(&Turn::Broadcast(3), &mut term);
        for _ in 0..4 {
            net.pump();
            for (node, timer) in std::mem::take(&mut net.timers) {
                net.give(node.0 + 1, Input::Timer(timer));
            }
            net.wait(1_000);
        }
        prop_assert!(net.heights()[0] > before, "the chain goes on");
    }
}
