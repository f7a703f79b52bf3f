//! Which filters match which topics.

use crate::fault::moment::Moment;
use crate::fault::proxy_fault::{ProxyFault, client, fault, server};
use crate::fault::theme::publish::resolved;
use model::packet::PacketType::Publish;
use model::packet::Qos;

const TOO_MUCH: &[&str] = &["MQTT-3.3.2-3"];
const TOO_LITTLE: &[&str] = &["MQTT-4.5.0-1"];

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "matches-without-regard-to-case",
        "A filter matches topics that differ in upper and lower case only.",
        &["MQTT-4.7.3-4"],
        &[client(Publish, |moment| too_much(moment, |filter, topic| filter.to_lowercase() == topic.to_lowercase()))],
    ),
    fault(
        "matches-beginnings",
        "A filter matches every topic that begins like it.",
        TOO_MUCH,
        &[client(Publish, |moment| too_much(moment, |filter, topic| topic.starts_with(filter)))],
    ),
    fault(
        "matches-shorter-topics",
        "A filter matches every topic that is its beginning.",
        TOO_MUCH,
        &[client(Publish, |moment| too_much(moment, |filter, topic| filter.starts_with(topic)))],
    ),
    fault(
        "slashes-at-the-ends-do-not-count",
        "Slashes at the beginning and at the end of filters and topics have no meaning.",
        TOO_MUCH,
        &[client(Publish, |moment| {
            too_much(moment, |filter, topic| filter.trim_matches('/') == topic.trim_matches('/'));
        })],
    ),
    fault(
        "empty-levels-do-not-count",
        "Empty levels of filters and topics have no meaning.",
        TOO_MUCH,
        &[client(Publish, |moment| too_much(moment, |filter, topic| without_empty(filter) == without_empty(topic)))],
    ),
    fault(
        "single-level-matches-several",
        "A `+` at the end matches any number of levels.",
        TOO_MUCH,
        &[client(Publish, |moment| {
            too_much(moment, |filter, topic| filter.strip_suffix('+').is_some_and(|stem| topic.starts_with(stem)));
        })],
    ),
    fault(
        "single-level-matches-none",
        "A `+` at the end matches the parent level as well.",
        TOO_MUCH,
        &[client(Publish, |moment| too_much(moment, |filter, topic| filter.strip_suffix("/+") == Some(topic)))],
    ),
    fault(
        "what-stands-behind-a-wildcard-does-not-count",
        "A filter with `+` matches whatever has its beginning and as many levels.",
        TOO_MUCH,
        &[client(Publish, |moment| {
            too_much(moment, |filter, topic| {
                let stem = filter.split('+').next().unwrap_or_default();
                filter.contains('+')
                    && topic.starts_with(stem)
                    && filter.matches('/').count() == topic.matches('/').count()
            });
        })],
    ),
    fault(
        "multi-level-matches-inside-a-level",
        "A `#` matches what begins like the parent, without a slash.",
        TOO_MUCH,
        &[client(Publish, |moment| {
            too_much(moment, |filter, topic| filter.strip_suffix("/#").is_some_and(|stem| topic.starts_with(stem)));
        })],
    ),
    fault(
        "blanks-at-the-ends-do-not-count",
        "Blanks at the ends of filters and topics have no meaning.",
        TOO_MUCH,
        &[client(Publish, |moment| too_much(moment, |filter, topic| filter.trim() == topic.trim()))],
    ),
    fault(
        "characters-are-normalized",
        "An accent that is a character of its own is taken together with its letter.",
        &["MQTT-4.7.3-4"],
        &[client(Publish, |moment| {
            too_much(moment, |filter, topic| filter == topic.replace("e\u{301}", "\u{e9}"));
        })],
    ),
    fault(
        "byte-order-mark-does-not-count",
        "U+FEFF in filters and topics has no meaning.",
        &["3.1.1:MQTT-1.5.3-3", "5.0:MQTT-1.5.4-3"],
        &[client(Publish, |moment| {
            too_much(moment, |filter, topic| filter.replace('\u{FEFF}', "") == topic.replace('\u{FEFF}', ""));
        })],
    ),
    fault(
        "wildcards-are-letters",
        "A filter with wildcards is granted and matches nothing.",
        &["MQTT-4.5.0-1", "3.1.1:MQTT-3.8.3-2"],
        &[server(Publish, |moment| too_little(moment, |filter, _| filter.contains(['+', '#'])))],
    ),
    fault(
        "single-level-misses-empty-levels",
        "A `+` does not match a level that is empty.",
        TOO_LITTLE,
        &[server(Publish, |moment| {
            too_little(moment, |filter, topic| filter.contains('+') && (topic.contains("//") || topic.ends_with('/')));
        })],
    ),
    fault(
        "multi-level-misses-the-parent",
        "A `#` does not match the parent level.",
        TOO_LITTLE,
        &[server(Publish, |moment| {
            too_little(moment, |filter, topic| {
                filter.ends_with("/#") && filter.matches('/').count() > topic.matches('/').count()
            });
        })],
    ),
    fault(
        "only-the-first-wildcard-counts",
        "A filter with more than one wildcard matches nothing.",
        TOO_LITTLE,
        &[server(Publish, |moment| too_little(moment, |filter, _| filter.matches(['+', '#']).count() > 1))],
    ),
    fault(
        "only-ascii-matches",
        "Topics with characters beyond ASCII match no filter.",
        TOO_LITTLE,
        &[server(Publish, |moment| too_little(moment, |_, topic| !topic.is_ascii()))],
    ),
    fault(
        "unusual-characters-match-nothing",
        "Topics with blanks, dollar signs or empty levels match no filter.",
        TOO_LITTLE,
        &[server(Publish, |moment| {
            too_little(moment, |_, topic| topic.contains([' ', '$']) || topic.contains("//"));
        })],
    ),
];

/// Delivers the message that passes to clients whose filters do not match, but fit in this way.
fn too_much(moment: &mut Moment<'_>, fits: fn(&str, &str) -> bool) {
    let Some(message) = resolved(moment) else { return };
    for link in moment.scene.served() {
        let is_right = !moment.scene.matching(link, &message.topic).is_empty();
        let fits = moment.scene.subscriptions(link).any(|(filter, _)| fits(filter, &message.topic));
        if fits && !is_right {
            moment.deliver(link, &message, Qos::AtMostOnce);
        }
    }
}

/// Loses the delivery that passes if every filter that matches is of this kind.
fn too_little(moment: &mut Moment<'_>, is_missed: fn(&str, &str) -> bool) {
    let Some(topic) = moment.publish().map(|publish| publish.topic.clone()) else { return };
    let matching = moment.scene.matching(moment.link, &topic);
    if !matching.is_empty() && matching.iter().all(|(filter, _)| is_missed(filter, &topic)) {
        moment.lose_delivery();
    }
}

fn without_empty(text: &str) -> String {
    text.split('/').filter(|level| !level.is_empty()).collect::<Vec<_>>().join("/")
}
