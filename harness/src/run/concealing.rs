//! What a platform hands out in confidence stands in no report, in no form: it is overwritten in what reports are made of.
//!
//! ```text
//!   30 53 ... 64 65 76 69 63 65 53 65 63 72 65 74 22 3a 22 2a 2a 2a 2a 22 7d      the bytes of a PUBLISH on /ext/register
//!             d  e  v  i  c  e  S  e  c  r  e  t  "  :  "  *  *  *  *  "  }
//! ```
//!
//! It is found by the member of JSON that it stands behind, whatever the bytes around it are, so that a packet that is cut,
//! malformed or on a wrong topic gives nothing away; and by its value wherever else it comes again, as in a login with a token.

use super::verdict::Finding;
use crate::trace::{ConnectionId, Trace, What};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The members whose values nobody else may see (P-REG-4, P-REG-5).
const CONFIDENTIAL: [&[u8]; 2] = [b"deviceSecret", b"deviceToken"];

/// What may stand between a member's name and its value, also where a text quotes quotes.
const BETWEEN: &[u8] = b"\\\": \t\r\n";

/// What is shorter is no secret, and stands everywhere by chance.
const SHORTEST: usize = 6;

/// What stands in the place of each byte.
const CONCEALED: u8 = b'*';

/// Overwrites the secrets that stand in a trace, there and in what was found.
pub(super) fn conceal(trace: &mut Trace, findings: &mut [Finding]) {
    let mut streams: BTreeMap<(ConnectionId, bool), Vec<u8>> = BTreeMap::new();
    for event in &trace.events {
        if let Some((is_sent, bytes)) = carried(&event.what) {
            streams.entry((event.connection, is_sent)).or_default().extend_from_slice(bytes);
        }
    }
    let secrets: BTreeSet<Vec<u8>> =
        streams.values().flat_map(|stream| behind_names(stream).map(|range| stream[range].to_vec())).collect();
    if !secrets.is_empty() {
        streams.values_mut().for_each(|stream| overwrite(stream, &secrets));
        put_back(trace, &streams);
    }
    for Finding { what, expected, seen, bytes, .. } in findings {
        overwrite(bytes, &secrets);
        for text in [what, expected, seen] {
            let mut shown = std::mem::take(text).into_bytes();
            overwrite(&mut shown, &secrets);
            *text = String::from_utf8_lossy(&shown).into_owned();
        }
    }
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
fn put_back(trace: &mut Trace, streams: &BTreeMap<(ConnectionId, bool), Vec<u8>>) {
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

/// Overwrites what stands behind the names of secrets, and the secrets themselves.
fn overwrite(bytes: &mut [u8], secrets: &BTreeSet<Vec<u8>>) {
    let named: Vec<Range<usize>> = behind_names(bytes).collect();
    let known = secrets.iter().filter(|secret| secret.len() >= SHORTEST);
    let again: Vec<Range<usize>> =
        known.flat_map(|secret| starts(bytes, secret).map(|at| at..at + secret.len())).collect();
    for range in named.into_iter().chain(again) {
        bytes[range].fill(CONCEALED);
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

/// Where `part` begins in `bytes`.
fn starts<'a>(bytes: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + use<'a> {
    bytes.windows(part.len()).enumerate().filter(move |(_, window)| *window == part).map(|(at, _)| at)
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

    #[test]
    fn a_secret_goes_wherever_its_packet_was_cut() {
        for cut in 0..ANSWER.len() {
            let (one, other) = ANSWER.split_at(cut);
            let mut whole = trace(vec![What::Received(one.to_vec()), What::Received(other.to_vec())]);
            conceal(&mut whole, &mut []);
            let shown = texts(&whole).concat();
            assert!(shown.ends_with("\"deviceName\":\"lamp\",\"deviceSecret\":\"*********\"}"), "{cut}: {shown}");
            // A packet that never came to its end gives nothing away either.
            let mut part = trace(vec![What::Received(one.to_vec())]);
            conceal(&mut part, &mut []);
            assert!(!texts(&part).concat().contains("s3"), "{cut}: {part:?}");
        }
    }

    #[test]
    fn a_token_goes_from_the_login_with_it_and_from_what_is_found() {
        let login = |token: &str| What::Sent(format!("\x10 MQTT {token}").into_bytes());
        let answer = br#"{"clientId":"c","deviceToken": "t\"oken-1"}"#.to_vec();
        let mut trace = trace(vec![What::Received(answer.clone()), login(r#"t\"oken-1"#)]);
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
        conceal(&mut trace, &mut findings);
        assert_eq!(texts(&trace), [r#"{"clientId":"c","deviceToken": "*********"}"#, "\x10 MQTT *********"]);
        assert_eq!(findings[0].seen, r#"payload "{\"deviceToken\": \"********"#.to_owned());
        assert_eq!(findings[1].seen, "of `lamp` nothing came");
        assert!(findings.iter().all(|finding| !String::from_utf8_lossy(&finding.bytes).contains("oken-1")));
    }

    #[test]
    fn what_is_no_secret_stays() {
        let whats = vec![What::Received(b"0\x05\0\x01tm1".to_vec()), What::Sent(b"deviceSecretary".to_vec())];
        let mut trace = trace(whats);
        conceal(&mut trace, &mut []);
        assert_eq!(texts(&trace)[0], "0\x05\0\x01tm1");
    }
}
