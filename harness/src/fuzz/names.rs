//! The names of a walk, so that it meets no other walk on the same broker.

use super::command::Client;
use crate::case::{Credentials, Roster, Scope, spell};
use model::packet::Utf8String;
use model::profile::Profile;

/// What stands for `$t` and before the names of actors.
#[derive(Debug, Clone)]
pub(super) struct Names {
    topics: String,
    clients: String,
    scope: Scope,
    /// Who the actors are, where they are devices.
    roster: Option<Roster>,
    /// Whose topics `$t` and `$me` stand for there.
    acting: &'static str,
}

impl Names {
    /// Names of this dialect that begin with `unique`, which is letters and digits.
    pub(super) fn new(profile: &Profile, unique: &str, roster: Option<&Roster>) -> Names {
        let topics = profile.topic_prefix(unique);
        let scope = Scope::new(topics.clone(), unique, Credentials::default()).with_devices(roster.cloned());
        Names { topics, clients: unique.to_owned(), scope, roster: roster.cloned(), acting: "" }
    }

    /// The names as this client means them.
    pub(super) fn of(&self, client: Client) -> Names {
        let mut names = Names { acting: client.actor(), ..self.clone() };
        if let Some(topics) = self.roster.as_ref().and_then(|roster| roster.topics(client.actor())) {
            names.topics = topics;
            names.scope.acts(client.actor());
        }
        names
    }

    /// Whether the clients are devices.
    pub(super) fn are_of_devices(&self) -> bool {
        self.roster.is_some()
    }

    /// The text that commands write with `$t`, `$ann` and `$$`; of devices also with `$bob.topics`, and `$me` for the one
    /// that acts.
    pub(super) fn spell(&self, written: &str) -> Utf8String {
        let written = written.replace("$me.", &format!("${}.", self.acting));
        let spelled = spell(&written, &self.scope).expect("commands name nobody but actors");
        Utf8String::new(spelled).expect("neither commands nor profiles have U+0000 in their names")
    }

    /// How commands and cases write a name that was spelled.
    pub(super) fn write(&self, spelled: &str) -> String {
        let escaped = spelled.replace('$', "$$");
        let topics = format!("{}/", self.topics.replace('$', "$$"));
        if escaped.contains(&topics) {
            return escaped.replacen(&topics, "$t/", 1);
        }
        if let Some(roster) = &self.roster {
            return self.write_of_devices(roster, escaped);
        }
        match escaped.strip_prefix(&self.clients) {
            Some(actor) if !actor.is_empty() && !escaped.contains('/') => format!("${actor}"),
            _ => escaped,
        }
    }

    /// The names of devices in a topic that does not begin with their own prefix.
    fn write_of_devices(&self, roster: &Roster, mut written: String) -> String {
        let own = Client::first(Client::MOST).filter(|client| client.actor() == self.acting);
        for client in own.chain(Client::first(Client::MOST)) {
            let actor = client.actor();
            let (Some(device), Some(topics)) = (roster.device(actor), roster.topics(actor)) else { continue };
            let (product_key, name) = (device.product_key(), device.name());
            written = written
                .replace(&format!("{topics}/"), &format!("${actor}.topics/"))
                .replace(&format!("/{product_key}/{name}"), &format!("/${actor}.product_key/${actor}.device_name"));
        }
        let Some(device) = roster.device(self.acting) else { return written };
        written.replace(&format!("/{}/", device.product_key()), &format!("/${}.product_key/", self.acting))
    }
}

#[cfg(test)]
mod tests {
    use super::Names;
    use crate::fuzz::command::Client;
    use crate::fuzz::{Ground, Terrain};
    use model::profile::Profile;

    #[test]
    fn what_is_spelled_is_written_the_same_way() {
        for profile in Profile::builtin_names().into_iter().filter_map(Profile::builtin) {
            let names = Names::new(profile, "m1", None);
            for written in ["$t/a/#", "$$share/g/$t/+", "$$x/y", "#", "+/b", "$ann", "u-v", "", "$t/"] {
                assert_eq!(names.write(&names.spell(written)), written, "{}", profile.name);
            }
        }
    }

    #[test]
    fn names_are_the_dialects() {
        let names = Names::new(Profile::builtin("platform").unwrap(), "m1", None);
        assert_eq!(names.spell("$t/a").as_str(), "/mqttspec/device/user/m1/a");
        assert_eq!(names.spell("$$share/g/$t/#").as_str(), "$share/g//mqttspec/device/user/m1/#");
        assert_eq!(names.spell("$ann").as_str(), "m1ann");
    }

    #[test]
    fn devices_have_names_of_their_own() {
        let terrain = Terrain::of(Profile::builtin("platform").unwrap(), Ground::Embedded).of_devices();
        let names = Names::new(&terrain.profile, "m", terrain.company.roster()).of(Client(1));
        assert_eq!(names.spell("$t/a").as_str(), "/mqttspec/mbob/user/m/a");
        for written in [
            "$t/a/#",
            "$ann.topics/a",
            "/sys/$bob.product_key/$bob.device_name/rrpc/request/+",
            "/broadcast/$bob.product_key/news",
            "/$eve.product_key/$eve.device_name/user/#",
            "#",
        ] {
            assert_eq!(names.write(&names.spell(written)), written);
        }
        assert_eq!(names.spell("/$me.product_key/x").as_str(), "/mqttspec/x");
    }
}
