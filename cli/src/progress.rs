//! How far a long command is, for whoever watches.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error when that is a terminal; nothing otherwise.
pub(crate) fn bar(runs: u64) -> ProgressBar {
    let target = if stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(runs), target);
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} runs  {elapsed}  {msg}");
    bar.with_style(style.expect("the template is well-formed"))
}
