//! What the process says to whoever started it.

use assay_scenarios::judge::RunVerdict;

use crate::report::{Report, Trouble};

/// Exit codes, worst first. When several apply the worst is given.
///
/// 130 stands outside the order: it says that an interrupt (Ctrl-C) left the report partial, so that its
/// verdict speaks only for the runs in it. A fault of the harness is said even then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 70: the harness itself is at fault.
    Harness,
    /// 69: a target did not start.
    NoTarget,
    /// 64: bad usage or a bad scenario.
    Usage,
    /// 130: interrupted, with partial results.
    Interrupted,
    /// 1: a promise broke.
    Broke,
    /// 3: a story says it breaks a promise, and did not.
    Stale,
    /// 2: nothing broke, and something could not be told.
    Inconclusive,
    /// 4: nothing ran.
    NothingRan,
    /// 0: every promise held.
    Held,
}

impl Exit {
    /// All of them, worst first.
    pub const ALL: [Exit; 9] = [
        Exit::Harness,
        Exit::NoTarget,
        Exit::Usage,
        Exit::Interrupted,
        Exit::Broke,
        Exit::Stale,
        Exit::Inconclusive,
        Exit::NothingRan,
        Exit::Held,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Held => 0,
            Exit::Broke => 1,
            Exit::Inconclusive => 2,
            Exit::Stale => 3,
            Exit::NothingRan => 4,
            Exit::Usage => 64,
            Exit::NoTarget => 69,
            Exit::Harness => 70,
            Exit::Interrupted => 130,
        }
    }

    /// What it means, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Exit::Held => "Every promise that was tested held.",
            Exit::Broke => "A promise broke.",
            Exit::Inconclusive => {
                "Nothing broke, but something could not be told, so this proves nothing."
            }
            Exit::Stale => {
                "A story says it breaks a promise, and did not: its expectation is stale."
            }
            Exit::NothingRan => "Nothing ran.",
            Exit::Usage => "Bad usage, or a bad scenario.",
            Exit::NoTarget => "A target did not start.",
            Exit::Harness => "The harness itself is at fault; its verdicts cannot be trusted.",
            Exit::Interrupted => "Interrupted: this speaks only for the runs that were finished.",
        }
    }

    /// What a report comes to.
    pub fn of(report: &Report) -> Exit {
        let of_run = |verdict: RunVerdict| match verdict {
            RunVerdict::Held | RunVerdict::BrokeAsExpected => Exit::Held,
            RunVerdict::Inconclusive => Exit::Inconclusive,
            RunVerdict::StaleExpectation => Exit::Stale,
            RunVerdict::Violated => Exit::Broke,
        };
        let runs = report.runs.iter().map(|run| of_run(run.judgement.verdict));
        let mishaps = report.mishaps.iter().map(|mishap| match mishap.trouble {
            Trouble::NoTarget { .. } => Exit::NoTarget,
            Trouble::Failed { .. } | Trouble::Panicked { .. } | Trouble::Differed { .. } => {
                Exit::Harness
            }
        });
        let partial = report.partial.then_some(Exit::Interrupted);
        runs.chain(mishaps)
            .chain(partial)
            .min()
            .unwrap_or(Exit::NothingRan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_comes_first_as_the_design_orders_them() {
        let mut sorted = Exit::ALL;
        sorted.sort();
        assert_eq!(sorted, Exit::ALL);
        let codes = Exit::ALL.map(Exit::code);
        assert_eq!(codes, [70, 69, 64, 130, 1, 3, 2, 4, 0]);
    }
}
