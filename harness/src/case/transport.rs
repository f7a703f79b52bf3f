//! What has to carry a case.

use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use transport::Scheme;

/// What has to carry the connections of a case; without it anything may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// No TLS.
    Plain,
    /// TLS.
    Tls,
    /// WebSocket.
    Ws,
}

impl Transport {
    /// Whether this scheme is such a transport.
    #[must_use]
    pub fn is_met_by(self, scheme: Scheme) -> bool {
        self.applied_to(scheme) == scheme
    }

    /// The scheme, changed as little as needed to be such a transport.
    #[must_use]
    pub fn applied_to(self, scheme: Scheme) -> Scheme {
        match self {
            Transport::Plain => Scheme::of(false, scheme.has_web_socket()),
            Transport::Tls => Scheme::of(true, scheme.has_web_socket()),
            Transport::Ws => Scheme::of(scheme.has_tls(), true),
        }
    }
}

/// As logins say it.
impl From<model::device::Transport> for Transport {
    fn from(transport: model::device::Transport) -> Transport {
        match transport {
            model::device::Transport::Plain => Transport::Plain,
            model::device::Transport::Encrypted => Transport::Tls,
        }
    }
}

/// As the end of a sentence about a case.
impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transport::Plain => "a connection without TLS: give an mqtt:// or ws:// URL",
            Transport::Tls => "TLS: give an mqtts:// or wss:// URL",
            Transport::Ws => "WebSocket: give a ws:// or wss:// URL",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Transport;
    use transport::Scheme;

    #[test]
    fn a_scheme_changes_as_little_as_needed() {
        assert_eq!(Transport::Plain.applied_to(Scheme::Wss), Scheme::Ws);
        assert_eq!(Transport::Tls.applied_to(Scheme::Mqtt), Scheme::Mqtts);
        assert_eq!(Transport::Ws.applied_to(Scheme::Mqtts), Scheme::Wss);
        for scheme in Scheme::ALL {
            for transport in [Transport::Plain, Transport::Tls, Transport::Ws] {
                assert!(transport.is_met_by(transport.applied_to(scheme)), "{transport:?} {scheme}");
            }
        }
        assert!(!Transport::Ws.is_met_by(Scheme::Mqtt));
    }
}
