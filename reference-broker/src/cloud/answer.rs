//! Answers as JSON, in the vendor's form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::cloud::{Answer, LogLine, RequestFault};
use serde_json::{Map, Value, json};

/// A refusal at the front door: nothing of the platform has been asked.
#[derive(Debug)]
pub(super) struct Refused {
    status: u16,
    pub(super) code: String,
    says: String,
}

impl Refused {
    pub(super) fn new(status: u16, code: &str, says: impl Into<String>) -> Refused {
        Refused { status, code: code.to_owned(), says: says.into() }
    }
}

impl From<&RequestFault> for Refused {
    fn from(fault: &RequestFault) -> Refused {
        let status = if matches!(fault, RequestFault::UnknownAction(_)) { 404 } else { 400 };
        Refused::new(status, &fault.code(), fault.to_string())
    }
}

/// What goes back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) json: Value,
}

impl Reply {
    /// The front door has no `Success`.
    pub(super) fn at_the_door(number: u64, refused: &Refused) -> Reply {
        let json = json!({
            "RequestId": request_id(number),
            "HostId": "mqttspec-broker",
            "Code": refused.code,
            "Message": refused.says,
        });
        Reply { status: refused.status, json }
    }

    /// The platform answers with 200, also when it refuses.
    pub(super) fn of_platform(number: u64, action: &str, answer: &Answer) -> Reply {
        let mut json = Map::new();
        json.insert("RequestId".to_owned(), request_id(number).into());
        json.insert("Success".to_owned(), answer.success.into());
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                json.insert(name.to_owned(), value);
            }
        };
        add("Code", answer.code.clone().map(Value::from));
        add("ErrorMessage", answer.message.clone().map(Value::from));
        add("RrpcCode", answer.rrpc_code.map(|code| code.name().into()));
        add("PayloadBase64Byte", answer.payload.as_ref().map(|payload| STANDARD.encode(payload).into()));
        // A number in RRpc, text in Pub (P-RPC-10, P-API-2).
        let id = answer.message_id.clone().map(|id| match (action, id.parse::<u64>()) {
            ("RRpc", Ok(number)) => number.into(),
            _ => Value::from(id),
        });
        add("MessageId", id);
        if action == "QueryDeviceLog" && answer.success {
            add("Data", Some(json!({"List": answer.log.iter().map(line).collect::<Vec<_>>()})));
        }
        Reply { status: 200, json: Value::Object(json) }
    }
}

fn line(line: &LogLine) -> Value {
    let LogLine { operation, content, status, message_id, user_properties } = line;
    let properties: Vec<Value> =
        user_properties.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    json!({
        "Operation": operation,
        "Content": content,
        "Status": status,
        "MessageId": message_id,
        "UserProperties": properties,
    })
}

/// In the form that callers are used to; unique in the life of a broker.
fn request_id(number: u64) -> String {
    format!("{:08X}-0000-4000-8000-{:012X}", number >> 32, number & 0xFFFF_FFFF)
}
