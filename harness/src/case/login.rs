//! How an actor logs in as a device: right by default, and wrong in any part that a script names.

use super::data::Data;
use super::nullable::Nullable;
use super::roster::STRANGERS;
use super::scope::{Identity, Scope};
use super::template::BuildError;
use super::value::Text;
use model::device::{
    Answer, Device, Registration, Secret, SignMethod, Transport, signed_at_login, signed_at_registration,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// `login:` of a CONNECT.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LoginFields {
    /// Whose device: an actor's, or `unknown`, `disabled`, `unregistered`; by default the actor's own.
    pub(super) device: Option<Text>,
    /// What stands before the first bar of the Client Identifier; by default product key and device name.
    pub(super) name: Option<Text>,
    /// The parameter of this name; by default that of the transport; null for none.
    pub(super) securemode: Option<Nullable<Text>>,
    /// The parameter of this name; by default hmacsha256; null for none, which means hmacmd5.
    pub(super) signmethod: Option<Nullable<Text>>,
    /// The parameter of this name, in milliseconds; by default none.
    pub(super) timestamp: Option<Nullable<Text>>,
    /// Further parameters, as they stand between commas: `ext=1`.
    pub(super) parameters: Vec<Text>,
    /// What is signed, where it is not what is sent.
    pub(super) signed: SignedFields,
    /// Letters of the signature: lower by default.
    pub(super) letters: Letters,
    /// What carries the connection; by default what the target has.
    pub(super) over: Option<Over>,
    /// Asks for the secret or a token of the device in place of logging in.
    pub(super) registers: Option<Registers>,
    /// The random number of a registration; by default 567345.
    pub(super) random: Option<Text>,
    /// Logs in with what a registration brought: the payload of its answer.
    pub(super) answer: Option<Data>,
}

/// What is signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SignedFields {
    /// With which secret.
    pub(super) secret: Option<Text>,
    /// With which method.
    pub(super) signmethod: Option<Text>,
    /// Which Client Identifier; null for none.
    pub(super) client_id: Option<Nullable<Text>>,
    /// Which timestamp; null for none.
    pub(super) timestamp: Option<Nullable<Text>>,
    /// Whose: a device by the name of an actor.
    pub(super) device: Option<Text>,
    /// Which random number, at a registration.
    pub(super) random: Option<Text>,
}

/// Letters of a hexadecimal number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Letters {
    /// As most devices send them.
    #[default]
    Lower,
    /// As some vendor clients send them.
    Upper,
}

/// What carries a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Over {
    /// TCP.
    Tcp,
    /// TLS.
    Tls,
}

/// What a device registers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Registers {
    /// Its secret.
    Secret,
    /// A token.
    Token,
}

impl LoginFields {
    /// Whether it says more than whose device logs in: then only devices can.
    pub(super) fn needs_devices(&self) -> bool {
        *self != LoginFields { device: self.device.clone(), ..LoginFields::default() }
    }

    /// The device that is no actor's.
    pub(super) fn stranger(&self) -> Option<&str> {
        let name = self.device.as_ref()?.literal()?;
        STRANGERS.contains(&name).then_some(name)
    }

    /// What carries the connection, if the script says so.
    pub(super) fn transport(&self) -> Option<Transport> {
        self.over.map(|over| match over {
            Over::Tcp => Transport::Plain,
            Over::Tls => Transport::Encrypted,
        })
    }

    /// The login of an actor.
    pub(super) fn resolve(&self, scope: &Scope, actor: &str) -> Result<Identity, BuildError> {
        let who = self.device.as_ref().map_or(Ok(actor.to_owned()), |device| device.resolve(scope))?;
        let Some(roster) = scope.roster() else {
            return match self.needs_devices() {
                false => Ok(scope.identity(&who)),
                true => Err(BuildError("a `login` needs a target whose devices are known".to_owned())),
            };
        };
        let known = |name: &str| {
            let none = || BuildError(format!("`{name}` is no actor, and none of unknown, disabled and unregistered"));
            roster.device(name).cloned().ok_or_else(none)
        };
        let device = known(&who)?;
        let transport = self.transport().unwrap_or(roster.transport());
        let mode = match transport {
            Transport::Encrypted => "2",
            Transport::Plain => "3",
        };
        match (&self.answer, self.registers) {
            (Some(answer), _) => self.with_answer(&answer.resolve(scope)?, mode, scope),
            (None, Some(registers)) => self.registration(registers, &device, mode, scope),
            (None, None) => {
                let signer = self.signed.device.as_ref().map(|name| known(&name.resolve(scope)?)).transpose()?;
                let secret = match &self.signed.secret {
                    Some(secret) => Secret::new(secret.resolve(scope)?),
                    None => roster.secret(signer.as_ref().unwrap_or(&device)),
                };
                self.login(&device, signer.as_ref(), &secret, mode, scope)
            }
        }
    }

    fn login(
        &self,
        device: &Device,
        signer: Option<&Device>,
        secret: &Secret,
        mode: &str,
        scope: &Scope,
    ) -> Result<Identity, BuildError> {
        let default_name = || Ok(format!("{}.{}", device.product_key(), device.name()));
        let name = self.name.as_ref().map_or_else(default_name, |name| name.resolve(scope))?;
        let timestamp = nullable(self.timestamp.as_ref(), None, scope)?;
        let mut elements = Vec::new();
        elements.extend(timestamp.as_ref().map(|timestamp| format!("timestamp={timestamp}")));
        elements.extend(self.transport_and_method(mode, scope)?);
        let signed = &self.signed;
        let content = signed_at_login(
            signer.unwrap_or(device),
            nullable(signed.client_id.as_ref(), Some(&name), scope)?.as_deref(),
            nullable(signed.timestamp.as_ref(), timestamp.as_deref(), scope)?.as_deref(),
        );
        let password = self.sign(secret, &content, scope)?;
        self.identity(&name, &elements, device, password, scope)
    }

    /// P-REG-2
    fn registration(
        &self,
        registers: Registers,
        device: &Device,
        mode: &str,
        scope: &Scope,
    ) -> Result<Identity, BuildError> {
        let registration = match registers {
            Registers::Secret => Registration::Secret,
            Registers::Token => Registration::Token,
        };
        let default_random = || Ok("567345".to_owned());
        let random = self.random.as_ref().map_or_else(default_random, |random| random.resolve(scope))?;
        let signed_random =
            self.signed.random.as_ref().map_or_else(|| Ok(random.clone()), |random| random.resolve(scope))?;
        let default_name = || Ok(format!("{}.{}", device.name(), device.product_key()));
        let name = self.name.as_ref().map_or_else(default_name, |name| name.resolve(scope))?;
        let mut elements = vec![format!("authType={registration}"), format!("random={random}")];
        elements.extend(self.transport_and_method(mode, scope)?);
        let product = scope.roster().map(|roster| roster.product_secret(device));
        let secret = match &self.signed.secret {
            Some(secret) => Secret::new(secret.resolve(scope)?),
            None => product.unwrap_or_else(|| Secret::new("")),
        };
        let password = self.sign(&secret, &signed_at_registration(device, &signed_random), scope)?;
        self.identity(&name, &elements, device, password, scope)
    }

    /// P-REG-4, P-REG-6
    fn with_answer(&self, payload: &[u8], mode: &str, scope: &Scope) -> Result<Identity, BuildError> {
        let ways = [Registration::Secret, Registration::Token];
        match ways.into_iter().find_map(|registration| Answer::read(registration, payload)) {
            Some(Answer::Secret { device, secret }) => self.login(&device, None, &secret, mode, scope),
            Some(Answer::Token { device, client_id, token }) => {
                let elements = ["securemode=-2".to_owned(), format!("authType={}", Registration::TOKEN_LOGIN)];
                self.identity(&client_id, &elements, &device, token.reveal().to_owned(), scope)
            }
            // A script that is only looked at has no answer yet.
            None if payload.is_empty() && scope.is_to_check() => Ok(scope.identity("")),
            None => Err(BuildError("the answer to the registration has no secret and no token".to_owned())),
        }
    }

    fn transport_and_method(&self, mode: &str, scope: &Scope) -> Result<Vec<String>, BuildError> {
        let mode = nullable(self.securemode.as_ref(), Some(mode), scope)?;
        let method = nullable(self.signmethod.as_ref(), Some("hmacsha256"), scope)?;
        let mode = mode.map(|mode| format!("securemode={mode}"));
        Ok(mode.into_iter().chain(method.map(|method| format!("signmethod={method}"))).collect())
    }

    fn sign(&self, secret: &Secret, content: &str, scope: &Scope) -> Result<String, BuildError> {
        let named = match &self.signed.signmethod {
            Some(method) => Some(method.resolve(scope)?),
            None => nullable(self.signmethod.as_ref(), Some("hmacsha256"), scope)?,
        };
        // What no method signs is signed by the default one.
        let method = named.map_or(SignMethod::default(), |named| named.parse().unwrap_or(SignMethod::HmacSha256));
        let signature = method.sign(secret, content.as_bytes());
        Ok(match self.letters {
            Letters::Lower => signature,
            Letters::Upper => signature.to_uppercase(),
        })
    }

    fn identity(
        &self,
        name: &str,
        elements: &[String],
        device: &Device,
        password: String,
        scope: &Scope,
    ) -> Result<Identity, BuildError> {
        let more = self.parameters.iter().map(|parameter| parameter.resolve(scope)).collect::<Result<Vec<_>, _>>()?;
        let elements: Vec<String> = elements.iter().cloned().chain(more).collect();
        Ok(Identity {
            client_id: format!("{name}|{}|", elements.join(",")),
            user_name: Some(device.to_string()),
            password: Some(password.into_bytes()),
        })
    }
}

fn nullable(text: Option<&Nullable<Text>>, default: Option<&str>, scope: &Scope) -> Result<Option<String>, BuildError> {
    match text {
        None => Ok(default.map(str::to_owned)),
        Some(text) => text.value().map(|text| text.resolve(scope)).transpose(),
    }
}
