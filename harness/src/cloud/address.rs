//! Where the cloud side listens, as a person writes it.

use transport::Address;

/// The API: `http://HOST:PORT` or `https://HOST:PORT`, as an address of what carries it.
///
/// # Errors
/// What is wrong with the text.
pub fn api_address(text: &str) -> Result<Address, String> {
    address(text, [("http://", "mqtt://", 80), ("https://", "mqtts://", 443)])
}

/// Messages of devices: `amqp://HOST:PORT` or `amqps://HOST:PORT`.
///
/// # Errors
/// What is wrong with the text.
pub fn amqp_address(text: &str) -> Result<Address, String> {
    address(text, [("amqp://", "mqtt://", 5672), ("amqps://", "mqtts://", 5671)])
}

/// An address of another protocol than MQTT: TCP or TLS is what it says too.
fn address(text: &str, schemes: [(&str, &str, u16); 2]) -> Result<Address, String> {
    let form = || format!("`{text}` is no target: write {}HOST:PORT or {}HOST:PORT", schemes[0].0, schemes[1].0);
    let known = schemes.iter().find_map(|(own, carrier, port)| Some((text.strip_prefix(own)?, *carrier, *port)));
    let (rest, carrier, port) = known.ok_or_else(form)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let has_port = rest.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && !port.contains(']'));
    let whole = if has_port { format!("{carrier}{rest}") } else { format!("{carrier}{rest}:{port}") };
    whole.parse().map_err(|_| form())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_the_cloud_side_are_read() {
        let shown = |address: Result<Address, String>| address.map(|address| address.authority());
        assert_eq!(shown(api_address("http://127.0.0.1:8080")), Ok("127.0.0.1:8080".to_owned()));
        assert_eq!(shown(api_address("https://iot.example/")), Ok("iot.example:443".to_owned()));
        assert_eq!(shown(amqp_address("amqps://[::1]")), Ok("[::1]:5671".to_owned()));
        assert!(api_address("mqtt://x").is_err() && amqp_address("http://x").is_err());
        assert!(api_address("http://x:y").is_err());
    }
}
