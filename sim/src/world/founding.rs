//! The network as the story finds it: keys, cast, and a first block with issuers admitted and users
//! registered.

use std::sync::Arc;

use assay_model::actor::{self, Directory};
use assay_model::crypto::{Scheme, SigningKey, Suite};
use assay_model::history::{Cast, Member, Role};
use assay_model::id::{PartyId, Text};
use assay_model::node::{Committed, Genesis, Node};
use assay_scenarios::plan::{Party, Plan};

use super::Person;

/// Node keys hang on the node's place alone.
pub(super) fn node_key(node: u16) -> SigningKey {
    let secret = blake3::derive_key("assay 2026 node keys", &node.to_le_bytes());
    SigningKey {
        scheme: Scheme::Ed25519,
        secret,
    }
}

pub(super) fn cast(plan: &Plan, directory: &Directory, chain_id: Text) -> Cast {
    let member = |(party, card): (&Party, &actor::Card)| Member {
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
    }
}

/// The network as the story finds it: issuers admitted, users registered.
pub(super) fn first_block(
    plan: &Plan,
    genesis: &Arc<Genesis>,
    suite: &Arc<dyn Suite>,
    keys: &[SigningKey],
    people: &mut [Person],
) -> Arc<Committed> {
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
        .flat_map(|issuer| people[0].actor.desk().admission(*issuer))
        .collect();
    let mut transactions = people[0].actor.found(admissions);
    if let Some(registrar) = issuers.first() {
        let mut registrations = Vec::new();
        for user in users {
            let (registrar, user) = (registrar.index(), user.index());
            let [registrar, user] = people
                .get_disjoint_mut([registrar, user])
                .expect("an issuer is not a user");
            let desk = user.actor.desk_mut();
            registrations.extend(
                registrar
                    .actor
                    .desk()
                    .founding_registration(desk, plan.epoch),
            );
        }
        transactions.extend(people[registrar.index()].actor.found(registrations));
    }
    Node::founding_block(genesis, suite, keys, transactions.into())
}
