//! YAML as a tree in which every node knows its place.
//!
//! Case files use a small part of YAML: one document, no anchors, no tags. That also rules out the documents that unfold
//! into something huge. What remains is bounded by the size of the file and [`DEEPEST`].

use saphyr_parser::{Event, Parser, ScalarStyle};

/// The largest file that is read, in bytes.
pub(super) const LARGEST_FILE: usize = 1 << 20;

/// How deep sequences and mappings nest at most; a script needs less than half of it.
const DEEPEST: usize = 32;

/// Line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// How many keys a mapping has at most, which keeps the search for doubles short.
const MOST_KEYS: usize = 256;

/// A node and where it begins.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) mark: Mark,
    /// Its number in the file, counted in the order of the text: how types that are read from a node refer back to it.
    pub(super) number: usize,
    pub(super) content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A key, which is always text, with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_mark: Mark,
    pub(super) value: Node,
}

/// A scalar as written. A plain one (without quotes) may be a number, a truth value or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) plain: bool,
}

/// What a scalar is in the core schema of YAML 1.2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Typed<'a> {
    Null,
    Flag(bool),
    Integer(i64),
    /// A number with a fraction, which nothing in a case is: the text.
    Fraction(&'a str),
    Text(&'a str),
}

impl Scalar {
    pub(super) fn typed(&self) -> Typed<'_> {
        let text = self.text.as_str();
        if !self.plain {
            return Typed::Text(text);
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Typed::Null,
            "true" | "True" | "TRUE" => return Typed::Flag(true),
            "false" | "False" | "FALSE" => return Typed::Flag(false),
            _ => {}
        }
        let integer = match text.strip_prefix("0x") {
            Some(digits) if !digits.starts_with('+') => i64::from_str_radix(digits, 16).ok(),
            _ => text.parse().ok(),
        };
        if let Some(integer) = integer {
            return Typed::Integer(integer);
        }
        let fraction = text.contains(|c: char| c.is_ascii_digit()) && text.parse::<f64>().is_ok();
        if fraction { Typed::Fraction(text) } else { Typed::Text(text) }
    }
}

impl Node {
    /// The scalar, if it is one.
    pub(super) fn scalar(&self) -> Option<&Scalar> {
        match &self.content {
            Content::Scalar(scalar) => Some(scalar),
            Content::Sequence(_) | Content::Mapping(_) => None,
        }
    }

    /// About as many bytes as it takes in the text.
    pub(super) fn bytes(&self) -> usize {
        match &self.content {
            Content::Scalar(scalar) => scalar.text.len(),
            Content::Sequence(items) => items.iter().map(|item| 1 + item.bytes()).sum(),
            Content::Mapping(entries) => entries.iter().map(|entry| entry.key.len() + 2 + entry.value.bytes()).sum(),
        }
    }

    /// What it is, for a message: `a list`, `the text "x"`.
    pub(super) fn describe(&self) -> String {
        match &self.content {
            Content::Sequence(_) => "a list".to_owned(),
            Content::Mapping(_) => "a map".to_owned(),
            Content::Scalar(scalar) => match scalar.typed() {
                Typed::Null => "nothing".to_owned(),
                Typed::Flag(flag) => format!("{flag}"),
                Typed::Integer(number) => format!("the number {number}"),
                Typed::Fraction(text) => format!("the number {text}"),
                Typed::Text(text) => format!("the text {text:?}"),
            },
        }
    }

    /// All nodes of the tree by their numbers.
    pub(super) fn index(&self) -> Vec<&Node> {
        let mut all = Vec::new();
        self.collect(&mut all);
        all
    }

    fn collect<'a>(&'a self, all: &mut Vec<&'a Node>) {
        all.push(self);
        match &self.content {
            Content::Scalar(_) => {}
            Content::Sequence(items) => items.iter().for_each(|item| item.collect(all)),
            Content::Mapping(entries) => entries.iter().for_each(|entry| entry.value.collect(all)),
        }
    }

    /// The node in one line of flow style, as a step is printed.
    pub(super) fn to_flow(&self) -> String {
        match &self.content {
            Content::Scalar(scalar) if scalar.plain => scalar.text.clone(),
            Content::Scalar(scalar) => format!("{:?}", scalar.text),
            Content::Sequence(items) => {
                format!("[{}]", items.iter().map(Node::to_flow).collect::<Vec<_>>().join(", "))
            }
            Content::Mapping(entries) => {
                let pairs: Vec<_> = entries.iter().map(|e| format!("{}: {}", e.key, e.value.to_flow())).collect();
                format!("{{{}}}", pairs.join(", "))
            }
        }
    }
}

/// A collection that is being read.
enum Open {
    Sequence(Vec<Node>),
    /// With the key that waits for its value.
    Mapping(Vec<Entry>, Option<(String, Mark)>),
}

const NO_ANCHORS: &str = "anchors and aliases are no part of the case language: use `rows:`, or write it again";
const KEY_IS_NO_WORD: &str = "a key is a list or a map: write a word";

/// Reads the one document of a file.
pub(super) fn parse(text: &str) -> Result<Node, (Mark, String)> {
    let start = Mark { line: 1, column: 1 };
    if text.len() > LARGEST_FILE {
        return Err((start, format!("the file has {} bytes, the limit is {LARGEST_FILE}: split it", text.len())));
    }
    let mut tree = Tree::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let mark = Mark { line: error.marker().line(), column: error.marker().col() + 1 };
            (mark, format!("this is no YAML: {}", error.info()))
        })?;
        let mark = Mark { line: span.start.line(), column: span.start.col() + 1 };
        tree.take(event, mark)?;
    }
    tree.root.ok_or_else(|| (start, "the file is empty: a suite begins with `suite:`".to_owned()))
}

/// The tree as far as it is read.
#[derive(Default)]
struct Tree {
    /// Collections that are not closed yet, each with its place and number.
    open: Vec<(Mark, usize, Open)>,
    root: Option<Node>,
    count: usize,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, mark: Mark) -> Result<(), (Mark, String)> {
        let fail = |message: &str| Err((mark, message.to_owned()));
        if let Event::Scalar(_, _, anchor, tag) | Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) =
            &event
        {
            if *anchor != 0 {
                return fail(NO_ANCHORS);
            }
            if tag.is_some() {
                return fail("tags are no part of the case language: leave it out");
            }
        }
        match event {
            Event::Scalar(text, ..) if self.awaits_key() => self.place_key(text.into_owned(), mark),
            Event::Scalar(text, style, ..) => {
                let scalar = Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                let number = self.next_number();
                self.place(Node { mark, number, content: Content::Scalar(scalar) })
            }
            Event::SequenceStart(..) => self.begin(mark, Open::Sequence(Vec::new())),
            Event::MappingStart(..) => self.begin(mark, Open::Mapping(Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(_) => fail(NO_ANCHORS),
            Event::DocumentStart(_) if self.root.is_some() => {
                fail("a second document begins here: a file holds one suite")
            }
            _ => Ok(()),
        }
    }

    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some((_, _, Open::Mapping(_, None))))
    }

    fn next_number(&mut self) -> usize {
        self.count += 1;
        self.count - 1
    }

    fn begin(&mut self, mark: Mark, open: Open) -> Result<(), (Mark, String)> {
        if self.awaits_key() {
            return Err((mark, KEY_IS_NO_WORD.to_owned()));
        }
        if self.open.len() == DEEPEST {
            return Err((mark, "this nests too deep for a case".to_owned()));
        }
        let number = self.next_number();
        self.open.push((mark, number, open));
        Ok(())
    }

    fn end(&mut self) -> Result<(), (Mark, String)> {
        // The parser ends only what it has begun.
        let Some((mark, number, open)) = self.open.pop() else { return Ok(()) };
        let content = match open {
            Open::Sequence(items) => Content::Sequence(items),
            Open::Mapping(entries, _) => Content::Mapping(entries),
        };
        self.place(Node { mark, number, content })
    }

    fn place_key(&mut self, key: String, mark: Mark) -> Result<(), (Mark, String)> {
        if let Some((_, _, Open::Mapping(entries, waiting))) = self.open.last_mut() {
            if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                return Err((mark, format!("`{key}` stands twice: first in line {}", first.key_mark.line)));
            }
            if entries.len() == MOST_KEYS {
                return Err((mark, format!("this map has more than {MOST_KEYS} keys")));
            }
            *waiting = Some((key, mark));
        }
        Ok(())
    }

    fn place(&mut self, node: Node) -> Result<(), (Mark, String)> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some((_, _, Open::Sequence(items))) => items.push(node),
            Some((_, _, Open::Mapping(entries, waiting))) => {
                let Some((key, key_mark)) = waiting.take() else {
                    return Err((node.mark, KEY_IS_NO_WORD.to_owned()));
                };
                entries.push(Entry { key, key_mark, value: node });
            }
        }
        Ok(())
    }
}
