//! The program as a user meets it: messages, reports and exit codes.

mod bad_input;
mod fake_peer;
mod mixed_bag;
mod program;
mod started;
mod verbs;
