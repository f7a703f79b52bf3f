//! `mqttspec faults`: names the misbehaviours that `run --fault` can make, and the transforms of `run --transform`.

use crate::output::{complain, print_and_end};
use clap::Args;
use harness::exit_code;
use harness::fault::{Fault, TRANSFORMS};

/// Arguments of `mqttspec faults`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mqttspec faults                                    all of them, by theme
  mqttspec faults puback-twice                       one of them
  mqttspec run --fault puback-twice                  what it does to the reference broker
  mqttspec run mqtt://localhost --fault puback-twice --run '**/qos1/**'")]
pub(crate) struct Arguments {
    /// Only the fault of this name
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    if let Some(name) = &arguments.name
        && let Err(error) = Fault::named(name)
    {
        complain(&error);
        return exit_code::USAGE;
    }
    let is_wanted = |fault: Fault| arguments.name.as_deref().is_none_or(|name| name == fault.name());
    print_and_end(exit_code::AS_EXPECTED, |out| {
        let mut last = "";
        for (theme, fault) in Fault::all().filter(|(_, fault)| is_wanted(*fault)) {
            if theme != last {
                last = theme;
                writeln!(out, "{theme}")?;
            }
            writeln!(out, "  {}", fault.name())?;
            writeln!(out, "      {}", fault.about())?;
            writeln!(out, "      breaks {}", fault.breaks().join(", "))?;
        }
        if arguments.name.is_none() {
            writeln!(out, "transforms, which break nothing")?;
            for transform in TRANSFORMS {
                writeln!(out, "  {}", transform.name)?;
                writeln!(out, "      {}", transform.about)?;
            }
        }
        Ok(())
    })
}
