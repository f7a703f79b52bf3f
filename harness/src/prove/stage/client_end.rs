//! The client's end of a connection: a stream in memory.

use super::Stage;
use crate::trace::ConnectionId;
use model::judge::Observation;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The client's end of a connection.
#[derive(Debug)]
pub(super) struct ClientEnd {
    pub(super) stage: Stage,
    pub(super) connection: ConnectionId,
    pub(super) is_closed: bool,
}

impl ClientEnd {
    /// The client ends the connection, in both directions: what the server may still send is not seen.
    fn close(&mut self) {
        if !std::mem::replace(&mut self.is_closed, true) {
            let mut scene = self.stage.scene();
            let Some(link) = scene.links.get_mut(&self.connection) else { return };
            let was_open = !std::mem::replace(&mut link.is_over, true);
            if let Some(reader) = link.reader.take() {
                reader.wake();
            }
            if was_open {
                scene.hear(self.connection, Observation::ClosedByClient);
            }
        }
    }
}

impl AsyncRead for ClientEnd {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut scene = self.stage.scene();
        let Some(link) = scene.links.get_mut(&self.connection) else { return Poll::Ready(Ok(())) };
        if link.to_client.is_empty() && !link.is_over {
            link.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let length = link.to_client.len().min(buffer.remaining());
        let bytes: Vec<u8> = link.to_client.drain(..length).collect();
        buffer.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientEnd {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut scene = self.stage.scene();
        if scene.links.get(&self.connection).is_none_or(|link| link.is_over) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        scene.hear(self.connection, Observation::Sent(bytes));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(link) = self.stage.scene().links.get_mut(&self.connection) {
            link.is_half_closed = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for ClientEnd {
    fn drop(&mut self) {
        self.close();
    }
}
