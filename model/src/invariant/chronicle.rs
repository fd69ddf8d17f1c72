//! What ought to be true at each height, told by the promises from what was accepted.
//!
//! The chronicle reads the chain as an outsider would: from the text of each action, whether it was
//! accepted, and the time of its block. It shares no code with the ledger, so a rule broken there shows
//! as a difference here.

use std::collections::{BTreeMap, BTreeSet};

use super::books::Books;
use super::council::Council;
use crate::crypto::{Identity, canonical_identifier};
use crate::history::{Asked, Event, History, Observation};
use crate::id::{
    AccessRequestId, AttributeId, BlockId, CredentialId, GrantId, Height, NodeId, PartyId, Text,
    TxId, UserId, WalletId,
};
use crate::ledger::{
    Action, Answer, Outcome, Query, Refusal, RequestState, Transaction, WalletType, Written,
};
use crate::node::{Reply, RequestId};
use crate::rules::Switch;
use crate::time::BlockTime;
use crate::vc::notes_id;

/// An accepted or refused action, and where it stands in the chain.
#[derive(Clone, Copy, Debug)]
pub struct Deed<'a> {
    /// The action.
    pub action: &'a Action,
    /// Its place in the transaction's batch.
    pub call: usize,
    /// Who signed.
    pub caller: Identity,
    /// The profile the caller spoke for when it acted: what comes later in the block does not count.
    pub own: Option<UserId>,
    /// The transaction.
    pub transaction: &'a Transaction,
    /// What became of it.
    pub outcome: Outcome,
    /// Height of its block.
    pub height: Height,
    /// Chain time of its block.
    pub time: BlockTime,
    /// Its place among all deeds, as one block may hold several about one row.
    pub order: usize,
    /// The observation that showed the block first.
    pub seen: usize,
}

impl Deed<'_> {
    /// Whether a refusal speaks of this very action: in a batch it may be another's.
    pub fn is_alone(&self) -> bool {
        self.transaction.payload.calls().len() == 1
    }
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Height of the block that ended it.
    pub height: Height,
    /// Chain time of that block.
    pub time: BlockTime,
    /// Place of the deed that ended it.
    pub order: usize,
    /// The observation that showed the block first.
    pub seen: usize,
    /// By what.
    pub how: How,
}

/// When something happens: with a deed, or at the beginning of a block.
#[derive(Clone, Copy)]
struct Moment {
    height: Height,
    time: BlockTime,
    order: usize,
    seen: usize,
}

impl Moment {
    fn of(deed: &Deed<'_>) -> Moment {
        Moment {
            height: deed.height,
            time: deed.time,
            order: deed.order,
            seen: deed.seen,
        }
    }

    fn end(self, how: How) -> End {
        let Moment {
            height,
            time,
            order,
            seen,
        } = self;
        End {
            height,
            time,
            order,
            seen,
            how,
        }
    }
}

/// By what something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The owner revoked the grant.
    Revoked,
    /// The grantee gave it up.
    Rescinded,
    /// The owner removed this very row.
    Removed,
    /// It went with the original it was copied from.
    WithOriginal,
    /// It went with the last grant on it.
    WithLastGrant,
    /// The owner erased the profile.
    Erased,
    /// Its own end had come, or its uses were over.
    Ended,
    /// No lock kept it any more, and its owner had asked for its removal.
    Due,
}

/// A credential as it ought to be.
#[derive(Clone, Debug)]
pub struct CredentialFact<'a> {
    /// Whose profile it is in.
    pub owner: UserId,
    /// The original it was copied from.
    pub original: Option<CredentialId>,
    /// What its owner made of it: as inserted, and after each edit.
    pub writings: Vec<Writing>,
    /// Where it came from.
    pub born: Deed<'a>,
    /// How it ended.
    pub end: Option<End>,
}

/// What a credential holds from a deed on.
#[derive(Clone, Debug)]
pub struct Writing {
    /// Key that signed it, as stored.
    pub issuer: Text,
    /// One-time key of the sender.
    pub encryptor: Text,
    /// Its notes, which its issuer may state anew.
    pub notes: Text,
    /// Digest of its content.
    pub content: [u8; 32],
    /// Height of the block that wrote it.
    pub height: Height,
    /// Place of the deed that wrote it.
    pub order: usize,
    /// The observation that showed the block first.
    pub seen: usize,
}

impl Writing {
    /// What a deed wrote; it must be one that writes a credential.
    fn of(deed: Deed<'_>) -> Writing {
        let Some(written) = Written::of(deed.action) else {
            unreachable!("{} writes no credential", deed.action.name())
        };
        Writing::made(&written, deed)
    }

    /// What a deed wrote, among other things.
    fn made(written: &Written<'_>, deed: Deed<'_>) -> Writing {
        Writing {
            issuer: written.issuer_auth_public_key.clone(),
            encryptor: written.encryptor_public_key.clone(),
            notes: written.public_notes.clone(),
            content: *written.content.digest(),
            height: deed.height,
            order: deed.order,
            seen: deed.seen,
        }
    }
}

impl CredentialFact<'_> {
    /// What it held after a block; what it was inserted with, for blocks before it was there.
    pub fn written_at(&self, height: Height) -> &Writing {
        self.last_written(|writing| writing.height <= height)
    }

    /// What it held just before a deed; what it was inserted with, for deeds before it was there.
    pub fn written_before(&self, deed: &Deed<'_>) -> &Writing {
        self.last_written(|writing| writing.order < deed.order)
    }

    fn last_written(&self, known: impl Fn(&Writing) -> bool) -> &Writing {
        let last = self.writings.iter().rev().find(|writing| known(writing));
        last.unwrap_or(&self.writings[0])
    }
}

/// A grant as it ought to be.
#[derive(Clone, Debug)]
pub struct GrantFact<'a> {
    /// Owner of the credential at creation.
    pub owner: UserId,
    /// The grantee, in the form the nodes were told to keep.
    pub grantee: Text,
    /// The credential.
    pub data: CredentialId,
    /// Last second of the lock.
    pub locked_until: i64,
    /// How far it goes.
    pub terms: TermsFact<'a>,
    /// Where it came from.
    pub born: Deed<'a>,
    /// How it ended.
    pub end: Option<End>,
}

impl GrantFact<'_> {
    /// Whether it lets its grantee read at this chain time, in a block of this height: before its end, and where
    /// uses are counted, within the time that one of them opens.
    pub fn reads_at(&self, height: Height, time: BlockTime) -> bool {
        let ended = self.terms.expires_at.is_some_and(|end| end < time.0);
        !ended && (self.terms.uses.is_none() || self.opened_until(height) >= Some(time.0))
    }

    /// Until when the uses that were made by this height let the grantee read.
    pub fn opened_until(&self, height: Height) -> Option<i64> {
        let made = self.terms.used.iter().filter(|one| one.height <= height);
        made.map(|one| one.time.0 + READING).max()
    }

    /// Whether it had a use left just before a deed.
    pub fn has_use_before(&self, deed: &Deed<'_>) -> bool {
        let made = self.terms.used.iter();
        let made = made.filter(|one| one.order < deed.order).count() as i64;
        self.terms.uses.is_none_or(|uses| made < uses)
    }

    /// Whether its end has come, or every use has been made and is over.
    fn is_over(&self, time: BlockTime) -> bool {
        let all_used = self
            .terms
            .uses
            .is_some_and(|uses| self.terms.used.len() as i64 >= uses);
        let ended = self.terms.expires_at.is_some_and(|end| end < time.0);
        let last = self.terms.used.last();
        let last = last.map(|one| one.time.0 + READING);
        ended || all_used && last.is_none_or(|until| until < time.0)
    }
}

/// For how many seconds one use of a grant lets its grantee read.
const READING: i64 = 300;

/// How far a grant goes besides its lock, and what use was made of it.
#[derive(Clone, Debug, Default)]
pub struct TermsFact<'a> {
    /// Last second in which it gives access, UNIX seconds.
    pub expires_at: Option<i64>,
    /// How often it may be used.
    pub uses: Option<i64>,
    /// When it was used.
    pub used: Vec<Deed<'a>>,
}

impl TermsFact<'_> {
    /// A last second and a number of uses, none of which has been made.
    fn unused(expires_at: Option<i64>, uses: Option<i64>) -> Self {
        TermsFact {
            expires_at,
            uses,
            used: Vec::new(),
        }
    }
}

/// A request for access as the chain tells it.
#[derive(Clone, Debug)]
pub struct RequestFact<'a> {
    /// Who asks.
    pub consumer: Text,
    /// Who is asked.
    pub owner: UserId,
    /// Where it came from.
    pub born: Deed<'a>,
    /// What was decided, and by which deed: a share, a denial or a withdrawal.
    pub decided: Option<Deed<'a>>,
}

impl RequestFact<'_> {
    /// Last second in which it can be approved, UNIX seconds.
    pub fn stands_until(&self) -> i64 {
        match self.born.action {
            Action::RequestAccess { stands_until, .. } => *stands_until,
            _ => i64::MIN,
        }
    }

    /// How far it had come after this block, at this chain time.
    pub fn state_at(&self, height: Height, time: BlockTime) -> RequestState {
        let decided = self.decided.filter(|deed| deed.height <= height);
        match decided.map(|deed| deed.action) {
            Some(Action::DenyAccessRequest { .. }) => RequestState::Denied,
            Some(Action::WithdrawAccessRequest { .. }) => RequestState::Withdrawn,
            Some(_) => RequestState::Approved,
            None if self.stands_until() < time.0 => RequestState::Expired,
            None => RequestState::Submitted,
        }
    }
}

/// A wallet as it ought to be.
#[derive(Clone, Debug)]
pub struct WalletFact {
    /// Whose.
    pub owner: UserId,
    /// What it is, which decides how it is found.
    pub kind: WalletType,
    /// Its address, as stored.
    pub address: Text,
    /// How its key appears as a caller: see [`speaks_as`].
    pub caller: Text,
    /// How long it is bound.
    pub span: Span,
}

/// From which deed on, and until which, something ought to be there.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// From this height on.
    pub since: Height,
    /// Until this height.
    pub until: Option<Height>,
    /// Place of the deed that began it.
    pub began: usize,
    /// Place of the deed that ended it.
    pub ended: Option<usize>,
}

impl Span {
    fn from(deed: &Deed<'_>) -> Span {
        Span {
            since: deed.height,
            until: None,
            began: deed.order,
            ended: None,
        }
    }

    /// Ends it, unless it has ended before.
    fn end(&mut self, deed: &Deed<'_>) {
        if self.until.is_none() {
            (self.until, self.ended) = (Some(deed.height), Some(deed.order));
        }
    }

    /// Whether it ought to be there after this block.
    pub fn lives_at(&self, height: Height) -> bool {
        self.since <= height && self.until.is_none_or(|until| height < until)
    }

    /// Whether it ought to have been there just before a deed.
    pub fn stood_before(&self, deed: &Deed<'_>) -> bool {
        self.began < deed.order && self.ended.is_none_or(|order| order >= deed.order)
    }
}

impl WalletFact {
    /// Whether an identifier names this wallet: an EVM address in any case of letters, everything else
    /// exactly; a Stellar key also by its address. Source: WAL-02.
    pub fn answers_to(&self, identifier: &str) -> bool {
        match self.kind {
            WalletType::EVM => self.caller.eq_ignore_ascii_case(identifier),
            WalletType::Stellar => *self.caller == *identifier || *self.address == *identifier,
            WalletType::NEAR | WalletType::XRPL | WalletType::FaceSign => {
                *self.caller == *identifier
            }
        }
    }
}

/// What an issuer stated about a credential.
#[derive(Clone, Debug)]
pub struct StatusFact {
    /// Hex key of the issuer.
    pub issuer: Text,
    /// Which credential.
    pub notes_id: Text,
    /// The notes.
    pub notes: Text,
    /// From this height on.
    pub since: Height,
    /// Place of the deed that stated it.
    pub order: usize,
    /// The observation that showed the block first.
    pub seen: usize,
}

/// An attribute as it ought to be.
#[derive(Clone, Debug)]
pub struct AttributeFact {
    /// Whose profile it is in.
    pub owner: UserId,
    /// The original it was copied from.
    pub original: Option<AttributeId>,
    /// How long it is there.
    pub span: Span,
    /// The observation that showed the block first.
    pub seen: usize,
}

/// A life between two heights.
pub(super) trait Life {
    /// What began it.
    fn born(&self) -> &Deed<'_>;
    /// How it ended, if it did.
    fn end(&self) -> Option<End>;

    /// Whether it ought to be there after this block.
    fn lives_at(&self, height: Height) -> bool {
        self.born().height <= height && self.end().is_none_or(|end| height < end.height)
    }

    /// Whether it ought to have been there just before a deed, also when that deed ended it.
    fn stood_before(&self, deed: &Deed<'_>) -> bool {
        self.born().order < deed.order && self.end().is_none_or(|end| end.order >= deed.order)
    }
}

impl Life for CredentialFact<'_> {
    fn born(&self) -> &Deed<'_> {
        &self.born
    }
    fn end(&self) -> Option<End> {
        self.end
    }
}

impl Life for GrantFact<'_> {
    fn born(&self) -> &Deed<'_> {
        &self.born
    }
    fn end(&self) -> Option<End> {
        self.end
    }
}

/// A view that was answered.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Who asked.
    pub by: PartyId,
    /// Whether the reader showed a signature.
    pub signed: bool,
    /// Who answered.
    pub node: NodeId,
    /// Whom the node took the reader for.
    pub caller: Option<Identity>,
    /// What was asked.
    pub query: &'a Query,
    /// Height of the state it was answered from.
    pub height: Height,
    /// What was answered.
    pub result: &'a Result<Answer, Refusal>,
    /// The observation of the question.
    pub asked: usize,
    /// The observation of the answer.
    pub seen: usize,
}

/// Rows of a page when none are asked for. Source: READ-05.
const PAGE: usize = 20;

/// Whether a page shows everything there is: the first one does, unless it is full.
pub(super) fn is_whole(page: Option<i64>, size: Option<i64>, rows: usize) -> bool {
    let size = size.and_then(|size| usize::try_from(size).ok());
    page.is_none_or(|page| page == 1) && rows < size.unwrap_or(PAGE)
}

/// A history read as a chain of deeds and what ought to follow from them. See the module.
pub struct Chronicle<'a> {
    /// What it was read from.
    pub history: &'a History,
    /// Every action in every block, in order of execution.
    pub deeds: Vec<Deed<'a>>,
    /// Every view that was answered, in order of the answers.
    pub views: Vec<View<'a>>,
    /// First observation of each block, by height.
    pub blocks: BTreeMap<Height, (usize, BlockId, BlockTime)>,
    /// Credentials, each life of an id one after the other.
    pub credentials: BTreeMap<CredentialId, Vec<CredentialFact<'a>>>,
    /// Grants, each life of an id one after the other.
    pub grants: BTreeMap<GrantId, Vec<GrantFact<'a>>>,
    /// Wallets, each life of an id one after the other.
    pub wallets: BTreeMap<WalletId, Vec<WalletFact>>,
    /// Attributes, each life of an id one after the other.
    pub attributes: BTreeMap<AttributeId, Vec<AttributeFact>>,
    /// Profiles: from which height, until which.
    pub users: BTreeMap<UserId, (Height, Option<Height>)>,
    /// When profiles were erased, and the place of the deed that did it.
    erasures: BTreeMap<UserId, Vec<(Height, usize)>>,
    /// Status statements in order.
    pub statuses: Vec<StatusFact>,
    /// What people ought to have of the tokens.
    pub(super) books: Books,
    /// Requests for access.
    pub requests: BTreeMap<AccessRequestId, RequestFact<'a>>,
    /// Credentials that go as soon as no lock keeps them.
    due: BTreeSet<CredentialId>,
    /// Who votes when.
    pub council: Council,
    /// Where each transaction stands in the chain, what it came to there, and the observation that showed it
    /// first; more than once if it was out of turn before.
    pub placed: BTreeMap<TxId, Vec<(Height, Outcome, usize)>>,
}

impl<'a> Chronicle<'a> {
    /// Reads a history.
    pub fn read(history: &'a History) -> Chronicle<'a> {
        let mut chronicle = Chronicle {
            history,
            deeds: Vec::new(),
            views: views(history),
            blocks: BTreeMap::new(),
            credentials: BTreeMap::new(),
            grants: BTreeMap::new(),
            wallets: BTreeMap::new(),
            attributes: BTreeMap::new(),
            users: BTreeMap::new(),
            erasures: BTreeMap::new(),
            statuses: Vec::new(),
            books: Books::default(),
            requests: BTreeMap::new(),
            due: BTreeSet::new(),
            council: Council::founded(&history.cast),
            placed: BTreeMap::new(),
        };
        for (seen, observation) in history.observations().iter().enumerate() {
            if let Event::Committed {
                committed, results, ..
            } = &observation.event
            {
                let block = &committed.block;
                let first = chronicle.blocks.contains_key(&block.height);
                if first {
                    continue;
                }
                let at = (seen, block.id, block.block_time());
                chronicle.blocks.insert(block.height, at);
                chronicle.pass_time(Moment {
                    height: block.height,
                    time: block.block_time(),
                    // After everything that was done before, and before everything in this block.
                    order: chronicle.deeds.len().saturating_sub(1),
                    seen,
                });
                let outcomes = results.iter().map(|result| result.outcome);
                chronicle.council.follow(committed, outcomes, seen);
                for (transaction, result) in block.transactions.iter().zip(results.iter()) {
                    let place = (block.height, result.outcome, seen);
                    let places = chronicle.placed.entry(transaction.id).or_default();
                    places.push(place);
                    for (call, action) in transaction.payload.calls().iter().enumerate() {
                        let deed = Deed {
                            action,
                            call,
                            caller: transaction.sender,
                            own: chronicle.user_of(&transaction.sender, block.height),
                            transaction,
                            outcome: result.outcome,
                            height: block.height,
                            time: block.block_time(),
                            order: chronicle.deeds.len(),
                            seen,
                        };
                        chronicle.deeds.push(deed);
                        if result.outcome == Outcome::Accepted {
                            chronicle.follow(deed);
                        }
                    }
                }
            }
        }
        chronicle.books = Books::read(&chronicle);
        chronicle
    }

    /// Every observation with its index.
    pub fn observations(&self) -> impl Iterator<Item = (usize, &'a Observation)> {
        self.history.observations().iter().enumerate()
    }

    /// Whether an edit leaves what the issuer said as it is, which makes it the owner's to sign, and leaves the
    /// issuer's key. Source: idos-facts 5.10.
    pub fn reseals(&self, fact: &CredentialFact<'_>, deed: &Deed<'_>) -> bool {
        let notes = match deed.action {
            Action::EditCredential { public_notes, .. } => public_notes,
            _ => return false,
        };
        let rules = self.history.cast.rules;
        rules.keep(Switch::RotationKeepsIssuer) && self.notes_before(fact, deed) == notes
    }

    /// Whether an edit was accepted though it reaches no row of the caller's, as it is without `no-silent-success`:
    /// then it has changed nothing.
    pub(super) fn edits_nothing(&self, id: CredentialId, deed: &Deed<'_>) -> bool {
        let silent = !self.history.cast.rules.keep(Switch::NoSilentSuccess);
        let present = self.credential_before(id, deed);
        let foreign = present.is_none_or(|fact| Some(fact.owner) != deed.own);
        silent && foreign && matches!(deed.action, Action::EditCredential { .. })
    }

    /// The profile a caller speaks for at a height.
    pub fn user_of(&self, caller: &Identity, height: Height) -> Option<UserId> {
        self.user_named(&caller.caller(), height)
    }

    /// The profile of the wallet that a caller or a paper names.
    pub(super) fn user_named(&self, caller: &str, height: Height) -> Option<UserId> {
        self.wallets
            .values()
            .flatten()
            .find(|wallet| wallet.span.lives_at(height) && wallet.answers_to(caller))
            .map(|wallet| wallet.owner)
    }

    /// The credential's life that was going on after this block.
    pub fn credential_at(&self, id: CredentialId, height: Height) -> Option<&CredentialFact<'a>> {
        self.credentials
            .get(&id)?
            .iter()
            .find(|fact| fact.lives_at(height))
    }

    /// The credential's life that was going on just before a deed.
    pub fn credential_before(
        &self,
        id: CredentialId,
        deed: &Deed<'_>,
    ) -> Option<&CredentialFact<'a>> {
        self.credentials
            .get(&id)?
            .iter()
            .find(|fact| fact.stood_before(deed))
    }

    /// The life of the original a copy was made of, also when its id has been given to another since.
    pub fn original_of(&self, copy: &CredentialFact<'_>) -> Option<&CredentialFact<'a>> {
        self.credential_before(copy.original?, &copy.born)
    }

    /// The credential a grant was made on; a shared copy comes with its grant, by the same deed.
    pub fn credential_for(&self, grant: &GrantFact<'_>) -> Option<&CredentialFact<'a>> {
        self.credentials
            .get(&grant.data)?
            .iter()
            .find(|fact| fact.born.order == grant.born.order || fact.stood_before(&grant.born))
    }

    /// The credential's last life that began by this block, whether it goes on or not.
    pub fn last_credential(&self, id: CredentialId, height: Height) -> Option<&CredentialFact<'a>> {
        self.credentials
            .get(&id)?
            .iter()
            .rev()
            .find(|fact| fact.born.height <= height)
    }

    /// The grants that ought to be on a credential after this block.
    pub fn grants_on(
        &self,
        data: CredentialId,
        height: Height,
    ) -> impl Iterator<Item = (GrantId, &GrantFact<'a>)> {
        self.all_grants()
            .filter(move |(_, grant)| grant.data == data && grant.lives_at(height))
    }

    /// Whether a lock on a credential runs at this chain time, after a block of this height.
    pub fn is_locked(&self, data: CredentialId, height: Height, time: BlockTime) -> bool {
        let mut grants = self.grants_on(data, height);
        grants.any(|(_, grant)| grant.locked_until >= time.0)
    }

    /// Every life of every grant.
    pub fn all_grants(&self) -> impl Iterator<Item = (GrantId, &GrantFact<'a>)> {
        self.grants
            .iter()
            .flat_map(|(id, lives)| lives.iter().map(|life| (*id, life)))
    }

    /// Every life of every credential.
    pub fn all_credentials(&self) -> impl Iterator<Item = (CredentialId, &CredentialFact<'a>)> {
        self.credentials
            .iter()
            .flat_map(|(id, lives)| lives.iter().map(|life| (*id, life)))
    }

    /// What an issuer had stated last by this block.
    pub fn stated(&self, issuer: &str, notes_id: &str, height: Height) -> Option<&StatusFact> {
        self.statuses.iter().rev().find(|status| {
            *status.issuer == *issuer && *status.notes_id == *notes_id && status.since <= height
        })
    }

    /// What an issuer had stated last when a deed came.
    pub fn stated_before(
        &self,
        issuer: &str,
        notes_id: &str,
        deed: &Deed<'_>,
    ) -> Option<&StatusFact> {
        self.statuses.iter().rev().find(|status| {
            *status.issuer == *issuer && *status.notes_id == *notes_id && status.order < deed.order
        })
    }

    /// The notes a credential ought to have when a deed comes: as stated by its issuer, else as written.
    pub fn notes_before<'c>(&'c self, fact: &'c CredentialFact<'_>, deed: &Deed<'_>) -> &'c Text {
        let written = fact.written_before(deed);
        notes_id(&written.notes)
            .and_then(|id| self.stated_before(&written.issuer, &id, deed))
            .filter(|status| status.order > fact.born.order)
            .map_or(&written.notes, |status| &status.notes)
    }

    /// Whether an inserter writes what is there already, which is a retry and changes nothing.
    pub fn repeats(&self, fact: &CredentialFact<'_>, deed: &Deed<'_>) -> bool {
        let Action::UpsertCredentialAsInserter {
            user_id,
            issuer_auth_public_key,
            encryptor_public_key,
            content,
            public_notes,
            ..
        } = deed.action
        else {
            return false;
        };
        let written = fact.written_before(deed);
        fact.original.is_none()
            && fact.owner == *user_id
            && written.issuer == *issuer_auth_public_key
            && written.encryptor == *encryptor_public_key
            && written.content == *content.digest()
            && self.notes_before(fact, deed) == public_notes
    }

    /// Whether, by this block, a profile had been erased after a deed, with everything that was about it then.
    pub fn is_forgotten(&self, user: UserId, born: &Deed<'_>, height: Height) -> bool {
        let mut erasures = self.erasures.get(&user).into_iter().flatten();
        erasures.any(|(at, order)| *at <= height && *order > born.order)
    }

    /// Chain time of a block.
    pub fn time_of(&self, height: Height) -> BlockTime {
        self.blocks
            .get(&height)
            .map_or(BlockTime(0), |(_, _, time)| *time)
    }

    /// The party behind a caller.
    pub fn holder(&self, caller: &Identity) -> Option<PartyId> {
        self.history.cast.holder(&caller.caller())
    }

    /// A party's name, or its identity where it has none.
    pub fn name_of(&self, caller: &Identity) -> String {
        match self.holder(caller) {
            Some(party) => self.history.cast.party(party).name.clone(),
            None => caller.caller(),
        }
    }

    /// The name of a profile's owner.
    pub fn name_of_user(&self, user: UserId) -> String {
        match self.history.cast.owner(user) {
            Some(party) => self.history.cast.party(party).name.clone(),
            None => user.to_string(),
        }
    }

    /// Deeds that were accepted.
    pub fn accepted(&self) -> impl Iterator<Item = &Deed<'a>> {
        self.deeds
            .iter()
            .filter(|deed| deed.outcome == Outcome::Accepted)
    }

    /// What ought to follow from an accepted action, by the promises.
    fn follow(&mut self, deed: Deed<'a>) {
        let (height, own) = (deed.height, deed.own);
        match deed.action {
            Action::UpsertWalletAsInserter {
                id,
                user_id,
                address,
                public_key,
                wallet_type,
                ..
            } => {
                // An id that was erased is free again.
                let life = self.users.entry(*user_id).or_insert((height, None));
                if life.1.is_some() {
                    *life = (height, None);
                }
                self.bind(*id, *user_id, (wallet_type, address, public_key), deed);
            }
            Action::AddWallet {
                id,
                address,
                public_key,
                wallet_type,
                ..
            } => {
                if let Some(own) = own {
                    self.bind(*id, own, (wallet_type, address, public_key), deed);
                }
            }
            Action::RemoveWallet { id } => {
                let lives = self.wallets.get_mut(id).into_iter().flatten();
                for wallet in lives.filter(|wallet| Some(wallet.owner) == own) {
                    wallet.span.end(&deed);
                }
            }
            Action::RemoveUser {} => {
                if let Some(own) = own {
                    self.erase(own, deed);
                }
            }
            Action::UpsertCredentialAsInserter { id, user_id, .. } => {
                self.insert(*id, *user_id, None, Writing::of(deed), deed);
            }
            Action::AddCredential { id, .. } => {
                let Some(owner) = own else { return };
                self.insert(*id, owner, None, Writing::of(deed), deed);
            }
            Action::EditCredential { id, .. } => {
                let mut writing = Writing::of(deed);
                // Who seals a credential anew is not its issuer.
                if let Some(fact) = self.credential_before(*id, &deed)
                    && self.reseals(fact, &deed)
                {
                    writing.issuer = fact.written_before(&deed).issuer.clone();
                }
                if let Some(fact) = self.living(*id)
                    && Some(fact.owner) == own
                {
                    fact.writings.push(writing);
                }
            }
            Action::EditPublicNotesAsIssuer {
                public_notes_id,
                public_notes,
            } => {
                self.statuses.push(StatusFact {
                    issuer: deed.caller.caller().into(),
                    notes_id: public_notes_id.clone(),
                    notes: public_notes.clone(),
                    since: height,
                    order: deed.order,
                    seen: deed.seen,
                });
            }
            Action::ShareCredential {
                id,
                original_credential_id: original,
                grantee_wallet_identifier: grantee,
                locked_until,
                terms,
                ..
            } => {
                let Some(owner) = own else { return };
                self.insert(*id, owner, Some(*original), Writing::of(deed), deed);
                let how_far = terms
                    .as_ref()
                    .map(|terms| TermsFact::unused(terms.expires_at, terms.uses));
                let how_far = (*locked_until, how_far.unwrap_or_default());
                self.grant(grantee, *id, how_far, owner, deed);
                if let Some(request) = terms.as_ref().and_then(|terms| terms.request_id) {
                    self.decide(request, deed);
                }
            }
            Action::CreateCredentialCopy {
                id,
                original_credential_id: original,
                ..
            } => {
                let Some(owner) = own else { return };
                self.insert(*id, owner, Some(*original), Writing::of(deed), deed);
            }
            Action::CreateCredentialsByDwg {
                dwg_owner,
                dwg_grantee,
                dwg_access_grant_timelock,
                ..
            } => {
                let Some([original, copy]) = Written::delegated(deed.action) else {
                    return;
                };
                if let Some(owner) = self.user_named(dwg_owner, height) {
                    let (from, to) = (original.id, copy.id);
                    self.insert(from, owner, None, Writing::made(&original, deed), deed);
                    self.insert(to, owner, Some(from), Writing::made(&copy, deed), deed);
                    // An instant that names no second locks nothing.
                    let locked_until = second_of(dwg_access_grant_timelock).unwrap_or(0);
                    self.grant(
                        dwg_grantee,
                        to,
                        (locked_until, TermsFact::default()),
                        owner,
                        deed,
                    );
                }
            }
            Action::CreateAgByDagForCopy {
                dag_owner_wallet_identifier,
                dag_grantee_wallet_identifier,
                dag_data_id,
                dag_locked_until,
                terms,
                ..
            } => {
                if let Some(owner) = self.user_named(dag_owner_wallet_identifier, height) {
                    let grantee = dag_grantee_wallet_identifier;
                    let how_far = terms
                        .as_ref()
                        .map(|terms| TermsFact::unused(terms.expires_at, terms.uses));
                    let how_far = (*dag_locked_until, how_far.unwrap_or_default());
                    self.grant(grantee, *dag_data_id, how_far, owner, deed);
                }
            }
            Action::RevokeAccessGrant { id } => {
                let data = self.end_grant(*id, Moment::of(&deed), How::Revoked);
                self.end_unneeded_copy(data, Moment::of(&deed));
            }
            Action::RescindSharedCredential { credential_id } => {
                let caller = deed.caller.caller();
                let given_up: Vec<GrantId> = self
                    .grants_on(*credential_id, height)
                    .filter(|(_, grant)| grant.grantee.eq_ignore_ascii_case(&caller))
                    .map(|(id, _)| id)
                    .collect();
                for grant in given_up {
                    self.end_grant(grant, Moment::of(&deed), How::Rescinded);
                }
                self.end_unneeded_copy(Some(*credential_id), Moment::of(&deed));
            }
            Action::RemoveCredential { id } => {
                self.end_credential(*id, Moment::of(&deed), How::Removed);
            }
            Action::RemoveCredentialWhenUnlocked { id } => {
                self.remove_or_wait(*id, Moment::of(&deed), How::Removed);
            }
            Action::RevokeGranteeAccess {
                data_id,
                grantee_wallet_identifier: grantee,
            } => {
                for id in self.access_of(grantee, *data_id, height) {
                    let data = self.end_grant(id, Moment::of(&deed), How::Revoked);
                    self.end_unneeded_copy(data, Moment::of(&deed));
                }
            }
            Action::UseAccessGrant { id } => {
                let lives = self.grants.get_mut(id).into_iter().flatten();
                for grant in lives.filter(|grant| grant.end.is_none()) {
                    grant.terms.used.push(deed);
                }
            }
            Action::RequestAccess { id, user_id, .. } => {
                let fact = RequestFact {
                    consumer: deed.caller.caller().into(),
                    owner: *user_id,
                    born: deed,
                    decided: None,
                };
                self.requests.insert(*id, fact);
            }
            Action::WithdrawAccessRequest { id } | Action::DenyAccessRequest { id } => {
                self.decide(*id, deed);
            }
            Action::AddInserterAsOwner { .. }
            | Action::DeleteInserterAsOwner { .. }
            | Action::AddDelegateAsOwner { .. }
            | Action::DeleteDelegateAsOwner { .. }
            | Action::AddUserAsInserter { .. }
            | Action::UpdateUserPubKeyAsInserter { .. }
            | Action::CancelDag { .. }
            | Action::CancelDwg { .. }
            | Action::AddPassportingClubAsOwner { .. }
            | Action::UpdatePassportingClubAsOwner { .. }
            | Action::DeletePassportingClubAsOwner { .. }
            | Action::AddPassportingPeerAsOwner { .. }
            | Action::UpdatePassportingPeerAsOwner { .. }
            | Action::DeletePassportingPeerAsOwner { .. }
            | Action::AddPassportingPeerToClubAsOwner { .. }
            | Action::DeletePassportingPeerFromClubAsOwner { .. }
            | Action::EditAttribute { .. } => {}
            // What tokens do is told by the books.
            Action::ActionCostingGas {}
            | Action::ActionCostingIdosToken { .. }
            | Action::ActionCostingFee { .. }
            | Action::SetIssuerFee { .. }
            | Action::RequestWithdrawal { .. }
            | Action::RequestBalanceWithdrawal { .. }
            | Action::Transfer { .. }
            | Action::Lock { .. }
            | Action::Bridge { .. } => {}
            Action::AddAttributeAsInserter { id, user_id, .. } => {
                self.describe(*id, Some(*user_id), None, deed);
            }
            Action::AddAttribute { id, .. } => self.describe(*id, own, None, deed),
            Action::ShareAttribute {
                id,
                original_attribute_id: original,
                ..
            } => self.describe(*id, own, Some(*original), deed),
            Action::RemoveAttribute { id } => {
                let lives = self.attributes.get_mut(id).into_iter().flatten();
                for fact in lives.filter(|fact| Some(fact.owner) == own) {
                    fact.span.end(&deed);
                }
            }
        }
    }

    fn describe(
        &mut self,
        id: AttributeId,
        owner: Option<UserId>,
        original: Option<AttributeId>,
        deed: Deed<'a>,
    ) {
        let Some(owner) = owner else { return };
        self.attributes.entry(id).or_default().push(AttributeFact {
            owner,
            original,
            span: Span::from(&deed),
            seen: deed.seen,
        });
    }

    fn bind(
        &mut self,
        id: WalletId,
        owner: UserId,
        (kind, address, public_key): (&Text, &Text, &Option<Text>),
        deed: Deed<'a>,
    ) {
        let Some(kind) = WalletType::parse(kind) else {
            return;
        };
        self.wallets.entry(id).or_default().push(WalletFact {
            owner,
            kind,
            address: address.clone(),
            caller: speaks_as(kind, address, public_key),
            span: Span::from(&deed),
        });
    }

    fn insert(
        &mut self,
        id: CredentialId,
        owner: UserId,
        original: Option<CredentialId>,
        writing: Writing,
        born: Deed<'a>,
    ) {
        // A row that is there already keeps its life: the promises know no overwriting.
        if self.living(id).is_none() {
            self.credentials
                .entry(id)
                .or_default()
                .push(CredentialFact {
                    owner,
                    original,
                    writings: vec![writing],
                    born,
                    end: None,
                });
        }
    }

    fn living(&mut self, id: CredentialId) -> Option<&mut CredentialFact<'a>> {
        self.credentials
            .get_mut(&id)?
            .last_mut()
            .filter(|fact| fact.end.is_none())
    }

    fn grant(
        &mut self,
        grantee: &Text,
        data: CredentialId,
        (locked_until, terms): (i64, TermsFact<'a>),
        owner: UserId,
        born: Deed<'a>,
    ) {
        // Nodes told to keep one form of each identifier know the grant under that form.
        let grantee = match canonical(grantee) {
            Some(form) if self.history.cast.rules.keep(Switch::CanonicalGrantee) => form,
            _ => grantee.clone(),
        };
        let id = GrantId::derive(&grantee, data, locked_until);
        let fact = GrantFact {
            owner,
            grantee,
            data,
            locked_until,
            terms,
            born,
            end: None,
        };
        self.grants.entry(id).or_default().push(fact);
    }

    /// Notes what became of a request; the first decision counts.
    fn decide(&mut self, id: AccessRequestId, deed: Deed<'a>) {
        if let Some(request) = self.requests.get_mut(&id) {
            request.decided.get_or_insert(deed);
        }
    }

    /// A grantee's grants after a block on a credential and on all that was copied from it.
    fn access_of(&self, grantee: &str, data: CredentialId, height: Height) -> Vec<GrantId> {
        let named = canonical(grantee).unwrap_or_else(|| grantee.into());
        let of_it = |grant: &GrantFact<'_>| self.is_of(grant.data, data);
        self.all_grants()
            .filter(|(_, grant)| grant.lives_at(height) && of_it(grant))
            .filter(|(_, grant)| grant.grantee.eq_ignore_ascii_case(&named))
            .map(|(id, _)| id)
            .collect()
    }

    /// Whether a credential is another, or a copy of it, of a copy of it, and so on.
    pub(super) fn is_of(&self, mut id: CredentialId, from: CredentialId) -> bool {
        let mut seen = BTreeSet::new();
        while id != from && seen.insert(id) {
            let lives = self.credentials.get(&id).and_then(|lives| lives.last());
            match lives.and_then(|fact| fact.original) {
                Some(original) => id = original,
                None => return false,
            }
        }
        id == from
    }

    fn end_grant(&mut self, id: GrantId, when: Moment, how: How) -> Option<CredentialId> {
        let grant = self
            .grants
            .get_mut(&id)?
            .last_mut()
            .filter(|grant| grant.end.is_none())?;
        grant.end = Some(when.end(how));
        Some(grant.data)
    }

    /// A copy on which the last grant has ended goes with it (GRANT-14).
    fn end_unneeded_copy(&mut self, data: Option<CredentialId>, when: Moment) {
        let Some(data) = data else { return };
        let copy = self
            .living(data)
            .is_some_and(|fact| fact.original.is_some());
        if copy && self.grants_on(data, when.height).next().is_none() {
            self.end_credential(data, when, How::WithLastGrant);
        }
    }

    /// A removed original takes its unlocked copies along (DEL-04).
    fn end_credential(&mut self, id: CredentialId, when: Moment, how: How) {
        let Some(fact) = self.living(id) else { return };
        fact.end = Some(when.end(how));
        let ended: Vec<GrantId> = self
            .grants
            .iter()
            .filter(|(_, lives)| {
                lives
                    .last()
                    .is_some_and(|grant| grant.data == id && grant.end.is_none())
            })
            .map(|(grant, _)| *grant)
            .collect();
        for grant in ended {
            self.end_grant(grant, when, how);
        }
        let copies: Vec<CredentialId> = self
            .credentials
            .iter()
            .filter(|(_, lives)| {
                lives
                    .last()
                    .is_some_and(|copy| copy.original == Some(id) && copy.end.is_none())
            })
            .map(|(copy, _)| *copy)
            .collect();
        for copy in copies {
            let locked = self.is_locked(copy, when.height, when.time);
            if how == How::Erased {
                self.end_credential(copy, when, How::Erased);
            } else if !locked {
                self.end_credential(copy, when, How::WithOriginal);
            }
        }
    }

    /// What the owner asked to be removed goes now, or as soon as no lock keeps it; so do copies that a lock keeps
    /// (DEL-05).
    fn remove_or_wait(&mut self, id: CredentialId, when: Moment, how: How) {
        let mut family = vec![id];
        let mut next = 0;
        while let Some(member) = family.get(next).copied() {
            let copies = self.credentials.iter().filter(|(copy, lives)| {
                let living = lives.last().filter(|fact| fact.end.is_none());
                let made_of_it = living.is_some_and(|fact| fact.original == Some(member));
                made_of_it && !family.contains(copy)
            });
            let copies: Vec<_> = copies.map(|(copy, _)| *copy).collect();
            family.extend(copies);
            next += 1;
        }
        let locked = self.is_locked(id, when.height, when.time);
        if !locked {
            self.end_credential(id, when, how);
        }
        for member in family {
            let waits = self.living(member).is_some() && (!locked || member == id);
            if waits {
                self.due.insert(member);
            }
        }
    }

    /// Before anything in a block, what is over by its time goes: grants whose end has come or whose uses are over,
    /// with copies nobody needs any more (GRANT-13, GRANT-14), and what waited for the end of a lock (DEL-05).
    fn pass_time(&mut self, when: Moment) {
        let over: Vec<GrantId> = self
            .grants
            .iter()
            .filter(|(_, lives)| {
                lives.last().is_some_and(|grant| {
                    let locked = grant.locked_until >= when.time.0;
                    grant.end.is_none() && grant.is_over(when.time) && !locked
                })
            })
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            let data = self.end_grant(id, when, How::Ended);
            self.end_unneeded_copy(data, when);
        }
        for id in std::mem::take(&mut self.due) {
            if self.living(id).is_some() {
                self.remove_or_wait(id, when, How::Due);
            }
        }
    }

    fn erase(&mut self, user: UserId, deed: Deed<'a>) {
        let owned: Vec<CredentialId> = self
            .credentials
            .iter()
            .filter(|(_, lives)| lives.last().is_some_and(|fact| fact.owner == user))
            .map(|(id, _)| *id)
            .collect();
        for id in owned {
            self.end_credential(id, Moment::of(&deed), How::Erased);
        }
        for wallet in self.wallets.values_mut().flatten() {
            if wallet.owner == user {
                wallet.span.end(&deed);
            }
        }
        for fact in self.attributes.values_mut().flatten() {
            if fact.owner == user {
                fact.span.end(&deed);
            }
        }
        if let Some((_, until)) = self.users.get_mut(&user) {
            *until = Some(deed.height);
        }
        let erasures = self.erasures.entry(user).or_default();
        erasures.push((deed.height, deed.order));
    }
}

/// How the key of a wallet with these columns appears as a caller: by its address, by its public key, or,
/// on Stellar, by the hex of the key its address is made of. Source: idos-facts 3.0.
pub(super) fn speaks_as(kind: WalletType, address: &Text, public_key: &Option<Text>) -> Text {
    match kind {
        WalletType::EVM | WalletType::XRPL => address.clone(),
        WalletType::Stellar => canonical(address).unwrap_or_else(|| address.clone()),
        WalletType::NEAR | WalletType::FaceSign => public_key.as_ref().unwrap_or(address).clone(),
    }
}

/// The second an instant in a paper names, if it names one.
pub(super) fn second_of(instant: &str) -> Option<i64> {
    instant.parse().map(jiff::Timestamp::as_second).ok()
}

/// The one form of an identifier (GRANT-04), if it is one.
pub(super) fn canonical(grantee: &str) -> Option<Text> {
    canonical_identifier(grantee).map(Into::into)
}

/// Pairs each answered view with its question.
fn views(history: &History) -> Vec<View<'_>> {
    let mut asked: BTreeMap<RequestId, (usize, Option<Identity>, bool, &Query)> = BTreeMap::new();
    let mut views = Vec::new();
    for (seen, observation) in history.observations().iter().enumerate() {
        match &observation.event {
            Event::Asked {
                id,
                what:
                    Asked::View {
                        caller,
                        signed,
                        query,
                    },
                ..
            } => {
                asked.insert(*id, (seen, *caller, *signed, query));
            }
            Event::Answered {
                id,
                by,
                node,
                reply: Reply::View { height, result },
            } => {
                if let Some((question, caller, signed, query)) = asked.remove(id) {
                    views.push(View {
                        asked: question,
                        by: *by,
                        signed,
                        node: *node,
                        caller,
                        query,
                        height: *height,
                        result,
                        seen,
                    });
                }
            }
            _ => {}
        }
    }
    views
}
