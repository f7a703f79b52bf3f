//! Who the actors of a variant are, on a platform that knows its devices.

use super::fence::FENCE;
use super::unique::UNIQUE;
use crate::case::{Roster, Variant};
use crate::target::{Scheme, as_logins_say};
use model::profile::{Feature, Profile};
use std::sync::Arc;

/// The dialect as a peer of one variant has it that can be told which devices there are, and the devices of the actors: none
/// where a case is for everybody, so that clients log in as the standard has it. `scheme` carries the connections of which a
/// case says nothing.
pub(crate) fn provide(variant: &Variant, profile: &Arc<Profile>, scheme: Scheme) -> (Arc<Profile>, Option<Roster>) {
    let logs_in = variant.is_for_devices && profile.has_in(Feature::DeviceLogin, variant.version);
    if !logs_in || profile.registry().is_some() {
        return (Arc::clone(profile), None);
    }
    let mut actors = variant.actors();
    actors.insert(FENCE);
    let scheme = variant.transport.map_or(scheme, |transport| transport.applied_to(scheme));
    let roster = Roster::made_up(&actors, as_logins_say(scheme), &profile.topics, UNIQUE);
    (Arc::new(profile.knowing(Arc::clone(roster.registry()))), Some(roster))
}
