//! What nothing refers to any more is forgotten, so that a long trace takes no more memory than a short one.
//!
//! Tracks, retained messages, Wills and open connections are what is kept for its own sake; tokens live as long as one of
//! them speaks of them. The judge sweeps when its vocabulary has doubled: so the work stays in proportion to the trace.

use super::Judge;
use crate::server::mentions::Live;

/// So many tokens are not worth a sweep.
const FEW: usize = 1024;

impl Judge {
    pub(super) fn sweep(&mut self) {
        if self.vocabulary.len() <= self.sweep_above.max(FEW) {
            return;
        }
        self.readings.retain(|_, reading| reading.is_open());
        let mut live = Live::default();
        self.tracks.values().for_each(|track| track.mention(&mut live));
        live.messages.extend(self.retained.messages());
        live.messages.extend(self.wills.keys());
        live.messages.extend(self.cloud.messages());
        live.topics.extend(self.readings.values().flat_map(|reading| reading.topics()));
        self.vocabulary.sweep(&live);
        self.sweep_above = 2 * self.vocabulary.len();
    }
}
