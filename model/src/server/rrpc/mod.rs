//! Synchronous calls (RRPC): the cloud calls a device over topics and gets its answer, or learns why there is none.
//!
//! ```text
//!     cloud                        platform                          device
//!       │ Call::new ───────────────► │                                  │
//!       │                            │ ── Output::Request ────────────► │  /sys/{pk}/{dn}/rrpc/request/{id}
//!       │                            │ ◄──────── Input::Published ───── │  /sys/{pk}/{dn}/rrpc/response/{id}
//!       │ ◄──── Output::Ended ────── │                                  │
//! ```
//!
//! A [`Call`] follows one call, as a [`Session`](super::Session) follows one session: [`input`](Call::input) is what reaches the
//! server, [`accept`](Call::accept) asks whether an output may come now, [`outputs`](Call::outputs) are those of a server,
//! [`owed`](Call::owed) is what silence would break. Cloud and device are on different connections, so nothing is said of
//! the order in which one who watches both sees their ends: a call that has ended may have its request still on the way.

mod alphabet;
mod call;
mod terms;

pub use alphabet::{Input, Outcome, Output};
pub use call::{Call, InvalidTimeout, Presence};
pub use terms::{CallTerms, CallTopic, MessageId, Reach, is_answer};
