//! Finds the name that somebody most likely meant.
//!
//! Invariant: a suggestion is one of the given names and at most two fifths of its length away,
//! since a far-fetched one misleads.

/// The name nearest to `given`, if any is near.
pub(super) fn nearest<'a>(
    given: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let near = |name: &&str| distance(given, name) * 5 <= name.chars().count() * 2;
    names.into_iter().filter(near).min_by_key(|name| distance(given, name))
}

/// How many insertions, deletions and replacements lead from one to the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, from_char) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, to_char) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(from_char != *to_char);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_changes() {
        for (from, to, steps) in
            [("", "", 0), ("a", "", 1), ("listen", "listne", 2), ("kitten", "sitting", 3)]
        {
            assert_eq!((distance(from, to), distance(to, from)), (steps, steps));
        }
    }

    #[test]
    fn only_a_near_name_is_suggested() {
        let names = ["serve.listen", "serve.arena", "log.level"];
        assert_eq!(nearest("serve.lisen", names), Some("serve.listen"));
        assert_eq!(nearest("log.levels", names), Some("log.level"));
        assert_eq!(nearest("colour", names), None);
    }
}
