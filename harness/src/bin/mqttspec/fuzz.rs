//! `mqttspec fuzz`: random clients against a broker, judged by the model.

use crate::output::{complain, print, remark};
use crate::run::known_failing;
use crate::sources::{Told, profile};
use crate::target::{TargetOptions, duration, quote};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use harness::exit_code;
use harness::fuzz::{
    Avoided, CONFIRMATIONS, Campaign, Client, Finding, Ground, Host, Network, Report, Target, Terrain, names_of,
};
use harness::report::{Detail, Header, Run, chart, terminal, whole_chart};
use harness::run::{Interrupt, KnownFailing, NetworkTarget, RunError};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::packet::ProtocolVersion;
use model::profile::Feature;
use reference_broker::Switch;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How many walks go on side by side with a broker in a network: each waits for answers most of the time.
const JOBS: usize = 32;

/// How many clients a walk has.
const CLIENTS: usize = 3;

/// How many commands a walk has.
const LENGTH: usize = 60;

pub(crate) const EXAMPLES: &str = "\
Examples:
  mqttspec fuzz                                         the reference broker, a minute long
  mqttspec fuzz --time 60s --start 'mosquitto -p {port}' --profile standard
  mqttspec fuzz --seed 4711 --runs 1                    the walk of this seed again
  mqttspec fuzz --profile platform                      devices and the cloud side take part
  mqttspec fuzz --fault retained-not-deleted            what it finds when something is wrong
  mqttspec run mqttspec-findings                        what was found, played again

What is found is shortened against the same broker, printed, and saved as a case. That takes as long as --time at most, and
no more than a minute.

What is known already, a list of --known-failing names: a line `RULE/STATEMENT/mqtt:VERSION  # reason` each, in which `*` is
one part and `**` any number. All statements of a finding must be known. With `/after:WHAT` behind it, where WHAT is one that
--avoid has too, a line speaks of walks alone that have done that before.

Exit codes:
  0  nothing was found
  1  something was
  2  wrong command line, profile or list
  3  the target is unreachable or stopped answering, the walks were interrupted, or mqttspec failed";

/// Arguments of `mqttspec fuzz`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: TargetOptions,
    /// The dialect: a built-in profile (standard, platform, platform-2026) or a profile file [default: standard, or the one in
    /// which the fault shows]
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,
    /// How long walks go on; and how long a finding is shortened, if it is less than a minute
    #[arg(long, value_name = "SECONDS", default_value = "60", allow_hyphen_values = true, value_parser = duration)]
    time: Duration,
    /// How many walks there are at most
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true)]
    runs: u64,
    /// The seed of the first walk [default: from the clock; it is printed]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many clients each walk has
    #[arg(long, value_name = "1..4", default_value_t = CLIENTS, value_parser = clients)]
    clients: usize,
    /// How many commands each walk has
    #[arg(long, value_name = "N", default_value_t = LENGTH, value_parser = length)]
    length: usize,
    /// Have the embedded broker misbehave in this way; `list` names the ways
    #[arg(long, value_name = "NAME", conflicts_with = "start")]
    fault: Option<String>,
    /// Leave this alone: where much is known to be wrong, the rest stands behind it (repeatable)
    #[arg(long, value_name = "WHAT", value_parser = avoided())]
    avoid: Vec<Avoided>,
    /// What is known to be wrong: a line `RULE/STATEMENT/mqtt:VERSION  # reason` each (repeatable)
    #[arg(long, value_name = "FILE")]
    known_failing: Vec<PathBuf>,
    /// The folder in which findings are saved; nothing there is overwritten
    #[arg(long, value_name = "FOLDER", default_value = "mqttspec-findings")]
    save: PathBuf,
    /// How many walks go on side by side [default: 32; embedded: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

impl Arguments {
    /// The dialect: where a fault is looked for, that in which it shows.
    fn profile_for(&self, switch: Option<Switch>) -> &str {
        self.profile.as_deref().unwrap_or(switch.map_or("standard", Switch::profile))
    }

    /// The arguments that say how a walk goes, as far as they are not the usual ones.
    fn terrain(&self) -> String {
        let mut said = String::new();
        if self.clients != CLIENTS {
            said += &format!(" --clients {}", self.clients);
        }
        if self.length != LENGTH {
            said += &format!(" --length {}", self.length);
        }
        self.avoid.iter().for_each(|avoided| said += &format!(" --avoid {avoided}"));
        said
    }
}

fn avoided() -> impl TypedValueParser<Value = Avoided> {
    PossibleValuesParser::new(Avoided::ALL.map(Avoided::name))
        .map(|name| Avoided::named(&name).expect("clap lets only these names through"))
}

fn clients(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=Client::MOST).contains(count));
    count.ok_or_else(|| format!("`{text}` is no number of clients from 1 to {}", Client::MOST))
}

fn length(text: &str) -> Result<usize, String> {
    let length = text.parse().ok().filter(|length| (1..=10_000).contains(length));
    length.ok_or_else(|| format!("`{text}` is no number of commands from 1 to 10000"))
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    if arguments.fault.as_deref() == Some("list") {
        return list_faults();
    }
    match prepare(arguments) {
        Ok(prepared) => walk(arguments, prepared),
        Err(Told) => exit_code::USAGE,
    }
}

fn list_faults() -> u8 {
    crate::output::print_and_end(exit_code::AS_EXPECTED, |out| {
        Switch::ALL.iter().try_for_each(|switch| writeln!(out, "{:32} {}", switch.name(), switch.about()))
    })
}

/// All that can be wrong before the first walk is found out here.
struct Prepared {
    terrain: Terrain,
    switch: Option<Switch>,
    known: KnownFailing,
    seed: u64,
    /// None for the embedded broker.
    network: Option<NetworkTarget>,
}

fn prepare(arguments: &Arguments) -> Result<Prepared, Told> {
    arguments.target.check()?;
    if let Some(file) = arguments.target.files().next() {
        complain(&format_args!("{} is no target: cases are played with `mqttspec run`", file.display()));
        return Err(Told);
    }
    if arguments.fault.is_some() && arguments.target.is_network() {
        complain(&"--fault is for the embedded broker: leave the URL out");
        return Err(Told);
    }
    let ground = if arguments.target.is_network() { Ground::Network } else { Ground::Embedded };
    let switch = arguments.fault.as_deref().map(named).transpose()?;
    let profile = profile(arguments.profile_for(switch))?;
    let credentials = arguments.target.credentials()?;
    let terrain = Terrain {
        clients: arguments.clients,
        length: arguments.length,
        credentials,
        avoided: arguments.avoid.iter().copied().collect(),
        ..Terrain::of(&profile, ground)
    };
    if let Some(switch) = switch.filter(|switch| switch.needs_devices() || switch.needs_cloud())
        && !profile.has(Feature::DeviceLogin)
    {
        let (fault, dialect) = (switch.name(), &profile.name);
        complain(&format_args!("walks cannot show `{fault}`: {dialect} has no devices; leave --profile out"));
        return Err(Told);
    }
    let known = known_failing(&arguments.known_failing)?;
    let network = arguments.target.is_network().then(|| arguments.target.network()).transpose()?;
    Ok(Prepared { terrain, switch, known, network, seed: arguments.seed.unwrap_or_else(seed_of_the_clock) })
}

fn named(fault: &str) -> Result<Switch, Told> {
    Switch::named(fault).ok_or_else(|| {
        complain(&format_args!("there is no fault `{fault}`: `mqttspec fuzz --fault list` names them"));
        Told
    })
}

/// Six digits: short enough to be typed.
fn seed_of_the_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::from(now.subsec_micros()) ^ (now.as_secs() % 1_000_000)
}

fn walk(arguments: &Arguments, prepared: Prepared) -> u8 {
    let Prepared { terrain, switch, known, seed, network } = prepared;
    if let Some(warning) = arguments.target.warning() {
        remark(&format_args!("WARNING {warning}"));
    }
    let interrupt = match Interrupt::on_signals() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            complain(&format_args!("cannot watch for signals: {error}"));
            return exit_code::NO_JUDGEMENT;
        }
    };
    let host = match host(network.as_ref(), &terrain) {
        Ok(host) => host,
        Err(error) => {
            complain(&error);
            return exit_code::NO_JUDGEMENT;
        }
    };
    let target = match (&host, switch) {
        (Some(host), _) => Target::Network(Network::at(host.route().clone())),
        (None, Some(switch)) => Target::Misbehaving(switch),
        (None, None) => Target::Embedded,
    };
    let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let usual = if host.is_some() { NonZeroUsize::new(JOBS).unwrap_or(NonZeroUsize::MIN) } else { processors };
    let campaign = Campaign {
        terrain,
        target,
        seed,
        most_walks: arguments.runs,
        time: arguments.time,
        jobs: arguments.jobs.unwrap_or(usual),
        known,
    };
    remark(&format_args!("seed {seed}"));
    let bar = bar();
    let report = campaign.run(&interrupt, &mut |walks| bar.set_message(format!("{walks} walks")));
    bar.finish_and_clear();
    let failed = report.finding.is_some() || report.trouble.is_some();
    let log = host.and_then(|host| host.stop(failed));
    tell(arguments, &campaign, &report, log.as_deref())
}

fn host(network: Option<&NetworkTarget>, terrain: &Terrain) -> Result<Option<Host>, Box<RunError>> {
    let Some(network) = network else { return Ok(None) };
    let versions: Vec<ProtocolVersion> = terrain.profile.versions.iter().rev().copied().collect();
    Host::find(network, &versions, &terrain.credentials, Duration::from_secs(5)).map(Some)
}

/// What shows that walks go on, where somebody looks.
fn bar() -> ProgressBar {
    let is_seen = io::stderr().is_terminal();
    let target = if is_seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{elapsed} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Tells what came of it, and ends with the code for it.
fn tell(arguments: &Arguments, campaign: &Campaign, report: &Report, log: Option<&Path>) -> u8 {
    let mut code = if report.finding.is_some() { exit_code::NOT_AS_EXPECTED } else { exit_code::AS_EXPECTED };
    let saved = report.finding.as_deref().and_then(|finding| match save(&arguments.save, finding) {
        Ok(path) => Some(path),
        Err(error) => {
            complain(&format_args!("cannot save the finding in {}: {error}", arguments.save.display()));
            code = exit_code::NO_JUDGEMENT;
            None
        }
    });
    if let Some(trouble) = &report.trouble {
        complain(trouble);
        code = exit_code::NO_JUDGEMENT;
    }
    let printed = print(|out| {
        if let Some(finding) = &report.finding {
            tell_finding(arguments, finding, saved.as_deref(), out)?;
        }
        if let Some(log) = log {
            writeln!(out, "the output of the started command is in {}\n", log.display())?;
        }
        tell_counts(campaign, report, out)
    });
    if let Err(error) = printed {
        complain(&format_args!("cannot write to stdout: {error}"));
        code = exit_code::NO_JUDGEMENT;
    }
    code
}

fn tell_finding(arguments: &Arguments, finding: &Finding, saved: Option<&Path>, out: &mut dyn Write) -> io::Result<()> {
    let again = arguments.target.again();
    let switch = arguments.fault.as_deref().and_then(Switch::named);
    let fault = arguments.fault.as_ref().map(|fault| format!(" --fault {fault}")).unwrap_or_default();
    let Finding { seed, violation, found_with, shrunk, confirmed, .. } = finding;
    let version = finding.version();
    // What fails as a case is told as one.
    if let Some(outcome) = finding.outcome.as_ref().filter(|_| finding.confirmed > 0) {
        let cases = saved.filter(|_| finding.case_file.is_ok());
        let cases = cases.map(|path| format!(" {}", quote(&path.display().to_string()))).unwrap_or_default();
        let header = Header {
            target: arguments.target.name(),
            rerun: format!("mqttspec run{again}{fault}{cases}"),
            profile_file: Some(quote(arguments.profile_for(switch))),
            ..Header::default()
        };
        let run = Run { header, outcomes: vec![outcome.clone()], ..Run::default() };
        terminal(&run, Detail::Verbose, out)?;
    } else {
        tell_violation(finding, out)?;
        chart(&finding.trace(), version, out)?;
    }
    writeln!(out)?;
    let (profile, terrain) = (arguments.profile_for(switch), arguments.terrain());
    writeln!(out, "found by    mqttspec fuzz{again}{fault} --profile {profile}{terrain} --seed {seed} --runs 1")?;
    let (left, walks) = (shrunk.commands.len(), shrunk.walks);
    writeln!(out, "shortened   from {found_with} commands to {left}, in {walks} walks")?;
    let played = match finding.is_confirmed() {
        true => format!("it failed {CONFIRMATIONS} times of {CONFIRMATIONS}"),
        false => format!("UNCONFIRMED: it failed {confirmed} times of {CONFIRMATIONS}"),
    };
    let reference = match finding.passes_reference {
        true => "the reference broker passes it",
        false => "the reference broker does not pass it",
    };
    match (&finding.case_file, saved) {
        (Ok(_), Some(path)) => writeln!(out, "saved       {}: {played}; {reference}", path.display())?,
        (Ok(_), None) => writeln!(out, "not saved   {played}; {reference}")?,
        (Err(why), Some(path)) => writeln!(out, "no case     {why}; the whole exchange is in {}", path.display())?,
        (Err(why), None) => writeln!(out, "no case     {why}")?,
    }
    writeln!(out, "known as    {}", names_of(violation, version).join(", "))?;
    let behind = Avoided::all_in(&shrunk.commands);
    if !behind.is_empty() {
        let behind: Vec<String> = behind.iter().map(ToString::to_string).collect();
        writeln!(out, "after       {}", behind.join(", "))?;
    }
    writeln!(out)
}

fn tell_counts(campaign: &Campaign, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for (why, count) in &report.known {
        writeln!(out, "known: {count} walks  # {why}")?;
    }
    for (rule, count) in &report.lenient {
        writeln!(out, "lenient: {count} walks against {rule}, which is only recommended")?;
    }
    for (why, count) in &report.inconclusive {
        writeln!(out, "inconclusive: {count} walks  # {why}")?;
    }
    let (walks, seconds) = (report.walks, report.elapsed.as_secs_f64());
    let inconclusive: u64 = report.inconclusive.values().sum();
    let found = if report.finding.is_some() { "1 finding" } else { "nothing found" };
    writeln!(
        out,
        "{found}: {walks} walks of {} with seeds from {}, {} commands, {inconclusive} inconclusive, {seconds:.1} s",
        campaign.terrain.profile.name, campaign.seed, report.commands
    )
}

/// Writes a finding into a file of its own: its case, or its whole exchange if there is none.
fn save(folder: &Path, finding: &Finding) -> io::Result<PathBuf> {
    let (ending, text) = match &finding.case_file {
        Ok(case) => ("yaml", case.clone().into_bytes()),
        Err(_) => {
            let mut text = Vec::new();
            tell_violation(finding, &mut text)?;
            whole_chart(&finding.trace(), finding.version(), &mut text)?;
            ("txt", text)
        }
    };
    std::fs::create_dir_all(folder)?;
    let (rule, seed) = (finding.violation.rule, finding.seed);
    let mut count = 1;
    loop {
        let suffix = if count == 1 { String::new() } else { format!("-{count}") };
        let path = folder.join(format!("{rule}-{seed}{suffix}.{ending}"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => return file.write_all(&text).map(|()| path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => count += 1,
            Err(error) => return Err(error),
        }
    }
}

fn tell_violation(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let violation = &finding.violation;
    let at = Duration::from_millis(violation.at).as_secs_f64();
    writeln!(out, "FOUND against the rule {}: {} (after {at:.3} s)", violation.rule, violation.says)?;
    writeln!(out, "  expected  {}\n  seen      {}", violation.expected, violation.seen)
}
