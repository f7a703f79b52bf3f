//! CONNECT: checks, takeover, CONNACK.
//!
//! Each check is a function of its own that says how CONNECT is refused. A login is one more of them.

use super::alias::SentAliases;
use super::authenticate::Authentication;
use super::broker::{ConnectionId, Core};
use super::connection::{Connection, Link, Peer, reason_string};
use super::disconnect::Violation;
use super::keep_alive::longest_silence;
use super::limits;
use super::login::{Login, Owner};
use super::session::{Expiry, SessionId};
use super::timers::Timer;
use crate::settings::Announcement;
use crate::switch::Switch;
use model::device::{Extras, KICK_NOTICE};
use model::packet::{
    Connack, ConnackCode, ConnackProperties, Connect, ConnectReturnCode, Delivery, Packet, ProtocolVersion, Publish,
    PublishProperties, Qos, ReasonCode, Utf8String,
};
use std::num::NonZeroU16;

/// How CONNECT is refused.
#[derive(Debug)]
pub(super) struct Refused {
    /// The code of 3.x; without one the connection is just closed.
    return_code: Option<ConnectReturnCode>,
    /// The code of 5.0.
    reason: ReasonCode,
    says: String,
}

impl Refused {
    pub(super) fn new(return_code: ConnectReturnCode, reason: ReasonCode, says: impl Into<String>) -> Refused {
        Refused { return_code: Some(return_code), reason, says: says.into() }
    }

    /// A refusal for which 3.x has no code (MQTT-3.2.2-6 of 3.1.1).
    pub(super) fn silently_in_3x(reason: ReasonCode, says: impl Into<String>) -> Refused {
        Refused { return_code: None, reason, says: says.into() }
    }

    /// The version is not served.
    pub(super) fn version() -> Refused {
        Refused::new(
            ConnectReturnCode::UnacceptableProtocolVersion,
            ReasonCode::UnsupportedProtocolVersion,
            "protocol version not served",
        )
    }

    pub(super) fn client_id(says: impl Into<String>) -> Refused {
        Refused::new(ConnectReturnCode::IdentifierRejected, ReasonCode::ClientIdentifierNotValid, says)
    }
}

impl Core {
    pub(super) fn connect(&mut self, id: ConnectionId, version: ProtocolVersion, connect: Connect) {
        let peer = Peer {
            version,
            maximum_packet_size: connect.properties.maximum_packet_size.map(u32::from),
            problem_information: connect.properties.request_problem_information.unwrap_or(true),
        };
        match self.check_connect(id, version, &connect) {
            Ok(_) if connect.properties.authentication_method.is_some() => self.challenge_candidate(id, peer, connect),
            Ok(login) => self.accept_connect(id, peer, connect, login),
            Err(refused) => self.refuse_connect(id, peer, &refused),
        }
    }

    pub(super) fn refuse_connect(&mut self, id: ConnectionId, peer: Peer, refused: &Refused) {
        let code = match refused.return_code {
            _ if peer.version.has_properties() => Some(ConnackCode::Reason(refused.reason)),
            return_code => return_code.map(ConnackCode::Return),
        };
        if let Some(code) = code {
            let reason_string = reason_string(peer.version, &refused.says);
            let properties = ConnackProperties { reason_string, ..ConnackProperties::default() };
            self.send_to(id, peer, Packet::Connack(Connack { session_present: false, code, properties }));
        }
        self.close(id);
    }

    pub(super) fn check_connect(
        &mut self,
        id: ConnectionId,
        version: ProtocolVersion,
        connect: &Connect,
    ) -> Result<Login, Refused> {
        self.check_version(version)?;
        self.check_authentication_method(connect)?;
        let login = self.check_login(id, version, connect)?;
        if login.registration.is_none() || self.settings.misbehaves(Switch::RegistrationKeepAliveChecked) {
            self.check_keep_alive(connect)?; // P-REG-1
        }
        self.check_will(version, connect)?;
        self.check_user_properties(connect)?;
        self.check_room(&login.owner)?;
        Ok(login)
    }

    fn check_version(&self, version: ProtocolVersion) -> Result<(), Refused> {
        if self.settings.versions.contains(&version) { Ok(()) } else { Err(Refused::version()) }
    }

    /// Any Client Identifier will do, in 3.1 also beyond its 23 characters (P-VER-4); an empty one where the version
    /// lets the server assign one.
    pub(super) fn check_client_id(&self, version: ProtocolVersion, connect: &Connect) -> Result<(), Refused> {
        if !connect.client_id.is_empty() {
            return Ok(());
        }
        match version {
            ProtocolVersion::V3_1 => Err(Refused::client_id("empty client identifier")),
            ProtocolVersion::V3_1_1 if !connect.clean_start => {
                Err(Refused::client_id("empty client identifier without clean session"))
            }
            _ if !self.settings.empty_client_id => Err(Refused::client_id("empty client identifier")),
            ProtocolVersion::V3_1_1 | ProtocolVersion::V5_0 => Ok(()),
        }
    }

    fn check_keep_alive(&self, connect: &Connect) -> Result<(), Refused> {
        let range = self.settings.keep_alive;
        if range.contains(connect.keep_alive) || self.settings.misbehaves(Switch::KeepAliveNotChecked) {
            return Ok(());
        }
        //
        let says = format!("keep alive must be {} to {}", range.minimum, range.maximum);
        Err(Refused::new(ConnectReturnCode::IdentifierRejected, ReasonCode::UnspecifiedError, says))
    }

    fn check_user_properties(&self, connect: &Connect) -> Result<(), Refused> {
        limits::check_user_properties(&self.settings.limits, &connect.properties.user_properties)
            .map_err(|exceeded| Refused::silently_in_3x(exceeded.reason, exceeded.says))
    }

    fn check_room(&self, owner: &Owner) -> Result<(), Refused> {
        if self.sessions.of_owner(owner).is_some() || self.sessions.count() < self.settings.limits.sessions {
            return Ok(());
        }
        Err(Refused::new(ConnectReturnCode::ServerUnavailable, ReasonCode::QuotaExceeded, "too many sessions"))
    }

    pub(super) fn accept_connect(&mut self, id: ConnectionId, peer: Peer, connect: Connect, login: Login) {
        let Login { owner, assigned, extras, registration } = login;
        self.take_over(&owner);
        let stored = self.stored_session(&owner, connect.clean_start);
        let session = stored.unwrap_or_else(|| self.sessions.create(owner));
        self.resume_session(session);
        self.establish(id, peer, session, &connect, extras);

        let session_present = stored.is_some() && !connect.clean_start && peer.version != ProtocolVersion::V3_1;
        let code = match peer.version {
            ProtocolVersion::V5_0 => ConnackCode::Reason(ReasonCode::Success),
            _ => ConnackCode::Return(ConnectReturnCode::Accepted),
        };
        let properties = match peer.version {
            ProtocolVersion::V5_0 => self.announcement(&connect, assigned),
            _ => ConnackProperties::default(),
        };
        if !self.send(id, Packet::Connack(Connack { session_present, code, properties })) {
            return self.close(id); // No CONNACK is small enough for this Client.
        }
        if let Some((registration, device)) = registration {
            return self.answer_registration(id, registration, &device);
        }
        self.keep_will(session, peer.version, connect.will);
        self.release_again(session);
        self.send_waiting(session);
    }

    /// Ends the connection that is using the Client's session (MQTT-3.1.4-3; 3.1: before CONNACK, V31-13).
    fn take_over(&mut self, owner: &Owner) {
        if self.settings.misbehaves(Switch::TakeoverLeavesOldConnection) {
            return;
        }
        if let Some(session) = self.sessions.of_owner(owner)
            && let Some(old) = self.sessions.find(session).and_then(|session| session.connection)
        {
            self.notify_kicked(old);
            self.disconnect(old, &Violation::new(ReasonCode::SessionTakenOver, "session taken over"));
        }
    }

    /// Tells a device that asked for it why its connection ends (P-CON-5).
    fn notify_kicked(&mut self, old: ConnectionId) {
        let asked = match self.connections.get(&old) {
            Some(Connection::Established(link)) => link.extras.notices,
            _ => false,
        };
        if asked {
            let notice = Publish {
                delivery: Delivery::AtMostOnce,
                retain: false,
                topic: Utf8String::new("/ext/notify").expect("it is short and holds no U+0000"),
                properties: PublishProperties::default(),
                payload: KICK_NOTICE.as_bytes().to_vec(),
            };
            self.send(old, Packet::Publish(notice));
        }
    }

    /// The session that is still stored for the Client; with Clean Start there is none any more (MQTT-3.1.2-4).
    fn stored_session(&mut self, owner: &Owner, clean_start: bool) -> Option<SessionId> {
        let stored = self.sessions.of_owner(owner)?;
        if clean_start && self.settings.misbehaves(Switch::SessionKeptOverCleanStart) {
            return Some(stored);
        }
        if clean_start {
            self.end_session(stored);
            return None;
        }
        Some(stored)
    }

    fn establish(&mut self, id: ConnectionId, peer: Peer, session_id: SessionId, connect: &Connect, extras: Extras) {
        let Some(session) = self.sessions.find_mut(session_id) else { return };
        session.connection = Some(id);
        session.expiry = match peer.version {
            ProtocolVersion::V5_0 => Expiry::from_seconds(connect.properties.session_expiry_interval.unwrap_or(0)),
            _ if connect.clean_start => Expiry::AtClose,
            _ => Expiry::Never,
        };
        let receive_maximum = connect.properties.receive_maximum.map_or(u16::MAX, u16::from);
        let overrun = self.settings.misbehaves(Switch::InFlightLimitOverrun);
        let window = if overrun { u16::MAX } else { receive_maximum.min(self.settings.limits.in_flight) };
        session.delivery.begin(window);

        self.forget_connection(id);
        let longest_silence = longest_silence(connect.keep_alive);
        let silence_check = self.now + longest_silence.unwrap_or(0);
        if longest_silence.is_some() {
            self.timers.set(silence_check, Timer::KeepAlive(id));
        }
        let authentication = match connect.properties.authentication_method {
            None => Authentication::Absent,
            Some(_) => Authentication::Done,
        };
        let link = Link {
            session: session_id,
            peer,
            extras,
            longest_silence,
            last_heard: self.now,
            silence_check,
            authentication,
            received_aliases: self.first_aliases(),
            sent_aliases: SentAliases::new(
                self.settings.sent_topic_aliases,
                connect.properties.topic_alias_maximum.unwrap_or(0),
            ),
        };
        self.connections.insert(id, Connection::Established(link));
        self.arrives(session_id, id);
    }

    /// What CONNACK of 5.0 tells about this broker.
    fn announcement(&self, connect: &Connect, assigned: Option<Utf8String>) -> ConnackProperties {
        let settings = &self.settings;
        // What is not announced is available.
        let announced = |available: bool| match settings.announcement {
            Announcement::Differences => (!available).then_some(false),
            Announcement::Everything => Some(available),
        };
        let differences = ConnackProperties {
            assigned_client_identifier: assigned,
            authentication_method: connect.properties.authentication_method.clone(),
            topic_alias_maximum: Some(settings.topic_alias_maximum).filter(|&maximum| maximum > 0),
            receive_maximum: Some(settings.limits.receive_maximum).filter(|&maximum| maximum < NonZeroU16::MAX),
            maximum_qos: Some(settings.maximum_qos).filter(|&maximum| maximum < Qos::ExactlyOnce),
            retain_available: announced(settings.retained_messages.contains(&ProtocolVersion::V5_0)),
            maximum_packet_size: Some(settings.limits.maximum_packet_size),
            wildcard_subscription_available: announced(true),
            subscription_identifier_available: announced(settings.subscription_identifiers),
            shared_subscription_available: announced(settings.shared_subscriptions),
            ..ConnackProperties::default()
        };
        match settings.announcement {
            Announcement::Differences => differences,
            Announcement::Everything => ConnackProperties {
                session_expiry_interval: connect.properties.session_expiry_interval,
                server_keep_alive: Some(connect.keep_alive),
                ..differences
            },
        }
    }
}
