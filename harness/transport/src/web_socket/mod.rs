//! MQTT in the binary frames of a WebSocket (section 6 of 3.1.1 and 5.0).
//!
//! ```text
//! client::connect --upgrade, subprotocol `mqtt`--> server::accept
//!         \                                            /
//!          Framed: bytes <-> binary frames, whatever their borders (MQTT-6.0.0-2)
//! ```
//!
//! A text frame ends the connection (MQTT-6.0.0-1). What only frames tell, [`Frames`] keeps for whoever tests a server: the
//! subprotocol that it chose, and whether it sent text.

mod client;
mod framed;
mod frames;
mod server;

pub use client::{UpgradeError, connect};
pub use framed::Framed;
pub use frames::Frames;
pub use server::{Manners, accept};

/// The subprotocol (MQTT-6.0.0-3, MQTT-6.0.0-4).
pub const SUBPROTOCOL: &str = "mqtt";

/// The most bytes of a message: it is held until it is whole. MQTT's own bounds are lower.
const LARGEST_MESSAGE: usize = 16 << 20;

/// The most bytes of an answer to an upgrade.
const LARGEST_HEAD: usize = 16 << 10;

fn config() -> tokio_tungstenite::tungstenite::protocol::WebSocketConfig {
    tokio_tungstenite::tungstenite::protocol::WebSocketConfig::default()
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE))
        // Each write is a frame, and goes out as soon as it can.
        .write_buffer_size(0)
}
