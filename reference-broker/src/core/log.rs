//! The device log: what devices did and got, in lines as the platform writes them (P-LOG-1 to P-LOG-6).

use super::broker::Milliseconds;
use super::cloud::MessageId;
use model::device::Device;
use model::packet::UserProperty;
use std::collections::VecDeque;

/// How many lines are kept; the oldest make room.
const LINES: usize = 10_000;

/// The lines, oldest first.
#[derive(Debug, Default)]
pub struct Log {
    lines: VecDeque<Line>,
    written: u64,
}

/// A line with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Milliseconds,
    /// Its number, from 1.
    pub trace_id: u64,
    /// What.
    pub entry: Entry,
}

/// What a line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Of which device.
    pub device: Device,
    /// Of which message, if of one.
    pub message_id: Option<MessageId>,
    /// What was done.
    pub operation: Operation,
    /// The text.
    pub content: String,
    /// Whether it was done.
    pub succeeded: bool,
    /// User Properties of the message (P-V5-10).
    pub user_properties: Vec<UserProperty>,
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// A device connects.
    Online,
    /// Its connection ends.
    Offline,
    /// It publishes.
    Uplink,
    /// It is sent something.
    Downlink,
    /// A call goes on or ends.
    Call,
}

impl Log {
    pub(super) fn append(&mut self, at: Milliseconds, entry: Entry) {
        if self.lines.len() >= LINES {
            self.lines.pop_front();
        }
        self.written += 1;
        self.lines.push_back(Line { at, trace_id: self.written, entry });
    }

    /// The lines that are about a device, oldest first.
    pub fn of<'a>(&'a self, device: &'a Device) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.entry.device == *device)
    }
}

impl Entry {
    pub(super) fn new(device: Device, operation: Operation, content: String) -> Entry {
        Entry { device, message_id: None, operation, content, succeeded: true, user_properties: Vec::new() }
    }

    pub(super) fn of_message(self, id: MessageId) -> Entry {
        Entry { message_id: Some(id), ..self }
    }

    pub(super) fn with(self, user_properties: Vec<UserProperty>) -> Entry {
        Entry { user_properties, ..self }
    }

    pub(super) fn failed(self) -> Entry {
        Entry { succeeded: false, ..self }
    }
}

impl Operation {
    /// Its name in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Operation::Online => "online",
            Operation::Offline => "offline",
            Operation::Uplink => "device-to-cloud",
            Operation::Downlink => "cloud-to-device",
            Operation::Call => "rrpc",
        }
    }
}
