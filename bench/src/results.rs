//! Puts the tables of a run into `bench/RESULTS.md`, between its two marks.
//!
//! Invariant: what people wrote around the tables stays as it is.

use std::{fs, path::Path};

use crate::failed::Failed;

const BEGIN: &str = "<!-- begin: written by `cargo xtask bench` -->";
const END: &str = "<!-- end -->";

/// Replaces what lies between the marks.
pub(crate) fn rewrite(path: &Path, text: &str) -> Result<(), Failed> {
    let before = fs::read_to_string(path).map_err(Failed::file(path))?;
    let missing = |line| Failed::NoPlace { path: path.to_owned(), line };
    let after = between(&before, text).map_err(missing)?;
    fs::write(path, after).map_err(Failed::file(path))
}

fn between(before: &str, text: &str) -> Result<String, &'static str> {
    let begin = before.find(BEGIN).ok_or(BEGIN)? + BEGIN.len();
    let end = before[begin..].find(END).ok_or(END)? + begin;
    Ok(format!("{}\n\n{}\n\n{}", &before[..begin], text.trim(), &before[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_between_the_marks_changes() {
        let before = format!("# Title\n{BEGIN}\nold\n{END}\nwords\n");
        let after = between(&before, "new\n").unwrap();
        assert_eq!(after, format!("# Title\n{BEGIN}\n\nnew\n\n{END}\nwords\n"));
        assert_eq!(between(&after, "new").unwrap(), after);
        assert_eq!(between("no marks", "new"), Err(BEGIN));
        assert_eq!(between(BEGIN, "new"), Err(END));
    }
}
