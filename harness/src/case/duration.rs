//! Times: `2s`, `500ms`, `1.5 keep-alive`.

use super::step::{Elapse, Window};
use std::time::Duration;

/// The longest time in a script: a case that waits longer is never run.
const LONGEST: Duration = Duration::from_secs(3600);

/// Reads `2s`, `1.5s` or `500ms`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: write one like 2s or 500ms");
    let milliseconds = if let Some(number) = text.strip_suffix("ms") {
        number.parse().map_err(|_| wrong())?
    } else {
        text.strip_suffix('s').and_then(thousandths).ok_or_else(wrong)?
    };
    let duration = Duration::from_millis(milliseconds);
    if duration > LONGEST {
        return Err(format!("`{text}` is above an hour"));
    }
    Ok(duration)
}

/// Reads what `elapse:` takes.
pub(super) fn elapse(text: &str) -> Result<Elapse, String> {
    let Some(factor) = text.strip_suffix("keep-alive") else {
        return duration(text)
            .map(Elapse::Time)
            .map_err(|_| format!("`{text}` is no time: write one like 2s, 500ms or 1.5 keep-alive"));
    };
    thousandths(factor.trim_end())
        .and_then(|number| u32::try_from(number).ok())
        .filter(|thousandths| (1..=10_000).contains(thousandths))
        .map(|thousandths| Elapse::KeepAlive { thousandths })
        .ok_or_else(|| format!("`{text}` is no time: write a multiple up to 10, like 1.5 keep-alive"))
}

/// Reads what `within:` takes: the latest time, or both.
pub(super) fn window(times: &[&str]) -> Result<Window, String> {
    match times {
        [latest] => Ok(Window { earliest: Duration::ZERO, latest: duration(latest)? }),
        [earliest, latest] => {
            let window = Window { earliest: duration(earliest)?, latest: duration(latest)? };
            if window.earliest > window.latest {
                return Err(format!("the window ends ({latest}) before it begins ({earliest})"));
            }
            Ok(window)
        }
        _ => Err("`within` takes one time or two: 5s or [2s, 5s]".to_owned()),
    }
}

/// A decimal number with up to three places, in thousandths.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || places.len() > 3 || text.ends_with('.') || !digits(whole) || !digits(places) {
        return None;
    }
    let places: u64 = format!("{places:0<3}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_milliseconds() {
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["", "s", "2", "2m", "-2s", "1.s", ".5s", "1.2345s", "+1s", "1 s", "99999999999999999999s"] {
            assert_eq!(duration(wrong), Err(format!("`{wrong}` is no time: write one like 2s or 500ms")));
        }
        assert_eq!(duration("3601s"), Err("`3601s` is above an hour".to_owned()));
    }

    #[test]
    fn keep_alive_is_a_unit() {
        let one_and_a_half = elapse("1.5 keep-alive").unwrap();
        assert_eq!(one_and_a_half, Elapse::KeepAlive { thousandths: 1500 });
        assert_eq!(one_and_a_half.duration(30), Duration::from_secs(45));
        assert_eq!(elapse("2s").unwrap().duration(30), Duration::from_secs(2));
        assert!(elapse("0 keep-alive").is_err());
        assert!(elapse("100 keep-alive").is_err());
        assert!(elapse("keep-alive").is_err());
    }

    #[test]
    fn a_window_has_an_end() {
        let seconds =
            |earliest, latest| Window { earliest: Duration::from_secs(earliest), latest: Duration::from_secs(latest) };
        assert_eq!(window(&["5s"]), Ok(seconds(0, 5)));
        assert_eq!(window(&["2s", "5s"]), Ok(seconds(2, 5)));
        assert_eq!(window(&["5s", "2s"]), Err("the window ends (2s) before it begins (5s)".to_owned()));
        assert!(window(&[]).is_err());
    }
}
