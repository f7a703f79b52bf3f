//! Where a player stands: what of all that was its future depends on.

use super::Player;
use super::actors::Actor;
use crate::wire::Arrived;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::Duration;
use tokio::time::Instant;

impl Player<'_> {
    /// Two players of one variant that stand alike between two steps go on alike, as long as the same comes in; what came
    /// over the API and over AMQP is not reckoned in. What was looked at and led to nothing is forgotten, and so is the
    /// order in which it came.
    pub(super) fn standing(&self) -> u64 {
        let now = Instant::now();
        let ago = |moment: Instant| now.duration_since(moment);
        // What a player is made with, and what it only writes down, is left out; proxies have no place in proofs.
        let Player { scope, actors, next_connection, mark, deed, keep_alive, findings, silence, suspicious, .. } = self;
        let mut all = DefaultHasher::new();
        scope.fingerprint(&mut all);
        for (name, actor) in actors {
            name.hash(&mut all);
            actor.fingerprint(ago, &mut all);
        }
        (next_connection, ago(*mark), ago(*deed), keep_alive, silence, suspicious).hash(&mut all);
        for finding in findings {
            (&finding.what, &finding.expected, &finding.seen, finding.connection).hash(&mut all);
        }
        all.finish()
    }
}

impl Actor {
    fn fingerprint<H: Hasher>(&self, ago: impl Fn(Instant) -> Duration, state: &mut H) {
        let Actor { connection, accepted, knows_closed } = self;
        (connection.id(), connection.said_disconnect(), connection.is_between_packets()).hash(state);
        (accepted, knows_closed).hash(state);
        let inbox = connection.inbox();
        for Arrived { packet, bytes, at, noted } in &inbox.packets {
            (packet, bytes, ago(*at), noted).hash(state);
        }
        (&inbox.refusal, inbox.flooded, inbox.closed.map(ago)).hash(state);
        // Who was accepted is not refused in another version any more.
        if !accepted {
            inbox.beginning.hash(state);
        }
    }
}
