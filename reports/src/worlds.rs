//! One report of several worlds: each world's own, and a table of what every story came to in each.

use std::collections::BTreeMap;
use std::fmt::Write;

use assay_scenarios::judge::RunVerdict;
use serde::Serialize;

use crate::certification::{self, Certification, Untestable};
use crate::exit::Exit;
use crate::report::Report;
use crate::{json, junit, text};

/// Version of the form of [`json()`].
pub const SCHEMA: &str = "assay.worlds/1";

/// What one command came to in several worlds.
#[derive(Clone, Debug)]
pub struct Worlds {
    /// The command that gives this report again.
    pub command: String,
    /// What happened in each, in the order of the table's columns.
    pub worlds: Vec<InWorld>,
    /// What it comes to for a target, when one was certified.
    pub certification: Option<Certification>,
}

/// One world of them.
#[derive(Clone, Debug)]
pub struct InWorld {
    /// The runs; `world` in it names the world.
    pub report: Report,
    /// Stories it cannot carry out.
    pub untestable: Vec<Untestable>,
}

/// What a story came to in one world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Cell {
    /// The worst verdict of its runs.
    Ran {
        /// It.
        verdict: RunVerdict,
    },
    /// The harness spoilt a run of it.
    Spoilt,
    /// This world cannot carry it out.
    NotTestable {
        /// Why.
        reason: String,
    },
    /// Nobody asked for it here, or an interrupt came first.
    NotRun,
}

impl Cell {
    fn word(&self) -> String {
        match self {
            Cell::Ran { verdict } => text::word(*verdict).to_owned(),
            Cell::Spoilt => "SPOILT".to_owned(),
            Cell::NotTestable { .. } => "not testable".to_owned(),
            Cell::NotRun => "-".to_owned(),
        }
    }
}

/// What a story came to in every world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoryRow {
    /// Its name.
    pub story: String,
    /// Whether all worlds that ran it say the same, and at least two did.
    pub agree: Option<bool>,
    /// By world, in the order of [`Worlds::worlds`].
    pub cells: Vec<Cell>,
}

impl Worlds {
    /// What it comes to: the worst of every world, and of the certification.
    pub fn exit(&self) -> Exit {
        let worlds = self.worlds.iter().map(|world| Exit::of(&world.report));
        let certified = self.certification.as_ref().map(Certification::exit);
        worlds.chain(certified).min().unwrap_or(Exit::NothingRan)
    }

    /// Every story of any world, sorted by name.
    pub fn table(&self) -> Vec<StoryRow> {
        let mut rows: BTreeMap<&str, Vec<Cell>> = BTreeMap::new();
        for (column, world) in self.worlds.iter().enumerate() {
            let mut set = |story, cell| {
                let cells = rows.entry(story).or_default();
                cells.resize(self.worlds.len(), Cell::NotRun);
                worsen(&mut cells[column], cell);
            };
            for untestable in &world.untestable {
                let reason = untestable.reason.clone();
                set(untestable.story.as_str(), Cell::NotTestable { reason });
            }
            for run in &world.report.runs {
                let verdict = run.judgement.verdict;
                set(run.story.name.as_str(), Cell::Ran { verdict });
            }
            for mishap in &world.report.mishaps {
                set(mishap.name.as_str(), Cell::Spoilt);
            }
        }
        let rows = rows.into_iter();
        rows.map(|(story, cells)| StoryRow {
            story: story.to_owned(),
            agree: agree(&cells),
            cells,
        })
        .collect()
    }
}

fn worsen(cell: &mut Cell, other: Cell) {
    let weight = |cell: &Cell| match cell {
        Cell::NotRun => (0, None),
        Cell::NotTestable { .. } => (1, None),
        // The order of verdicts is that of their weight.
        Cell::Ran { verdict } => (2, Some(*verdict)),
        Cell::Spoilt => (3, None),
    };
    if weight(&other) > weight(cell) {
        *cell = other;
    }
}

fn agree(cells: &[Cell]) -> Option<bool> {
    let ran = || {
        let such = |cell: &&Cell| matches!(cell, Cell::Ran { .. } | Cell::Spoilt);
        cells.iter().filter(such)
    };
    let first = ran().next()?;
    (ran().count() > 1).then(|| ran().all(|cell| cell == first))
}

/// The report as text: the certification's verdict, the table, then each world.
pub fn text(worlds: &Worlds) -> String {
    let mut sections = Vec::new();
    if let Some(certification) = &worlds.certification {
        sections.push(certification::text(certification));
    }
    sections.push(table(worlds));
    for world in &worlds.worlds {
        let name = world.report.world;
        sections.push(format!("== world {name}\n{}", text::text(&world.report)));
    }
    let exit = worlds.exit();
    sections.push(format!(
        "All worlds together: {} (exit code {})\n",
        exit.meaning(),
        exit.code()
    ));
    sections.join("\n")
}

/// The table of stories and worlds as text.
pub fn table(worlds: &Worlds) -> String {
    let rows = worlds.table();
    let names = rows.iter().map(|row| row.story.chars().count());
    let width = names.max().unwrap_or(0).max("story".len());
    let mut out = String::from("Stories by world\n");
    let mut line = |first: &str, cells: Vec<String>, note: &str| {
        let cells: String = cells.iter().map(|cell| format!("  {cell:<12}")).collect();
        let _ = writeln!(
            out,
            "{}",
            format!("  {first:<width$}{cells}  {note}").trim_end()
        );
    };
    let heads = worlds.worlds.iter();
    let heads = heads.map(|world| world.report.world.to_owned()).collect();
    line("story", heads, "");
    for row in &rows {
        let note = match row.agree {
            Some(false) => "THEY DIFFER",
            _ => "",
        };
        line(&row.story, row.cells.iter().map(Cell::word).collect(), note);
    }
    let differ = rows.iter().filter(|row| row.agree == Some(false)).count();
    let both = rows.iter().filter(|row| row.agree.is_some()).count();
    if worlds.worlds.len() > 1 {
        let _ = writeln!(
            out,
            "  {} of {both} stories that ran in several worlds came to the same in each",
            both - differ
        );
    }
    // A reason is shared by many stories, and told once with all of them.
    let mut reasons: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for world in &worlds.worlds {
        for Untestable { story, reason } in &world.untestable {
            let such = reasons.entry((world.report.world, reason));
            such.or_default().push(story);
        }
    }
    for ((world, reason), stories) in reasons {
        let told = format!("not testable in {world}: {reason}: {}", stories.join(", "));
        text::wrap(&mut out, "  ", told.split(' '));
    }
    out
}

/// The report as one object on one line. `worlds` holds, for each world, the document that a command of
/// that world alone prints.
pub fn json(worlds: &Worlds) -> String {
    let documents: Vec<serde_json::Value> = worlds
        .worlds
        .iter()
        .map(|world| {
            serde_json::json!({
                "world": world.report.world,
                "untestable": world.untestable,
                "report": json::value(&world.report),
            })
        })
        .collect();
    let exit = worlds.exit();
    let names: Vec<&str> = worlds
        .worlds
        .iter()
        .map(|world| world.report.world)
        .collect();
    let stories: Vec<serde_json::Value> = worlds
        .table()
        .iter()
        .map(|row| {
            let cells = names.iter().zip(&row.cells);
            let cells: serde_json::Map<String, serde_json::Value> = cells
                .map(|(name, cell)| {
                    let cell = serde_json::to_value(cell).expect("every key is text");
                    ((*name).to_owned(), cell)
                })
                .collect();
            serde_json::json!({ "story": row.story, "agree": row.agree, "worlds": cells })
        })
        .collect();
    let document = serde_json::json!({
        "schema": SCHEMA,
        "command": worlds.command,
        "exit_code": exit.code(),
        "meaning": exit.meaning(),
        "certification": worlds.certification.as_ref().map(certification::value),
        "stories": stories,
        "worlds": documents,
    });
    let mut text = document.to_string();
    text.push('\n');
    text
}

/// The report as XML: the suites of each world under the world's name, and the certification's.
pub fn junit(worlds: &Worlds) -> String {
    let mut document = quick_junit::Report::new("assay");
    for world in &worlds.worlds {
        let name = world.report.world;
        for mut suite in junit::suites(&world.report) {
            suite.name = format!("{name}: {}", suite.name.as_str()).into();
            for case in &mut suite.test_cases {
                // Readers tell cases apart by class and name, whatever suite they stand in.
                case.name = format!("{} in {name}", case.name.as_str()).into();
            }
            document.add_test_suite(suite);
        }
    }
    if let Some(certification) = &worlds.certification {
        document.add_test_suites(certification::suites(certification));
    }
    document
        .to_string()
        .expect("the document is written to memory and its strings are cleaned")
}
