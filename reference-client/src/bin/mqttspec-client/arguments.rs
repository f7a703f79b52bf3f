//! The command line.

use clap::{Args, Parser, Subcommand};
use model::device::SignMethod;
use reference_client::{ProtocolVersion, Qos};
use std::num::NonZeroU64;
use std::time::Duration;
use transport::{Address, RouteOptions};

const EXAMPLES: &str = "\
Examples:
  mqttspec-client sub --url mqtt://127.0.0.1:1883 --topic 'lamp/#' --qos 1
  mqttspec-client sub --topic lamp/1/state --count 1 --timeout 5s
  mqttspec-client pub --topic lamp/1/state --message on --qos 1 --mqtt 3.1.1
  LAMP=s3cr3t mqttspec-client device --product a1B2 --device lamp --secret-env LAMP --publish user/update=on
  LAMP=s3cr3t mqttspec-client device --product a1B2 --device lamp --secret-env LAMP --answer done --count 1
  mqttspec-client pub --url mqtts://broker.example --cafile ca.pem --topic lamp/1/state --message on
  mqttspec-client sub --url ws://127.0.0.1:8080/mqtt --topic 'lamp/#'

Exit codes:
  0  done; for `sub` also: interrupted, or the reader of its output went away
  1  the server refused, or what was asked for did not come
  2  wrong usage
  3  the server cannot be reached, or stopped answering";

/// Publish to an MQTT broker, or subscribe, strictly by the standard.
#[derive(Debug, Parser)]
#[command(name = "mqttspec-client", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Publish one message, and wait for its acknowledgement
    #[command(after_help = EXAMPLES)]
    Pub(PublishArguments),
    /// Be a device of the IoT Platform: log in signed, publish, print what comes, answer synchronous calls
    #[command(after_help = EXAMPLES)]
    Device(DeviceArguments),
    /// Print the messages that match topic filters, one line each: topic, space, payload
    #[command(after_help = EXAMPLES)]
    Sub(SubscribeArguments),
}

#[derive(Debug, Args)]
pub(crate) struct DeviceArguments {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Product key
    #[arg(long, value_name = "KEY")]
    pub(crate) product: String,
    /// Device name
    #[arg(long, value_name = "NAME")]
    pub(crate) device: String,
    /// Environment variable that holds the device secret
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) secret_env: String,
    /// How to sign: hmacmd5, hmacsha1 or hmacsha256
    #[arg(long, value_name = "METHOD", default_value = "hmacsha256")]
    pub(crate) sign: SignMethod,
    /// Timestamp to sign, in milliseconds [default: none]
    #[arg(long, value_name = "MILLISECONDS")]
    pub(crate) timestamp: Option<u64>,
    /// What stands before the parameters of the Client Identifier [default: product key and device name]
    #[arg(long, value_name = "NAME")]
    pub(crate) client_id: Option<String>,
    /// Protocol version: 3.1, 3.1.1 or 5.0
    #[arg(long, value_name = "VERSION", default_value = "5.0")]
    pub(crate) mqtt: ProtocolVersion,
    /// Keep Alive in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) keep_alive: u16,
    /// Go on with the session of the last time, and leave it for the next
    #[arg(long)]
    pub(crate) keep_session: bool,
    /// Topic Filter to subscribe to; without a slash in front it is one of the device: user/get (repeatable)
    #[arg(long, value_name = "FILTER")]
    pub(crate) subscribe: Vec<String>,
    /// A message to publish once the device is online (repeatable)
    #[arg(long, value_name = "TOPIC=TEXT")]
    pub(crate) publish: Vec<String>,
    /// Quality of Service of these messages: 0 or 1
    #[arg(long, value_name = "QOS", default_value = "1", value_parser = qos)]
    pub(crate) qos: Qos,
    /// User Property of these messages, 5.0 only (repeatable)
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) user_property: Vec<String>,
    /// Response Topic of these messages, 5.0 only
    #[arg(long, value_name = "TOPIC")]
    pub(crate) response_topic: Option<String>,
    /// Correlation Data of these messages, 5.0 only
    #[arg(long, value_name = "TEXT")]
    pub(crate) correlation_data: Option<String>,
    /// What calls are answered with [default: what they ask]
    #[arg(long, value_name = "TEXT")]
    pub(crate) answer: Option<String>,
    /// Leave after so many messages
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<NonZeroU64>,
    /// Leave once all is published
    #[arg(long, conflicts_with = "count")]
    pub(crate) once: bool,
    /// Leave after this time (500ms, 5s, 2m); with --count it is a failure if messages are missing then
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct PublishArguments {
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
    /// Topic Name
    #[arg(long, value_name = "TOPIC")]
    pub(crate) topic: String,
    /// Payload
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) message: String,
    /// Quality of Service: 0, 1 or 2
    #[arg(long, value_name = "QOS", default_value = "0", value_parser = qos)]
    pub(crate) qos: Qos,
    /// Have the server keep the message for later subscribers
    #[arg(long)]
    pub(crate) retain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SubscribeArguments {
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
    /// Topic Filter; may be given several times
    #[arg(long, value_name = "FILTER", required = true)]
    pub(crate) topic: Vec<String>,
    /// Highest Quality of Service to receive: 0, 1 or 2
    #[arg(long, value_name = "QOS", default_value = "0", value_parser = qos)]
    pub(crate) qos: Qos,
    /// Leave after so many messages
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<NonZeroU64>,
    /// Leave after this time (500ms, 5s, 2m); with --count it is a failure if messages are missing then
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct ConnectionArguments {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Protocol version: 3.1, 3.1.1 or 5.0
    #[arg(long, value_name = "VERSION", default_value = "5.0")]
    pub(crate) mqtt: ProtocolVersion,
    /// Client Identifier [default: mqttspec- and the process id]
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Keep Alive in seconds, 0 for none
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) keep_alive: u16,
    /// User Name
    #[arg(long, value_name = "NAME", alias = "username")]
    pub(crate) user_name: Option<String>,
    /// Environment variable that holds the Password
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) password_env: Option<String>,
}

/// Which broker, and the way to it.
#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// The broker: mqtt, mqtts, ws or wss
    #[arg(long, value_name = "URL", default_value = "mqtt://127.0.0.1:1883")]
    pub(crate) url: Address,
    #[command(flatten)]
    pub(crate) way: RouteOptions,
    /// How long the broker may take to answer
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) response_timeout: Duration,
}

impl ServerArguments {
    /// Whether the connection is encrypted in the end: a transport command may do it too.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.url.scheme.has_tls() || self.way.command_encrypts()
    }
}

fn qos(text: &str) -> Result<Qos, String> {
    text.parse().ok().and_then(Qos::from_value).ok_or_else(|| "write 0, 1 or 2".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    const HELP: &str = "write a whole number and its unit: 500ms, 5s, 2m";
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or(HELP)?;
    let (number, unit) = text.split_at(digits);
    let number: u32 = number.parse().map_err(|_| HELP)?;
    match unit {
        "ms" => Ok(Duration::from_millis(number.into())),
        "s" => Ok(Duration::from_secs(number.into())),
        "m" => Ok(Duration::from_secs(u64::from(number) * 60)),
        _ => Err(HELP.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "5", "s", "5 s", "-5s", "5h", "99999999999s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn there_are_three_levels_of_qos() {
        assert_eq!(qos("2"), Ok(Qos::ExactlyOnce));
        assert!(qos("3").is_err() && qos("one").is_err());
    }
}
