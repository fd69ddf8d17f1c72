//! The node itself: its state, and the switchboard that hands each input to the part that knows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::block::{Ballot, Block, Committed, TxResult, Vote, quorum};
use super::lead::Lead;
use super::mempool::Mempool;
use super::message::{Input, Message, Misdeed, Note, Outbox, Record, Reply, RequestId, Timer};
use super::snapshot::{Snapshot, app_hash};
use crate::bridge::{Allocation, Hash};
use crate::crypto::{Identity, SigningKey, Suite};
use crate::id::{AppHash, BlockId, Height, NodeId, TablesDigest, Text, TxId};
use crate::ledger::{Env, Outcome, Redo, State, Transaction, endow, run_block, usual_parameters};
use crate::rules::{Rules, Switch};
use crate::time::{BlockTime, WallMillis};

/// Durations of the protocol, in milliseconds, and in blocks. Source: kwil-rpc 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Timing {
    /// Pause between a commit and the next proposal.
    pub propose: u64,
    /// How often the leader looks into its mempool after the pause.
    pub poll: u64,
    /// How long nothing happens before an empty block.
    pub empty_block: u64,
    /// How long a proposal or announcement may go unanswered before it is repeated.
    pub resend: u64,
    /// How long a client's broadcast is held open.
    pub broadcast: u64,
    /// How long a challenge may be used.
    pub challenge: u64,
    /// How far a block's time may be from a validator's clock, under `bounded-block-time`.
    pub drift: u64,
    /// After how many blocks a node makes a snapshot, under `bounded-history`. It keeps the last two and the
    /// blocks since the first of them, so that what was deleted is gone twice as many blocks later.
    pub history: u64,
}

impl Timing {
    /// How long a chain in which nothing happens goes without a word at most: a block is due, or who has not
    /// seen one asks for it.
    pub(super) fn idle(&self) -> u64 {
        (self.empty_block + self.propose).max(5_000)
    }

    /// How old what a node answers from may be under `fresh-answers`, in milliseconds. A follower that misses a
    /// block asks for it within two idle times, so that a third leaves time for the answers.
    pub fn freshness(&self) -> u64 {
        3 * self.idle()
    }
}

/// After how many blocks a node makes a snapshot where a network says nothing.
pub const USUAL_HISTORY: u64 = 14_400;

/// What every node knows from the start.
#[derive(Clone, Debug)]
pub struct Genesis {
    /// The network's name.
    pub chain_id: Text,
    /// Caller identity of the database owner.
    pub db_owner: Text,
    /// Identity of each node, by place.
    pub nodes: Vec<Identity>,
    /// Nodes that follow and serve and do not vote, unless they join. The others vote with a power of 1.
    pub sentries: BTreeSet<NodeId>,
    /// Leader of term 0.
    pub leader: NodeId,
    /// Chain time before the first block.
    pub time: WallMillis,
    /// Which promises are kept.
    pub rules: Rules,
    /// Durations.
    pub timing: Timing,
    /// What people have of the tokens from the start.
    pub balances: Vec<Allocation>,
}

impl Genesis {
    /// The state before the first block.
    pub fn state(&self) -> State {
        let leader = self.nodes[self.leader.index()];
        let mut state = State::founded(self.validators(), usual_parameters(leader));
        endow(&mut state, &self.balances);
        state
    }

    /// Who votes at first, with their power, by place.
    pub fn validators(&self) -> Vec<(Identity, u64)> {
        let nodes = (0..).map(NodeId).zip(&self.nodes);
        let voters = nodes.filter(|(node, _)| !self.sentries.contains(node));
        voters.map(|(_, identity)| (*identity, 1)).collect()
    }

    /// The node of this identity, if it is one.
    pub fn place(&self, identity: &Identity) -> Option<NodeId> {
        let place = self.nodes.iter().position(|node| node == identity)?;
        Some(NodeId(place as u16))
    }

    /// The other nodes.
    pub fn peers(&self, of: NodeId) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u16)
            .map(NodeId)
            .filter(move |node| *node != of)
    }
}

/// Why a node stopped for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Halt {
    /// Its app hash differs from the committed one.
    Diverged {
        /// At this height.
        height: Height,
    },
    /// Half of the validators refused the leader's block.
    Refused {
        /// At this height.
        height: Height,
    },
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Halt::Diverged { height } => write!(f, "its state diverged at height {height}"),
            Halt::Refused { height } => {
                write!(f, "half of the validators refused block {height}")
            }
        }
    }
}

/// A block that was executed and is not final yet.
#[derive(Debug)]
pub(super) struct Executed {
    pub(super) block: Arc<Block>,
    pub(super) app_hash: AppHash,
    pub(super) results: Arc<[TxResult]>,
    pub(super) redo: Redo,
    /// Before its first transaction, and after its last.
    pub(super) tables: (TablesDigest, TablesDigest),
    /// What of the execution, besides the results, enters the app hash.
    pub(super) change_set: [u8; 32],
    /// Who leads from the next block on, if this one decides it.
    pub(super) leader: Option<NodeId>,
}

/// A storage node. See the module.
pub struct Node {
    pub(super) id: NodeId,
    pub(super) genesis: Arc<Genesis>,
    pub(super) suite: Arc<dyn Suite>,
    pub(super) key: SigningKey,

    pub(super) state: State,
    /// The final blocks it has, in order; `before` is the height of the last one it does not have any more.
    pub(super) chain: VecDeque<Arc<Committed>>,
    pub(super) before: Height,
    /// The last final block, which a node that came by a snapshot does not have among its blocks.
    pub(super) last: Option<Arc<Committed>>,
    pub(super) snapshot: Option<Arc<Snapshot>>,
    pub(super) app_hash: AppHash,
    pub(super) included: BTreeMap<TxId, (Height, Outcome)>,
    /// Validators with their power, from the height on after which they changed; by place, strangers last.
    pub(super) sets: BTreeMap<Height, Vec<(Identity, u64)>>,

    pub(super) term: u32,
    pub(super) leader: NodeId,
    pub(super) accepted: Option<(Ballot, Arc<Block>)>,
    pub(super) executed: Option<Executed>,
    pub(super) lead: Option<Lead>,
    pub(super) reports: BTreeMap<u32, BTreeMap<NodeId, super::lead::Reported>>,

    pub(super) mempool: Mempool,
    pub(super) gossiping: bool,
    pub(super) waiting: BTreeMap<RequestId, TxId>,
    pub(super) challenges: BTreeMap<[u8; 32], WallMillis>,
    pub(super) challenges_given: u64,
    /// Height a peer last said it has; nothing before the first answer after a restart.
    pub(super) tip: Option<Height>,
    /// When each peer last said that it has no block this node lacks, on this node's clock.
    pub(super) heard: BTreeMap<NodeId, WallMillis>,
    pub(super) halted: Option<Halt>,
    /// Transactions it puts into its next block unseen, whether it repeats its votes, and whose transactions it
    /// leaves out: see [`Misdeed`].
    pub(super) slipped: Vec<Arc<Transaction>>,
    pub(super) repeats_votes: bool,
    pub(super) omits: Vec<Identity>,
    pub(super) omitted: BTreeSet<TxId>,
}

impl Node {
    /// A node of a new network.
    pub fn new(id: NodeId, genesis: Arc<Genesis>, suite: Arc<dyn Suite>, key: SigningKey) -> Node {
        Node {
            id,
            suite,
            key,
            state: genesis.state(),
            chain: VecDeque::new(),
            before: Height(0),
            last: None,
            snapshot: None,
            app_hash: AppHash::default(),
            included: BTreeMap::new(),
            sets: BTreeMap::from([(Height(0), genesis.validators())]),
            term: 0,
            leader: genesis.leader,
            accepted: None,
            executed: None,
            lead: None,
            reports: BTreeMap::new(),
            mempool: Mempool::default(),
            gossiping: false,
            waiting: BTreeMap::new(),
            challenges: BTreeMap::new(),
            challenges_given: 0,
            tip: Some(Height(0)),
            heard: BTreeMap::new(),
            halted: None,
            slipped: Vec::new(),
            repeats_votes: false,
            omits: Vec::new(),
            omitted: BTreeSet::new(),
            genesis,
        }
    }

    /// A node that comes back with what was durable: it replays its blocks. What it notes meanwhile
    /// goes to the outbox.
    pub fn restore(
        id: NodeId,
        genesis: Arc<Genesis>,
        suite: Arc<dyn Suite>,
        key: SigningKey,
        records: &[Record],
        out: &mut Outbox,
    ) -> Node {
        let mut node = Node::new(id, genesis, suite, key);
        node.restore_snapshot(records);
        for record in records {
            match record {
                Record::Committed(committed) => node.replay(committed, out),
                Record::Snapshot { .. } => {}
                Record::Accepted(ballot, block) => node.accepted = Some((*ballot, block.clone())),
                Record::Term(term, leader) => (node.term, node.leader) = (*term, *leader),
            }
        }
        node.accepted = node
            .accepted
            .take()
            .filter(|(_, block)| block.height > node.height());
        // Without peers nobody could tell it that it has everything.
        let alone = node.genesis.nodes.len() == 1;
        node.tip = alone.then_some(Height(0));
        node
    }

    /// The first block of a network that exists already when the story begins: agreed on by every
    /// validator, and part of each node's disk. Panics when a transaction is not accepted, since such
    /// a network could not exist.
    pub fn founding_block(
        genesis: &Arc<Genesis>,
        suite: &Arc<dyn Suite>,
        keys: &[SigningKey],
        transactions: Arc<[Arc<Transaction>]>,
    ) -> Arc<Committed> {
        let leader = genesis.leader;
        let key = &keys[leader.index()];
        let mut scratch = Node::new(leader, genesis.clone(), suite.clone(), key.clone());
        let after = (Height(1), BlockId::default(), AppHash::default());
        let block = Block::propose(&**suite, key, leader, after, genesis.time, transactions);
        let executed = scratch.execute(&block);
        for (result, transaction) in executed.results.iter().zip(block.transactions.iter()) {
            let outcome = result.outcome;
            assert_eq!(
                outcome,
                Outcome::Accepted,
                "founding transaction {transaction:?}"
            );
        }
        let app_hash = executed.app_hash;
        let votes = (0..)
            .map(NodeId)
            .zip(keys)
            .filter(|(node, _)| !genesis.sentries.contains(node))
            .map(|(node, key)| {
                Vote::cast(&**suite, key, node, Ballot::default(), block.id, app_hash)
            })
            .collect();
        Arc::new(Committed {
            block,
            app_hash,
            votes,
        })
    }

    /// Takes one input at the node's own clock; outputs are appended.
    pub fn handle(&mut self, now: WallMillis, input: Input, out: &mut Outbox) {
        if self.halted.is_some() {
            if let Input::Request { id, .. } = input {
                out.reply(id, Reply::Halted);
            }
            return;
        }
        match input {
            Input::Start => self.on_start(now, out),
            Input::Message { from, message } => self.on_message(now, from, message, out),
            Input::Timer(timer) => self.on_timer(now, timer, out),
            Input::Request { id, request } => self.on_request(now, id, request, out),
            Input::Appoint { term, leader } => self.on_appoint(now, term, leader, out),
            Input::Misdeed(Misdeed::SlipIn(transaction)) => self.slipped.push(transaction),
            Input::Misdeed(Misdeed::RepeatVotes(yes)) => self.repeats_votes = yes,
            Input::Misdeed(Misdeed::Omit(senders)) => self.omits = senders,
            Input::Misdeed(Misdeed::AlterUser(user)) => self.state.alter_user(user),
        }
    }

    fn on_start(&mut self, now: WallMillis, out: &mut Outbox) {
        if self.is_syncing() {
            self.ask_everybody(out);
        }
        self.watch_chain(out);
        if self.leader == self.id {
            self.take_lead(now, out);
        } else if self.term > 0 {
            // The appointment was durable and the report was not; the new leader may wait for it.
            self.report(self.term, out);
        }
    }

    fn on_message(&mut self, now: WallMillis, from: NodeId, message: Message, out: &mut Outbox) {
        match message {
            Message::Transaction(transaction) => self.on_gossip(transaction, out),
            Message::Propose { ballot, block } => self.on_propose(now, from, ballot, block, out),
            Message::Ack(vote) => self.on_ack(now, from, vote, out),
            Message::Refuse { ballot, nack } => self.on_refuse(from, ballot, nack, out),
            Message::Announce(committed) => self.on_announce(now, from, committed, out),
            Message::Ask { have } => self.on_ask(from, have, out),
            Message::Blocks { blocks, tip } => self.on_blocks(now, from, blocks, tip, out),
            Message::Snapshot(snapshot) => self.on_snapshot(now, from, &snapshot, out),
            Message::Report {
                term,
                height,
                accepted,
            } => {
                self.on_report(now, from, term, height, accepted, out);
            }
        }
    }

    fn on_timer(&mut self, now: WallMillis, timer: Timer, out: &mut Outbox) {
        match timer {
            Timer::Propose(height) | Timer::Poll(height) => self.on_propose_due(now, height, out),
            Timer::EmptyBlock(height) => self.on_empty_block_due(now, height, out),
            Timer::Resend(ballot) => self.on_resend_due(now, ballot, out),
            Timer::AwaitCommit { height, attempt } => self.on_commit_overdue(height, attempt, out),
            Timer::CatchUp { seen } => self.on_catch_up_due(seen, out),
            Timer::Gossip => self.on_gossip_due(out),
            Timer::GiveUp(request) => self.on_give_up(request, out),
            Timer::Report(term) => self.report(term, out),
        }
    }

    /// Height of the last final block, 0 before the first.
    pub fn height(&self) -> Height {
        Height(self.before.0 + self.chain.len() as u64)
    }

    /// Height of the first block it still has, or will have: 1 where nothing was pruned.
    pub fn oldest(&self) -> Height {
        self.before.next()
    }

    /// App hash after the last final block.
    pub fn app_hash(&self) -> AppHash {
        self.app_hash
    }

    /// The committed state, for inspection.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The term this node takes to be the present one.
    pub fn term(&self) -> u32 {
        self.term
    }

    /// Whom this node takes for the leader.
    pub fn leader(&self) -> NodeId {
        self.leader
    }

    /// Why the node halted, if it did.
    pub fn halted(&self) -> Option<Halt> {
        self.halted
    }

    /// Whether the node knows itself behind.
    pub fn is_syncing(&self) -> bool {
        self.tip.is_none_or(|tip| self.height() < tip)
    }

    /// Whether the node may take its state for the latest there is: its last block is young, or more than half of
    /// the validators have said lately that they have nothing newer. Such a node need not know a leader, so that
    /// reads go on without one; one that is cut off learns of nothing and has to stop.
    pub(super) fn is_current(&self, now: WallMillis) -> bool {
        let oldest = now.0.saturating_sub(self.genesis.timing.freshness());
        let lately = |node: NodeId| {
            let heard = self.heard.get(&node);
            node == self.id || heard.is_some_and(|heard| heard.0 >= oldest)
        };
        let nodes = (0..self.genesis.nodes.len() as u16).map(NodeId);
        let voices = nodes.filter(|node| self.votes(*node) && lately(*node));
        let young = self.last_time().0 >= oldest;
        !self.is_syncing() && (young || voices.count() >= quorum(self.voters()))
    }

    /// Whether transactions wait here.
    pub fn has_pending(&self) -> bool {
        !self.mempool.is_empty()
    }

    /// How many transactions it has left out of blocks, see [`Misdeed::Omit`].
    pub fn omitted(&self) -> usize {
        self.omitted.len()
    }

    /// What the node knows from the start.
    pub fn genesis(&self) -> &Arc<Genesis> {
        &self.genesis
    }

    /// Which node this is.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The final block of a height, if this node has it.
    pub fn committed(&self, height: Height) -> Option<&Arc<Committed>> {
        let place = height.0.checked_sub(self.before.0)?.checked_sub(1)?;
        self.chain.get(usize::try_from(place).ok()?)
    }

    /// What became of each transaction of a final block, in order. Empty for a block this node does not
    /// have.
    pub fn outcomes(&self, height: Height) -> Vec<Outcome> {
        let Some(committed) = self.committed(height) else {
            return Vec::new();
        };
        let mut met = BTreeSet::new();
        let transactions = committed.block.transactions.iter();
        transactions
            .map(|transaction| match self.included.get(&transaction.id) {
                // Whatever was not accepted or refused in this block for the first time was invalid.
                Some((at, outcome)) if *at == height && met.insert(transaction.id) => *outcome,
                _ => Outcome::Invalid,
            })
            .collect()
    }

    /// A transaction that is in a final block or waits for one.
    pub fn transaction(&self, id: &TxId) -> Option<&Arc<Transaction>> {
        match self.included.get(id) {
            Some((height, _)) => {
                let block = &self.committed(*height)?.block;
                block.transactions.iter().find(|one| one.id == *id)
            }
            None => self.mempool.waiting().find(|one| one.id == *id),
        }
    }

    /// Everything that waits for a block here, first come first.
    pub fn pending(&self) -> impl Iterator<Item = &Arc<Transaction>> {
        self.mempool.waiting()
    }

    /// The last nonce of a sender, what waits for a block counted in.
    pub fn pending_nonce(&self, sender: &Identity) -> u64 {
        self.mempool
            .last_nonce(sender)
            .unwrap_or_else(|| committed_nonce(&self.state, sender))
    }

    /// How many senders have used a nonce.
    pub fn accounts(&self) -> u64 {
        self.state.tables().accounts.len() as u64
    }

    /// Chain time of the last final block.
    pub(super) fn last_time(&self) -> WallMillis {
        self.last
            .as_ref()
            .map_or(self.genesis.time, |committed| committed.block.time)
    }

    /// Id of the last final block.
    pub(super) fn last_id(&self) -> BlockId {
        self.last
            .as_ref()
            .map_or(BlockId::default(), |committed| committed.block.id)
    }

    pub(super) fn env(&self) -> Env<'_> {
        Env {
            suite: &*self.suite,
            rules: self.genesis.rules,
            chain_id: &self.genesis.chain_id,
            db_owner: &self.genesis.db_owner,
        }
    }

    pub(super) fn broadcast(&self, message: Message, out: &mut Outbox) {
        for peer in self.genesis.peers(self.id) {
            out.send(peer, message.clone());
        }
    }

    /// Runs a block on the committed state and takes the effects back, so that reads do not see them
    /// before the commit.
    pub(super) fn execute(&mut self, block: &Arc<Block>) -> Executed {
        let savepoint = self.state.savepoint();
        let at = block.at(
            self.genesis.rules,
            self.last_time().block_time(),
            &self.genesis.nodes,
        );
        let mut state = std::mem::take(&mut self.state);
        let mut before = TablesDigest::default();
        let mut results = Vec::with_capacity(block.transactions.len());
        let appointed = run_block(
            &mut state,
            self.env(),
            at,
            (Hash(block.id.0), &block.transactions),
            |state, ran| match ran {
                None => before = state.digest(),
                Some((transaction, outcome)) => results.push(TxResult {
                    id: transaction.id,
                    outcome,
                    tables: state.digest(),
                }),
            },
        );
        let results: Arc<[TxResult]> = results.into();
        let leader = appointed.and_then(|leader| self.genesis.place(&leader));
        let change_set = state.change_set();
        let checkpoint = self
            .makes_snapshot(block.height)
            .then(|| state.checkpoint());
        let codes = results.iter().map(|result| result.outcome.code());
        let app_hash = app_hash(self.app_hash, change_set, codes, checkpoint);
        let tables = (before, state.digest());
        let redo = state.rollback(savepoint);
        self.state = state;
        Executed {
            block: block.clone(),
            app_hash,
            results,
            redo,
            tables,
            change_set,
            leader,
        }
    }

    /// Votes for a block that was executed.
    pub(super) fn vote(&self, ballot: Ballot, executed: &Executed) -> Vote {
        let Executed {
            block, app_hash, ..
        } = executed;
        Vote::cast(
            &*self.suite,
            &self.key,
            self.id,
            ballot,
            block.id,
            *app_hash,
        )
    }

    /// Keeps the set of validators, if the last block has changed it.
    pub(super) fn note_validators(&mut self) {
        let rows = self.state.tables().validators.iter();
        let mut set: Vec<_> = rows.map(|(node, row)| (*node, row.power)).collect();
        set.sort_by_key(|(node, _)| self.genesis.place(node).unwrap_or(NodeId(u16::MAX)));
        if self.sets.values().next_back() != Some(&set) {
            self.sets.insert(self.height(), set);
        }
    }

    /// Who votes on the block after this height, with their power.
    pub fn validators_at(&self, height: Height) -> &[(Identity, u64)] {
        let last = self.sets.range(..=height).next_back();
        last.map_or(&[], |(_, set)| set)
    }

    /// Whether a node votes on the next block.
    pub(super) fn votes(&self, node: NodeId) -> bool {
        let identity = self.genesis.nodes.get(node.index());
        identity.is_some_and(|identity| self.state.tables().validators.contains_key(identity))
    }

    /// How many nodes vote on the next block.
    pub(super) fn voters(&self) -> usize {
        self.state.tables().validators.len()
    }

    /// How many votes make the next block final here.
    pub(super) fn quorum(&self) -> usize {
        #[cfg(feature = "known-bad")]
        if self.genesis.rules.lapses(crate::rules::Lapse::LoneCommits) {
            return 1;
        }
        if self.genesis.rules.keep(Switch::MajorityQuorum) {
            quorum(self.voters())
        } else {
            self.voters() * 2 / 3 + 1
        }
    }

    /// Makes a block final here: the votes are checked by the caller. The barrier comes before
    /// anything that tells others, so nothing acknowledged can be lost.
    pub(super) fn commit(
        &mut self,
        now: WallMillis,
        committed: Arc<Committed>,
        replayed: bool,
        out: &mut Outbox,
    ) {
        if self.adopt(&committed, replayed, out) {
            out.persist(Record::Committed(committed.clone()));
            if let Some(snapshot) = self.fresh_snapshot() {
                out.persist(snapshot);
            }
            out.sync();
            self.answer_included(&committed.block, out);
            self.after_commit(now, &committed.block, out);
        }
    }

    /// Applies a final block that is durable already.
    fn replay(&mut self, committed: &Arc<Committed>, out: &mut Outbox) {
        if self.halted.is_none() && committed.block.height > self.before {
            self.adopt(committed, true, out);
        }
    }

    /// Applies a final block to the state; false when the node had to halt.
    fn adopt(&mut self, committed: &Arc<Committed>, replayed: bool, out: &mut Outbox) -> bool {
        let block = &committed.block;
        let executed = match self.executed.take() {
            Some(executed) if executed.block.id == block.id => executed,
            _ => self.execute(block),
        };
        if executed.app_hash != committed.app_hash {
            self.halt(
                Halt::Diverged {
                    height: block.height,
                },
                out,
            );
            return false;
        }
        self.state.redo(executed.redo);
        self.state.seal();
        debug_assert_eq!(
            self.state.digest(),
            executed.tables.1,
            "a redo repeats the execution"
        );
        self.app_hash = executed.app_hash;
        self.leader = executed.leader.unwrap_or(self.leader);
        self.chain.push_back(committed.clone());
        self.last = Some(committed.clone());
        self.note_validators();
        for result in executed.results.iter() {
            // An invalid transaction changes nothing, so it may still get into a later block.
            if result.outcome != Outcome::Invalid {
                self.included
                    .insert(result.id, (block.height, result.outcome));
            }
        }
        self.prune(&executed.results, executed.change_set);
        out.note(Note::Committed {
            committed: committed.clone(),
            app_hash: self.app_hash,
            results: executed.results,
            tables: executed.tables,
            replayed,
        });
        true
    }

    /// Housekeeping after a block became final.
    fn after_commit(&mut self, now: WallMillis, block: &Block, out: &mut Outbox) {
        let height = self.height();
        self.accepted = self
            .accepted
            .take()
            .filter(|(_, block)| block.height > height);
        // Votes may have changed how large a payload can be.
        let voted = |one: &Arc<Transaction>| one.payload.engine().is_some();
        match block.transactions.iter().any(voted) {
            true => self.mempool.recheck_all(&self.state),
            false => self.mempool.recheck(&self.state, &block.transactions),
        }
        if self.leader != self.id {
            self.lead = None;
        } else if self.lead.is_none() {
            self.take_lead(now, out);
        }
        self.lead_on(now, out);
    }

    pub(super) fn halt(&mut self, why: Halt, out: &mut Outbox) {
        self.halted = Some(why);
        self.lead = None;
        self.executed = None;
        out.note(Note::Halted(why));
        for request in std::mem::take(&mut self.waiting).into_keys() {
            out.reply(request, Reply::Halted);
        }
    }

    /// Seconds of chain time a view is answered with; −1 while the node knows itself behind.
    /// Source: idos-facts 3.0.
    pub(super) fn view_time(&self) -> BlockTime {
        if self.is_syncing() {
            BlockTime(-1)
        } else {
            self.last_time().block_time()
        }
    }
}

/// The nonce a sender used last, as the committed state has it.
pub(super) fn committed_nonce(state: &State, sender: &Identity) -> u64 {
    state
        .tables()
        .accounts
        .get(&sender.account())
        .map_or(0, |account| account.0)
}
