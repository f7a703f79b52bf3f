//! A client: what it holds, and what it may do next.

use super::choice::{Choice, pick};
use super::world::Terms;
use model::packet::{
    Acknowledgement, Connect, Delivery, Disconnect, Packet, PacketId, ProtocolVersion, Publish, PublishProperties, Qos,
    Subscribe, SubscribeProperties, SubscriptionOptions, SubscriptionRequest, Unsubscribe, UnsubscribeProperties,
};
use model::profile::{Feature, Offence};
use model::server::vocabulary::{Content, Message, SenderKey};
use model::server::{ConnectTerms, ConnectionId, FilterRequest, Input, Lifetime, MessageKey, Millis, Vocabulary};

/// Something that a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Deed {
    /// CONNECT on a new connection, perhaps beside an older one.
    Connect,
    Subscribe,
    Unsubscribe,
    Publish,
    /// PUBACK for something that has come.
    Acknowledge,
    Ping,
    /// DISCONNECT.
    Leave,
    /// The connection ends without a word.
    Break,
    Offend,
}

/// A client identifier and what its owner remembers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    pub(crate) number: usize,
    pub(crate) version: ProtocolVersion,
    /// Its newest connection.
    pub(crate) current: Option<ConnectionId>,
    /// What it has sent and had no answer to: SUBSCRIBE, UNSUBSCRIBE.
    pub(crate) asked: Vec<PacketId>,
    /// Its QoS 1 messages without PUBACK.
    pub(crate) unanswered: Vec<(PacketId, MessageKey)>,
    /// What it has done, where that is limited.
    pub(crate) done: Vec<Deed>,
}

/// One connection as its client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    pub(crate) client: usize,
    pub(crate) version: ProtocolVersion,
    /// Whether CONNACK has come.
    pub(crate) connected: bool,
    /// Whether the client has said its last word.
    pub(crate) silent: bool,
    /// Deliveries that wait for PUBACK.
    pub(crate) received: Vec<PacketId>,
}

/// A packet, as bytes see it and as the model does.
pub(crate) struct Utterance {
    pub(crate) packet: Packet,
    pub(crate) input: Input,
}

impl Client {
    pub(crate) fn identifier(&self) -> String {
        format!("c{}", self.number)
    }

    /// An identifier that is not in use.
    fn free_id(&self, terms: &Terms, choice: &mut dyn Choice) -> PacketId {
        let used = |id: PacketId| self.asked.contains(&id) || self.unanswered.iter().any(|(open, _)| *open == id);
        let mut id = match terms.inventive {
            true => PacketId::new(1 + choice.below(20) as u16).unwrap(),
            false => PacketId::FIRST,
        };
        while used(id) {
            id = id.next();
        }
        id
    }

    pub(crate) fn connect(&self, terms: &Terms, connection: ConnectionId, choice: &mut dyn Choice) -> Utterance {
        let clean_start = choice.once_in(terms.clean_once_in);
        let mut connect =
            Connect { clean_start, client_id: self.identifier().try_into().unwrap(), ..Connect::default() };
        connect.keep_alive = if terms.profile.has(Feature::KeepAliveOff) { 0 } else { 1200 };
        let mut offence = None;
        let lifetime = if self.version.has_properties() {
            let interval = *pick(choice, terms.intervals);
            connect.properties.session_expiry_interval = (interval > 0).then_some(interval);
            connect.properties.receive_maximum = (*pick(choice, terms.windows)).try_into().ok();
            if terms.inventive && choice.once_in(24) {
                connect.properties.authentication_method = Some("none".try_into().unwrap());
                offence = Some(Offence::BadAuthenticationMethod);
            }
            Lifetime::of_interval(interval)
        } else if clean_start {
            Lifetime::Connection
        } else {
            Lifetime::Forever
        };
        let input = Input::Connect(ConnectTerms {
            connection,
            version: self.version,
            clean_start,
            lifetime,
            keep_alive: Millis::from(connect.keep_alive) * 1000,
            receive_maximum: connect.properties.receive_maximum.map_or(u16::MAX, std::num::NonZeroU16::get),
            maximum_packet_size: None,
            offence,
        });
        Utterance { packet: Packet::Connect(connect), input }
    }

    pub(crate) fn subscribe(
        &mut self,
        terms: &Terms,
        vocabulary: &mut Vocabulary,
        choice: &mut dyn Choice,
    ) -> Utterance {
        let packet_id = self.free_id(terms, choice);
        self.asked.push(packet_id);
        let count = if terms.inventive && choice.once_in(4) { 2 } else { 1 };
        let mut requests = Vec::new();
        let mut asked = Vec::new();
        for _ in 0..count {
            let misplaced = terms.inventive && choice.once_in(32);
            let filter = if misplaced { "t#" } else { pick(choice, terms.filters) };
            let options = SubscriptionOptions {
                qos: *pick(choice, terms.qos),
                no_local: terms.inventive && self.version.has_properties() && choice.once_in(6),
                ..SubscriptionOptions::default()
            };
            let offence = misplaced.then_some(Offence::TopicFilterInvalid);
            asked.push(FilterRequest { filter: vocabulary.filter(filter), options, offence });
            requests.push(SubscriptionRequest { filter: filter.try_into().unwrap(), options });
        }
        let packet = Subscribe { packet_id, properties: SubscribeProperties::default(), requests };
        Utterance { packet: Packet::Subscribe(packet), input: Input::Subscribe { id: packet_id, requests: asked } }
    }

    pub(crate) fn unsubscribe(
        &mut self,
        terms: &Terms,
        vocabulary: &mut Vocabulary,
        choice: &mut dyn Choice,
    ) -> Utterance {
        let packet_id = self.free_id(terms, choice);
        self.asked.push(packet_id);
        let filter = *pick(choice, terms.filters);
        let packet = Unsubscribe {
            packet_id,
            properties: UnsubscribeProperties::default(),
            filters: vec![filter.try_into().unwrap()],
        };
        Utterance {
            packet: Packet::Unsubscribe(packet),
            input: Input::Unsubscribe { id: packet_id, filters: vec![vocabulary.filter(filter)] },
        }
    }

    /// A new message. `number` tells it from others, unless chance wants messages alike.
    pub(crate) fn publish(
        &mut self,
        terms: &Terms,
        vocabulary: &mut Vocabulary,
        connected: u32,
        number: u32,
        choice: &mut dyn Choice,
    ) -> Utterance {
        let wildcard = terms.inventive && choice.once_in(64);
        let topic = if wildcard { "t/+" } else { pick(choice, terms.topics) };
        let alike = terms.inventive && choice.once_in(6);
        let payload = if alike { b"same".to_vec() } else { format!("m{number}").into_bytes() };
        let mut properties = PublishProperties::default();
        if terms.inventive && self.version.has_properties() && choice.once_in(6) {
            properties.content_type = Some("text".try_into().unwrap());
        }
        let content = Content { topic: topic.to_owned(), payload, properties };
        let content_3 = vocabulary.content(content.clone().seen_by(ProtocolVersion::V3_1_1));
        let content_5 = vocabulary.content(content.seen_by(ProtocolVersion::V5_0));
        let qos = *pick(choice, terms.qos);
        let key = vocabulary.topic(topic);
        let message = vocabulary.message(Message {
            sender: SenderKey(self.number as u32),
            connection: connected,
            topic: key,
            qos,
            size: 0,
            expires: false,
            content_3,
            content_5,
        });
        let offence = wildcard.then_some(Offence::TopicNameInvalid);
        let delivery = match qos {
            Qos::AtMostOnce => Delivery::AtMostOnce,
            _ => {
                let packet_id = self.free_id(terms, choice);
                self.unanswered.push((packet_id, message));
                Delivery::AtLeastOnce { packet_id, dup: false }
            }
        };
        published(vocabulary, message, delivery, offence)
    }

    /// What was not answered is sent again, in order.
    pub(crate) fn publish_again(&self, vocabulary: &Vocabulary) -> Vec<Utterance> {
        let again = self.unanswered.iter().map(|(packet_id, message)| {
            let wildcard = vocabulary.content_of(vocabulary.of(*message).content_5).topic.contains('+');
            let delivery = Delivery::AtLeastOnce { packet_id: *packet_id, dup: true };
            published(vocabulary, *message, delivery, wildcard.then_some(Offence::TopicNameInvalid))
        });
        again.collect()
    }

    /// Something that a client must not send, beside what is wrong with the packets above.
    pub(crate) fn offend(&self, connection: ConnectionId, terms: &Terms, choice: &mut dyn Choice) -> Utterance {
        match choice.below(3) {
            0 => {
                let Utterance { packet, .. } = self.connect(terms, connection, choice);
                Utterance { packet, input: Input::Offence(Offence::SecondConnect) }
            }
            _ => acknowledgement(PacketId::new(60_000 + choice.below(2) as u16).unwrap()),
        }
    }
}

pub(crate) fn acknowledgement(id: PacketId) -> Utterance {
    Utterance { packet: Packet::Puback(Acknowledgement::success(id)), input: Input::Puback { id } }
}

pub(crate) fn ping() -> Utterance {
    Utterance { packet: Packet::Pingreq, input: Input::Pingreq }
}

pub(crate) fn farewell() -> Utterance {
    Utterance { packet: Packet::Disconnect(Disconnect::normal()), input: Input::Disconnect { lifetime: None } }
}

fn published(vocabulary: &Vocabulary, message: MessageKey, delivery: Delivery, offence: Option<Offence>) -> Utterance {
    let content = vocabulary.content_of(vocabulary.of(message).content_5);
    let publish = Publish {
        delivery,
        retain: false,
        topic: content.topic.as_str().try_into().unwrap(),
        properties: content.properties.clone(),
        payload: content.payload.clone(),
    };
    let input = Input::Publish { message, id: publish.packet_id(), offence };
    Utterance { packet: Packet::Publish(publish), input }
}
