//! The judge asked beforehand: what may come next, whether nothing need come, and when time alone changes the answer.
//!
//! With these questions the judge is a server: one that does all that it would let pass, and nothing else
//! ([`permitted`](crate::permitted)).

use super::track::Decided;
use super::{Judge, Track};
use crate::packet::{Connect, ProtocolVersion};
use crate::profile::Profile;
use crate::server::turns::MOMENT;
use crate::server::vocabulary::{Content, SenderKey};
use crate::server::{ConnectionId, ContentKey, Context, MessageKey, Millis, Moment, Representative};

/// Something that a server might send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// For which session.
    pub session: SenderKey,
    /// What, and on which of its connections.
    pub representative: Representative,
}

impl Judge {
    /// What a server might send at `at`, as far as anybody could tell it apart. Some of it may not be permitted after all:
    /// that shows when it is observed.
    pub fn offers(&mut self, at: Millis) -> Vec<Offer> {
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let (mut offers, mut too_wide) = (Vec::new(), Vec::new());
        for (sender, track) in &self.tracks {
            let moment = Moment { now: at, silence: self.silence_of(at, *sender) };
            match track.offers(&context, moment) {
                Some(of_session) => offers
                    .extend(of_session.into_iter().map(|representative| Offer { session: *sender, representative })),
                None => too_wide.push(*sender),
            }
        }
        self.give_up(&too_wide);
        offers
    }

    /// These sessions may be in too many states to be followed.
    pub(super) fn give_up(&mut self, sessions: &[SenderKey]) {
        for sender in sessions {
            if let Some(track) = self.tracks.get_mut(sender) {
                track.give_up();
            }
        }
    }

    /// Time has come to `at`: what may have expired is owed no more.
    pub fn pass_time(&mut self, at: Millis) {
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        self.tracks.values_mut().for_each(|track| Track::pass_time(track, &context, at));
    }

    /// Whether the server may leave it at what it has sent. If it may, the judge goes on from a server that has: nothing that
    /// it owed at `at` comes later.
    pub fn come_to_rest(&mut self, at: Millis) -> bool {
        self.follow_wills(at);
        if self.must_close(at) || self.unanswered().next().is_some() {
            return false;
        }
        self.end_overdue_wills(at);
        let senders: Vec<SenderKey> = self.tracks.keys().copied().collect();
        loop {
            let mut decided = Decided::default();
            for sender in &senders {
                let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
                let Some(track) = self.tracks.get_mut(sender) else { continue };
                if !track.come_to_rest(&context) {
                    return false;
                }
                let Decided { taken, doubtful } = track.decided();
                decided.taken.extend(taken);
                decided.doubtful.extend(doubtful);
            }
            // What a server has read may still be due to others.
            if decided.taken.is_empty() && decided.doubtful.is_empty() {
                return !self.owes_share() && self.cloud_rests(at);
            }
            self.pass_on(at, &decided, &[]);
        }
    }

    /// The first moment after `at` at which time alone changes what may come.
    #[must_use]
    pub fn next_turn(&self, at: Millis) -> Option<Millis> {
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        let turns = self.tracks.iter().flat_map(|(sender, track)| {
            let heard = at.saturating_sub(self.silence_of(at, *sender));
            track.turns(&context, heard)
        });
        let expiries =
            self.vocabulary.messages().filter_map(|(_, message)| message.expiry).flat_map(|expiry| expiry.turns());
        turns
            .chain(expiries)
            .chain(self.turns_of_cloud())
            .chain(self.turns_of_consumers())
            .filter(|turn| *turn > at)
            .min()
    }

    /// Why the judge has lost track of a session, if it has.
    #[must_use]
    pub fn overflow(&self) -> Option<String> {
        self.tracks.values().find_map(|track| track.overflow())
    }

    /// The dialect that it judges by.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The content of a token.
    #[must_use]
    pub fn content_of(&self, content: ContentKey) -> &Content {
        self.vocabulary.content_of(content)
    }

    /// The version of a connection, once it is known.
    #[must_use]
    pub fn version_of(&self, connection: ConnectionId) -> Option<ProtocolVersion> {
        self.readings.get(&connection)?.version()
    }

    /// Whether anything can still come on a connection.
    #[must_use]
    pub fn is_open(&self, connection: ConnectionId) -> bool {
        self.readings.get(&connection).is_some_and(|reading| reading.is_open())
    }

    /// Whose session is on a connection.
    #[must_use]
    pub fn session_on(&self, connection: ConnectionId) -> Option<SenderKey> {
        self.readings.get(&connection)?.sender
    }

    /// The CONNECT of a connection, once it came.
    #[must_use]
    pub fn connect_of(&self, connection: ConnectionId) -> Option<&Connect> {
        self.readings.get(&connection)?.connect.as_ref()
    }

    /// Wills that would be late a moment later have been published, and so have those that came to somebody.
    fn end_overdue_wills(&mut self, at: Millis) {
        let messages: Vec<MessageKey> = self.wills.keys().copied().collect();
        for message in messages {
            let Some((sender, came)) = self.wills.get(&message).map(|will| (will.sender(), will.came())) else {
                continue;
            };
            let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
            let is_due =
                self.tracks.get(&sender).is_some_and(|track| track.must_publish_will(&context, message, at + MOMENT));
            if is_due || came {
                self.wills.remove(&message);
                self.end_will(at, message, sender, true);
            }
        }
    }

    /// Whether a client has been silent for as long as it may be: a moment later a close would be too late.
    fn must_close(&self, at: Millis) -> bool {
        let context = Context { profile: &self.profile, vocabulary: &self.vocabulary, bug: None };
        self.readings.iter().filter(|(_, reading)| reading.is_open()).any(|(connection, reading)| {
            let track = reading.sender.and_then(|sender| self.tracks.get(&sender));
            let limit = track.and_then(|track| track.silence_limit(&context, *connection));
            limit.is_some_and(|limit| at.saturating_sub(reading.last_sent) + 1 >= limit)
        })
    }
}
