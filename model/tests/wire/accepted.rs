//! What looks wrong and is right: looser rules of 3.1, short forms of 5.0, and what the codec leaves to others.

use crate::{bytes, decoder};
use Sender::{Client, Server};
use model::packet::ProtocolVersion::{self, V3_1, V3_1_1, V5_0};
use model::wire::{Decoder, Sender};

#[rustfmt::skip]
const ROWS: &[(ProtocolVersion, Sender, &str, &str)] = &[
    // 3.1 does not mind unused bits, and has DUP where 3.1.1 has none (V31-10, V31-16).
    (V3_1, Client, "c9 00", "PINGREQ"),
    (V3_1, Client, "e1 00", "DISCONNECT"),
    (V3_1, Client, "8a 06 0001 0001 't' 01", "SUBSCRIBE id1 t qos1"),
    (V3_1, Client, "80 06 0001 0001 't' fd", "SUBSCRIBE id1 t qos1"),
    (V3_1, Client, "aa 05 0001 0001 't'", "UNSUBSCRIBE id1 t"),
    (V3_1, Client, "6a 02 0001", "PUBREL id1"),
    (V3_1, Client, "60 02 0001", "PUBREL id1"),
    (V3_1, Client, "38 04 0001 't' 'm'", "PUBLISH t \"m\" qos0"),
    (V3_1, Server, "90 04 0001 fd 02", "SUBACK id1 [0x01, 0x02]"),
    (V3_1, Server, "20 02 0100", "CONNACK session-present 0 code 0x00 Accepted"),
    (V3_1, Server, "20 02 ff04", "CONNACK session-present 0 code 0x04 Bad user name or password"),
    // Only 5.0 asks for the shortest Remaining Length.
    (V3_1, Client, "c0 8000", "PINGREQ"),
    (V3_1_1, Client, "c0 80808000", "PINGREQ"),
    // Short forms of 5.0
    (V5_0, Client, "40 02 0001", "PUBACK id1"),
    (V5_0, Client, "40 03 0001 00", "PUBACK id1"),
    (V5_0, Client, "40 03 0001 10", "PUBACK id1 0x10 No matching subscribers"),
    (V5_0, Client, "40 04 0001 10 00", "PUBACK id1 0x10 No matching subscribers"),
    (V5_0, Server, "62 03 0001 92", "PUBREL id1 0x92 Packet Identifier not found"),
    (V5_0, Client, "e0 00", "DISCONNECT"),
    (V5_0, Client, "e0 01 04", "DISCONNECT 0x04 Disconnect with Will Message"),
    (V5_0, Server, "e0 02 8b 00", "DISCONNECT 0x8B Server shutting down"),
    (V5_0, Client, "e0 07 00 05 11 00000000", "DISCONNECT {Session Expiry Interval 0}"),
    (V5_0, Server, "f0 00", "AUTH 0x00 Success"),
    (V5_0, Server, "e0 01 8c", "DISCONNECT 0x8C Bad authentication method"),
    // Lists, and what may come more than once
    (V5_0, Server, "30 08 0001 't' 04 0b01 0b02", "PUBLISH t \"\" qos0 {Subscription Identifier 1, Subscription Identifier 2}"),
    (V5_0, Client, "30 07 0000 03 230001 'm'", "PUBLISH \"\" \"m\" qos0 {Topic Alias 1}"),
    (V5_0, Server, "90 05 0001 00 00 87", "SUBACK id1 [0x00, 0x87]"),
    (V3_1_1, Server, "90 04 0001 80 02", "SUBACK id1 [0x80, 0x02]"),
    (V3_1_1, Server, "b0 02 0001", "UNSUBACK id1"),
    // Contents of topics are for the server to judge.
    (V3_1_1, Client, "30 05 0003 't/+'", "PUBLISH t/+ \"\" qos0"),
    (V3_1_1, Client, "82 05 0001 0000 00", "SUBSCRIBE id1 \"\" qos0"),
    (V5_0, Client, "82 0e 0001 00 0008 '$share/t' 04", "SUBSCRIBE id1 $share/t qos0 no-local"),
    // U+FEFF and unassigned characters are characters.
    (V3_1_1, Client, "30 05 0003 efbbbf", r#"PUBLISH "\u{feff}" "" qos0"#),
    (V5_0, Client, "30 06 0003 efbfbf 00", r#"PUBLISH "\u{ffff}" "" qos0"#),
];

/// CONNECT, which names its version itself.
#[rustfmt::skip]
const CONNECTS: &[(ProtocolVersion, &str, &str)] = &[
    // Will bits without Will Flag, bit 0, flags of the first byte (V31-9, V31-10)
    (V3_1, "1f 0f 0006 'MQIsdp' 03 3b 0000 0001 'c'", "CONNECT c clean keep-alive 0"),
    // User Name and Password flags without the strings (V31-8)
    (V3_1, "10 0f 0006 'MQIsdp' 03 c2 0000 0001 'c'", "CONNECT c clean keep-alive 0"),
    (V3_1, "10 12 0006 'MQIsdp' 03 c2 0000 0001 'c' 0001 'u'", "CONNECT c clean keep-alive 0 user u"),
    // Client Identifiers are for the server to judge.
    (V3_1, "10 0e 0006 'MQIsdp' 03 00 0000 0000", "CONNECT \"\" keep-alive 0"),
    (V3_1_1, "10 0c 0004 'MQTT' 04 00 0000 0000", "CONNECT \"\" keep-alive 0"),
    // A Password alone (5.0)
    (V5_0, "10 11 0004 'MQTT' 05 42 0000 00 0001 'c' 0001 'p'", "CONNECT c clean keep-alive 0 password (1 bytes)"),
    // A Will without payload
    (V5_0, "10 14 0004 'MQTT' 05 06 0000 00 0001 'c' 00 0001 't' 0000", "CONNECT c clean keep-alive 0 will [t \"\" qos0]"),
];

#[track_caller]
fn reads(mut decoder: Decoder, notation: &str, line: &str) {
    decoder.feed(&bytes(notation));
    match decoder.next_packet() {
        Ok(Some(decoded)) => assert_eq!(decoded.packet.to_string(), line, "{notation}"),
        other => panic!("{notation}: {other:?}"),
    }
    assert_eq!(decoder.pending(), 0, "{notation}");
}

#[test]
fn every_row_is_read() {
    for (version, sender, notation, line) in ROWS {
        reads(decoder(*sender, *version), notation, line);
    }
    for (version, notation, line) in CONNECTS {
        let connected = {
            let mut decoder = Decoder::from_client();
            decoder.feed(&bytes(notation));
            decoder.next_packet().unwrap();
            decoder.version()
        };
        assert_eq!(connected, Some(*version));
        reads(Decoder::from_client(), notation, line);
    }
}
