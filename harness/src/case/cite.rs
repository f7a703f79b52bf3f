//! What a case cites: statements, with their version where that matters.

use model::nearest::suggestion;
use model::packet::ProtocolVersion;
use model::statement::{Statement, StatementId, catalogue};

/// A statement as it is cited: with the version whose statement is meant, where that matters.
#[derive(Debug, Clone)]
pub(crate) struct Cite {
    version: Option<ProtocolVersion>,
    pub(crate) id: StatementId,
}

impl Cite {
    /// Reads `MQTT-3.3.1-2` or `3.1.1:MQTT-3.3.1-2` for a case of these versions.
    pub(crate) fn read(text: &str, versions: &[ProtocolVersion]) -> Result<Cite, String> {
        let (version, id) = match text.split_once(':') {
            Some((version, id)) => (Some(version.parse()?), id),
            None => (None, text),
        };
        let cite = Cite { version, id: id.parse()? };
        let catalogue = catalogue();
        let known = catalogue.versions_of(id);
        if known.is_empty() {
            let all: Vec<&str> = ProtocolVersion::ALL
                .into_iter()
                .flat_map(|version| catalogue.of_version(version))
                .chain(catalogue.of_platform())
                .map(|statement| statement.id.as_str())
                .collect();
            return Err(format!("unknown statement `{id}`{}", suggestion(id, all)));
        }
        if let Some(version) = version
            && !known.contains(&version)
        {
            return Err(format!("{id} is no statement of {version}, but of {}", list(&known)));
        }
        let statements: Vec<&Statement> = versions.iter().filter_map(|version| cite.statement(*version)).collect();
        let Some(statement) = statements.first() else {
            // Versions that could not be read have been reported.
            if versions.is_empty() {
                return Ok(cite);
            }
            let of = version.map_or_else(|| list(&known), |version| version.to_string());
            return Err(format!("{id} is a statement of {of}, and the case is for {}", list(versions)));
        };
        if version.is_none() && statements.iter().any(|other| other.gist != statement.gist) && !catalogue.is_alike(id) {
            return Err(format!(
                "{id} means different things in 3.1.1 and 5.0: write 3.1.1:{id} or 5.0:{id}, or both if both are meant"
            ));
        }
        match statements.iter().find(|statement| !statement.role.includes_server()) {
            Some(_) => Err(format!("{id} obliges the client: a case for brokers cites what obliges the server")),
            None => Ok(cite),
        }
    }

    /// The statement that is meant for a version.
    pub(crate) fn statement(&self, version: ProtocolVersion) -> Option<&'static Statement> {
        let inherits = |other| other == ProtocolVersion::V3_1_1 && version == ProtocolVersion::V3_1;
        match self.version {
            Some(other) if other != version && !inherits(other) => None,
            _ => catalogue().find(version, self.id.as_str()),
        }
    }
}

fn list(versions: &[ProtocolVersion]) -> String {
    versions.iter().map(|version| version.number()).collect::<Vec<_>>().join(", ")
}
