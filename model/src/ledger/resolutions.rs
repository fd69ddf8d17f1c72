//! Resolutions: what validators decide together, by voting power.
//!
//! A kind of resolution is a row of [`Kind`]'s table and an arm of [`Motion`]: its name, how much power has to
//! approve of it, how long it stands, and what happens then. Votes are counted at the end of each block, so
//! that a decision takes effect with the block that reaches the threshold, and the next one is made by the
//! validators it left. Source: idos-facts 6.1.

use std::sync::Arc;

use super::execute::{At, Env, Refused};
use super::refusal::Refusal;
use super::tables::{Approval, Parameter, Processed, Resolution, State, Validator};
use super::{economy, governance};
use crate::bridge::{BridgeEvent, Hash};
use crate::crypto::Identity;
use crate::id::{ResolutionId, Text};
use crate::rules::{Rules, Switch};
use crate::wire::{
    BRIDGE_EVENT, KeyId, ParameterUpdate, ParameterUpdates, PowerUpdate, VotableEvent,
};

/// A node becomes a validator.
pub(super) const JOIN: &str = "validator_join";
/// A validator stops being one.
pub(super) const REMOVE: &str = "validator_remove";
/// Parameters of the network change.
pub(super) const PARAMETERS: &str = "param_updates";

/// Seconds that what the other chain tells stands. Source: kwil-db, ordered-sync.
const EVENT_EXPIRY: i64 = 3_600;
/// Seconds that every other proposal stands.
const EXPIRY: i64 = 7 * 24 * 3_600;

/// How much of the voting power has to approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// Two thirds, rounded up: who votes at all.
    TwoThirds,
    /// Half, rounded up: exactly half is enough when the whole is even.
    Half,
    /// More than half.
    Majority,
}

impl Threshold {
    /// Whether so much of so much is enough.
    pub const fn is_reached(self, approved: u128, total: u128) -> bool {
        match self {
            Threshold::TwoThirds => approved >= (total * 2).div_ceil(3),
            Threshold::Half => approved >= total.div_ceil(2),
            Threshold::Majority => approved > total / 2,
        }
    }
}

/// What a resolution is about, with everything that goes for its kind.
pub(super) enum Motion {
    /// See [`JOIN`] and [`REMOVE`].
    Power(Identity, u64),
    /// See [`PARAMETERS`].
    Parameters(Vec<ParameterUpdate>),
    /// See [`BRIDGE_EVENT`].
    Bridged(BridgeEvent),
}

impl Motion {
    /// Reads what is proposed.
    pub(super) fn of(event: &VotableEvent) -> Result<Motion, Refusal> {
        let invalid = |_| Refusal::ResolutionInvalid;
        match event.kind.as_str() {
            JOIN | REMOVE => {
                let update = PowerUpdate::decode(&event.body).map_err(invalid)?;
                let validator = update.validator.identity();
                let power = u64::try_from(update.power).ok();
                match (validator, power) {
                    (Some(validator), Some(power)) => Ok(Motion::Power(validator, power)),
                    _ => Err(Refusal::ResolutionInvalid),
                }
            }
            PARAMETERS => {
                let updates = ParameterUpdates::decode(&event.body)
                    .map_err(invalid)?
                    .updates;
                if updates.iter().all(is_sound) {
                    Ok(Motion::Parameters(updates))
                } else {
                    Err(Refusal::ResolutionInvalid)
                }
            }
            BRIDGE_EVENT => {
                let event = BridgeEvent::decode(&event.body).map_err(invalid)?;
                Ok(Motion::Bridged(event))
            }
            _ => Err(Refusal::ResolutionTypeUnknown),
        }
    }

    fn threshold(&self, rules: Rules) -> Threshold {
        match self {
            Motion::Power(..) => Threshold::TwoThirds,
            Motion::Parameters(_) => Threshold::Half,
            Motion::Bridged(_) if rules.keep(Switch::MajorityCredits) => Threshold::Majority,
            Motion::Bridged(_) => Threshold::Half,
        }
    }

    /// Whether the same thing may be voted on again once it was decided, or has expired. What the other chain
    /// tells happened once; but tokens whose deposit found too few votes in time must not be lost for good.
    fn may_recur(&self, decided: bool) -> bool {
        match self {
            Motion::Power(..) => true,
            Motion::Parameters(_) => false,
            Motion::Bridged(_) => !decided,
        }
    }

    /// What happens once enough power approves of it. Returns whom it makes leader.
    fn take_effect(self, state: &mut State, env: Env<'_>, at: At) -> Option<Identity> {
        match self {
            Motion::Power(validator, power) => {
                set_power(state, env, at, validator, power);
                None
            }
            Motion::Parameters(updates) => {
                let set = |update| set_parameter(state, env, at, update);
                updates.into_iter().filter_map(set).next_back()
            }
            Motion::Bridged(event) => {
                // A deposit that cannot be credited, whatever validators say, is not.
                let _ = economy::bridged(state, &event);
                None
            }
        }
    }
}

/// Whether a parameter can have this value. Source: kwil `NetworkParameters.SanityChecks`.
fn is_sound(update: &ParameterUpdate) -> bool {
    match update {
        ParameterUpdate::Leader(key) => key.identity().is_some(),
        ParameterUpdate::MaxBlockSize(number)
        | ParameterUpdate::JoinExpiry(number)
        | ParameterUpdate::MaxVotesPerTx(number) => *number > 0,
        ParameterUpdate::DisabledGasCosts(_) => true,
    }
}

/// The parameters of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Who leads as far as they say; nobody where no node is known.
    pub leader: Option<Identity>,
    /// Largest sum of payloads in a block, in bytes.
    pub max_block_size: i64,
    /// Seconds that a request to join stands.
    pub join_expiry: i64,
    /// Whether transactions cost nothing but what actions take.
    pub disabled_gas_costs: bool,
    /// How many votes a transaction can carry.
    pub max_votes_per_tx: i64,
}

impl Default for Parameters {
    /// What a new network's are. Source: kwil-rpc 9, idos-facts 6.1.
    fn default() -> Parameters {
        Parameters {
            leader: None,
            max_block_size: 6_291_456,
            join_expiry: 24 * 3_600,
            disabled_gas_costs: true,
            max_votes_per_tx: 200,
        }
    }
}

impl Parameters {
    fn set(&mut self, update: &ParameterUpdate) {
        match update {
            ParameterUpdate::Leader(key) => self.leader = key.identity(),
            ParameterUpdate::MaxBlockSize(bytes) => self.max_block_size = *bytes,
            ParameterUpdate::JoinExpiry(seconds) => self.join_expiry = *seconds,
            ParameterUpdate::DisabledGasCosts(disabled) => self.disabled_gas_costs = *disabled,
            ParameterUpdate::MaxVotesPerTx(votes) => self.max_votes_per_tx = *votes,
        }
    }
}

/// What a new network's parameters are, as its tables have them.
pub fn usual_parameters(leader: Identity) -> Vec<ParameterUpdate> {
    let usual = Parameters::default();
    vec![
        ParameterUpdate::Leader(KeyId::of(&leader)),
        ParameterUpdate::MaxBlockSize(usual.max_block_size),
        ParameterUpdate::JoinExpiry(usual.join_expiry),
        ParameterUpdate::DisabledGasCosts(usual.disabled_gas_costs),
        ParameterUpdate::MaxVotesPerTx(usual.max_votes_per_tx),
    ]
}

impl State {
    /// The state of a new network: its validators with their power, and its parameters.
    pub fn founded(
        validators: impl IntoIterator<Item = (Identity, u64)>,
        parameters: Vec<ParameterUpdate>,
    ) -> State {
        let mut state = State::default();
        for (validator, power) in validators {
            if power > 0 {
                state.put(validator, Validator { power });
            }
        }
        for parameter in parameters {
            state.put(parameter.name().into(), Parameter(parameter));
        }
        state.seal();
        state
    }

    /// What the parameters are; where nobody has said otherwise, a new network's.
    pub fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::default();
        for row in self.tables().parameters.values() {
            parameters.set(&row.0);
        }
        parameters
    }
}

/// How long a proposal of this kind stands, in seconds.
pub(super) fn expiry(state: &State, kind: &str) -> i64 {
    match kind {
        JOIN | REMOVE => state.parameters().join_expiry,
        BRIDGE_EVENT => EVENT_EXPIRY,
        _ => EXPIRY,
    }
}

/// Whether a resolution can still be approved of.
pub(super) fn is_pending(state: &State, at: At, id: ResolutionId) -> bool {
    let row = state.tables().resolutions.get(&id);
    row.is_some_and(|row| at.time.0 < row.expires_at)
}

/// The request of a node to become a validator, if there is one.
pub(super) fn join_of(state: &State, at: At, candidate: Identity) -> Option<ResolutionId> {
    let mut rows = state.tables().resolutions.iter();
    let own = |row: &Resolution| row.event.kind == JOIN && row.proposer == candidate;
    let found = rows.find(|(id, row)| own(row) && is_pending(state, at, **id));
    found.map(|(id, _)| *id)
}

/// Opens a vote.
pub(super) fn create(
    state: &mut State,
    at: At,
    proposer: Identity,
    event: &VotableEvent,
    expires_in: i64,
) -> Refused {
    let id = event.id();
    if is_pending(state, at, id) || state.tables().processed.contains_key(&id) {
        return Err(Refusal::ResolutionExists);
    }
    close(state, id);
    let row = Resolution {
        event: event.clone(),
        proposer,
        expires_at: at.time.0.saturating_add(expires_in),
    };
    state.put(id, row);
    Ok(())
}

/// Adds an approval; a second one of the same validator changes nothing.
pub(super) fn approve(state: &mut State, at: At, voter: Identity, id: ResolutionId) -> Refused {
    if !is_pending(state, at, id) {
        return Err(Refusal::ResolutionUnknown);
    }
    if !state.tables().approvals.contains_key(&(id, voter)) {
        state.put((id, voter), Approval);
    }
    Ok(())
}

/// What happens at the end of a block of this hash: votes are counted, and epochs of withdrawals close.
/// Returns who is to lead from the next block on, if that was decided.
pub fn conclude(state: &mut State, env: Env<'_>, at: At, block: Hash) -> Option<Identity> {
    let appointed = count_votes(state, env, at);
    economy::close_epochs(state, at, block);
    appointed
}

/// What has enough votes takes effect, what has run out of time is over.
fn count_votes(state: &mut State, env: Env<'_>, at: At) -> Option<Identity> {
    if state.tables().resolutions.is_empty() {
        return None;
    }
    // All are counted before any takes effect.
    let total: u128 = powers(state).map(|(_, power)| power).sum();
    let open: Vec<(ResolutionId, Arc<Resolution>)> = {
        let rows = state.tables().resolutions.iter();
        rows.map(|(id, row)| (*id, row.clone())).collect()
    };
    let mut decided = Vec::new();
    for (id, row) in open {
        let expired = at.time.0 >= row.expires_at;
        let Ok(motion) = Motion::of(&row.event) else {
            unreachable!("only what can be read was proposed")
        };
        let approved = approved(state, id);
        let passes = motion.threshold(env.rules).is_reached(approved, total) && approved > 0;
        if passes && !expired {
            decided.push((id, motion));
        } else if expired {
            close(state, id);
            if !motion.may_recur(false) {
                state.put(id, Processed);
            }
        }
    }
    let mut appointed = None;
    for (id, motion) in decided {
        close(state, id);
        if !motion.may_recur(true) {
            state.put(id, Processed);
        }
        appointed = motion.take_effect(state, env, at).or(appointed);
    }
    appointed
}

fn powers(state: &State) -> impl Iterator<Item = (&Identity, u128)> {
    let validators = state.tables().validators.iter();
    validators.map(|(validator, row)| (validator, u128::from(row.power)))
}

/// The power behind a resolution: of those who are validators now.
fn approved(state: &State, id: ResolutionId) -> u128 {
    let approvals = &state.tables().approvals;
    powers(state)
        .filter(|(validator, _)| approvals.contains_key(&(id, **validator)))
        .map(|(_, power)| power)
        .sum()
}

/// Takes a resolution and its approvals out.
fn close(state: &mut State, id: ResolutionId) {
    let of_it: Vec<_> = powers(state)
        .map(|(validator, _)| (id, *validator))
        .filter(|key| state.tables().approvals.contains_key(key))
        .collect();
    for key in of_it {
        state.delete::<Approval>(&key);
    }
    state.delete::<Resolution>(&id);
}

/// Makes a node a validator of this power, or none. What it approved of goes with it. Nothing changes for one that
/// has that power already, or has left before others have voted it out.
pub(super) fn set_power(state: &mut State, env: Env<'_>, at: At, validator: Identity, power: u64) {
    let row = state.tables().validators.get(&validator);
    if row.map_or(0, |row| row.power) == power {
        return;
    }
    let subject = format!("{} {power}", validator.caller());
    governance::log(state, env, at.height, "validator-changed", subject);
    if power > 0 {
        state.put(validator, Validator { power });
        return;
    }
    state.delete::<Validator>(&validator);
    let approvals = state.tables().approvals.keys();
    let own: Vec<_> = approvals
        .filter(|(_, of)| *of == validator)
        .copied()
        .collect();
    for key in own {
        state.delete::<Approval>(&key);
    }
}

/// Changes a parameter; returns whom that makes leader. Who is no validator cannot lead, and by the time of
/// the decision the candidate may have gone.
fn set_parameter(
    state: &mut State,
    env: Env<'_>,
    at: At,
    update: ParameterUpdate,
) -> Option<Identity> {
    let mut appointed = None;
    if let ParameterUpdate::Leader(key) = &update {
        let votes = |leader: &Identity| state.tables().validators.contains_key(leader);
        appointed = Some(key.identity().filter(votes)?);
    }
    let name: Text = update.name().into();
    governance::log(state, env, at.height, "parameter-changed", name.to_string());
    state.put(name, Parameter(update));
    appointed
}
