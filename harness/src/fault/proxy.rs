//! The proxy of one variant: it stands between all its connections and the peer.

use super::interference::{Interference, Style};
use super::link::LinkId;
use super::moment::{Fate, Moment};
use super::outlet::Parcel;
use super::passage;
use super::proxy_fault::{On, Rule};
use super::scene::Scene;
use super::traffic::Traffic;
use crate::wire::Stream;
use model::packet::{Packet, ProtocolVersion};
use model::profile::Profile;
use model::wire::{Decoded, Refusal, encode};
use reference_broker::Occasion;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The proxy of one variant.
#[derive(Clone)]
pub(crate) struct Proxy {
    rules: &'static [Rule],
    pub(super) style: Style,
    scene: Arc<Mutex<Scene>>,
}

/// Which way something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    ToClient,
    ToServer,
}

impl Proxy {
    /// The proxy that makes this interference on a variant of this version under this profile, if one is needed.
    pub(crate) fn new(interference: Interference, version: ProtocolVersion, profile: &Profile) -> Option<Proxy> {
        let (rules, style) = interference.orders(version, profile)?;
        Some(Proxy { rules, style, scene: Arc::new(Mutex::new(Scene::new(version, profile, style))) })
    }

    /// Whether it did anything. One that carries bytes otherwise than they came always does.
    pub(crate) fn acted(&self) -> bool {
        self.style != Style::AsItComes || self.lock().acted
    }

    /// What passed so far.
    pub(crate) fn traffic(&self) -> Traffic {
        self.lock().traffic.clone()
    }

    /// Puts itself in front of a connection to the peer. Needs a running tokio runtime.
    pub(crate) fn interpose(&self, to_server: Box<dyn Stream>) -> Box<dyn Stream> {
        let link = self.lock().open();
        passage::open(self.clone(), link, to_server)
    }

    /// The connection that comes next is a WebSocket.
    pub(crate) fn note_web_socket(&self) {
        self.lock().traffic.occasions.insert(Occasion::WebSocket);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Scene> {
        // A rule that panics ends its play: nobody looks at what it left.
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A packet of the client.
    pub(super) fn client_sent(&self, link: LinkId, decoded: Decoded) {
        let mut scene = self.lock();
        let Some(packet) = scene.links[link].translate(&decoded.packet) else {
            return;
        };
        let bytes =
            if packet == decoded.packet { decoded.bytes } else { bytes(&packet, &scene).unwrap_or(decoded.bytes) };
        scene.note_from_client(link, &packet);
        let on = On::Client(packet.packet_type());
        self.pass(&mut scene, link, Way::ToServer, &[on, On::AnyFromClient], packet, bytes);
    }

    /// A packet of the server.
    pub(super) fn server_sent(&self, link: LinkId, decoded: Decoded) {
        let mut scene = self.lock();
        scene.note_from_server(link, &decoded.packet);
        let on = On::Server(decoded.packet.packet_type());
        self.pass(&mut scene, link, Way::ToClient, &[on, On::AnyFromServer], decoded.packet, decoded.bytes);
    }

    /// Bytes of the client that are no packet. Returns whether they go on to the server.
    pub(super) fn refused(&self, link: LinkId, refusal: &Refusal, bytes: &[u8]) -> bool {
        let mut scene = self.lock();
        scene.traffic.refused.insert(refusal.rule);
        scene.links[link].refused_rule = Some(refusal.rule);
        let applies = |on: On| matches!(on, On::Refused(rules) if rules.contains(&refusal.rule));
        self.happen(&mut scene, link, applies, bytes)
    }

    /// The client ends the connection.
    pub(super) fn client_ends(&self, link: LinkId) {
        let mut scene = self.lock();
        scene.traffic.client_ended = true;
        self.happen(&mut scene, link, |on| on == On::ClientEnds, &[]);
        scene.links[link].is_over = true;
        scene.send_to_server(link, Parcel::End);
    }

    /// The server ends the connection. Returns whether the client hears of it.
    pub(super) fn server_closes(&self, link: LinkId) -> bool {
        let mut scene = self.lock();
        scene.traffic.server_closed = true;
        let passes = self.happen(&mut scene, link, |on| on == On::ServerCloses, &[]);
        scene.links[link].is_over |= passes;
        passes
    }

    /// The time that a rule asked for has come.
    pub(super) fn alarm(&self, link: LinkId) {
        let mut scene = self.lock();
        scene.links[link].alarm = None;
        self.happen(&mut scene, link, |on| on == On::Alarm, &[]);
    }

    fn happen(&self, scene: &mut Scene, link: LinkId, applies: impl Fn(On) -> bool, bytes: &[u8]) -> bool {
        let mut moment = Moment::new(scene, link, None);
        moment.bytes = bytes.to_vec();
        for rule in self.rules.iter().filter(|rule| applies(rule.on)) {
            rule.apply(&mut moment);
        }
        let (acted, fate) = (moment.acted, moment.fate);
        scene.acted |= acted;
        scene.links[link].acts += usize::from(acted);
        fate == Fate::Passes
    }

    fn pass(&self, scene: &mut Scene, link: LinkId, way: Way, on: &[On], packet: Packet, original: Vec<u8>) {
        let mut moment = Moment::new(scene, link, Some(packet.clone()));
        moment.bytes.clone_from(&original);
        for rule in self.rules.iter().filter(|rule| on.contains(&rule.on)) {
            rule.apply(&mut moment);
        }
        let Moment { packet: changed, fate, behind, acted, .. } = moment;
        let changed = changed.filter(|changed| *changed != packet);
        // What the version cannot say stays as it was.
        let rewritten = changed.and_then(|changed| Some((bytes(&changed, scene)?, changed)));
        let acted = acted || rewritten.is_some();
        scene.acted |= acted;
        scene.links[link].acts += usize::from(acted);
        let (bytes, packet) = rewritten.unwrap_or((original, packet));
        let bytes = match fate {
            Fate::Passes => Some(bytes),
            Fate::Ends => None,
            Fate::Replaced(bytes) => Some(bytes),
        };
        if bytes.is_some() && way == Way::ToClient {
            scene.links[link].note_to_client(&packet);
        }
        for bytes in bytes.into_iter().chain(behind) {
            let parcel = Parcel::Bytes(bytes);
            match way {
                Way::ToClient => scene.send_to_client(link, parcel),
                Way::ToServer => scene.send_to_server(link, parcel),
            }
        }
    }
}

fn bytes(packet: &Packet, scene: &Scene) -> Option<Vec<u8>> {
    encode(packet, scene.version).ok()
}
