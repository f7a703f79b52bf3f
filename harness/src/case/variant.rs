//! From cases to what is played: one variant for each row and version.

use super::check::actors;
use super::error::Location;
use super::library::{Case, Library, Script, Suite};
use super::step::{Action, Step};
use super::template::PacketTemplate;
use super::transport::Transport;
use model::packet::ProtocolVersion;
use model::profile::{Feature, Profile};
use model::statement::StatementId;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// One case for one profile, version and row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// `profile/suite/case[/row]/mqtt:version`.
    pub name: String,
    /// The suite: `publish/qos1`.
    pub suite: Arc<str>,
    /// The id of the case in its suite.
    pub case: Arc<str>,
    /// The id of the row, if the case has rows.
    pub row: Option<Arc<str>>,
    /// The name of the profile.
    pub profile: Arc<str>,
    /// The protocol version that the actors speak.
    pub version: ProtocolVersion,
    /// What the case is about, in a sentence.
    pub about: Arc<str>,
    /// The statements of this version that it stands for.
    pub cites: Vec<StatementId>,
    /// What the case needs of the dialect and of the server.
    pub needs: BTreeSet<Feature>,
    /// It is written for dialects of devices: the actors are devices.
    pub is_for_devices: bool,
    /// It must be alone on the broker.
    pub exclusive: bool,
    /// What has to carry the connections.
    pub transport: Option<Transport>,
    /// The script.
    pub steps: Arc<[Step]>,
    /// Where the case stands.
    pub location: Location,
}

/// Whether a variant can be played under a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applicability {
    /// It can.
    Applies,
    /// The case is not about this dialect: the ones that it is written for.
    Foreign(String),
    /// The dialect lacks something that the case needs: what.
    NotApplicable(String),
}

/// All variants of a library under a profile, in the order of suites, cases, rows and versions. Those that do not apply
/// are among them: a report names them, with the reason.
#[must_use]
pub fn expand(library: &Library, profile: &Profile) -> Vec<(Variant, Applicability)> {
    let name: Arc<str> = profile.name.as_str().into();
    let mut variants = Vec::new();
    for suite in &library.suites {
        for case in &suite.cases {
            for script in &case.scripts {
                variants.push((variant(suite, case, script, &name), applicability(case, script, profile)));
            }
        }
    }
    variants
}

impl Variant {
    /// The actors of the script.
    #[must_use]
    pub fn actors(&self) -> BTreeSet<&str> {
        actors(&self.steps)
    }

    /// The devices beside those of actors that the script logs in as, or asks the API about: `unknown`, `disabled`,
    /// `unregistered`.
    #[must_use]
    pub fn strangers(&self) -> BTreeSet<&str> {
        let asked = self.steps.iter().filter_map(|step| match &step.action {
            Action::Ask { template, .. } => template.stranger(),
            _ => None,
        });
        templates(&self.steps).into_iter().filter_map(PacketTemplate::stranger).chain(asked).collect()
    }

    /// What a target must have for the script's logins, beside devices for its actors: some are over TLS, or over TCP.
    #[must_use]
    pub fn transports(&self) -> BTreeSet<model::device::Transport> {
        templates(&self.steps).into_iter().filter_map(PacketTemplate::transport).collect()
    }

    /// About how much time its script lets pass: what it waits for on purpose, and windows to their end.
    #[must_use]
    pub fn idle_time(&self) -> Duration {
        idle_time(&self.steps)
    }

    /// Whether it says more of logins than who logs in: then somebody has to know the devices.
    #[must_use]
    pub fn needs_devices(&self) -> bool {
        templates(&self.steps).into_iter().any(PacketTemplate::needs_devices)
    }

    /// How many steps it has, those in blocks among them.
    #[must_use]
    pub fn length(&self) -> usize {
        length(&self.steps)
    }
}

/// The Keep Alive, in seconds, that idle time is counted by: the script's own is known when it is played.
const SOME_KEEP_ALIVE: u16 = 60;

fn idle_time(steps: &[Step]) -> Duration {
    let of = |step: &Step| match &step.action {
        Action::Elapse(elapse) => elapse.duration(SOME_KEEP_ALIVE),
        Action::Expect { within: Some(window), .. } => window.latest,
        Action::AnyOrder(steps) => idle_time(steps),
        Action::Either(branches) => branches.iter().map(|steps| idle_time(steps)).max().unwrap_or_default(),
        _ => Duration::ZERO,
    };
    steps.iter().map(of).sum()
}

fn length(steps: &[Step]) -> usize {
    let of = |step: &Step| match &step.action {
        Action::AnyOrder(steps) => length(steps),
        Action::Either(branches) => branches.iter().map(|steps| length(steps)).sum(),
        _ => 1,
    };
    steps.iter().map(of).sum()
}

/// All packets that a script sends.
fn templates(steps: &[Step]) -> Vec<&PacketTemplate> {
    let mut all: Vec<&PacketTemplate> = Vec::new();
    for step in steps {
        match &step.action {
            Action::Send { template, .. } => all.push(template),
            Action::AnyOrder(steps) => all.extend(templates(steps)),
            Action::Either(branches) => branches.iter().for_each(|steps| all.extend(templates(steps))),
            _ => {}
        }
    }
    all
}

fn variant(suite: &Suite, case: &Case, script: &Script, profile: &Arc<str>) -> Variant {
    let row = script.row.as_ref().map(|row| format!("/{row}")).unwrap_or_default();
    Variant {
        name: format!("{profile}/{}/{}{row}/mqtt:{}", suite.name, case.id, script.version),
        suite: Arc::clone(&suite.name),
        case: Arc::clone(&case.id),
        row: script.row.clone(),
        profile: Arc::clone(profile),
        version: script.version,
        about: Arc::clone(&case.about),
        cites: script.cites.clone(),
        needs: case.needs.clone(),
        is_for_devices: !case.profiles.contains("standard") && !case.needs.contains(&Feature::PlainLogins),
        exclusive: case.exclusive,
        transport: case.transport,
        steps: Arc::clone(&script.steps),
        location: case.location.clone(),
    }
}

fn applicability(case: &Case, script: &Script, profile: &Profile) -> Applicability {
    if !case.profiles.contains(profile.dialect()) {
        let written_for: Vec<&str> = case.profiles.iter().map(String::as_str).collect();
        return Applicability::Foreign(format!("the case is written for {}", written_for.join(", ")));
    }
    if !profile.versions.contains(&script.version) {
        return Applicability::NotApplicable(format!("{} does not speak MQTT {}", profile.name, script.version));
    }
    let missing: Vec<&str> = case
        .needs
        .iter()
        .filter(|feature| !profile.has_in(**feature, script.version))
        .map(|feature| feature.name())
        .collect();
    if missing.is_empty() {
        Applicability::Applies
    } else {
        Applicability::NotApplicable(format!("{} lacks {}", profile.name, missing.join(", ")))
    }
}
