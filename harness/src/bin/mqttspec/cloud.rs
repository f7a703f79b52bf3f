//! The cloud side of a target in a network, as command lines say it.

use crate::output::complain;
use crate::sources::Told;
use clap::Args;
use harness::case::{AMQP, API};
use harness::cloud::CloudTarget;
use model::cloud::AccessKey;
use model::device::Secret;
use transport::{Address, Route, RouteOptions};

/// Where the business server asks, and listens.
#[derive(Debug, Args)]
pub(crate) struct CloudOptions {
    /// The API of the platform: http://HOST:PORT or https://HOST:PORT; without it cases that ask it are not run
    #[arg(long, value_name = "URL", requires = "access_key_id", value_parser = api)]
    api: Option<Address>,
    /// Server-side subscription: amqp://HOST:PORT or amqps://HOST:PORT; without it cases that listen are not run
    #[arg(long, value_name = "URL", requires = "api", value_parser = amqp)]
    amqp: Option<Address>,
    /// The consumer group of --amqp
    #[arg(long, value_name = "NAME", default_value = "DEFAULT_GROUP")]
    consumer_group: String,
    /// Access key of the business server
    #[arg(long, value_name = "ID", requires = "access_key_secret_env")]
    access_key_id: Option<String>,
    /// The environment variable that holds the secret of the access key
    #[arg(long, value_name = "VARIABLE", requires = "access_key_id")]
    access_key_secret_env: Option<String>,
}

fn api(text: &str) -> Result<Address, String> {
    address(text, [("http://", "mqtt://", 80), ("https://", "mqtts://", 443)])
}

fn amqp(text: &str) -> Result<Address, String> {
    address(text, [("amqp://", "mqtt://", 5672), ("amqps://", "mqtts://", 5671)])
}

/// An address of another protocol than MQTT: TCP or TLS is what it says too.
fn address(text: &str, schemes: [(&str, &str, u16); 2]) -> Result<Address, String> {
    let form = || format!("`{text}` is no target: write {}HOST:PORT or {}HOST:PORT", schemes[0].0, schemes[1].0);
    let known = schemes.iter().find_map(|(own, carrier, port)| Some((text.strip_prefix(own)?, *carrier, *port)));
    let (rest, carrier, port) = known.ok_or_else(form)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let has_port = rest.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && !port.contains(']'));
    let whole = if has_port { format!("{carrier}{rest}") } else { format!("{carrier}{rest}:{port}") };
    whole.parse().map_err(|_| form())
}

impl CloudOptions {
    /// Whether something of it is reached over TLS.
    pub(crate) fn has_tls(&self) -> bool {
        self.api.iter().chain(&self.amqp).any(|address| address.scheme.has_tls())
    }

    /// The cloud side, if there is one. TLS is that of the target; a transport command is for devices.
    pub(crate) fn target(&self, way: &RouteOptions) -> Result<Option<CloudTarget>, Told> {
        let Some((api, (id, variable))) =
            self.api.as_ref().zip(self.access_key_id.as_ref().zip(self.access_key_secret_env.as_ref()))
        else {
            return Ok(None);
        };
        let secret = std::env::var(variable).map_err(|error| {
            complain(&format_args!("--access-key-secret-env {variable}: {error}"));
            Told
        })?;
        let route = |address: &Address| -> Result<Route, Told> {
            way.direct_route(address.clone()).map_err(|error| {
                complain(&error);
                Told
            })
        };
        let amqp = self.amqp.as_ref().map(|address| Ok((route(address)?, self.consumer_group.clone())));
        let key = AccessKey::new(id, Secret::new(secret));
        Ok(Some(CloudTarget { api: route(api)?, key, amqp: amqp.transpose()? }))
    }

    /// The actors that the target has nothing for.
    pub(crate) fn absent(&self) -> Vec<&'static str> {
        let api = self.api.is_none().then_some(API);
        api.into_iter().chain(self.amqp.is_none().then_some(AMQP)).collect()
    }

    /// The options again, as words.
    pub(crate) fn again(&self) -> Vec<(&'static str, String)> {
        let scheme = |address: &Address, plain: &str, tls: &str| {
            let scheme = if address.scheme.has_tls() { tls } else { plain };
            format!("{scheme}://{}", address.authority())
        };
        let options = [
            ("--api", self.api.as_ref().map(|api| scheme(api, "http", "https"))),
            ("--amqp", self.amqp.as_ref().map(|amqp| scheme(amqp, "amqp", "amqps"))),
            ("--consumer-group", self.amqp.as_ref().map(|_| self.consumer_group.clone())),
            ("--access-key-id", self.access_key_id.clone()),
            ("--access-key-secret-env", self.access_key_secret_env.clone()),
        ];
        options.into_iter().filter_map(|(option, value)| Some((option, value?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{amqp, api};

    #[test]
    fn urls_of_the_cloud_side_are_read() {
        let shown = |address: Result<transport::Address, String>| address.map(|address| address.authority());
        assert_eq!(shown(api("http://127.0.0.1:8080")), Ok("127.0.0.1:8080".to_owned()));
        assert_eq!(shown(api("https://iot.example/")), Ok("iot.example:443".to_owned()));
        assert_eq!(shown(amqp("amqps://[::1]")), Ok("[::1]:5671".to_owned()));
        assert!(api("mqtt://x").is_err() && amqp("http://x").is_err() && api("http://x:y").is_err());
    }
}
