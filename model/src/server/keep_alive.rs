//! Keep Alive: how long a client may be silent, and the answer to its PINGREQ.

use super::response::Response;
use super::session::{Connection, Phase, Session};
use super::{Breach, Context, Millis, Rule};

impl Connection {
    /// The silence after which the server closes: 1.5 times the Keep Alive; `None` when it is off.
    #[must_use]
    pub fn patience(&self) -> Option<Millis> {
        (self.keep_alive > 0).then(|| self.keep_alive + self.keep_alive / 2)
    }

    /// Whether the server may close for this silence.
    pub(super) fn is_overdue(&self, silence: Millis) -> bool {
        self.patience().is_some_and(|patience| silence >= patience)
    }
}

impl Session {
    /// The silence after which a connection that is still open breaks the rule `KeepAliveCloses`.
    #[must_use]
    pub fn silence_limit(&self, context: &Context<'_>) -> Option<Millis> {
        let lateness = Millis::from(context.profile.limits().keep_alive_lateness) * 1000;
        let link = self.link.as_ref().filter(|link| link.phase == Phase::Connected)?;
        link.patience().map(|patience| patience + lateness)
    }

    /// PINGRESP comes.
    pub(super) fn pingresp(&self) -> Result<Vec<Session>, Breach> {
        self.answered(|response| *response == Response::Pingresp)
            .map(|(next, _)| vec![next])
            .ok_or_else(|| Breach::of(Rule::PingrespAnswers, self.waiting_responses()))
    }
}
