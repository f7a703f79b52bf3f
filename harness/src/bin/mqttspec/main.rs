//! `mqttspec`: does this broker speak the MQTT dialect that my fleet depends on?

mod brokers;
mod check;
mod cloud;
mod coverage;
mod explain;
mod explore;
mod faults;
mod fuzz;
mod lint;
mod list;
mod matrix;
mod output;
mod probe;
mod prove;
mod run;
mod schema;
mod sources;
mod target;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Does this broker speak the MQTT dialect that my fleet depends on?
///
/// Plays cases against a broker and judges every byte. Without a verb it does what `run` does; without a target it tests
/// the embedded reference broker.
#[derive(Debug, Parser)]
#[command(name = "mqttspec", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: run::Arguments,
}

const EXAMPLES: &str = "\
Examples:
  mqttspec                                              the reference broker, all profiles, in memory
  mqttspec run mqtt://localhost:1883                    a broker that runs already
  mqttspec run --start 'mosquitto -p {port}'            a broker that is started, and restarted if it dies
  mqttspec run --target target.yaml                     endpoints, devices and keys of a platform, from a file
  mqttspec run mqtt://localhost --run '**/qos1/**'      a part of the cases: `*` is one part of a name, `**` any number
  mqttspec run mqtt://localhost --known-failing broker.txt --junit report.xml
  mqttspec explain MQTT-3.3.1-2                         a statement, and the cases that cite it
  mqttspec prove                                        show that the cases are sound
  mqttspec fuzz --time 60s                              random clients, judged by the model
  mqttspec check                                        explore the model itself

Exit codes:
  0  everything as expected
  1  a non-conformance, or a known failure that passes
  2  wrong command line, case, profile or list of known failures
  3  the target is unreachable or stopped answering, the run was interrupted, or mqttspec failed
  4  nothing was selected";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Play cases against a broker
    #[command(after_help = EXAMPLES)]
    Run(Box<run::Arguments>),
    /// Install brokers that others wrote, and play the cases against them
    #[command(after_help = brokers::EXAMPLES)]
    Brokers(Box<brokers::Arguments>),
    /// Walk a broker at random, judged by the model
    #[command(after_help = fuzz::EXAMPLES)]
    Fuzz(Box<fuzz::Arguments>),
    /// Name the variants that `run` would play
    List(list::Arguments),
    /// Tell what a broker can do, before any case is played
    #[command(after_help = probe::HELP)]
    Probe(probe::Arguments),
    /// Check case files without playing them
    Lint(lint::Arguments),
    /// Tell what a case does or what a statement says
    Explain(explain::Arguments),
    /// Name the misbehaviours that `run --fault` can make
    Faults(faults::Arguments),
    /// Show that no server which does what it may fails a case
    Prove(prove::Arguments),
    /// Say which statements of the standard the cases cover
    #[command(after_help = coverage::HELP)]
    Coverage(coverage::Arguments),
    /// Explore the model exhaustively and say whether its claims hold
    Check(check::Arguments),
    /// Browse the states of a scenario in the web explorer
    Explore(explore::Arguments),
    /// Print the JSON Schema of case files
    Schema,
}

fn main() -> ExitCode {
    // clap ends with 2 by itself when the command line is wrong.
    let command_line = CommandLine::parse();
    let code = match command_line.verb {
        None => run::run(&command_line.run),
        Some(Verb::Run(arguments)) => run::run(&arguments),
        Some(Verb::Brokers(arguments)) => brokers::run(&arguments),
        Some(Verb::Fuzz(arguments)) => fuzz::run(&arguments),
        Some(Verb::List(arguments)) => list::run(&arguments),
        Some(Verb::Probe(arguments)) => probe::run(&arguments),
        Some(Verb::Lint(arguments)) => lint::run(&arguments),
        Some(Verb::Explain(arguments)) => explain::run(&arguments),
        Some(Verb::Faults(arguments)) => faults::run(&arguments),
        Some(Verb::Prove(arguments)) => prove::run(&arguments),
        Some(Verb::Coverage(arguments)) => coverage::run(&arguments),
        Some(Verb::Check(arguments)) => check::run(&arguments),
        Some(Verb::Explore(arguments)) => explore::run(&arguments),
        Some(Verb::Schema) => schema::run(),
    };
    ExitCode::from(code)
}
