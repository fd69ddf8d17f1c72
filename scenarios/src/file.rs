//! The scenario file as it is written: a flat mirror in which every key is optional and remembers where
//! it stands. Nothing is decided here; `resolve` types the values and fills in the defaults.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use assay_model::actor::Oddity;
use assay_model::ledger::Governed;
use assay_model::rules::Switch;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::verb::{FaultVerb, Verb};

/// A value and where it stands. Its schema is that of the value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(crate) struct At<T>(toml::Spanned<T>);

impl<T> At<T> {
    pub(crate) fn get(&self) -> &T {
        self.0.get_ref()
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

/// A part of a value that is of another type, at the place of the whole.
pub(crate) fn at<T>(value: T, span: Range<usize>) -> At<T> {
    At(toml::Spanned::new(span, value))
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

// Map keys are looked up in the schema by how they serialize.
impl<T: Serialize> Serialize for At<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

/// `size` is a text on a credential and a number on a listing, and amounts may have decimals or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    Text(String),
    Number(i64),
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text such as \"4KiB\" or a whole number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Amount, E> {
                Ok(Amount::Text(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Amount, E> {
                Ok(Amount::Number(number))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"] })
    }
}

macro_rules! mirror {
    ($(#[$meta:meta])* $name:ident { $($(#[$about:meta])* $field:ident $key:literal: $type:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$about])* #[serde(rename = $key)] pub(crate) $field: Option<At<$type>>,)+
        }

        impl $name {
            /// The keys that are there, and where their values stand.
            #[allow(dead_code, reason = "only steps and faults have keys that depend on a verb")]
            pub(crate) fn given(&self) -> Vec<(&'static str, Range<usize>)> {
                let mut given = Vec::new();
                $(if let Some(value) = &self.$field {
                    given.push(($key, value.span()));
                })+
                given
            }
        }
    };
}

type Names = Vec<At<String>>;

mirror! {
    /// A scenario: a story about an idOS network, in order of time.
    Scenario {
        /// What the story claims, in one sentence.
        #[schemars(required)]
        claim "claim": String,
        /// How many nodes there are, 1 to 64; default 4.
        nodes "nodes": i64,
        /// The node that leads at first; default "n1".
        leader "leader": String,
        /// Nodes that do not vote unless they join; default none.
        sentries "sentries": Names,
        /// Who takes part besides the database owner, who is always there as "db-owner".
        actors "actors": Actors,
        /// The chain that holds the tokens, with the Association on it; default none, unless holders are named.
        chain "chain": Chain,
        /// What messages and disks are like while nothing goes wrong.
        network "network": Network,
        /// Clocks that are wrong from the beginning.
        clocks "clocks": Vec<At<Clock>>,
        /// What people have of the tokens from the beginning.
        balances "balances": Vec<At<Balance>>,
        /// What people do.
        #[schemars(required)]
        steps "steps": Vec<At<Step>>,
        /// What goes wrong.
        faults "faults": Vec<At<Fault>>,
        /// When trouble ends and everything heals; default 10 s after the last step or fault.
        duration "duration": String,
        /// How long after healing everything owed may take; default "5m".
        settle "settle": String,
        /// Most events a run may take; default 5000000.
        events "events": i64,
        /// Whether everybody reads everything at the end; default true.
        audit "audit": bool,
        /// Invariants that must not end inconclusive; default none.
        check "check": Names,
        /// Requirements the story is expected to break; default none.
        breaks "breaks": Names,
        /// Which promises the nodes keep: "documented" (the default) or "deployed".
        rules "rules": String,
        /// Switches turned off, promises not kept.
        off "off": Names,
        /// Switches turned on, promises kept.
        on "on": Names,
        /// Whether faults may leave fewer nodes than a block needs, or take the only memory of a vote;
        /// default false.
        no_quorum "no-quorum": bool,
    }
}

mirror! {
    /// Who takes part. Names are lower-case letters, digits and dashes, and unique.
    Actors {
        /// Users with a profile.
        users "users": Names,
        /// Issuers whose inserter and delegate rows exist.
        issuers "issuers": Names,
        /// Consumers that check what they read.
        consumers "consumers": Names,
        /// Consumers that do not check what they read.
        careless "careless": Names,
        /// Users without a profile yet.
        new "new": Names,
        /// Issuers without inserter and delegate rows.
        outsiders "outsiders": Names,
        /// People with tokens and no profile.
        holders "holders": Names,
        /// Gateways that pass on what others ask of nodes.
        gateways "gateways": Names,
        /// Nodes that keep shares of passwords.
        share_nodes "share-nodes": Names,
        /// Users, named above, whose random password the share nodes keep; default none.
        mpc "mpc": Names,
        /// Users, named above, whose first choice is a password from a list of leaked ones; default none.
        weak "weak": Names,
        /// Whose encryption key an actor uses instead of its own: { auditor = "bank" }.
        shared_keys "shared-keys": BTreeMap<At<String>, At<String>>,
        /// Users behind whom the same person stands: { alice-too = "alice" }.
        same_person "same-person": BTreeMap<At<String>, At<String>>,
        /// Whose inserter an issuer's key belongs to instead of its own: { kyc-branch = "kyc-co" }.
        branches "branches": BTreeMap<At<String>, At<String>>,
    }
}

mirror! {
    /// The chain that holds the tokens. Everybody with an EVM wallet has a million of each token on it.
    Chain {
        /// From something that waits to its block; default "250ms".
        block "block": String,
        /// How many blocks confirm one; default 4.
        confirmations "confirmations": i64,
        /// When staking begins, in scenario time; default from the beginning.
        start "start": String,
        /// Reward of an epoch, in IDOS; default a day's part of 30 million a year.
        reward "reward": i64,
    }
}

mirror! {
    /// What messages and disks are like, and the paces of the protocol.
    Network {
        /// Least delay of a message; default "20ms".
        latency "latency": String,
        /// Most that is added to it; default "10ms".
        jitter "jitter": String,
        /// How many messages are lost; default "0%".
        loss "loss": String,
        /// How many messages arrive twice; default "0%".
        duplicate "duplicate": String,
        /// How many messages may be overtaken by later ones; default "0%".
        reorder "reorder": String,
        /// How long a write takes to become durable; default "2ms".
        disk_sync "disk-sync": String,
        /// Pause between a commit and the next proposal; default "1s".
        propose "propose": String,
        /// How long nothing happens before an empty block; default "60s".
        empty_block "empty-block": String,
        /// How far a block's time may be from a validator's clock; default "10s".
        drift "drift": String,
        /// After how many blocks nodes make a snapshot and forget the blocks before the last one;
        /// default 14400.
        history "history": i64,
    }
}

mirror! {
    /// A clock that is wrong from the beginning.
    Clock {
        /// Whose: a node or an actor.
        #[schemars(required)]
        of "of": String,
        /// Added to its reading: "+5s", "-1m"; default none.
        offset "offset": String,
        /// How much faster it runs: "200ppm", "-1%"; default none.
        drift "drift": String,
    }
}

mirror! {
    /// What somebody has of a token from the beginning.
    Balance {
        /// Whose: an actor.
        #[schemars(required)]
        of "of": String,
        /// Which of the actor's wallets has it; default "w1", the first.
        wallet "wallet": String,
        /// Which token: "IDOS" or "USDC".
        #[schemars(required)]
        token "token": String,
        /// How much, in whole tokens: 20 or "98.8".
        #[schemars(required)]
        amount "amount": Amount,
    }
}

mirror! {
    /// One thing somebody does. Which keys a step takes depends on `do`.
    Step {
        /// When it begins.
        #[schemars(required)]
        at "at": String,
        /// Who does it: an actor, "db-owner", "operators", or a node's operator, called as the node.
        #[schemars(required)]
        by "by": String,
        /// What is done.
        #[schemars(required)]
        act "do": String,
        /// The only node, or the gateway, to go through; default whichever node answers.
        via "via": String,
        /// Which of the actor's wallets speaks; default "w1", the first.
        wallet "wallet": String,
        /// How long to keep trying; default "90s".
        patience "patience": String,
        /// How it should end: "accepted" (the default), "denied", "unanswered", "anything",
        /// "refused: CODE", "rejected: CODE" or "declined: CODE".
        expect "expect": String,
        /// Requirements that a wrong ending breaks; the default depends on `do` and `expect`.
        shows "shows": Names,

        /// What is wrong with how it is done, on purpose: "for-another-network", "shouts" and others.
        oddly "oddly": String,
        /// The user it is done to.
        user "user": String,
        /// Who is to get it.
        to "to": String,
        /// The name later steps use for what this one makes.
        alias "as": String,
        /// Who writes an issued credential: "hand-over" (the default: the user does), "insert" (the
        /// issuer, with consent) or "insert-without-consent".
        how "how": String,
        /// Of a credential, "2KiB" to "60KiB", default "4KiB"; of an attribute's value the same, default a
        /// short one; of a page, a number, default left out.
        size "size": Amount,
        /// What a further wallet is: "EVM" (the default), "NEAR", "XRPL", "Stellar" or "FaceSign" (the
        /// default of an actor's third wallet).
        kind "type": String,
        /// Sign with a wrong key; default false.
        forged "forged": bool,
        /// Leave the content unsealed; default false.
        unsealed "unsealed": bool,
        /// A credential, by its `as`.
        credential "credential": String,
        /// The status an issuer states: "revoked", "approved".
        status "status": String,
        /// Ask the user for a signature first; default false.
        consent "consent": bool,
        /// How long a lock runs, from `at`; default no lock.
        lock "lock": String,
        /// When a lock ends, in scenario time; default no lock.
        lock_until "lock-until": String,
        /// State the end of the lock in milliseconds, by mistake; default false.
        in_milliseconds "in-milliseconds": bool,
        /// How long access lasts, from `at`; default without end, and of an approval as long as asked for.
        ends "ends": String,
        /// When access ends, in scenario time; default as for `ends`.
        ends_at "ends-at": String,
        /// How often access may be used; default any number of times, and of an approval as often as asked for.
        uses "uses": i64,
        /// The fields access is for, separated by commas; default all, and of an approval those asked for.
        fields "fields": String,
        /// How long a request can be approved, from `at`; default an hour.
        stands "stands": String,
        /// What is in a copy: "faithful" (the default), "altered", "altered-under-old-hash", "borrowed",
        /// "garbage", "tampered" after it was sealed, or "misdirected" to the user's own key.
        fidelity "fidelity": String,
        /// Two capital letters of the country in a document; default "PT".
        country "country": String,
        /// How much an issuer checked, such as "basic+liveness"; default everything.
        level "level": String,
        /// When a document or a question expires, in scenario time; default ten years or an hour after `at`.
        expires "expires": String,
        /// Whom an issued document is about; default the user it is for.
        about "about": String,
        /// Properties all of which a credential must have, such as "credentialSubject.idDocumentCountry=PT" or
        /// "level>=plus"; default none.
        pick "pick": Names,
        /// Properties none of which a credential may have; default none.
        omit "omit": Names,
        /// The credentials that should match, by their `as`; default none.
        matches "matches": Names,
        /// What a consumer wants to know; written as in `pick`.
        predicate "predicate": String,
        /// A question, by its `as`.
        question "question": String,
        /// Answer again and again until the question expires; default false.
        repeated "repeated": bool,
        /// A club, by its `as`.
        club "club": String,
        /// On whom an obliged entity relies.
        on "on": String,
        /// Whom a gateway turns away, or who joins or leaves a club.
        party "party": String,
        /// Take again what a party asks, or claim again what was claimed; default false.
        again "again": bool,
        /// A request, by its `as`.
        request "request": String,
        /// A grant to end, by its `as`.
        grant "grant": String,
        /// Several grants to end in one operation.
        grants "grants": Names,
        /// A copy, by the `as` of its grant.
        copy "copy": String,
        /// Sign with a throw-away key instead of keeping the issuer's signatures; default false.
        resigned "resigned": bool,
        /// Send the proof of an earlier step again; default false.
        replayed "replayed": bool,
        /// The wallet to unbind, or of the party asked about.
        which "which": String,
        /// Which token: "IDOS", the default on the chain that holds the tokens, or "USDC".
        token "token": String,
        /// How much, in whole tokens: 20, or in the storage network "98.8"; of a withdrawal, default everything.
        amount "amount": Amount,
        /// Whose wallet a paper names; default the signer.
        owner "owner": String,
        /// Who gets the paper; default whoever it is for.
        carrier "carrier": String,
        /// A delegated grant, by its `as`.
        dag "dag": String,
        /// A delegated write, by its `as`.
        dwg "dwg": String,
        /// When a delegated write may first be used, or a key is invalid, in scenario time; default from the step on.
        from "from": String,
        /// When a paper may last be used, in scenario time; default an hour after the step, for a delegated
        /// grant a month.
        until "until": String,
        /// Write other rows than the first time; default false.
        fresh "fresh": bool,
        /// An attribute, by its `as`.
        attribute "attribute": String,
        /// The actor asked, or asked about.
        of "of": String,
        /// Write the identifier in capitals; default false.
        shouted "shouted": bool,
        /// Why access is asked for; default "verification".
        purpose "purpose": String,
        /// Least lock that is acceptable, from `at`; default none.
        least_lock "least-lock": String,
        /// Least end of the lock that is acceptable, in scenario time; default none.
        least_lock_until "least-lock-until": String,
        /// Least level that is acceptable, such as "plus+liveness"; default "basic".
        least_level "least-level": String,
        /// The issuers the consumer trusts; default all there are.
        trusting "trusting": Names,
        /// Turn down a person who has come with another profile before; default false.
        unique "unique": bool,
        /// Type another password; default false.
        wrong "wrong": bool,
        /// Salt the password with this; default the profile's id.
        salt "salt": String,
        /// Have each request of the origin wait for the user; default false.
        each "each": bool,
        /// What a share node does: "honest", "lying" or "rolled-back" to before its last change.
        conduct "conduct": String,
        /// Claim to be this actor, without its key; default nobody else.
        posing_as "posing-as": String,
        /// Page to ask for; default left out.
        page "page": i64,
        /// How many rows there should be; needed where the step is expected to be accepted.
        rows "rows": i64,
        /// The issuer to admit or dismiss, or the one a user turns to.
        issuer "issuer": String,
        /// The node to appoint, to approve of, to remove, or whose operator tokens are staked behind.
        node "node": String,
        /// Who may take tokens: "staking" or "escrow".
        spender "spender": String,
        /// The operators who are asked to sign a root besides the one who posts it; default nobody.
        signers "signers": Names,
        /// What shows that a node deserves to be slashed: "two-votes" of its validator on one ballot, or "one-vote"
        /// twice; default nothing.
        evidence "evidence": String,
        /// How many blocks are undone at most.
        blocks "blocks": i64,
        /// Lose what is in them, rather than put it into later blocks; default false.
        lose "lose": bool,
        /// What an action is to keep or not: "locks-checked", or a rule that an action can be replaced for.
        rule "rule": String,
        /// Whether it is kept: "on" or "off".
        position "position": String,
        /// The voting power a node asks for; default 1.
        power "power": i64,
        /// A parameter of the network: "leader", "join-expiry", "max-block-size" or "max-votes-per-tx".
        parameter "parameter": String,
        /// What a parameter is to be: a node, a duration, a size or a number.
        value "value": Amount,
        /// A proposed change, by its `as`.
        proposal "proposal": String,
    }
}

mirror! {
    /// One thing that goes wrong. Which keys a fault takes depends on `fault`. A node is "n1", "n2"…,
    /// or "leader" or "follower" at the moment the fault begins.
    Fault {
        /// When it begins.
        #[schemars(required)]
        at "at": String,
        /// What goes wrong.
        #[schemars(required)]
        fault "fault": String,
        /// How long it lasts.
        #[schemars(required)]
        lasts "for": String,
        /// The node it happens to, or whose disk is tampered with or that lies; of lost answers, the node
        /// that gives them, default every node.
        node "node": String,
        /// Nodes that still hear each other.
        sides "sides": Vec<At<Names>>,
        /// The leader's side: "majority" or "minority".
        side "side": String,
        /// The node whose messages do not pass.
        from "from": String,
        /// The node that does not get them.
        to "to": String,
        /// How many messages are lost.
        loss "loss": String,
        /// How much longer messages take.
        delay "delay": String,
        /// The actor that is away, whose requests or answers suffer, or whose row or profile is tampered with.
        party "party": String,
        /// Whose clock: a node or an actor.
        of "of": String,
        /// Added to its reading: "+5s", "-1m"; default none.
        offset "offset": String,
        /// How much faster it runs: "200ppm", "-1%"; default none.
        drift "drift": String,
    }
}

/// Who writes an issued credential, as a story says it.
pub(crate) const WRITERS: &[&str] = &["hand-over", "insert", "insert-without-consent"];
/// How a copy relates to its original, as a story says it.
pub(crate) const FIDELITIES: &[&str] = &[
    "faithful",
    "altered",
    "altered-under-old-hash",
    "borrowed",
    "garbage",
    "tampered",
    "misdirected",
];
/// What a share node does, as a story says it.
pub(crate) const CONDUCTS: &[&str] = &["honest", "lying", "rolled-back"];
/// The leader's side of a split.
pub(crate) const SIDES: &[&str] = &["majority", "minority"];
/// What a wallet can be.
pub(crate) const WALLETS: &[&str] = &["EVM", "NEAR", "XRPL", "Stellar", "FaceSign"];
/// The tokens.
pub(crate) const TOKENS: &[&str] = &["IDOS", "USDC"];
/// Whose balance is meant where it is the network's own.
pub(crate) const NETWORK: &str = "network";
/// Contracts that take tokens.
pub(crate) const SPENDERS: &[&str] = &["staking", "escrow"];
/// What can be shown against a node's operator.
pub(crate) const EVIDENCE: &[&str] = &["one-vote", "two-votes"];
/// Where a rule can stand.
pub(crate) const POSITIONS: &[&str] = &["on", "off"];
/// Parameters of the network.
pub(crate) const PARAMETERS: &[&str] = &[
    "leader",
    "join-expiry",
    "max-block-size",
    "max-votes-per-tx",
];
/// What rules can be called.
pub(crate) const RULES: &[&str] = &["documented", "deployed"];

/// The names of all switches.
pub(crate) fn switches() -> Vec<&'static str> {
    Switch::ALL.iter().map(|switch| switch.name()).collect()
}

/// What an action can be replaced for.
pub(crate) fn governed() -> Vec<&'static str> {
    Governed::ALL.iter().map(|(one, _)| one.name()).collect()
}

/// JSON Schema of the whole scenario file, for editors and for people.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Scenario).to_value();
    without_null(&mut schema);
    let words: [(&str, &str, &[&str]); 15] = [
        ("Step", "oddly", Oddity::NAMES),
        ("Step", "do", Verb::NAMES),
        ("Step", "how", WRITERS),
        ("Step", "fidelity", FIDELITIES),
        ("Step", "type", WALLETS),
        ("Step", "token", TOKENS),
        ("Balance", "token", TOKENS),
        ("Step", "spender", SPENDERS),
        ("Step", "evidence", EVIDENCE),
        ("Step", "conduct", CONDUCTS),
        ("Step", "rule", &governed()),
        ("Step", "position", POSITIONS),
        ("Step", "parameter", PARAMETERS),
        ("Fault", "fault", FaultVerb::NAMES),
        ("Fault", "side", SIDES),
    ];
    for (name, key, values) in words {
        schema["$defs"][name]["properties"][key]["enum"] = json!(values);
    }
    schema["properties"]["rules"]["enum"] = json!(RULES);
    for key in ["on", "off"] {
        schema["properties"][key]["items"]["enum"] = json!(switches());
    }
    schema
}

/// TOML has no null: a key without a value is left out.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(options)) = object.get_mut("anyOf") {
                options.retain(|option| option["type"] != "null");
                if let [Value::Object(only)] = options.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    object.extend(only);
                }
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(values) => values.iter_mut().for_each(without_null),
        _ => {}
    }
}
