//! Where the password is in a CONNECT, also in one that is malformed on purpose.
//!
//! The decoder refuses such a packet at its first flaw; here it is read on as far as its fields go. What cannot be told from
//! a password any more counts as one: all that stands behind the flaw.

use std::ops::Range;

/// How a CONNECT begins, behind its fixed header: Protocol Name, and then Protocol Level.
const PROTOCOL_NAMES: [&[u8]; 2] = [b"\0\x04MQTT", b"\0\x06MQIsdp"];

const CONNECT: u8 = 1;

const USER_NAME: u8 = 0x80;
const PASSWORD: u8 = 0x40;
const WILL: u8 = 0x04;

/// Where a password is, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// It is this.
    Password(Range<usize>),
    /// It is somewhere in this, if there is one.
    Somewhere(Range<usize>),
}

impl Place {
    /// All that it may be.
    pub(super) fn range(&self) -> Range<usize> {
        match self {
            Place::Password(range) | Place::Somewhere(range) => range.clone(),
        }
    }
}

/// Where passwords are in what a client sent, or what may be one.
pub(super) fn passwords(stream: &[u8]) -> Vec<Place> {
    let mut found = Vec::new();
    for (body, end) in connects(stream) {
        let readings: Vec<Vec<Place>> = match level(stream, body) {
            Some(3 | 4) => vec![password(stream, body, end, false)],
            Some(5) => vec![password(stream, body, end, true)],
            // Another level says nothing of properties.
            _ => vec![password(stream, body, end, false), password(stream, body, end, true)],
        };
        let is_certain = |reading: &&Vec<Place>| reading.iter().all(|place| matches!(place, Place::Password(_)));
        match readings.iter().find(is_certain) {
            Some(certain) => found.extend(certain.iter().cloned()),
            None => found.extend(readings.into_iter().flatten()),
        }
    }
    found
}

/// Where CONNECTs begin behind their fixed headers, and where they say that they end: what is framed as one, and what begins
/// like one wherever it stands.
fn connects(stream: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = stream.get(at) {
        let Some((length, behind)) = variable_byte_integer(stream, at + 1) else {
            if first >> 4 == CONNECT {
                found.push((stream.len().min(at + 2), stream.len()));
            }
            break;
        };
        let end = behind.saturating_add(length).min(stream.len());
        if first >> 4 == CONNECT {
            found.push((behind, end));
        }
        at = end;
    }
    for name in PROTOCOL_NAMES {
        let starts = stream.windows(name.len()).enumerate().filter(|(_, window)| *window == name);
        let unknown = starts.map(|(at, _)| at).filter(|at| !found.iter().any(|(body, _)| body == at));
        let unknown: Vec<(usize, usize)> = unknown.map(|at| (at, at)).collect();
        found.extend(unknown);
    }
    found
}

/// The Protocol Level without the bit of bridges, whatever the protocol's name is.
fn level(stream: &[u8], body: usize) -> Option<u8> {
    let mut reader = Reader { stream, at: body };
    reader.field()?;
    reader.byte().map(|level| level & 0x7F)
}

/// The Password of the CONNECT whose variable header begins at `body`, and what stands behind it as far as `end`. If a field
/// is longer than all that was sent, everything from there on.
fn password(stream: &[u8], body: usize, end: usize, has_properties: bool) -> Vec<Place> {
    let mut reader = Reader { stream, at: body };
    let (password, rest) = match reader.password(has_properties) {
        Some(password) => (password, reader.at..end.max(reader.at)),
        None => (None, reader.at..stream.len()),
    };
    let rest = Some(rest).filter(|rest| !rest.is_empty()).map(Place::Somewhere);
    password.map(Place::Password).into_iter().chain(rest).collect()
}

struct Reader<'a> {
    stream: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// `None` when a field does not end: then the reader stands where it begins.
    fn password(&mut self, has_properties: bool) -> Option<Option<Range<usize>>> {
        self.field()?;
        // The level and, behind the flags, the keep alive.
        self.skip(1)?;
        let flags = self.byte()?;
        self.skip(2)?;
        if has_properties {
            self.properties()?;
        }
        self.field()?;
        if flags & WILL != 0 {
            if has_properties {
                self.properties()?;
            }
            self.field()?;
            self.field()?;
        }
        if flags & USER_NAME != 0 {
            self.field()?;
        }
        if flags & PASSWORD == 0 {
            return Some(None);
        }
        self.field().map(Some)
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.stream.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, length: usize) -> Option<Range<usize>> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.stream.len())?;
        let skipped = self.at..end;
        self.at = end;
        Some(skipped)
    }

    /// What has its length in two bytes before it.
    fn field(&mut self) -> Option<Range<usize>> {
        let length = [self.byte()?, self.byte()?];
        self.skip(usize::from(u16::from_be_bytes(length)))
    }

    fn properties(&mut self) -> Option<Range<usize>> {
        let (length, behind) = variable_byte_integer(self.stream, self.at)?;
        self.at = behind;
        self.skip(length)
    }
}

/// A Variable Byte Integer and where it ends; none if it does not.
fn variable_byte_integer(stream: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut number = 0;
    for (index, byte) in stream.get(at..)?.iter().take(4).enumerate() {
        number |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((number, at + index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::passwords;

    /// What is left of a stream when passwords are overwritten.
    fn shown(stream: &[u8]) -> String {
        let mut bytes = stream.to_vec();
        passwords(stream).into_iter().for_each(|place| bytes[place.range()].fill(b'*'));
        bytes.escape_ascii().to_string()
    }

    #[test]
    fn only_the_password_of_a_right_connect_is_one() {
        let connect = b"\x10\x1f\0\x04MQTT\x04\xc2\0\x3c\0\x04lamp\0\x02me\0\x09s3cr3t-01\xc0\0";
        assert_eq!(shown(connect), r"\x10\x1f\x00\x04MQTT\x04\xc2\x00<\x00\x04lamp\x00\x02me\x00\t*********\xc0\x00");
        assert_eq!(shown(b"\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04lamp\xc0\0").matches('*').count(), 0);
        // With a will, and properties of both.
        let connect = b"\x10\x25\0\x04MQTT\x05\xc6\0\x3c\x03\x21\0\x01\0\0\x02\x01\0\0\x01t\0\x01m\0\x02me\0\x06s3cr3t";
        assert!(shown(connect).ends_with(r"\x00\x02me\x00\x06******"), "{}", shown(connect));
    }

    #[test]
    fn a_malformed_connect_gives_no_password_away() {
        let login = b"\0\x02me\0\x09s3cr3t-01";
        let begins: [(&str, &[u8]); 10] = [
            ("a reserved flag", b"\x10\x1f\0\x04MQTT\x04\xc3\0\x3c\0\x04lamp"),
            ("flags of the fixed header", b"\x1f\x1f\0\x04MQTT\x04\xc2\0\x3c\0\x04lamp"),
            ("no such type", b"\xf0\x1f\0\x04MQTT\x04\xc2\0\x3c\0\x04lamp"),
            ("no such protocol", b"\x10\x1f\0\x04MTQQ\x04\xc2\0\x3c\0\x04lamp"),
            ("no such level", b"\x10\x1f\0\x04MQTT\x09\xc2\0\x3c\0\x04lamp"),
            ("a level of a bridge", b"\x10\x1f\0\x04MQTT\x84\xc2\0\x3c\0\x04lamp"),
            ("no flag for it", b"\x10\x1f\0\x04MQTT\x04\x02\0\x3c\0\x04lamp"),
            ("too short a length", b"\x10\x0a\0\x04MQTT\x04\xc2\0\x3c\0\x04lamp"),
            ("a length that does not end", b"\x10\xff\xff\xff\xff\0\x04MQTT\x04\xc2\0\x3c\0\x04lamp"),
            ("a client identifier that does not end", b"\x10\x1f\0\x04MQTT\x04\xc2\0\x3c\xff\x04lamp"),
        ];
        for (flaw, begin) in begins {
            let stream = [begin, login].concat();
            assert!(!shown(&stream).contains("s3cr3t"), "{flaw}: {}", shown(&stream));
            // It may not be whole either, or stand behind something else.
            assert!(!shown(&stream[..stream.len() - 3]).contains("s3cr"), "{flaw}: {}", shown(&stream));
            let second = [b"\xc0\0".as_slice(), &stream].concat();
            assert!(!shown(&second).contains("s3cr3t"), "{flaw}: {}", shown(&second));
        }
        let longer = b"\x10\x28\0\x04MQTT\x04\xc2\0\x3c\0\x04lamp\0\x02me\0\x01x and s3cr3t";
        assert!(shown(longer).ends_with(r"\x00\x02me\x00\x01************"), "{}", shown(longer));
    }
}
