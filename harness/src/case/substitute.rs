//! `$row.name`: the columns of a row, put into the steps before they are read.

use super::value::{Segment, segments};
use super::yaml::{Content, Entry, Mark, Node, Scalar, Typed};
use model::nearest::suggestion;

/// How many bytes all rows of a case put into its steps at most. Without it a small file could unfold into a huge one.
const LARGEST: usize = 4 << 20;

/// The columns of a row.
pub(super) struct Columns<'a> {
    pub(super) columns: Vec<(&'a str, &'a Node)>,
    /// Bytes put in so far.
    pub(super) spent: usize,
}

impl Columns<'_> {
    /// The node with the columns in the place of `$row.name`. A value that is exactly one variable keeps its type.
    pub(super) fn substitute(&mut self, node: &Node) -> Result<Node, (Mark, String)> {
        let content = match &node.content {
            Content::Scalar(scalar) => self.scalar(scalar).map_err(|message| (node.mark, message))?,
            Content::Sequence(items) => {
                Content::Sequence(items.iter().map(|item| self.substitute(item)).collect::<Result<_, _>>()?)
            }
            Content::Mapping(entries) => {
                let entry = |entry: &Entry| {
                    Ok(Entry {
                        key: entry.key.clone(),
                        key_mark: entry.key_mark,
                        value: self.substitute(&entry.value)?,
                    })
                };
                Content::Mapping(entries.iter().map(entry).collect::<Result<_, (Mark, String)>>()?)
            }
        };
        Ok(Node { mark: node.mark, number: node.number, content })
    }

    fn scalar(&mut self, scalar: &Scalar) -> Result<Content, String> {
        if !scalar.text.contains("$row") || !matches!(scalar.typed(), Typed::Text(_)) {
            return Ok(Content::Scalar(scalar.clone()));
        }
        let parts = segments(&scalar.text)?;
        if let [Segment::Variable(variable)] = parts.as_slice()
            && variable.name == "row"
        {
            return self.column(variable.field.as_deref()).map(|node| node.content.clone());
        }
        let mut text = String::new();
        for part in parts {
            match part {
                Segment::Literal(literal) => text.push_str(&literal.replace('$', "$$")),
                Segment::Variable(variable) if variable.name == "row" => {
                    let column = self.column(variable.field.as_deref())?;
                    let Some(scalar) = column.scalar() else {
                        let what = column.describe();
                        return Err(format!("`{variable}` holds {what}: it stands for a whole value, not in a text"));
                    };
                    text.push_str(&scalar.text);
                }
                Segment::Variable(variable) => text.push_str(&variable.to_string()),
            }
        }
        Ok(Content::Scalar(Scalar { text, plain: false }))
    }

    fn column(&mut self, name: Option<&str>) -> Result<&Node, String> {
        let Some(name) = name else {
            return Err("`$row` needs a column behind it: write `$row.name`".to_owned());
        };
        let Some((_, node)) = self.columns.iter().find(|(column, _)| *column == name) else {
            if self.columns.is_empty() {
                return Err(format!("`$row.{name}`: the case has no rows"));
            }
            let near = suggestion(name, self.columns.iter().map(|(column, _)| *column));
            return Err(format!("`$row.{name}`: the row has no column `{name}`{near}"));
        };
        self.spent += node.bytes();
        if self.spent > LARGEST {
            return Err(format!("the rows of the case put more than {LARGEST} bytes into its steps"));
        }
        Ok(node)
    }
}
