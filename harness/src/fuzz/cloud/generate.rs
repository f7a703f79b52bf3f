//! What the cloud side does next.

use super::command::CloudDeed;
use crate::fuzz::command::Client;
use crate::fuzz::generate::Generator;
use crate::fuzz::walk::Walker;
use crate::fuzz::wording::Versions;
use model::packet::ProtocolVersion;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

/// What the cloud side can do.
#[derive(Debug, Clone, Copy)]
pub(in crate::fuzz) enum CloudKind {
    Publish,
    PublishOften,
    Broadcast,
    Call,
    Administer,
    Misask,
    ReadLog,
    Listen,
    Leave,
    Settle,
}

/// How often the API is asked in a burst: more often than half of what it takes within a second, and less than all.
const OFTEN: u32 = 30;

/// Where the cloud publishes. `$X` is some device.
const TOPICS: &[&str] = &["$X.topics/a", "$X.topics/a", "$X.topics/b", "/$X.product_key/$X.device_name/user/get"];

const PROPERTIES: &[&str] = &[
    ", properties: {content_type: text, correlation_data: {hex: \"00 01 fe ff\"}}",
    ", properties: {user_properties: [{k: \"2\"}, {k: \"1\"}]}",
    ", properties: {response_topic: $X.topics/b}",
];

/// Requests that are refused. `$N` is the number of each: no two messages are alike, or nobody could tell which has come.
const WRONG: &[&str] = &[
    "Pub: {product: $X.product_key, topic: $X.topics/a, payload: \"\"}",
    "Pub: {product: $X.product_key, topic: \"\", payload: q$N}",
    "Pub: {product: $X.product_key, topic: $X.product_key/$X.device_name/user/get, payload: q$N}",
    "Pub: {product: $X.product_key, topic: \"/$X.product_key/$X.device_name/user/#\", payload: q$N}",
    "Pub: {product: nobody, topic: /nobody/$X.device_name/user/get, payload: q$N}",
    "Pub: {product: $X.product_key, topic: $X.topics/a, parameters: {MessageContent: \"not base64\"}}",
    "Pub: {product: $X.product_key, topic: /sys/$X.product_key/$X.device_name/thing/service/property/set, payload: q$N}",
    "Pub: {product: $X.product_key, topic: $X.topics/a, payload: q$N, qos: 1, tampered: {Signature: c2lnbmF0dXJl}}",
    "Pub: {product: $X.product_key, topic: $X.topics/a, payload: q$N, qos: 1, tampered: {MessageContent: bTI=}}",
    "Pub: {product: $X.product_key, topic: $X.topics/a, payload: q$N, parameters: {Timestamp: \"2020-01-01T00:00:00Z\"}}",
    "Pub: {product: $X.product_key, topic: $X.topics/a, payload: q$N, tampered: {AccessKeyId: null}}",
    "Pub: {product: $X.product_key, topic: $X.topics/a, payload: q$N, parameters: {SignatureNonce: once}}",
    "RRpc: {product: nobody, device: $X.device_name, payload: q$N, timeout: 5000}",
    "RRpc: {product: $X.product_key, device: $X.device_name, payload: q$N, timeout: 999}",
    "RRpc: {product: $X.product_key, device: $X.device_name, payload: q$N, timeout: 8001}",
];

impl Generator {
    /// What the cloud side tries to do.
    pub(in crate::fuzz) fn attempt_in_the_cloud(&mut self, kind: CloudKind, walker: &Walker) -> Option<CloudDeed> {
        let device = Client(self.draw(0..self.clients)).actor();
        let (request, times) = match kind {
            CloudKind::Listen => return (!walker.cloud.listens()).then_some(CloudDeed::Listen),
            CloudKind::Leave => return walker.cloud.listens().then_some(CloudDeed::Leave),
            CloudKind::Settle => {
                let unsettled = walker.cloud.unsettled();
                let index = self.choose(&Vec::from_iter(0..unsettled.len()))?;
                let is_accepted = self.draw(any::<bool>());
                return Some(CloudDeed::Settle { payload: unsettled.into_iter().nth(index)?, is_accepted });
            }
            CloudKind::Publish => (self.publication(), 1),
            CloudKind::PublishOften => {
                ("Pub: {product: $X.product_key, topic: $X.topics/a, payload: q$N}".to_owned(), OFTEN)
            }
            CloudKind::Broadcast => {
                let to = self.draw(select(&["", ", topic: /broadcast/$X.product_key/news"][..]));
                (format!("PubBroadcast: {{product: $X.product_key{to}, payload: q$N}}"), 1)
            }
            CloudKind::Call => {
                let topic = self.draw(prop_oneof![
                    3 => Just(""),
                    2 => Just(", topic: /$X.product_key/$X.device_name/user/get"),
                ]);
                let timeout = self.draw(select(&[1_000, 5_000, 5_000, 8_000][..]));
                let fields = "product: $X.product_key, device: $X.device_name";
                (format!("RRpc: {{{fields}{topic}, payload: q$N, timeout: {timeout}}}"), 1)
            }
            CloudKind::Administer => {
                let action = self.draw(select(&["DisableThing", "EnableThing"][..]));
                (format!("{action}: {{product: $X.product_key, device: $X.device_name}}"), 1)
            }
            CloudKind::Misask => (self.draw(select(WRONG)).to_owned(), 1),
            CloudKind::ReadLog => ("QueryDeviceLog: {product: $X.product_key, device: $X.device_name}".to_owned(), 1),
        };
        let number = self.messages + 1;
        self.messages += times;
        let request = request.replace("$X", &format!("${device}"));
        Some(CloudDeed::Ask { number, times, request })
    }

    fn publication(&mut self) -> String {
        let topic = self.draw(select(TOPICS));
        let qos = self.draw(select(&["", ", qos: 0", ", qos: 1", ", qos: 1"][..]));
        // Only a device of 5.0 gets them, and only in its case they can be written.
        let more = match self.wording.versions {
            Versions::One(ProtocolVersion::V5_0) => self.draw(prop_oneof![3 => Just(""), 1 => select(PROPERTIES)]),
            _ => "",
        };
        format!("Pub: {{product: $X.product_key, topic: {topic}, payload: q$N{qos}{more}}}")
    }
}

/// How often the cloud side tries to do what.
pub(in crate::fuzz) fn kinds() -> impl Strategy<Value = CloudKind> {
    prop_oneof![
        12 => Just(CloudKind::Publish),
        1 => Just(CloudKind::PublishOften),
        5 => Just(CloudKind::Broadcast),
        12 => Just(CloudKind::Call),
        1 => Just(CloudKind::Administer),
        6 => Just(CloudKind::Misask),
        6 => Just(CloudKind::ReadLog),
        6 => Just(CloudKind::Listen),
        2 => Just(CloudKind::Leave),
        8 => Just(CloudKind::Settle),
    ]
}
