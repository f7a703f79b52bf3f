//! The cloud side of the IoT Platform: what a business server asks over the API, how it signs, what it is told.
//!
//! A shared room, like the codec and [`device`](crate::device): the reference broker reads requests here, the harness writes
//! them, the judge follows both.
//!
//! ```text
//!   Request ──parameters──► AccessKey::sign ──► query of an HTTP request ──► Signed::verify ──► Request ──► Command
//!   Answer ◄─────────────────────────────────── JSON ◄──────────────────────────────────────────┘
//! ```
//!
//! A [`Request`] is an action with its parameters, as text; a [`Command`] is what it means, and reading it is what tells
//! right requests from wrong ones. Requests are signed in the vendor's public style for remote calls: all parameters in
//! alphabetical order, percent-encoded, under an HMAC with SHA-1.
//!
//! ```
//! use model::cloud::{AccessKey, Request};
//! use model::device::Secret;
//!
//! let key = AccessKey::new("testid", Secret::new("testsecret"));
//! let request = Request::new("Pub").with("ProductKey", "a1B2").with("TopicFullName", "/a1B2/lamp/user/get");
//! let signed = key.sign("GET", &request, "nonce-1", "2026-01-01T00:00:00Z");
//! assert_eq!(signed["SignatureMethod"], "HMAC-SHA1");
//! assert!(key.verifies("GET", &signed));
//! ```

mod access_key;
mod answer;
mod command;
mod login;
mod message;
mod parameter;
mod request;
mod request_fault;
mod timestamp;

pub use access_key::{AccessKey, percent_encoded, query};
pub use answer::{Answer, LogLine, RrpcCode};
pub use command::{Command, MessageContent, custom_topic};
pub use login::{LoginError, ServerLogin};
pub use message::PlatformMessage;
pub use request::Request;
pub use request_fault::{Refusal, RequestFault};
pub use timestamp::Timestamp;
