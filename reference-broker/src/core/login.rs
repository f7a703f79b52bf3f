//! Who a CONNECT is: a Client by its Client Identifier, or a device of the IoT Platform by its User Name.
//!
//! Of a device all that a login says of itself is looked at first, then the registry: whether the Password is the signature, or
//! the token, that only this device can have. A refusal does not tell which of both was wrong. Nothing else happens
//! before: a wrong login throws nobody out.

use super::broker::{ConnectionId, Core};
use super::connect::Refused;
use crate::settings::Logins;
use crate::switch::Switch;
use model::device::{Device, ExtendedIdentifier, Extras, Registration, Registry, Secret, SignMethod};
use model::packet::{Connect, ConnectReturnCode, ProtocolVersion, ReasonCode, Utf8String};

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// A Client's, by its Client Identifier.
    Client(Utf8String),
    /// A device's, whatever its Client Identifier (P-CON-3).
    Device(Device),
    /// That of a connection which is there to register a device.
    Nobody(ConnectionId),
}

/// What a CONNECT shows of a login, and has been found right.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) owner: Owner,
    /// The Client Identifier that the broker chose for a Client that left it to it.
    pub(super) assigned: Option<Utf8String>,
    /// What the device asked for beside its session.
    pub(super) extras: Extras,
    /// What it is there to register.
    pub(super) registration: Option<(Registration, Device)>,
}

impl Owner {
    /// The device that is logged in.
    pub(super) fn device(&self) -> Option<&Device> {
        match self {
            Owner::Device(device) => Some(device),
            Owner::Client(_) | Owner::Nobody(_) => None,
        }
    }
}

impl Login {
    fn of(owner: Owner) -> Login {
        Login { owner, assigned: None, extras: Extras::default(), registration: None }
    }
}

fn credentials() -> Refused {
    let says = "user name or password is wrong"; // not which, and not whose.
    Refused::new(ConnectReturnCode::BadUserNameOrPassword, ReasonCode::BadUserNameOrPassword, says)
}

impl Core {
    /// Reads the login of a CONNECT and holds it against the registry.
    pub(super) fn check_login(
        &mut self,
        id: ConnectionId,
        version: ProtocolVersion,
        connect: &Connect,
    ) -> Result<Login, Refused> {
        let device = connect.user_name.as_deref().and_then(Device::of_user_name);
        match (self.settings.logins.clone(), device) {
            (Logins::Believed, Some(device)) if connect.client_id.contains('|') => {
                self.check_device(id, version, connect, device, None)
            }
            (Logins::Clients | Logins::Believed, _) => self.check_client(version, connect),
            (Logins::Registered(registry), Some(device)) => {
                self.check_device(id, version, connect, device, Some(&registry))
            }
            (Logins::Registered(_), None) => Err(credentials()),
        }
    }

    fn check_client(&mut self, version: ProtocolVersion, connect: &Connect) -> Result<Login, Refused> {
        self.check_client_id(version, connect)?;
        if !connect.client_id.is_empty() {
            return Ok(Login::of(Owner::Client(connect.client_id.clone())));
        }
        let assigned = self.sessions.assign_client_id();
        Ok(Login { assigned: Some(assigned.clone()), ..Login::of(Owner::Client(assigned)) })
    }

    fn check_device(
        &mut self,
        id: ConnectionId,
        version: ProtocolVersion,
        connect: &Connect,
        device: Device,
        registry: Option<&Registry>,
    ) -> Result<Login, Refused> {
        let identifier: ExtendedIdentifier = match connect.client_id.parse() {
            Ok(identifier) => identifier,
            Err(_) if self.settings.misbehaves(Switch::MalformedParametersIgnored) => {
                return Ok(Login::of(Owner::Device(device)));
            }
            Err(error) => return Err(Refused::client_id(format!("client identifier: {error}"))),
        };
        self.check_identifier(id, version, &identifier)?;
        let assigned = identifier.name().is_empty().then(|| self.sessions.assign_client_id());
        if connect.password.is_none() && self.settings.misbehaves(Switch::PasswordNotAsked) {
            return Ok(Login::of(Owner::Device(device)));
        }
        let password = connect.password.as_deref().ok_or_else(credentials)?;
        if let Some(registration) = Registration::of(&identifier) {
            if let Some(registry) = registry {
                self.check_registration(id, registry, registration, &identifier, &device, password)?;
            }
            let registration = Some((registration, device));
            return Ok(Login { registration, assigned, ..Login::of(Owner::Nobody(id)) });
        }
        if let Some(registry) = registry {
            self.check_password(registry, &identifier, &device, password)?;
        }
        self.check_disabled(&device)?;
        self.check_history(version, &device)?;
        if self.settings.misbehaves(Switch::NameIsTheSession) {
            let owner = Owner::Device(Device::new(device.product_key(), identifier.name()));
            return Ok(Login { extras: identifier.extras(), assigned, ..Login::of(owner) });
        }
        Ok(Login { extras: identifier.extras(), assigned, ..Login::of(Owner::Device(device)) })
    }

    /// What a Client Identifier says of itself.
    fn check_identifier(
        &self,
        id: ConnectionId,
        version: ProtocolVersion,
        identifier: &ExtendedIdentifier,
    ) -> Result<(), Refused> {
        let limit = self.settings.limits.client_identifier_characters;
        if identifier.name().chars().count() > limit && !self.settings.misbehaves(Switch::ClientIdentifierNotMeasured) {
            return Err(Refused::client_id(format!(
                "client identifier: at most {limit} characters before the first |"
            )));
        }
        if identifier.name().is_empty() && !version.has_properties() {
            return Err(Refused::client_id("client identifier: nothing before the first |"));
        }
        if identifier.repeats_a_parameter() {
            return Err(Refused::client_id("client identifier: a parameter stands there twice"));
        }
        if !self.settings.misbehaves(Switch::SignMethodGuessed) {
            identifier.sign_method().map_err(|error| Refused::client_id(format!("client identifier: {error}")))?;
        }
        let mode = identifier.secure_mode().map_err(|error| Refused::client_id(error.to_string()))?;
        let carried = self.transport_of(id);
        match mode {
            Some(_) if self.settings.misbehaves(Switch::TcpModeRefused) => {
                Err(Refused::client_id("securemode is not that of this transport"))
            }
            Some(mode) if mode.transport != carried => {
                Err(Refused::client_id("securemode is not that of this transport"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_password(
        &self,
        registry: &Registry,
        identifier: &ExtendedIdentifier,
        device: &Device,
        password: &[u8],
    ) -> Result<(), Refused> {
        let is_guessed = identifier.sign_method().is_err(); // Or the login was refused before.
        if self.settings.misbehaves(Switch::SignatureNotChecked) || is_guessed {
            return Ok(());
        }
        if identifier.parameter("authType") == Some(Registration::TOKEN_LOGIN) {
            let is_right = self.settings.misbehaves(Switch::TokenNotChecked)
                || self.devices.token_is(device, identifier.name(), password);
            return if is_right { Ok(()) } else { Err(credentials()) };
        }
        let known = registry.device(device);
        let secret = self.devices.secret(device).or(known.and_then(|known| known.secret.as_ref()));
        if secret.is_none() && self.settings.misbehaves(Switch::UnknownDeviceAccepted) {
            return Ok(());
        }
        // Who is not known takes as long to refuse as a wrong signature.
        let nobody = Secret::new("");
        let is_signed = self.is_signed(identifier, device, secret.unwrap_or(&nobody), password);
        if is_signed && secret.is_some() { Ok(()) } else { Err(credentials()) }
    }

    fn is_signed(&self, identifier: &ExtendedIdentifier, device: &Device, secret: &Secret, password: &[u8]) -> bool {
        let misbehaves = |switch| self.settings.misbehaves(switch);
        let is_missed = misbehaves(Switch::SignatureOfOneCase) && password.iter().any(u8::is_ascii_uppercase)
            || misbehaves(Switch::SignatureOfOneMethod) && identifier.sign_method() != Ok(SignMethod::HmacSha256)
            || misbehaves(Switch::TimestampNotSigned) && identifier.parameter("timestamp").is_some()
            || misbehaves(Switch::UnknownParametersRefused) && identifier.parameter("_v").is_some()
            || misbehaves(Switch::ParametersInOrder) && identifier.to_string().ends_with("securemode=3|")
            || misbehaves(Switch::ClientIdentifierMustBeSigned)
                && self.leaves_name_out(identifier, device, secret, password);
        !is_missed && identifier.is_signed_by(device, secret, password) == Ok(true)
    }

    /// Whether a signature is right only without the Client Identifier.
    fn leaves_name_out(
        &self,
        identifier: &ExtendedIdentifier,
        device: &Device,
        secret: &Secret,
        password: &[u8],
    ) -> bool {
        let content = model::device::signed_at_login(device, None, identifier.parameter("timestamp"));
        identifier.sign_method().is_ok_and(|method| method.is_signature(secret, content.as_bytes(), password))
    }

    ///
    fn check_disabled(&self, device: &Device) -> Result<(), Refused> {
        if self.devices.is_disabled(device) && !self.settings.misbehaves(Switch::DisabledDeviceAccepted) {
            return Err(Refused::new(
                ConnectReturnCode::NotAuthorized,
                ReasonCode::NotAuthorized,
                "device is disabled",
            ));
        }
        Ok(())
    }

    /// What the device did before: how often it connected, and with which version (N-VER-1).
    fn check_history(&mut self, version: ProtocolVersion, device: &Device) -> Result<(), Refused> {
        let is_older = !version.has_properties() && self.devices.has_used_5_0(device);
        if is_older && !self.settings.versions_step_back {
            return Err(Refused::new(
                ConnectReturnCode::UnacceptableProtocolVersion,
                ReasonCode::UnsupportedProtocolVersion,
                "the device has used 5.0",
            ));
        }
        let limit = self.settings.limits.connects_per_minute;
        let keeps = self.settings.misbehaves(Switch::RefusedForGood);
        if self.devices.connects(device, version, if keeps { 0 } else { self.now }, limit) {
            return Ok(());
        }
        let says = format!("at most {limit} connects a minute");
        Err(Refused::new(ConnectReturnCode::ServerUnavailable, ReasonCode::ServerBusy, says))
    }
}
