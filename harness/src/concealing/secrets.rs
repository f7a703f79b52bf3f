//! What may not be seen, and where it was learnt.
//!
//! Secrets of devices and tokens are found by the member of JSON that they stand behind, whatever the bytes around it are, so
//! that a packet that is cut, malformed or on a wrong topic gives nothing away; passwords by their place in CONNECT; and all
//! of them by their value wherever else they come again, as in a login with a token.

use super::connect::{Place, passwords};
use super::forms::{SHORTEST, places, starts};
use crate::case::{Action, Credentials, Scope, Step, Variant};
use crate::run::{Finding, StepReference};
use crate::trace::{ConnectionId, Trace, What};
use model::packet::ProtocolVersion;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

/// The members whose values nobody else may see (P-REG-4, P-REG-5).
const CONFIDENTIAL: [&[u8]; 2] = [b"deviceSecret", b"deviceToken"];

/// What may stand between a member's name and its value, also where a text quotes quotes.
const BETWEEN: &[u8] = b"\\\": \t\r\n";

/// What stands in the place of each byte.
const CONCEALED: u8 = b'*';

/// What may not be seen. It prints as nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeSet<Vec<u8>>);

/// A trace in which nothing secret stands: what charts and reports are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConcealedTrace {
    trace: Trace,
    secrets: Secrets,
}

/// What was sent or received on a connection, by connection and whether it was sent.
type Streams = BTreeMap<(ConnectionId, bool), Vec<u8>>;

impl Secrets {
    /// What a trace holds.
    #[must_use]
    pub fn of_trace(trace: &Trace) -> Secrets {
        let mut secrets = Secrets::default();
        streams(trace).iter().for_each(|((_, is_sent), stream)| secrets.learn(stream, *is_sent));
        secrets
    }

    /// What the steps of a script send, as far as that is known before it is played.
    #[must_use]
    pub fn of_script(variant: &Variant) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.learn_steps(&variant.steps, variant.version);
        secrets
    }

    /// What connections log in with.
    #[must_use]
    pub fn of_credentials(credentials: &Credentials) -> Secrets {
        let mut secrets = Secrets::default();
        credentials.password.iter().for_each(|password| secrets.add(password));
        secrets
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, others: Secrets) -> Secrets {
        self.0.extend(others.0);
        self
    }

    /// A text without them.
    #[must_use]
    pub fn conceal(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        self.overwrite(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What a client sends without them, and without passwords.
    #[must_use]
    pub fn conceal_sent(&self, stream: &[u8]) -> Vec<u8> {
        self.concealed(stream, true)
    }

    fn concealed(&self, stream: &[u8], is_sent: bool) -> Vec<u8> {
        let mut shown = stream.to_vec();
        // Also one that is too short to be looked for elsewhere.
        passwords_in(stream, is_sent).into_iter().for_each(|place| shown[place.range()].fill(CONCEALED));
        self.overwrite(&mut shown);
        shown
    }

    /// Overwrites them in what was found.
    pub(crate) fn conceal_in(&self, Finding { what, expected, seen, bytes, step, .. }: &mut Finding) {
        self.overwrite(bytes);
        let step = step.as_mut().map(|StepReference { text, .. }| text);
        for text in [what, expected, seen].into_iter().chain(step) {
            *text = self.conceal(text);
        }
    }

    fn add(&mut self, secret: &[u8]) {
        if secret.len() >= SHORTEST && !is_known_to_all(secret) {
            self.0.insert(secret.to_vec());
        }
    }

    fn learn(&mut self, stream: &[u8], is_sent: bool) {
        behind_names(stream).for_each(|range| self.add(&stream[range]));
        for place in passwords_in(stream, is_sent) {
            match place {
                Place::Password(range) => self.add(&stream[range]),
                // Other fields may stand there too: their lengths part them.
                Place::Somewhere(range) => {
                    stream[range].split(|byte| !byte.is_ascii_graphic()).for_each(|word| self.add(word));
                }
            }
        }
    }

    fn learn_steps(&mut self, steps: &[Step], version: ProtocolVersion) {
        let mut scope = Scope::new("t", "c", Credentials::default());
        for step in steps {
            match &step.action {
                Action::SendBytes { actor, bytes, .. } => {
                    scope.acts(actor);
                    bytes.build(&scope).iter().for_each(|stream| self.learn(stream, true));
                }
                Action::Send { actor, template, .. } => {
                    template.build(&mut scope, actor, version).iter().for_each(|built| self.learn(&built.bytes, true));
                }
                _ => {}
            }
        }
    }

    /// Overwrites what stands behind the names of secrets, and the secrets themselves.
    fn overwrite(&self, bytes: &mut [u8]) {
        let mut found: Vec<Range<usize>> = behind_names(bytes).collect();
        self.0.iter().for_each(|secret| found.extend(places(bytes, secret)));
        found.into_iter().for_each(|range| bytes[range].fill(CONCEALED));
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl ConcealedTrace {
    /// A trace without the secrets that stand in it, and without these.
    #[must_use]
    pub fn of(mut trace: Trace, more: Secrets) -> ConcealedTrace {
        let secrets = Secrets::of_trace(&trace).and(more);
        let mut streams = streams(&trace);
        for ((_, is_sent), stream) in &mut streams {
            *stream = secrets.concealed(stream, *is_sent);
        }
        put_back(&mut trace, &streams);
        ConcealedTrace { trace, secrets }
    }

    /// The trace.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What may not be seen in texts about it either.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

fn streams(trace: &Trace) -> Streams {
    let mut streams = Streams::new();
    for event in &trace.events {
        if let Some((is_sent, bytes)) = carried(&event.what) {
            streams.entry((event.connection, is_sent)).or_default().extend_from_slice(bytes);
        }
    }
    streams
}

/// Where passwords are in a stream, but the one that everybody knows.
fn passwords_in(stream: &[u8], is_sent: bool) -> Vec<Place> {
    // Peers send no CONNECT.
    let found = if is_sent { passwords(stream) } else { Vec::new() };
    found.into_iter().filter(|place| !is_known_to_all(&stream[place.range()])).collect()
}

/// Whether it is what everybody logs in with who says nothing, or a part of it. It stands in the help.
fn is_known_to_all(secret: &[u8]) -> bool {
    let known = Credentials::default().password.unwrap_or_default();
    known.windows(secret.len().max(1)).any(|part| part == secret)
}

/// The bytes that an event carries, and whether the harness sent them.
fn carried(what: &What) -> Option<(bool, &[u8])> {
    match what {
        What::Sent(bytes) | What::SentText(bytes) => Some((true, bytes)),
        What::Received(bytes) => Some((false, bytes)),
        _ => None,
    }
}

/// Puts streams into the events that they were taken from.
fn put_back(trace: &mut Trace, streams: &Streams) {
    let mut rest: BTreeMap<_, &[u8]> = streams.iter().map(|(key, stream)| (*key, stream.as_slice())).collect();
    for event in &mut trace.events {
        let is_sent = carried(&event.what).map(|(is_sent, _)| is_sent);
        let rest = is_sent.and_then(|is_sent| rest.get_mut(&(event.connection, is_sent)));
        if let (Some(rest), What::Sent(bytes) | What::SentText(bytes) | What::Received(bytes)) = (rest, &mut event.what)
        {
            let (own, others) = rest.split_at(bytes.len());
            bytes.copy_from_slice(own);
            *rest = others;
        }
    }
}

/// Where values stand behind the names of secrets: as far as they have come.
fn behind_names(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    CONFIDENTIAL.into_iter().flat_map(move |name| {
        starts(bytes, name).map(move |at| {
            let behind = at + name.len();
            let start = behind + bytes[behind..].iter().take_while(|byte| BETWEEN.contains(byte)).count();
            let mut is_quoted = false;
            let length = bytes[start..].iter().take_while(|byte| {
                let ends = **byte == b'"' && !is_quoted;
                is_quoted = **byte == b'\\' && !is_quoted;
                !ends
            });
            start..start + length.count()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Event;
    use std::time::Duration;

    const ANSWER: &[u8] = b"0\x4e\0\x0d/ext/register{\"deviceName\":\"lamp\",\"deviceSecret\":\"s3cr3t-01\"}";

    fn trace(whats: Vec<What>) -> Trace {
        let event = |what| Event { at: Duration::ZERO, connection: ConnectionId(0), what };
        Trace { events: whats.into_iter().map(event).collect() }
    }

    fn texts(trace: &Trace) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        trace.events.iter().filter_map(|event| carried(&event.what)).map(|(_, bytes)| text(bytes)).collect()
    }

    fn concealed(trace: Trace) -> ConcealedTrace {
        ConcealedTrace::of(trace, Secrets::default())
    }

    #[test]
    fn a_secret_goes_wherever_its_packet_was_cut() {
        for cut in 0..ANSWER.len() {
            let (one, other) = ANSWER.split_at(cut);
            let whole = trace(vec![What::Received(one.to_vec()), What::Received(other.to_vec())]);
            let shown = texts(concealed(whole).trace()).concat();
            assert!(shown.ends_with("\"deviceName\":\"lamp\",\"deviceSecret\":\"*********\"}"), "{cut}: {shown}");
            // A packet that never came to its end gives nothing away either.
            let part = trace(vec![What::Received(one.to_vec())]);
            let part = concealed(part);
            assert!(!texts(part.trace()).concat().contains("s3"), "{cut}: {part:?}");
        }
    }

    #[test]
    fn a_token_goes_from_the_login_with_it_and_from_what_is_found() {
        let login = |token: &str| What::Sent(format!("0 MQTT {token}").into_bytes());
        let answer = br#"{"clientId":"c","deviceToken": "t\"oken-1"}"#.to_vec();
        let trace = trace(vec![What::Received(answer.clone()), login(r#"t\"oken-1"#)]);
        let finding = |seen: &str| Finding {
            statements: Vec::new(),
            step: None,
            at: Duration::ZERO,
            connection: None,
            what: "payload".to_owned(),
            expected: "none".to_owned(),
            seen: seen.to_owned(),
            bytes: answer.clone(),
        };
        // What a packet shows of its payload quotes it, and cuts it off.
        let mut findings = [finding(r#"payload "{\"deviceToken\": \"t\\\"oke"#), finding("of `lamp` nothing came")];
        let trace = concealed(trace);
        findings.iter_mut().for_each(|finding| trace.secrets().conceal_in(finding));
        assert_eq!(texts(trace.trace()), [r#"{"clientId":"c","deviceToken": "*********"}"#, "0 MQTT *********"]);
        assert_eq!(findings[0].seen, r#"payload "{\"deviceToken\": \"********"#.to_owned());
        assert_eq!(findings[1].seen, "of `lamp` nothing came");
        assert!(findings.iter().all(|finding| !String::from_utf8_lossy(&finding.bytes).contains("oken-1")));
    }

    #[test]
    fn what_is_no_secret_stays() {
        let whats = vec![What::Received(b"0\x05\0\x01tm1".to_vec()), What::Sent(b"deviceSecretary".to_vec())];
        assert_eq!(texts(concealed(trace(whats)).trace())[0], "0\x05\0\x01tm1");
    }
}
