//! A client: what it holds, and what it may do next.

use super::choice::{Choice, pick};
use super::terms::{Terms, Theme};
use model::packet::{
    self, Acknowledgement, Connect, Delivery, Disconnect, Packet, PacketId, ProtocolVersion, Publish,
    PublishProperties, Qos, ReasonCode, RetainHandling, Subscribe, SubscribeProperties, SubscriptionIdentifier,
    SubscriptionOptions, SubscriptionRequest, Unsubscribe, UnsubscribeProperties, WillProperties,
};
use model::profile::{Feature, Offence};
use model::server::expiry::Expiry;
use model::server::vocabulary::{Content, Message, SenderKey};
use model::server::{ConnectTerms, ConnectionId, FilterRequest, Input, Lifetime, MessageKey, Millis, Vocabulary, Will};
use std::collections::BTreeMap;
use std::num::NonZeroU16;

/// Something that a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Deed {
    /// CONNECT on a new connection, perhaps beside an older one.
    Connect,
    Subscribe,
    Unsubscribe,
    Publish,
    /// The next packet of an exchange: PUBACK, PUBREC, PUBREL or PUBCOMP.
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
    /// Its messages above QoS 0 whose exchange is not complete.
    pub(crate) unanswered: Vec<Unanswered>,
    /// What it has done, where that is limited.
    pub(crate) done: Vec<Deed>,
}

/// A message above QoS 0 that waits for PUBACK, PUBREC or, once that has come, PUBCOMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Unanswered {
    pub(crate) id: PacketId,
    pub(crate) message: MessageKey,
    pub(crate) received: bool,
    /// Nobody has heard it: it was said on a connection that the server had left behind.
    pub(crate) unheard: bool,
}

/// What a client has to send for an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Puback(PacketId),
    Pubrec(PacketId),
    Pubrel(PacketId),
    Pubcomp(PacketId),
}

/// One connection as its client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    pub(crate) client: usize,
    pub(crate) version: ProtocolVersion,
    /// Whether CONNACK has come.
    pub(crate) connected: bool,
    /// Whether the session ends with it.
    pub(crate) ends_session: bool,
    /// Whether the client has said its last word.
    pub(crate) silent: bool,
    /// Packets that it owes.
    pub(crate) answers: Vec<Answer>,
    /// The Topic Aliases that it has set, and those of the server.
    pub(crate) aliases: BTreeMap<u16, String>,
    pub(crate) server_aliases: BTreeMap<u16, String>,
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
        let used = |id: PacketId| self.asked.contains(&id) || self.unanswered.iter().any(|open| open.id == id);
        let mut id = match terms.inventive {
            true => PacketId::new(1 + choice.below(20) as u16).unwrap(),
            false => PacketId::FIRST,
        };
        while used(id) {
            id = id.next();
        }
        id
    }

    pub(crate) fn connect(
        &self,
        terms: &Terms,
        vocabulary: &mut Vocabulary,
        connection: ConnectionId,
        now: Millis,
        choice: &mut dyn Choice,
    ) -> Utterance {
        let clean_start = terms.clean_once_in > 0 && choice.once_in(terms.clean_once_in);
        let mut connect =
            Connect { clean_start, client_id: self.identifier().try_into().unwrap(), ..Connect::default() };
        connect.keep_alive = if terms.profile.has(Feature::KeepAliveOff) { 0 } else { 1200 };
        let mut offence = None;
        let lifetime = if self.version.has_properties() {
            let interval = *pick(choice, terms.intervals);
            connect.properties.session_expiry_interval = (interval > 0).then_some(interval);
            connect.properties.receive_maximum = (*pick(choice, terms.windows)).try_into().ok();
            connect.properties.topic_alias_maximum = terms.has(Theme::Aliases).then_some(ALIASES);
            if terms.has(Theme::Offences) && choice.once_in(24) {
                connect.properties.authentication_method = Some("none".try_into().unwrap());
                offence = Some(Offence::BadAuthenticationMethod);
            }
            Lifetime::of_interval(interval)
        } else if clean_start {
            Lifetime::Connection
        } else {
            Lifetime::Forever
        };
        let wills = terms.has(Theme::Wills) && terms.profile.has_in(Feature::Will, self.version) && choice.once_in(3);
        let will = wills.then(|| self.will(terms, vocabulary, connection, now, &mut connect, choice));
        let input = Input::Connect(ConnectTerms {
            connection,
            version: self.version,
            clean_start,
            lifetime,
            keep_alive: Millis::from(connect.keep_alive) * 1000,
            receive_maximum: connect.properties.receive_maximum.map_or(u16::MAX, NonZeroU16::get),
            maximum_packet_size: None,
            will,
            authenticates: connect.properties.authentication_method.is_some(),
            offences: offence.into_iter().collect(),
        });
        Utterance { packet: Packet::Connect(connect), input }
    }

    fn will(
        &self,
        terms: &Terms,
        vocabulary: &mut Vocabulary,
        connection: ConnectionId,
        now: Millis,
        connect: &mut Connect,
        choice: &mut dyn Choice,
    ) -> Will {
        let delay = if self.version.has_properties() { *pick(choice, &[0, 0, 3]) } else { 0 };
        let will = packet::Will {
            topic: (*pick(choice, terms.topics)).try_into().unwrap(),
            payload: format!("will of {connection}").into_bytes(),
            qos: *pick(choice, terms.qos),
            retain: terms.has(Theme::Retained)
                && terms.profile.has_in(Feature::RetainedMessages, self.version)
                && choice.once_in(3),
            properties: WillProperties {
                will_delay_interval: (delay > 0).then_some(delay),
                ..WillProperties::default()
            },
        };
        let content = Content {
            topic: will.topic.to_string(),
            payload: will.payload.clone(),
            properties: PublishProperties::default(),
        };
        let message = self.message(vocabulary, 0, now, content, will.qos, will.retain);
        let message = vocabulary.message(Message { is_will: true, ..message });
        connect.will = Some(will);
        Will { message, delay: Millis::from(delay) * 1000 }
    }

    fn message(
        &self,
        vocabulary: &mut Vocabulary,
        connection: u32,
        now: Millis,
        content: Content,
        qos: Qos,
        retain: bool,
    ) -> Message {
        let interval = content.properties.message_expiry_interval;
        Message {
            sender: SenderKey(self.number as u32),
            connection,
            after: connection.saturating_sub(1),
            topic: vocabulary.topic(&content.topic),
            qos,
            size: 0,
            expiry: interval.map(|interval| Expiry { interval, earliest: now, latest: None }),
            retain,
            is_will: false,
            content_3: vocabulary.content(content.clone().seen_by(ProtocolVersion::V3_1_1)),
            content_5: vocabulary.content(content.seen_by(ProtocolVersion::V5_0)),
        }
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
        let is_new = self.version.has_properties();
        let identified = is_new
            && terms.has(Theme::Identifiers)
            && terms.profile.has_in(Feature::SubscriptionIdentifiers, self.version)
            && choice.once_in(2);
        let identifier = identified.then(|| SubscriptionIdentifier::new(1 + choice.below(3) as u32).unwrap());
        let mut requests = Vec::new();
        let mut asked = Vec::new();
        for _ in 0..count {
            let misplaced = terms.has(Theme::Offences) && choice.once_in(32);
            let shared = is_new
                && terms.has(Theme::Shares)
                && terms.profile.has_in(Feature::SharedSubscriptions, self.version)
                && choice.once_in(4);
            let filter = match (misplaced, shared) {
                (true, _) => "t#".to_owned(),
                (_, true) => format!("$share/g/{}", pick(choice, terms.filters)),
                _ => (*pick(choice, terms.filters)).to_owned(),
            };
            let options = SubscriptionOptions {
                qos: *pick(choice, terms.qos),
                no_local: terms.inventive && is_new && !shared && choice.once_in(6),
                retain_as_published: is_new && terms.has(Theme::Retained) && choice.once_in(3),
                retain_handling: match is_new && terms.has(Theme::Retained) {
                    true => RetainHandling::from_value(choice.below(3) as u8).unwrap(),
                    false => RetainHandling::Send,
                },
            };
            let offences = [misplaced.then_some(Offence::TopicFilterInvalid), None];
            let key = vocabulary.filter(&filter);
            let (retained, inherited) = (Vec::new(), Vec::new());
            asked.push(FilterRequest { filter: key, options, identifier, retained, inherited, offences });
            requests.push(SubscriptionRequest { filter: filter.try_into().unwrap(), options });
        }
        let properties = SubscribeProperties { subscription_identifier: identifier, ..SubscribeProperties::default() };
        Utterance {
            packet: Packet::Subscribe(Subscribe { packet_id, properties, requests }),
            input: Input::Subscribe { id: packet_id, requests: asked },
        }
    }

    pub(crate) fn unsubscribe(
        &mut self,
        terms: &Terms,
        vocabulary: &mut Vocabulary,
        choice: &mut dyn Choice,
    ) -> Utterance {
        let packet_id = self.free_id(terms, choice);
        self.asked.push(packet_id);
        let mut filter = (*pick(choice, terms.filters)).to_owned();
        if self.version.has_properties() && terms.has(Theme::Shares) && choice.once_in(4) {
            filter = format!("$share/g/{filter}");
        }
        let key = vocabulary.filter(&filter);
        let packet = Unsubscribe {
            packet_id,
            properties: UnsubscribeProperties::default(),
            filters: vec![filter.try_into().unwrap()],
        };
        Utterance {
            packet: Packet::Unsubscribe(packet),
            input: Input::Unsubscribe { id: packet_id, filters: vec![key], invalid: None },
        }
    }

    /// A new message. `number` tells it from others, unless chance wants messages alike.
    pub(crate) fn publish(
        &mut self,
        terms: &Terms,
        vocabulary: &mut Vocabulary,
        connection: ConnectionId,
        now: Millis,
        number: u32,
        choice: &mut dyn Choice,
    ) -> Utterance {
        let wildcard = terms.has(Theme::Offences) && choice.once_in(64);
        let topic = if wildcard { "t/+" } else { pick(choice, terms.topics) };
        let retain = terms.has(Theme::Retained)
            && terms.profile.has_in(Feature::RetainedMessages, self.version)
            && choice.once_in(4);
        let payload = match choice.below(if terms.inventive { 40 } else { 1 }) {
            1 => b"same".to_vec(),
            2..=8 if retain => Vec::new(),
            _ => format!("m{number}").into_bytes(),
        };
        let mut properties = PublishProperties::default();
        if self.version.has_properties() {
            properties.content_type = (terms.inventive && choice.once_in(6)).then(|| "text".try_into().unwrap());
            properties.message_expiry_interval = (terms.has(Theme::Expiry) && choice.once_in(6)).then_some(9);
        }
        let content = Content { topic: topic.to_owned(), payload, properties: properties.clone() };
        let qos = *pick(choice, terms.qos);
        let message = self.message(vocabulary, connection.0, now, content, qos, retain);
        let message = vocabulary.message(message);
        let offence = wildcard.then_some(Offence::TopicNameInvalid);
        let id = (qos > Qos::AtMostOnce).then(|| self.free_id(terms, choice));
        self.unanswered.extend(id.map(|id| Unanswered { id, message, received: false, unheard: false }));
        published(vocabulary, message, id, false, offence)
    }

    /// Its last message was said where nobody listens.
    pub(crate) fn was_unheard(&mut self, utterance: &Utterance) {
        let Input::Publish { message, .. } = &utterance.input else { return };
        self.unanswered.iter_mut().filter(|open| open.message == *message).for_each(|open| open.unheard = true);
    }

    /// What was not answered is sent again on this connection, in order. What nobody has heard is a new message here.
    pub(crate) fn resume(&mut self, vocabulary: &mut Vocabulary, connection: ConnectionId) -> Vec<Utterance> {
        for open in self.unanswered.iter_mut().filter(|open| open.unheard) {
            open.unheard = false;
            let (connection, after) = (connection.0, connection.0.saturating_sub(1));
            let unheard = vocabulary.of(open.message).clone();
            open.message = vocabulary.message(Message { connection, after, ..unheard });
        }
        let again = self.unanswered.iter().map(|Unanswered { id, message, received, .. }| {
            let wildcard = vocabulary.content_of(vocabulary.of(*message).content_5).topic.contains('+');
            match received {
                true => Answer::Pubrel(*id).utterance(),
                false => {
                    published(vocabulary, *message, Some(*id), true, wildcard.then_some(Offence::TopicNameInvalid))
                }
            }
        });
        again.collect()
    }

    /// PUBREC has come: what follows, if anything.
    pub(crate) fn received(&mut self, id: PacketId, code: u8) -> Option<Answer> {
        if code >= 0x80 {
            self.unanswered.retain(|open| open.id != id || open.received);
            return None;
        }
        let open = self.unanswered.iter_mut().find(|open| open.id == id)?;
        open.received = true;
        Some(Answer::Pubrel(id))
    }

    /// Something that a client must not send, beside what is wrong with the packets above.
    pub(crate) fn offend(&self, choice: &mut dyn Choice) -> Utterance {
        let connect = Connect { client_id: self.identifier().try_into().unwrap(), ..Connect::default() };
        let id = PacketId::new(60_000 + choice.below(2) as u16).unwrap();
        match choice.below(3) {
            0 => Utterance { packet: Packet::Connect(connect), input: Input::Offence(Offence::SecondConnect) },
            _ => Answer::Puback(id).utterance(),
        }
    }
}

impl Answer {
    pub(crate) fn utterance(self) -> Utterance {
        let success = Acknowledgement::success;
        match self {
            Answer::Puback(id) => Utterance { packet: Packet::Puback(success(id)), input: Input::Puback { id } },
            Answer::Pubrec(id) => {
                Utterance { packet: Packet::Pubrec(success(id)), input: Input::Pubrec { id, refused: false } }
            }
            Answer::Pubrel(id) => Utterance { packet: Packet::Pubrel(success(id)), input: Input::Pubrel { id } },
            Answer::Pubcomp(id) => Utterance { packet: Packet::Pubcomp(success(id)), input: Input::Pubcomp { id } },
        }
    }
}

impl Link {
    pub(crate) fn new(client: &Client, ends_session: bool) -> Link {
        Link {
            client: client.number,
            version: client.version,
            connected: false,
            ends_session,
            silent: false,
            answers: Vec::new(),
            aliases: BTreeMap::new(),
            server_aliases: BTreeMap::new(),
        }
    }
}

/// How many Topic Aliases both sides allow.
pub(crate) const ALIASES: u16 = 2;

/// Puts a Topic Alias in the place of a topic that it stands for, or sets it, now and then.
pub(crate) fn use_alias(aliases: &mut BTreeMap<u16, String>, publish: &mut Publish, choice: &mut dyn Choice) {
    let alias = 1 + choice.below(2 * usize::from(ALIASES)) as u16;
    if alias > ALIASES {
        return;
    }
    publish.properties.topic_alias = NonZeroU16::new(alias);
    if aliases.get(&alias).is_some_and(|topic| *topic == *publish.topic) {
        publish.topic = packet::Utf8String::default();
    } else {
        aliases.insert(alias, publish.topic.to_string());
    }
}

pub(crate) fn ping() -> Utterance {
    Utterance { packet: Packet::Pingreq, input: Input::Pingreq }
}

pub(crate) fn farewell(with_will: bool) -> Utterance {
    let disconnect = match with_will {
        true => Disconnect::because(ReasonCode::DisconnectWithWillMessage),
        false => Disconnect::normal(),
    };
    Utterance { packet: Packet::Disconnect(disconnect), input: Input::Disconnect { lifetime: None, with_will } }
}

fn published(
    vocabulary: &Vocabulary,
    message: MessageKey,
    id: Option<PacketId>,
    dup: bool,
    offence: Option<Offence>,
) -> Utterance {
    let Message { qos, retain, content_5, expiry, .. } = *vocabulary.of(message);
    let content = vocabulary.content_of(content_5);
    let mut properties = content.properties.clone();
    properties.message_expiry_interval = expiry.map(|expiry| expiry.interval);
    let publish = Publish {
        delivery: delivery(qos, id, dup),
        retain,
        topic: content.topic.as_str().try_into().unwrap(),
        properties,
        payload: content.payload.clone(),
    };
    Utterance {
        packet: Packet::Publish(publish),
        input: Input::Publish { message, id, alias: None, offences: offence.into_iter().collect() },
    }
}

pub(crate) fn delivery(qos: Qos, id: Option<PacketId>, dup: bool) -> Delivery {
    match (qos, id) {
        (Qos::AtMostOnce, _) | (_, None) => Delivery::AtMostOnce,
        (Qos::AtLeastOnce, Some(packet_id)) => Delivery::AtLeastOnce { packet_id, dup },
        (Qos::ExactlyOnce, Some(packet_id)) => Delivery::ExactlyOnce { packet_id, dup },
    }
}
