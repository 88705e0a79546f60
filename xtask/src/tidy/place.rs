//! Where a file stands: which rules hold for it follows from its path alone.

use crate::layers::{Ring, ring_of_folder};

/// A tracked file, by its path from the top of the checkout.
pub(super) struct Place<'a> {
    pub(super) path: &'a str,
    /// The ring of its crate; none outside `crates/`.
    pub(super) ring: Option<Ring>,
}

impl<'a> Place<'a> {
    pub(super) fn of(path: &'a str) -> Self {
        let ring = path.strip_prefix("crates/").and_then(|rest| rest.split('/').next());
        Self { path, ring: ring.and_then(ring_of_folder) }
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(super) fn is_python(&self) -> bool {
        self.path.ends_with(".py")
    }

    /// Files of bytes that a test reads: nobody wraps their lines.
    pub(super) fn is_vector(&self) -> bool {
        ["tests/vectors/", "tests/fixtures/"].iter().any(|folder| self.path.starts_with(folder))
    }

    /// Whether the whole file is test code.
    pub(super) fn is_test(&self) -> bool {
        let mut parts = self.path.split('/').rev();
        let file = parts.next().unwrap_or_default();
        let is_test_folder = |part| matches!(part, "tests" | "benches" | "fuzz" | "bench");
        file == "tests.rs" || file.ends_with("_test.rs") || parts.any(is_test_folder)
    }

    /// The file's name without its last ending.
    pub(super) fn stem(&self) -> &str {
        let file = self.path.rsplit('/').next().unwrap_or_default();
        file.rsplit_once('.').map_or(file, |(stem, _)| stem)
    }
}
