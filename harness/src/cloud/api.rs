//! One request over HTTP, and its answer.

use crate::wire::Stream;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use model::cloud::{Answer, LogLine, query};
use serde_json::Value;
use std::collections::BTreeMap;

/// The most bytes of an answer: a device log is the longest.
const MOST_BYTES: usize = 8 << 20;

/// Asks, and reads what comes back.
///
/// # Errors
/// When there is no answer that can be read; no parameter is repeated.
pub(super) async fn ask(
    stream: Box<dyn Stream>,
    host: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<Answer, String> {
    let unanswered = |error: hyper::Error| format!("the API does not answer: {error}");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(unanswered)?;
    let connection = tokio::spawn(connection);
    let request = Request::post("/")
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(query(parameters))))
        .map_err(|error| format!("the request cannot be built: {error}"))?;
    let response = sender.send_request(request).await.map_err(unanswered)?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
    connection.abort();
    let body = body.map_err(|error| format!("the answer of the API breaks off: {error}"))?.to_bytes();
    let json: Value = serde_json::from_slice(&body)
        .map_err(|error| format!("the answer of the API ({status}) is no JSON: {error}"))?;
    Ok(answer(&json))
}

/// An answer as it is written. What the vendor's versions write otherwise (numbers as text) is read too.
fn answer(json: &Value) -> Answer {
    let text = |name: &str| match &json[name] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let success = json["Success"] == Value::Bool(true) || json["Success"] == "true";
    Answer {
        success,
        code: text("Code").filter(|_| !success),
        message: text("ErrorMessage").or_else(|| text("Message")),
        message_id: text("MessageId"),
        rrpc_code: text("RrpcCode").and_then(|code| code.parse().ok()),
        payload: text("PayloadBase64Byte").and_then(|payload| STANDARD.decode(payload).ok()),
        log: json["Data"]["List"].as_array().map(|lines| lines.iter().map(line).collect()).unwrap_or_default(),
    }
}

fn line(json: &Value) -> LogLine {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let properties = json["UserProperties"].as_array();
    let property = |property: &Value| (text(&property["Key"]), text(&property["Value"]));
    LogLine {
        operation: text(&json["Operation"]),
        content: text(&json["Content"]),
        status: text(&json["Status"]),
        message_id: json["MessageId"].as_str().map(str::to_owned),
        user_properties: properties.map(|all| all.iter().map(property).collect()).unwrap_or_default(),
    }
}
