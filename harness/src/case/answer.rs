//! Answers of the platform's API, and messages for the business server, to expect.

use super::data::{self, Data};
use super::pattern::Mismatch;
use super::scope::Scope;
use super::step_fields::OneOrMany;
use super::template::BuildError;
use super::value::{Text, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::cloud::{Answer, LogLine, PlatformMessage};
use model::packet::Qos;
use schemars::JsonSchema;
use serde::Deserialize;

/// What an answer must be like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerPattern {
    /// The request that it answers, by the variable that it is bound to: `$first`. Else the oldest one without an answer.
    #[serde(default)]
    to: Option<Text>,
    /// `Success`.
    #[serde(default)]
    success: Option<Value<bool>>,
    /// `Code`, or several of which one must come.
    #[serde(default)]
    #[schemars(with = "Option<OneOrMany<Text>>")]
    code: Option<OneOrMany<Text>>,
    /// How a call ended: `SUCCESS`, `TIMEOUT`, `OFFLINE`, `HALFCONN`, or several of which one must come.
    #[serde(default)]
    #[schemars(with = "Option<OneOrMany<Text>>")]
    rrpc_code: Option<OneOrMany<Text>>,
    /// `MessageId`.
    #[serde(default)]
    message_id: Option<Text>,
    /// `PayloadBase64Byte`, decoded.
    #[serde(default)]
    payload: Option<Data>,
    /// Texts that stand together in one line of the device log.
    #[serde(default)]
    #[schemars(with = "Option<OneOrMany<Text>>")]
    log_line: Option<OneOrMany<Text>>,
}

/// What a message over AMQP must be like. Which keys its properties have is the platform's secret: what the reference
/// broker calls them is what is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessagePattern {
    /// `topic`.
    #[serde(default)]
    topic: Option<Text>,
    /// `messageId`.
    #[serde(default)]
    message_id: Option<Text>,
    /// The body.
    #[serde(default)]
    payload: Option<Data>,
    /// `qos`.
    #[serde(default)]
    qos: Option<Value<Qos>>,
    /// `responseTopic`.
    #[serde(default)]
    response_topic: Option<Text>,
    /// `correlationData`, decoded: it comes in Base64.
    #[serde(default)]
    correlation_data: Option<Data>,
    /// Texts that stand in `userProperties`.
    #[serde(default)]
    #[schemars(with = "Option<OneOrMany<Text>>")]
    user_properties: Option<OneOrMany<Text>>,
}

/// A comparison that collects all that is not as expected.
struct Comparison<'a> {
    scope: &'a Scope,
    mismatches: Vec<Mismatch>,
    errors: Vec<(String, BuildError)>,
}

impl<'a> Comparison<'a> {
    fn new(scope: &'a Scope) -> Comparison<'a> {
        Comparison { scope, mismatches: Vec::new(), errors: Vec::new() }
    }

    fn mismatch(&mut self, field: &str, expected: impl Into<String>, seen: impl Into<String>) {
        self.mismatches.push(Mismatch { field: field.to_owned(), expected: expected.into(), seen: seen.into() });
    }

    fn resolve<T>(&mut self, field: &str, resolved: Result<T, BuildError>) -> Option<T> {
        resolved.map_err(|error| self.errors.push((field.to_owned(), error))).ok()
    }

    fn text(&mut self, field: &str, expected: Option<&Text>, seen: Option<&str>) {
        let Some(expected) = expected else { return };
        let Some(expected) = self.resolve(field, expected.resolve(self.scope)) else { return };
        if seen != Some(expected.as_str()) {
            self.mismatch(field, format!("{expected:?}"), shown(seen));
        }
    }

    /// One of these texts.
    fn one_of(&mut self, field: &str, expected: Option<&OneOrMany<Text>>, seen: Option<&str>) {
        let Some(texts) = self.texts(field, expected) else { return };
        if !texts.iter().any(|text| seen == Some(text)) {
            self.mismatch(field, texts.join(" or "), shown(seen));
        }
    }

    fn texts(&mut self, field: &str, expected: Option<&OneOrMany<Text>>) -> Option<Vec<String>> {
        let texts = expected?.0.iter().map(|text| text.resolve(self.scope)).collect();
        self.resolve(field, texts)
    }

    fn data(&mut self, field: &str, expected: Option<&Data>, seen: Option<&[u8]>) {
        let Some(expected) = expected else { return };
        let differs = expected.compare(seen.unwrap_or_default(), self.scope);
        match self.resolve(field, differs) {
            Some(Some(expected)) => self.mismatch(field, expected, seen.map_or("none".to_owned(), data::describe)),
            Some(None) if seen.is_none() => self.mismatch(field, "some bytes", "none"),
            _ => {}
        }
    }

    fn all(self) -> Vec<Mismatch> {
        let unknown = self.errors.into_iter().map(|(field, error)| Mismatch {
            field,
            expected: format!("a value that is not known ({error})"),
            seen: "not compared".to_owned(),
        });
        self.mismatches.into_iter().chain(unknown).collect()
    }
}

fn shown(text: Option<&str>) -> String {
    text.map_or("none".to_owned(), |text| format!("{text:?}"))
}

impl AnswerPattern {
    /// The request that it answers, as the script calls it.
    ///
    /// # Errors
    /// When what stands there is no variable that a request is bound to.
    pub fn to(&self) -> Result<Option<&str>, BuildError> {
        let Some(text) = &self.to else { return Ok(None) };
        let variable = text.variable().filter(|variable| variable.field.is_none());
        let variable = variable.ok_or_else(|| BuildError("`to` names a request: `to: $first`".to_owned()))?;
        Ok(Some(&variable.name))
    }

    fn comparison<'a>(&self, seen: &Answer, scope: &'a Scope) -> Comparison<'a> {
        let mut comparison = Comparison::new(scope);
        if let Some(success) = &self.success
            && let Some(expected) = comparison.resolve("success", success.resolve(scope))
            && expected != seen.success
        {
            let code = seen.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            comparison.mismatch("success", expected.to_string(), format!("{}{code}", seen.success));
        }
        comparison.one_of("code", self.code.as_ref(), seen.code.as_deref());
        comparison.one_of("rrpc_code", self.rrpc_code.as_ref(), seen.call_code().map(|code| code.name()));
        comparison.text("message_id", self.message_id.as_ref(), seen.message_id.as_deref());
        comparison.data("payload", self.payload.as_ref(), seen.payload.as_deref());
        if let Some(texts) = comparison.texts("log_line", self.log_line.as_ref())
            && !seen.log.iter().any(|line| texts.iter().all(|text| holds(line, text)))
        {
            let seen: Vec<String> = seen.log.iter().map(|line| line.content.clone()).collect();
            comparison.mismatch("log_line", texts.join(", "), format!("[{}]", seen.join("; ")));
        }
        comparison
    }

    /// All fields in which an answer is not as expected.
    #[must_use]
    pub fn compare(&self, seen: &Answer, scope: &Scope) -> Vec<Mismatch> {
        self.comparison(seen, scope).all()
    }

    pub(super) fn errors(&self, scope: &Scope) -> Vec<(String, BuildError)> {
        self.comparison(&Answer::default(), scope).errors
    }
}

/// Whether a line holds a text, in whatever part.
fn holds(line: &LogLine, text: &str) -> bool {
    let properties = line.user_properties.iter().flat_map(|(name, value)| [name, value]);
    line.content.contains(text) || properties.into_iter().any(|part| part == text)
}

impl MessagePattern {
    fn comparison<'a>(&self, seen: &PlatformMessage, scope: &'a Scope) -> Comparison<'a> {
        let mut comparison = Comparison::new(scope);
        comparison.text("topic", self.topic.as_ref(), Some(&seen.topic));
        comparison.text("message_id", self.message_id.as_ref(), Some(&seen.message_id));
        comparison.data("payload", self.payload.as_ref(), Some(&seen.payload));
        if let Some(qos) = &self.qos
            && let Some(expected) = comparison.resolve("qos", qos.resolve(scope))
            && seen.qos != Some(expected.value())
        {
            comparison.mismatch("qos", expected.to_string(), shown(seen.qos.map(|qos| qos.to_string()).as_deref()));
        }
        comparison.text("response_topic", self.response_topic.as_ref(), seen.response_topic.as_deref());
        let data = correlation_data(seen);
        if self.correlation_data.is_some() && seen.correlation_data.is_some() && data.is_none() {
            comparison.mismatch("correlation_data", "Base64", shown(seen.correlation_data.as_deref()));
        } else {
            comparison.data("correlation_data", self.correlation_data.as_ref(), data.as_deref());
        }
        let held = seen.user_properties.as_deref();
        if let Some(texts) = comparison.texts("user_properties", self.user_properties.as_ref())
            && !texts.iter().all(|text| held.is_some_and(|held| held.contains(text.as_str())))
        {
            comparison.mismatch("user_properties", texts.join(", "), shown(held));
        }
        comparison
    }

    /// All fields in which a message is not as expected.
    #[must_use]
    pub fn compare(&self, seen: &PlatformMessage, scope: &Scope) -> Vec<Mismatch> {
        self.comparison(seen, scope).all()
    }

    pub(super) fn errors(&self, scope: &Scope) -> Vec<(String, BuildError)> {
        self.comparison(&PlatformMessage::default(), scope).errors
    }
}

/// The bytes that the device has sent.
pub(super) fn correlation_data(message: &PlatformMessage) -> Option<Vec<u8>> {
    STANDARD.decode(message.correlation_data.as_ref()?).ok()
}
