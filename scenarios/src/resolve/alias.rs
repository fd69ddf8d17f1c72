//! Names that steps give to what they make, and that later steps use.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use assay_model::actor::{GrantRef, Proposal, RequestRef, Terms};
use assay_model::id::{AttributeId, ClubId, CredentialId, PartyId, WalletId, WriteGrantId};
use assay_model::ledger::WalletType;
use assay_model::time::Millis;

use super::step::Here;
use super::{Resolver, defaults, ids};
use crate::file::{self, At};
use crate::names::is_name;
use crate::verb::Verb;

/// What a name can stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Credential,
    Grant,
    Request,
    Disclosure,
    Dag,
    Dwg,
    Attribute,
    Question,
    Club,
    Proposal,
}

impl Kind {
    pub(super) const fn called(self) -> &'static str {
        match self {
            Kind::Credential => "credential",
            Kind::Grant => "grant",
            Kind::Request => "request",
            Kind::Disclosure => "request to an enclave",
            Kind::Dag => "dag",
            Kind::Dwg => "dwg",
            Kind::Attribute => "attribute",
            Kind::Question => "question",
            Kind::Club => "club",
            Kind::Proposal => "proposal",
        }
    }

    /// How a story gets one.
    const fn made_by(self) -> &'static str {
        match self {
            Kind::Credential => "an `issue` step names its credential with `as`",
            Kind::Grant => "a `share`, `approve` or `sign-dag` step names its grant with `as`",
            Kind::Request => "a `request` step names its request with `as`",
            Kind::Disclosure => "an `ask-enclave` step names its request with `as`",
            Kind::Dag => "a `sign-dag` step names its paper with `as`",
            Kind::Dwg => "a `sign-dwg` step names its paper with `as`",
            Kind::Club => "a `found-club` step names its club with `as`",
            Kind::Question => "an `ask` step names its question with `as`",
            Kind::Proposal => "a `propose` step names its proposal with `as`",
            Kind::Attribute => {
                "an `add-attribute`, `describe` or `share-attribute` step names its attribute with `as`"
            }
        }
    }

    /// What a step of this verb makes.
    pub(super) const fn of(verb: Verb) -> Option<Kind> {
        match verb {
            Verb::Issue | Verb::Recognise | Verb::StoreAgain => Some(Kind::Credential),
            Verb::Share | Verb::Approve | Verb::StoreCopy => Some(Kind::Grant),
            Verb::Ask => Some(Kind::Question),
            Verb::FoundClub => Some(Kind::Club),
            Verb::Request => Some(Kind::Request),
            Verb::AskEnclave => Some(Kind::Disclosure),
            Verb::SignDag => Some(Kind::Dag),
            Verb::SignDwg => Some(Kind::Dwg),
            Verb::Propose => Some(Kind::Proposal),
            Verb::AddAttribute | Verb::Describe | Verb::ShareAttribute => Some(Kind::Attribute),
            _ => None,
        }
    }

    /// A paper names the grant it shall create, so it can stand where a grant is needed, and a dWG the
    /// credential that is written under it.
    const fn serves_as(self, wanted: Kind) -> bool {
        matches!(
            (self, wanted),
            (Kind::Credential | Kind::Dwg, Kind::Credential)
                | (Kind::Grant | Kind::Dag | Kind::Dwg, Kind::Grant)
                | (Kind::Request, Kind::Request)
                | (Kind::Disclosure, Kind::Disclosure)
                | (Kind::Dag, Kind::Dag)
                | (Kind::Dwg, Kind::Dwg)
                | (Kind::Attribute, Kind::Attribute)
                | (Kind::Question, Kind::Question)
                | (Kind::Club, Kind::Club)
                | (Kind::Proposal, Kind::Proposal)
        )
    }
}

/// A row of the credentials table and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) id: CredentialId,
    pub(super) owner: PartyId,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Credential(Row),
    Grant(Row, GrantRef),
    Request {
        request: RequestRef,
        consumer: PartyId,
        locked_until: i64,
        terms: Terms,
    },
    Disclosure {
        number: u32,
        consumer: PartyId,
    },
    Dag(u32, Row, GrantRef),
    Dwg {
        number: u32,
        id: WriteGrantId,
        original: Row,
        copy: Row,
        grant: GrantRef,
    },
    Attribute(AttributeId),
    Question {
        number: u32,
        consumer: PartyId,
    },
    Club(ClubId),
    Proposal(Proposal),
}

/// A name, and the step that gives it.
#[derive(Clone, Debug)]
struct Named {
    kind: Kind,
    span: Range<usize>,
    /// Place of the step in order of time.
    order: usize,
    at: Option<Millis>,
    /// Nothing before the step is resolved, or when it has problems of its own.
    value: Option<Value>,
}

/// A wallet of a party.
#[derive(Clone, Debug)]
struct Wallet {
    index: u8,
    id: WalletId,
    order: usize,
    at: Option<Millis>,
    span: Range<usize>,
}

/// Every name of the story.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    /// Names given by steps of which too little is known.
    pub(super) lost: BTreeSet<String>,
    named: BTreeMap<String, Named>,
    wallets: BTreeMap<(PartyId, String), Wallet>,
    replays: BTreeMap<(PartyId, String), u32>,
    requests: u32,
    dags: u32,
    dwgs: u32,
}

impl Aliases {
    /// Whether a name stands for something of this kind.
    pub(super) fn is_a(&self, name: &At<String>, kind: Kind) -> bool {
        let named = self.named.get(name.get());
        named.is_some_and(|named| named.kind == kind)
    }

    fn of_kind(&self, wanted: Kind) -> Vec<String> {
        let fits = self
            .named
            .iter()
            .filter(|(_, named)| named.kind.serves_as(wanted));
        fits.map(|(name, _)| name.clone()).collect()
    }

    /// Names of a party's further wallets.
    fn wallets_of(&self, of: PartyId) -> impl Iterator<Item = &String> {
        let own = self.wallets.keys().filter(move |(party, _)| *party == of);
        own.map(|(_, name)| name)
    }

    /// Requests count from 1.
    pub(super) fn next_request(&mut self) -> u32 {
        self.requests += 1;
        self.requests
    }

    /// Papers count from 1.
    pub(super) fn next_dag(&mut self) -> u32 {
        self.dags += 1;
        self.dags
    }

    /// Delegated writes count from 1.
    pub(super) fn next_dwg(&mut self) -> u32 {
        self.dwgs += 1;
        self.dwgs
    }

    pub(super) fn fill(&mut self, here: &Here, alias: &At<String>, value: Value) {
        if let Some(named) = self.named.get_mut(alias.get())
            && named.span == alias.span()
            && named.order == here.order
        {
            named.value = Some(value);
        }
    }
}

impl Resolver<'_> {
    /// Announces the name a step gives, before any step is resolved, so that a step which uses it too
    /// early can be told when it is there.
    pub(super) fn announce(&mut self, here: &Here, alias: &At<String>) {
        let name = alias.get();
        if here.verb == Verb::AddWallet {
            // Wallet names belong to their party; they are announced when the party is known.
            return;
        }
        let Some(kind) = Kind::of(here.verb) else {
            return;
        };
        if !is_name(name) {
            self.bad_name(alias);
        } else if let Some(first) = self.cast.place(name) {
            self.complain(alias, format!("`{name}` is the name of an actor"), "taken")
                .also(first, "the actor");
        } else if let Some(first) = self.aliases.named.get(name) {
            let (first, called) = (first.span.clone(), first.kind.called());
            self.complain(
                alias,
                format!("two things are called `{name}`"),
                "the second",
            )
            .also(first, format!("the first, a {called}"));
        } else {
            self.aliases.named.insert(
                name.clone(),
                Named {
                    kind,
                    span: alias.span(),
                    order: here.order,
                    at: here.at,
                    value: None,
                },
            );
        }
    }

    /// What a name stands for, which has to be of this kind and there by now. Nothing, without a
    /// complaint, when the step that makes it has problems of its own.
    pub(super) fn named(&mut self, here: &Here, name: &At<String>, wanted: Kind) -> Option<Value> {
        let text = name.get();
        let Some(named) = self.aliases.named.get(text).cloned() else {
            if !self.aliases.lost.contains(text) {
                self.unknown_alias(name, wanted);
            }
            return None;
        };
        if !named.kind.serves_as(wanted) {
            let (is, wanted) = (named.kind.called(), wanted.called());
            self.complain(
                name,
                format!("`{text}` is a {is}, not a {wanted}"),
                format!("a {wanted} is needed"),
            )
            .also(named.span, format!("the {is} is made here"));
            return None;
        }
        self.in_time(here, name, (named.order, named.at), named.span)?;
        named.value
    }

    fn in_time(
        &mut self,
        here: &Here,
        name: &At<String>,
        (order, made): (usize, Option<Millis>),
        span: Range<usize>,
    ) -> Option<()> {
        let (Some(used), Some(made)) = (here.at, made) else {
            return None;
        };
        if order < here.order {
            return Some(());
        }
        let text = name.get();
        let message = match order == here.order {
            true => format!("the step that makes `{text}` uses it"),
            false => format!("`{text}` is used at {used}, before it is made at {made}"),
        };
        self.complain(name, message, "too early")
            .also(span, "made here");
        None
    }

    fn unknown_alias(&mut self, name: &At<String>, wanted: Kind) {
        let text = name.get();
        let known = self.aliases.of_kind(wanted);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let help = match known.is_empty() {
            true => wanted.made_by().to_owned(),
            false => format!(
                "{}\n{}",
                crate::names::suggest(text, &known),
                wanted.made_by()
            ),
        };
        let what = wanted.called();
        self.complain(
            name,
            format!("unknown {what} `{text}`"),
            format!("no step makes this {what}"),
        )
        .advise(help);
    }

    pub(super) fn credential(&mut self, here: &Here, name: &At<String>) -> Option<Row> {
        match self.named(here, name, Kind::Credential)? {
            Value::Credential(row) | Value::Dwg { original: row, .. } => Some(row),
            other => unreachable!("a credential's name stands for {other:?}"),
        }
    }

    pub(super) fn grant(&mut self, here: &Here, name: &At<String>) -> Option<(Row, GrantRef)> {
        match self.named(here, name, Kind::Grant)? {
            Value::Grant(row, grant)
            | Value::Dag(_, row, grant)
            | Value::Dwg {
                copy: row, grant, ..
            } => Some((row, grant)),
            other => unreachable!("a grant's name stands for {other:?}"),
        }
    }

    pub(super) fn attribute(&mut self, here: &Here, name: &At<String>) -> Option<AttributeId> {
        match self.named(here, name, Kind::Attribute)? {
            Value::Attribute(id) => Some(id),
            other => unreachable!("an attribute's name stands for {other:?}"),
        }
    }

    /// A party's wallet of this name, which has to be bound by now: which one it is, and its row.
    pub(super) fn wallet(
        &mut self,
        here: &Here,
        of: PartyId,
        name: &At<String>,
    ) -> Option<(u8, WalletId)> {
        let Some(wallet) = self.wallet_named(of, name)? else {
            return Some((0, self.cast.party(of).wallet));
        };
        self.in_time(here, name, (wallet.order, wallet.at), wallet.span)?;
        Some((wallet.index, wallet.id))
    }

    /// Which of a party's wallets this is, whenever it is bound.
    pub(super) fn wallet_of(&mut self, of: PartyId, name: &At<String>) -> Option<u8> {
        let wallet = self.wallet_named(of, name)?;
        Some(wallet.map_or(0, |wallet| wallet.index))
    }

    /// A party's wallet of this name; nothing inside for the first, which no step binds.
    fn wallet_named(&mut self, of: PartyId, name: &At<String>) -> Option<Option<Wallet>> {
        if name.get() == defaults::FIRST_WALLET {
            return Some(None);
        }
        let key = (of, name.get().clone());
        if let Some(wallet) = self.aliases.wallets.get(&key) {
            return Some(Some(wallet.clone()));
        }
        let mut known = vec![defaults::FIRST_WALLET.to_owned()];
        known.extend(self.aliases.wallets_of(of).cloned());
        let whose = &self.cast.party(of).name;
        let message = format!("`{whose}` holds no such wallet");
        self.unknown(name, "wallet", &message, &known);
        None
    }

    /// Announces a further wallet of the party that speaks.
    pub(super) fn announce_wallet(
        &mut self,
        here: &Here,
        alias: &At<String>,
        kind: &Option<At<String>>,
    ) {
        let Some(by) = here.by else { return };
        let key = (by, alias.get().clone());
        if !is_name(alias.get()) {
            return self.bad_name(alias);
        }
        let whose = self.cast.party(by).name.clone();
        if alias.get() == defaults::FIRST_WALLET {
            self.complain(
                alias,
                format!("`{whose}` has a wallet `w1` already"),
                "the first wallet",
            );
            return;
        }
        if let Some(first) = self.aliases.wallets.get(&key) {
            let first = first.span.clone();
            self.complain(
                alias,
                format!("`{whose}` has two wallets `{}`", alias.get()),
                "the second",
            )
            .also(first, "the first")
            .advise("`replayed = true` sends the proof of the first one again");
            return;
        }
        let own = self.aliases.wallets_of(by).count();
        let Ok(index) = u8::try_from(own + 1) else {
            self.complain(
                alias,
                format!("`{whose}` has more than 255 wallets"),
                "one too many",
            );
            return;
        };
        let usual = defaults::wallet_type(index.into());
        let kind = self.or(kind, usual, |this, kind| {
            let place = this.word(kind, "wallet type", file::WALLETS)?;
            WalletType::parse(file::WALLETS[place])
        });
        self.cast.parties[by.index()]
            .wallets
            .push(kind.unwrap_or(usual));
        let wallet = Wallet {
            index,
            id: ids::wallet(&self.told_as, &whose, alias.get(), 0),
            order: here.order,
            at: here.at,
            span: alias.span(),
        };
        self.aliases.wallets.insert(key, wallet);
    }

    /// The wallet a step adds: which one it is, and the id of the row to be.
    pub(super) fn added_wallet(
        &mut self,
        here: &Here,
        alias: &At<String>,
        replayed: bool,
    ) -> Option<(u8, WalletId)> {
        let key = (here.by?, alias.get().clone());
        if !replayed {
            let wallet = self.aliases.wallets.get(&key)?;
            return Some((wallet.index, wallet.id));
        }
        if alias.get() == defaults::FIRST_WALLET {
            self.complain(
                alias,
                "the first wallet was not added by a step".to_owned(),
                "nothing to replay",
            )
            .advise("`replayed` sends the proof of an earlier `add-wallet` step again");
            return None;
        }
        let (index, _) = self.wallet(here, key.0, alias)?;
        let replay = self.aliases.replays.entry(key).or_default();
        *replay += 1;
        let whose = &self.cast.party(here.by?).name;
        Some((
            index,
            ids::wallet(&self.told_as, whose, alias.get(), *replay),
        ))
    }
}
