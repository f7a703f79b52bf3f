//! One connection as the judge reads it: decoders for both directions and what the two sides have told each other.

use crate::packet::{Connect, PacketId, ProtocolVersion, Qos};
use crate::server::alias::AliasTable;
use crate::server::vocabulary::SenderKey;
use crate::server::{Millis, TopicKey};
use crate::wire::Decoder;
use std::collections::BTreeSet;

/// What is known of one connection beside the state of its session.
#[derive(Debug, Clone, Hash)]
pub(super) struct Reading {
    pub(super) from_client: Decoder,
    /// One decoder, once the version is known; before that one for each version.
    pub(super) from_server: Vec<(ProtocolVersion, Decoder)>,
    pub(super) sender: Option<SenderKey>,
    /// How many bytes the largest packet of the client has.
    pub(super) largest: usize,
    /// When the client last sent something.
    pub(super) last_sent: Millis,
    /// CONNECT, once it came.
    pub(super) connect: Option<Connect>,
    /// The place of its CONNECT among all, from 1.
    pub(super) connected: u32,
    /// Up to which place the connections of its client were gone by then.
    pub(super) after: u32,
    /// How many CONNECT packets there were when CONNACK accepted this one.
    pub(super) accepted_among: Option<u32>,
    pub(super) offer: Offer,
    /// Topic Aliases of the client and of the server.
    pub(super) client_aliases: AliasTable,
    pub(super) server_aliases: AliasTable,
    /// Identifiers of the client's PUBLISH packets on this connection that count against the server's Receive Maximum.
    pub(super) open: BTreeSet<PacketId>,
    /// The statements that the client's bytes have broken, where a decoder refused them.
    pub(super) refusal: &'static [&'static str],
    /// The client has offended so that nothing after it may have an effect, or has left.
    pub(super) client_is_done: bool,
    closed: bool,
}

/// What the server has offered in CONNACK, with the standard's defaults (5.0) or what the dialect has (3.x).
#[derive(Debug, Clone, Hash)]
pub(super) struct Offer {
    pub(super) maximum_qos: Qos,
    pub(super) retain: bool,
    pub(super) shared_subscriptions: bool,
    pub(super) subscription_identifiers: bool,
    pub(super) topic_alias_maximum: u16,
    pub(super) receive_maximum: u16,
}

impl Reading {
    pub(super) fn new(at: Millis) -> Reading {
        Reading {
            from_client: Decoder::from_client(),
            from_server: ProtocolVersion::ALL.map(|version| (version, Decoder::from_server(version))).to_vec(),
            sender: None,
            last_sent: at,
            connect: None,
            connected: 0,
            largest: 0,
            after: 0,
            accepted_among: None,
            offer: Offer {
                maximum_qos: Qos::ExactlyOnce,
                retain: true,
                shared_subscriptions: true,
                subscription_identifiers: true,
                topic_alias_maximum: 0,
                receive_maximum: u16::MAX,
            },
            client_aliases: AliasTable::default(),
            server_aliases: AliasTable::default(),
            open: BTreeSet::new(),
            refusal: &[],
            client_is_done: false,
            closed: false,
        }
    }

    /// The version, once CONNECT or the server's answer has shown it.
    pub(super) fn version(&self) -> Option<ProtocolVersion> {
        match &self.from_server[..] {
            [(version, _)] => Some(*version),
            _ => None,
        }
    }

    /// From now on both sides speak this version.
    pub(super) fn speak(&mut self, version: ProtocolVersion) {
        self.from_server.retain(|(known, _)| *known == version);
    }

    /// Topics that aliases stand for.
    pub(super) fn topics(&self) -> impl Iterator<Item = TopicKey> {
        self.client_aliases.topics().chain(self.server_aliases.topics())
    }

    pub(super) fn is_open(&self) -> bool {
        !self.closed
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }
}
