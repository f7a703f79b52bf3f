//! How fast the judge follows a trace, how many states it holds and what it keeps in mind: a fleet of eight clients and a
//! simulated server, the same as in the tests.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

#[path = "../tests/simulated/choice.rs"]
mod choice;
#[path = "../tests/simulated/client.rs"]
mod client;
#[path = "../tests/simulated/packets.rs"]
mod packets;
#[path = "../tests/simulated/server.rs"]
#[expect(dead_code, reason = "tests ask the server more")]
mod server;
#[path = "../tests/simulated/terms.rs"]
#[expect(dead_code, reason = "tests have more themes")]
mod terms;
#[path = "../tests/simulated/walk.rs"]
mod walk;
#[path = "../tests/simulated/world.rs"]
#[expect(dead_code, reason = "tests print events")]
mod world;

use divan::Bencher;
use divan::counter::ItemsCount;
use model::judge::{Figures, Judge, Judgement, Timing};
use model::profile::Profile;
use std::time::Instant;
use walk::{Walk, fleet};
use world::Event;

const EVENTS: usize = 100_000;

fn main() {
    figures(EVENTS);
    divan::main();
}

fn trace(events: usize) -> Vec<Event> {
    let mut walk = Walk::new(fleet(8), 1);
    let mut trace = Vec::new();
    while trace.len() < events {
        trace.extend(walk.events());
    }
    trace.extend(walk.rest());
    trace
}

fn judge() -> Judge {
    Judge::new(Profile::builtin("standard").unwrap(), Timing::virtual_time())
}

/// What a trace of so many events costs, printed once.
fn figures(events: usize) {
    let trace = trace(events);
    let (mut judge, mut largest) = (judge(), Figures::default());
    let start = Instant::now();
    for event in &trace {
        event.tell(&mut judge);
        largest = largest.max(judge.figures());
    }
    let mean = start.elapsed().as_micros() as f64 / trace.len() as f64;
    println!("{events} events of 8 clients: {mean:.1} us an event; at most {largest:?}");
    assert_eq!(judge.finish(trace[trace.len() - 1].at + 1), Judgement::Conforms);
}

/// The judge alone, over the whole trace.
#[divan::bench(sample_count = 10)]
fn follows_a_fleet(bencher: Bencher<'_, '_>) {
    let trace = trace(EVENTS);
    bencher.counter(ItemsCount::new(trace.len())).with_inputs(judge).bench_local_values(|mut judge| {
        trace.iter().for_each(|event| event.tell(&mut judge));
        judge
    });
}
