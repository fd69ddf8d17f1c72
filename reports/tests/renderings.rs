//! Renderings of reports made by hand, as people and machines get them.

mod common;

use assay_reports::{Exit, Mishap, Report, Trouble, json, junit, text, write};
use assay_scenarios::judge::Judgement;

use common::{broke_as_expected, everything, held, inconclusive, report, run, stale, violated};

fn parsed(report: &Report) -> serde_json::Value {
    serde_json::from_str(&json::json(report)).unwrap()
}

fn mishap() -> Mishap {
    Mishap {
        name: "grants/quiet".to_owned(),
        replay_as: "grants/quiet".to_owned(),
        seed: 2,
        trouble: Trouble::Differed {
            index: Some(31),
            first: "n1 commits block 3".to_owned(),
            second: "n2 commits block 3".to_owned(),
        },
    }
}

#[test]
fn a_report_for_people() {
    let mut report = everything();
    report.mishaps.push(mishap());
    report.mishaps.push(Mishap {
        seed: 3,
        ..mishap()
    });
    insta::assert_snapshot!(text::text(&report));
}

#[test]
fn a_report_of_one_quiet_run() {
    insta::assert_snapshot!(text::text(&report(vec![run(
        "grants/quiet",
        1,
        &[],
        held()
    )])));
}

#[test]
fn tables_fit_a_hundred_columns() {
    let text = text::text(&everything());
    let tables = text
        .lines()
        .skip_while(|line| *line != "Stories")
        .take_while(|line| !line.starts_with("VIOLATED"))
        .chain(
            text.lines()
                .skip_while(|line| !line.starts_with("Requirements")),
        );
    for line in tables {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn every_requirement_appears_in_every_rendering_for_machines() {
    let report = everything();
    let (json, junit) = (parsed(&report), junit::junit(&report));
    for requirement in assay_model::catalogue::catalogue() {
        let id = &requirement.id;
        assert!(junit.contains(&format!("classname=\"{id}\"")), "{id}");
        let rows = json["totals"]["requirements"].as_array().unwrap();
        assert!(rows.iter().any(|row| row["id"] == id.as_str()), "{id}");
    }
}

#[test]
fn a_report_for_machines() {
    let mut json = parsed(&report(vec![run(
        "grants/locked-revoke",
        2,
        &[],
        violated(17),
    )]));
    // The hundred requirements nothing happened to would drown the rest.
    for pointer in ["/scenarios/0/requirements", "/totals/requirements"] {
        let rows = json.pointer_mut(pointer).unwrap().as_array_mut().unwrap();
        assert_eq!(rows.len(), 121);
        rows.retain(|row| row["outcome"] != "not-exercised");
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn an_announced_break_is_marked_as_such_for_machines() {
    let json = parsed(&everything());
    let rows = json["scenarios"][0]["requirements"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == "DAG-03").unwrap();
    assert_eq!(
        (&row["outcome"], &row["expected"]),
        (&"failed".into(), &true.into())
    );
    assert_eq!(json["scenarios"][0]["verdict"], "broke-as-expected");
}

#[test]
fn equal_reports_give_equal_bytes() {
    assert_eq!(json::json(&everything()), json::json(&everything()));
    assert_eq!(junit::junit(&everything()), junit::junit(&everything()));
}

#[test]
fn a_report_for_ci() {
    let mut report = everything();
    report.mishaps.push(mishap());
    let xml = junit::junit(&report);
    // One of the hundred skipped cases shows what the others look like.
    let kept: Vec<&str> = xml.split_inclusive("</testcase>").collect();
    let skipped = |case: &str| case.contains("not exercised") && !case.contains("WAL-01");
    let shown: String = kept.into_iter().filter(|case| !skipped(case)).collect();
    insta::assert_snapshot!(shown);
}

#[test]
fn no_two_cases_for_ci_share_class_and_name() {
    let xml = junit::junit(&everything());
    let parsed = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    let mut names: Vec<(String, String)> = parsed
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
        .map(|case| {
            let class = case.classname.as_ref().unwrap().to_string();
            (class, case.name.to_string())
        })
        .collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn characters_xml_cannot_hold_are_left_out() {
    let mut judgement = violated(17);
    let result = judgement.requirements.get_mut("GRANT-08").unwrap();
    result.findings[0].1.sentence = "a \u{1b}[31mred\u{0} & <loud> \u{7}claim".to_owned();
    let xml = junit::junit(&report(vec![run("a", 1, &[], judgement)]));
    assert!(xml.contains("a red &amp; &lt;loud&gt; claim"), "{xml}");
    assert!(quick_junit::Report::deserialize_from_str(&xml).is_ok());
}

#[test]
fn the_worst_verdict_gives_the_exit_code() {
    fn check(judgements: Vec<Judgement>, change: fn(&mut Report), code: u8) {
        let runs = judgements
            .into_iter()
            .map(|judgement| run("a", 1, &["DAG-03"], judgement));
        let mut report = report(runs.collect());
        change(&mut report);
        assert_eq!(Exit::of(&report).code(), code);
    }
    let same: fn(&mut Report) = |_| {};
    check(vec![], same, 4);
    check(vec![held()], same, 0);
    check(vec![held(), broke_as_expected()], same, 0);
    check(vec![held(), inconclusive()], same, 2);
    check(vec![inconclusive(), stale()], same, 3);
    check(vec![inconclusive(), violated(1), stale()], same, 1);
    check(vec![violated(1)], |report| report.partial = true, 130);
    check(vec![], |report| report.partial = true, 130);
    check(
        vec![violated(1)],
        |report| report.mishaps.push(mishap()),
        70,
    );
    check(
        vec![],
        |report| {
            report.partial = true;
            report.mishaps.push(mishap());
        },
        70,
    );
}

#[test]
fn files_are_written_whole_and_over_old_ones() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("new/report");
    write::check_writable(&out).unwrap();
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0);
    for _ in 0..2 {
        let paths = write::write(&out, &everything()).unwrap();
        assert_eq!(paths.len(), 3);
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 3);
    }
    let text = std::fs::read_to_string(out.join("report.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["schema"], json::SCHEMA);
}

#[test]
fn a_place_that_cannot_be_written_to_is_found_out_before() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("taken");
    std::fs::write(&file, "").unwrap();
    let error = write::check_writable(&file).unwrap_err();
    assert!(error.to_string().contains("taken"), "{error}");
}
