//! One table: bytes that a version does not permit, the fault, its place, and the statements.
//!
//! What a Client sends follows a CONNECT of the version, unless the bytes are a CONNECT.

use crate::{bytes, decoder};
use Fault::{
    FirstPacketNotConnect as NotConnect, InvalidProtocolName as Name, MalformedPacket as Malformed,
    PacketTooLarge as TooLarge, ProtocolError as Error, TopicAliasInvalid as Alias,
    UnsupportedProtocolVersion as Level,
};
use Sender::{Client, Server};
use model::packet::Packet;
use model::packet::ProtocolVersion::{self, V3_1, V3_1_1, V5_0};
use model::wire::{Decoder, Fault, Sender};

type Row = (ProtocolVersion, Sender, &'static str, Fault, usize, &'static [&'static str]);
type FirstPacket = (Option<ProtocolVersion>, &'static str, Fault, usize, &'static [&'static str]);

/// First packets of a Client; the version is the one that the refusal goes by.
#[rustfmt::skip]
const FIRST_PACKETS: &[FirstPacket] = &[
    (None, "c0 00", NotConnect, 0, &["MQTT-3.1.0-1"]),
    (None, "30", NotConnect, 0, &["MQTT-3.1.0-1"]),
    (None, "f0 00", NotConnect, 0, &["MQTT-3.1.0-1"]),
    (None, "47 45 54 20", NotConnect, 0, &["MQTT-3.1.0-1"]), // GET
    (None, "00 00", Malformed, 0, &[]),
    (None, "10 80808080 01", Malformed, 4, &["MQTT-3.1.4-1"]),
    (None, "10 00", Malformed, 2, &["MQTT-3.1.4-1"]),
    (None, "10 05 0004 'MQT'", Malformed, 7, &["MQTT-3.1.4-1"]),
    (None, "10 06 0004 'MQTT'", Malformed, 8, &["MQTT-3.1.4-1"]),
    (None, "10 0d 0004 'mqtt' 04 02 0000 0001 'c'", Name, 2, &["MQTT-3.1.2-1"]),
    (None, "10 0f 0006 'MQXsdp' 03 02 0000 0001 'c'", Name, 2, &["MQTT-3.1.2-1"]),
    (None, "10 0d 0004 'MQTT' 03 02 0000 0001 'c'", Level, 8, &["MQTT-3.1.2-2"]),
    (None, "10 0d 0004 'MQTT' 06 02 0000 0001 'c'", Level, 8, &["MQTT-3.1.2-2"]),
    (None, "10 0d 0004 'MQTT' 84 02 0000 0001 'c'", Level, 8, &["MQTT-3.1.2-2"]),
    (None, "10 0f 0006 'MQIsdp' 09 02 0000 0001 'c'", Level, 10, &["V31-3"]),
    (None, "10 0f 0006 'MQIsdp' 04 02 0000 0001 'c'", Level, 10, &["V31-3"]),
    (Some(V3_1_1), "11 0d 0004 'MQTT' 04 02 0000 0001 'c'", Malformed, 0, &["MQTT-2.2.2-1", "MQTT-2.2.2-2"]),
    (Some(V5_0), "18 0e 0004 'MQTT' 05 02 0000 00 0001 'c'", Malformed, 0, &["MQTT-2.1.3-1"]),
    (Some(V5_0), "10 8e00 0004 'MQTT' 05 02 0000 00 0001 'c'", Malformed, 2, &["MQTT-1.5.5-1"]),
    (Some(V3_1_1), "10 0d 0004 'MQTT' 04 03 0000 0001 'c'", Malformed, 9, &["MQTT-3.1.2-3"]),
    (Some(V5_0), "10 0e 0004 'MQTT' 05 03 0000 00 0001 'c'", Malformed, 9, &["MQTT-3.1.2-3"]),
    (Some(V3_1_1), "10 0d 0004 'MQTT' 04 0a 0000 0001 'c'", Malformed, 9, &["MQTT-3.1.2-11", "MQTT-3.1.2-13"]),
    (Some(V3_1_1), "10 0d 0004 'MQTT' 04 22 0000 0001 'c'", Malformed, 9, &["MQTT-3.1.2-11", "MQTT-3.1.2-15"]),
    (Some(V5_0), "10 0e 0004 'MQTT' 05 1a 0000 00 0001 'c'", Malformed, 9, &["MQTT-3.1.2-11"]),
    (Some(V5_0), "10 0e 0004 'MQTT' 05 22 0000 00 0001 'c'", Malformed, 9, &["MQTT-3.1.2-13"]),
    (Some(V3_1), "10 15 0006 'MQIsdp' 03 1e 0000 0001 'c' 0001 't' 0001 'm'", Malformed, 11, &[]),
    (Some(V3_1_1), "10 13 0004 'MQTT' 04 1e 0000 0001 'c' 0001 't' 0001 'm'", Malformed, 9, &["MQTT-3.1.2-14"]),
    (Some(V5_0), "10 15 0004 'MQTT' 05 1e 0000 00 0001 'c' 00 0001 't' 0001 'm'", Malformed, 9, &["MQTT-3.1.2-12"]),
    (Some(V3_1), "10 12 0006 'MQIsdp' 03 42 0000 0001 'c' 0001 'p'", Malformed, 11, &[]),
    (Some(V3_1_1), "10 10 0004 'MQTT' 04 42 0000 0001 'c' 0001 'p'", Malformed, 9, &["MQTT-3.1.2-22"]),
    (Some(V3_1_1), "10 0b 0004 'MQTT' 04 02 0000 00", Malformed, 13, &["MQTT-3.1.3-3"]),
    (Some(V5_0), "10 0b 0004 'MQTT' 05 02 0000 00", Malformed, 13, &["MQTT-3.1.3-3"]),
    (Some(V5_0), "10 0a 0004 'MQTT' 05 02 0000", Malformed, 12, &["MQTT-2.2.2-1"]),
    (Some(V3_1_1), "10 0d 0004 'MQTT' 04 06 0000 0001 'c'", Malformed, 15, &["MQTT-3.1.2-9"]),
    (Some(V5_0), "10 0e 0004 'MQTT' 05 06 0000 00 0001 'c'", Malformed, 16, &["MQTT-2.2.2-1"]),
    (Some(V3_1_1), "10 0d 0004 'MQTT' 04 82 0000 0001 'c'", Malformed, 15, &["MQTT-3.1.2-19"]),
    (Some(V5_0), "10 0e 0004 'MQTT' 05 82 0000 00 0001 'c'", Malformed, 16, &["MQTT-3.1.2-17"]),
    (Some(V3_1_1), "10 10 0004 'MQTT' 04 c2 0000 0001 'c' 0001 'u'", Malformed, 18, &["MQTT-3.1.2-21"]),
    (Some(V5_0), "10 0e 0004 'MQTT' 05 42 0000 00 0001 'c'", Malformed, 16, &["MQTT-3.1.2-19"]),
    (Some(V3_1_1), "10 0e 0004 'MQTT' 04 02 0000 0001 'c' 00", Malformed, 15, &["MQTT-3.1.4-1"]),
    (Some(V3_1), "10 10 0006 'MQIsdp' 03 02 0000 0001 'c' 00", Malformed, 17, &[]),
    (Some(V3_1_1), "10 0d 0004 'MQTT' 04 02 0000 0001 ff", Malformed, 14, &["MQTT-1.5.3-1", "MQTT-3.1.3-4"]),
    (Some(V3_1), "10 0f 0006 'MQIsdp' 03 02 0000 0001 ff", Malformed, 16, &[]),
    (Some(V3_1), "10 0f 0006 'MQIsdp' 03 02 0000 0001 00", Malformed, 16, &[]),
    (Some(V5_0), "10 10 0004 'MQTT' 05 82 0000 00 0000 0001 ff", Malformed, 17, &["MQTT-1.5.4-1", "MQTT-3.1.3-12"]),
    (Some(V5_0), "10 11 0004 'MQTT' 05 02 0000 03 210000 0001 'c'", Error, 14, &["MQTT-3.1.4-1"]),
    (Some(V5_0), "10 13 0004 'MQTT' 05 02 0000 05 2700000000 0001 'c'", Error, 14, &["MQTT-3.1.4-1"]),
    (Some(V5_0), "10 10 0004 'MQTT' 05 02 0000 02 1702 0001 'c'", Error, 14, &["MQTT-3.1.4-1"]),
    (Some(V5_0), "10 12 0004 'MQTT' 05 02 0000 04 1701 1700 0001 'c'", Error, 15, &["MQTT-3.1.4-1"]),
    (Some(V5_0), "10 11 0004 'MQTT' 05 02 0000 03 230001 0001 'c'", Malformed, 13, &["MQTT-3.1.4-1"]),
    (Some(V5_0), "10 0f 0004 'MQTT' 05 02 0000 01 7f 0001 'c'", Malformed, 13, &["MQTT-3.1.4-1"]),
    (Some(V5_0), "10 11 0004 'MQTT' 05 02 0000 03 160000 0001 'c'", Error, 12, &["MQTT-3.1.4-1"]),
    (Some(V5_0), "10 0e 0004 'MQTT' 05 02 0000 09 0001 'c'", Malformed, 12, &["MQTT-3.1.4-1"]),
    (Some(V5_0), "10 17 0004 'MQTT' 05 06 0000 00 0001 'c' 02 1101 0001 't' 0001 'm'", Malformed, 19, &["MQTT-3.1.4-1"]),
];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Fixed header
    (V5_0, Server, "00 00", Malformed, 0, &[]),
    (V3_1_1, Client, "f0 00", Malformed, 0, &[]),
    (V3_1, Server, "f0 00", Malformed, 0, &[]),
    (V3_1_1, Client, "c1 00", Malformed, 0, &["MQTT-2.2.2-1", "MQTT-2.2.2-2"]),
    (V5_0, Server, "d8 00", Malformed, 0, &["MQTT-2.1.3-1"]),
    (V5_0, Client, "60 02 0001", Malformed, 0, &["MQTT-2.1.3-1", "MQTT-3.6.1-1"]),
    (V3_1_1, Server, "63 02 0001", Malformed, 0, &["MQTT-2.2.2-1", "MQTT-2.2.2-2", "MQTT-3.6.1-1"]),
    (V3_1_1, Client, "80 06 0001 0001 't' 00", Malformed, 0, &["MQTT-2.2.2-1", "MQTT-2.2.2-2", "MQTT-3.8.1-1"]),
    (V3_1_1, Client, "8a 06 0001 0001 't' 00", Malformed, 0, &["MQTT-2.2.2-1", "MQTT-2.2.2-2", "MQTT-3.8.1-1"]),
    (V5_0, Client, "a0 06 0001 00 0001 't'", Malformed, 0, &["MQTT-2.1.3-1", "MQTT-3.10.1-1"]),
    (V3_1_1, Client, "e1 00", Malformed, 0, &["MQTT-2.2.2-1", "MQTT-2.2.2-2", "MQTT-3.14.1-1"]),
    (V5_0, Server, "e1 00", Malformed, 0, &["MQTT-2.1.3-1", "MQTT-3.14.1-1"]),
    (V5_0, Client, "f1 00", Malformed, 0, &["MQTT-2.1.3-1", "MQTT-3.15.1-1"]),
    (V5_0, Client, "c0 8000", Malformed, 2, &["MQTT-1.5.5-1"]),
    (V5_0, Client, "c0 ffffffff 7f", Malformed, 4, &[]),
    (V3_1_1, Client, "c0 80808080 00", Malformed, 4, &[]),
    // Direction
    (V3_1_1, Client, "20 02 0000", Error, 0, &[]),
    (V5_0, Client, "90", Error, 0, &[]),
    (V5_0, Client, "b0", Error, 0, &[]),
    (V3_1, Client, "d0 00", Error, 0, &[]),
    (V5_0, Server, "10", Error, 0, &[]),
    (V3_1_1, Server, "82", Error, 0, &[]),
    (V5_0, Server, "a2", Error, 0, &[]),
    (V3_1_1, Server, "c0 00", Error, 0, &[]),
    (V3_1_1, Server, "e0 00", Error, 0, &[]),
    (V3_1, Server, "e0 00", Error, 0, &[]),
    // CONNACK
    (V3_1_1, Server, "20 02 0200", Malformed, 2, &[]),
    (V5_0, Server, "20 03 8000 00", Malformed, 2, &["MQTT-3.2.2-1"]),
    (V3_1_1, Server, "20 02 0105", Error, 2, &["MQTT-3.2.2-4"]),
    (V5_0, Server, "20 03 0187 00", Error, 2, &["MQTT-3.2.2-6"]),
    (V3_1, Server, "20 02 0006", Malformed, 3, &["V31-7"]),
    (V3_1_1, Server, "20 02 0006", Malformed, 3, &["MQTT-3.2.2-6"]),
    (V5_0, Server, "20 03 0001 00", Error, 3, &["MQTT-3.2.2-8"]),
    (V5_0, Server, "20 03 008e 00", Error, 3, &["MQTT-3.2.2-8"]),
    (V5_0, Server, "20 02 0000", Malformed, 4, &["MQTT-2.2.2-1"]),
    (V3_1_1, Server, "20 03 0000 00", Malformed, 4, &[]),
    (V3_1_1, Server, "20 01 00", Malformed, 3, &[]),
    (V5_0, Server, "20 05 0000 02 2402", Error, 6, &[]),
    (V5_0, Server, "20 05 0000 02 2502", Error, 6, &[]),
    (V5_0, Server, "20 07 0000 04 2500 2500", Error, 7, &[]),
    (V5_0, Server, "20 06 0000 03 210000", Error, 6, &[]),
    (V5_0, Server, "20 08 0000 05 2700000000", Error, 6, &[]),
    (V5_0, Server, "20 05 0000 02 1701", Malformed, 5, &[]),
    (V5_0, Server, "20 07 0000 04 1f 0001 ff", Malformed, 8, &["MQTT-1.5.4-1"]),
    (V5_0, Server, "20 07 0000 04 1f 0001 00", Malformed, 8, &["MQTT-1.5.4-2"]),
    (V5_0, Server, "20 06 0000 03 1f 0001", Malformed, 8, &[]),
    (V5_0, Server, "20 0a 0000 07 26 0001 'a' 0001 00", Malformed, 11, &["MQTT-1.5.4-2", "MQTT-1.5.7-1"]),
    // PUBLISH
    (V3_1, Client, "36 07 0001 't' 0001 'mm'", Malformed, 0, &[]),
    (V3_1_1, Client, "36", Malformed, 0, &["MQTT-3.3.1-4"]),
    (V5_0, Server, "3f", Malformed, 0, &["MQTT-3.3.1-4"]),
    (V3_1_1, Client, "38", Malformed, 0, &["MQTT-3.3.1-2"]),
    (V5_0, Client, "39", Malformed, 0, &["MQTT-3.3.1-2"]),
    (V3_1_1, Client, "32 05 0001 't' 0000", Malformed, 5, &["MQTT-2.3.1-1"]),
    (V5_0, Client, "32 06 0001 't' 0000 00", Malformed, 5, &["MQTT-2.2.1-3"]),
    (V5_0, Server, "34 06 0001 't' 0000 00", Malformed, 5, &["MQTT-2.2.1-4"]),
    (V3_1_1, Server, "32 04 0001 't' 00", Malformed, 6, &["MQTT-2.3.1-1"]),
    (V3_1_1, Client, "30 00", Malformed, 2, &["MQTT-3.3.2-1"]),
    (V5_0, Client, "30 04 0005 't/'", Malformed, 6, &["MQTT-3.3.2-1"]),
    (V3_1_1, Client, "30 02 0000", Error, 2, &["MQTT-4.7.3-1"]),
    (V5_0, Server, "30 03 0000 00", Error, 2, &["MQTT-4.7.3-1"]),
    (V3_1, Client, "30 03 0001 00", Malformed, 4, &["V31-19"]),
    (V3_1_1, Client, "30 05 0003 't' 00 't'", Malformed, 5, &["MQTT-1.5.3-2", "MQTT-4.7.3-2"]),
    (V5_0, Client, "30 04 0001 00 00", Malformed, 4, &["MQTT-1.5.4-2", "MQTT-4.7.3-2"]),
    (V3_1_1, Client, "30 05 0003 eda080", Malformed, 4, &["MQTT-1.5.3-1", "MQTT-3.3.2-1"]),
    (V5_0, Client, "30 06 0003 edbfbf 00", Malformed, 4, &["MQTT-1.5.4-1", "MQTT-3.3.2-1"]),
    (V5_0, Client, "30 05 0002 c080 00", Malformed, 4, &["MQTT-1.5.4-1", "MQTT-3.3.2-1"]), // overlong U+0000
    (V5_0, Client, "30 06 0003 't' e282 00", Malformed, 5, &["MQTT-1.5.4-1", "MQTT-3.3.2-1"]),
    (V5_0, Client, "30 03 0001 't'", Malformed, 5, &["MQTT-2.2.2-1"]),
    (V5_0, Client, "30 05 0001 't' 8000", Malformed, 6, &["MQTT-1.5.5-1"]),
    (V5_0, Client, "30 08 0001 't' 8080808000", Malformed, 8, &[]),
    (V5_0, Client, "30 06 0001 't' 03 0101", Malformed, 5, &[]),
    (V5_0, Client, "30 06 0001 't' 02 0102", Error, 7, &[]),
    (V5_0, Client, "30 08 0001 't' 04 0101 0101", Error, 8, &[]),
    (V5_0, Client, "30 07 0001 't' 03 230000", Alias, 7, &["MQTT-3.3.2-8"]),
    (V5_0, Client, "30 0a 0001 't' 06 230001 230002", Error, 9, &[]),
    (V5_0, Client, "30 06 0001 't' 02 0b01", Error, 6, &["MQTT-3.3.4-6"]),
    (V5_0, Server, "30 06 0001 't' 02 0b00", Error, 7, &[]),
    (V5_0, Server, "30 07 0001 't' 03 0b8100", Malformed, 8, &["MQTT-1.5.5-1"]),
    (V5_0, Server, "30 08 0001 't' 04 0b808080", Malformed, 10, &[]),
    (V5_0, Server, "30 09 0001 't' 05 1100000001", Malformed, 6, &[]),
    (V5_0, Client, "30 07 0001 't' 03 a60001", Malformed, 7, &["MQTT-1.5.5-1"]),
    (V5_0, Client, "30 08 0001 't' 04 08 0001 00", Malformed, 9, &["MQTT-1.5.4-2", "MQTT-4.7.3-2"]),
    (V5_0, Client, "30 08 0001 't' 04 08 0001 ff", Malformed, 9, &["MQTT-1.5.4-1", "MQTT-3.3.2-13"]),
    (V5_0, Client, "30 08 0001 't' 04 03 0001 ff", Malformed, 9, &["MQTT-1.5.4-1", "MQTT-3.3.2-19"]),
    // Acknowledgements
    (V3_1, Client, "40 02 0000", Malformed, 2, &[]),
    (V3_1_1, Client, "40 02 0000", Malformed, 2, &["MQTT-2.3.1-6"]),
    (V5_0, Server, "50 02 0000", Malformed, 2, &["MQTT-2.2.1-5"]),
    (V3_1_1, Server, "70 02 0000", Malformed, 2, &[]),
    (V5_0, Server, "70 02 0000", Malformed, 2, &["MQTT-2.2.1-5"]),
    (V3_1_1, Client, "62 01 00", Malformed, 3, &["MQTT-2.3.1-6"]),
    (V3_1_1, Client, "40 03 0001 00", Malformed, 4, &[]),
    (V5_0, Client, "40 03 0001 01", Error, 4, &["MQTT-3.4.2-1"]),
    (V5_0, Client, "50 03 0001 92", Error, 4, &["MQTT-3.5.2-1"]),
    (V5_0, Client, "62 03 0001 10", Error, 4, &["MQTT-3.6.2-1"]),
    (V5_0, Client, "70 03 0001 ff", Error, 4, &["MQTT-3.7.2-1"]),
    (V5_0, Client, "40 05 0001 00 00 00", Malformed, 6, &[]),
    (V5_0, Client, "40 04 0001 00 01", Malformed, 5, &[]),
    (V5_0, Client, "40 06 0001 00 02 0101", Malformed, 6, &[]),
    // SUBSCRIBE
    (V3_1_1, Client, "82 06 0000 0001 't' 00", Malformed, 2, &["MQTT-2.3.1-1"]),
    (V5_0, Client, "82 07 0000 00 0001 't' 00", Malformed, 2, &["MQTT-2.2.1-3"]),
    (V3_1, Client, "82 02 0001", Error, 4, &[]),
    (V3_1_1, Client, "82 02 0001", Error, 4, &["MQTT-3.8.3-3"]),
    (V5_0, Client, "82 03 0001 00", Error, 5, &["MQTT-3.8.3-2"]),
    (V3_1_1, Client, "82 05 0001 0001 't'", Malformed, 7, &["MQTT-3.8.3-3"]),
    (V5_0, Client, "82 06 0001 00 0001 't'", Malformed, 8, &["MQTT-3.8.3-2"]),
    (V3_1, Client, "82 06 0001 0001 't' 03", Malformed, 7, &["V31-23"]),
    (V3_1_1, Client, "82 06 0001 0001 't' 03", Malformed, 7, &["MQTT-3.8.3-4"]),
    (V3_1_1, Client, "82 06 0001 0001 't' 04", Malformed, 7, &["MQTT-3.8.3-4"]),
    (V5_0, Client, "82 07 0001 00 0001 't' 03", Error, 8, &[]),
    (V5_0, Client, "82 07 0001 00 0001 't' 30", Error, 8, &[]),
    (V5_0, Client, "82 07 0001 00 0001 't' 40", Malformed, 8, &["MQTT-3.8.3-5"]),
    (V5_0, Client, "82 07 0001 00 0001 't' 80", Malformed, 8, &["MQTT-3.8.3-5"]),
    (V5_0, Client, "82 09 0001 02 0b00 0001 't' 00", Error, 6, &[]),
    (V5_0, Client, "82 0b 0001 04 0b01 0b02 0001 't' 00", Error, 7, &[]),
    (V3_1_1, Client, "82 06 0001 0001 ff 00", Malformed, 6, &["MQTT-1.5.3-1", "MQTT-3.8.3-1"]),
    (V5_0, Client, "82 07 0001 00 0001 00 00", Malformed, 7, &["MQTT-1.5.4-2", "MQTT-4.7.3-2"]),
    (V3_1_1, Client, "82 08 0001 0001 't' 00 0001", Malformed, 10, &[]),
    // SUBACK
    (V3_1_1, Server, "90 03 0000 00", Malformed, 2, &["MQTT-2.3.1-7"]),
    (V5_0, Server, "90 04 0000 00 00", Malformed, 2, &["MQTT-2.2.1-6"]),
    (V3_1_1, Server, "90 02 0001", Error, 4, &["MQTT-3.8.4-5"]),
    (V5_0, Server, "90 03 0001 00", Error, 5, &["MQTT-3.8.4-6"]),
    (V3_1, Server, "90 03 0001 80", Malformed, 4, &["V31-14"]),
    (V3_1, Server, "90 03 0001 03", Malformed, 4, &["V31-14"]),
    (V3_1_1, Server, "90 04 0001 00 03", Malformed, 5, &["MQTT-3.9.3-2"]),
    (V3_1_1, Server, "90 03 0001 87", Malformed, 4, &["MQTT-3.9.3-2"]),
    (V5_0, Server, "90 04 0001 00 11", Error, 5, &["MQTT-3.9.3-2"]),
    // UNSUBSCRIBE and UNSUBACK
    (V3_1_1, Client, "a2 02 0001", Error, 4, &["MQTT-3.10.3-2"]),
    (V5_0, Client, "a2 03 0001 00", Error, 5, &["MQTT-3.10.3-2"]),
    (V3_1_1, Client, "a2 05 0001 0001 ff", Malformed, 6, &["MQTT-1.5.3-1", "MQTT-3.10.3-1"]),
    (V3_1_1, Client, "a2 05 0000 0001 't'", Malformed, 2, &["MQTT-2.3.1-1"]),
    (V3_1_1, Server, "b0 03 0001 00", Malformed, 4, &[]),
    (V5_0, Server, "b0 02 0001", Malformed, 4, &["MQTT-2.2.2-1"]),
    (V5_0, Server, "b0 03 0001 00", Error, 5, &["MQTT-3.11.3-1"]),
    (V5_0, Server, "b0 04 0001 00 01", Error, 5, &["MQTT-3.11.3-2"]),
    // PINGREQ and PINGRESP
    (V3_1_1, Client, "c0 01 00", Malformed, 2, &[]),
    (V5_0, Server, "d0 01 00", Malformed, 2, &[]),
    // DISCONNECT
    (V3_1_1, Client, "e0 01 00", Malformed, 2, &[]),
    (V3_1, Client, "e0 01 00", Malformed, 2, &[]),
    (V5_0, Server, "e0 01 04", Error, 2, &["MQTT-3.14.2-1"]),
    (V5_0, Client, "e0 01 8b", Error, 2, &["MQTT-3.14.2-1"]),
    (V5_0, Client, "e0 01 84", Error, 2, &["MQTT-3.14.2-1"]),
    (V5_0, Client, "e0 01 01", Error, 2, &["MQTT-3.14.2-1"]),
    (V5_0, Server, "e0 07 8e 05 11 00000000", Error, 4, &["MQTT-3.14.2-2"]),
    (V5_0, Client, "e0 03 00 00 00", Malformed, 4, &[]),
    (V5_0, Client, "e0 0c 00 0a 11 00000001 11 00000001", Error, 9, &[]),
    // AUTH
    (V5_0, Client, "f0 00", Error, 2, &["MQTT-3.15.2-1"]),
    (V5_0, Client, "f0 07 00 05 15 0002 'ab'", Error, 2, &["MQTT-3.15.2-1"]),
    (V5_0, Server, "f0 07 19 05 15 0002 'ab'", Error, 2, &["MQTT-3.15.2-1"]),
    (V5_0, Server, "f0 07 01 05 15 0002 'ab'", Error, 2, &["MQTT-3.15.2-1"]),
    (V5_0, Server, "f0 01 18", Malformed, 3, &["MQTT-2.2.2-1"]),
    (V5_0, Server, "f0 02 18 00", Error, 3, &[]),
];

fn check(
    mut decoder: Decoder,
    bytes: &[u8],
    start: usize,
    version: Option<ProtocolVersion>,
    expected: (Fault, usize, &[&str]),
) -> Result<(), String> {
    decoder.feed(bytes);
    let refusal = match decoder.next_packet() {
        Err(refusal) => refusal,
        other => return Err(format!("not refused: {other:?}")),
    };
    let found = (refusal.fault, refusal.packet_offset, refusal.statements);
    if found != expected || refusal.offset != (start + expected.1) as u64 || refusal.version != version {
        return Err(format!("{found:?}: {refusal}"));
    }
    Ok(())
}

#[test]
fn every_row_is_refused_at_its_place_for_its_reason() {
    let mut wrong = Vec::new();
    for (version, sender, notation, fault, at, statements) in ROWS {
        let start = if *sender == Client { crate::connect(*version).len() } else { 0 };
        let outcome =
            check(decoder(*sender, *version), &bytes(notation), start, Some(*version), (*fault, *at, statements));
        wrong.extend(outcome.err().map(|why| format!("{version} {sender} {notation}: {why}")));
    }
    for (version, notation, fault, at, statements) in FIRST_PACKETS {
        let outcome = check(Decoder::from_client(), &bytes(notation), 0, *version, (*fault, *at, statements));
        wrong.extend(outcome.err().map(|why| format!("{version:?} {notation}: {why}")));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_packet_over_the_maximum_is_refused_at_its_header() {
    for (version, sender, statements) in
        [(V3_1_1, Client, &[][..]), (V5_0, Client, &["MQTT-3.2.2-15"]), (V5_0, Server, &["MQTT-3.1.2-24"])]
    {
        let start = if sender == Client { crate::connect(version).len() } else { 0 };
        let mut decoder = decoder(sender, version);
        decoder.set_maximum_packet_size(10);
        // Ten bytes with the header are not too many; one more is, and nothing of it need have come.
        decoder.feed(&bytes("30 08"));
        assert_eq!(decoder.next_packet(), Ok(None));
        let mut decoder = crate::decoder(sender, version);
        decoder.set_maximum_packet_size(10);
        let outcome = check(decoder, &bytes("30 09"), start, Some(version), (TooLarge, 1, statements));
        assert_eq!(outcome, Ok(()));
    }
    let mut first = Decoder::from_client();
    first.set_maximum_packet_size(10);
    assert_eq!(check(first, &bytes("10 ff01"), 0, None, (TooLarge, 1, &["MQTT-3.1.4-1"])), Ok(()));
}

#[test]
fn what_is_refused_can_be_stepped_over_where_it_ends() {
    let start = crate::connect(V3_1_1).len() as u64;
    let mut decoder = decoder(Client, V3_1_1);
    assert!(!decoder.step_over(), "nothing is refused");
    // A SUBSCRIBE without filter, a PINGREQ, and one with a flag whose second byte is still to come.
    decoder.feed(&bytes("82 02 0001 C0 00 C1"));
    let refusal = decoder.next_packet().unwrap_err();
    assert_eq!(decoder.next_packet().unwrap_err(), refusal);
    assert!(decoder.step_over());
    let pingreq = decoder.next_packet().unwrap().unwrap();
    assert_eq!((pingreq.packet, pingreq.offset), (Packet::Pingreq, start + 4));
    assert_eq!(decoder.next_packet().unwrap_err().offset, start + 6);
    decoder.feed(&bytes("00"));
    assert!(!decoder.step_over(), "what came behind a refusal is dropped");
}

#[test]
fn a_refusal_reads_as_one_sentence() {
    let mut decoder = decoder(Client, V5_0);
    let start = crate::connect(V5_0).len();
    decoder.feed(&bytes("30 07 0001 't' 03 230000"));
    assert_eq!(
        decoder.next_packet().unwrap_err().to_string(),
        format!(
            "topic alias invalid at byte 7 of PUBLISH (byte {} of the stream): expected Topic Alias above 0, found 0 \
             [MQTT-3.3.2-8]",
            start + 7
        )
    );
    let mut reserved = Decoder::from_client();
    reserved.feed(&[0]);
    assert_eq!(
        reserved.next_packet().unwrap_err().to_string(),
        "malformed packet at byte 0 of the packet (byte 0 of the stream): expected a packet type from 1 to 15, found 0 \
         (first byte 0x00)"
    );
}

#[test]
fn every_kind_of_fault_occurs_in_the_tables_and_has_a_reason_code() {
    let seen: std::collections::BTreeSet<Fault> =
        ROWS.iter().map(|row| row.3).chain(FIRST_PACKETS.iter().map(|row| row.2)).chain([TooLarge]).collect();
    assert!(Fault::ALL.iter().all(|fault| seen.contains(fault)));
    assert!(Fault::ALL.iter().all(|fault| fault.reason_code().is_error()));
}
