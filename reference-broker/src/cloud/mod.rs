//! The cloud side: what business servers ask of the platform and get from its devices.
//!
//! ```text
//!   HTTP request ──► door (key, signature, nonce, time) ──► model::cloud::Command ──► actions ──► Broker
//!   JSON         ◄── answer ◄────────────────────────────────────────────────────────┘
//!
//!   Broker: what devices publish ──► consumer groups ──► AMQP links ──► settled, or back into the group
//! ```
//!
//! | file | theme |
//! |---|---|
//! | `api.rs` | [`CloudApi`]: HTTP on any stream; a request in, an answer out |
//! | `door.rs` | who may ask: access key, signature, nonce, timestamp |
//! | `entrance.rs` | TCP, or TLS as devices get it, before anything is said |
//! | `actions.rs` | what each action does |
//! | `answer.rs` | answers as JSON |
//! | `amqp.rs` | [`ServerSubscription`]: AMQP 1.0 on any stream |
//! | `groups.rs` | consumer groups: what no business server has taken yet |
//! | `rate.rs` | how often an action may be asked for |
//!
//! Nothing here knows MQTT: messages go to the [`Broker`](crate::Broker), whose core routes them like those of clients.

mod actions;
mod amqp;
mod answer;
mod api;
mod door;
mod entrance;
mod groups;
mod rate;

pub use amqp::ServerSubscription;
pub use api::CloudApi;
