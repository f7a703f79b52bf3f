//! The JSON Schema of case files, generated from the types that read them.

use super::answer::{AnswerPattern, MessagePattern};
use super::body::Reserved;
use super::bytes::BytesTemplate;
use super::code::{Code, CodePattern};
use super::fields::{
    AcknowledgementFields, AuthFields, ConnackFields, ConnectFields, DisconnectFields, NoFields, PublishFields,
    SubackFields, SubscribeFields, UnsubscribeFields,
};
use super::file::SuiteFile;
use super::form::{ANSWER, BYTES, CLOSED, FromClient, FromServer, MESSAGE, REJECTED, SILENCE, TEXT};
use super::raw::RawFields;
use super::request::{Asking, RequestFields};
use super::step::{AMQP, API};
use super::step_fields::{BytesFields, ElapseFields, ElapseText, RejectedFields, SettleFields, WhenFields};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// The schema of a case file.
///
/// Editors that know it complete and check what is typed; what only the loader knows, such as variables, it cannot check.
#[must_use]
pub fn schema() -> serde_json::Value {
    // Draft 7 is what the language servers of editors know best.
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<SuiteFile>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), "A case file of mqttspec".into());
    }
    schema
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
        for packet in FromClient::ALL {
            add(format!("{ACTOR} -> {}$", packet.word()), sent_schema(*packet, generator));
        }
        let bytes = generator.subschema_for::<BytesTemplate>();
        let map = with_reserved::<BytesFields>(generator, &[]);
        for word in [BYTES, TEXT] {
            add(format!("{ACTOR} -> {word}$"), json_schema!({"anyOf": [bytes, map]}));
        }
        for packet in FromServer::ALL {
            add(format!("{ACTOR} <- {}$", packet.word()), expected_schema(*packet, generator));
        }
        add(format!("{ACTOR} <- {SILENCE}$"), with_reserved::<NoFields>(generator, &[]));
        add(format!("{ACTOR} <- {CLOSED}$"), with_reserved::<NoFields>(generator, &[Reserved::Within]));
        add(format!("{ACTOR} <- {REJECTED}$"), with_reserved::<RejectedFields>(generator, &[Reserved::Within]));
        for word in ["opens", "drops"] {
            add(format!("{ACTOR} {word}$"), with_reserved::<NoFields>(generator, &[]));
        }
        for asking in Asking::ALL {
            let key = format!("^{API} -> {}$", asking.word());
            add(key, with_reserved::<RequestFields>(generator, &[Reserved::As]));
        }
        const BOTH: &[Reserved] = &[Reserved::As, Reserved::Within];
        add(format!("^{API} <- {ANSWER}$"), with_reserved::<AnswerPattern>(generator, BOTH));
        add(format!("^{AMQP} <- {MESSAGE}$"), with_reserved::<MessagePattern>(generator, BOTH));
        for word in ["settles", "releases"] {
            add(format!("^{AMQP} {word}$"), with_reserved::<SettleFields>(generator, &[]));
        }
        let elapse = generator.subschema_for::<ElapseText>();
        let map = with_reserved::<ElapseFields>(generator, &[]);
        add("^elapse$".to_owned(), json_schema!({"anyOf": [elapse, map]}));
        let step = generator.subschema_for::<StepFile>();
        let steps = json_schema!({"type": "array", "items": step, "minItems": 1});
        add("^either$".to_owned(), json_schema!({"type": "array", "items": steps, "minItems": 2}));
        add("^any-order$".to_owned(), steps);
        // BYTES and a rejection say nothing without what stands behind the colon.
        let sent: Vec<&str> = FromClient::ALL.iter().map(|packet| packet.word()).collect();
        let expected = FromServer::ALL.iter().map(|packet| packet.word()).chain([SILENCE, CLOSED]);
        let expected: Vec<&str> = expected.collect();
        let bare = format!(
            "({ACTOR} (-> ({})|<- ({})|opens|drops)|^{API} <- {ANSWER}|^{AMQP} (<- {MESSAGE}|settles|releases))$",
            sent.join("|"),
            expected.join("|")
        );
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

fn sent_schema(packet: FromClient, generator: &mut SchemaGenerator) -> Schema {
    const RESERVED: &[Reserved] = &[Reserved::As, Reserved::Raw];
    match packet {
        FromClient::Connect => with_reserved::<ConnectFields>(generator, RESERVED),
        FromClient::Publish => with_reserved::<PublishFields>(generator, RESERVED),
        FromClient::Subscribe => with_reserved::<SubscribeFields>(generator, RESERVED),
        FromClient::Unsubscribe => with_reserved::<UnsubscribeFields>(generator, RESERVED),
        FromClient::Pingreq => with_reserved::<NoFields>(generator, RESERVED),
        FromClient::Disconnect => with_reserved::<DisconnectFields<Code>>(generator, RESERVED),
        FromClient::Auth => with_reserved::<AuthFields<Code>>(generator, RESERVED),
        FromClient::Puback | FromClient::Pubrec | FromClient::Pubrel | FromClient::Pubcomp => {
            with_reserved::<AcknowledgementFields<Code>>(generator, RESERVED)
        }
    }
}

fn expected_schema(packet: FromServer, generator: &mut SchemaGenerator) -> Schema {
    const RESERVED: &[Reserved] = &[Reserved::As, Reserved::Within];
    match packet {
        FromServer::Connack => with_reserved::<ConnackFields>(generator, RESERVED),
        FromServer::Publish => with_reserved::<PublishFields>(generator, RESERVED),
        FromServer::Suback | FromServer::Unsuback => with_reserved::<SubackFields>(generator, RESERVED),
        FromServer::Pingresp => with_reserved::<NoFields>(generator, RESERVED),
        FromServer::Disconnect => with_reserved::<DisconnectFields<CodePattern>>(generator, RESERVED),
        FromServer::Auth => with_reserved::<AuthFields<CodePattern>>(generator, RESERVED),
        FromServer::Puback | FromServer::Pubrec | FromServer::Pubrel | FromServer::Pubcomp => {
            with_reserved::<AcknowledgementFields<CodePattern>>(generator, RESERVED)
        }
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
