//! The broker without sockets, clock or threads: decoded packets and the time go in, packets and closes come out.
//!
//! | file | theme |
//! |---|---|
//! | `broker.rs` | [`Core`]: its inputs and outputs, who handles which packet |
//! | `connection.rs` | what is known of one connection; sending to it, disconnecting it |
//! | `connect.rs` | CONNECT: checks, takeover, CONNACK |
//! | `login.rs` | who a CONNECT is: a Client, or a device with its signature |
//! | `registration.rs` | devices that are given their secret |
//! | `devices.rs` | what is kept of devices: rates, who is disabled |
//! | `permission.rs` | which topics are a device's |
//! | `authenticate.rs` | AUTH: authentication before CONNACK, and again |
//! | `disconnect.rs` | how connections end: DISCONNECT, violations, lost links |
//! | `keep_alive.rs` | the Keep Alive timer |
//! | `session.rs` | what outlives a connection, and for how long |
//! | `publish.rs` | PUBLISH from Clients |
//! | `acknowledge.rs` | PUBACK, PUBREC, PUBREL and PUBCOMP from Clients |
//! | `alias.rs` | Topic Aliases of one connection, in both directions |
//! | `incoming.rs` | QoS 2 messages from Clients, from PUBLISH to PUBREL |
//! | `subscribe.rs` | SUBSCRIBE and UNSUBSCRIBE |
//! | `subscriptions.rs` | the index of all subscriptions, by Topic Filter |
//! | `share.rs` | Shared Subscriptions: whose turn it is |
//! | `router.rs` | from a message to the sessions that get a copy |
//! | `delivery.rs` | messages on their way to one session: waiting, sent, sent again |
//! | `flight.rs` | deliveries that wait for the Client's acknowledgements |
//! | `message.rs` | an Application Message inside the broker |
//! | `retained.rs` | retained messages: one for each topic |
//! | `will.rs` | Wills: checked, kept, published |
//! | `cloud.rs` | the cloud: its messages to devices, who is there, what it hears |
//! | `calls.rs` | synchronous calls of devices (RRPC) |
//! | `log.rs` | the device log |
//! | `limits.rs` | the dialect's bounds on topics and properties |
//! | `timers.rs` | all deadlines in order |

mod acknowledge;
mod alias;
mod authenticate;
mod broker;
mod calls;
mod cloud;
mod connect;
mod connection;
mod delivery;
mod devices;
mod disconnect;
mod flight;
mod incoming;
mod keep_alive;
mod limits;
pub mod log;
mod login;
mod message;
mod permission;
mod publish;
mod registration;
mod retained;
mod router;
mod session;
mod share;
mod subscribe;
mod subscriptions;
mod timers;
mod will;

pub use authenticate::AUTHENTICATION_METHOD;
pub use broker::{Action, ConnectionId, Core, Input, Milliseconds, Output};
pub use calls::{CallOutcome, CallRequest};
pub use cloud::{CloudEvent, CloudMessage, DeviceMessage, MessageId, NotPublished, Presence};
