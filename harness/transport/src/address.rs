//! Where a server listens, and what carries MQTT to it.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// What stands between MQTT and TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Nothing: `mqtt://`.
    Mqtt,
    /// TLS: `mqtts://`.
    Mqtts,
    /// WebSocket: `ws://`.
    Ws,
    /// WebSocket over TLS: `wss://`.
    Wss,
}

/// Where a server listens: `mqtt://localhost:1883`, `wss://broker.example/mqtt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// What carries MQTT.
    pub scheme: Scheme,
    /// Name or address; IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What a WebSocket asks for, with its slash; `/mqtt` unless the URL says otherwise. No other scheme has any.
    pub path: String,
}

/// What a WebSocket asks for by default: brokers that look at it know this one.
const DEFAULT_PATH: &str = "/mqtt";

/// How an address is written.
const FORM: &str = "write mqtt://HOST:PORT (or mqtts, ws, wss)";

impl Scheme {
    /// All of them.
    pub const ALL: [Scheme; 4] = [Scheme::Mqtt, Scheme::Mqtts, Scheme::Ws, Scheme::Wss];

    /// As a URL begins.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Mqtt => "mqtt",
            Scheme::Mqtts => "mqtts",
            Scheme::Ws => "ws",
            Scheme::Wss => "wss",
        }
    }

    /// The scheme with or without TLS and WebSocket.
    #[must_use]
    pub fn of(has_tls: bool, has_web_socket: bool) -> Scheme {
        match (has_tls, has_web_socket) {
            (false, false) => Scheme::Mqtt,
            (true, false) => Scheme::Mqtts,
            (false, true) => Scheme::Ws,
            (true, true) => Scheme::Wss,
        }
    }

    /// Whether TLS is in it.
    #[must_use]
    pub fn has_tls(self) -> bool {
        matches!(self, Scheme::Mqtts | Scheme::Wss)
    }

    /// Whether WebSocket is in it.
    #[must_use]
    pub fn has_web_socket(self) -> bool {
        matches!(self, Scheme::Ws | Scheme::Wss)
    }

    /// The port that it has by registration.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Mqtt => 1883,
            Scheme::Mqtts => 8883,
            Scheme::Ws => 80,
            Scheme::Wss => 443,
        }
    }

    fn default_path(self) -> String {
        if self.has_web_socket() { DEFAULT_PATH.to_owned() } else { String::new() }
    }
}

impl Address {
    /// A port of this machine. With TLS it goes by the name `localhost`, which certificates know better than an address.
    #[must_use]
    pub fn loopback(scheme: Scheme, port: u16) -> Address {
        let host = if scheme.has_tls() { "localhost" } else { "127.0.0.1" };
        Address { scheme, host: host.to_owned(), port, path: scheme.default_path() }
    }

    /// Host and port as socket functions take them.
    #[must_use]
    pub fn socket(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Host and port as they stand in a URL.
    #[must_use]
    pub fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for Scheme {
    type Err = String;

    fn from_str(text: &str) -> Result<Scheme, String> {
        let known = Scheme::ALL.into_iter().find(|scheme| scheme.name() == text);
        known.ok_or_else(|| format!("`{text}://` is not supported: {FORM}"))
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(format!("`{text}` is no address: {FORM}"));
        };
        let scheme: Scheme = scheme.parse()?;
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let path = match path {
            "" | "/" if !scheme.has_web_socket() => String::new(),
            "" => scheme.default_path(),
            path if scheme.has_web_socket() && path.bytes().all(|byte| byte.is_ascii_graphic()) => path.to_owned(),
            _ => return Err(format!("`{text}` has more than host and port: write {}://HOST:PORT", scheme.name())),
        };
        if authority.contains(['?', '#']) || path.contains('#') {
            return Err(format!("`{text}` has more than host and port: {FORM}"));
        }
        if authority.contains('@') {
            return Err(
                "user name and password do not belong in the URL: use --user-name and --password-env".to_owned()
            );
        }
        let (host, port) = split(authority, text)?;
        let port = match port {
            Some("") => Ok(scheme.default_port()),
            Some(digits) => digits.parse().ok().filter(|port| *port != 0).ok_or(digits),
            None => Err(authority),
        };
        let port = port.map_err(|port| format!("`{port}` in `{text}` is no port: write 1 to 65535"))?;
        if host.is_empty() {
            return Err(format!("`{text}` has no host: {FORM}"));
        }
        Ok(Address { scheme, host: host.to_owned(), port, path })
    }
}

/// Host and port of an authority. The port is empty where none is said, and none where something else stands.
fn split<'a>(authority: &'a str, text: &str) -> Result<(&'a str, Option<&'a str>), String> {
    match authority.strip_prefix('[') {
        Some(inside) => {
            let (host, rest) = inside.split_once(']').ok_or_else(|| format!("`{text}`: `]` is missing"))?;
            host.parse::<Ipv6Addr>().map_err(|_| format!("`{host}` in `{text}` is no IPv6 address"))?;
            Ok((host, rest.strip_prefix(':').or_else(|| rest.is_empty().then_some(""))))
        }
        None => Ok(authority.split_once(':').map_or((authority, Some("")), |(host, port)| (host, Some(port)))),
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path == self.scheme.default_path() { "" } else { &self.path };
        write!(f, "{}://{}{path}", self.scheme, self.authority())
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
            ("mqtts://localhost", "mqtts://localhost:8883"),
            ("ws://localhost:8080", "ws://localhost:8080"),
            ("ws://localhost:8080/mqtt", "ws://localhost:8080"),
            ("ws://localhost/", "ws://localhost:80/"),
            ("wss://localhost/broker?x=1", "wss://localhost:443/broker?x=1"),
        ] {
            assert_eq!(text.parse::<Address>().map(|address| address.to_string()), Ok(shown.to_owned()), "{text}");
        }
        let path = |text: &str| text.parse::<Address>().map(|address| address.path);
        assert_eq!(path("ws://h"), Ok("/mqtt".to_owned()));
        assert_eq!(path("ws://h/a"), Ok("/a".to_owned()));
        assert_eq!(path("mqtt://h/"), Ok(String::new()));
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_way_out() {
        for (text, message) in [
            ("rnu", "`rnu` is no address: write mqtt://HOST:PORT (or mqtts, ws, wss)"),
            ("http://x", "`http://` is not supported: write mqtt://HOST:PORT (or mqtts, ws, wss)"),
            ("mqtt://", "`mqtt://` has no host: write mqtt://HOST:PORT (or mqtts, ws, wss)"),
            ("mqtt://x:0", "`0` in `mqtt://x:0` is no port: write 1 to 65535"),
            ("mqtts://x:70000", "`70000` in `mqtts://x:70000` is no port: write 1 to 65535"),
            ("mqtt://::1", "`:1` in `mqtt://::1` is no port: write 1 to 65535"),
            ("mqtt://[::1", "`mqtt://[::1`: `]` is missing"),
            ("mqtt://[x]", "`x` in `mqtt://[x]` is no IPv6 address"),
            ("mqtt://[::1]x", "`[::1]x` in `mqtt://[::1]x` is no port: write 1 to 65535"),
            ("mqtt://x/topic", "`mqtt://x/topic` has more than host and port: write mqtt://HOST:PORT"),
            ("mqtts://x/topic", "`mqtts://x/topic` has more than host and port: write mqtts://HOST:PORT"),
            ("ws://x/a b", "`ws://x/a b` has more than host and port: write ws://HOST:PORT"),
            ("ws://x/a#b", "`ws://x/a#b` has more than host and port: write mqtt://HOST:PORT (or mqtts, ws, wss)"),
        ] {
            assert_eq!(text.parse::<Address>(), Err(message.to_owned()), "{text}");
        }
        assert!("mqtt://u:p@x".parse::<Address>().is_err_and(|message| message.contains("--user-name")));
    }
}
