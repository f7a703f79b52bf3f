//! Topic Aliases in both directions.

use crate::fault::moment::Moment;
use crate::fault::proxy_fault::{ProxyFault, client, fault, server};
use crate::fault::theme::connect::text;
use model::packet::PacketType::Publish;
use std::num::NonZeroU16;

pub(super) static FAULTS: &[ProxyFault] = &[
    fault(
        "alias-of-the-client-forgotten",
        "A message that names its topic by an alias gets lost.",
        &["5.0:MQTT-3.3.2-12", "P-V5-15", "N-ALI-1"],
        &[client(Publish, |moment| {
            if is_alias_only(moment) {
                moment.lose();
                moment.acknowledge();
            }
        })],
    ),
    fault(
        "alias-of-the-client-misread",
        "An alias of the client stands for another topic than it said.",
        &["5.0:MQTT-3.3.2-12", "P-V5-15"],
        &[client(Publish, |moment| {
            if is_alias_only(moment) {
                let topic = moment
                    .publish()
                    .cloned()
                    .map(|publish| moment.it().topic_from_client(&publish))
                    .unwrap_or_default();
                if let Some(publish) = moment.publish() {
                    publish.properties.topic_alias = None;
                    publish.topic = text(&format!("{topic}x"));
                }
            }
        })],
    ),
    fault(
        "highest-alias-refused",
        "The highest alias that the server permits ends the connection.",
        &["5.0:MQTT-3.3.2-12", "P-V5-16"],
        &[client(Publish, |moment| {
            let maximum = moment.it().connack.as_ref().and_then(|connack| connack.properties.topic_alias_maximum);
            let alias = moment.publish().and_then(|publish| publish.properties.topic_alias);
            if alias.is_some() && alias.map(NonZeroU16::get) == maximum {
                moment.lose();
                moment.close();
            }
        })],
    ),
    fault(
        "alias-above-the-maximum-taken",
        "An alias above the maximum of the server is taken.",
        &["5.0:MQTT-4.13.1-1", "P-V5-16", "X-34"],
        &[client(Publish, |moment| {
            let maximum =
                moment.it().connack.as_ref().and_then(|connack| connack.properties.topic_alias_maximum).unwrap_or(0);
            if let Some(publish) = moment.publish()
                && publish.properties.topic_alias.is_some_and(|alias| alias.get() > maximum)
            {
                publish.properties.topic_alias = None;
            }
        })],
    ),
    fault(
        "unknown-alias-taken",
        "A message with an alias that stands for nothing is swallowed.",
        &["5.0:MQTT-4.13.1-1", "P-V5-16", "X-34"],
        &[client(Publish, |moment| {
            if is_alias_only(moment) {
                let topic = moment
                    .publish()
                    .cloned()
                    .map(|publish| moment.it().topic_from_client(&publish))
                    .unwrap_or_default();
                if topic.is_empty() {
                    moment.lose();
                    moment.acknowledge();
                }
            }
        })],
    ),
    fault(
        "alias-outlives-its-connection",
        "An alias of an earlier connection is known on the next one.",
        &["5.0:MQTT-3.3.2-7", "N-ALI-1", "P-V5-16"],
        &[client(Publish, |moment| {
            let alias = moment.publish().and_then(|publish| publish.properties.topic_alias);
            let is_known = alias.is_some_and(|alias| moment.it().client_aliases.contains_key(&alias.get()));
            if is_alias_only(moment)
                && !is_known
                && let Some(alias) = alias
            {
                let earlier =
                    moment.scene.links.iter().rev().find_map(|link| link.client_aliases.get(&alias.get()).cloned());
                if let (Some(publish), Some(topic)) = (moment.publish(), earlier) {
                    publish.properties.topic_alias = None;
                    publish.topic = topic;
                }
            }
        })],
    ),
    fault(
        "unasked-alias",
        "A delivery has an alias though the client takes none.",
        &["5.0:MQTT-3.1.2-27", "X-36"],
        &[server(Publish, |moment| {
            if maximum_of_client(moment) == 0 {
                set(moment, 1);
            }
        })],
    ),
    fault(
        "alias-above-the-maximum",
        "A delivery has an alias above the maximum of the client.",
        &["5.0:MQTT-3.1.2-26", "5.0:MQTT-3.3.2-11", "5.0:MQTT-3.1.2-27", "X-36"],
        &[server(Publish, |moment| {
            let beyond = maximum_of_client(moment).saturating_add(1);
            set(moment, beyond);
        })],
    ),
    fault(
        "alias-without-a-topic",
        "The first delivery names its topic by an alias that stands for nothing.",
        &["5.0:MQTT-3.3.2-1", "5.0:MQTT-3.1.2-27"],
        &[server(Publish, |moment| {
            set(moment, 1);
            if let Some(publish) = moment.publish() {
                publish.topic = text("");
            }
        })],
    ),
    fault(
        "alias-0",
        "A delivery has the alias 0.",
        &["5.0:MQTT-3.3.2-8"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish() {
                publish.properties.topic_alias = None;
            }
            moment.craft(|packet| packet.properties(&[0x23, 0, 0]));
        })],
    ),
];

fn is_alias_only(moment: &mut Moment<'_>) -> bool {
    moment.publish().is_some_and(|publish| publish.topic.is_empty() && publish.properties.topic_alias.is_some())
}

fn maximum_of_client(moment: &mut Moment<'_>) -> u16 {
    let connect = moment.it().connect.as_ref();
    connect.and_then(|connect| connect.properties.topic_alias_maximum).unwrap_or(0)
}

fn set(moment: &mut Moment<'_>, alias: u16) {
    if let Some(publish) = moment.publish() {
        publish.properties.topic_alias = NonZeroU16::new(alias);
    }
}
