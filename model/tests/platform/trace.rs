//! A trace of devices, written down packet by packet, a millisecond each.

use model::judge::{ConnectionId, Judge, Judgement, Observation, Timing, Violation};
use model::packet::{
    Acknowledgement, Connack, ConnackCode, ConnackProperties, Connect, ConnectReturnCode, Delivery, Disconnect, Packet,
    PacketId, ProtocolVersion, Publish, PublishProperties, Qos, ReasonCode, ReasonProperties, Suback, Subscribe,
    SubscribeProperties, SubscriptionOptions, SubscriptionRequest,
};
use model::profile::Profile;
use model::wire::encode;

/// What the judge has seen so far.
pub(crate) struct Trace {
    judge: Judge,
    version: ProtocolVersion,
    now: u64,
}

impl Trace {
    pub(crate) fn new(profile: &Profile, version: ProtocolVersion) -> Trace {
        Trace { judge: Judge::new(profile, Timing::virtual_time()), version, now: 0 }
    }

    pub(crate) fn platform(version: ProtocolVersion) -> Trace {
        Trace::new(Profile::builtin("platform").unwrap(), version)
    }

    pub(crate) fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// From now on everybody speaks this version.
    pub(crate) fn speaking(self, version: ProtocolVersion) -> Trace {
        Trace { version, ..self }
    }

    pub(crate) fn see(mut self, connection: u32, what: Observation<'_>) -> Trace {
        self.now += 1;
        self.judge.observe(self.now, ConnectionId(connection), what);
        self
    }

    pub(crate) fn later(mut self, milliseconds: u64) -> Trace {
        self.now += milliseconds;
        self
    }

    pub(crate) fn open(self, connection: u32) -> Trace {
        self.see(connection, Observation::Opened)
    }

    pub(crate) fn send(self, connection: u32, packet: &Packet) -> Trace {
        let bytes = encode(packet, self.version).unwrap();
        self.see(connection, Observation::Sent(&bytes))
    }

    pub(crate) fn receive(self, connection: u32, packet: &Packet) -> Trace {
        let bytes = encode(packet, self.version).unwrap();
        self.see(connection, Observation::Received(&bytes))
    }

    pub(crate) fn closed(self, connection: u32) -> Trace {
        self.see(connection, Observation::ClosedByServer)
    }

    pub(crate) fn left(self, connection: u32) -> Trace {
        self.send(connection, &Packet::Disconnect(Disconnect::normal())).closed(connection)
    }

    /// The connection is served.
    pub(crate) fn alive(self, connection: u32) -> Trace {
        self.send(connection, &Packet::Pingreq).receive(connection, &Packet::Pingresp)
    }

    /// A CONNECT that is accepted.
    pub(crate) fn connected(self, connection: u32, connect: Connect) -> Trace {
        let accepted = connack(self.version, 0);
        self.open(connection).send(connection, &Packet::Connect(connect)).receive(connection, &accepted)
    }

    pub(crate) fn subscribed(self, connection: u32, packet_id: u16, filter: &str) -> Trace {
        self.send(connection, &subscribe(packet_id, &[filter], Qos::AtLeastOnce))
            .receive(connection, &suback(packet_id, &[1]))
    }

    /// A QoS 1 PUBLISH that is acknowledged.
    pub(crate) fn published(self, connection: u32, packet_id: u16, topic: &str, payload: &str) -> Trace {
        self.send(connection, &qos1(topic, payload, packet_id)).receive(connection, &puback(packet_id, 0))
    }

    pub(crate) fn verdict(self) -> Judgement {
        self.judge.finish(self.now + 1)
    }

    /// How many states of the model explain the session that most of them explain.
    pub(crate) fn states(&self) -> usize {
        self.judge.figures().states
    }

    pub(crate) fn conforms(self) {
        assert_eq!(self.verdict(), Judgement::Conforms);
    }

    pub(crate) fn violates(self, rule: &str, row: &str) -> Violation {
        let Judgement::Violates(violations) = self.verdict() else { panic!("no violation of {rule}") };
        assert_eq!(violations[0].rule, rule, "{violations:#?}");
        assert!(row.is_empty() || violations[0].statements.contains(&row), "{violations:#?}");
        violations.into_iter().next().unwrap()
    }
}

/// A login of the device `name` of the product `pk`.
pub(crate) fn device(name: &str) -> Connect {
    login(&format!("pk.{name}|securemode=3,signmethod=hmacsha256,ext=3|"), &format!("{name}&pk"))
}

pub(crate) fn login(client_id: &str, user_name: &str) -> Connect {
    Connect {
        client_id: client_id.try_into().unwrap(),
        clean_start: true,
        keep_alive: 300,
        user_name: Some(user_name.try_into().unwrap()),
        password: Some(b"61f269d3".to_vec()),
        ..Connect::default()
    }
}

/// CONNACK with what the platform announces.
pub(crate) fn connack(version: ProtocolVersion, code: u8) -> Packet {
    let mut properties = ConnackProperties::default();
    let code = match version {
        ProtocolVersion::V5_0 => {
            if code == 0 {
                properties.topic_alias_maximum = Some(20);
                properties.maximum_packet_size = std::num::NonZeroU32::new(262_144);
                properties.maximum_qos = Some(Qos::AtLeastOnce);
            }
            ConnackCode::Reason(ReasonCode::from_value(code).unwrap())
        }
        _ => ConnackCode::Return(ConnectReturnCode::from_value(code).unwrap()),
    };
    Packet::Connack(Connack { session_present: false, code, properties })
}

pub(crate) fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

pub(crate) fn subscribe(packet_id: u16, filters: &[&str], qos: Qos) -> Packet {
    let request = |filter: &&str| SubscriptionRequest {
        filter: (*filter).try_into().unwrap(),
        options: SubscriptionOptions { qos, ..SubscriptionOptions::default() },
    };
    Packet::Subscribe(Subscribe {
        packet_id: id(packet_id),
        properties: SubscribeProperties::default(),
        requests: filters.iter().map(request).collect(),
    })
}

pub(crate) fn suback(packet_id: u16, codes: &[u8]) -> Packet {
    let codes = codes.iter().map(|code| ReasonCode::from_value(*code).unwrap()).collect();
    Packet::Suback(Suback { packet_id: id(packet_id), properties: ReasonProperties::default(), codes })
}

pub(crate) fn puback(packet_id: u16, code: u8) -> Packet {
    let reason = ReasonCode::from_value(code).unwrap();
    Packet::Puback(Acknowledgement { reason, ..Acknowledgement::success(id(packet_id)) })
}

pub(crate) fn disconnect(code: u8) -> Packet {
    Packet::Disconnect(Disconnect::because(ReasonCode::from_value(code).unwrap()))
}

pub(crate) fn publish(topic: &str, payload: &str, delivery: Delivery) -> Publish {
    Publish {
        delivery,
        retain: false,
        topic: topic.try_into().unwrap(),
        properties: PublishProperties::default(),
        payload: payload.as_bytes().to_vec(),
    }
}

pub(crate) fn qos0(topic: &str, payload: &str) -> Packet {
    Packet::Publish(publish(topic, payload, Delivery::AtMostOnce))
}

pub(crate) fn at_qos1(topic: &str, payload: &str, packet_id: u16) -> Publish {
    publish(topic, payload, Delivery::AtLeastOnce { packet_id: id(packet_id), dup: false })
}

pub(crate) fn qos1(topic: &str, payload: &str, packet_id: u16) -> Packet {
    Packet::Publish(at_qos1(topic, payload, packet_id))
}
