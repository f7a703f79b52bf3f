//! What the devices do meanwhile: they come and go, answer calls, and get what was sent to them.

use super::Deed;
use super::call::{OpenCall, requested};
use crate::device::Extras;
use crate::judge::Judge;
use crate::packet::Publish;
use crate::server::{Breach, ConnectionId, Millis, Rule, rrpc};

/// Where a device is, as far as it shows.
#[derive(Debug, Clone, Default, Hash)]
pub(super) struct Whereabouts {
    pub(super) connection: Option<ConnectionId>,
    pub(super) extras: Extras,
    /// Until when a server need not be sure that it is gone.
    pub(super) half_until: Millis,
    /// Nobody can say whether the server takes it for connected: it has asked, or said goodbye, and got no answer yet.
    pub(super) is_open: bool,
}

/// How a device parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::judge) enum Departure {
    /// Its end of the connection is gone, without a word.
    Lost,
    /// It has said DISCONNECT.
    Left,
    /// The server has ended the connection.
    Ended,
}

impl Judge {
    /// A device asks for a connection: it may have it before it knows.
    pub(in crate::judge) fn device_asks(&mut self, connection: ConnectionId) {
        let Some((device, _)) = self.devices.on(connection) else { return };
        self.cloud.devices.entry(device.clone()).or_default().is_open = true;
    }

    /// A device is on this connection from now on.
    pub(in crate::judge) fn device_arrives(&mut self, at: Millis, connection: ConnectionId) {
        let Some((device, extras)) = self.devices.on(connection) else { return };
        let (device, extras) = (device.clone(), extras);
        let whereabouts = Whereabouts { connection: Some(connection), extras, half_until: 0, is_open: false };
        self.cloud.devices.insert(device.clone(), whereabouts);
        let profile = &self.profile;
        self.cloud.calls_of(&device).for_each(|call| call.hear(profile, at, &rrpc::Input::Connected));
    }

    /// The connection of a device has ended.
    pub(in crate::judge) fn device_departs(&mut self, at: Millis, connection: ConnectionId, how: Departure) {
        let Some((device, _)) = self.devices.on(connection) else { return };
        let device = device.clone();
        let Some(known) = self.cloud.devices.get_mut(&device) else { return };
        if known.connection.is_none() && how == Departure::Ended {
            known.is_open = false;
        }
        if known.connection != Some(connection) {
            return;
        }
        let heard = self.readings.get(&connection);
        let keep_alive = heard.and_then(|reading| reading.connect.as_ref()).map_or(0, |connect| connect.keep_alive);
        let until = heard.map_or(at, |reading| reading.last_sent) + Millis::from(keep_alive) * 1_000;
        known.connection = None;
        known.half_until = if how == Departure::Lost { until } else { 0 };
        // The server may not have read it yet.
        known.is_open = how == Departure::Left;
        let input = match how {
            Departure::Lost => rrpc::Input::Lost { until },
            Departure::Left | Departure::Ended => rrpc::Input::Left,
        };
        let profile = &self.profile;
        self.cloud.calls_of(&device).for_each(|call| call.hear(profile, at, &input));
    }

    /// A device publishes: perhaps the answer to a call.
    pub(in crate::judge) fn device_publishes(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        publish: &Publish,
        topic: &str,
    ) {
        let Some((device, _)) = self.devices.on(connection) else { return };
        self.cloud.logs.uplink(device, topic, publish);
        let input = rrpc::Input::Published {
            device: device.clone(),
            topic: topic.to_owned(),
            qos: publish.qos(),
            payload: publish.payload.clone(),
        };
        let profile = &self.profile;
        for exchange in self.cloud.exchanges.values_mut() {
            if let Deed::Calling(call) = &mut exchange.deed {
                call.hear(profile, at, &input);
            }
        }
    }

    /// The server publishes to a device: perhaps the request of a call, or what is for all devices.
    pub(in crate::judge) fn device_is_sent(
        &mut self,
        at: Millis,
        connection: ConnectionId,
        publish: &Publish,
        topic: &str,
    ) -> Result<(), Breach> {
        for exchange in self.cloud.exchanges.values_mut() {
            if let Deed::Pushing { to } = &mut exchange.deed
                && let Some(pushed) = to.get_mut(&connection)
                && self.vocabulary.content_of(pushed.contents[0]).payload == publish.payload
                && topic.contains("/broadcast/request/")
            {
                pushed.has_come = true;
            }
        }
        let Some((device, _)) = self.devices.on(connection) else { return Ok(()) };
        let device = device.clone();
        let Some((number, call_topic)) = requested(&device, topic) else { return Ok(()) };
        let has_cloud = !self.cloud.exchanges.is_empty();
        let is_it = |call: &&mut OpenCall| call.number == Some(number);
        let is_new = |call: &&mut OpenCall| {
            let asks_for_it = call.terms().is_some_and(|terms| terms.topic == call_topic);
            call.number.is_none() && asks_for_it && call.payload == publish.payload
        };
        let is_known = self.cloud.calls_of(&device).any(|call| is_it(&call));
        let found = match is_known {
            true => self.cloud.calls_of(&device).find(is_it),
            false => self.cloud.calls_of(&device).find(is_new),
        };
        let Some(call) = found else {
            // Where the cloud side is not seen, nobody knows what it has asked for.
            return match has_cloud && !publish.dup() {
                true => Err(Breach::of(Rule::RrpcRequestFits, "no request that nobody has asked for")),
                false => Ok(()),
            };
        };
        call.is_numbered(number);
        if call.payload != publish.payload {
            return Err(Breach::of(Rule::RrpcRequestFits, "the payload that was asked for"));
        }
        call.accept(at, &rrpc::Output::Request { topic: topic.to_owned(), qos: publish.qos(), dup: publish.dup() })
    }
}
