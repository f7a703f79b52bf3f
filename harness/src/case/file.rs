//! A case file as written: what stands around the steps.

use super::located::{Located, Reference};
use super::schema::StepFile;
use super::transport::Transport;
use model::packet::ProtocolVersion;
use model::profile::{Feature, Profile};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// A suite: cases about one theme.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuiteFile {
    /// The name in words, with slashes between groups: `publish/qos1`. It is the middle of every variant's name.
    #[schemars(with = "SuiteName")]
    pub(super) suite: Located<String>,
    /// What the suite is about, in a sentence.
    #[schemars(with = "String")]
    pub(super) about: Located<String>,
    /// Who is under test.
    #[schemars(with = "Target")]
    pub(super) target: Located<Target>,
    /// The dialects that the cases are written for; a case may say otherwise.
    #[schemars(with = "Vec<ProfileName>", length(min = 1))]
    pub(super) profiles: Located<Vec<Located<String>>>,
    /// The cases.
    #[schemars(with = "Vec<CaseFile>", length(min = 1))]
    pub(super) cases: Located<Vec<Reference>>,
}

/// Who is under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Target {
    /// A broker; the actors are clients.
    Broker,
}

/// A case: one behaviour, one script.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseFile {
    /// The id in kebab-case words, unique in the suite and stable for ever.
    #[schemars(with = "Word")]
    pub(super) id: Located<String>,
    /// What happens, in a sentence with a full stop.
    #[schemars(with = "String", length(max = 150))]
    pub(super) about: Located<String>,
    /// The statements that the case stands for. An id that means different things in 3.1.1 and 5.0 carries its version:
    /// `3.1.1:MQTT-3.1.2-5`.
    #[schemars(with = "Vec<Cite>")]
    pub(super) cites: Located<Vec<Located<String>>>,
    /// The protocol versions, as text.
    #[schemars(with = "Vec<VersionName>", length(min = 1))]
    pub(super) mqtt: Located<Vec<Located<String>>>,
    /// What a profile must have.
    #[serde(default)]
    #[schemars(with = "Vec<FeatureName>")]
    pub(super) needs: Vec<Located<String>>,
    /// The dialects that the case is written for, instead of the suite's.
    #[serde(default)]
    #[schemars(with = "Option<Vec<ProfileName>>")]
    pub(super) profiles: Option<Located<Vec<Located<String>>>>,
    /// The case must be alone on the broker.
    #[serde(default)]
    pub(super) exclusive: bool,
    /// What has to carry the connections.
    #[serde(default)]
    pub(super) transport: Option<Transport>,
    /// Inputs for the script: each row gives one variant more, and its columns are `$row.name`.
    #[serde(default)]
    #[schemars(with = "Vec<RowFile>")]
    pub(super) rows: Option<Located<Vec<Reference>>>,
    /// The script.
    #[schemars(with = "Vec<StepFile>", length(min = 1))]
    pub(super) steps: Located<Vec<Reference>>,
}

/// The keys of a row that are no columns.
#[derive(Debug, Clone, JsonSchema)]
#[expect(
    dead_code,
    reason = "rows have free columns, so they are read by hand; this type describes them in the schema"
)]
struct RowFile {
    /// The id in kebab-case words, unique in the case.
    #[schemars(with = "Word")]
    id: String,
    /// Statements beside those of the case.
    #[schemars(with = "Option<Vec<Cite>>")]
    cites: Option<Vec<String>>,
    /// Some of the case's versions.
    #[schemars(with = "Option<Vec<VersionName>>")]
    mqtt: Option<Vec<String>>,
}

macro_rules! words {
    ($($(#[$doc:meta])* $type:ident => $schema:expr;)*) => {$(
        $(#[$doc])*
        struct $type;

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

words! {
    Word => json_schema!({"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"});
    SuiteName => json_schema!({"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)*$"});
    ProfileName => json_schema!({"enum": Profile::builtin_names()});
    FeatureName => json_schema!({"enum": Feature::ALL.iter().map(|feature| feature.name()).collect::<Vec<_>>()});
    VersionName => json_schema!({"enum": ProtocolVersion::ALL.map(ProtocolVersion::number)});
    Cite => json_schema!({
        "type": "string",
        "pattern": "^((3\\.1|3\\.1\\.1|5\\.0):)?(MQTT-[0-9.]+-[0-9]+|V31-[0-9]+|[PN]-[A-Z0-9]+-[0-9]+|X-[0-9]+)$",
    });
}

/// Whether `text` is kebab-case words.
pub(super) fn is_word(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 80 && text.split('-').all(part)
}
