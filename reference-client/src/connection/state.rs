//! The state of a connection and the ways to its end.

use super::requests::Request;
use super::timing::KeepAlive;
use crate::{Accepted, Cause, ConnectOptions, Ended, NotSendable, Offer, PublishError, Received, Session};
use model::packet::{Disconnect, Packet, PacketId, PacketType, ProtocolVersion, ReasonCode, Utf8String};
use model::wire::Decoder;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::num::NonZeroU16;
use std::time::Duration;

/// What a connection wants of the world.
#[derive(Debug)]
pub enum Output {
    /// Send these bytes: one packet.
    Send(Vec<u8>),
    /// CONNACK accepted the connection.
    Accepted(Box<Accepted>),
    /// Something for the application; nothing more is taken from the Server until [`Connection::event_taken`].
    Event(Event),
    /// A message that was published on this connection has come to its end.
    Settled(Settled),
    /// SUBACK or UNSUBACK has come.
    Answered(Answer),
    /// The connection is over: send what is queued, close the transport. Always the last output.
    Ended(Box<Ended>),
}

/// What happens without having been asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The Server delivered a message.
    Message(Received),
    /// A message that an earlier connection published and this one sent again has come to its end.
    ResentSettled {
        /// The Packet Identifier that it had all the time.
        packet_id: PacketId,
        /// The Reason Code (3.x: Success), or why it did not get through. A message that the Server no longer offers to
        /// take, a larger one than its new Maximum Packet Size, is given up as `NotSendable`.
        outcome: Result<ReasonCode, PublishError>,
    },
}

/// The end of a message above QoS 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Which message.
    pub packet_id: PacketId,
    /// The Reason Code (3.x: Success), or the failure that the Server reported.
    pub outcome: Result<ReasonCode, PublishError>,
}

/// The answer to SUBSCRIBE or UNSUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Which request.
    pub packet_id: PacketId,
    /// One a filter, in their order. UNSUBACK of 3.x has none: then Success for each.
    pub codes: Vec<ReasonCode>,
}

/// One connection of a Client.
#[derive(Debug)]
pub struct Connection {
    pub(super) options: ConnectOptions,
    pub(super) phase: Phase,
    pub(super) decoder: Decoder,
    pub(super) session: Session,
    /// Whether there is state of the session from before this connection.
    pub(super) resuming: bool,
    /// Whether the session outlives this connection.
    pub(super) keeps_session: bool,
    pub(super) offer: Offer,
    pub(super) keep_alive: KeepAlive,
    pub(super) requests: BTreeMap<PacketId, Request>,
    /// Topic Aliases of the Server; at most as many as were announced.
    pub(super) aliases: BTreeMap<NonZeroU16, Utf8String>,
    pub(super) outputs: VecDeque<Output>,
    pub(super) paused: Option<Pause>,
    /// When the latest pause ended: answers may have waited behind it.
    pub(super) resumed_at: Duration,
    /// How the transport ended, once nothing more can be received.
    pub(super) transport: Option<Cause>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// CONNECT is sent.
    Opening {
        /// When.
        since: Duration,
    },
    /// CONNACK accepted.
    Open,
    /// Nothing more is sent or taken.
    Over,
}

/// An event is with the application.
#[derive(Debug)]
pub(super) struct Pause {
    pub(super) since: Duration,
    /// PUBACK or PUBREC, sent when the event is taken.
    pub(super) acknowledgement: Option<Packet>,
}

impl Connection {
    /// Takes bytes that the Server sent.
    pub fn received(&mut self, bytes: &[u8]) {
        self.decoder.feed(bytes);
    }

    /// The Server closed, or the transport failed: once what was received is used up, the connection is over.
    pub fn transport_ended(&mut self, error: Option<io::Error>) {
        self.transport.get_or_insert(error.map_or(Cause::ServerClosed, Cause::Transport));
    }

    /// The next thing to do, if there is one.
    pub fn poll(&mut self, now: Duration) -> Option<Output> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            if self.phase == Phase::Over || self.paused.is_some() {
                return None;
            }
            if self.resend_next(now) {
                continue;
            }
            match self.decoder.next_packet() {
                Ok(Some(decoded)) => self.take(decoded.packet, now),
                Ok(None) => match self.transport.take() {
                    Some(cause) => self.end(cause, None),
                    None => return None,
                },
                Err(refusal) => {
                    let reason = match refusal.fault.reason_code() {
                        code if code.is_permitted_in(PacketType::Disconnect) => code,
                        _ => ReasonCode::ProtocolError,
                    };
                    self.end(Cause::Malformed(refusal), Some(reason));
                }
            }
        }
    }

    /// The application has the event that [`poll`](Self::poll) returned last: acknowledges it and goes on.
    pub fn event_taken(&mut self, now: Duration) {
        let Some(pause) = self.paused.take() else { return };
        self.resumed_at = now;
        self.keep_alive.resumed(now);
        if let (Some(packet), Phase::Open) = (pause.acknowledgement, self.phase) {
            self.answer(&packet, now);
        }
    }

    /// Ends the connection as the application wants it: sends `disconnect`, after which nothing is sent
    /// (MQTT-3.14.4-1). 3.x can only say [`Disconnect::normal`].
    ///
    /// # Errors
    /// When a Client may not send this DISCONNECT, or there is no connection.
    pub fn disconnect(&mut self, disconnect: &Disconnect, now: Duration) -> Result<(), NotSendable> {
        if self.phase != Phase::Open {
            return Err(NotSendable::NotConnected);
        }
        if !self.is_client_reason(disconnect.reason) {
            return Err(NotSendable::Disconnect("a client may not send DISCONNECT with this reason code"));
        }
        if disconnect.properties.server_reference.is_some() {
            return Err(NotSendable::Disconnect("a client's DISCONNECT carries no server reference"));
        }
        let expiry = disconnect.properties.session_expiry_interval;
        if expiry.is_some_and(|seconds| seconds > 0) && self.options.session_expiry_interval == 0 {
            return Err(NotSendable::Disconnect(
                "a session that ends with its connection cannot be kept by DISCONNECT",
            ));
        }
        let bytes = self.offer.encode(&Packet::Disconnect(disconnect.clone()))?;
        self.send(bytes, now);
        if let Some(seconds) = expiry {
            self.keeps_session = seconds > 0;
        }
        self.end(Cause::Disconnected, None);
        Ok(())
    }

    /// The reasons that the table of 5.0 section 3.14.2.1 gives to Clients; 3.x has the first.
    fn is_client_reason(&self, reason: ReasonCode) -> bool {
        use ReasonCode as Reason;
        match self.options.version {
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => reason == Reason::Success,
            ProtocolVersion::V5_0 => matches!(
                reason,
                Reason::Success
                    | Reason::DisconnectWithWillMessage
                    | Reason::UnspecifiedError
                    | Reason::MalformedPacket
                    | Reason::ProtocolError
                    | Reason::ImplementationSpecificError
                    | Reason::BadAuthenticationMethod
                    | Reason::TopicNameInvalid
                    | Reason::ReceiveMaximumExceeded
                    | Reason::TopicAliasInvalid
                    | Reason::PacketTooLarge
                    | Reason::MessageRateTooHigh
                    | Reason::QuotaExceeded
                    | Reason::AdministrativeAction
                    | Reason::PayloadFormatInvalid
            ),
        }
    }

    /// Whether the connection is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Queues one packet.
    pub(super) fn send(&mut self, bytes: Vec<u8>, now: Duration) {
        self.keep_alive.sent(now);
        self.outputs.push_back(Output::Send(bytes));
    }

    /// Sends what the protocol owes the Server.
    pub(super) fn answer(&mut self, packet: &Packet, now: Duration) {
        match self.offer.encode(packet) {
            Ok(bytes) => self.send(bytes, now),
            Err(error) => self.end(Cause::CannotAnswer(error), Some(ReasonCode::UnspecifiedError)),
        }
    }

    /// Hands an event to the application.
    pub(super) fn hand_over(&mut self, event: Event, acknowledgement: Option<Packet>, now: Duration) {
        self.paused = Some(Pause { since: now, acknowledgement });
        self.outputs.push_back(Output::Event(event));
    }

    /// The Server broke a rule (5.0: MQTT-4.13.1-1 with 4.13.2; 3.1.1: MQTT-4.8.0-1).
    pub(super) fn violation(&mut self, reason: ReasonCode, what: impl Into<String>) {
        self.end(Cause::ProtocolError { reason, what: what.into() }, Some(reason));
    }

    /// Ends the connection. A 5.0 Server is told `reason`; in 3.x a DISCONNECT would mean that all is well, so the
    /// transport is closed without one.
    pub(super) fn end(&mut self, cause: Cause, reason: Option<ReasonCode>) {
        if let (Some(reason), ProtocolVersion::V5_0) = (reason, self.options.version) {
            // One that the Server would refuse for its size is left out: closing says enough.
            let packet = Packet::Disconnect(Disconnect::because(reason));
            self.outputs.extend(self.offer.encode(&packet).ok().map(Output::Send));
        }
        self.phase = Phase::Over;
        self.paused = None;
        let fresh = Session::new(self.options.version, self.options.client_id.clone());
        let session = std::mem::replace(&mut self.session, fresh);
        let session = self.keeps_session.then_some(session);
        self.outputs.push_back(Output::Ended(Box::new(Ended { cause, session })));
    }
}
