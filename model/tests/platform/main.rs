//! What only the IoT Platform's dialects have: devices and their topics, synchronous calls, and open points with several
//! right answers.
#![expect(clippy::unwrap_used, reason = "a test may panic, helpers of tests too")]

mod calls;
mod consumers;
mod devices;
mod reactions;
mod rows;
mod trace;
mod vectors;
