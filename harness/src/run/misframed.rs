//! What a server does wrong beneath MQTT, where a WebSocket carries it.

use super::verdict::Finding;
use crate::wire::Connection;
use std::time::Duration;
use transport::web_socket::SUBPROTOCOL;

/// What is wrong with the WebSocket of a connection.
pub(super) fn misframed(connection: &Connection, at: Duration) -> Vec<Finding> {
    let Some(frames) = connection.frames() else { return Vec::new() };
    let finding = |statement: &str, what: &str, expected: &str, seen: &str| Finding {
        statements: vec![statement.to_owned()],
        step: None,
        at,
        connection: Some(connection.id()),
        what: what.to_owned(),
        expected: expected.to_owned(),
        seen: seen.to_owned(),
        bytes: Vec::new(),
    };
    let mut findings = Vec::new();
    if frames.subprotocol() != Some(SUBPROTOCOL) {
        let seen = frames.subprotocol().map_or_else(|| "none".to_owned(), |name| format!("`{name}`"));
        let what = "the server does not choose the WebSocket subprotocol that was offered";
        findings.push(finding("MQTT-6.0.0-4", what, "`mqtt`", &seen));
    }
    if frames.got_text() {
        let what = "the server sends a WebSocket text frame";
        findings.push(finding("MQTT-6.0.0-1", what, "MQTT in binary frames", "a text frame"));
    }
    findings
}
