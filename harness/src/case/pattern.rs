//! Packets to expect: what is said is compared, what is left out is not.

use super::code::{self, CodePattern};
use super::data;
use super::fields::{
    AcknowledgementFields, AuthFields, ConnackFields, DisconnectFields, Incoming, PublishFields, SubackFields,
};
use super::property::Properties;
use super::scope::Scope;
use super::template::BuildError;
use super::value::{Literal, Text, Value};
use model::packet::{
    Acknowledgement, Auth, Connack, Disconnect, Packet, PacketId, PacketType, PropertySet, ProtocolVersion, Publish,
    ReasonCode, ReasonProperties, Utf8String,
};
use std::fmt;

/// What a received packet must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketPattern {
    fields: Incoming,
    version: ProtocolVersion,
}

/// A field that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// `payload`, `codes[1]`, `properties.receive_maximum`.
    pub field: String,
    /// What the case expects.
    pub expected: String,
    /// What came.
    pub seen: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, came {}", self.field, self.expected, self.seen)
    }
}

impl PacketPattern {
    pub(super) fn new(fields: Incoming, version: ProtocolVersion) -> PacketPattern {
        PacketPattern { fields, version }
    }

    /// The type of the packet.
    #[must_use]
    pub fn packet_type(&self) -> PacketType {
        match self.fields {
            Incoming::Connack(_) => PacketType::Connack,
            Incoming::Publish(_) => PacketType::Publish,
            Incoming::Puback(_) => PacketType::Puback,
            Incoming::Pubrec(_) => PacketType::Pubrec,
            Incoming::Pubrel(_) => PacketType::Pubrel,
            Incoming::Pubcomp(_) => PacketType::Pubcomp,
            Incoming::Suback(_) => PacketType::Suback,
            Incoming::Unsuback(_) => PacketType::Unsuback,
            Incoming::Pingresp => PacketType::Pingresp,
            Incoming::Disconnect(_) => PacketType::Disconnect,
            Incoming::Auth(_) => PacketType::Auth,
        }
    }

    /// All fields in which `packet` is not as expected; empty if it fits. A variable without a value is a mismatch of the
    /// field that it stands in.
    #[must_use]
    pub fn compare(&self, packet: &Packet, scope: &Scope) -> Vec<Mismatch> {
        let comparison = self.comparison(packet, scope);
        let unknown = comparison.errors.into_iter().map(|(field, error)| Mismatch {
            field,
            expected: format!("a value that is not known ({error})"),
            seen: "not compared".to_owned(),
        });
        comparison.mismatches.into_iter().chain(unknown).collect()
    }

    /// What cannot be compared at all: variables without a value or of a wrong kind, codes that the version has not.
    pub(super) fn errors(&self, sample: &Packet, scope: &Scope) -> Vec<(String, BuildError)> {
        self.comparison(sample, scope).errors
    }

    /// The QoS of an expected PUBLISH, as far as the pattern says it.
    pub(super) fn qos(&self, scope: &Scope) -> Option<model::packet::Qos> {
        match &self.fields {
            Incoming::Publish(fields) => fields.qos.as_ref().and_then(|qos| qos.resolve(scope).ok()),
            _ => None,
        }
    }

    fn comparison<'a>(&'a self, packet: &Packet, scope: &'a Scope) -> Comparison<'a> {
        let mut comparison = Comparison {
            scope,
            version: self.version,
            packet: packet.packet_type(),
            mismatches: Vec::new(),
            errors: Vec::new(),
        };
        match (&self.fields, packet) {
            (Incoming::Connack(fields), Packet::Connack(connack)) => comparison.connack(fields, connack),
            (Incoming::Publish(fields), Packet::Publish(publish)) => comparison.publish(fields, publish),
            (Incoming::Puback(fields), Packet::Puback(seen))
            | (Incoming::Pubrec(fields), Packet::Pubrec(seen))
            | (Incoming::Pubrel(fields), Packet::Pubrel(seen))
            | (Incoming::Pubcomp(fields), Packet::Pubcomp(seen)) => comparison.acknowledgement(fields, seen),
            (Incoming::Suback(fields), Packet::Suback(seen)) => {
                comparison.suback(fields, seen.packet_id, &seen.codes, &seen.properties);
            }
            (Incoming::Unsuback(fields), Packet::Unsuback(seen)) => {
                comparison.suback(fields, seen.packet_id, &seen.codes, &seen.properties);
            }
            (Incoming::Pingresp, Packet::Pingresp) => {}
            (Incoming::Disconnect(fields), Packet::Disconnect(seen)) => comparison.disconnect(fields, seen),
            (Incoming::Auth(fields), Packet::Auth(seen)) => comparison.auth(fields, seen),
            _ => comparison.mismatch("packet", self.packet_type().name(), packet.packet_type().name()),
        }
        comparison
    }
}

/// A comparison that collects all that is not as expected.
struct Comparison<'a> {
    scope: &'a Scope,
    version: ProtocolVersion,
    packet: PacketType,
    mismatches: Vec<Mismatch>,
    errors: Vec<(String, BuildError)>,
}

impl Comparison<'_> {
    fn mismatch(&mut self, field: &str, expected: impl Into<String>, seen: impl Into<String>) {
        self.mismatches.push(Mismatch { field: field.to_owned(), expected: expected.into(), seen: seen.into() });
    }

    fn error(&mut self, field: &str, error: BuildError) {
        self.errors.push((field.to_owned(), error));
    }

    /// Compares what `describe` can print.
    fn value<T: Literal + PartialEq>(
        &mut self,
        field: &str,
        value: Option<&Value<T>>,
        seen: Option<T>,
        describe: fn(T) -> String,
    ) {
        let Some(value) = value else { return };
        match value.resolve(self.scope) {
            Ok(expected) if seen == Some(expected) => {}
            Ok(expected) => self.mismatch(field, describe(expected), seen.map_or("none".to_owned(), describe)),
            Err(error) => self.error(field, error),
        }
    }

    fn text(&mut self, field: &str, text: Option<&Text>, seen: &Utf8String) {
        match text.map(|text| text.resolve(self.scope)) {
            Some(Ok(expected)) if expected == seen.as_str() => {}
            Some(Ok(expected)) => self.mismatch(field, format!("{expected:?}"), format!("{:?}", seen.as_str())),
            Some(Err(error)) => self.error(field, error),
            None => {}
        }
    }

    fn code(&mut self, field: &str, pattern: Option<&CodePattern>, seen: u8) {
        let (packet, version) = (self.packet, self.version);
        match pattern.map(|pattern| pattern.compare(seen, packet, version, self.scope)) {
            Some(Ok(Some(expected))) => self.mismatch(field, expected, code::describe(seen, packet, version)),
            Some(Err(error)) => self.error(field, error),
            Some(Ok(None)) | None => {}
        }
    }

    fn properties<S: PropertySet>(&mut self, expected: &Properties<S>, seen: &S) {
        match expected.compare(seen, self.scope) {
            Ok(mismatches) => {
                for (field, expected, seen) in mismatches {
                    self.mismatch(&field, expected, seen);
                }
            }
            Err(error) => self.error("properties", error),
        }
    }

    fn connack(&mut self, fields: &ConnackFields, seen: &Connack) {
        self.value("session_present", fields.session_present.as_ref(), Some(seen.session_present), |f| f.to_string());
        self.code("code", fields.code.as_ref(), seen.code.value());
        self.properties(&fields.properties, &seen.properties);
    }

    fn publish(&mut self, fields: &PublishFields, seen: &Publish) {
        self.text("topic", fields.topic.as_ref(), &seen.topic);
        self.value("qos", fields.qos.as_ref(), Some(seen.qos()), |qos| qos.to_string());
        self.value("retain", fields.retain.as_ref(), Some(seen.retain), |flag| flag.to_string());
        self.value("dup", fields.dup.as_ref(), Some(seen.dup()), |flag| flag.to_string());
        self.id(fields.id.as_ref(), seen.packet_id());
        match fields.payload.as_ref().map(|payload| payload.compare(&seen.payload, self.scope)) {
            Some(Ok(Some(expected))) => self.mismatch("payload", expected, data::describe(&seen.payload)),
            Some(Err(error)) => self.error("payload", error),
            Some(Ok(None)) | None => {}
        }
        self.properties(&fields.properties, &seen.properties);
    }

    fn id(&mut self, id: Option<&Value<PacketId>>, seen: Option<PacketId>) {
        self.value("id", id, seen, |id| id.to_string());
    }

    fn acknowledgement(&mut self, fields: &AcknowledgementFields<CodePattern>, seen: &Acknowledgement) {
        self.id(fields.id.as_ref(), Some(seen.packet_id));
        self.code("code", fields.code.as_ref(), seen.reason.value());
        self.properties(&fields.properties, &seen.properties);
    }

    fn suback(&mut self, fields: &SubackFields, id: PacketId, codes: &[ReasonCode], properties: &ReasonProperties) {
        self.id(fields.id.as_ref(), Some(id));
        if let Some(expected) = &fields.codes {
            for (index, pattern) in expected.iter().enumerate() {
                // A code that did not come is compared as if it were a success, for the sake of errors in the pattern.
                let seen = codes.get(index).copied().unwrap_or(ReasonCode::Success);
                self.code(&format!("codes[{index}]"), Some(pattern), seen.value());
            }
            if expected.len() != codes.len() {
                self.mismatches.retain(|mismatch| !mismatch.field.starts_with("codes["));
                let seen: Vec<String> = codes.iter().map(ToString::to_string).collect();
                self.mismatch("codes", format!("{} of them", expected.len()), format!("[{}]", seen.join(", ")));
            }
        }
        self.properties(&fields.properties, properties);
    }

    fn disconnect(&mut self, fields: &DisconnectFields<CodePattern>, seen: &Disconnect) {
        self.code("code", fields.code.as_ref(), seen.reason.value());
        self.properties(&fields.properties, &seen.properties);
    }

    fn auth(&mut self, fields: &AuthFields<CodePattern>, seen: &Auth) {
        self.code("code", fields.code.as_ref(), seen.reason.value());
        self.properties(&fields.properties, &seen.properties);
    }
}
