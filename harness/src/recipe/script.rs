//! The shell scripts that a recipe becomes.

use super::data::{Part, Recipe};
use std::fmt::Write as _;
use std::path::Path;

/// Ends a file inside a script: no configuration has such a line.
const END: &str = "END_OF_THE_FILE";

/// Where Debian keeps servers, which not everybody's PATH names.
const PATHS: &str = "export PATH=\"$PATH:/usr/local/sbin:/usr/sbin:/sbin\"";

/// The script that installs a broker into `folder`.
pub(super) fn install(recipe: &Recipe, folder: &Path) -> Option<String> {
    let commands = recipe.install.as_ref()?;
    let installed = quoted(folder);
    Some(format!(
        "#!/bin/sh\n# Installs {} {} from {}. Written by `mqttspec brokers`.\nset -eu\n{PATHS}\ninstalled={installed}\n\
         mkdir -p \"$installed\"\ncd \"$installed\"\n{}\n",
        recipe.name,
        recipe.version,
        recipe.registry,
        with_variables(commands.trim_end()),
    ))
}

/// The script that starts a broker that was installed in `folder`; the port is its argument.
pub(super) fn start(recipe: &Recipe, part: &Part, folder: &Path) -> String {
    let mut script = format!(
        "#!/bin/sh\n# Starts {} {} on a port of 127.0.0.1: start PORT. Written by `mqttspec brokers`.\nset -eu\n{PATHS}\n\
         port=${{1:?write: start PORT}}\ninstalled={}\n",
        recipe.name,
        recipe.version,
        quoted(folder),
    );
    // Each start finds an empty folder. Those of former ports are swept up when nobody can be in them any more.
    script.push_str(
        "folder=$installed/run/$port\nrm -rf \"$folder\"\nmkdir -p \"$folder\"\ncd \"$folder\"\n\
         find \"$installed/run\" -mindepth 1 -maxdepth 1 -mtime +1 -exec rm -rf {} +\n",
    );
    let files = recipe.files.iter().filter(|(name, _)| !part.files.contains_key(*name)).chain(&part.files);
    for (name, text) in files {
        if let Some((subfolder, _)) = name.rsplit_once('/') {
            // Writing into a String cannot fail.
            let _ = writeln!(script, "mkdir -p {subfolder}");
        }
        let _ = writeln!(script, "cat > {name} <<{END}\n{}\n{END}", with_variables(&escaped(text.trim_end())));
    }
    script.push_str(with_variables(recipe.start.trim_end()).as_str());
    script.push('\n');
    script
}

/// `{port}`, `{folder}` and `{installed}` as the variables of the script.
fn with_variables(text: &str) -> String {
    text.replace("{port}", "${port}").replace("{folder}", "${folder}").replace("{installed}", "${installed}")
}

/// What a shell would look into inside a file stays as it is.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('`', "\\`")
}

fn quoted(folder: &Path) -> String {
    let shown = folder.display().to_string();
    // A path with a null character cannot be given to any program.
    shlex::try_quote(&shown).map_or_else(|_| shown.clone(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::super::data::{Part, Recipe};
    use super::start;
    use crate::run::KnownFailing;
    use std::path::Path;
    use std::process::Command;

    const RECIPE: &str = r#"
about: A broker that prints its configuration.
version: "1"
registry: nowhere
home: https://broker.example
cost: nothing
files:
  etc/broker.conf: |
    port {port} in {folder} costs $5, `date` \ too
    {erlang, [{tuple}]}
start: exec cat etc/broker.conf
"#;

    #[test]
    fn a_configuration_arrives_as_it_was_written() {
        let recipe = Recipe::parse("x.yaml", "x", RECIPE, KnownFailing::default()).expect("it is in order");
        let folder = std::env::temp_dir().join(format!("mqttspec recipe {}", std::process::id()));
        let script = start(&recipe, &Part::default(), Path::new(&folder));
        let output = Command::new("sh").args(["-c", &script, "sh", "1883"]).output().expect("there is a shell");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let run = folder.join("run/1883");
        assert_eq!(
            text,
            format!("port 1883 in {} costs $5, `date` \\ too\n{{erlang, [{{tuple}}]}}\n", run.display()),
            "{output:?}"
        );
        std::fs::remove_dir_all(&folder).expect("the folder is ours");
    }

    #[test]
    fn a_recipe_that_is_none_is_told_with_its_place() {
        let wrong = RECIPE.replace("start:", "begin:");
        let error = Recipe::parse("x.yaml", "x", &wrong, KnownFailing::default()).expect_err("`begin` is unknown");
        assert!(error.to_string().starts_with("x.yaml: unknown field `begin`"), "{error}");
        let wrong = format!("{RECIPE}profile: {{features: {{flying: true}}}}\n");
        let error = Recipe::parse("x.yaml", "x", &wrong, KnownFailing::default()).expect_err("nothing flies");
        assert!(error.to_string().contains("the profile in x.yaml"), "{error}");
    }
}
