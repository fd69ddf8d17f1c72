//! From words on the command line to stories.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use assay_reports::Story;

use crate::failure::{Complaint, Failure};
use crate::suggest::suggest;
use crate::world::Job;
use assay_scenarios::{Overrides, Problem, Scenario, Script, Source, library, load, read_scenario};

/// A story that was asked for.
pub(crate) struct Chosen {
    pub(crate) source: Source,
    pub(crate) scenario: Scenario,
    /// What `assay replay` knows it by.
    pub(crate) replay_as: String,
}

impl Chosen {
    /// The story under these overrides, as a report tells it.
    pub(crate) fn job(&self, overrides: &Overrides) -> Job {
        let script = Script::new(self.scenario.clone(), overrides.clone());
        let plan = script.plan();
        let mut story = Story::new(&plan, &self.source.path, &self.replay_as);
        story.name.clone_from(&self.source.name);
        Job {
            script,
            plan,
            story: Arc::new(story),
        }
    }
}

/// The stories these words name, each once, in the order they are named; no words name the library.
/// Everything wrong with any of them is told.
pub(crate) fn choose(words: &[String]) -> Result<Vec<Chosen>, Failure> {
    let library = library();
    let mut reasons = Vec::new();
    let mut found: Vec<(Source, String)> = Vec::new();
    if words.is_empty() {
        found.extend(library.iter().cloned().map(named));
    }
    for word in words {
        match sources(&library, word) {
            Ok(sources) => found.extend(sources),
            Err(reason) => reasons.push(reason),
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|(source, _)| seen.insert(source.path.clone()));

    let mut chosen = Vec::new();
    for (source, replay_as) in found {
        match load(&source) {
            Ok(scenario) => chosen.push(Chosen {
                source,
                scenario,
                replay_as,
            }),
            Err(problems) => reasons.extend(problems.into_iter().map(miette::Report::new)),
        }
    }
    if reasons.is_empty() {
        tell_apart(&mut chosen);
        Ok(chosen)
    } else {
        Err(Failure::of(reasons))
    }
}

/// The one story of this name or in this file.
pub(crate) fn choose_one(word: &str) -> Result<Chosen, Failure> {
    let mut chosen = choose(&[word.to_owned()])?;
    if chosen.len() > 1 {
        let names = chosen.iter().map(|chosen| chosen.source.name.as_str());
        let hint = suggest(word, names);
        let complaint = Complaint::new(format!("`{word}` names several scenarios"));
        return Err(Failure::usage(complaint.hint(Some(hint))));
    }
    Ok(chosen.remove(0))
}

fn named(source: Source) -> (Source, String) {
    let name = source.name.clone();
    (source, name)
}

fn sources(library: &[Source], word: &str) -> Result<Vec<(Source, String)>, miette::Report> {
    let path = Path::new(word);
    let is_file = word.ends_with(".toml") || path.is_file();
    if let Some(source) = library.iter().find(|source| source.name == word) {
        return Ok(vec![named(source.clone())]);
    }
    if is_file {
        let source: Result<Source, Problem> = read_scenario(path);
        return Ok(vec![(source?, word.to_owned())]);
    }
    let folder = format!("{}/", word.trim_end_matches('/'));
    let inside: Vec<(Source, String)> = library
        .iter()
        .filter(|source| source.name.starts_with(&folder))
        .cloned()
        .map(named)
        .collect();
    if inside.is_empty() {
        let known = library.iter().map(|source| source.name.as_str());
        let complaint = Complaint::new(format!("there is no scenario `{word}`"));
        return Err(complaint.hint(Some(suggest(word, known))).into());
    }
    Ok(inside)
}

/// Files of one stem would be one story in a report, so they go by their paths.
fn tell_apart(chosen: &mut [Chosen]) {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for one in chosen.iter() {
        *names.entry(one.source.name.clone()).or_default() += 1;
    }
    for one in chosen {
        if names[&one.source.name] > 1 {
            one.source.name.clone_from(&one.source.path);
        }
    }
}
