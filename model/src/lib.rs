//! The MQTT dialects as an executable, model-checked state machine.
pub mod check;
pub mod judge;
pub mod packet;
pub mod profile;
pub mod server;
pub mod statement;
pub mod topic;
pub mod wire;
