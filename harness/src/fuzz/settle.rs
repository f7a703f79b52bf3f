//! How a walk comes to rest between two commands.

use super::link::Link;
use super::walk::{MOMENT, Walker};
use crate::trace::ConnectionId;
use model::packet::Packet;
use std::time::{Duration, Instant};

/// In the end one round shows that the peer has read what was sent; what it then handed from one of its parts to another
/// shows in the next. Between commands one is enough: what comes later comes later.
const LAST_ROUNDS: usize = 2;

/// How long a peer may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// How long it may take to close after DISCONNECT.
const CLOSES_WITHIN: Duration = Duration::from_millis(100);

/// How often an embedded peer's tasks get their turn while time stands still.
const TURNS: usize = 64;

/// How often what clients answer by themselves may lead to more.
const EXCHANGES: usize = 8;

impl Walker {
    /// Lets what was sent have its effects.
    pub(super) fn settle(&mut self) {
        if !self.connections.is_virtual() {
            return self.settle_by_pings(1);
        }
        for _ in 0..EXCHANGES {
            // Time stands still while something is under way: the peer would be blamed for what it cannot know yet, or for
            // what the client did not see in time.
            if self.links.values().all(|link| link.held_back.is_empty() && link.reading) {
                self.connections.sleep(MOMENT);
            } else {
                self.connections.give_turns(TURNS);
            }
            if !self.drain() {
                break;
            }
        }
    }

    /// Lets everything come to an end: nothing can come any more if the peer is right.
    pub(super) fn come_to_rest(&mut self) {
        self.settle();
        if !self.connections.is_virtual() {
            self.wait(ANSWERS_WITHIN, |link| !link.sound || link.left);
            self.settle_by_pings(LAST_ROUNDS);
        }
    }

    /// Every connection that can be asked is asked whether the peer has read all.
    fn settle_by_pings(&mut self, rounds: usize) {
        for _ in 0..rounds {
            self.drain();
            let asked: Vec<ConnectionId> =
                self.links.iter().filter(|(_, link)| link.can_ping()).map(|(id, _)| *id).collect();
            for id in asked {
                self.ping(id);
            }
            let waits = |link: &Link| {
                let is_answered = !link.awaits_answer || link.stalled || !link.reading;
                link.can_ping() && link.pings > 0 || !is_answered
            };
            self.wait(ANSWERS_WITHIN, waits);
            // Whoever does not answer now is not asked again.
            for link in self.links.values_mut().filter(|link| waits(link)) {
                link.sound = false;
                link.awaits_answer = false;
            }
        }
        self.wait(ANSWERS_WITHIN, |link| link.ending && link.reading);
        self.wait(CLOSES_WITHIN, |link| link.left && link.reading);
        let left: Vec<ConnectionId> =
            self.links.iter().filter(|(_, link)| link.left && !link.stalled).map(|(id, _)| *id).collect();
        for id in left {
            self.cut(id);
        }
    }

    fn ping(&mut self, id: ConnectionId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.pings += 1;
        }
        self.send_unlogged(id, &Packet::Pingreq);
    }

    /// Takes what comes as long as there is a connection to wait for.
    fn wait(&mut self, within: Duration, waits: impl Fn(&Link) -> bool) {
        let deadline = Instant::now() + within;
        while self.links.values().any(&waits) {
            let rest = deadline.saturating_duration_since(Instant::now());
            match self.connections.wait(rest) {
                Some(arrival) => self.arrived(arrival),
                None => break,
            }
        }
    }
}
