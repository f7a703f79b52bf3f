//! Which broker, and the connection to it.

use crate::arguments::{ConnectionArguments, ServerArguments};
use crate::failure::Failure;
use reference_client::{Client, ConnectOptions, Events, Utf8String};
use std::fmt;
use std::io::{self, Write as _};
use tokio::time::timeout;

/// Connects as the arguments say.
pub(crate) async fn connect(arguments: &ConnectionArguments) -> Result<(Client, Events), Failure> {
    open(&arguments.server, options(arguments)?).await
}

/// Connects to a server with these options.
pub(crate) async fn open(server: &ServerArguments, options: ConnectOptions) -> Result<(Client, Events), Failure> {
    // Before anything is opened: a mistake in the arguments is no matter of the network.
    options.check().map_err(|error| Failure::Usage(error.to_string()))?;
    let scheme = server.url.scheme;
    if let Some(option) = server.way.for_tls().filter(|_| !scheme.has_tls()) {
        return Err(Failure::Usage(format!("{option} is for TLS: give an mqtts:// or wss:// URL")));
    }
    let route = server.way.route(server.url.clone()).map_err(|error| Failure::Usage(error.to_string()))?;
    if let Some(warning) = server.way.warning(scheme) {
        // Nobody who closed stderr wants to know.
        let _ = writeln!(io::stderr(), "mqttspec-client: WARNING {warning}");
    }
    let unreachable = |why: &dyn fmt::Display| Failure::Unreachable(format!("cannot reach {}: {why}", server.url));
    let opened = timeout(server.response_timeout, route.connect())
        .await
        .map_err(|_| unreachable(&format!("no answer within {:?}", server.response_timeout)))?
        .map_err(|error| unreachable(&error))?;
    Ok(Client::connect(opened.stream, options).await?)
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
        response_timeout: arguments.server.response_timeout,
        ..ConnectOptions::new(arguments.mqtt, client_id).map_err(|error| usage("--client-id", &error))?
    })
}
