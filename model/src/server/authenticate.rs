//! Enhanced authentication of 5.0: AUTH packets go back and forth until one side has had enough.

use super::alphabet::Output;
use super::rule::{Breach, Context, Rule};
use super::session::{Phase, Session};
use crate::profile::Offence;

/// Whose turn it is in the exchange of AUTH packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exchange {
    /// CONNECT has named no method: there is none (MQTT-4.12.0-6).
    #[default]
    None,
    /// The server's: it asks for more, or is satisfied, or is not.
    Server,
    /// The client's: it has been asked for more.
    Client,
    /// The client is authenticated, and may begin again.
    Done,
}

/// Reason Codes of AUTH.
const SUCCESS: u8 = 0x00;
const CONTINUE_AUTHENTICATION: u8 = 0x18;

impl Exchange {
    /// Whether CONNACK may accept now.
    pub(super) fn may_finish(self) -> bool {
        matches!(self, Exchange::None | Exchange::Server)
    }

    /// Whether the server waits for the client.
    pub(super) fn is_up_to_client(self) -> bool {
        self == Exchange::Client
    }

    /// Whether this AUTH of the server asks the client for more (MQTT-4.12.0-2).
    pub(super) fn asks_for_more(self, code: u8) -> bool {
        self != Exchange::None && code == CONTINUE_AUTHENTICATION
    }

    /// AUTH that the server may send.
    pub(super) fn possible_auth(self) -> Option<Output> {
        (self == Exchange::Server).then_some(Output::Auth { code: CONTINUE_AUTHENTICATION })
    }

    /// What an open connection is owed.
    pub(super) fn owed(self) -> Option<Breach> {
        (self == Exchange::Server)
            .then(|| Breach::of(Rule::AuthenticationIsAnswered, "AUTH, or the end of the connection"))
    }
}

impl Session {
    /// AUTH of the client is taken: it answers the server's, or begins anew on an open connection.
    pub(super) fn auth_taken(&self, context: &Context<'_>) -> Vec<Session> {
        let Some(link) = &self.link else { return vec![self.clone()] };
        match (link.phase, link.exchange) {
            (Phase::Connecting { .. } | Phase::Connected, Exchange::Client) | (Phase::Connected, Exchange::Done) => {
                vec![self.with_link(|link| link.exchange = Exchange::Server)]
            }
            _ => self.offend(context, Offence::ProtocolError, &[]),
        }
    }

    /// AUTH of the server comes.
    pub(super) fn auth_comes(&self, code: u8) -> Result<Session, Breach> {
        let exchange = self.link.as_ref().map_or(Exchange::None, |link| link.exchange);
        let is_connected = self.link.as_ref().is_some_and(|link| link.phase == Phase::Connected);
        let next = match (exchange, code) {
            (Exchange::None, _) => {
                return Err(Breach::of(Rule::NoUncalledAuthentication, "no AUTH: CONNECT named no method"));
            }
            (Exchange::Server, CONTINUE_AUTHENTICATION) => Exchange::Client,
            (Exchange::Server, SUCCESS) if is_connected => Exchange::Done,
            _ => return Err(Breach::of(Rule::AuthenticationIsAnswered, "no AUTH but an answer to the client's")),
        };
        Ok(self.with_link(|link| link.exchange = next))
    }

    /// Whether the server may turn the client away, because what it has to show is not enough (MQTT-4.12.0-4,
    /// MQTT-4.12.1-2).
    pub(super) fn may_fail_authentication(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.exchange == Exchange::Server)
    }
}
