//! The black box harness: plays cases against a broker and judges every byte.
//!
//! ```text
//! cases/*.yaml --case--> variants --run--> trace --judge--> verdicts --report--> terminal, JSON, JUnit
//!                                  |
//!                                target: the embedded reference broker, an address, a started command
//!                                  |     and the devices that it knows, lent to the actors of a variant
//!                                cloud: its API and its AMQP, for the actors `api` and `amqp`
//! ```
//!
//! Where to read next: [`case`] is the language of the cases, [`run`] plays them, [`wire`] and [`trace`] are what it
//! plays on, [`target`] is what is tested, [`cloud`] is the business server that is played, [`report`] is what people and
//! machines get to see, and [`concealing`] what they do not. The command line is `mqttspec`.

pub mod case;
pub mod cloud;
pub mod concealing;
pub mod coverage;
pub mod exit_code;
pub mod fault;
pub mod fuzz;
pub mod prove;
pub mod recipe;
pub mod report;
pub mod run;
pub mod target;
pub mod text_file;
pub mod trace;
pub mod wire;
