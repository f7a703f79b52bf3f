//! The word that was probably meant.

/// `, did you mean `x`?` if one of the known words is near enough to `word`, otherwise nothing.
#[must_use]
pub fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default()
}

fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One letter in three may differ, and two at most: more of it suggests words that have nothing to do with each other.
    // Words that are far longer than any known one are not compared at all.
    let longest_distance = (word.chars().count() / 3).min(2);
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

/// How many letters to change, add, leave out or swap with their neighbour, without regard to case.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().collect();
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        let words = ["payload", "topic", "retain", "qos"];
        assert_eq!(suggestion("paylaod", words), ", did you mean `payload`?");
        assert_eq!(suggestion("QoS", words), ", did you mean `qos`?");
        assert_eq!(suggestion("tpoic", words), ", did you mean `topic`?");
        assert_eq!(suggestion("filter", words), "");
        assert_eq!(suggestion(&"x".repeat(10_000), words), "");
    }
}
