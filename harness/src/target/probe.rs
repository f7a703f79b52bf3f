//! Asks a network target whether it speaks MQTT at all.

use super::Route;
use crate::case::Credentials;
use crate::concealing::Secrets;
use model::packet::{Connack, Connect, Disconnect, Packet, ProtocolVersion, Utf8String};
use model::wire::{Decoder, Refusal, encode};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use transport::tls::Failure;
use transport::{ConnectError, Opened, Stream};

/// No CONNACK is longer than this in earnest.
const LARGEST_CONNACK: u32 = 64 << 10;

/// How many of a stranger's bytes are shown.
const SHOWN: usize = 16;

/// Why a target cannot be tested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// The connection was not accepted.
    #[error("cannot connect to {address}: {why}")]
    NotConnected {
        /// Where.
        address: String,
        /// What the system said.
        why: String,
    },
    /// Something between TCP and MQTT does not come about, and the message says what to do.
    #[error("cannot reach {address}: {why}")]
    NoWay {
        /// Where.
        address: String,
        /// What does not come about.
        why: String,
    },
    /// It closed instead of answering.
    #[error("{address} closes the connection at once instead of answering a CONNECT of {version} with CONNACK{aside}")]
    Closed {
        /// Where.
        address: String,
        /// The version asked for last.
        version: ProtocolVersion,
        /// What a transport command says beside it.
        aside: String,
    },
    /// It accepted the connection and said nothing.
    #[error("{address} does not answer a CONNECT of {version} within {} s", waited.as_secs_f64())]
    NoAnswer {
        /// Where.
        address: String,
        /// The version asked for last.
        version: ProtocolVersion,
        /// How long it had.
        waited: Duration,
    },
    /// It answered with something that is no CONNACK.
    #[error("{address} answers a CONNECT of {version} with {seen} instead of CONNACK: is it an MQTT broker?")]
    NotMqtt {
        /// Where.
        address: String,
        /// The version asked for last.
        version: ProtocolVersion,
        /// What came.
        seen: String,
    },
}

impl Unreachable {
    /// What to look at, for a target that should have been there from the start.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Unreachable::NotConnected { .. } => "; is the broker running there?",
            Unreachable::Closed { .. } => "; is it an MQTT broker, and does the URL say whether it has TLS?",
            // It says already what to do.
            Unreachable::NoWay { .. } => "",
            Unreachable::NoAnswer { .. } => "; is it an MQTT broker? --timeout gives it more time",
            // It asks already.
            Unreachable::NotMqtt { .. } => "",
        }
    }
}

/// Asks in each of `versions`, until a well-formed CONNACK of whatever code comes; each may take `patience`.
///
/// # Errors
/// When none comes in any version: what came instead in the last one.
pub async fn probe(
    route: &Route,
    versions: &[ProtocolVersion],
    client_id: &str,
    credentials: &Credentials,
    patience: Duration,
) -> Result<(), Unreachable> {
    let mut outcome = Ok(());
    for &version in versions {
        outcome = probe_once(route, version, client_id, credentials, patience).await;
        match outcome {
            // A server that hangs or is gone will not be better in another version.
            Ok(())
            | Err(Unreachable::NotConnected { .. } | Unreachable::NoWay { .. } | Unreachable::NoAnswer { .. }) => {
                break;
            }
            Err(Unreachable::Closed { .. } | Unreachable::NotMqtt { .. }) => {}
        }
    }
    outcome
}

async fn probe_once(
    route: &Route,
    version: ProtocolVersion,
    client_id: &str,
    credentials: &Credentials,
    patience: Duration,
) -> Result<(), Unreachable> {
    greet(route, version, client_id, credentials, patience).await.map(|_| ())
}

/// Asks in one version, and returns the CONNACK.
///
/// # Errors
/// When none comes: what came instead.
pub(super) async fn greet(
    route: &Route,
    version: ProtocolVersion,
    client_id: &str,
    credentials: &Credentials,
    patience: Duration,
) -> Result<Connack, Unreachable> {
    let shown = route.address.to_string();
    let deadline = Instant::now() + patience;
    let connecting = timeout_at(deadline, route.connect()).await;
    let not_connected = |why: String| Unreachable::NotConnected { address: shown.clone(), why };
    let no_way = |why: String| Unreachable::NoWay { address: shown.clone(), why };
    let Opened { mut stream, aside, .. } = match connecting {
        Ok(Ok(opened)) => opened,
        Ok(Err(ConnectError::Tcp(error))) => return Err(not_connected(error.to_string())),
        Ok(Err(error)) => return Err(no_way(error.to_string())),
        Err(_) => return Err(not_connected(format!("no answer within {} s", patience.as_secs_f64()))),
    };
    match timeout_at(deadline, ask(&mut stream, version, client_id, credentials)).await {
        Ok(Ok(Answer::Connack(connack))) => {
            if connack.code.is_accepted()
                && let Ok(bytes) = encode(&Packet::Disconnect(Disconnect::normal()), version)
            {
                // Politeness only: the answer is in already.
                let _ = timeout_at(deadline, say(&mut stream, &bytes)).await;
            }
            Ok(*connack)
        }
        Ok(Ok(Answer::Other(seen))) => {
            let seen = Secrets::of_credentials(credentials).conceal(&seen);
            Err(Unreachable::NotMqtt { address: shown, version, seen })
        }
        Ok(Err(error)) => {
            if let Some(failure) = Failure::on_open_stream(&error) {
                return Err(no_way(format!("no TLS with it: {failure}")));
            }
            aside.settle().await;
            Err(Unreachable::Closed { address: shown, version, aside: aside.to_string() })
        }
        Err(_) => Err(Unreachable::NoAnswer { address: shown, version, waited: patience }),
    }
}

enum Answer {
    Connack(Box<Connack>),
    Other(String),
}

async fn say(stream: &mut impl Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

async fn ask(
    stream: &mut impl Stream,
    version: ProtocolVersion,
    client_id: &str,
    credentials: &Credentials,
) -> io::Result<Answer> {
    let connect = Packet::Connect(Connect {
        clean_start: true,
        keep_alive: 60,
        client_id: Utf8String::new(client_id).map_err(io::Error::other)?,
        user_name: credentials.user_name.clone().map(Utf8String::new).transpose().map_err(io::Error::other)?,
        password: credentials.password.clone(),
        ..Connect::default()
    });
    say(stream, &encode(&connect, version).map_err(io::Error::other)?).await?;
    let mut decoder = Decoder::from_server(version);
    decoder.set_maximum_packet_size(LARGEST_CONNACK);
    let mut first_bytes = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let length = stream.read(&mut piece).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let missing = SHOWN.saturating_sub(first_bytes.len()).min(length);
        first_bytes.extend_from_slice(&piece[..missing]);
        decoder.feed(&piece[..length]);
        match decoder.next_packet() {
            Ok(None) => {}
            Ok(Some(decoded)) => {
                return Ok(match decoded.packet {
                    Packet::Connack(connack) => Answer::Connack(Box::new(connack)),
                    other => Answer::Other(other.packet_type().to_string()),
                });
            }
            Err(refusal) => return Ok(Answer::Other(describe(&first_bytes, &refusal))),
        }
    }
}

fn describe(bytes: &[u8], refusal: &Refusal) -> String {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("bytes that are no MQTT, `{}`, ({refusal})", hex.join(" "))
}
