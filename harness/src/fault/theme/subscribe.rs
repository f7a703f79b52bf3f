//! SUBSCRIBE and UNSUBSCRIBE, and how they are answered.

use crate::fault::moment::{lost, twice};
use crate::fault::proxy_fault::{ProxyFault, client, fault, server};
use model::packet::PacketType::{Publish, Pubrel, Suback, Subscribe, Unsuback, Unsubscribe};
use model::packet::{Packet, Qos, ReasonCode, ReasonProperties, Suback as SubackPacket, Unsuback as UnsubackPacket};

pub(super) static FAULTS: &[ProxyFault] = &[
    fault("suback-lost", "No SUBACK arrives.", &["MQTT-3.8.4-1"], &[server(Suback, lost)]),
    fault("suback-twice", "SUBACK comes twice.", &["MQTT-3.8.4-1"], &[server(Suback, twice)]),
    fault(
        "suback-for-another-id",
        "SUBACK names the identifier that follows the one of the SUBSCRIBE.",
        &["MQTT-3.8.4-2", "3.1.1:MQTT-2.3.1-7", "5.0:MQTT-2.2.1-6"],
        &[server(Suback, |moment| {
            if let Some(Packet::Suback(suback)) = &mut moment.packet {
                suback.packet_id = suback.packet_id.next();
            }
        })],
    ),
    fault(
        "suback-codes-reversed",
        "The codes of SUBACK stand in the reverse order of the filters.",
        &["MQTT-3.9.3-1"],
        &[server(Suback, |moment| {
            if let Some(Packet::Suback(suback)) = &mut moment.packet {
                suback.codes.reverse();
            }
        })],
    ),
    fault(
        "suback-one-code-short",
        "SUBACK has one code less than there were filters.",
        &["3.1.1:MQTT-3.8.4-5", "5.0:MQTT-3.8.4-6"],
        &[server(Suback, |moment| {
            if let Some(Packet::Suback(suback)) = &mut moment.packet
                && suback.codes.len() > 1
            {
                suback.codes.pop();
            }
        })],
    ),
    fault(
        "suback-one-code-too-many",
        "SUBACK has one code more than there were filters.",
        &["3.1.1:MQTT-3.8.4-5", "5.0:MQTT-3.8.4-6"],
        &[server(Suback, |moment| {
            if let Some(Packet::Suback(suback)) = &mut moment.packet {
                suback.codes.push(ReasonCode::Success);
            }
        })],
    ),
    fault(
        "suback-for-each-filter",
        "A SUBSCRIBE with several filters is answered by a SUBACK for each of them.",
        &["3.1.1:MQTT-3.8.4-4", "5.0:MQTT-3.8.4-5"],
        &[server(Suback, |moment| {
            if let Some(Packet::Suback(suback)) = moment.packet.clone()
                && suback.codes.len() > 1
            {
                moment.lose();
                for code in &suback.codes {
                    let one = SubackPacket { codes: vec![*code], ..suback.clone() };
                    moment.send_to_client(&Packet::Suback(one));
                }
            }
        })],
    ),
    fault(
        "suback-with-unknown-code",
        "SUBACK carries a code that is none of its own.",
        &["V31-14", "3.1.1:MQTT-3.9.3-2", "5.0:MQTT-3.9.3-2"],
        &[server(Suback, |moment| moment.craft(|packet| packet.cut(1).extra(&[0x03])))],
    ),
    fault(
        "filter-refused-in-3-1",
        "SUBACK of 3.1 carries the failure code of later versions.",
        &["V31-14"],
        &[server(Suback, |moment| moment.craft(|packet| packet.cut(1).extra(&[0x80])))],
    ),
    fault(
        "granted-more-than-asked",
        "SUBACK grants QoS 2 whatever was asked for.",
        &["3.1.1:MQTT-3.8.4-5", "5.0:MQTT-3.8.4-7", "P-QOS-1"],
        &[server(Suback, |moment| {
            if let Some(Packet::Suback(suback)) = &mut moment.packet {
                for code in suback.codes.iter_mut().filter(|code| !code.is_error()) {
                    *code = ReasonCode::GrantedQos2;
                }
            }
        })],
    ),
    fault(
        "granted-qos-0-told-as-failure",
        "SUBACK says that a filter failed, and its messages come.",
        &["3.1.1:MQTT-3.8.4-5", "5.0:MQTT-3.8.4-7", "P-QOS-5"],
        &[server(Suback, |moment| {
            if let Some(Packet::Suback(suback)) = &mut moment.packet {
                for code in suback.codes.iter_mut().filter(|code| **code == ReasonCode::Success) {
                    *code = ReasonCode::UnspecifiedError;
                }
            }
        })],
    ),
    fault(
        "qos-2-filter-refused",
        "A filter that asks for QoS 2 is refused.",
        &["5.0:MQTT-3.2.2-10"],
        &[server(Suback, |moment| {
            let asked = match &moment.packet {
                Some(Packet::Suback(suback)) => moment.scene.links[moment.link].asked.get(&suback.packet_id).cloned(),
                _ => None,
            };
            if let (Some(Packet::Suback(suback)), Some(asked)) = (&mut moment.packet, asked) {
                for (code, request) in suback.codes.iter_mut().zip(asked.requests) {
                    if request.options.qos == Qos::ExactlyOnce {
                        *code = ReasonCode::UnspecifiedError;
                    }
                }
            }
        })],
    ),
    fault(
        "only-the-first-filter-counts",
        "Of a SUBSCRIBE with several filters only the first is taken, and all are granted.",
        &["3.1.1:MQTT-3.8.4-4", "5.0:MQTT-3.8.4-5"],
        &[
            client(Subscribe, |moment| {
                if let Some(Packet::Subscribe(subscribe)) = &mut moment.packet {
                    subscribe.requests.truncate(1);
                }
            }),
            server(Suback, |moment| {
                let asked = match &moment.packet {
                    Some(Packet::Suback(suback)) => {
                        moment.scene.links[moment.link].asked.get(&suback.packet_id).cloned()
                    }
                    _ => None,
                };
                if let (Some(Packet::Suback(suback)), Some(asked)) = (&mut moment.packet, asked) {
                    for request in asked.requests.iter().skip(suback.codes.len()) {
                        suback.codes.push(granted(request.options.qos));
                    }
                }
            }),
        ],
    ),
    fault(
        "subscribe-without-effect",
        "SUBSCRIBE is granted, and no message comes.",
        &["MQTT-3.8.4-1", "MQTT-4.5.0-1", "P-SES-9"],
        &[client(Subscribe, |moment| {
            if let Some(Packet::Subscribe(subscribe)) = moment.packet.clone() {
                moment.lose();
                let codes = subscribe.requests.iter().map(|request| granted(request.options.qos)).collect();
                let properties = ReasonProperties::default();
                moment.send_to_client(&Packet::Suback(SubackPacket {
                    packet_id: subscribe.packet_id,
                    properties,
                    codes,
                }));
            }
        })],
    ),
    fault(
        "unsuback-lost",
        "No UNSUBACK arrives.",
        &["3.1.1:MQTT-3.10.4-4", "5.0:MQTT-3.10.4-4", "X-51"],
        &[server(Unsuback, lost)],
    ),
    fault(
        "unsuback-twice",
        "UNSUBACK comes twice.",
        &["3.1.1:MQTT-3.10.4-4", "5.0:MQTT-3.10.4-4"],
        &[server(Unsuback, twice)],
    ),
    fault(
        "unsuback-for-another-id",
        "UNSUBACK names the identifier that follows the one of the UNSUBSCRIBE.",
        &["3.1.1:MQTT-3.10.4-4", "5.0:MQTT-3.10.4-5", "3.1.1:MQTT-2.3.1-7", "5.0:MQTT-2.2.1-6"],
        &[server(Unsuback, |moment| {
            if let Some(Packet::Unsuback(unsuback)) = &mut moment.packet {
                unsuback.packet_id = unsuback.packet_id.next();
            }
        })],
    ),
    fault(
        "unsuback-only-for-what-was-held",
        "UNSUBSCRIBE of a filter that was never subscribed is not answered.",
        &["3.1.1:MQTT-3.10.4-5", "3.1.1:MQTT-3.10.4-4", "5.0:MQTT-3.10.4-4", "5.0:MQTT-3.10.4-5", "X-51"],
        &[client(Unsubscribe, |moment| {
            if let Some(Packet::Unsubscribe(unsubscribe)) = moment.packet.clone()
                && !moment.scene.subscriptions(moment.link).any(|(held, _)| unsubscribe.filters.contains(held))
            {
                moment.lose();
            }
        })],
    ),
    fault(
        "unsuback-one-code-short",
        "UNSUBACK has one code less than there were filters.",
        &["5.0:MQTT-3.11.3-1"],
        &[server(Unsuback, |moment| {
            if let Some(Packet::Unsuback(unsuback)) = &mut moment.packet
                && unsuback.codes.len() > 1
            {
                unsuback.codes.pop();
            }
        })],
    ),
    fault(
        "unsuback-codes-rotated",
        "The codes of UNSUBACK do not stand in the order of the filters.",
        &["5.0:MQTT-3.11.3-1"],
        &[server(Unsuback, |moment| {
            if let Some(Packet::Unsuback(unsuback)) = &mut moment.packet
                && !unsuback.codes.is_empty()
            {
                unsuback.codes.rotate_left(1);
            }
        })],
    ),
    fault(
        "unsuback-with-unknown-code",
        "UNSUBACK carries a code that is none of its own.",
        &["5.0:MQTT-3.11.3-2", "5.0:P-RC-14"],
        &[server(Unsuback, |moment| moment.craft(|packet| packet.cut(1).extra(&[0x01])))],
    ),
    fault(
        "unsubscribe-without-effect",
        "UNSUBSCRIBE is answered, and the messages go on.",
        &["MQTT-3.10.4-1", "MQTT-3.10.4-2", "P-SES-9"],
        &[client(Unsubscribe, |moment| {
            if let Some(Packet::Unsubscribe(unsubscribe)) = moment.packet.clone() {
                moment.lose();
                let codes =
                    if moment.is_5_0() { vec![ReasonCode::Success; unsubscribe.filters.len()] } else { Vec::new() };
                let properties = ReasonProperties::default();
                let packet_id = unsubscribe.packet_id;
                moment.send_to_client(&Packet::Unsuback(UnsubackPacket { packet_id, properties, codes }));
            }
        })],
    ),
    fault(
        "only-the-first-filter-is-unsubscribed",
        "Of an UNSUBSCRIBE with several filters only the first has an effect.",
        &["MQTT-3.10.4-6"],
        &[
            client(Unsubscribe, |moment| {
                if let Some(Packet::Unsubscribe(unsubscribe)) = &mut moment.packet
                    && unsubscribe.filters.len() > 1
                {
                    let rest = unsubscribe.filters.len() - 1;
                    unsubscribe.filters.truncate(1);
                    moment.it().missing_codes = rest;
                }
            }),
            server(Unsuback, |moment| {
                let missing = std::mem::take(&mut moment.it().missing_codes);
                if moment.is_5_0()
                    && let Some(Packet::Unsuback(unsuback)) = &mut moment.packet
                {
                    unsuback.codes.extend(vec![ReasonCode::Success; missing]);
                }
            }),
        ],
    ),
    fault(
        "unsubscribe-takes-matching-filters-along",
        "UNSUBSCRIBE ends every subscription whose filter has to do with its own.",
        &["MQTT-3.10.4-1"],
        &[client(Unsubscribe, |moment| {
            let all: Vec<_> = moment.scene.subscriptions(moment.link).map(|(held, _)| held.clone()).collect();
            if let Some(Packet::Unsubscribe(unsubscribe)) = &mut moment.packet
                && !all.is_empty()
                && !unsubscribe.filters.iter().any(|filter| all.contains(filter))
            {
                // One for one, so that the answer has as many codes.
                unsubscribe.filters = all.into_iter().take(unsubscribe.filters.len()).collect();
            }
        })],
    ),
    fault(
        "unsubscribe-ends-what-is-under-way",
        "A delivery that is under way is neither repeated nor released when its filter has been unsubscribed.",
        &["MQTT-3.10.4-3"],
        &[
            server(Publish, |moment| {
                let topic = moment.publish().filter(|publish| publish.dup()).map(|publish| publish.topic.clone());
                if topic.is_some_and(|topic| moment.scene.has_given_up(moment.link, &topic)) {
                    moment.lose_delivery();
                }
            }),
            server(Pubrel, |moment| {
                let id = moment.packet.as_ref().and_then(Packet::packet_id);
                let topic = id.and_then(|id| moment.it().in_flight.get(&id)).map(|publish| publish.topic.clone());
                if topic.is_some_and(|topic| moment.scene.has_given_up(moment.link, &topic)) {
                    moment.lose();
                }
            }),
        ],
    ),
    fault(
        "subscribed-again-brings-two-copies",
        "A filter that is subscribed again is a second subscription, which brings a copy of its own.",
        &["3.1.1:MQTT-3.8.4-3", "5.0:MQTT-3.8.4-3"],
        &[server(Publish, |moment| {
            if let Some(publish) = moment.publish().cloned() {
                let topic = publish.topic.clone();
                if moment.scene.matching(moment.link, &topic).iter().any(|(_, held)| held.requests > 1) {
                    let (link, qos) = (moment.link, publish.qos());
                    moment.deliver(link, &publish, qos);
                }
            }
        })],
    ),
    fault(
        "subscribed-again-leaves-a-gap",
        "A message that comes while a filter is subscribed again gets lost.",
        &["3.1.1:MQTT-3.8.4-3", "5.0:MQTT-3.8.4-4"],
        &[
            client(Subscribe, |moment| {
                let held: Vec<_> = moment.scene.subscriptions(moment.link).map(|(filter, _)| filter.clone()).collect();
                if let Some(Packet::Subscribe(subscribe)) = &moment.packet
                    && subscribe.requests.iter().any(|request| held.contains(&request.filter))
                {
                    moment.it().counted = 1;
                }
            }),
            server(Publish, |moment| {
                if std::mem::take(&mut moment.it().counted) > 0 {
                    moment.lose_delivery();
                }
            }),
        ],
    ),
    fault(
        "subscribed-again-keeps-the-old-qos",
        "A filter that is subscribed again keeps the QoS that it had.",
        &["3.1.1:MQTT-3.8.4-3", "5.0:MQTT-3.8.4-3"],
        &[client(Subscribe, |moment| {
            let held: Vec<_> =
                moment.scene.subscriptions(moment.link).map(|(filter, held)| (filter.clone(), held.options)).collect();
            if let Some(Packet::Subscribe(subscribe)) = &mut moment.packet {
                for request in &mut subscribe.requests {
                    if let Some((_, options)) = held.iter().find(|(filter, _)| *filter == request.filter) {
                        request.options = *options;
                    }
                }
            }
        })],
    ),
];

/// The code that grants a QoS.
fn granted(qos: Qos) -> ReasonCode {
    match qos {
        Qos::AtMostOnce => ReasonCode::Success,
        Qos::AtLeastOnce => ReasonCode::GrantedQos1,
        Qos::ExactlyOnce => ReasonCode::GrantedQos2,
    }
}
