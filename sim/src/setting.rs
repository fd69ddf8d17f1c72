//! The people of a story, with their keys, and what is in the network before it begins: issuers admitted,
//! users registered. Every world sets out from here, so that its people are the same.

use std::sync::Arc;

use assay_model::actor::{Actor, Card, Directory, Password, Persona};
use assay_model::bridge::{Address, Allocation};
use assay_model::crypto::{Identity, SigningKey, Suite};
use assay_model::history::{Cast, Member, Role};
use assay_model::id::{PartyId, Text};
use assay_model::ledger::Transaction;
use assay_scenarios::plan::{Balance, Party, Plan};

use crate::seed::{Domain, Seed};

/// See the module.
pub struct Setting {
    /// What a reader of the history must know.
    pub cast: Cast,
    /// By [`PartyId`], database owner first.
    pub actors: Vec<Actor>,
    /// What the network has to carry out before the story, in order.
    pub founding: Vec<Arc<Transaction>>,
}

impl Setting {
    /// The setting of a plan on a network of this name, whose database owner has used so many nonces. The
    /// keys of its nodes are their operators'; there are none where nobody outside knows them.
    pub fn new(
        plan: &Plan,
        seed: Seed,
        suite: &Arc<dyn Suite>,
        (chain_id, used): (&Text, u64),
        node_keys: &[SigningKey],
    ) -> Setting {
        let personas: Vec<Persona> = plan
            .parties
            .iter()
            .map(|party| persona(party, &plan.parties))
            .collect();
        let (directory, keys) = Directory::new(
            &**suite,
            &personas,
            chain_id.clone(),
            plan.rules,
            (plan.nodes, node_keys),
            plan.external,
        );
        let entropy = |id: u16| seed.draw(Domain::Entropy, u64::from(id), 0).bytes();
        let mut actors: Vec<Actor> = (0..)
            .zip(keys)
            .map(|(id, keys)| {
                let (suite, directory) = (suite.clone(), directory.clone());
                Actor::new(PartyId(id), suite, directory, keys, entropy(id))
            })
            .collect();
        let founding = founding(plan, &mut actors, used);
        found_shares(plan, &mut actors);
        Setting {
            cast: cast(plan, &directory, chain_id.clone()),
            actors,
            founding,
        }
    }

    /// Caller identity of the database owner.
    pub fn db_owner(&self) -> Text {
        self.cast.parties[0].identities[0].caller().into()
    }
}

fn persona(party: &Party, parties: &[Party]) -> Persona {
    Persona {
        name: party.known_as.clone(),
        role: party.role,
        node: party.node,
        user: party.user,
        wallet: party.wallet,
        wallets: party.wallets.clone(),
        careful: party.careful,
        box_key_of: party.box_key_of,
        person: party.person,
        company: parties[party.company_of.index()].known_as.clone(),
        password: party.password,
    }
}

fn cast(plan: &Plan, directory: &Directory, chain_id: Text) -> Cast {
    let member = |(party, card): (&Party, &Card)| Member {
        name: party.name.clone(),
        role: party.role,
        user: party.user,
        identities: card.identities.clone(),
        careful: party.careful,
        person: party.person,
    };
    Cast {
        parties: plan
            .parties
            .iter()
            .zip(&directory.cards)
            .map(member)
            .collect(),
        nodes: plan.nodes,
        operators: directory.operators().to_vec(),
        external: plan.external,
        keys: directory.validators.clone(),
        sentries: plan.sentries.clone(),
        leader: plan.leader,
        chain_id,
        rules: plan.rules,
        epoch: plan.epoch,
        drift: plan.timing.drift,
        freshness: plan.timing.freshness(),
        keeps_history: false,
        history: plan.timing.history,
        balances: plan
            .balances
            .iter()
            .filter_map(|balance| allocation(balance, directory))
            .collect(),
    }
}

/// Whose key is no address of the other chain has nothing there.
fn allocation(balance: &Balance, directory: &Directory) -> Option<Allocation> {
    let card = directory.card(balance.of);
    match card.identities.get(usize::from(balance.wallet))? {
        Identity::Evm(address) => Some(Allocation {
            token: balance.token,
            address: Address(*address),
            amount: balance.amount,
        }),
        _ => None,
    }
}

/// The share nodes keep the passwords of users whose profiles exist.
fn found_shares(plan: &Plan, actors: &mut [Actor]) {
    for (id, party) in plan.parties.iter().enumerate() {
        if party.registered && party.password == Password::Shared {
            for (node, signed, share) in actors[id].desk_mut().founding_uploads() {
                let desk = actors[node.index()].desk_mut();
                desk.found_share(plan.epoch, party.user, &signed, share);
            }
        }
    }
}

/// The database owner admits the issuers, and the first of them registers the users.
fn founding(plan: &Plan, actors: &mut [Actor], used: u64) -> Vec<Arc<Transaction>> {
    let parties = || (0..).map(PartyId).zip(&plan.parties);
    let issuers: Vec<PartyId> = parties()
        .filter(|(_, party)| party.role == Role::Issuer && party.admitted)
        .map(|(id, _)| id)
        .collect();
    let users: Vec<PartyId> = parties()
        .filter(|(_, party)| party.role == Role::User && party.registered)
        .map(|(id, _)| id)
        .collect();
    let admissions = issuers
        .iter()
        .flat_map(|issuer| actors[0].desk().admission(*issuer))
        .collect();
    let mut transactions = actors[0].found(used, admissions);
    if let Some(registrar) = issuers.first() {
        let mut registrations = Vec::new();
        for user in users {
            let [issuer, user] = actors
                .get_disjoint_mut([registrar.index(), user.index()])
                .expect("an issuer is not a user");
            let desk = user.desk_mut();
            registrations.extend(issuer.desk().founding_registration(desk, plan.epoch));
        }
        transactions.extend(actors[registrar.index()].found(0, registrations));
    }
    transactions
}
