//! Options that every program with a connection has.

use crate::address::{Address, Scheme};
use crate::command::TransportCommand;
use crate::route::Route;
use crate::tls::pem::FileError;
use crate::tls::{ClientTls, Identity, Trust};
use clap::Args;
use std::path::{Path, PathBuf};

/// How a client gets to a server.
#[derive(Debug, Clone, Default, Args)]
pub struct RouteOptions {
    /// Trust the authorities in this PEM file, and no others [default: those of the system]
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    cafile: Option<PathBuf>,
    /// Believe every certificate: whoever stands in between can read and change all
    #[arg(long)]
    insecure: bool,
    /// The client's own certificate, for a server that asks for one; PEM, with those that lead to its authority
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The private key of --cert
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Let this command carry MQTT, on its standard input and output, in the place of TCP; `{host}` and `{port}` stand for
    /// where to
    #[arg(long, value_name = "COMMAND", value_parser = TransportCommand::parse)]
    transport_command: Option<TransportCommand>,
    /// --transport-command encrypts, as `openssl s_client` does: devices say so in their logins
    #[arg(long, requires = "transport_command")]
    command_encrypts: bool,
}

impl RouteOptions {
    /// The way to `address`.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn route(&self, address: Address) -> Result<Route, FileError> {
        let route = Route::new(address, || self.tls(), self.transport_command.clone())?;
        Ok(if self.command_encrypts { route.by_a_command_that_encrypts() } else { route })
    }

    /// The way to `address` without the command: to what is beside the server of MQTT.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn direct_route(&self, address: Address) -> Result<Route, FileError> {
        Route::new(address, || self.tls(), None)
    }

    /// The same to something that has an authority of its own, unless the options say whom to trust.
    #[must_use]
    pub fn trusting(&self, cafile: Option<&Path>) -> RouteOptions {
        let is_said = self.cafile.is_some() || self.insecure;
        let cafile = if is_said { self.cafile.clone() } else { cafile.map(Path::to_owned) };
        RouteOptions { cafile, ..self.clone() }
    }

    /// How to speak TLS.
    fn tls(&self) -> Result<ClientTls, FileError> {
        let identity = match (&self.cert, &self.key) {
            (Some(certificate), Some(key)) => Some(Identity::from_files(certificate, key)?),
            _ => None,
        };
        ClientTls::new(&self.trust(), identity)
    }

    fn trust(&self) -> Trust {
        match &self.cafile {
            Some(path) => Trust::Authorities(path.clone()),
            None if self.insecure => Trust::Anybody,
            None => Trust::System,
        }
    }

    /// What a person has to be told about these options with this scheme, if anything.
    #[must_use]
    pub fn warning(&self, scheme: Scheme) -> Option<&'static str> {
        (self.insecure && scheme.has_tls())
            .then_some("--insecure: no certificate was checked, so nobody knows who was at the other end")
    }

    /// Whether one of them is set that means nothing without TLS: its name.
    #[must_use]
    pub fn for_tls(&self) -> Option<&'static str> {
        let set = [(self.cafile.is_some(), "--cafile"), (self.insecure, "--insecure"), (self.cert.is_some(), "--cert")];
        set.into_iter().find_map(|(is_set, name)| is_set.then_some(name))
    }

    /// The command that carries the bytes.
    #[must_use]
    pub fn transport_command(&self) -> Option<&TransportCommand> {
        self.transport_command.as_ref()
    }

    /// Whether that command encrypts.
    #[must_use]
    pub fn command_encrypts(&self) -> bool {
        self.command_encrypts
    }

    /// The options that say the same again, as names and values.
    #[must_use]
    pub fn again(&self) -> Vec<(&'static str, Option<String>)> {
        let path = |path: &PathBuf| Some(path.display().to_string());
        let mut options = Vec::new();
        options.extend(self.cafile.as_ref().map(|file| ("--cafile", path(file))));
        options.extend(self.insecure.then_some(("--insecure", None)));
        options.extend(self.cert.as_ref().map(|file| ("--cert", path(file))));
        options.extend(self.key.as_ref().map(|file| ("--key", path(file))));
        let command = self.transport_command.as_ref();
        options.extend(command.map(|command| ("--transport-command", Some(command.to_string()))));
        options.extend(self.command_encrypts.then_some(("--command-encrypts", None)));
        options
    }
}
