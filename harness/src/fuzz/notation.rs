//! A packet as a step of the case language writes it.

use super::command::{Client, Terms};
use super::device::answer_of;
use super::names::Names;
use crate::case::{Bound, code_name, filler, property_name, property_value};
use model::packet::{
    Acknowledgement, Auth, Connect, Delivery, Disconnect, Packet, Property, PropertySet, Publish, Qos, ReasonCode,
    RetainHandling, Subscribe, SubscriptionOptions, SubscriptionRequest, Unsubscribe, Will,
};

/// Longer fillers are no texts to read.
const LONGEST_TEXT: usize = 26;

/// Keep Alive of a CONNECT that says nothing of it.
const KEEP_ALIVE: u16 = 60;

/// Fields in curly braces: `{topic: $t/a, qos: 1}`.
#[derive(Debug, Default)]
struct Fields(Vec<String>);

impl Fields {
    fn with(mut self, name: &str, value: impl std::fmt::Display) -> Fields {
        self.0.push(format!("{name}: {value}"));
        self
    }

    fn with_if(self, is_needed: bool, name: &str, value: impl std::fmt::Display) -> Fields {
        if is_needed { self.with(name, value) } else { self }
    }

    fn text(self) -> Option<String> {
        (!self.0.is_empty()).then(|| format!("{{{}}}", self.0.join(", ")))
    }
}

/// The fields of a packet that `client` sends, as far as they are not what the case language takes them for; `None` if
/// there are none. An acknowledgement has `id` as written here, if it is given; a device logs in as its terms say.
pub(super) fn fields(
    packet: &Packet,
    client: Client,
    names: &Names,
    id: Option<&str>,
    terms: Option<&Terms>,
) -> Option<String> {
    let fields = match packet {
        Packet::Connect(connect) => connect_fields(connect, client, names, terms),
        Packet::Publish(publish) => publish_fields(publish, names),
        Packet::Puback(it) | Packet::Pubrec(it) | Packet::Pubrel(it) | Packet::Pubcomp(it) => {
            acknowledgement_fields(it, id)
        }
        Packet::Subscribe(subscribe) => subscribe_fields(subscribe, names),
        Packet::Unsubscribe(unsubscribe) => unsubscribe_fields(unsubscribe, names),
        Packet::Disconnect(Disconnect { reason, properties }) => {
            with_properties(with_code(Fields::default(), *reason, ReasonCode::Success), properties)
        }
        Packet::Auth(Auth { reason, properties }) => {
            with_properties(with_code(Fields::default(), *reason, ReasonCode::ContinueAuthentication), properties)
        }
        Packet::Connack(_) | Packet::Suback(_) | Packet::Unsuback(_) | Packet::Pingreq | Packet::Pingresp => {
            Fields::default()
        }
    };
    fields.text()
}

fn connect_fields(connect: &Connect, client: Client, names: &Names, terms: Option<&Terms>) -> Fields {
    let login = match terms.filter(|_| names.are_of_devices()) {
        Some(terms) => Fields(terms.login_fields(client, &answer_of(client))),
        None => {
            let client_id = names.write(&connect.client_id);
            Fields::default().with_if(client_id != client.client_id(), "client_id", text(&client_id))
        }
    };
    let fields = login.with_if(!connect.clean_start, "clean", false).with_if(
        connect.keep_alive != KEEP_ALIVE,
        "keep_alive",
        connect.keep_alive,
    );
    let fields = match &connect.will {
        Some(will) => fields.with("will", will_fields(will, names)),
        None => fields,
    };
    with_properties(fields, &connect.properties)
}

fn will_fields(will: &Will, names: &Names) -> String {
    let fields = Fields::default()
        .with("topic", text(&names.write(&will.topic)))
        .with_if(!will.payload.is_empty(), "payload", data(&will.payload))
        .with_if(will.qos > Qos::AtMostOnce, "qos", will.qos.value())
        .with_if(will.retain, "retain", true);
    with_properties(fields, &will.properties).text().unwrap_or_default()
}

fn publish_fields(publish: &Publish, names: &Names) -> Fields {
    let fields = Fields::default()
        .with_if(!publish.topic.is_empty(), "topic", text(&names.write(&publish.topic)))
        .with_if(publish.qos() > Qos::AtMostOnce, "qos", publish.qos().value());
    let fields = match publish.delivery {
        Delivery::AtMostOnce => fields,
        Delivery::AtLeastOnce { packet_id, dup } | Delivery::ExactlyOnce { packet_id, dup } => {
            fields.with("id", packet_id.value()).with_if(dup, "dup", true)
        }
    };
    let fields = fields.with_if(publish.retain, "retain", true).with_if(
        !publish.payload.is_empty(),
        "payload",
        data(&publish.payload),
    );
    with_properties(fields, &publish.properties)
}

fn acknowledgement_fields(acknowledgement: &Acknowledgement, id: Option<&str>) -> Fields {
    let number = acknowledgement.packet_id.value().to_string();
    let fields = Fields::default().with("id", id.unwrap_or(&number));
    with_properties(with_code(fields, acknowledgement.reason, ReasonCode::Success), &acknowledgement.properties)
}

fn subscribe_fields(subscribe: &Subscribe, names: &Names) -> Fields {
    let fields = match subscribe.requests.as_slice() {
        [only] => request_fields(only, names),
        several => {
            let several: Vec<String> =
                several.iter().filter_map(|request| request_fields(request, names).text()).collect();
            Fields::default().with("filters", format!("[{}]", several.join(", ")))
        }
    };
    with_properties(fields.with("id", subscribe.packet_id.value()), &subscribe.properties)
}

fn request_fields(request: &SubscriptionRequest, names: &Names) -> Fields {
    let SubscriptionOptions { qos, no_local, retain_as_published, retain_handling } = request.options;
    let handling = match retain_handling {
        RetainHandling::Send => 0,
        RetainHandling::SendIfNew => 1,
        RetainHandling::DoNotSend => 2,
    };
    Fields::default()
        .with("filter", text(&names.write(&request.filter)))
        .with_if(qos > Qos::AtMostOnce, "qos", qos.value())
        .with_if(no_local, "no_local", true)
        .with_if(retain_as_published, "retain_as_published", true)
        .with_if(handling > 0, "retain_handling", handling)
}

fn unsubscribe_fields(unsubscribe: &Unsubscribe, names: &Names) -> Fields {
    let filters: Vec<String> = unsubscribe.filters.iter().map(|filter| text(&names.write(filter))).collect();
    let fields = match filters.as_slice() {
        [only] => Fields::default().with("filter", only),
        several => Fields::default().with("filters", format!("[{}]", several.join(", "))),
    };
    with_properties(fields.with("id", unsubscribe.packet_id.value()), &unsubscribe.properties)
}

fn with_code(fields: Fields, code: ReasonCode, default: ReasonCode) -> Fields {
    fields.with_if(code != default, "code", code_name(code))
}

fn with_properties<S: PropertySet>(fields: Fields, properties: &S) -> Fields {
    let mut all = Fields::default();
    let (mut pairs, mut identifiers) = (Vec::new(), Vec::new());
    for property in properties.to_properties() {
        let name = property_name::<S>(property.id());
        all = match property {
            Property::UserProperty((name, value)) => {
                pairs.push(format!("{{{}: {}}}", literal(&name), literal(&value)));
                all
            }
            Property::SubscriptionIdentifier(identifier) if name == "subscription_identifiers" => {
                identifiers.push(identifier.value().to_string());
                all
            }
            // Without a single value there is only the User Property.
            property => match property_value(&property) {
                Some(single) => all.with(&name, value(&single)),
                None => all,
            },
        };
    }
    all = all.with_if(!pairs.is_empty(), "user_properties", format!("[{}]", pairs.join(", ")));
    all = all.with_if(!identifiers.is_empty(), "subscription_identifiers", format!("[{}]", identifiers.join(", ")));
    match all.text() {
        Some(text) => fields.with("properties", text),
        None => fields,
    }
}

fn value(value: &Bound) -> String {
    match value {
        Bound::Number(number) => number.to_string(),
        Bound::Flag(flag) => flag.to_string(),
        Bound::Text(text) => literal(text),
        Bound::Bytes(bytes) => data(bytes),
    }
}

/// Binary data: as text if it is some; what only fills is told by its size.
pub(super) fn data(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        _ if bytes.len() > LONGEST_TEXT && bytes == filler(bytes.len()) => format!("{{size: {}}}", bytes.len()),
        Ok(readable) if readable.chars().all(|c| !c.is_control()) => literal(readable),
        _ => format!("{{hex: \"{}\"}}", hex(bytes)),
    }
}

/// Bytes as the notation of BYTES has them.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// Text in which `$` means nothing.
pub(super) fn literal(words: &str) -> String {
    text(&words.replace('$', "$$"))
}

/// Text for YAML, in quotes where it could be taken for something else.
pub(super) fn text(words: &str) -> String {
    let is_plain = words.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$')
        && words.chars().all(|c| c.is_ascii_alphanumeric() || "$/_.-".contains(c))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&words.to_lowercase().as_str());
    // A JSON string is one of YAML too.
    if is_plain { words.to_owned() } else { serde_json::Value::from(words).to_string() }
}
