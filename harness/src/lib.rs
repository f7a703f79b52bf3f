//! placeholder
pub mod case;
