//! Bytes to packets and back, for MQTT 3.1, 3.1.1 and 5.0.
//!
//! Reading is incremental and strict: a [`Decoder`] follows one direction of one connection, takes the bytes in
//! whatever pieces they arrive, and stops at the first one that the version in use does not permit. The [`Refusal`]
//! then says where, what was expected instead, and which numbered statements are at stake. Writing is strict too:
//! [`encode`] refuses what the version cannot say. Deliberately wrong bytes are made with [`Crafted`].
//!
//! ```
//! use model::packet::{Connect, Packet, ProtocolVersion};
//! use model::wire::{Crafted, Decoder, Fault, encode};
//!
//! let version = ProtocolVersion::V3_1_1;
//! let connect = Packet::Connect(Connect { client_id: "sub".try_into()?, keep_alive: 60, ..Connect::default() });
//! let mut stream = encode(&connect, version)?;
//! stream.extend(Crafted::of(&Packet::Pingreq, version)?.flags(0b0001).to_bytes());
//!
//! let mut decoder = Decoder::from_client();
//! decoder.feed(&stream[..5]); // any pieces will do
//! assert_eq!(decoder.next_packet()?, None);
//! decoder.feed(&stream[5..]);
//! assert_eq!(decoder.next_packet()?.map(|decoded| decoded.packet), Some(connect));
//! assert_eq!(decoder.version(), Some(version));
//!
//! let refusal = decoder.next_packet().expect_err("a reserved flag is set");
//! assert_eq!(refusal.fault, Fault::MalformedPacket);
//! assert_eq!(refusal.what, "expected flags 0000, found 0001 (first byte 0xC1)");
//! assert_eq!(refusal.statements, ["MQTT-2.2.2-1", "MQTT-2.2.2-2"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What the decoder checks is what a packet shows by itself, together with who sent it. It does not look into the
//! contents of topics (wildcards, `$share`, empty filters): a Server may answer those packet by packet or filter by
//! filter. Rules that need the history of the connection (a second CONNECT, identifiers in use, Receive Maximum, Topic
//! Alias Maximum) belong to the model.
//!
//! Layout: `fields` reads and writes the data types of section 1.5; `rules` is the table of what can be wrong, with
//! statements; `sender` says who may send what; `decode` and `encode` hold one file for each kind of packet.

mod crafted;
mod decode;
mod decoder;
mod encode;
mod fields;
mod refusal;
mod rules;
mod sender;

pub use crafted::Crafted;
pub use decoder::{Decoded, Decoder};
pub use encode::{Unencodable, encode};
pub use fields::{LARGEST_PACKET, LARGEST_VARIABLE_BYTE_INTEGER};
pub use refusal::{Fault, Refusal};
pub(crate) use rules::statements_of_format;
pub use sender::Sender;
