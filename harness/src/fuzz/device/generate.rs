//! What devices do next.

use super::Purpose;
use super::manner::{manners, manners_with_answer};
use crate::fuzz::command::{Alias, Client, Command, Content, Deed, Naming, Terms};
use crate::fuzz::generate::{Generator, Kind};
use crate::fuzz::link::Link;
use crate::fuzz::walk::Walker;
use model::packet::Qos;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

/// What a device can do beyond what all clients can.
#[derive(Debug, Clone, Copy)]
pub(in crate::fuzz) enum DeviceKind {
    /// Comes back on a new connection, though it has one.
    ComeBack,
    PublishOften,
    SubscribeToMany,
    Answer,
}

/// How long nothing happens, in milliseconds: half a call, a call, the minute in which connects are counted, and the one and
/// a half in which a message that was given back comes again.
const ELAPSES: &[u64] = &[500, 1_500, 2_600, 4_500, 8_500, 20_000, 61_000, 91_000];

/// How many packets of a burst there are: beyond the uplink rates at QoS 0 and at QoS 1.
const AT_QOS_0: usize = 33;
const AT_QOS_1: usize = 12;

/// One more than a device may hold.
const SUBSCRIPTIONS: usize = 101;

impl Generator {
    /// What a device or the cloud side tries to do.
    pub(in crate::fuzz) fn attempt_of_devices(&mut self, walker: &Walker) -> Option<Command> {
        match self.draw(kinds()) {
            Kind::Elapse => Some(Command::Elapse(self.draw(select(ELAPSES)))),
            Kind::Cloud(kind) => self.attempt_in_the_cloud(kind, walker).map(Command::Cloud),
            kind => {
                let client = Client(self.draw(0..self.clients));
                let deed = match (kind, walker.link(client)) {
                    (Kind::Connect { .. }, None) | (Kind::Device(DeviceKind::ComeBack), Some(_)) => {
                        Deed::Connect { terms: self.login(client, walker), held: false }
                    }
                    (Kind::Connect { .. }, Some(_)) | (_, None) => return None,
                    (Kind::Device(kind), Some(link)) => self.deed_of_device(kind, link, walker)?,
                    // Who is refused or registers has no more to say.
                    (kind, Some(link)) if !link.is_of_a_session && !matches!(kind, Kind::Cut | Kind::Disconnect) => {
                        return None;
                    }
                    (kind, Some(link)) => self.deed(kind, client, link, walker).map(lasting)?,
                };
                Some(Command::Does(client, deed))
            }
        }
    }

    /// What CONNECT says.
    fn login(&mut self, client: Client, walker: &Walker) -> Terms {
        self.messages += 1;
        let mut terms = self.draw(self.wording.terms(client, self.clients, self.messages));
        let all = Client::first(self.clients).map(Client::client_id).collect();
        let has_answer = walker.is_registered(client) && self.draw(any::<bool>());
        let (device, manner) = match has_answer {
            true => self.draw(manners_with_answer()),
            false => self.draw(manners(client.client_id(), all)),
        };
        (terms.client_id, terms.manner) = (device, manner);
        // The login alone may be wrong: of two offences a server may name either. Who registers may ask for any Keep Alive
        // (P-REG-1).
        let registers = manner.purpose == Purpose::Registration;
        let keep_alives: &[u16] = if registers { &[60, 0, 29, 1_201] } else { &[60, 60, 60, 30, 300, 1_200] };
        (terms.keep_alive, terms.will) = (self.draw(select(keep_alives)), None);
        if registers {
            // The secret that counts is the last that was sent, and what is too large is not.
            terms.maximum_packet_size = None;
        }
        terms
    }

    fn deed_of_device(&mut self, kind: DeviceKind, link: &Link, walker: &Walker) -> Option<Deed> {
        if link.left || link.client_id.is_none() {
            return None;
        }
        let calls = walker.cloud.calls();
        match kind {
            DeviceKind::Answer if !calls.is_empty() => {
                // Mostly the newest: others are late, or answered.
                let newest = calls.len() - 1;
                let index = self.draw(prop_oneof![3 => Just(newest), 1 => 0..=newest]);
                let naming = self.draw(prop_oneof![
                    10 => Just(Naming::Right),
                    1 => Just(Naming::AtQos1),
                    1 => Just(Naming::Wrong),
                ]);
                self.messages += 1;
                let payload = format!("a{}", self.messages);
                Some(Deed::Answer { request: calls[index].clone(), payload, naming })
            }
            DeviceKind::Answer | DeviceKind::ComeBack => None,
            DeviceKind::SubscribeToMany => Some(Deed::SubscribeToMany(SUBSCRIPTIONS)),
            DeviceKind::PublishOften => {
                self.messages += 1;
                let drawn = self.draw(self.wording.contents(self.messages, link.version));
                let content = Content { dup: false, retain: false, topic: "$t/a", alias: Alias::None, ..drawn };
                let content = Content { expiry: None, ..content };
                let (qos, count) = self.draw(select(&[(Qos::AtMostOnce, AT_QOS_0), (Qos::AtLeastOnce, AT_QOS_1)][..]));
                Some(Deed::PublishOften { count, content: Content { qos, ..content } })
            }
        }
    }
}

/// The judge of these walks holds the peer to every message that is in order: what may expire would make it unsure.
fn lasting(deed: Deed) -> Deed {
    match deed {
        Deed::Publish { id, content } => Deed::Publish { id, content: Content { expiry: None, ..content } },
        deed => deed,
    }
}

/// How often devices and the cloud side try to do what. Time stands still for nobody here: what is on its way arrives.
fn kinds() -> impl Strategy<Value = Kind> {
    let connections = prop_oneof![
        30 => Just(Kind::Connect { held: false }),
        3 => Just(Kind::Device(DeviceKind::ComeBack)),
        4 => Just(Kind::Disconnect),
        3 => Just(Kind::Cut),
    ];
    let subscriptions = prop_oneof![
        15 => Just(Kind::Subscribe { many: false }),
        1 => Just(Kind::Subscribe { many: true }),
        2 => Just(Kind::Unsubscribe),
        1 => Just(Kind::Device(DeviceKind::SubscribeToMany)),
    ];
    let exchanges = prop_oneof![
        20 => Just(Kind::Publish),
        2 => Just(Kind::Device(DeviceKind::PublishOften)),
        24 => Just(Kind::Device(DeviceKind::Answer)),
        20 => Just(Kind::Acknowledge),
        2 => Just(Kind::Ping),
    ];
    let cloud = crate::fuzz::cloud::kinds().prop_map(Kind::Cloud);
    prop_oneof![35 => connections, 18 => subscriptions, 40 => exchanges, 40 => cloud, 8 => Just(Kind::Elapse)]
}
