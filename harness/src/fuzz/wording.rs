//! What packets say: topics, options, properties, with what the dialect offers often and what it refuses now and then.

use super::avoided::Avoided;
use super::command::{Alias, Authentication, Client, Content, Extras, Payload, Request, Terms, WillTerms};
use super::device::Manner;
use crate::case::LARGEST_FILLER;
use model::packet::{ProtocolVersion, Qos, RetainHandling, SubscriptionOptions};
use model::profile::{Feature, Profile};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Union};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::ops::RangeInclusive;

/// Of so many draws one may be something that the dialect refuses.
const OFFENCES_IN: u32 = 25;

/// Of so many payloads, and one more, one makes a packet too large for the dialect's servers.
const OF_SMALL_PAYLOADS: u32 = 150;

const TOPICS: &[&str] = &["$t/a", "$t/a/b", "$t/a/c", "$t/b"];
const FILTERS: &[&str] = &["$t/a", "$t/a/#", "$t/a/+", "$t/#", "$t/+", "$t/b", "$t/+/b"];
/// One for each topic.
const DISJOINT_FILTERS: &[&str] = &["$t/a", "$t/a/+", "$t/b"];
const SHARED_FILTERS: &[&str] =
    &["$$share/g/$t/#", "$$share/g/$t/#", "$$share/g/$t/#", "$$share/h/$t/#", "$$share/g/$t/a", "$$share/g/$t/a/+"];
/// Topics and filters that would meet others on the same broker.
const TOPICS_AT_THE_ROOT: &[&str] = &["$$x/y"];
const FILTERS_AT_THE_ROOT: &[&str] = &["#", "+", "$$x/#", "+/b", "+/a"];
const STRANGE_TOPICS: &[&str] = &["$t/a/+", "$t/#", "$t/1/2/3/4/5/6/7/8/9"];
const STRANGE_FILTERS: &[&str] = &["$t/a#", "$t/a/#/b", "$t/b+", "$t/1/2/3/4/5/6/7/8/#", "$$share/g", "$$share/+/$t/a"];

/// Where walks take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// An embedded broker of the walk's own: time costs nothing, nobody else is there, and its Authentication Method is
    /// known.
    Embedded,
    /// A broker that others may be using, in real time.
    Network,
}

/// The protocol versions of one walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// All clients speak this one, so that the walk can become a case.
    One(ProtocolVersion),
    /// Each connection has its own.
    Mixed,
}

/// What packets say in one walk.
#[derive(Debug, Clone)]
pub(super) struct Wording {
    pub(super) profile: Profile,
    pub(super) ground: Ground,
    pub(super) versions: Versions,
    pub(super) avoided: BTreeSet<Avoided>,
    /// Clients are devices, with topics of their own.
    pub(super) is_of_devices: bool,
    /// WebSocket carries the connections.
    pub(super) has_frames: bool,
}

impl Wording {
    /// How long nothing happens, in milliseconds.
    pub(super) fn elapses(&self) -> &'static [u64] {
        match self.ground {
            Ground::Embedded => &[500, 1_500, 4_000, 12_500, 31_000, 46_000, 91_000],
            // Real time is dear: mostly it is just a pause.
            Ground::Network => &[20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 1_200, 2_300],
        }
    }

    /// One of `all`; mostly one that the dialect has.
    fn mostly<T: Copy + Debug + 'static>(all: &[T], is_offered: impl Fn(&T) -> bool) -> BoxedStrategy<T> {
        let offered: Vec<T> = all.iter().copied().filter(is_offered).collect();
        let all = all.to_vec();
        let offered = if offered.is_empty() { all.clone() } else { offered };
        prop_oneof![OFFENCES_IN - 1 => select(offered), 1 => select(all)].boxed()
    }

    fn versions(&self) -> BoxedStrategy<ProtocolVersion> {
        match self.versions {
            Versions::One(version) => Just(version).boxed(),
            Versions::Mixed => select(Vec::from_iter(self.profile.versions.iter().copied())).boxed(),
        }
    }

    fn qos(&self) -> BoxedStrategy<Qos> {
        let has_qos_2 = self.profile.has(Feature::Qos2);
        Self::mostly(&Qos::ALL, |qos| has_qos_2 || *qos < Qos::ExactlyOnce)
    }

    fn retain(&self) -> BoxedStrategy<bool> {
        let retains = self.profile.has(Feature::RetainedMessages);
        Self::mostly(&[false, false, false, true], |retain| retains || !retain)
    }

    /// What CONNECT says; `number` is that of its Will's message.
    pub(super) fn terms(&self, client: Client, clients: usize, number: u32) -> impl Strategy<Value = Terms> + use<> {
        let range = self.profile.limits().keep_alive;
        let has_off = self.profile.has(Feature::KeepAliveOff);
        let expires = !self.avoids(Avoided::ShortKeepAlive);
        let is_served = move |seconds: &u16| range.contains(*seconds) && (has_off || *seconds > 0);
        let (keep_alives, expiries): (&[u16], &[Option<u32>]) = match self.ground {
            Ground::Embedded => (&[60, 60, 60, 30, 1_200, 10, 0], &[None, Some(0), Some(5), Some(40), Some(u32::MAX)]),
            Ground::Network => (&[60, 60, 60, 60, 1, 0], &[None, Some(0), Some(1), Some(60), Some(60)]),
        };
        let keep_alives: Vec<u16> =
            keep_alives.iter().copied().filter(|seconds| expires || !(1..60).contains(seconds)).collect();
        // Its own name mostly; another's takes the session over.
        let mut client_ids = vec![client.client_id(); 3 * clients];
        client_ids.extend(Client::first(clients).map(Client::client_id));
        if self.ground == Ground::Embedded {
            client_ids.extend(["", "u-v"]);
        }
        let wills = weighted(if self.profile.has(Feature::Will) { 0.35 } else { 0.04 }, self.wills(number));
        let of_all_versions =
            (self.versions(), select(client_ids), any::<bool>(), Self::mostly(&keep_alives, is_served), wills);
        let of_5_0 = (
            select(expiries.to_vec()),
            select(if self.avoids(Avoided::ReceiveMaximum) { &[None][..] } else { &[None, Some(1), Some(2), Some(3)] }),
            select(if self.avoids(Avoided::MaximumPacketSize) {
                &[None][..]
            } else {
                &[None, None, None, Some(64), Some(100)]
            }),
            select(&[None, None, Some(0), Some(1), Some(2)][..]),
            select(&[None, Some(false), Some(true)][..]),
            self.authentications(),
        );
        (of_all_versions, of_5_0).prop_map(|(of_all_versions, of_5_0)| {
            let (version, client_id, clean_start, keep_alive, will) = of_all_versions;
            let (session_expiry, receive_maximum, maximum_packet_size, topic_alias_maximum, problems, method) = of_5_0;
            Terms {
                version,
                client_id,
                clean_start,
                keep_alive,
                will,
                session_expiry,
                receive_maximum,
                maximum_packet_size,
                topic_alias_maximum,
                problem_information: problems,
                authentication: method,
                manner: Manner::PLAIN,
            }
        })
    }

    fn wills(&self, number: u32) -> impl Strategy<Value = WillTerms> + use<> {
        // Nothing says what becomes of a Will that cannot be published: there is none here.
        let extras = select(&[Extras::None, Extras::None, Extras::UserProperties, Extras::Request][..]);
        let delays: &[Option<u32>] = match self.ground {
            Ground::Embedded => &[None, None, Some(0), Some(3), Some(20)],
            Ground::Network => &[None, None, None, Some(1), Some(60)],
        };
        let expiries = self.message_expiries();
        (self.topics(), self.qos(), self.retain(), small_payloads(number), select(delays), expiries, extras).prop_map(
            |(topic, qos, retain, payload, delay, expiry, extras)| {
                let content = Content { topic, qos, dup: false, retain, payload, expiry, alias: Alias::None, extras };
                WillTerms { content, delay }
            },
        )
    }

    fn authentications(&self) -> BoxedStrategy<Authentication> {
        match self.ground {
            _ if self.is_of_devices => Just(Authentication::None).boxed(),
            Ground::Embedded => prop_oneof![
                30 => Just(Authentication::None),
                1 => Just(Authentication::Foreign),
                6 => Just(Authentication::Right),
                1 => Just(Authentication::Wrong),
                1 => Just(Authentication::Silent),
            ]
            .boxed(),
            // No other server's method is known.
            Ground::Network => {
                prop_oneof![40 => Just(Authentication::None), 1 => Just(Authentication::Foreign)].boxed()
            }
        }
    }

    /// Session Expiry Intervals of DISCONNECT.
    pub(super) fn expiries_at_the_end(&self) -> impl Strategy<Value = Option<u32>> + use<> {
        let seconds = if self.ground == Ground::Embedded { 7 } else { 1 };
        select(vec![None, None, Some(0), Some(seconds), Some(u32::MAX)])
    }

    fn topics(&self) -> BoxedStrategy<&'static str> {
        match self.ground {
            _ if self.is_of_devices => Wording::topics_of_devices(),
            Ground::Embedded => prop_oneof![12 => select(TOPICS), 1 => select(TOPICS_AT_THE_ROOT)].boxed(),
            Ground::Network => select(TOPICS).boxed(),
        }
    }

    fn filters(&self, version: ProtocolVersion) -> Union<BoxedStrategy<&'static str>> {
        let (overlap, shares) = (!self.avoids(Avoided::OverlappingFilters), !self.avoids(Avoided::SharedSubscriptions));
        let at_the_root = match self.ground {
            _ if self.is_of_devices => 1,
            Ground::Embedded if overlap => 8,
            Ground::Embedded | Ground::Network => 0,
        };
        let shared = match self.profile.has_in(Feature::SharedSubscriptions, version) {
            _ if !shares => 0,
            true => 10,
            false => 1,
        };
        let strange = STRANGE_FILTERS.iter().filter(|filter| shares || !filter.starts_with("$$share"));
        let usual = match self.is_of_devices {
            true => Wording::filters_of_devices(),
            false => select(if overlap { FILTERS } else { DISJOINT_FILTERS }).boxed(),
        };
        let weighted = [
            (30, usual),
            (at_the_root, select(FILTERS_AT_THE_ROOT).boxed()),
            (shared, select(SHARED_FILTERS).boxed()),
            (1, select(Vec::from_iter(strange.copied())).boxed()),
        ];
        Union::new_weighted(weighted.into_iter().filter(|(weight, _)| *weight > 0).collect())
    }

    /// The filters of a SUBSCRIBE.
    pub(super) fn requests(
        &self,
        count: RangeInclusive<usize>,
        version: ProtocolVersion,
    ) -> impl Strategy<Value = Vec<Request>> + use<> {
        let retain_handling = select(&[RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend][..]);
        let no_local = select(&[false, false, true][..]);
        let one = (self.filters(version), self.qos(), no_local, any::<bool>(), retain_handling);
        let (excludes, marks) = (!self.avoids(Avoided::NoLocal), !self.avoids(Avoided::RetainAsPublished));
        let one = one.prop_map(move |(filter, qos, no_local, retain_as_published, retain_handling)| {
            // No Local ends the connection in a Shared Subscription: with one of the filters that is often enough.
            let no_local = excludes && no_local && (!filter.starts_with("$$share/") || filter == "$$share/g/$t/a/+");
            let retain_as_published = retain_as_published && marks;
            Request { filter, options: SubscriptionOptions { qos, no_local, retain_as_published, retain_handling } }
        });
        vec(one, count)
    }

    fn message_expiries(&self) -> impl Strategy<Value = Option<u32>> + use<> {
        select(if self.avoids(Avoided::MessageExpiry) { &[None][..] } else { &[None, None, None, Some(1), Some(10)] })
    }

    fn extras(&self) -> impl Strategy<Value = Extras> + use<> {
        let wildcard = match self.avoids(Avoided::WildcardResponseTopics) {
            true => Extras::Request,
            false => Extras::WildcardResponseTopic,
        };
        // Devices say more: the log and the business server show it.
        let often = if self.is_of_devices { 15 } else { 5 };
        prop_oneof![
            30 => Just(Extras::None),
            often => Just(Extras::UserProperties),
            5 => Just(Extras::Request),
            1 => Just(wildcard),
            1 => Just(Extras::ReservedName),
        ]
    }

    /// The payload of a PUBLISH.
    fn payloads(&self, number: u32) -> BoxedStrategy<Payload> {
        let most = self.profile.limits().maximum_packet_size.and_then(|size| usize::try_from(size).ok());
        match most.filter(|most| *most <= LARGEST_FILLER) {
            Some(most) => {
                prop_oneof![OF_SMALL_PAYLOADS => small_payloads(number), 1 => Just(Payload::Filler(most))].boxed()
            }
            None => small_payloads(number).boxed(),
        }
    }

    /// The filters of an UNSUBSCRIBE.
    pub(super) fn filters_to_leave(&self) -> impl Strategy<Value = Vec<&'static str>> + use<> {
        vec(self.filters(ProtocolVersion::V5_0), 1..=2)
    }

    /// The Subscription Identifier of a SUBSCRIBE.
    pub(super) fn identifiers(&self) -> impl Strategy<Value = Option<u32>> + use<> {
        let share = if self.profile.has(Feature::SubscriptionIdentifiers) { 0.3 } else { 0.03 };
        weighted(share, select(&[1, 2, 268_435_455][..]))
    }

    /// What is published, as the message with this number.
    pub(super) fn contents(&self, number: u32, version: ProtocolVersion) -> impl Strategy<Value = Content> + use<> {
        let retains = self.profile.has_in(Feature::RetainedMessages, version);
        (
            prop_oneof![40 => self.topics(), 1 => select(STRANGE_TOPICS)],
            self.qos(),
            select(&[false, false, false, true][..]),
            Self::mostly(&[false, false, false, true], move |retain| retains || !retain),
            self.payloads(number),
            self.message_expiries(),
            prop_oneof![
                6 => Just(Alias::None),
                1 => (1_u16..=2).prop_map(Alias::Set),
                1 => (1_u16..=2).prop_map(Alias::Use),
            ],
            self.extras(),
        )
            .prop_map(|(topic, qos, dup, retain, payload, expiry, alias, extras)| Content {
                topic,
                qos,
                dup: dup && qos > Qos::AtMostOnce,
                retain,
                payload,
                expiry,
                alias,
                extras,
            })
    }
}

/// Whether a filter meets what another one does that is not shared.
pub(super) fn overlaps(filter: &str) -> bool {
    (FILTERS.contains(&filter) || FILTERS_AT_THE_ROOT.contains(&filter)) && !DISJOINT_FILTERS.contains(&filter)
}

fn small_payloads(number: u32) -> impl Strategy<Value = Payload> {
    prop_oneof![
        14 => Just(Payload::Own(number)),
        4 => Just(Payload::Shared),
        2 => Just(Payload::Empty),
        2 => Just(Payload::Filler(100)),
    ]
}
