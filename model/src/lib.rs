//! The MQTT dialects as an executable, model-checked state machine.
#![doc = ""]
pub mod packet;
pub mod profile;
pub mod statement;
pub mod topic;
pub mod wire;
