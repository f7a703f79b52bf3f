//! The word that was probably meant.

/// `, did you mean `x`?` if one of the known words is near enough to `word`, otherwise nothing.
pub(super) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default()
}

fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may differ: more of it suggests words that have nothing to do with each other. Words that
    // are far longer than any known one are not compared at all.
    let longest_distance = (word.chars().count() / 3).clamp(1, 4);
    let near = |candidate: &'a str| {
        let distance = if word.len() > 64 { usize::MAX } else { distance(word, candidate) };
        (distance, candidate)
    };
    known
        .into_iter()
        .map(near)
        .filter(|(distance, _)| *distance <= longest_distance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance without regard to case.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        let words = ["payload", "topic", "retain", "qos"];
        assert_eq!(suggestion("paylaod", words), ", did you mean `payload`?");
        assert_eq!(suggestion("QoS", words), ", did you mean `qos`?");
        assert_eq!(suggestion("filter", words), "");
        assert_eq!(suggestion(&"x".repeat(10_000), words), "");
    }
}
