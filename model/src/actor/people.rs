//! People for tests of single flows.

use std::sync::Arc;

use uuid::Uuid;

use super::desk::Desk;
use super::directory::{Directory, External, Keys, Password, Persona};
use super::order::{Order, Task, Via};
use crate::crypto::{Suite, Symbolic};
use crate::history::Role;
use crate::id::{NodeId, PartyId, UserId, WalletId};
use crate::rules::Rules;

/// Somebody of this name.
pub(super) fn persona(name: &str, role: Role, id: PartyId) -> Persona {
    Persona {
        name: name.to_owned(),
        role,
        user: UserId(Uuid::from_u128(
            0x4000_8000_0000_0000_0000 + u128::from(id.0),
        )),
        wallet: WalletId(Uuid::nil()),
        wallets: Vec::new(),
        careful: true,
        node: NodeId(0),
        box_key_of: id,
        person: id,
        company: name.to_owned(),
        password: Password::Long,
    }
}

/// The directory of these people, on a network of three nodes.
pub(super) fn directory(personas: &[Persona], rules: Rules) -> (Arc<Directory>, Vec<Keys>) {
    let nodes = (3, &[][..]);
    let said = External::ARBITRUM;
    Directory::new(&Symbolic, personas, "net".into(), rules, nodes, said)
}

/// The desks of people in these roles.
pub(super) fn desks<const N: usize>(roles: [Role; N]) -> [Desk; N] {
    let persona = |(id, role)| persona(&format!("person {id}"), role, PartyId(id));
    let personas: Vec<Persona> = (0..).zip(roles).map(persona).collect();
    let (directory, keys) = directory(&personas, Rules::documented());
    let suite: Arc<dyn Suite> = Arc::new(Symbolic);
    let mut keys = keys.into_iter();
    std::array::from_fn(|id| {
        let keys = keys.next().expect("everybody has keys");
        let me = PartyId(id as u16);
        Desk::new(me, suite.clone(), directory.clone(), keys, [id as u8; 32])
    })
}

/// An order with nothing special about it.
pub(super) fn task(order: Order) -> Task {
    Task {
        order,
        via: Via::Any,
        wallet: 0,
        patience: 60_000,
        oddity: None,
    }
}
