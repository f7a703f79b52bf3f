//! A trace that is written down packet by packet, and the packets for it.

use model::judge::{ConnectionId, Judge, Judgement, Observation, Timing, Violation};
use model::packet::{
    Acknowledgement, Connack, ConnackCode, ConnackProperties, Connect, ConnectReturnCode, Delivery, Disconnect,
    DisconnectProperties, Packet, PacketId, ProtocolVersion, Publish, PublishProperties, Qos, ReasonCode,
    ReasonProperties, Suback, Subscribe, SubscribeProperties, SubscriptionOptions, SubscriptionRequest, Unsuback,
    Unsubscribe, UnsubscribeProperties,
};
use model::profile::{Feature, Profile};
use model::server::Rule;
use model::wire::encode;
use std::collections::BTreeSet;

pub(crate) const V311: ProtocolVersion = ProtocolVersion::V3_1_1;
pub(crate) const V5: ProtocolVersion = ProtocolVersion::V5_0;

/// A trace that is written down packet by packet, a millisecond each.
pub(crate) struct Trace {
    judge: Judge,
    version: ProtocolVersion,
    now: u64,
}

pub(crate) fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

impl Trace {
    pub(crate) fn new(profile: &str, version: ProtocolVersion) -> Trace {
        let profile = Profile::builtin(profile).unwrap();
        Trace { judge: Judge::new(profile, Timing::virtual_time()), version, now: 0 }
    }

    /// By the standard, where a case counts on a feature that a server need not have.
    pub(crate) fn counting_on(feature: Feature, version: ProtocolVersion) -> Trace {
        let profile = Profile::builtin("standard").unwrap().counting_on(&BTreeSet::from([feature]));
        Trace { judge: Judge::new(&profile, Timing::virtual_time()), version, now: 0 }
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

    pub(crate) fn send(self, connection: u32, packet: &Packet) -> Trace {
        let bytes = encode(packet, self.version).unwrap();
        self.see(connection, Observation::Sent(&bytes))
    }

    pub(crate) fn receive(self, connection: u32, packet: &Packet) -> Trace {
        let bytes = encode(packet, self.version).unwrap();
        self.see(connection, Observation::Received(&bytes))
    }

    pub(crate) fn connected_with(self, connection: u32, connect: Connect, session_present: bool) -> Trace {
        let connack = connack(self.version, session_present);
        self.see(connection, Observation::Opened)
            .send(connection, &Packet::Connect(connect))
            .receive(connection, &connack)
    }

    pub(crate) fn connected(self, connection: u32, client_id: &str) -> Trace {
        self.connected_with(connection, connect(client_id), false)
    }

    pub(crate) fn subscribed(self, connection: u32, packet_id: u16, filter: &str, qos: Qos) -> Trace {
        let code = ReasonCode::from_value(qos.value()).unwrap();
        self.send(connection, &subscribe(packet_id, filter, qos)).receive(connection, &suback(packet_id, &[code]))
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

    /// The trace breaks a rule that stands for this statement in its version, if only in this particular case.
    pub(crate) fn breaks(self, rule: Rule, statement: &str) {
        let version = self.version;
        self.violates(rule.name(), "");
        let cited = rule.statements(version).iter().chain(rule.particular(version));
        assert!(cited.into_iter().any(|id| *id == statement), "{rule} does not cite {statement}");
    }

    pub(crate) fn violates(self, rule: &str, statement: &str) -> Violation {
        let Judgement::Violates(violations) = self.verdict() else { panic!("no violation of {rule}") };
        assert_eq!(violations[0].rule, rule, "{violations:#?}");
        assert!(statement.is_empty() || violations[0].statements.contains(&statement), "{violations:#?}");
        violations.into_iter().next().unwrap()
    }
}

pub(crate) fn connect(client_id: &str) -> Connect {
    Connect { client_id: client_id.try_into().unwrap(), clean_start: true, keep_alive: 60, ..Connect::default() }
}

/// A session that outlives its connection.
pub(crate) fn lasting(client_id: &str, version: ProtocolVersion) -> Connect {
    let mut connect = Connect { clean_start: false, ..connect(client_id) };
    connect.properties.session_expiry_interval = (version == V5).then_some(100);
    connect
}

pub(crate) fn connack(version: ProtocolVersion, session_present: bool) -> Packet {
    let code = match version {
        V5 => ConnackCode::Reason(ReasonCode::Success),
        _ => ConnackCode::Return(ConnectReturnCode::Accepted),
    };
    Packet::Connack(Connack { session_present, code, properties: ConnackProperties::default() })
}

pub(crate) fn subscribe(packet_id: u16, filter: &str, qos: Qos) -> Packet {
    subscribe_with(packet_id, filter, SubscriptionOptions { qos, ..SubscriptionOptions::default() })
}

pub(crate) fn subscribe_with(packet_id: u16, filter: &str, options: SubscriptionOptions) -> Packet {
    Packet::Subscribe(Subscribe {
        packet_id: id(packet_id),
        properties: SubscribeProperties::default(),
        requests: vec![SubscriptionRequest { filter: filter.try_into().unwrap(), options }],
    })
}

pub(crate) fn suback(packet_id: u16, codes: &[ReasonCode]) -> Packet {
    Packet::Suback(Suback { packet_id: id(packet_id), properties: ReasonProperties::default(), codes: codes.to_vec() })
}

pub(crate) fn unsubscribe(packet_id: u16, filter: &str) -> Packet {
    Packet::Unsubscribe(Unsubscribe {
        packet_id: id(packet_id),
        properties: UnsubscribeProperties::default(),
        filters: vec![filter.try_into().unwrap()],
    })
}

pub(crate) fn unsuback(packet_id: u16, codes: &[ReasonCode]) -> Packet {
    Packet::Unsuback(Unsuback {
        packet_id: id(packet_id),
        properties: ReasonProperties::default(),
        codes: codes.to_vec(),
    })
}

pub(crate) fn message(topic: &str, payload: &str, delivery: Delivery) -> Packet {
    Packet::Publish(Publish {
        delivery,
        retain: false,
        topic: topic.try_into().unwrap(),
        properties: PublishProperties::default(),
        payload: payload.as_bytes().to_vec(),
    })
}

pub(crate) fn qos0(topic: &str, payload: &str) -> Packet {
    message(topic, payload, Delivery::AtMostOnce)
}

pub(crate) fn qos1(topic: &str, payload: &str, packet_id: u16, dup: bool) -> Packet {
    message(topic, payload, Delivery::AtLeastOnce { packet_id: id(packet_id), dup })
}

pub(crate) fn qos2(topic: &str, payload: &str, packet_id: u16, dup: bool) -> Packet {
    message(topic, payload, Delivery::ExactlyOnce { packet_id: id(packet_id), dup })
}

pub(crate) fn pubrec(packet_id: u16) -> Packet {
    Packet::Pubrec(Acknowledgement::success(id(packet_id)))
}

pub(crate) fn pubrel(packet_id: u16) -> Packet {
    Packet::Pubrel(Acknowledgement::success(id(packet_id)))
}

pub(crate) fn pubcomp(packet_id: u16, reason: ReasonCode) -> Packet {
    Packet::Pubcomp(Acknowledgement { reason, ..Acknowledgement::success(id(packet_id)) })
}

pub(crate) fn goodbye(reason: ReasonCode) -> Packet {
    Packet::Disconnect(Disconnect { reason, properties: DisconnectProperties::default() })
}

pub(crate) fn puback(packet_id: u16) -> Packet {
    Packet::Puback(Acknowledgement::success(id(packet_id)))
}

/// `sub` (connection 1) holds a subscription at QoS 1, `pub` (connection 2) is connected.
pub(crate) fn pair(version: ProtocolVersion) -> Trace {
    Trace::new("standard", version)
        .connected_with(1, lasting("sub", version), false)
        .subscribed(1, 1, "t/+", Qos::AtLeastOnce)
        .connected(2, "pub")
}
