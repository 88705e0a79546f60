//! Plain columns for people.
//!
//! Invariant: one row is one line, whatever a cell holds, so that `grep` and `awk` work on it;
//! there are no borders and nothing at the ends of lines.

use comfy_table::presets::NOTHING;

use crate::output::shown;

/// A table with a header.
pub(crate) struct Table(comfy_table::Table);

impl Table {
    /// With these columns.
    pub(crate) fn new<const N: usize>(header: [&str; N]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING).set_header(header);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self(table)
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.0.add_row(cells.map(|cell| shown(cell).replace('\n', " ")));
    }

    /// The table's lines, each with its newline.
    pub(crate) fn text(&self) -> String {
        self.0.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_a_row_is_a_line() {
        let mut table = Table::new(["KEY", "STATE"]);
        table.row(["key_1", "enabled"]);
        table.row(["a\nb\u{1b}", ""]);
        assert_eq!(table.text(), "KEY        STATE\nkey_1      enabled\na b\\u{1b}\n");
    }
}
