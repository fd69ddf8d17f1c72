//! What a transaction carries: actions of the schema, or business of the engine itself.

use super::action::{Action, Batch};
use super::refusal::Unreadable;
use crate::wire::{self, EnginePayload};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// One action, one or more times.
    Actions(Batch),
    /// Anything else that nodes run.
    Engine(EnginePayload),
}

impl From<Batch> for Payload {
    fn from(batch: Batch) -> Payload {
        Payload::Actions(batch)
    }
}

impl From<EnginePayload> for Payload {
    fn from(engine: EnginePayload) -> Payload {
        Payload::Engine(engine)
    }
}

impl Payload {
    /// What a transaction does whose payload says nothing that can be run: it uses its nonce.
    pub fn unreadable(why: Unreadable) -> Payload {
        Batch::unreadable(why).into()
    }

    /// The action's name, or the payload's type; a word for people where neither could be read.
    pub fn name(&self) -> &'static str {
        match self {
            Payload::Actions(batch) => batch.name(),
            Payload::Engine(engine) => engine.name(),
        }
    }

    /// The payload type and the bytes of a transaction that carries it.
    pub fn encoded(&self) -> (&'static str, Vec<u8>) {
        match self {
            Payload::Actions(batch) => {
                let calls: Vec<_> = batch.calls().iter().map(Action::arguments).collect();
                let bytes = wire::execute_payload(batch.namespace(), batch.name(), &calls);
                ("execute", bytes)
            }
            Payload::Engine(engine) => (engine.name(), engine.encoded()),
        }
    }

    /// The actions in order; none where it carries none.
    pub fn calls(&self) -> &[Action] {
        match self {
            Payload::Actions(batch) => batch.calls(),
            Payload::Engine(_) => &[],
        }
    }

    /// What the engine is to do itself, if anything.
    pub fn engine(&self) -> Option<&EnginePayload> {
        match self {
            Payload::Actions(_) => None,
            Payload::Engine(engine) => Some(engine),
        }
    }

    /// Why there is nothing to run, if there is not.
    pub fn problem(&self) -> Option<Unreadable> {
        match self {
            Payload::Actions(batch) => batch.problem(),
            Payload::Engine(_) => None,
        }
    }
}
