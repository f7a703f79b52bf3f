//! From a file to a suite: everything is read, checked and expanded to one script a row and version.

use super::check::check;
use super::cite::Cite;
use super::decode::decode;
use super::error::{LoadError, Location};
use super::file::{CaseFile, SuiteFile, Target, is_word};
use super::library::{Case, Script, Suite};
use super::located::Located;
use super::read::{Fault, Reading, read_all};
use super::step::Step;
use super::substitute::Columns;
use super::transport::Transport;
use super::value::{Segment, segments};
use super::yaml::{self, Content, Mark, Node};
use model::nearest::suggestion;
use model::packet::ProtocolVersion;
use model::profile::{Feature, Profile};
use model::statement::StatementId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many rows a case has at most.
const MOST_ROWS: usize = 1000;

/// How many nodes of YAML a case unfolds into at most: those of its steps, times rows, times versions. Without it a small
/// file could unfold into a huge library.
const LARGEST_CASE: usize = 1_000_000;

/// Reads one file.
pub(super) fn suite(file: &str, text: &str) -> Result<Suite, Vec<LoadError>> {
    let file: Arc<str> = file.into();
    let mut compiler = Compiler { file: Arc::clone(&file), faults: BTreeSet::new() };
    let suite = compiler.suite(text);
    let errors = compiler.faults.into_iter().map(|(mark, message)| LoadError::at(&location(&file, mark), message));
    match suite {
        Some(suite) if errors.len() == 0 => Ok(suite),
        _ => Err(errors.collect()),
    }
}

fn location(file: &Arc<str>, mark: Mark) -> Location {
    Location { file: Arc::clone(file), line: mark.line, column: mark.column }
}

struct Compiler {
    file: Arc<str>,
    /// In order of their places, each once: a case is read for several rows and versions.
    faults: BTreeSet<Fault>,
}

/// A row of a case, or the absence of rows.
struct Row<'a> {
    id: Option<Arc<str>>,
    mark: Mark,
    columns: Vec<(&'a str, &'a Node)>,
    cites: Cites,
    versions: Vec<ProtocolVersion>,
}

/// What is cited.
#[derive(Debug, Default)]
struct Cites {
    all: Vec<Cite>,
    /// Something could not be read, so a lack of statements may be a consequence.
    is_faulty: bool,
}

impl Compiler {
    fn fault(&mut self, mark: Mark, message: impl Into<String>) {
        self.faults.insert((mark, message.into()));
    }

    fn ok<T>(&mut self, outcome: Result<T, Fault>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err((mark, message)) => {
                self.fault(mark, message);
                None
            }
        }
    }

    fn suite(&mut self, text: &str) -> Option<Suite> {
        let root = self.ok(yaml::parse(text))?;
        let nodes = root.index();
        let file: SuiteFile = self.ok(decode(&root))?;
        let mark = |node: usize| nodes[node].mark;
        if !file.suite.value.split('/').all(is_word) {
            let message = format!("`{}` is no name of a suite: write kebab-case words with slashes", file.suite.value);
            self.fault(mark(file.suite.node), message);
        }
        // The target has one value so far; reading it has checked it.
        let Target::Broker = file.target.value;
        let profiles = self.profiles(&file.profiles, &nodes);
        let mut cases = Vec::new();
        let mut ids = BTreeMap::new();
        for reference in &file.cases.value {
            let node = nodes[reference.0];
            let Some(case) = self.ok(decode::<CaseFile>(node)) else { continue };
            if let Some(first) = ids.insert(case.id.value.clone(), mark(case.id.node)) {
                let message = format!("the id `{}` stands twice: first in line {}", case.id.value, first.line);
                self.fault(mark(case.id.node), message);
            }
            cases.extend(self.case(&case, node, &nodes, &profiles));
        }
        if file.cases.value.is_empty() {
            self.fault(mark(file.cases.node), "the suite has no cases");
        }
        Some(Suite {
            name: file.suite.value.as_str().into(),
            about: file.about.value.as_str().into(),
            cases,
            about_location: location(&self.file, mark(file.about.node)),
            location: location(&self.file, root.mark),
        })
    }

    fn profiles(&mut self, names: &Located<Vec<Located<String>>>, nodes: &[&Node]) -> BTreeSet<String> {
        if names.value.is_empty() {
            self.fault(nodes[names.node].mark, "the list is empty: name the dialects that the cases are written for");
        }
        for name in &names.value {
            if Profile::builtin(&name.value).is_none() {
                let known = Profile::builtin_names();
                let near = suggestion(&name.value, known);
                let near = if near.is_empty() { format!(": expected one of {}", known.join(", ")) } else { near };
                self.fault(nodes[name.node].mark, format!("unknown profile `{}`{near}", name.value));
            }
        }
        names.value.iter().map(|name| name.value.clone()).collect()
    }

    fn case(&mut self, case: &CaseFile, node: &Node, nodes: &[&Node], profiles: &BTreeSet<String>) -> Option<Case> {
        let mark = |node: usize| nodes[node].mark;
        if !is_word(&case.id.value) {
            self.fault(mark(case.id.node), format!("`{}` is no id: write kebab-case words", case.id.value));
        }
        let versions = self.versions(&case.mqtt, nodes);
        let cites = self.cites(&case.cites.value, &versions, nodes);
        let needs = self.needs(&case.needs, nodes);
        let profiles = match &case.profiles {
            Some(own) => self.profiles(own, nodes),
            None => profiles.clone(),
        };
        if case.steps.value.is_empty() {
            self.fault(mark(case.steps.node), "the case has no steps");
        }
        let rows = self.rows(case, &versions, mark(case.id.node), nodes);
        let steps: Vec<&Node> = case.steps.value.iter().map(|reference| nodes[reference.0]).collect();
        let size: usize = steps.iter().map(|step| step.index().len()).sum();
        if size * rows.len() * versions.len() > LARGEST_CASE {
            self.fault(mark(case.id.node), "the case unfolds into too many steps: split it");
            return None;
        }
        let mut scripts = Vec::new();
        let mut spent = 0;
        for row in &rows {
            let mut columns = Columns { columns: row.columns.clone(), spent };
            let substituted: Vec<Node> = steps.iter().filter_map(|step| self.ok(columns.substitute(step))).collect();
            spent = columns.spent;
            for version in &row.versions {
                let cited = self.cited(*version, &cites, row, mark(case.cites.node));
                if let Some(steps) = self.steps(&substituted, *version, &versions, case.transport) {
                    scripts.push(Script { row: row.id.clone(), version: *version, cites: cited, steps: steps.into() });
                }
            }
        }
        let unused = self.unused(&steps);
        Some(Case {
            id: case.id.value.as_str().into(),
            about: case.about.value.as_str().into(),
            profiles,
            needs,
            exclusive: case.exclusive,
            transport: case.transport,
            scripts,
            unused,
            about_location: location(&self.file, mark(case.about.node)),
            location: location(&self.file, node.mark),
        })
    }

    /// The steps for one version, if nothing is wrong with them.
    fn steps(
        &mut self,
        nodes: &[Node],
        version: ProtocolVersion,
        versions: &[ProtocolVersion],
        transport: Option<Transport>,
    ) -> Option<Vec<Step>> {
        let file = Arc::clone(&self.file);
        let reading = Reading { file: &file, version, versions, transport };
        let mut faults = Vec::new();
        let steps = read_all(nodes, &reading, &mut faults);
        // Consequences of a step that could not be read would only distract.
        if faults.is_empty() {
            let found = check(&steps, version);
            faults.extend(
                found
                    .into_iter()
                    .map(|(step, message)| (Mark { line: step.location.line, column: step.location.column }, message)),
            );
        }
        let is_right = faults.is_empty();
        self.faults.extend(faults);
        is_right.then_some(steps)
    }

    fn versions(&mut self, names: &Located<Vec<Located<String>>>, nodes: &[&Node]) -> Vec<ProtocolVersion> {
        let mut versions = BTreeSet::new();
        for name in &names.value {
            match name.value.parse() {
                Ok(version) => {
                    if !versions.insert(version) {
                        self.fault(nodes[name.node].mark, format!("{version} stands twice"));
                    }
                }
                Err(message) => self.fault(nodes[name.node].mark, message),
            }
        }
        if names.value.is_empty() {
            self.fault(nodes[names.node].mark, "the list is empty: name the protocol versions, such as \"5.0\"");
        }
        versions.into_iter().collect()
    }

    fn needs(&mut self, names: &[Located<String>], nodes: &[&Node]) -> BTreeSet<Feature> {
        let mut features = BTreeSet::new();
        for name in names {
            match name.value.parse() {
                Ok(feature) => {
                    features.insert(feature);
                }
                Err(_) => {
                    let known: Vec<&str> = Feature::ALL.iter().map(|feature| feature.name()).collect();
                    let near = suggestion(&name.value, known.iter().copied());
                    let near = if near.is_empty() { format!(": expected one of {}", known.join(", ")) } else { near };
                    self.fault(nodes[name.node].mark, format!("unknown feature `{}`{near}", name.value));
                }
            }
        }
        features
    }

    fn cites(&mut self, texts: &[Located<String>], versions: &[ProtocolVersion], nodes: &[&Node]) -> Cites {
        let mut cites = Cites::default();
        for text in texts {
            match Cite::read(&text.value, versions) {
                Ok(cite) => cites.all.push(cite),
                Err(message) => {
                    cites.is_faulty = true;
                    self.fault(nodes[text.node].mark, message);
                }
            }
        }
        cites
    }

    /// The statements that a script stands for.
    fn cited(&mut self, version: ProtocolVersion, cites: &Cites, row: &Row<'_>, mark: Mark) -> Vec<StatementId> {
        let all: Vec<StatementId> = cites
            .all
            .iter()
            .chain(&row.cites.all)
            .filter(|cite| cite.statement(version).is_some())
            .map(|cite| cite.id.clone())
            .collect();
        if all.is_empty() && !cites.is_faulty && !row.cites.is_faulty {
            let of = row.id.as_ref().map(|id| format!(" of the row `{id}`")).unwrap_or_default();
            let message = format!("no statement of {version} is cited{of}: cite one, or take {version} out of `mqtt`");
            self.fault(mark, message);
        }
        all
    }

    fn rows<'a>(
        &mut self,
        case: &CaseFile,
        versions: &[ProtocolVersion],
        mark: Mark,
        nodes: &[&'a Node],
    ) -> Vec<Row<'a>> {
        let Some(rows) = &case.rows else {
            let versions = versions.to_vec();
            return vec![Row { id: None, mark, columns: Vec::new(), cites: Cites::default(), versions }];
        };
        if rows.value.len() > MOST_ROWS {
            self.fault(nodes[rows.node].mark, format!("the case has more than {MOST_ROWS} rows: split it"));
            return Vec::new();
        }
        let mut read: Vec<Row<'a>> = Vec::new();
        for reference in &rows.value {
            if let Some(row) = self.row(nodes[reference.0], versions, nodes) {
                if let Some(twin) = read.iter().find(|other| other.id == row.id) {
                    let message = format!("the row `{}` stands twice", row.id.as_deref().unwrap_or_default());
                    let first = format!("{message}: first in line {}", twin.mark.line);
                    self.fault(row.mark, first);
                }
                read.push(row);
            }
        }
        if rows.value.is_empty() {
            self.fault(nodes[rows.node].mark, "the list of rows is empty");
        }
        read
    }

    fn row<'a>(&mut self, node: &'a Node, versions: &[ProtocolVersion], nodes: &[&'a Node]) -> Option<Row<'a>> {
        let Content::Mapping(entries) = &node.content else {
            self.fault(node.mark, format!("a row is a map with an `id`, found {}", node.describe()));
            return None;
        };
        let mut id = None;
        let mut columns = Vec::new();
        let mut cites = Cites::default();
        let mut own = versions.to_vec();
        for entry in entries {
            match entry.key.as_str() {
                "id" => {
                    let text: String = self.ok(decode(&entry.value))?;
                    if !is_word(&text) {
                        self.fault(entry.value.mark, format!("`{text}` is no id: write kebab-case words"));
                    }
                    id = Some(text);
                }
                "mqtt" => {
                    let names: Located<Vec<Located<String>>> = self.ok(decode(&entry.value))?;
                    own = self.versions(&names, nodes);
                    for version in own.iter().filter(|version| !versions.contains(version)) {
                        let message = format!("the row is for {version}, which is not in `mqtt` of the case");
                        self.fault(entry.value.mark, message);
                    }
                    own.retain(|version| versions.contains(version));
                }
                "cites" => {
                    let texts: Vec<Located<String>> = self.ok(decode(&entry.value))?;
                    // `mqtt` of the row may come later; the case's versions are what its ids must be clear about.
                    cites = self.cites(&texts, versions, nodes);
                }
                _ => columns.push((entry.key.as_str(), &entry.value)),
            }
        }
        let Some(id) = id else {
            self.fault(node.mark, "the row has no `id`: it becomes a part of the variant's name");
            return None;
        };
        columns.push(("id", entries.iter().find(|entry| entry.key == "id").map(|entry| &entry.value)?));
        Some(Row { id: Some(id.into()), mark: node.mark, columns, cites, versions: own })
    }

    /// The packets that are bound and never used, for the lint.
    fn unused(&self, steps: &[&Node]) -> Vec<(Location, String)> {
        let mut bound = BTreeMap::new();
        let mut used = BTreeSet::new();
        for step in steps {
            for node in step.index() {
                if let Content::Mapping(entries) = &node.content {
                    for entry in entries.iter().filter(|entry| entry.key == "as") {
                        if let Some(scalar) = entry.value.scalar() {
                            bound.insert(scalar.text.clone(), entry.value.mark);
                        }
                    }
                }
                let parts = node.scalar().and_then(|scalar| segments(&scalar.text).ok()).unwrap_or_default();
                used.extend(parts.into_iter().filter_map(|part| match part {
                    Segment::Variable(variable) => Some(variable.name),
                    Segment::Literal(_) => None,
                }));
            }
        }
        bound
            .into_iter()
            .filter(|(name, _)| !used.contains(name))
            .map(|(name, mark)| (location(&self.file, mark), name))
            .collect()
    }
}
