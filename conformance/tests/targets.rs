//! Every kind of bad target file, as people see it: a sound one with one thing changed.

use assay_conformance::live::Stand;
use assay_conformance::live::target::{Hardship, Target, built_in};
use assay_model::rules::Switch;
use assay_scenarios::{Overrides, Problem, Source, library, load};

const SOUND: &str = r#"name = "ours"
description = "Nodes of ours"
[commands]
init = ["ours", "init", "{dir}", "{rules}"]
start = ["ours", "run", "{home}", "{rpc}", "{peer}", "{peers}", "{time_file}"]
peer_args = ["--peer", "{node}={address}"]
rule_args = ["--rule", "{rule}={position}"]
[ready]
limit = "20s"
[clock]
hook = "time-file"
[data]
paths = ["."]
keeps_history = true
[capabilities]
rules = ["dag-single-use"]
cannot = ["wipe"]
[stop]
signal = "SIGINT"
"#;

fn parse(text: &str) -> Result<Target, Vec<Problem>> {
    Target::parse(&Source {
        name: "ours".to_owned(),
        path: "ours.toml".to_owned(),
        text: text.into(),
    })
}

#[test]
fn what_is_left_out_is_filled_in() {
    let target = parse(SOUND).unwrap();
    assert_eq!(target.capabilities.rules, [Switch::DagSingleUse]);
    assert!(!target.can(Hardship::Wipe) && target.can(Hardship::Kill));
    assert!(!target.can_appoint() && !target.can_inspect());
    assert_eq!(target.stop_limit.as_secs(), 10);
    assert_eq!(target.capabilities.profile, "core");
    assert_eq!(target.capabilities.max_body, 4 << 20);
}

/// Without a hook for the clock a story is told in real time, with long waits cut; which ones cannot be is
/// said before, with the reason.
#[test]
fn what_cannot_be_told_in_real_time_is_said() {
    let source = built_in("reference-real-time").unwrap();
    let stand = Stand {
        target: Target::parse(&source).unwrap(),
        assay: "assay".into(),
    };
    let (mut told, mut untold) = (0, 0);
    let mut reasons = String::new();
    for source in library() {
        let plan = load(&source).unwrap().plan(&Overrides::none());
        let cannot = stand.cannot(&plan);
        told += usize::from(cannot.is_empty());
        untold += usize::from(!cannot.is_empty());
        for reason in cannot {
            reasons.push_str(&format!("{}: {reason}\n", plan.name));
        }
    }
    assert!(told > 0 && untold > 0);
    assert_eq!(told + untold, library().len());
    insta::assert_snapshot!("what-cannot-be-told-in-real-time", reasons);
}

/// What is replaced by what, and the name of the snapshot.
const CHANGES: [(&str, &str, &str); 31] = [
    ("syntax", "[ready]", "[ready"),
    ("unknown-key", "limit =", "limits ="),
    ("unknown-section", "[ready]", "[readiness]"),
    ("missing-key", "keeps_history = true\n", ""),
    ("missing-command", "init = [", "begin = ["),
    (
        "wrong-type",
        "keeps_history = true",
        "keeps_history = \"yes\"",
    ),
    ("name", "\"ours\"", "\"our nodes\""),
    ("placeholder-unknown", "{home}", "{hom}"),
    ("placeholder-of-another-scope", "\"{dir}\"", "\"{home}\""),
    ("placeholder-of-a-peer", "{address}", "{rpc}"),
    (
        "placeholder-in-the-environment",
        "[ready]",
        "[environment]\nPORT = \"{port}\"\n[ready]",
    ),
    ("brace", "{home}", "{home"),
    (
        "list-inside-of-a-text",
        "\"{peers}\"",
        "\"--peers={peers}\"",
    ),
    ("list-in-the-wrong-command", "\"{rules}\"", "\"{peers}\""),
    (
        "empty-command",
        "init = [\"ours\", \"init\", \"{dir}\", \"{rules}\"]",
        "init = []",
    ),
    (
        "peers-without-arguments",
        "peer_args = [\"--peer\", \"{node}={address}\"]\n",
        "",
    ),
    ("arguments-without-peers", ", \"{peers}\"", ""),
    (
        "rules-without-arguments",
        "rule_args = [\"--rule\", \"{rule}={position}\"]\n",
        "",
    ),
    ("no-rpc-address", "\"{rpc}\", ", ""),
    ("no-peer-address", "\"{peer}\", ", ""),
    ("time-file-unnamed", ", \"{time_file}\"", ""),
    (
        "home-elsewhere",
        "[commands]",
        "home = \"/var/lib/{node}\"\n[commands]",
    ),
    (
        "home-shared",
        "[commands]",
        "home = \"{dir}/data\"\n[commands]",
    ),
    ("limit", "\"20s\"", "\"20\""),
    ("limit-of-nothing", "\"20s\"", "\"0s\""),
    ("clock-hook", "\"time-file\"", "\"ntp\""),
    (
        "data-outside",
        "paths = [\".\"]",
        "paths = [\"../elsewhere\"]",
    ),
    ("rule", "dag-single-use", "dag-single-us"),
    ("hardship", "\"wipe\"", "\"wipes\""),
    ("signal", "SIGINT", "SIGSTOP"),
    (
        "many-at-once",
        "limit = \"20s\"\n[clock]\nhook = \"time-file\"",
        "limit = \"soon\"\n[clock]\nhook = \"ntp\"",
    ),
];

#[test]
fn a_bad_target_is_explained() {
    for (name, sound, changed) in CHANGES {
        assert_eq!(SOUND.matches(sound).count().min(1), 1, "{name}");
        let problems = match parse(&SOUND.replacen(sound, changed, 1)) {
            Ok(target) => panic!("{name} is accepted: {target:#?}"),
            Err(problems) => problems,
        };
        for problem in &problems {
            let message = problem.to_string();
            assert!(problem.line().is_some(), "{name}: {message}");
            assert!(!message.ends_with('.'), "{name}: {message}");
        }
        let shown: Vec<String> = problems.iter().map(|problem| problem.render(100)).collect();
        insta::assert_snapshot!(name, shown.join("\n"));
    }
}

#[test]
fn an_unknown_target_is_explained() {
    let told = |word| {
        let problems = Target::load(word).unwrap_err();
        problems[0].render(100)
    };
    insta::assert_snapshot!("target-unknown", told("refrence"));
    insta::assert_snapshot!("target-file-missing", told("nowhere.toml"));
    insta::assert_snapshot!("target-is-a-directory", told("src/"));
}
