//! Where a file says that a secret is.

use super::{RegistryError, Secret};
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use std::fmt;

/// Where a secret is: there, or in a variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// There.
    Here(Secret),
    /// In the variable of this name: `{variable: NAME}`.
    Variable(String),
}

/// Looks a variable of the environment up: reading it is not for this crate.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl SecretSource {
    /// The secret. An error names `file` and `whose` it is.
    ///
    /// # Errors
    /// On a variable that is not set, or empty.
    pub fn fetch(&self, whose: &str, file: &str, environment: Environment<'_>) -> Result<Secret, RegistryError> {
        match self {
            SecretSource::Here(secret) => Ok(secret.clone()),
            SecretSource::Variable(name) => match environment(name).filter(|value| !value.is_empty()) {
                Some(value) => Ok(Secret::new(value)),
                None => {
                    let message = format!("the variable {name} of the environment, the secret of {whose}, is not set");
                    Err(RegistryError { file: file.to_owned(), at: None, message })
                }
            },
        }
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SecretSource, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret in quotes, or {variable: NAME} for one in the environment")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretSource, E> {
        if text.is_empty() { Err(E::custom("the secret is empty")) } else { Ok(SecretSource::Here(Secret::new(text))) }
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<SecretSource, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Variable {
            variable: String,
        }
        let Variable { variable } = Variable::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        Ok(SecretSource::Variable(variable))
    }
}
