//! The client's upgrade. By hand, so that a wrong subprotocol is something to tell and not the end, and so that every other
//! refusal says what came.

use super::framed::Framed;
use super::frames::Frames;
use super::server::Manners;
use super::{LARGEST_HEAD, SUBPROTOCOL, config};
use crate::address::Address;
use crate::stream::Stream;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// Where the head of an answer ends.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// How much of an answer is shown.
const SHOWN: usize = 80;

/// Why no WebSocket comes of a connection.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// The connection broke.
    #[error("the connection breaks while it is asked for a WebSocket: {0}")]
    Broken(#[from] io::Error),
    /// It answered with something else than "101 Switching Protocols".
    #[error("it answers `{0}` when asked for a WebSocket: is it the port with WebSocket, and the path right?")]
    Refused(String),
    /// Its answer has no end.
    #[error("its answer to the request for a WebSocket is longer than {LARGEST_HEAD} bytes")]
    TooLong,
    /// The accept key does not belong to the request.
    #[error("its answer to the request for a WebSocket has a wrong Sec-WebSocket-Accept")]
    WrongKey,
}

/// Asks the server at the other end of `stream` for a WebSocket that carries MQTT.
///
/// # Errors
/// When it does not give one. A subprotocol other than `mqtt` is none of them: [`Frames::subprotocol`] tells.
pub async fn connect(mut stream: Box<dyn Stream>, address: &Address) -> Result<Framed, UpgradeError> {
    let key = generate_key();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n",
        address.path,
        address.authority(),
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    let end = loop {
        if let Some(at) = answer.windows(END_OF_HEAD.len()).position(|bytes| bytes == END_OF_HEAD) {
            break at;
        }
        if answer.len() > LARGEST_HEAD {
            return Err(UpgradeError::TooLong);
        }
        let mut piece = [0; 1024];
        match stream.read(&mut piece).await? {
            0 if answer.is_empty() => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            0 => return Err(UpgradeError::Refused(first_line(&answer))),
            length => answer.extend_from_slice(&piece[..length]),
        }
        if !b"HTTP/".starts_with(&answer[..answer.len().min(5)]) {
            return Err(UpgradeError::Refused(first_line(&answer)));
        }
    };
    let rest = answer.split_off(end + END_OF_HEAD.len());
    let head = String::from_utf8_lossy(&answer).into_owned();
    if head.split_whitespace().nth(1) != Some("101") {
        return Err(UpgradeError::Refused(first_line(&answer)));
    }
    if header(&head, "sec-websocket-accept") != Some(&derive_accept_key(key.as_bytes())) {
        return Err(UpgradeError::WrongKey);
    }
    let frames = Frames::new(header(&head, "sec-websocket-protocol").map(str::to_owned));
    let socket = WebSocketStream::from_partially_read(stream, rest, Role::Client, Some(config())).await;
    Ok(Framed::new(socket, frames, Manners::Proper))
}

/// The value of a header; its name in lower case.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find_map(|(field, value)| field.trim().eq_ignore_ascii_case(name).then(|| value.trim()))
}

/// The first line, short and harmless.
fn first_line(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(SHOWN).flat_map(char::escape_debug).collect()
}
