//! What carries MQTT.

mod address;

pub use address::{Address, Scheme};
