//! Every kind of bad scenario, as people see it: each file of `tests/bad` has its snapshot.

use std::fs;
use std::path::{Path, PathBuf};

use assay_scenarios::{MAX_BYTES, Problem, Source, find, load, read_scenario};

/// All problems, with room above each so that they can be told apart.
fn shown(problems: &[Problem]) -> String {
    let shown: Vec<String> = problems.iter().map(|problem| problem.render(100)).collect();
    shown.join("\n")
}

fn bad_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_bad_scenario_is_explained() {
    for file in bad_files() {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let source = Source {
            name: name.to_owned(),
            path: format!("{name}.toml"),
            text: fs::read_to_string(&file).unwrap().into(),
        };
        let problems = match load(&source) {
            Ok(scenario) => panic!("{name} is accepted: {:#?}", scenario.plan),
            Err(problems) => problems,
        };
        insta::assert_snapshot!(name, shown(&problems));
    }
}

#[test]
fn messages_are_lower_case_and_have_no_final_period() {
    for file in bad_files() {
        let source = read_scenario(&file).unwrap();
        for problem in load(&source).unwrap_err() {
            let message = problem.to_string();
            assert!(!message.ends_with('.'), "{}: {message}", source.name);
            let first = message.chars().next().unwrap();
            assert!(!first.is_uppercase(), "{}: {message}", source.name);
            assert!(problem.line().is_some(), "{}: {message}", source.name);
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let table = [
        ("file-missing", folder.path().join("locked-revoke.toml")),
        ("file-directory", folder.path().to_owned()),
        (
            "file-too-large",
            write("large.toml", &vec![b'#'; MAX_BYTES as usize + 1]),
        ),
        (
            "file-not-utf8",
            write("bytes.toml", b"# one\n# two\nclaim = \"\xff\"\n"),
        ),
        ("file-empty", write("empty.toml", b" \n\n")),
    ];
    for (name, path) in table {
        let problem = read_scenario(&path).unwrap_err();
        let shown = problem
            .render(200)
            .replace(folder.path().to_str().unwrap(), "FOLDER");
        insta::assert_snapshot!(name, shown);
        assert_eq!(problem.line(), None);
    }
}

#[test]
fn a_file_of_the_largest_size_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.toml");
    fs::write(&path, vec![b'#'; MAX_BYTES as usize]).unwrap();
    let source = read_scenario(&path).unwrap();
    assert_eq!(
        (source.name.as_str(), source.text.len() as u64),
        ("large", MAX_BYTES)
    );
}

#[test]
fn an_unknown_story_is_explained() {
    for (name, asked) in [
        ("story-close", "grants/locked-revok"),
        ("story-without-its-folder", "locked-revoke"),
    ] {
        insta::assert_snapshot!(name, find(asked).unwrap_err().render(100));
    }
    assert!(find("no/such/story").is_err());
}
