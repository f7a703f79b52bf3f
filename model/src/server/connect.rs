//! CONNECT, CONNACK, DISCONNECT and the end of a connection: how a session begins, outlives its connection and ends.

use super::Millis;
use super::alias::AliasTable;
use super::alphabet::{Announcement, ConnectTerms, Lifetime};
use super::authenticate::Exchange;
use super::breach::Expected;
use super::delivery::Progress;
use super::rule::{Breach, Context, Rule, SeededBug};
use super::session::{Connection, Kept, Moment, Phase, Session};
use super::shared::Shared;
use super::will;
use crate::packet::{PacketType, ProtocolVersion, Qos};
use crate::profile::{Feature, Offence, Reaction};

impl Session {
    /// CONNECT is taken. Where the end of a stored session falls into the server's freedom, both may follow.
    pub(super) fn connect(&self, context: &Context<'_>, now: Millis, terms: &ConnectTerms) -> Vec<Session> {
        let mut successors: Vec<Session> = self.refuse(context, terms).collect();
        if !terms.may_be_accepted(context) {
            return successors;
        }
        for kept in self.replaced(context, now).kept_at(context, now) {
            let session_present = kept.is_some() && !terms.clean_start;
            let mut next = self.replaced(context, now);
            next.take_back_wills(context, now, session_present);
            next.kept = Some(kept.filter(|_| session_present).unwrap_or_default());
            let link =
                connection(context, terms, Phase::Connecting { clean_start: terms.clean_start, session_present });
            for floating in next.floating.iter_mut() {
                // Nobody knows whether the server has it already, and then it need not have been stored.
                let is_stored = self.link.is_some() || context.profile.has(Feature::OfflineMessages);
                let may_be_gone = !is_stored || floating.routing.due.qos.contains(Qos::AtMostOnce);
                floating.routing.missed |= may_be_gone || !link.takes(context.vocabulary.of(floating.message));
            }
            if let Some(kept) = &mut next.kept {
                kept.ends_at = None;
                for delivery in &mut kept.deliveries {
                    delivery.owed &= link.takes(context.vocabulary.of(delivery.message));
                }
                kept.deliveries.sort();
            }
            next.link = Some(link.into());
            successors.push(next);
        }
        successors
    }

    /// The session beside a CONNECT that the server refuses, for each thing that it may name. Nothing changes: neither an older
    /// connection nor the session (3.1.1: MQTT-3.1.4-5; 5.0: MQTT-3.1.4-6).
    fn refuse(&self, context: &Context<'_>, terms: &ConnectTerms) -> impl Iterator<Item = Session> {
        let may_refuse = |offence: &&Offence| {
            let reactions = context.profile.reactions(**offence, terms.version);
            reactions.iter().any(|reaction| !reaction.keeps_connection())
        };
        terms.offences.iter().filter(may_refuse).map(|offence| {
            let mut next = self.clone();
            let phase = Phase::Condemned { offence: *offence, greeted: false };
            next.refused.push(connection(context, terms, phase).into());
            next.refused.sort();
            next
        })
    }

    /// The session after its connection, if any, has been replaced by a newer one (3.1.1: MQTT-3.1.4-2; 5.0: MQTT-3.1.4-3).
    fn replaced(&self, context: &Context<'_>, now: Millis) -> Session {
        let mut next = self.lose(context, now);
        if let Some(link) = &self.link {
            next.older.push(link.id);
        }
        next
    }

    /// Whether the session state ends by itself behind `earlier`, and not behind `later`.
    pub(crate) fn ends_between(&self, earlier: Millis, later: Millis) -> bool {
        let end = self.kept.as_ref().and_then(|kept| kept.ends_at);
        end.is_some_and(|end| earlier < end && end <= later)
    }

    /// The session state that may be there at `now`: a server may be late to discard it (5.0: MQTT-4.1.0-2), never early
    /// (5.0: MQTT-3.1.2-23).
    fn kept_at(&self, context: &Context<'_>, now: Millis) -> Vec<Option<Shared<Kept>>> {
        let lateness = Millis::from(context.profile.limits().session_expiry_lateness) * 1000;
        match &self.kept {
            Some(kept) => match kept.ends_at {
                Some(end) if now > end + lateness => vec![None],
                Some(end) if now >= end => vec![Some(kept.clone()), None],
                _ => vec![Some(kept.clone())],
            },
            None => vec![None],
        }
    }

    /// CONNACK comes.
    pub(super) fn connack(
        &self,
        context: &Context<'_>,
        present: bool,
        code: u8,
        announced: Announcement,
    ) -> Result<Session, Breach> {
        let Some(link) = &self.link else { return Err(Breach::of(Rule::ConnackComesOnce, "nothing")) };
        match link.phase {
            Phase::Connecting { clean_start, session_present } => {
                if code != 0 {
                    return Err(Breach::of(Rule::ConnectIsAccepted, "CONNACK with code 0"));
                }
                if !link.exchange.may_finish() {
                    return Err(Breach::of(Rule::AuthenticationIsAnswered, "no CONNACK before the client's AUTH"));
                }
                // V31-6: a server of 3.1 has no such flag.
                let expected = session_present && link.version != ProtocolVersion::V3_1;
                // where Session Present tells nothing, it may be 0 for a stored session too.
                let may_deny = expected && !context.profile.has_in(Feature::SessionPresent, link.version);
                if present != expected && !may_deny && !context.has_bug(SeededBug::DeniesSession) {
                    let rule = match (expected, clean_start) {
                        (true, _) => Rule::StoredSessionIsPresent,
                        (false, true) => Rule::CleanStartHasNoSession,
                        (false, false) => Rule::NoSessionIsAbsent,
                    };
                    return Err(Breach::of(rule, format!("Session Present {}", u8::from(expected))));
                }
                Ok(self.with_link(|link| {
                    link.phase = Phase::Connected;
                    link.lifetime = announced.lifetime.unwrap_or(link.lifetime);
                    link.keep_alive = announced.keep_alive.unwrap_or(link.keep_alive);
                    link.maximum_qos = announced.maximum_qos.unwrap_or(Qos::ExactlyOnce);
                    if link.exchange == Exchange::Server {
                        link.exchange = Exchange::Done;
                    }
                }))
            }
            Phase::Condemned { offence, greeted: false } => {
                let permitted = context.profile.reactions(offence, link.version).iter().any(|reaction| {
                    matches!(reaction, Reaction::Connack(wanted) if wanted.admits(code, PacketType::Connack, link.version))
                });
                if !permitted {
                    Err(Breach::of(Rule::OffenceIsRefused, self.permitted_reactions(context, offence)))
                } else if present {
                    Err(Breach::of(Rule::RefusalHasNoSession, "Session Present 0"))
                } else {
                    Ok(self.with_link(|link| link.phase = Phase::Ending { greeted: false }))
                }
            }
            _ => Err(Breach::of(Rule::ConnackComesOnce, "no second CONNACK")),
        }
    }

    /// The client's DISCONNECT is taken. It takes the Will back, unless its Reason Code asks for it (MQTT-3.1.2-10,
    /// 5.0: MQTT-3.14.4-3; 3.1.1: MQTT-3.14.4-3).
    pub(super) fn leave(&self, lifetime: Option<Lifetime>, with_will: bool) -> Session {
        self.with_link(|link| {
            link.phase = Phase::Left;
            link.lifetime = lifetime.unwrap_or(link.lifetime);
            link.will = link.will.filter(|_| with_will);
        })
    }

    /// DISCONNECT of the server comes (5.0).
    pub(super) fn disconnect(&self, context: &Context<'_>, moment: Moment, code: u8) -> Result<Session, Breach> {
        let Some(link) = &self.link else { return Err(Breach::of(Rule::DisconnectHasAReason, "nothing")) };
        match link.phase {
            Phase::Condemned { offence, greeted: true } => {
                let permitted = context.profile.reactions(offence, link.version).iter().any(|reaction| {
                    matches!(reaction, Reaction::Disconnect(wanted)
                        if wanted.admits(code, PacketType::Disconnect, link.version))
                });
                match permitted {
                    true => Ok(self.with_link(|link| link.phase = Phase::Ending { greeted: true })),
                    false => Err(Breach::of(Rule::OffenceIsRefused, self.permitted_reactions(context, offence))),
                }
            }
            Phase::Connected if link.is_overdue(moment.silence) || self.may_fail_authentication() => {
                Ok(self.with_link(|link| link.phase = Phase::Ending { greeted: true }))
            }
            Phase::Connecting { .. } | Phase::Condemned { greeted: false, .. } => {
                Err(Breach::of(Rule::ConnackComesFirst, "no DISCONNECT before an accepting CONNACK"))
            }
            _ => Err(Breach::of(Rule::DisconnectHasAReason, "no DISCONNECT")),
        }
    }

    /// The server closes.
    pub(super) fn close(&self, context: &Context<'_>, moment: Moment) -> Result<Session, Breach> {
        let Some(link) = &self.link else { return Err(Breach::of(Rule::UnprovokedClose, "nothing")) };
        match link.phase {
            Phase::Ending { .. } | Phase::Left => Ok(self.lose(context, moment.now)),
            Phase::Condemned { offence, .. } => {
                if context.profile.reactions(offence, link.version).contains(&Reaction::Close) {
                    Ok(self.lose(context, moment.now))
                } else {
                    Err(Breach::of(Rule::OffenceIsRefused, self.permitted_reactions(context, offence)))
                }
            }
            Phase::Connected if link.is_overdue(moment.silence) || self.may_fail_authentication() => {
                Ok(self.lose(context, moment.now))
            }
            Phase::Connecting { .. } => Err(Breach::of(Rule::ConnectIsAccepted, "CONNACK")),
            Phase::Connected => Err(Breach::of(Rule::UnprovokedClose, "an open connection")),
        }
    }

    /// The connection is gone: the session state stays as long as it was asked to, and what was on its way is in doubt.
    pub(super) fn lose(&self, context: &Context<'_>, now: Millis) -> Session {
        let mut next = self.clone();
        let Some(link) = next.link.take() else { return next };
        if matches!(link.phase, Phase::Condemned { greeted: false, .. }) {
            // Its CONNECT was refused: the session never was on this connection.
            return next;
        }
        next.wills.extend(link.will_after(now).filter(|_| !context.has_bug(SeededBug::ForgetsWills)));
        next.wills.sort();
        match link.lifetime {
            Lifetime::Connection => next.kept = None,
            Lifetime::For(duration) => {
                if let Some(kept) = &mut next.kept {
                    kept.ends_at = Some(now + duration);
                }
            }
            Lifetime::Forever => {}
        }
        let Some(kept) = &mut next.kept else { return next };
        for floating in next.floating.iter_mut().filter(|floating| floating.routing.may_come()) {
            floating.perhaps_sent = true;
            floating.routing.is_all_or_several &= !floating.routing.further.qos.contains(Qos::AtMostOnce);
        }
        if context.has_bug(SeededBug::ForgetsUnacknowledged) {
            kept.deliveries.retain(|delivery| !matches!(delivery.progress, Progress::Open(_)));
        }
        for delivery in &mut kept.deliveries {
            delivery.progress = delivery.progress.after_loss();
            delivery.undecided = None;
            // QoS 0 may be lost with the connection (MQTT-4.3.1-1).
            delivery.owed &= !delivery.forms.qos.contains(Qos::AtMostOnce);
        }
        kept.deliveries.sort();
        next
    }

    /// What the profile permits after `offence`, in words.
    pub(super) fn permitted_reactions(&self, context: &Context<'_>, offence: Offence) -> Expected {
        let reactions: Vec<String> =
            context.profile.reactions(offence, self.version()).iter().map(ToString::to_string).collect();
        Expected::upon(offence, format!("for {offence}: {}", reactions.join(", or ")))
    }
}

/// The connection of a CONNECT. A Keep Alive above the range, where it is accepted at all, counts as the highest.
impl ConnectTerms {
    /// Whether the server may accept it.
    #[must_use]
    pub fn may_be_accepted(&self, context: &Context<'_>) -> bool {
        let accepts = |offence| context.profile.reactions(offence, self.version).contains(&Reaction::Accept);
        self.offences.iter().all(|offence| accepts(*offence))
    }
}

fn connection(context: &Context<'_>, terms: &ConnectTerms, phase: Phase) -> Connection {
    let limits = context.profile.limits();
    let longest = Millis::from(limits.keep_alive.maximum) * 1000;
    Connection {
        id: terms.connection,
        version: terms.version,
        phase,
        lifetime: terms.lifetime,
        keep_alive: terms.keep_alive.min(longest),
        // P-SES-8.
        receive_maximum: terms.receive_maximum.min(limits.downlink_in_flight.unwrap_or(u16::MAX)),
        maximum_packet_size: terms.maximum_packet_size,
        maximum_qos: Qos::ExactlyOnce,
        responses: Vec::new(),
        will: will::held(context, terms.version, terms.will),
        aliases: AliasTable::default(),
        exchange: if terms.authenticates { Exchange::Server } else { Exchange::None },
    }
}
