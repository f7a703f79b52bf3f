//! One connection of a walk.

use super::command::{Authentication, Client};
use super::memory::Deliveries;
use super::walked::Did;
use model::packet::{Packet, ProtocolVersion};
use model::wire::Decoder;
use std::collections::VecDeque;

/// A connection, as its client knows it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) client: Client,
    /// As commands write it; none before CONNECT.
    pub(super) client_id: Option<&'static str>,
    pub(super) version: ProtocolVersion,
    /// Sent, as far as the client knows, and not yet under way.
    pub(super) held_back: VecDeque<(Vec<u8>, Did)>,
    pub(super) stalled: bool,
    pub(super) unread: VecDeque<Incoming>,
    pub(super) reading: bool,
    /// CONNACK accepted it.
    pub(super) greeted: bool,
    /// CONNECT went out and is not answered.
    pub(super) awaits_answer: bool,
    /// The peer has said its last word, and closes.
    pub(super) ending: bool,
    /// DISCONNECT was sent.
    pub(super) left: bool,
    /// Its login is right, and no registration.
    pub(super) is_of_a_session: bool,
    /// Only packets were sent, whole ones, and none that is larger than servers take.
    pub(super) sound: bool,
    /// PINGREQ packets that are not answered.
    pub(super) pings: usize,
    pub(super) deliveries: Deliveries,
    /// How it answers challenges.
    pub(super) authentication: Authentication,
    received: Received,
}

/// What a connection brings.
#[derive(Debug)]
pub(super) enum Incoming {
    Packet(Box<Packet>, Vec<u8>),
    /// Bytes that are no packet.
    Refused(Vec<u8>),
    Close,
}

/// What came so far.
#[derive(Debug)]
struct Received {
    decoder: Decoder,
    /// What is not yet a packet.
    rest: Vec<u8>,
    refused: bool,
}

impl Link {
    pub(super) fn new(client: Client) -> Link {
        let version = ProtocolVersion::V3_1_1;
        Link {
            client,
            client_id: None,
            version,
            held_back: VecDeque::new(),
            stalled: false,
            unread: VecDeque::new(),
            reading: true,
            greeted: false,
            awaits_answer: false,
            ending: false,
            left: false,
            is_of_a_session: true,
            sound: true,
            pings: 0,
            deliveries: Deliveries::default(),
            authentication: Authentication::None,
            received: Received::of(version),
        }
    }

    /// The client says CONNECT in this version.
    pub(super) fn speak(&mut self, version: ProtocolVersion) {
        self.version = version;
        self.received = Received::of(version);
    }

    /// Whether a PINGREQ must be answered now.
    pub(super) fn can_ping(&self) -> bool {
        self.greeted && !self.ending && !self.left && self.sound && !self.stalled && self.reading
    }

    /// Cuts into packets what came.
    pub(super) fn arrived(&mut self, bytes: &[u8]) {
        self.received.feed(bytes, &mut self.unread);
    }

    /// The peer closed: what came of a last packet is no packet.
    pub(super) fn closed(&mut self) {
        self.received.end(&mut self.unread);
        self.unread.push_back(Incoming::Close);
    }
}

impl Received {
    fn of(version: ProtocolVersion) -> Received {
        Received { decoder: Decoder::from_server(version), rest: Vec::new(), refused: false }
    }

    fn feed(&mut self, bytes: &[u8], into: &mut VecDeque<Incoming>) {
        self.rest.extend_from_slice(bytes);
        if !self.refused {
            self.decoder.feed(bytes);
        }
        while !self.refused {
            match self.decoder.next_packet() {
                Ok(Some(decoded)) => {
                    self.rest.drain(..decoded.bytes.len().min(self.rest.len()));
                    into.push_back(Incoming::Packet(Box::new(decoded.packet), decoded.bytes));
                }
                Ok(None) => return,
                Err(_) => self.refused = true,
            }
        }
        self.end(into);
    }

    fn end(&mut self, into: &mut VecDeque<Incoming>) {
        if !self.rest.is_empty() {
            into.push_back(Incoming::Refused(std::mem::take(&mut self.rest)));
        }
    }
}
