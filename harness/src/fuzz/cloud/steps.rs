//! What the cloud side did as steps of a case.

use crate::case::{AMQP, API};
use crate::fuzz::notation::{data, literal};
use crate::fuzz::script::{Pace, Script};
use crate::fuzz::walked::{Did, Walked};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::cloud::{Answer, LogLine, PlatformMessage};

/// What came over AMQP, as far as the steps have got.
#[derive(Debug, Default)]
pub(in crate::fuzz) struct Listening {
    is_open: bool,
    /// The payloads of messages that no step has expected.
    unexpected: Vec<Vec<u8>>,
    bound: usize,
}

impl Script<'_> {
    /// The cloud side does or gets something. `true` if it keeps step with the peer.
    pub(in crate::fuzz) fn cloud(&mut self, did: &Did) -> bool {
        match did {
            Did::Ask { number, request } => {
                let named = request.replacen('{', &format!("{{as: c{number}, "), 1);
                self.steps.push(format!("{API} -> {named}"));
            }
            Did::BeAnswered { number, answer } if self.pace == Pace::Answers || self.right.is_some() => {
                let right = self.right.and_then(|(right, _)| answer_in(right, *number));
                self.steps.push(answer_step(*number, right, answer));
                return true;
            }
            Did::Listen => {
                self.listening = Listening { is_open: true, bound: self.listening.bound, ..Listening::default() };
                self.steps.push(format!("{AMQP} opens"));
            }
            Did::Leave => {
                self.listening.is_open = false;
                self.steps.push(format!("{AMQP} drops"));
            }
            Did::Hear(message) => self.listening.unexpected.push(message.payload.clone()),
            Did::Settle { payload, is_accepted } => self.settle(payload, *is_accepted),
            _ => {}
        }
        false
    }

    fn settle(&mut self, payload: &[u8], is_accepted: bool) {
        let Some(index) = self.listening.unexpected.iter().position(|unexpected| unexpected == payload) else { return };
        self.listening.unexpected.remove(index);
        self.listening.bound += 1;
        let name = format!("a{}", self.listening.bound);
        let word = if is_accepted { "settles" } else { "releases" };
        self.steps.push(format!("{AMQP} <- message: {{payload: {}, as: {name}}}", data(payload)));
        self.steps.push(format!("{AMQP} {word}: {{message: ${name}}}"));
    }

    /// What a right platform does for the cloud side at last, and this one does not.
    pub(in crate::fuzz) fn owed_to_the_cloud(&mut self, right: &Walked) {
        let unanswered = right.log.iter().find_map(|logged| match &logged.what {
            Did::BeAnswered { number, answer } if answer_in(self.walked, *number).is_none() => Some((*number, answer)),
            _ => None,
        });
        if let Some((number, answer)) = unanswered {
            self.steps.push(answer_step(number, Some(answer), &Answer::default()));
        }
        if !self.listening.is_open {
            return;
        }
        let (theirs, ours) = (messages(right), messages(self.walked));
        let count = |all: &[&PlatformMessage], one: &PlatformMessage| {
            all.iter().filter(|other| content(other) == content(one)).count()
        };
        if let Some(missing) = theirs.iter().find(|message| count(&theirs, message) > count(&ours, message)) {
            let content: Vec<String> =
                content(missing).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
            // Those that are like it and have come are expected first.
            let alike = self.listening.unexpected.iter().filter(|payload| **payload == missing.payload).count();
            let step = format!("{AMQP} <- message: {{{}, within: 100s}}", content.join(", "));
            self.steps.extend(std::iter::repeat_n(step, alike + 1));
        }
    }
}

fn answer_in(walked: &Walked, wanted: u32) -> Option<&Answer> {
    walked.log.iter().find_map(|logged| match &logged.what {
        Did::BeAnswered { number, answer } if *number == wanted => Some(&**answer),
        _ => None,
    })
}

fn messages(walked: &Walked) -> Vec<&PlatformMessage> {
    let all = walked.log.iter().map(|logged| &logged.what);
    all.filter_map(|did| if let Did::Hear(message) = did { Some(&**message) } else { None }).collect()
}

/// The answer to a request, as a right platform gives it if that is known; of a log, what is missing in the one that came.
fn answer_step(number: u32, right: Option<&Answer>, came: &Answer) -> String {
    let mut fields = vec![format!("to: $c{number}")];
    if let Some(right) = right {
        fields.push(format!("success: {}", right.success));
        fields.extend(right.rrpc_code.map(|code| format!("rrpc_code: {code}")));
        fields.extend(right.payload.as_ref().map(|payload| format!("payload: {}", data(payload))));
        let is_there = |line: &&LogLine| {
            came.log
                .iter()
                .any(|other| (&other.content, &other.user_properties) == (&line.content, &line.user_properties))
        };
        fields.extend(right.log.iter().find(|line| !is_there(line)).map(log_line));
    }
    format!("{API} <- answer: {{{}}}", fields.join(", "))
}

/// The texts that stand together in a line.
fn log_line(line: &LogLine) -> String {
    let properties = line.user_properties.iter().flat_map(|(name, value)| [name, value]);
    let texts: Vec<String> = [&line.content].into_iter().chain(properties).map(|part| literal(part)).collect();
    format!("log_line: [{}]", texts.join(", "))
}

/// What a message holds, as the fields of an expectation.
fn content(message: &PlatformMessage) -> Vec<(&'static str, String)> {
    let mut fields = vec![("payload", data(&message.payload))];
    fields.extend(message.qos.map(|qos| ("qos", qos.to_string())));
    fields.extend(message.response_topic.as_ref().map(|topic| ("response_topic", literal(topic))));
    let decoded = message.correlation_data.as_ref().and_then(|data| STANDARD.decode(data).ok());
    fields.extend(message.user_properties.as_ref().map(|properties| ("user_properties", literal(properties))));
    fields.extend(decoded.map(|bytes| ("correlation_data", data(&bytes))));
    fields
}
