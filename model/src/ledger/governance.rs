//! Changes of the rules themselves: statements of the database owner, and the public log of every change
//! of inserters, delegates, actions, ownership, parameters and validators.
//!
//! A schema is SQL, and this is no database: what an owner can replace here is whether an action keeps a
//! promise that a switch stands for, or looks at locks at all. Every other statement is refused by name.

use serde::{Deserialize, Serialize};

use super::execute::{Call, Env, Refused};
use super::owner;
use super::refusal::Refusal;
use super::tables::{AccessGrant, Change, Ownership, ReplacedAction, State, Tables};
use crate::id::{Height, Text};
use crate::rules::{Rules, Switch};

/// What an action can be replaced with: one that keeps this, or one that does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Governed {
    /// `revoke_access_grant` looks at locks.
    LocksChecked,
    /// The action behaves as the switch says.
    Rule(Switch),
}

impl Governed {
    /// Everything that can be replaced, with the action it is in.
    pub const ALL: &'static [(Governed, &'static str)] = &[
        (Governed::LocksChecked, "revoke_access_grant"),
        (
            Governed::Rule(Switch::DagSingleUse),
            "create_ag_by_dag_for_copy",
        ),
        (
            Governed::Rule(Switch::OwnerChangesKey),
            "update_user_pub_key_as_inserter",
        ),
        (
            Governed::Rule(Switch::AnyCaseDelegate),
            "delete_delegate_as_owner",
        ),
        (Governed::Rule(Switch::StickyStatus), "edit_credential"),
    ];

    /// As statements and stories call it.
    pub const fn name(self) -> &'static str {
        match self {
            Governed::LocksChecked => "locks-checked",
            Governed::Rule(switch) => switch.name(),
        }
    }

    /// The one of this name, if it can be replaced.
    pub fn parse(name: &str) -> Option<Governed> {
        let mut all = Governed::ALL.iter().map(|(governed, _)| *governed);
        all.find(|governed| governed.name() == name)
    }

    fn action(self) -> &'static str {
        let mut all = Governed::ALL.iter();
        let found = all.find(|(governed, _)| *governed == self);
        found.map_or("", |(_, action)| action)
    }

    /// The statement that makes the action keep it, or not.
    pub fn statement(self, on: bool) -> String {
        let position = if on { "on" } else { "off" };
        let (action, name) = (self.action(), self.name());
        format!("CREATE OR REPLACE ACTION {action} PUBLIC {{ -- {name}={position}\n}};")
    }
}

/// A statement that is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaChange {
    /// An action is replaced.
    Replace(Governed, bool),
    /// The database gets another owner.
    TransferOwnership(Text),
}

impl SchemaChange {
    /// Understands a statement, however its words are spaced.
    pub fn parse(statement: &str) -> Option<SchemaChange> {
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let said = words(statement);
        for (governed, _) in Governed::ALL {
            for on in [true, false] {
                if said == words(&governed.statement(on)) {
                    return Some(SchemaChange::Replace(*governed, on));
                }
            }
        }
        let statement = said.join(" ");
        let owner = statement.strip_prefix("TRANSFER OWNERSHIP TO '")?;
        let owner = owner
            .strip_suffix(';')
            .unwrap_or(owner)
            .strip_suffix('\'')?;
        let plain = !owner.is_empty() && !owner.contains('\'');
        plain.then(|| SchemaChange::TransferOwnership(owner.into()))
    }
}

/// Runs a statement of the database owner.
pub(super) fn run_statement(state: &mut State, call: Call<'_>, statement: &str) -> Refused {
    owner::require(call, "raw_statement")?;
    match SchemaChange::parse(statement).ok_or(Refusal::StatementUnsupported)? {
        SchemaChange::Replace(governed, on) => {
            let name: Text = governed.name().into();
            // Saying again what is so already begins nothing: grants made meanwhile were made under it.
            let row = state.tables().replaced_actions.get(&name);
            if row.is_none_or(|row| row.on != on) {
                let since = call.height;
                state.put(name, ReplacedAction { on, since });
            }
            let position = if on { "on" } else { "off" };
            let (action, name) = (governed.action(), governed.name());
            log(
                state,
                call.env,
                call.height,
                "action-replaced",
                format!("{action} {name}={position}"),
            );
        }
        SchemaChange::TransferOwnership(owner) => {
            let subject = owner.to_string();
            state.put("db_owner".into(), Ownership(owner));
            log(state, call.env, call.height, "owner-changed", subject);
        }
    }
    Ok(())
}

/// Writes a change into the public log, where there is one.
pub(super) fn log(state: &mut State, env: Env<'_>, height: Height, what: &str, subject: String) {
    if env.rules.keep(Switch::GovernanceLog) {
        state.append(Change {
            height,
            what: what.into(),
            subject: subject.into(),
        });
    }
}

/// The rules as they stand after everything the owner has replaced, and whoever owns the database now.
pub(super) fn ruled(tables: &Tables, env: Env<'_>) -> (Rules, Option<Text>) {
    let mut rules = env.rules;
    for (name, row) in &tables.replaced_actions {
        if let Some(Governed::Rule(switch)) = Governed::parse(name) {
            rules = rules.with(switch, row.on);
        }
    }
    let owner = tables.ownership.get("db_owner");
    (rules, owner.map(|owner| owner.0.clone()))
}

/// Whether a grant's lock is looked at: always, unless the action that does has been replaced. Under
/// `locks-outlive-changes` a grant keeps the lock it was made under.
pub(super) fn lock_counts(tables: &Tables, grant: &AccessGrant, call: Call<'_>) -> bool {
    match tables.replaced_actions.get(Governed::LocksChecked.name()) {
        Some(row) if !row.on => {
            call.keeps(Switch::LocksOutliveChanges) && grant.height <= row.since
        }
        _ => true,
    }
}
