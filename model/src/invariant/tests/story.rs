//! Histories by hand. A [`Story`] appends observations at advancing times; everything a story does not
//! say (nonces, digests, votes) is consistent by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) use super::words::*;
use crate::bridge::Address;
use crate::crypto::{Identity, Scheme, SigningKey, Symbolic};
use crate::history::{
    Asked, Cast, Contradiction, Doubt, Event, History, Level, Member, Place, Role,
};
use crate::id::{
    AppHash, BlockId, CredentialId, GrantId, Height, NodeId, PartyId, TablesDigest, UserId,
    WriteGrantId,
};
use crate::ledger::{Action, Answer, Batch, Outcome, Query, Refusal, Transaction, Unsigned};
use crate::node::{Ballot, Block, Committed, Reply, RequestId, TxResult, Vote};
use crate::rules::{Rules, Switch};
use crate::time::{Millis, WallMillis};
use crate::wire::EnginePayload;

// Transactions.

/// A transaction in a block, and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    caller: Identity,
    calls: Vec<Action>,
    outcome: Outcome,
    nonce: Option<u64>,
    leak: bool,
    sender: Option<Identity>,
    engine: Option<EnginePayload>,
}

impl Told {
    /// Sent in the name of this identity, though it is run for another.
    pub(super) fn sent_by(mut self, sender: Identity) -> Told {
        self.sender = Some(sender);
        self
    }

    /// Signed with another key.
    pub(super) fn with_key(mut self, key: Identity) -> Told {
        self.caller = key;
        self
    }

    /// With a nonce of its own choice instead of the next.
    pub(super) fn nonce(mut self, nonce: u64) -> Told {
        self.nonce = Some(nonce);
        self
    }

    /// Changes the tables whatever became of it.
    pub(super) fn leaking(mut self) -> Told {
        self.leak = true;
        self
    }

    fn transaction(&self, next: u64) -> Arc<Transaction> {
        let unsigned = Unsigned {
            nonce: self.nonce.unwrap_or(next),
            chain_id: CHAIN.into(),
            payload: match &self.engine {
                Some(engine) => engine.clone().into(),
                None => Batch::several(self.calls.clone())
                    .expect("a batch is of one action")
                    .into(),
            },
        };
        let Some(sender) = self.sender else {
            return Transaction::assemble(self.caller, unsigned, |_| vec![0; 64]);
        };
        let payload = unsigned.payload.clone();
        let sent = Transaction::assemble(sender, unsigned, |_| vec![0; 64]);
        Transaction::received(sent.sent().clone(), self.caller, payload).expect("it can be signed")
    }
}

/// Calls of one action in one transaction.
pub(super) fn batch(party: PartyId, calls: Vec<Action>, outcome: Outcome) -> Told {
    Told {
        caller: key(party),
        calls,
        outcome,
        nonce: None,
        leak: false,
        sender: None,
        engine: None,
    }
}

/// Business of the engine, of whoever has this key.
pub(super) fn ran(caller: Identity, engine: EnginePayload, outcome: Outcome) -> Told {
    Told {
        caller,
        engine: Some(engine),
        ..batch(DB_OWNER, Vec::new(), outcome)
    }
}

/// The key of a node whose key is known.
pub(super) fn node(node: NodeId) -> Identity {
    Identity::Ed25519([200 + node.0 as u8; 32])
}

/// An accepted action.
pub(super) fn did(party: PartyId, action: Action) -> Told {
    batch(party, vec![action], Outcome::Accepted)
}

/// A refused action.
pub(super) fn refused(party: PartyId, action: Action, why: Refusal) -> Told {
    batch(party, vec![action], Outcome::Refused(why))
}

/// A transaction that should not have been in its block.
pub(super) fn invalid(party: PartyId, action: Action) -> Told {
    batch(party, vec![action], Outcome::Invalid)
}

// Blocks.

/// A block about to be committed.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    told: Vec<Told>,
    proposer: NodeId,
    nodes: Vec<NodeId>,
    votes: Vec<NodeId>,
    stray_votes: Vec<NodeId>,
    height: Option<Height>,
    seconds: Option<u64>,
    odd_state: bool,
}

/// A block of these transactions, on every node and with every vote.
pub(super) fn block(told: impl IntoIterator<Item = Told>) -> Draft {
    Draft {
        told: told.into_iter().collect(),
        proposer: N1,
        nodes: NODES.to_vec(),
        votes: NODES.to_vec(),
        stray_votes: Vec::new(),
        height: None,
        seconds: None,
        odd_state: false,
    }
}

impl Draft {
    /// This node makes it, and not the first one.
    pub(super) fn made_by(mut self, leader: NodeId) -> Draft {
        self.proposer = leader;
        self
    }

    /// Only these nodes commit it.
    pub(super) fn on(mut self, nodes: &[NodeId]) -> Draft {
        self.nodes = nodes.to_vec();
        self
    }

    /// Only these votes stand behind it.
    pub(super) fn votes(mut self, votes: &[NodeId]) -> Draft {
        self.votes = votes.to_vec();
        self
    }

    /// These votes come along, but are for another block.
    pub(super) fn stray_votes(mut self, votes: &[NodeId]) -> Draft {
        self.stray_votes = votes.to_vec();
        self
    }

    /// At this height instead of the next.
    pub(super) fn at_height(mut self, height: u64) -> Draft {
        self.height = Some(Height(height));
        self
    }

    /// With this chain time instead of the true one.
    pub(super) fn with_time(mut self, seconds: u64) -> Draft {
        self.seconds = Some(seconds);
        self
    }

    /// It leaves these nodes with a state of their own.
    pub(super) fn leaving_another_state(mut self) -> Draft {
        self.odd_state = true;
        self
    }
}

/// A block as nodes commit it.
#[derive(Clone, Debug)]
struct Final {
    committed: Arc<Committed>,
    results: Arc<[TxResult]>,
    tables: (TablesDigest, TablesDigest),
}

impl Final {
    fn event(&self, node: NodeId, odd: bool, replayed: bool) -> Event {
        let mut app_hash = self.committed.app_hash;
        if odd {
            app_hash.0[0] ^= 1;
        }
        Event::Committed {
            node,
            committed: self.committed.clone(),
            app_hash,
            results: self.results.clone(),
            tables: Some(self.tables),
            replayed,
        }
    }
}

// Looks into nodes.

/// What is found on a node: nothing at all, unless it is said.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) tables: Option<TablesDigest>,
    pub(super) credentials: Vec<CredentialId>,
    pub(super) grants: Vec<GrantId>,
    pub(super) users: Vec<UserId>,
    pub(super) oldest: Option<Height>,
    pub(super) named: Vec<WriteGrantId>,
}

impl Found {
    /// That this is found on a node with this state.
    pub(super) fn on(self, node: NodeId, height: Height, app_hash: AppHash) -> Event {
        Event::Inspected {
            node,
            height,
            app_hash,
            tables: self.tables,
            credentials: self.credentials,
            grants: self.grants,
            users: self.users,
            oldest: self.oldest,
            named: self.named,
        }
    }
}

// Stories.

/// A history in the making.
#[derive(Clone, Debug)]
pub(super) struct Story {
    history: History,
    now: Millis,
    tip: Height,
    chain: Vec<Final>,
    nonces: BTreeMap<Identity, u64>,
    requests: u64,
}

impl Story {
    /// Nothing has happened yet.
    pub(super) fn new() -> Story {
        Story::under(Rules::documented())
    }

    /// Nothing has happened yet, on nodes told to break one promise.
    pub(super) fn without(switch: Switch) -> Story {
        Story::under(Rules::documented().with(switch, false))
    }

    /// Nothing has happened yet, on a network that promises to prune.
    pub(super) fn pruning() -> Story {
        Story::cast(Rules::documented(), false)
    }

    /// The same, with a chain that holds the tokens and these operators on it.
    pub(super) fn with_operators(operators: Vec<Address>) -> Story {
        let mut story = Story::new();
        let cast = Cast {
            operators,
            ..(*story.history.cast).clone()
        };
        story.history = History::new(Arc::new(cast));
        story
    }

    fn under(rules: Rules) -> Story {
        Story::cast(rules, true)
    }

    fn cast(rules: Rules, keeps_history: bool) -> Story {
        let member = |name: &str, party: PartyId, role: Role, careful: bool| Member {
            name: name.to_owned(),
            role,
            user: profile(party),
            identities: vec![key(party), other_key(party)],
            careful,
            // Mallory's is Alice's second profile.
            person: if party == MALLORY { ALICE } else { party },
        };
        let cast = Cast {
            parties: vec![
                member("db-owner", DB_OWNER, Role::DbOwner, false),
                member("kyc-co", KYC, Role::Issuer, false),
                member("alice", ALICE, Role::User, false),
                member("mallory", MALLORY, Role::User, false),
                member("bank", BANK, Role::Consumer, true),
                member("shop", SHOP, Role::Consumer, false),
                member("door", DOOR, Role::Gateway, false),
                member("s1", S1, Role::ShareNode, false),
                member("s2", S2, Role::ShareNode, false),
                member("s3", S3, Role::ShareNode, false),
            ],
            nodes: NODES.len() as u16,
            keys: Vec::new(),
            sentries: Default::default(),
            leader: NodeId(0),
            chain_id: CHAIN.into(),
            rules,
            epoch: WallMillis(0),
            drift: 2_000,
            freshness: 30_000,
            operators: Vec::new(),
            external: crate::actor::External::ARBITRUM,
            keeps_history,
            balances: endowment(),
            history: 1,
        };
        Story {
            history: History::new(Arc::new(cast)),
            now: Millis::seconds(1),
            tip: Height(0),
            chain: Vec::new(),
            nonces: BTreeMap::new(),
            requests: 0,
        }
    }

    /// The nodes' keys are known, and n4 does not vote.
    pub(super) fn governed() -> Story {
        let mut story = Story::new();
        let mut cast = (*story.history.cast).clone();
        cast.keys = NODES.iter().map(|place| node(*place)).collect();
        cast.sentries.insert(N4);
        story.history = History::new(Arc::new(cast));
        story
    }

    /// Alice and Mallory have profiles.
    pub(super) fn registered(self) -> Story {
        self.block([did(DB_OWNER, hire())]).block([
            did(KYC, create(ALICE)),
            did(KYC, bind(ALICE)),
            did(KYC, create(MALLORY)),
            did(KYC, bind(MALLORY)),
        ])
    }

    /// Alice has her passport.
    pub(super) fn stored(self) -> Story {
        self.registered().block([did(ALICE, store(PASSPORT))])
    }

    /// Alice has her passport and has shared it with the bank.
    pub(super) fn shared(self, lock: i64) -> Story {
        self.stored().block([did(ALICE, share(BANK, lock))])
    }

    /// The history so far.
    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// Height of the last block.
    pub(super) fn tip(&self) -> u64 {
        self.tip.0
    }

    /// What comes next happens at this second, or now if that is over.
    pub(super) fn at(mut self, seconds: i64) -> Story {
        self.now = self.now.max(Millis::seconds(seconds.unsigned_abs()));
        self
    }

    /// Anything at all, now.
    pub(super) fn event(mut self, event: Event) -> Story {
        self.history.record(self.now, event);
        self
    }

    /// Every node commits a block of these transactions; a second passes.
    pub(super) fn block(self, told: impl IntoIterator<Item = Told>) -> Story {
        self.commit(block(told))
    }

    /// A block is committed; a second passes.
    pub(super) fn commit(mut self, draft: Draft) -> Story {
        let height = draft.height.unwrap_or(self.tip.next());
        let made = self.finish(&draft, height);
        for node in &draft.nodes {
            let event = made.event(*node, draft.odd_state, false);
            self.history.record(self.now, event);
        }
        self.tip = self.tip.max(height);
        self.chain.push(made);
        self.now += Millis::seconds(1);
        self
    }

    /// A node commits late what others committed at this height.
    pub(super) fn replay(self, node: NodeId, height: u64) -> Story {
        match self.made_at(Height(height)) {
            Some(made) => {
                let event = made.event(node, false, true);
                self.event(event)
            }
            None => self,
        }
    }

    fn made_at(&self, height: Height) -> Option<&Final> {
        let mut made = self.chain.iter();
        made.find(|made| made.committed.block.height == height)
    }

    fn finish(&mut self, draft: &Draft, height: Height) -> Final {
        let before = self
            .chain
            .last()
            .map_or(TablesDigest([0; 32]), |made| made.tables.1);
        let mut tables = before;
        let mut transactions = Vec::new();
        let mut results = Vec::new();
        for told in &draft.told {
            let used = self.nonces.entry(told.caller).or_default();
            let transaction = told.transaction(*used + 1);
            if told.outcome != Outcome::Invalid && told.nonce.is_none() {
                *used += 1;
            }
            if told.outcome == Outcome::Accepted || told.leak {
                tables = TablesDigest(after(&tables.0, &transaction.id.0));
            }
            results.push(TxResult {
                id: transaction.id,
                outcome: told.outcome,
                tables,
            });
            transactions.push(transaction);
        }
        let (previous, previous_app_hash) = self
            .chain
            .last()
            .map_or((BlockId([0; 32]), AppHash([0; 32])), |made| {
                (made.committed.block.id, made.committed.app_hash)
            });
        let time = draft
            .seconds
            .map_or(WallMillis(self.now.0), |s| WallMillis(s * 1000));
        let block = Block::propose(
            &Symbolic,
            &node_key(),
            draft.proposer,
            (height, previous, previous_app_hash),
            time,
            transactions.into(),
        );
        let app_hash = AppHash(after(&previous_app_hash.0, &block.id.0));
        let vote = |validator: &NodeId, block| Vote {
            validator: *validator,
            ballot: Ballot::default(),
            block,
            app_hash,
            signature: Vec::new(),
        };
        let real = draft.votes.iter().map(|node| vote(node, block.id));
        let stray = draft.stray_votes.iter().map(|node| vote(node, previous));
        let votes = real.chain(stray).collect();
        Final {
            committed: Arc::new(Committed {
                block,
                app_hash,
                votes,
            }),
            results: results.into(),
            tables: (before, tables),
        }
    }

    fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }

    /// A party asks a node, which answers at once.
    pub(super) fn exchange(
        mut self,
        by: PartyId,
        node: NodeId,
        what: Asked,
        reply: Reply,
    ) -> Story {
        let id = self.next_request();
        self.event(Event::Asked { id, by, node, what })
            .event(Event::Answered {
                id,
                by,
                node,
                reply,
            })
    }

    /// A party reads under its own name, at the height of the last block.
    pub(super) fn saw(
        self,
        by: PartyId,
        node: NodeId,
        query: Query,
        result: Result<Answer, Refusal>,
    ) -> Story {
        let tip = self.tip();
        self.saw_at(tip, by, node, query, result)
    }

    /// A party reads under its own name, and the node answers at this height.
    pub(super) fn saw_at(
        self,
        height: u64,
        by: PartyId,
        node: NodeId,
        query: Query,
        result: Result<Answer, Refusal>,
    ) -> Story {
        let reply = Reply::View {
            height: Height(height),
            result,
        };
        self.exchange(by, node, view(Some(key(by)), query), reply)
    }

    /// A party reads under a name it merely states.
    pub(super) fn saw_as(
        self,
        stated: PartyId,
        by: PartyId,
        node: NodeId,
        query: Query,
        result: Result<Answer, Refusal>,
    ) -> Story {
        let reply = Reply::View {
            height: self.tip,
            result,
        };
        let what = Asked::View {
            caller: Some(key(stated)),
            signed: false,
            query,
        };
        self.exchange(by, node, what, reply)
    }

    /// A party sends a transaction with a nonce of its own choice, and is told this.
    pub(super) fn sent(self, by: PartyId, node: NodeId, told: &Told, reply: Reply) -> Story {
        self.exchange(by, node, Asked::Broadcast(told.transaction(0)), reply)
    }

    /// A node's tables are looked into, and only these rows are there.
    pub(super) fn look(
        self,
        node: NodeId,
        credentials: &[CredentialId],
        grants: &[GrantId],
        users: &[PartyId],
    ) -> Story {
        let tip = self.tip();
        self.look_at(tip, node, credentials, grants, users)
    }

    /// A node at this height is looked into.
    pub(super) fn look_at(
        self,
        height: u64,
        node: NodeId,
        credentials: &[CredentialId],
        grants: &[GrantId],
        users: &[PartyId],
    ) -> Story {
        let made = self.made_at(Height(height));
        let (app_hash, tables) = made.map_or(Default::default(), |made| {
            (made.committed.app_hash, Some(made.tables.1))
        });
        let found = Found {
            tables,
            credentials: credentials.to_vec(),
            grants: grants.to_vec(),
            users: users.iter().map(|user| profile(*user)).collect(),
            ..Found::default()
        };
        self.event(found.on(node, Height(height), app_hash))
    }

    /// A node is found with no block older than this.
    pub(super) fn look_back(self, node: NodeId, oldest: u64) -> Story {
        self.find(
            node,
            Found {
                oldest: Some(Height(oldest)),
                ..Found::default()
            },
        )
    }

    /// A node is found with records of these used papers that name somebody.
    pub(super) fn look_for_papers(self, node: NodeId, named: &[WriteGrantId]) -> Story {
        self.find(
            node,
            Found {
                named: named.to_vec(),
                ..Found::default()
            },
        )
    }

    /// A node takes a snapshot of a height for its state: the one that was voted for, or another.
    pub(super) fn install(self, node: NodeId, height: u64, voted: bool) -> Story {
        let made = self.made_at(Height(height)).expect("a block was committed");
        let app_hash = match voted {
            true => made.committed.app_hash,
            false => AppHash([9; 32]),
        };
        self.event(Event::Installed {
            node,
            height: Height(height),
            app_hash,
            tables: None,
        })
    }

    /// A node at the last block's height and app hash is found with these tables.
    pub(super) fn look_at_tables(self, node: NodeId, digest: [u8; 32]) -> Story {
        self.find(
            node,
            Found {
                tables: Some(TablesDigest(digest)),
                ..Found::default()
            },
        )
    }

    /// This is found on a node at the last block's height and app hash.
    fn find(self, node: NodeId, found: Found) -> Story {
        let made = self.made_at(self.tip).expect("a block was committed");
        let (height, app_hash) = (self.tip, made.committed.app_hash);
        self.event(found.on(node, height, app_hash))
    }

    pub(super) fn scan(self, node: NodeId, place: Place, bytes: u64, found: &[&str]) -> Story {
        self.event(Event::Scanned {
            node,
            place,
            bytes,
            found: found.iter().map(|marker| (*marker).to_owned()).collect(),
        })
    }

    /// A node is searched for the content of a deleted credential.
    pub(super) fn remain(self, node: NodeId, credential: CredentialId, level: Level) -> Story {
        self.event(Event::Remained {
            node,
            credential,
            level,
        })
    }

    /// What a node said at the height of the last block goes against the ledger.
    pub(super) fn contradict(self, node: NodeId, of: Contradiction) -> Story {
        let height = self.tip;
        self.event(Event::Contradicted {
            node,
            of,
            height,
            what: "get_credentials by alice".to_owned(),
            expected: "1 row".to_owned(),
            got: "2 rows".to_owned(),
        })
    }

    /// So much of what a node said was compared with the ledger.
    pub(super) fn compare(self, node: NodeId, answers: u64, results: u64) -> Story {
        self.event(Event::Compared {
            node,
            answers,
            results,
        })
    }

    pub(super) fn seal(self, by: PartyId, credential: CredentialId, once: &str) -> Story {
        self.event(Event::Sealed {
            by,
            credential,
            encryptor: once.into(),
            document: document("passport"),
            content: *sealed(&credential.to_string()).digest(),
            to: "key".into(),
        })
    }

    pub(super) fn issue(self, about: PartyId, credential: CredentialId, name: &str) -> Story {
        self.event(Event::Issued {
            by: KYC,
            about: profile(about),
            credential,
            document: document(name),
            dated: 1,
        })
    }

    /// A party opens a credential it read at the height of the last block.
    pub(super) fn open(self, by: PartyId, credential: CredentialId) -> Story {
        let height = self.tip;
        self.event(Event::Opened {
            by,
            credential,
            document: document("passport"),
            height,
        })
    }

    /// A consumer accepts a copy as Alice's; it opened as this document, if at all.
    pub(super) fn accept(self, by: PartyId, name: Option<&str>) -> Story {
        self.judge(by, name, None)
    }

    /// A consumer has its doubts about a copy of Alice's.
    pub(super) fn doubt(self, by: PartyId, doubt: Doubt) -> Story {
        self.judge(by, Some("passport"), Some(doubt))
    }

    fn judge(self, by: PartyId, name: Option<&str>, doubt: Option<Doubt>) -> Story {
        let height = self.tip;
        self.event(Event::Judged {
            by,
            copy: copy_for(by),
            user: profile(ALICE),
            document: name.map(document),
            height,
            doubt,
        })
    }

    /// A consumer asks Alice for access.
    pub(super) fn request(self, request: u32, by: PartyId, locked_until: i64) -> Story {
        self.event(Event::Requested {
            request,
            by,
            of: ALICE,
            locked_until,
        })
    }

    /// Alice approves a request with this lock.
    pub(super) fn approve(self, request: u32, locked_until: i64) -> Story {
        self.event(Event::Decided {
            request,
            by: ALICE,
            copy: Some(FOR_BANK),
            locked_until,
        })
    }

    /// Alice denies a request.
    pub(super) fn deny(self, request: u32) -> Story {
        self.event(Event::Decided {
            request,
            by: ALICE,
            copy: None,
            locked_until: 0,
        })
    }

    pub(super) fn crash(self, node: NodeId) -> Story {
        self.event(Event::Crashed { node, lost: 0 })
    }

    /// A node stops for good, since its state is another.
    pub(super) fn halt(self, node: NodeId) -> Story {
        let height = self.tip;
        self.event(Event::Halted {
            node,
            why: crate::node::Halt::Diverged { height },
        })
    }

    pub(super) fn start_again(self, node: NodeId) -> Story {
        self.event(Event::Started { node, again: true })
    }

    pub(super) fn lead(self, node: NodeId, term: u32) -> Story {
        self.event(Event::Leads { node, term })
    }

    pub(super) fn appoint(self, leader: NodeId, term: u32) -> Story {
        self.event(Event::Appointed { leader, term })
    }
}

fn after(before: &[u8; 32], what: &[u8; 32]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(what);
    *hasher.finalize().as_bytes()
}

fn node_key() -> SigningKey {
    SigningKey {
        scheme: Scheme::Ed25519,
        secret: [1; 32],
    }
}
