//! The notation for bytes: `30 len{ s'$t/a' 'x' }` is a PUBLISH.
//!
//! Pairs of hex digits stand for themselves, and blanks between them are free. `'text'` is its UTF-8 bytes, with
//! variables replaced and `''` for a quote; `s'text'` is the same with its length in two bytes before it; `len{ ... }` is
//! what it encloses with its length as a Variable Byte Integer before it; `login` is the actor's User Name and Password.

use super::scope::Scope;
use super::template::BuildError;
use super::value::Text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use std::borrow::Cow;

/// How deep `len{ ... }` nests at most.
const DEEPEST: usize = 8;

/// Bytes with variables in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytesTemplate(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Bytes(Vec<u8>),
    Text(Text),
    /// With a two-byte length.
    CountedText(Text),
    /// With a Variable Byte Integer before it.
    Counted(Vec<Piece>),
    /// User Name and Password as they end a CONNECT.
    Login,
}

impl BytesTemplate {
    /// Reads the notation.
    ///
    /// # Errors
    /// What is wrong, and at which character.
    pub fn parse(text: &str) -> Result<BytesTemplate, String> {
        let mut reader = Reader { text, at: 0 };
        let pieces = reader.pieces(0)?;
        Ok(BytesTemplate(pieces))
    }

    /// The bytes.
    ///
    /// # Errors
    /// When a variable has no value, or what is counted is too long for its length.
    pub fn build(&self, scope: &Scope) -> Result<Vec<u8>, BuildError> {
        let mut bytes = Vec::new();
        write(&self.0, scope, &mut bytes)?;
        Ok(bytes)
    }
}

fn write(pieces: &[Piece], scope: &Scope, bytes: &mut Vec<u8>) -> Result<(), BuildError> {
    for piece in pieces {
        match piece {
            Piece::Bytes(literal) => bytes.extend_from_slice(literal),
            Piece::Text(text) => bytes.extend_from_slice(text.resolve(scope)?.as_bytes()),
            Piece::CountedText(text) => counted("s'...'", text.resolve(scope)?.as_bytes(), bytes)?,
            Piece::Login => {
                let (user_name, password) = scope.login();
                counted("the User Name", user_name.as_bytes(), bytes)?;
                counted("the Password", &password, bytes)?;
            }
            Piece::Counted(inside) => {
                let mut enclosed = Vec::new();
                write(inside, scope, &mut enclosed)?;
                variable_byte_integer(enclosed.len(), bytes)?;
                bytes.extend_from_slice(&enclosed);
            }
        }
    }
    Ok(())
}

fn counted(what: &str, field: &[u8], bytes: &mut Vec<u8>) -> Result<(), BuildError> {
    let length = u16::try_from(field.len())
        .map_err(|_| BuildError(format!("{what} holds {} bytes, the limit is 65535", field.len())))?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(field);
    Ok(())
}

fn variable_byte_integer(number: usize, bytes: &mut Vec<u8>) -> Result<(), BuildError> {
    if number > 268_435_455 {
        return Err(BuildError(format!("len{{...}} holds {number} bytes, the limit is 268435455")));
    }
    let mut rest = number;
    loop {
        // The mask leaves seven bits.
        let seven = (rest & 0x7F) as u8;
        rest >>= 7;
        bytes.push(if rest == 0 { seven } else { seven | 0x80 });
        if rest == 0 {
            return Ok(());
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn take(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }

    fn fail<T>(&self, what: impl std::fmt::Display) -> Result<T, String> {
        Err(format!("{what} at character {} of the bytes {:?}", self.text[..self.at].chars().count() + 1, self.text))
    }

    /// Reads to the end, or inside `len{` to the closing brace.
    fn pieces(&mut self, depth: usize) -> Result<Vec<Piece>, String> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        loop {
            self.at += self.rest().len() - self.rest().trim_start().len();
            if self.rest().is_empty() && depth > 0 {
                return self.fail("`len{` is not closed");
            }
            let ends = self.rest().is_empty() || (depth > 0 && self.take("}"));
            let special = ends || ["'", "s'", "len{", "login"].iter().any(|start| self.rest().starts_with(start));
            if special && !literal.is_empty() {
                pieces.push(Piece::Bytes(std::mem::take(&mut literal)));
            }
            if ends {
                return Ok(pieces);
            }
            if self.take("s'") {
                pieces.push(Piece::CountedText(self.quoted()?));
            } else if self.take("'") {
                pieces.push(Piece::Text(self.quoted()?));
            } else if self.take("len{") {
                if depth == DEEPEST {
                    return self.fail("`len{` nests too deep");
                }
                pieces.push(Piece::Counted(self.pieces(depth + 1)?));
            } else if self.take("login") {
                pieces.push(Piece::Login);
            } else {
                literal.push(self.hex_pair()?);
            }
        }
    }

    fn hex_pair(&mut self) -> Result<u8, String> {
        let pair = self.rest().get(..2).filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                self.at += 2;
                Ok(byte)
            }
            None => self.fail("expected two hex digits, 'text', s'text', len{ ... } or login"),
        }
    }

    /// The text up to the closing quote.
    fn quoted(&mut self) -> Result<Text, String> {
        let mut text = String::new();
        loop {
            let Some(end) = self.rest().find('\'') else { return self.fail("a quote is not closed") };
            text.push_str(&self.rest()[..end]);
            self.at += end + 1;
            if !self.take("'") {
                return Text::parse(&text);
            }
            text.push('\'');
        }
    }
}

impl<'de> Deserialize<'de> for BytesTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BytesTemplate::parse(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for BytesTemplate {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Hex pairs; 'text'; s'text' with a two-byte length before it; len{ ... } with a Variable \
                            Byte Integer before it; login for User Name and Password."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scope::Credentials;
    use super::*;

    fn bytes(text: &str) -> Result<Vec<u8>, String> {
        let scope = Scope::new("p/1", "c1", Credentials::default());
        BytesTemplate::parse(text)?.build(&scope).map_err(|error| error.to_string())
    }

    #[test]
    fn hex_pairs_stand_for_themselves() {
        assert_eq!(bytes("c1 00").unwrap(), [0xC1, 0x00]);
        assert_eq!(bytes("C100ff").unwrap(), [0xC1, 0x00, 0xFF]);
        assert_eq!(bytes("  ").unwrap(), [0u8; 0]);
    }

    #[test]
    fn text_is_utf8_with_variables() {
        assert_eq!(bytes("'aé$t' 00").unwrap(), b"a\xC3\xA9p/1\x00");
        assert_eq!(bytes("s'$t/a'").unwrap(), b"\x00\x05p/1/a");
        assert_eq!(bytes("'it''s $$5'").unwrap(), b"it's $5");
    }

    #[test]
    fn lengths_are_counted() {
        assert_eq!(bytes("30 len{ s'$t/a' 'x' }").unwrap(), b"\x30\x08\x00\x05p/1/ax");
        assert_eq!(bytes("len{}").unwrap(), [0]);
        assert_eq!(bytes("len{ len{ 01 } 02 }").unwrap(), [3, 1, 1, 2]);
        let long = bytes(&format!("len{{ '{}' }}", "x".repeat(200))).unwrap();
        assert_eq!(long[..3], [0xC8, 0x01, b'x']);
        assert_eq!(long.len(), 202);
    }

    #[test]
    fn a_login_is_that_of_the_target() {
        assert_eq!(bytes("c2 login").unwrap(), b"\xC2\x00\x08mqttspec\x00\x08mqttspec");
        let nobody = Credentials { user_name: None, password: None };
        let login = BytesTemplate::parse("login").unwrap().build(&Scope::new("p/1", "c1", nobody));
        assert_eq!(login.unwrap(), [0; 4]);
    }

    #[test]
    fn a_wrong_notation_says_where() {
        let expected = "expected two hex digits, 'text', s'text', len{ ... } or login";
        assert_eq!(bytes("c1 0").unwrap_err(), format!("{expected} at character 4 of the bytes \"c1 0\""));
        assert_eq!(bytes("é").unwrap_err(), format!("{expected} at character 1 of the bytes \"é\""));
        assert_eq!(bytes("00 }").unwrap_err(), format!("{expected} at character 4 of the bytes \"00 }}\""));
        assert_eq!(bytes("'abc").unwrap_err(), "a quote is not closed at character 2 of the bytes \"'abc\"");
        assert_eq!(bytes("len{ 00").unwrap_err(), "`len{` is not closed at character 8 of the bytes \"len{ 00\"");
        assert!(bytes(&"len{".repeat(100_000)).unwrap_err().starts_with("`len{` nests too deep at character 37"));
        assert!(bytes("'$no.id'").unwrap_err().starts_with("there is no variable `$no.id`"));
        assert!(bytes(&format!("s'{}'", "x".repeat(70_000))).unwrap_err().contains("the limit is 65535"));
    }
}
