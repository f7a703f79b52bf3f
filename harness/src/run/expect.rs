//! What an actor expects: packets, a close, silence.

use super::player::{EARLY, Halt, LATE, Player};
use super::verdict::{Finding, SilenceMeans};
use crate::case::{AMQP, Mismatch, PacketPattern, Step, Window};
use crate::wire::{Arrived, Inbox, MOST_BYTES, MOST_PACKETS};
use model::packet::{Packet, PacketType};
use std::time::Duration;
use tokio::time::Instant;

/// What stands at the place where a packet is expected.
pub(super) enum Look {
    Packet(Box<Arrived>),
    /// No packet can come any more, and why.
    Over(End),
}

/// Why no packet can come any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    pub(super) what: String,
    /// The statements that it breaks; none if it is the case that decides.
    pub(super) statements: Vec<String>,
}

impl Player<'_> {
    /// Until when an expectation waits.
    pub(super) fn deadline(&self, within: Option<Window>) -> Instant {
        match within {
            Some(window) => self.mark() + window.latest + if self.is_virtual() { Duration::ZERO } else { LATE },
            None => Instant::now() + self.timeout,
        }
    }

    pub(super) async fn expect_packet(
        &mut self,
        step: &Step,
        actor: &str,
        pattern: &PacketPattern,
        within: Option<Window>,
        bind: Option<&str>,
    ) -> Result<(), Halt> {
        let packet_type = pattern.packet_type();
        let deadline = self.deadline(within);
        let look = self.wait(deadline, |player| player.take(actor, packet_type)).await;
        match look {
            Some(Look::Packet(arrived)) => {
                let mismatches = pattern.compare(&arrived.packet, &self.scope);
                if !mismatches.is_empty() {
                    return Err(self.mismatch(step, actor, &arrived, &mismatches));
                }
                if let Some(name) = bind {
                    self.scope.bind(name, &arrived.packet);
                }
                self.check_window(step, actor, arrived.at, within, &arrived.packet.to_string())
            }
            Some(Look::Over(end)) => Err(self.ended(step, actor, packet_type.name(), end)),
            None => {
                let waited = seconds(deadline.saturating_duration_since(self.mark()));
                let mut seen = format!("none within {waited} s");
                if let Some(others) = self.inbox(actor, |inbox| untaken(inbox)).flatten() {
                    seen = format!("{seen}, but {others}");
                }
                Err(self.finding(step, Some(actor), &format!("no {packet_type} came for this step"), &step.text, &seen))
            }
        }
    }

    /// Takes the first packet of a type, if it is there.
    pub(super) fn take(&mut self, actor: &str, packet_type: PacketType) -> Option<Look> {
        let look = self.inbox(actor, |inbox| {
            if let Some(index) = inbox.first(packet_type).map(|(index, _)| index) {
                return inbox.packets.remove(index).map(|arrived| Look::Packet(Box::new(arrived)));
            }
            end(inbox).map(Look::Over)
        });
        match look {
            Some(look) => look,
            None => Some(Look::Over(End { what: "it has no connection".to_owned(), statements: Vec::new() })),
        }
    }

    pub(super) async fn expect_closed(&mut self, step: &Step, actor: &str, within: Option<Window>) -> Result<(), Halt> {
        let deadline = self.deadline(within);
        let over = self
            .wait(deadline, |player| {
                player.inbox(actor, |inbox| {
                    let unreadable = unreadable(inbox).map(Err);
                    unreadable.or_else(|| inbox.closed.map(Ok))
                })?
            })
            .await;
        let has_properties = self.variant.version.has_properties();
        match over {
            Some(Ok(at)) => {
                let before = self.inbox(actor, |inbox| {
                    let is_part_of_it = |packet: &Packet| match packet.packet_type() {
                        // Deliveries may have been under way; the judge knows whether they were due.
                        PacketType::Publish => true,
                        packet_type => has_properties && packet_type == PacketType::Disconnect,
                    };
                    let other = inbox.packets.iter().find(|arrived| !is_part_of_it(&arrived.packet));
                    let other = other.map(|arrived| arrived.packet.to_string());
                    inbox.packets.clear();
                    other
                });
                self.knows_closed(actor);
                if let Some(packet) = before.flatten() {
                    let seen = format!("{packet} before the close");
                    return Err(self.finding(
                        step,
                        Some(actor),
                        "the peer answers before it closes",
                        &step.text,
                        &seen,
                    ));
                }
                self.check_window(step, actor, at, within, "the close")
            }
            Some(Err(end)) => Err(self.ended(step, actor, "the end of the connection", end)),
            None => {
                let waited = seconds(deadline.saturating_duration_since(self.mark()));
                let mut seen = format!("the connection is open after {waited} s");
                if let Some(others) = self.inbox(actor, |inbox| untaken(inbox)).flatten() {
                    seen = format!("{seen}, {others}");
                }
                Err(self.finding(step, Some(actor), "the peer does not close the connection", &step.text, &seen))
            }
        }
    }

    pub(super) fn knows_closed(&mut self, actor: &str) {
        if let Some(actor) = self.actors.get_mut(actor) {
            actor.knows_closed = true;
        }
    }

    pub(super) async fn expect_silence(&mut self, step: &Step, actor: &str) -> Result<(), Halt> {
        let means = self.fence(step, actor).await?;
        self.silence.insert(means);
        self.check_silence(step, actor)
    }

    fn check_silence(&mut self, step: &Step, actor: &str) -> Result<(), Halt> {
        let unreadable = self.inbox(actor, |inbox| unreadable(inbox)).flatten();
        if let Some(end) = unreadable {
            return Err(self.ended(step, actor, "silence", end));
        }
        let of_cloud = if actor == AMQP { self.unexpected_message() } else { None };
        match of_cloud.or(self.inbox(actor, |inbox| untaken(inbox)).flatten()) {
            Some(others) => {
                Err(self.finding(step, Some(actor), "the peer is not silent", "no further packet", &others))
            }
            None => Ok(()),
        }
    }

    pub(super) fn check_window(
        &self,
        step: &Step,
        actor: &str,
        at: Instant,
        within: Option<Window>,
        what: &str,
    ) -> Result<(), Halt> {
        let Some(window) = within else {
            return Ok(());
        };
        let (early, late) = if self.is_virtual() { (Duration::ZERO, Duration::ZERO) } else { (EARLY, LATE) };
        let after = |mark: Instant| at.saturating_duration_since(mark);
        let (wrong, after) = match (after(self.earliest_mark()), after(self.mark())) {
            (after, _) if after + early < window.earliest => ("it comes too early", after),
            (_, after) if after > window.latest + late => ("it comes too late", after),
            _ => return Ok(()),
        };
        let expected = format!("{} s to {} s", seconds(window.earliest), seconds(window.latest));
        let seen = format!("{what} after {} s", seconds(after));
        Err(self.finding(step, Some(actor), wrong, &expected, &seen))
    }

    fn mismatch(&self, step: &Step, actor: &str, arrived: &Arrived, mismatches: &[Mismatch]) -> Halt {
        let packet = &arrived.packet;
        let list = |text: fn(&Mismatch) -> String| mismatches.iter().map(text).collect::<Vec<_>>().join(", ");
        let fields = list(|mismatch| mismatch.field.clone());
        let expected = list(|mismatch| format!("{} {}", mismatch.field, mismatch.expected));
        let seen = list(|mismatch| format!("{} {}", mismatch.field, mismatch.seen));
        let what = format!("{} is not as expected: {fields}", packet.packet_type());
        match self.finding(step, Some(actor), &what, &expected, &format!("{seen}, in {packet}")) {
            Halt::Finding(mut finding) => {
                finding.bytes.clone_from(&arrived.bytes);
                Halt::Finding(finding)
            }
            other => other,
        }
    }

    /// The connection came to an end, or its bytes to no sense, before what was expected.
    pub(super) fn ended(&self, step: &Step, actor: &str, expected: &str, end: End) -> Halt {
        let halt = self.finding(step, Some(actor), &end.what, expected, &end.what);
        match halt {
            Halt::Finding(finding) if !end.statements.is_empty() => {
                Halt::Finding(Box::new(Finding { statements: end.statements, ..*finding }))
            }
            halt => halt,
        }
    }

    /// How silence on a closed or missing connection is shown.
    pub(super) fn is_gone(&self, actor: &str) -> Option<SilenceMeans> {
        let is_over = self.actors.get(actor).is_none_or(|actor| actor.connection.is_over());
        is_over.then_some(SilenceMeans::Closed)
    }
}

/// A time in seconds, as exactly as it matters.
pub(super) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// What came and nobody took, in one line.
pub(super) fn untaken(inbox: &Inbox) -> Option<String> {
    const SHOWN: usize = 5;
    let mut shown: Vec<String> = inbox.packets.iter().take(SHOWN).map(|arrived| arrived.packet.to_string()).collect();
    if inbox.packets.len() > SHOWN {
        shown.push(format!("and {} more", inbox.packets.len() - SHOWN));
    }
    (!shown.is_empty()).then(|| format!("there is {}", shown.join("; ")))
}

/// What is wrong with the peer's bytes, if something is: no packet is read behind it.
pub(super) fn unreadable(inbox: &Inbox) -> Option<End> {
    if let Some(refusal) = &inbox.refusal {
        let statements = refusal.statements.iter().map(|id| (*id).to_owned()).collect();
        return Some(End { what: format!("the peer sent bytes that are no MQTT: {refusal}"), statements });
    }
    let what =
        format!("the peer sends without end: more than {MOST_BYTES} bytes or {MOST_PACKETS} packets on one connection");
    inbox.flooded.then_some(End { what, statements: Vec::new() })
}

/// Why no packet can come any more, if so.
pub(super) fn end(inbox: &Inbox) -> Option<End> {
    if let Some(end) = unreadable(inbox) {
        return Some(end);
    }
    inbox.closed?;
    let what = match untaken(inbox) {
        Some(others) => format!("the peer closed the connection ({others})"),
        None => "the peer closed the connection".to_owned(),
    };
    Some(End { what, statements: Vec::new() })
}
