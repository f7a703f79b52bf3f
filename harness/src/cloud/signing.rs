//! Signs requests, and knows which of them are in order.

use crate::case::Prepared;
use model::cloud::{AccessKey, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

/// What every request carries: a request that says one of them itself says it otherwise on purpose.
const COMMON: [&str; 8] = [
    "AccessKeyId",
    "Format",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

/// Signs the requests of one variant.
#[derive(Debug, Clone)]
pub struct Signer {
    key: AccessKey,
    /// What makes nonces unique among variants and runs.
    unique: String,
    signed: u64,
    /// Nonces that the script chose.
    nonces: BTreeSet<String>,
}

/// A request as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    /// All parameters, the signature among them.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Whether the platform has to let it in.
    pub(crate) in_order: bool,
}

impl Signer {
    /// A signer with this key; `unique` keeps its nonces apart from those of others.
    #[must_use]
    pub fn new(key: AccessKey, unique: &str) -> Signer {
        Signer { key, unique: unique.to_owned(), signed: 0, nonces: BTreeSet::new() }
    }

    pub(crate) fn sign(&mut self, prepared: &Prepared) -> Signed {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.signed += 1;
        // Unique among runs too: two of them are not in one nanosecond.
        let nonce = format!("{}-{}-{}", self.unique, now.as_nanos(), self.signed);
        let timestamp = Timestamp(now.as_secs()).to_string();
        let own = prepared.request.parameter("SignatureNonce");
        let is_used = own.is_some_and(|own| !self.nonces.insert(own.to_owned()));
        let says_otherwise =
            COMMON.iter().any(|name| *name != "SignatureNonce" && prepared.request.parameters.contains_key(*name));
        let in_order = !is_used && !says_otherwise && prepared.without.is_empty() && prepared.tampered.is_empty();
        // A nonce of the script is used once in a run.
        let mut request = prepared.request.clone();
        if let Some(own) = request.parameters.get_mut("SignatureNonce") {
            *own = format!("{}-{own}", self.unique);
        }
        let mut parameters = self.key.sign("POST", &request, &nonce, &timestamp);
        if prepared.without.iter().any(|name| parameters.contains_key(name)) {
            prepared.without.iter().for_each(|name| drop(parameters.remove(name)));
        }
        for (name, value) in &prepared.tampered {
            match value {
                Some(value) => drop(parameters.insert(name.clone(), value.clone())),
                None => drop(parameters.remove(name)),
            }
        }
        Signed { parameters, in_order }
    }
}
