//! `mqttspec list`: names what `run` would play.

use crate::output::print_and_end;
use crate::sources::Sources;
use clap::Args;
use harness::exit_code;
use harness::run::{Fate, KnownFailing};

/// Arguments of `mqttspec list`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sources: Sources,
    /// Also what does not apply, and why
    #[arg(short, long)]
    verbose: bool,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let sources = &arguments.sources;
    let loaded = sources.library().and_then(|library| Ok((library, sources.profiles(None)?)));
    let Ok((library, profiles)) = loaded else {
        return exit_code::USAGE;
    };
    let plans = sources.plans(&library, &profiles, &KnownFailing::default());
    if plans.iter().all(|plan| plan.played().next().is_none()) && !arguments.verbose {
        sources.complain_of_nothing(&plans);
        return exit_code::NOTHING_SELECTED;
    }
    sources.remark_idle_globs(&plans);
    print_and_end(exit_code::AS_EXPECTED, |out| {
        for planned in plans.iter().flat_map(|plan| &plan.variants) {
            let name = &planned.variant.name;
            match &planned.fate {
                Fate::Play(_) => writeln!(out, "{name}")?,
                Fate::NotApplicable(why) if arguments.verbose => writeln!(out, "{name}  # not applicable: {why}")?,
                Fate::NotApplicable(_) | Fate::NotSelected(_) => {}
            }
        }
        Ok(())
    })
}
