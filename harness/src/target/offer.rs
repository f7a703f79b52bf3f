//! What a server says that it can do.

use super::Route;
use super::probe::{Unreachable, greet};
use crate::case::Credentials;
use crate::run::nonce;
use model::packet::{Connack, ConnackProperties, ProtocolVersion, Qos};
use model::profile::Profile;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

/// How many messages above QoS 0 a server has to take before it acknowledges the first, for the feature `pipelining`.
const PIPELINED: u16 = 5;

/// What a server answers in each version.
#[derive(Debug)]
pub struct Offer {
    /// CONNACK, or what came instead.
    pub replies: BTreeMap<ProtocolVersion, Result<Connack, Unreachable>>,
}

impl Offer {
    /// Asks in each version; each may take `patience`.
    pub async fn ask(route: &Route, credentials: &Credentials, patience: Duration) -> Offer {
        let client_id = format!("{}offer", nonce());
        let mut replies = BTreeMap::new();
        for version in ProtocolVersion::ALL {
            replies.insert(version, greet(route, version, &client_id, credentials, patience).await);
        }
        Offer { replies }
    }

    /// The versions in which it accepts a client.
    pub fn versions(&self) -> impl Iterator<Item = ProtocolVersion> {
        let accepts = |(version, reply): (&ProtocolVersion, &Result<Connack, Unreachable>)| {
            reply.as_ref().is_ok_and(|connack| connack.code.is_accepted()).then_some(*version)
        };
        self.replies.iter().filter_map(accepts)
    }

    /// Whether anything that speaks MQTT answered.
    #[must_use]
    pub fn is_mqtt(&self) -> bool {
        self.replies.values().any(Result::is_ok)
    }

    /// What it announces in 5.0, if it accepts a client there.
    fn announced(&self) -> Option<&ConnackProperties> {
        let connack = self.replies.get(&ProtocolVersion::V5_0)?.as_ref().ok()?;
        connack.code.is_accepted().then_some(&connack.properties)
    }

    /// A first profile of this name: `standard`, less what the server says that it does not have. What it does not say, a
    /// person has to find out.
    #[must_use]
    pub fn profile(&self, name: &str, target: &str) -> String {
        let mut text = format!(
            "# Written by `mqttspec probe`: what the server says of itself. Add what it does not say.\n\
             name: {name}\nabout: What {target} says that it can do.\nextends: standard\n"
        );
        let versions: Vec<String> = self.versions().map(|version| format!("\"{version}\"")).collect();
        // Writing into a String cannot fail.
        let _ = writeln!(text, "mqtt: [{}]", versions.join(", "));
        let older = versions.iter().filter(|version| **version != "\"5.0\"").cloned().collect::<Vec<_>>().join(", ");
        let Some(properties) = self.announced() else { return text };
        let standard = Profile::builtin("standard").expect("it is built in: a test of the model loads it");
        let lacks = [
            ("qos-2", properties.maximum_qos.is_some_and(|qos| qos < Qos::ExactlyOnce)),
            ("retained-messages", properties.retain_available == Some(false)),
            ("wildcard-subscriptions", properties.wildcard_subscription_available == Some(false)),
            ("shared-subscriptions", properties.shared_subscription_available == Some(false)),
            ("subscription-identifiers", properties.subscription_identifier_available == Some(false)),
            ("topic-alias", properties.topic_alias_maximum.is_none_or(|maximum| maximum == 0)),
            ("pipelining", properties.receive_maximum.is_some_and(|maximum| maximum.get() < PIPELINED)),
        ];
        let mut heading = "features:\n";
        for (feature, _) in lacks.into_iter().filter(|(_, lacks)| *lacks) {
            // Older versions cannot say it: there the feature stays, where the standard has it.
            let is_older = feature.parse().is_ok_and(|feature| standard.has_in(feature, ProtocolVersion::V3_1_1));
            let _ = writeln!(text, "{heading}  {feature}: [{}]", if is_older { older.as_str() } else { "" });
            heading = "";
        }
        if let Some(size) = properties.maximum_packet_size {
            let _ = writeln!(text, "limits:\n  maximum-packet-size: {size}");
        }
        text
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (version, reply) in &self.replies {
            match reply {
                Ok(connack) if connack.code.is_accepted() => writeln!(f, "MQTT {version:<5}  accepted")?,
                Ok(connack) => writeln!(f, "MQTT {version:<5}  refused: {}", connack.code)?,
                Err(why) => writeln!(f, "MQTT {version:<5}  no: {why}")?,
            }
        }
        let Some(it) = self.announced() else { return Ok(()) };
        let yes = |available: Option<bool>| if available == Some(false) { "no" } else { "yes" };
        let seconds = |value: Option<u32>| value.map_or("as asked for".to_owned(), |value| format!("{value} s"));
        writeln!(f, "what CONNACK of 5.0 announces")?;
        writeln!(f, "  Maximum QoS               {}", it.maximum_qos.unwrap_or(Qos::ExactlyOnce).value())?;
        writeln!(f, "  Retain                    {}", yes(it.retain_available))?;
        writeln!(f, "  Wildcard Subscription     {}", yes(it.wildcard_subscription_available))?;
        writeln!(f, "  Shared Subscription       {}", yes(it.shared_subscription_available))?;
        writeln!(f, "  Subscription Identifiers  {}", yes(it.subscription_identifier_available))?;
        writeln!(f, "  Receive Maximum           {}", it.receive_maximum.map_or(u16::MAX, NonZeroU16::get))?;
        writeln!(f, "  Topic Alias Maximum       {}", it.topic_alias_maximum.unwrap_or(0))?;
        let size = it.maximum_packet_size.map(NonZeroU32::get).map(|size| format!("{size} bytes"));
        writeln!(f, "  Maximum Packet Size       {}", size.as_deref().unwrap_or("no limit"))?;
        writeln!(f, "  Keep Alive                {}", seconds(it.server_keep_alive.map(u32::from)))?;
        writeln!(f, "  Session Expiry Interval   {}", seconds(it.session_expiry_interval))
    }
}

#[cfg(test)]
mod tests {
    use super::Offer;
    use model::packet::{Connack, ConnackCode, ConnackProperties, ConnectReturnCode, ProtocolVersion, ReasonCode};
    use model::profile::{Feature, Profile};

    #[test]
    fn what_a_server_denies_its_profile_lacks() {
        let accepted = |code| Connack { session_present: false, code, properties: ConnackProperties::default() };
        let mut newest = accepted(ConnackCode::Reason(ReasonCode::Success));
        newest.properties.retain_available = Some(false);
        newest.properties.shared_subscription_available = Some(false);
        newest.properties.maximum_packet_size = std::num::NonZeroU32::new(4096);
        let older = accepted(ConnackCode::Return(ConnectReturnCode::Accepted));
        let refused = accepted(ConnackCode::Return(ConnectReturnCode::UnacceptableProtocolVersion));
        let replies = [
            (ProtocolVersion::V3_1, Ok(refused)),
            (ProtocolVersion::V3_1_1, Ok(older)),
            (ProtocolVersion::V5_0, Ok(newest)),
        ];
        let offer = Offer { replies: replies.into_iter().collect() };
        let text = offer.profile("mine", "mqtt://broker.example");
        let profile = Profile::load("mine.yaml", &text).expect("it is a profile");
        let has = |feature| ProtocolVersion::ALL.map(|version| profile.has_in(feature, version));
        assert_eq!(profile.versions.len(), 2, "{text}");
        assert_eq!(has(Feature::RetainedMessages), [false, true, false], "{text}");
        assert_eq!(has(Feature::SharedSubscriptions), [false; 3], "{text}");
        assert!(has(Feature::Qos2)[1..].iter().all(|has| *has), "{text}");
        assert_eq!(profile.limits().maximum_packet_size, Some(4096), "{text}");
        assert!(offer.to_string().contains("MQTT 3.1    refused: "), "{offer}");
    }
}
