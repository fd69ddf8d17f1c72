//! `assay completions`.

use clap_complete::Shell;
use serde_json::json;

use crate::args::{Format, description};
use crate::output::Output;

pub(crate) fn completions(shell: Shell, format: Format, output: &mut Output) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut description(), "assay", &mut script);
    let script = String::from_utf8_lossy(&script);
    match format {
        Format::Text => output.text(&script),
        Format::Json => output.json(&json!({
            "schema": "assay.completions/1",
            "shell": shell.to_string(),
            "script": script,
        })),
    }
}
