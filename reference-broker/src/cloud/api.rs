//! HTTP on any stream: every request is one action, whatever its path.

use super::actions::perform;
use super::answer::{Refused, Reply};
use super::door::Door;
use super::rate::Rates;
use crate::shell::{Broker, is_lasting};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use model::cloud::{AccessKey, Command, Request};
use model::device::Registry;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// How long a request line with its headers may take, and how long a connection may wait for one.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);

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
    pub fn attach<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let router = Router::new().fallback(serve).with_state(self.clone());
        tokio::spawn(async move {
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
            // What is no HTTP, and connections that break, have nobody to be told of.
            let _ = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await;
        });
    }

    /// Serves everybody who connects to `listener`; ends only when the future is dropped.
    pub async fn listen(&self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.attach(stream),
                Err(error) if is_lasting(&error) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(_) => {}
            }
        }
    }

    async fn answer(&self, verb: &Method, uri: &Uri, body: &[u8]) -> Reply {
        let shared = &*self.0;
        let number = shared.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let parameters = match parameters(verb, uri, body) {
            Ok(parameters) => parameters,
            Err(refused) => return Reply::at_the_door(number, &refused),
        };
        let entered = shared.door.lock().unwrap_or_else(PoisonError::into_inner).admit(verb.as_str(), &parameters);
        if let Err(refused) = entered {
            return Reply::at_the_door(number, &refused);
        }
        let action = parameters.get("Action").cloned().unwrap_or_default();
        let request = Request { action, parameters };
        match Command::read(&request) {
            Ok(command) => Reply::of_platform(number, &request.action, &perform(shared, command).await),
            Err(fault) if fault.is_at_the_door() => Reply::at_the_door(number, &Refused::from(&fault)),
            Err(fault) => Reply::of_platform(number, &request.action, &model::cloud::Answer::refused(fault.refusal())),
        }
    }
}

async fn serve(State(api): State<CloudApi>, verb: Method, uri: Uri, body: Bytes) -> Response {
    let reply = api.answer(&verb, &uri, &body).await;
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
