//! The cloud side of a target in a network, as command lines say it.

use crate::sources::{Told, told};
use clap::Args;
use harness::case::{AMQP, API};
use harness::cloud::{CloudTarget, amqp_address, api_address};
use harness::target::{Endpoint, TargetFile};
use model::cloud::AccessKey;
use model::device::Secret;
use std::path::Path;
use transport::{Address, Route, RouteOptions};

/// The consumer group of messages over AMQP, if nobody says another.
const DEFAULT_GROUP: &str = "DEFAULT_GROUP";

/// Where the business server asks, and listens. What is not said here may stand in the target file.
#[derive(Debug, Args)]
pub(crate) struct CloudOptions {
    /// The API of the platform: http://HOST:PORT or https://HOST:PORT; without it cases that ask it are not run
    #[arg(long, value_name = "URL", value_parser = api_address)]
    api: Option<Address>,
    /// Server-side subscription: amqp://HOST:PORT or amqps://HOST:PORT; without it cases that listen are not run
    #[arg(long, value_name = "URL", value_parser = amqp_address)]
    amqp: Option<Address>,
    /// The consumer group of those messages [default: DEFAULT_GROUP]
    #[arg(long, value_name = "NAME")]
    consumer_group: Option<String>,
    /// Access key of the business server
    #[arg(long, value_name = "ID", requires = "access_key_secret_env")]
    access_key_id: Option<String>,
    /// The environment variable that holds the secret of the access key
    #[arg(long, value_name = "VARIABLE", requires = "access_key_id")]
    access_key_secret_env: Option<String>,
}

/// Where something of the cloud side is, and whom to trust there.
#[derive(Clone, Copy)]
struct Place<'a> {
    address: &'a Address,
    cafile: Option<&'a Path>,
}

/// What the command line says, or else the target file.
fn place<'a>(said: Option<&'a Address>, written: Option<&'a Endpoint>) -> Option<Place<'a>> {
    let said = said.map(|address| Place { address, cafile: None });
    said.or_else(|| written.map(|Endpoint { address, cafile }| Place { address, cafile: cafile.as_deref() }))
}

impl CloudOptions {
    fn api<'a>(&'a self, file: Option<&'a TargetFile>) -> Option<Place<'a>> {
        place(self.api.as_ref(), file.and_then(|file| file.api.as_ref()))
    }

    fn amqp<'a>(&'a self, file: Option<&'a TargetFile>) -> Option<Place<'a>> {
        place(self.amqp.as_ref(), file.and_then(|file| file.amqp.as_ref()))
    }

    /// Whether something of it is reached over TLS.
    pub(crate) fn has_tls(&self, file: Option<&TargetFile>) -> bool {
        self.api(file).into_iter().chain(self.amqp(file)).any(|place| place.address.scheme.has_tls())
    }

    /// The cloud side, if there is one. TLS is that of the target; a transport command is for devices.
    pub(crate) fn target(&self, way: &RouteOptions, file: Option<&TargetFile>) -> Result<Option<CloudTarget>, Told> {
        let (api, amqp) = (self.api(file), self.amqp(file));
        let Some(api) = api else {
            return match amqp {
                None => Ok(None),
                Some(_) => Err(told(&"messages over AMQP need the API too: --api, or `api` in the target file")),
            };
        };
        let Some(key) = self.access_key(file)? else {
            return Err(told(
                &"the API needs --access-key-id and --access-key-secret-env, or `accessKey` in the target file",
            ));
        };
        let route = |Place { address, cafile }: Place<'_>| -> Result<Route, Told> {
            way.trusting(cafile).direct_route(address.clone()).map_err(|error| told(&error))
        };
        let written = file.and_then(|file| file.consumer_group.as_deref());
        let group = self.consumer_group.as_deref().or(written).unwrap_or(DEFAULT_GROUP);
        let amqp = amqp.map(|place| Ok((route(place)?, group.to_owned())));
        Ok(Some(CloudTarget { api: route(api)?, key, amqp: amqp.transpose()? }))
    }

    /// What requests are signed with.
    fn access_key(&self, file: Option<&TargetFile>) -> Result<Option<AccessKey>, Told> {
        let Some((id, variable)) = self.access_key_id.as_ref().zip(self.access_key_secret_env.as_ref()) else {
            return Ok(file.and_then(|file| file.access_key.clone()));
        };
        let secret = std::env::var(variable)
            .map_err(|error| told(&format_args!("--access-key-secret-env {variable}: {error}")))?;
        Ok(Some(AccessKey::new(id, Secret::new(secret))))
    }

    /// The actors that the target has nothing for.
    pub(crate) fn absent(&self, file: Option<&TargetFile>) -> Vec<&'static str> {
        let api = self.api(file).is_none().then_some(API);
        api.into_iter().chain(self.amqp(file).is_none().then_some(AMQP)).collect()
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
            ("--consumer-group", self.consumer_group.clone()),
            ("--access-key-id", self.access_key_id.clone()),
            ("--access-key-secret-env", self.access_key_secret_env.clone()),
        ];
        options.into_iter().filter_map(|(option, value)| Some((option, value?))).collect()
    }
}
