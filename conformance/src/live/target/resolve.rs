//! From a target file as written to a [`Target`]: every default is filled in here, and everything wrong
//! is told at once.

use std::fmt::Display;
use std::time::Duration;

use assay_model::rules::Switch;
use assay_scenarios::{DURATIONS, Problem, Source, duration, suggest};
use rustix::process::Signal;

use super::file::{Argv, At, File};
use super::words::{Flaw, Scope, Template};
use super::{Argument, Capabilities, ClockHook, Command, Hardship, PeerId, Target};

const HOME: &str = "{dir}/{node}";
const CHAIN_ID: &str = "{chain_id}";
const READY_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// What kwild takes unless it is told otherwise. Source: kwil-rpc 3, transaction size limit.
const MAX_BODY: u64 = 4 << 20;
const PROFILES: [&str; 1] = ["core"];
const SIGNALS: [(&str, Signal); 5] = [
    ("TERM", Signal::TERM),
    ("INT", Signal::INT),
    ("QUIT", Signal::QUIT),
    ("HUP", Signal::HUP),
    ("USR1", Signal::USR1),
];

/// Understands the whole file.
pub(super) fn target(source: &Source) -> Result<Target, Vec<Problem>> {
    let file: File = toml::from_str(&source.text).map_err(|error| {
        let message = error.message().trim().replace('\n', ", ");
        let span = error.span().unwrap_or(0..0);
        vec![Problem::at(source, span, message, "here".to_owned())]
    })?;
    let mut resolver = Resolver {
        source,
        problems: Vec::new(),
    };
    let target = resolver.target(&file);
    let mut problems = resolver.problems;
    problems.sort_by_key(Problem::line);
    match target {
        Some(target) if problems.is_empty() => Ok(target),
        _ => Err(problems),
    }
}

struct Resolver<'a> {
    source: &'a Source,
    problems: Vec<Problem>,
}

impl Resolver<'_> {
    fn target(&mut self, file: &File) -> Option<Target> {
        let commands = &file.commands;
        let init = self.command("init", &commands.init, Scope::Network, &["rules"]);
        let lists = ["peers", "rules"];
        let start = self.command("start", &commands.start, Scope::Node, &lists);
        let stop = self.maybe("stop", commands.stop.as_ref(), Scope::Node);
        let inspect = self.maybe("inspect", commands.inspect.as_ref(), Scope::Node);
        let appoint = self.maybe("appoint", commands.appoint.as_ref(), Scope::Appoint);
        let peer_args = self.templates(commands.peer_args.as_ref(), Scope::Peer);
        let rule_args = self.templates(commands.rule_args.as_ref(), Scope::Rule);
        let environment = file.environment.iter().filter_map(|(name, value)| {
            let value = self.template(value, Scope::Node)?;
            Some((name.clone(), value))
        });
        let environment = environment.collect();
        let home = self.home(file.home.as_ref());
        let chain_id = match &file.ready.chain_id {
            Some(text) => self.template(text, Scope::Network),
            None => Some(known(CHAIN_ID, Scope::Network)),
        };
        let peer_id = file.peer_id.as_ref().and_then(|id| {
            let file = self.template(&id.file, Scope::Place);
            let pointer = self.template(&id.pointer, Scope::Place);
            Some(PeerId {
                file: file?,
                pointer: pointer?,
            })
        });
        let clock = self.clock(file.clock.hook.as_ref());
        let capabilities = self.capabilities(file);
        let ready_limit = self.limit(file.ready.limit.as_ref(), READY_LIMIT);
        let stop_limit = self.limit(file.stop.limit.as_ref(), STOP_LIMIT);
        let stop_signal = self.signal(file.stop.signal.as_ref());
        let data = self.data(&file.data.paths);
        let name = self.name(&file.name);

        let target = Target {
            name: name?,
            description: file.description.clone(),
            path: self.source.path.clone(),
            text: self.source.text.clone(),
            clock: clock?,
            keeps_history: file.data.keeps_history,
            ready_limit: ready_limit?,
            ready_height: file.ready.height.unwrap_or(0),
            capabilities: capabilities?,
            stop_signal: stop_signal?,
            stop_limit: stop_limit?,
            home: home?,
            chain_id: chain_id?,
            init: init?,
            start: start?,
            stop: stop?,
            inspect: inspect?,
            appoint: appoint?,
            peer_args: peer_args?,
            rule_args: rule_args?,
            environment,
            peer_id,
            data: data?,
        };
        self.agree(&target, file);
        Some(target)
    }

    /// What has to fit together across the file.
    fn agree(&mut self, target: &Target, file: &File) {
        let commands = &file.commands;
        let uses = |command: &Command, list| command.contains(list);
        if uses(&target.start, &Argument::Peers) != commands.peer_args.is_some() {
            let at = commands.peer_args.as_ref().unwrap_or(&commands.start);
            self.complain(at, "`{peers}` and `peer_args` need each other", "one alone")
                .advise(
                    "start = [.., \"{peers}\"] and peer_args = [\"--peer\", \"{node}={address}\"]",
                );
        }
        let has_rules =
            uses(&target.init, &Argument::Rules) || uses(&target.start, &Argument::Rules);
        if has_rules != commands.rule_args.is_some() {
            let at = commands.rule_args.as_ref().unwrap_or(&commands.init);
            self.complain(at, "`{rules}` and `rule_args` need each other", "one alone")
                .advise(
                    "init = [.., \"{rules}\"] and rule_args = [\"--rule\", \"{rule}={position}\"]",
                );
        }
        if let Some(rule) = file.capabilities.rules.first().filter(|_| !has_rules) {
            let message = "rules are declared, and no command passes them on";
            self.complain(rule, message, "this would never be turned")
                .advise("put \"{rules}\" into `init` or `start`, and say `rule_args`");
        }
        let names = |word| {
            let in_command = |command: &Command| {
                command
                    .iter()
                    .any(|argument| matches!(argument, Argument::One(text) if text.names(word)))
            };
            in_command(&target.start) || target.environment.iter().any(|(_, text)| text.names(word))
        };
        if let Some(hook) = &file.clock.hook
            && target.clock == ClockHook::TimeFile
            && !names("time_file")
        {
            let message = "the clock is set by a file no node is told of";
            self.complain(hook, message, "needs `{time_file}`")
                .advise("name {time_file} in `start`, such as \"--time-file\", \"{time_file}\"");
        }
        for (word, alone) in [("rpc", "rpc_port"), ("peer", "peer_port")] {
            if !names(word) && !names(alone) {
                let message = format!("`start` does not tell nodes their {word} address");
                self.complain(&commands.start, message, "this command")
                    .advise(format!("name {{{word}}} or {{{alone}}} in it"));
            }
        }
    }

    fn command(
        &mut self,
        called: &str,
        argv: &At<Argv>,
        scope: Scope,
        lists: &[&str],
    ) -> Option<Command> {
        if argv.get_ref().is_empty() {
            let message = format!("`{called}` is empty");
            self.complain(argv, message, "no program")
                .advise("the first element is the program, the others are its arguments");
            return None;
        }
        let arguments: Vec<Option<Argument>> = argv
            .get_ref()
            .iter()
            .map(|text| match text.get_ref().as_str() {
                "{peers}" if lists.contains(&"peers") => Some(Argument::Peers),
                "{rules}" if lists.contains(&"rules") => Some(Argument::Rules),
                _ => self.template(text, scope).map(Argument::One),
            })
            .collect();
        arguments.into_iter().collect()
    }

    fn maybe(
        &mut self,
        called: &str,
        argv: Option<&At<Argv>>,
        scope: Scope,
    ) -> Option<Option<Command>> {
        match argv {
            Some(argv) => self.command(called, argv, scope, &[]).map(Some),
            None => Some(None),
        }
    }

    fn templates(&mut self, argv: Option<&At<Argv>>, scope: Scope) -> Option<Vec<Template>> {
        let Some(argv) = argv else {
            return Some(Vec::new());
        };
        let texts: Vec<Option<Template>> = argv
            .get_ref()
            .iter()
            .map(|text| self.template(text, scope))
            .collect();
        texts.into_iter().collect()
    }

    fn template(&mut self, text: &At<String>, scope: Scope) -> Option<Template> {
        match Template::parse(text.get_ref(), scope) {
            Ok(template) => Some(template),
            Err(Flaw::Unknown(name)) if name == "peers" || name == "rules" => {
                let message = format!("`{{{name}}}` cannot stand here");
                self.complain(text, message, "stands for a list").advise(
                    "`{peers}` is an element of its own in `start`, `{rules}` in `init` or `start`",
                );
                None
            }
            Err(Flaw::Unknown(name)) => {
                let message = format!("there is no placeholder `{{{name}}}` here");
                self.complain(text, message, "names it")
                    .advise(suggest(&name, &scope.words()));
                None
            }
            Err(Flaw::Open) => {
                self.complain(text, "a brace lacks its other half", "in here")
                    .advise("write {{ and }} for braces that are meant as such");
                None
            }
        }
    }

    fn home(&mut self, home: Option<&At<String>>) -> Option<Template> {
        let Some(text) = home else {
            return Some(known(HOME, Scope::Place));
        };
        let inside = text.get_ref().strip_prefix("{dir}/");
        let names_it = ["{node}", "{index}", "{number}"]
            .iter()
            .any(|word| text.get_ref().contains(word));
        if inside.is_none_or(|path| path.contains("..")) || !names_it {
            let message = "each node needs a home of its own inside of the network's directory";
            self.complain(text, message, "not such a place")
                .advise("write it like {dir}/{node} or {dir}/node{index}");
            return None;
        }
        self.template(text, Scope::Place)
    }

    fn data(&mut self, paths: &[At<String>]) -> Option<Vec<String>> {
        let mut good = true;
        for path in paths {
            if path.get_ref().is_empty() || path.get_ref().split('/').any(|part| part == "..") {
                self.complain(path, "no path inside of a node's home", "this one")
                    .advise("paths are relative to a node's home; `.` is all of it");
                good = false;
            }
        }
        good.then(|| paths.iter().map(|path| path.get_ref().clone()).collect())
    }

    fn name(&mut self, name: &At<String>) -> Option<String> {
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.get_ref().is_empty() || !name.get_ref().chars().all(good) {
            self.complain(
                name,
                "a name is letters, digits and dashes",
                "not such a name",
            )
            .advise("it becomes part of file names");
            return None;
        }
        Some(name.get_ref().clone())
    }

    fn clock(&mut self, hook: Option<&At<String>>) -> Option<ClockHook> {
        match hook.map(|hook| (hook, hook.get_ref().as_str())) {
            None | Some((_, "none")) => Some(ClockHook::None),
            Some((_, "time-file")) => Some(ClockHook::TimeFile),
            Some((hook, other)) => {
                self.unknown(hook, "clock hook", other, &["time-file", "none"]);
                None
            }
        }
    }

    fn capabilities(&mut self, file: &File) -> Option<Capabilities> {
        let declared = &file.capabilities;
        let profile = declared.profile.as_ref();
        if let Some(profile) = profile.filter(|name| !PROFILES.contains(&name.get_ref().as_str())) {
            self.unknown(profile, "profile", profile.get_ref(), &PROFILES);
            return None;
        }
        let mut rules = Vec::new();
        for rule in &declared.rules {
            match (rule.get_ref().as_str(), Switch::parse(rule.get_ref())) {
                ("all", _) => rules.extend(Switch::ALL),
                (_, Some(switch)) => rules.push(switch),
                (other, None) => {
                    let known: Vec<&str> = Switch::ALL.iter().map(|switch| switch.name()).collect();
                    self.unknown(rule, "rule", other, &known);
                }
            }
        }
        let mut cannot = Vec::new();
        for word in &declared.cannot {
            match Hardship::ALL
                .iter()
                .find(|one| one.name() == word.get_ref())
            {
                Some(hardship) => cannot.push(*hardship),
                None => {
                    let known = Hardship::ALL.map(Hardship::name);
                    self.unknown(word, "hardship", word.get_ref(), &known);
                }
            }
        }
        Some(Capabilities {
            profile: profile.map_or(PROFILES[0].to_owned(), |name| name.get_ref().clone()),
            rules,
            cannot,
            max_body: declared.max_body.unwrap_or(MAX_BODY),
            private: declared.private.unwrap_or(false),
            keys_of_seed: declared.keys_of_seed,
        })
    }

    fn limit(&mut self, text: Option<&At<String>>, default: Duration) -> Option<Duration> {
        let Some(text) = text else {
            return Some(default);
        };
        match duration(text.get_ref()) {
            Ok(limit) if limit.0 > 0 => Some(Duration::from_millis(limit.0)),
            Ok(_) => {
                self.complain(text, "a limit is longer than nothing", "zero");
                None
            }
            Err(why) => {
                let message = format!("`{}` is no duration: {why}", text.get_ref());
                self.complain(text, message, "not a duration")
                    .advise(DURATIONS);
                None
            }
        }
    }

    fn signal(&mut self, text: Option<&At<String>>) -> Option<Signal> {
        let Some(text) = text else {
            return Some(Signal::TERM);
        };
        let bare = text.get_ref().trim_start_matches("SIG");
        let found = SIGNALS.iter().find(|(name, _)| *name == bare);
        if found.is_none() {
            self.unknown(
                text,
                "signal",
                text.get_ref(),
                &SIGNALS.map(|(name, _)| name),
            );
        }
        found.map(|(_, signal)| *signal)
    }

    fn unknown<T>(&mut self, at: &At<T>, what: &str, word: &str, known: &[&str]) {
        self.complain(at, format!("there is no {what} `{word}`"), "this one")
            .advise(suggest(word, known));
    }

    fn complain<T>(&mut self, at: &At<T>, message: impl Display, label: &str) -> &mut Problem {
        let problem = Problem::at(
            self.source,
            at.span(),
            message.to_string(),
            label.to_owned(),
        );
        self.problems.push(problem);
        self.problems.last_mut().expect("it was just put there")
    }
}

/// A text of our own.
fn known(text: &str, scope: Scope) -> Template {
    Template::parse(text, scope).expect("our own texts are sound")
}
