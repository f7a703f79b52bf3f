//! What a connection is asked to be.

use crate::Session;
use model::packet::{Connect, ConnectProperties, Packet, ProtocolVersion, TextError, UserProperty, Utf8String, Will};
use model::topic::{TopicError, TopicName};
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

/// How to connect. Start from [`ConnectOptions::new`] and set what differs:
///
/// ```
/// use reference_client::{ConnectOptions, ProtocolVersion, Utf8String};
///
/// let options = ConnectOptions {
///     keep_alive: 300,
///     user_name: Some(Utf8String::new("lamp-01")?),
///     ..ConnectOptions::new(ProtocolVersion::V5_0, "lamp-01")?
/// };
/// assert!(options.check().is_ok());
/// # Ok::<(), reference_client::TextError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The version to speak.
    pub version: ProtocolVersion,
    /// Client Identifier. Empty asks the Server to assign one, where the version has that.
    pub client_id: Utf8String,
    /// Clean Start of 5.0, Clean Session of 3.x. A [`session`](Self::session) can only be resumed without it.
    pub clean_start: bool,
    /// Keep Alive in seconds; 0 turns it off. A Server Keep Alive takes its place.
    pub keep_alive: u16,
    /// Session Expiry Interval in seconds, 5.0 only: 0 ends the session with the connection.
    pub session_expiry_interval: u32,
    /// The session of an earlier connection to resume, see [`ConnectOptions::resuming`].
    pub session: Option<Session>,
    /// The Will.
    pub will: Option<Will>,
    /// User Name.
    pub user_name: Option<Utf8String>,
    /// Password.
    pub password: Option<Vec<u8>>,
    /// Receive Maximum announced to a 5.0 Server.
    pub receive_maximum: NonZeroU16,
    /// Bytes of the largest packet that is taken, announced to a 5.0 Server and held to in every version.
    pub maximum_packet_size: NonZeroU32,
    /// Topic Alias Maximum announced to a 5.0 Server: how many aliases it may use.
    pub topic_alias_maximum: u16,
    /// Request Response Information, 5.0 only.
    pub request_response_information: bool,
    /// Request Problem Information, 5.0 only; true is the standard's default.
    pub request_problem_information: bool,
    /// User Properties of CONNECT, 5.0 only.
    pub user_properties: Vec<UserProperty>,
    /// Lets a 3.1 connection use more than 23 characters as Client Identifier: against V31-4, but dialects ask for it.
    pub long_client_id: bool,
    /// How long the Server may take over any answer (CONNACK, PUBACK, SUBACK, PINGRESP, ..), over taking bytes, and how
    /// long the application may leave an event untaken while an answer is awaited. Then the connection is given up.
    pub response_timeout: Duration,
    /// Messages above QoS 0 that may be unacknowledged, besides the Server's Receive Maximum; also the number of
    /// SUBSCRIBE and UNSUBSCRIBE packets awaiting their answers.
    pub maximum_in_flight: NonZeroU16,
    /// Events that may wait for the application before nothing more is read from the Server.
    pub event_capacity: NonZeroU16,
}

/// Why options cannot be connected with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// A response timeout that is no time to wait, or none to wait for.
    #[error("a response timeout is more than nothing and at most a day, not {0:?}")]
    ResponseTimeout(Duration),
    /// An empty Client Identifier that the version does not know (V31-4), or knows with Clean Session only
    /// (MQTT-3.1.3-7 of 3.1.1).
    #[error("MQTT {version} needs a client identifier here: set one{}", if *.version == ProtocolVersion::V3_1 { "" } else { ", or a clean session" })]
    ClientIdMissing {
        /// The version asked for.
        version: ProtocolVersion,
    },
    /// More than 23 characters (V31-4).
    #[error(
        "MQTT 3.1 allows client identifiers of 23 characters, this one has {0}: shorten it, or set `long_client_id`"
    )]
    ClientIdTooLong(usize),
    /// A Password without User Name (MQTT-3.1.2-22 of 3.1.1).
    #[error("MQTT {0} allows a password only beside a user name")]
    PasswordWithoutUserName(ProtocolVersion),
    /// The Will Topic cannot be published to.
    #[error("the will topic is no topic name: {0}")]
    WillTopic(TopicError),
    /// A Will Message that 3.1 cannot say (V31-11).
    #[error("MQTT 3.1 allows only ASCII in a will message")]
    WillNotAscii,
    /// Something that only 5.0 can say.
    #[error("{0} exists in MQTT 5.0 only")]
    NotBeforeV5(&'static str),
    /// A session to resume, and the order to forget it.
    #[error("a clean start drops the session that is to be resumed: leave one of them out")]
    CleanStartOfSession,
    /// The session was begun under another version or Client Identifier.
    #[error("the session belongs to `{client_id}` of MQTT {version}")]
    ForeignSession {
        /// Whose it is.
        client_id: Utf8String,
        /// Its version.
        version: ProtocolVersion,
    },
    /// The encoder found something else.
    #[error("the CONNECT cannot be encoded: {0}")]
    Unencodable(#[from] model::wire::Unencodable),
}

impl ConnectOptions {
    /// A clean session that ends with the connection, Keep Alive 60 s, no Will, no credentials, packets up to 1 MiB.
    ///
    /// # Errors
    /// When the Client Identifier is no UTF-8 Encoded String.
    pub fn new(version: ProtocolVersion, client_id: impl Into<String>) -> Result<ConnectOptions, TextError> {
        const LITERALS: &str = "the literal is not zero";
        Ok(ConnectOptions {
            version,
            client_id: Utf8String::new(client_id)?,
            clean_start: true,
            keep_alive: 60,
            session_expiry_interval: 0,
            session: None,
            will: None,
            user_name: None,
            password: None,
            receive_maximum: NonZeroU16::MAX,
            maximum_packet_size: NonZeroU32::new(1 << 20).expect(LITERALS),
            topic_alias_maximum: 0,
            request_response_information: false,
            request_problem_information: true,
            user_properties: Vec::new(),
            long_client_id: false,
            response_timeout: Duration::from_secs(30),
            maximum_in_flight: NonZeroU16::new(64).expect(LITERALS),
            event_capacity: NonZeroU16::new(64).expect(LITERALS),
        })
    }

    /// The same options for the connection that goes on with `session`.
    #[must_use]
    pub fn resuming(self, session: Session) -> ConnectOptions {
        ConnectOptions { clean_start: false, client_id: session.client_id().clone(), session: Some(session), ..self }
    }

    /// Checks what the version asks of a CONNECT.
    ///
    /// # Errors
    /// The first rule that they break.
    pub fn check(&self) -> Result<(), OptionsError> {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        if self.response_timeout.is_zero() || self.response_timeout > DAY {
            return Err(OptionsError::ResponseTimeout(self.response_timeout));
        }
        let v3 = self.version != ProtocolVersion::V5_0;
        let characters = self.client_id.chars().count();
        match self.version {
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1
                if characters == 0 && (self.version == ProtocolVersion::V3_1 || !self.clean_start) =>
            {
                return Err(OptionsError::ClientIdMissing { version: self.version });
            }
            ProtocolVersion::V3_1 if characters > 23 && !self.long_client_id => {
                return Err(OptionsError::ClientIdTooLong(characters));
            }
            _ => {}
        }
        if v3 && self.password.is_some() && self.user_name.is_none() {
            return Err(OptionsError::PasswordWithoutUserName(self.version));
        }
        if let Some(will) = &self.will {
            will.topic.parse::<TopicName>().map_err(OptionsError::WillTopic)?;
            if self.version == ProtocolVersion::V3_1 && !will.payload.is_ascii() {
                return Err(OptionsError::WillNotAscii);
            }
        }
        if v3 {
            self.check_absent()?;
        }
        if let Some(session) = &self.session {
            if self.clean_start {
                return Err(OptionsError::CleanStartOfSession);
            }
            if session.version() != self.version || *session.client_id() != self.client_id {
                return Err(OptionsError::ForeignSession {
                    client_id: session.client_id().clone(),
                    version: session.version(),
                });
            }
        }
        model::wire::encode(&Packet::Connect(self.packet()), self.version)?;
        Ok(())
    }

    /// Refuses what would silently be lost in 3.x. Receive Maximum and Maximum Packet Size are held to here as well,
    /// announced or not, so they may stay.
    fn check_absent(&self) -> Result<(), OptionsError> {
        for (present, what) in [
            (self.session_expiry_interval != 0, "Session Expiry Interval"),
            (self.topic_alias_maximum != 0, "Topic Alias Maximum"),
            (self.request_response_information, "Request Response Information"),
            (!self.request_problem_information, "Request Problem Information"),
            (!self.user_properties.is_empty(), "User Property"),
        ] {
            if present {
                return Err(OptionsError::NotBeforeV5(what));
            }
        }
        Ok(())
    }

    /// The CONNECT that says all this.
    pub(crate) fn packet(&self) -> Connect {
        let properties = match self.version {
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => ConnectProperties::default(),
            ProtocolVersion::V5_0 => self.properties(),
        };
        Connect {
            clean_start: self.clean_start,
            keep_alive: self.keep_alive,
            properties,
            client_id: self.client_id.clone(),
            will: self.will.clone(),
            user_name: self.user_name.clone(),
            password: self.password.clone(),
        }
    }

    /// The properties of CONNECT; a value that is the standard's default is left out.
    fn properties(&self) -> ConnectProperties {
        ConnectProperties {
            session_expiry_interval: Some(self.session_expiry_interval).filter(|seconds| *seconds != 0),
            authentication_method: None,
            authentication_data: None,
            request_problem_information: Some(self.request_problem_information).filter(|wanted| !wanted),
            request_response_information: Some(self.request_response_information).filter(|wanted| *wanted),
            receive_maximum: Some(self.receive_maximum).filter(|maximum| *maximum != NonZeroU16::MAX),
            topic_alias_maximum: Some(self.topic_alias_maximum).filter(|maximum| *maximum != 0),
            user_properties: self.user_properties.clone(),
            maximum_packet_size: Some(self.maximum_packet_size),
        }
    }

    /// Whether the session outlives the connection, as far as this side asked for it.
    pub(crate) fn keeps_session(&self, server_session_expiry_interval: Option<u32>) -> bool {
        match self.version {
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => !self.clean_start,
            ProtocolVersion::V5_0 => server_session_expiry_interval.unwrap_or(self.session_expiry_interval) > 0,
        }
    }
}
