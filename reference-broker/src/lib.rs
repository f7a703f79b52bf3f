//! The reference broker of mqttspec: a second, independent implementation of what the model says.
//!
//! It shares packets, codec, topics and profile data with the model, and none of its rules. Where the two disagree, one
//! of them is wrong, and the suite finds it.
//!
//! ```text
//!   stream --bytes--> Decoder --packets--+              +--packets--> encode --bytes--> outbox --> stream
//!                                        v              |
//!                            +--------- core::Core -------------+
//!   tokio's clock --now----> | connections, sessions, deadlines |     no socket, no clock, no task in here
//!                            | devices, calls, device log       |
//!                            +----------------------------------+
//!                                     ^              |
//!                              Pub, RRpc ..     what devices publish
//!                                     |              v
//!   HTTP ------------------> cloud::CloudApi   cloud::ServerSubscription ------------> AMQP 1.0
//! ```
//!
//! [`core`] decides: packets and the time go in, packets and closes come out. [`Broker`] is the core on tokio, for any
//! stream, in real or in paused time:
//!
//! ```
//! use model::packet::{Connect, Packet, ProtocolVersion};
//! use model::profile::Profile;
//! use model::wire::{Decoder, encode};
//! use reference_broker::{Broker, Settings};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let profile = Profile::builtin("standard").ok_or("no such profile")?;
//! let broker = Broker::new(Settings::from_profile(profile));
//! let (mut client, server) = tokio::io::duplex(4096);
//! broker.attach(server);
//!
//! let connect = Packet::Connect(Connect { client_id: "sub".try_into()?, keep_alive: 60, ..Connect::default() });
//! client.write_all(&encode(&connect, ProtocolVersion::V3_1_1)?).await?;
//!
//! let mut decoder = Decoder::from_server(ProtocolVersion::V3_1_1);
//! let connack = loop {
//!     if let Some(decoded) = decoder.next_packet()? {
//!         break decoded.packet;
//!     }
//!     let mut piece = [0; 64];
//!     let length = client.read(&mut piece).await?;
//!     decoder.feed(&piece[..length]);
//! };
//! assert!(matches!(connack, Packet::Connack(connack) if connack.code.is_accepted()));
//! # Ok(())
//! # }
//! ```
//!
//! It serves all of MQTT 3.1, 3.1.1 and 5.0 that shows on the wire, as far as the dialect has it, with one simple
//! Authentication Method ([`core::AUTHENTICATION_METHOD`]). Nothing outlives the process. What it does not serve, CONNACK
//! of 5.0 announces as absent: [`Settings::without`] takes away what is optional.
//! With the feature `faults` it can also be told to misbehave in one way at a time ([`Switch`]).
//!
//! In the IoT Platform's dialect it holds logins against a registry of devices ([`Settings`]), and [`cloud`] is the side
//! of business servers: the API and server-side subscription.
//!
//! Read next: [`Settings`] for what can differ between dialects, [`core`] for the themes of the protocol and their files,
//! then the `shell` module for how a connection is closed without losing its last packet.

pub mod cloud;
pub mod core;
mod occasion;
mod offer;
mod settings;
mod shell;
mod switch;

pub use occasion::Occasion;
pub use offer::Offer;
pub use settings::{Announcement, DeliveredQos, Limits, Logins, Settings};
pub use shell::Broker;
pub use switch::Switch;
