//! What was said in the variants of a suite, short enough to be read in a review.
//!
//! ```text
//! ## session-is-handed-over
//!     old -> CONNECT mold keep-alive 60               what all variants of the case begin with
//!   3.1.1:                                            then what each goes on with; those that agree stand together
//!     old -- the peer closed the connection
//!   5.0:
//!     old <- DISCONNECT 0x8E Session taken over
//!     old -- the peer closed the connection
//! ```
//!
//! Topics stand as in the script, below `$t`. What goes without saying is left out: that a connection is opened, the login that all actors share, what CONNACK usually
//! offers (it stands on top), in how many pieces a packet came, and how the actors part. Time shows where it passes.

use super::exchange::{Line, Told, exchange, raw};
use crate::case::{Credentials, Variant};
use crate::concealing::{ConcealedTrace, Secrets};
use crate::run::{Recorded, VerdictKind};
use model::packet::{Connack, ConnackCode, ConnackProperties, Packet, ProtocolVersion};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

/// A pause that is worth a line. What is shorter is a fence.
const PAUSE: Duration = Duration::from_millis(10);

/// What CONNACK offers by profile and version, if nothing else is said.
type Offers<'a> = BTreeMap<(&'a str, ProtocolVersion), &'a ConnackProperties>;

/// A variant with the lines that a reader sees.
struct Shown<'a> {
    variant: &'a Variant,
    lines: Vec<String>,
}

/// The transcript of a suite, from its variants in their order, played with these credentials.
#[must_use]
pub fn transcript(suite: &[Recorded], credentials: &Credentials) -> String {
    let exchanges: Vec<(&Recorded, Vec<Line>)> = suite.iter().map(|recorded| (recorded, scripted(recorded))).collect();
    let offers = usual_offers(&exchanges);
    let mut text = String::new();
    for ((profile, version), properties) in &offers {
        let session_present = false;
        let connack = Connack { session_present, code: success(*version), properties: (*properties).clone() };
        line(&mut text, &format!("usual in {version} of {profile}: {}", Packet::Connack(connack)));
    }
    let shown: Vec<Shown<'_>> = exchanges
        .iter()
        .map(|(recorded, lines)| Shown {
            variant: &recorded.outcome.variant,
            lines: readable(recorded, lines, &offers, credentials),
        })
        .collect();
    // A case that is played under several profiles stands once.
    let cases = grouped(shown.iter().map(|shown| (&*shown.variant.case, shown)));
    let profiles: BTreeSet<&str> = shown.iter().map(|shown| &*shown.variant.profile).collect();
    cases.iter().for_each(|(case, members)| write_case(&mut text, case, members, profiles.len() > 1));
    text
}

/// The lines of the script.
fn scripted(recorded: &Recorded) -> Vec<Line> {
    let mut trace = recorded.trace.clone();
    trace.events.truncate(recorded.scripted);
    let concealed = ConcealedTrace::of(trace, Secrets::of_trace(&recorded.trace));
    exchange(&concealed, recorded.outcome.variant.version)
}

/// The code of a CONNACK that accepts.
fn success(version: ProtocolVersion) -> ConnackCode {
    if version.has_properties() {
        ConnackCode::Reason(model::packet::ReasonCode::Success)
    } else {
        ConnackCode::Return(model::packet::ConnectReturnCode::Accepted)
    }
}

/// The offer that most CONNACK packets of a profile and version make; none where all are without properties.
fn usual_offers<'a>(exchanges: &'a [(&Recorded, Vec<Line>)]) -> Offers<'a> {
    let mut counted: BTreeMap<_, Vec<(&ConnackProperties, usize)>> = BTreeMap::new();
    for (recorded, lines) in exchanges {
        let variant = &recorded.outcome.variant;
        for connack in lines.iter().filter_map(accepting_connack) {
            let offers = counted.entry((&*variant.profile, variant.version)).or_default();
            match offers.iter_mut().find(|(offer, _)| *offer == &connack.properties) {
                Some((_, count)) => *count += 1,
                None => offers.push((&connack.properties, 1)),
            }
        }
    }
    let usual = counted.into_iter().filter_map(|(of, offers)| {
        // The first of those that are equally frequent.
        let (offer, _) = offers.into_iter().rev().max_by_key(|(_, count)| *count)?;
        Some((of, offer))
    });
    usual.filter(|(_, offer)| **offer != ConnackProperties::default()).collect()
}

fn accepting_connack(line: &Line) -> Option<&Connack> {
    match &line.told {
        Told::Packet(packet) => match &**packet {
            Packet::Connack(connack) if connack.code.is_accepted() => Some(connack),
            _ => None,
        },
        _ => None,
    }
}

/// The lines without what goes without saying, and with pauses.
fn readable(recorded: &Recorded, lines: &[Line], offers: &Offers<'_>, credentials: &Credentials) -> Vec<String> {
    let variant = &recorded.outcome.variant;
    let none = ConnackProperties::default();
    let offer = offers.get(&(&*variant.profile, variant.version)).copied().unwrap_or(&none);
    let mut texts = Vec::new();
    let mut now = Duration::ZERO;
    for (index, line) in lines.iter().enumerate() {
        let next = lines[index + 1..].iter().find(|next| next.actor == line.actor);
        let is_implied = match line.told {
            Told::Opening => next.is_some_and(|next| next.arrow == "->"),
            Told::Part => line.arrow == "<-" && next.is_some_and(|next| next.arrow == "<-"),
            _ => false,
        };
        if is_implied {
            continue;
        }
        let pause = line.at.saturating_sub(now);
        if pause >= PAUSE {
            texts.push(format!("... {} s", pause.as_secs_f64()));
        }
        now = line.at;
        let Line { actor, arrow, .. } = line;
        let what = what(line, offer, credentials);
        let what = recorded.topics.iter().fold(what, |what, topics| what.replace(&format!("{topics}/"), "$t/"));
        texts.push(format!("{actor} {arrow} {what}"));
    }
    let kind = recorded.outcome.verdict.kind();
    if kind != VerdictKind::Pass {
        let reason = recorded.outcome.verdict.reason().unwrap_or_default();
        texts.push(format!("verdict {kind}: {reason}"));
    }
    texts
}

fn what(line: &Line, offer: &ConnackProperties, credentials: &Credentials) -> String {
    match &line.told {
        Told::Packet(packet) => match &**packet {
            Packet::Connect(connect)
                if connect.user_name.as_deref() == credentials.user_name.as_deref()
                    && connect.password == credentials.password =>
            {
                let mut connect = connect.clone();
                (connect.user_name, connect.password) = (None, None);
                Packet::Connect(connect).to_string()
            }
            Packet::Connack(connack) if connack.code.is_accepted() && connack.properties == *offer => {
                format!("CONNACK session-present {}", u8::from(connack.session_present))
            }
            _ => line.text.clone(),
        },
        Told::Refused(bytes, refusal) => format!("{} ({})", raw(bytes), refusal.what),
        _ => line.text.clone(),
    }
}

fn write_case(text: &mut String, case: &str, members: &[&Shown<'_>], names_profiles: bool) {
    let groups = grouped(members.iter().map(|shown| (shown.lines.as_slice(), shown.variant)));
    let Some(((first, _), others)) = groups.split_first() else { return };
    let shared = others.iter().fold(first.len(), |shared, (lines, _)| {
        first.iter().zip(*lines).take(shared).take_while(|(one, other)| one == other).count()
    });
    line(text, "");
    match others.is_empty() {
        true => line(text, &format!("## {case}: {}", label(&groups[0].1, names_profiles))),
        false => line(text, &format!("## {case}")),
    }
    first[..shared].iter().for_each(|shared| line(text, &format!("    {shared}")));
    if others.is_empty() {
        return;
    }
    for (lines, variants) in &groups {
        line(text, &format!("  {}:", label(variants, names_profiles)));
        lines[shared..].iter().for_each(|own| line(text, &format!("    {own}")));
    }
}

/// `row, other-row in 3.1.1, 5.0 of platform`: which variants of a case these are.
fn label(variants: &[&Variant], names_profiles: bool) -> String {
    let rows = grouped(variants.iter().map(|variant| (variant.row.as_deref(), *variant)));
    let placed = rows.into_iter().map(|(row, variants)| (places(&variants, names_profiles), row));
    let part = |(places, rows): (String, Vec<Option<&str>>)| match rows.into_iter().flatten().collect::<Vec<_>>() {
        rows if rows.is_empty() => places,
        rows => format!("{} in {places}", rows.join(", ")),
    };
    grouped(placed).into_iter().map(part).collect::<Vec<_>>().join("; ")
}

/// `3.1.1, 5.0 of platform, platform-2026 and 5.0 of standard`.
fn places(variants: &[&Variant], names_profiles: bool) -> String {
    let profiles = grouped(variants.iter().map(|variant| (&*variant.profile, variant.version.number())));
    let versions = grouped(profiles.into_iter().map(|(profile, versions)| (versions.join(", "), profile)));
    let place = |(versions, profiles): (String, Vec<&str>)| match names_profiles {
        true => format!("{versions} of {}", profiles.join(", ")),
        false => versions,
    };
    versions.into_iter().map(place).collect::<Vec<_>>().join(" and ")
}

/// What has the same key stands together, in the order in which the keys come up.
fn grouped<K: PartialEq, V>(pairs: impl Iterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

fn line(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}
