//! What follows when a client does what it must not.

use super::alphabet::{Announcement, Output};
use super::rule::Context;
use super::session::{Connection, Phase, Session};
use crate::profile::{Offence, Reaction};

impl Session {
    /// The client has offended. One successor condemns the connection; `instead` are those in which the server goes on, each
    /// with the reaction that it needs. Who ignores it goes on as before, unless that is told there.
    pub(super) fn offend(
        &self,
        context: &Context<'_>,
        offence: Offence,
        instead: &[(Reaction, Session)],
    ) -> Vec<Session> {
        let permitted = context.profile.reactions(offence, self.version());
        let mut successors = Vec::new();
        if permitted.iter().any(|reaction| !reaction.keeps_connection()) {
            successors.push(self.condemned(offence));
        }
        let is_told = |reaction: &Reaction| instead.iter().any(|(told, _)| told == reaction);
        if permitted.contains(&Reaction::Ignore) && !is_told(&Reaction::Ignore) {
            successors.push(self.clone());
        }
        for (reaction, session) in instead {
            let wanted = |known: &Reaction| std::mem::discriminant(known) == std::mem::discriminant(reaction);
            if permitted.iter().any(wanted) {
                successors.push(session.clone());
            }
        }
        if successors.is_empty() {
            // The profile accepts what this input is, and nobody said what that means: it has no effect.
            successors.push(self.clone());
        }
        successors.sort();
        successors.dedup();
        successors
    }

    /// The same for one part of a packet that has several, each of which acts as a packet of its own: a server that ends the
    /// connection there may have done what stands before it, as `before` has it.
    pub(super) fn offend_behind(
        &self,
        context: &Context<'_>,
        offence: Offence,
        before: &Session,
        instead: &[(Reaction, Session)],
    ) -> Vec<Session> {
        let mut successors = self.offend(context, offence, instead);
        if successors.contains(&self.condemned(offence)) {
            successors.push(before.condemned(offence));
            successors.sort();
            successors.dedup();
        }
        successors
    }

    /// The server will end the connection because of this, or already because of another.
    fn condemned(&self, offence: Offence) -> Session {
        self.with_link(|link| {
            let greeted = !matches!(link.phase, Phase::Connecting { .. });
            link.phase = match link.phase {
                Phase::Condemned { .. } => link.phase,
                _ => Phase::Condemned { offence, greeted },
            };
        })
    }
}

/// Whether every reaction to `offence` ends the connection: then nothing that follows on it may have an effect.
#[must_use]
pub fn always_ends(context: &Context<'_>, offence: Offence, version: crate::packet::ProtocolVersion) -> bool {
    context.profile.reactions(offence, version).iter().all(|reaction| !reaction.keeps_connection())
}

impl Connection {
    /// What the server says next on a connection that it ends: of the permitted reactions the preferred one.
    pub(super) fn last_word(&self, context: &Context<'_>) -> Output {
        let Phase::Condemned { offence, greeted } = self.phase else { return Output::Close };
        let word = |reaction: &Reaction| match *reaction {
            Reaction::Close => Some(Output::Close),
            Reaction::Disconnect(code) if greeted => Some(Output::Disconnect { code: code.in_answer() }),
            Reaction::Connack(code) if !greeted => Some(Output::Connack {
                session_present: false,
                code: code.in_connack(self.version),
                announced: Announcement::default(),
            }),
            _ => None,
        };
        context.profile.reactions(offence, self.version).iter().find_map(word).unwrap_or(Output::Close)
    }
}
