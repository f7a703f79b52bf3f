//! The timed record of every byte on every connection of a variant: the only input of judge and reports.

use model::cloud::{Answer, PlatformMessage, Request};
use model::device::Transport;
use model::judge::Observation;
use model::packet::ProtocolVersion;
use model::wire::Decoder;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A connection of a variant, counted from 0 in the order of opening.
pub use model::judge::ConnectionId;

/// What happened on the connections of a variant, in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The events.
    pub events: Vec<Event>,
}

impl Trace {
    /// The peer's bytes on a connection from the packet on that a decoder refuses, at most 64 of them; empty if it refuses
    /// none.
    #[must_use]
    pub fn refused_bytes(&self, connection: ConnectionId, version: ProtocolVersion) -> Vec<u8> {
        const MOST: usize = 64;
        let mut stream = Vec::new();
        for event in self.events.iter().filter(|event| event.connection == connection) {
            if let What::Received(bytes) = &event.what {
                stream.extend_from_slice(bytes);
            }
        }
        let mut decoder = Decoder::from_server(version);
        decoder.feed(&stream);
        loop {
            match decoder.next_packet() {
                Ok(Some(_)) => {}
                Ok(None) => return Vec::new(),
                Err(refusal) => {
                    let offset = usize::try_from(refusal.offset).unwrap_or(usize::MAX);
                    let rest = stream.get(offset.saturating_sub(refusal.packet_offset)..).unwrap_or_default();
                    return rest[..rest.len().min(MOST)].to_vec();
                }
            }
        }
    }

    /// Leaves out what the peer sent behind the first `bytes` bytes: a flood is not worth keeping once it is judged. What a
    /// script sends has its bound in the script, and a report without it would say nothing.
    pub fn shorten(&mut self, bytes: usize) {
        let mut room = bytes;
        self.events.retain(|event| {
            let length = match &event.what {
                What::Received(bytes) => bytes.len(),
                What::Sent(_) | What::SentText(_) => 0,
                What::Asked { .. } | What::Answered(_) | What::Consumes | What::Delivered(_) | What::Settled { .. } => {
                    0
                }
                What::Opened(_) | What::Carried(_) | What::ClosedByPeer | What::ClosedByHarness => 0,
            };
            let fits = length <= room;
            // Once something is left out, so is all that comes behind it: a stream with a gap says nothing.
            room = if fits { room - length } else { 0 };
            fits
        });
        self.events.shrink_to_fit();
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, from the start of the variant.
    pub at: Duration,
    /// Where.
    pub connection: ConnectionId,
    /// What.
    pub what: What,
}

/// What can happen on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The harness opened it for this actor.
    Opened(String),
    /// This carries it.
    Carried(Transport),
    /// The harness sent bytes; recorded before they are written, so that no answer stands before its question.
    Sent(Vec<u8>),
    /// The harness sent bytes that are no MQTT, in a WebSocket text frame.
    SentText(Vec<u8>),
    /// The peer's bytes came.
    Received(Vec<u8>),
    /// The peer ended the connection (FIN or RST).
    ClosedByPeer,
    /// The harness ended it.
    ClosedByHarness,
    /// The business server asked the platform's API for something, each time on a connection of its own.
    Asked {
        /// What, without keys and signatures.
        request: Box<Request>,
        /// Whether it was signed as it must be.
        in_order: bool,
    },
    /// The platform's API answered.
    Answered(Box<Answer>),
    /// The business server listens to messages of devices over AMQP.
    Consumes,
    /// A message of a device came to it.
    Delivered(Box<PlatformMessage>),
    /// It said what became of a message.
    Settled {
        /// Which.
        message_id: String,
        /// It is done with; else it has to come again.
        is_accepted: bool,
    },
}

impl What {
    /// The same as the judge takes it.
    #[must_use]
    pub fn observation(&self) -> Observation<'_> {
        match self {
            What::Opened(_) => Observation::Opened,
            What::Carried(transport) => Observation::Carried(*transport),
            What::Sent(bytes) => Observation::Sent(bytes),
            What::Received(bytes) => Observation::Received(bytes),
            What::ClosedByPeer => Observation::ClosedByServer,
            // A text frame ends the client's part as a close does: what is in it is no MQTT, and the server has to close.
            What::SentText(_) | What::ClosedByHarness => Observation::ClosedByClient,
            What::Asked { request, in_order } => Observation::Asked { request, in_order: *in_order },
            What::Answered(answer) => Observation::Answered(answer),
            What::Consumes => Observation::Consumes,
            What::Delivered(message) => Observation::Delivered(message),
            What::Settled { message_id, is_accepted } => Observation::Settled { message_id, is_accepted: *is_accepted },
        }
    }
}

/// Writes the trace of one variant; all its connections share it.
#[derive(Debug, Clone)]
pub struct Recorder {
    start: Instant,
    trace: Arc<Mutex<Trace>>,
}

impl Recorder {
    /// A recorder whose time begins now.
    #[must_use]
    pub fn start() -> Recorder {
        Recorder { start: Instant::now(), trace: Arc::default() }
    }

    /// Records an event of this moment.
    pub fn record(&self, connection: ConnectionId, what: What) {
        let mut trace = self.lock();
        trace.events.push(Event { at: self.start.elapsed(), connection, what });
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The number of events so far.
    #[must_use]
    pub fn events(&self) -> usize {
        self.lock().events.len()
    }

    /// Takes out what was recorded so far.
    #[must_use]
    pub fn take(&self) -> Trace {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Trace> {
        // A vector is whole after every push: a panic elsewhere cannot leave it half written.
        self.trace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
