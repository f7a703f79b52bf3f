//! `mqttspec-client`: publish or subscribe from the command line with the reference client.

mod arguments;
mod device;
mod failure;
mod publish;
mod server;
mod subscribe;

use arguments::{Arguments, Verb};
use clap::Parser;
use failure::Failure;
use std::io::{Write, stderr};
use std::process::ExitCode;
use tokio::runtime::Builder;

fn main() -> ExitCode {
    // clap leaves with code 2 by itself when the arguments are wrong.
    let arguments = Arguments::parse();
    let outcome = Builder::new_current_thread().enable_all().build().map_err(Failure::runtime).and_then(|runtime| {
        let outcome = runtime.block_on(run(arguments.verb));
        // A write to a pipe that nobody reads must not keep the process alive.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Without stderr the exit code has to say it alone.
            let _ = writeln!(stderr(), "mqttspec-client: {failure}");
            failure.exit_code()
        }
    }
}

async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Pub(arguments) => publish::run(arguments).await,
        Verb::Device(arguments) => device::run(arguments).await,
        Verb::Sub(arguments) => subscribe::run(arguments).await,
    }
}
