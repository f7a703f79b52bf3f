//! Devices of the IoT Platform: who they are, how they log in, and who knows their secrets. A shared room, like the codec: the
//! model, the reference broker, the reference client and the harness all use it, and each decides for itself what a login
//! is worth.
//!
//! ```text
//!   User Name          lamp-01&a1B2c3D4e5F ──────────────────► Device
//!   Client Identifier  gate|securemode=3,signmethod=..| ─────► ExtendedIdentifier ─┐
//!                                                                                  ▼
//!   Password           61f269d3..  ◄── SignMethod (HMAC) ◄── Secret of the device, what is signed
//!                           │                                       ▲
//!                           └─ Credentials: all three together      Registry: products, devices, secrets (YAML)
//! ```
//!
//! A device makes its login, and a server that knows the secret holds the Password against it:
//!
//! ```
//! use model::device::{Device, DeviceLogin, ExtendedIdentifier, Secret};
//!
//! let (device, secret) = (Device::new("a1B2c3D4e5F", "lamp-01"), Secret::new("s3cr3t-of-lamp-01"));
//! let credentials = DeviceLogin::new(device.clone()).sign(&secret);
//! assert_eq!(credentials.user_name, "lamp-01&a1B2c3D4e5F");
//! assert_eq!(credentials.client_id, "a1B2c3D4e5F.lamp-01|securemode=3,signmethod=hmacsha256|");
//!
//! let identifier: ExtendedIdentifier = credentials.client_id.parse()?;
//! assert!(identifier.is_signed_by(&device, &secret, credentials.password.as_bytes())?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where to read next: [`ExtendedIdentifier`], [`SignMethod`], [`Registry`].

/// What a device that asked for notices is told on `/ext/notify` when it logs in on another connection (P-CON-5).
pub const KICK_NOTICE: &str = r#"{"title":"kick","content":"Kicked by the same device"}"#;

mod identifier;
mod login;
mod name;
mod registration;
mod registry;
mod registry_file;
mod secret;
mod secret_source;
mod signature;

pub use identifier::{ExtendedIdentifier, Extras, IdentifierError, SecureMode, Transport, UnknownSecureMode};
pub use login::{Credentials, DeviceLogin};
pub use name::{Device, NameError};
pub use registration::{Answer, Registration, UnknownRegistration};
pub use registry::{Product, Registered, Registry};
pub use registry_file::{ProductSheets, RegistryError};
pub use secret::Secret;
pub use secret_source::{Environment, SecretSource};
pub use signature::{SignMethod, UnknownSignMethod, signed_at_login, signed_at_registration};
