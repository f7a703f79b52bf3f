//! Packets to send: fields, defaults and deliberate faults.

use super::code::Code;
use super::data::Data;
use super::fields::{
    AcknowledgementFields, AuthFields, ConnectFields, DisconnectFields, FilterFields, Outgoing, PublishFields,
    SubscribeFields, UnsubscribeFields,
};
use super::login::LoginFields;
use super::raw::RawFields;
use super::scope::{Identity, Scope};
use super::value::{Literal, Value};
use model::device::Transport;
use model::packet::{
    Acknowledgement, Auth, Connect, Delivery, Disconnect, Packet, PacketId, PacketType, ProtocolVersion, Publish, Qos,
    ReasonCode, Subscribe, SubscriptionOptions, SubscriptionRequest, Unsubscribe, Utf8String, Will,
};
use model::wire::{Crafted, encode};

/// Seconds of Keep Alive that a CONNECT asks for by default: not 0, which some servers refuse.
const KEEP_ALIVE: u16 = 60;

/// A packet to be sent, with variables in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketTemplate {
    fields: Outgoing,
    raw: RawFields,
    bind: Option<String>,
}

/// What a template became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The bytes to send.
    pub bytes: Vec<u8>,
    /// The packet; none if the bytes are deliberately wrong.
    pub packet: Option<Packet>,
    /// The Keep Alive in seconds, if it is a CONNECT.
    pub keep_alive: Option<u16>,
}

/// Why a step cannot be carried out with what is known when it is played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BuildError(pub String);

impl PacketTemplate {
    pub(super) fn new(fields: Outgoing, raw: RawFields, bind: Option<String>) -> PacketTemplate {
        PacketTemplate { fields, raw, bind }
    }

    /// The type of the packet.
    #[must_use]
    pub fn packet_type(&self) -> PacketType {
        match self.fields {
            Outgoing::Connect(_) => PacketType::Connect,
            Outgoing::Publish(_) => PacketType::Publish,
            Outgoing::Puback(_) => PacketType::Puback,
            Outgoing::Pubrec(_) => PacketType::Pubrec,
            Outgoing::Pubrel(_) => PacketType::Pubrel,
            Outgoing::Pubcomp(_) => PacketType::Pubcomp,
            Outgoing::Subscribe(_) => PacketType::Subscribe,
            Outgoing::Unsubscribe(_) => PacketType::Unsubscribe,
            Outgoing::Pingreq => PacketType::Pingreq,
            Outgoing::Disconnect(_) => PacketType::Disconnect,
            Outgoing::Auth(_) => PacketType::Auth,
        }
    }

    /// The device that is no actor's and that a CONNECT logs in as.
    pub(super) fn stranger(&self) -> Option<&str> {
        match &self.fields {
            Outgoing::Connect(fields) => fields.login.as_ref().and_then(|login| login.stranger()),
            _ => None,
        }
    }

    /// Whether a CONNECT says more of its login than who logs in.
    pub(super) fn needs_devices(&self) -> bool {
        match &self.fields {
            Outgoing::Connect(fields) => fields.login.as_ref().is_some_and(|login| login.needs_devices()),
            _ => false,
        }
    }

    /// What carries the connection of a CONNECT, if the script says so.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        match &self.fields {
            Outgoing::Connect(fields) => fields.login.as_ref().and_then(|login| login.transport()),
            _ => None,
        }
    }

    /// The variable that the packet is bound to when it is built.
    #[must_use]
    pub fn bind(&self) -> Option<&str> {
        self.bind.as_deref()
    }

    /// Builds the packet for `actor`: allocates its identifier, takes note of what it acknowledges, and binds it if the
    /// step says `as:`.
    ///
    /// # Errors
    /// When a variable has no value or one that does not fit, nothing waits for the acknowledgement, or the version
    /// cannot say what the packet says.
    pub fn build(&self, scope: &mut Scope, actor: &str, version: ProtocolVersion) -> Result<Built, BuildError> {
        scope.acts(actor);
        let packet = self.packet(scope, actor, version)?;
        let keep_alive = match &packet {
            Packet::Connect(connect) => Some(connect.keep_alive),
            _ => None,
        };
        let unencodable = |error: model::wire::Unencodable| BuildError(error.to_string());
        let built = if self.raw.is_empty() {
            let bytes = encode(&packet, version).map_err(unencodable)?;
            Built { bytes, packet: Some(packet.clone()), keep_alive }
        } else {
            let crafted = Crafted::of(&packet, version).map_err(unencodable)?;
            Built { bytes: self.raw.apply(crafted, scope)?.to_bytes(), packet: None, keep_alive }
        };
        if let Some(name) = &self.bind {
            scope.bind(name, &packet);
        }
        Ok(built)
    }

    fn packet(&self, scope: &mut Scope, actor: &str, version: ProtocolVersion) -> Result<Packet, BuildError> {
        let mut building = Building { scope, actor, version };
        let building = &mut building;
        let acknowledgement = |fields, building: &mut Building<'_>, answer| building.acknowledgement(fields, answer);
        Ok(match &self.fields {
            Outgoing::Connect(fields) => Packet::Connect(building.connect(fields)?),
            Outgoing::Publish(fields) => Packet::Publish(building.publish(fields)?),
            Outgoing::Puback(fields) => Packet::Puback(acknowledgement(fields, building, PacketType::Puback)?),
            Outgoing::Pubrec(fields) => Packet::Pubrec(acknowledgement(fields, building, PacketType::Pubrec)?),
            Outgoing::Pubrel(fields) => Packet::Pubrel(acknowledgement(fields, building, PacketType::Pubrel)?),
            Outgoing::Pubcomp(fields) => Packet::Pubcomp(acknowledgement(fields, building, PacketType::Pubcomp)?),
            Outgoing::Subscribe(fields) => Packet::Subscribe(building.subscribe(fields)?),
            Outgoing::Unsubscribe(fields) => Packet::Unsubscribe(building.unsubscribe(fields)?),
            Outgoing::Pingreq => Packet::Pingreq,
            Outgoing::Disconnect(fields) => Packet::Disconnect(building.disconnect(fields)?),
            Outgoing::Auth(fields) => Packet::Auth(building.auth(fields)?),
        })
    }
}

/// A packet in the making.
struct Building<'a> {
    scope: &'a mut Scope,
    actor: &'a str,
    version: ProtocolVersion,
}

impl Building<'_> {
    fn value<T: Literal>(&self, value: Option<&Value<T>>, default: T) -> Result<T, BuildError> {
        value.map_or(Ok(default), |value| value.resolve(self.scope))
    }

    fn data(&self, data: Option<&Data>) -> Result<Vec<u8>, BuildError> {
        data.map_or_else(|| Ok(Vec::new()), |data| data.resolve(self.scope))
    }

    fn reason(&self, code: Option<&Code>, packet: PacketType, default: ReasonCode) -> Result<ReasonCode, BuildError> {
        let Some(code) = code else { return Ok(default) };
        let value = code.resolve(packet, self.version, self.scope)?;
        ReasonCode::from_value(value)
            .ok_or_else(|| BuildError(format!("0x{value:02X} is no Reason Code: send it with `raw: {{patch: ...}}`")))
    }

    /// The identifier that the script says, or the next one.
    fn id(&mut self, id: Option<&Value<PacketId>>) -> Result<PacketId, BuildError> {
        let Some(id) = id else { return Ok(self.scope.next_id(self.actor)) };
        let id = id.resolve(self.scope)?;
        self.scope.uses_id(self.actor, id);
        Ok(id)
    }

    /// Who a CONNECT says that it is.
    fn identity(&self, fields: &ConnectFields) -> Result<Identity, BuildError> {
        if let Some(login) = &fields.login {
            return login.resolve(self.scope, self.actor);
        }
        let own = self.scope.identity(self.actor);
        let Some(client_id) = fields.client_id.as_ref().filter(|_| self.scope.roster().is_some()) else {
            return Ok(own);
        };
        let client_id = client_id.resolve(self.scope)?;
        if let Some(other) = self.scope.owner_of(&client_id) {
            return Ok(self.scope.identity(other));
        }
        if client_id.contains('|') {
            return Ok(Identity { client_id, ..own });
        }
        LoginFields { name: fields.client_id.clone(), ..LoginFields::default() }.resolve(self.scope, self.actor)
    }

    fn connect(&mut self, fields: &ConnectFields) -> Result<Connect, BuildError> {
        let identity = self.identity(fields)?;
        let text = |text: String| Utf8String::new(text).map_err(|error| BuildError(error.to_string()));
        let will = fields.will.as_ref().map(|will| {
            Ok::<Will, BuildError>(Will {
                topic: will.topic.utf8(self.scope)?,
                payload: self.data(will.payload.as_ref())?,
                qos: self.value(will.qos.as_ref(), Qos::AtMostOnce)?,
                retain: self.value(will.retain.as_ref(), false)?,
                properties: will.properties.resolve(self.scope)?,
            })
        });
        let connect = Connect {
            clean_start: self.value(fields.clean.as_ref(), true)?,
            keep_alive: self.value(fields.keep_alive.as_ref(), KEEP_ALIVE)?,
            properties: fields.properties.resolve(self.scope)?,
            client_id: match &fields.client_id {
                // A device puts its parameters behind it.
                Some(client_id) if self.scope.roster().is_none() || fields.login.is_some() => {
                    client_id.utf8(self.scope)?
                }
                Some(_) | None => text(identity.client_id)?,
            },
            will: will.transpose()?,
            user_name: match &fields.user_name {
                Some(user_name) => user_name.value().map(|text| text.utf8(self.scope)).transpose()?,
                None => identity.user_name.map(text).transpose()?,
            },
            password: match &fields.password {
                Some(password) => password.value().map(|data| data.resolve(self.scope)).transpose()?,
                None => identity.password,
            },
        };
        self.scope.connects(self.actor);
        Ok(connect)
    }

    fn publish(&mut self, fields: &PublishFields) -> Result<Publish, BuildError> {
        let qos = self.value(fields.qos.as_ref(), Qos::AtMostOnce)?;
        let dup = self.value(fields.dup.as_ref(), false)?;
        let delivery = match qos {
            Qos::AtMostOnce if dup => {
                return Err(BuildError("a PUBLISH of QoS 0 has no DUP: send it with `raw: {flags: 0x8}`".to_owned()));
            }
            Qos::AtMostOnce if fields.id.is_some() => {
                return Err(BuildError(
                    "a PUBLISH of QoS 0 has no id: send it with `raw: {packet_id: ...}`".to_owned(),
                ));
            }
            Qos::AtMostOnce => Delivery::AtMostOnce,
            Qos::AtLeastOnce => Delivery::AtLeastOnce { packet_id: self.id(fields.id.as_ref())?, dup },
            Qos::ExactlyOnce => Delivery::ExactlyOnce { packet_id: self.id(fields.id.as_ref())?, dup },
        };
        Ok(Publish {
            delivery,
            retain: self.value(fields.retain.as_ref(), false)?,
            topic: fields.topic.as_ref().map(|topic| topic.utf8(self.scope)).transpose()?.unwrap_or_default(),
            properties: fields.properties.resolve(self.scope)?,
            payload: self.data(fields.payload.as_ref())?,
        })
    }

    fn acknowledgement(
        &mut self,
        fields: &AcknowledgementFields<Code>,
        answer: PacketType,
    ) -> Result<Acknowledgement, BuildError> {
        let packet_id = match &fields.id {
            Some(id) => id.resolve(self.scope)?,
            None => self.scope.oldest_owed(self.actor, answer).ok_or_else(|| {
                BuildError(format!("nothing that came to `{}` waits for a {answer}: give an `id`", self.actor))
            })?,
        };
        self.scope.acknowledged(self.actor, answer, packet_id);
        Ok(Acknowledgement {
            packet_id,
            reason: self.reason(fields.code.as_ref(), answer, ReasonCode::Success)?,
            properties: fields.properties.resolve(self.scope)?,
        })
    }

    fn subscribe(&mut self, fields: &SubscribeFields) -> Result<Subscribe, BuildError> {
        let requests = match (&fields.filter, &fields.filters) {
            (Some(filter), None) => {
                let only = FilterFields {
                    filter: filter.clone(),
                    qos: fields.qos.clone(),
                    no_local: fields.no_local.clone(),
                    retain_as_published: fields.retain_as_published.clone(),
                    retain_handling: fields.retain_handling.clone(),
                };
                vec![self.request(&only)?]
            }
            (None, Some(filters)) if !fields.has_options() => {
                filters.iter().map(|filter| self.request(filter)).collect::<Result<_, _>>()?
            }
            (None, Some(_)) => return Err(BuildError("options stand with each of the `filters`".to_owned())),
            _ => return Err(BuildError("a SUBSCRIBE needs either `filter` or `filters`".to_owned())),
        };
        let packet_id = self.id(fields.id.as_ref())?;
        Ok(Subscribe { packet_id, properties: fields.properties.resolve(self.scope)?, requests })
    }

    fn request(&self, fields: &FilterFields) -> Result<SubscriptionRequest, BuildError> {
        let default = SubscriptionOptions::default();
        Ok(SubscriptionRequest {
            filter: fields.filter.utf8(self.scope)?,
            options: SubscriptionOptions {
                qos: self.value(fields.qos.as_ref(), default.qos)?,
                no_local: self.value(fields.no_local.as_ref(), default.no_local)?,
                retain_as_published: self.value(fields.retain_as_published.as_ref(), default.retain_as_published)?,
                retain_handling: self.value(fields.retain_handling.as_ref(), default.retain_handling)?,
            },
        })
    }

    fn unsubscribe(&mut self, fields: &UnsubscribeFields) -> Result<Unsubscribe, BuildError> {
        let filters = match (&fields.filter, &fields.filters) {
            (Some(filter), None) => vec![filter.utf8(self.scope)?],
            (None, Some(filters)) => filters.iter().map(|filter| filter.utf8(self.scope)).collect::<Result<_, _>>()?,
            _ => return Err(BuildError("an UNSUBSCRIBE needs either `filter` or `filters`".to_owned())),
        };
        let packet_id = self.id(fields.id.as_ref())?;
        Ok(Unsubscribe { packet_id, properties: fields.properties.resolve(self.scope)?, filters })
    }

    fn disconnect(&mut self, fields: &DisconnectFields<Code>) -> Result<Disconnect, BuildError> {
        Ok(Disconnect {
            reason: self.reason(fields.code.as_ref(), PacketType::Disconnect, ReasonCode::Success)?,
            properties: fields.properties.resolve(self.scope)?,
        })
    }

    fn auth(&mut self, fields: &AuthFields<Code>) -> Result<Auth, BuildError> {
        Ok(Auth {
            reason: self.reason(fields.code.as_ref(), PacketType::Auth, ReasonCode::ContinueAuthentication)?,
            properties: fields.properties.resolve(self.scope)?,
        })
    }
}
