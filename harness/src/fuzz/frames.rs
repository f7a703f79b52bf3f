//! Walks over WebSocket: what frames do and carry, beneath MQTT.

use super::link::Link;
use super::walk::Walker;
use super::walked::{Did, Walked};
use crate::run::misframed_by;
use crate::trace::{ConnectionId, What};
use model::judge::{Judgement, Violation};

/// The rule of what the server's frames are like.
const SENDS: &str = "web-socket-frames-are-right";

/// The rule of what the server does about a text frame.
const CLOSES: &str = "text-frame-ends-connection";

/// Two PINGREQ packets in frames that are not theirs: one in two, two in one.
pub(super) const FRAMES: &[&[&[u8]]] = &[&[b"\xC0", b"\x00"], &[b"\xC0\x00\xC0\x00"], &[b"\xC0", b"\x00\xC0", b"\x00"]];

/// A PUBLISH, which is text too.
pub(super) const TEXT: &[u8] = b"\x30\x05\x00\x01a12";

impl Walker {
    /// Sends packets in frames of a WebSocket; `false` if there is none.
    pub(super) fn send_frames(&mut self, id: ConnectionId, frames: &'static [&'static [u8]]) -> bool {
        let can_ping = self.links.get(&id).is_some_and(Link::can_ping);
        if !can_ping || self.connections.frames(id).is_none() {
            return false;
        }
        for frame in frames {
            self.write(id, frame.to_vec(), Did::SendBytes(frame.to_vec()));
        }
        true
    }

    /// Sends bytes in a text frame of a WebSocket: they carry no MQTT, and nothing does behind them.
    pub(super) fn send_text(&mut self, id: ConnectionId, bytes: &'static [u8]) -> bool {
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.left && link.held_back.is_empty()) else {
            return false;
        };
        let client = link.client;
        let Some(frames) = self.connections.frames(id) else { return false };
        frames.send_text();
        link.left = true;
        self.record(id, What::SentText(bytes.to_vec()));
        self.connections.write(id, bytes);
        self.log(Some(client), Did::SendText(bytes.to_vec()));
        true
    }

    /// Looks at the frames of a connection that ends.
    pub(super) fn examine(&mut self, id: ConnectionId) {
        let Some(frames) = self.connections.frames(id) else { return };
        let at = u64::try_from(self.connections.now().as_millis()).unwrap_or(u64::MAX);
        let violations = misframed_by(frames).into_iter().map(|misframed| Violation {
            at,
            connection: id,
            rule: SENDS,
            says: misframed.what.to_owned(),
            statements: vec![misframed.statement],
            expected: misframed.expected.to_owned(),
            seen: misframed.seen,
        });
        self.walked.misframed.extend(violations);
    }

    /// Looks at those that are open in the end.
    pub(super) fn examine_all(&mut self) {
        let open: Vec<ConnectionId> = self.links.keys().copied().collect();
        open.into_iter().for_each(|id| self.examine(id));
    }
}

/// What the judge says, and what the frames do.
pub(super) fn with_frames(judgement: Judgement, walked: &Walked) -> Judgement {
    let mut violations = walked.misframed.clone();
    violations.extend(untroubled(walked));
    match judgement {
        Judgement::Violates(found) => {
            violations.extend(found);
            violations.sort_by_key(|violation| violation.at);
            Judgement::Violates(violations)
        }
        _ if !violations.is_empty() => Judgement::Violates(violations),
        other => other,
    }
}

/// The server has to close after a text frame.
fn untroubled(walked: &Walked) -> impl Iterator<Item = Violation> {
    let events = &walked.trace.events;
    events.iter().enumerate().filter(|(_, event)| matches!(event.what, What::SentText(_))).filter_map(
        |(index, sent)| {
            let mut later = events[index..].iter().filter(|event| event.connection == sent.connection);
            // Who leaves at once does not see what the server does.
            let is_closed = later.any(|event| {
                let leaves_at_once = event.what == What::ClosedByHarness && event.at == sent.at;
                event.what == What::ClosedByPeer || leaves_at_once
            });
            (!is_closed).then(|| Violation {
                at: u64::try_from(sent.at.as_millis()).unwrap_or(u64::MAX),
                connection: sent.connection,
                rule: CLOSES,
                says: "the server closes a connection on which a WebSocket text frame came".to_owned(),
                statements: vec!["MQTT-6.0.0-1"],
                expected: "the connection is closed".to_owned(),
                seen: "it is open".to_owned(),
            })
        },
    )
}
