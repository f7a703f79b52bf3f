//! A byte stream out of frames.

use super::frames::Frames;
use super::server::Manners;
use crate::stream::Stream;
use futures_util::{Sink, Stream as _};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

/// An open WebSocket as a byte stream. Reading ends with an error at a text frame (MQTT-6.0.0-1): what is left then is to
/// close.
#[derive(Debug)]
pub struct Framed {
    socket: WebSocketStream<Box<dyn Stream>>,
    unread: Bytes,
    frames: Frames,
    manners: Manners,
}

impl Framed {
    pub(super) fn new(socket: WebSocketStream<Box<dyn Stream>>, frames: Frames, manners: Manners) -> Framed {
        Framed { socket, unread: Bytes::new(), frames, manners }
    }

    /// A handle of its frames.
    #[must_use]
    pub fn frames(&self) -> Frames {
        self.frames.clone()
    }
}

impl Framed {
    /// What a text frame means.
    fn text(&self, text: &Utf8Bytes) -> io::Result<Bytes> {
        self.frames.note_text();
        match self.manners {
            Manners::TakesText => Ok(Bytes::copy_from_slice(text.as_bytes())),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a WebSocket text frame: MQTT travels in binary ones")),
        }
    }

    fn message(&self, bytes: &[u8]) -> Message {
        let is_text = self.frames.sends_text() || self.manners == Manners::SendsText;
        match std::str::from_utf8(bytes) {
            Ok(text) if is_text => Message::text(text),
            _ => Message::binary(Bytes::copy_from_slice(bytes)),
        }
    }
}

impl AsyncRead for Framed {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_next(context)) {
                Some(Ok(Message::Binary(bytes))) => {
                    self.unread =
                        if self.manners == Manners::ExpectsWholePackets { whole_packet(bytes)? } else { bytes };
                }
                Some(Ok(Message::Text(text))) => self.unread = self.text(&text)?,
                // tungstenite answers a ping by itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(Error::ConnectionClosed | Error::AlreadyClosed)) | None => {
                    return Poll::Ready(Ok(()));
                }
                Some(Err(error)) => return Poll::Ready(Err(into_io(error))),
            }
        }
        let length = self.unread.len().min(into.remaining());
        into.put_slice(&self.unread.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Framed {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(context)).map_err(into_io)?;
        let message = self.message(bytes);
        Pin::new(&mut self.socket).start_send(message).map_err(into_io)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context).map_err(into_io)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.socket).poll_close(context)) {
            Ok(()) | Err(Error::ConnectionClosed | Error::AlreadyClosed) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(into_io(error))),
        }
    }
}

/// What somebody makes of a frame who believes that it is one whole packet (against MQTT-6.0.0-2).
fn whole_packet(mut frame: Bytes) -> io::Result<Bytes> {
    let mut length = 0;
    for (at, byte) in frame.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 && frame.len() >= 2 + at + length {
            frame.truncate(2 + at + length);
            return Ok(frame);
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "a frame that holds no whole packet"))
}

fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}
