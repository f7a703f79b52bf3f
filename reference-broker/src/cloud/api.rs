//! HTTP on any stream: every request is one action, whatever its path.

use super::actions::perform;
use super::answer::{Refused, Reply};
use super::door::Door;
use super::entrance::let_in;
use super::rate::Rates;
use crate::shell::{Broker, each_connection};
use crate::switch::Switch;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use model::cloud::{AccessKey, Answer, Command, Request, RequestFault};
use model::device::Registry;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;
use transport::{Entrance, Stream};

/// How long a request line with its headers may take, and how long a connection may wait for one.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);

/// How long the body of a request may take.
const BODY_WITHIN: Duration = Duration::from_secs(15);

/// Bytes of a body: room for the largest message in Base64 with all of it percent-encoded.
const LARGEST_BODY: usize = 2 * 1024 * 1024;

/// The API of the cloud side. Clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct CloudApi(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) broker: Broker,
    pub(super) products: Option<Arc<Registry>>,
    pub(super) rates: Mutex<Rates>,
    door: Mutex<Door>,
    requests: AtomicU64,
}

impl CloudApi {
    /// An API to this broker for the holders of these keys. With a registry, products that are not in it do not exist.
    #[must_use]
    pub fn new(broker: Broker, keys: Vec<AccessKey>, products: Option<Arc<Registry>>) -> CloudApi {
        CloudApi(Arc::new(Shared {
            broker,
            products,
            rates: Mutex::default(),
            door: Mutex::new(Door::new(keys)),
            requests: AtomicU64::new(0),
        }))
    }

    /// Serves a business server at the other end of `stream`, in a task of its own.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    pub fn attach(&self, stream: impl Stream + 'static) {
        self.attach_boxed(Box::new(stream));
    }

    fn attach_boxed(&self, stream: Box<dyn Stream>) {
        let router = Router::new().fallback(serve).with_state(self.clone());
        tokio::spawn(async move {
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
            // What is no HTTP, and connections that break, have nobody to be told of.
            let _ = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await;
        });
    }

    /// Serves everybody who connects to `listener` and gets through `entrance`; ends only when the future is dropped.
    pub async fn listen_behind(&self, listener: TcpListener, entrance: Entrance) {
        each_connection(listener, |stream| {
            let api = self.clone();
            let_in(stream, &entrance, move |stream| api.attach_boxed(stream));
        })
        .await;
    }

    async fn answer(&self, verb: &Method, uri: &Uri, body: &[u8]) -> Reply {
        let shared = &*self.0;
        let number = shared.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let parameters = match parameters(verb, uri, body) {
            Ok(parameters) => parameters,
            Err(refused) => return Reply::at_the_door(number, &refused),
        };
        let entered = shared.door.lock().unwrap_or_else(PoisonError::into_inner).admit(verb.as_str(), &parameters);
        if let Err(refused) = entered.or_else(|refused| match shared.broker.misbehaves(Switch::ApiDoorOpen) {
            true => Ok(()),
            false => Err(refused),
        }) {
            return Reply::at_the_door(number, &refused);
        }
        let action = parameters.get("Action").cloned().unwrap_or_default();
        let request = Request { action, parameters };
        let mut read = Command::read(&request);
        if read == Err(RequestFault::InvalidTimeout) && shared.broker.misbehaves(Switch::CallTimeoutNotChecked) {
            read = Command::read(&request.clone().with("Timeout", "1000"));
        }
        match read {
            Ok(command) => Reply::of_platform(number, &request.action, &perform(shared, command).await),
            Err(fault) if fault.is_at_the_door() => Reply::at_the_door(number, &Refused::from(&fault)),
            Err(_) if shared.broker.misbehaves(Switch::ApiRequestNotChecked) => {
                Reply::of_platform(number, &request.action, &Answer::done())
            }
            Err(fault) => Reply::of_platform(number, &request.action, &Answer::refused(fault.refusal())),
        }
    }
}

async fn serve(State(api): State<CloudApi>, request: axum::extract::Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(Ok(body)) = timeout(BODY_WITHIN, to_bytes(body, LARGEST_BODY)).await else {
        // It is too large, breaks off or does not come: the connection is good for nothing more.
        return (StatusCode::BAD_REQUEST, [(header::CONNECTION, HeaderValue::from_static("close"))]).into_response();
    };
    let reply = api.answer(&head.method, &head.uri, &body).await;
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json;charset=utf-8");
    (status, [(header::CONTENT_TYPE, json)], reply.json.to_string()).into_response()
}

/// The parameters of a request: those of the query, and of a form in the body.
fn parameters(verb: &Method, uri: &Uri, body: &[u8]) -> Result<BTreeMap<String, String>, Refused> {
    if *verb != Method::GET && *verb != Method::POST {
        return Err(Refused::new(405, "UnsupportedHTTPMethod", "GET and POST are supported"));
    }
    let mut parameters = BTreeMap::new();
    for part in [uri.query().unwrap_or_default().as_bytes(), body] {
        for (name, value) in form_urlencoded::parse(part) {
            if parameters.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(Refused::new(400, "InvalidParameter", format!("{name} stands twice")));
            }
        }
    }
    Ok(parameters)
}
