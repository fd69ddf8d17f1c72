//! The stories that come with the house, compiled in.

use std::sync::Arc;

use rust_embed::RustEmbed;

use crate::names::suggest;
use crate::problem::Problem;

/// A story before it is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `grants/locked-revoke`: where it stands in the library, or the stem of its file.
    pub name: String,
    /// What to call the file when something is wrong with it.
    pub path: String,
    /// The file's text.
    pub text: Arc<str>,
}

#[derive(RustEmbed)]
#[folder = "library/"]
struct Stories;

/// Every story of the library, sorted by name.
pub fn library() -> Vec<Source> {
    let mut stories: Vec<Source> = Stories::iter().filter_map(|path| story(&path)).collect();
    stories.sort_by(|a, b| a.name.cmp(&b.name));
    stories
}

/// The story of this name.
///
/// # Errors
///
/// A [`Problem`] that names the stories whose names are close.
pub fn find(name: &str) -> Result<Source, Problem> {
    let stories = library();
    if let Some(story) = stories.iter().find(|story| story.name == name) {
        return Ok(story.clone());
    }
    let known: Vec<&str> = stories.iter().map(|story| &*story.name).collect();
    let mut problem = Problem::new(format!("the library has no story `{name}`"));
    problem.advise(match crate::names::closest(name, &known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => suggest(name, &known),
    });
    Err(problem)
}

/// A file of the library; nothing for files that are no stories.
fn story(path: &str) -> Option<Source> {
    let name = path.strip_suffix(".toml")?;
    let file = Stories::get(path)?;
    let text = std::str::from_utf8(&file.data)
        .unwrap_or_else(|error| panic!("library/{path} is not UTF-8: {error}"));
    Some(Source {
        name: name.to_owned(),
        path: format!("scenarios/library/{path}"),
        text: text.into(),
    })
}
