//! Wills on their way: when a session may have published one it may come to every other, and when it must have, it is due.

use super::Judge;
use super::track::Sending;
use crate::packet::{self, ProtocolVersion, PublishProperties};
use crate::server::expiry::Expiry;
use crate::server::vocabulary::{Content, Message, SenderKey};
use crate::server::{self, ContentKey, Context, MessageKey, Millis, Moment};
use std::collections::BTreeSet;

/// A Will that is neither published for certain nor taken back.
#[derive(Debug, Clone, Hash)]
pub(super) struct Will {
    sender: SenderKey,
    clears: bool,
    /// Whether the other sessions know that it may come.
    floats: bool,
    /// Whether it came to somebody.
    came: bool,
}

impl Will {
    /// Whose it is.
    pub(super) fn sender(&self) -> SenderKey {
        self.sender
    }
}

impl Will {
    /// Whether it came to somebody.
    pub(super) fn came(&self) -> bool {
        self.came
    }
}

impl Judge {
    /// A message came that may be a Will.
    pub(super) fn note_will(&mut self, content: ContentKey) {
        for (message, will) in &mut self.wills {
            let published = self.vocabulary.of(*message);
            will.came |= will.floats && [published.content_3, published.content_5].contains(&content);
        }
    }

    /// A CONNECT brings a Will.
    pub(super) fn arm_will(&mut self, at: Millis, sender: SenderKey, will: &packet::Will) -> server::Will {
        let packet::WillProperties {
            will_delay_interval,
            payload_format_indicator,
            message_expiry_interval,
            content_type,
            response_topic,
            correlation_data,
            user_properties,
        } = will.properties.clone();
        let properties = PublishProperties {
            payload_format_indicator,
            content_type,
            response_topic,
            correlation_data,
            user_properties,
            ..PublishProperties::default()
        };
        let content = Content { topic: will.topic.to_string(), payload: will.payload.clone(), properties };
        let size = u32::try_from(will.topic.len() + will.payload.len()).unwrap_or(u32::MAX);
        let topic = self.vocabulary.topic(&will.topic);
        let content_3 = self.vocabulary.content(content.clone().seen_by(ProtocolVersion::V3_1_1));
        let content_5 = self.vocabulary.content(content.seen_by(ProtocolVersion::V5_0));
        let message = self.vocabulary.message(Message {
            sender,
            connection: 0,
            after: 0,
            topic,
            qos: will.qos,
            size,
            // It begins to expire when it is published.
            expiry: message_expiry_interval.map(|interval| Expiry { interval, earliest: at, latest: None }),
            retain: will.retain,
            is_will: true,
            content_3,
            content_5,
        });
        self.wills.insert(message, Will { sender, clears: will.payload.is_empty(), floats: false, came: false });
        server::Will { message, delay: Millis::from(will_delay_interval.unwrap_or(0)) * 1000 }
    }

    /// Wills that may have been published.
    pub(super) fn floating_wills(&self) -> impl Iterator<Item = MessageKey> {
        self.wills.iter().filter(|(_, will)| will.floats).map(|(message, _)| *message)
    }

    /// Time has come to `at`: tells the sessions of Wills that may or must have been published by now, or that were taken
    /// back. Each in its time: the last one on a topic is the one that is retained.
    pub(super) fn follow_wills(&mut self, at: Millis) {
        while let Some(turn) = self.next_turn_of_wills(at) {
            self.follow_wills_at(turn);
        }
        self.follow_wills_at(at);
    }

    /// The first moment before `at` at which time alone may have changed what is known of a Will.
    fn next_turn_of_wills(&self, at: Millis) -> Option<Millis> {
        if self.wills.is_empty() || self.followed_to >= at {
            return None;
        }
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let senders: BTreeSet<SenderKey> = self.wills.values().map(|will| will.sender).collect();
        let turns = senders.into_iter().filter_map(|sender| Some((sender, self.tracks.get(&sender)?)));
        let early = self.timing.early;
        let turns =
            turns.flat_map(|(sender, track)| track.turns_of_wills(&context, self.last_heard(at, sender), early));
        turns.filter(|turn| self.followed_to < *turn && *turn < at).min()
    }

    fn follow_wills_at(&mut self, at: Millis) {
        let messages: Vec<MessageKey> = self.wills.keys().copied().collect();
        for message in messages {
            self.follow_will(at, message);
        }
        self.followed_to = at;
    }

    fn follow_will(&mut self, at: Millis, message: MessageKey) {
        let Some(Will { sender, clears, floats, came: _ }) = self.wills.get(&message) else { return };
        let (sender, clears, floats) = (*sender, *clears, *floats);
        let moment = Moment { now: at, silence: self.silence_of(at, sender) };
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let Some(track) = self.tracks.get(&sender) else { return };
        let possible = track.may_publish_will(&context, message, moment, self.timing.early);
        let certain = track.must_publish_will(&context, message, at);
        let over = !possible && !track.holds_will(&context, message);
        if possible && !floats {
            self.float(message, Sending::First, false);
            if let Some(will) = self.wills.get_mut(&message) {
                will.floats = true;
            }
            if self.vocabulary.of(message).retain {
                self.retain(message, clears, false);
            }
        }
        if certain || over {
            self.wills.remove(&message);
            self.end_will(at, message, sender, certain);
        }
    }

    /// A Will has certainly been published, or certainly not.
    pub(super) fn end_will(&mut self, at: Millis, message: MessageKey, sender: SenderKey, published: bool) {
        self.vocabulary.taken(message, at);
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        for track in self.tracks.values_mut() {
            match published {
                true => track.settle(&context, message),
                false => track.discard(message),
            }
        }
        if let Some(track) = self.tracks.get_mut(&sender) {
            track.publish_will(message);
        }
        let Message { topic, retain, .. } = *self.vocabulary.of(message);
        match (retain, published) {
            (false, _) => {}
            (true, true) => self.retained.taken(topic, message),
            (true, false) => self.retained.refused(topic, message),
        }
    }

    /// How long the client has been silent on its latest open connection.
    pub(super) fn silence_of(&self, at: Millis, sender: SenderKey) -> Millis {
        at.saturating_sub(self.last_heard(at, sender))
    }

    /// When the client was last heard on an open connection: just now, if it has none.
    fn last_heard(&self, at: Millis, sender: SenderKey) -> Millis {
        let its = self.readings.values().filter(|reading| reading.sender == Some(sender) && reading.is_open());
        its.map(|reading| reading.last_sent).max().unwrap_or(at)
    }
}
