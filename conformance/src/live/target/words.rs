//! Placeholders: what the texts of a target may name, and how they are filled in.

use std::collections::BTreeMap;

/// Values of placeholders, by name.
pub(crate) type Values = BTreeMap<&'static str, String>;

/// Known everywhere: the network as a whole.
const NETWORK: &[&str] = &[
    "self",
    "dir",
    "nodes",
    "chain_id",
    "db_owner",
    "seed",
    "genesis_time_ms",
    "propose_ms",
    "poll_ms",
    "empty_block_ms",
    "resend_ms",
    "broadcast_ms",
    "challenge_ms",
    "drift_ms",
    "history_blocks",
    "first_leader",
    "balances",
    "sentries",
];

/// Known where one node is meant.
const NODE: &[&str] = &[
    "node",
    "index",
    "number",
    "home",
    "id",
    "host",
    "rpc",
    "rpc_port",
    "peer",
    "peer_port",
    "admin",
    "admin_port",
    "time_file",
];

/// Where a text stands, which decides what it may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The network as a whole.
    Network,
    /// One node.
    Node,
    /// One node that is told who leads.
    Appoint,
    /// One peer of a node; `node` and the like mean the peer.
    Peer,
    /// One rule that is kept or not.
    Rule,
    /// Where a node is, before it has addresses.
    Place,
}

impl Scope {
    /// Every name that is known here.
    pub(crate) fn words(self) -> Vec<&'static str> {
        let own: &[&str] = match self {
            Scope::Network => &[],
            Scope::Node => NODE,
            Scope::Appoint => &["term", "leader", "leader_id", "next_height"],
            Scope::Peer => &["node", "index", "number", "id", "address", "host", "port"],
            Scope::Rule => &["rule", "position"],
            Scope::Place => &["dir", "node", "index", "number"],
        };
        match self {
            Scope::Network => NETWORK.to_vec(),
            Scope::Node => [NETWORK, NODE].concat(),
            Scope::Appoint => [NETWORK, NODE, own].concat(),
            Scope::Peer | Scope::Rule | Scope::Place => own.to_vec(),
        }
    }
}

/// A text with placeholders, each of them known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Word(&'static str),
}

/// What is wrong with a template: where in the text, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A placeholder nobody knows here.
    Unknown(String),
    /// A brace without its other half.
    Open,
}

impl Template {
    /// Understands a text. Doubled braces stand for single ones.
    pub(crate) fn parse(text: &str, scope: Scope) -> Result<Template, Flaw> {
        let words = scope.words();
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let after = &rest[at + 1..];
            if let Some(after) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let end = after.find('}').filter(|_| brace == "{").ok_or(Flaw::Open)?;
            let name = &after[..end];
            let word = words.iter().find(|word| **word == name);
            let word = word.ok_or_else(|| Flaw::Unknown(name.to_owned()))?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Word(word));
            rest = &after[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template(parts))
    }

    /// The text with every placeholder filled in.
    pub(crate) fn fill(&self, values: &Values) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Word(word) => values
                .get(word)
                .unwrap_or_else(|| panic!("`{word}` is known here and has no value"))
                .clone(),
        };
        self.0.iter().map(part).collect()
    }

    /// Whether the text names this placeholder.
    pub(crate) fn names(&self, word: &str) -> bool {
        self.0
            .iter()
            .any(|part| matches!(part, Part::Word(named) if *named == word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, Flaw> {
        let values = Values::from([("rule", "dag".to_owned()), ("position", "off".to_owned())]);
        Template::parse(text, Scope::Rule).map(|template| template.fill(&values))
    }

    #[test]
    fn placeholders_are_filled_in_and_doubled_braces_are_braces() {
        let table = [
            ("", ""),
            ("--rule", "--rule"),
            ("{rule}={position}", "dag=off"),
            ("é{rule}é", "édagé"),
            ("{{rule}} {{{rule}}}", "{rule} {dag}"),
        ];
        for (text, expected) in table {
            assert_eq!(filled(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn unknown_names_and_single_braces_are_flaws() {
        let unknown = |name: &str| Err(Flaw::Unknown(name.to_owned()));
        assert_eq!(filled("{node}"), unknown("node"));
        assert_eq!(filled("{}"), unknown(""));
        assert_eq!(filled("{ rule }"), unknown(" rule "));
        for open in ["{rule", "rule}", "{{rule}", "}{"] {
            assert_eq!(filled(open), Err(Flaw::Open), "{open}");
        }
    }
}
