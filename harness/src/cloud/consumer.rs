//! The business server's ear: messages of devices over AMQP.

use crate::case::Settlement;
use crate::trace::{ConnectionId, Recorder, What};
use crate::wire::Stream;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fe2o3_amqp::link::delivery::DeliveryInfo;
use fe2o3_amqp::sasl_profile::SaslProfile;
use fe2o3_amqp::types::messaging::{ApplicationProperties, Body, Message};
use fe2o3_amqp::types::primitives::{SimpleValue, Value};
use fe2o3_amqp::{Connection, Receiver, Session};
use model::cloud::{AccessKey, PlatformMessage, ServerLogin};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// The most messages that are kept: a flood must not eat the memory of the machine.
const MOST_MESSAGES: usize = 1 << 12;

/// A link over which messages come.
#[derive(Debug)]
pub(crate) struct Consumer {
    pub(crate) inbox: Arc<Mutex<Inbox>>,
    settle: mpsc::UnboundedSender<(usize, Settlement)>,
    task: JoinHandle<()>,
}

/// What has come.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) messages: VecDeque<Arrived>,
    /// Why nothing more comes.
    pub(crate) ended: Option<String>,
    count: usize,
}

/// A message that has come.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    /// Its number among those that have come.
    pub(crate) number: usize,
    pub(crate) message: PlatformMessage,
    pub(crate) at: Instant,
}

/// Whom to tell of what comes.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) connection: ConnectionId,
    pub(crate) recorder: Recorder,
    pub(crate) changed: Arc<Notify>,
}

impl Inbox {
    fn put(&mut self, message: PlatformMessage) -> usize {
        self.count += 1;
        if self.messages.len() < MOST_MESSAGES {
            self.messages.push_back(Arrived { number: self.count, message, at: Instant::now() });
        }
        self.count
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Consumer {
    /// Says what became of a message.
    pub(crate) fn settle(&self, number: usize, settlement: Settlement) {
        // A link that has ended has nobody to be told.
        let _ = self.settle.send((number, settlement));
    }

    /// Logs in and attaches, and lets messages come.
    ///
    /// # Errors
    /// When nobody lets us in by `within`, and why; no secret is named.
    pub(crate) async fn open(
        stream: Box<dyn Stream>,
        key: &AccessKey,
        group: &str,
        within: Duration,
        told: Told,
    ) -> Result<Consumer, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let login = ServerLogin::new("mqttspec", key, group, u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        let profile = SaslProfile::Plain { username: login.to_string(), password: login.password(key) };
        let opening = async {
            let mut connection = Connection::builder()
                .container_id("mqttspec")
                .sasl_profile(profile)
                .open_with_stream(stream)
                .await
                .map_err(|error| format!("AMQP: no connection: {error}"))?;
            let session = Session::begin(&mut connection).await;
            let mut session = session.map_err(|error| format!("AMQP: no session: {error}"))?;
            let receiver = Receiver::attach(&mut session, "mqttspec", "default").await;
            let receiver = receiver.map_err(|error| format!("AMQP: no link: {error}"))?;
            Ok::<_, String>((connection, session, receiver))
        };
        let opened = timeout(within, opening).await.map_err(|_| "AMQP: nobody answers in time".to_owned())??;
        let (settle, settlements) = mpsc::unbounded_channel();
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let place = Arc::clone(&inbox);
        let task = tokio::spawn(async move {
            let (_connection, _session, receiver) = opened;
            let why = receive(receiver, settlements, &place, &told).await;
            lock(&place).ended = Some(why);
            told.recorder.record(told.connection, What::ClosedByPeer);
            told.changed.notify_waiters();
        });
        Ok(Consumer { inbox, settle, task })
    }

    /// One whose messages come from somewhere else.
    pub(crate) fn of_counterpart(
        mut messages: mpsc::UnboundedReceiver<PlatformMessage>,
        on_settled: impl Fn(&str, bool) + Send + 'static,
        told: Told,
    ) -> Consumer {
        let (settle, mut settlements) = mpsc::unbounded_channel::<(usize, Settlement)>();
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let place = Arc::clone(&inbox);
        let task = tokio::spawn(async move {
            let mut ids = BTreeMap::new();
            loop {
                tokio::select! {
                    Some(message) = messages.recv() => {
                        told.recorder.record(told.connection, What::Delivered(Box::new(message.clone())));
                        let id = message.message_id.clone();
                        ids.insert(lock(&place).put(message), id);
                        told.changed.notify_waiters();
                    }
                    Some((number, settlement)) = settlements.recv() => {
                        if let Some(id) = ids.get(&number) {
                            on_settled(id, settlement == Settlement::Accepted);
                        }
                    }
                    else => return,
                }
            }
        });
        Consumer { inbox, settle, task }
    }
}

/// Lets messages come and settles them, until the link ends. Returns why it did.
async fn receive(
    mut receiver: Receiver,
    mut settlements: mpsc::UnboundedReceiver<(usize, Settlement)>,
    inbox: &Mutex<Inbox>,
    told: &Told,
) -> String {
    let mut unsettled: BTreeMap<usize, (DeliveryInfo, String)> = BTreeMap::new();
    loop {
        tokio::select! {
            received = receiver.recv::<Body<Value>>() => {
                let (info, message) = match received {
                    Ok(delivery) => delivery.into_parts(),
                    Err(error) => return format!("the link has ended: {error}"),
                };
                let message = read(message);
                told.recorder.record(told.connection, What::Delivered(Box::new(message.clone())));
                let id = message.message_id.clone();
                unsettled.insert(lock(inbox).put(message), (info, id));
                told.changed.notify_waiters();
            }
            Some((number, settlement)) = settlements.recv() => {
                let Some((info, message_id)) = unsettled.remove(&number) else { continue };
                let is_accepted = settlement == Settlement::Accepted;
                told.recorder.record(told.connection, What::Settled { message_id, is_accepted });
                let settled = match settlement {
                    Settlement::Accepted => receiver.accept(info).await,
                    Settlement::Released => receiver.release(info).await,
                };
                if let Err(error) = settled {
                    return format!("the link has ended: {error}");
                }
            }
        }
    }
}

/// A message as the platform words it, and as the reference broker names what no document names.
fn read(message: Message<Body<Value>>) -> PlatformMessage {
    let properties = message.application_properties.unwrap_or_else(|| ApplicationProperties::builder().build());
    let text = |name: &str| match properties.get(name) {
        Some(SimpleValue::String(text)) => Some(text.clone()),
        Some(SimpleValue::Binary(bytes)) => Some(STANDARD.encode(bytes)),
        Some(SimpleValue::Long(number)) => Some(number.to_string()),
        Some(SimpleValue::Ulong(number)) => Some(number.to_string()),
        Some(SimpleValue::Int(number)) => Some(number.to_string()),
        _ => None,
    };
    let payload = match message.body {
        Body::Data(parts) => parts.into_iter().flat_map(|part| part.0.into_vec()).collect(),
        Body::Value(value) => match value.0 {
            Value::Binary(bytes) => bytes.into_vec(),
            Value::String(text) => text.into_bytes(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    PlatformMessage {
        topic: text("topic").unwrap_or_default(),
        message_id: text("messageId").unwrap_or_default(),
        generate_time: text("generateTime").and_then(|time| time.parse().ok()),
        qos: text("qos").and_then(|qos| qos.parse().ok()),
        response_topic: text("responseTopic"),
        correlation_data: text("correlationData"),
        user_properties: text("userProperties"),
        payload,
    }
}

pub(crate) fn lock(inbox: &Mutex<Inbox>) -> MutexGuard<'_, Inbox> {
    // Every change leaves the inbox whole.
    inbox.lock().unwrap_or_else(PoisonError::into_inner)
}
