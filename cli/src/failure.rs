//! Why a command could not do what it was asked, told to people.

use std::error::Error;

use assay_reports::Exit;
use miette::Diagnostic;

use crate::output::complain;

/// Everything that stood in the way, and the exit code it leads to.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) reasons: Vec<miette::Report>,
}

impl Failure {
    /// Bad usage, or bad input, for one reason.
    pub(crate) fn usage(reason: impl Diagnostic + Send + Sync + 'static) -> Failure {
        Failure::of(vec![miette::Report::new(reason)])
    }

    /// The same for several reasons.
    pub(crate) fn of(reasons: Vec<miette::Report>) -> Failure {
        Failure {
            exit: Exit::Usage,
            reasons,
        }
    }

    /// The same for machines, who get an object on standard output whatever happens.
    pub(crate) fn as_json(&self) -> serde_json::Value {
        let reasons = self.reasons.iter().map(|reason| {
            let causes: Vec<String> = reason.chain().map(ToString::to_string).collect();
            serde_json::json!({
                "message": causes.join(": "),
                "help": reason.help().map(|help| help.to_string()),
            })
        });
        serde_json::json!({
            "schema": "assay.error/1",
            "exit_code": self.exit.code(),
            "problems": reasons.collect::<Vec<_>>(),
        })
    }

    /// Tells every reason on standard error.
    pub(crate) fn tell(&self) -> Exit {
        for reason in &self.reasons {
            complain(&format!("{reason:?}\n"));
        }
        self.exit
    }
}

/// A reason with a place for the next move.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{what}")]
pub(crate) struct Complaint {
    what: String,
    #[help]
    hint: Option<String>,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Complaint {
    pub(crate) fn new(what: impl Into<String>) -> Complaint {
        Complaint {
            what: what.into(),
            hint: None,
            source: None,
        }
    }

    pub(crate) fn hint(mut self, hint: Option<String>) -> Complaint {
        self.hint = hint;
        self
    }

    pub(crate) fn because(mut self, source: impl Error + Send + Sync + 'static) -> Complaint {
        self.source = Some(Box::new(source));
        self
    }
}

impl From<assay_reports::write::WriteError> for Failure {
    fn from(error: assay_reports::write::WriteError) -> Failure {
        let complaint = Complaint::new(error.to_string())
            .hint(Some("choose another directory with --out".to_owned()))
            .because(error.source);
        Failure::usage(complaint)
    }
}
