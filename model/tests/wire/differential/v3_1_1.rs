//! Packets of `mqttbytes` for 3.1.1 as ours, and as their bytes.

use super::{delivery, id, qos, text};
use bytes::BytesMut;
use model::packet::{
    Acknowledgement, Connack, ConnackCode, Connect, ConnectReturnCode, Disconnect, Packet, Publish, ReasonCode, Suback,
    Subscribe, SubscriptionOptions, SubscriptionRequest, Unsuback, Unsubscribe, Will,
};
use mqttbytes::v4::{self, Packet as Theirs};

pub(super) fn packet(theirs: &Theirs) -> Packet {
    match theirs {
        Theirs::Connect(it) => Packet::Connect(connect(it)),
        Theirs::ConnAck(it) => Packet::Connack(Connack {
            session_present: it.session_present,
            code: ConnackCode::Return(ConnectReturnCode::from_value(it.code as u8).unwrap()),
            properties: Default::default(),
        }),
        Theirs::Publish(it) => Packet::Publish(Publish {
            delivery: delivery(it.qos, it.dup, it.pkid),
            retain: it.retain,
            topic: text(&it.topic),
            properties: Default::default(),
            payload: it.payload.to_vec(),
        }),
        Theirs::PubAck(it) => Packet::Puback(Acknowledgement::success(id(it.pkid))),
        Theirs::PubRec(it) => Packet::Pubrec(Acknowledgement::success(id(it.pkid))),
        Theirs::PubRel(it) => Packet::Pubrel(Acknowledgement::success(id(it.pkid))),
        Theirs::PubComp(it) => Packet::Pubcomp(Acknowledgement::success(id(it.pkid))),
        Theirs::Subscribe(it) => Packet::Subscribe(Subscribe {
            packet_id: id(it.pkid),
            properties: Default::default(),
            requests: it
                .filters
                .iter()
                .map(|filter| SubscriptionRequest {
                    filter: text(&filter.path),
                    options: SubscriptionOptions { qos: qos(filter.qos), ..Default::default() },
                })
                .collect(),
        }),
        Theirs::SubAck(it) => Packet::Suback(Suback {
            packet_id: id(it.pkid),
            properties: Default::default(),
            codes: it.return_codes.iter().map(return_code).collect(),
        }),
        Theirs::Unsubscribe(it) => Packet::Unsubscribe(Unsubscribe {
            packet_id: id(it.pkid),
            properties: Default::default(),
            filters: it.topics.iter().map(|topic| text(topic)).collect(),
        }),
        Theirs::UnsubAck(it) => {
            Packet::Unsuback(Unsuback { packet_id: id(it.pkid), properties: Default::default(), codes: Vec::new() })
        }
        Theirs::PingReq => Packet::Pingreq,
        Theirs::PingResp => Packet::Pingresp,
        Theirs::Disconnect => Packet::Disconnect(Disconnect::normal()),
    }
}

fn connect(it: &v4::Connect) -> Connect {
    Connect {
        clean_start: it.clean_session,
        keep_alive: it.keep_alive,
        properties: Default::default(),
        client_id: text(&it.client_id),
        will: it.last_will.as_ref().map(|will| Will {
            topic: text(&will.topic),
            payload: will.message.to_vec(),
            qos: qos(will.qos),
            retain: will.retain,
            properties: Default::default(),
        }),
        user_name: it.login.as_ref().map(|login| text(&login.username)),
        password: it.login.as_ref().map(|login| login.password.clone().into_bytes()).filter(|it| !it.is_empty()),
    }
}

fn return_code(code: &v4::SubscribeReasonCode) -> ReasonCode {
    match code {
        v4::SubscribeReasonCode::Success(granted) => ReasonCode::from_value(*granted as u8).unwrap(),
        v4::SubscribeReasonCode::Failure => ReasonCode::UnspecifiedError,
    }
}

pub(super) fn bytes(theirs: &Theirs) -> BytesMut {
    let mut to = BytesMut::new();
    let written = match theirs {
        Theirs::Connect(it) => it.write(&mut to),
        Theirs::ConnAck(it) => it.write(&mut to),
        Theirs::Publish(it) => it.write(&mut to),
        Theirs::PubAck(it) => it.write(&mut to),
        Theirs::PubRec(it) => it.write(&mut to),
        Theirs::PubRel(it) => it.write(&mut to),
        Theirs::PubComp(it) => it.write(&mut to),
        Theirs::Subscribe(it) => it.write(&mut to),
        Theirs::SubAck(it) => it.write(&mut to),
        Theirs::Unsubscribe(it) => it.write(&mut to),
        Theirs::UnsubAck(it) => it.write(&mut to),
        Theirs::PingReq => v4::PingReq.write(&mut to),
        Theirs::PingResp => v4::PingResp.write(&mut to),
        Theirs::Disconnect => v4::Disconnect.write(&mut to),
    };
    written.unwrap();
    to
}
