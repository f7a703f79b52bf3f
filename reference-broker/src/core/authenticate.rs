//! Enhanced authentication (section 4.12), with one simple method: the broker sends a text, the Client sends it back
//! reversed. The text is the Client's own, if it begins with Authentication Data, so that a script can know the answer. There
//! is no secret in it: it is for tests of the exchange, and of Clients.

use super::broker::{ConnectionId, Core, Milliseconds};
use super::connect::Refused;
use super::connection::{Connection, Established, Peer};
use super::disconnect::Violation;
use super::timers::Timer;
use model::packet::{Auth, AuthProperties, Connect, ConnectReturnCode, Packet, ReasonCode, Utf8String};

/// The one Authentication Method there is.
pub const AUTHENTICATION_METHOD: &str = "mqttspec-challenge";

/// A text that the Client has to send back reversed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge(Vec<u8>);

/// A CONNECT that is acceptable, once its Client has answered the challenge.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) peer: Peer,
    connect: Connect,
    challenge: Challenge,
    /// When all has to be done.
    pub(super) deadline: Milliseconds,
}

/// The authentication of an accepted connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Authentication {
    /// CONNECT named no method: there is no AUTH on this connection (MQTT-4.12.0-6 and -7).
    Absent,
    /// It is done.
    Done,
    /// The Client asked for it again and has not answered yet.
    Again(Challenge),
}

/// Why an AUTH is not the answer that was asked for.
struct Wrong {
    reason: ReasonCode,
    says: &'static str,
}

impl Challenge {
    fn is_answered_by(&self, auth: &Auth) -> Result<(), Wrong> {
        if auth.reason != ReasonCode::ContinueAuthentication {
            return Err(Wrong { reason: ReasonCode::ProtocolError, says: "AUTH must continue the authentication" });
        }
        check_method(auth)?;
        let answer = auth.properties.authentication_data.as_deref().unwrap_or_default();
        if answer.iter().rev().eq(&self.0) {
            Ok(())
        } else {
            Err(Wrong { reason: ReasonCode::NotAuthorized, says: "the answer is the authentication data reversed" })
        }
    }
}

/// The method stays the one of CONNECT (MQTT-4.12.0-5).
fn check_method(auth: &Auth) -> Result<(), Wrong> {
    if auth.properties.authentication_method.as_deref() == Some(AUTHENTICATION_METHOD) {
        Ok(())
    } else {
        Err(Wrong { reason: ReasonCode::ProtocolError, says: "another authentication method than in CONNECT" })
    }
}

impl Wrong {
    fn refusal(self) -> Refused {
        Refused::new(ConnectReturnCode::NotAuthorized, self.reason, self.says)
    }

    fn violation(self) -> Violation {
        Violation::new(self.reason, self.says)
    }
}

impl Core {
    /// Any method but ours is refused (MQTT-4.12.0-1).
    pub(super) fn check_authentication_method(&self, connect: &Connect) -> Result<(), Refused> {
        match connect.properties.authentication_method.as_deref() {
            None => Ok(()),
            Some(AUTHENTICATION_METHOD) if self.settings.authentication => Ok(()),
            Some(_) => Err(Refused::silently_in_3x(
                ReasonCode::BadAuthenticationMethod,
                "this authentication method is not supported",
            )),
        }
    }

    /// Asks the Client of an acceptable CONNECT for its authentication.
    pub(super) fn challenge_candidate(&mut self, id: ConnectionId, peer: Peer, connect: Connect) {
        let Some(Connection::AwaitingConnect { deadline, .. }) = self.forget_connection(id) else { return };
        let (challenge, auth) = self.new_challenge(connect.properties.authentication_data.as_deref());
        self.timers.set(deadline, Timer::Connect(id));
        let candidate = Candidate { peer, connect, challenge, deadline };
        self.connections.insert(id, Connection::Authenticating(Box::new(candidate)));
        if !self.send_to(id, peer, auth) {
            self.close(id); // No AUTH is small enough for this Client.
        }
    }

    /// A packet came before CONNACK: only AUTH or DISCONNECT may (MQTT-3.1.2-30).
    pub(super) fn candidate_sends(&mut self, id: ConnectionId, packet: &Packet) {
        let Some(Connection::Authenticating(candidate)) = self.connections.get(&id) else { return };
        let (peer, connect) = (candidate.peer, candidate.connect.clone());
        let answered = match packet {
            Packet::Auth(auth) => candidate.challenge.is_answered_by(auth).map_err(Wrong::refusal),
            Packet::Disconnect(_) => return self.close(id),
            _ => Err(Refused::silently_in_3x(
                ReasonCode::ProtocolError,
                "only AUTH or DISCONNECT may come before CONNACK",
            )),
        };
        // What was acceptable may have changed in the meantime.
        match answered.and_then(|()| self.check_connect(id, peer.version, &connect)) {
            Ok(login) => self.accept_connect(id, peer, connect, login),
            Err(refused) => self.refuse_connect(id, peer, &refused),
        }
    }

    /// AUTH on an accepted connection: the Client wants to authenticate again, or goes on with it.
    pub(super) fn auth(&mut self, from: Established, auth: &Auth) -> Result<(), Violation> {
        let Some(Connection::Established(link)) = self.connections.get(&from.connection) else { return Ok(()) };
        let (next, answer) = match (&link.authentication, auth.reason) {
            (Authentication::Absent, _) => {
                return Err(Violation::new(ReasonCode::ProtocolError, "AUTH without authentication method"));
            }
            (Authentication::Done, ReasonCode::ReAuthenticate) => {
                check_method(auth).map_err(Wrong::violation)?;
                let (challenge, answer) = self.new_challenge(auth.properties.authentication_data.as_deref());
                (Authentication::Again(challenge), answer)
            }
            (Authentication::Done, _) => {
                return Err(Violation::new(ReasonCode::ProtocolError, "no authentication is under way"));
            }
            (Authentication::Again(challenge), _) => {
                challenge.is_answered_by(auth).map_err(Wrong::violation)?;
                (Authentication::Done, auth_packet(ReasonCode::Success, None))
            }
        };
        if let Some(Connection::Established(link)) = self.connections.get_mut(&from.connection) {
            link.authentication = next;
        }
        self.send(from.connection, answer);
        Ok(())
    }

    /// The Client's own text as a challenge, or one that was not used before; and the AUTH that carries it.
    fn new_challenge(&mut self, own: Option<&[u8]>) -> (Challenge, Packet) {
        self.challenges += 1;
        let text = own.map_or_else(|| format!("challenge {}", self.challenges).into_bytes(), <[u8]>::to_vec);
        (Challenge(text.clone()), auth_packet(ReasonCode::ContinueAuthentication, Some(text)))
    }
}

fn auth_packet(reason: ReasonCode, data: Option<Vec<u8>>) -> Packet {
    let method = Utf8String::new(AUTHENTICATION_METHOD).expect("it is short and holds no U+0000");
    let properties =
        AuthProperties { authentication_method: Some(method), authentication_data: data, ..AuthProperties::default() };
    Packet::Auth(Auth { reason, properties })
}
