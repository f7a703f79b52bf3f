//! What is confidential stands in no report, in no form: it is overwritten in what reports are made of.
//!
//! ```text
//!   bytes sent and received ─────┐
//!   steps of a script ───────────┼──► Secrets ──overwrite──► ConcealedTrace, findings, steps, saved cases ──► reports
//!   user name and password ──────┘
//!
//!   30 53 ... 64 65 76 69 63 65 53 65 63 72 65 74 22 3a 22 2a 2a 2a 2a 22 7d      the bytes of a PUBLISH on /ext/register
//!             d  e  v  i  c  e  S  e  c  r  e  t  "  :  "  *  *  *  *  "  }
//! ```
//!
//! This is the only door: charts, transcripts and reports take a [`ConcealedTrace`], and nothing else makes one.
//!
//! | file | theme |
//! |---|---|
//! | `secrets.rs` | [`Secrets`]: what may not be seen, and where it was learnt |
//! | `connect.rs` | where the password is in a CONNECT, however wrong it is |
//! | `forms.rs` | the forms in which bytes come back: as they are, in hex digits, in Base64 |

mod connect;
mod forms;
mod secrets;

pub use secrets::{ConcealedTrace, Secrets};
