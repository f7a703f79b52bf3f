//! A device by its product and name.

use std::fmt;

/// A device of the platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    product_key: String,
    name: String,
}

/// Why a text is no name of a device or product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// A character that would end it where it is written: in a User Name, a Client Identifier or a topic.
    #[error("it holds `{0}`, which separates names in topics and logins")]
    Separator(char),
}

impl Device {
    /// The device of this product key and name.
    #[must_use]
    pub fn new(product_key: impl Into<String>, name: impl Into<String>) -> Device {
        Device { product_key: product_key.into(), name: name.into() }
    }

    /// The device that a User Name of the form `deviceName&productKey` names (P-CON-2). Its parts are levels of topics, so none
    /// is empty or holds `/`, `+` or `#`.
    #[must_use]
    pub fn of_user_name(user_name: &str) -> Option<Device> {
        let (name, product_key) = user_name.split_once('&')?;
        let is_name = |text| Device::check_name(text).is_ok();
        (is_name(name) && is_name(product_key)).then(|| Device::new(product_key, name))
    }

    /// Whether a text may be a product key or the name of a device: both are levels of topics and parts of a login.
    ///
    /// # Errors
    /// When it is empty or holds what separates such parts.
    pub fn check_name(text: &str) -> Result<(), NameError> {
        match text.chars().find(|character| ['/', '+', '#', '&', '|', '\0'].contains(character)) {
            Some(separator) => Err(NameError::Separator(separator)),
            None if text.is_empty() => Err(NameError::Empty),
            None => Ok(()),
        }
    }

    /// Its product key.
    #[must_use]
    pub fn product_key(&self) -> &str {
        &self.product_key
    }

    /// Its name within the product.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// As in a User Name.
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}&{}", self.name, self.product_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_names_a_device_or_none() {
        for (name, device) in [
            ("lamp&pk", true),
            ("&pk", false),
            ("lamp&", false),
            ("a&b&c", false),
            ("+&pk", false),
            ("a/b&pk", false),
            ("lamp", false),
        ] {
            assert_eq!(Device::of_user_name(name).is_some(), device, "{name}");
        }
        assert_eq!(Device::of_user_name("lamp&pk").unwrap().to_string(), "lamp&pk");
    }
}
