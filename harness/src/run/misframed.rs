//! What a server does wrong beneath MQTT, where a WebSocket carries it.

use super::verdict::Finding;
use crate::wire::Connection;
use std::time::Duration;
use transport::web_socket::{Frames, SUBPROTOCOL};

/// Something that is wrong with a WebSocket.
#[derive(Debug)]
pub(crate) struct Misframed {
    pub(crate) statement: &'static str,
    pub(crate) what: &'static str,
    pub(crate) expected: &'static str,
    pub(crate) seen: String,
}

/// What is wrong with the WebSocket of a connection.
pub(super) fn misframed(connection: &Connection, at: Duration) -> Vec<Finding> {
    let all = connection.frames().map(misframed_by).unwrap_or_default();
    let finding = |Misframed { statement, what, expected, seen }| Finding {
        statements: vec![String::from(statement)],
        step: None,
        at,
        connection: Some(connection.id()),
        what: String::from(what),
        expected: String::from(expected),
        seen,
        bytes: Vec::new(),
    };
    all.into_iter().map(finding).collect()
}

/// What is wrong with the frames of a connection.
pub(crate) fn misframed_by(frames: &Frames) -> Vec<Misframed> {
    let mut all = Vec::new();
    if frames.subprotocol() != Some(SUBPROTOCOL) {
        all.push(Misframed {
            statement: "MQTT-6.0.0-4",
            what: "the server does not choose the WebSocket subprotocol that was offered",
            expected: "`mqtt`",
            seen: frames.subprotocol().map_or_else(|| "none".to_owned(), |name| format!("`{name}`")),
        });
    }
    if frames.got_text() {
        all.push(Misframed {
            statement: "MQTT-6.0.0-1",
            what: "the server sends a WebSocket text frame",
            expected: "MQTT in binary frames",
            seen: "a text frame".to_owned(),
        });
    }
    all
}
