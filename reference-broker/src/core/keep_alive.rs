//! The Keep Alive timer: a Client silent for 1.5 times its Keep Alive is disconnected (MQTT-3.1.2-22).

use super::broker::{ConnectionId, Core, Milliseconds};
use super::connection::Connection;
use super::disconnect::Violation;
use super::timers::Timer;
use crate::switch::Switch;
use model::packet::ReasonCode;

/// 1.5 times a Keep Alive of so many seconds; `None` if it is 0, which turns the timer off.
pub(super) fn longest_silence(keep_alive: u16) -> Option<Milliseconds> {
    (keep_alive > 0).then(|| Milliseconds::from(keep_alive) * 1_500)
}

impl Core {
    /// Something came from the Client.
    pub(super) fn heard(&mut self, connection: ConnectionId, now: Milliseconds) {
        if let Some(Connection::Established(link)) = self.connections.get_mut(&connection) {
            link.last_heard = link.last_heard.max(now);
        }
    }

    /// Looks at the silence of a connection. The timer is not moved with every packet, but only when it runs out.
    pub(super) fn keep_alive_is_due(&mut self, connection: ConnectionId) {
        let Some(Connection::Established(link)) = self.connections.get_mut(&connection) else { return };
        let Some(longest_silence) = link.longest_silence else { return };
        if self.settings.misbehaves(Switch::KeepAliveNotEnforced) {
            return;
        }
        let deadline = link.last_heard + longest_silence;
        if deadline > self.now {
            link.silence_check = deadline;
            self.timers.set(deadline, Timer::KeepAlive(connection));
        } else {
            self.disconnect(connection, &Violation::new(ReasonCode::KeepAliveTimeout, "keep alive timeout"));
        }
    }
}
