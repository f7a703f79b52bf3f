//! The names of a walk, so that it meets no other walk on the same broker.

use model::packet::Utf8String;
use model::profile::Profile;

/// What stands for `$t` and before the names of actors.
#[derive(Debug, Clone)]
pub(super) struct Names {
    topics: String,
    clients: String,
}

impl Names {
    /// Names of this dialect that begin with `unique`, which is letters and digits.
    pub(super) fn new(profile: &Profile, unique: &str) -> Names {
        Names { topics: profile.topic_prefix(unique), clients: unique.to_owned() }
    }

    /// The text that commands write with `$t`, `$ann` and `$$`.
    pub(super) fn spell(&self, written: &str) -> Utf8String {
        let mut spelled = String::new();
        let mut rest = written;
        while let Some((before, after)) = rest.split_once('$') {
            spelled.push_str(before);
            rest = match (after.strip_prefix('$'), after.strip_prefix("t/")) {
                (Some(after), _) => {
                    spelled.push('$');
                    after
                }
                (None, Some(after)) => {
                    spelled.push_str(&self.topics);
                    spelled.push('/');
                    after
                }
                (None, None) => {
                    spelled.push_str(&self.clients);
                    after
                }
            };
        }
        spelled.push_str(rest);
        Utf8String::new(spelled).expect("neither commands nor profiles have U+0000 in their names")
    }

    /// How commands and cases write a name that was spelled.
    pub(super) fn write(&self, spelled: &str) -> String {
        let escaped = spelled.replace('$', "$$");
        let topics = format!("{}/", self.topics.replace('$', "$$"));
        if escaped.contains(&topics) {
            return escaped.replacen(&topics, "$t/", 1);
        }
        match escaped.strip_prefix(&self.clients) {
            Some(actor) if !actor.is_empty() && !escaped.contains('/') => format!("${actor}"),
            _ => escaped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Names;
    use model::profile::Profile;

    #[test]
    fn what_is_spelled_is_written_the_same_way() {
        for profile in Profile::builtin_names().into_iter().filter_map(Profile::builtin) {
            let names = Names::new(profile, "m1");
            for written in ["$t/a/#", "$$share/g/$t/+", "$$x/y", "#", "+/b", "$ann", "u-v", "", "$t/"] {
                assert_eq!(names.write(&names.spell(written)), written, "{}", profile.name);
            }
        }
    }

    #[test]
    fn names_are_the_dialects() {
        let names = Names::new(Profile::builtin("platform").unwrap(), "m1");
        assert_eq!(names.spell("$t/a").as_str(), "/mqttspec/device/user/m1/a");
        assert_eq!(names.spell("$$share/g/$t/#").as_str(), "$share/g//mqttspec/device/user/m1/#");
        assert_eq!(names.spell("$ann").as_str(), "m1ann");
    }
}
