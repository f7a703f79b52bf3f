//! Which broker, and the connection to it.

use crate::arguments::ConnectionArguments;
use crate::failure::Failure;
use reference_client::{Client, ConnectOptions, Events, Utf8String};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Host and port out of `mqtt://host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerAddress {
    host: String,
    port: u16,
}

impl FromStr for ServerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<ServerAddress, String> {
        const HELP: &str = "write mqtt://HOST or mqtt://HOST:PORT";
        let rest = match text.split_once("://") {
            Some(("mqtt", rest)) => rest.strip_suffix('/').unwrap_or(rest),
            Some((scheme, _)) => return Err(format!("scheme `{scheme}` is not supported: {HELP}")),
            None => return Err(HELP.to_owned()),
        };
        // An IPv6 address stands in brackets, as its colons would hide the port.
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or("the bracket of the address is not closed")?,
            None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(digits) => digits.parse().ok().filter(|port| *port != 0),
            None if port.is_empty() => Some(1883),
            None => None,
        };
        if host.is_empty() || host.contains(['/', '@', '?', '#']) {
            return Err(HELP.to_owned());
        }
        Ok(ServerAddress { host: host.to_owned(), port: port.ok_or("a port is a number from 1 to 65535")? })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Connects as the arguments say.
pub(crate) async fn connect(arguments: &ConnectionArguments) -> Result<(Client, Events), Failure> {
    open(&arguments.url, arguments.response_timeout, options(arguments)?).await
}

/// Connects to a server with these options.
pub(crate) async fn open(
    url: &ServerAddress,
    response_timeout: Duration,
    options: ConnectOptions,
) -> Result<(Client, Events), Failure> {
    // Before anything is opened: a mistake in the arguments is no matter of the network.
    options.check().map_err(|error| Failure::Usage(error.to_string()))?;
    let ServerAddress { host, port } = url;
    let unreachable = |why: &dyn fmt::Display| Failure::Unreachable(format!("cannot reach {url}: {why}"));
    let stream = timeout(response_timeout, TcpStream::connect((host.as_str(), *port)))
        .await
        .map_err(|_| unreachable(&format!("no answer within {response_timeout:?}")))?
        .map_err(|error| unreachable(&error))?;
    // Packets are small and somebody waits for the answer. A system that cannot do it is only slower.
    let _ = stream.set_nodelay(true);
    Ok(Client::connect(stream, options).await?)
}

fn options(arguments: &ConnectionArguments) -> Result<ConnectOptions, Failure> {
    let usage = |what: &str, error: &dyn fmt::Display| Failure::Usage(format!("{what}: {error}"));
    // Short enough for 3.1, and unlikely to meet another.
    let client_id = arguments.client_id.clone().unwrap_or_else(|| format!("mqttspec-{}", std::process::id()));
    let user_name = arguments.user_name.as_deref().map(Utf8String::new).transpose();
    // A password is binary data: any bytes will do. It is never shown.
    let password = match &arguments.password_env {
        None => None,
        Some(variable) => {
            let missing = || Failure::Usage(format!("--password-env: there is no environment variable `{variable}`"));
            Some(std::env::var_os(variable).ok_or_else(missing)?.into_encoded_bytes())
        }
    };
    Ok(ConnectOptions {
        keep_alive: arguments.keep_alive,
        user_name: user_name.map_err(|error| usage("--user-name", &error))?,
        password,
        response_timeout: arguments.response_timeout,
        ..ConnectOptions::new(arguments.mqtt, client_id).map_err(|error| usage("--client-id", &error))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_host_and_port() {
        for (url, host, port) in [
            ("mqtt://127.0.0.1:1884", "127.0.0.1", 1884),
            ("mqtt://localhost", "localhost", 1883),
            ("mqtt://localhost/", "localhost", 1883),
            ("mqtt://[::1]:1884", "::1", 1884),
            ("mqtt://[::1]", "::1", 1883),
        ] {
            assert_eq!(url.parse(), Ok(ServerAddress { host: host.to_owned(), port }), "{url}");
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for url in [
            "",
            "localhost",
            "ws://h",
            "mqtt://",
            "mqtt://:1",
            "mqtt://h:",
            "mqtt://h:0",
            "mqtt://h:65536",
            "mqtt://[::1",
            "mqtt://[::1]x",
            "mqtt://u@h",
            "mqtt://h/t",
        ] {
            assert!(url.parse::<ServerAddress>().is_err(), "{url}");
        }
    }
}
