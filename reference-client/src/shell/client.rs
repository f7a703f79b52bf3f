//! The application's sending end.

use super::driver::{Driver, Inbox, Order, Publication, Request};
use super::events::Events;
use crate::{Accepted, ConnectError, ConnectOptions, Message, NotSendable, PublishError, RequestError};
use model::packet::{
    Disconnect, Qos, ReasonCode, SubscribeProperties, SubscriptionOptions, SubscriptionRequest, UnsubscribeProperties,
    Utf8String,
};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

/// Orders that wait for the driver; more callers wait in turn.
const WAITING: usize = 16;

/// A connected client. Clones share the connection; it is closed in order when [`Client::disconnect`] is called, or when
/// all clones and the [`Events`] are dropped.
#[derive(Debug, Clone)]
pub struct Client {
    publications: mpsc::Sender<Publication>,
    requests: mpsc::Sender<Request>,
    orders: mpsc::Sender<Order>,
    accepted: Arc<Accepted>,
}

/// How far a published message is known to have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// QoS 0: it is on its way, and there will be no answer.
    Unconfirmed,
    /// QoS 1 and 2: the Server has it. Success, or No matching subscribers in 5.0.
    Acknowledged(ReasonCode),
}

/// What the Server granted for one filter, or why not.
pub type Granted = Result<Qos, ReasonCode>;

impl Client {
    /// Connects over a stream that is open: TCP, TLS, or memory. Returns when CONNACK has come; the connection then lives
    /// in a task of the current tokio runtime. Dropping the future before drops the stream.
    ///
    /// # Errors
    /// When the options break a rule, the Server refuses, breaks the protocol, or does not answer in time. The session
    /// that was to be resumed comes back with the error.
    pub async fn connect<S>(stream: S, options: ConnectOptions) -> Result<(Client, Events), ConnectError>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let event_capacity = usize::from(options.event_capacity.get());
        let mut driver = Driver::open(stream, options)?;
        let accepted = driver.handshake().await?;
        let (publications, publications_in) = mpsc::channel(WAITING);
        let (requests, requests_in) = mpsc::channel(WAITING);
        let (orders, orders_in) = mpsc::channel(1);
        let (events_out, events) = mpsc::channel(event_capacity);
        let (ended_out, ended) = oneshot::channel();
        let inbox = Inbox { publications: publications_in, requests: requests_in, orders: orders_in };
        tokio::spawn(async move {
            // Whoever dropped `Events` does not want to know.
            let _ = ended_out.send(driver.run(inbox, events_out).await);
        });
        Ok((Client { publications, requests, orders, accepted: Arc::new(accepted) }, Events { events, ended }))
    }

    /// What the Server accepted and offers.
    #[must_use]
    pub fn accepted(&self) -> &Accepted {
        &self.accepted
    }

    /// Publishes. QoS 0 resolves when the message is queued to be sent; QoS 1 and 2 when the Server has acknowledged. At
    /// the Server's Receive Maximum the message waits, unsent, for an earlier one to be acknowledged. Dropping the future
    /// does not take a message back that was sent.
    ///
    /// # Errors
    /// When it is not sent, not acknowledged, or rejected by the Server.
    pub async fn publish(&self, message: Message) -> Result<Published, PublishError> {
        let (outcome, settled) = oneshot::channel();
        let publication = Publication { message, outcome };
        self.publications.send(publication).await.map_err(|_| PublishError::NotSent)?;
        settled.await.unwrap_or(Err(PublishError::NotSent))
    }

    /// Subscribes to one filter, and returns what the Server granted. A Server may grant less than was asked.
    ///
    /// # Errors
    /// When the request cannot be sent, or the Server refuses.
    pub async fn subscribe(&self, filter: &str, qos: Qos) -> Result<Qos, RequestError> {
        let request = SubscriptionRequest {
            filter: text(filter)?,
            options: SubscriptionOptions { qos, ..SubscriptionOptions::default() },
        };
        let granted = self.subscribe_to(vec![request], SubscribeProperties::default()).await?;
        // The core has checked that there are as many answers as filters.
        granted.into_iter().next().unwrap_or(Err(ReasonCode::UnspecifiedError)).map_err(RequestError::Refused)
    }

    /// Subscribes to several filters with all their options, in one SUBSCRIBE. The answers are in the order of the filters.
    ///
    /// # Errors
    /// When the request cannot be sent or is not answered; that the Server refused a filter stands in its answer.
    pub async fn subscribe_to(
        &self,
        requests: Vec<SubscriptionRequest>,
        properties: SubscribeProperties,
    ) -> Result<Vec<Granted>, RequestError> {
        let codes = self.ask(|outcome| Request::Subscribe { requests, properties, outcome }).await?;
        Ok(codes.into_iter().map(granted).collect())
    }

    /// Unsubscribes from one filter. "No subscription existed" is no error.
    ///
    /// # Errors
    /// When the request cannot be sent, or the Server refuses.
    pub async fn unsubscribe(&self, filter: &str) -> Result<(), RequestError> {
        let codes = self.unsubscribe_from(vec![text(filter)?], UnsubscribeProperties::default()).await?;
        match codes.into_iter().find(|code| code.is_error()) {
            Some(code) => Err(RequestError::Refused(code)),
            None => Ok(()),
        }
    }

    /// Unsubscribes from several filters in one UNSUBSCRIBE; one Reason Code a filter, in their order.
    ///
    /// # Errors
    /// When the request cannot be sent or is not answered.
    pub async fn unsubscribe_from(
        &self,
        filters: Vec<Utf8String>,
        properties: UnsubscribeProperties,
    ) -> Result<Vec<ReasonCode>, RequestError> {
        self.ask(|outcome| Request::Unsubscribe { filters, properties, outcome }).await
    }

    /// Disconnects normally, and returns when the stream is closed. [`Events::ended`] has the session.
    ///
    /// # Errors
    /// When there is no connection any more.
    pub async fn disconnect(&self) -> Result<(), NotSendable> {
        self.disconnect_with(Disconnect::normal()).await
    }

    /// As [`disconnect`](Self::disconnect), with a Reason Code and properties of 5.0: "Disconnect with Will Message", or
    /// another Session Expiry Interval.
    ///
    /// # Errors
    /// When a Client may not send this DISCONNECT, or there is no connection any more.
    pub async fn disconnect_with(&self, disconnect: Disconnect) -> Result<(), NotSendable> {
        let (outcome, sent) = oneshot::channel();
        self.orders.send(Order { disconnect, outcome }).await.map_err(|_| NotSendable::NotConnected)?;
        sent.await.unwrap_or(Err(NotSendable::NotConnected))?;
        // The driver holds the other end until the stream is closed.
        self.orders.closed().await;
        Ok(())
    }

    async fn ask(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<Vec<ReasonCode>, RequestError>>) -> Request,
    ) -> Result<Vec<ReasonCode>, RequestError> {
        let (outcome, answered) = oneshot::channel();
        self.requests.send(request(outcome)).await.map_err(|_| RequestError::ConnectionEnded)?;
        answered.await.unwrap_or(Err(RequestError::ConnectionEnded))
    }
}

/// Reads a SUBACK code: 0 to 2 are the QoS, the others failures.
fn granted(code: ReasonCode) -> Granted {
    Qos::from_value(code.value()).ok_or(code)
}

fn text(filter: &str) -> Result<Utf8String, NotSendable> {
    Utf8String::new(filter).map_err(NotSendable::Text)
}
