//! Who takes part.

use std::collections::BTreeMap;
use std::ops::Range;

use assay_model::actor::Password;
use assay_model::history::Role;
use assay_model::id::{NodeId, PartyId};

use super::{Resolver, defaults, ids};
use crate::file::{Actors, At};
use crate::names::{is_name, suggest};
use crate::plan::{NodeRef, Party, Whose};

/// The party that is always there.
pub(super) const DB_OWNER: &str = "db-owner";
/// Those who run the nodes; they act together and are no party.
pub(super) const OPERATORS: &str = "operators";
/// The chain that holds the tokens.
pub(super) const CHAIN: &str = "arbitrum";
/// The owner of the contracts on it.
pub(super) const ASSOCIATION: &str = "association";
/// Names that mean something already, besides those of nodes.
const RESERVED: &[&str] = &[
    DB_OWNER,
    OPERATORS,
    CHAIN,
    ASSOCIATION,
    "leader",
    "follower",
];
/// More than any story needs, and far below what a party's id can hold.
const MOST: usize = 1_000;

/// The parties by id and by name, and where each name stands.
#[derive(Debug, Default)]
pub(super) struct Cast {
    pub(super) parties: Vec<Party>,
    names: BTreeMap<String, (PartyId, Range<usize>)>,
}

impl Cast {
    pub(super) fn find(&self, name: &str) -> Option<PartyId> {
        self.names.get(name).map(|(id, _)| *id)
    }

    pub(super) fn place(&self, name: &str) -> Option<Range<usize>> {
        self.names.get(name).map(|(_, span)| span.clone())
    }

    pub(super) fn party(&self, id: PartyId) -> &Party {
        &self.parties[id.index()]
    }

    /// Names of the parties that are like this.
    pub(super) fn names(&self, like: impl Fn(&Party) -> bool) -> Vec<String> {
        let parties = self.parties.iter().filter(|party| like(party));
        parties.map(|party| party.name.clone()).collect()
    }
}

/// What a role is called in sentences.
pub(super) fn called(role: Role) -> &'static str {
    match role {
        Role::DbOwner => "the database owner",
        Role::Issuer => "an issuer",
        Role::User => "a user",
        Role::Consumer => "a consumer",
        Role::Holder => "a token holder",
        Role::Association => "the Association",
        Role::Chain => "the chain that holds the tokens",
        Role::Gateway => "a gateway",
        Role::ShareNode => "a share node",
        Role::Operator => "an operator",
    }
}

/// Whether this is how nodes are called, there or not.
pub(super) fn is_node_name(name: &str) -> bool {
    name.strip_prefix('n').is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

impl Resolver<'_> {
    pub(super) fn cast(&mut self, actors: Option<&Actors>, chain: bool) {
        self.add(DB_OWNER, 0..0, (Role::DbOwner, false, false, true));
        let on_chain = |this: &mut Self| {
            for (name, role) in [(CHAIN, Role::Chain), (ASSOCIATION, Role::Association)] {
                this.add(name, 0..0, (role, false, false, true));
            }
        };
        let holders = actors.and_then(|actors| actors.holders.as_ref());
        let chain = chain || holders.is_some_and(|holders| !holders.get().is_empty());
        let Some(actors) = actors else {
            if chain {
                on_chain(self);
            }
            return;
        };
        let groups = [
            (&actors.issuers, (Role::Issuer, false, true, true)),
            (&actors.outsiders, (Role::Issuer, false, false, true)),
            (&actors.users, (Role::User, true, false, true)),
            (&actors.new, (Role::User, false, false, true)),
            (&actors.consumers, (Role::Consumer, false, false, true)),
            (&actors.careless, (Role::Consumer, false, false, false)),
            (&actors.holders, (Role::Holder, false, false, true)),
            (&actors.gateways, (Role::Gateway, false, false, true)),
            (&actors.share_nodes, (Role::ShareNode, false, false, true)),
        ];
        for (names, traits) in groups {
            for name in names.iter().flat_map(|names| names.get()) {
                if self.cast.parties.len() > MOST {
                    self.complain(
                        name,
                        format!("there are more than {MOST} actors"),
                        "one too many",
                    );
                    return;
                }
                if self.actor_name(name) {
                    self.add(name.get(), name.span(), traits);
                }
            }
        }
        if chain {
            on_chain(self);
        }
        let users = actors.users.iter().flat_map(|names| names.get());
        let registrar = self.cast.parties.iter().any(|party| party.admitted);
        if let (Some(user), false) = (users.into_iter().next(), registrar) {
            let message = "nobody could have created the users' profiles".to_owned();
            self.complain(user, message, "has a profile from the beginning")
                .advise("name an issuer, such as issuers = [\"kyc-co\"], or put users under new");
        }
        for (names, password) in [
            (&actors.mpc, Password::Shared),
            (&actors.weak, Password::Weak),
        ] {
            for name in names.iter().flat_map(|names| names.get()) {
                self.password(name, password);
            }
        }
        for (name, of) in actors.shared_keys.iter().flat_map(|shared| shared.get()) {
            self.share_key(name, of);
        }
        for (name, of) in actors.same_person.iter().flat_map(|same| same.get()) {
            let both = (self.role(name, Role::User), self.role(of, Role::User));
            if let (Some(id), Some(of)) = both {
                self.cast.parties[id.index()].person = self.cast.party(of).person;
            }
        }
        for (name, of) in actors.branches.iter().flat_map(|branches| branches.get()) {
            self.branch(name, of);
        }
    }

    /// Lets somebody take part; what it is besides its role: registered, admitted, careful.
    fn add(
        &mut self,
        name: &str,
        span: Range<usize>,
        (role, registered, admitted, careful): (Role, bool, bool, bool),
    ) -> PartyId {
        let id = PartyId(self.cast.parties.len() as u16);
        self.cast.names.insert(name.to_owned(), (id, span));
        // A network has one database owner and one operator for each node, whichever stories it sees.
        let known_as = match role {
            Role::DbOwner | Role::Operator => name.to_owned(),
            _ => self.place.marked(name),
        };
        self.cast.parties.push(Party {
            name: name.to_owned(),
            role,
            node: NodeId(0),
            user: ids::user(&known_as),
            wallet: ids::wallet(&self.told_as, name, defaults::FIRST_WALLET, 0),
            wallets: vec![defaults::wallet_type(0)],
            registered,
            admitted,
            careful,
            box_key_of: id,
            person: id,
            company_of: id,
            password: Password::Long,
            known_as,
        });
        id
    }

    /// The operator of a node, who is called as the node and takes part once a step says so.
    pub(super) fn operator(&mut self, name: &At<String>) -> Option<PartyId> {
        let node = self.own_name(name, "")?;
        if let Some(known) = self.cast.find(name.get()) {
            return Some(known);
        }
        let traits = (Role::Operator, false, false, true);
        let id = self.add(name.get(), name.span(), traits);
        self.cast.parties[id.index()].node = node;
        Some(id)
    }

    /// Whether an actor may be called this.
    fn actor_name(&mut self, name: &At<String>) -> bool {
        let text = name.get();
        if !is_name(text) {
            self.bad_name(name);
        } else if RESERVED.contains(&&**text) || is_node_name(text) {
            self.complain(name, format!("no actor can be called `{text}`"), "reserved")
                .advise(format!("reserved: {}, n1, n2, …", RESERVED.join(", ")));
        } else if let Some(first) = self.cast.place(text) {
            self.complain(
                name,
                format!("two actors are called `{text}`"),
                "the second",
            )
            .also(first, "the first");
        } else {
            return true;
        }
        false
    }

    pub(super) fn bad_name(&mut self, name: &At<String>) {
        self.complain(
            name,
            format!("`{}` is not a name", name.get()),
            "not a name",
        )
        .advise("a name begins with a lower-case letter and goes on with those, digits and dashes");
    }

    /// What a user's key is derived from.
    fn password(&mut self, name: &At<String>, password: Password) {
        let Some(id) = self.role(name, Role::User) else {
            return;
        };
        if self.cast.party(id).password != Password::Long {
            let message = format!("`{}` has two passwords", name.get());
            self.complain(name, message, "named for the second time");
            return;
        }
        let share_nodes = self.cast.names(|party| party.role == Role::ShareNode);
        if password == Password::Shared && share_nodes.is_empty() {
            let message = format!("nobody keeps the password of `{}`", name.get());
            self.complain(name, message, "needs share nodes")
                .advise("name some, such as share-nodes = [\"s1\", \"s2\", \"s3\"]");
        }
        self.cast.parties[id.index()].password = password;
    }

    fn share_key(&mut self, name: &At<String>, of: &At<String>) {
        let (Some(id), Some(owner)) = (self.party(name), self.party(of)) else {
            return;
        };
        if id == owner || self.cast.party(owner).box_key_of != owner {
            self.complain(
                of,
                format!("`{}` has no key of its own to share", of.get()),
                "not this one",
            );
            return;
        }
        if let Some(id) = self
            .cast
            .parties
            .iter()
            .position(|party| party.box_key_of == id && party.name != *name.get())
        {
            let other = self.cast.parties[id].name.clone();
            self.complain(
                name,
                format!("`{}` gives up the key it shares with `{other}`", name.get()),
                "used by others",
            );
            return;
        }
        self.cast.parties[id.index()].box_key_of = owner;
    }

    /// Makes an issuer a branch of another, which has an inserter of its own and comes first.
    fn branch(&mut self, name: &At<String>, of: &At<String>) {
        let issuers = (self.role(name, Role::Issuer), self.role(of, Role::Issuer));
        let (Some(id), Some(company)) = issuers else {
            return;
        };
        if company >= id || self.cast.party(company).company_of != company {
            let message = format!("`{}` cannot be a branch of `{}`", name.get(), of.get());
            self.complain(of, message, "no company that is named before it");
            return;
        }
        self.cast.parties[id.index()].company_of = company;
    }

    pub(super) fn party(&mut self, name: &At<String>) -> Option<PartyId> {
        let found = self.cast.find(name.get());
        if found.is_none() {
            let known = self.cast.names(|_| true);
            self.unknown(name, "actor", "nobody takes part under this name", &known);
        }
        found
    }

    /// A party with this role.
    pub(super) fn role(&mut self, name: &At<String>, role: Role) -> Option<PartyId> {
        let id = self.party(name)?;
        let is = self.cast.party(id).role;
        if is == role {
            return Some(id);
        }
        let message = format!("`{}` is {}, not {}", name.get(), called(is), called(role));
        let known = self.cast.names(|party| party.role == role);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.complain(name, message, format!("not {}", called(role)))
            .advise(suggest("", &known));
        None
    }

    /// A node by its own name.
    pub(super) fn node(&mut self, name: &At<String>) -> Option<NodeId> {
        if !matches!(name.get().as_str(), "leader" | "follower") {
            return self.own_name(name, "");
        }
        let message = format!("`{}` is a role, and a node is needed here", name.get());
        let help = self.all_nodes();
        self.complain(name, message, "not a node's own name")
            .advise(help);
        None
    }

    /// A node by name or role.
    pub(super) fn node_ref(&mut self, name: &At<String>) -> Option<NodeRef> {
        match name.get().as_str() {
            "leader" => Some(NodeRef::Leader),
            "follower" => Some(NodeRef::Follower),
            _ => self
                .own_name(name, ", and by role leader, follower")
                .map(NodeRef::Node),
        }
    }

    /// The node of this name; `besides` is what else could stand in its place.
    fn own_name(&mut self, name: &At<String>, besides: &str) -> Option<NodeId> {
        let number = name.get().strip_prefix('n');
        let place = number.and_then(|number| number.parse::<u16>().ok());
        match place.and_then(|place| place.checked_sub(1)) {
            Some(place) if place < self.nodes && name.get() == &NodeId(place).to_string() => {
                Some(NodeId(place))
            }
            // When the number of nodes is wrong itself, nothing can be said about their names.
            _ if self.nodes == 0 => None,
            _ => {
                let help = format!("{}{besides}", self.all_nodes());
                self.complain(
                    name,
                    format!("unknown node `{}`", name.get()),
                    "no such node",
                )
                .advise(help);
                None
            }
        }
    }

    /// A node or a party.
    pub(super) fn whose(&mut self, name: &At<String>) -> Option<Whose> {
        let text = name.get();
        let party = self.cast.find(text).filter(|_| !is_node_name(text));
        if let Some(party) = party {
            return Some(Whose::Party(party));
        }
        if is_node_name(text) || text == "leader" || text == "follower" {
            return self.node_ref(name).map(Whose::Node);
        }
        let mut known: Vec<String> = (0..self.nodes).map(|n| NodeId(n).to_string()).collect();
        known.extend(["leader".to_owned(), "follower".to_owned()]);
        known.extend(self.cast.names(|_| true));
        self.unknown(
            name,
            "node or actor",
            "nothing has a clock under this name",
            &known,
        );
        None
    }

    fn all_nodes(&self) -> String {
        match self.nodes {
            1 => "known here: n1".to_owned(),
            nodes => format!("known here: n1 to n{nodes}"),
        }
    }
}
