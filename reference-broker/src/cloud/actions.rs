//! What each action does.

use super::api::Shared;
use super::rate::Limited;
use crate::core::log::Line;
use crate::core::{CallOutcome, CallRequest, CloudMessage, MessageId, NotPublished};
use crate::switch::Switch;
use model::cloud::{Answer, Command, LogLine, MessageContent, Refusal, RrpcCode, custom_topic};
use model::device::Device;
use model::packet::{PublishProperties, Qos, Utf8String};
use std::sync::PoisonError;

/// Carries out a command.
pub(super) async fn perform(shared: &Shared, command: Command) -> Answer {
    match carry_out(shared, command).await {
        Ok(answer) => answer,
        Err(refusal) => Answer::refused(refusal),
    }
}

async fn carry_out(shared: &Shared, command: Command) -> Result<Answer, Refusal> {
    match command {
        Command::Publish { product_key, topic, content } => {
            shared.check_product(&product_key)?;
            shared.count(Limited::Publish)?;
            let id = shared.publish(topic, content)?;
            match shared.broker.misbehaves(Switch::PubNotConfirmed) {
                true => Err(failed("it was not published")),
                false => Ok(published(id)),
            }
        }
        Command::PublishToMany { devices, suffix, content } => {
            for device in &devices {
                shared.check_device(device)?;
            }
            shared.count(Limited::PublishToMany)?;
            let mut last = None;
            for device in &devices {
                let topic = custom_topic(device, &suffix);
                // The command has been read with these topics.
                let topic = Utf8String::new(topic).map_err(|error| failed(&error.to_string()))?;
                last = Some(shared.publish(topic, content.clone())?);
            }
            Ok(last.map_or_else(Answer::done, published))
        }
        Command::Broadcast { product_key, topic: Some(topic), payload } => {
            shared.check_product(&product_key)?;
            shared.count(Limited::BroadcastToTopic)?;
            let content = MessageContent { payload, qos: Qos::AtMostOnce, ..MessageContent::default() };
            shared.publish(topic, content).map(published)
        }
        Command::Broadcast { product_key, topic: None, payload } => {
            shared.check_product(&product_key)?;
            shared.count(Limited::BroadcastToAll)?;
            let (id, _) = shared.broker.with_core(|core, now| core.push_to_online(now, &product_key, &payload));
            Ok(published(id))
        }
        Command::Call { device, topic, payload, timeout } => {
            shared.check_device(&device)?;
            shared.count(Limited::Call)?;
            let request = CallRequest { device, topic, payload, timeout: timeout.into() };
            let (id, outcome) = shared.broker.call(request).await;
            Ok(ended(id, outcome))
        }
        Command::Disable(device) => {
            shared.check_device(&device)?;
            shared.broker.disable(&device);
            Ok(Answer::done())
        }
        Command::Enable(device) => {
            shared.check_device(&device)?;
            shared.broker.enable(&device);
            Ok(Answer::done())
        }
        Command::QueryLog(device) => {
            shared.check_device(&device)?;
            if shared.broker.misbehaves(Switch::LogEmpty) {
                return Ok(Answer::done());
            }
            let log = shared.broker.with_core(|core, _| core.device_log().of(&device).map(line).collect());
            Ok(Answer { log, ..Answer::done() })
        }
    }
}

impl Shared {
    fn publish(&self, topic: Utf8String, content: MessageContent) -> Result<MessageId, Refusal> {
        let MessageContent { payload, qos, retain, properties, topic_alias } = content;
        self.check_properties(&properties)?;
        let message = CloudMessage { topic, payload, qos, retain, properties, topic_alias };
        let published = self.broker.with_core(|core, now| core.publish_from_cloud(now, message));
        published.map_err(|NotPublished::RateLimit| rate_limit())
    }

    /// What a device may not send, the cloud may not either (P-V5-6 to P-V5-8, P-V5-11, P-V5-12).
    fn check_properties(&self, properties: &PublishProperties) -> Result<(), Refusal> {
        let checked = self.broker.with_core(|core, _| core.check_properties(properties));
        checked.map_err(|says| Refusal { code: "iot.messagebroker.PublishMessageFailed".to_owned(), message: says })
    }

    fn check_product(&self, product_key: &str) -> Result<(), Refusal> {
        let is_known = |products: &model::device::Registry| products.product(product_key).is_some();
        let is_checked = !self.broker.misbehaves(Switch::ApiRequestNotChecked);
        match !is_checked || self.products.as_deref().is_none_or(is_known) {
            true => Ok(()),
            false => Err(Refusal {
                code: "iot.prod.NotExistedProduct".to_owned(),
                message: "the product does not exist".to_owned(),
            }),
        }
    }

    fn check_device(&self, device: &Device) -> Result<(), Refusal> {
        self.check_product(device.product_key())?;
        let is_known = |products: &model::device::Registry| products.device(device).is_some();
        match self.products.as_deref().is_none_or(is_known) {
            true => Ok(()),
            false => Err(Refusal {
                code: "iot.device.NotExistedDevice".to_owned(),
                message: "the device does not exist".to_owned(),
            }),
        }
    }

    fn count(&self, action: Limited) -> Result<(), Refusal> {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if rates.count(action) { Ok(()) } else { Err(rate_limit()) }
    }
}

fn rate_limit() -> Refusal {
    Refusal { code: "iot.messagebroker.RateLimit".to_owned(), message: "too many requests".to_owned() }
}

fn failed(says: &str) -> Refusal {
    Refusal { code: "iot.messagebroker.PublishMessageFailed".to_owned(), message: says.to_owned() }
}

fn published(id: MessageId) -> Answer {
    Answer { message_id: Some(id.to_string()), ..Answer::done() }
}

fn ended(id: MessageId, outcome: CallOutcome) -> Answer {
    let answer = Answer { message_id: Some(id.to_string()), ..Answer::default() };
    let not = |code: RrpcCode, message: &str| Answer {
        rrpc_code: Some(code),
        code: Some(format!("iot.messagebroker.{code}")),
        message: Some(message.to_owned()),
        ..answer.clone()
    };
    match outcome {
        CallOutcome::Answered(payload) => {
            Answer { success: true, rrpc_code: Some(RrpcCode::Success), payload: Some(payload), ..answer }
        }
        CallOutcome::Timeout => not(RrpcCode::Timeout, "the device has not answered in time"),
        CallOutcome::Offline => not(RrpcCode::Offline, "the device is offline"),
        CallOutcome::HalfConnected => not(RrpcCode::HalfConnected, "the device may be offline"),
    }
}

fn line(line: &Line) -> LogLine {
    let entry = &line.entry;
    let text = |(name, value): &(Utf8String, Utf8String)| (name.to_string(), value.to_string());
    LogLine {
        operation: entry.operation.name().to_owned(),
        content: entry.content.clone(),
        status: if entry.succeeded { "200" } else { "500" }.to_owned(),
        message_id: entry.message_id.map(|id| id.to_string()),
        user_properties: entry.user_properties.iter().map(text).collect(),
    }
}
