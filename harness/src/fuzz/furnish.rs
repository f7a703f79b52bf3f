//! What a walk finds when it begins: who takes part, and what carries it. It follows from the seed and from the target.

use super::campaign::Target;
use super::explore::Terrain;
use crate::target::{Peer, Scheme};
use model::profile::Feature;
use reference_broker::{Occasion, Settings, Switch};

/// So many walks in a row have one kind of company: as many as it takes until all versions had their turn.
const ROW: u64 = 6;

impl Target {
    /// The terrain of the walk with this seed. Where nothing is known to be wrong, everything has its turn; with a fault, only
    /// what it can show in.
    pub(super) fn furnish(&self, terrain: Terrain, seed: u64) -> Terrain {
        let row = seed / ROW;
        let (of_devices, over_web_socket) = match self {
            // Whose devices there are nobody has said, and what carries is in the URL.
            Target::Network(_) => return terrain,
            Target::Embedded => (row % 2 == 1, row % 8 == 2),
            Target::Misbehaving(switch) => {
                (switch.needs_devices() || switch.needs_cloud(), switch.occasions().contains(&Occasion::WebSocket))
            }
        };
        let scheme = if over_web_socket { Scheme::Ws } else { terrain.scheme };
        let terrain = Terrain { scheme, ..terrain };
        if of_devices && terrain.profile.has(Feature::DeviceLogin) { terrain.of_devices() } else { terrain }
    }
}

impl Terrain {
    /// A fresh reference broker that knows what this walk is to find.
    pub(super) fn right_peer(&self) -> Peer {
        self.peer(None)
    }

    /// The same, misbehaving on purpose.
    pub(super) fn peer(&self, misbehaviour: Option<Switch>) -> Peer {
        Peer::embedded_over(self.scheme, Settings { misbehaviour, ..Settings::from_profile(&self.profile) })
    }
}
