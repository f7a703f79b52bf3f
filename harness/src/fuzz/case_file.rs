//! A finding as a case file: what was shrunk, in the case language.

use super::device::services;
use super::notation::text;
use crate::case::{AMQP, Library, Suite, Variant, expand};
use model::packet::ProtocolVersion;
use model::profile::{Feature, Profile};
use model::statement::{Side, catalogue};
use std::sync::Arc;

/// What a finding is about.
#[derive(Debug, Clone)]
pub(super) struct Subject<'a> {
    pub(super) profile: &'a Profile,
    pub(super) version: ProtocolVersion,
    pub(super) seed: u64,
    /// The rule that is broken.
    pub(super) rule: &'a str,
    pub(super) statements: &'a [&'static str],
    /// Its clients are devices.
    pub(super) is_of_devices: bool,
    /// WebSocket has to carry it.
    pub(super) has_frames: bool,
}

/// The text of a case file with these steps.
pub(super) fn case_file(subject: &Subject<'_>, steps: &[String]) -> String {
    let Subject { profile, version, seed, rule, .. } = subject;
    let needs: Vec<&str> = match subject.is_of_devices {
        true => services(profile).into_iter().map(Feature::name).collect(),
        false => vec![Feature::PlainLogins.name()],
    };
    let cites: Vec<String> = cites(subject).into_iter().map(text).collect();
    let mut lines = vec![
        format!("# Found by `mqttspec fuzz --profile {} --seed {seed}`, and shortened.", profile.name),
        format!("suite: fuzz/{rule}"),
        "about: What a random walk came upon.".to_owned(),
        "target: broker".to_owned(),
        format!("profiles: [{}]", profile.dialect()),
        String::new(),
        "cases:".to_owned(),
        format!("  - id: seed-{seed}"),
        format!("    about: The judge watches the rule {rule}."),
        format!("    cites: [{}]", cites.join(", ")),
        format!("    mqtt: [\"{}\"]", version.number()),
        format!("    needs: [{}]", needs.join(", ")),
    ];
    // Business servers share what devices publish, and a broadcast comes to all.
    let is_exclusive = |step: &String| step.starts_with(AMQP) || step.contains("PubBroadcast");
    lines.extend(steps.iter().any(is_exclusive).then(|| "    exclusive: true".to_owned()));
    lines.extend(subject.has_frames.then(|| "    transport: ws".to_owned()));
    lines.push("    steps:".to_owned());
    lines.extend(steps.iter().map(|step| format!("      - {step}")));
    lines.push(String::new());
    lines.join("\n")
}

/// The statements that a case for brokers can cite. A rule that stands for none has a case that stands for the beginning of
/// every walk: a valid CONNECT is accepted.
fn cites<'a>(subject: &Subject<'a>) -> Vec<&'a str> {
    let can_be_cited = |id: &&&'static str| {
        catalogue().find(subject.version, id).is_some_and(|statement| {
            statement.role.includes_server() && statement.observable.is_none_or(Side::includes_server)
        })
    };
    let cited: Vec<&str> = subject.statements.iter().filter(can_be_cited).copied().collect();
    let accepted = if subject.version.has_properties() { "MQTT-3.1.4-5" } else { "MQTT-3.1.4-4" };
    if cited.is_empty() { vec![accepted] } else { cited }
}

/// The only variant of a case file.
///
/// # Errors
/// When it is no case file of this profile: what is wrong with it.
pub(super) fn variant(file: &str, text: &str, profile: &Profile) -> Result<Arc<Variant>, String> {
    let suite = Suite::parse(file, text)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let library = Library { suites: vec![suite] };
    let mut variants = expand(&library, profile).into_iter().map(|(variant, _)| variant);
    variants.next().map(Arc::new).ok_or_else(|| format!("{file} has no variant for {}", profile.name))
}
