//! `mqttspec probe`: what a broker can do, before any case is played.

use crate::output::{complain, print_and_end};
use crate::target::duration;
use clap::Args;
use harness::exit_code;
use harness::target::{Address, TlsVersions};
use std::str::FromStr;
use std::time::Duration;

pub(crate) const HELP: &str = "\
Examples:
  mqttspec probe --tls localhost:8883        which versions of TLS it negotiates, asked one by one

Exit codes: 0 told; 2 wrong command line; 3 it cannot be reached, or speaks no TLS";

/// Arguments of `mqttspec probe`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where it listens
    #[arg(value_name = "HOST:PORT")]
    place: Place,
    /// Tell which of TLS 1.0, 1.1, 1.2 and 1.3 it negotiates
    #[arg(long, required = true)]
    tls: bool,
    /// How long an answer may take: 5, 0.5 or 500ms
    #[arg(long, value_name = "SECONDS", default_value = "5", allow_hyphen_values = true, value_parser = duration)]
    timeout: Duration,
}

/// Host and port, or a URL; what carries MQTT there is found out.
#[derive(Debug, Clone)]
struct Place(Address);

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        let url = if text.contains("://") { text.to_owned() } else { format!("mqtts://{text}") };
        url.parse().map(Place)
    }
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    tls(&arguments.place.0, arguments.timeout)
}

fn tls(address: &Address, patience: Duration) -> u8 {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format_args!("cannot build a runtime: {error}"));
            return exit_code::NO_JUDGEMENT;
        }
    };
    let authority = address.authority();
    let versions = match runtime.block_on(TlsVersions::ask(address, patience)) {
        Ok(versions) => versions,
        Err(error) => {
            complain(&format_args!("cannot connect to {authority}: {error}; is the broker running there?"));
            return exit_code::NO_JUDGEMENT;
        }
    };
    let code = if versions.is_tls() { exit_code::AS_EXPECTED } else { exit_code::NO_JUDGEMENT };
    let code = print_and_end(code, |out| {
        writeln!(out, "{authority}")?;
        versions.replies.iter().try_for_each(|(version, reply)| match versions.negotiates(*version) {
            true => writeln!(out, "  {version}  negotiated"),
            false => writeln!(out, "  {version}  {reply}"),
        })
    });
    if !versions.is_tls() {
        complain(&format_args!("{authority} does not speak TLS: is it the port with TLS?"));
    }
    code
}
