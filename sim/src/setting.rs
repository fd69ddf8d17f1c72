//! The people of a story, with their keys, and what is in the network before it begins: issuers admitted,
//! users registered. Every world sets out from here, so that its people are the same.

use std::sync::Arc;

use assay_model::actor::{Actor, Card, Directory, Persona};
use assay_model::bridge::{Address, Allocation};
use assay_model::crypto::{Identity, Suite};
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
    /// The setting of a plan on a network of this name, whose database owner has used so many nonces.
    pub fn new(
        plan: &Plan,
        seed: Seed,
        suite: &Arc<dyn Suite>,
        (chain_id, used): (&Text, u64),
    ) -> Setting {
        let personas: Vec<Persona> = plan.parties.iter().map(persona).collect();
        let (directory, keys) = Directory::new(
            &**suite,
            &personas,
            chain_id.clone(),
            plan.rules,
            plan.nodes,
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

fn persona(party: &Party) -> Persona {
    Persona {
        name: party.known_as.clone(),
        role: party.role,
        user: party.user,
        wallet: party.wallet,
        wallets: party.wallets.clone(),
        careful: party.careful,
        box_key_of: party.box_key_of,
    }
}

fn cast(plan: &Plan, directory: &Directory, chain_id: Text) -> Cast {
    let member = |(party, card): (&Party, &Card)| Member {
        name: party.name.clone(),
        role: party.role,
        user: party.user,
        identities: card.identities.clone(),
        careful: party.careful,
    };
    Cast {
        parties: plan
            .parties
            .iter()
            .zip(&directory.cards)
            .map(member)
            .collect(),
        nodes: plan.nodes,
        chain_id,
        rules: plan.rules,
        epoch: plan.epoch,
        drift: plan.timing.drift,
        keeps_history: true,
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
