//! Keep Alive and the deadlines of answers.

use super::state::{Connection, Phase};
use crate::Cause;
use model::packet::{Packet, PacketType, ReasonCode};
use std::time::Duration;

/// When to send PINGREQ, and when to give up waiting for PINGRESP.
#[derive(Debug)]
pub(super) struct KeepAlive {
    /// After how much silence of this side PINGREQ is sent; `None`: Keep Alive is off.
    ping_after: Option<Duration>,
    /// How long PINGRESP may take.
    answer_within: Duration,
    last_sent: Duration,
    /// Since when the oldest unanswered PINGREQ waits, and how many do.
    awaiting: Option<(Duration, u32)>,
}

impl KeepAlive {
    /// PINGREQ goes out after three quarters of the interval: the standard wants it before the interval runs out, and
    /// the rest is for the way. PINGRESP may take one interval (V31-24) or the response timeout, whichever is shorter.
    pub(super) fn new(seconds: u16, response_timeout: Duration, now: Duration) -> KeepAlive {
        let interval = Duration::from_secs(u64::from(seconds));
        KeepAlive {
            ping_after: (seconds > 0).then_some(interval * 3 / 4),
            answer_within: interval.min(response_timeout),
            last_sent: now,
            awaiting: None,
        }
    }

    pub(super) fn sent(&mut self, now: Duration) {
        self.last_sent = now;
    }

    pub(super) fn answered(&mut self) {
        self.awaiting = match self.awaiting {
            Some((since, count)) if count > 1 => Some((since, count - 1)),
            _ => None,
        };
    }

    /// PINGRESP may have waited behind an event: its time begins anew.
    pub(super) fn resumed(&mut self, now: Duration) {
        if let Some((since, _)) = &mut self.awaiting {
            *since = now;
        }
    }

    fn pinged(&mut self, now: Duration) {
        let (since, count) = self.awaiting.unwrap_or((now, 0));
        self.awaiting = Some((since, count.saturating_add(1)));
    }

    fn ping_at(&self) -> Option<Duration> {
        self.ping_after.map(|after| self.last_sent + after)
    }

    fn dead_at(&self) -> Option<Duration> {
        self.awaiting.map(|(since, _)| since + self.answer_within)
    }
}

impl Connection {
    /// When [`tick`](Self::tick) is due, if nothing happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Opening { since } => Some(since + self.options.response_timeout),
            Phase::Open => [self.keep_alive.ping_at(), self.answer_due().map(|(at, _)| at)].into_iter().flatten().min(),
            Phase::Over => None,
        }
    }

    /// Does what the time asks for.
    pub fn tick(&mut self, now: Duration) {
        match self.phase {
            Phase::Opening { since } if now >= since + self.options.response_timeout => {
                let cause = Cause::Unanswered { packet: PacketType::Connect, waited: self.options.response_timeout };
                self.end(cause, None);
            }
            Phase::Open => match self.answer_due() {
                Some((at, overdue)) if now >= at => self.give_up(overdue),
                _ if self.keep_alive.ping_at().is_some_and(|at| now >= at) => {
                    self.keep_alive.pinged(now);
                    self.answer(&Packet::Pingreq, now);
                }
                _ => {}
            },
            Phase::Opening { .. } | Phase::Over => {}
        }
    }

    fn give_up(&mut self, overdue: Overdue) {
        let waited = self.options.response_timeout;
        match overdue {
            // The Server is taken to be gone: there is nobody to tell.
            Overdue::Pingresp => {
                let cause = Cause::Unanswered { packet: PacketType::Pingreq, waited: self.keep_alive.answer_within };
                self.end(cause, None);
            }
            Overdue::Answer(packet) => {
                self.end(Cause::Unanswered { packet, waited }, Some(ReasonCode::UnspecifiedError));
            }
            Overdue::Application => self.end(Cause::EventsNotTaken(waited), Some(ReasonCode::UnspecifiedError)),
        }
    }

    /// The next moment at which patience ends, and with whom. While the application has an event, answers cannot be
    /// seen: then only its own time runs, and only if an answer is awaited.
    fn answer_due(&self) -> Option<(Duration, Overdue)> {
        let awaited = self.oldest_unanswered();
        let timeout = self.options.response_timeout;
        if let Some(pause) = &self.paused {
            return awaited.map(|(since, _)| (pause.since.max(since) + timeout, Overdue::Application));
        }
        let answer = awaited.map(|(since, packet)| (since.max(self.resumed_at) + timeout, Overdue::Answer(packet)));
        let pingresp = self.keep_alive.dead_at().map(|at| (at, Overdue::Pingresp));
        [answer, pingresp].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn oldest_unanswered(&self) -> Option<(Duration, PacketType)> {
        let published = self.session.published.front().map(|in_flight| (in_flight.sent_at, PacketType::Publish));
        let released = self.session.released.front().map(|in_flight| (in_flight.sent_at, PacketType::Pubrel));
        let requests = self.requests.values().map(|request| (Some(request.sent_at), request.packet));
        let sent = published.into_iter().chain(released).chain(requests).filter_map(|(at, packet)| Some((at?, packet)));
        sent.min_by_key(|(at, _)| *at)
    }
}

/// Whose time has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overdue {
    /// The Server did not answer PINGREQ.
    Pingresp,
    /// The Server did not answer this packet.
    Answer(PacketType),
    /// The application did not take an event.
    Application,
}
