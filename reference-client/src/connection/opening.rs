//! CONNECT to CONNACK.

use super::state::{Connection, Output, Phase};
use super::timing::KeepAlive;
use crate::{Cause, ConnectError, ConnectOptions, Message, Offer, Session};
use model::packet::{Connack, ConnackProperties, Packet, ProtocolVersion, ReasonCode, Utf8String};
use model::wire::{Decoder, encode};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What the Server accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Session Present. 3.1 has no such flag: false.
    pub session_present: bool,
    /// The Client Identifier in force: the Server's, if it assigned one.
    pub client_id: Utf8String,
    /// The Keep Alive in force, in seconds: the Server's, if it named one.
    pub keep_alive: u16,
    /// What the Server offers.
    pub offer: Offer,
    /// The properties of CONNACK as they came.
    pub properties: ConnackProperties,
    /// Messages of the session that was to be resumed, unacknowledged, and given up because the Server has no such
    /// session any more (MQTT-3.2.2-5). They may have been delivered.
    pub discarded: Vec<Message>,
}

impl Connection {
    /// Begins a connection on a transport that is open: CONNECT is the first output.
    ///
    /// # Errors
    /// When the options break a rule; the session in them is handed back.
    pub fn open(mut options: ConnectOptions, now: Duration) -> Result<Connection, ConnectError> {
        let hand_back = |options: &mut ConnectOptions| options.session.take().map(Box::new);
        if let Err(error) = options.check() {
            return Err(ConnectError { failure: error.into(), session: hand_back(&mut options) });
        }
        let bytes = match encode(&Packet::Connect(options.packet()), options.version) {
            Ok(bytes) => bytes,
            Err(error) => {
                let failure = crate::OptionsError::from(error).into();
                return Err(ConnectError { failure, session: hand_back(&mut options) });
            }
        };
        let mut decoder = Decoder::from_server(options.version);
        decoder.set_maximum_packet_size(options.maximum_packet_size.get());
        let resumed = options.session.take();
        let resuming = resumed.is_some();
        let mut session = resumed.unwrap_or_else(|| Session::new(options.version, options.client_id.clone()));
        session.carry_over();
        let mut connection = Connection {
            phase: Phase::Opening { since: now },
            decoder,
            session,
            resuming,
            // As long as the Server has not answered, a session to resume stays what it is.
            keeps_session: resuming,
            offer: Offer::of(options.version, &ConnackProperties::default()),
            keep_alive: KeepAlive::new(options.keep_alive, options.response_timeout, now),
            requests: BTreeMap::new(),
            aliases: BTreeMap::new(),
            outputs: VecDeque::new(),
            paused: None,
            resumed_at: now,
            transport: None,
            options,
        };
        connection.send(bytes, now);
        Ok(connection)
    }

    pub(super) fn take_connack(&mut self, connack: Connack, now: Duration) {
        if !connack.code.is_accepted() {
            self.end(Cause::Refused(Box::new(connack)), None);
            return;
        }
        if connack.session_present && !self.resuming {
            // With a clean start the Server is wrong (MQTT-3.2.2-2); without one it knows more than this side does.
            let reason = match self.options.clean_start {
                true => ReasonCode::ProtocolError,
                false => ReasonCode::UnspecifiedError,
            };
            self.end(Cause::SessionStateMissing, Some(reason));
            return;
        }
        let mut discarded = Vec::new();
        // 3.1 has no Session Present: a session that was asked for is taken to be there.
        if !connack.session_present && self.options.version != ProtocolVersion::V3_1 {
            discarded.extend(self.session.unacknowledged().cloned());
            self.session = Session::new(self.options.version, self.options.client_id.clone());
        }
        let properties = connack.properties;
        // A dialect may name a client that has a name: what counts is the Server's.
        if let Some(assigned) = &properties.assigned_client_identifier {
            self.options.client_id = assigned.clone();
            self.session.assign(assigned.clone());
        } else if self.options.version == ProtocolVersion::V5_0 && self.options.client_id.is_empty() {
            // MQTT-3.2.2-16.
            self.violation(ReasonCode::ProtocolError, "CONNACK assigns no client identifier, and CONNECT had none");
            return;
        }
        let keep_alive = properties.server_keep_alive.unwrap_or(self.options.keep_alive);
        self.keep_alive = KeepAlive::new(keep_alive, self.options.response_timeout, now);
        self.keeps_session = self.options.keeps_session(properties.session_expiry_interval);
        self.offer = Offer::of(self.options.version, &properties);
        self.phase = Phase::Open;
        self.outputs.push_back(Output::Accepted(Box::new(Accepted {
            session_present: connack.session_present,
            client_id: self.options.client_id.clone(),
            keep_alive,
            offer: self.offer.clone(),
            properties,
            discarded,
        })));
    }
}
