//! The table: a line for each phase, printed when it has ended.
//!
//! Invariant: a line is printed after its work and only where that went well.

use std::time::Instant;

use crate::failure::Failure;

/// A table whose lines appear as their phases end.
pub(crate) struct Table;

impl Table {
    /// Prints the heading.
    pub(crate) fn begin() -> Self {
        println!("{:<34}{:>15}{:>10}", "phase", "count", "seconds");
        Self
    }

    /// Does `work`, which returns a count with its unit, and prints the line.
    pub(crate) fn phase<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<(usize, &'static str, T), Failure>,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let (count, unit, result) = work()?;
        let count = format!("{count} {unit}");
        println!("{name:<34}{count:>15}{:>10.2}", began.elapsed().as_secs_f64());
        Ok(result)
    }
}
