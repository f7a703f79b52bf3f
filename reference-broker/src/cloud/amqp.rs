//! Server-side subscription: AMQP 1.0 on any stream, with SASL PLAIN (P-AMQ-1 to P-AMQ-12).
//!
//! A business server logs in with a signed password to a consumer group, opens one session with one receiver link, and gets
//! what devices publish. A message that it does not accept, or says nothing of, comes again.

use super::entrance::let_in;
use super::groups::{Group, Groups, RETRY_AFTER};
use crate::core::DeviceMessage;
use crate::shell::{Broker, each_connection};
use crate::switch::Switch;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fe2o3_amqp::acceptor::sasl_acceptor::SaslServerFrame;
use fe2o3_amqp::acceptor::{ConnectionAcceptor, LinkAcceptor, LinkEndpoint, SaslAcceptor, SessionAcceptor};
use fe2o3_amqp::link::{SendError, Sender};
use fe2o3_amqp::types::messaging::{ApplicationProperties, Body, Data, Message, Outcome};
use fe2o3_amqp::types::primitives::{Array, Binary, Symbol, Value};
use fe2o3_amqp::types::sasl::{SaslCode, SaslInit, SaslOutcome, SaslResponse};
use model::cloud::{AccessKey, ServerLogin};
use model::packet::PublishProperties;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};
use transport::{Entrance, Stream};

/// How long a business server has for its login, and for its session with its link (P-AMQ-5).
const SET_UP_WITHIN: Duration = Duration::from_secs(15);

/// How long it has to say what became of a message (P-AMQ-8).
const SETTLE_WITHIN: Duration = Duration::from_secs(30);

/// How long it has to answer a good-bye.
const FAREWELL_WITHIN: Duration = Duration::from_secs(5);

/// Messages that one business server has not settled, if its credit is not lower.
const UNSETTLED: usize = 1_000;

/// Server-side subscription. Clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct ServerSubscription(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    broker: Broker,
    keys: Vec<AccessKey>,
    groups: Groups,
    /// How many business servers have their link.
    listening: Arc<AtomicUsize>,
    /// When the zero of the broker's time was, on the clock of the wall.
    started: SystemTime,
}

impl ServerSubscription {
    /// Gives the messages of this broker's devices to the holders of these keys, in consumer groups of these names.
    #[must_use]
    pub fn new(broker: Broker, keys: Vec<AccessKey>, groups: impl IntoIterator<Item = String>) -> ServerSubscription {
        let groups = Groups::new(groups);
        let audience = groups.clone();
        let loses = broker.misbehaves(Switch::DeviceMessageLost);
        let loses_backlog = broker.misbehaves(Switch::BacklogLost);
        let listening = Arc::new(AtomicUsize::new(0));
        let heard = Arc::clone(&listening);
        broker.tell(move |message| {
            if !loses && (!loses_backlog || heard.load(Ordering::Relaxed) > 0) {
                audience.publish(message);
            }
        });
        ServerSubscription(Arc::new(Shared { broker, keys, groups, listening, started: SystemTime::now() }))
    }

    /// Serves a business server at the other end of `stream`, in a task of its own. Encryption is the stream's business.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    pub fn attach(&self, stream: impl Stream + 'static) {
        self.attach_boxed(Box::new(stream));
    }

    fn attach_boxed(&self, stream: Box<dyn Stream>) {
        let shared = Arc::clone(&self.0);
        // Who breaks off has nobody to be told of: what it has not settled goes back to its group.
        tokio::spawn(async move { drop(shared.serve(stream).await) });
    }

    /// Serves everybody who connects to `listener` and gets through `entrance`; ends only when the future is dropped.
    pub async fn listen_behind(&self, listener: TcpListener, entrance: Entrance) {
        each_connection(listener, |stream| {
            let subscription = self.clone();
            let_in(stream, &entrance, move |stream| subscription.attach_boxed(stream));
        })
        .await;
    }
}

/// What a business server says of a message; the outer error is its silence, the inner one the end of the link.
type Settled = Result<Result<Outcome, SendError>, Elapsed>;

/// What was sent to a business server and is not settled.
#[derive(Debug, Default)]
struct Unsettled {
    messages: BTreeMap<u64, Arc<DeviceMessage>>,
    settling: JoinSet<(u64, Settled)>,
}

/// The business server broke off, was not let in, or asked for something that there is not.
struct Left;

impl Shared {
    async fn serve(&self, stream: Box<dyn Stream>) -> Result<(), Left> {
        let admitted = Arc::new(Mutex::new(None));
        let groups = self.groups.clone();
        let login = Plain { keys: self.keys.clone(), groups, admitted: Arc::clone(&admitted) };
        let acceptor = ConnectionAcceptor::builder().container_id("mqttspec-broker").sasl_acceptor(login).build();
        let connecting = timeout(SET_UP_WITHIN, acceptor.accept(stream)).await;
        let mut connection = connecting.map_err(|_| Left)?.map_err(|_| Left)?;
        let login = admitted.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(Left)?;
        let group = self.groups.find(&login.consumer_group).ok_or(Left)?;
        let set_up = async {
            let mut session = SessionAcceptor::new().accept(&mut connection).await.map_err(|_| Left)?;
            let link = LinkAcceptor::new().accept(&mut session).await.map_err(|_| Left)?;
            Ok::<_, Left>((session, link))
        };
        let outcome = match timeout(SET_UP_WITHIN, set_up).await {
            Ok(Ok((session, LinkEndpoint::Sender(sender)))) => {
                self.listening.fetch_add(1, Ordering::Relaxed);
                let open = self.deliver(sender, group, &login).await;
                self.listening.fetch_sub(1, Ordering::Relaxed);
                // The session lives as long as its link.
                drop(session);
                self.part(open, group).await;
                Ok(())
            }
            // P-AMQ-5: no sender link.
            _ => Err(Left),
        };
        // It may be gone already.
        drop(timeout(FAREWELL_WITHIN, connection.close()).await);
        outcome
    }

    /// Sends what the group has, until the link ends. Returns what is open then.
    async fn deliver(&self, mut sender: Sender, group: &Group, login: &ServerLogin) -> Unsettled {
        let mut open = Unsettled::default();
        loop {
            tokio::select! {
                message = group.take(), if open.messages.len() < UNSETTLED => {
                    let number = message.id.0;
                    open.messages.insert(number, Arc::clone(&message));
                    match sender.send_batchable(self.worded(&message, login)).await {
                        Ok(settlement) => {
                            open.settling.spawn(async move { (number, timeout(SETTLE_WITHIN, settlement).await) });
                        }
                        Err(_) => break,
                    }
                }
                Some(Ok((number, settled))) = open.settling.join_next() => {
                    let Some(message) = open.messages.remove(&number) else { continue };
                    self.settle(message, settled, group);
                }
                _ = sender.on_detach() => break,
            }
        }
        // It has ended already, mostly.
        drop(timeout(FAREWELL_WITHIN, sender.close()).await);
        open
    }

    /// A business server has said what became of a message, or has not within its time, or cannot say any more.
    fn settle(&self, message: Arc<DeviceMessage>, settled: Settled, group: &Group) {
        match settled {
            // Who rejects a message does not want it again.
            Ok(Ok(Outcome::Accepted(_) | Outcome::Rejected(_))) => {}
            Ok(Ok(Outcome::Released(_) | Outcome::Modified(_))) | Err(_)
                if self.broker.misbehaves(Switch::ReleasedMessageLost) => {}
            Ok(Ok(_)) | Err(_) => group.put(message, Instant::now() + RETRY_AFTER),
            // Another one of the group may have it at once.
            Ok(Err(_)) => group.put(message, Instant::now()),
        }
    }

    /// The link has ended. What the business server said before is heard still, however close the end was behind it; the
    /// rest goes back to the group.
    async fn part(&self, mut open: Unsettled, group: &Group) {
        // Without link and session nothing can be settled any more: this does not wait.
        while let Some(settled) = open.settling.join_next().await {
            if let Ok((number, settled)) = settled
                && let Some(message) = open.messages.remove(&number)
            {
                self.settle(message, settled, group);
            }
        }
        for message in open.messages.into_values() {
            group.put(message, Instant::now());
        }
    }

    /// The message as a business server gets it (P-AMQ-6, P-AMQ-7, X-53).
    fn worded(&self, message: &DeviceMessage, login: &ServerLogin) -> Message<Body<Value>> {
        let at = self.started.duration_since(UNIX_EPOCH).unwrap_or_default() + Duration::from_millis(message.at);
        let generated = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
        let mut properties = ApplicationProperties::builder()
            .insert("topic", message.topic.to_string())
            .insert("messageId", message.id.to_string())
            .insert("generateTime", generated)
            .insert("qos", i32::from(message.qos.value()));
        let none = PublishProperties::default();
        let said = match self.broker.misbehaves(Switch::DevicePropertiesLost) {
            true => &none,
            false => &message.properties,
        };
        if let Some(topic) = &said.response_topic {
            properties = properties.insert("responseTopic", topic.to_string());
        }
        if let Some(data) = &said.correlation_data {
            let text = match self.broker.misbehaves(Switch::CorrelationDataAsText) {
                true => String::from_utf8_lossy(data).into_owned(),
                false => STANDARD.encode(data),
            };
            properties = properties.insert("correlationData", text);
        }
        if !said.user_properties.is_empty() {
            let pair = |(key, value): &(_, _)| serde_json::json!({"key": text(key), "value": text(value)});
            let list: Vec<serde_json::Value> = said.user_properties.iter().map(pair).collect();
            properties = properties.insert("userProperties", serde_json::Value::from(list).to_string());
        }
        let payload = match login.base64_bodies {
            true => STANDARD.encode(&message.payload).into_bytes(),
            false => message.payload.clone(),
        };
        let body = Body::Data(vec![Data(Binary::from(payload))].into());
        Message::builder().application_properties(properties.build()).body(body).build()
    }
}

fn text(text: &model::packet::Utf8String) -> &str {
    text.as_str()
}

/// SASL PLAIN with the platform's user names.
#[derive(Clone)]
struct Plain {
    keys: Vec<AccessKey>,
    groups: Groups,
    /// Who has been let in.
    admitted: Arc<Mutex<Option<ServerLogin>>>,
}

impl Plain {
    /// The login in a response, if it is one that is right.
    fn admit(&self, init: SaslInit) -> Option<ServerLogin> {
        let response = init.initial_response?.into_vec();
        let mut parts = response.split(|byte| *byte == 0).skip(1);
        let (user_name, password) = (parts.next()?, parts.next()?);
        let login: ServerLogin = std::str::from_utf8(user_name).ok()?.parse().ok()?;
        let key = self.keys.iter().find(|key| key.id == login.auth_id)?;
        let is_right = login.is_signed_by(key, password) && self.groups.find(&login.consumer_group).is_some();
        is_right.then_some(login)
    }
}

impl SaslAcceptor for Plain {
    fn mechanisms(&self) -> Array<Symbol> {
        Array::from(vec![Symbol::from("PLAIN")])
    }

    fn on_init(&mut self, init: SaslInit) -> SaslServerFrame {
        let is_plain = init.mechanism.as_str() == "PLAIN";
        let login = Some(init).filter(|_| is_plain).and_then(|init| self.admit(init));
        let code = if login.is_some() { SaslCode::Ok } else { SaslCode::Auth };
        *self.admitted.lock().unwrap_or_else(PoisonError::into_inner) = login;
        SaslServerFrame::Outcome(SaslOutcome { code, additional_data: None })
    }

    fn on_response(&mut self, _: SaslResponse) -> SaslServerFrame {
        // PLAIN has one message.
        SaslServerFrame::Outcome(SaslOutcome { code: SaslCode::Auth, additional_data: None })
    }
}
