//! What carries MQTT: TCP, TLS, WebSocket, or the standard input and output of a command.
//!
//! ```text
//! client   Address, RouteOptions --> Route --connect--> Opened: a byte stream
//!                                      |
//!                  TCP or TransportCommand, then TLS, then WebSocket, as the scheme says
//!                                      |
//! server                Entrance --admit--> a byte stream, and whether it is encrypted
//! ```
//!
//! All programs of mqttspec use it, so that a URL, an option and an error mean the same everywhere. MQTT itself it does not
//! know. Where to read next: [`Route`] for the client's side, [`Entrance`] for the server's, [`tls`] and [`web_socket`] for
//! what they put on a stream, [`TestAuthority`] for certificates that tests need.

mod address;
mod command;
mod command_line;
mod entrance;
mod route;
mod stream;
mod test_certificates;
pub mod tls;
pub mod web_socket;

pub use address::{Address, Scheme};
pub use command::{CommandLine, CommandStream, Complaint, TransportCommand};
pub use command_line::RouteOptions;
pub use entrance::{Admitted, Entrance, NotAdmitted, Tls};
pub use route::{Aside, ConnectError, Opened, Route};
pub use stream::{PromptTcp, Stream};
pub use test_certificates::{FILES, LOCAL_NAMES, NotMade, TestAuthority, TestCertificate, Validity};
