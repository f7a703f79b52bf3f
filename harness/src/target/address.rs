//! Where a network target listens.

use std::fmt;
use std::str::FromStr;

/// The port that MQTT over TCP has by registration.
const DEFAULT_PORT: u16 = 1883;

/// Host and port of a broker: `mqtt://localhost:1883`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Name or address; IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Address {
    /// A port of this machine.
    #[must_use]
    pub fn loopback(port: u16) -> Address {
        Address { host: "127.0.0.1".to_owned(), port }
    }

    /// Host and port as socket functions take them.
    #[must_use]
    pub fn socket(&self) -> (&str, u16) {
        (&self.host, self.port)
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(format!("`{text}` is no target: write mqtt://HOST:PORT, or a verb (see --help)"));
        };
        if scheme != "mqtt" {
            return Err(format!("`{scheme}://` is not supported: write mqtt://HOST:PORT"));
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(format!("`{text}` has more than host and port: write mqtt://HOST:PORT"));
        }
        if authority.contains('@') {
            return Err(
                "user name and password do not belong in the URL: use --user-name and --password-env".to_owned()
            );
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(inside) => {
                let (host, rest) = inside.split_once(']').ok_or_else(|| format!("`{text}`: `]` is missing"))?;
                (host, rest.strip_prefix(':').or_else(|| rest.is_empty().then_some("")))
            }
            None => authority.split_once(':').map_or((authority, Some("")), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            Some("") => Ok(DEFAULT_PORT),
            Some(digits) => digits.parse().ok().filter(|port| *port != 0).ok_or(digits),
            None => Err(authority),
        };
        let port = port.map_err(|port| format!("`{port}` in `{text}` is no port: write 1 to 65535"))?;
        if host.is_empty() {
            return Err(format!("`{text}` has no host: write mqtt://HOST:PORT"));
        }
        Ok(Address { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "mqtt://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "mqtt://{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn host_and_port_are_read() {
        for (text, shown) in [
            ("mqtt://localhost", "mqtt://localhost:1883"),
            ("mqtt://localhost:", "mqtt://localhost:1883"),
            ("mqtt://10.0.0.1:1/", "mqtt://10.0.0.1:1"),
            ("mqtt://[::1]:1884", "mqtt://[::1]:1884"),
            ("mqtt://[::1]", "mqtt://[::1]:1883"),
        ] {
            assert_eq!(text.parse::<Address>().map(|address| address.to_string()), Ok(shown.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_way_out() {
        for (text, message) in [
            ("rnu", "`rnu` is no target: write mqtt://HOST:PORT, or a verb (see --help)"),
            ("http://x", "`http://` is not supported: write mqtt://HOST:PORT"),
            ("mqtt://", "`mqtt://` has no host: write mqtt://HOST:PORT"),
            ("mqtt://x:0", "`0` in `mqtt://x:0` is no port: write 1 to 65535"),
            ("mqtt://x:70000", "`70000` in `mqtt://x:70000` is no port: write 1 to 65535"),
            ("mqtt://::1", "`:1` in `mqtt://::1` is no port: write 1 to 65535"),
            ("mqtt://[::1", "`mqtt://[::1`: `]` is missing"),
            ("mqtt://[::1]x", "`[::1]x` in `mqtt://[::1]x` is no port: write 1 to 65535"),
            ("mqtt://x/topic", "`mqtt://x/topic` has more than host and port: write mqtt://HOST:PORT"),
        ] {
            assert_eq!(text.parse::<Address>(), Err(message.to_owned()), "{text}");
        }
        assert!("mqtt://u:p@x".parse::<Address>().is_err_and(|message| message.contains("--user-name")));
    }
}
