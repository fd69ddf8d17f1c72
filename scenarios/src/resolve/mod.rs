//! From the mirror to the plan. Typing happens once, here, and defaults are filled in once, in
//! `defaults`. What cannot be typed is reported and left out, so that one run reports everything.

mod alias;
mod cast;
mod defaults;
mod exchange;
mod expect;
mod fault;
mod ids;
mod quorum;
mod step;
mod trade;

pub(crate) use defaults::EPOCH;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::Range;
use std::sync::LazyLock;

use assay_model::catalogue::{self, RequirementId};
use assay_model::id::NodeId;
use assay_model::invariant;
use assay_model::node::Timing;
use assay_model::rules::{Rules, Switch};
use assay_model::time::Millis;
use serde::Deserialize;
use toml::de::DeTable;

use crate::file::{self, At};
use crate::library::Source;
use crate::names::suggest;
use crate::place::Place;
use crate::plan::{ClockError, Fault, Network, Plan, Ppm, Step};
use crate::problem::{Problem, line};
use crate::{shape, units};

/// More nodes than the model is made for.
const MOST_NODES: i64 = 64;

static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(file::schema);

/// The plan of a story, or everything that is wrong with it, in the order of the file.
pub(crate) fn resolve(source: &Source, place: &Place) -> Result<Plan, Vec<Problem>> {
    let invariants: Vec<&'static str> = invariant::all()
        .iter()
        .map(|invariant| invariant.name)
        .collect();
    let (mut table, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        let mut problems: Vec<Problem> =
            errors.iter().map(|error| unparsed(source, error)).collect();
        problems.sort_by_key(Problem::start);
        return Err(problems);
    }
    let found = shape::check(source, &mut table, &SCHEMA);
    let scenario = file::Scenario::deserialize(toml::de::Deserializer::from(table))
        .map_err(|error| vec![unparsed(source, &error)])?;
    let mut resolver = Resolver {
        source,
        story: &source.name,
        place,
        told_as: place.marked(&source.name),
        invariants: &invariants,
        problems: found.problems,
        damaged: found.damaged,
        nodes: 0,
        cast: cast::Cast::default(),
        aliases: alias::Aliases::default(),
    };
    let plan = resolver.plan(&scenario);
    let mut problems = resolver.problems;
    match plan {
        Some(plan) if problems.is_empty() => Ok(plan),
        _ => {
            assert!(
                !problems.is_empty(),
                "a plan is left out for a reason: {}",
                source.name
            );
            problems.sort_by_key(Problem::start);
            Err(problems)
        }
    }
}

/// What the TOML parser says, in our form.
fn unparsed(source: &Source, error: &toml::de::Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let message = error.message().trim().replace('\n', ", ");
    Problem::at(source, span, message, "here".to_owned())
}

struct Resolver<'a> {
    source: &'a Source,
    story: &'a str,
    place: &'a Place,
    /// What ids are drawn from.
    told_as: String,
    invariants: &'a [&'static str],
    problems: Vec<Problem>,
    /// Where the tables begin that lost a key to an error reported already.
    damaged: BTreeSet<usize>,
    /// 0 when the file does not say it well.
    nodes: u16,
    cast: cast::Cast,
    aliases: alias::Aliases,
}

impl Resolver<'_> {
    fn plan(&mut self, file: &file::Scenario) -> Option<Plan> {
        let nodes = self.node_count(file.nodes.as_ref());
        self.nodes = nodes.unwrap_or(0);
        let actors = file.actors.as_ref().map(At::get);
        self.cast(actors, file.chain.is_some());
        let external = self.external(file.chain.as_ref().map(At::get));
        let leader = self.or(&file.leader, defaults::LEADER, Self::node);
        let sentries = self.sentries(list(&file.sentries), leader);
        let network = self.network(file.network.as_ref().map(At::get));
        let clocks = self.clocks(list(&file.clocks));

        let steps = self.steps(list(&file.steps));
        let balances = self.balances(list(&file.balances));
        if let Some(steps) = file.steps.as_ref().filter(|steps| steps.get().is_empty()) {
            self.complain(
                steps,
                "a story needs at least one step".to_owned(),
                "nothing happens",
            )
            .advise("the smallest step is { at = \"1s\", by = \"alice\", do = \"list\" }");
        }
        let faults = self.faults(list(&file.faults));
        let voteless = sentries.clone().unwrap_or_default();
        let no_quorum = file.no_quorum.as_ref().is_some_and(|said| *said.get());
        self.budget(
            (leader.unwrap_or(defaults::LEADER), &voteless),
            &steps,
            &faults,
            no_quorum,
        );
        let duration = self.duration_of(file.duration.as_ref(), &steps, &faults);

        let settle = self.duration_or("settle", &file.settle, defaults::SETTLE);
        let events = self.or(&file.events, defaults::EVENTS, |this, events| {
            this.above_zero(events, "a run needs at least one event", "too few")
        });
        let rules = self.rules(file);
        let claim = self.claim(file.claim.as_ref());
        let check = self.check(list(&file.check));
        let breaks = self.requirements(list(&file.breaks));
        let (network, disk_sync, timing) = network?;
        Some(Plan {
            name: self.story.to_owned(),
            claim: claim?,
            nodes: nodes?,
            sentries: sentries?,
            leader: leader?,
            epoch: self.place.epoch,
            timing,
            network,
            external: external?,
            disk_sync,
            rules,
            parties: self.cast.parties.clone(),
            steps: steps.into_iter().map(|(step, _)| step).collect(),
            faults: faults.into_iter().map(|(fault, _)| fault).collect(),
            clocks,
            balances,
            duration: duration?,
            settle: settle?,
            events: events?,
            audit: file
                .audit
                .as_ref()
                .map_or(defaults::AUDIT, |said| *said.get()),
            check,
            breaks,
        })
    }

    fn claim(&mut self, claim: Option<&At<String>>) -> Option<String> {
        let claim = claim?;
        let text = claim.get().trim();
        if text.is_empty() {
            self.complain(
                claim,
                "the claim is empty".to_owned(),
                "a sentence is needed",
            )
            .advise(
                "it says what the story shows, for example \"A locked grant survives a revoke.\"",
            );
            return None;
        }
        Some(text.to_owned())
    }

    fn node_count(&mut self, nodes: Option<&At<i64>>) -> Option<u16> {
        let Some(nodes) = nodes else {
            return Some(defaults::NODES);
        };
        let count = *nodes.get();
        if (1..=MOST_NODES).contains(&count) {
            return Some(count as u16);
        }
        self.complain(
            nodes,
            format!("a network of {count} nodes is not possible"),
            "too few or too many",
        )
        .advise(format!("a network has 1 to {MOST_NODES} nodes"));
        None
    }

    /// Nodes that do not vote; the leader is none of them.
    fn sentries(
        &mut self,
        names: &[At<String>],
        leader: Option<NodeId>,
    ) -> Option<BTreeSet<NodeId>> {
        let mut sentries = Some(BTreeSet::new());
        for name in names {
            let node = self.node(name);
            if node.is_some() && node == leader {
                self.complain(
                    name,
                    format!("{} leads, and has to vote", name.get()),
                    "leads",
                );
                sentries = None;
            } else if let (Some(node), Some(sentries)) = (node, &mut sentries) {
                sentries.insert(node);
            } else {
                sentries = None;
            }
        }
        sentries
    }

    fn network(&mut self, network: Option<&file::Network>) -> Option<(Network, Millis, Timing)> {
        let (plain, timing) = (defaults::NETWORK, defaults::TIMING);
        let Some(file) = network else {
            return Some((plain, defaults::DISK_SYNC, timing));
        };
        let latency = self.duration_or("latency", &file.latency, plain.latency);
        let jitter = self.duration_or("jitter", &file.jitter, plain.jitter);
        let loss = self.rate_or("loss", &file.loss, plain.loss);
        let duplicate = self.rate_or("duplicate", &file.duplicate, plain.duplicate);
        let reorder = self.rate_or("reorder", &file.reorder, plain.reorder);
        let disk_sync = self.duration_or("disk-sync", &file.disk_sync, defaults::DISK_SYNC);
        let propose = self.pace("propose", &file.propose, timing.propose);
        let empty_block = self.pace("empty-block", &file.empty_block, timing.empty_block);
        let drift = self.duration_or("drift", &file.drift, Millis(timing.drift));
        let history = self.or(&file.history, timing.history, |this, blocks| {
            this.above_zero(blocks, "a node keeps at least one block", "too few")
        });
        let network = Network {
            latency: latency?,
            jitter: jitter?,
            loss: loss?,
            duplicate: duplicate?,
            reorder: reorder?,
        };
        let timing = Timing {
            propose: propose?,
            empty_block: empty_block?,
            drift: drift?.0,
            history: history?,
            ..timing
        };
        Some((network, disk_sync?, timing))
    }

    /// A pause of the protocol. Without it blocks would follow each other at the same instant.
    fn pace(&mut self, key: &str, text: &Option<At<String>>, default: u64) -> Option<u64> {
        let Some(text) = text else {
            return Some(default);
        };
        self.positive(key, text).map(|Millis(millis)| millis)
    }

    fn clocks(&mut self, clocks: &[At<file::Clock>]) -> Vec<ClockError> {
        let mut errors = Vec::new();
        for clock in clocks {
            let of = clock.get().of.as_ref().map(|of| self.whose(of));
            let wrong = self.clock(clock.span(), &clock.get().offset, &clock.get().drift);
            if let (Some(Some(whose)), Some((offset, drift))) = (of, wrong) {
                errors.push(ClockError {
                    whose,
                    offset,
                    drift,
                });
            }
        }
        errors
    }

    /// How a clock is wrong: by offset, by drift, or both.
    fn clock(
        &mut self,
        span: Range<usize>,
        offset: &Option<At<String>>,
        drift: &Option<At<String>>,
    ) -> Option<(i64, i32)> {
        if offset.is_none() && drift.is_none() && !self.damaged.contains(&span.start) {
            self.complain_at(
                span,
                "the clock is right".to_owned(),
                "neither `offset` nor `drift`",
            )
            .advise("offsets are written like \"+5s\", drifts like \"200ppm\"");
            return None;
        }
        let parsed = self.or(offset, 0, |this, text| {
            this.typed("offset", text, units::offset, units::DURATIONS)
        });
        let drift = self.or(drift, 0, |this, text| {
            this.typed("drift", text, units::drift, units::RATES)
        });
        Some((parsed?, drift?))
    }

    /// The story's end: what it says, or a while after the last thing that happens.
    fn duration_of(
        &mut self,
        said: Option<&At<String>>,
        steps: &[(Step, Range<usize>)],
        faults: &[(Fault, Range<usize>)],
    ) -> Option<Millis> {
        let step_ends = steps.iter().map(|(step, _)| step.at);
        let fault_ends = faults.iter().map(|(fault, _)| fault.at + fault.lasts);
        let last = step_ends.chain(fault_ends).max().unwrap_or(Millis::ZERO);
        let Some(said) = said else {
            return Some(last + defaults::AFTERMATH);
        };
        let duration = self.duration("duration", said)?;
        for (step, span) in steps.iter().filter(|(step, _)| step.at > duration) {
            let message = format!("the step begins at {}, after the story's end", step.at);
            self.complain_at(span.clone(), message, "too late")
                .also(said.span(), format!("the story ends at {duration}"));
        }
        for (fault, span) in faults {
            let end = fault.at + fault.lasts;
            if end > duration {
                let message = format!("the fault lasts until {end}, past the story's end");
                self.complain_at(span.clone(), message, "too late")
                    .also(said.span(), format!("the story ends at {duration}"))
                    .advise("without `duration` a story ends 10s after its last step or fault");
            }
        }
        Some(duration)
    }

    fn rules(&mut self, file: &file::Scenario) -> Rules {
        let base = file
            .rules
            .as_ref()
            .map_or(Some(0), |name| self.word(name, "rules", file::RULES));
        let mut rules = match base {
            Some(1) => Rules::deployed(),
            _ => Rules::documented(),
        };
        let mut turned: Vec<(Switch, Range<usize>)> = Vec::new();
        let off = list(&file.off).iter().map(|name| (name, false));
        let on = list(&file.on).iter().map(|name| (name, true));
        for (name, on) in off.chain(on) {
            let Some(switch) = Switch::parse(name.get()) else {
                self.unknown(name, "switch", "no such switch", &file::switches());
                continue;
            };
            if let Some((_, first)) = turned.iter().find(|(other, _)| *other == switch) {
                let first = first.clone();
                self.complain(
                    name,
                    format!("switch `{}` is turned twice", name.get()),
                    "the second time",
                )
                .also(first, "the first time");
            }
            turned.push((switch, name.span()));
            rules = rules.with(switch, on);
        }
        rules
    }

    fn check(&mut self, names: &[At<String>]) -> Vec<&'static str> {
        let mut check = Vec::new();
        for name in names {
            match self.invariants.iter().find(|known| *known == name.get()) {
                Some(known) => check.push(*known),
                None => {
                    let known = self.invariants;
                    self.unknown(name, "invariant", "no such invariant", known);
                }
            }
        }
        check
    }

    fn requirements(&mut self, ids: &[At<String>]) -> Vec<RequirementId> {
        let mut found = Vec::new();
        for id in ids {
            match catalogue::find(id.get()) {
                Some(requirement) => found.push(requirement.id.as_str()),
                None => self.unknown_requirement(id),
            }
        }
        found
    }

    /// The catalogue is too long to list; the ids of the same family are what a person needs.
    fn unknown_requirement(&mut self, id: &At<String>) {
        let all = catalogue::catalogue().iter().map(|known| known.id.as_str());
        let all: Vec<&str> = all.collect();
        let family = |known: &str| known.split('-').next().unwrap_or_default().to_uppercase();
        let near: Vec<&str> = all
            .iter()
            .copied()
            .filter(|known| family(known) == family(id.get()))
            .collect();
        let mut families: Vec<String> = all
            .iter()
            .map(|known| format!("{}-..", family(known)))
            .collect();
        families.dedup();
        match near.is_empty() {
            true => self.unknown(id, "requirement", "not in the catalogue", &families),
            false => self.unknown(id, "requirement", "not in the catalogue", &near),
        }
    }

    // What follows types single values.

    fn or<T, V>(
        &mut self,
        value: &Option<At<V>>,
        default: T,
        parse: impl FnOnce(&mut Self, &At<V>) -> Option<T>,
    ) -> Option<T> {
        match value {
            Some(value) => parse(self, value),
            None => Some(default),
        }
    }

    fn typed<T>(
        &mut self,
        key: &str,
        text: &At<String>,
        parse: fn(&str) -> Result<T, &'static str>,
        help: &str,
    ) -> Option<T> {
        match parse(text.get()) {
            Ok(value) => Some(value),
            Err(why) => {
                self.complain(text, format!("`{key}` cannot be `{}`", text.get()), why)
                    .advise(help);
                None
            }
        }
    }

    fn duration(&mut self, key: &str, text: &At<String>) -> Option<Millis> {
        self.typed(key, text, units::duration, units::DURATIONS)
    }

    fn duration_or(
        &mut self,
        key: &str,
        text: &Option<At<String>>,
        default: Millis,
    ) -> Option<Millis> {
        self.or(text, default, |this, text| this.duration(key, text))
    }

    fn positive(&mut self, key: &str, text: &At<String>) -> Option<Millis> {
        let millis = self.duration(key, text)?;
        if millis == Millis::ZERO {
            self.complain(
                text,
                format!("`{key}` cannot be zero"),
                "it has to take time",
            );
            return None;
        }
        Some(millis)
    }

    /// A number of at least one, or this complaint.
    fn above_zero(&mut self, number: &At<i64>, message: &str, label: &str) -> Option<u64> {
        let count = u64::try_from(*number.get()).ok().filter(|count| *count > 0);
        if count.is_none() {
            self.complain(number, message.to_owned(), label);
        }
        count
    }

    fn rate(&mut self, key: &str, text: &At<String>) -> Option<Ppm> {
        self.typed(key, text, units::rate, units::RATES)
    }

    fn rate_or(&mut self, key: &str, text: &Option<At<String>>, default: Ppm) -> Option<Ppm> {
        self.or(text, default, |this, text| this.rate(key, text))
    }

    /// One of a few words, by its place among them.
    fn word(&mut self, text: &At<String>, what: &str, words: &[&str]) -> Option<usize> {
        let place = words.iter().position(|word| word == text.get());
        if place.is_none() {
            self.complain(
                text,
                format!("unknown {what} `{}`", text.get()),
                "not one of the known words",
            )
            .advise(suggest(text.get(), words));
        }
        place
    }

    fn unknown<S: AsRef<str>>(&mut self, name: &At<String>, what: &str, label: &str, known: &[S]) {
        let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
        self.complain(name, format!("unknown {what} `{}`", name.get()), label)
            .advise(suggest(name.get(), &known));
    }

    fn complain<T>(&mut self, at: &At<T>, message: String, label: impl Display) -> &mut Problem {
        self.complain_at(at.span(), message, label)
    }

    fn complain_at(
        &mut self,
        span: Range<usize>,
        message: String,
        label: impl Display,
    ) -> &mut Problem {
        let problem = Problem::at(self.source, span, message, label.to_string());
        self.problems.push(problem);
        self.problems.last_mut().expect("it was pushed just now")
    }

    fn line(&self, span: &Range<usize>) -> u32 {
        line(&self.source.text, span.start)
    }
}

/// The elements of a list that may be missing.
fn list<T>(list: &Option<At<Vec<T>>>) -> &[T] {
    list.as_ref().map_or(&[], |list| list.get())
}

/// Whether a switch of a step is on.
fn said(flag: &Option<At<bool>>) -> bool {
    flag.as_ref().is_some_and(|flag| *flag.get())
}

/// The node that leads once so many of the appointments are made.
fn leader_at(first: NodeId, appointments: &[(Millis, NodeId)], at: Millis) -> NodeId {
    let made = appointments.iter().take_while(|(when, _)| *when <= at);
    made.last().map_or(first, |(_, node)| *node)
}
