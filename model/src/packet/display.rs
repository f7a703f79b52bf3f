//! A packet in one line, as charts, reports and the explorer print it.

use super::Packet;
use std::fmt;

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.packet_type().fmt(f)
    }
}
