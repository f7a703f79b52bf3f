//! placeholder
pub mod packet;
pub mod wire;
