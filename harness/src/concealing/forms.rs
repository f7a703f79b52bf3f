//! The forms in which bytes come back: as they are, in hex digits, in Base64.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::ops::Range;

/// What is shorter is no secret, and stands everywhere by chance.
pub(super) const SHORTEST: usize = 6;

/// What may stand between two pairs of hex digits.
const BETWEEN_PAIRS: &[u8] = b" :-\n\t,";

/// Where a secret stands in bytes, in any form.
pub(super) fn places(bytes: &[u8], secret: &[u8]) -> Vec<Range<usize>> {
    if secret.len() < SHORTEST {
        return Vec::new();
    }
    let mut places = in_hex(bytes, secret);
    for form in spellings(secret) {
        places.extend(starts(bytes, &form).map(|at| at..at + form.len()));
    }
    places
}

/// Where `part` begins in `bytes`.
pub(super) fn starts<'a>(bytes: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + use<'a> {
    bytes.windows(part.len().max(1)).enumerate().filter(move |(_, window)| *window == part).map(|(at, _)| at)
}

/// As it is, as a text quotes it, and in Base64.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.to_vec()];
    if let Ok(text) = std::str::from_utf8(secret) {
        forms.push(text.escape_debug().to_string().into_bytes());
        forms.push(serde_json::Value::from(text).to_string().trim_matches('"').as_bytes().to_vec());
    }
    // In Base64 it looks different behind none, one and two other bytes. The digits that it shares with its neighbours are
    // not known.
    for before in 0..3 {
        let digits_shared: usize = [0, 2, 3][before];
        let whole = [&[0; 2][..before], secret].concat();
        let digits_own = whole.len() * 8 / 6;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            forms.push(engine.encode(&whole).as_bytes()[digits_shared..digits_own].to_vec());
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Where it stands in hex digits, with or without something between the pairs. Reports cut what is long: a beginning counts.
fn in_hex(bytes: &[u8], secret: &[u8]) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    for start in 0..bytes.len() {
        let mut at = start;
        let mut pairs = 0;
        let mut end = start;
        for byte in secret {
            if pairs > 0 && bytes.get(at).is_some_and(|between| BETWEEN_PAIRS.contains(between)) {
                at += 1;
            }
            if bytes.get(at..at + 2).and_then(pair) != Some(*byte) {
                break;
            }
            (at, pairs, end) = (at + 2, pairs + 1, at + 2);
        }
        if pairs >= SHORTEST {
            places.push(start..end);
        }
    }
    places
}

/// What two hex digits stand for.
fn pair(digits: &[u8]) -> Option<u8> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match digits {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    fn shown(text: &str, secret: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        places(text.as_bytes(), secret.as_bytes()).into_iter().for_each(|range| bytes[range].fill(b'*'));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secret = "s3cr3t-01";
        for (text, expected) in [
            ("it is s3cr3t-01, is it", "it is *********, is it"),
            ("x 73336372 33742d3031 x", "x ******************* x"),
            ("10 73 33 63 72 33 74 2D 30 31 00", "10 ************************** 00"),
            ("73:33:63:72:33:74 ... (20 bytes)", "***************** ... (20 bytes)"),
            // Five of its bytes may stand anywhere.
            ("73 33 63 72 33 7 s3cr3t", "73 33 63 72 33 7 s3cr3t"),
        ] {
            assert_eq!(shown(text, secret), expected);
        }
        for before in ["", "a", "ab", "abc", "abcd"] {
            for behind in ["", "y", "yz"] {
                let text = STANDARD.encode(format!("{before}{secret}{behind}"));
                let left: Vec<u8> = STANDARD.decode(shown(&text, secret).replace('*', "A")).unwrap();
                let known = left.windows(4).any(|window| secret.as_bytes().windows(4).any(|part| part == window));
                assert!(!known && shown(&text, secret).contains("*******"), "{text}: {}", shown(&text, secret));
            }
        }
        assert_eq!(shown(r#"payload "s3\"cr\\3t""#, r#"s3"cr\3t"#), r#"payload "**********""#);
        assert_eq!(shown("short", "short"), "short");
    }
}
