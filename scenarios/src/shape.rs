//! Compares a parsed file with the schema before it is turned into the mirror. Serde would stop at the
//! first unknown key or wrong type; this finds all of them, and takes out what does not fit so that the
//! rest of the file can still be looked into.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::library::Source;
use crate::names::suggest;
use crate::problem::Problem;
use crate::verb::{FAULT_FIELDS, FaultVerb, Verb};

/// What the comparison found.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub(crate) problems: Vec<Problem>,
    /// Where the tables begin that lost a key: what they lack must not be reported again.
    pub(crate) damaged: BTreeSet<usize>,
}

/// Compares the file with its schema and takes out what does not fit.
pub(crate) fn check(source: &Source, table: &mut Spanned<DeTable<'_>>, schema: &Value) -> Shape {
    let mut walk = Walk {
        source,
        schema,
        shape: Shape::default(),
    };
    let span = table.span();
    walk.table("a scenario", table.get_mut(), span, schema);
    walk.shape
}

struct Walk<'a> {
    source: &'a Source,
    schema: &'a Value,
    shape: Shape,
}

impl<'a> Walk<'a> {
    /// What a definition is called in sentences, and the definition.
    fn definition(&self, node: &'a Value) -> (&'static str, &'a Value) {
        let Some(path) = node["$ref"].as_str() else {
            return ("this table", node);
        };
        let name = path.rsplit('/').next().unwrap_or(path);
        let called = match name {
            "Actors" => "`actors`",
            "Network" => "`network`",
            "Chain" => "`chain`",
            "Clock" => "a clock",
            "Balance" => "a balance",
            "Step" => "a step",
            "Fault" => "a fault",
            _ => "this table",
        };
        (called, &self.schema["$defs"][name])
    }

    /// False when the value has to go. `key` is what messages call it.
    fn value(&mut self, key: &str, value: &mut Spanned<DeValue<'_>>, node: &'a Value) -> bool {
        let (called, node) = self.definition(node);
        let span = value.span();
        let is = kind(value.get_ref());
        let takes = kinds(node);
        if !takes.contains(&is) {
            let takes: Vec<&str> = takes.iter().map(|kind| describe(kind)).collect();
            self.shape.problems.push(Problem::at(
                self.source,
                span,
                format!(
                    "{key} has to be {}, not {}",
                    takes.join(" or "),
                    describe(is)
                ),
                format!("this is {}", describe(is)),
            ));
            return false;
        }
        match value.get_mut() {
            DeValue::Table(table) => self.table(called, table, span, node),
            DeValue::Array(values) => self.array(key, values, &node["items"]),
            _ => {}
        }
        true
    }

    fn array(&mut self, key: &str, values: &mut toml::de::DeArray<'_>, items: &'a Value) {
        let called = format!("an element of {key}");
        let kept = std::mem::replace(values, toml::de::DeArray::new())
            .into_iter()
            .filter_map(|mut value| self.value(&called, &mut value, items).then_some(value))
            .collect();
        *values = kept;
    }

    fn table(
        &mut self,
        called: &str,
        table: &mut DeTable<'_>,
        span: Range<usize>,
        node: &'a Value,
    ) {
        let word = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str());
        let known = match called {
            "a step" => word("do").and_then(Verb::parse).map(step_fields),
            "a fault" => word("fault").and_then(FaultVerb::parse).map(fault_fields),
            _ => None,
        };
        let known = known.unwrap_or_else(|| fields(node));
        let mut gone = Vec::new();
        for (key, value) in table.iter_mut() {
            let name: &str = key.get_ref();
            let fits = match (node["properties"].get(name), &node["additionalProperties"]) {
                (Some(node), _) | (None, node @ Value::Object(_)) => {
                    self.value(&format!("`{name}`"), value, node)
                }
                (None, _) => {
                    self.unknown(called, name, key.span(), &known);
                    false
                }
            };
            if !fits {
                gone.push(key.clone());
            }
        }
        let damaged = !gone.is_empty();
        for key in gone {
            table.remove(&key);
        }
        if damaged {
            self.shape.damaged.insert(span.start);
        }
        for key in node["required"].as_array().into_iter().flatten() {
            let key = key.as_str().unwrap_or_default();
            if !damaged && !table.contains_key(key) {
                self.missing(called, key, span.clone(), node);
            }
        }
    }

    fn unknown(&mut self, called: &str, name: &str, span: Range<usize>, known: &[&str]) {
        let mut problem = Problem::at(
            self.source,
            span,
            format!("unknown key `{name}`"),
            format!("{called} has no such key"),
        );
        problem.advise(suggest(name, known));
        self.shape.problems.push(problem);
    }

    fn missing(&mut self, called: &str, key: &str, span: Range<usize>, node: &Value) {
        let about = node["properties"][key]["description"].as_str();
        let (message, about) = (format!("{called} lacks `{key}`"), about.unwrap_or_default());
        // A whole file underlined helps nobody; its first line stands for it.
        let span = match called {
            "a scenario" => {
                0..self
                    .source
                    .text
                    .find('\n')
                    .unwrap_or(self.source.text.len())
            }
            _ => span,
        };
        let mut problem = Problem::at(self.source, span, message, format!("needs `{key}`"));
        problem.advise(format!("`{key}`: {}", lower_first(about)));
        self.shape.problems.push(problem);
    }
}

fn fields(node: &Value) -> Vec<&str> {
    let properties = node["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect()
}

pub(crate) fn step_fields(verb: Verb) -> Vec<&'static str> {
    [verb.common(), verb.fields()].concat()
}

pub(crate) fn fault_fields(verb: FaultVerb) -> Vec<&'static str> {
    [FAULT_FIELDS, verb.fields()].concat()
}

/// Every key of any step.
#[cfg(test)]
pub(crate) fn all_step_fields() -> BTreeSet<&'static str> {
    let own = Verb::ALL.iter().flat_map(|verb| verb.fields());
    crate::verb::STEP_FIELDS
        .iter()
        .chain(own)
        .copied()
        .collect()
}

fn lower_first(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn kinds(node: &Value) -> Vec<&str> {
    match &node["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "float",
        DeValue::Boolean(_) => "boolean",
        DeValue::Datetime(_) => "datetime",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
    }
}

fn describe(kind: &str) -> &'static str {
    match kind {
        "string" => "a text in quotes",
        "integer" => "a whole number",
        "float" => "a number with a point",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" => "a list",
        _ => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys a verb knows but the mirror does not would be reported as unknown, and the other way round.
    #[test]
    fn verbs_and_mirror_know_the_same_keys() {
        let schema = crate::schema();
        let keys = |name: &str| -> BTreeSet<String> {
            fields(&schema["$defs"][name])
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        let steps = all_step_fields().into_iter().map(str::to_owned).collect();
        assert_eq!(keys("Step"), steps);
        let own = FaultVerb::ALL.iter().flat_map(|verb| verb.fields());
        let faults = FAULT_FIELDS
            .iter()
            .chain(own)
            .map(|key| (*key).to_owned())
            .collect();
        assert_eq!(keys("Fault"), faults);
    }
}
