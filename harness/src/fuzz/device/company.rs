//! Who the clients of a walk are.

use crate::case::Roster;
use crate::fuzz::command::Client;
use crate::fuzz::explore::Terrain;
use crate::run::UNIQUE;
use crate::target::as_logins_say;
use model::profile::{Feature, Profile};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a broker of our own does though no dialect promises it: where devices and the cloud side meet, little is owed without.
const SERVICE: [Feature; 3] = [Feature::FullService, Feature::Qos0Arrives, Feature::Pipelining];

/// What a walk of devices counts on in this dialect.
pub(in crate::fuzz) fn services(profile: &Profile) -> BTreeSet<Feature> {
    SERVICE.into_iter().filter(|feature| profile.has(*feature)).collect()
}

/// Who the clients of a walk are.
#[derive(Debug, Clone, Default)]
pub enum Company {
    /// Clients as the standard has them.
    #[default]
    Clients,
    /// Devices that the broker is told of.
    Devices(Box<Devices>),
}

/// Which devices.
#[derive(Debug, Clone)]
pub struct Devices {
    roster: Roster,
    /// The dialect before anybody knew devices.
    dialect: Profile,
}

impl Company {
    /// Which devices the clients are, if they are some.
    pub(in crate::fuzz) fn roster(&self) -> Option<&Roster> {
        match self {
            Company::Clients => None,
            Company::Devices(devices) => Some(&devices.roster),
        }
    }
}

impl Terrain {
    /// The same, where the clients are devices and the cloud side takes part.
    #[must_use]
    pub fn of_devices(self) -> Terrain {
        let actors: BTreeSet<&str> = Client::first(Client::MOST).map(Client::actor).collect();
        let roster = Roster::made_up(&actors, as_logins_say(self.scheme), &self.profile.topics, UNIQUE);
        let profile = self.profile.knowing(Arc::clone(roster.registry()));
        let devices = Devices { roster, dialect: self.profile };
        Terrain { profile, company: Company::Devices(Box::new(devices)), ..self }
    }

    /// The dialect as cases have it: each brings its own devices.
    pub(in crate::fuzz) fn dialect(&self) -> &Profile {
        match &self.company {
            Company::Clients => &self.profile,
            Company::Devices(devices) => &devices.dialect,
        }
    }

    /// The dialect that the judge holds the peer to.
    pub(in crate::fuzz) fn judged_by(&self) -> Cow<'_, Profile> {
        match &self.company {
            Company::Clients => Cow::Borrowed(&self.profile),
            Company::Devices(_) => Cow::Owned(self.profile.counting_on(&services(&self.profile))),
        }
    }
}
