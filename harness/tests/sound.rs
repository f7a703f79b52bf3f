//! Every case is sound: no server that does what the model permits fails it. One test a case and profile, over all its
//! variants; `cargo test --test sound -- qos1` proves a part of them.
//!
//! Beside them, cases that are wrong on purpose: a proof that refutes nothing would prove nothing.

mod embedded_library;

use harness::case::{Library, Variant};
use harness::prove::{Bounds, Proof, Proved, prove_variant};
use harness::report::{Detail, Proofs, proofs};
use harness::run::{Conditions, KnownFailing, Plan, Selection};
use libtest_mimic::{Arguments, Failed, Trial};
use model::profile::Profile;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How often a variant is played here: enough for all but some thirty, which `mqttspec prove` proves or calls unproved.
const RUNS: usize = 1_000;

/// Cases that expect what the model does not force, each with the step at which a permitted server fails it and what that
/// server does.
const WRONG: &str = "\
suite: wrong
about: Cases that expect more than the standard says.
target: broker
profiles: [standard]
cases:
  - id: qos-0-must-arrive
    about: A QoS 0 message arrives, although nothing promises it.
    cites: [MQTT-4.3.1-1]
    mqtt: [\"3.1.1\"]
    needs: [shared-topics, full-grants]
    steps:
      - dev -> CONNECT
      - dev <- CONNACK: {code: accepted}
      - dev -> SUBSCRIBE: {filter: $t/a}
      - dev <- SUBACK: {codes: [granted-qos-0]}
      - dev -> PUBLISH: {topic: $t/a, payload: m1}
      - dev <- PUBLISH: {payload: m1}
  - id: lowest-identifier
    about: The first delivery has the lowest identifier, although any will do.
    cites: [MQTT-2.3.1-4]
    mqtt: [\"3.1.1\"]
    needs: [shared-topics, full-grants]
    steps:
      - dev -> CONNECT
      - dev <- CONNACK: {code: accepted}
      - dev -> SUBSCRIBE: {filter: $t/a, qos: 1}
      - dev <- SUBACK: {codes: [granted-qos-1]}
      - dev -> PUBLISH: {topic: $t/a, qos: 1, payload: m1}
      - dev <- PUBLISH: {payload: m1, id: 1}
  - id: answer-before-delivery
    about: Nothing comes between a message and its PUBACK, although deliveries may.
    cites: [MQTT-3.3.4-1]
    mqtt: [\"5.0\"]
    needs: [shared-topics, full-grants, full-service]
    steps:
      - dev -> CONNECT
      - dev <- CONNACK: {code: success}
      - dev -> SUBSCRIBE: {filter: $t/a, qos: 1}
      - dev <- SUBACK: {codes: [granted-qos-1]}
      - dev -> PUBLISH: {topic: $t/a, qos: 1, payload: m1}
      - dev <- PUBACK
      - dev <- silence
  - id: one-reaction-of-several
    about: A wildcard in a topic is answered by a DISCONNECT with the very code, although a bare close will do.
    cites: [MQTT-3.3.2-2]
    mqtt: [\"5.0\"]
    steps:
      - dev -> CONNECT
      - dev <- CONNACK: {code: success}
      - dev -> PUBLISH: {topic: $t/#, qos: 0, payload: m1}
      - dev <- DISCONNECT: {code: 0x90}
  - id: closes-early
    about: A silent client is closed at once after one and a half times its Keep Alive, although servers may be late.
    cites: [MQTT-3.1.2-24]
    mqtt: [\"3.1.1\"]
    needs: [short-keep-alive]
    steps:
      - dev -> CONNECT: {keep_alive: 2}
      - dev <- CONNACK: {code: accepted}
      - dev <- closed: {within: 4s}
";

/// The step at which each wrong case is refuted, in the order of the file, and what of the chart shows it.
const REFUTED_AT: [(&str, &str); 5] = [
    ("dev <- PUBLISH {payload: m1}", "dev -> PUBLISH mqttspec/m/a \"m1\" qos0"),
    ("dev <- PUBLISH {payload: m1, id: 1}", "dev <- PUBLISH mqttspec/m/a \"m1\" qos1 id65520"),
    ("dev <- silence", "dev <- PUBLISH mqttspec/m/a \"m1\" qos1"),
    ("dev <- DISCONNECT {code: 0x90}", "dev -> PUBLISH mqttspec/m/# \"m1\" qos0"),
    ("dev <- closed {within: 4s}", "dev -> CONNECT mdev clean keep-alive 2"),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let library = match embedded_library::load() {
        Ok(library) => library,
        Err(code) => return code,
    };
    let mut trials = wrong_cases();
    for profile in Profile::builtin_names().into_iter().filter_map(Profile::builtin) {
        let profile = Arc::new(profile.clone());
        let mut cases: BTreeMap<String, Vec<Arc<Variant>>> = BTreeMap::new();
        for variant in played(&library, &profile) {
            let name = format!("{}/{}/{}", variant.profile, variant.suite, variant.case);
            cases.entry(name).or_default().push(variant);
        }
        trials.extend(cases.into_iter().map(|(name, variants)| {
            let profile = Arc::clone(&profile);
            Trial::test(name, move || is_sound(&variants, &profile))
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn played(library: &Library, profile: &Arc<Profile>) -> Vec<Arc<Variant>> {
    let plan = Plan::new(library, Arc::clone(profile), &Selection::default(), &KnownFailing::default());
    plan.played().map(|planned| Arc::clone(&planned.variant)).collect()
}

fn proved(variant: &Arc<Variant>, profile: &Arc<Profile>) -> Proved {
    let conditions = Conditions::default();
    prove_variant(variant, profile, &conditions, Bounds { runs: RUNS })
}

/// What is unproved is told by `mqttspec prove`; here nothing may be refuted.
fn is_sound(variants: &[Arc<Variant>], profile: &Arc<Profile>) -> Result<(), Failed> {
    let all: Vec<Proved> = variants.iter().map(|variant| proved(variant, profile)).collect();
    let is_refuted = |proved: &Proved| matches!(proved.proof, Proof::Refuted(_));
    if all.iter().any(is_refuted) {
        return Err(Failed::from(report(all)?));
    }
    Ok(())
}

fn report(proved: Vec<Proved>) -> Result<String, Failed> {
    let mut report = Vec::new();
    proofs(&Proofs { proofs: proved, elapsed: Duration::ZERO }, Detail::Quiet, &mut report)?;
    Ok(String::from_utf8_lossy(&report).into_owned())
}

/// Each wrong case is refuted, with a chart and with the step, its file and its line.
fn wrong_cases() -> Vec<Trial> {
    let refuted = || -> Result<(), Failed> {
        let folder = std::env::temp_dir().join(format!("mqttspec-wrong-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("wrong.yaml");
        std::fs::write(&file, WRONG)?;
        let library = Library::from_paths(std::slice::from_ref(&file)).map_err(|errors| format!("{errors:?}"))?;
        std::fs::remove_dir_all(&folder)?;
        let profile = Arc::new(Profile::builtin("standard").ok_or("it is built in")?.clone());
        let variants = played(&library, &profile);
        if variants.len() != REFUTED_AT.len() {
            return Err(Failed::from(format!("{} variants", variants.len())));
        }
        for (variant, (step, chart)) in variants.iter().zip(REFUTED_AT) {
            let told = report(vec![proved(variant, &profile)])?;
            let line = told.lines().find(|line| line.starts_with("  step ")).unwrap_or_default();
            let is_told = line.contains("wrong.yaml:") && line.ends_with(step) && told.contains(chart);
            if !told.ends_with("0 sound, 0 unproved, 1 refuted\n") || !is_told {
                return Err(Failed::from(format!(
                    "{} is not refuted at `{step}` with `{chart}`:\n{told}",
                    variant.name
                )));
            }
        }
        Ok(())
    };
    vec![Trial::test("wrong cases are refuted with a chart", refuted)]
}
