//! A client that is a device of the IoT Platform: its login, and where it answers what it is asked.

use crate::ConnectOptions;
use model::device::{Device, DeviceLogin, Secret};
use model::packet::{ProtocolVersion, TextError, Utf8String};

/// What a device offers for a call: where its answer goes (P-RPC-2 to P-RPC-4).
///
/// ```
/// use model::device::Device;
/// use reference_client::call_answer_topic;
///
/// let lamp = Device::new("a1B2", "lamp");
/// let answer = |request| call_answer_topic(&lamp, request);
/// assert_eq!(answer("/sys/a1B2/lamp/rrpc/request/7").as_deref(), Some("/sys/a1B2/lamp/rrpc/response/7"));
/// assert_eq!(answer("/ext/rrpc/7/a1B2/lamp/user/get").as_deref(), Some("/ext/rrpc/7/a1B2/lamp/user/get"));
/// assert_eq!(answer("/a1B2/lamp/user/get"), None);
/// ```
#[must_use]
pub fn call_answer_topic(device: &Device, request: &str) -> Option<String> {
    let system = format!("/sys/{}/{}/rrpc/", device.product_key(), device.name());
    if let Some(id) = request.strip_prefix(&system).and_then(|rest| rest.strip_prefix("request/")) {
        return is_one_level(id).then(|| format!("{system}response/{id}"));
    }
    let (id, topic) = request.strip_prefix("/ext/rrpc/")?.split_once('/')?;
    (is_one_level(id) && !topic.is_empty()).then(|| request.to_owned())
}

fn is_one_level(text: &str) -> bool {
    !text.is_empty() && !text.contains('/')
}

impl ConnectOptions {
    /// How a device connects: with its signed login, and a Keep Alive that the platform advises (P-KA-1).
    ///
    /// # Errors
    /// When a name of the login does not fit MQTT.
    pub fn of_device(
        version: ProtocolVersion,
        login: &DeviceLogin,
        secret: &Secret,
    ) -> Result<ConnectOptions, TextError> {
        let credentials = login.sign(secret);
        Ok(ConnectOptions {
            keep_alive: 300,
            // P-V5-16
            topic_alias_maximum: if version.has_properties() { 20 } else { 0 },
            user_name: Some(Utf8String::new(credentials.user_name)?),
            password: Some(credentials.password.into_bytes()),
            // P-VER-4: the extended form is longer than 3.1 allows.
            long_client_id: true,
            ..ConnectOptions::new(version, credentials.client_id)?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_to_this_device_are_answered() {
        let lamp = Device::new("pk", "lamp");
        for topic in [
            "/sys/pk/tv/rrpc/request/7",
            "/sys/pk/lamp/rrpc/request/",
            "/sys/pk/lamp/rrpc/request/7/8",
            "/sys/pk/lamp/rrpc/response/7",
            "/ext/rrpc/7",
            "/ext/rrpc//pk/lamp/user/get",
            "/ext/rrpc/7/",
        ] {
            assert_eq!(call_answer_topic(&lamp, topic), None, "{topic}");
        }
    }

    #[test]
    fn a_device_connects_with_its_signature_in_every_version() {
        let login = DeviceLogin::new(Device::new("a1B2c3D4e5F", "lamp-01"));
        for version in ProtocolVersion::ALL {
            let options = ConnectOptions::of_device(version, &login, &Secret::new("s3cr3t-of-lamp-01")).unwrap();
            assert!(options.check().is_ok(), "{version}");
            assert_eq!(options.user_name.as_deref(), Some("lamp-01&a1B2c3D4e5F"));
        }
    }
}
