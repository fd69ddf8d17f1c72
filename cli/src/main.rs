//! `assay`: the one binary. It parses arguments, shows progress and chooses exit codes; what idOS is,
//! what is tried and how it is judged lives in the other crates.

mod args;
mod campaign;
mod command;
mod failure;
mod output;
mod progress;
mod runner;
mod select;
mod suggest;
mod survey;
#[cfg(test)]
mod testing;
mod world;

use std::process::ExitCode;

use crate::output::Output;

fn main() -> ExitCode {
    let mut output = Output::stdout();
    let exit = match args::parse(std::env::args_os()) {
        Ok(cli) => command::dispatch(cli, &mut output),
        Err(refused) => refused.tell(&mut output),
    };
    ExitCode::from(output.finish(exit).code())
}
