//! Who a CONNECT is: a client by its Client Identifier, or a device by its User Name.
//!
//! On the IoT Platform a device logs in with the User Name `deviceName&productKey`. The session is the device's then, whatever
//! the Client Identifier says (P-CON-3): that one carries parameters of the login behind a name that the user chose,
//! `name|securemode=3,signmethod=hmacsha256|` (P-CID-1). Whether the signature in the Password is right, and for which timestamp,
//! cannot be seen without the device's secret; all else about a login can be told from the packet, and is told here. No
//! timestamp is too old (P-CID-6), and a token in place of the signature looks the same (P-REG-6).
//!
//! ```
//! use model::packet::{Connect, ProtocolVersion};
//! use model::profile::Profile;
//! use model::server::identity::{Identity, Login};
//!
//! let connect = Connect {
//!     client_id: "a1B2.lamp|securemode=3,signmethod=hmacsha256,ext=1|".try_into()?,
//!     user_name: Some("lamp&a1B2".try_into()?),
//!     password: Some(b"61f269d3".to_vec()),
//!     ..Connect::default()
//! };
//! let platform = Profile::builtin("platform").expect("it is built in");
//! let login = Login::read(platform, &connect, ProtocolVersion::V3_1_1, None);
//! let Identity::Device(device) = &login.identity else { panic!("it is a device") };
//! assert_eq!((device.product_key(), device.name()), ("a1B2", "lamp"));
//! assert!(login.offence.is_none() && login.extras.custom_calls);
//! # Ok::<(), model::packet::TextError>(())
//! ```

use crate::device::{Device, ExtendedIdentifier, Extras, Registration, SecureMode, Transport};
use crate::packet::{Connect, ProtocolVersion};
use crate::profile::{Feature, Offence, Profile};

/// Client Identifiers of up to so many letters and digits must be accepted (MQTT-3.1.3-5).
const PLAIN_CLIENT_ID: usize = 23;

/// Whose session a CONNECT asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// A client's, by its Client Identifier.
    Client(String),
    /// That of a client which the server gives an identifier.
    Assigned,
    /// A device's.
    Device(Device),
    /// Nobody's: the connection is there to ask for a device's secret or token (P-REG-2, P-REG-4, P-REG-5).
    Registration(Device),
}

/// What a CONNECT shows of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Whose session it asks for.
    pub identity: Identity,
    /// What is wrong with it, if something is.
    pub offence: Option<Offence>,
    /// What the device asked for beside its session.
    pub extras: Extras,
}

impl Identity {
    /// The device on the connection, if there is one. One that asks for its secret is not logged in.
    #[must_use]
    pub fn device(&self) -> Option<&Device> {
        match self {
            Identity::Device(device) => Some(device),
            Identity::Client(_) | Identity::Assigned | Identity::Registration(_) => None,
        }
    }
}

impl Login {
    /// Reads the login out of a CONNECT. A User Name that names no device leaves the client with its Client Identifier, as
    /// the standard has it, unless the dialect knows devices only. `transport` is compared with what the login says of it.
    #[must_use]
    pub fn read(profile: &Profile, connect: &Connect, version: ProtocolVersion, transport: Option<Transport>) -> Login {
        let user_name = connect.user_name.as_ref().filter(|_| profile.has_in(Feature::DeviceLogin, version));
        match user_name.and_then(|user_name| Device::of_user_name(user_name)) {
            Some(device) => Login::of_device(profile, connect, version, transport, device),
            None => Login::of_client(profile, connect, version),
        }
    }

    /// Whether a device leaves the name before its parameters to the server, which has to tell it then (P-CID-13).
    #[must_use]
    pub fn leaves_its_name(profile: &Profile, connect: &Connect, version: ProtocolVersion) -> bool {
        let is_unnamed = |login: ExtendedIdentifier| login.name().is_empty();
        version.has_properties()
            && profile.is_held_to("P-CID-13", version)
            && connect.client_id.parse().is_ok_and(is_unnamed)
            && Login::read(profile, connect, version, None).identity.device().is_some()
    }

    fn of_client(profile: &Profile, connect: &Connect, version: ProtocolVersion) -> Login {
        let id = &connect.client_id;
        let is_plain = match profile.limits().client_identifier_characters {
            // P-CID-2, P-VER-4.
            Some(limit) => (1..=usize::from(limit)).contains(&id.chars().count()),
            None => (1..=PLAIN_CLIENT_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        };
        let login = match profile.has_in(Feature::DeviceLogin, version) {
            true => id.parse::<ExtendedIdentifier>().ok(),
            false => None,
        };
        // The parameters of a login show that a device was meant.
        let knows_devices = profile.has_in(Feature::DeviceLogin, version) && profile.registry().is_some();
        let lacks_device = match &login {
            _ if knows_devices => true,
            Some(login) => !login.secure_mode().is_ok_and(|mode| mode.is_some_and(|mode| mode.is_guided)),
            None => profile.has_in(Feature::DeviceLoginOnly, version),
        };
        let offence = match is_plain {
            _ if lacks_device => Some(Offence::BadUserNameOrPassword),
            // P-VER-4: the extended form is longer than the standards promise.
            _ if login.is_some() => None,
            true => None,
            false if id.is_empty() && profile.promises(Feature::EmptyClientId) => None,
            false => Some(Offence::ClientIdentifierUnusual),
        };
        let identity = match id.is_empty() {
            true => Identity::Assigned,
            false => Identity::Client(id.to_string()),
        };
        Login { identity, offence, extras: Extras::default() }
    }

    fn of_device(
        profile: &Profile,
        connect: &Connect,
        version: ProtocolVersion,
        transport: Option<Transport>,
        device: Device,
    ) -> Login {
        let id = connect.client_id.as_str();
        let fail = |offence| Login {
            identity: Identity::Device(device.clone()),
            offence: Some(offence),
            extras: Extras::default(),
        };
        if !id.contains('|') && profile.registry().is_none() {
            // No row says what a login without parameters is worth to a server that believes it.
            return fail(Offence::ClientIdentifierUnusual);
        }
        let Ok(login) = id.parse::<ExtendedIdentifier>() else { return fail(Offence::ClientIdentifierNotValid) };
        let limit = profile.limits().client_identifier_characters;
        if limit.is_some_and(|limit| login.name().chars().count() > usize::from(limit)) {
            return fail(Offence::ClientIdentifierNotValid);
        }
        let secure_mode = login.secure_mode();
        let is_other = |mode: SecureMode| transport.is_some_and(|transport| transport != mode.transport);
        let offence = if connect.password.is_none() {
            // P-CON-1.
            Some(Offence::BadUserNameOrPassword)
        } else if login.sign_method().is_err() {
            Some(Offence::SignMethodUnknown)
        } else if secure_mode.is_err() || secure_mode.is_ok_and(|mode| mode.is_some_and(is_other)) {
            Some(Offence::SecureModeMismatch)
        } else if login.repeats_a_parameter() || (login.name().is_empty() && !version.has_properties()) {
            // P-CID-13 speaks of 5.0 only; of twice the same no row speaks.
            Some(Offence::ClientIdentifierUnusual)
        } else {
            None
        };
        let identity =
            if Registration::of(&login).is_some() { Identity::Registration(device) } else { Identity::Device(device) };
        Login { identity, offence, extras: login.extras() }
    }

    /// Whether the range of Keep Alive holds for this connection: not while a device registers (P-REG-1).
    #[must_use]
    pub fn is_held_to_keep_alive(&self) -> bool {
        !matches!(self.identity, Identity::Registration(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProtocolVersion::{V3_1, V3_1_1, V5_0};

    fn login_in(version: ProtocolVersion, client_id: &str, user_name: &str) -> Login {
        let connect = Connect {
            client_id: client_id.try_into().unwrap(),
            user_name: Some(user_name.try_into().unwrap()),
            password: Some(b"0123".to_vec()),
            ..Connect::default()
        };
        Login::read(Profile::builtin("platform").unwrap(), &connect, version, None)
    }

    fn login(client_id: &str) -> Login {
        login_in(V3_1_1, client_id, "lamp&pk")
    }

    #[test]
    fn a_device_is_known_by_its_user_name_alone() {
        let device = Identity::Device(Device::new("pk", "lamp"));
        // P-CID-14, P-CID-7, P-CID-8, P-CID-11, P-CID-4.
        for id in [
            "pk.lamp|timestamp=2524608000000,_ss=1,_v=sdk-c-4.1.0,securemode=2,signmethod=hmacsha256,ext=3,|",
            "12345|securemode=3,signmethod=hmacsha1|",
            "12345|signmethod=hmacsha1,securemode=3|",
            "12345|securemode=3,,lan=C,gw=0|",
            "12345|securemode=3|",
            "12345||",
        ] {
            let login = login(id);
            assert_eq!((login.identity, login.offence), (device.clone(), None), "{id}");
        }
        assert_eq!(login("x").identity, device);
    }

    #[test]
    fn ext_is_a_set_of_bits() {
        let extras = |bits: &str| login(&format!("a|securemode=3,ext={bits}|")).extras;
        assert_eq!(extras("0"), Extras::default());
        assert_eq!(extras("1"), Extras { custom_calls: true, notices: false });
        assert_eq!(extras("2"), Extras { custom_calls: false, notices: true });
        assert_eq!(extras("3"), Extras { custom_calls: true, notices: true });
        assert_eq!(extras("many"), Extras::default());
    }

    #[test]
    fn a_malformed_client_identifier_is_an_offence() {
        for id in [
            "a|securemode=3",
            "a|securemode=3|b",
            "a|securemode|",
            "a|=3|",
            "a|b=1|c=2|",
            "|",
            &format!("{}||", "x".repeat(65)),
        ] {
            assert_eq!(login(id).offence, Some(Offence::ClientIdentifierNotValid), "{id}");
        }
        assert_eq!(login(&format!("{}||", "x".repeat(64))).offence, None);
        assert_eq!(login("a|signmethod=sha256|").offence, Some(Offence::SignMethodUnknown));
        assert_eq!(login("a|securemode=9|").offence, Some(Offence::SecureModeMismatch));
        assert_eq!(login("a|ext=1,ext=0|").offence, Some(Offence::ClientIdentifierUnusual));
        assert_eq!(login("a").offence, Some(Offence::ClientIdentifierUnusual));
    }

    #[test]
    fn an_empty_name_is_for_the_server_of_5_0_to_fill() {
        let offence = |version| login_in(version, "|securemode=2,signmethod=hmacsha256|", "lamp&pk").offence;
        assert_eq!(offence(V5_0), None);
        assert_eq!([V3_1, V3_1_1].map(offence), [Some(Offence::ClientIdentifierUnusual); 2]);
    }

    #[test]
    fn the_secure_mode_names_the_transport() {
        let platform = Profile::builtin("platform").unwrap();
        let offence = |mode: &str, transport| {
            let connect = Connect {
                client_id: format!("a|securemode={mode}|").try_into().unwrap(),
                user_name: Some("lamp&pk".try_into().unwrap()),
                password: Some(Vec::new()),
                ..Connect::default()
            };
            Login::read(platform, &connect, V5_0, transport).offence
        };
        let mismatch = Some(Offence::SecureModeMismatch);
        assert_eq!(["2", "3"].map(|mode| offence(mode, None)), [None; 2]);
        assert_eq!(["2", "3"].map(|mode| offence(mode, Some(Transport::Encrypted))), [None, mismatch]);
        assert_eq!(["2", "3"].map(|mode| offence(mode, Some(Transport::Plain))), [mismatch, None]);
    }

    #[test]
    fn a_login_lacks_what_a_device_must_send() {
        assert_eq!(login_in(V5_0, "a|securemode=3|", "lamp").offence, Some(Offence::BadUserNameOrPassword));
        // Another service has named the user.
        assert_eq!(login_in(V5_0, "a|securemode=-1|", "iot-id").offence, None);
    }

    #[test]
    fn a_plain_login_is_a_client_unless_the_dialect_has_only_devices() {
        let plain = login_in(V5_0, "sub", "mqttspec");
        assert_eq!((plain.identity, plain.offence), (Identity::Client("sub".to_owned()), None));
        let text = "name: mine\nabout: A.\nextends: platform\nfeatures: {device-login-only: true}\n";
        let strict = Profile::load("mine.yaml", text).unwrap();
        let connect = Connect { client_id: "sub".try_into().unwrap(), ..Connect::default() };
        let offence = Login::read(&strict, &connect, V5_0, None).offence;
        assert_eq!(offence, Some(Offence::BadUserNameOrPassword));
        // In a dialect without devices a User Name means nothing.
        let connect = Connect { user_name: Some("lamp&pk".try_into().unwrap()), ..connect };
        let login = Login::read(Profile::builtin("standard").unwrap(), &connect, V5_0, None);
        assert_eq!((login.identity, login.offence), (Identity::Client("sub".to_owned()), None));
    }

    #[test]
    fn who_registers_is_nobody_yet() {
        let registration = Identity::Registration(Device::new("pk", "lamp"));
        for id in [
            "lamp.pk|securemode=2,authType=register,random=567345,signmethod=hmacsha256|",
            "lamp.pk|securemode=-2,authType=regnwl,random=567345,signmethod=hmacsha256,instanceId=i|",
        ] {
            let login = login(id);
            assert!(!login.is_held_to_keep_alive() && login.identity.device().is_none());
            assert_eq!((login.identity, login.offence), (registration.clone(), None), "{id}");
        }
        let token = login("id|securemode=-2,authType=connwl|");
        assert!(token.identity.device().is_some() && token.is_held_to_keep_alive());
    }
}
