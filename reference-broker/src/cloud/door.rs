//! Who may ask: access key, signature, nonce, timestamp.
//!
//! Everything is checked before anything is said about the action, and a nonce counts as used only when its signature is
//! right: nobody can use up those of others.

use super::answer::Refused;
use model::cloud::{AccessKey, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

/// How far a timestamp may be from our clock, in seconds.
const SKEW: u64 = 15 * 60;

/// How many nonces are remembered; so many requests within the skew are more than the API serves.
const NONCES: usize = 2_000_000;

/// What every request carries.
const COMMON: [&str; 8] = [
    "Action",
    "Version",
    "AccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "Timestamp",
];

/// A nonce of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Used {
    key: String,
    nonce: String,
}

/// Keys, and what has been used.
#[derive(Debug)]
pub(super) struct Door {
    keys: Vec<AccessKey>,
    /// What has been used, and the nonces in the order in which they may be forgotten.
    used: BTreeSet<Used>,
    until: BTreeSet<(u64, Used)>,
}

impl Door {
    pub(super) fn new(keys: Vec<AccessKey>) -> Door {
        Door { keys, used: BTreeSet::new(), until: BTreeSet::new() }
    }

    /// Lets a request in.
    pub(super) fn admit(&mut self, verb: &str, parameters: &BTreeMap<String, String>) -> Result<(), Refused> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.admit_at(now, verb, parameters)
    }

    fn admit_at(&mut self, now: u64, verb: &str, parameters: &BTreeMap<String, String>) -> Result<(), Refused> {
        let value = |name: &str| parameters.get(name).map_or("", String::as_str);
        if let Some(missing) = COMMON.iter().find(|name| value(name).is_empty()) {
            let says = format!("{missing} is mandatory for this action.");
            return Err(Refused::new(400, &format!("Missing{missing}"), says));
        }
        if value("SignatureMethod") != "HMAC-SHA1" || value("SignatureVersion") != "1.0" {
            let says = "SignatureMethod must be HMAC-SHA1, SignatureVersion 1.0";
            return Err(Refused::new(400, "IncompleteSignature", says));
        }
        let Ok(timestamp) = value("Timestamp").parse::<Timestamp>() else {
            let says = "Specified time stamp or date value is not well formatted.";
            return Err(Refused::new(400, "InvalidTimeStamp.Format", says));
        };
        if timestamp.0.abs_diff(now) > SKEW {
            return Err(Refused::new(
                400,
                "InvalidTimeStamp.Expired",
                "Specified time stamp or date value is expired.",
            ));
        }
        let Some(key) = self.keys.iter().find(|key| key.id == value("AccessKeyId")) else {
            return Err(Refused::new(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."));
        };
        if !key.verifies(verb, parameters) {
            let says = "Specified signature is not matched with our calculation.";
            return Err(Refused::new(400, "SignatureDoesNotMatch", says));
        }
        self.use_nonce(now, timestamp, &key.id.clone(), value("SignatureNonce"))
    }

    fn use_nonce(&mut self, now: u64, timestamp: Timestamp, key: &str, nonce: &str) -> Result<(), Refused> {
        while let Some((_, used)) = self.until.first().filter(|(until, _)| *until < now) {
            self.used.remove(used);
            self.until.pop_first();
        }
        let used = Used { key: key.to_owned(), nonce: nonce.to_owned() };
        if self.used.contains(&used) || self.used.len() >= NONCES {
            return Err(Refused::new(400, "SignatureNonceUsed", "Specified signature nonce was used already."));
        }
        // A request is let in until its timestamp is too old; until then its nonce is remembered.
        self.until.insert((timestamp.0 + SKEW, used.clone()));
        self.used.insert(used);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::cloud::Request;
    use model::device::Secret;

    const NOW: u64 = 1_700_000_000;

    fn key() -> AccessKey {
        AccessKey::new("id", Secret::new("secret"))
    }

    fn signed(nonce: &str, at: u64) -> BTreeMap<String, String> {
        key().sign("GET", &Request::new("Pub"), nonce, &Timestamp(at).to_string())
    }

    #[test]
    fn a_request_is_let_in_once() {
        let mut door = Door::new(vec![key()]);
        let mut ask = |at: u64, parameters: &BTreeMap<String, String>| {
            door.admit_at(at, "GET", parameters).map_err(|refused| refused.code)
        };
        assert_eq!(ask(NOW, &signed("1", NOW)), Ok(()));
        assert_eq!(ask(NOW + 899, &signed("1", NOW)), Err("SignatureNonceUsed".to_owned()));
        assert_eq!(ask(NOW + 899, &signed("2", NOW)), Ok(()));
        assert_eq!(ask(NOW + 901, &signed("1", NOW)), Err("InvalidTimeStamp.Expired".to_owned()));
        // By now the nonce may come again: a timestamp of its first use is too old.
        assert_eq!(ask(NOW + 901, &signed("1", NOW + 901)), Ok(()));
    }

    #[test]
    fn a_wrong_signature_uses_up_nothing() {
        let mut door = Door::new(vec![key()]);
        let mut forged = signed("1", NOW);
        forged.insert("Signature".to_owned(), "AAAA".to_owned());
        assert!(door.admit_at(NOW, "GET", &forged).is_err_and(|refused| refused.code == "SignatureDoesNotMatch"));
        assert!(door.admit_at(NOW, "GET", &signed("1", NOW)).is_ok());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (name, value, code) in [
            ("Timestamp", "yesterday", "InvalidTimeStamp.Format"),
            ("SignatureMethod", "HMAC-MD5", "IncompleteSignature"),
            ("SignatureVersion", "2.0", "IncompleteSignature"),
            ("AccessKeyId", "other", "InvalidAccessKeyId.NotFound"),
            ("Version", "", "MissingVersion"),
            ("SignatureNonce", "", "MissingSignatureNonce"),
        ] {
            let mut parameters = signed("1", NOW);
            parameters.insert(name.to_owned(), value.to_owned());
            let refused = Door::new(vec![key()]).admit_at(NOW, "GET", &parameters).unwrap_err();
            assert_eq!(refused.code, code);
        }
        assert!(Door::new(Vec::new()).admit_at(NOW, "GET", &signed("1", NOW)).is_err());
    }
}
