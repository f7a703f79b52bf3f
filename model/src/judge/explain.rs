//! The nearest explanation: what a delivery that fits no message should have been.

use super::Judge;
use crate::server::vocabulary::Content;
use crate::server::{Breach, ContentKey, Output, Rule};

impl Judge {
    /// A delivery that nobody has published may be one whose content was changed on the way: then say in what.
    pub(super) fn explain(&self, breach: Breach, output: &Output) -> Breach {
        let Output::Publish { content: seen_key, .. } = output else { return breach };
        if breach.rule != Rule::DeliveryWasSubscribed {
            return breach;
        }
        let seen = self.vocabulary.content_of(*seen_key);
        let is_it = |content: &ContentKey| content == seen_key;
        let will = self
            .vocabulary
            .messages()
            .find(|(_, message)| message.is_will && [message.content_3, message.content_5].iter().any(is_it));
        if will.is_some() {
            let expected = "no Will: it is not due yet, was taken back, or has come already".to_owned();
            return Breach::of(Rule::WillHasItsTime, expected);
        }
        let published = self.vocabulary.messages().flat_map(|(_, message)| [message.content_3, message.content_5]);
        let mut nearest = None;
        for key in published {
            if key == *seen_key {
                return breach;
            }
            // One changed field is a change; more are another message.
            if let [difference] = &differences(self.vocabulary.content_of(key), seen)[..] {
                nearest.get_or_insert_with(|| difference.clone());
            }
        }
        match nearest {
            Some(expected) => Breach::of(Rule::DeliveryIsUnchanged, expected),
            None => breach,
        }
    }
}

/// What was published and came otherwise, field by field.
fn differences(published: &Content, seen: &Content) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |field: &str, right: bool, expected: String| {
        if !right {
            differences.push(format!("{field} {expected}"));
        }
    };
    let (wanted, came) = (&published.properties, &seen.properties);
    compare("topic", published.topic == seen.topic, format!("`{}`", published.topic));
    let payload = String::from_utf8_lossy(&published.payload);
    compare("payload", published.payload == seen.payload, format!("{payload:?}"));
    compare("Content Type", wanted.content_type == came.content_type, format!("{:?}", wanted.content_type));
    compare("Response Topic", wanted.response_topic == came.response_topic, format!("{:?}", wanted.response_topic));
    compare(
        "Correlation Data",
        wanted.correlation_data == came.correlation_data,
        format!("{:02x?}", wanted.correlation_data),
    );
    compare("User Properties", wanted.user_properties == came.user_properties, format!("{:?}", wanted.user_properties));
    compare(
        "Payload Format Indicator",
        wanted.payload_format_indicator == came.payload_format_indicator,
        format!("{:?}", wanted.payload_format_indicator),
    );
    differences
}
