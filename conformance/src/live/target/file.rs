//! The target file as it is written. Nothing is decided here; `resolve` types the values and fills in
//! what is left out.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// A value and where it stands.
pub(crate) type At<T> = Spanned<T>;

/// A command: the program and its arguments.
pub(crate) type Argv = Vec<At<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) name: At<String>,
    pub(crate) description: String,
    pub(crate) home: Option<At<String>>,
    pub(crate) commands: Commands,
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, At<String>>,
    pub(crate) peer_id: Option<PeerId>,
    #[serde(default)]
    pub(crate) ready: Ready,
    #[serde(default)]
    pub(crate) clock: Clock,
    pub(crate) data: Data,
    #[serde(default)]
    pub(crate) capabilities: Capabilities,
    #[serde(default)]
    pub(crate) stop: Stop,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Commands {
    pub(crate) init: At<Argv>,
    pub(crate) start: At<Argv>,
    pub(crate) stop: Option<At<Argv>>,
    pub(crate) inspect: Option<At<Argv>>,
    pub(crate) appoint: Option<At<Argv>>,
    pub(crate) peer_args: Option<At<Argv>>,
    pub(crate) rule_args: Option<At<Argv>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeerId {
    pub(crate) file: At<String>,
    pub(crate) pointer: At<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ready {
    pub(crate) limit: Option<At<String>>,
    pub(crate) height: Option<u64>,
    pub(crate) chain_id: Option<At<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clock {
    pub(crate) hook: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
    pub(crate) paths: Vec<At<String>>,
    pub(crate) keeps_history: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Capabilities {
    pub(crate) profile: Option<At<String>>,
    #[serde(default)]
    pub(crate) rules: Vec<At<String>>,
    #[serde(default)]
    pub(crate) cannot: Vec<At<String>>,
    pub(crate) max_body: Option<u64>,
    pub(crate) private: Option<bool>,
    #[serde(default)]
    pub(crate) keys_of_seed: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stop {
    pub(crate) signal: Option<At<String>>,
    pub(crate) limit: Option<At<String>>,
}
