//! What is tested, as command lines say it.

use crate::cloud::CloudOptions;
use crate::output::complain;
use crate::sources::{LARGEST_TEXT, Told, told};
use clap::Args;
use harness::case::Credentials;
use harness::cloud::CloudTarget;
use harness::run::NetworkTarget;
use harness::target::{Address, Endpoint, Scheme, StartCommand, TargetFile};
use model::device::{Registry, Transport};
use model::packet::Utf8String;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use transport::RouteOptions;

/// The target of a verb.
#[derive(Debug, Args)]
pub(crate) struct TargetOptions {
    /// The broker: mqtt://HOST:PORT, or mqtts, ws, wss; without it, and without --start, the embedded reference broker. And
    /// cases from these files, as with --cases
    #[arg(value_name = "URL|FILE")]
    places: Vec<Place>,
    /// Starts the broker, and again when it dies; `{port}` stands for a free port of 127.0.0.1
    #[arg(long, value_name = "COMMAND", value_parser = StartCommand::parse)]
    pub(crate) start: Option<StartCommand>,
    /// How long a started command may take until it answers
    #[arg(long, value_name = "SECONDS", default_value = "10", allow_hyphen_values = true, value_parser = duration)]
    pub(crate) ready_within: Duration,
    /// What carries the connections where no URL says it: to the embedded broker, in memory, and to a started one
    #[arg(long, value_name = "SCHEME", value_parser = scheme)]
    transport: Option<Scheme>,
    #[command(flatten)]
    way: RouteOptions,
    /// All about a target (YAML): its endpoints, an access key, and the products and devices that it knows, as which actors log
    /// in; the default of --profile is platform then. Options say otherwise. A registry of mqttspec-broker is such a file
    #[arg(long, visible_alias = "target", value_name = "FILE", value_parser = target_file)]
    target_file: Option<TargetFile>,
    #[command(flatten)]
    cloud: CloudOptions,
    #[command(flatten)]
    login: LoginOptions,
}

/// What connections log in with.
#[derive(Debug, Args)]
pub(crate) struct LoginOptions {
    /// User name of all connections [default: mqttspec, with password mqttspec]
    #[arg(long, value_name = "NAME", value_parser = user_name)]
    user_name: Option<String>,
    /// The environment variable that holds the password
    #[arg(long, value_name = "VARIABLE", requires = "user_name")]
    password_env: Option<String>,
}

impl LoginOptions {
    /// What all connections log in with.
    pub(crate) fn credentials(&self) -> Result<Credentials, Told> {
        let Some(user_name) = &self.user_name else {
            return Ok(Credentials::default());
        };
        let password = match &self.password_env {
            None => None,
            Some(variable) => match std::env::var_os(variable) {
                // A password is binary data: any bytes will do. It is never shown.
                Some(password) => Some(password.into_encoded_bytes()),
                None => {
                    complain(&format_args!("--password-env {variable}: there is no such environment variable"));
                    return Err(Told);
                }
            },
        };
        if password.as_ref().is_some_and(|password| password.len() > usize::from(u16::MAX)) {
            complain(&"--password-env: the password is longer than the 65535 bytes that MQTT can say");
            return Err(Told);
        }
        Ok(Credentials { user_name: Some(user_name.clone()), password })
    }
}

/// Where something is.
#[derive(Debug, Clone)]
enum Place {
    /// A broker.
    Url(Address),
    /// A case file, or a folder of them.
    File(PathBuf),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        let path = Path::new(text);
        let is_file = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        match is_file || path.is_dir() {
            true => Ok(Place::File(path.to_owned())),
            // A misspelt verb is no address either.
            false if !text.contains("://") => {
                Err(format!("`{text}` is no target: write mqtt://HOST:PORT, or a verb (see --help)"))
            }
            false => text.parse().map(Place::Url),
        }
    }
}

fn scheme(text: &str) -> Result<Scheme, String> {
    let known = Scheme::ALL.map(Scheme::name).join(", ");
    text.parse().map_err(|_| format!("`{text}` is no transport: write one of {known}"))
}

fn user_name(text: &str) -> Result<String, String> {
    Utf8String::new(text).map(|name| name.as_str().to_owned()).map_err(|error| error.to_string())
}

/// Reads a target file, and the secrets that it names.
fn target_file(path: &str) -> Result<TargetFile, String> {
    let text = harness::text_file::read(Path::new(path), LARGEST_TEXT);
    let text = text.map_err(|error| format!("cannot read {path}: {error}"))?;
    TargetFile::load(path, &text, &|variable: &str| std::env::var(variable).ok()).map_err(|error| error.to_string())
}

/// Reads a time with its unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (digits, scale) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => (digits, 0.001),
        (None, Some(digits)) => (digits, 1.0),
        (None, None) => (text, 1.0),
    };
    let seconds = digits.trim().parse::<f64>().ok().map(|number| number * scale);
    let seconds = seconds.filter(|seconds| (0.001..=3600.0).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("`{text}` is no time from 1ms to 3600s: write 5, 0.5 or 500ms"))
}

impl TargetOptions {
    /// Where the broker listens, if that is said.
    fn url(&self) -> Option<&Address> {
        self.said_url().or_else(|| self.endpoint().map(|endpoint| &endpoint.address))
    }

    /// Where the command line says that it listens.
    fn said_url(&self) -> Option<&Address> {
        self.places.iter().find_map(|place| match place {
            Place::Url(url) => Some(url),
            Place::File(_) => None,
        })
    }

    /// The one of the target file's endpoints that is tested: that of --transport, or else the plainest.
    fn endpoint(&self) -> Option<&Endpoint> {
        let endpoints = &self.target_file.as_ref()?.mqtt;
        match self.transport {
            Some(scheme) => endpoints.get(&scheme),
            None => endpoints.values().next(),
        }
    }

    /// How the broker is reached.
    fn way(&self) -> RouteOptions {
        match self.said_url() {
            Some(_) => self.way.clone(),
            None => self.way.trusting(self.endpoint().and_then(|endpoint| endpoint.cafile.as_deref())),
        }
    }

    /// The case files that are named with the target.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.places.iter().filter_map(|place| match place {
            Place::Url(_) => None,
            Place::File(path) => Some(path),
        })
    }

    /// Whether it is not the embedded broker.
    pub(crate) fn is_network(&self) -> bool {
        self.url().is_some() || self.start.is_some()
    }

    /// Finds out what cannot be carried out.
    pub(crate) fn check(&self) -> Result<(), Told> {
        if self.places.len() > self.files().count() + 1 {
            complain(&"there is more than one URL: one broker is tested at a time");
            return Err(Told);
        }
        if let (None, Some(start)) = (self.url(), &self.start)
            && !start.takes_port()
        {
            complain(&"--start needs `{port}` in its command, or a URL that says where the broker will listen");
            return Err(Told);
        }
        if let (Some(url), Some(_)) = (self.said_url(), self.transport) {
            complain(&format_args!("--transport says again what {url} says: leave it out"));
            return Err(Told);
        }
        if let (Some(scheme), Some(file), None) = (self.transport, &self.target_file, self.url())
            && !file.mqtt.is_empty()
        {
            let known: Vec<&str> = file.mqtt.keys().map(|scheme| scheme.name()).collect();
            let name = &file.name;
            return Err(told(&format_args!(
                "--transport {scheme}: {name} has no such endpoint, but {}",
                known.join(", ")
            )));
        }
        if !self.is_network() && self.target_file.is_some() {
            return Err(told(&"--target-file is about a broker in a network: say where it is, there or with a URL"));
        }
        if !self.is_network() && self.way.transport_command().is_some() {
            complain(&"--transport-command carries to a broker in a network: give its URL");
            return Err(Told);
        }
        let option = self.way.for_tls().filter(|_| !self.is_network() || !self.speaks_tls());
        if let Some(option) = option {
            complain(&format_args!("{option} is for TLS: give an mqtts:// or wss:// URL"));
            return Err(Told);
        }
        Ok(())
    }

    /// What all connections log in with.
    pub(crate) fn credentials(&self) -> Result<Credentials, Told> {
        self.login.credentials()
    }

    /// What carries the connections.
    pub(crate) fn scheme(&self) -> Scheme {
        self.url().map(|url| url.scheme).or(self.transport).unwrap_or(Scheme::Mqtt)
    }

    /// What the broker is reached by in the end: a transport command may encrypt too.
    pub(crate) fn carried_by(&self) -> Scheme {
        Scheme::of(self.scheme().has_tls() || self.way.command_encrypts(), self.scheme().has_web_socket())
    }

    /// The broker in a network.
    pub(crate) fn network(&self) -> Result<NetworkTarget, Told> {
        let scheme = self.scheme();
        let address = self.url().cloned().unwrap_or_else(|| Address::loopback(scheme, scheme.default_port()));
        let route = self.way().route(address).map_err(|error| {
            complain(&error);
            Told
        })?;
        let free_port = self.url().is_none();
        let transport = if route.arrives_by().has_tls() { Transport::Encrypted } else { Transport::Plain };
        let (start, ready_within) = (self.start.clone(), self.ready_within);
        Ok(NetworkTarget { route, transport, free_port, start, ready_within, devices: self.devices() })
    }

    /// The cloud side of a broker in a network.
    pub(crate) fn cloud(&self) -> Result<Option<CloudTarget>, Told> {
        self.cloud.target(&self.way, self.target_file.as_ref())
    }

    /// The actors of cases that the target has nothing for. The embedded broker has all.
    pub(crate) fn absent_actors(&self) -> Vec<&'static str> {
        if self.is_network() { self.cloud.absent(self.target_file.as_ref()) } else { Vec::new() }
    }

    /// What a person has to be told about the way, loudly.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        self.way.warning(Scheme::of(self.speaks_tls(), false))
    }

    /// Whether something of it is reached over TLS of ours.
    fn speaks_tls(&self) -> bool {
        self.scheme().has_tls() || self.cloud.has_tls(self.target_file.as_ref())
    }

    /// The devices that the broker knows.
    fn devices(&self) -> Option<Arc<Registry>> {
        self.target_file.as_ref()?.devices.clone()
    }

    /// As a person names it.
    pub(crate) fn name(&self) -> String {
        let url = self.url().into_iter().map(ToString::to_string);
        let parts: Vec<String> = url.chain(self.start.iter().map(ToString::to_string)).collect();
        let name = if parts.is_empty() { "embedded".to_owned() } else { parts.join(", ") };
        let over =
            self.transport.filter(|_| self.url().is_none()).map(|scheme| format!(" over {scheme}")).unwrap_or_default();
        let command = self.way.transport_command();
        let through = command.map(|command| format!(" through `{command}`")).unwrap_or_default();
        format!("{name}{over}{through}")
    }

    /// The options that name the same target again, each with a blank before it.
    pub(crate) fn again(&self) -> String {
        let mut options = String::new();
        if let Some(url) = self.said_url() {
            options = format!("{options} {url}");
        }
        if let Some(file) = &self.target_file {
            options = format!("{options} --target-file {}", quote(&file.name));
        }
        if let Some(start) = &self.start {
            options = format!("{options} --start {}", quote(&start.to_string()));
        }
        if let Some(scheme) = self.transport {
            options = format!("{options} --transport {scheme}");
        }
        for (name, value) in self.way.again() {
            let value = value.map(|value| format!(" {}", quote(&value))).unwrap_or_default();
            options = format!("{options} {name}{value}");
        }
        for (option, value) in self.cloud.again() {
            options = format!("{options} {option} {}", quote(&value));
        }
        if let Some(user_name) = &self.login.user_name {
            options = format!("{options} --user-name {}", quote(user_name));
        }
        if let Some(variable) = &self.login.password_env {
            options = format!("{options} --password-env {}", quote(variable));
        }
        options
    }
}

/// A word as a shell takes it.
pub(crate) fn quote(text: &str) -> String {
    // A null character cannot have come from a command line.
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}
