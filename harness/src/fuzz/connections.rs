//! The connections of a walk as streams of bytes, on a runtime of their own: in virtual time with an embedded peer, in real
//! time with any other.

use crate::case::Transport;
use crate::target::Peer;
use crate::trace::ConnectionId;
use crate::wire::{MOST_BYTES, Stream};
use model::cloud::Answer;
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use transport::Opened;
use transport::web_socket::Frames;

/// How long a peer may take to accept a connection, or the bytes that it is sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes taken from a stream at once.
const PIECE: usize = 16 << 10;

/// The open connections.
#[derive(Debug)]
pub(super) struct Connections {
    peer: Peer,
    started: Instant,
    open: BTreeMap<ConnectionId, Open>,
    sender: UnboundedSender<Arrival>,
    arrivals: UnboundedReceiver<Arrival>,
    /// Last, so that it outlives what runs on it.
    runtime: Runtime,
}

#[derive(Debug)]
struct Open {
    writer: WriteHalf<Box<dyn Stream>>,
    reader: JoinHandle<()>,
    frames: Option<Frames>,
}

impl Drop for Open {
    fn drop(&mut self) {
        // A reader that nobody listens to would keep the stream open.
        self.reader.abort();
    }
}

/// Something that came from the peer.
#[derive(Debug)]
pub(super) struct Arrival {
    /// When, from the start of the walk.
    pub(super) at: Duration,
    /// Where.
    pub(super) connection: ConnectionId,
    /// What.
    pub(super) what: Arrived,
}

/// What can come.
#[derive(Debug)]
pub(super) enum Arrived {
    Bytes(Vec<u8>),
    /// The peer closed; or it sent more than anybody should.
    Close,
    /// The API answered, or nobody did.
    Answer(Result<Answer, String>),
}

impl Connections {
    /// No connection to this peer yet.
    ///
    /// # Errors
    /// When there is no runtime to be had.
    pub(super) fn new(peer: Peer) -> io::Result<Connections> {
        let runtime = match peer.is_virtual() {
            true => Builder::new_current_thread().enable_time().start_paused(true).build()?,
            false => Builder::new_current_thread().enable_all().build()?,
        };
        let started = runtime.block_on(async { Instant::now() });
        let (sender, arrivals) = unbounded_channel();
        Ok(Connections { peer, started, open: BTreeMap::new(), sender, arrivals, runtime })
    }

    /// Whether time is virtual: then all that can happen has happened after a moment.
    pub(super) fn is_virtual(&self) -> bool {
        self.peer.is_virtual()
    }

    /// The time since the start of the walk.
    pub(super) fn now(&self) -> Duration {
        self.runtime.block_on(async { self.started.elapsed() })
    }

    /// Runs something to its end.
    pub(super) fn run<F: Future>(&self, something: F) -> F::Output {
        self.runtime.block_on(something)
    }

    /// Waits for something on this connection, while all else goes on.
    pub(super) fn expect(&self, connection: ConnectionId, coming: impl Future<Output = Arrived> + Send + 'static) {
        let (sender, started) = (self.sender.clone(), self.started);
        self.runtime.spawn(async move {
            let what = coming.await;
            // A walk that is over waits for nothing.
            let _ = sender.send(Arrival { at: started.elapsed(), connection, what });
        });
    }

    /// What carries a connection that is opened like that, as logins tell of it.
    pub(super) fn carries(&self, wanted: &[Transport]) -> model::device::Transport {
        self.peer.carries(wanted)
    }

    /// The frames of a connection, if it is a WebSocket.
    pub(super) fn frames(&self, id: ConnectionId) -> Option<&Frames> {
        self.open.get(&id)?.frames.as_ref()
    }

    /// Opens a connection, over this where that is for us to choose.
    ///
    /// # Errors
    /// When the peer does not accept it.
    pub(super) fn open(&mut self, id: ConnectionId, wanted: &[Transport]) -> io::Result<()> {
        let (peer, sender, started) = (&self.peer, self.sender.clone(), self.started);
        let open = self.runtime.block_on(async {
            let opened = timeout(PATIENCE, peer.connect(wanted)).await.map_err(|_| io::ErrorKind::TimedOut)?;
            let Opened { stream, frames, .. } = opened.map_err(io::Error::other)?;
            let (read_half, writer) = tokio::io::split(stream);
            let reader = tokio::spawn(read(read_half, id, started, sender));
            Ok::<Open, io::Error>(Open { writer, reader, frames })
        })?;
        self.open.insert(id, open);
        Ok(())
    }

    /// Writes to a connection. One that the peer has closed, or does not read, takes nothing.
    pub(super) fn write(&mut self, id: ConnectionId, bytes: &[u8]) {
        if let Some(open) = self.open.get_mut(&id) {
            let write = async {
                open.writer.write_all(bytes).await?;
                open.writer.flush().await
            };
            // What comes of it shows in what the peer does next.
            let _ = self.runtime.block_on(async { timeout(PATIENCE, write).await });
        }
    }

    /// Ends a connection.
    pub(super) fn close(&mut self, id: ConnectionId) {
        if let Some(mut open) = self.open.remove(&id) {
            self.runtime.block_on(async {
                open.reader.abort();
                // Only when both halves are gone does the peer see the end.
                let _ = (&mut open.reader).await;
            });
        }
    }

    /// Lets time pass.
    pub(super) fn sleep(&self, duration: Duration) {
        self.runtime.block_on(async { sleep(duration).await });
    }

    /// Lets everybody have so many turns, in no time.
    pub(super) fn give_turns(&self, turns: usize) {
        self.runtime.block_on(async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        });
    }

    /// The next that came, without waiting.
    pub(super) fn take(&mut self) -> Option<Arrival> {
        self.arrivals.try_recv().ok()
    }

    /// The next that comes, at most so long.
    pub(super) fn wait(&mut self, within: Duration) -> Option<Arrival> {
        let next = self.arrivals.recv();
        self.runtime.block_on(async { timeout(within, next).await.ok().flatten() })
    }
}

async fn read(
    mut stream: ReadHalf<Box<dyn Stream>>,
    connection: ConnectionId,
    started: Instant,
    sender: UnboundedSender<Arrival>,
) {
    let mut piece = vec![0; PIECE];
    let mut room = MOST_BYTES;
    loop {
        let what = match stream.read(&mut piece).await {
            Ok(length) if length > 0 && length <= room => {
                room -= length;
                Arrived::Bytes(piece[..length].to_vec())
            }
            _ => Arrived::Close,
        };
        let is_over = matches!(what, Arrived::Close);
        let listens = sender.send(Arrival { at: started.elapsed(), connection, what }).is_ok();
        if is_over || !listens {
            break;
        }
    }
}
