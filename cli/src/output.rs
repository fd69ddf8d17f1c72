//! The one place standard output is written from.

use std::io::{self, ErrorKind, Write};

use assay_reports::Exit;
use serde::Serialize;

/// Standard output. Whoever reads it may stop at any time (`| head`); what comes after that goes nowhere,
/// and nobody is told.
pub(crate) struct Output {
    sink: Box<dyn Write>,
    broken: Option<io::Error>,
}

impl Output {
    pub(crate) fn stdout() -> Output {
        Output::to(Box::new(io::stdout()))
    }

    pub(crate) fn to(sink: Box<dyn Write>) -> Output {
        Output { sink, broken: None }
    }

    /// Writes the text as it is.
    pub(crate) fn text(&mut self, text: &str) {
        if self.broken.is_some() {
            return;
        }
        let written = self
            .sink
            .write_all(text.as_bytes())
            .and_then(|()| self.sink.flush());
        self.broken = written.err();
    }

    /// Writes one value as one line.
    pub(crate) fn json(&mut self, value: &impl Serialize) {
        let mut text = serde_json::to_string(value).expect("every key is text");
        text.push('\n');
        self.text(&text);
    }

    /// The exit code of the command, unless what it had to say could not be written for another reason
    /// than that nobody listens.
    pub(crate) fn finish(self, exit: Exit) -> Exit {
        match self.broken {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                complain(&format!(
                    "assay: failed to write to standard output: {error}\n"
                ));
                exit.min(Exit::Usage)
            }
            _ => exit,
        }
    }
}

/// Writes to standard error; when that is closed too there is nobody left to tell.
pub(crate) fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fails(ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_a_reader_that_left_goes_unmentioned() {
        fn check(kind: ErrorKind, expected: Exit) {
            let mut output = Output::to(Box::new(Fails(kind)));
            output.text("one");
            output.json(&2);
            assert_eq!(output.finish(Exit::Broke), expected);
        }
        check(ErrorKind::BrokenPipe, Exit::Broke);
        check(ErrorKind::StorageFull, Exit::Usage);
    }
}
