//! CONNECT.

use super::Read;
use super::properties::{Owner, properties};
use crate::packet::{Connect, ConnectProperties, PacketType, ProtocolVersion, Qos, Will};
use crate::wire::fields::{Objection, Reader, TextField};
use crate::wire::rules;

const USER_NAME: u8 = 0x80;
const PASSWORD: u8 = 0x40;
const WILL_RETAIN: u8 = 0x20;
const WILL_QOS: u8 = 0x18;
const WILL: u8 = 0x04;
const CLEAN_START: u8 = 0x02;
const RESERVED: u8 = 0x01;

const CLIENT_ID: TextField = TextField {
    name: "Client Identifier",
    missing: &rules::CLIENT_ID_MISSING,
    ill_formed: &rules::ILL_FORMED_CLIENT_ID,
    null: &rules::NULL_CHARACTER,
};
const WILL_TOPIC: TextField = TextField {
    name: "Will Topic",
    missing: &rules::WILL_MISSING,
    ill_formed: &rules::ILL_FORMED_WILL_TOPIC,
    null: &rules::NULL_IN_TOPIC,
};
const USER_NAME_FIELD: TextField = TextField {
    name: "User Name",
    missing: &rules::USER_NAME_MISSING,
    ill_formed: &rules::ILL_FORMED_USER_NAME,
    null: &rules::NULL_CHARACTER,
};

/// The version that a CONNECT names.
pub(in crate::wire) fn version_of_connect(packet: &[u8], header: usize) -> Read<ProtocolVersion> {
    protocol(&mut Reader::behind_header(packet, header))
}

/// Protocol Name and Protocol Level, which make sense only together.
fn protocol(reader: &mut Reader) -> Read<ProtocolVersion> {
    let name_at = reader.at();
    // Compared as bytes: whatever is not one of the two names is wrong for that reason already.
    let name = reader.binary("Protocol Name", &rules::TRUNCATED)?;
    let mut versions = ProtocolVersion::ALL.into_iter().filter(|version| version.protocol_name().as_bytes() == name);
    let Some(oldest) = versions.clone().next() else {
        let found = String::from_utf8_lossy(&name[..name.len().min(32)]);
        let what = format!("expected Protocol Name \"MQTT\" or \"MQIsdp\", found {found:?}");
        return Err(Objection::new(name_at, &rules::PROTOCOL_NAME, what));
    };
    let level_at = reader.at();
    let level = reader.byte("Protocol Level", &rules::TRUNCATED)?;
    versions.find(|version| version.level() == level).ok_or_else(|| match oldest {
        ProtocolVersion::V3_1 => {
            let what = format!("expected Protocol Version 3 of MQIsdp, found {level}");
            Objection::new(level_at, &rules::LEVEL_OF_MQISDP, what)
        }
        ProtocolVersion::V3_1_1 | ProtocolVersion::V5_0 => {
            let what = format!("expected Protocol Level 4 or 5 of MQTT, found {level}");
            Objection::new(level_at, &rules::PROTOCOL_LEVEL, what)
        }
    })
}

/// Reads a CONNECT by the rules of the version that it names itself. On a live connection that is the version of the
/// connection; a second CONNECT, wrong as it is, may name another.
pub(super) fn connect(reader: &mut Reader) -> Read<Connect> {
    let version = protocol(reader)?;
    let flags_at = reader.at();
    let flags = reader.byte("Connect Flags", &rules::TRUNCATED)?;
    check_flags(flags, flags_at, version)?;
    let will_qos = will_qos(flags, flags_at)?;
    let keep_alive = reader.two_byte_integer("Keep Alive", &rules::TRUNCATED)?;
    let properties_at = reader.at();
    let own: ConnectProperties = properties(reader, version, Owner::packet(PacketType::Connect))?;
    if own.authentication_data.is_some() && own.authentication_method.is_none() {
        let what = "expected Authentication Method with Authentication Data, found none";
        return Err(Objection::new(properties_at, &rules::AUTHENTICATION_METHOD_MISSING, what));
    }
    let client_id = reader.text(&CLIENT_ID)?;
    let will = match will_qos {
        None => None,
        Some(qos) => Some(will(reader, qos, flags & WILL_RETAIN != 0, version)?),
    };
    // In 3.1 the strings may be missing although their flags are set (V31-8); the packet then says less, and is right.
    let loose = version == ProtocolVersion::V3_1;
    let expects = |flag: u8, reader: &Reader| flags & flag != 0 && !(loose && reader.is_at_end());
    let user_name = if expects(USER_NAME, reader) { Some(reader.text(&USER_NAME_FIELD)?) } else { None };
    let password = if expects(PASSWORD, reader) {
        Some(reader.binary("Password", &rules::PASSWORD_MISSING)?.to_vec())
    } else {
        None
    };
    Ok(Connect {
        clean_start: flags & CLEAN_START != 0,
        keep_alive,
        properties: own,
        client_id,
        will,
        user_name,
        password,
    })
}

fn check_flags(flags: u8, at: usize, version: ProtocolVersion) -> Read<()> {
    // 3.1 does not use bit 0 (V31-10) and disregards the Will bits without Will Flag (V31-9).
    if version != ProtocolVersion::V3_1 {
        if flags & RESERVED != 0 {
            return Err(Objection::new(at, &rules::CONNECT_FLAG_0, "expected Connect Flags bit 0 to be 0, found 1"));
        }
        if flags & WILL == 0 && flags & WILL_QOS != 0 {
            let what = format!("expected Will QoS 0 without Will Flag, found {}", (flags & WILL_QOS) >> 3);
            return Err(Objection::new(at, &rules::WILL_QOS_WITHOUT_WILL, what));
        }
        if flags & WILL == 0 && flags & WILL_RETAIN != 0 {
            let what = "expected Will Retain 0 without Will Flag, found 1";
            return Err(Objection::new(at, &rules::WILL_RETAIN_WITHOUT_WILL, what));
        }
    }
    // 5.0 lets a Password come alone; 3.1 calls it not valid, as 3.1.1 does, if without a number.
    if flags & PASSWORD != 0 && flags & USER_NAME == 0 && version != ProtocolVersion::V5_0 {
        let what = "expected Password Flag 0 without User Name Flag, found 1";
        return Err(Objection::new(at, &rules::PASSWORD_WITHOUT_USER_NAME, what));
    }
    Ok(())
}

/// The QoS of the Will, if there is one.
fn will_qos(flags: u8, at: usize) -> Read<Option<Qos>> {
    if flags & WILL == 0 {
        return Ok(None);
    }
    let qos = Qos::from_value((flags & WILL_QOS) >> 3);
    qos.map(Some).ok_or_else(|| Objection::new(at, &rules::WILL_QOS_3, "expected Will QoS 0, 1 or 2, found 3"))
}

fn will(reader: &mut Reader, qos: Qos, retain: bool, version: ProtocolVersion) -> Read<Will> {
    let properties = properties(reader, version, Owner { name: "the Will", barred: None })?;
    let topic = reader.text(&WILL_TOPIC)?;
    let payload = reader.binary("Will Payload", &rules::WILL_MISSING)?.to_vec();
    Ok(Will { topic, payload, qos, retain, properties })
}
