//! The task behind one connection: it reads from both sides, asks the proxy what to do, and writes to both.

use super::interference::Style;
use super::link::LinkId;
use super::outlet::Parcel;
use super::proxy::Proxy;
use super::reading::{Reading, Understood};
use crate::wire::Stream;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, ReadHalf, WriteHalf, duplex, split,
};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

/// Bytes that may be under way between harness and proxy, and wait to go on.
const WINDOW: usize = 64 << 10;

/// Bytes read at once.
const PIECE: usize = 16 << 10;

/// How often others get their turn between two bytes that are to arrive one by one.
const TURNS: usize = 3;

/// The harness's end of a connection with a proxy in it.
#[derive(Debug)]
struct NearEnd {
    stream: DuplexStream,
    /// Goes when both directions are given up, not only the writing one.
    _open: oneshot::Sender<()>,
}

/// One connection through the proxy.
struct Passage {
    proxy: Proxy,
    link: LinkId,
    from_client: Reading,
    from_server: Reading,
    client_reads: Incoming<DuplexStream>,
    client_writes: Outgoing<DuplexStream>,
    server_reads: Incoming<Box<dyn Stream>>,
    server_writes: Outgoing<Box<dyn Stream>>,
}

/// What comes from one of the two sides.
struct Incoming<S> {
    /// None when nothing more comes.
    half: Option<ReadHalf<S>>,
}

/// What goes to one of the two sides.
struct Outgoing<S> {
    /// None when nothing more can go.
    half: Option<WriteHalf<S>>,
    /// What waits to be written.
    waiting: Vec<u8>,
    is_flushed: bool,
    /// Nothing more will be written.
    ends: bool,
}

/// Puts a proxy in front of a connection.
pub(super) fn open(proxy: Proxy, link: LinkId, to_server: Box<dyn Stream>) -> Box<dyn Stream> {
    // A window of one byte brings every byte by itself.
    let (near, far) = duplex(if proxy.style == Style::EachByte { 1 } else { WINDOW });
    let (open, gone) = oneshot::channel();
    let version = proxy.lock().version;
    let (client_reads, client_writes) = split(far);
    let (server_reads, server_writes) = split(to_server);
    let passage = Passage {
        proxy,
        link,
        from_client: Reading::of_client(version),
        from_server: Reading::of_server(version),
        client_reads: Incoming { half: Some(client_reads) },
        client_writes: Outgoing::new(client_writes),
        server_reads: Incoming { half: Some(server_reads) },
        server_writes: Outgoing::new(server_writes),
    };
    tokio::spawn(passage.run(gone));
    Box::new(NearEnd { stream: near, _open: open })
}

impl Passage {
    async fn run(mut self, mut gone: oneshot::Receiver<()>) {
        let changed = Arc::clone(&self.proxy.lock().links[self.link].changed);
        let style = self.proxy.style;
        let (mut client_piece, mut server_piece) = (vec![0; PIECE], vec![0; PIECE]);
        let mut client_is_gone = false;
        loop {
            let next = self.collect();
            self.client_writes.shut_if_done().await;
            self.server_writes.shut_if_done().await;
            let server_is_done = self.server_writes.half.is_none();
            if self.client_reads.half.is_none()
                && server_is_done
                && (client_is_gone || self.server_reads.half.is_none())
            {
                return;
            }
            let (to_server, to_client) = (self.server_writes.waiting.len(), self.client_writes.waiting.len());
            tokio::select! {
                biased;
                () = self.server_writes.write(style) => {
                    for _ in 0..if style == Style::EachByte { TURNS } else { 0 } {
                        yield_now().await;
                    }
                }
                () = self.client_writes.write(Style::AsItComes) => {}
                read = self.client_reads.read(&mut client_piece, to_server) => {
                    match read {
                        Some(count) => self.client_says(&client_piece[..count]),
                        None => {
                            client_is_gone = gone.try_recv() == Err(oneshot::error::TryRecvError::Closed);
                            self.client_ends();
                        }
                    }
                }
                read = self.server_reads.read(&mut server_piece, to_client) => {
                    match read {
                        Some(count) => self.server_says(&server_piece[..count]),
                        None => self.server_ends(),
                    }
                }
                () = changed.notified() => {}
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => self.wake(),
                _ = &mut gone, if self.client_reads.half.is_none() && !client_is_gone => return,
            }
        }
    }

    /// Takes over what may leave now. Returns when something else is to happen.
    fn collect(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let mut scene = self.proxy.lock();
        let link = &mut scene.links[self.link];
        while let Some(parcel) = link.to_client.take(now) {
            self.client_writes.take(parcel);
        }
        while let Some(parcel) = link.to_server.take(now) {
            if parcel == Parcel::Cut {
                self.server_reads.half = None;
            }
            self.server_writes.take(parcel);
        }
        [link.to_client.due(), link.to_server.due(), link.alarm].into_iter().flatten().min()
    }

    fn wake(&self) {
        let alarm = self.proxy.lock().links[self.link].alarm;
        if alarm.is_some_and(|alarm| alarm <= Instant::now()) {
            self.proxy.alarm(self.link);
        }
    }

    fn client_says(&mut self, bytes: &[u8]) {
        self.from_client.feed(bytes);
        while let Some(understood) = self.from_client.next() {
            match understood {
                Understood::Packet(decoded) => self.proxy.client_sent(self.link, *decoded),
                Understood::Bytes(bytes) => self.to_server(bytes),
                Understood::Refused(refusal, bytes) => {
                    if self.proxy.refused(self.link, &refusal, &bytes) {
                        self.to_server(bytes);
                    } else {
                        self.from_client.begin_anew();
                    }
                }
            }
        }
    }

    fn client_ends(&mut self) {
        let rest = self.from_client.rest();
        self.to_server(rest);
        let mut scene = self.proxy.lock();
        scene.links[self.link].is_over = true;
        scene.send_to_server(self.link, Parcel::End);
    }

    fn server_says(&mut self, bytes: &[u8]) {
        self.from_server.feed(bytes);
        while let Some(understood) = self.from_server.next() {
            match understood {
                Understood::Packet(decoded) => self.proxy.server_sent(self.link, *decoded),
                Understood::Bytes(bytes) | Understood::Refused(_, bytes) => self.to_client(bytes),
            }
        }
    }

    fn server_ends(&mut self) {
        let rest = self.from_server.rest();
        self.to_client(rest);
        if self.proxy.server_closes(self.link) {
            self.proxy.lock().send_to_client(self.link, Parcel::End);
        }
    }

    fn to_client(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.proxy.lock().send_to_client(self.link, Parcel::Bytes(bytes));
        }
    }

    fn to_server(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.proxy.lock().send_to_server(self.link, Parcel::Bytes(bytes));
        }
    }
}

impl<S: AsyncRead> Incoming<S> {
    /// How much came; `None` when nothing more will. Waits as long as the other side has too much to write.
    async fn read(&mut self, piece: &mut [u8], waiting_elsewhere: usize) -> Option<usize> {
        let count = match &mut self.half {
            Some(half) if waiting_elsewhere < WINDOW => half.read(piece).await,
            _ => pending().await,
        };
        if let Ok(count @ 1..) = count {
            return Some(count);
        }
        self.half = None;
        None
    }
}

impl<S: AsyncWrite> Outgoing<S> {
    fn new(half: WriteHalf<S>) -> Outgoing<S> {
        Outgoing { half: Some(half), waiting: Vec::new(), is_flushed: true, ends: false }
    }

    fn take(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::Bytes(bytes) if self.half.is_some() && !self.ends => self.waiting.extend(bytes),
            Parcel::Bytes(_) => {}
            Parcel::End => self.ends = true,
            Parcel::Cut => {
                self.half = None;
                self.waiting.clear();
            }
        }
    }

    /// Writes a part of what waits, or flushes what was written: TLS and WebSocket keep bytes back otherwise.
    async fn write(&mut self, style: Style) {
        let most = if style == Style::EachByte { 1 } else { usize::MAX };
        let written = match &mut self.half {
            Some(half) if !self.is_flushed => half.flush().await.map(|()| 0),
            Some(half) if !self.waiting.is_empty() => half.write(&self.waiting[..self.waiting.len().min(most)]).await,
            _ => pending().await,
        };
        match written {
            Ok(count) => {
                self.is_flushed = count == 0;
                self.waiting.drain(..count);
            }
            // Nobody reads any more: nobody misses it.
            Err(_) => self.take(Parcel::Cut),
        }
    }

    async fn shut_if_done(&mut self) {
        if self.ends
            && self.waiting.is_empty()
            && let Some(mut half) = self.half.take()
        {
            // It fails if the other side was quicker.
            let _ = half.shutdown().await;
        }
    }
}

impl AsyncRead for NearEnd {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for NearEnd {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
