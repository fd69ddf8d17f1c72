//! One file per command.

mod bench;
mod certify;
mod completions;
mod node;
mod replay;
mod requirements;
mod rules;
mod run;
mod scenarios;
mod target;
mod verify;

pub(crate) use target::load;

use assay_reports::Exit;

use crate::args::{Cli, Command, Format};
use crate::output::Output;

/// Carries out what was asked for.
pub(crate) fn dispatch(cli: Cli, output: &mut Output) -> Exit {
    let format = cli.format;
    let done = match cli.command {
        Some(Command::Run(args)) => run::run(&args, format, output),
        Some(Command::Replay(args)) => replay::replay(&args, format, output),
        Some(Command::Scenarios(args)) => scenarios::scenarios(args, format, output),
        Some(Command::Requirements(args)) => requirements::requirements(&args, format, output),
        Some(Command::Rules(args)) => rules::rules(&args, format, output),
        Some(Command::Verify(args)) => verify::verify(&args, format, output),
        Some(Command::Certify(args)) => certify::certify(&args, format, output),
        Some(Command::Target(args)) => target::target(args, format, output),
        Some(Command::Bench(args)) => bench::bench(&args, format, output),
        Some(Command::Node(args)) => node::node(*args, format, output),
        Some(Command::Completions { shell }) => {
            completions::completions(shell, format, output);
            Ok(Exit::Held)
        }
        None => certify::everything(format, output),
    };
    done.unwrap_or_else(|failure| {
        if format == Format::Json {
            output.json(&failure.as_json());
        }
        failure.tell()
    })
}
