//! `mqttspec probe`: what a broker can do, before any case is played.

use crate::output::{complain, print_and_end, remark};
use crate::target::{LoginOptions, duration};
use clap::Args;
use harness::exit_code;
use harness::report::ReportFile;
use harness::target::{Address, Offer, TlsVersions};
use std::path::PathBuf;
use std::time::Duration;
use transport::RouteOptions;

pub(crate) const HELP: &str = "\
Examples:
  mqttspec probe mqtt://localhost:1883                  which versions of MQTT it accepts, and what it announces
  mqttspec probe localhost --profile-out mine.yaml      the same, and a first profile for `run --profile mine.yaml`
  mqttspec probe --tls localhost:8883                   which versions of TLS it negotiates, asked one by one

Exit codes: 0 told; 2 wrong command line; 3 it cannot be reached, or speaks no MQTT or TLS";

/// Arguments of `mqttspec probe`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where it listens
    #[arg(value_name = "URL|HOST:PORT")]
    place: String,
    /// Tell which of TLS 1.0, 1.1, 1.2 and 1.3 it negotiates, and nothing else
    #[arg(long)]
    tls: bool,
    /// Write a first profile to this file; the name of the file is the name of the profile
    #[arg(long, value_name = "FILE", conflicts_with = "tls")]
    profile_out: Option<PathBuf>,
    #[command(flatten)]
    login: LoginOptions,
    #[command(flatten)]
    way: RouteOptions,
    /// How long an answer may take: 5, 0.5 or 500ms
    #[arg(long, value_name = "SECONDS", default_value = "5", allow_hyphen_values = true, value_parser = duration)]
    timeout: Duration,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    // Host and port are enough: what carries MQTT there is found out, or is TCP.
    let scheme = if arguments.tls { "mqtts" } else { "mqtt" };
    let place = &arguments.place;
    let url = if place.contains("://") { place.clone() } else { format!("{scheme}://{place}") };
    match url.parse::<Address>() {
        Ok(address) if arguments.tls => tls(&address, arguments.timeout),
        Ok(address) => offer(arguments, address),
        Err(error) => {
            complain(&error);
            exit_code::USAGE
        }
    }
}

fn offer(arguments: &Arguments, address: Address) -> u8 {
    let Ok(credentials) = arguments.login.credentials() else {
        return exit_code::USAGE;
    };
    if let Some(warning) = arguments.way.warning(address.scheme) {
        remark(&format_args!("warning: {warning}"));
    }
    let target = address.to_string();
    let route = match arguments.way.route(address) {
        Ok(route) => route,
        Err(error) => {
            complain(&error);
            return exit_code::USAGE;
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format_args!("cannot build a runtime: {error}"));
            return exit_code::NO_JUDGEMENT;
        }
    };
    let offer = runtime.block_on(Offer::ask(&route, &credentials, arguments.timeout));
    if !offer.is_mqtt() {
        let last = offer.replies.into_values().find_map(Result::err);
        last.iter().for_each(|error| complain(&format_args!("{error}{}", error.hint())));
        return exit_code::NO_JUDGEMENT;
    }
    if let Some(path) = &arguments.profile_out {
        let name = path.file_stem().map_or_else(|| "probed".to_owned(), |stem| stem.to_string_lossy().into_owned());
        let written = ReportFile::at(path).and_then(|file| file.write(offer.profile(&name, &target).as_bytes()));
        if let Err(error) = written {
            complain(&format_args!("cannot write a profile to {}: {error}", path.display()));
            return exit_code::NO_JUDGEMENT;
        }
    }
    print_and_end(exit_code::AS_EXPECTED, |out| write!(out, "{target}\n{offer}"))
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
