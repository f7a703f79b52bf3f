//! The program as a user meets it: messages, reports and exit codes.

mod bad_input;
mod confidential;
mod coverage;
mod fake_peer;
mod faults;
mod fuzz;
mod judged;
mod mixed_bag;
mod model;
mod probe;
mod program;
mod started;
mod target_file;
mod transport;
mod verbs;
