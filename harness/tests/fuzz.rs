//! Random walks find what is wrong: each misbehaviour of the reference broker, a test each. What is found is shortened to a
//! few commands, and becomes a case that fails with the misbehaviour and passes without it.
//!
//! Of those that take devices, the cloud side or WebSocket one of each kind is looked for; all the others when asked:
//! `cargo test --test fuzz -- --include-ignored`.

use harness::case::{Library, Suite, Variant, expand, lint};
use harness::fault::{Fault, Interference};
use harness::fuzz::{Campaign, Finding, Ground, MOST_WALKS, Report, SHORT, Target, Terrain};
use harness::run::{Conditions, Interrupt, KnownFailing, VerdictKind, play_embedded};
use libtest_mimic::{Arguments, Failed, Trial};
use model::profile::Profile;
use reference_broker::{Occasion, Switch};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How many walks a misbehaviour may take, from its seed on.
const PATIENCE: u64 = 400;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Switch::ALL
        .iter()
        .map(|switch| {
            let trial = Trial::test(format!("finds/{}", switch.name()), move || is_found(*switch));
            trial.with_ignored_flag(is_of_furnished_walks(*switch) && !OF_EACH_KIND.contains(switch))
        })
        .collect();
    trials.push(Trial::test("nothing_is_wrong", nothing_is_wrong));
    trials.push(Trial::test("a_seed_reproduces", a_seed_reproduces));
    trials.push(Trial::test("walks_end_when_they_are_to_end", walks_end_when_they_are_to_end));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Of what shows only with devices, the cloud side or WebSocket: logins, registrations, topics, rates; what the cloud says,
/// asks and reads; calls; AMQP; frames.
const OF_EACH_KIND: [Switch; 13] = [
    Switch::SignatureNotChecked,
    Switch::ClientIdentifierMustBeSigned,
    Switch::RegistrationKeepAliveChecked,
    Switch::ForeignFilterGranted,
    Switch::RateEndsConnection,
    Switch::PubAtQos1,
    Switch::ApiDoorOpen,
    Switch::LogEmpty,
    Switch::CallTimesOutEarly,
    Switch::AnswerChanged,
    Switch::DeviceMessageLost,
    Switch::TextFramesTaken,
    Switch::FramesTakenForPackets,
];

/// Whether it shows only in walks that find more than plain clients.
fn is_of_furnished_walks(switch: Switch) -> bool {
    switch.needs_devices() || switch.needs_cloud() || switch.occasions().contains(&Occasion::WebSocket)
}

/// Walks of all kinds with a broker that is right.
fn nothing_is_wrong() -> Result<(), Failed> {
    let campaign = Campaign { target: Target::Embedded, most_walks: 30, ..campaign(Switch::SignatureNotChecked, 1) };
    let report = campaign.run(&Interrupt::default(), &mut |_| {});
    let found = report.finding.map(|finding| (finding.seed, finding.violation));
    check(found.is_none() && report.trouble.is_none(), &format!("{found:?}, {:?}", report.trouble))
}

/// Where its walks begin: not far from where it is found, for these tests are run often.
fn seed(switch: Switch) -> u64 {
    match switch {
        Switch::KeepAliveNotEnforced => 1_000,
        Switch::SubscriptionsLost => 1_003,
        Switch::RetainedNotDeleted => 37,
        Switch::MessageExpiryIgnored => 1_070,
        Switch::UnsubscribeIgnored => 1,
        Switch::SharedToTwoMembers => 68,
        Switch::SharedQos2HandedOn => 4_354,
        Switch::OrderSwapped => 1_050,
        Switch::Qos2DuplicatePassedOn => 1_045,
        Switch::WindowNotReopened => 122,
        Switch::TopicAliasLeaks => 1_010,
        _ => 1,
    }
}

fn search(switch: Switch, seed: u64) -> Report {
    campaign(switch, seed).run(&Interrupt::default(), &mut |_| {})
}

fn campaign(switch: Switch, seed: u64) -> Campaign {
    let profile = Profile::builtin(switch.profile()).expect("it is built in");
    Campaign {
        terrain: Terrain::of(profile, Ground::Embedded),
        target: Target::Misbehaving(switch),
        seed,
        most_walks: PATIENCE,
        time: Duration::from_secs(600),
        jobs: NonZeroUsize::MIN,
        known: KnownFailing::default(),
    }
}

fn found(switch: Switch, seed: u64) -> Result<Box<Finding>, Failed> {
    let report = search(switch, seed);
    report.finding.ok_or_else(|| format!("nothing is found in {} walks: {:?}", report.walks, report.trouble).into())
}

fn is_found(switch: Switch) -> Result<(), Failed> {
    let finding = found(switch, seed(switch))?;
    let text = finding.case_file.as_ref()?;
    let says = format!("{}: {}\n{text}", finding.violation.rule, finding.violation.seen);
    let (commands, walks) = (finding.shrunk.commands.len(), finding.shrunk.walks);
    check(commands <= SHORT, &format!("{commands} commands are left\n{says}"))?;
    check(walks <= MOST_WALKS, &format!("it took {walks} walks to shorten it"))?;
    check(finding.is_confirmed(), &format!("it failed only {} times\n{says}", finding.confirmed))?;

    let suite = Suite::parse("finding.yaml", text).map_err(|errors| format!("{errors:?}\n{text}"))?;
    let library = Library { suites: vec![suite] };
    check(lint(&library).is_empty(), &format!("{:?}\n{text}", lint(&library)))?;
    let profile = Arc::new(Profile::builtin(switch.profile()).expect("it is built in").clone());
    let variants: Vec<Arc<Variant>> =
        expand(&library, &profile).into_iter().map(|(variant, _)| Arc::new(variant)).collect();
    let [variant] = variants.as_slice() else { return Err(format!("{} variants\n{text}", variants.len()).into()) };
    let play = |interference| {
        let conditions = Conditions { interference, ..Conditions::default() };
        play_embedded(variant, &profile, None, &conditions).verdict
    };
    let with = play(Interference::Fault(Fault::Switch(switch)));
    check(with.kind() == VerdictKind::Fail, &format!("with the misbehaviour: {with:?}\n{says}"))?;
    let without = play(Interference::None);
    check(without.kind() == VerdictKind::Pass, &format!("without it: {without:?}\n{says}"))
}

fn a_seed_reproduces() -> Result<(), Failed> {
    let [one, other] = [(); 2].map(|()| found(Switch::NoLocalIgnored, 1));
    let (one, other) = (one?, other?);
    check(one.seed == other.seed, "it is found in the same walk")?;
    check(one.shrunk.commands == other.shrunk.commands, "it is shortened to the same commands")?;
    check(one.case_file == other.case_file, "it is the same case")?;
    check(one.walked.trace == other.walked.trace, "it leaves the same trace")?;
    let again = found(Switch::NoLocalIgnored, one.seed)?;
    check(again.case_file == one.case_file, "the seed of the walk alone finds it too")
}

fn walks_end_when_they_are_to_end() -> Result<(), Failed> {
    let campaign = |most_walks, time| Campaign {
        terrain: Terrain::of(Profile::builtin("platform").expect("it is built in"), Ground::Embedded),
        target: Target::Embedded,
        seed: 1,
        most_walks,
        time,
        jobs: NonZeroUsize::MIN,
        known: KnownFailing::default(),
    };
    let counted = campaign(3, Duration::from_secs(600)).run(&Interrupt::default(), &mut |_| {});
    check(counted.walks == 3 && counted.trouble.is_none(), &format!("{} walks instead of 3", counted.walks))?;
    let timed = campaign(u64::MAX, Duration::ZERO).run(&Interrupt::default(), &mut |_| {});
    check(timed.walks == 0, &format!("{} walks in no time", timed.walks))?;
    let interrupt = Interrupt::default();
    interrupt.raise();
    let interrupted = campaign(u64::MAX, Duration::from_secs(600)).run(&interrupt, &mut |_| {});
    check(interrupted.trouble.as_deref() == Some("it was interrupted"), "the interrupt is told")
}

fn check(holds: bool, otherwise: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
