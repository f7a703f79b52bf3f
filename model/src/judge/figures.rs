//! How much a judge keeps in mind: what a bench and a test of long traces look at.

use super::Judge;

/// The sizes of a judge's tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// The most states of the model that explain one session.
    pub states: usize,
    /// Sessions.
    pub sessions: usize,
    /// Connections.
    pub connections: usize,
    /// Messages, and texts that they and the subscriptions are made of.
    pub tokens: usize,
}

impl Figures {
    /// The larger of each.
    #[must_use]
    pub fn max(self, other: Figures) -> Figures {
        Figures {
            states: self.states.max(other.states),
            sessions: self.sessions.max(other.sessions),
            connections: self.connections.max(other.connections),
            tokens: self.tokens.max(other.tokens),
        }
    }
}

impl Judge {
    /// How much it keeps in mind now.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            states: self.tracks.values().map(|track| track.states()).max().unwrap_or(0),
            sessions: self.tracks.len(),
            connections: self.readings.len(),
            tokens: self.vocabulary.len(),
        }
    }
}
