//! `mqttspec explore`: serves stateright's explorer for a scenario.

use crate::check::{named, planted};
use crate::output::{complain, remark};
use clap::Args;
use harness::exit_code;
use model::check::{Scale, explore};
use std::net::SocketAddr;

/// Arguments of `mqttspec explore`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mqttspec explore broken-link                  then open the printed address in a browser
  mqttspec explore takeover --listen 127.0.0.1:0  on a free port")]
pub(crate) struct Arguments {
    /// The scenario; `mqttspec check` lists them
    scenario: String,
    /// Where to listen; nobody but this machine should reach it
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// The larger world of `mqttspec check --deep`
    #[arg(long)]
    deep: bool,
    /// Plant this fault in the model
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
}

/// Runs the verb: until the process is ended.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let scale = if arguments.deep { Scale::Deep } else { Scale::Quick };
    let (scenario, bug) = match (named(&arguments.scenario, scale), planted(arguments.bug.as_deref())) {
        (Ok(scenario), Ok(bug)) => (scenario, bug),
        (Err(message), _) | (_, Err(message)) => {
            complain(&message);
            return exit_code::USAGE;
        }
    };
    let served = explore(scenario, bug, arguments.listen, |address| {
        remark(&format_args!("exploring {} at http://{address}/ (Ctrl-C ends it)", arguments.scenario));
    });
    match served {
        Ok(()) => exit_code::AS_EXPECTED,
        Err(error) => {
            complain(&error);
            exit_code::NO_JUDGEMENT
        }
    }
}
