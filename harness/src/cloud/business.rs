//! Where the business server asks.

use super::api;
use super::consumer::{Consumer, Told};
use super::signing::Signed;
use crate::target::{Counterpart, Peer};
use crate::trace::ConnectionId;
use crate::wire::Stream;
use model::cloud::{AccessKey, Answer, Request};
use model::device::{Registry, Secret};
use reference_broker::cloud::{CloudApi, ServerSubscription};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::duplex;
use tokio::time::timeout;
use transport::Route;

/// Bytes that may be under way in one direction of an in-memory connection.
const IN_MEMORY_WINDOW: usize = 64 << 10;

/// The cloud side of a target in a network.
#[derive(Debug, Clone)]
pub struct CloudTarget {
    /// Where the API listens.
    pub api: Route,
    /// What requests and logins are signed with.
    pub key: AccessKey,
    /// Where messages of devices come from over AMQP, and for which consumer group.
    pub amqp: Option<(Route, String)>,
}

/// The cloud side of the peer of one variant.
#[derive(Debug, Clone)]
pub enum Business {
    /// The embedded broker's.
    Embedded(CloudApi, ServerSubscription),
    /// One in a network.
    Network(Box<CloudTarget>),
    /// A counterpart's.
    Counterpart(Arc<dyn Counterpart>),
    /// Nobody has said where it is.
    Nowhere,
}

/// What is wrong where nobody can listen.
const NO_AMQP: &str = "nobody has said where AMQP is";

/// The consumer group of embedded brokers.
const EMBEDDED_GROUP: &str = "embedded";

/// The key of embedded brokers, which nobody else can reach.
fn embedded_key() -> AccessKey {
    AccessKey::new("embedded", Secret::new("embedded"))
}

impl Business {
    /// The cloud side of this peer, and what its requests are signed with. An embedded one knows these products.
    #[must_use]
    pub fn of(peer: &Peer, target: Option<&CloudTarget>, products: Option<&Arc<Registry>>) -> (Business, AccessKey) {
        let key = embedded_key();
        match (peer, target) {
            (Peer::Embedded(embedded), _) => {
                let broker = embedded.broker();
                let api = CloudApi::new(broker.clone(), vec![key.clone()], products.map(Arc::clone));
                let groups = [EMBEDDED_GROUP.to_owned()];
                let subscription = ServerSubscription::new(broker.clone(), vec![key.clone()], groups);
                (Business::Embedded(api, subscription), key)
            }
            (Peer::Counterpart(counterpart), _) => (Business::Counterpart(Arc::clone(counterpart)), key),
            (Peer::Network(_), Some(target)) => (Business::Network(Box::new(target.clone())), target.key.clone()),
            (Peer::Network(_), None) => (Business::Nowhere, key),
        }
    }

    /// Listens to the messages of devices.
    ///
    /// # Errors
    /// When nobody lets us in, and why; no secret is named.
    pub(crate) async fn consume(&self, within: Duration, told: Told) -> Result<Consumer, String> {
        let (stream, key, group): (Box<dyn Stream>, AccessKey, String) = match self {
            Business::Counterpart(counterpart) => {
                let messages = counterpart.consume();
                let (settled, connection) = (Arc::clone(counterpart), told.connection);
                let on_settled = move |id: &str, is_accepted: bool| settled.settle(connection, id, is_accepted);
                return Ok(Consumer::of_counterpart(messages, on_settled, told));
            }
            Business::Embedded(_, subscription) => {
                let (ours, theirs) = duplex(IN_MEMORY_WINDOW);
                subscription.attach(theirs);
                (Box::new(ours), embedded_key(), EMBEDDED_GROUP.to_owned())
            }
            Business::Network(target) => {
                let (route, group) = target.amqp.as_ref().ok_or(NO_AMQP)?;
                let opened = route.connect().await;
                let opened = opened.map_err(|error| format!("AMQP cannot be reached: {error}"))?;
                (opened.stream, target.key.clone(), group.clone())
            }
            Business::Nowhere => return Err(NO_AMQP.to_owned()),
        };
        Consumer::open(stream, &key, &group, within, told).await
    }

    /// A counterpart learns that nobody listens any more; others see the end of the connection.
    pub(crate) fn stop_consuming(&self, connection: ConnectionId) {
        if let Business::Counterpart(counterpart) = self {
            counterpart.stop_consuming(connection);
        }
    }

    /// Asks for something; the answer must come within `patience`.
    ///
    /// # Errors
    /// When there is no answer, and why; no secret is named.
    pub(crate) fn ask(
        &self,
        request: &Request,
        signed: Signed,
        patience: Duration,
    ) -> impl Future<Output = Result<Answer, String>> + Send + 'static {
        // A counterpart has to know of the request at once: it is an event like any other.
        let counterpart = match self {
            Business::Counterpart(counterpart) => Some(counterpart.ask(request, signed.in_order)),
            _ => None,
        };
        let business = self.clone();
        async move {
            let asking = async {
                let (stream, host): (Box<dyn Stream>, String) = match business {
                    Business::Counterpart(_) => {
                        let answer = counterpart.ok_or("nobody was asked")?;
                        return answer.await.map_err(|_| "the counterpart does not answer".to_owned());
                    }
                    Business::Embedded(api, _) => {
                        let (ours, theirs) = duplex(IN_MEMORY_WINDOW);
                        api.attach(theirs);
                        (Box::new(ours), "embedded".to_owned())
                    }
                    Business::Network(target) => {
                        let opened = target.api.connect().await;
                        let opened = opened.map_err(|error| format!("the API cannot be reached: {error}"))?;
                        (opened.stream, target.api.address.host.clone())
                    }
                    Business::Nowhere => return Err("nobody has said where the API is".to_owned()),
                };
                api::ask(stream, &host, &signed.parameters).await
            };
            timeout(patience, asking).await.unwrap_or_else(|_| Err("the API does not answer in time".to_owned()))
        }
    }
}
