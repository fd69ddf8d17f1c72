//! Renderings of certifications, and of several worlds in one, made by hand.

mod common;

use assay_model::catalogue::find;
use assay_reports::certification::{self, Assessed, Assessment, Certification, RunCounts};
use assay_reports::worlds::{self, Cell};
use assay_reports::{Exit, InWorld, Mishap, Report, Trouble, Untestable, Worlds, write};
use assay_scenarios::judge::RunVerdict;

use common::{broke_as_expected, held, inconclusive, report, run, violated};

fn row(id: &str, outcome: Assessment, why: Option<&str>) -> Assessed {
    let tested = matches!(
        outcome,
        Assessment::Passed | Assessment::Failed | Assessment::Inconclusive
    );
    Assessed {
        requirement: find(id).unwrap(),
        outcome,
        checked: if tested { 12 } else { 0 },
        stories: if tested {
            vec!["grants/locked-revoke".to_owned()]
        } else {
            vec![]
        },
        why: why.map(str::to_owned),
        evidence: match outcome {
            Assessment::Failed => vec!["15  12.480s  n3 answers grants(bank) = []".to_owned()],
            _ => vec![],
        },
    }
}

fn passing() -> Certification {
    Certification {
        target: "reference node".to_owned(),
        world: "live".to_owned(),
        profile: "core".to_owned(),
        rows: vec![
            row("GRANT-05", Assessment::Passed, None),
            row(
                "GRANT-08",
                Assessment::Passed,
                Some(
                    "time/leader-behind would have tested it too, and is not testable: no clock hook",
                ),
            ),
        ],
        objections: vec![],
        runs: RunCounts {
            held: 3,
            broke_as_expected: 1,
            ..RunCounts::default()
        },
        untestable: vec![Untestable {
            story: "time/leader-behind".to_owned(),
            reason: "no clock hook".to_owned(),
        }],
        beside: vec![],
    }
}

fn failing() -> Certification {
    let mut certification = passing();
    certification.rows.extend([
        row(
            "DEL-01",
            Assessment::Failed,
            Some("deletion/everything seed 1: deleted-rows-are-gone: n3 still has 9b20.."),
        ),
        row(
            "TIME-01",
            Assessment::Inconclusive,
            Some("no block came after the trouble"),
        ),
        row(
            "AVAIL-04",
            Assessment::NotExercised,
            Some("no story that ran tests it"),
        ),
        row(
            "CONS-02",
            Assessment::NotTestable,
            Some("rough-network: the target has no links"),
        ),
    ]);
    certification.objections =
        vec!["faults/idle seed 1 is inconclusive: a fault did nothing".to_owned()];
    certification.runs.violated = 1;
    certification.runs.inconclusive = 1;
    certification.beside = vec!["READ-02".to_owned()];
    certification
}

fn in_world(world: &'static str, report: Report, untestable: &[(&str, &str)]) -> InWorld {
    let untestable = untestable.iter().map(|(story, reason)| Untestable {
        story: (*story).to_owned(),
        reason: (*reason).to_owned(),
    });
    InWorld {
        report: Report { world, ..report },
        untestable: untestable.collect(),
    }
}

fn several() -> Worlds {
    let announced: &[&'static str] = &["DAG-03"];
    let sim = report(vec![
        run("dags/replayed", 1, announced, broke_as_expected()),
        run("grants/locked-revoke", 1, &[], held()),
        run("grants/quiet", 1, &[], held()),
    ]);
    let mut live = report(vec![
        run("grants/locked-revoke", 1, &[], held()),
        run("grants/locked-revoke", 2, &[], violated(17)),
        run("grants/quiet", 1, &[], held()),
    ]);
    live.mishaps.push(Mishap {
        name: "zoo/spoilt".to_owned(),
        replay_as: "zoo/spoilt".to_owned(),
        seed: 1,
        trouble: Trouble::Panicked {
            message: "no such floor".to_owned(),
        },
    });
    let skipped = "the target's rules cannot be changed";
    Worlds {
        command: "assay".to_owned(),
        worlds: vec![
            in_world("sim", sim, &[]),
            in_world("turmoil", report(vec![]), &[("dags/replayed", skipped)]),
            in_world("live", live, &[("dags/replayed", skipped)]),
        ],
        certification: Some(failing()),
    }
}

#[test]
fn a_certified_target_is_told_to_people() {
    insta::assert_snapshot!(certification::text(&passing()));
}

#[test]
fn a_target_that_is_not_certified_is_told_why_first() {
    insta::assert_snapshot!(certification::text(&failing()));
}

#[test]
fn a_certification_for_machines() {
    let value: serde_json::Value = serde_json::from_str(&certification::json(&failing())).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn a_certification_for_ci() {
    insta::assert_snapshot!(certification::junit(&failing()));
}

#[test]
fn what_keeps_a_target_from_being_certified_gives_the_exit_code() {
    fn check(change: impl FnOnce(&mut Certification), certified: bool, exit: Exit) {
        let mut certification = passing();
        change(&mut certification);
        assert_eq!(
            (certification.certified(), certification.exit()),
            (certified, exit)
        );
        let told = certification::verdict(&certification);
        assert_eq!(told.starts_with("CERTIFIED"), certified, "{told}");
        let xml = certification::junit(&certification);
        let parsed = quick_junit::Report::deserialize_from_str(&xml).unwrap();
        assert_eq!(parsed.failures + parsed.errors == 0, certified, "{xml}");
    }
    let with = |outcome| move |c: &mut Certification| c.rows[0].outcome = outcome;
    check(|_| {}, true, Exit::Held);
    check(with(Assessment::Failed), false, Exit::Broke);
    for doubtful in [
        Assessment::Inconclusive,
        Assessment::NotExercised,
        Assessment::NotTestable,
    ] {
        check(with(doubtful), false, Exit::Inconclusive);
    }
    check(|c| c.rows.clear(), false, Exit::Inconclusive);
    check(
        |c| c.objections.push("one".to_owned()),
        false,
        Exit::Inconclusive,
    );
    check(
        |c| {
            c.runs.spoilt = 1;
            c.objections.push("spoilt".to_owned());
        },
        false,
        Exit::Harness,
    );
}

#[test]
fn stories_are_told_by_world() {
    insta::assert_snapshot!(worlds::table(&several()));
}

#[test]
fn a_cell_is_the_worst_of_its_runs() {
    let table = several().table();
    let cells = |story: &str| {
        table
            .iter()
            .find(|row| row.story == story)
            .unwrap()
            .cells
            .clone()
    };
    let ran = |verdict| Cell::Ran { verdict };
    let (held, violated) = (ran(RunVerdict::Held), ran(RunVerdict::Violated));
    assert_eq!(
        cells("grants/locked-revoke"),
        [held.clone(), Cell::NotRun, violated]
    );
    assert_eq!(cells("grants/quiet"), [held.clone(), Cell::NotRun, held]);
    assert_eq!(
        cells("zoo/spoilt"),
        [Cell::NotRun, Cell::NotRun, Cell::Spoilt]
    );
    let agree: Vec<Option<bool>> = table.iter().map(|row| row.agree).collect();
    assert_eq!(agree, [None, Some(false), Some(true), None]);
}

#[test]
fn each_world_is_told_as_if_it_were_alone() {
    let worlds = several();
    let value: serde_json::Value = serde_json::from_str(&worlds::json(&worlds)).unwrap();
    assert_eq!(value["schema"], worlds::SCHEMA);
    let text = worlds::text(&worlds);
    for (index, world) in worlds.worlds.iter().enumerate() {
        let alone = assay_reports::json::json(&world.report);
        let alone: serde_json::Value = serde_json::from_str(&alone).unwrap();
        assert_eq!(value["worlds"][index]["report"], alone);
        assert!(text.contains(&assay_reports::text::text(&world.report)));
    }
    assert_eq!(value["certification"]["certified"], false);
    let mut stories = value["stories"].clone();
    stories.as_array_mut().unwrap().truncate(2);
    insta::assert_snapshot!(serde_json::to_string_pretty(&stories).unwrap());
}

#[test]
fn the_worst_of_all_worlds_gives_the_exit_code() {
    let mut worlds = several();
    assert_eq!(worlds.exit(), Exit::Harness);
    worlds.worlds[2].report.mishaps.clear();
    assert_eq!(worlds.exit(), Exit::Broke);
    worlds.worlds.truncate(1);
    assert_eq!(worlds.exit(), Exit::Broke, "the certification counts too");
    worlds.certification = None;
    assert_eq!(worlds.exit(), Exit::Held);
    worlds.worlds[0]
        .report
        .runs
        .push(run("faults/idle", 1, &[], inconclusive()));
    assert_eq!(worlds.exit(), Exit::Inconclusive);
    worlds.worlds.clear();
    assert_eq!(worlds.exit(), Exit::NothingRan);
}

#[test]
fn no_two_cases_of_all_worlds_share_class_and_name() {
    let xml = worlds::junit(&several());
    let parsed = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    let suites = parsed.test_suites.iter();
    let mut names: Vec<(String, String)> = suites
        .flat_map(|suite| &suite.test_cases)
        .map(|case| {
            (
                case.classname.as_ref().unwrap().to_string(),
                case.name.to_string(),
            )
        })
        .collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(xml.contains("name=\"live: grants/quiet\""), "{xml}");
}

#[test]
fn both_kinds_of_report_fit_into_one_directory() {
    let dir = tempfile::tempdir().unwrap();
    write::write_worlds(dir.path(), &several()).unwrap();
    write::write_certification(dir.path(), &failing()).unwrap();
    write::write_file(&dir.path().join("certificate.json"), b"{}").unwrap();
    let mut names: Vec<String> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "certificate.json",
            "certification.json",
            "certification.txt",
            "certification.xml",
            "junit.xml",
            "report.json",
            "report.txt",
        ]
    );
}
