//! A step as written: a string, or a map with one key.

use super::bytes::BytesTemplate;
use super::code::{Code, CodePattern};
use super::decode::{decode, unknown_key};
use super::duration;
use super::error::Location;
use super::fields::{
    AcknowledgementFields, AuthFields, ConnackFields, ConnectFields, DisconnectFields, Incoming, NoFields, Outgoing,
    PublishFields, SubackFields, SubscribeFields, UnsubscribeFields,
};
use super::pattern::PacketPattern;
use super::raw::RawFields;
use super::step::{Action, Expectation, Step, Window};
use super::template::PacketTemplate;
use super::yaml::{Content, Entry, Mark, Node};
use model::packet::ProtocolVersion;
use model::profile::Offence;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What is wrong, and where.
pub(super) type Fault = (Mark, String);

/// What a step is read for.
pub(super) struct Reading<'a> {
    pub(super) file: &'a Arc<str>,
    pub(super) version: ProtocolVersion,
    /// The versions of the case.
    pub(super) versions: &'a [ProtocolVersion],
}

/// What a client sends.
const SENT: [&str; 12] = [
    "CONNECT",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PINGREQ",
    "DISCONNECT",
    "AUTH",
    "BYTES",
];

/// What a client may expect.
const EXPECTED: [&str; 14] = [
    "CONNACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBACK",
    "UNSUBACK",
    "PINGRESP",
    "DISCONNECT",
    "AUTH",
    "silence",
    "closed",
    "rejected",
];

/// The form of a step: what its string or its key says.
enum Form<'a> {
    Opens(&'a str),
    Drops(&'a str),
    Sends(&'a str, &'a str),
    Expects(&'a str, &'a str),
    Elapse,
    AnyOrder,
    Either,
}

/// Reads the steps of a script; those that `when` keeps for other versions are left out. All faults are collected.
pub(super) fn read_all<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
    reading: &Reading<'_>,
    faults: &mut Vec<Fault>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    for node in nodes {
        match read(node, reading, faults) {
            Ok(step) => steps.extend(step),
            Err(fault) => faults.push(fault),
        }
    }
    steps
}

fn read(node: &Node, reading: &Reading<'_>, faults: &mut Vec<Fault>) -> Result<Option<Step>, Fault> {
    let (head, body) = match &node.content {
        Content::Scalar(scalar) => (scalar.text.as_str(), None),
        Content::Mapping(entries) => match entries.as_slice() {
            [entry] => (entry.key.as_str(), Some(&entry.value)),
            _ => {
                let message =
                    format!("a step is a map with one key, this one has {}: begin each with `-`", entries.len());
                return Err((node.mark, message));
            }
        },
        Content::Sequence(_) => return Err((node.mark, "expected a step, found a list".to_owned())),
    };
    let form = form(head).map_err(|message| (node.mark, message))?;
    let mut body = Body::new(node.mark, body, reading);
    let action = match form {
        Form::Opens(actor) => {
            body.fields::<NoFields>(&[])?;
            Action::Opens { actor: actor.to_owned() }
        }
        Form::Drops(actor) => {
            body.fields::<NoFields>(&[])?;
            Action::Drops { actor: actor.to_owned() }
        }
        Form::Sends(actor, "BYTES") => {
            let bytes = body.scalar_or("bytes", |fields: BytesFields| fields.bytes)?;
            Action::SendBytes { actor: actor.to_owned(), bytes }
        }
        Form::Sends(actor, packet) => {
            let fields = body.outgoing(packet)?;
            let raw = body.raw.take().unwrap_or_default();
            let template = Box::new(PacketTemplate::new(fields, raw, body.bind.take()));
            Action::Send { actor: actor.to_owned(), template }
        }
        Form::Expects(actor, what) => {
            let expectation = match what {
                "silence" => {
                    body.fields::<NoFields>(&[])?;
                    Expectation::Silence
                }
                "closed" => {
                    body.fields::<NoFields>(&[Reserved::Within])?;
                    Expectation::Closed
                }
                "rejected" => {
                    let fields: RejectedFields = body.fields(&[Reserved::Within])?;
                    Expectation::Rejected(fields.code.0)
                }
                packet => Expectation::Packet(Box::new(PacketPattern::new(body.incoming(packet)?, reading.version))),
            };
            let (within, bind) = (body.within.take(), body.bind.take());
            Action::Expect { actor: actor.to_owned(), expectation, within, bind }
        }
        Form::Elapse => {
            let time = body.scalar_or("time", |fields: ElapseFields| fields.time)?;
            let elapse = duration::elapse(&time).map_err(|message| (body.mark(), message))?;
            Action::Elapse(elapse)
        }
        Form::AnyOrder => {
            let steps = read_all(body.list()?, reading, faults);
            for step in &steps {
                if !matches!(step.action, Action::Expect { expectation: Expectation::Packet(_), .. }) {
                    let message = format!("`any-order` holds expected packets only, not `{}`", step.text);
                    faults.push((mark(&step.location), message));
                }
            }
            Action::AnyOrder(steps)
        }
        Form::Either => Action::Either(either(&body, reading, faults)?),
    };
    // What `when` keeps for other versions may leave nothing of a block.
    let is_empty = match &action {
        Action::AnyOrder(steps) => steps.is_empty(),
        Action::Either(alternatives) => alternatives.is_empty(),
        _ => false,
    };
    if !body.applies || is_empty {
        return Ok(None);
    }
    let location = Location { file: Arc::clone(reading.file), line: node.mark.line, column: node.mark.column };
    let text = match &body.shown {
        Some(shown) => format!("{} {shown}", head.split_whitespace().collect::<Vec<_>>().join(" ")),
        None => head.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    Ok(Some(Step { location, text, action }))
}

fn mark(location: &Location) -> Mark {
    Mark { line: location.line, column: location.column }
}

fn either(body: &Body<'_>, reading: &Reading<'_>, faults: &mut Vec<Fault>) -> Result<Vec<Vec<Step>>, Fault> {
    let alternatives = body.list()?;
    if alternatives.len() < 2 {
        return Err((body.mark(), "`either` needs two alternatives at least, each a list of steps".to_owned()));
    }
    let mut all = Vec::new();
    for alternative in alternatives {
        let Content::Sequence(nodes) = &alternative.content else {
            let message = format!("an alternative is a list of steps, found {}", alternative.describe());
            return Err((alternative.mark, message));
        };
        let steps = read_all(nodes, reading, faults);
        for (index, step) in steps.iter().enumerate() {
            match &step.action {
                Action::Expect { expectation: Expectation::Silence, .. } if index == 0 => {
                    let message = "an alternative cannot begin with silence, which fits at first whatever comes";
                    faults.push((mark(&step.location), message.to_owned()));
                }
                Action::Expect { .. } => {}
                _ => {
                    let message = format!("`either` holds expectations only, not `{}`", step.text);
                    faults.push((mark(&step.location), message));
                }
            }
        }
        if nodes.is_empty() {
            faults.push((alternative.mark, "an alternative of `either` is empty".to_owned()));
        }
        all.push(steps);
    }
    all.retain(|steps| !steps.is_empty());
    Ok(all)
}

/// Takes the string or the key of a step apart.
fn form(head: &str) -> Result<Form<'_>, String> {
    let words: Vec<&str> = head.split_whitespace().collect();
    let (who, form) = match words.as_slice() {
        ["elapse"] => return Ok(Form::Elapse),
        ["any-order"] => return Ok(Form::AnyOrder),
        ["either"] => return Ok(Form::Either),
        [actor, "opens"] => (*actor, Form::Opens(actor)),
        [actor, "drops"] => (*actor, Form::Drops(actor)),
        [actor, "->", what] => {
            if !SENT.contains(what) {
                return Err(unknown_packet(
                    what,
                    &SENT,
                    &EXPECTED[..9],
                    "is sent by a server: its bytes can be sent with BYTES",
                ));
            }
            (*actor, Form::Sends(actor, what))
        }
        [actor, "<-", what] => {
            if !EXPECTED.contains(what) {
                return Err(unknown_packet(what, &EXPECTED, &SENT[..9], "is sent by clients only, so it never comes"));
            }
            (*actor, Form::Expects(actor, what))
        }
        _ => {
            return Err(format!(
                "`{}` is no step: write `sub -> CONNECT`, `sub <- CONNACK`, `sub opens`, `sub drops`, `elapse: 2s`, \
                 `any-order: [...]` or `either: [...]`",
                words.join(" ")
            ));
        }
    };
    check_actor(who)?;
    Ok(form)
}

fn unknown_packet(word: &str, known: &[&str], other_way: &[&str], why: &str) -> String {
    if other_way.contains(&word) {
        return format!("{word} {why}");
    }
    unknown_key("packet", word, known.iter().copied())
}

/// Whether `name` can name an actor or a bound packet.
fn check_name(what: &str, name: &str) -> Result<(), String> {
    let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !well_formed {
        return Err(format!("`{name}` cannot name {what}: use lower-case letters and digits, a letter first"));
    }
    if ["t", "c", "row"].contains(&name) {
        return Err(format!("`{name}` cannot name {what}: `${name}` is a variable already"));
    }
    Ok(())
}

fn check_actor(name: &str) -> Result<(), String> {
    check_name("an actor", name)?;
    if name.len() > 11 {
        // With a prefix of 12 characters the client id has 23, which every server must take.
        return Err(format!("the name of the actor `{name}` is too long: 11 characters fit into its client id"));
    }
    Ok(())
}

/// Keys with a meaning of their own among the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reserved {
    As,
    Within,
    Raw,
}

/// What stands behind the colon.
struct Body<'a> {
    step: Mark,
    node: Option<&'a Node>,
    reading: &'a Reading<'a>,
    applies: bool,
    bind: Option<String>,
    within: Option<Window>,
    raw: Option<RawFields>,
    /// The body as the text of the step shows it: without `when`.
    shown: Option<String>,
}

impl<'a> Body<'a> {
    fn new(step: Mark, node: Option<&'a Node>, reading: &'a Reading<'a>) -> Body<'a> {
        let shown = node.map(Node::to_flow);
        Body { step, node, reading, applies: true, bind: None, within: None, raw: None, shown }
    }

    fn mark(&self) -> Mark {
        self.node.map_or(self.step, |node| node.mark)
    }

    /// The steps or alternatives of a block.
    fn list(&self) -> Result<&'a [Node], Fault> {
        match self.node.map(|node| &node.content) {
            Some(Content::Sequence(nodes)) if !nodes.is_empty() => Ok(nodes),
            Some(Content::Sequence(_)) => Err((self.mark(), "the list is empty: write steps".to_owned())),
            _ => Err((self.mark(), "expected a list of steps behind the colon".to_owned())),
        }
    }

    /// The fields, with the reserved keys taken out; of these, `when` may always stand.
    fn fields<T: DeserializeOwned>(&mut self, reserved: &[Reserved]) -> Result<T, Fault> {
        let entries: &[Entry] = match self.node {
            None => &[],
            Some(Node { content: Content::Mapping(entries), .. }) => entries,
            Some(node) => {
                let what_to_do = if node.describe() == "nothing" { ": leave the colon out" } else { "" };
                let message = format!("expected a map of fields, found {}{what_to_do}", node.describe());
                return Err((node.mark, message));
            }
        };
        let mut fields = Vec::new();
        let mut shown = Vec::new();
        let mut properties = None;
        for entry in entries {
            let permit = |key, why: &str| match reserved.contains(&key) {
                true => Ok(()),
                false => Err((entry.key_mark, format!("`{}` cannot stand here: {why}", entry.key))),
            };
            match entry.key.as_str() {
                "when" => {
                    self.applies = self.when(&entry.value)?;
                    continue;
                }
                "as" => {
                    permit(Reserved::As, "there is no packet to bind")?;
                    let name: String = decode(&entry.value)?;
                    check_name("a packet", &name).map_err(|message| (entry.value.mark, message))?;
                    self.bind = Some(name);
                }
                "within" => {
                    permit(Reserved::Within, "nothing is waited for, or silence is, which has no time")?;
                    let times: OneOrMany<String> = decode(&entry.value)
                        .map_err(|(mark, message)| (mark, format!("{message}: write a time like 5s, or [2s, 5s]")))?;
                    let times: Vec<&str> = times.0.iter().map(String::as_str).collect();
                    self.within = Some(duration::window(&times).map_err(|message| (entry.value.mark, message))?);
                }
                "raw" => {
                    permit(Reserved::Raw, "only what is sent can be made wrong")?;
                    self.raw = Some(decode(&entry.value)?);
                }
                "properties" => {
                    properties = Some(entry.key_mark);
                    fields.push(entry.clone());
                }
                _ => fields.push(entry.clone()),
            }
            shown.push(format!("{}: {}", entry.key, entry.value.to_flow()));
        }
        // `when` may stand behind them.
        let version = self.reading.version;
        if let Some(mark) = properties.filter(|_| self.applies && !version.has_properties()) {
            return Err((mark, format!("{version} has no properties: limit the step with `when: {{mqtt: \"5.0\"}}`")));
        }
        self.shown = (!shown.is_empty()).then(|| format!("{{{}}}", shown.join(", ")));
        decode(&Node { mark: self.mark(), number: 0, content: Content::Mapping(fields) })
    }

    /// Whether the step is for the version that is read.
    fn when(&self, node: &Node) -> Result<bool, Fault> {
        let when: WhenFields = decode(node)?;
        let mut applies = false;
        for text in when.mqtt.0 {
            let version: ProtocolVersion = text.parse().map_err(|message| (node.mark, message))?;
            if !self.reading.versions.contains(&version) {
                return Err((node.mark, format!("`when` names {version}, which is not in `mqtt` of the case")));
            }
            applies |= version == self.reading.version;
        }
        Ok(applies)
    }

    /// A body that is one scalar, or a map with that scalar under `key` and a `when`.
    fn scalar_or<T, F>(&mut self, key: &str, take: fn(F) -> T) -> Result<T, Fault>
    where
        T: DeserializeOwned,
        F: DeserializeOwned,
    {
        match self.node {
            None => Err((self.step, format!("`{key}` is missing: write it behind a colon, in quotes"))),
            Some(Node { content: Content::Mapping(_), .. }) => self.fields(&[]).map(take),
            Some(node) => decode(node),
        }
    }

    fn outgoing(&mut self, packet: &str) -> Result<Outgoing, Fault> {
        const RESERVED: &[Reserved] = &[Reserved::As, Reserved::Raw];
        if packet == "AUTH" {
            self.needs_version_5("has no AUTH")?;
        }
        Ok(match packet {
            "CONNECT" => Outgoing::Connect(Box::new(self.connect(RESERVED)?)),
            "PUBLISH" => Outgoing::Publish(self.fields(RESERVED)?),
            "PUBACK" => Outgoing::Puback(self.fields(RESERVED)?),
            "PUBREC" => Outgoing::Pubrec(self.fields(RESERVED)?),
            "PUBREL" => Outgoing::Pubrel(self.fields(RESERVED)?),
            "PUBCOMP" => Outgoing::Pubcomp(self.fields(RESERVED)?),
            "SUBSCRIBE" => Outgoing::Subscribe(self.fields(RESERVED)?),
            "UNSUBSCRIBE" => Outgoing::Unsubscribe(self.fields(RESERVED)?),
            "PINGREQ" => {
                self.fields::<NoFields>(RESERVED)?;
                Outgoing::Pingreq
            }
            "DISCONNECT" => Outgoing::Disconnect(self.fields(RESERVED)?),
            // `form` has let nothing else through.
            _ => Outgoing::Auth(self.fields(RESERVED)?),
        })
    }

    fn connect(&mut self, reserved: &[Reserved]) -> Result<ConnectFields, Fault> {
        let fields: ConnectFields = self.fields(reserved)?;
        let has_will_properties = fields.will.as_ref().is_some_and(|will| !will.properties.is_empty());
        let version = self.reading.version;
        if self.applies && has_will_properties && !version.has_properties() {
            let message =
                format!("a Will of {version} has no properties: limit the step with `when: {{mqtt: \"5.0\"}}`");
            return Err((self.mark(), message));
        }
        Ok(fields)
    }

    fn incoming(&mut self, packet: &str) -> Result<Incoming, Fault> {
        const RESERVED: &[Reserved] = &[Reserved::As, Reserved::Within];
        match packet {
            "DISCONNECT" => self.needs_version_5("has no DISCONNECT from a server")?,
            "AUTH" => self.needs_version_5("has no AUTH")?,
            _ => {}
        }
        Ok(match packet {
            "CONNACK" => Incoming::Connack(self.fields(RESERVED)?),
            "PUBLISH" => Incoming::Publish(self.fields(RESERVED)?),
            "PUBACK" => Incoming::Puback(self.fields(RESERVED)?),
            "PUBREC" => Incoming::Pubrec(self.fields(RESERVED)?),
            "PUBREL" => Incoming::Pubrel(self.fields(RESERVED)?),
            "PUBCOMP" => Incoming::Pubcomp(self.fields(RESERVED)?),
            "SUBACK" => Incoming::Suback(self.fields(RESERVED)?),
            "UNSUBACK" => Incoming::Unsuback(self.fields(RESERVED)?),
            "PINGRESP" => {
                self.fields::<NoFields>(RESERVED)?;
                Incoming::Pingresp
            }
            "DISCONNECT" => Incoming::Disconnect(self.fields(RESERVED)?),
            // `form` has let nothing else through.
            _ => Incoming::Auth(self.fields(RESERVED)?),
        })
    }

    /// Refuses a step that is for 3.x too, which `lacks` what it says.
    fn needs_version_5(&self, lacks: &str) -> Result<(), Fault> {
        let when = match self.node.map(|node| &node.content) {
            Some(Content::Mapping(entries)) => entries.iter().find(|entry| entry.key == "when"),
            _ => None,
        };
        let applies = when.map_or(Ok(true), |entry| self.when(&entry.value))?;
        let version = self.reading.version;
        if applies && !version.has_properties() {
            let message = format!("{version} {lacks}: limit the step with `when: {{mqtt: \"5.0\"}}`");
            return Err((self.step, message));
        }
        Ok(())
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BytesFields {
    /// The bytes.
    bytes: BytesTemplate,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ElapseFields {
    /// How much.
    #[schemars(with = "ElapseText")]
    time: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RejectedFields {
    /// What the client did wrong.
    code: OffenceName,
}

/// For which versions a step is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WhenFields {
    /// One protocol version or several, as text.
    mqtt: OneOrMany<String>,
}

struct OffenceName(Offence);

impl<'de> Deserialize<'de> for OffenceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(OffenceName).map_err(|_| {
            let known = Offence::ALL.iter().map(|offence| offence.name());
            de::Error::custom(unknown_key("offence", &text, known))
        })
    }
}

impl JsonSchema for OffenceName {
    fn schema_name() -> Cow<'static, str> {
        "Offence".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        or_column(&json_schema!({"enum": Offence::ALL.iter().map(|offence| offence.name()).collect::<Vec<_>>()}))
    }
}

/// The schema, or a column of a row, which stands for any value until it is put in.
pub(super) fn or_column(schema: &Schema) -> Schema {
    json_schema!({"anyOf": [schema, {"type": "string", "pattern": "^\\$row\\.[a-z][a-z0-9_-]*$"}]})
}

/// A `T` in the schema, or a column of a row.
pub(super) struct OrColumn<T>(std::marker::PhantomData<T>);

impl<T: JsonSchema> JsonSchema for OrColumn<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OrColumn{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        or_column(&generator.subschema_for::<T>())
    }
}

/// A value, or a list of them.
struct OneOrMany<T>(Vec<T>);

impl<'de> Deserialize<'de> for OneOrMany<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = OneOrMany<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a list of it")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany<String>, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany<String>, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = list.next_element()? {
                    all.push(one);
                }
                Ok(OneOrMany(all))
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
    }
}

struct ElapseText;

impl JsonSchema for ElapseText {
    fn schema_name() -> Cow<'static, str> {
        "Elapse".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        or_column(&json_schema!({
            "type": "string",
            "pattern": "^([0-9]+ms|[0-9]+(\\.[0-9]{1,3})?(s| keep-alive))$",
        }))
    }
}

/// A step in the schema.
pub(super) struct StepFile;

impl JsonSchema for StepFile {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        const ACTOR: &str = "^[a-z][a-z0-9]{0,10}";
        let mut forms = serde_json::Map::new();
        let mut add = |key: String, schema: Schema| forms.insert(key, schema.to_value());
        for word in SENT {
            let schema = match word {
                "BYTES" => {
                    let bytes = generator.subschema_for::<BytesTemplate>();
                    let map = with_reserved::<BytesFields>(generator, &[]);
                    json_schema!({"anyOf": [bytes, map]})
                }
                packet => sent_schema(packet, generator),
            };
            add(format!("{ACTOR} -> {word}$"), schema);
        }
        for word in EXPECTED {
            add(format!("{ACTOR} <- {word}$"), expected_schema(word, generator));
        }
        for word in ["opens", "drops"] {
            add(format!("{ACTOR} {word}$"), with_reserved::<NoFields>(generator, &[]));
        }
        let elapse = generator.subschema_for::<ElapseText>();
        let map = with_reserved::<ElapseFields>(generator, &[]);
        add("^elapse$".to_owned(), json_schema!({"anyOf": [elapse, map]}));
        let step = generator.subschema_for::<StepFile>();
        let steps = json_schema!({"type": "array", "items": step, "minItems": 1});
        add("^either$".to_owned(), json_schema!({"type": "array", "items": steps, "minItems": 2}));
        add("^any-order$".to_owned(), steps);
        let sent: Vec<&str> = SENT.into_iter().filter(|word| *word != "BYTES").collect();
        let expected: Vec<&str> = EXPECTED.into_iter().filter(|word| *word != "rejected").collect();
        let bare = format!("{ACTOR} (-> ({})|<- ({})|opens|drops)$", sent.join("|"), expected.join("|"));
        json_schema!({
            "description": "A step: text, or a map with one key.",
            "anyOf": [
                {"type": "string", "pattern": bare},
                {
                    "type": "object",
                    "patternProperties": forms,
                    "additionalProperties": false,
                    "minProperties": 1,
                    "maxProperties": 1,
                },
            ]
        })
    }
}

fn sent_schema(packet: &str, generator: &mut SchemaGenerator) -> Schema {
    const RESERVED: &[Reserved] = &[Reserved::As, Reserved::Raw];
    match packet {
        "CONNECT" => with_reserved::<ConnectFields>(generator, RESERVED),
        "PUBLISH" => with_reserved::<PublishFields>(generator, RESERVED),
        "SUBSCRIBE" => with_reserved::<SubscribeFields>(generator, RESERVED),
        "UNSUBSCRIBE" => with_reserved::<UnsubscribeFields>(generator, RESERVED),
        "PINGREQ" => with_reserved::<NoFields>(generator, RESERVED),
        "DISCONNECT" => with_reserved::<DisconnectFields<Code>>(generator, RESERVED),
        "AUTH" => with_reserved::<AuthFields<Code>>(generator, RESERVED),
        _ => with_reserved::<AcknowledgementFields<Code>>(generator, RESERVED),
    }
}

fn expected_schema(word: &str, generator: &mut SchemaGenerator) -> Schema {
    const RESERVED: &[Reserved] = &[Reserved::As, Reserved::Within];
    match word {
        "CONNACK" => with_reserved::<ConnackFields>(generator, RESERVED),
        "PUBLISH" => with_reserved::<PublishFields>(generator, RESERVED),
        "SUBACK" | "UNSUBACK" => with_reserved::<SubackFields>(generator, RESERVED),
        "PINGRESP" => with_reserved::<NoFields>(generator, RESERVED),
        "DISCONNECT" => with_reserved::<DisconnectFields<CodePattern>>(generator, RESERVED),
        "AUTH" => with_reserved::<AuthFields<CodePattern>>(generator, RESERVED),
        "silence" => with_reserved::<NoFields>(generator, &[]),
        "closed" => with_reserved::<NoFields>(generator, &[Reserved::Within]),
        "rejected" => with_reserved::<RejectedFields>(generator, &[Reserved::Within]),
        _ => with_reserved::<AcknowledgementFields<CodePattern>>(generator, RESERVED),
    }
}

/// The schema of a field map with the reserved keys in it.
fn with_reserved<T: JsonSchema>(generator: &mut SchemaGenerator, reserved: &[Reserved]) -> Schema {
    let mut schema = T::json_schema(generator);
    let mut keys = serde_json::Map::new();
    keys.insert("when".to_owned(), generator.subschema_for::<WhenFields>().to_value());
    for key in reserved {
        match key {
            Reserved::As => {
                let name = json_schema!({"type": "string", "pattern": "^[a-z][a-z0-9]*$"});
                keys.insert("as".to_owned(), name.to_value());
            }
            Reserved::Within => {
                let time =
                    or_column(&json_schema!({"type": "string", "pattern": "^([0-9]+ms|[0-9]+(\\.[0-9]{1,3})?s)$"}));
                let both = json_schema!({
                    "description": "The latest time, or the earliest and the latest, from the end of the step before.",
                    "anyOf": [time, {"type": "array", "items": time, "minItems": 2, "maxItems": 2}]
                });
                keys.insert("within".to_owned(), both.to_value());
            }
            Reserved::Raw => {
                keys.insert("raw".to_owned(), generator.subschema_for::<RawFields>().to_value());
            }
        }
    }
    if let Some(object) = schema.as_object_mut() {
        let properties = object.entry("properties").or_insert_with(|| serde_json::Map::new().into());
        if let Some(properties) = properties.as_object_mut() {
            properties.extend(keys);
        }
    }
    schema
}
