//! What is decided of variants, and told.

use super::{Run, Work};
use crate::run::play_variant::Unjudged;
use crate::run::verdict::{Class, Outcome, Verdict};
use tokio::task::{Id, JoinError};

impl Run<'_> {
    /// Judges on a thread of its own: the others' windows go on.
    pub(super) fn judge(&mut self, work: Work, unjudged: Unjudged, death: Option<String>) {
        let id = self.judging.spawn_blocking(move || unjudged.judge(death)).id();
        self.judged.insert(id, work);
    }

    pub(super) fn decide(&mut self, joined: Result<(Id, Outcome), JoinError>) {
        match joined {
            Ok((id, outcome)) => {
                self.judged.remove(&id);
                self.tell(outcome);
            }
            Err(error) => {
                if let Some(work) = self.judged.remove(&error.id()) {
                    self.tell(Outcome::not_played(work.variant, Verdict::Error(panicked(&error))));
                }
            }
        }
    }

    pub(super) async fn await_judgements(&mut self) {
        while let Some(joined) = self.judging.join_next_with_id().await {
            self.decide(joined);
        }
    }

    /// Decides all that was not played to its end.
    pub(super) fn give_up(&mut self, why: &str) {
        let running = std::mem::take(&mut self.running).into_values();
        let judged = std::mem::take(&mut self.judged).into_values();
        let rest: Vec<Work> =
            running.chain(judged).chain(self.side_by_side.drain(..)).chain(self.alone.drain(..)).collect();
        for work in rest {
            self.listener.decided(Outcome::not_played(work.variant, Verdict::NotRun(why.to_owned())));
        }
    }

    pub(super) fn tell(&mut self, outcome: Outcome) {
        self.failed |= outcome.verdict.kind().class() == Class::Failed;
        self.listener.decided(outcome);
    }
}

pub(super) fn panicked(error: &JoinError) -> String {
    format!("the harness failed: this is a bug in mqttspec, please report it ({error})")
}
