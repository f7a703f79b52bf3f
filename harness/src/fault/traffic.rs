//! What passed on the connections of a variant: a fault that waits for something else can do nothing there.

use super::proxy_fault::{On, Rule};
use model::packet::{Packet, PacketType, Qos};
use reference_broker::Switch;
use std::collections::BTreeSet;

/// What a proxy saw pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    pub(super) from_server: BTreeSet<PacketType>,
    pub(super) from_client: BTreeSet<PacketType>,
    /// Rules of the format that the client broke.
    pub(super) refused: BTreeSet<&'static str>,
    /// A client ended a connection.
    pub(super) client_ended: bool,
    /// The server ended a connection.
    pub(super) server_closed: bool,
    /// What else came up.
    pub(super) occasions: BTreeSet<Occasion>,
}

/// Something that a switch of the reference broker needs to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Occasion {
    /// A client that was there before connects.
    Return,
    /// A CONNECT has a Will.
    Will,
    /// A message is published with RETAIN.
    Retain,
    /// A message of QoS 2 is published.
    Qos2,
    /// A message is published with a Topic Alias.
    Alias,
    /// A message has a Message Expiry Interval.
    MessageExpiry,
    /// A device logs in.
    Login,
    /// A device registers.
    Registration,
    /// A SUBSCRIBE asks for a Shared Subscription.
    Shared,
    /// A connection is a WebSocket.
    WebSocket,
}

impl Traffic {
    /// Whether any of these rules has something to wait for. What an alarm waits for, another rule has asked for.
    pub(super) fn meets(&self, rules: &[Rule]) -> bool {
        rules.iter().any(|rule| match rule.on {
            On::Server(packet_type) => self.from_server.contains(&packet_type),
            On::Client(packet_type) => self.from_client.contains(&packet_type),
            On::AnyFromServer => !self.from_server.is_empty(),
            On::AnyFromClient => !self.from_client.is_empty(),
            On::Refused(names) => names.iter().any(|name| self.refused.contains(name)),
            On::ClientEnds => self.client_ended,
            On::ServerCloses => self.server_closed,
            On::Alarm => false,
        })
    }

    /// Whether a switch of the reference broker can show.
    pub(super) fn shows(&self, switch: Switch) -> bool {
        let came_up = |occasion| self.occasions.contains(&occasion);
        let subscribes = self.from_client.contains(&PacketType::Subscribe);
        let publishes = self.from_client.contains(&PacketType::Publish);
        match switch {
            Switch::SessionKeptAfterExpiry
            | Switch::SessionKeptAfterClose
            | Switch::SessionKeptOverCleanStart
            | Switch::SessionLost
            | Switch::TakeoverLeavesOldConnection => came_up(Occasion::Return),
            Switch::SubscriptionsLost
            | Switch::StoredMessageLost
            | Switch::UnacknowledgedNotSentAgain
            | Switch::ReleasedNotSentAgain => came_up(Occasion::Return) && subscribes,
            Switch::KeepAliveNotEnforced => self.server_closed,
            Switch::WillAfterDisconnect
            | Switch::WillLost
            | Switch::WillKeptOnceSent
            | Switch::WillDelayIgnored
            | Switch::WillSentThoughResumed => came_up(Occasion::Will),
            Switch::RetainedNotReplaced | Switch::RetainedNotDeleted | Switch::RetainHandlingIgnored => {
                came_up(Occasion::Retain)
            }
            Switch::MessageExpiryIgnored => came_up(Occasion::MessageExpiry),
            Switch::UnsubscribeIgnored => self.from_client.contains(&PacketType::Unsubscribe),
            Switch::NoLocalIgnored
            | Switch::SubscriptionNotReplaced
            | Switch::LowestQosOfOverlap
            | Switch::OrderSwapped
            | Switch::InFlightLimitOverrun
            | Switch::WindowNotReopened
            | Switch::PacketIdentifierReused => subscribes && publishes,
            Switch::SharedToTwoMembers | Switch::SharedQos2HandedOn => came_up(Occasion::Shared),
            Switch::Qos2DuplicatePassedOn | Switch::Qos2IdentifierNeverFreed => came_up(Occasion::Qos2),
            Switch::TopicAliasLeaks => came_up(Occasion::Alias),
            Switch::SubprotocolNotNamed
            | Switch::TextFramesTaken
            | Switch::TextFramesSent
            | Switch::FramesTakenForPackets => came_up(Occasion::WebSocket),
            Switch::KeepAliveNotChecked => true,
            // A packet of that size is not looked into.
            Switch::PacketSizeNotChecked => came_up(Occasion::Login),
            Switch::SignatureNotChecked
            | Switch::SignatureOfOneCase
            | Switch::SignatureOfOneMethod
            | Switch::SignMethodGuessed
            | Switch::TimestampNotSigned
            | Switch::UnknownDeviceAccepted
            | Switch::DisabledDeviceAccepted
            | Switch::ClientIdentifierNotMeasured
            | Switch::ClientIdentifierMustBeSigned
            | Switch::PasswordNotAsked
            | Switch::MalformedParametersIgnored
            | Switch::UnknownParametersRefused
            | Switch::ParametersInOrder
            | Switch::NameIsTheSession
            | Switch::RefusedForGood
            | Switch::TcpModeRefused => came_up(Occasion::Login),
            Switch::RegistrationNotChecked
            | Switch::RegistrationNotAnswered
            | Switch::RegistrationKeepAliveChecked
            | Switch::RegisteredTwice
            | Switch::AnybodyRegisters
            | Switch::FirstSecretCounts
            | Switch::TokenNotChecked => came_up(Occasion::Registration),
            Switch::ForeignTopicPublished | Switch::CustomTopicsRefused | Switch::RateEndsConnection => {
                came_up(Occasion::Login) && publishes
            }
            Switch::ForeignFilterGranted | Switch::SystemTopicsRefused => came_up(Occasion::Login) && subscribes,
            Switch::FiltersNotCounted | Switch::SubscriptionsNotCounted => subscribes,
            Switch::TopicLengthNotChecked => subscribes || publishes,
            // What the cloud does passes no proxy.
            Switch::PubLost
            | Switch::PubAtQos0
            | Switch::BroadcastLost
            | Switch::LogWithoutUserProperties
            | Switch::LogEmpty
            | Switch::PubNotConfirmed
            | Switch::DownlinkHalved
            | Switch::DeviceMessageLost
            | Switch::CorrelationDataAsText
            | Switch::ReleasedMessageLost
            | Switch::CallNotSent
            | Switch::CallTimesOutEarly
            | Switch::ForeignAnswerTaken
            | Switch::LateAnswerTaken
            | Switch::CallTimeoutNotChecked
            | Switch::OfflineIsSuccess
            | Switch::PubAtQos1
            | Switch::PubToUnsubscribed
            | Switch::ApiRequestNotChecked
            | Switch::ApiDoorOpen
            | Switch::DevicePropertiesLost
            | Switch::BacklogLost
            | Switch::AnswerIgnored
            | Switch::AnswerChanged
            | Switch::OfflineIsTimeout
            | Switch::TimeoutIsOffline => true,
        }
    }

    /// Takes note of what a packet of the client brings up.
    pub(super) fn note(&mut self, packet: &Packet, came_back: bool) {
        self.from_client.insert(packet.packet_type());
        let mut note = |occasion, comes_up: bool| {
            if comes_up {
                self.occasions.insert(occasion);
            }
        };
        match packet {
            Packet::Connect(connect) => {
                note(Occasion::Return, came_back);
                note(Occasion::Login, connect.user_name.as_deref().is_some_and(|name| name.contains('&')));
                note(Occasion::Registration, connect.client_id.contains("authType="));
                note(Occasion::Will, connect.will.is_some());
            }
            Packet::Publish(publish) => {
                note(Occasion::Retain, publish.retain);
                note(Occasion::Qos2, publish.qos() == Qos::ExactlyOnce);
                note(Occasion::Alias, publish.properties.topic_alias.is_some());
                note(Occasion::MessageExpiry, publish.properties.message_expiry_interval.is_some());
            }
            Packet::Subscribe(subscribe) => {
                note(Occasion::Shared, subscribe.requests.iter().any(|request| request.filter.starts_with("$share/")));
            }
            _ => {}
        }
    }
}
