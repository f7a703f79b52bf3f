//! Names that no other run and no other variant uses on the same broker.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What keeps variants apart on a shared broker. In memory each has its own, so reports are the same whatever is selected.
pub(crate) const UNIQUE: &str = "m";

/// What keeps the topics and client ids of this run apart from those of others on the same broker: letters and digits.
pub(crate) fn nonce() -> String {
    const FIVE_DIGITS: u64 = 36_u64.pow(5);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let mixed = now.as_nanos() as u64 ^ (u64::from(std::process::id()) << 20);
    format!("m{:0>5}", base_36(mixed % FIVE_DIGITS))
}

/// A number in as few letters and digits as possible.
pub(crate) fn base_36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize] as char);
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{base_36, nonce};

    #[test]
    fn prefixes_are_short_letters_and_digits() {
        let prefix = nonce() + &base_36(99_999);
        assert!(prefix.len() <= 12 && prefix.chars().all(|c| c.is_ascii_alphanumeric()), "{prefix}");
        assert_eq!((base_36(0), base_36(35), base_36(36)), ("0".to_owned(), "z".to_owned(), "10".to_owned()));
    }
}
