//! The MQTT dialects as an executable, model-checked state machine. Pure: no sockets, no clock, no threads.
//!
//! ```text
//!            bytes of both directions, with times
//!                           │
//!   statement    packet ◄── wire          profile: what a dialect permits
//!   (catalogue)     │                        │
//!        ▲          ▼                        ▼
//!        └─ rule ─ server: what may and must a server do? ──► check: all states of small worlds
//!                   │                                                (stateright, explorer)
//!                   ▼
//!                 judge: does the model explain this trace?
//! ```
//!
//! - [`packet`] and [`wire`]: the control packets as types, and bytes to packets and back, strictly.
//! - [`topic`]: names, filters and how they match.
//! - [`statement`]: every numbered statement of the standards and every row of the platform's fact sheet.
//! - [`profile`]: a dialect as data.
//! - [`device`]: devices of the IoT Platform, their logins and secrets.
//! - [`server`]: the model itself. [`server::rule`] is its contents page.
//! - [`judge`]: the model following a trace.
//! - [`permitted`]: the judge turned round: a server that may do whatever the model permits.
//! - [`check`]: the model explored exhaustively.
//! - [`cloud`]: requests to the platform's API and their signatures, logins of business servers.
//! - [`nearest`]: the word that was probably meant, for errors.
//!
//! A judge that is fed with the traffic of one client:
//!
//! ```
//! use model::judge::{ConnectionId, Judge, Judgement, Observation, Timing};
//! use model::packet::{Connect, Packet, ProtocolVersion};
//! use model::profile::Profile;
//! use model::wire::encode;
//!
//! let profile = Profile::builtin("standard").expect("it is built in");
//! let mut judge = Judge::new(profile, Timing::virtual_time());
//! let connect = Connect { client_id: "sub".try_into()?, clean_start: true, keep_alive: 60, ..Connect::default() };
//! let connect = encode(&Packet::Connect(connect), ProtocolVersion::V3_1_1)?;
//! judge.observe(0, ConnectionId(1), Observation::Opened);
//! judge.observe(1, ConnectionId(1), Observation::Sent(&connect));
//! judge.observe(2, ConnectionId(1), Observation::Received(&[0x20, 2, 0, 0])); // CONNACK, accepted
//! judge.observe(3, ConnectionId(1), Observation::Sent(&[0xC0, 0])); //           PINGREQ
//! judge.observe(4, ConnectionId(1), Observation::Received(&[0xD0, 0])); //       PINGRESP
//! assert_eq!(judge.finish(5), Judgement::Conforms);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where to read next: [`server`], then [`server::session`], then one theme after the other.

pub mod check;
pub mod citation;
pub mod cloud;
pub mod device;
pub mod judge;
pub mod nearest;
pub mod packet;
pub mod permitted;
pub mod profile;
pub mod server;
pub mod statement;
pub mod topic;
pub mod wire;
