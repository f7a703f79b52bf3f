//! One connection of an actor: bytes in and out, everything recorded with its time, packets parsed as they come.
//!
//! A task reads from the moment of opening, whatever the script does, so no answer can come too early to be seen. What it
//! holds is bounded: a peer that sends without end is cut off.

use crate::trace::{ConnectionId, Recorder, What};
use model::packet::{Packet, PacketType, ProtocolVersion};
use model::wire::{Decoder, Fault, Refusal};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
pub use transport::Stream;
use transport::web_socket::Frames;

/// The most bytes that a connection takes in. Cases stay far below; a flood must not eat the memory of the machine.
pub const MOST_BYTES: usize = 4 << 20;

/// The most packets that a connection takes in: a flood of tiny ones costs more memory than its bytes.
pub const MOST_PACKETS: usize = 1 << 16;

/// How many of the first bytes are kept as they came: a refusal of CONNECT in any version is shorter.
const BEGINNING: usize = 64;

/// Bytes taken from the stream at once.
const PIECE: usize = 16 << 10;

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    id: ConnectionId,
    recorder: Recorder,
    inbox: Arc<Mutex<Inbox>>,
    writer: WriteHalf<Box<dyn Stream>>,
    reader: JoinHandle<()>,
    sent: Sent,
    frames: Option<Frames>,
}

/// What came in on a connection.
#[derive(Debug, Default)]
pub struct Inbox {
    /// Packets that no expectation has taken yet, in the order of their arrival.
    pub packets: VecDeque<Arrived>,
    /// The first bytes, as they came.
    pub beginning: Vec<u8>,
    /// Why the peer's bytes are no MQTT, if they are not. What follows them is not parsed.
    pub refusal: Option<Refusal>,
    /// The peer sent more than a connection takes; nothing more is read.
    pub flooded: bool,
    /// When the peer closed.
    pub closed: Option<Instant>,
}

/// A packet that came.
#[derive(Debug)]
pub struct Arrived {
    /// The packet.
    pub packet: Packet,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// When.
    pub at: Instant,
    /// Whether the script's scope knows of it.
    pub noted: bool,
}

/// What the harness sent, as the peer reads it.
#[derive(Debug)]
struct Sent {
    decoder: Decoder,
    refused: bool,
    /// A DISCONNECT was sent: the client's part is over.
    disconnect: bool,
}

/// Why bytes could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The peer has closed or reset the connection.
    #[error("the connection is closed: {0}")]
    Closed(io::Error),
    /// The peer does not read.
    #[error("the peer takes no more bytes")]
    NotRead,
}

impl Inbox {
    /// The first packet of this type that nobody has taken.
    #[must_use]
    pub fn first(&self, packet_type: PacketType) -> Option<(usize, &Arrived)> {
        self.packets.iter().enumerate().find(|(_, arrived)| arrived.packet.packet_type() == packet_type)
    }

    /// Whether nothing more can come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.closed.is_some() || self.flooded
    }
}

impl Connection {
    /// Takes over a stream that was just opened for `actor`, and its frames if it is a WebSocket. `changed` is notified
    /// whenever something comes in.
    #[must_use]
    pub fn open(
        stream: Box<dyn Stream>,
        frames: Option<Frames>,
        id: ConnectionId,
        actor: &str,
        version: ProtocolVersion,
        recorder: Recorder,
        changed: Arc<Notify>,
    ) -> Connection {
        recorder.record(id, What::Opened(actor.to_owned()));
        let (read_half, writer) = tokio::io::split(stream);
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let mut decoder = Decoder::from_server(version);
        decoder.set_maximum_packet_size(MOST_BYTES as u32);
        let reader = Reader { id, recorder: recorder.clone(), inbox: Arc::clone(&inbox), changed, decoder };
        let reader = tokio::spawn(reader.run(read_half));
        let sent = Sent { decoder: Decoder::from_client(), refused: false, disconnect: false };
        Connection { id, recorder, inbox, writer, reader, sent, frames }
    }

    /// Its number in the trace.
    #[must_use]
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// What came in.
    pub fn inbox(&self) -> MutexGuard<'_, Inbox> {
        lock(&self.inbox)
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// When the peer has closed, or does not read until `deadline`.
    pub async fn send(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), SendError> {
        self.recorder.record(self.id, What::Sent(bytes.to_vec()));
        self.sent.follow(bytes);
        self.write(bytes, deadline).await
    }

    /// Sends bytes in a WebSocket text frame, and so does all that is sent later: the server has to close.
    ///
    /// # Errors
    /// As for [`send`](Connection::send).
    pub async fn send_text(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), SendError> {
        if let Some(frames) = &self.frames {
            frames.send_text();
        }
        self.recorder.record(self.id, What::SentText(bytes.to_vec()));
        self.write(bytes, deadline).await
    }

    /// A handle of its frames, if it is a WebSocket.
    #[must_use]
    pub fn frames(&self) -> Option<&Frames> {
        self.frames.as_ref()
    }

    async fn write(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), SendError> {
        let write = async {
            self.writer.write_all(bytes).await?;
            self.writer.flush().await
        };
        match timeout_at(deadline, write).await {
            Ok(written) => written.map_err(SendError::Closed),
            Err(_) => Err(SendError::NotRead),
        }
    }

    /// Whether a PINGREQ can be sent now and must be answered: the client said CONNECT and not yet DISCONNECT, the server
    /// accepted it, and the peer waits for no rest of a packet.
    #[must_use]
    pub fn can_ping(&self, accepted: bool) -> bool {
        accepted && !self.is_over() && !self.sent.disconnect && self.sent.is_between_packets()
    }

    /// Whether a DISCONNECT was sent on it.
    #[must_use]
    pub fn said_disconnect(&self) -> bool {
        self.sent.disconnect
    }

    /// Whether the peer expects the beginning of a packet next.
    #[must_use]
    pub fn is_between_packets(&self) -> bool {
        self.sent.is_between_packets()
    }

    /// Whether nothing more can come in.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.inbox().is_over()
    }

    /// Ends the connection at once; what the peer may still send is not seen.
    pub async fn abort(mut self) {
        self.stop_reading().await;
        if self.inbox().closed.is_none() {
            self.recorder.record(self.id, What::ClosedByHarness);
        }
    }

    /// Ends a connection on which the client said DISCONNECT: ends the sending direction and lets the peer end the other
    /// one, at most until `deadline`.
    pub async fn close(mut self, deadline: Instant) {
        if !self.is_over() {
            // An error says that the peer was quicker, a timeout that it does not care: then we end both directions.
            let _ = timeout_at(deadline, self.writer.shutdown()).await;
            let _ = timeout_at(deadline, &mut self.reader).await;
        }
        self.abort().await;
    }

    async fn stop_reading(&mut self) {
        if !self.reader.is_finished() {
            self.reader.abort();
            // Waiting gives the read half back: only when both halves are gone does the peer see the end.
            let _ = (&mut self.reader).await;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A reader that nobody waits for would keep the stream open.
        self.reader.abort();
    }
}

impl Sent {
    fn follow(&mut self, bytes: &[u8]) {
        self.decoder.feed(bytes);
        loop {
            match self.decoder.next_packet() {
                Ok(Some(decoded)) => self.disconnect |= matches!(decoded.packet, Packet::Disconnect(_)),
                Ok(None) => break,
                Err(_) => {
                    self.refused = true;
                    break;
                }
            }
        }
    }

    fn is_between_packets(&self) -> bool {
        !self.refused && self.decoder.pending() == 0
    }
}

/// The task that reads.
struct Reader {
    id: ConnectionId,
    recorder: Recorder,
    inbox: Arc<Mutex<Inbox>>,
    changed: Arc<Notify>,
    decoder: Decoder,
}

impl Reader {
    async fn run(mut self, mut stream: ReadHalf<Box<dyn Stream>>) {
        let mut piece = vec![0; PIECE];
        let (mut bytes, mut packets) = (0, 0);
        loop {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => {
                    self.recorder.record(self.id, What::ClosedByPeer);
                    lock(&self.inbox).closed = Some(Instant::now());
                }
                Ok(length) => {
                    self.recorder.record(self.id, What::Received(piece[..length].to_vec()));
                    bytes += length;
                    packets += self.parse(&piece[..length]);
                    if bytes > MOST_BYTES || packets > MOST_PACKETS {
                        lock(&self.inbox).flooded = true;
                    }
                }
            }
            let is_over = lock(&self.inbox).is_over();
            self.changed.notify_waiters();
            if is_over {
                break;
            }
        }
    }

    /// Puts whole packets into the inbox. A piece counts as a packet too: single bytes are a flood like any other.
    fn parse(&mut self, bytes: &[u8]) -> usize {
        let mut inbox = lock(&self.inbox);
        let mut count = 1;
        let room = BEGINNING - inbox.beginning.len();
        inbox.beginning.extend(bytes.iter().take(room));
        if inbox.refusal.is_some() {
            return count;
        }
        self.decoder.feed(bytes);
        loop {
            match self.decoder.next_packet() {
                Ok(Some(decoded)) => {
                    let (packet, bytes) = (decoded.packet, decoded.bytes);
                    inbox.packets.push_back(Arrived { packet, bytes, at: Instant::now(), noted: false });
                    count += 1;
                }
                Ok(None) => return count,
                Err(refusal) if refusal.fault == Fault::PacketTooLarge => {
                    inbox.flooded = true;
                    return count;
                }
                Err(refusal) => {
                    inbox.refusal = Some(refusal);
                    return count;
                }
            }
        }
    }
}

fn lock(inbox: &Mutex<Inbox>) -> MutexGuard<'_, Inbox> {
    // Every change leaves the inbox whole: a panic elsewhere cannot have left it half written.
    inbox.lock().unwrap_or_else(PoisonError::into_inner)
}
