//! The server's answer to an upgrade.

use super::framed::Framed;
use super::frames::Frames;
use super::{SUBPROTOCOL, config};
use crate::stream::Stream;
use std::io;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header::SEC_WEBSOCKET_PROTOCOL};

/// How a server keeps to the rules of MQTT over WebSocket. All but the first break one: for tests of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manners {
    /// It does.
    #[default]
    Proper,
    /// It names no subprotocol (MQTT-6.0.0-4).
    NamesNoSubprotocol,
    /// It reads text frames like binary ones (MQTT-6.0.0-1).
    TakesText,
    /// It sends text frames where bytes happen to be text (MQTT-6.0.0-1).
    SendsText,
    /// It takes each frame for one whole packet (MQTT-6.0.0-2).
    ExpectsWholePackets,
}

/// Gives the client at the other end of `stream` its WebSocket, if it asks for one that carries MQTT.
///
/// # Errors
/// When it does not; it was told.
pub async fn accept(stream: Box<dyn Stream>, manners: Manners) -> io::Result<Framed> {
    // The type is tungstenite's: an answer is large, and made once for each connection.
    #[expect(clippy::result_large_err, reason = "the type is tungstenite's")]
    let answer = |request: &Request, response: Response| choose_subprotocol(request, response, manners);
    let accepted = accept_hdr_async_with_config(stream, answer, Some(config())).await;
    let socket = accepted.map_err(|error| match error {
        Error::Io(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    })?;
    Ok(Framed::new(socket, Frames::new(Some(SUBPROTOCOL.to_owned())), manners))
}

#[expect(clippy::result_large_err, reason = "the type is tungstenite's")]
fn choose_subprotocol(request: &Request, mut response: Response, manners: Manners) -> Result<Response, ErrorResponse> {
    let offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut names = offered.flat_map(|value| value.split(',')).map(str::trim);
    if !names.any(|name| name == SUBPROTOCOL) {
        let mut refusal = ErrorResponse::new(Some("offer the subprotocol `mqtt` (MQTT-6.0.0-3)\n".to_owned()));
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        return Err(refusal);
    }
    if manners != Manners::NamesNoSubprotocol {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    Ok(response)
}
