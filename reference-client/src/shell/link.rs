//! A byte stream with bounded buffers and bounded waits.

use std::future::pending;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::{Instant, sleep_until, timeout};

/// Bytes that may wait to be sent before nothing more is taken from application or Server.
const ROOM: usize = 64 * 1024;

/// How long the end of a connection may take: the last bytes out, and the Server's side closed.
const CLOSING: Duration = Duration::from_secs(1);

pub(super) struct Link<S> {
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    incoming: Box<[u8]>,
    outgoing: Vec<u8>,
    needs_flush: bool,
    /// Since when bytes wait without any progress.
    stuck_since: Instant,
    patience: Duration,
    /// The error that ended sending. What the Server said before is still read.
    broken: Option<io::Error>,
    ended: bool,
}

/// What became of one exchange with the stream.
pub(super) enum Exchanged {
    /// So many bytes are in [`Link::read`].
    Read(usize),
    /// Bytes were written.
    Wrote,
    /// The Server closed its side, or the stream failed.
    Ended(Option<io::Error>),
}

impl<S: AsyncRead + AsyncWrite> Link<S> {
    /// `patience`: how long the Server may take no bytes.
    pub(super) fn new(stream: S, patience: Duration) -> Link<S> {
        let (reader, writer) = split(stream);
        Link {
            reader,
            writer,
            incoming: vec![0; 8 * 1024].into_boxed_slice(),
            outgoing: Vec::new(),
            needs_flush: false,
            stuck_since: Instant::now(),
            patience,
            broken: None,
            ended: false,
        }
    }

    /// Whether there is room for another packet.
    pub(super) fn has_room(&self) -> bool {
        self.outgoing.len() < ROOM
    }

    /// Queues bytes to be sent.
    pub(super) fn queue(&mut self, bytes: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        if self.outgoing.is_empty() {
            self.stuck_since = Instant::now();
        }
        self.outgoing.extend_from_slice(bytes);
    }

    /// The bytes of the latest [`Exchanged::Read`].
    pub(super) fn read(&self, count: usize) -> &[u8] {
        &self.incoming[..count]
    }

    /// Reads, if wanted, and writes what is queued, whichever can be done first. Cancel-safe.
    pub(super) async fn exchange(&mut self, reading: bool) -> Exchanged {
        loop {
            let writing = !self.outgoing.is_empty();
            let stuck = writing || self.needs_flush || self.broken.is_some();
            tokio::select! {
                read = self.reader.read(&mut self.incoming), if reading && !self.ended => {
                    return match read {
                        Ok(0) => self.end(None),
                        Ok(count) => Exchanged::Read(count),
                        Err(error) => self.end(Some(error)),
                    };
                }
                written = push(&mut self.writer, &self.outgoing), if writing || self.needs_flush => match written {
                    Ok(0) if writing => self.fail(io::ErrorKind::WriteZero.into()),
                    Ok(0) => self.needs_flush = false,
                    Ok(count) => {
                        self.outgoing.drain(..count);
                        self.stuck_since = Instant::now();
                        self.needs_flush = true;
                        return Exchanged::Wrote;
                    }
                    Err(error) => self.fail(error),
                },
                () = sleep_until(self.stuck_since + self.patience), if stuck && !self.ended => {
                    let error = self.broken.take().unwrap_or_else(|| {
                        io::Error::new(io::ErrorKind::TimedOut, format!("no byte was taken for {:?}", self.patience))
                    });
                    return self.end(Some(error));
                }
                else => return pending().await,
            }
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.broken = Some(error);
        self.outgoing.clear();
        self.needs_flush = false;
        self.stuck_since = Instant::now();
    }

    fn end(&mut self, error: Option<io::Error>) -> Exchanged {
        self.ended = true;
        self.outgoing.clear();
        Exchanged::Ended(error)
    }

    /// Sends what is queued and closes. Then reads until the Server has closed as well: a TCP stream that is dropped with
    /// unread bytes is reset, and the reset may overtake the DISCONNECT.
    pub(super) async fn close(&mut self) {
        let farewell = async {
            if self.broken.is_none() {
                self.writer.write_all(&self.outgoing).await?;
                self.writer.shutdown().await?;
            }
            while !self.ended {
                self.ended = self.reader.read(&mut self.incoming).await? == 0;
            }
            Ok::<(), io::Error>(())
        };
        // Nothing depends on the outcome: the connection is over either way.
        let _ = timeout(CLOSING, farewell).await;
    }
}

/// Writes some bytes; flushes if there are none. Some streams, TLS among them, hold back what is not flushed.
async fn push<S: AsyncWrite>(writer: &mut WriteHalf<S>, bytes: &[u8]) -> io::Result<usize> {
    match bytes.is_empty() {
        true => writer.flush().await.map(|()| 0),
        false => writer.write(bytes).await,
    }
}
