//! The reference client of mqttspec: MQTT 3.1, 3.1.1 and 5.0, strict about what it sends and about what it takes.
//!
//! It is the other end that a broker developer can trust, and the client that passes the suite's client cases. It sends
//! nothing that the standard forbids or that the server's CONNACK did not offer, and says why; it closes on what the
//! standard tells a client to close on, and says why. Nothing panics, every queue and every wait has a bound.
//!
//! ```text
//!  application                                                                            server
//!  ───────────                        ┌── a tokio task ──────────────────────┐            ──────
//!  Client::publish().await ─────────▶ │ shell::driver ◀──▶ Connection (core) │
//!  Client::subscribe().await ───────▶ │      ▲             no IO, no clock   │
//!                                     │      │                               │
//!  Events::next().await ◀──────────── │      └──────▶ link (bounded) ◀───────┼──────────▶ any stream
//!  Events::ended().await ◀─ Session ─ └──────────────────────────────────────┘
//!           │
//!           └─▶ ConnectOptions::resuming(session) ─▶ the next connection sends again what was not acknowledged
//!
//!  a device of the IoT Platform: ConnectOptions::of_device(version, login, secret) signs its login,
//!                                call_answer_topic(device, topic) tells where the answer to a call goes
//! ```
//!
//! Any `AsyncRead + AsyncWrite` will do as stream. Here the server is a few lines at the other end of a pipe:
//!
//! ```
//! use model::packet::{Acknowledgement, Connack, ConnackCode, ConnackProperties, ConnectReturnCode, Packet};
//! use model::wire::{Decoder, encode};
//! use reference_client::{Client, ConnectOptions, Message, ProtocolVersion, Published, Qos};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! const VERSION: ProtocolVersion = ProtocolVersion::V3_1_1;
//! let (here, mut there) = tokio::io::duplex(4096);
//! tokio::spawn(async move {
//!     let mut decoder = Decoder::from_client();
//!     let mut buffer = [0; 1024];
//!     while let Ok(count @ 1..) = there.read(&mut buffer).await {
//!         decoder.feed(&buffer[..count]);
//!         while let Some(decoded) = decoder.next_packet().unwrap() {
//!             let answer = match decoded.packet {
//!                 Packet::Connect(_) => Packet::Connack(Connack {
//!                     session_present: false,
//!                     code: ConnackCode::Return(ConnectReturnCode::Accepted),
//!                     properties: ConnackProperties::default(),
//!                 }),
//!                 Packet::Publish(publish) => Packet::Puback(Acknowledgement::success(publish.packet_id().unwrap())),
//!                 _ => return,
//!             };
//!             there.write_all(&encode(&answer, VERSION).unwrap()).await.unwrap();
//!         }
//!     }
//! });
//!
//! let (client, events) = Client::connect(here, ConnectOptions::new(VERSION, "lamp-01")?).await?;
//! let published = client.publish(Message::new("lamp/01/state", "on")?.at(Qos::AtLeastOnce)).await?;
//! assert!(matches!(published, Published::Acknowledged(_)));
//! client.disconnect().await?;
//! assert_eq!(events.ended().await.cause.to_string(), "disconnected as asked");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where to read next: [`Client`] for the calls, [`ConnectOptions`] for the knobs, [`connection`] for the core, which can
//! be driven without tokio, `src/bin/mqttspec-client` for a whole program.
//!
//! What it does not do: Topic Aliases of its own, enhanced authentication, reconnecting by itself (whoever owns the stream
//! owns that decision).

pub mod connection;

mod device;
mod error;
mod message;
mod offer;
mod options;
mod session;
mod shell;

pub use connection::{Accepted, Event};
pub use device::call_answer_topic;
pub use error::{Cause, ConnectError, ConnectFailure, Ended, PublishError, RequestError};
pub use message::{Message, Received};
pub use model::packet::{ProtocolVersion, Qos, TextError, Utf8String};
pub use offer::{NotSendable, Offer};
pub use options::{ConnectOptions, OptionsError};
pub use session::Session;
pub use shell::{Client, Events, Granted, Published};
