//! `mqttspec brokers`: brokers that others wrote, installed from their registries and put to the test.

use crate::output::{complain, print, print_and_end, remark};
use crate::sources::{Told, load};
use clap::Args;
use harness::case::Library;
use harness::exit_code;
use harness::recipe::{Book, Part, Recipe, Shelf};
use harness::report::{Detail, Header, Product, Progress, ReportFile, Run, json, read_report, survey, terminal};
use harness::run::{
    Conditions, Fate, Interrupt, Known, NetworkTarget, Outcome, Pattern, Plan, Planned, Selection, Summary,
    VerdictKind, run_network, stale,
};
use harness::target::{Address, Route, Scheme, StartCommand};
use model::device::Transport;
use model::packet::ProtocolVersion;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// How many variants share a broker by default, as in `run`.
const JOBS: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not 0");

pub(crate) const EXAMPLES: &str = "\
Examples:
  mqttspec brokers                          which brokers there are recipes for
  mqttspec brokers mosquitto                installs it into the cache folder, and plays the standard cases against it
  mqttspec brokers --all --system           all of them; Debian's come through apt-get, for the whole machine
  mqttspec brokers aedes --scripts          the shell scripts that install and start it, to read or to run yourself
  mqttspec brokers aedes --run '**/will/**' --times 5
  mqttspec brokers --document docs/brokers.md   what the reports of former runs say, as a page

A recipe is a file harness/brokers/NAME.yaml, with the list of known failures NAME.known-failing beside it. Reports are kept
in the cache folder, and listeners are on 127.0.0.1 only. Exit codes are those of `run`.";

/// Arguments of `mqttspec brokers`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which brokers; without a name, what there is
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// All brokers that there are recipes for
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Let apt-get install what they need of the system (for the whole machine, as root)
    #[arg(long)]
    system: bool,
    /// Install, and play nothing
    #[arg(long)]
    install: bool,
    /// Print the shell scripts that install and start them, and do nothing
    #[arg(long, conflicts_with = "install")]
    scripts: bool,
    /// Play so often, and find out whether verdicts stay the same
    #[arg(long, value_name = "N", default_value = "1")]
    times: NonZeroUsize,
    /// Only variants that match; `*` is one part of a name, `**` any number (repeatable)
    #[arg(long = "run", value_name = "GLOB")]
    run: Vec<Pattern>,
    /// Not the variants that match (repeatable)
    #[arg(long, value_name = "GLOB")]
    skip: Vec<Pattern>,
    /// Only this protocol version: 3.1, 3.1.1 or 5.0 (repeatable)
    #[arg(long, value_name = "VERSION")]
    mqtt: Vec<ProtocolVersion>,
    /// Write down in this file (Markdown) what the reports say that are kept, in the end
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// Where brokers are installed and reports are kept [default: mqttspec in the user's cache folder]
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// Recipes from this folder instead of those that come with mqttspec
    #[arg(long, value_name = "FOLDER")]
    recipes: Option<PathBuf>,
    /// A line for each variant that is selected
    #[arg(short, long)]
    verbose: bool,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let Ok((shelf, book)) = prepare(arguments) else {
        return exit_code::USAGE;
    };
    let Ok(recipes) = chosen(arguments, &book) else {
        return exit_code::USAGE;
    };
    if recipes.is_empty() {
        return match &arguments.document {
            Some(path) => document(path, &book, &shelf),
            None => list(&book, &shelf),
        };
    }
    if arguments.scripts {
        return print_scripts(&recipes, &shelf);
    }
    for recipe in &recipes {
        if let Err(error) = shelf.install(recipe, arguments.system) {
            complain(&error);
            return exit_code::NO_JUDGEMENT;
        }
    }
    if arguments.install {
        return exit_code::AS_EXPECTED;
    }
    let Ok(library) = load(&[]) else {
        return exit_code::USAGE;
    };
    let code = play_all(arguments, &recipes, &shelf, &library);
    let documented = arguments.document.as_deref().map_or(exit_code::AS_EXPECTED, |path| document(path, &book, &shelf));
    code.max(documented)
}

/// Writes down what the reports say that are kept.
fn document(path: &Path, book: &Book, shelf: &Shelf) -> u8 {
    let mut reports = Vec::new();
    for recipe in &book.recipes {
        let report = shelf.report(recipe);
        let Ok(text) = std::fs::read_to_string(&report) else {
            remark(&format_args!("{}: there is no report in {}", recipe.name, report.display()));
            continue;
        };
        match read_report(&text) {
            Ok(report) => reports.push(report),
            Err(error) => {
                complain(&format_args!("{}: it is no report: {error}", report.display()));
                return exit_code::USAGE;
            }
        }
    }
    if reports.is_empty() {
        complain(&"there are no reports yet: run `mqttspec brokers NAME` first");
        return exit_code::NOTHING_SELECTED;
    }
    match ReportFile::at(path).and_then(|file| file.write(survey(&reports).as_bytes())) {
        Ok(()) => exit_code::AS_EXPECTED,
        Err(error) => {
            complain(&format_args!("cannot write {}: {error}", path.display()));
            exit_code::NO_JUDGEMENT
        }
    }
}

fn prepare(arguments: &Arguments) -> Result<(Shelf, Book), Told> {
    let shelf = arguments.cache.as_deref().map_or_else(Shelf::of_user, Shelf::at).map_err(|error| {
        complain(&error);
        Told
    })?;
    let book = arguments.recipes.as_deref().map_or_else(Book::embedded, Book::from_folder).map_err(|errors| {
        errors.iter().for_each(|error| complain(error));
        Told
    })?;
    Ok((shelf, book))
}

fn chosen<'a>(arguments: &Arguments, book: &'a Book) -> Result<Vec<&'a Recipe>, Told> {
    if arguments.all {
        return Ok(book.recipes.iter().collect());
    }
    let find = |name: &String| {
        book.find(name).ok_or_else(|| {
            let known: Vec<&str> = book.recipes.iter().map(|recipe| recipe.name.as_str()).collect();
            complain(&format_args!("there is no recipe for `{name}`: there are {}", known.join(", ")));
            Told
        })
    };
    arguments.names.iter().map(find).collect()
}

fn list(book: &Book, shelf: &Shelf) -> u8 {
    print_and_end(exit_code::AS_EXPECTED, |out| {
        for recipe in &book.recipes {
            let Recipe { name, version, registry, about, cost, .. } = recipe;
            let versions: Vec<&str> = recipe.profile.versions.iter().map(|version| version.number()).collect();
            let there = if shelf.has(recipe) { "installed".to_owned() } else { format!("costs {cost}") };
            writeln!(out, "{name:<12} {version:<8} {registry:<10} MQTT {:<16} {there}", versions.join(", "))?;
            writeln!(out, "             {about}")?;
        }
        Ok(())
    })
}

fn print_scripts(recipes: &[&Recipe], shelf: &Shelf) -> u8 {
    print_and_end(exit_code::AS_EXPECTED, |out| {
        for recipe in recipes {
            if !recipe.needs.is_empty() {
                let packages: BTreeSet<&str> = recipe.needs.values().map(String::as_str).collect();
                let packages: Vec<&str> = packages.into_iter().collect();
                writeln!(out, "# Debian packages: {}\n", packages.join(" "))?;
            }
            if let Some(script) = shelf.install_script(recipe) {
                writeln!(out, "{script}")?;
            }
            for part in &recipe.parts {
                writeln!(out, "{}", shelf.start_script(recipe, part))?;
            }
        }
        Ok(())
    })
}

fn play_all(arguments: &Arguments, recipes: &[&Recipe], shelf: &Shelf, library: &Library) -> u8 {
    let interrupt = match Interrupt::on_signals() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            complain(&format_args!("cannot watch for signals: {error}"));
            return exit_code::NO_JUDGEMENT;
        }
    };
    let mut total = Summary::default();
    let mut code = exit_code::AS_EXPECTED;
    for recipe in recipes {
        let plan = plan(arguments, recipe, library);
        let stale = stale(std::slice::from_ref(&plan), &recipe.known_failing);
        if !stale.is_empty() {
            stale.iter().for_each(|error| complain(error));
            return exit_code::USAGE;
        }
        if plan.played().next().is_none() {
            remark(&format_args!("{}: nothing is selected", recipe.name));
            continue;
        }
        match play_times(arguments, recipe, shelf, &plan, &interrupt) {
            Ok((run, more)) => {
                run.outcomes.iter().for_each(|outcome| total.count(outcome.verdict.kind()));
                code = code.max(more);
            }
            Err(Told) => return exit_code::NO_JUDGEMENT,
        }
        if interrupt.is_raised() {
            break;
        }
    }
    if total == Summary::default() {
        return exit_code::NOTHING_SELECTED;
    }
    let last_line = if recipes.len() > 1 { print(|out| writeln!(out, "{total}")) } else { Ok(()) };
    match last_line {
        Ok(()) => code,
        Err(error) => {
            complain(&format_args!("cannot write to stdout: {error}"));
            exit_code::NO_JUDGEMENT
        }
    }
}

fn plan(arguments: &Arguments, recipe: &Recipe, library: &Library) -> Plan {
    let selection = Selection {
        run: arguments.run.clone(),
        skip: arguments.skip.clone(),
        versions: arguments.mqtt.iter().copied().collect(),
        foreign: false,
    };
    let mut plan = Plan::new(library, Arc::clone(&recipe.profile), &selection, &recipe.known_failing);
    for planned in plan.variants.iter_mut().filter(|planned| matches!(planned.fate, Fate::Play(_))) {
        let mut left = recipe.not_played.iter();
        if let Some((_, why)) = left.find(|(pattern, _)| pattern.matches(&planned.variant.name)) {
            planned.fate = Fate::NotSelected(why.clone());
        }
    }
    plan.carried_by(Scheme::Mqtt)
}

/// Plays a broker as often as asked for; the last run is kept. Verdicts that differ are our fault, or the machine's, unless
/// the list says that the broker races there.
fn play_times(
    arguments: &Arguments,
    recipe: &Recipe,
    shelf: &Shelf,
    plan: &Plan,
    interrupt: &Interrupt,
) -> Result<(Run, u8), Told> {
    let is_racing =
        |name: &str| recipe.known_failing.find(name).is_some_and(|entry| entry.known == Known::FailsAtTimes);
    let mut first: Option<BTreeMap<String, VerdictKind>> = None;
    let mut code = exit_code::AS_EXPECTED;
    let mut last = None;
    for time in 1..=arguments.times.get() {
        let run = play(recipe, shelf, plan, interrupt)?;
        let (name, version, registry) = (&recipe.name, &recipe.version, &recipe.registry);
        let detail = if arguments.verbose { Detail::Verbose } else { Detail::Quiet };
        let printed = print(|out| {
            let seconds = run.elapsed.unwrap_or_default().as_secs_f64();
            writeln!(out, "{name} {version} ({registry}), run {time}, {seconds:.1} s")?;
            terminal(&run, detail, out)
        });
        if let Err(error) = printed {
            complain(&format_args!("cannot write to stdout: {error}"));
            return Err(Told);
        }
        code = code.max(match &run.trouble {
            Some(trouble) => {
                complain(trouble);
                exit_code::NO_JUDGEMENT
            }
            None => run.summary().exit_code(),
        });
        let verdicts: BTreeMap<String, VerdictKind> =
            run.outcomes.iter().map(|outcome| (outcome.variant.name.clone(), outcome.verdict.kind())).collect();
        for (name, verdict) in verdicts.iter().filter(|(name, _)| !is_racing(name)) {
            if let Some(before) = first.as_ref().and_then(|first| first.get(name)).filter(|before| *before != verdict) {
                complain(&format_args!("{name}: {before} in run 1, {verdict} in run {time}"));
                code = exit_code::NO_JUDGEMENT;
            }
        }
        first.get_or_insert(verdicts);
        last = Some(run);
        if interrupt.is_raised() {
            break;
        }
    }
    last.map(|run| (run, code)).ok_or(Told)
}

/// Plays a broker once, each part of the cases against a start of its own, and keeps the report.
fn play(recipe: &Recipe, shelf: &Shelf, plan: &Plan, interrupt: &Interrupt) -> Result<Run, Told> {
    let report = report_file(recipe, shelf)?;
    let began = Instant::now();
    let mut run = Run { header: header(recipe), ..Run::default() };
    let mut progress = Progress::new(plan.played().count());
    for part in &recipe.parts {
        let part_plan = part_of(plan, part);
        if part_plan.variants.is_empty() {
            continue;
        }
        let (start, _) = shelf.lay_out(recipe, part).map_err(|error| {
            complain(&error);
            Told
        })?;
        let start = crate::target::quote(&start.display().to_string());
        let start = StartCommand::parse(&format!("sh {start} {{port}}")).map_err(|error| {
            complain(&error);
            Told
        })?;
        let address = Address::loopback(Scheme::Mqtt, Scheme::Mqtt.default_port());
        let target = NetworkTarget {
            route: Route::plain(address),
            free_port: true,
            start: Some(start),
            devices: None,
            ready_within: recipe.ready_within,
            transport: Transport::Plain,
        };
        let mut listener = |outcome: Outcome| {
            progress.decided(&outcome);
            run.outcomes.push(outcome);
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
            complain(&format_args!("cannot build a runtime: {error}"));
            Told
        })?;
        let conditions = Conditions::default();
        let jobs = part.jobs.or(recipe.jobs).unwrap_or(JOBS);
        let played = run_network(&target, &part_plan, &conditions, jobs, interrupt, &mut listener);
        let (log, result) = runtime.block_on(played);
        run.log = log.map(|path| path.display().to_string()).or(run.log);
        run.trouble = run.trouble.or(result.err().map(|error| format!("{}: {error}", recipe.name)));
    }
    progress.finish();
    run.elapsed = Some(began.elapsed());
    run.outcomes.extend(plan.variants.iter().filter_map(Planned::unplayed));
    run.sort(plan.variants.iter().map(|planned| planned.variant.name.as_str()));
    let written = json(&run).map_err(|error| error.to_string());
    let written = written.and_then(|bytes| report.write(&bytes).map_err(|error| error.to_string()));
    if let Err(error) = written {
        complain(&format_args!("cannot write the report of {}: {error}", recipe.name));
        return Err(Told);
    }
    Ok(run)
}

/// The variants of a plan that are played in a part.
fn part_of(plan: &Plan, part: &Part) -> Plan {
    let is_in = |planned: &&Planned| {
        let variant = &planned.variant;
        matches!(planned.fate, Fate::Play(_)) && part.includes(&variant.name, variant.version)
    };
    Plan { profile: Arc::clone(&plan.profile), variants: plan.variants.iter().filter(is_in).cloned().collect() }
}

fn report_file(recipe: &Recipe, shelf: &Shelf) -> Result<ReportFile, Told> {
    let path = shelf.report(recipe);
    let folder = path.parent().unwrap_or(&path);
    let file = std::fs::create_dir_all(folder).and_then(|()| ReportFile::at(&path));
    file.map_err(|error| {
        complain(&format_args!("cannot write a report to {}: {error}", path.display()));
        Told
    })
}

fn header(recipe: &Recipe) -> Header {
    let product = Product {
        name: recipe.name.clone(),
        version: recipe.version.clone(),
        registry: recipe.registry.clone(),
        home: recipe.home.clone(),
        about: recipe.about.clone(),
    };
    Header {
        target: format!("{} {}", recipe.name, recipe.version),
        profiles: vec![recipe.profile.name.clone()],
        rerun: format!("mqttspec brokers {}", recipe.name),
        product: Some(product),
        ..Header::default()
    }
}
