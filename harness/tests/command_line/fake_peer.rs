//! Peers that behave as a test wants, on threads and plain sockets: nothing of the harness is used to test the harness.

use model::packet::{Acknowledgement, Connack, ConnackCode, ConnectReturnCode, Packet, ProtocolVersion, ReasonCode};
use model::packet::{ConnackProperties, ReasonProperties, Suback};
use model::wire::{Decoder, encode};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// A listening peer; it stops accepting when dropped.
pub(crate) struct FakePeer {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
}

impl FakePeer {
    /// Serves each connection on a thread; the number counts them from 0.
    pub(crate) fn serve(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> FakePeer {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let stopping = Arc::new(AtomicBool::new(false));
        let (serve, stop) = (Arc::new(serve), Arc::clone(&stopping));
        let count = AtomicUsize::new(0);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                if let Ok(stream) = stream {
                    let (serve, number) = (Arc::clone(&serve), count.fetch_add(1, Ordering::SeqCst));
                    thread::spawn(move || serve(stream, number));
                }
            }
        });
        FakePeer { address, stopping }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }
}

impl Drop for FakePeer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

/// Reads until the other side is gone, and answers nothing.
pub(crate) fn listen_only(mut stream: TcpStream) {
    let mut piece = [0; 1024];
    while matches!(stream.read(&mut piece), Ok(length) if length > 0) {}
}

/// Writes the same bytes until the other side is gone.
pub(crate) fn flood(mut stream: TcpStream, bytes: &[u8]) {
    let piece = bytes.repeat(4096 / bytes.len().max(1) + 1);
    while stream.write_all(&piece).is_ok() {}
}

/// What a scripted broker does with a packet.
pub(crate) enum Answer {
    /// What a broker does: CONNACK, SUBACK, PUBACK, PINGRESP.
    Properly,
    /// These bytes instead.
    Bytes(Vec<u8>),
    /// These bytes until the other side is gone.
    Flood(Vec<u8>),
    /// Nothing.
    Nothing,
    /// It closes.
    Close,
}

/// Serves one connection as a tiny broker of 3.1.1 that keeps nothing; `decide` may want something else of it.
pub(crate) fn broker(mut stream: TcpStream, mut decide: impl FnMut(&Packet) -> Answer) {
    let mut decoder = Decoder::from_client();
    let mut piece = [0; 1024];
    loop {
        let length = match stream.read(&mut piece) {
            Ok(length) if length > 0 => length,
            _ => return,
        };
        decoder.feed(&piece[..length]);
        while let Ok(Some(decoded)) = decoder.next_packet() {
            let bytes = match decide(&decoded.packet) {
                Answer::Properly => match proper(&decoded.packet) {
                    Some(packet) => encode(&packet, ProtocolVersion::V3_1_1).expect("its packets can be said in 3.1.1"),
                    None if matches!(decoded.packet, Packet::Disconnect(_)) => return,
                    None => continue,
                },
                Answer::Bytes(bytes) => bytes,
                Answer::Flood(bytes) => return flood(stream, &bytes),
                Answer::Nothing => continue,
                Answer::Close => return,
            };
            if stream.write_all(&bytes).is_err() {
                return;
            }
        }
    }
}

fn proper(packet: &Packet) -> Option<Packet> {
    match packet {
        Packet::Connect(_) => Some(Packet::Connack(Connack {
            session_present: false,
            code: ConnackCode::Return(ConnectReturnCode::Accepted),
            properties: ConnackProperties::default(),
        })),
        Packet::Subscribe(subscribe) => Some(Packet::Suback(Suback {
            packet_id: subscribe.packet_id,
            properties: ReasonProperties::default(),
            codes: vec![ReasonCode::Success; subscribe.requests.len()],
        })),
        Packet::Publish(publish) => publish.packet_id().map(|id| Packet::Puback(Acknowledgement::success(id))),
        Packet::Pingreq => Some(Packet::Pingresp),
        _ => None,
    }
}
