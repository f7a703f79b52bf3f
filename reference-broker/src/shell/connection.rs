//! The two tasks of a connection, and how it is closed.
//!
//! Closing takes care that the last packet arrives: the writer flushes and shuts its direction down, while the reader
//! goes on to read and drop what the Client still sends. Closing a socket with unread bytes would reset it, and a reset
//! can overtake a DISCONNECT. After [`LINGER`] the connection is dropped in any case.

use super::broker::Shared;
use super::outbox::{End, Outbox};
use crate::core::{ConnectionId, Input};
use crate::switch::Switch;
use model::wire::Decoder;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;
use transport::Stream;

/// How long a closed connection is kept: for the Client to read the last packets, and to close as well.
const LINGER: Duration = Duration::from_secs(5);

/// Read this many bytes at once; the decoder does not care.
const PIECE: usize = 16 * 1024;

pub(super) fn spawn(shared: Arc<Shared>, id: ConnectionId, stream: Box<dyn Stream>, outbox: Arc<Outbox>) {
    let (reading, writing) = tokio::io::split(stream);
    let writer = tokio::spawn(write(writing, Arc::clone(&outbox)));
    tokio::spawn(async move {
        let mut reading = reading;
        let client_may_send = read(&shared, id, &mut reading, &outbox).await;
        // Everything that the Client sent is handled, and everything it will get is in the outbox.
        let _ = timeout(LINGER, async {
            if client_may_send {
                drop_the_rest(&mut reading).await;
            }
            // Done or failed: the Client gets no more either way.
            let _ = writer.await;
        })
        .await;
        outbox.close(End::Abort);
        shared.detach(id);
    });
}

/// Reads until the connection is to be closed. Returns whether the Client may still be sending.
async fn read(shared: &Shared, id: ConnectionId, reading: &mut ReadHalf<Box<dyn Stream>>, outbox: &Outbox) -> bool {
    let mut decoder = Decoder::from_client();
    if !shared.settings.misbehaves(Switch::PacketSizeNotChecked) {
        decoder.set_maximum_packet_size(shared.settings.limits.maximum_packet_size.get());
    }
    let mut piece = vec![0; PIECE];
    loop {
        let read = tokio::select! {
            biased;
            () = outbox.closed() => return true,
            read = reading.read(&mut piece) => read,
        };
        match read {
            Ok(length) if length > 0 => {
                decoder.feed(&piece[..length]);
                shared.handle(id, inputs(&mut decoder));
            }
            // An end without DISCONNECT, orderly or not.
            Ok(_) | Err(_) => {
                shared.handle(id, [Input::Closed]);
                outbox.close(End::Flush);
                return false;
            }
        }
    }
}

/// What the bytes so far amount to.
fn inputs(decoder: &mut Decoder) -> impl Iterator<Item = Input> {
    let mut refused = false;
    std::iter::from_fn(move || {
        if refused {
            return None;
        }
        match decoder.next_packet() {
            Ok(None) => None,
            Ok(Some(decoded)) => decoder.version().map(|version| Input::Packet(version, decoded.packet)),
            Err(refusal) => {
                refused = true;
                Some(Input::Refused(refusal))
            }
        }
    })
}

/// Writes until the outbox has nothing more.
async fn write(mut writing: WriteHalf<Box<dyn Stream>>, outbox: Arc<Outbox>) {
    while let Some(bytes) = outbox.take().await {
        let write = async {
            writing.write_all(&bytes).await?;
            // TLS and WebSocket keep bytes back otherwise.
            writing.flush().await
        };
        let written = tokio::select! {
            biased;
            written = write => written,
            () = outbox.aborted() => return,
        };
        if written.is_err() {
            return;
        }
    }
    // It fails only when the Client is gone.
    let _ = writing.shutdown().await;
}

async fn drop_the_rest(reading: &mut ReadHalf<Box<dyn Stream>>) {
    let mut piece = vec![0; PIECE];
    while reading.read(&mut piece).await.is_ok_and(|length| length > 0) {}
}
