//! How long a session is followed, and why no longer.

use super::Track;
use super::hypothesis::CAP;

/// How a session is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Following {
    /// All that the server does is explained.
    Strictly,
    /// The client has sent what is malformed, and its version lets a server make anything of it (3.1), or what is too large,
    /// before it could know: what cannot be explained may come from that, and ends the following.
    Leniently,
    /// No more: after a violation no state explains the session.
    NoMore,
    /// No more: too many states explain it.
    Overflowed,
}

impl Track {
    /// From here on the server may make anything of what its client has sent.
    pub(in crate::judge) fn follow_leniently(&mut self) {
        if self.following == Following::Strictly {
            self.following = Following::Leniently;
        }
    }

    /// Stops judging: after a violation no state explains this session any more.
    pub(in crate::judge) fn abandon(&mut self) {
        self.leave(Following::NoMore);
    }

    /// Stops judging: too many states explain the session, now or as the server takes what waits.
    pub(in crate::judge) fn give_up(&mut self) {
        self.leave(Following::Overflowed);
    }

    pub(super) fn leave(&mut self, following: Following) {
        self.following = following;
        self.hypotheses.clear();
        self.queue.clear();
    }

    /// Something cannot be explained. Whether that is no violation: then the session is followed no more.
    pub(super) fn may_go_its_way(&mut self) -> bool {
        let is_lenient = self.following == Following::Leniently;
        if is_lenient {
            self.abandon();
        }
        is_lenient
    }

    pub(super) fn is_left(&self) -> bool {
        matches!(self.following, Following::NoMore | Following::Overflowed)
    }

    /// Why there is no verdict, if there is none.
    pub(in crate::judge) fn overflow(&self) -> Option<String> {
        (self.following == Following::Overflowed)
            .then(|| format!("more than {CAP} states of the model explain a session; the judge follows no more"))
    }
}
