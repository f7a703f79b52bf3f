//! Synchronous calls: each rule by an example, and all together in every order of a small world.

use model::device::{Device, Extras};
use model::packet::Qos;
use model::profile::Profile;
use model::server::identity::Identity;
use model::server::rrpc::{Call, CallTerms, CallTopic, Input, MessageId, Outcome, Output, Presence, Reach, is_answer};
use model::server::{Breach, Rule};
use std::collections::BTreeSet;

const REQUEST: &str = "/sys/pk/lamp/rrpc/request/1002";
const RESPONSE: &str = "/sys/pk/lamp/rrpc/response/1002";

fn platform() -> &'static Profile {
    Profile::builtin("platform").unwrap()
}

fn lamp() -> Device {
    Device::new("pk", "lamp")
}

fn terms() -> CallTerms {
    CallTerms {
        message_id: MessageId(1002),
        device: lamp(),
        topic: CallTopic::System,
        timeout: 1000,
        reach: Reach::Certain,
    }
}

/// A call that is made at 0, and must end at 1000.
fn call(presence: Presence) -> Call {
    Call::new(platform(), 0, terms(), presence).unwrap()
}

fn request(qos: Qos, dup: bool) -> Output {
    Output::Request { topic: REQUEST.to_owned(), qos, dup }
}

fn answer(payload: &str) -> Input {
    published(&lamp(), RESPONSE, Qos::AtMostOnce, payload)
}

fn published(device: &Device, topic: &str, qos: Qos, payload: &str) -> Input {
    Input::Published { device: device.clone(), topic: topic.to_owned(), qos, payload: payload.into() }
}

fn success(payload: &str) -> Output {
    Output::Ended(Outcome::Success(payload.into()))
}

const TIMEOUT: Output = Output::Ended(Outcome::Timeout);
const OFFLINE: Output = Output::Ended(Outcome::Offline);
const HALF_CONNECTED: Output = Output::Ended(Outcome::HalfConnected);

/// The one call that follows.
fn then(call: &Call, now: u64, input: &Input) -> Call {
    let [next] = &call.input(platform(), now, input)[..] else { panic!("{input:?} leads to several") };
    next.clone()
}

fn sent() -> Call {
    call(Presence::Connected).accept(0, &request(Qos::AtMostOnce, false)).unwrap()
}

fn forbidden(result: Result<Call, Breach>, rule: Rule) {
    assert_eq!(result.unwrap_err().rule, rule);
}

#[test]
fn the_first_answer_in_time_is_the_result() {
    let answered = then(&sent(), 400, &answer("on"));
    assert!(answered.accept(401, &success("on")).unwrap().is_ended());
    forbidden(answered.accept(401, &success("off")), Rule::RrpcAnswerIsTheDevices);
    forbidden(answered.accept(1001, &TIMEOUT), Rule::RrpcAnswerIsTheDevices);
    forbidden(sent().accept(401, &success("on")), Rule::RrpcAnswerIsTheDevices);
    //
    let second = then(&answered, 500, &answer("off"));
    assert_eq!(second, answered);
    assert_eq!(answered.owed(platform(), 401).unwrap().rule, Rule::RrpcCallEnds);
}

#[test]
fn foreign_and_unknown_answers_have_no_effect() {
    let tv = Device::new("pk", "tv");
    for other in [
        published(&tv, RESPONSE, Qos::AtMostOnce, "on"),
        published(&lamp(), "/sys/pk/lamp/rrpc/response/1003", Qos::AtMostOnce, "on"),
        published(&lamp(), "/sys/pk/lamp/rrpc/request/1002", Qos::AtMostOnce, "on"),
        published(&lamp(), "/pk/lamp/user/get", Qos::AtMostOnce, "on"),
    ] {
        assert_eq!(then(&sent(), 400, &other), sent(), "{other:?}");
    }
    // Nobody can answer what was not asked.
    assert_eq!(then(&call(Presence::Connected), 400, &answer("on")), call(Presence::Connected));
}

#[test]
fn what_is_open_leads_both_ways() {
    // P-RPC-14: at the deadline nobody knows what the server sees first..
    let large = "x".repeat(4097);
    let at_qos_1 = published(&lamp(), RESPONSE, Qos::AtLeastOnce, "on");
    for (now, input) in [(1000, answer("on")), (400, at_qos_1), (400, answer(&large))] {
        let Input::Published { payload, .. } = &input else { unreachable!("it is an answer") };
        let successors = sent().input(platform(), now, &input);
        assert_eq!(successors.len(), 2, "{input:?}");
        let accepts = |output: &Output| successors.iter().any(|call| call.accept(1000, output).is_ok());
        assert!(accepts(&Output::Ended(Outcome::Success(payload.clone()))) && accepts(&TIMEOUT));
    }
    let ended = sent().accept(1000, &TIMEOUT).unwrap();
    let late = then(&ended, 1001, &answer("on"));
    assert!(late.is_ended());
    forbidden(late.accept(1002, &success("on")), Rule::RrpcCallEnds);
}

#[test]
fn timeout_is_neither_early_nor_without_a_request() {
    forbidden(sent().accept(999, &TIMEOUT), Rule::RrpcTimeoutIsDue);
    assert!(sent().accept(1000, &TIMEOUT).is_ok());
    forbidden(call(Presence::Connected).accept(1000, &TIMEOUT), Rule::RrpcRequestIsSent);
    assert_eq!(call(Presence::Connected).owed(platform(), 10).unwrap().rule, Rule::RrpcRequestIsSent);
    assert_eq!(sent().owed(platform(), 2000), None);
    assert_eq!(sent().owed(platform(), 2001).unwrap().rule, Rule::RrpcCallEnds);
    let out_of_range = CallTerms { timeout: 999, ..terms() };
    let error = Call::new(platform(), 0, out_of_range, Presence::Connected).unwrap_err();
    assert_eq!(error.to_string(), "a call waits 1000 to 8000 ms, not 999");
}

#[test]
fn offline_and_half_connected_are_true() {
    forbidden(sent().accept(500, &OFFLINE), Rule::RrpcOfflineIsTrue);
    forbidden(sent().accept(500, &HALF_CONNECTED), Rule::RrpcOfflineIsTrue);
    assert!(call(Presence::Offline).accept(1, &OFFLINE).is_ok());
    forbidden(call(Presence::Offline).accept(1, &HALF_CONNECTED), Rule::RrpcOfflineIsTrue);
    assert!(call(Presence::Half { until: 500 }).accept(1, &HALF_CONNECTED).is_ok());
    let lost = then(&sent(), 300, &Input::Lost { until: 60_000 });
    assert!([&OFFLINE, &HALF_CONNECTED].iter().all(|output| lost.accept(400, output).is_ok()));
    forbidden(lost.accept(400, &TIMEOUT), Rule::RrpcTimeoutIsDue);
    let left = then(&sent(), 300, &Input::Left);
    assert!(left.accept(400, &OFFLINE).is_ok());
    forbidden(left.accept(400, &HALF_CONNECTED), Rule::RrpcOfflineIsTrue);
    // Who comes back may still answer.
    let back = then(&left, 400, &Input::Connected);
    assert!(then(&back, 500, &answer("on")).accept(501, &success("on")).is_ok());
}

#[test]
fn a_kick_leaves_the_call_with_the_new_connection() {
    let kicked = then(&sent(), 300, &Input::Connected);
    forbidden(kicked.accept(400, &OFFLINE), Rule::RrpcOfflineIsTrue);
    assert!(then(&kicked, 500, &answer("on")).accept(501, &success("on")).is_ok());
    assert!(kicked.accept(1000, &TIMEOUT).is_ok());
    // At QoS 0 it is gone, at QoS 1 the new connection gets it again.
    forbidden(kicked.accept(400, &request(Qos::AtMostOnce, false)), Rule::RrpcRequestFits);
    let at_qos_1 = call(Presence::Connected).accept(0, &request(Qos::AtLeastOnce, false)).unwrap();
    forbidden(at_qos_1.accept(1, &request(Qos::AtLeastOnce, true)), Rule::RrpcRequestFits);
    let kicked = then(&at_qos_1, 300, &Input::Connected);
    forbidden(kicked.accept(400, &request(Qos::AtLeastOnce, false)), Rule::RrpcRequestFits);
    assert!(kicked.accept(400, &request(Qos::AtLeastOnce, true)).is_ok());
}

#[test]
fn requests_have_their_topic_and_level() {
    let open = || call(Presence::Connected);
    forbidden(open().accept(0, &request(Qos::ExactlyOnce, false)), Rule::RrpcRequestFits);
    forbidden(open().accept(0, &request(Qos::AtLeastOnce, true)), Rule::RrpcRequestFits);
    let elsewhere = Output::Request { topic: RESPONSE.to_owned(), qos: Qos::AtMostOnce, dup: false };
    forbidden(open().accept(0, &elsewhere), Rule::RrpcRequestFits);
    forbidden(call(Presence::Offline).accept(0, &request(Qos::AtMostOnce, false)), Rule::RrpcRequestFits);
    let custom = CallTerms { topic: CallTopic::Custom("/pk/lamp/user/get".to_owned()), ..terms() };
    assert_eq!(custom.request_topic(), "/ext/rrpc/1002/pk/lamp/user/get");
    assert_eq!(custom.response_topic(), custom.request_topic());
}

#[test]
fn not_every_device_must_be_reached() {
    let custom = CallTopic::Custom("/pk/lamp/user/get".to_owned());
    let asked = Extras { custom_calls: true, notices: false };
    // P-RPC-6, P-CID-10, X-46.
    assert_eq!(Reach::of(&CallTopic::System, true, Extras::default()), Reach::Certain);
    assert_eq!(Reach::of(&CallTopic::System, false, asked), Reach::Open);
    assert_eq!(Reach::of(&custom, true, asked), Reach::Certain);
    assert_eq!(Reach::of(&custom, true, Extras::default()), Reach::Open);
    let open = Call::new(platform(), 0, CallTerms { reach: Reach::Open, ..terms() }, Presence::Connected).unwrap();
    assert!(open.accept(1000, &TIMEOUT).is_ok() && open.accept(0, &request(Qos::AtMostOnce, false)).is_ok());
}

#[test]
fn answers_are_known_by_their_topic() {
    let device = Identity::Device(lamp());
    for (topic, known) in [
        (RESPONSE, true),
        ("/ext/rrpc/1002/pk/lamp/user/get", true),
        ("/sys/pk/lamp/rrpc/response/x", false),
        ("/sys/pk/tv/rrpc/response/1002", false),
        (REQUEST, false),
        ("/ext/rrpc/1002", false),
    ] {
        assert_eq!(is_answer(platform(), &device, topic), known, "{topic}");
    }
    assert!(!is_answer(platform(), &Identity::Client("lamp".to_owned()), RESPONSE));
    assert!(!is_answer(Profile::builtin("standard").unwrap(), &device, RESPONSE));
}

/// A call with what an onlooker knows of its past.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct World {
    call: Call,
    now: u64,
    /// How many inputs may still come.
    inputs: u8,
    connected: bool,
    was_absent: bool,
    requests: u8,
    connections: u8,
    answers: BTreeSet<Vec<u8>>,
    ends: u8,
}

const STEP: u64 = 500;
/// One step after the call must have ended.
const END: u64 = 2500;

impl World {
    fn after_inputs(&self) -> Vec<World> {
        if self.inputs == 0 {
            return Vec::new();
        }
        let mut inputs = vec![
            Input::Connected,
            answer("on"),
            answer("off"),
            published(&lamp(), RESPONSE, Qos::AtLeastOnce, "on"),
            published(&Device::new("pk", "tv"), RESPONSE, Qos::AtMostOnce, "forged"),
            published(&lamp(), "/sys/pk/lamp/rrpc/response/7", Qos::AtMostOnce, "lost"),
        ];
        if self.connected {
            inputs.extend([Input::Lost { until: self.now + STEP }, Input::Left]);
        } else {
            inputs.retain(|input| matches!(input, Input::Connected));
        }
        let follow = |input: &Input| {
            let mut next = World { inputs: self.inputs - 1, ..self.clone() };
            match input {
                Input::Connected => (next.connected, next.connections) = (true, self.connections + 1),
                Input::Lost { .. } | Input::Left => (next.connected, next.was_absent) = (false, true),
                Input::Published { device, topic, payload, .. } if *device == lamp() && topic == RESPONSE => {
                    next.answers.insert(payload.clone());
                }
                Input::Published { .. } => {}
            }
            let calls = self.call.input(platform(), self.now, input);
            assert!(!calls.is_empty(), "every input has a successor");
            calls.into_iter().map(move |call| World { call, ..next.clone() }).collect::<Vec<_>>()
        };
        inputs.iter().flat_map(follow).collect()
    }

    fn after_outputs(&self) -> Vec<World> {
        let follow = |output: &Output| {
            let call = self.call.accept(self.now, output).expect("what a server offers, the model accepts");
            let mut next = World { call, ..self.clone() };
            match output {
                Output::Request { .. } => {
                    next.requests += 1;
                    assert!(self.connected && next.requests <= self.connections, "once a connection");
                }
                Output::Ended(outcome) => {
                    next.ends += 1;
                    self.check_end(outcome);
                }
            }
            next
        };
        self.call.outputs(self.now).iter().map(follow).collect()
    }

    /// What an onlooker may say of an end.
    fn check_end(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Success(payload) => assert!(self.answers.contains(payload), "nobody has said {outcome}"),
            Outcome::Timeout => assert!(self.now >= 1000, "{outcome} at {}", self.now),
            Outcome::Offline | Outcome::HalfConnected => assert!(self.was_absent, "{outcome} of a connected device"),
        }
    }

    fn check(&self) {
        assert!(self.ends <= 1, "a call has one end");
        assert_eq!(self.call.is_ended(), self.ends == 1);
        if self.now > self.call.ends_by(platform()) && self.ends == 0 {
            assert!(self.call.owed(platform(), self.now).is_some(), "silence breaks a rule when the time is over");
        }
        if self.now >= 1000 && self.ends == 0 && self.call.outputs(self.now).is_empty() {
            panic!("a call that cannot end: {:?}", self.call);
        }
    }
}

#[test]
fn every_call_ends_once_whatever_happens() {
    for presence in [Presence::Connected, Presence::Offline, Presence::Half { until: STEP }] {
        let connected = presence == Presence::Connected;
        let first = World {
            call: call(presence),
            now: 0,
            inputs: 5,
            connected,
            was_absent: !connected,
            requests: 0,
            connections: u8::from(connected),
            answers: BTreeSet::new(),
            ends: 0,
        };
        let mut known = BTreeSet::from([first.clone()]);
        let mut open = vec![first];
        let mut outcomes = BTreeSet::new();
        while let Some(world) = open.pop() {
            world.check();
            let later = World { now: world.now + STEP, ..world.clone() };
            let time = (world.now < END).then_some(later);
            outcomes.extend(world.call.outputs(world.now).into_iter().filter_map(|output| match output {
                Output::Ended(outcome) => Some(outcome),
                Output::Request { .. } => None,
            }));
            for next in world.after_inputs().into_iter().chain(world.after_outputs()).chain(time) {
                if known.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        // The walk has been everywhere: each end is reached.
        let ends =
            [Outcome::Success(b"on".to_vec()), Outcome::Success(b"off".to_vec()), Outcome::Timeout, Outcome::Offline];
        assert!(ends.iter().all(|end| outcomes.contains(end)), "{outcomes:?}");
        assert!(known.len() > 1000, "only {} states", known.len());
        eprintln!("{presence:?}: {} states", known.len());
    }
}
