//! The task that owns a connection.

use super::client::Published;
use super::link::{Exchanged, Link};
use crate::connection::{Accepted, Connection, Event, Output, Settled};
use crate::{ConnectError, ConnectOptions, Ended, Message, NotSendable, PublishError, RequestError};
use model::packet::{
    Disconnect, PacketId, ReasonCode, SubscribeProperties, SubscriptionRequest, UnsubscribeProperties, Utf8String,
};
use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

type PublishOutcome = oneshot::Sender<Result<Published, PublishError>>;
type RequestOutcome = oneshot::Sender<Result<Vec<ReasonCode>, RequestError>>;

/// A message to publish.
pub(super) struct Publication {
    pub(super) message: Message,
    pub(super) outcome: PublishOutcome,
}

/// A request that the Server answers.
pub(super) enum Request {
    Subscribe { requests: Vec<SubscriptionRequest>, properties: SubscribeProperties, outcome: RequestOutcome },
    Unsubscribe { filters: Vec<Utf8String>, properties: UnsubscribeProperties, outcome: RequestOutcome },
}

/// The order to disconnect.
pub(super) struct Order {
    pub(super) disconnect: Disconnect,
    pub(super) outcome: oneshot::Sender<Result<(), NotSendable>>,
}

/// What comes from the [`Client`](super::Client)s. Three queues, because at the Server's Receive Maximum messages wait and
/// nothing else may (MQTT-3.3.4-8).
pub(super) struct Inbox {
    pub(super) publications: mpsc::Receiver<Publication>,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) orders: mpsc::Receiver<Order>,
}

/// Callers that await answers; the core bounds their number.
#[derive(Default)]
struct Waiting {
    publications: BTreeMap<PacketId, PublishOutcome>,
    requests: BTreeMap<PacketId, RequestOutcome>,
}

pub(super) struct Driver<S> {
    link: Link<S>,
    connection: Connection,
    opened: Instant,
}

impl<S: AsyncRead + AsyncWrite> Driver<S> {
    pub(super) fn open(stream: S, options: ConnectOptions) -> Result<Driver<S>, ConnectError> {
        let patience = options.response_timeout;
        let connection = Connection::open(options, Duration::ZERO)?;
        Ok(Driver { link: Link::new(stream, patience), connection, opened: Instant::now() })
    }

    /// Runs until CONNACK; the rest of what came with it stays in the core.
    pub(super) async fn handshake(&mut self) -> Result<Accepted, ConnectError> {
        loop {
            match self.next_output() {
                Some(Output::Accepted(accepted)) => return Ok(*accepted),
                Some(Output::Ended(ended)) => {
                    self.link.close().await;
                    let Ended { cause, session } = *ended;
                    return Err(ConnectError { failure: cause.into(), session: session.map(Box::new) });
                }
                // Before CONNACK the core has nothing else to say.
                Some(Output::Send(_) | Output::Event(_) | Output::Settled(_) | Output::Answered(_)) => continue,
                None => {}
            }
            tokio::select! {
                () = until(self.opened, self.connection.deadline()) => self.connection.tick(self.opened.elapsed()),
                exchanged = self.link.exchange(true) => self.digest(exchanged),
            }
        }
    }

    /// Runs until the connection is over and the stream closed.
    pub(super) async fn run(mut self, mut inbox: Inbox, events: mpsc::Sender<Event>) -> Ended {
        let mut waiting = Waiting::default();
        // An event for which the application has no room: until it is taken the core is paused.
        let mut blocked: Option<Event> = None;
        let mut abandoned = false;
        loop {
            while let Some(output) = self.next_output() {
                match output {
                    Output::Event(event) => match events.try_send(event) {
                        Ok(()) | Err(TrySendError::Closed(_)) => self.connection.event_taken(self.opened.elapsed()),
                        Err(TrySendError::Full(event)) => blocked = Some(event),
                    },
                    Output::Settled(settled) => waiting.settle(settled),
                    Output::Answered(answer) => {
                        if let Some(outcome) = waiting.requests.remove(&answer.packet_id) {
                            // A caller that went away needs no answer; so below.
                            let _ = outcome.send(Ok(answer.codes));
                        }
                    }
                    Output::Ended(ended) => {
                        waiting.abandon(ended.session.is_some());
                        self.link.close().await;
                        return *ended;
                    }
                    Output::Send(_) | Output::Accepted(_) => {}
                }
            }
            let room = self.link.has_room();
            // In this order: what is bounded by a deadline or by the caller's own pace first, the streams last.
            tokio::select! {
                biased;
                () = until(self.opened, self.connection.deadline()) => self.connection.tick(self.opened.elapsed()),
                order = inbox.orders.recv(), if !abandoned => match order {
                    Some(Order { disconnect, outcome }) => {
                        let _ = outcome.send(self.connection.disconnect(&disconnect, self.opened.elapsed()));
                    }
                    None => abandoned = true,
                },
                () = events.closed(), if abandoned && blocked.is_none() && !self.connection.is_over() => {
                    // Nobody is left to speak or to listen. Without connection there is nothing to end either.
                    let _ = self.connection.disconnect(&Disconnect::normal(), self.opened.elapsed());
                }
                permit = events.reserve(), if blocked.is_some() => {
                    if let (Ok(permit), Some(event)) = (permit, blocked.take()) {
                        permit.send(event);
                    }
                    self.connection.event_taken(self.opened.elapsed());
                }
                Some(request) = inbox.requests.recv(), if room && self.connection.can_request() => {
                    self.request(request, &mut waiting);
                }
                Some(publication) = inbox.publications.recv(), if room && self.connection.can_publish() => {
                    self.publish(publication, &mut waiting);
                }
                exchanged = self.link.exchange(room && blocked.is_none()) => self.digest(exchanged),
            }
        }
    }

    /// The next output that is not for the link.
    fn next_output(&mut self) -> Option<Output> {
        while self.link.has_room() {
            match self.connection.poll(self.opened.elapsed())? {
                Output::Send(bytes) => self.link.queue(&bytes),
                output => return Some(output),
            }
        }
        None
    }

    fn digest(&mut self, exchanged: Exchanged) {
        match exchanged {
            Exchanged::Read(count) => self.connection.received(self.link.read(count)),
            Exchanged::Wrote => {}
            Exchanged::Ended(error) => self.connection.transport_ended(error),
        }
    }

    fn publish(&mut self, Publication { message, outcome }: Publication, waiting: &mut Waiting) {
        match self.connection.publish(message, self.opened.elapsed()) {
            Ok(Some(packet_id)) => {
                waiting.publications.insert(packet_id, outcome);
            }
            Ok(None) => {
                let _ = outcome.send(Ok(Published::Unconfirmed));
            }
            Err(error) => {
                let _ = outcome.send(Err(error.into()));
            }
        }
    }

    fn request(&mut self, request: Request, waiting: &mut Waiting) {
        let now = self.opened.elapsed();
        let (sent, outcome) = match request {
            Request::Subscribe { requests, properties, outcome } => {
                (self.connection.subscribe(requests, properties, now), outcome)
            }
            Request::Unsubscribe { filters, properties, outcome } => {
                (self.connection.unsubscribe(filters, properties, now), outcome)
            }
        };
        match sent {
            Ok(packet_id) => {
                waiting.requests.insert(packet_id, outcome);
            }
            Err(error) => {
                let _ = outcome.send(Err(error.into()));
            }
        }
    }
}

impl Waiting {
    fn settle(&mut self, Settled { packet_id, outcome }: Settled) {
        if let Some(caller) = self.publications.remove(&packet_id) {
            let _ = caller.send(outcome.map(Published::Acknowledged));
        }
    }

    /// The connection is over. Requests, and messages that are still queued, learn it from their senders being dropped.
    fn abandon(&mut self, kept: bool) {
        for (_, caller) in std::mem::take(&mut self.publications) {
            let _ = caller.send(Err(PublishError::Unacknowledged { kept }));
        }
        self.requests.clear();
    }
}

async fn until(opened: Instant, deadline: Option<Duration>) {
    match deadline {
        Some(at) => sleep_until(opened + at).await,
        None => pending().await,
    }
}
