//! `mqttspec run`: plays cases against a broker.

use crate::output::{complain, print, remark};
use crate::sources::{Sources, Told, read_text};
use crate::target::{TargetOptions, duration, quote};
use clap::Args;
use harness::exit_code;
use harness::fault::{Fault, Interference, Transform};
use harness::report::{Detail, Header, Progress, ReportFile, Run, json, junit, terminal};
use harness::run::{
    Conditions, Interrupt, KnownFailing, NetworkTarget, Outcome, Plan, Planned, run_embedded, run_network, stale,
};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How many variants share a broker in a network by default: their timers overlap, and brokers bear it.
const JOBS: usize = 64;

/// How long an answer may take by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// Arguments of `mqttspec run`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: TargetOptions,
    #[command(flatten)]
    sources: Sources,
    /// How many variants are played side by side [default: 64; embedded: one for each processor]
    #[arg(long, value_name = "N", value_parser = jobs)]
    jobs: Option<NonZeroUsize>,
    /// How long an answer may take: 5, 0.5 or 500ms
    #[arg(long, value_name = "SECONDS", default_value = "5", allow_hyphen_values = true, value_parser = duration)]
    timeout: Duration,
    /// Variants that fail for a known reason: a line `GLOB  # reason` each, `!GLOB` before it for what passes, `?GLOB` for what fails at times; they are played all the same (repeatable)
    #[arg(long, value_name = "FILE")]
    known_failing: Vec<PathBuf>,
    /// Write a report for programs
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a report for build servers
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Let a fault act between mqttspec and the broker: its name, see `mqttspec faults`
    #[arg(long, value_name = "NAME", conflicts_with = "transform")]
    fault: Option<String>,
    /// Change the traffic in a way that breaks nothing: its name, see `mqttspec faults`
    #[arg(long, value_name = "NAME")]
    transform: Option<String>,
    /// A line for each variant that is played, and the reasons for which others do not apply; `list --verbose` names those
    #[arg(short, long)]
    verbose: bool,
}

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| format!("`{text}` is no number of variants: write 1 or more"))
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    match prepare(arguments) {
        Ok(prepared) => play(arguments, &prepared),
        Err(Told) => exit_code::USAGE,
    }
}

/// All that can be wrong before anything is played is found out here.
struct Prepared {
    plans: Vec<Plan>,
    /// None for the embedded broker.
    network: Option<NetworkTarget>,
    conditions: Conditions,
    reports: Reports,
}

/// The files that a run leaves behind.
struct Reports {
    json: Option<ReportFile>,
    junit: Option<ReportFile>,
}

fn prepare(arguments: &Arguments) -> Result<Prepared, Told> {
    arguments.target.check()?;
    let reports = reports(arguments)?;
    let conditions = Conditions {
        credentials: arguments.target.credentials()?,
        timeout: arguments.timeout,
        interference: interference(arguments)?,
        cloud: arguments.target.cloud()?,
        scheme: arguments.target.scheme(),
    };
    let library = arguments.sources.library_with(arguments.target.files())?;
    let network = arguments.target.is_network().then(|| arguments.target.network()).transpose()?;
    let devices = network.as_ref().and_then(|network| network.devices.as_ref());
    let default = if devices.is_some() { "platform" } else { "standard" };
    let profiles = arguments.sources.profiles(arguments.target.is_network().then_some(default))?;
    // Who knows devices knows nobody else.
    let profiles = match devices {
        Some(devices) => profiles.iter().map(|profile| Arc::new(profile.knowing(Arc::clone(devices)))).collect(),
        None => profiles,
    };
    let known_failing = known_failing(&arguments.known_failing)?;
    let mut plans = arguments.sources.plans(&library, &profiles, &known_failing);
    let absent = arguments.target.absent_actors();
    plans.iter_mut().for_each(|plan| plan.leave_out(&absent));
    let stale = stale(&plans, &known_failing);
    let plans = match arguments.target.is_network() {
        true => {
            let scheme = arguments.target.carried_by();
            plans.into_iter().map(|plan| plan.carried_by(scheme)).collect()
        }
        // The embedded broker has every transport that a case asks for.
        false => plans,
    };
    if !stale.is_empty() {
        stale.iter().for_each(|error| complain(error));
        return Err(Told);
    }
    Ok(Prepared { plans, network, conditions, reports })
}

fn reports(arguments: &Arguments) -> Result<Reports, Told> {
    let report = |path: &Option<PathBuf>| match path.as_deref().map(|path| (path, ReportFile::at(path))) {
        None => Ok(None),
        Some((_, Ok(file))) => Ok(Some(file)),
        Some((path, Err(error))) => {
            complain(&format_args!("cannot write a report to {}: {error}", path.display()));
            Err(Told)
        }
    };
    let reports = Reports { json: report(&arguments.json)?, junit: report(&arguments.junit)? };
    if reports.json.is_some() && reports.json == reports.junit {
        complain(&"--json and --junit name one file: the second report would replace the first");
        return Err(Told);
    }
    Ok(reports)
}

/// What is to stand between mqttspec and the broker.
fn interference(arguments: &Arguments) -> Result<Interference, Told> {
    let found = match (&arguments.fault, &arguments.transform) {
        (Some(name), _) => Fault::named(name).map(Interference::Fault),
        (None, Some(name)) => Transform::named(name).map(Interference::Transform),
        (None, None) => Ok(Interference::None),
    };
    let found = found.map_err(|error| {
        complain(&error);
        Told
    })?;
    if let Interference::Fault(Fault::Switch(switch)) = found
        && arguments.target.is_network()
    {
        let name = switch.name();
        complain(&format_args!("--fault {name} is one of the reference broker: leave URL and --start out"));
        return Err(Told);
    }
    Ok(found)
}

/// Reads lists of what is known.
pub(crate) fn known_failing(files: &[PathBuf]) -> Result<KnownFailing, Told> {
    let mut all = KnownFailing::default();
    for file in files {
        let list = KnownFailing::parse(&file.display().to_string(), &read_text(file)?).map_err(|errors| {
            errors.iter().for_each(|error| complain(error));
            Told
        })?;
        all.extend(list);
    }
    Ok(all)
}

impl Arguments {
    /// What stands between mqttspec and the broker.
    fn between(&self) -> Option<String> {
        let fault = self.fault.as_ref().map(|name| format!("fault {name}"));
        fault.or_else(|| self.transform.as_ref().map(|name| format!("transform {name}")))
    }

    /// What was tested, and the command that does it again.
    fn header(&self, plans: &[Plan]) -> Header {
        let mut rerun = format!("mqttspec run{}", self.target.again());
        for path in self.sources.cases.iter().chain(self.target.files()) {
            rerun = format!("{rerun} --cases {}", quote(&path.display().to_string()));
        }
        if let Some(name) = &self.fault {
            rerun = format!("{rerun} --fault {name}");
        }
        if let Some(name) = &self.transform {
            rerun = format!("{rerun} --transform {name}");
        }
        if self.timeout != DEFAULT_TIMEOUT {
            rerun = format!("{rerun} --timeout {}", self.timeout.as_secs_f64());
        }
        let profiles = plans.iter().map(|plan| plan.profile.name.clone()).collect();
        let profile_file = self.sources.profile.as_deref().map(quote);
        let warning = self.target.warning().map(str::to_owned);
        Header { product: None, target: self.target.name(), profiles, warning, rerun, profile_file }
    }
}

fn play(arguments: &Arguments, prepared: &Prepared) -> u8 {
    let Prepared { plans, network, conditions, reports } = prepared;
    let mut run = Run { header: arguments.header(plans), between: arguments.between(), ..Run::default() };
    if plans.iter().all(|plan| plan.played().next().is_none()) {
        arguments.sources.complain_of_nothing(plans);
        run.outcomes.extend(plans.iter().flat_map(|plan| &plan.variants).filter_map(Planned::unplayed));
        return finish(arguments, reports, &run, exit_code::NOTHING_SELECTED);
    }
    arguments.sources.remark_idle_globs(plans);
    let interrupt = match Interrupt::on_signals() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            complain(&format_args!("cannot watch for signals: {error}"));
            return exit_code::NO_JUDGEMENT;
        }
    };
    if let Some(warning) = &run.header.warning {
        remark(&format_args!("WARNING {warning}"));
    }
    let mut progress = Progress::new(plans.iter().map(|plan| plan.played().count()).sum());
    for plan in plans {
        if arguments.verbose && plan.played().next().is_some() {
            remark(&format_args!(
                "{}: {} variants, {} of them to be played",
                plan.profile.name,
                plan.variants.len(),
                plan.played().count()
            ));
        }
        let mut listener = |outcome: Outcome| {
            progress.decided(&outcome);
            run.outcomes.push(outcome);
        };
        if let Some(network) = network {
            let (log, trouble) = play_network(arguments, network, plan, conditions, &interrupt, &mut listener);
            run.log = log.map(|path| path.display().to_string());
            run.trouble = run.trouble.or(trouble);
        } else {
            let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
            run_embedded(plan, conditions, arguments.jobs.unwrap_or(processors), &interrupt, &mut listener);
            if interrupt.is_raised() {
                run.trouble = Some("the run was interrupted".to_owned());
            }
        }
    }
    progress.finish();
    run.sort(plans.iter().flat_map(|plan| &plan.variants).map(|planned| planned.variant.name.as_str()));
    let code = match &run.trouble {
        Some(trouble) => {
            complain(trouble);
            exit_code::NO_JUDGEMENT
        }
        None => run.summary().exit_code(),
    };
    finish(arguments, reports, &run, code)
}

fn play_network(
    arguments: &Arguments,
    target: &NetworkTarget,
    plan: &Plan,
    conditions: &Conditions,
    interrupt: &Interrupt,
    listener: &mut dyn FnMut(Outcome),
) -> (Option<PathBuf>, Option<String>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return (None, Some(format!("cannot build a runtime: {error}"))),
    };
    let jobs = arguments.jobs.or(NonZeroUsize::new(JOBS)).unwrap_or(NonZeroUsize::MIN);
    let mut listener = listener;
    let (log, result) = runtime.block_on(run_network(target, plan, conditions, jobs, interrupt, &mut listener));
    (log, result.err().map(|error| error.to_string()))
}

/// Writes the reports, whatever happened, and ends with `code`.
fn finish(arguments: &Arguments, reports: &Reports, run: &Run, code: u8) -> u8 {
    let mut code = code;
    let mut keep = |option: &str, file: &Option<ReportFile>, content: Result<Vec<u8>, String>| {
        let Some(file) = file else { return };
        let written = content.and_then(|bytes| file.write(&bytes).map_err(|error| error.to_string()));
        if let Err(error) = written {
            complain(&format_args!("cannot write the report of {option}: {error}"));
            code = exit_code::NO_JUDGEMENT;
        }
    };
    keep("--json", &reports.json, json(run).map_err(|error| error.to_string()));
    keep("--junit", &reports.junit, junit(run).map_err(|error| error.to_string()));
    let detail = if arguments.verbose { Detail::Verbose } else { Detail::Quiet };
    if let Err(error) = print(|out| terminal(run, detail, out)) {
        complain(&format_args!("cannot write to stdout: {error}"));
        code = exit_code::NO_JUDGEMENT;
    }
    code
}
