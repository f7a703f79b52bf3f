//! Which Topic Names and Topic Filters are valid.

/// Whether `topic` can be published to: not empty, no wildcard (MQTT-4.7.3-1, MQTT-3.3.2-2).
pub(super) fn is_valid_name(topic: &str) -> bool {
    !topic.is_empty() && !has_wildcard(topic)
}

/// Whether `topic` holds a wildcard character anywhere.
pub(super) fn has_wildcard(topic: &str) -> bool {
    topic.contains(['+', '#'])
}

/// Whether `filter` can be subscribed to: not empty, `+` fills a level, `#` the last one (MQTT-4.7.1-1 and -2).
pub(super) fn is_valid_filter(filter: &str) -> bool {
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let fits = match level {
            "+" => true,
            "#" => levels.peek().is_none(),
            level => !has_wildcard(level),
        };
        if !fits {
            return false;
        }
    }
    !filter.is_empty()
}

/// Whether `filter` asks for a Shared Subscription.
pub(super) fn is_shared(filter: &str) -> bool {
    filter.starts_with("$share/")
}

/// Whether a shared `filter` has a ShareName without wildcards and a Topic Filter after it (MQTT-4.8.2-1 and -2).
pub(super) fn is_valid_shared_filter(filter: &str) -> bool {
    filter
        .strip_prefix("$share/")
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(name, filter)| is_valid_name(name) && is_valid_filter(filter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_have_wildcards_only_as_whole_levels_and_hash_only_last() {
        for valid in ["a", "/", "+", "#", "+/+", "a/#", "/#", "+/a/#", "a//b", "$SYS/#", " "] {
            assert!(is_valid_filter(valid), "{valid}");
        }
        for invalid in ["", "a#", "#/a", "a/#/b", "a+", "+a", "a/b+/c", "##", "++", "a/#/"] {
            assert!(!is_valid_filter(invalid), "{invalid}");
        }
    }

    #[test]
    fn names_have_no_wildcards() {
        for valid in ["a", "/", "a/b", "$SYS", " "] {
            assert!(is_valid_name(valid), "{valid}");
        }
        for invalid in ["", "+", "#", "a/+", "a#"] {
            assert!(!is_valid_name(invalid), "{invalid}");
        }
    }

    #[test]
    fn shared_filters_have_a_name_and_a_filter() {
        for valid in ["$share/g/t", "$share/g/#", "$share/g//"] {
            assert!(is_shared(valid) && is_valid_shared_filter(valid), "{valid}");
        }
        for invalid in ["$share/", "$share/g", "$share/g/", "$share//t", "$share/g+/t", "$share/#/t", "$share/g/a#"] {
            assert!(is_shared(invalid) && !is_valid_shared_filter(invalid), "{invalid}");
        }
        assert!(!is_shared("$share") && !is_shared("$shared/g/t") && !is_shared("a/$share/g/t"));
    }
}
