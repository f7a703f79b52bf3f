//! What the reports of several brokers say, as a page to read: a matrix of brokers and themes, and the deviations of each.

use super::run::Product;
use crate::run::{Class, VerdictKind};
use model::packet::ProtocolVersion;
use model::statement::catalogue;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How many lines of an exchange and characters of a line are shown.
const LINES: usize = 24;
const CHARACTERS: usize = 150;

/// How many names of variants are shown for a deviation.
const NAMES: usize = 4;

/// A report as [`json`](super::json()) writes it, as far as this page looks at it.
#[derive(Debug, Deserialize)]
pub struct Report {
    product: Option<Product>,
    #[serde(default)]
    elapsed_ms: u64,
    variants: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    name: String,
    suite: String,
    about: String,
    mqtt: String,
    verdict: String,
    reason: Option<String>,
    statements: Vec<String>,
    #[serde(default)]
    findings: Vec<Found>,
    #[serde(default)]
    exchange: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Found {
    at_ms: u64,
    what: String,
    expected: String,
    seen: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    at_ms: u64,
    actor: String,
    arrow: String,
    text: String,
}

/// How a broker did in a theme.
#[derive(Default)]
struct Tally {
    passed: usize,
    deviates: usize,
    not_applicable: usize,
}

impl Tally {
    fn count(&mut self, entry: &Entry) {
        match entry.kind() {
            Some(VerdictKind::Pass | VerdictKind::Lenient) => self.passed += 1,
            Some(kind) if kind.class() == Class::Skipped => self.not_applicable += 1,
            _ => self.deviates += 1,
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally { passed, deviates, not_applicable } = self;
        match (passed + deviates, deviates) {
            (0, _) => write!(f, "–"),
            (_, 0) => write!(f, "{passed}"),
            _ => write!(f, "{passed} / **{deviates}**"),
        }?;
        if *not_applicable > 0 { write!(f, " ({not_applicable})") } else { Ok(()) }
    }
}

impl Entry {
    fn kind(&self) -> Option<VerdictKind> {
        VerdictKind::ALL.into_iter().find(|kind| kind.name() == self.verdict)
    }

    fn theme(&self) -> &str {
        self.suite.split('/').next().unwrap_or_default()
    }

    /// Whether the broker ended, or answered nobody any more.
    fn is_deadly(&self) -> bool {
        self.findings.iter().any(|found| found.what == crate::run::DOES_NOT_SURVIVE)
    }
}

/// Reads a report.
///
/// # Errors
/// When it is none.
pub fn read_report(text: &str) -> serde_json::Result<Report> {
    serde_json::from_str(text)
}

/// The page, in Markdown. Reports of what is no known product are left out.
#[must_use]
pub fn survey(reports: &[Report]) -> String {
    let known: Vec<(&Product, &Report)> =
        reports.iter().filter_map(|report| Some((report.product.as_ref()?, report))).collect();
    let mut page = String::new();
    // Writing into a String cannot fail.
    let _ = introduction(&mut page, &known);
    let _ = matrix(&mut page, &known);
    for (product, report) in known {
        let _ = chapter(&mut page, product, report);
    }
    page
}

fn introduction(page: &mut String, known: &[(&Product, &Report)]) -> std::fmt::Result {
    writeln!(
        page,
        "# What {} brokers do\n\n\
         Written by `mqttspec brokers --document docs/brokers.md` from the reports of `mqttspec brokers NAME`; not by hand.\n\n\
         The cases of `cases/standard` were played against brokers as their registries deliver them, in the versions below.\n\
         Nobody's word is taken for it: each deviation names the statement that is broken and shows the packets, and\n\
         `mqttspec brokers NAME --run 'CASE'` plays it again. Each reason was looked at with the standard open, large\n\
         groups by some of their variants. Most are about packets that no client should send; a broker that takes them is tolerant, not unusable. The lists that excuse\n\
         them are in [`harness/brokers`](../harness/brokers), with the recipes by which the brokers were started.\n\n\
         | broker | version | from | MQTT | a run takes |\n|---|---|---|---|---|",
        known.len()
    )?;
    for (product, report) in known {
        let is_played = |entry: &&Entry| entry.kind().is_some_and(|kind| kind.class() != Class::Skipped);
        let versions: BTreeSet<&str> =
            report.variants.iter().filter(is_played).map(|entry| entry.mqtt.as_str()).collect();
        let versions: Vec<&str> = versions.into_iter().collect();
        let Product { name, version, registry, home, .. } = product;
        let seconds = report.elapsed_ms as f64 / 1000.0;
        writeln!(page, "| [{name}]({home}) | {version} | {registry} | {} | {seconds:.0} s |", versions.join(", "))?;
    }
    Ok(())
}

fn matrix(page: &mut String, known: &[(&Product, &Report)]) -> std::fmt::Result {
    let themes: BTreeSet<&str> =
        known.iter().flat_map(|(_, report)| report.variants.iter().map(Entry::theme)).collect();
    writeln!(
        page,
        "\n## Themes\n\nVariants passed / **not as the standard says** (not applicable: the broker does not have it).\n"
    )?;
    let names: Vec<&str> = known.iter().map(|(product, _)| product.name.as_str()).collect();
    writeln!(page, "| theme | {} |", names.join(" | "))?;
    writeln!(page, "|---|{}", "---|".repeat(names.len()))?;
    for theme in themes.iter().map(Some).chain([None]) {
        write!(page, "| {} |", theme.map_or("all", |theme| theme))?;
        for (_, report) in known {
            let mut tally = Tally::default();
            let entries = report.variants.iter().filter(|entry| theme.is_none_or(|theme| entry.theme() == *theme));
            entries.for_each(|entry| tally.count(entry));
            write!(page, " {tally} |")?;
        }
        writeln!(page)?;
    }
    Ok(())
}

/// The deviations of a broker: one for each reason in its list.
fn chapter(page: &mut String, product: &Product, report: &Report) -> std::fmt::Result {
    writeln!(page, "\n## {} {}\n\n{}", product.name, product.version, product.about)?;
    let mut deviations: Vec<(&str, Vec<&Entry>)> = Vec::new();
    let mut unlisted = Vec::new();
    for entry in &report.variants {
        match entry.kind() {
            Some(VerdictKind::ExpectedFail) => {
                let reason = entry.reason.as_deref().unwrap_or_default();
                let reason = reason.strip_prefix("known failure: ").unwrap_or(reason);
                match deviations.iter_mut().find(|(other, _)| *other == reason) {
                    Some((_, entries)) => entries.push(entry),
                    None => deviations.push((reason, vec![entry])),
                }
            }
            Some(kind) if kind.class() == Class::Failed => unlisted.push(entry.name.as_str()),
            _ => {}
        }
    }
    if deviations.is_empty() && unlisted.is_empty() {
        writeln!(page, "\nNothing that is not as the standard says.")?;
    }
    for (number, (reason, entries)) in deviations.iter().enumerate() {
        let (title, link) = split_link(reason);
        writeln!(page, "\n### {}.{} {title}\n", product.name, number + 1)?;
        if let Some(link) = link {
            writeln!(page, "Its makers were told in <{link}>.\n")?;
        }
        deviation(page, entries)?;
    }
    if !unlisted.is_empty() {
        writeln!(page, "\nNot looked at yet: {}", unlisted.join(", "))?;
    }
    Ok(())
}

/// A reason of a list without the link to where its makers were told, and the link.
#[must_use]
pub fn split_link(reason: &str) -> (&str, Option<&str>) {
    match reason.find(", https://") {
        Some(end) => (&reason[..end], Some(&reason[end + ", ".len()..])),
        None => (reason, None),
    }
}

fn deviation(page: &mut String, entries: &[&Entry]) -> std::fmt::Result {
    if entries.iter().any(|entry| entry.is_deadly()) {
        return writeln!(page, "What is sent for it is not shown: anybody could do so.");
    }
    // What shows most in least: the shortest exchange in which the broker does something.
    let goes_on = |entry: &Entry| entry.findings.iter().all(|found| found.seen.starts_with("the connection"));
    let shown = entries.iter().min_by_key(|entry| (goes_on(entry), entry.exchange.len()));
    let Some(shown) = shown else { return Ok(()) };
    for id in &shown.statements {
        let version: Option<ProtocolVersion> = shown.mqtt.parse().ok();
        if let Some(statement) = version.and_then(|version| catalogue().find(version, id)) {
            writeln!(page, "- {id} of {} ({}): {}", shown.mqtt, statement.level, statement.gist)?;
        }
    }
    writeln!(page, "\n{} ({})\n\n```", shown.about, shown.name)?;
    let unique = unique(shown);
    let plain = |text: &str| match &unique {
        Some(unique) => text.replace(&format!("mqttspec/{unique}"), "t").replace(unique.as_str(), ""),
        None => text.to_owned(),
    };
    let end = shown.findings.first().map_or(u64::MAX, |found| found.at_ms);
    let is_telling = |line: &&Line| {
        let is_ours =
            line.text.starts_with("PING") && !shown.about.contains("PING") && !shown.suite.contains("malformed");
        line.at_ms <= end && !is_ours && line.text != "opens a connection" && line.text != "closes the connection"
    };
    let lines: Vec<&Line> = shown.exchange.iter().filter(is_telling).collect();
    let width = lines.iter().map(|line| line.actor.chars().count()).max().unwrap_or_default();
    for line in lines.iter().skip(lines.len().saturating_sub(LINES)) {
        writeln!(page, "{:width$} {} {}", line.actor, line.arrow, cut(&plain(&line.text)))?;
    }
    if let Some(found) = shown.findings.first() {
        let saw = if found.seen.is_empty() { &found.what } else { &found.seen };
        writeln!(page, "expected: {}\nseen: {}", cut(&plain(&found.expected)), cut(&plain(saw)))?;
    }
    writeln!(page, "```")?;
    let others: Vec<&str> =
        entries.iter().filter(|entry| entry.name != shown.name).map(|entry| entry.name.as_str()).collect();
    if !others.is_empty() {
        let first: Vec<String> = others.iter().take(NAMES).map(|name| format!("`{name}`")).collect();
        let rest = others.len().saturating_sub(NAMES);
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        writeln!(page, "\nAlso {}{more}.", first.join(", "))?;
    }
    Ok(())
}

/// What keeps this play apart from others on the same broker: a page that is written again should differ only where the
/// broker does.
fn unique(entry: &Entry) -> Option<String> {
    entry.exchange.iter().find_map(|line| {
        let id = line.text.strip_prefix("CONNECT ")?.split(' ').next()?;
        let actor = line.actor.split('#').next()?;
        id.strip_suffix(actor).filter(|unique| !unique.is_empty()).map(str::to_owned)
    })
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{read_report, survey};

    const REPORT: &str = r#"{
        "product": {"name": "b", "version": "1", "registry": "nowhere", "home": "https://b.example", "about": "A broker."},
        "elapsed_ms": 2000,
        "variants": [
            {"name": "b/ping/answered/mqtt:3.1.1", "suite": "ping", "about": "It is.", "mqtt": "3.1.1", "verdict": "pass",
             "reason": null, "statements": []},
            {"name": "b/will/late/mqtt:5.0", "suite": "will/delayed", "about": "The Will comes.", "mqtt": "5.0",
             "verdict": "expected-fail", "reason": "known failure: comes late, MQTT-3.1.2-8, https://b.example/issues/1", "statements": ["MQTT-3.1.2-8"],
             "findings": [{"at_ms": 7, "what": "w", "expected": "PUBLISH mqttspec/x1/a", "seen": "none"}],
             "exchange": [
                {"at_ms": 1, "actor": "dev", "arrow": "->", "text": "CONNECT x1dev clean"},
                {"at_ms": 2, "actor": "dev", "arrow": "->", "text": "PUBLISH mqttspec/x1/a \"m\" qos0"},
                {"at_ms": 9, "actor": "dev", "arrow": "--", "text": "the peer closed the connection"}]},
            {"name": "b/will/ends/mqtt:5.0", "suite": "will/delayed", "about": "It ends.", "mqtt": "5.0",
             "verdict": "expected-fail", "reason": "known failure: can be stopped", "statements": [],
             "findings": [{"at_ms": 7, "what": "the peer does not survive this case", "expected": "e", "seen": "s"}],
             "exchange": [{"at_ms": 1, "actor": "dev", "arrow": "->", "text": "PUBLISH poison"}]},
            {"name": "b/will/not/mqtt:3.1", "suite": "will/delayed", "about": "Not.", "mqtt": "3.1",
             "verdict": "not-applicable", "reason": "b lacks it", "statements": []}
        ]}"#;

    #[test]
    fn the_page_shows_the_packets_of_a_deviation_and_not_those_that_stop_a_broker() {
        let page = survey(&[read_report(REPORT).expect("it is a report")]);
        for part in [
            "| [b](https://b.example) | 1 | nowhere | 3.1.1, 5.0 | 2 s |",
            "| ping | 1 |\n| will | 0 / **2** (1) |\n| all | 1 / **2** (1) |",
            "### b.1 comes late, MQTT-3.1.2-8\n\nIts makers were told in <https://b.example/issues/1>.\n\n- MQTT-3.1.2-8 of 5.0 (MUST): ",
            "dev -> CONNECT dev clean\ndev -> PUBLISH t/a \"m\" qos0\nexpected: PUBLISH t/a\nseen: none\n```",
            "### b.2 can be stopped\n\nWhat is sent for it is not shown",
        ] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
        assert!(!page.contains("poison"), "{page}");
        assert!(!page.contains("b/will/ends"), "{page}");
    }
}
