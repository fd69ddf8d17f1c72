//! What is wrong with a story, and where: the only errors a person who writes one gets to see.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};

use crate::library::Source;

/// Largest file that is read, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;

/// What is said to people whose file cannot be read, by what the file should have been.
pub struct FileKind {
    /// `a scenario`.
    pub called: &'static str,
    /// Advice when there is no such file.
    pub missing: &'static str,
    /// Advice when it is a directory.
    pub directory: &'static str,
    /// Advice when nothing is in it.
    pub empty: &'static str,
}

const SCENARIO: FileKind = FileKind {
    called: "a scenario",
    missing: "stories of the library go by name, such as `grants/locked-revoke`",
    directory: "a scenario is one file; name it, or several",
    empty: r#"the smallest scenario is
claim = "A profile can be read by its owner."
actors = { users = ["alice"], issuers = ["kyc-co"] }
steps = [{ at = "1s", by = "alice", do = "list" }]"#,
};

/// One thing wrong with a story. Its text is one lower-case sentence; place, reason and the next move
/// come with it as a [`Diagnostic`].
#[derive(Clone)]
pub struct Problem {
    message: String,
    help: Option<String>,
    labels: Vec<(Range<usize>, String)>,
    // Boxed, so that results stay small.
    place: Option<Box<NamedSource<Arc<str>>>>,
}

impl Problem {
    /// A problem of a whole file, or of a story that cannot be found.
    pub fn new(message: impl Into<String>) -> Problem {
        Problem {
            message: message.into(),
            help: None,
            labels: Vec::new(),
            place: None,
        }
    }

    /// A problem at one place of a story.
    pub fn at(source: &Source, span: Range<usize>, message: String, label: String) -> Problem {
        Problem {
            message,
            help: None,
            labels: vec![(span, label)],
            place: Some(Box::new(NamedSource::new(
                &source.path,
                source.text.clone(),
            ))),
        }
    }

    /// Adds the next move.
    pub fn advise(&mut self, help: impl Into<String>) -> &mut Problem {
        let help = help.into();
        if !help.is_empty() {
            self.help = Some(help);
        }
        self
    }

    /// Points at a further place.
    pub fn also(&mut self, span: Range<usize>, label: impl Into<String>) -> &mut Problem {
        self.labels.push((span, label.into()));
        self
    }

    fn helped(mut self, help: impl Into<String>) -> Problem {
        self.advise(help);
        self
    }

    /// Where it is, in bytes of the story's text; the beginning for a problem of the whole file.
    pub(crate) fn start(&self) -> usize {
        self.labels.first().map_or(0, |(span, _)| span.start)
    }

    /// Line it is on, from 1; none for a problem of the whole file.
    pub fn line(&self) -> Option<u32> {
        let (span, _) = self.labels.first()?;
        Some(line(self.place.as_ref()?.inner(), span.start))
    }

    /// As people see it, without colours, lines up to `width` columns wide.
    pub fn render(&self, width: usize) -> String {
        let mut text = String::new();
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
            .with_width(width)
            .render_report(&mut text, self)
            .expect("writing to a string does not fail");
        text
    }
}

/// Line of a byte, from 1.
pub(crate) fn line(text: &str, byte: usize) -> u32 {
    let before = &text.as_bytes()[..byte.min(text.len())];
    1 + before.iter().filter(|byte| **byte == b'\n').count() as u32
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

// The derived form would print the whole story once per problem.
impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(100))
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_deref().map(|place| place as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = |(span, text): &(Range<usize>, String)| {
            LabeledSpan::new_with_span(Some(text.clone()), span.clone())
        };
        match self.labels.as_slice() {
            [] => None,
            labels => Some(Box::new(labels.iter().map(label))),
        }
    }
}

/// Reads a story from a file; its name is the file's stem.
///
/// # Errors
///
/// Those of [`read_source`].
pub fn read_scenario(path: &Path) -> Result<Source, Problem> {
    read_source(path, &SCENARIO)
}

/// Reads the text of a file people write; its name is the file's stem.
///
/// # Errors
///
/// A [`Problem`] for a file that is missing, a directory, larger than [`MAX_BYTES`], not UTF-8, empty,
/// or cannot be read for a reason of the operating system's.
pub fn read_source(path: &Path, kind: &FileKind) -> Result<Source, Problem> {
    let shown = path.display();
    let unreadable =
        |error: io::Error| Problem::new(format!("cannot read `{shown}`: {}", reason(&error)));
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            Problem::new(format!("there is no file `{shown}`")).helped(kind.missing)
        }
        _ => unreadable(error),
    })?;
    let facts = file.metadata().map_err(unreadable)?;
    if facts.is_dir() {
        return Err(Problem::new(format!("`{shown}` is a directory")).helped(kind.directory));
    }
    if facts.len() > MAX_BYTES {
        return Err(too_large(path, kind, facts.len().to_string()));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large(path, kind, format!("more than {MAX_BYTES}")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..good]
            .iter()
            .filter(|b| **b == b'\n')
            .count();
        Problem::new(format!(
            "`{shown}` is not UTF-8: line {line} has a byte {:#04x} that does not belong there",
            error.as_bytes()[good]
        ))
        .helped(format!("{} is a TOML file, and TOML is UTF-8", kind.called))
    })?;
    if text.trim().is_empty() {
        return Err(Problem::new(format!("`{shown}` is empty")).helped(kind.empty));
    }
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    Ok(Source {
        name: stem.to_string_lossy().into_owned(),
        path: shown.to_string(),
        text: text.into(),
    })
}

fn too_large(path: &Path, kind: &FileKind, size: String) -> Problem {
    Problem::new(format!("`{}` is {size} bytes long", path.display())).helped(format!(
        "{} has at most {MAX_BYTES} bytes (1 MiB)",
        kind.called
    ))
}

/// The reason in words, without the number the operating system gives it.
fn reason(error: &io::Error) -> String {
    let text = error.to_string().to_lowercase();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}
